//! The header policy of a replay: what is kept, what is taken out, and what is added.
//!
//! Provenance (`x-death`, dead-letter headers of frameworks) is kept: it says why the message was there. What would
//! distort the replay is taken out. Two headers are added where the target has room, so that a copy can be told from
//! its original and a loop can be seen.

use bytes::Bytes;

use crate::broker::{HeaderTypes, PublishLimits};
use crate::message::{Message, OWN_ID, Value};
use crate::operation::fit;
use crate::operation::plan::HeaderPolicy;

/// The journal's id and the message's number in it: the same for every try of the same step.
pub(crate) const REPLAY_ID: &str = "postroom-replay-id";
/// How often the message was replayed.
pub(crate) const REPLAY_COUNT: &str = "postroom-replay-count";

/// Headers that would distort a replay, and why.
const STRIPPED_HEADERS: &[(&str, &str)] = &[
    ("CC", "the copy would be routed to these keys once more"),
    ("BCC", "the copy would be routed to these keys once more"),
    ("x-delivery-count", "a counter of the broker"),
    ("x-acquired-count", "a counter of the broker"),
];

/// AMQP properties that would distort a replay, and why.
const STRIPPED_PROPERTIES: &[(&str, &str)] =
    &[("user_id", "the broker takes no other user's id"), ("expiration", "the copy would expire again")];

/// The property by which an SQS FIFO queue knows a message that is sent twice.
const DEDUPLICATION: &str = "message_deduplication_id";

/// A reply-to that means the connection it came from; the broker refuses it from any other.
const DIRECT_REPLY: &str = "amq.rabbitmq.reply-to";

/// The policy in words, for a plan.
pub(super) fn policy(converted: Option<u64>) -> HeaderPolicy {
    let strips = STRIPPED_HEADERS
        .iter()
        .map(|(name, why)| format!("header {name}: {why}"))
        .chain(STRIPPED_PROPERTIES.iter().map(|(name, why)| format!("property {name}: {why}")))
        .chain([format!("property reply_to = {DIRECT_REPLY}: it means a connection that is gone")])
        .collect();
    HeaderPolicy { adds: vec![REPLAY_ID.into(), REPLAY_COUNT.into()], strips, converted }
}

/// How often the message was replayed before.
pub(super) fn replays(message: &Message) -> u64 {
    match message.headers.get(REPLAY_COUNT) {
        Some(Value::Int(n)) => u64::try_from(*n).unwrap_or_default(),
        Some(Value::Bytes(text) | Value::Sqs { value: text, .. }) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
        }
        Some(_) => 1,
        None => 0,
    }
}

/// The message as it is published, and how many header values were converted.
pub(in crate::operation) fn prepare(mut message: Message, limits: &PublishLimits, replay_id: &str) -> (Message, u64) {
    let count = replays(&message) + 1;
    let stripped = |name: &str| STRIPPED_HEADERS.iter().any(|(stripped, _)| *stripped == name);
    if message.headers.iter().any(|(name, _)| stripped(name) || name == REPLAY_ID || name == REPLAY_COUNT) {
        message.headers.retain(|name, _| !stripped(name) && name != REPLAY_ID && name != REPLAY_COUNT);
    }
    if limits.header_types == HeaderTypes::Amqp && !message.properties.is_empty() {
        message.properties.retain(|name, value| {
            let direct = name == "reply_to" && value.as_str().is_some_and(|to| to.starts_with(DIRECT_REPLY));
            !direct && STRIPPED_PROPERTIES.iter().all(|(stripped, _)| *stripped != name)
        });
    }
    if limits.header_types == HeaderTypes::Sqs {
        // The old id would be taken for a duplicate within five minutes, and the message dropped. This one is the same
        // for every try of the same step, and another for every replay.
        message.properties.retain(|name, _| name != DEDUPLICATION);
        message.properties.push(DEDUPLICATION, replay_id);
        message.metadata.push(OWN_ID, Value::Bool(true));
    }
    let mut converted = 0;
    if let Some((headers, n)) = fit::headers(&message, limits.header_types) {
        (message.headers, converted) = (headers, n);
    }
    let room = limits.max_headers.is_none_or(|max| message.headers.len() + 2 <= max as usize);
    if room {
        message.headers.push(REPLAY_ID, replay_id);
        message.headers.push(REPLAY_COUNT, count_value(count, limits.header_types));
    }
    (message, converted)
}

fn count_value(count: u64, types: HeaderTypes) -> Value {
    match types {
        HeaderTypes::Amqp | HeaderTypes::Any => Value::Int(i64::try_from(count).unwrap_or(i64::MAX)),
        HeaderTypes::Bytes | HeaderTypes::Text => Value::text(count.to_string()),
        HeaderTypes::Sqs => Value::Sqs { data_type: "Number".into(), value: Bytes::from(count.to_string()) },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::memory::Profile;
    use crate::message::Fields;

    fn dead() -> Message {
        Message {
            headers: Fields::from_iter([
                ("x-death", Value::from("kept")),
                ("CC", Value::from("other")),
                (REPLAY_COUNT, Value::Int(2)),
                (REPLAY_ID, Value::from("old")),
            ]),
            properties: Fields::from_iter([
                ("expiration", Value::from("1000")),
                ("reply_to", Value::from("amq.rabbitmq.reply-to.g1h2")),
                ("type", Value::from("order")),
            ]),
            payload: Some(Bytes::from_static(b"{}")),
            ..Message::default()
        }
    }

    #[test]
    fn provenance_stays_distortions_go_and_the_marks_are_renewed() {
        let (message, converted) = prepare(dead(), &Profile::RabbitClassic.publish_limits(), "j-7");
        let expected = Fields::from_iter([
            ("x-death", Value::from("kept")),
            (REPLAY_ID, Value::from("j-7")),
            (REPLAY_COUNT, Value::Int(3)),
        ]);
        assert_eq!((message.headers, converted), (expected, 0));
        assert_eq!(message.properties, Fields::from_iter([("type", Value::from("order"))]));
        assert_eq!(message.payload.as_deref(), Some(b"{}".as_slice()));
    }

    #[test]
    fn a_target_without_room_gets_no_marks() {
        let mut full = dead();
        for n in 0..8 {
            full.headers.push(format!("h{n}"), "x");
        }
        let limits = Profile::SqsStandard.publish_limits();
        let (message, _) = prepare(full, &limits, "j-7");
        assert_eq!(message.headers.get(REPLAY_ID), None);
        assert_eq!(message.headers.len(), 9);
    }

    #[test]
    fn each_replay_to_sqs_has_a_deduplication_id_of_its_own() {
        let old = Fields::from_iter([("message_deduplication_id", Value::from("old"))]);
        let dead = Message { properties: old, ..Message::default() };
        let (message, _) = prepare(dead, &Profile::SqsFifo.publish_limits(), "j-7");
        assert_eq!(message.properties, Fields::from_iter([("message_deduplication_id", Value::from("j-7"))]));
    }

    #[test]
    fn counts_are_read_in_every_type() {
        for (value, expected) in [
            (Value::Int(4), 4),
            (Value::text("5"), 5),
            (Value::Sqs { data_type: "Number".into(), value: Bytes::from_static(b"6") }, 6),
            (Value::text("many"), 1),
        ] {
            let message = Message { headers: Fields::from_iter([(REPLAY_COUNT, value)]), ..Message::default() };
            assert_eq!(replays(&message), expected);
        }
        assert_eq!(replays(&Message::default()), 0);
    }
}
