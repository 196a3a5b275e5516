//! Messages that vanish: which go first, what a plan says of those that are late, and that no order is broken.

use std::sync::Arc;
use std::time::Duration;

use postroom::ErrorKind;
use postroom::Result;
use postroom::broker::Address;
use postroom::broker::memory::{Clock as Time, Memory, Profile, QueueSpec};
use postroom::config::Policy;
use postroom::message::{Message, Value};
use postroom::operation::control::{Clock, Control};
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Pace, Plan};
use postroom::operation::planned::{self, Agreed};
use postroom::operation::replay::{self, Prepared, ReplayRequest, ReplayTo};
use postroom::operation::report::Ended;
use postroom::operation::resume::Opener;

/// A queue `from` that drops messages after an hour, at noon.
struct Shop {
    memory: Memory,
    profile: Profile,
    time: Time,
    folder: tempfile::TempDir,
}

fn noon() -> jiff::Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

impl Shop {
    fn new(profile: Profile) -> Self {
        Self::with(profile, QueueSpec::new("from", profile).retention(Duration::from_hours(1)))
    }

    fn with(profile: Profile, from: QueueSpec) -> Self {
        let time = Time::fixed(noon());
        let memory = Memory::builder().clock(time.clone()).queue(from);
        let memory = memory.queue(QueueSpec::new("to", Profile::RabbitClassic)).build();
        Self { memory, profile, time, folder: tempfile::tempdir().unwrap() }
    }

    /// A message that was sent so many minutes before noon, behind those that are there.
    fn send(&self, body: &str, minutes: i64) {
        let sent = noon() - jiff::SignedDuration::from_mins(minutes);
        self.time.set(sent);
        // An SQS queue stamps what it takes in; the others tell what the sender says.
        let mut message = Message { payload: Some(body.to_owned().into()), time: Some(sent), ..Message::default() };
        if matches!(self.profile, Profile::RabbitClassic | Profile::RabbitQuorum43) {
            message.properties.push("timestamp", Value::Int(sent.as_second()));
        }
        self.memory.publish("from", message).unwrap();
        self.time.set(noon());
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: Policy::default() }
    }

    async fn plan(&self, pace: Pace, mode: Mode) -> Prepared {
        let to = ReplayTo::Place(Box::new(self.at("shop:to")));
        let request = ReplayRequest { pace, mode, ..ReplayRequest::all(self.at("shop:from"), to) };
        replay::plan(request, &control()).await.unwrap()
    }

    /// Runs a plan as fast as it goes: where its bodies went, one after the other.
    async fn run(&self, mut prepared: Prepared) -> Vec<String> {
        prepared.plan.pace.rate = None;
        let journals = Journals::at(self.folder.path().join("journal"));
        let report = replay::run(prepared, &journals, &control()).await.unwrap();
        assert_eq!((report.state, report.failed + report.ambiguous), (Ended::Finished, 0), "{report:#?}");
        let there = self.memory.snapshot("to").unwrap();
        there.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
    }
}

#[async_trait::async_trait]
impl Opener for Shop {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

fn control() -> Control {
    Control::new().clock(Clock::fixed(noon())).batch(2)
}

/// So slow that ten messages take so many minutes.
fn ten_in(minutes: f64) -> Pace {
    Pace { rate: Some(10.0 / (minutes * 60.0)), ..Pace::default() }
}

/// What the plan says under a name: whether it passes, whether it warns, and why.
fn said(prepared: &Prepared, name: &str) -> Option<(bool, bool, String)> {
    let check = prepared.plan.checks.iter().find(|check| check.name == name);
    check.map(|check| (check.ok, check.warning, check.why.clone()))
}

fn marked(prepared: &Prepared) -> usize {
    prepared.plan.messages.iter().filter(|message| message.first).count()
}

#[tokio::test]
async fn a_queue_without_an_order_gives_what_vanishes_soon_first() {
    let shop = Shop::new(Profile::SqsStandard);
    (0..8).for_each(|n| shop.send(&format!("young {n}"), 5));
    (0..2).for_each(|n| shop.send(&format!("old {n}"), 50));
    let prepared = shop.plan(ten_in(12.0), Mode::Exact).await;
    // As they stand the old ones would go last, after some 11 minutes; they have 10.
    assert_eq!(marked(&prepared), 2);
    let (ok, warning, why) = said(&prepared, "expiring first").unwrap();
    assert!(ok && !warning && why.starts_with("2 messages that vanish soonest go before all others"), "{why}");
    let (ok, warning, why) = said(&prepared, "expiry").unwrap();
    assert!(ok && warning && why.contains("each has its turn before"), "{why}");
    let went = shop.run(prepared).await;
    assert_eq!((went.len(), &went[..2]), (10, &["old 0".to_owned(), "old 1".to_owned()][..]), "{went:?}");
}

#[tokio::test]
async fn where_nobody_is_late_nothing_is_put_before_the_rest() {
    let shop = Shop::new(Profile::SqsStandard);
    (0..8).for_each(|n| shop.send(&format!("young {n}"), 5));
    (0..2).for_each(|n| shop.send(&format!("old {n}"), 50));
    let prepared = shop.plan(ten_in(5.0), Mode::Exact).await;
    assert_eq!((marked(&prepared), said(&prepared, "expiring first")), (0, None));
    assert_eq!(shop.run(prepared).await[0], "young 0");
    let shop = Shop::new(Profile::SqsStandard);
    shop.send("young", 0);
    assert_eq!(said(&shop.plan(Pace::default(), Mode::Exact).await, "expiry").map(|(ok, ..)| ok), Some(true));
}

#[tokio::test]
async fn a_pace_that_lets_some_vanish_is_refused_with_the_one_that_does_not() {
    let shop = Shop::new(Profile::SqsStandard);
    (0..10).for_each(|n| shop.send(&n.to_string(), 30));
    let prepared = shop.plan(ten_in(60.0), Mode::Exact).await;
    let (ok, _, why) = said(&prepared, "expiry").unwrap();
    assert!(!ok && why.starts_with("4 of 10 messages vanish before their turn"), "{why}");
    assert!(why.contains("--rate 1 reaches") && why.contains("--let-expire"), "{why}");
    let journals = Journals::at(shop.folder.path().join("journal"));
    let refused = replay::run(prepared, &journals, &control()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let pace = Pace { let_expire: true, ..ten_in(60.0) };
    let (ok, warning, why) = said(&shop.plan(pace, Mode::Exact).await, "expiry").unwrap();
    assert!(ok && warning && !why.contains("--let-expire"), "{why}");
    // Messages that are not named: those that come when everything that is there now has vanished.
    let streaming = shop.plan(ten_in(600.0), Mode::Streaming).await;
    let (ok, _, why) = said(&streaming, "expiry").unwrap();
    assert!(!ok && why.starts_with("9 of 10 messages vanish"), "{why}");
    assert_eq!(shop.memory.snapshot("from").unwrap().len(), 10);
}

#[tokio::test]
async fn a_saved_plan_that_lets_some_vanish_is_run_only_where_that_is_agreed_to() {
    let shop = Shop::new(Profile::SqsStandard);
    (0..10).for_each(|n| shop.send(&n.to_string(), 30));
    let saved = shop.plan(ten_in(60.0), Mode::Exact).await.plan.to_json();
    let open = async |agreed| planned::open(Plan::from_json(saved.as_bytes()).unwrap(), &shop, agreed).await;
    let refused = open(Agreed::default()).await.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused:?}");
    assert!(refused.message().contains("--let-expire lets them go"), "{refused:?}");
    let agreed = open(Agreed { let_expire: true, ..Agreed::default() }).await.unwrap();
    let planned::Prepared::Replay(prepared) = agreed else { panic!("it is a replay") };
    let (ok, warning, why) = said(&prepared, "expiry").unwrap();
    assert!(ok && warning && why.contains("4 of 10 messages vanish") && !why.contains("--let-expire"), "{why}");
    assert!(prepared.plan.pace.let_expire);
    assert_eq!(shop.run(*prepared).await.len(), 10);
}

#[tokio::test]
async fn a_plan_that_waited_is_refused_when_some_would_be_late_by_now() {
    let shop = Shop::new(Profile::SqsStandard);
    (0..10).for_each(|n| shop.send(&n.to_string(), 30));
    let prepared = shop.plan(ten_in(20.0), Mode::Exact).await;
    assert!(said(&prepared, "expiry").unwrap().0);
    let later = control().clock(Clock::fixed(noon() + jiff::SignedDuration::from_mins(20)));
    let journals = Journals::at(shop.folder.path().join("journal"));
    let refused = replay::run(prepared, &journals, &later).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "{refused:?}");
    assert!(refused.message().contains("vanish before their turn"), "{refused:?}");
    assert!(journals.list().unwrap().0.is_empty());
}

#[tokio::test]
async fn the_order_of_a_queue_is_broken_only_where_that_is_asked_for() {
    let shop = Shop::new(Profile::RabbitQuorum43);
    (0..8).for_each(|n| shop.send(&format!("young {n}"), 5));
    (0..2).for_each(|n| shop.send(&format!("old {n}"), 50));
    let (ok, _, why) = said(&shop.plan(ten_in(12.0), Mode::Exact).await, "expiry").unwrap();
    assert!(!ok && why.contains("--expiring-first sends those first, out of the queue's order"), "{why}");
    let pace = Pace { expiring_first: true, ..ten_in(12.0) };
    let prepared = shop.plan(pace, Mode::Streaming).await;
    let (ok, warning, why) = said(&prepared, "expiring first").unwrap();
    assert!(ok && warning && why.contains("order is not kept"), "{why}");
    let went = shop.run(prepared).await;
    assert_eq!(went[..3], ["old 0", "old 1", "young 0"], "{went:?}");
    assert_eq!(went.len(), 10);
}

#[tokio::test]
async fn messages_of_one_key_go_first_together_and_in_order() {
    let shop = Shop::new(Profile::RabbitClassic);
    for (body, minutes) in
        [("a young", 5), ("b young", 5), ("c young", 5), ("a young 2", 5), ("b old", 50), ("b young 2", 5)]
    {
        shop.send(&format!(r#"{{"key":"{}","body":"{body}"}}"#, &body[..1]), minutes);
    }
    let pace = Pace { expiring_first: true, per_key: Some("body.key".into()), ..ten_in(30.0) };
    let prepared = shop.plan(pace, Mode::Exact).await;
    let (ok, warning, why) = said(&prepared, "expiring first").unwrap();
    assert!(ok && !warning, "{why}");
    let bodies = shop.run(prepared).await;
    let body =
        |text: &String| serde_json::from_str::<serde_json::Value>(text).unwrap()["body"].as_str().unwrap().to_owned();
    let went: Vec<_> = bodies.iter().map(body).collect();
    assert_eq!(went[..2], ["b young", "b old"], "{went:?}");
    let of = |key: &str| went.iter().filter(|body| body.starts_with(key)).cloned().collect::<Vec<_>>();
    assert_eq!(of("a"), ["a young", "a young 2"]);
    assert_eq!(of("b"), ["b young", "b old", "b young 2"]);
}

#[tokio::test]
async fn a_log_is_read_oldest_first_as_it_is_and_late_records_are_told() {
    let shop = Shop::new(Profile::Kafka);
    (0..10).for_each(|n| shop.send(&n.to_string(), 50));
    let pace = Pace { expiring_first: true, ..ten_in(60.0) };
    let prepared = shop.plan(pace, Mode::Exact).await;
    assert!(said(&prepared, "expiring first").unwrap().2.contains("oldest first as it is"));
    let (ok, warning, why) = said(&prepared, "expiry").unwrap();
    // A segment goes as a whole, and later than its oldest record might.
    assert!(ok && warning && why.contains("may vanish before their turn"), "{why}");
    assert_eq!(shop.run(prepared).await.len(), 10);
    let (ok, warning, why) = said(&shop.plan(ten_in(600.0), Mode::Streaming).await, "expiry").unwrap();
    assert!(ok && warning && why.starts_with("9 of 10 messages may vanish"), "{why}");
}

#[tokio::test]
async fn what_goes_to_a_dead_letter_queue_by_its_age_is_not_lost() {
    let from = QueueSpec::new("from", Profile::RabbitQuorum43).message_ttl(Duration::from_mins(30));
    let shop = Shop::with(Profile::RabbitQuorum43, from.dead_letter_to("to"));
    (0..10).for_each(|n| shop.send(&n.to_string(), 20));
    let (ok, warning, why) = said(&shop.plan(ten_in(60.0), Mode::Exact).await, "expiry").unwrap();
    assert!(ok && warning && why.contains("go to to by their age before their turn"), "{why}");
}
