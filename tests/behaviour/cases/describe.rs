//! What is told about queues: consistent, free, and with the right kind of error.

use postroom::ErrorKind;
use postroom::broker::{BrowseOptions, CostKind, ListFilter, TakeOptions};

use super::{Case, case};
use crate::world::{World, kind, until};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(a_sign_of_life_tells_who_it_is, |_, _| true),
        case!(a_description_counts_and_costs_nothing, |_, _| true),
        case!(a_description_says_what_the_queue_can_do, |_, _| true),
        case!(the_list_and_the_description_agree, |capability, _| capability.list),
        case!(the_list_is_filtered_by_glob, |capability, _| capability.list),
        case!(a_missing_queue_is_not_found, |_, _| true),
        case!(twin listing_is_refused, |capability, _| !capability.list),
    ]
}

async fn a_sign_of_life_tells_who_it_is(world: &World) {
    let info = world.broker.ping().await.unwrap();
    assert_eq!(info.kind, world.broker.info().kind);
    assert!(!info.place.is_empty() && !info.term.is_empty());
}

async fn a_description_counts_and_costs_nothing(world: &World) {
    let queue = world.queue_of(12).await;
    let mut told = None;
    let counted = until(async || {
        told = world.broker.describe(&queue).await.unwrap().messages;
        told == Some(12)
    });
    assert!(counted.await, "{told:?}");
    for _ in 0..5 {
        world.broker.describe(&queue).await.unwrap();
    }
    let messages = world.look(&queue, BrowseOptions::default()).await.unwrap().0.messages;
    assert_eq!(messages.len(), 12);
    assert!(messages.iter().all(|message| message.deliveries.unwrap_or(0) == 0), "describing delivered a message");
}

async fn a_description_says_what_the_queue_can_do(world: &World) {
    let queue = world.queue_of(1).await;
    let info = world.broker.describe(&queue).await.unwrap();
    let (own, all) = (info.capability, world.broker.capability());
    assert_eq!(info.name, queue);
    assert!(!info.kind.is_empty() && !info.read_cost.why.is_empty());
    assert_eq!(info.read_cost.kind, own.read_cost);
    assert_eq!(own.read_cost, world.capability.read_cost);
    assert!(info.read_cost.refused.is_none(), "{:?}", info.read_cost);
    assert!(own.read_cost != CostKind::None || info.read_cost.budget.is_none());
    for (mine, whole) in [
        (own.browse, all.browse),
        (own.take, all.take),
        (own.follow, all.follow),
        (own.seek.offset, all.seek.offset),
        (own.seek.time, all.seek.time),
        (own.seek.tail, all.seek.tail),
    ] {
        assert!(!mine || whole, "the queue can do what the broker can't: {own:?} {all:?}");
    }
}

async fn the_list_and_the_description_agree(world: &World) {
    let queue = world.queue_of(3).await;
    let mut pair = None;
    let agree = until(async || {
        let listing = world.broker.list(&ListFilter::default()).await.unwrap();
        let listed = listing.queues.into_iter().find(|info| info.name == queue);
        let told = world.broker.describe(&queue).await.unwrap();
        let same = listed.as_ref().is_some_and(|listed| {
            (&listed.kind, listed.messages, listed.is_dlq) == (&told.kind, told.messages, told.is_dlq)
        });
        pair = Some((listed, told));
        same
    });
    assert!(agree.await, "{pair:?}");
}

async fn the_list_is_filtered_by_glob(world: &World) {
    let (one, two) = (world.queue().await, world.queue().await);
    let named = async |glob: &str| -> Vec<String> {
        let filter = ListFilter { glob: Some(glob.to_owned()), ..ListFilter::default() };
        world.broker.list(&filter).await.unwrap().queues.into_iter().map(|info| info.name).collect()
    };
    assert_eq!(named(&one).await, std::slice::from_ref(&one));
    assert!(named("postroom-no-such-*").await.is_empty());
    let both = named("postroom-test-*").await;
    assert!(both.contains(&one) && both.contains(&two));
}

async fn a_missing_queue_is_not_found(world: &World) {
    let missing = world.fixture.missing();
    let told = world.broker.describe(&missing).await;
    assert!(told.as_ref().is_err_and(|error| !error.context_pairs().is_empty()), "{told:?}");
    assert_eq!(kind(told), ErrorKind::NotFound);
    assert_eq!(kind(world.browse(&missing, BrowseOptions::default()).await), ErrorKind::NotFound);
    if world.capability.take {
        assert_eq!(kind(world.broker.take(&missing, TakeOptions::default()).await), ErrorKind::NotFound);
    }
}

async fn listing_is_refused(world: &World) {
    assert_eq!(kind(world.broker.list(&ListFilter::default()).await), ErrorKind::Unsupported);
}
