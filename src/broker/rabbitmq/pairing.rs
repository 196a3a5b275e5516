//! Which queue's dead messages go to which queue: from arguments and policies, through the exchanges' bindings.
//!
//! Limits: without an own dead-letter routing key a message keeps the key it was published with, which is not
//! known here; then every queue counts that a key the source is bound with would reach. Header exchanges and those
//! of plugins count as reaching all their queues.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::api::{Binding, Exchange};
use super::policy::Settings;

/// Exchanges bound to exchanges are followed this deep.
const DEPTH: usize = 5;

/// The exchanges and bindings of a virtual host.
#[derive(Debug, Default)]
pub(super) struct Routes {
    kinds: HashMap<String, String>,
    from: HashMap<String, Vec<Binding>>,
}

/// Where dead messages go, and where they come from.
#[derive(Debug, Default)]
pub(super) struct Pairing {
    /// By source.
    pub(super) to: BTreeMap<String, BTreeSet<String>>,
    /// By dead-letter queue.
    pub(super) from: BTreeMap<String, BTreeSet<String>>,
}

impl Routes {
    pub(super) fn new(exchanges: Vec<Exchange>, bindings: Vec<Binding>) -> Self {
        let mut from: HashMap<String, Vec<Binding>> = HashMap::new();
        for binding in bindings {
            from.entry(binding.source.clone()).or_default().push(binding);
        }
        Self { kinds: exchanges.into_iter().map(|exchange| (exchange.name, exchange.kind)).collect(), from }
    }

    /// The queues that a message with one of `keys` reaches from an exchange.
    fn reached(&self, exchange: &str, keys: &BTreeSet<&str>, depth: usize) -> BTreeSet<String> {
        let kind = self.kinds.get(exchange).map_or("", String::as_str);
        let mut queues = BTreeSet::new();
        if depth == 0 {
            return queues;
        }
        for binding in self.from.get(exchange).into_iter().flatten() {
            let matches = match kind {
                "direct" => keys.contains(binding.routing_key.as_str()),
                "topic" => keys.iter().any(|key| topic_matches(&binding.routing_key, key)),
                _ => true,
            };
            if !matches {
                continue;
            }
            if binding.destination_type == "exchange" {
                queues.extend(self.reached(&binding.destination, keys, depth - 1));
            } else {
                queues.insert(binding.destination.clone());
            }
        }
        queues
    }

    /// The keys that messages of a queue may carry: its name and what it is bound with.
    fn keys_of<'a>(&'a self, queue: &'a str) -> BTreeSet<&'a str> {
        let bound = self.from.values().flatten();
        let bound = bound.filter(|binding| binding.destination_type == "queue" && binding.destination == queue);
        bound.map(|binding| binding.routing_key.as_str()).chain([queue]).collect()
    }

    /// The bindings that end at a queue, but for that of the default exchange.
    pub(super) fn into(&self, queue: &str) -> Vec<&Binding> {
        let mut bindings: Vec<_> = self
            .from
            .values()
            .flatten()
            .filter(|b| b.destination_type == "queue" && b.destination == queue && !b.source.is_empty())
            .collect();
        bindings.sort_by(|a, b| (&a.source, &a.routing_key).cmp(&(&b.source, &b.routing_key)));
        bindings
    }

    /// The queues that a queue's dead messages go to.
    pub(super) fn dead_letter_to(&self, queue: &str, settings: &Settings) -> BTreeSet<String> {
        let Some(exchange) = settings.text("dead-letter-exchange") else { return BTreeSet::new() };
        let key = settings.text("dead-letter-routing-key");
        if exchange.is_empty() {
            // The default exchange delivers to the queue of that name.
            return key.map(str::to_owned).into_iter().collect();
        }
        let keys = key.map_or_else(|| self.keys_of(queue), |key| BTreeSet::from([key]));
        self.reached(exchange, &keys, DEPTH)
    }
}

impl Pairing {
    /// Pairs all queues. Only names that exist are paired.
    pub(super) fn new<'a>(routes: &Routes, queues: impl IntoIterator<Item = (&'a str, &'a Settings)> + Clone) -> Self {
        let names: BTreeSet<&str> = queues.clone().into_iter().map(|(name, _)| name).collect();
        let mut pairing = Self::default();
        for (name, settings) in queues {
            for target in routes.dead_letter_to(name, settings) {
                if names.contains(target.as_str()) {
                    pairing.from.entry(target.clone()).or_default().insert(name.to_owned());
                    pairing.to.entry(name.to_owned()).or_default().insert(target);
                }
            }
        }
        pairing
    }
}

/// AMQP topic matching: words between dots, `*` is one word, `#` any number of them.
fn topic_matches(pattern: &str, key: &str) -> bool {
    fn words(pattern: &[&str], key: &[&str]) -> bool {
        match pattern.split_first() {
            None => key.is_empty(),
            Some((&"#", rest)) => (0..=key.len()).any(|skipped| words(rest, &key[skipped..])),
            Some((word, rest)) => {
                key.split_first().is_some_and(|(first, others)| (*word == "*" || word == first) && words(rest, others))
            }
        }
    }
    words(&pattern.split('.').collect::<Vec<_>>(), &key.split('.').collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::super::api::Queue;
    use super::super::policy::Policies;
    use super::*;

    fn settings(arguments: &serde_json::Value) -> Settings {
        let row = Queue { arguments: arguments.as_object().cloned().unwrap_or_default(), ..Queue::default() };
        Policies::default().settings(&row)
    }

    fn binding(source: &str, destination: &str, destination_type: &str, routing_key: &str) -> Binding {
        Binding {
            source: source.into(),
            destination: destination.into(),
            destination_type: destination_type.into(),
            routing_key: routing_key.into(),
        }
    }

    #[test]
    fn topics_match_by_words() {
        for (pattern, key, expected) in [
            ("a.*.c", "a.b.c", true),
            ("a.*", "a.b.c", false),
            ("a.#", "a", true),
            ("#.c", "a.b.c", true),
            ("#", "", true),
            ("*", "a.b", false),
        ] {
            assert_eq!(topic_matches(pattern, key), expected, "{pattern} {key}");
        }
    }

    #[test]
    fn dead_letters_are_followed_through_exchanges() {
        let exchange = |name: &str, kind: &str| Exchange { name: name.into(), kind: kind.into() };
        let routes = Routes::new(
            vec![exchange("dlx", "topic"), exchange("inner", "fanout"), exchange("shop", "direct")],
            vec![
                binding("dlx", "orders.dlq", "queue", "orders.#"),
                binding("dlx", "inner", "exchange", "pay.*"),
                binding("inner", "pay.dlq", "queue", ""),
                binding("shop", "orders", "queue", "orders.new"),
            ],
        );
        let default =
            settings(&serde_json::json!({"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "pay.dlq"}));
        let own_key =
            settings(&serde_json::json!({"x-dead-letter-exchange": "dlx", "x-dead-letter-routing-key": "pay.x"}));
        let no_key = settings(&serde_json::json!({"x-dead-letter-exchange": "dlx"}));
        let none = settings(&serde_json::json!({}));
        let pairing = Pairing::new(
            &routes,
            [("a", &default), ("b", &own_key), ("orders", &no_key), ("orders.dlq", &none), ("pay.dlq", &none)],
        );
        assert_eq!(pairing.from["pay.dlq"].iter().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(pairing.to["orders"].iter().collect::<Vec<_>>(), ["orders.dlq"]);
        assert!(!pairing.to.contains_key("pay.dlq"));
    }
}
