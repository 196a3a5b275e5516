//! The header policy of a replay: what is kept, what is taken out, and what is added.
//!
//! Provenance (`x-death`, dead-letter headers of frameworks) is kept: it says why the message was there. What would
//! distort the replay is taken out. Two headers are added where the target has room, so that a copy can be told from
//! its original and a loop can be seen.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::broker::{HeaderTypes, PublishLimits};
use crate::message::{Message, OWN_ID, Value};
use crate::operation::fit;
use crate::operation::plan::HeaderPolicy;
use crate::text::human;

/// The journal's id and the message's number in it: the same for every try of the same step.
pub(crate) const REPLAY_ID: &str = "postroom-replay-id";
/// How often the message was replayed.
pub(crate) const REPLAY_COUNT: &str = "postroom-replay-count";

/// Why the message was set aside, in the operator's words.
pub(crate) const REASON: &str = "postroom-reason";

/// What a copy is for: a copy that is to be worked on again leaves behind more than one that is only moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// It is to be consumed: what frameworks would misread is taken out, and the replay is counted.
    Replay,
    /// It is set aside as it is: parked, or drained to another queue.
    Park,
    /// It comes back to where it was.
    Undo,
}

/// How the copies that go to one destination are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// What they are for.
    pub(crate) purpose: Purpose,
    /// Why they are set aside.
    pub(crate) reason: Option<std::sync::Arc<str>>,
}

/// Something that is taken out of copies: what, by its name or the beginning of it, and why.
struct Strip {
    name: &'static str,
    why: &'static str,
}

impl Strip {
    const fn new(name: &'static str, why: &'static str) -> Self {
        Self { name, why }
    }

    fn is(&self, name: &str) -> bool {
        self.name.strip_suffix('*').map_or(self.name == name, |start| name.starts_with(start))
    }
}

/// Headers that would send a copy astray, or are the broker's own.
const ASTRAY: [Strip; 5] = [
    Strip::new("CC", "the copy would be routed to these keys once more"),
    Strip::new("BCC", "the copy would be routed to these keys once more"),
    Strip::new("x-delivery-count", COUNTER),
    Strip::new("x-acquired-count", COUNTER),
    Strip::new("x-deduplication-header", "a deduplicating exchange or queue would drop the copy"),
];

/// A counter that is never published again; nothing is lost with it.
const COUNTER: &str = "a counter of the broker";

/// Headers that consumers would misread in a copy that they are to work on again.
const MISREAD: [Strip; 10] = [
    Strip::new("x-delay", "a delaying exchange would hold the copy back"),
    Strip::new("MT-Fault-*", "MassTransit's record of the failure"),
    Strip::new("MT-Reason", "MassTransit's record of the failure"),
    Strip::new("NServiceBus.ExceptionInfo.*", "NServiceBus' record of the failure"),
    Strip::new("NServiceBus.FailedQ", "NServiceBus' record of the failure"),
    Strip::new("NServiceBus.TimeOfFailure", "NServiceBus' record of the failure"),
    Strip::new("NServiceBus.Retries*", "NServiceBus would take its retries for used up"),
    Strip::new("NServiceBus.FLRetries", "NServiceBus would take its retries for used up"),
    Strip::new("retry_topic-*", "Spring Kafka would take its retries for used up"),
    Strip::new("springDeserializerException*", "Spring Kafka would take the copy for unreadable"),
];

/// AMQP properties that would distort a copy, and why. To another kind of broker they would go as headers, which say nothing
/// there and come back by the next move.
const PROPERTIES: [Strip; 2] = [
    Strip::new("user_id", "the broker takes no other user's id"),
    Strip::new("expiration", "the copy would expire again"),
];

/// The property by which an SQS FIFO queue knows a message that is sent twice.
const DEDUPLICATION: &str = "message_deduplication_id";

/// A reply-to that means the connection it came from; the broker refuses it from any other.
const DIRECT_REPLY: &str = "amq.rabbitmq.reply-to";

impl Stamp {
    /// Marks for that purpose.
    pub(crate) const fn new(purpose: Purpose) -> Self {
        Self { purpose, reason: None }
    }

    /// Why a header of this name is taken out.
    fn strip(&self, name: &str) -> Option<&'static Strip> {
        let misread = if self.purpose == Purpose::Replay { MISREAD.as_slice() } else { &[] };
        ASTRAY.iter().chain(misread).find(|strip| strip.is(name))
    }

    /// Whether a header of this name is one of our marks that this copy gets anew or loses.
    fn is_mark(&self, name: &str) -> bool {
        match (self.purpose, name) {
            // What comes back has been given its own marks again by then.
            (Purpose::Undo, _) => false,
            (_, REPLAY_ID) | (Purpose::Replay, REPLAY_COUNT | REASON) => true,
            (Purpose::Park, REASON) => self.reason.is_some(),
            _ => false,
        }
    }

    /// Whether a copy does not tell all that its original was: something of it is taken out, converted, or marked over.
    /// What the broker counted is no part of a message.
    pub(super) fn loses(&self, message: &Message, types: HeaderTypes) -> bool {
        let headers = message.headers.iter().any(|(name, _)| {
            self.strip(name).is_some_and(|strip| strip.why != COUNTER) || matches!(name.as_str(), REPLAY_ID | REASON)
        });
        let properties = types != HeaderTypes::Any
            && message
                .properties
                .iter()
                .any(|(name, value)| is_direct_reply(name, value) || PROPERTIES.iter().any(|strip| strip.is(name)));
        headers || properties || !fit::is_fit(message, types)
    }

    /// The policy in words, for a plan that names no messages.
    pub(super) fn policy(&self) -> HeaderPolicy {
        let misread = if self.purpose == Purpose::Replay { MISREAD.as_slice() } else { &[] };
        let strips = ASTRAY
            .iter()
            .chain(misread)
            .map(|strip| format!("header {}: {}", strip.name, strip.why))
            .chain(PROPERTIES.iter().map(|strip| format!("property {}: {}", strip.name, strip.why)))
            .chain([format!("property reply_to = {DIRECT_REPLY}: it means a connection that is gone")])
            .collect();
        HeaderPolicy { adds: self.adds(), strips, converted: None }
    }

    fn adds(&self) -> Vec<String> {
        let adds: &[&str] = match self.purpose {
            Purpose::Replay => &[REPLAY_ID, REPLAY_COUNT],
            Purpose::Park if self.reason.is_some() => &[REPLAY_ID, REASON],
            Purpose::Park => &[REPLAY_ID],
            Purpose::Undo => &[],
        };
        adds.iter().map(ToString::to_string).collect()
    }
}

/// What is taken out of the messages of a plan that names them, and of how many.
#[derive(Debug, Default)]
pub(super) struct Stripped(BTreeMap<String, (u64, &'static str)>);

impl Stripped {
    /// Counts what is taken out of one message on its way to a target of such headers.
    pub(super) fn count(&mut self, message: &Message, stamp: &Stamp, types: HeaderTypes) {
        let headers = message.headers.iter().filter_map(|(name, _)| stamp.strip(name));
        let mut found: Vec<_> = headers.map(|strip| (format!("header {}", strip.name), strip.why)).collect();
        if types != HeaderTypes::Any {
            for (name, value) in &message.properties {
                if let Some(strip) = PROPERTIES.iter().find(|strip| strip.is(name)) {
                    found.push((format!("property {name}"), strip.why));
                } else if is_direct_reply(name, value) {
                    found.push((format!("property {name} = {DIRECT_REPLY}"), "it means a connection that is gone"));
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        for (name, why) in found {
            self.0.entry(name).or_insert((0, why)).0 += 1;
        }
    }

    /// The policy in words, and what of it the messages of the plan need.
    pub(super) fn policy(&self, stamp: &Stamp, converted: Option<u64>) -> HeaderPolicy {
        let strips = self.0.iter().map(|(name, (count, why))| format!("{name} of {}: {why}", human::count(*count)));
        HeaderPolicy { adds: stamp.adds(), strips: strips.collect(), converted }
    }
}

fn is_direct_reply(name: &str, value: &Value) -> bool {
    name == "reply_to" && value.as_str().is_some_and(|to| to.starts_with(DIRECT_REPLY))
}

/// The replay id of a message in the run of that journal.
pub(in crate::operation) fn replay_id(journal: &str, seq: u64) -> String {
    format!("{journal}-{seq}")
}

/// The number of a message in the run of that journal, where it is a copy of that run.
pub(in crate::operation) fn seq_of(message: &Message, journal: &str) -> Option<u64> {
    let id = message.headers.get_str(REPLAY_ID)?;
    id.strip_prefix(journal)?.strip_prefix('-')?.parse().ok()
}

/// The filter that finds the copies of that journal's run.
pub(in crate::operation) fn filter(journal: &str) -> String {
    format!("header.{REPLAY_ID}~\"^{journal}-\"")
}

/// A copy as its original was, as far as the copy tells: without our marks, and counted back where `counted`.
pub(in crate::operation) fn unmark(message: &mut Message, counted: bool) {
    let before = replays(message).saturating_sub(1);
    let had = message.headers.get(REPLAY_COUNT).cloned();
    message.headers.retain(|name, _| name != REPLAY_ID && name != REASON && !(counted && name == REPLAY_COUNT));
    if let Some(had) = had.filter(|_| counted && before > 0) {
        let value = match had {
            Value::Int(_) => Value::Int(i64::try_from(before).unwrap_or(i64::MAX)),
            Value::Sqs { data_type, .. } => Value::Sqs { data_type, value: Bytes::from(before.to_string()) },
            _ => Value::text(before.to_string()),
        };
        message.headers.push(REPLAY_COUNT, value);
    }
}

/// How often the message was replayed before.
pub(in crate::operation) fn replays(message: &Message) -> u64 {
    match message.headers.get(REPLAY_COUNT) {
        Some(Value::Int(n)) => u64::try_from(*n).unwrap_or_default(),
        Some(Value::Bytes(text) | Value::Sqs { value: text, .. }) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(1)
        }
        Some(_) => 1,
        None => 0,
    }
}

/// The message as it is published, and how many values of headers and properties were converted.
pub(in crate::operation) fn prepare(
    mut message: Message,
    limits: &PublishLimits,
    replay_id: String,
    stamp: &Stamp,
) -> (Message, u64) {
    let before = replays(&message);
    let leaves = |name: &str| stamp.strip(name).is_some() || stamp.is_mark(name);
    if message.headers.iter().any(|(name, _)| leaves(name)) {
        message.headers.retain(|name, _| !leaves(name));
    }
    if limits.header_types != HeaderTypes::Any && !message.properties.is_empty() {
        message
            .properties
            .retain(|name, value| !is_direct_reply(name, value) && !PROPERTIES.iter().any(|strip| strip.is(name)));
    }
    if limits.header_types == HeaderTypes::Sqs {
        // The old id would be taken for a duplicate within five minutes, and the message dropped. This one is the same
        // for every try of the same step, and another for every replay.
        message.properties.retain(|name, _| name != DEDUPLICATION);
        message.properties.push(DEDUPLICATION, replay_id.as_str());
        message.metadata.push(OWN_ID, Value::Bool(true));
    }
    let mut converted = 0;
    if let Some(fitted) = fit::fitted(&message, limits.header_types) {
        (message.headers, message.properties, converted) = (fitted.headers, fitted.properties, fitted.converted);
    }
    let marks = [
        (stamp.purpose != Purpose::Undo).then(|| (REPLAY_ID, Value::text(replay_id))),
        (stamp.purpose == Purpose::Replay).then(|| (REPLAY_COUNT, count_value(before + 1, limits.header_types))),
        stamp.reason.as_ref().map(|reason| (REASON, Value::text(reason.as_ref()))),
    ];
    let all = message.headers.len() + marks.iter().flatten().count();
    if limits.max_headers.is_none_or(|max| all <= max as usize) {
        for (name, value) in marks.into_iter().flatten() {
            message.headers.push(name, value);
        }
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

    const REPLAY: Stamp = Stamp::new(Purpose::Replay);

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
        let (message, converted) = prepare(dead(), &Profile::RabbitClassic.publish_limits(), "j-7".into(), &REPLAY);
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
    fn what_a_framework_would_misread_goes_from_a_replay_and_stays_in_what_is_set_aside() {
        let headers = Fields::from_iter([
            ("MT-Fault-Message", Value::from("boom")),
            ("NServiceBus.Retries", Value::from("3")),
            ("tenant", Value::from("acme")),
            ("BCC", Value::from("other")),
            (REPLAY_COUNT, Value::Int(2)),
        ]);
        let message = Message { headers, ..Message::default() };
        let limits = Profile::RabbitClassic.publish_limits();
        let names = |stamp: &Stamp| -> Vec<String> {
            let (copy, _) = prepare(message.clone(), &limits, "j-7".into(), stamp);
            copy.headers.iter().map(|(name, value)| format!("{name}={value:?}")).map(|s| s.replace('"', "")).collect()
        };
        assert_eq!(names(&REPLAY).len(), 3);
        let park = Stamp { reason: Some("poison".into()), ..Stamp::new(Purpose::Park) };
        let parked = names(&park);
        assert_eq!(parked.len(), 6, "{parked:?}");
        assert!(parked[4].starts_with(REPLAY_ID) && parked[5].starts_with(REASON), "{parked:?}");
        assert!(parked[3].starts_with(REPLAY_COUNT) && parked[3].contains('2'), "{parked:?}");
        assert_eq!(names(&Stamp::new(Purpose::Undo)).len(), 4);
        let mut stripped = Stripped::default();
        stripped.count(&message, &REPLAY, HeaderTypes::Amqp);
        stripped.count(&message, &REPLAY, HeaderTypes::Amqp);
        let policy = stripped.policy(&REPLAY, None);
        let taken = ["header BCC of 2", "header MT-Fault-* of 2", "header NServiceBus.Retries* of 2"];
        assert_eq!(policy.strip_names(), taken);
    }

    #[test]
    fn an_unmarked_copy_is_its_original() {
        let limits = Profile::RabbitClassic.publish_limits();
        for headers in
            [Fields::from_iter([("tenant", Value::from("acme"))]), Fields::from_iter([(REPLAY_COUNT, Value::Int(2))])]
        {
            let original = Message { headers, ..Message::default() };
            let (mut copy, _) = prepare(original.clone(), &limits, "20260302-1-a-7".into(), &REPLAY);
            assert_eq!(seq_of(&copy, "20260302-1-a"), Some(7));
            assert_eq!(seq_of(&copy, "20260302-1"), None);
            unmark(&mut copy, true);
            assert_eq!(copy.headers, original.headers);
        }
        assert!(!REPLAY.loses(&Message::default(), HeaderTypes::Amqp));
        assert!(REPLAY.loses(&dead(), HeaderTypes::Amqp));
    }

    #[test]
    fn a_target_without_room_gets_no_marks() {
        let mut full = dead();
        for n in 0..8 {
            full.headers.push(format!("h{n}"), "x");
        }
        let limits = Profile::SqsStandard.publish_limits();
        let (message, _) = prepare(full, &limits, "j-7".into(), &REPLAY);
        assert_eq!(message.headers.get(REPLAY_ID), None);
        // One more was a property.
        assert_eq!(message.headers.len(), 10);
    }

    #[test]
    fn each_replay_to_sqs_has_a_deduplication_id_of_its_own() {
        let old = Fields::from_iter([("message_deduplication_id", Value::from("old"))]);
        let dead = Message { properties: old, ..Message::default() };
        let (message, _) = prepare(dead, &Profile::SqsFifo.publish_limits(), "j-7".into(), &REPLAY);
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
