//! Why a message died, read from what brokers and frameworks leave in it.
//!
//! A [`Failure`] is derived from a message, never stored and never republished. Each family of writers has its own
//! file; the table they implement is in the project's broker facts. Limits: a broker's own reason (`rejected`,
//! `expired`) says why a message was *moved*, not why it failed; a framework's record wins over it.

mod aws;
mod body;
mod celery;
mod dotnet;
mod generic;
mod jobs;
mod kafka;
mod names;
mod rabbitmq;
mod read;
mod spring;
mod trace;
mod watermill;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub(crate) use body::without_indices;
pub(crate) use trace::{announces, panicked, short_class, telling};

use super::Message;
use crate::text::find::{split, starts};

type Reader<T> = fn(&T) -> Option<Failure>;

/// Frameworks that write headers: what their headers start with, and who reads them. The first that left a record
/// wins; Spring Cloud Stream comes before Spring AMQP, whose names it shares.
const HEADERS: [(&str, Reader<Message>); 17] = [
    ("x-", spring::cloud_stream),
    ("x-exception-", spring::amqp),
    ("kafka_", spring::kafka),
    ("__connect.", kafka::connect),
    ("__streams.", kafka::streams),
    ("__dlq.", kafka::share_group),
    ("dead-letter-", kafka::smallrye),
    ("dead_letter_", kafka::smallrye),
    ("MT-", dotnet::masstransit),
    ("NServiceBus.", dotnet::nservicebus),
    ("rbs2-", dotnet::rebus),
    ("exception-", dotnet::wolverine),
    ("reason_poisoned", watermill::detect),
    ("TARGET_ARN", aws::eventbridge),
    ("ERROR_CODE", aws::eventbridge),
    ("ErrorCode", aws::attributes),
    ("X-Message-Stamp-", jobs::symfony),
];

/// Frameworks that write JSON bodies.
const BODIES: [Reader<Map<String, Value>>; 9] = [
    dotnet::easynetq,
    jobs::sidekiq,
    jobs::resque,
    jobs::laravel,
    jobs::dramatiq,
    jobs::bullmq,
    celery::result,
    aws::lambda_destination,
    aws::step_functions,
];

/// Reads why and where a message died, where anything in it says so.
///
/// A framework's record wins over the broker's, which says only why the message was moved; what the framework does
/// not say (origin, attempts, times, history) is taken from the broker. Where several frameworks left a record the
/// first of the table wins, and [`Failure::also`] names the others.
#[must_use]
pub fn detect(message: &Message) -> Option<Failure> {
    let broker = rabbitmq::detect(message).or_else(|| aws::redrive(message));
    match (framework(message, broker.is_some()).map(|failure| failure.rooted().classed()), broker) {
        (Some(framework), Some(broker)) => Some(framework.completed(broker)),
        (None, Some(broker)) => Some(celery::complete(broker, message)),
        (framework, None) => framework,
    }
}

/// When the broker last moved a message into the queue it is in, or later: `RabbitMQ` tells the first death for each queue
/// and reason.
#[must_use]
pub fn last_moved(message: &Message) -> Option<Timestamp> {
    rabbitmq::detect(message)?.last
}

/// What a framework wrote. In a message that the `broker` moved, the body is the publisher's: an `error` in it is data.
fn framework(message: &Message, broker: bool) -> Option<Failure> {
    let mut found: Option<Failure> = None;
    for (prefix, read) in HEADERS {
        if !message.headers.iter().any(|(name, _)| starts(name, prefix)) {
            continue;
        }
        if let Some(failure) = read(message) {
            match &mut found {
                Some(first) if first.dialect != failure.dialect => first.also.push(failure.dialect),
                Some(_) => {}
                None => found = Some(failure),
            }
        }
    }
    // A writer that says only where the message comes from leaves the reason to whoever wrote it.
    let found = match found {
        Some(place) if !place.says_why() => Some(match generic::headers(message) {
            Some(reason) => reason.completed(place),
            None => place,
        }),
        found => found,
    };
    let told = found.or_else(|| generic::headers(message)).or_else(|| dotnet::nservicebus(message));
    match told {
        // A header that only repeats in one line what the body's record says whole.
        Some(line) if line.dialect == "generic" && line.stack.is_none() && line.class.is_none() => {
            let whole = record(message, broker).filter(|record| record.stack.is_some() && line.repeats(record));
            whole.or(Some(line))
        }
        Some(told) => Some(told),
        None => record(message, broker),
    }
}

/// The record that the body is, or holds.
fn record(message: &Message, broker: bool) -> Option<Failure> {
    let body = body::object(message)?;
    // With a stack it is the record of whoever failed on it.
    BODIES
        .iter()
        .find_map(|read| read(&body))
        .or_else(|| generic::fields(&body).filter(|failure| !broker || failure.stack.is_some()))
}

/// Shorter lines may stand in a text by chance.
const REPEATED: usize = 12;

impl Failure {
    fn says_why(&self) -> bool {
        self.class.is_some() || self.message.is_some() || self.stack.is_some()
    }

    /// Whether this record's text has the first line of another's.
    fn repeats(&self, other: &Self) -> bool {
        let first = other.message.as_deref().and_then(|text| text.lines().next()).map(str::trim);
        first.zip(self.message.as_deref()).is_some_and(|(first, own)| first.len() >= REPEATED && own.contains(first))
    }

    /// This record with class, cause and frames of the root of its stack, or of a message that nests another.
    fn rooted(mut self) -> Self {
        // Scala numbers the classes that have no name of their own: `DecodingFailure$$anon$2`.
        self.class = self.class.map(|class| match split(&class, "$$anon$") {
            Some((owner, _)) => owner.to_owned(),
            None => class,
        });
        if let Some(stack) = &self.stack {
            let outer = self.class.clone();
            let root = trace::root(stack);
            // A stack that was cut before its cause tells less than the writer's message, which may name the cause.
            let told = root.message.as_deref().unwrap_or_default();
            let says_more = self.message.as_deref().is_some_and(|own| told.is_empty() || !own.starts_with(told));
            if says_more && root.class.as_deref().is_some_and(trace::is_wrapper) {
                self.frames = root.frames;
                self.class = self.class.take().filter(|class| !trace::is_wrapper(class)).or(root.class);
                return self.read_message();
            }
            // Where the stack was cut before its cause, the writer's own class says more than the wrapper.
            let own = self.class.take().filter(|class| !trace::is_wrapper(class));
            self.class = match root.class {
                Some(class) if own.is_some() && trace::is_wrapper(&class) => own,
                class => class.or(own).or(outer),
            };
            self.frames = root.frames;
            self.put_message(root.message);
            self
        } else {
            self.read_message()
        }
    }

    /// This record with the class that its text begins with, where nothing else tells it: `ValueError: no quantity`. A
    /// wrapper's text may be all that is left of its cause.
    fn classed(mut self) -> Self {
        for _ in 0..body::MAX_CAUSES {
            let is_open = self.class.as_deref().is_none_or(trace::is_wrapper);
            let Some((class, text)) = self.message.as_deref().filter(|_| is_open).and_then(trace::named) else { break };
            (self.class, self.message) = (Some(class.to_owned()), Some(text.to_owned()));
        }
        self
    }

    /// This record with the cause that its message names behind the outer one.
    fn read_message(mut self) -> Self {
        if let Some((class, cause)) = self.message.as_deref().and_then(trace::nested) {
            let (class, cause) = (class.to_owned(), cause.to_owned());
            self.class = Some(class);
            self.put_message(Some(cause));
        }
        self
    }

    /// Takes the root's message. The writer's own stays where it goes on after the root's first line.
    fn put_message(&mut self, root: Option<String>) {
        let Some(root) = root.filter(|text| !text.is_empty()) else { return };
        // A text that only spells its class says less than whatever the writer put beside it.
        if self.message.is_some() && spells(&root, self.class.as_deref()) {
            return;
        }
        match self.message.take() {
            Some(own) if own.starts_with(&root) => self.message = Some(own),
            own => {
                self.outer = own;
                self.message = Some(root);
            }
        }
    }

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
        self.also.push(broker.dialect);
        self
    }
}

/// Whether a text is its class in words: `Bad Request Exception` of a `BadRequestException`.
fn spells(text: &str, class: Option<&str>) -> bool {
    class.is_some_and(|class| text.len() - memchr::memchr_iter(b' ', text.as_bytes()).count() == class.len())
        && class == Some(text.replace(' ', "").as_str())
}

/// Why and where a message died.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Failure {
    /// Who wrote the record: `rabbitmq`, `spring-kafka`, `masstransit` …
    pub dialect: &'static str,
    /// The exception class or error code, innermost known.
    pub class: Option<String>,
    /// The human message of that class.
    pub message: Option<String>,
    /// What the writer put as the message where it is another than the innermost cause's.
    pub outer: Option<String>,
    /// The stack trace as written.
    pub stack: Option<String>,
    /// The application's frames in the stack, innermost first, at most two; without line numbers, lambdas, proxies
    /// and libraries.
    pub frames: Vec<String>,
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
    /// Who else left a record in the message: the broker, or a framework it went through before.
    pub also: Vec<&'static str>,
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
        assert_eq!(failure.also, ["rabbitmq"]);
    }

    #[test]
    fn an_error_in_the_body_is_data_once_the_broker_moved_the_message() {
        let body = r#"{"event":"declined","error":"insufficient funds"}"#;
        let mut message = dead(vec![death("orders", "rejected", "", "orders", 1_772_446_272)]);
        message.payload = Some(body.into());
        assert_eq!(detect(&message).unwrap().dialect, "rabbitmq");
        message.headers = crate::message::Fields::new();
        assert_eq!(detect(&message).unwrap().dialect, "generic");
    }

    #[test]
    fn a_header_that_repeats_the_first_line_of_the_bodys_record_gives_way_to_it() {
        let body = r#"{"exc_type":"ValidationError","exc_message":"1 validation error for Bill\niban\n  Field required","traceback":"Traceback (most recent call last):\n  File \"/app/bills/tasks.py\", line 3, in take\n    Bill(x)\nValidationError: 1 validation error for Bill\niban\n  Field required"}"#;
        let with = |line: &str| {
            let mut message = Message { payload: Some(body.into()), ..Message::default() };
            message.headers.push("x-error", line);
            detect(&message).unwrap()
        };
        let failure = with("ValidationError: 1 validation error for Bill iban");
        assert_eq!(failure.frames, ["bills/tasks:take"]);
        let other = with("no connection to the bank");
        assert_eq!((other.message.as_deref(), other.stack), (Some("no connection to the bank"), None));
    }

    #[test]
    fn the_first_framework_wins_and_the_others_are_named() {
        let mut message = Message::default();
        message.headers.push("__connect.errors.exception.class.name", "A");
        message.headers.push("kafka_dlt-exception-fqcn", "B");
        let failure = detect(&message).unwrap();
        assert_eq!((failure.dialect, failure.also), ("spring-kafka", vec!["kafka-connect"]));
    }

    #[test]
    fn a_writer_that_says_only_where_leaves_the_reason_to_another() {
        let mut message = Message::default();
        message.headers.push("x-original-topic", "quotes");
        assert_eq!(detect(&message).unwrap().dialect, "spring-cloud-stream");
        message.headers.push("x-error-name", "TypeError");
        message.headers.push("x-error-message", "no lines");
        let failure = detect(&message).unwrap();
        assert_eq!((failure.dialect, failure.class.as_deref()), ("generic", Some("TypeError")));
        let origin = Some(Origin::Topic { topic: "quotes".into(), partition: None, offset: None });
        assert_eq!((failure.origin, failure.also), (origin, vec!["spring-cloud-stream"]));
    }

    #[test]
    fn a_text_that_begins_with_its_class_tells_it() {
        for (text, class, told) in [
            ("ValueError: no quantity", Some("ValueError"), "no quantity"),
            ("ValueError: V", Some("ValueError"), "V"),
            ("Exception: no quantity", None, "Exception: no quantity"),
            ("** (Shop.NoTierError) no tier: 7\nfor it", Some("Shop.NoTierError"), "no tier: 7\nfor it"),
            ("Error: no quantity", None, "Error: no quantity"),
            ("Orders: no quantity", None, "Orders: no quantity"),
            ("java.util.concurrent.CompletionException: a.StaleException: no", Some("a.StaleException"), "no"),
        ] {
            let mut message = Message::default();
            message.headers.push("x-error", text);
            let failure = detect(&message).unwrap();
            assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (class, Some(told)));
        }
    }

    #[test]
    fn a_live_message_has_no_failure() {
        let mut message = Message::default();
        message.headers.push("tenant", "acme");
        message.payload = Some(r#"{"order_id":17,"status":"new"}"#.into());
        assert_eq!(detect(&message), None);
    }
}
