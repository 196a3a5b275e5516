//! Publishing: idempotent, confirmed by all replicas in sync, to a topic that is known to exist.
//!
//! A key goes to the partition that Java's clients would choose. A record keeps its time as long as the topic's retention
//! would keep it; an older one would be gone at once, and gets the present time. Limits: no transactions.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer, ThreadedProducer};
use tokio::sync::Notify;

use super::Shared;
use super::context::{Context, Trouble};
use super::convert;
use super::errors::{code, explain, meaning};
use super::native;
use super::settings::Settings;
use crate::broker::{HeaderTypes, PublishLimits, Publisher, Receipt, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Message, Position};
use crate::text::human;

/// The largest batch of a topic where nothing else is known: the broker's default.
const MAX_BYTES: u64 = 1_048_588;
/// How long a full queue is waited for at a time.
const FULL: Duration = Duration::from_millis(5);
/// How long a close waits for what is under way.
const FLUSH: Duration = Duration::from_secs(35);

/// What a topic takes.
pub(super) const fn limits(max_bytes: Option<u64>) -> PublishLimits {
    PublishLimits {
        confirm: true,
        max_bytes: Some(match max_bytes {
            Some(bytes) => bytes,
            None => MAX_BYTES,
        }),
        max_batch: None,
        in_flight: None,
        max_headers: None,
        header_types: HeaderTypes::Bytes,
        null_payload: true,
        key: true,
        duplicate_headers: true,
    }
}

/// The records of one batch that are under way.
struct Pending {
    results: Mutex<Vec<Option<std::result::Result<Receipt, Unsent>>>>,
    open: AtomicUsize,
    done: Notify,
}

/// Why there is no receipt.
enum Unsent {
    /// What the client or the broker says, and whether the record may be there all the same.
    Said(KafkaError, bool),
    /// What we say: it was never handed over.
    Ours(Error),
}

/// Where the outcome of one record goes.
pub(super) struct Slot {
    pending: Arc<Pending>,
    index: usize,
}

impl Pending {
    fn set(&self, index: usize, result: std::result::Result<Receipt, Unsent>) {
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = results.get_mut(index) {
            *slot = Some(result);
        }
        drop(results);
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.done.notify_one();
        }
    }
}

impl Slot {
    /// Notes how it went.
    pub(super) fn fill(&self, result: &DeliveryResult<'_>) {
        let outcome = match result {
            Ok(raw) => {
                let offset = u64::try_from(raw.offset()).unwrap_or_default();
                let position = Position { partition: Some(raw.partition()), offset };
                Ok(Receipt { position: Some(position), id: Some(format!("{}:{offset}", raw.partition())) })
            }
            Err((error, record)) => Err(Unsent::Said(error.clone(), native::may_be_there(record))),
        };
        self.pending.set(self.index, outcome);
    }
}

/// What a failed delivery means: the broker said no, it never left, or nobody knows (`doubtful`). `fatal` is why the
/// producer sends nothing any more.
fn failed(error: &KafkaError, doubtful: bool, fatal: Option<(Code, String)>) -> Error {
    let doing = "publishing the record";
    match code(error) {
        // It never left.
        Some(unsent @ (Code::PurgeQueue | Code::Fatal)) if !doubtful => match fatal {
            Some((Code::ClusterAuthorizationFailed, _)) => {
                Error::new(ErrorKind::Denied, "the user may not publish: there is no topic that it may write to")
                    .hint("it needs Write on the topic (kafka-acls.sh lists its rights)")
            }
            Some((fatal, why)) => Error::new(meaning(doing, fatal).kind(), format!("{doing} failed: {why}")),
            None => Error::new(ErrorKind::Rejected, format!("{doing} failed: {unsent}")),
        },
        Some(
            refused @ (Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidRecord
            | Code::InvalidMessage
            | Code::InvalidTimestamp
            | Code::InvalidMessageSize
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::InvalidTopic
            | Code::PolicyViolation),
        ) => {
            let error = meaning(doing, refused);
            match error.kind() {
                // To a publisher a policy is a refusal of this record.
                ErrorKind::Unsupported => Error::new(ErrorKind::Rejected, format!("{doing} failed: {refused}")),
                _ => error,
            }
        }
        Some(Code::MessageTimedOut) if !doubtful => Error::new(
            ErrorKind::Unreachable,
            format!("{doing} failed: no broker took it in time, and it was not sent"),
        )
        .hint("look at the brokers' health, and try again"),
        _ => Error::new(ErrorKind::Ambiguous, format!("Kafka did not confirm the record: {error}"))
            .hint("look whether it arrived before it is sent again"),
    }
}

/// A producer for one topic. Publishers to its partitions share it: each producer has threads and connections of its own.
pub(super) struct Line {
    producer: Option<ThreadedProducer<Context>>,
    limits: PublishLimits,
    retention: Option<Duration>,
    /// The topic gives each record the present time.
    appends_time: bool,
    trouble: Trouble,
    /// Held while a batch is handed over, so that batches arrive in the order of the calls.
    order: tokio::sync::Mutex<()>,
}

impl Line {
    fn new(shared: &Shared, settings: &Settings) -> Result<Self> {
        let limits = limits(settings.max_bytes());
        let context = Context::default();
        let trouble = context.trouble.clone();
        let config = shared.options.producer(limits.max_bytes.unwrap_or(MAX_BYTES));
        let producer = ThreadedProducer::from_config_and_context(&config, context)
            .map_err(|error| explain("opening the publisher", &error))?;
        let order = tokio::sync::Mutex::new(());
        let (retention, appends_time) = (settings.retention(), settings.appends_time());
        Ok(Self { producer: Some(producer), limits, retention, appends_time, trouble, order })
    }
}

impl Line {
    /// Why it sends nothing any more.
    fn fatal(&self) -> Option<(Code, String)> {
        self.producer.as_ref().and_then(|producer| producer.client().fatal_error())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Dropping a producer waits for its thread.
        let producer = self.producer.take();
        drop(std::thread::Builder::new().spawn(move || drop(producer)));
    }
}

/// The producers that are open, by topic.
pub(super) type Lines = tokio::sync::Mutex<HashMap<String, Weak<Line>>>;

/// A publisher to one topic, or one partition of it.
pub(super) struct KafkaPublisher {
    line: Mutex<Option<Arc<Line>>>,
    topic: String,
    partition: Option<i32>,
    limits: PublishLimits,
}

impl fmt::Debug for KafkaPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaPublisher")
            .field("topic", &self.topic)
            .field("partition", &self.partition)
            .finish_non_exhaustive()
    }
}

impl KafkaPublisher {
    /// # Errors
    /// `Usage` for an exchange, `NotFound` for a topic or partition that is not there.
    pub(super) async fn open(shared: &Shared, target: &Target) -> Result<Self> {
        let Target::Queue { name, partition } = target else {
            return Err(Error::new(ErrorKind::Usage, "Kafka has no exchanges").hint("name a topic"));
        };
        let topic = shared.topic(name).await?;
        if let Some(wanted) = partition.filter(|wanted| !topic.partitions.contains(wanted)) {
            return Err(Error::new(ErrorKind::NotFound, format!("the topic {name:?} has no partition {wanted}"))
                .hint(format!("it has {}", topic.partitions.len())));
        }
        let mut lines = shared.lines.lock().await;
        let open = lines.get(name).and_then(Weak::upgrade).filter(|line| line.fatal().is_none());
        let line = if let Some(line) = open {
            line
        } else {
            let line = Arc::new(Line::new(shared, &shared.settings(name).await)?);
            if let Some(tokens) = shared.options.tokens() {
                tokens.serve(&line, |line| line.producer.as_ref().map(Producer::client)).await?;
            }
            lines.insert(name.clone(), Arc::downgrade(&line));
            line
        };
        drop(lines);
        let limits = line.limits;
        Ok(Self { line: Mutex::new(Some(line)), topic: topic.name, partition: *partition, limits })
    }

    fn line(&self) -> Option<Arc<Line>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time a record is sent with; `None` for the present.
    fn time(line: &Line, message: &Message) -> Option<i64> {
        let time = message.time?;
        let age = Timestamp::now().duration_since(time);
        let expired = line.retention.is_some_and(|retention| Duration::try_from(age).is_ok_and(|age| age >= retention));
        // 0 would mean "now" to the client.
        Some(time.as_millisecond()).filter(|millis| *millis > 0 && !expired)
    }

    /// Hands one record over.
    async fn send(&self, line: &Line, producer: &ThreadedProducer<Context>, message: &Message, slot: Box<Slot>) {
        if let Some((name, _)) = message.properties.iter().next() {
            let why = format!("the property {name:?} is none that Kafka has");
            let error = Error::new(ErrorKind::Rejected, why).hint("drop it or turn it into a header by an edit");
            slot.pending.set(slot.index, Err(Unsent::Ours(error)));
            return;
        }
        let mut slot = slot;
        loop {
            let Some(headers) = convert::headers(&message.headers) else {
                let error = Error::new(ErrorKind::Rejected, "a header's value is neither bytes nor null");
                slot.pending.set(slot.index, Err(Unsent::Ours(error)));
                return;
            };
            let mut record = BaseRecord::<[u8], [u8], Box<Slot>>::with_opaque_to(&self.topic, slot);
            record.key = message.key.as_deref();
            record.payload = message.payload.as_deref();
            record.partition = self.partition;
            record.timestamp = Self::time(line, message);
            if !message.headers.is_empty() {
                record.headers = Some(headers);
            }
            match producer.send(record) {
                Ok(()) => return,
                Err((KafkaError::MessageProduction(Code::QueueFull), record)) => {
                    slot = record.delivery_opaque;
                }
                Err((error, record)) => {
                    let slot = record.delivery_opaque;
                    // It was never taken over, so nothing of it is on its way.
                    let error = match failed(&error, false, line.fatal()) {
                        error if error.kind() == ErrorKind::Ambiguous => {
                            Error::new(ErrorKind::Rejected, error.message().to_owned())
                        }
                        error => error,
                    };
                    slot.pending.set(slot.index, Err(Unsent::Ours(error)));
                    return;
                }
            }
            tokio::time::sleep(FULL).await;
        }
    }
}

#[async_trait]
impl Publisher for KafkaPublisher {
    fn limits(&self) -> PublishLimits {
        self.limits
    }

    fn times(&self) -> Option<String> {
        let line = self.line()?;
        Some(match line.retention {
            _ if line.appends_time => "the topic gives each record the present one (LogAppendTime)".to_owned(),
            Some(retention) => format!(
                "records keep theirs; one that is older than the topic's retention ({}) gets the present one, for it would \
                 be gone at once",
                human::duration(retention)
            ),
            None => "records keep theirs".to_owned(),
        })
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        let line = self.line();
        let Some((line, producer)) = line.as_ref().and_then(|line| Some((line, line.producer.as_ref()?))) else {
            let closed = || Err(Error::new(ErrorKind::Unexpected, "the publisher is closed"));
            return batch.iter().map(|_| closed()).collect();
        };
        if batch.is_empty() {
            return Vec::new();
        }
        let pending = Arc::new(Pending {
            results: Mutex::new(batch.iter().map(|_| None).collect()),
            open: AtomicUsize::new(batch.len()),
            done: Notify::new(),
        });
        {
            let _order = line.order.lock().await;
            for (index, message) in batch.iter().enumerate() {
                let slot = Box::new(Slot { pending: Arc::clone(&pending), index });
                self.send(line, producer, message, slot).await;
            }
        }
        while pending.open.load(Ordering::Acquire) > 0 {
            pending.done.notified().await;
        }
        line.trouble.clear();
        let results = std::mem::take(&mut *pending.results.lock().unwrap_or_else(PoisonError::into_inner));
        let explain = |result: Option<std::result::Result<Receipt, Unsent>>| match result {
            Some(Ok(receipt)) => Ok(receipt),
            Some(Err(Unsent::Said(error, doubtful))) => Err(failed(&error, doubtful, line.fatal())),
            Some(Err(Unsent::Ours(error))) => Err(error),
            None => Err(Error::new(ErrorKind::Ambiguous, "Kafka gave no answer for the record")),
        };
        results.into_iter().map(explain).collect()
    }

    async fn close(&self) -> Result<()> {
        let Some(line) = self.line.lock().unwrap_or_else(PoisonError::into_inner).take() else { return Ok(()) };
        let flush = move || {
            let flushed = line.producer.as_ref().map_or(Ok(()), |producer| producer.flush(FLUSH));
            flushed.map_err(|error| explain("closing the publisher", &error))
        };
        tokio::task::spawn_blocking(flush).await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Unexpected, "closing the publisher failed").because(error))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_definite_no_is_a_refusal() {
        let kind = |code, doubtful| failed(&KafkaError::MessageProduction(code), doubtful, None).kind();
        assert_eq!(kind(Code::MessageSizeTooLarge, true), ErrorKind::Rejected);
        assert_eq!(kind(Code::PolicyViolation, true), ErrorKind::Rejected);
        assert_eq!(kind(Code::TopicAuthorizationFailed, true), ErrorKind::Denied);
        for lost in [Code::MessageTimedOut, Code::BrokerTransportFailure, Code::NotEnoughReplicasAfterAppend] {
            assert_eq!(kind(lost, true), ErrorKind::Ambiguous);
        }
        // What never left the client is no doubt, whatever it says.
        assert_eq!(kind(Code::PurgeQueue, false), ErrorKind::Rejected);
        assert_eq!(kind(Code::MessageTimedOut, false), ErrorKind::Unreachable);
        assert_eq!(kind(Code::PurgeInflight, true), ErrorKind::Ambiguous);
    }
}
