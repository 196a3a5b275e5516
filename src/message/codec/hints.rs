//! What a message says about its own payload. Believed only where the bytes agree.

use bytes::Bytes;

use crate::message::{Fields, Message, Value};

/// The header in which Confluent's writers name the schema of a key that has no frame.
pub(crate) const KEY_SCHEMA: &str = "__key_schema_id";

/// Declared content type, encodings and schema.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// The media type in lower case, without parameters.
    pub content_type: Option<String>,
    /// The encodings in the order they were applied, in lower case: the last is the outermost.
    pub encodings: Vec<String>,
    /// Confluent's schema header: version byte, then an id or a GUID.
    pub schema: Option<Bytes>,
}

impl Hints {
    /// Reads the properties and headers that brokers and frameworks use for it, in any case and with `-`, `_` or none.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        let first = |name: &str| find(&message.properties, name).or_else(|| find(&message.headers, name));
        let media = first("contenttype").map(|text| text.split(';').next().unwrap_or_default().trim().to_lowercase());
        let encodings = first("contentencoding").or_else(|| first("contenttransferencoding")).unwrap_or_default();
        Self {
            content_type: media.filter(|media| !media.is_empty()),
            encodings: encodings
                .split(',')
                .map(|name| name.trim().to_lowercase())
                .filter(|name| {
                    !matches!(name.as_str(), "" | "identity" | "utf-8" | "utf8" | "8bit" | "7bit" | "binary")
                })
                .collect(),
            schema: schema(message, "__value_schema_id"),
        }
    }

    /// What it says of its key: no more than Confluent's schema header.
    pub(super) fn of_key(message: &Message) -> Self {
        Self { schema: schema(message, KEY_SCHEMA), ..Self::default() }
    }

    /// Whether the content type contains one of the words.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        self.content_type.as_ref().is_some_and(|media| words.iter().any(|word| media.contains(word)))
    }
}

/// A header of Confluent's that names a schema.
fn schema(message: &Message, name: &str) -> Option<Bytes> {
    match message.headers.get(name)? {
        Value::Bytes(bytes) => Some(bytes.clone()),
        _ => None,
    }
}

/// The text of the first field whose name, without dashes and underscores, is that one.
fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    let letters =
        |text: &'a str| text.bytes().filter(|byte| !matches!(byte, b'-' | b'_')).map(|byte| byte.to_ascii_lowercase());
    fields.iter().find(|(found, _)| letters(found).eq(name.bytes())).and_then(|(_, value)| value.as_str())
}
