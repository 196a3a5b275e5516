//! Reading a queue whose messages are taken out: held until they are removed, or given back at the close.
//!
//! A return is carried out at the close, in delivery order: a message given back earlier would be delivered to this
//! very reader again. Each queue type gets the way back that costs it least, and a message that its own return would
//! destroy goes back as a new copy at the tail.

use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Inner;
use super::cost::return_kills;
use super::fault::{SettleFault, ambiguous};
use super::line::{Back, Want};
use super::profile::{Product, Profile};
use super::state::{Queue, State, Store};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, Progress, Reader, Settle, TakeOptions, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::filter::{Prefilter, RawParts};

/// The most that one SQS receive gives.
const SQS_RECEIVE: usize = 10;

/// Bytes in one batch where the options say nothing.
pub(super) const MEMORY: u64 = 64 * 1024 * 1024;

/// A reader of such a queue.
pub(super) struct LineReader {
    inner: Arc<Inner>,
    queue: String,
    address: Arc<str>,
    owner: u64,
    /// What came later than this place is none of ours.
    end: u64,
    takes: bool,
    limit: Option<u64>,
    /// What was sent later is held, and not delivered.
    until: Option<Timestamp>,
    prefilter: Option<Prefilter>,
    rescue: bool,
    rescued: u64,
    /// Copies are going to be made, and the caller has not heard of it.
    announces: bool,
    memory: u64,
    cancel: CancellationToken,
    progress: Progress,
    ended: Option<End>,
    /// Settled as returned, and still held until the close.
    returned: HashSet<Token>,
    closed: Option<Closed>,
}

impl LineReader {
    pub(super) fn browse(
        inner: Arc<Inner>,
        queue: &str,
        owner: u64,
        (end, len): (u64, u64),
        options: BrowseOptions,
    ) -> Self {
        let BrowseOptions { limit, prefilter, rescue, memory, cancel, .. } = options;
        Self::take(
            inner,
            queue,
            owner,
            (end, len),
            TakeOptions { limit, prefilter, rescue, memory, cancel, ..TakeOptions::default() },
        )
        .looking()
    }

    pub(super) fn take(
        inner: Arc<Inner>,
        queue: &str,
        owner: u64,
        (end, len): (u64, u64),
        options: TakeOptions,
    ) -> Self {
        Self {
            address: inner.address(queue),
            inner,
            queue: queue.to_owned(),
            owner,
            end,
            takes: true,
            limit: options.limit,
            until: options.until,
            prefilter: options.prefilter,
            rescue: options.rescue,
            rescued: 0,
            announces: false,
            memory: options.memory.unwrap_or(MEMORY),
            cancel: options.cancel,
            progress: Progress { of: Some(len), ..Progress::default() },
            ended: None,
            returned: HashSet::new(),
            closed: None,
        }
    }

    fn looking(mut self) -> Self {
        self.takes = false;
        self
    }

    fn open(&self, state: &State) -> Result<()> {
        if self.closed.is_some() {
            return Err(Error::new(ErrorKind::Unexpected, "the reader is closed"));
        }
        state.alive(self.owner)
    }

    /// How many more the limit allows: a look counts what it delivers, a take what it goes through.
    fn left(&self) -> u64 {
        let so_far = if self.takes { self.progress.scanned } else { self.progress.delivered };
        self.limit.map_or(u64::MAX, |limit| limit.saturating_sub(so_far))
    }

    /// The first batch is empty, and tells of the copies that are made before the second.
    pub(super) fn rescuing(mut self, endangered: u64) -> Self {
        self.progress.rescued = endangered;
        self.announces = endangered > 0;
        self
    }

    /// Makes the copies, and reads up to the last of them.
    fn renew(&mut self, state: &mut State) -> Result<()> {
        let now = self.inner.clock.now();
        self.rescued = state.rescue_ready(&self.queue, now)?;
        if let Store::Line(line) = &state.queue(&self.queue, now)?.store {
            self.end = line.end();
        }
        Ok(())
    }

    /// One receive; sets the end where nothing is to be had.
    fn receive(&mut self, state: &mut State, max: usize, into: &mut Vec<Delivery>) -> Result<()> {
        let now = self.inner.clock.now();
        let received = state.receive(&self.queue, self.owner, Want { max, end: self.end, rescue: self.rescue }, now)?;
        let Queue { spec, store: Store::Line(line) } = state.queue(&self.queue, now)? else { return Ok(()) };
        for tag in &received.tags {
            let Some(stored) = line.get(*tag, self.owner) else { continue };
            self.progress.scanned += 1;
            self.progress.bytes += stored.message.body().len() as u64;
            let late = self.until.is_some_and(|until| stored.message.time.is_some_and(|time| time > until));
            if !late && passes(self.prefilter.as_ref(), &stored.message) {
                self.progress.delivered += 1;
                let message = stored.view(spec, &self.address);
                let redelivered = (spec.profile.product() == Product::Rabbit).then_some(stored.redelivered);
                into.push(Delivery::new(message, Token(*tag), redelivered));
            }
        }
        if received.empty {
            self.ended = Some(if received.endangered {
                End::Stopped(
                    "the next message is at its delivery limit; --rescue puts such messages back as new copies"
                        .to_owned(),
                )
            } else if received.blocked {
                End::Stopped("the message groups that are left have messages in flight".to_owned())
            } else {
                End::Exhausted
            });
        }
        Ok(())
    }

    fn gather(&mut self, max: usize) -> Result<Batch> {
        let inner = self.inner.clone();
        let mut state = inner.state();
        self.open(&state)?;
        if std::mem::take(&mut self.announces) {
            return Ok(Batch::default());
        }
        if self.progress.rescued > self.rescued {
            self.renew(&mut state)?;
        }
        let now = inner.clock.now();
        let mut step = usize::MAX;
        if let Queue { spec, store: Store::Line(line) } = state.queue(&self.queue, now)? {
            line.renew(self.owner, now);
            step = if spec.profile.product() == Product::Sqs { SQS_RECEIVE } else { step };
        }
        let mut deliveries = Vec::new();
        let mut size = 0;
        while self.ended.is_none() && deliveries.len() < max && size < self.memory {
            if self.cancel.is_cancelled() {
                self.ended = Some(End::Cancelled);
                break;
            }
            let left = usize::try_from(self.left()).unwrap_or(usize::MAX);
            if left == 0 {
                let more =
                    matches!(&state.queue(&self.queue, now)?.store, Store::Line(line) if line.has_before(self.end));
                self.ended = Some(if more { End::Limit } else { End::Exhausted });
                break;
            }
            let had = deliveries.len();
            self.receive(&mut state, (max - had).min(left).min(step), &mut deliveries)?;
            size += deliveries.iter().skip(had).map(|delivery| delivery.message.size()).sum::<u64>();
        }
        Ok(Batch { deliveries, end: self.ended.clone() })
    }

    async fn remove(&mut self, token: Token) -> Result<()> {
        let inner = self.inner.clone();
        self.open(&inner.state())?;
        inner.point("remove").await?;
        let fault = inner.faults.settle();
        match fault {
            Some(SettleFault::Fails) => {
                return Err(Error::new(ErrorKind::Rejected, "the broker refused to remove the message"));
            }
            Some(SettleFault::LostBefore) => return Err(ambiguous("removal")),
            Some(SettleFault::LostAfter) | None => {}
        }
        {
            let mut state = inner.state();
            self.open(&state)?;
            self.held(&mut state, token)?;
            if let Store::Line(line) = &mut state.queue(&self.queue, inner.clock.now())?.store {
                line.remove(token.0, self.owner);
            }
        }
        if inner.point("removed").await.is_err() || fault.is_some() {
            return Err(ambiguous("removal"));
        }
        Ok(())
    }

    /// # Errors
    /// `Rejected` for a token that this reader does not hold, or has settled.
    fn held(&self, state: &mut State, token: Token) -> Result<()> {
        let now = self.inner.clock.now();
        match &state.queue(&self.queue, now)?.store {
            Store::Line(line) if line.get(token.0, self.owner).is_some() && !self.returned.contains(&token) => Ok(()),
            _ => Err(Error::new(ErrorKind::Rejected, "the message is not held: settled already, or its lease ran out")),
        }
    }

    /// Gives everything back that is held.
    fn give_back(&self, state: &mut State) -> Result<Closed> {
        let now = self.inner.clock.now();
        let mut closed = Closed { rescued: self.rescued, ..Closed::default() };
        let Queue { store: Store::Line(line), .. } = state.queue(&self.queue, now)? else { return Ok(closed) };
        for tag in line.tags_of(self.owner) {
            let Queue { spec, store: Store::Line(line) } = state.queue(&self.queue, now)? else { break };
            let Some(stored) = line.get(tag, self.owner) else { continue };
            if return_kills(spec, stored) {
                state.rescue(&self.queue, self.owner, tag, now)?;
                closed.rescued += 1;
                continue;
            }
            // An unlimited quorum queue up to 4.2 sends a nacked message to the back; a closed channel keeps its place.
            let keeps = spec.profile == Profile::RabbitQuorum40 && spec.delivery_limit.is_none();
            let dead = line.give_back(spec, tag, if keeps { Back::Lost } else { Back::Nack });
            state.bury(&self.queue, dead, now);
            closed.returned += 1;
        }
        if closed.rescued > 0 {
            closed.notes.push(format!(
                "{} messages went to the tail as new copies, with their counters at zero",
                closed.rescued
            ));
        }
        Ok(closed)
    }
}

/// Whether the prefilter lets a message through.
pub(super) fn passes(prefilter: Option<&Prefilter>, message: &Message) -> bool {
    prefilter.is_none_or(|prefilter| prefilter.may_match(&RawParts::from(message)))
}

/// The answer for every token of a settle that can't be.
pub(super) fn refuse_settle(tokens: &[Token]) -> Vec<Result<()>> {
    let refusal = || {
        Error::new(ErrorKind::Unsupported, "a look settles nothing: it gives back everything at its end")
            .hint("take the messages to settle them")
    };
    tokens.iter().map(|_| Err(refusal())).collect()
}

#[async_trait]
impl Reader for LineReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        self.inner.point("receive").await?;
        let batch = self.gather(max.max(1))?;
        self.inner.point("received").await?;
        Ok(batch)
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        if !self.takes {
            return refuse_settle(tokens);
        }
        let mut results = Vec::with_capacity(tokens.len());
        for token in tokens {
            results.push(match how {
                Settle::Remove => self.remove(*token).await,
                Settle::Return => {
                    let inner = self.inner.clone();
                    let mut state = inner.state();
                    let held = self.open(&state).and_then(|()| self.held(&mut state, *token));
                    held.map(|()| _ = self.returned.insert(*token))
                }
            });
        }
        results
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    async fn close(&mut self) -> Result<Closed> {
        if let Some(closed) = &self.closed {
            return Ok(closed.clone());
        }
        self.inner.point("close").await?;
        let inner = self.inner.clone();
        let closed = {
            let mut state = inner.state();
            state.alive(self.owner)?;
            let closed = self.give_back(&mut state)?;
            state.lose(self.owner, inner.clock.now());
            closed
        };
        inner.arrived();
        self.closed = Some(closed.clone());
        inner.point("closed").await?;
        Ok(closed)
    }
}

/// Without a close the broker finds the connection gone.
impl Drop for LineReader {
    fn drop(&mut self) {
        self.inner.state().lose(self.owner, self.inner.clock.now());
    }
}
