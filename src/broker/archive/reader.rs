//! Reading an archive: blocks are scanned on worker threads and delivered in order.
//!
//! Whoever scans a block has read it: reading is one at a time, scanning is beside each other. A fault ends the read
//! after everything before it has been delivered. An intake gets the messages on those threads, a stretch of blocks as a
//! batch. Limits: a followed archive that is replaced or cut is not noticed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::scan::{Look, Scanned};
use super::source::{Block, Source, Start, at_line};
use super::{STANDARD_STREAM, off_thread, unsupported};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, From, Progress, Reader, Settle, Token, Until};
use crate::error::{Error, ErrorKind, Result};

/// How many blocks one worker goes through before it reports, where nobody waits for what is in them.
const RUN: usize = 16;
/// How many blocks in a row are one batch of an intake: what it begins anew for each batch should not count.
const STRETCH: usize = 8;
/// How many blocks may wait for one before them.
const WAITING: usize = 64;

/// Scanned blocks in their order, and the numbers that they have.
type Run = Vec<(u64, Scanned)>;

/// A look at an archive.
pub(super) struct ArchiveReader {
    path: String,
    source: Arc<Mutex<Source>>,
    look: Arc<Look>,
    workers: FuturesUnordered<BoxFuture<'static, Result<Run>>>,
    width: usize,
    waiting: BTreeMap<u64, Scanned>,
    next_block: u64,
    ready: VecDeque<Delivery>,
    fault: Option<Error>,
    /// There was a fault, told or not.
    failed: bool,
    /// The last block of the range is taken in.
    ended: bool,
    /// The source has no more blocks; some may still be under way.
    drained: bool,
    /// Deliveries that may still be given out.
    left: Option<u64>,
    progress: Progress,
    cancel: CancellationToken,
    _ends_with_reader: DropGuard,
}

impl ArchiveReader {
    /// Opens the archive and finds the first line of the range.
    pub(super) async fn open(path: &str, options: BrowseOptions) -> Result<Self> {
        let before = match options.until {
            None => None,
            Some(Until::Offset(line)) => Some(line),
            Some(Until::Time(_)) => return Err(unsupported(path, "has no order of time to end a read by")),
        };
        if options.partition.is_some() {
            return Err(unsupported(path, "has no partitions"));
        }
        if options.follow && path == STANDARD_STREAM {
            return Err(unsupported(path, "is read to its end anyway and can't be followed"));
        }
        let cancel = options.cancel.child_token();
        let (at, start, follow, token) = (path.to_owned(), start(path, options.from)?, options.follow, cancel.clone());
        let source = off_thread(move || Source::open(&at, start, follow, token)).await?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let look = Look {
            address: format!("file:{path}").into(),
            prefilter: options.prefilter.filter(|prefilter| !prefilter.is_pass_all()),
            before,
            // Which ones a limit lets through is known only in their order, and what comes bit by bit is told at once.
            intake: options.intake.filter(|_| options.limit.is_none() && !source.is_eager()),
        };
        Ok(Self {
            path: path.to_owned(),
            look: Arc::new(look),
            width: if source.is_eager() { 1 } else { cores.min(8) },
            source: Arc::new(Mutex::new(source)),
            workers: FuturesUnordered::new(),
            waiting: BTreeMap::new(),
            next_block: 0,
            ready: VecDeque::new(),
            fault: None,
            failed: false,
            ended: false,
            drained: false,
            left: options.limit,
            progress: Progress::default(),
            _ends_with_reader: cancel.clone().drop_guard(),
            cancel,
        })
    }

    /// Takes in what a worker has scanned, as far as the order allows.
    fn take_in(&mut self, run: Run) {
        self.drained |= run.is_empty();
        self.waiting.extend(run);
        while !self.ended
            && let Some(scanned) = self.waiting.remove(&self.next_block)
        {
            self.next_block += 1;
            self.progress.scanned += scanned.messages;
            self.progress.bytes += scanned.bytes;
            self.ended = scanned.is_last;
            if self.look.intake.is_some() {
                self.progress.delivered += scanned.matched;
                self.progress.taken_in = self.next_block;
            }
            self.ready.extend(scanned.found);
            if let Some((line, fault)) = scanned.fault {
                self.ended = true;
                self.failed = true;
                self.fault = Some(at_line(&fault, &self.path, line));
            }
        }
    }

    fn keep_workers_busy(&mut self) {
        // A block that is waiting waits for one that is under way, so this can't stall.
        while !self.drained && !self.ended && self.workers.len() < self.width && self.waiting.len() < WAITING {
            let (source, look, cancel) = (Arc::clone(&self.source), Arc::clone(&self.look), self.cancel.clone());
            self.workers.push(Box::pin(off_thread(move || Ok(work(&source, &look, &cancel)))));
        }
    }
}

/// Scans blocks until one has something for the caller.
fn work(source: &Mutex<Source>, look: &Look, cancel: &CancellationToken) -> Run {
    let lock = || source.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut run, mut is_awaited) = (Vec::new(), false);
    while !is_awaited && run.len() < RUN && !cancel.is_cancelled() {
        let stretch = next_stretch(&mut lock(), if look.intake.is_some() { STRETCH } else { 1 });
        let Some(batch) = stretch.first().map(|block| block.number) else { break };
        for mut block in stretch {
            let scanned = look.scan(&mut block, batch);
            lock().recycle(block.lines);
            let is_end = scanned.is_last || scanned.fault.is_some();
            is_awaited |= is_end || !scanned.found.is_empty();
            run.push((block.number, scanned));
            if is_end {
                break;
            }
        }
    }
    run
}

/// The next blocks, read in one go.
fn next_stretch(source: &mut Source, blocks: usize) -> Vec<Block> {
    std::iter::from_fn(|| source.next_block()).take(blocks).collect()
}

/// Where a read begins.
fn start(path: &str, from: From) -> Result<Start> {
    Ok(match from {
        From::First => Start::Lines(0),
        From::Offset(line) => Start::Lines(line.saturating_sub(1)),
        From::Last(messages) => Start::Last(messages),
        From::End => Start::End,
        From::Time(_) => return Err(unsupported(path, "has no order of time to begin a read by")),
    })
}

#[async_trait]
impl Reader for ArchiveReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        let max = max.max(1);
        let taken_in = self.progress.taken_in;
        loop {
            if self.cancel.is_cancelled() && !self.ready.is_empty() {
                // What was scanned ahead is not wanted any more.
                return Ok(Batch { deliveries: Vec::new(), end: Some(End::Cancelled) });
            }
            let room = self.left.map_or(max, |left| max.min(usize::try_from(left).unwrap_or(max)));
            let deliveries: Vec<Delivery> = self.ready.drain(..room.min(self.ready.len())).collect();
            self.progress.delivered += deliveries.len() as u64;
            self.left = self.left.map(|left| left - deliveries.len() as u64);
            let end = if self.ended && self.ready.is_empty() && !self.failed {
                Some(End::Exhausted)
            } else if self.left == Some(0) {
                Some(End::Limit)
            } else if self.cancel.is_cancelled() {
                Some(End::Cancelled)
            } else {
                None
            };
            if end.is_none() {
                // They go on while the caller handles what it got.
                self.keep_workers_busy();
            }
            if end.is_some() || !deliveries.is_empty() || self.progress.taken_in > taken_in {
                return Ok(Batch { deliveries, end });
            }
            if self.failed && self.ready.is_empty() {
                let again =
                    || Error::new(ErrorKind::Invalid, format!("the read of {} has failed before", self.look.address));
                return Err(self.fault.take().unwrap_or_else(again));
            }
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => {}
                run = self.workers.next() => match run {
                    Some(run) => self.take_in(run?),
                    None => return Err(Error::new(ErrorKind::Unexpected, "the read stopped before the archive's end")),
                },
            }
        }
    }

    async fn settle(&mut self, tokens: &[Token], _how: Settle) -> Vec<Result<()>> {
        tokens.iter().map(|_| Err(unsupported(&self.path, "keeps its messages: nothing is taken from it"))).collect()
    }

    fn progress(&self) -> Progress {
        self.progress
    }

    async fn close(&mut self) -> Result<Closed> {
        self.cancel.cancel();
        self.workers.clear();
        Ok(Closed::default())
    }
}
