//! The fields of the language: their names, and what kind of operand each takes.

use jiff::Timestamp;

use super::decimal::Decimal;
use super::expression::{Field, Limit};
use super::literal::{self, Bound};

/// What can stand after a field's operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Text, or whatever a header or a payload holds.
    Any,
    /// A number.
    Number,
    /// Bytes, with or without a unit.
    Size,
    /// A duration.
    Duration,
    /// A point in time.
    Time,
}

/// Every field's name. Those that end in a dot take a name behind it; `body` may.
pub(crate) const NAMES: &[&str] = &[
    "body",
    "key",
    "header.",
    "property.",
    "reason",
    "class",
    "origin",
    "group",
    "attempts",
    "age",
    "time",
    "size",
    "offset",
    "partition",
    "id",
    "format",
    "type",
    "shape",
];

/// The field of that name, for those that take no name of their own.
pub(crate) fn simple(name: &str) -> Option<Field> {
    Some(match name {
        "key" => Field::Key,
        "reason" => Field::Reason,
        "class" => Field::Class,
        "origin" => Field::Origin,
        "group" => Field::Group,
        "attempts" => Field::Attempts,
        "age" => Field::Age,
        "time" => Field::Time,
        "size" => Field::Size,
        "offset" => Field::Offset,
        "partition" => Field::Partition,
        "id" => Field::Id,
        "format" => Field::Format,
        "type" => Field::Type,
        "shape" => Field::Shape,
        _ => return None,
    })
}

impl Field {
    /// What kind of operand it takes.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Attempts | Self::Offset | Self::Partition => Kind::Number,
            Self::Size => Kind::Size,
            Self::Age => Kind::Duration,
            Self::Time => Kind::Time,
            _ => Kind::Any,
        }
    }
}

impl Kind {
    /// Reads an operand of this kind.
    pub(crate) fn limit(self, text: &str, now: Timestamp) -> Option<Limit> {
        Some(match self {
            Self::Any => Limit::Text(Bound::parse(text, now)),
            Self::Number => Decimal::parse(text).map(|_| Limit::Number(text.to_owned()))?,
            Self::Size => Limit::Number(literal::size_or_bytes(text)?.to_string()),
            Self::Duration => Limit::Duration(literal::duration(text)?),
            Self::Time => Limit::Time(literal::time(text, now)?),
        })
    }

    /// What is expected, for an error.
    pub(crate) fn expected(self) -> (&'static str, &'static str) {
        match self {
            Self::Any => ("a value", "quote a value with spaces or parentheses"),
            Self::Number => ("a number", "write a number such as 17"),
            Self::Size => ("a size", "write a size such as 512, 10kb or 4mib"),
            Self::Duration => ("a duration", "write a duration such as 30s, 5m, 2h or 1d12h"),
            Self::Time => ("a time", "write a time such as 2026-03-02, 2026-03-02T10:00:00Z, or -2h for two hours ago"),
        }
    }
}
