//! Values at a path of a JSON text, without building a tree: what is not on the path is skipped.
//!
//! Works on one value or on several behind each other (NDJSON). A text that is not JSON to its end has no values,
//! wherever the fault is. Nesting off the path costs no stack; on the path it is bounded by `serde_json`.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::datum::Datum;
use crate::message::codec::{self, STRINGS, View};
use crate::message::json::{Visit, Walk};
use crate::message::path::Step;

/// Whether `json` is JSON and `test` accepts a value at the path. A path goes on into strings that hold JSON or encoded
/// data, and a string at its end is shown as it is and as what it holds.
pub(crate) fn any_in_json(json: &[u8], path: &[Step], test: &mut dyn FnMut(&Datum<'_>) -> bool) -> bool {
    let (mut found, mut strings) = (false, STRINGS);
    walk(json, path, &mut strings, &mut |datum| found = found || test(datum)) && found
}

/// Shows what stands at the path; whether it is JSON to its end.
fn walk(json: &[u8], path: &[Step], strings: &mut usize, seen: &mut dyn FnMut(&Datum<'_>)) -> bool {
    let json = json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json);
    let mut reader = serde_json::Deserializer::from_slice(json);
    // `end` fails as long as there is something but space.
    while reader.end().is_err() {
        if (Find { path, strings: &mut *strings, seen: &mut *seen }).deserialize(&mut reader).is_err() {
            return false;
        }
    }
    true
}

/// A JSON value's text as a value to test.
fn scalar(json: &str) -> Datum<'_> {
    match json.as_bytes().first() {
        Some(b'"') => match serde_json::from_str::<Text<'_>>(json) {
            Ok(Text(Cow::Borrowed(text))) => Datum::text(text),
            Ok(Text(Cow::Owned(text))) => Datum::Text(Cow::Owned(text.into_bytes())),
            // A lone surrogate is no text; its escapes are all there is to see.
            Err(_) => Datum::text(json),
        },
        Some(b'-' | b'0'..=b'9') => Datum::Number(Cow::Borrowed(json)),
        Some(b'n') => Datum::Null,
        _ => Datum::Word(Cow::Borrowed(json)),
    }
}

/// A string that is borrowed wherever it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Goes along the path and shows what stands at its end.
struct Find<'p, 's> {
    path: &'p [Step],
    /// Strings that may still be looked into.
    strings: &'s mut usize,
    seen: &'s mut dyn FnMut(&Datum<'_>),
}

impl Find<'_, '_> {
    /// What a string holds, while there are strings to look into.
    fn inside(&mut self, text: &str) -> Option<View> {
        let left = self.strings.checked_sub(1)?;
        let view = codec::inside(text)?;
        *self.strings = left;
        Some(view)
    }
}

impl<'de> DeserializeSeed<'de> for Find<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, json: D) -> Result<(), D::Error> {
        if !self.path.is_empty() {
            return Walk(self).deserialize(json);
        }
        let datum = scalar(<&RawValue>::deserialize(json)?.get());
        (self.seen)(&datum);
        if let Datum::Text(text) = &datum
            && let Ok(text) = std::str::from_utf8(text)
            && let Some(view) = self.inside(text)
            && !view.steps.is_empty()
            && let Some(text) = view.form.text()
        {
            (self.seen)(&Datum::text(text));
        }
        Ok(())
    }
}

impl<'de> Visit<'de> for Find<'_, '_> {
    fn object<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let (step, rest) = self.path.split_first().map_or((None, self.path), |(step, rest)| (Some(step), rest));
        let name = match step {
            Some(Step::Name(name)) => Some(name.as_str()),
            _ => None,
        };
        while let Some(is_it) = object.next_key_seed(Key(name))? {
            if is_it {
                object.next_value_seed(Find { path: rest, strings: &mut *self.strings, seen: &mut *self.seen })?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn list<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let (step, rest) = self.path.split_first().map_or((None, self.path), |(step, rest)| (Some(step), rest));
        for at in 0.. {
            let wanted = match step {
                Some(Step::Any) => true,
                Some(Step::Index(index)) => *index == at,
                Some(Step::Name(_)) | None => false,
            };
            let more = if wanted {
                let find = Find { path: rest, strings: &mut *self.strings, seen: &mut *self.seen };
                list.next_element_seed(find)?.is_some()
            } else {
                list.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                break;
            }
        }
        Ok(())
    }

    fn text(mut self, text: &str) {
        if let Some(view) = self.inside(text)
            && let Some(json) = view.form.json()
        {
            walk(json, self.path, self.strings, self.seen);
        }
    }
}

/// Whether a member's name is the wanted one.
struct Key<'p>(Option<&'p str>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<bool, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(self.0 == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(json: &str, path: &[Step]) -> Vec<String> {
        let mut found = Vec::new();
        any_in_json(json.as_bytes(), path, &mut |datum| {
            found.push(String::from_utf8_lossy(&datum.bytes()).into_owned());
            false
        });
        found
    }

    fn name(name: &str) -> Step {
        Step::Name(name.to_owned())
    }

    #[test]
    fn every_value_at_the_path_is_seen() {
        let json = r#"{"a":{"b":[{"c":1},{"c":"x\"y"},5,{"d":0},{"c":[true]}]},"a.b":2}"#;
        let any = [name("a"), name("b"), Step::Any, name("c")];
        assert_eq!(values(json, &any), ["1", "x\"y", "[true]"]);
        assert_eq!(values(json, &[name("a"), name("b"), Step::Index(1), name("c")]), ["x\"y"]);
        assert_eq!(values(json, &[name("a.b")]), ["2"]);
        assert_eq!(values("[12345678901234567890123,1.50]", &[Step::Any]), ["12345678901234567890123", "1.50"]);
        assert!(values(json, &[name("a"), name("b"), name("c")]).is_empty());
        assert!(values("17", &[name("a")]).is_empty() && values("17", &[Step::Any]).is_empty());
    }

    #[test]
    fn lines_of_json_are_all_seen_and_broken_json_has_no_values() {
        assert_eq!(values("{\"a\":1}\n{\"a\":2}\n", &[name("a")]), ["1", "2"]);
        let always = |json: &[u8]| any_in_json(json, &[name("a")], &mut |_| true);
        assert!(always(b"{\"a\":1}"));
        for broken in ["{\"a\":1", "{\"a\":1}}", "{\"a\":1,}", "{\"a\":1} x", "", "a"] {
            assert!(!always(broken.as_bytes()), "{broken}");
        }
        assert!(always(br#"{"a":"\ud800"}"#));
    }

    #[test]
    fn a_path_goes_on_into_what_strings_hold() {
        use base64::Engine as _;
        let path = [name("Message"), name("detail"), name("id")];
        let inner = r#"{"detail":"{\"id\":17}"}"#;
        let text = serde_json::json!({ "Message": inner }).to_string();
        assert_eq!(values(&text, &path), ["17"]);
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, inner.as_bytes()).unwrap();
        let packed = base64::engine::general_purpose::STANDARD.encode(gzip.finish().unwrap());
        let json = serde_json::json!({ "Message": packed.clone() }).to_string();
        assert_eq!(values(&json, &path), ["17"]);
        assert_eq!(values(&json, &path[..1]), [packed.as_str(), inner], "raw and decoded");
        assert_eq!(values(r#"{"a":"{\"b\":1"}"#, &[name("a"), name("b")]), [""; 0], "cut JSON holds nothing");
        // However many strings there are, only so many are looked into.
        let many = serde_json::json!(vec!["[1]"; 1000]).to_string();
        assert_eq!(values(&many, &[Step::Any, Step::Any]).len(), STRINGS);
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = format!("{{\"x\":{}{},\"a\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(values(&deep, &[name("a")]), ["1"]);
        let path = vec![Step::Any; 100_000];
        assert!(values(&"[".repeat(200_000), &path).is_empty());
        assert!(!any_in_json(&b"{\"a\":".repeat(100_000), &vec![name("a"); 100_000], &mut |_| true));
    }
}
