//! What is counted for one group.
//!
//! Limits: what a group keeps of origins and varying values is what came first in the order of messages; a part that a
//! worker fills keeps all of its origins, so that a merge decides which those are.

use std::sync::Arc;

use jiff::Timestamp;

use super::rate::Rate;
use super::summary::{GroupSummary, OriginCount, Varying};
use crate::message::Message;
use crate::message::failure::{Failure, Origin, detect};
use crate::message::fingerprint::{GroupId, KeyPart, cause_text, mask_into};
use crate::operation::masks::Masks;

/// Different origins that are kept for a group.
const MAX_ORIGINS: usize = 32;
/// Places in a template whose values are kept.
const MAX_SLOTS: usize = 8;
/// Different values that are told of a place.
const MAX_VALUES: usize = 8;
/// Bytes of a value that are kept.
const MAX_VALUE: usize = 80;
/// Messages of a group whose values are looked at in each part, at most: what varies shows early.
const MAX_LOOKS: u64 = 16;

/// A message, and what is known of it.
pub(super) struct Seen<'a> {
    pub(super) message: &'a Message,
    pub(super) failure: Option<&'a Failure>,
    /// The address that it was archived from.
    pub(super) home: Option<&'a Arc<str>>,
    /// When it last died.
    pub(super) died: Option<Timestamp>,
    /// When its queue drops it.
    pub(super) expires: Option<Timestamp>,
}

impl Seen<'_> {
    /// When it first died.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.failure.and_then(|failure| failure.first).or(self.died)
    }
}

/// One of a group's messages, as it is, and through which masks it is shown.
#[derive(Clone, Debug)]
struct Sample {
    message: Message,
    failure: Option<Failure>,
    died: Option<Timestamp>,
    masks: Arc<Masks>,
}

/// The count of one group.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    id: GroupId,
    /// Whether the group has a template with slots.
    by_failure: bool,
    count: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    rate: Rate,
    /// In the order met.
    origins: Vec<OriginCount>,
    more_origins: u64,
    expires: Option<Timestamp>,
    attempts: Option<(u64, u64)>,
    sample: Option<Sample>,
    /// The first values of each slot, in the order met: one more than are told.
    varying: Vec<Vec<String>>,
}

impl Tally {
    pub(super) fn new(id: GroupId, by_failure: bool) -> Self {
        Self {
            id,
            by_failure,
            count: 0,
            first: None,
            last: None,
            rate: Rate::default(),
            origins: Vec::new(),
            more_origins: 0,
            expires: None,
            attempts: None,
            sample: None,
            varying: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, seen: &Seen<'_>, masks: &Arc<Masks>) {
        let Seen { message, failure, died, .. } = *seen;
        self.count += 1;
        if let Some(time) = died {
            self.rate.add(time);
        }
        self.first = earlier(self.first, seen.first());
        self.last = self.last.max(died);
        self.expires = earlier(self.expires, seen.expires);
        if let Some(n) = failure.and_then(|failure| failure.attempts) {
            self.attempts = Some(range(self.attempts, (n, n)));
        }
        self.count_origin(seen);
        if self.by_failure && self.count <= MAX_LOOKS && !self.has_seen_enough() {
            match masks.shown(message) {
                None => self.look(message, failure),
                Some(shown) => self.look(&shown, detect(&shown).as_ref()),
            }
        }
        let better = self.sample.as_ref().is_none_or(|sample| rank(message, died) < rank(&sample.message, sample.died));
        if better {
            let (message, failure, masks) = (message.clone(), failure.cloned(), Arc::clone(masks));
            self.sample = Some(Sample { message, failure, died, masks });
        }
    }

    fn count_origin(&mut self, seen: &Seen<'_>) {
        let origin = seen.failure.and_then(|failure| failure.origin.as_ref());
        let known = self.origins.iter_mut().find(|known| {
            *known.read_from == *seen.message.address
                && known.archived_from.as_ref() == seen.home
                && same_place(known.origin.as_ref(), origin)
        });
        match known {
            Some(known) => known.count += 1,
            None => self.origins.push(OriginCount {
                read_from: Arc::clone(&seen.message.address),
                archived_from: seen.home.cloned(),
                origin: origin.map(without_place),
                count: 1,
            }),
        }
    }

    /// Whether more different values than are told were seen in every place of the template.
    fn has_seen_enough(&self) -> bool {
        !self.varying.is_empty() && self.varying.iter().all(|values| values.len() > MAX_VALUES)
    }

    /// Collects the values that the template masks.
    fn look(&mut self, message: &Message, failure: Option<&Failure>) {
        let Some(text) = failure.and_then(|failure| cause_text(message, failure)) else { return };
        let varying = &mut self.varying;
        mask_into(&text, &mut String::new(), |slot, value| {
            if slot < MAX_SLOTS {
                if varying.len() <= slot {
                    varying.resize_with(slot + 1, Vec::new);
                }
                if let Some(values) = varying.get_mut(slot) {
                    keep(values, value.get(..value.floor_char_boundary(MAX_VALUE)).unwrap_or_default());
                }
            }
        });
    }

    /// This tally, with no more origins than are kept.
    pub(super) fn bounded(mut self) -> Self {
        let beyond = self.origins.len().min(MAX_ORIGINS);
        self.more_origins += self.origins.drain(beyond..).map(|origin| origin.count).sum::<u64>();
        self
    }

    /// Adds a part, whose messages come behind these.
    pub(super) fn merge(&mut self, part: Self) {
        self.count += part.count;
        self.first = earlier(self.first, part.first);
        self.last = self.last.max(part.last);
        self.rate.merge(&part.rate);
        self.expires = earlier(self.expires, part.expires);
        if let Some(attempts) = part.attempts {
            self.attempts = Some(range(self.attempts, attempts));
        }
        for origin in part.origins {
            let same = |mine: &&mut OriginCount| {
                (&mine.read_from, &mine.archived_from, &mine.origin)
                    == (&origin.read_from, &origin.archived_from, &origin.origin)
            };
            let has_room = self.origins.len() < MAX_ORIGINS;
            match self.origins.iter_mut().find(same) {
                Some(mine) => mine.count += origin.count,
                None if has_room => self.origins.push(origin),
                None => self.more_origins += origin.count,
            }
        }
        self.more_origins += part.more_origins;
        if self.varying.len() < part.varying.len() {
            self.varying.resize_with(part.varying.len(), Vec::new);
        }
        for (mine, others) in self.varying.iter_mut().zip(&part.varying) {
            for value in others {
                keep(mine, value);
            }
        }
        let rank = |sample: &Sample| (sample.died.unwrap_or(Timestamp::MAX), sample.message.id.clone());
        if let Some(theirs) = part.sample
            && self.sample.as_ref().is_none_or(|mine| rank(&theirs) < rank(mine))
        {
            self.sample = Some(theirs);
        }
    }

    /// The summary. `total` is the count of all messages, `ids` all groups, so that no two get the same name; `titled`
    /// gives title and key of what people may see of a message.
    pub(super) fn finish(
        self,
        total: u64,
        ids: &[GroupId],
        titled: impl Fn(&Message, Option<&Failure>, GroupId) -> (String, Vec<KeyPart>),
    ) -> GroupSummary {
        let tally = self.bounded();
        let mut origins = tally.origins;
        origins.sort_by_key(|origin| std::cmp::Reverse(origin.count));
        #[expect(clippy::cast_precision_loss, reason = "a share is shown with three digits")]
        let share = tally.count as f64 / total as f64;
        let (sample, failure) = match tally.sample {
            None => (Message::default(), None),
            Some(sample) => match sample.masks.shown(&sample.message) {
                None => (sample.message, sample.failure),
                Some(shown) => {
                    let failure = detect(&shown);
                    (shown, failure)
                }
            },
        };
        let (title, key) = titled(&sample, failure.as_ref(), tally.id);
        let varying = tally.varying.into_iter().enumerate().filter(|(_, values)| values.len() > 1);
        GroupSummary {
            name: unique_name(tally.id, ids),
            id: tally.id,
            title,
            key,
            count: tally.count,
            share,
            first: tally.first,
            last: tally.last,
            rate: tally.rate,
            origins,
            more_origins: tally.more_origins,
            sample,
            failure,
            expires: tally.expires,
            attempts: tally.attempts,
            change: None,
            varying: varying
                .map(|(slot, mut values)| {
                    let more = values.len() > MAX_VALUES;
                    values.truncate(MAX_VALUES);
                    values.sort_unstable();
                    Varying { slot, values, more }
                })
                .collect(),
        }
    }
}

/// Keeps a value that is new, as long as there is room.
fn keep(values: &mut Vec<String>, value: &str) {
    if values.len() <= MAX_VALUES && !values.iter().any(|known| known == value) {
        values.push(value.to_owned());
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
pub(super) fn died(message: &Message, failure: Option<&Failure>) -> Option<Timestamp> {
    failure.and_then(|failure| failure.last.or(failure.first)).or(message.time)
}

pub(super) fn earlier(a: Option<Timestamp>, b: Option<Timestamp>) -> Option<Timestamp> {
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

/// Whether an origin is the one that [`without_place`] made of it.
fn same_place(known: Option<&Origin>, origin: Option<&Origin>) -> bool {
    match (known, origin) {
        (Some(Origin::Topic { topic: known, .. }), Some(Origin::Topic { topic, .. })) => known == topic,
        (known, origin) => known == origin,
    }
}
