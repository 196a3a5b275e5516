//! Where journals are kept: making, listing, reading and locking them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::record::{Head, Identity, Left};
use super::state::{Entry, State};
use super::writer::{Files, LogFile, Writer, write_error};
use super::{JournalState, SCHEMA, Shown, Summary, line};
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::options::Options;
use crate::operation::plan::{Mode, Plan};
use crate::operation::private;
use crate::operation::report::{Ended, Outcome, OutcomeLine};

type MakeId = Arc<dyn Fn(Timestamp) -> String + Send + Sync>;
type OpenLog = Arc<dyn Fn(&Path, File) -> Box<dyn LogFile> + Send + Sync>;

/// The folder of all journals.
#[derive(Clone)]
pub struct Journals {
    folder: PathBuf,
    make_id: MakeId,
    open_log: OpenLog,
}

/// A journal that is locked so that nobody goes on with it.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) head: Head,
    pub(crate) state: State,
    /// The file of originals.
    pub(crate) originals: PathBuf,
    _lock: File,
}

/// The file of the messages whose copies do not tell all that they were.
const ORIGINALS: &str = "originals.jsonl";

/// The head of a journal that is being made.
const UNFINISHED: &str = "head.json.new";

/// What a folder may hold whose journal was never made to its end: anything else is not ours.
const MAKINGS: [&str; 5] = ["lock", "plan.json", "log.jsonl", ORIGINALS, UNFINISHED];

/// For how long a folder without a head may be that of a journal which is being made right now.
const MAKING: std::time::Duration = std::time::Duration::from_mins(1);

/// A journal that is locked for a run, and everything it says so far.
#[derive(Debug)]
pub struct Opened {
    /// What was to be done.
    pub head: Head,
    /// The exact plan, where there is one.
    pub plan: Option<Plan>,
    pub(crate) state: State,
    pub(crate) writer: Writer,
}

impl Journals {
    /// The journals of this user: `$POSTROOM_STATE/journal`, else `postroom/journal` in the user's state folder.
    ///
    /// # Errors
    /// `Config` where neither is known.
    pub fn of_user(environment: &Environment) -> Result<Self> {
        let folder = environment.state_folder().ok_or_else(|| {
            Error::new(ErrorKind::Config, "there is no folder for journals").hint("set POSTROOM_STATE")
        })?;
        Ok(Self::at(folder.join("journal")))
    }

    /// Journals in that folder, which is made when the first one is.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), make_id: Arc::new(random_id), open_log: Arc::new(|_, file| Box::new(file)) }
    }

    /// Names new journals so: ids sort by time and are valid folder names.
    #[must_use]
    pub fn ids(mut self, make_id: impl Fn(Timestamp) -> String + Send + Sync + 'static) -> Self {
        self.make_id = Arc::new(make_id);
        self
    }

    /// Writes logs through that file: for tests that let writing fail.
    #[must_use]
    pub fn log_files(mut self, open: impl Fn(&Path, File) -> Box<dyn LogFile> + Send + Sync + 'static) -> Self {
        self.open_log = Arc::new(open);
        self
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a journal. `head.id` is set here. Everything is on disk when it returns.
    pub(crate) fn create(&self, mut head: Head, plan: Option<&Plan>) -> Result<Opened> {
        let wrap = |path: &Path, error| write_error(&path.display().to_string(), error);
        private::make_folder(&self.folder, true).map_err(|error| wrap(&self.folder, error))?;
        head.id = (self.make_id)(head.started);
        let folder = self.folder.join(&head.id);
        private::make_folder(&folder, false).map_err(|error| wrap(&folder, error))?;
        let lock = lock(&folder)?;
        let write = |name: &str, bytes: &[u8]| -> std::io::Result<File> {
            let mut file = private::open(&folder.join(name), true)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            Ok(file)
        };
        let text = serde_json::to_vec_pretty(&head)
            .map_err(|error| Error::new(ErrorKind::Unexpected, format!("can't write the journal's head: {error}")))?;
        let plan = plan.filter(|plan| plan.mode == Mode::Exact).cloned();
        let log = (|| {
            if let Some(plan) = &plan {
                write("plan.json", plan.to_json().as_bytes())?;
            }
            let log = write("log.jsonl", b"")?;
            let originals = write(ORIGINALS, b"")?;
            // The head comes last and whole: what is killed before it has begun nothing, and is no journal.
            write(UNFINISHED, &text)?;
            private::sync_folder(&folder)?;
            fs::rename(folder.join(UNFINISHED), folder.join("head.json"))?;
            private::sync_folder(&folder)?;
            private::sync_folder(&self.folder)?;
            Ok((log, originals))
        })()
        .map_err(|error| wrap(&folder, error))?;
        let writer = self.writer(&folder, log, 0, lock)?;
        Ok(Opened { head, plan, state: State::default(), writer })
    }

    /// Locks a journal for a resume, and cuts what a kill left unfinished at its log's end.
    ///
    /// # Errors
    /// `NotFound`; `Locked` while another run writes it; `Invalid`, naming the line, for a damaged log.
    pub(crate) fn open(&self, id: &str) -> Result<Opened> {
        let folder = self.folder_of(id)?;
        let lock = lock(&folder)?;
        let (head, state, intact) = read(&folder)?;
        head.require_known()?;
        let plan = match head.mode {
            Mode::Streaming => None,
            Mode::Exact => Some(Plan::from_json(&read_file(&folder.join("plan.json"))?)?),
        };
        let cut = |name: &str, length: u64| {
            let path = folder.join(name);
            private::open(&path, false)
                .and_then(|file| {
                    file.set_len(length)?;
                    file.sync_all()?;
                    Ok(file)
                })
                .map_err(|error| write_error(&path.display().to_string(), error))
        };
        let originals = cut(ORIGINALS, state.kept)?;
        let writer = self.writer(&folder, (cut("log.jsonl", intact)?, originals), state.kept, lock)?;
        Ok(Opened { head, plan, state, writer })
    }

    /// The pen for a folder's log and originals, `kept` bytes of which are there.
    fn writer(&self, folder: &Path, (log, originals): (File, File), kept: u64, lock: File) -> Result<Writer> {
        let path = folder.join("log.jsonl");
        let log = (self.open_log)(&path, log);
        let originals = ((self.open_log)(&folder.join(ORIGINALS), originals), kept);
        Writer::new(Files { log, originals, lock }, &path)
    }

    /// Locks a journal without going on with it, so that nobody else does: head, state and the file of originals.
    ///
    /// # Errors
    /// As [`Journals::open`].
    pub(crate) fn hold(&self, id: &str) -> Result<Held> {
        let folder = self.folder_of(id)?;
        let lock = lock(&folder)?;
        let (head, state, _) = read(&folder)?;
        head.require_known()?;
        Ok(Held { head, state, originals: folder.join(ORIGINALS), _lock: lock })
    }

    /// The runs that took that journal's back, the oldest first: id, and what its log says. One that can't be read took
    /// back nothing that is known.
    pub(crate) fn undone_by(&self, id: &str) -> Result<Vec<(String, State)>> {
        let mut names = self.names()?;
        names.reverse();
        Ok(names
            .into_iter()
            .filter(|name| read_head(&self.folder.join(name)).is_ok_and(|head| head.undoes.as_deref() == Some(id)))
            .filter_map(|name| read(&self.folder.join(&name)).ok().map(|(_, state, _)| (name, state)))
            .collect())
    }

    /// Removes the journals that ended before `before`: finished and undone ones, and with `all` those that were cut short.
    /// Which they are; with `dry` they stay. One that an unfinished undo takes back stays as well: the undo needs it.
    ///
    /// # Errors
    /// `Io` where one can't be removed.
    pub fn prune(&self, before: Timestamp, all: bool, dry: bool) -> Result<Vec<Summary>> {
        let (summaries, _) = self.list()?;
        let ended = |summary: &Summary| matches!(summary.state, JournalState::Finished | JournalState::Undone);
        let undos = summaries.iter().filter(|summary| !ended(summary));
        let needed: HashSet<String> = undos.filter_map(|summary| summary.undoes.clone()).collect();
        let old = summaries.into_iter().filter(|summary| {
            let may = ended(summary) || all && summary.state == JournalState::Interrupted;
            may && !needed.contains(&summary.id) && summary.ended.unwrap_or(summary.started) < before
        });
        let old: Vec<_> = old.collect();
        for summary in old.iter().filter(|_| !dry) {
            let folder = self.folder.join(&summary.id);
            let _lock = lock(&folder)?;
            fs::remove_dir_all(&folder).map_err(|error| write_error(&folder.display().to_string(), error))?;
        }
        Ok(old)
    }

    /// Removes what is left of journals whose making was killed: nothing of their runs had begun. How many there are; with
    /// `dry` they stay.
    ///
    /// # Errors
    /// `Io` where one can't be removed.
    pub fn clear(&self, dry: bool) -> Result<u64> {
        let mut cleared = 0;
        for folder in self.folders()?.into_iter().map(|name| self.folder.join(name)).filter(|path| is_remains(path)) {
            // Whoever makes a journal holds its lock until the head is there.
            if is_locked(&folder) {
                continue;
            }
            cleared += 1;
            if !dry {
                fs::remove_dir_all(&folder).map_err(|error| write_error(&folder.display().to_string(), error))?;
            }
        }
        Ok(cleared)
    }

    /// All journals, the newest first. One that can't be read is named in the second list, with the reason.
    ///
    /// # Errors
    /// `Io` where the folder can't be read; a folder that is not there holds none.
    pub fn list(&self) -> Result<(Vec<Summary>, Vec<Error>)> {
        let (mut summaries, mut faults) = (Vec::new(), Vec::new());
        let names = self.names()?;
        let heads = names.iter().filter_map(|name| read_head(&self.folder.join(name)).ok());
        let undone: Vec<(String, String)> = heads.filter_map(|head| Some((head.undoes?, head.id))).collect();
        for id in names {
            let by = undone.iter().filter(|(undone, _)| *undone == id).map(|(_, by)| by.clone());
            match Self::summary_of(&self.folder.join(&id), by.collect()) {
                Ok(summary) => summaries.push(summary),
                Err(error) => faults.push(error.context("journal", id)),
            }
        }
        // Ids tell the second, and scripts begin several runs in one. Where a clock stands still an undo is the later one.
        summaries.sort_by_key(|summary| (std::cmp::Reverse(summary.started), summary.undoes.is_none()));
        Ok((summaries, faults))
    }

    /// What one journal says about itself.
    ///
    /// # Errors
    /// As [`Journals::show`].
    pub fn summary(&self, id: &str) -> Result<Summary> {
        let folder = self.folder_of(id)?;
        let name = read_head(&folder)?.id;
        Self::summary_of(&folder, self.undone_by(&name)?.into_iter().map(|(by, _)| by).collect())
    }

    fn summary_of(folder: &Path, undone_by: Vec<String>) -> Result<Summary> {
        let (head, state, _) = read(folder)?;
        Ok(summarise(&head, &state, is_locked(folder), undone_by))
    }

    /// What a journal's run set out to do.
    ///
    /// # Errors
    /// As [`Journals::show`].
    pub(crate) fn head(&self, id: &str) -> Result<Head> {
        read_head(&self.folder_of(id)?)
    }

    /// Goes through the journals whose runs handled records of that log, but for `except`: head, state, and whether the
    /// run is going on.
    ///
    /// # Errors
    /// `Invalid`, naming journal and line, for a damaged one of that log; what `see` says.
    pub(crate) fn of_log(
        &self,
        log: &str,
        except: Option<&str>,
        mut see: impl FnMut(&Head, &State, bool) -> Result<()>,
    ) -> Result<()> {
        for id in self.names()?.into_iter().filter(|id| except != Some(id)) {
            let folder = self.folder.join(&id);
            // A head that can't be read names no log.
            if read_head(&folder).is_ok_and(|head| head.handles.as_deref() == Some(log)) {
                let running = is_locked(&folder);
                let (head, state, _) = read(&folder).map_err(|error| error.context("journal", id))?;
                head.require_known()?;
                see(&head, &state, running)?;
            }
        }
        Ok(())
    }

    /// What one journal says about each message.
    ///
    /// # Errors
    /// `NotFound`; `Invalid`, naming file and line, where it is damaged.
    pub fn show(&self, id: &str) -> Result<Shown> {
        let folder = self.folder_of(id)?;
        let (head, state, _) = read(&folder)?;
        let undone = self.undone_by(&head.id)?;
        let mut back = Back::of(&undone);
        let mut outcomes: Vec<_> = state
            .entries()
            .map(|(seq, entry)| {
                let to = state.destinations.get(entry.to as usize).cloned();
                let place = match back.take(seq, entry) {
                    Some(by) if head.keep => format!("{}: its copy was dropped by {by}", head.source),
                    Some(by) => format!("{}: put back by {by}", head.source),
                    None => entry.stage.place(head.keep, &head.source, to.as_deref().unwrap_or_default()),
                };
                OutcomeLine { place: Some(place), ..OutcomeLine::new(&entry.id, seq, to, &entry.outcome(head.keep)) }
            })
            .collect();
        outcomes.extend((state.last() + 1..).zip(&state.skipped).map(|(seq, Left(_, id, why, _))| {
            let line = OutcomeLine::new(id, seq, None, &Outcome::Skipped(why.clone()));
            OutcomeLine { place: Some(head.source.clone()), ..line }
        }));
        let by = undone.into_iter().map(|(by, _)| by).collect();
        Ok(Shown { summary: summarise(&head, &state, is_locked(&folder), by), outcomes })
    }

    /// The newest journal that a resume would finish.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub fn newest_unfinished(&self) -> Result<String> {
        let (summaries, _) = self.list()?;
        summaries.into_iter().find(|summary| summary.state == JournalState::Interrupted).map(|s| s.id).ok_or_else(
            || {
                Error::new(ErrorKind::NotFound, "there is no unfinished journal")
                    .hint("`postroom journal list` shows all")
            },
        )
    }

    /// The newest unfinished one that writes to that address.
    #[must_use]
    pub fn unfinished_to(&self, to: &str) -> Option<String> {
        let (summaries, _) = self.list().ok()?;
        summaries.into_iter().find(|run| run.state == JournalState::Interrupted && run.to == to).map(|run| run.id)
    }

    /// The journals, the newest first.
    fn names(&self) -> Result<Vec<String>> {
        let mut names = self.folders()?;
        names.retain(|name| self.folder.join(name).join("head.json").is_file());
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(names)
    }

    /// Everything in the folder whose name can be one of ours.
    fn folders(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read_error(&self.folder, error)),
        };
        Ok(entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect())
    }

    /// The folder of the journal with that id, or the only one whose id begins or ends so.
    fn folder_of(&self, id: &str) -> Result<PathBuf> {
        let exact = self.folder.join(id);
        let plain = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if plain && exact.join("head.json").is_file() {
            return Ok(exact);
        }
        let near: Vec<_> =
            self.names()?.into_iter().filter(|name| plain && (name.starts_with(id) || name.ends_with(id))).collect();
        match near.as_slice() {
            [name] => Ok(self.folder.join(name)),
            _ => Err(Error::new(ErrorKind::NotFound, format!("there is no journal {id:?}"))
                .hint("`postroom journal list` shows all")),
        }
    }
}

impl fmt::Debug for Journals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journals").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What later runs put back of a journal's messages.
struct Back<'a> {
    /// By the number in the journal.
    seqs: HashMap<u64, &'a str>,
    /// From an archive, where equal messages stand for each other.
    identities: HashMap<Identity, (u64, &'a str)>,
}

impl<'a> Back<'a> {
    fn of(undone: &'a [(String, State)]) -> Self {
        let mut back = Self { seqs: HashMap::new(), identities: HashMap::new() };
        for (by, state) in undone {
            for (own, entry) in state.entries().filter(|(_, entry)| entry.is_confirmed()) {
                match state.undoes.get(&own) {
                    Some(seq) => _ = back.seqs.insert(*seq, by.as_str()),
                    None => back.identities.entry(entry.identity).or_insert((0, by.as_str())).0 += 1,
                }
            }
        }
        back
    }

    /// Who put a message back.
    fn take(&mut self, seq: u64, entry: &Entry) -> Option<&'a str> {
        if let Some(by) = self.seqs.get(&seq).copied() {
            return Some(by);
        }
        let (left, by) = self.identities.get_mut(&entry.identity).filter(|(left, _)| *left > 0)?;
        *left -= 1;
        Some(*by)
    }
}

fn summarise(head: &Head, state: &State, running: bool, undone_by: Vec<String>) -> Summary {
    let mut counts = [0_u64; 4];
    for (_, entry) in state.entries() {
        let class = match entry.outcome(head.keep) {
            Outcome::Done => 0,
            Outcome::Failed(_) | Outcome::Unsent(_) => 1,
            Outcome::Ambiguous(_) => 2,
            Outcome::Skipped(_) => 3,
        };
        counts[class] += 1;
    }
    let [done, failed, ambiguous, stays] = counts;
    let finished = state.finished.as_ref();
    Summary {
        schema: SCHEMA.into(),
        id: head.id.clone(),
        verb: head.verb,
        source: head.source.clone(),
        to: head.to.clone(),
        filter: head.filter.clone(),
        group: head.group.clone(),
        rules: head.rules.clone(),
        options: Options::of(head),
        started: head.started,
        ended: finished.map(|(_, _, at)| *at),
        state: match finished {
            _ if running => JournalState::Running,
            _ if !undone_by.is_empty() => JournalState::Undone,
            Some((Ended::Finished, ..)) => JournalState::Finished,
            _ => JournalState::Interrupted,
        },
        why: finished.and_then(|(_, why, _)| why.clone()),
        planned: head.planned,
        done,
        failed,
        unsent: state.unsent(),
        skipped: stays + state.skipped.len() as u64,
        ambiguous,
        doubtful: state.doubts(),
        verification: state.verified.as_deref().cloned(),
        undoes: head.undoes.clone(),
        undone_by,
    }
}

/// Reads head and log; the length is that of the log's intact part.
fn read(folder: &Path) -> Result<(Head, State, u64)> {
    let head = read_head(folder)?;
    let path = folder.join("log.jsonl");
    let mut state = State::default();
    let log = read_file(&path)?;
    let intact = line::read_log(&head.id, &log, |record| state.apply(record))
        .map_err(|error| error.context("file", path.display().to_string()))?;
    Ok((head, state, intact))
}

fn read_head(folder: &Path) -> Result<Head> {
    let path = folder.join("head.json");
    let head: Head = serde_json::from_slice(&read_file(&path)?).map_err(|error| {
        Error::new(
            ErrorKind::Invalid,
            format!("{} is no head of a journal that this postroom knows: {error}", path.display()),
        )
        .hint("where another version of postroom wrote it, use that one to resume it")
    })?;
    if head.schema != SCHEMA {
        return Err(Error::new(ErrorKind::Invalid, format!("{} is not {SCHEMA}", head.schema))
            .context("file", path.display().to_string())
            .hint("it was written by another version of postroom; use that one to resume it"));
    }
    Ok(head)
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|error| read_error(path, error))
}

fn read_error(path: &Path, error: std::io::Error) -> Error {
    let kind = Error::from(std::io::Error::from(error.kind())).kind();
    Error::new(kind, format!("can't read {}", path.display())).because(error)
}

/// Takes a journal's lock for as long as the file lives.
fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let file = private::open(&path, false).map_err(|error| write_error(&path.display().to_string(), error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(Error::new(ErrorKind::Locked, format!("the journal {} is being run", folder.display()))
                .hint("wait until that run has ended, or stop it with Ctrl-C"))
        }
        Err(TryLockError::Error(error)) => Err(write_error(&path.display().to_string(), error)),
    }
}

/// Whether a folder is what is left of a journal whose making was killed: no head, nothing foreign, and not of this minute.
fn is_remains(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else { return false };
    let own = |entry: std::io::Result<fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_str().is_some_and(|name| MAKINGS.contains(&name)))
    };
    // A clock that was set back makes a folder seem to come from the future: then it is not of this minute either.
    let fresh = |path: &Path| {
        let changed = fs::metadata(path).and_then(|about| about.modified()).ok();
        changed.is_some_and(|changed| changed.elapsed().is_ok_and(|age| age < MAKING))
    };
    entries.into_iter().all(own) && !fresh(folder)
}

fn is_locked(folder: &Path) -> bool {
    File::open(folder.join("lock")).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

/// `20260302-101112-x7k2q`: sorts by time, and two runs in one second differ.
fn random_id(now: Timestamp) -> String {
    let time = now.strftime("%Y%m%d-%H%M%S");
    let mut random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), now.as_nanosecond());
    let mut tail = String::new();
    for _ in 0..5 {
        let digit = u32::try_from(random % 32).unwrap_or_default();
        tail.push(char::from_digit(digit, 32).unwrap_or('0'));
        random /= 32;
    }
    format!("{time}-{tail}")
}

/// The log's path of a journal, for tests that damage it.
#[cfg(test)]
pub(super) fn log_path(journals: &Journals, id: &str) -> PathBuf {
    journals.folder.join(id).join("log.jsonl")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Message, hash};
    use crate::operation::journal::record::{Intent, Record};
    use crate::operation::plan::{Pace, Verb};

    fn head() -> Head {
        Head {
            schema: SCHEMA.into(),
            hash: hash::NAME.into(),
            id: String::new(),
            verb: Verb::Replay,
            source: "shop:orders.dlq".into(),
            to: "origin".into(),
            filter: None,
            ages_from: None,
            group: None,
            rules: None,
            mode: Mode::Streaming,
            keep: false,
            again: false,
            rescue: false,
            same_partition: false,
            edit: None,
            send_misfits: false,
            aside: crate::operation::plan::Aside::default(),
            pace: Pace::default(),
            scan: Some(3),
            limit: None,
            planned: 3,
            in_place: true,
            handles: None,
            within: Vec::new(),
            unique_ids: false,
            until: None,
            undoes: None,
            started: "2026-03-02T10:11:12Z".parse().unwrap(),
        }
    }

    fn intend(first: u64, n: usize) -> Record {
        let intent = Intent(Message::default().digest(), "m".into(), 0);
        Record::Intend { first, messages: vec![intent; n] }
    }

    async fn begun(journals: &Journals) -> String {
        let opened = journals.create(head(), None).unwrap();
        let id = opened.head.id.clone();
        opened.writer.note(&Record::Destination { number: 0, address: "shop:orders".into() }).unwrap();
        opened.writer.durable(&intend(1, 3)).await.unwrap();
        assert_eq!(journals.summary(&id).unwrap().state, JournalState::Running);
        assert_eq!(journals.open(&id).unwrap_err().kind(), ErrorKind::Locked);
        opened.writer.close().await;
        id
    }

    #[tokio::test]
    async fn a_journal_is_private_locked_and_listed_newest_first() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path().join("state/journal"));
        assert_eq!(journals.list().unwrap().0, []);
        let first = begun(&journals.clone().ids(|_| "20260302-101112-aaaaa".into())).await;
        let second = begun(&journals.clone().ids(|_| "20260302-101112-bbbbb".into())).await;
        let (summaries, faults) = journals.list().unwrap();
        assert!(faults.is_empty());
        assert_eq!(summaries.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(), [&second, &first]);
        assert_eq!(summaries[0].state, JournalState::Interrupted);
        assert_eq!(summaries[0].ambiguous, 3);
        assert_eq!(journals.newest_unfinished().unwrap(), second);
        assert_eq!(journals.summary("aaaaa").unwrap().id, first);
        assert_eq!(journals.summary("20260302").unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(journals.summary("../journal").unwrap_err().kind(), ErrorKind::NotFound);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&journals.folder.join(&first)), 0o700);
            for name in ["head.json", "log.jsonl", "originals.jsonl", "lock"] {
                assert_eq!(mode(&journals.folder.join(&first).join(name)), 0o600, "{name}");
            }
        }
    }

    #[tokio::test]
    async fn a_summary_tells_all_that_a_run_was_begun_with() {
        use crate::operation::plan::Aside;
        let head = Head {
            filter: Some("a".into()),
            group: Some("g-1".into()),
            rules: Some(crate::message::fingerprint::WrittenRules::default()),
            keep: true,
            again: true,
            rescue: true,
            same_partition: true,
            edit: Some(".".into()),
            send_misfits: true,
            aside: Aside { max_replays: Some(3), ..Aside::default() },
            limit: Some(1),
            undoes: Some("x".into()),
            until: Some(Timestamp::UNIX_EPOCH),
            ages_from: Some(Timestamp::UNIX_EPOCH),
            ..head()
        };
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        let opened = journals.create(head, None).unwrap();
        let json = |value: serde_json::Result<serde_json::Value>| value.unwrap().as_object().unwrap().clone();
        let told = json(serde_json::to_value(journals.summary(&opened.head.id).unwrap()));
        // How the run knows its messages again is nobody's choice.
        let own = ["hash", "scan", "in_place", "handles", "within", "unique_ids", "until", "ages_from"];
        for (name, value) in json(serde_json::to_value(&opened.head)) {
            assert!(own.contains(&name.as_str()) || told.get(&name) == Some(&value), "{name}: {told:?}");
        }
        let typed = journals.summary(&opened.head.id).unwrap().typed();
        assert_eq!(
            typed,
            "--filter a --group g-1 --limit 1 --edit . --max-replays 3 --keep --again --same-partition --rescue \
             --send-misfits"
        );
        opened.writer.close().await;
    }

    #[tokio::test]
    async fn runs_of_one_second_are_listed_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        for (tail, millisecond) in [("bbbbb", 100), ("ccccc", 300), ("aaaaa", 200)] {
            let started: Timestamp = format!("2026-03-02T10:11:12.{millisecond}Z").parse().unwrap();
            let named = journals.clone().ids(move |_| format!("20260302-101112-{tail}"));
            named.create(Head { started, ..head() }, None).unwrap().writer.close().await;
        }
        let (summaries, _) = journals.list().unwrap();
        let tails: Vec<_> = summaries.iter().map(|summary| &summary.id[16..]).collect();
        assert_eq!(tails, ["ccccc", "aaaaa", "bbbbb"]);
    }

    #[tokio::test]
    async fn a_prune_leaves_what_may_be_resumed_and_what_an_unfinished_undo_needs() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        let named = |id: &'static str| journals.clone().ids(move |_| id.into());
        let finish = Record::Finish { at: Timestamp::UNIX_EPOCH, state: Ended::Finished, why: None };
        let run = begun(&named("20260302-101112-run")).await;
        let cut = begun(&named("20260302-101113-cut")).await;
        let undo = Head { undoes: Some(run.clone()), verb: Verb::Undo, ..head() };
        let undo = named("20260302-101114-undo").create(undo, None).unwrap();
        let id = undo.head.id.clone();
        undo.writer.durable(&Record::Run { at: Timestamp::UNIX_EPOCH }).await.unwrap();
        undo.writer.close().await;
        assert_eq!(journals.summary(&run).unwrap().state, JournalState::Undone);
        assert_eq!(journals.prune(Timestamp::MAX, false, false).unwrap(), []);
        let undo = journals.open(&id).unwrap();
        undo.writer.durable(&finish).await.unwrap();
        undo.writer.close().await;
        let ids = |pruned: Vec<Summary>| pruned.into_iter().map(|run| run.id).collect::<Vec<_>>();
        assert_eq!(ids(journals.prune(Timestamp::MAX, false, true).unwrap()), [id.clone(), run.clone()]);
        assert_eq!(ids(journals.prune(Timestamp::MAX, false, false).unwrap()), [id, run]);
        assert_eq!(ids(journals.list().unwrap().0), [cut]);
    }

    #[tokio::test]
    async fn a_torn_tail_is_cut_before_a_resume_writes() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        let id = begun(&journals).await;
        let path = log_path(&journals, &id);
        let whole = fs::read(&path).unwrap();
        let mut torn = whole.clone();
        torn.extend_from_slice(&whole[..40]);
        fs::write(&path, torn).unwrap();
        let opened = journals.open(&id).unwrap();
        assert_eq!(opened.state.last(), 3);
        opened.writer.durable(&Record::End).await.unwrap();
        opened.writer.close().await;
        let shown = journals.show(&id).unwrap();
        assert_eq!(shown.outcomes.len(), 3);
        assert_eq!(shown.outcomes[0].to.as_deref(), Some("shop:orders"));
        assert!(fs::read(&path).unwrap().starts_with(&whole));
    }

    #[tokio::test]
    async fn a_journal_whose_digests_are_of_another_hash_is_listed_and_nobody_goes_on_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        let head = Head { handles: Some("topic".into()), ..head() };
        let opened = journals.create(head, None).unwrap();
        let id = opened.head.id.clone();
        opened.writer.durable(&intend(1, 3)).await.unwrap();
        opened.writer.close().await;
        let path = journals.folder.join(&id).join("head.json");
        let text = fs::read_to_string(&path).unwrap();
        // As a build wrote it that knew of one hash only.
        let old = text.replace("\"hash\": \"sha-256\",", "");
        assert_ne!(old, text);
        fs::write(&path, old).unwrap();
        let known = journals.of_log("topic", None, |_, _, _| panic!("it can't be compared"));
        let errors = [journals.open(&id).unwrap_err(), journals.hold(&id).unwrap_err(), known.unwrap_err()];
        for error in errors {
            assert_eq!(error.kind(), ErrorKind::Refused);
            let what =
                format!("the journal {id} names its messages by blake3, and this postroom knows them by sha-256");
            assert_eq!(error.message(), what);
        }
        assert_eq!(journals.summary(&id).unwrap().ambiguous, 3);
        assert_eq!(journals.show(&id).unwrap().outcomes.len(), 3);
    }

    #[tokio::test]
    async fn a_damaged_journal_is_named_and_the_others_are_listed() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path());
        let good = begun(&journals).await;
        let bad = begun(&journals.clone().ids(|_| "20260302-101112-bad".into())).await;
        let path = log_path(&journals, &bad);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("shop:orders", "shop:ordres")).unwrap();
        let (summaries, faults) = journals.list().unwrap();
        assert_eq!(summaries.len(), 1);
        assert_eq!(summaries[0].id, good);
        assert!(faults[0].message().starts_with("line 1 "), "{:?}", faults[0]);
    }

    #[test]
    fn what_was_killed_before_it_was_made_is_no_journal() {
        let folder = tempfile::tempdir().unwrap();
        let journals = Journals::at(folder.path().join("journal"));
        let whole = journals.create(head(), None).unwrap().head.id;
        let from = folder.path().join("journal").join(&whole);
        // As a kill leaves it at each step: the files come one after the other, and the head last.
        for (index, names) in [&[][..], &["log.jsonl"], &["log.jsonl", ORIGINALS]].into_iter().enumerate() {
            let cut = folder.path().join("journal").join(format!("2026-cut-{index}"));
            fs::create_dir(&cut).unwrap();
            for name in names {
                fs::copy(from.join(name), cut.join(name)).unwrap();
            }
            fs::write(cut.join(UNFINISHED), "{").unwrap();
        }
        let (summaries, faults) = journals.list().unwrap();
        assert_eq!((summaries.len(), faults.len()), (1, 0), "{faults:?}");
        assert!(!from.join(UNFINISHED).exists());
        // One with something of somebody else, one that is being made, and one of this very minute.
        let aged = |name: &str| {
            let path = folder.path().join("journal").join(name);
            if !path.exists() {
                fs::create_dir(&path).unwrap();
            }
            path
        };
        fs::write(aged("notes").join("todo.txt"), "mine").unwrap();
        let making = lock(&aged("2026-making")).unwrap();
        let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(1);
        for name in ["2026-cut-0", "2026-cut-1", "2026-cut-2", "notes", "2026-making"] {
            File::open(aged(name)).unwrap().set_modified(hour_ago).unwrap();
        }
        aged("2026-fresh");
        assert_eq!(journals.clear(true).unwrap(), 3);
        assert_eq!((journals.clear(false).unwrap(), journals.clear(false).unwrap()), (3, 0));
        let mut left: Vec<_> = journals.folders().unwrap();
        left.sort_unstable();
        assert_eq!(left, ["2026-fresh", "2026-making", whole.as_str(), "notes"]);
        drop(making);
    }
}
