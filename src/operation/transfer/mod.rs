//! The mover: takes messages, has each one's copy confirmed, and removes the originals. Replay and drain are this.
//!
//! One loop owns the reader; the steps of the batches (journal the intent, publish, journal the confirmation) run beside
//! it, several batches at once. A message goes through these gates, in this order:
//!
//! ```text
//! picked -> intent on disk -> published -> confirmed -> confirmation on disk -> removed -> removal noted
//! ```
//!
//! Whatever stops the run (cancel, an error, the disk), nothing new is started, what is under way is finished, and
//! the reader returns the rest. Memory is bounded: a few batches of at most [`Control::batch`] messages or [`BATCH_BYTES`].

mod carry;
mod earlier;
mod flight;
mod pick;
mod prefix;
mod settle;
mod turns;

use std::collections::{BTreeMap, HashMap, VecDeque};

use futures::stream::StreamExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

pub(super) use self::carry::Carrier;
use self::carry::Item;
use self::earlier::Open;
use self::flight::Flight;
use self::pick::Pick;
pub(super) use self::pick::Picker;
use self::prefix::Prefix;
use self::settle::Confirmed;
use self::turns::Turns;
use super::control::Control;
use super::course::Course;
use super::expiry::Life;
use super::handled::Handled;
use super::journal::Opened;
use super::journal::record::{Cause, Identity, Left, Record};
use super::journal::writer::Writer;
use super::pace::Throttle;
use super::place::Place;
use super::plan::{Mode, Pace, Plan};
use super::progress::{Meter, Stage, WATCH};
use super::replay::headers;
use super::replay::route::{Change, Route};
use super::report::{Ended, Outcome, OutcomeLine, Report, Tally};
use super::wording::no_members;
use crate::broker::{BrowseOptions, Delivery, End, Ordering, Reader, Settle, TakeOptions, Token};
use crate::error::{Error, Result};
use crate::message::Digest;
use crate::message::filter::Prefilter;
use crate::message::jsonl::write_line;

/// Bytes of originals that one journal keeps.
const MAX_ORIGINALS: u64 = 1 << 30;
/// What to move.
pub(super) struct Job {
    pub(super) source: Place,
    pub(super) stage: Stage,
    pub(super) picker: Picker,
    pub(super) carrier: Carrier,
    pub(super) opened: Opened,
    /// What the reader may leave out without asking; never on a resume, which has to see every message.
    pub(super) prefilter: Option<Prefilter>,
    /// How many messages of the source to go through.
    pub(super) scan: Option<u64>,
    /// What was replayed by earlier runs: it is no obstacle where only the oldest records can be removed.
    pub(super) passed: Handled,
    /// How far this pass goes; `None` to the end.
    pub(super) pause: Option<Pause>,
    /// What a dead run held may still be hidden.
    pub(super) reclaim: bool,
    /// Which keys go on, and how much went wrong in the passes before.
    pub(super) course: Course,
    /// Of each key, one message a pass: the next one waits for what is seen of its copy.
    pub(super) one_a_key: bool,
}

/// Where a pass of a run in steps pauses: the journal stays unfinished, and the next pass is a resume of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pause {
    /// How many messages are taken up before it.
    pub(super) take: u64,
    /// How many messages of the source are asked for, where that is enough: what is asked for and not taken is given back,
    /// and some queues count that.
    pub(super) window: Option<u64>,
}

/// Why a run stops before its end.
enum Stop {
    /// The pass is over, the run is not.
    Paused,
    Cancelled,
    Error(Error),
}

struct Mover<'a> {
    control: &'a Control,
    picker: Picker,
    carrier: Carrier,
    writer: Writer,
    plan: Option<Plan>,
    keep: bool,
    tally: Tally,
    meter: Meter,
    throttle: Throttle,
    turns: Turns,
    flight: Flight,
    /// What is said where no message is taken at all.
    nobody: Option<String>,
    /// How long the messages of a queue without an order live, where the pace makes some of them wait.
    life: Option<Life>,
    /// Copies confirmed and on record, originals not removed yet.
    confirmed: BTreeMap<u64, Confirmed>,
    /// Of a log, which gives up only its oldest records.
    prefix: Option<Prefix>,
    /// How many messages the plan acts on was counted, and is not only an upper bound.
    counted: bool,
    /// Deliveries whose fate the picker has not decided.
    waiting: HashMap<u64, Delivery>,
    /// Deliveries that turned out to be uncertain at the end: they are sent again.
    late: VecDeque<(u64, Delivery)>,
    /// Messages of earlier runs without an outcome yet.
    open: HashMap<u64, Open>,
    /// Destinations the journal knows.
    recorded: usize,
    /// The last number given.
    last: u64,
    /// The last number whose intent is on disk.
    durable: u64,
    /// The newest message may be removed, too.
    released: bool,
    /// The source does not answer any more: what is not removed by now stays in it.
    lost: bool,
    /// Messages of the source may have been put back as new copies: one that is gone may have come again.
    rescued: bool,
    /// A message is known by its id, so none has to stay to tell what stood before it.
    unique_ids: bool,
    /// Deliveries that nothing more is done with: the reader is told, for some wait for what they gave.
    left: Vec<Token>,
    /// The source was read as far as the plan goes.
    ended: bool,
    /// There was no need to read on.
    early: bool,
    /// How many more messages this pass takes up.
    left_to_take: u64,
    /// How many messages were asked for, where that is not the end of what is there.
    window: Option<u64>,
    /// How many the reader gave.
    given: u64,
    /// The pass is over before the run is.
    paused: bool,
    /// Originals that were not kept, for there were too many.
    not_kept: u64,
    /// The backend stopped the read, and why.
    cut: Option<String>,
    stop: Option<Stop>,
}

/// Moves what the job says.
///
/// # Errors
/// What the source says when it is opened: nothing was done then. Whatever happens later is in [`Report::error`].
pub(super) async fn run(job: Job, control: &Control) -> Result<Report> {
    let began = control.clock.now();
    let Job { source, stage, picker, carrier, opened, prefilter, scan, passed, pause, reclaim, course, one_a_key } =
        job;
    let Opened { head, plan, state, writer } = opened;
    let window =
        pause.and_then(|pause| pause.window).filter(|window| !head.keep && scan.is_none_or(|scan| *window < scan));
    // What a run that was killed held may still be hidden.
    let options = TakeOptions {
        limit: window.or(scan),
        within: head.within.clone(),
        until: head.until,
        prefilter,
        rescue: head.rescue,
        reclaim: reclaim && state.last() > 0,
        in_hand: carrier.in_hand(),
        cancel: control.cancel.clone(),
        ..TakeOptions::default()
    };
    let waits = options.waits.listen();
    let (opened, life) = tokio::join!(open_reader(&source, head.keep, options), life(&source, &head.pace));
    let mut reader = match opened {
        Ok(reader) => reader,
        Err(error) => {
            let finish =
                Record::Finish { at: control.clock.now(), state: Ended::Stopped, why: Some(error.to_string()) };
            _ = writer.durable(&finish).await;
            writer.close().await;
            return Err(source.locate(error));
        }
    };
    let turns = Turns::new(course, plan.as_ref(), &state, one_a_key);
    let mut mover = Mover {
        control,
        picker,
        carrier,
        writer,
        plan,
        keep: head.keep,
        tally: Tally::new(head.verb, head.planned).moves(&head.to, head.undoes.as_deref()),
        meter: control.meter(stage, Some(head.planned)).at_most(head.pace.rate),
        throttle: Throttle::new(&head.pace, Instant::now()),
        turns,
        flight: Flight::new(head.pace.max_in_flight),
        nobody: no_members(head.filter.as_deref(), head.group.as_deref(), &head.source),
        life,
        confirmed: BTreeMap::new(),
        prefix: (head.handles.is_some() && !head.keep).then(|| Prefix::new(passed)),
        counted: (head.within.is_empty() && head.until.is_none()) || head.mode == Mode::Exact,
        waiting: HashMap::new(),
        late: VecDeque::new(),
        open: HashMap::new(),
        recorded: state.destinations.len(),
        last: state.last(),
        durable: state.last(),
        released: state.released || state.end,
        lost: false,
        rescued: state.rescued,
        unique_ids: head.unique_ids,
        left: Vec::new(),
        ended: false,
        early: false,
        left_to_take: pause.map_or(u64::MAX, |pause| pause.take),
        window,
        given: 0,
        paused: false,
        not_kept: 0,
        cut: None,
        stop: None,
    };
    mover.take_up(&state, head.keep);
    drop(state);
    if let Err(error) = mover.writer.note(&Record::Run { at: began }) {
        mover.halt(error);
    }
    mover.work(reader.as_mut(), waits).await;
    mover.close(reader.as_mut(), &source, &head.id, began).await
}

async fn open_reader(source: &Place, keep: bool, options: TakeOptions) -> Result<Box<dyn Reader>> {
    let queue = source.queue()?;
    if keep {
        let TakeOptions { limit, within, prefilter, rescue, cancel, .. } = options;
        // A look counts only what it delivers, so with a prefilter its limit is the end of the queue at its start.
        let limit = limit.filter(|_| prefilter.is_none());
        let options = BrowseOptions { within, limit, prefilter, rescue, cancel, ..BrowseOptions::default() };
        return source.broker.browse(queue, options).await;
    }
    source.broker.take(queue, options).await
}

/// How long the messages of a source live of which those at hand may go in any order.
async fn life(source: &Place, pace: &Pace) -> Option<Life> {
    if pace.rate.is_none() || pace.per_key.is_some() {
        return None;
    }
    let info = source.broker.inspect(source.queue().ok()?).await.ok()?;
    (info.capability.ordering == Ordering::Unordered).then(|| Life::of(&info))
}

impl Mover<'_> {
    /// Everything but opening and closing.
    async fn work(&mut self, reader: &mut dyn Reader, mut waits: watch::Receiver<Option<String>>) {
        let mut concluded = false;
        loop {
            if let Some((seq, delivery)) = self.late.pop_front().filter(|_| self.stop.is_none()) {
                let known = Identity::of_delivery(&delivery);
                if let Err(error) = self.send(delivery, known, Some(seq)).await {
                    self.halt(error);
                }
                continue;
            }
            self.release(reader).await;
            let left = std::mem::take(&mut self.left);
            if !left.is_empty() {
                // Noted only, and carried out by the close.
                _ = reader.settle(&left, Settle::Return).await;
            }
            self.dispatch();
            let stopped = self.stop.is_some();
            let room = self.flight.room(self.batch());
            let reading = !self.ended && !stopped && room > 0;
            let idle = self.flight.steps.is_empty() && (stopped || !self.flight.has_pending());
            if idle && !reading {
                let go_on = !concluded && !stopped && self.conclude();
                concluded = true;
                if go_on {
                    continue;
                }
                self.let_go(reader).await;
                return;
            }
            let paced = !stopped && self.flight.has_pending() && self.throttle.is_waiting();
            let cancel = &self.control.cancel;
            tokio::select! {
                biased;
                Some(step) = self.flight.steps.next(), if !self.flight.steps.is_empty() => self.on_step(step),
                () = cancel.cancelled(), if !stopped => self.stop = Some(Stop::Cancelled),
                () = self.throttle.wait(), if paced => {}
                () = tokio::time::sleep(WATCH), if !self.flight.steps.is_empty() => {
                    let why = self.carrier.held_up().or_else(|| waits.borrow().clone());
                    self.wait(why);
                }
                Ok(()) = waits.changed(), if reading => {
                    let why = waits.borrow_and_update().clone();
                    self.wait(why);
                }
                batch = reader.next_batch(room), if reading => match batch {
                    Err(error) => {
                        self.lost |= error.kind().is_away();
                        self.halt(error);
                    }
                    Ok(batch) => {
                        self.given += batch.deliveries.len() as u64;
                        let taken = self.on_deliveries(batch.deliveries).await;
                        if let Err(error) = taken.and(self.note_rescue(reader.progress().rescued).await) {
                            self.halt(error);
                        }
                        match batch.end {
                            None => {}
                            Some(End::Exhausted | End::Limit) if self.window.is_some_and(|window| self.given >= window) => {
                                self.pause();
                            }
                            Some(End::Exhausted | End::Limit) if self.turns.has_deferred() => self.pause_at_the_end(),
                            Some(End::Exhausted | End::Limit) => self.ended = true,
                            Some(End::Cancelled) => _ = self.stop.get_or_insert(Stop::Cancelled),
                            Some(End::Stopped(why)) => {
                                self.ended = true;
                                self.cut = Some(why);
                            }
                        }
                    }
                },
            }
        }
    }

    /// Tells why nothing goes on, or that it does again.
    fn wait(&mut self, why: Option<String>) {
        if let Some(note) = self.meter.wait(why) {
            self.tally.note(note);
        }
    }

    /// The first error stops the run; later ones are its consequences.
    fn halt(&mut self, error: Error) {
        if !matches!(self.stop, Some(Stop::Error(_))) {
            self.stop = Some(Stop::Error(error));
        }
        self.flight.clear();
    }

    async fn on_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        for delivery in deliveries {
            if self.ended {
                return Ok(());
            }
            let (identity, digest) = Identity::of_delivery(&delivery);
            match self.picker.pick(&delivery.message, identity, delivery.redelivered) {
                pick @ (Pick::Leave | Pick::Kept) => {
                    if pick == Pick::Kept {
                        self.hold_up(self.turns.key(&delivery), &delivery.message);
                    }
                    if let Some(prefix) = &mut self.prefix {
                        prefix.leave(delivery.token, identity);
                    }
                    self.leave(delivery.token);
                }
                Pick::Beyond if self.turns.has_deferred() => self.pause_at_the_end(),
                Pick::Beyond => (self.ended, self.early) = (true, true),
                Pick::Take => self.send(delivery, (identity, digest), None).await?,
                Pick::Retry(seq) => self.send(delivery, (identity, digest), Some(seq)).await?,
                Pick::Remove(seq) => self.remove(seq, &delivery),
                Pick::Wait(seq) => _ = self.waiting.insert(seq, delivery),
            }
            let (certain, gone) = self.picker.decided();
            for seq in certain {
                if let Some(delivery) = self.waiting.remove(&seq) {
                    self.remove(seq, &delivery);
                }
            }
            self.gone(&gone)?;
            if self.left_to_take == 0 {
                self.pause();
            }
        }
        Ok(())
    }

    /// The journal knows that messages come back as new copies before the first of them is made.
    async fn note_rescue(&mut self, rescued: u64) -> Result<()> {
        if rescued == 0 || self.rescued {
            return Ok(());
        }
        self.rescued = true;
        self.writer.durable(&Record::Rescue).await
    }

    /// Nothing more is read in this pass.
    fn pause(&mut self) {
        (self.ended, self.early, self.paused) = (true, true, true);
    }

    /// The source was read to its end, and some messages are left to the next pass.
    fn pause_at_the_end(&mut self) {
        self.turns.missed();
        self.pause();
    }

    /// Nothing more is done with a delivery. A look gives everything back by itself, and a log has its own order.
    fn leave(&mut self, token: Token) {
        if !self.keep && self.prefix.is_none() {
            self.left.push(token);
        }
    }

    /// A message to send: one of this run, or one of an earlier run once more.
    async fn send(
        &mut self,
        mut delivery: Delivery,
        (identity, digest): (Identity, Digest),
        again: Option<u64>,
    ) -> Result<()> {
        let twice = again.is_some_and(|seq| !self.is_unsent(seq));
        let (mut original, mut undoes, mut group) = (None, None, None);
        let key = self.turns.key(&delivery);
        if !self.turns.takes_up(key, identity) {
            self.leave(delivery.token);
            return Ok(());
        }
        let route = match &mut self.carrier {
            Carrier::Publish { routes, witness, .. } => {
                group = witness.as_ref().map(|witness| witness.group(&delivery.message));
                let route = routes.route(&delivery.message).await?;
                let Change { route, message, seq, .. } = routes.change(route, &delivery.message);
                undoes = seq;
                let keeps = match &route {
                    Route::To(lane, _) if !self.keep && seq.is_none() => {
                        message.is_some() || routes.loses(*lane, &delivery.message)
                    }
                    _ => false,
                };
                if keeps && self.writer.kept() < MAX_ORIGINALS {
                    let line = original.insert(Vec::new());
                    write_line(&delivery.message, None, line);
                } else if keeps {
                    self.not_kept += 1;
                }
                if let Some(message) = message {
                    delivery.message = message;
                }
                route
            }
            Carrier::Archive { writer, .. } => carry::archivable(writer, &delivery.message),
            Carrier::Discard { of } => {
                undoes = of.as_deref().and_then(|journal| headers::seq_of(&delivery.message, journal));
                Route::To(0, None)
            }
        };
        if matches!(route, Route::Stay(_)) {
            self.hold_up(key, &delivery.message);
        }
        match (route, again) {
            (Route::Stay(why), Some(seq)) => {
                self.leave(delivery.token);
                self.give_up(seq, why)
            }
            (Route::Stay(why), None) => {
                self.leave(delivery.token);
                let id = delivery.message.id;
                self.outcome(0, &id, None, &Outcome::Skipped(why.clone()));
                self.writer.note(&Record::Skip { messages: vec![Left(digest, id, why, Cause::Itself)] })
            }
            (Route::To(to, routing), again) => {
                self.turns.took(key);
                if !twice {
                    self.left_to_take = self.left_to_take.saturating_sub(1);
                }
                if let Some(prefix) = &mut self.prefix {
                    prefix.send(delivery.token);
                }
                let Delivery { message, token, .. } = delivery;
                let vanishes = self.life.and_then(|life| life.end(&message));
                self.flight.push(Item {
                    // A new one gets its number when it is its turn.
                    seq: again.unwrap_or_default(),
                    again: again.is_some(),
                    twice,
                    token,
                    digest,
                    to,
                    routing,
                    message,
                    original,
                    undoes,
                    key,
                    group,
                    vanishes,
                });
                Ok(())
            }
        }
    }

    /// A target has confirmed that copy.
    fn witness(&self, seq: u64) {
        if let Carrier::Publish { witness: Some(witness), .. } = &self.carrier {
            witness.confirmed(seq);
        }
    }

    fn outcome(&mut self, seq: u64, id: &str, to: Option<u32>, outcome: &Outcome) {
        let to = to.and_then(|to| self.carrier.address(to));
        self.tally.add(id, seq, to, outcome);
        self.control.outcome(|| OutcomeLine::new(id, seq, to.map(ToOwned::to_owned), outcome));
    }
}
