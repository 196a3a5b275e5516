//! What the shop's RabbitMQ holds: live queues, and dead letters of Spring AMQP, MassTransit, Celery and the broker
//! itself.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;

use super::super::death;
use super::super::stored::{Dead, DeathReason, Stored};
use super::shop::{self, Customer};
use super::{Stage, before};
use crate::message::{Amqp, Fields, Message, Value};

const AMQP_LISTENER: &str = include_str!("../../../../assets/demo/amqp-listener.java.txt");
const CURRENCY: &str = include_str!("../../../../assets/demo/currency.java.txt");
const TAX: &str = include_str!("../../../../assets/demo/tax.java.txt");
const DUPLICATE: &str = include_str!("../../../../assets/demo/duplicate.java.txt");
const ADDRESS: &str = include_str!("../../../../assets/demo/address.dotnet.txt");

/// Order numbers: each queue's begin at its own, so that no order is in two places but for a reason.
const FIRST_ORDER: u64 = 48_200;

pub(super) fn load(stage: &mut Stage) {
    live(stage);
    orders_dlq(stage);
    payments_dlq(stage);
    emails_error(stage);
    thumbnails_dlq(stage);
}

/// A message of a Spring service.
fn spring(stage: &mut Stage, routing_key: &str, kind: &str, body: impl Into<Bytes>, at: Timestamp) -> Message {
    let headers = Fields::from_iter([
        ("__TypeId__", Value::text(kind)),
        ("tenant", Value::text("harborbooks")),
        (
            "traceparent",
            Value::text(format!("00-{:016x}{:016x}-{:016x}-01", stage.random.next(), 7, stage.random.next())),
        ),
    ]);
    Message {
        key: Some(Bytes::from(routing_key.to_owned())),
        headers,
        properties: properties(stage.random.uuid(), "application/json", at),
        payload: Some(body.into()),
        ..Message::default()
    }
}

fn properties(id: String, content_type: &str, at: Timestamp) -> Fields {
    Fields::from_iter([
        ("content_type", Value::text(content_type)),
        ("delivery_mode", Value::Int(2)),
        ("message_id", Value::text(id)),
        ("timestamp", Value::Int(at.as_second())),
    ])
}

/// Marks a message as `RepublishMessageRecoverer` does.
fn republished(mut message: Message, text: &str, stack: &Bytes) -> Message {
    let key = message.key.take().unwrap_or_default();
    message.key = Some([b"error.", key.as_ref()].concat().into());
    message.headers.push("x-exception-message", text);
    message.headers.push("x-exception-stacktrace", Value::Bytes(stack.clone()));
    message.headers.push("x-original-exchange", "shop");
    message.headers.push("x-original-routingKey", Value::Bytes(key));
    message
}

/// A stack trace of the listener, caused by another.
pub(super) fn caused_by(listener: &str, cause: &str) -> Bytes {
    Bytes::from(format!("{} {}", listener.trim_end(), cause.trim_end()))
}

/// The text of a Java exception: its first line behind the class.
pub(super) fn text_of(trace: &str) -> &str {
    trace.lines().next().and_then(|line| line.split_once(": ")).map_or("", |(_, text)| text)
}

fn live(stage: &mut Stage) {
    for i in 0..480 {
        let at = stage.lately(i, 480, 3);
        let currency = if i % 3 == 0 { None } else { Some("EUR") };
        let (_, body) = shop::order(&mut stage.random, FIRST_ORDER + i, at, currency);
        let message = spring(stage, "order.placed", "com.harborbooks.orders.Order", body, at);
        stage.put("orders", Stored::new(message, "shop", at), at);
    }
    for i in 0..37 {
        let at = stage.lately(i, 37, 2);
        let (_, body) = shop::payment(&mut stage.random, 48_000 + i, at);
        let message = spring(stage, "payment.captured", "com.harborbooks.payments.Captured", body, at);
        stage.put("payments", Stored::new(message, "shop", at), at);
    }
    for i in 0..12 {
        let at = stage.lately(i, 12, 2);
        let message = mail(stage, at, None);
        stage.put("emails", Stored::new(message, "Harbor.Contracts:OrderConfirmed", at), at);
    }
    for i in 0..64 {
        let at = stage.lately(i, 64, 4);
        let message = task(stage, at);
        stage.put("thumbnails", Stored::new(message, "", at), at);
    }
    for i in 0..150 {
        let at = stage.lately(i, 150, 1);
        let (_, body) = shop::order(&mut stage.random, FIRST_ORDER + 330 + i, at, Some("EUR"));
        // The audit writer compresses everything, as its content type says.
        let mut message = spring(stage, "order.placed", "com.harborbooks.orders.Order", gzip(body.as_bytes()), at);
        message.properties.push("content_encoding", "gzip");
        stage.put("audit.stream", Stored::new(message, "shop", at), at);
    }
}

fn orders_dlq(stage: &mut Stage) {
    const COUNT: u64 = 449;
    let currency = caused_by(AMQP_LISTENER, CURRENCY);
    let tax = [TAX.to_owned(), TAX.replace(".17:", ".18:")]
        .map(|trace| (text_of(&trace).to_owned(), caused_by(AMQP_LISTENER, &trace)));
    let mut tax_left = 118;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let placed = before(at, 61_000 + stage.random.below(4_000));
        // The tax service is down for the last part of the incident only.
        let of_tax = tax_left > 0 && i >= COUNT / 2 && (COUNT - i <= tax_left || stage.random.below(2) == 0);
        let (_, body) = shop::order(&mut stage.random, 47_000 + i, placed, of_tax.then_some("EUR"));
        let mut message = spring(stage, "order.placed", "com.harborbooks.orders.Order", body, placed);
        if i % 61 == 7 {
            wrap(&mut message);
        }
        if i == 23 {
            attack(&mut message);
        }
        let message = if of_tax {
            tax_left -= 1;
            let (text, stack) = &tax[usize::from(stage.random.below(3) == 0)];
            republished(message, text, stack)
        } else {
            republished(message, text_of(CURRENCY), &currency)
        };
        stage.put("orders.dlq", Stored::new(message, "shop.errors", at), at);
    }
}

/// What a partner's gateway sends: the JSON in gzip in base64.
fn wrap(message: &mut Message) {
    let body = STANDARD.encode(gzip(message.body()));
    message.payload = Some(body.into());
    message.properties.retain(|name, _| name != "content_type");
    message.properties.push("content_type", "application/octet-stream");
    message.properties.push("content_encoding", "gzip+base64");
    message.headers.push("x-gateway", "partner-edi/3");
}

/// A customer who hopes that somebody reads this in a terminal: a new title, a cleared screen, a false prompt, and text
/// that runs from right to left.
fn attack(message: &mut Message) {
    message.headers.push(
        "user-agent",
        "Mozilla/5.0 \u{1b}]0;owned\u{7}\u{1b}[2J\u{1b}[H\u{1b}[31mroot@broker:~# \u{202e}gnp.exe\u{9b}6n",
    );
}

fn payments_dlq(stage: &mut Stage) {
    const COUNT: u64 = 142;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let (id, body) = shop::payment(&mut stage.random, 46_000 + i, before(at, 3_000));
        let trace = DUPLICATE.replace("PAYMENT", &id);
        let text = format!(
            "ERROR: duplicate key value violates unique constraint \"payments_pkey\"\n  Detail: Key (payment_id)=({id}) already exists."
        );
        let message = spring(stage, "payment.captured", "com.harborbooks.payments.Captured", body, before(at, 3_000));
        let message = republished(message, &text, &Bytes::from(trace));
        stage.put("payments.dlq", Stored::new(message, "shop.errors", at), at);
        if i == 97 {
            poison(stage, at);
        }
    }
}

/// A payment whose metadata is nested so deep that its consumer dies of it each time, without a word.
fn poison(stage: &mut Stage, at: Timestamp) {
    let (_, body) = shop::payment(&mut stage.random, 46_500, before(at, 90_000));
    let nested = format!(r#""metadata":{}{}"#, "[".repeat(4_000), "]".repeat(4_000));
    let body = body.replace(r#""flags":[]"#, &format!(r#""flags":[],{nested}"#));
    let message = spring(stage, "payment.captured", "com.harborbooks.payments.Captured", body, before(at, 90_000));
    let mut stored = Stored::new(message, "shop", before(at, 90_000));
    stored.failed = 21;
    let mut stored = death::record(Dead { stored, reason: DeathReason::DeliveryLimit }, "payments", at);
    "shop.errors".clone_into(&mut stored.exchange);
    stored.message.key = Some(Bytes::from_static(b"error.payment.dead"));
    stage.put("payments.dlq", stored, at);
}

/// An order confirmation in MassTransit's envelope. `broken` is an address that does not parse.
fn mail(stage: &mut Stage, at: Timestamp, broken: Option<&str>) -> Message {
    let customer = Customer::any(&mut stage.random);
    let (id, conversation) = (stage.random.uuid(), stage.random.uuid());
    let to = broken.map_or_else(|| customer.email.clone(), |suffix| format!("{}{suffix}", customer.email));
    let body = format!(
        r#"{{"messageId":"{id}","conversationId":"{conversation}","sourceAddress":"rabbitmq://rabbit/checkout","destinationAddress":"rabbitmq://rabbit/Harbor.Contracts:OrderConfirmed","messageType":["urn:message:Harbor.Contracts:OrderConfirmed"],"message":{{"orderId":"ORD-2026-{:06}","recipient":{{"name":"{}","address":"{to}"}},"template":"order-confirmed","locale":"{}"}},"sentTime":"{at}","headers":{{}}}}"#,
        45_000 + stage.random.below(900),
        customer.name,
        stage.random.pick(&["en", "de", "fr", "sv", "pt"]),
    );
    let headers = Fields::from_iter([("publishId", "1"), ("MT-Activity-Id", id.as_str())]);
    let properties = properties(id, "application/vnd.masstransit+json", at);
    Message { key: Some(Bytes::new()), headers, properties, payload: Some(body.into()), ..Message::default() }
}

fn emails_error(stage: &mut Stage) {
    const COUNT: u64 = 236;
    let stack = Bytes::from_static(ADDRESS.trim_ascii_end().as_bytes());
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let broken = stage.random.pick(&[",", " (home)@", "@@", " <", "\\\""]);
        let mut message = mail(stage, before(at, 12_000), Some(broken));
        let offset = 9 + stage.random.below(30);
        let headers = [
            ("MT-Host-MachineName", "mail-7d9c5b-x2x4q".to_owned()),
            ("MT-Host-ProcessName", "Harbor.Mail".to_owned()),
            ("MT-Host-MassTransitVersion", "8.4.1".to_owned()),
            ("MT-Reason", "fault".to_owned()),
            ("MT-Fault-ExceptionType", "MimeKit.ParseException".to_owned()),
            ("MT-Fault-Message", format!("Invalid addr-spec token at offset {offset}")),
            ("MT-Fault-Timestamp", at.to_string()),
            ("MT-Fault-InputAddress", "rabbitmq://rabbit/emails".to_owned()),
            ("MT-Fault-MessageType", "Harbor.Contracts.OrderConfirmed".to_owned()),
            ("MT-Fault-ConsumerType", "Harbor.Mail.Consumers.OrderConfirmedConsumer".to_owned()),
            ("MT-Fault-RetryCount", "3".to_owned()),
        ];
        for (name, value) in headers {
            message.headers.push(name, Value::text(value));
        }
        message.headers.push("MT-Fault-StackTrace", Value::Bytes(stack.clone()));
        stage.put("emails_error", Stored::new(message, "", at), at);
    }
}

/// A Celery task that renders a book's cover.
fn task(stage: &mut Stage, at: Timestamp) -> Message {
    let id = stage.random.uuid();
    let (isbn, width) = (9_780_000_000_000 + stage.random.below(9_999_999), stage.random.pick(&["160", "320", "640"]));
    let arguments = format!("('covers/{isbn}.tif', {width})");
    let headers = Fields::from_iter([
        ("lang", Value::text("py")),
        ("task", Value::text("covers.tasks.render_cover")),
        ("id", Value::text(id.clone())),
        ("root_id", Value::text(id.clone())),
        ("parent_id", Value::Null),
        ("group", Value::Null),
        ("retries", Value::Amqp(Amqp::I32(0))),
        ("timelimit", Value::Amqp(Amqp::Array(vec![Value::Null, Value::Null]))),
        ("argsrepr", Value::text(arguments)),
        ("kwargsrepr", Value::text("{}")),
        ("origin", Value::text(format!("gen{}@web-{}", 7 + stage.random.below(40), stage.random.below(4)))),
        ("ignore_result", Value::Bool(true)),
    ]);
    let body = format!(
        r#"[["covers/{isbn}.tif",{width}],{{}},{{"callbacks":null,"errbacks":null,"chain":null,"chord":null}}]"#
    );
    let mut properties = properties(id, "application/json", at);
    properties.push("content_encoding", "utf-8");
    properties.push("priority", Value::Int(0));
    let key = Some(Bytes::from_static(b"thumbnails"));
    Message { key, headers, properties, payload: Some(body.into()), ..Message::default() }
}

fn thumbnails_dlq(stage: &mut Stage) {
    const COUNT: u64 = 187;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let sent = before(at, 30_000);
        let dead = Dead { stored: Stored::new(task(stage, sent), "", sent), reason: DeathReason::Rejected };
        let mut stored = death::record(dead, "thumbnails", at);
        stored.message.key = Some(Bytes::from_static(b"thumbnails.dlq"));
        stage.put("thumbnails.dlq", stored, at);
    }
}

/// Fast rather than small: it is made at each start of the demo.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // A Vec takes every write.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
