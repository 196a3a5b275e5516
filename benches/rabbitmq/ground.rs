//! The queues that the jobs are done on.

use std::path::PathBuf;

use futures::future::join_all;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions, QueueDeleteOptions, QueuePurgeOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation};

use crate::bare::connect;

/// A broker, and how much to do on it.
pub(crate) struct Ground {
    pub(crate) url: String,
    pub(crate) messages: u64,
    pub(crate) folder: tempfile::TempDir,
}

impl Ground {
    /// The address of a queue as people type it.
    pub(crate) fn address(&self, queue: &str) -> String {
        let (broker, query) =
            self.url.split_once('?').map_or((self.url.as_str(), ""), |(broker, query)| (broker, query));
        format!("{broker}/{queue}?{query}")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Makes a queue with exactly the messages of a round in it.
    pub(crate) async fn fill(&self, queue: &str, kind: &str) {
        self.empty(queue, kind).await;
        let (_connection, channel) = connect(&self.url).await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let mut sent = 0;
        while sent < self.messages {
            let batch: Vec<u64> = (sent..self.messages.min(sent + 500)).collect();
            sent += batch.len() as u64;
            let confirms = join_all(batch.iter().map(|n| publish(&channel, queue, *n))).await;
            for confirm in confirms {
                assert_eq!(confirm.unwrap().await.unwrap(), Confirmation::Ack(None));
            }
        }
        assert_eq!(self.count(queue).await, self.messages, "{queue}");
    }

    /// Makes a queue without messages.
    pub(crate) async fn empty(&self, queue: &str, kind: &str) {
        let (_connection, channel) = connect(&self.url).await.unwrap();
        let mut arguments = FieldTable::default();
        arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
        channel.queue_declare(queue.into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.unwrap();
    }

    /// How many messages are ready.
    pub(crate) async fn count(&self, queue: &str) -> u64 {
        let (_connection, channel) = connect(&self.url).await.unwrap();
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
        channel.queue_declare(queue.into(), passive, FieldTable::default()).await.unwrap().message_count().into()
    }

    pub(crate) async fn delete(&self, queue: &str) {
        let (_connection, channel) = connect(&self.url).await.unwrap();
        channel.queue_delete(queue.into(), QueueDeleteOptions::default()).await.unwrap();
    }
}

/// 1 KiB of JSON, persistent.
async fn publish(channel: &Channel, queue: &str, n: u64) -> lapin::Result<lapin::PublisherConfirm> {
    let head = format!(r#"{{"order_id":{n},"note":""#);
    let body = format!("{head}{}\"}}", "lorem ipsum dolor sit amet ".repeat(40).split_at(1022 - head.len()).0);
    let properties = BasicProperties::default().with_delivery_mode(2).with_message_id(format!("bench-{n}").into());
    channel.basic_publish("".into(), queue.into(), BasicPublishOptions::default(), body.as_bytes(), properties).await
}
