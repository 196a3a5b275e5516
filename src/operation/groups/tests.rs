//! The engine: tallies, order, merging, and the demo incident's nine causes.

use jiff::Timestamp;

use super::*;
use crate::message::Fields;

fn dead(order: u64, class: &str, second: i64) -> Message {
    let headers = Fields::from_iter([
        ("x-exception-message", format!("order {order} failed").as_str()),
        (
            "x-exception-stacktrace",
            format!("com.acme.{class}: order {order} failed\n\tat com.acme.A.b(A.java:{order})").as_str(),
        ),
        ("x-original-exchange", ""),
        ("x-original-routingKey", "orders"),
    ]);
    Message {
        address: "rabbit:orders.dlq".into(),
        id: format!("m-{order}"),
        headers,
        time: Timestamp::from_second(1_772_446_272 + second).ok(),
        ..Message::default()
    }
}

fn many() -> Vec<Message> {
    (0..100).map(|i| dead(i, if i % 4 == 0 { "Declined" } else { "Timeout" }, i64::try_from(i).unwrap() * 60)).collect()
}

fn lines(groups: Groups) -> Vec<String> {
    let address =
        |from: &str, _: &crate::message::failure::Origin| format!("{}:orders", from.split(':').next().unwrap());
    groups
        .finish()
        .iter()
        .map(|group| group.to_json(address, &serde_json::json!({"id": group.sample.id})).to_string())
        .collect()
}

#[test]
fn a_tally_tells_count_share_time_origin_and_what_differs() {
    let mut groups = Groups::new(By::Failure, Arc::default());
    for message in &many() {
        groups.add(message);
    }
    let found = groups.finish();
    assert_eq!(found.len(), 2);
    let timeout = &found[0];
    assert_eq!((timeout.title.as_str(), timeout.count), ("Timeout: order * failed", 75));
    assert!((timeout.share - 0.75).abs() < 1e-9);
    assert_eq!(timeout.first.unwrap().to_string(), "2026-03-02T10:12:12Z");
    assert_eq!(timeout.sample.id, "m-1");
    assert_eq!(timeout.origins.len(), 1);
    assert_eq!((timeout.origins[0].count, &*timeout.origins[0].read_from), (75, "rabbit:orders.dlq"));
    assert_eq!(timeout.rate.counts().sum::<u64>(), 75);
    assert!(timeout.varying[0].more && timeout.varying[0].values.len() == 8);
}

#[test]
fn workers_and_order_make_no_difference() {
    let messages = many();
    let mut whole = Groups::new(By::Failure, Arc::default());
    for message in &messages {
        whole.add(message);
    }
    let mut parts = Groups::new(By::Failure, Arc::default());
    for chunk in messages.rchunks(7) {
        let mut part = Groups::new(By::Failure, Arc::default());
        for message in chunk.iter().rev() {
            part.add(message);
        }
        parts.merge(part);
    }
    assert_eq!(parts.total(), 100);
    let without_varying = |lines: Vec<String>| -> Vec<serde_json::Value> {
        lines
            .iter()
            .map(|line| {
                let mut value: serde_json::Value = serde_json::from_str(line).unwrap();
                value["varying"] = serde_json::Value::Null;
                value
            })
            .collect()
    };
    assert_eq!(without_varying(lines(parts)), without_varying(lines(whole)));
}

#[test]
fn messages_group_by_anything() {
    let mut message = dead(1, "Timeout", 0);
    message.headers.push("tenant", "acme");
    message.payload = Some(r#"{"id":1}"#.into());
    for (by, title) in [
        ("class", "com.acme.Timeout"),
        ("origin", "orders"),
        ("type", "{id}"),
        ("shape", "{id}"),
        ("header.tenant", "acme"),
        ("header.none", "without field"),
    ] {
        let mut groups = Groups::new(By::parse(by).unwrap(), Arc::default());
        groups.add(&message);
        let found = groups.finish();
        assert_eq!(found[0].title, title, "{by}");
    }
    assert!(By::parse("nonsense").is_err());
}

#[test]
fn expiry_and_attempts_are_the_extremes() {
    let mut groups = Groups::new(By::Failure, Arc::default());
    for (attempts, second) in [(3, 500), (1, 400), (7, 600)] {
        let message = dead(1, "Timeout", 0);
        let mut failure = detect(&message).unwrap();
        failure.attempts = Some(attempts);
        groups.add_known(&message, Some(&failure), Timestamp::from_second(second).ok());
    }
    let found = groups.finish();
    assert_eq!((found[0].attempts, found[0].expires), (Some((1, 7)), Timestamp::from_second(400).ok()));
}

/// The demo tells of nine causes over three brokers, two of them on two brokers each (its table). The poison message
/// that nobody could name is one of the nine.
#[test]
fn the_demo_incident_has_its_nine_causes() {
    let demo = crate::broker::memory::demo::incident();
    let mut groups = Groups::new(By::Failure, Arc::default());
    for queue in [
        "emails_error",
        "inventory.updates.dlq",
        "order-events-dlt",
        "orders.dlq",
        "payments.dlq",
        "returns-handler-dlq",
        "shipping-labels-dlq",
        "thumbnails.dlq",
    ] {
        for message in demo.snapshot(queue).unwrap() {
            groups.add(&message);
        }
    }
    let found = groups.finish();
    let told: Vec<(u64, &str)> = found.iter().map(|group| (group.count, group.title.as_str())).collect();
    let counts: Vec<u64> = told.iter().map(|(count, _)| *count).collect();
    assert_eq!(counts, [612, 274, 264, 236, 187, 171, 142, 113, 1], "{told:#?}");
    assert!(found[0].origins.len() > 1, "the first cause is met on two brokers");
}
