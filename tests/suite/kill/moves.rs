//! Replays and drains on a broker to which something is done meanwhile: how they are started, brought to an end and judged.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

#[cfg(feature = "kafka")]
use super::kafka;
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
#[cfg(feature = "sqs")]
use super::sqs;
use super::{PATIENCE, Program, RESUME, archived, lines};

/// Runs that a move may take until it has finished, each but the last because of what was done to its broker.
const RUNS: usize = 20;

/// A broker as the runs see it.
pub(super) trait Broker {
    fn address(&self, queue: &str) -> String;
    fn count(&self, queue: &str) -> u64;
    /// How often each number is there.
    fn numbers(&self, queue: &str) -> BTreeMap<u64, u64>;
}

#[cfg(feature = "rabbitmq")]
impl Broker for rabbitmq::Ground {
    fn address(&self, queue: &str) -> String {
        self.address(queue)
    }
    fn count(&self, queue: &str) -> u64 {
        self.ready(queue)
    }
    fn numbers(&self, queue: &str) -> BTreeMap<u64, u64> {
        self.numbers(queue)
    }
}

#[cfg(feature = "kafka")]
impl Broker for kafka::Ground {
    fn address(&self, queue: &str) -> String {
        self.address(queue)
    }
    fn count(&self, queue: &str) -> u64 {
        self.count(queue)
    }
    fn numbers(&self, queue: &str) -> BTreeMap<u64, u64> {
        self.numbers(queue)
    }
}

#[cfg(feature = "sqs")]
impl Broker for sqs::Ground {
    fn address(&self, queue: &str) -> String {
        self.address(queue)
    }
    fn count(&self, queue: &str) -> u64 {
        self.counts(queue).0
    }
    fn numbers(&self, queue: &str) -> BTreeMap<u64, u64> {
        sqs::times(&self.take_all(queue))
    }
}

/// A replay or a drain.
pub(super) struct Move {
    pub(super) name: String,
    pub(super) program: Program,
    pub(super) process: Option<Child>,
    messages: u64,
    from: String,
    /// A replay's target; a drain has an archive.
    to: Option<String>,
    rate: Option<&'static str>,
}

impl Move {
    /// Of so many numbered messages.
    pub(super) fn new(name: &str, messages: u64, from: &str, to: Option<&str>) -> Self {
        let (name, from, to) = (name.into(), from.into(), to.map(Into::into));
        Self { name, program: Program::new(), process: None, messages, from, to, rate: None }
    }

    /// At most so many messages a second of a replay; a drain has no such choice.
    pub(super) fn rate(mut self, rate: &'static str) -> Self {
        self.rate = Some(rate);
        self
    }

    pub(super) fn is_replay(&self) -> bool {
        self.to.is_some()
    }

    fn archive(&self) -> PathBuf {
        self.program.home().join("drained.jsonl")
    }

    pub(super) fn start(&mut self, broker: &dyn Broker) {
        let from = broker.address(&self.from);
        let (verb, to) = match &self.to {
            Some(to) => ("replay", broker.address(to)),
            None => ("drain", format!("file:{}", self.archive().display())),
        };
        let mut arguments = vec![verb, &from, "--to", &to, "--yes", "-o", "json"];
        if let Some(rate) = self.rate.filter(|_| self.is_replay()) {
            arguments.extend(["--rate", rate]);
        }
        self.process = Some(self.program.start(&arguments));
    }

    pub(super) fn arrived(&self, broker: &dyn Broker) -> u64 {
        self.to.as_ref().map_or_else(|| lines(&self.archive()), |to| broker.count(to))
    }

    /// Sends the process a signal: `STOP` or `CONT`.
    pub(super) fn signal(&self, signal: &str) {
        let process = self.process.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &process]).status().unwrap();
        assert!(status.success(), "{}: {status}", self.name);
    }

    pub(super) fn is_under_way(&mut self) -> bool {
        self.process.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    /// The run ends, and reports, whatever its broker did.
    pub(super) fn end(&mut self) -> String {
        self.ended().unwrap_or_else(|| panic!("{}: no report\n{}", self.name, self.program.said()))
    }

    /// The state in which the run ends; `None` where it could not begin.
    fn ended(&mut self) -> Option<String> {
        let status = self.program.end(self.process.as_mut().unwrap());
        assert!(matches!(status.code(), Some(0 | 1 | 3)), "{}: {status}\n{}", self.name, self.program.said());
        let report = self.program.report_if_any();
        assert!(report.is_some() || status.code() == Some(1), "{}: {status}\n{}", self.name, self.program.said());
        Some(report?["state"].as_str().unwrap().to_owned())
    }

    /// Does the move, and goes on with what each run leaves, until one has finished: in how many runs. The clock of each
    /// is more than a day before or after that of the one before.
    pub(super) fn go_on(&mut self, broker: &dyn Broker) -> usize {
        self.start(broker);
        for runs in 1..=RUNS {
            if self.ended().is_some_and(|state| state == "finished") {
                return runs;
            }
            // What broke off while it was planned left nothing to go on with.
            if self.program.has_journal() {
                let jump = SignedDuration::from_hours(if runs % 2 == 0 { -30 } else { 30 });
                self.process = Some(self.program.start_at(&RESUME, Some(Timestamp::now() + jump)));
            } else {
                self.start(broker);
            }
        }
        panic!("{} has not finished in {RUNS} runs\n{}", self.name, self.program.said());
    }

    /// `keeps` where the source is to keep its messages.
    pub(super) fn judge(&self, broker: &dyn Broker, keeps: bool) {
        let said = self.program.said();
        let seen = self.to.as_ref().map_or_else(|| archived(&self.archive()), |to| broker.numbers(to));
        let left = broker.numbers(&self.from);
        let unmoved: Vec<u64> = (0..self.messages).filter(|n| !seen.contains_key(n)).collect();
        let lost = unmoved.iter().filter(|n| !left.contains_key(n)).count();
        let twice = seen.iter().filter(|(n, count)| **count > 1 || (!keeps && left.contains_key(n))).count() as u64;
        let (ambiguous, failed) = self.program.ambiguous_and_failed();
        assert_eq!(lost, 0, "{}: lost of the unmoved {unmoved:?}\n{said}", self.name);
        assert!(twice <= ambiguous, "{}: {twice} are there again, the journal tells of {ambiguous}\n{said}", self.name);
        let unmoved = unmoved.len() as u64;
        assert!(unmoved <= ambiguous, "{}: {unmoved} unmoved, {ambiguous} are ambiguous\n{said}", self.name);
        assert_eq!(failed, 0, "{}: a message failed only because its broker was away\n{said}", self.name);
    }
}

/// Brings all so far; the drains last, for they are faster.
pub(super) fn to_the_middle(moves: &mut [Move], middle: u64, broker: &dyn Broker) {
    let deadline = Instant::now() + PATIENCE;
    for replays in [true, false] {
        let mut some: Vec<_> = moves.iter_mut().filter(|one| one.is_replay() == replays).collect();
        for one in &mut some {
            one.start(broker);
        }
        for one in &mut some {
            while one.is_under_way() && one.arrived(broker) < middle {
                assert!(Instant::now() < deadline, "{} got no further than {}", one.name, one.arrived(broker));
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
    for one in moves {
        assert!(one.is_under_way(), "{} was through before anything was done to it\n{}", one.name, one.program.said());
    }
}

/// The runs end, and a resume finishes those that are not finished.
pub(super) fn finish(moves: &mut [Move]) {
    for one in moves.iter_mut() {
        if one.end() != "finished" {
            one.process = Some(one.program.start(&RESUME));
        }
    }
    for one in moves {
        assert_eq!(one.end(), "finished", "{}\n{}", one.name, one.program.said());
    }
}
