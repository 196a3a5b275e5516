//! The parts that a group's name is made of.
//!
//! Limits: the parts and their order are part of the contract with people's notes and scripts; a change renames groups.

use std::borrow::Cow;

use super::field::field;
use super::{Group, GroupId, Rules, cause, mask, names, shape, words};
use crate::message::Message;
use crate::message::failure::{Failure, Origin, telling};
use crate::message::filter::Candidate;
use crate::message::hash::hash;
use crate::message::queue_name::{sources_of, waiting_for};
use crate::text::find::behind;

/// One part of a group's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPart {
    /// `class`, `message`, `field`, `frames`, `place`, `consumer`, `reason`, `type`, `shape`, or the name of a rule's field.
    pub name: String,
    /// Its value, after masking.
    pub value: String,
}

/// What a group's name is made of: parts, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// What is hashed: of each part its name and its value, each behind its length, so that no two keys share a form.
    form: Vec<u8>,
    /// Whether the one part's value is the title.
    plain: bool,
    /// The group that a masked message was in before.
    stated: Option<GroupId>,
}

/// Room for the form of most keys.
const FORM: usize = 256;

/// Whether the record is another's than that of those who say only that a message was moved.
fn tells_why(failure: &Failure) -> bool {
    !matches!(failure.dialect, "rabbitmq" | "sqs" | "celery")
        && (failure.class.is_some() || failure.message.is_some() || failure.stack.is_some())
}

impl Key {
    /// The key of a message with its failure.
    #[must_use]
    pub fn of(message: &Message, failure: Option<&Failure>, rules: &Rules) -> Self {
        let form = Vec::with_capacity(FORM);
        let mut key = Self { form, plain: false, stated: message.group_before_masking() };
        if key.push_fields(message, failure, rules) {
            return key;
        }
        match failure {
            Some(failure) if tells_why(failure) => {
                let cause = cause::cause(message, failure);
                key.push("class", cause.class.filter(|class| !only_wraps(class)).map(renamed));
                let text = cause.text.map(|text| template(cause.class, failure, &text, rules));
                let field =
                    field(failure).filter(|field| !text.as_deref().is_some_and(|text| names_field(text, field)));
                key.push("message", text.map(Cow::Owned));
                key.push("field", field.map(Cow::Owned));
                if failure.frames.is_empty() {
                    key.push_place(message, failure);
                } else {
                    key.push("frames", Some(Cow::Owned(telling(&failure.frames).join(" < "))));
                }
            }
            Some(failure) => {
                key.push("reason", reason(failure).map(Cow::Borrowed));
                key.push_place(message, failure);
                match reason(failure) {
                    // What no consumer took in time, or what a full queue gave up, says nothing of the message itself.
                    Some("expired" | "maxlen") => {}
                    // What broke its consumers again and again is of a kind; which fields it has hangs on the message.
                    Some("delivery_limit") => key.push("type", shape::declared_type(message)),
                    _ => key.push_kind(message),
                }
            }
            None => key.push_kind(message),
        }
        key
    }

    /// A key of one part: what a message is grouped by when it is not the failure.
    #[must_use]
    pub fn one(name: &str, value: &str) -> Self {
        let mut key = Self { plain: true, ..Self::default() };
        key.add(name, value);
        key
    }

    /// A key of these parts.
    #[must_use]
    pub fn made_of(parts: &[KeyPart]) -> Self {
        let mut key = Self::default();
        for part in parts {
            key.add(&part.name, &part.value);
        }
        key
    }

    /// Adds the fields that the rules key on; whether they are all that counts.
    fn push_fields(&mut self, message: &Message, failure: Option<&Failure>, rules: &Rules) -> bool {
        let mut alone = false;
        if !rules.keys.is_empty() {
            let candidate = Candidate::new(message).with_failure(failure).with_rules(rules);
            for rule in &rules.keys {
                if let Some(value) = rule.field.value(&candidate) {
                    self.add(rule.field.name(), &value);
                    alone |= !rule.with_cause;
                }
            }
        }
        alone
    }

    /// The name and the value of each part, in order.
    pub fn parts(&self) -> impl Iterator<Item = (&str, &str)> {
        let mut form = self.form.as_slice();
        std::iter::from_fn(move || Some((text_of(&mut form)?, text_of(&mut form)?)))
    }

    fn add(&mut self, name: &str, value: &str) {
        for text in [name, value] {
            self.form.extend_from_slice(&(text.len() as u64).to_be_bytes());
            self.form.extend_from_slice(text.as_bytes());
        }
    }

    fn push(&mut self, name: &str, value: Option<Cow<'_, str>>) {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            self.add(name, &value);
        }
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parts().find_map(|(own, value)| (own == name).then_some(value))
    }

    fn push_place(&mut self, message: &Message, failure: &Failure) {
        // A connector reads many topics, and is what failed.
        if failure.dialect == "kafka-connect"
            && let Some(connector) = failure.consumer.as_deref()
        {
            let name = connector.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
            // One of two that take turns.
            let name = ["-a", "-b", "-blue", "-green"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
            return self.push("consumer", Some(Cow::Borrowed(name)));
        }
        // A function is what failed, whichever queue its records are sent to.
        if failure.dialect == "lambda-destination"
            && let Some(function) = failure.consumer.as_deref()
        {
            return self.push("consumer", Some(Cow::Owned(without_numbers(function))));
        }
        let place = place(message, failure);
        // A topic that several groups read holds what none of them can take; of one group the writer may have said nothing.
        let is_told = place.is_none() || failure.dialect != "spring-kafka";
        self.push("place", place);
        self.push(
            "consumer",
            failure.consumer.as_deref().filter(|_| is_told).map(|name| Cow::Owned(without_numbers(name))),
        );
    }

    /// The declared type, else the shape of the body.
    fn push_kind(&mut self, message: &Message) {
        match shape::declared_type(message) {
            Some(name) => self.push("type", Some(name)),
            None => self.push("shape", Some(Cow::Owned(shape(message)))),
        }
    }

    /// The hash of the parts, or what a masked message says of itself.
    #[must_use]
    pub fn id(&self) -> GroupId {
        if let Some(id) = self.stated {
            return id;
        }
        GroupId(hash(&self.form))
    }

    fn title(&self) -> String {
        let mut parts = self.parts();
        if let (Some((name, value)), None) = (parts.next(), parts.next()) {
            if self.plain {
                return value.to_owned();
            }
            if !matches!(name, "class" | "message" | "reason" | "place" | "type" | "shape" | "frames") {
                return format!("{name} {value}");
            }
        }
        let class = self.get("class").map(short_class);
        let text = self.get("message").or_else(|| self.get("frames"));
        match (class, text) {
            (Some(class), Some(text)) => format!("{class}: {text}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => {
                let reason = self.get("reason").unwrap_or("no reason");
                let place = self.get("place").map(|place| format!(" in {place}")).unwrap_or_default();
                let kind = self.get("consumer").or_else(|| self.get("type")).map(short_class);
                let kind = kind.or_else(|| self.get("shape")).map(|kind| format!(": {kind}")).unwrap_or_default();
                format!("{reason}{place}{kind}")
            }
        }
    }

    /// The group of this key, with the title that the rules give it.
    #[must_use]
    pub fn into_group(self, rules: &Rules) -> Group {
        let id = self.id();
        let title = rules.title(id).map_or_else(|| self.title(), str::to_owned);
        let part = |(name, value): (&str, &str)| KeyPart { name: name.to_owned(), value: value.to_owned() };
        Group { id, title, key: self.parts().map(part).collect() }
    }
}

/// Takes one text off the front of a form.
fn text_of<'a>(form: &mut &'a [u8]) -> Option<&'a str> {
    let (length, rest) = form.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(usize::try_from(u64::from_be_bytes(*length)).ok()?)?;
    *form = rest;
    str::from_utf8(text).ok()
}

/// The template of a failure's text. Java's `UnknownHostException` has the bare host as its message, which may be any
/// word, and Python's `KeyError` the bare key, which is a part of the code or of the data, as the one that a map of Scala
/// has not: what is in upper case is data.
fn template(class: Option<&str>, failure: &Failure, text: &str, rules: &Rules) -> String {
    match class {
        Some(class) if class.ends_with("UnknownHostException") && !text.contains(' ') => "*".to_owned(),
        Some("java.util.NoSuchElementException")
            if behind(text, "key not found: ")
                .is_some_and(|key| !key.contains('_') && key.bytes().all(|byte| !byte.is_ascii_lowercase())) =>
        {
            "key not found: *".to_owned()
        }
        Some("KeyError") if names_code(text, failure.stack.as_deref()) => text.to_owned(),
        _ => mask(&rules.masked(text)),
    }
}

/// Whether the key that Python missed is one that the program names: it stands in the line of source that a trace tells,
/// or it is of several words, as fields are and values seldom.
fn names_code(text: &str, stack: Option<&str>) -> bool {
    let Some(key) = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .filter(|key| names::field(key).as_deref() == Some(*key))
    else {
        return false;
    };
    key.contains('_')
        || words::has_hump(key)
        || stack.is_some_and(|stack| {
            ["[\"", "['", "(\"", "('"].iter().any(|open| {
                memchr::memmem::find_iter(stack.as_bytes(), open.as_bytes())
                    .any(|at| stack.get(at + 2..).is_some_and(|rest| rest.starts_with(key)))
            })
        })
}

/// Whether a text names a field as it is in quotes: a trace that was cut may not tell the way to it.
fn names_field(text: &str, field: &str) -> bool {
    let last = field.rsplit('.').next().unwrap_or(field);
    memchr::memmem::find_iter(text.as_bytes(), last.as_bytes()).any(|at| {
        let quoted = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'"' | b'\'' | b'`'));
        quoted(at.checked_sub(1).and_then(|before| text.as_bytes().get(before)))
            && quoted(text.as_bytes().get(at + last.len()))
    })
}

/// Whether a type says only that it is an error: JavaScript's own, and Go's that was put into words or wrapped by more.
fn only_wraps(class: &str) -> bool {
    const TYPES: [&str; 10] = [
        "Error",
        "*fmt.wrapError",
        "*fmt.wrapErrors",
        "*errors.errorString",
        "*errors.joinError",
        "*errors.fundamental",
        "*errors.withStack",
        "*errors.withMessage",
        "*multierror.Error",
        "*xerrors.wrapError",
    ];
    TYPES.contains(&class)
}

/// A class under the name that its library gave it last.
fn renamed(class: &str) -> Cow<'_, str> {
    const MOVED: [(&str, &str); 10] = [
        ("Illuminate\\Database\\QueryException", "PDOException"),
        ("billiard.exceptions.", ""),
        ("celery.exceptions.", ""),
        ("psycopg2.errors.", ""),
        ("pydantic_core._pydantic_core.", ""),
        // It makes classes when it runs, and some writers name only the class.
        ("botocore.errorfactory.", ""),
        ("socket.timeout", "TimeoutError"),
        ("javax.", "jakarta."),
        ("System.Data.SqlClient.", "Microsoft.Data.SqlClient."),
        ("Automatonymous.", "MassTransit."),
    ];
    let moved = MOVED.iter().find_map(|(old, new)| Some((behind(class, old)?, *new)));
    moved.map_or(Cow::Borrowed(class), |(name, new)| Cow::Owned(format!("{new}{name}")))
}

/// Why the broker moved a message, but for the end of a wait between two tries, where it says something else, too.
fn reason(failure: &Failure) -> Option<&str> {
    let waited = |reason: &str, queue: &str| reason == "expired" && waiting_for(queue).len() < queue.len();
    match failure.history.first() {
        Some(last) if waited(&last.reason, &last.queue) => {
            let other = failure.history.iter().find(|death| !waited(&death.reason, &death.queue));
            other.map(|death| death.reason.as_str()).filter(|reason| !reason.is_empty()).or(failure.class.as_deref())
        }
        _ => failure.class.as_deref(),
    }
}

/// The queue whose dead letters lie at an address, by its name.
fn dead_letters_of(address: &str) -> Option<&str> {
    let path = address.split('?').next().unwrap_or(address);
    sources_of(path.rsplit(['/', ':']).next().unwrap_or(path)).next().map(waiting_for)
}

/// A name without those of its parts that have a number.
fn without_numbers(name: &str) -> String {
    name.split_inclusive(['-', '.', '/', ':', '_'])
        .map(|part| {
            let word = part.trim_end_matches(['-', '.', '/', ':', '_']);
            let end = part.get(word.len()..).unwrap_or_default();
            if word.bytes().any(|byte| byte.is_ascii_digit()) { format!("*{end}") } else { part.to_owned() }
        })
        .collect()
}

/// The queue or topic in which it failed. Where the broker kept a history that is the queue of the first death that is
/// none of those where messages wait for their next try. The queue that dead letters are named after goes before an
/// exchange, whose routing key varies with each message.
fn place<'a>(message: &'a Message, failure: &'a Failure) -> Option<Cow<'a, str>> {
    let is_waiting = |queue: &str| waiting_for(queue).len() < queue.len();
    let deaths = || failure.history.iter().rev().filter(|death| !death.queue.is_empty());
    let oldest = deaths()
        .filter(|death| !is_waiting(&death.queue))
        .min_by_key(|death| death.time)
        .or_else(|| deaths().min_by_key(|death| death.time));
    let queue = match (oldest, failure.origin.as_ref()) {
        (Some(death), _) => Some(waiting_for(&death.queue)),
        (None, Some(Origin::Queue(name) | Origin::Topic { topic: name, .. })) => Some(waiting_for(name)),
        (None, _) => dead_letters_of(&message.address),
    };
    queue.map(Cow::Borrowed).or_else(|| match failure.origin.as_ref()? {
        Origin::Exchange { exchange, routing_key } => Some(Cow::Owned(format!("{exchange}/{}", mask(routing_key)))),
        Origin::Queue(_) | Origin::Topic { .. } => None,
    })
}

/// A class without its package: `Timeout` of `com.acme.Timeout`.
fn short_class(class: &str) -> &str {
    let end = class.find(['<', '[', '`', '(', ' ']).unwrap_or(class.len());
    let start = class.get(..end).and_then(|name| name.rfind(['.', '/', ':', '\\'])).map_or(0, |at| at + 1);
    class.get(start..).filter(|name| !name.is_empty()).unwrap_or(class)
}
