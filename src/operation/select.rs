//! Which messages an engine acts on: a filter, a group, or both.

use std::fmt;
use std::sync::Arc;

use crate::message::Message;
use crate::message::filter::Prefilter;

type Matches = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

/// A condition on messages, with the texts it was made from (for plans and journals) and its byte-level part.
#[derive(Clone, Default)]
pub struct Selection {
    filter: Option<String>,
    group: Option<String>,
    prefilter: Option<Prefilter>,
    conditions: Vec<Matches>,
}

impl Selection {
    /// Every message.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// Only messages that `matches`; `text` is the filter as typed, `prefilter` its necessary condition on raw bytes.
    #[must_use]
    pub fn filter(
        mut self,
        text: impl Into<String>,
        prefilter: Option<Prefilter>,
        matches: impl Fn(&Message) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.filter = Some(text.into());
        self.prefilter = prefilter.filter(|prefilter| !prefilter.is_pass_all());
        self.conditions.push(Arc::new(matches));
        self
    }

    /// Only messages of the group with this id.
    #[must_use]
    pub fn group(mut self, id: impl Into<String>, matches: impl Fn(&Message) -> bool + Send + Sync + 'static) -> Self {
        self.group = Some(id.into());
        self.conditions.push(Arc::new(matches));
        self
    }

    /// Whether it takes every message.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether it takes this one.
    #[must_use]
    pub fn matches(&self, message: &Message) -> bool {
        self.conditions.iter().all(|condition| condition(message))
    }

    /// The byte-level condition for a reader.
    #[must_use]
    pub fn prefilter(&self) -> Option<Prefilter> {
        self.prefilter.clone()
    }

    /// The filter as typed.
    #[must_use]
    pub fn filter_text(&self) -> Option<&str> {
        self.filter.as_deref()
    }

    /// The group's id.
    #[must_use]
    pub fn group_id(&self) -> Option<&str> {
        self.group.as_deref()
    }
}

impl fmt::Debug for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Selection").field("filter", &self.filter).field("group", &self.group).finish_non_exhaustive()
    }
}
