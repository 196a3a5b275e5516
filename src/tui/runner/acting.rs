//! Prices, plans and runs: the same engines, plans and reports as the command line's.

use std::path::PathBuf;
use std::sync::Arc;

use super::Job;
use crate::broker::{Address, QueueInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::capture::{self, CaptureRequest};
use crate::operation::consent::{Changed, Ends, production, refuse_read_only};
use crate::operation::drain::{self, DrainRequest, DrainTo};
use crate::operation::edit::Edit;
use crate::operation::offsets;
use crate::operation::place::Place;
use crate::operation::plan::{Mode, Pace, Plan, Verb};
use crate::operation::planned;
use crate::operation::publish::{self, Line, PublishRequest};
use crate::operation::queues;
use crate::operation::replay::{self, ReplayRequest};
use crate::operation::resume;
use crate::operation::select::Selection;
use crate::operation::session::Session;
use crate::operation::undo;
use crate::operation::wholesale::{self, WholesaleRequest};
use crate::tui::act::{Act, ActVerb, Flag};
use crate::tui::msg::Answer;
use crate::tui::state::{self, Difference, Done, Sheet};

/// What waits for the operator's word.
pub(super) enum Ready {
    /// A replay or a drain.
    Planned(planned::Prepared),
    Publish(Box<publish::Prepared>, Vec<Line>),
    Resume(Box<resume::Prepared>),
    Undo(Box<undo::Prepared>),
    Offsets(Box<offsets::Reset>),
    /// What the broker does by itself.
    Wholesale(Box<wholesale::Prepared>),
}

impl Ready {
    /// The plan that a file can hold.
    pub(super) fn plan(&self) -> Option<&Plan> {
        match self {
            Self::Planned(prepared) => Some(prepared.plan()),
            _ => None,
        }
    }
}

/// What looks at these queues cost. A look that could destroy a message is refused.
pub(super) async fn cost(job: Job, addresses: Vec<Address>) -> Result<Answer> {
    let mut infos = Vec::new();
    for address in &addresses {
        infos.push(queues::describe(&job.session.places, address).await?.info);
    }
    // What is refused is read first.
    let refusal = |info: &QueueInfo| Some(format!("{}: refused: {}", info.name, info.read_cost.refused.as_ref()?));
    let mut lines: Vec<String> = infos.iter().filter_map(refusal).collect();
    let refused = !lines.is_empty();
    lines.extend(state::costs(addresses.iter().zip(&infos)));
    Ok(Answer::Cost(lines, refused))
}

/// Plans; a capture, which changes nothing but a new file, is run at once.
pub(super) async fn plan(job: Job, act: Act) -> Result<Answer> {
    let session = &job.session;
    let selection = || {
        let now = session.now_at(&act.address);
        Selection::parse(act.filter.as_deref(), act.group.as_deref(), now, session.rules())
    };
    let mut shown = Vec::new();
    let (ready, changed) = match &act.verb {
        ActVerb::Capture => {
            let place = session.places.open(&act.address).await?;
            let look = BrowseRequest { selection: selection()?, ..BrowseRequest::all(place) };
            let report = capture::run(CaptureRequest { look, to: archive(&act.to) }, &job.control).await?;
            return Ok(Answer::Ran(Box::new(Done::Runs(vec![report]))));
        }
        ActVerb::Replay | ActVerb::Discard if act.has(Flag::ServerSide) => by_the_broker(&act, &job).await?,
        ActVerb::Replay => {
            let (request, changed) = replay(&act, selection()?, session).await?;
            let prepared = replay::plan(request, &job.control).await?;
            shown = differences(&prepared, &job);
            (Ready::Planned(planned::Prepared::Replay(Box::new(prepared))), changed)
        }
        ActVerb::Drain if act.is_to_queue() => {
            let (request, changed) = replay(&act, selection()?, session).await?;
            let prepared = replay::plan(request, &job.control).await?;
            (Ready::Planned(planned::Prepared::Replay(Box::new(prepared))), changed)
        }
        ActVerb::Drain | ActVerb::Discard => {
            let changed = vec![Changed::at(&act.address, &session.places)?];
            refuse_read_only(&changed)?;
            let to = if act.verb == ActVerb::Discard { DrainTo::Discard } else { DrainTo::Archive(archive(&act.to)) };
            let source = session.places.open(&act.address).await?;
            let selection = selection()?;
            let mode = mode(&act, &source, selection.is_all());
            let (limit, rescue) = (act.limit, act.has(Flag::Rescue));
            let request = DrainRequest { source, to, selection, limit, rescue, mode, undoes: None };
            let prepared = drain::plan(request, &job.control).await?;
            (Ready::Planned(planned::Prepared::Drain(Box::new(prepared))), changed)
        }
        ActVerb::Publish => {
            let changed = vec![Changed::at(&act.address, &session.places)?];
            refuse_read_only(&changed)?;
            let to = session.places.open(&act.address).await?;
            let request = PublishRequest { to, count: Some(1), pace: Pace::default() };
            let message = act.message.as_deref().cloned().unwrap_or_default();
            let prepared = publish::plan(request, &job.control).await?;
            (Ready::Publish(Box::new(prepared), vec![Line { number: 1, message }]), changed)
        }
        ActVerb::Resume(id) => {
            let (journals, places) = (session.journals()?, &session.places);
            let prepared = if act.has(Flag::Doubtful) {
                resume::prepare_doubtful(id, &journals, places).await?
            } else {
                resume::prepare(id, &journals, places).await?
            };
            let prepared = prepared.rescue(act.has(Flag::Rescue));
            let changed: Vec<Changed> = prepared.changed().into_iter().map(Changed::from).collect();
            refuse_read_only(&changed)?;
            (Ready::Resume(Box::new(prepared)), changed)
        }
        ActVerb::Undo(id) => {
            let also = act.also.iter().map(|address| address.parse()).collect::<Result<Vec<Address>>>()?;
            // Always by name: what can't be put back is told, and an undo of nothing leaves no journal.
            let (journals, places) = (session.journals()?, &session.places);
            let prepared = undo::plan(id, &also, Mode::Exact, &journals, places, &job.control).await?;
            let changed: Vec<Changed> = prepared.changed().into_iter().map(Changed::from).collect();
            refuse_read_only(&changed)?;
            (Ready::Undo(Box::new(prepared)), changed)
        }
        ActVerb::Offsets(reset) => {
            let changed = vec![Changed::at(&act.address, &session.places)?];
            refuse_read_only(&changed)?;
            let source = session.places.open(&act.address).await?;
            let to = reset.place(session.now_at(&act.address))?;
            let reset = offsets::plan(source, &reset.group, to, reset.partition).await?;
            (Ready::Offsets(Box::new(reset)), changed)
        }
    };
    let sheet = match &ready {
        Ready::Planned(prepared) => Sheet::Plan(prepared.plan().clone(), shown),
        Ready::Publish(prepared, _) => Sheet::Plan(prepared.plan.clone(), shown),
        Ready::Wholesale(prepared) => Sheet::Plan(prepared.plan.clone(), shown),
        Ready::Resume(prepared) => Sheet::Resume(prepared.summary.clone()),
        Ready::Undo(prepared) => {
            Sheet::Undo(prepared.summary.clone(), prepared.plans().cloned().collect(), prepared.notes.clone())
        }
        Ready::Offsets(reset) => Sheet::Offsets(reset.clone()),
    };
    // What nothing can undo asks for the queue's name everywhere.
    let discard = (act.verb == ActVerb::Discard)
        .then(|| (act.address.to_string(), act.address.target.as_ref().map(ToString::to_string).unwrap_or_default()));
    job.plans.keep(job.task, ready);
    Ok(Answer::Planned(Box::new(sheet), production(&changed).or(discard)))
}

/// How a plan on a sheet fixes its messages; `whole` where all of the queue are meant.
fn mode(act: &Act, source: &Place, whole: bool) -> Mode {
    if act.has(Flag::Exact) { Mode::Exact } else { Mode::to_read(&source.broker.capability(), whole) }
}

/// What the broker is to do with the whole queue by itself.
async fn by_the_broker(act: &Act, job: &Job) -> Result<(Ready, Vec<Changed>)> {
    let places = &job.session.places;
    let (source, to, changed) = if act.verb == ActVerb::Discard {
        let changed = vec![Changed::at(&act.address, places)?];
        refuse_read_only(&changed)?;
        (places.open(&act.address).await?, None, changed)
    } else {
        let ends = Ends::new(&act.address, &act.to, false, places)?;
        refuse_read_only(&ends.changed)?;
        let (source, to) = ends.open(places).await?;
        (source, Some(to), ends.changed)
    };
    let request = WholesaleRequest { source, to, pace: Pace { rate: act.rate, ..Pace::default() } };
    let prepared = wholesale::plan(request, &job.control).await?;
    Ok((Ready::Wholesale(Box::new(prepared)), changed))
}

/// What a replay, or a drain to another queue, asks for, and the places that it changes.
async fn replay(act: &Act, selection: Selection, session: &Session) -> Result<(ReplayRequest, Vec<Changed>)> {
    let aside = act.park.as_ref().filter(|_| act.max_replays.is_some());
    let aside = aside.map(|address| address.parse::<Address>()).transpose()?;
    let ends = Ends::new(&act.address, &act.to, act.has(Flag::Keep), &session.places)?;
    let ends = ends.also(aside.as_ref(), &session.places)?;
    refuse_read_only(&ends.changed)?;
    let (source, to) = ends.open(&session.places).await?;
    let park = match &aside {
        Some(address) => Some(Box::new(session.places.open(address).await?)),
        None => None,
    };
    let pace =
        Pace { expiring_first: act.has(Flag::ExpiringFirst), let_expire: act.has(Flag::LetExpire), ..act.pace() };
    let edit = act.edit.as_deref().map(Edit::parse).transpose()?;
    // An edit is shown before it is sent, which takes a look.
    let mode = mode(act, &source, selection.is_all() && edit.is_none());
    let request = ReplayRequest {
        verb: if act.verb == ActVerb::Drain { Verb::Drain } else { Verb::Replay },
        selection,
        limit: act.limit,
        keep: act.has(Flag::Keep),
        again: act.has(Flag::Again),
        max_replays: act.max_replays,
        park,
        reason: act.reason.clone().filter(|_| act.is_to_queue()),
        rescue: act.has(Flag::Rescue),
        same_partition: act.has(Flag::SamePartition),
        send_misfits: act.has(Flag::SendMisfits) && edit.is_some(),
        edit,
        pace,
        rules: Arc::clone(session.rules()),
        mode,
        ..ReplayRequest::all(source, to)
    };
    Ok((request, ends.changed))
}

/// What an edit makes of the first messages, with what the profile hides hidden.
#[cfg(feature = "jq")]
fn differences(prepared: &replay::Prepared, job: &Job) -> Vec<Difference> {
    use crate::operation::edit::diff::Change;
    use crate::operation::masks::Masks;
    let masks = Masks::of(prepared.source(), job.session.places.config());
    let mut shown = Vec::new();
    for sample in prepared.samples.iter().map(|sample| sample.masked(&masks)) {
        shown.push(Difference::Message(sample.before.id.clone()));
        shown.extend(sample.difference().into_iter().map(|(change, line)| match change {
            Change::Gone => Difference::Gone(line),
            Change::New => Difference::New(line),
            Change::Same => Difference::Same(line),
            Change::Gap => Difference::Same("…".to_owned()),
        }));
    }
    shown
}

/// A build without jq edits nothing.
#[cfg(not(feature = "jq"))]
fn differences(_: &replay::Prepared, _: &Job) -> Vec<Difference> {
    Vec::new()
}

/// Messages that are put into one text at most.
#[cfg(feature = "jq")]
const MOST: usize = 100;

/// The messages of an act as a text for an editor.
#[cfg(feature = "jq")]
pub(super) async fn by_hand(job: Job, act: Act) -> Result<Answer> {
    use std::ops::ControlFlow;

    use crate::broker::Delivery;
    use crate::operation::browse::{self, FnSink};
    use crate::operation::edit::hand;
    use crate::operation::masks::Masks;
    let session = &job.session;
    let now = session.now_at(&act.address);
    let selection = Selection::parse(act.filter.as_deref(), act.group.as_deref(), now, session.rules())?;
    let place = session.places.open(&act.address).await?;
    let masks = Masks::of(&place, session.places.config());
    let mut messages = Vec::new();
    let mut sink = FnSink(|deliveries: Vec<Delivery>| {
        messages.extend(deliveries.into_iter().map(|delivery| delivery.message));
        Ok(ControlFlow::Continue(()))
    });
    let look = BrowseRequest { selection, limit: Some(MOST as u64 + 1), ..BrowseRequest::all(place) };
    browse::run(look, &job.control, &mut sink).await?;
    let refused = |what: String, hint: &str| Err(Error::new(ErrorKind::Refused, what).hint(hint));
    if messages.len() > MOST {
        return refused(
            format!("there are more than {MOST} messages to edit by hand"),
            "mark some, or change any number by a jq program: e",
        );
    }
    if messages.iter().any(|message| masks.shown(message).is_some_and(|shown| shown != *message)) {
        let what = "the profile hides parts of these messages, which an editor would show".to_owned();
        return refused(what, "change them by a jq program: e");
    }
    hand::text(&messages).map(Answer::ByHand)
}

/// A build without jq edits nothing.
#[cfg(not(feature = "jq"))]
#[allow(clippy::unused_async, reason = "without jq there is nothing to wait for")]
pub(super) async fn by_hand(_: Job, _: Act) -> Result<Answer> {
    Edit::parse("").map(|_| Answer::ByHand(String::new()))
}

pub(super) fn gone() -> Error {
    Error::new(ErrorKind::Unexpected, "the plan is gone: nothing was done").hint("plan it again")
}

/// Runs what this task has planned.
pub(super) async fn run(job: Job) -> Result<Answer> {
    let journals = job.session.journals()?;
    let reports = match job.plans.take(job.task).ok_or_else(gone)? {
        Ready::Planned(prepared) => vec![planned::run(prepared, &journals, &job.control).await?],
        Ready::Publish(prepared, lines) => vec![publish::run(*prepared, lines.into_iter(), &job.control).await],
        Ready::Resume(prepared) => vec![resume::run(*prepared, &journals, &job.control).await?],
        Ready::Undo(prepared) => Box::pin(undo::run(*prepared, &journals, &job.control)).await?,
        Ready::Wholesale(prepared) => vec![wholesale::run(*prepared, &job.control).await?],
        Ready::Offsets(reset) => {
            offsets::run(&reset).await?;
            return Ok(Answer::Ran(Box::new(Done::Moved(reset))));
        }
    };
    Ok(Answer::Ran(Box::new(Done::Runs(reports))))
}

/// The path in an archive's address.
fn archive(to: &str) -> PathBuf {
    to.strip_prefix("file:").unwrap_or(to).into()
}
