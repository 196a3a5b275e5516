//! What is told of a group, and its line `postroom.group/1`.
//!
//! Limits: addresses and the sample's line are the caller's: this room knows neither profiles nor redaction.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::rate::Rate;
use crate::message::Message;
use crate::message::failure::{Failure, Origin};
use crate::message::fingerprint::{GroupId, KeyPart};

/// One group of messages.
#[derive(Clone, Debug)]
pub struct GroupSummary {
    /// The group's id.
    pub id: GroupId,
    /// The id as people type it: six hex digits, more where another group of this result shares them.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What the id is made of.
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
    /// One of them: the first that died.
    pub sample: Message,
    /// The sample's failure.
    pub failure: Option<Failure>,
    /// When the first of them vanishes.
    pub expires: Option<Timestamp>,
    /// The least and the most attempts.
    pub attempts: Option<(u64, u64)>,
    /// What differs inside the group: the masked values that are not the same in all.
    pub varying: Vec<Varying>,
}

/// How many messages of a group came from one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginCount {
    /// The address that they were read from.
    pub read_from: Arc<str>,
    /// Where they came from; `None` where nothing says so.
    pub origin: Option<Origin>,
    /// How many.
    pub count: u64,
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

/// An origin as its own broker names it.
pub(super) fn origin_text(origin: &Origin) -> String {
    match origin {
        Origin::Queue(name) | Origin::Topic { topic: name, .. } => name.clone(),
        Origin::Exchange { exchange, routing_key } => format!("{exchange}/{routing_key}"),
    }
}

impl GroupSummary {
    /// The line `postroom.group/1`. `address` writes an origin as an address of the broker that it was read from;
    /// `sample` is the sample's message line, redacted where the profile asks for it.
    #[must_use]
    pub fn to_json(&self, address: impl Fn(&str, &Origin) -> String, sample: &Value) -> Value {
        let origins: Vec<Value> = self
            .origins
            .iter()
            .map(|count| {
                let origin = count.origin.as_ref().map(|origin| address(&count.read_from, origin));
                json!({"address": origin, "read_from": &*count.read_from, "count": count.count})
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
        json!({
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
            "rate": {
                "start": self.rate.start().map(|time| time.to_string()),
                "step_s": self.rate.step(),
                "counts": self.rate.counts().collect::<Vec<_>>(),
            },
            "varying": varying,
            "key": key,
            "sample": sample,
        })
    }
}
