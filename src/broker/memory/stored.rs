//! A message at rest in a queue: the content as it was published, and what the broker counts beside it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::clock::later;
use super::describe::arn;
use super::profile::{Product, Profile};
use super::spec::QueueSpec;
use crate::broker::Receipt;
use crate::message::{Fields, Message, Position, Value};

/// Why a message died or was destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeathReason {
    /// A consumer refused it without requeue.
    Rejected,
    /// Its time to live or the retention ran out.
    Expired,
    /// The queue was full.
    MaxLength,
    /// It was returned (RabbitMQ) or received (SQS) more often than the queue allows.
    DeliveryLimit,
}

impl DeathReason {
    /// The word in `x-death`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::MaxLength => "maxlen",
            Self::DeliveryLimit => "delivery_limit",
        }
    }
}

/// One entry of the broker's own death record.
#[derive(Clone, Debug)]
pub(super) struct Death {
    pub(super) queue: String,
    pub(super) reason: DeathReason,
    pub(super) count: i64,
    pub(super) exchange: String,
    pub(super) routing_key: Vec<u8>,
    pub(super) time: Timestamp,
    pub(super) original_expiration: Option<Value>,
}

/// A message in a queue.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    /// Content, id and time; no metadata, no address.
    pub(super) message: Message,
    /// The exchange it came through; empty for the default one.
    pub(super) exchange: String,
    /// When it came into this queue.
    pub(super) arrived: Timestamp,
    /// When it was first sent.
    pub(super) sent: Timestamp,
    /// When it is gone.
    pub(super) expires: Option<Timestamp>,
    /// It was delivered before.
    pub(super) redelivered: bool,
    /// What counts against the delivery limit: counted returns, or SQS receives.
    pub(super) failed: u32,
    /// Every time that it was delivered and came back.
    pub(super) acquired: u32,
    /// The broker's own record of its deaths, newest first. A client's `x-death` is no part of it.
    pub(super) deaths: Vec<Death>,
    /// The SQS queue that it was dead-lettered from.
    pub(super) source: Option<String>,
}

/// A message that leaves its queue by dying.
#[derive(Debug)]
pub(super) struct Dead {
    pub(super) stored: Stored,
    pub(super) reason: DeathReason,
}

impl Stored {
    /// A message as it is taken in from a publisher.
    pub(super) fn new(message: Message, exchange: &str, sent: Timestamp) -> Self {
        Self {
            message: Message { address: Arc::default(), metadata: Fields::new(), deliveries: None, ..message },
            exchange: exchange.to_owned(),
            arrived: sent,
            sent,
            expires: None,
            redelivered: false,
            failed: 0,
            acquired: 0,
            deaths: Vec::new(),
            source: None,
        }
    }

    /// Prepares it for a queue: its id, position, times and counters there.
    pub(super) fn enter(&mut self, spec: &QueueSpec, position: Option<Position>, now: Timestamp) {
        self.arrived = now;
        self.message.position = position;
        self.redelivered = false;
        self.acquired = 0;
        let profile = spec.profile;
        let mut life = spec.retention;
        let mut born = now;
        match profile.product() {
            Product::Rabbit => {
                // From 4.3 on the counter travels with a dead-lettered message; before, it starts again.
                if profile == Profile::RabbitQuorum40 {
                    self.failed = 0;
                }
                let properties = &self.message.properties;
                let seconds = properties.get("timestamp").and_then(Value::as_i64);
                self.message.time = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
                let own = properties.get_str("expiration").and_then(|ms| ms.parse().ok()).map(Duration::from_millis);
                life = own.into_iter().chain(spec.message_ttl).chain(spec.retention).min();
                self.message.id = match (position, properties.get_str("message_id")) {
                    (Some(position), _) => position.offset.to_string(),
                    (None, Some(id)) => id.to_owned(),
                    (None, None) => self.message.content_id(),
                };
            }
            Product::Kafka => {
                born = self.message.time.unwrap_or(now);
                self.message.time = Some(born);
                if let Some(Position { partition: Some(partition), offset }) = position {
                    self.message.id = format!("{partition}:{offset}");
                }
            }
            Product::Sqs => {
                self.message.time = Some(self.sent);
                // A standard queue counts from the first send, also in a dead-letter queue; FIFO from the move.
                born = if profile == Profile::SqsStandard { self.sent } else { now };
            }
        }
        self.expires = life.map(|life| later(born, life));
    }

    /// What a reader gets.
    pub(super) fn view(&self, spec: &QueueSpec, address: &Arc<str>) -> Message {
        let mut metadata = Fields::new();
        let mut deliveries = None;
        match spec.profile.product() {
            Product::Rabbit => {
                metadata.push("exchange", self.exchange.as_str());
                metadata.push("redelivered", Value::Bool(self.redelivered));
                if spec.profile.is_quorum() {
                    if self.failed > 0 {
                        metadata.push("delivery_count", i64::from(self.failed));
                    }
                    if spec.profile == Profile::RabbitQuorum43 && self.acquired > 0 {
                        metadata.push("acquired_count", i64::from(self.acquired));
                    }
                    deliveries = Some(u64::from(self.failed.max(self.acquired)));
                }
            }
            Product::Kafka => {}
            Product::Sqs => {
                metadata.push("approximate_receive_count", i64::from(self.failed));
                if let Some(source) = &self.source {
                    metadata.push("dead_letter_queue_source_arn", arn(source).as_str());
                }
                deliveries = Some(u64::from(self.failed.saturating_sub(1)));
            }
        }
        Message { address: address.clone(), metadata, deliveries, ..self.message.clone() }
    }

    /// The time that a log is searched by: Kafka's record time; a stream knows only when it took the message in.
    pub(super) fn logged(&self) -> Timestamp {
        let kafka = self.message.position.is_some_and(|position| position.partition.is_some());
        self.message.time.filter(|_| kafka).unwrap_or(self.arrived)
    }

    /// Where it stands, for the one who sent it.
    pub(super) fn receipt(&self, profile: Profile) -> Receipt {
        let id = (profile.product() != Product::Rabbit).then(|| self.message.id.clone());
        // RabbitMQ confirms without telling a stream's offset.
        Receipt { position: self.message.position.filter(|_| profile == Profile::Kafka), id }
    }
}
