//! The outcome of decoding: what was unwrapped, what is left, and why it went no further.

use bytes::Bytes;

use super::nested::nested;
use crate::message::jsonl::write_string;

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

    /// Appends the view as one JSON object, the `decoded` field of a message line.
    ///
    /// | field | holds |
    /// |---|---|
    /// | `formats` | the formats, outermost first |
    /// | `details` | what their frames say (`schema 42`), if anything |
    /// | `json`, `text` or `what` | JSON as it is (also of MessagePack, CBOR and Protobuf), other text, or what the bytes are |
    /// | `stopped` | why decoding went no further than that, where it should have |
    /// | `nested` | what its strings hold, each an object of these fields with the `path` to the string |
    ///
    /// Nothing in it acts on a terminal or breaks a line.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        out.push(b'{');
        self.write_fields(out);
        let nested = nested(self);
        for (at, (path, view)) in nested.iter().enumerate() {
            out.extend_from_slice(if at == 0 { b",\"nested\":[{\"path\":" } else { b",{\"path\":" });
            write_string(path, out);
            out.push(b',');
            view.write_fields(out);
            out.push(b'}');
        }
        if !nested.is_empty() {
            out.push(b']');
        }
        out.push(b'}');
    }

    fn write_fields(&self, out: &mut Vec<u8>) {
        let list = |texts: &mut dyn Iterator<Item = &str>, out: &mut Vec<u8>| {
            for (at, text) in texts.enumerate() {
                out.push(if at == 0 { b'[' } else { b',' });
                write_string(text, out);
            }
            out.push(b']');
        };
        out.extend_from_slice(b"\"formats\":");
        match self.formats().next() {
            None => out.extend_from_slice(b"[]"),
            Some(_) => list(&mut self.formats(), out),
        }
        if self.steps.iter().any(|step| step.detail.is_some()) {
            out.extend_from_slice(b",\"details\":");
            list(&mut self.steps.iter().filter_map(|step| step.detail.as_deref()), out);
        }
        match &self.form {
            Form::Json(json) | Form::Tree { json, .. } => {
                out.extend_from_slice(b",\"json\":");
                write_on_one_line(json, out);
            }
            Form::Label { what, .. } => {
                out.extend_from_slice(b",\"what\":");
                write_string(what, out);
            }
            Form::JsonLines(_) | Form::Xml(_) | Form::Text(_) | Form::Empty | Form::Binary(_) => {
                if let Some(text) = self.form.text() {
                    out.extend_from_slice(b",\"text\":");
                    write_string(text, out);
                }
            }
        }
        if let Some(why) = &self.stopped {
            out.extend_from_slice(b",\"stopped\":");
            write_string(why, out);
        }
    }
}

/// Valid JSON on one line: what is not printable is a space outside of strings and is escaped inside of them.
fn write_on_one_line(json: &[u8], out: &mut Vec<u8>) {
    for c in String::from_utf8_lossy(json).chars() {
        match c {
            // JSON has these nowhere but between its tokens.
            '\n' | '\r' | '\t' => out.push(b' '),
            c if c.is_control() => out.extend_from_slice(format!("\\u{:04x}", u32::from(c)).as_bytes()),
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(view: &View) -> String {
        let mut out = Vec::new();
        view.write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_strings_hold_is_beside_it_with_its_path() {
        let form = Form::Json(Bytes::from_static(br#"{"n":1,"a b":["x","{\"c\":\"eyJkIjp0cnVlfQ==\"}"]}"#));
        let view = View { steps: Vec::new(), form, labels: Vec::new(), stopped: None };
        let value: serde_json::Value = serde_json::from_str(&json(&view)).unwrap();
        assert_eq!(value["nested"][0]["path"], r#"body."a b"[1]"#);
        assert_eq!(value["nested"][0]["json"]["c"], "eyJkIjp0cnVlfQ==");
        assert_eq!(value["nested"][1]["path"], r#"body."a b"[1].c"#);
        assert_eq!(value["nested"][1]["formats"], serde_json::json!(["base64", "json"]));
        assert_eq!(value["nested"][1]["json"]["d"], true);
    }

    #[test]
    fn a_view_is_one_object_on_one_line() {
        let step = Step { format: "confluent", detail: Some("schema 42".into()) };
        let form = Form::Json(Bytes::from("{\n\t\"a\": \"\u{7f}\u{9b}é\"}"));
        let mut view = View { steps: vec![step], form, labels: vec!["sns"], stopped: None };
        let expected = "{\"formats\":[\"confluent\",\"json\",\"sns\"],\"details\":[\"schema 42\"],\"json\":{  \"a\": \"\\u007f\\u009bé\"}}";
        assert_eq!(json(&view), expected);
        view =
            View { steps: Vec::new(), form: Form::Empty, labels: Vec::new(), stopped: Some("it is \u{1b}cut".into()) };
        assert_eq!(json(&view), "{\"formats\":[],\"stopped\":\"it is \\u001bcut\"}");
        view.form = Form::Label { format: "java", what: "an object".into(), bytes: Bytes::new() };
        assert!(json(&view).starts_with("{\"formats\":[\"java\"],\"what\":\"an object\","));
    }
}
