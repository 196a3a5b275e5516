//! A line as a message: typed, without a tree in between, and with errors that name the field.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::{MAX_DEPTH, SCHEMA, written};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Amqp, Fields, Message, Position, Value};

/// Base64 with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Reads one line; a line end behind it is allowed. The caller knows the line's number and adds it.
///
/// # Errors
/// `Invalid`, naming the field, where it is no JSON object, a field has the wrong type, base64 is bad, the payload is
/// missing, or the schema is another one.
pub fn read_line(line: &[u8]) -> Result<Message> {
    let text = std::str::from_utf8(line)
        .map_err(|error| invalid(format!("the line is not UTF-8 at byte {}", error.valid_up_to() + 1)))?;
    if let Some(message) = written::read(text) {
        return Ok(message);
    }
    let place = Cell::new(None);
    let mut json = serde_json::Deserializer::from_str(text);
    LineSeed { place: &place }.deserialize(&mut json).and_then(|message| json.end().map(|()| message)).map_err(
        |error: serde_json::Error| {
            let field = place.get().map_or_else(String::new, |field: Field| format!("field {:?}: ", field.name()));
            let at = match error.column() {
                0 => String::new(),
                column => format!(" (byte {column} of the line)"),
            };
            invalid(format!("{field}{}{at}", reason(&error)))
        },
    )
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message)
}

/// What a JSON error says, without its position, which is the line's business.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) if error.line() > 0 => text.get(..at).unwrap_or(&text).to_owned(),
        _ => text,
    }
}

/// The fields of a line.
#[derive(Clone, Copy, Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Schema,
    Address,
    Id,
    Position,
    Time,
    Key,
    Headers,
    Properties,
    Metadata,
    Payload,
    Deliveries,
    #[serde(other)]
    Unknown,
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Address => "address",
            Self::Id => "id",
            Self::Position => "position",
            Self::Time => "time",
            Self::Key => "key",
            Self::Headers => "headers",
            Self::Properties => "properties",
            Self::Metadata => "metadata",
            Self::Payload => "payload",
            Self::Deliveries => "deliveries",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads the object and leaves in `place` the field in which it failed.
struct LineSeed<'p> {
    place: &'p Cell<Option<Field>>,
}

impl<'de> DeserializeSeed<'de> for LineSeed<'_> {
    type Value = Message;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Message, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LineSeed<'_> {
    type Value = Message;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of {SCHEMA}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Message, A::Error> {
        let mut message = Message::default();
        let mut seen = 0_u32;
        while let Some(field) = object.next_key::<Field>()? {
            if matches!(field, Field::Unknown) {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            self.place.set(Some(field));
            let bit = 1 << field as u32;
            if seen & bit != 0 {
                return Err(A::Error::custom("it occurs twice"));
            }
            seen |= bit;
            match field {
                Field::Schema => match object.next_value::<Option<Name<'_>>>()? {
                    Some(Name(schema)) if schema != SCHEMA => {
                        return Err(A::Error::custom(format_args!("{schema:?} is not {SCHEMA:?}")));
                    }
                    _ => {}
                },
                Field::Address => {
                    message.address = object.next_value::<Option<Name<'_>>>()?.map_or_else(Arc::default, Name::shared);
                }
                Field::Id => message.id = object.next_value::<Option<String>>()?.unwrap_or_default(),
                Field::Position => {
                    message.position = object.next_value::<Option<Place>>()?.map(Position::from);
                }
                Field::Time => message.time = object.next_value::<Option<Timestamp>>()?,
                Field::Key => message.key = object.next_value::<Text>()?.0,
                Field::Headers => message.headers = object.next_value_seed(FieldsSeed { depth: 0 })?,
                Field::Properties => message.properties = object.next_value_seed(FieldsSeed { depth: 0 })?,
                Field::Metadata => message.metadata = object.next_value_seed(FieldsSeed { depth: 0 })?,
                Field::Payload => message.payload = object.next_value::<Text>()?.0,
                Field::Deliveries => message.deliveries = object.next_value::<Option<u64>>()?,
                Field::Unknown => {}
            }
            self.place.set(None);
        }
        if seen & (1 << Field::Payload as u32) == 0 {
            return Err(A::Error::custom("the line has no \"payload\"; no payload at all is \"payload\":null"));
        }
        Ok(message)
    }
}

/// `position` as it is written.
#[derive(Deserialize)]
pub(super) struct Place {
    partition: Option<i32>,
    offset: u64,
}

impl From<Place> for Position {
    fn from(Place { partition, offset }: Place) -> Self {
        Self { partition, offset }
    }
}

/// A string that is borrowed wherever it has no escapes.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl Name<'_> {
    fn shared(self) -> Arc<str> {
        Arc::from(&*self.0)
    }
}

/// A payload, a key or a byte array.
pub(super) struct Text(pub(super) Option<Bytes>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{\"utf8\":…}, {\"base64\":…}, a string or null")
    }

    fn visit_unit<E>(self) -> Result<Text, E> {
        Ok(Text(None))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text, E> {
        Ok(Text(Some(Bytes::copy_from_slice(text.as_bytes()))))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Text, A::Error> {
        #[derive(Deserialize)]
        #[serde(field_identifier, rename_all = "snake_case")]
        enum Form {
            Utf8,
            Base64,
            #[serde(other)]
            Unknown,
        }
        let mut found = None;
        while let Some(form) = object.next_key::<Form>()? {
            let bytes = match form {
                Form::Utf8 => object.next_value::<String>()?.into(),
                Form::Base64 => object.next_value::<Base64>()?.0,
                Form::Unknown => {
                    object.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            if found.replace(bytes).is_some() {
                return Err(A::Error::custom("it has more than one of \"utf8\" and \"base64\""));
            }
        }
        match found {
            Some(bytes) => Ok(Text(Some(bytes))),
            None => Err(A::Error::custom("expected {\"utf8\":…}, {\"base64\":…}, a string or null")),
        }
    }
}

/// Bytes written as base64.
struct Base64(Bytes);

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Decode;
        impl Visitor<'_> for Decode {
            type Value = Base64;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string of base64")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Base64, E> {
                let bytes = BASE64.decode(text).map_err(|error| E::custom(format_args!("bad base64: {error}")))?;
                Ok(Base64(bytes.into()))
            }
        }
        json.deserialize_str(Decode)
    }
}

/// Headers, properties, metadata or a table: an object, pairs, or null for none.
struct FieldsSeed {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for FieldsSeed {
    type Value = Fields;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Fields, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for FieldsSeed {
    type Value = Fields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of [name, value] pairs")
    }

    fn visit_unit<E>(self) -> Result<Fields, E> {
        Ok(Fields::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, raw)) = pairs.next_element::<(String, &RawValue)>()? {
            let value = named(&name, raw, self.depth)?;
            fields.push(name, value);
        }
        Ok(fields)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Fields, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, raw)) = object.next_entry::<String, &RawValue>()? {
            let value = named(&name, raw, self.depth)?;
            fields.push(name, value);
        }
        Ok(fields)
    }
}

fn named<E: serde::de::Error>(name: &str, raw: &RawValue, depth: usize) -> Result<Value, E> {
    read_value(raw.get(), depth).map_err(|why| E::custom(format_args!("{name:?}: {why}")))
}

/// A value that names its type.
#[derive(Deserialize)]
struct Typed<'a> {
    amqp: Option<String>,
    sqs: Option<String>,
    utf8: Option<String>,
    base64: Option<Base64>,
    bits: Option<String>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// Reads a value; `depth` counts the arrays and tables around it. The error says what is wrong, for a sentence that
/// begins with the field.
pub(super) fn read_value(json: &str, depth: usize) -> Result<Value, String> {
    match json.as_bytes() {
        [b'"', ..] => parse(json).map(|text: String| Value::Bytes(text.into())),
        [b'{', ..] => read_typed(parse(json)?, depth),
        b"null" => Ok(Value::Null),
        b"true" => Ok(Value::Bool(true)),
        b"false" => Ok(Value::Bool(false)),
        [b'[', ..] => Err("a list is written {\"amqp\":\"array\",\"value\":[…]}".to_owned()),
        _ => json.parse().map(Value::Int).map_err(|_| {
            format!(
                "{json} is not a whole number of 64 bits; others name their type: {{\"amqp\":\"double\",\"value\":1.5}}"
            )
        }),
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T, String> {
    serde_json::from_str(json).map_err(|error| reason(&error))
}

fn read_typed(typed: Typed<'_>, depth: usize) -> Result<Value, String> {
    let bytes = match (typed.utf8, typed.base64) {
        (Some(text), None) => Some(Bytes::from(text)),
        (None, Some(bytes)) => Some(bytes.0),
        (None, None) => None,
        (Some(_), Some(_)) => return Err("it has both \"utf8\" and \"base64\"".to_owned()),
    };
    match (typed.amqp, typed.sqs, bytes) {
        (None, None, Some(bytes)) => Ok(Value::Bytes(bytes)),
        (None, Some(data_type), Some(value)) => Ok(Value::Sqs { data_type, value }),
        (None, Some(_), None) => Err("an \"sqs\" value needs \"utf8\" or \"base64\"".to_owned()),
        (Some(kind), None, None) => {
            if let Some(bits) = typed.bits {
                return read_bits(&kind, &bits).map(Value::Amqp);
            }
            let value = typed.value.ok_or_else(|| format!("the \"amqp\" value of type {kind:?} has no \"value\""))?;
            read_amqp(&kind, value.get(), depth).map(Value::Amqp)
        }
        _ => Err("an object here has one of \"utf8\", \"base64\", \"amqp\" and \"sqs\"".to_owned()),
    }
}

fn read_bits(kind: &str, bits: &str) -> Result<Amqp, String> {
    let digits = |count| bits.len() == count && bits.bytes().all(|digit| digit.is_ascii_hexdigit());
    let bad = || format!("{bits:?} is not the bits of a {kind:?} in hex digits (float: 8, double: 16)");
    match kind {
        "float" if digits(8) => u32::from_str_radix(bits, 16).map(Amqp::F32).map_err(|_| bad()),
        "double" if digits(16) => u64::from_str_radix(bits, 16).map(Amqp::F64).map_err(|_| bad()),
        _ => Err(bad()),
    }
}

fn read_amqp(kind: &str, json: &str, depth: usize) -> Result<Amqp, String> {
    #[derive(Deserialize)]
    struct Decimal {
        scale: u8,
        value: u32,
    }
    // Numbers are parsed from their own text, so that no width or digit is lost on the way.
    fn number<T: std::str::FromStr>(kind: &str, json: &str) -> Result<T, String> {
        json.parse().map_err(|_| format!("{json} is not a number of type {kind:?}"))
    }
    if depth >= MAX_DEPTH {
        return Err(format!("arrays and tables nest deeper than {MAX_DEPTH}"));
    }
    let too_large = || format!("{json} is too large for {kind:?}; infinity is written by its \"bits\"");
    Ok(match kind {
        "i8" => Amqp::I8(number(kind, json)?),
        "u8" => Amqp::U8(number(kind, json)?),
        "i16" => Amqp::I16(number(kind, json)?),
        "u16" => Amqp::U16(number(kind, json)?),
        "i32" => Amqp::I32(number(kind, json)?),
        "u32" => Amqp::U32(number(kind, json)?),
        "timestamp" => Amqp::Timestamp(number(kind, json)?),
        "float" => match number::<f32>(kind, json)? {
            finite if finite.is_finite() => Amqp::F32(finite.to_bits()),
            _ => return Err(too_large()),
        },
        "double" => match number::<f64>(kind, json)? {
            finite if finite.is_finite() => Amqp::F64(finite.to_bits()),
            _ => return Err(too_large()),
        },
        "decimal" => {
            let Decimal { scale, value } = parse(json)?;
            Amqp::Decimal { scale, value }
        }
        "short_string" => Amqp::ShortString(parse(json)?),
        "bytes" => match parse::<Text>(json)?.0 {
            Some(bytes) => Amqp::ByteArray(bytes),
            None => return Err("a byte array can't be null".to_owned()),
        },
        "array" => {
            let items: Vec<&RawValue> = parse(json)?;
            Amqp::Array(items.into_iter().map(|item| read_value(item.get(), depth + 1)).collect::<Result<_, _>>()?)
        }
        "table" => {
            let mut nested = serde_json::Deserializer::from_str(json);
            Amqp::Table(FieldsSeed { depth: depth + 1 }.deserialize(&mut nested).map_err(|error| reason(&error))?)
        }
        _ => return Err(format!("{kind:?} is not a type of AMQP values")),
    })
}
