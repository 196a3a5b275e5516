//! Kill -9 in the middle of a replay and of a drain, twenty times each, on real brokers: after `journal resume` source,
//! target and archive together hold every message, the source is empty, and no more messages are there again than the
//! journal calls ambiguous.
//!
//! Needs `tests/with-brokers`; without brokers it says so, unless they are required. The client here is bare `lapin`,
//! so that what is judged does not judge itself.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use tokio::runtime::Runtime;

const MESSAGES: u64 = 20_000;
const KILLS: u64 = 20;
/// How long one run of the program may take to get to its next kill.
const PATIENCE: Duration = Duration::from_mins(2);

/// A broker, a folder for the program's own files, and a client of our own.
struct Ground {
    url: String,
    home: tempfile::TempDir,
    runtime: Runtime,
    channel: Channel,
    _connection: Connection,
}

/// The brokers that are up, by version.
#[allow(clippy::print_stderr, reason = "a test that tests nothing says so")]
fn brokers() -> Vec<(&'static str, String)> {
    let found: Vec<(&str, String)> = [("4.0", "POSTROOM_RABBITMQ40_URL"), ("4.3", "POSTROOM_RABBITMQ43_URL")]
        .into_iter()
        .filter_map(|(version, name)| Some((version, std::env::var(name).ok()?)))
        .collect();
    if found.is_empty() {
        let required = std::env::var("POSTROOM_BROKERS").is_ok_and(|value| value == "required");
        assert!(!required, "brokers are required, and there are none: run the tests through tests/with-brokers");
        eprintln!("no broker, nothing tested: run the tests through tests/with-brokers");
    }
    found
}

impl Ground {
    fn new(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let amqp = url.split('?').next().unwrap().to_owned();
        let (connection, channel) = runtime.block_on(async {
            let connection = Connection::connect(&amqp, ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            (connection, channel)
        });
        Self { url: url.to_owned(), home: tempfile::tempdir().unwrap(), runtime, channel, _connection: connection }
    }

    /// The address of a queue as people type it.
    fn address(&self, queue: &str) -> String {
        let (broker, query) = self.url.split_once('?').unwrap();
        format!("{broker}/{queue}?{query}")
    }

    /// Makes a queue anew, with this many numbered messages in it.
    fn fill(&self, queue: &str, count: u64) {
        self.runtime.block_on(async {
            self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            self.channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
            for batch in (0..count).collect::<Vec<u64>>().chunks(500) {
                let sent = join_all(batch.iter().map(async |n| {
                    let properties = BasicProperties::default().with_delivery_mode(2);
                    let (body, options) = (format!("{{\"n\":{n}}}"), BasicPublishOptions::default());
                    self.channel.basic_publish("".into(), queue.into(), options, body.as_bytes(), properties).await
                }));
                for confirm in sent.await {
                    assert_eq!(confirm.unwrap().await.unwrap(), Confirmation::Ack(None));
                }
            }
        });
        assert_eq!(self.ready(queue), count);
    }

    /// How many messages are ready.
    fn ready(&self, queue: &str) -> u64 {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declare = self.channel.queue_declare(queue.into(), passive, FieldTable::default());
        self.runtime.block_on(declare).unwrap().message_count().into()
    }

    /// Takes everything out and says how often each number was there.
    fn numbers(&self, queue: &str) -> BTreeMap<u64, u64> {
        let mut seen = BTreeMap::new();
        let count = usize::try_from(self.ready(queue)).unwrap();
        self.runtime.block_on(async {
            let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
            let consumer = self.channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
            let mut deliveries = consumer.await.unwrap().take(count);
            while let Some(delivery) = deliveries.next().await {
                *seen.entry(number(&delivery.unwrap().data)).or_insert(0) += 1;
            }
        });
        seen
    }

    fn start(&self, arguments: &[&str]) -> Child {
        let home = self.home.path();
        let log = |name: &str| File::create(home.join(name)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
        command.args(arguments).env("HOME", home).env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home);
        command.env("XDG_DATA_HOME", home).stdin(Stdio::null()).stdout(log("stdout")).stderr(log("stderr"));
        command.spawn().unwrap()
    }

    /// What the last run said.
    fn said(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.home.path().join(name)).unwrap();
        format!("{}{}", read("stdout"), read("stderr"))
    }

    /// Starts `first`, then resumes, and kills each run once `done` has come a step further; until one has finished.
    fn kill_often(&self, first: &[&str], done: impl Fn() -> u64) {
        let mut kills = 0;
        let mut ended = None;
        for step in 1..=KILLS {
            let mut run = self.start(if step == 1 { first } else { &RESUME });
            let end = kill_at(&mut run, &done, step * MESSAGES / (KILLS + 1));
            match end {
                None => kills += 1,
                Some(status) => {
                    ended = Some(status);
                    break;
                }
            }
        }
        let status = ended.unwrap_or_else(|| self.start(&RESUME).wait().unwrap());
        assert!(finished(status), "the run after {kills} kills: {status}\n{}", self.said());
        // The last run can be through with the rest before it is caught.
        assert!(kills >= KILLS - 2, "only {kills} of {KILLS} runs could be killed before one had finished");
    }

    /// No more messages are there again than the journal calls ambiguous. One that was under way at several kills can
    /// be there several times.
    fn judge_repeats(&self, seen: &BTreeMap<u64, u64>) {
        let again = seen.values().filter(|count| **count > 1).count() as u64;
        let mut list = self.start(&["journal", "list", "-o", "json"]);
        assert!(list.wait().unwrap().success(), "{}", self.said());
        let journals: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(self.home.path().join("stdout")).unwrap()).unwrap();
        let ambiguous = journals[0]["ambiguous"].as_u64().unwrap_or_else(|| panic!("{journals}"));
        assert!(again <= ambiguous, "{again} messages are there again, and the journal tells of {ambiguous}");
    }
}

/// Every number has arrived, and the source is empty, as the run said that it has finished.
fn judge_losses(ground: &Ground, from: &str, seen: &BTreeMap<u64, u64>) {
    let left = ground.numbers(from);
    let missing: Vec<u64> = (0..MESSAGES).filter(|n| !seen.contains_key(n)).collect();
    let lost = missing.iter().filter(|n| !left.contains_key(n)).count();
    assert_eq!(
        (lost, missing.len(), left.len()),
        (0, 0, 0),
        "lost, not moved, still in the source; of those not moved {:?}\n{}",
        &missing[..missing.len().min(5)],
        ground.said()
    );
}

const RESUME: [&str; 5] = ["journal", "resume", "--yes", "-o", "json"];

/// Done, or done with ambiguous messages that the report names.
fn finished(status: ExitStatus) -> bool {
    matches!(status.code(), Some(0 | 3))
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
fn archived(archive: &PathBuf) -> BTreeMap<u64, u64> {
    let mut seen = BTreeMap::new();
    for line in std::fs::read_to_string(archive).unwrap().lines() {
        let message: serde_json::Value = serde_json::from_str(line).unwrap();
        let payload = &message["payload"];
        let body = payload["utf8"].as_str().or(payload.as_str()).unwrap();
        *seen.entry(number(body.as_bytes())).or_insert(0) += 1;
    }
    seen
}

#[test]
fn a_replay_that_is_killed_again_and_again_loses_nothing() {
    for (version, url) in brokers() {
        let ground = Ground::new(&url);
        let (from, to) = (format!("kill.replay.from.{version}"), format!("kill.replay.to.{version}"));
        ground.fill(&to, 0);
        ground.fill(&from, MESSAGES);
        let replay = ["replay", &ground.address(&from), "--to", &ground.address(&to), "--yes", "-o", "json"];
        ground.kill_often(&replay, || ground.ready(&to));
        let seen = ground.numbers(&to);
        judge_losses(&ground, &from, &seen);
        ground.judge_repeats(&seen);
    }
}

#[test]
fn a_drain_that_is_killed_again_and_again_loses_nothing() {
    for (version, url) in brokers() {
        let ground = Ground::new(&url);
        let from = format!("kill.drain.from.{version}");
        ground.fill(&from, MESSAGES);
        let archive = ground.home.path().join("drained.jsonl");
        let to = format!("file:{}", archive.display());
        // Lines are about as long as the first, so that the size tells how many there are.
        let lines = || {
            let text = std::fs::read(&archive).unwrap_or_default();
            let first = text.iter().position(|byte| *byte == b'\n').map_or(u64::MAX, |at| at as u64 + 3);
            text.len() as u64 / first
        };
        ground.kill_often(&["drain", &ground.address(&from), "--to", &to, "--yes", "-o", "json"], lines);
        let seen = archived(&archive);
        judge_losses(&ground, &from, &seen);
        ground.judge_repeats(&seen);
    }
}
