//! What a backend brings to the suite: queues made and looked into by other means than the backend under test.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use postroom::broker::{Broker, Capability, Target};
use postroom::message::{Fields, Message};

use crate::world::until;

/// A queue that a case asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// With the kind's defaults, no dead-letter target.
    Plain,
    /// Of that very name.
    Named(String),
    /// Refuses messages when that many are ready.
    RejectPublish(u64),
    /// Its messages live that long.
    Expiring(Duration),
}

/// One kind of queue on one backend. Everything it makes is unique to this run.
#[async_trait(?Send)]
pub(crate) trait Fixture: Send + Sync {
    /// The start of its tests' names: `memory/rabbitmq-classic`, `rabbitmq-4.3/quorum`.
    fn name(&self) -> String;

    /// What its queues can do. Narrower than the backend's own where a fake or a server can't.
    fn capability(&self) -> Capability;

    /// Opens the backend in its layers. Called inside the runtime of the case that uses it.
    async fn open(&self) -> Arc<dyn Broker>;

    /// Whether it can make such a queue.
    fn makes(&self, wanted: &Wanted) -> bool;

    /// Makes an empty queue and gives its name as the backend takes it.
    async fn create(&self, wanted: &Wanted) -> String;

    /// Deletes a queue that [`Fixture::create`] made. Never fails a test.
    async fn delete(&self, queue: &str);

    /// Puts messages into a queue, in order, and returns when they are there.
    async fn fill(&self, queue: &str, messages: &[Message]);

    /// How many messages are ready (not held by anybody), without touching them.
    async fn ready(&self, queue: &str) -> u64;

    /// Whether there are exchanges beside queues.
    fn has_exchanges(&self) -> bool {
        false
    }

    /// A time, in whole seconds, that is after all that was filled so far and not after what is filled next.
    async fn mark(&self) -> Timestamp {
        let mark = Timestamp::from_second(Timestamp::now().as_second() + 1).unwrap();
        assert!(until(async || Timestamp::now() >= mark).await);
        mark
    }

    /// A short life that a queue or a message of its own can have, where what has lived that long is gone at once and not
    /// some minutes later.
    fn short_life(&self) -> Option<Duration> {
        None
    }

    /// Whether what arrives during a read can be told from what was there. In SQS nothing tells it: a plan that names
    /// its messages does.
    fn tells_arrivals(&self) -> bool {
        true
    }

    /// How many looks in a row prove that looks cost nothing.
    fn looks(&self) -> u32 {
        60
    }

    /// Whether hundreds of messages are too many for it.
    fn is_slow(&self) -> bool {
        false
    }

    /// Makes an exchange that routes the key `yes` to the queue and every other to none; `None` where there are none.
    async fn exchange(&self, queue: &str) -> Option<Target>;

    /// A name that no queue has. With it nothing exists, and publishing to it must not change that.
    fn missing(&self) -> String;

    /// Whether opening a publisher makes the target (archives): then there are no missing targets.
    fn makes_targets(&self) -> bool {
        false
    }

    /// Whether the backend takes such a message at all; the broker's own rules on payloads (SQS: text, not empty).
    fn takes(&self, _message: &Message) -> bool {
        true
    }

    /// Adds what each message needs to be taken (SQS FIFO: a group and a deduplication id of its own).
    fn prepare(&self, message: Message) -> Message {
        message
    }

    /// Properties that survive a round trip.
    fn properties(&self) -> Fields {
        Fields::new()
    }

    /// Names of queues that are legal and odd.
    fn odd_names(&self) -> Vec<String> {
        Vec::new()
    }
}
