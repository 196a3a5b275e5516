//! Moves between queues of the fake SQS, while everything goes wrong that can: nothing is removed whose copy was not
//! confirmed, and what may be there twice is in the report.

use std::collections::BTreeMap;
use std::sync::Arc;

use libtest_mimic::Trial;
use postroom::broker::{Address, Broker};
use postroom::config::Policy;
use postroom::operation::control::Control;
use postroom::operation::drain::{self, DrainRequest, DrainTo};
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::plan::Mode;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::select::Selection;
use serde_json::json;

use super::{connect, run};
use crate::fake_sqs::{Fake, Fault};
use crate::world::{numbered, sorted};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        whatever_goes_wrong_nothing_is_lost_and_what_may_be_twice_is_told,
        a_replay_into_its_own_window_arrives_whole_and_in_order,
        a_filtered_replay_of_a_group_stops_where_it_is_blocked,
        a_drain_leaves_an_empty_queue,
        a_lease_that_ran_out_behind_a_send_is_told_as_a_duplicate,
        what_sqs_wrongly_calls_removed_is_removed_again_and_told,
    ]
}

pub(super) struct Ground {
    url: String,
    broker: Arc<dyn Broker>,
    folder: tempfile::TempDir,
}

impl Ground {
    pub(super) async fn new(fake: Fake) -> Self {
        Self::at(fake.url()).await
    }

    async fn at(url: String) -> Self {
        let broker = connect(&url).await;
        Self { url, broker, folder: tempfile::tempdir().unwrap() }
    }

    pub(super) fn place(&self, queue: &str) -> Place {
        let (region, query) = self.url.split_once('?').unwrap();
        let address: Address = format!("{region}/{queue}?{query}").parse().unwrap();
        Place { address, broker: Arc::clone(&self.broker), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    async fn replay(&self, from: &str, to: &str, selection: Selection) -> Report {
        let request = ReplayRequest {
            selection,
            mode: Mode::Streaming,
            ..ReplayRequest::all(self.place(from), ReplayTo::Place(Box::new(self.place(to))))
        };
        let control = Control::new();
        let prepared = replay::plan(request, &control).await.unwrap();
        replay::run(prepared, &self.journals(), &control).await.unwrap()
    }
}

async fn whatever_goes_wrong_nothing_is_lost_and_what_may_be_twice_is_told(fake: Fake) {
    let ground = Ground::new(fake.clone()).await;
    fake.queue("target", &json!({}));
    for (round, faults) in [
        vec![("SendMessageBatch", Fault::LostAfter), ("DeleteMessageBatch", Fault::LostAfter)],
        vec![("SendMessageBatch", Fault::LostBefore), ("DeleteMessageBatch", Fault::LostBefore)],
        vec![("SendMessageBatch", Fault::Entries(vec![1, 3], "InvalidMessageContents", true))],
        vec![("SendMessageBatch", Fault::Entries(vec![0, 9], "InternalError", false))],
        vec![("DeleteMessageBatch", Fault::Entries(vec![2], "InvalidIdFormat", true))],
        vec![("SendMessageBatch", Fault::answer(500, "InternalError"))],
        vec![("ReceiveMessage", Fault::answer(400, "ThrottlingException")), ("ReceiveMessage", Fault::LostBefore)],
        vec![("ChangeMessageVisibilityBatch", Fault::LostAfter)],
    ]
    .into_iter()
    .enumerate()
    {
        let from = format!("dead-{round}");
        fake.queue(&from, &json!({}));
        fake.fill(&from, 100);
        let before = fake.bodies("target").len();
        for (action, fault) in faults {
            fake.script(action, [fault]);
        }
        let report = ground.replay(&from, "target", Selection::all()).await;
        let (left, arrived) = (fake.bodies(&from), fake.bodies("target").len() - before);
        assert_eq!(report.done + report.failed + report.ambiguous + report.skipped, 100, "{round}: {report:#?}");
        // What is done is gone from the source, all else is in it; nothing arrived that is not told.
        let done = usize::try_from(report.done).unwrap();
        assert!(left.len() <= 100 - done, "{round}: {report:#?}");
        assert!(left.len() + arrived >= 100, "{round}: lost: {report:#?}");
        let twice = left.len() + arrived - 100;
        assert!(twice as u64 <= report.ambiguous, "{round}: {twice} are there twice: {report:#?}");
        assert_eq!(fake.visible(&from), left.len(), "{round}: something is still held");
        fake.state().faults.clear();
    }
}

/// The messages were sent to the queue that they come back to, less than five minutes ago and under the same ids.
async fn a_replay_into_its_own_window_arrives_whole_and_in_order(fake: Fake) {
    const COUNT: usize = 5000;
    let ground = Ground::new(fake.clone()).await;
    for queue in ["orders.fifo", "dead.fifo"] {
        fake.queue(queue, &json!({"FifoQueue": "true"}));
    }
    fake.fill_groups("orders.fifo", COUNT, 20);
    fake.move_all("orders.fifo", "dead.fifo");
    assert_eq!((fake.bodies("orders.fifo").len(), fake.bodies("dead.fifo").len()), (0, COUNT));
    let report = ground.replay("dead.fifo", "orders.fifo", Selection::all()).await;
    assert_eq!((report.state, report.done, report.ambiguous), (Ended::Finished, COUNT as u64, 0), "{report:#?}");
    assert!(fake.bodies("dead.fifo").is_empty());
    assert_eq!(fake.bodies("orders.fifo"), sorted(numbered(0..COUNT)));
    let mut last: BTreeMap<String, usize> = BTreeMap::new();
    for (group, body) in fake.groups("orders.fifo") {
        let number: usize = body[1..].parse().unwrap();
        let earlier = last.insert(group.clone(), number);
        assert!(earlier.is_none_or(|earlier| earlier < number), "{group}: {number} behind {earlier:?}");
    }
}

async fn a_filtered_replay_of_a_group_stops_where_it_is_blocked(fake: Fake) {
    let ground = Ground::new(fake.clone()).await;
    for queue in ["orders.fifo", "dead.fifo"] {
        fake.queue(queue, &json!({"FifoQueue": "true"}));
    }
    fake.fill("dead.fifo", 30);
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let selection = Selection::parse(Some("body=m0 or body=m25"), None, now, &Arc::default()).unwrap();
    let report = ground.replay("dead.fifo", "orders.fifo", selection).await;
    // m25 stands behind messages that do not match, which nobody removes.
    assert_eq!((report.state, report.done), (Ended::Stopped, 1), "{report:#?}");
    assert_eq!((fake.bodies("orders.fifo"), fake.visible("dead.fifo")), (vec!["m0".to_owned()], 29));
}

async fn a_drain_leaves_an_empty_queue(fake: Fake) {
    let ground = Ground::new(fake.clone()).await;
    fake.queue("dead", &json!({}));
    fake.fill("dead", 500);
    let path = ground.folder.path().join("drained.jsonl");
    let request = DrainRequest {
        source: ground.place("dead"),
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
    assert_eq!((report.state, report.done), (Ended::Finished, 500), "{report:#?}");
    let lines = std::fs::read_to_string(path).unwrap();
    let body = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        line["payload"]["utf8"].as_str().unwrap().to_owned()
    };
    assert_eq!(sorted(lines.lines().map(body).collect()), sorted(numbered(0..500)));
    assert!(fake.bodies("dead").is_empty());
}

async fn a_lease_that_ran_out_behind_a_send_is_told_as_a_duplicate(fake: Fake) {
    let ground = Ground::new(fake.clone()).await;
    fake.queue("dead", &json!({}));
    fake.queue("target", &json!({}));
    fake.fill("dead", 10);
    fake.script("DeleteMessageBatch", [Fault::Entries(vec![3], "ReceiptHandleIsInvalid", true)]);
    let report = ground.replay("dead", "target", Selection::all()).await;
    assert_eq!((report.done, report.failed, report.ambiguous), (9, 0, 1), "{report:#?}");
    assert_eq!((fake.bodies("dead").len(), fake.bodies("target").len()), (1, 10));
    let [problem] = report.problems.as_slice() else { panic!("{report:#?}") };
    assert!(problem.why.contains("its lease ran out before it was removed"), "{}", problem.why);
}

/// A server that says yes to a removal and does nothing: seen of one under many calls at once.
async fn what_sqs_wrongly_calls_removed_is_removed_again_and_told(fake: Fake) {
    let ground = Ground::at(format!("{}&lease=2", fake.url())).await;
    for queue in ["orders.fifo", "dead.fifo"] {
        fake.queue(queue, &json!({"FifoQueue": "true"}));
    }
    fake.fill("dead.fifo", 25);
    fake.script("DeleteMessageBatch", [Fault::Claimed]);
    let report = ground.replay("dead.fifo", "orders.fifo", Selection::all()).await;
    assert_eq!((report.state, report.done, report.ambiguous), (Ended::Finished, 25, 0), "{report:#?}");
    assert_eq!((fake.bodies("dead.fifo").len(), fake.bodies("orders.fifo")), (0, sorted(numbered(0..25))));
    let told = "SQS delivered 10 messages again that it had called removed; 10 were removed once more";
    assert!(report.notes.iter().any(|note| note == told), "{:?}", report.notes);
}
