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

use crate::message::codec::inside;
use crate::message::filter::{Field, Pick};
use crate::message::path::{Path, Step, quoted_name};
use crate::message::{Fields, Message, Name, Value};

/// What stands in place of something hidden.
const HIDDEN: &str = "***";

/// One rule, see the file's head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedactRule {
    /// A place in a JSON body, or the whole body.
    Body(Path),
    /// A header by name.
    Header(String),
    /// A property by name.
    Property(String),
    /// The key.
    Key,
}

/// The form that is written in the config file.
impl fmt::Display for RedactRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("key"),
            Self::Header(name) => write!(f, "header.{}", quoted_name(name)),
            Self::Property(name) => write!(f, "property.{}", quoted_name(name)),
            Self::Body(path) => write!(f, "body{path}"),
        }
    }
}

impl FromStr for RedactRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match Pick::parse(text).map(Pick::into_field) {
            Ok(Field::Key) => Ok(Self::Key),
            Ok(Field::Header(name)) => Ok(Self::Header(name)),
            Ok(Field::Property(name)) => Ok(Self::Property(name)),
            Ok(Field::Body(path)) => Ok(Self::Body(path)),
            Err(_) if text.starts_with("body.") || text.starts_with("body[") => {
                Err(format!("{text:?} is no path into a body; write body.card.number or body.items[].price"))
            }
            _ => Err(format!("{text:?} names nothing to hide; write body.PATH, header.NAME, property.NAME or key")),
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
                RedactRule::Body(path) => paths.push(path.0.as_slice()),
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
    let hidden = |(n, value): &(Name, Value)| {
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
        (Step::Name(name), Json::Object(members)) => {
            members.get_mut(name).into_iter().for_each(|at| hide_at(at, rest));
        }
        (Step::Index(index), Json::Array(elements)) => {
            elements.get_mut(*index).into_iter().for_each(|at| hide_at(at, rest));
        }
        (Step::Any, Json::Array(elements)) => elements.iter_mut().for_each(|at| hide_at(at, rest)),
        (_, Json::String(text)) => hide_inside(text, path),
        _ => {}
    }
}

/// Hides a place in what a string holds: JSON is written again without it, anything else is hidden whole.
fn hide_inside(text: &mut String, path: &[Step]) {
    let Some(view) = inside(text) else { return };
    let json = view.steps.is_empty().then(|| serde_json::from_str::<Json>(text).ok()).flatten();
    *text = match json {
        Some(mut json) => {
            hide_at(&mut json, path);
            json.to_string()
        }
        None => HIDDEN.to_owned(),
    };
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
        let inside = r#"{"Message":"{\"card\":4111}","packed":"eyJjYXJkIjo0MTExfQ==","text":"card"}"#;
        let rules = ["body.Message.card", "body.packed.card", "body.text.card"];
        let hidden = r#"{"Message":"{\"card\":\"***\"}","packed":"***","text":"card"}"#;
        assert_eq!(String::from_utf8_lossy(shown(&rules, inside).body()), hidden);
    }

    #[test]
    fn a_rule_that_names_nothing_is_refused() {
        assert_eq!("header.\"odd name\"".parse::<RedactRule>().unwrap().to_string(), "header.\"odd name\"");
        for rule in ["", "bdy.x", "header.", "header", "body.", "body.a..b", "body.a[x]", "body.a]", "key.x"] {
            assert!(rule.parse::<RedactRule>().is_err(), "{rule}");
        }
    }
}
