//! What lies over a screen: help, prices, questions, choices, forms, plan sheets, progress, receipts.

use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Clear, Paragraph, Widget as _};

use super::wrap::wrap;
use super::{Canvas, clean, progress};
use crate::operation::journal::Summary;
use crate::operation::offsets::Reset;
use crate::operation::plan::{Plan, Verb};
use crate::operation::progress::Tick;
use crate::operation::report::{Ended, Report};
use crate::text::{human, width_of};
use crate::tui::act::{Act, ActVerb, Flag};
use crate::tui::command::{self, Command};
use crate::tui::field;
use crate::tui::state::{Choice, Dialog, Difference, Done, Failed, Sheet};
use crate::tui::theme::Role;

/// Problems that a receipt names; the journal has them all.
const PROBLEMS: usize = 50;
/// Cells of a dialog's width at most.
const WIDE: u16 = 110;
/// Where the value behind a name begins.
const NAMES: usize = 8;
/// The same behind keys.
const KEYS: usize = 17;

impl Canvas<'_> {
    pub(super) fn over(&mut self, dialog: &Dialog) {
        match dialog {
            Dialog::Help { scroll, .. } => {
                let lines = self.help();
                self.popup("keys", &lines, *scroll);
            }
            Dialog::Cost { lines, refused, .. } => {
                let role = if *refused { Role::Bad } else { Role::Warning };
                let mut all: Vec<Line<'_>> = lines.iter().map(|line| self.span(role, line)).collect();
                if lines.is_empty() {
                    all.push(self.span(Role::Faint, "asking the broker …"));
                }
                all.push(Line::default());
                let mut foot = Vec::new();
                if *refused {
                    foot.push(self.span(Role::Plain, "esc goes back"));
                } else {
                    let copy = "What is read is given back, and kept here: filters and groups look at the copy.";
                    foot.extend([self.span(Role::Faint, copy), self.span(Role::Plain, "enter looks, esc goes back")]);
                }
                self.popup_on("what this look costs", &all, &foot, 0);
            }
            Dialog::Input { line, title, error, hints, .. } => {
                let mut all = vec![self.typed(line)];
                all.extend(error.iter().flat_map(|error| error.lines()).map(|line| self.span(Role::Bad, line)));
                if !hints.is_empty() {
                    all.push(self.span(Role::Faint, &hints.join("   ")));
                }
                self.bar(title, &all);
            }
            Dialog::Palette { line, choices, cursor } => self.palette(line, choices, *cursor),
            Dialog::Pick { act, addresses, cursor } => {
                let title = format!("{} in which queue?", act.name());
                let lines = addresses.iter().enumerate().map(|(at, address)| {
                    let role = if at == *cursor { Role::Cursor } else { Role::Name };
                    self.span(role, &address.to_string())
                });
                let lines: Vec<Line<'_>> = lines.collect();
                self.popup(&title, &lines, 0);
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
                let mut lines = match &**sheet {
                    Sheet::Plan(plan, shown) => self.plan(plan, shown, act),
                    Sheet::Resume(summary) => self.resumption(summary),
                    Sheet::Undo(summary, plans, notes) => self.undoing(summary, plans, notes, act),
                    Sheet::Offsets(reset) => self.moves(reset),
                    Sheet::Fault(why, what) => self.fault(act, why, *what),
                };
                lines.push(self.span(Role::Faint, &format!("$ {}", act.line())));
                if let Some((address, _)) = typed {
                    lines.push(self.span(Role::Warning, &format!("{address}: the queue's name has to be typed")));
                }
                let mut foot = self.choices();
                foot.push(match &**sheet {
                    Sheet::Fault(..) => self.span(Role::Plain, "enter plans it again, esc gives it up"),
                    _ => self.dry_or_run(*run),
                });
                self.popup_on("plan", &lines, &foot, *scroll);
            }
            Dialog::Receipt { act, done, paused, scroll } => {
                let lines = match &**done {
                    Done::Runs(reports) => {
                        let mut lines: Vec<Line<'_>> =
                            reports.iter().flat_map(|report| self.receipt(report, *paused)).collect();
                        lines.push(self.span(Role::Faint, &format!("$ {}", act.line())));
                        lines
                    }
                    Done::Moved(reset) => {
                        let mut lines = vec![self.span(Role::Good, &done.headline())];
                        lines.extend(self.moves(reset).into_iter().skip(1));
                        lines.push(self.span(Role::Faint, &format!("$ {}", act.line())));
                        lines
                    }
                };
                self.popup_on("receipt", &lines, &self.choices(), *scroll);
            }
        }
    }

    fn dry_or_run(&self, run: bool) -> Line<'static> {
        let (dry, go) = if run { ("  dry run  ", "[ RUN IT ]") } else { ("[ dry run ]", "  run it  ") };
        let (safe, danger) = if run { (Role::Faint, Role::Badge) } else { (Role::Safe, Role::Faint) };
        Line::from(vec![
            Span::styled(dry, self.style(safe)),
            Span::raw("  "),
            Span::styled(go, self.style(danger)),
            Span::styled("   tab chooses, enter does it", self.style(Role::Faint)),
        ])
    }

    /// Why there is no plan, or how its run ended.
    fn fault(&self, act: &Act, why: &str, what: Failed) -> Vec<Line<'static>> {
        let head = match what {
            Failed::Plan => format!("No plan: {} of {}", act.name(), act.address),
            Failed::Run => format!("The {} of {} was not run", act.name(), act.address),
        };
        let mut all = vec![self.span(Role::Heading, &head)];
        all.extend(why.lines().map(|line| {
            let role = if line.starts_with("Hint: ") { Role::Warning } else { Role::Bad };
            self.span(role, &format!("{}{line}", if role == Role::Bad { "✗ " } else { "  " }))
        }));
        all
    }

    /// What else can be done from a sheet or a receipt, with its keys.
    fn choices(&self) -> Vec<Line<'static>> {
        const SHOWN: [Command; 25] = [
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
        let mut lines: Vec<Line<'static>> = Vec::new();
        for entry in command::of(state.scope(), state).filter(now) {
            let Some(key) = state.keys.shown(entry).into_iter().next() else { continue };
            let title = format!(" {}", entry.title);
            let wide = width_of(&key) + title.len();
            match lines.last_mut().filter(|line| line.width() + 2 + wide <= room) {
                Some(line) => line.push_span(Span::raw("  ")),
                None => lines.push(Line::default()),
            }
            let key = Span::styled(key, self.style(Role::Heading));
            let title = Span::styled(title, self.style(Role::Faint));
            lines.last_mut().into_iter().for_each(|line| line.spans.extend([key.clone(), title.clone()]));
        }
        lines
    }

    fn dialog_width(&self) -> u16 {
        self.area.width.saturating_sub(4).min(WIDE)
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

    fn frame(&self) -> Block<'static> {
        Block::bordered().border_type(BorderType::Rounded).border_style(self.style(Role::Frame))
    }

    fn block(&self, title: &str) -> Block<'static> {
        self.frame().title(Span::styled(format!(" {} ", clean(title)), self.style(Role::Heading)))
    }

    /// A box in the middle, as large as what is in it.
    fn popup(&mut self, title: &str, lines: &[Line<'_>], scroll: usize) {
        self.popup_on(title, lines, &[], scroll);
    }

    /// The same, with lines at its foot that stay in sight however long the rest is.
    fn popup_on(&mut self, title: &str, lines: &[Line<'_>], foot: &[Line<'_>], scroll: usize) {
        let area = self.area;
        let width = self.dialog_width();
        let inner = width.saturating_sub(2).max(1);
        // A value goes on under itself.
        let broken = |lines: &[Line<'_>]| -> Vec<Line<'static>> {
            let indent = |line: &Line<'_>| match line.spans.as_slice() {
                [name, _, ..] => name.width().clamp(NAMES, KEYS),
                _ => 2,
            };
            lines.iter().flat_map(|line| wrap(line, usize::from(inner), indent(line))).collect()
        };
        let (body, mut foot) = (broken(lines), broken(foot));
        let most = usize::from(area.height.saturating_sub(3));
        // Where there is little room, what is said matters more than what else could be done.
        let foot = foot.split_off(foot.len().saturating_sub((most / 2).saturating_sub(1).max(2)));
        let height = (body.len() + foot.len() + 2).min(most).max(3);
        let room = height.saturating_sub(2 + foot.len());
        let scroll = scroll.min(body.len().saturating_sub(room));
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
        Clear.render(place, self.buffer);
        let within = block.inner(place);
        block.render(place, self.buffer);
        for (n, line) in body.iter().skip(scroll).take(room).chain(&foot).enumerate() {
            let gap = room.saturating_sub(body.len().saturating_sub(scroll));
            let at = if n < room - gap { n } else { n + gap };
            self.buffer.set_line(within.x, within.y + cells(at), line, within.width);
        }
    }

    /// A box at the foot, so that what is shown above stays in sight. A title that is too long for its frame stands in it.
    fn bar(&mut self, title: &str, lines: &[Line<'_>]) {
        let area = self.area;
        let inner = usize::from(area.width.saturating_sub(2)).max(1);
        let long = width_of(title) + 4 > inner;
        let lead = long.then(|| self.span(Role::Faint, title));
        let lines: Vec<Line<'_>> = lead.iter().chain(lines).flat_map(|line| wrap(line, inner, 2)).collect();
        let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(4)).max(3);
        let place = Rect { y: area.y + area.height - 2 - height, height, ..area };
        Clear.render(place, self.buffer);
        let block = if long { self.frame() } else { self.block(title) };
        Paragraph::new(lines).block(block).render(place, self.buffer);
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

    fn compose(&mut self, compose: &crate::tui::compose::Compose, error: Option<&str>) {
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
            let (sign, role) = match (check.ok, check.warning) {
                (true, false) => ("✓", Role::Good),
                (true, true) => ("!", Role::Warning),
                (false, _) => ("✗", Role::Bad),
            };
            let why = if check.why.is_empty() { String::new() } else { format!(": {}", check.why) };
            all.push(self.span(role, &format!("{sign} {}{why}", check.name)));
        }
        if plan.pace.rate.is_none() && plan.verb == Verb::Replay {
            all.push(self.named("pace", Role::Plain, "as fast as the brokers confirm"));
        }
        for (name, value) in plan.entries() {
            let role = match name {
                "undo" if act.verb == ActVerb::Discard => Role::Bad,
                "edits" if plan.edit.as_ref().is_some_and(|edit| edit.failed > 0) => Role::Warning,
                "adds" | "strips" => Role::Faint,
                _ => Role::Plain,
            };
            all.push(self.named(name, role, &value));
        }
        if act.has(Flag::Rescue) {
            let what = "messages that a return would destroy go back as new copies at the tail";
            all.push(self.named("rescue", Role::Warning, what));
        }
        all.extend(shown.iter().map(|line| match line {
            Difference::Message(id) => self.span(Role::Heading, &format!("  {id} is going to change:")),
            Difference::Gone(line) => self.span(Role::Bad, &format!("  - {line}")),
            Difference::New(line) => self.span(Role::Good, &format!("  + {line}")),
            Difference::Same(line) => self.span(Role::Faint, &format!("    {line}")),
        }));
        all
    }

    /// A name and its value.
    fn named(&self, name: &str, role: Role, value: &str) -> Line<'static> {
        Line::from(vec![
            Span::styled(format!("{:<NAMES$}", clean(name)), self.style(Role::Field)),
            Span::styled(clean(value), self.style(role)),
        ])
    }

    fn resumption(&self, summary: &Summary) -> Vec<Line<'static>> {
        let mut all = vec![
            self.span(Role::Heading, &format!("Finish the {} {}", summary.verb.name(), summary.id)),
            self.span(Role::Name, &format!("{} → {}", summary.source, summary.to)),
            self.span(
                Role::Plain,
                &format!(
                    "{} of {} done, {} failed, {} unsure; the rest is looked for in the queue",
                    human::count(summary.done),
                    human::count(summary.planned),
                    human::count(summary.failed),
                    human::count(summary.ambiguous)
                ),
            ),
        ];
        all.extend(summary.why.iter().map(|why| self.named("stopped", Role::Warning, why)));
        all.extend(summary.verification.iter().map(|seen| self.named("seen", Role::Plain, &seen.headline())));
        all
    }

    fn undoing(&self, summary: &Summary, plans: &[Plan], notes: &[String], act: &Act) -> Vec<Line<'static>> {
        let head = format!("Take back the {} {} from {}", summary.verb.name(), summary.id, summary.source);
        let mut all = vec![self.span(Role::Heading, &head)];
        for plan in plans {
            all.extend(self.plan(plan, &[], act));
        }
        if plans.is_empty() {
            all.push(self.span(Role::Bad, "✗ nothing of it can be put back"));
        }
        all.extend(notes.iter().map(|note| self.span(Role::Warning, &format!("! {note}"))));
        all
    }

    /// Where a consumer group goes on, partition by partition.
    fn moves(&self, reset: &Reset) -> Vec<Line<'static>> {
        let head = format!("Move the group {} in {}", reset.group.name, reset.source.address);
        let mut all = vec![self.span(Role::Heading, &head)];
        if reset.moves.is_empty() {
            all.push(self.span(Role::Warning, "it is there already"));
        }
        for moved in &reset.moves {
            let from = moved.before.committed.map_or_else(|| "none".to_owned(), |offset| offset.to_string());
            let text = format!("partition {}  {from} → {}  lag ≤{}", moved.before.partition, moved.to, moved.lag());
            let mut spans = vec![Span::styled(text, self.style(Role::Plain))];
            for (count, word) in [(moved.skipped(), "skipped"), (moved.again(), "read again")] {
                if count > 0 {
                    let text = format!("  ≤{} {word}", human::count(count));
                    spans.push(Span::styled(text, self.style(Role::Warning)));
                }
            }
            all.push(Line::from(spans));
        }
        let (skipped, again) = reset
            .moves
            .iter()
            .fold((0, 0), |(skipped, again), moved| (skipped + moved.skipped(), again + moved.again()));
        if skipped > 0 {
            let text = format!("at most {} will not be read by this group", human::messages(skipped));
            all.push(self.span(Role::Warning, &text));
        }
        if again > 0 {
            let text = format!("at most {} will be read once more", human::messages(again));
            all.push(self.span(Role::Warning, &text));
        }
        if !reset.moves.is_empty() {
            all.push(self.named("undo", Role::Plain, "move it back to the offsets on the left"));
        }
        all
    }

    fn receipt(&self, report: &Report, paused: bool) -> Vec<Line<'static>> {
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
        for (number, step) in (1..).zip(&report.steps) {
            let (sign, role) = if step.passed { ("✓", Role::Good) } else { ("✗", Role::Bad) };
            all.push(self.span(role, &format!("{sign} step {number}: {}", step.seen)));
        }
        if let Some(seen) = &report.verification {
            let role = if seen.objection().is_some() { Role::Bad } else { Role::Good };
            all.push(self.span(role, &seen.headline()));
            for group in &seen.groups {
                all.push(self.span(Role::Plain, &format!("  {}  {}  {}", group.id, group.title, group.counts())));
            }
            all.extend(seen.notes.iter().map(|note| self.span(Role::Warning, note)));
        }
        all.extend(report.notes.iter().map(|note| self.span(Role::Warning, note)));
        all.extend(report.journal.iter().map(|id| self.named("journal", Role::Plain, id)));
        all
    }
}
