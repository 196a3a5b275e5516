//! The plan sheet: what a write is going to do, before it does it.

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table};
use super::text::{safe, wrap};
use crate::operation::plan::{Mode, Plan, Verb};

/// Reasons for staying that are listed one by one.
const SKIPPED_SHOWN: usize = 5;

/// The sheet's lines.
pub(crate) fn sheet(plan: &Plan, width: usize, paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.paint(Role::Heading, &safe(&headline(plan)))];
    lines.extend(destinations(plan, width, paint));
    lines.extend(skipped(plan));
    for check in &plan.checks {
        let (sign, role) = if check.ok { ("✓", Role::Good) } else { ("✗", Role::Bad) };
        let why = if check.why.is_empty() { String::new() } else { format!(": {}", safe(&check.why)) };
        let text = wrap(&format!("{}{why}", safe(&check.name)), width.saturating_sub(4), 4);
        lines.push(format!("  {} {text}", paint.paint(role, sign)));
    }
    let policy = &plan.header_policy;
    let mut entry = |name: &str, value: String| {
        let text = wrap(&safe(&value), width.saturating_sub(11), 11);
        lines.push(format!("  {} {text}", paint.paint(Role::Faint, &format!("{name:<8}"))));
    };
    if !policy.adds.is_empty() {
        entry("adds", policy.adds.join(", "));
    }
    if !policy.strips.is_empty() {
        // The reasons are in the plan's JSON.
        let names: Vec<&str> = policy.strips.iter().map(|strip| strip.split(": ").next().unwrap_or(strip)).collect();
        entry("strips", names.join(", "));
    }
    if let Some(converted) = policy.converted.filter(|n| *n > 0) {
        entry("converts", format!("{}, for the target has no such type", human::plural(converted, "header value")));
    }
    if let Some(rate) = plan.pace.rate {
        entry("pace", format!("at most {rate} messages a second"));
    }
    entry("undo", undo(plan).to_owned());
    lines
}

/// What is done to how many messages of which queue.
pub(crate) fn headline(plan: &Plan) -> String {
    let at_most = plan.mode == Mode::Streaming && plan.filter.is_some();
    let count = match (plan.planned, plan.verb) {
        (0, Verb::Publish) => "the messages of the input".to_owned(),
        (n, _) if plan.scanned > n => format!("{} of {}", human::count(n), human::messages(plan.scanned)),
        (n, _) => human::messages(n),
    };
    let count = if at_most { format!("at most {count}") } else { count };
    let (verb, keeps) = match plan.verb {
        Verb::Publish => return format!("Publish {count}"),
        Verb::Replay if plan.keep => ("Copy", "; the queue keeps them"),
        Verb::Replay => ("Replay", ""),
        Verb::Drain if plan.to == "discard" => ("Drop", " without a copy"),
        Verb::Drain => ("Drain", ""),
        Verb::Capture => ("Copy", "; the queue keeps them"),
    };
    let which = match (&plan.filter, &plan.group) {
        (None, None) => String::new(),
        (Some(filter), None) => format!(" that match {filter}"),
        (None, Some(group)) => format!(", group {group}"),
        (Some(filter), Some(group)) => format!(", group {group}, that match {filter}"),
    };
    format!("{verb} {count} in {}{which}{keeps}", plan.source)
}

fn destinations(plan: &Plan, width: usize, paint: Paint) -> Vec<String> {
    let rows: Vec<Vec<Cell>> = plan
        .destinations
        .iter()
        .map(|to| {
            let count = to.messages.map_or_else(|| "?".to_owned(), human::count);
            vec![Cell::new(Role::Faint, "  →"), Cell::new(Role::Name, &to.address), count.into()]
        })
        .collect();
    let columns = [Column::left(""), Column::elastic(""), Column::right("")];
    table(&columns, &rows, width, paint).into_iter().skip(1).collect()
}

fn skipped(plan: &Plan) -> Vec<String> {
    let mut reasons: Vec<(&str, u64)> = Vec::new();
    for skipped in &plan.skipped {
        match reasons.iter_mut().find(|(why, _)| *why == skipped.why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((&skipped.why, 1)),
        }
    }
    let more = reasons.len().saturating_sub(SKIPPED_SHOWN);
    let mut lines: Vec<String> = reasons
        .iter()
        .take(SKIPPED_SHOWN)
        .map(|(why, count)| {
            format!("  {} {}: {}", human::messages(*count), if *count == 1 { "stays" } else { "stay" }, safe(why))
        })
        .collect();
    if more > 0 {
        lines.push(format!("  and {} more; -o json names them all", human::plural(more as u64, "reason")));
    }
    lines
}

/// What can be taken back afterwards, and what can't.
fn undo(plan: &Plan) -> &'static str {
    match plan.verb {
        Verb::Publish => "what a consumer has taken can't be called back",
        Verb::Replay => "what a consumer has taken can't be called back; the journal keeps a record",
        Verb::Drain if plan.to == "discard" => "none: dropped messages are gone for good",
        Verb::Drain => "put them back with `postroom replay` from the archive",
        Verb::Capture => "nothing is changed",
    }
}
