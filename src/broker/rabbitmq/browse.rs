//! A look at a classic or quorum queue: deliveries are held until the end, then all of them go back.
//!
//! It ends at what was ready when it began, so that it ends on a growing queue, too. Limits: arrivals are never
//! followed here (they would be held), and messages of a priority queue come in the order of their priority.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;

use super::convert::{self, may_match};
use super::facts::{Facts, Guard, Kind, Release};
use super::feed::{Fed, Feed};
use super::keeper::{Keeper, stopped};
use super::release::release;
use super::window::Window;
use super::{Shared, learn};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, Progress, Reader, Settle, Token};
use crate::error::{Error, ErrorKind, Result};

/// Refuses a read that the facts forbid.
///
/// # Errors
/// `Refused` with the reason, or `Locked` where a consumer has the queue to itself.
pub(super) fn permit(facts: &Facts, rescue: bool) -> Result<()> {
    let Some(why) = facts.read_cost().refused else { return Ok(()) };
    if rescue && facts.rescue_lifts_refusal() {
        return Ok(());
    }
    let kind = if facts.single_active() { ErrorKind::Locked } else { ErrorKind::Refused };
    let error = Error::new(kind, format!("{:?} is not read: {why}", facts.name));
    Err(if facts.rescue_lifts_refusal() {
        error.hint("give the management API (?management=http://HOST:15672), or --rescue to put back a copy of each message at the tail")
    } else if facts.single_active() {
        error.hint("stop the application's consumers first")
    } else {
        error
    })
}

/// The reader of a look.
pub(super) struct Browse {
    feed: Feed,
    keeper: Keeper,
    window: Window,
    release: Release,
    queue: String,
    counts: bool,
    address: Arc<str>,
    options: BrowseOptions,
    /// Ready when the look began.
    of: u64,
    progress: Progress,
    /// Deliveries that are held and not yet handed out.
    waiting: VecDeque<Delivery>,
    held: u64,
    /// Messages come one by one: at first on a queue that counts, and behind one at its limit, so that no more than
    /// one is in danger.
    careful: bool,
    end: Option<End>,
    closed: Option<Closed>,
    notes: Vec<String>,
}

impl Browse {
    /// Opens the look. Nothing is delivered before the first batch is asked for.
    ///
    /// # Errors
    /// `Refused` and `Locked` by the rules of the queue; what the broker says.
    pub(super) async fn open(shared: Arc<Shared>, facts: Facts, options: BrowseOptions) -> Result<Self> {
        let channel = shared.consuming().await?.channel().await?;
        let facts = facts.counted(learn::count(&channel, &facts.name).await?);
        permit(&facts, options.rescue)?;
        let ready = facts.ready.unwrap_or(0);
        let row = facts.row.as_ref();
        let bytes = row.and_then(|row| row.message_bytes);
        Ok(Self {
            feed: Feed::new(channel, &facts.name),
            window: Window::new(options.memory, bytes, row.and_then(|row| row.messages)),
            release: facts.release(),
            queue: facts.name.clone(),
            counts: facts.kind == Kind::Quorum,
            address: shared.address(&facts.name),
            keeper: Keeper::new(shared, &facts),
            options,
            of: ready,
            progress: Progress { of: Some(ready), ..Progress::default() },
            waiting: VecDeque::new(),
            held: 0,
            careful: facts.guard() != Guard::Open,
            end: None,
            closed: None,
            notes: facts.warnings(),
        })
    }

    /// How many more may be handed out.
    fn left(&self) -> u64 {
        self.options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.progress.delivered))
    }

    /// Takes raw deliveries in.
    fn admit(&mut self, deliveries: Vec<lapin::message::Delivery>) {
        for raw in deliveries {
            self.held += 1;
            self.progress.scanned += 1;
            self.progress.bytes += raw.data.len() as u64;
            self.window.see(raw.data.len() as u64);
            self.careful = self.keeper.inspect(&raw);
            if may_match(self.options.prefilter.as_ref(), &raw) {
                self.waiting.push_back(convert::delivery(&self.address, raw, self.counts));
            }
        }
    }

    async fn rescue(&mut self) -> Result<()> {
        self.feed.before_ack(self.keeper.tags()).await?;
        self.held = self.held.saturating_sub(self.keeper.rescue(self.feed.channel()).await?);
        if !self.options.rescue {
            self.end.get_or_insert_with(|| End::Stopped(stopped("goes on, and does so with each such message")));
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
            self.end = Some(End::Exhausted);
            return Ok(());
        }
        let wanted = if self.options.prefilter.is_some() { behind } else { behind.min(self.left()) };
        let window = if self.careful { 1 } else { self.window.next(wanted) };
        let fed = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => {
                self.end = Some(End::Cancelled);
                return Ok(());
            }
            fed = self.feed.next(usize::MAX, window, window) => fed?,
        };
        match fed {
            Fed::Some(deliveries) => self.admit(deliveries),
            Fed::Dry => self.end = Some(End::Exhausted),
            Fed::Stalled(ready) => {
                self.end = Some(End::Stopped(format!(
                    "{ready} messages are ready and RabbitMQ delivers none of them to us: another consumer may be the active one"
                )));
            }
        }
        Ok(())
    }

    /// Ends all reading, inspects what came unasked, and gives everything back.
    async fn give_back(&mut self) -> Result<Closed> {
        self.feed.stop().await?;
        let rest = self.feed.take_left();
        self.admit(rest);
        self.waiting.clear();
        let rescue = if self.keeper.is_alarmed() { self.rescue().await } else { Ok(()) };
        let late = release(self.keeper.shared(), self.feed.channel(), &self.queue, self.release, self.held).await?;
        rescue?;
        let mut notes = std::mem::take(&mut self.notes);
        notes.append(&mut self.keeper.notes);
        notes.extend(late);
        Ok(Closed { returned: self.held, rescued: self.keeper.rescued, notes })
    }
}

/// What a look can't do.
pub(super) fn no_settling(tokens: &[Token]) -> Vec<Result<()>> {
    let refuse =
        |_| Err(Error::new(ErrorKind::Unsupported, "a look settles nothing; everything goes back when it is closed"));
    tokens.iter().map(refuse).collect()
}

#[async_trait]
impl Reader for Browse {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        loop {
            if self.options.cancel.is_cancelled() && !(self.waiting.is_empty() && self.end.is_some()) {
                self.waiting.clear();
                self.end = Some(End::Cancelled);
            }
            let room = usize::try_from(self.left()).unwrap_or(usize::MAX).min(max.max(1));
            if !self.waiting.is_empty() && room > 0 && !self.keeper.is_alarmed() {
                let deliveries: Vec<_> = self.waiting.drain(..room.min(self.waiting.len())).collect();
                self.progress.delivered += deliveries.len() as u64;
                let done = self.waiting.is_empty() || self.left() == 0;
                return Ok(Batch { deliveries, end: if done { self.end.clone() } else { None } });
            }
            if self.end.is_none() && self.left() == 0 {
                let more = self.progress.scanned < self.of || !self.waiting.is_empty();
                self.end = Some(if more { End::Limit } else { End::Exhausted });
            }
            if self.end.is_some() && !self.keeper.is_alarmed() {
                return Ok(Batch { deliveries: Vec::new(), end: self.end.clone() });
            }
            self.fill().await?;
        }
    }

    async fn settle(&mut self, tokens: &[Token], _how: Settle) -> Vec<Result<()>> {
        no_settling(tokens)
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
