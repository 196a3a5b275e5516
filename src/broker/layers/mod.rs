//! What every backend gets around it: `Traced(Retry(Timeout(Checked(backend))))`.
//!
//! - `checked`: refuses by capability before any I/O, and names address and operation in every error;
//! - `timeout`: bounds what changes nothing;
//! - `retry`: tries again what changes nothing and could not be reached;
//! - `traced`: spans for the log, without secrets and payloads.
//!
//! The order matters: the timeout is inside the retry, so that each try has its own; the trace is outside, so that it
//! shows what the caller waited for. A decorator that forgets a method would drop a check, so the lint below refuses it.

#![deny(clippy::missing_trait_methods)]

mod checked;
mod retry;
mod timeout;
mod traced;

use std::sync::Arc;

use super::Broker;

/// Puts all layers around a backend.
#[must_use]
pub fn wrap(backend: Arc<dyn Broker>) -> Arc<dyn Broker> {
    let checked = checked::Checked::new(backend);
    let timed = timeout::Timeout::new(checked);
    let retried = retry::Retry::new(timed);
    Arc::new(traced::Traced::new(retried))
}
