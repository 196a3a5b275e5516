//! The table `schemas` of a profile: files by queue and a registry, checked, with errors that name the place.
//!
//! Limits: nothing is read or asked here; the registry's password is had when the registry is first asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::read::Source;
use super::{Environment, SecretSource};
use crate::error::Result;
use crate::message::fingerprint::NamedSchemas;
use crate::schema::{Password, RegistrySettings, SchemaFile, SchemaSettings};
use crate::secret::Secret;

/// The table as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSchemas {
    registry: Option<Spanned<String>>,
    user: Option<String>,
    // Any value, read by hand: serde's errors quote what they can't use.
    password: Option<Spanned<toml::Value>>,
    ca: Option<PathBuf>,
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// What a profile says of schemas.
#[derive(Clone, Debug, Default)]
pub struct ProfileSchemas {
    settings: SchemaSettings,
    password: Option<SecretSource>,
}

/// Checks the table; relative paths are relative to `folder`.
pub(super) fn schemas(source: &Source<'_>, folder: &Path, raw: RawSchemas) -> Result<ProfileSchemas> {
    let mut files: Vec<SchemaFile> = raw
        .files
        .iter()
        .map(|(queues, file)| {
            let file = SchemaFile::parse(queues, file);
            SchemaFile { path: folder.join(&file.path), ..file }
        })
        .collect();
    // The longer a pattern, the more it says.
    files.sort_by_key(|file| std::cmp::Reverse(file.queues.len()));
    let mut password = raw
        .password
        .map(|value| {
            let at = value.span();
            SecretSource::from_toml(value.into_inner(), folder).map_err(|message| source.error(Some(at), &message))
        })
        .transpose()?;
    let registry = raw.registry.map(|text| {
        let at = text.span();
        let read = RegistrySettings::parse(text.get_ref());
        read.map_err(|error| source.error(Some(at), &error.to_string()).hint(error.hint_text().unwrap_or_default()))
    });
    let registry = registry.transpose()?.map(|(registry, inline)| {
        if let Some(inline) = inline {
            password.get_or_insert(SecretSource::Text(inline));
        }
        RegistrySettings { user: raw.user.or(registry.user), ca: raw.ca.map(|ca| folder.join(ca)), ..registry }
    });
    Ok(ProfileSchemas { settings: SchemaSettings { registry, files }, password })
}

/// Schemas that were named for this run. The registry's password is in its URL or in `POSTROOM_REGISTRY_PASSWORD`.
///
/// # Errors
/// `Usage` for a registry's URL that is none.
pub(super) fn named(named: &NamedSchemas, environment: &Environment) -> Result<SchemaSettings> {
    let files = named.files.iter().map(|text| match text.split_once('=') {
        Some((queues, file)) if !file.is_empty() && !Path::new(text).exists() => SchemaFile::parse(queues, file),
        _ => SchemaFile::parse("*", text),
    });
    let registry = named.registry.as_deref().map(RegistrySettings::parse).transpose()?.map(|(settings, inline)| {
        let secret = inline.or_else(|| environment.get("POSTROOM_REGISTRY_PASSWORD").map(Secret::new));
        let password = secret.map(|secret| -> Password {
            Arc::new(move || {
                let secret = secret.clone();
                Box::pin(async move { Ok(secret) })
            })
        });
        RegistrySettings { password, ..settings }
    });
    Ok(SchemaSettings { registry, files: files.collect() })
}

/// The same with absolute paths and without a password: what may be written down, and found again from elsewhere.
pub(super) fn written(named: &NamedSchemas) -> NamedSchemas {
    let absolute = |text: &str| match std::path::absolute(text) {
        Ok(path) => path.display().to_string(),
        Err(_) => text.to_owned(),
    };
    let file = |text: &String| match text.split_once('=') {
        Some((queues, file)) if !file.is_empty() && !Path::new(text).exists() => format!("{queues}={}", absolute(file)),
        _ => absolute(text),
    };
    let registry = named.registry.as_ref().map(|text| {
        let mut url = url::Url::parse(text).ok();
        _ = url.as_mut().map(|url| url.set_password(None));
        url.map_or_else(|| text.clone(), String::from)
    });
    NamedSchemas { files: named.files.iter().map(file).collect(), registry }
}

impl ProfileSchemas {
    /// The settings, with the way to the registry's password.
    #[must_use]
    pub fn settings(&self, profile: &str, environment: &Environment) -> SchemaSettings {
        let mut settings = self.settings.clone();
        if let (Some(registry), Some(source)) = (&mut settings.registry, &self.password) {
            let what = format!("the schema registry's password of profile {profile:?}");
            let (source, environment) = (source.clone(), environment.clone());
            registry.password = Some(Arc::new(move || {
                let (source, environment, what) = (source.clone(), environment.clone(), what.clone());
                Box::pin(async move { source.resolve(&what, &environment).await })
            }));
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::super::read;
    use super::*;

    fn read(text: &str) -> Result<SchemaSettings> {
        let text = format!("[profiles.a]\nurl = \"amqp://h/%2f\"\n[profiles.a.schemas]\n{text}");
        let file = read::file(&text, Path::new("/home/ann/c.toml"))?;
        Ok(file.profiles["a"].schemas.settings("a", &Environment::from_iter([("PW", "geheim")])))
    }

    #[tokio::test]
    async fn files_and_a_registry_are_read_and_the_password_is_nowhere_to_be_seen() {
        let text = "registry = \"https://ann@reg:8081/x\"\npassword = { env = \"PW\" }\nca = \"ca.pem\"\n\
            files = { \"o*\" = \"o.avsc\", \"orders.dlq\" = \"/s/o.proto#a.O\" }\n";
        let settings = read(text).unwrap();
        let registry = settings.registry.as_ref().unwrap();
        assert_eq!(
            (registry.place.to_string().as_str(), registry.user.as_deref()),
            ("https://reg:8081/x", Some("ann"))
        );
        assert_eq!(registry.ca.as_deref(), Some(Path::new("/home/ann/ca.pem")));
        assert_eq!(registry.password.as_ref().unwrap()().await.unwrap().expose(), "geheim");
        assert_eq!(settings.files[0], SchemaFile::parse("orders.dlq", "/s/o.proto#a.O"));
        assert_eq!(settings.files[1], SchemaFile::parse("o*", "/home/ann/o.avsc"));
        let inline = read("registry = \"http://ann:geheim@reg\"\n").unwrap();
        assert!(!format!("{inline:?}").contains("geheim"), "{inline:?}");
    }

    #[test]
    fn a_bad_table_is_one_error_that_names_its_place() {
        for (text, expected) in [
            ("registry = \"reg:8081\"", "/home/ann/c.toml:4:12: a schema registry is http"),
            ("registri = \"x\"", "/home/ann/c.toml:4:1: unknown field `registri`"),
            ("password = 5", "/home/ann/c.toml:4:12: expected a text"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.to_string().starts_with(expected), "{error}");
        }
    }
}
