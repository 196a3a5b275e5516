//! What a payload's bytes mean: the chain of formats they are wrapped in, and the form to show.
//!
//! Formats are tried in this order: what the message declares, magic bytes, structure that consumes every byte. Steps
//! nest (base64, gzip, JSON …) up to [`Limits`]. A view only: nothing here changes a message, serialised objects are
//! named and never executed, and what can't be decoded stays bytes with the reason beside it.
//! Limits: no schema registry is asked; Avro says its schema id, Protobuf is shown by field numbers.

mod cbor;
mod compressed;
mod decode;
mod encoded;
mod envelope;
mod framed;
mod hints;
mod label;
mod msgpack;
mod plain;
mod protobuf;
mod tree;
mod unescape;
mod view;

pub use decode::{decode, view};
pub use hints::Hints;
pub(crate) use plain::{is_encodable, is_plain, starts_as_markup};
pub(crate) use unescape::unescape;
pub use view::{Form, Limits, Step, View};
