//! Where an archive's bytes come from: files, standard input, files that still grow; plain or as zstd frames.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::STANDARD_STREAM;
use crate::error::{Error, ErrorKind, Result, nearest};

/// How often a followed file is asked for more.
const FOLLOW: Duration = Duration::from_millis(200);
/// So many names of a folder are compared with one that is not there.
const MAX_LISTED: usize = 10_000;
/// The first bytes of a zstd frame.
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1F, 0x8B];
/// The last three of the four first bytes of a zstd frame without data, which may come first, too.
const ZSTD_SKIPPABLE: [u8; 3] = [0x2A, 0x4D, 0x18];

/// Bytes that come one after the other.
pub(super) type Input = Box<dyn Read + Send>;

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
    File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => unreadable(path, error).hint(where_to_look(path)),
        _ => unreadable(path, error),
    })
}

/// What to do about a path that leads nowhere: the file in its folder whose name is nearest, or where to look.
fn where_to_look(path: &str) -> String {
    let path = Path::new(path);
    let folder = path.parent().unwrap_or(Path::new(""));
    let here = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    if !here.is_dir() {
        return format!("there is no folder {}; a relative path begins at the folder you are in", here.display());
    }
    // A folder that can't be listed has no names to offer.
    let entries = std::fs::read_dir(here).into_iter().flatten().flatten().take(MAX_LISTED);
    let files = entries.filter(|entry| entry.file_type().is_ok_and(|kind| !kind.is_dir()));
    let names: Vec<String> = files.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    match nearest(name, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean file:{}?", folder.join(near).display()),
        None => "check the path; a relative one begins at the folder you are in".to_owned(),
    }
}

/// Why a file can't be opened.
pub(super) fn unreadable(path: &str, error: io::Error) -> Error {
    let found = Error::from(error);
    Error::new(found.kind(), format!("can't read the archive {}: {found}", name_of(path)))
}

/// What a failed read means: the disk, or data that is cut or damaged.
pub(super) fn broken(error: io::Error) -> Error {
    let (kind, what) = match error.kind() {
        _ if error.raw_os_error().is_some() => (ErrorKind::Io, "the archive can't be read on"),
        io::ErrorKind::UnexpectedEof => (ErrorKind::Invalid, "the zstd data is cut here"),
        _ => (ErrorKind::Invalid, "the zstd data is damaged here"),
    };
    Error::new(kind, what).because(error)
}

/// Decompresses what begins like zstd, frame after frame.
pub(super) fn decompressed(input: Input) -> Result<Input> {
    let mut input = BufReader::with_capacity(zstd::zstd_safe::DCtx::in_size(), input);
    // A pipe may give the first bytes one by one.
    let mut first = Vec::with_capacity(ZSTD.len());
    while first.len() < ZSTD.len() {
        let more = match input.fill_buf() {
            Ok(more) => more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(error)),
        };
        let Some(byte) = more.first() else { break };
        first.push(*byte);
        input.consume(1);
    }
    let compressed = is_zstd(&first);
    if first.starts_with(&GZIP) {
        return Err(Error::new(ErrorKind::Invalid, "the archive is compressed with gzip, not with zstd")
            .hint("unpack it on the way: gunzip -c FILE | postroom browse file:-"));
    }
    let rest = io::Cursor::new(first).chain(input);
    if compressed {
        let buffered = BufReader::with_capacity(zstd::zstd_safe::DCtx::in_size(), rest);
        return Ok(Box::new(zstd::Decoder::with_buffer(buffered).map_err(broken)?));
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
pub(super) struct Following {
    file: File,
    cancel: CancellationToken,
}

impl Following {
    pub(super) fn new(file: File, cancel: CancellationToken) -> Self {
        Self { file, cancel }
    }
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
