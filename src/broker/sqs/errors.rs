//! What the answers of SQS, and missing ones, mean for the reader: kind, sentence, hint.
//!
//! AWS names an error by a code that has changed over the years (`AWS.SimpleQueueService.NonExistentQueue`,
//! `QueueDoesNotExist`), so the code's end decides. Limits: whether a call that changes something may be made again
//! is the caller's decision; [`Trouble`] says what is known of it.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};

use crate::error::{Error, ErrorKind};

/// What the library says where no source has credentials.
const NOWHERE: &str = "no credentials found in chain";

/// What went wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// SQS did nothing and asks for patience.
    Throttled(String),
    /// SQS says no: nothing was done.
    Refused { code: String, text: String },
    /// SQS had a fault of its own: something may have been done.
    Faulty(String),
    /// It never got there.
    NotSent(String),
    /// There are no credentials, or they could not be had.
    NoCredentials(String),
    /// It was sent, and no answer came.
    Lost(String),
}

impl Trouble {
    /// Reads the library's error.
    pub(super) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        if let Some(cause) = find::<CredentialsError>(error) {
            return Self::NoCredentials(causes(cause));
        }
        match error {
            SdkError::ServiceError(answer) => {
                let status = answer.raw().status().as_u16();
                let said = answer.err().message().unwrap_or_default().to_owned();
                let (code, text) = match (answer.err().code().unwrap_or_default(), status) {
                    // Whoever stands before SQS may know nothing of its codes.
                    ("", 403) => ("AccessDenied".to_owned(), or(said, "the answer has status 403 and gives no reason")),
                    ("", status) => (format!("HTTP status {status}"), said),
                    (code, _) => (code.to_owned(), said),
                };
                match () {
                    () if is_throttling(&code) || status == 429 => Self::Throttled(code),
                    () if status >= 500 => Self::Faulty(format!("{status} {code} {text}").trim_end().to_owned()),
                    () => Self::Refused { code, text },
                }
            }
            SdkError::ResponseError(answer) if answer.raw().status().as_u16() >= 500 => {
                Self::Faulty(format!("HTTP status {}", answer.raw().status().as_u16()))
            }
            SdkError::ConstructionFailure(_) => Self::NotSent(causes(error)),
            SdkError::DispatchFailure(_) if never_left(error) => Self::NotSent(causes(error)),
            _ => Self::Lost(causes(error)),
        }
    }

    /// The error for a call that changes nothing, or that has certainly changed nothing.
    pub(super) fn explain(&self, place: &Place<'_>) -> Error {
        let Place { action, queue, arn } = *place;
        let on = if queue.is_empty() { String::new() } else { format!(" on {queue:?}") };
        match self {
            Self::Throttled(code) => Error::new(
                ErrorKind::Timeout,
                format!("SQS throttles {action}{on} ({code}), also after waiting"),
            )
            .hint("try again later, or go slower with --rate"),
            Self::Refused { code, text } => refused(place, code, text),
            Self::Faulty(what) => Error::new(ErrorKind::Unreachable, format!("SQS failed at {action}{on}: {what}")),
            Self::NotSent(why) => Error::new(ErrorKind::Unreachable, format!("SQS can't be reached: {why}"))
                .hint("check the region in the URL, the endpoint and the network"),
            Self::NoCredentials(why) => Error::new(
                ErrorKind::Config,
                format!(
                    "there are no AWS credentials: looked in the environment (AWS_ACCESS_KEY_ID), the profile (AWS_PROFILE \
                     or ?profile=, in ~/.aws/config and ~/.aws/credentials, SSO and credential_process included), web \
                     identity (AWS_WEB_IDENTITY_TOKEN_FILE), container and instance roles{}",
                    // That none of them had any is a list of what was said already.
                    if why.contains(NOWHERE) { String::new() } else { format!(": {why}") }
                ),
            )
            .hint("set AWS_PROFILE, log in with `aws sso login`, or add ?profile=NAME to the URL"),
            Self::Lost(why) => Error::new(ErrorKind::Unreachable, format!("SQS gave no answer to {action}{on}: {why}"))
                .context("resource", arn.unwrap_or(queue)),
        }
    }

    /// The error for a change whose answer is missing or proves nothing; `None` where nothing was done.
    pub(super) fn doubt(&self, what: &str) -> Option<Error> {
        let (Self::Faulty(why) | Self::Lost(why)) = self else { return None };
        Some(
            Error::new(ErrorKind::Ambiguous, format!("the answer of SQS to the {what} was lost: {why}"))
                .hint("it may have happened; the original stays"),
        )
    }
}

/// What was called, for the error.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place<'a> {
    /// `ReceiveMessage` …
    pub(super) action: &'static str,
    /// The queue's name; empty for the region as a whole.
    pub(super) queue: &'a str,
    /// The queue's ARN, where it is known.
    pub(super) arn: Option<&'a str>,
}

/// The error for a call that SQS refused, and for an entry of a batch that it refused.
pub(super) fn refused(place: &Place<'_>, code: &str, text: &str) -> Error {
    let Place { action, queue, arn } = *place;
    let resource = arn.map_or_else(|| format!("the ARN of {queue}"), ToOwned::to_owned);
    let grant = |action: &str, resource: &str| {
        format!("grant it: {{\"Effect\": \"Allow\", \"Action\": \"{action}\", \"Resource\": \"{resource}\"}}")
    };
    let ends = |names: &[&str]| names.iter().any(|name| code.ends_with(name));
    let error = |kind, what: String| Error::new(kind, if text.is_empty() { what } else { format!("{what}: {text}") });
    // The KMS codes come first: theirs are access denials, too.
    if code.starts_with("KMS") || code.starts_with("Kms") {
        let key = if action == "SendMessageBatch" { "kms:GenerateDataKey and kms:Decrypt" } else { "kms:Decrypt" };
        return error(ErrorKind::Denied, format!("the KMS key of {queue:?} can't be used ({code})"))
            .hint(format!("the key's policy must allow {key} to these credentials, and the key must be enabled"));
    }
    if ends(&["NonExistentQueue", "QueueDoesNotExist"]) {
        return Error::new(ErrorKind::NotFound, format!("queue {queue:?} does not exist in this region and account"))
            .hint("`postroom queues sqs://REGION` lists them; the region is in the URL, the account is that of the credentials (or ?account=)");
    }
    if ends(&["AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "NotAuthorized"]) {
        let resource = if queue.is_empty() { "*" } else { &resource };
        return error(ErrorKind::Denied, format!("AWS denies sqs:{action}"))
            .hint(grant(&format!("sqs:{}", permission(action)), resource));
    }
    if ends(&["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"]) {
        return error(ErrorKind::Denied, "the AWS credentials have expired".to_owned())
            .hint("renew them (`aws sso login`, or a new session token)");
    }
    if is_skewed(code, text) {
        return error(ErrorKind::Denied, "AWS takes no request whose time is minutes off".to_owned())
            .hint("set this machine's clock");
    }
    let login = [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "SignatureDoesNotMatch",
        "InvalidAccessKeyId",
        "MissingAuthenticationToken",
        "IncompleteSignature",
        "InvalidSecurity",
        "InvalidSignatureException",
    ];
    if ends(&login) {
        return error(ErrorKind::Denied, format!("AWS does not accept the credentials ({code})"))
            .hint("check AWS_PROFILE or the keys, and that they are of this partition and account");
    }
    if ends(&["PurgeQueueInProgress"]) {
        return Error::new(ErrorKind::Refused, format!("a purge of {queue:?} is under way: SQS allows one a minute"))
            .hint("wait 60 seconds");
    }
    error(ErrorKind::Rejected, format!("SQS refuses {action} ({code})"))
}

fn or(text: String, otherwise: &str) -> String {
    if text.is_empty() { otherwise.to_owned() } else { text }
}

/// The permission that an action needs: a batch needs that of its single form.
fn permission(action: &str) -> &str {
    action.strip_suffix("Batch").unwrap_or(action)
}

/// Whether a code asks for patience.
pub(super) fn is_throttling(code: &str) -> bool {
    ["Throttl", "TooManyRequests", "SlowDown", "RequestLimitExceeded"].iter().any(|word| code.contains(word))
}

/// Whether a request was refused because of this machine's clock. The library learns of it by that very answer.
pub(super) fn is_skewed(code: &str, text: &str) -> bool {
    code.ends_with("RequestTimeTooSkewed")
        || ["Signature expired", "Signature not yet current"].iter().any(|start| text.contains(start))
}

/// Whether a request certainly never left: no connection was made. The library's HTTP client says so only in its text
/// (a test with a closed port notices a change of it); anything else counts as sent.
fn never_left(error: &(dyn StdError + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string() == "client error (Connect)" {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The first cause of that type.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// The causes from the outside in, each told once.
fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut told = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !text.is_empty() && !told.contains(&text) {
            if !told.is_empty() {
                told.push_str(": ");
            }
            told.push_str(&text);
        }
        cause = error.source();
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_old_and_new_have_their_meaning() {
        let place = Place { action: "ReceiveMessage", queue: "orders", arn: Some("arn:aws:sqs:eu-west-1:1:orders") };
        let kind = |code: &str| refused(&place, code, "").kind();
        assert_eq!(kind("AWS.SimpleQueueService.NonExistentQueue"), ErrorKind::NotFound);
        assert_eq!(kind("QueueDoesNotExist"), ErrorKind::NotFound);
        assert_eq!(kind("ExpiredToken"), ErrorKind::Denied);
        assert_eq!(kind("KMS.AccessDeniedException"), ErrorKind::Denied);
        assert_eq!(kind("AWS.SimpleQueueService.PurgeQueueInProgress"), ErrorKind::Refused);
        assert!(is_throttling("ThrottlingException") && is_throttling("RequestThrottled"));
    }

    #[test]
    fn a_denial_names_the_action_and_the_line_that_grants_it() {
        let place =
            Place { action: "DeleteMessageBatch", queue: "orders", arn: Some("arn:aws:sqs:eu-west-1:1:orders") };
        let error = refused(&place, "AccessDenied", "User x is not authorized");
        let hint = error.hint_text().unwrap();
        assert!(hint.contains("\"sqs:DeleteMessage\"") && hint.contains("arn:aws:sqs:eu-west-1:1:orders"), "{hint}");
    }
}
