//! Policies: which ones apply to a queue, and what they say.
//!
//! The API's own `effective_policy_definition` is up to five seconds old and missing for a new queue, and a
//! delivery limit that is too old by that much can cost messages. So where the user may read the policies, they
//! are matched here. Limits: patterns are Erlang regular expressions; one that Rust can't read counts as matching,
//! which errs to caution for limits.

use std::time::Duration;

use serde_json::{Map, Value};

use super::api::{Policy, Queue};

/// The policies of a virtual host.
#[derive(Clone, Debug, Default)]
pub(super) struct Policies {
    user: Vec<(Option<regex::Regex>, Policy)>,
    operator: Vec<(Option<regex::Regex>, Policy)>,
}

/// What holds for one queue: its own argument first, then policies.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    arguments: Map<String, Value>,
    policy: Map<String, Value>,
    /// The names of the policies that apply.
    pub(super) names: Vec<String>,
}

impl Policies {
    pub(super) fn new(user: Vec<Policy>, operator: Vec<Policy>) -> Self {
        let compiled = |policies: Vec<Policy>| {
            policies.into_iter().map(|policy| (regex::Regex::new(&policy.pattern).ok(), policy)).collect()
        };
        Self { user: compiled(user), operator: compiled(operator) }
    }

    /// What these policies and the queue's arguments set. An operator policy limits a user policy: of two
    /// numbers the lower holds, else the operator's value fills what the user's leaves out.
    pub(super) fn settings(&self, queue: &Queue) -> Settings {
        let user = strongest(&self.user, queue);
        let operator = strongest(&self.operator, queue);
        let mut policy = user.map(|policy| policy.definition.clone()).unwrap_or_default();
        for (key, value) in operator.iter().flat_map(|policy| &policy.definition) {
            let lower = match (policy.get(key).and_then(Value::as_i64), value.as_i64()) {
                (Some(user), Some(operator)) => operator < user,
                _ => !policy.contains_key(key),
            };
            if lower {
                policy.insert(key.clone(), value.clone());
            }
        }
        let names = user.into_iter().chain(operator).map(|policy| policy.name.clone()).collect();
        Settings { arguments: queue.arguments.clone(), policy, names }
    }
}

/// The matching policy of the highest priority. Of equal ones RabbitMQ takes either.
fn strongest<'a>(policies: &'a [(Option<regex::Regex>, Policy)], queue: &Queue) -> Option<&'a Policy> {
    let applies = |policy: &Policy| match policy.apply_to.as_str() {
        "all" | "queues" | "" => true,
        "classic_queues" => queue.kind == "classic",
        "quorum_queues" => queue.kind == "quorum",
        "streams" => queue.kind == "stream",
        _ => false,
    };
    policies
        .iter()
        .filter(|(pattern, policy)| {
            applies(policy) && pattern.as_ref().is_none_or(|pattern| pattern.is_match(&queue.name))
        })
        .map(|(_, policy)| policy)
        .max_by_key(|policy| policy.priority)
}

impl Settings {
    /// What the API says itself, for users who may not read the policies. `None` before the first statistics.
    pub(super) fn reported(queue: &Queue) -> Option<Self> {
        let policy = queue.effective_policy_definition.clone()?;
        let names = queue.policy.iter().chain(&queue.operator_policy).cloned().collect();
        Some(Self { arguments: queue.arguments.clone(), policy, names })
    }

    /// The arguments alone, where nothing is known about policies.
    pub(super) fn arguments_only(queue: &Queue) -> Self {
        Self { arguments: queue.arguments.clone(), ..Self::default() }
    }

    /// The text that holds for a key: an argument wins over a policy (RabbitMQ's rule for everything but limits).
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.arguments.get(&format!("x-{key}")).or_else(|| self.policy.get(key)).and_then(Value::as_str)
    }

    /// The number that holds for a key: the lower of argument and policy.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        let (argument, policy) = self.numbers(key);
        [argument, policy].into_iter().flatten().filter_map(|n| u64::try_from(n).ok()).min()
    }

    /// The age that holds for a key, such as `7D`: the lower of argument and policy.
    pub(super) fn age(&self, key: &str) -> Option<Duration> {
        let both = [self.arguments.get(&format!("x-{key}")), self.policy.get(key)];
        both.into_iter().flatten().filter_map(|value| age(value.as_str()?)).min()
    }

    /// The delivery limit: the lower of argument and policy; where one is negative, the higher.
    pub(super) fn delivery_limit(&self) -> Option<i64> {
        match self.numbers("delivery-limit") {
            (Some(argument), Some(policy)) if argument < 0 || policy < 0 => Some(argument.max(policy)),
            (Some(argument), Some(policy)) => Some(argument.min(policy)),
            (argument, policy) => argument.or(policy),
        }
    }

    /// Whether an argument or policy sets a flag.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.arguments.get(&format!("x-{key}")).or_else(|| self.policy.get(key)).and_then(Value::as_bool) == Some(true)
    }

    /// Whether a message of higher priority overtakes others. Only the argument of a classic queue does so: a policy
    /// can't set it.
    pub(super) fn priorities(&self) -> bool {
        self.arguments.get("x-max-priority").and_then(Value::as_i64).is_some_and(|most| most > 0)
    }

    /// The arguments as declared.
    pub(super) fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// What the policies set, together.
    pub(super) fn policy(&self) -> &Map<String, Value> {
        &self.policy
    }

    fn numbers(&self, key: &str) -> (Option<i64>, Option<i64>) {
        (self.arguments.get(&format!("x-{key}")).and_then(Value::as_i64), self.policy.get(key).and_then(Value::as_i64))
    }
}

/// A number and a unit, as RabbitMQ reads them: years have 365 days and months 30.
fn age(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let seconds = match unit {
        "Y" => 365 * 86_400,
        "M" => 30 * 86_400,
        "D" => 86_400,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(name: &str, pattern: &str, priority: i64, definition: &Value) -> Policy {
        let definition = definition.as_object().cloned().unwrap_or_default();
        Policy { name: name.into(), pattern: pattern.into(), apply_to: "queues".into(), definition, priority }
    }

    fn queue(arguments: &Value) -> Queue {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        Queue { name: "orders.dlq".into(), kind: "quorum".into(), arguments, ..Queue::default() }
    }

    #[test]
    fn the_highest_priority_wins_and_an_operator_only_lowers() {
        let policies = Policies::new(
            vec![
                policy("low", "^orders", 0, &serde_json::json!({"delivery-limit": 3})),
                policy("high", "dlq$", 5, &serde_json::json!({"delivery-limit": 50, "message-ttl": 10})),
                policy("other", "^payments", 9, &serde_json::json!({"delivery-limit": 1})),
            ],
            vec![policy("ops", ".*", 0, &serde_json::json!({"delivery-limit": 9, "max-length": 7}))],
        );
        let settings = policies.settings(&queue(&serde_json::json!({})));
        assert_eq!(settings.names, ["high", "ops"]);
        assert_eq!((settings.delivery_limit(), settings.number("message-ttl")), (Some(9), Some(10)));
        assert_eq!(settings.number("max-length"), Some(7));
    }

    #[test]
    fn a_negative_limit_gives_way_to_the_other() {
        let policies =
            Policies::new(vec![policy("p", ".*", 0, &serde_json::json!({"delivery-limit": -1}))], Vec::new());
        let limit = |arguments: &Value| policies.settings(&queue(arguments)).delivery_limit();
        assert_eq!(limit(&serde_json::json!({})), Some(-1));
        assert_eq!(limit(&serde_json::json!({"x-delivery-limit": 5})), Some(5));
        assert_eq!(limit(&serde_json::json!({"x-delivery-limit": -1})), Some(-1));
    }

    #[test]
    fn of_two_ages_the_lower_holds() {
        let policies = Policies::new(vec![policy("p", ".*", 0, &serde_json::json!({"max-age": "2D"}))], Vec::new());
        let age = |text: &str| policies.settings(&queue(&serde_json::json!({ "x-max-age": text }))).age("max-age");
        for (text, hours) in [("90m", 1.5), ("5400s", 1.5), ("7h", 7.0), ("1M", 48.0), ("1Y", 48.0), ("odd", 48.0)] {
            assert_eq!(age(text), Some(Duration::from_secs_f64(hours * 3600.0)), "{text}");
        }
        assert_eq!(policies.settings(&queue(&serde_json::json!({}))).age("max-length"), None);
    }
}
