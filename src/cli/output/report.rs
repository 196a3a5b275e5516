//! Reports: what a write did, for people.

use super::human;
use super::paint::{Paint, Role};
use super::text::safe;
use crate::operation::plan::Verb;
use crate::operation::report::Report;

/// Problems that are named one by one.
const PROBLEMS_SHOWN: usize = 10;

/// The report's lines.
pub(crate) fn lines(report: &Report, paint: Paint) -> Vec<String> {
    let role = if report.is_clean() { Role::Good } else { Role::Warning };
    let head = report.headline();
    let mut lines = vec![paint.paint(role, &head)];
    for to in &report.destinations {
        let mut counts = vec![human::count(to.done)];
        counts.extend((to.failed > 0).then(|| paint.paint(Role::Bad, &format!("{} failed", human::count(to.failed)))));
        counts.extend(
            (to.ambiguous > 0).then(|| paint.paint(Role::Bad, &format!("{} ambiguous", human::count(to.ambiguous)))),
        );
        lines.push(format!("  → {}  {}", paint.paint(Role::Name, &safe(&to.address)), counts.join(", ")));
    }
    if report.skipped > 0 {
        lines.push(format!("  {} left alone", human::messages(report.skipped)));
    }
    for problem in report.problems.iter().take(PROBLEMS_SHOWN) {
        let which = if report.verb == Verb::Publish { format!("line {}", problem.seq) } else { problem.id.clone() };
        lines.push(format!("  {} {}: {}", paint.paint(Role::Bad, &problem.outcome), safe(&which), safe(&problem.why)));
    }
    let more = report.problems.len().saturating_sub(PROBLEMS_SHOWN) as u64 + report.more_problems;
    if more > 0 {
        lines.push(format!("  and {} more; -o jsonl names every one", human::plural(more, "problem")));
    }
    lines.extend(report.journal.as_ref().map(|id| paint.paint(Role::Faint, &format!("  journal {}", safe(id)))));
    lines
}
