//! A message that filters are asked about, with what they need derived once and only when it is needed.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::datum::Datum;
use super::extract::any_in_json;
use super::path::Path;
use crate::message::Message;
use crate::message::codec::{is_plain, unescape};
use crate::message::failure::{self, Failure};
use crate::message::fingerprint::{GroupId, fingerprint};

/// A message, and what was derived from it so far.
#[derive(Debug)]
pub struct Candidate<'a> {
    message: &'a Message,
    failure: OnceCell<Option<Cow<'a, Failure>>>,
    group: OnceCell<GroupId>,
    unescaped: OnceCell<Option<String>>,
}

impl<'a> Candidate<'a> {
    /// A message of which nothing is derived yet.
    #[must_use]
    pub fn new(message: &'a Message) -> Self {
        Self { message, failure: OnceCell::new(), group: OnceCell::new(), unescaped: OnceCell::new() }
    }

    /// With its failure, where somebody knows it already; `None` is "it has none".
    #[must_use]
    pub fn with_failure(mut self, failure: Option<&'a Failure>) -> Self {
        self.failure = OnceCell::from(failure.map(Cow::Borrowed));
        self
    }

    /// With its group, where somebody knows it already.
    #[must_use]
    pub fn with_group(mut self, group: GroupId) -> Self {
        self.group = OnceCell::from(group);
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
        *self.group.get_or_init(|| fingerprint(self.message, self.failure()).id)
    }

    /// The payload's text in its decoded form, where that differs from the raw bytes.
    pub(super) fn decoded_text(&self) -> Option<&[u8]> {
        let text = self.unescaped.get_or_init(|| {
            let payload = self.message.body();
            (memchr::memchr(b'\\', payload).is_some() && is_plain(payload)).then(|| unescape(payload)).flatten()
        });
        text.as_ref().map(String::as_bytes)
    }

    /// The names of the formats that the payload is in.
    pub(super) fn formats(&self) -> impl Iterator<Item = &'static str> {
        let payload = self.message.body();
        let json = || serde_json::from_slice::<serde::de::IgnoredAny>(payload).is_ok();
        let name = match &self.message.payload {
            None => None,
            Some(_) if json() => Some("json"),
            Some(_) if is_plain(payload) => Some("text"),
            Some(_) => Some("binary"),
        };
        name.into_iter()
    }

    /// Whether `test` accepts a value at that path of the payload.
    pub(super) fn any_in_body(&self, path: &Path, test: &mut dyn FnMut(&Datum<'_>) -> bool) -> bool {
        any_in_json(self.message.body(), &path.0, test)
    }
}
