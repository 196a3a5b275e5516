//! Journals: the table of `journal list` and the page of `journal show`.

use jiff::Timestamp;

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table as lay_out};
use super::text::safe;
use crate::operation::journal::{JournalState, Shown, Summary};

/// Problems that are named one by one.
const PROBLEMS_SHOWN: usize = 20;

fn state(summary: &Summary) -> (&'static str, Role) {
    match summary.state {
        JournalState::Running => ("running", Role::Warning),
        JournalState::Finished => ("finished", Role::Good),
        JournalState::Interrupted => ("interrupted", Role::Bad),
        JournalState::Undone => ("undone", Role::Faint),
    }
}

/// How many messages of a run are not done, and how many of them were not sent, for a broker was away.
fn not_done(summary: &Summary) -> String {
    match (summary.failed + summary.ambiguous + summary.skipped, summary.unsent) {
        (0, _) => String::new(),
        (all, 0) => human::count(all),
        (all, unsent) => format!("{}, {} unsent", human::count(all), human::count(unsent)),
    }
}

/// The table of `journal list`.
pub(crate) fn table(summaries: &[Summary], now: Timestamp, width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::left("ID"),
        Column::left("STATE"),
        Column::right("AGE"),
        Column::left("VERB"),
        Column::right("DONE"),
        Column::right("NOT DONE"),
        Column::elastic("FROM"),
        Column::elastic("TO"),
    ];
    let row = |summary: &Summary| -> Vec<Cell> {
        let (word, role) = state(summary);
        vec![
            Cell::new(Role::Name, &summary.id),
            Cell::new(role, word),
            human::age(summary.started, now).into(),
            summary.verb.name().into(),
            human::count(summary.done).into(),
            Cell::new(Role::Bad, not_done(summary)),
            (&summary.source).into(),
            (&summary.to).into(),
        ]
    };
    if summaries.is_empty() {
        return Vec::new();
    }
    lay_out(&columns, &summaries.iter().map(row).collect::<Vec<_>>(), width, paint)
}

/// A run in a few lines.
pub(crate) fn summary(summary: &Summary, now: Timestamp, paint: Paint) -> Vec<String> {
    let (word, role) = state(summary);
    let mut lines = vec![format!("{} {}", paint.paint(Role::Name, &safe(&summary.id)), paint.paint(role, word))];
    lines.push(format!("  {} {} → {}", summary.verb.name(), safe(&summary.source), safe(&summary.to)));
    let typed = summary.typed();
    lines.extend((!typed.is_empty()).then(|| format!("  with {}", safe(&typed))));
    let ended =
        summary.ended.map_or_else(|| "no end on record".to_owned(), |time| format!("ended {}", human::time(time)));
    lines.push(format!("  began {} ({} ago), {ended}", human::time(summary.started), human::age(summary.started, now)));
    lines.push(format!(
        "  {} of {} done, {} failed, {} skipped, {} ambiguous",
        human::count(summary.done),
        human::count(summary.planned),
        human::count(summary.failed),
        human::count(summary.skipped),
        human::count(summary.ambiguous)
    ));
    if summary.unsent > 0 && summary.state == JournalState::Interrupted {
        let (many, id) = (human::count(summary.unsent), safe(&summary.id));
        let resume = format!("`postroom journal resume {id}` sends them");
        lines.push(format!("  {many} of these were not sent, for a broker was away: {resume}"));
    }
    if summary.doubtful > 0 && matches!(summary.state, JournalState::Finished | JournalState::Interrupted) {
        let (many, id) = (human::count(summary.doubtful), safe(&summary.id));
        let what = "looks for their copies, and sends the others once more";
        lines.push(format!("  {many} of these may have been sent: `postroom journal resume {id} --doubtful` {what}"));
    }
    lines.extend(summary.undoes.as_ref().map(|id| format!("  takes back {}", paint.paint(Role::Name, &safe(id)))));
    for by in &summary.undone_by {
        lines.push(format!("  undone by {}", paint.paint(Role::Name, &safe(by))));
    }
    if let Some(verification) = &summary.verification {
        lines.push(format!("  {}", safe(&verification.headline())));
    }
    lines.extend(summary.why.as_ref().map(|why| format!("  {}", paint.paint(Role::Warning, &safe(why)))));
    lines
}

/// Where the messages are, as far as the journal knows, and how many in each place.
fn places(shown: &Shown) -> Vec<String> {
    let mut places: Vec<(&str, u64)> = Vec::new();
    for place in shown.outcomes.iter().filter_map(|line| line.place.as_deref()) {
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, count)) => *count += 1,
            None => places.push((place, 1)),
        }
    }
    places.into_iter().map(|(place, count)| format!("  {} → {}", human::messages(count), safe(place))).collect()
}

/// The page of `journal show`: the run, and what is not done.
pub(crate) fn page(shown: &Shown, now: Timestamp, paint: Paint) -> Vec<String> {
    let mut lines = summary(&shown.summary, now, paint);
    let problems = || shown.outcomes.iter().filter(|line| line.outcome != "done");
    lines.extend(places(shown));
    lines.extend(problems().take(PROBLEMS_SHOWN).map(|line| {
        let why = line.why.as_deref().unwrap_or_default();
        format!("  {} {}: {}", paint.paint(Role::Bad, &safe(&line.outcome)), safe(&line.id), safe(why))
    }));
    let more = problems().count().saturating_sub(PROBLEMS_SHOWN) as u64;
    if more > 0 {
        lines.push(format!("  and {} more; -o jsonl names every message", human::count(more)));
    }
    lines
}
