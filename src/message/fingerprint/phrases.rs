//! Phrases by which runtimes and libraries can be known in an error text: one pass over a text says which it has, so that
//! a rule for one of them costs nothing where it is not.
//!
//! Limits: what is cut out of a text is taken to have all that the text has, and is searched for it.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phrase {
    /// Go's runtime.
    RuntimeError,
    /// Go's decoder of JSON.
    Unmarshal,
    /// What serde says of a record that lacks a field, has one too many, or a case that is none.
    MissingField,
    UnknownField,
    UnknownVariant,
    /// How `PostgreSQL` begins each error.
    Error,
    /// What Elixir's pool of connections says of one that it could not give, before it says for how long and what to do.
    Dropped,
    /// What is in each of Swift's errors of a decoder.
    Swift,
    /// Where Jackson's reader was, and what it read.
    Source,
    /// How circe tells where it was: `Int: DownField(qty),DownArray,DownField(lines)`.
    Down,
    /// Versions of Hibernate join this with a comma or a colon.
    Lazy,
    LazyColon,
    /// What follows is of the one call, and of the client's version.
    RequestId,
    RequestIdComma,
    MissingAtPath,
    Script,
    Deadline,
    /// How Feign says what it did.
    During,
    /// SQL Server's deadlocks.
    Deadlocked,
    /// What Java says first of a text that is no time.
    Parsed,
    /// How pydantic names the model.
    Model,
    Models,
    /// How Rust's runtime says where.
    Panicked,
    /// What Python says of a text that an encoding can't hold.
    Encodes,
    /// And of bytes that are no text of one.
    Decodes,
    /// What class-validator says before the rules of a field.
    Constraints,
    /// What `PostgreSQL`'s driver says behind the first error of a batch.
    NextException,
    /// What stands before a collection of `MongoDB`'s, with its database.
    Duplicate,
    /// And before a table of SQL Server's.
    Truncated,
    NullInto,
}

/// All of them in their order, each with its words.
const ALL: [(Phrase, &str); 30] = [
    (Phrase::RuntimeError, "runtime error: "),
    (Phrase::Unmarshal, "json: cannot unmarshal "),
    (Phrase::MissingField, "missing field `"),
    (Phrase::UnknownField, "unknown field `"),
    (Phrase::UnknownVariant, "unknown variant `"),
    (Phrase::Error, "ERROR: "),
    (Phrase::Dropped, "connection not available and request was dropped from queue"),
    (Phrase::Swift, "DecodingError.Context("),
    (Phrase::Source, " at [Source: "),
    (Phrase::Down, ": DownField("),
    (Phrase::Lazy, ", could not initialize proxy"),
    (Phrase::LazyColon, ": could not initialize proxy"),
    (Phrase::RequestId, "; Request ID: "),
    (Phrase::RequestIdComma, ", Request ID: "),
    (Phrase::MissingAtPath, " was missing at path: "),
    (Phrase::Script, ". script: "),
    (Phrase::Deadline, "rpc error: code = DeadlineExceeded desc = "),
    (Phrase::During, " during ["),
    (Phrase::Deadlocked, " was deadlocked on "),
    (Phrase::Parsed, " could not be parsed"),
    (Phrase::Model, " validation error for "),
    (Phrase::Models, " validation errors for "),
    (Phrase::Panicked, "panicked at "),
    (Phrase::Encodes, " codec can't encode character"),
    (Phrase::Decodes, " codec can't decode byte"),
    (Phrase::Constraints, " has failed the following constraints: "),
    (Phrase::NextException, " Call getNextException to see other errors in the batch"),
    (Phrase::Duplicate, "duplicate key error collection: "),
    (Phrase::Truncated, "would be truncated in table '"),
    (Phrase::NullInto, "', table '"),
];

impl Phrase {
    /// Its words.
    pub(super) const fn text(self) -> &'static str {
        ALL[self as usize].1
    }
}

/// Finds all of them, also within each other.
static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| finder(MatchKind::Standard, |text| text));
/// Finds the first of them, several times as fast: most texts have none. It looks for them without what parts them from
/// the words before, for that is everywhere in a text.
static FIRST: LazyLock<AhoCorasick> =
    LazyLock::new(|| finder(MatchKind::LeftmostFirst, |text| text.trim_start_matches([' ', ':', ',', ';', '.'])));

#[expect(clippy::expect_used, reason = "constant patterns, compiled in a test of this file")]
fn finder(kind: MatchKind, of: fn(&'static str) -> &'static str) -> AhoCorasick {
    AhoCorasick::builder().match_kind(kind).build(ALL.map(|(_, text)| of(text))).expect("patterns that fit")
}

/// Which phrases a text has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Phrases(u32);

impl Phrases {
    /// Those of a text.
    pub(super) fn of(text: &str) -> Self {
        if !FIRST.is_match(text) {
            return Self(0);
        }
        Self(FINDER.find_overlapping_iter(text).fold(0, |held, found| held | 1 << found.pattern().as_u32()))
    }

    /// Whether the text has it.
    pub(super) const fn has(self, phrase: Phrase) -> bool {
        self.0 & (1 << phrase as u32) != 0
    }

    /// Where it begins in a part of the text.
    pub(super) fn find(self, phrase: Phrase, part: &str) -> Option<usize> {
        if self.has(phrase) { part.find(phrase.text()) } else { None }
    }

    /// What stands before and behind it in a part of the text.
    pub(super) fn split(self, phrase: Phrase, part: &str) -> Option<(&str, &str)> {
        if self.has(phrase) { part.split_once(phrase.text()) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_what_can_be_found_in_it() {
        for (number, (phrase, _)) in ALL.into_iter().enumerate() {
            assert_eq!(phrase as usize, number);
            let text = format!("job 7: {}7", phrase.text());
            let held = Phrases::of(&text);
            for (other, _) in ALL {
                assert_eq!(held.has(other), text.contains(other.text()), "{text}: {other:?}");
            }
            assert_eq!(held.find(phrase, &text), Some(7));
            assert_eq!(held.split(phrase, &text), Some(("job 7: ", "7")));
            assert_eq!(held.find(phrase, "job"), None);
        }
        assert_eq!(Phrases::of("no way"), Phrases(0));
    }
}
