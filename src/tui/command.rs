//! The one table of commands: what can be done where, by which keys, and why not now.
//!
//! Footer, help, palette and the README's key table are made from it; `update` does what it names. A command that
//! writes is `danger`: on a read-only profile it is stripped from all of them, and its key says why.

use super::key::Key;
use super::state::State;

/// A place where keys mean something: a screen, or a dialog over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scope {
    Queues,
    Groups,
    Messages,
    Detail,
    Log,
    Help,
    Cost,
    Input,
    Sheet,
    Running,
    Receipt,
}

use Scope::{Cost, Detail, Groups, Help, Input, Log, Messages, Queues, Receipt, Running, Sheet};

impl Scope {
    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Queues => "queues",
            Groups => "causes",
            Messages => "messages",
            Detail => "one message",
            Log => "log",
            Help => "help",
            Cost => "price of a look",
            Input => "questions",
            Sheet => "plan sheet",
            Running => "progress",
            Receipt => "receipt",
        }
    }
}

const SCREENS: &[Scope] = &[Queues, Groups, Messages, Detail, Log];
const MOVING: &[Scope] = &[Queues, Groups, Messages, Detail, Log, Help, Sheet, Receipt];
const ACTING: &[Scope] = &[Queues, Groups, Messages, Detail];

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table says what each does")]
pub enum Command {
    Accept,
    Back,
    Replay,
    Drain,
    Capture,
    Filter,
    Incident,
    OpenMessages,
    OpenGroups,
    NextTab,
    Choose,
    CancelRun,
    Refresh,
    Log,
    Help,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Quit,
    Interrupt,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub command: Command,
    /// Its name.
    pub name: &'static str,
    /// One word for the footer; empty to keep it out of there.
    pub title: &'static str,
    /// One sentence for the help.
    pub help: &'static str,
    /// Its keys, the one to show first.
    pub keys: &'static [&'static str],
    /// Where it can be done.
    pub scopes: &'static [Scope],
    /// It writes to a broker: read-only profiles have it not.
    pub danger: bool,
    /// Why it can't be done now.
    pub disabled: fn(&State) -> Option<String>,
}

fn never(_: &State) -> Option<String> {
    None
}

const fn entry(
    command: Command,
    name: &'static str,
    title: &'static str,
    keys: &'static [&'static str],
    scopes: &'static [Scope],
    help: &'static str,
) -> Entry {
    Entry { command, name, title, help, keys, scopes, danger: false, disabled: never }
}

impl Entry {
    const fn danger(mut self) -> Self {
        self.danger = true;
        self
    }

    const fn unless(mut self, disabled: fn(&State) -> Option<String>) -> Self {
        self.disabled = disabled;
        self
    }

    /// Why it can't be done now: the policy first, then what it lacks.
    #[must_use]
    pub fn reason_against(&self, state: &State) -> Option<String> {
        let read_only = if self.danger { state.read_only() } else { None };
        read_only.or_else(|| (self.disabled)(state))
    }
}

/// Every command.
pub const TABLE: &[Entry] = &[
    entry(
        Command::Accept,
        "open",
        "open",
        &["enter"],
        &[Queues, Groups, Messages, Cost, Input, Sheet, Receipt],
        "Open what is under the cursor, or do what is chosen",
    )
    .unless(State::nothing_here),
    entry(
        Command::Back,
        "back",
        "back",
        &["esc"],
        &[Groups, Messages, Detail, Log, Help, Cost, Input, Sheet, Receipt],
        "Go back",
    ),
    entry(Command::Replay, "replay", "replay", &["r"], ACTING, "Plan a replay to where the messages came from")
        .danger()
        .unless(State::cannot_act),
    entry(Command::Drain, "drain", "drain", &["d"], ACTING, "Plan a drain: archive first, then remove")
        .danger()
        .unless(State::cannot_act),
    entry(Command::Capture, "capture", "capture", &["w"], ACTING, "Copy to an archive; the queue keeps everything")
        .unless(State::cannot_act),
    entry(Command::Filter, "filter", "filter", &["/"], &[Queues, Groups, Messages], "Show only what matches"),
    entry(Command::Incident, "incident", "incident", &["a"], &[Queues], "Group the dead of every queue together"),
    entry(Command::OpenMessages, "messages", "messages", &["m"], &[Queues, Groups], "List the messages")
        .unless(State::nothing_here),
    entry(Command::OpenGroups, "causes", "causes", &["c"], &[Queues], "Group the messages by what killed them")
        .unless(State::nothing_here),
    entry(Command::NextTab, "next-tab", "tab", &["tab"], &[Groups, Detail], "The next grouping key, or the next tab"),
    entry(Command::Choose, "choose", "choose", &["tab", "left", "right"], &[Sheet], "Choose between dry run and run"),
    entry(
        Command::CancelRun,
        "cancel",
        "cancel",
        &["esc"],
        &[Running],
        "Stop: what is under way is finished, the rest stays",
    ),
    entry(Command::Refresh, "refresh", "refresh", &["ctrl-r", "f5"], &[Queues, Groups, Messages], "Ask again"),
    entry(
        Command::Log,
        "log",
        "log",
        &["L"],
        &[Queues, Groups, Messages, Detail],
        "Everything that was said, with the command lines",
    ),
    entry(Command::Help, "help", "help", &["?", "f1"], SCREENS, "What the keys do here"),
    entry(Command::Up, "up", "", &["up", "k"], MOVING, "Up"),
    entry(Command::Down, "down", "", &["down", "j"], MOVING, "Down"),
    entry(Command::PageUp, "page-up", "", &["pgup", "ctrl-b"], MOVING, "A page up"),
    entry(Command::PageDown, "page-down", "", &["pgdn", "ctrl-f"], MOVING, "A page down"),
    entry(Command::Top, "top", "", &["home", "g"], MOVING, "To the top"),
    entry(Command::Bottom, "bottom", "", &["end", "G"], MOVING, "To the bottom"),
    entry(Command::Quit, "quit", "quit", &["q"], SCREENS, "Leave; whatever is held is returned first"),
    entry(
        Command::Interrupt,
        "interrupt",
        "",
        &["ctrl-c"],
        &[Queues, Groups, Messages, Detail, Log, Help, Cost, Input, Sheet, Running, Receipt],
        "Leave; a run that is under way is stopped first",
    ),
];

/// The commands of a place that the policy allows, in the table's order.
pub(crate) fn of(scope: Scope, state: &State) -> impl Iterator<Item = &'static Entry> {
    let read_only = state.read_only().is_some();
    TABLE.iter().filter(move |entry| entry.scopes.contains(&scope) && !(entry.danger && read_only))
}

/// What a key does in a place.
pub(crate) fn find(scope: Scope, key: Key) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| entry.scopes.contains(&scope) && entry.keys.iter().any(|known| known.parse() == Ok(key)))
}

/// The table as Markdown, for the README.
#[must_use]
pub fn markdown() -> String {
    use std::fmt::Write as _;
    let mut out = String::from("| key | does | where |\n|---|---|---|\n");
    for entry in TABLE {
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
        let everywhere = SCREENS.iter().all(|scope| entry.scopes.contains(scope));
        let places: Vec<&str> = entry.scopes.iter().map(|scope| scope.title()).collect();
        let places = if everywhere { "everywhere".to_owned() } else { places.join(", ") };
        _ = writeln!(out, "| {} | {} | {places} |", keys.join(", "), entry.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_is_a_key_and_does_one_thing_in_each_place() {
        for (at, entry) in TABLE.iter().enumerate() {
            for key in entry.keys {
                key.parse::<Key>().unwrap();
                let other = TABLE.iter().skip(at + 1).find(|other| {
                    other.keys.contains(key) && other.scopes.iter().any(|scope| entry.scopes.contains(scope))
                });
                assert!(other.is_none(), "{key} is {} and {:?}", entry.name, other.map(|other| other.name));
            }
        }
    }
}
