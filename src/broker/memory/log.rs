//! A queue whose messages stay where they are: RabbitMQ streams and Kafka topics.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;

use super::profile::{Product, Profile};
use super::spec::{Overflow, QueueSpec};
use super::stored::{Dead, DeathReason, Stored};
use crate::broker::{Extent, From, Receipt};
use crate::message::Position;

/// One sequence of messages.
#[derive(Debug, Default)]
pub(super) struct Partition {
    /// The offset of the first record that is still there.
    first: u64,
    records: VecDeque<Stored>,
}

impl Partition {
    /// The offset of the oldest record.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// The offset that the next record gets.
    pub(super) fn end(&self) -> u64 {
        self.first + self.records.len() as u64
    }

    /// The record at an offset.
    pub(super) fn at(&self, offset: u64) -> Option<&Stored> {
        self.records.get(usize::try_from(offset.checked_sub(self.first)?).ok()?)
    }

    /// The first offset whose record is of that time or later.
    pub(super) fn at_time(&self, time: Timestamp) -> u64 {
        let index = self.records.iter().position(|stored| stored.logged() >= time);
        index.map_or_else(|| self.end(), |index| self.first + index as u64)
    }

    /// Where a read begins.
    pub(super) fn start(&self, from: From) -> u64 {
        let (first, end) = (self.first(), self.end());
        match from {
            From::First => first,
            From::Last(n) => end.saturating_sub(n).max(first),
            From::End => end,
            From::Offset(offset) => offset.max(first),
            From::Time(time) => self.at_time(time),
        }
    }

    /// Removes everything before an offset.
    pub(super) fn truncate(&mut self, before: u64) {
        while self.first < before && self.records.pop_front().is_some() {
            self.first += 1;
        }
    }
}

/// The messages of such a queue.
#[derive(Debug)]
pub(super) struct Log {
    partitions: Vec<Partition>,
    /// Where the next record without a key goes.
    round: usize,
}

impl Log {
    pub(super) fn new(spec: &QueueSpec) -> Self {
        let partitions = if spec.profile == Profile::Kafka { spec.partitions } else { 1 };
        Self { partitions: (0..partitions).map(|_| Partition::default()).collect(), round: 0 }
    }

    pub(super) fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// What each partition holds.
    pub(super) fn extents(&self) -> Vec<Extent> {
        let extent = |(index, partition): (usize, &Partition)| Extent {
            partition: i32::try_from(index).ok(),
            first: partition.first(),
            end: partition.end(),
        };
        self.partitions.iter().enumerate().map(extent).collect()
    }

    pub(super) fn partition_mut(&mut self, index: usize) -> Option<&mut Partition> {
        self.partitions.get_mut(index)
    }

    pub(super) fn records(&self) -> impl Iterator<Item = &Stored> {
        self.partitions.iter().flat_map(|partition| &partition.records)
    }

    pub(super) fn len(&self) -> u64 {
        self.partitions.iter().map(|partition| partition.records.len() as u64).sum()
    }

    /// Appends a record to `partition`, else where its key leads. `None` where that partition does not exist.
    pub(super) fn push(
        &mut self,
        spec: &QueueSpec,
        mut stored: Stored,
        partition: Option<i32>,
        now: Timestamp,
    ) -> Option<(Receipt, Vec<Dead>)> {
        let count = self.partitions.len();
        let index = match (partition, &stored.message.key) {
            (Some(wanted), _) => usize::try_from(wanted).ok()?,
            (None, Some(key)) if spec.profile == Profile::Kafka => partition_of(key, count),
            (None, _) => {
                self.round += 1;
                (self.round - 1) % count
            }
        };
        let target = self.partitions.get_mut(index)?;
        let kafka = spec.profile.product() == Product::Kafka;
        let position =
            Position { partition: if kafka { i32::try_from(index).ok() } else { None }, offset: target.end() };
        stored.enter(spec, Some(position), now);
        let receipt = stored.receipt(spec.profile);
        target.records.push_back(stored);
        let mut dead = Vec::new();
        if let Some((max, Overflow::DropHead)) = spec.max_length {
            while target.records.len() as u64 > max
                && let Some(stored) = target.records.pop_front()
            {
                target.first += 1;
                dead.push(Dead { stored, reason: DeathReason::MaxLength });
            }
        }
        Some((receipt, dead))
    }

    /// Lets time pass: the head of each partition that is past its retention goes.
    pub(super) fn tick(&mut self, now: Timestamp) -> Vec<Dead> {
        let mut dead = Vec::new();
        for partition in &mut self.partitions {
            while partition.records.front().is_some_and(|stored| stored.expires.is_some_and(|at| at <= now)) {
                partition.first += 1;
                dead.extend(partition.records.pop_front().map(|stored| Dead { stored, reason: DeathReason::Expired }));
            }
        }
        dead
    }
}

/// The partition that the Java client's default partitioner gives a key.
fn partition_of(key: &Bytes, count: usize) -> usize {
    (murmur2(key) & 0x7fff_ffff) as usize % count
}

/// Kafka's murmur2, as in `org.apache.kafka.common.utils.Utils`.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (words, tail) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (i, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * i);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_agrees_with_the_java_client() {
        // The values of UtilsTest.testMurmur2 in Apache Kafka.
        for (key, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()).cast_signed(), hash, "{key}");
        }
    }
}
