//! What lapin's errors mean for the reader: kind, sentence, hint.
//!
//! RabbitMQ says most things in the text of an AMQP reply (`NOT_ALLOWED - vhost x not found`), so the code alone
//! does not decide. Limits: only errors of calls that change nothing come here; whoever publishes or settles
//! decides itself what is ambiguous.

use std::time::Duration;

use lapin::types::ShortString;

use crate::error::{Error, ErrorKind, Result};

/// How long opening a connection, and every later call that changes nothing, may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A name as AMQP carries it: at most 255 bytes of UTF-8.
///
/// # Errors
/// `Usage` for a longer one.
pub(super) fn short(what: &str, text: &str) -> Result<ShortString> {
    ShortString::try_new(text).map_err(|_| {
        Error::new(ErrorKind::Usage, format!("the {what} has {} bytes; AMQP takes at most 255", text.len()))
    })
}

/// A short text that is known to fit (a reply text, a consumer tag); a longer one would be cut to nothing.
pub(super) fn fixed(text: &'static str) -> ShortString {
    ShortString::try_new(text).unwrap_or_default()
}

/// Waits for an answer to something that changes nothing, within [`PATIENCE`].
///
/// # Errors
/// `Timeout` when there is none; else what the error means.
pub(super) async fn answer<T>(
    doing: &str,
    call: impl std::future::Future<Output = lapin::Result<T>> + Send,
) -> Result<T> {
    match tokio::time::timeout(PATIENCE, call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(explain(doing, &error)),
        Err(_) => Err(Error::new(
            ErrorKind::Timeout,
            format!("RabbitMQ did not answer within {} s to {doing}", PATIENCE.as_secs()),
        )),
    }
}

/// The code and text of a broker's reply, where the error is one.
pub(super) fn reply(error: &lapin::Error) -> Option<(u16, String)> {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(reply) => Some((reply.get_id(), reply.get_message().to_string())),
        _ => None,
    }
}

/// The error for a call that failed while `doing` something (`opening the queue "a"`).
pub(super) fn explain(doing: &str, error: &lapin::Error) -> Error {
    let Some((code, text)) = reply(error) else {
        return Error::new(ErrorKind::Unreachable, format!("the connection to RabbitMQ was lost while {doing}"))
            .because(error.clone())
            .hint("nothing that was not settled is gone: the broker takes it back; try again");
    };
    let (kind, hint) = meaning(code, &text);
    let error = Error::new(kind, format!("{doing} failed: {text}"));
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// Which kind a reply is, and what to do next.
fn meaning(code: u16, text: &str) -> (ErrorKind, Option<&'static str>) {
    match code {
        404 => (ErrorKind::NotFound, Some("`postroom queues` lists what there is")),
        // "queue 'x' in vhost '/' in exclusive use" is an access_refused, too.
        403 if text.contains("exclusive use") => {
            (ErrorKind::Locked, Some("a consumer holds the queue exclusively; stop it, or look at another queue"))
        }
        403 if text.contains("Login was refused") => (ErrorKind::Denied, Some("check user and password")),
        403 => (
            ErrorKind::Denied,
            Some("the user lacks a permission in this virtual host (`rabbitmqctl list_permissions`)"),
        ),
        405 => {
            (ErrorKind::Locked, Some("the queue belongs to another connection (exclusive); only that one may use it"))
        }
        530 if text.contains("not found") => (
            ErrorKind::NotFound,
            Some("the virtual host is the first path segment of the URL, percent-encoded: / is %2f"),
        ),
        530 => (ErrorKind::Denied, Some("the user has no access to this virtual host (`rabbitmqctl set_permissions`)")),
        320 => (ErrorKind::Unreachable, Some("an operator or a restart closed the connection; try again")),
        311 | 312 | 313 | 406 => (ErrorKind::Rejected, None),
        540 => (ErrorKind::Unsupported, None),
        506 => (ErrorKind::Unreachable, Some("the broker is out of resources (`rabbitmq-diagnostics status`)")),
        _ => (ErrorKind::Unexpected, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_have_their_meaning() {
        let kind = |code, text| meaning(code, text).0;
        assert_eq!(
            kind(403, "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN"),
            ErrorKind::Denied
        );
        assert_eq!(kind(403, "ACCESS_REFUSED - queue 'x' in vhost '/' in exclusive use"), ErrorKind::Locked);
        assert_eq!(kind(530, "NOT_ALLOWED - vhost nowhere not found"), ErrorKind::NotFound);
        assert_eq!(kind(530, "NOT_ALLOWED - access to vhost 'x' refused for user 'y'"), ErrorKind::Denied);
        assert_eq!(kind(404, "NOT_FOUND - no queue 'x' in vhost '/'"), ErrorKind::NotFound);
        assert_eq!(kind(405, "RESOURCE_LOCKED"), ErrorKind::Locked);
    }

    #[test]
    fn names_end_at_255_bytes() {
        assert!(short("queue name", &"é".repeat(127)).is_ok());
        assert_eq!(short("queue name", &"é".repeat(128)).unwrap_err().kind(), ErrorKind::Usage);
    }
}
