//! Which messages died of the same cause, how many, since when and where.
//!
//! A [`Groups`] is fed with messages one by one and keeps a tally for each group: memory grows with the number of
//! groups, never of messages. Workers each keep their own and merge them at the end; the result does not depend on the
//! order. Limits: pure, no I/O; origins and varying values are kept up to a bound for each group and counted beyond it.

mod rate;
mod summary;
mod tally;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use rate::{MAX_BUCKETS, Rate};
pub use summary::{GroupSummary, OriginCount, Varying};

use crate::error::Result;
use crate::message::Message;
use crate::message::failure::{Failure, detect};
use crate::message::filter::{Candidate, Pick};
use crate::message::fingerprint::{GroupId, Key, Rules, declared_type, shape};
use tally::Tally;

/// What messages are grouped by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum By {
    /// The cause: what [`crate::message::fingerprint`] makes of it.
    #[default]
    Failure,
    /// The failure's class or code.
    Class,
    /// Where it came from.
    Origin,
    /// The type that the message declares, else its shape.
    Type,
    /// The keys of its JSON.
    Shape,
    /// Any field of the filter language.
    Field(Pick),
}

impl By {
    /// Reads `failure`, `class`, `origin`, `type`, `shape` or the name of a field.
    ///
    /// # Errors
    /// `Usage`, where it is none of them.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "failure" => Self::Failure,
            "class" => Self::Class,
            "origin" => Self::Origin,
            "type" => Self::Type,
            "shape" => Self::Shape,
            field => Self::Field(Pick::parse(field).map_err(|error| {
                error.hint("group by failure, class, origin, type, shape, or a field such as header.tenant")
            })?),
        })
    }

    /// The key of a message.
    fn key(&self, message: &Message, failure: Option<&Failure>, rules: &Rules) -> Key {
        let (name, value) = match self {
            Self::Failure => return Key::of(message, failure, rules),
            Self::Class => ("class", failure.and_then(|failure| failure.class.clone())),
            Self::Origin => ("origin", failure.and_then(|failure| failure.origin.as_ref()).map(summary::origin_text)),
            Self::Type => ("type", declared_type(message).map(str::to_owned).or_else(|| Some(shape(message)))),
            Self::Shape => ("shape", Some(shape(message))),
            Self::Field(field) => ("field", field.value(&Candidate::new(message).with_failure(failure))),
        };
        match value {
            Some(value) => Key::one(name, value),
            None => Key::one("without", format!("without {name}")),
        }
    }
}

/// The groups of the messages so far.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by: By,
    rules: Arc<Rules>,
    total: u64,
    tallies: HashMap<GroupId, Tally>,
}

impl Groups {
    /// No groups yet.
    #[must_use]
    pub fn new(by: By, rules: Arc<Rules>) -> Self {
        Self { by, rules, total: 0, tallies: HashMap::new() }
    }

    /// Takes one message.
    pub fn add(&mut self, message: &Message) {
        self.add_known(message, detect(message).as_ref(), None);
    }

    /// Takes one message whose failure is known (`None` is "it has none"), and the time at which its queue drops it.
    pub fn add_known(&mut self, message: &Message, failure: Option<&Failure>, expires: Option<Timestamp>) {
        self.total += 1;
        let key = self.by.key(message, failure, &self.rules);
        let by_failure = self.by == By::Failure;
        self.tallies
            .entry(key.id())
            .or_insert_with(|| Tally::new(key.into_group(&self.rules), by_failure))
            .add(message, failure, expires);
    }

    /// Adds the groups of another worker, which must have been made by the same key and rules.
    pub fn merge(&mut self, other: Self) {
        self.total += other.total;
        for (id, tally) in other.tallies {
            match self.tallies.get_mut(&id) {
                Some(mine) => mine.merge(tally),
                None => _ = self.tallies.insert(id, tally),
            }
        }
    }

    /// How many messages were taken.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many groups there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tallies.len()
    }

    /// Whether nothing was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    /// The groups, largest first, then by title and id.
    #[must_use]
    pub fn finish(self) -> Vec<GroupSummary> {
        let total = self.total.max(1);
        let ids: Vec<GroupId> = self.tallies.keys().copied().collect();
        let mut groups: Vec<GroupSummary> = self.tallies.into_values().map(|tally| tally.finish(total, &ids)).collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.title.cmp(&b.title)).then_with(|| a.id.cmp(&b.id)));
        groups
    }
}

#[cfg(test)]
mod tests;
