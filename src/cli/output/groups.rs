//! Groups: the table of `groups`.

use jiff::Timestamp;

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table as lay_out};
use crate::operation::groups::GroupSummary;

/// Cells of a bar for the largest share.
const BAR: f64 = 8.0;

/// From this width on there is room for shares.
const WIDE: usize = 100;

/// The table, largest group first.
pub(crate) fn table(groups: &[GroupSummary], now: Timestamp, width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::right("COUNT"),
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
    vec![
        human::count(group.count).into(),
        (if wide { format!("{:.1}%", group.share * 100.0) } else { String::new() }).into(),
        Cell::new(Role::Bad, if wide { "█".repeat(cells) } else { String::new() }),
        Cell::new(Role::Name, &group.name),
        age(group.first).into(),
        age(group.last).into(),
        Cell::new(Role::Warning, expires),
        (&group.title).into(),
    ]
}
