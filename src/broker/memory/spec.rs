//! What a test or the demo says about the queues and exchanges of a memory broker before it is built.

use std::time::Duration;

use super::groups::Group;
use super::profile::{Product, Profile};
use crate::broker::{Capability, Ordering, PublishLimits};

/// A queue to create, with the limits that matter for its profile.
#[derive(Clone, Debug)]
#[must_use]
pub struct QueueSpec {
    pub(super) name: String,
    pub(super) profile: Profile,
    /// The broker that the queue belongs to, for a memory broker that stands for several.
    pub(super) broker: Option<String>,
    pub(super) delivery_limit: Option<u32>,
    pub(super) dead_letter: Option<DeadLetter>,
    pub(super) max_length: Option<(u64, Overflow)>,
    pub(super) max_bytes: Option<u64>,
    pub(super) message_ttl: Option<Duration>,
    pub(super) retention: Option<Duration>,
    pub(super) locked: Option<String>,
    pub(super) single_active: bool,
    pub(super) priorities: bool,
    pub(super) delayed_retry: bool,
    pub(super) content_dedup: bool,
    pub(super) partitions: u32,
    pub(super) consumers: u64,
    pub(super) rates: Option<(f64, f64)>,
    pub(super) groups: Vec<Group>,
}

/// Where dead messages go.
#[derive(Clone, Debug)]
pub(super) struct DeadLetter {
    /// The exchange; empty for the default one.
    pub(super) exchange: String,
    /// The routing key; `None` keeps the message's own.
    pub(super) routing_key: Option<String>,
}

/// What a full queue does (RabbitMQ's `overflow`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// Drops or dead-letters the oldest message.
    DropHead,
    /// Refuses the new one.
    RejectPublish,
}

impl QueueSpec {
    /// A queue with its profile's defaults: a quorum queue has a delivery limit of 20, a topic one partition.
    pub fn new(name: impl Into<String>, profile: Profile) -> Self {
        Self {
            name: name.into(),
            profile,
            broker: None,
            delivery_limit: profile.is_quorum().then_some(20),
            dead_letter: None,
            max_length: None,
            max_bytes: None,
            message_ttl: None,
            retention: (profile.product() == Product::Sqs).then_some(Duration::from_hours(96)),
            locked: None,
            single_active: false,
            priorities: false,
            delayed_retry: false,
            content_dedup: false,
            partitions: 1,
            consumers: 0,
            rates: None,
            groups: Vec::new(),
        }
    }

    /// The name of the broker it stands on, shown by `describe`.
    pub fn on(mut self, broker: impl Into<String>) -> Self {
        self.broker = Some(broker.into());
        self
    }

    /// Quorum queues: how many counted returns a message stands. SQS: the redrive policy's `maxReceiveCount`.
    pub fn delivery_limit(mut self, limit: u32) -> Self {
        self.delivery_limit = Some(limit);
        self
    }

    /// Quorum queues: no limit (`x-delivery-limit: -1`).
    pub fn no_delivery_limit(mut self) -> Self {
        self.delivery_limit = None;
        self
    }

    /// Dead messages go to this queue (RabbitMQ: by the default exchange; SQS: the redrive policy's target).
    pub fn dead_letter_to(mut self, queue: impl Into<String>) -> Self {
        self.dead_letter = Some(DeadLetter { exchange: String::new(), routing_key: Some(queue.into()) });
        self
    }

    /// Dead messages go to this exchange, with their own routing key or this one.
    pub fn dead_letter_exchange(mut self, exchange: impl Into<String>, routing_key: Option<&str>) -> Self {
        self.dead_letter =
            Some(DeadLetter { exchange: exchange.into(), routing_key: routing_key.map(ToOwned::to_owned) });
        self
    }

    /// At most that many ready messages.
    pub fn max_length(mut self, messages: u64, overflow: Overflow) -> Self {
        self.max_length = Some((messages, overflow));
        self
    }

    /// The largest message that the queue takes, in bytes of key, headers and payload, where it is less than its
    /// broker's own limit.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// RabbitMQ: after how long a message expires, dead-lettered where there is a dead-letter exchange.
    pub fn message_ttl(mut self, ttl: Duration) -> Self {
        self.message_ttl = Some(ttl);
        self
    }

    /// Streams, Kafka and SQS: after how long a message is gone.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = Some(retention);
        self
    }

    /// Locked for us, and why: exclusive to another connection, or an exclusive consumer.
    pub fn locked(mut self, why: impl Into<String>) -> Self {
        self.locked = Some(why.into());
        self
    }

    /// RabbitMQ: a single-active-consumer queue.
    pub fn single_active(mut self) -> Self {
        self.single_active = true;
        self
    }

    /// Classic queues: `x-max-priority` is set, so that the property `priority` decides the order.
    pub fn priorities(mut self) -> Self {
        self.priorities = true;
        self
    }

    /// Quorum queues from 4.3: `delayed-retry-type` holds returned messages back, so a look hides them.
    pub fn delayed_retry(mut self) -> Self {
        self.delayed_retry = true;
        self
    }

    /// SQS FIFO: content-based deduplication.
    pub fn content_dedup(mut self) -> Self {
        self.content_dedup = true;
        self
    }

    /// Kafka: how many partitions.
    pub fn partitions(mut self, partitions: u32) -> Self {
        self.partitions = partitions.max(1);
        self
    }

    /// How many consumers it shows.
    pub fn consumers(mut self, consumers: u64) -> Self {
        self.consumers = consumers;
        self
    }

    /// The rates it shows, in messages a second.
    pub fn rates(mut self, rate_in: f64, rate_out: f64) -> Self {
        self.rates = Some((rate_in, rate_out));
        self
    }

    /// Kafka: a consumer group of so many members, and the offset that it reads next in each partition.
    pub fn group(mut self, name: impl Into<String>, members: u64, committed: &[Option<u64>]) -> Self {
        self.groups.push(Group { name: name.into(), members, committed: committed.to_vec() });
        self
    }

    /// What a publisher to it takes.
    pub(super) fn publish_limits(&self) -> PublishLimits {
        let limits = self.profile.publish_limits();
        PublishLimits { max_bytes: limits.max_bytes.into_iter().chain(self.max_bytes).min(), ..limits }
    }

    /// What it can do.
    pub(super) fn capability(&self) -> Capability {
        let own = self.profile.capability();
        let ordering = if self.priorities { Ordering::Priority } else { own.ordering };
        Capability { ordering, publish: Some(self.publish_limits()), ..own }
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// How an exchange chooses among its bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Routing {
    Direct,
    Topic,
    Fanout,
}

/// A RabbitMQ exchange to create.
#[derive(Clone, Debug)]
#[must_use]
pub struct ExchangeSpec {
    pub(super) name: String,
    pub(super) routing: Routing,
    pub(super) bindings: Vec<(String, String)>,
    pub(super) alternate: Option<String>,
}

impl ExchangeSpec {
    /// Routes by the equal key.
    pub fn direct(name: impl Into<String>) -> Self {
        Self::new(name, Routing::Direct)
    }

    /// Routes by pattern: words between points, `*` for one word, `#` for any number.
    pub fn topic(name: impl Into<String>) -> Self {
        Self::new(name, Routing::Topic)
    }

    /// Routes to everything bound to it.
    pub fn fanout(name: impl Into<String>) -> Self {
        Self::new(name, Routing::Fanout)
    }

    fn new(name: impl Into<String>, routing: Routing) -> Self {
        Self { name: name.into(), routing, bindings: Vec::new(), alternate: None }
    }

    /// Binds a queue by a key or pattern.
    pub fn bind(mut self, key: impl Into<String>, queue: impl Into<String>) -> Self {
        self.bindings.push((key.into(), queue.into()));
        self
    }

    /// Where messages go that no binding takes.
    pub fn alternate(mut self, exchange: impl Into<String>) -> Self {
        self.alternate = Some(exchange.into());
        self
    }

    /// The queues that a key leads to, each once, in the order of the bindings.
    pub(super) fn route(&self, key: &[u8]) -> Vec<&str> {
        let mut queues = Vec::new();
        for (pattern, queue) in &self.bindings {
            let hit = match self.routing {
                Routing::Direct => pattern.as_bytes() == key,
                Routing::Fanout => true,
                Routing::Topic => {
                    let words: Vec<&[u8]> = key.split(|byte| *byte == b'.').collect();
                    let pattern: Vec<&[u8]> = pattern.as_bytes().split(|byte| *byte == b'.').collect();
                    matches_topic(&pattern, &words)
                }
            };
            if hit && !queues.contains(&queue.as_str()) {
                queues.push(queue.as_str());
            }
        }
        queues
    }
}

fn matches_topic(pattern: &[&[u8]], words: &[&[u8]]) -> bool {
    match (pattern.split_first(), words.split_first()) {
        (None, None) => true,
        (Some((&b"#", rest)), word) => {
            matches_topic(rest, words) || word.is_some_and(|(_, words)| matches_topic(pattern, words))
        }
        (Some((&b"*", rest)), Some((_, words))) => matches_topic(rest, words),
        (Some((head, rest)), Some((word, words))) => head == word && matches_topic(rest, words),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_exchange_routes_by_words() {
        let exchange = ExchangeSpec::topic("shop")
            .bind("orders.*", "one")
            .bind("orders.#", "any")
            .bind("#.failed", "failed")
            .bind("#", "all")
            .bind("orders.created", "all");
        assert_eq!(exchange.route(b"orders.created"), ["one", "any", "all"]);
        assert_eq!(exchange.route(b"orders"), ["any", "all"]);
        assert_eq!(exchange.route(b"orders.eu.failed"), ["any", "failed", "all"]);
        assert_eq!(ExchangeSpec::direct("d").bind("a", "q").route(b"b"), Vec::<&str>::new());
    }
}
