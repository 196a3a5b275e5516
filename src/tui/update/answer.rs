//! Taking what a task says, if anybody still waits for it.

use super::{Effect, complain, say, with_hint};
use crate::error::{Error, ErrorKind};
use crate::operation::queues::{Listed, sort};
use crate::tui::command::Scope;
use crate::tui::msg::Answer;
use crate::tui::state::{Dialog, HISTORY, Load, Sheet, State, TaskId};

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
                return super::navigate::begin(state, *wanted);
            }
        }
        (Some(Dialog::Running { tick, .. }), Answer::Progress(now)) => *tick = Some(now),
        (Some(Dialog::Running { act, .. }), Answer::Planned(plan, shown, typed)) => {
            let (act, sheet) = (act.clone(), Box::new(Sheet::Plan(*plan, shown)));
            state.dialog = Some(Dialog::Sheet { act, sheet, task, run: false, typed, scroll: 0 });
        }
        (Some(Dialog::Running { act, .. }), Answer::Resumable(summary, typed)) => {
            let (act, sheet) = (act.clone(), Box::new(Sheet::Resume(*summary)));
            state.dialog = Some(Dialog::Sheet { act, sheet, task, run: false, typed, scroll: 0 });
        }
        (Some(Dialog::Running { act, paused, .. }), Answer::Ran(report)) => {
            let (act, paused) = (act.clone(), *paused);
            let text = report.headline();
            if report.is_clean() {
                say(state, &text);
            } else {
                complain(state, &text);
            }
            state.pending = None;
            state.dialog = Some(Dialog::Receipt { act, report, paused, scroll: 0 });
            // What the marks named may be gone.
            if let Some(screen) = state.screens.last_mut() {
                screen.marks.clear();
            }
        }
        (Some(Dialog::Running { .. } | Dialog::Cost { .. }), Answer::Failed(error)) => {
            // A form that was written is there again, with what is wrong with it.
            state.dialog = state.pending.take().filter(|dialog| matches!(dialog, Dialog::Compose { .. }));
            tell(state, &error);
        }
        _ => {}
    }
    Vec::new()
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
    if matches!(answer, Answer::Progress(_)) {
        return;
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
        Answer::Shown(listed) => {
            let notes = listed.info.notes.iter().map(|note| ("note".to_owned(), note.clone()));
            screen.entries = listed.entries(now).into_iter().chain(notes).collect();
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

fn listed(state: &mut State, at: usize, answer: Answer) {
    let Some(source) = state.sources.get_mut(at) else { return };
    let address = source.address.clone();
    match answer {
        Answer::Queues(queues, notes) => {
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
            state.queues.retain(|listed| listed.broker != address);
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
