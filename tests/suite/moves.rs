//! What a replay and a drain do with each kind of message, and what they refuse.

use std::sync::{Arc, Mutex};

use postroom::broker::memory::{ExchangeSpec, Fault, Memory, Profile, PublishFault, QueueSpec};
use postroom::config::Policy;
use postroom::message::filter::Pick;
use postroom::message::fingerprint::{Rules, fingerprint};
use postroom::message::{Fields, Message, Value};
use postroom::operation::control::Control;
use postroom::operation::drain::{self, DrainRequest, DrainTo};
#[cfg(feature = "jq")]
use postroom::operation::edit::Edit;
use postroom::operation::journal::{JournalState, Journals, LogFile};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Plan, Verb};
use postroom::operation::planned::{self, Agreed};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report, exit_code};
use postroom::operation::resume::{self, Opener};
use postroom::operation::select::Selection;
use postroom::{ErrorKind, Result};

struct Shop {
    memory: Memory,
    folder: tempfile::TempDir,
    policy: Policy,
}

#[async_trait::async_trait]
impl Opener for Shop {
    async fn place(&self, address: &postroom::broker::Address) -> Result<Place> {
        Ok(Place { address: address.clone(), broker: Arc::new(self.memory.clone()), policy: self.policy.clone() })
    }
}

fn message(body: &str) -> Message {
    Message { payload: Some(body.to_owned().into()), ..Message::default() }
}

impl Shop {
    /// Two queues behind an exchange, both dead-lettering into one.
    fn new() -> Self {
        let memory = Memory::builder()
            .queue(QueueSpec::new("orders", Profile::RabbitQuorum43).dead_letter_to("dlq"))
            .queue(QueueSpec::new("mails", Profile::RabbitClassic).dead_letter_to("dlq"))
            .queue(QueueSpec::new("dlq", Profile::RabbitQuorum43))
            .queue(QueueSpec::new("log", Profile::Kafka).partitions(2))
            .exchange(ExchangeSpec::topic("shop").bind("order.*", "orders").bind("mail.*", "mails"))
            .build();
        Self { memory, folder: tempfile::tempdir().unwrap(), policy: Policy::default() }
    }

    fn die(&self, exchange: &str, key: &str, body: &str) {
        let queue = if key.starts_with("order") { "orders" } else { "mails" };
        let message = Message { key: Some(key.to_owned().into()), ..message(body) };
        if exchange.is_empty() {
            self.memory.publish(queue, message).unwrap();
        } else {
            self.memory.publish_to_exchange(exchange, message).unwrap();
        }
        self.memory.reject(queue, 1).unwrap();
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: self.policy.clone() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    fn request(&self, to: ReplayTo, mode: Mode) -> ReplayRequest {
        ReplayRequest { mode, ..ReplayRequest::all(self.at("demo:dlq"), to) }
    }

    async fn replay(&self, request: ReplayRequest) -> Report {
        let prepared = replay::plan(request, &Control::new()).await.unwrap();
        replay::run(prepared, &self.journals(), &Control::new()).await.unwrap()
    }

    fn bodies(&self, queue: &str) -> Vec<String> {
        let messages = self.memory.snapshot(queue).unwrap();
        messages.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
    }
}

#[tokio::test]
async fn each_message_goes_to_its_own_origin_and_the_rest_stays_with_its_reason() {
    for mode in [Mode::Exact, Mode::Streaming] {
        let shop = Shop::new();
        shop.die("shop", "order.created", "a");
        shop.die("", "mail", "b");
        shop.memory.publish("dlq", message("nobody knows")).unwrap();
        shop.die("shop", "mail.sent", "c");
        let prepared = replay::plan(shop.request(ReplayTo::Origin, mode), &Control::new()).await.unwrap();
        if mode == Mode::Exact {
            let to: Vec<_> = prepared.plan.destinations.iter().map(|d| (d.address.as_str(), d.messages)).collect();
            assert_eq!(to, [("demo:exchange:shop", Some(2)), ("demo:mails", Some(1))]);
            assert_eq!(prepared.plan.skipped.len(), 1);
        }
        let report = replay::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
        let skipped = u64::from(mode == Mode::Streaming);
        assert_eq!((report.state, report.done, report.skipped), (Ended::Finished, 3, skipped), "{report:#?}");
        assert_eq!(exit_code(&report), 0);
        // Order is kept for each destination, and there are two that lead to this queue.
        let mut mails = shop.bodies("mails");
        mails.sort();
        assert_eq!((shop.bodies("orders"), mails), (vec!["a".into()], vec!["b".into(), "c".into()]));
        assert_eq!(shop.bodies("dlq"), ["nobody knows"]);
        let copy = shop.memory.snapshot("orders").unwrap().remove(0);
        assert_eq!(copy.key.as_deref(), Some(b"order.created".as_slice()));
        assert_eq!(copy.headers.get("postroom-replay-count"), Some(&Value::Int(1)));
        let journal = report.journal.unwrap();
        assert_eq!(copy.headers.get_str("postroom-replay-id"), Some(format!("{journal}-1").as_str()));
        assert!(copy.headers.get("x-death").is_some());
        let shown = shop.journals().show(&journal).unwrap();
        assert_eq!((shown.summary.state, shown.summary.done), (JournalState::Finished, 3));
        let error = resume::prepare(&journal, &shop.journals(), &shop).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused);
    }
}

#[tokio::test]
async fn a_second_replay_of_the_same_message_has_to_be_asked_for() {
    let shop = Shop::new();
    shop.die("shop", "order.created", "a");
    shop.replay(shop.request(ReplayTo::Origin, Mode::Exact)).await;
    shop.memory.reject("orders", 1).unwrap();
    let report = shop.replay(shop.request(ReplayTo::Origin, Mode::Streaming)).await;
    assert_eq!((report.done, report.skipped, exit_code(&report)), (0, 1, 1));
    assert!(report.problems[0].why.contains("--again"), "{report:#?}");
    let request = ReplayRequest { again: true, ..shop.request(ReplayTo::Origin, Mode::Streaming) };
    assert_eq!(shop.replay(request).await.done, 1);
    let copy = shop.memory.snapshot("orders").unwrap().remove(0);
    assert_eq!(copy.headers.get("postroom-replay-count"), Some(&Value::Int(2)));
}

#[tokio::test]
async fn what_was_replayed_too_often_is_parked_as_it_is_or_stays() {
    for mode in [Mode::Exact, Mode::Streaming] {
        let shop = Shop::new();
        for (body, replays) in [("new", 0), ("once", 1), ("loop", 2), ("worse", 9)] {
            let headers =
                Fields::from_iter([("postroom-replay-count", Value::Int(replays)), ("MT-Reason", "x".into())]);
            shop.memory.publish("dlq", Message { headers, ..message(body) }).unwrap();
        }
        let to = || ReplayTo::Place(Box::new(shop.at("demo:orders")));
        let kept = ReplayRequest { max_replays: Some(2), ..shop.request(to(), mode) };
        let path = shop.folder.path().join("parked.jsonl");
        let park = Some(Box::new(Place {
            broker: Arc::new(postroom::broker::archive::Archive::new()),
            ..shop.at(&format!("file:{}", path.display()))
        }));
        let parks = ReplayRequest { park: park.clone(), limit: Some(3), ..kept.clone() };
        let report = shop.replay(parks).await;
        assert_eq!((report.done, report.skipped, exit_code(&report)), (3, 0, 0), "{report:#?}");
        assert_eq!(report.destinations.iter().map(|d| d.done).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(
            (shop.bodies("orders"), shop.bodies("dlq")),
            (vec!["new".into(), "once".into()], vec!["worse".into()])
        );
        assert!(shop.memory.snapshot("orders").unwrap().iter().all(|copy| copy.headers.get("MT-Reason").is_none()));
        let text = std::fs::read(&path).unwrap();
        let parked = postroom::message::jsonl::read_line(&text).unwrap();
        assert_eq!(parked.headers.get("postroom-replay-count"), Some(&Value::Int(2)), "parking is no replay");
        assert!(parked.headers.get("MT-Reason").is_some());
        let report = shop.replay(ReplayRequest { mode: Mode::Streaming, ..kept }).await;
        assert_eq!((report.done, report.skipped), (0, 1), "{report:#?}");
        assert!(report.problems[0].why.contains("--park"), "{report:#?}");
        let same = ReplayRequest {
            park: Some(Box::new(shop.at("demo:dlq"))),
            max_replays: Some(1),
            ..shop.request(to(), mode)
        };
        assert_eq!(replay::plan(same, &Control::new()).await.map(|_| ()).unwrap_err().kind(), ErrorKind::Refused);
    }
}

#[tokio::test]
async fn a_drain_to_a_queue_moves_the_head_aside_with_its_reason_and_leaves_the_rest() {
    for mode in [Mode::Exact, Mode::Streaming] {
        let shop = Shop::new();
        for body in ["a", "b", "c"] {
            shop.die("", "order", body);
        }
        let to = ReplayTo::Place(Box::new(shop.at("demo:mails")));
        let request = ReplayRequest {
            verb: Verb::Drain,
            limit: Some(2),
            reason: Some("poison: no total".into()),
            ..shop.request(to, mode)
        };
        let report = shop.replay(request.clone()).await;
        assert_eq!((report.done, report.skipped, report.verb), (2, 0, Verb::Drain), "{report:#?}");
        assert_eq!((shop.bodies("mails"), shop.bodies("dlq")), (vec!["a".into(), "b".into()], vec!["c".into()]));
        let aside = shop.memory.snapshot("mails").unwrap().remove(0);
        assert_eq!(aside.headers.get_str("postroom-reason"), Some("poison: no total"));
        assert_eq!(aside.headers.get("postroom-replay-count"), None);
        assert!(aside.headers.get("x-death").is_some());
        // A plan of it is run from its file, and a drain takes what was drained before.
        let text =
            replay::plan(ReplayRequest { mode: Mode::Exact, ..request }, &Control::new()).await.unwrap().plan.to_json();
        let prepared =
            planned::open(Plan::from_json(text.as_bytes()).unwrap(), &shop, Agreed::default()).await.unwrap();
        assert_eq!(planned::run(prepared, &shop.journals(), &Control::new()).await.unwrap().done, 1);
        assert_eq!(shop.memory.snapshot("mails").unwrap().len(), 3);
    }
}

#[tokio::test]
async fn what_the_target_refuses_stays_and_is_named() {
    let shop = Shop::new();
    for body in ["a", "b", "c"] {
        shop.die("", "order", body);
    }
    let to = ReplayTo::Place(Box::new(shop.at("demo:mails")));
    let prepared = replay::plan(shop.request(to, Mode::Streaming), &Control::new()).await.unwrap();
    shop.memory.arm(Fault::Publish(PublishFault::Nacked), 2);
    let report = replay::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!((report.done, report.failed, exit_code(&report)), (2, 1, 3), "{report:#?}");
    assert_eq!((shop.bodies("dlq"), shop.bodies("mails")), (vec!["b".into()], vec!["a".into(), "c".into()]));
}

#[tokio::test]
async fn a_saved_plan_acts_on_what_it_names_and_on_nothing_that_came_later() {
    let shop = Shop::new();
    for body in ["a", "b", "b"] {
        shop.die("", "order", body);
    }
    let request = ReplayRequest { limit: Some(2), ..shop.request(ReplayTo::Origin, Mode::Exact) };
    let text = replay::plan(request, &Control::new()).await.unwrap().plan.to_json();
    shop.memory.consume("dlq", 1).unwrap();
    shop.die("", "order", "later");
    let plan = Plan::from_json(text.as_bytes()).unwrap();
    let prepared = planned::open(plan, &shop, Agreed::default()).await.unwrap();
    let report = planned::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!((report.planned, report.done, report.skipped), (2, 1, 1), "{report:#?}");
    assert_eq!(report.problems[0].why, "it is no longer in the queue");
    assert_eq!((shop.bodies("orders"), shop.bodies("dlq")), (vec!["b".into()], vec!["b".into(), "later".into()]));
}

#[tokio::test]
async fn the_source_a_missing_target_and_a_read_only_profile_are_refused_before_anything_is_done() {
    let mut shop = Shop::new();
    shop.die("", "order", "a");
    let refusal = async |shop: &Shop, to: &str| {
        let to = ReplayTo::Place(Box::new(shop.at(to)));
        replay::plan(shop.request(to, Mode::Exact), &Control::new()).await.map(|_| ()).unwrap_err().kind()
    };
    assert_eq!(refusal(&shop, "demo:dlq").await, ErrorKind::Refused);
    assert_eq!(refusal(&shop, "demo:typo").await, ErrorKind::NotFound);
    shop.policy.read_only = true;
    shop.memory.delete("orders");
    assert_eq!(refusal(&shop, "demo:orders").await, ErrorKind::Refused);
    let to = DrainTo::Archive(shop.folder.path().join("a.jsonl"));
    let request = DrainRequest {
        source: shop.at("demo:nothing-is-asked"),
        to,
        selection: Selection::all(),
        limit: None,
        rescue: false,
        mode: Mode::Exact,
        undoes: None,
    };
    assert_eq!(drain::plan(request, &Control::new()).await.map(|_| ()).unwrap_err().kind(), ErrorKind::Refused);
    assert!(!shop.journals().folder().exists());
}

#[tokio::test]
async fn a_discard_drops_what_matches_and_an_existing_archive_is_refused() {
    let shop = Shop::new();
    for body in ["a", "b", "c"] {
        shop.die("", "order", body);
    }
    let path = shop.folder.path().join("a.jsonl");
    std::fs::write(&path, "mine").unwrap();
    let request = |to, filter| DrainRequest {
        source: shop.at("demo:dlq"),
        to,
        selection: Selection::parse(filter, None, jiff::Timestamp::UNIX_EPOCH, &std::sync::Arc::default()).unwrap(),
        limit: None,
        rescue: false,
        mode: Mode::Streaming,
        undoes: None,
    };
    let refused = drain::plan(request(DrainTo::Archive(path.clone()), None), &Control::new()).await;
    assert_eq!(refused.map(|_| ()).unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    let prepared = drain::plan(request(DrainTo::Discard, Some("body=b")), &Control::new()).await.unwrap();
    assert!(prepared.plan.checks.iter().any(|check| check.why.contains("gone for good")));
    let report = drain::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!(report.done, 1);
    assert_eq!(shop.bodies("dlq"), ["a", "c"]);
}

#[tokio::test]
async fn what_distorts_a_replay_is_left_out_of_the_copy() {
    let shop = Shop::new();
    let properties = Fields::from_iter([("expiration", Value::from("60000")), ("type", Value::from("order"))]);
    let headers = Fields::from_iter([("x-acquired-count", Value::Int(3)), ("tenant", Value::from("acme"))]);
    shop.memory.publish("dlq", Message { properties, headers, ..message("a") }).unwrap();
    let to = ReplayTo::Place(Box::new(shop.at("demo:orders")));
    assert_eq!(shop.replay(shop.request(to, Mode::Streaming)).await.done, 1);
    let copy = shop.memory.snapshot("orders").unwrap().remove(0);
    assert!(copy.properties.get("expiration").is_none());
    assert_eq!(copy.properties.get_str("type"), Some("order"));
    assert_eq!(copy.headers.get_str("tenant"), Some("acme"));
    assert!(copy.headers.get("x-acquired-count").is_none());
}

/// RabbitMQ's properties have no place in a record of Kafka or beside SQS's attributes.
#[tokio::test]
async fn another_kind_of_broker_gets_properties_as_headers_and_the_original_is_kept() {
    for (profile, mode) in [(Profile::Kafka, Mode::Exact), (Profile::SqsStandard, Mode::Streaming)] {
        let shop = Shop::new();
        let there = Memory::builder().queue(QueueSpec::new("there", profile)).build();
        let properties = [
            ("content_type", Value::from("application/json")),
            ("delivery_mode", Value::Int(2)),
            ("expiration", Value::from("60000")),
            ("message_id", Value::from("m-7")),
        ];
        let dead = Message { properties: Fields::from_iter(properties), key: Some("order".into()), ..message("a") };
        shop.memory.publish("dlq", dead.clone()).unwrap();
        let other = Place { broker: Arc::new(there.clone()), ..shop.at("shop:there") };
        let request = ReplayRequest { verb: Verb::Drain, ..shop.request(ReplayTo::Place(Box::new(other)), mode) };
        let prepared = replay::plan(request, &Control::new()).await.unwrap();
        let converted = prepared.plan.header_policy.converted;
        assert_eq!(converted, (mode == Mode::Exact).then_some(2), "{:#?}", prepared.plan.header_policy);
        let report = replay::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
        assert_eq!((report.done, report.failed), (1, 0), "{report:#?}");
        let copy = there.snapshot("there").unwrap().remove(0);
        assert_eq!(copy.headers.get_str("content_type"), Some("application/json"));
        assert_eq!(copy.headers.get_str("message_id"), Some("m-7"));
        assert!(["delivery_mode", "expiration"].iter().all(|name| copy.headers.get(name).is_none()));
        let left = shop.memory.snapshot("dlq").unwrap();
        assert!(left.is_empty(), "{left:?}");
        let journal = report.journal.unwrap();
        let kept = std::fs::read_dir(shop.folder.path().join("journal").join(journal)).unwrap();
        let kept = kept.map(|file| file.unwrap().path()).find(|file| file.ends_with("originals.jsonl")).unwrap();
        let original = postroom::message::jsonl::read_line(&std::fs::read(kept).unwrap()).unwrap();
        assert_eq!(original.properties, dead.properties);
    }
}

impl Shop {
    /// A log of one partition's worth of records, each under the same key.
    fn log(&self, bodies: &[&str]) {
        for body in bodies {
            self.memory.publish("log", Message { key: Some("k".into()), ..message(body) }).unwrap();
        }
    }

    fn replay_of_log(&self, filter: Option<&str>, mode: Mode) -> ReplayRequest {
        let to = ReplayTo::Place(Box::new(self.at("demo:orders")));
        ReplayRequest { source: self.at("demo:log"), selection: selection(filter), ..self.request(to, mode) }
    }

    fn drain_of_log(&self, filter: Option<&str>, mode: Mode) -> DrainRequest {
        let to = DrainTo::Archive(self.folder.path().join(format!("{}.jsonl", filter.is_some())));
        let source = self.at("demo:log");
        DrainRequest { source, to, selection: selection(filter), limit: None, rescue: false, mode, undoes: None }
    }

    async fn drain(&self, request: DrainRequest) -> Report {
        let prepared = drain::plan(request, &Control::new()).await.unwrap();
        drain::run(prepared, &self.journals(), &Control::new()).await.unwrap()
    }

    fn archived(&self, filtered: bool) -> Vec<String> {
        let text = std::fs::read(self.folder.path().join(format!("{filtered}.jsonl"))).unwrap();
        let lines = text.split_inclusive(|byte| *byte == b'\n').map(postroom::message::jsonl::read_line);
        lines.map(|message| String::from_utf8_lossy(message.unwrap().body()).into_owned()).collect()
    }
}

fn selection(filter: Option<&str>) -> Selection {
    Selection::parse(filter, None, jiff::Timestamp::UNIX_EPOCH, &Arc::default()).unwrap()
}

#[tokio::test]
async fn a_log_keeps_what_was_replayed_and_gives_it_out_once() {
    for mode in [Mode::Exact, Mode::Streaming] {
        let shop = Shop::new();
        shop.log(&["a", "b", "c"]);
        let report = shop.replay(shop.replay_of_log(Some("body~[ab]"), mode)).await;
        assert_eq!((report.done, report.skipped, exit_code(&report)), (2, 0, 0), "{report:#?}");
        assert_eq!(report.notes, ["the source keeps its records: 2 handled, at most 1 left"]);
        shop.log(&["d"]);
        // A plan that may read the journals says it before, and a run finds it out in any case.
        let control = Control::new().journals(shop.journals());
        let plan = replay::plan(shop.replay_of_log(None, Mode::Exact), &control).await.unwrap().plan;
        assert_eq!((plan.planned, plan.skipped.len()), (2, 2));
        assert!(plan.skipped[0].why.contains("--again"), "{:?}", plan.skipped);
        let report = shop.replay(shop.replay_of_log(None, mode)).await;
        assert_eq!((report.done, report.skipped), (2, 2), "{report:#?}");
        assert_eq!(shop.bodies("orders"), ["a", "b", "c", "d"]);
        let again = ReplayRequest { again: true, ..shop.replay_of_log(Some("body=a"), mode) };
        assert_eq!(shop.replay(again).await.done, 1);
        let copy = ReplayRequest { keep: true, ..shop.replay_of_log(Some("body=a"), mode) };
        assert_eq!(shop.replay(copy).await.done, 1, "a copy handles nothing and asks nobody");
        assert_eq!(shop.bodies("log").len(), 4);
    }
}

#[tokio::test]
async fn a_drain_of_a_log_removes_only_what_is_archived_or_replayed_from_its_start() {
    for mode in [Mode::Exact, Mode::Streaming] {
        let shop = Shop::new();
        shop.log(&["a", "b", "c", "d", "e"]);
        assert_eq!(shop.replay(shop.replay_of_log(Some("body~[bd]"), mode)).await.done, 2);
        let report = shop.drain(shop.drain_of_log(Some("body~[ae]"), mode)).await;
        // a goes, b was replayed and goes with it, c stays, and so does what stands behind it.
        assert_eq!((report.done, report.skipped, report.ambiguous), (1, 1, 0), "{report:#?}");
        assert_eq!(report.problems[0].why, "it is archived and stays: something before it in its partition stays");
        assert_eq!(
            (shop.archived(true), shop.bodies("log")),
            (vec!["a".into(), "e".into()], vec!["c".into(), "d".into(), "e".into()])
        );
        let shown = shop.journals().show(&report.journal.unwrap()).unwrap();
        assert_eq!((shown.summary.state, shown.summary.done, shown.summary.skipped), (JournalState::Finished, 1, 1));
        let prepared = drain::plan(shop.drain_of_log(None, mode), &Control::new()).await.unwrap();
        shop.log(&["later"]);
        let report = drain::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
        assert_eq!((report.planned, report.done), (3, 3), "{report:#?}");
        assert_eq!(
            (shop.archived(false), shop.bodies("log")),
            (vec!["c".into(), "d".into(), "e".into()], vec!["later".into()])
        );
    }
}

#[cfg(feature = "jq")]
#[tokio::test]
async fn an_edit_changes_what_is_sent_and_what_it_fails_for_stays() {
    let shop = Shop::new();
    for body in ["{\"n\":1.10}", "no number", "{\"n\":2}", "{\"n\":3,\"seen\":true}"] {
        shop.die("", "order", body);
    }
    let edit = Some(Edit::parse("if .body.seen then . else .body.seen = true end").unwrap());
    let request = ReplayRequest { edit, ..shop.request(ReplayTo::Origin, Mode::Streaming) };
    let prepared = replay::plan(request, &Control::new()).await.unwrap();
    let planned = prepared.plan.edit.clone().unwrap();
    assert_eq!((planned.changed, planned.unchanged, planned.failed, prepared.plan.planned), (2, 1, 1, 3));
    assert_eq!(prepared.samples[0].after.body(), b"{\"n\":1.10,\"seen\":true}");
    let report = replay::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!((report.state, report.done), (Ended::Finished, 3), "{report:#?}");
    let changed = ["{\"n\":1.10,\"seen\":true}", "{\"n\":2,\"seen\":true}", "{\"n\":3,\"seen\":true}"];
    assert_eq!(shop.bodies("orders"), changed);
    assert_eq!(shop.bodies("dlq"), ["no number"]);
}

/// A journal's log by which a second batch is stopped before it is published: the first intents get on disk when both
/// batches are held, and the next when the first batch is sent.
struct Late {
    file: std::fs::File,
    memory: Memory,
    syncs: usize,
}

impl LogFile for Late {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.file.append(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.syncs += 1;
        let count = |queue| self.memory.snapshot(queue).unwrap().len();
        match self.syncs {
            1 => {
                while self.memory.held("dlq").unwrap().len() < 20 {
                    std::thread::yield_now();
                }
            }
            2 => {
                while count("orders") < 10 {
                    std::thread::yield_now();
                }
                self.memory.stall(&["publish", "remove"]);
            }
            _ => {}
        }
        self.file.sync()
    }
}

#[tokio::test]
async fn a_batch_is_sent_while_the_source_answers_for_the_removal_of_another() {
    let shop = Shop::new();
    for n in 0..40 {
        shop.die("", "order", &n.to_string());
    }
    let memory = shop.memory.clone();
    let journals = shop.journals().log_files(move |_, file| Box::new(Late { file, memory: memory.clone(), syncs: 0 }));
    let prepared = replay::plan(shop.request(ReplayTo::Origin, Mode::Streaming), &Control::new()).await.unwrap();
    let control = Control::new().batch(10);
    let run = replay::run(prepared, &journals, &control);
    let second = async {
        // The removal of the first batch gets no answer; the second one is on its way by then, or even there where the
        // journal's thread was late and wrote the intents of both at once.
        shop.memory.stalled("remove").await;
        shop.memory.stall(&["remove"]);
        while shop.bodies("orders").len() < 20 {
            tokio::task::yield_now().await;
        }
        // Nothing was removed meanwhile.
        assert_eq!(shop.memory.held("dlq").unwrap().len() + shop.bodies("dlq").len(), 40);
        shop.memory.stall(&[]);
    };
    let both = tokio::time::timeout(std::time::Duration::from_secs(20), async { tokio::join!(run, second) });
    let (report, ()) = Box::pin(both).await.expect("the second batch is sent before the first is removed");
    let report = report.unwrap();
    assert_eq!((report.state, report.done), (Ended::Finished, 40), "{report:#?}");
    assert_eq!(shop.bodies("orders"), (0..40).map(|n| n.to_string()).collect::<Vec<_>>());
    assert!(shop.bodies("dlq").is_empty());
}

#[cfg(feature = "jq")]
#[tokio::test]
async fn a_saved_plan_and_a_resume_edit_as_the_first_run_would_have() {
    let shop = Shop::new();
    for body in ["{}"; 3] {
        shop.die("", "order", body);
    }
    let request = |limit| ReplayRequest {
        edit: Some(Edit::parse(".body.x = 1").unwrap()),
        limit,
        ..shop.request(ReplayTo::Origin, Mode::Exact)
    };
    let text = replay::plan(request(Some(1)), &Control::new()).await.unwrap().plan.to_json();
    let prepared = planned::open(Plan::from_json(text.as_bytes()).unwrap(), &shop, Agreed::default()).await.unwrap();
    planned::run(prepared, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!(shop.bodies("orders"), ["{\"x\":1}"]);
    // Nothing of the second run gets anywhere, and its resume does all of it.
    let control = Control::new();
    control.cancel.cancel();
    let prepared = replay::plan(request(None), &Control::new()).await.unwrap();
    let report = replay::run(prepared, &shop.journals(), &control).await.unwrap();
    assert_eq!((report.state, report.done), (Ended::Interrupted, 0), "{report:#?}");
    let id = report.journal.unwrap();
    // A journal whose digests are made by another hash names none of the messages: it is left alone.
    let head = shop.journals().folder().join(&id).join("head.json");
    let text = std::fs::read_to_string(&head).unwrap();
    std::fs::write(&head, text.replace("sha-256", "sha3-256")).unwrap();
    assert_eq!(resume::prepare(&id, &shop.journals(), &shop).await.unwrap_err().kind(), ErrorKind::Refused);
    std::fs::write(&head, text).unwrap();
    let again = resume::prepare(&id, &shop.journals(), &shop).await.unwrap();
    let report = resume::run(again, &shop.journals(), &Control::new()).await.unwrap();
    assert_eq!(report.state, Ended::Finished, "{report:#?}");
    assert_eq!(shop.bodies("orders"), ["{\"x\":1}"; 3]);
    assert!(shop.bodies("dlq").is_empty());
}

#[tokio::test]
async fn a_broker_that_lets_publishers_wait_is_named_while_it_does_and_in_the_report() {
    let shop = Shop::new();
    shop.die("", "order", "a");
    shop.memory.block(Some("the broker is low on memory"));
    let (memory, seen) = (shop.memory.clone(), Arc::new(Mutex::new(Vec::new())));
    let ticks = Arc::clone(&seen);
    let control = Control::new().on_tick(move |tick| {
        // What waits is let go as soon as it was told.
        if tick.waits.is_some() {
            memory.block(None);
        }
        ticks.lock().unwrap().push(tick.waits);
    });
    let to = ReplayTo::Place(Box::new(shop.at("demo:orders")));
    let prepared = replay::plan(shop.request(to, Mode::Exact), &control).await.unwrap();
    let report = replay::run(prepared, &shop.journals(), &control).await.unwrap();
    assert_eq!((report.state, report.done), (Ended::Finished, 1));
    let seen = seen.lock().unwrap();
    assert!(seen.contains(&Some("the broker is low on memory".to_owned())), "{seen:?}");
    assert_eq!(seen.last(), Some(&None), "it goes on");
    assert_eq!(report.notes, ["the run had to wait: the broker is low on memory"]);
}

#[tokio::test]
async fn a_resume_takes_the_group_that_the_first_run_meant_whatever_the_rules_say_now() {
    let shop = Shop::new();
    for tenant in ["acme", "acme", "globex"] {
        shop.die("", "order", &format!("{{\"tenant\":\"{tenant}\"}}"));
    }
    let rules = Arc::new(Rules::default().key(Pick::parse("body.tenant").unwrap()));
    let acme = message("{\"tenant\":\"acme\"}");
    let group = fingerprint(&acme, None, &rules).id.to_string();
    let selection = Selection::parse(None, Some(&group), jiff::Timestamp::UNIX_EPOCH, &rules).unwrap();
    let control = Control::new();
    control.cancel.cancel();
    for mode in [Mode::Exact, Mode::Streaming] {
        let request =
            ReplayRequest { selection: selection.clone(), limit: Some(1), ..shop.request(ReplayTo::Origin, mode) };
        let prepared = replay::plan(request, &Control::new()).await.unwrap();
        assert_eq!(prepared.plan.rules.as_ref().unwrap().key, ["body.tenant"]);
        let report = replay::run(prepared, &shop.journals(), &control).await.unwrap();
        assert_eq!((report.state, report.done), (Ended::Interrupted, 0), "{report:#?}");
        // Nobody has such rules any more.
        let again = resume::prepare(&report.journal.unwrap(), &shop.journals(), &shop).await.unwrap();
        let report = resume::run(again, &shop.journals(), &Control::new()).await.unwrap();
        assert_eq!((report.state, report.done), (Ended::Finished, 1), "{mode:?} {report:#?}");
    }
    assert_eq!(shop.bodies("orders"), ["{\"tenant\":\"acme\"}"; 2]);
    assert_eq!(shop.bodies("dlq"), ["{\"tenant\":\"globex\"}"]);
}
