//! The one way by which a name, a header or a payload reaches a terminal.
//!
//! Whatever a queue holds was written by others and may hold escape sequences that move the cursor, change the title
//! or type commands. [`safe`] makes every such character visible; [`fit`] also keeps the text to a width in cells.
//! Limits: a letter that only looks like another (homoglyph) passes.

pub(crate) mod find;
#[cfg(feature = "tui")]
pub(crate) mod fuzzy;
pub(crate) mod human;
pub(crate) mod words;

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What stands for text that was cut off.
const CUT: char = '…';

/// Whether a terminal must not get this character as it is: control characters, and the invisible ones that reorder,
/// join or hide text (Unicode's bidi controls, zero-width, tag and line-separator characters).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with every unsafe character made visible: `␛` for escape and its like, `<U+202E>` for the rest.
pub(crate) fn safe(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        push_safe(&mut out, c);
    }
    Cow::Owned(out)
}

/// [`safe`], but line ends and tabs stay: for text of several lines that this program laid out itself.
pub(crate) fn safe_lines(text: &str) -> String {
    text.lines().map(|line| safe(&line.replace('\t', "  ")).into_owned()).collect::<Vec<_>>().join("\n")
}

fn push_safe(out: &mut String, c: char) {
    match c {
        '\0'..='\x1f' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}')),
        '\x7f' => out.push('␡'),
        c if is_unsafe(c) => _ = write!(out, "<U+{:04X}>", u32::from(c)),
        c => out.push(c),
    }
}

/// The text made safe and no wider than `width` cells; what was cut off is an ellipsis.
pub(crate) fn fit(text: &str, width: usize) -> String {
    let text = safe(text);
    if width_of(&text) <= width {
        return text.into_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let cells = c.width().unwrap_or(0);
        if used + cells + 1 > width {
            break;
        }
        used += cells;
        out.push(c);
    }
    if width > 0 {
        out.push(CUT);
    }
    out
}

/// A safe text broken between words into lines of at most `width` cells; all but the first are indented.
pub(crate) fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        if line.is_empty() {
            line.push_str(word);
        } else if width_of(line) + 1 + width_of(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join(&format!("\n{}", " ".repeat(indent)))
}

/// Line ends and runs of spaces as one space, and every unsafe character made visible.
pub(crate) fn one_line(text: &str) -> String {
    safe(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// How many cells a safe text takes.
///
/// Summed over characters, as terminals draw them, and not over clusters: it may come out too wide, never too narrow.
pub(crate) fn width_of(text: &str) -> usize {
    if text.is_ascii() {
        text.len()
    } else {
        text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>().max(text.width())
    }
}

/// A JSON text in which unsafe characters are escapes. The same JSON: they can only stand within strings.
pub(crate) fn safe_json(json: &str) -> Cow<'_, str> {
    let raw = |c: char| is_unsafe(c) && c != '\n';
    if !json.contains(raw) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if raw(c) {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_reordering_become_visible() {
        assert_eq!(safe("a\x1b[2Jb\r\n\x07\x7f"), "a␛[2Jb␍␊␇␡");
        assert_eq!(safe("\u{9b}31m \u{202e}txt\u{200b}"), "<U+009B>31m <U+202E>txt<U+200B>");
        assert!(matches!(safe("größe 数 ✓"), Cow::Borrowed(_)));
    }

    #[test]
    fn text_is_cut_by_cells_and_not_by_letters() {
        assert_eq!(fit("orders.dlq", 10), "orders.dlq");
        assert_eq!(fit("orders.dlq", 7), "orders…");
        assert_eq!(fit("数数数数", 5), "数数…");
        assert_eq!(fit("abc", 0), "");
    }

    #[test]
    fn long_text_is_broken_between_words() {
        assert_eq!(wrap("one two three", 7, 2), "one two\n  three");
        assert_eq!(wrap("unbreakable", 4, 2), "unbreakable");
    }

    proptest! {
        #[test]
        fn nothing_unsafe_passes_and_nothing_is_wider_than_asked(text in any::<String>(), width in 0_usize..40) {
            let shown = safe(&text);
            prop_assert!(!shown.chars().any(is_unsafe), "{shown:?}");
            let cut = fit(&text, width);
            prop_assert!(!cut.chars().any(is_unsafe));
            prop_assert!(width_of(&cut) <= width, "{cut:?}");
        }

        #[test]
        fn safe_json_means_the_same(text in any::<String>()) {
            let json = serde_json::Value::from(text).to_string();
            let escaped = safe_json(&json);
            prop_assert!(!escaped.chars().any(is_unsafe));
            let (a, b): (serde_json::Value, serde_json::Value) =
                (serde_json::from_str(&json).unwrap(), serde_json::from_str(&escaped).unwrap());
            prop_assert_eq!(a, b);
        }
    }
}
