//! A table: columns as wide as what is shown needs, the elastic one cut, whole columns left out from the right where the
//! terminal is too narrow. Only the rows on the screen are asked for.

use ratatui::layout::Rect;

use super::{Canvas, Spot, top};
use crate::text::{fit, safe, width_of};
use crate::tui::theme::Role;

/// One cell.
pub(super) struct Cell(pub(super) Role, pub(super) String);

/// A column: its title, whether it is right-aligned, whether it takes the room that is left.
pub(super) struct Column<'a>(pub(super) &'a str, pub(super) bool, pub(super) bool);

/// Cells that an elastic column keeps.
const ELASTIC: usize = 20;

impl Canvas<'_> {
    /// Draws the rows of a page around the cursor; `row` makes one of them.
    pub(super) fn table(
        &mut self,
        area: Rect,
        columns: &[Column<'_>],
        count: usize,
        cursor: usize,
        row: &dyn Fn(usize) -> Vec<Cell>,
    ) {
        let height = usize::from(area.height.saturating_sub(1)).max(1);
        let first = top(cursor, height);
        let rows: Vec<Vec<Cell>> = (first..count.min(first + height)).map(row).collect();
        let wide = |at: usize| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| width_of(&safe(&cell.1)));
            cells.chain([columns.get(at).map_or(0, |column| column.0.len())]).max().unwrap_or(0)
        };
        let widths = widths((0..columns.len()).map(wide).collect(), columns, usize::from(area.width));
        let heads: Vec<Cell> = columns.iter().map(|column| Cell(Role::Faint, column.0.to_owned())).collect();
        self.line(area, area.y, columns, &widths, &heads);
        for (n, cells) in rows.iter().enumerate() {
            let y = area.y + 1 + u16::try_from(n).unwrap_or(u16::MAX / 2);
            self.line(area, y, columns, &widths, cells);
            self.spot(area.x, y, area.width, Spot::Row(first + n));
            if first + n == cursor {
                let style = self.style(Role::Cursor);
                self.buffer.set_style(Rect { y, height: 1, ..area }, style);
            }
        }
    }

    fn line(&mut self, area: Rect, y: u16, columns: &[Column<'_>], widths: &[usize], cells: &[Cell]) {
        let mut x = area.x;
        for ((column, width), Cell(role, text)) in columns.iter().zip(widths).zip(cells) {
            if *width == 0 {
                continue;
            }
            let text = fit(text, *width);
            let pad = u16::try_from(width.saturating_sub(width_of(&text))).unwrap_or(0);
            let left = usize::from((area.x + area.width).saturating_sub(x));
            self.put(if column.1 { x + pad } else { x }, y, left, &text, *role);
            x += u16::try_from(*width).unwrap_or(0) + 2;
        }
    }
}

/// The widths that fit; a column that does not is left out.
fn widths(mut widths: Vec<usize>, columns: &[Column<'_>], room: usize) -> Vec<usize> {
    let used = |widths: &[usize]| widths.iter().filter(|n| **n > 0).map(|n| n + 2).sum::<usize>().saturating_sub(2);
    for at in (1..columns.len()).rev() {
        let give: usize = columns
            .iter()
            .zip(&widths)
            .filter(|(column, _)| column.2)
            .map(|(_, width)| width.saturating_sub(ELASTIC))
            .sum();
        if used(&widths).saturating_sub(give) <= room {
            break;
        }
        if columns.get(at).is_some_and(|column| !column.2)
            && let Some(slot) = widths.get_mut(at)
        {
            *slot = 0;
        }
    }
    // What is over is taken from the widest elastic column, again and again.
    while used(&widths) > room {
        let over = used(&widths) - room;
        let elastic: Vec<usize> =
            (0..columns.len()).filter(|at| columns.get(*at).is_some_and(|column| column.2)).collect();
        let Some(at) = elastic.into_iter().max_by_key(|at| widths.get(*at).copied().unwrap_or(0)) else { break };
        let Some(slot) = widths.get_mut(at).filter(|slot| **slot > 1) else { break };
        *slot -= over.min((*slot / 4).max(1));
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_give_room_and_the_rightmost_go_first() {
        let columns =
            [Column("A", false, true), Column("B", true, false), Column("C", false, true), Column("D", false, false)];
        assert_eq!(widths(vec![30, 5, 10, 6], &columns, 80), [30, 5, 10, 6]);
        let narrow = widths(vec![90, 5, 60, 6], &columns, 60);
        assert_eq!(narrow.iter().filter(|n| **n > 0).map(|n| n + 2).sum::<usize>() - 2, 60);
        assert!(widths(vec![90, 15, 60, 16], &columns, 45)[3] == 0);
    }
}
