//! A key as it is bound, typed in the config file and shown: `q`, `ctrl-r`, `shift-tab`, `f5`.
//!
//! Limits: what a terminal can't tell apart is one key here, too: a shifted letter is its capital.

use std::fmt;
use std::str::FromStr;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key and what is held with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backspace", KeyCode::Backspace),
    ("space", KeyCode::Char(' ')),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
];

impl Key {
    /// The key of an event.
    pub(crate) fn of(event: &KeyEvent) -> Self {
        Self::new(event.code, event.modifiers)
    }

    fn new(code: KeyCode, modifiers: KeyModifiers) -> Self {
        let held = modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        match code {
            KeyCode::BackTab => Self { code: KeyCode::Tab, modifiers: held | KeyModifiers::SHIFT },
            KeyCode::Char(c)
                if held.contains(KeyModifiers::SHIFT) && c.is_lowercase() && held == KeyModifiers::SHIFT =>
            {
                Self { code: KeyCode::Char(c.to_ascii_uppercase()), modifiers: KeyModifiers::NONE }
            }
            // A capital has its shift in it; with Ctrl a terminal sends the same for both.
            KeyCode::Char(c) if held.contains(KeyModifiers::CONTROL) => {
                Self { code: KeyCode::Char(c.to_ascii_lowercase()), modifiers: held - KeyModifiers::SHIFT }
            }
            KeyCode::Char(_) => Self { code, modifiers: held - KeyModifiers::SHIFT },
            _ => Self { code, modifiers: held },
        }
    }

    /// What was pressed, whatever was held with it.
    pub(crate) fn code(self) -> KeyCode {
        self.code
    }

    /// Whether Ctrl was held, and nothing else.
    pub(crate) fn is_control(self) -> bool {
        self.modifiers == KeyModifiers::CONTROL
    }

    /// Whether it types a character into a field.
    pub(crate) fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && !self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
    }

    /// The event that a terminal sends for it.
    #[must_use]
    pub fn event(self) -> KeyEvent {
        match (self.code, self.modifiers) {
            (KeyCode::Tab, KeyModifiers::SHIFT) => KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT),
            (code, modifiers) => KeyEvent::new(code, modifiers),
        }
    }
}

/// Reads what [`fmt::Display`] writes; the error says what is no key.
impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bad = || format!("{text:?} is no key; write q, R, ctrl-r, alt-x, shift-tab, f5, enter, space, pgdn …");
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (held, after) = if let Some(after) = rest.strip_prefix("ctrl-") {
                (KeyModifiers::CONTROL, after)
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (KeyModifiers::ALT, after)
            } else if let Some(after) = rest.strip_prefix("shift-") {
                (KeyModifiers::SHIFT, after)
            } else {
                break;
            };
            modifiers |= held;
            rest = after;
        }
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(c), None) => KeyCode::Char(c),
            _ => match NAMED.iter().find(|(name, _)| *name == rest) {
                Some((_, code)) => *code,
                None => match rest.strip_prefix('f').and_then(|n| n.parse().ok()) {
                    Some(n @ 1..=12) => KeyCode::F(n),
                    _ => return Err(bad()),
                },
            },
        };
        Ok(Self::new(code, modifiers))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (held, name) in
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")]
        {
            if self.modifiers.contains(held) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "f{n}"),
            _ => f.write_str("?"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_as_they_are_shown() {
        for text in ["q", "R", "?", ":", "ctrl-r", "alt-x", "shift-tab", "tab", "f5", "enter", "space", "pgdn", "-"] {
            assert_eq!(text.parse::<Key>().unwrap().to_string(), text);
        }
        for text in ["", "quit", "ctrl-", "f13", "hyper-x"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }

    #[test]
    fn what_terminals_send_for_a_key_is_one_key() {
        let key = |code, modifiers| Key::of(&KeyEvent::new(code, modifiers));
        assert_eq!(key(KeyCode::Char('r'), KeyModifiers::SHIFT), "R".parse().unwrap());
        assert_eq!(key(KeyCode::Char('R'), KeyModifiers::SHIFT), "R".parse().unwrap());
        assert_eq!(key(KeyCode::Char('C'), KeyModifiers::CONTROL | KeyModifiers::SHIFT), "ctrl-c".parse().unwrap());
        assert_eq!(key(KeyCode::BackTab, KeyModifiers::SHIFT), "shift-tab".parse().unwrap());
        assert!(key(KeyCode::Char(' '), KeyModifiers::NONE).is_text());
        assert!(!"ctrl-a".parse::<Key>().unwrap().is_text());
    }
}
