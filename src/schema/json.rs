//! JSON Schema, from files and registries: drafts 4 to 2020-12, draft 7 where a schema does not say.
//!
//! A payload is JSON whatever its schema says, so viewing never asks it; checking does. Limits: nothing is fetched that the
//! schema refers to but what the registry gave with it.

use std::fmt;

use boon::{Compiler, Draft, SchemaIndex, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

use crate::message::codec::{Fit, Limits, Schema, SchemaId};

/// Where the schema stands among those that it refers to: nowhere that can be asked.
const BASE: &str = "postroom://schema/";
/// How many misfits of one payload are named.
const SHOWN: usize = 3;

/// A compiled schema, or why it could not be compiled.
pub(super) struct JsonSchema {
    name: String,
    compiled: Result<(Schemas, SchemaIndex), String>,
}

impl fmt::Debug for JsonSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JsonSchema").field(&self.name).finish()
    }
}

/// Fetches nothing.
struct Nothing;

impl UrlLoader for Nothing {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("{} is not fetched", url.strip_prefix(BASE).unwrap_or(url)).into())
    }
}

impl JsonSchema {
    /// Reads a schema, with what it refers to by name.
    pub(super) fn parse(text: &str, references: &[(String, String)]) -> Self {
        let value: Result<Value, _> = serde_json::from_str(text);
        let name = value.as_ref().ok().and_then(|value| value.get("title")).and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        let compiled = value.map_err(|error| error.to_string()).and_then(|value| compile(value, references));
        Self { name, compiled: compiled.map_err(|why| format!("its JSON Schema can't be used: {why}")) }
    }

    /// Why it can't be used, where it can't.
    pub(super) fn usable(self) -> Result<Self, String> {
        match &self.compiled {
            Ok(_) => Ok(self),
            Err(why) => Err(why.clone()),
        }
    }

    /// Whether a file is a JSON Schema and not an Avro schema in JSON, which names a type of its own.
    pub(super) fn is_one(text: &str) -> bool {
        const WORDS: [&str; 8] = ["$schema", "properties", "$ref", "$defs", "definitions", "allOf", "anyOf", "oneOf"];
        let Ok(Value::Object(schema)) = serde_json::from_str(text) else { return false };
        let is_avro = schema.contains_key("fields") || schema.contains_key("symbols");
        !is_avro
            && (WORDS.iter().any(|word| schema.contains_key(*word)) || schema.get("type") == Some(&"object".into()))
    }
}

fn compile(value: Value, references: &[(String, String)]) -> Result<(Schemas, SchemaIndex), String> {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V7);
    compiler.use_loader(Box::new(Nothing));
    let one_line = |error: &dyn fmt::Display| error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    // A reference is meant relative to the schema's own id, where it has one.
    let base = value.get("$id").and_then(Value::as_str).and_then(|id| url::Url::parse(id).ok());
    let base = base.or_else(|| url::Url::parse(BASE).ok()).ok_or("it has no place")?;
    for (name, text) in references {
        let at = base.join(name).map_err(|error| format!("{name}: {error}"))?;
        let value = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
        compiler.add_resource(at.as_str(), value).map_err(|error| one_line(&error))?;
    }
    let main = format!("{BASE}main.json");
    compiler.add_resource(&main, value).map_err(|error| one_line(&error))?;
    let mut schemas = Schemas::new();
    let index = compiler.compile(&main, &mut schemas).map_err(|error| one_line(&error))?;
    Ok((schemas, index))
}

/// The innermost misfits, with their places.
fn why(error: &ValidationError<'_, '_>) -> String {
    let mut leaves = Vec::new();
    let mut open = vec![error];
    while let Some(error) = open.pop() {
        if error.causes.is_empty() {
            let at = error.instance_location.to_string();
            let at = if at.is_empty() { "the body".to_owned() } else { at };
            leaves.push(format!("{at}: {}", error.kind));
        }
        open.extend(error.causes.iter().rev());
    }
    let more = leaves.len().saturating_sub(SHOWN);
    leaves.truncate(SHOWN);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    format!("{}{more}", leaves.join("; "))
}

impl Schema for JsonSchema {
    fn format(&self) -> &'static str {
        "json"
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn decode(&self, data: &[u8], _id: Option<SchemaId>, _limits: &Limits) -> Result<Value, String> {
        serde_json::from_slice(data).map_err(|error| format!("its schema says JSON, and it is none: {error}"))
    }

    fn check(&self, data: &[u8], _id: Option<SchemaId>, _limits: &Limits) -> Fit {
        let (schemas, index) = match &self.compiled {
            Ok(compiled) => compiled,
            Err(why) => return Fit::Unknown(why.clone()),
        };
        match serde_json::from_slice::<Value>(data) {
            Err(error) => Fit::Misfit(format!("it is no JSON: {error}")),
            Ok(value) => schemas.validate(&value, *index).map_or_else(|error| Fit::Misfit(why(&error)), |()| Fit::Fits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORDER: &str = r#"{"title":"Order","type":"object","required":["id","total"],"properties":{
        "id":{"type":"integer"},"total":{"type":"number","minimum":0},"customer":{"$ref":"customer.json"}}}"#;

    fn check(schema: &JsonSchema, data: &str) -> Fit {
        schema.check(data.as_bytes(), None, &Limits::default())
    }

    #[test]
    fn a_misfit_names_its_place_and_what_was_wanted() {
        let customer = ("customer.json".to_owned(), r#"{"type":"object","required":["name"]}"#.to_owned());
        let schema = JsonSchema::parse(ORDER, &[customer]).usable().unwrap();
        assert_eq!(check(&schema, r#"{"id":12345678901234567890123,"total":1.50,"customer":{"name":"a"}}"#), Fit::Fits);
        let Fit::Misfit(why) = check(&schema, r#"{"id":"7","total":-1,"customer":{}}"#) else { panic!("it fits") };
        for part in ["/id: want integer", "/total:", "/customer: missing"] {
            assert!(why.contains(part), "{why}");
        }
        assert!(matches!(check(&schema, "{"), Fit::Misfit(why) if why.contains("no JSON")));
        assert_eq!(schema.name(), "Order");
    }

    #[test]
    fn what_is_not_there_is_not_fetched() {
        for reference in ["https://example.org/a.json", "file:///etc/passwd", "missing.json"] {
            let schema = JsonSchema::parse(&format!(r#"{{"$ref":"{reference}"}}"#), &[]);
            assert!(matches!(check(&schema, "{}"), Fit::Unknown(why) if why.contains("can't be used")), "{reference}");
        }
    }

    #[test]
    fn a_json_schema_is_told_from_an_avro_schema() {
        assert!(JsonSchema::is_one(ORDER) && JsonSchema::is_one(r#"{"type":"object"}"#));
        assert!(!JsonSchema::is_one(r#"{"type":"record","name":"N","fields":[]}"#));
        assert!(!JsonSchema::is_one(r#"{"type":"enum","name":"E","symbols":["a"]}"#) && !JsonSchema::is_one("\"int\""));
    }
}
