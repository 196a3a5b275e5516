//! What the management API answers, as far as we read it.
//!
//! Lenient on purpose: fields are missing until the first statistics are in, and versions differ (4.0 sends
//! `"message_stats": []` for an idle queue, 4.3 the text `"unlimited"` for a delivery limit). A field of another
//! type than expected counts as missing.

use std::collections::HashMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

/// `/api/overview`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Overview {
    pub(super) rabbitmq_version: String,
    pub(super) product_name: String,
}

/// One page of a list.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) page_count: u32,
}

/// One queue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Queue {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) durable: bool,
    pub(super) exclusive: bool,
    pub(super) auto_delete: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) internal: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) state: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) arguments: Map<String, Value>,
    /// Present once the first statistics are in.
    #[serde(deserialize_with = "lenient")]
    pub(super) effective_policy_definition: Option<Map<String, Value>>,
    #[serde(deserialize_with = "lenient")]
    pub(super) policy: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) operator_policy: Option<String>,
    /// A number, or `"unlimited"`.
    pub(super) delivery_limit: Option<Value>,
    #[serde(deserialize_with = "lenient")]
    pub(super) delayed_retry: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) messages: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) messages_ready: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) messages_unacknowledged: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) reductions: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) message_bytes: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) consumers: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) consumer_details: Vec<Consumer>,
    #[serde(deserialize_with = "lenient")]
    pub(super) single_active_consumer_tag: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) exclusive_consumer_tag: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) head_message_timestamp: Option<i64>,
    #[serde(deserialize_with = "lenient")]
    pub(super) message_stats: Stats,
}

/// Rates of a queue; absent until there was traffic.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Stats {
    #[serde(deserialize_with = "lenient")]
    pub(super) publish_details: Rate,
    #[serde(deserialize_with = "lenient")]
    pub(super) deliver_get_details: Rate,
}

/// Messages per second.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Rate {
    #[serde(deserialize_with = "lenient")]
    pub(super) rate: Option<f64>,
}

/// One consumer of a queue.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Consumer {
    #[serde(rename = "consumer_tag", deserialize_with = "lenient")]
    pub(super) tag: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) prefetch_count: u64,
    #[serde(deserialize_with = "lenient")]
    pub(super) active: bool,
    #[serde(deserialize_with = "lenient")]
    pub(super) channel_details: HashMap<String, Value>,
}

/// A policy or an operator policy.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Policy {
    pub(super) name: String,
    pub(super) pattern: String,
    #[serde(rename = "apply-to")]
    pub(super) apply_to: String,
    #[serde(deserialize_with = "lenient")]
    pub(super) definition: Map<String, Value>,
    #[serde(deserialize_with = "lenient")]
    pub(super) priority: i64,
}

/// An exchange.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Exchange {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
}

/// A binding from an exchange to a queue or another exchange.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Binding {
    pub(super) source: String,
    pub(super) destination: String,
    pub(super) destination_type: String,
    pub(super) routing_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_queue_of_4_0_and_an_unlimited_one_of_4_3_are_read() {
        let idle: Queue =
            serde_json::from_str(r#"{"name":"q","type":"quorum","message_stats":[],"arguments":[]}"#).unwrap();
        assert_eq!(
            (idle.kind.as_str(), idle.messages, idle.message_stats.publish_details.rate),
            ("quorum", None, None)
        );
        let unlimited: Queue = serde_json::from_str(
            r#"{"name":"q","delivery_limit":"unlimited","messages":7,"head_message_timestamp":null,
                "message_stats":{"publish_details":{"rate":1.5}}}"#,
        )
        .unwrap();
        assert_eq!(unlimited.delivery_limit, Some(Value::from("unlimited")));
        assert_eq!((unlimited.messages, unlimited.message_stats.publish_details.rate), (Some(7), Some(1.5)));
    }
}
