//! A message as a jq program sees it, and back again with everything that it did not touch.

use base64::Engine as _;
use jaq_json::{Map, Val, read, write};

use super::program::rejected;
use crate::error::{Error, ErrorKind, Result};
use crate::message::codec::{frame_of, json_frame};
use crate::message::{Fields, Message, jsonl};

/// The fields of the object, in order.
const FIELDS: [&str; 5] = ["id", "key", "headers", "properties", "body"];

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// JSON behind so many bytes of a registry's frame, which stay as they are.
    Json(usize),
    Text,
    Bytes,
    None,
}

/// One message, seen.
pub(super) struct View<'a> {
    message: &'a Message,
    kind: Body,
    /// By the names of [`FIELDS`].
    fields: [Val; 5],
}

impl<'a> View<'a> {
    /// # Errors
    /// `Rejected` for a message whose line jq can't read.
    pub(super) fn of(message: &'a Message) -> Result<Self> {
        let (kind, body) = body(message);
        // The line has the exact form of every type; only the payload is seen another way.
        let bare = Message { payload: None, ..message.clone() };
        let mut line = Vec::new();
        jsonl::write_line(&bare, None, &mut line);
        let line = parse(&line)?;
        let field = |name: &str| get(&line, name).unwrap_or_default();
        let key = match field("key") {
            // Text in short form, as it may be given back.
            key @ Val::Obj(_) => get(&key, "utf8").unwrap_or(key),
            key => key,
        };
        let fields = [field("id"), key, by_name(&field("headers")), by_name(&field("properties")), body];
        Ok(Self { message, kind, fields })
    }

    /// The object that the program gets.
    pub(super) fn value(&self) -> Val {
        Val::obj(FIELDS.iter().map(|name| text(name)).zip(self.fields.iter().cloned()).collect())
    }

    /// The same as JSON.
    pub(super) fn json(&self) -> Vec<u8> {
        bytes(&self.value())
    }

    /// The message that the program made of it; `None` where nothing is different.
    ///
    /// # Errors
    /// `Rejected` where it is no message any more.
    pub(super) fn edited(&self, given: &Val) -> Result<Option<Message>> {
        let Val::Obj(given) = given else {
            return Err(rejected("the edit gives no object: it has to give the whole message, such as `.body.a = 1`"));
        };
        let is_known = |name: &Val| FIELDS.iter().any(|field| *name == text(field));
        if let Some(name) = given.keys().find(|name| !is_known(name)) {
            return Err(rejected(&format!("the edit gives a field {name}, and a message has none of that name"))
                .hint("id, key, headers, properties and body are there"));
        }
        let [id, key, headers, properties, body] =
            FIELDS.map(|name| given.get(&text(name)).cloned().unwrap_or_default());
        let [old_id, old_key, old_headers, old_properties, old_body] = &self.fields;
        if !same(&id, old_id) {
            return Err(rejected("the edit changes the id, which the queue gives"));
        }
        let mut edited = self.message.clone();
        let mut is_changed = false;
        if !same(&body, old_body) {
            edited.payload = self.payload(&body)?.map(Into::into);
            is_changed = true;
        }
        let pieces = [(&headers, old_headers), (&properties, old_properties), (&key, old_key)];
        if pieces.iter().any(|(new, old)| !same(new, old)) {
            let read = fields(&key, &headers, &properties)?;
            if !same(&key, old_key) {
                edited.key = read.key;
            }
            edited.headers = merged(&self.message.headers, &read.headers, old_headers, &headers);
            edited.properties = merged(&self.message.properties, &read.properties, old_properties, &properties);
            is_changed = true;
        }
        Ok(is_changed.then_some(edited))
    }

    fn payload(&self, body: &Val) -> Result<Option<Vec<u8>>> {
        Ok(match (body, self.kind) {
            (Val::Null, _) => None,
            (Val::TStr(text), Body::Text | Body::Bytes | Body::None) => Some(text.to_vec()),
            (Val::Obj(map), Body::Bytes) if map.len() != 1 || get(body, "base64").is_none() => {
                return Err(rejected(&self.opaque()));
            }
            // A JSON body may have a field of that name itself.
            (Val::Obj(map), kind)
                if map.len() == 1
                    && get(body, "base64").is_some()
                    && !(matches!(kind, Body::Json(_)) && get(&self.fields[4], "base64").is_some()) =>
            {
                fields(body, &Val::default(), &Val::default())
                    .map_err(|error| rejected(&format!("the edit gives a body that is no base64: {error}")))?
                    .key
                    .map(|bytes| bytes.to_vec())
            }
            _ => {
                let json = bytes(body);
                // jq has numbers and byte strings that JSON does not have.
                serde_json::from_slice::<serde::de::IgnoredAny>(&json)
                    .map_err(|error| rejected(&format!("the edit gives a body that is no JSON: {error}")))?;
                let frame = match self.kind {
                    Body::Json(frame) => frame,
                    Body::Text | Body::Bytes | Body::None => 0,
                };
                let mut framed = self.message.body().get(..frame).unwrap_or_default().to_vec();
                framed.extend_from_slice(&json);
                Some(framed)
            }
        })
    }

    /// Why a body of other bytes than text can't be edited by its fields.
    fn opaque(&self) -> String {
        let what = match frame_of(self.message) {
            Some((registry, id)) => format!("its body is packed by {id} of a registry ({registry}), and is no JSON"),
            None => "its body is neither JSON nor text".to_owned(),
        };
        format!("{what}: an edit can replace it as a whole, by {{\"base64\": …}}, and not change its fields")
    }
}

/// What the body is, and how it is seen.
fn body(message: &Message) -> (Body, Val) {
    let Some(payload) = message.payload.as_deref() else { return (Body::None, Val::Null) };
    for frame in [0, json_frame(message)] {
        let inner = payload.get(frame..).unwrap_or_default();
        let is_json = serde_json::from_slice::<serde::de::IgnoredAny>(inner).is_ok();
        if is_json && let Ok(value) = read::parse_single(inner) {
            return (Body::Json(frame), value);
        }
    }
    // Packed bytes may be text by chance.
    if std::str::from_utf8(payload).is_ok() && frame_of(message).is_none() {
        return (Body::Text, Val::utf8_str(payload.to_vec()));
    }
    let base64 = Val::utf8_str(base64::engine::general_purpose::STANDARD.encode(payload));
    (Body::Bytes, Val::obj([(text("base64"), base64)].into_iter().collect()))
}

fn parse(json: &[u8]) -> Result<Val> {
    read::parse_single(json.trim_ascii_end())
        .map_err(|error| Error::new(ErrorKind::Rejected, format!("jq can't read the message: {error}")))
}

fn text(text: &str) -> Val {
    Val::utf8_str(text.as_bytes().to_vec())
}

fn get(value: &Val, name: &str) -> Option<Val> {
    match value {
        Val::Obj(map) => map.get(&text(name)).cloned(),
        _ => None,
    }
}

fn bytes(value: &Val) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to a Vec can't fail.
    _ = write::write(&mut out, &write::Pp::default(), 0, value);
    out
}

/// Equal as text: 1.0 and 1.00 are different.
fn same(a: &Val, b: &Val) -> bool {
    bytes(a) == bytes(b)
}

/// Pairs as an object; of a repeated name the last stays.
fn by_name(pairs: &Val) -> Val {
    let Val::Arr(pairs) = pairs else { return pairs.clone() };
    let mut map = Map::default();
    for pair in pairs.iter() {
        if let Val::Arr(pair) = pair
            && let [name, value] = pair.as_slice()
        {
            map.insert(name.clone(), value.clone());
        }
    }
    Val::obj(map)
}

/// Reads key, headers and properties by the rules of a message line, which has each type's exact form.
fn fields(key: &Val, headers: &Val, properties: &Val) -> Result<Message> {
    let part = |name: &str, value: &Val| match value {
        Val::Null => Ok(String::from("[]")),
        Val::Obj(_) => Ok(String::from_utf8_lossy(&bytes(value)).into_owned()),
        _ => Err(rejected(&format!("the edit gives {name} that are no object"))),
    };
    let line = format!(
        r#"{{"payload":null,"key":{},"headers":{},"properties":{}}}"#,
        String::from_utf8_lossy(&bytes(key)),
        part("headers", headers)?,
        part("properties", properties)?
    );
    jsonl::read_line(line.as_bytes())
        .map_err(|error| rejected(&format!("what the edit gives is no message: {}", error.message())))
}

/// The fields as they were, but for those that are different now; new ones come last.
fn merged(old: &Fields, read: &Fields, seen: &Val, given: &Val) -> Fields {
    let is_same = |name: &str| match (get(seen, name), get(given, name)) {
        (Some(seen), Some(given)) => same(&seen, &given),
        _ => false,
    };
    let mut out = Fields::new();
    for (name, value) in old {
        if is_same(name) {
            out.push(name.as_str(), value.clone());
        } else if let Some(value) = read.get(name)
            && out.get(name).is_none()
        {
            out.push(name.as_str(), value.clone());
        }
    }
    for (name, value) in read {
        if old.get(name).is_none() {
            out.push(name.as_str(), value.clone());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::Edit;
    use crate::message::{Amqp, Fields, Message, Value};

    fn message(body: &str) -> Message {
        Message {
            id: "m-1".into(),
            key: Some(Bytes::from_static(b"order-17")),
            headers: Fields::from_iter([
                ("tenant", Value::from("acme")),
                ("tenant", Value::from("zeta")),
                ("x-death", Value::Amqp(Amqp::Array(vec![Value::Amqp(Amqp::I8(3))]))),
                ("raw", Value::Bytes(Bytes::from_static(&[0, 255]))),
            ]),
            properties: Fields::from_iter([("delivery_mode", Value::Amqp(Amqp::U8(2)))]),
            payload: Some(Bytes::from(body.to_owned())),
            ..Message::default()
        }
    }

    fn edited(program: &str, message: &Message) -> Option<Message> {
        Edit::parse(program).unwrap().apply(message).unwrap()
    }

    fn refused(program: &str, message: &Message) -> String {
        Edit::parse(program).unwrap().apply(message).unwrap_err().to_string()
    }

    #[test]
    fn what_is_not_touched_keeps_its_bytes() {
        let before = message("{ \"b\": 1.10,\n \"a\": 12345678901234567890123, \"big\": 1E400 }");
        assert_eq!(edited(".", &before), None);
        assert_eq!(edited(".body.b = .body.b", &before), None);
        let after = edited(".body.c = \"x\"", &before).unwrap();
        assert_eq!(after.body(), br#"{"b":1.10,"a":12345678901234567890123,"big":1E400,"c":"x"}"#);
        assert_eq!(Message { payload: None, ..after }, Message { payload: None, ..before.clone() });
        let after = edited(".headers.new = 1", &before).unwrap();
        assert_eq!(after.payload, before.payload);
        assert_eq!(after.headers.len(), before.headers.len() + 1);
    }

    #[test]
    fn headers_properties_and_key_are_set_changed_and_taken_out() {
        let before = message("{}");
        let program = r#".headers.tenant = "new" | del(.headers.raw) | .key = null | .properties.priority = 5"#;
        let after = edited(program, &before).unwrap();
        let expected = Fields::from_iter([
            ("tenant", Value::from("new")),
            ("x-death", Value::Amqp(Amqp::Array(vec![Value::Amqp(Amqp::I8(3))]))),
        ]);
        assert_eq!((after.headers, after.key), (expected, None));
        assert_eq!(after.properties.get("delivery_mode"), Some(&Value::Amqp(Amqp::U8(2))));
        assert_eq!(after.properties.get("priority"), Some(&Value::Int(5)));
        let binary = edited(r#".key = {"base64":"AP8="}"#, &before).unwrap();
        assert_eq!(binary.key.as_deref(), Some([0, 255].as_slice()));
    }

    #[test]
    fn bodies_that_are_no_json_are_text_or_bytes_and_null_is_none() {
        let after = |program: &str, body: &str| edited(program, &message(body)).unwrap().payload;
        assert_eq!(after(r#".body |= sub("a"; "b")"#, "a plain text").as_deref(), Some(b"b plain text".as_slice()));
        assert_eq!(after(".body = {a: 1}", "text").as_deref(), Some(br#"{"a":1}"#.as_slice()));
        assert_eq!(after(".body |= tojson", "[1]").as_deref(), Some(br#""[1]""#.as_slice()));
        assert_eq!(after(".body = null", "[1]"), None);
        let binary = Message { payload: Some(Bytes::from_static(&[255, 0])), ..Message::default() };
        assert_eq!(edited(".", &binary), None);
        let changed = edited(r#".body = {"base64":"AAA="}"#, &binary).unwrap();
        assert_eq!(changed.body(), [0, 0]);
    }

    #[test]
    fn what_is_no_message_stays_with_the_reason() {
        let before = message("{\"a\":\"x\"}");
        for (program, part) in [
            ("empty", "gives nothing"),
            (".body.a", "no object"),
            (".body.a.b = 1", "the edit fails"),
            (".id = \"other\"", "changes the id"),
            (".bdy = 1", "\"bdy\""),
            (".headers = 3", "headers that are no object"),
            (".headers.price = 1.5", "not a whole number"),
            (".body.a = nan", "no JSON"),
            ("., .", "more than one"),
            (r#".body = {"base64":"*"}"#, "base64"),
        ] {
            let told = refused(program, &before);
            assert!(told.contains(part), "{program}: {told}");
        }
    }

    #[test]
    fn a_program_that_does_not_compile_says_where() {
        for (program, part) in [(".body.a = ", "at its end"), (".body | nope", "no filter \"nope\""), (".a § 1", "§")]
        {
            let error = Edit::parse(program).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Usage);
            assert!(error.to_string().contains(part), "{program}: {error}");
        }
    }

    #[test]
    fn a_json_body_with_a_field_named_base64_stays_json() {
        let before = message(r#"{"base64":"aGk=","kind":"x"}"#);
        let after = edited(r#".body.kind = "y""#, &before).unwrap();
        assert_eq!(after.body(), br#"{"base64":"aGk=","kind":"y"}"#);
        let alone = edited("del(.body.kind)", &before).unwrap();
        assert_eq!(alone.body(), br#"{"base64":"aGk="}"#);
    }
}
