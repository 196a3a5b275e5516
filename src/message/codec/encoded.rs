//! Bytes written as text: base64 in both alphabets, with or without padding and line ends, and hex.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::plain::could_be_encoded;

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const ENGINES: [GeneralPurpose; 2] = [GeneralPurpose::new(&STANDARD, CONFIG), GeneralPurpose::new(&URL_SAFE, CONFIG)];

/// Hex shorter than this is taken for an id.
const HEX_MIN: usize = 16;

/// The bytes that base64 text stands for.
pub(super) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if !could_be_encoded(text) {
        return None;
    }
    let joined: Vec<u8>;
    let text = if memchr::memchr2(b'\n', b'\r', text).is_some() {
        joined = text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
        &joined
    } else {
        text
    };
    ENGINES.iter().find_map(|engine| engine.decode(text).ok())
}

/// The bytes that hex digits stand for.
pub(super) fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii();
    if text.len() < HEX_MIN || !text.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_lines_and_missing_padding_are_read() {
        for text in ["AP/+AP/+AA==", "AP_-AP_-AA", "AP/+\r\nAP/+\nAA=="] {
            assert_eq!(base64(text.as_bytes()), Some(vec![0, 255, 254, 0, 255, 254, 0]), "{text}");
        }
        for text in ["short", "not base64!", "AP/+AP_-AA==", "AAAAAAAAA"] {
            assert_eq!(base64(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn hex_is_read_in_either_case() {
        assert_eq!(hex(b"00ffFE0000000001\n"), Some(vec![0, 255, 254, 0, 0, 0, 0, 1]));
        assert_eq!(hex(b"00ffFE000000000"), None);
        assert_eq!(hex(b"zz00000000000000"), None);
    }
}
