//! Walking JSON without building a tree: containers and strings are looked at, other scalars passed over.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// What is done with the values that a [`Walk`] meets. It consumes the members and elements that it is given.
pub(crate) trait Visit<'de>: Sized {
    /// An object. With arbitrary precision `serde_json` shows a number as one, whose only member is [`NUMBER`].
    fn object<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error>;

    /// An array.
    fn list<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error>;

    /// A string, without its escapes.
    fn text(self, _text: &str) {}
}

/// The name of the only member of what is a number, see [`Visit::object`].
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Shows one value to a [`Visit`].
pub(crate) struct Walk<V>(pub(crate) V);

impl<'de, V: Visit<'de>> DeserializeSeed<'de> for Walk<V> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de, V: Visit<'de>> Visitor<'de> for Walk<V> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        self.0.object(members)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<(), A::Error> {
        self.0.list(elements)
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
