//! What lies over a screen: help, prices, questions, choices, forms, plan sheets, progress, receipts.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Widget as _};

use super::sheet::NAMES;
use super::wrap::wrap;
use super::{Canvas, Spot, clean, progress};
use crate::operation::progress::Tick;
use crate::text::{human, width_of};
use crate::tui::command::{self, Command};
use crate::tui::field;
use crate::tui::state::{Choice, Dialog, Sheet};
use crate::tui::theme::Role;

/// Cells of a dialog's width at most.
const WIDE: u16 = 110;
/// The same behind keys.
const KEYS: usize = 17;

/// A line of what can be pointed at: from which cell on, and how many.
#[derive(Debug, Default)]
struct Buttons {
    line: Line<'static>,
    spots: Vec<(usize, usize, Spot)>,
}

impl Buttons {
    fn text(line: Line<'static>) -> Self {
        Self { line, spots: Vec::new() }
    }

    /// Adds some text that can be pointed at.
    fn add(&mut self, spans: impl IntoIterator<Item = Span<'static>>, spot: Spot) {
        let start = self.line.width();
        self.line.spans.extend(spans);
        self.spots.push((start, self.line.width() - start, spot));
    }
}

/// Texts that can be pointed at, in as many lines as they need.
fn flow(items: impl Iterator<Item = (Vec<Span<'static>>, Spot)>, room: usize, gap: &'static str) -> Vec<Buttons> {
    let mut lines: Vec<Buttons> = Vec::new();
    for (spans, spot) in items {
        let wide: usize = spans.iter().map(Span::width).sum();
        match lines.last_mut().filter(|buttons| buttons.line.width() + gap.len() + wide <= room) {
            Some(buttons) => buttons.line.push_span(Span::raw(gap)),
            None => lines.push(Buttons::default()),
        }
        lines.last_mut().into_iter().for_each(|buttons| buttons.add(spans.clone(), spot));
    }
    lines
}

/// The same in lines that are no wider. What stands behind a break can't be pointed at.
fn broken(lines: Vec<Buttons>, width: usize) -> Vec<Buttons> {
    let broken = |buttons: Buttons| {
        let mut rows = wrap(&buttons.line, width, 2).into_iter();
        let line = rows.next().unwrap_or_default();
        let fits = line.width();
        let spots = buttons.spots.into_iter().filter(move |(start, wide, _)| start + wide <= fits).collect();
        std::iter::once(Buttons { line, spots }).chain(rows.map(Buttons::text)).collect::<Vec<_>>()
    };
    lines.into_iter().flat_map(broken).collect()
}

impl Canvas<'_> {
    pub(super) fn over(&mut self, dialog: &Dialog) {
        match dialog {
            Dialog::Help { scroll, .. } => {
                let lines = self.help();
                self.popup("keys", &lines, *scroll);
            }
            Dialog::Cost { lines, refused, scroll, .. } => {
                let role = if *refused { Role::Bad } else { Role::Warning };
                let mut all: Vec<Line<'_>> = lines.iter().map(|line| self.span(role, line)).collect();
                if lines.is_empty() {
                    all.push(self.span(Role::Faint, "asking the broker …"));
                }
                all.push(Line::default());
                let mut foot = Vec::new();
                let mut keys = Buttons::default();
                let plain = |text: &'static str| [Span::styled(text, self.style(Role::Plain))];
                if !*refused {
                    let copy = "What is read is given back, and kept here: filters and groups look at the copy.";
                    foot.push(Buttons::text(self.span(Role::Faint, copy)));
                    keys.add(plain("enter looks"), Spot::Key(Command::Accept));
                    keys.line.push_span(Span::raw(", "));
                }
                keys.add(plain("esc goes back"), Spot::Key(Command::Back));
                foot.push(keys);
                self.popup_on("what this look costs", &all, foot, *scroll);
            }
            Dialog::Input { line, title, error, hints, .. } => {
                let mut all = vec![self.typed(line)];
                all.extend(error.iter().flat_map(|error| error.lines()).map(|line| self.span(Role::Bad, line)));
                let hint = |(at, hint): (usize, &String)| {
                    (vec![Span::styled(clean(hint), self.style(Role::Faint))], Spot::Hint(at))
                };
                let room = usize::from(self.area.width.saturating_sub(2));
                let hints = flow(hints.iter().enumerate().map(hint), room, "   ");
                self.bar(title, &all, &hints);
            }
            Dialog::Palette { line, choices, cursor } => self.palette(line, choices, *cursor),
            Dialog::Pick { act, addresses, cursor } => {
                let title = format!("{} in which queue?", act.name());
                let queues: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                self.choose_of(&title, None, &queues, *cursor);
            }
            Dialog::Compose { compose, error } => self.compose(compose, error.as_deref()),
            Dialog::Running { act, tick, stopping, paused, .. } => {
                let how = tick.as_ref().map_or_else(|| "starting …".to_owned(), progress);
                let gauge = self.gauge(tick.as_ref());
                let mut all = vec![self.span(Role::Heading, &how), gauge];
                if let Some(Tick { noted: noted @ 1.., stage, .. }) = tick {
                    let read = ["scanning", "reading"].contains(&stage.name());
                    let (role, word) = if read { (Role::Plain, "match") } else { (Role::Bad, "failed or unsure") };
                    all.push(self.span(role, &format!("{} {word}", human::count(*noted))));
                }
                let waits = tick.as_ref().and_then(|tick| tick.waits.as_deref());
                all.extend(waits.map(|why| self.span(Role::Warning, &format!("waiting: {why}"))));
                all.push(self.span(Role::Faint, &format!("$ {}", act.line())));
                let word = if *paused { "pausing" } else { "stopping" };
                all.extend(stopping.then(|| self.span(Role::Warning, &format!("{word}: what is held is returned …"))));
                self.popup(act.name(), &all, 0);
            }
            Dialog::Sheet { act, sheet, run, typed, scroll, .. } => {
                let lines = self.sheet(act, sheet, typed.as_ref());
                let mut foot = self.choices();
                foot.push(match &**sheet {
                    Sheet::Fault(..) => {
                        let plain = |text: &'static str| [Span::styled(text, self.style(Role::Plain))];
                        let mut keys = Buttons::default();
                        keys.add(plain("enter plans it again"), Spot::Key(Command::Accept));
                        keys.line.push_span(Span::raw(", "));
                        keys.add(plain("esc gives it up"), Spot::Key(Command::Back));
                        keys
                    }
                    _ => self.dry_or_run(*run),
                });
                self.popup_on("plan", &lines, foot, *scroll);
            }
            Dialog::Receipt { act, done, paused, scroll } => {
                let lines = self.done(act, done, *paused);
                self.popup_on("receipt", &lines, self.choices(), *scroll);
            }
        }
    }

    fn dry_or_run(&self, run: bool) -> Buttons {
        let (dry, go) = if run { ("  dry run  ", "[ RUN IT ]") } else { ("[ dry run ]", "  run it  ") };
        let (safe, danger) = if run { (Role::Faint, Role::Badge) } else { (Role::Safe, Role::Faint) };
        let mut keys = Buttons::default();
        keys.add([Span::styled(dry, self.style(safe))], Spot::Run(false));
        keys.line.push_span(Span::raw("  "));
        keys.add([Span::styled(go, self.style(danger))], Spot::Run(true));
        keys.line.push_span(Span::styled("   tab chooses, enter does it", self.style(Role::Faint)));
        keys
    }

    /// What else can be done from a sheet or a receipt, with its keys.
    fn choices(&self) -> Vec<Buttons> {
        const SHOWN: [Command; 29] = [
            Command::Target,
            Command::Rate,
            Command::Ramp,
            Command::Verify,
            Command::Edit,
            Command::EditByHand,
            Command::Keep,
            Command::Again,
            Command::InFlight,
            Command::PerKey,
            Command::MaxFailures,
            Command::MaxReplays,
            Command::Park,
            Command::Rescue,
            Command::Limit,
            Command::Reason,
            Command::SamePartition,
            Command::ServerSide,
            Command::Exact,
            Command::ExpiringFirst,
            Command::LetExpire,
            Command::SendMisfits,
            Command::Doubtful,
            Command::SavePlan,
            Command::LookIn,
            Command::Help,
            Command::ResumeRun,
            Command::UndoRun,
            Command::OpenRun,
        ];
        let state = self.state;
        let now = |entry: &&command::Entry| SHOWN.contains(&entry.command) && entry.reason_against(state).is_none();
        let room = usize::from(self.dialog_width().saturating_sub(2));
        let items = command::of(state.scope(), state).filter(now).filter_map(|entry| {
            let key = state.keys.shown(entry).into_iter().next()?;
            let title = Span::styled(format!(" {}", entry.title), self.style(Role::Faint));
            Some((vec![Span::styled(key, self.style(Role::Heading)), title], Spot::Key(entry.command)))
        });
        flow(items, room, "  ")
    }

    fn dialog_width(&self) -> u16 {
        self.area.width.saturating_sub(4).min(WIDE)
    }

    pub(super) fn span(&self, role: Role, text: &str) -> Line<'static> {
        Line::from(Span::styled(clean(text), self.style(role)))
    }

    /// A line that is typed, with its cursor.
    fn typed(&self, line: &field::Line) -> Line<'static> {
        let (before, behind) = line.parts();
        let mut rest = behind.chars();
        let under = rest.next().map_or_else(|| " ".to_owned(), String::from);
        Line::from(vec![
            Span::styled(clean(before), self.style(Role::Heading)),
            Span::styled(clean(&under), self.style(Role::Match)),
            Span::styled(clean(rest.as_str()), self.style(Role::Heading)),
        ])
    }

    fn frame(&self) -> Block<'static> {
        Block::bordered().border_type(BorderType::Rounded).border_style(self.style(Role::Frame))
    }

    fn block(&self, title: &str) -> Block<'static> {
        self.frame().title(Span::styled(format!(" {} ", clean(title)), self.style(Role::Heading)))
    }

    /// A box in the middle, as large as what is in it.
    fn popup(&mut self, title: &str, lines: &[Line<'_>], scroll: usize) {
        self.popup_on(title, lines, Vec::new(), scroll);
    }

    /// The same, with lines at its foot that stay in sight however long the rest is.
    fn popup_on(&mut self, title: &str, lines: &[Line<'_>], foot: Vec<Buttons>, scroll: usize) {
        let area = self.area;
        let width = self.dialog_width();
        let inner = usize::from(width.saturating_sub(2).max(1));
        // A value goes on under itself.
        let indent = |line: &Line<'_>| match line.spans.as_slice() {
            [name, _, ..] => name.width().clamp(NAMES, KEYS),
            _ => 2,
        };
        let body: Vec<Line<'static>> = lines.iter().flat_map(|line| wrap(line, inner, indent(line))).collect();
        let mut foot = broken(foot, inner);
        let most = usize::from(area.height.saturating_sub(3));
        // Where there is little room, what is said matters more than what else could be done.
        let foot = foot.split_off(foot.len().saturating_sub((most / 2).saturating_sub(1).max(2)));
        let height = (body.len() + foot.len() + 2).min(most).max(3);
        let room = height.saturating_sub(2 + foot.len());
        self.seen.beyond = body.len().saturating_sub(room);
        let scroll = scroll.min(self.seen.beyond);
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + 1 + cells(most.saturating_sub(height) / 3),
            width,
            height: cells(height),
        };
        let mut block = self.block(title);
        if body.len() > room {
            let shown = (scroll + room).min(body.len());
            let (up, down) = (if scroll > 0 { "↑" } else { " " }, if shown < body.len() { "↓" } else { " " });
            let more = format!(" {up}{down} {shown} of {} lines ", body.len());
            block = block.title_bottom(Line::from(Span::styled(more, self.style(Role::Heading))).right_aligned());
        }
        let within = self.boxed(place, block);
        for (n, line) in body.iter().skip(scroll).take(room).enumerate() {
            self.buffer.set_line(within.x, within.y + cells(n), line, within.width);
        }
        for (n, buttons) in foot.iter().enumerate() {
            self.buttons(within, within.y + cells(room + n), buttons);
        }
    }

    /// An empty box over everything; what is within its frame.
    fn boxed(&mut self, place: Rect, block: Block<'_>) -> Rect {
        Clear.render(place, self.buffer);
        let within = block.inner(place);
        block.render(place, self.buffer);
        self.seen.spots.push((place, Spot::Dialog));
        within
    }

    /// A line of what can be pointed at.
    fn buttons(&mut self, within: Rect, y: u16, buttons: &Buttons) {
        self.buffer.set_line(within.x, y, &buttons.line, within.width);
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX / 2);
        for (start, wide, spot) in &buttons.spots {
            let width = cells(*wide).min(within.width.saturating_sub(cells(*start)));
            self.spot(within.x + cells(*start), y, width, *spot);
        }
    }

    /// A box at the foot, so that what is shown above stays in sight. A title that is too long for its frame stands in it.
    /// The first line is what is typed.
    fn bar(&mut self, title: &str, lines: &[Line<'_>], hints: &[Buttons]) {
        let area = self.area;
        let inner = usize::from(area.width.saturating_sub(2)).max(1);
        let long = width_of(title) + 4 > inner;
        let mut lead = if long { wrap(&self.span(Role::Faint, title), inner, 2) } else { Vec::new() };
        let lines: Vec<Line<'_>> = lines.iter().flat_map(|line| wrap(line, inner, 2)).collect();
        // Where there is little room, what is typed and what is wrong with it matter more than what is asked.
        lead.truncate(usize::from(area.height.saturating_sub(6)).saturating_sub(lines.len()));
        let typed = lead.len();
        let lines: Vec<Line<'_>> = lead.into_iter().chain(lines).collect();
        let cells = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        let height = cells(lines.len() + hints.len() + 2).min(area.height.saturating_sub(4)).max(3);
        let place = Rect { y: area.y + area.height - 2 - height, height, ..area };
        let block = if long { self.frame() } else { self.block(title) };
        let within = self.boxed(place, block);
        let bottom = within.y + within.height;
        for (y, line) in (within.y..bottom).zip(&lines) {
            self.buffer.set_line(within.x, y, line, within.width);
        }
        for (y, hint) in (within.y + cells(lines.len())..bottom).zip(hints) {
            self.buttons(within, y, hint);
        }
        if within.y + cells(typed) < bottom {
            self.spot(within.x, within.y + cells(typed), within.width, Spot::Typed(0));
        }
    }

    fn help(&self) -> Vec<Line<'static>> {
        let state = self.state;
        let mut lines = Vec::new();
        let scope = state.explained();
        for entry in command::of(scope, state) {
            let keys: Vec<String> = command::TABLE
                .iter()
                .filter(|other| other.command == entry.command && other.scopes.contains(&scope))
                .flat_map(|other| state.keys.shown(other))
                .collect();
            let why = entry.reason_against(state);
            let role = if why.is_some() { Role::Faint } else { Role::Plain };
            let why = why.map_or_else(String::new, |why| format!("  ({why})"));
            lines.push(Line::from(vec![
                Span::styled(format!("{:<1$}", keys.join(", ") + " ", KEYS), self.style(Role::Name)),
                Span::styled(clean(&format!("{}{why}", entry.help)), self.style(role)),
            ]));
        }
        let mouse =
            "a click selects, a second one opens; choices, tabs and the footer's words are keys; shift selects text";
        lines.push(Line::from(vec![
            Span::styled(format!("{:<1$}", "mouse", KEYS), self.style(Role::Name)),
            Span::styled(mouse, self.style(Role::Faint)),
        ]));
        lines
    }

    fn palette(&mut self, line: &field::Line, choices: &[Choice], cursor: usize) {
        let text = |choice: &Choice| match choice {
            Choice::Command(command, text) => {
                let entry = command::TABLE.iter().find(|entry| entry.command == *command);
                let key = entry.and_then(|entry| self.state.keys.shown(entry).into_iter().next());
                format!("{:<8} {text}", key.unwrap_or_default())
            }
            Choice::Queue(address) => format!("{:<8} {address}", "queue"),
        };
        let texts: Vec<String> = choices.iter().map(text).collect();
        self.choose_of("commands and queues", Some(line), &texts, cursor);
    }

    /// A box of choices, under what is typed to find one.
    fn choose_of(&mut self, title: &str, typed: Option<&field::Line>, choices: &[String], cursor: usize) {
        let area = self.area;
        let lead = u16::from(typed.is_some());
        let most = if typed.is_some() { 20 } else { u16::try_from(choices.len() + 2).unwrap_or(u16::MAX) };
        let height = area.height.saturating_sub(4).min(most);
        let width = self.dialog_width();
        let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + 1, width, height };
        let block = self.block(title);
        let inner = self.boxed(place, block);
        if let Some(line) = typed {
            let line = self.typed(line);
            self.buffer.set_line(inner.x, inner.y, &line, inner.width);
            self.spot(inner.x, inner.y, inner.width, Spot::Typed(0));
        }
        let rows = usize::from(inner.height.saturating_sub(lead)).max(1);
        let first = super::top(cursor, rows);
        for (n, text) in choices.iter().enumerate().skip(first).take(rows) {
            let y = inner.y + lead + u16::try_from(n - first).unwrap_or(u16::MAX / 2);
            let role = if n == cursor { Role::Cursor } else { Role::Plain };
            let text = format!("{:<width$}", clean(text), width = usize::from(inner.width));
            self.put(inner.x, y, inner.width.into(), &text, role);
            self.spot(inner.x, y, inner.width, Spot::Row(n));
        }
    }

    fn compose(&mut self, compose: &crate::tui::compose::Compose, error: Option<&str>) {
        let area = self.area;
        let place = Rect { y: area.y + 1, height: area.height - 3, ..area };
        let block = self.block("a message: lines of names and values, an empty line, the body");
        let inner = self.boxed(place, block);
        let rows = error.map_or(0, |error| u16::try_from(error.lines().count()).unwrap_or(1));
        let [form, foot] = Layout::vertical([Constraint::Min(1), Constraint::Length(rows)]).areas(inner);
        (&compose.area).render(form, self.buffer);
        self.seen.spots.push((form, Spot::Form(0, 0)));
        // A message that is pasted may hold what a terminal takes for a command.
        for y in form.top()..form.bottom() {
            for x in form.left()..form.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    let shown = clean(cell.symbol());
                    if shown != cell.symbol() {
                        cell.set_symbol("?");
                    }
                }
            }
        }
        for (n, line) in error.unwrap_or_default().lines().enumerate() {
            let y = foot.y + u16::try_from(n).unwrap_or(0);
            self.put(foot.x, y, foot.width.into(), line, Role::Bad);
        }
    }

    fn gauge(&self, tick: Option<&Tick>) -> Line<'static> {
        let cells = usize::from(self.area.width.saturating_sub(12)).min(60);
        let share = tick.and_then(|tick| Some((tick.done, tick.total.filter(|total| *total > 0)?)));
        let full = share.map_or(0, |(done, total)| {
            usize::try_from(done.min(total).saturating_mul(cells as u64) / total).unwrap_or(0)
        });
        Line::from(vec![
            Span::styled("█".repeat(full), self.style(Role::Good)),
            Span::styled("░".repeat(cells - full), self.style(Role::Faint)),
        ])
    }
}
