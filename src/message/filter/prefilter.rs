//! A necessary condition on raw bytes: what a reader may check before it builds a message.
//!
//! A filter compiles to a [`Prefilter`] wherever it implies that certain bytes must occur. A message that fails it
//! can't match the filter; one that passes still has to be asked. Limits: it never decodes, so a payload that may be
//! compressed, encoded or escaped must pass; whoever compiles it decides that in [`Prefilter::may_match`].

use memchr::memmem::Finder;

/// What a backend holds of a message before it builds one: borrowed bytes.
pub struct RawParts<'a> {
    /// The message's id, where it is known without work.
    pub id: Option<&'a str>,
    /// Kafka's record key, RabbitMQ's routing key.
    pub key: Option<&'a [u8]>,
    /// The body as it came.
    pub payload: Option<&'a [u8]>,
    /// Whether there are headers, properties or metadata that were not looked at: such a message passes
    /// every condition that a header could meet.
    pub other: bool,
}

/// Bytes that must occur somewhere for a message to match: all of the clauses, any needle of a clause.
#[derive(Clone, Debug, Default)]
pub struct Prefilter {
    clauses: Vec<Clause>,
}

/// One condition: at least one of the needles occurs in the named place.
#[derive(Clone, Debug)]
struct Clause {
    needles: Vec<Finder<'static>>,
}

impl Prefilter {
    /// A condition that every message meets.
    #[must_use]
    pub fn pass_all() -> Self {
        Self::default()
    }

    /// Whether it can never refuse a message.
    #[must_use]
    pub fn is_pass_all(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether the message could match; `false` is a proof that it can't.
    #[must_use]
    pub fn may_match(&self, parts: &RawParts<'_>) -> bool {
        self.clauses.iter().all(|clause| {
            parts.other
                || clause.needles.iter().any(|needle| {
                    [parts.id.map(str::as_bytes), parts.key, parts.payload]
                        .into_iter()
                        .flatten()
                        .any(|bytes| needle.find(bytes).is_some())
                })
        })
    }
}
