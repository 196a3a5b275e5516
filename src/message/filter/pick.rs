//! One field of a message by the name that filters give it: what groups are made by.

use jiff::Timestamp;

use super::candidate::Candidate;
use super::datum::Datum;
use super::evaluate::any;
use super::expression::{Expression, Field, Test};
use super::parse;
use crate::error::{Error, ErrorKind, Result};

/// A field such as `header.tenant`, `body.order.currency`, `key`, `class`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    name: String,
    field: Field,
}

impl Pick {
    /// Reads a field's name.
    ///
    /// # Errors
    /// `Usage`, where it is no field's name; with the nearest one as the hint.
    pub fn parse(name: &str) -> Result<Self> {
        let name = name.trim();
        // A filter that asks for the field's presence is the field and nothing else.
        let presence = format!("{name}:*");
        match parse::parse(&presence, Timestamp::UNIX_EPOCH).map_err(|fault| fault.into_error(&presence))? {
            Expression::Test(field, Test::Present) => Ok(Self { name: name.to_owned(), field }),
            _ => Err(Error::new(ErrorKind::Usage, format!("{name:?} is no field"))
                .hint("name one, such as header.tenant, body.order.currency, key or class")),
        }
    }

    /// The name as it was typed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it looks at.
    pub(crate) fn into_field(self) -> Field {
        self.field
    }

    /// Whether it is the group, which nothing that makes groups may ask for.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.field == Field::Group
    }

    /// The field's first value as text, a null as `null`; bytes that are not UTF-8 are replaced. Ages are counted from
    /// 1970.
    #[must_use]
    pub fn value(&self, candidate: &Candidate<'_>) -> Option<String> {
        let mut value = None;
        any(&self.field, candidate, Timestamp::UNIX_EPOCH, &mut |datum| {
            value = Some(match datum {
                Datum::Null => "null".to_owned(),
                datum => String::from_utf8_lossy(&datum.bytes()).into_owned(),
            });
            true
        });
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Fields, Message};

    #[test]
    fn a_field_is_picked_by_the_name_that_filters_give_it() {
        let message = Message {
            headers: Fields::from_iter([("tenant", "acme")]),
            payload: Some(r#"{"order":{"currency":"EUR","n":17,"paid":null,"note":""}}"#.into()),
            ..Message::default()
        };
        let candidate = Candidate::new(&message);
        for (name, want) in [
            ("header.tenant", Some("acme")),
            ("body.order.currency", Some("EUR")),
            (" body.order.n ", Some("17")),
            ("body.order.paid", Some("null")),
            ("body.order.note", Some("")),
            ("header.other", None),
            ("key", None),
        ] {
            assert_eq!(Pick::parse(name).unwrap().value(&candidate).as_deref(), want, "{name}");
        }
    }

    #[test]
    fn what_is_no_field_is_refused() {
        for name in ["", "tenant", "clas", "class:x or key", "-class", "body.", "\"x\""] {
            assert_eq!(Pick::parse(name).unwrap_err().kind(), ErrorKind::Usage, "{name}");
        }
    }
}
