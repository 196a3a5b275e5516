//! What `queues` and `show` tell: topics with their sizes by offsets, settings, and dead-letter pairing by name.
//!
//! Limits: a difference of offsets is an upper bound of the records (transactions and compaction leave gaps).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::Shared;
use super::admin::Settings;
use super::client::{Marks, Topic};
use super::publish::limits;
use crate::broker::names::{glob, named_like_a_dlq};
use crate::broker::{Accuracy, Capability, CostKind, ListFilter, Listing, Ordering, QueueInfo, ReadCost, Remove, Seek};
use crate::error::Result;

/// What follows a topic's name in that of its dead letters, in lower case.
const SUFFIXES: &[&str] =
    &["dlt", "dlq", "dead", "deadletter", "dead-letter", "dead-letters", "deadletters", "error", "errors", "failed"];

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
pub(super) async fn list(shared: &Shared, filter: &ListFilter) -> Result<Listing> {
    let glob = filter.glob.as_deref().map(glob).transpose()?;
    let all = shared.client()?.topics().await?;
    let names: BTreeSet<String> = all.iter().map(|topic| topic.name.clone()).collect();
    let wanted: Vec<Topic> = all
        .into_iter()
        .filter(|topic| filter.internal || !topic.name.starts_with("__"))
        .filter(|topic| glob.as_ref().is_none_or(|glob| glob.is_match(&topic.name)))
        .collect();
    let asked: Vec<&str> = wanted.iter().map(|topic| topic.name.as_str()).collect();
    let (marks, settings) = tokio::join!(shared.marks(&wanted), shared.admin.settings(&asked));
    let mut notes = Vec::new();
    let settings = settings.unwrap_or_else(|error| {
        notes.push(format!("settings of topics can't be read: {error}"));
        BTreeMap::new()
    });
    let marks = marks.unwrap_or_else(|error| {
        notes.push(format!("sizes of topics can't be read: {error}"));
        BTreeMap::new()
    });
    let queues = wanted.iter().map(|topic| info(topic, &marks, settings.get(&topic.name), &names)).collect();
    Ok(Listing { queues, notes })
}

/// One topic in full.
///
/// # Errors
/// `NotFound`, `Denied`, `Unreachable`.
pub(super) async fn describe(shared: &Shared, name: &str) -> Result<QueueInfo> {
    let topic = shared.topic(name).await?;
    let (client, asked) = (shared.client()?, [name]);
    let (all, marks, settings) =
        tokio::join!(client.topics(), shared.marks(std::slice::from_ref(&topic)), shared.admin.settings(&asked));
    let names = all.unwrap_or_default().into_iter().map(|topic| topic.name).collect();
    let mut notes = Vec::new();
    let settings = settings.unwrap_or_else(|error| {
        notes.push(format!("the topic's settings can't be read: {error}"));
        BTreeMap::new()
    });
    let mut info = info(&topic, &marks?, settings.get(name), &names);
    info.notes.extend(notes);
    Ok(info)
}

fn info(
    topic: &Topic,
    marks: &BTreeMap<(String, i32), Marks>,
    settings: Option<&Settings>,
    names: &BTreeSet<String>,
) -> QueueInfo {
    let own: Vec<(i32, Marks)> = topic
        .partitions
        .iter()
        .filter_map(|partition| Some((*partition, *marks.get(&(topic.name.clone(), *partition))?)))
        .collect();
    let known = own.len() == topic.partitions.len();
    let messages = own.iter().map(|(_, marks)| (marks.high - marks.low).max(0).unsigned_abs()).sum();
    let dead_letter_from = sources(&topic.name, names);
    let dead_letter_to: Vec<String> =
        names.iter().filter(|name| sources(name, names).contains(&topic.name)).cloned().collect();
    let mut notes = Vec::new();
    if !known {
        notes.push("some partitions have no leader, so their records are not counted".to_owned());
    }
    if topic.lagging > 0 {
        notes.push(format!("{} partitions have replicas that are not in sync", topic.lagging));
    }
    let unknown = Settings::default();
    let capability = capability_of(settings.unwrap_or(&unknown));
    if !capability.take {
        notes
            .push("the topic is compacted only (cleanup.policy=compact): Kafka removes none of its records".to_owned());
    }
    QueueInfo {
        name: topic.name.clone(),
        broker: None,
        kind: "topic".to_owned(),
        messages: known.then_some(messages),
        accuracy: Accuracy::AtMost,
        in_flight: None,
        bytes: None,
        consumers: None,
        rate_in: None,
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

/// The topics whose dead letters have this name, by the usual ways to make one.
fn sources(name: &str, names: &BTreeSet<String>) -> Vec<String> {
    let lower = name.to_ascii_lowercase();
    let mut found = BTreeSet::new();
    for word in SUFFIXES {
        for separator in ['.', '-', '_'] {
            if let Some(length) = lower.strip_suffix(&format!("{separator}{word}")).map(str::len) {
                found.extend(name.get(..length).map(ToOwned::to_owned));
            }
            if let Some(length) = lower.strip_prefix(&format!("{word}{separator}")).map(str::len) {
                found.extend(name.get(name.len() - length..).map(ToOwned::to_owned));
            }
        }
    }
    found.into_iter().filter(|source| names.contains(source)).collect()
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
    details
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_paired_by_the_usual_names() {
        let names: BTreeSet<String> = ["orders", "Orders", "dlq"].map(ToOwned::to_owned).into();
        for name in ["orders.DLT", "orders-dlt", "orders_dlq", "orders.dead-letter", "dlq.orders", "dlq-orders"] {
            assert_eq!(sources(name, &names), ["orders"], "{name}");
        }
        for name in ["orders", "dlq", "payments.dlt", "ordersdlq", "-dlq"] {
            assert_eq!(sources(name, &names), Vec::<String>::new(), "{name}");
        }
    }
}
