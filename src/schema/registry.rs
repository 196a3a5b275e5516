//! A registry: what it said, and how it is asked for the rest.
//!
//! Asked from a thread of its own, so that whoever decodes waits a bounded time and needs no runtime. What it says is
//! kept; what it refuses is kept for a while, and one that does not answer is left alone for a while. Limits: answers of
//! [`MAX_TEXT`] bytes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use reqwest::StatusCode;

use super::json::JsonSchema;
use super::protobuf::ProtobufSchema;
use super::{RegistryPlace, RegistrySettings, confluent, glue};
use crate::message::codec::avro::AvroSchema;
use crate::message::codec::{Schema, SchemaId};

/// How long a schema may take, references included.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a refusal is believed, and a registry that did not answer is left alone.
const AGAIN: Duration = Duration::from_secs(30);
/// The longest answer that is read, in bytes.
const MAX_TEXT: usize = 4 << 20;

/// Ids that are refused within [`AGAIN`], after which nothing is asked.
const MAX_REFUSED: usize = 200;
/// Reasons that are told at most.
const FAULTS: usize = 3;

type Found = Result<Arc<dyn Schema>, String>;

/// The registry, and what it said so far.
#[derive(Debug)]
pub(super) struct Registry {
    settings: RegistrySettings,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    schemas: HashMap<SchemaId, Arc<dyn Schema>>,
    refused: HashMap<SchemaId, (Instant, String)>,
    /// It did not answer: since when, and why.
    down: Option<(Instant, String)>,
}

/// Why a schema can't be had.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// The registry can't be asked.
    Down(String),
    /// It has no such schema, or one that can't be used.
    Refused(String),
}

impl Registry {
    pub(super) fn new(settings: RegistrySettings) -> Self {
        Self { settings, known: Mutex::default() }
    }

    /// The schema of that id. Waits at most [`PATIENCE`] where it is not known.
    pub(super) fn schema(&self, id: SchemaId) -> Found {
        // One question at a time: the next may be for the same schema.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = known.schemas.get(&id) {
            return Ok(Arc::clone(schema));
        }
        if let Some((_, why)) = known.down.as_ref().filter(|(since, _)| since.elapsed() < AGAIN) {
            return Err(why.clone());
        }
        if let Some((_, why)) = known.refused.get(&id).filter(|(since, _)| since.elapsed() < AGAIN) {
            return Err(why.clone());
        }
        known.refused.retain(|_, (since, _)| since.elapsed() < AGAIN);
        if known.refused.len() >= MAX_REFUSED {
            // Bytes that look like frames and are none would ask for ever.
            return Err(format!("the schema registry {} has refused too many ids", self.settings.place));
        }
        match self.ask(id) {
            Ok(schema) => {
                known.down = None;
                known.schemas.insert(id, Arc::clone(&schema));
                Ok(schema)
            }
            Err(Fault::Down(why)) => {
                let why = format!("the schema registry {} can't be asked: {why}", self.settings.place);
                known.down = Some((Instant::now(), why.clone()));
                Err(why)
            }
            Err(Fault::Refused(why)) => {
                let why = format!("the schema registry {}: {why}", self.settings.place);
                known.refused.insert(id, (Instant::now(), why.clone()));
                Err(why)
            }
        }
    }

    /// Why schemas could not be had, the first few reasons.
    pub(super) fn faults(&self) -> Vec<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused: Vec<&str> = known.refused.values().map(|(_, why)| why.as_str()).collect();
        refused.sort_unstable();
        refused.dedup();
        known.down.iter().map(|(_, why)| why.as_str()).chain(refused).take(FAULTS).map(str::to_owned).collect()
    }

    fn ask(&self, id: SchemaId) -> Result<Arc<dyn Schema>, Fault> {
        let (sender, answer) = mpsc::sync_channel(1);
        let settings = self.settings.clone();
        let work = move || _ = sender.send(on_a_thread(&settings, id));
        std::thread::Builder::new().name("schema-registry".to_owned()).spawn(work).map_err(|error| down(&error))?;
        let late = || Fault::Down(format!("it gave no answer within {} s", PATIENCE.as_secs()));
        answer.recv_timeout(PATIENCE + Duration::from_millis(500)).map_err(|_| late())?
    }
}

/// An error with its causes, on one line.
pub(super) fn down(error: &dyn std::error::Error) -> Fault {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    Fault::Down(text)
}

fn on_a_thread(settings: &RegistrySettings, id: SchemaId) -> Result<Arc<dyn Schema>, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| down(&error))?;
    runtime.block_on(async {
        let late = || Fault::Down(format!("it gave no answer within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, fetch(settings, id)).await.map_err(|_| late())?
    })
}

/// A schema as a registry has it.
pub(super) struct Text {
    /// `AVRO`, `PROTOBUF` or `JSON`.
    pub(super) kind: String,
    pub(super) main: String,
    /// What it refers to, by the names that it uses.
    pub(super) references: Vec<(String, String)>,
}

async fn fetch(settings: &RegistrySettings, id: SchemaId) -> Result<Arc<dyn Schema>, Fault> {
    let text = match (&settings.place, id) {
        (RegistryPlace::Confluent(url), id) => confluent::fetch(settings, url, id).await?,
        (RegistryPlace::Glue { region, profile, endpoint }, SchemaId::Glue(id)) => {
            glue::fetch(region, profile.as_deref(), endpoint.as_deref(), id).await?
        }
        (RegistryPlace::Glue { .. }, SchemaId::Number(_) | SchemaId::Guid(_)) => {
            return Err(Fault::Refused(format!("{id} is none of AWS Glue's")));
        }
    };
    let schema: Result<Arc<dyn Schema>, String> = match text.kind.as_str() {
        "AVRO" => {
            let references: Vec<String> = text.references.into_iter().map(|(_, text)| text).collect();
            AvroSchema::parse(&text.main, &references).map(|schema| Arc::new(schema) as Arc<dyn Schema>)
        }
        "PROTOBUF" => ProtobufSchema::of_texts(&text.main, text.references.into_iter().collect())
            .map(|schema| Arc::new(schema) as Arc<dyn Schema>),
        "JSON" => Ok(Arc::new(JsonSchema::parse(&text.main, &text.references))),
        other => Err(format!("schemas of type {other:?} are not known here")),
    };
    schema.map_err(|why| Fault::Refused(format!("{id}: {why}")))
}

/// A client that names itself and follows no redirect: a login page is no schema.
pub(super) fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder().user_agent("postroom").redirect(reqwest::redirect::Policy::none())
}

/// What a registry answers, up to [`MAX_TEXT`]; one that can't answer anybody is down.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> Result<(StatusCode, Vec<u8>), Fault> {
    let mut response = request.send().await.map_err(|error| down(&error.without_url()))?;
    let status = response.status();
    if status.is_server_error() || matches!(status.as_u16(), 401 | 403 | 429) {
        return Err(Fault::Down(format!("it answered {status}")));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| down(&error.without_url()))? {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_TEXT {
            return Err(Fault::Refused(format!("its answer is longer than {} MiB", MAX_TEXT >> 20)));
        }
    }
    Ok((status, body))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::TcpListener;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use serde_json::Value;

    use super::*;
    use crate::message::codec::Limits;
    use crate::secret::Secret;

    /// What a path is answered with: status and body.
    type Answers = fn(&str) -> (u16, String);

    struct Fake {
        url: String,
        asked: Arc<AtomicUsize>,
    }

    /// A registry in this process that wants `ann:geheim`.
    fn fake(answers: Answers) -> Fake {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let Some(first) = lines.next() else { continue };
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                count.fetch_add(1, Ordering::SeqCst);
                let allowed =
                    head.iter().any(|line| line.eq_ignore_ascii_case("authorization: Basic YW5uOmdlaGVpbQ=="));
                let path = first.split(' ').nth(1).unwrap_or_default();
                let (status, body) = if allowed { answers(path) } else { (401, "{}".to_owned()) };
                if status == 0 {
                    // Never an answer: the connection stays open.
                    std::mem::forget(stream);
                    continue;
                }
                let length = body.len();
                _ = write!(
                    stream,
                    "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
                );
            }
        });
        Fake { url, asked }
    }

    fn registry(url: &str, password: &'static str) -> Registry {
        Registry::new(RegistrySettings {
            place: RegistryPlace::Confluent(url.to_owned()),
            user: Some("ann".to_owned()),
            password: Some(Arc::new(move || Box::pin(async move { Ok(Secret::new(password)) }))),
            ca: None,
        })
    }

    fn answer(schema: &str, kind: &str, references: &Value) -> (u16, String) {
        (200, serde_json::json!({"schema": schema, "schemaType": kind, "references": references}).to_string())
    }

    fn shop(path: &str) -> (u16, String) {
        let none = serde_json::json!([]);
        match path {
            "/schemas/ids/1" => {
                let text = r#"{"type":"record","name":"a.O","fields":[{"name":"l","type":"a.L"}]}"#;
                let body =
                    serde_json::json!({"schema": text, "references": [{"name":"a.L","subject":"a.L","version":2}]});
                (200, body.to_string())
            }
            "/subjects/a%2EL/versions/2" => {
                answer(r#"{"type":"record","name":"a.L","fields":[{"name":"n","type":"int"}]}"#, "AVRO", &none)
            }
            "/schemas/ids/2" => answer(
                r#"syntax = "proto3"; import "money.proto"; message O { Money total = 1; }"#,
                "PROTOBUF",
                &serde_json::json!([{"name":"money.proto","subject":"money","version":1}]),
            ),
            "/subjects/money/versions/1" => {
                answer("syntax = \"proto3\"; message Money { int32 cents = 1; }", "PROTOBUF", &none)
            }
            "/schemas/ids/3" => answer("{}", "JSON", &none),
            "/schemas/ids/4" => (200, "<html>".to_owned()),
            "/schemas/ids/5" => answer("{", "AVRO", &none),
            "/schemas/ids/6" => (200, "x".repeat(MAX_TEXT + 1)),
            "/schemas/guids/11111111-1111-1111-1111-111111111111" => answer("\"string\"", "AVRO", &none),
            // It refers to itself: each name is fetched once.
            "/schemas/ids/7" | "/subjects/loop/versions/1" => {
                answer("\"int\"", "AVRO", &serde_json::json!([{"name":"loop","subject":"loop","version":1}]))
            }
            _ => (404, r#"{"error_code":40403,"message":"Schema not found"}"#.to_owned()),
        }
    }

    #[test]
    fn schemas_of_each_type_are_fetched_once_with_their_references() {
        let fake = fake(shop);
        let registry = registry(&fake.url, "geheim");
        let decode = |id: SchemaId, data: &[u8]| {
            registry.schema(id).unwrap().decode(data, Some(id), &Limits::default()).map(|value| value.to_string())
        };
        assert_eq!(decode(SchemaId::Number(1), b"\x22").unwrap(), r#"{"l":{"n":17}}"#);
        assert_eq!(decode(SchemaId::Number(2), b"\x00\x0a\x02\x08\x11").unwrap(), r#"{"total":{"cents":17}}"#);
        assert_eq!(decode(SchemaId::Number(3), b"[1]").unwrap(), "[1]");
        assert_eq!(decode(SchemaId::Guid([0x11; 16]), b"\x04hi").unwrap(), "\"hi\"");
        let asked = fake.asked.load(Ordering::SeqCst);
        assert_eq!(asked, 6);
        assert!(decode(SchemaId::Number(1), b"\x22").is_ok() && decode(SchemaId::Number(3), b"{").is_err());
        assert_eq!(fake.asked.load(Ordering::SeqCst), asked, "what is known is not asked again");
    }

    #[test]
    fn nonsense_is_a_reason_and_is_not_asked_again_at_once() {
        let fake = fake(shop);
        let registry = registry(&fake.url, "geheim");
        for (id, why) in [
            (4, "its answer is no schema"),
            (5, "Avro schema can't be read"),
            (6, "longer than"),
            (7, "schema can't be read"),
            (9, "404 Not Found Schema not found"),
        ] {
            let told = registry.schema(SchemaId::Number(id)).unwrap_err();
            assert!(told.contains(why) && told.starts_with("the schema registry http://127.0.0.1:"), "{id}: {told}");
        }
        let asked = fake.asked.load(Ordering::SeqCst);
        assert!(registry.schema(SchemaId::Number(9)).is_err());
        assert_eq!(fake.asked.load(Ordering::SeqCst), asked);
    }

    #[test]
    fn a_registry_that_is_down_or_silent_costs_one_wait_and_never_shows_a_password() {
        // A port that nobody listens on.
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (url, password, why) in [
            (format!("http://{closed}"), "geheim", "can't be asked"),
            (fake(|_| (0, String::new())).url, "geheim", "no answer within 3 s"),
            (fake(shop).url, "wrong", "it answered 401"),
            (fake(|_| (503, String::new())).url, "geheim", "it answered 503"),
        ] {
            let registry = registry(&url, password);
            let first = registry.schema(SchemaId::Number(1)).unwrap_err();
            assert!(first.contains(why) && !first.contains(password), "{first}");
            let began = Instant::now();
            for id in 0..1000 {
                assert!(registry.schema(SchemaId::Number(id)).is_err());
            }
            assert!(began.elapsed() < Duration::from_secs(1), "it is left alone");
        }
    }
}
