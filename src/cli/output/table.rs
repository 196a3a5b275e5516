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
pub(crate) struct Column<'a> {
    heading: &'a str,
    right: bool,
    elastic: bool,
}

impl<'a> Column<'a> {
    /// Text, aligned left.
    pub(crate) const fn left(heading: &'a str) -> Self {
        Self { heading, right: false, elastic: false }
    }

    /// Numbers, aligned right.
    pub(crate) const fn right(heading: &'a str) -> Self {
        Self { heading, right: true, elastic: false }
    }

    /// Text that may be cut.
    pub(crate) const fn elastic(heading: &'a str) -> Self {
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
pub(crate) fn table(columns: &[Column<'_>], rows: &[Vec<Cell>], width: usize, paint: Paint) -> Vec<String> {
    let layout = Layout::of(columns, rows, width, false);
    let mut lines = Vec::with_capacity(rows.len() + 1);
    lines.push(layout.heading(columns, paint));
    lines.extend(rows.iter().map(|row| layout.row(row, paint)));
    lines
}

/// Which columns are shown, and how wide: made from some rows, it holds for those behind them.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    slots: Vec<Slot>,
}

/// The place of a column.
#[derive(Clone, Copy, Debug)]
struct Slot {
    column: usize,
    right: bool,
    elastic: bool,
    wide: usize,
}

impl Layout {
    /// The layout for some rows. A column in which none of them has anything is left out, unless `all` are shown.
    pub(crate) fn of(columns: &[Column<'_>], rows: &[Vec<Cell>], width: usize, all: bool) -> Self {
        let natural = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| width_of(&cell.text)).max();
        let slot = |(at, column): (usize, &Column<'_>)| {
            let widest = natural(at).unwrap_or(0);
            let Column { heading, right, elastic } = *column;
            let wide = widest.max(width_of(heading));
            (all || widest > 0).then_some(Slot { column: at, right, elastic, wide })
        };
        let mut slots: Vec<Slot> = columns.iter().enumerate().filter_map(slot).collect();
        squeeze(&mut slots, width);
        Self { slots }
    }

    /// The line above the rows.
    pub(crate) fn heading(&self, columns: &[Column<'_>], paint: Paint) -> String {
        let cells: Vec<Cell> = columns.iter().map(|column| Cell::new(Role::Heading, column.heading)).collect();
        self.row(&cells, paint)
    }

    /// A row's line. What is too wide in a column that is not elastic takes the room it needs.
    pub(crate) fn row(&self, cells: &[Cell], paint: Paint) -> String {
        let empty = Cell::from("");
        let mut out = String::new();
        let mut owed = 0;
        for slot in &self.slots {
            let cell = cells.get(slot.column).unwrap_or(&empty);
            let text = if slot.elastic { fit(&cell.text, slot.wide) } else { cell.text.clone() };
            let pad = slot.wide.saturating_sub(width_of(&text));
            let (before, after) = if slot.right { (pad, 0) } else { (0, pad) };
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
}

/// Takes what is too wide from the elastic columns, the last one first: what stands in front matters more.
fn squeeze(slots: &mut [Slot], width: usize) {
    let total: usize = slots.iter().map(|slot| slot.wide + GAP).sum::<usize>().saturating_sub(GAP);
    let mut over = total.saturating_sub(width);
    for slot in slots.iter_mut().rev().filter(|slot| slot.elastic) {
        let given = over.min(slot.wide.saturating_sub(NARROWEST));
        slot.wide -= given;
        over -= given;
    }
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
