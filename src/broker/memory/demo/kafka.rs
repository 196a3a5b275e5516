//! What the shop's Kafka holds: live topics (tombstones, Avro), and dead letters of Spring Kafka and Kafka Connect.

use bytes::Bytes;
use jiff::Timestamp;

use super::super::stored::Stored;
use super::rabbitmq::{caused_by, text_of};
use super::{Stage, before, shop};
use crate::message::{Fields, Message, Value};

const KAFKA_LISTENER: &str = include_str!("../../../../assets/demo/kafka-listener.java.txt");
const CURRENCY: &str = include_str!("../../../../assets/demo/currency.java.txt");
const TAX: &str = include_str!("../../../../assets/demo/tax.java.txt");
const SCHEMA: &str = include_str!("../../../../assets/demo/schema.java.txt");

pub(super) fn load(stage: &mut Stage) {
    order_events(stage);
    order_events_dlt(stage);
    inventory(stage);
    inventory_dlq(stage);
}

/// An event about an order; the payload of a cancelled one is null.
fn event(stage: &mut Stage, number: u64, at: Timestamp, currency: Option<&str>, cancelled: bool) -> Message {
    let (id, body) = shop::order(&mut stage.random, number, at, currency);
    let headers = Fields::from_iter([
        ("ce_id", Value::text(stage.random.uuid())),
        ("ce_source", Value::text("/checkout")),
        ("ce_type", Value::text(if cancelled { "order.cancelled" } else { "order.placed" })),
        ("baggage", Value::Null),
        // Both proxies on the way add theirs.
        ("x-forwarded-for", Value::text(format!("10.1.{}.{}", stage.random.below(8), stage.random.below(250)))),
        ("x-forwarded-for", Value::text("10.0.0.4")),
    ]);
    let payload = (!cancelled).then(|| Bytes::from(body));
    Message { key: Some(Bytes::from(id)), headers, payload, time: Some(at), ..Message::default() }
}

fn order_events(stage: &mut Stage) {
    for i in 0..300 {
        let at = stage.lately(i, 300, 2);
        let message = event(stage, 48_000 + i, at, (i % 3 > 0).then_some("EUR"), i % 50 == 49);
        stage.put("order-events", Stored::new(message, "", at), at);
    }
}

/// Marks a record as `DeadLetterPublishingRecoverer` does.
fn dead_letter(message: &mut Message, place: (i32, u64), failed: Timestamp, cause: &str, text: &str, stack: &Bytes) {
    let (partition, offset) = place;
    let listener = "Listener method 'public void com.harborbooks.orders.OrderEventsListener.onEvent(org.apache.kafka.clients.consumer.ConsumerRecord<java.lang.String, byte[]>)' threw exception";
    let time = message.time.unwrap_or(failed).as_millisecond();
    let big_endian = |bytes: &[u8]| Value::Bytes(Bytes::copy_from_slice(bytes));
    let headers = &mut message.headers;
    headers.push("kafka_dlt-original-topic", "order-events");
    headers.push("kafka_dlt-original-partition", big_endian(&partition.to_be_bytes()));
    headers.push("kafka_dlt-original-offset", big_endian(&offset.to_be_bytes()));
    headers.push("kafka_dlt-original-timestamp", big_endian(&time.to_be_bytes()));
    headers.push("kafka_dlt-original-timestamp-type", "CreateTime");
    headers.push("kafka_dlt-original-consumer-group", "order-pricing");
    headers.push("kafka_dlt-exception-fqcn", "org.springframework.kafka.listener.ListenerExecutionFailedException");
    headers.push("kafka_dlt-exception-cause-fqcn", cause);
    headers.push("kafka_dlt-exception-message", Value::text(format!("{listener}; {text}")));
    headers.push("kafka_dlt-exception-stacktrace", Value::Bytes(stack.clone()));
    message.time = Some(failed);
}

fn order_events_dlt(stage: &mut Stage) {
    const COUNT: u64 = 437;
    let currency = caused_by(KAFKA_LISTENER, CURRENCY);
    let tax = caused_by(KAFKA_LISTENER, TAX);
    let mut tax_left = 156;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let placed = before(at, 9_000 + stage.random.below(900));
        let of_tax = tax_left > 0 && i >= COUNT / 2 && (COUNT - i <= tax_left || stage.random.below(2) == 0);
        let cancelled = of_tax && i % 40 == 11;
        let mut message = event(stage, 47_000 + i, placed, of_tax.then_some("EUR"), cancelled);
        let place = (i32::try_from(i % 6).unwrap_or(0), 1_204_000 + i / 6);
        if of_tax {
            tax_left -= 1;
            dead_letter(&mut message, place, at, "java.net.ConnectException", text_of(TAX), &tax);
        } else {
            dead_letter(&mut message, place, at, "java.lang.NullPointerException", text_of(CURRENCY), &currency);
        }
        stage.put("order-events-dlt", Stored::new(message, "", at), at);
    }
}

/// A stock level in Avro behind a registry's frame: zero byte, schema id, then string, long and string.
fn stock(stage: &mut Stage, schema: u32, at: Timestamp) -> (Bytes, Vec<u8>) {
    let sku = format!("978-{:010}", stage.random.below(9_999_999_999));
    let mut body = [&[0][..], &schema.to_be_bytes()].concat();
    let long = |body: &mut Vec<u8>, n: i64| {
        let mut zigzag = ((n << 1) ^ (n >> 63)).cast_unsigned();
        while zigzag >= 0x80 {
            body.push((zigzag & 0x7f) as u8 | 0x80);
            zigzag >>= 7;
        }
        body.push((zigzag & 0x7f) as u8);
    };
    for text in [sku.as_str(), stage.random.pick(&["bergen-1", "porto-2", "lyon-1"])] {
        long(&mut body, i64::try_from(text.len()).unwrap_or(0));
        body.extend_from_slice(text.as_bytes());
    }
    long(&mut body, i64::try_from(stage.random.below(900)).unwrap_or(0));
    long(&mut body, at.as_millisecond());
    (Bytes::from(sku), body)
}

/// A compacted topic: a book that is sold out for good gets a tombstone.
fn inventory(stage: &mut Stage) {
    for i in 0..180 {
        let at = stage.lately(i, 180, 5);
        let (key, body) = stock(stage, 4711, at);
        let payload = (i % 30 != 29).then(|| Bytes::from(body));
        let message = Message { key: Some(key), payload, time: Some(at), ..Message::default() };
        stage.put("inventory.updates", Stored::new(message, "", at), at);
    }
}

fn inventory_dlq(stage: &mut Stage) {
    const COUNT: u64 = 264;
    let stack = Bytes::from_static(SCHEMA.trim_ascii_end().as_bytes());
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let (key, body) = stock(stage, 4712, at);
        let (partition, offset) = ((i % 3).to_string(), (88_100 + i / 3).to_string());
        let mut headers = Fields::from_iter([
            ("__connect.errors.topic", "inventory.updates"),
            ("__connect.errors.partition", partition.as_str()),
            ("__connect.errors.offset", offset.as_str()),
            ("__connect.errors.connector.name", "warehouse-sink"),
            ("__connect.errors.task.id", "0"),
            ("__connect.errors.stage", "VALUE_CONVERTER"),
            ("__connect.errors.class.name", "io.confluent.connect.avro.AvroConverter"),
            ("__connect.errors.exception.class.name", "org.apache.kafka.connect.errors.DataException"),
            ("__connect.errors.exception.message", text_of(SCHEMA)),
        ]);
        headers.push("__connect.errors.exception.stacktrace", Value::Bytes(stack.clone()));
        let message =
            Message { key: Some(key), headers, payload: Some(body.into()), time: Some(at), ..Message::default() };
        stage.put("inventory.updates.dlq", Stored::new(message, "", at), at);
    }
}
