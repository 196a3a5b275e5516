//! Payloads in a schema registry's frame: Confluent, Apicurio, AWS Glue, and the schema that it names.

use bytes::Bytes;

use super::compressed::Compression;
use super::hints::Hints;
use super::protobuf::varint;
use super::schema::SchemaId;
use super::view::{Limits, Step};

/// A frame that was taken off.
pub(super) struct Framed {
    pub(super) step: Step,
    /// The schema that it names.
    pub(super) id: SchemaId,
    /// All of it.
    pub(super) outer: Bytes,
    /// What was in it.
    pub(super) inner: Bytes,
    /// The same without the index path that Confluent's Protobuf writers put before a message.
    pub(super) protobuf: Option<Bytes>,
}

/// Takes off a registry's frame. `None` where there is none; a reason where it is broken.
pub(super) fn unframe(data: &Bytes, hints: &Hints, limits: &Limits) -> Option<Result<Framed, String>> {
    if let Some(schema) = &hints.schema {
        let id = match schema.as_ref() {
            [0, id @ ..] => id.try_into().map(|id| SchemaId::Number(u32::from_be_bytes(id).into())),
            [1, guid @ ..] => guid.try_into().map(SchemaId::Guid),
            _ => return None,
        };
        return Some(Ok(framed("confluent", id.ok()?, data, data.clone())));
    }
    match data.as_ref() {
        // Eight bytes of id come first: no schema id of four bytes starts with four zeros.
        [0, 0, 0, 0, 0, rest @ ..] if rest.len() > 4 => {
            let id = u32::from_be_bytes(*rest.first_chunk()?);
            Some(Ok(framed("apicurio", SchemaId::Number(id.into()), data, data.slice(9..))))
        }
        [0, rest @ ..] if rest.len() > 4 => {
            let id = u32::from_be_bytes(*rest.first_chunk()?);
            // Ids count up from one: a number in the billions is data that happens to start with a zero.
            (1..1 << 24)
                .contains(&id)
                .then(|| Ok(framed("confluent", SchemaId::Number(id.into()), data, data.slice(5..))))
        }
        [3, compression @ (0 | 5), rest @ ..] if rest.len() > 16 => {
            let id = SchemaId::Glue(*rest.first_chunk()?);
            let inner = data.slice(18..);
            if *compression == 0 {
                return Some(Ok(framed("glue", id, data, inner)));
            }
            let decoded = Compression::Zlib.decode(&inner, limits);
            Some(decoded.map(|inner| framed("glue", id, data, inner.into())).map_err(|why| format!("glue: {why}")))
        }
        _ => None,
    }
}

fn framed(format: &'static str, id: SchemaId, outer: &Bytes, inner: Bytes) -> Framed {
    let protobuf = after_index_path(&inner);
    Framed { step: Step { format, detail: Some(id.to_string()) }, id, outer: outer.clone(), inner, protobuf }
}

/// What follows the path to a message type: a count and as many indexes, all zigzag; a single zero is "the first".
fn after_index_path(data: &Bytes) -> Option<Bytes> {
    let mut rest = data.as_ref();
    let count = varint(&mut rest)? >> 1;
    if count > 16 {
        return None;
    }
    for _ in 0..count {
        varint(&mut rest)?;
    }
    Some(data.slice(data.len() - rest.len()..))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(data: &[u8]) -> Option<Result<Framed, String>> {
        unframe(&Bytes::copy_from_slice(data), &Hints::default(), &Limits::default())
    }

    fn taken(data: &[u8]) -> (&'static str, String, Bytes) {
        let framed = take(data).unwrap().unwrap();
        (framed.step.format, framed.step.detail.unwrap(), framed.inner)
    }

    #[test]
    fn each_registrys_frame_gives_its_schema() {
        assert_eq!(taken(b"\0\0\0\0\x2aabc"), ("confluent", "schema 42".to_owned(), Bytes::from_static(b"abc")));
        assert_eq!(taken(b"\0\0\0\0\0\0\0\0\x07abc"), ("apicurio", "schema 7".to_owned(), Bytes::from_static(b"abc")));
        let glue = [&[3, 0][..], &[0x11; 16], b"abc"].concat();
        let (format, detail, inner) = taken(&glue);
        assert_eq!((format, inner), ("glue", Bytes::from_static(b"abc")));
        assert_eq!(detail, "schema 11111111-1111-1111-1111-111111111111");
        assert!(take(&[&[3, 5][..], &[0x11; 16], b"not zlib"].concat()).unwrap().is_err());
        assert!(take(b"\0\xff\xff\xff\xffabc").is_none() && take(b"\0\0\0").is_none() && take(b"abc").is_none());
    }

    #[test]
    fn a_header_names_the_schema_too() {
        let hints = |schema: &'static [u8]| Hints { schema: Some(Bytes::from_static(schema)), ..Hints::default() };
        let data = Bytes::from_static(b"\x02ab");
        let framed =
            |hints| unframe(&data, &hints, &Limits::default()).map(|framed| framed.unwrap().step.detail.unwrap());
        assert_eq!(framed(hints(b"\0\0\0\0\x09")).as_deref(), Some("schema 9"));
        assert!(
            framed(hints(b"\x01\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22\x22"))
                .unwrap()
                .contains("2222-")
        );
        assert_eq!(framed(hints(b"\x05")), None);
    }
}
