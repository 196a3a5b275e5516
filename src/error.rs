//! What can go wrong, and what the reader should do next.
//!
//! One [`Error`] type for the whole house. Its [`ErrorKind`] says what a caller can do about it and decides
//! the process's exit code; its message is one sentence (what and where); its hint is the next step.
//! Limits: it carries no secrets, so whoever builds one from a URL must use the URL's redacted form.

use std::fmt;

/// A result whose error is an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a caller can do about an error. Each kind has one exit code, see [`ErrorKind::exit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The command line or an argument is wrong.
    Usage,
    /// The configuration file, a profile or a secret is wrong or missing.
    Config,
    /// A policy (read-only, production, no `--yes`) or the read budget refuses it. Nothing was done.
    Refused,
    /// The backend or this kind of queue can't do it. Nothing was done.
    Unsupported,
    /// The queue, exchange, virtual host, topic or file does not exist.
    NotFound,
    /// The broker knows the user but says no, or does not accept the credentials.
    Denied,
    /// The queue is locked: exclusive to another connection, or already served by a single active consumer.
    Locked,
    /// The broker can't be reached, or the connection was lost.
    Unreachable,
    /// The broker did not answer in time to something that changes nothing.
    Timeout,
    /// The broker refused one message for good: unroutable, too large, queue full, bad property.
    Rejected,
    /// The answer to a change was lost: it may or may not have happened.
    Ambiguous,
    /// Input data can't be read: a malformed line, a cut archive, a bad plan.
    Invalid,
    /// A file or the disk failed.
    Io,
    /// Some messages are done and some are not; the report names them.
    Partial,
    /// A `check` or `--exit-status` condition is not met.
    NotMet,
    /// The operator stopped it, and everything unsettled was returned.
    Interrupted,
    /// The broker broke its own protocol, or this program has a fault.
    Unexpected,
}

impl ErrorKind {
    /// Whether a broker was not there, or took nothing.
    #[must_use]
    pub const fn is_away(self) -> bool {
        matches!(self, Self::Unreachable | Self::Timeout)
    }

    /// The process's exit code for an error of this kind (DESIGN section 5).
    ///
    /// | code | kinds |
    /// |---|---|
    /// | 1 | failed: nothing was changed, or the error names what was |
    /// | 2 | `Usage`, `Config`, `Refused` |
    /// | 3 | `Partial`, `Ambiguous` |
    /// | 4 | `NotMet` |
    /// | 130 | `Interrupted` |
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Usage | Self::Config | Self::Refused => 2,
            Self::Partial | Self::Ambiguous => 3,
            Self::NotMet => 4,
            Self::Interrupted => 130,
            Self::Unsupported
            | Self::NotFound
            | Self::Denied
            | Self::Locked
            | Self::Unreachable
            | Self::Timeout
            | Self::Rejected
            | Self::Invalid
            | Self::Io
            | Self::Unexpected => 1,
        }
    }

    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Usage,
        Self::Config,
        Self::Refused,
        Self::Unsupported,
        Self::NotFound,
        Self::Denied,
        Self::Locked,
        Self::Unreachable,
        Self::Timeout,
        Self::Rejected,
        Self::Ambiguous,
        Self::Invalid,
        Self::Io,
        Self::Partial,
        Self::NotMet,
        Self::Interrupted,
        Self::Unexpected,
    ];

    /// The kind of that name, see [`ErrorKind::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The kind's name in `postroom.error/1` and in reports: lower case, words joined by `_`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Config => "config",
            Self::Refused => "refused",
            Self::Unsupported => "unsupported",
            Self::NotFound => "not_found",
            Self::Denied => "denied",
            Self::Locked => "locked",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::Rejected => "rejected",
            Self::Ambiguous => "ambiguous",
            Self::Invalid => "invalid",
            Self::Io => "io",
            Self::Partial => "partial",
            Self::NotMet => "not_met",
            Self::Interrupted => "interrupted",
            Self::Unexpected => "unexpected",
        }
    }
}

/// An error: one sentence, where it happened, why, and what to do next.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    context: Vec<(&'static str, String)>,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of `kind` with one sentence: what failed and where, without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), context: Vec::new(), hint: None, source: None }))
    }

    /// Adds a `key: value` of context (address, operation, line …). The first value given for a key wins,
    /// so that the place nearest to the fault names it.
    #[must_use]
    pub fn context(mut self, key: &'static str, value: impl Into<String>) -> Self {
        if self.0.context.iter().all(|(k, _)| *k != key) {
            self.0.context.push((key, value.into()));
        }
        self
    }

    /// Adds the next step for the reader. A hint that is already there stays.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint.get_or_insert_with(|| hint.into());
        self
    }

    /// Keeps the underlying error as the cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The sentence alone, without context and causes.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The `key: value` pairs added on the way up.
    #[must_use]
    pub fn context_pairs(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// The next step, where one is known.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// The sentence, followed by the causes that add something to it.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        let mut said = self.0.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                write!(f, ": {text}")?;
                said = text;
            }
            cause = error.source();
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} [{}]", self.0.kind.name())?;
        for (key, value) in &self.0.context {
            write!(f, " {key}={value}")?;
        }
        if let Some(hint) = &self.0.hint {
            write!(f, " hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        let kind = match error.kind() {
            std::io::ErrorKind::NotFound => ErrorKind::NotFound,
            std::io::ErrorKind::PermissionDenied => ErrorKind::Denied,
            _ => ErrorKind::Io,
        };
        Self::new(kind, error.to_string())
    }
}

/// The candidate that a mistyped word most likely meant: for a "did you mean" hint.
/// `None` where nothing is near enough to be a typing error.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The one JSON object an error becomes on stderr with `-o json` or `jsonl`: `postroom.error/1`.
#[must_use]
pub fn error_json(error: &Error) -> serde_json::Value {
    let context: serde_json::Map<_, _> =
        error.context_pairs().iter().map(|(k, v)| ((*k).to_owned(), serde_json::Value::from(v.as_str()))).collect();
    serde_json::json!({
        "schema": "postroom.error/1",
        "kind": error.kind().name(),
        "message": error.to_string(),
        "context": context,
        "hint": error.hint_text(),
        "exit": error.kind().exit(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_context_and_hint_win() {
        let error = Error::new(ErrorKind::NotFound, "queue \"a\" does not exist")
            .context("address", "rabbit:a")
            .hint("list the queues")
            .context("address", "rabbit:outer")
            .hint("something vaguer");
        assert_eq!(error.context_pairs(), [("address", "rabbit:a".to_owned())]);
        assert_eq!(error.hint_text(), Some("list the queues"));
        assert_eq!(error.kind().exit(), 1);
    }

    #[test]
    fn a_typing_error_finds_the_word_it_meant_and_another_word_finds_none() {
        assert_eq!(nearest("pasword", ["url", "password"]), Some("password"));
        assert_eq!(nearest("Hseader", ["header", "key"]), Some("header"));
        assert_eq!(nearest("colour", ["url", "password"]), None);
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        assert!(ErrorKind::ALL.iter().all(|kind| ErrorKind::from_name(kind.name()) == Some(*kind)));
        assert_eq!(ErrorKind::from_name("nonsense"), None);
    }

    #[test]
    fn causes_are_told_once() {
        let inner = std::io::Error::other("connection refused");
        let error = Error::new(ErrorKind::Unreachable, "can't reach localhost:5672: connection refused").because(inner);
        assert_eq!(error.to_string(), "can't reach localhost:5672: connection refused");
    }
}
