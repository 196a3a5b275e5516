//! One reader for all writers that put each fact of a failure into a header of its own.
//!
//! Limits: what a writer calls differently in its versions is a list of names, the current one first.

use super::read::{count, first, last, partition, time};
use super::{Failure, Origin};
use crate::message::Message;

/// Where a writer puts what. An empty list means that it does not say.
#[derive(Clone, Copy)]
pub(super) struct Names {
    pub(super) dialect: &'static str,
    /// The classes, innermost cause first.
    pub(super) class: &'static [&'static str],
    /// The messages, innermost cause first.
    pub(super) message: &'static [&'static str],
    pub(super) stack: &'static [&'static str],
    pub(super) topic: &'static str,
    pub(super) partition: &'static str,
    pub(super) offset: &'static str,
    pub(super) consumer: &'static [&'static str],
    pub(super) attempts: &'static str,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
}

/// A writer that says nothing: the base of the others.
pub(super) const NOTHING: Names = Names {
    dialect: "",
    class: &[],
    message: &[],
    stack: &[],
    topic: "",
    partition: "",
    offset: "",
    consumer: &[],
    attempts: "",
    first: "",
    last: "",
};

impl Names {
    /// Reads the record, where there is a class, a message, a stack or a topic. Where headers repeat, the exception is
    /// the latest and the origin the first.
    pub(super) fn read(&self, message: &Message) -> Option<Failure> {
        let latest = |names: &[&str]| names.iter().find_map(|name| last(message, name));
        let failure = Failure {
            dialect: self.dialect,
            class: latest(self.class),
            message: latest(self.message),
            stack: latest(self.stack),
            origin: first(message, self.topic).map(|topic| Origin::Topic {
                topic,
                partition: partition(message, self.partition),
                offset: count(message, self.offset),
            }),
            consumer: self.consumer.iter().find_map(|name| first(message, name)),
            attempts: count(message, self.attempts),
            first: time(message, self.first),
            last: time(message, self.last),
            ..Failure::default()
        };
        let says = failure.class.is_some() || failure.message.is_some() || failure.stack.is_some();
        (says || failure.origin.is_some()).then_some(failure)
    }
}
