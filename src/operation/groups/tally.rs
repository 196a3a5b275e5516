//! What is counted for one group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::rate::Rate;
use super::summary::{GroupSummary, OriginCount, Varying};
use crate::message::Message;
use crate::message::failure::{Failure, Origin};
use crate::message::fingerprint::{Group, GroupId, cause_text, mask_into};

/// Different origins that are kept for a group.
const MAX_ORIGINS: usize = 32;
/// Places in a template whose values are kept.
const MAX_SLOTS: usize = 8;
/// Different values that are kept for a place.
const MAX_VALUES: usize = 8;
/// Bytes of a value that are kept.
const MAX_VALUE: usize = 80;
/// Messages of a group whose values are looked at: what varies shows early.
const MAX_LOOKS: u64 = 2_000;

/// Where a message was read, and where it came from.
type Place = (Arc<str>, Option<Origin>);

/// The count of one group.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    group: Group,
    /// Whether the group has a template with slots.
    by_failure: bool,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    rate: Rate,
    origins: BTreeMap<Place, u64>,
    more_origins: u64,
    expires: Option<Timestamp>,
    attempts: Option<(u64, u64)>,
    sample: Option<(Message, Option<Failure>)>,
    varying: Vec<BTreeSet<String>>,
}

impl Tally {
    pub(super) fn new(group: Group, by_failure: bool) -> Self {
        Self {
            group,
            by_failure,
            count: 0,
            first: None,
            last: None,
            rate: Rate::default(),
            origins: BTreeMap::new(),
            more_origins: 0,
            expires: None,
            attempts: None,
            sample: None,
            varying: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, message: &Message, failure: Option<&Failure>, expires: Option<Timestamp>) {
        self.count += 1;
        let died = died(message, failure);
        if let Some(time) = died {
            self.rate.add(time);
        }
        self.first = earlier(self.first, failure.and_then(|failure| failure.first).or(died));
        self.last = self.last.max(died);
        self.expires = earlier(self.expires, expires);
        if let Some(n) = failure.and_then(|failure| failure.attempts) {
            self.attempts = Some(range(self.attempts, (n, n)));
        }
        self.count_origin(
            (Arc::clone(&message.address), failure.and_then(|f| f.origin.as_ref()).map(without_place)),
            1,
        );
        if self.by_failure && self.count <= MAX_LOOKS {
            self.look(failure);
        }
        let better = self
            .sample
            .as_ref()
            .is_none_or(|(sample, failure)| rank(message, died) < rank(sample, self::died(sample, failure.as_ref())));
        if better {
            self.sample = Some((message.clone(), failure.cloned()));
        }
    }

    fn count_origin(&mut self, place: Place, count: u64) {
        if let Some(n) = self.origins.get_mut(&place) {
            *n += count;
        } else if self.origins.len() < MAX_ORIGINS {
            self.origins.insert(place, count);
        } else {
            self.more_origins += count;
        }
    }

    /// Collects the values that the template masks.
    fn look(&mut self, failure: Option<&Failure>) {
        let Some(text) = failure.and_then(cause_text) else { return };
        let varying = &mut self.varying;
        mask_into(text, &mut String::new(), |slot, value| {
            if slot >= MAX_SLOTS {
                return;
            }
            if varying.len() <= slot {
                varying.resize_with(slot + 1, BTreeSet::new);
            }
            if let Some(values) = varying.get_mut(slot)
                && values.len() <= MAX_VALUES
                && !values.contains(value)
            {
                values.insert(value.get(..value.floor_char_boundary(MAX_VALUE)).unwrap_or_default().to_owned());
            }
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.count += other.count;
        self.first = earlier(self.first, other.first);
        self.last = self.last.max(other.last);
        self.rate.merge(&other.rate);
        self.expires = earlier(self.expires, other.expires);
        if let Some(attempts) = other.attempts {
            self.attempts = Some(range(self.attempts, attempts));
        }
        for (place, count) in other.origins {
            self.count_origin(place, count);
        }
        self.more_origins += other.more_origins;
        if self.varying.len() < other.varying.len() {
            self.varying.resize_with(other.varying.len(), BTreeSet::new);
        }
        for (mine, others) in self.varying.iter_mut().zip(other.varying) {
            mine.extend(others);
            while mine.len() > MAX_VALUES + 1 {
                mine.pop_last();
            }
        }
        let key = |sample: &Option<(Message, Option<Failure>)>| {
            sample.as_ref().map(|(message, failure)| {
                let (rank, id) = rank(message, died(message, failure.as_ref()));
                (rank, id.to_owned())
            })
        };
        if other.sample.is_some() && (self.sample.is_none() || key(&other.sample) < key(&self.sample)) {
            self.sample = other.sample;
        }
    }

    /// The summary. `total` is the count of all messages, `ids` all groups, so that no two get the same name.
    pub(super) fn finish(self, total: u64, ids: &[GroupId]) -> GroupSummary {
        let mut origins: Vec<OriginCount> = self
            .origins
            .into_iter()
            .map(|((read_from, origin), count)| OriginCount { read_from, origin, count })
            .collect();
        origins.sort_by_key(|origin| std::cmp::Reverse(origin.count));
        #[expect(clippy::cast_precision_loss, reason = "a share is shown with three digits")]
        let share = self.count as f64 / total as f64;
        let (sample, failure) = self.sample.unzip();
        GroupSummary {
            name: unique_name(self.group.id, ids),
            id: self.group.id,
            title: self.group.title,
            key: self.group.key,
            count: self.count,
            share,
            first: self.first,
            last: self.last,
            rate: self.rate,
            origins,
            more_origins: self.more_origins,
            sample: sample.unwrap_or_default(),
            failure: failure.flatten(),
            expires: self.expires,
            attempts: self.attempts,
            varying: self
                .varying
                .into_iter()
                .enumerate()
                .filter(|(_, values)| values.len() > 1)
                .map(|(slot, values)| Varying {
                    slot,
                    more: values.len() > MAX_VALUES,
                    values: values.into_iter().take(MAX_VALUES).collect(),
                })
                .collect(),
        }
    }
}

/// Six digits, or as many as tell the group from all others.
fn unique_name(id: GroupId, ids: &[GroupId]) -> String {
    let shared = |digits: usize| {
        let name = id.with_digits(digits);
        ids.iter().filter(|other| **other != id).any(|other| other.is_named(&name))
    };
    let digits = if ids.iter().filter(|other| other.0[..3] == id.0[..3]).count() > 1 {
        (7..32).find(|digits| !shared(*digits)).unwrap_or(32)
    } else {
        6
    };
    id.with_digits(digits)
}

/// When a message last died, else when the broker took it in.
fn died(message: &Message, failure: Option<&Failure>) -> Option<Timestamp> {
    failure.and_then(|failure| failure.last.or(failure.first)).or(message.time)
}

fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

fn range(so_far: Option<(u64, u64)>, new: (u64, u64)) -> (u64, u64) {
    so_far.map_or(new, |(low, high)| (low.min(new.0), high.max(new.1)))
}

/// Which message is the sample: the earliest death, then the first id, whatever order they come in.
fn rank(message: &Message, died: Option<Timestamp>) -> (Timestamp, &str) {
    (died.unwrap_or(Timestamp::MAX), &message.id)
}

/// An origin without the place of one record.
fn without_place(origin: &Origin) -> Origin {
    match origin {
        Origin::Topic { topic, .. } => Origin::Topic { topic: topic.clone(), partition: None, offset: None },
        other => other.clone(),
    }
}
