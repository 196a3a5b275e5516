//! Prices, plans and runs: the same engines, plans and reports as the command line's.

use super::Job;
use crate::broker::{Address, CostKind};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::capture::{self, CaptureRequest};
use crate::operation::consent::{Changed, Ends, production, refuse_read_only};
use crate::operation::drain::{self, DrainRequest, DrainTo};
use crate::operation::edit::Edit;
use crate::operation::plan::{Mode, Pace};
use crate::operation::planned;
use crate::operation::publish::{self, Line, PublishRequest};
use crate::operation::queues;
use crate::operation::replay::{self, ReplayRequest};
use crate::operation::resume;
use crate::operation::select::Selection;
use crate::tui::act::{Act, ActVerb};
use crate::tui::msg::Answer;
use crate::tui::state::{self, Difference};

/// What waits for the operator's word.
pub(super) enum Ready {
    /// A replay or a drain.
    Planned(planned::Prepared),
    Publish(Box<publish::Prepared>, Vec<Line>),
    Resume(Box<resume::Prepared>),
}

/// What looks at these queues cost. A look that could destroy a message is refused.
pub(super) async fn cost(job: Job, addresses: Vec<Address>) -> Result<Answer> {
    let (mut lines, mut refused) = (Vec::new(), false);
    for address in &addresses {
        let info = queues::describe(&job.session.places, address).await?.info;
        if info.read_cost.kind != CostKind::None {
            lines.push(state::cost(&info));
        }
        if let Some(why) = &info.read_cost.refused {
            refused = true;
            lines.push(format!("{}: refused: {why}", info.name));
        }
    }
    Ok(Answer::Cost(lines, refused))
}

/// Plans; a capture, which changes nothing but a new file, is run at once.
pub(super) async fn plan(job: Job, act: Act) -> Result<Answer> {
    let session = &job.session;
    let selection = || {
        let now = session.now_at(&act.address);
        Selection::parse(act.filter.as_deref(), act.group.as_deref(), now, session.rules())
    };
    let (limit, rescue) = (None, false);
    let mut shown = Vec::new();
    let (ready, changed) = match &act.verb {
        ActVerb::Capture => {
            let place = session.places.open(&act.address).await?;
            let look = BrowseRequest { selection: selection()?, ..BrowseRequest::all(place) };
            let report = capture::run(CaptureRequest { look, to: archive(&act.path)? }, &job.control).await?;
            return Ok(Answer::Ran(Box::new(report)));
        }
        ActVerb::Replay => {
            let ends = Ends::new(&act.address, &act.to, act.keep, &session.places)?;
            refuse_read_only(&ends.changed)?;
            let selection = selection()?;
            let (source, to) = ends.open(&session.places).await?;
            let (keep, again, pace) = (act.keep, act.again, Pace { rate: act.rate, ..Pace::default() });
            let edit = act.edit.as_deref().map(Edit::parse).transpose()?;
            // An edit is shown before it is sent, which takes a look.
            let mode = Mode::to_read(&source.broker.capability(), selection.is_all() && edit.is_none());
            let request = ReplayRequest { selection, keep, again, edit, pace, mode, ..ReplayRequest::all(source, to) };
            let prepared = replay::plan(request, &job.control).await?;
            shown = differences(&prepared, &job);
            (Ready::Planned(planned::Prepared::Replay(Box::new(prepared))), ends.changed)
        }
        ActVerb::Drain | ActVerb::Discard => {
            let changed = vec![Changed::at(&act.address, &session.places)?];
            refuse_read_only(&changed)?;
            let to =
                if act.verb == ActVerb::Discard { DrainTo::Discard } else { DrainTo::Archive(archive(&act.path)?) };
            let source = session.places.open(&act.address).await?;
            let selection = selection()?;
            let mode = Mode::to_read(&source.broker.capability(), selection.is_all());
            let request = DrainRequest { source, to, selection, limit, rescue, mode };
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
            let prepared = resume::prepare(id, &session.journals()?, &session.places).await?;
            let changed: Vec<Changed> = prepared.changed().into_iter().map(Changed::from).collect();
            refuse_read_only(&changed)?;
            let summary = Box::new(prepared.summary.clone());
            job.plans.keep(job.task, Ready::Resume(Box::new(prepared)));
            return Ok(Answer::Resumable(summary, production(&changed)));
        }
    };
    let plan = Box::new(match &ready {
        Ready::Planned(prepared) => prepared.plan().clone(),
        Ready::Publish(prepared, _) => prepared.plan.clone(),
        Ready::Resume(_) => return Err(gone()),
    });
    // What nothing can undo asks for the queue's name everywhere.
    let discard = (act.verb == ActVerb::Discard)
        .then(|| (act.address.to_string(), act.address.target.as_ref().map(ToString::to_string).unwrap_or_default()));
    job.plans.keep(job.task, ready);
    Ok(Answer::Planned(plan, shown, production(&changed).or(discard)))
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

fn gone() -> Error {
    Error::new(ErrorKind::Unexpected, "the plan is gone: nothing was done").hint("plan it again")
}

/// Runs what this task has planned.
pub(super) async fn run(job: Job) -> Result<Answer> {
    let journals = job.session.journals()?;
    let report = match job.plans.take(job.task).ok_or_else(gone)? {
        Ready::Planned(prepared) => planned::run(prepared, &journals, &job.control).await?,
        Ready::Publish(prepared, lines) => publish::run(*prepared, lines.into_iter(), &job.control).await,
        Ready::Resume(prepared) => resume::run(*prepared, &journals, &job.control).await?,
    };
    Ok(Answer::Ran(Box::new(report)))
}

/// The path of a new archive.
fn archive(text: &str) -> Result<std::path::PathBuf> {
    let path = text.trim().strip_prefix("file:").unwrap_or(text.trim());
    if [".jsonl", ".jsonl.zst"].iter().any(|end| path.ends_with(end)) {
        return Ok(path.into());
    }
    Err(Error::new(ErrorKind::Usage, format!("{text:?} is no name for an archive"))
        .hint("an archive is PATH.jsonl or PATH.jsonl.zst"))
}
