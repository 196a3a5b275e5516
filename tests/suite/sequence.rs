//! Replays key by key, with a bound on what is in flight, and runs that stop by themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use postroom::ErrorKind;
use postroom::Result;
use postroom::broker::Broker;
use postroom::broker::memory::{Fault, Memory, Profile, PublishFault, QueueSpec, at_each};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::journal::{JournalState, Journals};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Pace};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::resume::{self, Opener};

use super::faults::jumping;

struct Shop {
    memory: Memory,
    folder: tempfile::TempDir,
}

#[async_trait::async_trait]
impl Opener for Shop {
    async fn place(&self, address: &postroom::broker::Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

impl Shop {
    /// A queue in which each of these is a key, with how manieth of it each is.
    fn new(profile: Profile, keys: &[&'static str]) -> Self {
        let target = if profile == Profile::Kafka { Profile::Kafka } else { Profile::RabbitClassic };
        let memory =
            Memory::builder().queue(QueueSpec::new("from", profile)).queue(QueueSpec::new("to", target)).build();
        let mut counts = BTreeMap::new();
        for key in keys {
            let n: &mut u64 = counts.entry(*key).or_default();
            *n += 1;
            let payload = Some(format!("{{\"order\":{{\"id\":\"{key}\",\"n\":{n}}}}}").into());
            memory.publish("from", Message { payload, ..Message::default() }).unwrap();
        }
        Self { memory, folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    async fn replay(&self, pace: Pace) -> Result<Report> {
        let to = ReplayTo::Place(Box::new(self.at("demo:to")));
        let request = ReplayRequest { pace, ..ReplayRequest::all(self.at("demo:from"), to) };
        let control = Control::new().batch(4);
        replay::run(replay::plan(request, &control).await?, &self.journals(), &control).await
    }

    async fn resume(&self) {
        loop {
            let journals = self.journals();
            while journals.list().unwrap().0.iter().any(|run| run.state == JournalState::Running) {
                tokio::task::yield_now().await;
            }
            let Ok(id) = journals.newest_unfinished() else { return };
            let prepared = resume::prepare(&id, &journals, self).await.unwrap();
            match resume::run(prepared, &journals, &Control::new().batch(4)).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Locked => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// The numbers of each key in a queue, in its order; one that is there twice in a row counts once.
    fn numbers(&self, queue: &str) -> BTreeMap<String, Vec<u64>> {
        let mut numbers: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        for message in self.memory.snapshot(queue).unwrap() {
            let value: serde_json::Value = serde_json::from_slice(message.body()).unwrap();
            let seen = numbers.entry(value["order"]["id"].as_str().unwrap().to_owned()).or_default();
            let n = value["order"]["n"].as_u64().unwrap();
            if seen.last() != Some(&n) {
                seen.push(n);
            }
        }
        numbers
    }
}

fn per_key() -> Pace {
    Pace { per_key: Some("body.order.id".into()), ..Pace::default() }
}

const KEYS: [&str; 12] = ["a", "a", "b", "a", "c", "b", "a", "c", "c", "b", "a", "d"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_fails_holds_back_what_comes_behind_it_of_its_key_and_nothing_else() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43, Profile::Kafka] {
        for fault in [PublishFault::Nacked, PublishFault::Returned, PublishFault::LostBefore] {
            let runs = at_each(Fault::Publish(fault), async |due| {
                let shop = Shop::new(profile, &KEYS);
                let report = Box::pin(due.strike(&shop.memory, shop.replay(per_key()))).await.unwrap().unwrap();
                let told = format!("{profile:?} {fault:?} {}: {report:#?}", due.nth());
                let there = shop.numbers("to");
                let mut missing = 0;
                for key in ["a", "b", "c", "d"] {
                    let had = KEYS.iter().filter(|other| **other == key).count() as u64;
                    let arrived = there.get(key).cloned().unwrap_or_default();
                    // In order and without a gap: a key ends where one of it fails.
                    assert_eq!(arrived, (1..=arrived.len() as u64).collect::<Vec<_>>(), "{told}");
                    missing += had - arrived.len() as u64;
                }
                assert_eq!(report.done + missing, KEYS.len() as u64, "{told}");
                let failed = report.failed + report.ambiguous;
                assert_eq!((failed, report.skipped), (missing.min(1), missing.saturating_sub(1)), "{told}");
                let held = report.problems.iter().filter(|problem| problem.outcome == "skipped");
                assert!(held.into_iter().all(|problem| problem.why.contains("of the same key")), "{told}");
            })
            .await;
            assert_eq!(runs, KEYS.len() as u64);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_and_a_resume_keep_the_order_of_each_key() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        let runs = at_each(Fault::Kill, async |due| {
            let shop = Shop::new(profile, &KEYS);
            let done = Box::pin(due.strike(&shop.memory, shop.replay(per_key()))).await;
            shop.resume().await;
            let told = format!("{profile:?} killed at {} ({})", due.nth(), done.is_some());
            let (from, to) = (shop.numbers("from"), shop.numbers("to"));
            for key in ["a", "b", "c", "d"] {
                let had = KEYS.iter().filter(|other| **other == key).count() as u64;
                let arrived = to.get(key).cloned().unwrap_or_default();
                // A quorum queue that lost a connection gives what was held in an order of its own.
                let mut left = from.get(key).cloned().unwrap_or_default();
                left.sort_unstable();
                // What failed as the connection went holds back the rest of its key.
                let gap = arrived.last().map_or(1, |last| last + 1);
                assert_eq!(arrived, (1..gap).collect::<Vec<_>>(), "{told}: {key} {from:?} {to:?}");
                assert_eq!(left, (gap..=had).collect::<Vec<_>>(), "{told}: {key} {from:?} {to:?}");
            }
        })
        .await;
        assert!(runs > 20, "{profile:?} {runs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_the_plan_leaves_holds_back_its_key_in_the_plan() {
    let shop = Shop::new(Profile::RabbitClassic, &["a", "a", "b"]);
    let to = ReplayTo::Place(Box::new(shop.at("demo:to")));
    let edit = r#"if .body.order.n == 1 and .body.order.id == "a" then error("no") else . end"#;
    let edit = Some(postroom::operation::edit::Edit::parse(edit).unwrap());
    let request = ReplayRequest { pace: per_key(), edit, ..ReplayRequest::all(shop.at("demo:from"), to) };
    let prepared = replay::plan(request, &Control::new()).await.unwrap();
    assert_eq!((prepared.plan.planned, prepared.plan.skipped.len()), (1, 2));
    assert!(prepared.plan.skipped[1].why.contains("before it of the same key"), "{:?}", prepared.plan.skipped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plan_tells_how_many_rounds_it_takes_and_whether_its_source_stands_them() {
    for (profile, stands) in [(Profile::RabbitClassic, true), (Profile::RabbitQuorum40, false)] {
        let shop = Shop::new(profile, &["a"; 12]);
        let to = ReplayTo::Place(Box::new(shop.at("demo:to")));
        let pace = Pace { verify_s: Some(1.0), ..per_key() };
        let request = ReplayRequest { pace, ..ReplayRequest::all(shop.at("demo:from"), to) };
        let plan = replay::plan(request, &Control::new()).await.unwrap().plan;
        let check = plan.checks.iter().find(|check| check.name == "rounds").unwrap();
        assert!(check.ok && check.why.starts_with("12 at least"), "{check:?}");
        assert_eq!((check.warning, check.why.contains("stand about 9 rounds")), (!stands, !stands), "{check:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_without_keys_asks_for_a_field() {
    let shop = Shop::new(Profile::RabbitClassic, &["a"]);
    let own = Pace { per_key: Some(String::new()), ..Pace::default() };
    let error = shop.replay(own.clone()).await.unwrap_err();
    assert!(error.hint_text().unwrap().contains("--per-key=body.order.id"), "{error:?}");
    let kafka = Shop::new(Profile::Kafka, &["a", "a"]);
    assert_eq!(kafka.replay(own).await.unwrap().done, 2);
    let unknown = Pace { per_key: Some("order".into()), ..Pace::default() };
    assert_eq!(shop.replay(unknown).await.unwrap_err().kind(), ErrorKind::Usage);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_stops_by_itself_and_goes_on_where_it_was() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        let shop = Shop::new(profile, &KEYS);
        shop.memory.arm(Fault::Publish(PublishFault::Nacked), 2);
        shop.memory.arm(Fault::Publish(PublishFault::Nacked), 5);
        let pace = Pace { max_failures: Some(2), max_in_flight: Some(1), ..Pace::default() };
        let report = shop.replay(pace).await.unwrap();
        assert_eq!((report.state, report.done, report.failed), (Ended::Stopped, 3, 2), "{profile:?} {report:#?}");
        assert!(report.error.unwrap().message.contains("stopped by itself: 2 messages failed"));
        shop.memory.disarm();
        let total = |queue: &str| shop.memory.snapshot(queue).unwrap().len();
        assert_eq!((total("from"), total("to")), (KEYS.len() - 3, 3), "{profile:?}");
        shop.resume().await;
        // What had failed stays, as it does after any run.
        assert_eq!((total("from"), total("to")), (2, KEYS.len() - 2), "{profile:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_takes_nothing_stops_a_run_after_a_hundred() {
    let shop = Shop::new(Profile::RabbitClassic, &["a"; 300]);
    (1..=300).for_each(|nth| shop.memory.arm(Fault::Publish(PublishFault::Nacked), nth));
    let pace = Pace { max_in_flight: Some(10), ..Pace::default() };
    let report = shop.replay(pace).await.unwrap();
    assert_eq!((report.state, report.done), (Ended::Stopped, 0), "{report:#?}");
    // What was under way is finished.
    assert!((100..110).contains(&report.failed), "{report:#?}");
    assert_eq!(shop.memory.snapshot("from").unwrap().len(), 300);
}

/// How many messages are in the target at most, while a consumer takes one now and then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_copies_wait_for_a_slow_consumer_than_are_allowed() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("from", Profile::RabbitClassic))
        .queue(QueueSpec::new("to", Profile::RabbitClassic).consumers(1))
        .build();
    let shop = Shop { memory, folder: tempfile::tempdir().unwrap() };
    for n in 0..20 {
        shop.memory.publish("from", Message { payload: Some(n.to_string().into()), ..Message::default() }).unwrap();
    }
    let (memory, most) = (shop.memory.clone(), Arc::new(std::sync::atomic::AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let consumer = tokio::spawn(async move {
        loop {
            let there = memory.snapshot("to").unwrap().len();
            seen.fetch_max(there, std::sync::atomic::Ordering::Relaxed);
            if there > 0 {
                memory.consume("to", 1).unwrap();
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    });
    let to = ReplayTo::Place(Box::new(shop.at("demo:to")));
    let pace = Pace { verify_s: Some(20.0), max_in_flight: Some(3), ..Pace::default() };
    let request = ReplayRequest { pace, mode: Mode::Streaming, ..ReplayRequest::all(shop.at("demo:from"), to) };
    let control = Control::new().settle(std::time::Duration::from_millis(4));
    let prepared = replay::plan(request, &control).await.unwrap();
    let report = replay::run(prepared, &shop.journals(), &control).await.unwrap();
    consumer.abort();
    assert_eq!((report.state, report.done), (Ended::Finished, 20), "{report:#?}");
    let most = most.load(std::sync::atomic::Ordering::Relaxed);
    assert!((1..=3).contains(&most), "{most} at once");
    assert!(shop.memory.inspect("to").await.unwrap().messages == Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_jumps_changes_nothing_but_times() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43, Profile::Kafka] {
        let shop = Shop::new(profile, &KEYS);
        let to = ReplayTo::Place(Box::new(shop.at("demo:to")));
        let pace = Pace { rate: Some(400.0), verify_s: Some(0.1), ..per_key() };
        let request = ReplayRequest { pace, ..ReplayRequest::all(shop.at("demo:from"), to) };
        let control = Control::new().clock(jumping()).batch(4).settle(std::time::Duration::from_millis(2));
        let prepared = replay::plan(request, &control).await.unwrap();
        let report = replay::run(prepared, &shop.journals(), &control).await.unwrap();
        let told = format!("{profile:?} {report:#?}");
        let total = |queue: &str| shop.memory.snapshot(queue).unwrap().len();
        let gone = if profile == Profile::Kafka { KEYS.len() } else { 0 };
        assert!(report.elapsed_s >= 0.0 && report.failed + report.ambiguous == 0, "{told}");
        if profile == Profile::Kafka {
            // A log does not tell what is consumed, so each round waits as long as it may, and goes on.
            assert_eq!((report.state, total("from"), total("to")), (Ended::Finished, gone, KEYS.len()), "{told}");
        } else {
            // Nobody consumes: one of each key is sent, and no more.
            assert_eq!((report.state, total("from"), total("to")), (Ended::Stopped, KEYS.len() - 4, 4), "{told}");
            assert!(report.error.unwrap().message.contains("still waiting"));
        }
    }
}
