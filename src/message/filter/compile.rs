//! From an expression to the bytes that it implies.
//!
//! Only what must stand in a message literally becomes a condition: texts that are looked for, names of headers and
//! of members on a path, the digits of a number. Times, regexes on parts, derived fields (reason, class, origin,
//! group) and everything negated become none.

use super::decimal::Decimal;
use super::expression::{Expression, Field, Literal, Test};
use super::line::LineNeedle;
use super::needle::Needle;
use super::prefilter::{Condition, Place};
use crate::message::path::Path;

/// The condition that every matching message meets.
pub(crate) fn compile(expression: &Expression) -> Condition {
    match expression {
        Expression::And(parts) => all(parts.iter().map(compile)),
        Expression::Or(parts) => any(parts.iter().map(compile)),
        Expression::Not(_) => Condition::Pass,
        Expression::Word(needle) => has(Place::Anywhere, needle.clone()),
        Expression::Test(field, test) => compile_test(field, test),
    }
}

fn compile_test(field: &Field, test: &Test) -> Condition {
    if matches!(test, Test::Differs(_)) {
        return Condition::Pass;
    }
    let needle = implied(test);
    match field {
        Field::Body(path) if path.is_whole() => match test {
            Test::Matches(regex) => Condition::Payload(regex.clone()),
            _ => needle.map_or(Condition::Pass, |needle| has(Place::Payload, needle)),
        },
        Field::Body(path) => all(names(path).chain(needle).map(|needle| has(Place::Payload, needle))),
        Field::Key => needle.map_or(Condition::Pass, |needle| has(Place::Key, needle)),
        Field::Id => needle.map_or(Condition::Pass, |needle| has(Place::Id, needle)),
        Field::Header(name) => Condition::Header(LineNeedle::new(Needle::exact(name)), needle.map(LineNeedle::new)),
        Field::Property(_)
        | Field::Reason
        | Field::Class
        | Field::Origin
        | Field::Group
        | Field::Attempts
        | Field::Age
        | Field::Time
        | Field::Size
        | Field::Offset
        | Field::Partition
        | Field::Format
        | Field::Type
        | Field::Shape => Condition::Pass,
    }
}

/// The text that a value must hold to meet the test.
fn implied(test: &Test) -> Option<Needle> {
    match test {
        Test::Contains(needle) => Some(needle.clone()),
        // A null has no text of its own in headers.
        Test::Equals(Literal::Plain(text)) if text == "null" => None,
        Test::Equals(Literal::Plain(text)) if Decimal::parse(text).is_some() => Needle::number(text),
        Test::Equals(Literal::Plain(text) | Literal::Quoted(text)) => Some(Needle::exact(text)),
        Test::Equals(Literal::Typed(_)) | Test::Differs(_) | Test::Present | Test::Order(..) | Test::Matches(_) => None,
    }
}

/// The member names that a path needs.
fn names(path: &Path) -> impl Iterator<Item = Needle> {
    path.names().map(Needle::exact)
}

fn has(place: Place, needle: Needle) -> Condition {
    // The empty text is in everything that is there, and what is missing is not looked for by bytes.
    if needle.text().is_empty() { Condition::Pass } else { Condition::Has(place, LineNeedle::new(needle)) }
}

fn all(conditions: impl Iterator<Item = Condition>) -> Condition {
    let mut kept: Vec<_> = conditions.filter(|condition| !matches!(condition, Condition::Pass)).collect();
    if kept.len() > 1 { Condition::All(kept) } else { kept.pop().unwrap_or_default() }
}

fn any(conditions: impl Iterator<Item = Condition>) -> Condition {
    let branches: Vec<_> = conditions.collect();
    if branches.iter().any(|condition| matches!(condition, Condition::Pass)) {
        return Condition::Pass;
    }
    Condition::Any(branches)
}
