//! Reading a stream by offset. Nothing is delivered away: an acknowledgement is only credit for more.
//!
//! The end is learned first, from the last chunk: a broker sends what a new consumer may have before it answers the
//! next question on that channel. Limits: AMQP 0-9-1 carries no time of a stream's messages; a start or stop by time
//! is exact only for messages that have a `timestamp` property, else to the chunk.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use lapin::options::{BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Consumer};

use super::browse::no_settling;
use super::connection::{Link, close_quietly};
use super::convert::{self, may_match, stream_offset};
use super::errors::{answer, explain, fixed, short};
use super::{Shared, learn};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, From, Progress, Reader, Settle, Token, Until};
use crate::error::{Error, ErrorKind, Result};

/// Messages under way to us at most.
const CREDIT: u16 = 500;
/// How long the last chunk may take to come where it was not there at once; an empty stream is told by this silence.
const LAST_CHUNK: Duration = Duration::from_secs(1);
/// How long a stream that is not at its end may be silent.
const SILENT: Duration = Duration::from_secs(5);
/// The same before its first message: a start by time behind the last message brings none.
const SILENT_START: Duration = Duration::from_secs(1);

/// The reader of a stream.
pub(super) struct StreamRead {
    channel: Channel,
    consumer: Option<Consumer>,
    queue: String,
    address: Arc<str>,
    options: BrowseOptions,
    /// Nothing before this offset.
    first: u64,
    /// Nothing from this offset on.
    behind: Option<u64>,
    /// A later acknowledgement of everything up to this tag gives the credit back.
    spent: Option<u64>,
    /// The offset behind the last message seen.
    at: Option<u64>,
    progress: Progress,
    waiting: VecDeque<Delivery>,
    end: Option<End>,
}

/// Opens a consumer at a place of the stream.
async fn consume(channel: &Channel, queue: &str, from: AMQPValue, credit: u16) -> Result<Consumer> {
    answer("setting the prefetch", channel.basic_qos(credit, BasicQosOptions::default())).await?;
    let mut arguments = FieldTable::default();
    arguments.insert(fixed("x-stream-offset"), from);
    let options = BasicConsumeOptions::default();
    let consumer = channel.basic_consume(short("queue name", queue)?, fixed("postroom"), options, arguments);
    answer(&format!("reading the stream {queue:?}"), consumer).await
}

fn word(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

/// The offset of the last message, `None` for an empty stream.
async fn last_offset(link: &Link, queue: &str) -> Result<Option<u64>> {
    let channel = link.channel().await?;
    let mut consumer = consume(&channel, queue, word("last"), CREDIT).await?;
    let mut last = None;
    loop {
        let mut news = None;
        // What the broker has for us it sends before it answers this.
        learn::count(&channel, queue).await?;
        while let Some(Some(delivery)) = consumer.next().now_or_never() {
            news = Some(delivery.map_err(|error| explain("reading the end of the stream", &error))?);
        }
        if news.is_none() && last.is_none() {
            let late = tokio::time::timeout(LAST_CHUNK, consumer.next()).await.ok().flatten();
            news = late.transpose().map_err(|error| explain("reading the end of the stream", &error))?;
        }
        let Some(delivery) = news else { break };
        last = stream_offset(&delivery.properties).max(last);
        let ack = channel.basic_ack(delivery.delivery_tag, BasicAckOptions { multiple: true });
        answer("reading the end of the stream", ack).await?;
    }
    close_quietly(&channel).await;
    Ok(last)
}

impl StreamRead {
    /// Opens the read.
    ///
    /// # Errors
    /// What the broker says.
    pub(super) async fn open(shared: Arc<Shared>, queue: &str, options: BrowseOptions) -> Result<Self> {
        if options.partition.is_some() {
            return Err(Error::new(ErrorKind::Usage, "a RabbitMQ stream has no partitions")
                .hint("the partitions of a super stream are queues of their own: NAME-0, NAME-1 …"));
        }
        let link = shared.consuming().await?;
        let last = last_offset(&link, queue).await?;
        let tail = last.map_or(0, |last| last + 1);
        let (from, first) = match options.from {
            From::First => (word("first"), 0),
            From::Last(n) => (AMQPValue::LongLongInt(tail.saturating_sub(n).cast_signed()), tail.saturating_sub(n)),
            From::End => (word("next"), tail),
            From::Offset(offset) => (AMQPValue::LongLongInt(offset.cast_signed()), offset),
            From::Time(time) => (AMQPValue::Timestamp(u64::try_from(time.as_second()).unwrap_or(0)), 0),
        };
        let stop = match options.until {
            Some(Until::Offset(offset)) => Some(offset),
            Some(Until::Time(_)) | None => None,
        };
        let behind = if options.follow { stop } else { Some(stop.map_or(tail, |stop| stop.min(tail))) };
        let mut read = Self {
            channel: link.channel().await?,
            consumer: None,
            queue: queue.to_owned(),
            address: shared.address(queue),
            first,
            behind,
            spent: None,
            at: None,
            progress: Progress { of: behind.map(|behind| behind.saturating_sub(first)), ..Progress::default() },
            waiting: VecDeque::new(),
            end: None,
            options,
        };
        if behind.is_some_and(|behind| behind <= first) {
            read.end = Some(End::Exhausted);
        } else {
            let credit = read.options.limit.filter(|_| read.options.prefilter.is_none()).unwrap_or(CREDIT.into());
            let credit = u16::try_from(credit.clamp(1, CREDIT.into())).unwrap_or(CREDIT);
            read.consumer = Some(consume(&read.channel, queue, from, credit).await?);
        }
        Ok(read)
    }

    fn left(&self) -> u64 {
        let delivered = self.progress.delivered + self.waiting.len() as u64;
        self.options.limit.map_or(u64::MAX, |limit| limit.saturating_sub(delivered))
    }

    /// Whether a message stands before or behind the range of time that was asked for; `None` for within.
    fn out_of_time(&self, time: Option<Timestamp>) -> Option<std::cmp::Ordering> {
        let time = time?;
        match (self.options.from, self.options.until) {
            (From::Time(from), _) if time < from => Some(std::cmp::Ordering::Less),
            (_, Some(Until::Time(until))) if time >= until => Some(std::cmp::Ordering::Greater),
            _ => None,
        }
    }

    /// Takes one raw message in, and finds the end where it stands there.
    fn admit(&mut self, raw: lapin::message::Delivery) {
        self.spent = Some(raw.delivery_tag);
        let Some(offset) = stream_offset(&raw.properties) else { return };
        let behind = self.behind.unwrap_or(u64::MAX);
        if offset < self.first || offset >= behind || self.end.is_some() {
            return;
        }
        self.at = Some(offset + 1);
        let seconds = raw.properties.timestamp().and_then(|seconds| i64::try_from(seconds).ok());
        match self.out_of_time(seconds.and_then(|seconds| Timestamp::from_second(seconds).ok())) {
            Some(std::cmp::Ordering::Less) => {}
            Some(_) => self.end = Some(End::Exhausted),
            None => {
                self.progress.scanned += 1;
                self.progress.bytes += raw.data.len() as u64;
                if may_match(self.options.prefilter.as_ref(), &raw) {
                    self.waiting.push_back(convert::delivery(&self.address, raw, false));
                }
            }
        }
        if self.end.is_none() && offset + 1 >= behind {
            self.end = Some(End::Exhausted);
        } else if self.end.is_none() && self.left() == 0 {
            self.end = Some(End::Limit);
        }
    }

    /// Brings more in, or finds the end. Cancel safe: what came is kept before anything else is waited for.
    async fn fill(&mut self) -> Result<()> {
        if let Some(tag) = self.spent {
            let ack = self.channel.basic_ack(tag, BasicAckOptions { multiple: true });
            answer("asking for more of the stream", ack).await?;
            self.spent = None;
        }
        let Some(consumer) = &mut self.consumer else {
            self.end.get_or_insert(End::Exhausted);
            return Ok(());
        };
        let patience = if self.at.is_none() { SILENT_START } else { SILENT };
        let next = tokio::select! {
            biased;
            () = self.options.cancel.cancelled() => {
                self.end = Some(End::Cancelled);
                return Ok(());
            }
            next = consumer.next() => next,
            () = tokio::time::sleep(patience), if !self.options.follow => {
                self.end = Some(if self.at.is_none() {
                    End::Exhausted
                } else {
                    End::Stopped(format!("the stream was silent for {} s before its end", SILENT.as_secs()))
                });
                return Ok(());
            }
        };
        let gone = || {
            Error::new(
                ErrorKind::NotFound,
                format!("RabbitMQ ended the consumer: the stream {:?} was deleted", self.queue),
            )
        };
        let mut batch = vec![next.ok_or_else(gone)?.map_err(|error| explain("reading the stream", &error))?];
        while let Some(Some(Ok(delivery))) = consumer.next().now_or_never() {
            batch.push(delivery);
        }
        for delivery in batch {
            self.admit(delivery);
        }
        Ok(())
    }
}

#[async_trait]
impl Reader for StreamRead {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        loop {
            if self.options.cancel.is_cancelled() && !(self.waiting.is_empty() && self.end.is_some()) {
                self.waiting.clear();
                self.end = Some(End::Cancelled);
            }
            if !self.waiting.is_empty() {
                let deliveries: Vec<_> = self.waiting.drain(..max.max(1).min(self.waiting.len())).collect();
                self.progress.delivered += deliveries.len() as u64;
                let end = if self.waiting.is_empty() { self.end.clone() } else { None };
                return Ok(Batch { deliveries, end });
            }
            if self.end.is_some() {
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
        self.waiting.clear();
        self.end.get_or_insert(End::Cancelled);
        if let Some(consumer) = self.consumer.take()
            && self.channel.status().connected()
        {
            let cancel = self.channel.basic_cancel(consumer.tag(), BasicCancelOptions::default());
            answer("ending the read of the stream", cancel).await?;
        }
        close_quietly(&self.channel).await;
        Ok(Closed::default())
    }
}
