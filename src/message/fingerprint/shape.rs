//! What kind of message it is, for those that carry no reason: its declared type, else the shape of its JSON.
//!
//! The shape is the set of keys, three levels deep; values, array lengths and key order do not count, and keys with
//! digits (ids as keys) are alike. Limits: bodies over [`MAX_BODY`] bytes and of other formats have only a format.

use std::collections::BTreeSet;

use serde::de::{DeserializeSeed as _, IgnoredAny, MapAccess, SeqAccess};

use crate::message::Message;
use crate::message::json::{NUMBER, Visit, Walk};

/// Bodies beyond this are not parsed.
const MAX_BODY: usize = 1024 * 1024;
/// Deeper keys do not count.
const MAX_DEPTH: usize = 3;
/// More different keys than this on one level end the shape.
const MAX_KEYS: usize = 200;

/// Headers and properties in which writers declare the type, most specific first.
const TYPES: [&str; 12] = [
    "NServiceBus.EnclosedMessageTypes",
    "MT-MessageType",
    "rbs2-msg-type",
    "message-type",
    "__TypeId__",
    "ce_type",
    "ce-type",
    "cloudEvents:type",
    "cloudEvents_type",
    "task",
    "messageType",
    "type",
];

/// The type that the message declares: a class, a CloudEvents type, a Celery task.
#[must_use]
pub fn declared_type(message: &Message) -> Option<&str> {
    let header = TYPES.iter().find_map(|name| message.headers.get_str(name));
    let name = header.or_else(|| message.properties.get_str("type"))?;
    // An assembly-qualified .NET name carries versions that change with every build.
    let name = name.split([';', ',']).next().unwrap_or(name).trim();
    (!name.is_empty()).then_some(name)
}

/// The shape of the body: `{amount,id,items[],user{name}}`, or its format where it is no JSON object.
#[must_use]
pub fn shape(message: &Message) -> String {
    let Some(body) = message.payload.as_deref() else { return "null".to_owned() };
    let Some(start) = body.iter().find(|byte| !byte.is_ascii_whitespace()) else { return "empty".to_owned() };
    if matches!(start, b'{' | b'[') && body.len() <= MAX_BODY {
        let mut parser = serde_json::Deserializer::from_slice(body);
        let mut out = String::new();
        if Walk(Shape { out: &mut out, depth: 0 }).deserialize(&mut parser).is_ok() && parser.end().is_ok() {
            return out;
        }
    }
    match (start, std::str::from_utf8(body)) {
        (b'<', Ok(_)) => "xml",
        (_, Ok(_)) => "text",
        (_, Err(_)) => "binary",
    }
    .to_owned()
}

/// Writes the shape of the value that it reads.
struct Shape<'a> {
    out: &'a mut String,
    depth: usize,
}

impl<'de> Visit<'de> for Shape<'_> {
    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.out.push_str("[]");
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut keys = BTreeSet::new();
        while let Some(mut key) = fields.next_key::<String>()? {
            if key == NUMBER {
                fields.next_value::<IgnoredAny>()?;
                return Ok(());
            }
            if key.bytes().any(|byte| byte.is_ascii_digit()) {
                "*".clone_into(&mut key);
            }
            if self.depth < MAX_DEPTH && keys.len() < MAX_KEYS {
                fields.next_value_seed(Walk(Shape { out: &mut key, depth: self.depth + 1 }))?;
                keys.insert(key);
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        self.out.push('{');
        for (i, key) in keys.iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.out.push_str(key);
        }
        self.out.push('}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> String {
        shape(&Message { payload: Some(body.to_owned().into()), ..Message::default() })
    }

    #[test]
    fn values_order_and_ids_as_keys_do_not_count() {
        let want = "{items[],lines{*{sku}},user{name}}";
        for body in [
            r#"{"user":{"name":"a"},"items":[1,2],"lines":{"17":{"sku":"x"},"18":{"sku":null}}}"#,
            r#" {"items":[],"lines":{"9":{"sku":1e400}},"user":{"name":99999999999999999999999}}"#,
        ] {
            assert_eq!(of(body), want);
        }
        assert_ne!(of(r#"{"a":1}"#), of(r#"{"b":1}"#));
    }

    #[test]
    fn other_bodies_have_a_format() {
        for (body, want) in
            [("", "empty"), ("  ", "empty"), ("hello", "text"), ("{cut", "text"), ("<a/>", "xml"), ("[1]", "[]")]
        {
            assert_eq!(of(body), want, "{body}");
        }
        assert_eq!(shape(&Message::default()), "null");
        assert_eq!(of(&"[".repeat(100_000)), "text", "nesting is bounded");
    }

    #[test]
    fn a_declared_type_loses_its_assembly_version() {
        let mut message = Message::default();
        message
            .headers
            .push("NServiceBus.EnclosedMessageTypes", "Acme.Orders.PlaceOrder, Acme, Version=1.2.0.0;Acme.ICommand");
        assert_eq!(declared_type(&message), Some("Acme.Orders.PlaceOrder"));
    }
}
