//! The order in which formats are tried: declared, then magic, then structure that consumes every byte.

use bytes::Bytes;
use serde::de::IgnoredAny;

use super::compressed::Compression;
use super::hints::Hints;
use super::plain::{is_plain, is_readable, starts_as_markup};
use super::schema::{Part, Schemas};
use super::view::{Form, Limits, Step, View};
use super::{cbor, encoded, envelope, framed, java, label, msgpack, protobuf, tree};
use crate::message::Message;

/// What one look at the outside of some bytes found.
enum Layer {
    /// A format to unwrap, and what was in it.
    Unwrapped(Step, Bytes),
    /// A registry's frame; its content may be Protobuf behind an index path.
    Framed(framed::Framed),
    /// It promised a format and did not keep it.
    Broken(String),
    /// Nothing to unwrap.
    Leaf,
}

/// Decodes a payload as far as it goes without schemas.
pub fn decode(payload: &Bytes, hints: &Hints, limits: &Limits) -> View {
    decode_with(payload, hints, limits, None)
}

/// Who has schemas, and the part of a message that they are asked for.
type Lookup<'a> = (&'a dyn Schemas, &'a Message, Part);

fn decode_with(payload: &Bytes, hints: &Hints, limits: &Limits, schemas: Option<Lookup<'_>>) -> View {
    let mut view = View { steps: Vec::new(), form: Form::Empty, labels: Vec::new(), stopped: None };
    let mut data = payload.clone();
    let mut declared: Vec<&str> = hints.encodings.iter().map(String::as_str).collect();
    let mut frame = None;
    while !is_plain(&data, false) {
        let layer = match declared.pop() {
            Some(name) => by_declaration(name, &data, limits),
            None if frame.is_none() => by_bytes(&data, hints, limits),
            None => Layer::Leaf,
        };
        let (step, inner) = match layer {
            Layer::Leaf => break,
            Layer::Broken(reason) => {
                view.stopped.get_or_insert(reason);
                if declared.is_empty() {
                    break;
                }
                continue;
            }
            Layer::Unwrapped(step, inner) => (step, inner),
            Layer::Framed(framed) => {
                let inner = framed.inner.clone();
                let step = framed.step.clone();
                frame = Some(framed);
                (step, inner)
            }
        };
        if view.steps.len() == limits.depth {
            view.stopped.get_or_insert(format!("formats are nested deeper than {}", limits.depth));
            break;
        }
        view.steps.push(step);
        data = inner;
    }
    if let (true, Some(name)) = (is_plain(&data, false), declared.last()) {
        view.stopped.get_or_insert(format!("it is declared as {name} but is plain text"));
    }
    if let Some(json) = schemas.and_then(|schemas| by_schema(&data, frame.as_ref(), limits, schemas, &mut view)) {
        view.form = json;
        return view;
    }
    view.form = leaf(data, hints, frame.as_ref(), &mut view.stopped);
    if let Form::Json(json) = &view.form {
        view.labels = envelope::labels(json);
    }
    view
}

/// Decodes a message's payload by what the message says of it, the usual limits, and schemas where somebody has them.
#[must_use]
pub fn view(message: &Message, schemas: Option<&dyn Schemas>) -> View {
    let payload = message.payload.clone().unwrap_or_default();
    let lookup = schemas.map(|schemas| (schemas, message, Part::Payload));
    decode_with(&payload, &Hints::of(message), &Limits::default(), lookup)
}

/// Decodes a message's key by its schema. `None` for a key that names none and that nobody has one for: it is what it is.
#[must_use]
pub fn key_view(message: &Message, schemas: Option<&dyn Schemas>) -> Option<View> {
    let key = message.key.as_ref().filter(|key| !key.is_empty())?;
    let (hints, limits) = (Hints::of_key(message), Limits::default());
    let framed = matches!(framed::unframe(key, &hints, &limits), Some(Ok(_)));
    let found = |schemas: &dyn Schemas| schemas.find(message, Part::Key, None).is_some();
    if !framed && !schemas.is_some_and(found) {
        return None;
    }
    let view = decode_with(key, &hints, &limits, schemas.map(|schemas| (schemas, message, Part::Key)));
    // Eight bytes that begin with a zero are as likely the number that Kafka's `LongSerializer` writes.
    let may_be_number = hints.schema.is_none() && key.len() == 8 && !matches!(view.form, Form::Tree { .. });
    (!may_be_number).then_some(view)
}

/// What the schema of a frame or of the queue makes of the bytes. JSON needs none; where a schema can't be had or does
/// not fit, the reason is kept and the bytes are shown as without it.
fn by_schema(
    data: &Bytes,
    frame: Option<&framed::Framed>,
    limits: &Limits,
    (schemas, message, part): Lookup<'_>,
    view: &mut View,
) -> Option<Form> {
    let may_be_json = data.trim_ascii_start().starts_with(b"{") || data.trim_ascii_start().starts_with(b"[");
    if data.is_empty() || (may_be_json && values(data).is_some()) {
        return None;
    }
    let id = frame.map(|frame| frame.id);
    let schema = match schemas.find(message, part, id)? {
        Ok(schema) => schema,
        Err(why) => {
            view.stopped.get_or_insert(why);
            return None;
        }
    };
    let read = |data: &[u8], id| schema.decode(data, id, limits);
    let value = read(data, id).or_else(|why| {
        // A record may begin with what looks like a frame: the operator's own schema reads it from its first byte.
        let whole = frame.and_then(|frame| read(&frame.outer, None).ok());
        whole.inspect(|_| _ = view.steps.pop()).ok_or(why)
    });
    match value {
        Ok(value) => {
            if let Some(step) = view.steps.last_mut().filter(|step| step.detail.is_some() && !schema.name().is_empty())
            {
                step.detail = step.detail.take().map(|detail| format!("{detail}, {}", schema.name()));
            }
            // What was said before was about the bytes without their schema.
            Some(Form::Tree { format: schema.format(), json: tree::to_json(&value) })
        }
        Err(why) => {
            let name = id.map_or_else(|| format!("the schema {}", schema.name()), |id| id.to_string());
            view.stopped.get_or_insert(format!("{name}: {why}"));
            None
        }
    }
}

fn unwrapped(format: &'static str, inner: Vec<u8>) -> Layer {
    Layer::Unwrapped(Step { format, detail: None }, inner.into())
}

/// A declared encoding; magic that says otherwise wins.
fn by_declaration(name: &str, data: &Bytes, limits: &Limits) -> Layer {
    if name == "base64" {
        return encoded::base64(data).map_or_else(
            || Layer::Broken("it is declared as base64 but is not".to_owned()),
            |inner| unwrapped("base64", inner),
        );
    }
    let Some(compression) = Compression::by_magic(data).or_else(|| Compression::by_name(name)) else {
        return Layer::Broken(format!("the declared encoding {name:?} is not known here"));
    };
    match compression.decode(data, limits) {
        Ok(inner) => unwrapped(compression.name(), inner),
        Err(why) => Layer::Broken(format!("{}: {why}", compression.name())),
    }
}

/// What the bytes themselves say.
fn by_bytes(data: &Bytes, hints: &Hints, limits: &Limits) -> Layer {
    if let Some(compression) = Compression::by_magic(data) {
        match compression.decode(data, limits) {
            Ok(inner) => return unwrapped(compression.name(), inner),
            Err(why) if !compression.is_weak() => return Layer::Broken(format!("{}: {why}", compression.name())),
            Err(_) => {}
        }
    }
    if label::by_magic(data).is_none() {
        match framed::unframe(data, hints, limits) {
            Some(Ok(framed)) => return Layer::Framed(framed),
            Some(Err(reason)) => return Layer::Broken(reason),
            None => {}
        }
    }
    // What they stand for would be more than one step may put out.
    if data.len() / 2 > limits.bytes {
        return Layer::Leaf;
    }
    if let Some(inner) = encoded::base64(data)
        && (is_recognised(&inner) || is_long_text(&inner))
    {
        return unwrapped("base64", inner);
    }
    match encoded::hex(data) {
        Some(inner) if is_recognised(&inner) => unwrapped("hex", inner),
        _ => Layer::Leaf,
    }
}

/// Whether decoded bytes are something, so that the text was not a mere word or id.
fn is_recognised(data: &[u8]) -> bool {
    (starts_as_markup(data) && std::str::from_utf8(data).is_ok())
        || Compression::by_magic(data).is_some_and(|compression| !compression.is_weak())
        || label::by_magic(data).is_some()
        || (msgpack::may_start(data) && data.len() > 8 && data.len() <= Limits::TREE && msgpack::decode(data).is_ok())
        || encoded::base64(data).is_some_and(|inner| starts_as_markup(&inner))
}

/// Whether decoded bytes are a text that no accident makes.
fn is_long_text(data: &[u8]) -> bool {
    data.len() >= 12 && is_readable(data) && data.iter().any(u8::is_ascii_whitespace)
}

/// What is left when nothing more can be unwrapped.
fn leaf(data: Bytes, hints: &Hints, frame: Option<&framed::Framed>, stopped: &mut Option<String>) -> Form {
    if data.is_empty() {
        return Form::Empty;
    }
    if is_plain(&data, false) {
        return text(data);
    }
    #[cfg(feature = "schemas")]
    if data.starts_with(super::avro::CONTAINER) && data.len() <= Limits::TREE {
        match super::avro::container(&data, &Limits::default()) {
            Ok(records) => return Form::Tree { format: "avro", json: tree::to_json(&records) },
            Err(why) => _ = stopped.get_or_insert(format!("avro: {why}")),
        }
    }
    if let Some((format, what)) = label::by_magic(&data) {
        if format == "java" && data.len() <= Limits::TREE {
            match java::decode(&data, Limits::default().bytes) {
                Ok(object) => return Form::Tree { format, json: tree::to_json(&object) },
                Err(why) => _ = stopped.get_or_insert(format!("java: {why}")),
            }
        }
        return Form::Label { format, what, bytes: data };
    }
    if data.len() <= Limits::TREE {
        match structure(&data, hints, frame) {
            Some(Ok((format, value))) => return Form::Tree { format, json: tree::to_json(&value) },
            Some(Err(why)) => _ = stopped.get_or_insert(why),
            None => {}
        }
    } else {
        stopped.get_or_insert_with(|| format!("bytes beyond {} are not made into a tree", Limits::TREE));
    }
    if hints.says(&["avro"]) || frame.is_some() {
        let schema =
            frame.and_then(|frame| frame.step.detail.clone()).unwrap_or_else(|| "an unknown schema".to_owned());
        let what = format!("a record of {schema}, probably Avro");
        return Form::Label { format: "avro", what, bytes: data };
    }
    if std::str::from_utf8(&data).is_ok_and(|text| !text.contains('\0')) { text(data) } else { Form::Binary(data) }
}

type Tree = (&'static str, serde_json::Value);

/// Formats that are known by reading them to their end.
fn structure(data: &Bytes, hints: &Hints, frame: Option<&framed::Framed>) -> Option<Result<Tree, String>> {
    if hints.says(&["protobuf", "x-proto"]) {
        let inner = frame.and_then(|frame| frame.protobuf.as_ref()).unwrap_or(data);
        let value = protobuf::decode(inner).or_else(|| protobuf::decode(data));
        return Some(
            value.map(|value| ("protobuf", value)).ok_or_else(|| "protobuf: it does not read to its end".to_owned()),
        );
    }
    if hints.says(&["msgpack", "messagepack"]) {
        return Some(msgpack::decode(data).map(|value| ("msgpack", value)).map_err(|why| format!("msgpack: {why}")));
    }
    if hints.says(&["cbor"]) {
        return Some(cbor::decode(data).map(|value| ("cbor", value)).map_err(|why| format!("cbor: {why}")));
    }
    if hints.says(&["avro"]) {
        return None;
    }
    if let Some(frame) = frame {
        // An index path is what tells Confluent's Protobuf from Avro, and only if a message with text follows.
        let value = frame
            .protobuf
            .as_ref()
            .filter(|data| data.len() < frame.inner.len())
            .and_then(|data| protobuf::guess(data));
        return value.filter(has_text).map(|value| Ok(("protobuf", value)));
    }
    let packed =
        if msgpack::may_start(data) { msgpack::decode(data).ok().map(|value| ("msgpack", value)) } else { None };
    packed
        .or_else(|| if cbor::may_start(data) { cbor::decode(data).ok().map(|value| ("cbor", value)) } else { None })
        .or_else(|| protobuf::guess(data).map(|value| ("protobuf", value)))
        .map(Ok)
}

/// Whether a member holds text.
fn has_text(value: &serde_json::Value) -> bool {
    value.as_object().is_some_and(|object| object.values().any(|value| value.is_string() || has_text(value)))
}

/// Text by what it parses as.
fn text(data: Bytes) -> Form {
    let data = match data.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => data.slice_ref(rest),
        None => data,
    };
    if std::str::from_utf8(&data).is_err() {
        return Form::Binary(data);
    }
    match values(&data) {
        Some(1) => Form::Json(data),
        Some(_) if memchr::memchr(b'\n', data.trim_ascii()).is_some() => Form::JsonLines(data),
        _ if data.trim_ascii_start().starts_with(b"<")
            && starts_as_markup(&data)
            && data.trim_ascii_end().ends_with(b">") =>
        {
            Form::Xml(data)
        }
        _ => Form::Text(data),
    }
}

/// How many JSON values a text consists of; `None` where it is anything else.
pub(super) fn values(json: &[u8]) -> Option<usize> {
    let mut count = 0;
    for value in serde_json::Deserializer::from_slice(json).into_iter::<IgnoredAny>() {
        value.ok()?;
        count += 1;
    }
    (count > 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::super::compressed::tests::gzip;
    use super::*;
    use crate::message::Fields;

    fn view(payload: &[u8]) -> View {
        decode(&Bytes::copy_from_slice(payload), &Hints::default(), &Limits::default())
    }

    fn declared(payload: &[u8], headers: &[(&str, &str)]) -> View {
        let message = Message { headers: headers.iter().copied().collect::<Fields>(), ..Message::default() };
        decode(&Bytes::copy_from_slice(payload), &Hints::of(&message), &Limits::default())
    }

    fn formats(view: &View) -> Vec<&'static str> {
        view.formats().collect()
    }

    #[test]
    fn text_is_what_it_parses_as() {
        for (payload, format) in [
            ("{\"a\":1}", "json"),
            (" [1,2]\n", "json"),
            ("\u{feff}{\"a\":1}", "json"),
            ("17", "json"),
            ("{\"a\":1}\n{\"a\":2}\n", "ndjson"),
            ("<?xml version=\"1.0\"?>\n<a/>\n", "xml"),
            ("{\"a\":", "text"),
            ("hello", "text"),
            ("\u{1b}[31mred alert\u{1b}[0m", "text"),
            ("order-17-of-customer-42", "text"),
        ] {
            let view = view(payload.as_bytes());
            assert_eq!((formats(&view), view.stopped), (vec![format], None), "{payload}");
        }
        assert_eq!(view(b"").form, Form::Empty);
        assert_eq!(formats(&view(b"{\"a\":\"\xff\"}")), ["binary"]);
        assert_eq!(formats(&view(b"\xff\xfe\0\0")), ["binary"]);
    }

    #[test]
    fn formats_nest() {
        let json = b"{\"order\":17}";
        let nested = STANDARD.encode(gzip(json));
        let view = view(nested.as_bytes());
        assert_eq!(formats(&view), ["base64", "gzip", "json"]);
        assert_eq!(view.form.text(), Some("{\"order\":17}"));
        assert_eq!(formats(&self::view(&gzip(&gzip(json)))), ["gzip", "gzip", "json"]);
        assert_eq!(formats(&self::view(b"7b226f72646572223a31377d")), ["hex", "json"]);
        assert_eq!(formats(&self::view(STANDARD.encode("a longer text with words").as_bytes())), ["base64", "text"]);
        let deep = (0..5).fold(json.to_vec(), |data, _| gzip(&data));
        let view = self::view(&deep);
        assert_eq!((view.steps.len(), view.stopped.unwrap().contains("deeper than 4")), (4, true));
    }

    #[test]
    fn structure_is_believed_only_to_the_last_byte() {
        let value = json!({"order": {"id": 17, "sku": "A-1"}});
        let mut packed = Vec::new();
        let map =
            |pairs: Vec<(&str, rmpv::Value)>| rmpv::Value::Map(pairs.into_iter().map(|(k, v)| (k.into(), v)).collect());
        let order = map(vec![("id", 17.into()), ("sku", "A-1".into())]);
        rmpv::encode::write_value(&mut packed, &map(vec![("order", order)])).unwrap();
        let mut cbor = Vec::new();
        ciborium::into_writer(&value, &mut cbor).unwrap();
        for (data, format) in [(packed, "msgpack"), (cbor, "cbor")] {
            let view = view(&data);
            assert_eq!(formats(&view), [format]);
            assert_eq!(serde_json::from_slice::<serde_json::Value>(view.form.json().unwrap()).unwrap(), value);
            assert_ne!(formats(&self::view(&data[..data.len() - 1])), [format]);
        }
        assert_eq!(formats(&view(b"\x08\x96\x01\x12\x07testing")), ["protobuf"]);
    }

    #[test]
    fn frames_of_registries_say_the_schema() {
        assert_eq!(formats(&view(b"\0\0\0\0\x2a{\"a\":1}")), ["confluent", "json"]);
        let avro = view(b"\0\0\0\0\x2a\x06abc\x02");
        assert_eq!(formats(&avro), ["confluent", "avro"]);
        assert!(matches!(avro.form, Form::Label { what, .. } if what.contains("schema 42")));
        let protobuf = view(b"\0\0\0\0\x2a\0\x08\x96\x01\x12\x07testing");
        assert_eq!(
            (formats(&protobuf), protobuf.form.text()),
            (vec!["confluent", "protobuf"], Some("{\"1\":150,\"2\":\"testing\"}"))
        );
    }

    #[test]
    fn declarations_are_believed_where_the_bytes_agree() {
        let json = b"{\"order\":17}";
        let zipped = gzip(json);
        assert_eq!(formats(&declared(&zipped, &[("Content-Encoding", "gzip")])), ["gzip", "json"]);
        let raw = snap::raw::Encoder::new().compress_vec(&[json.as_slice(), &[0]].concat()).unwrap();
        assert_eq!(formats(&declared(&raw, &[("content_encoding", "snappy")])), ["snappy", "text"]);
        let not = declared(json, &[("content-encoding", "gzip")]);
        assert_eq!(formats(&not), ["json"]);
        assert!(not.stopped.unwrap().contains("plain text"));
        let not = declared(b"\xff\xff\x00", &[("content-encoding", "deflate")]);
        assert!(not.stopped.unwrap().starts_with("zlib: "));
        let odd = declared(b"\x01\x02\xff", &[("content-encoding", "br")]);
        assert!(odd.stopped.unwrap().contains("\"br\""));
        assert_eq!(formats(&declared(b"\x0a\x03abc", &[("contentType", "application/x-protobuf; a=b")])), ["protobuf"]);
        let broken = declared(b"\x0a\xffabc\x01", &[("content-type", "application/x-protobuf")]);
        assert!(broken.stopped.unwrap().starts_with("protobuf: "));
    }

    #[test]
    fn what_is_broken_keeps_its_bytes_and_says_why() {
        let zipped = gzip(&b"{\"order\":17}".repeat(100));
        let cut = &zipped[..zipped.len() - 9];
        let view = view(cut);
        assert_eq!(
            (view.form, view.stopped.as_deref()),
            (Form::Binary(Bytes::copy_from_slice(cut)), Some("gzip: it is cut"))
        );
        let bomb = gzip(&vec![0; 12 << 20]);
        assert!(self::view(&bomb).stopped.unwrap().contains("grows"));
    }

    #[test]
    fn foreign_objects_are_labelled_inside_encodings_too() {
        let java = b"\xac\xed\x00\x05sr\x00\x0ecom.acme.Order\x00";
        assert_eq!(formats(&view(java)), ["java"]);
        assert_eq!(formats(&view(STANDARD.encode(java).as_bytes())), ["base64", "java"]);
        assert_eq!(
            formats(&view(br#"{"specversion":"1.0","id":"1","source":"/a","type":"t"}"#)),
            ["json", "cloudevents"]
        );
    }

    #[test]
    fn deep_brackets_and_wide_garbage_end_quickly() {
        assert_eq!(formats(&view("[".repeat(100_000).as_bytes())), ["text"]);
        assert_eq!(formats(&view(format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)).as_bytes())), ["json"]);
        assert_eq!(formats(&view(&vec![0x91; 2 << 20])), ["binary"]);
        assert!(view(&vec![0x91; 2 << 20]).stopped.is_some());
    }
}
