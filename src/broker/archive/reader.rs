//! Reading an archive: blocks are scanned on worker threads and delivered in order.
//!
//! Whoever scans a block has read it: reading is one at a time, scanning is beside each other. A fault ends the read
//! after everything before it has been delivered. Limits: a followed archive that is replaced or cut is not noticed.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::scan::{Scanned, scan};
use super::source::{Source, Start, at_line};
use super::{STANDARD_STREAM, off_thread, unsupported};
use crate::broker::{Batch, BrowseOptions, Closed, Delivery, End, From, Progress, Reader, Settle, Token, Until};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Position;
use crate::message::filter::Prefilter;

/// How many blocks without a match one worker goes through before it reports.
const RUN: usize = 16;
/// How many blocks may wait for one before them.
const WAITING: usize = 64;

/// Scanned blocks in their order, and the numbers that they have.
type Run = Vec<(u64, u64, Scanned)>;

/// A look at an archive.
pub(super) struct ArchiveReader {
    path: String,
    address: Arc<str>,
    source: Arc<Mutex<Source>>,
    prefilter: Option<Arc<Prefilter>>,
    workers: FuturesUnordered<BoxFuture<'static, Result<Run>>>,
    width: usize,
    waiting: BTreeMap<u64, (u64, Scanned)>,
    next_block: u64,
    lines: u64,
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
    /// The first line that is behind the range.
    before: Option<u64>,
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
        Ok(Self {
            path: path.to_owned(),
            address: format!("file:{path}").into(),
            width: if source.is_eager() { 1 } else { cores.min(8) },
            source: Arc::new(Mutex::new(source)),
            prefilter: options.prefilter.filter(|prefilter| !prefilter.is_pass_all()).map(Arc::new),
            workers: FuturesUnordered::new(),
            waiting: BTreeMap::new(),
            next_block: 0,
            lines: 0,
            ready: VecDeque::new(),
            fault: None,
            failed: false,
            ended: false,
            drained: false,
            left: options.limit,
            before,
            progress: Progress::default(),
            _ends_with_reader: cancel.clone().drop_guard(),
            cancel,
        })
    }

    /// Takes in what a worker has scanned, as far as the order allows.
    fn take_in(&mut self, run: Run) {
        self.drained |= run.is_empty();
        for (number, skipped, scanned) in run {
            self.waiting.insert(number, (skipped, scanned));
        }
        while !self.ended
            && let Some((skipped, scanned)) = self.waiting.remove(&self.next_block)
        {
            self.next_block += 1;
            self.lines += skipped;
            let base = self.lines;
            self.lines += scanned.lines;
            self.progress.scanned += scanned.messages;
            self.progress.bytes += scanned.bytes;
            self.ended = scanned.is_last;
            let in_range = |line: u64| self.before.is_none_or(|before| line < before);
            for (line, mut message) in scanned.found {
                let line = base + line;
                if in_range(line) {
                    message.address = Arc::clone(&self.address);
                    message.position = Some(Position { partition: None, offset: line });
                    self.ready.push_back(Delivery::new(message, Token(line), None));
                }
            }
            if let Some((line, fault)) = scanned.fault {
                self.ended = true;
                if in_range(base + line) {
                    self.failed = true;
                    self.fault = Some(at_line(&fault, &self.path, base + line));
                }
            }
            self.ended |= !in_range(self.lines + 1);
        }
    }

    fn keep_workers_busy(&mut self) {
        // A block that is waiting waits for one that is under way, so this can't stall.
        while !self.drained && !self.ended && self.workers.len() < self.width && self.waiting.len() < WAITING {
            let (source, prefilter) = (Arc::clone(&self.source), self.prefilter.clone());
            let cancel = self.cancel.clone();
            self.workers.push(Box::pin(off_thread(move || Ok(work(&source, prefilter.as_deref(), &cancel)))));
        }
    }
}

/// Scans blocks until one has something to tell.
fn work(source: &Mutex<Source>, prefilter: Option<&Prefilter>, cancel: &CancellationToken) -> Run {
    let lock = || source.lock().unwrap_or_else(PoisonError::into_inner);
    let mut run = Vec::new();
    while run.len() < RUN && !cancel.is_cancelled() {
        let Some(block) = lock().next_block() else { break };
        let scanned = scan(block.lines.get(), block.end, prefilter);
        lock().recycle(block.lines);
        let report = scanned.is_last || scanned.fault.is_some() || !scanned.found.is_empty();
        run.push((block.number, block.skipped, scanned));
        if report {
            break;
        }
    }
    run
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
            if end.is_some() || !deliveries.is_empty() {
                return Ok(Batch { deliveries, end });
            }
            if self.failed && self.ready.is_empty() {
                let again =
                    || Error::new(ErrorKind::Invalid, format!("the read of {} has failed before", self.address));
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
