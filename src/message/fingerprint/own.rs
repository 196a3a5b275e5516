//! Values that an error text names and the message itself holds: `Tariff 7 of nordkauf` of a message with
//! `"tenant":"nordkauf"`. A plain word can't be told from the text without it.
//!
//! Only a word behind one that leads to a value counts, or behind its field's own name, or one that is written as codes and
//! ids are; and no value of a field that tells how things stand (`status`, `type` …), for those words say what happened.
//! Limits: bodies that are JSON as they are, and headers; a message that does not hold the word keeps it in its text.

use std::borrow::Cow;

use crate::message::Message;
use crate::text::words::Words;

/// Larger bodies are not searched.
const MAX_BODY: usize = 64 * 1024;
/// Longer words are no names.
const MAX_WORD: usize = 48;
/// Shorter words behind a sign are no ids.
const MIN_ID: usize = 8;
/// Words that lead to a value.
static LEADING: Words = Words::new(&["of", "for", "by", "from", "to", "in", "at", "on", "with"]);
/// Words behind what a field is the name of: `playerId`, `currency_code`.
const NAMING: [&str; 6] = ["id", "code", "name", "number", "no", "key"];
/// Words that no value is.
static SMALL: Words = Words::new(&["the", "a", "an", "this", "that", "its", "all", "any", "no", "not", "be", "it"]);
/// Fields whose values say what happened.
const TELLING: [&str; 22] = [
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
    "response",
    "rejection",
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
        if (LEADING.has(before) || is_code(before, word) || may_name(before))
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

/// Whether a word is a code, as airports, currencies and lots have them, or an id that happens to have no digit
/// (`plr_pexmpjkbkwEwgT`): no word that leads to it is needed.
fn is_code(before: &str, word: &str) -> bool {
    let is_id = || {
        let (sign, rest) = word.rsplit_once(['_', '-']).unwrap_or(("", ""));
        let upper = rest.bytes().filter(u8::is_ascii_uppercase).count();
        !sign.is_empty() && rest.len() >= MIN_ID && (1..rest.len()).contains(&upper)
    };
    // A country's has two letters, as many words of a text in capitals.
    let is_long = word.len() > 2 || before.bytes().any(|byte| byte.is_ascii_lowercase());
    (is_long && word.bytes().all(|byte| byte.is_ascii_uppercase())) || is_id()
}

/// Whether a word may be the name of a field.
fn may_name(word: &str) -> bool {
    word.len() > 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic())
}

/// Whether the message has a field with that value which may be named here.
fn holds(message: &Message, before: &str, word: &str) -> bool {
    let leads = LEADING.has(before) || is_code(before, word);
    let names = |field: &[u8]| {
        let of = NAMING.iter().find_map(|naming| without_word(field, naming.as_bytes()));
        let named =
            || [Some(field), of].into_iter().flatten().any(|name| without_word(name, before.as_bytes()).is_some());
        !tells(field) && (leads || named())
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

/// Whether the values of a field say what happened: `status`, `order_state`, `errorCode`; a code alone does, too.
fn tells(field: &[u8]) -> bool {
    match without_word(field, b"code") {
        Some(of) => of.is_empty() || tells(of),
        None => TELLING.iter().any(|word| without_word(field, word.as_bytes()).is_some()),
    }
}

/// What stands before a name's last word, where it is that: `product`, `shipProduct`, `ship_product`.
fn without_word<'a>(name: &'a [u8], word: &[u8]) -> Option<&'a [u8]> {
    let (head, tail) = name.split_at_checked(name.len().checked_sub(word.len())?)?;
    if !tail.eq_ignore_ascii_case(word) {
        return None;
    }
    match head.split_last() {
        None => Some(head),
        Some((b'_' | b'-' | b'.', of)) => Some(of),
        Some(_) => tail.first().is_some_and(u8::is_ascii_uppercase).then_some(head),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_the_message_holds_are_marked() {
        let message = Message {
            payload: Some(
                r#"{"tenant":"nordkauf","line":{"shipProduct" : "LETTERBOX"},"status":"pending","tags":["red"],"ccy":"USD",
                    "playerId":"plr_pexmpjkbkwEwgT","currency_code":"EMBERS","errorCode":"STALE","lot":"LOTDBNXJT","originCountry":"TR"}"#
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
            ("no player plr_pexmpjkbkwEwgT", "no player “plr_pexmpjkbkwEwgT”"),
            ("7 EMBERS left, STALE", "7 “EMBERS” left, STALE"),
            ("lot LOTDBNXJT is gone", "lot “LOTDBNXJT” is gone"),
            ("origin TR, none", "origin “TR”, none"),
            ("ORIGIN TR", "ORIGIN TR"),
            ("of the", "of the"),
            ("", ""),
        ] {
            assert_eq!(marked(&message, text), want);
        }
    }
}
