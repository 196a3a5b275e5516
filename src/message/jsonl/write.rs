//! A message as a line: appended to a buffer, without a tree in between.

use std::collections::HashSet;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use super::SCHEMA;
use crate::message::codec::View;
use crate::message::failure::{Failure, Origin};
use crate::message::{Amqp, Fields, Message, Value};

/// What a line may show beside the message itself: derived from it, never read back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Derived<'a> {
    /// Why it died; null in the line when `None`.
    pub failure: Option<&'a Failure>,
    /// The failure's origin as an address. Without it the line shows the origin's own, relative form.
    pub origin: Option<&'a str>,
    /// The id of its group; null in the line when `None`.
    pub group: Option<&'a str>,
    /// The payload's decoded form; not in the line when `None`.
    pub decoded: Option<&'a View>,
    /// The key's decoded form; not in the line when `None`.
    pub decoded_key: Option<&'a View>,
}

/// Appends the message as one line, the line feed included. With `derived`, `failure` and `group` are shown too.
pub fn write_line(message: &Message, derived: Option<&Derived<'_>>, out: &mut Vec<u8>) {
    out.reserve(message.body().len() + 256);
    out.extend_from_slice(b"{\"schema\":\"");
    out.extend_from_slice(SCHEMA.as_bytes());
    out.extend_from_slice(b"\",\"address\":");
    write_string(&message.address, out);
    out.extend_from_slice(b",\"id\":");
    write_string(&message.id, out);
    out.extend_from_slice(b",\"position\":");
    match message.position {
        None => out.extend_from_slice(b"null"),
        Some(position) => {
            out.push(b'{');
            if let Some(partition) = position.partition {
                out.extend_from_slice(b"\"partition\":");
                write_number(partition, out);
                out.push(b',');
            }
            out.extend_from_slice(b"\"offset\":");
            write_number(position.offset, out);
            out.push(b'}');
        }
    }
    out.extend_from_slice(b",\"time\":");
    optional(message.time, out, write_time);
    out.extend_from_slice(b",\"key\":");
    optional(message.key.as_deref(), out, write_text);
    out.extend_from_slice(b",\"headers\":");
    write_pairs(&message.headers, out);
    out.extend_from_slice(b",\"properties\":");
    write_fields(&message.properties, out);
    out.extend_from_slice(b",\"metadata\":");
    write_fields(&message.metadata, out);
    out.extend_from_slice(b",\"payload\":");
    optional(message.payload.as_deref(), out, write_text);
    out.extend_from_slice(b",\"deliveries\":");
    optional(message.deliveries, out, write_number);
    if let Some(derived) = derived {
        out.extend_from_slice(b",\"failure\":");
        optional(derived.failure, out, |failure, out| write_failure(failure, derived.origin, out));
        out.extend_from_slice(b",\"group\":");
        optional(derived.group, out, write_string);
        if let Some(view) = derived.decoded {
            out.extend_from_slice(b",\"decoded\":");
            view.write_json(out);
        }
        if let Some(view) = derived.decoded_key {
            out.extend_from_slice(b",\"decoded_key\":");
            view.write_json(out);
        }
    }
    out.extend_from_slice(b"}\n");
}

/// Appends a JSON string that no terminal takes for a command: quotes, backslashes and every control character
/// (below space, DEL, and C1 from U+0080 to U+009F) are escaped, everything else stays as it is.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_special(rest) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        rest = match tail {
            [b'"', rest @ ..] => escape(b"\\\"", rest, out),
            [b'\\', rest @ ..] => escape(b"\\\\", rest, out),
            [b'\n', rest @ ..] => escape(b"\\n", rest, out),
            [b'\r', rest @ ..] => escape(b"\\r", rest, out),
            [b'\t', rest @ ..] => escape(b"\\t", rest, out),
            [0xC2, c1 @ 0x80..=0x9F, rest @ ..] => escape(&unicode_escape(*c1), rest, out),
            [0xC2, rest @ ..] => escape(&[0xC2], rest, out),
            [control, rest @ ..] => escape(&unicode_escape(*control), rest, out),
            [] => &[],
        };
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that can't stay as it is. C1 characters begin with 0xC2 in UTF-8; most text with 0xC2 in it
/// is something else.
#[allow(clippy::needless_bitwise_bool, reason = "lazy operators are branches")]
fn first_special(text: &[u8]) -> Option<usize> {
    // Whole pieces and no branch inside: the compiler makes vector code of them.
    let special = |byte: &u8| (*byte < 0x20) | (*byte == 0x7F) | (*byte == b'"') | (*byte == b'\\') | (*byte == 0xC2);
    let plain = text.chunks_exact(32).take_while(|piece| !piece.iter().fold(false, |any, byte| any | special(byte)));
    let skipped = plain.count() * 32;
    let at = text.get(skipped..)?.iter().position(special)?;
    Some(skipped + at)
}

fn escape<'a>(escaped: &[u8], rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    out.extend_from_slice(escaped);
    rest
}

fn unicode_escape(code: u8) -> [u8; 6] {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
    [b'\\', b'u', b'0', b'0', digit(code >> 4), digit(code & 15)]
}

fn optional<T>(value: Option<T>, out: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
    match value {
        None => out.extend_from_slice(b"null"),
        Some(value) => write(value, out),
    }
}

fn write_number(number: impl std::fmt::Display, out: &mut Vec<u8>) {
    // Writing to a Vec can't fail.
    _ = write!(out, "{number}");
}

fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    static MILLISECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
    static FINER: DateTimePrinter = DateTimePrinter::new();
    out.push(b'"');
    let printer = if time.subsec_nanosecond() % 1_000_000 == 0 { &MILLISECONDS } else { &FINER };
    // Writing to a Vec can't fail.
    _ = printer.print_timestamp(&time, &mut *out);
    out.push(b'"');
}

/// `{"utf8":…}` or `{"base64":…}`.
fn write_text(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'{');
    write_text_field(bytes, out);
    out.push(b'}');
}

/// `"utf8":…` or `"base64":…`.
fn write_text_field(bytes: &[u8], out: &mut Vec<u8>) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        out.extend_from_slice(b"\"utf8\":");
        write_string(text, out);
    } else {
        out.extend_from_slice(b"\"base64\":\"");
        let start = out.len();
        out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
        if let Some(room) = out.get_mut(start..) {
            // The room is exactly what the padded form takes.
            _ = STANDARD.encode_slice(bytes, room);
        }
        out.push(b'"');
    }
}

fn comma_separated<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, mut write: impl FnMut(T, &mut Vec<u8>)) {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out);
    }
}

fn write_pairs(fields: &Fields, out: &mut Vec<u8>) {
    out.push(b'[');
    comma_separated(fields, out, |(name, value), out| {
        out.push(b'[');
        write_string(name, out);
        out.push(b',');
        write_value(value, out);
        out.push(b']');
    });
    out.push(b']');
}

/// An object, or pairs where a name repeats.
fn write_fields(fields: &Fields, out: &mut Vec<u8>) {
    if names_repeat(fields) {
        return write_pairs(fields, out);
    }
    out.push(b'{');
    comma_separated(fields, out, |(name, value), out| {
        write_string(name, out);
        out.push(b':');
        write_value(value, out);
    });
    out.push(b'}');
}

fn names_repeat(fields: &Fields) -> bool {
    // Comparing each with each beats hashing for the few fields that messages have.
    if fields.len() <= 16 {
        return fields.iter().enumerate().any(|(at, (name, _))| fields.iter().take(at).any(|(other, _)| other == name));
    }
    let mut seen = HashSet::new();
    fields.iter().any(|(name, _)| !seen.insert(name))
}

/// Appends a value of a header, a property or metadata, in the form that the table of [`super`] describes.
pub fn write_value(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bytes(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => write_string(text, out),
            Err(_) => write_text(bytes, out),
        },
        Value::Bool(flag) => write_number(flag, out),
        Value::Int(n) => write_number(n, out),
        Value::Amqp(amqp) => write_amqp(amqp, out),
        Value::Sqs { data_type, value } => {
            out.extend_from_slice(b"{\"sqs\":");
            write_string(data_type, out);
            out.push(b',');
            write_text_field(value, out);
            out.push(b'}');
        }
    }
}

fn write_amqp(amqp: &Amqp, out: &mut Vec<u8>) {
    let begin = |name: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(b"{\"amqp\":\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\",");
    };
    let number = |name: &str, number: &dyn std::fmt::Display, out: &mut Vec<u8>| {
        begin(name, out);
        out.extend_from_slice(b"\"value\":");
        write_number(number, out);
    };
    let typed = |name: &str, out: &mut Vec<u8>| {
        begin(name, out);
        out.extend_from_slice(b"\"value\":");
    };
    match amqp {
        Amqp::I8(n) => number("i8", n, out),
        Amqp::U8(n) => number("u8", n, out),
        Amqp::I16(n) => number("i16", n, out),
        Amqp::U16(n) => number("u16", n, out),
        Amqp::I32(n) => number("i32", n, out),
        Amqp::U32(n) => number("u32", n, out),
        Amqp::Timestamp(seconds) => number("timestamp", seconds, out),
        // `Debug` is the shortest form that reads back to the same bits, and valid JSON for finite numbers.
        Amqp::F32(bits) => match f32::from_bits(*bits) {
            finite if finite.is_finite() => number("float", &format_args!("{finite:?}"), out),
            _ => {
                begin("float", out);
                write_number(format_args!("\"bits\":\"{bits:08x}\""), out);
            }
        },
        Amqp::F64(bits) => match f64::from_bits(*bits) {
            finite if finite.is_finite() => number("double", &format_args!("{finite:?}"), out),
            _ => {
                begin("double", out);
                write_number(format_args!("\"bits\":\"{bits:016x}\""), out);
            }
        },
        Amqp::Decimal { scale, value } => {
            number("decimal", &format_args!("{{\"scale\":{scale},\"value\":{value}}}"), out);
        }
        Amqp::ShortString(text) => {
            typed("short_string", out);
            write_string(text, out);
        }
        Amqp::ByteArray(bytes) => {
            typed("bytes", out);
            write_text(bytes, out);
        }
        Amqp::Array(values) => {
            typed("array", out);
            out.push(b'[');
            comma_separated(values, out, write_value);
            out.push(b']');
        }
        Amqp::Table(fields) => {
            typed("table", out);
            write_fields(fields, out);
        }
    }
    out.push(b'}');
}

fn write_failure(failure: &Failure, origin: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"dialect\":");
    write_string(failure.dialect, out);
    let mut field = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            write_name(name, out);
            write_string(value, out);
        }
    };
    field("class", failure.class.as_deref());
    field("message", failure.message.as_deref());
    let relative = failure.origin.as_ref().map(relative_origin);
    field("origin", origin.or(relative.as_deref()));
    field("consumer", failure.consumer.as_deref());
    if let Some(attempts) = failure.attempts {
        write_name("attempts", out);
        write_number(attempts, out);
    }
    for (name, time) in [("first", failure.first), ("last", failure.last)] {
        if let Some(time) = time {
            write_name(name, out);
            write_time(time, out);
        }
    }
    if !failure.history.is_empty() {
        write_name("history", out);
        out.push(b'[');
        comma_separated(&failure.history, out, |death, out| {
            out.extend_from_slice(b"{\"reason\":");
            write_string(&death.reason, out);
            write_name("queue", out);
            write_string(&death.queue, out);
            write_name("count", out);
            write_number(death.count, out);
            if let Some(time) = death.time {
                write_name("time", out);
                write_time(time, out);
            }
            out.push(b'}');
        });
        out.push(b']');
    }
    out.push(b'}');
}

fn write_name(name: &str, out: &mut Vec<u8>) {
    write_number(format_args!(",\"{name}\":"), out);
}

/// The part of an address behind the broker.
fn relative_origin(origin: &Origin) -> String {
    match origin {
        Origin::Queue(name) => name.clone(),
        Origin::Exchange { exchange, routing_key } => format!("exchange:{exchange}/{routing_key}"),
        Origin::Topic { topic, .. } => topic.clone(),
    }
}
