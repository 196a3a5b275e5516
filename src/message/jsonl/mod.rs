//! The line `postroom.message/1`: one message as one JSON object on one line, both ways and without loss.
//!
//! It is what `browse -o jsonl` prints, what archives hold and what `publish` reads from standard input.
//!
//! | field | holds |
//! |---|---|
//! | `schema` | `postroom.message/1`; may be missing on reading, any other is refused |
//! | `address` | where the message was read (`rabbit:orders.dlq`) |
//! | `id` | its stable name in that queue |
//! | `position` | `{"partition":0,"offset":17}` (`partition` only where there are several), or null |
//! | `time` | RFC 3339 in UTC, milliseconds or finer, or null |
//! | `key` | a *text*: Kafka's record key, RabbitMQ's routing key, SQS's group |
//! | `headers` | `[[name, value], …]`: the order and repeated names count |
//! | `properties` | `{name: value, …}`, or pairs as in `headers` where a name repeats |
//! | `metadata` | as `properties`: what only the broker said; never published |
//! | `payload` | a *text*; the one field that must be there |
//! | `deliveries` | how often it was delivered before, or null |
//! | `failure` | derived, not read back: `dialect`, `class`, `message`, `origin`, `consumer`, `attempts`, `first`, `last`, `history` `[{reason, queue, count, time}]`; what is not known is left out; a stack stays in the header or body that has it |
//! | `group` | derived, not read back: the id of its group |
//! | `decoded` | derived, not read back, and only where asked for: what the payload is, see [`crate::message::codec::View::write_json`] |
//! | `decoded_key` | the same of a key that a schema reads |
//!
//! A *text* is `{"utf8":"…"}`, `{"base64":"…"}` or null; null and empty are different. A plain string is short for
//! `utf8` on reading. A *value* (of a header, a property or metadata) is one of:
//!
//! | JSON | is |
//! |---|---|
//! | `null` | a Kafka null header, an AMQP void |
//! | `"text"`, `{"utf8":"text"}`, `{"base64":"AP8="}` | bytes; written as a plain string where they are UTF-8 |
//! | `true`, `17` | a boolean, a whole number of 64 bits |
//! | `{"amqp":"i8","value":7}` | also `u8`, `i16`, `u16`, `i32`, `u32`, and `timestamp` (seconds since 1970) |
//! | `{"amqp":"float","value":1.5}` | also `double`; infinite and NaN by their bits: `{"amqp":"double","bits":"7ff8000000000000"}` |
//! | `{"amqp":"decimal","value":{"scale":2,"value":1999}}` | `value / 10^scale` |
//! | `{"amqp":"short_string","value":"text"}` | a short string |
//! | `{"amqp":"bytes","value":{"base64":"AP8="}}` | a byte array; its value is a *text* |
//! | `{"amqp":"array","value":[value, …]}` | a list |
//! | `{"amqp":"table","value":{name: value, …}}` | a table, in either form of `properties` |
//! | `{"sqs":"Number.int","utf8":"17"}`, `{"sqs":"Binary.png","base64":"…"}` | an SQS attribute and its data type |
//!
//! Unknown fields are ignored on reading; a field that occurs twice is refused. Everything that a terminal could take
//! for a command (control characters, C1 and DEL included) is written as `\u00XX`.
//! Limits: values nest at most [`MAX_DEPTH`] deep; line numbers and files are the reader's business.

mod read;
mod write;
mod written;

pub use read::read_line;
pub use write::{Derived, write_line, write_string, write_value};

/// The schema's name in every line.
pub const SCHEMA: &str = "postroom.message/1";

/// How deep AMQP arrays and tables may nest in a line that is read.
pub const MAX_DEPTH: usize = 100;

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::message::failure::{Death, Failure, Origin};
    use crate::message::{Amqp, Fields, Message, Position, Value};

    fn line(message: &Message, derived: Option<&Derived<'_>>) -> String {
        let mut out = Vec::new();
        write_line(message, derived, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn refusal(line: &str) -> String {
        let error = read_line(line.as_bytes()).expect_err(line);
        assert_eq!(error.kind(), crate::ErrorKind::Invalid);
        error.to_string()
    }

    fn sample() -> Message {
        Message {
            address: "rabbit:orders.dlq".into(),
            id: "m-1".into(),
            position: Some(Position { partition: Some(0), offset: 17 }),
            time: Some("2026-03-02T10:11:12Z".parse().unwrap()),
            key: Some(Bytes::from_static(b"order-17")),
            headers: Fields::from_iter([
                ("tenant", Value::from("acme")),
                ("tenant", Value::Null),
                ("x-death", Value::Amqp(Amqp::Array(Vec::new()))),
                ("n", Value::Int(-9)),
                ("raw", Value::Bytes(Bytes::from_static(&[0, 255]))),
                ("nan", Value::Amqp(Amqp::F32(0xffc0_0001))),
                ("f", Value::Amqp(Amqp::F64(1.5_f64.to_bits()))),
                ("price", Value::Amqp(Amqp::Decimal { scale: 2, value: 1999 })),
                ("attribute", Value::Sqs { data_type: "Number.int".into(), value: Bytes::from_static(b"17") }),
            ]),
            properties: Fields::from_iter([("delivery_mode", Value::Amqp(Amqp::U8(2)))]),
            metadata: Fields::from_iter([("a", Value::Bool(true)), ("a", Value::Bool(false))]),
            payload: Some(Bytes::from_static(b"{\"order_id\":17}")),
            deliveries: Some(3),
        }
    }

    #[test]
    fn a_line_has_the_documented_form_and_reads_back() {
        let text = line(&sample(), None);
        assert_eq!(
            text,
            concat!(
                r#"{"schema":"postroom.message/1","address":"rabbit:orders.dlq","id":"m-1","#,
                r#""position":{"partition":0,"offset":17},"time":"2026-03-02T10:11:12.000Z","key":{"utf8":"order-17"},"#,
                r#""headers":[["tenant","acme"],["tenant",null],["x-death",{"amqp":"array","value":[]}],["n",-9],"#,
                r#"["raw",{"base64":"AP8="}],["nan",{"amqp":"float","bits":"ffc00001"}],"#,
                r#"["f",{"amqp":"double","value":1.5}],["price",{"amqp":"decimal","value":{"scale":2,"value":1999}}],"#,
                r#"["attribute",{"sqs":"Number.int","utf8":"17"}]],"#,
                r#""properties":{"delivery_mode":{"amqp":"u8","value":2}},"metadata":[["a",true],["a",false]],"#,
                r#""payload":{"utf8":"{\"order_id\":17}"},"deliveries":3}"#,
                "\n"
            )
        );
        assert_eq!(read_line(text.as_bytes()).unwrap(), sample());
    }

    #[test]
    fn what_is_derived_is_shown_and_not_read_back() {
        let failure = Failure {
            dialect: "rabbitmq",
            class: Some("rejected".into()),
            origin: Some(Origin::Exchange { exchange: "shop".into(), routing_key: "a.b".into() }),
            attempts: Some(3),
            first: Some("2026-03-02T10:11:12.0015Z".parse().unwrap()),
            history: vec![Death { reason: "rejected".into(), queue: "orders".into(), count: 3, time: None }],
            ..Failure::default()
        };
        let derived = Derived { failure: Some(&failure), group: Some("g-5f3a9c"), ..Derived::default() };
        let text = line(&sample(), Some(&derived));
        assert!(text.ends_with(concat!(
            r#","failure":{"dialect":"rabbitmq","class":"rejected","origin":"exchange:shop/a.b","attempts":3,"#,
            r#""first":"2026-03-02T10:11:12.0015Z","history":[{"reason":"rejected","queue":"orders","count":3}]},"#,
            r#""group":"g-5f3a9c"}"#,
            "\n"
        )));
        assert_eq!(read_line(text.as_bytes()).unwrap(), sample());
        let named = Derived { origin: Some("rabbit:orders"), ..derived };
        assert!(line(&sample(), Some(&named)).contains(r#""origin":"rabbit:orders""#));
        assert!(line(&sample(), Some(&Derived::default())).ends_with("\"failure\":null,\"group\":null}\n"));
    }

    #[test]
    fn short_forms_unknown_fields_and_line_ends_are_read() {
        let read = |line: &str| read_line(line.as_bytes()).unwrap();
        let message = read("{\"payload\":\"hi\",\"key\":null,\"new\":[{}],\"group\":7,\"headers\":{\"a\":\"b\"}}\r\n");
        assert_eq!(message.payload.as_deref(), Some(b"hi".as_slice()));
        assert_eq!(message.headers.get_str("a"), Some("b"));
        assert_eq!(message.key, None);
        assert_eq!(read(r#"{"payload":null}"#), Message::default());
        assert_eq!(read(r#"{"payload":{"base64":"AP8"}}"#).body(), [0, 255]);
        assert_eq!(read(r#"{"payload":{"utf8":""}}"#).payload, Some(Bytes::new()));
    }

    #[test]
    fn a_line_as_it_is_written_is_read_without_the_reader_of_others() {
        let named = Derived { group: Some("g-5f3a9c"), ..Derived::default() };
        let plain = Message { payload: Some(Bytes::from_static(b"a\n\tat \"b\"\\\r\n/\n")), ..Message::default() };
        for message in [sample(), plain.clone(), Message { metadata: plain.headers.clone(), ..plain.clone() }] {
            for derived in [None, Some(&named)] {
                let text = line(&message, derived);
                assert_eq!(written::read(&text).as_ref(), Some(&message), "{text}");
                for cut in 0..text.len() - 1 {
                    assert_eq!(written::read(&text[..cut]), None, "{text}");
                }
                assert_eq!(written::read(&format!("{text} ")), None);
            }
        }
        let start = r#"{"schema":"postroom.message/1","payload":"#;
        assert_eq!(written::read(&format!("{start}null}}")), Some(Message::default()));
        for (behind, is_read) in [
            (r#""short"}"#, true),
            (r#"{"base64":"AA=="},"deliveries":7}"#, true),
            (r#"null,"headers":[]}"#, false),
            (r#"null,"payload":null}"#, false),
            (r#"null,"new":1}"#, false),
            ("{\"utf8\":\"\t\"}}", false),
            (r#"{"utf8":"\u0041"}}"#, false),
            (r#"{"utf8":"\"#, false),
            (r#"{"utf8":"\n\"#, false),
            (r#"null,"deliveries":07}"#, false),
        ] {
            let text = format!("{start}{behind}");
            assert_eq!(written::read(&text).is_some(), is_read, "{text}");
        }
    }

    #[test]
    fn errors_name_the_field_and_the_reason() {
        for (line, parts) in [
            ("", &["EOF"][..]),
            ("[]", &["expected an object of postroom.message/1"]),
            ("{}", &["no \"payload\""]),
            (r#"{"payload":"a"} x"#, &["trailing characters"]),
            (r#"{"payload":"a","payload":"b"}"#, &["field \"payload\"", "twice"]),
            (r#"{"payload":17}"#, &["field \"payload\"", "utf8"]),
            (r#"{"payload":true}"#, &["field \"payload\"", "utf8"]),
            (r#"{"payload":{"base64":"A*"}}"#, &["field \"payload\"", "bad base64"]),
            (r#"{"payload":{"utf8":"a","base64":"AAAA"}}"#, &["field \"payload\"", "more than one"]),
            (r#"{"payload":{}}"#, &["field \"payload\"", "expected {\"utf8\""]),
            (r#"{"payload":"a","key":[]}"#, &["field \"key\"", "utf8"]),
            (r#"{"payload":"a","time":"yesterday"}"#, &["field \"time\""]),
            (r#"{"payload":"a","position":{"offset":-1}}"#, &["field \"position\"", "u64"]),
            (r#"{"payload":"a","deliveries":"3"}"#, &["field \"deliveries\""]),
            (r#"{"payload":"a","headers":[["x"]]}"#, &["field \"headers\""]),
            (r#"{"payload":"a","headers":[["x",1.5]]}"#, &["field \"headers\"", "\"x\": 1.5 is not a whole number"]),
            (r#"{"payload":"a","headers":{"x":{"amqp":"u8","value":256}}}"#, &["\"x\": 256", "\"u8\""]),
            (r#"{"payload":"a","headers":{"x":{"amqp":"double","value":1e999}}}"#, &["too large"]),
            (r#"{"payload":"a","headers":{"x":{"amqp":"double","bits":"+ff8000000000000"}}}"#, &["hex digits"]),
            (r#"{"payload":"a","headers":{"x":{"amqp":"word","value":1}}}"#, &["\"word\" is not a type"]),
            (r#"{"payload":"a","properties":{"x":{"sqs":"Number"}}}"#, &["field \"properties\"", "\"sqs\""]),
            (r#"{"schema":"postroom.queue/1","payload":"a"}"#, &["field \"schema\"", "postroom.queue/1"]),
            (r#"{"payload":"a"#, &["field \"payload\"", "EOF", "byte"]),
        ] {
            let told = refusal(line);
            assert!(parts.iter().all(|part| told.contains(part)), "{line}: {told}");
        }
        assert!(read_line(b"{\"payload\":\"\xff\"}").unwrap_err().to_string().contains("not UTF-8 at byte 13"));
    }

    #[test]
    fn deep_nesting_is_refused_before_it_costs_the_stack() {
        let nest = |depth: usize| {
            let value = (0..depth).fold(Value::Null, |inner, _| Value::Amqp(Amqp::Array(vec![inner])));
            Message { headers: Fields::from_iter([("deep", value)]), payload: Some(Bytes::new()), ..Message::default() }
        };
        let deepest = nest(MAX_DEPTH);
        assert_eq!(read_line(line(&deepest, None).as_bytes()).unwrap(), deepest);
        assert!(refusal(&line(&nest(MAX_DEPTH + 1), None)).contains("nest deeper"));
        assert!(refusal(&format!("{{\"payload\":{}", "[".repeat(1_000_000))).contains("payload"));
    }

    #[test]
    fn nothing_in_a_line_is_a_command_to_a_terminal() {
        let nasty = "\u{1b}[2J\u{7}\u{7f}\u{9b}31m\u{80}\u{a0}é\"\\\n";
        let message = Message { payload: Some(Bytes::from(nasty)), ..Message::default() };
        let text = line(&message, None);
        assert!(text.trim_end().chars().all(|c| !c.is_control()), "{text:?}");
        assert_eq!(read_line(text.as_bytes()).unwrap(), message);
    }
}
