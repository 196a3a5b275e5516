//! Whose turn it is: which messages this pass takes up, and which are left to the next one: those that go first have a
//! pass of their own, and of one key some may have to wait for others.
//!
//! What is known of keys from one pass to the next is the [`Course`]'s; here is what one pass adds. Limits: without a
//! field for keys, and without any that go first, every message may go at any time.

use std::collections::{HashMap, HashSet};

use crate::broker::Delivery;
use crate::operation::course::{Admit, Course, Key, Sequence};
use crate::operation::journal::record::Identity;
use crate::operation::journal::state::State;
use crate::operation::plan::Plan;

/// The keys of one pass.
pub(super) struct Turns {
    pub(super) course: Course,
    /// Those that go first, by how many of each are still to come; `None` where this pass takes up others, too.
    first: Option<HashMap<Identity, u64>>,
    /// In which order the messages of each key are sent.
    sequence: Sequence,
    /// The keys of which this pass has taken up a message, where it takes up one of each.
    taken: Option<HashSet<Key>>,
    /// A message was left to the next pass.
    deferred: bool,
}

impl Turns {
    /// Of each key one message where it is `one_a_key`, else as many as come in the plan's order.
    pub(super) fn new(course: Course, plan: Option<&Plan>, state: &State, one_a_key: bool) -> Self {
        let sequence = course.sequence(plan, state);
        let first = course.first(plan, state);
        Self { course, first, sequence, taken: one_a_key.then(HashSet::new), deferred: false }
    }

    /// Whether this pass takes up a message. One whose key goes no further is: its turn is to be held back.
    pub(super) fn takes_up(&mut self, key: Option<Key>, identity: Identity) -> bool {
        if let Some(first) = &mut self.first {
            let Some(count) = first.get_mut(&identity).filter(|count| **count > 0) else {
                self.deferred = true;
                return false;
            };
            *count -= 1;
        }
        let Some(key) = key else { return true };
        if matches!(self.course.admit(Some(key)), Admit::Held(_)) {
            return true;
        }
        let one_was = self.taken.as_ref().is_some_and(|taken| taken.contains(&key));
        if !one_was && self.sequence.is_next(key, identity) {
            return true;
        }
        self.sequence.defer(key, identity);
        self.deferred = true;
        false
    }

    /// A message is going to be sent.
    pub(super) fn took(&mut self, key: Option<Key>) {
        if let (Some(taken), Some(key)) = (&mut self.taken, key) {
            taken.insert(key);
        }
    }

    /// Whether some messages are left to the next pass.
    pub(super) fn has_deferred(&self) -> bool {
        self.deferred
    }

    /// The source was read to its end: what did not come before the messages that came too early is not there.
    pub(super) fn missed(&mut self) {
        self.course.missed(&mut self.sequence);
    }

    /// The key of a delivery.
    pub(super) fn key(&self, delivery: &Delivery) -> Option<Key> {
        self.course.key(&delivery.message)
    }
}
