//! Removing originals whose copies are confirmed and on record, and letting go of the rest.

use std::pin::pin;

use futures::stream::StreamExt as _;
use jiff::Timestamp;

use super::{Carrier, Mover, Stop};
use crate::broker::{Reader, Settle, Token};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::journal::record::{Record, ranges};
use crate::operation::journal::state::TWICE;
use crate::operation::place::Place;
use crate::operation::publish::stops_a_publisher;
use crate::operation::report::{Ended, Outcome, Report};
use crate::text::human;

/// Whether an error of a removal means that the source does not answer any more.
fn is_lost(error: &Error) -> bool {
    error.kind().is_away() || error.kind() == ErrorKind::Ambiguous
}

/// A message whose copy is confirmed.
pub(super) struct Confirmed {
    pub(super) token: Token,
    pub(super) id: String,
    pub(super) to: u32,
    pub(super) twice: bool,
}

impl Mover<'_> {
    /// Removes what may be removed. The newest message taken up waits until a newer one is on record (or
    /// `released`): as long as it stands in the source, a resume knows what stood before it.
    pub(super) async fn release(&mut self, reader: &mut dyn Reader) {
        // More is confirmed while the reader works on what was.
        while self.release_some(reader).await {}
    }

    /// Removes what may be removed by now; whether that was anything.
    async fn release_some(&mut self, reader: &mut dyn Reader) -> bool {
        let bound = if self.released || self.unique_ids { u64::MAX } else { self.durable };
        let rest = self.confirmed.split_off(&bound);
        let ready = std::mem::replace(&mut self.confirmed, rest);
        let last = self.released;
        let (passing, ready) = match &mut self.prefix {
            Some(prefix) => prefix.front(ready, &mut self.confirmed, last),
            None => (Vec::new(), ready),
        };
        if ready.is_empty() && passing.is_empty() {
            return false;
        }
        let tokens: Vec<Token> =
            passing.iter().copied().chain(ready.values().map(|confirmed| confirmed.token)).collect();
        let mut results = self.settle(reader, &tokens).await.into_iter();
        for error in results.by_ref().take(passing.len()).filter_map(Result::err) {
            self.lost |= is_lost(&error);
            // What was replayed before and stays all the same is no news; a broker that is gone is.
            if stops_a_publisher(&error) && error.kind() != ErrorKind::Ambiguous {
                self.halt(error);
            }
        }
        let (mut done, mut failed, mut stays, mut there) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (seq, Confirmed { id, to, twice, .. }) in ready {
            self.open.remove(&seq);
            let result = results
                .next()
                .unwrap_or_else(|| Err(Error::new(ErrorKind::Ambiguous, "the reader gave no answer for it")));
            match result {
                Ok(()) => {
                    done.push(seq);
                    let outcome = if twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done };
                    self.outcome(seq, &id, Some(to), &outcome);
                }
                Err(error) if self.prefix.is_some() && error.kind() == ErrorKind::Rejected => {
                    stays.push(seq);
                    let outcome =
                        if twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Skipped(self.stays().into()) };
                    self.outcome(seq, &id, Some(to), &outcome);
                }
                Err(error) => {
                    let why = format!("its copy is confirmed; the original may still be in the source: {error}");
                    self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why));
                    failed.push((seq, error.to_string()));
                    self.lost |= is_lost(&error);
                    there.extend(error.kind().is_away().then_some(seq));
                    if stops_a_publisher(&error) && error.kind() != ErrorKind::Ambiguous {
                        self.halt(error);
                    }
                }
            }
        }
        let mut noted = self.writer.note(&Record::Removed { done: ranges(done), failed, there: ranges(there) });
        if !stays.is_empty() {
            noted = noted.and(self.writer.note(&Record::Stays { seqs: ranges(stays), why: self.stays().into() }));
        }
        if let Err(error) = noted {
            self.halt(error);
        }
        true
    }

    /// What is said of a message of a log that can't be removed.
    fn stays(&self) -> &'static str {
        match self.carrier {
            Carrier::Discard { .. } => "it stays: something before it in its partition stays",
            _ => "it is archived and stays: something before it in its partition stays",
        }
    }

    /// Settles while the steps of the batches go on.
    async fn settle(&mut self, reader: &mut dyn Reader, tokens: &[Token]) -> Vec<Result<()>> {
        let mut settling = pin!(reader.settle(tokens, Settle::Remove));
        loop {
            tokio::select! {
                results = &mut settling => return results,
                Some(step) = self.flight.steps.next(), if !self.flight.steps.is_empty() => self.on_step(step),
            }
        }
    }

    /// The last removals: nothing newer comes any more. A source that is lost keeps the newest message, and the journal
    /// does not say that it may be gone: by it a resume knows that the others were there before.
    pub(super) async fn let_go(&mut self, reader: &mut dyn Reader) {
        let to_the_end = self.stop.is_none() && self.cut.is_none() && !self.early && self.picker.took_all();
        if self.lost && !to_the_end {
            return;
        }
        if to_the_end || (!self.confirmed.is_empty() && !self.released) {
            let record = if to_the_end { Record::End } else { Record::Release };
            if let Err(error) = self.writer.durable(&record).await {
                self.halt(error);
                return;
            }
        }
        self.released = true;
        self.release(reader).await;
    }

    /// Returns the rest, closes everything and reports.
    pub(super) async fn close(
        mut self,
        reader: &mut dyn Reader,
        source: &Place,
        journal: &str,
        began: Timestamp,
    ) -> Result<Report> {
        match reader.close().await {
            Ok(closed) => {
                if let Err(error) = self.note_rescue(closed.rescued).await {
                    self.halt(error);
                }
                if closed.rescued > 0 {
                    self.tally.note(format!("{} messages were put back as new copies", closed.rescued));
                }
                closed.notes.into_iter().for_each(|note| self.tally.note(note));
            }
            Err(error) => {
                self.tally.note(format!("what was not settled goes back when the broker notices: {error}"));
                self.halt(error);
            }
        }
        if let Carrier::Publish { routes, .. } = &self.carrier
            && let Err(error) = routes.close().await
        {
            self.tally.note(format!("a publisher did not close: {error}"));
        }
        let unsettled = std::mem::take(&mut self.confirmed);
        for (seq, Confirmed { id, to, .. }) in unsettled {
            self.open.remove(&seq);
            let why = "its copy is confirmed; the original is still in the source";
            self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why.into()));
        }
        let open: Vec<_> = self.open.drain().collect();
        for (seq, open) in open {
            self.outcome(seq, &open.id, Some(open.to), &open.outcome);
        }
        if self.not_kept > 0 {
            let many = human::messages(self.not_kept);
            self.tally.note(format!("the originals of {many} are not kept: an undo puts back what was sent"));
        }
        if self.paused && self.stop.is_none() {
            self.stop = Some(Stop::Paused);
        }
        let mut paused = None;
        let (state, mut error) = match (self.stop.take(), self.cut.take()) {
            (Some(Stop::Paused), None) => {
                paused = Some("a step of the ramp is done, and the next has not begun".to_owned());
                (Ended::Interrupted, None)
            }
            (Some(Stop::Error(error)), _) => (Ended::Stopped, Some(source.locate(error))),
            (Some(Stop::Cancelled), _) => (Ended::Interrupted, None),
            (None | Some(Stop::Paused), Some(why)) => {
                (Ended::Stopped, Some(source.locate(Error::new(ErrorKind::Refused, why))))
            }
            (None, None) => (Ended::Finished, None),
        };
        let at = self.control.clock.now();
        let why = error.as_ref().map(ToString::to_string).or(paused);
        let finished = self.writer.durable(&Record::Finish { at, state, why }).await;
        self.writer.close().await;
        if let Err(fault) = finished {
            error.get_or_insert(fault);
        }
        let (done, noted) = self.tally.counts();
        self.meter.set(done, noted, None);
        self.meter.end();
        let state = if error.is_some() { Ended::Stopped } else { state };
        if let Some(note) = self.nobody.take().filter(|_| (done, noted) == (0, 0) && state == Ended::Finished) {
            self.tally.note(note);
        }
        if !self.counted && state == Ended::Finished {
            self.tally.plan_what_was_there();
        }
        let away = error.as_ref().is_some_and(|error| error.kind().is_away());
        let mut report = self.tally.finish(state, error.as_ref(), Some(journal.to_owned()), at.duration_since(began));
        if let Some(stop) = report.error.as_mut().filter(|_| away || report.unsent > 0) {
            let unsent = match report.unsent {
                0 => String::new(),
                many => format!(", and sends the {} that were not sent", human::messages(many)),
            };
            let hint = format!("when the broker is there again, `postroom journal resume {journal}` goes on{unsent}");
            stop.hint = Some(stop.hint.take().map_or_else(|| hint.clone(), |more| format!("{hint}; {more}")));
        }
        Ok(report)
    }
}
