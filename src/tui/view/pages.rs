//! Pages of text: one message, a queue, the log.

use jiff::Timestamp;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget as _};

use super::lists::bar;
use super::wrap::wrap;
use super::{Canvas, Spot, body_height, clean, top};
use crate::broker::ConsumerGroup;
use crate::operation::glance::{failed_where, origin_target, reason};
use crate::operation::groups::{GroupSummary, OriginCount};
use crate::text::{fit, human, one_line, safe, width_of};
use crate::tui::command::Scope;
use crate::tui::detail::TextLine;
use crate::tui::state::{Screen, State, TABS};
use crate::tui::theme::Role;

/// Bytes of a body that are shown beside its cause.
const SAMPLE: usize = 2000;

impl Canvas<'_> {
    pub(super) fn detail(&mut self, area: Rect, screen: &Screen) {
        let mut x = area.x;
        for (at, name) in TABS.iter().enumerate() {
            let (role, text) =
                if at == screen.tab { (Role::Cursor, format!("[{name}]")) } else { (Role::Faint, format!(" {name} ")) };
            let (room, start) = (self.room(x), x);
            x = self.put(x, area.y, room, &text, role);
            self.spot(start, area.y, x - start, Spot::Tab(at));
            x += 2;
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
            self.spot(area.x, y, area.width, Spot::Row(n));
            if n == screen.cursor {
                let style = self.style(Role::Cursor);
                self.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
        if let Some(line) = shown.get(screen.cursor).and_then(|at| lines.get(*at)) {
            self.whole(area, line, screen.cursor - first);
        }
    }

    /// The line under the cursor, where it is too long for the terminal: broken, in a box at the other end of the page.
    fn whole(&mut self, area: Rect, line: &TextLine, row: usize) {
        if width_of(&line.text()) + 2 <= usize::from(area.width) {
            return;
        }
        let spans = line.spans.iter().map(|(role, text)| Span::styled(text.clone(), self.style(*role)));
        let rows = wrap(&Line::from(spans.collect::<Vec<_>>()), usize::from(area.width.saturating_sub(2)), 2);
        let height = u16::try_from(rows.len() + 1).unwrap_or(u16::MAX).min(area.height / 2);
        if height < 2 {
            return;
        }
        let is_low = row + 2 > usize::from(area.height - height);
        let y = if is_low { area.y + 1 } else { area.y + area.height - height };
        let rule = "─".repeat(usize::from(area.width));
        let rule_y = if is_low { y + height - 1 } else { y };
        Clear.render(Rect { y, height, ..area }, self.buffer);
        self.put(area.x, rule_y, area.width.into(), &rule, Role::Frame);
        let first = if is_low { y } else { y + 1 };
        let room = usize::from(height - 1);
        for (y, text) in (first..).zip(rows.iter().take(room)) {
            self.buffer.set_line(area.x + 2, y, text, area.width.saturating_sub(2));
        }
        if rows.len() > room {
            let more = format!(" {} more; v opens it ", human::plural((rows.len() - room) as u64, "line"));
            self.put(area.x + 4, rule_y, area.width.saturating_sub(4).into(), &more, Role::Faint);
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
        let rows = about(self.state, screen);
        self.rows(area, "what the broker tells about it, without touching a message", rows, screen.cursor);
    }

    pub(super) fn log(&mut self, area: Rect, screen: &Screen) {
        let rows = said(self.state);
        self.rows(area, "what was said, and the command lines of what was done", rows, screen.cursor);
    }

    /// What is known of one cause, and one of its messages.
    pub(super) fn cause(&mut self, area: Rect, group: &GroupSummary, now: Timestamp) {
        let width = usize::from(area.width);
        let rule = "─".repeat(width);
        self.put(area.x, area.y, width, &rule, Role::Frame);
        self.put(area.x + 2, area.y, width.saturating_sub(4), &format!(" {} ", group.name), Role::Name);
        let mut rows: Vec<Line<'_>> = Vec::new();
        let mut add = |name: &str, role: Role, value: String| {
            if !value.is_empty() {
                let spans = vec![
                    Span::styled(format!("{name:<8} "), self.style(Role::Field)),
                    Span::styled(clean(&value), self.style(role)),
                ];
                rows.extend(wrap(&Line::from(spans), width, 9));
            }
        };
        add("cause", Role::Bad, group.title.clone());
        let sample = &group.sample;
        if let Some(failure) = &group.failure {
            add("such as", Role::Plain, reason(failure));
            add("where", Role::Plain, failed_where(failure));
        }
        let age = |time: Timestamp| human::age(time, now);
        let mut times: Vec<String> = Vec::new();
        times.extend(group.first.map(|first| format!("first {} ago", age(first))));
        times.extend(group.last.map(|last| format!("last {} ago", age(last))));
        times.extend(group.expires.map(|at| format!("the first expires in {}", human::age(now, at))));
        add("when", Role::Plain, times.join(", "));
        let from = |origin: &OriginCount| {
            let place = origin.origin.as_ref().map(|origin| format!(" from {}", origin_target(origin)));
            format!("{} in {}{}", human::count(origin.count), origin.read_from, place.unwrap_or_default())
        };
        add("found", Role::Plain, group.origins.iter().take(4).map(from).collect::<Vec<_>>().join("; "));
        let differs = group.varying.iter().map(|varying| {
            let more = if varying.more { ", …" } else { "" };
            format!("{}{more}", varying.values.iter().take(4).cloned().collect::<Vec<_>>().join(", "))
        });
        add("differs", Role::Faint, differs.collect::<Vec<_>>().join("; "));
        let body = sample.body();
        let start = String::from_utf8_lossy(body.get(..SAMPLE).unwrap_or(body));
        add("sample", Role::Faint, sample.id.clone());
        add("body", Role::Plain, one_line(&start));
        let height = usize::from(area.height.saturating_sub(1));
        if rows.len() > height
            && let Some(last) = height.checked_sub(1).and_then(|at| rows.get_mut(at))
        {
            // What is cut says so.
            last.spans.push(Span::styled("…", self.style(Role::Faint)));
            if last.width() > width {
                *last = Line::from(Span::styled(fit(&last.to_string(), width), self.style(Role::Faint)));
            }
        }
        for (y, row) in (area.y + 1..).zip(rows.iter().take(height)) {
            self.buffer.set_line(area.x, y, row, area.width);
        }
    }

    /// A page of lines around the cursor, under a title.
    fn rows(&mut self, area: Rect, title: &str, rows: Vec<Line<'_>>, cursor: usize) {
        self.put(area.x, area.y, area.width.into(), title, Role::Faint);
        let height = usize::from(area.height.saturating_sub(1)).max(1);
        let first = top(cursor, height);
        for (n, row) in rows.into_iter().enumerate().skip(first).take(height) {
            let y = area.y + 1 + u16::try_from(n - first).unwrap_or(u16::MAX / 2);
            self.buffer.set_line(area.x, y, &row, area.width);
            self.spot(area.x, y, area.width, Spot::Row(n));
            if n == cursor {
                let style = self.style(Role::Cursor);
                self.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
    }
}

/// Everything about a queue, broken to the terminal's width.
pub(in crate::tui) fn about(state: &State, screen: &Screen) -> Vec<Line<'static>> {
    let style = |role| state.theme.style(role);
    let width = usize::from(state.size.0);
    let wide = screen.entries.iter().map(|(name, _)| width_of(&safe(name))).max().unwrap_or(0).min(width * 2 / 5);
    let mut rows = Vec::new();
    for (name, value) in &screen.entries {
        let role = match name.as_str() {
            "refused" => Role::Bad,
            "peek budget" | "note" => Role::Warning,
            _ => Role::Plain,
        };
        for (at, line) in value.lines().enumerate() {
            let lead = if at == 0 { clean(name) } else { String::new() };
            let row = Line::from(vec![
                Span::styled(format!("{lead:<wide$}  "), style(Role::Field)),
                Span::styled(clean(line), style(role)),
            ]);
            rows.extend(wrap(&row, width, wide + 2));
        }
    }
    let most = screen.consumers.iter().map(ConsumerGroup::lag).max().unwrap_or(0);
    for (at, group) in screen.consumers.iter().enumerate() {
        let lead = if at == 0 { "consumer groups" } else { "" };
        let members = human::plural(group.members, "member");
        let row = Line::from(vec![
            Span::styled(format!("{lead:<wide$}  "), style(Role::Field)),
            Span::styled(clean(&group.name), style(Role::Name)),
            Span::styled(
                format!("  {}, {members}, lag ≤{} ", clean(&group.state), human::count(group.lag())),
                style(Role::Plain),
            ),
            Span::styled(bar(group.lag(), most, 12), style(Role::Warning)),
        ]);
        rows.extend(wrap(&row, width, wide + 2));
    }
    rows
}

/// What was said, broken to the terminal's width.
pub(in crate::tui) fn said(state: &State) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    for (is_error, text) in &state.log {
        let role = match (is_error, text.starts_with("$ ")) {
            (true, _) => Role::Bad,
            (false, true) => Role::Name,
            (false, false) => Role::Plain,
        };
        let lines = text.lines().map(|line| Line::from(Span::styled(clean(line), state.theme.style(role))));
        rows.extend(lines.flat_map(|line| wrap(&line, usize::from(state.size.0), 2)));
    }
    rows
}
