//! Colours by role, on or off as a whole.

use clap::builder::styling::{AnsiColor, Style};

use crate::config::Colour;

/// Paints text by role; without colour it gives the text back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    /// Whether there is colour at all.
    pub(crate) on: bool,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// As the terminal has it.
    Plain,
    /// A heading of a table or section.
    Heading,
    /// Less important than what stands around it.
    Faint,
    /// A name to remember: a queue, a key.
    Name,
    /// A failure.
    Bad,
    /// Something to mind.
    Warning,
    /// As it should be.
    Good,
    /// A profile's own colour.
    Profile(Colour),
}

impl Paint {
    /// The text in the role's colour. The text must be safe already.
    pub(crate) fn paint(self, role: Role, text: &str) -> String {
        let style = style(role);
        if self.on && role != Role::Plain && !text.is_empty() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
}

fn style(role: Role) -> Style {
    match role {
        Role::Plain => Style::new(),
        Role::Heading => Style::new().bold(),
        Role::Faint => Style::new().dimmed(),
        Role::Name => AnsiColor::Cyan.on_default(),
        Role::Bad => AnsiColor::Red.on_default(),
        Role::Warning => AnsiColor::Yellow.on_default(),
        Role::Good => AnsiColor::Green.on_default(),
        Role::Profile(colour) => match colour {
            Colour::Red => AnsiColor::Red,
            Colour::Green => AnsiColor::Green,
            Colour::Yellow => AnsiColor::Yellow,
            Colour::Blue => AnsiColor::Blue,
            Colour::Magenta => AnsiColor::Magenta,
            Colour::Cyan => AnsiColor::Cyan,
        }
        .on_default()
        .bold(),
    }
}
