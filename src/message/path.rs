//! A place in a decoded payload: `.path.to[0]`, `[]` for any element, `."odd.name"`. The filter's parser reads them.

use std::fmt;

/// Steps from the top of a payload to a value.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Path(pub(crate) Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member of that name.
    Name(String),
    /// The element at that index.
    Index(usize),
    /// Every element.
    Any,
}

impl Path {
    /// Whether it names the whole payload.
    pub(crate) fn is_whole(&self) -> bool {
        self.0.is_empty()
    }

    /// The member names on the way.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|step| match step {
            Step::Name(name) => Some(name.as_str()),
            Step::Index(_) | Step::Any => None,
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| step.fmt(f))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) if name.chars().all(is_bare) && !name.is_empty() => write!(f, ".{name}"),
            Self::Name(name) => write!(f, ".{}", Quoted(name)),
            Self::Index(index) => write!(f, "[{index}]"),
            Self::Any => f.write_str("[]"),
        }
    }
}

/// Whether a character can stand in a name without quotes.
pub(crate) fn is_bare(c: char) -> bool {
    !c.is_whitespace()
        && !c.is_control()
        && !matches!(c, '.' | '[' | ']' | '(' | ')' | '"' | '\'' | ':' | '=' | '!' | '<' | '>' | '~')
}

/// A header's or property's name as a filter has it behind the dot.
pub(crate) fn quoted_name(name: &str) -> String {
    let bare = !name.is_empty() && name.chars().all(|c| is_bare(c) || matches!(c, '.' | '[' | ']'));
    if bare { name.to_owned() } else { Quoted(name).to_string() }
}

/// A text in the quotes of the language: `"` and `\` are escaped, and nothing else.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for c in self.0.chars() {
            if matches!(c, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{c}")?;
        }
        f.write_str("\"")
    }
}
