//! Text to look for in bytes, with smart case: the one search that the filter and its prefilter share.
//!
//! A needle in lower case matches any case, one capital makes it exact. "Any case" means ASCII letters for an
//! ASCII needle, and Unicode's simple case folding for any other. Limits: it searches bytes as they are; what is
//! escaped or encoded has to be decoded before.

use memchr::memmem::Finder;
use regex::bytes::{Regex, RegexBuilder};

/// A text and the fastest way to find it.
#[derive(Clone, Debug)]
pub(crate) struct Needle {
    text: Box<str>,
    how: How,
}

#[derive(Clone, Debug)]
enum How {
    /// These very bytes.
    Exact(Box<Finder<'static>>),
    /// ASCII letters in either case: the byte at `rare` is looked for in both cases, then all of it compared.
    AsciiAnyCase { rare: usize, lower: u8, upper: u8 },
    /// Unicode letters in either case.
    AnyCase(Regex),
    /// The digits of a number, with a point anywhere between them.
    Digits(Regex),
}

impl Needle {
    /// Finds these very bytes.
    pub(crate) fn exact(text: &str) -> Self {
        Self { text: text.into(), how: How::Exact(Box::new(Finder::new(text.as_bytes()).into_owned())) }
    }

    /// Smart case: a text without capitals is found in any case. `None` for a text too long to fold.
    pub(crate) fn smart(text: &str) -> Option<Self> {
        let cased = text.chars().any(char::is_lowercase);
        if !cased || text.chars().any(char::is_uppercase) {
            return Some(Self::exact(text));
        }
        let how = if text.is_ascii() {
            let rare = rarest(text.as_bytes());
            let byte = text.as_bytes().get(rare).copied().unwrap_or_default();
            How::AsciiAnyCase { rare, lower: byte, upper: byte.to_ascii_uppercase() }
        } else {
            How::AnyCase(RegexBuilder::new(&regex::escape(text)).case_insensitive(true).build().ok()?)
        };
        Some(Self { text: text.into(), how })
    }

    /// What every way to write a number has: its digits, but for zeros at either end, in a row that only the point may
    /// interrupt. `None` for a number with more digits than are worth it.
    pub(crate) fn number(text: &str) -> Option<Self> {
        const MOST: usize = 40;
        let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let digits = match digits.trim_matches('0') {
            "" => "0",
            digits => digits,
        };
        if digits.len() > MOST {
            return None;
        }
        let ways = (1..digits.len()).filter_map(|point| digits.split_at_checked(point));
        let ways = ways.map(|(whole, fraction)| format!("|{whole}\\.{fraction}")).collect::<Vec<_>>().concat();
        Some(Self { text: digits.into(), how: How::Digits(Regex::new(&format!("{digits}{ways}")).ok()?) })
    }

    /// The text as given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// A needle of the same case rule for a part of its text. `None` where the part is empty.
    pub(crate) fn part(&self, part: &str) -> Option<Self> {
        match (&self.how, part) {
            (_, "") => None,
            (How::Exact(_), _) => Some(Self::exact(part)),
            // No part of a number is ever escaped.
            (How::Digits(_), _) => Some(self.clone()),
            // A part with no letters but ASCII could fold to fewer letters than the whole: Unicode's rule stays.
            (How::AnyCase(_), _) => {
                let regex = RegexBuilder::new(&regex::escape(part)).case_insensitive(true).build().ok()?;
                Some(Self { text: part.into(), how: How::AnyCase(regex) })
            }
            (How::AsciiAnyCase { .. }, _) => Self::smart(part),
        }
    }

    /// Whether it occurs in `bytes`. The empty text occurs everywhere.
    pub(crate) fn is_in(&self, bytes: &[u8]) -> bool {
        match &self.how {
            How::Exact(finder) => finder.find(bytes).is_some(),
            How::AnyCase(regex) | How::Digits(regex) => regex.is_match(bytes),
            How::AsciiAnyCase { rare, lower, upper } => {
                let text = self.text.as_bytes();
                // The rare byte of a match lies between the needle's part before it and its part after it.
                let Some(last) = (bytes.len() + rare + 1).checked_sub(text.len()) else { return false };
                let Some(window) = bytes.get(*rare..last) else { return false };
                memchr::memchr2_iter(*lower, *upper, window)
                    .any(|at| bytes.get(at..at + text.len()).is_some_and(|found| found.eq_ignore_ascii_case(text)))
            }
        }
    }
}

/// Bytes from the most to the least common in JSON and logs; a byte that is not listed is rarer than all of them.
const COMMON: &[u8] = b"\" e:,0atinorsl1d2c-u3m5_4pf7698h.g{}yb/wvkxqjz";

/// Where the byte stands that should occur least in what is searched.
fn rarest(text: &[u8]) -> usize {
    let rank = |byte: u8| memchr::memchr(byte.to_ascii_lowercase(), COMMON).unwrap_or(COMMON.len());
    text.iter().enumerate().max_by_key(|(_, byte)| rank(**byte)).map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_case_finds_any_case_and_a_capital_is_exact() {
        let any = Needle::smart("timeout").unwrap();
        for found in ["timeout", "read TIMEOUT!", "aTimeOut"] {
            assert!(any.is_in(found.as_bytes()), "{found}");
        }
        for missed in ["", "timeou", "t imeout", "imeout"] {
            assert!(!any.is_in(missed.as_bytes()), "{missed}");
        }
        let exact = Needle::smart("Timeout").unwrap();
        assert!(exact.is_in(b"a Timeout") && !exact.is_in(b"a timeout"));
    }

    #[test]
    fn letters_beyond_ascii_fold_too() {
        let needle = Needle::smart("müller").unwrap();
        assert!(needle.is_in("Frau MÜLLER".as_bytes()) && !needle.is_in(b"muller"));
        assert!(needle.is_in(&[b"\xff".as_slice(), "Müller".as_bytes(), b"\xfe"].concat()));
    }

    #[test]
    fn a_number_is_found_however_it_is_written() {
        for (number, found, missed) in [
            ("100", ["1e2", "\"100\"", "100.0"], "[0, 20.5]"),
            ("12.5", ["12.50", "1.25e1", "125e-1"], "12.6 and 1.5"),
            ("-0.0", ["0", "-0e7", "0.00"], "1.25"),
            ("1.25e3", ["1250", "12.5e2", "1250.0"], "12.35"),
        ] {
            let needle = Needle::number(number).unwrap();
            assert!(found.iter().all(|text| needle.is_in(text.as_bytes())), "{number}");
            assert!(!needle.is_in(missed.as_bytes()), "{number}");
        }
        assert!(Needle::number(&"7".repeat(100)).is_none());
    }

    #[test]
    fn every_place_in_the_text_is_found() {
        let needle = Needle::smart("abz").unwrap();
        for at in 0..20 {
            let mut text = vec![b'.'; 20];
            text.splice(at..at, *b"aBZ");
            assert!(needle.is_in(&text), "{at}");
        }
        assert!(!needle.is_in(b"ab") && !needle.is_in(b"bz") && !needle.is_in(b"z"));
    }
}
