//! Looks and takes: messages are held by leases, a look releases all of them, a take what was not removed.
//!
//! The end is where long polls bring nothing and SQS counts nothing: SQS has no cursor and no exact total, so what was
//! seen is told against its estimate. What arrives meanwhile is known by the time at which SQS took it, so that a read of a
//! queue that goes on filling has an end. Limits: a message keeps that time when it dies, so one that comes into a
//! dead-letter queue meanwhile can't be told from those that were there. Of a message group only what SQS gives before
//! the first is removed is seen.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::Message as Raw;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::convert;
use super::facts::Facts;
use super::feed::{Fed, Feed};
use super::leases::{Leases, Met};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, Progress, Reader, Settle, TakeOptions, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::{Prefilter, RawParts};
use crate::text::human;

/// Bytes that may be held where the options say nothing.
const MEMORY: u64 = 64 << 20;
/// Long polls without a message before SQS is asked what it counts.
const EMPTIES: u32 = 2;
/// How long to wait before it is asked whether a receive is still under way.
const MOMENT: Duration = Duration::from_millis(20);
/// After so long without an answer, all receives under way have ended.
const QUIET: Duration = Duration::from_secs(3);
/// How long a take waits for its caller to settle something, where only that makes room for more.
const STALLED: Duration = Duration::from_mins(5);
/// How often SQS's estimate may promise messages that no long poll brings.
const PROMISES: u32 = 5;
/// Receives one after the other that bring only arrivals, after which nothing else is expected.
const STALE: u32 = 48;
/// How much later than a read's end of time a message may have been sent and still belong to it: clocks differ, and what
/// was sent right before must not be left out.
const GRACE: SignedDuration = SignedDuration::from_secs(2);

/// A look or a take.
pub(super) struct SqsRead {
    shared: Arc<Shared>,
    facts: Facts,
    feed: Feed,
    leases: Arc<Leases>,
    address: Arc<str>,
    takes: bool,
    limit: Option<u64>,
    prefilter: Option<Prefilter>,
    /// What was sent later, by SQS's clock, is an arrival.
    bound: Timestamp,
    /// Arrivals are not delivered.
    strict: bool,
    /// How many of them are held.
    arrivals: u64,
    /// Receives since one last brought something else than arrivals.
    stale: u32,
    cancel: CancellationToken,
    /// Until when messages that an earlier run holds, or whose receive was lost, may come back.
    reclaim: Option<Instant>,
    progress: Progress,
    waiting: VecDeque<Delivery>,
    /// Given out, and neither removed nor returned.
    given: HashSet<u64>,
    /// When the caller last took or settled something.
    moved: Instant,
    /// More would be in flight than SQS allows.
    full: bool,
    /// Something was removed since a worker was last told to ask again for lack of room.
    removed: bool,
    /// Removed, and delivered all the same.
    again: Vec<u64>,
    /// How many of them there were, and how many were removed again.
    came_again: (usize, usize),
    empties: u32,
    promises: u32,
    throttled: u64,
    end: Option<End>,
    closed: Option<Closed>,
    notes: Vec<String>,
}

impl SqsRead {
    /// A look.
    pub(super) fn browse(shared: &Arc<Shared>, facts: Facts, options: BrowseOptions) -> Self {
        let BrowseOptions { limit, prefilter, rescue, memory, cancel, .. } = options;
        let take = TakeOptions { limit, prefilter, rescue, memory, cancel, ..TakeOptions::default() };
        Self::open(shared, facts, take, false)
    }

    /// A take.
    pub(super) fn take(shared: &Arc<Shared>, facts: Facts, options: TakeOptions) -> Self {
        Self::open(shared, facts, options, true)
    }

    fn open(shared: &Arc<Shared>, facts: Facts, options: TakeOptions, takes: bool) -> Self {
        // A take goes through so many, a look delivers so many: with a prefilter it has to see more.
        let exact = takes || options.prefilter.is_none();
        let wanted = options.limit.filter(|_| exact).unwrap_or(u64::MAX);
        let expected = facts.visible() + facts.in_flight();
        let memory = options.memory.unwrap_or(MEMORY);
        let leases = Leases::start(shared, &facts);
        // The facts were asked for before: SQS's clock is known.
        let bound = shared.clock.there(options.until.unwrap_or_else(Timestamp::now));
        Self {
            feed: Feed::start(shared, &facts, wanted, expected, memory),
            leases,
            address: shared.settings.address(&facts.name).into(),
            takes,
            limit: options.limit,
            prefilter: options.prefilter,
            bound: bound.saturating_add(GRACE).unwrap_or(bound),
            strict: options.until.is_some(),
            arrivals: 0,
            stale: 0,
            cancel: options.cancel,
            reclaim: options.reclaim.then(|| Instant::now() + shared.settings.lease),
            progress: Progress { of: Some(facts.visible()), ..Progress::default() },
            waiting: VecDeque::new(),
            given: HashSet::new(),
            moved: Instant::now(),
            full: false,
            removed: false,
            again: Vec::new(),
            came_again: (0, 0),
            empties: 0,
            promises: 0,
            throttled: shared.throttling.count(),
            end: None,
            closed: None,
            notes: Vec::new(),
            shared: Arc::clone(shared),
            facts,
        }
    }

    /// How many more the limit allows: a look counts what it delivers, a take what it goes through.
    fn left(&self) -> u64 {
        let so_far = if self.takes { self.progress.scanned } else { self.progress.delivered };
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(so_far))
    }

    /// Whether the caller holds messages that it is going to settle, which makes room for more.
    fn expects_settles(&self) -> bool {
        self.takes && !self.given.is_empty() && self.moved.elapsed() < STALLED
    }

    /// Takes messages in. Whether one of them was there when the read began.
    fn admit(&mut self, messages: Vec<Raw>, since: Instant) -> bool {
        let (mut known, mut was_there) = (0, false);
        let budget = self.facts.redrive();
        for raw in messages {
            let handle = raw.receipt_handle.clone().unwrap_or_default();
            let token = match self.leases.meet(raw.message_id.as_deref().unwrap_or_default(), handle, since) {
                Met::New(token) => token,
                // A lease ran out: that is no sign of the end.
                Met::Held => {
                    (known, was_there) = (known + 1, true);
                    continue;
                }
                Met::Removed(token) => {
                    (known, was_there) = (known + 1, true);
                    self.again.push(token);
                    continue;
                }
            };
            let message = convert::message(&self.address, raw);
            let arrived = message.time.is_some_and(|time| time > self.bound);
            was_there |= !arrived;
            if arrived && self.strict {
                known += 1;
                self.arrivals += 1;
                continue;
            }
            self.progress.scanned += 1;
            self.progress.bytes += message.body().len() as u64;
            let received = message.deliveries.unwrap_or(0) + 1;
            if let Some(redrive) = budget.as_ref().filter(|redrive| !self.takes && received >= redrive.max) {
                self.end.get_or_insert_with(|| {
                    End::Stopped(format!(
                        "the message {} has been received {received} times, and the next receive moves it to {:?}: no look \
                         is left",
                        message.id,
                        super::facts::name_of(&redrive.to)
                    ))
                });
            }
            if self.prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match(&RawParts::from(&message))) {
                self.waiting.push_back(Delivery { message, token: Token(token), redelivered: None });
            }
        }
        self.feed.want(known);
        was_there
    }

    /// Removes once more what was removed and came again: its copy is confirmed, and of a group nothing else comes before.
    /// Cancel safe: what is gone is not held any more.
    async fn remove_again(&mut self) {
        if self.again.is_empty() {
            return;
        }
        let results = self.leases.remove(&self.again).await;
        self.came_again.0 += self.again.len();
        self.came_again.1 += results.values().filter(|result| result.is_ok()).count();
        self.again.clear();
        self.feed.again();
    }

    /// Brings more in, or finds the end. Cancel safe.
    async fn fill(&mut self) -> Result<()> {
        self.remove_again().await;
        if self.left() == 0 {
            let more = self.progress.of.is_some_and(|of| self.progress.scanned < of) || !self.waiting.is_empty();
            self.end = Some(if more { End::Limit } else { End::Exhausted });
            return Ok(());
        }
        // One that is under way may bring what the others did not find.
        let quiet = self.empties > 0 && !self.full;
        if quiet && !self.feed.is_busy() && !self.feed.has_more() {
            if self.empties >= EMPTIES {
                return self.judge().await;
            }
            self.feed.again();
        }
        let fed = tokio::select! {
            biased;
            () = self.cancel.cancelled() => {
                self.end = Some(End::Cancelled);
                return Ok(());
            }
            fed = self.feed.next() => fed,
            () = tokio::time::sleep(MOMENT), if quiet => return Ok(()),
            () = tokio::time::sleep(QUIET), if self.full => {
                if !self.expects_settles() {
                    self.end = Some(End::Stopped(format!(
                        "SQS lets nobody hold more messages of the queue than are in flight now (we hold {}); what is \
                         behind them can be read after these are removed or given back",
                        self.leases.count()
                    )));
                }
                return Ok(());
            }
        };
        match fed {
            Some(Fed::Some(messages, since, _share)) => {
                (self.empties, self.promises, self.full) = (0, 0, false);
                self.stale = if self.admit(messages, since) { 0 } else { self.stale + 1 };
                if self.stale >= STALE {
                    self.end = Some(End::Exhausted);
                }
            }
            Some(Fed::Empty) => {
                self.empties += 1;
                self.full = false;
            }
            // What was removed since may have made room.
            Some(Fed::Full) if self.removed => {
                self.removed = false;
                self.feed.again();
            }
            Some(Fed::Full) => self.full = true,
            Some(Fed::Lost) => self.reclaim = Some(Instant::now() + self.shared.settings.lease),
            Some(Fed::Failed(error)) => return Err(error),
            None => {
                return Err(Error::new(ErrorKind::Unexpected, "the receives have ended before the queue did"));
            }
        }
        Ok(())
    }

    /// Asks SQS what it counts, after long polls that brought nothing.
    async fn judge(&mut self) -> Result<()> {
        let facts = self.shared.facts(&self.facts.name).await?;
        self.empties = 0;
        let held = self.leases.count();
        let reclaiming = self.reclaim.is_some_and(|until| facts.in_flight() > held && Instant::now() < until);
        let groups = self.facts.is_fifo() && held > 0 && facts.visible() > 0;
        // What was given out and is going to be removed makes room for the next of its group.
        if reclaiming || (groups && self.expects_settles()) {
            self.feed.again();
            return Ok(());
        }
        // What stands behind arrivals came later still.
        if groups && held > self.arrivals {
            self.end = Some(End::Stopped(format!(
                "about {} more messages stand behind those that are held, in the same message groups: SQS gives the next \
                 of a group only when those before it are removed",
                facts.visible()
            )));
            return Ok(());
        }
        self.promises += 1;
        if facts.visible() > 0 && self.promises < PROMISES {
            self.feed.again();
            return Ok(());
        }
        self.end = Some(End::Exhausted);
        if facts.visible() > 0 && self.arrivals == 0 {
            self.notes.push(format!(
                "SQS still counts about {} messages that no receive brings; its counts settle within a minute",
                facts.visible()
            ));
        }
        let about = self.progress.of.unwrap_or(0);
        if self.progress.scanned < about {
            let others = facts.in_flight().saturating_sub(held);
            self.notes.push(format!(
                "saw {} of about {about} messages; about {others} are in flight with others, {} delayed",
                self.progress.scanned,
                facts.delayed()
            ));
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for SqsRead {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        loop {
            if self.cancel.is_cancelled() && !(self.waiting.is_empty() && self.end.is_some()) {
                self.waiting.clear();
                self.end = Some(End::Cancelled);
            }
            let left = if self.takes { u64::MAX } else { self.left() };
            let room = usize::try_from(left).unwrap_or(usize::MAX).min(max.max(1));
            if !self.waiting.is_empty() && room > 0 {
                let deliveries: Vec<_> = self.waiting.drain(..room.min(self.waiting.len())).collect();
                self.progress.delivered += deliveries.len() as u64;
                self.moved = Instant::now();
                if self.takes {
                    self.given.extend(deliveries.iter().map(|delivery| delivery.token.0));
                }
                let done = self.waiting.is_empty() || (!self.takes && self.left() == 0);
                return Ok(Batch { deliveries, end: if done { self.end.clone() } else { None } });
            }
            if self.end.is_some() {
                return Ok(Batch { deliveries: Vec::new(), end: self.end.clone() });
            }
            self.fill().await?;
        }
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        if !self.takes {
            let refuse =
                |_| Err(Error::new(ErrorKind::Unsupported, "a look settles nothing; it gives back everything"));
            return tokens.iter().map(refuse).collect();
        }
        let open = self.closed.is_none();
        let unknown = || {
            Err(Error::new(
                ErrorKind::Rejected,
                "the message is not held by this reader: it was settled already, or the reader is closed",
            ))
        };
        let ours: Vec<u64> =
            tokens.iter().map(|token| token.0).filter(|token| open && self.given.contains(token)).collect();
        let mut results = match how {
            Settle::Remove => self.leases.remove(&ours).await,
            Settle::Return => ours.iter().map(|token| (*token, Ok(()))).collect(),
        };
        for token in results.keys() {
            self.given.remove(token);
        }
        self.moved = Instant::now();
        if how == Settle::Remove {
            self.removed = !self.full;
            if self.full || self.facts.is_fifo() {
                self.full = false;
                self.feed.again();
            }
        }
        tokens.iter().map(|token| results.remove(&token.0).unwrap_or_else(unknown)).collect()
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    async fn close(&mut self) -> Result<Closed> {
        if let Some(closed) = &self.closed {
            return Ok(closed.clone());
        }
        self.end.get_or_insert(End::Cancelled);
        for (messages, since) in self.feed.stop().await {
            self.admit(messages, since);
        }
        if self.arrivals > 0 {
            let text = human::messages(self.arrivals);
            self.notes.push(format!("{text} seen that came after the plan was made: they stay"));
        }
        self.waiting.clear();
        self.remove_again().await;
        let (came, removed) = self.came_again;
        if came > 0 {
            self.notes.push(format!("SQS delivered {came} removed messages again; {removed} were removed once more"));
        }
        let (returned, notes) = self.leases.release().await;
        let mut closed = Closed { returned, rescued: 0, notes: std::mem::take(&mut self.notes) };
        closed.notes.extend(notes);
        closed.notes.extend(self.shared.throttling.note(self.throttled));
        self.closed = Some(closed.clone());
        Ok(closed)
    }
}
