//! What is told around a cause: how often it was tried, which message was at hand, who it happened to.
//!
//! Limits: English, as error texts are; what a program says of its own steps (`settle order 7: `) stays.

use std::borrow::Cow;

use crate::message::failure::Failure;
use crate::text::find::{behind, find, split};
use crate::text::words::Words;

/// Words of which one is in every text about tries.
static TRIES: Words = Words::new(&["retries", "retry", "attempts", "attempt", "tries", "gave", "giving"]);
/// The other words of which such texts are made.
static AROUND: Words = Words::new(&[
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
    "handler",
    // Of `attempt(s)`.
    "s",
]);
/// A longer text than this is told for itself.
const SHORT: usize = 60;
/// More texts around each other than this are not taken off.
const DEPTH: usize = 8;

/// What is done with messages, and by what they come.
static DOING: Words = Words::new(&[
    "process",
    "processing",
    "handle",
    "handling",
    "consume",
    "consuming",
    "receive",
    "received",
    "failed",
    "cannot",
    "could",
    "not",
    "unable",
    "to",
    "error",
    "while",
    "kafka",
    "sqs",
    "amqp",
    "rabbitmq",
    "nats",
    "redis",
]);
/// What they are called.
static WHAT: Words = Words::new(&["message", "msg", "record", "event", "delivery", "job", "task"]);

/// A text without what stands around it, as often as something does.
pub(super) fn inner<'a>(failure: &Failure, text: &'a str) -> &'a str {
    let mut cause = text;
    for _ in 0..DEPTH {
        let parts = split(cause, ": ");
        match parts
            .and_then(tried)
            .or_else(|| listed(cause))
            .or_else(|| handled(cause))
            .or_else(|| parts.and_then(placed))
            .or_else(|| parts.and_then(handling))
            .or_else(|| parts.and_then(|parts| by_whom(failure, parts)))
            .or_else(|| parts.and_then(recovered))
        {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    cause
}

/// A text without what a logger puts before it: `[2026-09-03 04:34:10] [error] [tid 7] `, `E1027 20:11:56.614577 60435 a.cc:204] `.
pub(super) fn without_log_head(text: &str) -> &str {
    static LEVELS: Words = Words::new(&["error", "critical", "fatal", "err", "warning", "warn"]);
    // Of glog: the level and the date, the time, the thread, the line.
    let glog = || {
        let level = text.strip_prefix(['I', 'W', 'E', 'F'])?;
        level.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        let (head, rest) = split(text, "] ")?;
        let mut words = head.split(' ').filter(|word| !word.is_empty());
        let level = words.next()?.get(1..)?;
        let is_head = level.len() == 4
            && level.bytes().all(|byte| byte.is_ascii_digit())
            && words.next()?.starts_with(|c: char| c.is_ascii_digit())
            && head.contains(':');
        is_head.then_some(rest)
    };
    if let Some(rest) = glog() {
        return rest;
    }
    let mut rest = text;
    let mut level = false;
    while let Some((head, tail)) = behind(rest, "[").and_then(|inside| split(inside, "] ")) {
        level |= LEVELS.has(head);
        rest = tail;
    }
    if level && !rest.is_empty() { rest } else { text }
}

/// What a bus or a container says that it handled: `Handling "App\Message\A" failed: no way` of Symfony, and Spring's
/// `Listener failed; no way`.
fn handled(text: &str) -> Option<&str> {
    let rest = if let Some(rest) = behind(text, "Handling \"") {
        rest.split_once("\" failed: ")?.1
    } else if let Some(rest) = behind(text, "Listener method '") {
        rest.split_once("' threw exception; ")?.1
    } else {
        behind(text, "Listener failed; ")?
    };
    (!rest.is_empty()).then_some(rest)
}

/// What stands behind the record that a consumer of Go was at: `process message partition=3 offset=5: no such mandate`.
fn placed<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    static PLACE: Words =
        Words::new(&["topic", "partition", "offset", "key", "group", "queue", "delivery_tag", "message_id"]);
    let pairs = head.find('=')?;
    let at = head.get(..pairs)?.rfind(' ').map_or(0, |space| space + 1);
    let (doing, place) = head.split_at_checked(at)?;
    let is_place = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| PLACE.has(name));
    (doing.split_ascii_whitespace().all(|word| DOING.has(word) || WHAT.has(word))
        && place.split([' ', ',']).filter(|pair| !pair.is_empty()).all(is_place)
        && !rest.is_empty())
    .then_some(rest)
}

/// What stands behind which message was at hand: `processing sqs message 7f3a: missing field`.
fn handling<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    let mut words = head.split(' ').filter(|word| !word.is_empty()).skip_while(|word| DOING.has(word));
    let is_what = WHAT.has(words.next()?) && words.next().is_none_or(|id| id.bytes().any(|byte| byte.is_ascii_digit()));
    (is_what && words.next().is_none() && !rest.is_empty() && !WHAT.has(head)).then_some(rest)
}

/// What a program panicked with, where who recovered from it says so: `job 17 panicked: no map`.
fn recovered<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    let last = head.rsplit(' ').next().unwrap_or(head);
    (matches!(last, "panic" | "panicked" | "recovered") && head.len() <= SHORT && !rest.is_empty()).then_some(rest)
}

/// What stands behind who it happened to, of which there are several: `worker 3: no rate`, `handler take_orders: no rate`.
fn by_whom<'a>(failure: &Failure, (head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    static WHO: Words =
        Words::new(&["worker", "handler", "consumer", "processor", "subscriber", "listener", "goroutine"]);
    let mut words = head.split([' ', '-', '#', '[', ']']).filter(|word| !word.is_empty());
    let is_told = |word: &str| {
        word.bytes().all(|byte| byte.is_ascii_digit()) || failure.consumer.as_deref().is_some_and(|own| own == word)
    };
    let is_who = WHO.has(words.next()?) && words.all(is_told);
    (is_who && !rest.is_empty()).then_some(rest)
}

/// A chain of Go's errors without those of its parts that only say that something was tried again.
pub(super) fn without_tries(text: &str) -> Cow<'_, str> {
    let is_told = |part: &&str| !tells_tries(part);
    if find(text, ": ").is_none() || text.contains('\n') || text.split(": ").skip(1).all(|part| is_told(&part)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split(": ").filter(is_told).collect::<Vec<_>>().join(": "))
}

/// Whether a few words only say that something was tried again, and how often: `retry of order 17 refused` does not.
pub(super) fn tells_tries(words: &str) -> bool {
    let mut tries = false;
    words.len() <= SHORT
        && words.split([' ', ':', ',', '(', ')']).filter(|word| !word.is_empty()).all(|word| {
            let told = TRIES.has(word);
            tries |= told;
            told || AROUND.has(word) || is_amount(word)
        })
        && tries
}

/// How often, or for how long: `3/5`, `12.5s`, `1m30s`.
fn is_amount(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'.' | b'm' | b's' | b'h' | b'u' | b'n'))
}

/// What stands behind `retries exhausted after 5 attempts: `.
fn tried<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    let rest = rest.trim_start();
    (!rest.is_empty() && !head.contains('\n') && tells_tries(head)).then_some(rest)
}

/// The one error of Go's lists of them: `1 error occurred:`, and a line that begins with a star.
fn listed(text: &str) -> Option<&str> {
    let words = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if words.len() == text.len() {
        return None;
    }
    let rest = words.strip_prefix(" error occurred:").or_else(|| words.strip_prefix(" errors occurred:"))?;
    rest.trim_start().strip_prefix("* ").map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(text: &str) -> String {
        without_tries(inner(&Failure::default(), without_log_head(text))).into_owned()
    }

    #[test]
    fn how_often_it_was_tried_is_no_part_of_the_cause() {
        for text in [
            "retries exhausted after 5 attempts: account is frozen",
            "gave up after 1 attempt: account is frozen",
            "handler failed after 7 retries: account is frozen",
            "1 error occurred:\n\t* account is frozen\n\n",
            "attempt 3/5 failed: retries exhausted: account is frozen",
            "gave up after 4 attempts (max 4): account is frozen",
            "retry: 3 attempts exhausted after 12.5s: account is frozen",
            "E1027 20:11:56.614577 60435 decoder.cc:204] account is frozen",
            "[2026-09-03 04:34:10.743711] [error] [tid 0xc5] account is frozen",
            "Handling \"App\\Message\\Freeze\" failed: account is frozen",
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
        assert_eq!(cause("book transfer: all attempts failed, last error: no route"), "book transfer: no route");
        assert_eq!(cause("[shop] account is frozen"), "[shop] account is frozen");
        for head in ["cannot process message", "unable to handle event", "could not consume record 7"] {
            assert_eq!(cause(&format!("{head}: account is frozen")), "account is frozen");
        }
        assert!(tells_tries("reached max retries: 4"));
        assert!(!tells_tries("retry of order 17 refused"));
    }
}
