//! Properties of filters: the prefilter never refuses a message that matches, and nothing makes the parser or a
//! decoder panic.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use postroom::message::codec::{Hints, Limits, decode};
use postroom::message::filter::{Candidate, Filter, RawParts};
use postroom::message::jsonl::{read_line, write_line};
use postroom::message::{Amqp, Fields, Message, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::properties;

/// Texts that messages and expressions share, chosen for what they do to escapes, case folding and numbers.
const WORDS: &[&str] = &[
    "alpha",
    "Alpha",
    "müller",
    "MÜLLER",
    "kelvin",
    "\u{212a}elvin",
    "17",
    "100",
    "100.0",
    "1e2",
    "-0.5",
    "true",
    "null",
    "a\"b",
    "c\\d",
    "e/f",
    "\u{7}bell",
    "tab\there",
    "line\nbreak",
    "dead",
    "h-00",
    "x y",
    "😀",
    "order",
    "base64",
    "payload",
    "\u{7f}",
    "ſ",
    "s",
    "19.99",
    "2026-03-02T10:00:00Z",
    "z",
    "NaN",
];

/// The first bytes of formats.
const MAGIC: &[&[u8]] = &[
    b"",
    b"\x1f\x8b\x08",
    b"\x78\x9c",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
    b"\xff\x06\0\0sNaPpY",
    b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01",
    b"\0\0\0\0\x07",
    b"\x03\x05",
    b"\x03\0",
    b"\xd9\xd9\xf7",
    b"\x82",
    b"\xa2",
    b"\xac\xed\0\x05sr",
    b"\x80\x04",
    b"Obj\x01",
    b"\x0a",
    b"{\"",
    b"[",
];

fn word() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(WORDS).prop_map(str::to_owned), 1 => any::<String>()]
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        word().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        select(&["100", "100.0", "1e2", "17", "-0.5", "19.99"][..])
            .prop_map(|number| serde_json::from_str::<serde_json::Value>(number).unwrap()),
        Just(serde_json::Value::Null),
        Just(serde_json::Value::Bool(true)),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(serde_json::Value::from),
            vec((prop_oneof![word(), Just("order".to_owned())], inner.clone()), 0..3)
                .prop_map(|pairs| pairs.into_iter().collect::<serde_json::Map<_, _>>().into()),
            // What strings hold: JSON, and base64 of it, packed or not.
            inner.clone().prop_map(|json| json.to_string().into()),
            inner.clone().prop_map(|json| STANDARD.encode(json.to_string()).into()),
            inner.prop_map(|json| STANDARD.encode(gzip(json.to_string().as_bytes())).into()),
        ]
    })
}

/// As writers that keep to ASCII do it, and those that escape more than they have to.
fn ascii(json: &str) -> String {
    let one = |c: char| match c {
        '/' => "\\/".to_owned(),
        c if c.is_ascii() && c != 'a' => c.to_string(),
        c => escape(c),
    };
    json.chars().map(one).collect::<Vec<_>>().concat()
}

/// A character as JSON's `\u` escapes.
fn escape(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04X}")).collect::<Vec<_>>().concat()
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn payload() -> impl Strategy<Value = Bytes> {
    let text = prop_oneof![
        json().prop_map(|json| json.to_string().into_bytes()),
        json().prop_map(|json| format!("{json:#}").into_bytes()),
        // Only inside of strings and on a string at the top: literals such as `false` can't be escaped.
        word().prop_map(
            |text| format!("{{\"order\":{}}}", ascii(&serde_json::Value::from(text).to_string())).into_bytes()
        ),
        vec(json(), 2..4).prop_map(|lines| lines
            .iter()
            .map(|json| format!("{json}\n"))
            .collect::<Vec<_>>()
            .concat()
            .into_bytes()),
        vec(word(), 0..4).prop_map(|words| words.join(" ").into_bytes()),
    ];
    (text, 0..8_u8, vec(any::<u8>(), 0..30)).prop_map(|(text, wrap, noise)| {
        Bytes::from(match wrap {
            0 => gzip(&text),
            1 => STANDARD.encode(&text).into_bytes(),
            2 => STANDARD.encode(gzip(&text)).into_bytes(),
            3 => noise,
            4 => [&[0, 0, 0, 0, 7][..], &text].concat(),
            _ => text,
        })
    })
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => word().prop_map(Value::text),
        1 => Just(Value::Null),
        1 => any::<i64>().prop_map(Value::Int),
        1 => any::<bool>().prop_map(Value::Bool),
        1 => Just(Value::Amqp(Amqp::Decimal { scale: 2, value: 1999 })),
        1 => Just(Value::Amqp(Amqp::F64(f64::NAN.to_bits()))),
        1 => Just(Value::Amqp(Amqp::F32(100_f32.to_bits()))),
        1 => Just(Value::Amqp(Amqp::Timestamp(1_772_445_600))),
        1 => word().prop_map(|text| Value::Amqp(Amqp::ByteArray(text.into()))),
        1 => word().prop_map(|text| Value::Amqp(Amqp::Array(vec![Value::Amqp(Amqp::Table(Fields::from_iter([("n", text.as_str())])))]))),
        1 => word().prop_map(|text| Value::Sqs { data_type: "Number".into(), value: text.into() }),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let headers = vec((word(), value()), 0..4).prop_map(Fields::from_iter);
    let id = prop_oneof![word(), Just(String::new())];
    (properties::message(), headers, option::of(payload()), option::of(word()), id).prop_map(
        |(message, headers, payload, key, id)| Message { headers, payload, key: key.map(Bytes::from), id, ..message },
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Expressions that parse, made of texts that are likely to occur.
fn expression() -> impl Strategy<Value = String> {
    let text = prop_oneof![3 => word(), 1 => word().prop_map(|text| text.to_lowercase())];
    let text = (text, any::<Index>(), any::<Index>()).prop_map(|(text, from, to)| {
        let characters: Vec<char> = text.chars().collect();
        let from = if characters.is_empty() { 0 } else { from.index(characters.len()) };
        let rest = &characters[from..];
        rest[..if rest.is_empty() { 0 } else { 1 + to.index(rest.len()) }].iter().collect::<String>()
    });
    let place = prop_oneof![
        select(&["body", "key", "id", "body[]", "body.order", "body.order[]", "reason", "property.a", "format"][..])
            .prop_map(str::to_owned),
        word().prop_map(|name| format!("body.{}", quoted(&name))),
        word().prop_map(|name| format!("body.order.{}", quoted(&name))),
        word().prop_map(|name| format!("header.{}", quoted(&name))),
    ];
    let test = (place, select(&[":", "=", "!=", "~"][..]), text.clone(), any::<bool>()).prop_map(
        |(place, operator, text, bare)| match operator {
            "~" => format!("{place}~{}", quoted(&format!("(?i){}", regex::escape(&text)))),
            _ if bare && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '.') && !text.is_empty() => {
                format!("{place}{operator}{text}")
            }
            _ => format!("{place}{operator}{}", quoted(&text)),
        },
    );
    let word = text.prop_filter_map("a word is not empty", |text| (!text.is_empty()).then(|| quoted(&text)));
    prop_oneof![word, test].prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("-({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} {b})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a} or {b})")),
        ]
    })
}

/// Which text of a message to look for, and how.
#[derive(Clone, Debug)]
struct Pick {
    text: Index,
    from: Index,
    length: usize,
    place: usize,
    lower: bool,
}

fn pick() -> impl Strategy<Value = Pick> {
    (any::<Index>(), any::<Index>(), 1..9_usize, 0..6_usize, any::<bool>())
        .prop_map(|(text, from, length, place, lower)| Pick { text, from, length, place, lower })
}

/// An expression about a part of a text that the message holds, as people see it.
fn about(message: &Message, pick: &Pick) -> String {
    let candidate = Candidate::new(message);
    let decoded = candidate.view().form.text().unwrap_or_default().to_owned();
    let unescaped = serde_json::from_str::<serde_json::Value>(&decoded).map(|json| strings(&json)).unwrap_or_default();
    let mut texts = vec![message.id.clone(), decoded, String::from_utf8_lossy(message.body()).into_owned()];
    texts.extend(unescaped);
    texts.extend(message.key.iter().map(|key| String::from_utf8_lossy(key).into_owned()));
    for (name, value) in &message.headers {
        texts.push(name.to_string());
        texts.push(match value {
            Value::Amqp(Amqp::Decimal { .. }) => "19.99".to_owned(),
            Value::Amqp(Amqp::Timestamp(_)) => "2026-03-02T10:00:00Z".to_owned(),
            Value::Amqp(Amqp::F64(_)) => "NaN".to_owned(),
            value => value.as_str().map_or_else(|| value.as_i64().unwrap_or(1).to_string(), str::to_owned),
        });
    }
    let texts: Vec<Vec<char>> =
        texts.iter().map(|text| text.chars().collect()).filter(|text: &Vec<char>| !text.is_empty()).collect();
    let Some(text) = (!texts.is_empty()).then(|| &texts[pick.text.index(texts.len())]) else {
        return "none".to_owned();
    };
    let from = pick.from.index(text.len());
    let part: String = text[from..text.len().min(from + pick.length)].iter().collect();
    let part = quoted(&if pick.lower { part.to_lowercase() } else { part });
    match pick.place {
        0 => format!("body:{part}"),
        1 => format!("key:{part} or id:{part} or body.order:{part}"),
        2 => {
            let names: Vec<String> =
                message.headers.iter().map(|(name, _)| format!("header.{}:{part}", quoted(name))).collect();
            if names.is_empty() { part } else { names.join(" or ") }
        }
        3 => format!("body[]:{part} or body.order[]:{part} or body.order.order:{part} or body[][]:{part}"),
        _ => part,
    }
}

/// The strings in a JSON value.
fn strings(json: &serde_json::Value) -> Vec<String> {
    match json {
        serde_json::Value::String(text) => {
            let decoded = decode(&Bytes::from(text.clone()), &Hints::default(), &Limits::default());
            let inner = decoded.form.json().and_then(|json| serde_json::from_slice::<serde_json::Value>(json).ok());
            let inner = inner.filter(|json| !json.is_number()).map(|json| strings(&json)).unwrap_or_default();
            [vec![text.clone()], inner].concat()
        }
        serde_json::Value::Array(values) => values.iter().flat_map(strings).collect(),
        serde_json::Value::Object(members) => {
            members.iter().flat_map(|(name, value)| [vec![name.clone()], strings(value)].concat()).collect()
        }
        _ => Vec::new(),
    }
}

fn now() -> Timestamp {
    "2026-03-02T12:00:00Z".parse().unwrap()
}

/// The same line as other writers would write it: with spaces, in another order, in ASCII.
fn foreign(line: &[u8]) -> [Vec<u8>; 2] {
    let value: serde_json::Value = serde_json::from_slice(line).unwrap();
    let backwards: serde_json::Map<_, _> = value.as_object().unwrap().clone().into_iter().rev().collect();
    let text = value.to_string();
    let escaped = text.chars().map(|c| if c.is_ascii() { c.to_string() } else { escape(c) });
    let escaped = escaped.collect::<Vec<String>>().concat();
    [format!("{:#}", serde_json::Value::from(backwards)).replace('\n', " ").into_bytes(), escaped.into_bytes()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn the_prefilter_never_refuses_a_match(
        message in message(), any in expression(), pick in pick(), about_it in prop::bool::weighted(0.8),
    ) {
        let expression = if about_it { about(&message, &pick) } else { any };
        let filter = Filter::parse(&expression, now())
            .unwrap_or_else(|error| panic!("{expression}\n{error}\n{:?}", error.hint_text()));
        let prefilter = filter.prefilter();
        if filter.matches(&Candidate::new(&message)) {
            let all = RawParts::from(&message);
            prop_assert!(prefilter.may_match(&all), "{expression}");
            prop_assert!(prefilter.may_match(&RawParts { headers: None, other: true, ..all }), "{expression}");
        }
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        let [spaced, escaped] = foreign(&line);
        for line in [spaced, escaped, line] {
            // An archive gives a message without an id one of its content.
            let mut message = read_line(&line).unwrap();
            if message.id.is_empty() {
                message.id = message.content_id();
                let unknown = RawParts { id: None, ..RawParts::from(&message) };
                prop_assert!(prefilter.may_match(&unknown) || !filter.matches(&Candidate::new(&message)), "{expression}");
            }
            if filter.matches(&Candidate::new(&message)) {
                prop_assert!(prefilter.may_match_line(&line), "{expression}\n{}", String::from_utf8_lossy(&line));
            }
        }
    }

    #[test]
    fn a_negation_is_the_opposite(message in message(), expression in expression()) {
        let matches = |text: &str| Filter::parse(text, now()).unwrap().matches(&Candidate::new(&message));
        prop_assert_ne!(matches(&expression), matches(&format!("not ({expression})")));
        prop_assert_eq!(matches(&expression), matches(&format!("({expression}) ({expression})")));
    }

    #[test]
    fn no_text_makes_the_parser_panic_and_every_fault_has_a_caret(
        text in prop_oneof![any::<String>(), "[a-z:=<>~!\\-()\\[\\]\"'. *0-9]{0,40}", "(body|key|header\\.x|age|size|time)[:=<>~!]{1,2}.{0,12}"],
        message in message(),
    ) {
        match Filter::parse(&text, now()) {
            Ok(filter) => _ = filter.matches(&Candidate::new(&message)),
            Err(error) => {
                prop_assert_eq!(error.kind(), postroom::ErrorKind::Usage);
                let lines: Vec<&str> = error.message().lines().collect();
                prop_assert_eq!(lines.len(), 3, "{:?}", lines);
                prop_assert!(lines[2].trim_start().starts_with('^') && error.hint_text().is_some());
                prop_assert!(!error.message().contains('\x1b'));
            }
        }
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(
        magic in select(MAGIC),
        noise in vec(any::<u8>(), 0..200),
        names in vec(select(&["gzip", "deflate", "zlib", "zstd", "lz4", "snappy", "base64", "br", "identity"][..]), 0..3),
        media in select(&["", "application/x-protobuf", "application/msgpack", "application/cbor", "avro/binary"][..]),
    ) {
        let payload = Bytes::from([magic, &noise].concat());
        let headers = [("content-encoding", names.join(",")), ("content-type", media.to_owned())];
        let message = Message { headers: headers.iter().map(|(name, value)| (*name, value.as_str())).collect::<Fields>(), ..Message::default() };
        for hints in [Hints::default(), Hints::of(&message)] {
            let view = decode(&payload, &hints, &Limits::default());
            prop_assert!(view.steps.len() <= Limits::default().depth);
            prop_assert!(view.form.json().is_none_or(|json| json.is_ascii() || std::str::from_utf8(json).is_ok()));
        }
    }
}
