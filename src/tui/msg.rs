//! What comes in (keys, answers, time) and what goes out (work for the runner and the terminal).

use std::collections::BTreeMap;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::act::Act;
use super::detail::Page;
use super::state::{Done, Row, Sheet, TaskId};
use crate::broker::{Address, Groups};
use crate::error::Error;
use crate::operation::groups::GroupSummary;
use crate::operation::journal::{Shown, Summary};
use crate::operation::progress::Tick;
use crate::operation::queues::Listed;
use crate::operation::snapshot::Snapshot;

/// What happened.
#[derive(Debug)]
pub(crate) enum Msg {
    Key(KeyEvent),
    Mouse(MouseEvent),
    Paste(String),
    Resize(u16, u16),
    Tick(Timestamp),
    /// A signal asks the program to end.
    Stop,
    Answer(TaskId, Answer),
    /// What an editor gave back, and what the terminal has to say.
    Edited(String),
    Said(String),
}

/// Fields of messages with some of their values.
pub(crate) type Fields = Arc<BTreeMap<String, Vec<String>>>;

/// What a task says.
#[derive(Debug)]
pub(crate) enum Answer {
    Queues(Vec<Listed>, Vec<String>),
    Progress(Tick),
    /// What the looks cost, and whether one is refused.
    Cost(Vec<String>, bool),
    /// A look has begun, and is kept there.
    Begun(Arc<Snapshot>),
    /// So many messages are kept, and perhaps their groups and fields so far.
    Seen(usize, Option<(Vec<GroupSummary>, Fields)>),
    /// The look has ended: its groups, its fields, and a word about it.
    Looked(usize, Vec<GroupSummary>, Fields, String),
    /// So many messages of all were grouped so far.
    Searched(usize, usize),
    Groups(Vec<GroupSummary>),
    /// Messages that match, of those up to this one.
    Found(Vec<u32>, usize),
    Rows(Vec<(u32, Row)>),
    Page(Box<Page>),
    /// A queue, and the consumer groups that keep a place in it.
    Shown(Box<Listed>, Groups),
    Consumers(Groups),
    Journals(Vec<Summary>, Vec<String>),
    Run(Box<Shown>),
    /// A plan, and what has to be typed for it.
    Planned(Box<Sheet>, Option<(String, String)>),
    /// Messages as a text to change.
    ByHand(String),
    Ran(Box<Done>),
    Saved(String),
    Failed(Error),
}

/// What to look at.
#[derive(Clone, Debug)]
pub(crate) struct LookAt {
    pub(crate) addresses: Vec<Address>,
    /// Where to start, as typed.
    pub(crate) from: String,
    pub(crate) follow: bool,
}

/// Which messages of a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Which {
    pub(crate) snapshot: Arc<Snapshot>,
    pub(crate) filter: Option<String>,
    pub(crate) group: Option<String>,
    /// Ages are counted from the time there.
    pub(crate) address: Option<Address>,
}

/// Work for the runner and the terminal.
#[derive(Debug)]
pub(crate) enum Effect {
    List(TaskId, Address),
    Cost(TaskId, Vec<Address>),
    Look(TaskId, LookAt),
    Groups(TaskId, Which, String),
    /// From this message on.
    Find(TaskId, Which, usize),
    Rows(TaskId, Arc<Snapshot>, Vec<u32>, Vec<String>),
    Page(TaskId, Arc<Snapshot>, u32, Address),
    Show(TaskId, Address),
    Consumers(TaskId, Address),
    Journals(TaskId),
    ReadRun(TaskId, String),
    Plan(TaskId, Act),
    /// Runs the plan that the task made.
    Run(TaskId),
    /// Gives the messages of an act as a text for an editor.
    ByHand(TaskId, Act),
    /// Keeps a filter for later runs.
    Remember(TaskId, String),
    Save(TaskId, Arc<Snapshot>, Vec<u32>, String),
    /// Writes the plan that a task has made to a new file.
    SavePlan {
        task: TaskId,
        plan: TaskId,
        path: String,
    },
    Drop(TaskId),
    Cancel(TaskId),
    Copy(String),
    /// Shows a text in the pager.
    Pager(String),
    /// Shows a text in the editor; what it becomes is nobody's business.
    ReadInEditor(String),
    /// Opens a text in the editor; what it becomes comes back.
    Editor(String),
    Suspend,
    Quit,
}
