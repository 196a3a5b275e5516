//! Celery: which task it is and how often it was retried (Celery's message protocol, version 2), and the results of
//! failed tasks, which its message based backends send (`celery.backends.base`).
//!
//! Limits: Celery writes the reason to its result backend only, so a task is context for what the broker says, and
//! never a failure by itself.

use base64::Engine as _;
use serde_json::{Map, Value};

use super::read::{count, first};
use super::{Failure, body};
use crate::message::Message;

/// Adds task and retries to what the broker says about a Celery message.
pub(super) fn complete(mut failure: Failure, message: &Message) -> Failure {
    let Some((task, retries)) = from_headers(message).or_else(|| from_envelope(message)) else { return failure };
    failure.dialect = "celery";
    failure.consumer.get_or_insert(task);
    failure.attempts = failure.attempts.max(retries.map(|n| n.saturating_add(1)));
    failure
}

fn from_headers(message: &Message) -> Option<(String, Option<u64>)> {
    let task = first(message, "task")?;
    message.headers.get("id")?;
    (message.headers.get("argsrepr").is_some() || message.headers.get("lang").is_some())
        .then(|| (task, count(message, "retries")))
}

/// On SQS the body is base64 of a JSON object with `body`, `headers` and `properties`.
fn from_envelope(message: &Message) -> Option<(String, Option<u64>)> {
    // Base64 of `{"`: nothing else is decoded.
    if !message.body().starts_with(b"eyJ") || message.body().len() > body::MAX_BODY {
        return None;
    }
    let json = base64::engine::general_purpose::STANDARD.decode(message.body()).ok()?;
    let envelope: Value = serde_json::from_slice(&json).ok()?;
    let headers = envelope.get("headers")?.as_object()?;
    Some((body::text(headers, "task")?, body::count(headers, "retries")))
}

/// The result of a task that failed: `exc_message` holds the exception's arguments.
pub(super) fn result(record: &Map<String, Value>) -> Option<Failure> {
    let status = body::text(record, "status")?;
    let result = record.get("result")?.as_object()?;
    let class = body::text(result, "exc_type").filter(|_| record.contains_key("task_id") && status != "SUCCESS")?;
    let class = match body::text(result, "exc_module").filter(|module| module != "builtins") {
        Some(module) => format!("{module}.{class}"),
        None => class,
    };
    Some(Failure {
        dialect: "celery-result",
        class: Some(class),
        message: body::lines(result, "exc_message"),
        stack: body::text(record, "traceback"),
        consumer: body::text(record, "name"),
        attempts: body::count(record, "retries").map(|retries| retries.saturating_add(1)),
        last: body::time(record, "date_done"),
        ..Failure::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Fields, Value as Header};

    fn rejected() -> Failure {
        Failure { dialect: "rabbitmq", class: Some("rejected".into()), ..Failure::default() }
    }

    #[test]
    fn a_task_is_named_from_headers_and_from_an_sqs_envelope() {
        let mut headers = Fields::from_iter([("lang", "py"), ("task", "proj.tasks.add"), ("id", "3149beef")]);
        headers.push("retries", Header::Int(2));
        let amqp = Message { headers, ..Message::default() };
        let envelope = serde_json::json!({
            "body": "W10=", "content-type": "application/json",
            "headers": {"lang": "py", "task": "proj.tasks.add", "id": "3149beef", "retries": 2}
        });
        let packed = base64::engine::general_purpose::STANDARD.encode(envelope.to_string());
        let sqs = Message { payload: Some(packed.into()), ..Message::default() };
        for message in [amqp, sqs] {
            let failure = complete(rejected(), &message);
            assert_eq!(failure.consumer.as_deref(), Some("proj.tasks.add"));
            assert_eq!((failure.dialect, failure.attempts), ("celery", Some(3)));
        }
    }

    /// The fields as `Backend._get_result_meta` and `prepare_exception` write them.
    #[test]
    fn the_result_of_a_failed_task_says_why() {
        let trace = "Traceback (most recent call last):\n  File \"/app/shop/tax.py\", line 7, in rate\n    raise x\n\
                     django.core.exceptions.ValidationError: no rate for DE\n";
        let mut record = serde_json::json!({
            "task_id": "3149beef", "status": "FAILURE", "traceback": trace, "children": [],
            "date_done": "2026-03-02T10:11:12.000000", "name": "shop.tasks.tax", "retries": 2, "queue": "default",
            "result": {"exc_type": "ValidationError", "exc_message": ["no rate for DE"], "exc_module": "django.core.exceptions"}
        });
        let message = Message { payload: Some(record.to_string().into()), ..Message::default() };
        let failure = crate::message::failure::detect(&message).unwrap();
        assert_eq!(failure.dialect, "celery-result");
        assert_eq!(failure.class.as_deref(), Some("django.core.exceptions.ValidationError"));
        assert_eq!(failure.message.as_deref(), Some("no rate for DE"));
        assert_eq!((failure.consumer.as_deref(), failure.attempts), (Some("shop.tasks.tax"), Some(3)));
        assert_eq!(failure.frames, ["shop/tax:rate"]);
        assert_eq!(failure.last.unwrap().to_string(), "2026-03-02T10:11:12Z");
        record["status"] = "SUCCESS".into();
        assert_eq!(result(record.as_object().unwrap()), None);
    }

    #[test]
    fn a_header_named_task_alone_is_not_celery() {
        let headers = Fields::from_iter([("task", "x")]);
        assert_eq!(complete(rejected(), &Message { headers, ..Message::default() }), rejected());
    }
}
