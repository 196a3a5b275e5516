//! Kafka's own writers: Connect, Streams (KIP-1034), share groups (KIP-1191), and SmallRye Reactive Messaging.
//!
//! Limits: a share group's dead letter has the payload only where the group copies records; its origin says where the
//! record still is.

use super::Failure;
use super::names::{NOTHING, Names};
use crate::message::Message;

const CONNECT: Names = Names {
    dialect: "kafka-connect",
    class: &["__connect.errors.exception.class.name"],
    message: &["__connect.errors.exception.message"],
    stack: &["__connect.errors.exception.stacktrace"],
    topic: "__connect.errors.topic",
    partition: "__connect.errors.partition",
    offset: "__connect.errors.offset",
    consumer: &["__connect.errors.connector.name"],
    ..NOTHING
};

const STREAMS: Names = Names {
    dialect: "kafka-streams",
    class: &["__streams.errors.exception"],
    message: &["__streams.errors.message"],
    stack: &["__streams.errors.stacktrace"],
    topic: "__streams.errors.topic",
    partition: "__streams.errors.partition",
    offset: "__streams.errors.offset",
    ..NOTHING
};

const SHARE_GROUP: Names = Names {
    dialect: "kafka-share-group",
    message: &["__dlq.errors.message"],
    topic: "__dlq.errors.topic",
    partition: "__dlq.errors.partition",
    offset: "__dlq.errors.offset",
    consumer: &["__dlq.errors.group"],
    attempts: "__dlq.errors.delivery.count",
    ..NOTHING
};

const SMALLRYE: Names = Names {
    dialect: "smallrye",
    class: &["dead-letter-cause-class-name", "dead-letter-exception-class-name"],
    message: &["dead-letter-cause", "dead-letter-reason"],
    topic: "dead-letter-topic",
    partition: "dead-letter-partition",
    offset: "dead-letter-offset",
    ..NOTHING
};

/// JMS takes no dashes in names.
const SMALLRYE_JMS: Names = Names {
    class: &["dead_letter_cause_class_name", "dead_letter_exception_class_name"],
    message: &["dead_letter_cause", "dead_letter_reason"],
    topic: "dead_letter_topic",
    ..SMALLRYE
};

/// Kafka Connect with `errors.deadletterqueue.context.headers.enable`.
pub(super) fn connect(message: &Message) -> Option<Failure> {
    CONNECT.read(message)
}

/// Kafka Streams.
pub(super) fn streams(message: &Message) -> Option<Failure> {
    STREAMS.read(message)
}

/// Share groups.
pub(super) fn share_group(message: &Message) -> Option<Failure> {
    SHARE_GROUP.read(message)
}

/// SmallRye and Quarkus. The cause wins over the exception around it.
pub(super) fn smallrye(message: &Message) -> Option<Failure> {
    SMALLRYE.read(message).or_else(|| SMALLRYE_JMS.read(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fields;
    use crate::message::failure::Origin;

    fn with<const N: usize>(headers: [(&str, &str); N]) -> Message {
        Message { headers: Fields::from_iter(headers), ..Message::default() }
    }

    fn topic(name: &str, partition: i32, offset: u64) -> Origin {
        Origin::Topic { topic: name.into(), partition: Some(partition), offset: Some(offset) }
    }

    #[test]
    fn connect_names_class_connector_and_place() {
        let failure = connect(&with([
            ("__connect.errors.topic", "orders"),
            ("__connect.errors.partition", "5"),
            ("__connect.errors.offset", "500"),
            ("__connect.errors.connector.name", "orders-sink"),
            ("__connect.errors.task.id", "0"),
            ("__connect.errors.stage", "VALUE_CONVERTER"),
            ("__connect.errors.class.name", "org.apache.kafka.connect.json.JsonConverter"),
            ("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
            ("__connect.errors.exception.message", "Converting byte[] to Kafka Connect data failed"),
        ]))
        .unwrap();
        assert_eq!(failure.class.as_deref(), Some("org.apache.kafka.connect.errors.DataException"));
        assert_eq!((failure.consumer.as_deref(), failure.origin), (Some("orders-sink"), Some(topic("orders", 5, 500))));
    }

    #[test]
    fn streams_name_the_exception() {
        let failure = streams(&with([
            ("__streams.errors.exception", "com.acme.Boom"),
            ("__streams.errors.message", "boom"),
            ("__streams.errors.stacktrace", "com.acme.Boom: boom\n\tat com.acme.A.b(A.java:1)"),
            ("__streams.errors.topic", "orders"),
            ("__streams.errors.partition", "0"),
            ("__streams.errors.offset", "3"),
        ]))
        .unwrap();
        assert_eq!((failure.class.as_deref(), failure.origin), (Some("com.acme.Boom"), Some(topic("orders", 0, 3))));
    }

    /// Names and texts as Kafka's share group dead letter manager writes them.
    #[test]
    fn a_share_group_names_the_record_and_the_count() {
        let failure = share_group(&with([
            ("__dlq.errors.topic", "course.created"),
            ("__dlq.errors.partition", "2"),
            ("__dlq.errors.offset", "41"),
            ("__dlq.errors.group", "courses-counter"),
            ("__dlq.errors.delivery.count", "3"),
            ("__dlq.errors.message", "Offset delivery count exceeded the threshold."),
        ]))
        .unwrap();
        assert_eq!((failure.attempts, failure.consumer.as_deref()), (Some(3), Some("courses-counter")));
        assert_eq!(failure.origin, Some(topic("course.created", 2, 41)));
    }

    #[test]
    fn smallrye_prefers_the_cause() {
        let plain = [
            ("dead-letter-exception-class-name", "java.lang.RuntimeException"),
            ("dead-letter-reason", "Something went wrong"),
            ("dead-letter-topic", "movies"),
            ("dead-letter-partition", "0"),
            ("dead-letter-offset", "0"),
        ];
        let failure = smallrye(&with(plain)).unwrap();
        assert_eq!(failure.class.as_deref(), Some("java.lang.RuntimeException"));
        assert_eq!(failure.origin, Some(topic("movies", 0, 0)));
        let mut caused = with(plain);
        caused.headers.push("dead-letter-cause-class-name", "com.acme.Boom");
        caused.headers.push("dead-letter-cause", "boom");
        let failure = smallrye(&caused).unwrap();
        assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (Some("com.acme.Boom"), Some("boom")));
        let jms = smallrye(&with([("dead_letter_exception_class_name", "A"), ("dead_letter_reason", "b")])).unwrap();
        assert_eq!((jms.class.as_deref(), jms.origin), (Some("A"), None));
    }
}
