//! A broker that is killed and started again in the middle of replays and drains, on its data and ports: each run ends
//! within a bound and reports, a resume finishes it, source and target (or archive) together hold every message, and no
//! more messages are there again, or not moved, than the journal calls ambiguous: what was not sent because the broker was
//! away is sent by the resume.
//!
//! The broker is one of our own (`tests/with-brokers` inside `tests/with-brokers`), for other tests use the shared ones.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

#[cfg(feature = "kafka")]
use super::kafka;
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
use super::{PATIENCE, Program, RESUME, archived, brokers, lines};

/// What tells that the tests run beside brokers, and does to those what its arguments say.
const CONTROL: &str = "POSTROOM_BROKER_CONTROL";
const MESSAGES: u64 = 12_000;
/// The broker is killed when each run has come so far.
const MIDDLE: u64 = 1_500;
/// Messages a second of a replay, so that none is through before the others have begun. A drain has no such choice.
const RATE: &str = "3000";

/// Brokers of our own, which stop when this is dropped.
struct Servers {
    process: Child,
    /// Open as long as they are to run.
    input: Option<ChildStdin>,
    variables: BTreeMap<String, String>,
}

impl Servers {
    /// Starts those of a name; `None` where the tests run without brokers.
    fn start(name: &str) -> Option<Self> {
        brokers(&[("any", CONTROL)]).pop()?;
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/with-brokers"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("POSTROOM_") && text.ends_with("_URL") {
                command.env_remove(&name);
            }
        }
        command.env("POSTROOM_ONLY_BROKERS", name).env("POSTROOM_BROKERS", "required");
        command.args(["sh", "-c", "env && echo up && exec cat"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = said.take_while(|line| line != "up").collect();
        let variables = said.iter().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { process, input, variables })
    }

    fn of(&self, variable: &str) -> &str {
        self.variables.get(variable).unwrap_or_else(|| panic!("tests/with-brokers has not given {variable}"))
    }

    /// Has something done to one of them.
    fn control(&self, verb: &str, server: &str) {
        let status = Command::new(self.of(CONTROL)).args([verb, server]).status().unwrap();
        assert!(status.success(), "{verb} {server}: {status}");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.process.wait();
    }
}

/// A broker as the runs see it.
trait Broker {
    fn address(&self, queue: &str) -> String;
    fn count(&self, queue: &str) -> u64;
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

/// A replay or a drain.
struct Move {
    name: String,
    program: Program,
    from: String,
    /// A replay's target; a drain has an archive.
    to: Option<String>,
    process: Option<Child>,
}

impl Move {
    fn new(name: &str, from: &str, to: Option<&str>) -> Self {
        Self { name: name.into(), program: Program::new(), from: from.into(), to: to.map(Into::into), process: None }
    }

    fn archive(&self) -> PathBuf {
        self.program.home().join("drained.jsonl")
    }

    fn start(&mut self, broker: &dyn Broker) {
        let from = broker.address(&self.from);
        let archive = format!("file:{}", self.archive().display());
        self.process = Some(match &self.to {
            Some(to) => {
                let to = broker.address(to);
                self.program.start(&["replay", &from, "--to", &to, "--rate", RATE, "--yes", "-o", "json"])
            }
            None => self.program.start(&["drain", &from, "--to", &archive, "--yes", "-o", "json"]),
        });
    }

    fn arrived(&self, broker: &dyn Broker) -> u64 {
        self.to.as_ref().map_or_else(|| lines(&self.archive()), |to| broker.count(to))
    }

    fn is_under_way(&mut self) -> bool {
        self.process.as_mut().unwrap().try_wait().unwrap().is_none()
    }

    /// The run ends, and reports, whatever its broker did.
    fn end(&mut self) -> String {
        let status = self.program.end(self.process.as_mut().unwrap());
        let report = self.program.report();
        assert!(matches!(status.code(), Some(0 | 1 | 3)), "{}: {status}\n{}", self.name, self.program.said());
        report["state"].as_str().unwrap().to_owned()
    }

    /// `keeps` where the source is to keep its messages.
    fn judge(&self, broker: &dyn Broker, keeps: bool) {
        let said = self.program.said();
        let seen = self.to.as_ref().map_or_else(|| archived(&self.archive()), |to| broker.numbers(to));
        let left = broker.numbers(&self.from);
        let unmoved: Vec<u64> = (0..MESSAGES).filter(|n| !seen.contains_key(n)).collect();
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

/// Brings all to the middle; the drains last, for they are faster.
fn to_the_middle(moves: &mut [Move], broker: &dyn Broker) {
    let deadline = Instant::now() + PATIENCE;
    for replays in [true, false] {
        let mut some: Vec<_> = moves.iter_mut().filter(|one| one.to.is_some() == replays).collect();
        for one in &mut some {
            one.start(broker);
        }
        for one in &mut some {
            while one.is_under_way() && one.arrived(broker) < MIDDLE {
                assert!(Instant::now() < deadline, "{} got no further than {}", one.name, one.arrived(broker));
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
    for one in moves {
        assert!(one.is_under_way(), "{} was through before its broker was killed\n{}", one.name, one.program.said());
    }
}

/// The runs end, and a resume finishes those that are not finished.
fn finish(moves: &mut [Move]) {
    for one in moves.iter_mut() {
        if one.end() != "finished" {
            one.process = Some(one.program.start(&RESUME));
        }
    }
    for one in moves {
        assert_eq!(one.end(), "finished", "{}\n{}", one.name, one.program.said());
    }
}

#[cfg(feature = "rabbitmq")]
#[test]
fn a_rabbitmq_that_is_killed_and_started_again_costs_no_message() {
    let Some(servers) = Servers::start("rabbitmq") else { return };
    std::thread::scope(|scope| {
        for (server, url) in [("rabbitmq40", "POSTROOM_RABBITMQ40_URL"), ("rabbitmq43", "POSTROOM_RABBITMQ43_URL")] {
            let servers = &servers;
            scope.spawn(move || kill_rabbitmq(servers, server, servers.of(url)));
        }
    });
}

#[cfg(feature = "rabbitmq")]
fn kill_rabbitmq(servers: &Servers, server: &str, url: &str) {
    let ground = rabbitmq::Ground::new(url);
    let mut moves = Vec::new();
    for kind in ["quorum", "classic"] {
        let name = |what: &str| format!("restart.{kind}.{what}");
        ground.fill(&name("from"), kind, MESSAGES);
        ground.fill(&name("to"), kind, 0);
        ground.fill(&name("drain"), kind, MESSAGES);
        moves.push(Move::new(&format!("replay, {kind}, {server}"), &name("from"), Some(&name("to"))));
        moves.push(Move::new(&format!("drain, {kind}, {server}"), &name("drain"), None));
    }
    to_the_middle(&mut moves, &ground);
    servers.control("kill", server);
    // Nothing tells a run on RabbitMQ to wait for a broker that is gone.
    for one in &mut moves {
        assert_eq!(one.end(), "stopped", "{}\n{}", one.name, one.program.said());
    }
    servers.control("start", server);
    finish(&mut moves);
    let ground = rabbitmq::Ground::new(url);
    for one in &moves {
        one.judge(&ground, false);
    }
}

#[cfg(feature = "kafka")]
#[test]
fn a_kafka_that_is_killed_and_started_again_costs_no_message() {
    let Some(servers) = Servers::start("kafka") else { return };
    let ground = kafka::Ground::new(servers.of("POSTROOM_KAFKA_URL"));
    let (from, to) = (ground.fill("restart.from", MESSAGES), ground.fill("restart.to", 0));
    let drain = ground.fill("restart.drain", MESSAGES);
    let mut moves = [Move::new("replay", &from, Some(&to)), Move::new("drain", &drain, None)];
    to_the_middle(&mut moves, &ground);
    servers.control("kill", "kafka");
    // The drain gives up, and the replay waits longer: one has to be resumed, the other may go on by itself. The broker has
    // forgotten what was removed from the starts of the partitions within its last minute.
    assert_eq!(moves[1].end(), "stopped", "{}", moves[1].program.said());
    servers.control("start", "kafka");
    finish(&mut moves);
    // A replay leaves a topic as it is.
    for one in &moves {
        one.judge(&ground, one.to.is_some());
    }
}
