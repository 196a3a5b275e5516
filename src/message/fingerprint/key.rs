//! The parts that a group's name is made of.
//!
//! Limits: the parts and their order are part of the contract with people's notes and scripts; a change renames groups.

use std::borrow::Cow;

use super::{Group, GroupId, mask, shape};
use crate::message::Message;
use crate::message::failure::{Failure, Origin};

/// One part of a group's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// `class`, `message`, `frames`, `place`, `consumer`, `reason`, `type`, `shape` …
    pub name: &'static str,
    /// Its value, after masking.
    pub value: String,
}

/// The parts, in order.
#[derive(Default)]
pub(super) struct Key {
    parts: Vec<KeyPart>,
}

/// Who says only that a message was moved, not why it failed.
const BROKERS: [&str; 2] = ["rabbitmq", "sqs"];

/// The key of a message with its failure.
pub(super) fn of(message: &Message, failure: Option<&Failure>) -> Key {
    let mut key = Key::default();
    match failure {
        Some(failure) if tells_why(failure) => {
            key.push("class", failure.class.as_deref().map(Cow::Borrowed));
            key.push("message", failure.message.as_deref().map(|text| Cow::Owned(mask(text))));
            key.push_place(failure);
        }
        Some(failure) => {
            key.push("reason", failure.class.as_deref().map(Cow::Borrowed));
            key.push_place(failure);
            key.push_kind(message);
        }
        None => key.push_kind(message),
    }
    key
}

fn tells_why(failure: &Failure) -> bool {
    !BROKERS.contains(&failure.dialect)
        && (failure.class.is_some() || failure.message.is_some() || failure.stack.is_some())
}

impl Key {
    fn push(&mut self, name: &'static str, value: Option<Cow<'_, str>>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.parts.push(KeyPart { name, value: value.into_owned() });
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parts.iter().find(|part| part.name == name).map(|part| part.value.as_str())
    }

    fn push_place(&mut self, failure: &Failure) {
        self.push("place", place(failure));
        self.push("consumer", failure.consumer.as_deref().map(|name| Cow::Owned(mask(name))));
    }

    /// The declared type, else the shape of the body.
    fn push_kind(&mut self, message: &Message) {
        match shape::declared_type(message) {
            Some(name) => self.push("type", Some(Cow::Borrowed(name))),
            None => self.push("shape", Some(Cow::Owned(shape(message)))),
        }
    }

    pub(super) fn id(&self) -> GroupId {
        let mut hasher = blake3::Hasher::new();
        for part in &self.parts {
            // Lengths come before data, so that no two keys share a form.
            hasher.update(&(part.name.len() as u64).to_be_bytes()).update(part.name.as_bytes());
            hasher.update(&(part.value.len() as u64).to_be_bytes()).update(part.value.as_bytes());
        }
        let mut id = [0; 16];
        id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        GroupId(id)
    }

    fn title(&self) -> String {
        let class = self.get("class").map(short_class);
        match (class, self.get("message")) {
            (Some(class), Some(text)) => format!("{class}: {text}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => {
                let reason = self.get("reason").unwrap_or("no reason");
                let place = self.get("place").map(|place| format!(" in {place}")).unwrap_or_default();
                let kind = self.get("type").map(short_class).or_else(|| self.get("shape"));
                let kind = kind.map(|kind| format!(": {kind}")).unwrap_or_default();
                format!("{reason}{place}{kind}")
            }
        }
    }

    pub(super) fn into_group(self) -> Group {
        Group { id: self.id(), title: self.title(), key: self.parts }
    }
}

/// The queue or topic in which it failed. Where the broker kept a history that is the queue of the first death: the
/// routing key of an exchange varies with each message.
fn place(failure: &Failure) -> Option<Cow<'_, str>> {
    let oldest = failure.history.iter().rev().min_by_key(|death| death.time).map(|death| death.queue.as_str());
    match (oldest.filter(|queue| !queue.is_empty()), failure.origin.as_ref()) {
        (Some(queue), _) => Some(Cow::Borrowed(queue)),
        (None, Some(Origin::Queue(name) | Origin::Topic { topic: name, .. })) => Some(Cow::Borrowed(name)),
        (None, Some(Origin::Exchange { exchange, routing_key })) => {
            Some(Cow::Owned(format!("{exchange}/{}", mask(routing_key))))
        }
        (None, None) => None,
    }
}

/// A class without its package: `Timeout` of `com.acme.Timeout`.
fn short_class(class: &str) -> &str {
    let end = class.find(['<', '[', '`', '(', ' ']).unwrap_or(class.len());
    let start = class.get(..end).and_then(|name| name.rfind(['.', '/', ':', '\\'])).map_or(0, |at| at + 1);
    class.get(start..).filter(|name| !name.is_empty()).unwrap_or(class)
}
