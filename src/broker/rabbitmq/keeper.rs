//! Watches over what is held: which messages must not go back, and that they are put back as copies in time.
//!
//! Every delivery passes [`Keeper::inspect`] before anything else happens to it, also those that are only returned
//! again. Limits: a message at its limit is in danger from its delivery until its rescue, some milliseconds; only a
//! prefetch of one keeps that danger to a single message, which is how a read of a counting queue begins.

use std::sync::Arc;

use bytes::Bytes;
use lapin::Channel;
use lapin::message::Delivery;

use super::Shared;
use super::convert::delivery_count;
use super::facts::{Facts, Guard};
use super::feed::Step;
use super::rescue::{Endangered, Rescued, rescue};
use crate::error::{Error, Result};

/// The watch over one reader's messages.
pub(super) struct Keeper {
    shared: Arc<Shared>,
    queue: String,
    guard: Guard,
    endangered: Vec<Endangered>,
    rescuing: Step<Rescued>,
    /// The channel of the last copies, for the next ones.
    publishing: Option<Channel>,
    /// Copies made so far.
    pub(super) rescued: u64,
    /// What the operator should know of them.
    pub(super) notes: Vec<String>,
}

impl Keeper {
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(super) fn new(shared: Arc<Shared>, facts: &Facts) -> Self {
        Self {
            shared,
            queue: facts.name.clone(),
            guard: facts.guard(),
            endangered: Vec::new(),
            rescuing: Step::default(),
            publishing: None,
            rescued: 0,
            notes: Vec::new(),
        }
    }

    /// Whether a delivery must not go back; it is then kept for the rescue.
    pub(super) fn inspect(&mut self, delivery: &Delivery) -> bool {
        let forbidden = self.guard.forbids(delivery_count(&delivery.properties));
        if forbidden {
            self.endangered.push(Endangered {
                tag: delivery.delivery_tag,
                properties: delivery.properties.clone(),
                payload: Bytes::copy_from_slice(&delivery.data),
            });
        }
        forbidden
    }

    /// Whether there is something to rescue.
    pub(super) fn is_alarmed(&self) -> bool {
        !self.endangered.is_empty() || self.rescuing.is_pending()
    }

    /// The tags that wait for their rescue.
    pub(super) fn tags(&self) -> impl Iterator<Item = u64> + '_ {
        self.endangered.iter().map(|message| message.tag)
    }

    /// Puts copies of all endangered messages back. Says how many; what failed stays endangered. Cancel safe.
    ///
    /// # Errors
    /// Why a copy could not be made.
    pub(super) async fn rescue(&mut self, channel: &Channel) -> Result<u64> {
        let (shared, channel, queue) = (Arc::clone(&self.shared), channel.clone(), self.queue.clone());
        let (messages, publishing) = (self.endangered.clone(), self.publishing.take());
        let rescued = self.rescuing.run(move || rescue(shared, channel, publishing, queue, messages)).await?;
        self.publishing = rescued.publishing;
        self.endangered.retain(|message| !rescued.tags.contains(&message.tag));
        let count = rescued.tags.len() as u64;
        self.rescued += count;
        self.notes.extend(rescued.notes.into_iter().filter(|note| !self.notes.contains(note)).collect::<Vec<_>>());
        match rescued.failed {
            Some(error) => Err(self.failed(&error)),
            None => Ok(count),
        }
    }

    fn failed(&self, cause: &Error) -> Error {
        Error::new(
            cause.kind(),
            format!(
                "{} messages of {:?} are at their delivery limit, and could not be put back as copies: {cause}",
                self.endangered.len(),
                self.queue
            ),
        )
        .hint(format!(
            "raise the limit first: rabbitmqctl set_policy postroom '^{}$' '{{\"delivery-limit\": -1}}' --apply-to quorum_queues",
            self.queue
        ))
    }
}

/// What a reader says when it stops for the sake of the messages behind.
pub(super) fn stopped(rescue: &str) -> String {
    format!(
        "stopped at a message at its delivery limit: a return would destroy it, so it was put back as a new copy at the \
         tail; --rescue {rescue}"
    )
}
