//! A run in steps: each is a pass over the source, and the next one begins when the copies of the one before are seen to
//! be consumed. A run without a ramp is one step, watched at its end where that was asked for.
//!
//! Between two passes the source has everything back and the journal is unfinished, so that a kill there is resumed like
//! any other, at the step that is due. Limits: each step is a take of its own, which costs what is passed over in it a look.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::route::Routes;
use super::{ReplayRequest, ReplayTo, reopen};
use crate::broker::Address;
use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::control::Control;
use crate::operation::course::Course;
use crate::operation::handled::{self, Handled};
use crate::operation::journal::record::Record;
use crate::operation::journal::state::Stage as MessageStage;
use crate::operation::journal::{Head, Journals, Opened};
use crate::operation::place::Place;
use crate::operation::plan::{Check, Pace, Plan, Verb};
use crate::operation::progress::Stage;
use crate::operation::report::{Ended, Report, Step, StopError};
use crate::operation::source;
use crate::operation::transfer::{self, Carrier, Job, Pause};
use crate::operation::verify::{self, Met, Places, Verification, Witness};
use crate::text::human;

/// Runs or resumes a journal to its end, or to the step that its copies do not survive.
pub(super) async fn run(
    mut opened: Opened,
    mut routes: Routes,
    request: &ReplayRequest,
    journals: &Journals,
    control: &Control,
    mut resuming: bool,
) -> Result<Report> {
    let (id, pace, began) = (opened.head.id.clone(), opened.head.pace.clone(), control.clock.now());
    let course = Course::new(&pace)?;
    let Some(time) = pace.watch() else {
        return unwatched(opened, routes, request, journals, control, course, resuming).await;
    };
    let gate = Gate::of(&pace);
    let witness = Witness::new(Arc::clone(&request.rules));
    let mut places = Places::of(&request.source).await;
    let lanes: Vec<_> = routes.lanes().iter().map(|lane| lane.address.clone()).collect();
    places.add(&request.source, copies(request, &lanes), Met::Before).await;
    let mut steps = Vec::new();
    let (mut reclaim, mut stuck) = (true, false);
    let mut counted = opened.state.taken() + opened.state.skipped.len() as u64;
    loop {
        let taken = opened.state.taken();
        let one_a_key = course.keys.is_some();
        let take = match gate {
            Gate::Checkpoint => Pace::checkpoint(taken),
            Gate::Ramp | Gate::Consumed => pace.step(taken),
        };
        let pause = take.map(|take| {
            let window = window(&opened, take).filter(|_| !stuck && !one_a_key && !has_first(&opened));
            Pause { take, window }
        });
        let (course, witness) = (course.clone(), witness.clone());
        let with = Pass { resuming, reclaim, course: course.clone(), pause, one_a_key, witness: Some(witness.clone()) };
        let mut report = pass(opened, routes, request, journals, control, with).await?;
        let cancelled = control.cancel.is_cancelled();
        let paused = report.error.is_none() && report.state == Ended::Interrupted && !cancelled;
        if !paused && report.state != Ended::Finished || cancelled {
            return Ok(Report { steps, elapsed_s: seconds_since(began, control), ..report });
        }
        let went: Vec<_> = report.destinations.iter().map(|to| to.address.clone()).collect();
        places.add(&request.source, copies(request, &went), Met::After).await;
        let counts = report.done + report.failed + report.skipped + report.ambiguous - report.unsent;
        // What was held elsewhere at that moment comes with the next pass: there is nothing new to watch.
        if paused && counts == counted && !stuck {
            stuck = true;
            opened = journals.open(&id)?;
            opened.head.rescue |= request.rescue;
            routes = reopen(request, &opened, journals).await?;
            (resuming, reclaim) = (true, false);
            continue;
        }
        counted = counts;
        let patience = if gate == Gate::Checkpoint && paused { time.min(GLANCE) } else { time };
        let seen = verify::watch(&places, &witness, &id, patience, control).await?;
        course.came_back(witness.back());
        opened = journals.open(&id)?;
        opened.head.rescue |= request.rescue;
        opened.writer.durable(&Record::Verified { seen: Box::new(seen.clone()) }).await?;
        opened.state.verified = Some(Box::new(seen.clone()));
        let objection = gate.objection(&seen, &course);
        let goes_on = paused && objection.is_none() && !control.cancel.is_cancelled();
        if gate == Gate::Ramp {
            steps.push(Step { done: report.done, seen: seen.headline(), passed: objection.is_none() });
        }
        if goes_on {
            stuck = opened.state.taken() == taken;
            if !opened.head.keep {
                source::wait_for_returned(&request.source, &opened.head, &opened.state, control).await?;
            }
            routes = reopen(request, &opened, journals).await?;
            (resuming, reclaim) = (true, false);
            continue;
        }
        if let Some(objection) = objection.filter(|_| paused) {
            let what = format!("{} {}: {objection}", gate.stopped(), human::messages(report.done));
            let error = Error::new(ErrorKind::Partial, what).hint(format!(
                "`postroom journal resume {id}` goes on with the next step, `postroom journal undo {id}` takes back what \
                 is still there"
            ));
            let finish =
                Record::Finish { at: control.clock.now(), state: Ended::Stopped, why: Some(error.to_string()) };
            opened.writer.durable(&finish).await?;
            report = Report { state: Ended::Stopped, error: Some(StopError::from(&error)), ..report };
        }
        opened.writer.close().await;
        return Ok(Report { verification: Some(seen), steps, elapsed_s: seconds_since(began, control), ..report });
    }
}

/// The same without a look at the copies: one pass, and more where messages of a key did not come in their order.
async fn unwatched(
    mut opened: Opened,
    mut routes: Routes,
    request: &ReplayRequest,
    journals: &Journals,
    control: &Control,
    course: Course,
    mut resuming: bool,
) -> Result<Report> {
    let (id, began) = (opened.head.id.clone(), control.clock.now());
    let mut reclaim = true;
    loop {
        let course = course.clone();
        let with = Pass { resuming, reclaim, course, pause: None, one_a_key: false, witness: None };
        let report = pass(opened, routes, request, journals, control, with).await?;
        let paused = report.error.is_none() && report.state == Ended::Interrupted;
        if !paused || control.cancel.is_cancelled() {
            return Ok(Report { elapsed_s: seconds_since(began, control), ..report });
        }
        opened = journals.open(&id)?;
        opened.head.rescue |= request.rescue;
        if !opened.head.keep {
            source::wait_for_returned(&request.source, &opened.head, &opened.state, control).await?;
        }
        routes = reopen(request, &opened, journals).await?;
        (resuming, reclaim) = (true, false);
    }
}

fn seconds_since(began: jiff::Timestamp, control: &Control) -> f64 {
    control.clock.now().duration_since(began).as_secs_f64().max(0.0)
}

/// How long a run that goes on anyway, unless copies come back, waits for its targets to be empty.
const GLANCE: Duration = Duration::from_secs(15);

/// What has to be seen before a run that is watched goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Gate {
    /// The copies are consumed, and none came back.
    Ramp,
    /// The copies are consumed: only so many may be under way, or those of one key one after the other.
    Consumed,
    /// Not many came back.
    Checkpoint,
}

impl Gate {
    fn of(pace: &Pace) -> Self {
        if !pace.ramp.is_empty() {
            Self::Ramp
        } else if pace.max_in_flight.is_some() || pace.per_key.is_some() {
            Self::Consumed
        } else {
            Self::Checkpoint
        }
    }

    /// Why the run does not go on.
    fn objection(self, seen: &Verification, course: &Course) -> Option<String> {
        let too_many = course.objects_to(seen.bounced, seen.sent);
        match self {
            // Keys that came back go no further; the others may.
            Self::Ramp if !course.is_told() => seen.objection(),
            Self::Ramp | Self::Consumed => too_many.or_else(|| seen.unconsumed()),
            Self::Checkpoint => too_many,
        }
    }

    fn stopped(self) -> &'static str {
        if self == Self::Ramp { "the ramp stopped after" } else { "the run stopped by itself after" }
    }
}

/// How one pass goes.
struct Pass {
    resuming: bool,
    reclaim: bool,
    course: Course,
    pause: Option<Pause>,
    one_a_key: bool,
    witness: Option<Witness>,
}

async fn pass(
    opened: Opened,
    routes: Routes,
    request: &ReplayRequest,
    journals: &Journals,
    control: &Control,
    with: Pass,
) -> Result<Report> {
    let Pass { resuming, reclaim, course, pause, one_a_key, witness } = with;
    let Head { handles, id, verb, .. } = &opened.head;
    let (log, verb) = (handles.clone(), *verb);
    // What was replayed before is no obstacle to a removal from a log, but has to be seen for that.
    let passed = match &log {
        Some(log) if verb == Verb::Drain => Handled::load(journals, log, Some(id))?,
        _ => Handled::default(),
    };
    let (selection, source) = (request.selection.clone(), &request.source);
    let (picker, prefilter, scan) = source::picker(&opened, selection, resuming, &passed);
    let carrier = Carrier::Publish { routes: Box::new(routes), journal: Arc::from(opened.head.id.as_str()), witness };
    let stage = match verb {
        Verb::Drain => Stage::Drain,
        Verb::Undo => Stage::Undo,
        _ => Stage::Replay,
    };
    let job = Job {
        source: source.clone(),
        stage,
        picker,
        carrier,
        opened,
        prefilter,
        scan,
        passed,
        pause,
        reclaim,
        course,
        one_a_key,
    };
    let mut report = Box::pin(transfer::run(job, control)).await?;
    if log.is_some()
        && verb == Verb::Replay
        && let Ok(Some(log)) = source.broker.log(source.queue()?).await
    {
        let counts = handled::so_far(journals, &log);
        report.notes.extend(counts.map(|counts| format!("the source keeps its records: {counts}")));
    }
    Ok(report)
}

/// The places behind the addresses of destinations, but for the one that is parked in.
pub(super) fn copies(request: &ReplayRequest, addresses: &[String]) -> Vec<Place> {
    let to = match &request.to {
        ReplayTo::Origin => &request.source,
        ReplayTo::Place(place) => place,
    };
    let park = request.park.as_ref().map(|place| place.address.to_string());
    addresses
        .iter()
        .filter(|address| park.as_deref() != Some(address.as_str()))
        .filter_map(|address| address.parse::<Address>().ok())
        .map(|address| Place { address, broker: Arc::clone(&to.broker), policy: Policy::default() })
        .collect()
}

/// How many rounds a run of that plan takes at the least whose copies are watched before the next ones go, where that is
/// worth a word; and whether its source stands so many, where each message of it stands only `budget` looks.
pub(super) fn rounds(plan: &Plan, budget: Option<u64>) -> Option<Check> {
    plan.pace.watch()?;
    let mut keys: HashMap<&str, u64> = HashMap::new();
    for key in plan.messages.iter().filter_map(|message| message.key.as_deref()) {
        *keys.entry(key).or_default() += 1;
    }
    let longest = keys.into_values().max().unwrap_or_default();
    let most = plan.pace.max_in_flight.map_or(0, |most| plan.planned.div_ceil(most));
    let rounds = longest.max(most);
    let why = if longest >= most { "so many messages has the longest key" } else { "by what may be in flight" };
    let each = "in each, all keys go on side by side, and the next begins when the copies are seen to be consumed, which a \
                broker that counts only now and then (RabbitMQ) tells within 2 to 10 s";
    if rounds <= 1 || !plan.pace.ramp.is_empty() {
        return None;
    }
    let why = format!("{} at least, {why}: {each}", human::count(rounds));
    // The plan has looked once; each round goes through what is left, and looks at what came back.
    let stands = budget.filter(|_| !plan.keep).map(|budget| budget.saturating_sub(1) / LOOKS_A_ROUND);
    Some(match stands.filter(|stands| *stands < rounds) {
        None => Check::passed("rounds", why),
        Some(stands) => {
            let stops =
                format!("the source's messages stand about {} rounds, and the run stops then", human::count(stands));
            let next = "raise its delivery limit for the time, or leave out --verify: then each goes when the one before \
                        it is confirmed";
            Check::warning("rounds", format!("{why}; {stops}: {next}"))
        }
    })
}

/// How often a round delivers what stays in its source.
const LOOKS_A_ROUND: u64 = 2;

/// Whether some messages of the plan go before others, wherever they stand.
fn has_first(opened: &Opened) -> bool {
    opened.plan.iter().flat_map(|plan| &plan.messages).any(|message| message.first)
}

/// How many messages of the source are enough to find the next `take`: where all are taken, those that stay in it and
/// these.
fn window(opened: &Opened, take: u64) -> Option<u64> {
    let Opened { head, plan, state, .. } = opened;
    let is_all = head.filter.is_none() && head.group.is_none();
    let stay = state.entries().filter(|(_, entry)| entry.stage != MessageStage::Removed).count() + state.skipped.len();
    let planned = plan.as_ref().map_or(0, |plan| plan.skipped.len());
    is_all.then(|| take.saturating_add((stay + planned) as u64))
}
