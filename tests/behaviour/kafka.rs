//! What only Kafka does: consumer groups and their offsets, transactions, several partitions, logins. On the server whose
//! URLs are set; the common promises are in `cases`.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use libtest_mimic::Trial;
use postroom::ErrorKind;
use postroom::broker::{
    Broker, BrokerUrl, BrowseOptions, Connect, End, Extent, From, Settle, TakeOptions, Target, Tls, open,
};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use crate::fixtures::unique;
use crate::own_trial;
use crate::world::{payloads, read};

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// How far clocks may be apart, and times are cut.
const LATE: SignedDuration = SignedDuration::from_secs(2);

/// The server under test.
#[derive(Clone)]
struct Server {
    url: String,
}

/// Every test, where the server is there.
pub(crate) fn trials() -> Vec<Trial> {
    let tests = own_tests![
        a_look_leaves_no_group_behind,
        a_groups_place_is_told_and_moved_only_while_nobody_is_in_it,
        aborted_and_open_transactions_neither_hang_nor_count,
        the_newest_of_several_partitions_are_the_newest_of_all,
        a_take_removes_the_front_of_each_partition_and_no_arrivals,
        a_compacted_topic_gives_nothing_up,
        a_wrong_login_has_one_clear_error,
        a_login_by_token_reaches_everything_that_the_program_does,
        a_login_by_token_is_renewed_for_as_long_as_a_read_lasts,
        records_go_to_the_partition_that_is_asked_for,
        a_replay_goes_back_into_the_partitions_where_its_records_died,
        a_record_keeps_its_time_unless_it_would_be_gone_at_once,
        dead_letters_are_paired_by_what_they_say_of_themselves,
        nobody_there_is_told_in_time,
    ];
    let Some(url) = std::env::var("POSTROOM_KAFKA_URL").ok().filter(|url| !url.is_empty()) else { return Vec::new() };
    let trial = |(name, run)| own_trial(format!("kafka::{name}"), run, Server { url: url.clone() });
    tests.into_iter().map(trial).collect()
}

async fn connect(url: &str, tls: Tls, options: &[(&str, &str)]) -> Arc<dyn Broker> {
    let options =
        options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
    open(&Connect { url: BrokerUrl::parse(url).unwrap(), tls, options }).await.unwrap()
}

impl Server {
    fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.url.trim_start_matches("kafka://"));
        config
    }

    async fn broker(&self) -> Arc<dyn Broker> {
        connect(&self.url, Tls::default(), &[]).await
    }

    async fn topic(&self, partitions: i32, settings: &[(&str, &str)]) -> String {
        let name = unique();
        let admin: AdminClient<DefaultClientContext> = self.config().create().unwrap();
        let mut topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1));
        for (key, value) in settings {
            topic = topic.set(key, value);
        }
        let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
        admin.create_topics([&topic], &options).await.unwrap().remove(0).unwrap();
        let broker = self.broker().await;
        assert!(crate::world::until(async || broker.describe(&name).await.is_ok()).await);
        name
    }

    /// One record after the other, so that their times ascend.
    async fn fill(&self, topic: &str, records: &[(i32, &str)]) {
        let producer: FutureProducer = self.config().create().unwrap();
        for (index, (partition, body)) in records.iter().enumerate() {
            let time = 1_700_000_000_000_i64 + i64::try_from(index).unwrap();
            let time = time.max(jiff::Timestamp::now().as_millisecond() - 1000 + i64::try_from(index).unwrap());
            let record = FutureRecord::<[u8], str>::to(topic).payload(*body).partition(*partition).timestamp(time);
            producer.send(record, PATIENCE).await.map_err(|(error, _)| error).unwrap();
        }
    }

    fn commit(&self, topic: &str, group: &str, places: &[(i32, i64)]) {
        let consumer: BaseConsumer = self.config().set("group.id", group).create().unwrap();
        let mut list = TopicPartitionList::new();
        for (partition, offset) in places {
            list.add_partition_offset(topic, *partition, Offset::Offset(*offset)).unwrap();
        }
        consumer.commit(&list, CommitMode::Sync).unwrap();
    }

    fn groups(&self) -> Vec<String> {
        let consumer: BaseConsumer = self.config().create().unwrap();
        let list = consumer.client().fetch_group_list(None, PATIENCE).unwrap();
        list.groups().iter().map(|group| group.name().to_owned()).collect()
    }
}

async fn look(broker: &dyn Broker, topic: &str, options: BrowseOptions) -> (Vec<Message>, End) {
    let mut reader = broker.browse(topic, options).await.unwrap();
    let found = read(reader.as_mut()).await;
    reader.close().await.unwrap();
    (found.messages, found.end)
}

async fn a_look_leaves_no_group_behind(server: Server) {
    let topic = server.topic(2, &[]).await;
    server.fill(&topic, &[(0, "a"), (1, "b")]).await;
    let name = format!("look-{topic}");
    let broker = connect(&server.url, Tls::default(), &[("group.id", &name)]).await;
    for _ in 0..3 {
        assert_eq!(payloads(&look(&*broker, &topic, BrowseOptions::default()).await.0), ["a", "b"]);
    }
    assert!(!server.groups().contains(&name));
}

async fn a_groups_place_is_told_and_moved_only_while_nobody_is_in_it(server: Server) {
    let topic = server.topic(2, &[]).await;
    server.fill(&topic, &[(0, "a"), (0, "b"), (0, "c"), (1, "d")]).await;
    let broker = server.broker().await;
    assert_eq!(broker.groups(&topic).await.unwrap().groups, []);
    let name = format!("workers-{topic}");
    server.commit(&topic, &name, &[(0, 1)]);
    let groups = broker.groups(&topic).await.unwrap().groups;
    let [group] = groups.as_slice() else { panic!("{groups:?}") };
    assert_eq!((group.name.as_str(), group.kind.as_str(), group.state.as_str()), (name.as_str(), "classic", "Empty"));
    assert_eq!((group.live, group.members, group.lag()), (false, 0, 2));
    assert_eq!(group.places.iter().map(|place| place.committed).collect::<Vec<_>>(), [Some(1), None]);
    assert_eq!(broker.offsets(&topic, From::Last(1)).await.unwrap(), [(0, 2), (1, 0)]);
    broker.set_offsets(&topic, &name, &[(0, 3), (1, 0)]).await.unwrap();
    let places = broker.groups(&topic).await.unwrap().groups.remove(0).places;
    assert_eq!(places.iter().map(|place| place.committed).collect::<Vec<_>>(), [Some(3), Some(0)]);
    // Members of either protocol keep anybody else from moving it.
    for protocol in ["classic", "consumer"] {
        let name = format!("{protocol}-{topic}");
        let mut config = server.config();
        config.set("group.id", &name).set("group.protocol", protocol).set("auto.offset.reset", "earliest");
        let consumer: BaseConsumer = config.create().unwrap();
        consumer.subscribe(&[&topic]).unwrap();
        let end = Instant::now() + PATIENCE;
        while consumer.poll(Duration::from_millis(200)).is_none() {
            assert!(Instant::now() < end, "{protocol}: nothing was consumed");
        }
        consumer.commit_consumer_state(CommitMode::Sync).unwrap();
        let error = broker.set_offsets(&topic, &name, &[(0, 0)]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{protocol}: {error:?}");
        let groups = broker.groups(&topic).await.unwrap().groups;
        let group = groups.iter().find(|group| group.name == name).unwrap();
        assert_eq!((group.kind.as_str(), group.state.as_str(), group.members), (protocol, "Stable", 1));
        assert!(group.live && group.places.iter().any(|place| place.committed.is_some()), "{group:?}");
    }
}

async fn aborted_and_open_transactions_neither_hang_nor_count(server: Server) {
    let topic = server.topic(1, &[]).await;
    let producer = |id: &str| -> FutureProducer {
        let producer: FutureProducer =
            server.config().set("transactional.id", format!("{id}-{topic}")).create().unwrap();
        producer.init_transactions(PATIENCE).unwrap();
        producer.begin_transaction().unwrap();
        producer
    };
    let send = async |producer: &FutureProducer, body: &str| {
        let record = FutureRecord::<[u8], str>::to(&topic).payload(body);
        producer.send(record, PATIENCE).await.map_err(|(error, _)| error).unwrap();
    };
    let first = producer("first");
    send(&first, "a").await;
    first.commit_transaction(PATIENCE).unwrap();
    first.begin_transaction().unwrap();
    send(&first, "aborted").await;
    first.abort_transaction(PATIENCE).unwrap();
    server.fill(&topic, &[(0, "b")]).await;
    let broker = server.broker().await;
    let (found, end) = look(&*broker, &topic, BrowseOptions::default()).await;
    assert_eq!((payloads(&found), end), (vec!["a".to_owned(), "b".to_owned()], End::Exhausted));
    let open = producer("open");
    send(&open, "open").await;
    server.fill(&topic, &[(0, "behind the open one")]).await;
    let (found, end) = look(&*broker, &topic, BrowseOptions::default()).await;
    assert_eq!((payloads(&found), end), (vec!["a".to_owned(), "b".to_owned()], End::Exhausted));
    open.abort_transaction(PATIENCE).unwrap();
}

async fn the_newest_of_several_partitions_are_the_newest_of_all(server: Server) {
    let topic = server.topic(3, &[]).await;
    server.fill(&topic, &[(0, "a"), (1, "b"), (2, "c"), (0, "d"), (0, "e"), (1, "f")]).await;
    let broker = server.broker().await;
    let options = BrowseOptions { from: From::Last(3), limit: Some(3), ..BrowseOptions::default() };
    assert_eq!(payloads(&look(&*broker, &topic, options).await.0), ["d", "e", "f"]);
    let within = vec![Extent { partition: Some(0), first: 1, end: 2 }];
    let options = BrowseOptions { within, ..BrowseOptions::default() };
    assert_eq!(payloads(&look(&*broker, &topic, options).await.0), ["d"]);
}

async fn a_take_removes_the_front_of_each_partition_and_no_arrivals(server: Server) {
    let topic = server.topic(2, &[]).await;
    server.fill(&topic, &[(0, "a"), (0, "b"), (1, "c"), (0, "d"), (1, "e")]).await;
    let broker = server.broker().await;
    let within = broker.log(&topic).await.unwrap().unwrap().extents;
    let mut reader = broker.take(&topic, TakeOptions { within, ..TakeOptions::default() }).await.unwrap();
    server.fill(&topic, &[(1, "later")]).await;
    let found = read(reader.as_mut()).await;
    assert_eq!(payloads(&found.messages), ["a", "b", "c", "d", "e"]);
    // b stays, and so does d behind it.
    let tokens: Vec<_> = [0, 2, 3, 4].into_iter().map(|index| found.tokens[index]).collect();
    let results = reader.settle(&tokens, Settle::Remove).await;
    let kinds: Vec<_> = results.into_iter().map(|result| result.map_err(|error| error.kind())).collect();
    assert_eq!(kinds, [Ok(()), Ok(()), Err(ErrorKind::Rejected), Ok(())]);
    reader.close().await.unwrap();
    let mut left = payloads(&look(&*broker, &topic, BrowseOptions::default()).await.0);
    left.sort();
    assert_eq!(left, ["b", "d", "later"]);
}

async fn a_compacted_topic_gives_nothing_up(server: Server) {
    let topic = server.topic(1, &[("cleanup.policy", "compact")]).await;
    let broker = server.broker().await;
    let error = broker.take(&topic, TakeOptions::default()).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("compact"), "{error}");
}

/// Users, passwords and the authority are those of the server that the tests start.
async fn a_wrong_login_has_one_clear_error(server: Server) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(url), Some(ca)) = (variable("POSTROOM_KAFKA_SASL_URL"), variable("POSTROOM_KAFKA_TLS_CA")) else {
        return;
    };
    let topic = server.topic(1, &[]).await;
    let tls = Tls { ca: Some(ca.clone().into()), ..Tls::default() };
    for mechanism in ["SCRAM-SHA-256", "PLAIN"] {
        let login = |login: &str| url.replace("kafka://", &format!("kafka://{login}@"));
        let options = [("sasl.mechanism", mechanism)];
        let broker = connect(&login("alice:alice-secret"), tls.clone(), &options).await;
        assert!(broker.describe(&topic).await.is_ok(), "{mechanism}");
        let began = Instant::now();
        let broker = connect(&login("alice:wrong"), tls.clone(), &options).await;
        let error = broker.describe(&topic).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{mechanism}: {error:?}");
        assert!(began.elapsed() < Duration::from_secs(15) && !format!("{error:?}").contains("wrong"));
        // bob may log in, and nothing else.
        let broker = connect(&login("bob:bob-secret"), tls.clone(), &options).await;
        let error = broker.describe(&topic).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound), "{mechanism}: {error:?}");
    }
    // Without the authority the certificate is not believed.
    let broker = connect(&url.replace("kafka://", "kafka://alice:alice-secret@"), Tls::default(), &[]).await;
    assert_eq!(broker.describe(&topic).await.unwrap_err().kind(), ErrorKind::Unreachable);
    let (Some(url), Some(cert), Some(key)) =
        (variable("POSTROOM_KAFKA_TLS_URL"), variable("POSTROOM_KAFKA_TLS_CERT"), variable("POSTROOM_KAFKA_TLS_KEY"))
    else {
        return;
    };
    let tls = Tls { ca: Some(ca.into()), cert: Some(cert.into()), key: Some(key.into()) };
    assert!(connect(&url, tls, &[]).await.describe(&topic).await.is_ok());
}

/// The server believes unsigned tokens.
async fn a_login_by_token_reaches_everything_that_the_program_does(server: Server) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(url), Some(ca)) = (variable("POSTROOM_KAFKA_SASL_URL"), variable("POSTROOM_KAFKA_TLS_CA")) else {
        return;
    };
    let topic = server.topic(1, &[]).await;
    server.fill(&topic, &[(0, "a"), (0, "b")]).await;
    server.commit(&topic, &format!("workers-{topic}"), &[(0, 1)]);
    let tls = Tls { ca: Some(ca.into()), ..Tls::default() };
    let now = jiff::Timestamp::now().as_second();
    let login = async |token: String| {
        let url = url.replace("kafka://", &format!("kafka://:{token}@"));
        connect(&url, tls.clone(), &[("sasl.mechanism", "OAUTHBEARER")]).await
    };
    let broker = login(token("alice", now + 600)).await;
    let info = broker.describe(&topic).await.unwrap();
    assert!(info.notes.is_empty() && info.details.iter().any(|(name, _)| name == "cleanup.policy"), "{info:?}");
    assert_eq!(payloads(&look(&*broker, &topic, BrowseOptions::default()).await.0), ["a", "b"]);
    assert_eq!(broker.groups(&topic).await.unwrap().groups.len(), 1);
    let publisher = broker.publisher(&Target::queue(&topic)).await.unwrap();
    let message = Message { payload: Some("c".into()), ..Message::default() };
    assert!(publisher.publish(&[message]).await.remove(0).is_ok());
    publisher.close().await.unwrap();
    let mut reader = broker.take(&topic, TakeOptions { limit: Some(1), ..TakeOptions::default() }).await.unwrap();
    let held = read(reader.as_mut()).await;
    assert!(reader.settle(&held.tokens, Settle::Remove).await.into_iter().all(|settled| settled.is_ok()));
    reader.close().await.unwrap();
    assert_eq!(payloads(&look(&*broker, &topic, BrowseOptions::default()).await.0), ["b", "c"]);
    // bob may log in, and nothing else; an old token is refused before anybody is asked.
    let error = login(token("bob", now + 600)).await.describe(&topic).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Denied | ErrorKind::NotFound), "{error:?}");
    let error = login(token("alice", now - 1)).await.describe(&topic).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
}

/// A token that nobody signed.
fn token(subject: &str, ends: i64) -> String {
    let part = |text: String| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"sub":"{subject}","iat":{},"exp":{ends}}}"#, jiff::Timestamp::now().as_second() - 10);
    format!("{}.{}.", part(r#"{"alg":"none"}"#.to_owned()), part(claims))
}

/// An identity provider, whose tokens hold for so many seconds. Its endpoint, and how many it gave.
fn identity_provider(holds: i64) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/token", listener.local_addr().unwrap());
    let given = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&given);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut asked, mut buffer) = (String::new(), [0; 4096]);
            while !asked.contains("client_credentials") {
                match stream.read(&mut buffer) {
                    Ok(read @ 1..) => asked += &String::from_utf8_lossy(&buffer[..read]),
                    _ => break,
                }
            }
            let token = token("alice", jiff::Timestamp::now().as_second() + holds);
            let body = format!(r#"{{"access_token":"{token}","expires_in":{holds},"token_type":"Bearer"}}"#);
            let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            _ = stream.write_all(format!("{head}{body}").as_bytes());
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (endpoint, given)
}

/// The server ends a connection whose token has ended, so a read that lasts longer needs new ones.
async fn a_login_by_token_is_renewed_for_as_long_as_a_read_lasts(server: Server) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let (Some(url), Some(ca)) = (variable("POSTROOM_KAFKA_SASL_URL"), variable("POSTROOM_KAFKA_TLS_CA")) else {
        return;
    };
    let topic = server.topic(1, &[]).await;
    let (endpoint, given) = identity_provider(13);
    let options = [
        ("sasl.mechanism", "OAUTHBEARER"),
        ("sasl.oauthbearer.method", "oidc"),
        ("sasl.oauthbearer.client.id", "on-call"),
        ("sasl.oauthbearer.client.secret", "geheim"),
        ("sasl.oauthbearer.token.endpoint.url", &endpoint),
    ];
    let broker = connect(&url, Tls { ca: Some(ca.into()), ..Tls::default() }, &options).await;
    let mut reader = broker.browse(&topic, BrowseOptions { follow: true, ..BrowseOptions::default() }).await.unwrap();
    let mut found = Vec::new();
    // The first token has ended by the time of the third.
    for (tokens, body) in [(1, "a"), (3, "b")] {
        let end = Instant::now() + 2 * PATIENCE;
        while given.load(Ordering::SeqCst) < tokens {
            assert!(Instant::now() < end, "no new token");
            if let Ok(batch) = tokio::time::timeout(Duration::from_millis(200), reader.next_batch(10)).await {
                assert_eq!(batch.unwrap().end, None);
            }
        }
        server.fill(&topic, &[(0, body)]).await;
        let batch = tokio::time::timeout(PATIENCE, reader.next_batch(10)).await.expect("it reads on").unwrap();
        found.extend(batch.deliveries.into_iter().map(|delivery| delivery.message));
    }
    assert_eq!(payloads(&found), ["a", "b"]);
    reader.close().await.unwrap();
}

async fn records_go_to_the_partition_that_is_asked_for(server: Server) {
    let topic = server.topic(3, &[]).await;
    let broker = server.broker().await;
    for partition in [2, 0, 1] {
        let target = Target::Queue { name: topic.clone(), partition: Some(partition) };
        let publisher = broker.publisher(&target).await.unwrap();
        let message = Message { key: Some("the same".into()), payload: Some("x".into()), ..Message::default() };
        let receipt = publisher.publish(&[message]).await.remove(0).unwrap();
        assert_eq!(receipt.position.unwrap().partition, Some(partition));
        publisher.close().await.unwrap();
    }
    let target = Target::Queue { name: topic, partition: Some(3) };
    assert_eq!(broker.publisher(&target).await.err().unwrap().kind(), ErrorKind::NotFound);
}

/// By Spring's binary headers and by others' text, and not by the key, which all of them share.
async fn a_replay_goes_back_into_the_partitions_where_its_records_died(server: Server) {
    let (source, dead) = (server.topic(3, &[]).await, server.topic(1, &[]).await);
    let producer: FutureProducer = server.config().create().unwrap();
    for (offset, (name, partition)) in
        [("spring", 2_i32), ("spring", 0), ("spring", 2), ("spring", 1), ("connect", 1), ("smallrye", 0)]
            .into_iter()
            .enumerate()
    {
        let (binary, text) = ((partition.to_be_bytes(), (offset as u64).to_be_bytes()), partition.to_string());
        let headers: [(&str, &[u8]); 3] = match name {
            "spring" => [
                ("kafka_dlt-original-topic", source.as_bytes()),
                ("kafka_dlt-original-partition", &binary.0),
                ("kafka_dlt-original-offset", &binary.1),
            ],
            "connect" => [
                ("__connect.errors.topic", source.as_bytes()),
                ("__connect.errors.partition", text.as_bytes()),
                ("__connect.errors.exception.class.name", b"a.B"),
            ],
            _ => [
                ("dead-letter-topic", source.as_bytes()),
                ("dead-letter-partition", text.as_bytes()),
                ("dead-letter-reason", b"no"),
            ],
        };
        let add = |all: OwnedHeaders, (key, value)| all.insert(Header { key, value: Some(value) });
        let headers = headers.into_iter().fold(OwnedHeaders::new(), add);
        let body = format!("{partition}-{offset}");
        let record = FutureRecord::to(&dead).key("the same").payload(&body).headers(headers);
        producer.send(record, PATIENCE).await.map_err(|(error, _)| error).unwrap();
    }
    let broker = server.broker().await;
    let place = |topic: &str| Place {
        address: format!("{}/{topic}", server.url).parse().unwrap(),
        broker: Arc::clone(&broker),
        policy: Policy::default(),
    };
    let folder = tempfile::tempdir().unwrap();
    let journals = Journals::at(folder.path().join("journal"));
    let control = Control::new();
    let request = ReplayRequest { same_partition: true, ..ReplayRequest::all(place(&dead), ReplayTo::Origin) };
    let prepared = replay::plan(request, &control).await.unwrap();
    let report = replay::run(prepared, &journals, &control).await.unwrap();
    assert_eq!((report.done, report.failed, report.ambiguous), (6, 0, 0), "{report:#?}");
    for (partition, bodies) in [(0, ["0-1", "0-5"]), (1, ["1-3", "1-4"]), (2, ["2-0", "2-2"])] {
        let options = BrowseOptions { partition: Some(partition), ..BrowseOptions::default() };
        assert_eq!(payloads(&look(&*broker, &source, options).await.0), bodies, "partition {partition}");
    }
    // One that has no such partition is not sent anywhere else.
    let (fewer, control) = (server.topic(2, &[]).await, Control::new());
    let to = ReplayTo::Place(Box::new(place(&fewer)));
    let request = ReplayRequest { same_partition: true, again: true, ..ReplayRequest::all(place(&dead), to) };
    let prepared = replay::plan(request, &control).await.unwrap();
    let left: Vec<_> = prepared.plan.skipped.iter().map(|skipped| skipped.why.clone()).collect();
    assert!(left.len() == 2 && left.iter().all(|why| why.contains("partition 2")), "{left:?}");
    let report = replay::run(prepared, &journals, &control).await.unwrap();
    assert_eq!((report.planned, report.done), (4, 4), "{report:#?}");
    assert_eq!(look(&*broker, &fewer, BrowseOptions::default()).await.0.len(), 4);
}

async fn a_record_keeps_its_time_unless_it_would_be_gone_at_once(server: Server) {
    let began = jiff::Timestamp::now();
    let ago =
        |hours| jiff::Timestamp::from_millisecond(began.as_millisecond()).unwrap() - SignedDuration::from_hours(hours);
    let broker = server.broker().await;
    let hour = ("retention.ms", "7200000");
    for (settings, kept, told) in [
        (vec![("retention.ms", "-1")], [true, true], "records keep theirs"),
        (vec![hour], [true, false], "older than the topic's retention (2h)"),
        (vec![hour, ("message.timestamp.type", "LogAppendTime")], [false, false], "LogAppendTime"),
    ] {
        let topic = server.topic(1, &settings).await;
        let publisher = broker.publisher(&Target::queue(&topic)).await.unwrap();
        assert!(publisher.times().unwrap().contains(told), "{:?}", publisher.times());
        let times = [ago(1), ago(3)];
        let sent = times.map(|time| Message { payload: Some("x".into()), time: Some(time), ..Message::default() });
        assert!(publisher.publish(&sent).await.into_iter().all(|result| result.is_ok()));
        publisher.close().await.unwrap();
        let found = look(&*broker, &topic, BrowseOptions::default()).await.0;
        // Partitions are given in the order of time, a single one in its own.
        for ((message, time), kept) in found.iter().zip(times).zip(kept) {
            assert!(if kept { message.time == Some(time) } else { message.time >= Some(began - LATE) }, "{message:?}");
        }
        assert_eq!(found.len(), 2, "{told}");
    }
}

async fn dead_letters_are_paired_by_what_they_say_of_themselves(server: Server) {
    let (source, dead) = (server.topic(1, &[]).await, server.topic(1, &[]).await);
    // A name that only says what it is.
    let letters = format!("{dead}-failed-jobs");
    let admin: AdminClient<DefaultClientContext> = server.config().create().unwrap();
    let topic = NewTopic::new(&letters, 1, TopicReplication::Fixed(1));
    admin.create_topics([&topic], &AdminOptions::new()).await.unwrap().remove(0).unwrap();
    let broker = server.broker().await;
    assert!(crate::world::until(async || broker.describe(&letters).await.is_ok()).await);
    let producer: FutureProducer = server.config().create().unwrap();
    let headers = OwnedHeaders::new()
        .insert(Header { key: "kafka_dlt-original-topic", value: Some(source.as_str()) })
        .insert(Header { key: "kafka_dlt-exception-fqcn", value: Some("java.lang.IllegalStateException") });
    let record = FutureRecord::<[u8], str>::to(&letters).payload("x").headers(headers);
    producer.send(record, PATIENCE).await.map_err(|(error, _)| error).unwrap();
    let broker = server.broker().await;
    let info = broker.describe(&letters).await.unwrap();
    assert_eq!(info.dead_letter_from, [source]);
    assert!(info.is_dlq && info.oldest.is_some() && info.expiry.is_some() && info.rate_in > Some(0.0), "{info:?}");
}

async fn nobody_there_is_told_in_time(server: Server) {
    let began = Instant::now();
    let broker = connect("kafka://127.0.0.1:1", Tls::default(), &[]).await;
    let error = broker.describe("orders").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    // A name that no topic has is told, and no topic is made by it.
    let (broker, name) = (server.broker().await, unique());
    let error = broker.publisher(&Target::queue(&name)).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(broker.describe(&name).await.unwrap_err().kind(), ErrorKind::NotFound);
}
