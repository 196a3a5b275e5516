//! Header values that fit their target: typed values whose type the target does not have become text or bytes.
//!
//! What fits stays as it is, byte for byte. What does not is written in its natural text (numbers in decimal, tables and
//! arrays as JSON), and counted, so that a plan can say so. Limits: properties belong to their own kind of broker;
//! a publisher ignores or refuses those that are not its own.

use base64::Engine as _;
use bytes::Bytes;

use crate::broker::HeaderTypes;
use crate::message::{Amqp, Fields, Message, Value};

/// The headers of `message` as the target can hold them, and how many values were converted; `None` where all fit.
pub(super) fn headers(message: &Message, types: HeaderTypes) -> Option<(Fields, u64)> {
    if message.headers.iter().all(|(_, value)| fits(value, types)) {
        return None;
    }
    let mut converted = 0;
    let headers = message
        .headers
        .iter()
        .map(|(name, value)| {
            if fits(value, types) {
                return (name.clone(), value.clone());
            }
            converted += 1;
            (name.clone(), convert(value, types))
        })
        .collect();
    Some((headers, converted))
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
        assert_eq!(headers(&message(), HeaderTypes::Amqp), None);
        assert_eq!(headers(&message(), HeaderTypes::Any), None);
    }

    #[test]
    fn what_does_not_fit_becomes_its_natural_text_and_is_counted() {
        let (fields, converted) = headers(&message(), HeaderTypes::Bytes).unwrap();
        assert_eq!(converted, 3);
        assert_eq!(fields.get("null"), Some(&Value::Null));
        assert_eq!(fields.get_str("price"), Some("0.05"));
        assert_eq!(fields.get_str("table"), Some(r#"{"n":1,"raw":"/w=="}"#));
        let (fields, _) = headers(&message(), HeaderTypes::Sqs).unwrap();
        let number = Value::Sqs { data_type: "Number".into(), value: Bytes::from_static(b"3") };
        assert_eq!(fields.get("count"), Some(&number));
    }
}
