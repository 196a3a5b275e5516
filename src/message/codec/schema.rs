//! What decoders know of schemas: how one is named in a frame, who finds it, what it makes of bytes.
//!
//! Limits: this room neither opens files nor asks registries; whoever can does it behind [`Schemas`].

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::{Fit, Limits};
use crate::message::Message;

/// How a frame or a header names a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SchemaId {
    /// A number of a Confluent-compatible registry.
    Number(u64),
    /// A GUID of a Confluent-compatible registry.
    Guid([u8; 16]),
    /// A version's id in AWS Glue.
    Glue([u8; 16]),
}

/// As people name it: `schema 42`.
impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(id) => write!(f, "schema {id}"),
            Self::Guid(id) | Self::Glue(id) => write!(f, "schema {}", uuid(*id)),
        }
    }
}

/// Sixteen bytes as people write them: `xxxxxxxx-xxxx-…`.
#[must_use]
pub fn uuid(bytes: [u8; 16]) -> String {
    let hex = crate::message::Digest(bytes).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
}

/// Which part of a message a schema is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The key: of Kafka's records.
    Key,
    /// The payload.
    Payload,
}

/// Finds schemas.
pub trait Schemas: fmt::Debug + Send + Sync {
    /// The schema of a part of a message: the one that its frame names, or without a frame the one that the operator
    /// named for its queue. `None` where nobody is asked for such schemas; else the schema, or why it can't be had.
    fn find(&self, message: &Message, part: Part, id: Option<SchemaId>) -> Option<Result<Arc<dyn Schema>, String>>;

    /// Whether keys are read that say themselves neither by a frame nor by a header that they have a schema.
    fn read_bare_keys(&self) -> bool {
        false
    }

    /// Why some schemas could not be had so far: what was asked of their fields may have matched too little.
    fn faults(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A schema that reads bytes.
pub trait Schema: fmt::Debug + Send + Sync {
    /// `avro`, `protobuf` or `json`.
    fn format(&self) -> &'static str;

    /// The type's name, empty where it has none.
    fn name(&self) -> &str;

    /// One value that takes all the bytes; `id` where a registry's frame was before them, whose writers put the number
    /// of a Protobuf type behind it.
    ///
    /// # Errors
    /// Why the bytes are no such value, in a few words.
    fn decode(&self, data: &[u8], id: Option<SchemaId>, limits: &Limits) -> Result<Value, String>;

    /// Whether the bytes fit: where reading them needs the schema, whether they can be read.
    fn check(&self, data: &[u8], id: Option<SchemaId>, limits: &Limits) -> Fit {
        self.decode(data, id, limits).map_or_else(Fit::Misfit, |_| Fit::Fits)
    }
}
