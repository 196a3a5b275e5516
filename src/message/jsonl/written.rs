//! A line as [`write_line`](super::write_line) writes it, read in one go: its fields in that order, and nothing between
//! them. Archives are made of such lines, and most of each is a stack trace with an escape or two a line.
//!
//! Limits: whatever else a good line may have (spaces, another order, escapes by number, a field twice) is for the reader
//! beside this one, which also says what is wrong with a bad one. A line that is read here is read the same there.

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::SCHEMA;
use super::read::{Place, Text, read_value};
use crate::message::{Fields, Message, Name, Position, Value};
use crate::text::find::{behind, starts};

/// What is derived from the message stands behind it.
const DERIVED: [&str; 4] = [",\"failure\":", ",\"group\":", ",\"decoded\":", ",\"decoded_key\":"];

/// The message of such a line; `None` for any other line.
pub(super) fn read(line: &str) -> Option<Message> {
    let line = line.strip_suffix('\n').unwrap_or(line);
    // Strings have no control characters, and what is written has none between them.
    if line.bytes().fold(u8::MAX, u8::min) < b' ' {
        return None;
    }
    let mut line = Line { rest: line, text: Vec::new() };
    line.take("{\"schema\":\"")?;
    line.take(SCHEMA)?;
    line.take("\"")?;
    let mut message = Message::default();
    if line.has(",\"address\":") {
        message.address = Arc::from(line.name()?);
    }
    if line.has(",\"id\":") {
        line.name()?.clone_into(&mut message.id);
    }
    if line.has(",\"position\":") {
        message.position = line.other::<Option<Place>>()?.map(Position::from);
    }
    if line.has(",\"time\":") {
        message.time = line.other()?;
    }
    if line.has(",\"key\":") {
        message.key = line.text()?.0;
    }
    if line.has(",\"headers\":") {
        message.headers = line.fields()?;
    }
    if line.has(",\"properties\":") {
        message.properties = line.fields()?;
    }
    if line.has(",\"metadata\":") {
        message.metadata = line.fields()?;
    }
    line.take(",\"payload\":")?;
    message.payload = line.text()?.0;
    if line.has(",\"deliveries\":") {
        message.deliveries = line.other()?;
    }
    for name in DERIVED {
        if line.has(name) {
            line.other::<IgnoredAny>()?;
        }
    }
    line.take("}")?;
    line.rest.is_empty().then_some(message)
}

/// What is left of a line.
struct Line<'a> {
    rest: &'a str,
    /// A string whose escapes were resolved.
    text: Vec<u8>,
}

impl<'a> Line<'a> {
    /// Takes what stands here, where it is that; whether it was.
    fn has(&mut self, what: &str) -> bool {
        let rest = behind(self.rest, what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// The same, of what has to stand here.
    fn take(&mut self, what: &str) -> Option<()> {
        self.has(what).then_some(())
    }

    /// A value that is read as any other JSON is.
    fn other<T: Deserialize<'a>>(&mut self) -> Option<T> {
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter();
        let value = values.next()?.ok()?;
        self.rest = self.rest.get(values.byte_offset()..)?;
        Some(value)
    }

    /// The text of a string, which is UTF-8 as the line is.
    fn string(&mut self) -> Option<&[u8]> {
        let mut rest = behind(self.rest, "\"")?.as_bytes();
        self.text.clear();
        loop {
            let (plain, special) = rest.split_at_checked(memchr::memchr2(b'"', b'\\', rest)?)?;
            if let [b'"', behind @ ..] = special {
                self.rest = self.rest.get(self.rest.len() - behind.len()..)?;
                if self.text.is_empty() {
                    return Some(plain);
                }
                self.text.extend_from_slice(plain);
                return Some(&self.text);
            }
            if self.text.is_empty() {
                self.text.reserve(rest.len());
            }
            self.text.extend_from_slice(plain);
            rest = special;
            // Escapes come in rows: the end of one line and the indent of the next.
            while let [b'\\', which, behind @ ..] = rest {
                self.text.push(match which {
                    b'n' => b'\n',
                    b't' => b'\t',
                    b'r' => b'\r',
                    b'"' | b'\\' | b'/' => *which,
                    _ => return None,
                });
                rest = behind;
            }
            if rest.len() == special.len() {
                return None;
            }
        }
    }

    /// The same, of a name.
    fn name(&mut self) -> Option<&str> {
        str::from_utf8(self.string()?).ok()
    }

    /// A payload or a key.
    fn text(&mut self) -> Option<Text> {
        if !self.has("{\"utf8\":") {
            return self.other();
        }
        let text = Bytes::copy_from_slice(self.string()?);
        self.take("}")?;
        Some(Text(Some(text)))
    }

    /// Names and values: pairs, or an object.
    fn fields(&mut self) -> Option<Fields> {
        let pairs = self.has("[");
        if !pairs {
            self.take("{")?;
        }
        let mut fields = Fields::new();
        while !self.has(if pairs { "]" } else { "}" }) {
            if !fields.is_empty() {
                self.take(",")?;
            }
            if pairs {
                self.take("[")?;
            }
            let name = Name::from(self.name()?);
            self.take(if pairs { "," } else { ":" })?;
            fields.push(name, self.value()?);
            if pairs {
                self.take("]")?;
            }
        }
        Some(fields)
    }

    /// The value of a field.
    fn value(&mut self) -> Option<Value> {
        if starts(self.rest, "\"") {
            return Some(Value::Bytes(Bytes::copy_from_slice(self.string()?)));
        }
        read_value(self.other::<&RawValue>()?.get(), 0).ok()
    }
}
