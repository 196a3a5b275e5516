//! The plan sheet: what a write is going to do, before it does it.

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table};
use super::text::{safe, wrap};
use crate::operation::plan::Plan;

/// Reasons for staying that are listed one by one.
const SKIPPED_SHOWN: usize = 5;

/// The sheet's lines.
pub(crate) fn sheet(plan: &Plan, width: usize, paint: Paint) -> Vec<String> {
    let mut lines = vec![paint.paint(Role::Heading, &safe(&plan.headline()))];
    lines.extend(destinations(plan, width, paint));
    lines.extend(skipped(plan));
    for check in &plan.checks {
        let (sign, role) = match (check.ok, check.warning) {
            (true, false) => ("✓", Role::Good),
            (true, true) => ("!", Role::Warning),
            (false, _) => ("✗", Role::Bad),
        };
        let why = if check.why.is_empty() { String::new() } else { format!(": {}", safe(&check.why)) };
        let text = wrap(&format!("{}{why}", safe(&check.name)), width.saturating_sub(4), 4);
        lines.push(format!("  {} {text}", paint.paint(role, sign)));
    }
    for (name, value) in plan.entries() {
        let text = wrap(&safe(&value), width.saturating_sub(11), 11);
        lines.push(format!("  {} {text}", paint.paint(Role::Faint, &format!("{name:<8}"))));
    }
    lines
}

fn destinations(plan: &Plan, width: usize, paint: Paint) -> Vec<String> {
    let rows: Vec<Vec<Cell>> = plan
        .destinations
        .iter()
        .map(|to| vec![Cell::new(Role::Faint, "  →"), Cell::new(Role::Name, &to.address), plan.count_to(to).into()])
        .collect();
    let columns = [Column::left(""), Column::elastic(""), Column::right("")];
    table(&columns, &rows, width, paint).into_iter().skip(1).collect()
}

fn skipped(plan: &Plan) -> Vec<String> {
    let reasons = plan.reasons_to_stay();
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
