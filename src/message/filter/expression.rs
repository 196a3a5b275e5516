//! The parsed form of a filter: a tree of words and tests.

use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;

use super::Needs;
use super::literal::Bound;
use super::needle::Needle;
use crate::message::path::Path;

/// A filter expression. Its depth is bounded by the parser.
#[derive(Clone, Debug)]
pub(crate) enum Expression {
    /// All of them match.
    And(Vec<Expression>),
    /// At least one matches.
    Or(Vec<Expression>),
    /// It does not match.
    Not(Box<Expression>),
    /// Text anywhere: key, payload, header names and values, id.
    Word(Needle),
    /// A condition on one field.
    Test(Field, Test),
}

impl Expression {
    /// What has to be derived from a message.
    pub(crate) fn needs(&self) -> Needs {
        match self {
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().fold(Needs::default(), |needs, part| needs.or(part.needs()))
            }
            Self::Not(inner) => inner.needs(),
            Self::Word(_) => Needs { body: true, ..Needs::default() },
            Self::Test(field, _) => field.needs(),
        }
    }
}

/// What a test looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// The payload, or a place in it.
    Body(Path),
    /// The key.
    Key,
    /// The headers of that exact name.
    Header(String),
    /// The properties, and what the broker says, of that exact name.
    Property(String),
    /// Why it died: the failure's message and class, and the broker's reasons.
    Reason,
    /// The failure's class.
    Class,
    /// Where it died.
    Origin,
    /// The id of its group of failures.
    Group,
    /// How often it was tried.
    Attempts,
    /// How long ago it was taken in, else died.
    Age,
    /// When it was taken in, else died.
    Time,
    /// Bytes of key, headers and payload.
    Size,
    /// Its offset.
    Offset,
    /// Its partition.
    Partition,
    /// Its id.
    Id,
    /// The formats its payload was decoded from, outermost first, and what it is.
    Format,
    /// The type that it declares, else its shape.
    Type,
    /// The keys of its JSON.
    Shape,
}

impl Field {
    fn needs(&self) -> Needs {
        let none = Needs::default();
        match self {
            Self::Body(_) | Self::Format | Self::Type | Self::Shape => Needs { body: true, ..none },
            // A message without a time of its own has that of its death.
            Self::Reason | Self::Class | Self::Origin | Self::Attempts | Self::Age | Self::Time => {
                Needs { failure: true, ..none }
            }
            Self::Group => Needs { failure: true, group: true, ..none },
            Self::Key
            | Self::Header(_)
            | Self::Property(_)
            | Self::Size
            | Self::Offset
            | Self::Partition
            | Self::Id => none,
        }
    }
}

/// A condition on the values of a field. A field has none where it is missing, and several where it repeats.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    /// There is a value.
    Present,
    /// Some value contains the text.
    Contains(Needle),
    /// Some value equals the literal.
    Equals(Literal),
    /// No value equals the literal; true for a missing one.
    Differs(Literal),
    /// Some value stands so to the bound.
    Order(Order, Limit),
    /// Some value matches the regex.
    Matches(Regex),
}

/// `<`, `<=`, `>`, `>=`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Order {
    /// Whether a value that stands so to the bound is meant.
    pub(crate) fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => order.is_lt(),
            Self::LessOrEqual => order.is_le(),
            Self::Greater => order.is_gt(),
            Self::GreaterOrEqual => order.is_ge(),
        }
    }
}

/// The right side of `=` and `!=`.
#[derive(Clone, Debug)]
pub(crate) enum Literal {
    /// Unquoted: a number equals by value, anything else by text.
    Plain(String),
    /// Quoted: equals text only.
    Quoted(String),
    /// For a field of its own kind.
    Typed(Limit),
}

/// The right side of an order, read for the field's kind.
#[derive(Clone, Debug)]
pub(crate) enum Limit {
    /// Any value: what the text can mean.
    Text(Bound),
    /// Attempts, offset, partition: a number; size: bytes.
    Number(String),
    /// Age.
    Duration(SignedDuration),
    /// Time.
    Time(Timestamp),
}
