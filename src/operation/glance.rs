//! What people see of a message at a glance: why it died, where, and how its payload begins. One line each, safe for a
//! terminal. Limits: what a profile hides must be hidden before.

use crate::broker::Target;
use crate::message::codec::{self, Form, Schemas};
use crate::message::failure::{Failure, Origin};
use crate::message::{Message, Position};
use crate::text::{fit, human, one_line};

/// Bytes of a payload that a preview looks at: more than any line shows.
const PREVIEW: usize = 4096;

/// Where a replay of it would go, as a target on the same broker.
pub(crate) fn origin_target(origin: &Origin) -> Target {
    match origin {
        Origin::Queue(name) | Origin::Topic { topic: name, .. } => Target::queue(name),
        Origin::Exchange { exchange, routing_key } => {
            Target::Exchange { name: exchange.clone(), routing_key: Some(routing_key.clone()) }
        }
    }
}

/// A position as people read it: `17`, or `3:17` with its partition.
pub(crate) fn place(position: Position) -> String {
    match position {
        Position { partition: None, offset } => offset.to_string(),
        Position { partition: Some(partition), offset } => format!("{partition}:{offset}"),
    }
}

/// Why it died, on one line: the class by its last name, and what it says.
pub(crate) fn reason(failure: &Failure) -> String {
    let class = failure.class.as_deref().map(|class| class.rsplit(['.', '/']).next().unwrap_or(class));
    let text = match (class, failure.message.as_deref()) {
        (Some(class), Some(message)) if !message.starts_with(class) => format!("{class}: {message}"),
        (_, Some(message)) => message.to_owned(),
        (Some(class), None) => class.to_owned(),
        (None, None) => failure.dialect.to_owned(),
    };
    one_line(&text)
}

/// Where it died and how often it was tried: `from orders, 3 attempts`.
pub(crate) fn failed_where(failure: &Failure) -> String {
    let origin = failure.origin.as_ref().map(|origin| format!("from {}", origin_target(origin)));
    let attempts = failure.attempts.map(|n| human::plural(n, "attempt"));
    origin.into_iter().chain(attempts).collect::<Vec<_>>().join(", ")
}

/// A key on one line: its text, what a schema makes of it, the number that four or eight bytes are, else its bytes.
pub(crate) fn key(message: &Message, schemas: Option<&dyn Schemas>) -> Option<String> {
    let key = message.key.as_deref()?;
    if let Some(view) = codec::key_view(message, schemas)
        && let Some(text) = view.form.text()
    {
        return Some(one_line(&serde_json::from_str::<String>(text).unwrap_or_else(|_| text.to_owned())));
    }
    let is_text = |text: &str| !text.bytes().any(|byte| byte == 0);
    if let Some(text) = std::str::from_utf8(key).ok().filter(|text| is_text(text)) {
        return Some(one_line(text));
    }
    // What Kafka's own serializers write for whole numbers.
    Some(match (<[u8; 4]>::try_from(key), <[u8; 8]>::try_from(key)) {
        (Ok(bytes), _) => i32::from_be_bytes(bytes).to_string(),
        (_, Ok(bytes)) => i64::from_be_bytes(bytes).to_string(),
        _ => key.iter().take(PREVIEW).fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}")),
    })
}

/// The beginning of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Preview {
    /// One line, no wider than asked.
    pub(crate) text: String,
    /// It is not the payload's own text but about it.
    pub(crate) faint: bool,
}

/// The beginning of a payload on one line, by schemas where somebody has them.
pub(crate) fn preview(message: &Message, width: usize, schemas: Option<&dyn Schemas>) -> Preview {
    let faint = |text: String| Preview { text: fit(&text, width), faint: true };
    let Some(payload) = &message.payload else { return faint("no payload (null)".to_owned()) };
    if payload.is_empty() {
        return faint("empty payload".to_owned());
    }
    let view = codec::view(message, schemas);
    let formats = view.steps.iter().map(|step| step.format).chain(match &view.form {
        Form::Tree { format, .. } => Some(*format),
        _ => None,
    });
    let mut wrapped: Vec<&str> = formats.collect();
    wrapped.dedup();
    let wrapped = if wrapped.is_empty() { String::new() } else { format!("({}) ", wrapped.join(", ")) };
    match (&view.form, view.form.text()) {
        (_, Some(text)) => {
            let end = text.floor_char_boundary(PREVIEW);
            let text = one_line(text.get(..end).unwrap_or(text));
            Preview { text: fit(&format!("{wrapped}{text}"), width), faint: false }
        }
        (Form::Label { what, .. }, None) => faint(format!("{wrapped}{}", one_line(what))),
        _ => {
            let why = view.stopped.map(|why| format!(" ({})", one_line(&why))).unwrap_or_default();
            let start = payload.get(..PREVIEW).unwrap_or(payload);
            let hex: Vec<String> = start.iter().take(width / 3).map(|byte| format!("{byte:02x}")).collect();
            faint(format!("{} of binary data{why}: {}", human::size(payload.len() as u64), hex.join(" ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn null_empty_and_binary_payloads_are_told_apart() {
        let text = |payload: Option<&'static [u8]>| {
            preview(&Message { payload: payload.map(Bytes::from_static), ..Message::default() }, 60, None).text
        };
        assert_eq!(text(None), "no payload (null)");
        assert_eq!(text(Some(b"")), "empty payload");
        assert_eq!(text(Some(b"\xff\x00\x1b")), "3 B of binary data: ff 00 1b");
        assert_eq!(text(Some(b"\x1f\x8b\x08")), "3 B of binary data (gzip: it is cut): 1f 8b 08");
    }
}
