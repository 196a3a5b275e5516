//! Schemas from files, by queue; and which of files and registry is asked.
//!
//! A file that is named for a queue wins over the registry: the operator knows better. Files are read once, when a
//! payload first needs them. Limits: [`MAX_FILE`] bytes.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobMatcher};

use super::json::JsonSchema;
use super::protobuf::ProtobufSchema;
use super::registry::Registry;
use super::{SchemaFile, SchemaSettings};
use crate::message::codec::avro::AvroSchema;
use crate::message::codec::{Part, Schema, SchemaId};

/// The largest file that is read.
const MAX_FILE: u64 = 4 << 20;

/// What a queue's name ends with for its keys.
const KEY: &str = "-key";

type Found = Result<Arc<dyn Schema>, String>;

/// The files and the registry of one profile, or of this run.
#[derive(Debug)]
pub(super) struct Shelf {
    files: Vec<Lazy>,
    registry: Option<Registry>,
}

#[derive(Debug)]
struct Lazy {
    file: SchemaFile,
    queues: Option<GlobMatcher>,
    schema: OnceLock<Found>,
}

impl Lazy {
    fn is_for_keys(&self) -> bool {
        self.file.queues.ends_with(KEY)
    }
}

impl Shelf {
    pub(super) fn new(settings: SchemaSettings) -> Self {
        let lazy = |file: SchemaFile| {
            let queues = Glob::new(&file.queues).ok().map(|glob| glob.compile_matcher());
            Lazy { file, queues, schema: OnceLock::new() }
        };
        Self { files: settings.files.into_iter().map(lazy).collect(), registry: settings.registry.map(Registry::new) }
    }

    /// The schema of a queue's payloads or keys: its file's, else what the registry has under the id of the frame. `None`
    /// where neither is said. Files for keys are those of the queue's name with `-key` behind it, as registries name
    /// their subjects; a file for `*` is for payloads.
    pub(super) fn find(&self, queue: &str, part: Part, id: Option<SchemaId>) -> Option<Found> {
        let named = |lazy: &&Lazy, name: &str| match &lazy.queues {
            Some(queues) => queues.is_match(name),
            None => lazy.file.queues == name,
        };
        let named = match part {
            Part::Payload => self.files.iter().find(|lazy| named(lazy, queue)),
            Part::Key => {
                let name = format!("{queue}{KEY}");
                self.files.iter().filter(|lazy| lazy.is_for_keys()).find(|lazy| named(lazy, &name))
            }
        };
        match (named, id) {
            (Some(lazy), _) => {
                Some(lazy.schema.get_or_init(|| read(&lazy.file.path, lazy.file.name.as_deref())).clone())
            }
            (None, Some(id)) => self.registry.as_ref().map(|registry| registry.schema(id)),
            (None, None) => None,
        }
    }

    /// Whether a file is for keys.
    pub(super) fn has_key_files(&self) -> bool {
        self.files.iter().any(Lazy::is_for_keys)
    }

    /// Why schemas could not be had.
    pub(super) fn faults(&self) -> Vec<String> {
        let files = self.files.iter().filter_map(|lazy| lazy.schema.get()?.as_ref().err().cloned());
        files.chain(self.registry.iter().flat_map(Registry::faults)).collect()
    }
}

/// Reads a schema by the ending of its name.
fn read(path: &Path, name: Option<&str>) -> Found {
    let told = |why: String| format!("the schema file {}: {why}", path.display());
    let size = std::fs::metadata(path).map_err(|error| told(error.to_string()))?.len();
    if size > MAX_FILE {
        return Err(told(format!("it is larger than {} MiB", MAX_FILE >> 20)));
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    let bytes = std::fs::read(path).map_err(|error| told(error.to_string()))?;
    let schema: Arc<dyn Schema> = match ending.as_str() {
        "proto" => Arc::new(ProtobufSchema::of_file(path, name).map_err(told)?),
        "avsc" | "json" => {
            let text = String::from_utf8(bytes).map_err(|_| told("it is not UTF-8".to_owned()))?;
            if ending == "json" && JsonSchema::is_one(&text) {
                Arc::new(JsonSchema::parse(&text, &[]).usable().map_err(told)?)
            } else {
                Arc::new(AvroSchema::parse(&text, &[]).map_err(told)?)
            }
        }
        _ => Arc::new(ProtobufSchema::of_descriptors(&bytes, name).map_err(told)?),
    };
    Ok(schema)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::message::codec::Limits;

    #[test]
    fn the_first_file_whose_queues_match_is_read_and_a_bad_one_says_why() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| -> PathBuf { folder.path().join(name) };
        std::fs::write(at("n.avsc"), r#"{"type":"record","name":"N","fields":[{"name":"n","type":"int"}]}"#).unwrap();
        std::fs::write(at("m.proto"), "syntax = \"proto3\"; package a; message M { int32 n = 1; } message Z {}")
            .unwrap();
        std::fs::write(at("bad.avsc"), "{").unwrap();
        let file = |queues: &str, name: &str| SchemaFile::parse(queues, &at(name).display().to_string());
        let files = vec![
            file("orders*", "n.avsc"),
            file("payments", "m.proto#a.M"),
            file("typo", "m.proto#a.X"),
            file("bad", "bad.avsc"),
            file("missing", "nothing.desc"),
        ];
        let shelf = Shelf::new(SchemaSettings { registry: None, files });
        let find = |queue: &str| shelf.find(queue, Part::Payload, None);
        let limits = Limits::default();
        let decoded = |queue: &str, data: &[u8]| find(queue).unwrap().unwrap().decode(data, None, &limits).unwrap();
        assert_eq!(decoded("orders.dlq", b"\x22").to_string(), r#"{"n":17}"#);
        assert_eq!(decoded("payments", b"\x08\x11").to_string(), r#"{"n":17}"#);
        assert!(find("other").is_none());
        for (queue, why) in [("typo", "a.X"), ("bad", "Avro schema can't be read"), ("missing", "nothing.desc")] {
            let told = find(queue).unwrap().unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }
}
