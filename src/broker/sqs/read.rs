//! Looks and takes: messages are held by leases, a look releases all of them, a take what was not removed.
//!
//! The end is where long polls bring nothing and SQS counts nothing: SQS has no cursor and no exact total, so what was
//! seen is told against its estimate. What arrives meanwhile is known by the time at which SQS took it, so that a read of a
//! queue that goes on filling has an end. Limits: a message keeps that time when it dies, so one that comes into a
//! dead-letter queue meanwhile can't be told from those that were there. Of a message group only what SQS gives before
//! the first is removed is seen.

use std::collections::{HashMap, HashSet, VecDeque};
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
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, Progress, Reader, Settle, TakeOptions, Token, Waits};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::{Prefilter, RawParts};
use crate::text::human;

/// Bytes that may be held where the options say nothing.
const MEMORY: u64 = 64 << 20;
/// Long polls without a message before SQS is asked what it counts.
const EMPTIES: u32 = 2;
/// Long polls at once that look whether there is anything at all.
const PROBES: usize = 2;
/// How long to wait before it is asked whether a receive is still under way.
const MOMENT: Duration = Duration::from_millis(20);
/// After so long without an answer, all receives under way have ended.
const QUIET: Duration = Duration::from_secs(3);
/// How long a take waits for its caller to settle something, where only that makes room for more.
const STALLED: Duration = Duration::from_mins(5);
/// How often SQS's estimate may promise messages that no long poll brings.
const PROMISES: u32 = 5;
/// How much later than its lease says a message that a dead run held may come back: SQS can have given it to a long poll
/// that nobody waited for any more.
const LINGER: Duration = Duration::from_secs(5);
/// After so long without a message SQS's counts are right.
const SETTLED: Duration = Duration::from_mins(1);
/// And after so many leases, where these are short: who asks for such reads from a server whose counts are.
const SETTLED_LEASES: u32 = 4;
/// Messages that are removed once more in one go at most.
const TOGETHER: usize = 160;
/// Receives one after the other that bring only arrivals, after which nothing else is expected.
const STALE: u32 = 48;
/// Messages that come again beside all that we hold twice over, before leases count as too short.
const LAPSES: u64 = 100;
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
    /// Messages that we hold and that came again since one came that we did not hold.
    lapsed: u64,
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
    /// When something was last received.
    came: Instant,
    /// Nothing comes before the caller settles something.
    blocked: bool,
    /// Where it says why nothing comes.
    waits: Waits,
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
            feed: Feed::start(shared, (&facts, &leases), wanted, expected, memory),
            leases,
            address: shared.settings.address(&facts.name).into(),
            takes,
            limit: options.limit,
            prefilter: options.prefilter,
            bound: bound.saturating_add(GRACE).unwrap_or(bound),
            strict: options.until.is_some(),
            arrivals: 0,
            lapsed: 0,
            stale: 0,
            cancel: options.cancel,
            reclaim: options.reclaim.then(|| Instant::now() + shared.settings.lease + LINGER),
            progress: Progress { of: Some(facts.visible()), ..Progress::default() },
            waiting: VecDeque::new(),
            given: HashSet::new(),
            moved: Instant::now(),
            came: Instant::now(),
            blocked: false,
            waits: options.waits,
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
    fn admit(&mut self, messages: Vec<(Met, Raw)>) -> bool {
        let (mut known, mut was_there) = (0, false);
        let budget = self.facts.redrive();
        for (met, raw) in messages {
            let token = match met {
                Met::New(token) => {
                    self.lapsed = 0;
                    token
                }
                // A lease ran out: that is no sign of the end.
                Met::Held => {
                    (known, was_there) = (known + 1, true);
                    self.lapsed += 1;
                    continue;
                }
                Met::Removed(token) => {
                    (known, was_there) = (known + 1, true);
                    self.came_again.0 += 1;
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
                self.waiting.push_back(Delivery::new(message, Token(token), None));
            }
        }
        self.feed.want(known);
        was_there
    }

    /// Removes once more what was removed and came again: its copy is confirmed, and of a group nothing else comes before.
    /// What SQS gave no answer for is asked for again at the next call. Cancel safe: what is gone is not held any more.
    async fn remove_again(&mut self) {
        let held = |token: &u64| self.leases.holds(*token);
        let again: Vec<u64> = self.again.iter().copied().filter(held).collect();
        let gone = self.again.len() - again.len();
        let results = if again.is_empty() { HashMap::new() } else { self.leases.remove(&again).await };
        let removed = results.values().filter(|result| result.is_ok()).count();
        self.came_again.1 += gone + removed;
        let unanswered = |token: &u64| {
            let doubtful = |error: &Error| error.kind() == ErrorKind::Ambiguous;
            self.leases.holds(*token) && results.get(token).is_some_and(|result| result.as_ref().is_err_and(doubtful))
        };
        self.again.retain(unanswered);
        if removed > 0 {
            self.feed.probe(removed.div_ceil(10) + 1);
        }
    }

    /// Brings more in, or finds the end. Cancel safe.
    async fn fill(&mut self) -> Result<()> {
        // Together, where more of them are waiting: one call removes ten.
        if self.again.len() >= TOGETHER || self.feed.is_read() {
            self.remove_again().await;
        }
        if self.left() == 0 {
            let more = self.progress.of.is_some_and(|of| self.progress.scanned < of) || !self.waiting.is_empty();
            self.end = Some(if more { End::Limit } else { End::Exhausted });
            return Ok(());
        }
        // One that is under way may bring what the others did not find.
        let quiet = self.empties > 0 && !self.full;
        if quiet && self.feed.is_idle() {
            if self.empties < EMPTIES {
                self.feed.probe(PROBES);
            } else if self.blocked && self.expects_settles() {
                self.await_settles().await;
                return Ok(());
            } else {
                return self.judge().await;
            }
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
            Some(Fed::Some(messages, _share)) => {
                (self.empties, self.promises, self.full, self.blocked) = (0, 0, false, false);
                self.came = Instant::now();
                self.waits.over();
                self.stale = if self.admit(messages) { 0 } else { self.stale + 1 };
                if self.stale >= STALE {
                    self.end = Some(End::Exhausted);
                } else if self.lapsed > 2 * self.leases.count() + LAPSES {
                    self.end = Some(End::Stopped(format!(
                        "SQS gives out again and again what we hold ({}): leases of {} s run out before they are \
                         prolonged; a longer one is set by ?lease=SECONDS in the address",
                        human::messages(self.leases.count()),
                        self.shared.settings.lease.as_secs()
                    )));
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
            Some(Fed::Lost) => self.reclaim = Some(Instant::now() + self.shared.settings.lease + LINGER),
            Some(Fed::Failed(error)) => return Err(error),
            None => {
                return Err(Error::new(ErrorKind::Unexpected, "the receives have ended before the queue did"));
            }
        }
        Ok(())
    }

    /// Nothing comes before the caller has settled something. Its [`Reader::settle`] wakes the receives; here they are
    /// asked only now and then, for what others may have given back. Cancel safe.
    async fn await_settles(&mut self) {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => self.end = Some(End::Cancelled),
            () = tokio::time::sleep(QUIET) => self.ask_again(),
        }
    }

    fn ask_again(&mut self) {
        (self.empties, self.blocked) = (0, false);
        self.feed.probe(PROBES);
    }

    /// Asks SQS what it counts, after long polls that brought nothing.
    async fn judge(&mut self) -> Result<()> {
        let facts = self.shared.facts(&self.facts.name).await?;
        // A worker asked by itself meanwhile.
        if !self.feed.is_idle() {
            return Ok(());
        }
        let held = self.leases.count();
        let (visible, others) = (facts.visible(), facts.in_flight().saturating_sub(held));
        // Of groups somebody holds messages, and gets the next ones when these are removed.
        let behind = self.facts.is_fifo() && visible > 0;
        if behind && self.expects_settles() {
            self.blocked = true;
            return Ok(());
        }
        if others > 0 && self.reclaim.is_some_and(|until| Instant::now() < until) {
            let within = (self.shared.settings.lease + LINGER).as_secs();
            self.waits.say(|| {
                format!(
                    "about {others} messages are in flight; those that a lost run or answer holds come back within \
                     {within} s"
                )
            });
            self.ask_again();
            return Ok(());
        }
        // What stands behind arrivals came later still.
        if behind && held > self.arrivals {
            let how = if self.takes {
                "go through these first, in a run without a filter"
            } else {
                "a look sees no further, a replay or drain of the queue does"
            };
            self.end = Some(End::Stopped(format!(
                "about {visible} more messages stand behind those that are held, in the same message groups: SQS gives the \
                 next of a group only when those before it are removed; {how}"
            )));
            return Ok(());
        }
        let others_block = behind && others > 0 && self.takes && self.arrivals == 0;
        // What somebody else holds is promised only when they let go of it.
        self.promises = if others_block { 0 } else { self.promises + 1 };
        let settled = SETTLED.min(self.shared.settings.lease.saturating_mul(SETTLED_LEASES));
        let patient = if others_block { self.came.elapsed() < settled } else { self.promises < PROMISES };
        if visible > 0 && patient {
            if others_block {
                self.waits.say(|| {
                    format!("somebody else holds about {others} messages, and about {visible} stand behind them in their groups")
                });
            }
            self.ask_again();
            return Ok(());
        }
        if others_block {
            self.end = Some(End::Stopped(format!(
                "somebody else holds about {others} messages, and about {visible} more stand behind them in their message \
                 groups: SQS gives these when the others are removed or given back; stop the other consumers, then go on \
                 with `postroom journal resume`"
            )));
            return Ok(());
        }
        self.end = Some(End::Exhausted);
        if visible > 0 && self.arrivals == 0 {
            self.notes.push(format!(
                "SQS still counts about {visible} messages that no receive brings; its counts settle within a minute"
            ));
        }
        let about = self.progress.of.unwrap_or(0);
        if self.progress.scanned < about {
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
            if self.full {
                self.full = false;
                self.feed.again();
            } else if self.facts.is_fifo() {
                // What stood behind these can come now.
                (self.empties, self.blocked) = (0, false);
                self.feed.probe(ours.len().div_ceil(10) + 1);
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
        for messages in self.feed.stop().await {
            self.admit(messages);
        }
        if self.arrivals > 0 {
            let text = human::messages(self.arrivals);
            self.notes.push(format!("{text} seen that came after the plan was made: they stay"));
        }
        self.waiting.clear();
        self.remove_again().await;
        let (came, removed) = self.came_again;
        if came > 0 {
            let still = match came.saturating_sub(removed) {
                0 => String::new(),
                left => format!(", and {left} may still be there"),
            };
            self.notes.push(format!(
                "SQS delivered {came} messages again that it had called removed; {removed} were removed once more{still}"
            ));
        }
        let (returned, notes) = self.leases.release().await;
        let mut closed = Closed { returned, rescued: 0, notes: std::mem::take(&mut self.notes) };
        closed.notes.extend(notes);
        closed.notes.extend(self.shared.throttling.note(self.throttled));
        self.closed = Some(closed.clone());
        Ok(closed)
    }
}
