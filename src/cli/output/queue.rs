//! Queues: the tables of `queues` and `show`.

use jiff::Timestamp;

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table};
use super::text::{safe, width_of};
use crate::broker::Address;
use crate::operation::queues::Listed;

/// The table of `queues`.
pub(crate) fn list_table(
    queues: &[Listed],
    now_at: impl Fn(&Address) -> Timestamp,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let columns = [
        Column::elastic("QUEUE"),
        Column::left("TYPE"),
        Column::right("MESSAGES"),
        Column::right("IN/S"),
        Column::right("OUT/S"),
        Column::right("OLDEST"),
        Column::right("CONS"),
        Column::elastic("PAIR"),
    ];
    // On one broker the names are enough: its address was typed, and may be a long URL.
    let one_broker = queues.windows(2).all(|pair| matches!(pair, [a, b] if a.broker == b.broker));
    let rows: Vec<Vec<Cell>> = queues
        .iter()
        .map(|listed| {
            let name = if one_broker { listed.info.name.clone() } else { listed.address() };
            row(name, listed, now_at(&listed.broker))
        })
        .collect();
    table(&columns, &rows, width, paint)
}

fn row(name: String, listed: &Listed, now: Timestamp) -> Vec<Cell> {
    let info = &listed.info;
    let waiting = info.messages.is_none_or(|n| n > 0);
    let role = match (info.is_dlq, waiting) {
        (true, true) => Role::Bad,
        (true, false) => Role::Good,
        (false, _) => Role::Plain,
    };
    vec![
        Cell::new(Role::Name, name),
        Cell::new(Role::Faint, &info.kind),
        Cell::new(role, listed.messages()),
        Cell::new(
            if listed.is_growing() { Role::Warning } else { Role::Plain },
            info.rate_in.map_or_else(String::new, human::rate),
        ),
        info.rate_out.map_or_else(String::new, human::rate).into(),
        info.oldest.map_or_else(String::new, |time| human::age(time, now)).into(),
        info.consumers.map_or_else(String::new, human::count).into(),
        Cell::new(Role::Faint, listed.pairing()),
    ]
}

/// The page of `show`.
pub(crate) fn page(listed: &Listed, now: Timestamp, paint: Paint) -> Vec<String> {
    let entries = listed.entries(now);
    let wide = entries.iter().map(|(name, _)| width_of(&safe(name))).max().unwrap_or(0);
    let mut lines = vec![paint.paint(Role::Name, &safe(&listed.address()))];
    for (name, value) in &entries {
        let name = safe(name);
        let role = if *name == *"refused" { Role::Bad } else { Role::Plain };
        for (at, line) in value.lines().enumerate() {
            let lead = if at == 0 { name.as_ref() } else { "" };
            let pad = " ".repeat(wide - width_of(lead));
            lines.push(format!("  {}{pad}  {}", paint.paint(Role::Faint, lead), paint.paint(role, &safe(line))));
        }
    }
    lines.extend(listed.info.notes.iter().map(|note| format!("  {}", paint.paint(Role::Warning, &safe(note)))));
    lines
}
