//! Where copies are watched: the queues they went to, and those that they come back to when they die.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

use super::VerifiedGroup;
use super::witness::{Content, Witness, content};
use crate::broker::{
    Committed, Connection, ConsumerGroup, CostKind, Delivery, Extent, QueueInfo, Remove, Sampled, Target,
};
use crate::error::Result;
use crate::message::Message;
use crate::operation::browse::{self, BrowseRequest, FnSink};
use crate::operation::control::Control;
use crate::operation::place::Place;
use crate::operation::replay::headers;
use crate::operation::select::Selection;

/// Looks that a queue has to stand beyond ours.
const RESERVE: u64 = 3;

/// The queues to watch.
#[derive(Clone, Debug, Default)]
pub(in crate::operation) struct Places {
    /// Where copies went.
    targets: Vec<Spot>,
    /// Where they may go, as it was before the run.
    likely: Vec<Spot>,
    /// Where they come back to.
    graves: Vec<Spot>,
    /// The source.
    info: Option<QueueInfo>,
    /// What can't be watched.
    notes: Vec<String>,
}

/// A queue that is watched.
#[derive(Clone, Debug)]
struct Spot {
    place: Place,
    /// Of a log: where it ended before the run, by partition; empty where that is not known.
    ends: BTreeMap<Option<i32>, u64>,
}

impl Spot {
    /// A place as it is now.
    async fn now(place: Place) -> Self {
        let log = match place.queue() {
            Ok(queue) => place.broker.log(queue).await.ok().flatten(),
            Err(_) => None,
        };
        let ends = log.into_iter().flat_map(|log| log.extents).map(|extent| (extent.partition, extent.end)).collect();
        Self { place, ends }
    }

    /// How many records of the run its consumer groups have not come to, of the group that is the farthest behind; `None`
    /// where no group with members keeps a place in it, or where it ended before the run is not known.
    async fn behind(&self) -> Option<u64> {
        if self.ends.is_empty() {
            return None;
        }
        let groups = self.place.broker.groups(self.place.queue().ok()?).await.ok()?.groups;
        let of = |group: ConsumerGroup| {
            let places = group.places.into_iter().map(|Committed { partition, committed, extent }| {
                let first = self.ends.get(&Some(partition)).copied().unwrap_or(extent.first);
                extent.end.saturating_sub(committed.unwrap_or(first).max(first))
            });
            places.sum::<u64>()
        };
        groups.into_iter().filter(|group| group.live).map(of).max()
    }
}

/// When a target is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::operation) enum Met {
    /// Before a copy goes there.
    Before,
    /// Perhaps afterwards: where it ended before can't be known any more.
    After,
}

/// What the queues say without a look.
pub(super) struct Counted {
    /// Messages in the targets, at most as many of them ours; `None` where one does not tell.
    pub(super) waiting: Option<u64>,
    /// Messages that consumers hold are counted in.
    pub(super) exact: bool,
    /// When each target counted them.
    pub(super) sampled: Vec<Sampled>,
    /// Nobody consumes from any of them, so that what is there stays.
    pub(super) idle: bool,
    pub(super) notes: Vec<String>,
}

/// Whose copy a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// One that this run sent, of that group.
    Ours(usize),
    /// One that an earlier run of the journal sent.
    Earlier,
}

impl Whose {
    fn group(self) -> Option<usize> {
        match self {
            Self::Ours(group) => Some(group),
            Self::Earlier => None,
        }
    }
}

/// What looks found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Ours in the targets; `None` where one could not be looked at.
    pub(super) waiting: Option<u64>,
    pub(super) notes: Vec<String>,
    /// Waiting, by group.
    waits: HashMap<Whose, u64>,
    /// Dead again, by group: of the same, and of what else.
    deaths: HashMap<Whose, (u64, BTreeMap<String, u64>)>,
}

impl Places {
    /// The queues around a source. An exchange leads to queues that it does not name, so those that dead-letter into the
    /// source are taken for them.
    pub(in crate::operation) async fn of(source: &Place) -> Self {
        let mut places = Self { info: describe(source).await, ..Self::default() };
        // An archive is no queue that something could die into.
        if source.address.connection != Connection::File {
            places.bury(source.clone()).await;
        }
        // Where copies are likely to go, as it is before any does: of a log, the end is what tells them from the rest.
        if places.graves.iter().any(|grave| !grave.ends.is_empty()) {
            let feeders = places.info.as_ref().map(|info| info.dead_letter_from.clone()).unwrap_or_default();
            for name in feeders {
                places.likely.push(Spot::now(at(source, &name)).await);
            }
        }
        places
    }

    /// Adds the queues that copies go to, and those that they die into.
    pub(in crate::operation) async fn add(&mut self, source: &Place, copies: Vec<Place>, met: Met) {
        let mut found = Vec::new();
        for copy in copies {
            if copy.address.target.as_ref().is_some_and(|target| target.queue_name().is_some()) {
                found.push(copy);
                continue;
            }
            let same = Arc::ptr_eq(&copy.broker, &source.broker);
            let feeders = self.info.as_ref().filter(|_| same).map(|info| info.dead_letter_from.as_slice());
            let feeders: Vec<Place> = feeders.unwrap_or_default().iter().map(|name| at(source, name)).collect();
            let note = format!("which queues {} leads to is not known", copy.address);
            if feeders.is_empty() && !self.notes.contains(&note) {
                self.notes.push(note);
            }
            found.extend(feeders);
        }
        for target in found {
            if self.targets.iter().any(|known| is_same(&known.place, &target)) {
                continue;
            }
            for name in describe(&target).await.map(|info| info.dead_letter_to).unwrap_or_default() {
                self.bury(at(&target, &name)).await;
            }
            self.targets.push(match met {
                Met::Before => Spot::now(target).await,
                Met::After => {
                    let known = self.likely.iter().find(|likely| is_same(&likely.place, &target));
                    Spot { ends: known.map(|known| known.ends.clone()).unwrap_or_default(), place: target }
                }
            });
        }
    }

    async fn bury(&mut self, place: Place) {
        if self.graves.iter().any(|grave| is_same(&grave.place, &place)) {
            return;
        }
        self.graves.push(Spot::now(place).await);
    }

    /// The queues where copies can be.
    pub(in crate::operation) fn targets(&self) -> impl Iterator<Item = &Place> {
        self.targets.iter().map(|target| &target.place)
    }

    /// The numbers of that journal's copies in the targets, and what was not looked at. Where a look has a price, only with
    /// `priced`, and only where it harms nobody.
    pub(in crate::operation) async fn copies_of(
        &self,
        journal: &str,
        priced: bool,
        control: &Control,
    ) -> (HashSet<u64>, Vec<String>) {
        let (mut there, mut notes, nothing) = (HashSet::new(), self.notes.clone(), BTreeMap::new());
        for Spot { place, .. } in &self.targets {
            let free = inspect(place).await.is_ok_and(|info| info.read_cost.kind == CostKind::None);
            let may = if free || priced { may_look(place, true).await } else { continue };
            if let Err(why) = may {
                notes.push(format!("{} was not looked at for copies: {why}", place.address));
                continue;
            }
            let done = each(place, &nothing, journal, true, control, |message| {
                there.extend(headers::seq_of(message, journal));
            });
            if let Err(error) = done.await {
                notes.push(format!("{} can't be looked at for copies: {error}", place.address));
            }
        }
        (there, notes)
    }

    /// What can't be looked at.
    pub(in crate::operation) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Counts what is in the targets.
    pub(super) async fn count(&self) -> Counted {
        let mut counted =
            Counted { waiting: Some(0), exact: true, sampled: Vec::new(), idle: true, notes: self.notes.clone() };
        if self.targets.is_empty() {
            counted.waiting = None;
        }
        for spot in &self.targets {
            let target = &spot.place;
            let info = match inspect(target).await {
                Ok(info) => info,
                Err(error) => {
                    counted.notes.push(format!("{} can't be counted: {error}", target.address));
                    counted.waiting = None;
                    counted.sampled.push(Sampled::Unknown);
                    continue;
                }
            };
            counted.sampled.push(info.sampled);
            if info.capability.remove != Remove::PerMessage {
                let behind = spot.behind().await;
                if behind.is_none() {
                    let what = "keeps its messages, and no consumer group with members keeps a place in it: whether they \
                                were consumed can't be seen";
                    counted.notes.push(format!("{} {what}", target.address));
                }
                counted.idle = false;
                counted.waiting = counted.waiting.zip(behind).map(|(sum, behind)| sum + behind);
                continue;
            }
            counted.exact &= info.in_flight.is_some();
            counted.idle &= info.consumers == Some(0);
            counted.waiting = counted
                .waiting
                .zip(info.messages)
                .map(|(sum, messages)| sum + messages + info.in_flight.unwrap_or_default());
        }
        counted
    }

    /// Looks at the dead-letter queues, and at the targets where a look harms nobody. `counted` is what is in the targets.
    pub(super) async fn look(
        &self,
        journal: &str,
        witness: &Witness,
        counted: Option<u64>,
        control: &Control,
    ) -> Found {
        let mut found = Found::default();
        let bodies = if witness.has_unmarked() { witness.unmarked() } else { HashMap::new() };
        if !bodies.is_empty() {
            let what = "copies whose target had no room for a replay id are known by their bodies: \
                        an equal message that was there before counts, too";
            found.notes.push(what.into());
        }
        // One queue can have two addresses: a copy is counted once.
        let mut met = HashSet::new();
        for Spot { place, ends } in &self.graves {
            if let Err(why) = may_look(place, false).await {
                found.notes.push(format!("{} was not looked at: {why}", place.address));
                continue;
            }
            let mut left = bodies.clone();
            let deaths = &mut found.deaths;
            let done = each(place, ends, journal, bodies.is_empty(), control, |message| {
                if let Some(whose) = known(message, journal, witness, &mut met, &mut left) {
                    match headers::seq_of(message, journal) {
                        Some(seq) => witness.came_back(seq),
                        None => witness.came_back_as(content(message)),
                    }
                    let (name, same) = witness.compare(message, whose.group());
                    let (of_same, of_others) = deaths.entry(whose).or_default();
                    if same {
                        *of_same += 1;
                    } else {
                        *of_others.entry(name).or_default() += 1;
                    }
                }
            });
            if let Err(error) = done.await {
                found.notes.push(format!("{} can't be looked at: {error}", place.address));
            }
        }
        if counted.is_none_or(|counted| counted == 0) {
            return found;
        }
        met.clear();
        let (mut waiting, no_ends) = (Some(0), BTreeMap::new());
        for Spot { place: target, ends } in &self.targets {
            // What was consumed stays in a log.
            if !ends.is_empty() {
                waiting = None;
                continue;
            }
            if let Err(why) = may_look(target, true).await {
                found.notes.push(format!("{} was counted and not looked at: {why}", target.address));
                waiting = None;
                continue;
            }
            let mut left = bodies.clone();
            let waits = &mut found.waits;
            let done = each(target, &no_ends, journal, bodies.is_empty(), control, |message| {
                if let Some(whose) = known(message, journal, witness, &mut met, &mut left) {
                    *waits.entry(whose).or_default() += 1;
                    waiting = waiting.map(|n: u64| n + 1);
                }
            });
            if let Err(error) = done.await {
                found.notes.push(format!("{} was counted, for it can't be looked at: {error}", target.address));
                waiting = None;
            }
        }
        found.waiting = waiting;
        found
    }
}

impl Found {
    /// How many of those that this run sent are dead again.
    pub(super) fn bounced(&self) -> u64 {
        let own = self.deaths.iter().filter(|(whose, _)| **whose != Whose::Earlier);
        own.map(|(_, (same, others))| same + others.values().sum::<u64>()).sum()
    }

    /// Adds what was found to the groups; what an earlier run sent gets a group of its own.
    pub(super) fn count_into(&self, groups: &mut Vec<VerifiedGroup>) {
        let mut earlier = VerifiedGroup { title: "sent by an earlier run".into(), ..VerifiedGroup::default() };
        for (whose, waiting) in &self.waits {
            whose.group().and_then(|n| groups.get_mut(n)).unwrap_or(&mut earlier).waiting += waiting;
        }
        for (whose, (same, others)) in &self.deaths {
            let group = whose.group().and_then(|n| groups.get_mut(n)).unwrap_or(&mut earlier);
            group.same += same;
            group.other += others.values().sum::<u64>();
            group.died_of = others.iter().map(|(name, count)| (name.clone(), *count)).collect();
        }
        if earlier.waiting + earlier.same + earlier.other > 0 {
            groups.push(earlier);
        }
        groups.retain(|group| group.sent + group.waiting + group.same + group.other > 0);
        groups.sort_by_key(|group| std::cmp::Reverse((group.same + group.other, group.sent)));
    }
}

/// Whose copy a message is; `None` where it is none of the journal's, or was met before.
fn known(
    message: &Message,
    journal: &str,
    witness: &Witness,
    met: &mut HashSet<u64>,
    bodies: &mut HashMap<Content, (u64, usize)>,
) -> Option<Whose> {
    if let Some(seq) = headers::seq_of(message, journal) {
        if !met.insert(seq) {
            return None;
        }
        return Some(witness.group_of(seq).map_or(Whose::Earlier, Whose::Ours));
    }
    let (left, group) = bodies.get_mut(&content(message)).filter(|(left, _)| *left > 0)?;
    *left -= 1;
    Some(Whose::Ours(*group))
}

/// Whether a look at a queue is no danger to it: one sentence where it is.
async fn may_look(place: &Place, live: bool) -> Result<(), String> {
    let info = inspect(place).await.map_err(|error| error.to_string())?;
    if !info.capability.browse {
        return Err("it can't be read without taking".into());
    }
    if let Some(why) = info.read_cost.refused {
        return Err(why);
    }
    if info.read_cost.kind == CostKind::None {
        return Ok(());
    }
    if live && info.consumers.is_none_or(|consumers| consumers > 0) {
        return Err("a look would take messages out of its consumers' hands".into());
    }
    match info.read_cost.budget {
        Some(budget) if budget <= RESERVE => Err(format!("its messages stand {budget} more looks")),
        _ => Ok(()),
    }
}

/// Hands every message to `see`; of a log, only what came after `ends`; with marks, only what has one of this journal.
async fn each(
    place: &Place,
    ends: &BTreeMap<Option<i32>, u64>,
    journal: &str,
    marked: bool,
    control: &Control,
    mut see: impl FnMut(&Message) + Send,
) -> Result<()> {
    let selection = if marked {
        Selection::parse(Some(&headers::filter(journal)), None, control.clock.now(), &Arc::default())?
    } else {
        Selection::all()
    };
    let mut within = Vec::new();
    if !ends.is_empty()
        && let Some(log) = place.broker.log(place.queue()?).await?
    {
        within.extend(log.extents.into_iter().map(|extent| {
            let first = ends.get(&extent.partition).copied().unwrap_or(extent.first).max(extent.first);
            Extent { first, ..extent }
        }));
    }
    let mut sink = FnSink(|deliveries: Vec<Delivery>| {
        for delivery in &deliveries {
            see(&delivery.message);
        }
        Ok(ControlFlow::Continue(()))
    });
    let quiet = Control { on_tick: None, ..control.clone() };
    let request = BrowseRequest { selection, within, ..BrowseRequest::all(place.clone()) };
    browse::run(request, &quiet, &mut sink).await.map(|_| ())
}

/// Whether two places are one queue, however its address was typed.
fn is_same(one: &Place, other: &Place) -> bool {
    Arc::ptr_eq(&one.broker, &other.broker) && one.address.target == other.address.target
        || one.address == other.address
}

async fn inspect(place: &Place) -> Result<QueueInfo> {
    place.broker.inspect(place.queue()?).await
}

async fn describe(place: &Place) -> Option<QueueInfo> {
    place.broker.describe(place.queue().ok()?).await.ok()
}

fn at(place: &Place, queue: &str) -> Place {
    Place { address: place.address.at(Target::queue(queue)), ..place.clone() }
}
