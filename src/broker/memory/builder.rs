//! Building a memory broker.

use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::clock::Clock;
use super::fault::Faults;
use super::spec::{ExchangeSpec, QueueSpec};
use super::state::State;
use super::{Inner, Memory};

/// A memory broker to be.
#[derive(Clone, Debug)]
#[must_use]
pub struct MemoryBuilder {
    name: String,
    clock: Clock,
    seed: u64,
    queues: Vec<QueueSpec>,
    exchanges: Vec<ExchangeSpec>,
}

impl Default for MemoryBuilder {
    fn default() -> Self {
        Self { name: "memory".to_owned(), clock: Clock::system(), seed: 0, queues: Vec::new(), exchanges: Vec::new() }
    }
}

impl MemoryBuilder {
    /// The profile name in the addresses of its messages; without it `memory`.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The time it goes by; without it the machine's.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// What the ids it gives are made from; without it 0.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a queue.
    pub fn queue(mut self, queue: QueueSpec) -> Self {
        self.queues.push(queue);
        self
    }

    /// Adds an exchange.
    pub fn exchange(mut self, exchange: ExchangeSpec) -> Self {
        self.exchanges.push(exchange);
        self
    }

    /// Starts it.
    #[must_use]
    pub fn build(self) -> Memory {
        let state = State::new(self.queues, self.exchanges, self.seed);
        Memory(Arc::new(Inner {
            name: self.name,
            clock: self.clock,
            state: Mutex::new(state),
            arrivals: watch::Sender::new(0),
            faults: Faults::default(),
        }))
    }
}
