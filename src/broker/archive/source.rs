//! The bytes of an archive, in blocks of whole lines.
//!
//! A block is read, decompressed where needed, and cut behind its last line end; what is left begins the next one.
//! Memory is bounded by the block size and the longest line, at any file size. Limits: this is blocking I/O.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{MAX_LINE, STANDARD_STREAM};
use crate::error::{Error, ErrorKind, Result};

/// How much is read before lines are looked for: large enough to make a system call cheap, small enough for a cache.
const BLOCK: usize = 1 << 20;
/// A buffer larger than this held a rare long line and is not kept.
const KEEP: usize = 4 * BLOCK;
/// How often a followed file is asked for more.
const FOLLOW: Duration = Duration::from_millis(200);
/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The last three of the four first bytes of a zstd frame without data, which may come first, too.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// Behind so many lines.
    Lines(u64),
    /// Behind so many messages: lines that are not empty.
    Messages(u64),
}

/// Some whole lines, and what came after them.
pub(super) struct Block {
    /// Its place among the blocks, from 0.
    pub(super) number: u64,
    /// How many lines were skipped before it; only the first block has any.
    pub(super) skipped: u64,
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
    input: Box<dyn Read + Send>,
    /// Gives lines out as soon as they are there, instead of filling blocks: for pipes and followed files.
    eager: bool,
    start: Option<Start>,
    carry: Vec<u8>,
    spare: Vec<Buffer>,
    blocks: u64,
    ended: bool,
}

impl Source {
    /// Opens a file, or standard input for `-`, at its beginning. Without `follow` a file is read up to what is its
    /// end now.
    pub(super) fn open(path: &str, start: Start, follow: Option<CancellationToken>) -> Result<Self> {
        let (input, eager): (Box<dyn Read + Send>, bool) = if path == STANDARD_STREAM {
            (Box::new(io::stdin()), true)
        } else {
            let file = open_file(path)?;
            let metadata = file.metadata().map_err(|error| unreadable(path, error))?;
            match follow {
                Some(cancel) => (Box::new(Following { file, cancel }), true),
                None if metadata.is_file() => (Box::new(file.take(metadata.len())), false),
                None => (Box::new(file), true),
            }
        };
        Ok(Self {
            input: decompressed(input).map_err(|error| unreadable(path, error))?,
            eager,
            start: Some(start),
            carry: Vec::new(),
            spare: Vec::new(),
            blocks: 0,
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
        let mut block = self.read_block();
        if let Some(start) = self.start.take() {
            block = self.skip(start, block);
        }
        self.ended = block.end.is_some();
        block.number = self.blocks;
        self.blocks += 1;
        Some(block)
    }

    /// Drops blocks and lines up to the start.
    fn skip(&mut self, start: Start, mut block: Block) -> Block {
        let (mut lines, mut messages) = (0, 0);
        loop {
            let bytes = block.lines.get();
            let mut kept = bytes.len();
            for (at, line) in lines_of(bytes) {
                let reached = match start {
                    Start::Lines(count) => lines >= count,
                    Start::Messages(count) => messages >= count,
                };
                if reached {
                    kept = at;
                    break;
                }
                lines += 1;
                messages += u64::from(!line.trim_ascii().is_empty());
            }
            if kept < bytes.len() || block.end.is_some() {
                block.lines.bytes.copy_within(kept..block.lines.used, 0);
                block.lines.used -= kept;
                block.skipped = lines;
                return block;
            }
            self.recycle(block.lines);
            block = self.read_block();
        }
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
        let mut end = None;
        while end.is_none() {
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
        Block { number: 0, skipped: 0, lines, end }
    }
}

/// Counts the lines and the messages of a file.
///
/// # Errors
/// What opening or reading it says.
pub(super) fn count(path: &str) -> Result<(u64, u64)> {
    let mut source = Source::open(path, Start::Lines(0), None)?;
    let (mut lines, mut messages) = (0, 0);
    while let Some(block) = source.next_block() {
        for (_, line) in lines_of(block.lines.get()) {
            lines += 1;
            messages += u64::from(!line.trim_ascii().is_empty());
        }
        if let Some(BlockEnd::Failed(error)) = block.end {
            return Err(at_line(&error, path, lines + 1));
        }
        source.recycle(block.lines);
    }
    Ok((lines, messages))
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

/// How messages and errors call an archive.
pub(super) fn name_of(path: &str) -> &str {
    if path == STANDARD_STREAM { "standard input" } else { path }
}

/// Opens a file for reading.
///
/// # Errors
/// `NotFound`, `Denied`, or `Invalid` for a folder.
pub(super) fn open_file(path: &str) -> Result<File> {
    if Path::new(path).is_dir() {
        return Err(Error::new(ErrorKind::Invalid, format!("{path} is a folder, not an archive")));
    }
    File::open(path).map_err(|error| unreadable(path, error))
}

fn unreadable(path: &str, error: io::Error) -> Error {
    let found = Error::from(error);
    Error::new(found.kind(), format!("can't read the archive {}: {found}", name_of(path)))
}

fn too_long() -> Error {
    Error::new(ErrorKind::Invalid, format!("the line is longer than {} MiB", MAX_LINE >> 20))
}

/// What a failed read means: the disk, or data that is cut or damaged.
fn broken(error: io::Error) -> Error {
    let (kind, what) = match error.kind() {
        _ if error.raw_os_error().is_some() => (ErrorKind::Io, "the archive can't be read on"),
        io::ErrorKind::UnexpectedEof => (ErrorKind::Invalid, "the zstd data is cut here"),
        _ => (ErrorKind::Invalid, "the zstd data is damaged here"),
    };
    Error::new(kind, what).because(error)
}

/// Decompresses what begins like zstd, frame after frame.
fn decompressed(input: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut input = BufReader::with_capacity(zstd::zstd_safe::DCtx::in_size(), input);
    // A pipe may give the first bytes one by one.
    let mut first = Vec::with_capacity(ZSTD.len());
    while first.len() < ZSTD.len() {
        let more = match input.fill_buf() {
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let Some(byte) = more.first() else { break };
        first.push(*byte);
        input.consume(1);
    }
    let compressed = is_zstd(&first);
    let rest = io::Cursor::new(first).chain(input);
    if compressed {
        let buffered = BufReader::with_capacity(zstd::zstd_safe::DCtx::in_size(), rest);
        return Ok(Box::new(zstd::Decoder::with_buffer(buffered)?));
    }
    Ok(Box::new(rest))
}

/// Whether the first bytes of a file are those of a zstd frame.
pub(super) fn is_zstd(first: &[u8]) -> bool {
    match first {
        [0x50..=0x5F, rest @ ..] => rest == ZSTD_SKIPPABLE,
        _ => first == ZSTD,
    }
}

/// A file that may still grow: reading it waits for more until it is cancelled.
struct Following {
    file: File,
    cancel: CancellationToken,
}

impl Read for Following {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.file.read(into)?;
            if count > 0 || into.is_empty() || self.cancel.is_cancelled() {
                return Ok(count);
            }
            std::thread::sleep(FOLLOW);
        }
    }
}
