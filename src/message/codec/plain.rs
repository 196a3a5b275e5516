//! The payloads that are what they seem: text that no decoder here is ever asked about.
//!
//! The rule is one function, used by the codec before any decoder and by the filter's prefilter, so that "this
//! payload has no other form" is true by construction, whatever a content type declares.

/// Texts shorter than this are never taken for base64 or hex.
const ENCODED_MIN: usize = 8;

/// Whether a payload is text that is shown as it is: JSON, XML, or readable text that is not base64 or hex. Where
/// somebody has schemas only JSON is, for strings behind their lengths can be readable, too.
pub(crate) fn is_plain(payload: &[u8], schemas: bool) -> bool {
    if schemas {
        return payload.is_empty() || (starts_as_markup(payload) && !payload.trim_ascii_start().starts_with(b"<"));
    }
    payload.is_empty()
        || starts_as_markup(payload)
        || !payload.first().is_some_and(u8::is_ascii_whitespace) && is_readable(payload) && !could_be_encoded(payload)
}

/// Whether the first two characters behind any space are those of JSON or XML, and of no binary format.
pub(crate) fn starts_as_markup(payload: &[u8]) -> bool {
    match payload.trim_ascii_start() {
        [b'{', next, ..] => matches!(next, b'"' | b'}') || next.is_ascii_whitespace(),
        [b'[', next, ..] => {
            next.is_ascii_digit()
                || next.is_ascii_whitespace()
                || matches!(next, b'"' | b'{' | b'[' | b']' | b'-' | b't' | b'f' | b'n')
        }
        [b'<', next, ..] => next.is_ascii_alphabetic() || matches!(next, b'?' | b'!'),
        _ => false,
    }
}

/// Whether every byte could belong to base64 (either alphabet) or hex, in lines or not.
pub(crate) fn could_be_encoded(payload: &[u8]) -> bool {
    payload.len() >= ENCODED_MIN && payload.iter().all(|byte| is_encodable(*byte) || matches!(byte, b'\r' | b'\n'))
}

/// Whether a byte is in the alphabet of base64 or hex.
pub(crate) fn is_encodable(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
}

/// UTF-8 without control characters but tabs and line ends.
pub(crate) fn is_readable(payload: &[u8]) -> bool {
    let control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7f;
    !payload.iter().any(control) && std::str::from_utf8(payload).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readable_text_is_plain_and_what_may_be_encoded_is_not() {
        for text in ["", "{}", "{\"a\":1}", " [1]", "<a/>", "hello there", "Größe: 5", "short", "a\tb c\r\n"] {
            assert!(is_plain(text.as_bytes(), false), "{text}");
        }
        for text in ["eyJhIjoxfQ==", "deadbeefdeadbeef", "\u{1b}[31mred", "eyJhIjox\r\nfQ==", "\n a text of protobuf"] {
            assert!(!is_plain(text.as_bytes(), false), "{text}");
        }
        assert!(is_plain(b" {\"a\":1}", true) && is_plain(b"", true) && !is_plain(b"<a>", true));
        assert!(!is_plain(b"H0b7c1f9e-8a51-4c33-9d0e-6a2f5d1e7c48", true), "an Avro string of 36 letters");
        for bytes in [
            &[0x1f, 0x8b, 8, 0][..],
            &[0, 0, 0, 0, 7, 2],
            b"x\x9c\x01",
            b"\n\x05hello",
            b"Obj\x01",
            b"{\x00",
            b"text \xff",
        ] {
            assert!(!is_plain(bytes, false), "{bytes:x?}");
        }
    }
}
