//! What a broker takes in and what it refuses: checked before anything is stored, as a careful client does.

use super::profile::{Product, Profile};
use super::spec::QueueSpec;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Message, Value};

/// The properties of an AMQP message, by the names that [`Message::properties`] uses.
const AMQP: &[&str] = &[
    "content_type",
    "content_encoding",
    "delivery_mode",
    "priority",
    "correlation_id",
    "reply_to",
    "expiration",
    "message_id",
    "timestamp",
    "type",
    "user_id",
    "app_id",
    "cluster_id",
];

/// The properties that an SQS message can be sent with.
const SQS: &[&str] = &["message_deduplication_id", "aws_trace_header"];

fn rejected(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Rejected, why)
}

/// Checks a message against the rules of the queue's broker.
///
/// # Errors
/// `Rejected` with the first rule that it breaks.
pub(super) fn check(spec: &QueueSpec, message: &Message) -> Result<()> {
    let limits = spec.profile.publish_limits();
    let max = limits.max_bytes.into_iter().chain(spec.max_bytes).min();
    if let Some(max) = max.filter(|max| message.size() > *max) {
        let size = message.size();
        return Err(rejected(format!(
            "the message of {size} bytes is larger than the {max} that {:?} takes",
            spec.name
        ))
        .hint("leave it where it is, or raise the queue's limit"));
    }
    if message.payload.is_none() && !limits.null_payload {
        return Err(rejected(format!("the payload is null, and {:?} can't hold null", spec.name))
            .hint("give it an empty payload by an edit if null and empty mean the same to its consumers"));
    }
    if !limits.duplicate_headers {
        let mut names: Vec<&str> = message.headers.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some([name, _]) = names.array_windows().find(|[a, b]| a == b) {
            return Err(rejected(format!(
                "the header {name:?} is there twice, and {:?} holds each name once",
                spec.name
            )));
        }
    }
    match spec.profile.product() {
        Product::Rabbit => check_rabbit(message),
        Product::Kafka => check_kafka(message),
        Product::Sqs => check_sqs(spec, message),
    }
}

fn check_names(message: &Message, known: &[&str], what: &str) -> Result<()> {
    match message.properties.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some((name, _)) => Err(rejected(format!("the property {name:?} is none that {what} has"))
            .hint("drop it or turn it into a header by an edit")),
    }
}

fn check_rabbit(message: &Message) -> Result<()> {
    check_names(message, AMQP, "AMQP")?;
    if let Some((name, _)) = message.headers.iter().find(|(_, value)| matches!(value, Value::Sqs { .. })) {
        return Err(rejected(format!("the header {name:?} has an SQS type, which AMQP has not")));
    }
    let text = |name: &str| message.properties.get_str(name);
    if text("expiration").is_some_and(|expiration| expiration.parse::<u64>().is_err()) {
        return Err(rejected("the property \"expiration\" is no number of milliseconds"));
    }
    if text("user_id").is_some_and(|user| user != "guest") {
        return Err(rejected("the property \"user_id\" names another user than the one that publishes"));
    }
    if text("reply_to").is_some_and(|to| to == "amq.rabbitmq.reply-to") {
        return Err(rejected("the property \"reply_to\" asks for direct replies, which need a consumer that waits"));
    }
    Ok(())
}

fn check_kafka(message: &Message) -> Result<()> {
    check_names(message, &[], "Kafka")?;
    match message.headers.iter().find(|(_, value)| !matches!(value, Value::Bytes(_) | Value::Null)) {
        None => Ok(()),
        Some((name, _)) => {
            Err(rejected(format!("the header {name:?} is neither bytes nor null, which is all Kafka has")))
        }
    }
}

fn check_sqs(spec: &QueueSpec, message: &Message) -> Result<()> {
    check_names(message, SQS, "an SQS sender")?;
    let xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match std::str::from_utf8(message.body()) {
        Ok("") => return Err(rejected("the payload is empty, and SQS takes at least one character")),
        Ok(text) if text.chars().all(xml) => {}
        _ => {
            return Err(rejected("the payload is not text of XML characters, which is all SQS takes").hint("encode it"));
        }
    }
    if message.headers.len() > 10 {
        return Err(rejected(format!("{} attributes are more than the 10 that SQS takes", message.headers.len())));
    }
    for (name, value) in &message.headers {
        let fits = match value {
            Value::Bytes(text) => !text.is_empty() && std::str::from_utf8(text).is_ok(),
            Value::Sqs { value, .. } => !value.is_empty(),
            _ => false,
        };
        if !fits {
            return Err(rejected(format!("the attribute {name:?} has no value that SQS takes")));
        }
    }
    if spec.profile == Profile::SqsFifo {
        if message.key.as_ref().is_none_or(bytes::Bytes::is_empty) {
            return Err(rejected("a FIFO queue needs a message group id, and the message has no key"));
        }
        if !spec.content_dedup && message.properties.get_str("message_deduplication_id").is_none() {
            return Err(rejected("the FIFO queue needs a property \"message_deduplication_id\""));
        }
    }
    Ok(())
}
