//! A queue whose messages are taken out: RabbitMQ classic and quorum queues, SQS.
//!
//! It only moves messages between ready and held and says which of them died; where the dead go is [`super::state`]'s.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::clock::later;
use super::cost::look_endangers;
use super::profile::Profile;
use super::spec::{Overflow, QueueSpec};
use super::stored::{Dead, DeathReason, Stored};
use crate::message::{Message, Value};

/// How long a reader's lease on an SQS message runs: long enough for a look, short enough after a crash.
pub(super) const LEASE: Duration = Duration::from_mins(2);

/// How long SQS FIFO remembers a deduplication id.
const DEDUP: Duration = Duration::from_mins(5);

/// A place in the line: priority first (0 is the highest), then what a quorum queue has back, then age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    level: u8,
    turn: Turn,
    /// When it came to the line, by count.
    at: u64,
}

/// Before others of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// A quorum queue delivers what came back first, in the order in which it came back.
    Returned(u64),
    Fresh,
}

#[derive(Debug)]
struct Held {
    place: Place,
    stored: Stored,
    owner: u64,
    /// SQS: when it becomes visible again by itself.
    until: Option<Timestamp>,
}

/// The way a message comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// `basic.nack` with requeue; SQS: visibility 0.
    Nack,
    /// The channel or connection went away.
    Lost,
}

/// What a receive asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Want {
    pub(super) max: usize,
    /// Only what stood before this place.
    pub(super) end: u64,
    /// Messages that a look endangers may be put back as copies.
    pub(super) rescue: bool,
}

/// What one receive gave.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) tags: Vec<u64>,
    pub(super) dead: Vec<Dead>,
    /// Messages are there but not to be had: their FIFO group has others in flight.
    pub(super) blocked: bool,
    /// It ends before a quorum queue's message at its limit, which nobody agreed to rescue.
    pub(super) endangered: bool,
    /// Nothing is left to receive, but for what is blocked or endangered.
    pub(super) empty: bool,
}

/// The messages of such a queue.
#[derive(Debug, Default)]
pub(super) struct Line {
    ready: BTreeMap<Place, Stored>,
    held: BTreeMap<u64, Held>,
    next_place: u64,
    returns: u64,
    next_tag: u64,
    /// The soonest that anything expires or a lease ends; `None` for never.
    soonest: Option<Timestamp>,
    /// SQS FIFO: ids seen, when, and the message they named.
    dedup: HashMap<Bytes, (Timestamp, String)>,
}

impl Line {
    pub(super) fn ready(&self) -> impl Iterator<Item = &Stored> {
        self.ready.values()
    }

    pub(super) fn held(&self) -> impl Iterator<Item = &Stored> {
        self.held.values().map(|held| &held.stored)
    }

    pub(super) fn len(&self) -> u64 {
        self.ready.len() as u64
    }

    pub(super) fn in_flight(&self) -> u64 {
        self.held.len() as u64
    }

    /// The end of the line: what comes later stands at it or behind.
    pub(super) fn end(&self) -> u64 {
        self.next_place
    }

    /// Whether anything is ready that stood before `end`.
    pub(super) fn has_before(&self, end: u64) -> bool {
        self.ready.keys().any(|place| place.at < end)
    }

    /// Whether a publish is refused because the line is full.
    pub(super) fn refuses(&self, spec: &QueueSpec) -> bool {
        matches!(spec.max_length, Some((max, Overflow::RejectPublish)) if self.len() >= max)
    }

    /// The message that a deduplication id named within the last five minutes.
    pub(super) fn seen(&self, id: &Bytes, now: Timestamp) -> Option<&str> {
        self.dedup.get(id).filter(|(since, _)| now < later(*since, DEDUP)).map(|(_, id)| id.as_str())
    }

    pub(super) fn remember(&mut self, dedup: Bytes, now: Timestamp, id: String) {
        self.dedup.retain(|_, (since, _)| now < later(*since, DEDUP));
        self.dedup.insert(dedup, (now, id));
    }

    /// Puts a message at the back; what falls off the head is dead.
    pub(super) fn push(&mut self, spec: &QueueSpec, stored: Stored) -> Vec<Dead> {
        let place = self.back(spec, &stored);
        self.hurry(stored.expires);
        self.ready.insert(place, stored);
        self.overflow(spec)
    }

    /// Takes what is wanted for `owner`.
    pub(super) fn receive(&mut self, spec: &QueueSpec, owner: u64, want: Want, now: Timestamp) -> Received {
        let Want { max, end, rescue } = want;
        let fifo = spec.profile == Profile::SqsFifo;
        let leased = fifo || spec.profile == Profile::SqsStandard;
        let busy: HashSet<Option<Bytes>> = if fifo {
            self.held.values().map(|held| held.stored.message.key.clone()).collect()
        } else {
            HashSet::new()
        };
        let mut received = Received::default();
        let mut places = Vec::new();
        for (place, stored) in self.ready.iter().filter(|(place, _)| place.at < end) {
            if fifo && busy.contains(&stored.message.key) {
                received.blocked = true;
            } else if !rescue && !leased && look_endangers(spec, stored) {
                received.endangered = true;
                break;
            } else if places.len() < max {
                places.push(*place);
            } else {
                break;
            }
        }
        received.empty = places.is_empty();
        for place in places {
            let Some(mut stored) = self.ready.remove(&place) else { continue };
            if leased {
                if spec.delivery_limit.is_some_and(|limit| stored.failed >= limit) {
                    received.dead.push(Dead { stored, reason: DeathReason::DeliveryLimit });
                    continue;
                }
                stored.failed += 1;
            }
            let until = leased.then(|| later(now, LEASE));
            self.hurry(until);
            self.held.insert(self.next_tag, Held { place, stored, owner, until });
            received.tags.push(self.next_tag);
            self.next_tag += 1;
        }
        received
    }

    /// The ready messages that pass a test, and their places.
    pub(super) fn places(&self, test: impl Fn(&Stored) -> bool) -> Vec<(Place, Message)> {
        let found = self.ready.iter().filter(|(_, stored)| test(stored));
        found.map(|(place, stored)| (*place, stored.message.clone())).collect()
    }

    /// Removes a ready message of which there is a copy.
    pub(super) fn discard(&mut self, place: Place) {
        self.ready.remove(&place);
    }

    /// A message that `owner` holds.
    pub(super) fn get(&self, tag: u64, owner: u64) -> Option<&Stored> {
        self.held.get(&tag).filter(|held| held.owner == owner).map(|held| &held.stored)
    }

    /// Removes a message that `owner` holds.
    pub(super) fn remove(&mut self, tag: u64, owner: u64) -> Option<Stored> {
        self.get(tag, owner)?;
        self.held.remove(&tag).map(|held| held.stored)
    }

    /// Prolongs the leases of an owner.
    pub(super) fn renew(&mut self, owner: u64, now: Timestamp) {
        for held in self.held.values_mut().filter(|held| held.owner == owner && held.until.is_some()) {
            held.until = Some(later(now, LEASE));
        }
    }

    /// Gives a message back by the rules of the queue's type; what dies of it comes out.
    pub(super) fn give_back(&mut self, spec: &QueueSpec, tag: u64, how: Back) -> Vec<Dead> {
        let Some(Held { mut place, mut stored, .. }) = self.held.remove(&tag) else { return Vec::new() };
        stored.redelivered = true;
        match spec.profile {
            Profile::RabbitQuorum40 => {
                stored.acquired += 1;
                stored.failed += 1;
                if spec.delivery_limit.is_none() && how == Back::Nack {
                    place = self.back(spec, &stored);
                } else {
                    place.turn = self.returned();
                }
            }
            Profile::RabbitQuorum43 => {
                stored.acquired += 1;
                stored.failed += u32::from(how == Back::Lost);
                place.turn = self.returned();
            }
            Profile::SqsStandard => place = self.back(spec, &stored),
            Profile::RabbitClassic | Profile::SqsFifo | Profile::RabbitStream | Profile::Kafka => {}
        }
        if spec.profile.is_quorum() && spec.delivery_limit.is_some_and(|limit| stored.failed > limit) {
            return vec![Dead { stored, reason: DeathReason::DeliveryLimit }];
        }
        self.hurry(stored.expires);
        self.ready.insert(place, stored);
        self.overflow(spec)
    }

    /// The tags that an owner holds, in delivery order.
    pub(super) fn tags_of(&self, owner: u64) -> Vec<u64> {
        self.held.iter().filter(|(_, held)| held.owner == owner).map(|(tag, _)| *tag).collect()
    }

    /// What happens when an owner's connection is gone: RabbitMQ returns at once, SQS when the lease ends.
    pub(super) fn lose(&mut self, spec: &QueueSpec, owner: u64) -> Vec<Dead> {
        if matches!(spec.profile, Profile::SqsStandard | Profile::SqsFifo) {
            return Vec::new();
        }
        self.tags_of(owner).into_iter().flat_map(|tag| self.give_back(spec, tag, Back::Lost)).collect()
    }

    /// Takes the first `count` ready messages out for good.
    pub(super) fn take_first(&mut self, count: usize) -> Vec<Stored> {
        let places: Vec<Place> = self.ready.keys().take(count).copied().collect();
        places.into_iter().filter_map(|place| self.ready.remove(&place)).collect()
    }

    /// Lets time pass: leases end, then what is due expires.
    pub(super) fn tick(&mut self, spec: &QueueSpec, now: Timestamp) -> Vec<Dead> {
        if self.soonest.is_none_or(|soonest| now < soonest) {
            return Vec::new();
        }
        let ended: Vec<u64> = self
            .held
            .iter()
            .filter(|(_, held)| held.until.is_some_and(|until| until <= now))
            .map(|(tag, _)| *tag)
            .collect();
        let mut dead: Vec<Dead> = ended.into_iter().flat_map(|tag| self.give_back(spec, tag, Back::Lost)).collect();
        let due: Vec<Place> =
            self.ready.iter().filter(|(_, s)| s.expires.is_some_and(|at| at <= now)).map(|(place, _)| *place).collect();
        let expired = due.into_iter().filter_map(|place| self.ready.remove(&place));
        dead.extend(expired.map(|stored| Dead { stored, reason: DeathReason::Expired }));
        let leases = self.held.values().filter_map(|held| held.until);
        self.soonest = leases.chain(self.ready.values().filter_map(|stored| stored.expires)).min();
        dead
    }

    fn back(&mut self, spec: &QueueSpec, stored: &Stored) -> Place {
        let priority = stored.message.properties.get("priority").filter(|_| spec.priorities).and_then(Value::as_i64);
        let level = u8::MAX - u8::try_from(priority.unwrap_or(0)).unwrap_or(u8::MAX);
        self.next_place += 1;
        Place { level, turn: Turn::Fresh, at: self.next_place - 1 }
    }

    fn returned(&mut self) -> Turn {
        self.returns += 1;
        Turn::Returned(self.returns)
    }

    fn overflow(&mut self, spec: &QueueSpec) -> Vec<Dead> {
        let Some((max, Overflow::DropHead)) = spec.max_length else { return Vec::new() };
        let mut dead = Vec::new();
        while self.len() > max {
            let Some((_, stored)) = self.ready.pop_first() else { break };
            dead.push(Dead { stored, reason: DeathReason::MaxLength });
        }
        dead
    }

    fn hurry(&mut self, time: Option<Timestamp>) {
        self.soonest = self.soonest.into_iter().chain(time).min();
    }
}
