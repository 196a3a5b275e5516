//! What only RabbitMQ does: delivery limits that travel, locked queues, wrong logins, TLS, a connection that is cut in
//! the middle of things. On every server whose URL is set; the common promises are in `cases`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lapin::options::{
    BasicConsumeOptions, BasicGetOptions, BasicRejectOptions, QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable, ShortString};
use lapin::{Channel, Connection, ConnectionProperties};
use libtest_mimic::Trial;
use postroom::ErrorKind;
use postroom::broker::{Broker, BrokerUrl, BrowseOptions, Connect, End, Settle, TakeOptions, Target, Tls, open};
use postroom::message::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixtures::unique;
use crate::own_trial;
use crate::world::{kind, numbered, payloads, read, until};

/// A server under test.
#[derive(Clone)]
struct Server {
    /// `40` or `43`.
    version: &'static str,
    url: String,
}

/// Every test on every server that is there.
pub(crate) fn trials() -> Vec<Trial> {
    let tests = own_tests![
        a_message_that_died_of_its_delivery_limit_survives_looks_and_can_be_taken,
        a_long_queue_keeps_its_order_over_many_windows,
        locked_queues_are_told_apart_from_missing_ones,
        a_wrong_login_has_one_clear_error,
        without_management_a_quorum_queue_is_only_read_as_copies,
        tls_takes_an_own_authority_and_a_client_certificate,
        a_cut_publish_claims_nothing_that_did_not_arrive,
        a_cut_take_leaves_everything_unsettled_in_the_queue,
    ];
    let servers = [("40", "POSTROOM_RABBITMQ40_URL"), ("43", "POSTROOM_RABBITMQ43_URL")];
    let mut trials = Vec::new();
    for (version, variable) in servers {
        let Some(url) = std::env::var(variable).ok().filter(|url| !url.is_empty()) else { continue };
        for (name, run) in tests {
            let server = Server { version, url: url.clone() };
            trials.push(own_trial(format!("rabbitmq-{version}::{name}"), run, server));
        }
    }
    trials
}

fn long(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn short(text: &str) -> ShortString {
    ShortString::try_new(text).unwrap()
}

fn message(text: impl Into<bytes::Bytes>) -> Message {
    Message { payload: Some(text.into()), ..Message::default() }
}

async fn broker_at(url: &str, tls: Tls) -> postroom::Result<Arc<dyn Broker>> {
    open(&Connect { url: BrokerUrl::parse(url)?, tls, options: BTreeMap::default() }).await
}

impl Server {
    async fn broker(&self) -> Arc<dyn Broker> {
        broker_at(&self.url, Tls::default()).await.unwrap()
    }

    async fn channel(&self) -> (Connection, Channel) {
        let connection =
            Connection::connect(self.url.split('?').next().unwrap(), ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// A queue with more arguments than a fixture's.
    async fn queue(&self, kind: &str, arguments: &[(&str, AMQPValue)]) -> String {
        let name = unique();
        let (_connection, channel) = self.channel().await;
        let mut table = FieldTable::default();
        table.insert(short("x-queue-type"), long(kind));
        for (name, value) in arguments {
            table.insert(short(name), value.clone());
        }
        let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(short(&name), options, table).await.unwrap();
        name
    }

    async fn delete(&self, queue: &str) {
        let (_connection, channel) = self.channel().await;
        channel.queue_delete(short(queue), QueueDeleteOptions::default()).await.unwrap();
    }

    async fn ready(&self, queue: &str) -> u64 {
        let (_connection, channel) = self.channel().await;
        let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        channel.queue_declare(short(queue), options, FieldTable::default()).await.unwrap().message_count().into()
    }

    async fn until_ready(&self, queue: &str, count: u64) {
        let mut ready = 0;
        let waited = until(async || {
            ready = self.ready(queue).await;
            ready == count
        });
        assert!(waited.await, "{queue:?} has {ready} messages ready, not {count}");
    }

    async fn fill(&self, queue: &str, count: usize) {
        let publisher = self.broker().await.publisher(&Target::queue(queue)).await.unwrap();
        let messages: Vec<Message> = numbered(0..count).into_iter().map(message).collect();
        for batch in messages.chunks(1000) {
            for result in publisher.publish(batch).await {
                result.unwrap();
            }
        }
        publisher.close().await.unwrap();
        self.until_ready(queue, count as u64).await;
    }

    /// The same URL with another login, virtual host or port.
    fn url_with(&self, from: &str, to: &str) -> String {
        assert!(self.url.contains(from), "{from} in the URL");
        self.url.replacen(from, to, 1)
    }

    fn port(&self) -> u16 {
        let hosts = BrokerUrl::parse(&self.url).unwrap().hosts;
        hosts.rsplit(':').next().unwrap().parse().unwrap()
    }
}

async fn a_message_that_died_of_its_delivery_limit_survives_looks_and_can_be_taken(server: Server) {
    let dead = server.queue("quorum", &[("x-delivery-limit", AMQPValue::LongLongInt(2))]).await;
    let letters = [("x-dead-letter-exchange", long("")), ("x-dead-letter-routing-key", long(&dead))];
    let source =
        server.queue("quorum", &[&letters[..], &[("x-delivery-limit", AMQPValue::LongLongInt(2))]].concat()).await;
    server.fill(&source, 6).await;
    let (_connection, channel) = server.channel().await;
    let died = until(async || {
        if let Some(got) = channel.basic_get(short(&source), BasicGetOptions::default()).await.unwrap() {
            channel.basic_reject(got.delivery.delivery_tag, BasicRejectOptions { requeue: true }).await.unwrap();
        }
        server.ready(&dead).await == 6
    });
    assert!(died.await);
    let broker = server.broker().await;
    for look in 0..10 {
        let mut reader = broker.browse(&dead, BrowseOptions::default()).await.unwrap();
        let seen = read(&mut *reader).await;
        reader.close().await.unwrap();
        assert!(seen.end == End::Exhausted || seen.messages.len() == 1, "look {look}: {:?}", seen.end);
        server.until_ready(&dead, 6).await;
    }
    let mut reader = broker.browse(&dead, BrowseOptions { rescue: true, ..BrowseOptions::default() }).await.unwrap();
    assert_eq!(read(&mut *reader).await.messages.len(), 6);
    reader.close().await.unwrap();
    server.until_ready(&dead, 6).await;
    let options = TakeOptions { rescue: true, ..TakeOptions::default() };
    let mut reader = broker.take(&dead, options).await.unwrap();
    let taken = read(&mut *reader).await;
    let mut texts = payloads(&taken.messages);
    texts.sort_unstable();
    assert_eq!(texts, numbered(0..6));
    for result in reader.settle(&taken.tokens, Settle::Remove).await {
        result.unwrap();
    }
    reader.close().await.unwrap();
    server.until_ready(&dead, 0).await;
    server.delete(&source).await;
    server.delete(&dead).await;
}

async fn a_long_queue_keeps_its_order_over_many_windows(server: Server) {
    for (kind, limit) in [("classic", None), ("quorum", None), ("quorum", Some(-1))] {
        let arguments: Vec<_> =
            limit.map(|limit| ("x-delivery-limit", AMQPValue::LongLongInt(limit))).into_iter().collect();
        let queue = server.queue(kind, &arguments).await;
        server.fill(&queue, 4000).await;
        let broker = server.broker().await;
        for look in 0..3 {
            // So little memory that there are many windows.
            let options = BrowseOptions { memory: Some(1000), ..BrowseOptions::default() };
            let mut reader = broker.browse(&queue, options).await.unwrap();
            let seen = payloads(&read(&mut *reader).await.messages);
            assert_eq!(reader.close().await.unwrap().returned, 4000);
            assert!(seen == numbered(0..4000), "{kind} {limit:?}: look {look} is out of order");
        }
        server.delete(&queue).await;
    }
}

async fn locked_queues_are_told_apart_from_missing_ones(server: Server) {
    let broker = server.broker().await;
    let (_connection, channel) = server.channel().await;
    let exclusive = unique();
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(short(&exclusive), options, FieldTable::default()).await.unwrap();
    assert_eq!(kind(broker.browse(&exclusive, BrowseOptions::default()).await), ErrorKind::Locked);
    assert_eq!(kind(broker.publisher(&Target::queue(&exclusive)).await), ErrorKind::Locked);
    let single = server.queue("quorum", &[("x-single-active-consumer", AMQPValue::Boolean(true))]).await;
    server.fill(&single, 3).await;
    let mut reader = broker.browse(&single, BrowseOptions::default()).await.unwrap();
    assert_eq!(payloads(&read(&mut *reader).await.messages), numbered(0..3));
    reader.close().await.unwrap();
    server.until_ready(&single, 3).await;
    let consume =
        channel.basic_consume(short(&single), short("app"), BasicConsumeOptions::default(), FieldTable::default());
    let _consumer = consume.await.unwrap();
    assert_eq!(kind(broker.browse(&single, BrowseOptions::default()).await), ErrorKind::Locked);
    assert_eq!(kind(broker.take(&single, TakeOptions::default()).await), ErrorKind::Locked);
    assert_eq!(kind(broker.browse(&unique(), BrowseOptions::default()).await), ErrorKind::NotFound);
    server.delete(&single).await;
}

async fn a_wrong_login_has_one_clear_error(server: Server) {
    let login = async |url: String| -> (ErrorKind, String) {
        let began = Instant::now();
        let error = broker_at(&url, Tls::default()).await.unwrap().ping().await.unwrap_err();
        assert!(began.elapsed() < Duration::from_secs(11));
        assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
        (error.kind(), error.to_string())
    };
    assert_eq!(login(server.url_with("guest:guest", "guest:geheim")).await.0, ErrorKind::Denied);
    let (kind, text) = login(server.url_with("/%2f", "/postroom-nowhere")).await;
    assert!(kind == ErrorKind::NotFound && text.contains("postroom-nowhere"), "{text}");
    let port = server.port().to_string();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    assert_eq!(login(server.url_with(&port, &closed.to_string())).await.0, ErrorKind::Unreachable);
    // A host that takes the connection and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    assert_eq!(login(server.url_with(&port, &silent_port)).await.0, ErrorKind::Unreachable);
}

async fn without_management_a_quorum_queue_is_only_read_as_copies(server: Server) {
    let (head, _) = server.url.split_once("?management=").unwrap();
    let broker = broker_at(&format!("{head}?management=off"), Tls::default()).await.unwrap();
    let listing = broker.list(&postroom::broker::ListFilter::default()).await.unwrap();
    assert!(listing.queues.is_empty() && !listing.notes.is_empty());
    let (classic, quorum) = (server.queue("classic", &[]).await, server.queue("quorum", &[]).await);
    for queue in [&classic, &quorum] {
        server.fill(queue, 4).await;
        let info = broker.describe(queue).await.unwrap();
        assert_eq!((info.messages, info.read_cost.refused.is_some()), (Some(4), *queue == quorum));
        assert!(!info.notes.is_empty());
    }
    let mut reader = broker.browse(&classic, BrowseOptions::default()).await.unwrap();
    assert_eq!(payloads(&read(&mut *reader).await.messages), numbered(0..4));
    reader.close().await.unwrap();
    assert_eq!(kind(broker.browse(&quorum, BrowseOptions::default()).await), ErrorKind::Refused);
    let mut reader = broker.browse(&quorum, BrowseOptions { rescue: true, ..BrowseOptions::default() }).await.unwrap();
    assert_eq!(payloads(&read(&mut *reader).await.messages), numbered(0..4));
    assert_eq!(reader.close().await.unwrap().rescued, 4);
    for queue in [&classic, &quorum] {
        server.until_ready(queue, 4).await;
        server.delete(queue).await;
    }
}

async fn tls_takes_an_own_authority_and_a_client_certificate(server: Server) {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(url) = variable(&format!("POSTROOM_RABBITMQ{}_TLS_URL", server.version)) else { return };
    let file = |name| variable(&format!("POSTROOM_RABBITMQ_TLS_{name}")).map(std::path::PathBuf::from);
    let trusting = Tls { ca: file("CA"), ..Tls::default() };
    let info = broker_at(&url, trusting.clone()).await.unwrap().ping().await.unwrap();
    assert!(info.version.is_some(), "the management API answers over TLS, too: {:?}", info.notes);
    let error = broker_at(&url, Tls::default()).await.unwrap().ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("TLS"), "{error}");
    let with_certificate = Tls { cert: file("CERT"), key: file("KEY"), ..trusting };
    let external = format!("{}?auth_mechanism=external&management=off", url.split('?').next().unwrap());
    broker_at(&external, with_certificate).await.unwrap().ping().await.unwrap();
}

/// A way to the server that can be cut.
struct Cable {
    port: u16,
    /// Bytes that may still pass to the server.
    left: Arc<AtomicU64>,
}

impl Cable {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let own = listener.local_addr().unwrap().port();
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let allowed = Arc::clone(&left);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&allowed)));
            }
        });
        Self { port: own, left }
    }
}

/// Passes bytes both ways until no more are allowed to the server.
async fn pass(client: TcpStream, server: TcpStream, left: Arc<AtomicU64>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut buffer = vec![0; 4096];
    while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
        let count_u64 = count as u64;
        let before = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(count_u64));
        if before.is_err() || to_server.write_all(&buffer[..count]).await.is_err() {
            break;
        }
    }
    back.abort();
}

async fn a_cut_publish_claims_nothing_that_did_not_arrive(server: Server) {
    for (round, allowed) in [20_000_u64, 60_000, 150_000].into_iter().enumerate() {
        let queue = server.queue("quorum", &[]).await;
        let cable = Cable::to(server.port()).await;
        let url = server.url_with(&server.port().to_string(), &cable.port.to_string());
        let publisher = broker_at(&url, Tls::default()).await.unwrap().publisher(&Target::queue(&queue)).await.unwrap();
        let messages: Vec<Message> = (0..2000).map(|n| message(format!("{n:0>100}"))).collect();
        cable.left.store(allowed, Ordering::SeqCst);
        let results = publisher.publish(&messages).await;
        let arrived = results.iter().filter(|result| result.is_ok()).count() as u64;
        let doubtful =
            results.iter().filter(|r| r.as_ref().is_err_and(|e| e.kind() == ErrorKind::Ambiguous)).count() as u64;
        assert_eq!(results.len(), 2000);
        assert!(arrived < 2000, "round {round}: the cut came too late");
        let there = server.ready(&queue).await;
        assert!(
            arrived <= there && there <= arrived + doubtful,
            "{arrived} receipts, {doubtful} in doubt, {there} there"
        );
        server.delete(&queue).await;
    }
}

async fn a_cut_take_leaves_everything_unsettled_in_the_queue(server: Server) {
    for kind in ["classic", "quorum"] {
        let queue = server.queue(kind, &[]).await;
        server.fill(&queue, 500).await;
        let cable = Cable::to(server.port()).await;
        let url = server.url_with(&server.port().to_string(), &cable.port.to_string());
        let broker = broker_at(&url, Tls::default()).await.unwrap();
        let mut reader = broker.take(&queue, TakeOptions::default()).await.unwrap();
        let mut tokens: Vec<_> = reader.next_batch(100).await.unwrap().deliveries.iter().map(|d| d.token).collect();
        let removed = tokens.split_off(tokens.len() / 2);
        for result in reader.settle(&tokens, Settle::Remove).await {
            result.unwrap();
        }
        cable.left.store(0, Ordering::SeqCst);
        for result in reader.settle(&removed, Settle::Remove).await {
            assert!(matches!(result.unwrap_err().kind(), ErrorKind::Ambiguous | ErrorKind::Unreachable));
        }
        assert!(reader.close().await.is_err(), "what is held can't be returned over a cut connection");
        server.until_ready(&queue, 500 - tokens.len() as u64).await;
        server.delete(&queue).await;
    }
}
