//! One call: made again where SQS asks for patience, and not otherwise unless that is harmless.
//!
//! Limits: waiting ends after half a minute; then the caller is told that SQS throttles.

use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use tokio::time::Instant;

use super::errors::{Trouble, is_skewed};

/// How long to be patient in all.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first wait; each further one is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);
/// How often a harmless call is made again after a fault or a lost answer.
const TRIES: u32 = 4;

/// Counts the calls that SQS throttled, so that it can be said.
#[derive(Debug, Default)]
pub(super) struct Throttling(AtomicU64);

impl Throttling {
    pub(super) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// What to say of the calls throttled since `before`.
    pub(super) fn note(&self, before: u64) -> Option<String> {
        let calls = self.count().saturating_sub(before);
        (calls > 0).then(|| format!("SQS throttled {calls} calls; they were made again, slower"))
    }
}

/// Waits before the next try; spread out, so that many workers do not come back together.
pub(super) async fn pause(attempt: u32) {
    let wait = FIRST.saturating_mul(1 << attempt.min(10)).min(LONGEST);
    let spread = u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs()) % 1000;
    tokio::time::sleep(wait.mul_f64(0.5) + wait.mul_f64(0.0005).saturating_mul(u32::try_from(spread).unwrap_or(0)))
        .await;
}

/// Calls, and again while SQS throttles; where `harmless`, also after a fault or a lost answer. A try whose answer was lost
/// is not forgotten over a later one that was certainly not taken.
pub(super) async fn call<T, E, F>(
    throttling: &Throttling,
    harmless: bool,
    mut call: impl FnMut() -> F + Send,
) -> Result<T, Trouble>
where
    E: ProvideErrorMetadata + StdError + 'static,
    F: Future<Output = Result<T, SdkError<E>>> + Send,
{
    let began = Instant::now();
    let mut waits = 0;
    let mut faults = 1;
    let mut skewed = false;
    let mut lost = None;
    loop {
        let trouble = match call().await {
            Ok(answer) => return Ok(answer),
            Err(error) => Trouble::of(&error),
        };
        let again = match &trouble {
            Trouble::Throttled(code) => {
                throttling.0.fetch_add(1, Ordering::Relaxed);
                tracing::debug!(code, waits, "throttled");
                began.elapsed() < PATIENCE
            }
            Trouble::Faulty(_) | Trouble::Lost(_) => {
                faults += 1;
                harmless && faults <= TRIES
            }
            // Once: the library has seen the server's clock now, and signs by it.
            Trouble::Refused { code, text } if is_skewed(code, text) => !std::mem::replace(&mut skewed, true),
            Trouble::Refused { .. } | Trouble::NotSent(_) | Trouble::NoCredentials(_) => false,
        };
        match trouble {
            Trouble::Faulty(_) | Trouble::Lost(_) if again => lost = Some(trouble),
            Trouble::Throttled(_) | Trouble::NotSent(_) if !again => return Err(lost.unwrap_or(trouble)),
            _ if !again => return Err(trouble),
            _ => {}
        }
        pause(waits).await;
        waits += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_lost_is_not_forgotten_over_a_later_try_that_was_not_sent() {
        let errors = [SdkError::timeout_error("late"), SdkError::construction_failure("gone")];
        let mut tries = errors.into_iter();
        let ask = || ready(tries.next().map_or(Ok(()), Err::<(), SdkError<SendMessageBatchError>>));
        assert!(matches!(call(&Throttling::default(), true, ask).await, Err(Trouble::Lost(_))));
        let mut gone = [SdkError::construction_failure("gone")].into_iter();
        let ask = || ready(gone.next().map_or(Ok(()), Err::<(), SdkError<SendMessageBatchError>>));
        assert!(matches!(call(&Throttling::default(), true, ask).await, Err(Trouble::NotSent(_))));
    }
}
