//! What a front end hands to every engine: the clock, the cancel token, and where progress and outcomes go.
//!
//! Engines print nothing and read no clock of their own, so that a test or a screen decides both.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::journal::Journals;
use super::progress::{Stage, Tick};
use super::report::OutcomeLine;
use super::verify::SETTLE;

/// The clock an engine goes by.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that a test moves.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// A clock that stands still.
    #[must_use]
    pub fn fixed(now: Timestamp) -> Self {
        Self::new(move || now)
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({})", self.now())
    }
}

/// Where progress goes. It is called at most some ten times a second and at the end of each stage, and must not block.
pub type OnTick = Arc<dyn Fn(Tick) + Send + Sync>;

/// Where the outcome of each message goes, in the order in which they are known. It must not block for long:
/// the engine waits for it.
pub type OnOutcome = Arc<dyn Fn(OutcomeLine) + Send + Sync>;

/// How a front end steers an engine.
#[derive(Clone)]
pub struct Control {
    /// The clock.
    pub clock: Clock,
    /// Set by Ctrl-C: the engine finishes what is under way, returns the rest and reports.
    pub cancel: CancellationToken,
    /// Where progress goes.
    pub on_tick: Option<OnTick>,
    /// Where outcomes go.
    pub on_outcome: Option<OnOutcome>,
    /// The journals by which a plan tells what earlier runs handled; without them it tells nothing of it.
    pub journals: Option<Journals>,
    /// Messages that a write sends, confirms and records together at most.
    pub batch: usize,
    /// How long targets have to be empty before what was sent to them is taken for consumed.
    pub settle: Duration,
}

/// [`Control::batch`] where nothing else is said: publishers send one batch after the other, and of a large one the
/// wait for its last confirm is a small part.
const BATCH: usize = 1000;

impl Control {
    /// The machine's clock, nobody watching.
    #[must_use]
    pub fn new() -> Self {
        Self {
            clock: Clock::system(),
            cancel: CancellationToken::new(),
            on_tick: None,
            on_outcome: None,
            journals: None,
            batch: BATCH,
            settle: SETTLE,
        }
    }

    /// Sends progress there.
    #[must_use]
    pub fn on_tick(mut self, tick: impl Fn(Tick) + Send + Sync + 'static) -> Self {
        self.on_tick = Some(Arc::new(tick));
        self
    }

    /// Sends outcomes there.
    #[must_use]
    pub fn on_outcome(mut self, outcome: impl Fn(OutcomeLine) + Send + Sync + 'static) -> Self {
        self.on_outcome = Some(Arc::new(outcome));
        self
    }

    /// Goes by that clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Plans by those journals.
    #[must_use]
    pub fn journals(mut self, journals: Journals) -> Self {
        self.journals = Some(journals);
        self
    }

    /// Makes batches of that size.
    #[must_use]
    pub fn batch(mut self, batch: usize) -> Self {
        self.batch = batch.max(1);
        self
    }

    /// Takes what was sent for consumed when its target has been empty for so long.
    #[must_use]
    pub fn settle(mut self, settle: Duration) -> Self {
        self.settle = settle;
        self
    }

    /// Listens to that token.
    #[must_use]
    pub fn cancel(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// A meter for one stage, which calls [`Control::on_tick`] at a bounded frequency.
    pub(super) fn meter(&self, stage: Stage, total: Option<u64>) -> super::progress::Meter {
        super::progress::Meter::new(self.clock.clone(), self.on_tick.clone(), stage, total)
    }

    pub(super) fn outcome(&self, line: impl FnOnce() -> OutcomeLine) {
        if let Some(on_outcome) = &self.on_outcome {
            on_outcome(line());
        }
    }
}

impl Default for Control {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("clock", &self.clock)
            .field("cancelled", &self.cancel.is_cancelled())
            .finish_non_exhaustive()
    }
}
