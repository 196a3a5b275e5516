//! On standard and FIFO queues of `ElasticMQ` and moto, ten times each. What a killed run held comes back when its leases
//! run out, which are short here.

#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the name of a FIFO queue ends so, in small letters"
)]

use std::collections::BTreeMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, QueueAttributeName, SendMessageBatchRequestEntry};
use futures::stream::{self, StreamExt as _};
use postroom::broker::BrokerUrl;
use tokio::runtime::Runtime;

use super::{Program, brokers, number};

const KILLS: u64 = 10;
/// Of an undo, which is a replay the other way. It looks through the whole target before it begins, each time for as long
/// as our lease at most.
const UNDO_KILLS: u64 = 5;
const UNDO_MESSAGES: u64 = 400;
const SERVERS: [(&str, &str); 2] = [("elasticmq", "POSTROOM_ELASTICMQ_URL"), ("moto", "POSTROOM_MOTO_URL")];
/// Message groups of a FIFO queue.
const GROUPS: u64 = 40;
/// Calls at once.
const AT_ONCE: usize = 8;

/// A server, the program, and a client of our own.
pub(super) struct Ground {
    url: String,
    /// How many messages a queue gets, and for how many seconds they are held: moto answers a call at a time, and slowly.
    pub(super) messages: u64,
    pub(super) lease: u64,
    program: Program,
    runtime: Runtime,
    client: Client,
}

impl Ground {
    pub(super) fn new(server: &str, url: &str) -> Self {
        let parsed = BrokerUrl::parse(url).unwrap();
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(parsed.hosts.clone()))
            .endpoint_url(parsed.parameter("endpoint").unwrap())
            .credentials_provider(Credentials::new("test", "test", None, None, "test"));
        let client = Client::from_conf(config.build());
        let (messages, lease) = if server == "moto" { (110, 10) } else { (4000, 4) };
        Self { url: url.to_owned(), messages, lease, program: Program::new(), runtime: Runtime::new().unwrap(), client }
    }

    /// The program comes here by another host and port.
    pub(super) fn through(mut self, other: &str) -> Self {
        let (region, _) = self.url.split_once('?').unwrap();
        self.url = format!("{region}?endpoint=http://{other}");
        self
    }

    /// The address of a queue as people type it, with our lease.
    pub(super) fn address(&self, queue: &str) -> String {
        format!("{}&lease={}", self.plain(queue), self.lease)
    }

    fn plain(&self, queue: &str) -> String {
        let (region, query) = self.url.split_once('?').unwrap();
        format!("{region}/{queue}?{query}")
    }

    async fn url_of(&self, queue: &str) -> String {
        self.client.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap()
    }

    /// Makes a queue anew, with this many numbered messages in it, which their groups hold in order.
    pub(super) fn fill(&self, queue: &str, count: u64) {
        self.runtime.block_on(async {
            if let Ok(old) = self.client.get_queue_url().queue_name(queue).send().await {
                self.client.delete_queue().queue_url(old.queue_url.unwrap()).send().await.unwrap();
            }
            let fifo = queue.rsplit('.').next() == Some("fifo");
            let mut create = self.client.create_queue().queue_name(queue);
            if fifo {
                create = create.attributes(QueueAttributeName::FifoQueue, "true");
            }
            let url = create.send().await.unwrap().queue_url.unwrap();
            let entry = |n: u64| {
                let entry = SendMessageBatchRequestEntry::builder().id(n.to_string());
                let entry = entry.message_body(format!("{{\"n\":{n}}}"));
                let id = fifo.then(|| format!("sent-{n}"));
                let group = fifo.then(|| format!("group-{}", n % GROUPS));
                entry.set_message_deduplication_id(id).set_message_group_id(group).build().unwrap()
            };
            let numbers: Vec<u64> = (0..count).collect();
            let send = |batch: &[u64]| {
                let entries = batch.iter().map(|n| entry(*n)).collect();
                let sent = self.client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();
                async move { assert!(sent.await.unwrap().failed.is_empty()) }
            };
            // In order, one after the other, where there are groups.
            let at_once = if fifo { 1 } else { AT_ONCE };
            stream::iter(numbers.chunks(10)).for_each_concurrent(at_once, send).await;
        });
    }

    /// About how many can be received, and how many somebody holds.
    pub(super) fn counts(&self, queue: &str) -> (u64, u64) {
        self.runtime.block_on(async {
            let url = self.url_of(queue).await;
            let ask = self.client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
            let told = ask.send().await.unwrap().attributes.unwrap();
            let number = |name: QueueAttributeName| told.get(&name).map_or(0, |text| text.parse().unwrap());
            let held = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
            (number(QueueAttributeName::ApproximateNumberOfMessages), number(held))
        })
    }

    /// Takes everything out, in the order in which it comes.
    pub(super) fn take_all(&self, queue: &str) -> Vec<(String, u64)> {
        let mut seen = Vec::new();
        loop {
            let received = self.runtime.block_on(async {
                let url = self.url_of(queue).await;
                let receive = self.client.receive_message().queue_url(&url).max_number_of_messages(10);
                let receive =
                    receive.message_system_attribute_names(aws_sdk_sqs::types::MessageSystemAttributeName::All);
                let messages = receive.send().await.unwrap().messages.unwrap_or_default();
                let entries: Vec<_> = messages
                    .iter()
                    .enumerate()
                    .map(|(at, message)| {
                        let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
                        entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap()
                    })
                    .collect();
                if !entries.is_empty() {
                    let delete = self.client.delete_message_batch().queue_url(url).set_entries(Some(entries));
                    assert!(delete.send().await.unwrap().failed.is_empty());
                }
                messages
            });
            let name = aws_sdk_sqs::types::MessageSystemAttributeName::MessageGroupId;
            for message in &received {
                let group = message.attributes().and_then(|all| all.get(&name)).cloned().unwrap_or_default();
                seen.push((group, number(message.body().unwrap().as_bytes())));
            }
            if received.is_empty() && self.counts(queue) == (0, 0) {
                return seen;
            }
        }
    }

    fn replay_and_kill(&self, from: &str, to: &str) -> Vec<(String, u64)> {
        self.fill(to, 0);
        self.fill(from, self.messages);
        let replay = ["replay", &self.address(from), "--to", &self.address(to), "--yes", "-o", "json"];
        self.program.kill_often(&replay, (KILLS, self.messages), || self.counts(to).0);
        let arrived = self.take_all(to);
        let seen = times(&arrived);
        self.program.judge_losses(&times(&self.take_all(from)), &seen, self.messages);
        self.program.judge_repeats(&seen);
        arrived
    }
}

/// How often each number is there.
pub(super) fn times(seen: &[(String, u64)]) -> BTreeMap<u64, u64> {
    let mut times = BTreeMap::new();
    for (_, number) in seen {
        *times.entry(*number).or_insert(0) += 1;
    }
    times
}

#[test]
fn a_replay_that_is_killed_again_and_again_loses_nothing() {
    for (server, url) in brokers(&SERVERS) {
        Ground::new(server, &url).replay_and_kill("kill-replay-from", "kill-replay-to");
    }
}

/// Each message arrives behind those that stood before it in its group. Not on moto: two receives at once there look at
/// the groups that are held when they begin, and not again, so both may get messages of one group.
#[test]
fn a_replay_of_groups_that_is_killed_again_and_again_keeps_their_order() {
    for (server, url) in brokers(&SERVERS) {
        let arrived = Ground::new(server, &url).replay_and_kill("kill-from.fifo", "kill-to.fifo");
        if server == "moto" {
            continue;
        }
        let mut first: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut met = std::collections::HashSet::new();
        for (group, number) in &arrived {
            if met.insert(number) {
                first.entry(group).or_default().push(*number);
            }
        }
        for (group, numbers) in first {
            assert!(numbers.is_sorted(), "{group}: {numbers:?}");
        }
    }
}

#[test]
fn an_undo_that_is_killed_again_and_again_loses_nothing() {
    for (server, url) in brokers(&SERVERS) {
        let ground = Ground::new(server, &url);
        let (from, to) = ("kill-undo-from", "kill-undo-to");
        let messages = ground.messages.min(UNDO_MESSAGES);
        ground.fill(to, 0);
        ground.fill(from, messages);
        let goals = (UNDO_KILLS, messages);
        // The undo takes from where the replay went to.
        let replay = ["replay", &ground.plain(from), "--to", &ground.address(to)];
        ground.program.undo_and_kill(replay, goals, || ground.counts(from).0);
        let back = times(&ground.take_all(from));
        ground.program.judge_losses(&times(&ground.take_all(to)), &back, messages);
        ground.program.judge_repeats(&back);
    }
}

#[test]
fn a_drain_that_is_killed_again_and_again_loses_nothing() {
    for (server, url) in brokers(&SERVERS) {
        let ground = Ground::new(server, &url);
        ground.fill("kill-drain-from", ground.messages);
        let left = || times(&ground.take_all("kill-drain-from"));
        ground.program.drain_and_kill(&ground.address("kill-drain-from"), (KILLS, ground.messages), left);
    }
}
