//! Consumer groups: the tables of `consumers` and `offsets reset`.

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table};
use crate::broker::ConsumerGroup;
use crate::operation::offsets::Reset;

fn lag(lag: Option<u64>) -> Cell {
    let role = if lag.is_some_and(|lag| lag > 0) { Role::Warning } else { Role::Plain };
    Cell::new(role, lag.map_or_else(String::new, |lag| format!("≤{}", human::count(lag))))
}

/// One row a group.
pub(crate) fn groups_table(groups: &[ConsumerGroup], width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::elastic("GROUP"),
        Column::left("TYPE"),
        Column::left("STATE"),
        Column::right("MEMBERS"),
        Column::right("LAG"),
        Column::right("PARTITIONS"),
    ];
    let row = |group: &ConsumerGroup| -> Vec<Cell> {
        let with_place = group.places.iter().filter(|place| place.committed.is_some()).count();
        vec![
            Cell::new(Role::Name, &group.name),
            Cell::new(Role::Faint, &group.kind),
            (&group.state).into(),
            human::count(group.members).into(),
            lag(Some(group.lag())),
            format!("{with_place} of {}", group.places.len()).into(),
        ]
    };
    if groups.is_empty() {
        return Vec::new();
    }
    table(&columns, &groups.iter().map(row).collect::<Vec<_>>(), width, paint)
}

/// One row a partition.
pub(crate) fn places_table(group: &ConsumerGroup, width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::right("PARTITION"),
        Column::right("COMMITTED"),
        Column::right("FIRST"),
        Column::right("END"),
        Column::right("LAG"),
    ];
    let rows: Vec<Vec<Cell>> = group
        .places
        .iter()
        .map(|place| {
            vec![
                place.partition.to_string().into(),
                place.committed.map_or_else(|| "none".to_owned(), |offset| offset.to_string()).into(),
                place.extent.first.to_string().into(),
                place.extent.end.to_string().into(),
                lag(place.lag()),
            ]
        })
        .collect();
    table(&columns, &rows, width, paint)
}

fn some(count: u64) -> Cell {
    Cell::new(Role::Warning, if count > 0 { format!("≤{}", human::count(count)) } else { String::new() })
}

/// What is moved: one row a partition.
pub(crate) fn moves_table(reset: &Reset, width: usize, paint: Paint) -> Vec<String> {
    let columns = [
        Column::right("PARTITION"),
        Column::right("FROM"),
        Column::right("TO"),
        Column::right("LAG"),
        Column::right("LAG THEN"),
        Column::right("SKIPPED"),
        Column::right("AGAIN"),
    ];
    let rows: Vec<Vec<Cell>> = reset
        .moves
        .iter()
        .map(|moved| {
            vec![
                moved.before.partition.to_string().into(),
                moved.before.committed.map_or_else(|| "none".to_owned(), |offset| offset.to_string()).into(),
                Cell::new(Role::Name, moved.to.to_string()),
                lag(moved.before.lag()),
                lag(Some(moved.lag())),
                some(moved.skipped()),
                some(moved.again()),
            ]
        })
        .collect();
    if rows.is_empty() { Vec::new() } else { table(&columns, &rows, width, paint) }
}
