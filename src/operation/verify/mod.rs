//! Verification: what became of the copies after a run: consumed, still waiting, or dead again.
//!
//! Queues are counted, which costs nothing, until the targets have been empty for a while or the time is over; then each
//! dead-letter queue is looked at once, and a target only where a look harms nobody. A copy is known by its replay id, and
//! by its body where its target had no room for one. Limits: a look is made only where the queue's read budget stands it
//! several times more, and never at a target that is being consumed; what can't be looked at is counted, and said so. A
//! message that is hidden somewhere else (a retry queue with a delay) is taken for consumed. What consumers hold is known
//! by statistics on some brokers: nothing is called consumed by statistics that are older than the copies.

mod look;
mod witness;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub(super) use self::look::{Met, Places};
pub(super) use self::witness::Witness;
use super::control::Control;
use super::progress::Stage;
use crate::broker::Sampled;
use crate::error::Result;
use crate::text::human;

/// How long targets have to be empty before their messages are taken for consumed, where they do not tell when they
/// counted what consumers hold.
pub(super) const SETTLE: Duration = Duration::from_secs(6);
/// The same where they counted it after the last copy was sent: what a consumer refused is in its dead-letter queue then.
const ARRIVAL: Duration = Duration::from_millis(500);
/// Between two counts.
const POLL: Duration = Duration::from_millis(250);

/// What became of the copies of a run, or of a step of it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Verification {
    /// When it was seen.
    pub at: Timestamp,
    /// How long was watched, in seconds.
    pub watched_s: f64,
    /// Copies that the targets had confirmed.
    pub sent: u64,
    /// Neither waiting nor back; `None` where the targets don't tell.
    pub consumed: Option<u64>,
    /// Still in the targets; `None` where they don't tell.
    pub waiting: Option<u64>,
    /// Whether `waiting` is only what the targets hold at most of them: they are consumed, and other messages are there,
    /// too. `consumed` is then the least.
    #[serde(default)]
    pub at_most: bool,
    /// Dead again.
    pub bounced: u64,
    /// The same by the cause of which the originals had died, the most bounced first.
    pub groups: Vec<VerifiedGroup>,
    /// What can't be seen, and how the rest was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What became of the copies of one group.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VerifiedGroup {
    /// The group's id; empty for copies that an earlier run sent.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// Copies sent.
    pub sent: u64,
    /// Of them seen waiting in a target.
    pub waiting: u64,
    /// Dead again of the same.
    pub same: u64,
    /// Dead again of something else.
    pub other: u64,
    /// What else they died of, by the group's name, and how many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub died_of: Vec<(String, u64)>,
}

impl Verification {
    /// In one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let mut parts = Vec::new();
        let (least, most) = if self.at_most { ("at least ", "at most ") } else { ("", "") };
        parts.extend(self.consumed.map(|n| format!("{least}{} consumed", human::count(n))));
        parts.extend(self.waiting.filter(|n| *n > 0).map(|n| format!("{most}{} still waiting", human::count(n))));
        parts.push(match self.bounced {
            0 => "none came back".to_owned(),
            n => format!("{} came back", human::count(n)),
        });
        let watched = Duration::try_from_secs_f64(self.watched_s).unwrap_or_default().as_secs();
        format!("{} watched for {watched} s: {}", human::messages(self.sent), parts.join(", "))
    }

    /// Why a ramp does not go on after it.
    #[must_use]
    pub fn objection(&self) -> Option<String> {
        if self.bounced > 0 {
            return Some(format!("{} of {} came back", human::count(self.bounced), human::count(self.sent)));
        }
        self.unconsumed()
    }

    /// Why a run does not go on that waits until its copies are consumed.
    #[must_use]
    pub fn unconsumed(&self) -> Option<String> {
        let of = human::count(self.sent);
        let waiting = self.waiting.filter(|n| *n > 0)?;
        if self.at_most {
            let none = "is seen to be consumed: there are too many other messages in the targets";
            return (waiting >= self.sent).then(|| format!("none of {of} {none}"));
        }
        Some(format!("{} of {of} are still waiting: nobody has taken them in that time", human::count(waiting)))
    }
}

/// What the counts of targets are worth that seem to be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// All of them counted after the last copy was sent.
    Fresh,
    /// Some don't tell when.
    Unknown,
    /// Some counted before it, or still had messages when they did.
    Old,
}

/// When targets counted, as far as they tell, since all copies were confirmed.
#[derive(Debug, Default)]
struct Samples(Vec<Sampled>);

impl Samples {
    /// What the newest counts are worth. The first ones may be older than the copies: what differs from them is not.
    fn see(&mut self, now: &[Sampled]) -> Evidence {
        self.0.resize(now.len(), Sampled::Unknown);
        let each = self.0.iter_mut().zip(now).map(|(first, now)| match (&first, now) {
            (Sampled::Taken { number: before, .. }, Sampled::Taken { number, waiting }) => {
                if number != before && *waiting == 0 { Evidence::Fresh } else { Evidence::Old }
            }
            (_, Sampled::Taken { .. }) => {
                *first = *now;
                Evidence::Old
            }
            (_, Sampled::Now) => Evidence::Fresh,
            (_, Sampled::Unknown) => Evidence::Unknown,
        });
        each.fold(Evidence::Fresh, |all, one| match (all, one) {
            (Evidence::Old, _) | (_, Evidence::Old) => Evidence::Old,
            (Evidence::Unknown, _) | (_, Evidence::Unknown) => Evidence::Unknown,
            (Evidence::Fresh, Evidence::Fresh) => Evidence::Fresh,
        })
    }
}

/// Watches for at most `time` what becomes of the copies that `witness` saw and were not verified before.
///
/// # Errors
/// Only of this program: what a broker refuses to show is a note.
pub(super) async fn watch(
    places: &Places,
    witness: &Witness,
    journal: &str,
    time: Duration,
    control: &Control,
) -> Result<Verification> {
    let began = Instant::now();
    let end = began + time;
    let mut empty_since: Option<Instant> = None;
    let (mut counted, mut evidence);
    let mut samples = Samples::default();
    let mut meter = control.meter(Stage::Verify, Some(witness.sent()));
    loop {
        counted = places.count().await;
        // Where the targets don't tell, nothing is seen to be consumed.
        meter.set(witness.sent().saturating_sub(counted.waiting.unwrap_or(u64::MAX)), 0, None);
        let now = Instant::now();
        let is_empty = counted.waiting == Some(0) && counted.exact;
        evidence = samples.see(&counted.sampled);
        empty_since = if is_empty { empty_since.or(Some(now)) } else { None };
        let settles = match evidence {
            Evidence::Fresh => Some(control.settle.min(ARRIVAL)),
            Evidence::Unknown => Some(control.settle),
            Evidence::Old => None,
        };
        let quiet = empty_since.map(|since| now.duration_since(since));
        let settled = quiet.zip(settles).is_some_and(|(quiet, settles)| quiet >= settles);
        if settled || now >= end || control.cancel.is_cancelled() {
            break;
        }
        tokio::select! {
            () = control.cancel.cancelled() => {}
            () = tokio::time::sleep_until(end.min(now + POLL.min(control.settle))) => {}
        }
    }
    meter.end();
    if counted.waiting == Some(0) && (evidence == Evidence::Old || !counted.exact) {
        // None waits, and what is in somebody's hands is not known.
        counted.waiting = None;
        let what =
            "what consumers hold of the copies was not told in that time: whether they are consumed is not known";
        counted.notes.push(what.into());
    }
    let seen = places.look(journal, witness, counted.waiting, control).await;
    let sent = witness.sent();
    let bounced = seen.bounced();
    let waiting = seen.waiting.or(counted.waiting).map(|n| n.min(sent.saturating_sub(bounced)));
    let mut groups = witness.groups();
    seen.count_into(&mut groups);
    let at_most = seen.waiting.is_none() && !counted.idle && waiting.is_some_and(|n| n > 0);
    Ok(Verification {
        at_most,
        at: control.clock.now(),
        watched_s: began.elapsed().as_secs_f64(),
        sent,
        consumed: waiting.map(|waiting| sent.saturating_sub(waiting + bounced)),
        waiting,
        bounced,
        groups,
        notes: [counted.notes, seen.notes].concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(number: u64, waiting: u64) -> Sampled {
        Sampled::Taken { number, waiting }
    }

    #[test]
    fn statistics_that_may_be_older_than_the_copies_prove_nothing() {
        let mut samples = Samples::default();
        assert_eq!(samples.see(&[taken(1, 0), Sampled::Now]), Evidence::Old);
        assert_eq!(samples.see(&[taken(1, 0), Sampled::Now]), Evidence::Old);
        // Newer ones that still saw a message waiting: it may be in a consumer's hands by now.
        assert_eq!(samples.see(&[taken(2, 1), Sampled::Now]), Evidence::Old);
        assert_eq!(samples.see(&[taken(3, 0), Sampled::Now]), Evidence::Fresh);
        assert_eq!(samples.see(&[taken(3, 0), Sampled::Unknown]), Evidence::Unknown);
        assert_eq!(Samples::default().see(&[Sampled::Now]), Evidence::Fresh);
        // A target that was not counted before, or not at all for a while.
        let mut samples = Samples::default();
        assert_eq!(samples.see(&[Sampled::Unknown]), Evidence::Unknown);
        assert_eq!(samples.see(&[taken(4, 0)]), Evidence::Old);
        assert_eq!(samples.see(&[taken(5, 0)]), Evidence::Fresh);
    }
}
