//! Groups of whole queues and archives, counted by several workers.
//!
//! A reader with threads of its own (an archive's) hands messages over there, in batches of fixed blocks; those of others
//! are handed to workers in chunks of a fixed number. The parts that are made of them are merged in the order of the
//! queue: what comes out is the same with one worker and with many. What was seen can be compared with an earlier look.
//! Limits: the chunks under way are the memory that is held beside the groups, and a name of each message of an earlier
//! look.

use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use tokio::task::JoinHandle;

use super::change::Earlier;
use super::{By, Change, GroupSummary, Groups, PlaceCount};
use crate::broker::{Delivery, Intake, QueueInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::{GroupId, Rules};
use crate::operation::browse::{self, BrowseRequest, Sink, Summary};
use crate::operation::control::Control;
use crate::operation::expiry::Life;
use crate::operation::journal::record::Identity;
use crate::operation::masks::Masks;
use crate::operation::select::Selection;

/// Messages in a chunk: enough to make handing it on cheap.
const CHUNK: usize = 4000;
/// Bytes of messages in a chunk, beyond which it is handed on early.
const CHUNK_BYTES: u64 = 4 << 20;
/// The most workers; on more cores the reader is what is waited for.
const MAX_WORKERS: usize = 8;

/// Groups in the making.
#[derive(Debug)]
pub struct Gather {
    groups: Groups,
    /// An earlier look to compare with: its groups, and its messages that were not met again.
    earlier: Option<(Groups, Earlier)>,
}

impl Gather {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new(by: By, rules: Arc<Rules>) -> Self {
        Self { groups: Groups::new(by, rules), earlier: None }
    }

    /// Looks at a queue, whose messages are told under the address as typed and are shown through `masks`. `info` says
    /// when it drops them.
    ///
    /// # Errors
    /// As [`browse::run`]; what was counted before it stays.
    pub async fn look(
        &mut self,
        request: BrowseRequest,
        info: &QueueInfo,
        masks: Masks,
        control: &Control,
    ) -> Result<Summary> {
        let life = Life::of(info);
        let note = self.earlier.as_mut().map(|(_, earlier)| Note::Meet(earlier));
        look(request, masks, life, &mut self.groups, note, control).await
    }

    /// Looks at what is to be compared with, mostly an archive that was captured before. Every look behind it says what
    /// is new, gone and the same.
    ///
    /// # Errors
    /// As [`browse::run`].
    pub async fn look_earlier(&mut self, request: BrowseRequest, masks: Masks, control: &Control) -> Result<Summary> {
        let (groups, earlier) = self.earlier.get_or_insert_with(|| (self.groups.part(), Earlier::default()));
        look(request, masks, Life::default(), groups, Some(Note::Remember(earlier)), control).await
    }

    /// Takes one message that somebody else read.
    pub fn add(&mut self, message: &Message) {
        self.groups.add(message);
    }

    /// How many messages were seen.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.groups.total()
    }

    /// By which rules they are grouped.
    #[must_use]
    pub fn rules(&self) -> &Arc<Rules> {
        &self.groups.rules
    }

    /// The queues that they were read from.
    #[must_use]
    pub fn places(&self) -> &[PlaceCount] {
        self.groups.places()
    }

    /// The groups, largest first; behind them those that are gone, where there is an earlier look.
    #[must_use]
    pub fn finish(self) -> Vec<GroupSummary> {
        let mut groups = self.groups.finish();
        if let Some((before, earlier)) = self.earlier {
            let changes = earlier.finish();
            let change = |id| Some(changes.get(&id).copied().unwrap_or_default());
            for group in &mut groups {
                group.change = change(group.id);
            }
            let now: HashSet<GroupId> = groups.iter().map(|group| group.id).collect();
            let gone = before.finish().into_iter().filter(|group| !now.contains(&group.id));
            groups.extend(gone.map(|group| GroupSummary { change: change(group.id), ..group.emptied() }));
        }
        groups
    }
}

/// What changed in all groups together; `None` where there was nothing to compare with.
#[must_use]
pub fn total_change(groups: &[GroupSummary]) -> Option<Change> {
    groups.iter().filter_map(|group| group.change).reduce(Change::and)
}

/// What is done with the names of messages.
enum Note<'a> {
    Remember(&'a mut Earlier),
    Meet(&'a mut Earlier),
}

async fn look(
    request: BrowseRequest,
    masks: Masks,
    life: Life,
    groups: &mut Groups,
    note: Option<Note<'_>>,
    control: &Control,
) -> Result<Summary> {
    groups.seen_through(Arc::new(masks));
    let hands = Hands {
        address: request.source.address.to_string().into(),
        life,
        named: note.is_some(),
        empty: groups.part(),
        selection: request.selection.clone(),
        parts: Mutex::default(),
    };
    let mut work = Work {
        width: std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS),
        hands: Arc::new(hands),
        groups,
        note,
        chunk: Vec::new(),
        bytes: 0,
        parts: FuturesOrdered::new(),
    };
    let looked = browse::run(request, control, &mut work).await;
    let counted = work.finish().await;
    let summary = looked?;
    counted.map(|()| summary)
}

/// What is made of some messages in a row: their groups, and where asked for what each is named and in which group it is.
#[derive(Debug)]
struct Part {
    groups: Groups,
    names: Vec<(Identity, GroupId)>,
}

/// What each worker knows, and what they made.
#[derive(Debug)]
struct Hands {
    address: Arc<str>,
    /// How long the queue keeps a message.
    life: Life,
    /// Whether messages are named.
    named: bool,
    /// What a part begins as.
    empty: Groups,
    /// What counts of all that a reader hands over.
    selection: Selection,
    /// Parts by the number of their batch.
    parts: Mutex<BTreeMap<u64, Part>>,
}

impl Hands {
    fn part(&self) -> Part {
        Part { groups: self.empty.clone(), names: Vec::new() }
    }

    fn count(&self, part: &mut Part, deliveries: Vec<Delivery>) {
        for Delivery { mut message, .. } in deliveries {
            message.address = Arc::clone(&self.address);
            let group = part.groups.add_known(&message, detect(&message).as_ref(), self.life.end(&message));
            if self.named {
                part.names.push((Identity::of(&message).0, group));
            }
        }
    }

    fn parts(&self) -> MutexGuard<'_, BTreeMap<u64, Part>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intake for Hands {
    fn take(&self, batch: u64, mut deliveries: Vec<Delivery>) {
        // Not under the lock: others work beside this one.
        let part = self.parts().remove(&batch);
        let mut part = part.unwrap_or_else(|| self.part());
        if !self.selection.is_all() {
            deliveries.retain(|delivery| self.selection.matches(&delivery.message));
        }
        self.count(&mut part, deliveries);
        self.parts().insert(batch, part);
    }
}

/// One look, with its chunks under way.
struct Work<'a> {
    groups: &'a mut Groups,
    note: Option<Note<'a>>,
    hands: Arc<Hands>,
    width: usize,
    chunk: Vec<Delivery>,
    bytes: u64,
    parts: FuturesOrdered<JoinHandle<Part>>,
}

#[async_trait]
impl Sink for Work<'_> {
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        for delivery in deliveries {
            self.bytes += delivery.message.size();
            self.chunk.push(delivery);
            if self.chunk.len() == CHUNK || self.bytes >= CHUNK_BYTES {
                self.hand_on();
                while self.parts.len() > self.width {
                    self.merge_next().await?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn intake(&self) -> Option<Arc<dyn Intake>> {
        Some(Arc::<Hands>::clone(&self.hands))
    }

    async fn taken_in(&mut self, up_to: u64) -> Result<u64> {
        let whole = {
            let mut parts = self.hands.parts();
            let later = parts.split_off(&up_to);
            std::mem::replace(&mut *parts, later)
        };
        let matched = whole.values().map(|part| part.groups.total()).sum();
        for part in whole.into_values() {
            self.merge(part);
        }
        Ok(matched)
    }
}

impl Work<'_> {
    fn hand_on(&mut self) {
        let (chunk, hands) = (std::mem::take(&mut self.chunk), Arc::clone(&self.hands));
        self.bytes = 0;
        self.parts.push_back(tokio::task::spawn_blocking(move || {
            let mut part = hands.part();
            hands.count(&mut part, chunk);
            part
        }));
    }

    async fn merge_next(&mut self) -> Result<()> {
        match self.parts.next().await {
            Some(Ok(part)) => self.merge(part),
            Some(Err(error)) => return Err(Error::new(ErrorKind::Unexpected, "grouping failed").because(error)),
            None => {}
        }
        Ok(())
    }

    fn merge(&mut self, part: Part) {
        self.groups.merge(part.groups);
        match &mut self.note {
            Some(Note::Remember(earlier)) => earlier.remember(&part.names),
            Some(Note::Meet(earlier)) => earlier.meet(&part.names),
            None => {}
        }
    }

    async fn finish(mut self) -> Result<()> {
        self.hand_on();
        while !self.parts.is_empty() {
            self.merge_next().await?;
        }
        Ok(())
    }
}
