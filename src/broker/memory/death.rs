//! RabbitMQ's dead-letter record: how `x-death` and its companions are written.

use jiff::Timestamp;

use super::stored::{Dead, Death, DeathReason, Stored};
use crate::message::{Amqp, Fields, Value};

/// Notes a death in `queue` and writes the headers as RabbitMQ does: newest first, one entry for each queue and
/// reason. An `x-death` that a client sent is replaced, and `expiration` is taken away so that the message does not
/// expire again.
pub(super) fn record(dead: Dead, queue: &str, now: Timestamp) -> Stored {
    let Dead { mut stored, reason } = dead;
    let at = stored.deaths.iter().position(|death| death.queue == queue && death.reason == reason);
    let entry = if let Some(at) = at {
        let mut entry = stored.deaths.remove(at);
        entry.count += 1;
        entry
    } else {
        Death {
            queue: queue.to_owned(),
            reason,
            count: 1,
            exchange: stored.exchange.clone(),
            routing_key: stored.message.key.as_deref().unwrap_or_default().to_vec(),
            time: now,
            original_expiration: stored.message.properties.get("expiration").cloned(),
        }
    };
    stored.message.properties.retain(|name, _| name != "expiration");
    let first = stored.deaths.is_empty();
    let exchange = entry.exchange.clone();
    let values = [reason.name(), queue, exchange.as_str()];
    let [firsts, lasts] = ["x-first-death", "x-last-death"]
        .map(|head| ["reason", "queue", "exchange"].map(|name| format!("{head}-{name}")));
    stored.message.headers.retain(|name, _| {
        name != "x-death" && !lasts.iter().any(|n| n == name) && !(first && firsts.iter().any(|n| n == name))
    });
    stored.deaths.insert(0, entry);
    let headers = &mut stored.message.headers;
    headers.push("x-death", Value::Amqp(Amqp::Array(stored.deaths.iter().map(table).collect())));
    if first {
        firsts.into_iter().zip(values).for_each(|(name, value)| headers.push(name, value));
    }
    lasts.into_iter().zip(values).for_each(|(name, value)| headers.push(name, value));
    stored
}

/// Whether dead-lettering into `queue` would close a cycle in which nobody refused the message: RabbitMQ drops it.
pub(super) fn is_idle_cycle(stored: &Stored, queue: &str) -> bool {
    stored.deaths.iter().any(|death| death.queue == queue)
        && stored.deaths.iter().all(|death| death.reason != DeathReason::Rejected)
}

fn table(death: &Death) -> Value {
    let mut table = Fields::new();
    table.push("count", death.count);
    table.push("reason", death.reason.name());
    table.push("queue", death.queue.as_str());
    table.push("time", Value::Amqp(Amqp::Timestamp(u64::try_from(death.time.as_second()).unwrap_or(0))));
    table.push("exchange", death.exchange.as_str());
    let key = Value::Bytes(death.routing_key.clone().into());
    table.push("routing-keys", Value::Amqp(Amqp::Array(vec![key])));
    if let Some(expiration) = &death.original_expiration {
        table.push("original-expiration", expiration.clone());
    }
    Value::Amqp(Amqp::Table(table))
}
