//! Which messages died of the same cause, how many, since when and where.
//!
//! A [`Groups`] is fed with messages one by one and keeps a tally for each group: memory grows with the number of
//! groups, never of messages. Workers each keep their own, and parts that are merged in the order of their messages
//! make what one worker would have made. [`Gather`] does that over whole queues and archives. What a profile hides is
//! hidden in everything that comes out; a group's id is always that of the cause as it is, so that masked and unmasked
//! views name one group alike. Limits: origins and varying values are kept up to a bound for each group and counted
//! beyond it.

mod change;
mod gather;
mod rate;
mod summary;
mod tally;

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

pub use change::Change;
pub use gather::{Gather, total_change};
pub use rate::{MAX_BUCKETS, Rate};
pub use summary::{GroupSummary, OriginCount, PlaceCount, Varying};

use super::masks::Masks;
use crate::broker::archive::SOURCE_ADDRESS;
use crate::error::Result;
use crate::message::Message;
use crate::message::failure::{Failure, Origin, detect};
use crate::message::filter::{Candidate, Pick};
use crate::message::fingerprint::{GroupId, Key, Rules, declared_type, shape};
use tally::{Seen, Tally};

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
            Self::Origin => ("origin", failure.and_then(|failure| failure.origin.as_ref()).map(origin_text)),
            Self::Type => ("type", declared_type(message).map(Cow::into_owned).or_else(|| Some(shape(message)))),
            Self::Shape => ("shape", Some(shape(message))),
            Self::Field(field) => {
                ("field", field.value(&Candidate::new(message).with_failure(failure).with_rules(rules)))
            }
        };
        match (value, self) {
            (Some(value), _) => Key::one(name, &value),
            (None, Self::Field(field)) => Key::one("without", &format!("without {}", field.name())),
            (None, _) => Key::one("without", &format!("without {name}")),
        }
    }
}

/// An origin as its own broker names it.
fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Queue(name) | Origin::Topic { topic: name, .. } => name.clone(),
        Origin::Exchange { exchange, routing_key } => format!("{exchange}/{routing_key}"),
    }
}

/// The groups of the messages so far.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    by: By,
    rules: Arc<Rules>,
    masks: Arc<Masks>,
    total: u64,
    tallies: HashMap<GroupId, Tally>,
    places: Vec<PlaceCount>,
    /// Where the last message was archived from: the next one mostly comes from there, too.
    home: Option<Arc<str>>,
}

impl Groups {
    /// No groups yet.
    #[must_use]
    pub fn new(by: By, rules: Arc<Rules>) -> Self {
        Self { by, rules, ..Self::default() }
    }

    /// The messages that come next are shown through these masks.
    pub fn seen_through(&mut self, masks: Arc<Masks>) {
        self.masks = masks;
    }

    /// No messages yet, by the same key, rules and masks: a part for a worker.
    #[must_use]
    pub fn part(&self) -> Self {
        Self { masks: Arc::clone(&self.masks), ..Self::new(self.by.clone(), Arc::clone(&self.rules)) }
    }

    /// Takes one message and says which group it is in.
    pub fn add(&mut self, message: &Message) -> GroupId {
        self.add_known(message, detect(message).as_ref(), None)
    }

    /// Takes one message whose failure is known (`None` is "it has none"), and the time at which its queue drops it.
    pub fn add_known(&mut self, message: &Message, failure: Option<&Failure>, expires: Option<Timestamp>) -> GroupId {
        self.total += 1;
        let home = self.home_of(message);
        let seen = Seen { message, failure, home: home.as_ref(), died: tally::died(message, failure), expires };
        match self.places.iter_mut().find(|place| place.is(&message.address, home.as_ref())) {
            Some(place) => place.count(&seen),
            None => self.places.push(PlaceCount::first(&seen)),
        }
        let id = self.by.key(message, failure, &self.rules).id();
        let by_failure = self.by == By::Failure;
        self.tallies.entry(id).or_insert_with(|| Tally::new(id, by_failure)).add(&seen, &self.masks);
        id
    }

    /// Where a message was archived from.
    fn home_of(&mut self, message: &Message) -> Option<Arc<str>> {
        let home = message.metadata.get_str(SOURCE_ADDRESS)?;
        if self.home.as_deref() != Some(home) {
            self.home = Some(home.into());
        }
        self.home.clone()
    }

    /// Adds a part, whose messages come behind those so far.
    pub fn merge(&mut self, part: Self) {
        self.total += part.total;
        for place in part.places {
            match self.places.iter_mut().find(|mine| mine.is(&place.address, place.archived_from.as_ref())) {
                Some(mine) => mine.merge(&place),
                None => self.places.push(place),
            }
        }
        for (id, tally) in part.tallies {
            match self.tallies.get_mut(&id) {
                Some(mine) => mine.merge(tally),
                None => _ = self.tallies.insert(id, tally.bounded()),
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

    /// The queues that the messages were read from and, for archived ones, archived from, in the order met.
    #[must_use]
    pub fn places(&self) -> &[PlaceCount] {
        &self.places
    }

    /// The groups, largest first, then by title and id.
    #[must_use]
    pub fn finish(self) -> Vec<GroupSummary> {
        let Self { by, rules, total, tallies, .. } = self;
        let ids: Vec<GroupId> = tallies.keys().copied().collect();
        let titled = |message: &Message, failure: Option<&Failure>, id: GroupId| {
            let mut group = by.key(message, failure, &rules).into_group(&rules);
            // Where something is hidden, the key is of what is left; the id and the name for it are the cause's own.
            if let Some(title) = rules.title(id) {
                title.clone_into(&mut group.title);
            }
            (group.title, group.key)
        };
        let mut groups: Vec<GroupSummary> =
            tallies.into_values().map(|tally| tally.finish(total.max(1), &ids, titled)).collect();
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.title.cmp(&b.title)).then_with(|| a.id.cmp(&b.id)));
        groups
    }
}

#[cfg(test)]
mod tests;
