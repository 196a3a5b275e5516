//! Why a message died, read from what brokers and frameworks leave in it.
//!
//! A [`Failure`] is derived from a message, never stored and never republished. Each family of writers has its own
//! file; the table they implement is in the project's broker facts. Limits: a broker's own reason (`rejected`,
//! `expired`) says why a message was *moved*, not why it failed; a framework's record wins over it.

mod aws;
mod generic;
mod rabbitmq;
mod read;
mod spring;

use jiff::Timestamp;

use super::Message;

/// Who to ask, in this order: the first framework that left a record wins.
const FRAMEWORKS: [fn(&Message) -> Option<Failure>; 3] = [spring::kafka, spring::cloud_stream, spring::amqp];

/// Reads why and where a message died, where anything in it says so.
///
/// A framework's record wins over the broker's, which says only why the message was moved; what the framework does
/// not say (origin, attempts, times, history) is taken from the broker. Without either, headers and bodies with
/// common names are tried, and a copy of the broker's record wins over nothing.
#[must_use]
pub fn detect(message: &Message) -> Option<Failure> {
    let broker = rabbitmq::detect(message).or_else(|| aws::redrive(message));
    let framework = FRAMEWORKS.iter().find_map(|read| read(message)).or_else(|| generic::detect(message));
    match (framework, broker) {
        (Some(framework), Some(broker)) => Some(framework.completed(broker)),
        (framework, broker) => framework.or(broker),
    }
}

impl Failure {
    /// This record, with what it lacks about the way (never about the cause) taken from the broker's.
    fn completed(mut self, broker: Self) -> Self {
        self.origin = self.origin.or(broker.origin);
        self.consumer = self.consumer.or(broker.consumer);
        self.attempts = self.attempts.or(broker.attempts);
        self.first = self.first.or(broker.first);
        self.last = self.last.or(broker.last);
        if self.history.is_empty() {
            self.history = broker.history;
        }
        self
    }
}

/// Why and where a message died.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Failure {
    /// Who wrote the record: `rabbitmq`, `spring-kafka`, `masstransit` …
    pub dialect: &'static str,
    /// The exception class or error code, innermost known.
    pub class: Option<String>,
    /// The human message.
    pub message: Option<String>,
    /// The stack trace as written.
    pub stack: Option<String>,
    /// Where it came from and where a replay goes.
    pub origin: Option<Origin>,
    /// The consumer, consumer group, connector or function that failed on it.
    pub consumer: Option<String>,
    /// How often it was tried or died, where the record says.
    pub attempts: Option<u64>,
    /// The first death.
    pub first: Option<Timestamp>,
    /// The last death.
    pub last: Option<Timestamp>,
    /// Every death that the record names, newest first.
    pub history: Vec<Death>,
}

/// One entry of a death history.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Death {
    /// Why it was moved: `rejected`, `expired`, `maxlen`, `delivery_limit`, or an exception class.
    pub reason: String,
    /// The queue or topic in which it died.
    pub queue: String,
    /// How often it died there for that reason.
    pub count: u64,
    /// When (for RabbitMQ: the first time for this queue and reason).
    pub time: Option<Timestamp>,
}

/// Where a message came from, in the terms of its own broker. Relative to the broker it was read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// A queue, stream or SQS queue by name.
    Queue(String),
    /// An exchange and the routing key it was published with.
    Exchange {
        /// The exchange; never the default exchange, which is [`Origin::Queue`].
        exchange: String,
        /// The routing key of the first publish.
        routing_key: String,
    },
    /// A Kafka topic, with the record's place where the writer kept it.
    Topic {
        /// The topic's name.
        topic: String,
        /// The partition it was read from.
        partition: Option<i32>,
        /// Its offset there.
        offset: Option<u64>,
    },
}

#[cfg(test)]
mod tests {
    use super::rabbitmq::tests::{dead, death};
    use super::*;

    #[test]
    fn a_frameworks_reason_wins_and_the_brokers_way_stays() {
        let mut message = dead(vec![death("orders", "rejected", "shop", "order.placed", 1_772_446_272)]);
        assert_eq!(detect(&message).unwrap().dialect, "rabbitmq");
        message.headers.push("x-exception-message", "card declined");
        let failure = detect(&message).unwrap();
        assert_eq!((failure.dialect, failure.message.as_deref()), ("spring-amqp", Some("card declined")));
        let want = Origin::Exchange { exchange: "shop".into(), routing_key: "order.placed".into() };
        assert_eq!(failure.origin, Some(want));
        assert_eq!((failure.attempts, failure.history.len()), (Some(1), 1));
    }

    #[test]
    fn a_live_message_has_no_failure() {
        let mut message = Message::default();
        message.headers.push("tenant", "acme");
        message.payload = Some(r#"{"order_id":17,"status":"new"}"#.into());
        assert_eq!(detect(&message), None);
    }
}
