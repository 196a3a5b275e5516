//! Drain: archive what a queue holds, then remove it there; or remove it without a copy.

use std::path::PathBuf;

use super::place::Place;
use super::plan::Mode;
use super::select::Selection;

/// Where a drain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrainTo {
    /// A new archive, `.jsonl` or `.jsonl.zst`. An existing file is refused.
    Archive(PathBuf),
    /// Nowhere: the messages are dropped without a copy.
    Discard,
}

/// What to drain.
#[derive(Clone, Debug)]
pub struct DrainRequest {
    /// Where the messages are.
    pub source: Place,
    /// Where they go.
    pub to: DrainTo,
    /// Which of them.
    pub selection: Selection,
    /// How many matching messages at most.
    pub limit: Option<u64>,
    /// The operator agrees that messages a return would destroy are put back as new copies.
    pub rescue: bool,
    /// Whether every message is named before anything is removed. A queue whose order is not first in, first out is
    /// always planned exactly.
    pub mode: Mode,
}
