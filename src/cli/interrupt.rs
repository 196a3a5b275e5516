//! Ctrl-C: everything that is held goes back first.
//!
//! The first signal sets the stop token, and the verb ends by returning what it holds. Until it has, further signals
//! are answered politely; after [`PATIENCE`] the next one ends the process, and the broker returns the rest by itself.

use std::io::Write as _;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::error::ErrorKind;

/// How long a return may take before a signal may cut it short.
const PATIENCE: Duration = Duration::from_secs(20);

/// Listens for the rest of the process's life.
pub(super) fn listen(stop: CancellationToken) {
    tokio::spawn(async move {
        let mut signals = Signals::new();
        signals.next().await;
        let began = Instant::now();
        say("Stopping: returning what is held …");
        stop.cancel();
        loop {
            signals.next().await;
            let Some(left) = PATIENCE.checked_sub(began.elapsed()) else { break };
            say(&format!("Still returning what is held; after {} s Ctrl-C ends it at once.", left.as_secs() + 1));
        }
        say("Ended before the broker confirmed every return: it returns the rest itself when the connection is gone.");
        std::process::exit(ErrorKind::Unexpected.exit().into());
    });
}

/// Straight to stderr: nobody may be holding the streams' locks while this is said.
fn say(text: &str) {
    _ = writeln!(std::io::stderr(), "{text}");
}

/// The signals that ask a program to end.
struct Signals {
    #[cfg(unix)]
    others: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            others: [SignalKind::terminate(), SignalKind::hangup()]
                .into_iter()
                .filter_map(|kind| signal(kind).ok())
                .collect(),
        }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        {
            let others = self.others.iter_mut().map(|signal| Box::pin(signal.recv()));
            let others = futures::future::select_all(others.map(|signal| signal as futures::future::BoxFuture<'_, _>));
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = others => {}
            }
        }
        #[cfg(not(unix))]
        {
            _ = tokio::signal::ctrl_c().await;
        }
    }
}
