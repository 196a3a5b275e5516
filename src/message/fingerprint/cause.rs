//! The text of a failure that says what happened, without what was told around it of how often it was tried.
//!
//! Limits: English, as error texts are.

use super::words::is_one_of;
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
#[must_use]
pub fn cause_text(failure: &Failure) -> Option<&str> {
    let text = failure.message.as_deref()?;
    let first = text.lines().next()?;
    let text = if failure.stack.is_some() && !announces(first) { first } else { text };
    let mut cause = text;
    for _ in 0..DEPTH {
        match tried(cause).or_else(|| listed(cause)) {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    Some(cause)
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
        cause_text(&failure).unwrap().to_owned()
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
        assert_eq!(cause_text(&failure), Some("Exception chain:\nno such column"));
        failure.message = Some("no such column\nwhile reading".into());
        assert_eq!(cause_text(&failure), Some("no such column"));
    }
}
