//! Formats that are named and not decoded: serialised objects (never executed), images, documents, Avro without a schema.

/// A format known by its bytes: its name, and what it is in words.
pub(super) fn by_magic(data: &[u8]) -> Option<(&'static str, String)> {
    let (format, what) = match data {
        [0xac, 0xed, 0x00, 0x05, ..] => {
            let class = java_class(data).map(|class| format!(" {class}")).unwrap_or_default();
            return Some(("java", format!("a serialised Java object{class}")));
        }
        [0x00, 0x01, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, ..] => {
            ("dotnet", "an object serialised by .NET's BinaryFormatter")
        }
        [0x80, 2..=5, .., b'.'] => ("pickle", "a Python pickle"),
        [b'O', b'b', b'j', 1, ..] => ("avro", "an Avro object container file"),
        [0xc3, 0x01, fingerprint @ ..] if fingerprint.len() >= 8 => {
            let id = fingerprint.first_chunk::<8>().map(|id| format!("{:016x}", u64::from_le_bytes(*id)));
            return Some((
                "avro",
                format!("one Avro object of the schema with the fingerprint {}", id.unwrap_or_default()),
            ));
        }
        [0x89, b'P', b'N', b'G', b'\r', b'\n', ..] => ("png", "a PNG image"),
        [0xff, 0xd8, 0xff, ..] => ("jpeg", "a JPEG image"),
        [b'P', b'K', 3, 4, ..] => ("zip", "a ZIP archive"),
        [b'P', b'A', b'R', b'1', .., b'P', b'A', b'R', b'1'] => ("parquet", "a Parquet file"),
        _ if data.starts_with(b"%PDF-") => ("pdf", "a PDF document"),
        _ if data.starts_with(b"GIF8") => ("gif", "a GIF image"),
        _ if is_bson(data) => ("bson", "a BSON document"),
        _ if is_php(data) => ("php", "a serialised PHP value"),
        _ => return None,
    };
    Some((format, what.to_owned()))
}

/// The class of a Java object that starts a stream: `TC_OBJECT TC_CLASSDESC` and its name.
fn java_class(data: &[u8]) -> Option<&str> {
    let [0x73, 0x72, high, low, name @ ..] = data.get(4..)? else { return None };
    let name = std::str::from_utf8(name.get(..usize::from(u16::from_be_bytes([*high, *low])))?).ok()?;
    name.chars().all(|c| c.is_alphanumeric() || "._$;[/".contains(c)).then_some(name)
}

/// The length of all of it, little endian, at the start; an element's type; a zero at the end.
fn is_bson(data: &[u8]) -> bool {
    let length = data.first_chunk::<4>().map(|length| u32::from_le_bytes(*length));
    length.and_then(|length| usize::try_from(length).ok()) == Some(data.len())
        && matches!(data.get(4), Some(0x01..=0x13))
        && data.ends_with(&[0])
}

/// `a:2:{` or `O:8:"stdClass"`, to the closing brace.
fn is_php(data: &[u8]) -> bool {
    let [b'a' | b'O', b':', rest @ ..] = data else { return false };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits > 0 && matches!(rest.get(digits..), Some([b':', b'{' | b'"', .., b'}']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_objects_are_named() {
        let java = b"\xac\xed\x00\x05sr\x00\x0ecom.acme.Order\x00";
        for (data, format, words) in [
            (&java[..], "java", "com.acme.Order"),
            (b"\xac\xed\x00\x05sr\xff\xffx", "java", "Java"),
            (b"\x00\x01\x00\x00\x00\xff\xff\xff\xff\x01", "dotnet", ".NET"),
            (b"\x80\x04\x95\x00.", "pickle", "pickle"),
            (b"Obj\x01\x04", "avro", "container"),
            (b"\xc3\x01\x01\0\0\0\0\0\0\0x", "avro", "0000000000000001"),
            (b"\x0e\0\0\0\x10a\0\x01\0\0\0\0\0\0", "bson", "BSON"),
            (b"O:8:\"stdClass\":0:{}", "php", "PHP"),
            (b"%PDF-1.7", "pdf", "PDF"),
        ] {
            let (found, what) = by_magic(data).unwrap();
            assert_eq!(found, format);
            assert!(what.contains(words), "{what}");
        }
        for data in [&b""[..], b"\xac\xed", b"a:b", b"O:", b"\x80\x04"] {
            assert_eq!(by_magic(data), None);
        }
    }
}
