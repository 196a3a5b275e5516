//! What lies over a screen: help, prices, questions, choices, forms, plan sheets, progress, receipts.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Widget as _, Wrap};

use super::{Canvas, clean, progress};
use crate::operation::plan::Plan;
use crate::operation::progress::Tick;
use crate::operation::report::{Ended, Report};
use crate::text::human;
use crate::tui::act::{Act, ActVerb};
use crate::tui::command;
use crate::tui::field;
use crate::tui::state::{Choice, Dialog, Difference, Sheet};
use crate::tui::theme::Role;

/// Problems that a receipt names; the journal has them all.
const PROBLEMS: usize = 50;
/// Cells of a dialog's width at most.
const WIDE: u16 = 110;

impl Canvas<'_> {
    pub(super) fn over(&mut self, dialog: &Dialog) {
        match dialog {
            Dialog::Help { scroll } => {
                let lines = self.help();
                self.popup("keys", lines, *scroll);
            }
            Dialog::Cost { lines, refused, .. } => {
                let role = if *refused { Role::Bad } else { Role::Warning };
                let mut all: Vec<Line<'_>> = lines.iter().map(|line| self.span(role, line)).collect();
                if lines.is_empty() {
                    all.push(self.span(Role::Faint, "asking the broker …"));
                }
                let next = if *refused {
                    "esc goes back"
                } else {
                    "enter looks, esc goes back. What is read is given back, and kept here: filters and groups look at the copy."
                };
                all.extend([Line::default(), self.span(Role::Plain, next)]);
                self.popup("what this look costs", all, 0);
            }
            Dialog::Input { line, title, error, hints, .. } => {
                let mut all = vec![self.typed(line)];
                all.extend(error.iter().flat_map(|error| error.lines()).map(|line| self.span(Role::Bad, line)));
                if !hints.is_empty() {
                    all.push(self.span(Role::Faint, &hints.join("   ")));
                }
                self.bar(title, all);
            }
            Dialog::Palette { line, choices, cursor } => self.palette(line, choices, *cursor),
            Dialog::Pick { act, addresses, cursor } => {
                let title = format!("{} in which queue?", act.name());
                let lines = addresses.iter().enumerate().map(|(at, address)| {
                    let role = if at == *cursor { Role::Cursor } else { Role::Name };
                    self.span(role, &address.to_string())
                });
                let lines = lines.collect();
                self.popup(&title, lines, 0);
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
                self.popup(act.name(), all, 0);
            }
            Dialog::Sheet { act, sheet, run, typed, scroll, .. } => {
                let mut lines = match &**sheet {
                    Sheet::Plan(plan, shown) => self.plan(plan, shown, act),
                    Sheet::Resume(summary) => vec![
                        self.span(Role::Heading, &format!("Finish the {} {}", summary.verb.name(), summary.id)),
                        self.span(Role::Plain, &format!("{} → {}", summary.source, summary.to)),
                        self.span(
                            Role::Plain,
                            &format!(
                                "{} of {} done, {} failed, {} unsure; the rest is looked for in the queue",
                                summary.done, summary.planned, summary.failed, summary.ambiguous
                            ),
                        ),
                    ],
                };
                lines.push(self.span(Role::Faint, &format!("$ {}", act.line())));
                if let Some((address, _)) = typed {
                    lines.push(self.span(Role::Warning, &format!("{address}: the queue's name has to be typed")));
                }
                lines.push(Line::default());
                let (dry, go) = if *run { ("  dry run  ", "[ RUN IT ]") } else { ("[ dry run ]", "  run it  ") };
                let (safe, danger) = if *run { (Role::Faint, Role::Badge) } else { (Role::Safe, Role::Faint) };
                lines.push(Line::from(vec![
                    Span::styled(dry, self.style(safe)),
                    Span::raw("  "),
                    Span::styled(go, self.style(danger)),
                    Span::styled("   tab chooses, enter does it", self.style(Role::Faint)),
                ]));
                self.popup("plan", lines, *scroll);
            }
            Dialog::Receipt { act, report, paused, scroll } => {
                let lines = self.receipt(act, report, *paused);
                self.popup("receipt", lines, *scroll);
            }
        }
    }

    fn span(&self, role: Role, text: &str) -> Line<'static> {
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

    fn block(&self, title: &str) -> Block<'static> {
        Block::bordered()
            .border_type(BorderType::Rounded)
            .title(Span::styled(format!(" {} ", clean(title)), self.style(Role::Heading)))
            .border_style(self.style(Role::Frame))
    }

    /// A box in the middle, as large as what is in it.
    fn popup(&mut self, title: &str, lines: Vec<Line<'_>>, scroll: usize) {
        let area = self.area;
        let width = area.width.saturating_sub(4).min(WIDE);
        let inner = usize::from(width.saturating_sub(2)).max(1);
        let wrapped: usize = lines.iter().map(|line| line.width().div_ceil(inner).max(1)).sum();
        let height = u16::try_from(wrapped + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(3)).max(3);
        let place = Rect {
            x: area.x + (area.width - width) / 2,
            y: area.y + 1 + (area.height - 3).saturating_sub(height) / 3,
            width,
            height,
        };
        // Long words wrap worse than counted: the end must be reachable.
        let most = (wrapped + wrapped / 4 + 2).saturating_sub(usize::from(height));
        let scroll = u16::try_from(scroll.min(most)).unwrap_or(u16::MAX);
        Clear.render(place, self.buffer);
        Paragraph::new(lines)
            .wrap(Wrap { trim: false })
            .scroll((scroll, 0))
            .block(self.block(title))
            .render(place, self.buffer);
    }

    /// A box at the foot, so that what is shown above stays in sight.
    fn bar(&mut self, title: &str, lines: Vec<Line<'_>>) {
        let area = self.area;
        let inner = usize::from(area.width.saturating_sub(2)).max(1);
        let wrapped: usize = lines.iter().map(|line| line.width().div_ceil(inner).max(1)).sum();
        let height = u16::try_from(wrapped + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(4)).max(3);
        let place = Rect { y: area.y + area.height - 2 - height, height, ..area };
        Clear.render(place, self.buffer);
        Paragraph::new(lines).wrap(Wrap { trim: false }).block(self.block(title)).render(place, self.buffer);
    }

    fn help(&self) -> Vec<Line<'static>> {
        let state = self.state;
        let mut lines = Vec::new();
        for entry in command::of(state.under(), state) {
            let keys: Vec<String> = command::TABLE
                .iter()
                .filter(|other| other.command == entry.command && other.scopes.contains(&state.under()))
                .flat_map(|other| state.keys.shown(other))
                .collect();
            let why = entry.reason_against(state);
            let role = if why.is_some() { Role::Faint } else { Role::Plain };
            let why = why.map_or_else(String::new, |why| format!("  ({why})"));
            lines.push(Line::from(vec![
                Span::styled(format!("{:<16} ", keys.join(", ")), self.style(Role::Name)),
                Span::styled(clean(&format!("{}{why}", entry.help)), self.style(role)),
            ]));
        }
        lines
    }

    fn palette(&mut self, line: &field::Line, choices: &[Choice], cursor: usize) {
        let area = self.area;
        let height = area.height.saturating_sub(4).min(20);
        let width = area.width.saturating_sub(4).min(WIDE);
        let place = Rect { x: area.x + (area.width - width) / 2, y: area.y + 1, width, height };
        Clear.render(place, self.buffer);
        let block = self.block("commands and queues");
        let inner = block.inner(place);
        block.render(place, self.buffer);
        let typed = self.typed(line);
        self.buffer.set_line(inner.x, inner.y, &typed, inner.width);
        let rows = usize::from(inner.height.saturating_sub(1)).max(1);
        let first = super::top(cursor, rows);
        for (n, choice) in choices.iter().enumerate().skip(first).take(rows) {
            let y = inner.y + 1 + u16::try_from(n - first).unwrap_or(u16::MAX / 2);
            let text = match choice {
                Choice::Command(command, text) => {
                    let entry = command::TABLE.iter().find(|entry| entry.command == *command);
                    let key = entry.and_then(|entry| self.state.keys.shown(entry).into_iter().next());
                    format!("{:<8} {text}", key.unwrap_or_default())
                }
                Choice::Queue(address) => format!("{:<8} {address}", "queue"),
            };
            let role = if n == cursor { Role::Cursor } else { Role::Plain };
            self.put(
                inner.x,
                y,
                inner.width.into(),
                &format!("{text:<width$}", width = usize::from(inner.width)),
                role,
            );
        }
    }

    fn compose(&mut self, compose: &crate::tui::act::Compose, error: Option<&str>) {
        let area = self.area;
        let place = Rect { y: area.y + 1, height: area.height - 3, ..area };
        Clear.render(place, self.buffer);
        let block = self.block("a message: lines of names and values, an empty line, the body");
        let inner = block.inner(place);
        block.render(place, self.buffer);
        let rows = error.map_or(0, |error| u16::try_from(error.lines().count()).unwrap_or(1));
        let [form, foot] = Layout::vertical([Constraint::Min(1), Constraint::Length(rows)]).areas(inner);
        (&compose.area).render(form, self.buffer);
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

    fn plan(&self, plan: &Plan, shown: &[Difference], act: &Act) -> Vec<Line<'static>> {
        let mut all = vec![self.span(Role::Heading, &plan.headline())];
        if act.marked > 0 && plan.planned != act.marked as u64 {
            let text = format!(
                "{} marked, {} planned: another message has the same id, or one is gone or stays",
                act.marked, plan.planned
            );
            all.push(self.span(Role::Warning, &text));
        }
        for to in &plan.destinations {
            all.push(self.span(Role::Name, &format!("→ {}  {}", to.address, plan.count_to(to))));
        }
        for (why, count) in plan.reasons_to_stay() {
            all.push(self.span(Role::Warning, &format!("{} stay: {why}", human::messages(count))));
        }
        for check in &plan.checks {
            let (sign, role) = if check.ok { ("✓", Role::Good) } else { ("✗", Role::Bad) };
            let why = if check.why.is_empty() { String::new() } else { format!(": {}", check.why) };
            all.push(self.span(role, &format!("{sign} {}{why}", check.name)));
        }
        let pace = plan.pace.rate.map_or_else(
            || "as fast as the brokers confirm".to_owned(),
            |rate| format!("at most {} a second", human::rate(rate)),
        );
        all.push(self.span(Role::Plain, &format!("pace    {pace}")));
        if !plan.header_policy.adds.is_empty() {
            all.push(self.span(Role::Faint, &format!("adds    {}", plan.header_policy.adds.join(", "))));
            let strips = plan.header_policy.strip_names().join(", ");
            if !strips.is_empty() {
                all.push(self.span(Role::Faint, &format!("strips  {strips}")));
            }
        }
        if let Some(edit) = &plan.edit {
            let role = if edit.failed > 0 { Role::Warning } else { Role::Plain };
            all.push(self.span(role, &format!("edits   {}", edit.counts())));
        }
        all.extend(shown.iter().map(|line| match line {
            Difference::Message(id) => self.span(Role::Heading, &format!("  {id} is going to change:")),
            Difference::Gone(line) => self.span(Role::Bad, &format!("  - {line}")),
            Difference::New(line) => self.span(Role::Good, &format!("  + {line}")),
            Difference::Same(line) => self.span(Role::Faint, &format!("    {line}")),
        }));
        let role = if act.verb == ActVerb::Discard { Role::Bad } else { Role::Plain };
        all.push(self.span(role, &format!("undo    {}", plan.undo())));
        all
    }

    fn receipt(&self, act: &Act, report: &Report, paused: bool) -> Vec<Line<'static>> {
        let role = if report.is_clean() { Role::Good } else { Role::Warning };
        let mut all = vec![self.span(role, &report.headline())];
        match report.state {
            Ended::Finished => {}
            _ if paused => all.push(self.span(Role::Match, "paused: the rest is back in the queue; r goes on")),
            Ended::Interrupted => {
                all.push(self.span(Role::Warning, "stopped: the rest is back in the queue; r goes on"));
            }
            Ended::Stopped => all.push(self.span(Role::Bad, "an error stopped it; everything unsettled was returned")),
        }
        for to in &report.destinations {
            let mut text = format!("→ {}  {} done", to.address, human::count(to.done));
            for (count, word) in [(to.failed, "failed"), (to.ambiguous, "unsure")] {
                if count > 0 {
                    text.extend([", ", &human::count(count), " ", word]);
                }
            }
            all.push(self.span(Role::Plain, &text));
        }
        all.extend(
            (report.skipped > 0)
                .then(|| self.span(Role::Plain, &format!("{} left alone", human::messages(report.skipped)))),
        );
        if report.ambiguous > 0 {
            let text = format!(
                "{} may be there twice: the answer was lost, and the original stays",
                human::messages(report.ambiguous)
            );
            all.push(self.span(Role::Warning, &text));
        }
        if let Some(stop) = &report.error {
            all.push(self.span(Role::Bad, &format!("stopped: {}", stop.message)));
            all.extend(stop.hint.iter().map(|hint| self.span(Role::Warning, &format!("Hint: {hint}"))));
        }
        let problems = report.problems.iter().take(PROBLEMS);
        all.extend(problems.map(|problem| {
            let role = if problem.outcome == "skipped" { Role::Faint } else { Role::Bad };
            self.span(role, &format!("{} {}: {}", problem.outcome, problem.id, problem.why))
        }));
        let more = report.problems.len().saturating_sub(PROBLEMS) as u64 + report.more_problems;
        all.extend((more > 0).then(|| self.span(Role::Faint, &format!("and {} more", human::count(more)))));
        all.extend(report.notes.iter().map(|note| self.span(Role::Warning, note)));
        all.extend(
            report.journal.iter().map(|id| self.span(Role::Plain, &format!("journal {id}   j shows each message"))),
        );
        all.push(self.span(Role::Faint, &format!("$ {}", act.line())));
        all
    }
}
