//! The outcome of decoding: what was unwrapped, what is left, and why it went no further.

use bytes::Bytes;

/// How far decoding may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Formats within each other at most.
    pub depth: usize,
    /// Bytes that one step may put out at most.
    pub bytes: usize,
    /// How many times its input a step may put out, once it is past [`Limits::FREE`] bytes.
    pub ratio: usize,
}

impl Limits {
    /// Output up to this size is never called a bomb.
    pub const FREE: usize = 1 << 20;
    /// Input beyond this size is not made into a tree (MessagePack, CBOR, Protobuf).
    pub const TREE: usize = 1 << 20;
}

impl Default for Limits {
    /// Four formats, 8 MiB, 1000 times.
    fn default() -> Self {
        Self { depth: 4, bytes: 8 << 20, ratio: 1000 }
    }
}

/// A payload's decoded form. The payload itself is untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What was unwrapped, outermost first.
    pub steps: Vec<Step>,
    /// What is left.
    pub form: Form,
    /// What the form is an instance of (`cloudevents`, `sns` …), for people and for `format`.
    pub labels: Vec<&'static str>,
    /// Why decoding went no further although the payload or its declaration promised more.
    pub stopped: Option<String>,
}

/// One format that was unwrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `base64`, `gzip`, `confluent` …
    pub format: &'static str,
    /// What its frame says: `schema 42`.
    pub detail: Option<String>,
}

/// What is left when nothing more can be unwrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Null or no bytes.
    Empty,
    /// One JSON value.
    Json(Bytes),
    /// JSON values behind each other, mostly one per line.
    JsonLines(Bytes),
    /// XML, shown as text.
    Xml(Bytes),
    /// UTF-8 text.
    Text(Bytes),
    /// Another format with the structure of JSON, as compact JSON: `msgpack`, `cbor`, `protobuf`.
    Tree {
        /// Its name.
        format: &'static str,
        /// Its values.
        json: Bytes,
    },
    /// A known format that is not decoded: `java`, `pickle`, `avro` …
    Label {
        /// Its name, for `format`.
        format: &'static str,
        /// What it is, in words.
        what: String,
        /// Its bytes.
        bytes: Bytes,
    },
    /// Unknown bytes.
    Binary(Bytes),
}

impl Form {
    /// The name for `format`.
    #[must_use]
    pub fn format(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => return None,
            Self::Json(_) => "json",
            Self::JsonLines(_) => "ndjson",
            Self::Xml(_) => "xml",
            Self::Text(_) => "text",
            Self::Tree { format, .. } | Self::Label { format, .. } => format,
            Self::Binary(_) => "binary",
        })
    }

    /// The JSON in it, where it has the structure of JSON.
    #[must_use]
    pub fn json(&self) -> Option<&Bytes> {
        match self {
            Self::Json(json) | Self::JsonLines(json) | Self::Tree { json, .. } => Some(json),
            Self::Empty | Self::Xml(_) | Self::Text(_) | Self::Label { .. } | Self::Binary(_) => None,
        }
    }

    /// The text to show and to search; `None` for bytes.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        let bytes = match self {
            Self::Json(bytes) | Self::JsonLines(bytes) | Self::Xml(bytes) | Self::Text(bytes) => bytes,
            Self::Tree { json, .. } => json,
            Self::Empty | Self::Label { .. } | Self::Binary(_) => return None,
        };
        std::str::from_utf8(bytes).ok()
    }
}

impl View {
    /// Everything that the payload is, outermost first: its steps, its form, and what that is an instance of.
    pub fn formats(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|step| step.format).chain(self.form.format()).chain(self.labels.iter().copied())
    }
}
