//! The bytes of an archive, in blocks of whole lines.
//!
//! A block is read, decompressed where needed, and cut behind its last line end; what is left begins the next one.
//! Memory is bounded by the block size and the longest line, at any file size. Limits: this is blocking I/O.

use std::io::{self, Read as _};

use tokio_util::sync::CancellationToken;

use super::input::{Following, Input, broken, decompressed, name_of, open_file, unreadable};
use super::{MAX_LINE, STANDARD_STREAM, unsupported};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::jsonl::read_line;

/// How much is read before lines are looked for: large enough to make a system call cheap, small enough for a cache.
const BLOCK: usize = 1 << 20;
/// A buffer larger than this held a rare long line and is not kept.
const KEEP: usize = 4 * BLOCK;

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Behind so many lines.
    Lines(u64),
    /// Behind so many messages: lines that are not empty.
    Messages(u64),
    /// At the last so many messages.
    Last(u64),
    /// At the end that the archive had when it was opened.
    End,
}

/// Some whole lines, and what came after them.
pub(super) struct Block {
    /// Its place among the blocks, from 0.
    pub(super) number: u64,
    /// How many lines of the archive stand before it.
    pub(super) before: u64,
    /// The lines; the last one may lack its line end at the end of the archive.
    pub(super) lines: Buffer,
    /// What ended the archive, when it did.
    pub(super) end: Option<BlockEnd>,
}

/// What ended an archive.
pub(super) enum BlockEnd {
    /// Its last byte.
    Exhausted,
    /// It can't be read on. The line behind the block's is the one that is cut.
    Failed(Error),
}

/// Bytes, of which only the first are in use: a buffer is filled with zeros once and not for each block.
#[derive(Default)]
pub(super) struct Buffer {
    bytes: Vec<u8>,
    used: usize,
}

impl Buffer {
    /// The bytes in use.
    pub(super) fn get(&self) -> &[u8] {
        self.bytes.get(..self.used).unwrap_or_default()
    }
}

/// An archive that is being read.
pub(super) struct Source {
    input: Input,
    /// The first bytes have been looked at, which may wait for them.
    recognized: bool,
    /// Gives lines out as soon as they are there, instead of filling blocks: for pipes and followed files.
    eager: bool,
    /// How to find the first line, until that is done.
    skip: Option<Skip>,
    cancel: CancellationToken,
    carry: Vec<u8>,
    spare: Vec<Buffer>,
    blocks: u64,
    /// Lines in the blocks so far and before them.
    lines: u64,
    ended: bool,
}

impl Source {
    /// Opens a file, or standard input for `-`; nothing is read yet. Without `follow` a file is read up to what is
    /// its end now. `cancel` ends it like the end of the file.
    ///
    /// # Errors
    /// `Unsupported` for a start that is not the beginning of what can be read only once.
    pub(super) fn open(path: &str, start: Start, follow: bool, cancel: CancellationToken) -> Result<Self> {
        let mut length = None;
        let input: Input = if path == STANDARD_STREAM {
            Box::new(io::stdin())
        } else {
            let file = open_file(path)?;
            let metadata = file.metadata().map_err(|error| unreadable(path, error))?;
            length = metadata.is_file().then_some(metadata.len());
            match length {
                _ if follow => Box::new(Following::new(file, cancel.clone())),
                Some(length) => Box::new(file.take(length)),
                None => Box::new(file),
            }
        };
        if length.is_none() && start != Start::Lines(0) {
            return Err(unsupported(path, "can only be read from its beginning"));
        }
        Ok(Self {
            input,
            recognized: false,
            eager: follow || length.is_none(),
            skip: Some(Skip { start, path: path.to_owned(), length: length.unwrap_or_default() }),
            cancel,
            carry: Vec::new(),
            spare: Vec::new(),
            blocks: 0,
            lines: 0,
            ended: false,
        })
    }

    /// Whether lines come one by one, so that only one block at a time is worth waiting for.
    pub(super) fn is_eager(&self) -> bool {
        self.eager
    }

    /// Gives a buffer back, to be filled again.
    pub(super) fn recycle(&mut self, buffer: Buffer) {
        if buffer.bytes.len() <= KEEP {
            self.spare.push(buffer);
        }
    }

    /// The next block; `None` after the one that had an end.
    pub(super) fn next_block(&mut self) -> Option<Block> {
        if self.ended {
            return None;
        }
        let mut block = match self.skip.take().map(|skip| skip.resolve(&self.cancel)) {
            None => self.read_block(),
            Some(Ok(start)) => self.read_behind(start),
            Some(Err((lines, error))) => {
                self.lines = lines;
                Block { number: 0, before: 0, lines: Buffer::default(), end: Some(BlockEnd::Failed(error)) }
            }
        };
        self.ended = block.end.is_some();
        (block.number, block.before) = (self.blocks, self.lines);
        self.blocks += 1;
        self.lines += memchr::memchr_iter(b'\n', block.lines.get()).count() as u64;
        Some(block)
    }

    /// Reads up to the first block that holds something behind the start.
    fn read_behind(&mut self, start: Start) -> Block {
        let mut count = Count::default();
        loop {
            let mut block = self.read_block();
            let bytes = block.lines.get();
            let first = lines_of(bytes).find(|(_, line)| {
                let reached = match start {
                    Start::Lines(lines) => count.lines >= lines,
                    Start::Messages(messages) => count.messages >= messages,
                    Start::Last(_) | Start::End => false,
                };
                if !reached {
                    count.add(line);
                }
                reached
            });
            let kept = first.map_or(bytes.len(), |(at, _)| at);
            if kept < bytes.len() || block.end.is_some() {
                block.lines.bytes.copy_within(kept..block.lines.used, 0);
                block.lines.used -= kept;
                self.lines = count.lines;
                return block;
            }
            self.recycle(block.lines);
        }
    }

    /// Counts what is left. The error comes with the number of whole lines before it.
    fn count(mut self) -> Result<Count, (u64, Error)> {
        let mut count = Count::default();
        while let Some(block) = self.next_block() {
            for (_, line) in lines_of(block.lines.get()) {
                count.add(line);
            }
            if let Some(BlockEnd::Failed(error)) = block.end {
                return Err((count.lines, error));
            }
            self.recycle(block.lines);
        }
        Ok(count)
    }

    /// Finds out by the first bytes whether the archive is compressed.
    fn recognize(&mut self) -> Result<()> {
        if !self.recognized {
            self.recognized = true;
            let input = std::mem::replace(&mut self.input, Box::new(io::empty()));
            self.input = decompressed(input)?;
        }
        Ok(())
    }

    fn read_block(&mut self) -> Block {
        let mut lines = self.spare.pop().unwrap_or_default();
        if lines.bytes.len() < BLOCK.max(self.carry.len()) {
            lines.bytes.resize(BLOCK.max(self.carry.len()), 0);
        }
        lines.used = self.carry.len();
        if let Some(head) = lines.bytes.get_mut(..self.carry.len()) {
            head.copy_from_slice(&self.carry);
        }
        self.carry.clear();
        // Where the last line found so far ends; what stands before it needs no second look.
        let mut whole = 0;
        let mut end = self.recognize().err().map(BlockEnd::Failed);
        while end.is_none() {
            if self.cancel.is_cancelled() {
                end = Some(BlockEnd::Exhausted);
                break;
            }
            if lines.used == lines.bytes.len() {
                if whole > 0 {
                    break;
                }
                if lines.used >= MAX_LINE {
                    end = Some(BlockEnd::Failed(too_long()));
                    break;
                }
                lines.bytes.resize(lines.bytes.len() * 2, 0);
            }
            match self.input.read(lines.bytes.get_mut(lines.used..).unwrap_or_default()) {
                Ok(0) => end = Some(BlockEnd::Exhausted),
                Ok(count) => {
                    let read = lines.bytes.get(lines.used..lines.used + count).unwrap_or_default();
                    if let Some(at) = memchr::memrchr(b'\n', read) {
                        whole = lines.used + at + 1;
                    }
                    lines.used += count;
                    if self.eager && whole > 0 {
                        break;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => end = Some(BlockEnd::Failed(broken(error))),
            }
        }
        match end {
            // The last line may lack its end.
            Some(BlockEnd::Exhausted) => whole = lines.used,
            // A part of a line is not given out: the failure names that line.
            Some(BlockEnd::Failed(_)) => {}
            None => self.carry.extend_from_slice(lines.bytes.get(whole..lines.used).unwrap_or_default()),
        }
        lines.used = whole;
        Block { number: 0, before: 0, lines, end }
    }
}

/// What tells which lines to skip.
struct Skip {
    start: Start,
    path: String,
    /// The file's length when it was opened.
    length: u64,
}

impl Skip {
    /// The start as a number of lines or messages. The tail and the end take a pass of their own over the file.
    fn resolve(&self, cancel: &CancellationToken) -> Result<Start, (u64, Error)> {
        let count = || {
            let mut source =
                Source::open(&self.path, Start::Lines(0), false, cancel.clone()).map_err(|error| (0, error))?;
            source.input = Box::new(source.input.take(self.length));
            source.count()
        };
        Ok(match self.start {
            Start::Lines(_) | Start::Messages(_) => self.start,
            Start::Last(wanted) => Start::Messages(count()?.messages.saturating_sub(wanted)),
            Start::End => Start::Lines(count()?.lines),
        })
    }
}

/// How much an archive holds.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Lines, empty ones included.
    lines: u64,
    /// Lines that are not empty.
    messages: u64,
}

impl Count {
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        self.messages += u64::from(!line.trim_ascii().is_empty());
    }
}

/// The first message of a file; `None` where it holds none that can be read.
pub(super) fn first_message(path: &str) -> Option<Message> {
    let mut source = Source::open(path, Start::Lines(0), false, CancellationToken::new()).ok()?;
    let block = source.next_block()?;
    let line = lines_of(block.lines.get()).map(|(_, line)| line).find(|line| !line.trim_ascii().is_empty())?;
    read_line(line).ok()
}

/// Counts the messages of a file.
///
/// # Errors
/// What opening or reading it says.
pub(super) fn count(path: &str) -> Result<u64> {
    let source = Source::open(path, Start::Lines(0), false, CancellationToken::new())?;
    match source.count() {
        Ok(count) => Ok(count.messages),
        Err((lines, error)) => Err(at_line(&error, path, lines + 1)),
    }
}

/// Every line with the place where it begins, without its line feed.
pub(super) fn lines_of(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    let unfinished = (!bytes.is_empty() && !bytes.ends_with(b"\n")).then_some(bytes.len());
    memchr::memchr_iter(b'\n', bytes).chain(unfinished).map(move |end| {
        let line = (start, bytes.get(start..end).unwrap_or_default());
        start = end + 1;
        line
    })
}

/// Names the line and the archive in an error that knows neither.
pub(super) fn at_line(error: &Error, path: &str, line: u64) -> Error {
    let text = format!("line {line} of {}: {error}", name_of(path));
    let hint = error.hint_text().unwrap_or("everything before that line was read; mend or cut the archive there");
    Error::new(error.kind(), text).context("line", line.to_string()).hint(hint)
}

fn too_long() -> Error {
    Error::new(ErrorKind::Invalid, format!("the line is longer than {} MiB", MAX_LINE >> 20))
}
