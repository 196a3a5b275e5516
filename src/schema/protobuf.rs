//! Protobuf: messages by a descriptor, from `.proto` sources, descriptor sets or a registry's texts.
//!
//! Limits: sources nest at most [`MAX_NESTING`] braces deep, so that no compiler runs out of stack on a registry's
//! nonsense; the library bounds how deep messages nest.

use std::collections::HashMap;
use std::path::Path;

use prost_reflect::{DescriptorPool, DynamicMessage, FileDescriptor, MessageDescriptor, SerializeOptions};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde_json::Value;

use crate::message::codec::{Limits, Schema, SchemaId, varint};

/// Braces within each other in a source.
const MAX_NESTING: usize = 100;
/// Numbers in the path to a message type.
const MAX_PATH: u64 = 16;

/// A message type, or the file in which a frame's path finds it.
#[derive(Debug)]
pub(super) struct ProtobufSchema {
    file: Option<FileDescriptor>,
    message: MessageDescriptor,
    name: String,
}

impl ProtobufSchema {
    /// Compiles a `.proto` file; imports are looked for beside it.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(super) fn of_file(path: &Path, name: Option<&str>) -> Result<Self, String> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        check_nesting(&std::fs::read_to_string(path).map_err(|error| error.to_string())?)?;
        let mut compiler = protox::Compiler::new([folder]).map_err(|error| told(&error))?;
        compiler.open_file(path).map_err(|error| told(&error))?;
        let pool = compiler.descriptor_pool();
        let main = path.file_name().and_then(|name| pool.get_file_by_name(&name.to_string_lossy()));
        Self::named(&pool, main, name)
    }

    /// Reads a descriptor set.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(super) fn of_descriptors(bytes: &[u8], name: Option<&str>) -> Result<Self, String> {
        let pool = DescriptorPool::decode(bytes).map_err(|error| format!("it is no descriptor set: {error}"))?;
        // The file that was compiled comes behind those that it imports.
        let main = pool.files().last();
        Self::named(&pool, main, name)
    }

    /// Compiles a registry's text, with the texts that it refers to by the names that it imports.
    ///
    /// # Errors
    /// Why it can't be used.
    pub(super) fn of_texts(main: &str, references: HashMap<String, String>) -> Result<Self, String> {
        const MAIN: &str = "postroom-main.proto";
        check_nesting(main)?;
        references.values().try_for_each(|text| check_nesting(text))?;
        let mut texts = references;
        texts.insert(MAIN.to_owned(), main.to_owned());
        let mut resolver = ChainFileResolver::new();
        resolver.add(Texts(texts));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        compiler.open_file(MAIN).map_err(|error| told(&error))?;
        let pool = compiler.descriptor_pool();
        let file = pool.get_file_by_name(MAIN);
        Self::named(&pool, file, None)
    }

    fn named(pool: &DescriptorPool, file: Option<FileDescriptor>, name: Option<&str>) -> Result<Self, String> {
        let message = match name {
            Some(name) => pool.get_message_by_name(name).ok_or_else(|| {
                let known: Vec<String> =
                    pool.all_messages().take(20).map(|known| known.full_name().to_owned()).collect();
                format!("it has no message {name}; it has {}", known.join(", "))
            })?,
            None => file.as_ref().and_then(|file| file.messages().next()).ok_or("it has no message")?,
        };
        // Where the operator names a type, a frame's path does not count.
        let file = file.filter(|_| name.is_none());
        Ok(Self { name: message.full_name().to_owned(), message, file })
    }
}

/// A compiler's error in one line: its first, without the drawing.
fn told(error: &protox::Error) -> String {
    let text = error.to_string();
    format!("it can't be compiled: {}", text.lines().next().unwrap_or_default())
}

fn check_nesting(text: &str) -> Result<(), String> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'(' | b'<' => depth += 1,
            b'}' | b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_NESTING {
            return Err(format!("it nests deeper than {MAX_NESTING}"));
        }
    }
    Ok(())
}

struct Texts(HashMap<String, String>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.get(name) {
            Some(text) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

impl Schema for ProtobufSchema {
    fn format(&self) -> &'static str {
        "protobuf"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn decode(&self, data: &[u8], id: Option<SchemaId>, _limits: &Limits) -> Result<Value, String> {
        let (named, body) = match id {
            None => (None, data),
            Some(SchemaId::Number(_) | SchemaId::Guid(_)) => by_path(self.file.as_ref(), data)?,
            Some(SchemaId::Glue(_)) => by_index(self.file.as_ref(), data)?,
        };
        let message = named.unwrap_or_else(|| self.message.clone());
        if body.len() > Limits::TREE {
            return Err(format!("bytes beyond {} are not made into a tree", Limits::TREE));
        }
        let value = DynamicMessage::decode(message, body).map_err(|error| error.to_string())?;
        // Protobuf passes over what it does not know: of another type's message nothing would be left.
        if value.fields().next().is_none() && value.unknown_fields().next().is_some() {
            return Err("it has none of the type's fields".to_owned());
        }
        let options = SerializeOptions::new().use_proto_field_name(true).stringify_64_bit_integers(false);
        value.serialize_with_options(serde_json::value::Serializer, &options).map_err(|error| error.to_string())
    }
}

/// The path to a message type, which a registry's writers put before the message, and what is behind it.
fn path(data: &[u8]) -> Result<(Vec<usize>, &[u8]), String> {
    let mut rest = data;
    let mut next = || varint(&mut rest).map(|number| number >> 1).ok_or("the path to its type is cut");
    let count = next()?;
    if count > MAX_PATH {
        return Err("the path to its type is too long".to_owned());
    }
    let path = if count == 0 {
        vec![0]
    } else {
        (0..count).map(|_| next().map(|at| usize::try_from(at).unwrap_or(usize::MAX))).collect::<Result<_, _>>()?
    };
    Ok((path, rest))
}

/// The type that a frame names, where a file is there to look it up in.
type Named<'a> = (Option<MessageDescriptor>, &'a [u8]);

const MISSING: &str = "its schema has no such type";

fn by_path<'a>(file: Option<&FileDescriptor>, data: &'a [u8]) -> Result<Named<'a>, String> {
    let (path, rest) = path(data)?;
    let Some(file) = file else { return Ok((None, rest)) };
    let mut at = path.into_iter();
    let mut message = at.next().and_then(|at| file.messages().nth(at)).ok_or(MISSING)?;
    for at in at {
        // Maps are messages that nobody wrote: by the Java writers' count they are none.
        let child = message.child_messages().filter(|child| !child.is_map_entry()).nth(at);
        message = child.ok_or(MISSING)?;
    }
    Ok((Some(message), rest))
}

/// AWS Glue's writers count all types of a file, nested ones too, in the order of their full names.
fn by_index<'a>(file: Option<&FileDescriptor>, data: &'a [u8]) -> Result<Named<'a>, String> {
    let mut rest = data;
    let at = varint(&mut rest).ok_or("the number of its type is cut")?;
    let Some(file) = file else { return Ok((None, rest)) };
    let mut open: Vec<MessageDescriptor> = file.messages().collect();
    let mut all = Vec::new();
    while let Some(message) = open.pop() {
        open.extend(message.child_messages());
        all.push(message);
    }
    all.sort_by(|a, b| a.full_name().cmp(b.full_name()));
    let named = usize::try_from(at).ok().and_then(|at| all.into_iter().nth(at)).ok_or(MISSING)?;
    Ok((Some(named), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOP: &str = r#"syntax = "proto3"; package shop; import "money.proto"; import "google/protobuf/timestamp.proto";
        message Ping {}
        message Order { map<string, int32> tags = 3; message Line { string sku = 1; }
            int64 id = 1; Money total = 2; google.protobuf.Timestamp at = 4; repeated Line lines = 5; }"#;
    const MONEY: &str = "syntax = \"proto3\"; package shop; message Money { int64 cents = 1; }";

    fn shop() -> ProtobufSchema {
        ProtobufSchema::of_texts(SHOP, HashMap::from([("money.proto".to_owned(), MONEY.to_owned())])).unwrap()
    }

    #[test]
    fn a_frames_path_names_the_type_and_references_are_resolved() {
        let decode = |data: &[u8]| {
            shop().decode(data, Some(SchemaId::Number(1)), &Limits::default()).map(|value| value.to_string())
        };
        // The second type: an order of 17 with a total.
        let order = b"\x02\x02\x08\x11\x12\x03\x08\xd2\x09";
        assert_eq!(decode(order).unwrap(), r#"{"id":17,"total":{"cents":1234}}"#);
        // Its first nested type, past the map.
        assert_eq!(decode(b"\x04\x02\x00\x0a\x03A-1").unwrap(), r#"{"sku":"A-1"}"#);
        assert_eq!(decode(b"\x00").unwrap(), "{}");
        for data in [&b"\x02\x09"[..], b"\x02", b"\x02\x02\x08", b"\x7f", b"", b"\x00\x08\x11"] {
            assert!(decode(data).is_err(), "{data:?}");
        }
    }

    #[test]
    fn a_glue_frame_counts_types_by_their_names() {
        // Order, Order.Line, Order.TagsEntry, Ping.
        let decode = |data: &[u8]| {
            shop().decode(data, Some(SchemaId::Glue([1; 16])), &Limits::default()).map(|value| value.to_string())
        };
        assert_eq!(decode(b"\x00\x08\x11").unwrap(), r#"{"id":17}"#);
        assert_eq!(decode(b"\x01\x0a\x03A-1").unwrap(), r#"{"sku":"A-1"}"#);
        assert_eq!(decode(b"\x03").unwrap(), "{}");
        assert!(decode(b"\x04").is_err() && decode(b"").is_err());
    }

    #[test]
    fn nonsense_is_refused_and_bounded() {
        let compile = |text: &str| ProtobufSchema::of_texts(text, HashMap::new()).map(drop);
        assert!(compile(SHOP).unwrap_err().contains("money.proto"));
        assert!(compile(&"message A {".repeat(100_000)).unwrap_err().contains("nests deeper"));
        assert!(compile("<html>no</html>").is_err() && compile("").is_err());
        assert!(ProtobufSchema::of_descriptors(b"nonsense", None).is_err());
    }
}
