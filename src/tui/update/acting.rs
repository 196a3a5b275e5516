//! Acting: from the key to the plan sheet, its choices, the run, and its receipt.
//!
//! Nothing is written before a sheet was seen, on which a dry run stands preselected; production and purges ask for the
//! queue's name. A pause is a stop that says so: what is under way is finished, the rest goes back to the queue, and
//! the journal goes on from there, for messages that are held for long are messages at risk.

use super::{Effect, complain, input, navigate, next_task, note, say};
use crate::broker::Address;
use crate::operation::edit::Edit;
use crate::tui::act::{Act, ActVerb, Compose, both, field_filter, ids};
use crate::tui::command::{Command, Scope};
use crate::tui::state::{Dialog, Purpose, Sheet, State};

/// Starts a verb on what is under the cursor, or marked.
pub(super) fn act(state: &mut State, verb: &ActVerb) -> Vec<Effect> {
    let mut addresses = state.addresses();
    let Some(first) = addresses.first().cloned() else { return Vec::new() };
    let mut act = Act::new(verb.clone(), first);
    if let Some(screen) = state.screen() {
        (act.filter, act.group) = (screen.filter.clone(), screen.group.clone());
        match screen.scope {
            Scope::Groups => {
                let Some(group) = screen.groups.get(screen.cursor) else { return Vec::new() };
                if screen.by == 0 {
                    act.group = Some(group.name.clone());
                } else if let Some(field) = field_filter(screen.by, group) {
                    act.filter = Some(both(act.filter.as_ref(), &field));
                }
                // Of several queues, those that have messages of the group.
                let read: Vec<&str> = group.origins.iter().map(|origin| &*origin.read_from).collect();
                let holds = |address: &Address| read.contains(&address.to_string().as_str());
                if addresses.len() > 1 && addresses.iter().any(holds) {
                    addresses.retain(holds);
                }
            }
            Scope::Messages if !screen.marks.is_empty() => {
                let marked: Vec<String> = screen.marks.values().cloned().collect();
                (act.filter, act.group, act.marked) = (Some(ids(&marked)), None, marked.len());
            }
            Scope::Detail => {
                let Some(page) = &screen.page else { return Vec::new() };
                (act.filter, act.group, act.marked) = (Some(ids(std::slice::from_ref(&page.message.id))), None, 1);
                // In a snapshot of several queues the message says where it was read.
                if let Ok(address) = page.message.address.parse() {
                    addresses = vec![address];
                }
            }
            _ => {}
        }
    }
    if let [one] = addresses.as_slice() {
        act.address = one.clone();
        return prepare(state, act);
    }
    state.dialog = Some(Dialog::Pick { act: Box::new(act), addresses, cursor: 0 });
    Vec::new()
}

/// Asks for what the verb still needs, and plans.
fn prepare(state: &mut State, act: Act) -> Vec<Effect> {
    if act.verb != ActVerb::Drain && act.verb != ActVerb::Capture {
        return plan(state, act);
    }
    let name = act.address.target.as_ref().map(ToString::to_string).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let stamp = state.now.strftime("%Y%m%d-%H%M%S");
    let title = "a new archive, compressed where its name ends in .zst";
    input::ask(state, Purpose::Archive(Box::new(act)), &format!("{name}-{stamp}.jsonl.zst"), title);
    Vec::new()
}

fn plan(state: &mut State, act: Act) -> Vec<Effect> {
    let task = next_task(state);
    let dry = if act.verb == ActVerb::Capture { "" } else { " --dry-run" };
    note(state, false, &format!("$ {}{dry}", act.line()));
    let running = act.verb == ActVerb::Capture;
    state.dialog =
        Some(Dialog::Running { act: act.clone(), task, tick: None, stopping: false, paused: false, running });
    vec![Effect::Plan(task, act)]
}

pub(super) fn stop_run(state: &mut State, pause: bool) -> Vec<Effect> {
    if let Some(Dialog::Running { task, stopping, paused, .. }) = &mut state.dialog {
        (*stopping, *paused) = (true, pause);
        return vec![Effect::Cancel(*task)];
    }
    Vec::new()
}

/// Finishes a run that was paused or cut short: plans it first.
pub(super) fn resume(state: &mut State) -> Vec<Effect> {
    let (id, source) = match (&state.dialog, state.screen()) {
        (Some(Dialog::Receipt { report, act, .. }), _) => (report.journal.clone(), Some(act.address.clone())),
        (None, Some(screen)) => {
            let at = if screen.scope == Scope::Journal { screen.cursor } else { 0 };
            let run = screen.runs.get(at);
            (run.map(|run| run.id.clone()), run.and_then(|run| run.source.parse().ok()))
        }
        _ => (None, None),
    };
    let (Some(id), Some(source)) = (id, source) else {
        complain(state, "this run can't be resumed here: `postroom journal resume` can");
        return Vec::new();
    };
    if state.policy(&source).read_only {
        say(state, &format!("{source} is read-only"));
        return Vec::new();
    }
    plan(state, Act::new(ActVerb::Resume(id), source))
}

/// A choice on the sheet of a replay.
pub(super) fn option(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(Dialog::Sheet { act, task, .. }) = &state.dialog else { return Vec::new() };
    let (act, task) = (act.clone(), *task);
    match command {
        Command::Target => {
            let text = if act.to == "origin" { String::new() } else { act.to.clone() };
            state.pending = state.dialog.take();
            let title = "send to: origin, or the address of a queue or exchange; the queue is looked at again";
            input::ask(state, Purpose::Target(Box::new(act)), &text, title);
            Vec::new()
        }
        Command::Rate => {
            let text = act.rate.map_or_else(String::new, |rate| rate.to_string());
            state.pending = state.dialog.take();
            input::ask(
                state,
                Purpose::Rate(Box::new(act)),
                &text,
                "messages a second at most; nothing for as fast as it goes",
            );
            Vec::new()
        }
        Command::Edit => {
            let text = act.edit.clone().unwrap_or_default();
            state.pending = state.dialog.take();
            let title = "a jq program over .body, .headers, .key and .properties; nothing for no edit";
            input::ask(state, Purpose::Edit(Box::new(act)), &text, title);
            Vec::new()
        }
        _ => {
            let mut act = act;
            if command == Command::Keep {
                act.keep = !act.keep;
            } else {
                act.again = !act.again;
            }
            again(state, task, act)
        }
    }
}

/// Plans again, with another choice.
fn again(state: &mut State, task: u64, act: Act) -> Vec<Effect> {
    state.pending = None;
    let mut effects = vec![Effect::Drop(task)];
    effects.extend(plan(state, act));
    effects
}

/// Takes what was typed for an act.
pub(super) fn submit(state: &mut State, purpose: Purpose, text: &str) -> Vec<Effect> {
    let before = match &state.pending {
        Some(Dialog::Sheet { task, .. }) => *task,
        _ => 0,
    };
    match purpose {
        Purpose::Archive(act) => plan(state, Act { path: text.to_owned(), ..*act }),
        Purpose::Target(act) => {
            let to = if text.is_empty() { "origin" } else { text };
            again(state, before, Act { to: to.to_owned(), ..*act })
        }
        Purpose::Edit(act) => match Edit::parse(text) {
            _ if text.trim().is_empty() => again(state, before, Act { edit: None, ..*act }),
            Ok(_) => again(state, before, Act { edit: Some(text.to_owned()), ..*act }),
            Err(error) => {
                state.dialog = state.pending.take();
                complain(state, &super::with_hint(&error));
                Vec::new()
            }
        },
        Purpose::Rate(act) => match text.parse::<f64>() {
            _ if text.is_empty() => again(state, before, Act { rate: None, ..*act }),
            Ok(rate) if rate.is_finite() && rate > 0.0 => again(state, before, Act { rate: Some(rate), ..*act }),
            _ => {
                state.dialog = state.pending.take();
                complain(state, &format!("{text:?} is no rate: give messages a second, above 0"));
                Vec::new()
            }
        },
        _ => {
            state.dialog = state.pending.take();
            let wanted = match &state.dialog {
                Some(Dialog::Sheet { typed: Some((_, name)), .. }) => name.clone(),
                _ => return Vec::new(),
            };
            if text == wanted {
                return start_run(state);
            }
            complain(state, "not confirmed: nothing was done");
            Vec::new()
        }
    }
}

/// Enter, wherever it means yes.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Cost { refused: true, lines, wanted, task }) => {
            state.dialog = Some(Dialog::Cost { lines, wanted, refused: true, task });
            say(state, "the look is refused: it could destroy a message");
            Vec::new()
        }
        Some(Dialog::Cost { wanted, .. }) => navigate::begin(state, *wanted),
        Some(Dialog::Input { purpose, line, title, error, .. }) => input::submit(state, purpose, line, title, error),
        Some(Dialog::Palette { choices, cursor, .. }) => input::chosen(state, &choices, cursor),
        Some(Dialog::Pick { mut act, addresses, cursor }) => match addresses.into_iter().nth(cursor) {
            Some(address) => {
                act.address = address;
                prepare(state, *act)
            }
            None => Vec::new(),
        },
        Some(Dialog::Sheet { act, sheet, task, run, typed, scroll }) => {
            if !run {
                say(state, "Dry run: nothing was changed.");
                return vec![Effect::Drop(task)];
            }
            let cross = match &*sheet {
                Sheet::Plan(plan, _) => plan.crosses().next().map(|check| format!("{}: {}", check.name, check.why)),
                Sheet::Resume(_) => None,
            };
            let title =
                typed.as_ref().map(|(address, name)| format!("{} on {address}: type {name} to go on", act.name()));
            state.dialog = Some(Dialog::Sheet { act, sheet, task, run, typed, scroll });
            if let Some(why) = cross {
                complain(state, &format!("this plan can't be run: {why}"));
                return Vec::new();
            }
            match title {
                None => start_run(state),
                Some(title) => {
                    state.pending = state.dialog.take();
                    input::ask(state, Purpose::Confirm, "", &title);
                    Vec::new()
                }
            }
        }
        Some(Dialog::Receipt { .. }) => navigate::refresh(state),
        Some(other) => {
            state.dialog = Some(other);
            Vec::new()
        }
        None => navigate::enter(state, Command::Accept),
    }
}

fn start_run(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Sheet { act, task, .. }) => {
            note(state, false, &format!("$ {}", act.line()));
            let running = true;
            state.dialog = Some(Dialog::Running { act, task, tick: None, stopping: false, paused: false, running });
            vec![Effect::Run(task)]
        }
        other => {
            state.dialog = other;
            Vec::new()
        }
    }
}

/// The form of a new message to the queue under the cursor, or to where its dead came from.
pub(super) fn compose(state: &mut State) {
    let Some(address) = state.addresses().into_iter().next() else { return };
    state.dialog = Some(Dialog::Compose { compose: Box::new(Compose::new(&address)), error: None });
}

/// The form of a copy of the message, to where it came from.
pub(super) fn edit_copy(state: &mut State) {
    let Some(screen) = state.screen() else { return };
    let Some(page) = &screen.page else {
        say(state, "open the message first: enter");
        return;
    };
    let home = page.message.address.parse::<Address>().ok().or_else(|| screen.addresses.first().cloned());
    let origin = crate::message::failure::detect(&page.message).and_then(|failure| failure.origin);
    let to = match (home, origin) {
        (Some(home), Some(origin)) => home.at(crate::operation::glance::origin_target(&origin)).to_string(),
        (Some(home), None) => home.to_string(),
        (None, _) => String::new(),
    };
    if page.is_redacted {
        let text = "the profile hides parts of this message: what is not shown can't be edited; capture it instead";
        complain(state, text);
        return;
    }
    let compose = Compose::of(&page.message, &to);
    state.dialog = Some(Dialog::Compose { compose: Box::new(compose), error: None });
}

pub(super) fn send(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Compose { compose, error }) = &mut state.dialog else { return Vec::new() };
    match compose.act() {
        Ok(act) => {
            // A plan that is given up leads back to what was written.
            state.pending = state.dialog.take();
            plan(state, act)
        }
        Err(fault) => {
            *error = Some(super::with_hint(&fault));
            Vec::new()
        }
    }
}

pub(super) fn editor(state: &mut State) -> Vec<Effect> {
    match &state.dialog {
        Some(Dialog::Compose { compose, .. }) => vec![Effect::Editor(compose.text())],
        _ => Vec::new(),
    }
}
