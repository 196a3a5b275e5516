//! Small readers over headers: text, numbers and times in the forms that writers use.
//!
//! Limits: nothing here fails. What can't be read is absent, and the raw header stays where it was.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::message::{Amqp, Fields, Message, Value};

/// The longest text that is copied out of one header: a stack trace beyond it is cut.
const MAX_TEXT: usize = 64 * 1024;

/// The first header of that name as text; bytes that are not UTF-8 are replaced.
pub(super) fn first(message: &Message, name: &str) -> Option<String> {
    message.headers.get(name).and_then(text)
}

/// The last header of that name as text: where a writer appends, the last one is the latest failure.
pub(super) fn last(message: &Message, name: &str) -> Option<String> {
    message.headers.iter().rev().find(|(n, _)| n == name).and_then(|(_, value)| text(value))
}

/// A field of a table as text.
pub(super) fn field(fields: &Fields, name: &str) -> Option<String> {
    fields.get(name).and_then(text)
}

/// A value as text; empty text counts as absent. Numbers are written out.
pub(super) fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::Bytes(bytes) | Value::Sqs { value: bytes, .. } | Value::Amqp(Amqp::ByteArray(bytes)) => {
            lossy(bytes).into_owned()
        }
        Value::Amqp(Amqp::ShortString(text)) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        other => other.as_i64()?.to_string(),
    };
    (!text.trim().is_empty()).then_some(text)
}

/// Bytes as text, cut at [`MAX_TEXT`].
fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    let bytes = bytes.get(..MAX_TEXT).unwrap_or(bytes);
    // Most text is whole, and to see that is much faster than to mend it.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// A whole number: a typed integer, decimal text, or one to eight big-endian bytes as Kafka's Java clients write them
/// (int, long, and Spring's `BigInteger` times of six bytes). Printable bytes are text, never a binary number.
pub(super) fn number(value: &Value) -> Option<i64> {
    let (Value::Bytes(bytes) | Value::Sqs { value: bytes, .. }) = value else { return value.as_i64() };
    if let Some(n) = std::str::from_utf8(bytes).ok().and_then(|text| text.trim().parse().ok()) {
        return Some(n);
    }
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    if printable || bytes.len() > 8 {
        return None;
    }
    let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
    Some(bytes.iter().fold(sign, |n: i64, byte| (n << 8) | i64::from(*byte)))
}

/// The first header of that name as a number that counts something.
pub(super) fn count(message: &Message, name: &str) -> Option<u64> {
    message.headers.get(name).and_then(number).and_then(|n| u64::try_from(n).ok())
}

/// The first header of that name as a partition number.
pub(super) fn partition(message: &Message, name: &str) -> Option<i32> {
    message.headers.get(name).and_then(number).and_then(|n| i32::try_from(n).ok()).filter(|n| *n >= 0)
}

/// The first header of that name as a point in time.
pub(super) fn time(message: &Message, name: &str) -> Option<Timestamp> {
    message.headers.get(name).and_then(value_time)
}

/// A value as a point in time: AMQP timestamps are seconds, other numbers seconds or milliseconds by size, text
/// RFC 3339 or what [`text_time`] reads.
pub(super) fn value_time(value: &Value) -> Option<Timestamp> {
    if let Value::Amqp(Amqp::Timestamp(seconds)) = value {
        return Timestamp::from_second(i64::try_from(*seconds).ok()?).ok();
    }
    match number(value) {
        Some(n) => number_time(n),
        None => text_time(&text(value)?),
    }
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by size; zero and less is no time.
pub(super) fn number_time(n: i64) -> Option<Timestamp> {
    match n {
        ..=0 => None,
        1..100_000_000_000 => Timestamp::from_second(n).ok(),
        100_000_000_000..100_000_000_000_000 => Timestamp::from_millisecond(n).ok(),
        100_000_000_000_000..100_000_000_000_000_000 => Timestamp::from_microsecond(n).ok(),
        _ => Timestamp::from_nanosecond(n.into()).ok(),
    }
}

/// RFC 3339, the same with a space, slashes, `UTC` or no offset (taken as UTC), `2026-03-02 10:11:12:123456 Z`, which
/// NServiceBus writes, and RFC 2822.
pub(super) fn text_time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    if let Ok(time) = jiff::fmt::rfc2822::parse(text) {
        return Some(time.timestamp());
    }
    let bare = text.trim_end_matches("UTC").trim_end_matches(['Z', ' ']).replace('/', "-");
    let wire = match bare.rmatch_indices(':').next() {
        Some((at, _)) if bare.matches(':').count() == 3 => format!("{}.{}", &bare[..at], &bare[at + 1..]),
        _ => bare,
    };
    wire.parse::<jiff::civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn numbers_come_as_text_as_big_endian_and_typed() {
        assert_eq!(number(&Value::text("17")), Some(17));
        assert_eq!(number(&Value::Bytes(Bytes::from_static(&[0, 0, 0, 3]))), Some(3));
        assert_eq!(number(&Value::Bytes(Bytes::from_static(&[0, 0, 1, 0x95, 0, 0, 0, 0]))), Some(0x195_0000_0000));
        assert_eq!(number(&Value::Amqp(Amqp::I8(-1))), Some(-1));
        assert_eq!(number(&Value::Bytes(Bytes::from_static(&[0xff, 0xff, 0xff, 0xff]))), Some(-1));
        assert_eq!(number(&Value::Bytes(Bytes::from_static(&[1, 0x95, 0, 0, 0, 0]))), Some(0x195_0000_0000));
        assert_eq!(number(&Value::text("four")), None);
    }

    #[test]
    fn times_come_in_every_unit_and_in_the_forms_of_dotnet() {
        let want: Timestamp = "2026-03-02T10:11:12Z".parse().unwrap();
        let seconds = want.as_second();
        for n in [seconds, seconds * 1_000, seconds * 1_000_000, seconds * 1_000_000_000] {
            assert_eq!(number_time(n), Some(want));
        }
        for text in [
            "2026-03-02T10:11:12Z",
            "2026-03-02 10:11:12",
            "2026-03-02 10:11:12:000000 Z",
            "2026/03/02 10:11:12 UTC",
            "Mon, 02 Mar 2026 10:11:12 +0000",
            "2026-03-02T10:11:12.0000000Z",
        ] {
            assert_eq!(text_time(text), Some(want), "{text}");
        }
        assert_eq!(text_time("yesterday"), None);
        assert_eq!(value_time(&Value::Amqp(Amqp::Timestamp(u64::MAX))), None);
    }
}
