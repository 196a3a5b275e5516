//! Tables without lines: aligned columns, two spaces between them, as wide as the terminal.
//!
//! Columns keep their natural width; when the whole is too wide, the columns marked elastic give way, the last one
//! first, and their cells are cut. A column in which no row has anything is left out.

use super::paint::{Paint, Role};
use super::text::{fit, safe, width_of};

const GAP: usize = 2;
/// An elastic column gives way down to this.
const NARROWEST: usize = 8;

/// A column's heading and how it is laid out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    heading: &'static str,
    right: bool,
    elastic: bool,
}

impl Column {
    /// Text, aligned left.
    pub(crate) const fn left(heading: &'static str) -> Self {
        Self { heading, right: false, elastic: false }
    }

    /// Numbers, aligned right.
    pub(crate) const fn right(heading: &'static str) -> Self {
        Self { heading, right: true, elastic: false }
    }

    /// Text that may be cut.
    pub(crate) const fn elastic(heading: &'static str) -> Self {
        Self { heading, right: false, elastic: true }
    }
}

/// One cell: text and what it is.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    role: Role,
}

impl Cell {
    /// A cell in a colour. The text is made safe here.
    pub(crate) fn new(role: Role, text: impl AsRef<str>) -> Self {
        Self { text: safe(text.as_ref()).into_owned(), role }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self::new(Role::Plain, text)
    }
}

/// The table's lines, heading first. Rows shorter than the heading have empty cells at their end.
pub(crate) fn table(columns: &[Column], rows: &[Vec<Cell>], width: usize, paint: Paint) -> Vec<String> {
    let natural = |index: usize| rows.iter().filter_map(|row| row.get(index)).map(|cell| width_of(&cell.text)).max();
    let mut shown: Vec<(usize, Column, usize)> = columns
        .iter()
        .enumerate()
        .filter_map(|(index, column)| match natural(index) {
            Some(widest) if widest > 0 => Some((index, *column, widest.max(width_of(column.heading)))),
            _ => None,
        })
        .collect();
    squeeze(&mut shown, width);
    let mut lines = Vec::with_capacity(rows.len() + 1);
    let heading = shown.iter().map(|(_, column, _)| Cell::new(Role::Heading, column.heading)).collect::<Vec<_>>();
    lines.push(line(shown.iter().map(|(_, column, wide)| (*column, *wide)).zip(heading.iter()), paint));
    let empty = Cell::from("");
    for row in rows {
        let cells = shown.iter().map(|(index, column, wide)| ((*column, *wide), row.get(*index).unwrap_or(&empty)));
        lines.push(line(cells, paint));
    }
    lines
}

/// Takes what is too wide from the elastic columns, the last one first: what stands in front matters more.
fn squeeze(shown: &mut [(usize, Column, usize)], width: usize) {
    let total: usize = shown.iter().map(|(_, _, wide)| wide + GAP).sum::<usize>().saturating_sub(GAP);
    let mut over = total.saturating_sub(width);
    for (_, _, wide) in shown.iter_mut().rev().filter(|(_, column, _)| column.elastic) {
        let given = over.min(wide.saturating_sub(NARROWEST));
        *wide -= given;
        over -= given;
    }
}

fn line<'a>(cells: impl Iterator<Item = ((Column, usize), &'a Cell)>, paint: Paint) -> String {
    let mut out = String::new();
    let mut owed = 0;
    for ((column, wide), cell) in cells {
        let text = fit(&cell.text, wide);
        let pad = wide.saturating_sub(width_of(&text));
        let (before, after) = if column.right { (pad, 0) } else { (0, pad) };
        // Spaces are written only when something follows them: no line ends in spaces.
        if text.is_empty() {
            owed += before;
        } else {
            out.extend(std::iter::repeat_n(' ', owed + before));
            out.push_str(&paint.paint(cell.role, &text));
            owed = 0;
        }
        owed += after + GAP;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Paint = Paint { on: false };

    #[test]
    fn columns_align_and_empty_ones_are_left_out() {
        let columns =
            [Column::elastic("QUEUE"), Column::right("MESSAGES"), Column::left("NOTHING"), Column::left("TYPE")];
        let rows = [
            vec!["orders".into(), "1,204".into(), "".into(), "quorum".into()],
            vec!["数".into(), "".into(), "".into(), "classic".into()],
        ];
        let expected = ["QUEUE   MESSAGES  TYPE", "orders     1,204  quorum", "数                classic"];
        assert_eq!(table(&columns, &rows, 80, PLAIN), expected);
    }

    #[test]
    fn what_is_too_wide_is_cut_in_the_elastic_columns_only() {
        let columns = [Column::elastic("QUEUE"), Column::right("N")];
        let rows = [vec!["a-very-long-queue-name-indeed".into(), "12345".into()]];
        assert_eq!(table(&columns, &rows, 20, PLAIN)[1], "a-very-long-…  12345");
    }

    #[test]
    fn a_cell_can_not_smuggle_an_escape_sequence() {
        let rows = [vec!["\x1b[31mx".into()]];
        let lines = table(&[Column::left("A")], &rows, 80, Paint { on: true });
        assert_eq!(lines[1], "␛[31mx");
    }
}
