//! One batch through one channel: pipelined, mandatory, confirmed, and returns given to the right message.
//!
//! lapin attaches a returned message to whichever confirmation it completes next, so a single `Ack(None)` proves
//! nothing. Here every confirmation of a batch is awaited, all returns are collected, and each is matched to its
//! message by content; only then anything counts as arrived (`broker-facts.md` 1.5). Where a batch breaks and a
//! return was among what came, the other acknowledgements prove nothing either and become ambiguous.
//! Limits: one batch at a time on a channel; the caller sees to that.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};

use super::errors::explain;
use crate::error::{Error, ErrorKind};

/// Publishes that are polled together: one at a time waits for the socket each time.
const GROUP: usize = 100;
/// How long the broker may be silent before the rest of a batch counts as unanswered.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// A message ready to go.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
    pub(super) properties: BasicProperties,
    pub(super) payload: Bytes,
}

/// What became of one message.
#[derive(Debug)]
pub(super) enum Fate {
    /// Confirmed and routed.
    Arrived,
    /// The broker gave it back: no queue for it. Its reply.
    Returned(String),
    /// The broker refused it (a full queue, no quorum).
    Nacked,
    /// Sent, and no answer that proves anything.
    Ambiguous(Error),
    /// Never sent.
    NotSent(Error),
}

/// What a batch became.
pub(super) struct Sent {
    /// One for each message, in order.
    pub(super) fates: Vec<Fate>,
    /// Whether the channel can be used for another batch.
    pub(super) usable: bool,
    /// The broker's reply that closed the channel, where it did.
    pub(super) reply: Option<(u16, String)>,
}

/// Sends a batch and waits for all answers.
pub(super) async fn send(channel: &Channel, batch: &[Outgoing]) -> Sent {
    let mut answers: Vec<Option<Answer>> = Vec::with_capacity(batch.len());
    let mut broken: Option<lapin::Error> = None;
    let mut confirms: Vec<Option<PublisherConfirm>> = Vec::with_capacity(batch.len());
    for group in batch.chunks(GROUP) {
        if broken.is_some() {
            confirms.extend(group.iter().map(|_| None));
            answers.extend(group.iter().map(|_| Some(Answer::NotSent)));
            continue;
        }
        let options = BasicPublishOptions { mandatory: true, immediate: false };
        let publishes = group.iter().map(|out| {
            channel.basic_publish(out.exchange.clone(), out.key.clone(), options, &out.payload, out.properties.clone())
        });
        let Ok(sent) = tokio::time::timeout(SILENCE, join_all(publishes)).await else {
            // The socket takes nothing: what is in lapin's buffer may still go out.
            broken = Some(lapin::ErrorKind::IOError(std::sync::Arc::new(std::io::ErrorKind::TimedOut.into())).into());
            confirms.extend(group.iter().map(|_| None));
            answers.extend(group.iter().map(|_| Some(Answer::Unknown)));
            continue;
        };
        for one in sent {
            match one {
                Ok(confirm) => {
                    confirms.push(Some(confirm));
                    answers.push(None);
                }
                Err(error) => {
                    confirms.push(None);
                    answers.push(Some(Answer::Unknown));
                    broken = Some(error);
                }
            }
        }
    }
    let mut returns = Vec::new();
    for (confirm, answer) in confirms.into_iter().zip(&mut answers) {
        let Some(mut confirm) = confirm else { continue };
        // Once one was not answered in time, the others are asked without waiting.
        let said = if broken.is_some() {
            (&mut confirm).now_or_never()
        } else {
            tokio::time::timeout(SILENCE, &mut confirm).await.ok()
        };
        *answer = Some(match said {
            Some(Ok(Confirmation::Ack(returned))) => {
                returns.extend(returned);
                Answer::Ack
            }
            Some(Ok(Confirmation::Nack(returned))) => {
                returns.extend(returned);
                Answer::Nack
            }
            Some(Ok(Confirmation::NotRequested)) => Answer::Unconfirmed,
            Some(Err(error)) => {
                broken.get_or_insert(error);
                Answer::Unknown
            }
            None => {
                broken.get_or_insert_with(|| {
                    lapin::ErrorKind::IOError(std::sync::Arc::new(std::io::ErrorKind::TimedOut.into())).into()
                });
                Answer::Unknown
            }
        });
    }
    let reply = broken.as_ref().and_then(super::errors::reply);
    let usable = broken.is_none() && channel.status().connected();
    let fates = judge(batch, &answers, &returns, broken.as_ref());
    Sent { fates, usable, reply }
}

/// What the broker said of one message alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    Ack,
    Nack,
    Unconfirmed,
    Unknown,
    NotSent,
}

/// The fates of a batch from all that was said about it.
fn judge(
    batch: &[Outgoing],
    answers: &[Option<Answer>],
    returns: &[BasicReturnMessage],
    broken: Option<&lapin::Error>,
) -> Vec<Fate> {
    let (returned, unmatched) = assign(batch, returns);
    let cause = || match broken {
        Some(error) => explain("publishing", error),
        None => Error::new(ErrorKind::Unexpected, "the broker gave no answer"),
    };
    let ambiguous = |why: &str| {
        let error =
            Error::new(ErrorKind::Ambiguous, why.to_owned()).hint("the message may have arrived; the original stays");
        match broken {
            Some(error_) => error.because(explain("publishing", error_)),
            None => error,
        }
    };
    let doubtful = unmatched || (broken.is_some() && !returns.is_empty());
    answers
        .iter()
        .zip(returned)
        .map(|(answer, returned)| match (answer.unwrap_or(Answer::Unknown), returned) {
            // A return proves where the message is not, even without its confirmation.
            (Answer::Ack | Answer::Nack | Answer::Unknown, Some(why)) => Fate::Returned(why),
            (Answer::Nack, None) => Fate::Nacked,
            (Answer::Ack, None) if !doubtful => Fate::Arrived,
            (Answer::Ack, None) => {
                Fate::Ambiguous(ambiguous("others of the batch came back, and which ones is not certain"))
            }
            (Answer::Unknown, None) => Fate::Ambiguous(ambiguous("the broker's answer to the publish was lost")),
            (Answer::Unconfirmed, _) => Fate::Ambiguous(Error::new(
                ErrorKind::Unexpected,
                "the channel is not in confirm mode, so nothing says that the message arrived",
            )),
            (Answer::NotSent, _) => Fate::NotSent(cause()),
        })
        .collect()
}

/// Matches returns to messages by exchange, key, body and, where there is a choice, properties. Equal messages are
/// interchangeable. Says, too, whether a return belongs to none.
fn assign(batch: &[Outgoing], returns: &[BasicReturnMessage]) -> (Vec<Option<String>>, bool) {
    let mut assigned: Vec<Option<String>> = batch.iter().map(|_| None).collect();
    if returns.is_empty() {
        return (assigned, false);
    }
    let mut places: HashMap<(&str, &str, &[u8]), Vec<usize>> = HashMap::new();
    for (index, out) in batch.iter().enumerate() {
        places.entry((out.exchange.as_str(), out.key.as_str(), &out.payload)).or_default().push(index);
    }
    let mut unmatched = false;
    for message in returns {
        let key = (
            message.delivery.exchange.as_str(),
            message.delivery.routing_key.as_str(),
            message.delivery.data.as_slice(),
        );
        let why = format!("{} {}", message.reply_code, message.reply_text);
        let Some(candidates) = places.get_mut(&key) else {
            unmatched = true;
            continue;
        };
        let same = candidates
            .iter()
            .position(|index| batch.get(*index).is_some_and(|out| out.properties == message.delivery.properties));
        // The broker may write a property another way; then the body alone decides, unless several could be meant.
        let Some(at) = same.or_else(|| (candidates.len() == 1).then_some(0)) else {
            unmatched = true;
            continue;
        };
        let index = candidates.remove(at);
        if let Some(place) = assigned.get_mut(index) {
            *place = Some(why);
        }
    }
    (assigned, unmatched)
}
