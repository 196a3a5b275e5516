//! Properties of messages: whatever a broker can hold survives the line and the archive.

use std::fs;

use bytes::Bytes;
use jiff::Timestamp;
use postroom::broker::{BrowseOptions, End};
use postroom::message::jsonl::{read_line, write_line};
use postroom::message::{Amqp, Fields, Message, Position, Value};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use tempfile::TempDir;

use super::archive::{browse, write};

fn bytes() -> impl Strategy<Value = Bytes> {
    prop_oneof![
        any::<String>().prop_map(Bytes::from),
        vec(any::<u8>(), 0..40).prop_map(Bytes::from),
        "[\\x00-\\x7f\u{80}-\u{a0}]{0,20}".prop_map(Bytes::from),
    ]
}

/// Names that repeat often.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]?", any::<String>()]
}

fn fields(value: impl Strategy<Value = Value> + 'static) -> impl Strategy<Value = Fields> {
    vec((name(), value), 0..6).prop_map(Fields::from_iter)
}

fn value() -> impl Strategy<Value = Value> {
    let amqp = prop_oneof![
        any::<i8>().prop_map(Amqp::I8),
        any::<u8>().prop_map(Amqp::U8),
        any::<i16>().prop_map(Amqp::I16),
        any::<u16>().prop_map(Amqp::U16),
        any::<i32>().prop_map(Amqp::I32),
        any::<u32>().prop_map(Amqp::U32),
        // Any bits: both zeros, subnormals, infinities and every NaN.
        any::<u32>().prop_map(Amqp::F32),
        any::<u64>().prop_map(Amqp::F64),
        any::<f32>().prop_map(|float| Amqp::F32(float.to_bits())),
        any::<f64>().prop_map(|float| Amqp::F64(float.to_bits())),
        (any::<u8>(), any::<u32>()).prop_map(|(scale, value)| Amqp::Decimal { scale, value }),
        any::<String>().prop_map(Amqp::ShortString),
        any::<u64>().prop_map(Amqp::Timestamp),
        bytes().prop_map(Amqp::ByteArray),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        bytes().prop_map(Value::Bytes),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        amqp.prop_map(Value::Amqp),
        (any::<String>(), bytes()).prop_map(|(data_type, value)| Value::Sqs { data_type, value }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(|values| Value::Amqp(Amqp::Array(values))),
            fields(inner).prop_map(|fields| Value::Amqp(Amqp::Table(fields))),
        ]
    })
}

fn time() -> impl Strategy<Value = Timestamp> {
    let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    let nanoseconds = prop_oneof![Just(0), Just(7_000_000), 0..1_000_000_000];
    (seconds, nanoseconds).prop_map(|(second, nanosecond)| {
        Timestamp::new(second, nanosecond).unwrap_or_else(|_| Timestamp::new(second, 0).unwrap())
    })
}

fn position() -> impl Strategy<Value = Position> {
    (option::of(any::<i32>()), any::<u64>()).prop_map(|(partition, offset)| Position { partition, offset })
}

/// Any message that a broker could hold.
pub(super) fn message() -> impl Strategy<Value = Message> {
    (
        (any::<String>(), any::<String>(), option::of(position()), option::of(time())),
        (option::of(bytes()), fields(value()), fields(value()), fields(value())),
        (option::of(bytes()), option::of(any::<u64>())),
    )
        .prop_map(
            |((address, id, position, time), (key, headers, properties, metadata), (payload, deliveries))| {
                let address = address.into();
                Message { address, id, position, time, key, headers, properties, metadata, payload, deliveries }
            },
        )
}

proptest! {
    #[test]
    fn any_message_survives_the_line(message in message()) {
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        prop_assert_eq!(line.iter().position(|byte| *byte == b'\n'), Some(line.len() - 1));
        let back = read_line(&line).unwrap();
        prop_assert_eq!(back.digest(), message.digest());
        prop_assert_eq!(back, message);
    }

    #[test]
    fn a_cut_line_is_an_error(message in message(), cut in any::<prop::sample::Index>()) {
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        let cut = cut.index(line.len() - 1);
        prop_assert!(read_line(&line[..cut]).is_err());
    }

    // Lines as they are written are read by another reader than those with a space in front.
    #[test]
    fn a_line_is_read_the_same_by_both_readers(
        message in message(),
        damage in vec((any::<prop::sample::Index>(), prop::sample::select(b"\"\\nu{}[],:0-e \n\x01\x80".as_slice()), 0..3_u8), 0..3),
    ) {
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        for (at, byte, how) in damage {
            let at = at.index(line.len());
            match how {
                0 => line[at] = byte,
                1 => line.insert(at, byte),
                _ => _ = line.remove(at),
            }
        }
        let spaced = [b" ", line.as_slice()].concat();
        prop_assert_eq!(read_line(&line).ok(), read_line(&spaced).ok(), "{}", String::from_utf8_lossy(&line));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(
        noise in vec(any::<u8>(), 0..200),
        message in message(),
        spot in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        _ = read_line(&noise);
        let mut line = Vec::new();
        write_line(&message, None, &mut line);
        let spot = spot.index(line.len());
        line[spot] = byte;
        _ = read_line(&line);
    }
}

/// What a browse of a file delivers.
fn read(path: &std::path::Path) -> (Vec<Message>, Result<End, postroom::Error>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(browse(path, BrowseOptions::default()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_messages_survive_the_archive(sent in vec(message(), 0..12), split in any::<prop::sample::Index>()) {
        let folder = TempDir::new().unwrap();
        for name in ["a.jsonl", "a.jsonl.zst"] {
            let path = folder.path().join(name);
            let (first, second) = sent.split_at(split.index(sent.len() + 1));
            write(&path, &[first, second]);
            let (got, end) = read(&path);
            prop_assert_eq!(end.unwrap(), End::Exhausted);
            prop_assert_eq!(got.len(), sent.len());
            for (got, sent) in got.iter().zip(&sent) {
                prop_assert_eq!(got.digest(), sent.digest());
                prop_assert_eq!((got.time, got.deliveries), (sent.time, sent.deliveries));
            }
        }
    }

    #[test]
    fn a_cut_archive_is_told_and_never_silently_shorter(
        sent in vec(message(), 1..8),
        split in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let folder = TempDir::new().unwrap();
        for (name, compressed) in [("a.jsonl", false), ("a.jsonl.zst", true)] {
            let path = folder.path().join(name);
            let (first, second) = sent.split_at(split.index(sent.len() + 1));
            let ends = write(&path, &[first, second]);
            let whole = fs::read(&path).unwrap();
            let kept = &whole[..cut.index(whole.len())];
            fs::write(&path, kept).unwrap();
            let (got, end) = read(&path);
            // Whole lines, or whole frames, are all that a cut file may hold without an error.
            let expected = if compressed {
                match kept.len() as u64 {
                    0 => Some(0),
                    at if at == ends[0] => Some(first.len()),
                    _ => None,
                }
            } else {
                let line_ends = whole.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at);
                let whole_lines = line_ends.clone().filter(|at| *at <= kept.len()).count();
                let clean = kept.is_empty() || kept.ends_with(b"\n") || line_ends.clone().any(|at| at == kept.len());
                clean.then_some(whole_lines)
            };
            if let Some(count) = expected {
                prop_assert_eq!(end.unwrap(), End::Exhausted);
                prop_assert_eq!(got.len(), count);
            } else {
                prop_assert_eq!(end.unwrap_err().kind(), postroom::ErrorKind::Invalid);
                // A cut through a frame's checksum leaves every line readable, and is told all the same.
                prop_assert!(got.len() < sent.len() || compressed);
            }
            prop_assert!(got.iter().zip(&sent).all(|(got, sent)| got.digest() == sent.digest()));
        }
    }

    #[test]
    fn no_file_makes_the_archive_reader_panic(noise in vec(any::<u8>(), 0..300), zstd in any::<bool>()) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("noise");
        let magic: &[u8] = if zstd { &[0x28, 0xB5, 0x2F, 0xFD] } else { b"" };
        fs::write(&path, [magic, &noise].concat()).unwrap();
        let (got, end) = read(&path);
        prop_assert!(end.is_err() || got.len() <= noise.len());
    }
}
