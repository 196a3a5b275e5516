//! Breaking styled lines to a width, at spaces where there are some; what goes on is indented.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar as _;

/// Letters of a word that is not broken.
const LONG: usize = 48;

/// The lines of a line that is `width` cells wide at most; those behind the first begin with `indent` blanks.
pub(super) fn wrap(line: &Line<'_>, width: usize, indent: usize) -> Vec<Line<'static>> {
    let width = width.max(1);
    let indent = indent.min(width / 2);
    let letters = line.spans.iter().flat_map(|span| span.content.chars().map(move |c| (c, span.style)));
    let letters: Vec<(char, Style)> = letters.collect();
    let mut lines = Vec::new();
    let mut rest = letters.as_slice();
    loop {
        let lead = if lines.is_empty() { 0 } else { indent };
        let end = fitting(rest, width - lead);
        let (mut here, mut behind) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if behind.first().is_some_and(|(c, _)| *c != ' ') {
            // A word that is too long is broken where the line ends, and a name stays with its value.
            let from = if lines.is_empty() { indent } else { 0 };
            let is_worth = |at: &usize| {
                here.len() - at <= LONG && here.get(from..*at).is_some_and(|text| text.iter().any(|(c, _)| *c != ' '))
            };
            let space = here.iter().rposition(|(c, _)| *c == ' ').filter(is_worth);
            if let Some(at) = space {
                (here, behind) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
            }
        }
        lines.push(joined(here, lead));
        let blanks = behind.iter().take_while(|(c, _)| *c == ' ').count();
        rest = behind.get(blanks..).unwrap_or_default();
        if rest.is_empty() {
            return lines;
        }
    }
}

/// How many letters fit; at least one.
fn fitting(letters: &[(char, Style)], width: usize) -> usize {
    let mut used = 0;
    for (at, (c, _)) in letters.iter().enumerate() {
        used += c.width().unwrap_or(0);
        if used > width {
            return at.max(1);
        }
    }
    letters.len()
}

fn joined(letters: &[(char, Style)], lead: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    if lead > 0 {
        spans.push(Span::raw(" ".repeat(lead)));
    }
    for run in letters.chunk_by(|(_, one), (_, next)| one == next) {
        let style = run.first().map(|(_, style)| *style).unwrap_or_default();
        spans.push(Span::styled(run.iter().map(|(c, _)| *c).collect::<String>(), style));
    }
    Line::from(spans)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wrapped(text: &str, width: usize, indent: usize) -> Vec<String> {
        wrap(&Line::from(text.to_owned()), width, indent).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_line_breaks_at_spaces_and_a_long_word_where_the_line_ends() {
        assert_eq!(wrapped("the quick brown fox", 10, 2), ["the quick ", "  brown ", "  fox"]);
        assert_eq!(wrapped("name  abcdefghijklm", 12, 6), ["name  abcdef", "      ghijkl", "      m"]);
        let long = "a".repeat(60);
        assert_eq!(wrapped(&format!("to {long}"), 60, 0)[0].len(), 60);
        assert_eq!(wrapped("abcdefghij", 4, 0), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("", 4, 0), [""]);
        assert_eq!(wrapped("数数数", 4, 0), ["数数", "数"]);
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost_and_no_line_is_too_wide(text in "[a-c 数]{0,40}", width in 2_usize..12, indent in 0_usize..12) {
            let lines = wrapped(&text, width, indent);
            let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            for line in wrap(&Line::from(text), width, indent) {
                prop_assert!(line.width() <= width.max(3), "{line}");
            }
        }
    }
}
