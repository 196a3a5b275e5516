//! Looks compared with earlier ones, redacted archives, one group in detail, and where each dialect's replay goes.

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn capturing_again_says_what_is_new_gone_and_the_same() {
    let environment = TestEnvironment::new();
    let capture = |to: &str, more: &[&str]| {
        environment.run(&[&["capture", "demo:payments.dlq", "--to", to, "-q", "-o", "table"][..], more].concat())
    };
    assert_eq!(capture("file:a.jsonl", &[]).exit, 0);
    assert_eq!(capture("file:part.jsonl", &["--limit", "50"]).exit, 0);
    let again = capture("file:b.jsonl.zst", &["--against", "file:part.jsonl"]).stdout;
    for part in [
        "COUNT  NEW  GONE  SAME  ",
        "  142   92     0    50  ",
        "    1    1     0     0  ",
        "\n93 new, 0 gone, 50 the same, compared with file:part.jsonl.\n",
    ] {
        assert!(again.contains(part), "{part}\n{again}");
    }
    // Archives among themselves, and groups that are gone as a whole.
    let groups = environment.run(&["groups", "file:part.jsonl", "--against", "file:a.jsonl"]);
    assert_eq!(groups.stderr, "50 messages in 1 group.\n0 new, 93 gone, 50 the same, compared with file:a.jsonl.\n");
    let lines: Vec<_> = groups.stdout.lines().map(json).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["change"], serde_json::json!({"new": 0, "gone": 92, "same": 50}));
    assert_eq!((lines[1]["count"].as_u64(), &lines[1]["change"]["gone"]), (Some(0), &1.into()));
    // An address and an archive.
    let report = environment.run(&["report", "demo:payments.dlq", "--against", "file:a.jsonl", "-q", "-o", "md"]);
    assert!(report.stdout.contains("Since the look before: 0 new, 0 gone, 143 the same."), "{report}");
    let missing = environment.run(&["groups", "file:a.jsonl", "--against", "file:nothing.jsonl"]);
    assert_eq!((missing.exit, missing.stdout.as_str()), (1, ""), "{missing}");
}

#[test]
fn a_redacted_archive_has_the_same_groups_and_is_sent_nowhere() {
    let rules = "[profiles.shop]\nurl = \"amqp://h/%2f\"\nredact = [\"body.card\", \"header.x-error-message\"]\n";
    let environment = TestEnvironment::with_config(rules);
    let line = |id: &str, message: &str, address: &str| {
        format!(
            r#"{{"address":"{address}","id":"{id}","headers":[["x-error-type","Declined"],["x-error-message","{message}"]],"payload":"{{\"card\":4111,\"n\":1}}"}}"#
        ) + "\n"
    };
    let shop = line("a", "card 4111 is barred", "shop:dlq") + &line("b", "no such account", "shop:dlq");
    std::fs::write(environment.path("whole.jsonl"), shop.clone() + &line("c", "x", "other:dlq")).unwrap();
    let capture = environment.run(&["capture", "file:whole.jsonl", "--redacted", "--to", "file:masked.jsonl.zst"]);
    assert_eq!(capture.exit, 3, "{capture}");
    assert!(capture.stdout.contains("nothing says which profile it came from"), "{capture}");
    let masked = environment.run(&["browse", "file:masked.jsonl.zst", "--all"]).stdout;
    assert_eq!(masked.lines().count(), 2);
    assert!(!masked.contains("4111") && !masked.contains("barred") && masked.contains("***"), "{masked}");

    let ids = |address: &str, filter: &str| -> Vec<String> {
        let groups = environment.run(&["groups", address, "--filter", filter]).stdout;
        let mut ids: Vec<String> = groups.lines().map(|line| json(line)["id"].to_string()).collect();
        ids.sort_unstable();
        ids
    };
    assert_eq!(ids("file:masked.jsonl.zst", "id:a or id:b"), ids("file:whole.jsonl", "id:a or id:b"));
    let id = ids("file:whole.jsonl", "id=a").remove(0);
    let one = environment.run(&["browse", "file:masked.jsonl.zst", "--group", id.trim_matches('"')]).stdout;
    assert_eq!(json(one.trim())["id"], "a");

    assert_snapshot!(environment.run(&["replay", "file:masked.jsonl.zst", "--to", "demo:orders", "--yes"]), @"
    ------- stderr -------
    Error: file:masked.jsonl.zst was written with --redacted: its masked values can't be replayed
    Hint: replay from the queue, or from an archive that was captured whole
    [exit 2]
    ");
    // Mixed into another archive, and as lines.
    std::fs::write(environment.path("mixed.jsonl"), shop + &masked).unwrap();
    let replay = environment.run(&["replay", "file:mixed.jsonl", "--to", "demo:orders", "--yes"]);
    let report = json(&replay.stdout);
    assert_eq!((report["done"].as_u64(), report["skipped"].as_u64()), (Some(2), Some(2)), "{replay}");
    let publish = environment.run_with(&["publish", "demo:orders", "--yes"], &masked);
    assert_eq!((publish.exit, json(&publish.stdout)["done"].as_u64()), (1, Some(0)), "{publish}");
    assert!(publish.stdout.contains("it is redacted"), "{publish}");
    let lines = environment.run(&["browse", "file:whole.jsonl", "--redact", "--filter", "id=a"]).stdout;
    assert_eq!(environment.run_with(&["publish", "demo:orders", "--yes"], &lines).exit, 1);
    // A copy of a masked archive stays masked.
    assert_eq!(environment.run(&["capture", "file:masked.jsonl.zst", "--to", "file:copy.jsonl"]).exit, 0);
    assert_eq!(environment.run(&["replay", "file:copy.jsonl", "--to", "demo:orders", "--yes"]).exit, 2);
    let nothing = environment.run(&["capture", "demo:payments.dlq", "--redacted", "--to", "file:x.jsonl"]);
    assert!(nothing.exit == 2 && nothing.stderr.contains("has no redact rules"), "{nothing}");
}

#[test]
fn one_group_is_told_in_detail() {
    let environment = TestEnvironment::new().variable("COLUMNS", "120");
    let run = environment.run(&[
        "groups",
        "demo:orders.dlq",
        "demo:order-events-dlt",
        "--group",
        "g-cb3631",
        "-q",
        "-o",
        "table",
    ]);
    for part in [
        "\ng-cb3631 ConnectException: Connection refused: *\n",
        "2026-03-02 14:23:28Z to 2026-03-02 14:46:34Z",
        "demo:order-events: 156 in demo:order-events-dlt",
        "demo:exchange:shop/order.placed: 118 in demo:orders.dlq",
        "* 1: tax.internal/10.20.4.17:8443, tax.internal/10.20.4.18:8443",
        "class: java.net.ConnectException",
        "  sample    ",
        "\"order_id\":",
    ] {
        let squeezed = run.stdout.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        let wanted = part.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(wanted.trim()), "{part}\n{run}");
    }
}

/// Every field of the issue's list in the object, and every row of the table.
#[test]
fn groups_tell_count_share_times_rate_origins_sample_expiry_and_what_differs() {
    let environment = TestEnvironment::new();
    let run = environment.run(&["groups", "demo:orders.dlq", "demo:order-events-dlt", "-q", "-o", "json"]);
    let groups = json(&run.stdout);
    let group = groups.as_array().unwrap().iter().find(|group| group["id"] == "g-cb3631").unwrap();
    assert_eq!((group["count"].as_u64(), group["share"].as_f64()), (Some(274), Some(0.309)));
    for time in ["first", "last", "expires"] {
        assert!(group[time].as_str().unwrap().starts_with("2026-03-"), "{time}");
    }
    let rate: u64 = group["rate"]["counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(rate, 274);
    let origins: u64 = group["origins"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!((origins, group["origins"][0]["read_from"].as_str()), (274, Some("demo:order-events-dlt")));
    assert_eq!(group["sample"]["schema"], "postroom.message/1");
    let values: Vec<_> = group["varying"][0]["values"].as_array().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(values, [r#""tax.internal/10.20.4.17:8443""#, r#""tax.internal/10.20.4.18:8443""#]);
}
