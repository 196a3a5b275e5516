//! Protobuf without a schema: the wire format as a tree of field numbers.
//!
//! A field of bytes is text where it is readable, else a message where it reads as one to its end, else base64.
//! Numbers are shown unsigned and fixed ones by their bits, for the wire does not say more.

use serde_json::{Map, Value};

use super::plain::is_readable;
use super::tree;

/// Messages within each other at most.
const MAX_DEPTH: usize = 32;
/// The highest field number that is believed without a declaration.
const MAX_FIELD: u64 = 2048;
/// Undeclared messages shorter than this prove nothing.
const MIN_LENGTH: usize = 4;

/// The whole input as a tree.
pub(super) fn decode(data: &[u8]) -> Option<Value> {
    if data.is_empty() { None } else { message(data, 0) }
}

/// As [`decode`], for bytes that nobody declared.
pub(super) fn guess(data: &[u8]) -> Option<Value> {
    if data.len() < MIN_LENGTH { None } else { decode(data) }
}

fn message(mut rest: &[u8], depth: usize) -> Option<Value> {
    let mut fields = Map::new();
    let mut repeated = Vec::new();
    while !rest.is_empty() {
        let tag = varint(&mut rest)?;
        let number = tag >> 3;
        if number == 0 || number > MAX_FIELD {
            return None;
        }
        let value = match tag & 7 {
            0 => varint(&mut rest)?.into(),
            1 => u64::from_le_bytes(*rest.split_off(..8)?.first_chunk()?).into(),
            2 => {
                let length = usize::try_from(varint(&mut rest)?).ok()?;
                field(rest.split_off(..length)?, depth)
            }
            5 => u32::from_le_bytes(*rest.split_off(..4)?.first_chunk()?).into(),
            // Groups are long gone from what people write.
            _ => return None,
        };
        tree::repeat(&mut fields, number.to_string(), value, &mut repeated);
    }
    Some(Value::Object(fields))
}

fn field(data: &[u8], depth: usize) -> Value {
    if is_readable(data) {
        return String::from_utf8_lossy(data).into_owned().into();
    }
    let inner = if depth < MAX_DEPTH { message(data, depth + 1) } else { None };
    inner.unwrap_or_else(|| tree::bytes(data))
}

/// A number of seven bits a byte, of ten bytes at most.
pub(crate) fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *rest.split_off_first()?;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_wire_is_shown_by_field_numbers() {
        // The documentation's own examples: 150 in field 1, "testing" in field 2, a message in field 3.
        let data = b"\x08\x96\x01\x12\x07testing\x1a\x03\x08\x96\x01\x22\x02\xff\xfe\x22\x01\x80\x2d\x01\0\0\0\x31\x01\0\0\0\0\0\0\0";
        let expected =
            json!({"1":150,"2":"testing","3":{"1":150},"4":[{"base64":"//4="},{"base64":"gA=="}],"5":1,"6":1});
        assert_eq!(guess(data), Some(expected));
    }

    #[test]
    fn what_does_not_read_to_its_end_is_none() {
        for data in [
            &b""[..],
            b"\x08",
            b"\x08\x96",
            b"\x12\x07test",
            b"\0\x01\x01\x01",
            b"\x0b\x01\x0c\x01",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
        ] {
            assert_eq!(decode(data), None, "{data:?}");
        }
    }

    #[test]
    fn deep_messages_are_cut_to_bytes() {
        let mut data = vec![0x08, 0x80, 0x01];
        for _ in 0..200 {
            let mut outer = vec![0x0a];
            let mut length = data.len();
            while length >= 0x80 {
                outer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            outer.push(u8::try_from(length).unwrap());
            outer.append(&mut data);
            data = outer;
        }
        let text = decode(&data).unwrap().to_string();
        assert!(text.contains("base64") && text.matches('{').count() < 50);
    }
}
