//! A fault in an expression, and how people see it: the expression, a caret under the spot, and a suggestion.

use std::ops::Range;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::error::{Error, ErrorKind};

/// Columns of an expression that are shown around the fault.
const SHOWN: usize = 70;

/// What is wrong, where (bytes of the expression), and what to do.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) what: String,
    pub(crate) at: Range<usize>,
    pub(crate) hint: String,
}

impl Fault {
    pub(crate) fn new(what: impl Into<String>, at: Range<usize>, hint: impl Into<String>) -> Self {
        Self { what: what.into(), at, hint: hint.into() }
    }

    /// The error with the expression and the caret, on lines of their own.
    pub(crate) fn into_error(self, expression: &str) -> Error {
        let start = self.at.start.min(expression.len());
        let end = self.at.end.clamp(start, expression.len());
        let (before, spot, after) = match (expression.get(..start), expression.get(start..end), expression.get(end..)) {
            (Some(before), Some(spot), Some(after)) => (printable(before), printable(spot), printable(after)),
            _ => (String::new(), printable(expression), String::new()),
        };
        let (before, cut_before) = last_columns(&before, SHOWN / 2);
        let (shown, cut_after) = first_columns(&format!("{spot}{after}"), SHOWN - before.width());
        let lead = if cut_before { "…" } else { "" };
        let tail = if cut_after { "…" } else { "" };
        let carets = spot.width().clamp(1, shown.width().max(1));
        Error::new(
            ErrorKind::Usage,
            format!(
                "in the filter: {}\n  {lead}{before}{shown}{tail}\n  {}{}",
                self.what,
                " ".repeat(lead.width() + before.width()),
                "^".repeat(carets)
            ),
        )
        .hint(self.hint)
    }
}

/// Control characters would move the caret or the terminal: each becomes one visible character.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || c.width().unwrap_or(0) == 0 { '\u{fffd}' } else { c }).collect()
}

fn first_columns(text: &str, columns: usize) -> (String, bool) {
    let mut width = 0;
    let kept: String = text
        .chars()
        .take_while(|c| {
            width += c.width().unwrap_or(0);
            width <= columns
        })
        .collect();
    let cut = kept.len() < text.len();
    (kept, cut)
}

fn last_columns(text: &str, columns: usize) -> (String, bool) {
    let backwards: String = text.chars().rev().collect();
    let (kept, cut) = first_columns(&backwards, columns);
    (kept.chars().rev().collect(), cut)
}
