//! The difference that an edit makes to a message, line by line: key, headers, properties and the body.
//!
//! A JSON body is shown one member a line, so that a change is one line, too. Limits: other bodies are shown as text,
//! or as their size.

use std::fmt::Write as _;

use similar::{ChangeTag, TextDiff};

use super::Sample;
use crate::message::{Fields, Message, jsonl};

/// Lines around a change.
const CONTEXT: usize = 1;

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// It is going to be gone.
    Gone,
    /// It is new.
    New,
    /// It stays, and is shown for what stands beside it.
    Same,
    /// Lines that stay and are not shown.
    Gap,
}

impl Change {
    /// The sign before the line.
    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Gone => "-",
            Self::New => "+",
            Self::Same => " ",
            Self::Gap => "…",
        }
    }
}

impl Sample {
    /// The difference, line by line. What a terminal takes for a command is still in it.
    pub(crate) fn difference(&self) -> Vec<(Change, String)> {
        let (old, new) = (text(&self.before), text(&self.after));
        let diff = TextDiff::from_lines(&old, &new);
        let mut lines = Vec::new();
        for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
            if at > 0 {
                lines.push((Change::Gap, String::new()));
            }
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let became = match change.tag() {
                    ChangeTag::Delete => Change::Gone,
                    ChangeTag::Insert => Change::New,
                    ChangeTag::Equal => Change::Same,
                };
                lines.push((became, change.value().trim_end_matches('\n').to_owned()));
            }
        }
        lines
    }
}

/// A message as lines.
fn text(message: &Message) -> String {
    let mut out = String::new();
    if let Some(key) = &message.key {
        // Writing to a String can't fail.
        _ = writeln!(out, "key: {}", String::from_utf8_lossy(key));
    }
    let mut fields = |what: &str, fields: &Fields| {
        for (name, value) in fields {
            let mut text = Vec::new();
            jsonl::write_value(value, &mut text);
            _ = writeln!(out, "{what} {name}: {}", String::from_utf8_lossy(&text));
        }
    };
    fields("header", &message.headers);
    fields("property", &message.properties);
    out.push_str(&body(message));
    out
}

fn body(message: &Message) -> String {
    let Some(payload) = message.payload.as_deref() else { return "no body\n".into() };
    if let Ok(json) = serde_json::from_slice::<serde_json::Value>(payload)
        && let Ok(pretty) = serde_json::to_string_pretty(&json)
    {
        return format!("{pretty}\n");
    }
    match std::str::from_utf8(payload) {
        Ok(text) => format!("{text}\n"),
        Err(_) => format!("{} bytes\n", payload.len()),
    }
}
