//! Publish: messages from outside (standard input, a file, a form) to one target, in order.
//!
//! Each line has its own outcome; a refused message does not stop the others, a lost connection or a malformed line
//! stops the run after what is under way. Limits: there is no source to keep, so there is no journal; whoever sends a
//! stream again after a failure starts behind the last line that the report calls done.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::time::Instant;

use super::control::Control;
use super::pace::Throttle;
use super::place::Place;
use super::plan::{self, Aside, Check, Destination, HeaderPolicy, Mode, Pace, Plan, Verb};
use super::progress::{Meter, Stage, WATCH};
use super::report::{Ended, Outcome, OutcomeLine, Report, Tally};
use crate::broker::{Publisher, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Amqp, Message, Value, hash};

/// Messages in one call of the publisher at most.
const BATCH: usize = 1000;
/// Calls of the publisher at once: the next ones are made ready while one is on its way.
const IN_FLIGHT: usize = 3;

/// What to publish to.
#[derive(Clone, Debug)]
pub struct PublishRequest {
    /// The target.
    pub to: Place,
    /// How many messages there are, where it is known.
    pub count: Option<u64>,
    /// How fast.
    pub pace: Pace,
}

/// Where the messages come from.
#[async_trait]
pub trait Input: Send {
    /// The next messages with their line numbers, at most `max`, at least one; none at the end. Dropping the future
    /// loses none.
    ///
    /// # Errors
    /// `Invalid`, naming the line; the run sends what came before it and stops.
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Line>>;
}

/// A message and where it stands in the input.
#[derive(Clone, Debug)]
pub struct Line {
    /// From 1.
    pub number: u64,
    /// The message.
    pub message: Message,
}

/// Messages that are in memory already.
#[async_trait]
impl Input for std::vec::IntoIter<Line> {
    async fn next_batch(&mut self, max: usize) -> Result<Vec<Line>> {
        Ok(self.take(max).collect())
    }
}

/// A property with the type it has on the wire: numbers where the protocol has numbers, else text.
///
/// # Errors
/// `Usage` for a number that is none.
pub fn property(name: &str, value: &str) -> Result<(String, Value)> {
    let bad = |_| Error::new(ErrorKind::Usage, format!("the property {name} is a number, and {value:?} is none"));
    let value = match name {
        "delivery_mode" | "priority" => Value::Amqp(Amqp::U8(value.parse().map_err(bad)?)),
        "timestamp" => Value::Amqp(Amqp::Timestamp(value.parse().map_err(bad)?)),
        _ => Value::text(value),
    };
    Ok((name.to_owned(), value))
}

/// A publish whose target is verified and open.
pub struct Prepared {
    /// What is going to happen.
    pub plan: Plan,
    publisher: Arc<dyn Publisher>,
    request: PublishRequest,
}

/// Verifies the target and says what is going to happen. Sends nothing.
///
/// # Errors
/// `Refused` for a read-only profile, before any I/O; `NotFound` and the like for a target that is not there.
pub async fn plan(request: PublishRequest, control: &Control) -> Result<Prepared> {
    let to = &request.to;
    to.require_writable()?;
    let publisher = to.broker.publisher(to.address.need_target()?).await.map_err(|error| to.locate(error))?;
    let address = to.address.to_string();
    let mut checks = vec![Check::passed("target exists", "")];
    checks.extend(Check::times(std::iter::once((address.as_str(), &*publisher))));
    let plan = Plan {
        schema: plan::SCHEMA.into(),
        hash: hash::NAME.into(),
        verb: Verb::Publish,
        mode: Mode::Streaming,
        created: control.clock.now(),
        source: String::new(),
        to: address.clone(),
        filter: None,
        group: None,
        rules: None,
        keep: true,
        scanned: 0,
        planned: request.count.unwrap_or_default(),
        estimated: false,
        destinations: vec![Destination::new(address, request.count)],
        messages: Vec::new(),
        skipped: Vec::new(),
        checks,
        pace: request.pace.clone(),
        undoes: None,
        same_partition: false,
        edit: None,
        aside: Aside::default(),
        header_policy: HeaderPolicy::default(),
    };
    Ok(Prepared { plan, publisher, request })
}

/// Sends what the input gives.
///
/// # Errors
/// None that a report could hold: whatever stops the run is in [`Report::error`].
pub async fn run(prepared: Prepared, mut input: impl Input, control: &Control) -> Report {
    let began = control.clock.now();
    let Prepared { plan, publisher, request } = prepared;
    let mut run = Run {
        tally: Tally::new(Verb::Publish, plan.planned),
        meter: control.meter(Stage::Publish, request.count).at_most(request.pace.rate),
        to: request.to.address.to_string(),
        read: 0,
        control,
    };
    let stopped = run.send_all(publisher.as_ref(), &mut input, &request.pace).await;
    let closed = publisher.close().await;
    run.meter.end();
    if let Err(error) = closed {
        run.tally.note(format!("the publisher did not close: {error}"));
    }
    if request.count.is_none() {
        run.tally.set_planned(run.read);
    }
    let (state, error) = match stopped {
        Err(error) => (Ended::Stopped, Some(request.to.locate(error))),
        Ok(()) if control.cancel.is_cancelled() => (Ended::Interrupted, None),
        Ok(()) => (Ended::Finished, None),
    };
    run.tally.finish(state, error.as_ref(), None, control.clock.now().duration_since(began))
}

/// A batch that was sent: line numbers, ids, and what the publisher said of each.
struct Sent {
    lines: Vec<(u64, String)>,
    results: Vec<Result<Receipt>>,
}

struct Run<'a> {
    tally: Tally,
    meter: Meter,
    to: String,
    read: u64,
    control: &'a Control,
}

impl Run<'_> {
    async fn send_all(&mut self, publisher: &dyn Publisher, input: &mut dyn Input, pace: &Pace) -> Result<()> {
        let mut throttle = Throttle::new(pace, Instant::now());
        let mut sent = FuturesUnordered::new();
        let mut stop: Option<Result<()>> = None;
        loop {
            let room = stop.is_none() && sent.len() < IN_FLIGHT;
            if !room && sent.is_empty() {
                return stop.unwrap_or(Ok(()));
            }
            let max = throttle.batch(BATCH);
            tokio::select! {
                            biased;
                            Some(batch) = sent.next(), if !sent.is_empty() => {
                                if let Err(error) = self.settle(batch) {
                                    stop.get_or_insert(Err(error));
                                }
                            }
                            () = self.control.cancel.cancelled(), if stop.is_none() => stop = Some(Ok(())),
                            () = tokio::time::sleep(WATCH), if !sent.is_empty() => {
                                let note = self.meter.wait(publisher.held_up());
                                if let Some(note) = note {
             self.tally.note(note);
            }
                            }
                            lines = async { throttle.wait().await; input.next_batch(max).await }, if room => match lines {
                                Err(error) => stop = Some(Err(error.hint("what came before the line was sent; the rest was not"))),
                                Ok(lines) if lines.is_empty() => stop = Some(Ok(())),
                                Ok(lines) => {
                                    throttle.spend(lines.len());
                                    self.read += lines.len() as u64;
                                    sent.push(send(publisher, lines));
                                }
                            },
                        }
        }
    }

    /// Counts a batch's results; an error is one that the next batch would meet, too.
    fn settle(&mut self, batch: Sent) -> Result<()> {
        let mut fatal = None;
        let mut results = batch.results.into_iter();
        for (number, id) in &batch.lines {
            let outcome = match results.next() {
                Some(Ok(_)) => Outcome::Done,
                Some(Err(error)) => {
                    let outcome = not_published(&error);
                    if stops_a_publisher(&error) {
                        fatal.get_or_insert(error);
                    }
                    outcome
                }
                None => Outcome::Ambiguous("the publisher gave no answer for it".into()),
            };
            self.tally.add(id, *number, Some(&self.to), &outcome);
            self.control.outcome(|| OutcomeLine::new(id, *number, Some(self.to.clone()), &outcome));
        }
        let (done, noted) = self.tally.counts();
        self.meter.set(done, noted, None);
        fatal.map_or(Ok(()), Err)
    }
}

async fn send(publisher: &dyn Publisher, lines: Vec<Line>) -> Sent {
    let (lines, messages): (Vec<_>, Vec<_>) =
        lines.into_iter().map(|line| ((line.number, line.message.id.clone()), line.message)).unzip();
    let results = publisher.publish(&messages).await;
    Sent { lines, results }
}

/// The outcome of a publish that gave no receipt. A publisher that says that its broker is away has not sent the message:
/// where it does not know, it says so.
pub(super) fn not_published(error: &Error) -> Outcome {
    match error.kind() {
        ErrorKind::Ambiguous => Outcome::Ambiguous(error.to_string()),
        kind if kind.is_away() => Outcome::Unsent(format!("not sent: {error}")),
        _ => Outcome::Failed(error.to_string()),
    }
}

/// Whether an error of one message means that the publisher is done for: anything but a refusal of that message.
pub(super) fn stops_a_publisher(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::Rejected | ErrorKind::Unsupported | ErrorKind::Invalid | ErrorKind::Usage)
}
