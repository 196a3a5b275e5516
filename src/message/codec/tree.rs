//! What the binary formats with the structure of JSON share: how their values are written as JSON.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value, json};

/// Containers within each other at most.
pub(super) const MAX_DEPTH: usize = 64;

/// Bytes, as in the message line.
pub(crate) fn bytes(bytes: &[u8]) -> Value {
    json!({ "base64": STANDARD.encode(bytes) })
}

/// A member's name: a string as it is, anything else as its JSON.
pub(super) fn name(key: Value) -> String {
    match key {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// A float; JSON has no NaN and no infinity, which become text.
pub(crate) fn float(number: f64) -> Value {
    serde_json::Number::from_f64(number).map_or_else(|| Value::String(number.to_string()), Value::Number)
}

/// Adds a member; where the name is there already, its values become a list.
pub(super) fn repeat(object: &mut Map<String, Value>, name: String, value: Value, repeated: &mut Vec<String>) {
    match object.get_mut(&name) {
        None => _ = object.insert(name, value),
        Some(Value::Array(values)) if repeated.contains(&name) => values.push(value),
        Some(first) => {
            *first = Value::Array(vec![first.take(), value]);
            repeated.push(name);
        }
    }
}

/// A tree as compact JSON.
pub(super) fn to_json(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}
