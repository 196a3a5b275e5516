//! What Amazon's services leave: SQS redrive.
//!
//! Limits: SQS itself keeps no reason, only the source queue and the count of receives.

use super::read::{number, text};
use super::{Failure, Origin};
use crate::message::{Message, Value};

/// SQS redrive: the source queue's ARN and the number of receives, which the broker tells with the message.
pub(super) fn redrive(message: &Message) -> Option<Failure> {
    let arn = text(system(message, "DeadLetterQueueSourceArn")?)?;
    let queue = arn.rsplit(':').next().filter(|name| !name.is_empty())?.to_owned();
    let sent_first = system(message, "ApproximateFirstReceiveTimestamp").and_then(super::read::value_time);
    Some(Failure {
        dialect: "sqs",
        origin: Some(Origin::Queue(queue)),
        attempts: system(message, "ApproximateReceiveCount").and_then(number).and_then(|n| u64::try_from(n).ok()),
        first: sent_first,
        ..Failure::default()
    })
}

/// A system attribute by its AWS name, or by the same name in lower case with underscores.
fn system<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    let same = |other: &str| {
        let mut bytes = name.bytes().map(|byte| byte.to_ascii_lowercase());
        other.bytes().filter(|byte| *byte != b'_').all(|byte| bytes.next() == Some(byte.to_ascii_lowercase()))
            && bytes.next().is_none()
    };
    let fields = message.metadata.iter().chain(&message.properties).chain(&message.headers);
    fields.into_iter().find(|(other, _)| same(other)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redriven_message_names_its_source_queue() {
        let mut message = Message::default();
        assert_eq!(redrive(&message), None);
        message.metadata.push("dead_letter_queue_source_arn", "arn:aws:sqs:eu-west-1:123456789012:orders");
        message.metadata.push("ApproximateReceiveCount", "4");
        let failure = redrive(&message).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert_eq!((failure.class, failure.attempts), (None, Some(4)));
    }
}
