//! Payloads read by schemas: from files of a profile or a flag, from a registry that is there, down or talks nonsense.

#![cfg(feature = "schemas")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::environment::TestEnvironment;

const ORDER: &str =
    r#"{"type":"record","name":"acme.Order","fields":[{"name":"id","type":"long"},{"name":"sku","type":"string"}]}"#;

/// A registry in this process that answers every question with this.
fn registry(status: u16, body: &'static str) -> String {
    registry_that_tells(status, body).0
}

/// The same, which tells the head of each question.
fn registry_that_tells(status: u16, body: &'static str) -> (String, mpsc::Receiver<String>) {
    let (heads, told) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            _ = heads.send(lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n").to_lowercase());
            let length = body.len();
            _ = write!(stream, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
        }
    });
    (url, told)
}

/// An archive of two messages of `shop:orders`, id 17 and 18, in Avro.
fn archive(environment: &TestEnvironment, frame: &[u8]) {
    let line = |body: &[u8]| {
        let payload = STANDARD.encode([frame, body].concat());
        format!("{{\"address\":\"shop:orders.dlq\",\"payload\":{{\"base64\":\"{payload}\"}}}}\n")
    };
    std::fs::write(environment.path("dead.jsonl"), line(b"\x22\x06A-1") + &line(b"\x24\x06A-2")).unwrap();
}

fn environment(schemas: &str, frame: &[u8]) -> TestEnvironment {
    let profile = "[profiles.shop]\nurl = \"amqp://h/%2f\"\n";
    let environment = TestEnvironment::with_config(&format!("{profile}[profiles.shop.schemas]\n{schemas}\n"));
    std::fs::write(environment.path("home/.config/postroom/order.avsc"), ORDER).unwrap();
    archive(&environment, frame);
    environment
}

fn ids(environment: &TestEnvironment, more: &[&str]) -> String {
    let run = environment.run(&[&["browse", "file:dead.jsonl", "--all", "--decode", "-q"][..], more].concat());
    assert_eq!((run.exit, run.stderr.as_str()), (0, ""), "{run}");
    let decoded = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["decoded"].clone();
    run.stdout.lines().map(|line| decoded(line).to_string()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_of_the_profile_reads_payloads_and_filters_see_their_fields() {
    let want = r#"{"formats":["avro"],"json":{"id":18,"sku":"A-2"}}"#;
    let by_profile = environment("files = { \"orders*\" = \"order.avsc\" }", b"");
    assert_eq!(ids(&by_profile, &["--filter", "body.id>17"]), want);
    let without = environment("", b"");
    assert!(!ids(&without, &[]).contains("sku"), "without a schema it is bytes");
    let table = by_profile.run(&["browse", "file:dead.jsonl", "-o", "table"]);
    assert!(table.stdout.contains(r#"(avro) {"id":17,"sku":"A-1"}"#), "{table}");
    let groups = by_profile.run(&["groups", "file:dead.jsonl", "--by", "body.sku", "-q"]);
    assert_eq!(groups.stdout.lines().count(), 2, "{groups}");
}

#[test]
fn a_registry_names_the_fields_of_framed_payloads() {
    let answer = r#"{"schema":"{\"type\":\"record\",\"name\":\"acme.Order\",\"fields\":[{\"name\":\"id\",\"type\":\"long\"},{\"name\":\"sku\",\"type\":\"string\"}]}"}"#;
    let environment = environment(&format!("registry = \"{}\"", registry(200, answer)), b"\0\0\0\0\x2a");
    let want = r#"{"details":["schema 42, acme.Order"],"formats":["confluent","avro"],"json":{"id":17,"sku":"A-1"}}"#;
    let found = ids(&environment, &["--filter", "body.sku=A-1"]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&found).unwrap(),
        serde_json::from_str::<serde_json::Value>(want).unwrap()
    );
}

#[test]
fn a_file_and_a_registry_may_be_named_for_one_run() {
    let without = environment("", b"");
    let file = without.path("home/.config/postroom/order.avsc");
    let named = format!("orders*={}", file.display());
    let want = r#"{"formats":["avro"],"json":{"id":18,"sku":"A-2"}}"#;
    assert_eq!(ids(&without, &["--schema", &named, "--filter", "body.id>17"]), want);
    assert_eq!(ids(&without, &["--schema", file.to_str().unwrap(), "--filter", "body.id>17"]), want);
    assert!(!ids(&without, &["--schema", &named.replace("orders", "other")]).contains("sku"));
    let answer = r#"{"schema":"\"long\""}"#;
    let framed = environment("", b"\0\0\0\0\x2a");
    let url = registry(200, answer);
    assert!(ids(&framed, &["--registry", &url]).contains("bytes are left over"), "it was asked");
    let refused = framed.run(&["browse", "file:dead.jsonl", "--registry", "ann:geheim@reg"]);
    assert_eq!(refused.exit, 2);
    assert!(!refused.stderr.contains("geheim"), "{refused}");
}

#[test]
fn glue_is_asked_with_a_signed_request() {
    let answer = r#"{"SchemaDefinition":"\"long\"","DataFormat":"AVRO","Status":"AVAILABLE"}"#;
    let frame = [&[3, 0][..], &[0x11; 16]].concat();
    let line = |body: &[u8]| {
        let payload = STANDARD.encode([&frame[..], body].concat());
        format!("{{\"address\":\"shop:orders.dlq\",\"payload\":{{\"base64\":\"{payload}\"}}}}\n")
    };
    let environment = TestEnvironment::new()
        .variable("AWS_ACCESS_KEY_ID", "AKID")
        .variable("AWS_SECRET_ACCESS_KEY", "geheim")
        .variable("AWS_EC2_METADATA_DISABLED", "true");
    std::fs::write(environment.path("dead.jsonl"), line(b"\x22")).unwrap();
    let (url, heads) = registry_that_tells(200, answer);
    let registry = format!("glue://eu-west-1?endpoint={url}");
    let want = r#"{"formats":["glue","avro"],"details":["schema 11111111-1111-1111-1111-111111111111"],"json":17}"#;
    let found = ids(&environment, &["--registry", &registry]);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&found).unwrap(),
        serde_json::from_str::<serde_json::Value>(want).unwrap()
    );
    let head = heads.recv().unwrap();
    assert!(head.contains("x-amz-target: awsglue.getschemaversion"), "{head}");
    assert!(head.contains("credential=akid/") && head.contains("/eu-west-1/glue/aws4_request"), "{head}");
    let (url, _heads) = registry_that_tells(400, r#"{"__type":"AccessDeniedException","Message":"no"}"#);
    let refused = environment.run(&[
        "browse",
        "file:dead.jsonl",
        "-o",
        "table",
        "--registry",
        &format!("glue://eu-west-1?endpoint={url}"),
    ]);
    assert!(refused.stderr.contains("AccessDeniedException no") && !refused.stderr.contains("geheim"), "{refused}");
}

#[test]
fn a_registry_that_is_down_or_talks_nonsense_never_stands_before_the_raw_view() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, why) in [
        (format!("http://{closed}"), "can't be asked"),
        (registry(200, "<html>"), "its answer is no schema"),
        (registry(500, ""), "it answered 500"),
        (registry(404, r#"{"message":"Schema 42 not found"}"#), "Schema 42 not found"),
        (registry(200, r#"{"schema":"\"int\""}"#), "bytes are left over"),
    ] {
        let environment = environment(&format!("registry = \"{url}\""), b"\0\0\0\0\x2a");
        let decoded = ids(&environment, &[]);
        assert_eq!(decoded.lines().count(), 2);
        assert!(decoded.contains(why) && decoded.contains("schema 42"), "{why}: {decoded}");
        let warned = environment.run(&["browse", "file:dead.jsonl", "-o", "table"]);
        assert!(why == "bytes are left over" || warned.stderr.contains(why), "{warned}");
        let raw = environment.run(&["browse", "file:dead.jsonl", "--limit", "1", "-o", "raw"]);
        assert_eq!(raw.stdout.as_bytes(), b"\0\0\0\0\x2a\x22\x06A-1", "{raw}");
    }
}

#[test]
fn keys_are_read_by_the_schema_of_their_frame_or_by_a_file_for_keys() {
    let registry = registry(200, r#"{"schema":"\"string\""}"#);
    let environment = TestEnvironment::new();
    let line = |key: &[u8]| {
        format!(
            "{{\"address\":\"shop:orders\",\"key\":{{\"base64\":\"{}\"}},\"payload\":\"x\"}}\n",
            STANDARD.encode(key)
        )
    };
    let keys: [&[u8]; 3] = [b"\0\0\0\0\x2a\x10order-17", b"\0\0\0\0\x2a\x10order-18", b"\0\0\0\0\0\0\0\x11"];
    std::fs::write(environment.path("dead.jsonl"), keys.map(line).concat()).unwrap();
    let browse = |more: &[&str]| environment.run(&[&["browse", "file:dead.jsonl", "--all", "-q"][..], more].concat());
    let found = browse(&["--registry", &registry, "--filter", "key=order-17", "--decode"]);
    let line: serde_json::Value = serde_json::from_str(&found.stdout).expect("one line");
    let want = serde_json::json!({"formats": ["confluent", "avro"], "details": ["schema 42"], "json": "order-17"});
    assert_eq!(line["decoded_key"], want, "{found}");
    let table = browse(&["--registry", &registry, "-o", "table"]);
    let heads: Vec<_> = table.stdout.lines().filter(|line| line.contains('B')).collect();
    assert!(heads[0].contains("  order-17  ") && heads[1].contains("  order-18  "), "{table}");
    assert!(heads[2].contains("  17  "), "a number of eight bytes is no frame: {table}");
    let groups = environment.run(&["groups", "file:dead.jsonl", "--by", "key", "--registry", &registry, "-q"]);
    assert!(groups.stdout.contains(r#""title":"order-17""#), "{groups}");
    // A file is for keys by its queue's name alone; what reads payloads does not read keys.
    std::fs::write(environment.path("n.avsc"), r#""long""#).unwrap();
    std::fs::write(
        environment.path("dead.jsonl"),
        "{\"address\":\"shop:orders\",\"key\":\"\\\"\",\"payload\":\"x\"}\n",
    )
    .unwrap();
    let matches = |schema: &str| browse(&["--schema", schema, "--filter", "key=17"]).stdout.lines().count();
    assert_eq!((matches("orders-key=n.avsc"), matches("orders=n.avsc"), matches("*=n.avsc")), (1, 0, 0));
}

/// What a plan of a replay with an edit says of it, and of those that stay.
#[cfg(feature = "jq")]
fn planned(environment: &TestEnvironment, edit: &str, more: &[&str]) -> serde_json::Value {
    let replay =
        ["replay", "file:dead.jsonl", "--to", "file:fixed.jsonl", "--dry-run", "-o", "json", "-q", "--edit", edit];
    let run = environment.run(&[&replay[..], more].concat());
    assert_eq!(run.exit, 0, "{run}");
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    serde_json::json!({ "edit": plan["edit"], "stays": plan["skipped"], "goes": plan["planned"] })
}

#[cfg(feature = "jq")]
#[test]
fn an_edited_body_that_does_not_fit_its_json_schema_stays_and_is_counted_by_group() {
    let environment = TestEnvironment::new();
    let schema = r#"{"type":"object","properties":{"id":{"type":"integer"},"total":{"type":"number"}}}"#;
    std::fs::write(environment.path("order.json"), schema).unwrap();
    let line = |why: &str, body: &str| {
        let headers = format!(r#"[["x-exception-message","{why}"],["x-exception-stacktrace","acme.{why}: {why}"]]"#);
        format!(r#"{{"address":"shop:orders.dlq","headers":{headers},"payload":{{"utf8":{body}}}}}"#) + "\n"
    };
    let lines = [
        line("Bad", r#""{\"id\":1,\"total\":\"5\"}""#),
        line("Bad", r#""{\"id\":\"one\",\"total\":\"6\"}""#),
        line("Worse", r#""{\"id\":2,\"total\":7}""#),
        line("Worse", r#""{\"id\":3,\"total\":\"seven\"}""#),
    ];
    std::fs::write(environment.path("dead.jsonl"), lines.concat()).unwrap();
    let said = planned(&environment, ".body.total |= tonumber", &["--schema", "order.json"]);
    let edit = &said["edit"];
    let counts = |of: &serde_json::Value| {
        ["changed", "unchanged", "failed", "misfits"].map(|name| of[name].as_u64().unwrap_or_default())
    };
    assert_eq!(counts(edit), [1, 1, 1, 1], "{said:#}");
    let mut groups: Vec<_> = edit["groups"].as_array().unwrap().iter().map(counts).collect();
    groups.sort_unstable();
    assert_eq!(groups, [[0, 1, 1, 0], [1, 0, 0, 1]], "{said:#}");
    let stays = said["stays"].to_string();
    assert!(stays.contains("does not fit its schema: /id: want integer"), "{stays}");
    assert_eq!(said["goes"], 2);
    // What does not fit goes where that is said, and is counted as such.
    let forced = planned(&environment, ".body.total |= tonumber", &["--schema", "order.json", "--send-misfits"]);
    assert_eq!((counts(&forced["edit"]), forced["goes"].as_u64()), ([1, 1, 1, 1], Some(3)), "{forced:#}");
    assert_eq!(forced["edit"]["send_misfits"], true);
    // Without a schema nothing is checked.
    assert_eq!(counts(&planned(&environment, ".body.total |= tonumber", &[])["edit"]), [2, 1, 1, 0]);
    // The run does what the plan said.
    let run = environment.run(&[
        "replay",
        "file:dead.jsonl",
        "--to",
        "file:fixed.jsonl",
        "--schema",
        "order.json",
        "--edit",
        ".body.total |= tonumber",
        "--yes",
        "-q",
        "-o",
        "json",
    ]);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((report["done"].as_u64(), run.exit), (Some(2), 0), "{run}");
    let fixed = std::fs::read_to_string(environment.path("fixed.jsonl")).unwrap();
    assert!(fixed.contains(r#"\"total\":5"#) && !fixed.contains("one"), "{fixed}");
    // Its journal tells what was agreed to.
    let forced = ["--to", "file:forced.jsonl", "--schema", "order.json", "--edit", ".body.total |= tonumber"];
    let forced = [&["replay", "file:dead.jsonl"], &forced[..], &["--send-misfits", "--yes", "-q"]].concat();
    assert_eq!(environment.run(&forced).exit, 0);
    let list = environment.run(&["journal", "list", "-o", "jsonl"]).stdout;
    let runs: Vec<serde_json::Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let agreed: Vec<_> = runs.iter().filter(|run| run["send_misfits"] == true).collect();
    assert!(runs.len() == 2 && agreed.len() == 1, "{list}");
    assert_eq!(agreed[0]["edit"], ".body.total |= tonumber");
}

#[cfg(feature = "jq")]
#[test]
fn a_json_body_behind_a_registrys_frame_is_edited_in_it_and_checked_by_its_schema() {
    let answer =
        r#"{"schemaType":"JSON","schema":"{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}}}"}"#;
    let environment = TestEnvironment::new();
    let write = |body: &[u8]| {
        let payload = STANDARD.encode([b"\0\0\0\0\x07", body].concat());
        let line = format!("{{\"address\":\"shop:orders.dlq\",\"payload\":{{\"base64\":\"{payload}\"}}}}\n");
        std::fs::write(environment.path("dead.jsonl"), line).unwrap();
    };
    write(br#"{"n":"1","k":1.50}"#);
    let url = registry(200, answer);
    let fits = planned(&environment, ".body.n |= tonumber", &["--registry", &url]);
    assert_eq!((fits["edit"]["changed"].as_u64(), fits["goes"].as_u64()), (Some(1), Some(1)), "{fits:#}");
    let misfit = planned(&environment, ".body.n = true", &["--registry", &url]);
    assert!(misfit["stays"].to_string().contains("/n: want integer, but got boolean"), "{misfit:#}");
    // A registry that is down checks nothing, so nothing goes.
    let down = planned(&environment, ".body.n |= tonumber", &["--registry", &registry(503, "")]);
    assert!(down["stays"].to_string().contains("whether it fits its schema as edited is not known"), "{down:#}");
    let run = environment.run(&[
        "replay",
        "file:dead.jsonl",
        "--to",
        "file:fixed.jsonl",
        "--registry",
        &url,
        "--edit",
        ".body.n |= tonumber",
        "--yes",
        "-q",
    ]);
    assert_eq!(run.exit, 0, "{run}");
    let fixed: serde_json::Value =
        serde_json::from_str(std::fs::read_to_string(environment.path("fixed.jsonl")).unwrap().lines().last().unwrap())
            .unwrap();
    let body = &fixed["payload"];
    let body = match (body.as_str(), body["utf8"].as_str(), body["base64"].as_str()) {
        (Some(text), ..) | (None, Some(text), _) => text.as_bytes().to_vec(),
        (.., base64) => STANDARD.decode(base64.unwrap()).unwrap(),
    };
    assert_eq!(body, b"\0\0\0\0\x07{\"n\":1,\"k\":1.50}");
}

#[cfg(feature = "jq")]
#[test]
fn fields_of_an_avro_body_can_not_be_edited_and_that_is_said() {
    let environment = environment("", b"\0\0\0\0\x07");
    let said = planned(&environment, r#".body.sku = "B""#, &[]);
    assert_eq!(said["edit"]["failed"], 2, "{said:#}");
    let why = "packed by schema 7 of a registry (confluent), and is no JSON: an edit can replace it as a whole";
    assert!(said["stays"].to_string().contains(why), "{said:#}");
    // Replaced as a whole it has to be readable by its schema.
    let answer: &'static str = Box::leak(serde_json::json!({ "schema": ORDER }).to_string().into_boxed_str());
    let url = registry(200, answer);
    let whole = |bytes: &[u8]| format!(r#".body = {{"base64":"{}"}}"#, STANDARD.encode(bytes));
    let good = planned(&environment, &whole(b"\0\0\0\0\x07\x22\x06B-9"), &["--registry", &url]);
    assert_eq!(good["edit"]["changed"], 2, "{good:#}");
    let cut = planned(&environment, &whole(b"\0\0\0\0\x07\x22\x7e"), &["--registry", &url]);
    assert_eq!(cut["edit"]["misfits"], 2, "{cut:#}");
}
