//! postroom: see what is in the queues, why messages died, and replay or drain them without losing one.
//!
//! # The map of the house
//!
//! ```text
//! main.rs      arguments in, exit code out
//! error        what can go wrong and what to do next; exit codes
//! secret       a text that does not show itself
//! text         what may reach a terminal, and numbers as people say them
//! message/     what a message is: model, line, filter, failure, fingerprint
//! broker/      the seam, and one room per backend: memory, archive, rabbitmq, kafka, sqs
//! schema/      schemas of payloads: files and registries
//! config/      profiles: defaults, file, environment
//! operation/   engines over the seam: plan, journal, replay, drain, browse …
//! cli/         one file per verb
//! tui/         the screens: command table, state, update, runner, view
//! ```
//!
//! Direction, checked by a test: `error, secret, text, message -> broker, schema -> config -> operation -> cli | tui -> main`, never upward.

pub mod broker;
pub mod cli;
pub mod config;
pub mod error;
pub mod message;
pub mod operation;
pub mod schema;
pub mod secret;
mod text;
#[cfg(feature = "tui")]
pub mod tui;

pub use error::{Error, ErrorKind, Result};
