//! Moves by the broker itself: on the memory broker step by step, on `RabbitMQ` where its URLs are in the environment.

use std::sync::Arc;
use std::time::Duration;

use postroom::ErrorKind;
use postroom::broker::memory::{Fault, Memory, Profile, QueueSpec};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::place::Place;
use postroom::operation::plan::Pace;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::Ended;
use postroom::operation::wholesale::{self, WholesaleRequest};

fn shop() -> Memory {
    Memory::builder()
        .queue(QueueSpec::new("orders", Profile::RabbitQuorum43).dead_letter_to("dlq"))
        .queue(QueueSpec::new("mails", Profile::RabbitClassic))
        .queue(QueueSpec::new("dlq", Profile::RabbitQuorum43))
        .build()
}

fn fill(memory: &Memory, queue: &str, count: usize) {
    for n in 0..count {
        memory.publish(queue, Message { payload: Some(n.to_string().into()), ..Message::default() }).unwrap();
    }
}

fn at(memory: &Memory, address: &str) -> Place {
    Place { address: address.parse().unwrap(), broker: Arc::new(memory.clone()), policy: Policy::default() }
}

fn request(memory: &Memory, to: &str) -> WholesaleRequest {
    let to = match to {
        "origin" => ReplayTo::Origin,
        to => ReplayTo::Place(Box::new(at(memory, to))),
    };
    WholesaleRequest { source: at(memory, "demo:dlq"), to: Some(to), pace: Pace::default() }
}

fn count(memory: &Memory, queue: &str) -> usize {
    memory.snapshot(queue).unwrap().len()
}

#[tokio::test(start_paused = true)]
async fn the_broker_moves_everything_to_the_one_queue_that_it_came_from() {
    let memory = shop();
    fill(&memory, "dlq", 250);
    let control = Control::new();
    let prepared = wholesale::plan(request(&memory, "origin"), &control).await.unwrap();
    assert_eq!(prepared.plan.destinations[0].address, "demo:orders");
    assert!(prepared.plan.checks.iter().any(|check| check.why.contains("nothing of it can be resumed")));
    assert_eq!(count(&memory, "dlq"), 250, "a plan moves nothing");
    let report = wholesale::run(prepared, &control).await.unwrap();
    assert_eq!((report.state, report.done, report.planned), (Ended::Finished, 250, 250), "{report:#?}");
    assert_eq!((count(&memory, "dlq"), count(&memory, "orders")), (0, 250));
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_move_keeps_what_it_moved_and_nothing_is_lost() {
    let memory = shop();
    fill(&memory, "dlq", 1000);
    let control = Control::new();
    let prepared = wholesale::plan(request(&memory, "demo:mails"), &control).await.unwrap();
    let cancel = control.cancel.clone();
    let (report, ()) = tokio::join!(wholesale::run(prepared, &control), async {
        tokio::time::sleep(Duration::from_millis(1200)).await;
        cancel.cancel();
    });
    let report = report.unwrap();
    assert_eq!(report.state, Ended::Interrupted);
    let moved = count(&memory, "mails");
    assert!(moved > 0 && moved < 1000 && moved + count(&memory, "dlq") == 1000, "{moved}");
    assert_eq!(report.done, moved as u64);
}

#[tokio::test(start_paused = true)]
async fn a_move_that_nobody_can_watch_any_more_says_so() {
    let memory = shop();
    fill(&memory, "dlq", 1000);
    let control = Control::new();
    let prepared = wholesale::plan(request(&memory, "demo:mails"), &control).await.unwrap();
    memory.arm(Fault::Disconnect, 3);
    let report = wholesale::run(prepared, &control).await.unwrap();
    assert_eq!(report.state, Ended::Stopped);
    assert!(report.notes.iter().any(|note| note.contains("without being watched")), "{report:#?}");
    assert_eq!(count(&memory, "mails") + count(&memory, "dlq"), 1000);
}

#[tokio::test]
async fn what_a_move_by_the_broker_can_not_do_is_refused_before_it_begins() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("orders", Profile::RabbitQuorum43).dead_letter_to("dlq"))
        .queue(QueueSpec::new("mails", Profile::RabbitClassic).dead_letter_to("dlq"))
        .queue(QueueSpec::new("dlq", Profile::RabbitQuorum43))
        .queue(QueueSpec::new("log", Profile::RabbitStream))
        .build();
    fill(&memory, "dlq", 3);
    let control = Control::new();
    let error = wholesale::plan(request(&memory, "origin"), &control).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.message().starts_with("2 queues dead-letter into"), "{error}");
    let stream = WholesaleRequest { source: at(&memory, "demo:log"), ..request(&memory, "demo:mails") };
    assert_eq!(wholesale::plan(stream, &control).await.unwrap_err().kind(), ErrorKind::Unsupported);
    let itself = wholesale::plan(request(&memory, "demo:dlq"), &control).await.unwrap_err();
    assert_eq!(itself.kind(), ErrorKind::Refused);
}

#[tokio::test]
async fn a_large_replay_that_a_broker_could_do_offers_it() {
    let memory = shop();
    fill(&memory, "dlq", 1000);
    let offered = async |request: ReplayRequest| {
        let plan = replay::plan(request, &Control::new()).await.unwrap().plan;
        plan.checks.iter().any(|check| check.why.contains("--server-side"))
    };
    let to = || ReplayTo::Place(Box::new(at(&memory, "demo:mails")));
    let all = || ReplayRequest::all(at(&memory, "demo:dlq"), to());
    assert!(offered(all()).await);
    assert!(!offered(ReplayRequest { keep: true, ..all() }).await);
    assert!(!offered(ReplayRequest { limit: Some(1000), ..all() }).await);
    let verified = Pace { verify_s: Some(1.0), ..Pace::default() };
    assert!(!offered(ReplayRequest { pace: verified, ..all() }).await);
}

/// A queue of `RabbitMQ` with that many messages, an empty one, and how to get at them.
#[cfg(feature = "rabbitmq")]
mod rabbitmq {
    use std::collections::BTreeMap;
    use std::time::Instant;

    use postroom::broker::{Address, Broker, Connect, Connection, Target, Tls};

    use super::*;

    struct Ground {
        broker: Arc<dyn Broker>,
        url: String,
        name: String,
    }

    impl Ground {
        async fn new(url: &str, kind: &str, test: &str, messages: usize) -> Self {
            use lapin::options::QueueDeclareOptions;
            use lapin::types::{AMQPValue, FieldTable};
            let (amqp, _) = url.split_once('?').unwrap();
            let connection = lapin::Connection::connect(amqp, lapin::ConnectionProperties::default()).await.unwrap();
            let channel = connection.create_channel().await.unwrap();
            let name = format!("wholesale.{test}.{kind}.{}", std::process::id());
            for part in ["from", "to"] {
                let mut arguments = FieldTable::default();
                arguments.insert("x-queue-type".into(), AMQPValue::LongString(kind.into()));
                let queue = format!("{name}.{part}");
                channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
            }
            let address: Address = url.replacen('?', "/x?", 1).parse().unwrap();
            let Connection::Url(parsed) = address.connection else { panic!("no URL") };
            let connect = Connect { url: parsed, tls: Tls::default(), options: BTreeMap::new() };
            let broker = postroom::broker::open(&connect).await.unwrap();
            let publisher = broker.publisher(&Target::queue(format!("{name}.from"))).await.unwrap();
            for start in (0..messages).step_by(500) {
                let batch: Vec<_> = (start..messages.min(start + 500))
                    .map(|n| Message { payload: Some(n.to_string().into()), ..Message::default() })
                    .collect();
                assert!(publisher.publish(&batch).await.iter().all(Result::is_ok));
            }
            publisher.close().await.unwrap();
            Self { broker, url: url.to_owned(), name }
        }

        fn place(&self, part: &str) -> Place {
            let address = self.url.replacen('?', &format!("/{}.{part}?", self.name), 1).parse().unwrap();
            Place { address, broker: Arc::clone(&self.broker), policy: Policy::default() }
        }

        fn request(&self) -> WholesaleRequest {
            let to = ReplayTo::Place(Box::new(self.place("to")));
            WholesaleRequest { source: self.place("from"), to: Some(to), pace: Pace::default() }
        }

        /// How many messages are in a queue once it holds at least so many.
        async fn count(&self, part: &str, least: u64) -> u64 {
            let end = Instant::now() + Duration::from_secs(15);
            loop {
                let info = self.broker.inspect(&format!("{}.{part}", self.name)).await.unwrap();
                let there = info.messages.unwrap();
                if there >= least || Instant::now() > end {
                    return there;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_shovel_moves_a_queue_and_is_gone_afterwards() {
        let Ok(url) = std::env::var("POSTROOM_RABBITMQ43_URL") else { return };
        for kind in ["classic", "quorum"] {
            let ground = Ground::new(&url, kind, "all", 3000).await;
            let control = Control::new();
            let prepared = wholesale::plan(ground.request(), &control).await.unwrap();
            let report = wholesale::run(prepared, &control).await.unwrap();
            assert_eq!((report.state, report.done), (Ended::Finished, 3000), "{report:#?}");
            assert_eq!((ground.count("to", 3000).await, ground.count("from", 0).await), (3000, 0));
            // Its shovel is gone: the next plan is not refused.
            wholesale::plan(ground.request(), &control).await.unwrap();
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cancelled_shovel_leaves_each_message_in_one_of_the_two_queues() {
        let Ok(url) = std::env::var("POSTROOM_RABBITMQ43_URL") else { return };
        let ground = Ground::new(&url, "quorum", "cancel", 60_000).await;
        let control = Control::new();
        let prepared = wholesale::plan(ground.request(), &control).await.unwrap();
        let cancel = control.cancel.clone();
        let (report, ()) = tokio::join!(wholesale::run(prepared, &control), async {
            while ground.count("to", 1).await == 0 {}
            cancel.cancel();
        });
        let report = report.unwrap();
        assert_eq!(report.state, Ended::Interrupted, "{report:#?}");
        let (to, from) = (ground.count("to", 1).await, ground.count("from", 0).await);
        // What it held when it was cut off may be there twice, and nothing is missing.
        assert!(to + from >= 60_000 && to + from <= 60_500 && from > 0, "{to} and {from}");
        wholesale::plan(ground.request(), &control).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_full_target_refuses_stays_in_the_source() {
        let Ok(url) = std::env::var("POSTROOM_RABBITMQ43_URL") else { return };
        let ground = Ground::new(&url, "quorum", "full", 100).await;
        let full = format!("{}.full", ground.name);
        let bounded =
            [("x-max-length", 10.into()), ("x-overflow", lapin::types::AMQPValue::LongString("reject-publish".into()))];
        let mut arguments = lapin::types::FieldTable::default();
        for (name, value) in bounded {
            arguments.insert(name.into(), value);
        }
        let (amqp, _) = url.split_once('?').unwrap();
        let connection = lapin::Connection::connect(amqp, lapin::ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let options = lapin::options::QueueDeclareOptions::durable();
        channel.queue_declare(full.as_str().into(), options, arguments).await.unwrap();
        let to = Some(ReplayTo::Place(Box::new(ground.place("full"))));
        let control = Control::new();
        let prepared = wholesale::plan(WholesaleRequest { to, ..ground.request() }, &control).await.unwrap();
        let report = wholesale::run(prepared, &control).await.unwrap();
        assert_eq!(report.state, Ended::Finished, "{report:#?}");
        // What was confirmed when the shovel was done may be back, too: it is in both then, and nothing is missing.
        let (full, from) = (ground.count("full", 10).await, ground.count("from", 0).await);
        assert!(full >= 10 && from >= 90 - (full - 10) && full + from >= 100, "{full} and {from}");
        assert!(report.done < 100, "{report:#?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_broker_without_shovels_is_told_in_one_sentence() {
        let Ok(url) = std::env::var("POSTROOM_RABBITMQ40_URL") else { return };
        let ground = Ground::new(&url, "quorum", "none", 3).await;
        let error = wholesale::plan(ground.request(), &Control::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("its plugin rabbitmq_shovel is off"), "{error}");
        assert_eq!(ground.count("from", 3).await, 3);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_may_set_no_parameters_moves_nothing() {
        let Ok(url) = std::env::var("POSTROOM_RABBITMQ43_URL") else { return };
        let ground = Ground::new(&url, "quorum", "denied", 3).await;
        // A user without tags: the management API lets nobody in.
        let app = Ground { url: url.replace("guest:guest", "app:app"), ..ground };
        let address: Address = app.url.replacen('?', "/x?", 1).parse().unwrap();
        let Connection::Url(parsed) = address.connection else { panic!("no URL") };
        let connect = Connect { url: parsed, tls: Tls::default(), options: BTreeMap::new() };
        let app = Ground { broker: postroom::broker::open(&connect).await.unwrap(), ..app };
        let error = wholesale::plan(app.request(), &Control::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    }
}
