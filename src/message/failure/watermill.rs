//! Watermill's poison queue middleware (Go): four metadata fields.
//!
//! Limits: a topic is a Kafka topic where the message was read from a partition, and a queue everywhere else.

use super::read::first;
use super::{Failure, Origin};
use crate::message::Message;

/// Watermill.
pub(super) fn detect(message: &Message) -> Option<Failure> {
    let reason = first(message, "reason_poisoned")?;
    // Its `Recoverer` puts the stack of a panic behind what it was; what tries again may be told before it.
    let (reason, stack) = match reason.split_once(", stacktrace: ") {
        Some((told, stack)) if told.contains("panic occurred: ") => (told.to_owned(), Some(stack.to_owned())),
        _ => (reason, None),
    };
    let partitioned = message.position.is_some_and(|position| position.partition.is_some());
    Some(Failure {
        dialect: "watermill",
        message: Some(reason),
        stack,
        origin: first(message, "topic_poisoned").map(|topic| {
            if partitioned { Origin::Topic { topic, partition: None, offset: None } } else { Origin::Queue(topic) }
        }),
        consumer: first(message, "handler_poisoned"),
        ..Failure::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Fields, Position};

    /// Text as in Watermill's `recoverer.go`.
    #[test]
    fn a_panic_brings_its_stack() {
        let reason = "panic occurred: runtime error: no, stacktrace: \ngoroutine 7 [running]:\npanic({0x1, 0x2})\n\t/usr/local/go/src/runtime/panic.go:770 +0xf5\ngithub.com/acme/bags/internal/merge.(*Merger).Merge(0xc0)\n\t/src/merger.go:73 +0x67";
        let message = Message { headers: Fields::from_iter([("reason_poisoned", reason)]), ..Message::default() };
        let failure = detect(&message).unwrap().rooted();
        assert_eq!(failure.message.as_deref(), Some("panic occurred: runtime error: no"));
        assert_eq!(failure.frames, ["github.com/acme/bags/internal/merge.(*Merger).Merge"]);
    }

    /// Names as in Watermill's `poison.go`.
    #[test]
    fn a_topic_is_a_queue_outside_kafka() {
        let headers = Fields::from_iter([
            ("reason_poisoned", "charge: connection refused"),
            ("topic_poisoned", "orders"),
            ("handler_poisoned", "charge"),
            ("subscriber_poisoned", "amqp.Subscriber"),
        ]);
        let mut message = Message { headers, ..Message::default() };
        assert_eq!(detect(&message).unwrap().origin, Some(Origin::Queue("orders".into())));
        message.position = Some(Position { partition: Some(0), offset: 1 });
        let want = Origin::Topic { topic: "orders".into(), partition: None, offset: None };
        assert_eq!(detect(&message).unwrap().origin, Some(want));
    }
}
