//! What is written in the strings of a JSON payload: JSON as a text, and compressed or marked-up data as base64.
//!
//! Envelopes (SNS, EventBridge, outboxes, Celery on SQS) hold their message so. Limits: base64 is recognised by the first
//! bytes of what it stands for ([`ENCODED`] lists them), so that a filter can tell without decoding that a payload has
//! none; at most [`STRINGS`] strings of a payload are looked into, each within [`LIMITS`].

use std::fmt::Write as _;
use std::sync::LazyLock;

use bytes::Bytes;
use regex::bytes::Regex;
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

/// The base64 of gzip, zstd and LZ4, of zlib's four levels, and of JSON and XML, from their first bytes on.
const ENCODED: &str = "(?:H4sI|KLUv|BCJNG|eA[E-H]|eF[4-7]|eJ[w-z]|eN[o-r]|ey[A-DI-L]|ew[o-r]|W3[s-v]|Wy[I-L]|PD94)";

static STARTS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("^{ENCODED}")).ok());
static HOLDS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&format!("\"{ENCODED}")).ok());

/// Whether a string of the JSON, or of JSON in its strings, may be base64 that is looked into.
pub(crate) fn may_hold_encoded(json: &[u8]) -> bool {
    HOLDS.as_ref().is_none_or(|regex| regex.is_match(json))
}

/// What a string holds, where that is more than a text.
pub(crate) fn inside(text: &str) -> Option<View> {
    let trimmed = text.trim_start();
    if trimmed.starts_with(['{', '[']) {
        let json = (values(text.as_bytes()) == Some(1)).then(|| Bytes::copy_from_slice(text.as_bytes()));
        return json.map(|json| View { steps: Vec::new(), form: Form::Json(json), labels: Vec::new(), stopped: None });
    }
    if !STARTS.as_ref().is_some_and(|regex| regex.is_match(text.as_bytes())) {
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
