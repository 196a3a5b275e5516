//! The operator's rules for grouping: mask this, key on that, name this group; and by which schemas payloads are read.
//!
//! A plain value: whoever reads the configuration builds it. Limits: a rule changes the ids of the groups it touches,
//! so that people who share ids share rules.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;
use serde::{Deserialize, Serialize};

use super::GroupId;
use crate::error::{Error, ErrorKind, Result};
use crate::message::codec::Schemas;
use crate::message::filter::Pick;

/// Memory that one compiled mask may take.
const MAX_REGEX: usize = 1 << 20;

/// Rules for grouping; the default has none.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    masks: Vec<Regex>,
    pub(super) keys: Vec<KeyRule>,
    names: Vec<(String, String)>,
    schemas: Option<Arc<dyn Schemas>>,
    named: NamedSchemas,
}

/// Schemas that were named for this run, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedSchemas {
    /// `[QUEUE=]FILE[#TYPE]`, paths absolute.
    #[serde(rename = "schema", skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// A registry's URL, without a password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

impl NamedSchemas {
    /// Whether none were.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.registry.is_none()
    }
}

/// What decides which messages a group or a filter takes, for plans and journals: a run that goes on later, when the
/// configuration says something else, takes the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenRules {
    /// Patterns that are masked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mask: Vec<String>,
    /// Fields that make groups alone.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<String>,
    /// Fields that part each cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub split: Vec<String>,
    /// Schemas that were named for the run.
    #[serde(flatten)]
    pub schemas: NamedSchemas,
}

impl WrittenRules {
    /// The rules again, with neither names nor schemas.
    ///
    /// # Errors
    /// `Config` for a pattern, `Usage` for a field that can't be read: nobody wrote them down so.
    pub fn read(&self) -> Result<Rules> {
        let masked = self.mask.iter().try_fold(Rules::default(), |rules, pattern| rules.mask(pattern))?;
        let keyed =
            self.key.iter().try_fold(masked, |rules, field| Pick::parse(field).map(|field| rules.key(field)))?;
        self.split.iter().try_fold(keyed, |rules, field| Pick::parse(field).map(|field| rules.split(field)))
    }
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

    /// Reads payloads by these schemas, where fields of theirs are asked for.
    #[must_use]
    pub fn read_by(mut self, schemas: Arc<dyn Schemas>) -> Self {
        self.schemas = Some(schemas);
        self
    }

    /// Notes which of the schemas were named for this run.
    #[must_use]
    pub fn naming(self, named: NamedSchemas) -> Self {
        Self { named, ..self }
    }

    /// What of them decides which messages a group or a filter takes.
    #[must_use]
    pub fn written(&self) -> WrittenRules {
        let fields = |with_cause: bool| {
            let keys = self.keys.iter().filter(move |key| key.with_cause == with_cause);
            keys.map(|key| key.field.name().to_owned()).collect()
        };
        let mask = self.masks.iter().map(|mask| mask.as_str().to_owned()).collect();
        WrittenRules { mask, key: fields(false), split: fields(true), schemas: self.named.clone() }
    }

    /// Who has schemas for payloads.
    #[must_use]
    pub fn schemas(&self) -> Option<&dyn Schemas> {
        self.schemas.as_deref()
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
