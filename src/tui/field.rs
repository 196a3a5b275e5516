//! One line of text that is typed, with a cursor.

use crossterm::event::KeyCode;
use unicode_width::UnicodeWidthChar as _;

use super::key::Key;

/// A line and the place in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    text: String,
    /// Bytes before the cursor; at a character's edge.
    at: usize,
}

impl Line {
    /// A line with the cursor at its end.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { at: text.len(), text }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// What stands before and behind the cursor.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.text.split_at_checked(self.at).unwrap_or((&self.text, ""))
    }

    /// Puts the cursor before the character that so many cells are in front of.
    pub(crate) fn go_to(&mut self, cells: usize) {
        let mut used = 0;
        let end = self.text.char_indices().find(|(_, c)| {
            used += c.width().unwrap_or(0);
            used > cells
        });
        self.at = end.map_or(self.text.len(), |(at, _)| at);
    }

    pub(crate) fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            self.text.insert(self.at, c);
            self.at += c.len_utf8();
        }
    }

    /// Takes a key; whether the line is now another.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        let before = self.parts().0.chars().next_back().map_or(0, char::len_utf8);
        let behind = self.parts().1.chars().next().map_or(0, char::len_utf8);
        match (key.code(), key.is_control()) {
            (KeyCode::Char('a'), true) | (KeyCode::Home, _) => self.at = 0,
            (KeyCode::Char('e'), true) | (KeyCode::End, _) => self.at = self.text.len(),
            (KeyCode::Left, _) => self.at -= before,
            (KeyCode::Right, _) => self.at += behind,
            (KeyCode::Backspace, _) => {
                self.text.replace_range(self.at - before..self.at, "");
                self.at -= before;
                return before > 0;
            }
            (KeyCode::Delete, _) => {
                self.text.replace_range(self.at..self.at + behind, "");
                return behind > 0;
            }
            (KeyCode::Char('u'), true) => {
                self.text.replace_range(..self.at, "");
                self.at = 0;
                return true;
            }
            (KeyCode::Char('w'), true) => {
                let start = self.word_start();
                self.text.replace_range(start..self.at, "");
                self.at = start;
                return true;
            }
            (KeyCode::Char(c), false) if key.is_text() => {
                self.insert(c.encode_utf8(&mut [0; 4]));
                return true;
            }
            _ => {}
        }
        false
    }

    /// Where the word before the cursor begins.
    fn word_start(&self) -> usize {
        let before = self.parts().0.trim_end();
        before.rfind(char::is_whitespace).map_or(0, |at| at + before[at..].chars().next().map_or(1, char::len_utf8))
    }

    /// What of the word before the cursor is typed.
    pub(crate) fn word(&self) -> &str {
        let word = self.behind(&[' ', '(']);
        word.strip_prefix('-').unwrap_or(word)
    }

    /// What stands before the cursor, behind the last of these.
    pub(crate) fn behind(&self, ends: &[char]) -> &str {
        self.parts().0.rsplit(ends).next().unwrap_or_default()
    }

    /// Puts another word in the place of the one before the cursor.
    pub(crate) fn complete(&mut self, word: &str) {
        self.put(self.word().len(), word);
    }

    /// Puts a word in the place of so many bytes before the cursor.
    pub(crate) fn put(&mut self, length: usize, word: &str) {
        let start = self.at.saturating_sub(length);
        self.text.replace_range(start..self.at, word);
        self.at = start + word.len();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_edited_as_in_a_shell() {
        let mut line = Line::new("größe timeout");
        let keys = |line: &mut Line, keys: &str| keys.split(' ').for_each(|key| _ = line.key(key.parse().unwrap()));
        keys(&mut line, "ctrl-w");
        assert_eq!(line.text(), "größe ");
        keys(&mut line, "backspace left left backspace x");
        assert_eq!(line.parts(), ("grx", "ße"));
        keys(&mut line, "ctrl-u delete home - end !");
        assert_eq!(line.text(), "-e!");
        let mut line = Line::new("age<2h (hea");
        assert_eq!(line.word(), "hea");
        line.complete("header.tenant");
        assert_eq!(line.text(), "age<2h (header.tenant");
        let mut line = Line::new("a数b");
        let mut before = |cells| {
            line.go_to(cells);
            line.parts().0.to_owned()
        };
        assert_eq!([0, 1, 2, 3, 9].map(&mut before), ["", "a", "a", "a数", "a数b"]);
    }

    proptest! {
        #[test]
        fn no_keys_break_a_line(text in "[a-z äß数 (-]{0,12}", keys in proptest::collection::vec(0_usize..9, 0..40)) {
            let names = ["left", "right", "home", "end", "backspace", "delete", "ctrl-w", "ctrl-u", "ü"];
            let mut line = Line::new(text);
            for key in keys {
                line.key(names[key].parse().unwrap());
                prop_assert!(line.text().is_char_boundary(line.parts().0.len()));
            }
            line.complete("x");
        }
    }
}
