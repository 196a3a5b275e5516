//! The one table of commands: what can be done where, by which keys, and why not now.
//!
//! Footer, help, palette and the README's key table are made from it; `update` does what it names. A command that
//! writes is `danger`: on a read-only profile it is stripped from all of them, and its key says why. The operator's own
//! keys ([`Keymap`]) take the place of the table's.

use std::collections::{BTreeMap, HashMap};

use super::key::Key;
use super::state::State;
use crate::error::{Error, ErrorKind, Result, nearest};

/// A place where keys mean something: a screen, or a dialog over it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Scope {
    Queues,
    Groups,
    Messages,
    Detail,
    Show,
    Consumers,
    Partitions,
    Journal,
    Run,
    Log,
    Help,
    Cost,
    Input,
    Palette,
    Compose,
    Sheet,
    Running,
    Receipt,
}

use Scope::{
    Compose, Consumers, Cost, Detail, Groups, Help, Input, Journal, Log, Messages, Palette, Partitions, Queues,
    Receipt, Run, Running, Sheet, Show,
};

impl Scope {
    /// Whether the screen asks for what it shows by itself, which costs a queue nothing.
    pub(crate) const fn is_asked_for(self) -> bool {
        matches!(self, Show | Consumers | Partitions | Journal | Run)
    }

    /// Its name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Queues => "queues",
            Groups => "causes",
            Messages => "messages",
            Detail => "one message",
            Show => "about a queue",
            Consumers => "consumer groups",
            Partitions => "one consumer group",
            Journal => "journal",
            Run => "one run",
            Log => "log",
            Help => "help",
            Cost => "price of a look",
            Input => "questions",
            Palette => "choices",
            Compose => "new message",
            Sheet => "plan sheet",
            Running => "progress",
            Receipt => "receipt",
        }
    }
}

const SCREENS: &[Scope] = &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log];
const MOVING: &[Scope] =
    &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Help, Palette, Sheet, Receipt];
/// Where letters move, too: not where they are typed or mean an option.
const PAGES: &[Scope] = &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Help];
/// Where help is: not over what waits for an answer, or takes letters.
const EXPLAINED: &[Scope] =
    &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Sheet, Receipt];
const ACTING: &[Scope] = &[Queues, Groups, Messages, Detail];
const ALL: &[Scope] = &[
    Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Help, Cost, Input, Palette,
    Compose, Sheet, Running, Receipt,
];

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table says what each does")]
pub enum Command {
    Accept,
    Back,
    Send,
    Editor,
    Choose,
    Target,
    Rate,
    Edit,
    EditByHand,
    Keep,
    Again,
    Ramp,
    Verify,
    InFlight,
    PerKey,
    MaxFailures,
    MaxReplays,
    Park,
    Rescue,
    Limit,
    Reason,
    SamePartition,
    ServerSide,
    Exact,
    SavePlan,
    LookIn,
    PauseRun,
    CancelRun,
    ResumeRun,
    UndoRun,
    OpenRun,
    Replay,
    Drain,
    Purge,
    Capture,
    Publish,
    EditCopy,
    Filter,
    Search,
    NextMatch,
    PreviousMatch,
    Incident,
    OpenMessages,
    OpenGroups,
    Show,
    Consumers,
    Reset,
    NextTab,
    PreviousTab,
    NextMessage,
    PreviousMessage,
    Fold,
    FoldAll,
    Mark,
    MarkAll,
    Order,
    From,
    Follow,
    Pause,
    Columns,
    Copy,
    CopyLine,
    Save,
    Pager,
    ReadInEditor,
    Refresh,
    Journal,
    Palette,
    Log,
    Help,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Suspend,
    Quit,
    Interrupt,
}

/// One row of the table.
#[derive(Debug)]
pub struct Entry {
    /// What it is.
    pub command: Command,
    /// Its name, as in the config file.
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
        &[Queues, Groups, Messages, Detail, Consumers, Journal, Cost, Input, Palette, Sheet, Receipt],
        "Open what is under the cursor, or do what is chosen",
    )
    .unless(State::nothing_here),
    entry(
        Command::Back,
        "back",
        "back",
        &["esc"],
        &[
            Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Help, Cost, Input, Palette,
            Compose, Sheet, Receipt,
        ],
        "Go back",
    ),
    entry(Command::Choose, "choose", "choose", &["tab", "left", "right"], &[Sheet], "Choose between dry run and run")
        .unless(State::no_plan),
    entry(
        Command::Target,
        "target",
        "to",
        &["t"],
        &[Sheet],
        "Send to another queue, or drain to another queue or archive; plan again",
    )
    .unless(State::no_target),
    entry(Command::Limit, "limit", "limit", &["l"], &[Sheet], "Take only the first that match; plan again")
        .unless(State::no_limit),
    entry(Command::Rate, "rate", "rate", &["p"], &[Sheet], "Send at most so many a second").unless(State::no_rate),
    entry(
        Command::Ramp,
        "ramp",
        "steps",
        &["s"],
        &[Sheet],
        "Send a few first, then more: each step waits until the one before is consumed",
    )
    .unless(State::no_replay),
    entry(Command::Verify, "verify", "verify", &["v"], &[Sheet], "Watch what becomes of the copies afterwards")
        .unless(State::no_replay),
    entry(Command::Edit, "edit", "edit", &["e"], &[Sheet], "Change each message by a jq program, and plan again")
        .unless(State::no_replay),
    entry(
        Command::EditByHand,
        "edit-by-hand",
        "by hand",
        &["E"],
        &[Sheet],
        "Change the messages in $EDITOR, at most 100, and plan again with the difference",
    )
    .unless(State::no_replay),
    entry(Command::Keep, "keep", "keep", &["K"], &[Sheet], "Copy: the originals stay; plan again")
        .unless(State::no_replay),
    entry(Command::Again, "again", "again", &["A"], &[Sheet], "Also what was replayed before; plan again")
        .unless(State::no_replay),
    entry(
        Command::InFlight,
        "max-in-flight",
        "in flight",
        &["f"],
        &[Sheet],
        "Have at most so many sent and not confirmed; where they are watched, not consumed",
    )
    .unless(State::no_replay),
    entry(
        Command::PerKey,
        "per-key",
        "per key",
        &["k"],
        &[Sheet],
        "Send the messages of one key one after the other, and none behind one that failed",
    )
    .unless(State::no_replay),
    entry(Command::MaxFailures, "max-failures", "fails", &["M"], &[Sheet], "Stop when so many failed or came back")
        .unless(State::no_replay),
    entry(
        Command::MaxReplays,
        "max-replays",
        "most",
        &["m"],
        &[Sheet],
        "Leave what was replayed so often before; plan again",
    )
    .unless(State::no_replay),
    entry(
        Command::Park,
        "park",
        "park",
        &["x"],
        &[Sheet],
        "Set what was replayed too often aside in this queue or archive; plan again",
    )
    .unless(State::no_park),
    entry(
        Command::Rescue,
        "rescue",
        "rescue",
        &["R"],
        &[Sheet],
        "Put messages that a return would destroy back as new copies at the tail; plan again",
    )
    .unless(State::no_rescue),
    entry(
        Command::Reason,
        "reason",
        "reason",
        &["b"],
        &[Sheet],
        "Write why they are set aside into each message; plan again",
    )
    .unless(State::no_reason),
    entry(
        Command::SamePartition,
        "same-partition",
        "same partition",
        &["P"],
        &[Sheet],
        "Kafka: send each record to the partition it came from; plan again",
    )
    .unless(State::no_same_partition),
    entry(
        Command::ServerSide,
        "server-side",
        "by the broker",
        &["S"],
        &[Sheet],
        "Let the broker move or drop the whole queue by itself, unmodified and without a journal; plan again",
    )
    .unless(State::no_server_side),
    entry(
        Command::Exact,
        "exact",
        "name each",
        &["n"],
        &[Sheet],
        "Look at the whole queue first, and name every message in the plan; plan again",
    )
    .unless(State::no_exact),
    entry(
        Command::SavePlan,
        "save-plan",
        "save plan",
        &["w"],
        &[Sheet],
        "Save the plan to a file, which `postroom plan run` runs",
    )
    .unless(State::no_plan_to_save),
    entry(Command::LookIn, "look-in", "look in", &["i"], &[Sheet], "Look for copies in another queue, too; plan again")
        .unless(State::no_undo_sheet),
    entry(
        Command::PauseRun,
        "pause-run",
        "pause",
        &["p", "space"],
        &[Running],
        "Pause: what is under way is finished, the rest goes back until you resume",
    )
    .unless(State::cannot_pause),
    entry(
        Command::CancelRun,
        "cancel",
        "cancel",
        &["esc"],
        &[Running],
        "Stop: what is under way is finished, the rest stays",
    ),
    entry(
        Command::ResumeRun,
        "resume",
        "resume",
        &["r"],
        &[Receipt, Journal, Run],
        "Finish a run that was paused or cut short",
    )
    .unless(State::cannot_resume),
    entry(
        Command::UndoRun,
        "undo",
        "undo",
        &["u"],
        &[Receipt, Journal, Run],
        "Plan to put back what a run moved, as far as it is still there",
    )
    .danger()
    .unless(State::cannot_undo),
    entry(Command::OpenRun, "run", "each message", &["j"], &[Receipt], "What became of each message")
        .unless(State::no_journal),
    entry(Command::Send, "send", "plan it", &["ctrl-s", "f2"], &[Compose], "Plan the publish of what is written"),
    entry(Command::Replay, "replay", "replay", &["r"], ACTING, "Plan a replay to where the messages came from")
        .danger()
        .unless(State::cannot_act),
    entry(Command::Drain, "drain", "drain", &["d"], ACTING, "Plan a drain: archive first, then remove")
        .danger()
        .unless(State::cannot_act),
    entry(Command::Purge, "purge", "", &["D"], ACTING, "Plan a purge: remove without a copy; nothing can undo it")
        .danger()
        .unless(State::cannot_act),
    entry(Command::Capture, "capture", "capture", &["w"], ACTING, "Copy to an archive; the queue keeps everything")
        .unless(State::cannot_act),
    entry(Command::Publish, "publish", "", &["P"], &[Queues, Groups, Messages, Show], "Write a message and publish it")
        .danger()
        .unless(State::no_queue),
    entry(
        Command::EditCopy,
        "edit-copy",
        "edit",
        &["e"],
        &[Messages, Detail],
        "Edit a copy of the message and publish it; the original stays",
    )
    .danger()
    .unless(State::no_copy_to_edit),
    entry(Command::Filter, "filter", "filter", &["/"], &[Queues, Groups, Messages], "Show only what matches"),
    entry(Command::Search, "search", "search", &["/"], &[Detail], "Find a text in this tab"),
    entry(Command::NextMatch, "next-match", "", &["n"], &[Detail], "The next place of the text"),
    entry(Command::PreviousMatch, "previous-match", "", &["N"], &[Detail], "The place before"),
    entry(Command::Incident, "incident", "incident", &["a"], &[Queues], "Group the dead of every queue together"),
    entry(Command::OpenMessages, "messages", "messages", &["m"], &[Queues, Groups], "List the messages")
        .unless(State::nothing_here),
    entry(
        Command::OpenGroups,
        "causes",
        "causes",
        &["c"],
        &[Queues, Messages],
        "Group the messages by what killed them",
    )
    .unless(State::nothing_here),
    entry(
        Command::Show,
        "show",
        "about",
        &["i"],
        &[Queues, Groups, Messages, Consumers],
        "Type, policies, bindings, consumers, peek budget",
    )
    .unless(State::no_queue),
    entry(
        Command::Consumers,
        "consumers",
        "consumers",
        &["O"],
        &[Queues, Groups, Messages, Show],
        "The consumer groups of a topic: states, members, lag, offsets",
    )
    .unless(State::no_consumers),
    entry(
        Command::Reset,
        "reset",
        "reset offsets",
        &["r"],
        &[Consumers, Partitions],
        "Plan where this group goes on reading; on its page, only of the partition under the cursor",
    )
    .danger()
    .unless(State::no_group),
    entry(
        Command::NextTab,
        "next-tab",
        "tab",
        &["tab", "right"],
        &[Groups, Detail],
        "The next grouping key, or the next tab",
    ),
    entry(Command::PreviousTab, "previous-tab", "", &["shift-tab", "left"], &[Groups, Detail], "The one before"),
    entry(Command::NextMessage, "next-message", "next", &["]", "J"], &[Detail], "The next message of the list"),
    entry(Command::PreviousMessage, "previous-message", "", &["[", "K"], &[Detail], "The message before"),
    entry(Command::Fold, "fold", "", &["space"], &[Detail], "Fold or unfold what is under the cursor"),
    entry(Command::FoldAll, "fold-all", "", &["z"], &[Detail], "Fold everything, or unfold it"),
    entry(Command::Mark, "mark", "mark", &["space"], &[Queues, Messages], "Mark it; acts then take what is marked")
        .unless(State::nothing_here),
    entry(Command::MarkAll, "mark-all", "", &["ctrl-a"], &[Queues, Messages], "Mark all that is listed, or none")
        .unless(State::nothing_here),
    entry(Command::Order, "order", "", &["o"], &[Messages], "The newest first, or the oldest"),
    entry(Command::From, "from", "", &["f"], &[Messages], "Look again from an offset, a time, the last N, or the end")
        .unless(State::cannot_seek),
    entry(Command::Follow, "follow", "follow", &["F"], &[Messages], "Wait for arrivals, or stop waiting")
        .unless(State::cannot_follow),
    entry(Command::Pause, "pause", "", &["p"], &[Messages], "Hold the list still while following, or let it go on"),
    entry(Command::Columns, "columns", "", &["C"], &[Messages], "Choose the columns: fields of the filter language"),
    entry(
        Command::Copy,
        "copy",
        "copy",
        &["y"],
        &[Messages, Detail, Show, Run, Log],
        "Copy to the clipboard of the terminal",
    ),
    entry(
        Command::CopyLine,
        "copy-line",
        "",
        &["Y"],
        &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Sheet, Receipt],
        "Copy the command line that does the same",
    ),
    entry(
        Command::Save,
        "save",
        "save",
        &["s"],
        &[Messages, Detail],
        "Save to a file: .jsonl and .jsonl.zst hold whole messages, any other name the payload",
    )
    .unless(State::nothing_here),
    entry(Command::Pager, "pager", "", &["v"], &[Detail, Show, Log], "Open it in $PAGER"),
    entry(Command::ReadInEditor, "read-in-editor", "", &["V"], &[Detail, Show, Log], "Open it in $EDITOR, to read"),
    entry(Command::Editor, "editor", "editor", &["ctrl-o", "f4"], &[Compose], "Go on in $EDITOR"),
    entry(
        Command::Refresh,
        "refresh",
        "refresh",
        &["ctrl-r", "f5"],
        &[Queues, Groups, Messages, Show, Consumers, Partitions, Journal, Run],
        "Ask again",
    ),
    entry(
        Command::Journal,
        "journal",
        "journal",
        &["H"],
        &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions],
        "Past runs, their reports, and what can be resumed",
    ),
    entry(
        Command::Palette,
        "palette",
        "commands",
        &[":", "ctrl-p"],
        SCREENS,
        "Find a command or a queue by its letters",
    ),
    entry(
        Command::Log,
        "log",
        "log",
        &["L"],
        &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run],
        "Everything that was said, with the command lines",
    ),
    entry(
        Command::Help,
        "help",
        "help",
        &["?", "f1"],
        EXPLAINED,
        "What the keys do here, and why one does nothing now",
    ),
    entry(Command::Up, "up", "", &["up"], MOVING, "Up"),
    entry(Command::Up, "up", "", &["k"], PAGES, "Up"),
    entry(Command::Down, "down", "", &["down"], MOVING, "Down"),
    entry(Command::Down, "down", "", &["j"], PAGES, "Down"),
    entry(Command::PageUp, "page-up", "", &["pgup"], MOVING, "A page up"),
    entry(Command::PageUp, "page-up", "", &["ctrl-b"], PAGES, "A page up"),
    entry(Command::PageDown, "page-down", "", &["pgdn"], MOVING, "A page down"),
    entry(Command::PageDown, "page-down", "", &["ctrl-f"], PAGES, "A page down"),
    entry(Command::Top, "top", "", &["home", "g"], PAGES, "To the top"),
    entry(Command::Bottom, "bottom", "", &["end", "G"], PAGES, "To the bottom"),
    entry(Command::Suspend, "suspend", "", &["ctrl-z"], SCREENS, "Back to the shell; `fg` comes back"),
    entry(Command::Quit, "quit", "quit", &["q"], SCREENS, "Leave; whatever is held is returned first"),
    entry(Command::Interrupt, "interrupt", "", &["ctrl-c"], ALL, "Leave; a run that is under way is stopped first"),
];

/// The commands of a place that the policy allows, in the table's order, each once.
pub(crate) fn of(scope: Scope, state: &State) -> impl Iterator<Item = &'static Entry> {
    let read_only = state.read_only().is_some();
    let mut seen: Option<Command> = None;
    TABLE
        .iter()
        .filter(move |entry| entry.scopes.contains(&scope) && !(entry.danger && read_only))
        .filter(move |entry| seen.replace(entry.command) != Some(entry.command))
}

/// What each key does in each place.
#[derive(Clone, Debug)]
pub struct Keymap {
    does: HashMap<(Scope, Key), &'static Entry>,
    /// The operator's keys by a command's name.
    own: BTreeMap<String, Vec<Key>>,
}

impl Keymap {
    /// The table's keys, with the operator's own in the place of those of the commands that they name.
    ///
    /// # Errors
    /// `Config` for an unknown command, for what is no key, and for a key that would do two things in one place.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        let fault = |text: String| Error::new(ErrorKind::Config, format!("in [tui.keys]: {text}"));
        let mut read = BTreeMap::new();
        for (name, keys) in own {
            if !TABLE.iter().any(|entry| entry.name == name) {
                let error = fault(format!("there is no command {name:?}"));
                let near = nearest(name, TABLE.iter().map(|entry| entry.name));
                return Err(match near {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint("the README lists the commands with their keys"),
                });
            }
            let keys: std::result::Result<Vec<Key>, String> = keys.iter().map(|key| key.parse()).collect();
            read.insert(name.clone(), keys.map_err(|why| fault(format!("{name}: {why}")))?);
        }
        let mut map = Self { does: HashMap::new(), own: read };
        for entry in TABLE {
            for key in map.keys(entry) {
                for scope in entry.scopes {
                    match map.does.insert((*scope, key), entry) {
                        Some(other) if other.command != entry.command => {
                            let where_ = scope.title();
                            return Err(fault(format!("{key} would be {} and {} in {where_}", other.name, entry.name))
                                .hint("give one of them another key"));
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(map)
    }

    /// The keys of a row of the table.
    fn keys(&self, entry: &Entry) -> Vec<Key> {
        match self.own.get(entry.name) {
            Some(own) => own.clone(),
            None => entry.keys.iter().filter_map(|key| key.parse().ok()).collect(),
        }
    }

    /// What a key does in a place.
    pub(crate) fn find(&self, scope: Scope, key: Key) -> Option<&'static Entry> {
        self.does.get(&(scope, key)).copied()
    }

    /// The keys of a command, the one to show first.
    pub(crate) fn shown(&self, entry: &Entry) -> Vec<String> {
        self.keys(entry).iter().map(ToString::to_string).collect()
    }
}

/// The table as Markdown, for the README.
#[must_use]
pub fn markdown() -> String {
    use std::fmt::Write as _;
    let mut out = String::from("| key | command | does | where |\n|---|---|---|---|\n");
    let mut done: Vec<Command> = Vec::new();
    for entry in TABLE {
        if done.contains(&entry.command) {
            continue;
        }
        done.push(entry.command);
        let same = TABLE.iter().filter(|other| other.command == entry.command);
        let keys: Vec<String> = same.flat_map(|other| other.keys).map(|key| format!("`{key}`")).collect();
        let everywhere = SCREENS.iter().all(|scope| entry.scopes.contains(scope));
        let places: Vec<&str> = entry.scopes.iter().map(|scope| scope.title()).collect();
        let places = if everywhere { "everywhere".to_owned() } else { places.join(", ") };
        _ = writeln!(out, "| {} | {} | {} | {places} |", keys.join(", "), entry.name, entry.help);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap(name: &str, key: &str) -> Result<Keymap> {
        Keymap::new(&BTreeMap::from([(name.to_owned(), vec![key.to_owned()])]))
    }

    #[test]
    fn every_key_of_the_table_is_a_key_and_does_one_thing_in_each_place() {
        for key in TABLE.iter().flat_map(|entry| entry.keys) {
            key.parse::<Key>().unwrap();
        }
        Keymap::new(&BTreeMap::new()).unwrap();
    }

    #[test]
    fn the_operators_keys_take_the_place_of_the_tables() {
        let map = keymap("replay", "R").unwrap();
        let find = |key: &str| map.find(Queues, key.parse().unwrap()).map(|entry| entry.name);
        assert_eq!((find("R"), find("r")), (Some("replay"), None));
        for (name, key, what) in
            [("rplay", "R", "no command"), ("replay", "hyper-x", "no key"), ("replay", "d", "replay and drain")]
        {
            let error = keymap(name, key).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
        assert_eq!(keymap("rplay", "R").unwrap_err().hint_text(), Some("did you mean replay?"));
    }
}
