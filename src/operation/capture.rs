//! Capture: copies a queue to a new archive; the queue keeps everything.
//!
//! What is reported as done is on disk and was read back. A capture that stops early leaves a whole archive of what it
//! has done so far. Limits: there is nothing to resume; whoever wants the rest captures again, to another file.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use super::browse::{self, BrowseRequest, Sink};
use super::control::Control;
use super::drain::check_new;
use super::plan::Verb;
use super::progress::Stage;
use super::report::{Ended, Outcome, OutcomeLine, Report, Tally};
use super::wording::no_members;
use crate::broker::archive::{ArchiveWriter, Existing};
use crate::broker::{Delivery, End};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::fingerprint::Rules;
use crate::operation::masks::Masks;

/// Bytes of messages that are committed together at least: each commit is a frame, a sync and a reading back.
const COMMIT: u64 = 8 << 20;
/// Why a message is not in a redacted archive.
const NO_RULES: &str = "no redact rules are known for it: nothing says which profile it came from";

/// What to copy.
#[derive(Clone, Debug)]
pub struct CaptureRequest {
    /// What to read: source, selection, range.
    pub look: BrowseRequest,
    /// The new archive, `.jsonl` or `.jsonl.zst`. An existing file is refused.
    pub to: PathBuf,
}

/// How a redacted archive is made.
#[derive(Clone, Debug)]
pub struct Redact {
    /// What is masked.
    pub masks: Masks,
    /// By which messages keep the group that they were in.
    pub rules: Arc<Rules>,
}

/// Copies masked messages, each marked so that it can't be replayed. A message that no rule is for is not copied.
///
/// # Errors
/// As [`run`].
pub async fn run_redacted(request: CaptureRequest, redact: Redact, control: &Control) -> Result<Report> {
    copy(request, Some(redact), control).await
}

/// Copies.
///
/// # Errors
/// `Refused` for an archive that exists, or where a look could destroy a message; what the broker says when it is
/// opened. Whatever happens once messages are on disk is in [`Report::error`].
pub async fn run(request: CaptureRequest, control: &Control) -> Result<Report> {
    copy(request, None, control).await
}

async fn copy(request: CaptureRequest, redact: Option<Redact>, control: &Control) -> Result<Report> {
    check_new(&request.to, None)?;
    let began = control.clock.now();
    let source = request.look.source.clone();
    let selection = &request.look.selection;
    let nobody = no_members(selection.filter_text(), selection.group_id(), &source.address.to_string());
    let mut copy = Copy {
        control,
        address: format!("file:{}", request.to.display()),
        path: request.to,
        redact,
        writer: None,
        open: Vec::new(),
        bytes: 0,
        seq: 0,
        tally: Tally::new(Verb::Capture, 0),
    };
    let read = browse::run_as(request.look, control, Stage::Capture, &mut copy).await;
    // What was read before an error or a cancel is worth keeping.
    let stored = copy.finish(read.is_ok()).await;
    let (state, error) = match (read, stored) {
        (Err(error), _) if copy.seq == 0 => return Err(error),
        (Ok(summary), Ok(())) => {
            summary.notes.into_iter().for_each(|note| copy.tally.note(note));
            match summary.end {
                End::Cancelled => (Ended::Interrupted, None),
                End::Stopped(why) => (Ended::Stopped, Some(source.locate(Error::new(ErrorKind::Refused, why)))),
                End::Exhausted | End::Limit => (Ended::Finished, None),
            }
        }
        (Err(error), _) | (Ok(_), Err(error)) => (Ended::Stopped, Some(error)),
    };
    if let Some(note) = nobody.filter(|_| copy.seq == 0 && state == Ended::Finished) {
        copy.tally.note(note);
    }
    copy.tally.set_planned(copy.seq);
    Ok(copy.tally.finish(state, error.as_ref(), None, control.clock.now().duration_since(began)))
}

struct Copy<'a> {
    control: &'a Control,
    path: PathBuf,
    redact: Option<Redact>,
    address: String,
    /// Created when the source has answered, so that a refused look leaves no file behind.
    writer: Option<Arc<Mutex<ArchiveWriter>>>,
    /// Numbers and ids of what is appended and not committed.
    open: Vec<(u64, String)>,
    bytes: u64,
    seq: u64,
    tally: Tally,
}

#[async_trait]
impl Sink for Copy<'_> {
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        let writer = self.writer()?;
        let mut messages = Vec::with_capacity(deliveries.len());
        for Delivery { mut message, .. } in deliveries {
            self.seq += 1;
            let mut accepted = writer.lock().unwrap_or_else(PoisonError::into_inner).accepts(&message);
            if let Some(Redact { masks, rules }) = &self.redact {
                match masks.redacted(&message, rules) {
                    Some(masked) => message = masked,
                    None => accepted = Err(Error::new(ErrorKind::Refused, NO_RULES)),
                }
            }
            match accepted {
                Ok(()) => {
                    self.open.push((self.seq, message.id.clone()));
                    self.bytes += message.size();
                    messages.push(message);
                }
                Err(error) => self.outcome(self.seq, &message.id, &Outcome::Failed(error.to_string())),
            }
        }
        self.write(messages, self.bytes >= COMMIT).await?;
        Ok(ControlFlow::Continue(()))
    }
}

impl Copy<'_> {
    fn writer(&mut self) -> Result<Arc<Mutex<ArchiveWriter>>> {
        if let Some(writer) = &self.writer {
            return Ok(Arc::clone(writer));
        }
        let writer = Arc::new(Mutex::new(ArchiveWriter::create(&self.path, Existing::Refuse)?));
        self.writer = Some(Arc::clone(&writer));
        Ok(writer)
    }

    /// Appends, and commits where it is time.
    async fn write(&mut self, messages: Vec<Message>, commit: bool) -> Result<()> {
        let writer = self.writer()?;
        let work = tokio::task::spawn_blocking(move || {
            let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
            writer.append(&messages)?;
            if commit { writer.commit().map(drop) } else { Ok(()) }
        });
        let written = work.await.unwrap_or_else(|error| {
            Err(Error::new(ErrorKind::Unexpected, "writing the archive failed").because(error))
        });
        if let Err(error) = &written {
            let why = format!("not archived: {error}");
            for (seq, id) in std::mem::take(&mut self.open) {
                self.outcome(seq, &id, &Outcome::Failed(why.clone()));
            }
        } else if commit {
            self.bytes = 0;
            for (seq, id) in std::mem::take(&mut self.open) {
                self.outcome(seq, &id, &Outcome::Done);
            }
        }
        written
    }

    /// Commits the rest. A look that found nothing makes an archive of nothing.
    async fn finish(&mut self, empty: bool) -> Result<()> {
        if self.open.is_empty() && !(empty && self.writer.is_none()) {
            return Ok(());
        }
        self.write(Vec::new(), true).await
    }

    fn outcome(&mut self, seq: u64, id: &str, outcome: &Outcome) {
        self.tally.add(id, seq, Some(&self.address), outcome);
        self.control.outcome(|| OutcomeLine::new(id, seq, Some(self.address.clone()), outcome));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Broker as _;
    use crate::broker::archive::Archive;
    use crate::broker::memory::{Memory, Profile, QueueSpec};
    use crate::config::Policy;
    use crate::operation::place::Place;

    fn source(messages: usize) -> (Memory, Place) {
        let memory = Memory::builder().queue(QueueSpec::new("dlq", Profile::RabbitClassic)).build();
        for n in 0..messages {
            memory.publish("dlq", Message { payload: Some(format!("{n}").into()), ..Message::default() }).unwrap();
        }
        let place =
            Place { address: "demo:dlq".parse().unwrap(), broker: Arc::new(memory.clone()), policy: Policy::default() };
        (memory, place)
    }

    #[tokio::test]
    async fn a_capture_copies_everything_and_the_queue_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let (memory, place) = source(2500);
        let before = memory.snapshot("dlq").unwrap();
        let to = folder.path().join("copy.jsonl.zst");
        let request = CaptureRequest { look: BrowseRequest::all(place), to: to.clone() };
        let report = run(request.clone(), &Control::new()).await.unwrap();
        assert_eq!((report.state, report.planned, report.done), (Ended::Finished, 2500, 2500));
        let bodies = |messages: &[Message]| messages.iter().map(|m| m.payload.clone()).collect::<Vec<_>>();
        assert_eq!(bodies(&memory.snapshot("dlq").unwrap()), bodies(&before));
        let info = Archive::new().describe(&to.display().to_string()).await.unwrap();
        assert_eq!(info.messages, Some(2500));
        assert_eq!(run(request, &Control::new()).await.unwrap_err().kind(), ErrorKind::Refused);
    }

    #[tokio::test]
    async fn a_capture_that_is_stopped_keeps_what_it_read_and_a_missing_queue_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let (memory, place) = source(3);
        let to = folder.path().join("copy.jsonl");
        let control = Control::new();
        control.cancel.cancel();
        let look = BrowseRequest::all(place);
        let report = run(CaptureRequest { look: look.clone(), to: to.clone() }, &control).await.unwrap();
        assert_eq!(report.state, Ended::Interrupted);
        assert!(memory.held("dlq").unwrap().is_empty());
        std::fs::remove_file(&to).unwrap();
        memory.delete("dlq");
        let error = run(CaptureRequest { look, to: to.clone() }, &Control::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!to.exists());
    }
}
