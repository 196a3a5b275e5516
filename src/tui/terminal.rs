//! The terminal: taken over, drawn on, lent out, and given back however the program ends.

use std::io::{self, Stdout, Write as _};

use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;

use super::state::State;
use super::view;
use crate::error::{Error, ErrorKind, Result};

/// The terminal while it is ours; dropping it gives it back.
pub(super) struct Screens {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    lost: bool,
}

impl Screens {
    /// Takes the terminal over. A panic of the loop gives it back before it is told; one of a task is told by the loop.
    ///
    /// # Errors
    /// `Io`.
    pub(super) fn enter() -> Result<Self> {
        let failed = |error: io::Error| Error::new(ErrorKind::Io, "the terminal can't be used").because(error);
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if std::thread::current().name() == Some("main") {
                leave();
                hook(info);
            }
        }));
        // From here on, dropping gives it back.
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout())).map_err(failed)?;
        let screens = Self { terminal, lost: false };
        enter().map_err(failed)?;
        Ok(screens)
    }

    /// Draws; whether somebody may still see it.
    pub(super) fn draw(&mut self, state: &State) -> bool {
        let drawn = !self.lost && self.terminal.draw(|frame| view::draw(frame, state)).is_ok();
        drawn || state.quitting
    }

    /// Writes a sequence that draws nothing.
    pub(super) fn write(&mut self, sequence: &str) {
        let mut out = io::stdout();
        self.lost |= out.write_all(sequence.as_bytes()).and_then(|()| out.flush()).is_err();
    }

    /// Gives the terminal to another program.
    pub(super) fn give_away(&mut self) {
        // What is drawn after it is lent out would be drawn over the other's.
        _ = self.terminal.hide_cursor();
        leave();
    }

    /// Takes it again; everything is drawn anew, on a screen that is asked nothing: its answer would be lost.
    pub(super) fn take_back(&mut self) {
        let clean = enter().and_then(|()| execute!(io::stdout(), Clear(ClearType::All)));
        if let (Ok(()), Ok(terminal)) = (clean, Terminal::new(CrosstermBackend::new(io::stdout()))) {
            self.terminal = terminal;
        } else {
            self.lost = true;
        }
    }
}

impl Drop for Screens {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture, EnableBracketedPaste)
}

/// Gives the terminal back; there is nothing to do where that fails.
fn leave() {
    _ = execute!(
        io::stdout(),
        DisableBracketedPaste,
        DisableMouseCapture,
        LeaveAlternateScreen,
        crossterm::cursor::Show
    );
    _ = disable_raw_mode();
    _ = io::stdout().flush();
}
/// The signals that ask a program to end.
pub(super) struct Signals {
    #[cfg(unix)]
    signals: Vec<tokio::signal::unix::Signal>,
}

impl Signals {
    #[cfg(unix)]
    pub(super) fn new() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::interrupt()];
        Self { signals: kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect() }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Self {
        Self {}
    }

    pub(super) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let signals = self.signals.iter_mut().map(|signal| Box::pin(signal.recv()));
            _ = futures::future::select_all(signals).await;
        }
        #[cfg(not(unix))]
        {
            _ = tokio::signal::ctrl_c().await;
        }
    }
}
