//! Pace: at most so many messages a second.

use std::time::Duration;

use tokio::time::Instant;

use super::plan::Pace;

/// Lets messages through at a bounded rate. A budget that is not used does not add up beyond one tick.
#[derive(Debug)]
pub(super) struct Throttle {
    rate: Option<f64>,
    /// When the next message may go.
    next: Instant,
}

/// How long one batch of a slow rate covers: short enough that a cancel is prompt and the target sees a steady flow.
const TICK: Duration = Duration::from_millis(100);

impl Throttle {
    /// A rate that is no positive number is no limit; requests are checked before.
    pub(super) fn new(pace: &Pace, now: Instant) -> Self {
        Self { rate: pace.rate.filter(|rate| rate.is_finite() && *rate > 0.0), next: now }
    }

    /// How many messages to take at once, at most `max`.
    pub(super) fn batch(&self, max: usize) -> usize {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "clamped to 1..=max before, and a batch is small"
        )]
        self.rate.map_or(max, |rate| (rate * TICK.as_secs_f64()).clamp(1.0, max as f64) as usize)
    }

    /// Whether nothing may go now.
    pub(super) fn is_waiting(&self) -> bool {
        self.rate.is_some() && Instant::now() < self.next
    }

    /// Waits until the next message may go. Dropping it costs nothing.
    pub(super) async fn wait(&self) {
        if self.rate.is_some() {
            tokio::time::sleep_until(self.next).await;
        }
    }

    /// Takes note of messages that went.
    pub(super) fn spend(&mut self, messages: usize) {
        self.spend_at(messages, Instant::now());
    }

    fn spend_at(&mut self, messages: usize, now: Instant) {
        if let Some(rate) = self.rate {
            #[allow(clippy::cast_precision_loss, reason = "batches are small")]
            let pause = Duration::try_from_secs_f64(messages as f64 / rate).unwrap_or(Duration::MAX);
            self.next = self.next.max(now).checked_add(pause).unwrap_or(self.next);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_spreads_messages_evenly_and_does_not_save_up() {
        let start = Instant::now();
        let mut throttle = Throttle::new(&Pace { rate: Some(50.0), ..Pace::default() }, start);
        assert_eq!(throttle.batch(500), 5);
        throttle.spend_at(5, start);
        assert_eq!(throttle.next - start, Duration::from_millis(100));
        let later = start + Duration::from_secs(10);
        throttle.spend_at(5, later);
        assert_eq!(throttle.next - later, Duration::from_millis(100));
    }

    #[test]
    fn a_slow_rate_goes_one_by_one_and_no_rate_goes_whole() {
        let slow = Throttle::new(&Pace { rate: Some(0.5), ..Pace::default() }, Instant::now());
        assert_eq!(slow.batch(500), 1);
        assert_eq!(Throttle::new(&Pace::default(), Instant::now()).batch(500), 500);
    }
}
