//! What a replay does to the order of messages that belong together, as far as that can be known before it.
//!
//! Two things break it: an older message of the same key stays in the source while a newer one goes, and a newer one stands
//! in the target already. The first is seen by the scan that names the messages. The second is seen only in a target that
//! keeps what was consumed (a log), from where the oldest of them once stood; anywhere else what was consumed is gone, and
//! that is said. Limits: so many records of a target are looked at ([`MOST`]); copies that a replay made are passed over.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;

use jiff::Timestamp;

use super::browse::{self, BrowseRequest, FnSink};
use super::control::Control;
use super::course::{Key, Keys};
use super::place::Place;
use super::plan::Check;
use super::replay::headers;
use crate::broker::{Delivery, Extent, From, Log};
use crate::error::Result;
use crate::message::Message;
use crate::message::failure::{Origin, detect};
use crate::text::human;

/// Records of a target that are looked at.
const MOST: u64 = 200_000;

/// Where the oldest message of a key that is going to be sent once stood.
#[derive(Clone, Copy, Debug)]
struct Stood {
    time: Option<Timestamp>,
    /// Its partition and its offset in its origin, where it says so.
    at: Option<(i32, u64)>,
}

/// The keys of a plan.
#[derive(Debug)]
pub(super) struct Order {
    keys: Keys,
    /// By key, and how many messages of it are sent.
    sent: HashMap<Key, (Stood, u64)>,
    /// Keys of which a message stays.
    stays: HashSet<Key>,
    /// Keys of which a message goes before an older one that stays.
    overtaken: HashSet<Key>,
}

impl Order {
    pub(super) fn new(keys: Keys) -> Self {
        Self { keys, sent: HashMap::new(), stays: HashSet::new(), overtaken: HashSet::new() }
    }

    /// A message that stays in the source; `done` where an earlier run has sent it.
    pub(super) fn stays(&mut self, message: &Message, done: bool) {
        if let Some(key) = self.keys.key(message).filter(|_| !done) {
            self.stays.insert(key);
        }
    }

    /// One that is going to be sent.
    pub(super) fn goes(&mut self, message: &Message) {
        let Some(key) = self.keys.key(message) else { return };
        if self.stays.contains(&key) {
            self.overtaken.insert(key);
        }
        if let Some((_, count)) = self.sent.get_mut(&key) {
            *count += 1;
            return;
        }
        let at = match detect(message).and_then(|failure| failure.origin) {
            Some(Origin::Topic { partition: Some(partition), offset: Some(offset), .. }) => Some((partition, offset)),
            _ => None,
        };
        self.sent.insert(key, (Stood { time: message.time, at }, 1));
    }

    /// What is known of the order, as checks. `in_sequence` where messages of one key go one after the other anyway.
    ///
    /// # Errors
    /// `Interrupted` only: a target that can't be read is a note in a check.
    pub(super) async fn checks(&self, targets: &[Place], in_sequence: bool, control: &Control) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        if self.sent.is_empty() {
            return Ok(checks);
        }
        if !self.overtaken.is_empty() {
            let why = format!("of {}, older messages stay in the source", many(self.overtaken.len()));
            checks.push(Check::warning("order", why));
        }
        if !in_sequence && self.sent.values().any(|(_, count)| *count > 1) {
            let several = self.sent.values().filter(|(_, count)| *count > 1).count();
            let why = format!(
                "{} several messages; where one fails, those behind it go all the same: --per-key holds them back",
                has(several)
            );
            checks.push(Check::warning("order", why));
        }
        for target in targets {
            checks.push(self.newer(target, control).await?);
        }
        Ok(checks)
    }

    /// Whether newer messages of the keys stand in a target.
    async fn newer(&self, target: &Place, control: &Control) -> Result<Check> {
        let log = match target.queue() {
            Ok(queue) => target.broker.log(queue).await.ok().flatten(),
            Err(_) => None,
        };
        let Some(log) = log else {
            let why = format!(
                "{} keeps nothing that was consumed: whether newer messages of a key were worked on already can't be seen",
                target.address
            );
            return Ok(Check::warning("order", why));
        };
        let (from, within) = self.start(&log);
        let mut seen = 0;
        let mut newer = HashSet::new();
        let mut sink = FnSink(|deliveries: Vec<Delivery>| {
            seen += deliveries.len() as u64;
            for Delivery { message, .. } in &deliveries {
                if let Some(key) = self.keys.key(message).filter(|_| headers::replays(message) == 0)
                    && let Some((stood, _)) = self.sent.get(&key)
                    && stood.is_before(message)
                {
                    newer.insert(key);
                }
            }
            Ok(if seen < MOST { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        let quiet = Control { on_tick: None, ..control.clone() };
        let request = BrowseRequest { from, within, ..BrowseRequest::all(target.clone()) };
        if let Err(error) = browse::run(request, &quiet, &mut sink).await {
            let why = format!("{} can't be looked at for newer messages: {}", target.address, error.message());
            return Ok(Check::warning("order", why));
        }
        let part = if seen < MOST { String::new() } else { format!(" among the {} looked at", human::count(MOST)) };
        let keys = many(self.sent.len());
        Ok(if newer.is_empty() {
            Check::passed("order", format!("no newer message of {keys} in {}{part}", target.address))
        } else {
            let of = human::count(newer.len() as u64);
            let why =
                format!("newer messages of {of} of {keys} stand in {}{part}: copies come behind them", target.address);
            Check::warning("order", why)
        })
    }

    /// Where to begin in a target: where the oldest of them stood, as far as they say so, else by their time.
    fn start(&self, log: &Log) -> (From, Vec<Extent>) {
        let mut firsts: HashMap<i32, u64> = HashMap::new();
        let mut known = true;
        for (stood, _) in self.sent.values() {
            match stood.at {
                Some((partition, offset)) => {
                    let first = firsts.entry(partition).or_insert(offset);
                    *first = offset.min(*first);
                }
                None => known = false,
            }
        }
        if known {
            let from = |extent: &Extent| {
                let first = firsts.get(&extent.partition.unwrap_or_default()).copied().unwrap_or(extent.end);
                Extent { first: first.clamp(extent.first, extent.end), ..*extent }
            };
            return (From::First, log.extents.iter().map(from).collect());
        }
        let oldest = self.sent.values().filter_map(|(stood, _)| stood.time).min();
        (oldest.map_or(From::First, From::Time), Vec::new())
    }
}

impl Stood {
    /// Whether that message of the same key came later.
    fn is_before(&self, other: &Message) -> bool {
        match (self.at, other.position) {
            (Some((partition, offset)), Some(position)) if position.partition.is_none_or(|its| its == partition) => {
                position.offset > offset
            }
            _ => self.time.zip(other.time).is_some_and(|(mine, its)| its > mine),
        }
    }
}

fn many(keys: usize) -> String {
    human::plural(keys as u64, "key")
}

fn has(keys: usize) -> String {
    format!("{} {}", many(keys), if keys == 1 { "has" } else { "have" })
}
