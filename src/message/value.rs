//! Header and property values with their exact types, and the ordered list that holds them.
//!
//! The common types of all brokers are plain ([`Value::Bytes`], [`Value::Bool`], [`Value::Int`], null); what only
//! one broker has keeps that broker's type ([`Value::Amqp`], [`Value::Sqs`]), so that a replay writes what was read.

use bytes::Bytes;

use super::hash::Hasher;

/// The value of a header or property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A Kafka null header, an AMQP void.
    Null,
    /// Text or bytes: a Kafka header, an AMQP long string. Text is UTF-8.
    Bytes(Bytes),
    /// An AMQP boolean.
    Bool(bool),
    /// A whole number with no narrower type: an AMQP `long long int`, an integer property.
    Int(i64),
    /// Any other AMQP field type.
    Amqp(Amqp),
    /// An SQS message attribute other than a plain `String`: its data type with any custom suffix, and its value.
    Sqs {
        /// `Number`, `Binary`, `String.suffix` …
        data_type: String,
        /// The text or the decoded binary value.
        value: Bytes,
    },
}

/// The AMQP 0-9-1 field types that [`Value`] has no plain form for (RabbitMQ's own list of field types).
/// Floating point values are kept as bits, so that every NaN survives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Amqp {
    /// `b`, signed 8 bits.
    I8(i8),
    /// `B`, unsigned 8 bits.
    U8(u8),
    /// `s`, signed 16 bits.
    I16(i16),
    /// `u`, unsigned 16 bits.
    U16(u16),
    /// `I`, signed 32 bits.
    I32(i32),
    /// `i`, unsigned 32 bits.
    U32(u32),
    /// `f`, IEEE 754 single, as bits.
    F32(u32),
    /// `d`, IEEE 754 double, as bits.
    F64(u64),
    /// `D`: `value / 10^scale`.
    Decimal {
        /// Digits after the point.
        scale: u8,
        /// The digits.
        value: u32,
    },
    /// A short string; few clients write one into a table.
    ShortString(String),
    /// `T`, seconds since 1970, unsigned.
    Timestamp(u64),
    /// `x`, a byte array (a long string is [`Value::Bytes`]).
    ByteArray(Bytes),
    /// `A`, a list of values of any type.
    Array(Vec<Value>),
    /// `F`, a nested table.
    Table(Fields),
}

impl Value {
    /// Text as a value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Bytes(Bytes::from(text.into()))
    }

    /// The text, where the value is UTF-8 text or an AMQP short string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Bytes(bytes) | Self::Sqs { value: bytes, .. } => std::str::from_utf8(bytes).ok(),
            Self::Amqp(Amqp::ShortString(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether it is that text: [`Value::as_str`] without a look at longer ones.
    #[must_use]
    pub fn is_str(&self, text: &str) -> bool {
        match self {
            Self::Bytes(bytes) | Self::Sqs { value: bytes, .. } => bytes == text.as_bytes(),
            Self::Amqp(Amqp::ShortString(value)) => value == text,
            _ => false,
        }
    }

    /// The value as a whole number, where it is one of any width.
    #[must_use]
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Amqp(Amqp::I8(n)) => Some((*n).into()),
            Self::Amqp(Amqp::U8(n)) => Some((*n).into()),
            Self::Amqp(Amqp::I16(n)) => Some((*n).into()),
            Self::Amqp(Amqp::U16(n)) => Some((*n).into()),
            Self::Amqp(Amqp::I32(n)) => Some((*n).into()),
            Self::Amqp(Amqp::U32(n)) => Some((*n).into()),
            Self::Amqp(Amqp::Timestamp(n)) => i64::try_from(*n).ok(),
            _ => None,
        }
    }

    /// Bytes of text or data in it, nested values included.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Null => 0,
            Self::Bytes(bytes) | Self::Sqs { value: bytes, .. } | Self::Amqp(Amqp::ByteArray(bytes)) => bytes.len(),
            Self::Amqp(Amqp::ShortString(text)) => text.len(),
            Self::Amqp(Amqp::Array(values)) => values.iter().map(Self::size).sum(),
            Self::Amqp(Amqp::Table(fields)) => fields.iter().map(|(name, value)| name.len() + value.size()).sum(),
            Self::Bool(_) | Self::Int(_) | Self::Amqp(_) => 8,
        }
    }

    fn hash_into(&self, hasher: &mut Hasher) {
        // Each type starts with its own tag and lengths come before data, so that no two values share a form.
        match self {
            Self::Null => _ = hasher.update(b"0"),
            Self::Bytes(bytes) => hash_bytes(hasher, b'S', bytes),
            Self::Bool(flag) => _ = hasher.update(&[b't', u8::from(*flag)]),
            Self::Int(n) => hash_bytes(hasher, b'l', &n.to_be_bytes()),
            Self::Sqs { data_type, value } => {
                hash_bytes(hasher, b'q', data_type.as_bytes());
                hash_bytes(hasher, b'Q', value);
            }
            Self::Amqp(amqp) => match amqp {
                Amqp::I8(n) => hash_bytes(hasher, b'b', &n.to_be_bytes()),
                Amqp::U8(n) => hash_bytes(hasher, b'B', &n.to_be_bytes()),
                Amqp::I16(n) => hash_bytes(hasher, b's', &n.to_be_bytes()),
                Amqp::U16(n) => hash_bytes(hasher, b'u', &n.to_be_bytes()),
                Amqp::I32(n) => hash_bytes(hasher, b'I', &n.to_be_bytes()),
                Amqp::U32(n) => hash_bytes(hasher, b'i', &n.to_be_bytes()),
                Amqp::F32(bits) => hash_bytes(hasher, b'f', &bits.to_be_bytes()),
                Amqp::F64(bits) => hash_bytes(hasher, b'd', &bits.to_be_bytes()),
                Amqp::Decimal { scale, value } => {
                    let [a, b, c, d] = value.to_be_bytes();
                    hash_bytes(hasher, b'D', &[*scale, a, b, c, d]);
                }
                Amqp::ShortString(text) => hash_bytes(hasher, b'h', text.as_bytes()),
                Amqp::Timestamp(seconds) => hash_bytes(hasher, b'T', &seconds.to_be_bytes()),
                Amqp::ByteArray(bytes) => hash_bytes(hasher, b'x', bytes),
                Amqp::Array(values) => {
                    hash_bytes(hasher, b'A', &(values.len() as u64).to_be_bytes());
                    for value in values {
                        value.hash_into(hasher);
                    }
                }
                Amqp::Table(fields) => fields.hash_into(hasher),
            },
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

fn hash_bytes(hasher: &mut Hasher, tag: u8, bytes: &[u8]) {
    let mut head = [0; 9];
    head[0] = tag;
    head[1..].copy_from_slice(&(bytes.len() as u64).to_be_bytes());
    hasher.update(&head).update(bytes);
}

pub(super) fn hash_optional(hasher: &mut Hasher, bytes: Option<&[u8]>) {
    match bytes {
        None => _ = hasher.update(b"0"),
        Some(bytes) => hash_bytes(hasher, b'S', bytes),
    }
}

/// The name of a field. One of up to 24 bytes, as most are, takes no memory beside the field's own: names are read and
/// freed by the million.
pub type Name = compact_str::CompactString;

/// Names and values in their order, duplicates kept: headers, properties, metadata, AMQP tables.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Fields(Vec<(Name, Value)>);

impl Fields {
    /// No fields.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Appends a field, also where the name is there already.
    pub fn push(&mut self, name: impl Into<Name>, value: impl Into<Value>) {
        self.0.push((name.into(), value.into()));
    }

    /// The first value of that exact name.
    #[must_use]
    pub fn get<'a>(&'a self, name: &str) -> Option<&'a Value> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// Every value of that exact name, in order.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, value)| value)
    }

    /// The first value of that name as text.
    #[must_use]
    pub fn get_str(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Keeps the fields for which `keep` is true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        self.0.retain(|(name, value)| keep(name, value));
    }

    /// The fields in order.
    pub fn iter(&self) -> std::slice::Iter<'_, (Name, Value)> {
        self.0.iter()
    }

    /// How many fields there are, duplicates counted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn hash_into(&self, hasher: &mut Hasher) {
        hash_bytes(hasher, b'F', &(self.0.len() as u64).to_be_bytes());
        for (name, value) in &self.0 {
            hash_bytes(hasher, b'n', name.as_bytes());
            value.hash_into(hasher);
        }
    }
}

impl<N: Into<Name>, V: Into<Value>> FromIterator<(N, V)> for Fields {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        Self(fields.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<'a> IntoIterator for &'a Fields {
    type Item = &'a (Name, Value);
    type IntoIter = std::slice::Iter<'a, (Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl IntoIterator for Fields {
    type Item = (Name, Value);
    type IntoIter = std::vec::IntoIter<(Name, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
