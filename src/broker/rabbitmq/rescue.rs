//! The rescue: a message that a return would destroy is put back as a new copy at the tail, then acknowledged.
//!
//! The copy goes to the queue itself (default exchange, mandatory, confirmed) with all headers and properties but the
//! counters, which start anew; the original is acknowledged only when the copy is confirmed. Limits: the copy stands
//! at the tail and its routing key is the queue's name; what the broker would refuse (a foreign `user_id`) or route
//! elsewhere (`CC`) is left out of it and told.

use std::sync::Arc;

use bytes::Bytes;
use lapin::options::BasicAckOptions;
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel};

use super::Shared;
use super::errors::{answer, short};
use super::learn;
use super::publish::{confirming, unblocked};
use super::send::{Fate, Outgoing, Routing, send};
use crate::error::{Error, ErrorKind, Result};

/// Headers that the copy does not carry.
const DROPPED: [&str; 4] = ["x-delivery-count", "x-acquired-count", "CC", "BCC"];

/// A held message that must not go back by itself.
#[derive(Clone, Debug)]
pub(super) struct Endangered {
    pub(super) tag: u64,
    pub(super) properties: BasicProperties,
    pub(super) payload: Bytes,
}

/// What a rescue did.
#[derive(Debug, Default)]
pub(super) struct Rescued {
    /// The tags of the originals that are gone from the queue, their copies confirmed.
    pub(super) tags: Vec<u64>,
    /// Why others could not be rescued.
    pub(super) failed: Option<Error>,
    /// What the copies lack.
    pub(super) notes: Vec<String>,
    /// The channel that published them, where it can be used again.
    pub(super) publishing: Option<Channel>,
}

/// Puts copies of these at the tail of their queue and acknowledges the originals on the channel that holds them.
///
/// # Errors
/// None is lost in a result: what could not be rescued stays held, and [`Rescued::failed`] says why.
pub(super) async fn rescue(
    shared: Arc<Shared>,
    holding: Channel,
    publishing: Option<Channel>,
    queue: String,
    messages: Vec<Endangered>,
) -> Rescued {
    let mut rescued = Rescued { publishing, ..Rescued::default() };
    if let Err(error) = attempt(&shared, &holding, &queue, &messages, &mut rescued).await {
        rescued.failed.get_or_insert(error);
    }
    rescued
}

async fn attempt(
    shared: &Shared,
    holding: &Channel,
    queue: &str,
    messages: &[Endangered],
    rescued: &mut Rescued,
) -> Result<()> {
    let key = short("queue name", queue)?;
    let link = shared.publishing().await?;
    unblocked(&link).await?;
    let channel = match rescued.publishing.take() {
        Some(channel) if channel.status().connected() => channel,
        _ => confirming(&link).await?,
    };
    let routing = Arc::new(Routing { exchange: ShortString::default(), key });
    let copies = messages.iter().map(|message| copy(shared, &routing, message, &mut rescued.notes)).collect();
    let sent = send(&channel, copies).await;
    for (message, (_, fate)) in messages.iter().zip(sent.fates) {
        match fate {
            Fate::Arrived => {
                let ack = holding.basic_ack(message.tag, BasicAckOptions::default());
                answer("acknowledging a rescued message", ack).await?;
                rescued.tags.push(message.tag);
            }
            Fate::Ambiguous(error) | Fate::NotSent(error) => _ = rescued.failed.get_or_insert(error),
            Fate::Returned(why) => {
                rescued.failed.get_or_insert_with(|| {
                    Error::new(ErrorKind::Rejected, format!("the queue {queue:?} can't be reached by its name: {why}"))
                });
            }
            Fate::Nacked => {
                rescued.failed.get_or_insert_with(|| {
                    Error::new(ErrorKind::Rejected, format!("the queue {queue:?} is full and refuses the copy"))
                });
            }
        }
    }
    rescued.publishing = sent.usable.then_some(channel);
    // The acknowledgements are in when this is answered.
    learn::count(holding, queue).await?;
    Ok(())
}

/// The copy of a message.
fn copy(shared: &Shared, routing: &Arc<Routing>, message: &Endangered, notes: &mut Vec<String>) -> Outgoing {
    let mut note = |text: &str| {
        if !notes.iter().any(|there| there == text) {
            notes.push(text.to_owned());
        }
    };
    let mut properties = message.properties.clone();
    if let Some(headers) = message.properties.headers() {
        let mut kept = headers.inner().clone();
        if kept.contains_key("CC") || kept.contains_key("BCC") {
            note("copies carry no CC header: the broker would have sent them to more queues");
        }
        kept.retain(|name, _| !DROPPED.contains(&name.as_str()));
        properties = properties.with_headers(FieldTable::from(kept));
    }
    if properties.user_id().as_ref().is_some_and(|user| shared.login.user() != Some(user.as_str())) {
        note("copies carry no user_id: the broker takes only that of the user we log in as");
        properties = without_user(&properties);
    }
    Outgoing { routing: Arc::clone(routing), payload: message.payload.clone(), properties }
}

/// The same properties without the user.
fn without_user(from: &BasicProperties) -> BasicProperties {
    fn set<T: Clone>(
        to: BasicProperties,
        value: Option<&T>,
        with: impl Fn(BasicProperties, T) -> BasicProperties,
    ) -> BasicProperties {
        match value {
            Some(value) => with(to, value.clone()),
            None => to,
        }
    }
    let mut to = BasicProperties::default();
    to = set(to, from.content_type().as_ref(), BasicProperties::with_content_type);
    to = set(to, from.content_encoding().as_ref(), BasicProperties::with_content_encoding);
    to = set(to, from.headers().as_ref(), BasicProperties::with_headers);
    to = set(to, from.delivery_mode().as_ref(), BasicProperties::with_delivery_mode);
    to = set(to, from.priority().as_ref(), BasicProperties::with_priority);
    to = set(to, from.correlation_id().as_ref(), BasicProperties::with_correlation_id);
    to = set(to, from.reply_to().as_ref(), BasicProperties::with_reply_to);
    to = set(to, from.expiration().as_ref(), BasicProperties::with_expiration);
    to = set(to, from.message_id().as_ref(), BasicProperties::with_message_id);
    to = set(to, from.timestamp().as_ref(), BasicProperties::with_timestamp);
    to = set(to, from.kind().as_ref(), BasicProperties::with_type);
    to = set(to, from.app_id().as_ref(), BasicProperties::with_app_id);
    set(to, from.cluster_id().as_ref(), BasicProperties::with_cluster_id)
}
