//! Everything that is on the screens, and what it says about what can be done. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;

use super::act::Act;
use super::command::{Command, Keymap, Scope};
use super::compose::Compose;
use super::detail::Page;
use super::field::Line;
use super::history::History;
use super::theme::Theme;
use crate::broker::memory::demo;
use crate::broker::{Address, Connection, ConsumerGroup, CostKind, QueueInfo, Seek};
use crate::config::Policy;
use crate::message::fingerprint::GroupId;
use crate::operation::groups::GroupSummary;
use crate::operation::journal::Summary;
use crate::operation::offsets::Reset;
use crate::operation::plan::Plan;
use crate::operation::progress::Tick;
use crate::operation::queues::Listed;
use crate::operation::report::{OutcomeLine, Report};
use crate::operation::snapshot::Snapshot;
use crate::text::fuzzy;

/// Names one piece of work; answers to another are stale.
pub(crate) type TaskId = u64;
/// Names a look at some queues.
pub(crate) type LookId = u64;

/// What `tab` groups by, in this order; a field that was typed comes behind them.
pub(crate) const KEYS: [&str; 5] = ["failure", "class", "origin", "type", "shape"];

/// The tabs of one message.
pub(crate) const TABS: [&str; 5] = ["why it died", "payload", "hex", "headers", "raw"];

/// Columns of the list of messages where nothing else was chosen; of several queues, each message's queue, too.
const COLUMNS: [&str; 6] = ["age", "queue", "id", "why", "body", "size"];

pub(crate) fn columns(addresses: &[Address]) -> Vec<String> {
    let shown = COLUMNS.into_iter().filter(|name| *name != "queue" || addresses.len() > 1);
    shown.map(str::to_owned).collect()
}

/// Depths of a queue that are remembered.
pub(crate) const HISTORY: usize = 32;

/// A broker in the list, and how it is.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) address: Address,
    pub(crate) policy: Policy,
    pub(crate) task: TaskId,
    /// Why it could not be listed.
    pub(crate) failed: Option<String>,
    pub(crate) listed: bool,
}

/// How far something is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load {
    Reading(Option<Tick>),
    Done(String),
    Failed(String),
}

/// A look at some queues; the screens over it share what was seen.
#[derive(Debug)]
pub(crate) struct Look {
    pub(crate) addresses: Vec<Address>,
    /// Where it starts, as typed.
    pub(crate) from: String,
    pub(crate) follow: bool,
    pub(crate) task: TaskId,
    pub(crate) load: Load,
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Messages in the snapshot.
    pub(crate) seen: usize,
    /// The groups by failure of everything seen so far.
    pub(crate) groups: Vec<GroupSummary>,
    /// Fields that its messages have, with some of their values.
    pub(crate) fields: Arc<BTreeMap<String, Vec<String>>>,
}

/// What a row of the list of messages shows; made by the runner, safe and redacted.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) cells: Vec<String>,
    pub(crate) id: String,
    pub(crate) time: Option<Timestamp>,
}

/// Which messages of a snapshot a list shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found {
    /// The matching ones; `None` where all match.
    pub(crate) only: Option<Vec<u32>>,
    /// How many messages of the snapshot were asked.
    pub(crate) upto: usize,
}

/// One screen over the queues.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(crate) scope: Scope,
    /// The queues it is about.
    pub(crate) addresses: Vec<Address>,
    pub(crate) look: LookId,
    pub(crate) filter: Option<String>,
    /// The group it shows, by id.
    pub(crate) group: Option<String>,
    pub(crate) cursor: usize,
    /// The work that this screen waits for.
    pub(crate) task: Option<TaskId>,
    pub(crate) fault: Option<String>,
    // Groups.
    /// The key, as `--by` takes it, and the field that was typed for one.
    pub(crate) by: String,
    pub(crate) field: Option<String>,
    pub(crate) groups: Vec<GroupSummary>,
    /// Marked groups.
    pub(crate) marked_groups: BTreeSet<GroupId>,
    /// How far the grouping is that is under way.
    pub(crate) searched: Option<(usize, usize)>,
    /// What the groups were made of: messages, and by which key and filter.
    pub(crate) grouped: Option<(usize, String, Option<String>)>,
    // Messages.
    pub(crate) found: Found,
    pub(crate) newest_first: bool,
    /// New arrivals are not shown.
    pub(crate) held_at: Option<usize>,
    /// Marked messages, with their ids.
    pub(crate) marks: BTreeMap<u32, String>,
    /// The rows that are being made.
    pub(crate) fetching: Option<TaskId>,
    pub(crate) rows: HashMap<u32, Row>,
    pub(crate) columns: Vec<String>,
    // One message.
    pub(crate) index: u32,
    pub(crate) page: Option<Box<Page>>,
    pub(crate) tab: usize,
    pub(crate) folded: BTreeSet<usize>,
    pub(crate) needle: String,
    // Other pages.
    pub(crate) title: String,
    pub(crate) entries: Vec<(String, String)>,
    pub(crate) consumers: Vec<ConsumerGroup>,
    pub(crate) runs: Vec<Summary>,
    pub(crate) outcomes: Vec<OutcomeLine>,
    pub(crate) asked: bool,
}

impl Screen {
    pub(crate) fn new(scope: Scope, addresses: Vec<Address>) -> Self {
        Self {
            scope,
            columns: columns(&addresses),
            addresses,
            look: 0,
            filter: None,
            group: None,
            cursor: 0,
            task: None,
            fault: None,
            by: KEYS[0].to_owned(),
            field: None,
            groups: Vec::new(),
            marked_groups: BTreeSet::new(),
            searched: None,
            grouped: None,
            found: Found::default(),
            newest_first: false,
            held_at: None,
            marks: BTreeMap::new(),
            fetching: None,
            rows: HashMap::new(),
            index: 0,
            page: None,
            tab: 0,
            folded: BTreeSet::new(),
            needle: String::new(),
            title: String::new(),
            entries: Vec::new(),
            consumers: Vec::new(),
            runs: Vec::new(),
            outcomes: Vec::new(),
            asked: false,
        }
    }

    /// How many messages the list has.
    pub(crate) fn listed(&self) -> usize {
        self.found.only.as_ref().map_or(self.found.upto, Vec::len)
    }

    /// The message in a row of the list.
    pub(crate) fn message_at(&self, row: usize) -> Option<u32> {
        let count = self.listed();
        let at = if self.newest_first { count.checked_sub(row + 1)? } else { row };
        match &self.found.only {
            Some(only) => only.get(at).copied(),
            None => u32::try_from(at).ok().filter(|_| at < count),
        }
    }

    /// The groups that are meant: those marked, else the one under the cursor.
    pub(crate) fn chosen_groups(&self) -> Vec<&GroupSummary> {
        let marked: Vec<&GroupSummary> =
            self.groups.iter().filter(|group| self.marked_groups.contains(&group.id)).collect();
        if marked.is_empty() { self.groups.get(self.cursor).into_iter().collect() } else { marked }
    }

    /// The keys that `tab` goes through.
    pub(crate) fn keys(&self) -> Vec<&str> {
        KEYS.into_iter().chain(self.field.as_deref()).collect()
    }

    /// The key so many steps behind the one that is shown.
    pub(crate) fn key_behind(&self, steps: usize) -> &str {
        let keys = self.keys();
        let at = keys.iter().position(|key| *key == self.by).unwrap_or(0);
        keys.get((at + steps) % keys.len()).copied().unwrap_or(KEYS[0])
    }

    /// What is shown changes: everything that was asked for is asked for again.
    pub(crate) fn refind(&mut self) {
        self.found = Found::default();
        self.grouped = None;
        self.cursor = 0;
    }
}

/// What a line that is typed is for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// Which queues or messages are shown; what was there before comes back with esc.
    Filter(String),
    /// Where a drain or a capture goes.
    Archive(Box<Act>),
    Confirm,
    /// A choice on a plan sheet.
    Choice(Command, Box<Act>),
    /// The file of the plan that this task has made, and the act that it is of.
    SavePlan(TaskId, Box<Act>),
    /// Where a consumer group goes on.
    Offsets(Box<Act>),
    Columns,
    /// What groups are made by.
    By,
    From,
    Search,
    Save(Box<Kept>),
}

/// Messages of a look that are to be saved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub(crate) look: LookId,
    pub(crate) indices: Vec<u32>,
    pub(crate) ids: Vec<String>,
}

/// What the palette offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    Command(Command, String),
    Queue(Address),
}

/// A look that is wanted.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) addresses: Vec<Address>,
    /// Where it starts, as typed.
    pub(crate) from: String,
    pub(crate) follow: bool,
    /// The screen that is opened on it; `None` where it takes the place of a look that is there.
    pub(crate) screen: Option<Box<Screen>>,
    /// That look.
    pub(crate) instead: LookId,
}

/// What lies over a screen.
#[derive(Debug)]
pub(crate) enum Dialog {
    /// What the keys do, on the screen or in the dialog that lies under it.
    Help {
        scroll: usize,
        over: Option<Box<Dialog>>,
    },
    /// A look has a price: agreed to, the screen is opened.
    Cost {
        lines: Vec<String>,
        wanted: Box<Wanted>,
        refused: bool,
        task: TaskId,
        scroll: usize,
    },
    Input {
        purpose: Purpose,
        line: Line,
        title: String,
        error: Option<String>,
        hints: Vec<String>,
    },
    Palette {
        line: Line,
        choices: Vec<Choice>,
        cursor: usize,
    },
    /// One of several queues, for a verb that takes one.
    Pick {
        act: Box<Act>,
        addresses: Vec<Address>,
        cursor: usize,
    },
    Compose {
        compose: Box<Compose>,
        error: Option<String>,
    },
    /// A plan is being made, or run.
    Running {
        act: Act,
        task: TaskId,
        tick: Option<Tick>,
        stopping: bool,
        paused: bool,
        running: bool,
    },
    Sheet {
        act: Act,
        sheet: Box<Sheet>,
        task: TaskId,
        run: bool,
        typed: Option<(String, String)>,
        scroll: usize,
    },
    Receipt {
        act: Act,
        done: Box<Done>,
        paused: bool,
        scroll: usize,
    },
}

/// What a sheet shows.
#[derive(Debug)]
pub(crate) enum Sheet {
    /// And what an edit makes of the first messages.
    Plan(Plan, Vec<Difference>),
    Resume(Summary),
    /// One plan for each queue that copies are in, and what can't be put back.
    Undo(Summary, Vec<Plan>, Vec<String>),
    Offsets(Box<Reset>),
    /// There is no plan: why, or how the run of one ended. What was chosen can be corrected.
    Fault(String, Failed),
}

/// What it is that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    Plan,
    Run,
}

impl Sheet {
    /// Why it can't be run.
    pub(crate) fn cross(&self) -> Option<String> {
        let cross = |plan: &Plan| plan.crosses().next().map(|check| format!("{}: {}", check.name, check.why));
        match self {
            Self::Plan(plan, _) => cross(plan),
            Self::Undo(summary, plans, _) if plans.is_empty() => {
                Some(format!("nothing of {} can be put back", summary.id))
            }
            Self::Undo(_, plans, _) => plans.iter().find_map(cross),
            Self::Offsets(reset) if reset.moves.is_empty() => {
                Some(format!("the group {} is there already", reset.group.name))
            }
            Self::Fault(why, _) => Some(why.clone()),
            Self::Resume(_) | Self::Offsets(_) => None,
        }
    }
}

/// What a receipt tells of.
#[derive(Debug)]
pub(crate) enum Done {
    /// Runs, one after the other; an undo has one for each queue.
    Runs(Vec<Report>),
    /// A consumer group was moved.
    Moved(Box<Reset>),
}

impl Done {
    /// The run that ended last.
    pub(crate) fn last(&self) -> Option<&Report> {
        match self {
            Self::Runs(reports) => reports.last(),
            Self::Moved(_) => None,
        }
    }

    /// It went through to its end, and nothing failed, is ambiguous or came back.
    pub(crate) fn is_clean(&self) -> bool {
        match self {
            Self::Runs(reports) => reports.iter().all(|report| report.is_clean() && report.bounced() == 0),
            Self::Moved(_) => true,
        }
    }

    /// In one line.
    pub(crate) fn headline(&self) -> String {
        match self {
            Self::Runs(reports) => reports.iter().map(Report::headline).collect::<Vec<_>>().join("; "),
            Self::Moved(reset) => format!("Moved the group {}", reset.group.name),
        }
    }
}

/// A line about what an edit does: its sign, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Which message it is.
    Message(String),
    Gone(String),
    New(String),
    Same(String),
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) theme: Theme,
    pub(crate) keys: Keymap,
    pub(crate) sources: Vec<Source>,
    pub(crate) queues: Vec<Listed>,
    /// Depths of each queue, oldest first.
    pub(crate) depths: HashMap<String, VecDeque<(Timestamp, u64)>>,
    pub(crate) queue_filter: String,
    pub(crate) cursor: usize,
    /// Marked queues.
    pub(crate) marks: BTreeSet<String>,
    pub(crate) looks: BTreeMap<LookId, Look>,
    pub(crate) screens: Vec<Screen>,
    pub(crate) dialog: Option<Dialog>,
    /// The sheet that waits while something is typed for it.
    pub(crate) pending: Option<Dialog>,
    /// What is changed in the editor, as it was given, and the act that it is for.
    pub(crate) by_hand: Option<(Box<Act>, String)>,
    /// The newest word to the operator, and until when it is shown.
    pub(crate) toast: Option<(String, bool, Timestamp)>,
    pub(crate) log: Vec<(bool, String)>,
    /// Filters that were used.
    pub(crate) history: History,
    pub(crate) next_task: TaskId,
    /// Files that are being written.
    pub(crate) saves: BTreeSet<TaskId>,
    pub(crate) quitting: bool,
    pub(crate) welcome: bool,
}

impl State {
    pub(crate) fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// The look under the top screen.
    pub(crate) fn look(&self) -> Option<&Look> {
        self.looks.get(&self.screen()?.look)
    }

    /// Where keys go.
    pub(crate) fn scope(&self) -> Scope {
        match &self.dialog {
            Some(Dialog::Help { .. }) => Scope::Help,
            _ => self.explained(),
        }
    }

    /// What lies over the screen, below the help where that is shown.
    pub(crate) fn over(&self) -> Option<&Dialog> {
        match &self.dialog {
            Some(Dialog::Help { over, .. }) => over.as_deref(),
            other => other.as_ref(),
        }
    }

    /// The place whose keys the help tells.
    pub(crate) fn explained(&self) -> Scope {
        match self.over() {
            Some(Dialog::Help { .. }) => Scope::Help,
            Some(Dialog::Cost { .. }) => Scope::Cost,
            Some(Dialog::Input { .. }) => Scope::Input,
            Some(Dialog::Palette { .. } | Dialog::Pick { .. }) => Scope::Palette,
            Some(Dialog::Compose { .. }) => Scope::Compose,
            Some(Dialog::Running { .. }) => Scope::Running,
            Some(Dialog::Sheet { .. }) => Scope::Sheet,
            Some(Dialog::Receipt { .. }) => Scope::Receipt,
            None => self.under(),
        }
    }

    /// The screen's scope, whatever lies over it.
    pub(crate) fn under(&self) -> Scope {
        self.screen().map_or(Scope::Queues, |screen| screen.scope)
    }

    /// The queues that match what was typed.
    pub(crate) fn shown_queues(&self) -> Vec<&Listed> {
        let all = self.queues.iter();
        if self.queue_filter.trim().is_empty() {
            return all.collect();
        }
        let matched = fuzzy::matching(&self.queue_filter, all, |listed| listed.label());
        matched.into_iter().map(|(listed, _)| listed).collect()
    }

    pub(crate) fn queue(&self) -> Option<&Listed> {
        self.shown_queues().get(self.cursor).copied()
    }

    /// The queues that the place is about: those marked in the list, else the one under the cursor.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        if let Some(screen) = self.screen() {
            return screen.addresses.clone();
        }
        if !self.marks.is_empty() {
            let marked = self.queues.iter().filter(|listed| self.marks.contains(&listed.address()));
            return marked.map(own_address).collect();
        }
        self.queue().map(own_address).into_iter().collect()
    }

    pub(crate) fn policy(&self, address: &Address) -> Policy {
        let source = self.sources.iter().find(|source| source.address.connection == address.connection);
        source.map(|source| source.policy.clone()).unwrap_or_default()
    }

    /// Why nothing may be written here, where that is so.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        let address = self.addresses().into_iter().find(|address| self.policy(address).read_only)?;
        Some(format!("{} is read-only", Address { target: None, ..address }))
    }

    pub(crate) fn is_production(&self) -> bool {
        self.addresses().iter().any(|address| self.policy(address).production)
    }

    /// What the list says of a queue.
    pub(crate) fn info(&self, address: &Address) -> Option<&QueueInfo> {
        self.queues.iter().find(|listed| own_address(listed) == *address).map(|listed| &listed.info)
    }

    /// Where a read of the place's queue can start.
    pub(crate) fn seek(&self) -> Seek {
        match self.addresses().as_slice() {
            [one] => self.info(one).map(|info| info.capability.seek).unwrap_or_default(),
            _ => Seek::default(),
        }
    }

    /// How many rows the place has.
    pub(crate) fn rows(&self) -> usize {
        match self.screen() {
            None => self.shown_queues().len(),
            Some(screen) => match screen.scope {
                Scope::Groups => screen.groups.len(),
                Scope::Messages => screen.listed(),
                Scope::Consumers => screen.consumers.len(),
                Scope::Partitions => screen.consumers.first().map_or(0, |group| group.places.len()),
                Scope::Journal => screen.runs.len(),
                Scope::Run => screen.outcomes.len(),
                Scope::Detail => screen.page.as_ref().map_or(0, |page| page.visible(screen.tab, &screen.folded)),
                Scope::Show => super::view::about(self, screen).len(),
                _ => super::view::said(self).len(),
            },
        }
    }

    /// The time that ages at the place are counted from: in the demo it stands still.
    pub(crate) fn now_at(&self, address: Option<&Address>) -> Timestamp {
        if address.is_some_and(|address| address.connection == Connection::Demo) { demo::NOW } else { self.now }
    }
}

/// The address of a queue in the list.
pub(crate) fn own_address(listed: &Listed) -> Address {
    listed.neighbour(&listed.info.name)
}

/// What looks at queues cost: a line for each price, with the queues that have it.
pub(crate) fn costs<'a>(looks: impl Iterator<Item = (&'a Address, &'a QueueInfo)>) -> Vec<String> {
    let mut prices: Vec<(String, Vec<(&Address, &str)>)> = Vec::new();
    for (address, info) in looks.filter(|(_, info)| info.read_cost.kind != CostKind::None) {
        let budget = info.read_cost.budget.map_or_else(String::new, |n| format!(" (peek budget: {n})"));
        let price = format!("{}{budget}", info.read_cost.why);
        let queue = (address, info.name.as_str());
        match prices.iter_mut().find(|(known, _)| *known == price) {
            Some((_, queues)) => queues.push(queue),
            None => prices.push((price, vec![queue])),
        }
    }
    let mut connections = prices.iter().flat_map(|(_, queues)| queues).map(|(address, _)| &address.connection);
    let first = connections.next();
    let several = connections.any(|connection| Some(connection) != first);
    let name = |(address, name): &(&Address, &str)| match address.connection {
        Connection::Profile(_) if several => address.to_string(),
        _ => (*name).to_owned(),
    };
    let line = |(price, queues): &(String, Vec<(&Address, &str)>)| {
        format!("{}: {price}", queues.iter().map(name).collect::<Vec<_>>().join(", "))
    };
    prices.iter().map(line).collect()
}
