//! Acting: from the key to the plan sheet, its choices, the run, and its receipt.
//!
//! Nothing is written before a sheet was seen, on which a dry run stands preselected; production and purges ask for the
//! queue's name. A pause is a stop that says so: what is under way is finished, the rest goes back to the queue, and
//! the journal goes on from there, for messages that are held for long are messages at risk.

use super::{Effect, complain, input, navigate, next_task, note, say};
use crate::broker::Address;
use crate::message::filter::parse_duration;
use crate::operation::edit::Edit;
use crate::operation::plan::Pace;
use crate::tui::act::{Act, ActVerb, Compose, Reset, both, field_filter, ids};
use crate::tui::command::{Command, Scope};
use crate::tui::state::{Dialog, Purpose, State};

/// What a ramp begins with where nothing else is typed, and how long copies are watched.
const STEPS: &str = "1,5,20,100";
const WATCH: &str = "30s";

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
    of_run(state, "resume", ActVerb::Resume)
}

/// Takes a run back: plans it first.
pub(super) fn undo(state: &mut State) -> Vec<Effect> {
    of_run(state, "undo", ActVerb::Undo)
}

/// Plans a verb for the run of the receipt, or for the one under the cursor.
fn of_run(state: &mut State, verb: &str, act: impl FnOnce(String) -> ActVerb) -> Vec<Effect> {
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
    plan(state, Act::new(act(id), source))
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

/// What is typed for an act.
type Asks = fn(Box<Act>) -> Purpose;

/// A choice on a sheet.
pub(super) fn option(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(Dialog::Sheet { act, task, .. }) = &state.dialog else { return Vec::new() };
    let (mut act, task) = (Box::new(act.clone()), *task);
    let number = |number: Option<String>| number.unwrap_or_default();
    let (purpose, text, title): (Asks, String, &str) = match command {
        Command::Target => (
            Purpose::Target,
            if act.to == "origin" { String::new() } else { act.to.clone() },
            "send to: origin, or the address of a queue or exchange; the queue is looked at again",
        ),
        Command::Rate => (
            Purpose::Rate,
            number(act.rate.map(|rate| rate.to_string())),
            "messages a second at most; nothing for as fast as it goes",
        ),
        Command::Ramp => (
            Purpose::Ramp,
            if act.ramp.is_empty() {
                STEPS.to_owned()
            } else {
                act.ramp.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
            },
            "messages of the first steps, each begun when the one before is consumed; nothing for all at once",
        ),
        Command::Verify => (
            Purpose::Verify,
            act.verify.clone().unwrap_or_else(|| WATCH.to_owned()),
            "watch the copies for at most, such as 30s or 2m; nothing for not at all",
        ),
        Command::InFlight => (
            Purpose::InFlight,
            number(act.max_in_flight.map(|most| most.to_string())),
            "sent and not confirmed at most, with a watch not consumed; nothing for no bound",
        ),
        Command::PerKey => (
            Purpose::PerKey,
            act.per_key.clone().unwrap_or_else(|| "key".to_owned()),
            "one after the other for each: key, or a field such as body.order.id; nothing for no order",
        ),
        Command::MaxFailures => (
            Purpose::MaxFailures,
            number(act.max_failures.map(|most| most.to_string())),
            "stop when so many failed or came back; nothing for the usual rule",
        ),
        Command::MaxReplays => (
            Purpose::MaxReplays,
            number(act.max_replays.map(|most| most.to_string())),
            "leave what was replayed so many times before; nothing for no limit",
        ),
        Command::Park => (
            Purpose::Park,
            act.park.clone().unwrap_or_default(),
            "park what was replayed too often in this queue or archive; nothing to leave it where it is",
        ),
        Command::LookIn => (
            Purpose::Also,
            act.also.join(" "),
            "look for copies in these queues, too: addresses, with spaces between them",
        ),
        Command::Edit => (
            Purpose::Edit,
            act.edit.clone().unwrap_or_default(),
            "a jq program over .body, .headers, .key and .properties; nothing for no edit",
        ),
        _ => {
            match command {
                Command::Keep => act.keep = !act.keep,
                Command::Rescue => act.rescue = !act.rescue,
                _ => act.again = !act.again,
            }
            return again(state, task, *act);
        }
    };
    state.pending = state.dialog.take();
    input::ask(state, purpose(act), &text, title);
    Vec::new()
}

/// Plans again, with another choice.
fn again(state: &mut State, task: u64, act: Act) -> Vec<Effect> {
    state.pending = None;
    let mut effects = vec![Effect::Drop(task)];
    effects.extend(plan(state, act));
    effects
}

/// Opens the messages of a sheet in the editor, after a look at them.
pub(super) fn by_hand(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Sheet { act, .. }) = &state.dialog else { return Vec::new() };
    let act = act.clone();
    let task = next_task(state);
    state.pending = state.dialog.take();
    state.dialog =
        Some(Dialog::Running { act: act.clone(), task, tick: None, stopping: false, paused: false, running: false });
    vec![Effect::ByHand(task, act)]
}

/// Takes the messages as they came back from the editor: the change becomes a program, and is planned.
#[cfg(feature = "jq")]
pub(super) fn edited_by_hand(state: &mut State, act: Box<Act>, given: &str, back: &str) -> Vec<Effect> {
    let task = match &state.dialog {
        Some(Dialog::Sheet { task, .. }) => *task,
        _ => return Vec::new(),
    };
    match crate::operation::edit::hand::program(given, back) {
        Ok(Some(program)) => again(state, task, Act { edit: Some(program), ..*act }),
        Ok(None) => {
            say(state, "Nothing was changed in the editor.");
            Vec::new()
        }
        Err(error) => {
            complain(state, &format!("the edit can't be read: {}", super::with_hint(&error)));
            Vec::new()
        }
    }
}

/// A build without jq edits nothing.
#[cfg(not(feature = "jq"))]
pub(super) fn edited_by_hand(_: &mut State, _: Box<Act>, _: &str, _: &str) -> Vec<Effect> {
    Vec::new()
}

/// Takes what was typed for an act.
pub(super) fn submit(state: &mut State, purpose: Purpose, text: &str) -> Vec<Effect> {
    let before = match &state.pending {
        Some(Dialog::Sheet { task, .. }) => *task,
        _ => 0,
    };
    let given = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    let act = match purpose {
        Purpose::Archive(act) => return plan(state, Act { path: text.to_owned(), ..*act }),
        Purpose::Offsets(mut act) => {
            let ActVerb::Offsets(reset) = &mut act.verb else { return Vec::new() };
            text.clone_into(&mut reset.to);
            if let Err(error) = reset.place(state.now_at(Some(&act.address))) {
                complain(state, &super::with_hint(&error));
                return Vec::new();
            }
            return plan(state, *act);
        }
        Purpose::Target(act) => Ok(Act { to: given.unwrap_or_else(|| "origin".to_owned()), ..*act }),
        Purpose::Rate(act) => match (given, text.parse::<f64>()) {
            (None, _) => Ok(Act { rate: None, ..*act }),
            (_, Ok(rate)) if rate.is_finite() && rate > 0.0 => Ok(Act { rate: Some(rate), ..*act }),
            _ => Err(format!("{text:?} is no rate: give messages a second, above 0")),
        },
        Purpose::Ramp(act) => match (given, Pace::steps(text)) {
            (None, _) => Ok(Act { ramp: Vec::new(), ..*act }),
            (_, Some(ramp)) => Ok(Act { ramp, ..*act }),
            _ => Err(format!("{text:?} are no steps: write how many messages each has, such as {STEPS}")),
        },
        Purpose::Verify(act) => {
            match given.as_deref().map(|text| parse_duration(text).filter(|time| time.as_secs_f64() > 0.0)) {
                None => Ok(Act { verify: None, ..*act }),
                Some(Some(_)) => Ok(Act { verify: given, ..*act }),
                Some(None) => Err(format!("{text:?} is no time: write a number with its unit, such as 30s or 2m")),
            }
        }
        Purpose::InFlight(act) => above_zero(text).map(|most| Act { max_in_flight: most, ..*act }),
        Purpose::PerKey(act) => Ok(Act { per_key: given, ..*act }),
        Purpose::MaxFailures(act) => above_zero(text).map(|most| Act { max_failures: most, ..*act }),
        Purpose::MaxReplays(act) => above_zero(text).map(|most| {
            let park = act.park.clone().filter(|_| most.is_some());
            Act { max_replays: most, park, ..*act }
        }),
        Purpose::Park(act) => match given.as_deref().map(str::parse::<Address>) {
            None => Ok(Act { park: None, ..*act }),
            Some(Ok(_)) => Ok(Act { park: given, ..*act }),
            Some(Err(error)) => Err(super::with_hint(&error)),
        },
        Purpose::Also(act) => match text.split_whitespace().try_for_each(|word| word.parse::<Address>().map(|_| ())) {
            Ok(()) => Ok(Act { also: text.split_whitespace().map(str::to_owned).collect(), ..*act }),
            Err(error) => Err(super::with_hint(&error)),
        },
        Purpose::Edit(act) => match given.as_deref().map(Edit::parse) {
            None => Ok(Act { edit: None, ..*act }),
            Some(Ok(_)) => Ok(Act { edit: given, ..*act }),
            Some(Err(error)) => Err(super::with_hint(&error)),
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
            return Vec::new();
        }
    };
    match act {
        Ok(act) => again(state, before, act),
        // The sheet is as it was.
        Err(why) => {
            state.dialog = state.pending.take();
            complain(state, &why);
            Vec::new()
        }
    }
}

/// A number above zero, or none for nothing.
fn above_zero(text: &str) -> Result<Option<u64>, String> {
    match text.parse::<u64>() {
        _ if text.is_empty() => Ok(None),
        Ok(number @ 1..) => Ok(Some(number)),
        _ => Err(format!("{text:?} is no number above 0")),
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
