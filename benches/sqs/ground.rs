//! The queues that the jobs are done on.

use std::path::PathBuf;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures::stream::{self, StreamExt as _};
use postroom::broker::BrokerUrl;

/// Calls at once.
const AT_ONCE: usize = 16;

/// A server, and how much to do on it.
pub(crate) struct Ground {
    url: String,
    pub(crate) messages: u64,
    pub(crate) client: Client,
    pub(crate) folder: tempfile::TempDir,
}

impl Ground {
    pub(crate) fn new(url: String, messages: u64) -> Self {
        let parsed = BrokerUrl::parse(&url).unwrap();
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(parsed.hosts.clone()))
            .endpoint_url(parsed.parameter("endpoint").unwrap())
            .credentials_provider(Credentials::new("bench", "bench", None, None, "bench"));
        Self { url, messages, client: Client::from_conf(config.build()), folder: tempfile::tempdir().unwrap() }
    }

    /// The address of a queue as people type it.
    pub(crate) fn address(&self, queue: &str) -> String {
        let (region, query) = self.url.split_once('?').unwrap();
        format!("{region}/{queue}?{query}")
    }

    /// The URL of a queue as SQS names it.
    pub(crate) async fn queue(&self, queue: &str) -> String {
        self.client.get_queue_url().queue_name(queue).send().await.unwrap().queue_url.unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a queue with exactly the messages of a round in it.
    pub(crate) async fn fill(&self, queue: &str) {
        self.empty(queue).await;
        let url = self.queue(queue).await;
        let numbers: Vec<u64> = (0..self.messages).collect();
        let send = |batch: &[u64]| {
            let entries = batch.iter().map(|n| entry(*n)).collect();
            let sent = self.client.send_message_batch().queue_url(&url).set_entries(Some(entries)).send();
            async move { assert!(sent.await.unwrap().failed.is_empty()) }
        };
        stream::iter(numbers.chunks(10)).for_each_concurrent(AT_ONCE, send).await;
        assert_eq!(self.count(queue).await, self.messages, "{queue}");
    }

    /// Makes a queue without messages.
    pub(crate) async fn empty(&self, queue: &str) {
        if self.client.get_queue_url().queue_name(queue).send().await.is_ok() {
            self.delete(queue).await;
        }
        self.client.create_queue().queue_name(queue).send().await.unwrap();
    }

    /// How many messages can be received.
    pub(crate) async fn count(&self, queue: &str) -> u64 {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let ask = self.client.get_queue_attributes().queue_url(self.queue(queue).await).attribute_names(name.clone());
        ask.send().await.unwrap().attributes.unwrap()[&name].parse().unwrap()
    }

    pub(crate) async fn delete(&self, queue: &str) {
        self.client.delete_queue().queue_url(self.queue(queue).await).send().await.unwrap();
    }
}

/// 1 KiB of JSON.
fn entry(n: u64) -> SendMessageBatchRequestEntry {
    let head = format!(r#"{{"order_id":{n},"note":""#);
    let body = format!("{head}{}\"}}", "lorem ipsum dolor sit amet ".repeat(40).split_at(1022 - head.len()).0);
    SendMessageBatchRequestEntry::builder().id(n.to_string()).message_body(body).build().unwrap()
}
