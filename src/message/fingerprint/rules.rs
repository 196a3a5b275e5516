//! The operator's rules for grouping: mask this, key on that, name this group.
//!
//! A plain value: whoever reads the configuration builds it. Limits: a rule changes the ids of the groups it touches,
//! so that people who share ids share rules.

use std::borrow::Cow;

use regex::Regex;

use super::GroupId;
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::Pick;

/// Memory that one compiled mask may take.
const MAX_REGEX: usize = 1 << 20;

/// Rules for grouping; the default has none.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    masks: Vec<Regex>,
    pub(super) keys: Vec<KeyRule>,
    names: Vec<(String, String)>,
}

/// A field whose value makes groups.
#[derive(Clone, Debug)]
pub(super) struct KeyRule {
    pub(super) field: Pick,
    /// Whether the cause still counts, so that the field parts what the cause holds together.
    pub(super) with_cause: bool,
}

impl Rules {
    /// Masks what matches the pattern, before everything else.
    ///
    /// # Errors
    /// `Config`, where the pattern is no regular expression or too large.
    pub fn mask(mut self, pattern: &str) -> Result<Self> {
        let mask = regex::RegexBuilder::new(pattern).size_limit(MAX_REGEX).build().map_err(|error| {
            Error::new(ErrorKind::Config, format!("the mask {pattern:?} is no regular expression"))
                .hint("write it in Rust's regex syntax, without look-around and back references")
                .because(error)
        })?;
        self.masks.push(mask);
        Ok(self)
    }

    /// Groups messages that have this field by its value, whatever they died of.
    #[must_use]
    pub fn key(mut self, field: Pick) -> Self {
        self.keys.push(KeyRule { field, with_cause: false });
        self
    }

    /// Parts each cause by the value of this field.
    #[must_use]
    pub fn split(mut self, field: Pick) -> Self {
        self.keys.push(KeyRule { field, with_cause: true });
        self
    }

    /// Gives a group a title; `id` is any of its names (`g-` and six hex digits or more).
    #[must_use]
    pub fn name(mut self, id: impl Into<String>, title: impl Into<String>) -> Self {
        self.names.push((id.into(), title.into()));
        self
    }

    /// The title that the operator gave a group.
    #[must_use]
    pub fn title(&self, id: GroupId) -> Option<&str> {
        self.names.iter().find(|(name, _)| id.is_named(name)).map(|(_, title)| title.as_str())
    }

    /// The text with the operator's masks applied.
    pub(super) fn masked<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.masks.iter().fold(Cow::Borrowed(text), |text, mask| match mask.replace_all(&text, "*") {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => Cow::Owned(masked),
        })
    }
}
