//! Consumer groups of a memory broker's topics: what the builder says of them, and moves of those without members.
//!
//! Limits: nobody reads by them, so that a group's place changes only when it is moved.

use super::log::Log;
use super::profile::Profile;
use super::state::{Queue, Store};
use crate::broker::{Committed, ConsumerGroup, From};
use crate::error::{Error, ErrorKind, Result};

/// A consumer group, and its place in each partition.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) name: String,
    pub(super) members: u64,
    pub(super) committed: Vec<Option<u64>>,
}

/// The topic behind a queue's name.
fn topic(queue: &Queue) -> Result<&Log> {
    match &queue.store {
        Store::Log(log) if queue.spec.profile == Profile::Kafka => Ok(log),
        _ => Err(crate::broker::no_groups(&queue.spec.name)),
    }
}

/// Its groups.
///
/// # Errors
/// `Unsupported` where it is no topic.
pub(super) fn of(queue: &Queue) -> Result<Vec<ConsumerGroup>> {
    let extents = topic(queue)?.extents();
    let group = |group: &Group| {
        let place = |(at, extent): (usize, &crate::broker::Extent)| Committed {
            partition: extent.partition.unwrap_or_default(),
            committed: group.committed.get(at).copied().flatten(),
            extent: *extent,
        };
        ConsumerGroup {
            name: group.name.clone(),
            kind: "classic".to_owned(),
            state: if group.members > 0 { "Stable" } else { "Empty" }.to_owned(),
            live: group.members > 0,
            members: group.members,
            places: extents.iter().enumerate().map(place).collect(),
        }
    };
    Ok(queue.spec.groups.iter().map(group).collect())
}

/// Where a read of each partition that starts there would begin.
///
/// # Errors
/// `Unsupported` where it is no topic.
pub(super) fn offsets(queue: &Queue, at: From) -> Result<Vec<(i32, u64)>> {
    let starts = topic(queue)?.partitions().iter().map(|partition| partition.start(at));
    Ok((0..).zip(starts).collect())
}

/// Moves a group.
///
/// # Errors
/// `NotFound`; `Refused` while it has members; `Unsupported` where it is no topic.
pub(super) fn set(queue: &mut Queue, name: &str, offsets: &[(i32, u64)]) -> Result<()> {
    topic(queue)?;
    let found = queue.spec.groups.iter_mut().find(|group| group.name == name);
    let group = found.ok_or_else(|| Error::new(ErrorKind::NotFound, format!("there is no group {name:?}")))?;
    if group.members > 0 {
        let what = format!("the group {name:?} has members: its offsets can't be moved");
        return Err(Error::new(ErrorKind::Refused, what).hint("stop its consumers first"));
    }
    for (partition, offset) in offsets {
        if let Some(place) = usize::try_from(*partition).ok().and_then(|at| group.committed.get_mut(at)) {
            *place = Some(*offset);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::broker::memory::{Memory, QueueSpec};
    use crate::broker::{Broker as _, From};
    use crate::error::ErrorKind;
    use crate::message::Message;

    use super::Profile;

    #[tokio::test]
    async fn a_group_is_told_and_moved_while_nobody_is_in_it() {
        let topic = QueueSpec::new("events", Profile::Kafka).partitions(2);
        let memory = Memory::builder()
            .queue(topic.group("live", 2, &[Some(1), Some(1)]).group("idle", 0, &[Some(0), None]))
            .queue(QueueSpec::new("orders", Profile::RabbitClassic))
            .build();
        (0..6).for_each(|_| _ = memory.publish("events", Message::default()).unwrap());
        let groups = memory.groups("events").await.unwrap().groups;
        assert_eq!((groups[0].lag(), groups[0].live, groups[1].lag()), (4, true, 3));
        assert_eq!(memory.offsets("events", From::Last(1)).await.unwrap(), [(0, 2), (1, 2)]);
        memory.set_offsets("events", "idle", &[(0, 3), (1, 2)]).await.unwrap();
        let moved = memory.groups("events").await.unwrap().groups;
        assert_eq!((moved[1].lag(), moved[1].places[1].committed), (1, Some(2)));
        let refused = memory.set_offsets("events", "live", &[(0, 3)]).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused);
        assert_eq!(memory.groups("orders").await.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
