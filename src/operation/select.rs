//! Which messages an engine acts on: a filter, one or more groups, or both.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::filter::{Candidate, Filter, Prefilter};
use crate::message::fingerprint::{Rules, WrittenRules};

type Matches = Arc<dyn Fn(&Message) -> bool + Send + Sync>;

/// A condition on messages, with the texts it was made from (for plans and journals) and its byte-level part.
#[derive(Clone, Default)]
pub struct Selection {
    filter: Option<String>,
    group: Option<String>,
    rules: Option<WrittenRules>,
    ages_from: Option<Timestamp>,
    prefilter: Option<Prefilter>,
    conditions: Vec<Matches>,
}

impl Selection {
    /// Every message.
    #[must_use]
    pub fn all() -> Self {
        Self::default()
    }

    /// What a filter and a group say, as typed, both of which may be missing; of several groups with commas between
    /// them, a message is in any. Ages are counted from `now`, and groups are those of the operator's `rules`.
    ///
    /// # Errors
    /// `Usage` for a bad expression, with a caret under the spot, and for what can't be a group's name.
    pub fn parse(filter: Option<&str>, group: Option<&str>, now: Timestamp, rules: &Arc<Rules>) -> Result<Self> {
        let rules_decide = filter.is_some() || group.is_some();
        let written = rules_decide.then(|| rules.written());
        let mut selection = Self { rules: written, ages_from: filter.is_some().then_some(now), ..Self::all() };
        if let Some(text) = filter {
            let filter = Filter::parse(text, now)?;
            let prefilter = filter.prefilter().with_schemas(rules.schemas());
            let rules = Arc::clone(rules);
            selection = selection.filter(text, Some(prefilter), move |message| {
                filter.matches(&Candidate::new(message).with_rules(&rules))
            });
        }
        if let Some(text) = group {
            let names = group_names(text)?;
            let rules = Arc::clone(rules);
            selection = selection.group(text, move |message| {
                let id = Candidate::new(message).with_rules(&rules).group();
                names.iter().any(|name| id.is_named(name))
            });
        }
        Ok(selection)
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

    /// Only messages of the group with this id, or of any of several, with commas between them.
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

    /// The time that ages in its filter are counted from.
    #[must_use]
    pub fn ages_from(&self) -> Option<Timestamp> {
        self.ages_from
    }

    /// The rules by which its filter and its group were read.
    #[must_use]
    pub fn written_rules(&self) -> Option<&WrittenRules> {
        self.rules.as_ref()
    }

    /// The group's id; those of several with commas between them.
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

/// The names of groups in a text that names them with commas between, lower case.
///
/// # Errors
/// `Usage` for what can't be a group's name.
pub fn group_names(text: &str) -> Result<Vec<String>> {
    let name = |id: &str| {
        let digits = id.strip_prefix("g-").unwrap_or(id);
        if digits.len() < 6 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
            return Err(Error::new(ErrorKind::Usage, format!("{id:?} is not the name of a group"))
                .hint("`postroom groups ADDRESS` names them: g- and six hex digits or more"));
        }
        Ok(id.to_lowercase())
    };
    text.split(',').map(|id| name(id.trim())).collect()
}

/// Groups as people read them: `group g-5f3a9c`, or `groups g-5f3a9c, g-cb3631`, each name as `shown`.
#[must_use]
pub fn told_groups(text: &str, shown: impl Fn(&str) -> String) -> String {
    let names: Vec<String> = text.split(',').map(|name| shown(name.trim())).collect();
    format!("{} {}", if names.len() == 1 { "group" } else { "groups" }, names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_any_of_several_groups_is_taken_and_no_other() {
        let message = |reason: &str| Message {
            headers: [("x-exception-message", reason), ("x-original-topic", "orders")].into_iter().collect(),
            ..Message::default()
        };
        let messages = ["card declined", "connection refused", "no such tenant"].map(message);
        let rules = Arc::default();
        let [one, two, _] = messages.each_ref().map(|message| Candidate::new(message).group().to_string());
        let taken = |group: &str| {
            let selection = Selection::parse(None, Some(group), Timestamp::UNIX_EPOCH, &rules).unwrap();
            messages.each_ref().map(|message| selection.matches(message))
        };
        assert_eq!(taken(&one), [true, false, false]);
        assert_eq!(taken(&format!("{one}, {}", two.to_uppercase().replace("G-", "g-"))), [true, true, false]);
        for bad in ["", "g-12", "g-123456,", "g-123456 g-123457"] {
            assert!(Selection::parse(None, Some(bad), Timestamp::UNIX_EPOCH, &rules).is_err(), "{bad:?}");
        }
        assert_eq!(told_groups("g-123456,g-abcdef", str::to_owned), "groups g-123456, g-abcdef");
    }
}
