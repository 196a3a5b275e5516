//! Whose schemas read a message: those that were named for this run, then those of the profile that it is at home in.
//!
//! A message is at home where it was read, and an archived one where it was archived from. Backends know their URL and
//! not the name that people gave it, so that a profile is found by either.

use std::sync::Arc;

use super::SchemaSettings;
use crate::broker::archive::SOURCE_ADDRESS;
use crate::broker::{Address, BrokerUrl, Connection};
use crate::message::Message;
use crate::message::codec::{Part, Schema, SchemaId, Schemas};

/// Whose messages schemas are for.
#[derive(Clone, Debug)]
pub enum Home {
    /// Everybody's: they were named for this run.
    Everywhere,
    /// A profile's.
    Profile {
        /// Its name.
        name: String,
        /// Its broker.
        url: BrokerUrl,
    },
}

impl Home {
    fn is_of(&self, address: Option<&Address>) -> bool {
        match (self, address.map(|address| &address.connection)) {
            (Self::Everywhere, _) => true,
            (Self::Profile { name, .. }, Some(Connection::Profile(stated))) => name == stated,
            (Self::Profile { url, .. }, Some(Connection::Url(stated))) => {
                (&url.scheme, &url.hosts, &url.path) == (&stated.scheme, &stated.hosts, &stated.path)
            }
            _ => false,
        }
    }
}

/// Opens schemas by whose messages they are for; the first that know a message's schema read it. `None` where there
/// are none. Nothing is read or asked before the first payload that needs it.
pub fn open(shelves: impl IntoIterator<Item = (Home, SchemaSettings)>) -> Option<Arc<dyn Schemas>> {
    let shelves: Vec<(Home, Shelf)> = shelves
        .into_iter()
        .filter(|(_, settings)| !settings.is_empty())
        .map(|(home, settings)| (home, Shelf::new(settings)))
        .collect();
    (!shelves.is_empty()).then(|| Arc::new(Library { shelves }) as Arc<dyn Schemas>)
}

#[derive(Debug)]
struct Library {
    shelves: Vec<(Home, Shelf)>,
}

impl Schemas for Library {
    fn find(&self, message: &Message, part: Part, id: Option<SchemaId>) -> Option<Result<Arc<dyn Schema>, String>> {
        let home = message.metadata.get_str(SOURCE_ADDRESS).unwrap_or(&message.address);
        let address = home.parse::<Address>().ok();
        let queue = address.as_ref().and_then(|address| address.target.as_ref()?.queue_name()).unwrap_or(home);
        self.shelves
            .iter()
            .filter(|(home, _)| home.is_of(address.as_ref()))
            .find_map(|(_, shelf)| shelf.find(queue, part, id))
    }

    fn read_bare_keys(&self) -> bool {
        self.shelves.iter().any(|(_, shelf)| shelf.has_key_files())
    }

    fn faults(&self) -> Vec<String> {
        self.shelves.iter().flat_map(|(_, shelf)| shelf.faults()).collect()
    }
}

#[cfg(feature = "schemas")]
use super::files::Shelf;

/// A build without schemas says so for each payload that asks for one.
#[cfg(not(feature = "schemas"))]
#[derive(Debug)]
struct Shelf;

#[cfg(not(feature = "schemas"))]
impl Shelf {
    #[allow(clippy::needless_pass_by_value, reason = "it stands in for the one that keeps them")]
    fn new(_settings: SchemaSettings) -> Self {
        Self
    }

    #[allow(clippy::unused_self, clippy::unnecessary_wraps, reason = "it stands in for the one that has schemas")]
    fn find(&self, _queue: &str, _part: Part, _id: Option<SchemaId>) -> Option<Result<Arc<dyn Schema>, String>> {
        Some(Err("this build of postroom reads no schemas".to_owned()))
    }

    #[allow(clippy::unused_self, reason = "as above")]
    fn has_key_files(&self) -> bool {
        false
    }

    #[allow(clippy::unused_self, reason = "as above")]
    fn faults(&self) -> Vec<String> {
        vec!["this build of postroom reads no schemas".to_owned()]
    }
}

#[cfg(all(test, feature = "schemas"))]
mod tests {
    use super::super::SchemaFile;
    use super::*;
    use crate::message::Value;
    use crate::message::codec::Limits;

    #[test]
    fn a_message_is_read_by_the_schemas_of_its_home_and_those_of_this_run_come_first() {
        let folder = tempfile::tempdir().unwrap();
        let settings = |name: &str, queues: &str| {
            let path = folder.path().join(name);
            let text = format!(r#"{{"type":"record","name":"R","fields":[{{"name":"{name}","type":"int"}}]}}"#);
            std::fs::write(path.with_extension("avsc"), text).unwrap();
            let file = SchemaFile::parse(queues, path.with_extension("avsc").to_str().unwrap());
            SchemaSettings { registry: None, files: vec![file] }
        };
        let profile =
            |name: &str, url: &str| Home::Profile { name: name.to_owned(), url: BrokerUrl::parse(url).unwrap() };
        let library = open([
            (Home::Everywhere, settings("own", "special")),
            (profile("shop", "amqp://app:pw@h/%2f?management=http://h:1"), settings("shop", "*")),
            (profile("events", "kafka://b1:9092,b2:9092"), settings("events", "orders")),
            (profile("none", "amqp://other/%2f"), SchemaSettings::default()),
        ])
        .unwrap();
        let read = |message: &Message| {
            let schema = library.find(message, Part::Payload, None)?.unwrap();
            Some(schema.decode(b"\x02", None, &Limits::default()).unwrap().to_string())
        };
        let at = |address: &str| read(&Message { address: address.into(), ..Message::default() });
        assert_eq!(at("shop:orders.dlq").as_deref(), Some(r#"{"shop":1}"#));
        assert_eq!(at("amqp://app@h/%2F/orders.dlq").as_deref(), Some(r#"{"shop":1}"#));
        assert_eq!(at("kafka://b1:9092,b2:9092/orders").as_deref(), Some(r#"{"events":1}"#));
        assert_eq!(at("kafka://b1:9092,b2:9092/other"), None);
        assert_eq!(at("demo:special").as_deref(), Some(r#"{"own":1}"#));
        assert_eq!((at("none:orders"), at("demo:orders"), at("")), (None, None, None));
        let mut archived = Message { address: "file:special.jsonl".into(), ..Message::default() };
        assert_eq!(read(&archived), None);
        archived.metadata.push(SOURCE_ADDRESS, Value::text("shop:x"));
        assert_eq!(read(&archived).as_deref(), Some(r#"{"shop":1}"#));
        assert!(open([(Home::Everywhere, SchemaSettings::default())]).is_none());
    }
}
