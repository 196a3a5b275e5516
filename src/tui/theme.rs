//! What text looks like by its role, for every kind of terminal: true colours, 256, 16, or none.
//!
//! The themes are files of roles; a terminal of fewer colours gets the nearest, one of sixteen its own palette, so that
//! light and dark are its choice. Without colour, weight and reversal say the same. Limits: what a terminal can is
//! taken from its environment; nothing is asked of it.

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};

use crate::config::{Colour, Environment, ScreenStyle};

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    Plain,
    Faint,
    Name,
    Heading,
    Good,
    Warning,
    Bad,
    Number,
    Text,
    Field,
    Match,
    Mark,
    Badge,
    Safe,
    Cursor,
    Frame,
}

const NAMES: [(Role, &str); 16] = [
    (Role::Plain, "plain"),
    (Role::Faint, "faint"),
    (Role::Name, "name"),
    (Role::Heading, "heading"),
    (Role::Good, "good"),
    (Role::Warning, "warning"),
    (Role::Bad, "bad"),
    (Role::Number, "number"),
    (Role::Text, "text"),
    (Role::Field, "field"),
    (Role::Match, "match"),
    (Role::Mark, "mark"),
    (Role::Badge, "badge"),
    (Role::Safe, "safe"),
    (Role::Cursor, "cursor"),
    (Role::Frame, "frame"),
];

/// How many colours a terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Depth {
    None,
    Sixteen,
    Indexed,
    True,
}

const DARK: &str = include_str!("../../assets/themes/dark.toml");
const LIGHT: &str = include_str!("../../assets/themes/light.toml");

/// The style of each role.
#[derive(Clone, Debug)]
pub(crate) struct Theme {
    styles: HashMap<Role, Style>,
    pub(crate) depth: Depth,
    /// Nothing but ASCII is drawn.
    pub(crate) ascii: bool,
}

impl Theme {
    /// The theme for a terminal: what the operator said, else what its environment tells.
    pub(crate) fn of(style: &ScreenStyle, environment: &Environment, colour: Option<bool>) -> Self {
        let get = |name: &str| environment.get(name).unwrap_or_default();
        let term = get("TERM");
        let depth = match colour {
            Some(false) => Depth::None,
            None if environment.get("NO_COLOR").is_some_and(|value| !value.is_empty()) => Depth::None,
            _ if style.theme.as_deref() == Some("none") => Depth::None,
            _ if ["truecolor", "24bit"].contains(&get("COLORTERM")) || term.ends_with("-direct") => Depth::True,
            _ if term.contains("256color") => Depth::Indexed,
            _ => Depth::Sixteen,
        };
        let light = match style.theme.as_deref() {
            Some("light") => true,
            Some("dark") => false,
            // `15;0`: the background is the last number; 7 and 9 to 15 are light.
            _ => get("COLORFGBG").rsplit(';').next().and_then(|n| n.parse().ok()).is_some_and(|n: u8| n == 7 || n > 8),
        };
        let locale =
            ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| environment.get(name).filter(|v| !v.is_empty()));
        let plain_locale = locale.is_some_and(|locale| !locale.to_lowercase().replace('-', "").contains("utf8"));
        Self::new(if light { LIGHT } else { DARK }, depth, style.ascii.unwrap_or(plain_locale))
    }

    fn new(file: &str, depth: Depth, ascii: bool) -> Self {
        let table: HashMap<String, String> = toml::from_str(file).unwrap_or_default();
        let style = |(role, name): &(Role, &str)| {
            let style = table.get(*name).and_then(|spec| style(spec, depth)).unwrap_or_default();
            (*role, if depth == Depth::None { without_colour(*role) } else { style })
        };
        Self { styles: NAMES.iter().map(style).collect(), depth, ascii }
    }

    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles.get(&role).copied().unwrap_or_default()
    }

    /// A profile's own colour.
    pub(crate) fn profile(&self, colour: Option<Colour>) -> Style {
        let style = self.style(Role::Name);
        match colour {
            Some(colour) if self.depth != Depth::None => style.fg(match colour {
                Colour::Red => Color::Red,
                Colour::Green => Color::Green,
                Colour::Yellow => Color::Yellow,
                Colour::Blue => Color::Blue,
                Colour::Magenta => Color::Magenta,
                Colour::Cyan => Color::Cyan,
            }),
            _ => style,
        }
    }
}

fn without_colour(role: Role) -> Style {
    let style = Style::new();
    match role {
        Role::Faint | Role::Frame => style.add_modifier(Modifier::DIM),
        Role::Cursor | Role::Badge | Role::Safe | Role::Match => style.add_modifier(Modifier::REVERSED),
        Role::Heading | Role::Bad | Role::Warning | Role::Mark => style.add_modifier(Modifier::BOLD),
        _ => style,
    }
}

/// Reads `FG[/BG] FG16[/BG16] [bold|reverse16]`; `None` for what can't be read.
fn style(spec: &str, depth: Depth) -> Option<Style> {
    let words: Vec<&str> = spec.split_whitespace().collect();
    let Some(rich) = words.first() else { return Some(Style::new()) };
    let sixteen = words.get(1).copied().unwrap_or("-");
    let chosen = if depth == Depth::Sixteen { sixteen } else { *rich };
    let read = |text: &str| if depth == Depth::Sixteen { named(text) } else { rgb(text, depth) };
    let (fg, bg) = chosen.split_once('/').unwrap_or((chosen, ""));
    let mut style = Style::new();
    for (text, is_background) in [(fg, false), (bg, true)] {
        if text.is_empty() || text == "-" {
            continue;
        }
        let colour = read(text)?;
        style = if is_background { style.bg(colour) } else { style.fg(colour) };
    }
    for word in words.iter().skip(2) {
        match *word {
            "bold" => style = style.add_modifier(Modifier::BOLD),
            "reverse16" if depth == Depth::Sixteen => style = style.add_modifier(Modifier::REVERSED),
            "reverse16" => {}
            _ => return None,
        }
    }
    Some(style)
}

fn named(name: &str) -> Option<Color> {
    Some(match name {
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::White,
        "bright-black" => Color::DarkGray,
        _ => return None,
    })
}

fn rgb(text: &str, depth: Depth) -> Option<Color> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at: usize| digits.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
    let colour = [part(0)?, part(2)?, part(4)?];
    let [red, green, blue] = colour;
    Some(if depth == Depth::Indexed { Color::Indexed(nearest(colour)) } else { Color::Rgb(red, green, blue) })
}

/// The colour of the 256 that is nearest: of the cube of six steps and the greys, whose values are fixed.
fn nearest(colour: [u8; 3]) -> u8 {
    const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];
    let distance = |other: [u8; 3]| -> u32 {
        other.iter().zip(colour).map(|(one, two)| u32::from(one.abs_diff(two)).pow(2)).sum()
    };
    let value = |step: u8| STEPS.get(usize::from(step)).copied().unwrap_or(0);
    let steps = colour.map(|part| (0..6_u8).min_by_key(|step| value(*step).abs_diff(part)).unwrap_or(0));
    let grey = (0..24_u8).min_by_key(|at| distance([8 + 10 * at; 3])).unwrap_or(0);
    let [red, green, blue] = steps;
    if distance([8 + 10 * grey; 3]) < distance(steps.map(value)) {
        232 + grey
    } else {
        16 + 36 * red + 6 * green + blue
    }
}

/// What stands for a character on a terminal that knows ASCII only.
pub(crate) fn ascii(symbol: &str) -> &'static str {
    match symbol {
        "█" | "▇" | "▆" | "▉" | "▊" | "▋" => "#",
        "▅" | "▄" => "=",
        "▃" | "▂" | "─" => "-",
        "▁" | "░" | "·" | "…" => ".",
        "│" | "▏" | "▎" | "▍" | "▌" => "|",
        "┌" | "┐" | "└" | "┘" | "╭" | "╮" | "╰" | "╯" | "✓" => "+",
        "✗" => "x",
        "→" | "›" | "▸" => ">",
        "←" | "≤" => "<",
        "●" => "*",
        "○" => "o",
        "↑" => "^",
        "▾" | "↓" => "v",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_themes_have_every_role_for_every_depth() {
        for file in [DARK, LIGHT] {
            let table: HashMap<String, String> = toml::from_str(file).unwrap();
            for (_, name) in NAMES {
                for depth in [Depth::Sixteen, Depth::Indexed, Depth::True] {
                    assert!(style(&table[name], depth).is_some(), "{name}");
                }
            }
            assert_eq!(table.len(), NAMES.len());
        }
    }

    #[test]
    fn what_a_terminal_can_is_told_by_its_environment() {
        let depth = |pairs: &[(&str, &str)]| {
            Theme::of(&ScreenStyle::default(), &pairs.iter().copied().collect::<Environment>(), None).depth
        };
        assert_eq!(depth(&[("TERM", "xterm")]), Depth::Sixteen);
        assert_eq!(depth(&[("TERM", "xterm-256color")]), Depth::Indexed);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]), Depth::None);
        let ascii =
            |locale| Theme::of(&ScreenStyle::default(), &Environment::from_iter([("LANG", locale)]), None).ascii;
        assert!(ascii("C") && !ascii("en_GB.UTF-8") && !ascii(""));
    }

    #[test]
    fn the_nearest_of_256_is_near() {
        assert_eq!([[0, 0, 0], [255, 255, 255], [255, 0, 0]].map(nearest), [16, 231, 196]);
        assert_eq!(nearest([130, 130, 130]), 244);
    }
}
