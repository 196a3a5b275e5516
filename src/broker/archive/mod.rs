//! Archives as a broker: `file:PATH` over JSON Lines files of messages, plain or as zstd frames.
//!
//! A queue is a path, `-` is standard input or output. What is written is compressed where the name ends in `.zst`;
//! what is read is decompressed where its first bytes say zstd, any number of frames behind each other. A message's
//! position is its line, from 1. Where it was read before is kept in its metadata as [`SOURCE_ADDRESS`] and
//! [`SOURCE_POSITION`].
//!
//! What is read: lines of at most [`MAX_LINE`] bytes; CRLF and a missing last line end are tolerated, empty lines are
//! skipped and keep their number. A line that can't be read, a cut last line and cut or damaged zstd data end the
//! read with an error that names the line, after everything before it has been delivered. Limits: a file that was cut
//! exactly at a line end (or between two zstd frames) is a shorter archive, and nothing in it says otherwise.

mod input;
mod publisher;
mod reader;
mod scan;
mod source;
mod writer;

use std::sync::Arc;

use async_trait::async_trait;

pub use scan::{SOURCE_ADDRESS, SOURCE_POSITION, home, home_of};
pub use writer::{ArchiveWriter, Existing};

use super::{
    Accuracy, Broker, BrokerInfo, BrowseOptions, Capability, CostKind, HeaderTypes, ListFilter, Listing, MASKED,
    Ordering, PublishLimits, Publisher, QueueInfo, ReadCost, Reader, Remove, Sampled, Seek, TakeOptions, Target,
};
use crate::error::{Error, ErrorKind, Result};

/// The longest line that is read or written, in bytes: a guard against files that are no archives.
pub const MAX_LINE: usize = 256 << 20;

/// The queue that is standard input for a reader and standard output for a publisher.
pub(crate) const STANDARD_STREAM: &str = "-";

/// How much of an archive is read to say how many messages it holds.
const COUNT_UP_TO: u64 = 64 << 20;

/// Archives: every file is a queue.
#[derive(Clone, Copy, Debug, Default)]
pub struct Archive;

impl Archive {
    /// Archives in the file system.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

fn unsupported(path: &str, why: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("the archive file:{path} {why}"))
}

const PUBLISH: PublishLimits = PublishLimits {
    confirm: true,
    max_bytes: None,
    max_batch: None,
    in_flight: None,
    max_headers: None,
    header_types: HeaderTypes::Any,
    null_payload: true,
    key: true,
    duplicate_headers: true,
};

/// What a file can do; a stream can neither seek nor follow.
fn capability(is_stream: bool) -> Capability {
    Capability {
        browse: true,
        read_cost: CostKind::None,
        seek: Seek { offset: !is_stream, time: false, tail: !is_stream },
        follow: !is_stream,
        take: false,
        remove: Remove::Never,
        count: Accuracy::Exact,
        publish: Some(PUBLISH),
        ordering: Ordering::Fifo,
        returns_in_place: false,
        ..Capability::none()
    }
}

/// What is known of an archive without delivering a message.
fn look(path: &str) -> Result<QueueInfo> {
    let is_stream = path == STANDARD_STREAM;
    let mut info = QueueInfo {
        name: path.to_owned(),
        broker: None,
        kind: "archive".to_owned(),
        messages: None,
        accuracy: Accuracy::Exact,
        in_flight: None,
        sampled: Sampled::Now,
        bytes: None,
        consumers: None,
        rate_in: None,
        rate_out: None,
        oldest: None,
        expiry: None,
        dead_letter_to: Vec::new(),
        dead_letter_from: Vec::new(),
        is_dlq: false,
        read_cost: ReadCost::free("a file stays as it is when it is read"),
        capability: capability(is_stream),
        details: Vec::new(),
        notes: Vec::new(),
    };
    if is_stream {
        return Ok(info);
    }
    let metadata = input::open_file(path)?.metadata()?;
    info.bytes = Some(metadata.len());
    if metadata.is_file() && source::first_message(path).is_some_and(|message| message.is_redacted()) {
        info.details.push((MASKED.to_owned(), true.into()));
        info.notes.push("it was written with --redacted: its values are masked and can't be replayed".to_owned());
    }
    if !metadata.is_file() {
        info.capability = Capability { follow: false, ..capability(true) };
        info.notes.push("not a plain file: it can be read once, from its beginning".to_owned());
    } else if metadata.len() > COUNT_UP_TO {
        info.notes.push(format!("messages are not counted in archives of more than {} MiB", COUNT_UP_TO >> 20));
    } else {
        match source::count(path) {
            Ok(messages) => info.messages = Some(messages),
            Err(error) => info.notes.push(format!("the messages can't be counted: {error}")),
        }
    }
    Ok(info)
}

#[async_trait]
impl Broker for Archive {
    fn info(&self) -> BrokerInfo {
        BrokerInfo { kind: "archive", term: "archive", place: "file:".to_owned(), version: None, notes: Vec::new() }
    }

    fn capability(&self) -> Capability {
        capability(false)
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        Ok(self.info())
    }

    async fn list(&self, _filter: &ListFilter) -> Result<Listing> {
        Err(Error::new(ErrorKind::Unsupported, "archives are not listed").hint("name one as file:PATH"))
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        let path = queue.to_owned();
        off_thread(move || look(&path)).await
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        Ok(Box::new(reader::ArchiveReader::open(queue, options).await?))
    }

    async fn take(&self, queue: &str, _options: TakeOptions) -> Result<Box<dyn Reader>> {
        Err(unsupported(queue, "keeps its messages: nothing can be taken from it")
            .hint("read it instead, or delete the file"))
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        match target {
            Target::Queue { name, partition: None } => Ok(Arc::new(publisher::ArchivePublisher::open(name).await?)),
            Target::Queue { name, partition: Some(_) } => Err(unsupported(name, "has no partitions")),
            Target::Exchange { name, .. } => Err(unsupported(name, "is a file and no exchange")),
        }
    }
}

/// Runs file work where it blocks nobody; it begins at once.
fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> impl Future<Output = Result<T>> + Send {
    let task = tokio::task::spawn_blocking(work);
    async move {
        task.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Unexpected, "a thread that worked on the archive failed").because(error))
        })
    }
}
