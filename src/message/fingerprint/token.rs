//! One token of an error text: where it ends, and what its bytes tell.
//!
//! Limits: looks only; what stands around a token is the scanner's business.

use super::words;
use crate::text::find::starts;

/// Bytes that make up a token. The lead bytes of CJK scripts are not among them: there, words are not parted by spaces.
#[inline]
pub(super) const fn is_word(byte: u8) -> bool {
    WORD[byte as usize]
}

const WORD: [bool; 256] = {
    let mut word = [false; 256];
    let mut byte = 0_u8;
    loop {
        word[byte as usize] = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'_' | b'-' | b'.' | b'/' | b'\\' | b':' | b'@' | b'+' | b'%' | b'~' | b'#' | b'&' | b'=' | b'$'
            )
            || matches!(byte, 0x80..0xe3 | 0xee..);
        if byte == u8::MAX {
            break word;
        }
        byte += 1;
    }
};

/// The word of lower case letters at the start of `rest`, of two or more, where nothing more belongs to its token but the
/// end of a sentence, or of a part of it.
pub(super) fn plain_word(rest: &str) -> Option<&str> {
    let bytes = rest.as_bytes();
    let end = bytes.iter().position(|byte| !byte.is_ascii_lowercase()).unwrap_or(bytes.len());
    let alone = match bytes.get(end) {
        Some(b'\'') => false,
        Some(byte) => !is_word(*byte),
        None => true,
    };
    rest.get(..end).filter(|_| alone && end > 1)
}

/// Hex digits of that length are no word, also where they are all letters.
const LONG_HEX: usize = 8;

/// Whether it is one of those.
pub(super) fn is_long_hex(token: &str) -> bool {
    token.len() >= LONG_HEX && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The token at the start of `rest`; a URL reaches further than a word.
pub(super) fn token_of(rest: &str) -> &str {
    let bytes = rest.as_bytes();
    let mut i = 0;
    let mut url = false;
    let mut after_word = false;
    while let Some(byte) = bytes.get(i).copied() {
        let apostrophe = byte == b'\'' && after_word && bytes.get(i + 1).is_some_and(u8::is_ascii_alphabetic);
        let in_url = url && matches!(byte, b'?' | b'!' | b'*' | b';' | b',' | b'|');
        if !(is_word(byte) || apostrophe || in_url) {
            break;
        }
        url = url || (byte == b':' && bytes.get(i + 1..i + 3) == Some(b"//".as_slice()));
        after_word = byte.is_ascii_alphabetic();
        i += if byte < 0xc0 { 1 } else { char_len(byte) };
        if matches!(bytes.get(i), Some(0xe3..0xee)) {
            break;
        }
    }
    rest.get(..i).unwrap_or(rest)
}

const fn char_len(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        _ => 2,
    }
}

/// What one look at a token's bytes tells.
#[derive(Default)]
pub(super) struct Facts {
    digit: bool,
    lower_only: bool,
    hex_only: bool,
    dot: bool,
    dash: bool,
    underscore: bool,
    slashes: usize,
    backslash: bool,
    at: Option<usize>,
    pub(super) equals: Option<usize>,
    pub(super) url: bool,
}

impl Facts {
    /// One look at the bytes.
    pub(super) fn of(token: &str) -> Self {
        let mut facts = Self { lower_only: true, hex_only: true, ..Self::default() };
        for (i, byte) in token.bytes().enumerate() {
            facts.digit |= byte.is_ascii_digit();
            facts.hex_only &= byte.is_ascii_hexdigit();
            match byte {
                b'.' => facts.dot = true,
                b'-' => facts.dash = true,
                b'_' => facts.underscore = true,
                b'/' => {
                    facts.slashes += 1;
                    facts.url |= token.get(..i).is_some_and(|before| before.ends_with(":/") && before.len() > 2);
                }
                b'\\' => facts.backslash = true,
                b'@' if i > 0 => facts.at = facts.at.or(Some(i)),
                b'=' => facts.equals = facts.equals.or(Some(i)),
                b'A'..=b'Z' => facts.lower_only = false,
                _ => {}
            }
        }
        facts
    }

    /// Whether it has a digit.
    pub(super) fn digit(&self) -> bool {
        self.digit
    }

    /// Whether it may be a URL, or the path of one.
    pub(super) fn may_name_path(&self) -> bool {
        self.slashes > 0
    }

    /// Whether it has a backslash.
    pub(super) fn has_backslash(&self) -> bool {
        self.backslash
    }

    /// Whether it may be a function with its arity.
    pub(super) fn arity(&self) -> bool {
        self.digit && self.dot && self.slashes == 1
    }

    /// Whether it may be a path within a document.
    pub(super) fn may_be_path(&self) -> bool {
        (self.slashes > 0 && !self.url) || (self.digit && self.dot && self.lower_only)
    }

    /// Whether the token is a value by its looks alone.
    pub(super) fn is_data(&self, token: &str) -> bool {
        self.digit
            || self.url
            || self.backslash
            || self.at.is_some()
            || (self.hex_only && token.len() >= LONG_HEX)
            || self.is_path(token)
            || (self.underscore && is_prefixed_id(token))
            || (self.dash && is_code(token))
            || (token.len() >= 24 && !self.dot && !self.dash && !self.lower_only && token.contains(['+', '/']))
            || (self.slashes == 1 && is_currency_pair(token))
            || (self.dot && words::ends_like_file(token))
            || (self.dot && self.lower_only && words::ends_like_host(token))
    }

    fn is_path(&self, token: &str) -> bool {
        (token.len() > 1 && ["/", "~/", "./"].iter().any(|start| starts(token, start)))
            || self.slashes > 1
            || (self.slashes == 1 && self.dot && self.lower_only)
    }

    /// A name of several lower case parts, such as hosts, pods and services have.
    pub(super) fn is_dashed(&self) -> bool {
        self.lower_only && (self.dash || self.dot)
    }
}

/// `EUR/USD`.
fn is_currency_pair(token: &str) -> bool {
    let is_currency = |code: &str| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    token.split_once('/').is_some_and(|(base, quote)| is_currency(base) && is_currency(quote))
}

/// Capitals in two parts of the same length, as places and pairs are coded: `CHBSL-DEKEH`, `OSL-BGO`.
fn is_code(token: &str) -> bool {
    let is_part = |part: &str| part.len() >= 3 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    token.split_once('-').is_some_and(|(from, to)| from.len() == to.len() && is_part(from) && is_part(to))
}

/// An id without digits behind the short name of its kind, `o_FRUpvRSpDqRJ`: letters that change their case too often for
/// words.
fn is_prefixed_id(token: &str) -> bool {
    let Some((kind, id)) = token.split_once('_') else { return false };
    let is_kind = (1..=4).contains(&kind.len()) && kind.bytes().all(|byte| byte.is_ascii_lowercase());
    if !is_kind || id.len() < 10 || !id.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return false;
    }
    let bytes = id.as_bytes();
    let changes = bytes.iter().zip(bytes.get(1..).unwrap_or_default());
    let changes = changes.filter(|(a, b)| a.is_ascii_lowercase() != b.is_ascii_lowercase()).count();
    changes * 3 >= id.len()
}
