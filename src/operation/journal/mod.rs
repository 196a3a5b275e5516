//! The journal: an append-only record of a plan being run, so that a kill at any moment loses nothing.
//!
//! A journal is a folder of its own, 0700 with files 0600:
//!
//! | file | holds |
//! |---|---|
//! | `head.json` | what was to be done, without secrets |
//! | `plan.json` | the exact plan, where there is one |
//! | `log.jsonl` | one record a line with its checksum: intents, confirmations, removals |
//! | `originals.jsonl` | messages whose copies do not tell all that they were, for an undo; an archive that can be browsed |
//! | `lock` | locked while a run writes, so that two runs can't touch one journal |
//!
//! The order of a move: the intent is on disk -> publish -> confirmed -> the confirmation is on disk -> remove ->
//! recorded. The newest intended message is never removed before a newer one is intended or the end is recorded: it is
//! the mark by which a resume tells what stood before the kill from what stands behind it (`transfer::pick`).
//!
//! Limits: of most messages a journal knows ids and digests only; originals are kept of those that were edited, stripped,
//! converted, or sent to another kind of broker, up to 1 GiB a journal. `journal prune` removes them.

mod line;
pub(crate) mod record;
pub(crate) mod state;
mod store;
pub(crate) mod writer;

use jiff::Timestamp;
use serde::Serialize;

use super::options::Options;
use super::plan::Verb;
use super::report::OutcomeLine;
use super::verify::Verification;
use crate::message::fingerprint::WrittenRules;

pub use record::Head;
pub(crate) use store::Held;
pub use store::{Journals, Opened};
pub use writer::LogFile;

/// The schema's name.
pub const SCHEMA: &str = "postroom.journal/1";

/// How far a journal's run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JournalState {
    /// Somebody holds its lock.
    Running,
    /// It went through everything planned.
    Finished,
    /// It was stopped, failed or killed: a resume finishes it.
    Interrupted,
    /// A later run took it back, as far as that was possible.
    Undone,
}

/// One journal: a `postroom.journal/1` object.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// `postroom.journal/1`.
    pub schema: String,
    /// Its id: sortable by time.
    pub id: String,
    /// The verb.
    pub verb: Verb,
    /// Where the messages were.
    pub source: String,
    /// Where they went: `origin`, `discard`, or an address.
    pub to: String,
    /// The filter as typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The group asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rules by which filter and group are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<WrittenRules>,
    /// What else it was begun with.
    #[serde(flatten)]
    pub options: Options,
    /// When it began.
    pub started: Timestamp,
    /// When its last run ended; `None` where it was killed.
    pub ended: Option<Timestamp>,
    /// How far it is.
    pub state: JournalState,
    /// Why its last run stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// How many messages the plan acts on, at most.
    pub planned: u64,
    /// Done.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Those of them that were not sent because a broker was away: `journal resume` sends them.
    pub unsent: u64,
    /// Skipped.
    pub skipped: u64,
    /// Ambiguous.
    pub ambiguous: u64,
    /// Those of them that may have been sent: `journal resume --doubtful` looks for their copies.
    pub doubtful: u64,
    /// What was last seen of the copies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// The journal whose run this one took back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// The journals of the runs that took this one back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undone_by: Vec<String>,
}

/// A journal with what became of each message.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The summary.
    pub summary: Summary,
    /// One line per message that the run took up, in order; then those it left alone.
    pub outcomes: Vec<OutcomeLine>,
}
