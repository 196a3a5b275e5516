//! What of a log is done with: a topic keeps the records that were replayed or drained, so only our journals know.
//!
//! Every run on a log that is no copy writes into its journal which log that was. Together these journals say of each
//! record whether its copy is confirmed, or may be. Limits: journals of other machines, and pruned ones, say nothing.

use std::collections::{BTreeMap, HashMap};

use super::journal::Journals;
use super::journal::record::Identity;
use super::journal::state::Stage;
use super::plan::Verb;
use crate::broker::{Extent, Log};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum How {
    /// A copy may have been sent: an answer was lost, or the run ended before it.
    Unsure,
    /// It is in an archive, was to be dropped, or is back where it was drained from, and stays in the log.
    Drained,
    /// Its copy is confirmed by the target.
    Replayed,
}

/// A record that was handled.
#[derive(Clone, Copy, Debug)]
struct Mark {
    how: How,
    /// Which of the journals.
    journal: usize,
    place: Option<(i32, u64)>,
}

/// The records of one log that earlier runs handled.
#[derive(Clone, Debug, Default)]
pub struct Handled {
    marks: HashMap<Identity, Mark>,
    journals: Vec<(String, Verb)>,
}

impl Handled {
    /// Reads the journals of that log, but for the one that is being resumed.
    ///
    /// # Errors
    /// `Locked` while another run works on the log; `Invalid` for a damaged journal of it: what it did is not known.
    pub(super) fn load(journals: &Journals, log: &str, except: Option<&str>) -> Result<Self> {
        let mut handled = Self::default();
        journals.of_log(log, except, |head, state, running| {
            if running {
                return Err(Error::new(
                    ErrorKind::Locked,
                    format!("{} is being worked on by another run", head.source),
                )
                .hint("wait until that run has ended, or stop it with Ctrl-C")
                .context("journal", head.id.clone()));
            }
            let journal = handled.journals.len();
            handled.journals.push((head.id.clone(), head.verb));
            for (_, entry) in state.entries() {
                let how = match entry.stage {
                    Stage::Confirmed(_) | Stage::Stays(_) | Stage::Removed if head.verb == Verb::Replay => {
                        How::Replayed
                    }
                    Stage::Confirmed(_) | Stage::Stays(_) | Stage::Removed => How::Drained,
                    Stage::Intended | Stage::Ambiguous(_) => How::Unsure,
                    Stage::Failed(_) | Stage::Unsent(_) | Stage::Lost => continue,
                };
                let mark = Mark { how, journal, place: place(&entry.id) };
                let known = handled.marks.entry(entry.identity).or_insert(mark);
                if known.how < how {
                    *known = mark;
                }
            }
            Ok(())
        })?;
        Ok(handled)
    }

    /// Whether nothing was handled.
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Why a message is not sent once more; `None` where nobody sent it.
    pub(super) fn why(&self, message: &Message) -> Option<String> {
        if self.marks.is_empty() {
            return None;
        }
        let mark = self.marks.get(&Identity::of(message).0)?;
        let (journal, verb) = self.journals.get(mark.journal)?;
        let what = match (mark.how, verb) {
            (How::Unsure, _) => "may have been sent",
            (How::Replayed, _) => "was replayed",
            (How::Drained, Verb::Undo) => "was put back",
            (How::Drained, _) => "was drained",
        };
        let next = match mark.how {
            How::Unsure => format!(
                "`postroom journal resume {journal} --doubtful` looks for its copy, and sends it where there is none; --again \
                 sends it in any case"
            ),
            How::Replayed | How::Drained => "--again sends it once more".to_owned(),
        };
        Some(format!("it {what} by {journal}; {next}"))
    }

    /// Whether a target has confirmed a copy of it.
    pub(super) fn is_replayed(&self, identity: Identity) -> bool {
        self.marks.get(&identity).is_some_and(|mark| mark.how == How::Replayed)
    }

    /// What is done with in these extents, and what may be left.
    #[must_use]
    pub fn count(&self, extents: &[Extent]) -> Counts {
        let ends: BTreeMap<i32, Extent> =
            extents.iter().map(|extent| (extent.partition.unwrap_or_default(), *extent)).collect();
        let mut counts = Counts::default();
        for mark in self.marks.values() {
            let Some((partition, offset)) = mark.place else { continue };
            let Some(extent) = ends.get(&partition) else { continue };
            if (extent.first..extent.end).contains(&offset) {
                match mark.how {
                    How::Replayed | How::Drained => counts.handled += 1,
                    How::Unsure => counts.unsure += 1,
                }
            }
        }
        let all: u64 = extents.iter().map(Extent::at_most).sum();
        counts.left = all.saturating_sub(counts.handled + counts.unsure);
        counts
    }
}

/// How far the work on a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records in it whose copy is confirmed or archived.
    pub handled: u64,
    /// Records in it whose copy may have been sent.
    pub unsure: u64,
    /// Records left, at most: offsets have gaps.
    pub left: u64,
}

/// The work on a log so far, for a screen; `None` where nothing was done, or the journals do not tell.
#[must_use]
pub fn so_far(journals: &Journals, log: &Log) -> Option<Counts> {
    let handled = Handled::load(journals, &log.identity, None).ok()?;
    Some(handled.count(&log.extents)).filter(|counts| counts.handled + counts.unsure > 0)
}

/// A position as a record's id has it: `partition:offset`.
fn place(id: &str) -> Option<(i32, u64)> {
    let (partition, offset) = id.split_once(':')?;
    Some((partition.parse().ok()?, offset.parse().ok()?))
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = crate::text::human::count;
        write!(f, "{} handled, at most {} left", count(self.handled), count(self.left))?;
        if self.unsure > 0 {
            write!(f, ", {} that may have been sent", count(self.unsure))?;
        }
        Ok(())
    }
}
