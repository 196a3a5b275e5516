//! What is seen of copies after a replay, and a ramp that goes on only while they are consumed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use postroom::broker::memory::{Memory, Profile, QueueSpec};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::journal::{JournalState, Journals};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Pace};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report, exit_code};
use postroom::operation::resume::{self, Opener};
use postroom::operation::undo;
use postroom::{ErrorKind, Result};

struct Shop {
    memory: Memory,
    folder: tempfile::TempDir,
    mended: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Opener for Shop {
    async fn place(&self, address: &postroom::broker::Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

impl Shop {
    fn new(profile: Profile, consumers: u64, messages: usize) -> Self {
        let memory = Memory::builder()
            .queue(QueueSpec::new("orders", profile).dead_letter_to("dlq").consumers(consumers))
            .queue(QueueSpec::new("dlq", profile))
            .build();
        let shop = Self { memory, folder: tempfile::tempdir().unwrap(), mended: Arc::default() };
        for n in 1..=messages {
            let body = if n % 10 == 0 { format!("bad {n}") } else { format!("good {n}") };
            shop.memory.publish("orders", Message { payload: Some(body.into()), ..Message::default() }).unwrap();
            shop.memory.reject("orders", 1).unwrap();
        }
        shop
    }

    /// An application that takes every message and refuses the bad ones, until it is mended.
    fn consume(&self) -> tokio::task::JoinHandle<()> {
        let (memory, mended) = (self.memory.clone(), Arc::clone(&self.mended));
        tokio::spawn(async move {
            loop {
                while let Some(message) = memory.snapshot("orders").unwrap().first() {
                    if message.body().starts_with(b"bad") && !mended.load(Ordering::Relaxed) {
                        memory.reject("orders", 1).unwrap();
                    } else {
                        memory.consume("orders", 1).unwrap();
                    }
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        })
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    fn control() -> Control {
        Control::new().settle(Duration::from_millis(40))
    }

    async fn replay(&self, pace: Pace, mode: Mode) -> Report {
        let request = ReplayRequest { pace, mode, ..ReplayRequest::all(self.at("demo:dlq"), ReplayTo::Origin) };
        let prepared = replay::plan(request, &Self::control()).await.unwrap();
        replay::run(prepared, &self.journals(), &Self::control()).await.unwrap()
    }

    fn count(&self, queue: &str) -> usize {
        self.memory.snapshot(queue).unwrap().len()
    }
}

fn verify(seconds: f64) -> Pace {
    Pace { verify_s: Some(seconds), ..Pace::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_back_is_told_by_group_and_decides_the_exit_code() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        let shop = Shop::new(profile, 1, 20);
        let consumer = shop.consume();
        let report = shop.replay(verify(20.0), Mode::Streaming).await;
        consumer.abort();
        let seen = report.verification.as_ref().unwrap();
        assert_eq!((seen.sent, seen.consumed, seen.waiting, seen.bounced), (20, Some(18), Some(0), 2), "{seen:#?}");
        assert_eq!(
            seen.groups.iter().map(|group| (group.sent, group.same, group.other)).collect::<Vec<_>>(),
            [(20, 2, 0)]
        );
        assert_eq!((report.state, exit_code(&report)), (Ended::Finished, 3));
        assert!(seen.watched_s < 15.0, "it ends when there is nothing more to see");
        assert_eq!(shop.count("dlq"), 2, "a look takes nothing");
        let summary = shop.journals().summary(report.journal.as_deref().unwrap()).unwrap();
        assert_eq!(summary.verification.as_ref(), Some(seen));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_that_nobody_takes_are_told_as_waiting() {
    let shop = Shop::new(Profile::RabbitClassic, 0, 3);
    let report = shop.replay(verify(0.2), Mode::Exact).await;
    let seen = report.verification.as_ref().unwrap();
    assert_eq!((seen.consumed, seen.waiting, seen.bounced, seen.at_most), (Some(0), Some(3), 0, false), "{seen:#?}");
    assert_eq!(seen.groups[0].waiting, 3);
    assert_eq!((exit_code(&report), shop.count("orders")), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_whose_messages_stand_no_look_is_counted_only() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("orders", Profile::RabbitQuorum40).dead_letter_to("dlq").delivery_limit(2))
        .queue(QueueSpec::new("dlq", Profile::RabbitClassic))
        .build();
    let shop = Shop { memory, folder: tempfile::tempdir().unwrap(), mended: Arc::default() };
    shop.memory.publish("orders", Message { payload: Some("good".into()), ..Message::default() }).unwrap();
    shop.memory.reject("orders", 1).unwrap();
    let report = shop.replay(verify(0.2), Mode::Exact).await;
    let seen = report.verification.as_ref().unwrap();
    assert_eq!((seen.waiting, seen.consumed), (Some(1), Some(0)), "{seen:#?}");
    assert!(seen.notes.iter().any(|note| note.contains("was counted and not looked at")), "{seen:#?}");
    assert_eq!(shop.memory.snapshot("orders").unwrap()[0].deliveries.unwrap_or_default(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ramp_stops_at_the_step_that_comes_back_and_a_resume_goes_on_behind_it() {
    for (profile, mode) in [
        (Profile::RabbitClassic, Mode::Streaming),
        (Profile::RabbitQuorum43, Mode::Exact),
        (Profile::RabbitQuorum40, Mode::Streaming),
    ] {
        let shop = Shop::new(profile, 1, 45);
        let consumer = shop.consume();
        let pace = Pace { ramp: vec![1, 5, 20], verify_s: Some(20.0), ..Pace::default() };
        let report = shop.replay(pace, mode).await;
        let told = format!("{profile:?} {mode:?} {report:#?}");
        assert_eq!((report.state, report.done, exit_code(&report)), (Ended::Stopped, 26, 3), "{told}");
        assert_eq!(
            report.steps.iter().map(|step| (step.done, step.passed)).collect::<Vec<_>>(),
            [(1, true), (6, true), (26, false)]
        );
        let error = report.error.as_ref().unwrap();
        assert!(error.message.contains("2 of 26 came back"), "{told}");
        assert!(error.hint.as_ref().unwrap().contains("journal resume"), "{told}");
        assert_eq!((shop.count("dlq"), shop.count("orders")), (45 - 26 + 2, 0), "{told}");
        let id = report.journal.unwrap();
        assert_eq!(shop.journals().summary(&id).unwrap().state, JournalState::Interrupted);
        shop.mended.store(true, Ordering::Relaxed);
        let prepared = resume::prepare(&id, &shop.journals(), &shop).await.unwrap();
        let report = resume::run(prepared, &shop.journals(), &Shop::control()).await.unwrap();
        consumer.abort();
        assert_eq!((report.state, report.done, exit_code(&report)), (Ended::Finished, 45, 0), "{report:#?}");
        assert_eq!((shop.count("dlq"), shop.count("orders")), (2, 0), "{told}");
        assert_eq!(report.verification.unwrap().bounced, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ramp_stops_where_nobody_takes_the_copies_and_is_undone() {
    let shop = Shop::new(Profile::RabbitQuorum43, 0, 30);
    let pace = Pace { ramp: vec![2], verify_s: Some(0.2), ..Pace::default() };
    let report = shop.replay(pace, Mode::Exact).await;
    assert_eq!((report.state, report.done, shop.count("dlq")), (Ended::Stopped, 2, 28), "{report:#?}");
    assert!(report.error.unwrap().message.contains("still waiting"));
    let (id, journals) = (report.journal.unwrap(), shop.journals());
    let prepared = undo::plan(&id, &[], Mode::Exact, &journals, &shop, &Shop::control()).await.unwrap();
    let reports = undo::run(prepared, &journals, &Shop::control()).await.unwrap();
    assert_eq!((reports[0].done, shop.count("dlq"), shop.count("orders")), (2, 30, 0));
    let back = shop.memory.snapshot("dlq").unwrap();
    assert!(back.iter().all(|message| message.headers.get("postroom-replay-count").is_none()));
    assert_eq!(journals.summary(&id).unwrap().state, JournalState::Undone);
    let refused = resume::prepare(&id, &journals, &shop).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
}
