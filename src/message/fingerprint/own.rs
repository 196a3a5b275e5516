//! Values that an error text names and the message itself holds: `Tariff 7 of nordkauf` of a message with
//! `"tenant":"nordkauf"`. A plain word can't be told from the text without it.
//!
//! Only a word behind one that leads to a value counts, or behind its field's own name, or a code in upper case; and no value of a field that tells
//! how things stand (`status`, `type` …), for those words say what happened. Limits: bodies that are JSON as they are, and
//! headers; a message that does not hold the word keeps it in its text.

use std::borrow::Cow;

use crate::message::Message;
use crate::text::words::Words;

/// Larger bodies are not searched.
const MAX_BODY: usize = 64 * 1024;
/// Longer words are no names.
const MAX_WORD: usize = 48;
/// Words that lead to a value.
static LEADING: Words = Words::new(&["of", "for", "by", "from", "to", "in", "at", "on", "with"]);
/// Words that no value is.
static SMALL: Words = Words::new(&["the", "a", "an", "this", "that", "its", "all", "any", "no", "not", "be", "it"]);
/// Fields whose values say what happened.
const TELLING: [&str; 21] = [
    "status",
    "state",
    "type",
    "kind",
    "reason",
    "event",
    "action",
    "phase",
    "step",
    "result",
    "outcome",
    "code",
    "level",
    "mode",
    "error",
    "message",
    "method",
    "operation",
    "op",
    "exception",
    "cause",
];

/// The text with quotes around each word that is a value of the message, so that it is masked as one.
pub(super) fn marked<'a>(message: &Message, text: &'a str) -> Cow<'a, str> {
    if message.headers.is_empty() && message.body().is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    let (mut written, mut before) = (0, "");
    let mut at = 0;
    for next in memchr::memchr_iter(b' ', text.as_bytes()).map(|space| space + 1).chain([text.len()]) {
        let part = text.get(at..next).unwrap_or_default();
        let word = part.trim_end_matches([' ', ',', '.', ';', ':']);
        let end = at + word.len();
        if (LEADING.has(before) || is_code(word) || may_name(before))
            && may_be_value(word)
            && holds(message, before, word)
        {
            out.push_str(text.get(written..at).unwrap_or_default());
            out.extend(["“", word, "”"]);
            written = end;
        }
        at = next;
        before = word;
    }
    if written == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(written..).unwrap_or_default());
    Cow::Owned(out)
}

fn may_be_value(word: &str) -> bool {
    (2..=MAX_WORD).contains(&word.len())
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
        && !SMALL.has(word)
}

/// Whether a word is a code, as airports, currencies and countries have them: no word that leads to it is needed.
fn is_code(word: &str) -> bool {
    (3..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Whether a word may be the name of a field.
fn may_name(word: &str) -> bool {
    word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether the message has a field with that value which may be named here.
fn holds(message: &Message, before: &str, word: &str) -> bool {
    let leads = LEADING.has(before) || is_code(word);
    let names = |field: &[u8]| {
        let told = |name: &str| ends_with_word(field, name.as_bytes());
        !TELLING.iter().any(|name| told(name)) && (leads || told(before))
    };
    if message.headers.iter().any(|(name, value)| value.is_str(word) && names(name.as_bytes())) {
        return true;
    }
    let body = message.body();
    // In a shorter one there is no room for it and a name.
    let room = word.len() + r#"{"":""}"#.len()..=MAX_BODY;
    if !room.contains(&body.len()) {
        return false;
    }
    memchr::memmem::find_iter(body, word.as_bytes()).any(|at| {
        let is_quoted = body.get(at + word.len()) == Some(&b'"');
        let before = body.get(..at).and_then(|before| before.strip_suffix(b"\"")).filter(|_| is_quoted);
        let before = before.unwrap_or_default().trim_ascii_end();
        let name = before.strip_suffix(b":").map(<[u8]>::trim_ascii_end).and_then(|before| before.strip_suffix(b"\""));
        name.is_some_and(|before| {
            let start = memchr::memrchr(b'"', before).map_or(0, |quote| quote + 1);
            names(before.get(start..).unwrap_or_default())
        })
    })
}

/// Whether a name is that word, or ends with it: `product`, `shipProduct`, `ship_product`.
fn ends_with_word(name: &[u8], word: &[u8]) -> bool {
    let Some(start) = name.len().checked_sub(word.len()) else { return false };
    let (head, tail) = name.split_at(start);
    tail.eq_ignore_ascii_case(word)
        && (head.is_empty()
            || head.ends_with(b"_")
            || head.ends_with(b"-")
            || head.ends_with(b".")
            || tail.first().is_some_and(u8::is_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_the_message_holds_are_marked() {
        let message = Message {
            payload: Some(
                r#"{"tenant":"nordkauf","line":{"shipProduct" : "LETTERBOX"},"status":"pending","tags":["red"],"ccy":"USD"}"#
                    .into(),
            ),
            headers: [("x-region", "north")].into_iter().collect(),
            ..Message::default()
        };
        for (text, want) in [
            ("tariff of nordkauf waits", "tariff of “nordkauf” waits"),
            ("no tariff for product LETTERBOX.", "no tariff for product “LETTERBOX”."),
            ("not served in north, yet", "not served in “north”, yet"),
            ("nordkauf waits", "nordkauf waits"),
            ("rate USD missing", "rate “USD” missing"),
            ("rate EUR missing", "rate EUR missing"),
            ("refused for pending orders", "refused for pending orders"),
            ("list of red", "list of red"),
            ("of the", "of the"),
            ("", ""),
        ] {
            assert_eq!(marked(&message, text), want);
        }
    }
}
