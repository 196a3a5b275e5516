//! How often something happened over time, in a bounded number of buckets.
//!
//! Buckets are a power of two seconds wide and start at multiples of their width since 1970, so that the same times
//! make the same buckets in whatever order they come, and two counts add up. Limits: [`MAX_BUCKETS`] buckets; the
//! wider the span, the coarser they are.

use std::collections::VecDeque;

use jiff::Timestamp;

/// More buckets than this are joined in pairs.
pub const MAX_BUCKETS: usize = 64;

/// Counts over time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// A bucket is `2^power` seconds wide.
    power: u32,
    /// The number of the first bucket: its start divided by the width.
    first: i64,
    counts: VecDeque<u64>,
}

impl Rate {
    /// Counts one event.
    pub fn add(&mut self, time: Timestamp) {
        self.put(time.as_second(), 1);
    }

    /// Adds the counts of another.
    pub fn merge(&mut self, other: &Self) {
        while self.power < other.power {
            self.coarsen();
        }
        for (bucket, count) in (other.first..).zip(&other.counts).filter(|(_, count)| **count > 0) {
            self.put(bucket << other.power, *count);
        }
    }

    fn put(&mut self, second: i64, count: u64) {
        if self.counts.is_empty() {
            self.first = second >> self.power;
            self.counts.push_back(0);
        }
        loop {
            let bucket = second >> self.power;
            let last = self.first + i64::try_from(self.counts.len()).unwrap_or(i64::MAX) - 1;
            let span = bucket.max(last) - bucket.min(self.first);
            if usize::try_from(span).is_ok_and(|span| span < MAX_BUCKETS) {
                break;
            }
            self.coarsen();
        }
        let bucket = second >> self.power;
        while bucket < self.first {
            self.counts.push_front(0);
            self.first -= 1;
        }
        let at = usize::try_from(bucket - self.first).unwrap_or(0);
        while self.counts.len() <= at {
            self.counts.push_back(0);
        }
        if let Some(slot) = self.counts.get_mut(at) {
            *slot += count;
        }
    }

    /// Makes the buckets twice as wide.
    fn coarsen(&mut self) {
        let mut joined = VecDeque::with_capacity(self.counts.len() / 2 + 1);
        for (bucket, count) in (self.first..).zip(&self.counts) {
            let at = usize::try_from((bucket >> 1) - (self.first >> 1)).unwrap_or(0);
            while joined.len() <= at {
                joined.push_back(0);
            }
            if let Some(slot) = joined.get_mut(at) {
                *slot += count;
            }
        }
        self.first >>= 1;
        self.power += 1;
        self.counts = joined;
    }

    /// The width of a bucket in seconds.
    #[must_use]
    pub fn step(&self) -> u64 {
        1 << self.power
    }

    /// The start of the first bucket.
    #[must_use]
    pub fn start(&self) -> Option<Timestamp> {
        (!self.counts.is_empty()).then(|| Timestamp::from_second(self.first << self.power).ok()).flatten()
    }

    /// The counts, oldest first.
    pub fn counts(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        self.counts.iter().copied()
    }

    /// `{start, step_s, counts}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "start": self.start().map(|time| time.to_string()),
            "step_s": self.step(),
            "counts": self.counts().collect::<Vec<_>>(),
        })
    }

    /// The counts over a span of time in so many columns, so that several rates share an axis. What lies outside the
    /// span is left out; a bucket counts for the column that its start is in.
    #[must_use]
    pub fn columns(&self, from: Timestamp, to: Timestamp, columns: usize) -> Vec<u64> {
        let mut out = vec![0; columns];
        // A bucket that began before the span still belongs to its first column.
        let start = (from.as_second() >> self.power) << self.power;
        let span = i128::from(to.as_second() - start) + 1;
        for (bucket, count) in (self.first..).zip(&self.counts) {
            let offset = i128::from((bucket << self.power) - start);
            let column = if (0..span).contains(&offset) { offset * columns as i128 / span } else { -1 };
            if let Some(slot) = usize::try_from(column).ok().and_then(|column| out.get_mut(column)) {
                *slot += count;
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn of(seconds: impl IntoIterator<Item = i64>) -> Rate {
        let mut rate = Rate::default();
        seconds.into_iter().for_each(|second| rate.add(at(second)));
        rate
    }

    #[test]
    fn order_does_not_matter_and_parts_add_up() {
        let seconds = [1_772_446_272, -5, 1_772_446_273, 1_772_000_000, 17, 1_772_446_272];
        let forward = of(seconds);
        assert_eq!(forward, of(seconds.into_iter().rev()));
        let (mut a, b) = (of(seconds[..2].iter().copied()), of(seconds[2..].iter().copied()));
        a.merge(&b);
        assert_eq!(a.counts().collect::<Vec<_>>(), forward.counts().collect::<Vec<_>>());
        assert!(forward.counts().len() <= MAX_BUCKETS);
        assert_eq!(forward.counts().sum::<u64>(), 6);
    }

    #[test]
    fn a_short_span_keeps_its_seconds() {
        let rate = of([100, 101, 101, 163]);
        assert_eq!((rate.step(), rate.start(), rate.counts().len()), (1, Some(at(100)), 64));
        assert_eq!(rate.columns(at(100), at(163), 2), [3, 1]);
        assert_eq!(rate.columns(at(100), at(101), 2), [1, 2]);
        assert_eq!(rate.columns(at(100), at(101), 0), Vec::<u64>::new());
    }

    #[test]
    fn the_ends_of_time_are_no_trouble() {
        let rate = of([Timestamp::MIN.as_second(), Timestamp::MAX.as_second()]);
        assert_eq!(rate.counts().sum::<u64>(), 2);
        assert_eq!(rate.columns(Timestamp::MIN, Timestamp::MAX, 10).iter().sum::<u64>(), 2);
    }
}
