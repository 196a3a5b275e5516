//! What kind of message it is, for those that carry no reason: its declared type, else the shape of its JSON.
//!
//! The shape is the set of keys, three levels deep; values, array lengths and key order do not count, nor what is told of
//! the sending (`traceparent`, `correlationId`), and keys with digits (ids as keys) are alike. Limits: bodies over
//! [`MAX_BODY`] bytes and of other formats have only a format.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::de::{DeserializeSeed as _, IgnoredAny, MapAccess, SeqAccess};

use super::words;
use crate::message::Message;
use crate::message::json::{NUMBER, Visit, Walk};
use crate::text::words::Words;

/// Bodies beyond this are not parsed.
const MAX_BODY: usize = 1024 * 1024;
/// Deeper keys do not count.
const MAX_DEPTH: usize = 3;
/// A longer name is no type's.
const MAX_TYPE: usize = 80;
/// More different keys than this on one level end the shape.
const MAX_KEYS: usize = 200;

/// Keys at the top that tell of the sending, and come and go with it.
static SENDING: Words = Words::new(&[
    "traceparent",
    "tracestate",
    "traceId",
    "trace_id",
    "spanId",
    "span_id",
    "baggage",
    "correlationId",
    "correlation_id",
    "causationId",
    "causation_id",
    "requestId",
    "request_id",
    "schemaVersion",
    "schema_version",
    "source",
    "producer",
    "sentAt",
    "sent_at",
    "meta",
    "metadata",
    "tenant",
    "tenantId",
    "tenant_id",
]);

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

/// Fields at the top of a JSON body in which writers state the type.
const STATED: [&str; 9] = [
    "type",
    "eventType",
    "event_type",
    "messageType",
    "message_type",
    "event",
    "eventName",
    "event_name",
    "detail-type",
];

/// The type that the message declares: a class, a CloudEvents type, a Celery task; else the one that its JSON body states
/// at the top, where that is a name of several words such as `invoice.issued`: one word alone is often a value.
#[must_use]
pub fn declared_type(message: &Message) -> Option<Cow<'_, str>> {
    let header = TYPES.iter().find_map(|name| message.headers.get_str(name));
    let Some(name) = header.or_else(|| message.properties.get_str("type")) else {
        return stated_type(message).map(Cow::Owned);
    };
    // An assembly-qualified .NET name carries versions that change with every build.
    let name = name.split([';', ',']).next().unwrap_or(name).trim();
    (!name.is_empty()).then_some(Cow::Borrowed(name))
}

fn stated_type(message: &Message) -> Option<String> {
    let body = message.body();
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if *start != b'{' || body.len() > MAX_BODY {
        return None;
    }
    let mut stated = None;
    let mut parser = serde_json::Deserializer::from_slice(body);
    Walk(Top(&mut stated)).deserialize(&mut parser).ok()?;
    stated
}

/// Looks for the type at the top of a body.
struct Top<'a>(&'a mut Option<String>);

impl<'de> Visit<'de> for Top<'_> {
    fn list<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            if self.0.is_none() && STATED.contains(&&*name) {
                fields.next_value_seed(Walk(TypeName(self.0)))?;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// Takes a string that is the name of a type.
struct TypeName<'a>(&'a mut Option<String>);

impl<'de> Visit<'de> for TypeName<'_> {
    fn list<A: SeqAccess<'de>>(self, items: A) -> Result<(), A::Error> {
        Top(&mut None).list(items)
    }

    fn object<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while fields.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn text(self, text: &str) {
        let mut parts =
            text.split(['.', '-', '_', ':', '/']).map(|word| word.trim_end_matches(|c: char| c.is_ascii_digit()));
        let is_word = |word: &str| word.bytes().all(|byte| byte.is_ascii_alphabetic());
        let several = text.contains(['.', '-', '_', ':', '/']) || words::has_hump(text);
        if several
            && text.len() <= MAX_TYPE
            && text.starts_with(|c: char| c.is_ascii_alphabetic())
            && parts.all(is_word)
        {
            *self.0 = Some(text.to_owned());
        }
    }
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
            if self.depth < MAX_DEPTH && keys.len() < MAX_KEYS && !(self.depth == 0 && SENDING.has(&key)) {
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
        assert_eq!(of(r#"{"a":{"source":1},"traceparent":"00","source":"web"}"#), "{a{source}}");
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
        assert_eq!(declared_type(&message).as_deref(), Some("Acme.Orders.PlaceOrder"));
    }

    #[test]
    fn a_body_states_its_type_by_a_name_of_several_words() {
        let of = |body: &'static str| {
            declared_type(&Message { payload: Some(body.into()), ..Message::default() }).map(Cow::into_owned)
        };
        assert_eq!(
            of(r#"{"id":1,"type":"invoice.issued.v2","lines":[{"type":"a.b"}]}"#).as_deref(),
            Some("invoice.issued.v2")
        );
        assert_eq!(of(r#"{"type":"retail","event":"OrderPlaced"}"#).as_deref(), Some("OrderPlaced"));
        for none in [
            r#"{"type":"retail"}"#,
            r#"{"type":{"a":[1,{"b":2}]}}"#,
            r#"{"type":["a.b"]}"#,
            r#"{"type":17}"#,
            r#"{"type":"ord-17-x9a.b"}"#,
            r#"{"line":{"type":"a.b"}}"#,
            "[1]",
            "{",
        ] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
