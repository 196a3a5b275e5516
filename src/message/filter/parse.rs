//! The parser: recursive descent over the expression's text, with bounded length and depth.
//!
//! ```text
//! or    = and { "or" and }
//! and   = unary { ["and"] unary }
//! unary = ("not" | "-") unary | "(" or ")" | test | word
//! test  = field operator value          operator = ":" "=" "!=" "<" "<=" ">" ">=" "~", or ":*"
//! field = name | "body" path | ("header" | "property") "." (name | quoted)
//! ```
//! A word that looks like a field with an operator but names none is a fault, never a silent word.

use jiff::Timestamp;

use super::condition::{self, OPERATORS};
use super::cursor::Cursor;
use super::expression::Expression;
use super::fault::Fault;

/// Bytes of an expression at most.
const MAX_LENGTH: usize = 64 * 1024;
/// Parentheses and negations within each other at most.
const MAX_DEPTH: usize = 64;

/// Parses a whole expression.
pub(crate) fn parse(text: &str, now: Timestamp) -> Result<Expression, Fault> {
    if text.len() > MAX_LENGTH {
        let what = format!("it is longer than {MAX_LENGTH} bytes");
        return Err(Fault::new(what, 0..0, "split it, or key on a group or a header"));
    }
    let mut parser = Parser { cursor: Cursor { text, at: 0 }, depth: 0, now };
    parser.cursor.space();
    if parser.cursor.rest().is_empty() {
        return Err(Fault::new("it is empty", 0..0, "leave the filter out to match every message"));
    }
    let expression = parser.or()?;
    match parser.cursor.peek() {
        None => Ok(expression),
        Some(_) => Err(parser.cursor.fault_here("a parenthesis closes that was not opened", "remove it, or quote it")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    depth: usize,
    now: Timestamp,
}

impl Parser<'_> {
    fn or(&mut self) -> Result<Expression, Fault> {
        let mut branches = vec![self.and()?];
        while self.cursor.keyword("or", "OR") {
            branches.push(self.and()?);
        }
        Ok(one_or(branches, Expression::Or))
    }

    fn and(&mut self) -> Result<Expression, Fault> {
        let mut parts = vec![self.unary()?];
        loop {
            self.cursor.space();
            let before = self.cursor.at;
            if self.cursor.peek().is_none_or(|c| c == ')') {
                break;
            }
            if self.cursor.keyword("or", "OR") {
                self.cursor.at = before;
                break;
            }
            self.cursor.keyword("and", "AND");
            parts.push(self.unary()?);
        }
        Ok(one_or(parts, Expression::And))
    }

    fn unary(&mut self) -> Result<Expression, Fault> {
        self.cursor.space();
        let start = self.cursor.at;
        if self.depth >= MAX_DEPTH {
            let what = format!("it is nested deeper than {MAX_DEPTH}");
            return Err(Fault::new(
                what,
                self.cursor.here(),
                "write it flatter: a, b and (c or d) rarely need more than two",
            ));
        }
        self.depth += 1;
        let expression = if self.cursor.keyword("not", "NOT") || self.cursor.eat("-") {
            if self.cursor.peek().is_none_or(|c| c == ')') {
                return Err(Fault::new(
                    "nothing follows to negate",
                    start..self.cursor.at,
                    "put a condition behind it, or quote it",
                ));
            }
            Expression::Not(Box::new(self.unary()?))
        } else if self.cursor.eat("(") {
            self.cursor.space();
            if self.cursor.peek() == Some(')') {
                return Err(Fault::new(
                    "the parentheses are empty",
                    start..self.cursor.at + 1,
                    "put a condition between them",
                ));
            }
            let inner = self.or()?;
            if !self.cursor.eat(")") {
                return Err(Fault::new("this parenthesis is not closed", start..start + 1, "close it, or quote it"));
            }
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    /// A test or a word.
    fn term(&mut self) -> Result<Expression, Fault> {
        let cursor = &mut self.cursor;
        let start = cursor.at;
        if let Some(quote @ ('"' | '\'')) = cursor.peek() {
            let text = cursor.quoted(quote)?;
            return word(&text, cursor, start);
        }
        if let Some(operator) = OPERATORS.iter().find(|operator| cursor.rest().starts_with(**operator)) {
            let what = format!("no field stands before {operator}");
            let hint = format!("write body{operator}value, or quote it");
            return Err(Fault::new(what, start..start + operator.len(), hint));
        }
        for keyword in ["or", "OR", "and", "AND"] {
            if cursor.keyword(keyword, keyword) {
                let what = format!("a condition is missing before {keyword}");
                return Err(Fault::new(what, start..start + keyword.len(), "put one there, or quote the word"));
            }
        }
        if cursor.peek().is_none_or(|c| c == ')') {
            let hint = "put a word or a test such as reason:timeout here";
            return Err(cursor.fault_here("a condition is missing here", hint));
        }
        if let Some(field) = condition::field(cursor)? {
            let test = condition::test(cursor, &field, start, self.now)?;
            return Ok(Expression::Test(field, test));
        }
        cursor.at = start;
        let text = cursor.until(|c| c.is_whitespace() || matches!(c, '(' | ')'));
        if let Some(quote) = text.find('"') {
            let at = start + quote;
            return Err(Fault::new("a quote starts inside a word", at..at + 1, "quote the whole text: \"like this\""));
        }
        word(text, cursor, start)
    }
}

/// A text to look for anywhere.
fn word(text: &str, cursor: &Cursor<'_>, start: usize) -> Result<Expression, Fault> {
    if text.is_empty() {
        let hint = "put a text between the quotes";
        return Err(Fault::new("an empty text matches everything", start..cursor.at, hint));
    }
    Ok(Expression::Word(condition::needle(text, start..cursor.at)?))
}

fn one_or(mut parts: Vec<Expression>, many: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() > 1 {
        return many(parts);
    }
    // A single part stands for itself; there is always one.
    parts.pop().unwrap_or_else(|| many(Vec::new()))
}
