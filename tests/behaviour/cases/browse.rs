//! Looking never costs a message.

use postroom::ErrorKind;
use postroom::broker::{BrowseOptions, CostKind, End, Ordering, Settle, TakeOptions};
use postroom::message::filter::Filter;

use super::{Case, case};
use crate::world::{Read, World, kind, numbered, payloads, read, sorted};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(a_look_shows_all_and_leaves_all, |capability, _| capability.browse),
        case!(many_looks_lose_nothing, |capability, _| capability.browse),
        case!(a_look_keeps_the_order, |capability, _| capability.browse && capability.ordering == Ordering::Fifo),
        case!(a_limit_ends_the_look_and_returns_what_it_touched, |capability, _| capability.browse),
        case!(a_prefilter_counts_what_it_skips, |capability, _| capability.browse),
        case!(a_cancelled_look_returns_everything, |capability, _| capability.browse),
        case!(arrivals_during_a_look_are_left_alone, |capability, fixture| {
            capability.browse && fixture.tells_arrivals()
        }),
        case!(two_looks_in_turn_see_the_same, |capability, _| capability.browse),
        case!(an_empty_queue_ends_at_once, |capability, _| capability.browse),
        case!(a_look_settles_nothing, |capability, _| capability.browse),
        case!(a_dropped_look_loses_nothing, |capability, _| {
            capability.browse && capability.read_cost != CostKind::Leases
        }),
        case!(however_often_looks_are_broken_off_nothing_is_lost, |capability, _| {
            capability.browse && capability.read_cost != CostKind::Leases
        }),
        case!(a_closed_look_is_over, |capability, _| capability.browse),
    ]
}

/// Whether the queue's order is worth comparing; else the payloads are sorted.
fn in_order(world: &World, texts: Vec<String>) -> Vec<String> {
    if world.capability.ordering == Ordering::Fifo { texts } else { sorted(texts) }
}

async fn a_look_shows_all_and_leaves_all(world: &World) {
    let queue = world.queue_of(30).await;
    let (read, closed) = world.look(&queue, BrowseOptions::default()).await.unwrap();
    assert_eq!(in_order(world, payloads(&read.messages)), in_order(world, numbered(0..30)));
    assert_eq!(read.end, End::Exhausted);
    if world.capability.read_cost != CostKind::None {
        assert_eq!(closed.returned + closed.rescued, 30);
    }
    world.until_ready(&queue, 30).await;
    assert_eq!(in_order(world, world.content(&queue).await), in_order(world, numbered(0..30)));
}

async fn many_looks_lose_nothing(world: &World) {
    let queue = world.queue_of(5).await;
    for look in 0..world.fixture.looks() {
        match world.look(&queue, BrowseOptions::default()).await {
            // A real broker tells a message's count only with the message, so the look stops there.
            Ok((Read { end: End::Stopped(_), messages, .. }, _)) => assert_eq!(messages.len(), 1, "look {look}"),
            Ok((read, _)) => assert_eq!(sorted(payloads(&read.messages)), numbered(0..5), "look {look}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Refused, "look {look}: {error:?}");
                let cost = world.broker.describe(&queue).await.unwrap().read_cost;
                assert!(cost.refused.is_some() && cost.budget.is_none_or(|budget| budget == 0), "{cost:?}");
            }
        }
        world.until_ready(&queue, 5).await;
    }
    let options = BrowseOptions { rescue: true, ..BrowseOptions::default() };
    let (read, _) = world.look(&queue, options).await.unwrap();
    assert_eq!(sorted(payloads(&read.messages)), numbered(0..5));
    world.until_ready(&queue, 5).await;
}

async fn a_look_keeps_the_order(world: &World) {
    let queue = world.queue_of(200).await;
    for _ in 0..3 {
        assert_eq!(world.content(&queue).await, numbered(0..200));
    }
}

async fn a_limit_ends_the_look_and_returns_what_it_touched(world: &World) {
    let queue = world.queue_of(20).await;
    let options = BrowseOptions { limit: Some(7), ..BrowseOptions::default() };
    let (read, _) = world.look(&queue, options).await.unwrap();
    assert_eq!((read.messages.len(), read.end), (7, End::Limit));
    world.until_ready(&queue, 20).await;
    let all = BrowseOptions { limit: Some(20), ..BrowseOptions::default() };
    assert_eq!(world.look(&queue, all).await.unwrap().0.messages.len(), 20);
    assert_eq!(in_order(world, world.content(&queue).await), in_order(world, numbered(0..20)));
}

async fn a_prefilter_counts_what_it_skips(world: &World) {
    let queue = world.queue_of(20).await;
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let prefilter = Filter::parse("body:m1", now).unwrap().prefilter();
    assert!(!prefilter.is_pass_all());
    let options = BrowseOptions { prefilter: Some(prefilter), limit: Some(11), ..BrowseOptions::default() };
    let mut reader = world.browse(&queue, options).await.unwrap();
    let found = read(&mut *reader).await;
    assert_eq!(in_order(world, payloads(&found.messages)), in_order(world, numbered([1].into_iter().chain(10..20))));
    let progress = reader.progress();
    assert_eq!((progress.scanned, progress.delivered), (20, 11));
    reader.close().await.unwrap();
    world.until_ready(&queue, 20).await;
}

async fn a_cancelled_look_returns_everything(world: &World) {
    let queue = world.queue_of(20).await;
    let options = BrowseOptions::default();
    let cancel = options.cancel.clone();
    let mut reader = world.browse(&queue, options).await.unwrap();
    reader.next_batch(5).await.unwrap();
    cancel.cancel();
    assert_eq!(read(&mut *reader).await.end, End::Cancelled);
    reader.close().await.unwrap();
    world.until_ready(&queue, 20).await;
}

async fn arrivals_during_a_look_are_left_alone(world: &World) {
    let queue = world.queue_of(10).await;
    let mut reader = world.browse(&queue, BrowseOptions::default()).await.unwrap();
    let first = reader.next_batch(4).await.unwrap();
    world.fixture.fill(&queue, &world.messages(10..15)).await;
    let mut seen: Vec<_> = first.deliveries.into_iter().map(|delivery| delivery.message).collect();
    if first.end.is_none() {
        seen.extend(read(&mut *reader).await.messages);
    }
    assert_eq!(in_order(world, payloads(&seen)), in_order(world, numbered(0..10)));
    reader.close().await.unwrap();
    world.until_ready(&queue, 15).await;
    assert_eq!(in_order(world, world.content(&queue).await), in_order(world, numbered(0..15)));
}

async fn two_looks_in_turn_see_the_same(world: &World) {
    let queue = world.queue_of(10).await;
    let first = world.look(&queue, BrowseOptions::default()).await.unwrap().0.messages;
    world.until_ready(&queue, 10).await;
    let second = world.look(&queue, BrowseOptions::default()).await.unwrap().0.messages;
    let identities = |messages: &[postroom::message::Message]| {
        sorted(messages.iter().map(|message| format!("{} {}", message.id, message.digest())).collect())
    };
    assert_eq!(identities(&first), identities(&second));
}

async fn an_empty_queue_ends_at_once(world: &World) {
    let queue = world.queue().await;
    let (read, closed) = world.look(&queue, BrowseOptions::default()).await.unwrap();
    assert_eq!((read.messages.len(), read.end, closed.returned), (0, End::Exhausted, 0));
}

async fn a_look_settles_nothing(world: &World) {
    let queue = world.queue_of(2).await;
    let mut reader = world.browse(&queue, BrowseOptions::default()).await.unwrap();
    let tokens = read(&mut *reader).await.tokens;
    for how in [Settle::Remove, Settle::Return] {
        for result in reader.settle(&tokens, how).await {
            assert_eq!(kind(result), ErrorKind::Unsupported);
        }
    }
    reader.close().await.unwrap();
    world.until_ready(&queue, 2).await;
}

async fn a_dropped_look_loses_nothing(world: &World) {
    let queue = world.queue_of(5).await;
    let mut reader = world.browse(&queue, BrowseOptions::default()).await.unwrap();
    read(&mut *reader).await;
    drop(reader);
    world.until_ready(&queue, 5).await;
    assert_eq!(in_order(world, world.content(&queue).await), in_order(world, numbered(0..5)));
}

/// A connection that is lost counts against a quorum queue's delivery limit (20 unless set): at the limit a message is
/// either not looked at any more, or put back as a copy.
async fn however_often_looks_are_broken_off_nothing_is_lost(world: &World) {
    let queue = world.queue_of(2).await;
    for look in 0..25 {
        match world.browse(&queue, BrowseOptions::default()).await {
            Ok(mut reader) => _ = read(&mut *reader).await,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Refused, "look {look}: {error:?}"),
        }
        world.until_ready(&queue, 2).await;
    }
    let options = BrowseOptions { rescue: true, ..BrowseOptions::default() };
    let (found, _) = world.look(&queue, options).await.unwrap();
    assert_eq!(sorted(payloads(&found.messages)), numbered(0..2));
    world.until_ready(&queue, 2).await;
    if world.capability.take {
        let options = TakeOptions { rescue: true, ..TakeOptions::default() };
        let mut reader = world.broker.take(&queue, options).await.unwrap();
        let taken = read(&mut *reader).await;
        for result in reader.settle(&taken.tokens, Settle::Remove).await {
            result.unwrap();
        }
        reader.close().await.unwrap();
        world.until_ready(&queue, 0).await;
        assert_eq!(sorted(payloads(&taken.messages)), numbered(0..2));
    }
}

async fn a_closed_look_is_over(world: &World) {
    let queue = world.queue_of(3).await;
    let mut reader = world.browse(&queue, BrowseOptions::default()).await.unwrap();
    reader.next_batch(1).await.unwrap();
    let closed = reader.close().await.unwrap();
    assert_eq!(reader.close().await.unwrap(), closed, "a close can be repeated");
    let after = reader.next_batch(1).await;
    assert!(after.is_err() || after.is_ok_and(|batch| batch.deliveries.is_empty() && batch.end.is_some()));
    world.until_ready(&queue, 3).await;
}
