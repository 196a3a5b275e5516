//! Spring AMQP (`RepublishMessageRecoverer`), Spring Kafka (`DeadLetterPublishingRecoverer`) and Spring Cloud Stream.
//!
//! Limits: Spring AMQP cuts the stack trace to what fits a frame, so the innermost cause may be missing.

use super::read::{count, first, last, partition, time};
use super::{Failure, Origin};
use crate::message::Message;

/// Spring AMQP: the stack's first line names the class.
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

/// Spring Kafka. The class is usually `ListenerExecutionFailedException`, so the cause is taken where it is known.
/// Dead letters of retry topics use the same names without `dlt-`, but for the consumer group (spring-kafka's
/// `KafkaHeaders`). Exception headers repeat newest last; the original's headers are appended, so the first of them is
/// the true origin.
pub(super) fn kafka(message: &Message) -> Option<Failure> {
    const DEAD_LETTER: [&str; 8] = [
        "kafka_dlt-original-topic",
        "kafka_dlt-original-partition",
        "kafka_dlt-original-offset",
        "kafka_dlt-exception-fqcn",
        "kafka_dlt-exception-cause-fqcn",
        "kafka_dlt-exception-message",
        "kafka_dlt-exception-stacktrace",
        "kafka_dlt-key-exception-fqcn",
    ];
    const RETRY_TOPIC: [&str; 8] = [
        "kafka_original-topic",
        "kafka_original-partition",
        "kafka_original-offset",
        "kafka_exception-fqcn",
        "kafka_exception-cause-fqcn",
        "kafka_exception-message",
        "kafka_exception-stacktrace",
        "kafka_key-exception-fqcn",
    ];
    let read = |names: [&str; 8]| {
        let [topic, at, offset, class, cause, text, stack, key_class] = names;
        let class = last(message, class).or_else(|| last(message, key_class));
        let topic = first(message, topic);
        if class.is_none() && topic.is_none() {
            return None;
        }
        Some(Failure {
            dialect: "spring-kafka",
            class: last(message, cause).or(class),
            message: last(message, text).or_else(|| last(message, "kafka_dlt-key-exception-message")),
            stack: last(message, stack).or_else(|| last(message, "kafka_dlt-key-exception-stacktrace")),
            origin: topic.map(|topic| Origin::Topic {
                topic,
                partition: partition(message, at),
                offset: count(message, offset),
            }),
            consumer: first(message, "kafka_dlt-original-consumer-group"),
            attempts: count(message, "retry_topic-attempts"),
            first: time(message, "retry_topic-original-timestamp"),
            ..Failure::default()
        })
    };
    read(DEAD_LETTER).or_else(|| read(RETRY_TOPIC))
}

/// Spring Cloud Stream's Kafka binder.
pub(super) fn cloud_stream(message: &Message) -> Option<Failure> {
    let class = last(message, "x-exception-fqcn");
    let topic = first(message, "x-original-topic");
    if class.is_none() && topic.is_none() {
        return None;
    }
    Some(Failure {
        dialect: "spring-cloud-stream",
        class,
        message: last(message, "x-exception-message"),
        stack: last(message, "x-exception-stacktrace"),
        origin: topic.map(|topic| Origin::Topic {
            topic,
            partition: partition(message, "x-original-partition"),
            offset: count(message, "x-original-offset"),
        }),
        ..Failure::default()
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::message::{Fields, Value};

    fn bin(n: i64) -> Value {
        Value::Bytes(Bytes::copy_from_slice(&n.to_be_bytes()))
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
        let failure = kafka(&Message { headers, ..Message::default() }).unwrap();
        assert_eq!(failure.class.as_deref(), Some("com.acme.PaymentTimeout"));
        assert_eq!(failure.consumer.as_deref(), Some("billing"));
        let want = Origin::Topic { topic: "orders".into(), partition: Some(2), offset: Some(4711) };
        assert_eq!(failure.origin, Some(want));
    }

    #[test]
    fn spring_amqp_from_the_default_exchange_goes_back_to_the_queue() {
        let mut headers = Fields::from_iter([
            ("x-exception-message", "boom"),
            ("x-exception-stacktrace", "java.lang.IllegalStateException: boom\n\tat com.acme.A.b(A.java:1)"),
            ("x-original-exchange", ""),
            ("x-original-routingKey", "orders"),
        ]);
        let failure = amqp(&Message { headers: headers.clone(), ..Message::default() }).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        headers.retain(|name, _| name != "x-original-exchange");
        headers.push("x-original-exchange", "shop");
        let failure = amqp(&Message { headers, ..Message::default() }).unwrap();
        assert_eq!(failure.origin, Some(Origin::Exchange { exchange: "shop".into(), routing_key: "orders".into() }));
    }
}
