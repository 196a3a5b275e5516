//! On quorum queues of `RabbitMQ`, twenty times each.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::future::join_all;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Queue};
use tokio::runtime::Runtime;

use super::{Program, brokers, number};

const MESSAGES: u64 = 20_000;
const KILLS: u64 = 20;
/// Of an undo, which is a replay the other way.
const UNDO_KILLS: u64 = 5;
const SERVERS: [(&str, &str); 2] = [("4.0", "POSTROOM_RABBITMQ40_URL"), ("4.3", "POSTROOM_RABBITMQ43_URL")];

/// A broker, the program, and a client of our own.
pub(super) struct Ground {
    url: String,
    program: Program,
    runtime: Runtime,
    channel: Channel,
    _connection: Connection,
}

impl Ground {
    pub(super) fn new(url: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        let amqp = url.split('?').next().unwrap().to_owned();
        let (connection, channel) = runtime.block_on(async {
            let connection = Connection::connect(&amqp, ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
            (connection, channel)
        });
        Self { url: url.to_owned(), program: Program::new(), runtime, channel, _connection: connection }
    }

    /// The program comes here by another host and port, and by AMQP only.
    pub(super) fn through(mut self, other: &str) -> Self {
        let (before, rest) = self.url.split_once('@').unwrap();
        self.url = format!("{before}@{other}/{}", rest.split_once('/').unwrap().1);
        self
    }

    /// The address of a queue as people type it.
    pub(super) fn address(&self, queue: &str) -> String {
        let (broker, query) = self.url.split_once('?').unwrap();
        format!("{broker}/{queue}?{query}")
    }

    /// Makes a queue of that type anew, with this many numbered messages in it.
    pub(super) fn fill(&self, queue: &str, kind: &str, count: u64) {
        self.runtime.block_on(async {
            self.channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
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

    fn look(&self, queue: &str) -> Queue {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        let declare = self.channel.queue_declare(queue.into(), passive, FieldTable::default());
        self.runtime.block_on(declare).unwrap()
    }

    /// How many messages are ready.
    pub(super) fn ready(&self, queue: &str) -> u64 {
        self.look(queue).message_count().into()
    }

    /// How many consumers there are.
    pub(super) fn consumers(&self, queue: &str) -> u32 {
        self.look(queue).consumer_count()
    }

    /// Takes everything out and says how often each number was there.
    pub(super) fn numbers(&self, queue: &str) -> BTreeMap<u64, u64> {
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
}

#[test]
fn a_replay_that_is_killed_again_and_again_loses_nothing() {
    for (version, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let (from, to) = (format!("kill.replay.from.{version}"), format!("kill.replay.to.{version}"));
        ground.fill(&to, "quorum", 0);
        ground.fill(&from, "quorum", MESSAGES);
        let replay = ["replay", &ground.address(&from), "--to", &ground.address(&to), "--yes", "-o", "json"];
        ground.program.kill_often(&replay, (KILLS, MESSAGES), || ground.ready(&to));
        let seen = ground.numbers(&to);
        ground.program.judge_losses(&ground.numbers(&from), &seen, MESSAGES);
        ground.program.judge_repeats(&seen);
    }
}

#[test]
fn an_undo_that_is_killed_again_and_again_loses_nothing() {
    for (version, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let (from, to) = (format!("kill.undo.from.{version}"), format!("kill.undo.to.{version}"));
        ground.fill(&to, "quorum", 0);
        ground.fill(&from, "quorum", MESSAGES);
        let replay = ["replay", &ground.address(&from), "--to", &ground.address(&to)];
        ground.program.undo_and_kill(replay, (UNDO_KILLS, MESSAGES), || ground.ready(&from));
        let back = ground.numbers(&from);
        ground.program.judge_losses(&ground.numbers(&to), &back, MESSAGES);
        ground.program.judge_repeats(&back);
    }
}

#[test]
fn a_drain_that_is_killed_again_and_again_loses_nothing() {
    for (version, url) in brokers(&SERVERS) {
        let ground = Ground::new(&url);
        let from = format!("kill.drain.from.{version}");
        ground.fill(&from, "quorum", MESSAGES);
        ground.program.drain_and_kill(&ground.address(&from), (KILLS, MESSAGES), || ground.numbers(&from));
    }
}
