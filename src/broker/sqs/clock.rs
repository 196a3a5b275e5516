//! SQS's clock beside ours, by the date of its answers: messages carry the time at which SQS took them.
//!
//! Limits: a date has whole seconds, so what is closer than [`CLOSE`] counts as the same; an answer without one changes
//! nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_sdk_sqs::config::interceptors::BeforeDeserializationInterceptorContextRef;
use aws_sdk_sqs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_sqs::error::BoxError;
use jiff::{SignedDuration, Timestamp};

/// Seconds that a date and a slow answer may be off.
const CLOSE: i64 = 2;

/// How far SQS's clock is ahead of ours, in seconds.
#[derive(Debug, Default)]
pub(super) struct Clock(AtomicI64);

impl Clock {
    /// What SQS's clock shows when ours shows `time`.
    pub(super) fn there(&self, time: Timestamp) -> Timestamp {
        time.saturating_add(SignedDuration::from_secs(self.0.load(Ordering::Relaxed))).unwrap_or(time)
    }

    /// Takes note of the date of an answer that came `now`.
    fn hear(&self, date: &str, now: Timestamp) {
        let Ok(date) = jiff::fmt::rfc2822::parse(date) else { return };
        let ahead = date.timestamp().as_second() - now.as_second();
        self.0.store(if ahead.abs() <= CLOSE { 0 } else { ahead }, Ordering::Relaxed);
    }
}

/// Hears the date of every answer.
#[derive(Debug)]
pub(super) struct Listener(pub(super) Arc<Clock>);

impl Intercept for Listener {
    fn name(&self) -> &'static str {
        "Clock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.0.hear(date, Timestamp::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_far_off_is_known_and_a_close_one_is_ours() {
        let now: Timestamp = "2026-03-02T10:00:00.700Z".parse().unwrap();
        let clock = Clock::default();
        clock.hear("Mon, 02 Mar 2026 10:05:00 GMT", now);
        assert_eq!(clock.there(now).to_string(), "2026-03-02T10:05:00.7Z");
        clock.hear("no date", now);
        assert_eq!(clock.there(now).to_string(), "2026-03-02T10:05:00.7Z");
        clock.hear("Mon, 02 Mar 2026 09:59:59 GMT", now);
        assert_eq!(clock.there(now), now);
    }
}
