//! Publishing to one queue or exchange: mandatory, confirmed, and never a surprise for the broker.
//!
//! What would close the channel or route a copy elsewhere is refused beforehand, so that one odd message can't make
//! its neighbours ambiguous. One batch after the other is written to one channel, so that messages arrive in the order
//! of the calls; the next is written while the confirms of the last are on their way. The first message of a publisher
//! goes alone: whether the user may publish here at all is told by it. Limits: nothing is sent twice by itself, and a
//! lost channel is replaced for the next batch only.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, ExchangeKind};
use tokio::sync::Mutex;

use super::connection::{Link, close_quietly};
use super::errors::{answer, short};
use super::send::{Fate, Outgoing, Routing, Wire};
use super::{Shared, convert, learn};
use crate::broker::{HeaderTypes, PublishLimits, Publisher, Receipt, Right, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Fields, Message};

/// The default `max_message_size` since 4.0. What is larger may close the channel, so it goes alone.
const LARGE: usize = 16 * 1024 * 1024;
/// Copies on their way to a quorum queue: with twice as many, RabbitMQ 4.0 needs half as much again of its processor for
/// the same messages (100,000 of 1 KiB: 9.3 s of it with 3,000 on their way, 5.6 s with 1,500).
const IN_FLIGHT: u64 = 1500;
/// How long to wait for a broker that blocks publishers before saying so.
const BLOCKED: Duration = Duration::from_secs(10);
/// The longest `expiration` RabbitMQ takes, in milliseconds.
const LONGEST_EXPIRATION: u64 = 315_360_000_000;
/// Headers that only the broker may set, as the reader saw them on delivery.
const BROKER_HEADERS: [&str; 3] = ["x-delivery-count", "x-acquired-count", "x-stream-offset"];

/// What a publisher takes.
pub(super) fn limits(max_bytes: Option<u64>) -> PublishLimits {
    PublishLimits {
        confirm: true,
        max_bytes,
        max_batch: None,
        in_flight: Some(IN_FLIGHT),
        max_headers: None,
        header_types: HeaderTypes::Amqp,
        null_payload: false,
        key: false,
        duplicate_headers: false,
    }
}

/// A channel in confirm mode and the connection it lives on.
#[derive(Clone)]
struct Pooled {
    wire: Arc<Wire>,
    link: Arc<Link>,
}

/// Where a publisher's batches go out.
enum Outlet {
    /// No channel is open.
    Shut,
    /// The channel; batches may be on their way through it.
    Open(Pooled),
    /// The publisher is closed.
    Closed,
}

/// A publisher to one target.
pub(super) struct RabbitPublisher {
    shared: Arc<Shared>,
    /// Where messages go that have no key of their own, or whose own does not count.
    routing: Arc<Routing>,
    /// Whether each message's own key counts.
    own_keys: bool,
    /// Whether the target is known to be a stream.
    stream: bool,
    /// Held while a batch is written: the lock is fair, so batches go out as they were called.
    outlet: Mutex<Outlet>,
    /// The broker's `max_message_size`, once it has refused a message for it; 0 before.
    max: AtomicU64,
    /// Whether a message has arrived at all.
    proven: AtomicBool,
}

/// A channel for confirmed publishes.
pub(super) async fn confirming(link: &Link) -> Result<Channel> {
    let channel = link.channel().await?;
    answer("asking for confirms", channel.confirm_select(ConfirmSelectOptions::default())).await?;
    Ok(channel)
}

/// How long a broker may take to say whether a user may publish; one that lets publishers wait says nothing.
const PERMISSION: Duration = Duration::from_secs(2);

/// Refuses a target that the user may not write to. The broker checks a publish when it comes, also within a transaction,
/// and a transaction that is rolled back sends nothing. What can't be learned so is learned from the first message.
/// A broker that lets publishers wait reads nothing more on this connection, so that nothing after it is waited for.
async fn may_publish(channel: &Channel, exchange: &ShortString, key: Option<&ShortString>) -> Result<Right> {
    let asked = async {
        channel.tx_select().await?;
        let (key, options) = (key.cloned().unwrap_or_default(), BasicPublishOptions::default());
        channel.basic_publish(exchange.clone(), key, options, &[], BasicProperties::default()).await?;
        channel.tx_rollback().await
    };
    let refused = match tokio::time::timeout(PERMISSION, answer("asking for the permission to publish", asked)).await {
        Ok(Err(error)) if error.kind() == ErrorKind::Denied => error,
        Ok(Ok(())) => return Ok(Right::Given),
        Ok(Err(error)) => return Ok(Right::Unknown(error.to_string())),
        Err(_) => {
            return Ok(Right::Unknown("the broker gives no answer, as where it lets publishers wait".to_owned()));
        }
    };
    // A topic exchange may allow some keys and not others, and which ones come is not known yet.
    if refused.to_string().contains("to topic") {
        return Ok(Right::Unknown("it hangs on each message's routing key".to_owned()));
    }
    Err(refused)
}

impl RabbitPublisher {
    /// Verifies that the target exists; creates nothing.
    ///
    /// # Errors
    /// `NotFound`, `Locked`, `Denied`, `Unreachable`.
    pub(super) async fn open(shared: Arc<Shared>, target: &Target) -> Result<Self> {
        let link = shared.publishing().await?;
        let channel = link.channel().await?;
        let mut stream = false;
        let (exchange, key) = match target {
            Target::Queue { name, partition: None } => {
                let (counted, row) = tokio::join!(learn::count(&channel, name), shared.management.queue(name));
                counted?;
                stream = matches!(row, Ok(Some(row)) if row.kind == "stream");
                (ShortString::default(), Some(short("queue name", name)?))
            }
            Target::Queue { partition: Some(_), .. } => {
                return Err(Error::new(ErrorKind::Usage, "a RabbitMQ queue has no partitions"));
            }
            Target::Exchange { name, routing_key } => {
                let exchange = short("exchange name", name)?;
                let options = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
                let declared =
                    channel.exchange_declare(exchange.clone(), ExchangeKind::Direct, options, FieldTable::default());
                answer(&format!("looking at the exchange {name:?}"), declared).await?;
                let key = routing_key.as_deref().map(|key| short("routing key", key)).transpose()?;
                (exchange, key)
            }
        };
        let right = may_publish(&channel, &exchange, key.as_ref()).await?;
        let answered = !matches!(right, Right::Unknown(_));
        shared.rights.lock().unwrap_or_else(PoisonError::into_inner).insert(target.clone(), right);
        // Where publishers are held up, the answer to a close is, too.
        if answered {
            close_quietly(&channel).await;
        } else {
            tokio::spawn(async move { close_quietly(&channel).await });
        }
        Ok(Self {
            shared,
            own_keys: key.is_none(),
            routing: Arc::new(Routing { exchange, key: key.unwrap_or_default() }),
            stream,
            outlet: Mutex::new(Outlet::Shut),
            max: AtomicU64::new(0),
            proven: AtomicBool::new(false),
        })
    }

    fn max_bytes(&self) -> Option<u64> {
        Some(self.max.load(Ordering::Relaxed)).filter(|max| *max > 0)
    }

    /// The message as it goes out.
    ///
    /// # Errors
    /// `Rejected` for what AMQP can't carry and for what the broker would refuse or route twice.
    fn outgoing(&self, message: &Message) -> Result<Outgoing> {
        let rejected = |why: &str| Error::new(ErrorKind::Rejected, why.to_owned());
        let payload = message.payload.clone().ok_or_else(|| {
            rejected("the payload is null, and AMQP knows only an empty one").hint("edit it to an empty body")
        })?;
        if let Some(max) = self.max_bytes().filter(|max| payload.len() as u64 > *max) {
            return Err(rejected(&format!("the message has {} bytes; the broker takes at most {max}", payload.len())));
        }
        let routing = match message.key.as_ref().filter(|_| self.own_keys) {
            None => Arc::clone(&self.routing),
            Some(key) => {
                let key = std::str::from_utf8(key).map_err(|_| rejected("the routing key is not UTF-8"))?;
                let key = convert::short("the routing key", key)?;
                Arc::new(Routing { exchange: self.routing.exchange.clone(), key })
            }
        };
        let mut properties = if message.headers.iter().any(|(name, _)| BROKER_HEADERS.contains(&name.as_str())) {
            let mut stripped = message.clone();
            stripped.headers.retain(|name, _| !BROKER_HEADERS.contains(&name));
            convert::properties(&stripped)?
        } else {
            convert::properties(message)?
        };
        self.admissible(&message.headers, &properties)?;
        if properties.delivery_mode().is_none() {
            // Without it a confirmed message is gone after a restart.
            properties = properties.with_delivery_mode(2);
        }
        Ok(Outgoing { routing, payload, properties })
    }

    /// Refuses what RabbitMQ would answer by closing the channel, or would send to more queues than meant.
    fn admissible(&self, headers: &Fields, properties: &BasicProperties) -> Result<()> {
        let rejected = |why: String| Error::new(ErrorKind::Rejected, why);
        if let Some(name) = ["CC", "BCC"].into_iter().find(|name| headers.get(name).is_some()) {
            return Err(rejected(format!("the header {name} would send copies to more queues"))
                .hint("remove the header by an edit"));
        }
        if let Some(name) = convert::lost_in_a_stream(headers).filter(|_| self.stream) {
            return Err(rejected(format!("the header {name:?} has a type that a RabbitMQ stream does not keep"))
                .hint("change or drop the header by an edit"));
        }
        if let Some(user) = properties.user_id().as_ref().filter(|user| self.shared.login.user() != Some(user.as_str()))
        {
            return Err(rejected(format!(
                "the property user_id is {user}, and the broker takes only the user we log in as"
            ))
            .hint("remove the property by an edit, or log in as that user"));
        }
        if properties.reply_to().as_ref().is_some_and(|to| to.as_str() == "amq.rabbitmq.reply-to") {
            return Err(rejected(
                "the property reply_to asks for a direct reply, which only its first sender can get".to_owned(),
            )
            .hint("remove the property by an edit"));
        }
        let expiration = properties.expiration().as_ref().map(ShortString::as_str);
        if expiration.is_some_and(|text| text.parse::<u64>().map_or(true, |ms| ms > LONGEST_EXPIRATION)) {
            return Err(rejected(
                "the property expiration is not a number of milliseconds that RabbitMQ takes".to_owned(),
            ));
        }
        Ok(())
    }

    /// The channel, opened where there is none that lives.
    async fn open_channel(&self, outlet: &mut Outlet) -> Result<Pooled> {
        let pooled = match outlet {
            Outlet::Closed => return Err(Error::new(ErrorKind::Unexpected, "the publisher is closed")),
            Outlet::Open(pooled) if pooled.wire.channel().status().connected() => pooled.clone(),
            Outlet::Open(_) | Outlet::Shut => {
                let link = self.shared.publishing().await?;
                Pooled { wire: Arc::new(Wire::new(confirming(&link).await?)), link }
            }
        };
        unblocked(&pooled.link).await?;
        *outlet = Outlet::Open(pooled.clone());
        Ok(pooled)
    }

    /// Sends messages that are ready, in order, in as many runs as safety asks for. `originals` are what they were made
    /// of, one for each.
    async fn send_all(&self, ready: Vec<Outgoing>, originals: &[&Message]) -> Vec<Result<Receipt>> {
        let mut results = Vec::with_capacity(ready.len());
        let mut ready = VecDeque::from(ready);
        let mut outlet = Some(self.outlet.lock().await);
        while let Some(held) = &mut outlet
            && !ready.is_empty()
        {
            let pooled = match self.open_channel(held).await {
                Ok(pooled) => pooled,
                Err(error) => {
                    results.extend(ready.iter().map(|_| Err(again(&error))));
                    break;
                }
            };
            let run: Vec<_> = ready.drain(..self.run_length(&ready)).collect();
            let (begin, single) = (results.len(), run.len() == 1);
            let alone = self.goes_alone(&run);
            if alone {
                pooled.wire.idle().await;
            }
            let written = pooled.wire.write(run).await;
            // With its last message written the next batch may begin, but not while this one tries something out.
            if ready.is_empty() && !alone {
                outlet = None;
            }
            let properties = |place: usize| Some(self.outgoing(originals.get(begin + place)?).ok()?.properties);
            let sent = pooled.wire.judge(written, &properties).await;
            if !sent.usable {
                self.drop_wire(&pooled, outlet.as_deref_mut()).await;
                if single
                    && outlet.is_some()
                    && let Some((code, text)) = &sent.reply
                {
                    // Alone on its channel, it is what the broker refused.
                    results.push(Err(self.refused(*code, text)));
                    continue;
                }
            }
            for (routing, fate) in sent.fates {
                if matches!(fate, Fate::Arrived) {
                    self.proven.store(true, Ordering::Relaxed);
                }
                results.push(receipt(&routing, fate));
            }
            if !sent.usable {
                let error = Error::new(ErrorKind::Unreachable, "the channel was lost before the message was sent");
                results.extend(ready.drain(..).map(|_| Err(again(&error))));
            }
        }
        results
    }

    /// Lets go of a channel that is of no use any more, where it is still the one in use.
    async fn drop_wire(&self, pooled: &Pooled, held: Option<&mut Outlet>) {
        let drop_in = |outlet: &mut Outlet| {
            if matches!(outlet, Outlet::Open(open) if Arc::ptr_eq(&open.wire, &pooled.wire)) {
                *outlet = Outlet::Shut;
            }
        };
        match held {
            Some(outlet) => drop_in(outlet),
            None => drop_in(&mut *self.outlet.lock().await),
        }
    }

    /// Whether these go out with nothing else on the channel: the first message of all, and a large one.
    fn goes_alone(&self, run: &[Outgoing]) -> bool {
        !self.proven.load(Ordering::Relaxed) || run.iter().any(|out| out.payload.len() > LARGE)
    }

    /// How many of these go together: one at first and where it is large, else up to the next large one.
    fn run_length(&self, rest: &VecDeque<Outgoing>) -> usize {
        let large = |out: &Outgoing| out.payload.len() > LARGE;
        if !self.proven.load(Ordering::Relaxed) || rest.front().is_some_and(large) {
            return 1.min(rest.len());
        }
        rest.iter().position(large).unwrap_or(rest.len())
    }

    /// The error for a message that closed its channel.
    fn refused(&self, code: u16, text: &str) -> Error {
        if let Some(max) = too_large(text) {
            self.max.store(max, Ordering::Relaxed);
            return Error::new(
                ErrorKind::Rejected,
                format!("the message is larger than the {max} bytes that the broker takes"),
            );
        }
        let kind = match code {
            403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            _ => ErrorKind::Rejected,
        };
        Error::new(kind, format!("the broker refused to publish: {text}"))
    }
}

/// What the caller is told.
fn receipt(to: &Routing, fate: Fate) -> Result<Receipt> {
    let rejected = |why: String| Error::new(ErrorKind::Rejected, why);
    match fate {
        Fate::Arrived => Ok(Receipt::default()),
        Fate::Returned(reply) if to.exchange.as_str().is_empty() => {
            Err(rejected(format!("the queue {:?} is gone ({reply})", to.key.as_str())))
        }
        Fate::Returned(reply) => Err(rejected(format!(
            "the exchange {:?} routes the key {:?} to no queue ({reply})",
            to.exchange.as_str(),
            to.key.as_str()
        ))
        .hint("bind a queue to it, or name a queue as the target")),
        Fate::Nacked => Err(rejected("the queue refused it: it is full, or has no quorum".to_owned())),
        Fate::Ambiguous(error) | Fate::NotSent(error) => Err(error),
    }
}

/// The same error for another message.
fn again(error: &Error) -> Error {
    let same = Error::new(error.kind(), error.to_string());
    match error.hint_text() {
        Some(hint) => same.hint(hint),
        None => same,
    }
}

/// Reads the limit from `message size 17 is larger than configured max size 16`.
fn too_large(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("configured max size ")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn blocks(reason: &str) -> String {
    format!("RabbitMQ blocks publishers: {reason}")
}

/// Waits a while for a broker that blocks publishers.
///
/// # Errors
/// `Timeout` with the broker's reason; nothing was sent then.
pub(super) async fn unblocked(link: &Link) -> Result<()> {
    let end = tokio::time::Instant::now() + BLOCKED;
    while let Some(reason) = link.blocked() {
        if tokio::time::Instant::now() >= end {
            return Err(Error::new(ErrorKind::Timeout, blocks(&reason))
                .hint("free memory or disk on the broker (`rabbitmq-diagnostics alarms`), then try again"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[async_trait]
impl Publisher for RabbitPublisher {
    fn limits(&self) -> PublishLimits {
        limits(self.max_bytes())
    }

    fn held_up(&self) -> Option<String> {
        self.shared.publishing.blocked().map(|reason| blocks(&reason))
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        let (mut ready, mut originals) = (Vec::with_capacity(batch.len()), Vec::with_capacity(batch.len()));
        let refused: Vec<Option<Error>> = batch
            .iter()
            .map(|message| match self.outgoing(message) {
                Ok(out) => {
                    ready.push(out);
                    originals.push(message);
                    None
                }
                Err(error) => Some(error),
            })
            .collect();
        let mut sent = self.send_all(ready, &originals).await.into_iter();
        self.shared.forget();
        refused
            .into_iter()
            .map(|refused| match refused {
                Some(error) => Err(error),
                None => sent.next().unwrap_or_else(|| {
                    Err(Error::new(ErrorKind::Ambiguous, "the broker's answer to the publish was lost"))
                }),
            })
            .collect()
    }

    async fn close(&self) -> Result<()> {
        // Nobody writes while we have the lock, and what was written is waited for; a second close finds nothing.
        if let Outlet::Open(pooled) = std::mem::replace(&mut *self.outlet.lock().await, Outlet::Closed) {
            pooled.wire.idle().await;
            close_quietly(pooled.wire.channel()).await;
        }
        Ok(())
    }
}
