//! RabbitMQ dead lettering: `x-death`, `x-first-death-*`, `x-last-death-*` (RabbitMQ's dead letter documentation).
//!
//! Limits: the reason says why the broker moved a message, and `time` is the first death for its queue and reason, so
//! the last death is not older than [`Failure::last`] says, but may be younger.

use super::read::{field, first, number, value_time};
use super::{Death, Failure, Origin};
use crate::message::{Amqp, Fields, Message, Value};

/// More entries than any sane topology makes are not read.
const MAX_DEATHS: usize = 100;

/// Reads the broker's own record of deaths.
pub(super) fn detect(message: &Message) -> Option<Failure> {
    let deaths: Vec<&Fields> = match message.headers.get("x-death") {
        Some(Value::Amqp(Amqp::Array(entries))) => entries.iter().take(MAX_DEATHS).filter_map(table).collect(),
        _ => Vec::new(),
    };
    let first_queue = first(message, "x-first-death-queue");
    let first_reason = first(message, "x-first-death-reason");
    if deaths.is_empty() && first_queue.is_none() && first_reason.is_none() {
        return None;
    }
    let history: Vec<Death> = deaths.iter().map(|death| entry(death)).collect();
    let oldest = oldest(&deaths, first_queue.as_deref(), first_reason.as_deref());
    let died_in = first_queue.clone().or_else(|| oldest.and_then(|death| field(death, "queue")));
    let attempts = history
        .iter()
        .filter(|death| died_in.as_deref() == Some(&death.queue) && death.reason != "expired")
        .map(|death| death.count)
        .fold(0, u64::saturating_add);
    Some(Failure {
        dialect: "rabbitmq",
        class: first(message, "x-last-death-reason")
            .or_else(|| history.first().map(|death| death.reason.clone()))
            .or(first_reason)
            .filter(|reason| !reason.is_empty()),
        origin: oldest.and_then(origin).or(died_in.map(Origin::Queue)),
        attempts: Some(attempts).filter(|n| *n > 0),
        first: history.iter().filter_map(|death| death.time).min(),
        last: history.iter().filter_map(|death| death.time).max(),
        history,
        ..Failure::default()
    })
}

fn table(entry: &Value) -> Option<&Fields> {
    match entry {
        Value::Amqp(Amqp::Table(fields)) => Some(fields),
        _ => None,
    }
}

fn entry(death: &Fields) -> Death {
    Death {
        reason: field(death, "reason").unwrap_or_default(),
        queue: field(death, "queue").unwrap_or_default(),
        count: death.get("count").and_then(number).and_then(|n| u64::try_from(n).ok()).unwrap_or(1),
        time: death.get("time").and_then(value_time),
    }
}

/// The entry of the first death. The broker moves an entry to the front each time it counts it, so in a retry loop
/// the last of the list is the waiting queue, not the source: the headers of the first death decide, then the times.
fn oldest<'a>(deaths: &[&'a Fields], queue: Option<&str>, reason: Option<&str>) -> Option<&'a Fields> {
    let named = |death: &&&Fields| {
        queue.is_some_and(|queue| field(death, "queue").as_deref() == Some(queue))
            && reason.is_none_or(|reason| field(death, "reason").as_deref() == Some(reason))
    };
    let by_time = || deaths.iter().rev().min_by_key(|death| death.get("time").and_then(value_time));
    deaths.iter().find(named).or_else(by_time).copied()
}

/// Exchange and first routing key of a death; the default exchange means a queue of that name.
fn origin(death: &Fields) -> Option<Origin> {
    let routing_key = match death.get("routing-keys") {
        Some(Value::Amqp(Amqp::Array(keys))) => keys.first().and_then(super::read::text),
        _ => None,
    };
    match (field(death, "exchange"), routing_key) {
        (Some(exchange), key) => Some(Origin::Exchange { exchange, routing_key: key.unwrap_or_default() }),
        (None, Some(queue)) => Some(Origin::Queue(queue)),
        (None, None) => field(death, "queue").map(Origin::Queue),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A death as RabbitMQ writes it.
    pub(in crate::message::failure) fn death(queue: &str, reason: &str, exchange: &str, key: &str, at: u64) -> Value {
        Value::Amqp(Amqp::Table(Fields::from_iter([
            ("count", Value::Int(1)),
            ("reason", Value::text(reason)),
            ("queue", Value::text(queue)),
            ("time", Value::Amqp(Amqp::Timestamp(at))),
            ("exchange", Value::text(exchange)),
            ("routing-keys", Value::Amqp(Amqp::Array(vec![Value::text(key)]))),
        ])))
    }

    pub(in crate::message::failure) fn dead(deaths: Vec<Value>) -> Message {
        let headers = Fields::from_iter([("x-death", Value::Amqp(Amqp::Array(deaths)))]);
        Message { headers, ..Message::default() }
    }

    #[test]
    fn a_message_from_the_default_exchange_goes_back_to_its_queue() {
        let failure = detect(&dead(vec![death("orders", "rejected", "", "orders", 1_772_446_272)])).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert_eq!(failure.class.as_deref(), Some("rejected"));
        assert_eq!(failure.first.unwrap().to_string(), "2026-03-02T10:11:12Z");
        assert_eq!((failure.attempts, failure.history.len()), (Some(1), 1));
    }

    #[test]
    fn in_a_retry_loop_the_first_death_is_the_origin_and_not_the_waiting_queue() {
        let deaths = vec![
            death("orders", "rejected", "shop", "order.placed", 1_772_446_272),
            death("orders.wait", "expired", "retry", "orders", 1_772_446_280),
        ];
        let want = Some(Origin::Exchange { exchange: "shop".into(), routing_key: "order.placed".into() });
        assert_eq!(detect(&dead(deaths.clone())).unwrap().origin, want, "by time");
        let mut named = dead(deaths.into_iter().rev().collect());
        named.headers.push("x-first-death-queue", "orders");
        named.headers.push("x-first-death-reason", "rejected");
        assert_eq!(detect(&named).unwrap().origin, want, "by name");
    }

    #[test]
    fn only_first_death_headers_still_name_the_queue() {
        let mut message = Message::default();
        assert_eq!(detect(&message), None);
        message.headers.push("x-first-death-queue", "orders");
        message.headers.push("x-first-death-reason", "maxlen");
        let failure = detect(&message).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert_eq!(failure.class.as_deref(), Some("maxlen"));
    }

    #[test]
    fn a_malformed_death_record_is_no_trouble() {
        for value in [Value::text("x"), Value::Null, Value::Amqp(Amqp::Array(vec![Value::Int(1)]))] {
            let message = Message { headers: Fields::from_iter([("x-death", value)]), ..Message::default() };
            assert_eq!(detect(&message), None);
        }
        let odd = dead(vec![Value::Amqp(Amqp::Table(Fields::new()))]);
        assert_eq!(detect(&odd).unwrap().origin, None);
    }
}
