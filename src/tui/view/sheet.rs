//! What plan sheets and receipts say: plans, their differences, resumptions, undos, moved offsets, reports.

use ratatui::text::{Line, Span};

use super::{Canvas, clean};
use crate::operation::journal::Summary;
use crate::operation::offsets::Reset;
use crate::operation::plan::{Plan, Verb};
use crate::operation::report::{Ended, Report};
use crate::text::{fit, human, width_of};
use crate::tui::act::{Act, ActVerb, Flag};
use crate::tui::command::Command;
use crate::tui::state::{Difference, Done, Failed, Sheet};
use crate::tui::theme::Role;

/// Problems that a receipt names; the journal has them all.
const PROBLEMS: usize = 50;
/// Cells of a text that stands between others at most: a few lines.
const LONG: usize = 280;
/// Marked messages that a headline names.
const MOST_NAMED: usize = 3;
/// Options that a plan names as a way on, the word behind each, and what does the same on a sheet.
const WAYS_ON: [(&str, &str, Command); 9] = [
    ("--to", "names", Command::Target),
    ("--again", "sends", Command::Again),
    ("--park ADDRESS", "sets", Command::Park),
    ("--rescue", "puts", Command::Rescue),
    ("--per-key", "holds", Command::PerKey),
    ("--server-side", "moves", Command::ServerSide),
    ("--expiring-first", "sends", Command::ExpiringFirst),
    ("--let-expire", "lets", Command::LetExpire),
    ("--rate", "", Command::Rate),
];
/// Where the value behind a name begins.
pub(super) const NAMES: usize = 8;

impl Canvas<'_> {
    /// What a sheet says of an act.
    pub(super) fn sheet(&self, act: &Act, sheet: &Sheet, typed: Option<&(String, String)>) -> Vec<Line<'static>> {
        let mut lines = match sheet {
            Sheet::Plan(plan, shown) => self.plan(plan, shown, act),
            Sheet::Resume(summary) => self.resumption(summary, act),
            Sheet::Undo(summary, plans, notes) => self.undoing(summary, plans, notes, act),
            Sheet::Offsets(reset) => self.moves(reset),
            Sheet::Fault(why, what) => self.fault(act, why, *what),
        };
        lines.push(self.command_line(act));
        if let Some((address, _)) = typed {
            lines.push(self.span(Role::Warning, &format!("{address}: the queue's name has to be typed")));
        }
        lines
    }

    /// What a receipt tells of an act.
    pub(super) fn done(&self, act: &Act, done: &Done, paused: bool) -> Vec<Line<'static>> {
        let mut lines: Vec<Line<'static>> = match done {
            Done::Runs(reports) => reports.iter().flat_map(|report| self.receipt(report, paused)).collect(),
            Done::Moved(reset) => {
                let head = self.span(Role::Good, &done.headline());
                std::iter::once(head).chain(self.moves(reset).into_iter().skip(1)).collect()
            }
        };
        lines.push(self.command_line(act));
        lines
    }

    /// The command line of an act. One that is long is cut, for what else is said has to be seen.
    fn command_line(&self, act: &Act) -> Line<'static> {
        let line = format!("$ {}", act.line());
        if width_of(&clean(&line)) <= LONG {
            return self.span(Role::Faint, &line);
        }
        self.span(Role::Faint, &format!("{}   ({} copies all of it)", fit(&line, LONG), self.key_of(Command::CopyLine)))
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

    /// What is said of a plan, with a key in the place of each option that goes on: here it is the key that does it.
    fn by_key(&self, why: &str) -> String {
        WAYS_ON.iter().fold(why.to_owned(), |why, (option, does, command)| {
            why.replace(&format!("{option} {does}"), &format!("{} {does}", self.key_of(*command)))
        })
    }

    fn plan(&self, plan: &Plan, shown: &[Difference], act: &Act) -> Vec<Line<'static>> {
        let mut head = plan.headline();
        if let Some(filter) = plan.filter.as_ref().filter(|_| act.marked > MOST_NAMED) {
            head = head.replace(&format!(" that match {filter}"), ", those that were marked");
        }
        // The copies of a run, which the headline before it names.
        if let Some(filter) = plan.filter.as_ref().filter(|_| matches!(act.verb, ActVerb::Undo(_))) {
            head = head.replace(&format!(" that match {filter}"), "");
        }
        let mut all = vec![self.span(Role::Heading, &head)];
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
            all.push(self.span(Role::Warning, &format!("{} stay: {}", human::messages(count), self.by_key(why))));
        }
        for check in &plan.checks {
            let (sign, role) = match (check.ok, check.warning) {
                (true, false) => ("✓", Role::Good),
                (true, true) => ("!", Role::Warning),
                (false, _) => ("✗", Role::Bad),
            };
            let why = if check.why.is_empty() { String::new() } else { format!(": {}", self.by_key(&check.why)) };
            all.push(self.span(role, &format!("{sign} {}{why}", check.name)));
        }
        if plan.pace.rate.is_none() && plan.verb == Verb::Replay {
            all.push(self.named("pace", Role::Plain, "as fast as the brokers confirm"));
        }
        for (name, value) in plan.entries() {
            let role = match name {
                "undo" if act.verb == ActVerb::Discard => Role::Bad,
                // What an undo drops are copies.
                "undo" if plan.verb == Verb::Drain && matches!(act.verb, ActVerb::Undo(_)) => continue,
                "edits" if plan.edit.as_ref().is_some_and(|edit| edit.failed > 0) => Role::Warning,
                "adds" | "strips" => Role::Faint,
                _ => Role::Plain,
            };
            all.push(self.named(name, role, &fit(&value, LONG)));
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

    fn resumption(&self, summary: &Summary, act: &Act) -> Vec<Line<'static>> {
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
        let typed = summary.typed();
        all.extend((!typed.is_empty()).then(|| self.named("with", Role::Plain, &fit(&typed, LONG))));
        if summary.unsent > 0 {
            let what =
                format!("{} of those that failed, for a broker was away: they go now", human::count(summary.unsent));
            all.push(self.named("not sent", Role::Plain, &what));
        }
        if act.has(Flag::Doubtful) {
            let many = human::messages(summary.doubtful);
            let what = "may have been sent: copies that are in their target are noted, the others are sent once more";
            all.push(self.named("doubts", Role::Warning, &format!("{many} {what}")));
        }
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
        if report.unsent > 0 {
            let next = if report.journal.is_some() { ": r sends them" } else { "" };
            let text = format!("{} were not sent, for the broker was away{next}", human::messages(report.unsent));
            all.push(self.span(Role::Warning, &text));
        }
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
