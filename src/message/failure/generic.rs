//! The fallback: headers whose names say what they are, whoever wrote them.
//!
//! A name is one of `error`, `exception`, `reason`, `fault`, `failure`, alone or with `type`, `class`, `code`, `name`,
//! `message`, `detail`, `stack` or `trace`; case and `-`, `_`, `.` do not count. Limits: a single `reason` without a
//! companion is taken as the message, never as a class.

use super::Failure;
use super::read::text;
use crate::message::Message;

/// What a field tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    Class,
    Text,
    Stack,
}

/// The words that make a name speak of a failure.
const SUBJECTS: [&str; 5] = ["error", "exception", "reason", "fault", "failure"];

/// What comes after the subject.
const PARTS: [(&str, Part); 11] = [
    ("type", Part::Class),
    ("class", Part::Class),
    ("classname", Part::Class),
    ("code", Part::Class),
    ("name", Part::Class),
    ("message", Part::Text),
    ("detail", Part::Text),
    ("details", Part::Text),
    ("stack", Part::Stack),
    ("stacktrace", Part::Stack),
    ("trace", Part::Stack),
];

/// The longest header name that is looked at.
const MAX_NAME: usize = 64;

/// Reads headers with common names.
pub(super) fn detect(message: &Message) -> Option<Failure> {
    let mut failure = Failure { dialect: "generic", ..Failure::default() };
    for (name, value) in &message.headers {
        let Some(part) = part(name) else { continue };
        let slot = match part {
            Part::Class => &mut failure.class,
            Part::Text => &mut failure.message,
            Part::Stack => &mut failure.stack,
        };
        if slot.is_none() {
            *slot = text(value);
        }
    }
    (failure.class.is_some() || failure.message.is_some() || failure.stack.is_some()).then_some(failure)
}

/// What a field of this name tells about a failure, if anything.
pub(super) fn part(name: &str) -> Option<Part> {
    if name.len() > MAX_NAME {
        return None;
    }
    let plain: String =
        name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    let plain = plain.strip_prefix('x').filter(|rest| starts(rest)).unwrap_or(&plain);
    let rest = SUBJECTS.iter().find_map(|subject| plain.strip_prefix(subject))?;
    if rest.is_empty() {
        return Some(Part::Text);
    }
    PARTS.iter().find(|(word, _)| *word == rest).map(|(_, part)| *part)
}

fn starts(plain: &str) -> bool {
    SUBJECTS.iter().any(|subject| plain.starts_with(subject))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_speak_in_any_spelling() {
        for (name, want) in [
            ("error", Some(Part::Text)),
            ("X-Error-Code", Some(Part::Class)),
            ("exceptionClassName", Some(Part::Class)),
            ("failure_reason", None),
            ("error.stack_trace", Some(Part::Stack)),
            ("errors", None),
            ("tenant", None),
        ] {
            assert_eq!(part(name), want, "{name}");
        }
    }

    #[test]
    fn a_plain_error_header_is_a_failure() {
        let mut message = Message::default();
        message.headers.push("X-Error-Type", "Timeout");
        message.headers.push("x-error-message", "no answer in 30 s");
        let failure = detect(&message).unwrap();
        assert_eq!(failure.class.as_deref(), Some("Timeout"));
        assert_eq!(failure.message.as_deref(), Some("no answer in 30 s"));
    }
}
