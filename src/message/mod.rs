//! What a message is: immutable, lossless, the same for every broker.
//!
//! A backend builds a [`Message`] from what the broker delivered; engines carry it unchanged; a publisher
//! writes it out again. Null and empty stay apart, header order and duplicates are kept, typed values keep
//! their type. What the *broker* added on the way to us (delivery counters, exchange, redelivered flag, receipt
//! times) is [`Message::metadata`]: shown and filtered on, never published again and no part of the digest.
//!
//! Limits: this room knows no broker and does no I/O.

pub mod codec;
pub mod failure;
pub mod filter;
pub mod fingerprint;
pub(crate) mod hash;
mod json;
pub mod jsonl;
pub mod path;
pub(crate) mod queue_name;
pub mod redacted;
mod value;

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use self::hash::Hasher;
pub use value::{Amqp, Fields, Name, Value};

/// One message as a broker or an archive holds it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Message {
    /// Where it was read, in the form people type (`rabbit:orders.dlq`); empty for one that comes from no queue.
    pub address: Arc<str>,
    /// Stable name within its queue: Kafka `partition:offset`, the SQS message id, the AMQP message-id property,
    /// else `h-` and the first 16 hex digits of the digest. Not unique on RabbitMQ: two equal messages share it.
    pub id: String,
    /// Where it stands, for queues that have positions (Kafka, RabbitMQ streams, archives).
    pub position: Option<Position>,
    /// When the broker took it in or the publisher stamped it, whichever the broker offers.
    pub time: Option<Timestamp>,
    /// Kafka's record key, RabbitMQ's routing key, SQS's message group id. `None` is null, not empty.
    pub key: Option<Bytes>,
    /// What the publisher set (and what dead-lettering added), in order, duplicates kept.
    pub headers: Fields,
    /// The broker's own named publish properties (AMQP `content_type`, SQS `message_deduplication_id` …), settable by a publisher.
    pub properties: Fields,
    /// What only the broker says: `exchange`, `redelivered`, `delivery_count`, `acquired_count` … Never published.
    pub metadata: Fields,
    /// The body. `None` is null (a Kafka tombstone), not empty.
    pub payload: Option<Bytes>,
    /// How often it was delivered before this time, where the broker counts.
    pub deliveries: Option<u64>,
}

impl Message {
    /// The payload's bytes, empty for null.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        self.payload.as_deref().unwrap_or_default()
    }

    /// Size in bytes of key, header names and text, and payload: what budgets and rates count.
    #[must_use]
    pub fn size(&self) -> u64 {
        let headers: usize = self.headers.iter().map(|(name, value)| name.len() + value.size()).sum();
        (self.key.as_ref().map_or(0, Bytes::len) + headers + self.body().len()) as u64
    }

    /// The [`Message::id`] of a message that has no name of its own: `h-` and 16 hex digits of its digest.
    #[must_use]
    pub fn content_id(&self) -> String {
        self.digest().content_id()
    }

    /// The content's fingerprint: key, headers, properties and payload, and nothing that a look changes.
    /// Two messages with equal digests are interchangeable: a plan tells them apart by occurrence only.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let mut hasher = Hasher::default();
        value::hash_optional(&mut hasher, self.key.as_deref());
        self.headers.hash_into(&mut hasher);
        self.properties.hash_into(&mut hasher);
        value::hash_optional(&mut hasher, self.payload.as_deref());
        Digest(hasher.finish())
    }
}

/// The metadata that marks a copy on its way whose id, by which its target knows a message that is sent twice, was made
/// for this very step: where the target has seen it, it has this copy.
pub const OWN_ID: &str = "postroom_own_id";

/// Where a message stands in a queue that has positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The partition; `None` where the queue has only one sequence (streams, archives).
    pub partition: Option<i32>,
    /// The offset within it; for archives the line number, from 1.
    pub offset: u64,
}

/// 128 bits of a message's content hash, see [`Message::digest`]. Written as 32 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 16]);

impl Digest {
    /// The id of a message of this digest that has no name of its own, see [`Message::content_id`].
    #[must_use]
    pub fn content_id(self) -> String {
        let mut id = format!("h-{self}");
        id.truncate(18);
        id
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Written at once: a journal has one for every message.
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Digest {
    type Err = crate::Error;

    fn from_str(text: &str) -> crate::Result<Self> {
        let bad = || crate::Error::new(crate::ErrorKind::Invalid, format!("{text:?} is not a digest of 32 hex digits"));
        if text.len() != 32 || !text.is_ascii() {
            return Err(bad());
        }
        let mut out = [0; 16];
        for (i, byte) in out.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_does_not_change_the_digest_and_null_is_not_empty() {
        let message = Message { payload: Some(Bytes::new()), ..Message::default() };
        let looked_at = Message {
            deliveries: Some(3),
            metadata: Fields::from_iter([("redelivered", Value::Bool(true))]),
            ..message.clone()
        };
        assert_eq!(message.digest(), looked_at.digest());
        let null = Message { payload: None, ..message.clone() };
        assert_ne!(message.digest(), null.digest());
    }

    #[test]
    fn a_digest_reads_back() {
        let digest = Message::default().digest();
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        assert!("zz".parse::<Digest>().is_err());
        assert!("éééééééééééééééé".parse::<Digest>().is_err());
    }
}
