//! The filter language of DESIGN section 5, and the byte-level condition compiled from it.
//!
//! A [`Filter`] is parsed once and asked about many messages. A [`Candidate`] derives what the filter needs (failure,
//! group, decoded payload) once and only when it is needed. A [`Prefilter`] lets readers drop, on borrowed bytes,
//! messages that can't match. Limits: expressions are bounded in length and depth, regexes in size.

mod candidate;
mod compile;
mod condition;
mod cursor;
mod datum;
mod decimal;
mod evaluate;
mod expression;
mod extract;
mod fault;
mod field;
mod help;
mod line;
mod literal;
mod needle;
mod parse;
mod pick;
mod prefilter;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;

pub use candidate::Candidate;
pub(crate) use expression::Field;
pub use help::{EXAMPLES, Example, help};
pub use pick::Pick;
pub use prefilter::{Prefilter, RawHeaders, RawParts};

use crate::error::Result;

/// A condition on messages.
#[derive(Clone)]
pub struct Filter {
    text: String,
    expression: expression::Expression,
    prefilter: Prefilter,
    now: Timestamp,
}

impl Filter {
    /// Parses an expression. Times such as `-2h` and ages are counted from `now`.
    ///
    /// # Errors
    /// `Usage`, with the expression, a caret under the fault, and a suggestion as the hint.
    pub fn parse(text: &str, now: Timestamp) -> Result<Self> {
        let expression = parse::parse(text, now).map_err(|fault| fault.into_error(text))?;
        let prefilter = Prefilter::new(compile::compile(&expression));
        Ok(Self { text: text.to_owned(), expression, prefilter, now })
    }

    /// Whether a message matches.
    #[must_use]
    pub fn matches(&self, candidate: &Candidate<'_>) -> bool {
        evaluate::matches(&self.expression, candidate, self.now)
    }

    /// What every matching message has in its raw bytes.
    #[must_use]
    pub fn prefilter(&self) -> Prefilter {
        self.prefilter.clone()
    }

    /// What has to be derived from a message before this filter can decide.
    #[must_use]
    pub fn needs(&self) -> Needs {
        self.expression.needs()
    }
}

/// Reads a point in time as filters do: RFC 3339, a date, or a duration back from `now` (`-2h`).
#[must_use]
pub fn parse_time(text: &str, now: Timestamp) -> Option<Timestamp> {
    literal::time(text, now)
}

/// Reads a duration as filters do: `30s`, `2h`, `1h30m`; none below zero.
#[must_use]
pub fn parse_duration(text: &str) -> Option<std::time::Duration> {
    literal::duration(text).and_then(|duration| duration.try_into().ok())
}

/// The expression as it was typed.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Filter").field(&self.text).finish()
    }
}

/// What a filter may have to derive from a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Needs {
    /// The payload's decoded form.
    pub body: bool,
    /// Why it died.
    pub failure: bool,
    /// The group of its failure.
    pub group: bool,
}

impl Needs {
    /// What either of two needs.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self { body: self.body || other.body, failure: self.failure || other.failure, group: self.group || other.group }
    }
}
