//! Commands: what can be done where, by which keys, and why not now.
//!
//! Footer, help, palette and the README's key table are made from one table ([`TABLE`]); `update` does what it names. A
//! command that writes is `danger`: on a read-only profile it is stripped from all of them, and its key says why. The
//! operator's own keys ([`Keymap`]) take the place of the table's.

mod keymap;
mod table;

pub use keymap::Keymap;
pub use table::{TABLE, markdown};

use super::state::State;

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
    ExpiringFirst,
    LetExpire,
    SendMisfits,
    Doubtful,
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
    GroupBy,
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

/// The commands of a place that the policy allows, in the table's order, each once.
pub(crate) fn of(scope: Scope, state: &State) -> impl Iterator<Item = &'static Entry> {
    let read_only = state.read_only().is_some();
    let mut seen: Option<Command> = None;
    TABLE
        .iter()
        .filter(move |entry| entry.scopes.contains(&scope) && !(entry.danger && read_only))
        .filter(move |entry| seen.replace(entry.command) != Some(entry.command))
}
