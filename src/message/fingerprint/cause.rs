//! The text of a failure that says what happened, without what was told around it of how often it was tried.
//!
//! Limits: English, as error texts are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::words::is_one_of;
use super::{names, own};
use crate::message::Message;
use crate::message::failure::{Failure, announces};

/// Words of which one is in every text about tries.
const TRIES: [&str; 7] = ["retries", "retry", "attempts", "attempt", "tries", "gave", "giving"];
/// The other words of which such texts are made.
const AROUND: [&str; 24] = [
    "up",
    "max",
    "maximum",
    "number",
    "of",
    "the",
    "after",
    "all",
    "exhausted",
    "failed",
    "reached",
    "exceeded",
    "limit",
    "with",
    "was",
    "has",
    "have",
    "been",
    "in",
    "at",
    "on",
    "last",
    "error",
    "out",
];
/// A longer text than this is told for itself.
const SHORT: usize = 60;
/// More texts around each other than this are not taken off.
const DEPTH: usize = 8;

/// The text whose template is in a group's key: the message, and only its first line where there is a stack, which
/// tells no more of it. A line that only announces others goes on with them.
///
/// Values that the message itself holds stand in quotes in it.
#[must_use]
pub fn cause_text<'a>(message: &Message, failure: &'a Failure) -> Option<Cow<'a, str>> {
    Some(match told(failure)? {
        Cow::Borrowed(text) => own::marked(message, text),
        Cow::Owned(text) => Cow::Owned(own::marked(message, &text).into_owned()),
    })
}

fn told(failure: &Failure) -> Option<Cow<'_, str>> {
    let text = failure.message.as_deref()?;
    let first = text.lines().next()?;
    if let Some(issues) = issues(text, failure) {
        return Some(Cow::Owned(issues));
    }
    let text = if failure.stack.is_some() && !announces(first) { first } else { text };
    let text = prisma(failure).or_else(|| panicked(failure)).unwrap_or(text);
    let mut cause = without_state(time_only(failure, text));
    for _ in 0..DEPTH {
        match tried(cause).or_else(|| listed(cause)) {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    Some(Cow::Borrowed(cause))
}

/// The field that a reader of JSON was at, where only the trace tells it: `(through reference chain: Order["lines"]->…)` of
/// Jackson becomes `lines.qty`.
#[must_use]
pub(super) fn field(failure: &Failure) -> Option<String> {
    let texts = [failure.message.as_deref(), failure.outer.as_deref(), failure.stack.as_deref()];
    let chain = texts.into_iter().flatten().find_map(|text| {
        let at = memchr::memmem::find(text.as_bytes(), CHAIN.as_bytes())?;
        text.get(at + CHAIN.len()..)
    })?;
    let chain = chain.split_once(')').map_or(chain, |(chain, _)| chain);
    let names: Vec<&str> =
        chain.split("[\"").skip(1).filter_map(|part| part.split_once("\"]")).map(|(name, _)| name).collect();
    names::field(&names.join(".")).map(Cow::into_owned)
}

/// How Jackson begins to tell where it was.
const CHAIN: &str = "(through reference chain: ";

/// What the validators of JavaScript say in JSON: `[{"path":["lines",0,"qty"],"message":"Required"}]` becomes
/// `Required in field lines.qty`.
fn issues(text: &str, failure: &Failure) -> Option<String> {
    let is_list = |text: &str| text.starts_with("[{") || text.starts_with("[\n") || text.starts_with("[ {");
    let json = if is_list(text) {
        text
    } else if text == "[" {
        // Of a message over several lines a trace gives the first.
        let stack = failure.stack.as_deref()?;
        stack.get(memchr::memmem::find(stack.as_bytes(), b"[\n")?..)?
    } else {
        return None;
    };
    let list: Value = serde_json::Deserializer::from_str(json).into_iter::<Value>().next()?.ok()?;
    let told = list.as_array()?.iter().take(ISSUES).filter_map(|issue| {
        let message = issue.get("message")?.as_str()?;
        let path = issue.get("path").and_then(Value::as_array)?;
        let names: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
        Some(format!("{message} in field {}", names.join(".")))
    });
    let told: BTreeSet<String> = told.collect();
    (!told.is_empty()).then(|| told.into_iter().collect::<Vec<_>>().join("; "))
}

/// More issues than this are not told apart.
const ISSUES: usize = 16;

/// What Prisma says behind the source that it shows: the last line.
fn prisma(failure: &Failure) -> Option<&str> {
    let text = failure.message.as_deref()?.trim();
    let shown = text.starts_with("Invalid `") && text.contains("invocation");
    text.lines().next_back().filter(|last| shown && *last != text)
}

/// What a Rust program panicked with, without the thread and the line of source that its report begins with.
fn panicked(failure: &Failure) -> Option<&str> {
    let (at, told) = failure.message.as_deref()?.trim().split_once('\n')?;
    let told = told.lines().next()?.trim();
    ((at.starts_with("thread '") || at.starts_with("panicked at ")) && at.contains("panicked at ") && !told.is_empty())
        .then_some(told)
}

/// A text without the state of the client that some add to it: pairs such as `qu: 0, qs: 17, bw: Inactive`, of which there
/// are many; and without what SQL Server's deadlocks were about, locks or threads.
fn without_state(text: &str) -> &str {
    if let Some((_, about)) = text.split_once(" was deadlocked on ") {
        return text.strip_suffix(about).and_then(|text| text.strip_suffix(" on ")).unwrap_or(text);
    }
    let is_pair = |part: &str| {
        part.strip_prefix(' ').and_then(|part| part.split_once(": ")).is_some_and(|(name, _)| {
            (2..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    };
    let (mut start, mut pairs, mut at) = (0_usize, 0, 0);
    for part in text.split(',') {
        if is_pair(part) {
            start = if pairs == 0 { at } else { start };
            pairs += 1;
            if pairs == PAIRS {
                return text.get(..start.saturating_sub(1)).unwrap_or(text);
            }
        } else {
            pairs = 0;
        }
        at += part.len() + 1;
    }
    text
}

/// So many pairs in a row are a client's state.
const PAIRS: usize = 4;

/// What Java says first of a text that is no time.
const PARSED: &str = " could not be parsed";

/// What was wrong with a text that is no time depends on the text.
fn time_only<'a>(failure: &Failure, text: &'a str) -> &'a str {
    if text.starts_with("parsing time \"") {
        return "parsing time";
    }
    let java = failure.class.as_deref().is_some_and(|class| class.ends_with("DateTimeParseException"));
    match text.find(PARSED).filter(|_| java) {
        Some(at) => text.get(..at + PARSED.len()).unwrap_or(text),
        None => text,
    }
}

/// Whether a few words only say that something was tried again, and how often: `retry of order 17 refused` does not.
pub(super) fn tells_tries(words: &str) -> bool {
    let mut tries = false;
    words.len() <= SHORT
        && words.split([' ', ':']).filter(|word| !word.is_empty()).all(|word| {
            let told = is_one_of(word, &TRIES);
            tries |= told;
            told || is_one_of(word, &AROUND) || word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/')
        })
        && tries
}

/// What stands behind `retries exhausted after 5 attempts: `.
fn tried(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once(": ")?;
    let rest = rest.trim_start();
    (!rest.is_empty() && !head.contains('\n') && tells_tries(head)).then_some(rest)
}

/// The one error of Go's lists of them: `1 error occurred:`, and a line that begins with a star.
fn listed(text: &str) -> Option<&str> {
    let (head, rest) = text.split_once(':')?;
    let (count, words) = head.split_once(' ')?;
    let counted = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
    let rest = rest.trim_start().strip_prefix("* ")?;
    (counted && matches!(words, "error occurred" | "errors occurred")).then(|| rest.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(text: &str) -> String {
        let failure = Failure { message: Some(text.into()), ..Failure::default() };
        told(&failure).unwrap().into_owned()
    }

    #[test]
    fn how_often_it_was_tried_is_no_part_of_the_cause() {
        for text in [
            "retries exhausted after 5 attempts: account is frozen",
            "gave up after 1 attempt: account is frozen",
            "1 error occurred:\n\t* account is frozen\n\n",
            "attempt 3/5 failed: retries exhausted: account is frozen",
        ] {
            assert_eq!(cause(text), "account is frozen");
        }
        for own in [
            "retry queue is full: orders",
            "post entry: account is frozen",
            "attempts exhausted",
            "attempts exhausted: ",
            "2 errors found:\n* a",
        ] {
            assert_eq!(cause(own), own);
        }
        assert!(tells_tries("reached max retries: 4"));
        assert!(!tells_tries("retry of order 17 refused"));
    }

    #[test]
    fn a_line_that_announces_others_goes_on_with_them() {
        let mut failure = Failure { message: Some("Exception chain:\nno such column".into()), ..Failure::default() };
        failure.stack = Some("…".into());
        assert_eq!(told(&failure).as_deref(), Some("Exception chain:\nno such column"));
        failure.message = Some("no such column\nwhile reading".into());
        assert_eq!(told(&failure).as_deref(), Some("no such column"));
    }

    #[test]
    fn fields_that_only_a_trace_or_json_names_are_told() {
        let mut failure = Failure { message: Some("Cannot deserialize value".into()), ..Failure::default() };
        assert_eq!(field(&failure), None);
        failure.stack = Some(
            "A: x\n at [Source: (String)] (through reference chain: a.Order[\"lines\"]->java.util.ArrayList[0]->a.Line[\"qty\"])\n\tat a.b(C.java:1)".into(),
        );
        assert_eq!(field(&failure).as_deref(), Some("lines.qty"));
        let list = r#"[ {"code":"a","path":["lines",3,"qty"],"message":"Required"}, {"path":["lines",4,"qty"],"message":"Required"} ]"#;
        assert_eq!(cause(list), "Required in field lines.qty");
        let mut zod = Failure { message: Some("[".into()), ..Failure::default() };
        zod.stack = Some(
            "ZodError: [\n  {\n \"path\": [\"total\"],\n \"message\": \"Required\"\n }\n]\n    at f (a.js:1:2)".into(),
        );
        assert_eq!(told(&zod).as_deref(), Some("Required in field total"));
        assert_eq!(cause("[{\"a\":1}]"), "[{\"a\":1}]");
    }

    #[test]
    fn the_state_of_a_client_is_no_part_of_the_cause() {
        let redis = "Timeout performing HGET (5000ms), next: GET k, inst: 0, qu: 1, qs: 3, bw: Inactive";
        assert_eq!(cause(redis), "Timeout performing HGET (5000ms)");
        assert_eq!(cause("no price, sku: a, size: b"), "no price, sku: a, size: b");
        let deadlock =
            "Transaction (Process ID 7) was deadlocked on lock | communication buffer resources with another";
        assert_eq!(cause(deadlock), "Transaction (Process ID 7) was deadlocked");
        let prisma = "\nInvalid `this.a.create()` invocation in\n/app/a.js:1:2\n\n→ 64 return this.a.create(\nUnique constraint failed";
        assert_eq!(cause(prisma), "Unique constraint failed");
        assert_eq!(cause("thread 'main' panicked at src/a.rs:1:2:\nno ration"), "no ration");
    }

    #[test]
    fn what_is_wrong_with_a_time_is_not_told_apart() {
        let java = |text: &str| {
            let failure = Failure {
                class: Some("java.time.format.DateTimeParseException".into()),
                message: Some(text.into()),
                ..Failure::default()
            };
            told(&failure).unwrap().into_owned()
        };
        assert_eq!(
            java("Text 'x' could not be parsed at index 0"),
            java("Text 'x' could not be parsed: Invalid value")
        );
        assert_eq!(cause("parsing time \"x\": month out of range"), "parsing time");
    }
}
