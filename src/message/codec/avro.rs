//! Avro: values by a writer's schema, and container files, which bring it along.
//!
//! The schema is parsed by its library; the bytes are walked here, for a payload may claim arrays of any length and
//! nest as deep as it is long. Limits: [`MAX_DEPTH`] deep, [`MAX_VALUES`] values, and never more than the bytes say.

use std::collections::HashMap;

use apache_avro::schema::{InnerDecimalSchema, RecordSchema, Schema as Avro, UuidSchema};
use serde_json::{Map, Value};

use super::compressed::Compression;
use super::{Limits, Schema, SchemaId, tree};

/// Records, arrays, maps and unions within each other.
const MAX_DEPTH: usize = 64;
/// Values in one payload: an array of nulls takes no bytes.
const MAX_VALUES: usize = 1 << 18;
/// Bytes of a schema's text times the types that it names at most.
const MAX_COPIES: usize = 64 << 20;
/// The first bytes of a single object, before the fingerprint of its schema.
const SINGLE_OBJECT: [u8; 2] = [0xC3, 0x01];
/// The first bytes of a container file.
pub(super) const CONTAINER: &[u8] = b"Obj\x01";
/// What parts the blocks of a container, in bytes.
const SYNC: usize = 16;

/// A parsed schema, with the types that it names.
pub(crate) struct AvroSchema {
    root: Avro,
    types: HashMap<String, Avro>,
    name: String,
}

impl std::fmt::Debug for AvroSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("AvroSchema").field(&self.name).finish()
    }
}

impl AvroSchema {
    /// Parses a schema, with the schemas that it refers to.
    ///
    /// # Errors
    /// Why it is none.
    pub(crate) fn parse(text: &str, references: &[String]) -> Result<Self, String> {
        let bad = |error: apache_avro::Error| format!("its Avro schema can't be read: {error}");
        let (root, others) = if references.is_empty() {
            (Avro::parse_str(text).map_err(bad)?, Vec::new())
        } else {
            Avro::parse_str_with_list(text, references).map_err(bad)?
        };
        let mut types = HashMap::new();
        let all = || others.iter().chain([&root]);
        all().for_each(|schema| references_in(schema, &mut types));
        // Each is a copy, and a type may hold all others.
        let bytes = text.len() + references.iter().map(String::len).sum::<usize>();
        if bytes.saturating_mul(types.len()) > MAX_COPIES {
            return Err(format!("its Avro schema is too large: {bytes} bytes with {} types by name", types.len()));
        }
        all().for_each(|schema| collect(schema, &mut types));
        let types = types.into_iter().filter_map(|(name, schema)| Some((name, schema?))).collect();
        let name = root.name().map(|name| name.fullname(None)).unwrap_or_default();
        Ok(Self { root, types, name })
    }
}

/// The schemas within one.
fn children(schema: &Avro) -> Vec<&Avro> {
    match schema {
        Avro::Record(record) => record.fields.iter().map(|field| &field.schema).collect(),
        Avro::Array(array) => vec![&array.items],
        Avro::Map(map) => vec![&map.types],
        Avro::Union(union) => union.variants().iter().collect(),
        _ => Vec::new(),
    }
}

/// Notes every name that stands for a type.
fn references_in(schema: &Avro, types: &mut HashMap<String, Option<Avro>>) {
    if let Avro::Ref { name } = schema {
        types.insert(name.fullname(None), None);
    }
    for child in children(schema) {
        references_in(child, types);
    }
}

/// Keeps the types that names stand for.
fn collect(schema: &Avro, types: &mut HashMap<String, Option<Avro>>) {
    if let Some(name) = schema.name()
        && !matches!(schema, Avro::Ref { .. })
        && let Some(kept) = types.get_mut(&name.fullname(None))
    {
        *kept = Some(schema.clone());
    }
    for child in children(schema) {
        collect(child, types);
    }
}

impl Schema for AvroSchema {
    fn format(&self) -> &'static str {
        "avro"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn decode(&self, data: &[u8], _id: Option<SchemaId>, _limits: &Limits) -> Result<Value, String> {
        let body = match data.strip_prefix(&SINGLE_OBJECT) {
            Some(rest) => rest.get(8..).ok_or("it is cut")?,
            None => data,
        };
        let mut walk = Walk { types: &self.types, rest: body, values: 0 };
        let value = walk.value(&self.root, 0)?;
        if walk.rest.is_empty() { Ok(value) } else { Err(format!("{} bytes are left over", walk.rest.len())) }
    }
}

/// The records of a container file, as one list.
///
/// # Errors
/// Why it is none, in a few words.
pub(super) fn container(data: &[u8], limits: &Limits) -> Result<Value, String> {
    let none = HashMap::new();
    let rest = data.strip_prefix(CONTAINER).ok_or("it is no container")?;
    let mut walk = Walk { types: &none, rest, values: 0 };
    let mut head: HashMap<&[u8], &[u8]> = HashMap::new();
    walk.blocks(|walk| {
        walk.count()?;
        head.insert(walk.run()?, walk.run()?);
        Ok(())
    })?;
    let text =
        head.get(&b"avro.schema"[..]).and_then(|text| std::str::from_utf8(text).ok()).ok_or("it has no schema")?;
    let schema = AvroSchema::parse(text, &[])?;
    let compression = match head.get(&b"avro.codec"[..]).copied().unwrap_or(b"null") {
        b"null" => None,
        b"deflate" => Some(Compression::Deflate),
        b"snappy" => Some(Compression::SnappyRaw),
        b"zstandard" => Some(Compression::Zstd),
        other => return Err(format!("its codec {} is not known here", String::from_utf8_lossy(other))),
    };
    let sync = walk.take(SYNC)?;
    let (mut records, mut bytes) = (Vec::new(), 0);
    while !walk.rest.is_empty() {
        let count = walk.long()?;
        let mut block = walk.run()?;
        if walk.take(SYNC)? != sync {
            return Err("a block is cut".to_owned());
        }
        let unpacked = match compression {
            None => None,
            Some(compression) => {
                if compression == Compression::SnappyRaw {
                    // A checksum of four bytes comes behind it.
                    block = block.split_last_chunk::<4>().ok_or("a block is cut")?.0;
                }
                Some(compression.decode(block, limits)?)
            }
        };
        let block = unpacked.as_deref().unwrap_or(block);
        bytes += block.len();
        if bytes > limits.bytes {
            return Err(format!("it grows beyond {} bytes", limits.bytes));
        }
        let mut inner = Walk { types: &schema.types, rest: block, values: walk.values };
        for _ in 0..count {
            records.push(inner.value(&schema.root, 0)?);
        }
        if !inner.rest.is_empty() {
            return Err(format!("{} bytes are left over in a block", inner.rest.len()));
        }
        walk.values = inner.values;
    }
    Ok(Value::Array(records))
}

struct Walk<'a> {
    types: &'a HashMap<String, Avro>,
    rest: &'a [u8],
    values: usize,
}

impl<'a> Walk<'a> {
    fn value(&mut self, schema: &Avro, depth: usize) -> Result<Value, String> {
        if depth > MAX_DEPTH {
            return Err(format!("it nests deeper than {MAX_DEPTH}"));
        }
        self.count()?;
        Ok(match schema {
            Avro::Null => Value::Null,
            Avro::Boolean => match self.take(1)? {
                [0] => false.into(),
                [1] => true.into(),
                _ => return Err("a boolean is neither 0 nor 1".to_owned()),
            },
            Avro::Int | Avro::Date | Avro::TimeMillis => {
                i32::try_from(self.long()?).map_err(|_| "an int is too large".to_owned())?.into()
            }
            Avro::Long
            | Avro::TimeMicros
            | Avro::TimestampMillis
            | Avro::TimestampMicros
            | Avro::TimestampNanos
            | Avro::LocalTimestampMillis
            | Avro::LocalTimestampMicros
            | Avro::LocalTimestampNanos => self.long()?.into(),
            Avro::Float => tree::float(f64::from(f32::from_le_bytes(self.fixed()?))),
            Avro::Double => tree::float(f64::from_le_bytes(self.fixed()?)),
            Avro::Bytes | Avro::BigDecimal | Avro::Uuid(UuidSchema::Bytes) => tree::bytes(self.run()?),
            Avro::String | Avro::Uuid(UuidSchema::String) => text(self.run()?)?,
            Avro::Uuid(UuidSchema::Fixed(_)) => crate::message::codec::uuid(self.fixed()?).into(),
            Avro::Fixed(fixed) | Avro::Duration(fixed) => tree::bytes(self.take(fixed.size)?),
            Avro::Decimal(decimal) => {
                let digits = match &decimal.inner {
                    InnerDecimalSchema::Bytes => self.run()?,
                    InnerDecimalSchema::Fixed(fixed) => self.take(fixed.size)?,
                };
                decimal_text(digits, decimal.scale).map_or_else(|| tree::bytes(digits), Value::String)
            }
            Avro::Enum(names) => {
                let at = usize::try_from(self.long()?).ok();
                let symbol = at.and_then(|at| names.symbols.get(at)).ok_or("an enum has no such symbol")?;
                symbol.clone().into()
            }
            Avro::Union(union) => {
                let at = usize::try_from(self.long()?).ok();
                let variant = at.and_then(|at| union.variants().get(at)).ok_or("a union has no such branch")?;
                self.value(variant, depth + 1)?
            }
            Avro::Record(record) => self.record(record, depth)?,
            Avro::Array(array) => {
                let mut items = Vec::new();
                self.blocks(|walk| {
                    items.push(walk.value(&array.items, depth + 1)?);
                    Ok(())
                })?;
                Value::Array(items)
            }
            Avro::Map(map) => {
                let mut members = Map::new();
                self.blocks(|walk| {
                    let key = String::from_utf8_lossy(walk.run()?).into_owned();
                    members.insert(key, walk.value(&map.types, depth + 1)?);
                    Ok(())
                })?;
                Value::Object(members)
            }
            Avro::Ref { name } => {
                let types = self.types;
                let schema = types.get(&name.fullname(None)).ok_or_else(|| format!("it names no type {name}"))?;
                self.value(schema, depth + 1)?
            }
        })
    }

    /// Counts one more value.
    fn count(&mut self) -> Result<(), String> {
        self.values += 1;
        if self.values > MAX_VALUES { Err(format!("it has more than {MAX_VALUES} values")) } else { Ok(()) }
    }

    fn record(&mut self, record: &RecordSchema, depth: usize) -> Result<Value, String> {
        let mut members = Map::new();
        for field in &record.fields {
            let value = self.value(&field.schema, depth + 1).map_err(|why| format!("{}: {why}", field.name))?;
            members.insert(field.name.clone(), value);
        }
        Ok(Value::Object(members))
    }

    /// The blocks of an array or a map.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), String>) -> Result<(), String> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                // The block's length in bytes, for those who skip it.
                self.long()?;
            }
            for _ in 0..count.unsigned_abs() {
                item(self)?;
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it is cut")?;
        self.rest = rest;
        Ok(taken)
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "it is cut".to_owned())
    }

    /// Bytes with their length before them.
    fn run(&mut self) -> Result<&'a [u8], String> {
        let length = usize::try_from(self.long()?).map_err(|_| "a length is negative".to_owned())?;
        self.take(length)
    }

    /// A zigzag number.
    fn long(&mut self) -> Result<i64, String> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = self.fixed()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok((number >> 1).cast_signed() ^ -(number & 1).cast_signed());
            }
        }
        Err("a number is longer than ten bytes".to_owned())
    }
}

fn text(bytes: &[u8]) -> Result<Value, String> {
    std::str::from_utf8(bytes).map(Value::from).map_err(|_| "a string is not UTF-8".to_owned())
}

/// A big-endian two's complement number with its point; `None` where it is too long to be told.
fn decimal_text(digits: &[u8], scale: usize) -> Option<String> {
    if digits.is_empty() || digits.len() > 16 || scale > 64 {
        return None;
    }
    let negative = digits.first().is_some_and(|byte| *byte >= 0x80);
    let start = if negative { -1_i128 } else { 0 };
    let number = digits.iter().fold(start, |number, byte| (number << 8) | i128::from(*byte));
    let text = format!("{:0>width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, part) = text.split_at(text.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    Some(if scale == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{part}") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ORDER: &str = r#"{"type":"record","name":"Order","namespace":"acme","fields":[
        {"name":"id","type":"long"},{"name":"sku","type":"string"},
        {"name":"note","type":["null","string"]},
        {"name":"lines","type":{"type":"array","items":{"type":"record","name":"Line","fields":[{"name":"n","type":"int"}]}}},
        {"name":"tags","type":{"type":"map","values":"boolean"}},
        {"name":"state","type":{"type":"enum","name":"State","symbols":["NEW","PAID"]}},
        {"name":"total","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},
        {"name":"next","type":["null","acme.Order"]}]}"#;

    fn decode(schema: &str, data: &[u8]) -> Result<Value, String> {
        AvroSchema::parse(schema, &[]).unwrap().decode(data, Some(SchemaId::Number(1)), &Limits::default())
    }

    fn order(next: &[u8]) -> Vec<u8> {
        let mut data = b"\x22\x06A-1\x02\x04hi\x04\x02\x04\x00\x02\x02a\x01\x00\x02\x04\xfb\x2e".to_vec();
        data.extend_from_slice(next);
        data
    }

    #[test]
    fn values_are_read_by_their_schema() {
        let value = decode(ORDER, &order(b"\x00")).unwrap();
        let want = json!({"id": 17, "sku": "A-1", "note": "hi", "lines": [{"n": 1}, {"n": 2}], "tags": {"a": true},
            "state": "PAID", "total": "-12.34", "next": null});
        assert_eq!(value, want);
        assert_eq!(AvroSchema::parse(ORDER, &[]).unwrap().name(), "acme.Order");
        let nested = decode(ORDER, &order(&[&b"\x02"[..], &order(b"\x00")].concat())).unwrap();
        assert_eq!(nested["next"], want);
        let single = [&[0xC3, 1, 0, 0, 0, 0, 0, 0, 0, 0][..], &order(b"\x00")].concat();
        assert_eq!(decode(ORDER, &single).unwrap(), want);
    }

    /// A container of records with one int each, a block of two and one of one.
    fn file(codec: &str, pack: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let long = |n: usize| {
            let (mut zigzag, mut out) = (n << 1, Vec::new());
            while zigzag > 0x7f {
                out.push(u8::try_from(zigzag & 0x7f).unwrap() | 0x80);
                zigzag >>= 7;
            }
            out.push(u8::try_from(zigzag).unwrap());
            out
        };
        let run = |bytes: &[u8]| [&long(bytes.len())[..], bytes].concat();
        let schema = br#"{"type":"record","name":"N","fields":[{"name":"n","type":"int"}]}"#;
        let mut out = [CONTAINER, &long(2), &run(b"avro.schema"), &run(schema)].concat();
        out.extend([&run(b"avro.codec")[..], &run(codec.as_bytes()), &[0], &[7; SYNC]].concat());
        for block in [&b"\x02\x04"[..], b"\x06"] {
            out.extend([&long(block.len())[..], &run(&pack(block)), &[7; SYNC]].concat());
        }
        out
    }

    #[test]
    fn a_container_brings_its_schema_along() {
        let deflate = |block: &[u8]| {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut encoder, block).unwrap();
            encoder.finish().unwrap()
        };
        let snappy = |block: &[u8]| [&snap::raw::Encoder::new().compress_vec(block).unwrap()[..], &[0; 4]].concat();
        let plain = file("null", <[u8]>::to_vec);
        for file in [plain.clone(), file("deflate", deflate), file("snappy", snappy)] {
            assert_eq!(container(&file, &Limits::default()), Ok(json!([{"n": 1}, {"n": 2}, {"n": 3}])));
        }
        for end in 0..plain.len() - 1 {
            let told = container(&plain[..end], &Limits::default());
            assert!(
                told.is_err() || told == Ok(json!([])) || told == Ok(json!([{"n": 1}, {"n": 2}])),
                "{end}: {told:?}"
            );
        }
        let told = container(&file("bzip2", <[u8]>::to_vec), &Limits::default()).unwrap_err();
        assert!(told.contains("bzip2"), "{told}");
        // A head that counts more members than there are bytes ends where they end.
        assert!(container(b"Obj\x01\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", &Limits::default()).is_err());
    }

    #[test]
    fn a_schema_may_refer_to_others() {
        let line = r#"{"type":"record","name":"acme.Line","fields":[{"name":"n","type":"int"}]}"#;
        let order = r#"{"type":"record","name":"acme.Order","fields":[{"name":"line","type":"acme.Line"}]}"#;
        let schema = AvroSchema::parse(order, &[line.to_owned()]).unwrap();
        assert_eq!(schema.decode(b"\x04", None, &Limits::default()), Ok(json!({"line": {"n": 2}})));
        assert!(AvroSchema::parse(order, &[]).unwrap_err().contains("Avro schema can't be read"));
    }

    #[test]
    fn what_does_not_fit_says_why_and_bombs_end_early() {
        let whole = order(b"\x00");
        for (data, why) in [
            (&whole[..whole.len() - 1], "next: it is cut"),
            (&[&whole[..], b"x"].concat()[..], "1 bytes are left over"),
            (b"\x22\xff\xff\xff\xff\x0f", "sku: "),
            (b"", "id: it is cut"),
            (b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "longer than ten bytes"),
        ] {
            let told = decode(ORDER, data).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
        let nulls = r#"{"type":"array","items":"null"}"#;
        let told = decode(nulls, b"\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\x00").unwrap_err();
        assert!(told.contains("more than"), "{told}");
        let list = r#"{"type":"record","name":"L","fields":[{"name":"next","type":["null","L"]}]}"#;
        assert!(decode(list, &vec![2; 100_000]).unwrap_err().contains("nests deeper"));
    }
}
