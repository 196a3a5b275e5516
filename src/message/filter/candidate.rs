//! A message that filters are asked about, with what they need derived once and only when it is needed.

use std::borrow::Cow;
use std::cell::OnceCell;

use bytes::Bytes;
use memchr::memmem;

use super::datum::Datum;
use super::extract::any_in_json;
use crate::message::Message;
use crate::message::codec::{self, Form, Schemas, View, is_plain, unescape};
use crate::message::failure::{self, Failure};
use crate::message::fingerprint::{GroupId, Key, Rules};
use crate::message::path::Path;

/// A message, and what was derived from it so far.
#[derive(Debug)]
pub struct Candidate<'a> {
    message: &'a Message,
    rules: Option<&'a Rules>,
    failure: OnceCell<Option<Cow<'a, Failure>>>,
    group: OnceCell<GroupId>,
    view: OnceCell<View>,
    key: OnceCell<Option<View>>,
    text: OnceCell<Option<Bytes>>,
    inside: OnceCell<Vec<Bytes>>,
}

/// The text that people would look for in what was decoded: in JSON without its escapes.
fn readable(form: &Form) -> Option<Bytes> {
    let unescaped = form.json().filter(|json| json.contains(&b'\\')).and_then(|json| unescape(json));
    unescaped.map(Bytes::from).or_else(|| form.text().map(|text| Bytes::copy_from_slice(text.as_bytes())))
}

impl<'a> Candidate<'a> {
    /// A message of which nothing is derived yet.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        Self {
            message,
            rules: None,
            failure: OnceCell::new(),
            group: OnceCell::new(),
            view: OnceCell::new(),
            key: OnceCell::new(),
            text: OnceCell::new(),
            inside: OnceCell::new(),
        }
    }

    /// With its failure, where somebody knows it already; `None` is "it has none".
    #[must_use]
    pub fn with_failure(mut self, failure: Option<&'a Failure>) -> Self {
        self.failure = OnceCell::from(failure.map(Cow::Borrowed));
        self
    }

    /// With the operator's rules; without them a group is what the fingerprint alone says, and payloads have no schemas.
    #[must_use]
    pub fn with_rules(mut self, rules: &'a Rules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// The message.
    #[must_use]
    pub fn message(&self) -> &'a Message {
        self.message
    }

    /// Why it died.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.get_or_init(|| failure::detect(self.message).map(Cow::Owned)).as_deref()
    }

    /// The group of its failure.
    pub fn group(&self) -> GroupId {
        *self.group.get_or_init(|| match self.rules {
            Some(rules) => Key::of(self.message, self.failure(), rules).id(),
            None => Key::of(self.message, self.failure(), &Rules::default()).id(),
        })
    }

    fn schemas(&self) -> Option<&'a dyn Schemas> {
        self.rules.and_then(Rules::schemas)
    }

    /// The payload's decoded form.
    pub fn view(&self) -> &View {
        self.view.get_or_init(|| codec::view(self.message, self.schemas()))
    }

    /// The key's decoded form, where a schema reads it.
    pub(super) fn key_view(&self) -> Option<&View> {
        self.key.get_or_init(|| codec::key_view(self.message, self.schemas())).as_ref()
    }

    /// Whether `test` accepts what a schema makes of the key: a value, or all of a record as text.
    pub(super) fn any_in_key(&self, test: &mut dyn FnMut(&Datum<'_>) -> bool) -> bool {
        let Some(form) = self.key_view().map(|view| &view.form) else { return false };
        match form.json() {
            Some(json) if !matches!(json.first(), Some(b'{' | b'[')) => any_in_json(json, &[], test),
            _ => readable(form).is_some_and(|text| test(&Datum::Text(Cow::Borrowed(&text)))),
        }
    }

    /// The payload's text in its decoded form, where that can differ from the raw bytes.
    pub(super) fn decoded_text(&self) -> Option<&[u8]> {
        let text = self.text.get_or_init(|| {
            let payload = self.message.body();
            if is_plain(payload, self.schemas().is_some()) && memchr::memchr(b'\\', payload).is_none() {
                return None;
            }
            readable(&self.view().form)
        });
        text.as_deref()
    }

    /// The texts that strings of the payload hold: JSON within JSON, what base64 stands for.
    pub(super) fn texts_inside(&self) -> &[Bytes] {
        self.inside.get_or_init(|| {
            let payload = self.message.body();
            // Text is told by its first bytes to hold nothing, and JSON in a string has escapes of escapes where its
            // text is not seen from outside.
            let plain = is_plain(payload, self.schemas().is_some());
            let packed = |json: &[u8]| codec::may_hold_encoded(json) || memmem::find(json, b"\\\\").is_some();
            if plain && !packed(payload) || !self.view().form.json().is_some_and(|json| packed(json)) {
                return Vec::new();
            }
            codec::nested(self.view()).iter().filter_map(|(_, view)| readable(&view.form)).collect()
        })
    }

    /// Whether `test` accepts a value at that path of the payload. Plain JSON is read without decoding it first.
    pub(super) fn any_in_body(&self, path: &Path, test: &mut dyn FnMut(&Datum<'_>) -> bool) -> bool {
        let payload = self.message.body();
        let json = if is_plain(payload, self.schemas().is_some()) {
            Some(payload)
        } else {
            self.view().form.json().map(|json| &json[..])
        };
        json.is_some_and(|json| any_in_json(json, &path.0, test))
    }
}
