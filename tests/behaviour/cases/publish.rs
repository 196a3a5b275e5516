//! A receipt is a proof: what has one is in the queue, what has none is not, or is named as ambiguous.

use futures::future::join_all;
use postroom::ErrorKind;
use postroom::broker::{Capability, Ordering, Target};
use postroom::message::Message;

use super::{Case, case};
use crate::fixture::{Fixture, Wanted};
use crate::world::{World, kind, numbered, sorted};

fn publishes(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.publish.is_some()
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(a_batch_arrives_in_order_with_a_receipt_each, publishes),
        case!(batches_called_together_arrive_in_the_order_of_the_calls, |capability, fixture| {
            publishes(capability, fixture) && !fixture.is_slow()
        }),
        case!(of_many_pipelined_exactly_the_unroutable_are_refused, |_, fixture| {
            fixture.makes(&Wanted::Plain) && fixture.has_exchanges()
        }),
        case!(a_missing_target_is_not_found_and_not_made, |capability, fixture| {
            publishes(capability, fixture) && !fixture.makes_targets()
        }),
        case!(a_full_queue_refuses_and_what_has_a_receipt_is_there, |_, fixture| {
            fixture.makes(&Wanted::RejectPublish(5))
        }),
        case!(a_message_that_is_too_large_is_refused_alone, |capability, _| {
            capability.publish.is_some_and(|limits| limits.max_bytes.is_some())
        }),
        case!(a_closed_publisher_sends_nothing, publishes),
        case!(an_empty_batch_is_nothing, publishes),
        case!(twin publishing_is_refused, |capability, _| capability.publish.is_none()),
    ]
}

async fn a_batch_arrives_in_order_with_a_receipt_each(world: &World) {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    for batch in 0..3 {
        let results = publisher.publish(&world.messages(batch * 20..(batch + 1) * 20)).await;
        assert_eq!(results.len(), 20);
        for result in results {
            result.unwrap();
        }
    }
    publisher.close().await.unwrap();
    world.until_ready(&queue, 60).await;
    let content = world.content(&queue).await;
    if world.capability.ordering == Ordering::Fifo {
        assert_eq!(content, numbered(0..60));
    } else {
        assert_eq!(sorted(content), sorted(numbered(0..60)));
    }
}

async fn batches_called_together_arrive_in_the_order_of_the_calls(world: &World) {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    let batches: Vec<Vec<Message>> = (0..10).map(|batch| world.messages(batch * 50..(batch + 1) * 50)).collect();
    let results = join_all(batches.iter().map(|batch| publisher.publish(batch))).await;
    for result in results.into_iter().flatten() {
        result.unwrap();
    }
    world.until_ready(&queue, 500).await;
    let content = world.content(&queue).await;
    if world.capability.ordering == Ordering::Fifo {
        assert_eq!(content, numbered(0..500));
    } else {
        assert_eq!(sorted(content), sorted(numbered(0..500)));
    }
}

async fn of_many_pipelined_exactly_the_unroutable_are_refused(world: &World) {
    let queue = world.queue().await;
    let exchange = world.fixture.exchange(&queue).await.unwrap();
    let publisher = world.broker.publisher(&exchange).await.unwrap();
    let routable = |number: usize| !(number * 7 / 3).is_multiple_of(2);
    let keyed = |number: usize| {
        let key = if routable(number) { "yes" } else { "no" };
        Message { key: Some(key.into()), ..world.message(format!("m{number}")) }
    };
    let batches: Vec<Vec<Message>> =
        (0..10).map(|batch| (batch * 500..(batch + 1) * 500).map(keyed).collect()).collect();
    let results = join_all(batches.iter().map(|batch| publisher.publish(batch))).await;
    let mut receipts = Vec::new();
    for (number, result) in results.into_iter().flatten().enumerate() {
        match result {
            Ok(_) => receipts.push(number),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Rejected, "m{number}: {error:?}"),
        }
    }
    let wanted: Vec<usize> = (0..5000).filter(|number| routable(*number)).collect();
    assert_eq!(receipts, wanted);
    world.until_ready(&queue, wanted.len() as u64).await;
    assert_eq!(sorted(world.content(&queue).await), sorted(numbered(wanted)));
}

async fn a_missing_target_is_not_found_and_not_made(world: &World) {
    let missing = world.fixture.missing();
    assert_eq!(kind(world.broker.publisher(&Target::queue(&missing)).await), ErrorKind::NotFound);
    assert_eq!(kind(world.broker.describe(&missing).await), ErrorKind::NotFound, "publishing made it");
    if world.fixture.has_exchanges() {
        let exchange = Target::Exchange { name: missing, routing_key: None };
        assert_eq!(kind(world.broker.publisher(&exchange).await), ErrorKind::NotFound);
    }
}

async fn a_full_queue_refuses_and_what_has_a_receipt_is_there(world: &World) {
    let queue = world.queue_that(&Wanted::RejectPublish(5)).await;
    let publisher = world.publisher(&queue).await;
    let mut taken = 0;
    let mut refused = 0;
    // One at a time: a broker may let a few more in while it is told that it is full.
    for message in world.messages(0..60) {
        match publisher.publish(&[message]).await.pop().unwrap() {
            Ok(_) => taken += 1,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Rejected, "{error:?}");
                refused += 1;
            }
        }
    }
    assert!(taken >= 5 && refused > 0, "{taken} taken, {refused} refused");
    world.until_ready(&queue, taken).await;
}

async fn a_message_that_is_too_large_is_refused_alone(world: &World) {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    let max = usize::try_from(publisher.limits().max_bytes.unwrap()).unwrap();
    let batch = [world.message("before"), world.message(vec![b'x'; max + 1]), world.message("after")];
    let results = publisher.publish(&batch).await;
    let kinds: Vec<_> = results.into_iter().map(|result| result.err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(ErrorKind::Rejected), None]);
    world.until_ready(&queue, 2).await;
}

async fn a_closed_publisher_sends_nothing(world: &World) {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    publisher.close().await.unwrap();
    publisher.close().await.unwrap();
    assert!(publisher.publish(&world.messages(0..1)).await.pop().unwrap().is_err());
    world.until_ready(&queue, 0).await;
}

async fn an_empty_batch_is_nothing(world: &World) {
    let queue = world.queue().await;
    assert!(world.publisher(&queue).await.publish(&[]).await.is_empty());
    world.until_ready(&queue, 0).await;
}

async fn publishing_is_refused(world: &World) {
    let queue = world.queue().await;
    assert_eq!(kind(world.broker.publisher(&Target::queue(&queue)).await), ErrorKind::Unsupported);
}
