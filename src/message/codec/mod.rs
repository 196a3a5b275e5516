//! What a payload's bytes mean: the chain of formats they are wrapped in, and the form to show.
//!
//! A view only: nothing here changes a message, and what can't be decoded stays bytes with the reason beside it.

mod plain;
mod unescape;

pub(crate) use plain::{is_encodable, is_plain, starts_as_markup};
pub(crate) use unescape::unescape;
