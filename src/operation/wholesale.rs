//! What the broker does with a whole queue by itself: drop everything, or move everything, unseen and unmodified.
//!
//! Far faster than a replay or a drain, and without their guarantees: no message is named, no copy confirmed, no journal
//! written. So it is only done where the operator asks for it, and the plan says what it does. Limits: the counts are the
//! broker's estimates.

use std::time::Duration;

use super::control::Control;
use super::drain::DISCARD;
use super::place::Place;
use super::plan::{self, Aside, Check, Destination, HeaderPolicy, Mode, Pace, Plan, Verb};
use super::progress::Stage;
use super::replay::ReplayTo;
use super::report::{DestinationReport, Ended, Report, Tally};
use crate::broker::{Advance, Stand, Target, Wholesale};
use crate::error::{Error, ErrorKind, Result};
use crate::message::hash;
use crate::text::human;

/// What to do after a stop: unlike a run of ours, the broker's own leaves no record of which message is where.
const AFTERWARDS: &str =
    "what it has moved or dropped stays so, and it may go on: look at both queues before doing it again";

/// How often the broker is asked how far it is.
const BEAT: Duration = Duration::from_millis(500);

/// What the broker is to do.
#[derive(Clone, Debug)]
pub struct WholesaleRequest {
    /// Whose messages.
    pub source: Place,
    /// Where they go; `None` drops them.
    pub to: Option<ReplayTo>,
    /// How fast a move is.
    pub pace: Pace,
}

/// What was checked.
#[derive(Debug)]
pub struct Prepared {
    /// What is going to happen.
    pub plan: Plan,
    source: Place,
    what: Wholesale,
}

/// Says what is going to happen. Changes nothing.
///
/// # Errors
/// `Refused` for a read-only profile, before any I/O, for messages without an origin, and where the target is the
/// source; `Unsupported` where the broker does no such thing; `Usage` for a target elsewhere; what the broker says.
pub async fn plan(request: WholesaleRequest, control: &Control) -> Result<Prepared> {
    let WholesaleRequest { source, to, pace } = request;
    source.require_writable()?;
    pace.check()?;
    let info = source.broker.describe(source.queue()?).await.map_err(|error| source.locate(error))?;
    let count = info.messages;
    let offered = info.capability.server_side;
    let unseen = "no message is named and no journal written: nothing of it can be resumed, verified or undone; what arrives \
                  meanwhile may go, too";
    let mut checks = vec![Check::passed("by the broker itself", unseen)];
    let (verb, text, destinations, what) = match &to {
        None => {
            let why = offered.drops.ok_or_else(|| unsupported(&source, "emptied"))?;
            checks.push(Check::passed("no copy", why));
            (Verb::Drain, DISCARD.to_owned(), vec![(DISCARD.to_owned(), count)], Wholesale::Drop)
        }
        Some(to) => {
            let why = offered.moves.ok_or_else(|| unsupported(&source, "moved"))?;
            checks.push(Check::passed("unmodified", why));
            let (text, targets, name) = targets(&source, to, &info.dead_letter_from, offered.to_origins)?;
            // What the broker holds when it is stopped is given back like by any other consumer.
            if let Some(why) = info.read_cost.refused.as_ref().filter(|_| info.read_cost.can_rescue()) {
                let why = format!("{why}: a move that is cut off would destroy such messages; leave out --server-side");
                checks.push(Check::failed("read budget", why));
            }
            if let Some(name) = &name {
                source.broker.inspect(name).await.map_err(|error| source.locate(error))?;
                checks.push(Check::passed("target exists", targets.concat()));
            }
            // Which message goes to which of several nobody knows before.
            let alone = targets.len() == 1;
            let targets = targets.into_iter().map(|address| (address, count.filter(|_| alone))).collect();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate was checked to be positive, and one that is too large stays so"
            )]
            let rate = pace.rate.map(|rate| rate.ceil() as u32);
            (Verb::Replay, text, targets, Wholesale::Move { to: name, rate })
        }
    };
    source.broker.may_wholesale(source.queue()?, &what).await.map_err(|error| source.locate(error))?;
    let plan = Plan {
        schema: plan::SCHEMA.into(),
        hash: hash::NAME.into(),
        verb,
        mode: Mode::Streaming,
        created: control.clock.now(),
        source: source.address.to_string(),
        to: text,
        filter: None,
        group: None,
        rules: None,
        keep: false,
        scanned: count.unwrap_or_default(),
        planned: count.unwrap_or_default(),
        estimated: true,
        destinations: destinations.into_iter().map(|(address, messages)| Destination::new(address, messages)).collect(),
        messages: Vec::new(),
        skipped: Vec::new(),
        checks,
        undoes: None,
        same_partition: false,
        edit: None,
        aside: Aside::default(),
        pace,
        header_policy: HeaderPolicy::default(),
    };
    Ok(Prepared { plan, source, what })
}

fn unsupported(source: &Place, what: &str) -> Error {
    let why = format!("{} can't be {what} by its broker itself", source.address);
    Error::new(ErrorKind::Unsupported, why).hint(
        "leave --server-side out: postroom does it message by message; SQS empties every queue, and moves only out of \
         dead-letter queues; RabbitMQ moves out of classic and quorum queues",
    )
}

/// The target as asked, its addresses, and its name on the source's broker.
fn targets(
    source: &Place,
    to: &ReplayTo,
    origins: &[String],
    each_to_its_own: bool,
) -> Result<(String, Vec<String>, Option<String>)> {
    let at = |name: &String| source.address.at(Target::queue(name.clone())).to_string();
    match to {
        ReplayTo::Origin if origins.is_empty() => {
            let what = format!("no queue dead-letters into {}, so its messages have no origin", source.address);
            Err(Error::new(ErrorKind::Refused, what).hint("name a target with --to"))
        }
        ReplayTo::Origin if each_to_its_own => Ok(("origin".into(), origins.iter().map(at).collect(), None)),
        ReplayTo::Origin => {
            let [only] = origins else {
                let many = human::count(origins.len() as u64);
                let what =
                    format!("{many} queues dead-letter into {}, and its broker moves all to one", source.address);
                return Err(Error::new(ErrorKind::Refused, what)
                    .hint("name it with --to, or leave --server-side out: each message then goes to its own origin"));
            };
            Ok(("origin".into(), vec![at(only)], Some(only.clone())))
        }
        ReplayTo::Place(place) => {
            place.require_writable()?;
            if place.address.connection != source.address.connection {
                let what = format!("{} is on another broker than {}", place.address, source.address);
                return Err(Error::new(ErrorKind::Usage, what)
                    .hint("write both addresses with the same profile or URL, or leave --server-side out"));
            }
            let name = place.queue()?.to_owned();
            if source.queue()? == name {
                return Err(Error::new(ErrorKind::Refused, format!("{} is the source itself", place.address)));
            }
            let address = place.address.to_string();
            Ok((address.clone(), vec![address], Some(name)))
        }
    }
}

/// Has it done, and waits for its end. A cancel stops a move: what is moved stays moved.
///
/// # Errors
/// What the broker says to the start. Everything later is in the report.
pub async fn run(prepared: Prepared, control: &Control) -> Result<Report> {
    let Prepared { plan, source, what } = prepared;
    plan.require_checks()?;
    let began = control.clock.now();
    let stage = if plan.verb == Verb::Drain { Stage::Drain } else { Stage::Replay };
    let mut meter = control.meter(stage, Some(plan.planned));
    let begun = source.broker.wholesale(source.queue()?, what).await;
    let mut underway = begun.map_err(|error| source.locate(error))?;
    let mut tally = Tally::new(plan.verb, plan.planned).moves(&plan.to, None);
    tally.note("the broker did it by itself: its counts are estimates");
    let mut last = Advance { done: 0, of: None, stand: Stand::Running };
    let (mut cancelled, mut error) = (false, None);
    loop {
        match underway.advance().await {
            Ok(advance) => last = advance,
            Err(trouble) => {
                tally.note("it goes on without being watched");
                error = Some(source.locate(trouble).hint(AFTERWARDS));
                break;
            }
        }
        meter.set(last.done, 0, last.of);
        if last.stand != Stand::Running {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(BEAT) => {}
            () = control.cancel.cancelled(), if !cancelled => {
                cancelled = true;
                if let Err(trouble) = underway.cancel().await {
                    tally.note(format!("it goes on: {trouble}"));
                    break;
                }
            }
        }
    }
    meter.end();
    let state = match &last.stand {
        Stand::Failed(why) => {
            let gave_up = Error::new(ErrorKind::Rejected, format!("the broker gave up: {why}")).hint(AFTERWARDS);
            error.get_or_insert_with(|| source.locate(gave_up));
            Ended::Stopped
        }
        _ if error.is_some() => Ended::Stopped,
        Stand::Cancelled => {
            tally.note("the broker has stopped: what it had moved stays where it went, the rest is in the source");
            Ended::Interrupted
        }
        Stand::Running if cancelled => Ended::Interrupted,
        Stand::Done | Stand::Running => Ended::Finished,
    };
    if state == Ended::Finished {
        // The plan had an estimate.
        tally.set_planned(last.done);
        if let Some(left) = last.of.and_then(|of| of.checked_sub(last.done)).filter(|left| *left > 0) {
            tally.note(format!(
                "the source has {} all the same: the target refused them, they arrived meanwhile, or somebody ended it",
                human::messages(left)
            ));
        }
    }
    let mut report = tally.finish(state, error.as_ref(), None, control.clock.now().duration_since(began));
    report.done = last.done;
    if let ([to], Verb::Replay) = (plan.destinations.as_slice(), plan.verb) {
        let done = DestinationReport { address: to.address.clone(), done: last.done, ..DestinationReport::default() };
        report.destinations.push(done);
    }
    Ok(report)
}
