//! Why a command can't be done now, in words that say what to do instead. The command table names these.

use super::act::{MOST_MARKS, field_filter};
use super::command::Scope;
use super::state::{Dialog, Sheet, State};
use crate::operation::journal::JournalState;
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

    pub(crate) fn cannot_pause(&self) -> Option<String> {
        match &self.dialog {
            Some(Dialog::Running { running: true, act, .. }) => {
                (!act.has_journal()).then(|| "only runs with a journal can be resumed: esc stops it".to_owned())
            }
            _ => Some("nothing is sent yet: esc stops the look".to_owned()),
        }
    }

    pub(crate) fn no_journal(&self) -> Option<String> {
        let has = matches!(&self.dialog, Some(Dialog::Receipt { report, .. }) if report.journal.is_some());
        (!has).then(|| "this run has no journal".to_owned())
    }

    pub(crate) fn cannot_resume(&self) -> Option<String> {
        if let Some(Dialog::Receipt { report, .. }) = &self.dialog {
            let open = report.journal.is_some() && report.state != Ended::Finished;
            return (!open).then(|| "this run is finished".to_owned());
        }
        let screen = self.screen()?;
        let run = screen.runs.get(if screen.scope == Scope::Journal { screen.cursor } else { 0 });
        match run.map(|run| run.state) {
            Some(JournalState::Interrupted) => None,
            Some(JournalState::Running) => Some("it is being run".to_owned()),
            Some(JournalState::Undone) => Some("it was undone".to_owned()),
            Some(JournalState::Finished) => Some("it is finished".to_owned()),
            None => Some("there is no run under the cursor".to_owned()),
        }
    }
}
