//! Publishing to one queue: batches by count and bytes, one result for each message.
//!
//! To a standard queue batches go out side by side. To a FIFO queue the messages of a group go one batch after the
//! other, and behind one that failed nothing more of its group is sent: its order is worth more than its speed. A lost
//! answer of a FIFO queue is asked for again, for its deduplication id makes that harmless; that of a standard queue is
//! ambiguous. Limits: SQS answers a message that it drops as a duplicate like one that it takes. It is known by its
//! sequence number only where this publisher has sent a later one of its group, or the same one; and not at all by a
//! server that numbers its messages at random (moto), which is noticed where an id of our own making gets a lower number.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::stream::{self, StreamExt as _};
use tokio::sync::{Mutex, Semaphore};

use super::Shared;
use super::call::{call, pause};
use super::convert::{Named, Outgoing, Rules, outgoing};
use super::errors::{Place, Trouble, is_throttling, refused};
use super::facts::{Facts, LARGEST};
use crate::broker::{PublishLimits, Publisher, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// Entries in one batch.
const BATCH: usize = 10;
/// Batches at once, over all calls.
const AT_ONCE: usize = 16;
/// How often an entry that SQS failed at is sent again.
const TRIES: u32 = 4;

/// A publisher to one queue.
pub(super) struct SqsPublisher {
    shared: Arc<Shared>,
    facts: Facts,
    rules: Rules,
    /// Where made-up deduplication ids begin: this publisher's own.
    seed: String,
    made: AtomicU64,
    slots: Semaphore,
    /// Held for a whole call to a FIFO queue: the lock is fair, so calls go out in their order.
    groups: Mutex<Groups>,
    closed: std::sync::atomic::AtomicBool,
}

/// What is known of the message groups of a FIFO queue.
#[derive(Default)]
struct Groups {
    /// Those of which a message failed, and how.
    stopped: HashMap<String, ErrorKind>,
    /// The sequence number of each one's last message.
    last: HashMap<String, String>,
    /// The server's numbers mean nothing.
    random: bool,
}

/// A message on its way, and where its result goes.
struct Item {
    index: usize,
    out: Outgoing,
}

impl SqsPublisher {
    pub(super) fn new(shared: Arc<Shared>, facts: Facts) -> Self {
        let limits = facts.limits();
        let rules = Rules {
            fifo: facts.is_fifo(),
            content_dedup: facts.content_dedup(),
            max_bytes: limits.max_bytes.unwrap_or(LARGEST),
        };
        let seed = super::seed(&facts.url);
        Self {
            shared,
            facts,
            rules,
            seed,
            made: AtomicU64::new(0),
            slots: Semaphore::new(AT_ONCE),
            groups: Mutex::default(),
            closed: false.into(),
        }
    }

    fn fresh(&self) -> String {
        format!("postroom-{}-{}", self.seed, self.made.fetch_add(1, Ordering::Relaxed))
    }

    fn place(&self) -> Place<'_> {
        Place { action: "SendMessageBatch", queue: &self.facts.name, arn: self.facts.arn() }
    }

    /// Sends batches side by side.
    async fn send_side_by_side(&self, items: Vec<Item>) -> Vec<(usize, Result<Receipt>)> {
        let batches = pack(items);
        let sent = stream::iter(batches).map(|batch| self.send(batch)).buffer_unordered(AT_ONCE);
        let sent = sent.collect::<Vec<_>>().await;
        sent.into_iter().flatten().map(|(index, _, result)| (index, result.map(|(receipt, _)| receipt))).collect()
    }

    /// Sends each group in its order, groups side by side.
    async fn send_in_order(&self, items: Vec<Item>) -> Vec<(usize, Result<Receipt>)> {
        let mut groups = self.groups.lock().await;
        let mut left = items;
        let mut results = Vec::with_capacity(left.len());
        while !left.is_empty() {
            // A round holds of each group what fits into one batch, so that no two batches at once share a group.
            let mut round: Vec<Vec<Item>> = vec![Vec::new()];
            let mut place: HashMap<String, usize> = HashMap::new();
            let mut full: HashSet<String> = HashSet::new();
            let mut rest = Vec::new();
            for item in left {
                let group = item.out.group.clone().unwrap_or_default();
                if let Some(kind) = groups.stopped.get(&group) {
                    results.push((item.index, Err(behind(&group, *kind))));
                    continue;
                }
                if full.contains(&group) {
                    rest.push(item);
                    continue;
                }
                let last = round.len() - 1;
                let at = *place.entry(group.clone()).or_insert_with(|| {
                    if round.get(last).is_some_and(|batch| batch.len() >= BATCH) {
                        round.push(Vec::new());
                    }
                    round.len() - 1
                });
                match round.get_mut(at) {
                    Some(batch) if fits(batch, &item) => batch.push(item),
                    _ => {
                        full.insert(group);
                        rest.push(item);
                    }
                }
            }
            left = rest;
            let sent = stream::iter(round).map(|batch| self.send(batch)).buffer_unordered(AT_ONCE);
            for (index, group, result) in sent.collect::<Vec<_>>().await.into_iter().flatten() {
                let group = group.unwrap_or_default();
                let result = match result {
                    Ok((receipt, sent)) => groups.judge(&group, receipt, &sent),
                    Err(error) => {
                        groups.stopped.insert(group, error.kind());
                        Err(error)
                    }
                };
                results.push((index, result));
            }
        }
        results
    }

    /// Sends one batch. Each message's place, its group, and its receipt with the sequence number.
    async fn send(&self, batch: Vec<Item>) -> Vec<(usize, Option<String>, Result<(Receipt, Sent)>)> {
        let mut done = Vec::with_capacity(batch.len());
        let mut left: Vec<Item> = batch;
        let mut again = false;
        for attempt in 0..TRIES {
            if left.is_empty() {
                break;
            }
            let entries: Vec<SendMessageBatchRequestEntry> = left
                .iter()
                .enumerate()
                .map(|(number, item)| {
                    let mut entry = item.out.entry.clone();
                    entry.id = number.to_string();
                    entry
                })
                .collect();
            let client = self.shared.client().await;
            let slot = self.slots.acquire().await;
            let ask =
                || client.send_message_batch().queue_url(&self.facts.url).set_entries(Some(entries.clone())).send();
            let answer = call(&self.shared.throttling, self.rules.fifo, ask).await;
            drop(slot);
            let answer = match answer {
                Ok(answer) => answer,
                Err(Trouble::Refused { code, .. }) if code.ends_with("BatchRequestTooLong") && left.len() > 1 => {
                    // A server with a smaller limit than AWS's: halves fit, or their halves.
                    let second = left.split_off(left.len() / 2);
                    done.extend(Box::pin(self.send(left)).await);
                    done.extend(Box::pin(self.send(second)).await);
                    return done;
                }
                Err(trouble) => {
                    let error = || trouble.doubt("send").unwrap_or_else(|| trouble.explain(&self.place()));
                    done.extend(left.into_iter().map(|item| (item.index, item.out.group, Err(error()))));
                    return done;
                }
            };
            let mut slots: Vec<Option<Item>> = left.into_iter().map(Some).collect();
            let mut take = |id: &str| slots.get_mut(id.parse::<usize>().ok()?)?.take();
            for entry in answer.successful {
                if let Some(item) = take(&entry.id) {
                    let receipt = Receipt { position: None, id: Some(entry.message_id) };
                    let sent = Sent { sequence: entry.sequence_number, named: item.out.named, again };
                    done.push((item.index, item.out.group, Ok((receipt, sent))));
                }
            }
            let mut retry: Vec<Item> = Vec::new();
            for failed in answer.failed {
                let Some(item) = take(&failed.id) else { continue };
                let overtaken = done.iter().any(|(index, group, result)| {
                    self.rules.fifo && result.is_ok() && *group == item.out.group && *index > item.index
                });
                if overtaken {
                    let Place { queue, .. } = self.place();
                    let error = refused(&self.place(), &failed.code, failed.message.as_deref().unwrap_or_default());
                    let error = error.hint(format!(
                        "{queue:?} took later messages of its group, so sending it now would put it behind them"
                    ));
                    done.push((item.index, item.out.group, Err(error)));
                } else if (failed.sender_fault && !is_throttling(&failed.code)) || attempt + 1 == TRIES {
                    let error = refused(&self.place(), &failed.code, failed.message.as_deref().unwrap_or_default());
                    done.push((item.index, item.out.group, Err(error)));
                } else {
                    retry.push(item);
                }
            }
            let unanswered = || Error::new(ErrorKind::Ambiguous, "SQS gave no answer for the message");
            done.extend(slots.into_iter().flatten().map(|item| (item.index, item.out.group, Err(unanswered()))));
            retry.sort_unstable_by_key(|item| item.index);
            left = retry;
            if !left.is_empty() {
                again = true;
                pause(attempt).await;
            }
        }
        done
    }
}

/// What SQS said of a message that it took.
struct Sent {
    sequence: Option<String>,
    named: Named,
    /// It was sent more than once.
    again: bool,
}

impl Groups {
    /// A sequence number that does not rise belongs to an earlier message: this one was dropped as its duplicate. With an
    /// id of our own it can only be this very message, sent by an earlier try.
    fn judge(&mut self, group: &str, receipt: Receipt, sent: &Sent) -> Result<Receipt> {
        let Some(sequence) = &sent.sequence else { return Ok(receipt) };
        let rises = |last: &String| (last.len(), last.as_str()) < (sequence.len(), sequence.as_str());
        let falls = self.last.get(group).is_some_and(|last| !rises(last));
        self.random |= falls && sent.named == Named::Fresh && !sent.again;
        if falls && sent.named == Named::Others && !sent.again && !self.random {
            return Err(Error::new(
                ErrorKind::Ambiguous,
                "SQS answers with the number of an earlier message: it seems to have dropped this one as a duplicate, for \
                 its deduplication id was used within the last 5 minutes",
            )
            .hint("give it a fresh message_deduplication_id, or none"));
        }
        if self.last.get(group).is_none_or(rises) {
            self.last.insert(group.to_owned(), sequence.clone());
        }
        Ok(receipt)
    }
}

/// The error for a message of a group of which one failed in that way. Where SQS was away for that one, it is for this.
fn behind(group: &str, kind: ErrorKind) -> Error {
    Error::new(
        if kind.is_away() { kind } else { ErrorKind::Rejected },
        format!("an earlier message of its group {group:?} was not sent, and without it the order would be another"),
    )
}

/// Whether a message fits into a batch, by count and by bytes.
fn fits(batch: &[Item], item: &Item) -> bool {
    let bytes: u64 = batch.iter().map(|other| other.out.bytes).sum();
    batch.len() < BATCH && (batch.is_empty() || bytes + item.out.bytes <= LARGEST)
}

/// Batches in order.
fn pack(items: Vec<Item>) -> Vec<Vec<Item>> {
    let mut batches: Vec<Vec<Item>> = Vec::new();
    for item in items {
        match batches.last_mut() {
            Some(batch) if fits(batch, &item) => batch.push(item),
            _ => batches.push(vec![item]),
        }
    }
    batches
}

#[async_trait]
impl Publisher for SqsPublisher {
    fn limits(&self) -> PublishLimits {
        self.facts.limits()
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        let closed = || Err(Error::new(ErrorKind::Unexpected, "the publisher is closed"));
        if self.closed.load(Ordering::Relaxed) {
            return batch.iter().map(|_| closed()).collect();
        }
        let mut results: Vec<Option<Result<Receipt>>> = batch.iter().map(|_| None).collect();
        let mut items = Vec::with_capacity(batch.len());
        for (index, message) in batch.iter().enumerate() {
            match outgoing(message, self.rules, || self.fresh()) {
                Ok(out) => items.push(Item { index, out }),
                Err(error) => {
                    if let Some(slot) = results.get_mut(index) {
                        *slot = Some(Err(error));
                    }
                }
            }
        }
        let sent = if self.rules.fifo { self.send_in_order(items).await } else { self.send_side_by_side(items).await };
        for (index, result) in sent {
            if let Some(slot) = results.get_mut(index) {
                *slot = Some(result);
            }
        }
        let missing = || Err(Error::new(ErrorKind::Ambiguous, "the answer of SQS to the send was lost"));
        results.into_iter().map(|result| result.unwrap_or_else(missing)).collect()
    }

    async fn close(&self) -> Result<()> {
        self.closed.store(true, Ordering::Relaxed);
        // Whoever has the lock has a call under way.
        drop(self.groups.lock().await);
        Ok(())
    }
}
