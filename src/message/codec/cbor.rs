//! CBOR, shown as JSON. Tags are left out but for their value.

use ciborium::value::Value as Cbor;
use serde_json::{Map, Value};

use super::tree::{self, MAX_DEPTH};

/// The tag that says "this is CBOR", at the start of a file or message.
const SELF_DESCRIBED: &[u8] = &[0xd9, 0xd9, 0xf7];

/// The whole input as a tree; an object or a list at the top.
pub(super) fn decode(data: &[u8]) -> Result<Value, String> {
    let mut rest = data;
    let value: Cbor =
        ciborium::de::from_reader_with_recursion_limit(&mut rest, MAX_DEPTH).map_err(|error| error.to_string())?;
    if !rest.is_empty() {
        return Err(format!("{} bytes follow its end", rest.len()));
    }
    let top = match &value {
        Cbor::Tag(_, inner) => inner,
        other => other,
    };
    if matches!(top, Cbor::Map(_) | Cbor::Array(_)) {
        Ok(convert(value))
    } else {
        Err("it is neither a map nor an array".to_owned())
    }
}

/// Whether undeclared bytes are worth a try: its magic, a map, or an array of two or more.
pub(super) fn may_start(data: &[u8]) -> bool {
    data.starts_with(SELF_DESCRIBED) || matches!(data, [0x82..=0x9b | 0x9f | 0xa1..=0xbb | 0xbf, _, ..])
}

fn convert(value: Cbor) -> Value {
    match value {
        Cbor::Integer(number) => {
            let number = i128::from(number);
            let small = i64::try_from(number).map(Value::from).or_else(|_| u64::try_from(number).map(Value::from));
            small.unwrap_or_else(|_| Value::String(number.to_string()))
        }
        Cbor::Bytes(bytes) => tree::bytes(&bytes),
        Cbor::Float(number) => tree::float(number),
        Cbor::Text(text) => Value::String(text),
        Cbor::Bool(flag) => flag.into(),
        Cbor::Tag(_, inner) => convert(*inner),
        Cbor::Array(values) => values.into_iter().map(convert).collect(),
        Cbor::Map(pairs) => Value::Object(
            pairs.into_iter().map(|(key, value)| (tree::name(convert(key)), convert(value))).collect::<Map<_, _>>(),
        ),
        // Null, and what the crate may add.
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn encode(value: &Cbor) -> Vec<u8> {
        let mut data = Vec::new();
        ciborium::into_writer(value, &mut data).unwrap();
        data
    }

    #[test]
    fn every_type_has_a_form_in_json() {
        let value = Cbor::Map(vec![
            ("id".into(), 17.into()),
            ("pi".into(), 1.5.into()),
            ("raw".into(), Cbor::Bytes(vec![0, 255])),
            ("at".into(), Cbor::Tag(0, Box::new("2026-03-02T10:00:00Z".into()))),
            (7.into(), Cbor::Array(vec![Cbor::Null, true.into(), i64::MIN.into()])),
        ]);
        let data = encode(&value);
        let expected =
            json!({"id":17,"pi":1.5,"raw":{"base64":"AP8="},"at":"2026-03-02T10:00:00Z","7":[null,true,i64::MIN]});
        assert!(may_start(&data));
        assert_eq!(decode(&data).unwrap(), expected);
        let described = [SELF_DESCRIBED, &data].concat();
        assert!(may_start(&described));
        assert_eq!(decode(&described).unwrap(), expected);
        assert!(decode(&data[..data.len() - 1]).is_err());
        assert!(decode(&[&data[..], b"x"].concat()).is_err());
    }

    #[test]
    fn deep_and_lying_input_ends_in_a_reason() {
        assert!(decode(&vec![0x81; 100_000]).is_err());
        assert!(decode(&vec![0xc1; 100_000]).is_err());
        assert!(decode(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
        assert!(decode(&[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
    }
}
