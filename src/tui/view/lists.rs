//! The lists: queues, causes, messages, runs.

use ratatui::layout::Rect;

use super::table::{Cell, Column};
use super::{Canvas, clean};
use crate::broker::{Address, Committed, ConsumerGroup};
use crate::operation::journal::{JournalState, Summary};
use crate::operation::queues::Listed;
use crate::text::human;
use crate::tui::command::Command;
use crate::tui::state::{Screen, State};
use crate::tui::theme::Role;

const BARS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
/// Buckets of a sparkline.
const SPARKS: usize = 12;

/// Counts as bars of eight heights; the last ones where there are many.
fn sparkline(counts: &[u64], from_zero: bool) -> String {
    let counts = counts.get(counts.len().saturating_sub(SPARKS)..).unwrap_or(counts);
    let most = counts.iter().copied().max().unwrap_or(0);
    let least = if from_zero { 0 } else { counts.iter().copied().min().unwrap_or(0) };
    let bar = |count: &u64| {
        let height = (count - least) * 7 / (most - least).max(1);
        let height = if from_zero && *count > 0 { height.max(1) } else { height };
        BARS.get(usize::try_from(height).unwrap_or(0)).copied().unwrap_or(" ")
    };
    counts.iter().map(bar).collect()
}

/// A count as a bar, the largest being as wide as `cells`; some is never shown as none.
pub(super) fn bar(count: u64, most: u64, cells: u64) -> String {
    const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    if count == 0 || most == 0 {
        return String::new();
    }
    let eighths = u128::from(count.min(most)) * u128::from(cells) * 8 / u128::from(most);
    let eighths = usize::try_from(eighths).unwrap_or(0).max(1);
    "█".repeat(eighths / 8) + EIGHTHS.get(eighths % 8).copied().unwrap_or_default()
}

/// Joins counts into as many as a sparkline has.
fn joined(counts: &[u64]) -> Vec<u64> {
    let each = counts.len().div_ceil(SPARKS).max(1);
    counts.chunks(each).map(|chunk| chunk.iter().sum()).collect()
}

/// How many more messages a queue has each minute: by its rates, else by what was seen.
fn growth(listed: &Listed, state: &State) -> Option<f64> {
    if let (Some(into), Some(out)) = (listed.info.rate_in, listed.info.rate_out) {
        return Some((into - out) * 60.0);
    }
    if let (Some(into), None) = (listed.info.rate_in, listed.info.rate_out) {
        return Some(into * 60.0);
    }
    let depths = state.depths.get(&listed.address())?;
    let ((start, least), (end, most)) = (depths.front()?, depths.back()?);
    let minutes = end.duration_since(*start).as_secs_f64() / 60.0;
    #[allow(clippy::cast_precision_loss, reason = "a rate shown to people")]
    (minutes > 0.05).then(|| (*most as f64 - *least as f64) / minutes)
}

fn growth_cell(growth: Option<f64>, is_dlq: bool) -> Cell {
    let Some(growth) = growth.filter(|growth| growth.abs() >= 0.05) else { return Cell(Role::Faint, String::new()) };
    let sign = if growth > 0.0 { "+" } else { "-" };
    let role = match (growth > 0.0, is_dlq) {
        (true, true) => Role::Bad,
        (true, false) => Role::Warning,
        _ => Role::Good,
    };
    Cell(role, format!("{sign}{}/m", human::rate(growth.abs())))
}

impl Canvas<'_> {
    pub(super) fn queues(&mut self, area: Rect) {
        let state = self.state;
        let columns = [
            Column("", false, false),
            Column("QUEUE", false, true),
            Column("MESSAGES", true, false),
            Column("GROWTH", true, false),
            Column("OLDEST", true, false),
            Column("CONS", true, false),
            Column("TREND", false, false),
            Column("IN/S", true, false),
            Column("OUT/S", true, false),
            Column("HELD", true, false),
            Column("EXPIRY", true, false),
            Column("TYPE", false, false),
            Column("PAIR", false, false),
        ];
        let shown = state.shown_queues();
        let row = |at: usize| {
            let Some(listed) = shown.get(at) else { return Vec::new() };
            let info = &listed.info;
            let now = state.now_at(Some(&listed.broker));
            let depth = match (info.is_dlq, info.messages.is_none_or(|n| n > 0)) {
                (true, true) => Role::Bad,
                (true, false) => Role::Good,
                _ => Role::Plain,
            };
            let marked = state.marks.contains(&listed.address());
            let depths: Vec<u64> =
                state.depths.get(&listed.address()).into_iter().flatten().map(|(_, depth)| *depth).collect();
            let some = |n: Option<u64>| n.filter(|n| *n > 0).map_or_else(String::new, human::count);
            vec![
                Cell(Role::Mark, if marked { "●" } else { "" }.to_owned()),
                Cell(if marked { Role::Mark } else { Role::Name }, listed.label()),
                Cell(depth, listed.messages()),
                growth_cell(growth(listed, state), info.is_dlq),
                Cell(Role::Plain, info.oldest.map_or_else(String::new, |time| human::age(time, now))),
                Cell(Role::Plain, info.consumers.map_or_else(String::new, human::count)),
                Cell(Role::Faint, if depths.len() > 1 { sparkline(&depths, false) } else { String::new() }),
                Cell(Role::Plain, info.rate_in.map_or_else(String::new, human::rate)),
                Cell(Role::Plain, info.rate_out.map_or_else(String::new, human::rate)),
                Cell(Role::Plain, some(info.in_flight)),
                Cell(Role::Plain, info.expiry.map_or_else(String::new, human::duration)),
                Cell(Role::Faint, format!("{} {}", listed.broker_kind(), info.kind)),
                Cell(Role::Faint, listed.pairing()),
            ]
        };
        self.table(area, &columns, shown.len(), state.cursor, &row);
        if shown.is_empty() {
            let waiting = state.sources.iter().any(|source| !source.listed && source.failed.is_none());
            let failed = state.sources.iter().filter_map(|source| Some((&source.address, source.failed.as_ref()?)));
            let mut text: Vec<String> = failed.map(|(address, why)| format!("{address}: {why}")).collect();
            let role = if text.is_empty() { Role::Faint } else { Role::Bad };
            if waiting {
                text.push("asking the brokers …".to_owned());
            } else if !state.queue_filter.is_empty() {
                text.push("no queue matches; clear the filter with /".to_owned());
            } else if text.is_empty() {
                text.push("there is no queue here".to_owned());
            }
            self.centre(area, &text.join("\n"), role);
        }
    }

    pub(super) fn groups(&mut self, area: Rect, screen: &Screen) {
        let columns = [
            Column("", false, false),
            Column("COUNT", true, false),
            Column("SHARE", false, false),
            Column("CAUSE", false, true),
            Column("GROUP", false, false),
            Column("LAST", true, false),
            Column("FIRST", true, false),
            Column("WHEN", false, false),
            Column("EXPIRES", true, false),
            Column("TRIES", true, false),
            Column("FROM", false, false),
        ];
        let now = self.state.now_at(screen.addresses.first());
        let largest = screen.groups.iter().map(|group| group.share).fold(f64::MIN_POSITIVE, f64::max);
        let several = screen.addresses.len() > 1;
        let row = |at: usize| {
            let Some(group) = screen.groups.get(at) else { return Vec::new() };
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 8")]
            let cells = (group.share / largest * 8.0).ceil().clamp(1.0, 8.0) as usize;
            let age = |time: Option<jiff::Timestamp>| time.map_or_else(String::new, |time| human::age(time, now));
            let expires = group.expires.map_or_else(String::new, |time| human::age(now, time));
            let tries = match group.attempts {
                Some((least, most)) if least != most => format!("{least}-{most}"),
                Some((least, _)) => least.to_string(),
                None => String::new(),
            };
            let mut from: Vec<String> = group
                .origins
                .iter()
                .map(|origin| {
                    // The queue's name: a URL has no room here.
                    let read = || origin.read_from.parse::<Address>().ok().and_then(|address| address.target);
                    match (&origin.origin, several) {
                        (Some(place), false) => crate::operation::glance::origin_target(place).to_string(),
                        _ => read().map_or_else(|| origin.read_from.to_string(), |target| target.to_string()),
                    }
                })
                .collect();
            from.dedup();
            let marked = screen.marked_groups.contains(&group.id);
            vec![
                Cell(Role::Mark, if marked { "●" } else { "" }.to_owned()),
                Cell(Role::Heading, human::count(group.count)),
                Cell(Role::Bad, format!("{:>5.1}% {}", group.share * 100.0, "█".repeat(cells))),
                Cell(Role::Plain, group.title.clone()),
                Cell(if marked { Role::Mark } else { Role::Name }, group.name.clone()),
                Cell(Role::Plain, age(group.last)),
                Cell(Role::Plain, age(group.first)),
                Cell(Role::Faint, sparkline(&joined(&group.rate.counts().collect::<Vec<_>>()), true)),
                Cell(Role::Warning, expires),
                Cell(Role::Plain, tries),
                Cell(Role::Faint, crate::text::fit(&from.join(", "), 24)),
            ]
        };
        let pane = super::pane_height(screen, area.height);
        let list = Rect { height: area.height - 1 - pane, ..area };
        self.table(list, &columns, screen.groups.len(), screen.cursor, &row);
        if let Some(group) = screen.groups.get(screen.cursor).filter(|_| pane > 0) {
            self.cause(Rect { y: area.y + area.height - 1 - pane, height: pane, ..area }, group, now);
        }
        let count = human::plural(screen.groups.len() as u64, "group");
        let (by, next) = (&screen.by, screen.key_behind(1));
        let key = self.key_of(Command::NextTab);
        let there = screen.groups.iter().filter(|group| screen.marked_groups.contains(&group.id)).count();
        let marked = if there == 0 { String::new() } else { format!(", {there} marked") };
        self.status(area, screen, &format!("{count} by {by} ({key}: {next}){marked}; "));
    }

    pub(super) fn messages(&mut self, area: Rect, screen: &Screen) {
        let titles: Vec<String> = screen.columns.iter().map(|name| name.to_uppercase()).collect();
        let elastic = |name: &String| ["why", "body"].contains(&name.as_str());
        let right = |name: &String| ["age", "size"].contains(&name.as_str());
        let mut columns = vec![Column("", false, false)];
        columns
            .extend(screen.columns.iter().zip(&titles).map(|(name, title)| Column(title, right(name), elastic(name))));
        let now = self.state.now_at(screen.addresses.first());
        let row = |at: usize| {
            let Some(index) = screen.message_at(at) else { return Vec::new() };
            let marked = screen.marks.contains_key(&index);
            let mut cells = vec![Cell(Role::Mark, if marked { "●" } else { "" }.to_owned())];
            let Some(row) = screen.rows.get(&index) else {
                cells.push(Cell(Role::Faint, "…".to_owned()));
                return cells;
            };
            cells.extend(screen.columns.iter().zip(&row.cells).map(|(name, text)| match name.as_str() {
                "age" => Cell(Role::Plain, row.time.map_or_else(String::new, |time| human::age(time, now))),
                "id" => Cell(if marked { Role::Mark } else { Role::Name }, crate::text::fit(text, 18)),
                "why" => Cell(Role::Bad, text.clone()),
                "size" | "time" => Cell(Role::Faint, text.clone()),
                "body" => Cell(Role::Plain, text.clone()),
                _ => Cell(Role::Plain, crate::text::fit(text, 30)),
            }));
            cells
        };
        let list = Rect { height: area.height - 1, ..area };
        let count = screen.listed();
        self.table(list, &columns, count, screen.cursor, &row);
        let seen = self.state.look().map_or(0, |look| look.seen);
        let of = if count < seen { format!(" of {}", human::count(seen as u64)) } else { String::new() };
        let at = if count == 0 { 0 } else { screen.cursor + 1 };
        let order = if screen.newest_first { ", newest first" } else { "" };
        let marked = if screen.marks.is_empty() { String::new() } else { format!(", {} marked", screen.marks.len()) };
        let held = screen
            .held_at
            .map_or_else(String::new, |at| format!(", held: {} behind", human::count(seen.saturating_sub(at) as u64)));
        let lead =
            format!("{} of {}{of}{order}{marked}{held}; ", human::count(at as u64), human::messages(count as u64));
        self.status(area, screen, &lead);
    }

    pub(super) fn consumers(&mut self, area: Rect, screen: &Screen) {
        let columns = [
            Column("GROUP", false, true),
            Column("STATE", false, false),
            Column("MEMBERS", true, false),
            Column("LAG", true, false),
            Column("", false, false),
            Column("PARTITIONS", true, false),
            Column("TYPE", false, false),
        ];
        let most = screen.consumers.iter().map(ConsumerGroup::lag).max().unwrap_or(0);
        let row = |at: usize| {
            let Some(group) = screen.consumers.get(at) else { return Vec::new() };
            let with_place = group.places.iter().filter(|place| place.committed.is_some()).count();
            let lag = if group.lag() > 0 { Role::Warning } else { Role::Good };
            vec![
                Cell(Role::Name, group.name.clone()),
                Cell(if group.live { Role::Good } else { Role::Faint }, group.state.clone()),
                Cell(Role::Plain, human::count(group.members)),
                Cell(lag, format!("≤{}", human::count(group.lag()))),
                Cell(Role::Warning, bar(group.lag(), most, 20)),
                Cell(Role::Plain, format!("{with_place} of {}", group.places.len())),
                Cell(Role::Faint, group.kind.clone()),
            ]
        };
        self.table(area, &columns, screen.consumers.len(), screen.cursor, &row);
        if screen.consumers.is_empty() {
            let (text, role) = match &screen.fault {
                Some(fault) => (fault.as_str(), Role::Bad),
                None if screen.task.is_some() => ("asking …", Role::Faint),
                None => ("No consumer group that this user may see has a place here.", Role::Faint),
            };
            self.centre(area, text, role);
        }
    }

    pub(super) fn partitions(&mut self, area: Rect, screen: &Screen) {
        let Some(group) = screen.consumers.first() else {
            let text = screen.fault.as_deref().unwrap_or("The group is gone.");
            self.centre(area, text, if screen.fault.is_some() { Role::Bad } else { Role::Faint });
            return;
        };
        let columns = [
            Column("PARTITION", true, false),
            Column("COMMITTED", true, false),
            Column("FIRST", true, false),
            Column("END", true, false),
            Column("LAG", true, false),
            Column("", false, true),
        ];
        let most = group.places.iter().filter_map(Committed::lag).max().unwrap_or(0);
        let row = |at: usize| {
            let Some(place) = group.places.get(at) else { return Vec::new() };
            let lag = place.lag();
            let role = if lag.is_some_and(|lag| lag > 0) { Role::Warning } else { Role::Good };
            vec![
                Cell(Role::Plain, place.partition.to_string()),
                Cell(Role::Plain, place.committed.map_or_else(|| "none".to_owned(), |offset| offset.to_string())),
                Cell(Role::Faint, place.extent.first.to_string()),
                Cell(Role::Faint, place.extent.end.to_string()),
                Cell(role, lag.map_or_else(|| "?".to_owned(), |lag| format!("≤{}", human::count(lag)))),
                Cell(Role::Warning, bar(lag.unwrap_or(0), most, 40)),
            ]
        };
        let list = Rect { height: area.height - 1, ..area };
        self.table(list, &columns, group.places.len(), screen.cursor, &row);
        let members = human::plural(group.members, "member");
        let foot = format!(
            "{}: {}, {members}, lag ≤{}; r moves the partition under the cursor, esc and r all of them",
            group.name,
            group.state,
            human::count(group.lag())
        );
        self.put(area.x, area.y + area.height - 1, usize::from(area.width), &foot, Role::Faint);
    }

    pub(super) fn journal(&mut self, area: Rect, screen: &Screen) {
        let columns = [
            Column("AGE", true, false),
            Column("STATE", false, false),
            Column("VERB", false, false),
            Column("DONE", true, false),
            Column("FAILED", true, false),
            Column("UNSURE", true, false),
            Column("SOURCE", false, true),
            Column("TO", false, true),
            Column("ID", false, false),
        ];
        let now = self.state.now;
        let row = |at: usize| {
            let Some(run) = screen.runs.get(at) else { return Vec::new() };
            let of = if run.done == run.planned { String::new() } else { format!(" of {}", human::count(run.planned)) };
            let some = |n: u64| if n == 0 { String::new() } else { human::count(n) };
            vec![
                Cell(Role::Plain, human::age(run.started, now)),
                state_cell(run),
                Cell(Role::Plain, run.verb.name().to_owned()),
                Cell(Role::Plain, format!("{}{of}", human::count(run.done))),
                Cell(Role::Bad, some(run.failed)),
                Cell(Role::Warning, some(run.ambiguous)),
                Cell(Role::Name, run.source.clone()),
                Cell(Role::Plain, run.to.clone()),
                Cell(Role::Faint, run.id.clone()),
            ]
        };
        self.table(area, &columns, screen.runs.len(), screen.cursor, &row);
        if screen.runs.is_empty() {
            let text =
                if screen.task.is_some() { "reading …" } else { "No run was recorded yet: replays and drains are." };
            self.centre(area, text, Role::Faint);
        }
    }

    pub(super) fn run(&mut self, area: Rect, screen: &Screen) {
        let Some(run) = screen.runs.first() else {
            let text = screen.fault.as_deref().unwrap_or("reading …");
            self.centre(area, text, if screen.fault.is_some() { Role::Bad } else { Role::Faint });
            return;
        };
        let unsent = if run.unsent == 0 { String::new() } else { format!(" ({} not sent)", run.unsent) };
        let headline = format!(
            "{} {} from {} to {}: {} done, {} failed{unsent}, {} left alone, {} unsure of {}",
            run.id,
            run.verb.name(),
            run.source,
            run.to,
            run.done,
            run.failed,
            run.skipped,
            run.ambiguous,
            run.planned
        );
        let foot = area.y + area.height - 1;
        let why = run.why.as_ref().map_or_else(String::new, |why| format!(": {}", clean(why)));
        let Cell(role, state) = state_cell(run);
        self.put(area.x, foot, usize::from(area.width), &format!("{state}{why}; {headline}"), role);
        let columns = [
            Column("SEQ", true, false),
            Column("OUTCOME", false, false),
            Column("ID", false, true),
            Column("TO", false, true),
            Column("WHY", false, true),
        ];
        let row = |at: usize| {
            let Some(line) = screen.outcomes.get(at) else { return Vec::new() };
            let role = match line.outcome.as_str() {
                "done" => Role::Good,
                "skipped" => Role::Faint,
                _ => Role::Bad,
            };
            vec![
                Cell(Role::Faint, line.seq.to_string()),
                Cell(role, line.outcome.clone()),
                Cell(Role::Name, line.id.clone()),
                Cell(Role::Plain, line.to.clone().unwrap_or_default()),
                Cell(Role::Plain, line.why.clone().unwrap_or_default()),
            ]
        };
        let list = Rect { height: area.height - 1, ..area };
        self.table(list, &columns, screen.outcomes.len(), screen.cursor, &row);
    }
}

fn state_cell(run: &Summary) -> Cell {
    match run.state {
        JournalState::Running => Cell(Role::Warning, "running".to_owned()),
        JournalState::Undone => Cell(Role::Faint, "undone".to_owned()),
        JournalState::Finished => Cell(Role::Good, "finished".to_owned()),
        JournalState::Interrupted => Cell(Role::Bad, "unfinished".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_shows_heights_and_at_most_so_many() {
        assert_eq!(sparkline(&[1, 2, 3, 8], true), "▂▂▃█");
        assert_eq!([0, 1, 50, 100].map(|n| bar(n, 100, 4)), ["", "▏", "██", "████"]);
        assert_eq!(sparkline(&[5, 5], false), "▁▁");
        assert_eq!(sparkline(&[0; 40], true).chars().count(), SPARKS);
        assert_eq!(joined(&(0..64).collect::<Vec<_>>()).len(), 11);
    }
}
