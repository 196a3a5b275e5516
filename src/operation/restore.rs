//! What an undo puts back: for each copy of a run the message that it was made from.
//!
//! A copy is known by its replay id. Where the journal keeps the original, that is what goes back; else the copy without
//! our marks, which is all that differs. What a drain archived is in the archive as it was. Limits: the journal is locked as
//! long as this lives, so that nobody goes on with the run that is taken back.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead as _, BufReader, Seek as _, SeekFrom};

use super::drain;
use super::journal::record::Identity;
use super::journal::state::{Entry, Stage};
use super::journal::{Held, Journals};
use super::plan::Verb;
use super::replay::headers;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::jsonl::read_line;

/// The messages of a run that is taken back.
#[derive(Debug)]
pub struct Restore {
    pub(super) held: Held,
    /// Where the lines of originals begin.
    lines: HashMap<u64, u64>,
    /// The run archived its messages, and these could not be removed.
    archived: Option<HashSet<Identity>>,
}

impl Restore {
    /// Locks the journal and reads what it knows.
    ///
    /// # Errors
    /// `Locked` while it is run; `Invalid` where it or its originals are damaged.
    pub(super) fn load(journals: &Journals, id: &str) -> Result<Self> {
        let held = journals.hold(id)?;
        let is_archive = held.head.verb == Verb::Drain && !drain::is_to_queue(&held.head.to);
        let stays = held.state.entries().filter(|(_, entry)| entry.stage != Stage::Removed);
        let archived = is_archive.then(|| stays.map(|(_, entry)| entry.identity).collect());
        let lines = find_lines(&held)?;
        Ok(Self { held, lines, archived })
    }

    /// Whether the run moved its messages into an archive.
    pub(super) fn is_archived(&self) -> bool {
        self.archived.is_some()
    }

    /// How many copies of the run may be somewhere.
    pub(super) fn sent(&self) -> u64 {
        let sent = |stage: &Stage| !matches!(stage, Stage::Failed(_) | Stage::Unsent(_));
        self.held.state.entries().filter(|(_, entry)| sent(&entry.stage)).count() as u64
    }

    /// Its number in the run, and the message as it goes back, where it is not the copy itself; else why it stays.
    pub(super) fn restore(&self, message: &Message) -> Result<(Option<u64>, Option<Message>), String> {
        if let Some(stays) = &self.archived {
            return if stays.contains(&Identity::of(message).0) {
                Err("it was archived and not removed from the source, so it is there".into())
            } else {
                Ok((None, None))
            };
        }
        let Held { head, state, .. } = &self.held;
        let seq = headers::seq_of(message, &head.id).ok_or("it is no copy of that run")?;
        let Some(entry) = seq.checked_sub(1).and_then(|at| state.entry(at)) else {
            return Err("the journal does not know it".into());
        };
        let mut original = if let Some(kept) = self.kept(seq, entry).map_err(|error| error.to_string())? {
            kept
        } else {
            let to = state.destinations.get(entry.to as usize);
            let parked = to.is_some() && to == head.aside.park.as_ref();
            let mut original = message.clone();
            headers::unmark(&mut original, head.verb == Verb::Replay && !parked);
            original
        };
        // For this run it is the message that it takes up.
        original.id.clone_from(&message.id);
        original.position = message.position;
        Ok((Some(seq), Some(original)))
    }

    /// The original that is kept of a message, where one is.
    ///
    /// Originals are on record before the messages are. Where a kill came between the two, the number went to whatever was
    /// taken next, and the original is not that message's.
    fn kept(&self, seq: u64, entry: &Entry) -> Result<Option<Message>> {
        let Some(offset) = self.lines.get(&seq) else { return Ok(None) };
        let mut file = open(&self.held)?;
        file.seek(SeekFrom::Start(*offset))?;
        let mut line = Vec::new();
        BufReader::new(file).read_until(b'\n', &mut line)?;
        let kept = read_line(&line)?;
        Ok((Identity::of(&kept).0 == entry.identity).then_some(kept))
    }
}

fn open(held: &Held) -> Result<File> {
    File::open(&held.originals).map_err(|error| {
        Error::new(ErrorKind::Io, format!("can't read the originals {}", held.originals.display())).because(error)
    })
}

/// Where the line of each original begins; of one that was kept twice, the last.
fn find_lines(held: &Held) -> Result<HashMap<u64, u64>> {
    let mut lines = HashMap::new();
    if held.state.originals.is_empty() {
        return Ok(lines);
    }
    let mut file = BufReader::new(open(held)?);
    let mut line = Vec::new();
    for (seqs, offset) in &held.state.originals {
        file.seek(SeekFrom::Start(*offset))?;
        let mut at = *offset;
        for seq in seqs.iter().flat_map(|(first, last)| *first..=*last) {
            line.clear();
            file.read_until(b'\n', &mut line)?;
            if !line.ends_with(b"\n") {
                let what = format!("the originals {} end too early", held.originals.display());
                return Err(Error::new(ErrorKind::Invalid, what));
            }
            lines.insert(seq, at);
            at += line.len() as u64;
        }
    }
    Ok(lines)
}
