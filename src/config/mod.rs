//! Profiles: what the operator wrote down beforehand about each broker.
//!
//! Defaults <- file <- environment <- flags. A [`Config`] is what the file says, checked; secrets in it are still
//! [`SecretSource`]s and are resolved when a connection is opened. Limits: this room reads files and the
//! environment, but opens no connection.

mod environment;
mod read;
mod redact;
mod rules;
mod schemas;
mod source;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use etcetera::BaseStrategy as _;

pub use environment::Environment;
pub use redact::{RedactRule, Redaction};
pub use schemas::ProfileSchemas;
pub use source::SecretSource;

use crate::broker::{BrokerUrl, Connect, Tls};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::fingerprint::{NamedSchemas, Rules, WrittenRules};
use crate::schema::{self, Home};

/// The documented default file, as `postroom config init` writes it.
pub const DEFAULT_FILE: &str = include_str!("../../assets/config.toml");

/// The configuration file, read and checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Where the file is, or would be; `None` where the user has no config folder.
    pub path: Option<PathBuf>,
    /// Whether there is a file.
    pub exists: bool,
    /// The profiles by name.
    pub profiles: BTreeMap<String, Profile>,
    /// The operator's rules for grouping, and the schemas of the profiles.
    pub rules: Arc<Rules>,
    /// How the screens look, and which keys they take.
    pub screens: ScreenStyle,
    environment: Environment,
}

/// How the screens look, and which keys they take.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScreenStyle {
    /// `dark`, `light` or `none`; without it the terminal is asked.
    #[serde(default)]
    pub theme: Option<String>,
    /// Nothing but ASCII is drawn; without it the locale decides.
    #[serde(default)]
    pub ascii: Option<bool>,
    /// The operator's own keys by the name of a command. Whether there is such a command is for the screens to say.
    #[serde(default)]
    pub keys: BTreeMap<String, Vec<String>>,
}

/// A named connection with its policy.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// The broker, without a queue.
    pub url: BrokerUrl,
    /// Where the password comes from, unless the URL has it.
    pub password: Option<SecretSource>,
    /// TLS files, relative paths resolved against the config file's folder.
    pub tls: Tls,
    /// The client's own options.
    pub options: BTreeMap<String, SecretSource>,
    /// What the operator allows here.
    pub policy: Policy,
    /// By which schemas payloads are read.
    pub schemas: ProfileSchemas,
}

/// What is allowed on a connection and how it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Every write is refused.
    pub read_only: bool,
    /// A write asks for the queue's name.
    pub production: bool,
    /// What people don't get to see on a screen.
    pub redaction: Redaction,
    /// The colour of the profile's name.
    pub colour: Option<Colour>,
}

/// A colour of a profile, by the terminal's own palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Colour {
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

impl Config {
    /// Reads the configuration: the file given, else `$POSTROOM_CONFIG`, else `postroom/config.toml` in the user's
    /// config folder. A default file that does not exist is an empty configuration; one that was asked for must exist.
    ///
    /// # Errors
    /// `Config`, with file, line and column, for a file that can't be read or says what postroom does not know.
    pub fn load(file: Option<&Path>, environment: Environment) -> Result<Self> {
        let asked = file.is_some() || environment.get("POSTROOM_CONFIG").is_some();
        let Some(path) = Self::path(file, &environment) else {
            return Ok(Self { environment, ..Self::default() });
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let read::File { profiles, rules, screens } = read::file(&text, &path)?;
                let rules = Arc::new(rules);
                let config = Self { path: Some(path), exists: true, profiles, rules, screens, environment };
                config.read_by(&NamedSchemas::default())
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !asked => {
                Ok(Self { path: Some(path), environment, ..Self::default() })
            }
            Err(error) => Err(Error::new(ErrorKind::Config, format!("can't read the config file {}", path.display()))
                .hint("name another with --config or POSTROOM_CONFIG, or write one with `postroom config init`")
                .because(error)),
        }
    }

    /// Reads payloads by the schemas of the profiles, and before them by those that are named for this run.
    ///
    /// # Errors
    /// `Usage` for a registry's URL that is none.
    pub fn read_by(mut self, named: &NamedSchemas) -> Result<Self> {
        let own = schemas::named(named, &self.environment)?;
        let profiles = self.profiles.values().map(|profile| {
            let home = Home::Profile { name: profile.name.clone(), url: profile.url.clone() };
            (home, profile.schemas.settings(&profile.name, &self.environment))
        });
        if let Some(schemas) = schema::open(std::iter::once((Home::Everywhere, own)).chain(profiles)) {
            self.rules = Arc::new(Rules::clone(&self.rules).read_by(schemas).naming(schemas::written(named)));
        }
        Ok(self)
    }

    /// The rules that a plan or a journal wrote down, else those of now; payloads are read by the profiles' schemas, and
    /// by those that were named for that run.
    ///
    /// # Errors
    /// `Config` or `Usage` where what was written down can't be read.
    pub fn rules_again(&self, written: Option<&WrittenRules>) -> Result<Arc<Rules>> {
        let Some(written) = written else { return Ok(Arc::clone(&self.rules)) };
        if *written == self.rules.written() {
            return Ok(Arc::clone(&self.rules));
        }
        let again = Self { rules: Arc::new(written.read()?), ..self.clone() };
        Ok(again.read_by(&written.schemas)?.rules)
    }

    /// Where the file is, or would be, whether or not it can be read; `None` where the user has no config folder.
    #[must_use]
    pub fn path(file: Option<&Path>, environment: &Environment) -> Option<PathBuf> {
        let asked = file.map(Path::to_owned).or_else(|| environment.get("POSTROOM_CONFIG").map(PathBuf::from));
        asked.or_else(default_path)
    }

    /// The profile of that name.
    ///
    /// # Errors
    /// `Config` for a name that is not there: says which is near, and where the file is or how to make one.
    pub fn profile(&self, name: &str) -> Result<&Profile> {
        self.profiles.get(name).ok_or_else(|| {
            let error = Error::new(ErrorKind::Config, format!("there is no profile {name:?}"));
            let place = self.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
            if !self.exists {
                return error.hint(format!(
                    "there is no config file at {place}: `postroom config init` writes one; or use a URL, or demo:QUEUE"
                ));
            }
            match nearest(name, self.profiles.keys().map(String::as_str)) {
                Some(near) => error.hint(format!("did you mean {near:?}? The profiles are in {place}")),
                None if self.profiles.is_empty() => {
                    error.hint(format!("{place} has no profiles yet: add [profiles.{name}]"))
                }
                None => {
                    let names: Vec<&str> = self.profiles.keys().map(String::as_str).collect();
                    error.hint(format!("{place} has {}", names.join(", ")))
                }
            }
        })
    }

    /// The environment that secrets come from.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.environment
    }
}

impl Profile {
    /// Everything that opens the connection, secrets resolved.
    ///
    /// # Errors
    /// `Config` for a secret that can't be had; the error names where it was looked for, never what it is.
    pub async fn connect(&self, environment: &Environment) -> Result<Connect> {
        let name = |what: &str| format!("the {what} of profile {:?}", self.name);
        let mut url = self.url.clone();
        if let Some(source) = &self.password {
            url.password = Some(source.resolve(&name("password"), environment).await?);
        }
        let mut options = BTreeMap::new();
        for (option, source) in &self.options {
            let value = source.resolve(&name(&format!("option {option}")), environment).await?;
            options.insert(option.clone(), value.expose().to_owned());
        }
        Ok(Connect { url, tls: self.tls.clone(), options })
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
            Self::Cyan => "cyan",
        })
    }
}

fn default_path() -> Option<PathBuf> {
    let folders = etcetera::choose_base_strategy().ok()?;
    Some(folders.config_dir().join("postroom").join("config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_profile_names_the_nearest_and_the_file() {
        let config = Config {
            path: Some("/home/ann/.config/postroom/config.toml".into()),
            exists: true,
            profiles: read::file("[profiles.shop]\nurl = \"amqp://h/%2f\"", Path::new("c.toml")).unwrap().profiles,
            ..Config::default()
        };
        let error = config.profile("shpo").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert_eq!(
            error.hint_text(),
            Some("did you mean \"shop\"? The profiles are in /home/ann/.config/postroom/config.toml")
        );
    }

    #[test]
    fn without_a_file_the_hint_says_how_to_make_one() {
        let config = Config { path: Some("/c.toml".into()), ..Config::default() };
        assert!(config.profile("shop").unwrap_err().hint_text().unwrap().contains("postroom config init"));
    }

    #[test]
    fn a_file_that_was_asked_for_must_exist() {
        let environment = Environment::from_iter([("POSTROOM_CONFIG", "/nowhere/config.toml")]);
        let error = Config::load(None, environment).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("/nowhere/config.toml"), "{error}");
    }

    #[test]
    fn the_documented_default_file_reads_as_it_is_and_with_its_examples_switched_on() {
        assert!(read::file(DEFAULT_FILE, Path::new("config.toml")).unwrap().profiles.is_empty());
        let on: String = DEFAULT_FILE
            .lines()
            .map(|line| line.strip_prefix("#").filter(|rest| !rest.starts_with([' ', '#'])).unwrap_or(line))
            .fold(String::new(), |all, line| all + line + "\n");
        let profiles = read::file(&on, Path::new("config.toml")).unwrap().profiles;
        assert!(profiles["shop"].policy.production && !profiles["shop"].policy.read_only);
        assert_eq!(profiles["shop"].policy.redaction.rules().len(), 2);
    }

    #[tokio::test]
    async fn the_password_comes_from_where_the_profile_says() {
        let text = "[profiles.a]\nurl = \"amqp://u@h/%2f\"\npassword = { env = \"PW\" }\n";
        let profiles = read::file(text, Path::new("c.toml")).unwrap().profiles;
        let connect = profiles["a"].connect(&Environment::from_iter([("PW", "geheim")])).await.unwrap();
        assert_eq!(connect.url.password.as_ref().map(crate::secret::Secret::expose), Some("geheim"));
        assert!(!format!("{connect:?} {profiles:?}").contains("geheim"));
        let error = profiles["a"].connect(&Environment::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains("PW"), "{error}");
    }
}
