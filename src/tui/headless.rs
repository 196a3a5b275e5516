//! The same screens without a terminal: for tests, benchmarks and pictures of the real thing.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::key::Key;
use super::msg::Msg;
use super::{App, view};
use crate::operation::session::{Session, Start};

/// Screens that are driven by keys and read as text.
pub struct Headless {
    app: App,
    terminal: Terminal<TestBackend>,
}

impl Headless {
    /// Opens them at a size. Needs a tokio runtime.
    #[must_use]
    pub fn open(session: Session, start: &Start, width: u16, height: u16) -> Self {
        let mut app = App::new(Arc::new(session), start);
        app.take(Msg::Resize(width, height));
        // A terminal in memory can't fail.
        let Ok(terminal) = Terminal::new(TestBackend::new(width, height));
        Self { app, terminal }
    }

    /// Presses keys, named as in the table and separated by spaces, each after the answers to the one before.
    ///
    /// # Errors
    /// Names what is no key.
    pub async fn press(&mut self, keys: &str) -> Result<(), String> {
        for key in keys.split(' ') {
            let key: Key = key.parse()?;
            self.settle().await;
            self.app.take(Msg::Key(key.event()));
        }
        self.settle().await;
        Ok(())
    }

    /// Types a text, letter by letter.
    pub fn type_in(&mut self, text: &str) {
        self.app.take(Msg::Paste(text.to_owned()));
    }

    /// Changes the size.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal.backend_mut().resize(width, height);
        self.app.take(Msg::Resize(width, height));
    }

    /// Waits until nothing is under way and every answer is taken.
    pub async fn settle(&mut self) {
        loop {
            self.app.drain();
            if self.app.runner.is_idle() {
                self.app.drain();
                return;
            }
            // A task's last word may be taken a moment before the task has ended.
            tokio::select! {
                Some(msg) = self.app.answers.recv() => self.app.take(msg),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        }
    }

    /// Whether the operator has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.app.state.quitting
    }

    /// Draws, and gives the screen's text without what is blank at the ends of its lines.
    pub fn screen(&mut self) -> String {
        let Ok(_) = self.terminal.draw(|frame| view::draw(frame, &self.app.state));
        let buffer = self.terminal.backend().buffer();
        let rows = (0..buffer.area.height).map(|y| {
            let mut row = String::new();
            let mut skip = 0;
            for x in 0..buffer.area.width {
                let Some(cell) = buffer.cell((x, y)) else { continue };
                if skip == 0 {
                    row.push_str(cell.symbol());
                    skip = crate::text::width_of(cell.symbol()).saturating_sub(1);
                } else {
                    skip -= 1;
                }
            }
            row.trim_end().to_owned()
        });
        rows.collect::<Vec<_>>().join("\n")
    }
}
