//! Which messages died of the same cause: a stable name for a failure.
//!
//! The key is made of the root class, the template of the root message and the innermost application frame (with its caller
//! where many ask for it); where there are no frames, the place it failed in stands for them; where there is no reason at all, the place and the kind of
//! message. Its hash is the group's id: the same over runs, machines and order. Limits: nothing is learned from other
//! messages, so two texts of one cause that differ in plain words are two groups until a rule says otherwise.

mod around;
mod carried;
mod cause;
mod field;
mod key;
mod mask;
mod names;
mod own;
mod phrases;
mod rules;
mod shape;
mod token;
mod versions;
mod words;

use std::fmt;

use super::Message;
use super::failure::Failure;

pub use cause::cause_text;
pub use key::{Key, KeyPart};
pub use mask::{MAX as MAX_TEMPLATE, mask, mask_into};
pub use rules::{NamedSchemas, Rules, WrittenRules};
pub use shape::{declared_type, shape};

/// A group that a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The stable name, see [`GroupId`].
    pub id: GroupId,
    /// One line for people: the class without its package, and the template.
    pub title: String,
    /// What the id is made of, in order: why these messages are one group.
    pub key: Vec<KeyPart>,
}

/// A group's name: 128 bits of the hash of its key, written `g-` and the first six hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub [u8; 16]);

impl GroupId {
    /// `g-` and the first `digits` hex digits (at most 32): more than six where two groups share those.
    #[must_use]
    pub fn with_digits(self, digits: usize) -> String {
        let hex = super::Digest(self.0).to_string();
        format!("g-{}", hex.get(..digits).unwrap_or(&hex))
    }

    /// Whether a typed name means this group: six digits or more of it, with or without `g-`.
    #[must_use]
    pub fn is_named(self, name: &str) -> bool {
        let digits = name.strip_prefix("g-").unwrap_or(name);
        digits.len() >= 6 && self.with_digits(32).get(2..).is_some_and(|hex| hex.starts_with(digits))
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_digits(6))
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_digits(32))
    }
}

/// Names the group of a message: by the operator's rules, its failure, else its kind.
#[must_use]
pub fn fingerprint(message: &Message, failure: Option<&Failure>, rules: &Rules) -> Group {
    Key::of(message, failure, rules).into_group(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::failure::{Death, Origin};
    use crate::message::filter::Pick;

    fn failed(class: &str, text: &str) -> Failure {
        Failure {
            dialect: "spring-amqp",
            class: Some(class.into()),
            message: Some(text.into()),
            origin: Some(Origin::Queue("orders".into())),
            ..Failure::default()
        }
    }

    fn id(failure: &Failure) -> GroupId {
        fingerprint(&Message::default(), Some(failure), &Rules::default()).id
    }

    #[test]
    fn one_cause_is_one_group_whatever_varies() {
        let a = failed("com.acme.Timeout", "order 17 timed out after 30 s");
        let b = failed("com.acme.Timeout", "order ORD-9 timed out after 5000 ms");
        assert_eq!(id(&a), id(&b));
        assert_ne!(id(&a), id(&failed("com.acme.Declined", "order 17 timed out after 30 s")));
        assert_ne!(id(&a), id(&failed("com.acme.Timeout", "cart 17 was emptied")));
    }

    #[test]
    fn an_id_is_stable_and_can_be_typed() {
        let failure = failed("com.acme.Timeout", "order 17 timed out");
        let group = fingerprint(&Message::default(), Some(&failure), &Rules::default());
        assert_eq!(group.title, "Timeout: order * timed out");
        let name = group.id.to_string();
        assert_eq!(name.len(), 8);
        assert!(group.id.is_named(&name) && group.id.is_named(&group.id.with_digits(10)));
        assert!(!group.id.is_named("g-") && !group.id.is_named("g-000000"));
    }

    #[test]
    fn without_a_reason_place_and_kind_decide() {
        let failure = Failure {
            dialect: "rabbitmq",
            class: Some("rejected".into()),
            history: vec![Death { reason: "rejected".into(), queue: "orders".into(), count: 1, time: None }],
            ..Failure::default()
        };
        let order = Message { payload: Some(r#"{"order":1}"#.into()), ..Message::default() };
        let cart = Message { payload: Some(r#"{"cart":1}"#.into()), ..Message::default() };
        let of = |message| fingerprint(message, Some(&failure), &Rules::default());
        assert_ne!(of(&order).id, of(&cart).id);
        let group = of(&order);
        assert_eq!(group.title, "rejected in orders: {order}");
    }

    #[test]
    fn frames_tell_causes_apart_and_hold_one_cause_together_over_queues() {
        let at = |queue: &str, frames: &[&str]| Failure {
            frames: frames.iter().map(|frame| (*frame).to_owned()).collect(),
            origin: Some(Origin::Queue(queue.into())),
            ..failed("java.net.SocketTimeoutException", "Read timed out")
        };
        let charge = at("orders", &["com.acme.Http.post", "com.acme.Payments.charge"]);
        assert_ne!(id(&charge), id(&at("orders", &["com.acme.Http.post", "com.acme.Stock.reserve"])));
        assert_eq!(id(&charge), id(&at("refunds", &["com.acme.Http.post", "com.acme.Payments.charge"])));
        assert_ne!(id(&at("orders", &[])), id(&at("refunds", &[])), "without frames the place decides");
    }

    #[test]
    fn what_broke_its_consumers_is_of_a_place_and_a_stated_kind() {
        let failure = Failure {
            dialect: "rabbitmq",
            class: Some("delivery_limit".into()),
            history: vec![Death { reason: "delivery_limit".into(), queue: "orders".into(), count: 1, time: None }],
            ..Failure::default()
        };
        let of = |body: &'static str| {
            let message = Message { payload: Some(body.into()), ..Message::default() };
            fingerprint(&message, Some(&failure), &Rules::default()).id
        };
        assert_eq!(of(r#"{"order":1}"#), of(r#"{"order":1,"note":"x"}"#));
        assert_ne!(of(r#"{"type":"order.placed"}"#), of(r#"{"type":"order.shipped"}"#));
    }

    #[test]
    fn a_key_that_a_map_of_scala_has_not_is_data_where_it_is_in_upper_case() {
        let missing = |key: &str| id(&failed("java.util.NoSuchElementException", &format!("key not found: {key}")));
        assert_eq!(missing("LPPT"), missing("EGLL"));
        assert_ne!(missing("gate"), missing("stand"));
        assert_ne!(missing("MAX_WEIGHT"), missing("MAX_LEGS"));
    }

    #[test]
    fn what_comes_and_goes_with_the_writer_is_no_part_of_a_cause() {
        let plain = failed("a.UnrecognizedPropertyException", "Unrecognized field \"tier\" (class a.Member)");
        let chained =
            Failure { outer: Some("x (through reference chain: a.Member[\"tier\"])".into()), ..plain.clone() };
        assert_eq!(id(&chained), id(&plain), "a field that the text names");
        let of_group = Failure { dialect: "spring-kafka", consumer: Some("billing".into()), ..plain.clone() };
        assert_eq!(id(&of_group), id(&plain), "the group of a topic's reader");
        let wrapped = Failure { class: Some("*fmt.wrapError".into()), ..plain.clone() };
        assert_eq!(id(&wrapped), id(&Failure { class: None, ..plain.clone() }), "a class that says nothing");
        let at = |queue: &str, second| Death {
            reason: "rejected".into(),
            queue: queue.into(),
            count: 1,
            time: jiff::Timestamp::from_second(second).ok(),
        };
        let waited = Failure { history: vec![at("orders.work", 7), at("orders.delay", 3)], ..plain.clone() };
        let key = fingerprint(&Message::default(), Some(&waited), &Rules::default()).key;
        assert!(key.iter().any(|part| part.name == "place" && part.value == "orders.work"), "{key:?}");
        let sent = |address: &str| {
            let origin = Some(Origin::Exchange { exchange: "shop".into(), routing_key: "order".into() });
            let message = Message { address: address.into(), ..Message::default() };
            let key = fingerprint(&message, Some(&Failure { origin, ..plain.clone() }), &Rules::default()).key;
            key.into_iter().find_map(|part| (part.name == "place").then_some(part.value))
        };
        assert_eq!(sent("shop/orders.dlq").as_deref(), Some("orders"), "the queue of the dead letters says more");
        assert_eq!(sent("shop/parked").as_deref(), Some("shop/order"));
    }

    #[test]
    fn rules_mask_part_and_name() {
        let keyed = |rules: &Rules, message: &Message, failure: &Failure| {
            Key::of(message, Some(failure), rules).into_group(rules)
        };
        let (a, b) = (failed("Boom", "customer Smith is barred"), failed("Boom", "customer Jones is barred"));
        let acme = Message { headers: [("tenant", "acme")].into_iter().collect(), ..Message::default() };
        let rules = Rules::default().mask("customer [A-Z][a-z]+").unwrap();
        assert_ne!(id(&a), id(&b));
        let group = keyed(&rules, &acme, &a);
        assert_eq!(group.id, keyed(&rules, &acme, &b).id);
        assert_eq!(group.title, "Boom: * is barred");
        let named = rules.clone().name(group.id.to_string(), "barred customers");
        assert_eq!(keyed(&named, &acme, &a).title, "barred customers");
        let tenant = Pick::parse("header.tenant").unwrap();
        let keys = Rules::default().key(tenant.clone());
        assert_eq!(keyed(&keys, &acme, &a).id, keyed(&keys, &acme, &b).id);
        assert_eq!(keyed(&keys, &acme, &a).title, "header.tenant acme");
        assert_eq!(keyed(&keys, &Message::default(), &a).id, id(&a), "without the field nothing changes");
        let parts = rules.split(tenant);
        assert_ne!(keyed(&parts, &acme, &a).id, keyed(&parts, &Message::default(), &a).id);
        let again = parts.written().read().unwrap();
        assert_eq!(again.written(), parts.written());
        assert_eq!(keyed(&again, &acme, &a).id, keyed(&parts, &acme, &a).id);
        assert_eq!(Rules::default().mask("(").unwrap_err().kind(), crate::ErrorKind::Config);
    }
}
