//! Deliveries of a classic or quorum queue, in windows, with bounded memory in the client.
//!
//! A consumer with a prefetch of N gives N messages and then waits for acknowledgements. When its N are here it is
//! cancelled, which leaves them unsettled on the channel, and the next consumer brings the next N. So a whole queue
//! can be held while one window of payloads is in memory; lapin's own buffer is unbounded, only the prefetch bounds it.
//!
//! Every step that talks to the broker runs in a task of its own, so that a caller who stops waiting loses nothing.
//! Limits: the queue's end is known by a passive declare that counts nothing ready, since AMQP has no end.

use std::collections::VecDeque;
use std::future::Future;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use lapin::message::Delivery;
use lapin::options::{BasicCancelOptions, BasicConsumeOptions, BasicQosOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{Channel, Consumer};
use tokio::task::JoinHandle;

use super::errors::{answer, explain, short};
use super::learn;
use crate::error::{Error, ErrorKind, Result};

/// How long to wait for the next delivery of a batch.
const LINGER: Duration = Duration::from_millis(2);
/// A larger batch is gathered in steps of this length.
const TICK: Duration = Duration::from_millis(1);
/// See [`TICK`].
const MANY: usize = 200;
/// Without a delivery for this long the queue is asked whether anything is ready.
const QUIET: Duration = Duration::from_millis(100);
/// The same for a consumer that is going to be ended.
const FLIGHT: Duration = Duration::from_millis(20);
/// After an answer of zero, deliveries may still be on their way (a quorum queue sends them from another process).
const GRACE: Duration = Duration::from_millis(50);
/// How long to wait for room in a consumer whose messages are being acknowledged, before another one is opened.
const ROOM: Duration = Duration::from_millis(50);
/// How long a queue may have messages ready and deliver none.
const STALLED: Duration = Duration::from_secs(5);

/// A step that goes on when the caller stops waiting for it, and is taken up by the next call.
pub(super) struct Step<T>(Option<JoinHandle<T>>);

impl<T> Default for Step<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Send + 'static> Step<T> {
    /// Whether one was begun and not taken up.
    pub(super) fn is_pending(&self) -> bool {
        self.0.is_some()
    }

    /// Begins the step, unless one is under way, and waits for its end.
    ///
    /// # Errors
    /// `Unexpected` where the task died.
    pub(super) async fn run<F: Future<Output = T> + Send + 'static>(&mut self, begin: impl FnOnce() -> F) -> Result<T> {
        let handle = self.0.get_or_insert_with(|| tokio::spawn(begin()));
        let ended = handle.await;
        self.0 = None;
        ended.map_err(|error| Error::new(ErrorKind::Unexpected, "a step of the reader broke off").because(error))
    }
}

/// The consumer at work.
struct Current {
    consumer: Consumer,
    /// Unacknowledged messages it holds at most.
    prefetch: u64,
    /// Messages it may deliver at most, whatever is acknowledged.
    quota: u64,
    delivered: u64,
    acknowledged: u64,
    /// The first delivery tag of this consumer.
    first: Option<u64>,
    /// The newest delivery tag of this consumer that was acknowledged.
    newest: Option<u64>,
    cancelled: bool,
}

impl Current {
    /// Counts a delivery and keeps it.
    fn take_in(&mut self, delivery: Delivery, left: &mut VecDeque<Delivery>) {
        self.first.get_or_insert(delivery.delivery_tag);
        self.delivered += 1;
        left.push_back(delivery);
    }

    /// Takes in what follows at once, up to `max` in all: a batch of a few costs its caller a round trip each. Cancel
    /// safe.
    async fn gather(&mut self, left: &mut VecDeque<Delivery>, max: usize) -> Result<()> {
        let mut patience = LINGER;
        while left.len() < max && !self.is_spent() {
            let next = if let Some(next) = self.consumer.next().now_or_never() {
                patience = LINGER;
                next
            } else if max > MANY && !patience.is_zero() {
                // To be woken for each of them costs more than the wait.
                tokio::time::sleep(TICK).await;
                patience = patience.saturating_sub(TICK);
                continue;
            } else {
                match tokio::time::timeout(patience, self.consumer.next()).await {
                    Ok(next) => next,
                    Err(_) => return Ok(()),
                }
            };
            match next {
                Some(Ok(delivery)) => self.take_in(delivery, left),
                Some(Err(error)) => return Err(explain("reading", &error)),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Whether nothing more can come from it.
    fn is_spent(&self) -> bool {
        self.delivered >= self.quota || self.is_full()
    }

    /// Whether it holds as many as it may.
    fn is_full(&self) -> bool {
        self.unsettled() >= self.prefetch
    }

    /// Whether what stays held of it leaves so little room that it would bring only a few at a time. What is younger
    /// than the newest that was acknowledged is likely to go soon; what is older was left.
    fn is_clogged(&self) -> bool {
        let passed = self.first.zip(self.newest).map_or(0, |(first, newest)| newest + 1 - first);
        self.delivered >= self.quota || passed.saturating_sub(self.acknowledged) * 2 > self.prefetch
    }

    fn unsettled(&self) -> u64 {
        self.delivered.saturating_sub(self.acknowledged)
    }
}

/// What the queue had to give.
pub(super) enum Fed {
    /// At least one.
    Some(Vec<Delivery>),
    /// Nothing is ready.
    Dry,
    /// Something is ready, and is not delivered to us.
    Stalled(u64),
}

/// The deliveries of one queue on one channel.
pub(super) struct Feed {
    channel: Channel,
    queue: String,
    current: Option<Current>,
    /// What came from a consumer that was cancelled.
    left: VecDeque<Delivery>,
    opening: Step<Result<Consumer>>,
    /// The cancel of the consumer at work. Begun once, it is finished before anything else is asked of the consumer.
    ending: Step<Result<()>>,
    /// Prefetch and quota of the consumer that is being opened.
    next: (u64, u64),
    serial: u32,
    /// Something was acknowledged since room in a consumer was last waited for in vain.
    flows: bool,
}

impl Feed {
    pub(super) fn new(channel: Channel, queue: &str) -> Self {
        Self {
            channel,
            queue: queue.to_owned(),
            current: None,
            left: VecDeque::new(),
            opening: Step::default(),
            ending: Step::default(),
            next: (0, 0),
            serial: 0,
            flows: false,
        }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// The next deliveries, at most `max`. A new consumer, where one is needed, holds `prefetch` messages at most and
    /// delivers at most `quota` in all. Cancel safe.
    ///
    /// # Errors
    /// What the broker says; `NotFound` where the queue was deleted.
    pub(super) async fn next(&mut self, max: usize, prefetch: u64, quota: u64) -> Result<Fed> {
        if let Some(batch) = self.leftover(max) {
            return Ok(Fed::Some(batch));
        }
        let rotating = self.opening.is_pending() || self.ending.is_pending();
        if self.flows && !rotating && self.current.as_ref().is_some_and(|at| at.is_full() && !at.is_clogged()) {
            // The caller stops waiting to acknowledge what it has, and asks again.
            tokio::time::sleep(ROOM).await;
            self.flows = false;
        }
        if rotating || self.current.as_ref().is_none_or(|at| at.is_full() || at.is_clogged()) {
            self.rotate(prefetch, quota).await?;
            if let Some(batch) = self.leftover(max) {
                return Ok(Fed::Some(batch));
            }
        }
        self.wait(max).await
    }

    /// What is here of consumers that were ended.
    pub(super) fn take_left(&mut self) -> Vec<Delivery> {
        self.left.drain(..).collect()
    }

    fn leftover(&mut self, max: usize) -> Option<Vec<Delivery>> {
        let batch: Vec<_> = self.left.drain(..max.min(self.left.len())).collect();
        (!batch.is_empty()).then_some(batch)
    }

    /// Cancels the consumer at work and opens the next.
    async fn rotate(&mut self, prefetch: u64, quota: u64) -> Result<()> {
        self.retire().await?;
        if !self.opening.is_pending() {
            self.serial += 1;
            let prefetch = prefetch.min(quota).clamp(1, u16::MAX.into());
            self.next = (prefetch, quota);
        }
        let (prefetch, quota) = self.next;
        let (channel, queue, serial) = (self.channel.clone(), short("queue name", &self.queue)?, self.serial);
        let consumer = self.opening.run(move || consume(channel, queue, serial, prefetch)).await??;
        self.current = Some(Current {
            consumer,
            prefetch,
            quota,
            delivered: 0,
            acknowledged: 0,
            first: None,
            newest: None,
            cancelled: false,
        });
        Ok(())
    }

    /// Waits until nothing more is on its way from the consumer at work: it holds all it may, or nothing is ready.
    ///
    /// A quorum queue sends deliveries from another process, so one can come behind the answer to a cancel. The client
    /// then knows no consumer for it: it would be held unseen, and go back uninspected.
    async fn saturate(&mut self) -> Result<()> {
        let began = tokio::time::Instant::now();
        let mut patience = FLIGHT;
        let mut zero = false;
        while let Some(current) = self.current.as_mut().filter(|current| !current.cancelled && !current.is_full()) {
            match tokio::time::timeout(patience, current.consumer.next()).await {
                Ok(Some(Ok(delivery))) => current.take_in(delivery, &mut self.left),
                Ok(Some(Err(error))) => return Err(explain("reading", &error)),
                Ok(None) => return Ok(()),
                Err(_) if zero || began.elapsed() >= STALLED => return Ok(()),
                Err(_) => {
                    zero = learn::count(&self.channel, &self.queue).await?.0 == 0;
                    patience = if zero { GRACE } else { FLIGHT };
                }
            }
        }
        Ok(())
    }

    /// Ends the consumer at work; its messages stay held. What it had already sent is kept for the next call.
    async fn retire(&mut self) -> Result<()> {
        if !self.ending.is_pending() {
            self.saturate().await?;
        }
        let Some(current) = &mut self.current else { return Ok(()) };
        if !current.cancelled {
            let (channel, tag) = (self.channel.clone(), current.consumer.tag());
            let cancel = async move {
                let cancel = channel.basic_cancel(tag, BasicCancelOptions::default());
                answer("ending a consumer", cancel).await
            };
            self.ending.run(|| cancel).await??;
            current.cancelled = true;
        }
        // The cancel-ok comes behind all deliveries, so what there is is here.
        while let Some(Some(delivery)) = current.consumer.next().now_or_never() {
            current.take_in(delivery.map_err(|error| explain("reading", &error))?, &mut self.left);
        }
        self.current = None;
        Ok(())
    }

    /// Waits for deliveries of the consumer at work.
    async fn wait(&mut self, max: usize) -> Result<Fed> {
        let Some(current) = &mut self.current else { return Ok(Fed::Dry) };
        let began = tokio::time::Instant::now();
        let mut patience = QUIET;
        let mut zero = false;
        loop {
            match tokio::time::timeout(patience, current.consumer.next()).await {
                Ok(Some(Ok(delivery))) => {
                    current.take_in(delivery, &mut self.left);
                    current.gather(&mut self.left, max).await?;
                    return Ok(self.leftover(max).map_or(Fed::Dry, Fed::Some));
                }
                Ok(Some(Err(error))) => return Err(explain("reading", &error)),
                Ok(None) => {
                    return Err(Error::new(
                        ErrorKind::NotFound,
                        format!("RabbitMQ ended the consumer: the queue {:?} was deleted or moved", self.queue),
                    ));
                }
                Err(_) if zero => return Ok(Fed::Dry),
                Err(_) => {
                    let (ready, _) = learn::count(&self.channel, &self.queue).await?;
                    zero = ready == 0;
                    patience = if zero { GRACE } else { QUIET };
                    if !zero && began.elapsed() >= STALLED {
                        return Ok(Fed::Stalled(ready));
                    }
                }
            }
        }
    }

    /// Makes room for acknowledging these tags: where that would let the consumer at work deliver beyond its quota,
    /// it is ended first.
    ///
    /// # Errors
    /// What the broker says.
    pub(super) async fn before_ack(&mut self, tags: impl Iterator<Item = u64>) -> Result<()> {
        if self.ending.is_pending() {
            return self.retire().await;
        }
        self.flows = true;
        let Some(current) = &mut self.current else { return Ok(()) };
        let first = current.first.unwrap_or(u64::MAX);
        let mut newest = current.newest;
        let mine = tags.filter(|tag| *tag >= first).inspect(|tag| newest = newest.max(Some(*tag))).count() as u64;
        if current.acknowledged + mine + current.prefetch > current.quota {
            return self.retire().await;
        }
        current.acknowledged += mine;
        current.newest = newest;
        Ok(())
    }

    /// Ends the consumer at work, so that nothing is delivered any more.
    ///
    /// # Errors
    /// What the broker says.
    pub(super) async fn stop(&mut self) -> Result<()> {
        if self.opening.is_pending() {
            self.rotate(1, 1).await?;
        }
        self.retire().await
    }
}

/// Opens a consumer that holds `prefetch` messages at most.
async fn consume(channel: Channel, queue: ShortString, serial: u32, prefetch: u64) -> Result<Consumer> {
    let doing = format!("reading the queue {:?}", queue.as_str());
    let prefetch = u16::try_from(prefetch).unwrap_or(u16::MAX);
    // One nack returns what is held consumer by consumer, in the order of their tags as text.
    let tag = short("consumer tag", &format!("postroom-{serial:010}"))?;
    // Sent together, answered in order: one round trip less.
    let qos = channel.basic_qos(prefetch, BasicQosOptions::default());
    let consume = channel.basic_consume(queue, tag, BasicConsumeOptions::default(), FieldTable::default());
    let (qos, consumer) = tokio::join!(answer("setting the prefetch", qos), answer(&doing, consume));
    qos?;
    consumer
}
