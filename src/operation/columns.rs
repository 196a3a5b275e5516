//! Columns of a list of messages: what each shows of a message, by the names that the screens and `browse --columns`
//! share. Limits: what a profile hides must be hidden before; a cell is one line of at most some thousand characters.

use jiff::Timestamp;

use super::glance::{key, place, preview, reason};
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::filter::{Candidate, Pick};
use crate::message::fingerprint::Rules;
use crate::text::{human, one_line};

/// The names of the columns that are no fields of the filter language, or more than those.
pub const COLUMNS: [&str; 8] = ["age", "time", "queue", "id", "key", "why", "body", "size"];

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// How long ago it died, or was published.
    Age,
    /// When that was.
    Time,
    /// The queue that it was read from.
    Queue,
    /// Its place in a log, else its id.
    Id,
    /// Its key.
    Key,
    /// Why it died.
    Why,
    /// The beginning of its payload, decoded.
    Body,
    /// Its size.
    Size,
    /// A field of the filter language: its first value.
    Field(Pick),
}

impl Column {
    /// Reads a column's name: one of [`COLUMNS`], or a field such as `header.tenant` or `body.total`.
    ///
    /// # Errors
    /// `Usage`, with the nearest field as the hint.
    pub fn parse(name: &str) -> Result<Self> {
        Ok(match name.trim() {
            "age" => Self::Age,
            "time" => Self::Time,
            "queue" => Self::Queue,
            "id" => Self::Id,
            "key" => Self::Key,
            "why" => Self::Why,
            "body" => Self::Body,
            "size" => Self::Size,
            "" => {
                return Err(Error::new(ErrorKind::Usage, "a column has no name").hint("write them with commas between"));
            }
            name => Self::Field(Pick::parse(name).map_err(|_| unknown(name))?),
        })
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Age => "age",
            Self::Time => "time",
            Self::Queue => "queue",
            Self::Id => "id",
            Self::Key => "key",
            Self::Why => "why",
            Self::Body => "body",
            Self::Size => "size",
            Self::Field(field) => field.name(),
        }
    }

    /// Whether it is text that may be cut where there is little room.
    #[must_use]
    pub const fn is_elastic(&self) -> bool {
        matches!(self, Self::Why | Self::Body | Self::Field(_))
    }

    /// Whether it is aligned right.
    #[must_use]
    pub const fn is_right(&self) -> bool {
        matches!(self, Self::Age | Self::Size)
    }

    /// What it shows of a message, of which a preview has `width` cells; `None` where the message has nothing of the
    /// kind. Ages are counted from `now`.
    #[must_use]
    pub fn cell(&self, message: &Message, width: usize, now: Timestamp, rules: &Rules) -> Option<String> {
        match self {
            Self::Age => message.time.map(|time| human::age(time, now)),
            Self::Time => message.time.map(human::time),
            Self::Queue => {
                let read = message.address.parse::<Address>().ok().and_then(|address| address.target);
                Some(read.map_or_else(|| one_line(&message.address), |target| one_line(&target.to_string())))
                    .filter(|name| !name.is_empty())
            }
            Self::Id => Some(message.position.map_or_else(|| one_line(&message.id), place)),
            Self::Key => key(message, rules.schemas()),
            Self::Why => detect(message).map(|failure| reason(&failure)),
            Self::Body => Some(preview(message, width, rules.schemas()).text),
            Self::Size => Some(human::size(message.size())),
            Self::Field(field) => field.value(&Candidate::new(message).with_rules(rules)).map(|value| one_line(&value)),
        }
    }
}

fn unknown(name: &str) -> Error {
    let error = Error::new(ErrorKind::Usage, format!("there is no column {name:?}"));
    let fields = ["attempts", "class", "format", "group", "offset", "origin", "partition", "reason", "shape", "type"];
    match nearest(name, COLUMNS.into_iter().chain(fields)) {
        Some(near) => error.hint(format!("did you mean {near}?")),
        None => error.hint(format!(
            "columns are {}, and fields of the filter language such as class, header.tenant and body.total",
            COLUMNS.join(", ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_its_name_and_a_field_is_one_too() {
        for name in COLUMNS.into_iter().chain(["header.tenant", "body.order.total"]) {
            assert_eq!(Column::parse(name).unwrap().name(), name);
        }
        for name in ["", "tenant", "clas"] {
            assert_eq!(Column::parse(name).unwrap_err().kind(), ErrorKind::Usage, "{name}");
        }
    }

    #[test]
    fn a_cell_is_one_safe_line_and_nothing_where_there_is_nothing() {
        let message = Message {
            address: "shop:orders.dlq".into(),
            payload: Some("{\n\"total\": 17\n}".into()),
            ..Message::default()
        };
        let cell =
            |name: &str| Column::parse(name).unwrap().cell(&message, 80, Timestamp::UNIX_EPOCH, &Rules::default());
        assert_eq!(cell("queue").as_deref(), Some("orders.dlq"));
        assert_eq!(cell("body").as_deref(), Some("{ \"total\": 17 }"));
        assert_eq!(cell("body.total").as_deref(), Some("17"));
        assert_eq!([cell("time"), cell("key"), cell("header.tenant"), cell("why")], [None, None, None, None]);
    }
}
