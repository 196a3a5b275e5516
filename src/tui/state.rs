//! Everything that is on the screens, and what it says about what can be done. No I/O.

use jiff::Timestamp;

use super::command::Scope;
use crate::broker::{Address, QueueInfo};
use crate::config::Policy;
use crate::message::Message;
use crate::operation::groups::GroupSummary;
use crate::operation::plan::Plan;
use crate::operation::progress::Tick;
use crate::operation::queues::Listed;
use crate::operation::report::Report;

/// Names one piece of work; answers to another are stale.
pub(crate) type TaskId = u64;

/// What `tab` groups by, in this order.
pub(crate) const KEYS: [&str; 5] = ["failure", "class", "origin", "type", "shape"];

/// The tabs of one message.
pub(crate) const TABS: [&str; 4] = ["why it died", "payload", "headers", "hex"];

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

/// How far what a screen shows is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Load {
    Reading(Option<Tick>),
    Done(String),
    Failed(String),
}

/// One screen over the queues.
#[derive(Debug)]
pub(crate) struct Screen {
    pub(crate) scope: Scope,
    /// The queues it looks at.
    pub(crate) addresses: Vec<Address>,
    pub(crate) filter: Option<String>,
    /// The group it shows, by id.
    pub(crate) group: Option<String>,
    pub(crate) by: usize,
    pub(crate) tab: usize,
    pub(crate) cursor: usize,
    pub(crate) task: TaskId,
    pub(crate) load: Load,
    pub(crate) groups: Vec<GroupSummary>,
    pub(crate) messages: Vec<Message>,
}

impl Screen {
    pub(crate) fn new(scope: Scope, addresses: Vec<Address>) -> Self {
        Self {
            scope,
            addresses,
            filter: None,
            group: None,
            by: 0,
            tab: 0,
            cursor: 0,
            task: 0,
            load: Load::Reading(None),
            groups: Vec::new(),
            messages: Vec::new(),
        }
    }
}

/// What a line that is typed is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Filter,
    Archive(Box<Act>),
    Confirm,
}

/// A writing verb, as the operator asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Act {
    pub(crate) verb: ActVerb,
    pub(crate) address: Address,
    pub(crate) filter: Option<String>,
    pub(crate) group: Option<String>,
    /// The archive, for a drain and a capture.
    pub(crate) path: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ActVerb {
    Replay,
    Drain,
    Capture,
}

impl Act {
    /// The command line that does the same.
    pub(crate) fn line(&self) -> String {
        let (verb, to) = match self.verb {
            ActVerb::Replay => ("replay", String::new()),
            ActVerb::Drain => ("drain", format!(" --to {}", quote(&format!("file:{}", self.path)))),
            ActVerb::Capture => ("capture", format!(" --to {}", quote(&format!("file:{}", self.path)))),
        };
        format!(
            "postroom {verb} {}{to}{}",
            quote(&self.address.to_string()),
            selection(self.filter.as_ref(), self.group.as_ref())
        )
    }
}

pub(crate) fn selection(filter: Option<&String>, group: Option<&String>) -> String {
    let filter = filter.map_or_else(String::new, |filter| format!(" --filter {}", quote(filter)));
    let group = group.map_or_else(String::new, |group| format!(" --group {}", quote(group)));
    filter + &group
}

/// A word as a shell reads it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%,+=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What lies over a screen.
#[derive(Debug)]
pub(crate) enum Dialog {
    Help,
    /// A look has a price: agreed to, the screen is opened.
    Cost {
        lines: Vec<String>,
        screen: Box<Screen>,
        refused: bool,
    },
    Input {
        purpose: Purpose,
        text: String,
        title: String,
        error: Option<String>,
    },
    /// A plan is being made, or run.
    Running {
        act: Act,
        task: TaskId,
        tick: Option<Tick>,
        stopping: bool,
    },
    Sheet {
        act: Act,
        plan: Box<Plan>,
        task: TaskId,
        run: bool,
        typed: Option<(String, String)>,
        scroll: usize,
    },
    Receipt {
        act: Act,
        report: Box<Report>,
        scroll: usize,
    },
}

/// Everything.
#[derive(Debug)]
pub struct State {
    pub(crate) now: Timestamp,
    pub(crate) size: (u16, u16),
    pub(crate) sources: Vec<Source>,
    pub(crate) queues: Vec<Listed>,
    pub(crate) queue_filter: String,
    pub(crate) cursor: usize,
    pub(crate) screens: Vec<Screen>,
    pub(crate) dialog: Option<Dialog>,
    /// The sheet that waits while its confirmation is typed.
    pub(crate) pending: Option<Dialog>,
    /// The newest word to the operator, and until when it is shown.
    pub(crate) toast: Option<(String, Timestamp)>,
    pub(crate) log: Vec<String>,
    pub(crate) next_task: TaskId,
    pub(crate) quitting: bool,
    pub(crate) welcome: bool,
    pub(crate) colour: bool,
}

impl State {
    pub(crate) fn screen(&self) -> Option<&Screen> {
        self.screens.last()
    }

    /// Where keys go.
    pub(crate) fn scope(&self) -> Scope {
        match &self.dialog {
            Some(Dialog::Help) => Scope::Help,
            Some(Dialog::Cost { .. }) => Scope::Cost,
            Some(Dialog::Input { .. }) => Scope::Input,
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
        let words: Vec<String> = self.queue_filter.split_whitespace().map(str::to_lowercase).collect();
        let matches = |listed: &&Listed| {
            let address = listed.address().to_lowercase();
            words.iter().all(|word| address.contains(word))
        };
        self.queues.iter().filter(matches).collect()
    }

    pub(crate) fn queue(&self) -> Option<&Listed> {
        self.shown_queues().get(self.cursor).copied()
    }

    /// The queues that the place is about.
    pub(crate) fn addresses(&self) -> Vec<Address> {
        match self.screen() {
            Some(screen) => screen.addresses.clone(),
            None => self.queue().map(|listed| listed.neighbour(&listed.info.name)).into_iter().collect(),
        }
    }

    pub(crate) fn policy(&self, address: &Address) -> Policy {
        let source = self.sources.iter().find(|source| source.address.connection == address.connection);
        source.map(|source| source.policy.clone()).unwrap_or_default()
    }

    /// Why nothing may be written here, where that is so.
    #[must_use]
    pub fn read_only(&self) -> Option<String> {
        let address = self.addresses().into_iter().find(|address| self.policy(address).read_only)?;
        Some(format!("{address} is read-only"))
    }

    pub(crate) fn is_production(&self) -> bool {
        self.addresses().iter().any(|address| self.policy(address).production)
    }

    /// How many rows the place has.
    pub(crate) fn rows(&self) -> usize {
        match self.screen() {
            None => self.shown_queues().len(),
            Some(screen) => match screen.scope {
                Scope::Groups => screen.groups.len(),
                Scope::Messages => screen.messages.len(),
                Scope::Log => self.log.len(),
                _ => usize::MAX,
            },
        }
    }

    pub(crate) fn nothing_here(&self) -> Option<String> {
        (self.dialog.is_none() && self.rows() == 0).then(|| "there is nothing here yet".to_owned())
    }

    pub(crate) fn cannot_act(&self) -> Option<String> {
        if self.addresses().len() > 1 {
            return Some("acts take one queue: open it from the list of queues".to_owned());
        }
        self.nothing_here().or_else(|| {
            let other = self.screen().is_some_and(|screen| screen.scope == Scope::Groups && screen.by > 0);
            other.then(|| "acts take groups by failure: press tab until the key is failure".to_owned())
        })
    }

    /// The command line of what is shown.
    pub(crate) fn line(&self) -> String {
        let Some(screen) = self.screen() else { return "postroom queues".to_owned() };
        let names: Vec<String> = screen.addresses.iter().map(|address| quote(&address.to_string())).collect();
        let names = names.join(" ");
        let which = selection(screen.filter.as_ref(), screen.group.as_ref());
        match screen.scope {
            Scope::Groups if screen.by > 0 => {
                format!("postroom groups {names} --by {}{which}", KEYS.get(screen.by).unwrap_or(&KEYS[0]))
            }
            Scope::Groups => format!("postroom groups {names}{which}"),
            _ => format!("postroom browse {names}{which}"),
        }
    }

    /// What a look at a queue costs, in a line.
    pub(crate) fn cost(info: &QueueInfo) -> String {
        let budget = info.read_cost.budget.map_or_else(String::new, |n| format!(" (peek budget: {n})"));
        format!("{}: {}{budget}", info.name, info.read_cost.why)
    }
}
