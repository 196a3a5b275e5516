//! Taking: exactly what was removed is gone, everything else is back.

use std::collections::BTreeSet;

use postroom::ErrorKind;
use postroom::broker::{Capability, CostKind, End, Remove, Settle, TakeOptions};
use postroom::message::filter::Filter;

use super::{Case, case};
use crate::fixture::Fixture;
use crate::world::{World, kind, numbered, payloads, read, sorted};

fn takes(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.take
}

/// Any message can be removed, whatever stands before it.
fn takes_any(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.take && capability.remove == Remove::PerMessage
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(what_is_removed_is_gone_and_nothing_else, takes_any),
        case!(of_equal_messages_exactly_one_is_removed, takes_any),
        case!(everything_can_be_removed, takes),
        case!(what_is_returned_is_back_in_order, takes_any),
        case!(close_returns_all_that_is_unsettled, takes_any),
        case!(a_settled_message_cannot_be_settled_again, takes),
        case!(after_the_close_nothing_can_be_settled, takes_any),
        case!(arrivals_during_a_take_are_left_alone, |capability, fixture| {
            takes(capability, fixture) && fixture.tells_arrivals()
        }),
        case!(a_take_goes_through_as_many_as_its_limit, takes_any),
        case!(what_the_prefilter_skips_goes_back, takes_any),
        case!(a_dropped_take_loses_nothing, |capability, fixture| {
            takes_any(capability, fixture) && capability.read_cost != CostKind::Leases
        }),
        case!(only_a_prefix_can_be_removed, |capability, _| capability.remove == Remove::UpToOffset),
        case!(twin taking_is_refused, |capability, _| !capability.take),
    ]
}

async fn what_is_removed_is_gone_and_nothing_else(world: &World) {
    let queue = world.queue_of(20).await;
    let mut reader = world.take(&queue).await;
    let taken = read(&mut *reader).await;
    let odd = |text: &String| text.trim_start_matches('m').parse::<usize>().unwrap() % 2 == 1;
    let texts = payloads(&taken.messages);
    let tokens: Vec<_> =
        taken.tokens.iter().zip(&texts).filter(|(_, text)| odd(text)).map(|(token, _)| *token).collect();
    assert_eq!(tokens.len(), 10);
    for result in reader.settle(&tokens, Settle::Remove).await {
        result.unwrap();
    }
    assert_eq!(reader.close().await.unwrap().returned, 10);
    world.until_ready(&queue, 10).await;
    assert_eq!(sorted(world.content(&queue).await), sorted(numbered((0..20).step_by(2))));
}

async fn of_equal_messages_exactly_one_is_removed(world: &World) {
    let queue = world.queue().await;
    let same: Vec<_> = (0..5).map(|_| world.message("same")).collect();
    world.fixture.fill(&queue, &same).await;
    world.until_ready(&queue, 5).await;
    let mut reader = world.take(&queue).await;
    let tokens = read(&mut *reader).await.tokens;
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), 5);
    reader.settle(&tokens[2..3], Settle::Remove).await.pop().unwrap().unwrap();
    reader.close().await.unwrap();
    world.until_ready(&queue, 4).await;
}

async fn everything_can_be_removed(world: &World) {
    let queue = world.queue_of(25).await;
    let mut reader = world.take(&queue).await;
    loop {
        let batch = reader.next_batch(10).await.unwrap();
        let tokens: Vec<_> = batch.deliveries.iter().map(|delivery| delivery.token).collect();
        for result in reader.settle(&tokens, Settle::Remove).await {
            result.unwrap();
        }
        if let Some(end) = batch.end {
            assert_eq!(end, End::Exhausted);
            break;
        }
    }
    assert_eq!(reader.close().await.unwrap().returned, 0);
    world.until_ready(&queue, 0).await;
}

async fn what_is_returned_is_back_in_order(world: &World) {
    let queue = world.queue_of(10).await;
    let before = world.content(&queue).await;
    let mut reader = world.take(&queue).await;
    let mut tokens = read(&mut *reader).await.tokens;
    tokens.reverse();
    for result in reader.settle(&tokens, Settle::Return).await {
        result.unwrap();
    }
    assert_eq!(reader.close().await.unwrap().returned, 10);
    world.until_ready(&queue, 10).await;
    let after = world.content(&queue).await;
    if world.capability.read_cost == CostKind::Leases {
        assert_eq!(sorted(after), sorted(before));
    } else {
        assert_eq!(after, before);
    }
}

async fn close_returns_all_that_is_unsettled(world: &World) {
    let queue = world.queue_of(9).await;
    let mut reader = world.take(&queue).await;
    let tokens = read(&mut *reader).await.tokens;
    reader.settle(&tokens[..1], Settle::Remove).await.pop().unwrap().unwrap();
    let closed = reader.close().await.unwrap();
    assert_eq!(closed.returned + closed.rescued, 8);
    world.until_ready(&queue, 8).await;
}

async fn a_settled_message_cannot_be_settled_again(world: &World) {
    let queue = world.queue_of(2).await;
    let mut reader = world.take(&queue).await;
    let tokens = read(&mut *reader).await.tokens;
    reader.settle(&tokens[..1], Settle::Remove).await.pop().unwrap().unwrap();
    assert!(reader.settle(&tokens[..1], Settle::Remove).await.pop().unwrap().is_err());
    reader.close().await.unwrap();
    world.until_ready(&queue, 1).await;
}

async fn after_the_close_nothing_can_be_settled(world: &World) {
    let queue = world.queue_of(2).await;
    let mut reader = world.take(&queue).await;
    let tokens = read(&mut *reader).await.tokens;
    reader.close().await.unwrap();
    for result in reader.settle(&tokens, Settle::Remove).await {
        assert!(result.is_err());
    }
    world.until_ready(&queue, 2).await;
}

async fn arrivals_during_a_take_are_left_alone(world: &World) {
    let queue = world.queue_of(10).await;
    let mut reader = world.take(&queue).await;
    let mut tokens: Vec<_> =
        reader.next_batch(4).await.unwrap().deliveries.into_iter().map(|delivery| delivery.token).collect();
    world.fixture.fill(&queue, &world.messages(10..15)).await;
    tokens.extend(read(&mut *reader).await.tokens);
    assert_eq!(tokens.len(), 10);
    for result in reader.settle(&tokens, Settle::Remove).await {
        result.unwrap();
    }
    reader.close().await.unwrap();
    world.until_ready(&queue, 5).await;
    assert_eq!(sorted(world.content(&queue).await), sorted(numbered(10..15)));
}

async fn a_take_goes_through_as_many_as_its_limit(world: &World) {
    let queue = world.queue_of(10).await;
    let options = TakeOptions { limit: Some(4), ..TakeOptions::default() };
    let mut reader = world.broker.take(&queue, options).await.unwrap();
    let taken = read(&mut *reader).await;
    assert_eq!((taken.messages.len(), taken.end), (4, End::Limit));
    reader.close().await.unwrap();
    world.until_ready(&queue, 10).await;
}

async fn what_the_prefilter_skips_goes_back(world: &World) {
    let queue = world.queue_of(20).await;
    let now = "2026-03-02T10:00:00Z".parse().unwrap();
    let prefilter = Some(Filter::parse("body:m1", now).unwrap().prefilter());
    let mut reader = world.broker.take(&queue, TakeOptions { prefilter, ..TakeOptions::default() }).await.unwrap();
    let taken = read(&mut *reader).await;
    assert_eq!(taken.messages.len(), 11);
    for result in reader.settle(&taken.tokens, Settle::Remove).await {
        result.unwrap();
    }
    reader.close().await.unwrap();
    world.until_ready(&queue, 9).await;
    assert_eq!(sorted(world.content(&queue).await), sorted(numbered([0].into_iter().chain(2..10))));
}

async fn a_dropped_take_loses_nothing(world: &World) {
    let queue = world.queue_of(5).await;
    let mut reader = world.take(&queue).await;
    read(&mut *reader).await;
    drop(reader);
    world.until_ready(&queue, 5).await;
}

async fn only_a_prefix_can_be_removed(world: &World) {
    let queue = world.queue_of(5).await;
    let mut reader = world.take(&queue).await;
    let tokens = read(&mut *reader).await.tokens;
    assert_eq!(kind(reader.settle(&tokens[1..2], Settle::Remove).await.pop().unwrap()), ErrorKind::Rejected);
    for result in reader.settle(&tokens[..3], Settle::Remove).await {
        result.unwrap();
    }
    reader.close().await.unwrap();
    world.until_ready(&queue, 2).await;
}

async fn taking_is_refused(world: &World) {
    let queue = world.queue_of(2).await;
    assert_eq!(kind(world.broker.take(&queue, TakeOptions::default()).await), ErrorKind::Unsupported);
    world.until_ready(&queue, 2).await;
}
