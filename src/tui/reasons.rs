//! Why a command can't be done now, in words that say what to do instead. The command table names these.

use super::act::{Act, ActVerb, MOST_MARKS, field_filter};
use super::command::Scope;
use super::state::{Dialog, Sheet, State};
use crate::broker::ConsumerGroup;
use crate::operation::journal::{JournalState, Summary};
use crate::operation::plan::Verb;
use crate::operation::report::Ended;

impl State {
    pub(crate) fn nothing_here(&self) -> Option<String> {
        (self.dialog.is_none() && self.rows() == 0).then(|| "there is nothing here yet".to_owned())
    }

    pub(crate) fn cannot_act(&self) -> Option<String> {
        self.nothing_here().or_else(|| {
            let screen = self.screen()?;
            if screen.scope == Scope::Groups && screen.by > 0 {
                let group = screen.groups.get(screen.cursor)?;
                return field_filter(screen.by, group).is_none().then(|| {
                    "a group by this key can't be selected again: press tab until the key is failure".to_owned()
                });
            }
            (screen.marks.len() > MOST_MARKS)
                .then(|| format!("at most {MOST_MARKS} marked messages; use a filter for more"))
        })
    }

    pub(crate) fn cannot_follow(&self) -> Option<String> {
        match self.addresses().as_slice() {
            [one] => (!self.info(one).is_some_and(|info| info.capability.follow))
                .then(|| "this queue can't be read beyond its end".to_owned()),
            _ => Some("follow takes one queue".to_owned()),
        }
    }

    pub(crate) fn cannot_seek(&self) -> Option<String> {
        let seek = self.seek();
        (!(seek.offset || seek.time || seek.tail))
            .then(|| "a read of this queue begins at its first message".to_owned())
    }

    pub(crate) fn no_copy_to_edit(&self) -> Option<String> {
        match self.screen() {
            Some(screen) if screen.scope == Scope::Detail => {
                screen.page.is_none().then(|| "the message is not here yet".to_owned())
            }
            _ => self.nothing_here(),
        }
    }

    pub(crate) fn no_queue(&self) -> Option<String> {
        self.addresses().is_empty().then(|| "there is no queue under the cursor".to_owned())
    }

    pub(crate) fn no_replay(&self) -> Option<String> {
        let replay = match &self.dialog {
            Some(Dialog::Sheet { sheet, .. }) => matches!(&**sheet, Sheet::Plan(plan, _) if plan.verb == Verb::Replay),
            _ => false,
        };
        (!replay).then(|| "only a replay has this choice".to_owned())
    }

    fn act(&self) -> Option<&Act> {
        match &self.dialog {
            Some(Dialog::Sheet { act, .. }) => Some(act),
            _ => None,
        }
    }

    pub(crate) fn no_park(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            let has = self.act().is_some_and(|act| act.max_replays.is_some());
            (!has).then(|| "say first how often a message is replayed at most: m".to_owned())
        })
    }

    pub(crate) fn no_rescue(&self) -> Option<String> {
        use ActVerb::{Discard, Drain, Replay, Resume};
        let can = self.act().is_some_and(|act| matches!(act.verb, Replay | Drain | Discard | Resume(_)));
        (!can).then(|| "nothing is returned here that could be destroyed".to_owned())
    }

    pub(crate) fn no_undo_sheet(&self) -> Option<String> {
        let can = self.act().is_some_and(|act| matches!(act.verb, ActVerb::Undo(_)));
        (!can).then(|| "only an undo has this choice".to_owned())
    }

    /// The run under the cursor.
    pub(crate) fn run(&self) -> Option<&Summary> {
        let screen = self.screen()?;
        screen.runs.get(if screen.scope == Scope::Journal { screen.cursor } else { 0 })
    }

    pub(crate) fn cannot_undo(&self) -> Option<String> {
        let (verb, discarded) = if let Some(Dialog::Receipt { act, done, .. }) = &self.dialog {
            let Some(report) = done.last().filter(|report| report.journal.is_some()) else {
                return Some("this left no journal to take it back by".to_owned());
            };
            if act.keep {
                return Some("the queue kept its messages: there is nothing to put back".to_owned());
            }
            (report.verb, act.verb == ActVerb::Discard)
        } else {
            let Some(run) = self.run() else { return Some("there is no run under the cursor".to_owned()) };
            if run.state == JournalState::Running {
                return Some("it is being run".to_owned());
            }
            (run.verb, run.to == crate::operation::drain::DISCARD)
        };
        match verb {
            Verb::Undo => Some("it is an undo itself: replay or drain the messages again".to_owned()),
            _ if discarded => Some("dropped messages are gone for good".to_owned()),
            _ => None,
        }
    }

    pub(crate) fn no_consumers(&self) -> Option<String> {
        let addresses = self.addresses();
        let can = matches!(addresses.as_slice(), [one] if self.info(one).is_some_and(|info| info.capability.groups));
        (!can).then(|| "no consumer group keeps a place here: `i` tells how many consumers it has".to_owned())
    }

    pub(crate) fn no_group(&self) -> Option<String> {
        self.group().is_none().then(|| "there is no consumer group under the cursor".to_owned())
    }

    /// The consumer group under the cursor.
    pub(crate) fn group(&self) -> Option<&ConsumerGroup> {
        let screen = self.screen()?;
        match screen.scope {
            Scope::Consumers => screen.consumers.get(screen.cursor),
            _ => screen.consumers.first(),
        }
    }

    pub(crate) fn cannot_pause(&self) -> Option<String> {
        match &self.dialog {
            Some(Dialog::Running { running: true, act, .. }) => {
                (!act.has_journal()).then(|| "only runs with a journal can be resumed: esc stops it".to_owned())
            }
            _ => Some("nothing is sent yet: esc stops the look".to_owned()),
        }
    }

    pub(crate) fn no_journal(&self) -> Option<String> {
        let has = matches!(&self.dialog, Some(Dialog::Receipt { done, .. })
            if done.last().is_some_and(|report| report.journal.is_some()));
        (!has).then(|| "this run has no journal".to_owned())
    }

    pub(crate) fn cannot_resume(&self) -> Option<String> {
        if let Some(Dialog::Receipt { done, .. }) = &self.dialog {
            let open = done.last().is_some_and(|report| report.journal.is_some() && report.state != Ended::Finished);
            return (!open).then(|| "this run is finished".to_owned());
        }
        match self.run().map(|run| run.state) {
            Some(JournalState::Interrupted) => None,
            Some(JournalState::Running) => Some("it is being run".to_owned()),
            Some(JournalState::Undone) => Some("it was undone".to_owned()),
            Some(JournalState::Finished) => Some("it is finished".to_owned()),
            None => Some("there is no run under the cursor".to_owned()),
        }
    }
}
