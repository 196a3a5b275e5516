//! Reports: what a write did, for people.

use super::human;
use super::paint::{Paint, Role};
use super::text::safe;
use crate::operation::plan::Verb;
use crate::operation::report::Report;
use crate::operation::verify::Verification;

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
    if report.unsent > 0 {
        let many = human::messages(report.unsent);
        lines.push(format!("  {many} of those that failed were not sent, for the broker was away"));
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
    for (number, step) in (1..).zip(&report.steps) {
        let (sign, role) = if step.passed { ("✓", Role::Good) } else { ("✗", Role::Bad) };
        lines.push(format!("  {} step {number}: {}", paint.paint(role, sign), safe(&step.seen)));
    }
    lines.extend(report.verification.iter().flat_map(|seen| verification(seen, paint)));
    lines.extend(report.journal.as_ref().map(|id| paint.paint(Role::Faint, &format!("  journal {}", safe(id)))));
    lines
}

/// What became of the copies: in one line, then by the cause that the originals had died of.
fn verification(seen: &Verification, paint: Paint) -> Vec<String> {
    let role = if seen.objection().is_some() { Role::Bad } else { Role::Good };
    let mut lines = vec![format!("  {}", paint.paint(role, &safe(&seen.headline())))];
    for group in &seen.groups {
        let id = paint.paint(Role::Name, &safe(&group.id));
        lines.push(format!("    {id}  {}  {}", safe(&group.title), paint.paint(Role::Faint, &safe(&group.counts()))));
    }
    lines
}
