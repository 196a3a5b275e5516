//! Messages that nobody meant: arbitrary bytes through every decoder, every dialect, the fingerprint, the filter parser
//! and the message line. None of them may panic, hang, or grow without bound; the raw bytes stay.

use std::io::Write as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use postroom::config::Redaction;
use postroom::message::codec;
use postroom::message::codec::Part;
use postroom::message::failure::detect;
use postroom::message::filter::{Candidate, Filter};
use postroom::message::fingerprint::{MAX_TEMPLATE, Rules, fingerprint, mask};
use postroom::message::jsonl::{read_line, write_line};
use postroom::message::{Fields, Message, Value};
use proptest::collection::vec;
use proptest::prelude::*;

/// What decoders know a format by.
const STARTS: [&[u8]; 16] = [
    b"",
    b"{",
    b"[",
    b"\x1f\x8b\x08",
    b"\x78\x9c",
    b"\x28\xb5\x2f\xfd",
    b"\xff\x06\x00\x00sNaPpY",
    b"\x82SNAPPY\x00",
    b"\x04\x22\x4d\x18",
    b"\xac\xed\x00\x05",
    b"\x80\x04",
    b"\x00\x00\x00\x00\x07",
    b"\x03\x05",
    b"\xc3\x01",
    b"Obj\x01",
    b"\xd9\xd9\xf7",
];

/// Headers that dialects read.
const HEADERS: [&str; 20] = [
    "x-exception-stacktrace",
    "x-exception-message",
    "x-original-topic",
    "kafka_dlt-exception-stacktrace",
    "kafka_dlt-original-offset",
    "kafka_dlt-original-partition",
    "__connect.errors.exception.stacktrace",
    "__streams.errors.offset",
    "__dlq.errors.message",
    "dead-letter-reason",
    "MT-Fault-StackTrace",
    "NServiceBus.TimeOfFailure",
    "rbs2-error-details",
    "exception-type",
    "failed-at",
    "reason_poisoned",
    "ERROR_CODE",
    "ErrorMessage",
    "x-death",
    "stack_trace",
];

/// A recursive Avro record, and a Protobuf message of everything.
static SCHEMAS: std::sync::LazyLock<Vec<std::sync::Arc<dyn codec::Schemas>>> = std::sync::LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let texts = [
        (
            "a.avsc",
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":["null","R",{"type":"array","items":"R"},
            {"type":"map","values":"double"},{"type":"fixed","name":"F","size":9},"string","bytes"]}]}"#,
        ),
        ("b.avsc", r#"{"type":"array","items":{"type":"array","items":"null"}}"#),
        (
            "c.proto",
            "syntax = \"proto3\"; message M { M m = 1; map<string, M> n = 2; repeated sint64 p = 3; string s = 4; double d = 5; }",
        ),
    ];
    let open = |(name, text): (&str, &str)| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let file = postroom::schema::SchemaFile::parse("*", path.to_str().unwrap());
        let settings = postroom::schema::SchemaSettings { registry: None, files: vec![file] };
        let schemas = postroom::schema::open([(postroom::schema::Home::Everywhere, settings)]).unwrap();
        // Read while the file is there.
        _ = schemas.find(&Message::default(), Part::Payload, None);
        schemas
    };
    texts.map(open).into_iter().collect()
});

fn payload() -> impl Strategy<Value = Bytes> {
    let bytes = (0..STARTS.len(), vec(any::<u8>(), 0..300)).prop_map(|(start, mut rest)| {
        let mut bytes = STARTS[start].to_vec();
        bytes.append(&mut rest);
        Bytes::from(bytes)
    });
    prop_oneof![bytes, any::<String>().prop_map(Bytes::from), "[\\[\\]{}:,\"a0\\\\ ]{0,200}".prop_map(Bytes::from)]
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn header() -> impl Strategy<Value = (String, Value)> {
    let text = prop_oneof![
        vec(any::<u8>(), 0..60).prop_map(Bytes::from),
        any::<String>().prop_map(Bytes::from),
        "((at |Caused by: |---> |File \"|panic: |thread '|#0 |1: )?[a-zA-Z.$<>(){}:/ 0-9'\"`]{0,40}\n){0,6}"
            .prop_map(Bytes::from),
    ];
    (0..HEADERS.len(), text).prop_map(|(name, value)| (HEADERS[name].to_owned(), Value::Bytes(value)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_message_is_decoded_explained_grouped_and_written(payload in payload(), headers in vec(header(), 0..5)) {
        let message = Message { payload: Some(payload), headers: Fields::from_iter(headers), ..Message::default() };
        _ = codec::view(&message, None);
        let failure = detect(&message);
        let group = fingerprint(&message, failure.as_ref(), &Rules::default());
        let again = fingerprint(&message, detect(&message).as_ref(), &Rules::default());
        prop_assert_eq!(group.id, again.id);
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        prop_assert_eq!(read_line(&line).unwrap().payload, message.payload);
    }

    #[test]
    fn what_strings_hold_is_shown_as_json_and_hidden_where_it_is_asked(
        strings in vec((payload(), 0..4_u8), 1..6),
        names in vec("[a-c]", 6),
    ) {
        let texts = strings.iter().map(|(bytes, wrap)| match wrap {
            0 => STANDARD.encode(bytes),
            1 => STANDARD.encode(gzip(bytes)),
            2 => serde_json::json!({ "a": String::from_utf8_lossy(bytes) }).to_string(),
            _ => String::from_utf8_lossy(bytes).into_owned(),
        });
        let members: serde_json::Map<_, _> = names.into_iter().zip(texts.map(serde_json::Value::from)).collect();
        let payload = Some(serde_json::Value::from(members).to_string().into());
        let message = Message { payload, ..Message::default() };
        let mut line = Vec::new();
        codec::view(&message, None).write_json(&mut line);
        prop_assert!(serde_json::from_slice::<serde_json::Value>(&line).is_ok(), "{}", String::from_utf8_lossy(&line));
        // Whatever a filter finds behind a path is gone once that path is hidden.
        let filter = Filter::parse("body.a.a:*", Timestamp::UNIX_EPOCH).unwrap();
        let hidden = Filter::parse("body.a.a=\"***\"", Timestamp::UNIX_EPOCH).unwrap();
        let masked = Redaction::new(vec!["body.a.a".parse().unwrap()]).for_screen(&message);
        let masked = Candidate::new(&masked);
        prop_assert!(!filter.matches(&masked) || hidden.matches(&masked), "{:?}", masked.message());
    }

    #[test]
    fn any_bytes_are_a_value_of_a_schema_or_a_reason(payload in payload(), framed in any::<bool>()) {
        for schemas in SCHEMAS.iter() {
            let mut message = Message { payload: Some(payload.clone()), ..Message::default() };
            if framed {
                message.headers.push("__value_schema_id", Value::Bytes(Bytes::from_static(b"\0\0\0\0\x09")));
            }
            _ = codec::view(&message, Some(schemas.as_ref()));
        }
    }

    #[test]
    fn any_line_is_a_message_or_an_error(line in payload()) {
        _ = read_line(&line);
    }

    #[test]
    fn any_text_is_a_filter_or_an_error_of_one_spot(text in "[a-z]{0,4}([.:=!<>~()\"'\\[\\]*-]|\\PC| |or|not|body|age|2h){0,12}") {
        if let Ok(filter) = Filter::parse(&text, Timestamp::UNIX_EPOCH) {
            let message = Message { payload: Some(r#"{"body":1}"#.into()), ..Message::default() };
            _ = filter.matches(&Candidate::new(&message));
        }
    }

    #[test]
    fn any_text_has_a_short_template(text in any::<String>()) {
        prop_assert!(mask(&text).len() <= MAX_TEMPLATE);
    }
}

#[test]
fn huge_and_deep_messages_take_bounded_time() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let huge = format!("{{\"error\":\"{}\"}}", "order 17 failed ".repeat(50 << 16));
    assert!(huge.len() > 50 << 20);
    for body in [deep, huge] {
        let started = Instant::now();
        let size = body.len();
        let message = Message { payload: Some(body.into()), ..Message::default() };
        _ = codec::view(&message, None);
        let failure = detect(&message);
        _ = fingerprint(&message, failure.as_ref(), &Rules::default());
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        assert_eq!(read_line(&line).unwrap().body().len(), size);
        // Some seconds in a debug build on a busy machine; quadratic work would take hours.
        assert!(started.elapsed() < Duration::from_mins(1), "{:?} for {size} bytes", started.elapsed());
    }
}
