//! What is told of a group, and its line `postroom.group/1`.
//!
//! Limits: what a profile hides is hidden before.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::change::Change;
use super::rate::Rate;
use super::tally::{Seen, earlier};
use crate::broker::Address;
use crate::broker::archive::home_of;
use crate::message::Message;
use crate::message::failure::{Failure, Origin};
use crate::message::fingerprint::{GroupId, Key, KeyPart};
use crate::message::jsonl::write_line;
use crate::operation::glance::origin_target;

/// One group of messages.
#[derive(Clone, Debug)]
pub struct GroupSummary {
    /// The group's id.
    pub id: GroupId,
    /// The id as people type it: six hex digits, more where another group of this result shares them.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the id is made of, as people may see it.
    pub key: Vec<KeyPart>,
    /// How many messages are in it.
    pub count: u64,
    /// Its share of all messages, from 0 to 1.
    pub share: f64,
    /// The first death of any of them.
    pub first: Option<Timestamp>,
    /// The last death of any of them.
    pub last: Option<Timestamp>,
    /// Deaths over time.
    pub rate: Rate,
    /// Where they were read and came from, most frequent first.
    pub origins: Vec<OriginCount>,
    /// Messages whose origins are beyond what is kept.
    pub more_origins: u64,
    /// One of them: the first that died, as people may see it.
    pub sample: Message,
    /// The sample's failure, as people may see it.
    pub failure: Option<Failure>,
    /// When the first of them vanishes.
    pub expires: Option<Timestamp>,
    /// The least and the most attempts.
    pub attempts: Option<(u64, u64)>,
    /// What differs inside the group: the masked values that are not the same in all.
    pub varying: Vec<Varying>,
    /// What became of it since an earlier look, where there was one to compare with.
    pub change: Option<Change>,
}

/// How many messages of a group came from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginCount {
    /// The address that they were read from.
    pub read_from: Arc<str>,
    /// The address that they were archived from, where an archive says so.
    pub archived_from: Option<Arc<str>>,
    /// Where they came from; `None` where nothing says so.
    pub origin: Option<Origin>,
    /// How many.
    pub count: u64,
}

impl OriginCount {
    /// The origin as an address; `None` where nothing says so, or an archive does not say on which broker.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        let origin = self.origin.as_ref()?;
        let home = home_of(self.archived_from.as_deref(), &self.read_from.parse().ok()?)?;
        Some(home.at(origin_target(origin)))
    }
}

/// A queue that messages were read from, and what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceCount {
    /// The address that they were read from.
    pub address: Arc<str>,
    /// The address that they were archived from, where an archive says so.
    pub archived_from: Option<Arc<str>>,
    /// How many.
    pub messages: u64,
    /// The first death of any of them.
    pub first: Option<Timestamp>,
    /// The last death of any of them.
    pub last: Option<Timestamp>,
    /// When the first of them vanishes.
    pub expires: Option<Timestamp>,
}

impl PlaceCount {
    pub(super) fn first(seen: &Seen<'_>) -> Self {
        let mut place = Self {
            address: Arc::clone(&seen.message.address),
            archived_from: seen.home.cloned(),
            messages: 0,
            first: None,
            last: None,
            expires: None,
        };
        place.count(seen);
        place
    }

    pub(super) fn is(&self, address: &str, archived_from: Option<&Arc<str>>) -> bool {
        *self.address == *address && self.archived_from.as_ref() == archived_from
    }

    pub(super) fn count(&mut self, seen: &Seen<'_>) {
        self.messages += 1;
        self.first = earlier(self.first, seen.first());
        self.last = self.last.max(seen.died);
        self.expires = earlier(self.expires, seen.expires);
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.messages += other.messages;
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        self.expires = earlier(self.expires, other.expires);
    }
}

/// The values that stood in one place of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Varying {
    /// The number of the `*` in the template, from 0.
    pub slot: usize,
    /// Some of the values, sorted.
    pub values: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl GroupSummary {
    /// Whether nothing of what the id is made of is hidden.
    #[must_use]
    pub fn is_shown_as_it_is(&self) -> bool {
        Key::made_of(&self.key).id() == self.id
    }

    /// The line `postroom.group/1`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let origins: Vec<Value> = self
            .origins
            .iter()
            .map(|count| {
                let mut origin = json!({
                    "address": count.address().map(|address| address.to_string()),
                    "read_from": &*count.read_from,
                    "count": count.count,
                });
                if let Some(home) = &count.archived_from {
                    origin["archived_from"] = json!(&**home);
                }
                origin
            })
            .collect();
        let key: Vec<Value> = self.key.iter().map(|part| json!({"name": part.name, "value": part.value})).collect();
        let varying: Vec<Value> = self
            .varying
            .iter()
            .map(|varying| json!({"slot": varying.slot, "values": varying.values, "more": varying.more}))
            .collect();
        let failure = self.failure.as_ref().map(|failure| {
            json!({
                "dialect": failure.dialect,
                "class": failure.class,
                "message": failure.message,
                "outer": failure.outer,
                "frames": failure.frames,
                "consumer": failure.consumer,
            })
        });
        let mut sample = Vec::new();
        write_line(&self.sample, None, &mut sample);
        let sample: Value = serde_json::from_slice(&sample).unwrap_or_default();
        let mut line = json!({
            "schema": "postroom.group/1",
            "id": self.name,
            "title": self.title,
            "count": self.count,
            "share": (self.share * 1000.0).round() / 1000.0,
            "first": self.first.map(|time| time.to_string()),
            "last": self.last.map(|time| time.to_string()),
            "failure": failure,
            "origins": origins,
            "more_origins": self.more_origins,
            "attempts": self.attempts.map(|(least, most)| json!([least, most])),
            "expires": self.expires.map(|time| time.to_string()),
            "rate": self.rate.to_json(),
            "varying": varying,
            "key": key,
            "sample": sample,
        });
        if let Some(change) = self.change {
            line["change"] = change.to_json();
        }
        line
    }

    /// The group as it is when all of its messages are gone.
    pub(super) fn emptied(mut self) -> Self {
        (self.count, self.share, self.rate, self.expires) = (0, 0.0, Rate::default(), None);
        self.origins.clear();
        self.more_origins = 0;
        self
    }
}
