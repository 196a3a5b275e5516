//! A plan: what a writing verb is going to do, as a value and as a file (`postroom.plan/1`).
//!
//! An *exact* plan names every message by id and digest; equal messages are told apart by how many of them it names.
//! A *streaming* plan names only how many messages there were when it was made: they are frozen one by one as the
//! run holds them. Limits: no secrets; addresses are in their redacted form.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::broker::{Capability, CostKind, Publisher};
use crate::error::{Error, ErrorKind, Result};
use crate::message::fingerprint::WrittenRules;
use crate::message::{Digest, Message, Position, hash};
use crate::text::human;

/// The schema's name.
pub const SCHEMA: &str = "postroom.plan/1";

/// A verb that changes queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Publish messages, no source.
    Publish,
    /// Publish again what a queue holds, then remove it there.
    Replay,
    /// Archive (or drop) what a queue holds, then remove it there.
    Drain,
    /// Copy to an archive; the queue keeps everything.
    Capture,
    /// Put back what a replay or drain moved.
    Undo,
}

impl Verb {
    /// The verb as typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "publish",
            Self::Replay => "replay",
            Self::Drain => "drain",
            Self::Capture => "capture",
            Self::Undo => "undo",
        }
    }
}

/// How a plan fixes its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Each message is named.
    #[default]
    Exact,
    /// The messages that are there when it is made, by count.
    Streaming,
}

impl Mode {
    /// How a plan that a person reads before it is run fixes its messages: each is named, at the price of a look. Where a
    /// look hides the messages from everybody else and names none better than their ids do anyway, a plan for the `whole`
    /// queue does without one.
    #[must_use]
    pub fn to_read(capability: &Capability, whole: bool) -> Self {
        let dear = capability.read_cost == CostKind::Leases && capability.unique_ids;
        if dear && whole { Self::Streaming } else { Self::Exact }
    }
}

/// What is going to happen. A field that this build does not know, of a newer one or misspelt, would change that: such a
/// plan is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// `postroom.plan/1`.
    pub schema: String,
    /// The hash that its digests are made by: `sha-256`.
    #[serde(default = "hash::of_old")]
    pub hash: String,
    /// The verb.
    pub verb: Verb,
    /// How its messages are fixed.
    #[serde(default)]
    pub mode: Mode,
    /// When it was made.
    pub created: Timestamp,
    /// Where the messages are.
    pub source: String,
    /// `origin`, `discard`, or an address, as asked.
    pub to: String,
    /// The filter as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The group asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rules by which filter and group are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<WrittenRules>,
    /// The source keeps its messages.
    #[serde(default)]
    pub keep: bool,
    /// The run that is taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// Each message goes to the partition it came from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_partition: bool,
    /// Messages in the queue that the run goes through: all that a scan saw, or the count when it was made.
    pub scanned: u64,
    /// How many of them are acted on; for a streaming plan with a filter, at most.
    pub planned: u64,
    /// Both numbers are the broker's estimate.
    #[serde(default)]
    pub estimated: bool,
    /// Where they go. A streaming plan to `origin` knows none yet: each message says it when it is held.
    pub destinations: Vec<Destination>,
    /// Each message, in the queue's order; empty for a streaming plan.
    pub messages: Vec<PlannedMessage>,
    /// Messages that matched and stay, and why.
    pub skipped: Vec<SkippedMessage>,
    /// What was checked.
    pub checks: Vec<Check>,
    /// How messages are changed on their way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<PlannedEdit>,
    /// What is set aside, and why.
    #[serde(default, skip_serializing_if = "Aside::is_none")]
    pub aside: Aside,
    /// How fast.
    pub pace: Pace,
    /// What happens to headers and properties.
    pub header_policy: HeaderPolicy,
}

/// What a run sets aside: messages that were replayed too often, or all of them for a reason.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aside {
    /// How often a message is replayed at most; one that was replayed so often is parked, or stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_replays: Option<u64>,
    /// The address that such messages go to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub park: Option<String>,
    /// Why the messages of a drain are set aside, written into each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Aside {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

/// An edit, and what it does to the messages of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedEdit {
    /// The jq program.
    pub program: String,
    /// Messages that it changes.
    pub changed: u64,
    /// Messages that it leaves as they are; they are sent, too.
    pub unchanged: u64,
    /// Messages that it fails for; they stay, see [`Plan::skipped`].
    pub failed: u64,
    /// Messages whose body would not fit its schema any more, or whose schema can't be had; they stay, but for
    /// `send_misfits`.
    #[serde(default, skip_serializing_if = "is_none")]
    pub misfits: u64,
    /// What does not fit its schema is sent all the same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub send_misfits: bool,
    /// The same by group, the largest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<EditedGroup>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

/// What an edit does to the messages of one group.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EditedGroup {
    /// The group's id.
    pub id: String,
    /// What the group is called.
    pub title: String,
    /// Messages that it changes.
    pub changed: u64,
    /// Messages that it leaves as they are; they are sent, too.
    pub unchanged: u64,
    /// Messages that it fails for; they stay.
    pub failed: u64,
    /// Messages whose body would not fit its schema any more; they stay, but for [`PlannedEdit::send_misfits`].
    #[serde(default, skip_serializing_if = "is_none")]
    pub misfits: u64,
}

impl EditedGroup {
    /// How many messages there are.
    #[must_use]
    pub const fn messages(&self) -> u64 {
        self.changed + self.unchanged + self.failed + self.misfits
    }

    /// What the edit does to them, in one line.
    #[must_use]
    pub fn counts(&self, send_misfits: bool) -> String {
        counts(self.changed, self.unchanged, self.failed, self.misfits, send_misfits)
    }
}

fn counts(changed: u64, unchanged: u64, failed: u64, misfits: u64, send_misfits: bool) -> String {
    let part = |n: u64, what: &str| if n == 0 { String::new() } else { format!(", {} {what}", human::count(n)) };
    let (go, stay) = if send_misfits { (misfits, 0) } else { (0, misfits) };
    let stays = if failed + stay == 0 { "" } else { " (these stay)" };
    format!(
        "{} changed, {} as they are{}{}{}{stays}",
        human::count(changed),
        human::count(unchanged),
        part(go, "changed that do not fit their schema and go all the same"),
        part(failed, "it fails for"),
        part(stay, "would not fit their schema")
    )
}

impl PlannedEdit {
    /// What it does, in one line.
    #[must_use]
    pub fn counts(&self) -> String {
        if self.changed + self.unchanged + self.failed + self.misfits == 0 {
            return "each message as it comes".to_owned();
        }
        counts(self.changed, self.unchanged, self.failed, self.misfits, self.send_misfits)
    }
}

/// A destination and how many messages go there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    /// Its address.
    pub address: String,
    /// How many; `None` where a streaming plan can't know.
    pub messages: Option<u64>,
    /// It is a log: what is sent to it stays there, and can't be taken back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps: bool,
}

impl Destination {
    /// One that gives up what is sent to it, as far as is known.
    pub fn new(address: impl Into<String>, messages: Option<u64>) -> Self {
        Self { address: address.into(), messages, keeps: false }
    }
}

/// One message of an exact plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedMessage {
    /// Its id in the source.
    pub id: String,
    /// Where it stood, for queues that have positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<PlannedPosition>,
    /// Its content's digest.
    #[serde(with = "hex")]
    pub digest: Digest,
    /// How many messages with this digest and id are in the whole queue, planned or not; 0 where the scan stopped
    /// before the end.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub copies: u64,
    /// Where it goes: a place in [`Plan::destinations`], by address.
    pub to: String,
    /// What stands for its key, where messages go key by key: those of one key go in the plan's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it vanishes from its queue, at the soonest, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// It vanishes soon: it goes before all that are not marked so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
}

fn one() -> u64 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
fn is_one(n: &u64) -> bool {
    *n == 1
}

/// A position in a plan or outcome line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedPosition {
    /// The partition, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// The offset, or an archive's line.
    pub offset: u64,
}

impl From<Position> for PlannedPosition {
    fn from(position: Position) -> Self {
        Self { partition: position.partition, offset: position.offset }
    }
}

impl PlannedMessage {
    /// Names `message`, which goes to `to`.
    pub fn new(message: &Message, digest: Digest, to: impl Into<String>) -> Self {
        Self {
            id: message.id.clone(),
            position: message.position.map(PlannedPosition::from),
            digest,
            copies: 1,
            to: to.into(),
            key: None,
            expires: None,
            first: false,
        }
    }
}

/// A message that matched and stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedMessage {
    /// Its id in the source.
    pub id: String,
    /// One sentence.
    pub why: String,
}

/// Something checked before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What, in two or three words.
    pub name: String,
    /// Whether it is as it must be. A plan with a failed check is not run.
    pub ok: bool,
    /// It is no obstacle, but the operator should know.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
    /// What was seen, and for a failed one the next step.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

impl Check {
    /// A tick.
    pub fn passed(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, warning: false, why: why.into() }
    }

    /// No obstacle, but to be known.
    pub fn warning(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { warning: true, ..Self::passed(name, why) }
    }

    /// A cross.
    pub fn failed(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, warning: false, why: why.into() }
    }

    /// What becomes of the messages' own times at these targets, where there is something to say of it: once for those
    /// that do the same.
    pub(super) fn times<'a>(targets: impl Iterator<Item = (&'a str, &'a dyn Publisher)>) -> Vec<Self> {
        let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (address, publisher) in targets {
            if let Some(times) = publisher.times() {
                said.entry(times).or_default().push(address);
            }
        }
        let several = said.len() > 1;
        let check = |(times, addresses): (String, Vec<&str>)| {
            Self::passed("times", if several { format!("{}: {times}", addresses.join(", ")) } else { times })
        };
        said.into_iter().map(check).collect()
    }
}

/// How fast a plan is run, and what has to be seen before it goes on.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Messages a second at most; `None` for as fast as the brokers take them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How many messages each step has, then five times as many in each; empty for one step. The next step begins when
    /// the copies of the one before are consumed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ramp: Vec<u64>,
    /// For how many seconds at most the copies are watched after each step and after the run; `None` for not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verify_s: Option<f64>,
    /// How many copies at most are sent and not confirmed; where copies are watched: not consumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_in_flight: Option<u64>,
    /// The field by which messages belong together: those of one value go one after the other, each only when the one
    /// before is confirmed (where copies are watched: consumed), and not at all behind one that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_key: Option<String>,
    /// The run stops by itself once so many messages have failed or come back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_failures: Option<u64>,
    /// Messages that vanish soon go first, also where that breaks the queue's order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub expiring_first: bool,
    /// What vanishes before its turn is no obstacle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub let_expire: bool,
}

/// How many times more messages each step of a ramp has behind those that are named.
const GROWTH: u64 = 5;
/// Messages after which a run that is verified looks for the first time whether copies come back.
const CHECKPOINT: u64 = 100;
/// How long a ramp watches each step where nothing is said.
const WATCH: Duration = Duration::from_secs(30);

/// What a run does to headers and properties, in words for people.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct HeaderPolicy {
    /// Headers added where the target has room.
    #[serde(default)]
    pub adds: Vec<String>,
    /// Headers and properties taken out, because they would distort the replay, with the reason.
    #[serde(default)]
    pub strips: Vec<String>,
    /// Header values whose type the target does not have, written as text or bytes, and properties that it does not have,
    /// written as headers of their names; `None` where not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub converted: Option<u64>,
}

impl Pace {
    /// Reads the sizes of a ramp's steps: `1,5,20`; `None` for what is none.
    #[must_use]
    pub fn steps(text: &str) -> Option<Vec<u64>> {
        text.split(',').map(|size| size.trim().parse().ok().filter(|n| *n > 0)).collect()
    }

    /// Refuses a rate that is none.
    ///
    /// # Errors
    /// `Usage` for anything but a positive number.
    pub fn check(&self) -> Result<()> {
        match self.rate {
            Some(rate) if !(rate.is_finite() && rate > 0.0) => {
                Err(Error::new(ErrorKind::Usage, format!("{rate} is no rate")).hint("give messages a second, above 0"))
            }
            _ if self.ramp.contains(&0) => {
                Err(Error::new(ErrorKind::Usage, "a step of a ramp has no messages").hint("such as --ramp=1,5,20,100"))
            }
            _ if self.max_in_flight == Some(0) || self.max_failures == Some(0) => Err(Error::new(
                ErrorKind::Usage,
                "a run that may have no message in flight, or no failure, never begins",
            )
            .hint("give --max-in-flight and --max-failures a number above 0")),
            _ => Ok(()),
        }
    }

    /// For how long copies are watched; a ramp does in any case.
    #[must_use]
    pub fn watch(&self) -> Option<Duration> {
        let asked = self.verify_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        asked.or((!self.ramp.is_empty()).then_some(WATCH))
    }

    /// How many more messages are sent before the copies are looked at, behind `taken`: those of the step of the ramp, or
    /// as many as may be in flight. `None` where there is no such end.
    #[must_use]
    pub fn step(&self, taken: u64) -> Option<u64> {
        let ramp = step(&self.ramp, taken);
        ramp.into_iter().chain(self.max_in_flight).min()
    }

    /// The same for a run that nothing but its verification stops: it looks now and then.
    #[must_use]
    pub(crate) fn checkpoint(taken: u64) -> Option<u64> {
        step(&[CHECKPOINT], taken)
    }
}

/// How many more messages the step has that begins or goes on behind `taken`, each five times as large as the one before
/// once `sizes` are over; `None` without sizes.
fn step(sizes: &[u64], taken: u64) -> Option<u64> {
    let mut end: u64 = 0;
    let mut size: u64 = 0;
    if sizes.is_empty() {
        return None;
    }
    let mut sizes = sizes.iter().copied();
    while end <= taken {
        size = sizes.next().unwrap_or_else(|| size.saturating_mul(GROWTH)).max(1);
        end = end.saturating_add(size);
    }
    Some(end - taken)
}

impl Plan {
    /// The checks that failed.
    pub fn crosses(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.ok)
    }

    /// Refuses a plan with a failed check.
    ///
    /// # Errors
    /// `Refused`, naming the first failed check.
    pub fn require_checks(&self) -> Result<()> {
        match self.crosses().next() {
            None => Ok(()),
            Some(check) => Err(Error::new(ErrorKind::Refused, format!("{}: {}", check.name, check.why))
                .context("address", &self.source)),
        }
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// `Invalid`, with line and column, for anything that is no plan of this schema.
    pub fn from_json(text: &[u8]) -> Result<Self> {
        let plan: Self = serde_json::from_slice(text).map_err(|error| {
            Error::new(ErrorKind::Invalid, format!("this is no plan: {error}"))
                .hint("plans are written by --plan-out; make it again")
        })?;
        if plan.schema != SCHEMA {
            return Err(Error::new(ErrorKind::Invalid, format!("{:?} is not {SCHEMA}", plan.schema))
                .hint("the plan was written by another version of postroom; make it again"));
        }
        if let Some(why) = hash::differs("the plan", &plan.hash) {
            return Err(Error::new(ErrorKind::Invalid, why)
                .hint("it was written by another version of postroom; make it again"));
        }
        Ok(plan)
    }

    /// Writes the plan to a new file, which only this user may read. `postroom plan run FILE` runs it.
    ///
    /// # Errors
    /// `Refused` for a file that is there, which is not touched; `Io` for one that can't be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let failed = |error: std::io::Error| {
            let shown = path.display();
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                Error::new(ErrorKind::Refused, format!("there is a file {shown} already")).hint("name another")
            } else {
                Error::new(ErrorKind::Io, format!("can't write the plan {shown}")).because(error)
            }
        };
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        file.write_all(self.to_json().as_bytes()).and_then(|()| file.sync_all()).map_err(failed)
    }

    /// The plan as a readable, diffable file: one message a line.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Serialising a plain struct into memory can't fail.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// A digest as 32 hex digits.
pub(crate) mod hex {
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::message::Digest;

    pub(crate) fn serialize<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(digest)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Digest, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn plan() -> Plan {
        let message = Message { id: "a".into(), ..Message::default() };
        Plan {
            schema: SCHEMA.into(),
            hash: hash::NAME.into(),
            verb: Verb::Replay,
            mode: Mode::Exact,
            created: Timestamp::UNIX_EPOCH,
            source: "shop:orders.dlq".into(),
            to: "origin".into(),
            filter: Some("tenant:acme".into()),
            group: None,
            rules: Some(WrittenRules { mask: vec!["x+".into()], ..WrittenRules::default() }),
            keep: false,
            scanned: 3,
            planned: 1,
            estimated: false,
            destinations: vec![Destination::new("shop:orders", Some(1))],
            messages: vec![PlannedMessage::new(&message, message.digest(), "shop:orders")],
            skipped: vec![SkippedMessage { id: "b".into(), why: "no origin".into() }],
            checks: vec![Check::passed("target exists", ""), Check::failed("target is not the source", "it is")],
            pace: Pace { rate: Some(10.0), ramp: vec![1, 5], verify_s: Some(120.0), ..Pace::default() },
            undoes: None,
            same_partition: false,
            edit: None,
            aside: Aside::default(),
            header_policy: HeaderPolicy::default(),
        }
    }

    #[test]
    fn a_plan_survives_its_file() {
        let plan = plan();
        assert_eq!(Plan::from_json(plan.to_json().as_bytes()).unwrap(), plan);
    }

    #[test]
    fn a_field_that_nobody_knows_is_named_and_not_passed_over() {
        let text = serde_json::to_string(&plan()).unwrap().replacen("\"keep\":", "\"keeps\":", 1);
        let error = Plan::from_json(text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("unknown field `keeps`"), "{error}");
    }

    #[test]
    fn a_ramp_goes_step_by_step_and_takes_up_a_step_in_the_middle() {
        let pace = Pace { ramp: vec![1, 5, 20], ..Pace::default() };
        let steps: Vec<_> = [0, 1, 3, 6, 26, 126].into_iter().filter_map(|taken| pace.step(taken)).collect();
        assert_eq!(steps, [1, 5, 3, 20, 100, 500]);
        assert_eq!(Pace::default().step(0), None);
        let bounded = Pace { max_in_flight: Some(10), ..pace.clone() };
        assert_eq!([0, 1, 6, 26].map(|taken| bounded.step(taken)), [Some(1), Some(5), Some(10), Some(10)]);
        assert!(Pace { max_in_flight: Some(0), ..Pace::default() }.check().is_err());
        assert_eq!([0, 99, 100, 600].map(Pace::checkpoint), [Some(100), Some(1), Some(500), Some(2500)]);
        assert_eq!(pace.watch(), Some(WATCH));
        assert_eq!(Pace::default().watch(), None);
        assert!(Pace { ramp: vec![1, 0], ..Pace::default() }.check().is_err());
    }

    #[test]
    fn what_is_no_plan_is_refused_with_its_place() {
        let error = Plan::from_json(b"{\"schema\":\n7}").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("line 2"), "{error}");
        let other = plan().to_json().replace("plan/1", "plan/9");
        assert!(Plan::from_json(other.as_bytes()).unwrap_err().message().contains("plan/9"));
        let unnamed = plan().to_json().replace("\"hash\": \"sha-256\",", "");
        let error = Plan::from_json(unnamed.as_bytes()).unwrap_err();
        assert_eq!(error.message(), "the plan names its messages by blake3, and this postroom knows them by sha-256");
    }

    #[test]
    fn a_failed_check_refuses_the_run() {
        let error = plan().require_checks().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
        assert_eq!(error.message(), "target is not the source: it is");
    }
}
