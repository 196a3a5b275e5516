//! Undo: puts back what a replay or a drain moved, as far as it is still there.
//!
//! Each queue that copies went to is gone through by a move of its own, with plan and journal: only copies whose replay id
//! is of the run that is taken back are taken, each is confirmed by the source before it is removed, and a kill in the
//! middle is resumed like that of any other run. What was archived or drained to a log is put back from there, where it
//! stays. Of a run that kept its originals, copies are dropped, and only those whose original is in the source at that
//! time. Limits: what a consumer has taken is gone; a copy without a replay id can't be told from others; what was
//! replayed to a log, which gives up no single message, is left to its consumers.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::browse::{self, BrowseRequest, FnSink};
use super::control::Control;
use super::drain::{self, DrainRequest, DrainTo};
use super::journal::record::Identity;
use super::journal::state::State;
use super::journal::{JournalState, Journals, Summary};
use super::place::Place;
use super::plan::{Check, Mode, Plan, Verb};
use super::replay::{self, ReplayRequest, ReplayTo, headers};
use super::report::Report;
use super::restore::Restore;
use super::resume::Opener;
use super::select::Selection;
use super::verify::{Met, Places};
use crate::broker::{Address, Delivery};
use crate::error::{Error, ErrorKind, Result};
use crate::text::human;

/// What an undo is going to do: one move for each queue that copies are in.
pub struct Prepared {
    /// The run that is taken back.
    pub summary: Summary,
    moves: Vec<Move>,
    source: Place,
    /// What can't be put back, and why.
    pub notes: Vec<String>,
}

/// What is done with the copies in one queue.
enum Move {
    /// They go back.
    Back(Box<replay::Prepared>),
    /// They are dropped: the source has kept their originals.
    Drop(Box<drain::Prepared>),
}

impl Move {
    fn plan(&self) -> &Plan {
        match self {
            Self::Back(prepared) => &prepared.plan,
            Self::Drop(prepared) => &prepared.plan,
        }
    }

    fn plan_mut(&mut self) -> &mut Plan {
        match self {
            Self::Back(prepared) => &mut prepared.plan,
            Self::Drop(prepared) => &mut prepared.plan,
        }
    }

    /// Where the copies are.
    fn place(&self) -> &Place {
        match self {
            Self::Back(prepared) => prepared.source(),
            Self::Drop(prepared) => prepared.source(),
        }
    }
}

impl Prepared {
    /// The plans of the moves that have something to put back.
    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.moves.iter().map(Move::plan)
    }

    /// The places that the undo changes.
    #[must_use]
    pub fn changed(&self) -> Vec<&Place> {
        // An archive and a log stay as they are.
        let changed = self.moves.iter().filter(|part| !part.plan().keep).map(Move::place);
        std::iter::once(&self.source).chain(changed).collect()
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
    let originals = if restore.held.head.keep { Some(Originals::of(&restore, &source, control).await?) } else { None };
    let mut notes = Vec::new();
    let mut moves = Vec::new();
    let mut found = Copies { places: Vec::new(), keeps: false, forgets: false, held: Some(0) };
    let to = ReplayTo::Place(Box::new(source.clone()));
    let all = |place: Place| ReplayRequest {
        verb: Verb::Undo,
        restore: Some(Arc::clone(&restore)),
        mode,
        ..ReplayRequest::all(place, to.clone())
    };
    if restore.is_archived() {
        require_first(&summary)?;
        let archive = opener.place(&summary.to.parse()?).await?;
        moves.push(Move::Back(Box::new(replay::plan(all(archive), control).await?)));
    } else {
        found = copies(&restore, &source, also, opener, &mut notes).await?;
        if found.forgets {
            require_first(&summary)?;
        }
        for place in &found.places {
            let filter = headers::filter(&summary.id);
            let selection = Selection::parse(Some(&filter), None, control.clock.now(), &Arc::default())?;
            let planned = match &originals {
                None => {
                    let request = ReplayRequest { selection, ..all(place.clone()) };
                    replay::plan(request, control).await.map(|prepared| Move::Back(Box::new(prepared)))
                }
                Some(originals) => {
                    let selection = originals.copies(&filter, selection);
                    let undoes = Some(summary.id.clone());
                    let request =
                        DrainRequest { selection, undoes, ..DrainRequest::all(place.clone(), DrainTo::Discard) };
                    drain::plan(request, control).await.map(|prepared| Move::Drop(Box::new(prepared)))
                }
            };
            match planned {
                Ok(planned) => moves.push(planned),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    notes.push(format!("{} is gone", place.address));
                }
                Err(error) => return Err(error),
            }
        }
    }
    if let Some(originals) = &originals {
        let kept = originals.without();
        if kept > 0 {
            let (what, is) = if kept == 1 {
                ("copy stays, for it is", "its original")
            } else {
                ("copies stay, for they are", "their originals")
            };
            let gone = format!("{} {what} all that is left: {} no longer has {is}", human::count(kept), source.address);
            notes.push(gone);
        }
        let why = format!("only copies are dropped whose originals {} holds now", source.address);
        for part in &mut moves {
            part.plan_mut().checks.push(Check::passed("originals", why.clone()));
        }
    }
    let confirmed = |state: &State| state.entries().filter(|(_, entry)| entry.is_confirmed()).count() as u64;
    let back = journals.undone_by(&summary.id)?.iter().map(|(_, state)| confirmed(state)).sum();
    account(&mut moves, &restore, back, &found, &mut notes);
    Ok(Prepared { summary, moves, source, notes })
}

/// Puts back what was planned, one queue after the other. It stops at the first that is not gone through to its end.
///
/// # Errors
/// `Refused` for a failed check; what a journal's folder or a broker says before anything is done. Everything later is in
/// the reports.
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Vec<Report>> {
    let Prepared { moves, mut notes, .. } = prepared;
    let mut reports: Vec<Report> = Vec::new();
    for prepared in moves {
        let report = match prepared {
            Move::Back(prepared) => replay::run(*prepared, journals, control).await?,
            Move::Drop(prepared) => drain::run(*prepared, journals, control).await?,
        };
        let went_on = report.state == super::report::Ended::Finished;
        reports.push(report);
        if let Some(first) = reports.first_mut() {
            first.notes.append(&mut notes);
        }
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

/// Refuses to put back once more what stays where it is put back from, where nobody knows which of it went back.
fn require_first(summary: &Summary) -> Result<()> {
    let [by, ..] = summary.undone_by.as_slice() else { return Ok(()) };
    Err(Error::new(ErrorKind::Refused, format!("{} was undone by {by}", summary.id))
        .hint(format!("`postroom journal show {by}` says what became of each message")))
}

/// The queues where copies of a run can be.
struct Copies {
    places: Vec<Place>,
    /// One of them keeps what was sent to it.
    keeps: bool,
    /// One of those keeps no record of what went back from it.
    forgets: bool,
    /// How many of their messages somebody holds, copies or others; `None` where one does not tell.
    held: Option<u64>,
}

/// The queues where copies of the run can be: its destinations, and those that an exchange among them leads to.
async fn copies(
    restore: &Restore,
    source: &Place,
    also: &[Address],
    opener: &dyn Opener,
    notes: &mut Vec<String>,
) -> Result<Copies> {
    let mut went = Vec::new();
    for address in
        restore.held.state.destinations.iter().map(|to| to.parse::<Address>()).chain(also.iter().cloned().map(Ok))
    {
        went.push(opener.place(&address?).await?);
    }
    let mut places = Places::of(source).await;
    places.add(source, went, Met::After).await;
    notes.extend(places.notes().iter().map(|note| format!("{note}; --in QUEUE names one to look in")));
    let mut found = Copies { places: Vec::new(), keeps: false, forgets: false, held: Some(0) };
    for place in places.targets() {
        let info = match place.broker.inspect(place.queue()?).await {
            Ok(info) => info,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                notes.push(format!("{} is gone", place.address));
                continue;
            }
            Err(error) => return Err(place.locate(error)),
        };
        if info.capability.gives_up_single() {
            found.held = found.held.zip(info.in_flight).map(|(sum, held)| sum + held);
            found.places.push(place.clone());
            continue;
        }
        notes.push(format!("{} keeps its messages: copies stay in it", place.address));
        found.keeps = true;
        // What a replay sent to a log is for its consumers; what was set aside there goes back, as from an archive.
        if restore.held.head.verb == Verb::Drain {
            let log = place.broker.log(place.queue()?).await.map_err(|error| place.locate(error))?;
            found.forgets |= log.is_none();
            found.places.push(place.clone());
        }
    }
    Ok(found)
}

/// Says how many copies there are, and what is known of the others: `back` were put back by earlier runs, and what is in
/// somebody's hands of their queues may be among the rest. Queues without one are left out.
fn account(moves: &mut Vec<Move>, restore: &Restore, back: u64, found: &Copies, notes: &mut Vec<String>) {
    if moves.iter().any(|part| part.plan().mode == Mode::Streaming) {
        return;
    }
    moves.retain(|part| part.plan().planned + part.plan().skipped.len() as u64 > 0);
    let there: u64 = moves.iter().map(|part| part.plan().planned).sum();
    let sent = restore.sent();
    let gone = sent.saturating_sub(there + back);
    // Where a target keeps everything, nobody knows which of them are consumed.
    if gone > 0 && !found.keeps {
        let they = if gone == 1 { "is" } else { "are" };
        let fate = "consumed, expired or moved on";
        let of = format!("{} of {} {they} not there", human::count(gone), human::messages(sent));
        notes.push(match found.held.map(|held| held.min(gone)) {
            Some(0) => format!("{of}: {fate}"),
            Some(held) => format!(
                "{of}: up to {} may be in somebody's hands, received and not acknowledged, and what comes back is put back \
                 by another undo; the rest is {fate}",
                human::count(held),
            ),
            None => format!("{of}: {fate}, or in somebody's hands, for its queue does not tell what is"),
        });
    }
    for part in moves {
        let found = human::messages(part.plan().planned);
        let why = format!("{found} of the run {} found", restore.held.head.id);
        part.plan_mut().checks.push(Check::passed("copies", why));
    }
}

/// The originals of a run that kept them, as far as the source holds them now: only a copy that is not all that is left
/// may be dropped.
struct Originals {
    restore: Arc<Restore>,
    state: Arc<Mutex<Counted>>,
}

/// What an undo of copies has counted.
struct Counted {
    /// How many of each original there are that no copy counts on yet.
    left: HashMap<Identity, u64>,
    /// Whether the original of each copy is there, by the copy's number.
    decided: HashMap<u64, bool>,
}

impl Originals {
    /// Looks for them in the source.
    async fn of(restore: &Arc<Restore>, source: &Place, control: &Control) -> Result<Self> {
        let entries = restore.held.state.entries();
        let mut left: HashMap<Identity, u64> = entries.map(|(_, entry)| (entry.identity, 0)).collect();
        let mut sink = FnSink(|deliveries: Vec<Delivery>| {
            for delivery in &deliveries {
                if let Some(count) = left.get_mut(&Identity::of(&delivery.message).0) {
                    *count += 1;
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        browse::run(BrowseRequest::all(source.clone()), control, &mut sink).await?;
        Ok(Self {
            restore: Arc::clone(restore),
            state: Arc::new(Mutex::new(Counted { left, decided: HashMap::new() })),
        })
    }

    /// The copies that may be dropped, of those that `all` selects by `filter`.
    fn copies(&self, filter: &str, all: Selection) -> Selection {
        let (restore, state) = (Arc::clone(&self.restore), Arc::clone(&self.state));
        let prefilter = all.prefilter();
        Selection::all().filter(filter, prefilter, move |message| {
            let Some(seq) = headers::seq_of(message, &restore.held.head.id).filter(|_| all.matches(message)) else {
                return false;
            };
            let Some(entry) = seq.checked_sub(1).and_then(|at| restore.held.state.entry(at)) else { return false };
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let Counted { left, decided } = &mut *state;
            *decided.entry(seq).or_insert_with(|| match left.get_mut(&entry.identity) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                _ => false,
            })
        })
    }

    /// How many copies were met whose original is not there.
    fn without(&self) -> u64 {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.decided.values().filter(|there| !**there).count() as u64
    }
}
