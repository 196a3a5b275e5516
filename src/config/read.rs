//! The config file's text into checked profiles, with errors that name file, line and column.
//!
//! Limits: TOML's own error display is never used, for it quotes the line, which may hold a password.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::rules::{RawRules, rules};
use super::schemas::{RawSchemas, schemas};
use super::{Colour, Policy, Profile, RedactRule, Redaction, ScreenStyle, SecretSource};
use crate::broker::{BrokerUrl, Tls};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::fingerprint::Rules;
use crate::secret::Secret;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    profiles: BTreeMap<Spanned<String>, RawProfile>,
    #[serde(default)]
    groups: RawRules,
    tui: Option<Spanned<ScreenStyle>>,
}

/// What a config file says.
#[derive(Debug)]
pub(super) struct File {
    pub(super) profiles: BTreeMap<String, Profile>,
    pub(super) rules: Rules,
    pub(super) screens: ScreenStyle,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawProfile {
    url: Spanned<String>,
    // Any value, read by hand: serde's errors quote what they can't use.
    password: Option<Spanned<toml::Value>>,
    #[serde(default)]
    tls: RawTls,
    #[serde(default)]
    read_only: bool,
    #[serde(default)]
    production: bool,
    #[serde(default)]
    redact: Vec<Spanned<String>>,
    #[serde(default)]
    options: BTreeMap<String, Spanned<toml::Value>>,
    #[serde(alias = "color")]
    colour: Option<Colour>,
    #[serde(default)]
    schemas: RawSchemas,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawTls {
    ca: Option<PathBuf>,
    cert: Option<PathBuf>,
    key: Option<PathBuf>,
}

/// A file's text, to say where in it something is wrong.
pub(super) struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    /// An error at a place of the file.
    pub(super) fn error(&self, at: Option<std::ops::Range<usize>>, message: &str) -> Error {
        let file = self.path.display().to_string();
        let Some(before) = at.and_then(|at| self.text.get(..at.start)) else {
            return Error::new(ErrorKind::Config, format!("{file}: {message}")).context("file", file);
        };
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or(before).chars().count() + 1;
        Error::new(ErrorKind::Config, format!("{file}:{line}:{column}: {message}"))
            .context("file", file)
            .context("line", line.to_string())
            .context("column", column.to_string())
    }

    /// What TOML or serde says, with the nearest field for one that is unknown.
    fn toml_error(&self, error: &toml::de::Error) -> Error {
        let message = error.message();
        let mut quoted = message.split('`').skip(1).step_by(2);
        let near = match quoted.next() {
            Some(word) if message.starts_with("unknown ") => nearest(word, quoted),
            _ => None,
        };
        let located = self.error(error.span(), message);
        match near {
            Some(near) => located.hint(format!("did you mean `{near}`?")),
            None => located.hint("`postroom config init` writes a documented example"),
        }
    }
}

/// What a config file's text says.
pub(super) fn file(text: &str, path: &Path) -> Result<File> {
    let source = Source { text, path };
    let raw: RawFile = toml::from_str(text).map_err(|error| source.toml_error(&error))?;
    let rules = rules(&source, raw.groups)?;
    let (at, screens) = raw.tui.map(|tui| (tui.span(), tui.into_inner())).unwrap_or_default();
    if let Some(theme) = screens.theme.as_deref().filter(|theme| !["dark", "light", "none"].contains(theme)) {
        return Err(source.error(Some(at), &format!("there is no theme {theme:?}")).hint("dark, light or none"));
    }
    Ok(File { profiles: profiles(&source, raw.profiles)?, rules, screens })
}

fn profiles(source: &Source<'_>, raw: BTreeMap<Spanned<String>, RawProfile>) -> Result<BTreeMap<String, Profile>> {
    let folder = source.path.parent().unwrap_or(Path::new(""));
    raw.into_iter()
        .map(|(name, raw)| {
            let at = name.span();
            let name = name.into_inner();
            if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') || name.is_empty() {
                let message = format!("a profile's name is made of letters, digits, - and _, and {name:?} is not");
                return Err(source.error(Some(at), &message));
            }
            if ["demo", "file"].contains(&name.as_str()) {
                return Err(source.error(Some(at), &format!("the name {name} is built in: choose another")));
            }
            Ok((name.clone(), profile(source, folder, name, raw)?))
        })
        .collect()
}

fn profile(source: &Source<'_>, folder: &Path, name: String, raw: RawProfile) -> Result<Profile> {
    let url = BrokerUrl::parse(raw.url.get_ref()).map_err(|error| {
        let located = source.error(Some(raw.url.span()), error.message()).context("profile", &name);
        match error.hint_text() {
            Some(hint) => located.hint(hint),
            None => located,
        }
    })?;
    let secret = |value: Spanned<toml::Value>| {
        let at = value.span();
        SecretSource::from_toml(value.into_inner(), folder).map_err(|message| source.error(Some(at), &message))
    };
    let password = raw.password.map(secret).transpose()?;
    if password.is_some() && url.password.is_some() {
        return Err(source
            .error(Some(raw.url.span()), "the URL has a password and the profile has one too")
            .hint("keep one of them, best the profile's `password`"));
    }
    let options = raw.options.into_iter().map(|(option, value)| {
        let value = match value.get_ref() {
            toml::Value::Integer(n) => Ok(SecretSource::Text(Secret::new(n.to_string()))),
            toml::Value::Boolean(flag) => Ok(SecretSource::Text(Secret::new(flag.to_string()))),
            _ => secret(value),
        };
        value.map(|value| (option, value))
    });
    let rules = raw
        .redact
        .iter()
        .map(|rule| rule.get_ref().parse::<RedactRule>().map_err(|message| source.error(Some(rule.span()), &message)));
    let absolute = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    Ok(Profile {
        options: options.collect::<Result<_>>()?,
        policy: Policy {
            read_only: raw.read_only,
            production: raw.production,
            redaction: Redaction::new(rules.collect::<Result<_>>()?),
            colour: raw.colour,
        },
        tls: Tls { ca: absolute(raw.tls.ca), cert: absolute(raw.tls.cert), key: absolute(raw.tls.key) },
        schemas: schemas(source, folder, raw.schemas)?,
        name,
        url,
        password,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        file(text, Path::new("c.toml")).expect_err(text)
    }

    #[test]
    fn everything_a_profile_can_say_is_read() {
        let text = r#"
            [profiles.events]
            url = "kafka://b1:9092,b2:9092"
            password = { command = ["pass", "shop"] }
            tls = { ca = "ca.pem", key = "/etc/me.key" }
            options = { "security.protocol" = "SASL_SSL", "sasl.password" = { env = "PW" }, "fetch.max.bytes" = 5 }
            redact = ["body.card.number", "header.authorization"]
            colour = "red"
            read_only = true
        "#;
        let profiles = file(text, Path::new("/home/ann/c.toml")).unwrap().profiles;
        let profile = &profiles["events"];
        assert_eq!(profile.tls.ca.as_deref(), Some(Path::new("/home/ann/ca.pem")));
        assert_eq!(profile.tls.key.as_deref(), Some(Path::new("/etc/me.key")));
        assert_eq!(profile.options["sasl.password"], SecretSource::Env("PW".into()));
        assert_eq!(profile.options["fetch.max.bytes"], SecretSource::Text(Secret::new("5")));
        assert!(profile.policy.read_only && !profile.policy.production);
        assert_eq!(profile.policy.colour, Some(Colour::Red));
    }

    #[test]
    fn an_unknown_field_names_file_line_column_and_the_nearest_field() {
        let error = error("[profiles.shop]\nurl = \"amqp://h/%2f\"\npasword = \"geheim\"\n");
        assert!(error.message().starts_with("c.toml:3:1: unknown field `pasword`"), "{error}");
        assert_eq!(error.hint_text(), Some("did you mean `password`?"));
        assert_eq!(error.kind(), ErrorKind::Config);
    }

    #[test]
    fn what_is_wrong_is_named_by_line_and_column_and_shows_no_secret() {
        let cases = [
            ("[profiles.shop\n", "c.toml:1:"),
            ("[profiles.a]\npassword = 17\nurl = \"amqp://h/%2f\"", "c.toml:2:12: expected a text or one of"),
            ("[profiles.a]\nurl = \"amqp://h/%2f\"\npassword = { geheim = \"x\" }", "c.toml:3:12: expected a text"),
            ("[profiles.a]\nurl = \"amqp://u:geheim@h/%2f\"\npassword = \"x\"", "c.toml:2:7: the URL has a password"),
            ("[profiles.a]\nurl = \"amqp://u:geheim@h/%2f/queue\"", "c.toml:2:7: amqp://u@h/%2F/queue has a queue"),
            ("[profiles.a]\nurl = \"http://h\"", "c.toml:2:7: http:// is not a scheme"),
            ("[profiles.a]\nurl = \"amqp://h\"\nredact = [\"bdy.x\"]", "c.toml:3:11: "),
            ("[profiles.a]\nurl = \"amqp://h\"\npassword = \"geheim", "c.toml:3:"),
            ("[profiles.demo]\nurl = \"amqp://h\"", "c.toml:1:11: the name demo is built in"),
            ("[profiles.\"a b\"]\nurl = \"amqp://h\"", "c.toml:1:11: a profile's name"),
            ("[profiles.a]\n", "c.toml:1:1: missing field `url`"),
            ("[profiles.a]\nurl = \"amqp://h\"\ncolour = \"bleu\"", "c.toml:3:10: unknown variant `bleu`"),
        ];
        for (text, expected) in cases {
            let error = error(text);
            assert!(error.to_string().starts_with(expected), "{text}\n{error}");
            assert!(!format!("{error:?}").contains("geheim"), "{error:?}");
        }
        assert_eq!(
            error("[profiles.a]\nurl = \"amqp://h\"\ncolour = \"bleu\"").hint_text(),
            Some("did you mean `blue`?")
        );
    }
}
