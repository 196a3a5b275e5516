//! Verbs that change queues: the plan, the consent, the report and the journal.

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

const READ_ONLY: &str = "[profiles.shop]\nurl = \"amqp://app@127.0.0.1:1/%2f\"\nread_only = true\n";
const PRODUCTION: &str = "[profiles.shop]\nurl = \"amqp://app@127.0.0.1:1/%2f\"\nproduction = true\n";

fn messages(count: usize) -> String {
    let line = |n| format!("{{\"payload\":\"message {n}\",\"key\":\"orders\"}}\n");
    (1..=count).map(line).collect::<Vec<_>>().concat()
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_done() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["replay", "demo:orders.dlq"]), @"
    ------- stderr -------
    Error: there is no terminal to ask on
    Hint: look at the plan with --dry-run, then write --yes
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["drain", "demo:orders.dlq", "--discard"]), @"
    ------- stderr -------
    Error: there is no terminal to ask on
    Hint: look at the plan with --dry-run, then write --yes
    [exit 2]
    ");
    assert_snapshot!(environment.run_with(&["publish", "demo:emails"], &messages(2)), @"
    ------- stderr -------
    Error: there is no terminal to ask on
    Hint: look at the plan with --dry-run, then write --yes
    [exit 2]
    ");
    assert!(!environment.path("home/.local/state/postroom").exists());
}

#[test]
fn a_read_only_profile_refuses_whatever_is_said() {
    let environment = TestEnvironment::with_config(READ_ONLY);
    assert_snapshot!(environment.run(&["drain", "shop:orders.dlq", "--discard", "--yes"]), @"
    ------- stderr -------
    Error: shop:orders.dlq is read-only
    Hint: the profile says read_only = true; use another profile, or change it in the config file
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["publish", "shop:orders.dlq", "--body", "x", "--yes"]), @"
    ------- stderr -------
    Error: shop:orders.dlq is read-only
    Hint: the profile says read_only = true; use another profile, or change it in the config file
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["replay", "demo:orders.dlq", "--to", "shop:orders", "--yes"]), @"
    ------- stderr -------
    Error: shop:orders is read-only
    Hint: the profile says read_only = true; use another profile, or change it in the config file
    [exit 2]
    ");
}

#[test]
fn a_production_profile_wants_the_queues_name() {
    let environment = TestEnvironment::with_config(PRODUCTION);
    assert_snapshot!(environment.run(&["replay", "shop:orders.dlq", "--yes"]), @"
    ------- stderr -------
    Error: shop:orders.dlq is production: --yes alone is not enough
    Hint: write --yes=orders.dlq
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["replay", "shop:orders.dlq", "--yes=orders"]), @"
    ------- stderr -------
    Error: shop:orders.dlq is production: --yes=orders names another queue
    Hint: write --yes=orders.dlq
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["publish", "shop:orders", "--body", "x"]), @"
    ------- stderr -------
    Error: there is no terminal to ask on
    Hint: look at the plan with --dry-run, then write --yes=orders
    [exit 2]
    ");
}

#[test]
fn a_dry_run_prints_the_plan_and_stops() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["replay", "demo:payments.dlq", "--dry-run", "-o", "table"]), @"
    Replay 143 messages in demo:payments.dlq
      →  demo:exchange:shop  143
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      adds     postroom-replay-id, postroom-replay-count
      undo     `postroom journal undo` puts back what no consumer has taken by then
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["drain", "demo:payments.dlq", "--to", "file:a.jsonl", "-n", "-o", "table"]), @"
    Drain 143 messages in demo:payments.dlq
      →  file:a.jsonl  143
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      ✓ archive is new: file:a.jsonl
      undo     `postroom journal undo` puts them back; the archive stays
    [exit 0]
    ");
    assert_snapshot!(environment.run_with(&["publish", "demo:emails", "-n", "-o", "table"], &messages(3)), @"
    Publish 3 messages
      →  demo:emails  3
      ✓ target exists
      undo     what a consumer has taken can't be called back
    [exit 0]
    ");
    assert!(!environment.path("a.jsonl").exists());
}

#[test]
fn a_saved_plan_whose_messages_are_late_is_run_where_that_is_agreed_to() {
    let environment = TestEnvironment::new();
    let plan = [
        "replay",
        "demo:shipping-labels-dlq",
        "--to",
        "demo:shipping-labels",
        "--rate",
        "0.01",
        "--plan-out",
        "late.json",
    ];
    assert_eq!(environment.run(&plan).exit, 0);
    let refused = environment.run(&["plan", "run", "late.json", "--dry-run"]);
    assert!(refused.exit == 2 && refused.stderr.contains("--let-expire lets them go"), "{refused}");
    let agreed = environment.run(&["plan", "run", "late.json", "--let-expire", "--dry-run", "-o", "table"]);
    assert!(agreed.exit == 0 && agreed.stdout.contains("! expiry: "), "{agreed}");
    assert!(!agreed.stdout.contains("--let-expire"), "{agreed}");
}

#[test]
fn a_journal_tells_the_options_that_its_run_was_begun_with() {
    let environment = TestEnvironment::new();
    let options = [
        "--filter 'body.payment_id:*'",
        "--limit 2",
        "--rate 500",
        "--verify 1s",
        "--max-in-flight 10",
        "--per-key=body.order_id",
        "--max-failures 5",
        "--max-replays 3",
        "--park demo:emails_error",
        "--keep",
        "--again",
        "--rescue",
    ]
    .join(" ");
    let words = options.replace('\'', "");
    let words: Vec<&str> = ["replay", "demo:payments.dlq", "--yes", "-q"].into_iter().chain(words.split(' ')).collect();
    let run = environment.run(&words);
    assert!(run.stdout.contains("\"done\": 2"), "{run}");
    let shown = environment.run(&["journal", "show", "20260302", "-o", "table"]);
    assert!(shown.stdout.contains(&format!("  with {options}\n")), "{shown}");
    let shown = environment.run(&["journal", "show", "20260302", "-o", "json"]);
    let json: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!((json["limit"].as_u64(), json["pace"]["verify_s"].as_f64()), (Some(2), Some(1.0)), "{shown}");
    assert_eq!((json["rescue"].as_bool(), json["aside"]["max_replays"].as_u64()), (Some(true), Some(3)), "{shown}");
}

#[test]
fn a_replay_reports_and_leaves_a_journal() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["replay", "demo:payments.dlq", "--yes", "-o", "table"]), @"
    Replayed 143 messages in 0.0 s
      → demo:exchange:shop  143
      journal 20260302-150000-xxxxx
    ------- stderr -------
    Replay 143 messages in demo:payments.dlq
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      adds     postroom-replay-id, postroom-replay-count
      strips   header CC, header BCC, header x-delivery-count, header
               x-acquired-count, header x-deduplication-header, header x-delay,
               header MT-Fault-*, header MT-Reason, header
               NServiceBus.ExceptionInfo.*, header NServiceBus.FailedQ, header
               NServiceBus.TimeOfFailure, header NServiceBus.Retries*, header
               NServiceBus.FLRetries, header retry_topic-*, header
               springDeserializerException*, property user_id, property expiration,
               property reply_to = amq.rabbitmq.reply-to
      undo     `postroom journal undo` puts back what no consumer has taken by then
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["journal", "list", "-o", "table"]), @"
    ID                     STATE     AGE  VERB    DONE  FROM               TO
    20260302-150000-xxxxx  finished   0s  replay   143  demo:payments.dlq  origin
    [exit 0]
    ");
    let list = environment.run(&["journal", "list"]);
    assert!(list.stdout.starts_with("{\"schema\":\"postroom.journal/1\",\"id\":"), "{list}");
    assert_snapshot!(environment.run(&["journal", "resume", "--yes"]), @"
    ------- stderr -------
    Error: there is no unfinished journal
    Hint: `postroom journal list` shows all
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["journal", "show", "nonsense"]), @r#"
    ------- stderr -------
    Error: there is no journal "nonsense"
    Hint: `postroom journal list` shows all
    [exit 1]
    "#);
}

#[test]
fn outcomes_come_as_lines_before_the_report() {
    let environment = TestEnvironment::new();
    let run =
        environment.run(&["drain", "demo:emails_error", "--to", "file:a.jsonl.zst", "--yes", "-q", "-o", "jsonl"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!((run.exit, lines.len()), (0, 237), "{run}");
    assert!(lines[..236].iter().all(|line| line.starts_with("{\"schema\":\"postroom.outcome/1\"")));
    assert!(lines[236].starts_with("{\"schema\":\"postroom.report/1\""));
}

#[test]
fn a_drain_writes_an_archive_that_browses_and_refuses_one_that_is_there() {
    let environment = TestEnvironment::new();
    let drain = ["drain", "demo:emails_error", "--to", "file:a.jsonl.zst", "--yes", "-o", "table"];
    assert_snapshot!(environment.run(&drain), @"
    Drained 236 messages in 0.0 s
      → file:a.jsonl.zst  236
      journal 20260302-150000-xxxxx
    ------- stderr -------
    Drain 236 messages in demo:emails_error
      →  file:a.jsonl.zst  236
      ✓ read budget: each look marks messages as redelivered; nothing limits it
      ✓ archive is new: file:a.jsonl.zst
      undo     `postroom journal undo` puts them back; the archive stays
    [exit 0]
    ");
    let browse = environment.run(&["browse", "file:a.jsonl.zst", "--all", "-q"]);
    assert_eq!((browse.exit, browse.stdout.lines().count()), (0, 236));
    assert_snapshot!(environment.run(&drain), @"
    ------- stderr -------
    Error: the archive a.jsonl.zst exists already
    Hint: name a new file; what is there is never written over
    [exit 2]
    ");
}

#[test]
fn a_capture_copies_and_asks_nothing() {
    let environment = TestEnvironment::new();
    let capture = ["capture", "demo:payments.dlq", "--to", "file:copy.jsonl", "-o", "table"];
    assert_snapshot!(environment.run(&capture), @"
    Copied 143 messages in 0.0 s
      → file:copy.jsonl  143
    ------- stderr -------
    demo:payments.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    [exit 0]
    ");
    assert_snapshot!(environment.run(&capture), @"
    ------- stderr -------
    demo:payments.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    Error: the archive copy.jsonl exists already
    Hint: name a new file; what is there is never written over
    [exit 2]
    ");
    let browse = environment.run(&["browse", "file:copy.jsonl", "--all", "-q"]);
    assert_eq!((browse.exit, browse.stdout.lines().count()), (0, 143));
}

#[test]
fn a_pipe_of_lines_is_lossless() {
    let environment = TestEnvironment::new();
    let all = environment.run(&["browse", "demo:inventory.updates.dlq", "--all", "-q"]).stdout;
    let publish = environment.run_with(&["publish", "file:copy.jsonl", "--yes", "-q"], &all);
    assert_eq!(publish.exit, 0, "{publish}");
    let copy = environment.run(&["browse", "file:copy.jsonl", "--all", "-q"]).stdout;
    let content = |lines: &str| -> Vec<serde_json::Value> {
        let parts = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            serde_json::json!([line["key"], line["headers"], line["properties"], line["payload"]])
        };
        lines.lines().map(parts).collect()
    };
    assert_eq!(content(&all).len(), 264);
    assert_eq!(content(&all), content(&copy));
}

#[test]
fn a_malformed_line_is_named_by_number_with_what_had_been_sent() {
    let environment = TestEnvironment::new();
    let input = format!("{}\n{{\"payload\":17}}\n{}", messages(3), messages(1));
    assert_snapshot!(environment.run_with(&["publish", "demo:emails", "--yes", "-o", "table"], &input), @r#"
    Published 3 messages in 0.0 s
      → demo:emails  3
    ------- stderr -------
    Publish the messages of the input
      →  demo:emails  ?
      ✓ target exists
      undo     what a consumer has taken can't be called back
    Error: line 5 of standard input: field "payload": invalid type: integer `17`, expected {"utf8":…}, {"base64":…}, a string or null (byte 13 of the line)
    Hint: what came before the line was sent; the rest was not
    [exit 3]
    "#);
    assert_snapshot!(environment.run_with(&["publish", "demo:emails", "--yes"], "{\"payload\":17}\n"), @r#"
    ------- stderr -------
    Error: line 1 of standard input: field "payload": invalid type: integer `17`, expected {"utf8":…}, {"base64":…}, a string or null (byte 13 of the line)
    Hint: nothing was sent
    [exit 1]
    "#);
}

#[test]
fn one_raw_body_is_published_without_a_question() {
    let environment = TestEnvironment::new();
    let body = ["publish", "demo:emails", "--body", "{}", "--header", "tenant=acme", "--property", "priority=3"];
    assert_snapshot!(environment.run(&[&body[..], &["-o", "table"]].concat()), @"
    Published 1 message in 0.0 s
      → demo:emails  1
    [exit 0]
    ");
    assert_snapshot!(environment.run_with(&["publish", "demo:emails", "-", "-o", "table"], "raw\nbytes"), @"
    Published 1 message in 0.0 s
      → demo:emails  1
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["publish", "demo:emails", "--body", "x", "--property", "priority=high"]), @r#"
    ------- stderr -------
    Error: the property priority is a number, and "high" is none
    [exit 2]
    "#);
    assert_snapshot!(environment.run(&["publish", "demo:emails", "--key", "k"]), @"
    ------- stderr -------
    error: the following required arguments were not provided:
      <-|--body <TEXT>|--file <FILE>>

    Usage: postroom publish --key <KEY> <-|--body <TEXT>|--file <FILE>> <ADDRESS>

    For more information, try '--help'.
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["publish", "demo:nowhere", "--body", "x"]), @r#"
    ------- stderr -------
    Error: queue "nowhere" does not exist
    Hint: `postroom queues` lists them
    [exit 1]
    "#);
}

#[test]
fn a_saved_plan_names_its_messages_and_is_run_later() {
    let environment = TestEnvironment::new();
    let save = environment.run(&[
        "replay",
        "demo:payments.dlq",
        "--limit",
        "2",
        "--plan-out",
        "plan.json",
        "-q",
        "-o",
        "table",
    ]);
    assert_snapshot!(save, @"
    Replay 2 messages in demo:payments.dlq
      →  demo:exchange:shop  2
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      adds     postroom-replay-id, postroom-replay-count
      undo     `postroom journal undo` puts back what no consumer has taken by then
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["plan", "run", "plan.json", "--dry-run", "-o", "table"]), @"
    Replay 2 messages in demo:payments.dlq
      →  demo:exchange:shop  2
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      adds     postroom-replay-id, postroom-replay-count
      undo     `postroom journal undo` puts back what no consumer has taken by then
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["plan", "run", "plan.json", "--yes", "-o", "table"]), @"
    Replayed 2 messages in 0.0 s
      → demo:exchange:shop  2
      journal 20260302-150000-xxxxx
    ------- stderr -------
    Replay 2 messages in demo:payments.dlq
      →  demo:exchange:shop  2
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 20 more
      adds     postroom-replay-id, postroom-replay-count
      undo     `postroom journal undo` puts back what no consumer has taken by then
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["replay", "demo:payments.dlq", "--plan-out", "plan.json"]), @"
    ------- stderr -------
    Error: there is a file plan.json already
    Hint: name another
    [exit 2]
    ");
    std::fs::write(environment.path("bad.json"), "{\"schema\":\n7}").unwrap();
    assert_snapshot!(environment.run(&["plan", "run", "bad.json", "--yes"]), @"
    ------- stderr -------
    Error: bad.json: this is no plan: invalid type: integer `7`, expected a string at line 2 column 1
    Hint: plans are written by --plan-out; make it again
    [exit 1]
    ");
    // Its digests would be those of no message.
    let other = std::fs::read_to_string(environment.path("plan.json")).unwrap().replace("sha-256", "sha3-256");
    std::fs::write(environment.path("other.json"), other).unwrap();
    assert_snapshot!(environment.run(&["plan", "run", "other.json", "--yes"]), @"
    ------- stderr -------
    Error: other.json: the plan names its messages by sha3-256, and this postroom knows them by sha-256
    Hint: it was written by another version of postroom; make it again
    [exit 1]
    ");
}

#[test]
fn groups_name_causes_and_their_ids_select_messages() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["groups", "demo:orders.dlq", "demo:order-events-dlt", "-o", "table"]), @"
    COUNT  GROUP     FIRST  LAST  EXPIRES  CAUSE
      612  g-9ddc57    45m    1m      13d  NullPointerException: Cannot invoke Curr…
      274  g-cb3631    23m   25s      13d  ConnectException: Connection refused: *
    ------- stderr -------
    demo:orders.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    886 messages in 2 groups.
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["groups", "demo:orders.dlq", "--by", "header.tenant", "-q", "-o", "table"]), @"
    COUNT  GROUP     FIRST  LAST  CAUSE
      449  g-75c7d8    45m    1m  harborbooks
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["groups", "demo:orders.dlq", "--by", "nonsense"]), @r#"
    ------- stderr -------
    Error: in the filter: there is no field "nonsense"
      nonsense:*
      ^^^^^^^^
    Hint: fields are body key header.NAME property.NAME reason class origin group attempts age time size offset partition id format type shape; put quotes around a text that holds an operator
    [exit 2]
    "#);
    let groups = environment.run(&["groups", "demo:orders.dlq", "-q"]).stdout;
    let largest: serde_json::Value = serde_json::from_str(groups.lines().next().unwrap()).unwrap();
    let id = largest["id"].as_str().unwrap();
    // The id of another queue, or of another version, selects nothing, and that is said.
    let said = "no message is in group g-aaaaaa: `postroom groups demo:orders.dlq` names those there are";
    let archive = environment.path("none.jsonl");
    let to = format!("file:{}", archive.display());
    for arguments in [
        &["replay", "demo:orders.dlq", "--dry-run"][..],
        &["replay", "demo:orders.dlq", "--yes"],
        &["drain", "demo:orders.dlq", "--to", &to, "--yes"],
        &["capture", "demo:orders.dlq", "--to", &to],
    ] {
        let none = environment.run(&[arguments, &["--group", "g-aaaaaa"]].concat());
        assert!(none.stdout.contains(said), "{none}");
        let streams = arguments.contains(&"--yes");
        assert_eq!(none.stderr.contains("at most 449 messages in demo:orders.dlq, group g-aaaaaa"), streams, "{none}");
        _ = std::fs::remove_file(&archive);
    }
    let browse = environment.run(&["browse", "demo:orders.dlq", "--all", "-q", "--group", id]);
    assert_eq!(browse.stdout.lines().count() as u64, largest["count"].as_u64().unwrap());
}

#[test]
fn the_demo_is_text_and_the_same_in_every_run() {
    let environment = TestEnvironment::new();
    let demo = environment.run(&["demo"]);
    assert_eq!(demo.to_string(), environment.run(&["demo"]).to_string());
    assert_eq!(demo.to_string(), environment.run(&[]).to_string());
    assert_snapshot!(demo, @"
    The demo incident: a bookshop at 14:47, after the pricing release of 14:02

    $ postroom queues demo
    QUEUE                  TYPE      MESSAGES  IN/S  OUT/S  OLDEST  CONS  PAIR
    orders.dlq             quorum         449   0.2            45m     0  ← orders
    order-events-dlt       topic         ≤437   0.2            44m        ← order-e…
    inventory.updates.dlq  topic         ≤264   0.1            44m        ← invento…
    emails_error           classic        236   0.1            44m     0
    thumbnails.dlq         classic        187   0.1            44m     0  ← thumbna…
    shipping-labels-dlq    standard      ~171   0.1            44m     0  ← shippin…
    payments.dlq           quorum         143   0.1            44m     0  ← payments
    returns-handler-dlq    standard      ~113                  44m     0
    orders                 quorum         480    42    9.5     23m     6  → orders.…
    order-events           topic         ≤300    38             9m        → order-e…
    inventory.updates      topic         ≤180    12            14m        → invento…
    audit.stream           stream         150    51             2m     0
    thumbnails             classic         64   2.4    2.4      4m     8  → thumbna…
    payments               quorum          37   3.1    2.9      1m     2  → payment…
    shipping-labels        standard       ~29   1.1    0.9      1m     0  → shippin…
    invoices.fifo          fifo           ~24   0.4    0.4      3m     0
    emails                 classic         12   5.0    5.0     23s     4

    $ postroom groups demo:orders.dlq …
    COUNT  GROUP     FIRST  LAST  EXPIRES  CAUSE
      612  g-9ddc57    45m    1m      13d  NullPointerException: Cannot invoke Curr…
      274  g-cb3631    23m   25s      13d  ConnectException: Connection refused: *
      264  g-4d78f0    44m   22s       6d  RestClientException: Schema * not found;…
      236  g-374fec    44m   27s           ParseException: Invalid addr-spec token …
      187  g-5d8584    44m   23s           rejected in thumbnails: render_cover
      171  g-388634    44m   26s      15m  no reason in shipping-labels: {carrier,o…
      142  g-d23fe8    44m   34s           PSQLException: ERROR: duplicate key valu…
      113  g-0fb9c4    44m   43s      13d  KeyError: 'postcode'
        1  g-d7d321    14m   14m           delivery_limit in payments: Captured
    2,000 messages dead, 9 causes

    $ postroom replay demo:orders.dlq --group g-9ddc57 --dry-run
    Replay 331 of 449 messages in demo:orders.dlq, group g-9ddc57
      →  demo:exchange:shop  331
      ✓ target is not the source
      ✓ read budget: each look counts against the delivery limit of 20; the most
        returned message stands 19 more
      adds     postroom-replay-id, postroom-replay-count
      undo     `postroom journal undo` puts back what no consumer has taken by then

    Every verb works on demo: addresses; `postroom help` lists them. To connect to your own broker:
      postroom queues amqp://USER@HOST:5672/%2f      (the password from POSTROOM_PASSWORD)
      postroom config init                           (profiles: addresses become NAME:QUEUE)
    [exit 0]
    ");
}
