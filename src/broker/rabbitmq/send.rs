//! Batches through one channel: pipelined, mandatory, confirmed, and returns given to the right message.
//!
//! lapin attaches a returned message to whichever confirmation it completes next, so a single `Ack(None)` proves
//! nothing. It comes before its own message's confirmation, so once that is complete, the return sits on one that is
//! complete, too: of this batch, or of another on the channel. So a batch is judged when all its confirmations are here
//! and those of every other batch have been asked; all returns go into one book and are matched by content; only then
//! anything counts as arrived (`broker-facts.md` 1.5). Where a batch breaks and a return was among what came, or one
//! belongs to no message, acknowledgements prove nothing any more and become ambiguous.
//! Limits: batches are written one after the other (the caller sees to that) and judged in the same order.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::maybe_done;
use lapin::message::BasicReturnMessage;
use lapin::options::BasicPublishOptions;
use lapin::types::ShortString;
use lapin::{BasicProperties, Channel, Confirmation, PublisherConfirm};
use tokio::sync::Mutex;
use tokio::task::unconstrained;

use super::errors::explain;
use crate::error::{Error, ErrorKind};

/// Publishes that are polled together: one at a time waits for the socket each time.
const GROUP: usize = 100;
/// Whatever reaches no queue comes back.
const MANDATORY: BasicPublishOptions = BasicPublishOptions { mandatory: true, immediate: false };
/// How long the broker may be silent before the rest of a batch counts as unanswered.
pub(super) const SILENCE: Duration = Duration::from_secs(30);

/// Where messages go; one for all that go there.
#[derive(Debug)]
pub(super) struct Routing {
    pub(super) exchange: ShortString,
    pub(super) key: ShortString,
}

/// A message ready to go.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) routing: Arc<Routing>,
    pub(super) payload: Bytes,
    /// Given away when it is written: a copy for every message would be work that only one that comes back has use for.
    pub(super) properties: BasicProperties,
}

/// The properties of the message at a place of a batch, made once more: to tell it from its like where one comes back.
pub(super) type Again<'a> = &'a (dyn Fn(usize) -> Option<BasicProperties> + Sync);

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
    /// Each message's, in order, and where it went.
    pub(super) fates: Vec<(Arc<Routing>, Fate)>,
    /// Whether the channel can be used for another batch.
    pub(super) usable: bool,
    /// The broker's reply that closed the channel, where it did.
    pub(super) reply: Option<(u16, String)>,
}

/// A channel in confirm mode, and all that is on its way through it.
pub(super) struct Wire {
    channel: Channel,
    book: Mutex<Book>,
    /// Held while a batch waits for its confirmations: batches are judged in the order in which they were written.
    turn: Mutex<()>,
}

/// What is known of the batches on a wire.
#[derive(Default)]
struct Book {
    /// Batches that are being written, or wait for their turn.
    flights: VecDeque<Flight>,
    next: u64,
    /// Returned messages that are not matched yet.
    returns: Vec<BasicReturnMessage>,
    /// A message was returned at some time.
    returned: bool,
    /// A group is being written, or answers are being matched. Whoever was cut off there leaves returns nobody knows of.
    busy: bool,
    /// A batch waits for its answers; the same holds for it.
    waiting: bool,
    /// What came back can't be told apart any more.
    doubtful: bool,
}

/// A batch on its way.
struct Flight {
    number: u64,
    batch: Vec<Outgoing>,
    confirms: Vec<Option<PublisherConfirm>>,
    answers: Vec<Option<Answer>>,
    broken: Option<lapin::Error>,
}

/// A batch that was written.
#[derive(Clone, Copy)]
pub(super) struct Written(u64);

/// Sends a batch alone and waits for all answers.
pub(super) async fn send(channel: &Channel, batch: Vec<Outgoing>) -> Sent {
    let wire = Wire::new(channel.clone());
    let properties: Vec<_> = batch.iter().map(|out| out.properties.clone()).collect();
    let written = wire.write(batch).await;
    wire.judge(written, &|place| properties.get(place).cloned()).await
}

impl Wire {
    /// A wire over a channel that nothing else publishes on.
    pub(super) fn new(channel: Channel) -> Self {
        Self { channel, book: Mutex::default(), turn: Mutex::default() }
    }

    pub(super) fn channel(&self) -> &Channel {
        &self.channel
    }

    /// Waits until nothing that was written is unanswered.
    pub(super) async fn idle(&self) {
        // The lock is fair: whoever waited before has been judged.
        let _turn = self.turn.lock().await;
    }

    /// Puts a batch on the wire. To be called for one batch after the other, and never to be cut off.
    pub(super) async fn write(&self, batch: Vec<Outgoing>) -> Written {
        let many = batch.len();
        let number = {
            let mut book = self.book.lock().await;
            book.next += 1;
            let number = book.next;
            let (confirms, answers) = (Vec::with_capacity(many), Vec::with_capacity(many));
            book.flights.push_back(Flight { number, batch, confirms, answers, broken: None });
            number
        };
        for _ in 0..many.div_ceil(GROUP) {
            // Held while a group is written: its confirmations can be complete before they are in the book.
            let mut book = self.book.lock().await;
            book.begin();
            if let Some(flight) = book.flights.iter_mut().find(|flight| flight.number == number) {
                flight.write(&self.channel).await;
            }
            book.busy = false;
        }
        Written(number)
    }

    /// Waits for all answers to a batch that was written, and says what became of each message. Never to be cut off.
    pub(super) async fn judge(&self, written: Written, again: Again<'_>) -> Sent {
        let _turn = self.turn.lock().await;
        let taken = {
            let mut book = self.book.lock().await;
            // The turn is ours, so whoever waited before was cut off.
            book.doubtful |= book.waiting;
            book.waiting = true;
            let at = book.flights.iter().position(|flight| flight.number == written.0);
            at.and_then(|at| book.flights.remove(at))
        };
        // Each batch is judged once, so it is there; were it not, `waiting` would leave the rest in doubt.
        let Some(mut flight) = taken else {
            return Sent { fates: Vec::new(), usable: false, reply: None };
        };
        let mut returns = Vec::new();
        flight.finish(&mut returns).await;
        let mut book = self.book.lock().await;
        book.waiting = false;
        book.begin();
        book.take_in(returns);
        let mut others = Vec::new();
        for other in &mut book.flights {
            other.sweep(&mut others);
        }
        book.take_in(others);
        let broken = flight.broken.as_ref();
        let reply = broken.and_then(super::errors::reply);
        let returned = book.assign(&flight.batch, again);
        let doubtful = book.doubtful || (broken.is_some() && book.returned);
        let usable = broken.is_none() && !book.doubtful && self.channel.status().connected();
        book.busy = false;
        let fates = fates(&flight.answers, returned, doubtful, broken);
        let fates = flight.batch.into_iter().map(|out| out.routing).zip(fates).collect();
        Sent { fates, usable, reply }
    }
}

impl Book {
    /// A step begins; one that was cut off before it leaves everything in doubt.
    fn begin(&mut self) {
        self.doubtful |= self.busy;
        self.busy = true;
    }

    fn take_in(&mut self, returns: Vec<BasicReturnMessage>) {
        self.returned |= !returns.is_empty();
        self.returns.extend(returns);
    }

    /// Gives the returns of a batch to its messages. What fits none of the batches on the wire leaves a doubt.
    fn assign(&mut self, batch: &[Outgoing], again: Again<'_>) -> Vec<Option<String>> {
        let (assigned, rest, unclear) = assign(batch, std::mem::take(&mut self.returns), again);
        let fits = |message: &BasicReturnMessage| self.flights.iter().any(|flight| flight.holds(message));
        self.doubtful |= unclear || !rest.iter().all(fits);
        self.returns = rest;
        assigned
    }
}

impl Flight {
    /// Publishes the next of its messages.
    async fn write(&mut self, channel: &Channel) {
        let group = self.batch.iter_mut().skip(self.confirms.len()).take(GROUP);
        let many = group.len();
        if self.broken.is_some() {
            self.confirms.extend((0..many).map(|_| None));
            self.answers.extend((0..many).map(|_| Some(Answer::NotSent)));
            return;
        }
        let publishes = group.map(|out| {
            let Routing { exchange, key } = &*out.routing;
            let properties = std::mem::take(&mut out.properties);
            channel.basic_publish(exchange.clone(), key.clone(), MANDATORY, &out.payload, properties)
        });
        let Ok(sent) = tokio::time::timeout(SILENCE, together(publishes)).await else {
            // The socket takes nothing: what is in lapin's buffer may still go out.
            self.broken = Some(timed_out());
            self.confirms.extend((0..many).map(|_| None));
            self.answers.extend((0..many).map(|_| Some(Answer::Unknown)));
            return;
        };
        for one in sent {
            match one {
                Ok(confirm) => {
                    self.confirms.push(Some(confirm));
                    self.answers.push(None);
                }
                Err(error) => {
                    self.confirms.push(None);
                    self.answers.push(Some(Answer::Unknown));
                    self.broken = Some(error);
                }
            }
        }
    }

    /// Waits for every answer that is still to come.
    async fn finish(&mut self, returns: &mut Vec<BasicReturnMessage>) {
        for (confirm, answer) in self.confirms.iter_mut().zip(&mut self.answers) {
            let Some(mut confirm) = confirm.take() else { continue };
            let said = match unconstrained(&mut confirm).now_or_never() {
                None if self.broken.is_none() => tokio::time::timeout(SILENCE, &mut confirm).await.ok(),
                // It is here; or one before it was not answered in time, and the others are asked without waiting.
                here => here,
            };
            *answer = Some(said.map_or(Answer::Unknown, |said| read(said, &mut self.broken, returns)));
            if *answer == Some(Answer::Unknown) {
                self.broken.get_or_insert_with(timed_out);
            }
        }
    }

    /// Takes the answers that are here. Unconstrained, for a budget that is used up looks like no answer.
    fn sweep(&mut self, returns: &mut Vec<BasicReturnMessage>) {
        for (slot, answer) in self.confirms.iter_mut().zip(&mut self.answers) {
            let Some(confirm) = slot else { continue };
            if let Some(said) = unconstrained(confirm).now_or_never() {
                *answer = Some(read(said, &mut self.broken, returns));
                *slot = None;
            }
        }
    }

    /// Whether a returned message can be one of these.
    fn holds(&self, message: &BasicReturnMessage) -> bool {
        self.batch.iter().any(|out| content(out) == content_of(message))
    }
}

/// Begins all of these in their order, and gives their results in it. Publishes end in the order in which they began, so
/// the last one is waited for first: its end wakes once, where the ends of all would wake for each.
async fn together<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(|one| Box::pin(maybe_done(one))).collect();
    for one in &mut all {
        _ = one.now_or_never();
    }
    for one in all.iter_mut().rev() {
        one.await;
    }
    all.iter_mut().filter_map(|one| one.as_mut().take_output()).collect()
}

fn timed_out() -> lapin::Error {
    lapin::ErrorKind::IOError(std::sync::Arc::new(std::io::ErrorKind::TimedOut.into())).into()
}

/// An answer; the message that came with it goes to the returns.
fn read(
    said: lapin::Result<Confirmation>,
    broken: &mut Option<lapin::Error>,
    returns: &mut Vec<BasicReturnMessage>,
) -> Answer {
    match said {
        Ok(Confirmation::Ack(returned)) => {
            returns.extend(returned);
            Answer::Ack
        }
        Ok(Confirmation::Nack(returned)) => {
            returns.extend(returned);
            Answer::Nack
        }
        Ok(Confirmation::NotRequested) => Answer::Unconfirmed,
        Err(error) => {
            broken.get_or_insert(error);
            Answer::Unknown
        }
    }
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
fn fates(
    answers: &[Option<Answer>],
    returned: Vec<Option<String>>,
    doubtful: bool,
    broken: Option<&lapin::Error>,
) -> Vec<Fate> {
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
            // What the broker refused is another message: this one only lost its channel.
            (Answer::NotSent, _) => Fate::NotSent(match cause() {
                error if error.kind() == ErrorKind::Rejected => {
                    Error::new(ErrorKind::Unreachable, "the channel was lost before the message was sent")
                        .because(error)
                }
                error => error,
            }),
        })
        .collect()
}

/// What a message is recognised by: exchange, key and body.
type Content<'a> = (&'a str, &'a str, &'a [u8]);

fn content(out: &Outgoing) -> Content<'_> {
    (out.routing.exchange.as_str(), out.routing.key.as_str(), &out.payload)
}

fn content_of(message: &BasicReturnMessage) -> Content<'_> {
    let delivery = &message.delivery;
    (delivery.exchange.as_str(), delivery.routing_key.as_str(), delivery.data.as_slice())
}

/// Matches returns to messages by exchange, key, body and, where there is a choice, properties. Equal messages are
/// interchangeable. What is left belongs to other batches; says, too, whether one could be meant for several here.
fn assign(
    batch: &[Outgoing],
    returns: Vec<BasicReturnMessage>,
    again: Again<'_>,
) -> (Vec<Option<String>>, Vec<BasicReturnMessage>, bool) {
    let mut assigned: Vec<Option<String>> = batch.iter().map(|_| None).collect();
    if returns.is_empty() {
        return (assigned, returns, false);
    }
    let mut places: HashMap<Content<'_>, Vec<usize>> = HashMap::new();
    for (index, out) in batch.iter().enumerate() {
        places.entry(content(out)).or_default().push(index);
    }
    let mut rest = Vec::new();
    let mut unclear = false;
    for (number, message) in returns.iter().enumerate() {
        let Some(candidates) = places.get_mut(&content_of(message)).filter(|candidates| !candidates.is_empty()) else {
            rest.push(number);
            continue;
        };
        let same = candidates
            .iter()
            .position(|index| again(*index).is_some_and(|properties| properties == message.delivery.properties));
        // The broker may write a property another way; then the body alone decides, unless several could be meant.
        let Some(at) = same.or_else(|| (candidates.len() == 1).then_some(0)) else {
            unclear = true;
            rest.push(number);
            continue;
        };
        let index = candidates.remove(at);
        if let Some(place) = assigned.get_mut(index) {
            *place = Some(format!("{} {}", message.reply_code, message.reply_text));
        }
    }
    drop(places);
    let mut number = 0;
    let mut rest = rest.into_iter().peekable();
    let rest = returns.into_iter().filter(|_| {
        number += 1;
        rest.next_if_eq(&(number - 1)).is_some()
    });
    let rest = rest.collect();
    (assigned, rest, unclear)
}

#[cfg(test)]
mod tests {
    use lapin::message::Delivery;
    use lapin::types::{AMQPValue, FieldTable};

    use super::*;

    fn numbered(number: i64) -> BasicProperties {
        let mut headers = FieldTable::default();
        headers.insert("n".into(), AMQPValue::LongLongInt(number));
        BasicProperties::default().with_headers(headers)
    }

    fn returned(properties: BasicProperties) -> BasicReturnMessage {
        let delivery =
            Delivery { properties, ..Delivery::mock(0, "shop".into(), "order".into(), false, b"{}".to_vec()) };
        BasicReturnMessage { delivery, reply_code: 312, reply_text: "NO_ROUTE".into() }
    }

    #[test]
    fn of_messages_that_only_their_properties_tell_apart_the_right_one_came_back() {
        let routing = Arc::new(Routing { exchange: "shop".into(), key: "order".into() });
        let out = |_| Outgoing {
            routing: Arc::clone(&routing),
            payload: Bytes::from_static(b"{}"),
            // Given away already.
            properties: BasicProperties::default(),
        };
        let batch: Vec<Outgoing> = (0..3).map(out).collect();
        let again = |place: usize| i64::try_from(place).ok().map(numbered);
        let (assigned, rest, unclear) = assign(&batch, vec![returned(numbered(1))], &again);
        assert_eq!(assigned, [None, Some("312 NO_ROUTE".to_owned()), None]);
        assert!(rest.is_empty() && !unclear);
        let (assigned, rest, unclear) = assign(&batch, vec![returned(numbered(7))], &again);
        assert_eq!((assigned, rest.len(), unclear), (vec![None, None, None], 1, true), "it could be any of them");
    }
}
