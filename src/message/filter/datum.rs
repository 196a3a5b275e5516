//! One value of a field, typed as far as comparing needs it, and whether a test holds for it.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::decimal::Decimal;
use super::expression::{Limit, Literal, Test};
use crate::message::fingerprint::GroupId;
use crate::message::{Amqp, Value};

/// A value that a test is asked about.
#[derive(Clone, Debug)]
pub(crate) enum Datum<'a> {
    /// A JSON null, a null header.
    Null,
    /// Text or bytes.
    Text(Cow<'a, [u8]>),
    /// A number as written.
    Number(Cow<'a, str>),
    /// `true`, `false`, or a whole list or object: it has a text but is no string.
    Word(Cow<'a, str>),
    /// A point in time.
    Time(Timestamp),
    /// How long ago.
    Duration(SignedDuration),
    /// A group of failures, by any of its names.
    Group(GroupId),
}

/// `value / 10^scale` with its point.
fn decimal(value: u32, scale: usize) -> String {
    let digits = format!("{value:0>width$}", width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

impl<'a> Datum<'a> {
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text.as_bytes()))
    }

    pub(crate) fn number(number: &impl ToString) -> Self {
        Self::Number(Cow::Owned(number.to_string()))
    }

    /// Calls `test` with the value, and with each value inside a list or table; whether it accepts one.
    pub(crate) fn any_of(value: &Value, test: &mut dyn FnMut(&Datum<'_>) -> bool) -> bool {
        match value {
            Value::Amqp(Amqp::Array(values)) => values.iter().any(|value| Self::any_of(value, test)),
            Value::Amqp(Amqp::Table(fields)) => fields.iter().any(|(_, value)| Self::any_of(value, test)),
            _ => test(&Datum::of(value)),
        }
    }

    /// A header's or property's value that holds no others.
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bytes(bytes) | Value::Amqp(Amqp::ByteArray(bytes)) => Self::Text(Cow::Borrowed(bytes)),
            Value::Sqs { data_type, value: bytes } => match std::str::from_utf8(bytes) {
                Ok(text) if data_type.starts_with("Number") => Self::Number(Cow::Borrowed(text)),
                _ => Self::Text(Cow::Borrowed(bytes)),
            },
            Value::Bool(flag) => Self::Word(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Value::Int(number) => Self::number(number),
            Value::Amqp(amqp) => match amqp {
                Amqp::ShortString(text) => Self::text(text),
                Amqp::F32(bits) => Self::number(&f32::from_bits(*bits)),
                Amqp::F64(bits) => Self::number(&f64::from_bits(*bits)),
                Amqp::Decimal { scale, value } => Self::number(&decimal(*value, (*scale).into())),
                Amqp::Timestamp(seconds) => i64::try_from(*seconds)
                    .ok()
                    .and_then(|seconds| Timestamp::from_second(seconds).ok())
                    .map_or_else(|| Self::number(seconds), Self::Time),
                _ => value.as_i64().map_or(Self::Null, |number| Self::number(&number)),
            },
        }
    }

    /// The text that contains, equals and regexes see.
    pub(crate) fn bytes(&self) -> Cow<'_, [u8]> {
        match self {
            Self::Null | Self::Duration(_) => Cow::Borrowed(&[]),
            Self::Text(bytes) => Cow::Borrowed(bytes),
            Self::Number(text) | Self::Word(text) => Cow::Borrowed(text.as_bytes()),
            Self::Time(time) => Cow::Owned(time.to_string().into_bytes()),
            Self::Group(id) => Cow::Owned(id.with_digits(32).into_bytes()),
        }
    }

    /// Whether the test holds for this value. [`Test::Differs`] is about all values of a field and asks here for equality.
    pub(crate) fn meets(&self, test: &Test) -> bool {
        if matches!(self, Self::Null) {
            return match test {
                Test::Present => true,
                Test::Equals(Literal::Plain(text)) | Test::Differs(Literal::Plain(text)) => text == "null",
                _ => false,
            };
        }
        match test {
            Test::Present => true,
            Test::Contains(needle) => needle.is_in(&self.bytes()),
            Test::Matches(regex) => regex.is_match(&self.bytes()),
            Test::Equals(literal) | Test::Differs(literal) => self.equals(literal),
            Test::Order(order, limit) => self.order(limit).is_some_and(|found| order.holds(found)),
        }
    }

    fn equals(&self, literal: &Literal) -> bool {
        match literal {
            Literal::Quoted(text) | Literal::Plain(text) if let Self::Group(id) = self => id.is_named(text),
            Literal::Quoted(text) => matches!(self, Self::Text(bytes) if bytes[..] == *text.as_bytes()),
            Literal::Plain(text) => {
                let same_number = || match self {
                    Self::Number(number) => {
                        Decimal::parse(number).is_some_and(|mine| Decimal::parse(text) == Some(mine))
                    }
                    _ => false,
                };
                self.bytes()[..] == *text.as_bytes() || same_number()
            }
            Literal::Typed(limit) => self.order(limit).is_some_and(std::cmp::Ordering::is_eq),
        }
    }

    fn order(&self, limit: &Limit) -> Option<std::cmp::Ordering> {
        match (limit, self) {
            (Limit::Text(bound), Self::Time(time)) => Some(time.cmp(&bound.time?)),
            (Limit::Text(bound), _) => bound.order_of(std::str::from_utf8(&self.bytes()).ok()?),
            (Limit::Number(number), Self::Number(mine)) => Some(Decimal::parse(mine)?.cmp(&Decimal::parse(number)?)),
            (Limit::Duration(limit), Self::Duration(mine)) => Some(mine.cmp(limit)),
            (Limit::Time(limit), Self::Time(mine)) => Some(mine.cmp(limit)),
            _ => None,
        }
    }
}
