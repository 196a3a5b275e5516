//! The file and the index of a snapshot: message lines one after the other, and where each begins.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;

use jiff::Timestamp;

use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::jsonl::write_line;

/// Lines that are not in the file yet, at most.
const BUFFER: usize = 1 << 20;
/// Bytes of lines that a scan reads at once, but for a single longer one.
const BLOCK: u64 = 1 << 20;
/// The time of a message that has none.
const NEVER: i64 = i64::MIN;

/// Where a message is.
#[derive(Clone, Copy, Debug)]
struct Entry {
    offset: u64,
    /// Milliseconds since 1970.
    time: i64,
    part: u16,
}

/// Lines in a file without a name.
#[derive(Debug)]
pub(super) struct Store {
    file: File,
    /// Bytes in the file; behind them comes the buffer.
    flushed: u64,
    buffer: Vec<u8>,
    index: Vec<Entry>,
}

/// A block of lines, and where each message's is in it, with its part.
pub(super) type Block = (Vec<u8>, Vec<(Range<usize>, u16)>);

impl Store {
    pub(super) fn new() -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| {
            Error::new(ErrorKind::Io, "there is no room for what is looked at")
                .hint("TMPDIR names the folder for temporary files; it must be writable")
                .because(error)
        })?;
        Ok(Self { file, flushed: 0, buffer: Vec::new(), index: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.flushed + self.buffer.len() as u64
    }

    pub(super) fn push(&mut self, message: &Message, part: u16) -> Result<()> {
        if self.buffer.len() >= BUFFER {
            self.flush()?;
        }
        let offset = self.bytes();
        let time = message.time.map_or(NEVER, Timestamp::as_millisecond);
        write_line(message, None, &mut self.buffer);
        self.index.push(Entry { offset, time, part });
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        let full = |error: std::io::Error| {
            Error::new(ErrorKind::Io, "what is looked at can't be kept")
                .hint("the folder for temporary files (TMPDIR) may be full; look at fewer messages with a filter")
                .because(error)
        };
        self.file.seek(SeekFrom::Start(self.flushed)).map_err(full)?;
        self.file.write_all(&self.buffer).map_err(full)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn time(&self, index: usize) -> Option<Timestamp> {
        let entry = self.index.get(index).filter(|entry| entry.time != NEVER)?;
        Timestamp::from_millisecond(entry.time).ok()
    }

    pub(super) fn part(&self, index: usize) -> u16 {
        self.index.get(index).map_or(0, |entry| entry.part)
    }

    /// One message's line.
    pub(super) fn line(&mut self, index: usize) -> Result<(Vec<u8>, u16)> {
        let (block, lines) = self.block(index, index + 1)?;
        let (place, part) = lines.into_iter().next().ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("message {} is not there", index + 1)).hint("look again")
        })?;
        Ok((block.get(place).unwrap_or_default().to_vec(), part))
    }

    /// Some lines from a message on, at most up to another; none behind the last.
    pub(super) fn block(&mut self, from: usize, to: usize) -> Result<Block> {
        let to = to.min(self.index.len());
        let Some(start) = self.index.get(from).map(|entry| entry.offset).filter(|_| from < to) else {
            return Ok((Vec::new(), Vec::new()));
        };
        let mut lines = Vec::new();
        let mut last = start;
        for at in from..to {
            let Some(entry) = self.index.get(at) else { break };
            let end = self.index.get(at + 1).map_or(self.bytes(), |next| next.offset);
            if end - start > BLOCK && !lines.is_empty() {
                break;
            }
            let place = |offset: u64| usize::try_from(offset - start).unwrap_or(usize::MAX);
            lines.push((place(entry.offset)..place(end), entry.part));
            last = end;
        }
        Ok((self.read(start, last)?, lines))
    }

    fn read(&mut self, start: u64, end: u64) -> Result<Vec<u8>> {
        let unread = |error| Error::new(ErrorKind::Io, "what was looked at can't be read again").because(error);
        let length = usize::try_from(end - start).unwrap_or(usize::MAX);
        let mut bytes = Vec::with_capacity(length);
        if start < self.flushed {
            self.file.seek(SeekFrom::Start(start)).map_err(unread)?;
            let inside = end.min(self.flushed) - start;
            (&self.file).take(inside).read_to_end(&mut bytes).map_err(unread)?;
        }
        let from = usize::try_from(start.max(self.flushed) - self.flushed).unwrap_or(usize::MAX);
        let to = usize::try_from(end.saturating_sub(self.flushed)).unwrap_or(usize::MAX);
        bytes.extend_from_slice(self.buffer.get(from..to).unwrap_or_default());
        Ok(bytes)
    }
}
