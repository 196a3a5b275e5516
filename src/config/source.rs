//! Where a secret comes from: the file itself, the environment, another file, a command, the desktop's keyring.
//!
//! Limits: an error names the place that was asked, never what was found there; of a command only the program is
//! named, for its arguments may hold secrets too.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How long a command may take to print a secret; long enough to unlock a password store.
const COMMAND_TIMEOUT: Duration = Duration::from_mins(1);

/// Where a secret comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// It stands in the config file.
    Text(Secret),
    /// An environment variable.
    Env(String),
    /// A file's content, without the line end behind it.
    File(PathBuf),
    /// What a command prints, without the line end behind it: the program and its arguments.
    Command(Vec<String>),
    /// The password that the desktop's keyring keeps for service `postroom` and this user.
    Keyring(String),
}

impl SecretSource {
    /// Reads a value of the config file; relative paths are relative to `folder`.
    ///
    /// # Errors
    /// One sentence for a value of another form, without the value.
    pub(super) fn from_toml(value: toml::Value, folder: &Path) -> Result<Self, String> {
        const FORMS: &str =
            "expected a text or one of { env = \"…\" }, { file = \"…\" }, { command = [\"…\"] }, { keyring = \"…\" }";
        let table = match value {
            toml::Value::String(text) => return Ok(Self::Text(Secret::new(text))),
            toml::Value::Table(table) => table,
            _ => return Err(FORMS.to_owned()),
        };
        let mut entries = table.into_iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return Err(FORMS.to_owned());
        };
        match (name.as_str(), value) {
            ("env", toml::Value::String(name)) => Ok(Self::Env(name)),
            ("file", toml::Value::String(path)) => Ok(Self::File(folder.join(path))),
            ("keyring", toml::Value::String(user)) => Ok(Self::Keyring(user)),
            ("command", toml::Value::Array(words)) if !words.is_empty() => words
                .into_iter()
                .map(|word| match word {
                    toml::Value::String(word) => Ok(word),
                    _ => Err(FORMS.to_owned()),
                })
                .collect::<Result<_, _>>()
                .map(Self::Command),
            _ => Err(FORMS.to_owned()),
        }
    }

    /// The secret. `what` names it in errors (`the password of profile "shop"`).
    ///
    /// # Errors
    /// `Config` where the place has none.
    pub async fn resolve(&self, what: &str, environment: &Environment) -> Result<Secret> {
        let missing = |why: String| Error::new(ErrorKind::Config, format!("{what} can't be had: {why}"));
        match self {
            Self::Text(secret) => Ok(secret.clone()),
            Self::Env(name) => environment
                .get(name)
                .map(Secret::new)
                .ok_or_else(|| missing(format!("the environment variable {name} is not set"))),
            Self::File(path) => tokio::fs::read_to_string(path)
                .await
                .map(|text| Secret::new(without_line_end(&text)))
                .map_err(|error| missing(format!("{}: {error}", path.display()))),
            Self::Command(words) => run(words).await.map_err(missing),
            Self::Keyring(user) => from_keyring(user.clone()).await.map_err(missing),
        }
    }
}

fn without_line_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

async fn run(words: &[String]) -> Result<Secret, String> {
    let (program, arguments) = words.split_first().ok_or("the command is empty")?;
    // Standard input may be the messages to publish; standard error is where a password store asks and complains.
    let child = tokio::process::Command::new(program)
        .args(arguments)
        .stdin(std::process::Stdio::null())
        .stderr(std::process::Stdio::inherit())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(COMMAND_TIMEOUT, child)
        .await
        .map_err(|_| format!("{program} did not end within {} s", COMMAND_TIMEOUT.as_secs()))?
        .map_err(|error| format!("{program}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{program} ended with {}", output.status));
    }
    let text = String::from_utf8(output.stdout).map_err(|_| format!("{program} printed what is not UTF-8"))?;
    match without_line_end(&text) {
        "" => Err(format!("{program} printed nothing")),
        text => Ok(Secret::new(text)),
    }
}

#[cfg(all(feature = "keyring", target_os = "macos"))]
use apple_native_keyring_store::keychain as keyring;
#[cfg(all(feature = "keyring", unix, not(target_os = "macos")))]
use dbus_secret_service_keyring_store as keyring;

#[cfg(feature = "keyring")]
async fn from_keyring(user: String) -> Result<Secret, String> {
    use keyring_core::api::CredentialStoreApi as _;
    let name = user.clone();
    let get = move || keyring::Store::new()?.build("postroom", &user, None)?.get_password();
    // The keyring's client blocks, on the desktop's own prompt if need be.
    let answer = tokio::task::spawn_blocking(get).await.map_err(|error| error.to_string())?;
    answer.map(Secret::new).map_err(|error| format!("the keyring has none for service postroom, user {name}: {error}"))
}

#[cfg(not(feature = "keyring"))]
fn from_keyring(_user: String) -> std::future::Ready<Result<Secret, String>> {
    std::future::ready(Err("this build of postroom has no keyring support".to_owned()))
}

/// Shows the place, never the secret.
impl std::fmt::Debug for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(_) => f.write_str("text"),
            Self::Env(name) => write!(f, "env {name}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Command(words) => write!(f, "command {}", words.first().map_or("", String::as_str)),
            Self::Keyring(user) => write!(f, "keyring {user}"),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn command(script: &str) -> SecretSource {
        SecretSource::Command(["sh", "-c", script].map(String::from).to_vec())
    }

    #[tokio::test]
    async fn a_command_gives_its_output_and_its_failure_names_only_the_program() {
        let none = Environment::default();
        assert_eq!(command("echo geheim").resolve("x", &none).await.unwrap().expose(), "geheim");
        for script in ["echo geheim; exit 3", ": geheim"] {
            let error = command(script).resolve("the password", &none).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().starts_with("the password can't be had: sh "), "{error}");
            assert!(!format!("{error:?}").contains("geheim"));
        }
    }

    #[tokio::test]
    async fn a_file_gives_its_content_without_the_line_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), " pass word \r\n").unwrap();
        let source = SecretSource::File(file.path().to_owned());
        assert_eq!(source.resolve("x", &Environment::default()).await.unwrap().expose(), " pass word ");
    }
}
