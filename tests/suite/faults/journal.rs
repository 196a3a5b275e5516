//! The journal's own disk failing, the power going, and Ctrl-C: at each write and each sync of its log.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex};

use postroom::operation::journal::{Journals, LogFile};
use postroom::operation::report::Ended;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Case, What, World, cases};

/// What happens at the nth event of a log.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trouble {
    /// The disk is full from then on.
    Full,
    /// The process is killed: what was written stays written.
    Killed,
    /// The power goes: what was not synced is gone.
    PowerLost,
    /// The operator presses Ctrl-C.
    Cancelled,
}

#[derive(Default)]
struct Script {
    events: u64,
    due: u64,
    struck: bool,
    synced: u64,
    length: u64,
}

#[derive(Clone)]
pub(super) struct Probe {
    trouble: Trouble,
    script: Arc<Mutex<Script>>,
    killed: Arc<Notify>,
    cancel: CancellationToken,
}

struct Log {
    file: File,
    probe: Probe,
    /// Its length counts; that of the originals is in the log.
    has_due: bool,
}

impl Probe {
    pub(super) fn new(trouble: Trouble, due: u64) -> Self {
        let script = Arc::new(Mutex::new(Script { due, ..Script::default() }));
        Self { trouble, script, killed: Arc::default(), cancel: CancellationToken::new() }
    }

    /// These journals, of which each line and each sync is an event.
    pub(super) fn watch(&self, journals: Journals) -> Journals {
        let probe = self.clone();
        journals.log_files(move |path: &Path, file| {
            let has_due = path.ends_with("log.jsonl");
            Box::new(Log { file, probe: probe.clone(), has_due })
        })
    }

    /// Waits until the process is killed.
    pub(super) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// Whether the trouble came.
    pub(super) fn struck(&self) -> bool {
        self.script.lock().unwrap().struck
    }

    /// Counts an event; an error where the log can't be written any more.
    fn event(&self) -> io::Result<()> {
        let mut script = self.script.lock().unwrap();
        script.events += 1;
        let first = script.events == script.due;
        script.struck |= first;
        if !script.struck {
            return Ok(());
        }
        match self.trouble {
            Trouble::Cancelled => {
                self.cancel.cancel();
                Ok(())
            }
            Trouble::Full => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device")),
            Trouble::Killed | Trouble::PowerLost => {
                self.killed.notify_one();
                Err(io::Error::other("killed"))
            }
        }
    }
}

impl LogFile for Log {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        // How many lines are written together is chance: a kill comes before or in the middle of each of them. A full
        // disk takes a part of one.
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let done = self.probe.event();
            let part = line.split_at(if done.is_ok() { line.len() } else { line.len() / 2 }).0;
            self.file.write_all(part)?;
            if self.has_due {
                self.probe.script.lock().unwrap().length += part.len() as u64;
            }
            done?;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.probe.event()?;
        let mut script = self.probe.script.lock().unwrap();
        if self.has_due {
            script.synced = script.length;
        }
        Ok(())
    }
}

/// Runs a case with the trouble at its nth event, and resumes. Whether it happened.
async fn attempt(case: Case, trouble: Trouble, due: u64) -> bool {
    let world = World::new(case);
    let probe = Probe::new(trouble, due);
    let journals = probe.watch(world.journals());
    let control = world.control().cancel(probe.cancel.clone());
    let done = {
        let act = world.act_with(&journals, &control);
        tokio::select! {
            biased;
            () = probe.killed() => None,
            done = act => Some(done),
        }
    };
    let struck = probe.struck();
    let told = format!("{case:?} {trouble:?} at event {due}: {:?}", done.as_ref().map(|d| d.as_ref().map(|r| r.state)));
    if done.is_none() {
        world.memory.disconnect();
    }
    world.let_go().await;
    if trouble == Trouble::PowerLost && struck {
        let log = world.journals().folder().join(World::JOURNAL).join("log.jsonl");
        let synced = probe.script.lock().unwrap().synced;
        File::options().write(true).open(log).unwrap().set_len(synced).unwrap();
    }
    world.check_now(&told);
    match (trouble, &done) {
        (Trouble::Full, Some(Ok(report))) if struck => {
            assert_eq!(report.state, Ended::Stopped, "{told}");
            let error = report.error.as_ref().unwrap();
            assert!(error.message.contains("no space left"), "{told} {error:?}");
        }
        (Trouble::Cancelled, Some(Ok(report))) => {
            assert!(matches!(report.state, Ended::Interrupted | Ended::Finished), "{told} {report:#?}");
            assert_eq!((report.failed, report.ambiguous), (0, 0), "{told} {report:#?}");
        }
        _ => {}
    }
    world.resume().await;
    world.check(&told).await;
    if case.verb == What::Drain {
        check_lengths(&world, &told);
    }
    if trouble == Trouble::Cancelled {
        let all = world.copies().await;
        assert_eq!(all.len(), world.wanted().len(), "{told}: {all:?}");
    }
    struck
}

/// Runs this until it is over or killed, and what a dead process holds is given back.
async fn until_killed<T>(world: &World, probe: &Probe, work: impl Future<Output = T>) {
    tokio::select! {
        biased;
        () = probe.killed() => {}
        _ = Box::pin(work) => {}
    }
    world.memory.disconnect();
    world.let_go().await;
}

/// Runs a case with a kill at an event of its journal, and its resume with a kill at another. Whether each of them came.
async fn killed_twice(case: Case, first: u64, second: u64) -> (bool, bool) {
    let world = World::new(case);
    let (run, again) = (Probe::new(Trouble::Killed, first), Probe::new(Trouble::Killed, second));
    let journals = run.watch(world.journals());
    until_killed(&world, &run, world.act(&journals)).await;
    let told = format!("{case:?} killed at event {first} of its journal, then at {second}");
    world.check_now(&told);
    until_killed(&world, &again, world.resume_once(&again.watch(world.journals()))).await;
    world.check_now(&told);
    world.resume().await;
    world.check_after(&told, 2).await;
    if case.verb == What::Drain {
        check_lengths(&world, &told);
    }
    (run.struck(), again.struck())
}

/// Each length of the archive is on record once. Two lines of one length would be half of the truth where a kill comes
/// between them: a resume keeps what the length covers, and archives once more what the second would have named.
fn check_lengths(world: &World, told: &str) {
    let log = std::fs::read_to_string(world.journals().folder().join(World::JOURNAL).join("log.jsonl")).unwrap();
    let records = log.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let lengths: Vec<u64> = records
        .filter_map(|line| {
            let record = &line["rec"];
            record.get("stored").or_else(|| record.get("stored_again"))?["offset"].as_u64()
        })
        .collect();
    assert!(lengths.is_sorted_by(|a, b| a < b), "{told}: {lengths:?}\n{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_trouble_with_the_journal_loses_a_message_or_hides_a_duplicate() {
    for case in cases().into_iter().filter(Case::is_classic) {
        for trouble in [Trouble::Full, Trouble::Killed, Trouble::PowerLost, Trouble::Cancelled] {
            let mut due = 1;
            while Box::pin(attempt(case, trouble, due)).await {
                due += 1;
            }
            assert!(due > 3, "{case:?} {trouble:?} struck only {} times", due - 1);
            assert!(case.verb != What::Replay || due > 5, "{case:?} {trouble:?}");
        }
    }
}

// The clock goes on by itself where all wait for it: a resume waits for what a dead run may still hold.
#[tokio::test(start_paused = true)]
async fn a_kill_in_the_journal_and_another_in_that_of_the_resume_lose_nothing_and_hide_no_duplicate() {
    for case in cases().into_iter().filter(Case::is_classic) {
        let mut first = 1;
        let mut most = 0;
        loop {
            let mut second = 1;
            let struck = loop {
                let (run, again) = Box::pin(killed_twice(case, first, second)).await;
                if !again {
                    break run;
                }
                second += 1;
            };
            if !struck {
                break;
            }
            most = most.max(second - 1);
            // Every third is enough here: each is tried alone above.
            first += 3;
        }
        assert!(first > 6 && most > 3, "{case:?}: killed only up to {first}, and at most {most} times in a resume");
    }
}
