//! What is known about one queue, and what follows for reading it: the rules of RabbitMQ by type and version.
//!
//! | queue | a nack | a lost connection | so |
//! |---|---|---|---|
//! | classic | nothing | nothing | give back by nack |
//! | quorum, up to 4.2, no limit | to the back of the queue | keeps its place | give back by closing the channel |
//! | quorum, up to 4.2, limit L | counts; gone above L | the same | never give back at L |
//! | quorum, from 4.3 | counts nothing, but gone above L | counts | nack, wait, close; never hold at L |
//! | stream | nothing | nothing | read by offset |
//!
//! Limits: pure rules, no I/O. A client can write `x-delivery-count` itself; then the guard errs to caution.

use std::fmt;
use std::time::Duration;

use super::api::Queue;
use super::policy::Settings;
use crate::broker::{CostKind, ReadCost};

/// The default delivery limit of quorum queues since 4.0.
const DEFAULT_LIMIT: u64 = 20;

/// A server version; `4.3.6`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) major: u32,
    pub(super) minor: u32,
    pub(super) text: String,
}

impl Version {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(['.', '-', '+']);
        let major = parts.next()?.parse().ok()?;
        let minor = parts.next()?.parse().ok()?;
        Some(Self { major, minor, text: text.to_owned() })
    }

    /// Whether returns by nack are free and only lost connections count (from 4.3).
    fn nack_is_free(&self) -> bool {
        (self.major, self.minor) >= (4, 3)
    }
}

/// The type of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Classic,
    Quorum,
    Stream,
    /// A type we know nothing of, or no way to learn it.
    Unknown,
}

impl Kind {
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "classic" | "rabbit_classic_queue" => Self::Classic,
            "quorum" | "rabbit_quorum_queue" => Self::Quorum,
            "stream" | "rabbit_stream_queue" => Self::Stream,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Classic => "classic",
            Self::Quorum => "quorum",
            Self::Stream => "stream",
            Self::Unknown => "unknown",
        })
    }
}

/// How often a quorum queue takes a message back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    Unlimited,
    At(u64),
    /// Policies could not be read.
    Unknown,
}

/// How what is held goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Release {
    /// One nack for everything, and the channel stays open until the queue has the messages back: a close and the
    /// next question would overtake it.
    Nack,
    /// Closing the channel, which keeps the place of each.
    CloseChannel,
}

/// Which messages must not be given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// All may.
    Open,
    /// Not those that were given back this often, by the broker's count.
    From(u64),
    /// None may: nothing is known.
    Closed,
}

impl Guard {
    /// Whether a message with this count must be put back as a copy and never returned.
    pub(super) fn forbids(self, count: u64) -> bool {
        match self {
            Self::Open => false,
            Self::From(limit) => count >= limit,
            Self::Closed => true,
        }
    }
}

/// One queue.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) version: Option<Version>,
    pub(super) settings: Settings,
    /// The API's row, where it answered.
    pub(super) row: Option<Queue>,
    /// Whether the policies are known.
    pub(super) policies_known: bool,
    /// Messages ready and consumers, as a passive declare tells.
    pub(super) ready: Option<u64>,
    pub(super) consumers: Option<u64>,
    /// What could not be learned.
    pub(super) notes: Vec<String>,
}

impl Facts {
    /// The same with what a passive declare counts now; the API's numbers are up to five seconds old.
    pub(super) fn counted(&self, (ready, consumers): (u64, u64)) -> Self {
        // Up to 4.2 a passive declare counts nothing in a stream.
        let ready = if self.kind == Kind::Stream && ready == 0 { self.ready } else { Some(ready) };
        Self { ready, consumers: Some(consumers), ..self.clone() }
    }

    /// The limit that holds now.
    pub(super) fn limit(&self) -> Limit {
        if self.kind != Kind::Quorum {
            return Limit::Unlimited;
        }
        if !self.policies_known {
            return Limit::Unknown;
        }
        match (self.settings.delivery_limit(), &self.version) {
            (Some(limit), _) => u64::try_from(limit).map_or(Limit::Unlimited, Limit::At),
            (None, Some(version)) if version.major < 4 => Limit::Unlimited,
            (None, Some(_)) => Limit::At(DEFAULT_LIMIT),
            (None, None) => Limit::Unknown,
        }
    }

    /// The way to give messages back.
    pub(super) fn release(&self) -> Release {
        match (self.kind, &self.version) {
            (Kind::Quorum, Some(version)) if !version.nack_is_free() && self.limit() == Limit::Unlimited => {
                Release::CloseChannel
            }
            _ => Release::Nack,
        }
    }

    /// Which messages may go back.
    pub(super) fn guard(&self) -> Guard {
        match (self.kind, self.limit()) {
            (Kind::Unknown, _) | (_, Limit::Unknown) => Guard::Closed,
            (_, Limit::Unlimited) => Guard::Open,
            (_, Limit::At(limit)) => Guard::From(limit),
        }
    }

    /// Whether only one consumer at a time is served.
    pub(super) fn single_active(&self) -> bool {
        self.settings.flag("single-active-consumer")
    }

    /// How long a message lives. A stream drops whole segments, so that a message there may live longer.
    pub(super) fn life(&self) -> Option<Duration> {
        match self.kind {
            Kind::Stream => self.settings.age("max-age"),
            _ => self.settings.number("message-ttl").map(Duration::from_millis),
        }
    }

    /// What a look does, and whether it is refused.
    pub(super) fn read_cost(&self) -> ReadCost {
        let redelivers =
            |why: String, budget| ReadCost { kind: CostKind::Redelivers, budget, why, refused: self.refusal() };
        let version = self.version.as_ref().map_or("an unknown version", |version| version.text.as_str());
        match (self.kind, self.limit()) {
            (Kind::Stream, _) => ReadCost::free("a stream is read by offset; nothing is delivered away"),
            (Kind::Classic, _) => redelivers(
                "messages are delivered and given back in place; they are marked as redelivered, and nothing counts looks".into(),
                None,
            ),
            (Kind::Unknown, _) => redelivers("the queue's type is not known".into(), None),
            (Kind::Quorum, Limit::Unknown) => redelivers("the queue's delivery limit is not known".into(), None),
            (Kind::Quorum, Limit::Unlimited) => {
                redelivers("a quorum queue without a delivery limit takes messages back as often as needed".into(), None)
            }
            (Kind::Quorum, Limit::At(limit)) if self.version.as_ref().is_some_and(Version::nack_is_free) => redelivers(
                format!(
                    "RabbitMQ {version} does not count a look that is given back; a lost connection counts, and a message \
                     already at the limit of {limit} is put back as a copy"
                ),
                None,
            ),
            (Kind::Quorum, Limit::At(limit)) => redelivers(
                format!(
                    "RabbitMQ {version} counts every look, and drops a message above the limit of {limit}; one that is at \
                     it is put back as a copy"
                ),
                Some(limit),
            ),
        }
    }

    /// Why a look is refused before it begins, whatever the messages are.
    fn refusal(&self) -> Option<String> {
        let row = self.row.as_ref();
        if self
            .settings
            .text("delayed-retry-type")
            .or(row.and_then(|row| row.delayed_retry.as_deref()))
            .is_some_and(|kind| !matches!(kind, "disabled" | "failed"))
        {
            return Some("the queue's delayed retry would hide every message that was looked at for a while".into());
        }
        if self.single_active() && self.consumers.is_some_and(|consumers| consumers > 0) {
            return Some(
                "the queue has a single active consumer: a look would get nothing, and could become the active consumer".into(),
            );
        }
        if self.kind == Kind::Unknown {
            return Some(
                "without the management API the queue's type can't be learned, and on some types a look can destroy messages"
                    .into(),
            );
        }
        if self.limit() == Limit::Unknown {
            return Some(
                "without the management API the delivery limit of this quorum queue can't be learned, and a look beyond it \
                 destroys messages"
                    .into(),
            );
        }
        None
    }

    /// Whether the refusal is lifted by putting everything back as copies.
    pub(super) fn rescue_lifts_refusal(&self) -> bool {
        self.guard() == Guard::Closed && self.kind != Kind::Stream && !self.single_active()
    }

    /// What an operator should know before a look.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.kind == Kind::Stream {
            return warnings;
        }
        if let Some(consumers) = self.consumers.filter(|consumers| *consumers > 0) {
            warnings.push(format!("{consumers} consumers are attached: a look competes with them for messages"));
        }
        if let Some(life) = self.life().filter(|life| *life < Duration::from_mins(1)) {
            warnings.push(format!("messages expire after {} ms, also while they are looked at", life.as_millis()));
        }
        if let Some(max) = self.settings.number("max-length") {
            let overflow = self.settings.text("overflow").unwrap_or("drop-head");
            warnings.push(format!(
                "the queue holds {max} messages at most ({overflow}): what arrives during a look takes its room from the oldest"
            ));
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::super::policy::Policies;
    use super::*;

    fn facts(kind: Kind, version: &str, arguments: &serde_json::Value) -> Facts {
        let row = Queue { arguments: arguments.as_object().cloned().unwrap_or_default(), ..Queue::default() };
        Facts {
            name: "q".into(),
            kind,
            version: Version::parse(version),
            settings: Policies::default().settings(&row),
            row: Some(row),
            policies_known: true,
            ready: None,
            consumers: Some(0),
            notes: Vec::new(),
        }
    }

    #[test]
    fn each_type_and_version_gives_back_its_own_way() {
        let none = &serde_json::json!({});
        let quorum = facts(Kind::Quorum, "4.0.5", none);
        assert_eq!((quorum.limit(), quorum.release(), quorum.guard()), (Limit::At(20), Release::Nack, Guard::From(20)));
        assert_eq!(quorum.read_cost().budget, Some(20));
        let unlimited = facts(Kind::Quorum, "4.2.1", &serde_json::json!({"x-delivery-limit": -1}));
        assert_eq!((unlimited.release(), unlimited.guard()), (Release::CloseChannel, Guard::Open));
        let old = facts(Kind::Quorum, "3.13.7", none);
        assert_eq!((old.limit(), old.release()), (Limit::Unlimited, Release::CloseChannel));
        let new = facts(Kind::Quorum, "4.3.6", none);
        assert_eq!((new.release(), new.guard(), new.read_cost().budget), (Release::Nack, Guard::From(20), None));
        let classic = facts(Kind::Classic, "4.0.5", none);
        assert_eq!((classic.release(), classic.guard()), (Release::Nack, Guard::Open));
    }

    #[test]
    fn what_could_destroy_is_refused() {
        let refused = |facts: &Facts| facts.read_cost().refused.is_some();
        let mut single = facts(Kind::Classic, "4.0.5", &serde_json::json!({"x-single-active-consumer": true}));
        assert!(!refused(&single));
        single.consumers = Some(1);
        assert!(refused(&single));
        assert!(refused(&facts(Kind::Quorum, "4.3.6", &serde_json::json!({"x-delayed-retry-type": "all"}))));
        let mut blind = facts(Kind::Quorum, "4.3.6", &serde_json::json!({}));
        blind.policies_known = false;
        assert!(refused(&blind) && blind.rescue_lifts_refusal());
        assert_eq!(blind.guard(), Guard::Closed);
    }
}
