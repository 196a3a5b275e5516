//! MessagePack, shown as JSON.

use rmpv::ValueRef;
use serde_json::{Map, Value, json};

use super::tree::{self, MAX_DEPTH};

/// The whole input as a tree; an object or a list at the top.
pub(super) fn decode(data: &[u8]) -> Result<Value, String> {
    let mut rest = data;
    let value = rmpv::decode::read_value_ref_with_max_depth(&mut rest, MAX_DEPTH).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow its end", rest.len()));
    }
    match value {
        ValueRef::Map(_) | ValueRef::Array(_) => Ok(convert(value)),
        _ => Err("it is neither a map nor an array".to_owned()),
    }
}

/// Whether undeclared bytes are worth a try: a map, or an array of two or more.
pub(super) fn may_start(data: &[u8]) -> bool {
    matches!(data, [0x81..=0x8f | 0x92..=0x9f | 0xdc..=0xdf, _, ..])
}

fn convert(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Nil => Value::Null,
        ValueRef::Boolean(flag) => flag.into(),
        ValueRef::Integer(number) => number.as_u64().map_or_else(|| number.as_i64().into(), Value::from),
        ValueRef::F32(number) => tree::float(number.into()),
        ValueRef::F64(number) => tree::float(number),
        ValueRef::String(text) => {
            text.as_str().map_or_else(|| tree::bytes(text.as_bytes()), |text| Value::String(text.to_owned()))
        }
        ValueRef::Binary(bytes) => tree::bytes(bytes),
        ValueRef::Array(values) => values.into_iter().map(convert).collect(),
        ValueRef::Map(pairs) => Value::Object(
            pairs.into_iter().map(|(key, value)| (tree::name(convert(key)), convert(value))).collect::<Map<_, _>>(),
        ),
        ValueRef::Ext(kind, bytes) => json!({ "ext": kind, "value": tree::bytes(bytes) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_form_in_json() {
        let mut data = Vec::new();
        let value = rmpv::Value::Map(vec![
            ("id".into(), 17.into()),
            ("big".into(), u64::MAX.into()),
            ("neg".into(), (-5).into()),
            ("pi".into(), 1.5.into()),
            ("raw".into(), rmpv::Value::Binary(vec![0, 255])),
            ("list".into(), rmpv::Value::Array(vec![rmpv::Value::Nil, true.into()])),
            (7.into(), rmpv::Value::Ext(3, vec![1])),
        ]);
        rmpv::encode::write_value(&mut data, &value).unwrap();
        assert!(may_start(&data));
        let expected = json!({"id":17,"big":u64::MAX,"neg":-5,"pi":1.5,"raw":{"base64":"AP8="},"list":[null,true],
            "7":{"ext":3,"value":{"base64":"AQ=="}}});
        assert_eq!(decode(&data).unwrap(), expected);
        assert!(decode(&data[..data.len() - 1]).is_err());
        assert!(decode(&[&data[..], b"x"].concat()).is_err());
    }

    #[test]
    fn deep_and_lying_input_ends_in_a_reason() {
        assert!(decode(&vec![0x91; 100_000]).is_err());
        assert!(decode(&[0xdd, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(decode(&[0xdb, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
