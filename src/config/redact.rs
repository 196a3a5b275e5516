//! What people don't get to see on a screen: `redact` rules of a profile.
//!
//! A rule names a header (`header.authorization`, any case), the key (`key`), a property (`property.user_id`), the
//! whole body (`body`) or a place in a JSON body (`body.card.number`, `body.items[].price`). Where a rule names a
//! place in the body and the body is not JSON, the whole body is hidden: the place can't be found, so it may be
//! anywhere. Limits: rules hide what is *shown*; machine lines stay lossless, and so do archives and replays.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use serde_json::Value as Json;

use crate::message::{Fields, Message, Value};

/// What stands in place of something hidden.
const HIDDEN: &str = "***";

/// One rule, see the file's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedactRule {
    /// A place in a JSON body; no steps for the whole body.
    Body(Vec<Step>),
    /// A header by name.
    Header(String),
    /// A property by name.
    Property(String),
    /// The key.
    Key,
}

/// One step into a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// One element of an array.
    Element(usize),
    /// Every element of an array.
    Every,
}

/// The form that is written in the config file.
impl fmt::Display for RedactRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Header(name) => write!(f, "header.{name}"),
            Self::Property(name) => write!(f, "property.{name}"),
            Self::Body(steps) => {
                f.write_str("body")?;
                steps.iter().try_for_each(|step| match step {
                    Step::Member(name) if name.contains(['.', '[', ']', '"']) => write!(f, ".\"{name}\""),
                    Step::Member(name) => write!(f, ".{name}"),
                    Step::Element(index) => write!(f, "[{index}]"),
                    Step::Every => f.write_str("[]"),
                })
            }
        }
    }
}

impl FromStr for RedactRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (place, rest) = text.split_once('.').map_or((text, None), |(place, rest)| (place, Some(rest)));
        match (place, rest) {
            ("key", None) => Ok(Self::Key),
            ("header", Some(name)) if !name.is_empty() => Ok(Self::Header(name.to_owned())),
            ("property", Some(name)) if !name.is_empty() => Ok(Self::Property(name.to_owned())),
            ("body", None) => Ok(Self::Body(Vec::new())),
            ("body", Some(path)) => steps(path).map(Self::Body).ok_or_else(|| {
                format!("{text:?} is no path into a body; write body.card.number or body.items[].price")
            }),
            _ => Err(format!("{text:?} names nothing to hide; write body.PATH, header.NAME, property.NAME or key")),
        }
    }
}

/// Reads `card.number`, `items[].price`, `items[0]`, `a."odd.name"`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    let mut rest = path;
    loop {
        let name = if let Some(quoted) = rest.strip_prefix('"') {
            let (name, after) = quoted.split_once('"')?;
            rest = after;
            name
        } else {
            let end = rest.find(['.', '[', ']', '"']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            rest = after;
            name
        };
        if name.is_empty() {
            return None;
        }
        steps.push(Step::Member(name.to_owned()));
        while let Some(inner) = rest.strip_prefix('[') {
            let (index, after) = inner.split_once(']')?;
            steps.push(if index.is_empty() { Step::Every } else { Step::Element(index.parse().ok()?) });
            rest = after;
        }
        match rest.strip_prefix('.') {
            Some(after) => rest = after,
            None if rest.is_empty() => return Some(steps),
            None => return None,
        }
    }
}

/// The rules of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redaction(Vec<RedactRule>);

impl Redaction {
    /// These rules.
    #[must_use]
    pub fn new(rules: Vec<RedactRule>) -> Self {
        Self(rules)
    }

    /// The rules, in the order written.
    #[must_use]
    pub fn rules(&self) -> &[RedactRule] {
        &self.0
    }

    /// The message as people may see it. Its digest differs: never publish or store it.
    #[must_use]
    pub fn for_screen(&self, message: &Message) -> Message {
        let mut shown = message.clone();
        let mut paths = Vec::new();
        for rule in &self.0 {
            match rule {
                RedactRule::Key => shown.key = shown.key.map(|_| Bytes::from_static(HIDDEN.as_bytes())),
                RedactRule::Header(name) => shown.headers = hide(&shown.headers, name),
                RedactRule::Property(name) => shown.properties = hide(&shown.properties, name),
                RedactRule::Body(path) => paths.push(path.as_slice()),
            }
        }
        if let Some(payload) = shown.payload.as_ref().filter(|payload| !payload.is_empty() && !paths.is_empty()) {
            let mut json: Json = serde_json::from_slice(payload).unwrap_or_else(|_| HIDDEN.into());
            for path in paths {
                hide_at(&mut json, path);
            }
            // Always the text of what was parsed: a duplicate member that the parser dropped must not show either.
            let text = if json.as_str() == Some(HIDDEN) { HIDDEN.to_owned() } else { json.to_string() };
            shown.payload = Some(Bytes::from(text));
        }
        shown
    }
}

fn hide(fields: &Fields, name: &str) -> Fields {
    let hidden = |(n, value): &(String, Value)| {
        (n.clone(), if n.eq_ignore_ascii_case(name) { Value::text(HIDDEN) } else { value.clone() })
    };
    fields.iter().map(hidden).collect()
}

/// Hides what the path leads to, if there is anything.
fn hide_at(json: &mut Json, path: &[Step]) {
    let Some((step, rest)) = path.split_first() else {
        *json = HIDDEN.into();
        return;
    };
    match (step, json) {
        (Step::Member(name), Json::Object(members)) => {
            members.get_mut(name).into_iter().for_each(|at| hide_at(at, rest));
        }
        (Step::Element(index), Json::Array(elements)) => {
            elements.get_mut(*index).into_iter().for_each(|at| hide_at(at, rest));
        }
        (Step::Every, Json::Array(elements)) => elements.iter_mut().for_each(|at| hide_at(at, rest)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rules: &[&str], payload: &str) -> Message {
        let message = Message {
            key: Some(Bytes::from_static(b"order-17")),
            headers: Fields::from_iter([("Authorization", "Bearer geheim"), ("tenant", "acme")]),
            payload: Some(Bytes::from(payload.to_owned())),
            ..Message::default()
        };
        Redaction::new(rules.iter().map(|rule| rule.parse().unwrap()).collect()).for_screen(&message)
    }

    #[test]
    fn rules_hide_headers_keys_and_places_in_the_body() {
        let rules = ["header.authorization", "key", "body.items[].card.\"no.\"", "body.pins[1]"];
        let message = shown(&rules, r#"{"n":1.50,"items":[{"card":{"no.":"4111"}},{"card":{"no.":5}}],"pins":[1,2]}"#);
        let body = String::from_utf8(message.body().to_vec()).unwrap();
        assert_eq!(body, r#"{"n":1.50,"items":[{"card":{"no.":"***"}},{"card":{"no.":"***"}}],"pins":[1,"***"]}"#);
        assert_eq!(message.headers.get_str("Authorization"), Some("***"));
        assert_eq!(message.headers.get_str("tenant"), Some("acme"));
        assert_eq!(message.key.as_deref(), Some(&b"***"[..]));
    }

    #[test]
    fn a_body_in_which_the_place_can_not_be_found_is_hidden_whole_unless_it_is_json() {
        assert_eq!(shown(&["body.card"], "card=4111").body(), b"***");
        assert_eq!(shown(&["body.card"], "{ \"other\": 1 }").body(), b"{\"other\":1}");
        assert_eq!(shown(&["body.card.no"], r#"{"card":{"no":4111},"card":2}"#).body(), br#"{"card":2}"#);
        assert_eq!(shown(&["body"], "{\"a\":1}").body(), b"***");
        assert_eq!(shown(&[], "card=4111").body(), b"card=4111");
    }

    #[test]
    fn a_rule_that_names_nothing_is_refused() {
        for rule in ["", "bdy.x", "header.", "header", "body.", "body.a..b", "body.a[x]", "body.a]", "key.x"] {
            assert!(rule.parse::<RedactRule>().is_err(), "{rule}");
        }
    }
}
