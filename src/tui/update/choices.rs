//! The choices on a plan sheet: what each asks for, what an act becomes by it, and planning again.
//!
//! What can't be taken is told where it is typed, and what can't be planned on the sheet itself: it is corrected there.

use super::{Effect, acting, input, next_task, note};
#[cfg(feature = "jq")]
use super::{complain, say};
use crate::broker::Address;
use crate::message::filter::parse_duration;
use crate::operation::edit::Edit;
use crate::operation::plan::Pace;
use crate::tui::act::{Act, ActVerb, Flag, drain_target};
use crate::tui::command::Command;
use crate::tui::state::{Dialog, Purpose, State, TaskId};

/// What a ramp begins with where nothing else is typed, and how long copies are watched.
const STEPS: &str = "1,5,20,100";
const WATCH: &str = "30s";

/// What a choice is that is made or not.
fn flag(command: Command) -> Option<Flag> {
    match command {
        Command::Keep => Some(Flag::Keep),
        Command::Again => Some(Flag::Again),
        Command::SamePartition => Some(Flag::SamePartition),
        Command::ServerSide => Some(Flag::ServerSide),
        Command::Rescue => Some(Flag::Rescue),
        Command::Exact => Some(Flag::Exact),
        Command::ExpiringFirst => Some(Flag::ExpiringFirst),
        Command::LetExpire => Some(Flag::LetExpire),
        Command::SendMisfits => Some(Flag::SendMisfits),
        Command::Doubtful => Some(Flag::Doubtful),
        _ => None,
    }
}

/// A choice on a sheet: made at once, or asked for.
pub(super) fn choose(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(Dialog::Sheet { act, task, .. }) = &state.dialog else { return Vec::new() };
    let (mut act, task) = (Box::new(act.clone()), *task);
    if let Some(flag) = flag(command) {
        if !act.flags.remove(&flag) {
            act.flags.insert(flag);
        }
        return again(state, task, *act);
    }
    let (purpose, text, title) = if command == Command::SavePlan {
        let text = acting::file_name(state, &act, "plan.json");
        (Purpose::SavePlan(task, act), text, "save the plan to a new file; `postroom plan run FILE` runs it")
    } else {
        let (text, title) = question(command, &act);
        (Purpose::Choice(command, act), text, title)
    };
    state.pending = state.dialog.take();
    input::ask(state, purpose, &text, title);
    input::hints(state);
    Vec::new()
}

/// What stands in the line at first, and what is asked.
fn question(command: Command, act: &Act) -> (String, &'static str) {
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match command {
        Command::Target if act.verb == ActVerb::Drain => {
            (act.to.clone(), "drain to: a new archive, PATH.jsonl or PATH.jsonl.zst, or the address of a queue")
        }
        Command::Target => (
            if act.to == "origin" { String::new() } else { act.to.clone() },
            "send to: origin, or the address of a queue or exchange; tab completes, the queue is looked at again",
        ),
        Command::Limit => (number(act.limit), "messages at most, the first that match; nothing for all"),
        Command::Reason => (text(&act.reason), "why they are set aside, written into each; nothing for no reason"),
        Command::Rate => (
            act.rate.map_or_else(String::new, |rate| rate.to_string()),
            "messages a second at most; nothing for as fast as it goes",
        ),
        Command::Ramp => (
            if act.ramp.is_empty() {
                STEPS.to_owned()
            } else {
                act.ramp.iter().map(u64::to_string).collect::<Vec<_>>().join(",")
            },
            "messages of the first steps, each begun when the one before is consumed; nothing for all at once",
        ),
        Command::Verify => (
            act.verify.clone().unwrap_or_else(|| WATCH.to_owned()),
            "watch the copies for at most, such as 30s or 2m; nothing for not at all",
        ),
        Command::InFlight => (
            number(act.max_in_flight),
            "sent and not confirmed at most, with a watch not consumed; nothing for no bound",
        ),
        Command::PerKey => (
            act.per_key.clone().unwrap_or_else(|| "key".to_owned()),
            "one after the other for each: key, or a field such as body.order.id; nothing for no order",
        ),
        Command::MaxFailures => {
            (number(act.max_failures), "stop when so many failed or came back; nothing for the usual rule")
        }
        Command::MaxReplays => {
            (number(act.max_replays), "leave what was replayed so many times before; nothing for no limit")
        }
        Command::Park => (
            text(&act.park),
            "park what was replayed too often in this queue or archive; nothing to leave it where it is",
        ),
        Command::LookIn => {
            (act.also.join(" "), "look for copies in these queues, too: addresses, with spaces between them")
        }
        _ => (text(&act.edit), "a jq program over .body, .headers, .key and .properties; nothing for no edit"),
    }
}

/// Takes what was typed for a choice, and plans again.
///
/// # Errors
/// What is wrong with it, for the line in which it stands.
pub(super) fn take(state: &mut State, command: Command, act: &Act, text: &str) -> Result<Vec<Effect>, String> {
    let task = match &state.pending {
        Some(Dialog::Sheet { task, .. }) => *task,
        _ => 0,
    };
    let act = chosen(command, act.clone(), text)?.agreed_to_by(act);
    Ok(again(state, task, act))
}

/// What an act becomes by what was typed.
fn chosen(command: Command, mut act: Act, text: &str) -> Result<Act, String> {
    let given = Some(text.to_owned()).filter(|text| !text.trim().is_empty());
    let fault = |error| super::with_hint(&error);
    match command {
        Command::Target if act.verb == ActVerb::Drain => act.to = drain_target(text).map_err(fault)?,
        Command::Target => {
            let to = given.unwrap_or_else(|| "origin".to_owned());
            if to != "origin" {
                to.parse::<Address>().map_err(fault)?;
            }
            act.to = to;
        }
        Command::Limit => act.limit = above_zero(text)?,
        Command::Reason => act.reason = given,
        Command::Rate => {
            act.rate = match given.map(|text| text.parse::<f64>()) {
                None => None,
                Some(Ok(rate)) if rate.is_finite() && rate > 0.0 => Some(rate),
                Some(_) => return Err(format!("{text:?} is no rate: give messages a second, above 0")),
            };
        }
        Command::Ramp => {
            let none = || format!("{text:?} are no steps: write how many messages each has, such as {STEPS}");
            act.ramp = given.map_or_else(|| Ok(Vec::new()), |text| Pace::steps(&text).ok_or_else(none))?;
        }
        Command::Verify => {
            let is_time = |text: &String| parse_duration(text).is_some_and(|time| !time.is_zero());
            if given.as_ref().is_some_and(|text| !is_time(text)) {
                return Err(format!("{text:?} is no time: write a number with its unit, such as 30s or 2m"));
            }
            act.verify = given;
        }
        Command::InFlight => act.max_in_flight = above_zero(text)?,
        Command::PerKey => act.per_key = given,
        Command::MaxFailures => act.max_failures = above_zero(text)?,
        Command::MaxReplays => {
            act.max_replays = above_zero(text)?;
            act.park = act.park.filter(|_| act.max_replays.is_some());
        }
        Command::Park => {
            given.as_deref().map(str::parse::<Address>).transpose().map_err(fault)?;
            act.park = given;
        }
        Command::LookIn => {
            text.split_whitespace().try_for_each(|word| word.parse::<Address>().map(drop)).map_err(fault)?;
            act.also = text.split_whitespace().map(str::to_owned).collect();
        }
        _ => {
            given.as_deref().map(Edit::parse).transpose().map_err(fault)?;
            act.edit = given;
        }
    }
    Ok(act)
}

/// A number above zero, or none for nothing.
fn above_zero(text: &str) -> Result<Option<u64>, String> {
    match text.parse::<u64>() {
        _ if text.is_empty() => Ok(None),
        Ok(number @ 1..) => Ok(Some(number)),
        _ => Err(format!("{text:?} is no number above 0")),
    }
}

/// Plans again, with another choice.
pub(super) fn again(state: &mut State, task: TaskId, act: Act) -> Vec<Effect> {
    state.pending = None;
    let mut effects = vec![Effect::Drop(task)];
    effects.extend(acting::plan(state, act));
    effects
}

/// Writes the plan of a sheet to a file; the sheet stays.
pub(super) fn save(state: &mut State, plan: TaskId, act: &Act, path: &str) -> Result<Vec<Effect>, String> {
    if path.is_empty() {
        return Err("give the file a name".to_owned());
    }
    note(state, false, &format!("$ {} --plan-out {}", act.line(), crate::tui::act::quote(path)));
    let task = next_task(state);
    state.saves.insert(task);
    state.dialog = state.pending.take();
    Ok(vec![Effect::SavePlan { task, plan, path: path.to_owned() }])
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
pub(super) fn edited_by_hand(state: &mut State, act: &Act, given: &str, back: &str) -> Vec<Effect> {
    let task = match &state.dialog {
        Some(Dialog::Sheet { task, .. }) => *task,
        _ => return Vec::new(),
    };
    match crate::operation::edit::hand::program(given, back) {
        Ok(Some(program)) => {
            let edited = Act { edit: Some(program), ..act.clone() }.agreed_to_by(act);
            again(state, task, edited)
        }
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
pub(super) fn edited_by_hand(_: &mut State, _: &Act, _: &str, _: &str) -> Vec<Effect> {
    Vec::new()
}
