//! Who reads a topic, and how far: groups of both protocols, their states, and the offsets that they committed.
//!
//! Nothing is joined: the groups' coordinators are asked, and told where a group goes on. They let nobody move the
//! offsets of a group with members. Limits: share groups keep no offsets, and are not listed; of a group whose offsets
//! may not be read, nothing is told.

use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::Shared;
use super::client::{Client, Topic};
use super::errors::{code, explain, is_passing, meaning};
use super::native::{self, Described, Place};
use crate::broker::{Committed, ConsumerGroup, Groups};
use crate::error::{Error, ErrorKind, Result};

/// Groups whose offsets are asked for at once.
const AT_ONCE: usize = 16;

/// The groups that have a place in the topic, or members that read it.
///
/// # Errors
/// `NotFound`, `Denied`, `Unreachable`.
pub(super) async fn of(shared: &Shared, topic: &str) -> Result<Groups> {
    let client = shared.client().await?;
    let topic = shared.topic(topic).await?;
    let (marks, (described, mut notes)) = tokio::try_join!(client.marks(std::slice::from_ref(&topic)), list(&client))?;
    let asked = stream::iter(described)
        .map(|group| {
            let (client, topic) = (&client, &topic);
            async move { (committed(client, &group.name, topic).await, group) }
        })
        .buffer_unordered(AT_ONCE);
    let mut groups = Vec::new();
    for (offsets, group) in asked.collect::<Vec<_>>().await {
        let offsets = match offsets {
            Ok(offsets) => offsets,
            // One that can't be asked must not hide the others.
            Err(error) => {
                notes.push(format!("the group {:?} is not told: {error}", group.name));
                continue;
            }
        };
        let reads = group.assigned.iter().any(|(there, _)| *there == topic.name);
        if !reads && offsets.iter().all(|(_, committed)| committed.is_none()) {
            continue;
        }
        let place = |(partition, committed): (i32, Option<u64>)| {
            let marks = marks.get(&(topic.name.clone(), partition)).copied().unwrap_or_default();
            Committed { partition, committed, extent: marks.extent(partition) }
        };
        let places = offsets.into_iter().map(place).collect();
        let Described { name, kind, state, vacant, members, .. } = group;
        let live = members > 0 || !vacant;
        groups.push(ConsumerGroup { name, kind: kind.to_owned(), state: state.to_owned(), live, members, places });
    }
    groups.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    Ok(Groups { groups, notes })
}

/// Every group that the user may see, and what could not be learned.
async fn list(client: &Client) -> Result<(Vec<Described>, Vec<String>)> {
    let listed = client.ask("listing the consumer groups".into(), native::groups);
    let (mut names, errors) = listed.await?;
    let doing = "listing the consumer groups of one broker";
    let mut notes: Vec<String> = errors.into_iter().map(|code| meaning(doing, code).to_string()).collect();
    if names.is_empty()
        && let Some(why) = notes.first()
    {
        return Err(Error::new(ErrorKind::Unreachable, why.clone()).hint("look at the brokers' health"));
    }
    // While a group's coordinator moves, two brokers may name it.
    names.sort_unstable();
    names.dedup();
    let described = client.ask("asking for the states of the groups".into(), move |consumer, slice| {
        native::describe(consumer, &names, slice)
    });
    let (known, unknown): (Vec<_>, Vec<_>) = described.await?.into_iter().partition(|group| group.error.is_none());
    notes.extend(unknown.into_iter().filter_map(|group| {
        let error = meaning(&format!("asking for the state of the group {:?}", group.name), group.error?);
        Some(error.to_string())
    }));
    Ok((known, notes))
}

/// What a group has committed in each partition.
async fn committed(client: &Client, group: &str, topic: &Topic) -> Result<Vec<(i32, Option<u64>)>> {
    let (name, partitions, group) = (topic.name.clone(), topic.partitions.clone(), group.to_owned());
    let asked = client.ask(format!("asking for the offsets of the group {group:?}"), move |consumer, slice| {
        let places = native::committed(consumer, &group, &name, &partitions, slice)?;
        let offset = |place: Place| match place.error {
            Some(code) => Err(KafkaError::OffsetFetch(code)),
            None => Ok((place.partition, place.offset)),
        };
        places.into_iter().map(offset).collect::<std::result::Result<Vec<_>, _>>()
    });
    let mut offsets = asked.await?;
    offsets.sort_unstable();
    Ok(offsets)
}

/// Moves a group's offsets, and looks whether they are there.
///
/// # Errors
/// `Refused` while the group has members; `Ambiguous` where the answer was lost, `Partial` where only some partitions
/// moved.
pub(super) async fn set(shared: &Shared, topic: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
    let client = shared.client().await?;
    let topic = shared.topic(topic).await?;
    let doing = format!("moving the offsets of the group {group:?}");
    let (name, of, wanted): (String, String, Arc<[(i32, u64)]>) =
        (topic.name.clone(), group.to_owned(), offsets.into());
    let order = move |consumer: &_, within: Duration| native::commit(consumer, &of, &name, &wanted, within);
    let answer = client.order(order).await;
    let failed = match &answer {
        Err(error) => Some(error.clone()),
        Ok(places) => places.iter().find_map(|place| place.error).map(KafkaError::Global),
    };
    // Whatever was answered: what is there counts.
    let there = match (committed(&client, group, &topic).await, &failed) {
        (Ok(there), _) => there,
        (Err(_), None) => return Err(lost(&doing)),
        (Err(_), Some(failed)) => return Err(refused(&doing, group, failed)),
    };
    let (moved, not): (Vec<_>, Vec<_>) =
        offsets.iter().partition(|(partition, offset)| there.contains(&(*partition, Some(*offset))));
    let names = |places: &[&(i32, u64)]| places.iter().map(|(p, _)| p.to_string()).collect::<Vec<_>>().join(", ");
    match failed {
        None if not.is_empty() => Ok(()),
        None => Err(Error::new(ErrorKind::Ambiguous, format!("{doing}: partitions {} are elsewhere", names(&not)))
            .hint("look at them with postroom consumers; somebody else may have moved them at the same time")),
        Some(error) if moved.is_empty() || not.is_empty() => Err(refused(&doing, group, &error)),
        Some(error) => {
            let why = format!("{doing} was done in partitions {} only: {error}", names(&moved));
            Err(Error::new(ErrorKind::Partial, why).hint("look at them with postroom consumers, and reset the rest"))
        }
    }
}

fn lost(doing: &str) -> Error {
    Error::new(ErrorKind::Ambiguous, format!("{doing}: no answer came")).hint("look at them with postroom consumers")
}

fn refused(doing: &str, group: &str, error: &KafkaError) -> Error {
    match code(error) {
        Some(
            Code::UnknownMemberId
            | Code::IllegalGeneration
            | Code::RebalanceInProgress
            | Code::FencedInstanceId
            | Code::StaleMemberEpoch
            | Code::NonEmptyGroup,
        ) => Error::new(ErrorKind::Refused, format!("the group {group:?} has members: its offsets can't be moved"))
            .hint("stop its consumers first"),
        Some(passing) if is_passing(passing) => lost(doing),
        None => lost(doing),
        _ => explain(doing, error),
    }
}
