//! Bodies that may hold a failure record: parsed only when a cheap look says that they can.
//!
//! Limits: JSON objects of at most [`MAX_BODY`] bytes; a larger body is data, not a record.

use std::sync::LazyLock;

use jiff::Timestamp;
use regex::bytes::Regex;
use serde_json::{Map, Value};

use super::read::{self, number_time, text_time};
use crate::message::{self, Amqp, Fields, Message};

/// The largest body that is parsed.
pub(super) const MAX_BODY: usize = 256 * 1024;

/// More errors within errors than this are not followed.
pub(super) const MAX_CAUSES: usize = 16;

/// Words of which at least one is in every record that the dialects read.
#[expect(clippy::expect_used, reason = "a constant pattern, compiled in every test of this file")]
static HINT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"rror|xception|ailedReason|raceback|requestContext|ault|ailure|anic|topic_poisoned")
        .expect("a valid pattern")
});

/// The body as a JSON object, where it is one that may speak of a failure.
pub(super) fn object(message: &Message) -> Option<Map<String, Value>> {
    object_in(message.body())
}

/// The same of any bytes.
pub(super) fn object_in(body: &[u8]) -> Option<Map<String, Value>> {
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *start != b'{' || body.len() > MAX_BODY || !HINT.is_match(body) {
        return None;
    }
    serde_json::from_slice(body).ok()
}

/// The body as a JSON object, where it holds these bytes.
pub(super) fn envelope(message: &Message, needle: &[u8]) -> Option<Map<String, Value>> {
    let body = message.body();
    (body.len() <= MAX_BODY && memchr::memmem::find(body, needle).is_some())
        .then(|| serde_json::from_slice(body).ok())
        .flatten()
}

/// A table of AMQP as the JSON object that it would be; what is no text is left out, tables within it are not.
pub(super) fn of_table(fields: &Fields) -> Map<String, Value> {
    let value = |value: &message::Value| match value {
        message::Value::Amqp(Amqp::Table(fields)) => Some(Value::Object(of_table(fields))),
        message::Value::Amqp(Amqp::Array(list)) => {
            Some(Value::Array(list.iter().filter_map(|value| read::text(value).map(Value::String)).collect()))
        }
        other => read::text(other).map(Value::String),
    };
    fields.iter().filter_map(|(name, field)| Some((name.to_string(), value(field)?))).collect()
}

/// A field's text; numbers are written out, empty text is absent.
pub(super) fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

/// The text at a path of fields.
pub(super) fn text_at(fields: &Map<String, Value>, path: [&str; 2]) -> Option<String> {
    text(fields.get(path[0])?.as_object()?, path[1])
}

/// A field that counts.
pub(super) fn count(fields: &Map<String, Value>, name: &str) -> Option<u64> {
    match fields.get(name)? {
        Value::Number(n) => n.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A field as a point in time: a number in any unit (fractions of seconds too), or text.
pub(super) fn time(fields: &Map<String, Value>, name: &str) -> Option<Timestamp> {
    match fields.get(name)? {
        Value::Number(n) => match n.as_i64() {
            Some(n) => number_time(n),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a float cast saturates, and the time is checked after it"
            )]
            None => Timestamp::from_microsecond((n.as_f64()? * 1e6) as i64).ok(),
        },
        Value::String(text) => text_time(text),
        _ => None,
    }
}

/// A path to a field without the places in lists: `lines.qty` of `lines.0.qty`.
pub(crate) fn without_indices(path: &str) -> String {
    let names = path.split('.').filter(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
    names.collect::<Vec<_>>().join(".")
}

/// A stack trace: text, or a list of lines. Frames of Java may lack their `at` there.
pub(super) fn lines(fields: &Map<String, Value>, name: &str) -> Option<String> {
    match fields.get(name)? {
        // Sneakers writes the list as a text.
        Value::String(text) if text.starts_with("[\"") => {
            Some(serde_json::from_str(text).map_or_else(|_| text.clone(), |list: Vec<String>| joined(list.iter())))
        }
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(lines) if !lines.is_empty() => Some(joined(lines.iter().filter_map(Value::as_str))),
        _ => None,
    }
}

/// The lines of a list as a trace has them.
fn joined<T: AsRef<str>>(lines: impl Iterator<Item = T>) -> String {
    let line = |line: &str| if is_frame(line) { format!("\tat {line}") } else { line.to_owned() };
    lines.map(|text| line(text.as_ref())).collect::<Vec<_>>().join("\n")
}

/// Whether a line is `a.b.C.m(File.java:12)`.
fn is_frame(line: &str) -> bool {
    let Some((name, place)) = line.strip_suffix(')').and_then(|line| line.split_once('(')) else { return false };
    name.contains('.')
        && !name.contains([' ', '/', '\\'])
        && (place.contains(".java:")
            || place.contains(".kt:")
            || place.contains(".scala:")
            || place.contains(".groovy:"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> Option<Map<String, Value>> {
        object(&Message { payload: Some(body.to_owned().into()), ..Message::default() })
    }

    #[test]
    fn only_small_objects_that_may_speak_of_a_failure_are_parsed() {
        assert!(of(r#" {"error":"x"}"#).is_some());
        assert!(of(r#"{"order":1}"#).is_none());
        assert!(of(r#"["error"]"#).is_none());
        assert!(of(r#"{"error":"#).is_none());
        assert!(of(&format!(r#"{{"error":"{}"}}"#, "x".repeat(MAX_BODY))).is_none());
        assert!(of(&r#"{"error":"#.repeat(100_000)).is_none(), "nesting is bounded");
    }

    #[test]
    fn times_come_as_numbers_of_any_unit_and_as_text() {
        let fields =
            of(r#"{"error":1,"a":1772446272.5,"b":1772446272500,"c":"2026-03-02 10:11:12 UTC","d":1e300}"#).unwrap();
        assert_eq!(time(&fields, "a"), time(&fields, "b"));
        assert_eq!(time(&fields, "c").unwrap().to_string(), "2026-03-02T10:11:12Z");
        assert_eq!(time(&fields, "d"), None);
    }
}
