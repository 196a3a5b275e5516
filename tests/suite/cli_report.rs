//! `report`: the incident report on the demo, on archives and beside journals.

use crate::environment::TestEnvironment;

/// All dead-letter queues of the demo.
const DEAD: [&str; 8] = [
    "demo:orders.dlq",
    "demo:order-events-dlt",
    "demo:inventory.updates.dlq",
    "demo:emails_error",
    "demo:thumbnails.dlq",
    "demo:shipping-labels-dlq",
    "demo:payments.dlq",
    "demo:returns-handler-dlq",
];

#[test]
fn the_whole_demo_is_one_report() {
    let environment = TestEnvironment::new();
    let report = environment.run(&[&["report", "-q", "-o", "md"][..], &DEAD].concat());
    insta::assert_snapshot!("incident_report_of_the_demo", report);
    let json = environment.run(&[&["report", "-q"][..], &DEAD].concat());
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json["schema"].as_str(), json["messages"].as_u64()), (Some("postroom.incident/1"), Some(2000)));
    let sum = |list: &str, field: &str| -> u64 {
        json[list].as_array().unwrap().iter().map(|one| one[field].as_u64().unwrap()).sum()
    };
    assert_eq!((sum("groups", "count"), sum("places", "messages")), (2000, 2000));
    assert_eq!(json["groups"].as_array().unwrap().len(), 9);
}

#[test]
fn a_report_tells_what_was_done_and_an_archive_tells_where_it_was() {
    let environment = TestEnvironment::new();
    assert_eq!(environment.run(&["capture", "demo:payments.dlq", "--to", "file:dead.jsonl.zst", "-q"]).exit, 0);
    let groups = environment.run(&["groups", "file:dead.jsonl.zst", "-q"]).stdout;
    let largest: serde_json::Value = serde_json::from_str(groups.lines().next().unwrap()).unwrap();
    let group = largest["id"].as_str().unwrap();
    let replay = ["replay", "demo:payments.dlq", "--to", "demo:payments", "--group", group, "--yes", "-q"];
    assert_eq!(environment.run(&replay).exit, 0);
    let report = environment.run(&["report", "file:dead.jsonl.zst", "-o", "md"]);
    assert_eq!((report.exit, report.stderr.as_str()), (0, ""));
    let page = report.stdout;
    for part in [
        "| 143 | 2026-03-02 14:02:".to_owned(),
        "`demo:payments.dlq` (in `file:dead.jsonl.zst`)".to_owned(),
        "came from `demo:exchange:shop/payment.".to_owned(),
        format!("| finished | replay | `demo:payments.dlq` | `demo:payments` | group `{group}` |"),
        "- Done: replay to `demo:payments`, 2026-03-02 15:00:00Z, finished: 142 done".to_owned(),
    ] {
        assert!(page.contains(&part), "{part}\n{page}");
    }
}

#[test]
fn a_report_hides_what_the_profile_of_an_archived_message_hides() {
    let rules = "[profiles.shop]\nurl = \"amqp://h/%2f\"\nredact = [\"body.card\", \"header.x-error-message\"]\n";
    let environment = TestEnvironment::with_config(rules);
    let line = |address: &str| {
        format!(
            r#"{{"address":"{address}","headers":[["x-error-type","Declined"],["x-error-message","card 4111 is barred"]],"payload":"{{\"card\":4111}}"}}"#
        )
    };
    for (address, hidden) in [("shop:orders.dlq", true), ("stage:orders.dlq", false)] {
        std::fs::write(environment.path("dead.jsonl"), line(address) + "\n").unwrap();
        for format in ["md", "json"] {
            let page = environment.run(&["report", "file:dead.jsonl", "-o", format]).stdout;
            assert_eq!(page.contains("4111") || page.contains("barred"), !hidden, "{page}");
        }
        let table = environment.run(&["browse", "file:dead.jsonl", "-o", "table"]).stdout;
        assert_eq!(table.contains("4111"), !hidden, "{table}");
    }
}

#[test]
fn only_a_report_is_markdown_and_a_report_has_no_raw_form() {
    let environment = TestEnvironment::new();
    for verb in ["groups", "browse", "show"] {
        let run = environment.run(&[verb, "demo:payments.dlq", "-o", "md"]);
        assert_eq!((run.exit, run.stdout.as_str()), (2, ""), "{run}");
        assert!(run.stderr.contains("-o md writes an incident report"), "{run}");
    }
    assert_eq!(environment.run(&["report", "demo:payments.dlq", "-o", "raw"]).exit, 2);
}
