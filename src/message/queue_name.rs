//! What the names of queues and topics say by custom: whose dead letters they hold, and whose messages wait in them.
//!
//! Limits: English words behind or before a dot, a dash or an underscore; a broker's own pairing knows better.

/// What stands beside a queue's name in that of its dead letters.
const DEAD: [&str; 10] =
    ["dlt", "dlq", "dead", "deadletter", "dead-letter", "dead-letters", "deadletters", "error", "errors", "failed"];
/// What stands behind a queue's name in that of a queue for waiting between two tries.
const WAITS: [&str; 8] = ["retry", "retries", "wait", "waiting", "delay", "delayed", "backoff", "redelivery"];
/// What stands between the two.
const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// The queues whose dead letters a queue of this name may hold: `orders` of `orders.dlq`, `orders-DLT`, `error_orders`. Such
/// queues need not exist.
pub(crate) fn sources_of(name: &str) -> impl Iterator<Item = &str> {
    let behind = |word: &str| {
        let at = name.len().checked_sub(word.len())?;
        let own = name.get(..at).filter(|_| is_at(name, at, word))?;
        own.strip_suffix(SEPARATORS)
    };
    let before = |word: &str| name.get(word.len()..).filter(|_| is_at(name, 0, word))?.strip_prefix(SEPARATORS);
    let words = if name.contains(SEPARATORS) { DEAD.as_slice() } else { &[] };
    words.iter().flat_map(move |word| [behind(word), before(word)]).flatten().filter(|own| !own.is_empty())
}

fn is_at(name: &str, at: usize, word: &str) -> bool {
    name.get(at..at + word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word))
}

/// The queue that a queue for waiting between two tries belongs to: `orders` of `orders.retry`, `orders-retry-5000`, and
/// `orders_delay_2`; any other as it is.
pub(crate) fn waiting_for(name: &str) -> &str {
    let end = name.trim_end_matches(|c: char| c.is_ascii_digit() || SEPARATORS.contains(&c) || matches!(c, 's' | 'm'));
    [name, if end.len() + 1 < name.len() { end } else { name }]
        .into_iter()
        .find_map(|name| {
            let (own, last) = name.rsplit_once(SEPARATORS)?;
            (!own.is_empty() && WAITS.iter().any(|word| last.eq_ignore_ascii_case(word))).then_some(own)
        })
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_named_after_their_queue() {
        for name in ["orders.DLT", "orders-dlt", "orders_dlq", "orders.dead-letter", "dlq.orders", "dlq-orders"] {
            assert_eq!(sources_of(name).collect::<Vec<_>>(), ["orders"], "{name}");
        }
        for name in ["orders", "dlq", "ordersdlq", "-dlq", "dlq-", "", "ü"] {
            assert_eq!(sources_of(name).next(), None, "{name}");
        }
    }

    #[test]
    fn a_queue_for_waiting_belongs_to_the_one_it_is_named_after() {
        for name in ["orders.retry", "orders-retry-5000", "orders_delay_2", "orders.wait.30s", "orders-Retry"] {
            assert_eq!(waiting_for(name), "orders", "{name}");
        }
        for name in ["orders", "retry", ".retry", "orders.retryable", "orders.eu", ""] {
            assert_eq!(waiting_for(name), name);
        }
    }
}
