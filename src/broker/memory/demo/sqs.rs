//! What the shop's SQS holds: live queues, dead letters of a redrive that say nothing, and a Lambda function's failures.

use bytes::Bytes;
use jiff::Timestamp;

use super::super::stored::Stored;
use super::{Stage, before, shop};
use crate::message::{Fields, Message, Value};

pub(super) fn load(stage: &mut Stage) {
    shipping_labels(stage);
    shipping_labels_dlq(stage);
    returns_handler_dlq(stage);
    invoices(stage);
}

/// A message as SQS names it, sent at a time and received so often.
fn sent(stage: &mut Stage, message: Message, at: Timestamp, received: u32) -> Stored {
    let mut stored = Stored::new(Message { id: stage.random.uuid(), ..message }, "", at);
    stored.failed = received;
    stored.redelivered = received > 0;
    stored
}

fn label(stage: &mut Stage, number: u64) -> Message {
    let body = shop::label(&mut stage.random, number);
    let number = |n: u64| Value::Sqs { data_type: "Number".to_owned(), value: Bytes::from(n.to_string()) };
    let headers = Fields::from_iter([
        ("tenant", Value::text("harborbooks")),
        ("attempt", number(1)),
        (
            "signature",
            Value::Sqs { data_type: "Binary".to_owned(), value: stage.random.next().to_be_bytes().to_vec().into() },
        ),
    ]);
    Message { headers, payload: Some(body.into()), ..Message::default() }
}

fn shipping_labels(stage: &mut Stage) {
    for i in 0..29 {
        let at = stage.lately(i, 29, 3);
        let message = label(stage, 48_000 + i);
        let stored = sent(stage, message, at, u32::from(i % 5 == 0));
        stage.put("shipping-labels", stored, at);
    }
}

/// SQS keeps no reason; only the source and the count of receives tell that somebody tried.
fn shipping_labels_dlq(stage: &mut Stage) {
    const COUNT: u64 = 171;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let message = label(stage, 47_000 + i);
        let mut stored = sent(stage, message, at, 5);
        stored.source = Some("shipping-labels".to_owned());
        stage.put("shipping-labels-dlq", stored, at);
    }
}

/// What Lambda sends to a destination on failure: the event, and what the function said.
fn returns_handler_dlq(stage: &mut Stage) {
    const COUNT: u64 = 113;
    for i in 0..COUNT {
        let at = stage.after_release(i, COUNT);
        let request = stage.random.uuid();
        let body = format!(
            r#"{{"version":"1.0","timestamp":"{at}","requestContext":{{"requestId":"{request}","functionArn":"arn:aws:lambda:eu-west-1:123456789012:function:returns-handler:$LATEST","condition":"RetriesExhausted","approximateInvokeCount":3}},"requestPayload":{{"return_id":"RET-{:05}","order_id":"ORD-2026-{:06}","reason":"{}","pickup":{{"street":"Mill Lane {}","city":"Galway","country":"IE"}}}},"responseContext":{{"statusCode":200,"executedVersion":"$LATEST","functionError":"Unhandled"}},"responsePayload":{{"errorMessage":"'postcode'","errorType":"KeyError","requestId":"{request}","stackTrace":["  File \"/var/task/handler.py\", line 41, in handler\n    label = book_pickup(event[\"pickup\"])\n","  File \"/var/task/pickup.py\", line 17, in book_pickup\n    return carrier.quote(pickup[\"postcode\"])\n"]}}}}"#,
            20_000 + i,
            41_000 + stage.random.below(5_000),
            stage.random.pick(&["damaged", "wrong book", "changed my mind", "arrived late"]),
            1 + stage.random.below(99),
        );
        let message = Message { payload: Some(body.into()), ..Message::default() };
        let stored = sent(stage, message, at, 0);
        stage.put("returns-handler-dlq", stored, at);
    }
}

/// One message group for each customer.
fn invoices(stage: &mut Stage) {
    for i in 0..24 {
        let at = stage.lately(i, 24, 8);
        let customer = shop::Customer::any(&mut stage.random);
        let body = format!(
            r#"{{"invoice":"INV-{:06}","customer":{},"due":"2026-04-01","total":"{}","currency":"EUR"}}"#,
            310_000 + i,
            customer.json(),
            stage.random.amount(400),
        );
        let key = Some(Bytes::from(format!("customer-{}", customer.id)));
        let message = Message { key, payload: Some(body.into()), ..Message::default() };
        let stored = sent(stage, message, before(at, 0), 0);
        stage.put("invoices.fifo", stored, at);
    }
}
