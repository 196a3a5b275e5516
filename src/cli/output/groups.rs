//! Groups: the table of `groups`, and what is known of one.

use std::path::Path;

use jiff::Timestamp;

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table as lay_out};
use super::text::{fit, one_line};
use crate::message::codec::Schemas;
use crate::operation::glance::{origin_target, preview, reason};
use crate::operation::groups::{Change, GroupSummary};

/// Cells of a bar for the largest share.
const BAR: f64 = 8.0;

/// From this width on there is room for shares.
const WIDE: usize = 100;

/// The table, largest group first.
pub(crate) fn table(groups: &[GroupSummary], now: Timestamp, width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::right("COUNT"),
        Column::right("NEW"),
        Column::right("GONE"),
        Column::right("SAME"),
        Column::right("SHARE"),
        Column::left(""),
        Column::left("GROUP"),
        Column::right("FIRST"),
        Column::right("LAST"),
        Column::right("EXPIRES"),
        Column::elastic("CAUSE"),
    ];
    if groups.is_empty() {
        return Vec::new();
    }
    let largest = groups.iter().map(|group| group.share).fold(f64::MIN_POSITIVE, f64::max);
    let rows: Vec<Vec<Cell>> = groups.iter().map(|group| row(group, largest, now, width >= WIDE)).collect();
    lay_out(&columns, &rows, width, paint)
}

fn row(group: &GroupSummary, largest: f64, now: Timestamp, wide: bool) -> Vec<Cell> {
    let age = |time: Option<Timestamp>| time.map_or_else(String::new, |time| human::age(time, now));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the bar's width")]
    let cells = (group.share / largest * BAR).ceil().clamp(1.0, BAR) as usize;
    let expires = group.expires.map_or_else(String::new, |time| {
        std::time::Duration::try_from(time.duration_since(now)).map_or_else(|_| "now".to_owned(), human::duration)
    });
    let change = |of: fn(Change) -> u64| group.change.map_or_else(String::new, |change| human::count(of(change)));
    vec![
        human::count(group.count).into(),
        Cell::new(Role::Bad, change(|change| change.new)),
        Cell::new(Role::Good, change(|change| change.gone)),
        change(|change| change.same).into(),
        (if wide { format!("{:.1}%", group.share * 100.0) } else { String::new() }).into(),
        Cell::new(Role::Bad, if wide { "█".repeat(cells) } else { String::new() }),
        Cell::new(Role::Name, &group.name),
        age(group.first).into(),
        age(group.last).into(),
        Cell::new(Role::Warning, expires),
        (&group.title).into(),
    ]
}

/// Columns of a sparkline.
const SPARKS: usize = 32;

/// Origins that are named.
const ORIGINS: usize = 8;

/// What the table has no room for: rate, origins, attempts, what differs, a sample.
pub(crate) fn detail(
    group: &GroupSummary,
    schemas: Option<&dyn Schemas>,
    now: Timestamp,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let mut lines =
        vec![String::new(), paint.paint(Role::Heading, &fit(&format!("{} {}", group.name, group.title), width))];
    let mut tell = |name: &str, text: &str| {
        let text = fit(text, width.saturating_sub(12));
        lines.push(format!("  {} {text}", paint.paint(Role::Faint, &format!("{name:<9}"))));
    };
    if let (Some(first), Some(last)) = (group.first, group.last) {
        let sparks = human::sparkline(&group.rate.columns(first, last, SPARKS));
        tell("deaths", &format!("{sparks}  {} to {}", human::time(first), human::time(last)));
    }
    for origin in group.origins.iter().take(ORIGINS) {
        let from = match (origin.address(), &origin.origin) {
            (Some(address), _) => address.to_string(),
            (None, Some(origin)) => origin_target(origin).to_string(),
            (None, None) => "nobody says where".to_owned(),
        };
        let read = origin.archived_from.as_deref().unwrap_or(&origin.read_from);
        tell("from", &format!("{from}: {} in {read}", human::count(origin.count)));
    }
    let more: u64 = group.origins.iter().skip(ORIGINS).map(|origin| origin.count).sum::<u64>() + group.more_origins;
    if more > 0 {
        tell("", &format!("elsewhere: {}", human::count(more)));
    }
    match group.attempts {
        Some((least, most)) if least < most => tell("attempts", &format!("{least} to {most}")),
        Some((n, _)) => tell("attempts", &n.to_string()),
        None => {}
    }
    if let Some(expires) = group.expires {
        tell("expires", &format!("the first {}", human::time(expires)));
    }
    for varying in &group.varying {
        let more = if varying.more { ", …" } else { "" };
        tell("differs", &format!("* {}: {}{more}", varying.slot + 1, varying.values.join(", ")));
    }
    for part in &group.key {
        tell("key", &format!("{}: {}", part.name, one_line(&part.value)));
    }
    let age = group.sample.time.map_or_else(String::new, |time| format!(" ({})", human::age(time, now)));
    tell("sample", &format!("{}{age}", one_line(&group.sample.id)));
    if let Some(failure) = &group.failure {
        tell("", &reason(failure));
    }
    tell("", &preview(&group.sample, width, schemas).text);
    lines
}

/// What changed, in one sentence.
pub(crate) fn changed(change: Change, against: &Path) -> String {
    let [new, gone, same] = [change.new, change.gone, change.same].map(human::count);
    format!("{new} new, {gone} gone, {same} the same, compared with file:{}.", against.display())
}
