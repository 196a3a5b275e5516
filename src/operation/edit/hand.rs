//! Edits by hand: messages as a text for an editor, and what was changed in it as a jq program.
//!
//! The text has one JSON object a message, as a program sees it, under lines of comment. What came back is compared with
//! what was given, and the difference is a program like any other: it is shown in the plan, kept in saved plans, and known
//! to a resume. Limits: equal messages have one id, so a change to one is a change to all of them.

use std::fmt::Write as _;

use serde_json::{Map, Value};

use super::program::rejected;
use super::view::View;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// Fields that can be changed.
const FIELDS: [&str; 4] = ["key", "headers", "properties", "body"];

/// What the text begins with.
const HEAD: &str = "\
# Change the messages below, save and close; lines that begin with # are left out.
# An unchanged file changes nothing; an empty file gives up. The id only names a message.
";

/// The text for an editor.
///
/// # Errors
/// `Rejected` for a message that has no such form.
pub fn text(messages: &[Message]) -> Result<String> {
    let mut text = HEAD.to_owned();
    for (number, message) in (1..).zip(messages) {
        let value: Value = serde_json::from_slice(&View::of(message)?.json())
            .map_err(|error| rejected(&format!("it can't be shown in an editor: {error}")))?;
        // Writing into a String can't fail.
        _ = write!(text, "\n# {number} of {}\n{value:#}\n", messages.len());
    }
    Ok(text)
}

/// What was changed, as a jq program; `None` where nothing was, or everything was taken out.
///
/// # Errors
/// `Usage`, naming line and column, for what is no JSON, and for messages that are missing, new or changed in two ways.
pub fn program(given: &str, back: &str) -> Result<Option<String>> {
    let (given, back) = (objects(given)?, objects(back)?);
    if back.is_empty() {
        return Ok(None);
    }
    let mut changes: Vec<(String, String)> = Vec::new();
    for old in &given {
        let id = id(old)?;
        let new = back.iter().filter(|new| new.get("id") == old.get("id"));
        let mut found = None;
        for new in new {
            let change = change(old, new)?;
            match &found {
                Some(found) if *found != change => {
                    return Err(wrong(format!("{id} is there more than once, with different changes"))
                        .hint("equal messages can't be told apart: change all of them, or none"));
                }
                _ => found = Some(change),
            }
        }
        let change = found.ok_or_else(|| {
            wrong(format!("{id} is no longer in the file"))
                .hint("leave messages that are to stay as they are unchanged")
        })?;
        if !change.is_empty() && !changes.iter().any(|(known, _)| known == id) {
            changes.push((id.to_owned(), change));
        }
    }
    if let Some(new) = back.iter().find(|new| !given.iter().any(|old| old.get("id") == new.get("id"))) {
        return Err(wrong(format!("{} was not in the file", id(new)?)).hint("`postroom publish` sends new messages"));
    }
    let mut program = String::new();
    for (id, change) in &changes {
        let word = if program.is_empty() { "if" } else { " elif" };
        _ = write!(program, "{word} .id == {} then {change}", literal(id));
    }
    Ok((!changes.is_empty()).then(|| program + " else . end"))
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::Usage, what)
}

fn id(object: &Map<String, Value>) -> Result<&str> {
    object.get("id").and_then(Value::as_str).ok_or_else(|| wrong("a message has lost its id".to_owned()))
}

/// What of a message is different, as a program; empty where nothing is.
fn change(old: &Map<String, Value>, new: &Map<String, Value>) -> Result<String> {
    if let Some(name) = new.keys().find(|name| *name != "id" && !FIELDS.contains(&name.as_str())) {
        return Err(
            wrong(format!("a message has a field {name:?}")).hint("id, key, headers, properties and body are there")
        );
    }
    let differs = |name: &&&str| old.get(**name).unwrap_or(&Value::Null) != new.get(**name).unwrap_or(&Value::Null);
    let changes = FIELDS.iter().filter(differs).map(|name| {
        // As a text, numbers keep all their digits on their way through jq.
        format!(".{name} = ({} | fromjson)", literal(&new.get(*name).unwrap_or(&Value::Null).to_string()))
    });
    Ok(changes.collect::<Vec<_>>().join(" | "))
}

/// A text as jq writes it.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

fn objects(text: &str) -> Result<Vec<Map<String, Value>>> {
    // Comments keep their lines, so that a fault is where it is said to be.
    let bare: Vec<&str> = text.lines().map(|line| if line.starts_with('#') { "" } else { line }).collect();
    let bare = bare.join("\n");
    serde_json::Deserializer::from_str(&bare)
        .into_iter()
        .collect::<Result<_, _>>()
        .map_err(|error: serde_json::Error| wrong(format!("the file is no JSON any more: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::edit::Edit;

    fn message(id: &str, body: &str) -> Message {
        Message { id: id.into(), payload: Some(body.to_owned().into()), ..Message::default() }
    }

    #[test]
    fn what_is_changed_in_the_text_is_changed_in_the_message_and_nothing_else() {
        let messages = [message("a", r#"{"n":12345678901234567890123,"c":null}"#), message("b", r"plain \(x)")];
        let given = text(&messages).unwrap();
        assert_eq!(program(&given, &given).unwrap(), None);
        assert_eq!(program(&given, "# nothing\n").unwrap(), None);
        let back = given.replace("\"c\": null", r#""c": "EUR \\(1)""#).replace("plain", "plainer");
        let edit = Edit::parse(&program(&given, &back).unwrap().unwrap()).unwrap();
        let body = |n: usize| edit.apply(&messages[n]).unwrap().map(|m| String::from_utf8_lossy(m.body()).into_owned());
        assert_eq!(body(0).as_deref(), Some(r#"{"n":12345678901234567890123,"c":"EUR \\(1)"}"#));
        assert_eq!(body(1).as_deref(), Some(r"plainer \(x)"));
        assert_eq!(edit.apply(&message("c", "{}")).unwrap(), None);
    }

    #[test]
    fn what_can_t_be_read_again_is_named() {
        let given = text(&[message("a", "{}"), message("b", "{}")]).unwrap();
        let fault = |back: &str| program(&given, back).unwrap_err().to_string();
        assert!(fault(&given.replace("\"a\"", "\"z\"")).contains("a is no longer in the file"));
        assert!(fault(&given.replace("\"key\": null,", "\"key\": null")).contains("line "));
        assert!(fault(&given.replace("\"key\"", "\"kye\"")).contains("kye"));
        assert!(fault(&(given.clone() + r#"{"id":"new"}"#)).contains("new was not in the file"));
    }
}
