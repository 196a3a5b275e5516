//! The seam: what every broker offers to the engines, and nothing else.
//!
//! A backend implements [`Broker`], [`Reader`] and [`Publisher`]; everything above works on the traits and branches
//! on [`Capability`]. Backends are opened by [`open`], which wraps them in the layers
//! `Traced(Retry(Timeout(Checked(backend))))`.
//!
//! The rules that every backend keeps, and that `tests/behaviour` checks:
//! - a read says beforehand what it costs ([`Broker::describe`] → [`ReadCost`]) and refuses where it could destroy;
//! - a reader's `close` returns everything unsettled, in order, and says how many;
//! - a receipt is given only for a message that the broker confirmed *and* routed;
//! - an answer that was lost is [`crate::ErrorKind::Ambiguous`], never success and never failure.

mod address;
mod admit;
pub mod archive;
mod attributes;
#[cfg(any(feature = "kafka", feature = "sqs", feature = "schemas"))]
pub(crate) mod aws;
mod capability;
mod connect;
#[cfg(feature = "kafka")]
pub mod kafka;
pub mod layers;
pub mod memory;
mod names;
#[cfg(feature = "rabbitmq")]
pub mod rabbitmq;
#[cfg(feature = "sqs")]
pub mod sqs;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use address::{Address, BrokerUrl, Connection, Target};
pub use capability::{Accuracy, Capability, CostKind, HeaderTypes, Ordering, PublishLimits, Remove, Seek, ServerSide};
pub use connect::{Connect, Tls, open};

use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::Prefilter;
use crate::message::{Digest, Message, Position};

/// A broker (or an archive, or the demo): a place with queues.
#[async_trait]
pub trait Broker: fmt::Debug + Send + Sync {
    /// Who it is. Known without I/O, but for the version, which is there after the first answer.
    fn info(&self) -> BrokerInfo;

    /// What at least one of its queues can do. What one queue can is in its [`QueueInfo`].
    fn capability(&self) -> Capability;

    /// Asks for a sign of life and the version. Changes nothing.
    async fn ping(&self) -> Result<BrokerInfo>;

    /// The queues whose names match, with what the broker tells cheaply. Requires [`Capability::list`].
    /// What could not be learned is a note, not an error, as long as the names are right.
    async fn list(&self, filter: &ListFilter) -> Result<Listing>;

    /// Everything about one queue, its own capability and read cost included. Never costs a message.
    async fn describe(&self, queue: &str) -> Result<QueueInfo>;

    /// What decides how one queue may be read: its kind, count, cost and capability, as cheaply as the broker allows.
    /// Pairing and details may be left out, where they take a walk over all queues (`RabbitMQ`). Never costs a message.
    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        self.describe(queue).await
    }

    /// A queue whose messages keep their positions, as it is now; `None` for any other, and where the backend does not
    /// tell. Never costs a message.
    async fn log(&self, _queue: &str) -> Result<Option<Log>> {
        Ok(None)
    }

    /// Opens a look at a queue. Requires [`Capability::browse`]. Refuses, before any message is delivered, where
    /// the look could destroy one. Whatever was delivered is back in the queue after [`Reader::close`].
    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>>;

    /// Takes messages to settle each: removed or returned. Requires [`Capability::take`].
    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>>;

    /// The groups of consumers that keep a place in the queue.
    ///
    /// # Errors
    /// `Unsupported` where there are no such groups.
    async fn groups(&self, queue: &str) -> Result<Groups> {
        Err(no_groups(queue))
    }

    /// Where a read of each partition that starts `at` would begin.
    ///
    /// # Errors
    /// `Unsupported` where messages have no offsets.
    async fn offsets(&self, queue: &str, _at: From) -> Result<Vec<(i32, u64)>> {
        Err(no_groups(queue))
    }

    /// Moves a group's place in the queue, partition by partition; `Ok` means that the broker has them all.
    ///
    /// # Errors
    /// `Refused` while the group has members; `Unsupported` where there are no groups.
    async fn set_offsets(&self, queue: &str, _group: &str, _offsets: &[(i32, u64)]) -> Result<()> {
        Err(no_groups(queue))
    }

    /// Opens a publisher to one target, which is verified to exist and is never created by it.
    /// Requires [`Capability::publish`].
    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>>;

    /// Whether the user may do that, as far as it can be asked without doing it. `None` where no user's rights are kept.
    async fn right(&self, _target: &Target, _access: Access) -> Option<Right> {
        None
    }

    /// Whether [`Broker::wholesale`] would begin: what can be asked beforehand. Changes nothing.
    ///
    /// # Errors
    /// `Unsupported` for what the broker can't do, `Denied` for what the user may not, `Refused` where one is under way.
    async fn may_wholesale(&self, _queue: &str, _what: &Wholesale) -> Result<()> {
        Ok(())
    }

    /// Has the broker do something with all messages of a queue by itself. Requires [`Capability::server_side`]. It has
    /// begun when this returns; a lost answer is `Ambiguous`.
    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        Capability::none().check_wholesale(queue, &what)?;
        Err(Error::new(ErrorKind::Unsupported, "the backend does not do it"))
    }
}

/// What a broker does with all messages of a queue by itself, those that arrive meanwhile included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wholesale {
    /// Drops them, those that others hold included.
    Drop,
    /// Moves them.
    Move {
        /// The queue; `None` for each message's own origin.
        to: Option<String>,
        /// Messages a second at most.
        rate: Option<u32>,
    },
}

/// Something that a broker does by itself, as it goes on.
#[async_trait]
pub trait Underway: Send {
    /// How far it is.
    async fn advance(&mut self) -> Result<Advance>;

    /// Asks the broker to stop; what is done stays done. `Unsupported` where it can't be stopped.
    async fn cancel(&mut self) -> Result<()>;
}

/// How far something is that a broker does by itself; its own estimates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advance {
    /// Messages dealt with.
    pub done: u64,
    /// How many there are.
    pub of: Option<u64>,
    /// Whether it goes on.
    pub stand: Stand,
}

/// Whether something goes on that a broker does by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// It does.
    Running,
    /// It came to its end.
    Done,
    /// It was stopped.
    Cancelled,
    /// The broker gave up, and why.
    Failed(String),
}

pub(crate) fn no_groups(queue: &str) -> Error {
    Error::new(ErrorKind::Unsupported, format!("no consumer group keeps a place in {queue:?}: it is no Kafka topic"))
        .hint("`postroom show` tells how many consumers it has")
}

/// Messages coming from one queue.
#[async_trait]
pub trait Reader: Send {
    /// The next deliveries, at most `max`; waits for at least one, for the end, for a batch that an [`Intake`] has whole,
    /// or for the cancel token of the options. After [`Batch::end`] is set there is nothing more. Dropping the future before it is ready loses no
    /// delivery, so that a caller can settle while it waits; whatever was given out is held until it is settled.
    async fn next_batch(&mut self, max: usize) -> Result<Batch>;

    /// Settles deliveries that this reader gave out; one result per token, in order. `Ok` for [`Settle::Remove`]
    /// means that the broker has processed it (not only that it was sent); a lost answer is `Ambiguous`,
    /// and `Unreachable` or `Timeout` mean that the removal was certainly not sent.
    /// A browse can't settle: `Unsupported`.
    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>>;

    /// How far the read is.
    fn progress(&self) -> Progress;

    /// Returns everything that is not settled, in order, by the way that costs this queue least, and lets go.
    /// Idempotent. Dropping a reader without it leaves the return to the broker, which may count it.
    async fn close(&mut self) -> Result<Closed>;
}

/// Sends messages to one target.
#[async_trait]
pub trait Publisher: Send + Sync {
    /// What it takes.
    fn limits(&self) -> PublishLimits;

    /// Publishes a batch; one result per message, in order. A receipt only for confirmed and routed;
    /// `Rejected` where the broker said no; `Ambiguous` where the answer was lost; any other kind only for a message that
    /// was certainly not sent: `Unreachable` and `Timeout` where the broker was not there to take it. Several batches may be
    /// called at once; messages arrive in the order of the calls, as far as the queue keeps an order.
    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>>;

    /// Why the broker lets publishers wait at the moment, in its own words: one sentence. `None` where it does not.
    fn held_up(&self) -> Option<String> {
        None
    }

    /// What becomes of the messages' own times there, in words; `None` where a time is a property like others.
    fn times(&self) -> Option<String> {
        None
    }

    /// Waits until nothing is under way and closes. Idempotent.
    async fn close(&self) -> Result<()>;
}

/// What rights are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Publishing to a target.
    Publish,
    /// Removing messages from a queue.
    Remove,
}

/// What is known of a right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Right {
    /// The broker says that the user has it.
    Given,
    /// The broker says that the user does not, one sentence.
    Denied(String),
    /// Nobody can tell before it is used, and why, one clause.
    Unknown(String),
}

/// Who a broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerInfo {
    /// `rabbitmq`, `kafka`, `sqs`, `archive`, `memory`.
    pub kind: &'static str,
    /// The broker's own word for a queue: `queue`, `topic`, `stream`, `archive`.
    pub term: &'static str,
    /// Where it is, without secrets.
    pub place: String,
    /// The server's product and version, once known.
    pub version: Option<String>,
    /// What can't be known or done here, and why (`management API: 401 …`).
    pub notes: Vec<String>,
}

/// Which queues to list.
#[derive(Clone, Debug, Default)]
pub struct ListFilter {
    /// A glob on the name (`orders*`); `None` for all.
    pub glob: Option<String>,
    /// Internal queues and topics, too.
    pub internal: bool,
    /// Only what costs no call for each queue: where the broker lists nothing but names, the rest is left to
    /// [`Broker::describe`] for the queues that are looked at.
    pub brief: bool,
}

/// Queues, and what could not be learned about them.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// The queues, in the broker's order.
    pub queues: Vec<QueueInfo>,
    /// What is missing and why.
    pub notes: Vec<String>,
}

/// The detail that marks an archive of masked copies (`--redacted`): nothing of it may be published.
pub const MASKED: &str = "masked";

/// One queue, as `postroom.queue/1` shows it. Names in it are relative to the broker; front ends make addresses.
#[derive(Clone, Debug)]
pub struct QueueInfo {
    /// Its name.
    pub name: String,
    /// The kind of the broker it is on (`rabbitmq`), where one stands for several, as the demo does.
    pub broker: Option<String>,
    /// The broker's type: `classic`, `quorum`, `stream`, `topic`, `standard`, `fifo`, `archive`.
    pub kind: String,
    /// Messages waiting.
    pub messages: Option<u64>,
    /// How `messages` is known.
    pub accuracy: Accuracy,
    /// Delivered to somebody and not settled.
    pub in_flight: Option<u64>,
    /// When that was counted.
    pub sampled: Sampled,
    /// Bytes in it, where the broker says.
    pub bytes: Option<u64>,
    /// Consumers attached.
    pub consumers: Option<u64>,
    /// Messages in per second.
    pub rate_in: Option<f64>,
    /// Messages out per second.
    pub rate_out: Option<f64>,
    /// The time of the oldest message.
    pub oldest: Option<Timestamp>,
    /// After how long a message vanishes (TTL or retention).
    pub expiry: Option<Duration>,
    /// Queues that its dead messages go to.
    pub dead_letter_to: Vec<String>,
    /// Queues whose dead messages come here.
    pub dead_letter_from: Vec<String>,
    /// Whether it is a dead-letter queue: something dead-letters into it, or its name says so.
    pub is_dlq: bool,
    /// What a look costs.
    pub read_cost: ReadCost,
    /// What this queue can do.
    pub capability: Capability,
    /// More for `show`: arguments, policies, bindings, in reading order.
    pub details: Vec<(String, serde_json::Value)>,
    /// What can't be known here, and why.
    pub notes: Vec<String>,
}

impl QueueInfo {
    /// Whether it holds masked copies, of which nothing may be published.
    #[must_use]
    pub fn is_masked(&self) -> bool {
        self.details.iter().any(|(name, value)| name == MASKED && *value == true)
    }
}

/// When a broker counted what consumers hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Sampled {
    /// Nobody tells.
    #[default]
    Unknown,
    /// Just now.
    Now,
    /// When statistics were taken, which the broker does now and then, in its own time (`RabbitMQ`: every five seconds,
    /// and up to eight until they are told).
    Taken {
        /// Another number stands for newer statistics.
        number: u64,
        /// Messages that were waiting at that moment.
        waiting: u64,
    },
}

/// What a look does to a queue, and how many it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadCost {
    /// What it does.
    pub kind: CostKind,
    /// How many more looks each message stands; `None` where looks do not add up or nothing is known.
    pub budget: Option<u64>,
    /// One sentence for people: what it does and how it is known.
    pub why: String,
    /// Why a look is refused, where it is.
    pub refused: Option<String>,
}

impl ReadCost {
    /// A look that does nothing.
    #[must_use]
    pub fn free(why: impl Into<String>) -> Self {
        Self { kind: CostKind::None, budget: None, why: why.into(), refused: None }
    }

    /// Whether messages that a look would destroy can be put back as new copies instead (`--rescue`): where a look is a
    /// delivery and a return. A lease that ends gives the same message back.
    #[must_use]
    pub fn can_rescue(&self) -> bool {
        self.kind == CostKind::Redelivers
    }
}

/// A queue whose messages keep their positions until retention or a removal takes the oldest: a message's id is its
/// position, which no other message of the queue ever has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The same by whatever address the queue is reached, and of no other queue: cluster and topic.
    pub identity: String,
    /// What each partition holds.
    pub extents: Vec<Extent>,
}

/// What a partition holds, or what of it is meant: from the offset `first` to before `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// The partition; `None` where there is only one sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<i32>,
    /// The first offset.
    pub first: u64,
    /// Behind the last offset.
    pub end: u64,
}

impl Extent {
    /// How many messages it holds at most: offsets have gaps.
    #[must_use]
    pub const fn at_most(&self) -> u64 {
        self.end.saturating_sub(self.first)
    }
}

/// The groups of consumers that keep a place in a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// By name.
    pub groups: Vec<ConsumerGroup>,
    /// What could not be learned, one sentence each.
    pub notes: Vec<String>,
}

/// A group of consumers, and its place in one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerGroup {
    /// Its name.
    pub name: String,
    /// Its protocol: `classic`, `consumer`.
    pub kind: String,
    /// The broker's own word for what it does (`Stable`, `Empty`).
    pub state: String,
    /// Whether consumers are in it, or may be.
    pub live: bool,
    /// How many there are.
    pub members: u64,
    /// Its place in each partition.
    pub places: Vec<Committed>,
}

/// A group's place in a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The partition.
    pub partition: i32,
    /// The offset that is read next; `None` where the group has none there.
    pub committed: Option<u64>,
    /// What the partition holds.
    pub extent: Extent,
}

impl Committed {
    /// The first message that is there and will be read; `None` where the group has no place.
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.committed.map(|committed| committed.max(self.extent.first).min(self.extent.end))
    }

    /// How many messages are still to be read at most; `None` where the group has no place.
    #[must_use]
    pub fn lag(&self) -> Option<u64> {
        self.next().map(|next| self.extent.end.saturating_sub(next))
    }
}

impl ConsumerGroup {
    /// The sum over the partitions.
    #[must_use]
    pub fn lag(&self) -> u64 {
        self.places.iter().filter_map(Committed::lag).sum()
    }
}

/// Where a read starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum From {
    /// At the oldest message.
    #[default]
    First,
    /// At the last N of each partition; a limit then keeps the newest of these.
    Last(u64),
    /// After the newest: only what arrives from now on.
    End,
    /// At an offset.
    Offset(u64),
    /// At the first message of that time or later.
    Time(Timestamp),
}

/// Where a read ends. Without one: at what was the end when the read began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Before this offset.
    Offset(u64),
    /// Before this time.
    Time(Timestamp),
}

/// How to look.
#[derive(Clone, Debug, Default)]
pub struct BrowseOptions {
    /// Where to start; anything but `First` requires the matching [`Seek`].
    pub from: From,
    /// Where to stop.
    pub until: Option<Until>,
    /// Only this partition.
    pub partition: Option<i32>,
    /// Only what stands in these extents of a [`Log`]; empty for all.
    pub within: Vec<Extent>,
    /// How many deliveries at most, after the prefilter; a backend holds no more than it needs for them.
    pub limit: Option<u64>,
    /// Go on after the end and wait for arrivals. Requires [`Capability::follow`].
    pub follow: bool,
    /// Messages that fail it are counted as scanned and not delivered.
    pub prefilter: Option<Prefilter>,
    /// The operator agrees that messages which a return would destroy are put back as new copies at the tail.
    pub rescue: bool,
    /// Bytes of messages that the client may hold at once; `None` for the backend's default (64 MiB).
    pub memory: Option<u64>,
    /// Who takes the deliveries on the reader's own threads, where it has any.
    pub intake: Option<Arc<dyn Intake>>,
    /// Ends the read early, as [`End::Cancelled`].
    pub cancel: CancellationToken,
}

/// Takes deliveries where they are made, instead of from [`Reader::next_batch`].
///
/// A reader that makes messages on several threads hands them over there, while they are in that core's cache; every
/// other one, and every read with a limit or of what comes bit by bit, delivers them as ever. What is made of them stays
/// with the intake, under the number of its batch: [`Progress::taken_in`] tells up to which number the batches are whole
/// and in the queue's order.
pub trait Intake: std::fmt::Debug + Send + Sync {
    /// Takes some deliveries of a batch. Those of one batch come in the queue's order, one call after the other; several
    /// batches come beside each other, in any order.
    fn take(&self, batch: u64, deliveries: Vec<Delivery>);
}

/// How to take.
#[derive(Clone, Debug, Default)]
pub struct TakeOptions {
    /// How many messages of the queue to go through at most, matching or not: those there when the plan was made.
    pub limit: Option<u64>,
    /// Only what stands in these extents of a [`Log`]; empty for all.
    pub within: Vec<Extent>,
    /// What was sent later is held and returned at the close, without being delivered: for a queue that neither counts
    /// its messages exactly nor knows positions.
    pub until: Option<Timestamp>,
    /// Messages that fail it are held and returned at the close, without being delivered.
    pub prefilter: Option<Prefilter>,
    /// The operator agrees that messages which a lost connection would destroy while they are held are put back as
    /// new copies at the tail, and taken from there.
    pub rescue: bool,
    /// An earlier run may have died with messages in its hands: where they come back only when their leases run out,
    /// the end is not believed before that.
    pub reclaim: bool,
    /// Bytes of messages that the client may hold at once; `None` for the backend's default (64 MiB).
    pub memory: Option<u64>,
    /// How many messages the caller has in its hands at most; to hold more ahead of it gains nothing. `None` where it does
    /// not know.
    pub in_hand: Option<u64>,
    /// Ends the read early, as [`End::Cancelled`].
    pub cancel: CancellationToken,
    /// Where the reader says why nothing comes.
    pub waits: Waits,
}

/// Where a reader says why nothing comes for a while, in one sentence, so that nobody takes a wait for a standstill.
#[derive(Clone, Debug)]
pub struct Waits(watch::Sender<Option<String>>);

impl Default for Waits {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

impl Waits {
    /// Says it; until it goes on, the first word stays.
    pub fn say(&self, why: impl FnOnce() -> String) {
        self.0.send_if_modified(|now| {
            let news = now.is_none();
            now.get_or_insert_with(why);
            news
        });
    }

    /// It goes on.
    pub fn over(&self) {
        self.0.send_if_modified(|now| now.take().is_some());
    }

    /// Whoever wants to know.
    #[must_use]
    pub fn listen(&self) -> watch::Receiver<Option<String>> {
        self.0.subscribe()
    }
}

/// A message and the token that settles it.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// What settles it, for this reader only.
    pub token: Token,
    /// The broker says it was delivered before. `None` where it does not say.
    pub redelivered: Option<bool>,
    /// The message's digest, where it was made to name it: [`Delivery::digest`] saves making it again.
    pub known_digest: Option<Digest>,
}

impl Delivery {
    /// A delivery whose digest was not made yet.
    #[must_use]
    pub fn new(message: Message, token: Token, redelivered: Option<bool>) -> Self {
        Self { message, token, redelivered, known_digest: None }
    }

    /// The digest of the message as it was delivered.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.known_digest.unwrap_or_else(|| self.message.digest())
    }
}

/// Names a delivery to the reader that gave it out, and to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(pub u64);

/// Some deliveries, and whether they were the last.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    /// In the queue's order.
    pub deliveries: Vec<Delivery>,
    /// Why there is nothing after them.
    pub end: Option<End>,
}

/// Why a read ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// All that was asked for has been read: the queue's end, or the end of the range.
    Exhausted,
    /// The limit is reached, and there is more.
    Limit,
    /// The cancel token was set.
    Cancelled,
    /// The backend stopped before it would have done harm or reached a limit of the broker; one sentence.
    Stopped(String),
}

/// How to settle a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Gone from the queue: its copy is confirmed elsewhere, or the operator dropped it.
    Remove,
    /// Back where it was: noted at once and carried out by the close, for what is given back earlier would be
    /// delivered to the same reader again.
    Return,
}

/// How far a read is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Progress {
    /// Messages seen, those that failed the prefilter included.
    pub scanned: u64,
    /// Messages delivered, to the caller or to the [`Intake`].
    pub delivered: u64,
    /// Batches with a lower number are whole with the [`Intake`], and nothing that comes later stands before them.
    pub taken_in: u64,
    /// Payload bytes seen.
    pub bytes: u64,
    /// How many there are to scan, where it is known; an upper bound.
    pub of: Option<u64>,
    /// Messages met that a return would destroy: they are, or are about to be, put back as new copies. A take shows the
    /// first of them here before it makes its first copy.
    pub rescued: u64,
}

/// What a close did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Closed {
    /// How many messages went back.
    pub returned: u64,
    /// How many were put back as new copies, because a return would have destroyed them.
    pub rescued: u64,
    /// What the operator should know (order changed, counters raised).
    pub notes: Vec<String>,
}

/// The proof that a message arrived: confirmed and routed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Receipt {
    /// Where it now stands, where the broker says.
    pub position: Option<Position>,
    /// Its new id, where the broker gives one.
    pub id: Option<String>,
}
