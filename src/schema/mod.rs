//! Where schemas come from: files that the operator names for a queue, and registries.
//!
//! ```text
//! library    whose schemas read a message: this run's own, then those of the profile that it is at home in
//! files      .avsc, .proto, descriptor and JSON Schema files by queue
//! registry   what a registry said, kept; confluent and glue ask it
//! json       JSON Schema, by which edits are checked
//! protobuf   messages by a descriptor; Avro's values are read in the codec, for its files bring their schema along
//! ```
//!
//! Payloads stay bytes wherever a schema can't be had, with the reason beside them: a registry that is down costs one
//! short wait, and then nothing for a while. Limits: nothing is read or asked before a payload needs it.

#[cfg(feature = "schemas")]
mod confluent;
#[cfg(feature = "schemas")]
mod files;
#[cfg(feature = "schemas")]
mod glue;
#[cfg(feature = "schemas")]
mod json;
mod library;
#[cfg(feature = "schemas")]
mod protobuf;
#[cfg(feature = "schemas")]
mod registry;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use futures::future::BoxFuture;

pub use library::{Home, open};

use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// Gives the registry's password when it is first needed.
pub type Password = Arc<dyn Fn() -> BoxFuture<'static, Result<Secret>> + Send + Sync>;

/// Which schemas there are.
#[derive(Clone, Debug, Default)]
pub struct SchemaSettings {
    /// The registry that frames and headers mean.
    pub registry: Option<RegistrySettings>,
    /// Files by queue, the first that matches.
    pub files: Vec<SchemaFile>,
}

/// A schema registry.
#[derive(Clone)]
pub struct RegistrySettings {
    /// Where it is.
    pub place: RegistryPlace,
    /// The user for basic authentication.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<Password>,
    /// Authorities to trust instead of the machine's, PEM.
    pub ca: Option<PathBuf>,
}

/// Where a registry is, and which kind it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryPlace {
    /// A Confluent-compatible one: where its API begins (`https://registry:8081`, `http://apicurio:8080/apis/ccompat/v7`).
    Confluent(String),
    /// AWS Glue (`glue://eu-west-1?profile=NAME&endpoint=URL`). Credentials come from where every AWS tool has them.
    Glue {
        /// The region.
        region: String,
        /// A profile of the AWS configuration.
        profile: Option<String>,
        /// Another server than AWS's own.
        endpoint: Option<String>,
    },
}

/// A file that describes the payloads of some queues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaFile {
    /// Which queues: a name with `*` and `?`.
    pub queues: String,
    /// `.avsc`, `.proto`, or a descriptor set (`.desc`, `.pb`, `.bin`).
    pub path: PathBuf,
    /// The message type, where the file holds several.
    pub name: Option<String>,
}

impl SchemaFile {
    /// Reads `orders.avsc` or `orders.proto#shop.Order`.
    #[must_use]
    pub fn parse(queues: &str, text: &str) -> Self {
        let (path, name) = match text.rsplit_once('#') {
            Some((path, name)) if !path.is_empty() && !name.is_empty() => (path, Some(name.to_owned())),
            _ => (text, None),
        };
        Self { queues: queues.to_owned(), path: path.into(), name }
    }
}

impl SchemaSettings {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.registry.is_none() && self.files.is_empty()
    }
}

impl RegistrySettings {
    /// Reads a URL, and gives the password that stands in it.
    ///
    /// # Errors
    /// `Usage` for what is no registry's URL; the error does not repeat it.
    pub fn parse(text: &str) -> Result<(Self, Option<Secret>)> {
        let bad = || {
            Error::new(ErrorKind::Usage, "a schema registry is http:// or https:// with a host, or glue://REGION")
                .hint("write https://user@registry:8081, or glue://eu-west-1?profile=NAME")
        };
        let mut url = url::Url::parse(text).map_err(|_| bad())?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(bad)?.to_owned();
        let place = match url.scheme() {
            "http" | "https" => None,
            "glue" => {
                let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
                let (mut profile, mut endpoint) = (None, None);
                for (name, value) in url.query_pairs() {
                    match name.as_ref() {
                        "profile" => profile = Some(value.into_owned()),
                        "endpoint" if value.starts_with("http") => endpoint = Some(value.into_owned()),
                        _ => return Err(bad()),
                    }
                }
                let plain = url.username().is_empty() && matches!(url.path(), "" | "/") && host.contains('-');
                if !plain || !host.chars().all(is_region) {
                    return Err(bad());
                }
                Some(RegistryPlace::Glue { region: host, profile, endpoint })
            }
            _ => return Err(bad()),
        };
        let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = Some(decoded(url.username())).filter(|user| !user.is_empty());
        let password = url.password().map(|password| Secret::new(decoded(password)));
        // Neither can fail on a URL with a host.
        _ = url.set_username("");
        _ = url.set_password(None);
        let place = place.unwrap_or_else(|| RegistryPlace::Confluent(url.to_string()));
        Ok((Self { place, user, password: None, ca: None }, password))
    }
}

impl fmt::Display for RegistryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Confluent(url) => f.write_str(url.trim_end_matches('/')),
            Self::Glue { region, .. } => write!(f, "glue://{region}"),
        }
    }
}

impl fmt::Debug for RegistrySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegistrySettings").field("place", &self.place).field("user", &self.user).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registrys_url_names_its_kind_and_hides_its_password() {
        let read = |text: &str| RegistrySettings::parse(text).unwrap();
        let (settings, password) = read("https://ann:ge%21heim@reg:8081/x/");
        assert_eq!(settings.place, RegistryPlace::Confluent("https://reg:8081/x/".to_owned()));
        assert_eq!((settings.user.as_deref(), password.unwrap().expose()), (Some("ann"), "ge!heim"));
        assert_eq!(settings.place.to_string(), "https://reg:8081/x");
        let (settings, _) = read("glue://eu-west-1?profile=ops&endpoint=http://localhost:4566");
        let expected = RegistryPlace::Glue {
            region: "eu-west-1".to_owned(),
            profile: Some("ops".to_owned()),
            endpoint: Some("http://localhost:4566".to_owned()),
        };
        assert_eq!((settings.place.to_string().as_str(), settings.place), ("glue://eu-west-1", expected));
    }

    #[test]
    fn what_is_no_registry_is_refused_without_repeating_it() {
        for text in [
            "reg:8081",
            "ftp://reg",
            "http://",
            "glue://",
            "glue://Region",
            "glue://eu-west-1?x=1",
            "glue://k:geheim@eu-west-1",
        ] {
            let error = RegistrySettings::parse(text).expect_err(text);
            assert!(error.kind() == ErrorKind::Usage && !format!("{error:?}").contains("geheim"), "{error:?}");
        }
    }

    #[test]
    fn a_file_may_name_its_type() {
        let file = SchemaFile::parse("o*", "a#b/orders.proto#shop.Order");
        assert_eq!((file.path.to_str(), file.name.as_deref()), (Some("a#b/orders.proto"), Some("shop.Order")));
        assert_eq!(SchemaFile::parse("*", "orders.avsc").name, None);
    }
}
