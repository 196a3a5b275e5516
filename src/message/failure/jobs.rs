//! Job queues that keep the failure in the job itself: Sidekiq, Resque, Dramatiq, BullMQ.
//!
//! Limits: a job whose error fields are empty has not failed, and is no failure here.

use std::io::Read as _;

use base64::Engine as _;
use serde_json::{Map, Value};

use super::{Failure, Origin, body};

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
    Some(Failure {
        dialect: "resque",
        class: Some(body::text(record, "exception")?),
        message: body::text(record, "error"),
        stack: body::lines(record, "backtrace"),
        origin: body::text(record, "queue").map(Origin::Queue),
        consumer: body::text(job, "class"),
        last: Some(last),
        ..Failure::default()
    })
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
