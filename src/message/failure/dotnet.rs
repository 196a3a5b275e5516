//! .NET frameworks: MassTransit, NServiceBus, Rebus, Wolverine, EasyNetQ.
//!
//! Limits: Wolverine does not say where a message came from. EasyNetQ wraps the original in its own body; the origin
//! is the queue, and a replay of the wrapper is not a replay of the message.

use serde_json::{Map, Value};

use super::read::{count, first, text_time, time};
use super::{Failure, Origin, body};
use crate::message::Message;

/// MassTransit, queues `…_error` and `…_skipped`.
pub(super) fn masstransit(message: &Message) -> Option<Failure> {
    let class = first(message, "MT-Fault-ExceptionType");
    let reason = first(message, "MT-Reason");
    if class.is_none() && reason.is_none() {
        return None;
    }
    Some(Failure {
        dialect: "masstransit",
        class: class.or(reason),
        message: first(message, "MT-Fault-Message"),
        stack: first(message, "MT-Fault-StackTrace"),
        origin: first(message, "MT-Fault-InputAddress").and_then(|address| queue_of(&address)).map(Origin::Queue),
        consumer: first(message, "MT-Fault-ConsumerType"),
        attempts: count(message, "MT-Fault-RetryCount").map(|retries| retries.saturating_add(1)),
        last: time(message, "MT-Fault-Timestamp"),
        ..Failure::default()
    })
}

/// The queue of an endpoint address such as `rabbitmq://host/vhost/orders?durable=true`.
fn queue_of(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let name = path.rsplit('/').next().unwrap_or(path);
    let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    (!name.is_empty()).then(|| name.into_owned())
}

/// NServiceBus: headers, or on SQS the `Headers` of the body's envelope.
pub(super) fn nservicebus(message: &Message) -> Option<Failure> {
    let found = nservicebus_record(|name| first(message, name));
    if found.is_some() {
        return found;
    }
    let envelope = body::envelope(message, b"NServiceBus.FailedQ")?;
    let headers = envelope.get("Headers")?.as_object()?;
    nservicebus_record(|name| body::text(headers, name))
}

fn nservicebus_record(get: impl Fn(&str) -> Option<String>) -> Option<Failure> {
    let class = get("NServiceBus.ExceptionInfo.ExceptionType");
    let queue = get("NServiceBus.FailedQ");
    if class.is_none() && queue.is_none() {
        return None;
    }
    Some(Failure {
        dialect: "nservicebus",
        class: get("NServiceBus.ExceptionInfo.InnerExceptionType").or(class),
        message: get("NServiceBus.ExceptionInfo.Message"),
        stack: get("NServiceBus.ExceptionInfo.StackTrace"),
        // MSMQ writes `queue@machine`.
        origin: queue.map(|queue| Origin::Queue(queue.split('@').next().unwrap_or_default().to_owned())),
        consumer: get("NServiceBus.ExceptionInfo.Data.Handler type").or_else(|| get("NServiceBus.ProcessingEndpoint")),
        attempts: get("NServiceBus.Retries").and_then(|text| text.parse::<u64>().ok()).map(|n| n.saturating_add(1)),
        last: get("NServiceBus.TimeOfFailure").as_deref().and_then(text_time),
        ..Failure::default()
    })
}

/// Rebus, queue `error`: class, message and stack are in one text.
pub(super) fn rebus(message: &Message) -> Option<Failure> {
    let stack = first(message, "rbs2-error-details")?;
    Some(Failure {
        dialect: "rebus",
        stack: Some(stack),
        origin: first(message, "rbs2-source-queue").map(Origin::Queue),
        attempts: count(message, "rbs2-delivery-count"),
        ..Failure::default()
    })
}

/// Wolverine.
pub(super) fn wolverine(message: &Message) -> Option<Failure> {
    Some(Failure {
        dialect: "wolverine",
        class: Some(first(message, "exception-type")?),
        message: first(message, "exception-message"),
        stack: first(message, "exception-stack"),
        last: time(message, "failed-at"),
        ..Failure::default()
    })
}

/// EasyNetQ's error queue: the record is the body.
pub(super) fn easynetq(fields: &Map<String, Value>) -> Option<Failure> {
    let stack = body::text(fields, "Exception")?;
    if !(fields.contains_key("RoutingKey") && fields.contains_key("BasicProperties")) {
        return None;
    }
    let routing_key = body::text(fields, "RoutingKey");
    let origin = match (body::text(fields, "Queue"), body::text(fields, "Exchange"), routing_key) {
        (Some(queue), ..) | (None, None, Some(queue)) => Some(Origin::Queue(queue)),
        (None, Some(exchange), key) => Some(Origin::Exchange { exchange, routing_key: key.unwrap_or_default() }),
        (None, None, None) => None,
    };
    Some(Failure {
        dialect: "easynetq",
        stack: Some(stack),
        origin,
        last: body::time(fields, "DateTime"),
        ..Failure::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fields;

    fn with<const N: usize>(headers: [(&str, &str); N]) -> Message {
        Message { headers: Fields::from_iter(headers), ..Message::default() }
    }

    /// A capture of MassTransit's in-memory transport, in its documentation's terms.
    #[test]
    fn masstransit_goes_back_to_the_input_address() {
        let failure = masstransit(&with([
            ("MT-Reason", "fault"),
            ("MT-Fault-ExceptionType", "System.InvalidOperationException"),
            ("MT-Fault-InputAddress", "rabbitmq://localhost/shop/charge%2Finterval?durable=true"),
            ("MT-Fault-Message", "always fails"),
            ("MT-Fault-ConsumerType", "Demo.AlwaysFailsConsumer"),
            ("MT-Fault-RetryCount", "3"),
            ("MT-Fault-Timestamp", "2026-04-20T16:30:00.1234567Z"),
        ]))
        .unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("charge/interval".into())));
        assert_eq!((failure.attempts, failure.consumer.as_deref()), (Some(4), Some("Demo.AlwaysFailsConsumer")));
        assert!(failure.last.is_some());
        let skipped = masstransit(&with([("MT-Reason", "dead-letter")])).unwrap();
        assert_eq!(skipped.class.as_deref(), Some("dead-letter"));
        assert_eq!(queue_of("loopback://localhost/"), None);
    }

    const NSERVICEBUS: [(&str, &str); 6] = [
        ("NServiceBus.ExceptionInfo.ExceptionType", "System.Exception"),
        ("NServiceBus.ExceptionInfo.Message", "Simulated"),
        ("NServiceBus.TimeOfFailure", "2024-06-27 06:14:48:912923 Z"),
        ("NServiceBus.FailedQ", "Samples.SimpleSaga@MACHINE"),
        ("NServiceBus.ExceptionInfo.Data.Handler type", "SmokeTest.SimpleHandler"),
        ("NServiceBus.EnclosedMessageTypes", "SmokeTest.SimpleCommand"),
    ];

    /// Header values as `ServiceControl`'s own samples hold them.
    #[test]
    fn nservicebus_goes_back_to_the_failed_queue() {
        let failure = nservicebus(&with(NSERVICEBUS)).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("Samples.SimpleSaga".into())));
        assert_eq!(failure.last.unwrap().to_string(), "2024-06-27T06:14:48.912923Z");
        assert_eq!(failure.consumer.as_deref(), Some("SmokeTest.SimpleHandler"));
    }

    #[test]
    fn nservicebus_on_sqs_has_its_headers_in_the_body() {
        let headers: Map<String, Value> = NSERVICEBUS.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        let body = serde_json::json!({"Headers": headers, "Body": "e30="}).to_string();
        let message = Message { payload: Some(body.into()), ..Message::default() };
        assert_eq!(nservicebus(&message).unwrap().origin, Some(Origin::Queue("Samples.SimpleSaga".into())));
    }

    #[test]
    fn rebus_and_wolverine_say_what_they_have() {
        let failure = rebus(&with([
            ("rbs2-error-details", "System.Exception: boom\n   at Acme.A.B() in A.cs:line 1"),
            ("rbs2-source-queue", "orders"),
        ]))
        .unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        let failure = wolverine(&with([("exception-type", "Acme.Boom"), ("failed-at", "1772446272000")])).unwrap();
        assert_eq!((failure.class.as_deref(), failure.origin), (Some("Acme.Boom"), None));
        assert!(failure.last.is_some());
    }

    /// The fields of EasyNetQ's `Error` class.
    #[test]
    fn easynetq_keeps_the_record_in_the_body() {
        let body = serde_json::json!({
            "RoutingKey": "order.placed", "Exchange": "shop", "Queue": "orders",
            "Exception": "System.AggregateException: One or more errors occurred. (boom)\n ---> System.Exception: boom",
            "Message": "{\"id\":17}", "DateTime": "2026-03-02T10:11:12.1234567Z",
            "BasicProperties": {"ContentType": null}
        });
        let failure = easynetq(body.as_object().unwrap()).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert!(failure.last.is_some());
        assert_eq!(easynetq(serde_json::json!({"Exception": "x"}).as_object().unwrap()), None);
    }
}
