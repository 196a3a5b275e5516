//! Publishing to an archive: each batch is one commit, and a receipt is given for what was read back.
//!
//! Standard output takes plain lines; there a receipt says no more than that they were handed over.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::{ArchiveWriter, Existing, PUBLISH, STANDARD_STREAM, off_thread};
use crate::broker::{PublishLimits, Publisher, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::jsonl::write_line;

/// Where the lines go.
enum Sink {
    File(Box<ArchiveWriter>),
    StandardOutput,
    Closed,
}

/// A publisher to one archive.
pub(super) struct ArchivePublisher {
    sink: Arc<Mutex<Sink>>,
}

impl ArchivePublisher {
    /// Opens the archive to append, and creates it where there is none and its name is an archive's: the name of
    /// some broker's queue must not become a file.
    ///
    /// # Errors
    /// `Usage` for a new file of another name, else as [`ArchiveWriter::create`].
    pub(super) async fn open(path: &str) -> Result<Self> {
        let path = path.to_owned();
        let sink = off_thread(move || {
            Ok(if path == STANDARD_STREAM {
                Sink::StandardOutput
            } else if !is_archive_name(&path) && !Path::new(&path).exists() {
                return Err(Error::new(ErrorKind::Usage, format!("there is no archive {path}"))
                    .hint("a new archive is called NAME.jsonl or NAME.jsonl.zst"));
            } else {
                Sink::File(Box::new(ArchiveWriter::create(path, Existing::Append)?))
            })
        });
        Ok(Self { sink: Arc::new(Mutex::new(sink.await?)) })
    }
}

fn is_archive_name(path: &str) -> bool {
    let ends = |path: &Path, end: &str| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(end));
    let path = Path::new(path);
    ends(path, "jsonl") || ends(path, "zst") && path.file_stem().is_some_and(|stem| ends(Path::new(stem), "jsonl"))
}

impl Sink {
    /// One result per message.
    fn publish(&mut self, batch: &[Message]) -> Vec<Result<Receipt>> {
        match self {
            Self::Closed => refuse_all(batch, &Error::new(ErrorKind::Unexpected, "the archive is closed")),
            Self::StandardOutput => {
                let mut lines = Vec::new();
                for message in batch {
                    write_line(message, None, &mut lines);
                }
                let mut output = std::io::stdout().lock();
                match output.write_all(&lines).and_then(|()| output.flush()) {
                    Ok(()) => batch.iter().map(|_| Ok(Receipt::default())).collect(),
                    // How much of it the other side has taken is not known.
                    Err(error) => {
                        let what = format!("standard output failed: {error}");
                        batch.iter().map(|_| Err(Error::new(ErrorKind::Ambiguous, what.clone()))).collect()
                    }
                }
            }
            Self::File(writer) => {
                let refusals: Vec<Option<Error>> = batch.iter().map(|message| writer.accepts(message).err()).collect();
                let accepted = batch.iter().zip(&refusals).filter(|(_, refusal)| refusal.is_none());
                let outcome = accepted
                    .map(|(message, _)| writer.append(std::slice::from_ref(message)))
                    .find_map(Result::err)
                    .map_or_else(|| writer.commit().map(|_| ()), Err);
                refusals
                    .into_iter()
                    .map(|refusal| match (refusal, &outcome) {
                        (Some(refusal), _) => Err(refusal),
                        (None, Ok(())) => Ok(Receipt::default()),
                        (None, Err(error)) => Err(copy(error)),
                    })
                    .collect()
            }
        }
    }
}

fn refuse_all(batch: &[Message], error: &Error) -> Vec<Result<Receipt>> {
    batch.iter().map(|_| Err(copy(error))).collect()
}

/// The same error for the next message.
fn copy(error: &Error) -> Error {
    let copy = Error::new(error.kind(), error.to_string());
    match error.hint_text() {
        Some(hint) => copy.hint(hint),
        None => copy,
    }
}

#[async_trait]
impl Publisher for ArchivePublisher {
    fn limits(&self) -> PublishLimits {
        PUBLISH
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        let messages = batch.to_vec();
        // A fair lock, taken before the thread starts: batches are written in the order in which they were given.
        let mut sink = Arc::clone(&self.sink).lock_owned().await;
        let outcome = off_thread(move || Ok(sink.publish(&messages)));
        match outcome.await {
            Ok(results) => results,
            Err(error) => refuse_all(batch, &Error::new(ErrorKind::Ambiguous, error.to_string())),
        }
    }

    async fn close(&self) -> Result<()> {
        // Publishing holds the lock, so nothing is under way when it is ours.
        let mut sink = Arc::clone(&self.sink).lock_owned().await;
        off_thread(move || {
            *sink = Sink::Closed;
            Ok(())
        })
        .await
    }
}
