//! What SQS tells of one queue, and what follows from it: cost of a look, refusals, limits.
//!
//! The rules are AWS's own (developer guide: quotas, visibility timeout, dead-letter queues, FIFO delivery logic).
//! Limits: all counts are estimates that settle within a minute.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Name;

use crate::broker::{
    Accuracy, Capability, CostKind, HeaderTypes, Ordering, PublishLimits, ReadCost, Remove, Seek, ServerSide,
};
use crate::error::{Error, ErrorKind, Result};

/// The most that SQS takes since August 2025, in bytes of body and attributes.
pub(super) const LARGEST: u64 = 1_048_576;
/// What a purge does.
const PURGE: &str = "a purge: messages that others hold go, too, and what is sent within the next minute may go; SQS \
                     allows one a minute";
/// What a move task does.
const MOVE: &str = "a move task: every message gets a new id and its retention begins anew; SQS allows one at a time for a \
                    queue, and it goes on where postroom ends";
/// A look needs so many receives before the redrive policy acts: its own, and some for the consumers.
const SPARED: u64 = 4;

/// Where the queue's own dead go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redrive {
    /// The ARN of the dead-letter queue.
    pub(super) to: String,
    /// After so many receives the next one moves a message there.
    pub(super) max: u64,
}

/// What is known of a queue.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) attributes: HashMap<Name, String>,
}

impl Facts {
    fn text(&self, name: &Name) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }

    /// The attributes by the names that SQS gives them.
    pub(super) fn by_name(&self) -> BTreeMap<String, String> {
        self.attributes.iter().map(|(name, value)| (name.as_str().to_owned(), value.clone())).collect()
    }

    fn number(&self, name: &Name) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    pub(super) fn arn(&self) -> Option<&str> {
        self.text(&Name::QueueArn)
    }

    pub(super) fn is_fifo(&self) -> bool {
        is_fifo(&self.name)
    }

    /// About how many can be received.
    pub(super) fn visible(&self) -> u64 {
        self.number(&Name::ApproximateNumberOfMessages).unwrap_or(0)
    }

    /// About how many somebody holds.
    pub(super) fn in_flight(&self) -> u64 {
        self.number(&Name::ApproximateNumberOfMessagesNotVisible).unwrap_or(0)
    }

    /// About how many are delayed.
    pub(super) fn delayed(&self) -> u64 {
        self.number(&Name::ApproximateNumberOfMessagesDelayed).unwrap_or(0)
    }

    pub(super) fn retention(&self) -> Option<Duration> {
        self.number(&Name::MessageRetentionPeriod).map(Duration::from_secs)
    }

    pub(super) fn content_dedup(&self) -> bool {
        self.text(&Name::ContentBasedDeduplication) == Some("true")
    }

    /// Its own dead letters.
    pub(super) fn redrive(&self) -> Option<Redrive> {
        let policy: serde_json::Value = serde_json::from_str(self.text(&Name::RedrivePolicy)?).ok()?;
        // Some tools write the number as text.
        let max = policy.get("maxReceiveCount")?;
        let max = max.as_u64().or_else(|| max.as_str()?.parse().ok())?;
        Some(Redrive { to: policy.get("deadLetterTargetArn")?.as_str()?.to_owned(), max })
    }

    /// What a publisher to it takes.
    pub(super) fn limits(&self) -> PublishLimits {
        let max_bytes = self.number(&Name::MaximumMessageSize).unwrap_or(LARGEST);
        PublishLimits { max_bytes: Some(max_bytes), ..limits() }
    }

    pub(super) fn capability(&self) -> Capability {
        Capability { publish: Some(self.limits()), ..capability(self.is_fifo()) }
    }

    /// What a look does.
    pub(super) fn read_cost(&self, lease: Duration) -> ReadCost {
        let seconds = lease.as_secs();
        let mut why = format!(
            "a look hides the messages from others and raises their receive count; it gives them back at its end, and \
             after a crash they come back by themselves within {seconds} s"
        );
        if self.is_fifo() {
            why.push_str(
                "; while it holds messages of a group, the group's consumers get nothing, and of each group at most the \
                 first 10 can be seen",
            );
        }
        let Some(Redrive { to, max }) = self.redrive() else {
            return ReadCost { kind: CostKind::Leases, budget: None, why, refused: None };
        };
        let to = name_of(&to);
        let refused = (max < SPARED).then(|| {
            format!(
                "each look counts as one of the {max} receives after which the redrive policy moves a message to {to:?}: \
                 live messages would go there without having failed"
            )
        });
        let why = format!("{why}; after {max} receives the next one moves a message to {to:?}");
        ReadCost { kind: CostKind::Leases, budget: Some(max.saturating_sub(1)), why, refused }
    }

    /// Refuses a read that would send messages to the dead-letter queue.
    ///
    /// # Errors
    /// `Refused`, with the reason.
    pub(super) fn permit(&self, lease: Duration) -> Result<()> {
        let Some(why) = self.read_cost(lease).refused else { return Ok(()) };
        Err(Error::new(ErrorKind::Refused, format!("{:?} is not read: {why}", self.name))
            .hint("read its dead-letter queue instead, or raise maxReceiveCount in its redrive policy for the time of the look"))
    }
}

/// What a publisher to any queue takes.
const fn limits() -> PublishLimits {
    PublishLimits {
        confirm: true,
        max_bytes: Some(LARGEST),
        max_batch: Some(10),
        in_flight: None,
        max_headers: Some(10),
        header_types: HeaderTypes::Sqs,
        null_payload: false,
        key: true,
        duplicate_headers: false,
    }
}

/// What the queues of a type can do.
pub(super) const fn capability(fifo: bool) -> Capability {
    Capability {
        list: true,
        browse: true,
        read_cost: CostKind::Leases,
        seek: Seek { offset: false, time: false, tail: false },
        follow: false,
        take: true,
        remove: Remove::PerMessage,
        count: Accuracy::Approximate,
        publish: Some(limits()),
        ordering: if fifo { Ordering::PerGroup } else { Ordering::Unordered },
        // What a dead client held comes back in its own time.
        returns_in_place: false,
        unique_ids: true,
        server_side: ServerSide { drops: Some(PURGE), moves: Some(MOVE), to_origins: true },
        groups: false,
    }
}

/// Whether a queue keeps groups in order: its name says so.
pub(super) fn is_fifo(name: &str) -> bool {
    name.rsplit('.').next() == Some("fifo") && name.contains('.')
}

/// The queue's name in an ARN or a URL.
pub(super) fn name_of(place: &str) -> &str {
    place.rsplit([':', '/']).next().unwrap_or(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, attributes: &[(Name, &str)]) -> Facts {
        let attributes = attributes.iter().map(|(name, value)| (name.clone(), (*value).to_owned())).collect();
        Facts { name: name.to_owned(), url: String::new(), attributes }
    }

    #[test]
    fn a_source_whose_live_messages_a_look_would_bury_is_refused() {
        let policy = |max: &str| format!(r#"{{"deadLetterTargetArn":"arn:aws:sqs:r:1:dead","maxReceiveCount":{max}}}"#);
        for (max, refused) in [("1", true), ("\"3\"", true), ("4", false), ("10", false)] {
            let facts = facts("orders", &[(Name::RedrivePolicy, &policy(max))]);
            assert_eq!(facts.permit(Duration::from_mins(2)).is_err(), refused, "{max}");
        }
        let cost = facts("orders", &[(Name::RedrivePolicy, &policy("10"))]).read_cost(Duration::from_mins(2));
        assert_eq!(cost.budget, Some(9));
        assert!(facts("dead", &[]).permit(Duration::from_mins(2)).is_ok());
    }

    #[test]
    fn a_fifo_queue_is_known_by_its_name() {
        assert!(is_fifo("orders.fifo") && !is_fifo("orders") && !is_fifo("fifo"));
        assert!(facts("orders.fifo", &[]).read_cost(Duration::from_secs(9)).why.contains("first 10"));
    }
}
