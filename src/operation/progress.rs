//! How far an engine is, told at a bounded frequency.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::control::{Clock, OnTick};

/// At most one tick per stage in this time, but for the last.
const INTERVAL: SignedDuration = SignedDuration::from_millis(100);

/// How long nothing may happen before an engine asks its broker why.
pub(super) const WATCH: Duration = Duration::from_millis(500);

/// What an engine is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Reading a queue for a plan.
    Scan,
    /// Reading a queue for its reader.
    Read,
    /// Publishing, confirming and removing.
    Replay,
    /// Archiving, verifying and removing.
    Drain,
    /// Putting back and removing.
    Undo,
    /// Copying to an archive.
    Capture,
    /// Publishing from standard input or a file.
    Publish,
    /// Watching what becomes of copies.
    Verify,
}

impl Stage {
    /// The word shown before the bar.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scan => "scanning",
            Self::Read => "reading",
            Self::Replay => "replaying",
            Self::Drain => "draining",
            Self::Undo => "putting back",
            Self::Capture => "copying",
            Self::Publish => "publishing",
            Self::Verify => "watching the copies: consumed",
        }
    }
}

/// How far one stage is.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// What is being done.
    pub stage: Stage,
    /// Messages dealt with: scanned, or done, failed, skipped and ambiguous together.
    pub done: u64,
    /// How many there are, where it is known.
    pub total: Option<u64>,
    /// Of [`Tick::done`]: matched by the filter (reads), or failed and ambiguous (writes).
    pub noted: u64,
    /// Messages a second since the stage began.
    pub rate: f64,
    /// Why nothing goes on at the moment, as the broker says.
    pub waits: Option<String>,
    /// The stage's last tick.
    pub last: bool,
}

/// Counts one stage and calls back.
#[derive(Clone)]
pub(super) struct Meter {
    clock: Clock,
    on_tick: Option<OnTick>,
    stage: Stage,
    total: Option<u64>,
    /// Messages a second at most.
    most: f64,
    began: Timestamp,
    told: Timestamp,
    done: u64,
    noted: u64,
    waits: Option<String>,
}

impl Meter {
    pub(super) fn new(clock: Clock, on_tick: Option<OnTick>, stage: Stage, total: Option<u64>) -> Self {
        let now = clock.now();
        Self {
            clock,
            on_tick,
            stage,
            total,
            most: f64::INFINITY,
            began: now,
            told: now,
            done: 0,
            noted: 0,
            waits: None,
        }
    }

    /// Knows the pace: the first messages come at once, and say little of how fast the rest does.
    pub(super) fn at_most(self, rate: Option<f64>) -> Self {
        Self { most: rate.unwrap_or(f64::INFINITY), ..self }
    }

    /// Sets the counts, and tells them if it is time.
    pub(super) fn set(&mut self, done: u64, noted: u64, total: Option<u64>) {
        if done != self.done {
            self.waits = None;
        }
        (self.done, self.noted, self.total) = (done, noted, total.or(self.total));
        let now = self.clock.now();
        let passed = now.duration_since(self.told);
        // A clock that was set back does not silence the meter until it has caught up.
        if passed >= INTERVAL || passed.is_negative() {
            self.told = now;
            self.tell(now, false);
        }
    }

    /// Tells why nothing goes on, or that it does again. Returns the note for the report where that is news.
    pub(super) fn wait(&mut self, why: Option<String>) -> Option<String> {
        if self.waits == why {
            return None;
        }
        self.waits = why;
        self.tell(self.clock.now(), false);
        self.waits.as_ref().map(|why| format!("the run had to wait: {why}"))
    }

    /// Tells the final counts.
    pub(super) fn end(&self) {
        self.tell(self.clock.now(), true);
    }

    fn tell(&self, now: Timestamp, last: bool) {
        let Some(on_tick) = &self.on_tick else { return };
        let seconds = now.duration_since(self.began).as_secs_f64();
        #[allow(clippy::cast_precision_loss, reason = "a rate shown to people")]
        let rate = if seconds > 0.0 { self.done as f64 / seconds } else { 0.0 };
        let Self { stage, done, total, noted, most, .. } = *self;
        on_tick(Tick { stage, done, total, noted, rate: rate.min(most), waits: self.waits.clone(), last });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn ticks_come_at_a_bounded_frequency_and_the_last_always() {
        let now = Arc::new(Mutex::new(Timestamp::UNIX_EPOCH));
        let ticks = Arc::new(Mutex::new(Vec::new()));
        let (clock, seen) = (Arc::clone(&now), Arc::clone(&ticks));
        let clock = Clock::new(move || *clock.lock().unwrap());
        let mut meter =
            Meter::new(clock, Some(Arc::new(move |tick| seen.lock().unwrap().push(tick))), Stage::Scan, Some(1000));
        for done in 1..=1000 {
            *now.lock().unwrap() += SignedDuration::from_millis(1);
            meter.set(done, 0, None);
        }
        meter.end();
        {
            let ticks = ticks.lock().unwrap();
            assert_eq!(ticks.len(), 11);
            let last = ticks.last().unwrap();
            assert_eq!((last.done, last.total, last.last), (1000, Some(1000), true));
            assert!((last.rate - 1000.0).abs() < 1e-6);
        }
        // A run that is slowed down is not told to be faster than its pace.
        let mut slow = meter.clone().at_most(Some(0.5));
        *now.lock().unwrap() += INTERVAL;
        slow.set(1001, 0, None);
        assert!((ticks.lock().unwrap().last().unwrap().rate - 0.5).abs() < 1e-6);
        // The clock is set back an hour: what is done is told all the same.
        *now.lock().unwrap() -= SignedDuration::from_hours(1);
        meter.set(1002, 0, None);
        assert_eq!(ticks.lock().unwrap().last().unwrap().done, 1002);
    }
}
