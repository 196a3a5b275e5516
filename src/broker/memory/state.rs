//! The queues and exchanges of a memory broker, and what moves between them: publishing, routing, dying.

use std::collections::{BTreeMap, HashSet, VecDeque};

use bytes::Bytes;
use jiff::Timestamp;

use super::conform;
use super::cost::look_endangers;
use super::death;
use super::line::{Line, Received, Want};
use super::log::Log;
use super::profile::{Product, Profile};
use super::spec::{ExchangeSpec, QueueSpec};
use super::stored::{Dead, DeathReason, Stored};
use crate::broker::Receipt;
use crate::error::{Error, ErrorKind, Result};
use crate::message::hash::hash;
use crate::message::{Digest, Message};

/// A queue's messages.
#[derive(Debug)]
pub(super) enum Store {
    Line(Line),
    Log(Log),
}

/// A queue.
#[derive(Debug)]
pub(super) struct Queue {
    pub(super) spec: QueueSpec,
    pub(super) store: Store,
}

/// A message that no queue holds any more, though nobody removed it.
#[derive(Clone, Debug)]
pub struct Destroyed {
    /// The queue it was in.
    pub queue: String,
    /// Why.
    pub reason: DeathReason,
    /// What it was.
    pub message: Message,
}

/// What became of a publish.
#[derive(Debug)]
pub(super) enum Taken {
    Stored(Receipt),
    /// SQS FIFO: accepted and dropped, since its deduplication id was seen within five minutes.
    Duplicate(Receipt),
}

/// How a message is sent.
#[derive(Clone, Debug)]
pub(super) struct Route {
    /// The exchange; empty for straight to a queue.
    pub(super) exchange: String,
    /// The queue or routing key; `None` keeps the message's own key.
    pub(super) key: Option<String>,
    pub(super) partition: Option<i32>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) queues: BTreeMap<String, Queue>,
    pub(super) exchanges: BTreeMap<String, ExchangeSpec>,
    pub(super) destroyed: Vec<Destroyed>,
    /// Connections that are open: readers and publishers.
    live: HashSet<u64>,
    next_owner: u64,
    ids: u64,
    seed: u64,
}

impl State {
    pub(super) fn new(queues: Vec<QueueSpec>, exchanges: Vec<ExchangeSpec>, seed: u64) -> Self {
        Self {
            queues: queues.into_iter().map(|spec| (spec.name.clone(), Queue::new(spec))).collect(),
            exchanges: exchanges.into_iter().map(|exchange| (exchange.name.clone(), exchange)).collect(),
            destroyed: Vec::new(),
            live: HashSet::new(),
            next_owner: 0,
            ids: 0,
            seed,
        }
    }

    pub(super) fn create(&mut self, spec: QueueSpec) {
        self.queues.insert(spec.name.clone(), Queue::new(spec));
    }

    /// A queue with everything due done.
    ///
    /// # Errors
    /// `NotFound`.
    pub(super) fn queue(&mut self, name: &str, now: Timestamp) -> Result<&mut Queue> {
        if let Some(queue) = self.queues.get_mut(name) {
            let dead = match &mut queue.store {
                Store::Line(line) => line.tick(&queue.spec, now),
                Store::Log(log) => log.tick(now),
            };
            self.bury(name, dead, now);
        }
        self.queues.get_mut(name).ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("queue {name:?} does not exist"))
                .hint("`postroom queues` lists them")
        })
    }

    /// Opens a connection.
    pub(super) fn connect(&mut self) -> u64 {
        self.next_owner += 1;
        self.live.insert(self.next_owner);
        self.next_owner
    }

    /// Whether a connection is still open.
    ///
    /// # Errors
    /// `Unreachable` where it was lost.
    pub(super) fn alive(&self, owner: u64) -> Result<()> {
        if self.live.contains(&owner) { Ok(()) } else { Err(lost()) }
    }

    /// Closes a connection without a word: what it held comes back as the queue's rules say.
    pub(super) fn lose(&mut self, owner: u64, now: Timestamp) {
        if !self.live.remove(&owner) {
            return;
        }
        let names: Vec<String> = self.queues.keys().cloned().collect();
        for name in names {
            if let Some(Queue { spec, store: Store::Line(line) }) = self.queues.get_mut(&name) {
                let dead = line.lose(spec, owner);
                self.bury(&name, dead, now);
            }
        }
    }

    /// Closes every connection.
    pub(super) fn lose_all(&mut self, now: Timestamp) {
        let owners: Vec<u64> = self.live.iter().copied().collect();
        for owner in owners {
            self.lose(owner, now);
        }
    }

    /// Receives for a reader, and buries what died of it.
    pub(super) fn receive(&mut self, queue: &str, owner: u64, want: Want, now: Timestamp) -> Result<Received> {
        let Queue { spec, store } = self.queue(queue, now)?;
        let Store::Line(line) = store else { return Ok(Received::default()) };
        let mut received = line.receive(spec, owner, want, now);
        let dead = std::mem::take(&mut received.dead);
        self.bury(queue, dead, now);
        Ok(received)
    }

    /// How many ready messages of a quorum queue are in danger while they are held.
    pub(super) fn endangered(&mut self, queue: &str, now: Timestamp) -> Result<u64> {
        let Queue { spec, store: Store::Line(line) } = self.queue(queue, now)? else { return Ok(0) };
        let endangered =
            if spec.profile.is_quorum() { line.places(|stored| look_endangers(spec, stored)).len() } else { 0 };
        Ok(endangered as u64)
    }

    /// Puts every ready message of a quorum queue that is in danger while it is held back at the tail as a copy, and
    /// says how many.
    ///
    /// # Errors
    /// Why the queue does not take a copy; then that message stays where it is.
    pub(super) fn rescue_ready(&mut self, queue: &str, now: Timestamp) -> Result<u64> {
        let Queue { spec, store: Store::Line(line) } = self.queue(queue, now)? else { return Ok(0) };
        if !spec.profile.is_quorum() {
            return Ok(0);
        }
        let endangered = line.places(|stored| look_endangers(spec, stored));
        let count = endangered.len() as u64;
        for (place, copy) in endangered {
            let copy = renewed(&copy, queue);
            let route = Route { exchange: String::new(), key: Some(queue.to_owned()), partition: None };
            self.publish(&route, copy, now)?;
            if let Store::Line(line) = &mut self.queue(queue, now)?.store {
                line.discard(place);
            }
        }
        Ok(count)
    }

    /// Puts a message that is held back at the tail as a copy with its counters at zero, then removes it.
    ///
    /// # Errors
    /// Why the queue does not take the copy; then the message is still held.
    pub(super) fn rescue(&mut self, queue: &str, owner: u64, tag: u64, now: Timestamp) -> Result<()> {
        let Store::Line(line) = &self.queue(queue, now)?.store else { return Ok(()) };
        let Some(copy) = line.get(tag, owner).map(|stored| renewed(&stored.message, queue)) else { return Ok(()) };
        self.publish(&Route { exchange: String::new(), key: Some(queue.to_owned()), partition: None }, copy, now)?;
        if let Store::Line(line) = &mut self.queue(queue, now)?.store {
            line.remove(tag, owner);
        }
        Ok(())
    }

    /// Takes a message in.
    ///
    /// # Errors
    /// `NotFound` for a missing queue or exchange, `Rejected` for what the broker refuses.
    pub(super) fn publish(&mut self, route: &Route, message: Message, now: Timestamp) -> Result<Taken> {
        if route.exchange.is_empty() {
            let key = route.key.clone().unwrap_or_default();
            return self.insert(&key, Stored::new(message, "", now), route.partition, now);
        }
        if !self.exchanges.contains_key(&route.exchange) {
            return Err(Error::new(ErrorKind::NotFound, format!("exchange {:?} does not exist", route.exchange)));
        }
        let message = match &route.key {
            Some(key) => Message { key: Some(Bytes::from(key.clone())), ..message },
            None => message,
        };
        let queues = self.routed(&route.exchange, &message);
        if queues.is_empty() {
            let key = String::from_utf8_lossy(message.key.as_deref().unwrap_or_default()).into_owned();
            let why = format!("exchange {:?} routes the key {key:?} to no queue", route.exchange);
            return Err(Error::new(ErrorKind::Rejected, why).hint("bind a queue for this key, or replay to a queue"));
        }
        // A queue that refuses makes the broker nack the whole publish, though others have it.
        let mut refusal = None;
        for queue in queues {
            let stored = Stored::new(message.clone(), &route.exchange, now);
            refusal = self.insert(&queue, stored, None, now).err().or(refusal);
        }
        refusal.map_or_else(|| Ok(Taken::Stored(Receipt::default())), Err)
    }

    /// Lets messages die in a queue: they go where the queue's dead letters go, or are destroyed.
    pub(super) fn bury(&mut self, queue: &str, dead: Vec<Dead>, now: Timestamp) {
        let mut work: VecDeque<(String, Dead)> = dead.into_iter().map(|dead| (queue.to_owned(), dead)).collect();
        while let Some((from, dead)) = work.pop_front() {
            let reason = dead.reason;
            let message = dead.stored.message.clone();
            if let Some(more) = self.dead_letter(&from, dead, now) {
                work.extend(more);
            } else {
                self.destroyed.push(Destroyed { queue: from, reason, message });
            }
        }
    }

    /// Sends a dead message on; what dies of that comes back. `None` where nothing took it.
    fn dead_letter(&mut self, from: &str, dead: Dead, now: Timestamp) -> Option<Vec<(String, Dead)>> {
        let spec = self.queues.get(from)?.spec.clone();
        let letter = spec.dead_letter.as_ref()?;
        let mut more = Vec::new();
        if spec.profile.product() == Product::Sqs {
            if dead.reason == DeathReason::Expired {
                return None;
            }
            let target = letter.routing_key.as_deref()?;
            let mut stored = dead.stored;
            stored.source = Some(from.to_owned());
            return self.arrive(target, stored, now, &mut more).then_some(more);
        }
        let mut stored = death::record(dead, from, now);
        if let Some(key) = &letter.routing_key {
            stored.message.key = Some(Bytes::from(key.clone()));
        }
        stored.exchange.clone_from(&letter.exchange);
        let mut taken = false;
        for target in self.routed(&letter.exchange, &stored.message) {
            if !death::is_idle_cycle(&stored, &target) {
                taken |= self.arrive(&target, stored.clone(), now, &mut more);
            }
        }
        taken.then_some(more)
    }

    /// Puts a dead message into its target; `false` where that is missing or full.
    fn arrive(&mut self, target: &str, mut stored: Stored, now: Timestamp, more: &mut Vec<(String, Dead)>) -> bool {
        let Some(Queue { spec, store }) = self.queues.get_mut(target) else { return false };
        let dead = match store {
            Store::Line(line) if line.refuses(spec) => return false,
            Store::Line(line) => {
                stored.enter(spec, None, now);
                line.push(spec, stored)
            }
            Store::Log(log) => log.push(spec, stored, None, now).map(|(_, dead)| dead).unwrap_or_default(),
        };
        more.extend(dead.into_iter().map(|dead| (target.to_owned(), dead)));
        true
    }

    /// The queues that an exchange gives a message to, or its alternates where it has none.
    fn routed(&self, exchange: &str, message: &Message) -> Vec<String> {
        let key = message.key.as_deref().unwrap_or_default();
        if exchange.is_empty() {
            let name = std::str::from_utf8(key).ok().filter(|name| self.queues.contains_key(*name));
            return name.map(ToOwned::to_owned).into_iter().collect();
        }
        let mut at = self.exchanges.get(exchange);
        // Alternates may form a ring; nobody passes more exchanges than there are.
        for _ in 0..self.exchanges.len() {
            let Some(here) = at else { break };
            let found = here.route(key).into_iter().filter(|queue| self.queues.contains_key(*queue));
            let found: Vec<String> = found.map(ToOwned::to_owned).collect();
            if !found.is_empty() {
                return found;
            }
            at = here.alternate.as_ref().and_then(|name| self.exchanges.get(name));
        }
        Vec::new()
    }

    fn insert(&mut self, name: &str, mut stored: Stored, partition: Option<i32>, now: Timestamp) -> Result<Taken> {
        self.ids += 1;
        let id = message_id(self.seed, self.ids);
        let Queue { spec, store } = self.queue(name, now)?;
        conform::check(spec, &stored.message)?;
        if stored.exchange.is_empty() && spec.profile.product() == Product::Rabbit {
            stored.message.key = Some(Bytes::from(name.to_owned()));
        }
        let (receipt, dead) = match store {
            Store::Log(log) => log.push(spec, stored, partition, now).ok_or_else(|| {
                Error::new(ErrorKind::NotFound, format!("{name:?} has no partition {}", partition.unwrap_or_default()))
            })?,
            Store::Line(line) => {
                if line.refuses(spec) {
                    let why = format!("queue {name:?} is full and refuses messages (overflow reject-publish)");
                    return Err(Error::new(ErrorKind::Rejected, why).hint("drain it or raise its max-length"));
                }
                if spec.profile.product() == Product::Sqs {
                    if let Some(earlier) = deduplicate(line, spec, &stored.message, &id, now) {
                        return Ok(Taken::Duplicate(Receipt { position: None, id: Some(earlier) }));
                    }
                    stored.message.id = id;
                }
                stored.enter(spec, None, now);
                (stored.receipt(spec.profile), line.push(spec, stored))
            }
        };
        self.bury(name, dead, now);
        Ok(Taken::Stored(receipt))
    }
}

impl Queue {
    fn new(spec: QueueSpec) -> Self {
        let store = if spec.profile.is_log() { Store::Log(Log::new(&spec)) } else { Store::Line(Line::default()) };
        Self { spec, store }
    }

    /// What is in it without being held, oldest first.
    pub(super) fn ready(&self) -> Box<dyn Iterator<Item = &Stored> + '_> {
        match &self.store {
            Store::Line(line) => Box::new(line.ready()),
            Store::Log(log) => Box::new(log.records()),
        }
    }

    /// How many are ready.
    pub(super) fn len(&self) -> u64 {
        match &self.store {
            Store::Line(line) => line.len(),
            Store::Log(log) => log.len(),
        }
    }
}

/// The error of every call on a connection that was lost.
pub(super) fn lost() -> Error {
    Error::new(ErrorKind::Unreachable, "the connection was lost")
        .hint("connect again; what was held is back in its queue")
}

/// Notes the deduplication id of a FIFO send; the id of the earlier message where there was one.
fn deduplicate(line: &mut Line, spec: &QueueSpec, message: &Message, id: &str, now: Timestamp) -> Option<String> {
    if spec.profile != Profile::SqsFifo {
        return None;
    }
    let own = message.properties.get_str("message_deduplication_id");
    let dedup = own.map_or_else(|| Bytes::copy_from_slice(&hash(message.body())), |own| Bytes::from(own.to_owned()));
    if let Some(earlier) = line.seen(&dedup, now) {
        return Some(earlier.to_owned());
    }
    line.remember(dedup, now, id.to_owned());
    None
}

/// The id of the n-th message: looks like a UUID, is the same in every run with the seed.
fn message_id(seed: u64, n: u64) -> String {
    let hex = Digest(hash(&[seed.to_be_bytes(), n.to_be_bytes()].concat())).to_string();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}

/// The copy that a rescue makes: the routing key of what is sent to a queue itself is the queue's name.
fn renewed(message: &Message, queue: &str) -> Message {
    Message { key: Some(Bytes::from(queue.to_owned())), ..message.clone() }
}
