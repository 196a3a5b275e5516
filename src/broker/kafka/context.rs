//! What librdkafka tells beside its answers: errors of connections and logins, which no call gives back.
//!
//! A refused login or certificate comes out of a call only as "transport failure"; the reason is in the error
//! callback. It is kept here, and nothing of it is printed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use super::errors::{denied, unreachable};
use super::publish::Slot;
use crate::error::Error;

/// How long all brokers may be down before it is told, where nothing definite was heard.
const GRACE: Duration = Duration::from_secs(2);

/// What went wrong lately. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Trouble(Arc<Mutex<Told>>);

#[derive(Debug, Default)]
struct Told {
    /// The reason that was heard last.
    reason: Option<(RDKafkaErrorCode, String)>,
    /// Since when no broker is connected.
    down: Option<Instant>,
}

impl Trouble {
    fn note(&self, code: RDKafkaErrorCode, reason: &str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if code == RDKafkaErrorCode::AllBrokersDown {
            told.down.get_or_insert_with(Instant::now);
        } else if is_about_connections(code) {
            told.reason = Some((code, shorten(reason)));
        }
    }

    /// There is no token to log in with any more.
    pub(super) fn refused(&self, error: &Error) {
        self.note(RDKafkaErrorCode::Authentication, error.message());
    }

    /// A broker has answered.
    pub(super) fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Told::default();
    }

    /// Since when no broker is connected.
    pub(super) fn down(&self) -> Option<Duration> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).down.map(|since| since.elapsed())
    }

    /// The error to give up with, where waiting longer would not help.
    pub(super) fn verdict(&self, place: &str) -> Option<Error> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &told.reason {
            Some((RDKafkaErrorCode::Authentication, reason)) => Some(denied(place, reason)),
            Some((RDKafkaErrorCode::SSL, reason)) => Some(unreachable(place, Some(reason))),
            reason if told.down.is_some_and(|since| since.elapsed() >= GRACE) => {
                Some(unreachable(place, reason.as_ref().map(|(_, reason)| reason.as_str())))
            }
            _ => None,
        }
    }

    /// The error for a deadline that passed.
    pub(super) fn timeout(&self, place: &str) -> Error {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &told.reason {
            Some((RDKafkaErrorCode::Authentication, reason)) => denied(place, reason),
            reason => unreachable(place, reason.as_ref().map(|(_, reason)| reason.as_str())),
        }
    }
}

fn is_about_connections(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SSL
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::UnsupportedSASLMechanism
    )
}

/// The reason without librdkafka's own prefixes and times: `sasl_ssl://h:9/bootstrap: WHY (after 3ms in state X)`.
fn shorten(reason: &str) -> String {
    let reason = reason.split(" (after ").next().unwrap_or(reason);
    let mut rest = reason;
    while let Some((head, tail)) = rest.split_once(": ") {
        if !(head.contains("://") || head.starts_with("[thrd:") || head.contains("/bootstrap") || is_broker(head)) {
            break;
        }
        rest = tail;
    }
    rest.trim_end_matches('.').to_owned()
}

/// Whether it is `HOST:PORT/ID`.
fn is_broker(text: &str) -> bool {
    !text.contains(' ') && text.contains(':') && text.contains('/')
}

/// The callbacks of every client.
#[derive(Clone, Debug, Default)]
pub(super) struct Context {
    pub(super) trouble: Trouble,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        tracing::debug!(target: "librdkafka", ?level, facility, "{text}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        if let Some(code) = error.rdkafka_error_code()
            && code != RDKafkaErrorCode::PartitionEOF
        {
            tracing::debug!(target: "librdkafka", ?code, "{reason}");
            self.trouble.note(code, reason);
        }
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<Slot>;

    fn delivery(&self, result: &DeliveryResult<'_>, slot: Box<Slot>) {
        slot.fill(result);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_reason_is_told_without_what_only_its_library_knows() {
        let told = shorten(
            "sasl_ssl://localhost:9093/bootstrap: SASL authentication error: Authentication failed: invalid \
             credentials (after 326ms in state AUTH_REQ)",
        );
        assert_eq!(told, "SASL authentication error: Authentication failed: invalid credentials");
        let told = shorten("127.0.0.1:1/bootstrap: Connect to ipv4#127.0.0.1:1 failed: Connection refused (after 0ms)");
        assert_eq!(told, "Connect to ipv4#127.0.0.1:1 failed: Connection refused");
    }

    #[test]
    fn a_refused_login_is_told_at_once_and_a_lost_connection_after_a_while() {
        let trouble = Trouble::default();
        trouble.note(RDKafkaErrorCode::BrokerTransportFailure, "h:1/1: Disconnected");
        assert!(trouble.verdict("kafka://h").is_none());
        trouble.note(RDKafkaErrorCode::Authentication, "h:1/1: SASL authentication error: no");
        assert_eq!(trouble.verdict("kafka://h").unwrap().kind(), ErrorKind::Denied);
        trouble.clear();
        assert!(trouble.verdict("kafka://h").is_none() && trouble.down().is_none());
    }
}
