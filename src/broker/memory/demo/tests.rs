use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::broker::{Broker as _, ListFilter};
use crate::message::failure::detect;
use crate::message::fingerprint::{Rules, fingerprint};
use crate::message::hash::hash;
use crate::message::{Digest, Message, Value};

const DEAD: [(&str, usize); 8] = [
    ("emails_error", 236),
    ("inventory.updates.dlq", 264),
    ("order-events-dlt", 437),
    ("orders.dlq", 449),
    ("payments.dlq", 143),
    ("returns-handler-dlq", 113),
    ("shipping-labels-dlq", 171),
    ("thumbnails.dlq", 187),
];

fn dead(memory: &Memory) -> Vec<Message> {
    DEAD.iter().flat_map(|(queue, _)| memory.snapshot(queue).unwrap()).collect()
}

#[test]
fn two_thousand_messages_are_dead() {
    let memory = incident();
    for (queue, count) in DEAD {
        assert_eq!(memory.snapshot(queue).unwrap().len(), count, "{queue}");
    }
    assert_eq!(DEAD.iter().map(|(_, count)| count).sum::<usize>(), 2_000);
    assert!(memory.destroyed().is_empty());
}

#[test]
fn they_died_of_nine_causes_two_of_them_on_two_brokers() {
    let memory = incident();
    let mut groups: BTreeMap<String, (usize, BTreeSet<String>)> = BTreeMap::new();
    for message in dead(&memory) {
        let failure = detect(&message);
        let group = fingerprint(&message, failure.as_ref(), &Rules::default());
        let (count, queues) = groups.entry(format!("{} {}", group.id, group.title)).or_default();
        *count += 1;
        queues.insert(message.address.to_string());
    }
    assert_eq!(groups.len(), 9, "{groups:#?}");
    let mut sizes: Vec<usize> = groups.values().map(|(count, _)| *count).collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 113, 142, 171, 187, 236, 264, 274, 612], "{groups:#?}");
    assert_eq!(groups.values().filter(|(_, queues)| queues.len() == 2).count(), 2, "{groups:#?}");
}

#[test]
fn the_incident_is_the_same_in_every_run() {
    let digests = |memory: &Memory| dead(memory).iter().map(Message::digest).collect::<Vec<Digest>>();
    let (a, b) = (incident(), incident());
    assert_eq!(digests(&a), digests(&b));
    // A change of the content is a change of every screenshot, snapshot and document: make it on purpose.
    let all = Digest(hash(digests(&a).iter().map(Digest::to_string).collect::<String>().as_bytes())).to_string();
    assert_eq!(all.get(..16), Some("b059c8a0bf6bebd0"));
}

#[test]
fn deaths_lie_between_the_release_and_now() {
    let memory = incident();
    for message in dead(&memory) {
        let time = message.time.unwrap();
        assert!(time < NOW && time > before(RELEASE, 120_000), "{} {time}", message.address);
    }
}

#[test]
fn the_odd_ones_are_there() {
    let memory = incident();
    let dead = dead(&memory);
    let any = |what: &str, test: &dyn Fn(&Message) -> bool| assert!(dead.iter().any(test), "{what}");
    any("a tombstone", &|m| m.payload.is_none() && m.key.is_some());
    any("a null header", &|m| m.headers.get("baggage") == Some(&Value::Null));
    any("a repeated header", &|m| m.headers.get_all("x-forwarded-for").count() == 2);
    any("a number beyond 53 bits", &|m| m.body().windows(17).any(|w| w == b"\"ledger_id\":90071"));
    any("a binary payload", &|m| m.body().first() == Some(&0));
    any("an escape sequence", &|m| m.headers.get_str("user-agent").is_some_and(|agent| agent.contains('\u{1b}')));
    any("base64 of gzip", &|m| m.body().starts_with(b"H4sI"));
    any("a body that no parser likes", &|m| m.body().windows(300).any(|w| w.iter().all(|b| *b == b'[')));
}

#[tokio::test]
async fn every_dead_letter_queue_that_has_a_source_names_it() {
    let listing = incident().list(&ListFilter::default()).await.unwrap();
    assert_eq!(listing.queues.len(), 17);
    let paired: Vec<(&str, &str)> = listing
        .queues
        .iter()
        .filter_map(|queue| Some((queue.name.as_str(), queue.dead_letter_from.first()?.as_str())))
        .collect();
    assert_eq!(
        paired,
        [
            ("inventory.updates.dlq", "inventory.updates"),
            ("order-events-dlt", "order-events"),
            ("orders.dlq", "orders"),
            ("payments.dlq", "payments"),
            ("shipping-labels-dlq", "shipping-labels"),
            ("thumbnails.dlq", "thumbnails"),
        ]
    );
    for queue in listing.queues.iter().filter(|queue| queue.is_dlq) {
        assert_eq!(queue.read_cost.refused, None, "{}", queue.name);
    }
}
