//! Replay, drain and resume on real `RabbitMQ` servers, where their URLs are in the environment (`tests/with-brokers`).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::future::join_all;
use lapin::options::{
    BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, ExchangeKind};
use postroom::Result;
use postroom::broker::archive::Archive;
use postroom::broker::{Address, Broker, BrowseOptions, Connect, Connection as Where, Tls};
use postroom::config::Policy;
use postroom::operation::control::Control;
use postroom::operation::drain::{self, DrainRequest, DrainTo};
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::plan::Mode;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::resume::{self, Opener};
use postroom::operation::select::Selection;

/// The servers that are there.
fn urls() -> Vec<String> {
    ["POSTROOM_RABBITMQ40_URL", "POSTROOM_RABBITMQ43_URL"].iter().filter_map(|name| std::env::var(name).ok()).collect()
}

struct Ground {
    url: String,
    name: String,
    channel: Channel,
    _connection: Connection,
    folder: tempfile::TempDir,
}

struct Open(Arc<dyn Broker>);

#[async_trait::async_trait]
impl Opener for Open {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(Place { address: address.clone(), broker: Arc::clone(&self.0), policy: Policy::default() })
    }
}

impl Ground {
    /// A source of that type, bound to everything of an exchange; a target bound to half the keys of another.
    async fn new(url: &str, kind: &str, test: &str) -> Self {
        let amqp = url.split_once('?').map_or(url, |(amqp, _)| amqp);
        let connection = Connection::connect(amqp, ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        let name = format!("moves.{test}.{kind}.{}", std::process::id());
        let ground =
            Self { url: url.to_owned(), name, channel, _connection: connection, folder: tempfile::tempdir().unwrap() };
        for (part, key) in [("from", "#"), ("to", "yes.#")] {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
            let name = ground.part(part);
            let channel = &ground.channel;
            channel.queue_declare(name.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
            let topic = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
            channel
                .exchange_declare(name.as_str().into(), ExchangeKind::Topic, topic, FieldTable::default())
                .await
                .unwrap();
            let bind = QueueBindOptions::default();
            let none = FieldTable::default();
            channel.queue_bind(name.as_str().into(), name.as_str().into(), key.into(), bind, none).await.unwrap();
        }
        ground
    }

    fn part(&self, part: &str) -> String {
        format!("{}.{part}", self.name)
    }

    /// Messages with distinct bodies, every second one with a key that the target does not route.
    async fn fill(&self, messages: u64) {
        let exchange = self.part("from");
        for start in (0..messages).step_by(500) {
            let sent = join_all((start..messages.min(start + 500)).map(|n| {
                let key = if n % 2 == 0 { format!("yes.{n}") } else { format!("no.{n}") };
                let (exchange, properties) = (exchange.as_str(), BasicProperties::default().with_delivery_mode(2));
                let body = format!("{n:0>200}");
                async move {
                    let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
                    let publish = self.channel.basic_publish(
                        exchange.into(),
                        key.as_str().into(),
                        options,
                        body.as_bytes(),
                        properties,
                    );
                    publish.await.unwrap().await.unwrap()
                }
            }))
            .await;
            assert!(sent.iter().all(|confirm| *confirm == Confirmation::Ack(None)));
        }
    }

    fn address(&self, target: &str) -> Address {
        let (amqp, query) = self.url.split_once('?').unwrap_or((&self.url, ""));
        format!("{amqp}/{target}?{query}").parse().unwrap()
    }

    async fn broker(&self) -> Arc<dyn Broker> {
        let Where::Url(url) = self.address("x").connection else { panic!("no URL") };
        postroom::broker::open(&Connect { url, tls: Tls::default(), options: BTreeMap::new() }).await.unwrap()
    }

    async fn replay(&self, to: &str, control: &Control) -> Report {
        let open = Open(self.broker().await);
        let source = open.place(&self.address(&self.part("from"))).await.unwrap();
        let to = ReplayTo::Place(Box::new(open.place(&self.address(to)).await.unwrap()));
        let request = ReplayRequest { mode: Mode::Streaming, ..ReplayRequest::all(source, to) };
        let prepared = replay::plan(request, control).await.unwrap();
        replay::run(prepared, &self.journals(), control).await.unwrap()
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    /// The numbers of the messages in a queue, after everything is back in it.
    async fn numbers(&self, part: &str, expected: u64) -> Vec<u64> {
        let queue = self.part(part);
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            let mut reader = self.broker().await.browse(&queue, BrowseOptions::default()).await.unwrap();
            let mut numbers = read(reader.as_mut()).await;
            reader.close().await.unwrap();
            numbers.sort_unstable();
            // What a lost connection held comes back a moment later.
            if numbers.len() as u64 >= expected || Instant::now() > deadline {
                return numbers;
            }
        }
    }

    async fn delete(self) {
        for part in ["from", "to"] {
            self.channel.queue_delete(self.part(part).as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
}

async fn read(reader: &mut dyn postroom::broker::Reader) -> Vec<u64> {
    let mut numbers = Vec::new();
    loop {
        let batch = reader.next_batch(1000).await.unwrap();
        let bodies =
            batch.deliveries.iter().map(|delivery| String::from_utf8_lossy(delivery.message.body()).into_owned());
        numbers.extend(bodies.map(|body| body.parse::<u64>().unwrap()));
        if batch.end.is_some() {
            return numbers;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_5000_messages_exactly_those_without_a_route_stay() {
    for url in urls() {
        for kind in ["classic", "quorum"] {
            let ground = Ground::new(&url, kind, "routes").await;
            ground.fill(5000).await;
            let report = ground.replay(&format!("exchange:{}", ground.part("to")), &Control::new()).await;
            let counts = (report.state, report.done, report.failed, report.ambiguous);
            assert_eq!(counts, (Ended::Finished, 2500, 2500, 0), "{kind} {:?}", report.error);
            let even: Vec<u64> = (0..5000).step_by(2).collect();
            let odd: Vec<u64> = (1..5000).step_by(2).collect();
            assert_eq!(ground.numbers("from", 2500).await, odd, "{kind}");
            assert_eq!(ground.numbers("to", 2500).await, even, "{kind}");
            ground.delete().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_of_5000_leaves_an_empty_queue_and_a_whole_archive() {
    for url in urls() {
        for kind in ["classic", "quorum"] {
            let ground = Ground::new(&url, kind, "drain").await;
            ground.fill(5000).await;
            let path = ground.folder.path().join("drained.jsonl.zst");
            let open = Open(ground.broker().await);
            let request = DrainRequest {
                source: open.place(&ground.address(&ground.part("from"))).await.unwrap(),
                to: DrainTo::Archive(path.clone()),
                selection: Selection::all(),
                limit: None,
                rescue: false,
                mode: Mode::Streaming,
                undoes: None,
            };
            let control = Control::new();
            let prepared = drain::plan(request, &control).await.unwrap();
            let report = drain::run(prepared, &ground.journals(), &control).await.unwrap();
            assert_eq!((report.state, report.done), (Ended::Finished, 5000), "{kind} {:?}", report.error);
            assert!(ground.numbers("from", 0).await.is_empty(), "{kind}");
            let path = path.display().to_string();
            let mut reader = Archive::new().browse(&path, BrowseOptions::default()).await.unwrap();
            assert_eq!(read(reader.as_mut()).await, (0..5000).collect::<Vec<_>>());
            ground.delete().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_cut_short_anywhere_is_finished_by_a_resume() {
    for url in urls() {
        for (kind, after) in [("classic", 1), ("quorum", 700), ("quorum", 1900), ("classic", 2990)] {
            let ground = Arc::new(Ground::new(&url, kind, &format!("cut{after}")).await);
            ground.fill(3000).await;
            // Killed: a runtime of its own is thrown away with all its connections, wherever it stands.
            let seen = Arc::new(AtomicU64::new(0));
            let (counter, running) = (Arc::clone(&seen), Arc::clone(&ground));
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            let control = Control::new().batch(100).on_outcome(move |_| _ = counter.fetch_add(1, Ordering::SeqCst));
            let run = runtime.spawn(async move { running.replay(&running.part("to"), &control).await });
            while seen.load(Ordering::SeqCst) < after && !run.is_finished() {
                tokio::task::yield_now().await;
            }
            runtime.shutdown_background();
            let journals = ground.journals();
            let deadline = Instant::now() + Duration::from_mins(1);
            let mut ambiguous = 0;
            loop {
                assert!(Instant::now() < deadline, "{kind} {after}: {:?}", journals.list().unwrap().0);
                let Ok(id) = journals.newest_unfinished() else {
                    if journals.list().unwrap().0.iter().all(|s| s.ended.is_some()) {
                        break;
                    }
                    tokio::task::yield_now().await;
                    continue;
                };
                let prepared = resume::prepare(&id, &journals, &Open(ground.broker().await)).await.unwrap();
                let report = resume::run(prepared, &journals, &Control::new()).await.unwrap();
                ambiguous = report.ambiguous;
                assert_eq!(report.failed, 0, "{kind} {after}: {report:#?}");
            }
            let left = ground.numbers("from", 0).await;
            let copied = ground.numbers("to", 3000).await;
            let mut all = [left.clone(), copied.clone()].concat();
            all.sort_unstable();
            let twice = all.len() as u64 - 3000;
            all.dedup();
            assert_eq!(all, (0..3000).collect::<Vec<_>>(), "{kind} {after}: something is lost");
            assert!(twice <= ambiguous, "{kind} {after}: {twice} twice, {ambiguous} told");
            Arc::try_unwrap(ground).map_err(|_| ()).unwrap().delete().await;
        }
    }
}
