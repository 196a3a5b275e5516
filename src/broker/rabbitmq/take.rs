//! Taking messages: held until each is removed, and returned at the close where it was not.
//!
//! It goes through what was ready when it began, or fewer; arrivals are not touched, and the consumer is ended before
//! an acknowledgement could make room for one. Messages that fail the prefilter are held and not copied. A return by
//! [`Settle::Return`] is made at the close, with all others and by the way that costs the queue least: given back at
//! once, they would be delivered to us again. Limits: what is held unmatched is known by its tag only.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::try_join_all;
use lapin::options::BasicAckOptions;

use super::browse::permit;
use super::convert::{self, may_match};
use super::errors::answer;
use super::facts::{Facts, Guard, Kind, Release};
use super::feed::{Fed, Feed};
use super::keeper::{Keeper, stopped};
use super::release::release;
use super::tags::Tags;
use super::window::Window;
use super::{Shared, learn};
use crate::broker::{Batch, Closed, Delivery, End, Progress, Reader, Settle, TakeOptions, Token};
use crate::error::{Error, ErrorKind, Result};

/// See [`Take::gather`]; where the caller has only so many in its hands, a third of these.
const GATHER: usize = 1000;

/// The reader of a take.
pub(super) struct Take {
    feed: Feed,
    keeper: Keeper,
    window: Window,
    /// Messages to gather before they are handed on: while they are sent, the next ones come.
    gather: usize,
    release: Release,
    queue: String,
    counts: bool,
    address: Arc<str>,
    options: TakeOptions,
    /// How many to go through.
    of: u64,
    progress: Progress,
    waiting: VecDeque<Delivery>,
    held: Tags,
    /// The last delivery tag.
    last: u64,
    /// Settled as returned, and held until the close.
    returned: Tags,
    /// The last message seen was at its limit, so the next comes alone.
    careful: bool,
    end: Option<End>,
    closed: Option<Closed>,
}

impl Take {
    /// Opens the take. Nothing is delivered before the first batch is asked for.
    ///
    /// # Errors
    /// `Refused` and `Locked` by the rules of the queue; what the broker says.
    pub(super) async fn open(shared: Arc<Shared>, facts: Facts, options: TakeOptions) -> Result<Self> {
        let channel = shared.consuming().await?.channel().await?;
        let facts = facts.counted(learn::count(&channel, &facts.name).await?);
        permit(&facts, false)?;
        let ready = facts.ready.unwrap_or(0);
        let row = facts.row.as_ref();
        let of = options.limit.map_or(ready, |limit| limit.min(ready));
        Ok(Self {
            feed: Feed::new(channel, &facts.name),
            window: Window::new(
                options.memory,
                row.and_then(|row| row.message_bytes),
                row.and_then(|row| row.messages),
            )
            .at_most(options.in_hand),
            gather: options
                .in_hand
                .map_or(GATHER, |many| usize::try_from(many.div_ceil(3)).unwrap_or(GATHER).clamp(1, GATHER)),
            release: facts.release(),
            queue: facts.name.clone(),
            counts: facts.kind == Kind::Quorum,
            address: shared.address(&facts.name),
            careful: facts.guard() != Guard::Open,
            keeper: Keeper::new(shared, &facts),
            options,
            of,
            progress: Progress { of: Some(of), ..Progress::default() },
            waiting: VecDeque::new(),
            held: Tags::default(),
            last: 0,
            returned: Tags::default(),
            end: None,
            closed: None,
        })
    }

    /// Takes raw deliveries in. One at its limit is not handed out: its copy comes later.
    fn admit(&mut self, deliveries: Vec<lapin::message::Delivery>) {
        for raw in deliveries {
            self.progress.scanned += 1;
            self.progress.bytes += raw.data.len() as u64;
            self.window.see(raw.data.len() as u64);
            // Tags follow one another, so one that is missing is held unseen: nothing may acknowledge it.
            (self.last + 1..=raw.delivery_tag).for_each(|tag| self.held.insert(tag));
            self.last = raw.delivery_tag;
            self.careful = self.keeper.inspect(&raw);
            self.progress.rescued += u64::from(self.careful);
            if !self.careful && may_match(self.options.prefilter.as_ref(), &raw) {
                self.waiting.push_back(convert::delivery(&self.address, raw, self.counts));
            }
        }
    }

    async fn rescue(&mut self) -> Result<()> {
        self.feed.before_ack(self.keeper.tags()).await?;
        let endangered: Vec<u64> = self.keeper.tags().collect();
        let copies = self.keeper.rescue(self.feed.channel()).await;
        let open: Vec<u64> = self.keeper.tags().collect();
        for tag in endangered.into_iter().filter(|tag| !open.contains(tag)) {
            self.held.remove(tag);
        }
        if self.options.rescue {
            // The copies stand behind all that was ready, and are safe to hold.
            self.of += copies?;
            self.progress.of = Some(self.of);
        } else {
            copies?;
            self.end
                .get_or_insert_with(|| End::Stopped(stopped("does so with each such message, and takes the copies")));
        }
        Ok(())
    }

    /// Brings more in, or finds the end. Cancel safe.
    async fn fill(&mut self) -> Result<()> {
        if self.keeper.is_alarmed() {
            return self.rescue().await;
        }
        let behind = self.of.saturating_sub(self.progress.scanned);
        if behind == 0 {
            let all = self.options.limit.is_none_or(|limit| limit > self.of);
            self.end = Some(if all { End::Exhausted } else { End::Limit });
            return Ok(());
        }
        // A consumer that is acknowledged goes on with the same prefetch, so the small first ones end early.
        let settled = self.window.is_settled();
        let window = if self.careful { 1 } else { self.window.next(behind) };
        let quota = if self.careful || !settled { window } else { behind };
        let fed = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => {
                self.end = Some(End::Cancelled);
                return Ok(());
            }
            fed = self.feed.next(self.gather, window, quota) => fed?,
        };
        match fed {
            Fed::Some(deliveries) => self.admit(deliveries),
            Fed::Dry => self.end = Some(End::Exhausted),
            Fed::Stalled(ready) => {
                self.end =
                    Some(End::Stopped(format!("{ready} messages are ready and RabbitMQ delivers none of them to us")));
            }
        }
        Ok(())
    }

    /// Whether a delivery was given out and waits to be settled.
    fn is_ours(&self, tag: u64) -> bool {
        self.held.contains(tag) && !self.returned.contains(tag)
    }

    /// Acknowledges tags that are held, and waits until the channel has worked them off.
    async fn remove(&mut self, tags: &[u64]) -> Result<()> {
        let channel = self.feed.channel().clone();
        if !channel.status().connected() {
            return Err(Error::new(
                ErrorKind::Unreachable,
                "the connection to RabbitMQ is lost; the messages are back in the queue",
            ));
        }
        self.feed.before_ack(tags.iter().copied()).await?;
        let plan = self.held.plan(tags);
        let doubt = |error: Error| {
            Error::new(ErrorKind::Ambiguous, "the removal was sent, and its answer was lost")
                .because(error)
                .hint("the message may be back in the queue; where its copy arrived, it is there twice")
        };
        let acknowledged = async {
            if let Some(tag) = plan.up_to {
                channel.basic_ack(tag, BasicAckOptions { multiple: true }).await?;
            }
            let single = plan.single.iter().map(|tag| channel.basic_ack(*tag, BasicAckOptions::default()));
            try_join_all(single).await.map(|_| ())
        };
        answer("acknowledging", acknowledged).await.map_err(doubt)?;
        // Sent behind the last of them: its answer comes when all have been worked off.
        learn::count(&channel, &self.queue).await.map_err(doubt)?;
        for tag in tags {
            self.held.remove(*tag);
        }
        Ok(())
    }

    async fn give_back(&mut self) -> Result<Closed> {
        self.feed.stop().await?;
        let rest = self.feed.take_left();
        self.admit(rest);
        self.waiting.clear();
        let rescue = if self.keeper.is_alarmed() { self.rescue().await } else { Ok(()) };
        let held = self.held.len();
        let late = release(self.keeper.shared(), self.feed.channel(), &self.queue, self.release, held).await?;
        rescue?;
        let mut notes = std::mem::take(&mut self.keeper.notes);
        notes.extend(late);
        Ok(Closed { returned: held, rescued: self.keeper.rescued, notes })
    }
}

#[async_trait]
impl Reader for Take {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        loop {
            if self.options.cancel.is_cancelled() && !(self.waiting.is_empty() && self.end.is_some()) {
                self.waiting.clear();
                self.end = Some(End::Cancelled);
            }
            if !self.waiting.is_empty() && !self.keeper.is_alarmed() {
                let deliveries: Vec<_> = self.waiting.drain(..max.max(1).min(self.waiting.len())).collect();
                self.progress.delivered += deliveries.len() as u64;
                let end = if self.waiting.is_empty() { self.end.clone() } else { None };
                return Ok(Batch { deliveries, end });
            }
            if self.end.is_some() && !self.keeper.is_alarmed() {
                return Ok(Batch { deliveries: Vec::new(), end: self.end.clone() });
            }
            // The caller hears of the first copy before it is made, so that a journal can know of it.
            let first = self.progress.rescued == 0;
            self.fill().await?;
            if first && self.progress.rescued > 0 {
                return Ok(Batch { deliveries: Vec::new(), end: None });
            }
        }
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        let open = self.closed.is_none();
        let known: Vec<bool> = tokens.iter().map(|token| open && self.is_ours(token.0)).collect();
        let ours = tokens.iter().zip(&known).filter(|(_, known)| **known).map(|(token, _)| token.0);
        let tags: BTreeSet<u64> = ours.collect();
        let done = match how {
            Settle::Remove if tags.is_empty() => Ok(()),
            Settle::Remove => self.remove(&tags.into_iter().collect::<Vec<_>>()).await,
            Settle::Return => {
                for tag in tags {
                    self.returned.insert(tag);
                }
                Ok(())
            }
        };
        known
            .into_iter()
            .map(|known| match &done {
                _ if !known => Err(Error::new(
                    ErrorKind::Rejected,
                    "the message is not held by this reader: it was settled already, or the reader is closed",
                )),
                Ok(()) => Ok(()),
                Err(error) => Err(Error::new(error.kind(), error.to_string())),
            })
            .collect()
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    async fn close(&mut self) -> Result<Closed> {
        if let Some(closed) = &self.closed {
            return Ok(closed.clone());
        }
        self.end.get_or_insert(End::Cancelled);
        let closed = self.give_back().await?;
        self.closed = Some(closed.clone());
        Ok(closed)
    }
}
