//! On Kafka, ten times each. A replay leaves its source as it is, so that only the target is counted.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::{Program, brokers, number};

const MESSAGES: u64 = 20_000;
const KILLS: u64 = 10;
/// Of an undo, which is a replay of the archive.
const UNDO_KILLS: u64 = 5;
const PARTITIONS: i32 = 3;
const PATIENCE: Duration = Duration::from_secs(20);
const SERVERS: [(&str, &str); 1] = [("kafka", "POSTROOM_KAFKA_URL")];

/// A cluster, the program, and clients of our own.
pub(super) struct Ground {
    url: String,
    /// Where the program comes in, and the properties of its client.
    door: String,
    properties: &'static str,
    program: Program,
    /// For counting while the program runs.
    consumer: BaseConsumer,
}

impl Ground {
    pub(super) fn new(url: &str) -> Self {
        let url = url.split('?').next().unwrap().to_owned();
        let consumer = config(&url).create().unwrap();
        Self { door: url.clone(), properties: "", url, program: Program::new(), consumer }
    }

    /// The program comes in by another listener.
    pub(super) fn through(mut self, other: &str) -> Self {
        other.clone_into(&mut self.door);
        self
    }

    /// The client of the program has these properties.
    pub(super) fn properties(mut self, properties: &'static str) -> Self {
        self.properties = properties;
        self
    }

    pub(super) fn address(&self, topic: &str) -> String {
        format!("{}/{topic}{}", self.door, self.properties)
    }

    /// Makes a topic with this many numbered records in it.
    pub(super) fn fill(&self, name: &str, count: u64) -> String {
        let topic = format!("{name}.{}", std::process::id());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let admin: AdminClient<DefaultClientContext> = config(&self.url).create().unwrap();
        let new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(1));
        runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap().remove(0).unwrap();
        // The brokers learn of it a little later.
        let known = || self.consumer.fetch_metadata(Some(&topic), PATIENCE).unwrap().topics()[0].error().is_none();
        while !known() || self.watermarks(&topic).is_none() {
            std::thread::sleep(Duration::from_millis(50));
        }
        let producer: BaseProducer = config(&self.url).set("enable.idempotence", "true").create().unwrap();
        for n in 0..count {
            let (key, body) = (n.to_string(), format!("{{\"n\":{n}}}"));
            let mut record = BaseRecord::to(&topic).key(&key).payload(&body);
            while let Err((error, again)) = producer.send(record) {
                assert!(matches!(error, KafkaError::MessageProduction(rdkafka::types::RDKafkaErrorCode::QueueFull)));
                producer.poll(Duration::from_millis(10));
                record = again;
            }
        }
        producer.flush(PATIENCE).unwrap();
        assert_eq!(self.count(&topic), count);
        topic
    }

    fn watermarks(&self, topic: &str) -> Option<Vec<(i64, i64)>> {
        let of = |partition| self.consumer.fetch_watermarks(topic, partition, PATIENCE).ok();
        (0..PARTITIONS).map(of).collect()
    }

    /// How many records are there.
    pub(super) fn count(&self, topic: &str) -> u64 {
        let marks = self.watermarks(topic).unwrap();
        marks.into_iter().map(|(low, high)| u64::try_from(high - low).unwrap()).sum()
    }

    /// How often each number is there.
    pub(super) fn numbers(&self, topic: &str) -> BTreeMap<u64, u64> {
        let mut config = config(&self.url);
        config.set("group.id", "postroom-kill-test").set("enable.auto.commit", "false");
        let consumer: BaseConsumer = config.set("enable.partition.eof", "true").create().unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..PARTITIONS {
            list.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut seen, mut ended) = (BTreeMap::new(), 0);
        while ended < PARTITIONS {
            match consumer.poll(PATIENCE).expect("an answer in time") {
                Ok(record) => *seen.entry(number(record.payload().unwrap())).or_insert(0) += 1,
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("{error}"),
            }
        }
        seen
    }
}

fn config(url: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", url.trim_start_matches("kafka://"));
    config
}

#[test]
fn a_replay_that_is_killed_again_and_again_loses_nothing() {
    for (_, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let (from, to) = (ground.fill("kill.replay.from", MESSAGES), ground.fill("kill.replay.to", 0));
        let replay = ["replay", &ground.address(&from), "--to", &ground.address(&to), "--yes", "-o", "json"];
        ground.program.kill_often(&replay, (KILLS, MESSAGES), || ground.count(&to));
        let seen = ground.numbers(&to);
        ground.program.judge_losses(&BTreeMap::new(), &seen, MESSAGES);
        ground.program.judge_repeats(&seen);
        assert_eq!(ground.count(&from), MESSAGES, "the source keeps its records");
    }
}

#[test]
fn a_drain_that_is_killed_again_and_again_loses_nothing() {
    for (_, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let from = ground.fill("kill.drain.from", MESSAGES);
        ground.program.drain_and_kill(&ground.address(&from), (KILLS, MESSAGES), || ground.numbers(&from));
    }
}

/// A topic keeps the copies of a replay, so that what can be taken back is a drain.
#[test]
fn an_undo_of_a_drain_that_is_killed_again_and_again_loses_nothing() {
    for (_, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let from = ground.fill("kill.undo", MESSAGES);
        let archive = format!("file:{}", ground.program.home().join("drained.jsonl").display());
        let drain = ["drain", &ground.address(&from), "--to", &archive];
        ground.program.undo_and_kill(drain, (UNDO_KILLS, MESSAGES), || ground.count(&from));
        let back = ground.numbers(&from);
        ground.program.judge_losses(&BTreeMap::new(), &back, MESSAGES);
        ground.program.judge_repeats(&back);
    }
}
