//! The memory broker: the reference for what each real broker does, and the ground that engines, tests and the demo
//! stand on.
//!
//! One broker can hold queues of several [`Profile`]s, as a RabbitMQ holds queues of several types. It is
//! deterministic: an injected [`Clock`], ids from a seed, no randomness. Tests script [`Fault`]s, look at content
//! without cost ([`Memory::snapshot`]) and see what a queue's rules destroyed ([`Memory::destroyed`]).
//!
//! ```
//! use postroom::broker::memory::{Memory, Profile, QueueSpec};
//! use postroom::message::Message;
//! let memory = Memory::builder()
//!     .queue(QueueSpec::new("orders", Profile::RabbitQuorum43).dead_letter_to("orders.dlq"))
//!     .queue(QueueSpec::new("orders.dlq", Profile::RabbitQuorum43))
//!     .build();
//! memory.publish("orders", Message::default()).unwrap_err(); // RabbitMQ has no null payload
//! memory.publish("orders", Message { payload: Some("{}".into()), ..Message::default() }).unwrap();
//! memory.reject("orders", 1).unwrap();
//! assert_eq!(memory.snapshot("orders.dlq").unwrap().len(), 1);
//! ```
//!
//! Limits: one process, one lock; rates and consumers are what the builder says.

mod broker;
mod builder;
mod clock;
mod conform;
mod cost;
mod death;
pub mod demo;
mod describe;
mod fault;
mod groups;
mod harness;
mod line;
mod line_reader;
mod log;
mod log_reader;
mod profile;
mod publisher;
mod spec;
mod state;
mod stored;
#[cfg(test)]
mod tests;
mod wholesale;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

pub use builder::MemoryBuilder;
pub use clock::Clock;
pub use fault::{Fault, PublishFault, SettleFault};
pub use harness::{Due, at_each};
pub use profile::Profile;
pub use spec::{ExchangeSpec, Overflow, QueueSpec};
pub use state::Destroyed;
pub use stored::DeathReason;

use self::fault::Faults;
use self::line::Want;
use self::state::{Route, State, Store, Taken};
use self::stored::Dead;
use crate::broker::{Receipt, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// A broker in memory. Clones are the same broker.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    name: String,
    clock: Clock,
    state: Mutex<State>,
    /// Counts arrivals, for those who follow.
    arrivals: watch::Sender<u64>,
    faults: Faults,
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The address of messages read from a queue.
    fn address(&self, queue: &str) -> Arc<str> {
        format!("{}:{}", self.name, Target::queue(queue)).into()
    }

    fn arrived(&self) {
        self.arrivals.send_modify(|count| *count += 1);
    }
}

impl Memory {
    /// Starts a broker without queues.
    pub fn builder() -> MemoryBuilder {
        MemoryBuilder::default()
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Adds a queue, or replaces it with an empty one.
    pub fn create(&self, queue: QueueSpec) {
        self.0.state().create(queue);
    }

    /// Adds an exchange, or replaces it with its bindings.
    pub fn declare(&self, exchange: ExchangeSpec) {
        self.0.state().exchanges.insert(exchange.name.clone(), exchange);
    }

    /// Deletes a queue with all that is in it.
    pub fn delete(&self, queue: &str) {
        self.0.state().queues.remove(queue);
    }

    /// Publishes as an application would: no fault script, its own time kept where the broker keeps one (Kafka).
    ///
    /// # Errors
    /// `NotFound` and `Rejected` as the broker says it.
    pub fn publish(&self, queue: &str, message: Message) -> Result<Receipt> {
        let route = Route { exchange: String::new(), key: Some(queue.to_owned()), partition: None };
        self.route(&route, message)
    }

    /// Publishes to an exchange, with the message's key as the routing key.
    ///
    /// # Errors
    /// `NotFound` for the exchange, `Rejected` where no queue takes it.
    pub fn publish_to_exchange(&self, exchange: &str, message: Message) -> Result<Receipt> {
        self.route(&Route { exchange: exchange.to_owned(), key: None, partition: None }, message)
    }

    fn route(&self, route: &Route, message: Message) -> Result<Receipt> {
        let taken = self.0.state().publish(route, message, self.0.clock.now())?;
        self.0.arrived();
        Ok(match taken {
            Taken::Stored(receipt) | Taken::Duplicate(receipt) => receipt,
        })
    }

    /// Lets an application refuse the first `count` ready messages (`basic.reject` without requeue): they are
    /// dead-lettered where the queue says, else destroyed.
    ///
    /// # Errors
    /// `NotFound`, and `Unsupported` for a log.
    pub fn reject(&self, queue: &str, count: usize) -> Result<()> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let Store::Line(line) = &mut state.queue(queue, now)?.store else {
            return Err(Error::new(ErrorKind::Unsupported, format!("{queue:?} is a log, which can't refuse messages")));
        };
        let dead = line.take_first(count).into_iter();
        let dead = dead.map(|stored| Dead { stored, reason: DeathReason::Rejected }).collect();
        state.bury(queue, dead, now);
        drop(state);
        self.0.arrived();
        Ok(())
    }

    /// Lets an application crash with the first `count` ready messages in its hands: they come back as the queue's
    /// rules say, and count.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn crash_consumer(&self, queue: &str, count: usize) -> Result<()> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let consumer = state.connect();
        state.receive(queue, consumer, Want { max: count, end: u64::MAX, rescue: true }, now)?;
        state.lose(consumer, now);
        Ok(())
    }

    /// Removes the first `count` ready messages, as a consumer that is done with them.
    ///
    /// # Errors
    /// `NotFound`, and `Unsupported` for a log.
    pub fn consume(&self, queue: &str, count: usize) -> Result<Vec<Message>> {
        let now = self.0.clock.now();
        let mut state = self.0.state();
        let address = self.0.address(queue);
        let found = state.queue(queue, now)?;
        let Store::Line(line) = &mut found.store else {
            return Err(Error::new(ErrorKind::Unsupported, format!("{queue:?} is a log, which removes nothing")));
        };
        Ok(line.take_first(count).iter().map(|stored| stored.view(&found.spec, &address)).collect())
    }

    /// What is in a queue without being held, oldest first (by partition for Kafka). Costs nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn snapshot(&self, queue: &str) -> Result<Vec<Message>> {
        let address = self.0.address(queue);
        let mut state = self.0.state();
        let queue = state.queue(queue, self.0.clock.now())?;
        Ok(queue.ready().map(|stored| stored.view(&queue.spec, &address)).collect())
    }

    /// What readers hold of a queue. Costs nothing.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn held(&self, queue: &str) -> Result<Vec<Message>> {
        let address = self.0.address(queue);
        let mut state = self.0.state();
        let queue = state.queue(queue, self.0.clock.now())?;
        Ok(match &queue.store {
            Store::Line(line) => line.held().map(|stored| stored.view(&queue.spec, &address)).collect(),
            Store::Log(_) => Vec::new(),
        })
    }

    /// Every message that a rule destroyed so far: no queue holds it, and nobody removed it.
    #[must_use]
    pub fn destroyed(&self) -> Vec<Destroyed> {
        self.0.state().destroyed.clone()
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}
