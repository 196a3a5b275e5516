//! When messages vanish: what is told of it, and that the broker does as told. Logs drop whole segments in their own time
//! and SQS keeps messages for a minute at least, so there only what is told is looked at; in memory the clock is one of all
//! cases that run at once.

use std::time::Duration;

use postroom::broker::ListFilter;
use postroom::message::Message;

use super::{Case, case};
use crate::fixture::Wanted;
use crate::world::{World, payloads, until};

/// What every broker that knows of lives can give to a queue.
const HOUR: Duration = Duration::from_hours(1);

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(a_description_says_how_long_messages_live, |_, fixture| fixture.makes(&Wanted::Expiring(HOUR))),
        case!(what_has_lived_as_long_as_its_queue_says_is_gone, |_, fixture| fixture.short_life().is_some()),
        case!(what_has_lived_as_long_as_it_says_itself_is_gone, |_, fixture| fixture.short_life().is_some()),
        case!(twin nothing_is_said_to_vanish_where_nothing_does, |_, fixture| !fixture.makes(&Wanted::Expiring(HOUR))),
    ]
}

async fn a_description_says_how_long_messages_live(world: &World) {
    let queue = world.queue_that(&Wanted::Expiring(HOUR)).await;
    let mut told = None;
    let says = until(async || {
        let listing =
            world.broker.list(&ListFilter { glob: Some(queue.clone()), ..ListFilter::default() }).await.unwrap();
        let listed = listing.queues.first().and_then(|info| info.expiry);
        told = Some((world.broker.describe(&queue).await.unwrap().expiry, listed));
        told == Some((Some(HOUR), Some(HOUR)))
    });
    assert!(says.await, "{told:?}");
}

async fn what_has_lived_as_long_as_its_queue_says_is_gone(world: &World) {
    let life = world.fixture.short_life().unwrap();
    let queue = world.queue_that(&Wanted::Expiring(life)).await;
    world.fixture.fill(&queue, &world.messages(0..3)).await;
    assert_eq!(world.broker.describe(&queue).await.unwrap().expiry, Some(life));
    world.until_ready(&queue, 0).await;
}

/// The shorter life counts: the queue's own is longer.
async fn what_has_lived_as_long_as_it_says_itself_is_gone(world: &World) {
    let life = world.fixture.short_life().unwrap();
    let queue = world.queue_that(&Wanted::Expiring(HOUR)).await;
    let living = |body: &str, life: Duration| {
        let mut message: Message = world.message(body.to_owned());
        message.properties.push("expiration", life.as_millis().to_string().as_str());
        message
    };
    let publisher = world.publisher(&queue).await;
    for receipt in publisher.publish(&[living("short", life), living("long", HOUR / 2)]).await {
        receipt.unwrap();
    }
    publisher.close().await.unwrap();
    world.until_ready(&queue, 1).await;
    let left = world.look(&queue, postroom::broker::BrowseOptions::default()).await.unwrap().0.messages;
    assert_eq!(payloads(&left), ["long"]);
    // By this a plan knows when.
    assert_eq!(left[0].properties.get_str("expiration"), Some("1800000"));
}

async fn nothing_is_said_to_vanish_where_nothing_does(world: &World) {
    let queue = world.queue_of(1).await;
    assert_eq!(world.broker.describe(&queue).await.unwrap().expiry, None);
}
