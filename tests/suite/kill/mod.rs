//! Kill -9 in the middle of a replay, of a drain and of an undo, again and again, on real brokers: after `journal resume` source,
//! target and archive together hold every message, the source is empty, and no more messages are there again than the
//! journal calls ambiguous.
//!
//! Needs `tests/with-brokers`; without brokers it says so, unless they are required. The clients here are bare ones, so
//! that what is judged does not judge itself.

mod cuts;
#[cfg(feature = "kafka")]
mod kafka;
mod moves;
mod proxy;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(any(feature = "rabbitmq", feature = "kafka"))]
mod restart;
mod servers;
#[cfg(feature = "sqs")]
mod sqs;
mod stops;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// How long one run of the program may take to get to its next kill.
const PATIENCE: Duration = Duration::from_mins(2);

/// With the rescue: twenty kills bring a message that was held at each of them to its delivery limit.
const RESUME: [&str; 6] = ["journal", "resume", "--rescue", "--yes", "-o", "json"];
/// Lines of the program's output that a failed test shows.
const SHOWN: usize = 40;

/// The servers that are up, by name, of those whose variables are given.
#[allow(clippy::print_stderr, reason = "a test that tests nothing says so")]
fn brokers(of: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
    let found: Vec<_> = of.iter().filter_map(|(server, name)| Some((*server, std::env::var(name).ok()?))).collect();
    if found.is_empty() {
        let required = std::env::var("POSTROOM_BROKERS").is_ok_and(|value| value == "required");
        assert!(!required, "brokers are required, and there are none: run the tests through tests/with-brokers");
        eprintln!("no broker, nothing tested: run the tests through tests/with-brokers");
    }
    found
}

/// The program under test, with a folder for its own files.
struct Program {
    home: tempfile::TempDir,
}

impl Program {
    fn new() -> Self {
        Self { home: tempfile::tempdir().unwrap() }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn start(&self, arguments: &[&str]) -> Child {
        self.start_at(arguments, None)
    }

    /// With a clock that stands still at that time, where there is one.
    fn start_at(&self, arguments: &[&str], now: Option<jiff::Timestamp>) -> Child {
        let home = self.home.path();
        let log = |name: &str| File::create(home.join(name)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.args(arguments).env("HOME", home).env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home);
        command.env("XDG_DATA_HOME", home).stdin(Stdio::null()).stdout(log("stdout")).stderr(log("stderr"));
        command.envs(now.map(|now| ("POSTROOM_NOW", now.to_string())));
        command.spawn().unwrap()
    }

    /// What the last run said.
    fn said(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.home.path().join(name)).unwrap();
        let stdout = read("stdout");
        format!("{}\n{}", read("stderr"), stdout.lines().take(SHOWN).collect::<Vec<_>>().join("\n"))
    }

    /// Starts `first`, then resumes, and kills each run once `done` has come a step further; until one has finished.
    fn kill_often(&self, first: &[&str], (often, messages): (u64, u64), done: impl Fn() -> u64) {
        let mut kills = 0;
        let mut ended = None;
        for step in 1..=often {
            let mut run = self.start(if step == 1 { first } else { &RESUME });
            let end = kill_at(&mut run, &done, step * messages / (often + 1));
            match end {
                None => kills += 1,
                Some(status) => {
                    ended = Some(status);
                    break;
                }
            }
        }
        let status = ended.unwrap_or_else(|| self.start(&RESUME).wait().unwrap());
        // Done, or done with ambiguous messages that the report names.
        let finished = matches!(status.code(), Some(0 | 3)) && self.said().contains("\"state\": \"finished\"");
        assert!(finished, "the run after {kills} kills: {status}\n{}", self.said());
        // The last run can be through with the rest before it is caught.
        assert!(kills >= often - 2, "only {kills} of {often} runs could be killed before one had finished");
    }

    /// Waits until a run has ended, which it does within a bound.
    fn end(&self, run: &mut Child) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = run.try_wait().unwrap() {
                return status;
            }
            if Instant::now() >= deadline {
                run.kill().unwrap();
                panic!("the run has not ended\n{}", self.said());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// What the last run reported.
    fn report(&self) -> serde_json::Value {
        self.report_if_any().unwrap_or_else(|| panic!("no report\n{}", self.said()))
    }

    /// The same; `None` for a run that said nothing but its error.
    fn report_if_any(&self) -> Option<serde_json::Value> {
        let stdout = std::fs::read_to_string(self.home.path().join("stdout")).unwrap();
        let told = || serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}\n{}", self.said()));
        (!stdout.is_empty()).then(told)
    }

    fn journals(&self) -> serde_json::Value {
        let status = self.start(&["journal", "list", "-o", "json"]).wait().unwrap();
        assert!(status.success(), "{}", self.said());
        self.report()
    }

    /// Whether a run came as far as to do anything.
    fn has_journal(&self) -> bool {
        !self.journals().as_array().unwrap().is_empty()
    }

    /// How many messages the newest journal calls ambiguous, and how many failed.
    fn ambiguous_and_failed(&self) -> (u64, u64) {
        let journals = self.journals();
        let number = |name: &str| journals[0][name].as_u64().unwrap_or_else(|| panic!("{journals}"));
        (number("ambiguous"), number("failed"))
    }

    /// Drains into an archive with kills, and judges; `left` says then what is still in the source.
    fn drain_and_kill(&self, from: &str, goals: (u64, u64), left: impl FnOnce() -> BTreeMap<u64, u64>) {
        let archive = self.home().join("drained.jsonl");
        let to = format!("file:{}", archive.display());
        self.kill_often(&["drain", from, "--to", &to, "--yes", "-o", "json"], goals, || lines(&archive));
        let seen = archived(&archive);
        self.judge_losses(&left(), &seen, goals.1);
        self.judge_repeats(&seen);
    }

    /// Replays or drains to the end, and takes that back with kills: a step is a message that is back, which `done` counts.
    fn undo_and_kill(&self, run: [&str; 4], goals: (u64, u64), done: impl Fn() -> u64) {
        let status = self.start(&[&run[..], &["--yes", "-o", "json"]].concat()).wait().unwrap();
        assert!(status.success(), "{status}\n{}", self.said());
        let id = self.report()["journal"].as_str().unwrap().to_owned();
        self.kill_often(&["journal", "undo", &id, "--yes", "-o", "json"], goals, done);
    }

    /// No more messages are there again than the journal calls ambiguous. One that was under way at several kills can
    /// be there several times.
    fn judge_repeats(&self, seen: &BTreeMap<u64, u64>) {
        let again = seen.values().filter(|count| **count > 1).count() as u64;
        let (ambiguous, _) = self.ambiguous_and_failed();
        assert!(again <= ambiguous, "{again} messages are there again, and the journal tells of {ambiguous}");
    }

    /// Every number has arrived, and the source is empty, as the run said that it has finished.
    fn judge_losses(&self, left: &BTreeMap<u64, u64>, seen: &BTreeMap<u64, u64>, messages: u64) {
        let missing: Vec<u64> = (0..messages).filter(|n| !seen.contains_key(n)).collect();
        let lost = missing.iter().filter(|n| !left.contains_key(n)).count();
        assert_eq!(
            (lost, missing.len(), left.len()),
            (0, 0, 0),
            "lost, not moved, still in the source; of those not moved {:?}\n{}",
            &missing[..missing.len().min(5)],
            self.said()
        );
    }
}

/// Kills the run once `done` has reached `goal`; the exit status where it ended before.
fn kill_at(run: &mut Child, done: impl Fn() -> u64, goal: u64) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if done() >= goal {
            run.kill().unwrap();
            run.wait().unwrap();
            return None;
        }
        if let Some(status) = run.try_wait().unwrap() {
            return Some(status);
        }
        assert!(Instant::now() < deadline, "the run got no further than {} of {goal}", done());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn number(body: &[u8]) -> u64 {
    let value: serde_json::Value = serde_json::from_slice(body).unwrap();
    value["n"].as_u64().unwrap()
}

/// How often each number is in an archive, which must be whole.
fn archived(archive: &Path) -> BTreeMap<u64, u64> {
    let mut seen = BTreeMap::new();
    for line in std::fs::read_to_string(archive).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = &message["payload"];
        let body = payload["utf8"].as_str().or(payload.as_str()).unwrap();
        *seen.entry(number(body.as_bytes())).or_insert(0) += 1;
    }
    seen
}

/// How many lines an archive has so far. They are about as long as the first, so that the size tells it.
fn lines(archive: &Path) -> u64 {
    let text = std::fs::read(archive).unwrap_or_default();
    let first = text.iter().position(|byte| *byte == b'\n').map_or(u64::MAX, |at| at as u64 + 3);
    text.len() as u64 / first
}
