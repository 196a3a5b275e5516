//! A report: what a writing verb did to each message (`postroom.report/1`), and the exit code it means.
//!
//! The four outcomes exclude each other, and every planned message has exactly one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::drain::DISCARD;
use super::plan::Verb;
use super::verify::Verification;
use crate::error::{Error, ErrorKind};

/// The schema of a report.
pub const SCHEMA: &str = "postroom.report/1";
/// The schema of one message's outcome.
pub const OUTCOME_SCHEMA: &str = "postroom.outcome/1";
/// A report names this many problems; the counts and the journal have them all.
pub const MAX_PROBLEMS: usize = 1000;

/// What became of one message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Its copy is confirmed, and the original is removed (or kept, where that was asked).
    Done,
    /// It was refused, or can't be sent. The original is where it was.
    Failed(String),
    /// It was certainly not sent, for a broker was away. The original is where it was, and a resume sends it.
    Unsent(String),
    /// It was left alone on purpose.
    Skipped(String),
    /// It may be there twice: an answer was lost. The sentence says which places may hold it.
    Ambiguous(String),
}

impl Outcome {
    /// The class, as in `postroom.outcome/1`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed(_) | Self::Unsent(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::Ambiguous(_) => "ambiguous",
        }
    }

    /// The reason, for all but `Done`.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Done => None,
            Self::Failed(why) | Self::Unsent(why) | Self::Skipped(why) | Self::Ambiguous(why) => Some(why),
        }
    }
}

/// One message's outcome: a `postroom.outcome/1` line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeLine {
    /// `postroom.outcome/1`.
    pub schema: String,
    /// The message's id in the source.
    pub id: String,
    /// Its place in the run, from 1; for `publish`, its line in the input.
    pub seq: u64,
    /// Where it went or was to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// `done`, `failed`, `skipped` or `ambiguous`.
    pub outcome: String,
    /// The reason, for all but `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where it is, as far as the journal knows; only in `journal show`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
}

impl OutcomeLine {
    /// The line of one message.
    pub fn new(id: impl Into<String>, seq: u64, to: Option<String>, outcome: &Outcome) -> Self {
        Self {
            schema: OUTCOME_SCHEMA.into(),
            id: id.into(),
            seq,
            to,
            outcome: outcome.name().into(),
            why: outcome.why().map(ToOwned::to_owned),
            place: None,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ended {
    /// It went through everything planned.
    Finished,
    /// The operator stopped it; everything unsettled was returned.
    Interrupted,
    /// An error stopped it; everything unsettled was returned, or the broker returns it.
    Stopped,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// `postroom.report/1`.
    pub schema: String,
    /// The verb.
    pub verb: Verb,
    /// How it ended.
    pub state: Ended,
    /// How many messages were to be acted on. A run that was stopped early may have seen fewer.
    pub planned: u64,
    /// Done.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Those of them that were not sent because a broker was away: a run with a journal takes them up by `journal resume`.
    #[serde(default)]
    pub unsent: u64,
    /// Skipped.
    pub skipped: u64,
    /// Ambiguous.
    pub ambiguous: u64,
    /// The same by destination.
    pub destinations: Vec<DestinationReport>,
    /// What is not done and why, at most [`MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// Problems beyond [`MAX_PROBLEMS`]; the journal has them.
    #[serde(default)]
    pub more_problems: u64,
    /// The journal's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<String>,
    /// The messages were removed without a copy.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dropped: bool,
    /// The journal whose run this one took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// What stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StopError>,
    /// What became of the copies, where that was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verification: Option<Verification>,
    /// The steps of a ramp.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What the operator should know (order changed, counters raised).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How long it took, in seconds.
    pub elapsed_s: f64,
}

/// The error that stopped a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopError {
    /// The kind's name.
    pub kind: String,
    /// One sentence.
    pub message: String,
    /// The next step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The exit code of its kind.
    pub exit: u8,
}

impl From<&Error> for StopError {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name().into(),
            message: error.to_string(),
            hint: error.hint_text().map(ToOwned::to_owned),
            exit: error.kind().exit(),
        }
    }
}

/// A step of a ramp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Copies of the run that were confirmed by its end, this step's included.
    pub done: u64,
    /// What was seen of them, in one line.
    pub seen: String,
    /// Whether the next step began.
    pub passed: bool,
}

/// One destination's counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct DestinationReport {
    /// Its address.
    pub address: String,
    /// Done.
    pub done: u64,
    /// Failed.
    pub failed: u64,
    /// Ambiguous.
    pub ambiguous: u64,
}

/// One message that is not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The message's id in the source.
    pub id: String,
    /// Its place in the run, from 1; for `publish`, its line in the input.
    pub seq: u64,
    /// The class.
    pub outcome: String,
    /// The reason.
    pub why: String,
}

/// The exit code that a report means.
///
/// | state | what became of the messages | code |
/// |---|---|---|
/// | interrupted | any | 130 |
/// | stopped | none done, none ambiguous | that of the error |
/// | stopped | some done or ambiguous | 3 |
/// | finished | none failed, none ambiguous; some done, or nothing to do | 0 |
/// | finished | none done, none ambiguous; some failed or skipped | 1 |
/// | finished | some failed or ambiguous, or copies came back | 3 |
#[must_use]
pub fn exit_code(report: &Report) -> u8 {
    let touched = report.done > 0 || report.ambiguous > 0;
    match report.state {
        Ended::Interrupted => ErrorKind::Interrupted.exit(),
        Ended::Stopped if touched => ErrorKind::Partial.exit(),
        Ended::Stopped => report.error.as_ref().map_or(1, |error| error.exit),
        Ended::Finished if !touched && report.failed + report.skipped > 0 => 1,
        Ended::Finished if report.failed + report.ambiguous + report.bounced() > 0 => ErrorKind::Partial.exit(),
        Ended::Finished => 0,
    }
}

impl Report {
    /// How many copies came back, where that was watched.
    #[must_use]
    pub fn bounced(&self) -> u64 {
        self.verification.as_ref().map_or(0, |verification| verification.bounced)
    }
}

/// Counts outcomes into a report.
#[derive(Debug)]
pub(super) struct Tally {
    report: Report,
    destinations: BTreeMap<String, DestinationReport>,
}

impl Tally {
    pub(super) fn new(verb: Verb, planned: u64) -> Self {
        let report = Report {
            schema: SCHEMA.into(),
            verb,
            state: Ended::Finished,
            planned,
            done: 0,
            failed: 0,
            unsent: 0,
            skipped: 0,
            ambiguous: 0,
            destinations: Vec::new(),
            problems: Vec::new(),
            more_problems: 0,
            journal: None,
            dropped: false,
            undoes: None,
            error: None,
            verification: None,
            steps: Vec::new(),
            notes: Vec::new(),
            elapsed_s: 0.0,
        };
        Self { report, destinations: BTreeMap::new() }
    }

    /// Corrects a number of planned messages that was only an upper bound, now that all are gone through.
    pub(super) fn plan_what_was_there(&mut self) {
        let report = &mut self.report;
        report.planned = report.done + report.failed + report.skipped + report.ambiguous;
    }

    /// Counts one message.
    pub(super) fn add(&mut self, id: &str, seq: u64, to: Option<&str>, outcome: &Outcome) {
        let report = &mut self.report;
        let mut none = DestinationReport::default();
        let place = match to {
            None => &mut none,
            Some(to) if self.destinations.contains_key(to) => self.destinations.get_mut(to).unwrap_or(&mut none),
            Some(to) => self
                .destinations
                .entry(to.to_owned())
                .or_insert_with(|| DestinationReport { address: to.to_owned(), ..DestinationReport::default() }),
        };
        match outcome {
            Outcome::Done => (report.done, place.done) = (report.done + 1, place.done + 1),
            Outcome::Failed(_) | Outcome::Unsent(_) => {
                (report.failed, place.failed) = (report.failed + 1, place.failed + 1);
                report.unsent += u64::from(matches!(outcome, Outcome::Unsent(_)));
            }
            Outcome::Skipped(_) => report.skipped += 1,
            Outcome::Ambiguous(_) => {
                (report.ambiguous, place.ambiguous) = (report.ambiguous + 1, place.ambiguous + 1);
            }
        }
        let Some(why) = outcome.why() else { return };
        if report.problems.len() < MAX_PROBLEMS {
            let outcome = outcome.name().into();
            report.problems.push(Problem { id: id.to_owned(), seq, outcome, why: why.to_owned() });
        } else {
            report.more_problems += 1;
        }
    }

    /// Messages counted, and of them failed and ambiguous.
    pub(super) fn counts(&self) -> (u64, u64) {
        let r = &self.report;
        (r.done + r.failed + r.skipped + r.ambiguous, r.failed + r.ambiguous)
    }

    pub(super) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.report.notes.contains(&note) {
            self.report.notes.push(note);
        }
    }

    /// The messages go to `to`, and the run takes that of another journal back.
    pub(super) fn moves(mut self, to: &str, undoes: Option<&str>) -> Self {
        self.report.dropped = to == DISCARD;
        self.report.undoes = undoes.map(ToOwned::to_owned);
        self
    }

    pub(super) fn set_planned(&mut self, planned: u64) {
        self.report.planned = planned;
    }

    /// The report of a run that ended so.
    pub(super) fn finish(
        self,
        state: Ended,
        error: Option<&Error>,
        journal: Option<String>,
        elapsed: jiff::SignedDuration,
    ) -> Report {
        Report {
            state,
            error: error.map(StopError::from),
            journal,
            // A clock can be set back while a run goes on.
            elapsed_s: elapsed.as_secs_f64().max(0.0),
            destinations: self.destinations.into_values().collect(),
            ..self.report
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(outcomes: &[Outcome]) -> Tally {
        let mut tally = Tally::new(Verb::Replay, outcomes.len() as u64);
        for (seq, outcome) in outcomes.iter().enumerate() {
            tally.add("id", seq as u64 + 1, Some("a:b"), outcome);
        }
        tally
    }

    fn report(outcomes: &[Outcome], state: Ended, error: Option<&Error>) -> Report {
        tally(outcomes).finish(state, error, None, jiff::SignedDuration::ZERO)
    }

    #[test]
    fn exit_codes_follow_the_table() {
        let (done, failed) = (Outcome::Done, Outcome::Failed("no".into()));
        let (skipped, ambiguous) = (Outcome::Skipped("no".into()), Outcome::Ambiguous("lost".into()));
        let finished = |outcomes: &[Outcome]| exit_code(&report(outcomes, Ended::Finished, None));
        assert_eq!(finished(&[]), 0);
        assert_eq!(finished(std::slice::from_ref(&done)), 0);
        assert_eq!(finished(&[done.clone(), skipped.clone()]), 0);
        assert_eq!(finished(&[skipped]), 1);
        assert_eq!(finished(std::slice::from_ref(&failed)), 1);
        assert_eq!(finished(&[done.clone(), failed.clone()]), 3);
        assert_eq!(finished(&[ambiguous]), 3);
        let bounced = Verification { sent: 1, bounced: 1, ..Verification::default() };
        let back = Report { verification: Some(bounced), ..report(std::slice::from_ref(&done), Ended::Finished, None) };
        assert_eq!(exit_code(&back), 3);
        assert_eq!(exit_code(&report(std::slice::from_ref(&done), Ended::Interrupted, None)), 130);
        let refused = Error::new(ErrorKind::Refused, "no");
        assert_eq!(exit_code(&report(&[failed], Ended::Stopped, Some(&refused))), 2);
        assert_eq!(exit_code(&report(&[done], Ended::Stopped, Some(&refused))), 3);
    }

    fn outcome() -> impl Strategy<Value = Outcome> {
        prop_oneof![
            Just(Outcome::Done),
            Just(Outcome::Failed("f".into())),
            Just(Outcome::Unsent("u".into())),
            Just(Outcome::Skipped("s".into())),
            Just(Outcome::Ambiguous("a".into())),
        ]
    }

    proptest! {
        #[test]
        fn every_message_is_in_exactly_one_class(outcomes in proptest::collection::vec(outcome(), 0..50)) {
            let report = report(&outcomes, Ended::Finished, None);
            prop_assert_eq!(report.done + report.failed + report.skipped + report.ambiguous, outcomes.len() as u64);
            prop_assert_eq!(report.problems.len() as u64, report.failed + report.skipped + report.ambiguous);
            let to: u64 = report.destinations.iter().map(|d| d.done + d.failed + d.ambiguous).sum();
            prop_assert_eq!(to + report.skipped, outcomes.len() as u64);
            let clean = report.failed == 0 && report.ambiguous == 0;
            prop_assert!(exit_code(&report) != 0 || clean);
        }

        #[test]
        fn a_report_survives_its_json(outcomes in proptest::collection::vec(outcome(), 0..9)) {
            let report = report(&outcomes, Ended::Stopped, Some(&Error::new(ErrorKind::Io, "full").hint("free some")));
            let text = serde_json::to_string(&report).unwrap();
            prop_assert_eq!(serde_json::from_str::<Report>(&text).unwrap(), report);
        }
    }
}
