//! What a broker takes in and what it refuses: checked before anything is stored, as a careful client does.

use super::profile::{Product, Profile};
use super::spec::QueueSpec;
use crate::broker::HeaderTypes;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

fn rejected(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Rejected, why)
}

/// Checks a message against the rules of the queue's broker.
///
/// # Errors
/// `Rejected` with the first rule that it breaks.
pub(super) fn check(spec: &QueueSpec, message: &Message) -> Result<()> {
    spec.publish_limits().check(message)?;
    match spec.profile.product() {
        Product::Rabbit => check_rabbit(message),
        Product::Kafka => check_names(message, HeaderTypes::Bytes, "Kafka"),
        Product::Sqs => check_sqs(spec, message),
    }
}

fn check_names(message: &Message, types: HeaderTypes, what: &str) -> Result<()> {
    match message.properties.iter().find(|(name, _)| !types.has_property(name)) {
        None => Ok(()),
        Some((name, _)) => Err(rejected(format!("the property {name:?} is none that {what} has"))
            .hint("drop it or turn it into a header by an edit")),
    }
}

fn check_rabbit(message: &Message) -> Result<()> {
    check_names(message, HeaderTypes::Amqp, "AMQP")?;
    if let Some(name) = ["CC", "BCC"].into_iter().find(|name| message.headers.get(name).is_some()) {
        return Err(
            rejected(format!("the header {name} would send copies to more queues")).hint("remove it by an edit")
        );
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

fn check_sqs(spec: &QueueSpec, message: &Message) -> Result<()> {
    check_names(message, HeaderTypes::Sqs, "an SQS sender")?;
    let xml = |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    match std::str::from_utf8(message.body()) {
        Ok("") => return Err(rejected("the payload is empty, and SQS takes at least one character")),
        Ok(text) if text.chars().all(xml) => {}
        _ => {
            return Err(rejected("the payload is not text of XML characters, which is all SQS takes").hint("encode it"));
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
