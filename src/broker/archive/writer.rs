//! Writing an archive so that what is claimed is on the disk.
//!
//! Messages are appended in memory and become true with [`ArchiveWriter::commit`]: written, flushed to the disk, read
//! back and compared with what is still in memory. Up to the offset that it returns the file is what it says; behind
//! it there is at most a torn rest, which an error, a drop or [`ArchiveWriter::truncate_to`] takes away. Limits: this
//! is blocking I/O, and one writer at a time holds the file's lock (where the file system has locks).

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use zstd::bulk::Compressor;
use zstd::zstd_safe::CParameter;

use super::MAX_LINE;
use crate::error::{Error, ErrorKind, Result};
use crate::message::jsonl::{self, write_line};
use crate::message::{Amqp, Fields, Message, Value};

/// How many bytes of lines are kept before they are written without a commit; also the most that one frame holds.
const FLUSH: usize = 8 << 20;
/// A line is never longer than this many times its message, plus some hundred bytes: `\u00XX` for each byte.
const LARGEST_ESCAPE: u64 = 6;
/// How much is read back at once.
const PIECE: usize = 1 << 17;
/// zstd's own default.
const LEVEL: i32 = 3;

/// What to do with a file that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Refuse it: nothing of it is touched.
    Refuse,
    /// Write behind what it holds. A file that is not there is created.
    Append,
}

/// A file that messages are appended to, as lines or as zstd frames of lines.
pub struct ArchiveWriter {
    path: PathBuf,
    file: File,
    frames: Option<Compressor<'static>>,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    /// Up to here everything is confirmed.
    confirmed: u64,
    /// Up to here lines are on the disk, read back and compared.
    written: u64,
    messages: u64,
    unconfirmed_messages: u64,
    /// A write or a flush failed: what the file holds behind `confirmed` is not known.
    failed: bool,
    /// The end of what was there before has been looked at.
    joint_checked: bool,
}

impl ArchiveWriter {
    /// Creates the file (mode 0600, its folder flushed to the disk), or opens it to append. It is compressed where
    /// the name ends in `.zst`.
    ///
    /// # Errors
    /// `Refused` for a file that is there already, `Locked` where another process writes to it, `Invalid` where it
    /// is of the other format than its name says, `Unsupported` for `-`, else what the file system says.
    pub fn create(path: impl AsRef<Path>, existing: Existing) -> Result<Self> {
        let path = path.as_ref();
        if path == Path::new(super::STANDARD_STREAM) {
            return Err(Error::new(ErrorKind::Unsupported, "standard output can't confirm that it holds a message")
                .hint("name a file: file:PATH.jsonl.zst"));
        }
        let (file, is_new) = open(path, existing)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(Error::new(
                    ErrorKind::Locked,
                    format!("another process is writing to the archive {}", path.display()),
                ));
            }
            // A file system without locks is no reason to refuse.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let compress = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zst"));
        let mut writer = Self {
            path: path.to_owned(),
            frames: compress.then(frames).transpose().map_err(|error| failure(path, &error))?,
            confirmed: file.metadata().map_err(|error| failure(path, &error))?.len(),
            file,
            pending: Vec::new(),
            written: 0,
            messages: 0,
            unconfirmed_messages: 0,
            failed: false,
            joint_checked: is_new,
        };
        writer.written = writer.confirmed;
        Ok(writer)
    }

    /// Whether the message can be written and read again.
    ///
    /// # Errors
    /// `Rejected` where its values nest too deep or its line would be too long.
    pub fn accepts(&self, message: &Message) -> Result<()> {
        let rejected = |what: String| {
            Error::new(ErrorKind::Rejected, format!("message {:?} can't be archived: {what}", message.id))
        };
        let nested = [&message.headers, &message.properties, &message.metadata].into_iter().map(depth).max();
        if nested > Some(jsonl::MAX_DEPTH) {
            return Err(rejected(format!("its values nest deeper than {}", jsonl::MAX_DEPTH)));
        }
        if message.size().saturating_mul(LARGEST_ESCAPE) > MAX_LINE as u64 / 2 {
            let mut line = Vec::new();
            write_line(message, None, &mut line);
            if line.len() >= MAX_LINE {
                return Err(rejected(format!("its line would be longer than {} MiB", MAX_LINE >> 20)));
            }
        }
        Ok(())
    }

    /// Appends messages and returns how many bytes of lines they are. Nothing is claimed before the next commit.
    ///
    /// # Errors
    /// `Rejected` for a message that [`ArchiveWriter::accepts`] refuses: then none of them is appended. Else the
    /// file failed: nothing since the last commit is in the archive.
    pub fn append<'a>(&mut self, messages: impl IntoIterator<Item = &'a Message> + Clone) -> Result<u64> {
        self.check_usable()?;
        messages.clone().into_iter().try_for_each(|message| self.accepts(message))?;
        self.check_joint()?;
        let mut bytes = 0;
        for message in messages {
            let before = self.pending.len();
            write_line(message, None, &mut self.pending);
            bytes += (self.pending.len() - before) as u64;
            self.unconfirmed_messages += 1;
            if self.pending.len() >= FLUSH {
                self.flush()?;
            }
        }
        Ok(bytes)
    }

    /// Makes everything appended so far true: written (as one zstd frame where compressed), flushed to the disk, read
    /// back and compared. Returns the offset up to which the file is confirmed.
    ///
    /// # Errors
    /// What failed. Then nothing since the last commit is in the archive, and the writer takes nothing more.
    pub fn commit(&mut self) -> Result<u64> {
        self.check_usable()?;
        self.flush()?;
        self.confirmed = self.written;
        self.messages += std::mem::take(&mut self.unconfirmed_messages);
        Ok(self.confirmed)
    }

    /// Drops everything behind `offset`, which a commit has returned: the torn rest that a crash left.
    ///
    /// # Errors
    /// `Invalid` where the file is shorter than that: something that was confirmed is gone.
    pub fn truncate_to(&mut self, offset: u64) -> Result<()> {
        let length = self.file.metadata().map_err(|error| failure(&self.path, &error))?.len();
        if length < offset {
            return Err(Error::new(
                ErrorKind::Invalid,
                format!("the archive {} has {length} bytes, but {offset} were confirmed", self.path.display()),
            )
            .hint("something else changed the file; keep it and look for a backup before anything is removed"));
        }
        self.pending.clear();
        self.unconfirmed_messages = 0;
        self.file.set_len(offset).and_then(|()| self.file.sync_all()).map_err(|error| failure(&self.path, &error))?;
        self.confirmed = offset;
        self.written = offset;
        self.joint_checked = offset == 0;
        Ok(())
    }

    /// How many messages this writer has written and confirmed.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// The offset up to which the file is confirmed.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.confirmed
    }

    fn check_usable(&self) -> Result<()> {
        if self.failed {
            let what = format!("the archive {} failed before and takes nothing more", self.path.display());
            return Err(Error::new(ErrorKind::Io, what));
        }
        Ok(())
    }

    /// What was there before must be of our format and end with a whole line.
    fn check_joint(&mut self) -> Result<()> {
        if self.joint_checked || self.confirmed == 0 {
            return Ok(());
        }
        let mut first = [0; 4];
        let mut last = [0; 1];
        let read = self.file.seek(SeekFrom::Start(0)).and_then(|_| {
            let count = self.file.read(&mut first)?;
            self.file.seek(SeekFrom::Start(self.confirmed - 1))?;
            self.file.read_exact(&mut last)?;
            Ok(count)
        });
        read.map_err(|error| failure(&self.path, &error))?;
        let is_zstd = super::input::is_zstd(&first);
        let fault = match &self.frames {
            Some(_) if !is_zstd => "its name says zstd and its content does not",
            None if is_zstd => "its content is zstd and its name does not end in .zst",
            None if last != *b"\n" => "its last line has no end and may be cut",
            _ => {
                self.joint_checked = true;
                return Ok(());
            }
        };
        Err(Error::new(ErrorKind::Invalid, format!("can't append to the archive {}: {fault}", self.path.display()))
            .hint("write to a new file, or mend this one first"))
    }

    /// Has what is pending on the disk, read back and compared.
    fn flush(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        match self.write().and_then(|end| self.verify(end).map(|()| end)) {
            Ok(end) => {
                self.written = end;
                self.pending.clear();
                self.pending.shrink_to(FLUSH * 2);
                Ok(())
            }
            Err(error) => Err(self.give_up(&error)),
        }
    }

    /// Writes what is pending to the disk, and returns where it ends in the file.
    fn write(&mut self) -> io::Result<u64> {
        let frame = self.frames.as_mut().map(|frames| frames.compress(&self.pending)).transpose()?;
        let bytes = frame.as_deref().unwrap_or(&self.pending);
        self.file.seek(SeekFrom::Start(self.written))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()?;
        Ok(self.written + bytes.len() as u64)
    }

    /// Reads the file from what was written before up to `end`, and compares it with what is pending.
    fn verify(&mut self, end: u64) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.written))?;
        let written = Read::by_ref(&mut self.file).take(end - self.written);
        let same = match &self.frames {
            Some(_) => reads_as(&self.pending, zstd::Decoder::new(written)?)?,
            None => reads_as(&self.pending, written)?,
        };
        if same { Ok(()) } else { Err(io::Error::other("what is read back is not what was written")) }
    }

    /// After a failure: takes back what is not confirmed, as far as the file system lets us.
    fn give_up(&mut self, error: &io::Error) -> Error {
        self.failed = true;
        self.pending.clear();
        self.unconfirmed_messages = 0;
        let reason = failure(&self.path, error);
        match self.file.set_len(self.confirmed) {
            Ok(()) => reason,
            Err(_) => reason.context("confirmed_bytes", self.confirmed.to_string()),
        }
    }
}

/// What was appended and not committed is taken out again.
impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        if self.written > self.confirmed && !self.failed {
            // Nobody is left to tell; a torn rest is named by whoever reads the archive.
            _ = self.file.set_len(self.confirmed);
        }
    }
}

impl std::fmt::Debug for ArchiveWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ArchiveWriter")
            .field("path", &self.path)
            .field("confirmed", &self.confirmed)
            .finish_non_exhaustive()
    }
}

fn open(path: &Path, existing: Existing) -> Result<(File, bool)> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    if path.is_dir() {
        return Err(Error::new(ErrorKind::Invalid, format!("{} is a folder, not an archive", path.display())));
    }
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            sync_folder(folder).map_err(|error| failure(path, &error))?;
            Ok((file, true))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && existing == Existing::Append => {
            options.open(path).map(|file| (file, false)).map_err(|error| failure(path, &error))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Error::new(ErrorKind::Refused, format!("the archive {} exists already", path.display()))
                .hint("choose another name, or move it away; an existing archive is never overwritten"))
        }
        Err(error) => Err(failure(path, &error)),
    }
}

/// Makes the file's name survive a crash.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Whether `source` gives exactly these bytes.
fn reads_as(mut expected: &[u8], mut source: impl Read) -> io::Result<bool> {
    let mut piece = vec![0; PIECE];
    loop {
        let found = match source.read(&mut piece) {
            Ok(0) => return Ok(expected.is_empty()),
            Ok(count) => piece.get(..count).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match expected.strip_prefix(found) {
            Some(rest) => expected = rest,
            None => return Ok(false),
        }
    }
}

fn frames() -> io::Result<Compressor<'static>> {
    let mut frames = Compressor::new(LEVEL)?;
    frames.set_parameter(CParameter::ChecksumFlag(true))?;
    Ok(frames)
}

/// A file system's error as ours, with what to do.
fn failure(path: &Path, error: &io::Error) -> Error {
    let (kind, hint) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            (ErrorKind::Io, "the disk is full: free some space or write elsewhere")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (ErrorKind::Denied, "the folder must be one that you may write to")
        }
        io::ErrorKind::NotFound => (ErrorKind::NotFound, "the folder must exist"),
        _ => (ErrorKind::Io, "nothing that was not confirmed before is claimed to be in the archive"),
    };
    Error::new(kind, format!("can't write the archive {}: {error}", path.display())).hint(hint)
}

/// How deep arrays and tables nest in the fields.
fn depth(fields: &Fields) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::Amqp(Amqp::Array(values)) => 1 + values.iter().map(of).max().unwrap_or(0),
            Value::Amqp(Amqp::Table(fields)) => 1 + depth(fields),
            _ => 0,
        }
    }
    fields.iter().map(|(_, value)| of(value)).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_back_must_be_every_byte_and_no_more() {
        let written: Vec<u8> = (0..=u8::MAX).cycle().take(PIECE + 7).collect();
        assert!(reads_as(&written, written.as_slice()).unwrap());
        assert!(reads_as(b"", io::empty()).unwrap());
        let mut other = written.clone();
        other[PIECE + 1] ^= 1;
        let longer = [written.as_slice(), b"x"].concat();
        for found in [&other, &longer, &written[1..].to_vec(), &written[..PIECE].to_vec(), &Vec::new()] {
            assert!(!reads_as(&written, found.as_slice()).unwrap());
        }
    }

    #[test]
    fn a_disk_that_gives_back_something_else_confirms_nothing() {
        for name in ["dead.jsonl", "dead.jsonl.zst"] {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = ArchiveWriter::create(folder.path().join(name), Existing::Refuse).unwrap();
            let message = Message { payload: Some("precious".into()), ..Message::default() };
            writer.append([&message]).unwrap();
            let confirmed = writer.commit().unwrap();
            writer.append([&message]).unwrap();
            let end = writer.write().unwrap();
            writer.verify(end).unwrap();
            // What is in memory is what counts, whatever the file says of itself.
            let at = writer.pending.len() / 2;
            writer.pending[at] ^= 1;
            assert!(writer.verify(end).is_err(), "{name}");
            assert!(writer.verify(end - 1).is_err(), "{name}");
            assert_eq!(writer.offset(), confirmed);
        }
    }
}
