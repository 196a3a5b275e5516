//! SQS's message and ours: attributes with their exact types, system attributes by lower-case names.
//!
//! Attributes come in no order, so they are sorted by name: the same message has the same digest at every read.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{
    Message as Raw, MessageAttributeValue, MessageSystemAttributeName as System, MessageSystemAttributeNameForSends,
    MessageSystemAttributeValue, SendMessageBatchRequestEntry,
};
use bytes::Bytes;
use jiff::Timestamp;

use crate::error::{Error, ErrorKind, Result};
use crate::message::{Fields, Message, OWN_ID, Value};

/// The property that names a FIFO message for five minutes.
pub(super) const DEDUPLICATION: &str = "message_deduplication_id";
/// The property of the one system attribute that can be sent.
pub(super) const TRACE: &str = "aws_trace_header";

/// What a reader gets.
pub(super) fn message(address: &Arc<str>, raw: Raw) -> Message {
    let mut system = raw.attributes.unwrap_or_default();
    let received = system.get(&System::ApproximateReceiveCount).and_then(|count| count.parse::<u64>().ok());
    let mut properties = Fields::new();
    for (name, property) in [(System::MessageDeduplicationId, DEDUPLICATION), (System::AwsTraceHeader, TRACE)] {
        if let Some(value) = system.remove(&name) {
            properties.push(property, Value::text(value));
        }
    }
    let time = system.remove(&System::SentTimestamp).and_then(|ms| Timestamp::from_millisecond(ms.parse().ok()?).ok());
    let key = system.remove(&System::MessageGroupId).map(Bytes::from);
    let mut metadata: Vec<(String, Value)> = system
        .into_iter()
        .map(|(name, value)| {
            let number = value.parse().ok().filter(|_| name == System::ApproximateReceiveCount);
            (snake(name.as_str()), number.map_or_else(|| Value::text(value), Value::Int))
        })
        .collect();
    metadata.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut headers: Vec<(String, Value)> =
        raw.message_attributes.unwrap_or_default().into_iter().map(|(name, value)| (name, header(value))).collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Message {
        address: Arc::clone(address),
        id: raw.message_id.unwrap_or_default(),
        position: None,
        time,
        key,
        headers: headers.into_iter().collect(),
        properties,
        metadata: metadata.into_iter().collect(),
        payload: Some(Bytes::from(raw.body.unwrap_or_default())),
        deliveries: received.map(|count| count.saturating_sub(1)),
    }
}

fn header(value: MessageAttributeValue) -> Value {
    let data = match (value.string_value, value.binary_value) {
        (Some(text), _) => Bytes::from(text),
        (None, Some(binary)) => Bytes::from(binary.into_inner()),
        (None, None) => Bytes::new(),
    };
    if value.data_type == "String" {
        Value::Bytes(data)
    } else {
        Value::Sqs { data_type: value.data_type, value: data }
    }
}

/// `ApproximateReceiveCount` as `approximate_receive_count`.
fn snake(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 4);
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}

/// A message as an entry of a batch, and its bytes as SQS counts them.
pub(super) struct Outgoing {
    pub(super) entry: SendMessageBatchRequestEntry,
    pub(super) bytes: u64,
    pub(super) group: Option<String>,
    pub(super) named: Named,
}

/// Who made a message's deduplication id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// This publisher, for this message alone.
    Fresh,
    /// The run that sends it, for this step: an earlier try of it may have used the id.
    Step,
    /// Somebody else, or SQS by the body: where it was used within five minutes, the message is dropped in silence.
    Others,
}

/// What the queue asks of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub(super) fifo: bool,
    pub(super) content_dedup: bool,
    pub(super) max_bytes: u64,
}

fn rejected(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Rejected, why)
}

/// A message as it is sent. `fresh` makes a deduplication id where the queue needs one and the message has none.
///
/// # Errors
/// `Rejected` for everything that SQS would refuse or change.
pub(super) fn outgoing(message: &Message, rules: Rules, fresh: impl FnOnce() -> String) -> Result<Outgoing> {
    let body = body(message)?;
    let mut bytes = body.len() as u64;
    let mut attributes = HashMap::new();
    for (name, value) in &message.headers {
        check_name(name)?;
        let value = attribute(name, value)?;
        bytes += (name.len()
            + value.data_type.len()
            + value.string_value.as_ref().map_or(0, String::len)
            + value.binary_value.as_ref().map_or(0, |blob| blob.as_ref().len())) as u64;
        attributes.insert(name.to_string(), value);
    }
    if bytes > rules.max_bytes {
        return Err(rejected(format!(
            "the message has {bytes} bytes with its attributes, and the queue takes {} at most",
            rules.max_bytes
        )));
    }
    let mut entry = SendMessageBatchRequestEntry::builder().message_body(body);
    if !attributes.is_empty() {
        entry = entry.set_message_attributes(Some(attributes));
    }
    let group = message.key.as_ref().map(|key| token("message group id", key)).transpose()?;
    if rules.fifo && group.is_none() {
        return Err(rejected("a FIFO queue needs a message group id, and the message has no key")
            .hint("give it a key by an edit, or with --key"));
    }
    let mut deduplication = None;
    for (name, value) in &message.properties {
        match (name.as_str(), value) {
            // A standard queue knows none; it is the FIFO queue's that the message comes from.
            (DEDUPLICATION, Value::Bytes(id)) => deduplication = Some(token(DEDUPLICATION, id)?),
            (TRACE, Value::Bytes(header)) => {
                let value = MessageSystemAttributeValue::builder()
                    .data_type("String")
                    .string_value(String::from_utf8_lossy(header))
                    .build()
                    .map_err(|error| rejected("the trace header can't be sent").because(error))?;
                entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
            }
            _ => {
                return Err(rejected(format!("the property {name:?} is none that an SQS sender has"))
                    .hint("drop it or turn it into a header by an edit"));
            }
        }
    }
    let named = match (&deduplication, message.metadata.get(OWN_ID)) {
        (Some(_), Some(_)) => Named::Step,
        (None, _) if !rules.content_dedup => Named::Fresh,
        _ => Named::Others,
    };
    if rules.fifo {
        let id = deduplication.or_else(|| (!rules.content_dedup).then(fresh));
        entry = entry.set_message_deduplication_id(id);
    }
    // The id is replaced by the entry's number in its batch.
    let entry = entry.set_message_group_id(group.clone()).id("0");
    let entry = entry.build().map_err(|error| rejected("the message can't be sent").because(error))?;
    Ok(Outgoing { entry, bytes, group, named })
}

/// The body: text of XML 1.0 characters, at least one.
fn body(message: &Message) -> Result<String> {
    let text = std::str::from_utf8(message.body()).map_err(|_| {
        rejected("the payload is not UTF-8 text, which is all that SQS takes").hint("encode it as base64 by an edit")
    })?;
    if text.is_empty() {
        return Err(rejected("the payload is empty, and SQS takes at least one character"));
    }
    match text.chars().find(|c| !is_xml(*c)) {
        None => Ok(text.to_owned()),
        Some(c) => {
            Err(rejected(format!("the payload holds the character U+{:04X}, which SQS does not take", c as u32))
                .hint("encode it as base64 by an edit"))
        }
    }
}

fn is_xml(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// A group or deduplication id: 1 to 128 letters, digits and punctuation.
fn token(what: &str, bytes: &[u8]) -> Result<String> {
    let text = std::str::from_utf8(bytes).ok().filter(|text| !text.is_empty() && text.len() <= 128);
    text.filter(|text| text.chars().all(|c| c.is_ascii_graphic())).map(ToOwned::to_owned).ok_or_else(|| {
        rejected(format!(
            "the {what} is not 1 to 128 letters, digits and punctuation marks, which is all that SQS takes"
        ))
    })
}

/// An attribute's name: letters, digits, `_`, `-` and single points.
fn check_name(name: &str) -> Result<()> {
    let lower = name.to_ascii_lowercase();
    let good = !name.is_empty()
        && name.len() <= 256
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
        && !name.starts_with('.')
        && !name.ends_with('.')
        && !name.contains("..")
        && !lower.starts_with("aws.")
        && !lower.starts_with("amazon.");
    if good {
        return Ok(());
    }
    Err(rejected(format!("the header name {name:?} is none that SQS takes as an attribute"))
        .hint("letters, digits, _, - and single points, 256 at most, and not AWS. or Amazon. at its start"))
}

fn attribute(name: &str, value: &Value) -> Result<MessageAttributeValue> {
    let (data_type, bytes) = match value {
        Value::Bytes(text) => ("String", text),
        Value::Sqs { data_type, value } => (data_type.as_str(), value),
        _ => return Err(rejected(format!("the header {name:?} has a type of value that SQS can't hold"))),
    };
    let built = MessageAttributeValue::builder().data_type(data_type);
    let base = data_type.split('.').next().unwrap_or_default();
    let built = if base == "Binary" {
        built.binary_value(Blob::new(bytes.to_vec()))
    } else {
        let text = std::str::from_utf8(bytes).ok().filter(|text| text.chars().all(is_xml));
        let text = text.ok_or_else(|| rejected(format!("the header {name:?} is not text that SQS takes")))?;
        built.string_value(text)
    };
    built.build().map_err(|error| rejected(format!("the header {name:?} can't be sent")).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIFO: Rules = Rules { fifo: true, content_dedup: false, max_bytes: 1000 };

    fn full() -> Message {
        let typed = |data_type: &str, value: &'static [u8]| Value::Sqs {
            data_type: data_type.to_owned(),
            value: Bytes::from_static(value),
        };
        Message {
            key: Some(Bytes::from_static(b"customer-1")),
            headers: Fields::from_iter([
                ("a", Value::text("plain")),
                ("b", typed("Number.int", b"17")),
                ("c", typed("Binary.gif", &[0, 255])),
                ("d", typed("String.ärgern", "x".as_bytes())),
            ]),
            properties: Fields::from_iter([
                (DEDUPLICATION, "id-1"),
                (TRACE, "Root=1-5759e988-bd862e3fe1be46a994272793"),
            ]),
            payload: Some(Bytes::from_static(b"{}")),
            ..Message::default()
        }
    }

    #[test]
    fn types_suffixes_and_system_attributes_survive() {
        let sent = outgoing(&full(), FIFO, || unreachable!()).unwrap();
        let entry = sent.entry;
        assert_eq!(entry.message_deduplication_id(), Some("id-1"));
        let raw = Raw::builder()
            .message_id("m-1")
            .body(entry.message_body())
            .set_message_attributes(entry.message_attributes().cloned())
            .attributes(System::MessageGroupId, entry.message_group_id().unwrap())
            .attributes(System::MessageDeduplicationId, "id-1")
            .attributes(System::AwsTraceHeader, "Root=1-5759e988-bd862e3fe1be46a994272793")
            .attributes(System::ApproximateReceiveCount, "3")
            .attributes(System::SentTimestamp, "1772445600123")
            .build();
        let back = message(&Arc::from("x"), raw);
        assert_eq!(back.digest(), full().digest());
        assert_eq!((back.deliveries, back.metadata.get("approximate_receive_count")), (Some(2), Some(&Value::Int(3))));
        assert_eq!(back.time.unwrap().as_millisecond(), 1_772_445_600_123);
    }

    #[test]
    fn what_sqs_would_refuse_is_refused_before() {
        let refused = |change: &dyn Fn(&mut Message)| {
            let mut message = full();
            change(&mut message);
            outgoing(&message, FIFO, String::new).err().map(|error| error.kind())
        };
        assert_eq!(refused(&|_| ()), None);
        let changes: [&dyn Fn(&mut Message); 9] = [
            &|m| m.payload = Some(Bytes::new()),
            &|m| m.payload = Some(Bytes::from_static(b"a\0b")),
            &|m| m.payload = Some(Bytes::from_static(&[0xff])),
            &|m| m.payload = Some(vec![b'x'; 1001].into()),
            &|m| m.key = None,
            &|m| m.key = Some(Bytes::from_static(b"with blank")),
            &|m| m.headers.push("AWS.x", "1"),
            &|m| m.headers.push("a..b", "1"),
            &|m| m.properties.push("content_type", "text/plain"),
        ];
        for (index, change) in changes.iter().enumerate() {
            assert_eq!(refused(change), Some(ErrorKind::Rejected), "{index}");
        }
    }

    #[test]
    fn a_standard_queue_gets_no_deduplication_id_and_a_fifo_queue_a_fresh_one() {
        let mut message = full();
        let standard = Rules { fifo: false, ..FIFO };
        assert_eq!(outgoing(&message, standard, String::new).unwrap().entry.message_deduplication_id(), None);
        message.properties = Fields::new();
        let made = outgoing(&message, FIFO, || "fresh".to_owned()).unwrap();
        assert_eq!(made.entry.message_deduplication_id(), Some("fresh"));
    }
}
