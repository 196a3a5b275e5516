//! Why a message died, read from what brokers and frameworks leave in it.
//!
//! A [`Failure`] is derived from a message, never stored and never republished. Each family of writers has its own
//! file; the table they implement is in the project's broker facts. Limits: a broker's own reason (`rejected`,
//! `expired`) says why a message was *moved*, not why it failed; a framework's record wins over it.

use jiff::Timestamp;

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
