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
mod pick;
mod prefix;
mod settle;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::watch;
use tokio::time::Instant;

pub(super) use self::carry::Carrier;
use self::carry::{Item, Sent, Step};
pub(super) use self::pick::Picker;
use self::pick::{Leftovers, Pick};
use self::prefix::Prefix;
use self::settle::Confirmed;
use super::control::Control;
use super::course::{Admit, Course, Key, Sequence};
use super::handled::Handled;
use super::journal::Opened;
use super::journal::record::{Identity, Left, Record, ranges};
use super::journal::state::{LOST, RENEWED, Stage as MessageStage, State, TWICE};
use super::journal::writer::Writer;
use super::pace::Throttle;
use super::place::Place;
use super::plan::{Mode, Plan};
use super::progress::{Meter, Stage, WATCH};
use super::replay::headers;
use super::replay::route::{Change, Route};
use super::report::{Ended, Outcome, OutcomeLine, Report, Tally};
use crate::broker::{BrowseOptions, Delivery, End, Reader, Settle, TakeOptions, Token};
use crate::error::{Error, Result};
use crate::message::filter::Prefilter;
use crate::message::jsonl::write_line;
use crate::message::{Digest, Message};

/// Bytes in one batch at most, but for a single larger message.
const BATCH_BYTES: u64 = 8 << 20;
/// Messages of a run's first batch; each one after it may be twice as large. What stops a run at once, or kills it again
/// and again, so leaves few messages in doubt, and a run that gets anywhere gets on.
const FIRST_BATCH: usize = 64;
/// Bytes of originals that one journal keeps.
const MAX_ORIGINALS: u64 = 1 << 30;
/// What is said of a message that the plan names and the queue no longer has.
const MISSING: &str = "it is no longer in the queue";

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
    course: Course,
    /// The keys of which this pass has taken up a message, where it takes up one of each.
    taken: Option<HashSet<Key>>,
    /// In which order the messages of each key are sent.
    sequence: Sequence,
    /// A message was left to the next pass.
    deferred: bool,
    /// How many copies may be sent and not confirmed, and how many are.
    max_in_flight: u64,
    in_flight: u64,
    steps: FuturesUnordered<BoxFuture<'static, Step>>,
    /// Batches begun so far.
    started: u64,
    /// Batches whose intents are on disk, by number, until the ones before them are.
    intended: BTreeMap<u64, Vec<Item>>,
    /// The number of the next batch to publish.
    next: u64,
    /// A batch is being written into the archive.
    storing: bool,
    /// Steps that came while the reader was busy.
    backlog: VecDeque<Step>,
    pending: VecDeque<Item>,
    pending_bytes: u64,
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

/// A message of an earlier run.
struct Open {
    id: String,
    to: u32,
    twice: bool,
    outcome: Outcome,
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
        cancel: control.cancel.clone(),
        ..TakeOptions::default()
    };
    let waits = options.waits.listen();
    let opened = open_reader(&source, head.keep, options).await;
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
    let sequence = course.sequence(plan.as_ref(), &state);
    let mut mover = Mover {
        control,
        picker,
        carrier,
        writer,
        plan,
        keep: head.keep,
        tally: Tally::new(head.verb, head.planned),
        meter: control.meter(stage, Some(head.planned)),
        throttle: Throttle::new(&head.pace, Instant::now()),
        course,
        taken: one_a_key.then(HashSet::new),
        sequence,
        deferred: false,
        max_in_flight: head.pace.max_in_flight.unwrap_or(u64::MAX),
        in_flight: 0,
        steps: FuturesUnordered::new(),
        started: 0,
        intended: BTreeMap::new(),
        next: 0,
        storing: false,
        backlog: VecDeque::new(),
        pending: VecDeque::new(),
        pending_bytes: 0,
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

impl Mover<'_> {
    /// Counts what the journal says of earlier passes, and takes up what they left open.
    fn take_up(&mut self, state: &State, keep: bool) {
        for Left(_, id, why) in &state.skipped {
            self.tally.add(id, 0, None, &Outcome::Skipped(why.clone()));
        }
        for (seq, entry) in state.entries() {
            let outcome = entry.outcome(keep);
            let is_open = match entry.stage {
                MessageStage::Intended => true,
                MessageStage::Confirmed(_) | MessageStage::Stays(_) => !keep,
                _ => false,
            };
            if is_open {
                let open = Open { id: entry.id.clone(), to: entry.to, twice: entry.twice, outcome };
                self.open.insert(seq, open);
            } else {
                let to = state.destinations.get(entry.to as usize).map(String::as_str);
                self.tally.add(&entry.id, seq, to, &outcome);
            }
        }
    }

    /// Everything but opening and closing.
    async fn work(&mut self, reader: &mut dyn Reader, mut waits: watch::Receiver<Option<String>>) {
        let mut concluded = false;
        loop {
            while let Some(step) = self.backlog.pop_front() {
                self.on_step(step);
            }
            if let Some((seq, delivery)) = self.late.pop_front().filter(|_| self.stop.is_none()) {
                let digest = delivery.message.digest();
                if let Err(error) = self.send(delivery, digest, Some(seq)).await {
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
            if !self.backlog.is_empty() {
                continue;
            }
            let stopped = self.stop.is_some();
            let room = self.pending.len() < self.control.batch && self.pending_bytes < BATCH_BYTES;
            let reading = !self.ended && !stopped && room;
            let idle = self.steps.is_empty() && (stopped || self.pending.is_empty());
            if idle && !reading {
                let go_on = !concluded && !stopped && self.conclude();
                concluded = true;
                if go_on {
                    continue;
                }
                self.let_go(reader).await;
                return;
            }
            let paced = !stopped && !self.pending.is_empty() && self.throttle.is_waiting();
            let cancel = &self.control.cancel;
            tokio::select! {
                biased;
                Some(step) = self.steps.next(), if !self.steps.is_empty() => self.backlog.push_back(step),
                () = cancel.cancelled(), if !stopped => self.stop = Some(Stop::Cancelled),
                () = self.throttle.wait(), if paced => {}
                () = tokio::time::sleep(WATCH), if !self.steps.is_empty() => {
                    let why = self.carrier.held_up().or_else(|| waits.borrow().clone());
                    self.wait(why);
                }
                Ok(()) = waits.changed(), if reading => {
                    let why = waits.borrow_and_update().clone();
                    self.wait(why);
                }
                batch = reader.next_batch(self.control.batch - self.pending.len()), if reading => match batch {
                    Err(error) => self.halt(error),
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
                            Some(End::Exhausted | End::Limit) if self.deferred => self.pause_at_the_end(),
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
        self.pending.clear();
        self.pending_bytes = 0;
    }

    async fn on_deliveries(&mut self, deliveries: Vec<Delivery>) -> Result<()> {
        for delivery in deliveries {
            if self.ended {
                return Ok(());
            }
            let (identity, digest) = Identity::of(&delivery.message);
            match self.picker.pick(&delivery.message, identity, delivery.redelivered) {
                pick @ (Pick::Leave | Pick::Kept) => {
                    if pick == Pick::Kept {
                        self.hold_up(self.course.key(&delivery.message), &delivery.message);
                    }
                    if let Some(prefix) = &mut self.prefix {
                        prefix.leave(delivery.token, identity);
                    }
                    self.leave(delivery.token);
                }
                Pick::Beyond if self.deferred => self.pause_at_the_end(),
                Pick::Beyond => (self.ended, self.early) = (true, true),
                Pick::Take => {
                    self.send(delivery, digest, None).await?;
                    if self.left_to_take == 0 {
                        self.pause();
                    }
                }
                Pick::Retry(seq) => self.send(delivery, digest, Some(seq)).await?,
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
        self.course.missed(&mut self.sequence);
        self.pause();
    }

    /// Nothing more is done with a delivery. A look gives everything back by itself, and a log has its own order.
    fn leave(&mut self, token: Token) {
        if !self.keep && self.prefix.is_none() {
            self.left.push(token);
        }
    }

    /// A message to send: one of this run, or one of an earlier run once more.
    async fn send(&mut self, mut delivery: Delivery, digest: Digest, again: Option<u64>) -> Result<()> {
        let (mut original, mut undoes, mut group) = (None, None, None);
        let key = self.course.key(&delivery.message);
        let identity = Identity::new(digest, &delivery.message.id);
        if let Some(key) = key
            && !matches!(self.course.admit(Some(key)), Admit::Held(_))
            && (self.taken.as_ref().is_some_and(|taken| taken.contains(&key)) || !self.sequence.is_next(key, identity))
        {
            self.sequence.defer(key, identity);
            self.deferred = true;
            self.leave(delivery.token);
            return Ok(());
        }
        let route = match &mut self.carrier {
            Carrier::Publish { routes, witness, .. } => {
                group = witness.as_ref().map(|witness| witness.group(&delivery.message));
                let route = routes.route(&delivery.message).await?;
                let Change { route, message, seq } = routes.change(route, &delivery.message);
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
            // It stays where it is, and its outcome stays what it was.
            (Route::Stay(_), Some(_)) => {
                self.leave(delivery.token);
                Ok(())
            }
            (Route::Stay(why), None) => {
                self.leave(delivery.token);
                let id = delivery.message.id;
                self.outcome(0, &id, None, &Outcome::Skipped(why.clone()));
                self.writer.note(&Record::Skip { messages: vec![Left(digest, id, why)] })
            }
            (Route::To(to, routing), again) => {
                if let (Some(taken), Some(key)) = (&mut self.taken, key) {
                    taken.insert(key);
                }
                if again.is_none() {
                    self.left_to_take = self.left_to_take.saturating_sub(1);
                }
                self.pending_bytes += delivery.message.size();
                if let Some(prefix) = &mut self.prefix {
                    prefix.send(delivery.token);
                }
                let Delivery { message, token, .. } = delivery;
                self.pending.push_back(Item {
                    // A new one gets its number when it is its turn.
                    seq: again.unwrap_or_default(),
                    again: again.is_some(),
                    token,
                    digest,
                    to,
                    routing,
                    message,
                    original,
                    undoes,
                    key,
                    group,
                });
                Ok(())
            }
        }
    }

    /// A message whose copy an earlier run has confirmed.
    fn remove(&mut self, seq: u64, delivery: &Delivery) {
        if let Some(open) = self.open.get(&seq) {
            let confirmed = Confirmed { token: delivery.token, id: open.id.clone(), to: open.to, twice: open.twice };
            self.confirmed.insert(seq, confirmed);
        }
    }

    /// Messages that an earlier run has removed without a record of it.
    fn gone(&mut self, seqs: &[u64]) -> Result<()> {
        if seqs.is_empty() {
            return Ok(());
        }
        for seq in seqs {
            self.finish_open(*seq, |open| if open.twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done });
        }
        self.writer.note(&Record::Removed { done: ranges(seqs.iter().copied()), failed: Vec::new() })
    }

    /// Messages of an earlier run whose copies are confirmed, not met again though others were met as new copies.
    fn renewed(&mut self, seqs: &[u64]) -> Result<()> {
        for seq in seqs {
            self.finish_open(*seq, |_| Outcome::Ambiguous(RENEWED.into()));
        }
        let failed = seqs.iter().map(|seq| (*seq, RENEWED.to_owned())).collect();
        self.writer.note(&Record::Removed { done: Vec::new(), failed })
    }

    fn finish_open(&mut self, seq: u64, outcome: impl FnOnce(&Open) -> Outcome) {
        if let Some(open) = self.open.remove(&seq) {
            let outcome = outcome(&open);
            self.outcome(seq, &open.id, Some(open.to), &outcome);
        }
    }

    /// Draws the conclusions from having read the source to its end. Whether that gave more to do.
    fn conclude(&mut self) -> bool {
        let leftovers = if self.cut.is_some() || self.paused { Leftovers::default() } else { self.picker.end() };
        let Leftovers { retry, removed, lost, missing } = leftovers;
        let waiting: Vec<_> = retry.iter().filter_map(|seq| Some((*seq, self.waiting.remove(seq)?))).collect();
        self.late.extend(waiting);
        let mut done = if self.rescued { self.renewed(&removed) } else { self.gone(&removed) };
        if !lost.is_empty() {
            for seq in &lost {
                self.finish_open(*seq, |_| Outcome::Ambiguous(LOST.into()));
            }
            done = done.and(self.writer.note(&Record::Lost { seqs: ranges(lost) }));
        }
        done = done.and(self.missing(missing.into_iter().collect()));
        if let Err(error) = done {
            self.halt(error);
        }
        !self.late.is_empty()
    }

    /// Messages that the plan names and the queue no longer has.
    fn missing(&mut self, mut missing: HashMap<Identity, u64>) -> Result<()> {
        let Some(plan) = self.plan.take().filter(|_| !missing.is_empty()) else { return Ok(()) };
        let mut left = Vec::new();
        // From the back: the first copies are those that were found.
        for message in plan.messages.iter().rev() {
            if let Some(count) = missing.get_mut(&Identity::new(message.digest, &message.id)).filter(|n| **n > 0) {
                *count -= 1;
                self.outcome(0, &message.id, None, &Outcome::Skipped(MISSING.into()));
                left.push(Left(message.digest, message.id.clone(), MISSING.into()));
            }
        }
        self.writer.note(&Record::Skip { messages: left })
    }

    /// How many messages the next batch may have.
    fn batch(&self) -> usize {
        let doublings = u32::try_from(self.started).unwrap_or(u32::MAX);
        FIRST_BATCH.checked_shl(doublings).filter(|most| *most > 0).unwrap_or(usize::MAX).min(self.control.batch)
    }

    /// Starts the next batch, where it is its turn.
    fn dispatch(&mut self) {
        if self.stop.is_some() {
            self.pending.clear();
            self.pending_bytes = 0;
        }
        // A small batch waits for more while others are under way.
        let most = self.batch();
        let few = self.pending.len() < most / 2 && self.pending_bytes < BATCH_BYTES / 2;
        let wait = few && !self.ended && !self.steps.is_empty();
        let busy = self.storing || self.steps.len() >= self.carrier.under_way();
        if self.pending.is_empty() || wait || self.throttle.is_waiting() || busy {
            return;
        }
        let room = usize::try_from(self.max_in_flight.saturating_sub(self.in_flight)).unwrap_or(usize::MAX);
        let most = self.throttle.batch(most).min(room);
        let mut batch = Vec::with_capacity(self.pending.len().min(most));
        let mut bytes = 0;
        let mut waiting = VecDeque::new();
        while batch.len() < most
            && (batch.is_empty() || bytes < BATCH_BYTES)
            && let Some(mut item) = self.pending.pop_front()
        {
            match self.course.admit(item.key) {
                Admit::Wait => waiting.push_back(item),
                Admit::Held(why) => {
                    self.pending_bytes = self.pending_bytes.saturating_sub(item.message.size());
                    if let Err(error) = self.hold_back(item, why) {
                        self.halt(error);
                        return;
                    }
                }
                Admit::Go => {
                    if !item.again {
                        self.last += 1;
                        item.seq = self.last;
                    }
                    self.course.sends(item.seq, item.key);
                    if let (Carrier::Publish { witness: Some(witness), .. }, Some(group)) = (&self.carrier, item.group)
                    {
                        witness.original(item.seq, group);
                    }
                    bytes += item.message.size();
                    batch.push(item);
                }
            }
        }
        // What waits for one of its key stands before what was not looked at.
        waiting.append(&mut self.pending);
        self.pending = waiting;
        self.pending_bytes = self.pending_bytes.saturating_sub(bytes);
        if batch.is_empty() {
            return;
        }
        self.in_flight += batch.len() as u64;
        self.throttle.spend(batch.len());
        match self.carrier.start(self.started, batch, &self.writer, &mut self.recorded) {
            Ok(step) => {
                self.started += 1;
                self.storing = self.carrier.one_by_one();
                self.steps.push(step);
            }
            Err(error) => self.halt(error),
        }
    }

    /// A message stays: what comes behind it of its key stays, too, but for one that an earlier run has sent.
    fn hold_up(&self, key: Option<Key>, message: &Message) {
        if let Carrier::Publish { routes, .. } = &self.carrier
            && !routes.is_done_with(message)
        {
            self.course.holds(key, &message.id);
        }
    }

    /// One that can't go before another of its key, which stays.
    fn hold_back(&mut self, item: Item, why: String) -> Result<()> {
        self.leave(item.token);
        // What an earlier run may have sent stays what it was.
        if item.again {
            return Ok(());
        }
        let id = item.message.id;
        self.outcome(0, &id, None, &Outcome::Skipped(why.clone()));
        self.writer.note(&Record::Skip { messages: vec![Left(item.digest, id, why)] })
    }

    fn on_step(&mut self, step: Step) {
        self.storing &= !matches!(step, Step::Stored(..));
        match step {
            Step::Intended(number, batch, Ok(())) => {
                self.on_disk(batch.iter().map(|item| item.seq).max());
                self.intended.insert(number, batch);
                // Intents get on disk in groups, and their news can overtake each other: the batches must not.
                while let Some(batch) = self.intended.remove(&self.next) {
                    self.next += 1;
                    self.steps.push(self.carrier.publish(batch));
                }
            }
            Step::Stored(batch, Ok(offset)) => self.steps.push(carry::record_stored(batch, offset, &self.writer)),
            // Nothing of the batch was sent: the originals are held, and returned at the close.
            Step::Intended(_, _, Err(error)) | Step::Stored(_, Err(error)) => self.halt(error),
            Step::Sent(sent, fatal) => {
                if let Some(error) = fatal {
                    self.halt(error);
                }
                self.steps.push(carry::record_sent(sent, &self.writer));
            }
            Step::Recorded(sent, recorded) => self.on_recorded(sent, recorded),
        }
        let (done, noted) = self.tally.counts();
        self.meter.set(done, noted, None);
    }

    /// Takes note of the newest number that the journal has on disk.
    fn on_disk(&mut self, newest: Option<u64>) {
        if let Some(newest) = newest.filter(|newest| *newest > self.durable) {
            self.durable = newest;
            self.released = false;
        }
    }

    fn on_recorded(&mut self, sent: Vec<Sent>, recorded: Result<()>) {
        let failed = recorded.err();
        if failed.is_none() && matches!(self.carrier, Carrier::Archive { .. } | Carrier::Discard { .. }) {
            self.on_disk(sent.iter().map(|sent| sent.seq).max());
        }
        self.in_flight = self.in_flight.saturating_sub(sent.len() as u64);
        for Sent { seq, token, id, to, twice, outcome } in sent {
            let stops = match &outcome {
                Outcome::Done => {
                    self.course.arrived(seq);
                    None
                }
                Outcome::Failed(why) | Outcome::Skipped(why) | Outcome::Ambiguous(why) => {
                    self.course.failed(seq, &id, why)
                }
            };
            if let Some(error) = stops {
                self.halt(error);
            }
            // Taken out in any case: what stays in it is counted once more at the close.
            let before = self.open.remove(&seq).is_some_and(|open| open.twice);
            let twice = twice || before;
            if let Some(prefix) = &mut self.prefix {
                prefix.sent(token);
            }
            if outcome != Outcome::Done {
                self.leave(token);
            }
            let arrived = if twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done };
            match (outcome, &failed) {
                (Outcome::Done, None) if !self.keep => {
                    self.witness(seq);
                    self.confirmed.insert(seq, Confirmed { token, id, to, twice });
                }
                (Outcome::Done, _) if self.keep => {
                    self.witness(seq);
                    self.outcome(seq, &id, Some(to), &arrived);
                }
                (Outcome::Done, _) => {
                    let why = "its copy is confirmed; the original was kept, for the journal can't be written";
                    self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why.into()));
                }
                (Outcome::Failed(why), _) if twice => {
                    let why = format!("an earlier try may have arrived; the last one failed: {why}");
                    self.outcome(seq, &id, Some(to), &Outcome::Ambiguous(why));
                }
                (outcome, _) => self.outcome(seq, &id, Some(to), &outcome),
            }
        }
        if let Some(error) = failed {
            self.halt(error);
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
