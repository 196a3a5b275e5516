//! The demo incident: a bookshop whose pricing release of 14:02 broke things on three brokers at once.
//!
//! A RabbitMQ, a Kafka and an SQS, all [`Memory`] queues of their profiles, hold live traffic and 2,000 dead messages
//! with nine true causes, told in seven dialects. It is the same in every run: seed and clock are fixed, and the
//! clock stands still at [`NOW`].
//!
//! | dead in | messages | cause |
//! |---|---|---|
//! | `orders.dlq`, `order-events-dlt` | 331 + 281 | no currency since the release (Java; Spring AMQP, Spring Kafka) |
//! | `orders.dlq`, `order-events-dlt` | 118 + 156 | the tax service refuses connections (Java; the same two) |
//! | `payments.dlq` | 142 | payments that are stored already (Java, Spring AMQP) |
//! | `payments.dlq` | 1 | the poison message: kills its consumer, so that only the delivery limit stops it |
//! | `emails_error` | 236 | customers' addresses that do not parse (.NET, MassTransit) |
//! | `thumbnails.dlq` | 187 | covers that can't be rendered (Python, Celery) |
//! | `inventory.updates.dlq` | 264 | a schema that the registry does not know (Kafka Connect, Avro payloads) |
//! | `shipping-labels-dlq` | 171 | no reason at all: SQS redrive; they expire soon |
//! | `returns-handler-dlq` | 113 | a Lambda function that misses a field (Python, Lambda destination) |

mod kafka;
mod rabbitmq;
mod random;
mod shop;
mod sqs;
mod topology;

use jiff::{SignedDuration, Timestamp};

use self::random::Random;
use super::state::{Queue, State, Store};
use super::stored::Stored;
use super::{Clock, Memory};

/// The demo's present, 2026-03-02T14:47:00Z: whoever shows an age in the demo counts from here.
pub const NOW: Timestamp = Timestamp::constant(1_772_462_820, 0);

/// When the bad release went out, 2026-03-02T14:02:00Z.
const RELEASE: Timestamp = Timestamp::constant(1_772_460_120, 0);

/// A fresh copy of the incident: what a replay moves in it stays moved for as long as it lives.
#[must_use]
pub fn incident() -> Memory {
    let memory = topology::declare(Memory::builder().named("demo").clock(Clock::fixed(NOW)).seed(1402)).build();
    let mut state = memory.0.state();
    let mut stage = Stage { state: &mut state, random: Random::new(0x1402) };
    rabbitmq::load(&mut stage);
    kafka::load(&mut stage);
    sqs::load(&mut stage);
    drop(state);
    memory
}

/// Where the incident is set up.
struct Stage<'a> {
    state: &'a mut State,
    random: Random,
}

impl Stage<'_> {
    /// Puts a message into a queue as of a time in the past, by the queue's own rules.
    fn put(&mut self, queue: &str, stored: Stored, at: Timestamp) {
        let Some(Queue { spec, store }) = self.state.queues.get_mut(queue) else { return };
        match store {
            Store::Line(line) => {
                let mut stored = stored;
                stored.enter(spec, None, at);
                line.push(spec, stored);
            }
            Store::Log(log) => {
                log.push(spec, stored, None, at);
            }
        }
    }

    /// The time of the `i`-th of `count` deaths: spread from the release until now, never backwards.
    fn after_release(&mut self, i: u64, count: u64) -> Timestamp {
        let span = 1000 * (NOW.as_second() - RELEASE.as_second() - 40).unsigned_abs();
        let step = span / count.max(1);
        before(NOW, span.saturating_sub(i * step + self.random.below(step)) + 20_000)
    }

    /// The time of the `i`-th of `count` live messages, `seconds` apart at most, the last just now.
    fn lately(&mut self, i: u64, count: u64, seconds: u64) -> Timestamp {
        before(NOW, (count - i) * seconds * 1000 - self.random.below(seconds * 1000))
    }
}

/// `milliseconds` before a time.
fn before(time: Timestamp, milliseconds: u64) -> Timestamp {
    let by = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(0));
    time.checked_sub(by).unwrap_or(time)
}

#[cfg(test)]
mod tests;
