//! Moving: between rows, tabs, messages and screens, and what is marked or folded on the way.

use super::{Effect, looking, say};
use crate::broker::Address;
use crate::tui::act::{Again, both};
use crate::tui::command::{Command, Scope};
use crate::tui::state::{Dialog, KEYS, Screen, State, TABS, own_address};
use crate::tui::view;

pub(super) fn cursor(state: &State) -> usize {
    match &state.dialog {
        Some(
            Dialog::Sheet { scroll, .. }
            | Dialog::Receipt { scroll, .. }
            | Dialog::Help { scroll, .. }
            | Dialog::Cost { scroll, .. },
        ) => *scroll,
        Some(Dialog::Palette { cursor, .. } | Dialog::Pick { cursor, .. }) => *cursor,
        _ => state.screen().map_or(state.cursor, |screen| screen.cursor),
    }
}

pub(super) fn set_cursor(state: &mut State, to: usize) {
    let end = if state.dialog.is_some() { view::scroll_end(state) } else { 0 };
    let last = state.rows().saturating_sub(1);
    match &mut state.dialog {
        Some(
            Dialog::Sheet { scroll, .. }
            | Dialog::Receipt { scroll, .. }
            | Dialog::Help { scroll, .. }
            | Dialog::Cost { scroll, .. },
        ) => {
            *scroll = to.min(end);
        }
        Some(Dialog::Palette { cursor, choices, .. }) => *cursor = to.min(choices.len().saturating_sub(1)),
        Some(Dialog::Pick { cursor, addresses, .. }) => *cursor = to.min(addresses.len().saturating_sub(1)),
        _ => match state.screens.last_mut() {
            Some(screen) => screen.cursor = to.min(last),
            None => state.cursor = to.min(last),
        },
    }
}

pub(super) fn step(state: &mut State, by: isize) {
    set_cursor(state, cursor(state).saturating_add_signed(by));
}

/// The next tab or grouping key, or the one before.
pub(super) fn tab(state: &mut State, forward: bool) {
    let Some(screen) = state.screens.last() else { return };
    let step = |count: usize| if forward { 1 } else { count - 1 };
    if screen.scope == Scope::Detail {
        let to = (screen.tab + step(TABS.len())) % TABS.len();
        to_tab(state, to);
    } else {
        let key = screen.key_behind(step(screen.keys().len())).to_owned();
        group_by(state, key);
    }
}

/// Groups by another key; a field joins those that `tab` goes through.
pub(super) fn group_by(state: &mut State, key: String) {
    let Some(screen) = state.screens.last_mut() else { return };
    if !KEYS.contains(&key.as_str()) {
        screen.field = Some(key.clone());
    }
    if key != screen.by {
        screen.by = key;
        (screen.cursor, screen.task, screen.fault) = (0, None, None);
        screen.marked_groups.clear();
    }
}

pub(super) fn to_tab(state: &mut State, tab: usize) {
    if let Some(screen) = state.screens.last_mut() {
        (screen.tab, screen.cursor) = (tab, 0);
        screen.folded.clear();
    }
}

pub(super) fn log(state: &mut State) {
    let mut screen = Screen::new(Scope::Log, state.addresses());
    screen.cursor = state.log.len().saturating_sub(1);
    state.screens.push(screen);
}

pub(super) fn back(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Sheet { task, .. }) => {
            say(state, "Nothing was changed.");
            // What was written for it is there again.
            state.dialog = state.pending.take();
            vec![Effect::Drop(task)]
        }
        Some(Dialog::Receipt { .. }) => looking::refresh(state),
        Some(Dialog::Cost { task, .. }) => vec![Effect::Cancel(task)],
        Some(Dialog::Input { purpose, .. }) => super::input::cancel(state, purpose),
        Some(Dialog::Help { over, .. }) => {
            state.dialog = over.map(|over| *over);
            Vec::new()
        }
        Some(_) => Vec::new(),
        None => leave(state),
    }
}

/// Leaves the top screen; a look that no screen needs any more ends.
fn leave(state: &mut State) -> Vec<Effect> {
    let Some(screen) = state.screens.pop() else { return Vec::new() };
    let mut effects: Vec<Effect> = screen.task.into_iter().chain(screen.fetching).map(Effect::Cancel).collect();
    if !state.screens.iter().any(|other| other.look == screen.look)
        && let Some(look) = state.looks.remove(&screen.look)
    {
        effects.push(Effect::Cancel(look.task));
    }
    if state.screens.is_empty() {
        effects.extend(looking::refresh(state));
    }
    effects
}

pub(super) fn order(state: &mut State) {
    if let Some(screen) = state.screens.last_mut() {
        screen.newest_first = !screen.newest_first;
        screen.cursor = 0;
    }
}

pub(super) fn incident(state: &mut State) -> Vec<Effect> {
    let dead = state.queues.iter().filter(|listed| listed.info.is_dlq && listed.info.messages != Some(0));
    let addresses = dead.map(own_address).collect();
    looking::open(state, Screen::new(Scope::Groups, addresses))
}

/// What enter, `m` and `c` open.
pub(super) fn enter(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(screen) = state.screen() else {
        let addresses = if command == Command::Accept {
            state.queue().map(own_address).into_iter().collect()
        } else {
            state.addresses()
        };
        let dead = state.queue().is_some_and(|listed| listed.info.is_dlq);
        let groups = command == Command::OpenGroups || (command == Command::Accept && dead);
        return looking::open(state, Screen::new(if groups { Scope::Groups } else { Scope::Messages }, addresses));
    };
    let mut next = Screen::new(Scope::Messages, screen.addresses.clone());
    (next.look, next.filter, next.group) = (screen.look, screen.filter.clone(), screen.group.clone());
    match screen.scope {
        Scope::Groups => {
            // As in the list of queues: enter opens one, `m` what is marked; without marks, everything.
            let under = screen.groups.get(screen.cursor);
            let groups = match command {
                Command::Accept => under.into_iter().collect(),
                _ if screen.marked_groups.is_empty() => Vec::new(),
                _ => screen.chosen_groups(),
            };
            match Again::of(&screen.by, &groups) {
                Some(Again::Groups(names)) => next.group = Some(names),
                Some(Again::Filter(field)) => next.filter = Some(both(next.filter.as_ref(), &field)),
                None if groups.is_empty() && command != Command::Accept => {}
                None => {
                    say(state, "the profile hides what these groups are made by: press tab for another key");
                    return Vec::new();
                }
            }
        }
        Scope::Messages if command == Command::OpenGroups => {
            next.scope = Scope::Groups;
            next.group = None;
        }
        Scope::Messages => {
            let Some(index) = screen.message_at(screen.cursor) else { return Vec::new() };
            (next.scope, next.index) = (Scope::Detail, index);
        }
        Scope::Detail => {
            fold(state);
            return Vec::new();
        }
        Scope::Consumers => {
            open_group(state);
            return Vec::new();
        }
        Scope::Journal => return open_journal(state),
        _ => return Vec::new(),
    }
    state.screens.push(next);
    Vec::new()
}

/// The message before or behind in the list under this one.
pub(super) fn neighbour(state: &mut State, by: isize) {
    let under = state.screens.len().checked_sub(2);
    let Some(list) = under.and_then(|at| state.screens.get_mut(at)).filter(|list| list.scope == Scope::Messages) else {
        return;
    };
    let to = list.cursor.saturating_add_signed(by);
    let Some(index) = list.message_at(to) else { return };
    list.cursor = to;
    if let Some(screen) = state.screens.last_mut() {
        (screen.index, screen.page, screen.task, screen.cursor) = (index, None, None, 0);
        screen.folded.clear();
        screen.fault = None;
    }
}

pub(super) fn fold(state: &mut State) {
    let Some(screen) = state.screens.last_mut() else { return };
    let Some(page) = &screen.page else { return };
    let shown = page.shown(screen.tab, &screen.folded);
    let Some(line) = shown.get(screen.cursor).copied() else { return };
    let lines = page.tabs.get(screen.tab).map(Vec::as_slice).unwrap_or_default();
    if lines.get(line).is_some_and(|line| line.end.is_some()) && !screen.folded.remove(&line) {
        screen.folded.insert(line);
    }
}

pub(super) fn fold_all(state: &mut State) {
    let Some(screen) = state.screens.last_mut() else { return };
    let Some(page) = &screen.page else { return };
    let lines = page.tabs.get(screen.tab).map(Vec::as_slice).unwrap_or_default();
    let is_folded = |at: &usize| lines.get(*at).is_some_and(|line| line.is_folded != screen.folded.contains(at));
    // The outermost stays open: a page of one line says nothing.
    let can_fold: Vec<usize> = (0..lines.len())
        .filter(|at| lines.get(*at).is_some_and(|line| line.end.is_some_and(|end| end < lines.len() || line.is_folded)))
        .collect();
    let fold = !can_fold.iter().any(is_folded);
    let toggled = can_fold.iter().copied().filter(|at| lines.get(*at).is_some_and(|line| line.is_folded != fold));
    screen.folded = toggled.collect();
    screen.cursor = 0;
}

/// Puts the cursor on the next line that has the text.
pub(super) fn next_match(state: &mut State, forward: bool) {
    let Some(screen) = state.screens.last_mut() else { return };
    let Some(page) = &screen.page else { return };
    if screen.needle.is_empty() {
        return;
    }
    let exact = screen.needle.chars().any(char::is_uppercase);
    let needle = if exact { screen.needle.clone() } else { screen.needle.to_lowercase() };
    let lines = page.tabs.get(screen.tab).map(Vec::as_slice).unwrap_or_default();
    let has = |at: usize| {
        lines.get(at).is_some_and(|line| {
            let text = line.text();
            if exact { text.contains(&needle) } else { text.to_lowercase().contains(&needle) }
        })
    };
    let here = page.shown(screen.tab, &screen.folded).get(screen.cursor).copied().unwrap_or(0);
    let count = lines.len();
    let order: Vec<usize> =
        (1..=count).map(|n| if forward { (here + n) % count } else { (here + count - n) % count }).collect();
    let Some(found) = order.into_iter().find(|at| has(*at)) else {
        let text = format!("{:?} is not in this tab", screen.needle);
        say(state, &text);
        return;
    };
    // What folds it is opened.
    for at in 0..found {
        let Some(line) = lines.get(at) else { continue };
        if line.end.is_some_and(|end| end > found)
            && line.is_folded != screen.folded.contains(&at)
            && !screen.folded.remove(&at)
        {
            screen.folded.insert(at);
        }
    }
    let shown = page.shown(screen.tab, &screen.folded);
    screen.cursor = shown.iter().position(|at| *at == found).unwrap_or(0);
}

pub(super) fn mark(state: &mut State) {
    match state.screens.last_mut() {
        None => {
            let Some(address) = state.queue().map(crate::operation::queues::Listed::address) else { return };
            if !state.marks.remove(&address) {
                state.marks.insert(address);
            }
        }
        Some(screen) if screen.scope == Scope::Groups => {
            let Some(id) = screen.groups.get(screen.cursor).map(|group| group.id) else { return };
            if !screen.marked_groups.remove(&id) {
                screen.marked_groups.insert(id);
            }
        }
        Some(screen) => {
            let Some(index) = screen.message_at(screen.cursor) else { return };
            if screen.marks.remove(&index).is_none()
                && let Some(row) = screen.rows.get(&index)
            {
                screen.marks.insert(index, row.id.clone());
            }
        }
    }
    step(state, 1);
}

pub(super) fn mark_all(state: &mut State) {
    if let Some(screen) = state.screens.last_mut().filter(|screen| screen.scope == Scope::Groups) {
        if screen.marked_groups.is_empty() {
            screen.marked_groups = screen.groups.iter().map(|group| group.id).collect();
        } else {
            screen.marked_groups.clear();
        }
    } else if let Some(screen) = state.screens.last_mut() {
        if screen.marks.is_empty() {
            say(state, "without marks an act takes everything that is listed: narrow it with a filter");
        } else {
            screen.marks.clear();
        }
    } else if state.marks.is_empty() {
        state.marks = state.shown_queues().iter().map(|listed| listed.address()).collect();
    } else {
        state.marks.clear();
    }
}

pub(super) fn show(state: &mut State) {
    let addresses: Vec<Address> = state.addresses();
    if let Some(address) = addresses.into_iter().next() {
        state.screens.push(Screen::new(Scope::Show, vec![address]));
    }
}

/// Who reads the topic.
pub(super) fn consumers(state: &mut State) {
    let addresses = state.addresses();
    state.screens.push(Screen::new(Scope::Consumers, addresses));
}

/// The place of one consumer group in each partition.
fn open_group(state: &mut State) {
    let Some((screen, group)) = state.screen().zip(state.group()) else { return };
    let mut next = Screen::new(Scope::Partitions, screen.addresses.clone());
    (next.title, next.consumers, next.asked) = (group.name.clone(), vec![group.clone()], true);
    state.screens.push(next);
}

pub(super) fn journal(state: &mut State) {
    state.screens.push(Screen::new(Scope::Journal, Vec::new()));
}

fn open_journal(state: &mut State) -> Vec<Effect> {
    let Some(run) = state.screen().and_then(|screen| screen.runs.get(screen.cursor)).cloned() else {
        return Vec::new();
    };
    let mut screen = Screen::new(Scope::Run, Vec::new());
    (screen.title, screen.runs) = (run.id.clone(), vec![run]);
    state.screens.push(screen);
    Vec::new()
}

/// What became of each message of the run that was just done.
pub(super) fn open_run(state: &mut State) -> Vec<Effect> {
    let Some(Dialog::Receipt { done, .. }) = state.dialog.take() else { return Vec::new() };
    if let Some(id) = done.last().and_then(|report| report.journal.clone()) {
        let mut screen = Screen::new(Scope::Run, Vec::new());
        screen.title = id;
        state.screens.push(screen);
    }
    Vec::new()
}
