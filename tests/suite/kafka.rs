//! Kafka in trouble, on librdkafka's own mock cluster: errors, lost connections and stalls where a real broker has them
//! only by chance. What a real one does is in `tests/behaviour`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postroom::ErrorKind;
use postroom::broker::{Broker, BrokerUrl, BrowseOptions, Connect, End, From, Publisher, Receipt, Target, Tls, open};
use postroom::message::Message;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Fault};

use crate::environment::TestEnvironment;

const TOPIC: &str = "orders.DLT";
/// What nobody waits longer for: an answer or an error that says why there is none.
const PATIENCE: Duration = Duration::from_secs(15);

/// A mock cluster of one broker with a topic of one partition.
struct Trouble {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl Trouble {
    fn new() -> Self {
        let cluster = MockCluster::new(1).unwrap();
        cluster.create_topic(TOPIC, 1, 1).unwrap();
        Self { cluster }
    }

    async fn broker(&self, options: &[(&str, &str)]) -> Arc<dyn Broker> {
        let url = BrokerUrl::parse(&format!("kafka://{}", self.cluster.bootstrap_servers())).unwrap();
        let options: BTreeMap<_, _> =
            options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        open(&Connect { url, tls: Tls::default(), options }).await.unwrap()
    }

    async fn publisher(&self, options: &[(&str, &str)]) -> Arc<dyn Publisher> {
        self.broker(options).await.publisher(&Target::queue(TOPIC)).await.unwrap()
    }

    /// Sends records with the numbers from 0.
    async fn fill(&self, count: usize) {
        let publisher = self.publisher(&[]).await;
        assert!(publisher.publish(&records(count)).await.into_iter().all(|sent| sent.is_ok()));
        publisher.close().await.unwrap();
    }

    fn faults(&self, api: Api, faults: &[Fault]) {
        self.cluster.request_errors(api, faults);
    }
}

fn records(count: usize) -> Vec<Message> {
    let body = |number: usize| Some(bytes::Bytes::from(format!("record {number}")));
    (0..count).map(|number| Message { payload: body(number), ..Message::default() }).collect()
}

/// Everything that a look brings, and how it ended.
async fn look(broker: &dyn Broker, options: BrowseOptions) -> postroom::Result<(Vec<String>, End)> {
    let mut reader = broker.browse(TOPIC, options).await?;
    let mut found = Vec::new();
    loop {
        let batch = reader.next_batch(100).await?;
        let payload = |message: &Message| String::from_utf8(message.payload.clone().unwrap().to_vec()).unwrap();
        found.extend(batch.deliveries.iter().map(|delivery| payload(&delivery.message)));
        if let Some(end) = batch.end {
            reader.close().await?;
            return Ok((found, end));
        }
    }
}

fn kinds(sent: Vec<postroom::Result<Receipt>>) -> Vec<Result<(), ErrorKind>> {
    sent.into_iter().map(|sent| sent.map(|_| ()).map_err(|error| error.kind())).collect()
}

#[tokio::test]
async fn a_read_goes_on_over_passing_errors_and_brings_each_record_once() {
    let trouble = Trouble::new();
    trouble.fill(300).await;
    let broker = trouble.broker(&[]).await;
    trouble.faults(
        Api::Fetch,
        &[
            Fault::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
            Fault::RD_KAFKA_RESP_ERR__TRANSPORT,
            Fault::RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
            Fault::RD_KAFKA_RESP_ERR__TRANSPORT,
        ],
    );
    let (found, end) = look(&*broker, BrowseOptions::default()).await.unwrap();
    let wanted: Vec<String> = (0..300).map(|number| format!("record {number}")).collect();
    assert_eq!((found, end), (wanted, End::Exhausted));
}

#[tokio::test]
async fn a_topic_that_may_not_be_read_is_one_clear_error() {
    let trouble = Trouble::new();
    trouble.fill(3).await;
    let broker = trouble.broker(&[]).await;
    trouble.faults(Api::Fetch, &[Fault::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED; 20]);
    let began = Instant::now();
    let error = look(&*broker, BrowseOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
    assert!(began.elapsed() < PATIENCE && error.hint_text().is_some());
}

#[tokio::test]
async fn an_offset_that_is_not_there_ends_the_read_and_does_not_jump() {
    let trouble = Trouble::new();
    trouble.fill(3).await;
    let broker = trouble.broker(&[]).await;
    for (from, wanted) in [(From::Offset(99), 0), (From::Offset(1), 2), (From::Last(99), 3), (From::End, 0)] {
        let (found, end) = look(&*broker, BrowseOptions { from, ..BrowseOptions::default() }).await.unwrap();
        assert_eq!((found.len(), end), (wanted, End::Exhausted), "{from:?}");
    }
    let error = look(&*broker, BrowseOptions { partition: Some(7), ..BrowseOptions::default() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

/// An address may name one partition, and nothing else of the topic is read or moved then.
#[tokio::test]
async fn an_address_with_a_partition_is_that_partition_alone() {
    let trouble = Trouble::new();
    for topic in ["two", "target"] {
        trouble.cluster.create_topic(topic, 2, 1).unwrap();
    }
    let broker = trouble.broker(&[]).await;
    for (partition, count) in [(0, 3), (1, 5)] {
        let target = Target::Queue { name: "two".to_owned(), partition: Some(partition) };
        let publisher = broker.publisher(&target).await.unwrap();
        assert!(publisher.publish(&records(count)).await.into_iter().all(|sent| sent.is_ok()));
        publisher.close().await.unwrap();
    }
    let hosts = trouble.cluster.bootstrap_servers();
    let (source, target) = (format!("kafka://{hosts}/two?partition=1"), format!("kafka://{hosts}/target"));
    let environment = TestEnvironment::new();
    let seen = environment.run(&["browse", &source, "--all", "-o", "jsonl"]);
    assert_eq!((seen.exit, seen.stdout.lines().count()), (0, 5), "{seen}");
    let planned = environment.run(&["replay", &source, "--to", &target, "--dry-run", "-o", "json"]);
    let plan: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
    assert_eq!((plan["planned"].as_u64(), plan["scanned"].as_u64()), (Some(5), Some(5)), "{planned}");
    let sent = environment.run(&["replay", &source, "--to", &target, "--yes", "-o", "json"]);
    let report: serde_json::Value = serde_json::from_str(&sent.stdout).unwrap();
    assert_eq!((sent.exit, report["done"].as_u64()), (0, Some(5)), "{sent}");
    let missing = format!("kafka://{hosts}/two?partition=7");
    assert_eq!(environment.run(&["browse", &missing]).exit, 1);
    assert_eq!(environment.run(&["replay", &missing, "--to", &target, "--yes"]).exit, 1);
}

#[tokio::test]
async fn a_record_that_the_broker_refuses_is_rejected_and_one_without_an_answer_is_ambiguous() {
    let trouble = Trouble::new();
    let publisher = trouble.publisher(&[("message.timeout.ms", "3000")]).await;
    // What passes is tried again by itself, and is there once: producers are idempotent.
    trouble.faults(Api::Produce, &[Fault::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, Fault::RD_KAFKA_RESP_ERR__TRANSPORT]);
    assert_eq!(kinds(publisher.publish(&records(2)).await), [Ok(()), Ok(())]);
    trouble.faults(Api::Produce, &[Fault::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE]);
    assert_eq!(kinds(publisher.publish(&records(1)).await), [Err(ErrorKind::Rejected)]);
    trouble.cluster.broker_round_trip_time(1, Duration::from_secs(20)).unwrap();
    let began = Instant::now();
    assert_eq!(kinds(publisher.publish(&records(1)).await), [Err(ErrorKind::Ambiguous)]);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    // What could not even be sent is a failure, and no doubt.
    let trouble = Trouble::new();
    let publisher = trouble.publisher(&[("message.timeout.ms", "3000")]).await;
    assert_eq!(kinds(publisher.publish(&records(1)).await), [Ok(())]);
    trouble.cluster.broker_down(1).unwrap();
    assert_eq!(kinds(publisher.publish(&records(2)).await), [Err(ErrorKind::Unreachable); 2]);
}

/// What never left is no doubt, and whoever gets the right later can publish.
#[tokio::test]
async fn a_user_that_may_not_publish_is_one_clear_error() {
    let trouble = Trouble::new();
    let broker = trouble.broker(&[]).await;
    let topic = Target::queue(TOPIC);
    let publisher = broker.publisher(&topic).await.unwrap();
    trouble.faults(Api::InitProducerId, &[Fault::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED]);
    for _ in 0..2 {
        let error = publisher.publish(&records(1)).await.remove(0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error:?}");
        assert!(error.hint_text().unwrap().contains("Write on the topic"), "{error:?}");
    }
    let later = broker.publisher(&topic).await.unwrap();
    assert_eq!(kinds(later.publish(&records(1)).await), [Ok(())]);
    trouble.faults(Api::Produce, &[Fault::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED]);
    assert_eq!(kinds(later.publish(&records(2)).await), [Err(ErrorKind::Denied); 2]);
    for publisher in [publisher, later] {
        publisher.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_cluster_that_goes_away_in_the_middle_ends_the_read_with_an_error_in_time() {
    let trouble = Trouble::new();
    trouble.fill(50).await;
    let broker = trouble.broker(&[]).await;
    // To follow is to have more to read, whenever it comes.
    let mut reader = broker.browse(TOPIC, BrowseOptions { follow: true, ..BrowseOptions::default() }).await.unwrap();
    let first = reader.next_batch(10).await.unwrap();
    assert!(!first.deliveries.is_empty());
    trouble.cluster.broker_down(1).unwrap();
    let began = Instant::now();
    let error = loop {
        match reader.next_batch(100).await {
            Ok(batch) => assert_eq!(batch.end, None, "a lost connection is not the end of the topic"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Unreachable, "{error:?}");
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    let began = Instant::now();
    reader.close().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(5), "a close waits for nobody: {:?}", began.elapsed());
}

#[tokio::test]
async fn a_read_goes_on_where_it_was_when_the_broker_comes_back() {
    let trouble = Trouble::new();
    trouble.fill(50).await;
    let broker = trouble.broker(&[]).await;
    let mut reader = broker.browse(TOPIC, BrowseOptions { follow: true, ..BrowseOptions::default() }).await.unwrap();
    let mut found = 0;
    while found < 50 {
        found += reader.next_batch(100).await.unwrap().deliveries.len();
    }
    trouble.cluster.broker_down(1).unwrap();
    trouble.cluster.broker_up(1).unwrap();
    trouble.fill(5).await;
    let mut later = Vec::new();
    while later.len() < 5 {
        let batch = tokio::time::timeout(PATIENCE * 2, reader.next_batch(100)).await.expect("it goes on").unwrap();
        later.extend(batch.deliveries.into_iter().map(|delivery| delivery.message.position.unwrap().offset));
    }
    assert_eq!(later, [50, 51, 52, 53, 54]);
    reader.close().await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_leader_costs_no_record_and_doubles_none() {
    let cluster = MockCluster::new(3).unwrap();
    cluster.create_topic(TOPIC, 1, 3).unwrap();
    cluster.partition_leader(TOPIC, 0, Some(1)).unwrap();
    let trouble = Trouble { cluster };
    let broker = trouble.broker(&[]).await;
    let publisher = broker.publisher(&Target::queue(TOPIC)).await.unwrap();
    let mut reader = broker.browse(TOPIC, BrowseOptions { follow: true, ..BrowseOptions::default() }).await.unwrap();
    let mut seen = Vec::new();
    for (round, leader) in [2, 3, 1].into_iter().enumerate() {
        let sent = publisher.publish(&records(20)).await;
        assert_eq!(kinds(sent), [Ok(()); 20], "round {round}");
        while seen.len() < (round + 1) * 20 {
            let batch = tokio::time::timeout(PATIENCE * 2, reader.next_batch(100)).await.expect("it goes on").unwrap();
            seen.extend(batch.deliveries.into_iter().map(|delivery| delivery.message.position.unwrap().offset));
        }
        trouble.cluster.partition_leader(TOPIC, 0, Some(leader)).unwrap();
    }
    assert_eq!(seen, (0..60).collect::<Vec<u64>>());
    publisher.close().await.unwrap();
    reader.close().await.unwrap();
}

#[tokio::test]
async fn a_broker_that_stalls_is_told_in_time() {
    let trouble = Trouble::new();
    trouble.fill(3).await;
    let broker = trouble.broker(&[]).await;
    trouble.cluster.broker_round_trip_time(1, Duration::from_mins(5)).unwrap();
    let began = Instant::now();
    let error = broker.describe(TOPIC).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Unreachable | ErrorKind::Timeout), "{error:?}");
    assert!(began.elapsed() < PATIENCE + Duration::from_secs(2), "{:?}", began.elapsed());
}
