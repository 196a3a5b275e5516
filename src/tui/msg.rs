//! What comes in (keys, answers, time) and what goes out (work for the runner).

use crossterm::event::{KeyEvent, MouseEvent};
use jiff::Timestamp;

use super::state::{Act, TaskId};
use crate::broker::Address;
use crate::error::Error;
use crate::message::Message;
use crate::operation::groups::GroupSummary;
use crate::operation::plan::Plan;
use crate::operation::progress::Tick;
use crate::operation::queues::Listed;
use crate::operation::report::Report;

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
}

/// What a task says. All but progress is its last word.
#[derive(Debug)]
pub(crate) enum Answer {
    Queues(Vec<Listed>, Vec<String>),
    Progress(Tick),
    /// What the looks cost, and whether one is refused.
    Cost(Vec<String>, bool),
    /// Groups or messages, and a word about the look.
    Groups(Vec<GroupSummary>, String),
    Messages(Vec<Message>, String),
    /// A plan, and for production what has to be typed.
    Planned(Box<Plan>, Option<(String, String)>),
    Ran(Box<Report>),
    Failed(Error),
}

/// What to look at.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) addresses: Vec<Address>,
    pub(crate) filter: Option<String>,
    pub(crate) group: Option<String>,
    /// Group by this; without it messages are listed.
    pub(crate) by: Option<&'static str>,
}

/// Work for the runner.
#[derive(Debug)]
pub(crate) enum Effect {
    List(TaskId, Address),
    Cost(TaskId, Vec<Address>),
    Look(TaskId, Look),
    Plan(TaskId, Act),
    /// Runs the plan that the task made.
    Run(TaskId),
    Drop(TaskId),
    Cancel(TaskId),
    Quit,
}
