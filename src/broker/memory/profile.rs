//! Whose rules a queue of the memory broker keeps.

use super::wholesale::MOVE;
use crate::broker::{Accuracy, Capability, CostKind, HeaderTypes, Ordering, PublishLimits, Remove, Seek, ServerSide};

/// The broker and queue type that a queue behaves like. One memory broker can hold queues of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// A RabbitMQ classic queue: a return keeps the place and sets `redelivered`.
    RabbitClassic,
    /// A RabbitMQ quorum queue up to 4.2: every return counts; beyond the limit the message is gone.
    RabbitQuorum40,
    /// A RabbitMQ quorum queue from 4.3: a nack does not count, a lost connection does, and any return of a
    /// message that is over the limit already destroys it.
    RabbitQuorum43,
    /// A RabbitMQ stream: reads change nothing, nothing is removed.
    RabbitStream,
    /// A Kafka topic: reads change nothing, removal only up to an offset.
    Kafka,
    /// An SQS standard queue: a read leases and counts.
    SqsStandard,
    /// An SQS FIFO queue: in addition a message group with messages in flight gives nothing more.
    SqsFifo,
}

/// What queues of one product have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Product {
    Rabbit,
    Kafka,
    Sqs,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 7] = [
        Self::RabbitClassic,
        Self::RabbitQuorum40,
        Self::RabbitQuorum43,
        Self::RabbitStream,
        Self::Kafka,
        Self::SqsStandard,
        Self::SqsFifo,
    ];

    /// The profile's name in test output and in `describe`: `rabbitmq-quorum-4.0`, `sqs-fifo` …
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RabbitClassic => "rabbitmq-classic",
            Self::RabbitQuorum40 => "rabbitmq-quorum-4.0",
            Self::RabbitQuorum43 => "rabbitmq-quorum-4.3",
            Self::RabbitStream => "rabbitmq-stream",
            Self::Kafka => "kafka",
            Self::SqsStandard => "sqs-standard",
            Self::SqsFifo => "sqs-fifo",
        }
    }

    /// The broker's type of queue, as in [`crate::broker::QueueInfo::kind`].
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::RabbitClassic => "classic",
            Self::RabbitQuorum40 | Self::RabbitQuorum43 => "quorum",
            Self::RabbitStream => "stream",
            Self::Kafka => "topic",
            Self::SqsStandard => "standard",
            Self::SqsFifo => "fifo",
        }
    }

    pub(super) const fn product(self) -> Product {
        match self {
            Self::RabbitClassic | Self::RabbitQuorum40 | Self::RabbitQuorum43 | Self::RabbitStream => Product::Rabbit,
            Self::Kafka => Product::Kafka,
            Self::SqsStandard | Self::SqsFifo => Product::Sqs,
        }
    }

    /// Whether it is a log (messages stay where they are) and no line (messages are taken out).
    pub(super) const fn is_log(self) -> bool {
        matches!(self, Self::RabbitStream | Self::Kafka)
    }

    pub(super) const fn is_quorum(self) -> bool {
        matches!(self, Self::RabbitQuorum40 | Self::RabbitQuorum43)
    }

    /// What a publisher to such a queue takes.
    #[must_use]
    pub const fn publish_limits(self) -> PublishLimits {
        match self.product() {
            Product::Rabbit => PublishLimits {
                confirm: true,
                max_bytes: Some(16 * 1024 * 1024),
                max_batch: None,
                in_flight: None,
                max_headers: None,
                header_types: HeaderTypes::Amqp,
                null_payload: false,
                key: false,
                duplicate_headers: false,
            },
            Product::Kafka => PublishLimits {
                confirm: true,
                max_bytes: Some(1_048_588),
                max_batch: None,
                in_flight: None,
                max_headers: None,
                header_types: HeaderTypes::Bytes,
                null_payload: true,
                key: true,
                duplicate_headers: true,
            },
            Product::Sqs => PublishLimits {
                confirm: true,
                max_bytes: Some(1_048_576),
                max_batch: Some(10),
                in_flight: None,
                max_headers: Some(10),
                header_types: HeaderTypes::Sqs,
                null_payload: false,
                key: true,
                duplicate_headers: false,
            },
        }
    }

    /// What such a queue can do.
    #[must_use]
    pub const fn capability(self) -> Capability {
        let log = self.is_log();
        Capability {
            list: true,
            browse: true,
            read_cost: match self.product() {
                Product::Rabbit if !log => CostKind::Redelivers,
                Product::Rabbit | Product::Kafka => CostKind::None,
                Product::Sqs => CostKind::Leases,
            },
            seek: Seek { offset: log, time: log, tail: log },
            follow: log,
            take: !matches!(self, Self::RabbitStream),
            remove: match self {
                Self::RabbitStream => Remove::Never,
                Self::Kafka => Remove::UpToOffset,
                _ => Remove::PerMessage,
            },
            count: match self.product() {
                Product::Rabbit => Accuracy::Exact,
                Product::Kafka => Accuracy::AtMost,
                Product::Sqs => Accuracy::Approximate,
            },
            publish: Some(self.publish_limits()),
            ordering: match self {
                Self::Kafka => Ordering::PerPartition,
                Self::SqsStandard => Ordering::Unordered,
                Self::SqsFifo => Ordering::PerGroup,
                _ => Ordering::Fifo,
            },
            returns_in_place: matches!(self, Self::RabbitClassic | Self::SqsFifo),
            unique_ids: matches!(self.product(), Product::Kafka | Product::Sqs),
            server_side: ServerSide {
                drops: None,
                moves: match self {
                    Self::RabbitClassic | Self::RabbitQuorum40 | Self::RabbitQuorum43 => Some(MOVE),
                    _ => None,
                },
                to_origins: false,
            },
            groups: matches!(self, Self::Kafka),
        }
    }
}
