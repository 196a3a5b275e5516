//! What Amazon's services leave: SQS redrive, Lambda (dead letters and destinations), Step Functions, EventBridge, SNS.
//!
//! Limits: SQS itself keeps no reason, only the source queue and the count of receives. A Lambda record names the
//! function, not a queue: its replay is an invocation with `requestPayload`, or a read of the stream it names.

use serde_json::{Map, Value as Json};

use super::read::{count, first, number, text, value_time};
use super::{Failure, Origin, body};
use crate::message::{Message, Value};

/// SQS redrive: the source queue's ARN and the number of receives, which the broker tells with the message.
pub(super) fn redrive(message: &Message) -> Option<Failure> {
    let arn = text(system(message, "DeadLetterQueueSourceArn")?)?;
    Some(Failure {
        dialect: "sqs",
        origin: Some(Origin::Queue(last_part(&arn)?)),
        attempts: system(message, "ApproximateReceiveCount").and_then(number).and_then(|n| u64::try_from(n).ok()),
        first: system(message, "ApproximateFirstReceiveTimestamp").and_then(value_time),
        ..Failure::default()
    })
}

/// A system attribute by its AWS name, or by the same name in lower case with underscores.
fn system<'a>(message: &'a Message, name: &str) -> Option<&'a Value> {
    let same = |other: &str| {
        let mut bytes = name.bytes().map(|byte| byte.to_ascii_lowercase());
        other.bytes().filter(|byte| *byte != b'_').all(|byte| bytes.next() == Some(byte.to_ascii_lowercase()))
            && bytes.next().is_none()
    };
    let fields = message.metadata.iter().chain(&message.properties).chain(&message.headers);
    fields.into_iter().find(|(other, _)| same(other)).map(|(_, value)| value)
}

/// The resource of an ARN: what follows the last colon or slash.
fn last_part(arn: &str) -> Option<String> {
    arn.rsplit([':', '/']).next().filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The function of `arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION`.
fn function(arn: &str) -> Option<String> {
    arn.split(':').nth(6).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// A dead letter of an asynchronous Lambda invocation or of an SNS subscription: both set the attributes `RequestID`,
/// `ErrorCode` and `ErrorMessage`; SNS's own envelope tells them apart.
pub(super) fn attributes(message: &Message) -> Option<Failure> {
    let code = first(message, "ErrorCode")?;
    let text = first(message, "ErrorMessage")?;
    let request = first(message, "RequestID")?;
    let envelope = body::envelope(message, b"TopicArn");
    let topic = envelope.as_ref().and_then(|envelope| body::text(envelope, "TopicArn"));
    Some(Failure {
        dialect: if topic.is_some() { "sns" } else { "lambda" },
        class: Some(code),
        message: Some(without_request(&text, &request).to_owned()),
        consumer: topic.and_then(|arn| last_part(&arn)),
        last: envelope.and_then(|envelope| body::time(&envelope, "Timestamp")),
        ..Failure::default()
    })
}

/// What Lambda itself says of an invocation, without which one it was: `RequestId: 5f… Error: Task timed out …`, and in
/// older runtimes `2026-11-21T02:12:05.400Z 5f… Task timed out …`.
fn without_request<'a>(text: &'a str, request: &str) -> &'a str {
    // A retry has an id of its own, which the record does not tell.
    if let Some(at) = text.find("Task timed out after ").filter(|at| *at <= MAX_BEFORE) {
        return text.get(at..).unwrap_or(text);
    }
    let Some((before, rest)) = text.split_once(request).filter(|_| !request.is_empty()) else { return text };
    let rest = rest.trim_start();
    match before.trim_end() {
        "RequestId:" => rest.strip_prefix("Error: ").unwrap_or(rest),
        time if time.parse::<jiff::Timestamp>().is_ok() => rest,
        _ => text,
    }
}

/// The longest text that Lambda puts before `Task timed out`.
const MAX_BEFORE: usize = 100;

/// EventBridge rules and EventBridge Scheduler.
pub(super) fn eventbridge(message: &Message) -> Option<Failure> {
    let target = first(message, "TARGET_ARN");
    let code = first(message, "ERROR_CODE");
    if target.is_none() && code.is_none() {
        return None;
    }
    let rule = first(message, "RULE_ARN").or_else(|| first(message, "SCHEDULE_ARN"));
    Some(Failure {
        dialect: "eventbridge",
        class: code.or_else(|| first(message, "EXHAUSTED_RETRY_CONDITION")),
        message: first(message, "ERROR_MESSAGE"),
        origin: target.filter(|arn| arn.contains(":sqs:")).and_then(|arn| last_part(&arn)).map(Origin::Queue),
        consumer: rule.and_then(|arn| last_part(&arn)),
        attempts: count(message, "RETRY_ATTEMPTS").map(|retries| retries.saturating_add(1)),
        ..Failure::default()
    })
}

/// The invocation record of a Lambda destination or of a stream's event source mapping.
pub(super) fn lambda_destination(record: &Map<String, Json>) -> Option<Failure> {
    let context = record.get("requestContext")?.as_object()?;
    let arn = body::text(context, "functionArn")?;
    let condition = body::text(context, "condition").filter(|condition| condition != "Success")?;
    let response = record.get("responsePayload").and_then(Json::as_object);
    let class = response.and_then(|response| body::text(response, "errorType"));
    let stack = response.and_then(stack_of);
    let function_error = || body::text_at(record, ["responseContext", "functionError"]);
    Some(Failure {
        dialect: "lambda-destination",
        message: response
            .and_then(|response| body::text(response, "errorMessage"))
            .map(|text| without_request(&text, &body::text(context, "requestId").unwrap_or_default()).to_owned())
            .or_else(function_error),
        // Older runtimes name no type for a timeout, and why the record was written says nothing of the error.
        class: match class {
            Some(class) if class == "Sandbox.Timedout" => None,
            None if response.is_none_or(|response| !response.contains_key("errorMessage")) => Some(condition),
            class => class,
        },
        stack,
        consumer: function(&arn),
        attempts: body::count(context, "approximateInvokeCount"),
        last: body::time(record, "timestamp"),
        ..Failure::default()
    })
}

/// The error output of Step Functions, which a state machine's `Catch` puts somewhere into what it sends: an object with
/// `Error` and `Cause` alone (Amazon States Language, "Error representation"). The cause of a function is its own record.
pub(super) fn step_functions(record: &Map<String, Json>) -> Option<Failure> {
    let is_output =
        |fields: &&Map<String, Json>| fields.len() == 2 && fields.contains_key("Error") && fields.contains_key("Cause");
    let output = std::iter::once(record).chain(record.values().filter_map(Json::as_object)).find(is_output)?;
    let told = body::text(output, "Cause").unwrap_or_default();
    let response = serde_json::from_str::<Map<String, Json>>(&told).ok();
    let of_function = |name: &str| response.as_ref().and_then(|response| body::text(response, name));
    Some(Failure {
        dialect: "step-functions",
        class: of_function("errorType").or_else(|| body::text(output, "Error")),
        message: Some(of_function("errorMessage").unwrap_or(told)),
        stack: response.as_ref().and_then(stack_of),
        ..Failure::default()
    })
}

/// The stack that a function's runtime tells.
fn stack_of(response: &Map<String, Json>) -> Option<String> {
    java_report(response).or_else(|| ["stackTrace", "trace"].iter().find_map(|name| body::lines(response, name)))
}

/// The report of a function in Java or .NET, whose errors hold their causes, as the runtime itself would print it.
fn java_report(response: &Map<String, Json>) -> Option<String> {
    let mut report = String::new();
    let chain = std::iter::successors(Some(response), |error| error.get("cause")?.as_object());
    for error in chain.take(body::MAX_CAUSES) {
        let class = body::text(error, "errorType")?;
        let told = body::text(error, "errorMessage").unwrap_or_default();
        let told = told.lines().next().unwrap_or_default();
        report.push_str(if report.is_empty() { "" } else { "Caused by: " });
        report.extend([&class, ": ", told, "\n"]);
        for frame in error.get("stackTrace").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
            let call = frame.trim().strip_prefix("at ").unwrap_or(frame);
            // Of other languages the lines are whole as they are.
            let name = call.split_once('(').map(|(name, _)| name)?;
            if name.contains(' ') || !name.contains('.') {
                return None;
            }
            report.extend(["\tat ", call, "\n"]);
        }
    }
    report.contains("\tat ").then_some(report)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fields;

    fn with<const N: usize>(headers: [(&str, &str); N]) -> Message {
        Message { headers: Fields::from_iter(headers), ..Message::default() }
    }

    #[test]
    fn a_function_in_java_tells_its_causes_and_their_frames() {
        let record = serde_json::json!({
            "requestContext": {"requestId": "r", "functionArn": "arn:aws:lambda:eu-west-1:1:function:tariffs:7", "condition": "RetriesExhausted"},
            "responsePayload": {
                "errorMessage": "rating failed", "errorType": "com.acme.RatingException",
                "stackTrace": ["com.acme.Handler.handleRequest(Handler.java:58)"],
                "cause": {
                    "errorMessage": "no such tariff\nin the table", "errorType": "java.lang.IllegalArgumentException",
                    "stackTrace": ["com.acme.Tariffs.lookup(Tariffs.java:61)", "java.base/java.lang.reflect.Method.invoke(Unknown Source)"]
                }
            }
        });
        let failure = lambda_destination(record.as_object().unwrap()).unwrap().rooted();
        assert_eq!(failure.class.as_deref(), Some("java.lang.IllegalArgumentException"));
        assert_eq!(failure.message.as_deref(), Some("no such tariff"));
        assert_eq!(failure.frames, ["com.acme.Tariffs.lookup", "com.acme.Handler.handleRequest"]);
        let python = serde_json::json!({"errorType": "KeyError", "errorMessage": "'a'", "stackTrace": ["  File \"/var/task/a.py\", line 3, in b\n"]});
        assert_eq!(java_report(python.as_object().unwrap()), None);
    }

    #[test]
    fn what_a_state_machine_caught_is_told_wherever_it_was_put() {
        let of = |record: Json| step_functions(record.as_object().unwrap()).map(Failure::rooted);
        let caught =
            of(serde_json::json!({"input": {"id": 1}, "error": {"Error": "States.TaskFailed", "Cause": "no quota"}}));
        let caught = caught.unwrap();
        assert_eq!((caught.class.as_deref(), caught.message.as_deref()), (Some("States.TaskFailed"), Some("no quota")));
        let cause = r#"{"errorMessage":"'sku'","errorType":"KeyError","stackTrace":["  File \"/var/task/carts/take.py\", line 3, in take\n"]}"#;
        let caught = of(serde_json::json!({"Error": "KeyError", "Cause": cause})).unwrap();
        assert_eq!((caught.message.as_deref(), caught.frames), (Some("'sku'"), vec!["carts/take:take".to_owned()]));
        assert_eq!(of(serde_json::json!({"error": {"Error": "a", "Cause": "b", "at": 1}})), None);
    }

    #[test]
    fn a_redriven_message_names_its_source_queue() {
        let mut message = Message::default();
        assert_eq!(redrive(&message), None);
        message.metadata.push("dead_letter_queue_source_arn", "arn:aws:sqs:eu-west-1:123456789012:orders");
        message.metadata.push("ApproximateReceiveCount", "4");
        let failure = redrive(&message).unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert_eq!((failure.class, failure.attempts), (None, Some(4)));
    }

    /// Attributes as in the Lambda developer guide (asynchronous invocation, dead-letter queues).
    #[test]
    fn a_lambda_dead_letter_has_three_attributes() {
        let attributes_of = [
            ("RequestID", "e4b46cbf-b738-4bcb-8880-a18cdf61200e"),
            ("ErrorCode", "200"),
            ("ErrorMessage", "Task timed out after 3.00 seconds"),
        ];
        let mut message = with(attributes_of);
        message.payload = Some(r#"{"ORDER_IDS":[1]}"#.into());
        let failure = attributes(&message).unwrap();
        assert_eq!((failure.dialect, failure.class.as_deref()), ("lambda", Some("200")));
        assert_eq!(attributes(&with([("ErrorMessage", "x")])), None);
    }

    /// Attributes and envelope as `LocalStack`'s snapshots of AWS and AWS's re:Post article on SNS show them.
    #[test]
    fn an_sns_dead_letter_names_its_topic() {
        let mut message = with([
            ("RequestID", "e4b46cbf-b738-4bcb-8880-a18cdf61200e"),
            ("ErrorCode", "AWS.SimpleQueueService.NonExistentQueue"),
            ("ErrorMessage", "The specified queue does not exist or you do not have access to it."),
        ]);
        message.payload = Some(
            r#"{"Type":"Notification","MessageId":"1","TopicArn":"arn:aws:sns:us-east-1:111111111111:orders",
                "Message":"{}","Timestamp":"2026-03-02T10:11:12.000Z"}"#
                .into(),
        );
        let failure = attributes(&message).unwrap();
        assert_eq!((failure.dialect, failure.consumer.as_deref()), ("sns", Some("orders")));
        assert!(failure.last.is_some());
    }

    /// Attributes as in the EventBridge user guide; agreeing emulators write the same.
    #[test]
    fn eventbridge_names_rule_and_target() {
        let failure = eventbridge(&with([
            ("RULE_ARN", "arn:aws:events:us-east-1:123456789012:rule/bus/orders-rule"),
            ("TARGET_ARN", "arn:aws:sqs:us-east-1:123456789012:orders"),
            ("ERROR_CODE", "NO_PERMISSIONS"),
            ("ERROR_MESSAGE", "Lack of permissions to invoke cross account target."),
            ("RETRY_ATTEMPTS", "0"),
        ]))
        .unwrap();
        assert_eq!(failure.origin, Some(Origin::Queue("orders".into())));
        assert_eq!((failure.consumer.as_deref(), failure.attempts), (Some("orders-rule"), Some(1)));
        let scheduled = eventbridge(&with([
            ("SCHEDULE_ARN", "arn:aws:scheduler:us-east-1:123456789012:schedule/default/nightly"),
            ("TARGET_ARN", "arn:aws:lambda:us-east-1:123456789012:function:f"),
            ("ERROR_CODE", "NO_RESOURCE"),
        ]))
        .unwrap();
        assert_eq!((scheduled.consumer.as_deref(), scheduled.origin), (Some("nightly"), None));
    }

    /// The two examples of the Lambda developer guide.
    #[test]
    fn lambda_destinations_carry_an_invocation_record() {
        let asynchronous = serde_json::json!({
            "version": "1.0", "timestamp": "2019-11-14T18:16:05.568Z",
            "requestContext": {
                "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
                "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:my-function:$LATEST",
                "condition": "RetriesExhausted", "approximateInvokeCount": 3
            },
            "requestPayload": {"ORDER_IDS": ["9e07af03"]},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorMessage": "RequestId: e4b46cbf Process exited before completing request"}
        });
        let failure = lambda_destination(asynchronous.as_object().unwrap()).unwrap();
        assert_eq!((failure.class.as_deref(), failure.attempts), (None, Some(3)), "that it was tried is no class");
        assert_eq!(failure.consumer.as_deref(), Some("my-function"));
        assert!(failure.message.unwrap().contains("Process exited"));
        let stream = serde_json::json!({
            "requestContext": {
                "requestId": "c9b8fa9f", "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:myfunction",
                "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1
            },
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0", "timestamp": "2019-11-14T00:38:06.021Z",
            "KinesisBatchInfo": {
                "shardId": "shardId-000000000001", "startSequenceNumber": "49601189658422359378836298521827638475320189012309704722",
                "batchSize": 500, "streamArn": "arn:aws:kinesis:us-east-2:123456789012:stream/mystream"
            }
        });
        let failure = lambda_destination(stream.as_object().unwrap()).unwrap();
        assert_eq!((failure.message.as_deref(), failure.consumer.as_deref()), (Some("Unhandled"), Some("myfunction")));
    }
}
