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
    while let Some(byte) = bytes.get(i).copied() {
        let goes_on = match byte {
            b':' => {
                url |= bytes.get(i + 1..i + 3) == Some(b"//".as_slice());
                true
            }
            b'\'' => {
                let letter = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_alphabetic);
                letter(i.checked_sub(1)) && letter(Some(i + 1))
            }
            b'?' | b'!' | b'*' | b';' | b',' | b'|' => url,
            _ => is_word(byte),
        };
        if !goes_on {
            break;
        }
        i += if byte < 0xc0 { 1 } else { char_len(byte) };
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

/// What a byte is.
const DIGIT: u16 = 1;
const HEX: u16 = 1 << 1;
const UPPER: u16 = 1 << 2;
const DOT: u16 = 1 << 3;
const DASH: u16 = 1 << 4;
const UNDERSCORE: u16 = 1 << 5;
const SLASH: u16 = 1 << 6;
const BACKSLASH: u16 = 1 << 7;
const AT: u16 = 1 << 8;
const EQUALS: u16 = 1 << 9;

const KINDS: [u16; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0_u8;
    while byte < 0x80 {
        let special = match byte {
            b'0'..=b'9' => DIGIT,
            b'A'..=b'Z' => UPPER,
            b'.' => DOT,
            b'-' => DASH,
            b'_' => UNDERSCORE,
            b'/' => SLASH,
            b'\\' => BACKSLASH,
            b'@' => AT,
            b'=' => EQUALS,
            _ => 0,
        };
        kinds[byte as usize] = special | if byte.is_ascii_hexdigit() { HEX } else { 0 };
        byte += 1;
    }
    kinds
};

impl Facts {
    /// One look at the bytes, and another for what few tokens have.
    pub(super) fn of(token: &str) -> Self {
        let (any, all) = token.bytes().fold((0, u16::MAX), |(any, all), byte| {
            let kind = KINDS[usize::from(byte)];
            (any | kind, all & kind)
        });
        let has = |kind| any & kind != 0;
        let bytes = token.as_bytes();
        Self {
            digit: has(DIGIT),
            lower_only: !has(UPPER),
            hex_only: all & HEX != 0,
            dot: has(DOT),
            dash: has(DASH),
            underscore: has(UNDERSCORE),
            slashes: if has(SLASH) { memchr::memchr_iter(b'/', bytes).count() } else { 0 },
            backslash: has(BACKSLASH),
            at: if has(AT) { memchr::memchr_iter(b'@', bytes).find(|at| *at > 0) } else { None },
            equals: if has(EQUALS) { memchr::memchr(b'=', bytes) } else { None },
            url: has(SLASH) && bytes.windows(3).skip(1).any(|three| three == b"://"),
        }
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
