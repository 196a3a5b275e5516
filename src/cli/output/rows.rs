//! Messages as rows of chosen columns: a table, comma-separated values, or objects `postroom.row/1`.
//!
//! A table's columns are as wide as the first rows need, so that it can be written while messages still come.

use serde_json::{Value as Json, json};

use super::paint::{Paint, Role};
use super::table::{self, Cell, Layout};
use crate::message::Message;
use crate::operation::columns::Column;

/// Rows that a table's columns are fitted to.
const FITTED: usize = 500;

/// Rows, and those that wait for the layout.
pub(crate) struct Rows {
    columns: Vec<Column>,
    titles: Vec<String>,
    width: usize,
    paint: Paint,
    waiting: Vec<Vec<Cell>>,
    layout: Option<Layout>,
}

impl Rows {
    /// No rows yet; a table of them is `width` cells wide at most.
    pub(crate) fn new(columns: Vec<Column>, width: usize, paint: Paint) -> Self {
        let titles = columns.iter().map(|column| column.name().to_uppercase()).collect();
        Self { columns, titles, width, paint, waiting: Vec::new(), layout: None }
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Takes a row of a table; the lines that can be written now.
    pub(crate) fn table(&mut self, cells: Vec<Option<String>>) -> Vec<String> {
        let cells = self.columns.iter().zip(cells).map(|(column, cell)| {
            let role = match column {
                Column::Id | Column::Queue => Role::Name,
                Column::Why => Role::Bad,
                Column::Time | Column::Size => Role::Faint,
                _ => Role::Plain,
            };
            Cell::new(role, cell.unwrap_or_default())
        });
        self.waiting.push(cells.collect());
        if self.layout.is_some() || self.waiting.len() >= FITTED { self.rest() } else { Vec::new() }
    }

    /// The lines of a table that wait to be written.
    pub(crate) fn rest(&mut self) -> Vec<String> {
        if self.waiting.is_empty() {
            return Vec::new();
        }
        let heads: Vec<table::Column<'_>> =
            self.columns.iter().zip(&self.titles).map(|(column, title)| head(column, title)).collect();
        let mut lines = Vec::new();
        let layout = self.layout.get_or_insert_with(|| {
            let layout = Layout::of(&heads, &self.waiting, self.width, true);
            lines.push(layout.heading(&heads, self.paint));
            layout
        });
        lines.extend(self.waiting.drain(..).map(|row| layout.row(&row, self.paint)));
        lines
    }

    /// The line of names above comma-separated values.
    pub(crate) fn csv_head(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| field(column.name())).collect();
        names.join(",")
    }

    /// A row of comma-separated values (RFC 4180); what a message does not have is empty.
    pub(crate) fn csv(cells: &[Option<String>]) -> String {
        let cells: Vec<String> = cells.iter().map(|cell| field(cell.as_deref().unwrap_or_default())).collect();
        cells.join(",")
    }

    /// A row as an object; what a message does not have is null.
    pub(crate) fn json(&self, message: &Message, cells: Vec<Option<String>>) -> Json {
        let cells = self.columns.iter().zip(cells).map(|(column, cell)| (column.name().to_owned(), cell.into()));
        json!({
            "schema": "postroom.row/1",
            "address": &*message.address,
            "id": message.id,
            "cells": cells.collect::<serde_json::Map<String, Json>>(),
        })
    }
}

fn head<'a>(column: &Column, title: &'a str) -> table::Column<'a> {
    match column {
        column if column.is_right() => table::Column::right(title),
        column if column.is_elastic() => table::Column::elastic(title),
        _ => table::Column::left(title),
    }
}

/// A value as a field of a row: in quotes where it would end early without.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        let columns = ["id", "why", "body.n"].map(|name| Column::parse(name).unwrap());
        Rows::new(columns.to_vec(), 40, Paint { on: false })
    }

    fn row(cells: [&str; 3]) -> Vec<Option<String>> {
        cells.map(|cell| Some(cell.to_owned()).filter(|cell| !cell.is_empty())).to_vec()
    }

    #[test]
    fn the_first_rows_say_how_wide_the_columns_are() {
        let mut rows = rows();
        assert_eq!(rows.table(row(["a", "card declined", "1"])), [""; 0]);
        assert_eq!(rows.rest(), ["ID  WHY            BODY.N", "a   card declined  1"]);
        assert_eq!(
            rows.table(row(["an-id-that-is-longer", "connection refused", ""])),
            ["an-id-that-is-longer  connection r…"]
        );
        assert_eq!(rows.rest(), [""; 0]);
    }

    #[test]
    fn values_keep_what_is_in_them() {
        let rows = rows();
        assert_eq!(rows.csv_head(), "id,why,body.n");
        assert_eq!(Rows::csv(&row(["a", "no \"x\", y", ""])), "a,\"no \"\"x\"\", y\",");
        let json = rows.json(&Message { id: "a".into(), ..Message::default() }, row(["a", "b", ""]));
        assert_eq!(json["cells"], json!({"id": "a", "why": "b", "body.n": null}));
    }
}
