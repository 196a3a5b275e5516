//! Lists of words that a word is looked up in, whatever its case.
//!
//! Error texts are of words that are in none of the lists, and each is asked of many: its length and its first letter
//! say so before it is compared. Limits: ASCII has cases here, other letters have not.

/// A list of words.
pub(crate) struct Words {
    list: &'static [&'static str],
    /// A bit for each length; the last is for all that are longer.
    lengths: u64,
    /// A bit for each first byte, of which five bits count: those in which cases do not differ.
    starts: u32,
}

const LONGEST: usize = 63;

impl Words {
    /// A list as it is.
    pub(crate) const fn new(list: &'static [&'static str]) -> Self {
        let (mut lengths, mut starts, mut rest) = (0, 0, list);
        while let [word, more @ ..] = rest {
            lengths |= length(word);
            starts |= start(word);
            rest = more;
        }
        Self { list, lengths, starts }
    }

    /// Whether a word is in the list, in any case.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.lengths & length(word) != 0
            && self.starts & start(word) != 0
            && self.list.iter().any(|other| word.eq_ignore_ascii_case(other))
    }
}

const fn length(word: &str) -> u64 {
    1 << if word.len() > LONGEST { LONGEST } else { word.len() }
}

const fn start(word: &str) -> u32 {
    match word.as_bytes() {
        [first, ..] => 1 << (*first & 0x1f),
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
        for word in ["retr", "retry ", "Rotry", "up to", "°F", "3e", &long] {
            assert!(!SOME.has(word), "{word}");
        }
    }
}
