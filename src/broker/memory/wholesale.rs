//! Moves by the broker itself, as RabbitMQ's shovels do them: copy, confirm, remove, a few at a time.
//!
//! Each [`Underway::advance`] is one beat of it, so that tests see it in the middle. Limits: lines of RabbitMQ only; nothing
//! is moved between two beats.

use std::sync::Arc;

use async_trait::async_trait;

use super::Inner;
use super::state::{Route, Store};
use crate::broker::{Advance, Stand, Underway};
use crate::error::Result;

/// What a move of such a queue does.
pub(super) const MOVE: &str = "by the memory broker, which removes a message when the target has its copy; it leaves when as \
                               many are moved as were there at its start";
/// Messages in one beat.
const BEAT: u64 = 100;

/// A move under way.
pub(super) struct Shovel {
    inner: Arc<Inner>,
    queue: String,
    to: String,
    of: u64,
    done: u64,
    stand: Stand,
}

impl Shovel {
    /// Moves as many as are ready now.
    ///
    /// # Errors
    /// `NotFound` for a missing queue.
    pub(super) fn begin(inner: Arc<Inner>, queue: &str, to: &str) -> Result<Self> {
        let now = inner.clock.now();
        let of = {
            let mut state = inner.state();
            state.queue(to, now)?;
            match &state.queue(queue, now)?.store {
                Store::Line(line) => line.ready().count() as u64,
                Store::Log(_) => 0,
            }
        };
        let stand = if of == 0 { Stand::Done } else { Stand::Running };
        Ok(Self { inner, queue: queue.to_owned(), to: to.to_owned(), of, done: 0, stand })
    }

    /// Moves the next one; `false` where the queue has none.
    fn one(&self) -> Result<bool> {
        let now = self.inner.clock.now();
        let mut state = self.inner.state();
        let Store::Line(line) = &state.queue(&self.queue, now)?.store else { return Ok(false) };
        let Some((place, message)) = line.places(|_| true).into_iter().next() else { return Ok(false) };
        let route = Route { exchange: String::new(), key: Some(self.to.clone()), partition: None };
        state.publish(&route, message, now)?;
        if let Store::Line(line) = &mut state.queue(&self.queue, now)?.store {
            line.discard(place);
        }
        Ok(true)
    }
}

#[async_trait]
impl Underway for Shovel {
    async fn advance(&mut self) -> Result<Advance> {
        self.inner.point("advance").await?;
        for _ in 0..BEAT {
            if self.stand != Stand::Running {
                break;
            }
            match self.one() {
                Ok(true) => self.done += 1,
                Ok(false) => self.stand = Stand::Done,
                Err(error) => self.stand = Stand::Failed(error.to_string()),
            }
            if self.done == self.of && self.stand == Stand::Running {
                self.stand = Stand::Done;
            }
        }
        self.inner.arrived();
        Ok(Advance { done: self.done, of: Some(self.of), stand: self.stand.clone() })
    }

    async fn cancel(&mut self) -> Result<()> {
        self.inner.point("cancel").await?;
        if self.stand == Stand::Running {
            self.stand = Stand::Cancelled;
        }
        Ok(())
    }
}
