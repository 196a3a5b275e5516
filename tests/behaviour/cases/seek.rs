//! Where a read starts and stops, on queues that have positions; and following them.

use std::time::Duration;

use postroom::ErrorKind;
use postroom::broker::{BrowseOptions, Capability, End, From, Until};

use super::{Case, case};
use crate::fixture::Fixture;
use crate::world::{World, kind, numbered, payloads, read, sorted};

fn seeks_offsets(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.browse && capability.seek.offset
}

fn seeks_times(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.browse && capability.seek.time
}

fn seeks_the_tail(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.browse && capability.seek.tail
}

fn follows(capability: &Capability, _: &dyn Fixture) -> bool {
    capability.browse && capability.follow
}

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(a_read_starts_and_stops_at_offsets, seeks_offsets),
        case!(positions_are_stable_names, seeks_offsets),
        case!(the_last_few_are_read, seeks_the_tail),
        case!(from_the_end_there_is_nothing_yet, seeks_the_tail),
        case!(a_read_starts_and_stops_at_times, seeks_times),
        case!(a_follower_sees_arrivals, follows),
        case!(a_follower_stops_at_its_limit, follows),
        case!(a_follower_is_cancelled_while_it_waits, follows),
        case!(twin seeking_is_refused, |capability, _| capability.browse && !capability.seek.offset && !capability.seek.tail),
        case!(twin seeking_a_time_is_refused, |capability, _| capability.browse && !capability.seek.time),
        case!(twin following_is_refused, |capability, _| capability.browse && !capability.follow),
    ]
}

fn from(from: From) -> BrowseOptions {
    BrowseOptions { from, ..BrowseOptions::default() }
}

/// The offsets in a queue, oldest first.
async fn offsets(world: &World, queue: &str) -> Vec<u64> {
    let messages = world.look(queue, BrowseOptions::default()).await.unwrap().0.messages;
    messages.into_iter().map(|message| message.position.unwrap().offset).collect()
}

async fn a_read_starts_and_stops_at_offsets(world: &World) {
    let queue = world.queue_of(10).await;
    let offsets = offsets(world, &queue).await;
    assert!(offsets.is_sorted() && offsets.len() == 10, "{offsets:?}");
    let (found, _) = world.look(&queue, from(From::Offset(offsets[7]))).await.unwrap();
    assert_eq!(payloads(&found.messages), numbered(7..10));
    let until = BrowseOptions { until: Some(Until::Offset(offsets[4])), ..from(From::Offset(offsets[2])) };
    let (found, _) = world.look(&queue, until).await.unwrap();
    assert_eq!((payloads(&found.messages), found.end), (numbered(2..4), End::Exhausted));
    let (found, _) = world.look(&queue, from(From::Offset(offsets[9] + 1))).await.unwrap();
    assert!(found.messages.is_empty());
}

async fn positions_are_stable_names(world: &World) {
    let queue = world.queue_of(5).await;
    let before = offsets(world, &queue).await;
    world.fixture.fill(&queue, &world.messages(5..8)).await;
    world.until_ready(&queue, 8).await;
    assert_eq!(offsets(world, &queue).await[..5], before);
}

async fn the_last_few_are_read(world: &World) {
    let queue = world.queue_of(10).await;
    let (found, _) = world.look(&queue, from(From::Last(3))).await.unwrap();
    assert_eq!(payloads(&found.messages), numbered(7..10));
    let (found, _) = world.look(&queue, from(From::Last(100))).await.unwrap();
    assert_eq!(payloads(&found.messages), numbered(0..10));
}

async fn from_the_end_there_is_nothing_yet(world: &World) {
    let queue = world.queue_of(4).await;
    let (found, _) = world.look(&queue, from(From::End)).await.unwrap();
    assert!(found.messages.is_empty());
    assert_eq!(found.end, End::Exhausted);
}

/// Messages without a time of their own (streams) may be found by the chunk that they came in: then nothing of the
/// range is missing, and more may be there.
async fn a_read_starts_and_stops_at_times(world: &World) {
    let queue = world.queue_of(3).await;
    let start = world.fixture.mark().await;
    world.fixture.fill(&queue, &world.messages(3..6)).await;
    let stop = world.fixture.mark().await;
    world.fixture.fill(&queue, &world.messages(6..9)).await;
    world.until_ready(&queue, 9).await;
    let until = BrowseOptions { until: Some(Until::Time(stop)), ..from(From::Time(start)) };
    for (options, wanted) in [(from(From::Time(start)), 3..9), (until, 3..6)] {
        let (found, _) = world.look(&queue, options).await.unwrap();
        let seen = payloads(&found.messages);
        if found.messages.iter().all(|message| message.time.is_some()) {
            assert_eq!(seen, numbered(wanted));
        } else {
            assert!(numbered(wanted).iter().all(|text| seen.contains(text)), "{seen:?}");
        }
    }
    let (found, _) = world.look(&queue, from(From::Time(stop + Duration::from_hours(1)))).await.unwrap();
    assert!(found.messages.is_empty());
}

async fn a_follower_sees_arrivals(world: &World) {
    let queue = world.queue_of(3).await;
    let options = BrowseOptions { follow: true, ..from(From::End) };
    let mut reader = world.browse(&queue, options).await.unwrap();
    let mut seen = Vec::new();
    let arrivals = world.messages(3..6);
    let following = async {
        while seen.len() < 3 {
            let batch = reader.next_batch(10).await.unwrap();
            assert_eq!(batch.end, None);
            seen.extend(batch.deliveries.into_iter().map(|delivery| delivery.message));
        }
    };
    tokio::join!(following, world.fixture.fill(&queue, &arrivals));
    assert_eq!(sorted(payloads(&seen)), numbered(3..6));
    reader.close().await.unwrap();
    world.until_ready(&queue, 6).await;
}

async fn a_follower_stops_at_its_limit(world: &World) {
    let queue = world.queue_of(3).await;
    let options = BrowseOptions { follow: true, limit: Some(5), ..BrowseOptions::default() };
    let mut reader = world.browse(&queue, options).await.unwrap();
    let arrivals = world.messages(3..6);
    let (found, ()) = tokio::join!(read(&mut *reader), world.fixture.fill(&queue, &arrivals));
    assert_eq!((found.messages.len(), found.end), (5, End::Limit));
}

async fn a_follower_is_cancelled_while_it_waits(world: &World) {
    let queue = world.queue().await;
    let options = BrowseOptions { follow: true, ..BrowseOptions::default() };
    let cancel = options.cancel.clone();
    let mut reader = world.browse(&queue, options).await.unwrap();
    let (found, ()) = tokio::join!(read(&mut *reader), async { cancel.cancel() });
    assert_eq!((found.messages.len(), found.end), (0, End::Cancelled));
    reader.close().await.unwrap();
}

async fn seeking_is_refused(world: &World) {
    let queue = world.queue_of(2).await;
    for start in [From::Last(1), From::End, From::Offset(0)] {
        assert_eq!(kind(world.browse(&queue, from(start)).await), ErrorKind::Unsupported, "{start:?}");
    }
    let until = BrowseOptions { until: Some(Until::Offset(1)), ..BrowseOptions::default() };
    assert_eq!(kind(world.browse(&queue, until).await), ErrorKind::Unsupported);
    world.until_ready(&queue, 2).await;
}

async fn seeking_a_time_is_refused(world: &World) {
    let queue = world.queue_of(2).await;
    let start = from(From::Time("2026-03-02T10:00:00Z".parse().unwrap()));
    assert_eq!(kind(world.browse(&queue, start).await), ErrorKind::Unsupported);
    world.until_ready(&queue, 2).await;
}

async fn following_is_refused(world: &World) {
    let queue = world.queue_of(2).await;
    let options = BrowseOptions { follow: true, ..BrowseOptions::default() };
    assert_eq!(kind(world.browse(&queue, options).await), ErrorKind::Unsupported);
    world.until_ready(&queue, 2).await;
}
