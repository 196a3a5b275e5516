//! Where the parser stands in an expression, and the tokens that need no grammar.

use std::ops::Range;

use super::fault::Fault;

/// A place in an expression's text.
pub(crate) struct Cursor<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    /// What follows.
    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next character.
    pub(crate) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips space.
    pub(crate) fn space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Takes `token` where it comes next.
    pub(crate) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// The bytes of the character here, for a fault.
    pub(crate) fn here(&self) -> Range<usize> {
        self.at..self.at + self.peek().map_or(0, char::len_utf8)
    }

    /// A fault at the next character.
    pub(crate) fn fault_here(&self, what: &str, hint: &str) -> Fault {
        Fault::new(what, self.here(), hint)
    }

    /// Takes one of the keyword's spellings where it stands alone.
    pub(crate) fn keyword(&mut self, lower: &str, upper: &str) -> bool {
        let rest = self.rest();
        let Some(after) = rest.strip_prefix(lower).or_else(|| rest.strip_prefix(upper)) else { return false };
        let alone = after.is_empty() || after.starts_with(|c: char| c.is_whitespace() || matches!(c, '(' | ')'));
        if alone {
            self.at += lower.len();
            self.space();
        }
        alone
    }

    /// A quoted text: a backslash escapes the quote and itself, and is kept before anything else.
    pub(crate) fn quoted(&mut self, quote: char) -> Result<String, Fault> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut text = String::new();
        let mut characters = self.rest().char_indices().peekable();
        while let Some((offset, c)) = characters.next() {
            if c == quote {
                self.at += offset + c.len_utf8();
                return Ok(text);
            }
            match characters.peek() {
                Some(&(_, next)) if c == '\\' && (next == quote || next == '\\') => {
                    text.push(next);
                    characters.next();
                }
                _ => text.push(c),
            }
        }
        Err(Fault::new("this quote is not closed", start..start + 1, format!("close it with {quote}")))
    }

    /// Takes everything up to the first character that `ends` it.
    pub(crate) fn until(&mut self, ends: impl FnMut(char) -> bool) -> &'a str {
        let rest = self.rest();
        let taken = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        self.at += taken.len();
        taken
    }
}
