//! Looks: which queues, from where, at what price, followed or held still; and asking again for what is shown.

use super::{Effect, copying, next_task, note, say};
use crate::broker::CostKind;
use crate::tui::command::Scope;
use crate::tui::state::{Dialog, Load, Look, Screen, State, Wanted, costs};

/// Messages at the end of a long queue that are shown where nothing else is asked for.
const TAIL: u64 = 10_000;

/// Asks every broker for its queues.
pub(crate) fn refresh(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    for at in 0..state.sources.len() {
        let task = next_task(state);
        if let Some(source) = state.sources.get_mut(at) {
            effects.push(Effect::Cancel(std::mem::replace(&mut source.task, task)));
            effects.push(Effect::List(task, source.address.clone()));
        }
    }
    effects
}

/// Opens a screen on a new look at its queues.
pub(crate) fn open(state: &mut State, screen: Screen) -> Vec<Effect> {
    let addresses = screen.addresses.clone();
    // A long live stream is looked at from its end; of a dead-letter queue everything counts.
    let from = match addresses.as_slice() {
        [one] => state.info(one).filter(|info| {
            info.capability.seek.tail && !info.is_dlq && info.messages.is_some_and(|messages| messages > TAIL)
        }),
        _ => None,
    };
    let from = from.map_or_else(|| "first".to_owned(), |_| format!("last {TAIL}"));
    want(state, Wanted { addresses, from, follow: false, screen: Some(Box::new(screen)), instead: 0 })
}

/// Looks, after the price was agreed to where there is one.
pub(super) fn want(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    if wanted.addresses.is_empty() {
        say(state, "no queue holds dead messages");
        return Vec::new();
    }
    let infos: Vec<_> = wanted.addresses.iter().map(|address| state.info(address)).collect();
    let is_free = infos.iter().all(|info| info.is_some_and(|info| info.read_cost.kind == CostKind::None));
    if is_free {
        return begin(state, wanted);
    }
    // What the list says already is shown at once; the broker is asked again.
    let lines = costs(wanted.addresses.iter().zip(infos).filter_map(|(address, info)| Some((address, info?))));
    let task = next_task(state);
    let effect = Effect::Cost(task, wanted.addresses.clone());
    state.dialog = Some(Dialog::Cost { lines, wanted: Box::new(wanted), refused: false, task, scroll: 0 });
    vec![effect]
}

/// Begins a look.
pub(super) fn begin(state: &mut State, wanted: Wanted) -> Vec<Effect> {
    let Wanted { addresses, from, follow, screen, instead } = wanted;
    let task = next_task(state);
    let at = crate::tui::msg::LookAt { addresses: addresses.clone(), from: from.clone(), follow };
    let look = Look {
        addresses,
        from,
        follow,
        task,
        load: Load::Reading(None),
        snapshot: None,
        seen: 0,
        groups: Vec::new(),
        fields: std::sync::Arc::default(),
    };
    // What went wrong before it is in the log.
    state.toast = state.toast.take().filter(|(_, is_error, _)| !is_error);
    let mut effects = Vec::new();
    let id = if screen.is_some() { task } else { instead };
    if let Some(before) = state.looks.insert(id, look) {
        effects.push(Effect::Cancel(before.task));
        for screen in state.screens.iter_mut().filter(|screen| screen.look == id) {
            effects.extend(screen.task.take().into_iter().chain(screen.fetching.take()).map(Effect::Cancel));
            screen.refind();
            screen.rows.clear();
            screen.marks.clear();
            screen.groups.clear();
            (screen.fault, screen.held_at) = (None, None);
        }
    }
    if let Some(mut screen) = screen {
        screen.look = id;
        state.screens.push(*screen);
    }
    let line = copying::line(state);
    note(state, false, &format!("$ {line}"));
    effects.push(Effect::Look(task, at));
    effects
}

/// Asks again for what is shown.
pub(super) fn again(state: &mut State) -> Vec<Effect> {
    let Some(screen) = state.screens.last_mut() else { return refresh(state) };
    screen.fault = None;
    if let (Some(look), Scope::Groups | Scope::Messages) = (state.looks.get(&screen.look), screen.scope) {
        let (addresses, from, follow) = (look.addresses.clone(), look.from.clone(), look.follow);
        let instead = screen.look;
        return want(state, Wanted { addresses, from, follow, screen: None, instead });
    }
    screen.asked = false;
    Vec::new()
}

/// Looks again, from somewhere else or with an open end.
pub(super) fn look_from(state: &mut State, from: &str, follow: bool) -> Vec<Effect> {
    let Some(screen) = state.screens.last() else { return Vec::new() };
    let (addresses, instead) = (screen.addresses.clone(), screen.look);
    want(state, Wanted { addresses, from: from.to_owned(), follow, screen: None, instead })
}

pub(super) fn follow(state: &mut State) -> Vec<Effect> {
    let Some(look) = state.look() else { return Vec::new() };
    if look.follow {
        let task = look.task;
        let id = state.screen().map_or(0, |screen| screen.look);
        if let Some(look) = state.looks.get_mut(&id) {
            look.follow = false;
        }
        for screen in state.screens.iter_mut().filter(|screen| screen.look == id) {
            screen.held_at = None;
        }
        return vec![Effect::Cancel(task)];
    }
    let from = look.from.clone();
    if let Some(screen) = state.screens.last_mut() {
        screen.newest_first = false;
    }
    look_from(state, &from, true)
}

/// Holds the list still, or lets it go on.
pub(super) fn hold(state: &mut State) {
    let seen = state.look().map_or(0, |look| look.seen);
    let Some(screen) = state.screens.last_mut() else { return };
    screen.held_at = if screen.held_at.is_some() { None } else { Some(seen) };
}
