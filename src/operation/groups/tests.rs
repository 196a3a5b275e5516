//! The engine: tallies, order, merging, and the demo incident's nine causes.

use jiff::Timestamp;

use super::*;
use crate::broker::Address;
use crate::broker::archive::{Archive, ArchiveWriter, Existing};
use crate::message::Fields;
use crate::operation::browse::BrowseRequest;
use crate::operation::control::Control;
use crate::operation::place::Place;
use crate::operation::select::Selection;

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
    groups.finish().iter().map(|group| group.to_json().to_string()).collect()
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
fn parts_in_order_make_what_one_worker_makes() {
    let mut messages = many();
    for (n, message) in messages.iter_mut().enumerate() {
        // More origins than are kept.
        message.headers = message
            .headers
            .iter()
            .map(|(name, value)| match name.as_str() {
                "x-original-routingKey" => {
                    (name.clone(), crate::message::Value::text(format!("orders-{}", n * 7 % 60)))
                }
                _ => (name.clone(), value.clone()),
            })
            .collect();
    }
    let mut whole = Groups::new(By::Failure, Arc::default());
    let mut parts = whole.part();
    for chunk in messages.chunks(7) {
        let mut part = parts.part();
        for message in chunk {
            part.add(message);
            whole.add(message);
        }
        parts.merge(part);
    }
    assert_eq!((parts.total(), parts.places().len()), (100, 1));
    assert_eq!(parts.places(), whole.places());
    let whole = whole.finish();
    assert_eq!((whole[0].origins.len(), whole[0].more_origins > 0), (32, true));
    let told: Vec<String> = whole.iter().map(|group| group.to_json().to_string()).collect();
    assert_eq!(lines(parts), told);
}

/// An archive of many blocks, which its own threads group.
#[tokio::test(flavor = "multi_thread")]
async fn an_archive_has_the_groups_that_its_messages_have() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let messages: Vec<Message> = (0..600)
        .map(|n| {
            let payload = format!("{{\"n\":{n},\"filler\":\"{}\"}}", "x".repeat(20_000));
            Message { payload: Some(payload.into()), ..dead(n, if n % 4 == 0 { "Declined" } else { "Timeout" }, 0) }
        })
        .collect();
    let mut writer = ArchiveWriter::create(&path, Existing::Refuse).unwrap();
    writer.append(&messages).unwrap();
    writer.commit().unwrap();
    let address: Address = format!("file:{}", path.display()).parse().unwrap();
    let place = Place { address, broker: Arc::new(Archive::new()), policy: crate::config::Policy::default() };
    let info = place.broker.describe(&path.display().to_string()).await.unwrap();
    for (filter, from) in [(None, 0), (Some("body.n>=350"), 350)] {
        let mut want = Groups::new(By::Failure, Arc::default());
        messages.iter().skip(from).for_each(|message| _ = want.add(message));
        let selection = Selection::parse(filter, None, Timestamp::UNIX_EPOCH, &Arc::default()).unwrap();
        let look = BrowseRequest { selection, ..BrowseRequest::all(place.clone()) };
        let mut gather = Gather::new(By::Failure, Arc::default());
        let summary = gather.look(look, &info, Masks::default(), &Control::new()).await.unwrap();
        assert_eq!((summary.matched, gather.total()), (600 - from as u64, 600 - from as u64));
        let told = |groups: Vec<GroupSummary>| -> Vec<(GroupId, u64, String)> {
            groups.into_iter().map(|group| (group.id, group.count, group.sample.id)).collect()
        };
        assert_eq!(told(gather.finish()), told(want.finish()), "{filter:?}");
    }
}

#[test]
fn what_a_profile_hides_is_hidden_and_a_group_is_the_same_group() {
    let rules = |text: &str| Arc::new(Rules::default().name(text, "the pricing release"));
    let of = |by: &str, rules: Arc<Rules>, hide: &[&str]| {
        let mut groups = Groups::new(By::parse(by).unwrap(), rules);
        let hide = hide.iter().map(|rule| rule.parse().unwrap()).collect();
        groups.seen_through(Arc::new(Masks::new(crate::config::Redaction::new(hide))));
        for message in &many() {
            groups.add(message);
        }
        groups.finish()
    };
    let hide = ["header.x-exception-message", "header.x-exception-stacktrace"];
    for by in ["failure", "class", "header.x-exception-message"] {
        let (open, masked) = (of(by, Arc::default(), &[]), of(by, Arc::default(), &hide));
        let told = |groups: &[GroupSummary]| -> std::collections::BTreeMap<GroupId, u64> {
            groups.iter().map(|group| (group.id, group.count)).collect()
        };
        assert_eq!(told(&open), told(&masked), "{by}");
        let text: String = masked.iter().map(|group| group.to_json().to_string()).collect();
        assert!(!text.contains("failed") && !text.contains("Declined"), "{by}: {text}");
    }
    let open = of("failure", Arc::default(), &[]);
    let named = of("failure", rules(&open[0].name), &hide);
    assert_eq!(named[0].title, "the pricing release");
    // Where what is hidden is not part of the title, nothing differs.
    let elsewhere = of("failure", Arc::default(), &["header.authorization", "key"]);
    assert_eq!((&elsewhere[0].title, &elsewhere[0].varying), (&open[0].title, &open[0].varying));
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
        ("header.none", "without header.none"),
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
