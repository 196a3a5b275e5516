//! What the top screen still lacks: asked for here and nowhere else, after every message.
//!
//! A screen says what it shows; this says what has to be fetched for it, and asks for each thing once. An answer that
//! does not come leaves its task's id in the screen, so that nothing is asked twice; what changes the screen clears it.

use super::{Effect, next_task};
use crate::tui::command::Scope;
use crate::tui::msg::Which;
use crate::tui::state::{Found, KEYS, Look, Screen, State};
use crate::tui::view;

/// Rows that are kept; more are forgotten but for those around the cursor.
const KEPT: usize = 4000;

/// Clamps the cursor, and asks for what is missing.
pub(super) fn demand(state: &mut State, effects: &mut Vec<Effect>) {
    let height = view::body_height(state);
    if let Some(mut screen) = state.screens.pop() {
        match state.looks.get(&screen.look) {
            Some(look) if screen.scope == Scope::Groups => groups(&mut screen, look, &mut state.next_task, effects),
            Some(look) if screen.scope == Scope::Messages => {
                found(&mut screen, look, &mut state.next_task, effects);
                let rows = screen.listed();
                screen.cursor = screen.cursor.min(rows.saturating_sub(1));
                visible(&mut screen, look, height, &mut state.next_task, effects);
            }
            Some(look) if screen.scope == Scope::Detail => page(&mut screen, look, &mut state.next_task, effects),
            _ => {}
        }
        state.screens.push(screen);
    }
    let scope = state.under();
    let wants = state.screen().is_some_and(|screen| !screen.asked && screen.task.is_none());
    if wants && scope.is_asked_for() {
        let task = next_task(state);
        if let Some(screen) = state.screens.last_mut() {
            (screen.asked, screen.task) = (true, Some(task));
            effects.extend(match (scope, screen.addresses.first()) {
                (Scope::Show, Some(address)) => Some(Effect::Show(task, address.clone())),
                (Scope::Consumers | Scope::Partitions, Some(address)) => Some(Effect::Consumers(task, address.clone())),
                (Scope::Journal, _) => Some(Effect::Journals(task)),
                (Scope::Run, _) => Some(Effect::ReadRun(task, screen.title.clone())),
                _ => None,
            });
        }
    }
    let last = state.rows().saturating_sub(1);
    match state.screens.last_mut() {
        Some(screen) => screen.cursor = screen.cursor.min(last),
        None => state.cursor = state.cursor.min(last),
    }
}

fn which(screen: &Screen, look: &Look) -> Option<Which> {
    Some(Which {
        snapshot: look.snapshot.clone()?,
        filter: screen.filter.clone(),
        group: screen.group.clone(),
        address: screen.addresses.first().cloned(),
    })
}

fn give(next: &mut u64) -> u64 {
    *next += 1;
    *next
}

fn groups(screen: &mut Screen, look: &Look, next: &mut u64, effects: &mut Vec<Effect>) {
    let made_of = Some((look.seen, screen.by.clone(), screen.filter.clone()));
    if screen.grouped == made_of || screen.fault.is_some() {
        return;
    }
    // The look itself groups everything by failure; the rest is made from what is kept.
    if screen.by == KEYS[0] && screen.filter.is_none() {
        screen.groups.clone_from(&look.groups);
        screen.grouped = made_of;
        return;
    }
    let is_reading = matches!(look.load, super::super::state::Load::Reading(_));
    if screen.task.is_some() || (is_reading && screen.grouped.is_some()) {
        return;
    }
    let Some(which) = which(screen, look) else { return };
    let task = give(next);
    (screen.task, screen.grouped) = (Some(task), made_of);
    effects.push(Effect::Groups(task, which, screen.by.clone()));
}

fn found(screen: &mut Screen, look: &Look, next: &mut u64, effects: &mut Vec<Effect>) {
    let upto = screen.held_at.unwrap_or(look.seen);
    if screen.filter.is_none() && screen.group.is_none() {
        let end = screen.cursor + 1 >= screen.listed() && look.follow && !screen.newest_first;
        screen.found = Found { only: None, upto };
        // Whoever stands at the end of a list that is followed goes with it.
        if end {
            screen.cursor = upto.saturating_sub(1);
        }
        return;
    }
    if screen.task.is_some() || screen.found.upto >= upto || screen.fault.is_some() {
        return;
    }
    let Some(which) = which(screen, look) else { return };
    let task = give(next);
    screen.task = Some(task);
    effects.push(Effect::Find(task, which, screen.found.upto));
}

/// The rows around the cursor: a page before, this one, and the next.
fn visible(screen: &mut Screen, look: &Look, height: usize, next: &mut u64, effects: &mut Vec<Effect>) {
    if screen.fetching.is_some() || screen.fault.is_some() {
        return;
    }
    let Some(snapshot) = look.snapshot.clone() else { return };
    let first = view::top(screen.cursor, height).saturating_sub(height);
    let wanted: Vec<u32> = (first..first + 3 * height).filter_map(|row| screen.message_at(row)).collect();
    let missing: Vec<u32> = wanted.iter().copied().filter(|index| !screen.rows.contains_key(index)).collect();
    if missing.is_empty() {
        return;
    }
    if screen.rows.len() > KEPT {
        screen.rows.retain(|index, _| wanted.contains(index));
    }
    let task = give(next);
    screen.fetching = Some(task);
    effects.push(Effect::Rows(task, snapshot, missing, screen.columns.clone()));
}

fn page(screen: &mut Screen, look: &Look, next: &mut u64, effects: &mut Vec<Effect>) {
    if screen.page.is_some() || screen.task.is_some() || screen.fault.is_some() {
        return;
    }
    let (Some(snapshot), Some(address)) = (look.snapshot.clone(), screen.addresses.first()) else { return };
    let task = give(next);
    screen.task = Some(task);
    effects.push(Effect::Page(task, snapshot, screen.index, address.clone()));
}
