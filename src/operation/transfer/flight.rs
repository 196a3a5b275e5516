//! What is under way: messages that wait for their batch, batches in their steps, and what comes of these.
//!
//! Batches are begun in the order of the messages; a batch is as large as pace, journal and what may be in flight allow.

use std::collections::{BTreeMap, VecDeque};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::Mover;
use super::carry::{self, Carrier, Item, Sent, Step};
use super::settle::Confirmed;
use crate::error::Result;
use crate::message::Message;
use crate::operation::course::{Admit, Key};
use crate::operation::journal::record::{Cause, Left, Record};
use crate::operation::journal::state::TWICE;
use crate::operation::report::Outcome;

/// Bytes in one batch at most, but for a single larger message.
const BATCH_BYTES: u64 = 8 << 20;
/// Messages of a run's first batch; each one after it may be twice as large. What stops a run at once, or kills it again
/// and again, so leaves few messages in doubt, and a run that gets anywhere gets on.
const FIRST_BATCH: usize = 64;

/// Messages and batches on their way to their copies.
pub(super) struct Flight {
    pending: VecDeque<Item>,
    pending_bytes: u64,
    pub(super) steps: FuturesUnordered<BoxFuture<'static, Step>>,
    /// Batches begun so far.
    started: u64,
    /// Batches whose intents are on disk, by number, until the ones before them are.
    intended: BTreeMap<u64, Vec<Item>>,
    /// The number of the next batch to publish.
    next: u64,
    /// A batch is being written into the archive.
    storing: bool,
    /// How many copies may be sent and not confirmed, and how many are.
    most: u64,
    sent: u64,
}

impl Flight {
    /// At most so many copies are sent and not confirmed.
    pub(super) fn new(most: Option<u64>) -> Self {
        Self {
            pending: VecDeque::new(),
            pending_bytes: 0,
            steps: FuturesUnordered::new(),
            started: 0,
            intended: BTreeMap::new(),
            next: 0,
            storing: false,
            most: most.unwrap_or(u64::MAX),
            sent: 0,
        }
    }

    /// One more waits for its batch: behind those that vanish no later, where that is known.
    pub(super) fn push(&mut self, item: Item) {
        self.pending_bytes += item.message.size();
        let Some(end) = item.vanishes else { return self.pending.push_back(item) };
        let place = self.pending.partition_point(|other| other.vanishes.is_some_and(|its| its <= end));
        self.pending.insert(place, item);
    }

    /// Nothing that waits is begun any more.
    pub(super) fn clear(&mut self) {
        self.pending.clear();
        self.pending_bytes = 0;
    }

    /// Whether messages wait for their batch.
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// How many more may wait; 0 where those that wait are large.
    pub(super) fn room(&self, batch: usize) -> usize {
        if self.pending_bytes < BATCH_BYTES { batch.saturating_sub(self.pending.len()) } else { 0 }
    }

    /// How many messages the next batch may have.
    fn batch(&self, most: usize) -> usize {
        let doublings = u32::try_from(self.started).unwrap_or(u32::MAX);
        FIRST_BATCH.checked_shl(doublings).filter(|most| *most > 0).unwrap_or(usize::MAX).min(most)
    }
}

impl Mover<'_> {
    /// How many messages make a batch: three of them are on their way where the targets bear only so many.
    pub(super) fn batch(&self) -> usize {
        let third = |most: u64| usize::try_from(most.div_ceil(3)).unwrap_or(usize::MAX).max(1);
        self.carrier.in_flight().map_or(self.control.batch, |most| self.control.batch.min(third(most)))
    }

    /// Starts the next batch, where it is its turn.
    pub(super) fn dispatch(&mut self) {
        if self.stop.is_some() {
            self.flight.clear();
        }
        // A small batch waits for more while others are under way.
        let most = self.flight.batch(self.batch());
        let few = self.flight.pending.len() < most / 2 && self.flight.pending_bytes < BATCH_BYTES / 2;
        let wait = few && !self.ended && !self.flight.steps.is_empty();
        let busy = self.flight.storing || self.flight.steps.len() >= self.carrier.under_way();
        if self.flight.pending.is_empty() || wait || self.throttle.is_waiting() || busy {
            return;
        }
        let bound = self.flight.most.min(self.carrier.in_flight().unwrap_or(u64::MAX));
        let room = usize::try_from(bound.saturating_sub(self.flight.sent)).unwrap_or(usize::MAX);
        let most = self.throttle.batch(most).min(room);
        let mut batch = Vec::with_capacity(self.flight.pending.len().min(most));
        let mut bytes = 0;
        let mut waiting = Vec::new();
        while batch.len() < most
            && (batch.is_empty() || bytes < BATCH_BYTES)
            && let Some(mut item) = self.flight.pending.pop_front()
        {
            match self.turns.course.admit(item.key) {
                Admit::Wait => waiting.push(item),
                Admit::Held(why) => {
                    self.flight.pending_bytes = self.flight.pending_bytes.saturating_sub(item.message.size());
                    if let Err(error) = self.hold_back(item, why) {
                        self.halt(error);
                        return;
                    }
                }
                Admit::Go => {
                    if !item.again {
                        self.last += 1;
                        item.seq = self.last;
                    }
                    self.turns.course.sends(item.seq, item.key);
                    if let (Carrier::Publish { witness: Some(witness), .. }, Some(group)) = (&self.carrier, item.group)
                    {
                        witness.original(item.seq, group);
                    }
                    bytes += item.message.size();
                    batch.push(item);
                }
            }
        }
        // What waits for one of its key stands before what was not looked at.
        for item in waiting.into_iter().rev() {
            self.flight.pending.push_front(item);
        }
        self.flight.pending_bytes = self.flight.pending_bytes.saturating_sub(bytes);
        if batch.is_empty() {
            return;
        }
        self.flight.sent += batch.len() as u64;
        self.throttle.spend(batch.len());
        match self.carrier.start(self.flight.started, batch, &self.writer, &mut self.recorded) {
            Ok(step) => {
                self.flight.started += 1;
                self.flight.storing = self.carrier.one_by_one();
                self.flight.steps.push(step);
            }
            Err(error) => self.halt(error),
        }
    }

    /// A message stays: what comes behind it of its key stays, too, but for one that an earlier run has sent.
    pub(super) fn hold_up(&self, key: Option<Key>, message: &Message) {
        if let Carrier::Publish { routes, .. } = &self.carrier
            && !routes.is_done_with(message)
        {
            self.turns.course.holds(key, &message.id);
        }
    }

    /// One that can't go before another of its key, which stays.
    fn hold_back(&mut self, item: Item, why: String) -> Result<()> {
        self.leave(item.token);
        if item.again {
            return self.give_up(item.seq, why);
        }
        let id = item.message.id;
        self.outcome(0, &id, None, &Outcome::Skipped(why.clone()));
        self.writer.note(&Record::Skip { messages: vec![Left(item.digest, id, why, Cause::Behind)] })
    }

    pub(super) fn on_step(&mut self, step: Step) {
        self.flight.storing &= !matches!(step, Step::Stored(..));
        match step {
            Step::Intended(number, batch, Ok(())) => {
                self.on_disk(batch.iter().map(|item| item.seq).max());
                self.flight.intended.insert(number, batch);
                // Intents get on disk in groups, and their news can overtake each other: the batches must not.
                while let Some(batch) = self.flight.intended.remove(&self.flight.next) {
                    self.flight.next += 1;
                    self.flight.steps.push(self.carrier.publish(batch));
                }
            }
            Step::Stored(batch, Ok(offset)) => {
                self.flight.steps.push(carry::record_stored(batch, offset, &self.writer));
            }
            // Nothing of the batch was sent: the originals are held, and returned at the close.
            Step::Intended(_, _, Err(error)) | Step::Stored(_, Err(error)) => self.halt(error),
            Step::Sent(sent, fatal) => {
                if let Some(error) = fatal {
                    self.halt(error);
                }
                self.flight.steps.push(carry::record_sent(sent, &self.writer));
            }
            Step::Recorded(sent, recorded) => self.on_recorded(sent, recorded),
        }
        let (done, noted) = self.tally.counts();
        self.meter.set(done, noted, None);
    }

    /// Takes note of the newest number that the journal has on disk.
    fn on_disk(&mut self, newest: Option<u64>) {
        if let Some(newest) = newest.filter(|newest| *newest > self.durable) {
            self.durable = newest;
            self.released = false;
        }
    }

    fn on_recorded(&mut self, sent: Vec<Sent>, recorded: Result<()>) {
        let failed = recorded.err();
        if failed.is_none() && matches!(self.carrier, Carrier::Archive { .. } | Carrier::Discard { .. }) {
            self.on_disk(sent.iter().map(|sent| sent.seq).max());
        }
        self.flight.sent = self.flight.sent.saturating_sub(sent.len() as u64);
        for Sent { seq, token, id, to, twice, outcome } in sent {
            let stops = match &outcome {
                Outcome::Done => {
                    self.turns.course.arrived(seq);
                    None
                }
                Outcome::Failed(why) | Outcome::Unsent(why) | Outcome::Skipped(why) | Outcome::Ambiguous(why) => {
                    self.turns.course.failed(seq, &id, why)
                }
            };
            if let Some(error) = stops {
                self.halt(error);
            }
            // Taken out in any case: what stays in it is counted once more at the close.
            let before = self.open.remove(&seq).is_some_and(|open| open.twice);
            let twice = twice || before;
            if let Some(prefix) = &mut self.prefix {
                prefix.sent(token);
            }
            if outcome != Outcome::Done {
                self.leave(token);
            }
            let arrived = if twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done };
            match (outcome, &failed) {
                (Outcome::Done, None) if !self.keep => {
                    self.witness(seq);
                    self.confirmed.insert(seq, Confirmed { token, id, to, twice });
                }
                (Outcome::Done, _) if self.keep => {
                    self.witness(seq);
                    self.outcome(seq, &id, Some(to), &arrived);
                }
                (Outcome::Done, _) => {
                    let why = "its copy is confirmed; the original was kept, for the journal can't be written";
                    self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why.into()));
                }
                (Outcome::Failed(why) | Outcome::Unsent(why), _) if twice => {
                    let why = format!("an earlier try may have arrived; the last one failed: {why}");
                    self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why));
                }
                (outcome, _) => self.outcome(seq, &id, Some(to), &outcome),
            }
        }
        if let Some(error) = failed {
            self.halt(error);
        }
    }
}
