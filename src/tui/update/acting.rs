//! Acting: from the key to the plan sheet, its choices, the run, and its receipt.
//!
//! Nothing is written before a sheet was seen, on which a dry run stands preselected; production and purges ask for the
//! queue's name. A pause is a stop that says so: what is under way is finished, the rest goes back to the queue, and
//! the journal goes on from there, for messages that are held for long are messages at risk.

use super::{Effect, choices, complain, input, looking, navigate, next_task, note, say};
use crate::broker::Address;
use crate::tui::act::{Act, ActVerb, Again, Flag, Reset, archive, both, drain_target, ids};
use crate::tui::command::{Command, Scope};
use crate::tui::compose::Compose;
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
                let groups = screen.chosen_groups();
                match Again::of(&screen.by, &groups) {
                    Some(Again::Groups(names)) => act.group = Some(names),
                    Some(Again::Filter(field)) => act.filter = Some(both(act.filter.as_ref(), &field)),
                    None => return Vec::new(),
                }
                // Of several queues, those that have messages of the groups.
                let origins = groups.iter().flat_map(|group| &group.origins);
                let read: Vec<&str> = origins.map(|origin| &*origin.read_from).collect();
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
pub(super) fn prepare(state: &mut State, act: Act) -> Vec<Effect> {
    if act.verb != ActVerb::Drain && act.verb != ActVerb::Capture {
        return plan(state, act);
    }
    let before = act.to.strip_prefix("file:").map(str::to_owned);
    let name = before.unwrap_or_else(|| file_name(state, &act, "jsonl.zst"));
    let title = if act.verb == ActVerb::Drain {
        "a new archive, compressed where its name ends in .zst, or the address of a queue (tab completes)"
    } else {
        "a new archive, compressed where its name ends in .zst"
    };
    input::ask(state, Purpose::Archive(Box::new(act)), &name, title);
    Vec::new()
}

/// The name of a new file about the queue of an act.
pub(super) fn file_name(state: &State, act: &Act, end: &str) -> String {
    let name = act.address.target.as_ref().map(ToString::to_string).unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    format!("{name}-{}.{end}", state.now.strftime("%Y%m%d-%H%M%S"))
}

pub(super) fn plan(state: &mut State, act: Act) -> Vec<Effect> {
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
    of_run(state, "resume", ActVerb::Resume, [])
}

/// The same, with what may have been sent.
pub(super) fn settle(state: &mut State) -> Vec<Effect> {
    of_run(state, "resume", ActVerb::Resume, [Flag::Doubtful])
}

/// Takes a run back: plans it first.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    of_run(state, "undo", ActVerb::Undo, [])
}

/// Plans a verb for the run of the receipt, or for the one under the cursor.
fn of_run(
    state: &mut State,
    verb: &str,
    act: impl FnOnce(String) -> ActVerb,
    flags: impl IntoIterator<Item = Flag>,
) -> Vec<Effect> {
    let (id, source) = if let Some(Dialog::Receipt { done, act, .. }) = &state.dialog {
        (done.last().and_then(|report| report.journal.clone()), Some(act.address.clone()))
    } else {
        let run = state.run();
        (run.map(|run| run.id.clone()), run.and_then(|run| run.source.parse().ok()))
    };
    let (Some(id), Some(source)) = (id, source) else {
        complain(state, &format!("no run can be taken from here: `postroom journal {verb}` can"));
        return Vec::new();
    };
    if state.policy(&source).read_only {
        say(state, &format!("{source} is read-only"));
        return Vec::new();
    }
    plan(state, Act { flags: flags.into_iter().collect(), ..Act::new(act(id), source) })
}

/// Asks where a consumer group goes on.
pub(super) fn reset(state: &mut State) {
    let (Some(screen), Some(group)) = (state.screen(), state.group()) else { return };
    let Some(address) = screen.addresses.first() else { return };
    let one = group.places.get(screen.cursor).filter(|_| screen.scope == Scope::Partitions);
    let partition = one.map(|place| place.partition);
    let of = partition.map_or_else(String::new, |partition| format!(", partition {partition}"));
    let title = format!(
        "{}{of} goes on at: first, last, end, an offset, a time such as -2h, +N, -N, or behind the message P:OFFSET",
        group.name
    );
    let reset = Reset { group: group.name.clone(), partition, to: String::new() };
    let act = Act::new(ActVerb::Offsets(Box::new(reset)), address.clone());
    input::ask(state, Purpose::Offsets(Box::new(act)), "", &title);
}

/// Takes what was typed for an act.
///
/// # Errors
/// What is wrong with it, and what it was for: it can be corrected.
pub(super) fn submit(state: &mut State, purpose: Purpose, text: &str) -> Result<Vec<Effect>, (Purpose, String)> {
    match purpose {
        Purpose::Archive(act) => {
            let to = if act.verb == ActVerb::Drain { drain_target(text) } else { archive(text) };
            match to {
                Ok(to) => Ok(plan(state, Act { to, ..*act })),
                Err(error) => Err((Purpose::Archive(act), super::with_hint(&error))),
            }
        }
        Purpose::Offsets(mut act) => {
            let ActVerb::Offsets(reset) = &mut act.verb else { return Ok(Vec::new()) };
            text.clone_into(&mut reset.to);
            match reset.place(state.now_at(Some(&act.address))) {
                Ok(_) => Ok(plan(state, *act)),
                Err(error) => Err((Purpose::Offsets(act), super::with_hint(&error))),
            }
        }
        Purpose::Choice(command, act) => {
            choices::take(state, command, &act, text).map_err(|why| (Purpose::Choice(command, act), why))
        }
        Purpose::SavePlan(task, act) => {
            choices::save(state, task, &act, text).map_err(|why| (Purpose::SavePlan(task, act), why))
        }
        _ => {
            state.dialog = state.pending.take();
            let wanted = match &state.dialog {
                Some(Dialog::Sheet { typed: Some((_, name)), .. }) => name.clone(),
                _ => return Ok(Vec::new()),
            };
            if text == wanted {
                return Ok(start_run(state));
            }
            complain(state, "not confirmed: nothing was done");
            Ok(Vec::new())
        }
    }
}

/// Enter, wherever it means yes.
pub(super) fn accept(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Cost { refused: true, lines, wanted, task, scroll }) => {
            state.dialog = Some(Dialog::Cost { lines, wanted, refused: true, task, scroll });
            say(state, "the look is refused: it could destroy a message");
            Vec::new()
        }
        Some(Dialog::Cost { wanted, .. }) => looking::begin(state, *wanted),
        Some(Dialog::Input { purpose, line, title, error, .. }) => input::submit(state, purpose, line, title, error),
        Some(Dialog::Palette { choices, cursor, .. }) => input::chosen(state, &choices, cursor),
        Some(Dialog::Pick { mut act, addresses, cursor }) => match addresses.into_iter().nth(cursor) {
            Some(address) => {
                act.address = address;
                prepare(state, *act)
            }
            None => Vec::new(),
        },
        // What could not be planned is tried again.
        Some(Dialog::Sheet { act, sheet, task, .. }) if matches!(*sheet, Sheet::Fault(..)) => {
            choices::again(state, task, act)
        }
        Some(Dialog::Sheet { act, sheet, task, run, typed, scroll }) => {
            if !run {
                say(state, "Dry run: nothing was changed.");
                return vec![Effect::Drop(task)];
            }
            let cross = sheet.cross();
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
        Some(Dialog::Receipt { .. }) => looking::refresh(state),
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
