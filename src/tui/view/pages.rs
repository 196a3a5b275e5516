//! Pages of text: one message, a queue, the log.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Canvas, body_height, clean, top};
use crate::text::{human, safe, width_of};
use crate::tui::command::Scope;
use crate::tui::state::{Screen, TABS};
use crate::tui::theme::Role;

impl Canvas<'_> {
    pub(super) fn detail(&mut self, area: Rect, screen: &Screen) {
        let mut x = area.x;
        for (at, name) in TABS.iter().enumerate() {
            let (role, text) =
                if at == screen.tab { (Role::Cursor, format!("[{name}]")) } else { (Role::Faint, format!(" {name} ")) };
            let room = self.room(x);
            x = self.put(x, area.y, room, &text, role) + 2;
        }
        let Some(page) = &screen.page else {
            let (text, role) = screen.fault.as_deref().map_or(("reading …", Role::Faint), |fault| (fault, Role::Bad));
            self.centre(area, text, role);
            return;
        };
        let list = self.state.screens.iter().rev().nth(1).filter(|list| list.scope == Scope::Messages);
        if let Some(list) = list {
            let place = format!("{} of {}", human::count(list.cursor as u64 + 1), human::count(list.listed() as u64));
            let wide = u16::try_from(width_of(&place)).unwrap_or(0);
            if x + wide < area.x + area.width {
                self.put(area.x + area.width - wide, area.y, wide.into(), &place, Role::Faint);
            }
        }
        let shown = page.shown(screen.tab, &screen.folded);
        let lines = page.tabs.get(screen.tab).map(Vec::as_slice).unwrap_or_default();
        let height = body_height(self.state);
        let first = top(screen.cursor, height);
        for (n, at) in shown.iter().enumerate().skip(first).take(height) {
            let Some(line) = lines.get(*at) else { continue };
            let y = area.y + 1 + u16::try_from(n - first).unwrap_or(u16::MAX / 2);
            let sign = match line.end {
                Some(_) if line.is_folded != screen.folded.contains(at) => "▸",
                Some(_) => "▾",
                None => " ",
            };
            let mut x = self.put(area.x, y, 1, sign, Role::Faint) + 1;
            for (role, text) in &line.spans {
                let room = self.room(x);
                if room == 0 {
                    break;
                }
                x = self.put(x, y, room, text, *role);
            }
            self.highlight(area, y, &line.text(), &screen.needle);
            if n == screen.cursor {
                let style = self.style(Role::Cursor);
                self.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
    }

    /// Shows where the text that was searched for stands on a line.
    fn highlight(&mut self, area: Rect, y: u16, text: &str, needle: &str) {
        if needle.is_empty() {
            return;
        }
        let exact = needle.chars().any(char::is_uppercase);
        let (hay, needle) =
            if exact { (text.to_owned(), needle.to_owned()) } else { (text.to_lowercase(), needle.to_lowercase()) };
        let style = self.style(Role::Match);
        for (at, found) in hay.match_indices(&needle) {
            let before = hay.get(..at).map_or(0, width_of);
            let x = area.x + 2 + u16::try_from(before).unwrap_or(u16::MAX / 2);
            let end = area.x + area.width;
            if x < end {
                let width = u16::try_from(width_of(found)).unwrap_or(1).min(end - x);
                self.buffer.set_style(Rect { x, y, width, height: 1 }, style);
            }
        }
    }

    pub(super) fn show(&mut self, area: Rect, screen: &Screen) {
        if screen.entries.is_empty() {
            let (text, role) = screen.fault.as_deref().map_or(("asking …", Role::Faint), |fault| (fault, Role::Bad));
            self.centre(area, text, role);
            return;
        }
        let wide = screen.entries.iter().map(|(name, _)| width_of(&safe(name))).max().unwrap_or(0).min(30);
        let mut rows: Vec<Line<'_>> = Vec::new();
        for (name, value) in &screen.entries {
            let role = if ["refused", "peek budget"].contains(&name.as_str()) { Role::Warning } else { Role::Plain };
            let mut lines = value.lines();
            let lead = format!("{:<wide$}  ", clean(name));
            rows.push(Line::from(vec![
                Span::styled(lead, self.style(Role::Field)),
                Span::styled(clean(lines.next().unwrap_or_default()), self.style(role)),
            ]));
            rows.extend(lines.map(|line| Line::from(format!("{}  {}", " ".repeat(wide), clean(line)))));
        }
        self.rows(area, "what the broker tells about it, without touching a message", rows, screen.cursor);
    }

    pub(super) fn log(&mut self, area: Rect, screen: &Screen) {
        let mut rows = Vec::new();
        for (is_error, text) in &self.state.log {
            let role = match (is_error, text.starts_with("$ ")) {
                (true, _) => Role::Bad,
                (false, true) => Role::Name,
                (false, false) => Role::Plain,
            };
            rows.extend(text.lines().map(|line| Line::from(Span::styled(clean(line), self.style(role)))));
        }
        self.rows(area, "what was said, and the command lines of what was done", rows, screen.cursor);
    }

    /// A page of lines around the cursor, under a title.
    fn rows(&mut self, area: Rect, title: &str, rows: Vec<Line<'_>>, cursor: usize) {
        self.put(area.x, area.y, area.width.into(), title, Role::Faint);
        let height = usize::from(area.height.saturating_sub(1)).max(1);
        let first = top(cursor, height);
        for (n, row) in rows.into_iter().enumerate().skip(first).take(height) {
            let y = area.y + 1 + u16::try_from(n - first).unwrap_or(u16::MAX / 2);
            self.buffer.set_line(area.x, y, &row, area.width);
            if n == cursor {
                let style = self.style(Role::Cursor);
                self.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
    }
}
