//! The incident report: what broke, since when, how many, where, one sample of each cause, and what was done about it.
//!
//! It is made of groups that were gathered and of this user's journals, and is a page of Markdown or one JSON object:
//!
//! | field of `postroom.incident/1` | holds |
//! |---|---|
//! | `created` | when it was written |
//! | `addresses` | what was looked at |
//! | `messages`, `first`, `last`, `expires` | how many, the first and the last death, when the first of them vanishes |
//! | `rate` | deaths over time: `{start, step_s, counts}` |
//! | `places` | `[{address, archived_from, messages, first, last, expires}]`: each queue, and for archives the queue before |
//! | `groups` | the causes, each a `postroom.group/1` |
//! | `actions` | the runs on these queues, each a `postroom.journal/1`, the oldest first |
//! | `older_actions` | how many runs ended up before the incident |
//! | `notes` | why there may be more than was seen |
//!
//! What a profile hides is hidden in it. Limits: runs of other people and of other machines are not known here.

mod markdown;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::groups::{Gather, GroupSummary, PlaceCount, Rate};
use super::journal::{Journals, Summary};
use super::select::group_names;
use crate::broker::{Address, Connection};
use crate::error::Result;
use crate::message::fingerprint::Rules;

/// The schema's name.
pub const SCHEMA: &str = "postroom.incident/1";

/// Runs that began earlier than this before the first death that is still there belong to something else. Not less: the
/// first dead may have been replayed since.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// An incident.
#[derive(Clone, Debug)]
pub struct Incident {
    /// When the report was made.
    pub created: Timestamp,
    /// What was looked at.
    pub addresses: Vec<Address>,
    /// How many messages were seen.
    pub messages: u64,
    /// The causes, largest first.
    pub groups: Vec<GroupSummary>,
    /// Where they are.
    pub places: Vec<PlaceCount>,
    /// What was done about it, the oldest first.
    pub actions: Vec<Summary>,
    /// Runs on the same queues from before it.
    pub older_actions: u64,
    /// Why there may be more than was seen.
    pub notes: Vec<String>,
    /// By whose schemas samples are shown.
    rules: Arc<Rules>,
}

impl Incident {
    /// What was gathered from some queues, at `created`.
    #[must_use]
    pub fn new(addresses: &[Address], gather: Gather, notes: Vec<String>, created: Timestamp) -> Self {
        Self {
            created,
            addresses: addresses.to_vec(),
            rules: Arc::clone(gather.rules()),
            messages: gather.total(),
            places: gather.places().to_vec(),
            groups: gather.finish(),
            actions: Vec::new(),
            older_actions: 0,
            notes,
        }
    }

    /// Adds what was done about it: the runs whose source is one of the queues, or one that an archive was made from.
    ///
    /// # Errors
    /// `Io` where the journals can't be read. One that is damaged is a note.
    pub fn acted(&mut self, journals: &Journals) -> Result<()> {
        let (runs, faults) = journals.list()?;
        self.notes.extend(faults.iter().map(|fault| format!("a journal can't be read: {fault}")));
        let archived = self.places.iter().filter_map(|place| place.archived_from.as_deref()).map(str::parse::<Address>);
        let mut sources: Vec<String> = self.addresses.iter().map(source_of).collect();
        sources.extend(archived.filter_map(Result::ok).map(|address| source_of(&address)));
        let begins = self.first().and_then(|first| first.checked_sub(BEFORE).ok());
        for run in runs.into_iter().rev() {
            if !run.source.parse::<Address>().is_ok_and(|source| sources.contains(&source_of(&source))) {
                continue;
            }
            if begins.is_some_and(|begins| run.started < begins) {
                self.older_actions += 1;
            } else {
                self.actions.push(run);
            }
        }
        Ok(())
    }

    /// The groups that are not gone.
    fn there(&self) -> impl Iterator<Item = &GroupSummary> {
        self.groups.iter().filter(|group| group.count > 0)
    }

    /// The first death of any message.
    #[must_use]
    pub fn first(&self) -> Option<Timestamp> {
        self.there().filter_map(|group| group.first).min()
    }

    /// The last death of any message.
    #[must_use]
    pub fn last(&self) -> Option<Timestamp> {
        self.there().filter_map(|group| group.last).max()
    }

    /// When the first of the messages vanishes.
    #[must_use]
    pub fn expires(&self) -> Option<Timestamp> {
        self.there().filter_map(|group| group.expires).min()
    }

    /// Deaths over time.
    #[must_use]
    pub fn rate(&self) -> Rate {
        self.groups.iter().fold(Rate::default(), |mut rate, group| {
            rate.merge(&group.rate);
            rate
        })
    }

    /// What was done about one group: runs that named it.
    pub fn actions_on<'a>(&'a self, group: &'a GroupSummary) -> impl Iterator<Item = &'a Summary> {
        self.actions.iter().filter(|run| {
            let names = run.group.as_deref().and_then(|text| group_names(text).ok()).unwrap_or_default();
            names.iter().any(|name| group.id.is_named(name))
        })
    }

    /// The object `postroom.incident/1`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
        let place = |place: &PlaceCount| {
            json!({
                "address": &*place.address,
                "archived_from": place.archived_from.as_deref(),
                "messages": place.messages,
                "first": time(place.first),
                "last": time(place.last),
                "expires": time(place.expires),
            })
        };
        json!({
            "schema": SCHEMA,
            "created": self.created.to_string(),
            "addresses": self.addresses.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "messages": self.messages,
            "first": time(self.first()),
            "last": time(self.last()),
            "expires": time(self.expires()),
            "rate": self.rate().to_json(),
            "places": self.places.iter().map(place).collect::<Vec<_>>(),
            "groups": self.groups.iter().map(GroupSummary::to_json).collect::<Vec<_>>(),
            "actions": self.actions.iter().map(|run| serde_json::to_value(run).unwrap_or_default()).collect::<Vec<_>>(),
            "older_actions": self.older_actions,
            "notes": self.notes,
        })
    }
}

/// An address as it is compared with others: a file by its place on the disk.
fn source_of(address: &Address) -> String {
    let path = match (&address.connection, &address.target) {
        (Connection::File, Some(target)) => target.queue_name().and_then(|path| std::fs::canonicalize(path).ok()),
        _ => None,
    };
    path.map_or_else(|| address.to_string(), |path| format!("file:{}", path.display()))
}

#[cfg(test)]
mod tests;
