//! Several partitions as one sequence, in the order of their records' times.
//!
//! A record is given out when no partition can still bring an older one: each has a younger record waiting, has read
//! past that time, has ended, or (where the read follows) has nothing now. Within a partition the order is the log's.
//! Limits: times that go back within a partition are not sorted; between equal times the lower partition comes first.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use tokio::sync::mpsc;

use super::scan::{Chunk, Record};
use crate::error::Result;

/// A partition on its way.
pub(super) struct Lane {
    from: mpsc::Receiver<Result<Chunk>>,
    waiting: VecDeque<Record>,
    /// The time that it was read up to.
    time: i64,
    caught_up: bool,
    ended: bool,
}

/// The lanes and what they brought so far.
#[derive(Default)]
pub(super) struct Merge {
    lanes: Vec<Lane>,
    /// Records seen.
    pub(super) scanned: u64,
    /// Their payloads' bytes.
    pub(super) bytes: u64,
}

impl Merge {
    pub(super) fn add(&mut self, from: mpsc::Receiver<Result<Chunk>>) {
        let waiting = VecDeque::new();
        self.lanes.push(Lane { from, waiting, time: i64::MIN, caught_up: false, ended: false });
    }

    /// Whether nothing is left and nothing comes.
    pub(super) fn is_over(&self) -> bool {
        self.lanes.iter().all(|lane| lane.ended && lane.waiting.is_empty())
    }

    /// Whether all that was there has been given out.
    pub(super) fn is_caught_up(&self) -> bool {
        self.lanes.iter().all(|lane| (lane.ended || lane.caught_up) && lane.waiting.is_empty())
    }

    /// Whether records of several partitions come together.
    pub(super) fn is_of_several(&self) -> bool {
        self.lanes.len() > 1
    }

    /// The oldest record, where it is certain which that is; and the number of its lane.
    pub(super) fn pop(&mut self) -> Option<(usize, Record)> {
        let head = |lane: &Lane| lane.waiting.front().map(|record| record.time);
        let (index, oldest) = self
            .lanes
            .iter()
            .enumerate()
            .filter_map(|(index, lane)| head(lane).map(|time| (index, time)))
            .min_by_key(|(_, time)| *time)?;
        let open = |lane: &Lane| lane.waiting.is_empty() && !lane.ended && !lane.caught_up && lane.time < oldest;
        if self.lanes.iter().any(open) {
            return None;
        }
        let record = self.lanes.get_mut(index)?.waiting.pop_front()?;
        Some((index, record))
    }

    /// Takes in what has come, for the lanes that have nothing waiting. Ready when anything came.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<()>> {
        let mut came = false;
        for lane in self.lanes.iter_mut().filter(|lane| lane.waiting.is_empty() && !lane.ended) {
            while lane.waiting.is_empty() && !lane.ended {
                match lane.from.poll_recv(context) {
                    Poll::Pending => break,
                    Poll::Ready(None) => lane.ended = true,
                    Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(error)),
                    Poll::Ready(Some(Ok(chunk))) => {
                        self.scanned += chunk.scanned;
                        self.bytes += chunk.bytes;
                        lane.time = chunk.time.unwrap_or(lane.time);
                        (lane.caught_up, lane.ended) = (chunk.caught_up, chunk.ended);
                        lane.waiting.extend(chunk.records);
                    }
                }
                came = true;
            }
        }
        if came { Poll::Ready(Ok(())) } else { Poll::Pending }
    }

    /// Forgets what is on its way.
    pub(super) fn clear(&mut self) {
        self.lanes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn record(id: &str, time: i64) -> Record {
        Record { message: Message { id: id.into(), ..Message::default() }, time, after_gap: false }
    }

    async fn send(to: &mpsc::Sender<Result<Chunk>>, records: Vec<Record>, time: i64, ended: bool) {
        let scanned = records.len() as u64;
        to.send(Ok(Chunk { records, scanned, time: Some(time), ended, ..Chunk::default() })).await.unwrap();
    }

    fn ids(merge: &mut Merge) -> Vec<String> {
        std::iter::from_fn(|| merge.pop()).map(|(_, record)| record.message.id).collect()
    }

    #[tokio::test]
    async fn records_come_out_by_time_and_none_before_it_is_certain() {
        let mut merge = Merge::default();
        let (a, from) = mpsc::channel(4);
        merge.add(from);
        let (b, from) = mpsc::channel(4);
        merge.add(from);
        send(&a, vec![record("a1", 1), record("a5", 5)], 5, false).await;
        std::future::poll_fn(|context| merge.poll(context)).await.unwrap();
        assert_eq!(ids(&mut merge), Vec::<String>::new(), "the other partition may have an older one");
        send(&b, Vec::new(), 4, false).await;
        std::future::poll_fn(|context| merge.poll(context)).await.unwrap();
        assert_eq!(ids(&mut merge), ["a1"], "the other was read past it");
        send(&b, vec![record("b4", 4)], 6, true).await;
        send(&a, vec![record("a7", 7)], 7, true).await;
        let mut seen = Vec::new();
        while !merge.is_over() {
            std::future::poll_fn(|context| merge.poll(context)).await.unwrap();
            seen.extend(ids(&mut merge));
        }
        assert_eq!(seen, ["b4", "a5", "a7"]);
        assert_eq!(merge.scanned, 4);
    }

    #[tokio::test]
    async fn a_partition_with_nothing_new_keeps_no_follower_waiting() {
        let mut merge = Merge::default();
        let (a, from) = mpsc::channel(4);
        merge.add(from);
        let (b, from) = mpsc::channel(4);
        merge.add(from);
        b.send(Ok(Chunk { caught_up: true, ..Chunk::default() })).await.unwrap();
        send(&a, vec![record("a", 1)], 1, false).await;
        std::future::poll_fn(|context| merge.poll(context)).await.unwrap();
        assert_eq!(ids(&mut merge), ["a"]);
    }
}
