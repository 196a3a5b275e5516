//! A screen as a picture: what a terminal of 256 colours and more shows, as SVG. For the README's screenshots.

use std::fmt::Write as _;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

/// Pixels of one cell.
const CELL: (usize, usize) = (8, 17);
const MARGIN: usize = 10;
const GROUND: &str = "#1a1b26";
const INK: &str = "#c0caf5";

/// Draws a buffer.
pub(super) fn svg(buffer: &Buffer) -> String {
    let (width, height) = (usize::from(buffer.area.width), usize::from(buffer.area.height));
    let (wide, high) = (width * CELL.0 + 2 * MARGIN, height * CELL.1 + 2 * MARGIN);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\">\n\
         <rect width=\"{wide}\" height=\"{high}\" rx=\"6\" fill=\"{GROUND}\"/>\n\
         <g font-family=\"ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace\" font-size=\"13\" \
         xml:space=\"preserve\">\n"
    );
    for y in 0..buffer.area.height {
        let mut x = 0;
        while x < buffer.area.width {
            let Some(first) = buffer.cell((x, y)) else { break };
            let look = |cell: &ratatui::buffer::Cell| (cell.fg, cell.bg, cell.modifier);
            let style = look(first);
            let mut text = String::new();
            let start = x;
            while let Some(cell) = buffer.cell((x, y)).filter(|cell| x < buffer.area.width && look(cell) == style) {
                text.push_str(cell.symbol());
                x += u16::try_from(crate::text::width_of(cell.symbol()).max(1)).unwrap_or(1);
            }
            run(&mut out, (usize::from(start), usize::from(y)), usize::from(x - start), &text, style);
        }
    }
    out += "</g>\n</svg>\n";
    out
}

/// Cells of one style.
fn run(out: &mut String, (x, y): (usize, usize), cells: usize, text: &str, style: (Color, Color, Modifier)) {
    let (fg, bg, modifier) = style;
    let (mut ink, mut ground) = (colour(fg, INK), colour(bg, GROUND));
    if modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut ground);
    }
    let (left, top) = (MARGIN + x * CELL.0, MARGIN + y * CELL.1);
    let width = cells * CELL.0;
    if ground != GROUND {
        _ = writeln!(out, "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{}\" fill=\"{ground}\"/>", CELL.1);
    }
    if text.trim().is_empty() {
        return;
    }
    let weight = if modifier.contains(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
    let faint = if modifier.contains(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
    let (base, length) = (top + CELL.1 - 4, crate::text::width_of(text.trim_end()) * CELL.0);
    let text = text.trim_end().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    _ = writeln!(
        out,
        "<text x=\"{left}\" y=\"{base}\" textLength=\"{length}\" fill=\"{ink}\"{weight}{faint}>{text}</text>"
    );
}

fn colour(colour: Color, plain: &str) -> String {
    match colour {
        Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        Color::Red => "#f7768e".to_owned(),
        Color::Green => "#9ece6a".to_owned(),
        Color::Yellow => "#e0af68".to_owned(),
        Color::Blue => "#7aa2f7".to_owned(),
        Color::Magenta => "#bb9af7".to_owned(),
        Color::Cyan => "#7dcfff".to_owned(),
        _ => plain.to_owned(),
    }
}
