//! What a payload's bytes mean: the chain of formats they are wrapped in, and the form to show.
//!
//! Formats are tried in this order: what the message declares, magic bytes, structure that consumes every byte. Steps
//! nest (base64, gzip, JSON …) up to [`Limits`]. A view only: nothing here changes a message, serialised objects are
//! named and never executed, and what can't be decoded stays bytes with the reason beside it.
//! Limits: schemas are found by whoever has them ([`Schemas`]); without, Avro says its schema id (its container files bring
//! their schema along) and Protobuf is shown by field numbers.

#[cfg(feature = "schemas")]
pub(crate) mod avro;
mod cbor;
mod compressed;
mod decode;
mod encoded;
mod envelope;
mod fits;
mod framed;
mod hints;
mod java;
mod label;
mod msgpack;
mod nested;
mod plain;
mod protobuf;
mod schema;
pub(crate) mod tree;
mod unescape;
mod view;

pub use decode::{decode, key_view, view};
pub use fits::{Fit, fits, frame_of, json_frame};
pub use hints::Hints;
pub(crate) use hints::KEY_SCHEMA;
pub use nested::nested;
pub(crate) use nested::{STRINGS, inside, may_hold_encoded};
pub(crate) use plain::{is_encodable, is_plain, starts_as_markup};
#[cfg(feature = "schemas")]
pub(crate) use protobuf::varint;
pub use schema::{Part, Schema, SchemaId, Schemas, uuid};
pub(crate) use unescape::unescape;
pub use view::{Form, Limits, Step, View};
