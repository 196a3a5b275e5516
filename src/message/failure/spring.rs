//! Spring AMQP (`RepublishMessageRecoverer`), Spring Kafka (`DeadLetterPublishingRecoverer`) and Spring Cloud Stream.
//!
//! Limits: Spring AMQP cuts the stack trace to what fits a frame, so the innermost cause may be missing.

use super::names::{NOTHING, Names};
use super::read::{first, last};
use super::{Failure, Origin};
use crate::message::Message;

/// Spring AMQP: the stack names the class.
pub(super) fn amqp(message: &Message) -> Option<Failure> {
    let stack = last(message, "x-exception-stacktrace");
    let text = last(message, "x-exception-message");
    if stack.is_none() && text.is_none() {
        return None;
    }
    let routing_key = first(message, "x-original-routingKey").or_else(|| first(message, "x-original-routing-key"));
    let origin = match (first(message, "x-original-exchange"), routing_key) {
        (Some(exchange), key) => Some(Origin::Exchange { exchange, routing_key: key.unwrap_or_default() }),
        (None, Some(queue)) => Some(Origin::Queue(queue)),
        (None, None) => None,
    };
    Some(Failure { dialect: "spring-amqp", message: text, stack, origin, ..Failure::default() })
}

/// The class is usually `ListenerExecutionFailedException`, so the cause comes first.
const DEAD_LETTER: Names = Names {
    dialect: "spring-kafka",
    class: &["kafka_dlt-exception-cause-fqcn", "kafka_dlt-exception-fqcn", "kafka_dlt-key-exception-fqcn"],
    message: &["kafka_dlt-exception-message", "kafka_dlt-key-exception-message"],
    stack: &["kafka_dlt-exception-stacktrace", "kafka_dlt-key-exception-stacktrace"],
    topic: "kafka_dlt-original-topic",
    partition: "kafka_dlt-original-partition",
    offset: "kafka_dlt-original-offset",
    consumer: &["kafka_dlt-original-consumer-group"],
    attempts: "retry_topic-attempts",
    first: "retry_topic-original-timestamp",
    ..NOTHING
};

/// Dead letters of retry topics: the same names without `dlt-`, but for the consumer group (spring-kafka's
/// `KafkaHeaders`).
const RETRY_TOPIC: Names = Names {
    class: &["kafka_exception-cause-fqcn", "kafka_exception-fqcn", "kafka_key-exception-fqcn"],
    message: &["kafka_exception-message", "kafka_key-exception-message"],
    stack: &["kafka_exception-stacktrace", "kafka_key-exception-stacktrace"],
    topic: "kafka_original-topic",
    partition: "kafka_original-partition",
    offset: "kafka_original-offset",
    ..DEAD_LETTER
};

/// Spring Kafka.
pub(super) fn kafka(message: &Message) -> Option<Failure> {
    DEAD_LETTER.read(message).or_else(|| RETRY_TOPIC.read(message))
}

const CLOUD_STREAM: Names = Names {
    dialect: "spring-cloud-stream",
    class: &["x-exception-fqcn"],
    message: &["x-exception-message"],
    stack: &["x-exception-stacktrace"],
    topic: "x-original-topic",
    partition: "x-original-partition",
    offset: "x-original-offset",
    ..NOTHING
};

/// Spring Cloud Stream's Kafka binder; without its own headers it is Spring AMQP, which shares the rest.
pub(super) fn cloud_stream(message: &Message) -> Option<Failure> {
    let own = |name: &str| CLOUD_STREAM.class.contains(&name) || name == CLOUD_STREAM.topic;
    if !message.headers.iter().any(|(name, _)| own(name)) {
        return None;
    }
    CLOUD_STREAM.read(message).filter(|failure| failure.class.is_some() || failure.origin.is_some())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::message::{Fields, Value};

    fn bin(n: i64) -> Value {
        Value::Bytes(Bytes::copy_from_slice(&n.to_be_bytes()))
    }

    fn with(headers: Fields) -> Message {
        Message { headers, ..Message::default() }
    }

    #[test]
    fn spring_kafka_is_named_by_the_cause_and_goes_back_to_the_first_topic() {
        let headers = Fields::from_iter([
            ("kafka_dlt-original-topic", Value::text("orders")),
            ("kafka_dlt-original-partition", Value::Bytes(Bytes::from_static(&[0, 0, 0, 2]))),
            ("kafka_dlt-original-offset", bin(4711)),
            ("kafka_dlt-original-topic", Value::text("orders-retry-0")),
            ("kafka_dlt-original-consumer-group", Value::text("billing")),
            (
                "kafka_dlt-exception-fqcn",
                Value::text("org.springframework.kafka.listener.ListenerExecutionFailedException"),
            ),
            ("kafka_dlt-exception-cause-fqcn", Value::text("com.acme.PaymentTimeout")),
            ("kafka_dlt-exception-message", Value::text("Listener failed")),
        ]);
        let failure = kafka(&with(headers)).unwrap();
        assert_eq!(failure.class.as_deref(), Some("com.acme.PaymentTimeout"));
        assert_eq!(failure.consumer.as_deref(), Some("billing"));
        let want = Origin::Topic { topic: "orders".into(), partition: Some(2), offset: Some(4711) };
        assert_eq!(failure.origin, Some(want));
    }

    /// The names and the six byte time were seen in public captures of retry topics (spring-kafka `RetryTopicHeaders`).
    #[test]
    fn a_dead_letter_of_a_retry_topic_has_names_without_dlt() {
        let headers = Fields::from_iter([
            ("kafka_original-topic", Value::text("orders")),
            ("kafka_original-partition", Value::Bytes(Bytes::from_static(&[0, 0, 0, 1]))),
            ("kafka_original-offset", bin(41_892)),
            ("kafka_exception-cause-fqcn", Value::text("java.lang.RuntimeException")),
            ("kafka_dlt-original-consumer-group", Value::text("billing")),
            ("retry_topic-attempts", Value::Bytes(Bytes::from_static(&[0, 0, 0, 4]))),
            (
                "retry_topic-original-timestamp",
                Value::Bytes(Bytes::copy_from_slice(&1_772_446_272_000_i64.to_be_bytes()[2..])),
            ),
        ]);
        let failure = kafka(&with(headers)).unwrap();
        let want = Origin::Topic { topic: "orders".into(), partition: Some(1), offset: Some(41_892) };
        assert_eq!((failure.origin, failure.attempts), (Some(want), Some(4)));
        assert_eq!(failure.first.unwrap().to_string(), "2026-03-02T10:11:12Z");
    }

    #[test]
    fn spring_amqp_from_the_default_exchange_goes_back_to_the_queue() {
        let mut headers = Fields::from_iter([
            ("x-exception-message", "boom"),
            ("x-exception-stacktrace", "java.lang.IllegalStateException: boom\n\tat com.acme.A.b(A.java:1)"),
            ("x-original-exchange", ""),
            ("x-original-routingKey", "orders"),
        ]);
        assert_eq!(amqp(&with(headers.clone())).unwrap().origin, Some(Origin::Queue("orders".into())));
        assert_eq!(cloud_stream(&with(headers.clone())), None);
        headers.retain(|name, _| name != "x-original-exchange");
        headers.push("x-original-exchange", "shop");
        let want = Origin::Exchange { exchange: "shop".into(), routing_key: "orders".into() };
        assert_eq!(amqp(&with(headers)).unwrap().origin, Some(want));
    }

    #[test]
    fn cloud_stream_adds_a_class_and_a_binary_position() {
        let headers = Fields::from_iter([
            ("x-original-topic", Value::text("orders")),
            ("x-original-partition", Value::Bytes(Bytes::from_static(&[0, 0, 0, 3]))),
            ("x-original-offset", bin(9)),
            ("x-exception-fqcn", Value::text("com.acme.Boom")),
            ("x-exception-message", Value::text("boom")),
        ]);
        let failure = cloud_stream(&with(headers)).unwrap();
        let want = Origin::Topic { topic: "orders".into(), partition: Some(3), offset: Some(9) };
        assert_eq!((failure.class.as_deref(), failure.origin), (Some("com.acme.Boom"), Some(want)));
    }
}
