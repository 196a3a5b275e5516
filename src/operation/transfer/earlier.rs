//! What earlier passes of a run left open: taken up at the start, and settled or given up at the end of the source.

use std::collections::HashMap;

use super::Mover;
use super::pick::Leftovers;
use super::settle::Confirmed;
use crate::broker::Delivery;
use crate::error::Result;
use crate::operation::journal::record::{Cause, Identity, Left, Record, ranges};
use crate::operation::journal::state::{LOST, RENEWED, Stage, State, TWICE};
use crate::operation::report::Outcome;

/// What is said of a message that the plan names and the queue no longer has.
const MISSING: &str = "it is no longer in the queue";

/// A message of an earlier run.
pub(super) struct Open {
    pub(super) id: String,
    pub(super) to: u32,
    pub(super) twice: bool,
    pub(super) outcome: Outcome,
}

impl Mover<'_> {
    /// Counts what the journal says of earlier passes, and takes up what they left open.
    pub(super) fn take_up(&mut self, state: &State, keep: bool) {
        for Left(_, id, why, _) in &state.skipped {
            self.tally.add(id, 0, None, &Outcome::Skipped(why.clone()));
        }
        for (seq, entry) in state.entries() {
            let outcome = entry.outcome(keep);
            let is_open = match entry.stage {
                Stage::Intended | Stage::Unsent(_) => true,
                Stage::Confirmed(_) | Stage::Stays(_) => !keep,
                Stage::Removed => state.doubted.contains(&seq),
                _ => false,
            };
            if is_open {
                let open = Open { id: entry.id.clone(), to: entry.to, twice: entry.twice, outcome };
                self.open.insert(seq, open);
            } else {
                let to = state.destinations.get(entry.to as usize).map(String::as_str);
                self.tally.add(&entry.id, seq, to, &outcome);
            }
        }
    }

    /// Whether an earlier run certainly did not send a message.
    pub(super) fn is_unsent(&self, seq: u64) -> bool {
        self.open.get(&seq).is_some_and(|open| matches!(open.outcome, Outcome::Unsent(_)))
    }

    /// A message of an earlier run that can't be sent now. One that may have been sent stays what it was; the others are
    /// no matter for the next resume.
    pub(super) fn give_up(&mut self, seq: u64, why: String) -> Result<()> {
        if !self.is_unsent(seq) {
            return Ok(());
        }
        self.finish_open(seq, |_| Outcome::Failed(why.clone()));
        let failed = vec![(seq, why)];
        self.writer.note(&Record::Confirm { done: Vec::new(), failed, ambiguous: Vec::new(), unsent: Vec::new() })
    }

    /// A message whose copy an earlier run has confirmed.
    pub(super) fn remove(&mut self, seq: u64, delivery: &Delivery) {
        if let Some(open) = self.open.get(&seq) {
            let confirmed = Confirmed { token: delivery.token, id: open.id.clone(), to: open.to, twice: open.twice };
            self.confirmed.insert(seq, confirmed);
        }
    }

    /// Messages that an earlier run has removed without a record of it.
    pub(super) fn gone(&mut self, seqs: &[u64]) -> Result<()> {
        if seqs.is_empty() {
            return Ok(());
        }
        for seq in seqs {
            self.finish_open(*seq, |open| if open.twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done });
        }
        self.writer.note(&Record::Removed { done: ranges(seqs.iter().copied()), failed: Vec::new(), there: Vec::new() })
    }

    /// Messages of an earlier run whose copies are confirmed, not met again though others were met as new copies.
    pub(super) fn renewed(&mut self, seqs: &[u64]) -> Result<()> {
        for seq in seqs {
            self.finish_open(*seq, |_| Outcome::Ambiguous(RENEWED.into()));
        }
        let failed = seqs.iter().map(|seq| (*seq, RENEWED.to_owned())).collect();
        self.writer.note(&Record::Removed { done: Vec::new(), failed, there: Vec::new() })
    }

    fn finish_open(&mut self, seq: u64, outcome: impl FnOnce(&Open) -> Outcome) {
        if let Some(open) = self.open.remove(&seq) {
            let outcome = outcome(&open);
            self.outcome(seq, &open.id, Some(open.to), &outcome);
        }
    }

    /// Draws the conclusions from having read the source to its end. Whether that gave more to do.
    pub(super) fn conclude(&mut self) -> bool {
        let leftovers = if self.cut.is_some() || self.paused { Leftovers::default() } else { self.picker.end() };
        let Leftovers { retry, removed, lost, missing } = leftovers;
        let waiting: Vec<_> = retry.iter().filter_map(|seq| Some((*seq, self.waiting.remove(seq)?))).collect();
        self.late.extend(waiting);
        let mut done = if self.rescued { self.renewed(&removed) } else { self.gone(&removed) };
        if !lost.is_empty() {
            for seq in &lost {
                self.finish_open(*seq, |_| Outcome::Ambiguous(LOST.into()));
            }
            done = done.and(self.writer.note(&Record::Lost { seqs: ranges(lost) }));
        }
        done = done.and(self.missing(missing.into_iter().collect()));
        if let Err(error) = done {
            self.halt(error);
        }
        !self.late.is_empty()
    }

    /// Messages that the plan names and the queue no longer has.
    fn missing(&mut self, mut missing: HashMap<Identity, u64>) -> Result<()> {
        let Some(plan) = self.plan.take().filter(|_| !missing.is_empty()) else { return Ok(()) };
        let mut left = Vec::new();
        // From the back: the first copies are those that were found.
        for message in plan.messages.iter().rev() {
            if let Some(count) = missing.get_mut(&Identity::new(message.digest, &message.id)).filter(|n| **n > 0) {
                *count -= 1;
                self.outcome(0, &message.id, None, &Outcome::Skipped(MISSING.into()));
                left.push(Left(message.digest, message.id.clone(), MISSING.into(), Cause::Itself));
            }
        }
        self.writer.note(&Record::Skip { messages: left })
    }
}
