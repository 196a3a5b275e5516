//! The journal's pen: one thread that writes records in order and makes many of them durable with one sync.
//!
//! Whoever needs a record on disk awaits its ticket; records that nobody waits for ride along with the next sync.
//! After the first failed write nothing more is written: every later ticket gets the same error, and so nothing is
//! sent or removed that the journal does not know.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use tokio::sync::oneshot;

use super::line;
use super::record::{Ranges, Record};
use crate::error::{Error, ErrorKind, Result};

/// The files of a journal. A test puts its own here, to fail or stop at any step.
pub trait LogFile: Send {
    /// Appends all of it.
    ///
    /// # Errors
    /// What the file system says.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Puts what was appended on disk.
    ///
    /// # Errors
    /// What the file system says.
    fn sync(&mut self) -> io::Result<()>;
}

impl LogFile for std::fs::File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// A line to write, and who waits for it.
struct Job {
    line: Vec<u8>,
    /// Lines of originals that have to be on disk before it.
    originals: Vec<u8>,
    ticket: Option<oneshot::Sender<Result<()>>>,
}

/// Writes records.
#[derive(Debug)]
pub(crate) struct Writer {
    jobs: Option<mpsc::Sender<Job>>,
    thread: Option<std::thread::JoinHandle<()>>,
    place: String,
    /// The length of the originals so far.
    kept: AtomicU64,
}

/// The files of a journal that are written while it is run.
pub(crate) struct Files {
    /// The log, which stands at its end.
    pub(crate) log: Box<dyn LogFile>,
    /// Originals, which stand at their end, and how many bytes of them there are.
    pub(crate) originals: (Box<dyn LogFile>, u64),
    /// Held until the writer is gone.
    pub(crate) lock: std::fs::File,
}

impl Writer {
    /// A writer to these files.
    pub(crate) fn new(files: Files, path: &Path) -> Result<Self> {
        let Files { mut log, originals: (mut originals, kept), lock } = files;
        let (jobs, queue) = mpsc::channel::<Job>();
        let place = path.display().to_string();
        let name = place.clone();
        let work = move || {
            let _lock = lock;
            let mut broken = None;
            while let Ok(job) = queue.recv() {
                let mut group = vec![job];
                group.extend(queue.try_iter());
                commit(log.as_mut(), originals.as_mut(), group, &mut broken, &name);
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal".into())
            .spawn(work)
            .map_err(|error| Error::new(ErrorKind::Io, "can't start the journal's thread").because(error))?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread), place, kept: AtomicU64::new(kept) })
    }

    /// Writes a record that nobody waits for.
    pub(crate) fn note(&self, record: &Record) -> Result<()> {
        self.send(record, Vec::new(), None)
    }

    /// Keeps originals: their lines are on disk before any later record is. How many bytes are kept now.
    pub(crate) fn keep(&self, seqs: Ranges, lines: Vec<u8>) -> Result<()> {
        let bytes = lines.len() as u64;
        let offset = self.kept.fetch_add(bytes, Ordering::Relaxed);
        self.send(&Record::Originals { seqs, offset, bytes }, lines, None)
    }

    /// How many bytes of originals are kept.
    pub(crate) fn kept(&self) -> u64 {
        self.kept.load(Ordering::Relaxed)
    }

    /// Writes a record; the future is ready when it is on disk. Records are written in the order of the calls, whether
    /// or not the futures are polled.
    pub(crate) fn durable(&self, record: &Record) -> impl Future<Output = Result<()>> + Send + 'static {
        let (ticket, answer) = oneshot::channel();
        let sent = self.send(record, Vec::new(), Some(ticket));
        let gone = self.gone();
        async move {
            sent?;
            answer.await.unwrap_or(Err(gone))
        }
    }

    fn send(&self, record: &Record, originals: Vec<u8>, ticket: Option<oneshot::Sender<Result<()>>>) -> Result<()> {
        let mut line = Vec::new();
        line::write(record, &mut line)?;
        let job = Job { line, originals, ticket };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(|| self.gone())
    }

    fn gone(&self) -> Error {
        Error::new(ErrorKind::Unexpected, format!("the journal {} is closed", self.place))
    }

    /// Waits until everything is written and the lock is free.
    pub(crate) async fn close(mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The thread ends with its queue; a panic in it was told to every ticket.
            _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

/// Writes a group of lines, one sync for all that wait.
fn commit(
    file: &mut dyn LogFile,
    originals: &mut dyn LogFile,
    group: Vec<Job>,
    broken: &mut Option<(io::ErrorKind, String)>,
    place: &str,
) {
    let mut tickets = Vec::new();
    let (mut bytes, mut kept) = (Vec::new(), Vec::new());
    for job in group {
        bytes.extend_from_slice(&job.line);
        kept.extend_from_slice(&job.originals);
        tickets.extend(job.ticket);
    }
    if broken.is_none() {
        let first = if kept.is_empty() { Ok(()) } else { originals.append(&kept).and_then(|()| originals.sync()) };
        let done = first
            .and_then(|()| file.append(&bytes))
            .and_then(|()| if tickets.is_empty() { Ok(()) } else { file.sync() });
        *broken = done.err().map(|error| (error.kind(), error.to_string()));
    }
    for ticket in tickets {
        // Who no longer waits needs no answer.
        _ = ticket.send(match broken {
            None => Ok(()),
            Some((kind, why)) => Err(write_error(place, io::Error::new(*kind, why.clone()))),
        });
    }
}

/// A journal file that can't be written: nothing goes on without it.
pub(super) fn write_error(place: &str, error: io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("can't write the journal {place}"))
        .hint("free some space, or set POSTROOM_STATE to a folder that can be written, then `postroom journal resume`")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Default)]
    struct Seen {
        written: usize,
        synced: usize,
        syncs: usize,
        fail_at: Option<usize>,
    }

    struct Probe(Arc<Mutex<Seen>>);

    impl LogFile for Probe {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.0.lock().unwrap().written += bytes.len();
            Ok(())
        }

        fn sync(&mut self) -> io::Result<()> {
            let mut seen = self.0.lock().unwrap();
            seen.syncs += 1;
            if seen.fail_at == Some(seen.syncs) {
                return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
            }
            seen.synced = seen.written;
            Ok(())
        }
    }

    fn writer(fail_at: Option<usize>) -> (Writer, Arc<Mutex<Seen>>) {
        let seen = Arc::new(Mutex::new(Seen { fail_at, ..Seen::default() }));
        let lock = tempfile::tempfile().unwrap();
        let probe = || Box::new(Probe(Arc::clone(&seen)));
        let files = Files { log: probe(), originals: (probe(), 0), lock };
        (Writer::new(files, Path::new("log")).unwrap(), seen)
    }

    #[tokio::test]
    async fn a_ticket_means_on_disk_and_one_sync_serves_many() {
        let (writer, seen) = writer(None);
        let tickets: Vec<_> = (0..100).map(|_| writer.durable(&Record::End)).collect();
        for ticket in tickets {
            ticket.await.unwrap();
        }
        let seen = seen.lock().unwrap();
        assert_eq!(seen.synced, seen.written);
        assert!(seen.syncs <= 100);
    }

    #[tokio::test]
    async fn after_a_failed_sync_nothing_is_promised_any_more() {
        let (writer, seen) = writer(Some(2));
        writer.durable(&Record::End).await.unwrap();
        let error = writer.durable(&Record::End).await.unwrap_err();
        assert!(error.to_string().contains("no space left"), "{error}");
        assert!(writer.durable(&Record::End).await.is_err());
        writer.close().await;
        let seen = seen.lock().unwrap();
        assert_eq!(seen.syncs, 2);
    }
}
