//! What every verb that talks to a broker gets: places, streams, the clock, the operator's consent and the stop token.

use std::ops::Deref;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Exit;
use super::arguments::Global;
use super::interrupt;
use super::output::{Output, progress};
use super::reporting;
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::control::Control;
use crate::operation::session::Session;

/// Everything a verb works with.
pub(super) struct Context<'a> {
    /// Places, journals and the clock.
    pub(super) session: Session,
    /// stdout and stderr.
    pub(super) output: Arc<Output>,
    /// The arguments of every verb.
    pub(super) global: &'a Global,
    /// Set by Ctrl-C.
    pub(super) stop: CancellationToken,
}

/// A verb's context is its session, with the streams beside it.
impl Deref for Context<'_> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl<'a> Context<'a> {
    /// Reads the configuration.
    ///
    /// # Errors
    /// As [`Session::open`]; `Usage` for a registry's URL that is none.
    pub(super) fn new(global: &'a Global, environment: Environment, output: Arc<Output>) -> Result<Self> {
        let named = global.schemas();
        let session = Session::open(global.config.as_deref(), environment)?;
        let session = if named.is_empty() { session } else { session.read_by(&named)? };
        Ok(Self { session, output, global, stop: CancellationToken::new() })
    }

    /// How an engine is steered: this clock, Ctrl-C, progress on the terminal, outcomes as lines.
    pub(super) fn control(&self) -> Control {
        let control = Control::new().cancel(self.stop.clone()).clock(self.clock());
        Control {
            on_tick: progress::on_tick(&self.output),
            // Where there is no folder for journals, the run itself says so.
            journals: self.journals().ok(),
            on_outcome: reporting::on_outcome(&self.output),
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
