//! Receives side by side: workers that ask for messages until they are told to stop.
//!
//! A receive under way is never dropped: its messages would be hidden until their lease ran out, and nobody would know
//! them. So workers are tasks, and whoever ends the feed waits for their last answers. A worker whose long poll brought
//! nothing waits until it is told to ask again. Limits: long polls last a second, which asks all of SQS's servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use aws_sdk_sqs::types::{Message as Raw, MessageSystemAttributeName};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::call::{call, pause};
use super::errors::{Place, Trouble};
use super::facts::Facts;
use super::leases::{Leases, Met};
use crate::error::Error;

/// Receives at once.
pub(super) const WORKERS: usize = 16;
/// Messages in one receive.
pub(super) const RECEIVE: u64 = 10;
/// How long a receive waits for messages, in seconds.
const WAIT: i32 = 1;
/// The smallest part of the memory that is counted.
const UNIT: u64 = 1024;
/// Messages that wait for the reader at most, however small: what is held ahead is hidden from everybody else.
const AHEAD: u64 = 2000;
/// When a worker that found nothing asks again, where nobody tells it to.
const LATE: Duration = Duration::from_mins(1);
/// How often a receive is made again after a fault or a lost answer.
const TRIES: u32 = 4;

/// What came of one receive.
pub(super) enum Fed {
    /// Messages, which are held by [`Leases`] already, and their share of the memory.
    Some(Vec<(Met, Raw)>, Option<OwnedSemaphorePermit>),
    /// Nothing is to be had. The worker waits for [`Feed::again`].
    Empty,
    /// More would be in flight than SQS allows. The worker waits for [`Feed::again`].
    Full,
    /// The answer of a receive was lost: what it held is hidden until its lease runs out.
    Lost,
    /// It can't go on.
    Failed(Error),
}

/// What the workers share.
struct Work {
    shared: Arc<Shared>,
    facts: Facts,
    leases: Arc<Leases>,
    /// Messages that may still be asked for.
    wanted: AtomicU64,
    /// Receives under way, or whose answer is not in the channel yet.
    busy: AtomicUsize,
    again: Notify,
    stop: CancellationToken,
    memory: Arc<Semaphore>,
    units: u32,
    /// Where the names of receives begin, and how many were given.
    seed: String,
    made: AtomicU64,
}

/// The receives of one reader.
pub(super) struct Feed {
    work: Arc<Work>,
    tasks: Vec<JoinHandle<()>>,
    from: mpsc::UnboundedReceiver<Fed>,
}

impl Feed {
    /// Starts the workers: as many as the messages expected are worth.
    pub(super) fn start(
        shared: &Arc<Shared>,
        (facts, leases): (&Facts, &Arc<Leases>),
        wanted: u64,
        expected: u64,
        memory: u64,
    ) -> Self {
        let units = u32::try_from(memory / UNIT).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        let work = Arc::new(Work {
            shared: Arc::clone(shared),
            facts: facts.clone(),
            leases: Arc::clone(leases),
            wanted: AtomicU64::new(wanted),
            busy: AtomicUsize::new(0),
            again: Notify::new(),
            stop: CancellationToken::new(),
            memory: Arc::new(Semaphore::new(units as usize)),
            units,
            seed: super::seed(&facts.url),
            made: AtomicU64::new(0),
        });
        let receives = usize::try_from(expected.min(wanted).div_ceil(RECEIVE)).unwrap_or(WORKERS);
        let workers = receives.clamp(2, WORKERS);
        let (into, from) = mpsc::unbounded_channel();
        let tasks = (0..workers).map(|_| tokio::spawn(worker(Arc::clone(&work), into.clone()))).collect();
        Self { work, tasks, from }
    }

    /// The next answer. Cancel safe. `None` when all workers have ended.
    pub(super) async fn next(&mut self) -> Option<Fed> {
        self.from.recv().await
    }

    /// Whether no answer waits to be read.
    pub(super) fn is_read(&self) -> bool {
        self.from.is_empty()
    }

    /// Whether no receive is under way either.
    pub(super) fn is_idle(&self) -> bool {
        self.work.busy.load(Ordering::SeqCst) == 0 && self.is_read()
    }

    /// Lets so many more messages be asked for, in the place of some that do not count.
    pub(super) fn want(&self, more: u64) {
        if self.work.wanted.load(Ordering::Relaxed) != u64::MAX {
            self.work.wanted.fetch_add(more, Ordering::Relaxed);
            self.work.again.notify_waiters();
        }
    }

    /// Lets all workers that found nothing ask again.
    pub(super) fn again(&self) {
        self.work.again.notify_waiters();
    }

    /// Lets so many of the workers that found nothing ask again: each long poll costs a call, and a server that answers
    /// slowly has others to answer.
    pub(super) fn probe(&self, workers: usize) {
        for _ in 0..workers.min(WORKERS) {
            self.work.again.notify_one();
        }
    }

    /// Ends the workers and gives what their last receives brought.
    pub(super) async fn stop(&mut self) -> Vec<Vec<(Met, Raw)>> {
        self.work.stop.cancel();
        self.work.memory.close();
        while let Some(task) = self.tasks.last_mut() {
            _ = task.await;
            self.tasks.pop();
        }
        let mut rest = Vec::new();
        while let Ok(fed) = self.from.try_recv() {
            if let Fed::Some(messages, _) = fed {
                rest.push(messages);
            }
        }
        rest
    }
}

/// Without a stop the workers end by themselves; what they hold comes back when its lease runs out.
impl Drop for Feed {
    fn drop(&mut self) {
        self.work.stop.cancel();
        self.work.memory.close();
    }
}

impl Work {
    /// Takes leave to ask for some messages.
    fn reserve(&self) -> u64 {
        let mut got = 0;
        let _ = self.wanted.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |wanted| {
            got = wanted.min(RECEIVE);
            (wanted != u64::MAX).then(|| wanted - got)
        });
        got
    }

    fn give_back(&self, count: u64) {
        if count > 0 && self.wanted.load(Ordering::Relaxed) != u64::MAX {
            self.wanted.fetch_add(count, Ordering::Relaxed);
            self.again.notify_waiters();
        }
    }

    /// Gives back without waking those that found nothing, for there is nothing more for them.
    fn give_back_quietly(&self, count: u64) {
        if self.wanted.load(Ordering::Relaxed) != u64::MAX {
            self.wanted.fetch_add(count, Ordering::Relaxed);
        }
    }

    /// One receive, made again after a lost answer, which the reader is told of at once.
    async fn receive(&self, count: u64, into: &mpsc::UnboundedSender<Fed>) -> Result<Vec<Raw>, Trouble> {
        let client = self.shared.client().await;
        let lease = i32::try_from(self.shared.settings.lease.as_secs()).unwrap_or(i32::MAX);
        // A FIFO queue gives a receive that is made again under the same name the same messages.
        let name = self.facts.is_fifo().then(|| format!("{}-{}", self.seed, self.made.fetch_add(1, Ordering::Relaxed)));
        let mut tries = 1;
        loop {
            let ask = || {
                client
                    .receive_message()
                    .queue_url(&self.facts.url)
                    .max_number_of_messages(i32::try_from(count).unwrap_or(1))
                    .visibility_timeout(lease)
                    .wait_time_seconds(WAIT)
                    .message_attribute_names("All")
                    .message_system_attribute_names(MessageSystemAttributeName::All)
                    .set_receive_request_attempt_id(name.clone())
                    .send()
            };
            match call(&self.shared.throttling, false, ask).await {
                Ok(answer) => return Ok(answer.messages.unwrap_or_default()),
                Err(Trouble::Lost(_) | Trouble::Faulty(_)) if tries < TRIES && !self.stop.is_cancelled() => {
                    _ = into.send(Fed::Lost);
                    pause(tries).await;
                    tries += 1;
                }
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// A message's share of the memory and of [`AHEAD`].
    fn share(&self, messages: &[(Met, Raw)]) -> u32 {
        let bytes: usize = messages.iter().map(|(_, raw)| raw.body.as_ref().map_or(0, String::len)).sum();
        let least = u64::from(self.units).div_ceil(AHEAD) * messages.len() as u64;
        u32::try_from((bytes as u64 / UNIT).max(least)).unwrap_or(u32::MAX).clamp(1, self.units)
    }
}

async fn worker(work: Arc<Work>, into: mpsc::UnboundedSender<Fed>) {
    while !work.stop.is_cancelled() {
        // Made before the numbers are looked at, so that no word is missed.
        let again = work.again.notified();
        let count = work.reserve();
        if count == 0 {
            tokio::select! {
                () = again => continue,
                () = work.stop.cancelled() => return,
            }
        }
        let since = Instant::now();
        work.busy.fetch_add(1, Ordering::SeqCst);
        let nothing = match work.receive(count, &into).await {
            Ok(messages) if messages.is_empty() => Fed::Empty,
            Ok(messages) => {
                work.give_back(count.saturating_sub(messages.len() as u64));
                let meet = |raw: Raw| {
                    let handle = raw.receipt_handle.clone().unwrap_or_default();
                    (work.leases.meet(raw.message_id.as_deref().unwrap_or_default(), handle, since), raw)
                };
                let messages: Vec<_> = messages.into_iter().map(meet).collect();
                // None while the feed is being stopped: what it holds goes back, and needs no share any more.
                let share = Arc::clone(&work.memory).acquire_many_owned(work.share(&messages)).await.ok();
                let sent = into.send(Fed::Some(messages, share));
                work.busy.fetch_sub(1, Ordering::SeqCst);
                if sent.is_err() {
                    return;
                }
                continue;
            }
            Err(Trouble::Refused { code, .. }) if code.ends_with("OverLimit") => Fed::Full,
            Err(trouble) => {
                let place = Place { action: "ReceiveMessage", queue: &work.facts.name, arn: work.facts.arn() };
                _ = into.send(Fed::Failed(trouble.explain(&place)));
                work.busy.fetch_sub(1, Ordering::SeqCst);
                return;
            }
        };
        let again = work.again.notified();
        tokio::pin!(again);
        again.as_mut().enable();
        work.give_back_quietly(count);
        let sent = into.send(nothing);
        work.busy.fetch_sub(1, Ordering::SeqCst);
        if sent.is_err() {
            return;
        }
        tokio::select! {
            () = again => {}
            () = work.stop.cancelled() => return,
            // A reader that is busy elsewhere asks again late.
            () = tokio::time::sleep(LATE) => {}
        }
    }
}
