//! A read of a topic: by assignment of partitions, never joining a group and never committing.
//!
//! Where it ends is learned first, and a partition's end is what the broker tells as such: control records, aborted
//! transactions and compaction leave gaps that no count of offsets shows. A take is the same read, whose settled prefix
//! is removed (`remove`).

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::topic_partition_list::Offset;
use tokio::time::Instant;

use super::Shared;
use super::client::{Client, Marks, Topic};
use super::errors::explain;
use super::merge::Merge;
use super::remove::Removal;
use super::scan::{self, Common, Range, Record, Source};
use crate::broker::{
    Batch, BrowseOptions, Closed, Delivery, End, From, Progress, Reader, Settle, TakeOptions, Token, Until,
};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that a read may hold where nothing else is said.
const MEMORY: u64 = 64 << 20;
/// How long a read may bring nothing while no broker is connected.
const DOWN: Duration = Duration::from_secs(12);
/// How long a read that does not follow may bring nothing at all.
const STALLED: Duration = Duration::from_mins(1);
/// How often it is looked whether a read still goes on.
const LOOK: Duration = Duration::from_millis(500);
/// How long a close waits for an encrypted connection to be let go.
const LETTING_GO: Duration = Duration::from_secs(2);

/// A read.
pub(super) struct KafkaReader {
    client: Option<Client>,
    shared: Arc<Shared>,
    common: Arc<Common>,
    threads: Vec<Thread>,
    merge: Merge,
    /// The newest records so far, of a read that begins at the last ones of several partitions and is to give fewer than
    /// these are together. `None` once all that was there is read.
    newest: Option<VecDeque<Record>>,
    /// What is certain to be given out.
    ready: VecDeque<Record>,
    options: BrowseOptions,
    delivered: u64,
    of: Option<u64>,
    end: Option<End>,
    removal: Option<Removal>,
    next_token: u64,
    closed: Option<Closed>,
}

impl KafkaReader {
    /// Opens a look.
    ///
    /// # Errors
    /// `NotFound` for a topic or partition that is not there; what the brokers say.
    pub(super) async fn browse(shared: Arc<Shared>, topic: &str, options: BrowseOptions) -> Result<Self> {
        let memory = options.memory.unwrap_or(MEMORY);
        // Until the partitions are known a small window does; librdkafka reads it when it begins to fetch.
        let first = options.limit.filter(|_| options.prefilter.is_none()).unwrap_or(100_000);
        let partitions = options.partition.map_or(4, |_| 1);
        let config = shared.options.reader(memory / 2, partitions, first);
        let client = Client::open(&config, &shared.options, &shared.place).await?;
        let mut topic = client.topic(topic).await?;
        if let Some(wanted) = options.partition {
            if !topic.partitions.contains(&wanted) {
                let count = topic.partitions.len();
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("the topic {:?} has no partition {wanted}", topic.name),
                )
                .hint(format!("it has {count}, from 0 to {}", count.saturating_sub(1))));
            }
            topic.partitions = vec![wanted];
        }
        let ranges = ranges(&client, &topic, &options).await?;
        Self::start(shared, client, topic, ranges, options, memory)
    }

    /// Opens a take.
    ///
    /// # Errors
    /// As [`KafkaReader::browse`].
    pub(super) async fn take(shared: Arc<Shared>, topic: &str, options: TakeOptions) -> Result<Self> {
        let TakeOptions { limit, within, prefilter, memory, cancel, .. } = options;
        let options = BrowseOptions { within, limit, prefilter, memory, cancel, ..BrowseOptions::default() };
        let mut reader = Self::browse(shared, topic, options).await?;
        reader.removal = Some(Removal::new(topic));
        Ok(reader)
    }

    fn start(
        shared: Arc<Shared>,
        client: Client,
        topic: Topic,
        ranges: Vec<Range>,
        options: BrowseOptions,
        memory: u64,
    ) -> Result<Self> {
        let of = ranges.iter().map(|range| range.end.map(|end| (end - range.start).max(0).unsigned_abs())).sum();
        let open: Vec<Range> =
            ranges.into_iter().filter(|range| range.end.is_none_or(|end| end > range.start)).collect();
        let chunk = (memory / 8 / open.len().max(1) as u64).clamp(16 << 10, 256 << 10);
        let common = Arc::new(Common {
            address: shared.address(&topic.name),
            topic: topic.name,
            prefilter: options.prefilter.clone().filter(|prefilter| !prefilter.is_pass_all()),
            chunk,
            stop: AtomicBool::new(false),
        });
        let mut merge = Merge::default();
        let workers = std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)).clamp(1, 8);
        let mut groups: Vec<Vec<Source>> = (0..workers.min(open.len())).map(|_| Vec::new()).collect();
        let mut assignment = TopicPartitionList::with_capacity(open.len());
        let explain = |error| explain(&format!("reading the topic {:?}", common.topic), &error);
        for (index, range) in open.iter().enumerate() {
            assignment
                .add_partition_offset(&common.topic, range.partition, Offset::Offset(range.start))
                .map_err(explain)?;
            // Before the assignment, so that no record takes the way through the client's own queue.
            let queue = client.consumer.split_partition_queue(&common.topic, range.partition).ok_or_else(|| {
                Error::new(ErrorKind::Unexpected, format!("partition {} can't be read", range.partition))
            })?;
            let (source, from) = Source::new(queue, *range);
            merge.add(from);
            let group = index % groups.len().max(1);
            if let Some(group) = groups.get_mut(group) {
                group.push(source);
            }
        }
        let mut threads = Vec::new();
        for group in groups {
            threads.push(scan::start(group, Arc::clone(&common))?);
        }
        let newest = matches!(options.from, From::Last(_)) && options.limit.is_some() && merge.is_of_several();
        if !open.is_empty() {
            client.consumer.assign(&assignment).map_err(explain)?;
        }
        Ok(Self {
            client: Some(client),
            shared,
            common,
            threads,
            newest: newest.then(VecDeque::new),
            ready: VecDeque::new(),
            merge,
            options,
            delivered: 0,
            of,
            end: None,
            removal: None,
            next_token: 0,
            closed: None,
        })
    }

    fn left(&self) -> u64 {
        self.options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.delivered))
    }

    /// The next record, unless the newest are still to be found out.
    fn pop(&mut self) -> Option<Record> {
        if self.newest.is_some() { None } else { self.merge.pop().map(|(_, record)| record) }
    }

    /// Of a read that is to give only the newest: goes through what came, and keeps those.
    fn keep_newest(&mut self) {
        let Some(newest) = &mut self.newest else { return };
        let most = self.options.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        while let Some((_, record)) = self.merge.pop() {
            newest.push_back(record);
            if newest.len() > most {
                newest.pop_front();
            }
        }
        if self.merge.is_caught_up() {
            self.ready = self.newest.take().unwrap_or_default();
        }
    }

    /// Gives out what is certain, at most `max`.
    fn gather(&mut self, max: usize) -> Vec<Delivery> {
        let max = max.min(usize::try_from(self.left()).unwrap_or(usize::MAX));
        let mut deliveries = Vec::new();
        self.keep_newest();
        while deliveries.len() < max
            && let Some(record) = self.ready.pop_front().or_else(|| self.pop())
        {
            let token = Token(self.next_token);
            self.next_token += 1;
            if let (Some(removal), Some(position)) = (&mut self.removal, record.message.position) {
                removal.give(token, position, record.after_gap);
            }
            deliveries.push(Delivery::new(record.message, token, None));
        }
        self.delivered += deliveries.len() as u64;
        if self.merge.is_over() && self.ready.is_empty() {
            self.end = Some(End::Exhausted);
        } else if self.left() == 0 {
            self.end = Some(End::Limit);
        }
        deliveries
    }

    /// Waits until something has come, or the read is over. Cancel safe: what came is kept.
    async fn wait(&mut self) -> Result<()> {
        let began = Instant::now();
        let cancel = self.options.cancel.clone();
        let follows = self.options.follow;
        loop {
            let came = {
                let merge = &mut self.merge;
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Ok(()),
                    came = std::future::poll_fn(|context| merge.poll(context)) => Some(came),
                    () = tokio::time::sleep(LOOK) => None,
                }
            };
            if let Some(came) = came {
                self.threads.iter().for_each(Thread::unpark);
                if let Some(client) = &self.client {
                    client.trouble.clear();
                }
                return came;
            }
            let Some(client) = &self.client else { return Ok(()) };
            let place = &self.shared.place;
            if client.trouble.down().is_some_and(|down| down >= DOWN) {
                if follows && client.brokers().await.is_ok() {
                    continue;
                }
                return Err(client.trouble.timeout(place));
            }
            if !follows && began.elapsed() >= STALLED {
                let why = format!("{place} has sent nothing for {} s, though there is more to read", STALLED.as_secs());
                return Err(Error::new(ErrorKind::Timeout, why).hint("look at the brokers' health, and try again"));
            }
        }
    }

    fn stop(&self) {
        self.common.stop.store(true, Ordering::Release);
        self.threads.iter().for_each(Thread::unpark);
    }
}

/// What to read of each partition.
pub(super) async fn ranges(client: &Client, topic: &Topic, options: &BrowseOptions) -> Result<Vec<Range>> {
    let marks = client.marks(std::slice::from_ref(topic)).await?;
    let time = async |time| client.at_time(topic, time).await;
    let from_time = match options.from {
        From::Time(at) => time(at).await?,
        _ => BTreeMap::new(),
    };
    let until_time = match options.until {
        Some(Until::Time(at)) if !options.follow => time(at).await?,
        _ => BTreeMap::new(),
    };
    let signed = |offset: u64| i64::try_from(offset).unwrap_or(i64::MAX);
    let mut ranges = Vec::new();
    for partition in &topic.partitions {
        let Marks { low, high } = marks.get(&(topic.name.clone(), *partition)).copied().ok_or_else(|| {
            Error::new(ErrorKind::Unreachable, format!("partition {partition} of {:?} has no leader", topic.name))
                .hint("look at the brokers' health; --partition reads the others")
        })?;
        let start = match options.from {
            From::First => low,
            From::Last(n) => high.saturating_sub(signed(n)).max(low),
            From::End => high,
            From::Offset(offset) => signed(offset).max(low),
            From::Time(_) => from_time.get(partition).copied().flatten().unwrap_or(high),
        };
        let end = match (options.until, options.follow) {
            (Some(Until::Offset(offset)), true) => Some(signed(offset)),
            (Some(Until::Offset(offset)), false) => Some(signed(offset).min(high)),
            (Some(Until::Time(_)), false) => {
                Some(until_time.get(partition).copied().flatten().unwrap_or(high).min(high))
            }
            (Some(Until::Time(_)) | None, true) => None,
            (None, false) => Some(high),
        };
        let until = match options.until {
            Some(Until::Time(at)) if options.follow => Some(at.as_millisecond()),
            _ => None,
        };
        let within = options.within.iter().find(|extent| extent.partition.is_none_or(|there| there == *partition));
        let (start, end) = match within {
            Some(extent) => {
                let last = signed(extent.end);
                (start.max(signed(extent.first)), Some(end.map_or(last, |end| end.min(last))))
            }
            None if options.within.is_empty() => (start, end),
            None => (start, Some(start)),
        };
        ranges.push(Range { partition: *partition, start, end, until });
    }
    Ok(ranges)
}

#[async_trait]
impl Reader for KafkaReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        loop {
            if self.closed.is_none() && self.options.cancel.is_cancelled() && self.end != Some(End::Exhausted) {
                self.merge.clear();
                self.ready.clear();
                self.stop();
                self.end = Some(End::Cancelled);
            }
            if self.end.is_some() {
                return Ok(Batch { deliveries: Vec::new(), end: self.end.clone() });
            }
            let deliveries = self.gather(max.max(1));
            if !deliveries.is_empty() || self.end.is_some() {
                return Ok(Batch { deliveries, end: self.end.clone() });
            }
            self.wait().await?;
        }
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        let closed = self.closed.is_some();
        let Some(removal) = self.removal.as_mut().filter(|_| !closed) else {
            let why = if closed { "the reader is closed" } else { "a look settles nothing" };
            return tokens.iter().map(|_| Err(Error::new(ErrorKind::Unsupported, why))).collect();
        };
        match how {
            Settle::Remove => removal.remove(&self.shared, tokens).await,
            Settle::Return => tokens.iter().map(|token| removal.check(*token)).collect(),
        }
    }

    fn progress(&self) -> Progress {
        Progress {
            scanned: self.merge.scanned,
            delivered: self.delivered,
            bytes: self.merge.bytes,
            of: self.of,
            ..Progress::default()
        }
    }

    async fn close(&mut self) -> Result<Closed> {
        if let Some(closed) = &self.closed {
            return Ok(closed.clone());
        }
        self.stop();
        self.merge.clear();
        self.end.get_or_insert(End::Cancelled);
        if let Some(client) = self.client.take() {
            let consumer = Arc::downgrade(&client.consumer);
            drop(client);
            // Reading has no effect, so nothing is waited for but that encryption ends before the process does.
            let deadline = Instant::now() + LETTING_GO;
            while self.shared.options.tls() && consumer.strong_count() > 0 && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        let closed = Closed { returned: self.removal.as_ref().map_or(0, Removal::left), ..Closed::default() };
        self.closed = Some(closed.clone());
        Ok(closed)
    }
}

impl Drop for KafkaReader {
    fn drop(&mut self) {
        self.stop();
    }
}
