//! The attributes of an SQS queue for `show`: first in words what operators ask for, then each as SQS names it.
//!
//! Shared by the backend and the memory broker's SQS profiles, so that the demo shows what a real queue shows. The meanings
//! are those of the API reference (`GetQueueAttributes`). Limits: the policies are shown as the JSON they are.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::text::human;

/// What to show of a queue whose attributes these are, in reading order.
pub(super) fn details(attributes: &BTreeMap<String, String>, fifo: bool) -> Vec<(String, Value)> {
    let text = |name: &str| attributes.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let mut details: Vec<(&str, String)> = Vec::new();
    // A server that tells neither does not tell whether it encrypts.
    let encryption = match (text("KmsMasterKeyId"), text("SqsManagedSseEnabled")) {
        (Some(key), _) => Some(format!("by the KMS key {key}{}", reuse(text("KmsDataKeyReusePeriodSeconds")))),
        (None, Some("true")) => Some("by keys of SQS itself".to_owned()),
        (None, Some(_)) => Some("none".to_owned()),
        (None, None) => None,
    };
    details.extend(encryption.map(|text| ("encryption", text)));
    if fifo {
        let by = if text("ContentBasedDeduplication") == Some("true") {
            "by the sender's id, else by the body"
        } else {
            "by the sender's id"
        };
        let among = if text("DeduplicationScope") == Some("messageGroup") { "the message group's" } else { "those" };
        details.push(("duplicates", format!("known {by}, among {among} of the last 5 minutes")));
        let throughput = match text("FifoThroughputLimit") {
            Some("perMessageGroupId") => "high: the limit holds for each message group",
            _ => "300 calls a second for each action, up to 10 messages in each",
        };
        details.push(("throughput", throughput.to_owned()));
    }
    if text("MessageRetentionPeriod").is_some() {
        details.push(("expiry clock", expiry_clock(fifo).to_owned()));
    }
    if let Some(allowed) = text("RedriveAllowPolicy").and_then(allowed) {
        details.push(("may dead-letter here", allowed));
    }
    let raw = attributes.iter().map(|(name, value)| {
        let number = value.parse::<u64>().map(Value::from);
        let value = number.or_else(|_| serde_json::from_str(value)).unwrap_or_else(|_| Value::String(value.clone()));
        (name.clone(), value)
    });
    details.into_iter().map(|(name, text)| (name.to_owned(), json!(text))).chain(raw).collect()
}

fn reuse(seconds: Option<&str>) -> String {
    let time = seconds.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    time.map_or_else(String::new, |time| format!(", asked for at most every {}", human::duration(time)))
}

/// From when the retention counts (developer guide, "Using dead-letter queues").
fn expiry_clock(fifo: bool) -> &'static str {
    if fifo {
        "a message expires that long after it came into this queue"
    } else {
        "a message expires that long after it was first sent, also in a dead-letter queue"
    }
}

/// Which queues may use this one as their dead-letter queue, where that is limited.
fn allowed(policy: &str) -> Option<String> {
    let policy: Value = serde_json::from_str(policy).ok()?;
    match policy.get("redrivePermission")?.as_str()? {
        "denyAll" => Some("no queue".to_owned()),
        "byQueue" => {
            let queues = policy.get("sourceQueueArns")?.as_array()?;
            let names: Vec<&str> = queues.iter().filter_map(Value::as_str).map(last).collect();
            Some(names.join(", "))
        }
        _ => None,
    }
}

fn last(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(attributes: &[(&str, &str)], fifo: bool) -> Vec<String> {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let shown = details(&attributes, fifo).into_iter();
        shown.map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or("raw"))).collect()
    }

    #[test]
    fn what_operators_ask_for_stands_first_and_in_words() {
        let managed = shown(&[("MessageRetentionPeriod", "345600"), ("SqsManagedSseEnabled", "true")], false);
        assert_eq!(
            managed,
            [
                "encryption: by keys of SQS itself",
                "expiry clock: a message expires that long after it was first sent, also in a dead-letter queue",
                "MessageRetentionPeriod: raw",
                "SqsManagedSseEnabled: raw",
            ]
        );
        let fifo = shown(
            &[
                ("KmsMasterKeyId", "alias/shop"),
                ("KmsDataKeyReusePeriodSeconds", "300"),
                ("DeduplicationScope", "messageGroup"),
                ("FifoThroughputLimit", "perMessageGroupId"),
                (
                    "RedriveAllowPolicy",
                    r#"{"redrivePermission":"byQueue","sourceQueueArns":["arn:aws:sqs:r:1:a.fifo"]}"#,
                ),
            ],
            true,
        );
        assert_eq!(
            fifo[..4],
            [
                "encryption: by the KMS key alias/shop, asked for at most every 5m",
                "duplicates: known by the sender's id, among the message group's of the last 5 minutes",
                "throughput: high: the limit holds for each message group",
                "may dead-letter here: a.fifo",
            ]
        );
    }

    #[test]
    fn what_a_server_does_not_tell_is_not_made_up() {
        assert_eq!(shown(&[("QueueArn", "arn:aws:sqs:r:1:a")], false), ["QueueArn: arn:aws:sqs:r:1:a"]);
    }
}
