//! Why a command can't be done now, in words that say what to do instead. The command table names these.

use super::act::{Act, ActVerb, Again, Flag, MOST_MARKS};
use super::command::Scope;
use super::state::{Dialog, Sheet, State};
use crate::broker::{Address, ConsumerGroup, Ordering, QueueInfo};
use crate::operation::journal::{JournalState, Summary};
use crate::operation::plan::{Mode, Verb};
use crate::operation::queues::Listed;
use crate::operation::report::Ended;

impl State {
    pub(crate) fn nothing_here(&self) -> Option<String> {
        (self.over().is_none() && self.rows() == 0).then(|| "there is nothing here yet".to_owned())
    }

    pub(crate) fn cannot_act(&self) -> Option<String> {
        self.nothing_here().or_else(|| {
            let screen = self.screen()?;
            let (marked, what) = match screen.scope {
                Scope::Groups => (screen.marked_groups.len(), "groups"),
                _ => (screen.marks.len(), "messages"),
            };
            if marked > MOST_MARKS {
                return Some(format!("at most {MOST_MARKS} marked {what}; use a filter for more"));
            }
            let is_lost = screen.scope == Scope::Groups && Again::of(&screen.by, &screen.chosen_groups()).is_none();
            is_lost.then(|| "the profile hides what these groups are made by: group by failure".to_owned())
        })
    }

    pub(crate) fn cannot_follow(&self) -> Option<String> {
        match self.addresses().as_slice() {
            [one] => (!self.info(one).is_some_and(|info| info.capability.follow))
                .then(|| "this queue can't be read beyond its end".to_owned()),
            _ => Some("follow takes one queue".to_owned()),
        }
    }

    pub(crate) fn cannot_hold(&self) -> Option<String> {
        let moves = self.look().is_some_and(|look| look.follow) || self.screen()?.held_at.is_some();
        (!moves).then(|| "the list stands still: F follows what arrives".to_owned())
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

    /// What the sheet is about.
    fn act(&self) -> Option<&Act> {
        match self.over() {
            Some(Dialog::Sheet { act, .. }) => Some(act),
            _ => None,
        }
    }

    fn sheet(&self) -> Option<&Sheet> {
        match self.over() {
            Some(Dialog::Sheet { sheet, .. }) => Some(sheet),
            _ => None,
        }
    }

    pub(crate) fn no_plan(&self) -> Option<String> {
        matches!(self.sheet(), Some(Sheet::Fault(..))).then(|| "there is no plan: enter tries again".to_owned())
    }

    pub(crate) fn no_replay(&self) -> Option<String> {
        let act = self.act().filter(|act| act.verb == ActVerb::Replay);
        let Some(act) = act else { return Some("only a replay has this choice".to_owned()) };
        by_the_broker(act)
    }

    pub(crate) fn no_rate(&self) -> Option<String> {
        let can = self.act().is_some_and(|act| act.verb == ActVerb::Replay);
        (!can).then(|| "only a replay has this choice".to_owned())
    }

    pub(crate) fn no_target(&self) -> Option<String> {
        let can = self.act().is_some_and(|act| matches!(act.verb, ActVerb::Replay | ActVerb::Drain));
        (!can).then(|| "there is nowhere else for it to go".to_owned())
    }

    pub(crate) fn no_limit(&self) -> Option<String> {
        let moves = |act: &&Act| matches!(act.verb, ActVerb::Replay | ActVerb::Drain | ActVerb::Discard);
        let Some(act) = self.act().filter(moves) else {
            return Some("it takes what its run has left, or what is typed".to_owned());
        };
        by_the_broker(act)
    }

    pub(crate) fn no_reason(&self) -> Option<String> {
        match self.act() {
            Some(act) if act.is_to_queue() => None,
            Some(act) if act.verb == ActVerb::Drain => {
                Some("an archive keeps messages as they are: t names a queue to drain to".to_owned())
            }
            _ => Some("only a drain to another queue has this choice".to_owned()),
        }
    }

    pub(crate) fn no_same_partition(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            let act = self.act()?;
            let target = act.to.parse::<Address>().ok();
            let ends = [Some(&act.address), target.as_ref()].into_iter().flatten();
            // A target that no list tells of is looked at by the plan.
            let mut known = ends.filter_map(|address| self.info(address).or_else(|| self.relative(address)));
            let other = known.find(|info| info.capability.ordering != Ordering::PerPartition)?;
            Some(format!("{} has no partitions: this is for records of Kafka", other.name))
        })
    }

    /// Any queue of the same broker.
    fn relative(&self, address: &Address) -> Option<&QueueInfo> {
        let same = |listed: &&Listed| listed.broker.connection == address.connection;
        self.queues.iter().find(same).map(|listed| &listed.info)
    }

    pub(crate) fn no_server_side(&self) -> Option<String> {
        let Some(act) = self.act().filter(|act| matches!(act.verb, ActVerb::Replay | ActVerb::Discard)) else {
            return Some("a broker by itself only replays or purges".to_owned());
        };
        if act.has(Flag::ServerSide) {
            return None;
        }
        let offered = self.info(&act.address).map(|info| info.capability.server_side).unwrap_or_default();
        let (offered, what) = match act.verb {
            ActVerb::Discard => (offered.drops, "emptied"),
            _ => (offered.moves, "moved"),
        };
        if offered.is_none() {
            return Some(format!(
                "{} can't be {what} by its broker itself: SQS empties every queue and moves out of dead-letter queues, \
                 RabbitMQ moves out of classic and quorum queues",
                act.address
            ));
        }
        (!act.is_whole()).then(|| {
            "a broker takes the whole queue as it is: no filter, group, marks or other choices but target and rate"
                .to_owned()
        })
    }

    pub(crate) fn no_exact(&self) -> Option<String> {
        self.no_limit().or_else(|| {
            let by_itself = !self.act()?.has(Flag::Exact)
                && matches!(self.sheet(), Some(Sheet::Plan(plan, _)) if plan.mode == Mode::Exact);
            by_itself.then(|| "the plan names each message already".to_owned())
        })
    }

    pub(crate) fn no_plan_to_save(&self) -> Option<String> {
        let can = self.act().is_some_and(|act| matches!(act.verb, ActVerb::Replay | ActVerb::Drain | ActVerb::Discard));
        if !can {
            return Some("only plans of replays and drains can be saved".to_owned());
        }
        self.no_limit().or_else(|| match self.sheet() {
            Some(Sheet::Plan(plan, _)) if plan.mode == Mode::Exact => None,
            Some(Sheet::Plan(..)) => Some("it does not name its messages: n looks at them and does".to_owned()),
            _ => Some("there is no plan".to_owned()),
        })
    }

    pub(crate) fn no_park(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            let has = self.act().is_some_and(|act| act.max_replays.is_some());
            (!has).then(|| "say first how often a message is replayed at most: m".to_owned())
        })
    }

    pub(crate) fn no_rescue(&self) -> Option<String> {
        use ActVerb::{Discard, Drain, Replay, Resume};
        let Some(act) = self.act().filter(|act| matches!(act.verb, Replay | Drain | Discard | Resume(_))) else {
            return Some("nothing is returned here that could be destroyed".to_owned());
        };
        by_the_broker(act)
    }

    /// Whether what the sheet says names this option as a way on, or has it already.
    fn is_offered(&self, flag: Flag) -> bool {
        let names = |why: &str| why.contains(flag.option());
        let is_chosen = self.act().is_some_and(|act| act.has(flag));
        is_chosen
            || match self.sheet() {
                Some(Sheet::Plan(plan, _)) => plan.checks.iter().any(|check| names(&check.why)),
                Some(Sheet::Fault(why, _)) => names(why),
                _ => false,
            }
    }

    pub(crate) fn no_expiring_first(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            (!self.is_offered(Flag::ExpiringFirst))
                .then(|| "no message would vanish before its turn that could go first".to_owned())
        })
    }

    pub(crate) fn no_let_expire(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            (!self.is_offered(Flag::LetExpire))
                .then(|| "no message would vanish before its turn that another pace could reach".to_owned())
        })
    }

    pub(crate) fn no_send_misfits(&self) -> Option<String> {
        self.no_replay().or_else(|| {
            let act = self.act()?;
            if act.edit.is_none() {
                return Some("only what is edited is held to its schema".to_owned());
            }
            let misfits = match self.sheet() {
                Some(Sheet::Plan(plan, _)) => plan.edit.as_ref().is_some_and(|edit| edit.misfits > 0),
                _ => false,
            };
            (!misfits && !act.has(Flag::SendMisfits))
                .then(|| "no message was found that does not fit its schema as edited".to_owned())
        })
    }

    pub(crate) fn no_doubts(&self) -> Option<String> {
        let is_asked = match self.act() {
            Some(act) if matches!(act.verb, ActVerb::Resume(_)) => act.has(Flag::Doubtful),
            Some(_) => return Some("only a resume has this choice".to_owned()),
            None => false,
        };
        let run = match self.sheet() {
            Some(Sheet::Resume(summary)) => Some(summary),
            // What could not be planned with it may be without.
            Some(_) => return (!is_asked).then(|| "there is no plan: enter tries again".to_owned()),
            None => self.run(),
        };
        let Some(run) = run else { return Some("there is no run under the cursor".to_owned()) };
        match run.state {
            JournalState::Running => Some("it is being run".to_owned()),
            JournalState::Undone => Some("it was undone".to_owned()),
            JournalState::Finished if is_asked => {
                Some("the run is finished: nothing else of it is left to do".to_owned())
            }
            _ if run.doubtful == 0 && !is_asked => Some("no answer about a message of it was lost".to_owned()),
            _ => None,
        }
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
        let (verb, discarded) = if let Some(Dialog::Receipt { act, done, .. }) = self.over() {
            let Some(report) = done.last().filter(|report| report.journal.is_some()) else {
                return Some("this left no journal to take it back by".to_owned());
            };
            // What an undo drops are copies, which is a drain.
            let verb = if matches!(act.verb, ActVerb::Undo(_)) { Verb::Undo } else { report.verb };
            (verb, act.verb == ActVerb::Discard)
        } else {
            let Some(run) = self.run() else { return Some("there is no run under the cursor".to_owned()) };
            if run.state == JournalState::Running {
                return Some("it is being run".to_owned());
            }
            let verb = if run.undoes.is_some() { Verb::Undo } else { run.verb };
            (verb, run.to == crate::operation::drain::DISCARD)
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
        match self.over() {
            Some(Dialog::Running { running: true, act, .. }) => {
                (!act.has_journal()).then(|| "only runs with a journal can be resumed: esc stops it".to_owned())
            }
            _ => Some("nothing is sent yet: esc stops the look".to_owned()),
        }
    }

    pub(crate) fn no_journal(&self) -> Option<String> {
        let has = matches!(self.over(), Some(Dialog::Receipt { done, .. })
            if done.last().is_some_and(|report| report.journal.is_some()));
        (!has).then(|| "this run has no journal".to_owned())
    }

    pub(crate) fn cannot_resume(&self) -> Option<String> {
        if let Some(Dialog::Receipt { done, .. }) = self.over() {
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

/// What a broker does by itself has hardly a choice.
fn by_the_broker(act: &Act) -> Option<String> {
    act.has(Flag::ServerSide).then(|| "the broker does it by itself: S takes that back".to_owned())
}
