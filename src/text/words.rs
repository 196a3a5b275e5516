//! Lists of words that a word is looked up in, whatever its case.
//!
//! Error texts are of words that are in none of the lists, and each is asked of many: its length, its first letter and
//! its last one say so before it is compared. Limits: ASCII has cases here, other letters have not.

/// A list of words.
pub(crate) struct Words {
    list: &'static [&'static str],
    /// For each first byte, of which five bits count (those in which cases do not differ), a bit for each length of the
    /// words that begin so; the last one is for all that are longer.
    lengths: [u64; STARTS],
    /// The same for the five bits of their last bytes.
    ends: [u32; STARTS],
}

const LONGEST: usize = 63;
const STARTS: usize = 32;

impl Words {
    /// A list as it is.
    pub(crate) const fn new(list: &'static [&'static str]) -> Self {
        let (mut lengths, mut ends, mut rest) = ([0; STARTS], [0; STARTS], list);
        while let [word, more @ ..] = rest {
            lengths[start(word)] |= length(word);
            ends[start(word)] |= end(word);
            rest = more;
        }
        Self { list, lengths, ends }
    }

    /// Whether a word is in the list, in any case.
    #[inline]
    pub(crate) fn has(&self, word: &str) -> bool {
        let start = start(word);
        self.lengths[start] & length(word) != 0 && self.ends[start] & end(word) != 0 && self.lists(word)
    }

    #[inline(never)]
    fn lists(&self, word: &str) -> bool {
        self.list.iter().any(|other| start(other) == start(word) && word.eq_ignore_ascii_case(other))
    }
}

const fn length(word: &str) -> u64 {
    1 << if word.len() > LONGEST { LONGEST } else { word.len() }
}

const fn start(word: &str) -> usize {
    match word.as_bytes() {
        [first, ..] => (*first & 0x1f) as usize,
        [] => 0,
    }
}

const fn end(word: &str) -> u32 {
    match word.as_bytes() {
        [.., last] => 1 << (*last & 0x1f),
        [] => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_in_any_case_and_no_other() {
        static SOME: Words = Words::new(&["Retry", "up", "°C", "3d", ""]);
        let long = "x".repeat(200);
        for word in ["retry", "RETRY", "Up", "°C", "3D", ""] {
            assert!(SOME.has(word), "{word}");
        }
        for word in ["retr", "retry ", "Rotry", "rotten", "up to", "°F", "3e", &long] {
            assert!(!SOME.has(word), "{word}");
        }
    }
}
