//! The same screens without a terminal: for tests, benchmarks and pictures of the real thing.

use std::sync::Arc;

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::key::Key;
use super::msg::{Effect, Msg};
use super::{App, picture, view};
use crate::error::Result;
use crate::operation::session::{Session, Start};

/// Screens that are driven by keys and read as text.
pub struct Headless {
    app: App,
    terminal: Terminal<TestBackend>,
}

impl Headless {
    /// Opens them at a size. Needs a tokio runtime.
    ///
    /// # Errors
    /// `Config` for keys that can't be.
    pub fn open(session: Session, start: &Start, width: u16, height: u16) -> Result<Self> {
        let mut app = App::new(Arc::new(session), start)?;
        app.take(Msg::Resize(width, height));
        // A terminal in memory can't fail.
        let Ok(terminal) = Terminal::new(TestBackend::new(width, height));
        Ok(Self { app, terminal })
    }

    /// Presses keys, named as in the table and separated by spaces, each after the answers to the one before.
    ///
    /// # Errors
    /// Names what is no key.
    pub async fn press(&mut self, keys: &str) -> std::result::Result<(), String> {
        for key in keys.split(' ') {
            let key: Key = key.parse()?;
            self.settle().await;
            self.app.take(Msg::Key(key.event()));
        }
        self.settle().await;
        Ok(())
    }

    /// Presses one key, without waiting for anything.
    ///
    /// # Errors
    /// Names what is no key.
    pub fn press_now(&mut self, key: &str) -> std::result::Result<(), String> {
        let key: Key = key.parse()?;
        self.app.take(Msg::Key(key.event()));
        self.app.drain();
        Ok(())
    }

    /// Takes what has been answered so far, without waiting for more.
    pub fn take_answers(&mut self) {
        self.app.drain();
    }

    /// Types a text, letter by letter.
    pub fn type_in(&mut self, text: &str) {
        self.app.take(Msg::Paste(text.to_owned()));
    }

    /// Clicks at a place.
    pub fn click(&mut self, column: u16, row: u16) {
        use crossterm::event::{KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
        let kind = MouseEventKind::Down(MouseButton::Left);
        self.app.take(Msg::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
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
                if self.app.runner.is_idle() {
                    return;
                }
            }
            // A task's last word may be taken a moment before the task has ended.
            tokio::select! {
                Some(msg) = self.app.answers.recv() => self.app.take(msg),
                () = tokio::time::sleep(std::time::Duration::from_millis(1)) => {}
            }
        }
    }

    /// What was copied to the clipboard, the last first; it is forgotten.
    pub fn copied(&mut self) -> Vec<String> {
        let effects = std::mem::take(&mut self.app.outside).into_iter().rev();
        let text = |effect| if let Effect::Copy(text) = effect { Some(text) } else { None };
        effects.filter_map(text).collect()
    }

    /// Edits what was given to the editor, as its operator would; whether anything was given.
    pub async fn edit(&mut self, change: impl FnOnce(&str) -> String) -> bool {
        let text = self.app.outside.drain(..).rev().find_map(|effect| match effect {
            Effect::Editor(text) => Some(text),
            _ => None,
        });
        let edited = text.map(|text| self.app.take(Msg::Edited(change(&text)))).is_some();
        self.settle().await;
        edited
    }

    /// What they stand on.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.app.session
    }

    /// Whether the operator has left.
    #[must_use]
    pub fn has_left(&self) -> bool {
        self.app.state.quitting
    }

    /// Draws, without reading what was drawn.
    pub fn draw(&mut self) {
        let Ok(_) = self.terminal.draw(|frame| view::draw(frame, &self.app.state));
    }

    /// Draws, and gives the screen's text without what is blank at the ends of its lines.
    pub fn screen(&mut self) -> String {
        self.draw();
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

    /// Draws, and gives the screen as a picture.
    pub fn picture(&mut self) -> String {
        self.draw();
        picture::svg(self.terminal.backend().buffer())
    }
}
