//! `queues`, `show` and `browse` on the demo and on archives.

use insta::assert_snapshot;

use crate::environment::{Run, TestEnvironment};

#[test]
fn queues_come_dead_letters_first() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["queues", "demo", "-o", "table"]), @"
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
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["queues", "demo:orders*", "-o", "jsonl"]), @r#"
    {"schema":"postroom.queue/1","address":"demo:orders.dlq","name":"orders.dlq","broker":"rabbitmq","kind":"quorum","messages":449,"accuracy":"exact","in_flight":0,"bytes":954860,"consumers":0,"rate_in":0.2,"rate_out":0.0,"oldest":"2026-03-02T14:01:18Z","expiry_s":null,"dead_letter_to":[],"dead_letter_from":["demo:orders"],"is_dlq":true,"read_cost":{"kind":"redelivers","budget":20,"why":"each look counts against the delivery limit of 20; the most returned message stands 20 more","refused":null},"notes":[]}
    {"schema":"postroom.queue/1","address":"demo:orders","name":"orders","broker":"rabbitmq","kind":"quorum","messages":480,"accuracy":"exact","in_flight":0,"bytes":307028,"consumers":6,"rate_in":42.0,"rate_out":9.5,"oldest":"2026-03-02T14:23:02Z","expiry_s":null,"dead_letter_to":["demo:orders.dlq"],"dead_letter_from":[],"is_dlq":false,"read_cost":{"kind":"redelivers","budget":20,"why":"each look counts against the delivery limit of 20; the most returned message stands 20 more","refused":null},"notes":[]}
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["queues", "demo:nothing*"]), @"
    ------- stderr -------
    No queue matches.
    [exit 0]
    ");
}

#[test]
fn show_says_what_a_look_costs() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["show", "demo:payments.dlq", "-o", "table"]), @"
    demo:payments.dlq
      type               rabbitmq quorum
      messages           143
      in flight          0
      size               235 kB
      consumers          0
      rates              0.1 in, 0 out a second
      oldest             2026-03-02 14:02:27Z (44m ago)
      dead letters from  demo:payments
      a look             each look counts against the delivery limit of 20; the most returned message stands 20 more
      peek budget        20 more looks
      profile            rabbitmq-quorum-4.0
      x-delivery-limit   20
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "demo:payments.dqlq"]), @r#"
    ------- stderr -------
    Error: queue "payments.dqlq" does not exist
    Hint: `postroom queues` lists them
    [exit 1]
    "#);
}

#[test]
fn browse_shows_people_the_reason_and_the_payload() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["browse", "demo:payments.dlq", "-o", "table", "--limit", "3"]), @r#"
      1  2026-03-02 14:02:27Z (44m)  error.payment.captured  1.6 kB  g-d23fe8
        PSQLException: ERROR: duplicate key value viola…  from exchange:shop/paymen…
        {"payment_id":"pay_7e850d7c059773c8","order_id":"ORD-2026-046000","captured…
      2  2026-03-02 14:02:46Z (44m)  error.payment.captured  1.6 kB  g-d23fe8
        PSQLException: ERROR: duplicate key value viola…  from exchange:shop/paymen…
        {"payment_id":"pay_75782489b54137d2","order_id":"ORD-2026-046001","captured…
      3  2026-03-02 14:03:00Z (44m)  error.payment.captured  1.6 kB  g-d23fe8
        PSQLException: ERROR: duplicate key value viola…  from exchange:shop/paymen…
        {"payment_id":"pay_b91d754eb77ccac3","order_id":"ORD-2026-046002","captured…
    ------- stderr -------
    demo:payments.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    3 messages shown of 3 seen, 3 returned.
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["browse", "demo:thumbnails.dlq", "-o", "table", "--limit", "2"]), @r#"
      1  2026-03-02 14:02:03Z (44m)  thumbnails.dlq  603 B  g-5d8584
        rejected  from thumbnails, 1 attempt
        [["covers/9780002735523.tif",160],{},{"callbacks":null,"errbacks":null,"cha…
      2  2026-03-02 14:02:09Z (44m)  thumbnails.dlq  603 B  g-5d8584
        rejected  from thumbnails, 1 attempt
        [["covers/9780008465244.tif",320],{},{"callbacks":null,"errbacks":null,"cha…
    ------- stderr -------
    demo:thumbnails.dlq: each look marks messages as redelivered; nothing limits it
    2 messages shown of 2 seen, 2 returned.
    [exit 0]
    "#);
    assert_snapshot!(environment.run(&["browse", "demo:inventory.updates.dlq", "-o", "table", "--limit", "2"]), @"
    0:0  2026-03-02 14:02:23Z (44m)  978-9498873691  1.8 kB  g-4d78f0
        RestClientException: Schema 4712 not found; error c…  from inventory.updates
        (confluent) a record of schema 4712, probably Avro
    0:1  2026-03-02 14:02:38Z (44m)  978-2220680043  1.8 kB  g-4d78f0
        RestClientException: Schema 4712 not found; error c…  from inventory.updates
        (confluent) a record of schema 4712, probably Avro
    [exit 0]
    ");
}

#[test]
fn without_limit_or_all_fifty_are_shown_and_more_are_announced() {
    let environment = TestEnvironment::new();
    let run = environment.run(&["browse", "demo:orders.dlq"]);
    assert_eq!((run.exit, run.stdout.lines().count()), (0, 50));
    assert_snapshot!(run.stderr, @"
    demo:orders.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    50 messages shown of 50 seen, 50 returned. There are more: --limit N or --all.
    ");
    let run = environment.run(&["browse", "demo:orders.dlq", "--all", "-q"]);
    assert_eq!((run.exit, run.stdout.lines().count(), run.stderr.as_str()), (0, 449, ""));
}

#[test]
fn a_browse_that_matches_nothing_is_done() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "--all", "--filter", "body.order_id=none"]), @"
    ------- stderr -------
    demo:orders.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    0 messages shown of 449 seen, 449 returned.
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "-o", "json", "--filter", "body.order_id=none"]), @"
    []
    ------- stderr -------
    demo:orders.dlq: each look counts against the delivery limit of 20; the most returned message stands 20 more (peek budget: 20)
    0 messages shown of 449 seen, 449 returned.
    [exit 0]
    ");
}

#[test]
fn browse_shows_chosen_columns_of_several_queues_as_a_table_as_csv_and_as_objects() {
    let environment = TestEnvironment::new();
    let browse = |more: &[&str]| {
        let columns = ["browse", "demo:order-events-dlt", "demo:inventory.updates.dlq", "-q", "--limit", "2"];
        environment.run(&[&columns[..], more].concat())
    };
    assert_snapshot!(browse(&["--columns", "age,queue,id,body.currency,why", "-o", "table"]), @r#"
    AGE  QUEUE                  ID   BODY.CURRENCY  WHY
    44m  order-events-dlt       0:0  null           NullPointerException: Cannot in…
    44m  order-events-dlt       0:1  null           NullPointerException: Cannot in…
    44m  inventory.updates.dlq  0:0                 RestClientException: Schema 471…
    44m  inventory.updates.dlq  0:1                 RestClientException: Schema 471…
    [exit 0]
    "#);
    assert_snapshot!(browse(&["--columns", "queue, id, body.customer.name, body.paid, why"]), @r#"
    queue,id,body.customer.name,body.paid,why
    order-events-dlt,0:0,Yara Nowak,,"NullPointerException: Cannot invoke ""java.util.Currency.getDefaultFractionDigits()"" because the return value of ""com.harborbooks.orders.Order.currency()"" is null"
    order-events-dlt,0:1,Yara Lindqvist,,"NullPointerException: Cannot invoke ""java.util.Currency.getDefaultFractionDigits()"" because the return value of ""com.harborbooks.orders.Order.currency()"" is null"
    inventory.updates.dlq,0:0,,,RestClientException: Schema 4712 not found; error code: 40403
    inventory.updates.dlq,0:1,,,RestClientException: Schema 4712 not found; error code: 40403
    [exit 0]
    "#);
    let objects = browse(&["--columns", "id,size", "-o", "jsonl"]);
    let first = objects.stdout.lines().next().unwrap();
    let row = r#"{"schema":"postroom.row/1","address":"demo:order-events-dlt","id":"0:0","cells":{"id":"0:0","size":"2.9 kB"}}"#;
    assert_eq!(first, row);
    assert_eq!(browse(&["-o", "jsonl"]).stdout.lines().count(), 4);
    assert_snapshot!(browse(&["--columns", "id,clas"]), @r#"
    ------- stderr -------
    Error: there is no column "clas"
    Hint: did you mean class?
    [exit 2]
    "#);
    assert_snapshot!(browse(&["--columns", "id", "-o", "raw"]), @r#"
    ------- stderr -------
    Error: -o raw writes payloads, which have no columns
    Hint: use -o table, -o csv, -o json or -o jsonl
    [exit 2]
    "#);
    assert_snapshot!(browse(&["-o", "csv"]), @r#"
    ------- stderr -------
    Error: -o csv writes the columns of messages, and none were named
    Hint: `postroom browse ADDRESS --columns age,id,why -o csv` names some; lists are -o table, -o json or -o jsonl
    [exit 2]
    "#);
    assert_snapshot!(browse(&["--follow"]), @r#"
    ------- stderr -------
    Error: --follow waits at the end of one queue
    Hint: name one address, and follow the others beside it
    [exit 2]
    "#);
}

#[test]
fn queues_are_found_by_a_few_letters() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["queues", "demo", "--match", "ord dlq", "-o", "table"]), @r#"
    QUEUE                  TYPE      MESSAGES  IN/S  OLDEST  CONS  PAIR
    orders.dlq             quorum         449   0.2     45m     0  ← orders
    inventory.updates.dlq  topic         ≤264   0.1     44m        ← inventory.upda…
    returns-handler-dlq    standard      ~113           44m     0
    [exit 0]
    "#);
}

#[test]
fn several_groups_are_selected_at_once() {
    let environment = TestEnvironment::new();
    let found = environment.run(&["groups", "demo:orders.dlq", "-q"]);
    let name = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
    let names: Vec<String> = found.stdout.lines().map(name).collect();
    let [one, two] = names.as_slice() else { panic!("{names:?}") };
    let look = |verb: &[&str]| environment.run(&[verb, &["-q", "--group", one, "--group", two]].concat());
    let count = |run: &Run| run.stdout.lines().count();
    assert_eq!(count(&look(&["browse", "demo:orders.dlq", "--all"])), 449);
    assert_eq!(count(&look(&["groups", "demo:orders.dlq", "demo:payments.dlq"])), 2);
    let plan = look(&["replay", "demo:order-events-dlt", "--dry-run", "-o", "table"]);
    assert!(plan.stdout.contains(&format!("messages in demo:order-events-dlt, groups {one}, {two}")), "{plan}");
    let both = environment.run(&["browse", "demo:orders.dlq", "--all", "-q", "--group", &format!("{one},{two}")]);
    assert_eq!(count(&both), 449);
}

#[test]
fn raw_writes_payload_bytes_and_nothing_else() {
    let environment = TestEnvironment::new();
    let run = environment.run(&["browse", "demo:orders.dlq", "-o", "raw", "--limit", "1", "-q"]);
    assert!(run.stdout.starts_with("{\"order_id\":\"") && run.stdout.ends_with('}'), "{run}");
    assert_snapshot!(environment.run(&["show", "demo:orders.dlq", "-o", "raw"]), @"
    ------- stderr -------
    Error: -o raw writes payloads, and this verb has none
    Hint: use -o table, -o json or -o jsonl; `browse` knows -o raw
    [exit 2]
    ");
}

#[test]
fn escape_sequences_in_messages_headers_and_names_are_made_visible() {
    let environment = TestEnvironment::new();
    let line = r#"{"payload":"a\u001b]0;title\u0007b\u202ec","key":"k\u001b[2J","headers":[["x-exception-message","bad\u009b31m news"]]}"#;
    std::fs::write(environment.path("odd.jsonl"), format!("{line}\n")).unwrap();
    assert_snapshot!(environment.run(&["browse", "file:odd.jsonl", "-o", "table"]), @"
      1  k␛[2J  53 B  g-1af301
        bad<U+009B>31m news
        a␛]0;title␇b<U+202E>c
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["show", "file:o\u{1b}[2Jdd.jsonl", "-o", "table"]), @"
    ------- stderr -------
    Error: can't read the archive o␛[2Jdd.jsonl: No such file or directory (os error 2)
    Hint: check the path; a relative one begins at the folder you are in
    [exit 1]
    ");
}

#[test]
fn an_archive_that_is_not_there_leads_to_the_one_with_a_name_like_it() {
    let environment = TestEnvironment::new();
    std::fs::create_dir(environment.path("incident")).unwrap();
    std::fs::write(environment.path("incident/orders.jsonl"), "{\"payload\":\"one\"}\n").unwrap();
    assert_snapshot!(environment.run(&["browse", "file:incident/order.jsonl", "-o", "raw"]), @r"
    ------- stderr -------
    Error: can't read the archive incident/order.jsonl: No such file or directory (os error 2)
    Hint: did you mean file:incident/orders.jsonl?
    [exit 1]
    ");
    assert_snapshot!(environment.run(&["groups", "file:incidents/orders.jsonl"]), @r"
    ------- stderr -------
    Error: can't read the archive incidents/orders.jsonl: No such file or directory (os error 2)
    Hint: there is no folder incidents; a relative path begins at the folder you are in
    [exit 1]
    ");
    // A folder is no archive, however near its name is.
    assert_snapshot!(environment.run(&["show", "file:incidents"]), @r"
    ------- stderr -------
    Error: can't read the archive incidents: No such file or directory (os error 2)
    Hint: check the path; a relative one begins at the folder you are in
    [exit 1]
    ");
}

#[test]
fn a_broken_archive_is_named_with_its_line_after_everything_before_it() {
    let environment = TestEnvironment::new();
    std::fs::write(environment.path("cut.jsonl"), "{\"payload\":\"one\"}\n{\"payload\":\n").unwrap();
    assert_snapshot!(environment.run(&["browse", "file:cut.jsonl", "-o", "raw"]), @r#"
    one------- stderr -------
    Error: line 2 of cut.jsonl: field "payload": EOF while parsing a value (byte 11 of the line)
    Hint: everything before that line was read; mend or cut the archive there
    [exit 1]
    "#);
}
