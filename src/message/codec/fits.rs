//! Whether a payload fits the schema that it names, or that somebody named for its queue.
//!
//! Limits: a payload behind a compression that it declares is not unpacked.

use super::framed::unframe;
use super::hints::Hints;
use super::schema::{Part, SchemaId, Schemas};
use super::view::Limits;
use crate::message::Message;

/// What a schema says of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Nobody has a schema for it.
    Free,
    /// It fits.
    Fits,
    /// It does not, and why.
    Misfit(String),
    /// The schema can't be had, or can't be used, and why.
    Unknown(String),
}

/// Checks a message's payload. Waits for a registry that has not been asked for its schema yet.
#[must_use]
pub fn fits(message: &Message, schemas: &dyn Schemas) -> Fit {
    let Some(payload) = &message.payload else { return Fit::Free };
    let limits = Limits::default();
    let (id, inner) = match unframe(payload, &Hints::of(message), &limits) {
        Some(Ok(framed)) => (Some(framed.id), framed.inner),
        Some(Err(why)) => return Fit::Misfit(why),
        None => (None, payload.clone()),
    };
    match schemas.find(message, Part::Payload, id) {
        None => Fit::Free,
        Some(Err(why)) => Fit::Unknown(why),
        Some(Ok(schema)) => schema.check(&inner, id, &limits),
    }
}

/// How many bytes of a registry's frame stand before a payload that is JSON behind it; 0 where it has none.
#[must_use]
pub fn json_frame(message: &Message) -> usize {
    let Some(payload) = &message.payload else { return 0 };
    match unframe(payload, &Hints::of(message), &Limits::default()) {
        // What was packed is not a part of the payload.
        Some(Ok(framed)) if payload.ends_with(&framed.inner) => payload.len() - framed.inner.len(),
        _ => 0,
    }
}

/// What a payload says that it is, where it stands in a registry's frame: `confluent schema 7`.
#[must_use]
pub fn frame_of(message: &Message) -> Option<(String, SchemaId)> {
    let framed = unframe(message.payload.as_ref()?, &Hints::of(message), &Limits::default())?.ok()?;
    Some((framed.step.format.to_owned(), framed.id))
}
