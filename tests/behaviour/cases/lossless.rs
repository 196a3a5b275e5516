//! What goes in comes out: every kind of value, null and empty, any bytes, any size.

use bytes::Bytes;
use postroom::broker::BrowseOptions;
use postroom::message::{Amqp, Fields, Message, Name, Value};

use super::{Case, case};
use crate::fixture::Wanted;
use crate::world::World;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case!(every_kind_of_header_value_survives, |capability, _| capability.publish.is_some()),
        case!(payloads_of_any_bytes_and_size_survive, |capability, _| capability.publish.is_some()),
        case!(named_properties_survive, |_, fixture| !fixture.properties().is_empty()),
        case!(keys_survive, |capability, _| capability.publish.is_some_and(|limits| limits.key)),
        case!(repeated_header_names_survive, |capability, _| {
            capability.publish.is_some_and(|limits| limits.duplicate_headers)
        }),
        case!(twin a_repeated_header_name_is_refused_rather_than_lost, |capability, _| {
            capability.publish.is_some_and(|limits| !limits.duplicate_headers)
        }),
        case!(twin a_null_payload_is_refused_rather_than_made_empty, |capability, _| {
            capability.publish.is_some_and(|limits| !limits.null_payload)
        }),
        case!(odd_names_of_up_to_255_bytes_work, |_, fixture| {
            fixture.odd_names().into_iter().all(|name| fixture.makes(&Wanted::Named(name)))
                && !fixture.odd_names().is_empty()
        }),
    ]
}

/// One header of every type that there is.
fn every_value() -> Vec<(&'static str, Value)> {
    let nested = Fields::from_iter([("inner", Value::Int(-1)), ("text", Value::text("é"))]);
    let list = vec![Value::Null, Value::Bool(false), Value::Amqp(Amqp::Table(nested.clone()))];
    let sqs = |data_type: &str, value: &'static [u8]| Value::Sqs {
        data_type: data_type.to_owned(),
        value: Bytes::from_static(value),
    };
    vec![
        ("a-null", Value::Null),
        ("b-text", Value::text("plain \u{1f980}")),
        ("c-empty", Value::text("")),
        ("d-bytes", Value::Bytes(Bytes::from_static(&[0, 0xff, 0xfe]))),
        ("e-bool", Value::Bool(true)),
        ("f-int", Value::Int(i64::MIN)),
        ("g-i8", Value::Amqp(Amqp::I8(-8))),
        ("h-u8", Value::Amqp(Amqp::U8(8))),
        ("i-i16", Value::Amqp(Amqp::I16(i16::MIN))),
        ("j-u16", Value::Amqp(Amqp::U16(u16::MAX))),
        ("k-i32", Value::Amqp(Amqp::I32(i32::MIN))),
        ("l-u32", Value::Amqp(Amqp::U32(u32::MAX))),
        ("m-f32", Value::Amqp(Amqp::F32(1.5_f32.to_bits()))),
        ("n-f64", Value::Amqp(Amqp::F64(f64::MIN_POSITIVE.to_bits()))),
        ("o-decimal", Value::Amqp(Amqp::Decimal { scale: 2, value: 12345 })),
        ("p-timestamp", Value::Amqp(Amqp::Timestamp(1_772_445_600))),
        ("q-byte-array", Value::Amqp(Amqp::ByteArray(Bytes::from_static(b"\0\x01")))),
        ("r-array", Value::Amqp(Amqp::Array(list))),
        ("s-table", Value::Amqp(Amqp::Table(nested))),
        ("t-number", sqs("Number", b"12.50")),
        ("u-binary", sqs("Binary.png", b"\x89PNG")),
    ]
}

/// Sends messages and reads them again.
async fn there_and_back(world: &World, sent: &[Message]) -> Vec<Message> {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    for result in publisher.publish(sent).await {
        result.unwrap();
    }
    publisher.close().await.unwrap();
    world.until_ready(&queue, sent.len() as u64).await;
    world.look(&queue, BrowseOptions::default()).await.unwrap().0.messages
}

/// The fields in the order that the target keeps.
fn in_order(world: &World, fields: &Fields) -> Vec<(Name, Value)> {
    let mut fields: Vec<_> = fields.iter().cloned().collect();
    if world.capability.publish.is_some_and(|limits| !limits.duplicate_headers) {
        fields.sort_by(|a, b| a.0.cmp(&b.0));
    }
    fields
}

async fn every_kind_of_header_value_survives(world: &World) {
    let limits = world.capability.publish.unwrap();
    let takes = |header: &(&str, Value)| {
        let headers = Fields::from_iter([header.clone()]);
        world.fixture.takes(&Message { headers, ..world.message("{}") })
    };
    let fitting: Vec<_> = every_value().into_iter().filter(|(_, value)| limits.header_types.holds(value)).collect();
    let fitting: Vec<_> = fitting.into_iter().filter(takes).collect();
    assert!(fitting.len() > 1);
    // As many in each message as it may have, so that every value is sent.
    let most = limits.max_headers.unwrap_or(u32::MAX) as usize;
    let sent: Vec<Message> = fitting
        .chunks(most)
        .map(|values| Message { headers: values.iter().cloned().collect(), ..world.message("{}") })
        .collect();
    let read = there_and_back(world, &sent).await;
    assert_eq!(read.len(), sent.len());
    for (sent, read) in sent.iter().zip(&read) {
        assert_eq!(in_order(world, &read.headers), in_order(world, &sent.headers));
    }
}

async fn payloads_of_any_bytes_and_size_survive(world: &World) {
    let limits = world.capability.publish.unwrap();
    // A little less than the limit: keys and attributes count, too.
    let largest = usize::try_from(limits.max_bytes.unwrap_or(u64::MAX)).unwrap().saturating_sub(1024).min(1 << 20);
    let all_bytes: Vec<u8> = (0..=u8::MAX).collect();
    let mut sent = vec![
        world.message(Bytes::new()),
        world.message("x"),
        world.message("\u{1f980}\r\n\ttext "),
        world.message(all_bytes),
        world.message(vec![b'z'; largest]),
    ];
    if limits.null_payload {
        sent.push(Message { payload: None, ..world.message("") });
    }
    sent.retain(|message| world.fixture.takes(message));
    assert!(sent.len() >= 3);
    let read = there_and_back(world, &sent).await;
    let bodies = |messages: &[Message]| {
        let mut bodies: Vec<Option<Bytes>> = messages.iter().map(|message| message.payload.clone()).collect();
        bodies.sort_unstable();
        bodies
    };
    assert!(bodies(&read) == bodies(&sent), "a payload changed on the way");
}

async fn named_properties_survive(world: &World) {
    let properties = world.fixture.properties();
    let sent = Message { properties: properties.clone(), ..world.message("{}") };
    let read = there_and_back(world, &[sent]).await;
    for (name, value) in &properties {
        assert_eq!(read[0].properties.get(name), Some(value), "{name}");
    }
}

async fn keys_survive(world: &World) {
    let keys = [Some(Bytes::from_static(b"order-17")), Some(Bytes::new()), None, Some(Bytes::from_static(&[0, 0xff]))];
    let sent = keys.into_iter().map(|key| Message { key, ..world.message("{}") });
    let sent: Vec<Message> = sent.filter(|message| world.fixture.takes(message)).collect();
    let mut read: Vec<_> = there_and_back(world, &sent).await.into_iter().map(|message| message.key).collect();
    let mut keys: Vec<_> = sent.into_iter().map(|message| message.key).collect();
    read.sort_unstable();
    keys.sort_unstable();
    assert_eq!(read, keys);
}

/// Two headers of one name, with others around them.
fn repeated(world: &World) -> Message {
    let headers = [("a", "1"), ("b", "2"), ("a", "3")].map(|(name, value)| (name, Value::text(value)));
    Message { headers: headers.into_iter().collect(), ..world.message("{}") }
}

async fn repeated_header_names_survive(world: &World) {
    let sent = repeated(world);
    let read = there_and_back(world, std::slice::from_ref(&sent)).await;
    assert_eq!(read[0].headers, sent.headers);
}

async fn a_repeated_header_name_is_refused_rather_than_lost(world: &World) {
    refused(world, repeated(world)).await;
}

async fn a_null_payload_is_refused_rather_than_made_empty(world: &World) {
    refused(world, Message { payload: None, ..world.message("") }).await;
}

/// A message that the target can't hold is refused alone, and those around it arrive.
async fn refused(world: &World, message: Message) {
    let queue = world.queue().await;
    let publisher = world.publisher(&queue).await;
    let results = publisher.publish(&[world.message("before"), message, world.message("after")]).await;
    let kinds: Vec<_> = results.into_iter().map(|result| result.err().map(|error| error.kind())).collect();
    assert_eq!(kinds, [None, Some(postroom::ErrorKind::Rejected), None]);
    world.until_ready(&queue, 2).await;
}

async fn odd_names_of_up_to_255_bytes_work(world: &World) {
    for name in world.fixture.odd_names() {
        let queue = world.queue_that(&Wanted::Named(name)).await;
        world.fixture.fill(&queue, &world.messages(0..1)).await;
        world.publisher(&queue).await.publish(&world.messages(1..2)).await.pop().unwrap().unwrap();
        world.until_ready(&queue, 2).await;
        assert_eq!(world.broker.describe(&queue).await.unwrap().name, queue);
        assert_eq!(world.content(&queue).await.len(), 2, "{queue:?}");
        if world.capability.list {
            let listing = world.broker.list(&postroom::broker::ListFilter::default()).await.unwrap();
            assert!(listing.queues.iter().any(|info| info.name == queue), "{queue:?} is not listed");
        }
    }
}
