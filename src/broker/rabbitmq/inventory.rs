//! What `queues` and `show` tell: rows of the management API as [`QueueInfo`], with dead-letter pairing.
//!
//! Limits: counts and rates of a list are the API's, up to five seconds old; `describe` counts ready messages itself.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::Shared;
use super::api::Queue;
use super::connection::close_quietly;
use super::facts::{Facts, Kind, Limit};
use super::learn;
use super::pairing::{Pairing, Routes};
use super::policy::{Policies, Settings};
use super::publish::limits;
use crate::broker::names::{glob, named_like_a_dlq};
use crate::broker::{
    Accuracy, Capability, CostKind, ListFilter, Listing, Ordering, QueueInfo, Remove, Sampled, Seek, ServerSide,
};
use crate::error::{Error, ErrorKind, Result};

/// How many queues without statistics are counted one by one.
const NEW: usize = 100;

/// What a shovel does.
const MOVE: &str = "by a shovel, which removes a message when the target has confirmed its copy, and gives back what the \
                    target refuses; one that is cut off or refused may leave messages in both queues; it leaves when it has gone through as \
                    many as were there at its start, and goes on when postroom is gone; what a target gets while it is \
                    deleted is lost; needs the plugin rabbitmq_shovel and the policymaker tag";

/// What the queues of a type can do.
pub(super) fn capability(kind: Kind, list: bool) -> Capability {
    let stream = kind == Kind::Stream;
    Capability {
        list,
        browse: true,
        read_cost: if stream { CostKind::None } else { CostKind::Redelivers },
        seek: Seek { offset: stream, time: stream, tail: stream },
        follow: stream,
        take: !stream,
        remove: if stream { Remove::Never } else { Remove::PerMessage },
        count: Accuracy::Exact,
        publish: Some(limits(None)),
        ordering: Ordering::Fifo,
        returns_in_place: kind == Kind::Classic,
        unique_ids: false,
        server_side: ServerSide { moves: (!stream).then_some(MOVE), ..ServerSide::default() },
        groups: false,
    }
}

/// What at least one queue can do.
pub(super) fn broker_capability() -> Capability {
    let all = Seek { offset: true, time: true, tail: true };
    Capability { seek: all, follow: true, ..capability(Kind::Classic, true) }
}

/// The queues whose names match.
///
/// # Errors
/// `Usage` for a bad glob, `Denied` and `Unreachable` where AMQP says so, too.
pub(super) async fn list(shared: &Shared, filter: &ListFilter) -> Result<Listing> {
    let glob = filter.glob.as_deref().map(glob).transpose()?;
    let management = &shared.management;
    let (rows, version, policies, exchanges, bindings) = tokio::join!(
        management.queues(),
        shared.version(),
        learn::policies(shared),
        management.exchanges(),
        management.bindings()
    );
    let rows = match rows {
        Ok(rows) => rows,
        Err(error) => return without_management(shared, filter, &error).await,
    };
    let mut notes = Vec::new();
    let routes = match (exchanges, bindings) {
        (Ok(exchanges), Ok(bindings)) => Routes::new(exchanges, bindings),
        (Err(error), _) | (_, Err(error)) => {
            notes.push(format!("dead-letter pairing through exchanges is not known: {error}"));
            Routes::default()
        }
    };
    let mut facts: Vec<Facts> = rows
        .into_iter()
        .map(|row| {
            let settings = known(&row, policies.as_ref());
            Facts {
                name: row.name.clone(),
                kind: Kind::parse(&row.kind),
                version: version.clone(),
                policies_known: settings.is_some(),
                settings: settings.unwrap_or_else(|| Settings::arguments_only(&row)),
                ready: row.messages_ready,
                consumers: row.consumers,
                row: Some(row),
                notes: Vec::new(),
            }
        })
        .collect();
    let pairing = Pairing::new(&routes, facts.iter().map(|facts| (facts.name.as_str(), &facts.settings)));
    let wanted = |facts: &&Facts| {
        glob.as_ref().is_none_or(|glob| glob.is_match(&facts.name))
            && (filter.internal || !facts.row.as_ref().is_some_and(|row| row.internal))
    };
    let wanted: Vec<bool> = facts.iter().map(|facts| wanted(&facts)).collect();
    let unknown = facts.iter_mut().zip(&wanted).filter(|(facts, wanted)| **wanted && facts.ready.is_none());
    count_new(shared, unknown.map(|(facts, _)| facts).take(NEW)).await;
    let wanted = facts.iter().zip(wanted).filter(|(_, wanted)| *wanted);
    let queues = wanted.map(|(facts, _)| info(facts, &pairing, &routes, false)).collect();
    Ok(Listing { queues, notes })
}

/// Counts queues of which the management API has no statistics yet: they are younger than its five seconds. What can't
/// be counted stays unknown.
async fn count_new(shared: &Shared, queues: impl Iterator<Item = &mut Facts>) {
    let mut channel = None;
    for facts in queues {
        if channel.is_none() {
            let Ok(link) = shared.consuming().await else { return };
            channel = link.channel().await.ok();
        }
        let Some(open) = &channel else { return };
        match learn::count(open, &facts.name).await {
            Ok(counted) => *facts = facts.counted(counted),
            // The refusal has closed the channel.
            Err(_) => channel = None,
        }
    }
    if let Some(channel) = channel {
        close_quietly(&channel).await;
    }
}

fn known(row: &Queue, policies: Option<&Policies>) -> Option<Settings> {
    policies.map(|policies| policies.settings(row)).or_else(|| Settings::reported(row))
}

/// AMQP can't list; it can look at a queue that is named in full.
async fn without_management(shared: &Shared, filter: &ListFilter, why: &Error) -> Result<Listing> {
    // Whether the login is right at all is told here, as an error.
    shared.consuming().await?;
    let mut notes =
        vec![format!("queues can't be listed: {why}"), "name a queue to see it: postroom show ADDRESS".to_owned()];
    let named = filter.glob.as_deref().filter(|glob| !glob.contains(['*', '?', '[', '{']));
    let mut queues = Vec::new();
    if let Some(name) = named {
        match describe(shared, name).await {
            Ok(info) => queues.push(info),
            Err(error) if error.kind() == ErrorKind::NotFound => notes.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    Ok(Listing { queues, notes })
}

/// What is known of a queue, with its messages counted now and not when the last statistics were taken.
async fn counted(shared: &Shared, queue: &str) -> Result<Facts> {
    let counted = async {
        let link = shared.consuming().await?;
        let channel = link.channel().await?;
        let counted = learn::count(&channel, queue).await?;
        link.keep(channel);
        Ok::<_, Error>(counted)
    };
    let (facts, counted) = tokio::join!(learn::learn(shared, queue), counted);
    Ok(facts?.counted(counted?))
}

/// One queue without the walk over all others that its pairing takes.
///
/// # Errors
/// Those of [`learn::learn`].
pub(super) async fn inspect(shared: &Shared, queue: &str) -> Result<QueueInfo> {
    let facts = counted(shared, queue).await?;
    let routes = Routes::default();
    Ok(info(&facts, &Pairing::new(&routes, std::iter::empty()), &routes, true))
}

/// One queue in full.
///
/// # Errors
/// Those of [`learn::learn`].
pub(super) async fn describe(shared: &Shared, queue: &str) -> Result<QueueInfo> {
    let management = &shared.management;
    let (facts, rows, exchanges, bindings, policies) = tokio::join!(
        counted(shared, queue),
        management.queues(),
        management.exchanges(),
        management.bindings(),
        learn::policies(shared)
    );
    let facts = facts?;
    let routes = Routes::new(exchanges.unwrap_or_default(), bindings.unwrap_or_default());
    let rows = rows.unwrap_or_default();
    let settings: Vec<(&str, Settings)> = rows
        .iter()
        .map(|row| {
            let known = known(row, policies.as_ref()).unwrap_or_else(|| Settings::arguments_only(row));
            (row.name.as_str(), known)
        })
        .collect();
    let pairing = Pairing::new(&routes, settings.iter().map(|(name, settings)| (*name, settings)));
    Ok(info(&facts, &pairing, &routes, true))
}

fn info(facts: &Facts, pairing: &Pairing, routes: &Routes, full: bool) -> QueueInfo {
    let names =
        |of: Option<&BTreeSet<String>>| of.map(|names| names.iter().cloned().collect::<Vec<_>>()).unwrap_or_default();
    let row = facts.row.clone().unwrap_or_default();
    let dead_letter_from = names(pairing.from.get(&facts.name));
    let mut notes = facts.notes.clone();
    if full {
        notes.extend(facts.warnings());
    }
    let can_list = facts.row.is_some();
    let mut capability = capability(facts.kind, can_list);
    if facts.settings.priorities() {
        capability.ordering = Ordering::Priority;
    }
    QueueInfo {
        name: facts.name.clone(),
        broker: None,
        kind: facts.kind.to_string(),
        messages: facts.ready,
        accuracy: Accuracy::Exact,
        in_flight: row.messages_unacknowledged,
        // The work that the queue's process has done goes on between two statistics, and stands still within one.
        sampled: match (row.reductions, row.messages_ready) {
            (Some(number), Some(waiting)) => Sampled::Taken { number, waiting },
            _ => Sampled::Unknown,
        },
        bytes: row.message_bytes,
        consumers: facts.consumers,
        rate_in: row.message_stats.publish_details.rate,
        rate_out: row.message_stats.deliver_get_details.rate,
        oldest: row.head_message_timestamp.and_then(|seconds| Timestamp::from_second(seconds).ok()),
        expiry: facts.life(),
        dead_letter_to: names(pairing.to.get(&facts.name)),
        is_dlq: !dead_letter_from.is_empty() || named_like_a_dlq(&facts.name),
        dead_letter_from,
        read_cost: facts.read_cost(),
        capability,
        details: if full { details(facts, &row, routes) } else { Vec::new() },
        notes,
    }
}

/// What `show` adds, in reading order.
fn details(facts: &Facts, row: &Queue, routes: &Routes) -> Vec<(String, Value)> {
    let mut details = Vec::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            details.push((name.to_owned(), value));
        }
    };
    add("version", facts.version.as_ref().map_or(Value::Null, |version| json!(version.text)));
    if facts.row.is_none() {
        return details;
    }
    add("state", json!(row.state));
    add("durable", json!(row.durable));
    for (name, set) in [("exclusive", row.exclusive), ("auto_delete", row.auto_delete)] {
        add(name, if set { json!(true) } else { Value::Null });
    }
    add("arguments", json!(facts.settings.arguments()));
    if !facts.settings.names.is_empty() {
        add("policies", json!(facts.settings.names));
        add("policy_settings", json!(facts.settings.policy()));
    }
    if facts.kind == Kind::Quorum {
        add(
            "delivery_limit",
            match facts.limit() {
                Limit::At(limit) => json!(limit),
                Limit::Unlimited => json!("unlimited"),
                Limit::Unknown => json!("unknown"),
            },
        );
    }
    if facts.single_active() {
        add("single_active_consumer", json!(row.single_active_consumer_tag.as_deref().unwrap_or("none now")));
    }
    add("exclusive_consumer", json!(row.exclusive_consumer_tag));
    let bindings = routes.into(&facts.name);
    if !bindings.is_empty() {
        add("bindings", bindings.iter().map(|b| json!({"exchange": b.source, "routing_key": b.routing_key})).collect());
    }
    if !row.consumer_details.is_empty() {
        let consumer = |consumer: &super::api::Consumer| {
            json!({
                "tag": consumer.tag,
                "prefetch": consumer.prefetch_count,
                "active": consumer.active,
                "connection": consumer.channel_details.get("connection_name"),
            })
        };
        add("consumers", row.consumer_details.iter().map(consumer).collect());
    }
    details
}
