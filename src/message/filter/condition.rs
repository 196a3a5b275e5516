//! One test: a field, an operator and a value.

use std::ops::Range;

use jiff::Timestamp;
use regex::bytes::RegexBuilder;

use super::cursor::Cursor;
use super::expression::{Field, Literal, Order, Test};
use super::fault::Fault;
use super::field::{self, Kind};
use super::needle::Needle;
use crate::error::nearest;
use crate::message::path::{Path, Step, is_bare};

/// Memory that one compiled regex may take, and its lazy automaton while it runs.
const MAX_REGEX: usize = 4 << 20;

/// What can stand between a field and a value; longer ones before those that they start with.
pub(crate) const OPERATORS: &[&str] = &["!=", "<=", ">=", ":", "=", "<", ">", "~"];

/// A value as written.
struct Operand {
    text: String,
    quoted: bool,
    at: Range<usize>,
}

/// The field that starts here, when an operator follows it; `None` for a plain word.
pub(crate) fn field(cursor: &mut Cursor<'_>) -> Result<Option<Field>, Fault> {
    let start = cursor.at;
    let name = cursor.until(|c| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-'));
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok(None);
    }
    let name_at = start..cursor.at;
    let dotted = matches!(cursor.peek(), Some('.' | '['));
    let field = match name {
        "body" => {
            let Some(path) = path(cursor)? else { return Ok(None) };
            Some(Field::Body(path))
        }
        "header" | "property" if dotted => {
            let inner = name_behind_dot(cursor)?;
            Some(if name == "header" { Field::Header(inner) } else { Field::Property(inner) })
        }
        _ if dotted => None,
        _ => field::simple(name),
    };
    if field.is_none() {
        // What is dotted or bracketed behind an unknown name belongs to it for the search of an operator.
        cursor.until(|c| c.is_whitespace() || "()\"':=!<>~".contains(c));
    }
    let mark = cursor.at;
    if field.is_some() {
        cursor.space();
    }
    // A space before an operator is only believed where a field stands before it.
    let Some(operator) = OPERATORS.iter().find(|operator| cursor.rest().starts_with(**operator)) else {
        cursor.at = mark;
        return Ok(None);
    };
    match field {
        Some(field) => Ok(Some(field)),
        None => Err(unknown_field(cursor.text, name, name_at, operator, dotted)),
    }
}

/// The path behind `body`; `None` where this is no path but a word such as `body..`.
fn path(cursor: &mut Cursor<'_>) -> Result<Option<Path>, Fault> {
    let mut steps = Vec::new();
    loop {
        let start = cursor.at;
        if cursor.eat("[") {
            let Some(length) = cursor.rest().find(']') else {
                return Err(Fault::new(
                    "this bracket is not closed",
                    start..start + 1,
                    "write [0], or [] for any element",
                ));
            };
            let index = cursor.rest().get(..length).unwrap_or_default().trim();
            cursor.at += length + 1;
            steps.push(match index {
                "" => Step::Any,
                digits => Step::Index(digits.parse().map_err(|_| {
                    let hint = "write [0], [] for any element, or .\"name\" for a member";
                    Fault::new("this is no index", start + 1..start + 1 + length, hint)
                })?),
            });
        } else if cursor.eat(".") {
            if cursor.peek() == Some('"') {
                steps.push(Step::Name(cursor.quoted('"')?));
                continue;
            }
            let name = cursor.until(|c| !is_bare(c));
            if name.is_empty() && OPERATORS.iter().any(|operator| cursor.rest().starts_with(operator)) {
                return Err(
                    cursor.fault_here("a name is missing behind the dot", "write body.name, or body.\"odd name\"")
                );
            }
            if name.is_empty() {
                return Ok(None);
            }
            steps.push(Step::Name(name.to_owned()));
        } else {
            return Ok(Some(Path(steps)));
        }
    }
}

/// The name of a header or property: quoted, or up to the operator (dots and brackets belong to it).
fn name_behind_dot(cursor: &mut Cursor<'_>) -> Result<String, Fault> {
    cursor.eat(".");
    if cursor.peek() == Some('"') {
        return cursor.quoted('"');
    }
    let name = cursor.until(|c| !is_bare(c) && !matches!(c, '.' | '[' | ']'));
    if name.is_empty() {
        return Err(cursor.fault_here("a name is missing behind the dot", "write header.NAME, or header.\"odd name\""));
    }
    Ok(name.to_owned())
}

/// The operator and the value behind a field.
pub(crate) fn test(cursor: &mut Cursor<'_>, field: &Field, start: usize, now: Timestamp) -> Result<Test, Fault> {
    cursor.space();
    let operator_at = cursor.at;
    let Some(operator) = OPERATORS.iter().copied().find(|operator| cursor.eat(operator)) else {
        return Err(cursor.fault_here("an operator is missing", "write one of : = != < <= > >= ~"));
    };
    if matches!(cursor.rest().as_bytes(), [b'=' | b'~' | b'<' | b'>' | b':', ..]) {
        let end = cursor.at + 1;
        let written = cursor.text.get(operator_at..end).unwrap_or_default();
        let what = format!("{written} is no operator");
        return Err(Fault::new(
            what,
            operator_at..end,
            "write one of : = != < <= > >= ~, and quote a value that starts like one",
        ));
    }
    let operand = operand(cursor, operator, operator_at)?;
    let kind = field.kind();
    Ok(match operator {
        ":" if operand.text == "*" && !operand.quoted => Test::Present,
        ":" | "~" if *field == Field::Age => {
            let hint = "write age<2h, age>=1d, or time:2026-03-02 for the text of a time";
            return Err(Fault::new("an age has no text", operator_at..operand.at.end, hint));
        }
        ":" => Test::Contains(needle(&operand.text, operand.at)?),
        "~" => Test::Matches(regex(&operand)?),
        "=" => Test::Equals(literal(kind, operand, now)?),
        "!=" => Test::Differs(literal(kind, operand, now)?),
        _ => {
            let order = match operator {
                "<" => Order::Less,
                "<=" => Order::LessOrEqual,
                ">" => Order::Greater,
                _ => Order::GreaterOrEqual,
            };
            if matches!(field, Field::Format | Field::Group | Field::Type | Field::Shape) {
                let end = operand.at.end;
                return Err(Fault::new("this field has no order", start..end, "compare it with : = != or ~"));
            }
            Test::Order(order, kind.limit(&operand.text, now).ok_or_else(|| unreadable(kind, &operand))?)
        }
    })
}

fn literal(kind: Kind, operand: Operand, now: Timestamp) -> Result<Literal, Fault> {
    Ok(match kind {
        Kind::Any if operand.quoted => Literal::Quoted(operand.text),
        Kind::Any => Literal::Plain(operand.text),
        _ => Literal::Typed(kind.limit(&operand.text, now).ok_or_else(|| unreadable(kind, &operand))?),
    })
}

/// The value behind an operator: quoted, or up to a space or a parenthesis that it did not open itself.
fn operand(cursor: &mut Cursor<'_>, operator: &str, operator_at: usize) -> Result<Operand, Fault> {
    cursor.space();
    let start = cursor.at;
    if let Some(quote @ ('"' | '\'')) = cursor.peek() {
        let text = cursor.quoted(quote)?;
        if let Some(c) = cursor.peek()
            && !c.is_whitespace()
            && !matches!(c, ')' | '(')
        {
            return Err(
                cursor.fault_here("a space is missing behind the quote", "put a space here, or quote all of it")
            );
        }
        return Ok(Operand { text, quoted: true, at: start..cursor.at });
    }
    let mut open = 0_usize;
    let mut escaped = false;
    let text = cursor.until(|c| {
        let literal = escaped;
        escaped = c == '\\' && !escaped && operator == "~";
        match c {
            _ if c.is_whitespace() => return true,
            '(' if !literal => open += 1,
            ')' if !literal && open == 0 => return true,
            ')' if !literal => open -= 1,
            _ => {}
        }
        false
    });
    if text.is_empty() {
        let what = format!("a value is missing behind {operator}");
        return Err(Fault::new(
            what,
            operator_at..operator_at + operator.len(),
            "write one, \"\" for the empty text, or :* for any",
        ));
    }
    Ok(Operand { text: text.to_owned(), quoted: false, at: start..cursor.at })
}
/// A text to look for, in smart case.
pub(crate) fn needle(text: &str, at: Range<usize>) -> Result<Needle, Fault> {
    Needle::smart(text).ok_or_else(|| Fault::new("this text is too long to look for", at, "look for a part of it"))
}

fn unreadable(kind: Kind, operand: &Operand) -> Fault {
    let (expected, hint) = kind.expected();
    Fault::new(format!("this is not {expected}"), operand.at.clone(), hint)
}

fn regex(operand: &Operand) -> Result<regex::bytes::Regex, Fault> {
    RegexBuilder::new(&operand.text).size_limit(MAX_REGEX).dfa_size_limit(MAX_REGEX).build().map_err(|error| {
        let (what, hint) = if let regex::Error::CompiledTooBig(_) = error {
            ("this regex grows too large".to_owned(), "repeat less: {1,1000} copies its part")
        } else {
            // The last line of the crate's message names the fault; the lines before draw it.
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            let hint = "escape what is meant literally with \\, or use : for plain text";
            (format!("this regex can't be read: {reason}"), hint)
        };
        Fault::new(what, operand.at.clone(), hint)
    })
}

fn unknown_field(text: &str, name: &str, at: Range<usize>, operator: &str, dotted: bool) -> Fault {
    let quote = "put quotes around a text that holds an operator";
    if matches!(name, "header" | "property") {
        let what = format!("{name} needs a name");
        return Fault::new(what, at, format!("write {name}.NAME{operator}value"));
    }
    if dotted && field::simple(name).is_some() {
        let what = format!("{name} has no parts");
        return Fault::new(what, at, format!("write {name}{operator}value, or body.PATH for a place in the payload"));
    }
    let written = text.get(at.clone()).unwrap_or(name);
    let what = format!("there is no field {written:?}");
    let hint = match nearest(name, field::NAMES.iter().copied()) {
        Some(known) if known.ends_with('.') => format!("did you mean {known}NAME{operator}? Else {quote}"),
        Some(known) => format!("did you mean {known}{operator}? Else {quote}"),
        None => format!("fields are {}; {quote}", field::NAMES.join(" ").replace(". ", ".NAME ")),
    };
    Fault::new(what, at, hint)
}
