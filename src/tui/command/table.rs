//! The one table of commands, in the order in which footer and help show them.

use super::Scope::{
    Compose, Consumers, Cost, Detail, Groups, Help, Input, Journal, Log, Messages, Palette, Partitions, Queues,
    Receipt, Run, Running, Sheet, Show,
};
use super::{Command, Entry, Scope};
use crate::tui::state::State;

const SCREENS: &[Scope] = &[Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log];
const MOVING: &[Scope] = &[
    Queues, Groups, Messages, Detail, Show, Consumers, Partitions, Journal, Run, Log, Help, Cost, Palette, Sheet,
    Receipt,
];
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
        Command::ExpiringFirst,
        "expiring-first",
        "expiring first",
        &["X"],
        &[Sheet],
        "Send what is about to vanish before the others, out of the queue's order; plan again",
    )
    .unless(State::no_expiring_first),
    entry(
        Command::LetExpire,
        "let-expire",
        "let expire",
        &["L"],
        &[Sheet],
        "Agree that messages vanish before their turn at this pace; plan again",
    )
    .unless(State::no_let_expire),
    entry(
        Command::SendMisfits,
        "send-misfits",
        "send misfits",
        &["a"],
        &[Sheet],
        "Send what was edited also where it does not fit its schema; plan again",
    )
    .unless(State::no_send_misfits),
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
        Command::Doubtful,
        "doubtful",
        "doubtful",
        &["d"],
        &[Journal, Run, Sheet],
        "Finish a run, and send again what may have been sent where its copy is not found in its target",
    )
    .unless(State::no_doubts),
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
    entry(Command::GroupBy, "group-by", "by", &["b"], &[Groups], "Group by a field that is typed, or by another key"),
    entry(
        Command::Mark,
        "mark",
        "mark",
        &["space"],
        &[Queues, Groups, Messages],
        "Mark it; acts then take what is marked",
    )
    .unless(State::nothing_here),
    entry(
        Command::MarkAll,
        "mark-all",
        "",
        &["ctrl-a"],
        &[Queues, Groups, Messages],
        "Mark all that is listed, or none",
    )
    .unless(State::nothing_here),
    entry(Command::Order, "order", "", &["o"], &[Messages], "The newest first, or the oldest"),
    entry(Command::From, "from", "", &["f"], &[Messages], "Look again from an offset, a time, the last N, or the end")
        .unless(State::cannot_seek),
    entry(Command::Follow, "follow", "follow", &["F"], &[Messages], "Wait for arrivals, or stop waiting")
        .unless(State::cannot_follow),
    entry(Command::Pause, "pause", "", &["p"], &[Messages], "Hold the list still while following, or let it go on")
        .unless(State::cannot_hold),
    entry(
        Command::Columns,
        "columns",
        "",
        &["C"],
        &[Messages],
        "Choose the columns: also fields of the filter language",
    ),
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
