//! Payloads in a schema registry's frame: Confluent, Apicurio, AWS Glue. Without the registry, the id is what is known.

use bytes::Bytes;

use super::compressed::Compression;
use super::hints::Hints;
use super::protobuf::varint;
use super::view::{Limits, Step};

/// A frame that was taken off.
pub(super) struct Framed {
    pub(super) step: Step,
    /// What was in it.
    pub(super) inner: Bytes,
    /// The same without the index path that Confluent's Protobuf writers put before a message.
    pub(super) protobuf: Option<Bytes>,
}

/// Takes off a registry's frame. `None` where there is none; a reason where it is broken.
pub(super) fn unframe(data: &Bytes, hints: &Hints, limits: &Limits) -> Option<Result<Framed, String>> {
    if let Some(schema) = &hints.schema {
        let detail = match schema.as_ref() {
            [0, id @ ..] => id.try_into().map(|id| format!("schema {}", u32::from_be_bytes(id))),
            [1, guid @ ..] => guid.try_into().map(|guid: [u8; 16]| format!("schema {}", uuid(guid))),
            _ => return None,
        };
        let detail = detail.ok()?;
        return Some(Ok(framed("confluent", detail, data.clone())));
    }
    match data.as_ref() {
        // Eight bytes of id come first: no schema id of four bytes starts with four zeros.
        [0, 0, 0, 0, 0, rest @ ..] if rest.len() > 4 => {
            let id = u32::from_be_bytes(*rest.first_chunk()?);
            Some(Ok(framed("apicurio", format!("schema {id}"), data.slice(9..))))
        }
        [0, rest @ ..] if rest.len() > 4 => {
            let id = u32::from_be_bytes(*rest.first_chunk()?);
            // Ids count up from one: a number in the billions is data that happens to start with a zero.
            (id < 1 << 24).then(|| Ok(framed("confluent", format!("schema {id}"), data.slice(5..))))
        }
        [3, compression @ (0 | 5), rest @ ..] if rest.len() > 16 => {
            let detail = format!("schema {}", uuid(*rest.first_chunk()?));
            let inner = data.slice(18..);
            if *compression == 0 {
                return Some(Ok(framed("glue", detail, inner)));
            }
            let decoded = Compression::Zlib.decode(&inner, limits);
            Some(decoded.map(|inner| framed("glue", detail, inner.into())).map_err(|why| format!("glue: {why}")))
        }
        _ => None,
    }
}

fn framed(format: &'static str, detail: String, inner: Bytes) -> Framed {
    let protobuf = after_index_path(&inner);
    Framed { step: Step { format, detail: Some(detail) }, inner, protobuf }
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

fn uuid(bytes: [u8; 16]) -> String {
    let hex = crate::message::Digest(bytes).to_string();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
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
