//! Looking for a text in a `postroom.message/1` line without reading it: when is "not found" a proof?
//!
//! In a line every text is JSON-escaped. The longest part of a needle without characters that JSON may escape by a
//! letter (`"`, `\`, `/`, control characters) stands there as it is, unless the writer spelled it with `\u`.
//! So a line may be refused when that part is not in it, it has no `\u`, no `"base64"` (bytes that are no text), its
//! payload is plain (see [`crate::message::codec`]), and nothing that is rendered on reading could hold the text.

use std::sync::LazyLock;

use memchr::memmem::{self, Finder};

use super::needle::Needle;
use super::prefilter::{Place, Readers, could_be_digest, is_short_escape};
use crate::message::codec::{KEY_SCHEMA, is_encodable, is_plain, may_hold_encoded, starts_as_markup};

/// What every line written by postroom starts with; such a line always holds its id.
const WRITTEN: &[u8] = b"{\"schema\":\"postroom.message/1\",";

/// What decides whether a needle that is not there proves anything. Built once, for each is looked for in every line.
static UNICODE_ESCAPE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\\u"));
static BASE64: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"base64\""));
static AMQP: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"amqp\""));
static NO_ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"id\":\"\""));
static PAYLOAD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"payload\":"));
static NULL_KEY: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\"key\":null"));
static KEY_SCHEMA_HEADER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(KEY_SCHEMA.as_bytes()));

/// Whether a JSON text spells any character by its number.
pub(crate) fn has_unicode_escape(json: &[u8]) -> bool {
    UNICODE_ESCAPE.find(json).is_some()
}

/// A needle and its part that can be looked for in lines.
#[derive(Clone, Debug)]
pub(crate) struct LineNeedle {
    text: Needle,
    /// `None` where every character could be escaped.
    part: Option<Needle>,
}

impl LineNeedle {
    pub(crate) fn new(text: Needle) -> Self {
        let longest = text.text().split(is_short_escape).max_by_key(|part| part.len()).unwrap_or_default();
        let part = text.part(longest);
        Self { text, part }
    }

    /// The needle for raw bytes.
    pub(crate) fn text(&self) -> &Needle {
        &self.text
    }

    /// Whether the message in the line could hold the text in that place.
    pub(crate) fn may_be_in(&self, line: &[u8], place: Place, schemas: Readers) -> bool {
        let in_payload = || !payload_is_plain(line, schemas.payloads) || may_hold_encoded(line);
        self.is_seen(line)
            || match place {
                Place::Anywhere => {
                    self.may_be_rendered(line)
                        || self.may_be_made_id(line)
                        || in_payload()
                        || key_may_be_decoded(line, schemas.bare_keys)
                }
                Place::Payload => in_payload(),
                Place::Id => self.may_be_made_id(line),
                Place::Key => key_may_be_decoded(line, schemas.bare_keys),
            }
    }

    /// Whether the name or a value of a header in the line could hold the text.
    pub(crate) fn may_be_in_header(&self, line: &[u8]) -> bool {
        self.is_seen(line) || self.may_be_rendered(line)
    }

    /// Whether it is there as it is, or spelled in a way that was not looked at.
    fn is_seen(&self, line: &[u8]) -> bool {
        self.part.as_ref().is_none_or(|part| part.is_in(line))
            || has_unicode_escape(line)
            || BASE64.find(line).is_some()
    }

    /// What only reading renders (decimals, floats, timestamps) has none but these characters.
    fn may_be_rendered(&self, line: &[u8]) -> bool {
        let number = |c: char| c.is_ascii_digit() || ".-+eEinfaNTtZz:".contains(c);
        self.text.text().chars().all(number) && AMQP.find(line).is_some()
    }

    /// A line without an id gets one from its digest.
    fn may_be_made_id(&self, line: &[u8]) -> bool {
        could_be_digest(self.text.text()) && (!line.starts_with(WRITTEN) || NO_ID.find(line).is_some())
    }
}

/// Whether the key of a line may be read by a schema: a header names one, or somebody has one for it. A registry's frame
/// begins with a control character, which is `\u` or base64.
fn key_may_be_decoded(line: &[u8], bare_keys: bool) -> bool {
    (bare_keys && NULL_KEY.find(line).is_none()) || KEY_SCHEMA_HEADER.find(line).is_some()
}

/// Whether the payload of a line is one that no decoder looks into: [`is_plain`], seen through JSON's escapes.
/// The line has no `\u`.
fn payload_is_plain(line: &[u8], schemas: bool) -> bool {
    let mut found = false;
    let all_plain = PAYLOAD.find_iter(line).all(|at| {
        found = true;
        let value = line.get(at + PAYLOAD.needle().len()..).unwrap_or_default().trim_ascii_start();
        let text = utf8(value).unwrap_or(value).strip_prefix(b"\"");
        text.map_or_else(|| value.starts_with(b"null"), |text| escaped_is_plain(text, schemas))
    });
    found && all_plain
}

/// What is behind `{"utf8":`, however it is spaced.
fn utf8(value: &[u8]) -> Option<&[u8]> {
    let value = value.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(b"\"utf8\"")?.trim_ascii_start();
    Some(value.strip_prefix(b":")?.trim_ascii_start())
}

/// Whether the text up to the closing quote is plain.
fn escaped_is_plain(text: &[u8], schemas: bool) -> bool {
    let end = memchr::memchr2(b'"', b'\\', text).unwrap_or(text.len());
    let (head, escape) = text.split_at(end);
    match (head.trim_ascii_start(), escape) {
        (_, []) => false,
        (_, [b'"', ..]) => is_plain(head, schemas),
        ([b'{' | b'['], [b'\\', b'"', ..]) => true,
        _ if schemas => is_plain(head, schemas),
        _ if starts_as_markup(head) => true,
        // Readable, because control characters but tabs and line ends would have been escapes, and not encoded,
        // because of a character that is in no such alphabet.
        _ => {
            !head.first().is_none_or(u8::is_ascii_whitespace)
                && head.iter().any(|byte| !is_encodable(*byte))
                && memchr::memchr(0x7f, text).is_none()
                && [b"\\b", b"\\f"].iter().all(|control| memmem::find(text, *control).is_none())
        }
    }
}
