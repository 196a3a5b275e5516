//! The rules of the language, each on a small message.

use std::io::Write;

use base64::Engine as _;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use super::{Candidate, Filter, Needs, RawParts};
use crate::ErrorKind;
use crate::message::{Amqp, Fields, Message, Position, Value, jsonl};

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

fn message() -> Message {
    Message {
        address: "rabbit:orders.dlq".into(),
        id: "m-1".into(),
        position: Some(Position { partition: Some(3), offset: 1170 }),
        time: now().checked_sub(SignedDuration::from_hours(3)).ok(),
        key: Some(Bytes::from_static(b"order.placed")),
        headers: Fields::from_iter([
            ("tenant", Value::from("acme")),
            ("tenant", Value::from("Globex")),
            ("retries", Value::from("7")),
            ("count", Value::Amqp(Amqp::U16(40))),
            ("price", Value::Amqp(Amqp::Decimal { scale: 2, value: 1999 })),
            ("nothing", Value::Null),
            ("flag", Value::Bool(true)),
            ("x-death", Value::Amqp(Amqp::Array(vec![Value::Amqp(Amqp::Table(Fields::from_iter([
                ("queue", Value::from("orders")),
                ("reason", Value::from("rejected")),
                ("exchange", Value::from("shop")),
                ("routing-keys", Value::Amqp(Amqp::Array(vec![Value::from("order.placed")]))),
                ("count", Value::Int(2)),
            ])))]))),
            ("x-exception-message", Value::from("read timed out after 30 s")),
            ("x-exception-stacktrace", Value::from("java.net.SocketTimeoutException: read timed out after 30 s")),
        ]),
        properties: Fields::from_iter([("content_type", "application/json")]),
        metadata: Fields::from_iter([("redelivered", Value::Bool(true))]),
        payload: Some(Bytes::from_static(
            br#"{"n":100,"text":"100","f":1e2,"ok":true,"gone":null,"when":"2026-03-02T11:00:00Z","took":"90s",
            "order":{"total":129.95,"items":[{"sku":"A-1","qty":2},{"sku":"B-2"}]},"odd.name":"x y","name":"M\u00fcller"}"#,
        )),
        deliveries: Some(4),
    }
}

fn parse(text: &str) -> Filter {
    Filter::parse(text, now()).unwrap_or_else(|error| panic!("{text}\n{error}\n{:?}", error.hint_text()))
}

fn matches(text: &str) -> bool {
    matches_in(text, &message())
}

fn matches_in(text: &str, message: &Message) -> bool {
    let filter = parse(text);
    let matches = filter.matches(&Candidate::new(message));
    let parts = RawParts::from(message);
    let mut line = Vec::new();
    jsonl::write_line(message, None, &mut line);
    for (name, may) in
        [("parts", filter.prefilter().may_match(&parts)), ("line", filter.prefilter().may_match_line(&line))]
    {
        assert!(may || !matches, "the prefilter of {text} refuses the {name} of a message that matches");
    }
    matches
}

#[track_caller]
fn all(expressions: &[&str], expected: bool) {
    for text in expressions {
        assert_eq!(matches(text), expected, "{text}");
    }
}

#[test]
fn words_look_everywhere_in_smart_case() {
    all(&["placed", "ORDER\u{2e}placed -x OR acme", "globex", "Globex", "m-1", "tenant", "REJECTED or rejected"], true);
    all(&["\"timed out\"", "müller", "Müller", "\"x y\"", "19.99", "B-2"], true);
    all(&["Acme", "GLOBEX", "nowhere", "MÜLLER", "application/json", "rabbit"], false);
}

#[test]
fn and_binds_tighter_than_or_and_not_tightest() {
    all(&["acme placed", "acme and placed", "acme nowhere or placed", "placed or acme nowhere", "not nowhere"], true);
    all(&["-nowhere", "--acme", "-(nowhere or missing)", "(acme or nowhere) (placed)", "not(nowhere)"], true);
    all(&["(placed or acme) nowhere", "acme nowhere", "-acme", "not acme placed", "-(nowhere or acme)"], false);
}

#[test]
fn equals_compares_numbers_by_value_and_all_else_by_text() {
    all(&["body.n=100", "body.n=100.0", "body.n=1e2", "body.f=100", "body.text=100", "body.text=\"100\""], true);
    all(&["body.ok=true", "body.gone=null", "header.flag=true", "header.count=40.0", "header.price=19.990"], true);
    all(&["body.n=\"100\"", "body.text=100.0", "body.ok=\"true\"", "body.n=10", "header.retries=7.0"], false);
    all(&["key=order.placed", "id=m-1", "header.tenant=acme", "property.content_type=application/json"], true);
    all(&["key=Order.placed", "key=order", "header.tenant=ACME", "header.Tenant=acme"], false);
}

#[test]
fn order_is_for_numbers_times_durations_and_sizes() {
    all(&["body.order.total>100", "body.order.total<=129.95", "header.retries>=7", "header.count<41"], true);
    all(&["body.when<2026-03-02T11:30:00Z", "body.when>-2h", "body.took>1m", "body.n<1kb", "body.text<101"], true);
    all(&["body.order.total>129.95", "body.name>A", "body.ok>0", "body.order>1", "body.when>-30m"], false);
    all(
        &["age>2h", "age<=3h", "time<2026-03-02T10:00:00Z", "time>-4h", "size>100", "size<1kib", "offset=1170.0"],
        true,
    );
    all(&["age<2h", "time>-2h", "size>10kb", "partition=4", "attempts>3"], false);
    all(&["partition=3", "attempts=2", "offset:17", "time:2026-03-02", "time=2026-03-02T09:00:00Z"], true);
}

#[test]
fn paths_lead_into_the_payload() {
    all(
        &["body.order.items[0].sku=A-1", "body.order.items[].sku=B-2", "body.\"odd.name\"=\"x y\"", "body.order:sku"],
        true,
    );
    all(&["body.name=Müller", "body.name:müll", "body.name~^M.ller$", "body.order.items[1]:*", "body.gone:*"], true);
    all(&["body.order.items[2]:*", "body.order.items.sku=A-1", "body.items[]:*", "body.n.x:*", "body[0]:*"], false);
}

#[test]
fn what_is_missing_matches_only_negations() {
    all(&["body.none!=5", "not body.none=5", "-header.none:*", "header.none!=x", "header.tenant!=other"], true);
    all(
        &["body.none=5", "body.none:*", "header.none:\"\"", "body.none<5", "header.tenant!=acme", "body.n!=100.0"],
        false,
    );
    all(&["header.nothing:*", "header.nothing=null"], true);
    all(&["header.nothing:null", "header.nothing=\"\""], false);
}

#[test]
fn derived_fields_come_from_the_failure() {
    all(&["reason:\"timed out\"", "reason:rejected", "origin:shop", "origin=shop/order.placed"], true);
    all(&["-origin:payments", "property.redelivered=true", "format=json"], true);
    all(&["reason:Rejected", "class~timeout$", "origin=order", "format=text"], false);
    let mut message = message();
    message.headers.retain(|name, _| !name.starts_with("x-exception"));
    assert!(parse("class=rejected class~^re").matches(&Candidate::new(&message)));
    let message = self::message();
    let group = Candidate::new(&message).group();
    let text = format!("group={group} group:{} -group=g-000000", &group.to_string()[2..]);
    assert!(matches(&text));
    let known = Filter::parse("reason:*", now()).unwrap();
    assert!(!known.matches(&Candidate::new(&message).with_failure(None)));
}

#[test]
fn regexes_are_exact_and_may_hold_parentheses() {
    all(&["key~^order\\.(placed|paid)$", "(key~^(order|cart)\\.)", "key~(?i)PLACED", "body~\"\\\"n\\\":\\d+\""], true);
    all(&["key~PLACED", "key~^placed", "header.x-death~\\(", "id~^1"], false);
}

#[test]
fn payloads_in_other_formats_are_matched_decoded_and_raw() {
    let json = br#"{"order":{"id":17,"note":"to M\u00fcller"}}"#;
    let mut zipped = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    zipped.write_all(json).unwrap();
    let zipped = zipped.finish().unwrap();
    let mut packed = Vec::new();
    let value = rmpv::Value::Map(vec![(
        "order".into(),
        rmpv::Value::Map(vec![("id".into(), 17.into()), ("note".into(), "to Müller".into())]),
    )]);
    rmpv::encode::write_value(&mut packed, &value).unwrap();
    let encoded = base64::engine::general_purpose::STANDARD.encode(&zipped);
    for (payload, format) in
        [(json.to_vec(), "json"), (zipped, "gzip"), (packed, "msgpack"), (encoded.clone().into_bytes(), "base64")]
    {
        let message = Message { payload: Some(payload.into()), ..Message::default() };
        for text in [
            "body.order.id=17",
            "müller",
            "body:Müller",
            "body.order.note=\"to Müller\"",
            "body~M.ller",
            "body.order:*",
        ] {
            assert!(matches_in(text, &message), "{format}: {text}");
        }
        assert!(matches_in(&format!("format={format}"), &message) && !matches_in("format:xml", &message));
        assert!(!matches_in("body.order.id=18", &message) && !matches_in("mueller", &message));
    }
    let message = Message { payload: Some(encoded.clone().into()), ..Message::default() };
    assert!(matches_in(&encoded[5..15], &message), "raw text still counts");
}

#[test]
fn a_filter_says_what_it_needs() {
    assert_eq!(parse("key:a -header.b=c").needs(), Needs::default());
    assert_eq!(parse("a or reason:b").needs(), Needs { body: true, failure: true, group: false });
    assert_eq!(parse("-group=g-123456").needs(), Needs { body: false, failure: true, group: true });
}

/// The caret's line, the message's first line and the hint.
fn fault(text: &str) -> (String, String, String) {
    let error = Filter::parse(text, now()).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::Usage);
    let message = error.message().to_owned();
    let mut lines = message.lines();
    let first = lines.next().unwrap_or_default().to_owned();
    (first, lines.nth(1).unwrap_or_default().to_owned(), error.hint_text().unwrap_or_default().to_owned())
}

#[test]
fn faults_have_a_caret_under_the_spot_and_a_suggestion() {
    for (text, caret, what, hint) in [
        ("acme bodi.x=5", "       ^^^^", "no field \"bodi\"", "did you mean body="),
        ("atempts>3", "  ^^^^^^^", "no field \"atempts\"", "did you mean attempts>"),
        ("headers.x=1", "  ^^^^^^^", "no field \"headers\"", "did you mean header.NAME="),
        ("http://x/y", "  ^^^^", "no field \"http\"", "quotes"),
        ("header=1", "  ^^^^^^", "header needs a name", "header.NAME="),
        ("key.x=1", "  ^^^", "key has no parts", "key="),
        ("größe (a or", "             ^", "a condition is missing", "word"),
        ("(a or b", "  ^", "not closed", "close"),
        ("a) b", "   ^", "closes", "remove"),
        ("a \"b c", "    ^", "quote is not closed", "close"),
        ("reason:", "        ^", "value is missing", ":*"),
        ("reason: )", "        ^", "value is missing", ":*"),
        ("body.n==5", "        ^^", "no operator", "quote"),
        (">5", "  ^", "no field stands before >", "body>value"),
        ("age<soon", "      ^^^^", "not a duration", "2h"),
        ("age:2h", "     ^^^", "no text", "age<2h"),
        ("size>big", "       ^^^", "not a size", "10kb"),
        ("offset>2h", "         ^^", "not a number", "17"),
        ("time>soon", "       ^^^^", "not a time", "2026-03-02"),
        ("body.a[x]=1", "         ^", "no index", "[0]"),
        ("body.a[1=1", "        ^", "not closed", "[]"),
        ("class~a(b", "        ^^^", "regex", "literally"),
        ("class~(a{1000}){1000}", "        ^^^^^^^^^^^^^^^", "too large", "repeat less"),
        ("or a", "  ^^", "missing before or", "quote"),
        ("a or or b", "       ^^", "missing before or", "quote"),
        ("a and", "       ^", "missing here", "word"),
        ("not", "  ^^^", "nothing follows", "quote"),
        ("()", "  ^^", "empty", "condition"),
        ("\"\"", "  ^^", "matches everything", "text"),
        ("  ", "  ^", "empty", "every message"),
    ] {
        let (first, carets, suggestion) = fault(text);
        assert!(first.contains(what), "{text}: {first}");
        assert_eq!(carets, caret, "{text}: {first}");
        assert!(suggestion.contains(hint), "{text}: {suggestion}");
    }
}

#[test]
fn a_long_or_wild_expression_is_refused_in_bounds() {
    assert!(fault(&"(".repeat(10_000)).0.contains("nested deeper"));
    assert!(fault(&"-".repeat(10_000)).0.contains("nested deeper"));
    assert!(fault(&"a ".repeat(40_000)).0.contains("longer than"));
    let error = Filter::parse(&format!("{}\u{1b}[31m bodi:x {}", "word ".repeat(100), "more ".repeat(100)), now());
    let message = error.unwrap_err().message().to_owned();
    assert!(message.lines().all(|line| line.chars().count() < 90 && !line.contains('\u{1b}')), "{message}");
    let shown = message.lines().nth(1).unwrap();
    let caret = message.lines().nth(2).unwrap().find('^').unwrap();
    assert!(shown.chars().skip(caret).collect::<String>().starts_with("bodi:x"), "{message}");
}

#[test]
fn every_example_of_the_help_text_finds_its_message_and_no_other() {
    let json = Message {
        time: now().checked_sub(SignedDuration::from_hours(1)).ok(),
        headers: Fields::from_iter([
            ("tenant", "acme"),
            ("kafka_dlt-exception-fqcn", "com.acme.SerialTimeout"),
            ("kafka_dlt-exception-message", "timeout: message rejected"),
            ("kafka_dlt-original-topic", "orders"),
        ]),
        properties: Fields::from_iter([("content_type", "application/json")]),
        payload: Some(Bytes::from(format!(
            r#"{{"order":{{"total":120.5,"items":[{{"sku":"B-1"}},{{"sku":"A-17"}}]}},"odd name":"card declined","Message":"{{\"detail\":{{\"id\":17}}}}","pad":"{}"}}"#,
            "x".repeat(10_000)
        ))),
        deliveries: Some(3),
        ..Message::default()
    };
    let text = Message { key: Some("order-17".into()), payload: Some("plain text".into()), ..Message::default() };
    let other = Message {
        time: now().checked_sub(SignedDuration::from_hours(9)).ok(),
        headers: Fields::from_iter([
            ("kafka_dlt-exception-fqcn", "com.acme.Other"),
            ("kafka_dlt-original-topic", "payments"),
        ]),
        payload: Some("{}".into()),
        ..Message::default()
    };
    for example in super::EXAMPLES {
        assert!(
            matches_in(example.expression, &json) || matches_in(example.expression, &text),
            "{}",
            example.expression
        );
        assert!(!matches_in(example.expression, &other), "{}", example.expression);
        assert!(super::help().contains(example.expression));
    }
    let wide: Vec<String> = super::help().lines().filter(|line| line.len() > 80).map(str::to_owned).collect();
    assert_eq!(wide, [""; 0]);
}

#[test]
fn words_are_found_in_what_strings_of_the_payload_hold() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(r#"{"customer":"Frau M\u00fcller","note":"a \"quoted\" word"}"#.as_bytes()).unwrap();
    let packed = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
    let direct = serde_json::json!({ "detail": packed }).to_string();
    let within = serde_json::json!({ "Message": direct }).to_string();
    let lines = format!("{{\"a\":1}}\n{direct}\n");
    for payload in [direct, within, lines] {
        let message = Message { payload: Some(payload.clone().into()), ..Message::default() };
        for text in ["müller", "Müller", "body:\"\\\"quoted\\\" word\"", "body~'Frau M.ller'", "customer"] {
            assert!(matches_in(text, &message), "{text} in {payload}");
        }
        for text in ["meier", "MÜLLER", "body~Herr"] {
            assert!(!matches_in(text, &message), "{text} in {payload}");
        }
    }
    let nested = serde_json::json!({ "Message": r#"{"text":"say \"hello there\""}"# }).to_string();
    let message = Message { payload: Some(nested.into()), ..Message::default() };
    assert!(matches_in("'\"hello there\"'", &message) && matches_in("body:'say \"hello'", &message));
}

#[test]
fn a_key_is_matched_as_it_is_and_by_its_schemas_frame() {
    let key = |key: &'static [u8]| Message { key: Some(Bytes::from_static(key)), ..message() };
    let framed = key(b"\0\0\0\0\x2a{\"order\":\"M\\u00fcller\"}");
    for text in ["key:müller", "key:order", "Müller", "key~^.{1,5}[{]"] {
        assert!(matches_in(text, &framed), "{text}");
    }
    assert!(!matches_in("key=order-17", &framed) && matches_in("key=order-17", &key(b"order-17")));
    let mut named = key(b"{\"n\":\"M\\u00fc\"}");
    named.headers.push("__key_schema_id", Value::Bytes(Bytes::from_static(b"\0\0\0\0\x2a")));
    assert!(matches_in("key:mü", &named));
}

#[test]
fn a_line_is_refused_unread_however_another_writer_spaced_it() {
    let prefilter = parse("nowhere").prefilter();
    for line in [
        r#"{"schema":"postroom.message/1","id":"a","payload":{"utf8":"{\"n\":1}"}}"#,
        r#"{"schema": "postroom.message/1", "id": "a", "payload": {"utf8": "{\"n\": 1}"}}"#,
        r#"{"schema": "postroom.message/1", "id": "a", "payload": { "utf8" : "plain words" }}"#,
        r#"{"schema": "postroom.message/1", "id": "a", "payload": null}"#,
    ] {
        assert!(!prefilter.may_match_line(line.as_bytes()), "{line}");
    }
    let binary = r#"{"schema": "postroom.message/1", "id": "a", "payload": {"base64": "AAECAw=="}}"#;
    assert!(prefilter.may_match_line(binary.as_bytes()));
}
