//! Publishing to a queue or exchange of the memory broker.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::Inner;
use super::fault::{PublishFault, ambiguous};
use super::state::{Route, Taken};
use crate::broker::{HeaderTypes, PublishLimits, Publisher, Receipt};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// Headers that count deliveries and are never published: consumers would take them for the broker's own.
const COUNTERS: [&str; 2] = ["x-delivery-count", "x-acquired-count"];

/// A publisher to one target.
pub(super) struct MemoryPublisher {
    inner: Arc<Inner>,
    owner: u64,
    route: Route,
    limits: PublishLimits,
    /// Held by the batch that is on its way, and by the close: the lock is fair, so messages arrive as they were called.
    closed: Mutex<bool>,
}

impl MemoryPublisher {
    pub(super) fn new(inner: Arc<Inner>, owner: u64, route: Route, limits: PublishLimits) -> Self {
        Self { inner, owner, route, limits, closed: Mutex::new(false) }
    }

    /// The message as it goes out: the broker gives the time; on RabbitMQ the counters of an earlier life stay behind,
    /// and what does not say how durable it is becomes persistent.
    fn outgoing(&self, message: &Message) -> Message {
        let mut message = Message { time: None, ..message.clone() };
        if self.limits.header_types == HeaderTypes::Amqp {
            message.headers.retain(|name, _| !COUNTERS.contains(&name));
            if message.properties.get("delivery_mode").is_none() {
                message.properties.push("delivery_mode", 2);
            }
        }
        message
    }

    async fn one(&self, message: &Message) -> Result<Receipt> {
        self.inner.state().alive(self.owner)?;
        self.inner.point("publish").await?;
        let rejected = |why: &str| Err(Error::new(ErrorKind::Rejected, why));
        let fault = self.inner.faults.publish();
        match fault {
            Some(PublishFault::Nacked) => return rejected("the broker refused the message (nack)"),
            Some(PublishFault::Returned) => return rejected("the broker routed the message to no queue"),
            Some(PublishFault::LostBefore) => return Err(ambiguous("publish")),
            Some(PublishFault::LostAfter) | None => {}
        }
        let taken = self.inner.state().publish(&self.route, self.outgoing(message), self.inner.clock.now());
        self.inner.arrived();
        if self.inner.point("published").await.is_err() || fault.is_some() {
            return Err(ambiguous("publish"));
        }
        match taken? {
            Taken::Stored(receipt) => Ok(receipt),
            Taken::Duplicate(_) => Err(Error::new(
                ErrorKind::Rejected,
                "the queue dropped the message: its deduplication id was used within the last 5 minutes",
            )
            .hint("give it a fresh message_deduplication_id")),
        }
    }
}

#[async_trait]
impl Publisher for MemoryPublisher {
    fn limits(&self) -> PublishLimits {
        self.limits
    }

    fn held_up(&self) -> Option<String> {
        self.inner.blocked()
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        let closed = self.closed.lock().await;
        self.inner.unblocked().await;
        let mut results = Vec::with_capacity(batch.len());
        for message in batch {
            results.push(if *closed {
                Err(Error::new(ErrorKind::Unexpected, "the publisher is closed"))
            } else {
                self.one(message).await
            });
        }
        results
    }

    async fn close(&self) -> Result<()> {
        let mut closed = self.closed.lock().await;
        if !*closed {
            *closed = true;
            self.inner.point("close").await?;
            self.inner.state().lose(self.owner, self.inner.clock.now());
        }
        Ok(())
    }
}

impl Drop for MemoryPublisher {
    fn drop(&mut self) {
        self.inner.state().lose(self.owner, self.inner.clock.now());
    }
}
