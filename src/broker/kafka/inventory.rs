//! What `queues` and `show` tell: topics with their sizes and rates by offsets, settings, and dead-letter pairing.
//!
//! Limits: a difference of offsets is an upper bound of the records (transactions and compaction leave gaps). A rate is
//! of the last minute by the records' own times, so that copies which keep an old time do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::Shared;
use super::client::{Marks, Topic};
use super::pairing::{by_name, by_records, newest_sizes, oldest};
use super::publish::limits;
use super::settings::Settings;
use crate::broker::names::{glob, named_like_a_dlq};
use crate::broker::{
    Accuracy, Capability, CostKind, ListFilter, Listing, Ordering, QueueInfo, ReadCost, Remove, Sampled, Seek,
    ServerSide,
};
use crate::error::Result;
use crate::text::human;

/// The time over which a rate is told.
const WINDOW: Duration = Duration::from_mins(1);

/// What topics can do.
pub(super) fn capability() -> Capability {
    Capability {
        list: true,
        browse: true,
        read_cost: CostKind::None,
        seek: Seek { offset: true, time: true, tail: true },
        follow: true,
        take: true,
        remove: Remove::UpToOffset,
        count: Accuracy::AtMost,
        publish: Some(limits(None)),
        ordering: Ordering::PerPartition,
        returns_in_place: true,
        unique_ids: true,
        server_side: ServerSide::default(),
        groups: true,
    }
}

/// What a topic of these settings can do.
pub(super) fn capability_of(settings: &Settings) -> Capability {
    let removes = settings.deletes();
    Capability {
        take: removes,
        remove: if removes { Remove::UpToOffset } else { Remove::Never },
        publish: Some(limits(settings.max_bytes())),
        ..capability()
    }
}

/// The topics whose names match.
///
/// # Errors
/// `Usage` for a bad glob; what the cluster says.
pub(super) async fn list(shared: &Arc<Shared>, filter: &ListFilter) -> Result<Listing> {
    let glob = filter.glob.as_deref().map(glob).transpose()?;
    let client = shared.client().await?;
    let all = client.topics().await?;
    let names: BTreeSet<String> = all.iter().map(|topic| topic.name.clone()).collect();
    let wanted: Vec<Topic> = all
        .into_iter()
        .filter(|topic| filter.internal || !topic.name.starts_with("__"))
        .filter(|topic| glob.as_ref().is_none_or(|glob| glob.is_match(&topic.name)))
        .collect();
    if filter.brief {
        let known = Known::default();
        let queues = wanted.iter().map(|topic| known.info(topic, None)).collect();
        return Ok(Listing { queues, notes: Vec::new() });
    }
    let asked: Vec<&str> = wanted.iter().map(|topic| topic.name.as_str()).collect();
    // Names tell it at no cost; only what they leave open is looked into.
    let open = |name: &&String| named_like_a_dlq(name) && by_name(name, &names).is_empty();
    let open = names.iter().filter(open).cloned().collect();
    let (marks, earlier, settings, origins) = tokio::join!(
        client.marks(&wanted),
        client.before(&wanted, WINDOW),
        client.settings(&asked),
        by_records(shared, open)
    );
    let mut notes = Vec::new();
    let settings = settings.unwrap_or_else(|error| {
        notes.push(format!("settings of topics can't be read: {error}"));
        BTreeMap::new()
    });
    let marks = marks.unwrap_or_else(|error| {
        notes.push(format!("sizes of topics can't be read: {error}"));
        BTreeMap::new()
    });
    let hidden = wanted.iter().filter(|topic| !settings.contains_key(&topic.name)).count();
    if hidden > 0 && notes.is_empty() {
        notes.push(format!("the settings of {hidden} topics may not be read by this user (DescribeConfigs)"));
    }
    let known = Known { marks, earlier: earlier.unwrap_or_default(), origins, names };
    let queues = wanted.iter().map(|topic| known.info(topic, settings.get(&topic.name))).collect();
    Ok(Listing { queues, notes })
}

/// What decides how a topic may be read: no other topic is asked for, and no record.
///
/// # Errors
/// `NotFound`, `Denied`, `Unreachable`.
pub(super) async fn inspect(shared: &Shared, name: &str) -> Result<QueueInfo> {
    let client = shared.client().await?;
    let asked = [name];
    let topic = client.topic(name).await?;
    let (marks, settings) = tokio::join!(client.marks(std::slice::from_ref(&topic)), client.settings(&asked));
    let known = Known { marks: marks?, ..Known::default() };
    let mut notes = Vec::new();
    let settings = told(settings, name, &mut notes);
    let mut info = known.info(&topic, settings.get(name));
    info.notes.extend(notes);
    Ok(info)
}

/// One topic in full.
///
/// # Errors
/// `NotFound`, `Denied`, `Unreachable`.
pub(super) async fn describe(shared: &Arc<Shared>, name: &str) -> Result<QueueInfo> {
    let client = shared.client().await?;
    let topic = client.topic(name).await?;
    let (asked, own) = ([name], std::slice::from_ref(&topic));
    let looked_into = if named_like_a_dlq(name) { vec![name.to_owned()] } else { Vec::new() };
    let (all, marks, earlier, settings, origins, oldest, sizes) = tokio::join!(
        client.topics(),
        client.marks(own),
        client.before(own, WINDOW),
        client.settings(&asked),
        by_records(shared, looked_into),
        oldest(shared, name),
        newest_sizes(shared, name)
    );
    let names = all.unwrap_or_default().into_iter().map(|topic| topic.name).collect();
    let known = Known { marks: marks?, earlier: earlier.unwrap_or_default(), origins, names };
    let mut notes = Vec::new();
    let settings = told(settings, name, &mut notes);
    let mut info = known.info(&topic, settings.get(name));
    info.oldest = oldest;
    if let Some(size) = size(info.messages, &sizes) {
        info.details.push(("size of records".to_owned(), json!(size)));
    }
    info.notes.extend(notes);
    Ok(info)
}

/// The settings of a topic, and a note where they can't be had: what may not be asked for is missing from the answer.
fn told(
    settings: Result<BTreeMap<String, Settings>>,
    name: &str,
    notes: &mut Vec<String>,
) -> BTreeMap<String, Settings> {
    match settings {
        Ok(settings) if settings.contains_key(name) => return settings,
        Ok(_) => notes.push("the topic's settings may not be read by this user (DescribeConfigs)".to_owned()),
        Err(error) => notes.push(format!("the topic's settings can't be read: {error}")),
    }
    BTreeMap::new()
}

/// What was learned of the cluster.
#[derive(Default)]
struct Known {
    marks: BTreeMap<(String, i32), Marks>,
    /// Where the partitions ended [`WINDOW`] ago.
    earlier: BTreeMap<(String, i32), Option<i64>>,
    /// What the records of topics say of their origin.
    origins: BTreeMap<String, BTreeSet<String>>,
    names: BTreeSet<String>,
}

impl Known {
    /// The topics whose dead letters are in that one.
    fn sources(&self, name: &str) -> BTreeSet<String> {
        let mut sources = by_name(name, &self.names);
        sources.extend(
            self.origins.get(name).into_iter().flatten().filter(|origin| self.names.contains(*origin)).cloned(),
        );
        sources
    }

    /// Records a second that came in, by their own times; `None` where not every partition tells.
    fn rate(&self, topic: &Topic, own: &[(i32, Marks)]) -> Option<f64> {
        let mut came = 0;
        for (partition, marks) in own {
            // Nothing since then is no rate; a partition that was not asked is no answer.
            let then = self.earlier.get(&(topic.name.clone(), *partition))?;
            came += then.map_or(0, |then| (marks.high - then.max(marks.low)).max(0));
        }
        #[expect(clippy::cast_precision_loss, reason = "a rate is shown with three digits")]
        let came = came as f64;
        Some(came / WINDOW.as_secs_f64()).filter(|_| !own.is_empty())
    }

    fn info(&self, topic: &Topic, settings: Option<&Settings>) -> QueueInfo {
        let own: Vec<(i32, Marks)> = topic
            .partitions
            .iter()
            .filter_map(|partition| Some((*partition, *self.marks.get(&(topic.name.clone(), *partition))?)))
            .collect();
        let known = own.len() == topic.partitions.len();
        let messages = own.iter().map(|(_, marks)| (marks.high - marks.low).max(0).unsigned_abs()).sum();
        let dead_letter_from: Vec<String> = self.sources(&topic.name).into_iter().collect();
        let dead_letter_to: Vec<String> =
            self.names.iter().filter(|name| self.sources(name).contains(&topic.name)).cloned().collect();
        let mut notes = Vec::new();
        if !known && !self.marks.is_empty() {
            notes.push("some partitions have no leader, so their records are not counted".to_owned());
        }
        if topic.lagging > 0 {
            notes.push(format!("{} partitions have replicas that are not in sync", topic.lagging));
        }
        let unknown = Settings::default();
        let capability = capability_of(settings.unwrap_or(&unknown));
        if !capability.take {
            notes.push(
                "the topic is compacted only (cleanup.policy=compact): Kafka removes none of its records".to_owned(),
            );
        }
        QueueInfo {
            name: topic.name.clone(),
            broker: None,
            kind: "topic".to_owned(),
            messages: known.then_some(messages),
            accuracy: Accuracy::AtMost,
            in_flight: None,
            sampled: Sampled::Now,
            bytes: None,
            consumers: None,
            rate_in: self.rate(topic, &own),
            rate_out: None,
            oldest: None,
            expiry: settings.and_then(Settings::retention),
            is_dlq: !dead_letter_from.is_empty() || named_like_a_dlq(&topic.name),
            dead_letter_to,
            dead_letter_from,
            read_cost: ReadCost::free("reads change nothing: no group is joined and no offset is committed"),
            capability,
            details: details(topic, &own, settings),
            notes,
        }
    }
}

fn details(topic: &Topic, own: &[(i32, Marks)], settings: Option<&Settings>) -> Vec<(String, Value)> {
    let mut details = vec![
        ("partitions".to_owned(), json!(topic.partitions.len())),
        ("replication".to_owned(), json!(topic.replicas)),
    ];
    if topic.lagging > 0 {
        details.push(("partitions out of sync".to_owned(), json!(topic.lagging)));
    }
    if let Some(settings) = settings {
        for name in [
            "cleanup.policy",
            "retention.ms",
            "retention.bytes",
            "max.message.bytes",
            "message.timestamp.type",
            "compression.type",
            "min.insync.replicas",
        ] {
            details.extend(settings.get(name).map(|value| (name.to_owned(), json!(value))));
        }
    }
    let offsets: Vec<Value> = own
        .iter()
        .map(|(partition, marks)| json!({"partition": partition, "first": marks.low, "end": marks.high}))
        .collect();
    details.push(("offsets".to_owned(), json!(offsets)));
    let size = format!("librdkafka can't ask for it; `kafka-log-dirs.sh --describe --topic-list {}` does", topic.name);
    details.push(("bytes on disk".to_owned(), json!(size)));
    details
}

/// What the records of a topic have in bytes, by its newest ones.
fn size(records: Option<u64>, newest: &[u64]) -> Option<String> {
    let count = newest.len() as u64;
    let each = newest.iter().sum::<u64>().checked_div(count)?;
    let all = records.unwrap_or_default().saturating_mul(each);
    Some(format!(
        "about {} in all and {} each, by the newest {}",
        human::size(all),
        human::size(each),
        human::count(count)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_topic_is_told_by_its_newest_records() {
        let told = size(Some(1_000_000), &[800, 960]).unwrap();
        assert_eq!(told, "about 880 MB in all and 880 B each, by the newest 2");
        assert_eq!(size(Some(7), &[]), None);
    }

    #[test]
    fn a_rate_is_what_came_in_the_window_and_none_where_it_is_not_known() {
        let topic = Topic { name: "t".into(), partitions: vec![0, 1], ..Topic::default() };
        let own = [(0, Marks { low: 10, high: 130 }), (1, Marks { low: 0, high: 60 })];
        let earlier = |second| [(("t".to_owned(), 0), Some(4)), second].into();
        let known = Known { earlier: earlier((("t".to_owned(), 1), None)), ..Known::default() };
        // What retention took meanwhile does not count.
        assert_eq!(known.rate(&topic, &own), Some(2.0));
        let known = Known { earlier: earlier((("t".to_owned(), 2), Some(1))), ..Known::default() };
        assert_eq!(known.rate(&topic, &own), None);
    }

    #[test]
    fn records_pair_what_names_leave_open() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let known = Known {
            names: names(&["orders", "failures", "orders.DLT"]),
            origins: [("failures".to_owned(), names(&["orders", "gone"]))].into(),
            ..Known::default()
        };
        assert_eq!(known.sources("failures"), names(&["orders"]));
        assert_eq!(known.sources("orders.DLT"), names(&["orders"]));
        assert_eq!(known.sources("orders"), BTreeSet::new());
    }
}
