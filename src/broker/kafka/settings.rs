//! The settings of a topic that matter here.

use std::collections::BTreeMap;
use std::time::Duration;

/// A topic's settings by name; empty where they may not be asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(pub(super) BTreeMap<String, String>);

impl Settings {
    /// A setting by name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    /// After how long records are gone; `None` for never or unknown.
    pub(super) fn retention(&self) -> Option<Duration> {
        self.number("retention.ms").filter(|_| self.deletes()).map(Duration::from_millis)
    }

    /// Whether the brokers give each record the time at which it arrives, whatever it says.
    pub(super) fn appends_time(&self) -> bool {
        self.get("message.timestamp.type") == Some("LogAppendTime")
    }

    /// The largest batch that the topic takes.
    pub(super) fn max_bytes(&self) -> Option<u64> {
        self.number("max.message.bytes")
    }

    /// Whether old records are deleted (and not only superseded ones).
    pub(super) fn deletes(&self) -> bool {
        self.get("cleanup.policy").is_none_or(|policy| policy.contains("delete"))
    }
}
