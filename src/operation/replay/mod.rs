//! Replay: publish again what a queue holds, then remove it there.

use super::place::Place;
use super::plan::{Mode, Pace};
use super::select::Selection;

/// Where a replay goes.
#[derive(Clone, Debug)]
pub enum ReplayTo {
    /// Each message to where it came from, by its own failure record, on the source's broker.
    Origin,
    /// All to one queue or exchange.
    Place(Box<Place>),
}

/// What to replay.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// Where the messages are.
    pub source: Place,
    /// Where they go.
    pub to: ReplayTo,
    /// Which of them.
    pub selection: Selection,
    /// How many matching messages at most.
    pub limit: Option<u64>,
    /// The source keeps them: a copy.
    pub keep: bool,
    /// Also messages that were replayed before.
    pub again: bool,
    /// The operator agrees that messages a return would destroy are put back as new copies.
    pub rescue: bool,
    /// How fast.
    pub pace: Pace,
    /// Whether every message is named before anything is sent. A queue whose order is not first in, first out is
    /// always planned exactly.
    pub mode: Mode,
}
