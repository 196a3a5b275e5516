//! How a batch gets to its copies: by publishers, into an archive, or nowhere; and what the journal is told.
//!
//! Each step is a future that owns what it needs, so that several batches are under way while the reader goes on.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::future::{BoxFuture, FutureExt as _, join_all};
use jiff::Timestamp;

use crate::broker::archive::ArchiveWriter;
use crate::broker::{Publisher, Receipt, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Digest, Message};
use crate::operation::course::Key;
use crate::operation::journal::record::{Intent, Record, ranges};
use crate::operation::journal::writer::Writer;
use crate::operation::publish::{not_published, stops_a_publisher};
use crate::operation::replay::headers::{self, Stamp};
use crate::operation::replay::route::{Lane, Route, Routes};
use crate::operation::report::Outcome;
use crate::operation::verify::Witness;

/// Batches under way at once, each in one of its steps.
const UNDER_WAY: usize = 4;
/// Originals held while their copies are on their way: a quorum queue pays for each more that is held.
const IN_HAND: u64 = 1500;

/// Where copies go.
pub(in crate::operation) enum Carrier {
    /// To publishers.
    Publish {
        /// Which message to which.
        routes: Box<Routes>,
        /// The journal's id, from which each copy's replay id is made.
        journal: Arc<str>,
        /// Who watches what becomes of the copies.
        witness: Option<Witness>,
    },
    /// Into an archive.
    Archive {
        /// The file.
        writer: Arc<Mutex<ArchiveWriter>>,
        /// Its address.
        address: String,
    },
    /// Nowhere: the messages are removed without a copy.
    Discard {
        /// The journal whose copies they are, where they are the copies of a run that is taken back.
        of: Option<Arc<str>>,
    },
}

/// A message to send.
pub(super) struct Item {
    pub(super) seq: u64,
    /// It has its number from an earlier try.
    pub(super) again: bool,
    /// That try may have sent it.
    pub(super) twice: bool,
    pub(super) token: Token,
    pub(super) digest: Digest,
    pub(super) to: u32,
    /// The key it is published with, where its own does not do.
    pub(super) routing: Option<Bytes>,
    pub(super) message: Message,
    /// The line of the original, where the copy does not tell all that it was.
    pub(super) original: Option<Vec<u8>>,
    /// Its number in the run that this one takes back.
    pub(super) undoes: Option<u64>,
    /// What it goes one after the other with, where messages go key by key.
    pub(super) key: Option<Key>,
    /// The group of its failure, where what becomes of copies is watched.
    pub(super) group: Option<usize>,
    /// When it vanishes from its queue, where it may go before others for that.
    pub(super) vanishes: Option<Timestamp>,
}

/// A message that was sent.
pub(super) struct Sent {
    pub(super) seq: u64,
    pub(super) token: Token,
    pub(super) id: String,
    pub(super) to: u32,
    pub(super) twice: bool,
    /// `Done` for a confirmed copy.
    pub(super) outcome: Outcome,
}

/// A step that a batch has made.
pub(super) enum Step {
    /// The intents of the batch with that number are on disk, or can't be.
    Intended(u64, Vec<Item>, Result<()>),
    /// The batch is in the archive up to this offset, on disk and verified; or nothing of it is.
    Stored(Vec<Item>, Result<u64>),
    /// The publishers have answered; and an error that the next batch would meet, too.
    Sent(Vec<Sent>, Option<Error>),
    /// The confirmations are on disk, or can't be.
    Recorded(Vec<Sent>, Result<()>),
}

impl Carrier {
    /// How many batches may be under way.
    pub(super) fn under_way(&self) -> usize {
        match self {
            Self::Publish { .. } | Self::Archive { .. } => UNDER_WAY,
            Self::Discard { .. } => 1,
        }
    }

    /// How many messages of the source are worth holding at once, where it is known.
    pub(super) fn in_hand(&self) -> Option<u64> {
        matches!(self, Self::Publish { .. }).then_some(IN_HAND)
    }

    /// How many copies may be on their way at once, where its targets bear no more.
    pub(super) fn in_flight(&self) -> Option<u64> {
        match self {
            Self::Publish { routes, .. } => {
                routes.lanes().iter().filter_map(|lane| lane.publisher.limits().in_flight).min()
            }
            Self::Archive { .. } | Self::Discard { .. } => None,
        }
    }

    /// Whether batches are written one after the other: an archive's offsets are recorded in their order.
    pub(super) fn one_by_one(&self) -> bool {
        matches!(self, Self::Archive { .. })
    }

    /// A destination's address.
    pub(super) fn address(&self, to: u32) -> Option<&str> {
        match self {
            Self::Publish { routes, .. } => routes.lanes().get(to as usize).map(|lane| lane.address.as_str()),
            Self::Archive { address, .. } => Some(address),
            Self::Discard { .. } => None,
        }
    }

    /// Why the broker of a destination lets publishers wait.
    pub(super) fn held_up(&self) -> Option<String> {
        match self {
            Self::Publish { routes, .. } => routes.lanes().iter().find_map(|lane| lane.publisher.held_up()),
            Self::Archive { .. } | Self::Discard { .. } => None,
        }
    }

    /// The first step of a batch. `recorded` is how many destinations the journal knows.
    pub(super) fn start(
        &self,
        number: u64,
        batch: Vec<Item>,
        journal: &Writer,
        recorded: &mut usize,
    ) -> Result<BoxFuture<'static, Step>> {
        match self {
            Self::Publish { routes, .. } => {
                for lane in routes.lanes().iter().skip(*recorded) {
                    let to = u32::try_from(*recorded).unwrap_or(u32::MAX);
                    journal.note(&Record::Destination { number: to, address: lane.address.clone() })?;
                    *recorded += 1;
                }
                keep_originals(&batch, journal)?;
                note_undoes(&batch, journal)?;
                let (again, first, messages) = split(&batch);
                if !again.is_empty() {
                    journal.note(&Record::Retry { seqs: ranges(again) })?;
                }
                // A batch of retries alone waits for its own record only.
                let on_disk = journal.durable(&Record::Intend { first, messages });
                Ok(async move { Step::Intended(number, batch, on_disk.await) }.boxed())
            }
            Self::Archive { writer, address } => {
                if *recorded == 0 {
                    journal.note(&Record::Destination { number: 0, address: address.clone() })?;
                    *recorded = 1;
                }
                Ok(store(Arc::clone(writer), batch).boxed())
            }
            Self::Discard { .. } => {
                note_undoes(&batch, journal)?;
                Ok(record_stored(batch, 0, journal))
            }
        }
    }

    /// Sends a batch whose intents are on disk.
    pub(super) fn publish(&self, batch: Vec<Item>) -> BoxFuture<'static, Step> {
        let Self::Publish { routes, journal, witness } = self else {
            return futures::future::ready(Step::Sent(Vec::new(), None)).boxed();
        };
        let load = |lane: &Lane| Load {
            publisher: Arc::clone(&lane.publisher),
            stamp: lane.stamp.clone(),
            copies: Vec::new(),
            places: Vec::new(),
        };
        let loads = routes.lanes().iter().map(load).collect();
        publish(batch, loads, Arc::clone(journal), witness.clone()).boxed()
    }
}

/// Has the originals of a batch on disk before its intents are. One that is sent again has its original there already,
/// where the journal is told of it.
fn keep_originals(batch: &[Item], journal: &Writer) -> Result<()> {
    let mut lines = Vec::new();
    let mut seqs = Vec::new();
    for item in batch {
        if let Some(line) = &item.original {
            lines.extend_from_slice(line);
            seqs.push(item.seq);
        }
    }
    if seqs.is_empty() { Ok(()) } else { journal.keep(ranges(seqs), lines) }
}

/// Tells the journal whose messages those of a batch are.
fn note_undoes(batch: &[Item], journal: &Writer) -> Result<()> {
    let undoes: Vec<_> = batch.iter().filter_map(|item| Some((item.seq, item.undoes?))).collect();
    if undoes.is_empty() { Ok(()) } else { journal.note(&Record::Undoes { seqs: undoes }) }
}

/// Numbers sent again, the first new number, and the new messages.
fn split(batch: &[Item]) -> (Vec<u64>, u64, Vec<Intent>) {
    let mut again: Vec<u64> = batch.iter().filter(|item| item.again).map(|item| item.seq).collect();
    again.sort_unstable();
    let mut new = batch.iter().filter(|item| !item.again).peekable();
    let first = new.peek().map_or(0, |item| item.seq);
    (again, first, new.map(|item| Intent(item.digest, item.message.id.clone(), item.to)).collect())
}

/// What of a batch goes to one destination.
struct Load {
    publisher: Arc<dyn Publisher>,
    stamp: Stamp,
    copies: Vec<Message>,
    /// Which of the batch they are copies of.
    places: Vec<usize>,
}

async fn publish(batch: Vec<Item>, mut loads: Vec<Load>, journal: Arc<str>, witness: Option<Witness>) -> Step {
    let mut sent = Vec::with_capacity(batch.len());
    for item in batch {
        let Item { seq, twice, token, to, routing, mut message, .. } = item;
        let id = message.id.clone();
        if routing.is_some() {
            message.key = routing;
        }
        if let Some(load) = loads.get_mut(to as usize) {
            let limits = load.publisher.limits();
            let (copy, _) = headers::prepare(message, &limits, headers::replay_id(&journal, seq), &load.stamp);
            if let Some(witness) = &witness {
                witness.copy(seq, &copy, headers::seq_of(&copy, &journal).is_some());
            }
            load.copies.push(copy);
            load.places.push(sent.len());
        }
        let outcome = Outcome::Ambiguous("the publisher gave no answer for it".into());
        sent.push(Sent { seq, token, id, to, twice, outcome });
    }
    let publishing = loads
        .into_iter()
        .filter(|load| !load.copies.is_empty())
        .map(|load| async move { (load.places, load.publisher.publish(&load.copies).await) });
    let mut fatal = None;
    for (places, results) in join_all(publishing).await {
        for (place, result) in places.into_iter().zip(results) {
            let outcome = outcome_of(result, &mut fatal);
            if let Some(sent) = sent.get_mut(place) {
                sent.outcome = outcome;
            }
        }
    }
    Step::Sent(sent, fatal)
}

fn outcome_of(result: Result<Receipt>, fatal: &mut Option<Error>) -> Outcome {
    match result {
        Ok(_) => Outcome::Done,
        Err(error) => {
            let outcome = not_published(&error);
            if stops_a_publisher(&error) && !matches!(outcome, Outcome::Ambiguous(_)) {
                fatal.get_or_insert(error);
            }
            outcome
        }
    }
}

/// Writes a batch into the archive: on disk and verified when it is done.
async fn store(writer: Arc<Mutex<ArchiveWriter>>, batch: Vec<Item>) -> Step {
    let work = tokio::task::spawn_blocking(move || {
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let stored = writer.append(batch.iter().map(|item| &item.message)).and_then(|_| writer.commit());
        // Their names are all that is needed of them now; here, beside the reader, the rest is freed.
        let named = |item: Item| Item { message: Message { id: item.message.id, ..Message::default() }, ..item };
        Step::Stored(batch.into_iter().map(named).collect(), stored)
    });
    match work.await {
        Ok(done) => done,
        Err(error) => {
            let error = Error::new(ErrorKind::Unexpected, "writing the archive failed").because(error);
            Step::Stored(Vec::new(), Err(error))
        }
    }
}

/// Tells the journal what is in the archive (or is going to be dropped).
pub(super) fn record_stored(batch: Vec<Item>, offset: u64, journal: &Writer) -> BoxFuture<'static, Step> {
    let (again, first, messages) = split(&batch);
    let on_disk = journal.durable(&Record::Stored { first, messages, offset, again: ranges(again) });
    let sent = batch
        .into_iter()
        .map(|item| Sent {
            seq: item.seq,
            token: item.token,
            id: item.message.id,
            to: item.to,
            twice: item.twice,
            outcome: Outcome::Done,
        })
        .collect();
    async move { Step::Recorded(sent, on_disk.await) }.boxed()
}

/// Tells the journal what the publishers answered.
pub(super) fn record_sent(mut sent: Vec<Sent>, journal: &Writer) -> BoxFuture<'static, Step> {
    sent.sort_unstable_by_key(|sent| sent.seq);
    let (mut done, mut failed, mut ambiguous, mut unsent) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for sent in &sent {
        match &sent.outcome {
            Outcome::Done => done.push(sent.seq),
            Outcome::Unsent(why) => unsent.push((sent.seq, why.clone())),
            Outcome::Failed(why) | Outcome::Skipped(why) => failed.push((sent.seq, why.clone())),
            Outcome::Ambiguous(why) => ambiguous.push((sent.seq, why.clone())),
        }
    }
    let on_disk = journal.durable(&Record::Confirm { done: ranges(done), failed, ambiguous, unsent });
    async move { Step::Recorded(sent, on_disk.await) }.boxed()
}

/// Whether a message can be archived.
pub(super) fn archivable(writer: &Mutex<ArchiveWriter>, message: &Message) -> Route {
    let writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
    match writer.accepts(message) {
        Ok(()) => Route::To(0, None),
        Err(error) => Route::Stay(error.to_string()),
    }
}
