//! lapin's messages and ours, both ways and without loss where AMQP has a place for it.
//!
//! What the broker adds for the reader's eyes (delivery counters, the stream's offset) leaves the headers for the
//! metadata, so that a replay never publishes it. Limits: a header table is a map in lapin, so names come sorted and
//! at most once; a name or text property that is too long for AMQP's short strings can't be published.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use lapin::BasicProperties;
use lapin::types::{AMQPValue, ByteArray, DecimalValue, FieldArray, FieldTable, LongString, ShortString};

use crate::broker::{Delivery, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::{Prefilter, RawHeaders, RawParts};
use crate::message::{Amqp, Fields, Message, Position, Value};

/// Headers that the broker adds on delivery, and the metadata they become.
const COUNTERS: [(&str, &str); 2] = [("x-delivery-count", "delivery_count"), ("x-acquired-count", "acquired_count")];
/// The header that carries a stream's offset.
const OFFSET: &str = "x-stream-offset";

/// Header tables as a prefilter looks at them.
impl RawHeaders for FieldTable {
    fn any(&self, test: &mut dyn FnMut(&str, Option<&[u8]>) -> bool) -> bool {
        self.into_iter().any(|(name, value)| {
            let bytes = match value {
                AMQPValue::Void => Some(&[][..]),
                AMQPValue::LongString(text) => Some(text.as_bytes()),
                AMQPValue::ShortString(text) => Some(text.as_str().as_bytes()),
                AMQPValue::ByteArray(bytes) => Some(bytes.as_slice()),
                _ => None,
            };
            test(name.as_str(), bytes)
        })
    }
}

/// Whether a raw delivery could match; `false` is a proof that it can't.
pub(super) fn may_match(prefilter: Option<&Prefilter>, delivery: &lapin::message::Delivery) -> bool {
    prefilter.is_none_or(|prefilter| {
        let headers = delivery.properties.headers().as_ref();
        prefilter.may_match(&RawParts {
            id: delivery.properties.message_id().as_ref().map(ShortString::as_str),
            key: Some(delivery.routing_key.as_str().as_bytes()),
            payload: Some(&delivery.data),
            headers: headers.map(|headers| headers as &dyn RawHeaders),
            other: false,
        })
    })
}

/// How often the broker says that it took this message back.
pub(super) fn delivery_count(properties: &BasicProperties) -> u64 {
    let headers = properties.headers().as_ref();
    headers.and_then(|headers| headers.inner().get("x-delivery-count")).and_then(whole).unwrap_or(0)
}

/// The offset of a message of a stream.
pub(super) fn stream_offset(properties: &BasicProperties) -> Option<u64> {
    properties.headers().as_ref()?.inner().get(OFFSET).and_then(whole)
}

fn whole(value: &AMQPValue) -> Option<u64> {
    from_amqp(value).as_i64().and_then(|n| u64::try_from(n).ok())
}

/// A delivery as the seam has it. `counts` where the queue counts deliveries at all.
pub(super) fn delivery(address: &Arc<str>, delivery: lapin::message::Delivery, counts: bool) -> Delivery {
    let lapin::message::Delivery { delivery_tag, exchange, routing_key, redelivered, properties, data, .. } = delivery;
    let mut metadata = Fields::new();
    metadata.push("exchange", String::from(exchange).as_str());
    metadata.push("redelivered", Value::Bool(redelivered));
    let mut headers = Fields::new();
    let mut position = None;
    let mut deliveries = counts.then_some(0);
    for (name, value) in properties.headers().iter().flatten() {
        if let Some((_, name)) = COUNTERS.iter().find(|(header, _)| *header == name.as_str()) {
            // The second counter, where there is one, holds every delivery; the first then only the failed.
            deliveries = whole(value).max(deliveries);
            metadata.push(*name, from_amqp(value));
        } else if name.as_str() == OFFSET {
            position = whole(value).map(|offset| Position { partition: None, offset });
        } else {
            headers.push(name.as_str(), from_amqp(value));
        }
    }
    let mut message = Message {
        address: Arc::clone(address),
        id: String::new(),
        position,
        time: properties.timestamp().and_then(|seconds| Timestamp::from_second(i64::try_from(seconds).ok()?).ok()),
        key: Some(Bytes::from(String::from(routing_key))),
        headers,
        properties: named(&properties),
        metadata,
        payload: Some(Bytes::from(data)),
        deliveries,
    };
    let mut known_digest = None;
    message.id = match (message.position, properties.message_id()) {
        (Some(position), _) => position.offset.to_string(),
        (None, Some(id)) => id.to_string(),
        (None, None) => known_digest.insert(message.digest()).content_id(),
    };
    Delivery { message, token: Token(delivery_tag), redelivered: Some(redelivered), known_digest }
}

/// AMQP's named properties, in the protocol's order.
fn named(properties: &BasicProperties) -> Fields {
    let mut fields = Fields::new();
    let text = |fields: &mut Fields, name: &str, value: &Option<ShortString>| {
        if let Some(value) = value {
            fields.push(name, value.as_str());
        }
    };
    let number = |fields: &mut Fields, name: &str, value: &Option<u8>| {
        if let Some(value) = value {
            fields.push(name, i64::from(*value));
        }
    };
    text(&mut fields, "content_type", properties.content_type());
    text(&mut fields, "content_encoding", properties.content_encoding());
    number(&mut fields, "delivery_mode", properties.delivery_mode());
    number(&mut fields, "priority", properties.priority());
    text(&mut fields, "correlation_id", properties.correlation_id());
    text(&mut fields, "reply_to", properties.reply_to());
    text(&mut fields, "expiration", properties.expiration());
    text(&mut fields, "message_id", properties.message_id());
    if let Some(seconds) = properties.timestamp() {
        fields.push("timestamp", Value::Amqp(Amqp::Timestamp(*seconds)));
    }
    text(&mut fields, "type", properties.kind());
    text(&mut fields, "user_id", properties.user_id());
    text(&mut fields, "app_id", properties.app_id());
    text(&mut fields, "cluster_id", properties.cluster_id());
    fields
}

fn from_amqp(value: &AMQPValue) -> Value {
    match value {
        AMQPValue::Void => Value::Null,
        AMQPValue::Boolean(flag) => Value::Bool(*flag),
        AMQPValue::LongLongInt(n) => Value::Int(*n),
        AMQPValue::LongString(text) => Value::Bytes(Bytes::copy_from_slice(text.as_bytes())),
        AMQPValue::ShortShortInt(n) => Value::Amqp(Amqp::I8(*n)),
        AMQPValue::ShortShortUInt(n) => Value::Amqp(Amqp::U8(*n)),
        AMQPValue::ShortInt(n) => Value::Amqp(Amqp::I16(*n)),
        AMQPValue::ShortUInt(n) => Value::Amqp(Amqp::U16(*n)),
        AMQPValue::LongInt(n) => Value::Amqp(Amqp::I32(*n)),
        AMQPValue::LongUInt(n) => Value::Amqp(Amqp::U32(*n)),
        AMQPValue::Float(n) => Value::Amqp(Amqp::F32(n.to_bits())),
        AMQPValue::Double(n) => Value::Amqp(Amqp::F64(n.to_bits())),
        AMQPValue::DecimalValue(n) => Value::Amqp(Amqp::Decimal { scale: n.scale, value: n.value }),
        AMQPValue::ShortString(text) => Value::Amqp(Amqp::ShortString(text.to_string())),
        AMQPValue::Timestamp(seconds) => Value::Amqp(Amqp::Timestamp(*seconds)),
        AMQPValue::ByteArray(bytes) => Value::Amqp(Amqp::ByteArray(Bytes::copy_from_slice(bytes.as_slice()))),
        AMQPValue::FieldArray(values) => Value::Amqp(Amqp::Array(values.as_slice().iter().map(from_amqp).collect())),
        AMQPValue::FieldTable(table) => {
            Value::Amqp(Amqp::Table(table.into_iter().map(|(name, value)| (name.as_str(), from_amqp(value))).collect()))
        }
    }
}

fn rejected(why: String) -> Error {
    Error::new(ErrorKind::Rejected, why)
}

/// The header that a stream would not give back as it is: it drops arrays and tables, makes text of byte arrays, and
/// closes the connection for a decimal number (seen on 4.0 and 4.3). The broker's own `x-death` is no reason to refuse
/// a message; a stream just does not keep it.
pub(super) fn lost_in_a_stream(fields: &Fields) -> Option<&str> {
    let lost = |value: &Value| {
        matches!(value, Value::Amqp(Amqp::Decimal { .. } | Amqp::ByteArray(_) | Amqp::Array(_) | Amqp::Table(_)))
    };
    fields.iter().find(|(name, value)| name != "x-death" && lost(value)).map(|(name, _)| name.as_str())
}

/// A short string of a message.
pub(super) fn short(what: impl fmt::Display, text: &str) -> Result<ShortString> {
    ShortString::try_new(text).map_err(|_| rejected(format!("{what} has {} bytes; AMQP takes at most 255", text.len())))
}

/// A header table. Refuses what a table can't hold.
///
/// # Errors
/// `Rejected` for a name that occurs twice with different values, for SQS types and names above 255 bytes.
pub(super) fn table(fields: &Fields) -> Result<FieldTable> {
    let mut table: BTreeMap<ShortString, AMQPValue> = BTreeMap::new();
    for (name, value) in fields {
        let key = short("the name of a header", name)?;
        let value = to_amqp(name, value)?;
        match table.entry(key) {
            Entry::Occupied(there) if *there.get() != value => {
                return Err(rejected(format!(
                    "the header {name:?} occurs more than once; an AMQP table holds one of a name"
                )));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => _ = place.insert(value),
        }
    }
    Ok(FieldTable::from(table))
}

fn to_amqp(name: &str, value: &Value) -> Result<AMQPValue> {
    Ok(match value {
        Value::Null => AMQPValue::Void,
        Value::Bool(flag) => AMQPValue::Boolean(*flag),
        Value::Int(n) => AMQPValue::LongLongInt(*n),
        Value::Bytes(bytes) => AMQPValue::LongString(LongString::from(bytes.to_vec())),
        Value::Sqs { data_type, .. } => {
            return Err(rejected(format!(
                "the header {name:?} has the SQS type {data_type}, which AMQP does not have"
            )));
        }
        Value::Amqp(amqp) => match amqp {
            Amqp::I8(n) => AMQPValue::ShortShortInt(*n),
            Amqp::U8(n) => AMQPValue::ShortShortUInt(*n),
            Amqp::I16(n) => AMQPValue::ShortInt(*n),
            Amqp::U16(n) => AMQPValue::ShortUInt(*n),
            Amqp::I32(n) => AMQPValue::LongInt(*n),
            Amqp::U32(n) => AMQPValue::LongUInt(*n),
            Amqp::F32(bits) => AMQPValue::Float(f32::from_bits(*bits)),
            Amqp::F64(bits) => AMQPValue::Double(f64::from_bits(*bits)),
            Amqp::Decimal { scale, value } => AMQPValue::DecimalValue(DecimalValue { scale: *scale, value: *value }),
            Amqp::ShortString(text) => AMQPValue::ShortString(short("a short text in a header", text)?),
            Amqp::Timestamp(seconds) => AMQPValue::Timestamp(*seconds),
            Amqp::ByteArray(bytes) => AMQPValue::ByteArray(ByteArray::from(bytes.to_vec())),
            Amqp::Array(values) => AMQPValue::FieldArray(FieldArray::from(
                values.iter().map(|value| to_amqp(name, value)).collect::<Result<Vec<_>>>()?,
            )),
            Amqp::Table(fields) => AMQPValue::FieldTable(table(fields)?),
        },
    })
}

/// Headers and properties of a message as AMQP has them.
///
/// # Errors
/// `Rejected`, naming the property or header that AMQP has no place for.
pub(super) fn properties(message: &Message) -> Result<BasicProperties> {
    let mut out = BasicProperties::default();
    // An empty table is not sent: none of the clients that read it can tell it from a missing one.
    if !message.headers.is_empty() {
        out = out.with_headers(table(&message.headers)?);
    }
    for (name, value) in &message.properties {
        let text = || {
            let text = value.as_str().ok_or_else(|| rejected(format!("the property {name} is not text")))?;
            short(format_args!("the property {name}"), text)
        };
        let number = || {
            let number = value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()));
            number.ok_or_else(|| rejected(format!("the property {name} is not a number")))
        };
        let small =
            || u8::try_from(number()?).map_err(|_| rejected(format!("the property {name} is not within 0 to 255")));
        out = match name.as_str() {
            "content_type" => out.with_content_type(text()?),
            "content_encoding" => out.with_content_encoding(text()?),
            "delivery_mode" => out.with_delivery_mode(small()?),
            "priority" => out.with_priority(small()?),
            "correlation_id" => out.with_correlation_id(text()?),
            "reply_to" => out.with_reply_to(text()?),
            "expiration" => out.with_expiration(text()?),
            "message_id" => out.with_message_id(text()?),
            "timestamp" => out.with_timestamp(
                u64::try_from(number()?).map_err(|_| rejected("the property timestamp is negative".to_owned()))?,
            ),
            "type" => out.with_type(text()?),
            "user_id" => out.with_user_id(text()?),
            "app_id" => out.with_app_id(text()?),
            "cluster_id" => out.with_cluster_id(text()?),
            _ => return Err(rejected(format!("AMQP has no property {name}"))),
        };
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_type() -> Fields {
        let inner = Fields::from_iter([("n", Value::Amqp(Amqp::U16(7)))]);
        Fields::from_iter([
            ("array", Value::Amqp(Amqp::Array(vec![Value::Null, Value::text("x"), Value::Amqp(Amqp::Table(inner))]))),
            ("bytes", Value::Amqp(Amqp::ByteArray(Bytes::from_static(b"\xff\0")))),
            ("decimal", Value::Amqp(Amqp::Decimal { scale: 2, value: 1234 })),
            ("double", Value::Amqp(Amqp::F64(f64::NAN.to_bits()))),
            ("flag", Value::Bool(true)),
            ("i8", Value::Amqp(Amqp::I8(-1))),
            ("long", Value::Int(i64::MIN)),
            ("text", Value::Bytes(Bytes::from_static(b"not \xff utf-8"))),
            ("time", Value::Amqp(Amqp::Timestamp(u64::MAX))),
            ("void", Value::Null),
        ])
    }

    #[test]
    fn a_message_comes_back_as_it_went_out() {
        let sent = Message {
            headers: every_type(),
            properties: Fields::from_iter([
                ("content_type", Value::text("a/b")),
                ("delivery_mode", Value::Int(2)),
                ("timestamp", Value::Amqp(Amqp::Timestamp(1_700_000_000))),
                ("type", Value::text("t")),
            ]),
            ..Message::default()
        };
        let mut raw = lapin::message::Delivery::mock(
            3,
            short("x", "ex").unwrap(),
            short("x", "key").unwrap(),
            true,
            b"body".to_vec(),
        );
        raw.properties = properties(&sent).unwrap();
        let back = delivery(&Arc::from("r:q"), raw, false);
        assert_eq!((&back.message.headers, &back.message.properties), (&sent.headers, &sent.properties));
        assert_eq!(back.message.key.as_deref(), Some(&b"key"[..]));
        assert_eq!((back.token, back.redelivered, back.message.deliveries), (Token(3), Some(true), None));
        assert_eq!(back.message.metadata.get_str("exchange"), Some("ex"));
        assert!(back.message.id.starts_with("h-") && back.message.id.len() == 18);
    }

    #[test]
    fn counters_of_the_broker_are_metadata() {
        let headers = Fields::from_iter([("x-acquired-count", 5), ("x-delivery-count", 2), ("x-stream-offset", 9)]);
        let message = Message { headers, ..Message::default() };
        let mut raw =
            lapin::message::Delivery::mock(1, ShortString::default(), ShortString::default(), false, Vec::new());
        raw.properties = properties(&message).unwrap();
        assert_eq!((delivery_count(&raw.properties), stream_offset(&raw.properties)), (2, Some(9)));
        let back = delivery(&Arc::from("r:q"), raw, true).message;
        assert!(back.headers.is_empty());
        assert_eq!((back.deliveries, back.position.map(|p| p.offset)), (Some(5), Some(9)));
        assert_eq!(back.metadata.get("delivery_count").and_then(Value::as_i64), Some(2));
    }

    #[test]
    fn what_amqp_has_no_place_for_is_refused() {
        let refused = |headers: Fields, properties_: Fields| {
            let message = Message { headers, properties: properties_, ..Message::default() };
            properties(&message).err().map(|error| error.kind())
        };
        let twice = Fields::from_iter([("a", 1), ("a", 2)]);
        let equal = Fields::from_iter([("a", 1), ("a", 1)]);
        assert_eq!(refused(twice, Fields::new()), Some(ErrorKind::Rejected));
        assert_eq!(refused(equal, Fields::new()), None);
        let long = "x".repeat(256);
        assert_eq!(refused(Fields::new(), Fields::from_iter([("app_id", long.as_str())])), Some(ErrorKind::Rejected));
        assert_eq!(refused(Fields::new(), Fields::from_iter([("message_group_id", "g")])), Some(ErrorKind::Rejected));
    }
}
