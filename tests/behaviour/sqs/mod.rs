//! What only SQS does: answers that get lost, failures inside a success, windows, leases and limits. On the fake, which
//! does all of it on demand; the common promises are in `cases`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use postroom::ErrorKind;
use postroom::broker::{
    Broker, BrokerUrl, BrowseOptions, Connect, End, Reader, Settle, TakeOptions, Target, Tls, Waits, open,
};
use postroom::message::Message;
use serde_json::json;

use crate::fake_sqs::{Fake, Fault};
use crate::world::{kind, numbered, payloads, read, sorted, until};

/// One trial for each function, which gets a server of its own.
macro_rules! trials {
    ($($name:ident),* $(,)?) => {
        vec![$(Trial::test(concat!("fake-sqs::", stringify!($name)), || run($name(Fake::start())))),*]
    };
}

mod moves;
mod wholesale;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = trials![
        a_lost_answer_of_a_send_is_ambiguous,
        a_lost_answer_of_a_fifo_send_is_asked_for_again,
        failures_inside_a_success_fail_alone,
        behind_a_failed_message_its_group_waits,
        what_was_overtaken_is_not_sent_behind_its_group,
        a_silent_drop_is_no_success,
        throttling_is_waited_out_and_told,
        a_removal_that_fails_leaves_the_message,
        a_lost_answer_of_a_removal_is_asked_for_again,
        a_removal_without_any_answer_is_ambiguous,
        an_expired_handle_is_no_success,
        what_two_receives_got_is_removed_and_given_back_by_both_handles,
        a_look_whose_leases_run_out_again_and_again_ends,
        what_is_sent_after_the_plan_stays,
        leases_are_prolonged_while_they_are_held,
        what_waits_to_be_read_is_prolonged,
        what_came_again_is_removed_however_often_it_takes,
        what_a_dead_run_held_is_waited_for,
        groups_that_somebody_else_holds_are_waited_for,
        groups_that_somebody_else_keeps_stop_a_take,
        a_receive_whose_answer_is_lost_comes_again,
        beyond_the_limit_of_messages_in_flight_a_look_stops,
        beyond_the_limit_of_messages_in_flight_a_take_goes_on,
        a_group_is_followed_as_far_as_its_messages_are_removed,
        a_source_that_a_look_would_bury_is_not_touched,
        after_a_look_every_message_can_be_received,
        what_cannot_be_given_back_is_told,
        a_denial_names_the_action_and_the_policy,
        a_denial_without_a_code_is_one_all_the_same,
        a_key_that_is_denied_is_named,
        an_expired_token_says_how_to_renew_it,
        a_server_that_is_not_there_is_unreachable,
    ];
    trials.extend(moves::trials());
    trials.extend(wholesale::trials());
    trials
}

fn run(test: impl Future<Output = ()>) -> Result<(), libtest_mimic::Failed> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(test);
    Ok(())
}

async fn connect(url: &str) -> Arc<dyn Broker> {
    open(&Connect { url: BrokerUrl::parse(url).unwrap(), tls: Tls::default(), options: BTreeMap::default() })
        .await
        .unwrap()
}

async fn broker(fake: &Fake) -> Arc<dyn Broker> {
    connect(&fake.url()).await
}

/// A broker whose leases are short.
async fn hasty(fake: &Fake) -> Arc<dyn Broker> {
    connect(&format!("{}&lease=5", fake.url())).await
}

fn messages(count: usize, group: Option<&str>) -> Vec<Message> {
    let message = |number: usize| Message {
        payload: Some(format!("m{number}").into()),
        key: group.map(|group| bytes::Bytes::from(group.to_owned())),
        ..Message::default()
    };
    (0..count).map(message).collect()
}

/// Publishes, and gives the kind of error of each message.
async fn publish(broker: &dyn Broker, queue: &str, messages: &[Message]) -> Vec<Option<ErrorKind>> {
    let publisher = broker.publisher(&Target::queue(queue)).await.unwrap();
    let results = publisher.publish(messages).await;
    results.into_iter().map(|result| result.err().map(|error| error.kind())).collect()
}

async fn take(broker: &dyn Broker, queue: &str) -> Box<dyn Reader> {
    broker.take(queue, TakeOptions::default()).await.unwrap()
}

/// A queue of five messages, all of them taken, and one removal by script. The kinds of errors.
async fn remove_five(fake: &Fake, faults: impl IntoIterator<Item = Fault>) -> Vec<Option<ErrorKind>> {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 5);
    let mut reader = take(&*broker(fake).await, "dead").await;
    let tokens = read(&mut *reader).await.tokens;
    fake.script("DeleteMessageBatch", faults);
    let results = reader.settle(&tokens, Settle::Remove).await;
    reader.close().await.unwrap();
    results.into_iter().map(|result| result.err().map(|error| error.kind())).collect()
}

async fn a_lost_answer_of_a_send_is_ambiguous(fake: Fake) {
    fake.queue("orders", &json!({}));
    let broker = broker(&fake).await;
    for (fault, there) in [(Fault::LostBefore, 0), (Fault::LostAfter, 3), (Fault::answer(500, "InternalError"), 3)] {
        fake.script("SendMessageBatch", [fault]);
        let sent = publish(&*broker, "orders", &messages(3, None)).await;
        assert_eq!(sent, [Some(ErrorKind::Ambiguous); 3]);
        assert_eq!(fake.bodies("orders").len(), there, "it was sent a second time");
    }
}

async fn a_lost_answer_of_a_fifo_send_is_asked_for_again(fake: Fake) {
    fake.queue("orders.fifo", &json!({"FifoQueue": "true"}));
    fake.script("SendMessageBatch", [Fault::LostAfter, Fault::LostBefore]);
    let sent = publish(&*broker(&fake).await, "orders.fifo", &messages(3, Some("g"))).await;
    assert_eq!(sent, [None; 3]);
    assert_eq!(fake.bodies("orders.fifo"), numbered(0..3));
}

async fn failures_inside_a_success_fail_alone(fake: Fake) {
    fake.queue("orders", &json!({}));
    let broker = broker(&fake).await;
    fake.script("SendMessageBatch", [Fault::Entries(vec![1], "InvalidMessageContents", true)]);
    let sent = publish(&*broker, "orders", &messages(3, None)).await;
    assert_eq!(sent, [None, Some(ErrorKind::Rejected), None]);
    assert_eq!(fake.bodies("orders"), ["m0", "m2"]);
    // The server's own fault is tried again.
    fake.script("SendMessageBatch", [Fault::Entries(vec![0, 2], "InternalError", false)]);
    assert_eq!(publish(&*broker, "orders", &messages(3, None)).await, [None; 3]);
    assert_eq!(fake.bodies("orders").len(), 5);
    // And given up in the end.
    fake.script("SendMessageBatch", vec![Fault::Entries(vec![0], "InternalError", false); 10]);
    let sent = publish(&*broker, "orders", &messages(1, None)).await;
    assert_eq!(sent, [Some(ErrorKind::Rejected)]);
    assert_eq!(fake.bodies("orders").len(), 5);
}

async fn behind_a_failed_message_its_group_waits(fake: Fake) {
    fake.queue("orders.fifo", &json!({"FifoQueue": "true"}));
    let broker = broker(&fake).await;
    let publisher = broker.publisher(&Target::queue("orders.fifo")).await.unwrap();
    fake.script("SendMessageBatch", [Fault::answer(400, "InvalidParameterValue")]);
    assert!(publisher.publish(&messages(2, Some("g"))).await.iter().all(Result::is_err));
    let results = publisher.publish(&messages(2, Some("g"))).await;
    assert!(results.iter().all(|result| result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Rejected)));
    assert!(publisher.publish(&messages(2, Some("other"))).await.iter().all(Result::is_ok));
    assert_eq!(fake.bodies("orders.fifo"), numbered(0..2));
}

async fn what_was_overtaken_is_not_sent_behind_its_group(fake: Fake) {
    fake.queue("orders.fifo", &json!({"FifoQueue": "true"}));
    fake.script("SendMessageBatch", [Fault::Entries(vec![1], "InternalError", false)]);
    let sent = publish(&*broker(&fake).await, "orders.fifo", &messages(3, Some("g"))).await;
    assert_eq!(sent, [None, Some(ErrorKind::Rejected), None]);
    assert_eq!(fake.bodies("orders.fifo"), ["m0", "m2"]);
}

async fn a_silent_drop_is_no_success(fake: Fake) {
    fake.queue("orders.fifo", &json!({"FifoQueue": "true"}));
    let mut three = messages(3, Some("g"));
    for (message, id) in three.iter_mut().zip(["a", "b", "a"]) {
        message.properties.push("message_deduplication_id", id);
    }
    let broker = broker(&fake).await;
    let sent = publish(&*broker, "orders.fifo", &three).await;
    assert_eq!(sent, [None, None, Some(ErrorKind::Ambiguous)]);
    assert_eq!(fake.bodies("orders.fifo"), ["m0", "m1"]);
    // After the window the id is a new one.
    fake.state().advance(Duration::from_mins(6));
    assert_eq!(publish(&*broker, "orders.fifo", &three[2..]).await, [None]);
    assert_eq!(fake.bodies("orders.fifo"), ["m0", "m1", "m2"]);
}

async fn throttling_is_waited_out_and_told(fake: Fake) {
    fake.queue("orders", &json!({}));
    let broker = broker(&fake).await;
    let slow = || vec![Fault::answer(400, "ThrottlingException"); 2];
    fake.script("SendMessageBatch", slow());
    assert_eq!(publish(&*broker, "orders", &messages(3, None)).await, [None; 3]);
    fake.script("ReceiveMessage", slow());
    fake.script("ChangeMessageVisibilityBatch", slow());
    let mut reader = broker.browse("orders", BrowseOptions::default()).await.unwrap();
    assert_eq!(read(&mut *reader).await.messages.len(), 3);
    let closed = reader.close().await.unwrap();
    assert_eq!((closed.returned, fake.visible("orders")), (3, 3));
    assert!(closed.notes.iter().any(|note| note.contains("throttled")), "{:?}", closed.notes);
}

async fn a_removal_that_fails_leaves_the_message(fake: Fake) {
    let removed = remove_five(&fake, vec![Fault::Entries(vec![0], "InternalError", false); 10]).await;
    assert_eq!(removed.iter().filter(|kind| kind.is_none()).count(), 4);
    assert_eq!((fake.bodies("dead").len(), fake.visible("dead")), (1, 1));
}

async fn a_lost_answer_of_a_removal_is_asked_for_again(fake: Fake) {
    assert_eq!(remove_five(&fake, [Fault::LostAfter, Fault::LostBefore]).await, [None; 5]);
    assert!(fake.bodies("dead").is_empty());
}

async fn a_removal_without_any_answer_is_ambiguous(fake: Fake) {
    assert_eq!(remove_five(&fake, vec![Fault::LostBefore; 10]).await, [Some(ErrorKind::Ambiguous); 5]);
    assert_eq!((fake.bodies("dead").len(), fake.visible("dead")), (5, 5));
}

/// Each of the two handles may be the newer one, and by the older one SQS says yes and does nothing.
async fn what_two_receives_got_is_removed_and_given_back_by_both_handles(fake: Fake) {
    for (queue, removed) in [("dead", true), ("kept", false)] {
        fake.queue(queue, &json!({}));
        fake.fill(queue, 5);
        fake.script("ReceiveMessage", [Fault::Held, Fault::Twice]);
        let mut reader = take(&*broker(&fake).await, queue).await;
        let tokens = read(&mut *reader).await.tokens;
        assert_eq!(tokens.len(), 5, "each is given out once");
        assert_eq!(fake.state().queues[queue].messages[0].received, 2, "and was received twice");
        if removed {
            for result in reader.settle(&tokens, Settle::Remove).await {
                result.unwrap();
            }
        }
        let closed = reader.close().await.unwrap();
        assert!(closed.notes.is_empty(), "{:?}", closed.notes);
        let left = if removed { 0 } else { 5 };
        assert_eq!((fake.bodies(queue).len(), fake.visible(queue)), (left, left));
    }
}

/// A server, or a machine, that is too slow for the leases: without an end the look would go round in a circle.
async fn a_look_whose_leases_run_out_again_and_again_ends(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 25);
    fake.script("ReceiveMessage", vec![Fault::Twice; 10_000]);
    let mut reader = broker(&fake).await.browse("dead", BrowseOptions::default()).await.unwrap();
    let end = loop {
        if let Some(end) = reader.next_batch(100).await.unwrap().end {
            break end;
        }
    };
    let End::Stopped(why) = end else { panic!("{end:?}") };
    assert!(why.contains("again and again") && why.contains("?lease=SECONDS"), "{why}");
    fake.state().faults.clear();
    reader.close().await.unwrap();
    assert_eq!((fake.bodies("dead").len(), fake.visible("dead")), (25, 25));
}

/// The lease has run out by the server's clock. What comes again is known, and not given out as another.
async fn an_expired_handle_is_no_success(fake: Fake) {
    fake.queue("dead.fifo", &json!({"FifoQueue": "true"}));
    fake.fill("dead.fifo", 2);
    let mut reader = take(&*broker(&fake).await, "dead.fifo").await;
    let tokens: Vec<_> =
        reader.next_batch(10).await.unwrap().deliveries.into_iter().map(|delivery| delivery.token).collect();
    fake.state().advance(Duration::from_mins(10));
    for result in reader.settle(&tokens, Settle::Remove).await {
        assert_eq!(kind(result), ErrorKind::Ambiguous);
    }
    assert_eq!(read(&mut *reader).await.messages.len(), 0);
    reader.close().await.unwrap();
    assert!(fake.bodies("dead.fifo").is_empty());
}

/// A queue that goes on filling while it is taken from.
async fn what_is_sent_after_the_plan_stays(fake: Fake) {
    let mut until = jiff::Timestamp::now();
    for (queue, attributes) in [("dead", json!({})), ("dead.fifo", json!({"FifoQueue": "true"}))] {
        fake.queue(queue, &attributes);
        fake.fill(queue, 30);
        fake.state().advance(Duration::from_mins(6));
        fake.fill_groups(queue, 40, 2);
        let options = TakeOptions { until: Some(until), ..TakeOptions::default() };
        until += Duration::from_mins(6);
        let mut reader = broker(&fake).await.take(queue, options).await.unwrap();
        let removed = remove_all(&mut *reader).await;
        let closed = reader.close().await.unwrap();
        assert_eq!(sorted(payloads(&removed)), sorted(numbered(0..30)), "{queue}");
        assert!(closed.notes.iter().any(|note| note.contains("after the plan")), "{queue}: {:?}", closed.notes);
        assert_eq!((fake.bodies(queue).len(), fake.visible(queue)), (40, 40), "{queue}");
    }
}

async fn leases_are_prolonged_while_they_are_held(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 5);
    let mut reader = take(&*hasty(&fake).await, "dead").await;
    let tokens = read(&mut *reader).await.tokens;
    let called = || fake.state().calls.get("ChangeMessageVisibilityBatch").copied().unwrap_or(0);
    let mut lapsed = false;
    // Each comes after three eighths of a lease.
    let prolonged = until(async || {
        lapsed |= fake.visible("dead") > 0;
        called() >= 3
    });
    assert!(prolonged.await, "{} times", called());
    assert!(!lapsed, "a lease ran out");
    for result in reader.settle(&tokens, Settle::Remove).await {
        result.unwrap();
    }
    reader.close().await.unwrap();
    assert!(fake.bodies("dead").is_empty());
}

/// Received ahead of a reader that is busy elsewhere.
async fn what_waits_to_be_read_is_prolonged(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 30);
    let mut reader = take(&*hasty(&fake).await, "dead").await;
    assert!(until(async || fake.visible("dead") == 0).await);
    let called = || fake.state().calls.get("ChangeMessageVisibilityBatch").copied().unwrap_or(0);
    let mut lapsed = false;
    let prolonged = until(async || {
        lapsed |= fake.visible("dead") > 0;
        // Three batches, three times.
        called() >= 9
    });
    assert!(prolonged.await, "{} times", called());
    assert!(!lapsed, "a lease ran out");
    assert_eq!(remove_all(&mut *reader).await.len(), 30);
    reader.close().await.unwrap();
    assert!(fake.bodies("dead").is_empty());
}

/// A message that blocks its group for good would be a standstill.
async fn what_came_again_is_removed_however_often_it_takes(fake: Fake) {
    fake.queue("dead.fifo", &json!({"FifoQueue": "true"}));
    fake.fill("dead.fifo", 25);
    let mut reader = take(&*hasty(&fake).await, "dead.fifo").await;
    let first = reader.next_batch(10).await.unwrap().deliveries;
    let tokens: Vec<_> = first.iter().map(|delivery| delivery.token).collect();
    fake.state().advance(Duration::from_mins(10));
    assert!(reader.settle(&tokens, Settle::Remove).await.iter().all(Result::is_err));
    // No answer, as often as one removal asks for it.
    fake.script("DeleteMessageBatch", vec![Fault::LostBefore; 4]);
    let mut seen = first.len();
    loop {
        let batch = reader.next_batch(10).await.unwrap();
        let tokens: Vec<_> = batch.deliveries.iter().map(|delivery| delivery.token).collect();
        reader.settle(&tokens, Settle::Remove).await;
        seen += tokens.len();
        if batch.end.is_some() {
            break;
        }
    }
    reader.close().await.unwrap();
    if seen < 25 {
        // What came again was gone before the answers were: it was a later removal that got none. What it was to remove
        // is there for whoever reads next.
        fake.state().advance(Duration::from_mins(10));
        let mut reader = take(&*hasty(&fake).await, "dead.fifo").await;
        remove_all(&mut *reader).await;
        reader.close().await.unwrap();
    }
    assert!(fake.bodies("dead.fifo").is_empty());
}

async fn what_a_dead_run_held_is_waited_for(fake: Fake) {
    for (queue, attributes) in [("dead", json!({})), ("dead.fifo", json!({"FifoQueue": "true"}))] {
        fake.queue(queue, &attributes);
        fake.fill(queue, 8);
        let broker = hasty(&fake).await;
        let mut dead = take(&*broker, queue).await;
        assert_eq!(dead.next_batch(10).await.unwrap().deliveries.len(), 8);
        drop(dead);
        let waits = Waits::default();
        let heard = waits.listen();
        let options = TakeOptions { reclaim: true, waits, ..TakeOptions::default() };
        let mut reader = broker.take(queue, options).await.unwrap();
        let mut said = heard.clone();
        let (removed, ()) = tokio::join!(remove_all(&mut *reader), async {
            said.changed().await.unwrap();
            let why = said.borrow().clone().unwrap();
            assert!(why.contains("about 8 messages") && why.contains("within 10 s"), "{why}");
        });
        assert_eq!((removed.len(), heard.borrow().clone()), (8, None), "{queue}");
        reader.close().await.unwrap();
    }
}

/// Somebody else holds the first five of a group of twenty. Their handles.
fn hold_five(fake: &Fake) -> Vec<serde_json::Value> {
    fake.queue("dead.fifo", &json!({"FifoQueue": "true"}));
    fake.fill("dead.fifo", 20);
    let five = json!({"QueueUrl": "dead.fifo", "MaxNumberOfMessages": 5, "VisibilityTimeout": 600});
    let held = fake.state().act("ReceiveMessage", &five, None).unwrap();
    held["Messages"].as_array().unwrap().iter().map(|message| message["ReceiptHandle"].clone()).collect()
}

/// A take with leases of two seconds of a queue that somebody else holds, and what it says while it waits.
async fn take_behind_others(fake: &Fake) -> (Box<dyn Reader>, tokio::sync::watch::Receiver<Option<String>>) {
    let waits = Waits::default();
    let heard = waits.listen();
    let broker = connect(&format!("{}&lease=2", fake.url())).await;
    (broker.take("dead.fifo", TakeOptions { waits, ..TakeOptions::default() }).await.unwrap(), heard)
}

async fn groups_that_somebody_else_holds_are_waited_for(fake: Fake) {
    let handles = hold_five(&fake);
    let (mut reader, mut heard) = take_behind_others(&fake).await;
    let (removed, ()) = tokio::join!(remove_all(&mut *reader), async {
        heard.changed().await.unwrap();
        let why = heard.borrow().clone().unwrap();
        assert_eq!(why, "somebody else holds about 5 messages, and about 15 stand behind them in their groups");
        let back = |(at, handle)| json!({"Id": format!("{at}"), "ReceiptHandle": handle, "VisibilityTimeout": 0});
        let entries: Vec<_> = handles.iter().enumerate().map(back).collect();
        let back = json!({"QueueUrl": "dead.fifo", "Entries": entries});
        fake.state().act("ChangeMessageVisibilityBatch", &back, None).unwrap();
    });
    assert_eq!(payloads(&removed), numbered(0..20));
    assert_eq!(*heard.borrow(), None);
    reader.close().await.unwrap();
}

async fn groups_that_somebody_else_keeps_stop_a_take(fake: Fake) {
    hold_five(&fake);
    let (mut reader, _) = take_behind_others(&fake).await;
    let taken = read(&mut *reader).await;
    let End::Stopped(why) = taken.end else { panic!("{:?}", taken.end) };
    for part in ["somebody else holds about 5 messages", "about 15 more stand behind them", "`postroom journal resume`"]
    {
        assert!(why.contains(part), "{why}");
    }
    assert_eq!((taken.messages.len(), reader.close().await.unwrap().returned), (0, 0));
    assert_eq!((fake.bodies("dead.fifo").len(), fake.visible("dead.fifo")), (20, 15));
}

async fn a_receive_whose_answer_is_lost_comes_again(fake: Fake) {
    for (queue, attributes) in [("dead", json!({})), ("dead.fifo", json!({"FifoQueue": "true"}))] {
        fake.queue(queue, &attributes);
        fake.fill(queue, 8);
        fake.script("ReceiveMessage", [Fault::LostAfter]);
        let mut reader = take(&*hasty(&fake).await, queue).await;
        let taken = read(&mut *reader).await;
        assert_eq!(sorted(payloads(&taken.messages)), numbered(0..8), "{queue}");
        reader.close().await.unwrap();
    }
}

async fn beyond_the_limit_of_messages_in_flight_a_look_stops(fake: Fake) {
    for (queue, attributes) in [("dead", json!({})), ("dead.fifo", json!({"FifoQueue": "true"}))] {
        fake.queue(queue, &attributes);
        fake.fill(queue, 60);
        fake.state().queues.get_mut(queue).unwrap().in_flight_limit = Some(25);
        let mut reader = broker(&fake).await.browse(queue, BrowseOptions::default()).await.unwrap();
        let seen = read(&mut *reader).await;
        let most = if queue == "dead" { 25 } else { 10 };
        assert_eq!(seen.messages.len(), most, "{queue}");
        assert!(matches!(seen.end, End::Stopped(_)), "{:?}", seen.end);
        reader.close().await.unwrap();
        assert_eq!(fake.visible(queue), 60);
    }
}

/// Takes and removes, batch by batch, to the end.
async fn remove_all(reader: &mut dyn Reader) -> Vec<Message> {
    let mut removed = Vec::new();
    loop {
        let batch = reader.next_batch(10).await.unwrap();
        let tokens: Vec<_> = batch.deliveries.iter().map(|delivery| delivery.token).collect();
        for result in reader.settle(&tokens, Settle::Remove).await {
            result.unwrap();
        }
        removed.extend(batch.deliveries.into_iter().map(|delivery| delivery.message));
        if let Some(end) = batch.end {
            assert_eq!(end, End::Exhausted);
            return removed;
        }
    }
}

async fn beyond_the_limit_of_messages_in_flight_a_take_goes_on(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 60);
    fake.state().queues.get_mut("dead").unwrap().in_flight_limit = Some(25);
    let mut reader = take(&*broker(&fake).await, "dead").await;
    let removed = remove_all(&mut *reader).await;
    reader.close().await.unwrap();
    assert_eq!(sorted(payloads(&removed)), sorted(numbered(0..60)));
    assert!(fake.bodies("dead").is_empty());
}

async fn a_group_is_followed_as_far_as_its_messages_are_removed(fake: Fake) {
    fake.queue("dead.fifo", &json!({"FifoQueue": "true"}));
    fake.fill("dead.fifo", 60);
    let mut reader = take(&*broker(&fake).await, "dead.fifo").await;
    let removed = remove_all(&mut *reader).await;
    reader.close().await.unwrap();
    assert_eq!(payloads(&removed), numbered(0..60));
}

async fn a_source_that_a_look_would_bury_is_not_touched(fake: Fake) {
    fake.queue("dead", &json!({}));
    let policy = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 1});
    fake.queue("orders", &json!({"RedrivePolicy": policy.to_string()}));
    fake.fill("orders", 5);
    let broker = broker(&fake).await;
    assert_eq!(kind(broker.browse("orders", BrowseOptions::default()).await), ErrorKind::Refused);
    assert_eq!(kind(broker.take("orders", TakeOptions::default()).await), ErrorKind::Refused);
    let told = broker.describe("orders").await.unwrap();
    assert!(told.read_cost.refused.is_some());
    assert_eq!(told.dead_letter_to, ["dead"]);
    assert_eq!(broker.describe("dead").await.unwrap().dead_letter_from, ["orders"]);
    assert!(fake.state().queues["orders"].messages.iter().all(|message| message.received == 0));
}

async fn after_a_look_every_message_can_be_received(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 200);
    let mut reader = broker(&fake).await.browse("dead", BrowseOptions::default()).await.unwrap();
    assert_eq!(read(&mut *reader).await.messages.len(), 200);
    assert_eq!(fake.visible("dead"), 0);
    assert_eq!(reader.close().await.unwrap().returned, 200);
    assert_eq!(fake.visible("dead"), 200);
}

async fn what_cannot_be_given_back_is_told(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.fill("dead", 5);
    let mut reader = broker(&fake).await.browse("dead", BrowseOptions::default()).await.unwrap();
    read(&mut *reader).await;
    fake.script("ChangeMessageVisibilityBatch", vec![Fault::Entries(vec![0], "InternalError", false); 10]);
    let closed = reader.close().await.unwrap();
    assert_eq!((closed.returned, fake.visible("dead")), (4, 4));
    assert!(closed.notes.iter().any(|note| note.contains("1 message") && note.contains("120 s")), "{:?}", closed.notes);
}

async fn a_denial_names_the_action_and_the_policy(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.state().denied.insert("ReceiveMessage");
    let mut reader = broker(&fake).await.browse("dead", BrowseOptions::default()).await.unwrap();
    let error = reader.next_batch(10).await.unwrap_err();
    reader.close().await.unwrap();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.to_string().contains("sqs:ReceiveMessage"), "{error}");
    let hint = error.hint_text().unwrap();
    assert!(hint.contains("\"sqs:ReceiveMessage\"") && hint.contains("123456789012:dead"), "{hint}");
}

/// As a proxy does, or another server than AWS's.
async fn a_denial_without_a_code_is_one_all_the_same(fake: Fake) {
    fake.queue("dead", &json!({}));
    let broker = broker(&fake).await;
    fake.script("GetQueueUrl", [Fault::answer(403, ""), Fault::answer(418, "")]);
    let error = broker.describe("dead").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied, "{error}");
    assert!(error.to_string().contains("sqs:GetQueueUrl") && error.hint_text().unwrap().contains("Allow"), "{error:?}");
    let error = broker.describe("dead").await.unwrap_err();
    assert!(error.to_string().contains("HTTP status 418"), "{error}");
}

async fn a_key_that_is_denied_is_named(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.state().queues.get_mut("dead").unwrap().kms_denied = true;
    let broker = broker(&fake).await;
    let publisher = broker.publisher(&Target::queue("dead")).await.unwrap();
    let error = publisher.publish(&messages(1, None)).await.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.hint_text().unwrap().contains("kms:GenerateDataKey"), "{error:?}");
}

async fn an_expired_token_says_how_to_renew_it(fake: Fake) {
    fake.queue("dead", &json!({}));
    fake.script("GetQueueUrl", [Fault::answer(403, "ExpiredToken")]);
    let error = broker(&fake).await.describe("dead").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.hint_text().unwrap().contains("aws sso login"), "{error:?}");
}

/// A port that was free a moment ago. What was never sent is a failure, and no doubt.
async fn a_server_that_is_not_there_is_unreachable(fake: Fake) {
    fake.queue("orders", &json!({}));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = connect(&format!("sqs://eu-west-1?endpoint=http://{closed}")).await.ping().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("can't be reached"), "{error}");
}
