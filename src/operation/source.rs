//! What a run has to know about its source before it begins: whether it gives messages up, in which order, how many.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::control::Control;
use super::course;
use super::expiry::{Given, Life};
use super::handled::Handled;
use super::journal::state::State;
use super::journal::{Head, Opened};
use super::place::Place;
use super::plan::{Check, Mode, Pace, Plan, Verb};
use super::select::Selection;
use super::transfer::Picker;
use crate::broker::{Accuracy, Extent, Log, Ordering, ReadCost, Remove};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::Prefilter;
use crate::text::human;

/// How long a resume waits for messages that a dead run held. A lost connection is noticed at once where its machine
/// lives on, and by the heartbeat where it does not.
const RETURN: Duration = Duration::from_secs(10);

/// A look at the source that costs nothing.
pub(super) struct Look {
    /// The source keeps its messages: asked for, or because it can't remove any.
    pub(super) keep: bool,
    /// Whether it was not asked for.
    kept_by_nature: bool,
    /// It gives its messages in a fixed order, arrivals last.
    pub(super) ordered: bool,
    /// And it gives what a dead run held at its old place again.
    pub(super) in_place: bool,
    /// It gives each message under an id of its own.
    pub(super) unique_ids: bool,
    /// It gives the next messages of a group only when those before them are removed: a look never sees all.
    pub(super) grouped: bool,
    /// Its messages have a key that order hangs on.
    pub(super) keyed: bool,
    /// About how many messages are in it.
    pub(super) about: u64,
    /// The broker only estimates how many.
    estimates: bool,
    /// Messages in it, where the broker counts them; in a log, how many offsets there are.
    pub(super) messages: Option<u64>,
    /// The source, where it is a log.
    pub(super) log: Option<Log>,
    /// The log whose records the run handles; none for a copy.
    pub(super) handles: Option<String>,
    /// How long its messages live.
    pub(super) life: Life,
    /// What may go first.
    pub(super) given: Given,
    cost: ReadCost,
    /// What a move by its broker is, where the broker does such a thing.
    moves: Option<&'static str>,
}

/// Messages from which a move by the broker is worth a word.
const MANY: u64 = 1000;

/// Looks at the source of a run that removes what it copied, unless `keep`. A log that removes only its oldest records
/// keeps what is replayed, and gives up what is drained.
///
/// # Errors
/// `Unsupported` where messages can't be removed; what the broker says.
pub(super) async fn look(source: &Place, keep: bool, verb: Verb) -> Result<Look> {
    let queue = source.queue()?;
    let info = source.broker.inspect(queue).await.map_err(|error| source.locate(error))?;
    let mut log = source.broker.log(queue).await.map_err(|error| source.locate(error))?;
    if let (Some(log), Some(partition)) = (&mut log, source.partition()) {
        log.extents.retain(|extent| extent.partition == Some(partition));
        if log.extents.is_empty() {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no partition {partition} of {queue:?}")));
        }
    }
    let capability = info.capability;
    if info.is_masked() {
        let what = format!("{} was written with --redacted: its masked values can't be replayed", source.address);
        return Err(Error::new(ErrorKind::Refused, what)
            .hint("replay from the queue, or from an archive that was captured whole"));
    }
    let removes = match capability.remove {
        Remove::Never => false,
        Remove::PerMessage => true,
        Remove::UpToOffset => verb == Verb::Drain,
    };
    let handles = log.as_ref().filter(|_| !keep).map(|log| log.identity.clone());
    let kept_by_nature = !keep && !removes;
    let keep = keep || kept_by_nature;
    if !keep && !capability.take {
        let what = format!("{} can't remove single messages", source.address);
        return Err(Error::new(ErrorKind::Unsupported, what).hint("--keep copies them and leaves the source as it is"));
    }
    if keep && verb == Verb::Drain {
        let why = info.notes.last().map(|note| format!(": {note}")).unwrap_or_default();
        let what = format!("nothing can be removed from {}{why}", source.address);
        return Err(Error::new(ErrorKind::Unsupported, what).hint("`postroom capture` copies it to an archive"));
    }
    if keep && !capability.browse {
        return Err(Error::new(ErrorKind::Unsupported, format!("{} can't be read without taking", source.address)));
    }
    let counted = info.messages.filter(|_| info.accuracy == Accuracy::Exact);
    let extents = log.as_ref().map(|log| log.extents.iter().map(Extent::at_most).sum());
    Ok(Look {
        keep,
        kept_by_nature,
        // A run on a log is bound to what the log held when it was planned.
        ordered: capability.ordering == Ordering::Fifo || log.is_some(),
        in_place: capability.ordering == Ordering::Fifo && capability.returns_in_place,
        unique_ids: capability.unique_ids,
        grouped: capability.ordering == Ordering::PerGroup,
        keyed: course::is_keyed(&capability),
        about: info.messages.filter(|_| source.partition().is_none()).or(extents).unwrap_or_default(),
        estimates: info.accuracy == Accuracy::Approximate,
        messages: counted.or(extents),
        log,
        handles,
        life: Life::of(&info),
        given: match capability.ordering {
            _ if capability.remove != Remove::PerMessage => Given::Fixed,
            Ordering::Unordered => Given::Anyhow,
            Ordering::Fifo | Ordering::Priority => Given::InOrder,
            Ordering::PerPartition | Ordering::PerGroup => Given::Fixed,
        },
        moves: capability.server_side.moves,
        cost: info.read_cost,
    })
}

/// Waits until the source has back what a run that died held of it: the broker notices a lost connection in its own
/// time, and a resume that read before would take the messages for gone. Where others took them meanwhile, or the
/// broker counts only roughly, nothing is waited for beyond [`RETURN`].
///
/// Says how many messages it holds beyond that, as far as that is known: those that have arrived, and those whose removal
/// a broker that was killed has forgotten. What named messages stand among is not counted.
///
/// # Errors
/// What the broker says.
pub(super) async fn wait_for_returned(source: &Place, head: &Head, state: &State, control: &Control) -> Result<u64> {
    let least = state.least_in_source(head.scan);
    let end = Instant::now() + RETURN;
    loop {
        let info = source.broker.inspect(source.queue()?).await.map_err(|error| source.locate(error))?;
        let counted = info.messages.filter(|_| info.accuracy == Accuracy::Exact);
        if counted.is_none_or(|messages| messages >= least) || Instant::now() >= end {
            let counted = counted.filter(|_| head.scan.is_some());
            return Ok(counted.map_or(0, |messages| messages.saturating_sub(least)));
        }
        tokio::select! {
            () = control.cancel.cancelled() => return Ok(0),
            () = tokio::time::sleep(Duration::from_millis(100)) => {}
        }
    }
}

impl Look {
    /// How the plan of a run that removes fixes its messages. After a kill they must be known again: by their place in
    /// an order, by id, or by name.
    pub(super) fn mode(&self, asked: Mode) -> Mode {
        match (self.ordered, self.unique_ids) {
            // A look can't name them all.
            (false, true) if self.grouped => Mode::Streaming,
            (true, _) | (_, true) => asked,
            (false, false) => Mode::Exact,
        }
    }

    /// The pace as asked, with the field that the source's own key is where only its order was asked for.
    ///
    /// # Errors
    /// `Usage` where messages of the source have no such key.
    pub(super) fn pace(&self, mut pace: Pace) -> Result<Pace> {
        match &mut pace.per_key {
            Some(field) if field.is_empty() && self.keyed => course::OWN.clone_into(field),
            Some(field) if field.is_empty() => {
                return Err(Error::new(ErrorKind::Usage, "the messages of this queue have no key that order hangs on")
                    .hint("name the field that says what each is about: --per-key=body.order.id, or --per-key=header.order"));
            }
            _ => {}
        }
        Ok(pace)
    }

    /// Whether what this plan says of numbers is only the broker's estimate.
    pub(super) fn estimated(&self, mode: Mode) -> bool {
        self.estimates && mode == Mode::Streaming
    }

    /// How many messages of the source a run of this plan goes through: those that were there, where the source counts.
    /// What an exact plan names is looked for up to the end.
    pub(super) fn scan(&self, plan: &Plan) -> Option<u64> {
        self.messages.filter(|_| plan.mode == Mode::Streaming && self.log.is_none())
    }

    /// What of the log a run goes through: what it holds now.
    pub(super) fn within(&self) -> Vec<Extent> {
        self.log.as_ref().map(|log| log.extents.clone()).unwrap_or_default()
    }

    /// What earlier runs are done with, as far as the journals say that a plan may read.
    ///
    /// # Errors
    /// As [`Handled::load`].
    pub(super) fn handled(&self, control: &Control) -> Result<Handled> {
        match (&self.handles, &control.journals) {
            (Some(log), Some(journals)) => Handled::load(journals, log, None),
            _ => Ok(Handled::default()),
        }
    }

    /// How many more looks each message of it stands, where the queue counts them.
    pub(super) fn budget(&self) -> Option<u64> {
        self.cost.budget
    }

    /// Whether the broker could move the messages of a plan for all of them by itself, where they all go to one place on
    /// it.
    pub(super) async fn offer(&self, source: &Place, plan: &Plan) -> Option<Check> {
        if self.keep || plan.planned < MANY || !plan.skipped.is_empty() {
            return None;
        }
        source.broker.capability().server_side.moves?;
        let moves = match self.moves {
            Some(moves) => moves,
            // Whose dead letters a queue holds may be more than a first look asks for.
            None => source.broker.describe(source.queue().ok()?).await.ok()?.capability.server_side.moves?,
        };
        let many = human::messages(plan.planned);
        let why = format!("--server-side moves {many} sooner, unmodified and without a journal: {moves}");
        Some(Check::passed("by the broker itself", why))
    }

    /// What was seen, as checks.
    pub(super) fn checks(&self, rescue: bool, mode: Mode) -> Vec<Check> {
        let mut checks = Vec::new();
        if self.estimated(mode) {
            let which = if self.keep { "" } else { "; what is sent from now on stays" };
            checks.push(Check::passed("number", format!("by the queue's own estimate{which}")));
        }
        checks.push(match &self.cost.refused {
            Some(why) if !self.cost.can_rescue() => Check::failed("read budget", why.clone()),
            Some(why) if !rescue => {
                Check::failed("read budget", format!("{why}; --rescue puts such messages back as new copies"))
            }
            Some(why) => Check::passed("read budget", format!("{why}; they are put back as new copies")),
            None => Check::passed("read budget", self.cost.why.clone()),
        });
        match (self.kept_by_nature, &self.handles) {
            (true, Some(_)) => {
                checks.push(Check::passed("source", "it keeps its records; the journal says which are handled"));
            }
            (true, None) => {
                checks.push(Check::passed("source", "it keeps its messages: nothing can be removed from it"));
            }
            (false, Some(_)) => checks.push(Check::passed(
                "removal",
                "only from the start of a partition: what stands behind a record that is neither drained nor replayed \
                 is archived and stays",
            )),
            (false, None) => {}
        }
        checks
    }
}

/// What was sent after this time is left alone by a run of this plan, where nothing else says what was there.
pub(super) fn until(plan: &Plan) -> Option<Timestamp> {
    (plan.estimated && !plan.keep).then_some(plan.created)
}

/// Who decides which messages are acted on, what they have in common, and how many deliveries to ask the source for. What
/// was `passed` before has to be seen whatever is wanted, and so has what a run cut short had under way.
pub(super) fn picker(
    opened: &Opened,
    selection: Selection,
    resuming: bool,
    passed: &Handled,
) -> (Picker, Option<Prefilter>, Option<u64>) {
    let Opened { head, plan, state, .. } = opened;
    let prefilter = selection.prefilter().filter(|_| !resuming && passed.is_empty());
    let scan = head.scan;
    let picker = match plan {
        Some(plan) => Picker::named(plan, head.keep),
        None => Picker::matching(selection, scan.unwrap_or(u64::MAX), head.limit, head.keep),
    };
    if !resuming {
        return (picker, prefilter, scan);
    }
    let gone = if head.keep { 0 } else { state.removed() };
    (
        picker.resuming(state, plan.as_ref(), head.in_place, head.unique_ids || head.handles.is_some()),
        prefilter,
        scan.map(|scan| scan.saturating_sub(gone).saturating_add(state.doubted.len() as u64)),
    )
}
