//! The yardstick: what a careful person writes with the client library alone, fast and without losing a message, but
//! without plan, journal, checks or an archive that can be read back.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use futures::StreamExt;
use futures::future::join_all;
use lapin::PublisherConfirm;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicPublishOptions, BasicQosOptions,
    ConfirmSelectOptions, QueueDeclareOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};

/// Deliveries on their way to us.
const PREFETCH: u16 = 1000;
/// Messages between two acknowledgements.
const BATCH: u64 = 500;
/// Publishes polled together.
const GROUP: usize = 100;
/// Batches of publishes that wait for their confirmations.
const IN_FLIGHT: usize = 3;

/// Does a job: `drain`, `replay`, `replay-marked` or `peek`, the broker's URL, a queue, how many messages, and where they go.
pub(crate) async fn run(job: &[&str]) -> lapin::Result<()> {
    match job {
        ["drain", url, queue, count, file] => drain(url, queue, Path::new(file), count.parse().unwrap()).await,
        ["replay", url, from, count, to] => {
            replay(url, from, to, count.parse().unwrap(), |delivery| delivery.properties.clone()).await
        }
        ["replay-marked", url, from, count, to] => replay(url, from, to, count.parse().unwrap(), marked).await,
        ["peek", url, queue, count] => peek(url, queue, count.parse().unwrap()).await,
        _ => panic!("no such job: {job:?}"),
    }
}

pub(crate) async fn connect(url: &str) -> lapin::Result<(Connection, Channel)> {
    // The management address is ours, not the client's.
    let url = url.split('?').next().unwrap_or(url);
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

async fn consume(channel: &Channel, queue: &str, prefetch: u16) -> lapin::Result<Consumer> {
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    channel.basic_consume(queue.into(), "bare".into(), BasicConsumeOptions::default(), FieldTable::default()).await
}

/// An answer of the broker on this channel: all acknowledgements before it have arrived.
async fn sync(channel: &Channel, queue: &str) -> lapin::Result<()> {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::durable() };
    channel.queue_declare(queue.into(), passive, FieldTable::default()).await.map(|_| ())
}

/// Writes every payload on a line of a file; each batch is on the disk before it is acknowledged.
async fn drain(url: &str, queue: &str, file: &Path, count: u64) -> lapin::Result<()> {
    let (connection, channel) = connect(url).await?;
    let mut consumer = consume(&channel, queue, PREFETCH).await?;
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file).unwrap());
    for n in 1..=count {
        let delivery = consumer.next().await.expect("the consumer lives")?;
        out.write_all(&delivery.data).unwrap();
        out.write_all(b"\n").unwrap();
        if n % BATCH == 0 || n == count {
            out.flush().unwrap();
            out.get_ref().sync_data().unwrap();
            channel.basic_ack(delivery.delivery_tag, BasicAckOptions { multiple: true }).await?;
        }
    }
    sync(&channel, queue).await?;
    connection.close(200, "done".into()).await
}

/// The properties of a copy with the two headers of a replay's copies, by which they are known again.
fn marked(delivery: &Delivery) -> BasicProperties {
    let mut headers = delivery.properties.headers().clone().unwrap_or_default();
    let id = format!("20260101-000000-bare-{}", delivery.delivery_tag);
    headers.insert("postroom-replay-id".into(), AMQPValue::LongString(id.into()));
    headers.insert("postroom-replay-count".into(), AMQPValue::LongLongInt(1));
    delivery.properties.clone().with_headers(headers)
}

/// Publishes every message to another queue, with these properties, and acknowledges those of a batch once all of it is
/// confirmed and routed.
async fn replay(
    url: &str,
    from: &str,
    to: &str,
    count: u64,
    properties: impl Fn(&Delivery) -> BasicProperties,
) -> lapin::Result<()> {
    let (source, channel) = connect(url).await?;
    let (target, publisher) = connect(url).await?;
    publisher.confirm_select(ConfirmSelectOptions::default()).await?;
    let mut consumer = consume(&channel, from, 2000).await?;
    let mut waiting: VecDeque<(u64, Vec<PublisherConfirm>)> = VecDeque::new();
    let mut left = count;
    while left > 0 {
        let mut confirms = Vec::new();
        let mut last = 0;
        let mut batch = left.min(BATCH);
        left -= batch;
        while batch > 0 {
            let mut group: Vec<Delivery> = Vec::with_capacity(GROUP);
            while group.len() < GROUP && batch > 0 {
                group.push(consumer.next().await.expect("the consumer lives")?);
                batch -= 1;
            }
            last = group.last().map_or(last, |delivery| delivery.delivery_tag);
            let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
            let sent = group.iter().map(|delivery| {
                publisher.basic_publish("".into(), to.into(), mandatory, &delivery.data, properties(delivery))
            });
            for confirm in join_all(sent).await {
                confirms.push(confirm?);
            }
        }
        waiting.push_back((last, confirms));
        if waiting.len() > IN_FLIGHT {
            settle(&channel, waiting.pop_front()).await?;
        }
    }
    while !waiting.is_empty() {
        settle(&channel, waiting.pop_front()).await?;
    }
    sync(&channel, from).await?;
    target.close(200, "done".into()).await?;
    source.close(200, "done".into()).await
}

async fn settle(channel: &Channel, batch: Option<(u64, Vec<PublisherConfirm>)>) -> lapin::Result<()> {
    let Some((last, confirms)) = batch else { return Ok(()) };
    for confirm in confirms {
        assert_eq!(confirm.await?, Confirmation::Ack(None), "confirmed and routed");
    }
    channel.basic_ack(last, BasicAckOptions { multiple: true }).await
}

/// Looks at the first messages and gives them back.
async fn peek(url: &str, queue: &str, count: u16) -> lapin::Result<()> {
    let (connection, channel) = connect(url).await?;
    let mut consumer = consume(&channel, queue, count).await?;
    for _ in 0..count {
        consumer.next().await.expect("the consumer lives")?;
    }
    channel.basic_cancel("bare".into(), BasicCancelOptions::default()).await?;
    channel.basic_nack(0, BasicNackOptions { multiple: true, requeue: true }).await?;
    sync(&channel, queue).await?;
    connection.close(200, "done".into()).await
}
