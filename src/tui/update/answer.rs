//! Taking what a task says, if anybody still waits for it.

use super::{Effect, complain, say, with_hint};
use crate::broker::{ConsumerGroup, Remove};
use crate::error::{Error, ErrorKind};
use crate::operation::plan::Verb;
use crate::operation::queues::{Listed, sort};
use crate::tui::act::{Act, ActVerb, Flag};
use crate::tui::command::Scope;
use crate::tui::msg::Answer;
use crate::tui::state::{Dialog, Done, Failed, HISTORY, Load, Sheet, State, TaskId};

/// What is said of a look once its queue was changed from here.
const CHANGED: &str = "; changed since (ctrl-r)";

pub(super) fn answer(state: &mut State, task: TaskId, answer: Answer) -> Vec<Effect> {
    if let Some(at) = state.sources.iter().position(|source| source.task == task) {
        listed(state, at, answer);
    } else if let Some(id) = state.looks.iter().find(|(_, look)| look.task == task).map(|(id, _)| *id) {
        looked(state, id, answer);
    } else if is_dialogs(state, task) {
        return dialog(state, task, answer);
    } else if state.screens.iter().any(|screen| screen.task == Some(task) || screen.fetching == Some(task)) {
        screen(state, task, answer);
    } else if state.saves.remove(&task) {
        match answer {
            Answer::Saved(text) => say(state, &text),
            Answer::Failed(error) => complain(state, &with_hint(&error)),
            _ => {}
        }
    }
    Vec::new()
}

fn is_dialogs(state: &State, task: TaskId) -> bool {
    match &state.dialog {
        Some(Dialog::Cost { task: waiting, .. } | Dialog::Running { task: waiting, .. }) => *waiting == task,
        _ => false,
    }
}

fn dialog(state: &mut State, task: TaskId, answer: Answer) -> Vec<Effect> {
    match (&mut state.dialog, answer) {
        (Some(Dialog::Cost { lines, refused, .. }), Answer::Cost(said, no)) => {
            (*lines, *refused) = (said, no);
            // It turned out that the look is free.
            if lines.is_empty()
                && !no
                && let Some(Dialog::Cost { wanted, .. }) = state.dialog.take()
            {
                return super::looking::begin(state, *wanted);
            }
        }
        (Some(Dialog::Running { tick, .. }), Answer::Progress(now)) => *tick = Some(now),
        (Some(Dialog::Running { act, .. }), Answer::Planned(sheet, typed)) => {
            let act = act.clone();
            state.dialog = Some(Dialog::Sheet { act, sheet, task, run: false, typed, scroll: 0 });
        }
        (Some(Dialog::Running { act, .. }), Answer::ByHand(text)) => {
            state.by_hand = Some((Box::new(act.clone()), text.clone()));
            state.dialog = state.pending.take();
            return vec![Effect::Editor(text)];
        }
        (Some(Dialog::Running { act, paused, .. }), Answer::Ran(done)) => {
            let (act, paused) = (act.clone(), *paused);
            let text = done.headline();
            if done.is_clean() {
                say(state, &text);
            } else {
                complain(state, &text);
            }
            state.pending = None;
            changed(state, &act, &done);
            state.dialog = Some(Dialog::Receipt { act, done, paused, scroll: 0 });
        }
        (Some(Dialog::Running { act, running, .. }), Answer::Failed(error)) => {
            let (act, running) = (act.clone(), *running);
            failed(state, act, task, running, &error);
        }
        (Some(Dialog::Cost { .. }), Answer::Failed(error)) => {
            state.dialog = None;
            tell(state, &error);
        }
        _ => {}
    }
    Vec::new()
}

/// What was asked for could not be planned, or its run ended at once. It can be corrected where it was asked for: in the
/// form, the line of a name, or on the sheet.
fn failed(state: &mut State, act: Act, task: TaskId, running: bool, error: &Error) {
    let text = with_hint(error);
    tell(state, error);
    state.dialog = match state.pending.take() {
        Some(Dialog::Compose { compose, .. }) => Some(Dialog::Compose { compose, error: Some(text) }),
        // A look for the editor was made from it.
        Some(sheet @ Dialog::Sheet { .. }) => Some(sheet),
        _ if error.kind() == ErrorKind::Interrupted => None,
        _ if act.verb == ActVerb::Capture => {
            super::acting::prepare(state, act);
            if let Some(Dialog::Input { error, .. }) = &mut state.dialog {
                *error = Some(text);
            }
            return;
        }
        _ => {
            let what = if running { Failed::Run } else { Failed::Plan };
            let sheet = Box::new(Sheet::Fault(text, what));
            Some(Dialog::Sheet { act, sheet, task, run: false, typed: None, scroll: 0 })
        }
    };
}

/// What was shown before a run may not be so any more: the screens over it ask again, where that costs nothing, and the
/// looks say it.
fn changed(state: &mut State, act: &Act, done: &Done) {
    // What the marks named may be gone.
    if let Some(screen) = state.screens.last_mut() {
        screen.marks.clear();
        screen.marked_groups.clear();
    }
    for screen in state.screens.iter_mut().filter(|screen| screen.scope.is_asked_for()) {
        screen.asked = false;
    }
    let keeps = act.has(Flag::Keep) || matches!(act.verb, ActVerb::Capture | ActVerb::Publish);
    let Some(report) = done.last().filter(|report| report.done > 0 && !keeps) else { return };
    // A log keeps what is replayed; only a drain shortens it.
    let stays = state.info(&act.address).is_some_and(|info| match info.capability.remove {
        Remove::Never => true,
        Remove::UpToOffset => report.verb == Verb::Replay,
        Remove::PerMessage => false,
    });
    if stays {
        return;
    }
    for look in state.looks.values_mut().filter(|look| look.addresses.contains(&act.address)) {
        if let Load::Done(said) = &mut look.load
            && !said.ends_with(CHANGED)
        {
            said.push_str(CHANGED);
        }
    }
}

/// A stop that was asked for is no error.
fn tell(state: &mut State, error: &Error) {
    if error.kind() == ErrorKind::Interrupted {
        say(state, &error.to_string());
    } else {
        complain(state, &with_hint(error));
    }
}

fn looked(state: &mut State, id: u64, answer: Answer) {
    let Some(look) = state.looks.get_mut(&id) else { return };
    match answer {
        Answer::Begun(snapshot) => look.snapshot = Some(snapshot),
        Answer::Progress(tick) => look.load = Load::Reading(Some(tick)),
        Answer::Seen(seen, more) => {
            look.seen = seen;
            if let Some((groups, fields)) = more {
                (look.groups, look.fields) = (groups, fields);
                regroup(state, id);
            }
        }
        Answer::Looked(seen, groups, fields, said) => {
            (look.seen, look.groups, look.fields) = (seen, groups, fields);
            look.load = Load::Done(said);
            look.follow = false;
            regroup(state, id);
        }
        Answer::Failed(error) => {
            let text = with_hint(&error);
            look.load = Load::Failed(text);
            look.follow = false;
            tell(state, &error);
        }
        _ => {}
    }
}

/// The groups of the look are new.
fn regroup(state: &mut State, id: u64) {
    for screen in state.screens.iter_mut().filter(|screen| screen.look == id && screen.scope == Scope::Groups) {
        screen.grouped = None;
    }
}

fn screen(state: &mut State, task: TaskId, answer: Answer) {
    let mine = |screen: &crate::tui::state::Screen| screen.task == Some(task) || screen.fetching == Some(task);
    let Some(at) = state.screens.iter().position(mine) else { return };
    let now = state.now_at(state.screens.get(at).and_then(|screen| screen.addresses.first()));
    let Some(screen) = state.screens.get_mut(at) else { return };
    match answer {
        Answer::Progress(_) => return,
        Answer::Searched(done, of) => {
            screen.searched = Some((done, of));
            return;
        }
        _ => screen.searched = None,
    }
    if screen.fetching == Some(task) {
        screen.fetching = None;
    } else {
        screen.task = None;
    }
    let mut faults = Vec::new();
    match answer {
        Answer::Groups(groups) => screen.groups = groups,
        Answer::Found(indices, upto) => {
            screen.found.only.get_or_insert_default().extend(indices);
            screen.found.upto = upto;
        }
        Answer::Rows(rows) => screen.rows.extend(rows),
        Answer::Page(page) => screen.page = Some(page),
        Answer::Shown(listed, groups) => {
            let notes = listed.info.notes.iter().chain(&groups.notes).map(|note| ("note".to_owned(), note.clone()));
            screen.entries = listed.entries(now).into_iter().chain(notes).collect();
            screen.consumers = by_lag(groups.groups);
        }
        Answer::Consumers(groups) => {
            screen.consumers = by_lag(groups.groups);
            if screen.scope == Scope::Partitions {
                screen.consumers.retain(|group| group.name == screen.title);
            }
            faults = groups.notes;
        }
        Answer::Journals(runs, said) => (screen.runs, faults) = (runs, said),
        Answer::Run(shown) => {
            let crate::operation::journal::Shown { summary, outcomes } = *shown;
            (screen.runs, screen.outcomes) = (vec![summary], outcomes);
        }
        Answer::Failed(error) if error.kind() != ErrorKind::Interrupted => {
            screen.fault = Some(with_hint(&error));
            faults.push(with_hint(&error));
        }
        _ => {}
    }
    for fault in &faults {
        complain(state, fault);
    }
}

/// Those that are furthest behind first.
fn by_lag(mut groups: Vec<ConsumerGroup>) -> Vec<ConsumerGroup> {
    groups.sort_by_key(|group| std::cmp::Reverse(group.lag()));
    groups
}

fn listed(state: &mut State, at: usize, answer: Answer) {
    let Some(source) = state.sources.get_mut(at) else { return };
    let address = source.address.clone();
    match answer {
        Answer::Queues(queues, notes) => {
            // A broker that can't be listed for a moment has its queues all the same: what is known of them stays.
            let known = state.queues.iter().any(|listed| listed.broker.connection == address.connection);
            if let (true, true, Some(why)) = (queues.is_empty(), known, notes.first()) {
                source.failed = Some(why.clone());
                let text = format!("{address}: {why}");
                if !state.log.iter().any(|(_, line)| *line == text) {
                    complain(state, &text);
                }
                return;
            }
            (source.failed, source.listed) = (None, true);
            let selected = state.queue().map(Listed::address);
            let now = state.now;
            for listed in &queues {
                if let Some(messages) = listed.info.messages {
                    let depths = state.depths.entry(listed.address()).or_default();
                    depths.push_back((now, messages));
                    if depths.len() > HISTORY {
                        depths.pop_front();
                    }
                }
            }
            state.queues.retain(|listed| listed.broker.connection != address.connection);
            state.queues.extend(queues);
            sort(&mut state.queues);
            let again = state.shown_queues().iter().position(|listed| Some(listed.address()) == selected);
            state.cursor = again.unwrap_or(state.cursor);
            for note in notes.iter().map(|note| format!("{address}: {note}")) {
                if !state.log.iter().any(|(_, line)| *line == note) {
                    say(state, &note);
                }
            }
        }
        Answer::Failed(error) if error.kind() != ErrorKind::Interrupted => {
            let text = format!("{address}: {}", with_hint(&error));
            let again = source.failed.replace(error.to_string()).is_some();
            if !again {
                complain(state, &text);
            }
        }
        _ => {}
    }
}
