//! A look that is kept: messages in a private file that nobody else can open, and a small index in memory.
//!
//! A queue is looked at once; screens then scroll, filter, sort and group what was seen without asking the broker
//! again, which would cost another look. A message takes some 24 bytes of memory, whatever its size. What is kept is
//! lossless: redaction is for whoever shows it. Limits: [`Limits`]; the file is in the system's folder for temporary
//! files and is gone with the last handle, after a crash, too.

mod store;

use std::io::Write as _;
use std::ops::{ControlFlow, Range};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use self::store::Store;
use super::browse::{self, BrowseRequest, Sink, Summary};
use super::control::Control;
use super::expiry::Life;
use super::groups::{By, GroupSummary, Groups};
use super::masks::Masks;
use super::place::Place;
use super::select::Selection;
use crate::broker::archive::{ArchiveWriter, Existing};
use crate::broker::{Delivery, From, QueueInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::Rules;
use crate::text::human;

/// How much one snapshot keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages.
    pub messages: usize,
    /// Bytes of message lines.
    pub bytes: u64,
}

impl Default for Limits {
    /// Two million messages, 4 GiB.
    fn default() -> Self {
        Self { messages: 2_000_000, bytes: 4 << 30 }
    }
}

/// Messages between two words about a long search.
const TOLD: usize = 5000;

/// One queue of a snapshot.
#[derive(Clone, Debug)]
struct Part {
    address: Arc<str>,
    life: Life,
    masks: Arc<Masks>,
}

/// The messages of one look, or of several.
#[derive(Debug)]
pub struct Snapshot {
    store: Mutex<Store>,
    parts: Mutex<Vec<Part>>,
    rules: Arc<Rules>,
    limits: Limits,
}

/// What to look at.
#[derive(Clone, Debug)]
pub struct Look {
    /// The queue.
    pub place: Place,
    /// What people get to see of it.
    pub masks: Masks,
    /// Which messages are kept.
    pub selection: Selection,
    /// Where to start.
    pub from: From,
    /// Go on after the end and wait for arrivals, until cancelled.
    pub follow: bool,
}

impl Snapshot {
    /// An empty one; groups are made by these rules.
    ///
    /// # Errors
    /// `Io` where there is no room for its file.
    pub fn new(rules: Arc<Rules>, limits: Limits) -> Result<Arc<Self>> {
        Ok(Arc::new(Self { store: Mutex::new(Store::new()?), parts: Mutex::default(), rules, limits }))
    }

    /// How many messages it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.store().len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes its file takes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.store().bytes()
    }

    /// Looks at a queue and keeps what it sees; `groups` counts it, `told` hears how many there are now.
    ///
    /// # Errors
    /// As [`browse::run`]; `Io` where the file can't be written.
    pub async fn look(
        self: &Arc<Self>,
        look: Look,
        info: &QueueInfo,
        groups: &mut Groups,
        control: &Control,
        told: &mut (dyn FnMut(usize, &Groups) + Send),
    ) -> Result<Summary> {
        let life = Life::of(info);
        let address: Arc<str> = look.place.address.to_string().into();
        let masks = Arc::new(look.masks);
        groups.seen_through(Arc::clone(&masks));
        let part = {
            let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.push(Part { address: Arc::clone(&address), life, masks });
            u16::try_from(parts.len() - 1).unwrap_or(u16::MAX)
        };
        let request = BrowseRequest {
            selection: look.selection,
            from: look.from,
            follow: look.follow,
            ..BrowseRequest::all(look.place)
        };
        let mut sink = Keep { snapshot: self, part, address, life, groups, told };
        browse::run(request, control, &mut sink).await
    }

    /// One message, as it was seen.
    ///
    /// # Errors
    /// `Io` where the file can't be read.
    pub fn message(&self, index: usize) -> Result<Message> {
        let (line, part) = self.store().line(index)?;
        self.read(&line, part)
    }

    /// Writes some messages to a new file: whole, where its name ends in `.jsonl` or `.jsonl.zst`; the payload of a
    /// single one, else. What was done, as a sentence.
    ///
    /// # Errors
    /// `Refused` for a file that is there already; `Usage` for several payloads; `Io`.
    pub fn save(&self, indices: &[u32], path: &str) -> Result<String> {
        let messages: Vec<Message> =
            indices.iter().map(|index| self.message(*index as usize)).collect::<Result<_>>()?;
        let count = human::messages(messages.len() as u64);
        if [".jsonl", ".jsonl.zst"].iter().any(|end| path.ends_with(end)) {
            let mut writer = ArchiveWriter::create(path, Existing::Refuse)?;
            writer.append(&messages)?;
            writer.commit()?;
            return Ok(format!("saved {count} to {path}"));
        }
        let [one] = messages.as_slice() else {
            return Err(Error::new(ErrorKind::Usage, format!("{count} do not go into one payload"))
                .hint("a name that ends in .jsonl or .jsonl.zst takes whole messages"));
        };
        let failed = |error: std::io::Error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Error::new(ErrorKind::Refused, format!("there is a file {path} already")).hint("name another")
            } else {
                Error::new(ErrorKind::Io, format!("can't write {path}")).because(error)
            }
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(one.body()).and_then(|()| file.sync_all()).map_err(failed)?;
        Ok(format!("saved {} to {path}", human::size(one.body().len() as u64)))
    }

    /// What people get to see of a message.
    #[must_use]
    pub fn masks(&self, index: usize) -> Arc<Masks> {
        let part = self.store().part(index);
        self.part(part).map(|part| part.masks).unwrap_or_default()
    }

    /// When a message vanishes from its queue, where that is known.
    #[must_use]
    pub fn expires(&self, index: usize) -> Option<Timestamp> {
        let (part, time) = {
            let store = self.store();
            (store.part(index), store.time(index))
        };
        self.part(part)?.life.from(time?)
    }

    /// Goes through some messages in order. `proof` may rule a line out before it is read.
    fn scan(
        &self,
        range: Range<usize>,
        proof: &dyn Fn(&[u8]) -> bool,
        each: &mut dyn FnMut(usize, Message),
        cancel: &CancellationToken,
    ) -> Result<()> {
        let mut at = range.start;
        while at < range.end && !cancel.is_cancelled() {
            let (block, lines) = self.store().block(at, range.end)?;
            if lines.is_empty() {
                break;
            }
            for (place, part) in lines {
                let line = block.get(place).unwrap_or_default();
                if proof(line) {
                    each(at, self.read(line, part)?);
                }
                at += 1;
            }
        }
        Ok(())
    }

    /// The messages of a range that a selection takes.
    ///
    /// # Errors
    /// `Io` where the file can't be read.
    pub fn find(&self, range: Range<usize>, selection: &Selection, cancel: &CancellationToken) -> Result<Vec<u32>> {
        let mut found = Vec::new();
        if selection.is_all() {
            found.extend(range.filter_map(|index| u32::try_from(index).ok()));
            return Ok(found);
        }
        let prefilter = selection.prefilter();
        let proof = |line: &[u8]| prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match_line(line));
        let mut each = |index: usize, message: Message| {
            if selection.matches(&message) {
                found.extend(u32::try_from(index));
            }
        };
        self.scan(range, &proof, &mut each, cancel)?;
        Ok(found)
    }

    /// The groups of the messages that a selection takes. Cancelled, they are those of what was gone through. `told` gets
    /// how many messages that were, some hundred at a time.
    ///
    /// # Errors
    /// `Io` where the file can't be read.
    pub fn groups(
        &self,
        by: By,
        selection: &Selection,
        told: &mut dyn FnMut(usize),
        cancel: &CancellationToken,
    ) -> Result<Vec<GroupSummary>> {
        let mut groups = Groups::new(by, Arc::clone(&self.rules));
        let prefilter = selection.prefilter();
        let proof = |line: &[u8]| prefilter.as_ref().is_none_or(|prefilter| prefilter.may_match_line(line));
        let mut last = None;
        let mut each = |index: usize, message: Message| {
            if selection.matches(&message) {
                let part = self.store().part(index);
                if last.replace(part) != Some(part) {
                    groups.seen_through(self.masks(index));
                }
                groups.add_known(&message, detect(&message).as_ref(), self.expires(index));
            }
        };
        let end = self.len();
        let mut at = 0;
        while at < end && !cancel.is_cancelled() {
            let next = (at + TOLD).min(end);
            self.scan(at..next, &proof, &mut each, cancel)?;
            told(next);
            at = next;
        }
        Ok(groups.finish())
    }

    fn part(&self, part: u16) -> Option<Part> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner).get(usize::from(part)).cloned()
    }

    fn read(&self, line: &[u8], part: u16) -> Result<Message> {
        let mut message = crate::message::jsonl::read_line(line)?;
        if let Some(part) = self.part(part) {
            message.address = part.address;
        }
        Ok(message)
    }

    fn store(&self) -> std::sync::MutexGuard<'_, Store> {
        // A poisoned store is whole up to its last message: appending sets its length last.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps what a browse finds.
struct Keep<'a> {
    snapshot: &'a Snapshot,
    part: u16,
    address: Arc<str>,
    life: Life,
    groups: &'a mut Groups,
    told: &'a mut (dyn FnMut(usize, &Groups) + Send),
}

#[async_trait]
impl Sink for Keep<'_> {
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        for Delivery { mut message, .. } in deliveries {
            message.address = Arc::clone(&self.address);
            self.groups.add_known(&message, detect(&message).as_ref(), self.life.end(&message));
            self.snapshot.store().push(&message, self.part)?;
        }
        let (messages, bytes) = (self.snapshot.len(), self.snapshot.bytes());
        (self.told)(messages, self.groups);
        let full = messages >= self.snapshot.limits.messages || bytes >= self.snapshot.limits.bytes;
        Ok(if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::memory::{Memory, Profile, QueueSpec};
    use crate::broker::{Broker as _, End};
    use crate::config::Policy;

    async fn kept(messages: usize, limits: Limits) -> (Arc<Snapshot>, Summary, Memory) {
        let memory = Memory::builder().queue(QueueSpec::new("dlq", Profile::RabbitClassic)).build();
        for n in 0..messages {
            let mut message = Message { payload: Some(format!("{{\"n\":{n}}}").into()), ..Message::default() };
            message.headers.push("x-exception-message", if n % 3 == 0 { "timeout" } else { "refused" });
            memory.publish("dlq", message).unwrap();
        }
        let place =
            Place { address: "demo:dlq".parse().unwrap(), broker: Arc::new(memory.clone()), policy: Policy::default() };
        let info = memory.inspect("dlq").await.unwrap();
        let snapshot = Snapshot::new(Arc::default(), limits).unwrap();
        let masks = Masks::default();
        let look = Look { place, masks, selection: Selection::all(), from: From::First, follow: false };
        let mut groups = Groups::new(By::Failure, Arc::default());
        let summary = snapshot.look(look, &info, &mut groups, &Control::new(), &mut |_, _| {}).await.unwrap();
        (snapshot, summary, memory)
    }

    fn selection(filter: &str) -> Selection {
        Selection::parse(Some(filter), None, Timestamp::UNIX_EPOCH, &Arc::default()).unwrap()
    }

    #[tokio::test]
    async fn what_was_seen_is_kept_as_it_was_and_found_again() {
        let (snapshot, summary, memory) = kept(2500, Limits::default()).await;
        assert_eq!((summary.end, snapshot.len()), (End::Exhausted, 2500));
        assert!(memory.held("dlq").unwrap().is_empty());
        let one = snapshot.message(1234).unwrap();
        assert_eq!((one.body(), &*one.address), (&b"{\"n\":1234}"[..], "demo:dlq"));
        let cancel = CancellationToken::new();
        assert_eq!(snapshot.find(0..2500, &selection("body.n=1234"), &cancel).unwrap(), [1234]);
        assert_eq!(snapshot.find(10..20, &selection("reason:timeout"), &cancel).unwrap(), [12, 15, 18]);
        let groups = snapshot.groups(By::Failure, &Selection::all(), &mut |_| {}, &cancel).unwrap();
        assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [1666, 834]);
        cancel.cancel();
        assert!(snapshot.find(0..2500, &selection("timeout"), &cancel).unwrap().is_empty());
        assert!(snapshot.message(2500).is_err());
    }

    #[tokio::test]
    async fn a_snapshot_stops_at_its_limit_and_everything_is_given_back() {
        let (snapshot, summary, memory) = kept(2500, Limits { messages: 1000, bytes: u64::MAX }).await;
        assert_eq!((summary.end, snapshot.len()), (End::Limit, 1000));
        assert!(memory.held("dlq").unwrap().is_empty());
    }
}
