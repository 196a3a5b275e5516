//! What every verb that talks to a broker gets: places, streams, the clock, the operator's consent and the stop token.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Exit;
use super::arguments::Global;
use super::interrupt;
use super::output::{Output, progress};
use super::reporting;
use crate::broker::memory::demo;
use crate::broker::{Address, Connection};
use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::control::{Clock, Control};
use crate::operation::journal::Journals;
use crate::operation::place::Places;

/// Everything a verb works with.
pub(super) struct Context<'a> {
    /// Opens addresses.
    pub(super) places: Places,
    /// stdout and stderr.
    pub(super) output: Arc<Output>,
    /// The arguments of every verb.
    pub(super) global: &'a Global,
    /// Set by Ctrl-C.
    pub(super) stop: CancellationToken,
    now: Option<Timestamp>,
}

impl<'a> Context<'a> {
    /// Reads the configuration. `POSTROOM_NOW` fixes the clock, for tests and for documentation made from real output.
    pub(super) fn new(global: &'a Global, environment: Environment, output: Arc<Output>) -> Result<Self> {
        let now = environment.get("POSTROOM_NOW").map(str::parse::<Timestamp>).transpose().map_err(|error| {
            Error::new(ErrorKind::Usage, "POSTROOM_NOW is not a time").hint("write 2026-03-02T10:11:12Z").because(error)
        })?;
        let config = Config::load(global.config.as_deref(), environment)?;
        Ok(Self { places: Places::new(config), output, global, stop: CancellationToken::new(), now })
    }

    /// The time.
    pub(super) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }

    /// The time at an address: in the demo it stands still.
    pub(super) fn now_at(&self, address: &Address) -> Timestamp {
        if address.connection == Connection::Demo { demo::NOW } else { self.now() }
    }

    /// This user's journals.
    ///
    /// # Errors
    /// `Config` where there is no folder for them.
    pub(super) fn journals(&self) -> Result<Journals> {
        Journals::of_user(self.places.config().environment())
    }

    /// How an engine is steered: this clock, Ctrl-C, progress on the terminal, outcomes as lines.
    pub(super) fn control(&self) -> Control {
        let control = Control::new().cancel(self.stop.clone());
        let control = match self.now {
            Some(now) => control.clock(Clock::fixed(now)),
            None => control,
        };
        let output = Arc::clone(&self.output);
        Control {
            on_tick: progress::on_tick(&self.output),
            // A line that can't be written must not stop a run that moves messages; the report is still to come.
            on_outcome: Some(Arc::new(move |line| _ = reporting::outcome(&line, &output))),
            ..control
        }
    }

    /// Runs a verb to its end; Ctrl-C sets the stop token.
    pub(super) fn block_on(&self, verb: impl Future<Output = Exit>) -> Exit {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::new(ErrorKind::Unexpected, "the runtime can't be started").because(error))?;
        let done = runtime.block_on(async {
            interrupt::listen(self.stop.clone());
            verb.await
        });
        // A read of the terminal that nobody waits for any more must not hold the process.
        runtime.shutdown_background();
        done
    }
}
