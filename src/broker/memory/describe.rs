//! What `list` and `describe` tell about a queue.

use std::collections::BTreeMap;

use serde_json::json;

use super::cost::read_cost;
use super::profile::{Product, Profile};
use super::spec::QueueSpec;
use super::state::{Queue, State, Store};
use crate::broker::names::named_like_a_dlq;
use crate::broker::{QueueInfo, Sampled, attributes};

/// Everything about one queue.
pub(super) fn describe(state: &State, queue: &Queue) -> QueueInfo {
    let spec = &queue.spec;
    let dead_letter_from: Vec<String> = state
        .queues
        .values()
        .filter(|other| dead_letter_to(state, &other.spec).contains(&spec.name))
        .map(|other| other.spec.name.clone())
        .collect();
    let oldest = queue.ready().map(|stored| stored.message.time.unwrap_or(stored.arrived)).min();
    let kafka = spec.profile.product() == Product::Kafka;
    QueueInfo {
        name: spec.name.clone(),
        broker: spec.broker.clone(),
        kind: spec.profile.kind().to_owned(),
        messages: Some(queue.len()),
        accuracy: spec.profile.capability().count,
        in_flight: match &queue.store {
            Store::Line(line) => Some(line.in_flight()),
            Store::Log(_) => None,
        },
        sampled: Sampled::Now,
        bytes: Some(queue.ready().map(|stored| stored.message.size()).sum()),
        consumers: (!kafka).then_some(spec.consumers),
        rate_in: spec.rates.map(|(rate_in, _)| rate_in),
        rate_out: spec.rates.map(|(_, rate_out)| rate_out),
        oldest,
        expiry: spec.message_ttl.into_iter().chain(spec.retention).min(),
        dead_letter_to: dead_letter_to(state, spec),
        is_dlq: !dead_letter_from.is_empty() || named_like_a_dlq(&spec.name),
        dead_letter_from,
        read_cost: read_cost(queue),
        capability: spec.capability(),
        details: details(spec),
        notes: Vec::new(),
    }
}

/// The queues that the queue's dead messages end in.
fn dead_letter_to(state: &State, spec: &QueueSpec) -> Vec<String> {
    let Some(letter) = &spec.dead_letter else { return Vec::new() };
    match state.exchanges.get(&letter.exchange) {
        None => letter.routing_key.iter().filter(|name| state.queues.contains_key(*name)).cloned().collect(),
        Some(exchange) => {
            // Without a key of its own each message keeps its key: any queue that is bound can get it.
            let bound: Vec<String> = match &letter.routing_key {
                Some(key) => exchange.route(key.as_bytes()).into_iter().map(ToOwned::to_owned).collect(),
                None => exchange.bindings.iter().map(|(_, queue)| queue.clone()).collect(),
            };
            let mut queues: Vec<String> = Vec::new();
            for queue in bound {
                if state.queues.contains_key(&queue) && !queues.contains(&queue) {
                    queues.push(queue);
                }
            }
            queues
        }
    }
}

fn details(spec: &QueueSpec) -> Vec<(String, serde_json::Value)> {
    if spec.profile.product() == Product::Sqs {
        return attributes::details(&sqs_attributes(spec), spec.profile == Profile::SqsFifo);
    }
    let mut details = vec![("profile".to_owned(), json!(spec.profile.name()))];
    let mut add = |name: &str, value: Option<serde_json::Value>| {
        details.extend(value.map(|value| (name.to_owned(), value)));
    };
    add("x-delivery-limit", spec.delivery_limit.map(|limit| json!(limit)));
    add("x-max-length", spec.max_length.map(|(max, _)| json!(max)));
    add("x-message-ttl", spec.message_ttl.map(|ttl| json!(u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX))));
    add("x-single-active-consumer", spec.single_active.then(|| json!(true)));
    add("retention_s", spec.retention.map(|retention| json!(retention.as_secs())));
    add("partitions", (spec.profile.product() == Product::Kafka).then(|| json!(spec.partitions)));
    if let Some(letter) = &spec.dead_letter {
        details.push(("dead-letter-exchange".to_owned(), json!(letter.exchange)));
        details.extend(letter.routing_key.iter().map(|key| ("dead-letter-routing-key".to_owned(), json!(key))));
    }
    details
}

/// What SQS would tell of the queue: its settings, and the defaults of the API reference.
fn sqs_attributes(spec: &QueueSpec) -> BTreeMap<String, String> {
    let mut attributes = BTreeMap::from([
        ("QueueArn".to_owned(), arn(&spec.name)),
        ("SqsManagedSseEnabled".to_owned(), "true".to_owned()),
        ("VisibilityTimeout".to_owned(), "30".to_owned()),
    ]);
    let mut add = |name: &str, value: String| _ = attributes.insert(name.to_owned(), value);
    if let Some(retention) = spec.retention {
        add("MessageRetentionPeriod", retention.as_secs().to_string());
    }
    if spec.profile == Profile::SqsFifo {
        add("FifoQueue", "true".to_owned());
        add("ContentBasedDeduplication", spec.content_dedup.to_string());
    }
    if let (Some(max), Some(to)) =
        (spec.delivery_limit, spec.dead_letter.as_ref().and_then(|to| to.routing_key.as_ref()))
    {
        add("RedrivePolicy", json!({"deadLetterTargetArn": arn(to), "maxReceiveCount": max}).to_string());
    }
    attributes
}

/// The ARN of a queue.
pub(super) fn arn(queue: &str) -> String {
    format!("arn:aws:sqs:memory:000000000000:{queue}")
}
