//! Consumer groups' places in a queue: looking at them, and moving one.
//!
//! A move is planned partition by partition, shown, and done only while the group has no members: a live one would
//! commit over it. What was there before is in the plan, so that it can be moved back.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::place::Place;
use crate::broker::{Committed, ConsumerGroup, Extent, From, Groups};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::filter::parse_time;

/// Where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// Where a read from there begins.
    At(From),
    /// So many offsets on or back from where it is.
    By(i64),
    /// Behind this message: a poison message is skipped. Only its partition moves.
    After {
        /// The message's partition.
        partition: i32,
        /// Its offset.
        offset: u64,
    },
}

impl To {
    /// Reads `first`, `last`, `end`, an offset, a time, `+N`, or `-N`.
    ///
    /// # Errors
    /// `Usage`, with what can be written.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let wrong = || {
            Error::new(ErrorKind::Usage, format!("{text:?} is no place in a topic")).hint(
                "write first, last, end, an offset such as 17, a time such as 2026-03-02T10:11:12Z or -2h, +N or -N",
            )
        };
        let sign = text.strip_prefix(['+', '-']).filter(|rest| rest.chars().all(|c| c.is_ascii_digit()));
        Ok(match text {
            "first" => Self::At(From::First),
            "last" => Self::At(From::Last(1)),
            "end" => Self::At(From::End),
            _ if sign.is_some() => Self::By(text.parse().map_err(|_| wrong())?),
            _ => match text.parse() {
                Ok(offset) => Self::At(From::Offset(offset)),
                Err(_) => Self::At(From::Time(parse_time(text, now).ok_or_else(wrong)?)),
            },
        })
    }

    /// Reads `PARTITION:OFFSET`, the name of a message: behind it.
    ///
    /// # Errors
    /// `Usage`.
    pub fn after(text: &str) -> Result<Self> {
        let read =
            text.split_once(':').and_then(|(partition, offset)| Some((partition.parse().ok()?, offset.parse().ok()?)));
        let (partition, offset) = read.ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("{text:?} names no message"))
                .hint("write PARTITION:OFFSET, such as 3:17")
        })?;
        Ok(Self::After { partition, offset })
    }
}

/// A move of one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Move {
    /// As it is.
    pub before: Committed,
    /// The offset that is read next then.
    pub to: u64,
}

impl Move {
    /// How many messages are to be read then, at most.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.before.extent.end.saturating_sub(self.to)
    }

    /// How many messages that are there will not be read, at most.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.before.next().map_or(0, |next| self.to.saturating_sub(next))
    }

    /// How many messages that are there will be read once more, at most.
    #[must_use]
    pub fn again(&self) -> u64 {
        self.before.next().map_or(0, |next| next.saturating_sub(self.to))
    }
}

/// What is going to be moved.
#[derive(Clone, Debug)]
pub struct Reset {
    /// The queue.
    pub source: Place,
    /// The group.
    pub group: ConsumerGroup,
    /// Partition by partition; those that stay where they are left out.
    pub moves: Vec<Move>,
}

/// The groups of a queue.
///
/// # Errors
/// `Unsupported` where there are none such; what the broker says.
pub async fn groups(source: &Place) -> Result<Groups> {
    source.broker.groups(source.queue()?).await.map_err(|error| source.locate(error))
}

/// The group of that name.
///
/// # Errors
/// `NotFound`.
pub fn find(source: &Place, groups: &Groups, name: &str) -> Result<ConsumerGroup> {
    groups.groups.iter().find(|there| there.name == name).cloned().ok_or_else(|| {
        let error = Error::new(ErrorKind::NotFound, format!("no group {name:?} has a place in {}", source.address));
        match (nearest(name, groups.groups.iter().map(|group| group.name.as_str())), groups.notes.first()) {
            (Some(near), _) => error.hint(format!("did you mean {near:?}?")),
            (None, Some(note)) => error.hint(format!("not everything could be learned: {note}")),
            (None, None) => error.hint("`postroom consumers` lists the groups"),
        }
    })
}

/// Plans a move; changes nothing.
///
/// # Errors
/// `NotFound` for a group, partition or offset that is not there; `Refused` for a group with members, a message that the
/// group has behind it, and a read-only profile; what the broker says.
pub async fn plan(source: Place, group: &str, to: To, partition: Option<i32>) -> Result<Reset> {
    source.require_writable()?;
    let group = find(&source, &groups(&source).await?, group)?;
    if group.live {
        let members = crate::text::human::plural(group.members, "member");
        return Err(Error::new(
            ErrorKind::Refused,
            format!("the group {:?} is live ({}, {members})", group.name, group.state),
        )
        .hint("stop its consumers first: they would commit over what is set"));
    }
    let wanted = match to {
        To::After { partition, .. } => Some(partition),
        _ => partition.or_else(|| source.partition()),
    };
    if let Some(wanted) = wanted.filter(|wanted| group.places.iter().all(|place| place.partition != *wanted)) {
        return Err(Error::new(ErrorKind::NotFound, format!("{} has no partition {wanted}", source.address)));
    }
    let starts = match to {
        To::At(at) => {
            let queue = source.queue()?;
            source.broker.offsets(queue, at).await.map_err(|error| source.locate(error))?
        }
        _ => Vec::new(),
    };
    let mut moves = Vec::new();
    for before in group.places.iter().filter(|place| wanted.is_none_or(|wanted| wanted == place.partition)) {
        if let Some(to) = target(before, to, &starts)?.filter(|to| before.committed != Some(*to)) {
            moves.push(Move { before: *before, to });
        }
    }
    Ok(Reset { source, group, moves })
}

/// Where a partition's place moves, within what the partition holds; `None` where it does not.
fn target(before: &Committed, to: To, starts: &[(i32, u64)]) -> Result<Option<u64>> {
    let Committed { partition, committed, extent: Extent { first, end, .. } } = *before;
    let holds = || format!("partition {partition} holds offsets {first} to {end}");
    match to {
        // An offset that is not there is a slip of the pen, which must not skip all there is.
        To::At(From::Offset(offset)) if !(first..=end).contains(&offset) => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no offset {offset}: {}", holds()))
                .hint("--partition moves one partition only; end and first are names"))
        }
        To::At(_) => {
            let start = starts.iter().find(|(there, _)| *there == partition);
            Ok(start.map(|(_, start)| (*start).clamp(first, end)))
        }
        To::By(by) => Ok(committed.map(|committed| committed.saturating_add_signed(by).clamp(first, end))),
        To::After { offset, .. } if !(first..end).contains(&offset) => {
            Err(Error::new(ErrorKind::NotFound, format!("there is no message {partition}:{offset}: {}", holds()))
                .hint("browse shows partition and offset of each message"))
        }
        To::After { offset, .. } => match committed.filter(|committed| *committed > offset) {
            Some(committed) => Err(Error::new(
                ErrorKind::Refused,
                format!("the group has {partition}:{offset} behind it: it goes on at {committed}"),
            )
            .hint("to read messages again, write --to with an offset and --partition")),
            None => Ok(Some(offset + 1)),
        },
    }
}

/// Does it, where everything is still as it was planned.
///
/// # Errors
/// `Refused` where the group came to life or moved meanwhile; `Ambiguous` where the answer was lost; `Partial` where only
/// some partitions moved.
pub async fn run(reset: &Reset) -> Result<()> {
    if reset.moves.is_empty() {
        return Ok(());
    }
    let Reset { source, group, moves } = reset;
    let now = find(source, &groups(source).await?, &group.name)?;
    let stands = |moved: &Move| {
        let there = now.places.iter().find(|place| place.partition == moved.before.partition);
        there.is_some_and(|place| place.committed == moved.before.committed)
    };
    if now.live || !moves.iter().all(stands) {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("the group {:?} has moved since it was looked at", group.name),
        )
        .hint("nothing was done; stop its consumers, and look again"));
    }
    let offsets: Vec<(i32, u64)> = moves.iter().map(|moved| (moved.before.partition, moved.to)).collect();
    let set = source.broker.set_offsets(source.queue()?, &group.name, &offsets);
    set.await.map_err(|error| source.locate(error))
}

/// `postroom.consumer/1`.
#[must_use]
pub fn json(address: &str, group: &ConsumerGroup) -> Json {
    let place = |place: &Committed| json!({"partition": place.partition, "committed": place.committed, "end": place.extent.end, "lag": place.lag()});
    json!({
        "schema": "postroom.consumer/1",
        "address": address,
        "group": group.name,
        "kind": group.kind,
        "state": group.state,
        "members": group.members,
        "lag": group.lag(),
        "partitions": group.places.iter().map(place).collect::<Vec<_>>(),
    })
}

/// `postroom.offsets/1`: what is moved, or was.
#[must_use]
pub fn reset_json(reset: &Reset, done: bool) -> Json {
    let place = |moved: &Move| {
        json!({
            "partition": moved.before.partition,
            "from": moved.before.committed,
            "to": moved.to,
            "lag_before": moved.before.lag(),
            "lag": moved.lag(),
            "skipped": moved.skipped(),
            "again": moved.again(),
        })
    };
    json!({
        "schema": "postroom.offsets/1",
        "address": reset.source.address.to_string(),
        "group": reset.group.name,
        "done": done,
        "partitions": reset.moves.iter().map(place).collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_moves_within_what_the_partition_holds() {
        let before = |committed| Committed {
            partition: 1,
            committed,
            extent: Extent { partition: Some(1), first: 10, end: 50 },
        };
        let place = before(Some(20));
        for (to, wanted) in [
            (To::By(5), 25),
            (To::By(-5), 15),
            (To::By(-99), 10),
            (To::By(99), 50),
            (To::After { partition: 1, offset: 20 }, 21),
            (To::At(From::First), 12),
        ] {
            assert_eq!(target(&place, to, &[(0, 3), (1, 12)]).unwrap(), Some(wanted), "{to:?}");
        }
        assert_eq!(target(&before(None), To::By(1), &[]).unwrap(), None);
        for (to, kind) in [
            (To::At(From::Offset(9)), ErrorKind::NotFound),
            (To::At(From::Offset(51)), ErrorKind::NotFound),
            (To::After { partition: 1, offset: 50 }, ErrorKind::NotFound),
            (To::After { partition: 1, offset: 19 }, ErrorKind::Refused),
        ] {
            assert_eq!(target(&place, to, &[(1, 10)]).unwrap_err().kind(), kind, "{to:?}");
        }
        let moved = |committed, to| Move { before: before(committed), to };
        assert_eq!((moved(Some(20), 25).skipped(), moved(Some(20), 25).again()), (5, 0));
        // What is not there any more is neither skipped nor read again.
        assert_eq!((moved(Some(3), 12).skipped(), moved(Some(60), 45).again()), (2, 5));
        assert_eq!((place.lag(), before(None).lag(), before(Some(3)).lag()), (Some(30), None, Some(40)));
    }
}
