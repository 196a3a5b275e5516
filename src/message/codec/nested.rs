//! What is written in the strings of a JSON payload: JSON as a text, and compressed or marked-up data as base64.
//!
//! Envelopes (SNS, EventBridge, outboxes, Celery on SQS) hold their message so. Limits: base64 is recognised by the first
//! bytes of what it stands for ([`ENCODED`] lists them), so that a filter can tell without decoding that a payload has
//! none; at most [`STRINGS`] strings of a payload are looked into, each within [`LIMITS`].

use std::fmt::Write as _;
use std::sync::LazyLock;

use aho_corasick::packed::Searcher;
use bytes::Bytes;
use serde_json::Value;

use super::decode::{decode, values};
use super::hints::Hints;
use super::view::{Form, Limits, View};
use crate::message::path::Step;

/// Strings of one payload that are looked into at most.
pub(crate) const STRINGS: usize = 64;
/// How far each is decoded.
const LIMITS: Limits = Limits { depth: 4, bytes: 1 << 20, ratio: 1000 };
/// Lists and objects within each other in which strings are looked for.
const DEPTH: usize = 12;

/// The base64 of gzip, zstd and LZ4, of zlib's four levels, and of JSON and XML, from their first bytes on: how it begins,
/// and the letters of which one follows.
const ENCODED: [(&str, &str); 12] = [
    ("H4s", "I"),
    ("KLU", "v"),
    ("BCJN", "G"),
    ("eA", "EFGH"),
    ("eF", "4567"),
    ("eJ", "wxyz"),
    ("eN", "opqr"),
    ("ey", "ABCDIJKL"),
    ("ew", "opqr"),
    ("W3", "stuv"),
    ("Wy", "IJKL"),
    ("PD9", "4"),
];

/// All of them behind a quote, looked for at once where the processor can: each line of an archive is asked.
static HOLDS: LazyLock<Option<Searcher>> = LazyLock::new(|| {
    let starts = ENCODED.iter().flat_map(|(head, next)| next.chars().map(move |next| format!("\"{head}{next}")));
    Searcher::new(starts)
});

/// Whether a string of the JSON, or of JSON in its strings, may be base64 that is looked into.
pub(crate) fn may_hold_encoded(json: &[u8]) -> bool {
    HOLDS.as_ref().map_or_else(|| holds_encoded(json), |searcher| searcher.find(json).is_some())
}

/// The same, quote by quote.
fn holds_encoded(json: &[u8]) -> bool {
    memchr::memchr_iter(b'"', json).any(|quote| json.get(quote + 1..).is_some_and(begins_encoded))
}

/// Whether a text begins as such base64 does.
fn begins_encoded(text: &[u8]) -> bool {
    ENCODED.iter().any(|(head, next)| {
        let letter = text.strip_prefix(head.as_bytes()).and_then(<[u8]>::first);
        letter.is_some_and(|letter| next.as_bytes().contains(letter))
    })
}

/// What a string holds, where that is more than a text.
pub(crate) fn inside(text: &str) -> Option<View> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) {
        let json = (values(text.as_bytes()) == Some(1)).then(|| Bytes::copy_from_slice(text.as_bytes()));
        return json.map(|json| View { steps: Vec::new(), form: Form::Json(json), labels: Vec::new(), stopped: None });
    }
    if !begins_encoded(text.as_bytes()) {
        return None;
    }
    let view = decode(&Bytes::copy_from_slice(text.as_bytes()), &Hints::default(), &LIMITS);
    // A word that happens to begin so is decoded to nothing.
    (!view.steps.is_empty()).then_some(view)
}

/// Everything that strings of a payload hold, with the paths to them.
#[must_use]
pub fn nested(view: &View) -> Vec<(String, View)> {
    let mut search = Search { found: Vec::new(), looked: 0 };
    let json = view.form.json().map(|json| &json[..]).unwrap_or_default();
    for value in serde_json::Deserializer::from_slice(json).into_iter::<Value>().map_while(Result::ok) {
        search.look(&value, &mut "body".to_owned(), 0);
    }
    search.found
}

struct Search {
    found: Vec<(String, View)>,
    looked: usize,
}

impl Search {
    fn look(&mut self, json: &Value, path: &mut String, depth: usize) {
        if depth > DEPTH || self.looked >= STRINGS {
            return;
        }
        let length = path.len();
        match json {
            Value::String(text) => {
                let Some(view) = inside(text) else { return };
                self.looked += 1;
                let inner = view.form.json().and_then(|json| serde_json::from_slice::<Value>(json).ok());
                self.found.push((path.clone(), view));
                if let Some(inner) = inner {
                    self.look(&inner, path, depth + 1);
                }
            }
            Value::Array(elements) => {
                for (at, element) in elements.iter().enumerate() {
                    _ = write!(path, "{}", Step::Index(at));
                    self.look(element, path, depth + 1);
                    path.truncate(length);
                }
            }
            Value::Object(members) => {
                for (name, member) in members {
                    _ = write!(path, "{}", Step::Name(name.clone()));
                    self.look(member, path, depth + 1);
                    path.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_encoded_is_found_at_once_as_quote_by_quote() {
        let found = |json: &str| {
            let told = holds_encoded(json.as_bytes());
            assert_eq!(may_hold_encoded(json.as_bytes()), told, "{json}");
            told
        };
        for (head, next) in ENCODED {
            for letter in ' '..='~' {
                let padding = "-".repeat(usize::from(letter as u8) % 40);
                let json = format!("{{\"a\":\"{padding}\",\"b\":\"{head}{letter}{padding}\"}}");
                assert_eq!(found(&json), next.contains(letter), "{json}");
                assert!(!found(&format!("{{\"b\":\"-{head}{letter}{padding}\"}}")));
            }
        }
        for short in ["", "\"", "\"H4sI", "\"H4s", "H4sI\"", "\"key\":\"eyeless\""] {
            assert_eq!(found(short), short == "\"H4sI", "{short}");
        }
    }
}
