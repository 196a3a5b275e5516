//! Undo: puts back what a replay or a drain moved, as far as it is still there.
//!
//! Each queue that copies went to is gone through by a move of its own, with plan and journal: only copies whose replay id
//! is of the run that is taken back are taken, each is confirmed by the source before it is removed, and a kill in the
//! middle is resumed like that of any other run. What was archived is put back from the archive, which stays. Limits: what
//! a consumer has taken is gone; a copy without a replay id can't be told from others; a target that gives up no single
//! message (a log) keeps the copies.

use std::sync::Arc;

use super::control::Control;
use super::drain;
use super::journal::{JournalState, Journals, Summary};
use super::place::Place;
use super::plan::{Check, Mode, Plan, Verb};
use super::replay::{self, ReplayRequest, ReplayTo, headers};
use super::report::Report;
use super::restore::Restore;
use super::resume::Opener;
use super::select::Selection;
use super::verify::Places;
use crate::broker::{Address, Remove};
use crate::error::{Error, ErrorKind, Result};
use crate::text::human;

/// What an undo is going to do: one move for each queue that copies are in.
pub struct Prepared {
    /// The run that is taken back.
    pub summary: Summary,
    moves: Vec<replay::Prepared>,
    source: Place,
    /// What can't be put back, and why.
    pub notes: Vec<String>,
}

impl Prepared {
    /// The plans of the moves that have something to put back.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.moves.iter().map(|prepared| &prepared.plan)
    }

    /// The places that the undo changes.
    #[must_use]
    pub fn changed(&self) -> Vec<&Place> {
        // An archive stays as it is.
        let gives_up = |place: &&Place| place.broker.capability().take;
        std::iter::once(&self.source).chain(self.moves.iter().map(replay::Prepared::source).filter(gives_up)).collect()
    }
}

/// Looks where the copies of a run are, and says what can be put back. Changes nothing. `also` are queues to look in
/// beyond those that the journal knows.
///
/// # Errors
/// `NotFound`; `Locked` while the run goes on; `Refused` for a run that can't be taken back, with the reason, and for a
/// profile that is read-only; what the brokers say.
pub async fn plan(
    id: &str,
    also: &[Address],
    mode: Mode,
    journals: &Journals,
    opener: &dyn Opener,
    control: &Control,
) -> Result<Prepared> {
    let summary = journals.summary(id)?;
    check(&summary)?;
    let source = opener.place(&summary.source.parse()?).await?;
    source.require_writable()?;
    let restore = Arc::new(Restore::load(journals, &summary.id)?);
    let head = &restore.held.head;
    if head.keep {
        let what = format!("{} kept its messages, so nothing has to be put back", summary.source);
        let filter = headers::filter(&summary.id);
        return Err(Error::new(ErrorKind::Refused, what).hint(format!(
            "`postroom drain TARGET --discard --filter '{filter}'` drops the copies that are still there"
        )));
    }
    let mut notes = Vec::new();
    let mut moves = Vec::new();
    let to = ReplayTo::Place(Box::new(source.clone()));
    let all = |place: Place| ReplayRequest {
        verb: Verb::Undo,
        restore: Some(Arc::clone(&restore)),
        mode,
        ..ReplayRequest::all(place, to.clone())
    };
    if restore.is_archived() {
        if let [by, ..] = summary.undone_by.as_slice() {
            return Err(Error::new(ErrorKind::Refused, format!("{} was undone by {by}", summary.id))
                .hint(format!("`postroom journal show {by}` says what became of each message")));
        }
        let archive = opener.place(&summary.to.parse()?).await?;
        moves.push(replay::plan(all(archive), control).await?);
    } else {
        for place in copies(&restore, &source, also, opener, &mut notes).await? {
            let filter = headers::filter(&summary.id);
            let selection = Selection::parse(Some(&filter), None, control.clock.now(), &Arc::default())?;
            place.require_writable()?;
            match replay::plan(ReplayRequest { selection, ..all(place.clone()) }, control).await {
                Ok(prepared) => moves.push(prepared),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    notes.push(format!("{} is gone", place.address));
                }
                Err(error) => return Err(error),
            }
        }
    }
    account(&mut moves, &restore, &mut notes);
    Ok(Prepared { summary, moves, source, notes })
}

/// Puts back what was planned, one queue after the other. It stops at the first that is not gone through to its end.
///
/// # Errors
/// `Refused` for a failed check; what a journal's folder or a broker says before anything is done. Everything later is in
/// the reports.
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Vec<Report>> {
    let mut reports = Vec::new();
    for prepared in prepared.moves {
        let report = replay::run(prepared, journals, control).await?;
        let went_on = report.state == super::report::Ended::Finished;
        reports.push(report);
        if !went_on {
            break;
        }
    }
    Ok(reports)
}

fn check(summary: &Summary) -> Result<()> {
    let id = &summary.id;
    if summary.state == JournalState::Running {
        return Err(Error::new(ErrorKind::Locked, format!("the journal {id} is being run"))
            .hint("wait until that run has ended, or stop it with Ctrl-C"));
    }
    let refused = |what: String, hint: &str| Err(Error::new(ErrorKind::Refused, what).hint(hint));
    match summary.verb {
        Verb::Undo => refused(format!("{id} is an undo itself"), "replay or drain the messages again"),
        Verb::Drain if summary.to == drain::DISCARD => {
            refused(format!("{id} dropped its messages without a copy"), "nothing can bring them back")
        }
        _ => Ok(()),
    }
}

/// The queues where copies of the run can be: its destinations, and those that an exchange among them leads to.
async fn copies(
    restore: &Restore,
    source: &Place,
    also: &[Address],
    opener: &dyn Opener,
    notes: &mut Vec<String>,
) -> Result<Vec<Place>> {
    let mut went = Vec::new();
    for address in
        restore.held.state.destinations.iter().map(|to| to.parse::<Address>()).chain(also.iter().cloned().map(Ok))
    {
        went.push(opener.place(&address?).await?);
    }
    let mut places = Places::of(source).await;
    places.add(source, went).await;
    notes.extend(places.notes().iter().map(|note| format!("{note}; --in QUEUE names one to look in")));
    let mut found = Vec::new();
    for place in places.targets() {
        let info = match place.broker.inspect(place.queue()?).await {
            Ok(info) => info,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                notes.push(format!("{} is gone", place.address));
                continue;
            }
            Err(error) => return Err(place.locate(error)),
        };
        if info.capability.take && info.capability.remove == Remove::PerMessage {
            found.push(place.clone());
        } else {
            notes.push(format!("{} keeps its messages: copies stay in it", place.address));
        }
    }
    Ok(found)
}

/// Says how many copies there are, and what is not said of the others. Queues without one are left out.
fn account(moves: &mut Vec<replay::Prepared>, restore: &Restore, notes: &mut Vec<String>) {
    if moves.iter().any(|prepared| prepared.plan.mode == Mode::Streaming) {
        return;
    }
    moves.retain(|prepared| prepared.plan.planned + prepared.plan.skipped.len() as u64 > 0);
    let found: u64 = moves.iter().map(|prepared| prepared.plan.planned).sum();
    let sent = restore.sent();
    let gone = sent.saturating_sub(found);
    if gone > 0 {
        let they = if gone == 1 { "is" } else { "are" };
        notes.push(format!(
            "{} of {} {they} not there: consumed, expired, moved on or put back before",
            human::count(gone),
            human::messages(sent)
        ));
    }
    for prepared in moves {
        let found = human::messages(prepared.plan.planned);
        prepared
            .plan
            .checks
            .push(Check::passed("copies", format!("{found} of the run {} found", restore.held.head.id)));
    }
}
