//! The yardstick: what a careful person writes with the client library alone, fast and without losing a record, but
//! without plan, journal or checks; and the topics that the jobs are done on.

use std::io::{BufWriter, Write};
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{BorrowedMessage, Headers, Message, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

pub(crate) const PARTITIONS: i32 = 4;
const PATIENCE: Duration = Duration::from_mins(1);

/// Does a job: its hosts, its name, and what it needs.
pub(crate) fn run(arguments: &[&str]) {
    match arguments {
        [hosts, "scan", topic, word] => scan(hosts, topic, word),
        [hosts, "newest", topic, count] => newest(hosts, topic, count.parse().unwrap()),
        [hosts, "pipe", from, to] => pipe(hosts, from, to),
        _ => panic!("no such job: {arguments:?}"),
    }
}

fn config(hosts: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", hosts).set("broker.address.family", "v4");
    config
}

/// A consumer of all partitions that never joins its group.
fn consumer(hosts: &str, topic: &str, from: Offset) -> BaseConsumer {
    let mut config = config(hosts);
    config.set("group.id", "bench").set("enable.auto.commit", "false").set("enable.auto.offset.store", "false");
    config.set("enable.partition.eof", "true").set("fetch.wait.max.ms", "10").set("fetch.queue.backoff.ms", "10");
    let consumer: BaseConsumer = config.create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        list.add_partition_offset(topic, partition, from).unwrap();
    }
    consumer.assign(&list).unwrap();
    consumer
}

/// Hands over every record up to the end of each partition.
fn each(consumer: &BaseConsumer, mut take: impl FnMut(&BorrowedMessage<'_>)) {
    let mut ended = 0;
    while ended < PARTITIONS {
        match consumer.poll(PATIENCE).expect("an answer in time") {
            Ok(record) => take(&record),
            Err(KafkaError::PartitionEOF(_)) => ended += 1,
            Err(error) => panic!("{error}"),
        }
    }
}

fn scan(hosts: &str, topic: &str, word: &str) {
    let finder = memchr::memmem::Finder::new(word);
    let mut out = BufWriter::new(std::io::stdout().lock());
    each(&consumer(hosts, topic, Offset::Beginning), |record| {
        let payload = record.payload().unwrap_or_default();
        if finder.find(payload).is_some() {
            out.write_all(payload).unwrap();
            out.write_all(b"\n").unwrap();
        }
    });
}

fn newest(hosts: &str, topic: &str, count: i64) {
    let mut out = BufWriter::new(std::io::stdout().lock());
    each(&consumer(hosts, topic, Offset::OffsetTail(count)), |record| {
        out.write_all(record.payload().unwrap_or_default()).unwrap();
        out.write_all(b"\n").unwrap();
    });
}

fn producer(hosts: &str) -> ThreadedProducer<DefaultProducerContext> {
    let mut config = config(hosts);
    config.set("enable.idempotence", "true").set("acks", "all").set("partitioner", "murmur2_random");
    config.set("queue.buffering.max.kbytes", "65536").set("linger.ms", "5").create().unwrap()
}

fn pipe(hosts: &str, from: &str, to: &str) {
    let producer = producer(hosts);
    each(&consumer(hosts, from, Offset::Beginning), |raw| {
        let mut headers = OwnedHeaders::new();
        for header in raw.headers().into_iter().flat_map(Headers::iter) {
            headers = headers.insert(header);
        }
        let mut record = BaseRecord::<[u8], [u8]>::to(to).headers(headers);
        record.key = raw.key();
        record.payload = raw.payload();
        record.timestamp = raw.timestamp().to_millis();
        while let Err((error, again)) = producer.send(record) {
            assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
            std::thread::sleep(Duration::from_millis(1));
            record = again;
        }
    });
    producer.flush(PATIENCE).unwrap();
    assert_eq!(producer.in_flight_count(), 0);
}

/// Makes a topic with so many dead letters in it; one in a thousand has the word.
pub(crate) fn fill(hosts: &str, name: &str, count: u64) -> String {
    let topic = format!("{name}.{}", std::process::id());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let admin: AdminClient<DefaultClientContext> = config(hosts).create().unwrap();
    let new = NewTopic::new(&topic, PARTITIONS, TopicReplication::Fixed(1));
    runtime.block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap().remove(0).unwrap();
    let asking: BaseConsumer = config(hosts).create().unwrap();
    while (0..PARTITIONS).any(|partition| asking.fetch_watermarks(&topic, partition, PATIENCE).is_err()) {
        std::thread::sleep(Duration::from_millis(50));
    }
    let producer: BaseProducer = config(hosts).set("enable.idempotence", "true").create().unwrap();
    let filler = "lorem ipsum dolor sit amet consectetur adipiscing elit ".repeat(12);
    for n in 0..count {
        let word = if n % 1000 == 0 { super::WORD } else { "haystack" };
        let (key, body) = (format!("order-{n}"), format!(r#"{{"order_id":{n},"word":"{word}","note":"{filler}"}}"#));
        let header = |key, value| rdkafka::message::Header { key, value: Some(value) };
        let headers = OwnedHeaders::new()
            .insert(header(
                "kafka_dlt-exception-fqcn",
                "org.springframework.kafka.listener.ListenerExecutionFailedException",
            ))
            .insert(header("kafka_dlt-exception-message", "Listener failed; could not execute statement"))
            .insert(header("kafka_dlt-original-topic", "orders"));
        let mut record = BaseRecord::to(&topic).key(&key).payload(&body).headers(headers);
        while let Err((error, again)) = producer.send(record) {
            assert!(matches!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull)), "{error}");
            producer.poll(Duration::from_millis(5));
            record = again;
        }
    }
    producer.flush(PATIENCE).unwrap();
    assert_eq!(self::count(hosts, &topic), count);
    topic
}

/// How many records are there.
pub(crate) fn count(hosts: &str, topic: &str) -> u64 {
    let consumer: BaseConsumer = config(hosts).create().unwrap();
    let of = |partition| {
        let (low, high) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        u64::try_from(high - low).unwrap()
    };
    (0..PARTITIONS).map(of).sum()
}
