//! When messages vanish from their queue, and what that means for a run: which of them go first, and how many would not
//! live to see their turn.
//!
//! A time is the soonest that is known. `RabbitMQ` counts from the arrival in this very queue, which no message tells:
//! it is not before its last death, nor before what its publisher stamped. Kafka deletes whole segments, so a record may
//! outlive its time. SQS counts from the first send. Messages go first only where nothing is broken by it: a queue that
//! promises no order, or an operator who asks for it; those of one key keep their order in any case. A log is read oldest
//! first as it is. Limits: retention by size is not foreseen.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::control::Control;
use super::place::Place;
use super::plan::{Check, Mode, Pace, Plan};
use super::verify::SETTLE;
use crate::broker::memory::demo;
use crate::broker::{Connection, QueueInfo, Remove};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::failure::last_moved;
use crate::text::human;

/// The check that says what vanishes, and what agrees to it.
const EXPIRY: &str = "expiry";
const AGREE: &str = "; --let-expire lets them go";
/// A message that vanishes within this time is worth a word.
const SOON: SignedDuration = SignedDuration::from_hours(1);
/// How much longer than its pace says a run may take: what vanishes in that time goes first, too.
const SLACK: (f64, SignedDuration) = (1.25, SignedDuration::from_mins(10));

/// How long the messages of a queue live.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Life {
    /// Each of them, by the queue.
    after: Option<SignedDuration>,
    /// A message may say of itself that it lives shorter.
    own: bool,
}

impl Life {
    /// What the queue says.
    pub(super) fn of(info: &QueueInfo) -> Self {
        let after = info.expiry.and_then(|expiry| SignedDuration::try_from(expiry).ok());
        Self { after, own: info.capability.remove == Remove::PerMessage }
    }

    /// How long a message lives.
    fn life(self, message: &Message) -> Option<SignedDuration> {
        let own = || message.properties.get_str("expiration")?.parse().ok().map(SignedDuration::from_millis);
        self.after.into_iter().chain(if self.own { own() } else { None }).min()
    }

    /// When a message vanishes, at the soonest; `None` where it does not, or does not say since when it is there.
    pub(super) fn end(self, message: &Message) -> Option<Timestamp> {
        let life = self.life(message)?;
        let arrived = message.time.into_iter().chain(last_moved(message)).max()?;
        arrived.checked_add(life).ok()
    }

    /// The same of a message of which only a time is known, by the queue alone.
    pub(super) fn from(self, time: Timestamp) -> Option<Timestamp> {
        time.checked_add(self.after?).ok()
    }
}

/// How a source orders what a run takes from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// In no order that is promised: what vanishes first may go first.
    Anyhow,
    /// In its own: another one breaks it.
    InOrder,
    /// The oldest first, or as it likes: no other can be had.
    Fixed,
}

/// What the lives of its messages mean for a run.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Outlook {
    /// How many vanish before their turn.
    late: u64,
    /// After what time the first one of all vanishes.
    soonest: SignedDuration,
    /// How long the run takes.
    takes: SignedDuration,
    /// Messages a second at which all are reached that can be; 0 where the pace changes nothing.
    needs: f64,
}

impl Outlook {
    /// The pace that reaches more than this one, in whole messages a second.
    fn better(&self, pace: &Pace) -> Option<f64> {
        let needs = self.needs.ceil();
        pace.rate.filter(|rate| self.late > 0 && needs > *rate).map(|_| needs)
    }
}

/// The moments at which a run sends one message after the other, in seconds from its beginning, at the soonest: how many
/// go before it, and what is waited for between steps.
struct Moments<'a> {
    pace: &'a Pace,
    place: u64,
    /// Where the step ends that is watched.
    step: Option<u64>,
    watched: f64,
}

impl<'a> Moments<'a> {
    fn new(pace: &'a Pace) -> Self {
        Self { pace, place: 0, step: pace.watch().and_then(|_| pace.step(0)), watched: 0.0 }
    }
}

impl Iterator for Moments<'_> {
    type Item = (f64, f64);

    fn next(&mut self) -> Option<(f64, f64)> {
        let place = self.place;
        if self.step.is_some_and(|step| place >= step) {
            self.watched += SETTLE.as_secs_f64();
            self.step = self.pace.step(place).map(|more| place.saturating_add(more));
        }
        self.place += 1;
        #[allow(clippy::cast_precision_loss, reason = "a time that people read")]
        Some((place as f64, self.watched))
    }
}

/// What becomes of messages that vanish at these times and are sent in this order.
fn outlook(ends: &[Option<Timestamp>], pace: &Pace, now: Timestamp) -> Option<Outlook> {
    let each = pace.rate.map_or(0.0, f64::recip);
    let mut outlook: Option<Outlook> = None;
    let mut takes = 0.0;
    for (end, (place, watched)) in ends.iter().zip(Moments::new(pace)) {
        takes = place.mul_add(each, watched);
        let Some(end) = end else { continue };
        let left = end.duration_since(now).max(SignedDuration::ZERO);
        let outlook =
            outlook.get_or_insert(Outlook { late: 0, soonest: left, takes: SignedDuration::ZERO, needs: 0.0 });
        outlook.soonest = outlook.soonest.min(left);
        outlook.late += u64::from(left.as_secs_f64() < takes);
        let room = left.as_secs_f64() - watched;
        if place > 0.0 && room > 0.0 {
            outlook.needs = outlook.needs.max(place / room);
        }
    }
    outlook.map(|outlook| Outlook { takes: seconds(takes), ..outlook })
}

fn seconds(seconds: f64) -> SignedDuration {
    SignedDuration::try_from_secs_f64(seconds).unwrap_or(SignedDuration::MAX)
}

/// When the messages of a plan vanish, in the order in which its run goes through them; `sorted` where the first of those
/// at hand to vanish goes first.
fn in_order(plan: &Plan, latest: Option<Timestamp>, sorted: bool) -> Vec<Option<Timestamp>> {
    let mut order: Vec<_> = plan.messages.iter().map(|message| (!message.first, message.expires.or(latest))).collect();
    if sorted {
        order.sort_by_key(|(later, end)| (*later, end.unwrap_or(Timestamp::MAX)));
    } else {
        order.sort_by_key(|(later, _)| *later);
    }
    order.into_iter().map(|(_, end)| end).collect()
}

/// Marks the messages that go first: those that vanish while a run at this pace may still go on (where that is all of
/// them, the first half to do so), and of their keys those before them.
fn mark(plan: &mut Plan, now: Timestamp) {
    let (place, watched) = Moments::new(&plan.pace).nth(plan.messages.len()).unwrap_or_default();
    let takes = place.mul_add(plan.pace.rate.map_or(0.0, f64::recip), watched);
    let until = now.checked_add(seconds(takes * SLACK.0).saturating_add(SLACK.1)).unwrap_or(Timestamp::MAX);
    let mut ends: Vec<Timestamp> =
        plan.messages.iter().map(|message| message.expires.unwrap_or(Timestamp::MAX)).collect();
    ends.sort_unstable();
    let until = match (ends.last(), ends.get(ends.len() / 2)) {
        (Some(last), Some(half)) if *last <= until => half.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(*half),
        _ => until,
    };
    let mut keys = HashSet::new();
    for message in plan.messages.iter_mut().rev() {
        let behind = message.key.as_ref().is_some_and(|key| keys.contains(key));
        message.first = behind || message.expires.is_some_and(|end| end <= until);
        keys.extend(message.key.clone().filter(|_| message.first));
    }
    if plan.messages.iter().all(|message| message.first) {
        unmark(plan);
    }
}

fn unmark(plan: &mut Plan) {
    plan.messages.iter_mut().for_each(|message| message.first = false);
}

/// Decides which messages of a plan go first, and says what becomes of those that vanish.
pub(super) async fn plan(plan: &mut Plan, life: Life, given: Given, source: &Place, control: &Control) -> Vec<Check> {
    let now = now(source, control);
    let rough = given == Given::Fixed;
    let seen = if plan.mode == Mode::Streaming {
        by_rate(plan, life).map(|outlook| (outlook, None))
    } else {
        arrange(plan, life, given, control, now)
    };
    let Some((outlook, offer)) = seen else { return Vec::new() };
    let late = outlook.late > 0;
    // What is too old in a queue with a dead-letter queue of its own goes there.
    let dead = if late { buried(source).await } else { None };
    plan.pace.let_expire |= late && (rough || dead.is_some());
    let fate = match &dead {
        Some(dead) => Fate::Moves(dead),
        None if rough => Fate::MayVanish,
        None => Fate::Vanishes,
    };
    first(plan, given).into_iter().chain(say(plan, &outlook, fate, offer)).collect()
}

/// Marks what goes first in a plan that names its messages: what comes of that, and how many would be late if it were done
/// where it is not.
fn arrange(
    plan: &mut Plan,
    life: Life,
    given: Given,
    control: &Control,
    now: Timestamp,
) -> Option<(Outlook, Option<u64>)> {
    // One that says nothing of its time has vanished by then for certain.
    let (latest, sorted) = (life.from(now), sorts(plan, given, control));
    let look = |plan: &Plan| outlook(&in_order(plan, latest, sorted), &plan.pace, now);
    let as_it_is = look(plan)?;
    if given == Given::Fixed {
        return Some((as_it_is, None));
    }
    mark(plan, now);
    let asked = plan.pace.expiring_first;
    let first = look(plan).filter(|first| first.late < as_it_is.late);
    let offer = first.filter(|_| given == Given::InOrder && !asked).map(|first| first.late);
    if !asked && (given == Given::InOrder || first.is_none()) {
        unmark(plan);
    }
    Some((look(plan).unwrap_or(as_it_is), offer))
}

/// Whether a run has all messages of a plan at hand at once, so that of them the first to vanish goes first.
fn sorts(plan: &Plan, given: Given, control: &Control) -> bool {
    given == Given::Anyhow && plan.pace.per_key.is_none() && plan.messages.len() <= control.batch
}

/// The time at a source: in the demo it stands still.
fn now(source: &Place, control: &Control) -> Timestamp {
    if source.address.connection == Connection::Demo { demo::NOW } else { control.clock.now() }
}

/// Where dead letters of a source go.
async fn buried(source: &Place) -> Option<String> {
    let info = source.broker.describe(source.queue().ok()?).await.ok()?;
    (!info.dead_letter_to.is_empty()).then(|| info.dead_letter_to.join(", "))
}

/// What is said of the order.
fn first(plan: &Plan, given: Given) -> Option<Check> {
    let first = plan.messages.iter().filter(|message| message.first).count() as u64;
    if first == 0 {
        let why = "the queue gives the oldest first as it is, and what belongs together keeps its order";
        return (plan.pace.expiring_first && given == Given::Fixed).then(|| Check::passed("expiring first", why));
    }
    let (vanish, are) = if first == 1 { ("vanishes", "goes") } else { ("vanish", "go") };
    let rest = "the others are given back once and come in a pass of their own";
    let why = format!("{} that {vanish} soonest {are} before all others; {rest}", human::messages(first));
    Some(match given {
        Given::InOrder if plan.pace.per_key.is_none() => {
            Check::warning("expiring first", format!("{why}; the queue's order is not kept by that"))
        }
        _ => Check::passed("expiring first", why),
    })
}

/// What becomes of messages at the end of their lives.
#[derive(Clone, Copy, Debug)]
enum Fate<'a> {
    /// They are gone.
    Vanishes,
    /// They are gone sooner or later.
    MayVanish,
    /// They go to these queues.
    Moves(&'a str),
}

/// What is said of messages that vanish; `offer`, how many would still be late if those
/// that vanish first went first.
fn say(plan: &Plan, outlook: &Outlook, fate: Fate<'_>, offer: Option<u64>) -> Option<Check> {
    let shown = |time: SignedDuration| human::duration(Duration::try_from(time).unwrap_or_default());
    let (soonest, takes) = (shown(outlook.soonest), shown(outlook.takes));
    if outlook.late == 0 {
        if outlook.soonest > SOON.max(outlook.takes) {
            return None;
        }
        let pace = if outlook.takes.is_zero() {
            String::new()
        } else {
            format!("; at this pace the run takes {takes}, and each has its turn before")
        };
        return Some(Check::warning(EXPIRY, format!("the first message vanishes in {soonest}{pace}")));
    }
    let one = outlook.late == 1;
    let (vanish, go, its) = if one { ("vanishes", "goes", "its") } else { ("vanish", "go", "their") };
    let fate = match fate {
        Fate::Vanishes => vanish.to_owned(),
        Fate::MayVanish => "may vanish".to_owned(),
        Fate::Moves(dead) => format!("{go} to {dead} by {its} age"),
    };
    let mut why = format!(
        "{} of {} {fate} before {its} turn, the first in {soonest}; at this pace the run takes {takes}",
        human::count(outlook.late),
        human::messages(plan.planned),
    );
    let better = outlook.better(&plan.pace);
    if let Some(rate) = better {
        _ = write!(why, "; --rate {rate} reaches as many as can be reached");
    }
    if let Some(late) = offer {
        let left = if late == 0 { "none".to_owned() } else { human::count(late) };
        _ = write!(why, "; --expiring-first sends those first, out of the queue's order, and {left} would be late");
    }
    if better.is_none() || plan.pace.let_expire {
        return Some(Check::warning(EXPIRY, why));
    }
    Some(Check::failed(EXPIRY, why + AGREE))
}

/// Lets messages of a plan vanish that was made before anybody agreed to that.
pub(super) fn agree(plan: &mut Plan) {
    plan.pace.let_expire = true;
    for check in plan.checks.iter_mut().filter(|check| check.name == EXPIRY && !check.ok) {
        *check = Check::warning(EXPIRY, check.why.trim_end_matches(AGREE));
    }
}

/// The same where messages are not named: those are late for certain that have their turn when every message that is
/// there now has vanished.
fn by_rate(plan: &Plan, life: Life) -> Option<Outlook> {
    let (rate, after) = (plan.pace.rate?, life.after?.as_secs_f64());
    #[allow(clippy::cast_precision_loss, reason = "a time that people read")]
    let all = plan.planned as f64;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, and above 0")]
    let late = plan.planned.saturating_sub((rate * after) as u64);
    (late > 0).then(|| Outlook { late, soonest: seconds(after), takes: seconds(all / rate), needs: all / after })
}

/// Refuses a run of a plan whose messages would vanish before their turn by now, though the plan saw none that would, or
/// fewer: time has passed since.
///
/// # Errors
/// `Refused`, with the pace that reaches them.
pub(super) fn recheck(plan: &Plan, given: Given, source: &Place, control: &Control) -> Result<()> {
    if plan.pace.let_expire || plan.messages.is_empty() {
        return Ok(());
    }
    let Some(outlook) = outlook(&in_order(plan, None, sorts(plan, given, control)), &plan.pace, now(source, control))
    else {
        return Ok(());
    };
    match say(plan, &outlook, Fate::Vanishes, None) {
        Some(check) if !check.ok => Err(Error::new(ErrorKind::Refused, format!("{}: {}", check.name, check.why))
            .context("address", &plan.source)
            .hint("make the plan again at another pace, or run it with --let-expire: time has passed since")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pace(rate: f64) -> Pace {
        Pace { rate: Some(rate), ..Pace::default() }
    }

    #[test]
    fn a_message_is_late_that_vanishes_before_its_turn_and_the_pace_that_reaches_it_is_named() {
        let ends: Vec<_> = [1000, 3, 2, 1000].into_iter().map(|end| Some(at(end))).collect();
        let seen = outlook(&ends, &pace(0.5), at(0)).unwrap();
        // Their turns are at 0, 2, 4 and 6 s.
        assert_eq!((seen.late, seen.soonest.as_secs(), seen.takes.as_secs()), (1, 2, 6));
        assert_eq!(seen.better(&pace(0.5)), Some(1.0));
        assert_eq!(outlook(&ends, &pace(1.0), at(0)).unwrap().late, 0);
        assert_eq!(outlook(&ends, &Pace::default(), at(2)).unwrap().late, 0);
        assert_eq!(outlook(&[None], &pace(1.0), at(0)), None);
    }

    #[test]
    fn steps_that_are_watched_take_their_time() {
        let pace = Pace { ramp: vec![1, 2], ..Pace::default() };
        let waits: Vec<_> = Moments::new(&pace).take(5).map(|(_, watched)| watched).collect();
        let settle = SETTLE.as_secs_f64();
        assert_eq!(waits, [0.0, settle, settle, 2.0 * settle, 2.0 * settle]);
    }

    #[test]
    fn a_message_lives_from_its_last_move_and_as_short_as_it_or_its_queue_says() {
        let own = Life { after: Some(SignedDuration::from_secs(60)), own: true };
        let properties = crate::message::Fields::from_iter([("expiration", "5000")]);
        let message = Message { time: Some(at(100)), properties, ..Message::default() };
        assert_eq!(own.end(&message), Some(at(105)));
        assert_eq!(Life { own: false, ..own }.end(&message), Some(at(160)));
        assert_eq!(Life::default().end(&message), None);
        assert_eq!(own.end(&Message { time: None, ..message }), None);
    }
}
