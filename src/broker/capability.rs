//! What a broker, and one queue of it, can do: data, so that engines and screens branch on it and never on a name.

/// What can be done. For a whole broker: what at least one of its queues can; for a queue: what this one can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Queues can be listed. Without it only a queue that is named can be described.
    pub list: bool,
    /// Messages can be looked at, at the price of [`Capability::read_cost`].
    pub browse: bool,
    /// What a look does to the queue.
    pub read_cost: CostKind,
    /// Where a read can start.
    pub seek: Seek,
    /// A read can go on waiting for arrivals.
    pub follow: bool,
    /// Messages can be taken: held until each is removed or returned.
    pub take: bool,
    /// How a message is removed.
    pub remove: Remove,
    /// How the number of messages is known.
    pub count: Accuracy,
    /// What a publisher takes; `None` where nothing can be published.
    pub publish: Option<PublishLimits>,
    /// In which order messages come.
    pub ordering: Ordering,
    /// What a connection held when it died comes back at its old place. `RabbitMQ`'s classic queues do so; a quorum queue
    /// keeps returned messages in a list of their own, behind earlier ones, so that two deaths leave them out of order.
    pub returns_in_place: bool,
    /// Every message has an id that no other message of the queue has, and keeps it however often it is delivered: one
    /// that comes again is known by it.
    pub unique_ids: bool,
    /// What the broker does with all messages of a queue by itself.
    pub server_side: ServerSide,
    /// Groups of consumers keep a place in the queue, which can be looked at and moved.
    pub groups: bool,
}

/// What a broker does with all messages of a queue by itself, unseen and unmodified (`Broker::wholesale`). Each where it
/// can be done, with what has to be known of it: one clause for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ServerSide {
    /// Drops them.
    pub drops: Option<&'static str>,
    /// Moves them to another queue.
    pub moves: Option<&'static str>,
    /// A move can send each message to its own origin, and not only all of them to one queue.
    pub to_origins: bool,
}

/// What a look does to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CostKind {
    /// Nothing.
    None,
    /// Messages are delivered and given back: the redelivered flag is set, and the queue may count it.
    Redelivers,
    /// Messages are hidden from others for a time, and the receive count rises.
    Leases,
}

impl CostKind {
    /// The word in `postroom.queue/1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Redelivers => "redelivers",
            Self::Leases => "leases",
        }
    }
}

/// Where a read can start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Seek {
    /// At an offset.
    pub offset: bool,
    /// At a time.
    pub time: bool,
    /// At the last N messages, or at the end.
    pub tail: bool,
}

/// How messages are removed from a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remove {
    /// Not at all.
    Never,
    /// One by one, any of those held.
    PerMessage,
    /// Only everything before an offset (Kafka's `DeleteRecords`).
    UpToOffset,
}

/// How a count is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accuracy {
    /// The broker counts.
    Exact,
    /// The broker estimates (SQS).
    Approximate,
    /// An upper bound (Kafka: gaps in the offsets).
    AtMost,
}

impl Accuracy {
    /// The word in `postroom.queue/1`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Approximate => "approximate",
            Self::AtMost => "at_most",
        }
    }
}

/// What a publisher takes and confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishLimits {
    /// A receipt means: routed and taken over by the broker. Always true where we publish at all.
    pub confirm: bool,
    /// The largest message in bytes, where it is known.
    pub max_bytes: Option<u64>,
    /// How many messages one request holds; larger batches are split by the publisher.
    pub max_batch: Option<u32>,
    /// How many copies that are not confirmed yet the target bears well; more of them slow it down. `None` where nothing
    /// speaks against many.
    pub in_flight: Option<u64>,
    /// How many headers a message may have.
    pub max_headers: Option<u32>,
    /// What header values can be.
    pub header_types: HeaderTypes,
    /// A null payload stays null.
    pub null_payload: bool,
    /// A key of its own travels with the message (Kafka). Else the key is a routing matter.
    pub key: bool,
    /// Duplicate header names and header order survive (Kafka yes; AMQP tables are maps in the client).
    pub duplicate_headers: bool,
}

/// What header values can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderTypes {
    /// Bytes or null (Kafka).
    Bytes,
    /// Every AMQP field type.
    Amqp,
    /// SQS attribute types.
    Sqs,
    /// Everything (archives).
    Any,
    /// UTF-8 text.
    Text,
}

impl HeaderTypes {
    /// Whether a message there has a property of this name beside its headers, by the names that
    /// [`crate::message::Message::properties`] uses: AMQP's named properties, what a sender to SQS may set, none of Kafka.
    #[must_use]
    pub fn has_property(self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Amqp => AMQP.contains(&name),
            Self::Sqs => SQS.contains(&name),
            Self::Bytes | Self::Text => false,
        }
    }
}

/// The properties of AMQP 0-9-1's class `basic`.
const AMQP: [&str; 13] = [
    "content_type",
    "content_encoding",
    "delivery_mode",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
];
/// What can be sent with an SQS message beside its attributes.
const SQS: [&str; 2] = ["message_deduplication_id", "aws_trace_header"];

/// In which order messages come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ordering {
    /// Arrivals go behind all that is there.
    Fifo,
    /// In order within a partition.
    PerPartition,
    /// In order within a message group.
    PerGroup,
    /// A later message of higher priority can overtake.
    Priority,
    /// None is promised.
    Unordered,
}

impl Capability {
    /// Nothing can be done: the start for building one.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            list: false,
            browse: false,
            read_cost: CostKind::None,
            seek: Seek { offset: false, time: false, tail: false },
            follow: false,
            take: false,
            remove: Remove::Never,
            count: Accuracy::Exact,
            publish: None,
            ordering: Ordering::Unordered,
            returns_in_place: false,
            unique_ids: false,
            server_side: ServerSide { drops: None, moves: None, to_origins: false },
            groups: false,
        }
    }

    /// Whether single messages are given up, whichever they are. A log gives up none, or its oldest only: what was sent to
    /// it stays there.
    #[must_use]
    pub fn gives_up_single(&self) -> bool {
        self.take && self.remove == Remove::PerMessage
    }
}
