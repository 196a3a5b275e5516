//! Reading a stream or topic: by offset, without any effect on it.
//!
//! A take of a topic removes as Kafka can: everything before an offset. So a message is removed only when nothing
//! older of its partition is left; until then its settle is refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::watch;

use super::Inner;
use super::fault::{SettleFault, ambiguous};
use super::line_reader::{MEMORY, passes, refuse_settle};
use super::log::{Log, Partition};
use super::state::{Queue, State, Store};
use super::stored::Stored;
use crate::broker::{
    Batch, BrowseOptions, Closed, Delivery, End, From, Progress, Reader, Settle, TakeOptions, Token, Until,
};
use crate::error::{Error, ErrorKind, Result};

/// What is left to read of a partition.
#[derive(Debug)]
struct Cursor {
    partition: usize,
    next: u64,
    /// Before which offset it ends; `u64::MAX` for one that follows.
    end: u64,
}

/// A reader of such a queue.
pub(super) struct LogReader {
    inner: Arc<Inner>,
    queue: String,
    address: Arc<str>,
    owner: u64,
    takes: bool,
    cursors: Vec<Cursor>,
    options: BrowseOptions,
    progress: Progress,
    ended: Option<End>,
    arrivals: watch::Receiver<u64>,
    /// Takes: where each delivery stands. The token is its number.
    delivered: BTreeMap<Token, (usize, u64)>,
    next_token: u64,
    closed: bool,
}

impl LogReader {
    pub(super) fn browse(inner: Arc<Inner>, state: &mut State, queue: &str, options: BrowseOptions) -> Result<Self> {
        let now = inner.clock.now();
        let Queue { store: Store::Log(log), .. } = state.queue(queue, now)? else {
            return Err(Error::new(ErrorKind::Unexpected, format!("{queue:?} is no log")));
        };
        let cursors = cursors(log, &options)?;
        if cursors.is_empty() {
            let partition = options.partition.unwrap_or_default();
            return Err(Error::new(ErrorKind::NotFound, format!("{queue:?} has no partition {partition}")));
        }
        let of = (!options.follow).then(|| cursors.iter().map(|cursor| cursor.end.saturating_sub(cursor.next)).sum());
        Ok(Self {
            address: inner.address(queue),
            arrivals: inner.arrivals.subscribe(),
            inner,
            queue: queue.to_owned(),
            owner: state.connect(),
            takes: false,
            cursors,
            options,
            progress: Progress { of, ..Progress::default() },
            ended: None,
            delivered: BTreeMap::new(),
            next_token: 0,
            closed: false,
        })
    }

    pub(super) fn take(inner: Arc<Inner>, state: &mut State, queue: &str, options: TakeOptions) -> Result<Self> {
        let TakeOptions { limit, within, prefilter, memory, cancel, .. } = options;
        let options = BrowseOptions { within, limit, prefilter, memory, cancel, ..BrowseOptions::default() };
        let mut reader = Self::browse(inner, state, queue, options)?;
        reader.takes = true;
        Ok(reader)
    }

    fn open(&self, state: &State) -> Result<()> {
        if self.closed {
            return Err(Error::new(ErrorKind::Unexpected, "the reader is closed"));
        }
        state.alive(self.owner)
    }

    /// What is there to read now, at most `max`; also sets the end where it is reached.
    fn gather(&mut self, max: usize) -> Result<Vec<Delivery>> {
        let inner = self.inner.clone();
        let mut state = inner.state();
        self.open(&state)?;
        let Queue { spec, store: Store::Log(log) } = state.queue(&self.queue, inner.clock.now())? else {
            return Ok(Vec::new());
        };
        let mut deliveries = Vec::new();
        let (mut size, memory) = (0, self.options.memory.unwrap_or(MEMORY));
        while deliveries.len() < max && size < memory {
            let so_far = if self.takes { self.progress.scanned } else { self.progress.delivered };
            let at_limit = self.options.limit.is_some_and(|limit| so_far >= limit);
            let Some(cursor) = self.earliest(log) else {
                if self.cursors.iter().all(|cursor| cursor.next >= cursor.end) {
                    self.ended = Some(End::Exhausted);
                } else if at_limit {
                    self.ended = Some(End::Limit);
                }
                break;
            };
            if at_limit {
                self.ended = Some(End::Limit);
                break;
            }
            let (partition, offset) = (cursor.partition, cursor.next);
            cursor.next += 1;
            let Some(stored) = log.partitions().get(partition).and_then(|partition| partition.at(offset)) else {
                continue;
            };
            self.progress.scanned += 1;
            self.progress.bytes += stored.message.body().len() as u64;
            if passes(self.options.prefilter.as_ref(), &stored.message) {
                self.progress.delivered += 1;
                size += stored.message.size();
                let token = Token(self.next_token);
                self.next_token += 1;
                if self.takes {
                    self.delivered.insert(token, (partition, offset));
                }
                deliveries.push(Delivery::new(stored.view(spec, &self.address), token, None));
            }
        }
        Ok(deliveries)
    }

    /// The cursor whose next record is the oldest; steps over what retention took away, and ends those whose time
    /// has come.
    fn earliest(&mut self, log: &Log) -> Option<&mut Cursor> {
        let until = self.options.until;
        let mut best = None;
        for (index, cursor) in self.cursors.iter_mut().enumerate() {
            let Some(partition) = log.partitions().get(cursor.partition) else { continue };
            cursor.next = cursor.next.max(partition.first());
            let Some(stored) = partition.at(cursor.next).filter(|_| cursor.next < cursor.end) else { continue };
            let time = stored.logged();
            if matches!(until, Some(Until::Time(until)) if time >= until) {
                cursor.end = cursor.next;
            } else if best.is_none_or(|(oldest, _)| time < oldest) {
                best = Some((time, index));
            }
        }
        best.and_then(|(_, index)| self.cursors.get_mut(index))
    }

    async fn remove(&mut self, tokens: &[Token]) -> Vec<Result<()>> {
        let inner = self.inner.clone();
        let open = self.open(&inner.state());
        let sent = if open.is_ok() { inner.point("remove").await } else { open };
        if sent.is_err() {
            return tokens.iter().map(|_| Err(super::state::lost())).collect();
        }
        let fault = inner.faults.settle();
        let removable = match fault {
            Some(SettleFault::Fails | SettleFault::LostBefore) => BTreeSet::new(),
            Some(SettleFault::LostAfter) | None => self.truncate(tokens),
        };
        let answered = inner.point("removed").await.is_ok();
        let results = tokens.iter().map(|token| match fault {
            Some(SettleFault::Fails) => {
                Err(Error::new(ErrorKind::Rejected, "the broker refused to remove the messages"))
            }
            Some(_) => Err(ambiguous("removal")),
            None if !answered => Err(ambiguous("removal")),
            None if removable.contains(token) => Ok(()),
            None => Err(Error::new(ErrorKind::Rejected, "an older message of the partition is still there")
                .hint("a topic removes only everything before an offset")),
        });
        results.collect()
    }

    /// Removes the prefix that the tokens make up, and says which of them are in it.
    fn truncate(&mut self, tokens: &[Token]) -> BTreeSet<Token> {
        let mut wanted: Vec<((usize, u64), Token)> =
            tokens.iter().filter_map(|token| self.delivered.get(token).map(|place| (*place, *token))).collect();
        wanted.sort_unstable();
        let mut done = BTreeSet::new();
        let inner = self.inner.clone();
        let mut state = inner.state();
        if let Ok(Queue { store: Store::Log(log), .. }) = state.queue(&self.queue, inner.clock.now()) {
            for ((partition, offset), token) in wanted {
                if let Some(partition) = log.partition_mut(partition)
                    && partition.first() == offset
                {
                    partition.truncate(offset + 1);
                    self.delivered.remove(&token);
                    done.insert(token);
                }
            }
        }
        done
    }
}

/// Where the reading of each partition begins and ends.
fn cursors(log: &Log, options: &BrowseOptions) -> Result<Vec<Cursor>> {
    let wanted = options.partition.map(usize::try_from).transpose();
    let wanted = wanted.map_err(|_| Error::new(ErrorKind::NotFound, "a partition's number is not negative"))?;
    let partitions = log.partitions().iter().enumerate();
    let partitions = partitions.filter(|(index, _)| wanted.is_none_or(|wanted| wanted == *index));
    let mut cursors: Vec<Cursor> = partitions.map(|(index, partition)| cursor(index, partition, options)).collect();
    if let (From::Last(_), Some(limit)) = (options.from, options.limit) {
        keep_newest(&mut cursors, log, limit);
    }
    Ok(cursors)
}

/// Lets the cursors begin where the newest records of all partitions together begin.
fn keep_newest(cursors: &mut [Cursor], log: &Log, limit: u64) {
    let there = |cursor: &Cursor| cursor.end.min(log.partitions().get(cursor.partition).map_or(0, Partition::end));
    let mut surplus: u64 = cursors.iter().map(|cursor| there(cursor).saturating_sub(cursor.next)).sum();
    while surplus > limit {
        let oldest = cursors.iter_mut().filter(|cursor| cursor.next < there(cursor)).min_by_key(|cursor| {
            log.partitions().get(cursor.partition).and_then(|p| p.at(cursor.next)).map(Stored::logged)
        });
        let Some(oldest) = oldest else { return };
        oldest.next += 1;
        surplus -= 1;
    }
}

fn cursor(index: usize, partition: &Partition, options: &BrowseOptions) -> Cursor {
    let (next, end) = (partition.start(options.from), partition.end());
    let stop = match (options.until, options.follow) {
        (Some(Until::Offset(offset)), true) => offset,
        (Some(Until::Offset(offset)), false) => offset.min(end),
        (Some(Until::Time(time)), false) => partition.at_time(time),
        (Some(Until::Time(_)) | None, true) => u64::MAX,
        (None, false) => end,
    };
    let within = options.within.iter().find(|extent| extent.partition.is_none_or(|p| usize::try_from(p) == Ok(index)));
    match within {
        Some(within) => Cursor { partition: index, next: next.max(within.first), end: stop.min(within.end) },
        None if options.within.is_empty() => Cursor { partition: index, next, end: stop },
        None => Cursor { partition: index, next, end: next },
    }
}

#[async_trait]
impl Reader for LogReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        self.inner.point("receive").await?;
        loop {
            self.arrivals.borrow_and_update();
            if self.ended.is_none() && self.options.cancel.is_cancelled() {
                self.ended = Some(End::Cancelled);
            }
            let deliveries = if self.ended.is_none() { self.gather(max.max(1))? } else { Vec::new() };
            if !deliveries.is_empty() || self.ended.is_some() {
                self.inner.point("received").await?;
                return Ok(Batch { deliveries, end: self.ended.clone() });
            }
            let cancel = self.options.cancel.clone();
            tokio::select! {
                biased;
                () = cancel.cancelled() => {}
                // The sender lives as long as this reader's broker, so the wait can't fail.
                _ = self.arrivals.changed() => {}
            }
        }
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        if !self.takes {
            return refuse_settle(tokens);
        }
        match how {
            Settle::Remove => self.remove(tokens).await,
            Settle::Return => tokens.iter().map(|_| self.open(&self.inner.state())).collect(),
        }
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    async fn close(&mut self) -> Result<Closed> {
        if !self.closed {
            self.inner.point("close").await?;
            self.inner.state().alive(self.owner)?;
            self.inner.state().lose(self.owner, self.inner.clock.now());
            self.closed = true;
        }
        let returned = self.delivered.len() as u64;
        Ok(Closed { returned, ..Closed::default() })
    }
}

impl Drop for LogReader {
    fn drop(&mut self) {
        self.inner.state().lose(self.owner, self.inner.clock.now());
    }
}
