//! Job queues that keep the failure in the job itself: Sidekiq, Resque, Dramatiq, BullMQ, Laravel, Symfony Messenger.
//!
//! Limits: a job whose error fields are empty has not failed, and is no failure here.

use std::io::Read as _;

use base64::Engine as _;
use serde_json::{Map, Value};

use super::read::text;
use super::{Failure, Origin, body};
use crate::message::Message;

/// The most bytes that a compressed backtrace may become.
const MAX_BACKTRACE: u64 = 256 * 1024;

/// Sidekiq (and what writes its job format). `failed_at` is the first failure, `retried_at` the last retry.
pub(super) fn sidekiq(job: &Map<String, Value>) -> Option<Failure> {
    let class = body::text(job, "error_class")?;
    let worker = body::text(job, "wrapped").or_else(|| body::text(job, "class"))?;
    let first = body::time(job, "failed_at");
    Some(Failure {
        dialect: "sidekiq",
        class: Some(class),
        message: body::text(job, "error_message"),
        stack: body::lines(job, "error_backtrace").map(|text| unpacked(&text).unwrap_or(text)),
        origin: body::text(job, "queue").map(Origin::Queue),
        consumer: Some(worker),
        attempts: body::count(job, "retry_count").map(|retries| retries.saturating_add(1)),
        first,
        last: body::time(job, "retried_at").or(first),
        ..Failure::default()
    })
}

/// A backtrace that Sidekiq packed: base64 of zlib of a JSON list of lines.
fn unpacked(text: &str) -> Option<String> {
    let packed = base64::engine::general_purpose::STANDARD.decode(text.replace(['\n', '\r'], "")).ok()?;
    let mut json = Vec::new();
    flate2::read::ZlibDecoder::new(packed.as_slice()).take(MAX_BACKTRACE).read_to_end(&mut json).ok()?;
    let lines: Vec<String> = serde_json::from_slice(&json).ok()?;
    Some(lines.join("\n"))
}

/// Resque's `failed` list.
pub(super) fn resque(record: &Map<String, Value>) -> Option<Failure> {
    let job = record.get("payload")?.as_object()?;
    let last = body::time(record, "failed_at")?;
    let class = body::text(record, "exception").filter(|class| !class.contains(' '))?;
    Some(Failure {
        dialect: "resque",
        class: Some(class),
        message: body::text(record, "error"),
        stack: body::lines(record, "backtrace"),
        origin: body::text(record, "queue").map(Origin::Queue),
        consumer: body::text(job, "class"),
        last: Some(last),
        ..Failure::default()
    })
}

/// A row of Laravel's `failed_jobs`: the whole report is the `exception`; the payload is an object, or the text of one.
pub(super) fn laravel(row: &Map<String, Value>) -> Option<Failure> {
    let report = body::text(row, "exception").filter(|report| report.contains("\nStack trace:\n"))?;
    let payload = row.get("payload")?;
    let parsed = payload.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let job = parsed.as_ref().unwrap_or(payload).as_object()?;
    Some(Failure {
        dialect: "laravel",
        stack: Some(report),
        origin: body::text(row, "queue").map(Origin::Queue),
        consumer: body::text(job, "displayName").or_else(|| body::text(job, "job")),
        attempts: body::count(job, "attempts"),
        last: body::time(row, "failed_at"),
        ..Failure::default()
    })
}

/// Symfony Messenger: the stamps of a message are headers, and the one of its error is a list of one JSON object.
pub(super) fn symfony(message: &Message) -> Option<Failure> {
    let stamp = |name: &str| -> Option<Vec<Map<String, Value>>> {
        let header = message.headers.iter().rev().find(|(header, _)| header.ends_with(name));
        serde_json::from_str(&header.and_then(|(_, value)| text(value))?).ok()
    };
    let errors = stamp("\\ErrorDetailsStamp")?;
    let error = errors.last()?;
    let outermost = error.get("flattenException").and_then(Value::as_object);
    let chain = std::iter::successors(outermost, |outer| outer.get("previous").and_then(Value::as_object));
    let mut class = body::text(error, "exceptionClass");
    let mut told = body::text(error, "exceptionMessage");
    let mut stack = String::new();
    for one in chain.take(body::MAX_CAUSES) {
        let wraps = class.as_deref().is_some_and(|class| class.ends_with("HandlerFailedException"));
        class = class.filter(|_| !wraps).or_else(|| body::text(one, "class"));
        told = told.filter(|_| !wraps).or_else(|| body::text(one, "message"));
        push_frames(&mut stack, one);
    }
    let sent = stamp("\\SentToFailureTransportStamp");
    let tries = stamp("\\RedeliveryStamp")
        .and_then(|tries| tries.iter().filter_map(|one| body::count(one, "retryCount")).max());
    Some(Failure {
        dialect: "symfony",
        class,
        message: told,
        stack: (!stack.is_empty()).then_some(stack),
        consumer: sent.and_then(|sent| body::text(sent.last()?, "originalReceiverName")),
        attempts: tries.map(|retries| retries.saturating_add(1)),
        ..Failure::default()
    })
}

/// The frames of a flattened exception, as PHP writes them.
fn push_frames(stack: &mut String, exception: &Map<String, Value>) {
    let frames = exception.get("trace").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if frames.is_empty()
        && let Some(written) = body::text(exception, "traceAsString")
    {
        stack.push_str(&written);
        stack.push('\n');
    }
    for (number, frame) in frames.iter().filter_map(Value::as_object).enumerate() {
        let part = |name: &str| body::text(frame, name).unwrap_or_default();
        let line = format!(
            "#{number} {}({}): {}{}{}()\n",
            part("file"),
            part("line"),
            part("class"),
            part("type"),
            part("function")
        );
        stack.push_str(&line);
    }
}

/// Dramatiq: the traceback is an option of the message.
pub(super) fn dramatiq(message: &Map<String, Value>) -> Option<Failure> {
    let actor = body::text(message, "actor_name")?;
    let options = message.get("options")?.as_object()?;
    Some(Failure {
        dialect: "dramatiq",
        stack: Some(body::text(options, "traceback")?),
        origin: body::text(message, "queue_name").map(Origin::Queue),
        consumer: Some(actor),
        attempts: body::count(options, "retries"),
        ..Failure::default()
    })
}

/// BullMQ. The list of stack traces has one for each attempt, the latest last.
pub(super) fn bullmq(job: &Map<String, Value>) -> Option<Failure> {
    let reason = body::text(job, "failedReason")?;
    let queue = body::text(job, "queueQualifiedName").or_else(|| body::text(job, "queueName"));
    Some(Failure {
        dialect: "bullmq",
        message: Some(reason),
        stack: latest_stack(job.get("stacktrace")),
        // A qualified name is `prefix:queue`.
        origin: queue.and_then(|name| name.rsplit(':').next().map(|queue| Origin::Queue(queue.to_owned()))),
        consumer: body::text(job, "name"),
        attempts: body::count(job, "attemptsMade"),
        last: body::time(job, "finishedOn"),
        ..Failure::default()
    })
}

/// The last of a list of traces, which is also stored as a JSON text.
fn latest_stack(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::Array(stacks) => stacks.last()?.as_str().map(str::to_owned),
        Value::String(text) => match serde_json::from_str::<Vec<String>>(text) {
            Ok(mut stacks) => stacks.pop(),
            Err(_) => Some(text.clone()).filter(|text| !text.is_empty()),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use serde_json::json;

    use super::*;

    fn of(read: fn(&Map<String, Value>) -> Option<Failure>, body: &Value) -> Option<Failure> {
        read(body.as_object().unwrap())
    }

    /// Fields as in Sidekiq's wiki page on the job format; the packing as in its `job_retry.rb`.
    #[test]
    fn sidekiq_packs_its_backtrace() {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        zlib.write_all(br#"["app/jobs/charge.rb:12:in `call'","app/jobs/a.rb:1:in `perform'"]"#).unwrap();
        let packed = base64::engine::general_purpose::STANDARD.encode(zlib.finish().unwrap());
        let mut job = json!({
            "class": "ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper", "wrapped": "ChargeJob",
            "queue": "default", "args": [17], "jid": "b4a577edbccf1d805744efa9",
            "retry_count": 2, "error_message": "wrong number of arguments (2 for 3)", "error_class": "ArgumentError",
            "error_backtrace": packed, "failed_at": 1_772_446_272.5, "retried_at": 1_772_446_300_000_u64
        });
        let failure = of(sidekiq, &job).unwrap();
        assert_eq!(failure.stack.unwrap().lines().count(), 2);
        assert_eq!((failure.attempts, failure.consumer.as_deref()), (Some(3), Some("ChargeJob")));
        assert_eq!(failure.origin, Some(Origin::Queue("default".into())));
        assert!(failure.first < failure.last);
        job["error_backtrace"] = json!(["line 0", "line 1"]);
        assert_eq!(of(sidekiq, &job).unwrap().stack.as_deref(), Some("line 0\nline 1"));
        job["error_class"] = Value::Null;
        assert_eq!(of(sidekiq, &job), None);
    }

    /// Fields as in Resque's `failure/redis.rb`.
    #[test]
    fn resque_keeps_the_job_as_payload() {
        let failure = of(
            resque,
            &json!({
                "failed_at": "2026/03/02 10:11:12 UTC", "payload": {"class": "Archive", "args": [35]},
                "exception": "RuntimeError", "error": "no space", "backtrace": ["a.rb:1:in `b'"],
                "worker": "host:1:archive", "queue": "archive"
            }),
        )
        .unwrap();
        assert_eq!((failure.class.as_deref(), failure.consumer.as_deref()), (Some("RuntimeError"), Some("Archive")));
        assert_eq!(failure.last.unwrap().to_string(), "2026-03-02T10:11:12Z");
    }

    /// A row as Laravel's `DatabaseUuidFailedJobProvider` writes it, with the report of `(string) $exception`.
    #[test]
    fn laravel_keeps_the_report() {
        let row = json!({
            "uuid": "u", "connection": "rabbitmq", "queue": "webhooks", "failed_at": "2026-03-02 10:11:12",
            "payload": json!({"displayName": "App\\Jobs\\Send", "attempts": 2}).to_string(),
            "exception": "App\\Oops: no way in /var/www/app/A.php:7\nStack trace:\n#0 /var/www/app/B.php(9): App\\A->b()\n#1 {main}"
        });
        assert_eq!(of(resque, &row), None);
        let failure = of(laravel, &row).unwrap().rooted();
        assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (Some("App\\Oops"), Some("no way")));
        assert_eq!(failure.frames, ["App\\A->b"]);
        assert_eq!((failure.consumer.as_deref(), failure.attempts), (Some("App\\Jobs\\Send"), Some(2)));
    }

    /// Stamps as Symfony Messenger's `Serializer` writes them.
    #[test]
    fn symfony_keeps_its_error_in_a_stamp() {
        let mut message = Message::default();
        assert_eq!(symfony(&message), None);
        let error = json!([{"exceptionClass": "Symfony\\Component\\Messenger\\Exception\\HandlerFailedException",
            "exceptionMessage": "Handling failed: no", "flattenException": {
            "class": "App\\Closed", "message": "no", "trace": [
                {"class": "", "type": "", "function": "", "file": "/app/vendor/x/y.php", "line": 3},
                {"class": "App\\Plan", "type": "->", "function": "assign", "file": "/app/src/Plan.php", "line": 4}]}}]);
        message.headers.push(
            "X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\ErrorDetailsStamp",
            error.to_string().as_str(),
        );
        let sent = "X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\SentToFailureTransportStamp";
        message.headers.push(sent, r#"[{"originalReceiverName":"plans"}]"#);
        let failure = symfony(&message).unwrap().rooted();
        assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (Some("App\\Closed"), Some("no")));
        assert_eq!(
            (failure.frames, failure.consumer.as_deref()),
            (vec!["App\\Plan->assign".to_owned()], Some("plans"))
        );
        message.headers = crate::message::Fields::new();
        message.headers.push("X-Message-Stamp-Symfony\\Component\\Messenger\\Stamp\\ErrorDetailsStamp", "[{");
        assert_eq!(symfony(&message), None);
    }

    #[test]
    fn symfony_may_write_a_trace_as_text_only() {
        let exception = json!({"trace": [], "traceAsString":
            "#0 /app/src/Plan.php(7): Symfony\\Component\\Mailer\\Mailer->send()\n#1 /app/src/Handler.php(9): App\\Plan->assign()"});
        let mut stack = String::new();
        push_frames(&mut stack, exception.as_object().unwrap());
        assert_eq!(super::super::trace::root(&stack).frames, ["App\\Plan->assign"]);
    }

    /// Options as Dramatiq's `Retries` middleware sets them.
    #[test]
    fn dramatiq_keeps_a_traceback() {
        let mut message = json!({
            "queue_name": "default", "actor_name": "charge", "args": [1], "kwargs": {},
            "options": {"retries": 20, "traceback": "Traceback (most recent call last):\nValueError: x"},
            "message_id": "1", "message_timestamp": 1_772_446_272_000_u64
        });
        let failure = of(dramatiq, &message).unwrap();
        assert_eq!((failure.attempts, failure.consumer.as_deref()), (Some(20), Some("charge")));
        message["options"] = json!({});
        assert_eq!(of(dramatiq, &message), None, "a live job has not failed");
    }

    /// Fields as in BullMQ's `job.ts`: `stacktrace` is a list, stored as JSON text.
    #[test]
    fn bullmq_keeps_one_stack_for_each_attempt() {
        let stacks = ["Error: a\n    at f (/app/a.js:1:2)", "Error: b\n    at g (/app/b.js:1:2)"];
        for stacktrace in [json!(stacks), json!(json!(stacks).to_string())] {
            let failure = of(
                bullmq,
                &json!({
                    "name": "charge", "data": {}, "attemptsMade": 2, "failedReason": "b", "stacktrace": stacktrace,
                    "queueQualifiedName": "bull:payments", "finishedOn": 1_772_446_272_000_u64
                }),
            )
            .unwrap();
            assert_eq!(failure.stack.as_deref(), Some(stacks[1]));
            assert_eq!((failure.attempts, failure.origin), (Some(2), Some(Origin::Queue("payments".into()))));
        }
    }
}
