//! Headers and properties that fit their target: typed values whose type the target does not have become text or bytes, and
//! properties that it does not have become headers of the same name.
//!
//! What fits stays as it is, byte for byte. What does not is written in its natural text (numbers in decimal, tables and
//! arrays as JSON), and counted, so that a plan can say so. Limits: what says only how a broker is to handle a message
//! ([`HANDLING`]) is left out for another kind of broker; of a header and a property of one name the header stays.

use base64::Engine as _;
use bytes::Bytes;

use crate::broker::HeaderTypes;
use crate::message::{Amqp, Fields, Message, Value};

/// Properties that tell a broker what to do with a message, and nobody else anything.
const HANDLING: [&str; 5] = ["delivery_mode", "cluster_id", "expiration", "user_id", "message_deduplication_id"];

/// A message's headers and properties as a target can hold them.
pub(super) struct Fitted {
    pub(super) headers: Fields,
    pub(super) properties: Fields,
    /// How many values are of another type now, or in another place.
    pub(super) converted: u64,
}

/// Whether a target can hold the headers and properties of `message` as they are.
pub(super) fn is_fit(message: &Message, types: HeaderTypes) -> bool {
    message.headers.iter().all(|(_, value)| fits(value, types))
        && message.properties.iter().all(|(name, _)| types.has_property(name))
}

/// The headers and properties of `message` as the target can hold them; `None` where all fit.
pub(super) fn fitted(message: &Message, types: HeaderTypes) -> Option<Fitted> {
    if is_fit(message, types) {
        return None;
    }
    let fit = |value: &Value| if fits(value, types) { value.clone() } else { convert(value, types) };
    let mut converted = message.headers.iter().filter(|(_, value)| !fits(value, types)).count() as u64;
    let mut headers: Fields = message.headers.iter().map(|(name, value)| (name.clone(), fit(value))).collect();
    let mut properties = Fields::new();
    for (name, value) in &message.properties {
        if types.has_property(name) {
            properties.push(name.as_str(), value.clone());
        } else if !HANDLING.contains(&name.as_str()) && message.headers.get(name).is_none() {
            headers.push(name.as_str(), fit(value));
            converted += 1;
        }
    }
    Some(Fitted { headers, properties, converted })
}

fn fits(value: &Value, types: HeaderTypes) -> bool {
    match types {
        HeaderTypes::Any => true,
        HeaderTypes::Bytes => matches!(value, Value::Null | Value::Bytes(_)),
        HeaderTypes::Amqp => !matches!(value, Value::Sqs { .. }),
        HeaderTypes::Sqs => matches!(value, Value::Sqs { .. }) || is_text(value),
        HeaderTypes::Text => is_text(value),
    }
}

fn is_text(value: &Value) -> bool {
    matches!(value, Value::Bytes(bytes) if std::str::from_utf8(bytes).is_ok())
}

fn convert(value: &Value, types: HeaderTypes) -> Value {
    match (types, value) {
        (HeaderTypes::Bytes | HeaderTypes::Amqp, Value::Sqs { value, .. }) => Value::Bytes(value.clone()),
        (HeaderTypes::Sqs, Value::Bytes(bytes)) => Value::Sqs { data_type: "Binary".into(), value: bytes.clone() },
        (HeaderTypes::Sqs, Value::Int(n)) => {
            Value::Sqs { data_type: "Number".into(), value: Bytes::from(n.to_string()) }
        }
        _ => Value::Bytes(Bytes::from(text(value))),
    }
}

/// A value's natural text.
fn text(value: &Value) -> String {
    match json(value) {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}

fn json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bytes(bytes) | Value::Sqs { value: bytes, .. } => bytes_json(bytes),
        Value::Bool(flag) => (*flag).into(),
        Value::Int(n) => (*n).into(),
        Value::Amqp(amqp) => match amqp {
            Amqp::I8(n) => (*n).into(),
            Amqp::U8(n) => (*n).into(),
            Amqp::I16(n) => (*n).into(),
            Amqp::U16(n) => (*n).into(),
            Amqp::I32(n) => (*n).into(),
            Amqp::U32(n) => (*n).into(),
            Amqp::Timestamp(seconds) => (*seconds).into(),
            Amqp::F32(bits) => f32::from_bits(*bits).to_string().into(),
            Amqp::F64(bits) => f64::from_bits(*bits).to_string().into(),
            Amqp::Decimal { scale, value } => decimal(*scale, *value).into(),
            Amqp::ShortString(text) => text.as_str().into(),
            Amqp::ByteArray(bytes) => bytes_json(bytes),
            Amqp::Array(values) => values.iter().map(json).collect(),
            Amqp::Table(fields) => fields.iter().map(|(name, value)| (name.clone(), json(value))).collect(),
        },
    }
}

fn bytes_json(bytes: &[u8]) -> serde_json::Value {
    std::str::from_utf8(bytes)
        .map_or_else(|_| base64::engine::general_purpose::STANDARD.encode(bytes), ToOwned::to_owned)
        .into()
}

fn decimal(scale: u8, value: u32) -> String {
    let digits = format!("{value:0>width$}", width = usize::from(scale) + 1);
    let (whole, rest) = digits.split_at(digits.len() - usize::from(scale));
    if rest.is_empty() { whole.to_owned() } else { format!("{whole}.{rest}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        let table = Fields::from_iter([("n", Value::Int(1)), ("raw", Value::Bytes(Bytes::from_static(&[255])))]);
        Message {
            headers: Fields::from_iter([
                ("text", Value::from("a")),
                ("null", Value::Null),
                ("price", Value::Amqp(Amqp::Decimal { scale: 2, value: 5 })),
                ("table", Value::Amqp(Amqp::Table(table))),
                ("count", Value::Int(3)),
            ]),
            ..Message::default()
        }
    }

    #[test]
    fn what_fits_is_untouched() {
        assert!(fitted(&message(), HeaderTypes::Amqp).is_none());
        assert!(fitted(&message(), HeaderTypes::Any).is_none());
    }

    #[test]
    fn what_does_not_fit_becomes_its_natural_text_and_is_counted() {
        let Fitted { headers: fields, converted, .. } = fitted(&message(), HeaderTypes::Bytes).unwrap();
        assert_eq!(converted, 3);
        assert_eq!(fields.get("null"), Some(&Value::Null));
        assert_eq!(fields.get_str("price"), Some("0.05"));
        assert_eq!(fields.get_str("table"), Some(r#"{"n":1,"raw":"/w=="}"#));
        let fields = fitted(&message(), HeaderTypes::Sqs).unwrap().headers;
        let number = Value::Sqs { data_type: "Number".into(), value: Bytes::from_static(b"3") };
        assert_eq!(fields.get("count"), Some(&number));
    }

    #[test]
    fn properties_of_another_kind_of_broker_become_headers_of_their_names() {
        let properties = [
            ("content_type", Value::from("application/json")),
            ("delivery_mode", Value::Int(2)),
            ("timestamp", Value::Amqp(Amqp::Timestamp(7))),
            ("text", Value::from("of a property")),
            ("aws_trace_header", Value::from("Root=1")),
        ];
        let headers = Fields::from_iter([("text", Value::from("of a header"))]);
        let message = Message { headers, properties: Fields::from_iter(properties), ..Message::default() };
        let names = |fields: &Fields| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        let kafka = fitted(&message, HeaderTypes::Bytes).unwrap();
        assert_eq!(names(&kafka.headers), ["text", "content_type", "timestamp", "aws_trace_header"]);
        assert_eq!(kafka.headers.get_str("text"), Some("of a header"));
        assert_eq!(kafka.headers.get_str("timestamp"), Some("7"));
        assert_eq!((kafka.properties, kafka.converted), (Fields::new(), 3));
        let sqs = fitted(&message, HeaderTypes::Sqs).unwrap();
        assert_eq!(names(&sqs.properties), ["aws_trace_header"]);
        let amqp = fitted(&message, HeaderTypes::Amqp).unwrap();
        assert_eq!(names(&amqp.properties), ["content_type", "delivery_mode", "timestamp"]);
        assert_eq!(names(&amqp.headers), ["text", "aws_trace_header"]);
    }
}
