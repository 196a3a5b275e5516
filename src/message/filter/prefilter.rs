//! A necessary condition on raw bytes: what a reader may check before it builds a message.
//!
//! A filter compiles to a [`Prefilter`] wherever it implies that certain bytes must occur. A message that fails it
//! can't match the filter; one that passes still has to be asked. It never decodes, so these pass every condition
//! on the payload: payloads that may be compressed, encoded or binary, and JSON in which an escape could spell
//! the text. Headers, ids and keys that the reader did not look at pass the conditions on them.

use std::sync::Arc;

use regex::bytes::Regex;

use super::line::{LineNeedle, has_unicode_escape};
use super::needle::Needle;
use crate::message::codec::{KEY_SCHEMA, Schemas, is_plain, may_hold_encoded};
use crate::message::{Amqp, Fields, Message, Value};

/// What a backend holds of a message before it builds one: borrowed bytes.
#[derive(Clone, Copy, Default)]
pub struct RawParts<'a> {
    /// The message's id, where it is known without work. `None` passes what an id could meet.
    pub id: Option<&'a str>,
    /// Kafka's record key, RabbitMQ's routing key. `None` is null.
    pub key: Option<&'a [u8]>,
    /// The body as it came. `None` is null.
    pub payload: Option<&'a [u8]>,
    /// The headers, where they can be looked at without work.
    pub headers: Option<&'a dyn RawHeaders>,
    /// Whether there are headers that [`RawParts::headers`] does not show: such a message passes
    /// every condition that a header could meet.
    pub other: bool,
}

/// All of a message that is built already.
impl<'a> From<&'a Message> for RawParts<'a> {
    fn from(message: &'a Message) -> Self {
        Self {
            id: Some(&message.id),
            key: message.key.as_deref(),
            payload: message.payload.as_deref(),
            headers: Some(&message.headers),
            other: false,
        }
    }
}

/// Headers in a backend's own form.
pub trait RawHeaders {
    /// Whether `test` accepts any header: asked with each name and, where the value is plain text or bytes, the value
    /// (empty for null). `None` is a value that would have to be rendered first (numbers, tables).
    fn any(&self, test: &mut dyn FnMut(&str, Option<&[u8]>) -> bool) -> bool;
}

impl RawHeaders for Fields {
    fn any(&self, test: &mut dyn FnMut(&str, Option<&[u8]>) -> bool) -> bool {
        self.iter().any(|(name, value)| {
            let bytes = match value {
                Value::Null => Some(&[][..]),
                Value::Bytes(bytes) | Value::Sqs { value: bytes, .. } | Value::Amqp(Amqp::ByteArray(bytes)) => {
                    Some(&bytes[..])
                }
                Value::Amqp(Amqp::ShortString(text)) => Some(text.as_bytes()),
                Value::Bool(_) | Value::Int(_) | Value::Amqp(_) => None,
            };
            test(name, bytes)
        })
    }
}

/// Bytes that must occur for a message to match. Cheap to clone, and checked without allocating.
#[derive(Clone, Debug, Default)]
pub struct Prefilter {
    condition: Arc<Condition>,
    schemas: Readers,
}

/// What somebody has schemas for, so that readable text may be something else.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Readers {
    pub(crate) payloads: bool,
    /// Keys that do not say so themselves.
    pub(crate) bare_keys: bool,
}

/// What must hold. Only ever weaker than the filter it comes from.
#[derive(Clone, Debug, Default)]
pub(crate) enum Condition {
    /// Nothing is known.
    #[default]
    Pass,
    /// All must hold.
    All(Vec<Condition>),
    /// One must hold.
    Any(Vec<Condition>),
    /// The text occurs in that place.
    Has(Place, LineNeedle),
    /// A header of that name exists and, with a text, one of them holds it.
    Header(LineNeedle, Option<LineNeedle>),
    /// The payload matches.
    Payload(Regex),
}

/// Where a text must occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Key, payload, header names and values, id.
    Anywhere,
    /// In the payload, or in what is encoded in its strings.
    Payload,
    Key,
    Id,
}

impl Prefilter {
    /// A condition that every message meets.
    #[must_use]
    pub fn pass_all() -> Self {
        Self::default()
    }

    pub(crate) fn new(condition: Condition) -> Self {
        Self { condition: Arc::new(condition), schemas: Readers::default() }
    }

    /// The same for messages that may be read by these schemas.
    #[must_use]
    pub fn with_schemas(self, schemas: Option<&dyn Schemas>) -> Self {
        let bare_keys = schemas.is_some_and(Schemas::read_bare_keys);
        Self { schemas: Readers { payloads: schemas.is_some(), bare_keys }, ..self }
    }

    /// Whether it can never refuse a message.
    #[must_use]
    pub fn is_pass_all(&self) -> bool {
        matches!(*self.condition, Condition::Pass)
    }

    /// Whether the message could match; `false` is a proof that it can't.
    #[must_use]
    pub fn may_match(&self, parts: &RawParts<'_>) -> bool {
        self.condition.may_hold(parts, self.schemas)
    }

    /// Whether the message in one `postroom.message/1` line could match; `false` is a proof that it can't.
    /// A line that is not in that form passes, so that reading it says what is wrong.
    #[must_use]
    pub fn may_match_line(&self, line: &[u8]) -> bool {
        self.condition.may_hold_in_line(line, self.schemas)
    }
}

impl Condition {
    fn may_hold(&self, parts: &RawParts<'_>, schemas: Readers) -> bool {
        match self {
            Self::Pass => true,
            Self::All(conditions) => conditions.iter().all(|condition| condition.may_hold(parts, schemas)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.may_hold(parts, schemas)),
            Self::Has(place, needle) => place.may_hold(needle.text(), parts, schemas),
            Self::Header(name, value) => {
                let name = name.text().text();
                parts.other
                    || parts.headers.is_some_and(|headers| {
                        headers.any(&mut |found, bytes| {
                            found == name
                                && value
                                    .as_ref()
                                    .is_none_or(|value| bytes.is_none_or(|bytes| value.text().is_in(bytes)))
                        })
                    })
            }
            Self::Payload(regex) => parts.payload.is_some_and(|payload| {
                regex.is_match(payload)
                    || memchr::memchr(b'\\', payload).is_some()
                    || !is_plain(payload, schemas.payloads)
                    || may_hold_encoded(payload)
            }),
        }
    }

    fn may_hold_in_line(&self, line: &[u8], schemas: Readers) -> bool {
        match self {
            Self::Pass | Self::Payload(_) => true,
            Self::All(conditions) => conditions.iter().all(|condition| condition.may_hold_in_line(line, schemas)),
            Self::Any(conditions) => conditions.iter().any(|condition| condition.may_hold_in_line(line, schemas)),
            Self::Has(place, needle) => needle.may_be_in(line, *place, schemas),
            Self::Header(name, value) => {
                name.may_be_in_header(line) && value.as_ref().is_none_or(|value| value.may_be_in_header(line))
            }
        }
    }
}

impl Place {
    fn may_hold(self, needle: &Needle, parts: &RawParts<'_>, schemas: Readers) -> bool {
        let in_id = || parts.id.map_or_else(|| could_be_digest(needle.text()), |id| needle.is_in(id.as_bytes()));
        let in_key =
            || parts.key.is_some_and(|key| needle.is_in(key) || key_may_be_decoded(key, parts, schemas.bare_keys));
        let in_payload = || parts.payload.is_some_and(|payload| payload_may_hold(needle, payload, schemas));
        let in_headers = || {
            parts.headers.is_some_and(|headers| {
                headers.any(&mut |name, bytes| {
                    needle.is_in(name.as_bytes()) || bytes.is_none_or(|bytes| needle.is_in(bytes))
                })
            })
        };
        match self {
            Self::Anywhere => parts.other || in_key() || in_payload() || in_id() || in_headers(),
            Self::Payload => in_payload(),
            Self::Key => in_key(),
            Self::Id => parts.id.is_none() || in_id(),
        }
    }
}

/// Whether a key may be read by a schema: it has a registry's frame, a header names one, or somebody has one for it.
fn key_may_be_decoded(key: &[u8], parts: &RawParts<'_>, bare_keys: bool) -> bool {
    let named = |headers: &dyn RawHeaders| headers.any(&mut |name, _| name == KEY_SCHEMA);
    bare_keys || matches!(key.first(), Some(0 | 3)) || parts.other || parts.headers.is_some_and(named)
}

/// Whether a payload, raw or decoded, or what is encoded in its strings, could hold the text.
fn payload_may_hold(needle: &Needle, payload: &[u8], schemas: Readers) -> bool {
    needle.is_in(payload)
        || escapes_may_spell(needle.text(), payload)
        || !is_plain(payload, schemas.payloads)
        || may_hold_encoded(payload)
}

/// Whether the text could be there in JSON escapes: `\u` spells anything, the short ones only a few characters.
fn escapes_may_spell(text: &str, json: &[u8]) -> bool {
    if text.contains(is_short_escape) { memchr::memchr(b'\\', json).is_some() } else { has_unicode_escape(json) }
}

/// The characters that JSON may write as a backslash and one letter.
pub(crate) fn is_short_escape(c: char) -> bool {
    c.is_control() || matches!(c, '"' | '\\' | '/')
}

/// Whether a text could be part of an id that a backend makes from a digest: `h-` and hex digits.
pub(crate) fn could_be_digest(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b'h' | b'-'))
}
