//! The threads that read: each serves some partitions, asks the prefilter about borrowed bytes, and sends on what passes.
//!
//! Every partition has a short queue of its own towards the reader, so that one which is far ahead in time waits without
//! keeping others back. Limits: nothing here knows the order across partitions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::Duration;

use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::mpsc;

use super::context::Context;
use super::convert::{self, IdText};
use super::errors::{code, explain, is_passing};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::message::filter::Prefilter;

/// Records seen in one turn of a partition at most.
const TURN: u64 = 2000;
/// How long a thread sleeps where nothing wakes it.
const NAP: Duration = Duration::from_millis(20);
/// Chunks on their way for each partition.
const UNDER_WAY: usize = 2;

/// What is read of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) partition: i32,
    /// The first offset.
    pub(super) start: i64,
    /// Behind the last offset; `None` to follow.
    pub(super) end: Option<i64>,
    /// Before this time in milliseconds, for one that follows.
    pub(super) until: Option<i64>,
}

/// A record that passed the prefilter.
pub(super) struct Record {
    pub(super) message: Message,
    /// In milliseconds; where the record has none, that of the one before.
    pub(super) time: i64,
    /// Records before it, since the one that passed last, did not pass.
    pub(super) after_gap: bool,
}

/// What one turn of a partition gave.
#[derive(Default)]
pub(super) struct Chunk {
    pub(super) records: Vec<Record>,
    pub(super) scanned: u64,
    pub(super) bytes: u64,
    /// The time of the last record seen.
    pub(super) time: Option<i64>,
    /// All that was there has been read.
    pub(super) caught_up: bool,
    /// Nothing comes after this.
    pub(super) ended: bool,
}

/// What every thread of a read shares.
pub(super) struct Common {
    pub(super) topic: String,
    pub(super) address: Arc<str>,
    pub(super) prefilter: Option<Prefilter>,
    /// Bytes of one chunk.
    pub(super) chunk: u64,
    pub(super) stop: AtomicBool,
}

/// A partition as its thread sees it.
pub(super) struct Source {
    queue: PartitionQueue<Context>,
    range: Range,
    to: mpsc::Sender<Result<Chunk>>,
    time: i64,
    gap: bool,
    done: bool,
}

impl Source {
    /// A source and where its chunks come out.
    pub(super) fn new(queue: PartitionQueue<Context>, range: Range) -> (Self, mpsc::Receiver<Result<Chunk>>) {
        let (to, from) = mpsc::channel(UNDER_WAY);
        (Self { queue, range, to, time: i64::MIN, gap: false, done: false }, from)
    }
}

/// Starts a thread for these partitions; its handle wakes it.
///
/// # Errors
/// `Io` where there are no threads left.
pub(super) fn start(mut sources: Vec<Source>, common: Arc<Common>) -> Result<Thread> {
    let (tell, told) = std::sync::mpsc::channel::<Thread>();
    let work = move || {
        let me = std::thread::current();
        let _ = tell.send(me.clone());
        for source in &mut sources {
            let me = me.clone();
            source.queue.set_nonempty_callback(move || me.unpark());
        }
        let mut id = IdText::default();
        while !common.stop.load(Ordering::Acquire) && sources.iter().any(|source| !source.done) {
            let mut idle = true;
            for source in sources.iter_mut().filter(|source| !source.done) {
                idle &= !turn(source, &common, &mut id);
            }
            if idle {
                std::thread::park_timeout(NAP);
            }
        }
    };
    std::thread::Builder::new()
        .name("kafka read".into())
        .spawn(work)
        .map_err(|error| Error::new(crate::ErrorKind::Io, "no thread can be started").because(error))?;
    told.recv().map_err(|error| Error::new(crate::ErrorKind::Unexpected, "a thread did not start").because(error))
}

/// Reads on where there is room for it. Whether anything came of it.
fn turn(source: &mut Source, common: &Common, id: &mut IdText) -> bool {
    let to = source.to.clone();
    match to.try_reserve() {
        Ok(permit) => match collect(source, common, id) {
            None => false,
            Some(chunk) => {
                source.done = chunk.as_ref().map_or(true, |chunk| chunk.ended);
                permit.send(chunk);
                true
            }
        },
        Err(mpsc::error::TrySendError::Full(())) => false,
        Err(mpsc::error::TrySendError::Closed(())) => {
            source.done = true;
            true
        }
    }
}

/// What is there now, as one chunk; `None` where there is nothing.
fn collect(source: &mut Source, common: &Common, id: &mut IdText) -> Option<Result<Chunk>> {
    let mut chunk = Chunk::default();
    let mut held = 0;
    while chunk.scanned < TURN && held < common.chunk && !chunk.ended {
        match source.queue.poll(Duration::ZERO) {
            None => break,
            Some(Err(KafkaError::PartitionEOF(_))) => {
                chunk.caught_up = true;
                chunk.ended = source.range.end.is_some();
            }
            Some(Err(error)) => match code(&error) {
                // The group is never joined, so that its rights do not matter; and connections come back.
                Some(Code::GroupAuthorizationFailed) => {}
                Some(code) if is_passing(code) => {}
                _ => return Some(Err(explain(&format!("reading the topic {:?}", common.topic), &error))),
            },
            Some(Ok(raw)) => {
                let Range { start, end, until, .. } = source.range;
                let offset = raw.offset();
                if offset < start {
                    continue;
                }
                let time = convert::millis(&raw).unwrap_or(source.time);
                if end.is_some_and(|end| offset >= end) || until.is_some_and(|until| time >= until) {
                    chunk.ended = true;
                    break;
                }
                chunk.caught_up = false;
                chunk.scanned += 1;
                chunk.bytes += raw.payload_len() as u64;
                source.time = time;
                if convert::may_match(common.prefilter.as_ref(), &raw, id) {
                    let message = convert::message(&common.address, &raw);
                    held += message.size() + 256;
                    chunk.records.push(Record { message, time, after_gap: std::mem::take(&mut source.gap) });
                } else {
                    source.gap = true;
                }
                chunk.ended = end.is_some_and(|end| offset + 1 >= end);
            }
        }
    }
    chunk.time = (source.time > i64::MIN).then_some(source.time);
    let empty = chunk.scanned == 0 && !chunk.caught_up && !chunk.ended;
    (!empty).then_some(Ok(chunk))
}
