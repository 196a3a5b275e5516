//! What is shown as text: for the clipboard and other programs, and as the command line that does the same.

use super::{Effect, complain, say};
use crate::tui::act::{Again, both, ids, quote, selection};
use crate::tui::command::Scope;
use crate::tui::state::{Dialog, KEYS, Screen, State, columns};

/// What is told of a queue, as text.
fn entries(screen: &Screen) -> String {
    screen.entries.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// The log, as text.
fn said(state: &State) -> String {
    state.log.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>().join("\n")
}

pub(super) fn copy(state: &mut State) -> Vec<Effect> {
    let Some(screen) = state.screen() else { return Vec::new() };
    let text = match screen.scope {
        Scope::Detail => screen.page.as_ref().map(|page| page.text(screen.tab)),
        Scope::Messages => screen.message_at(screen.cursor).and_then(|index| Some(screen.rows.get(&index)?.id.clone())),
        Scope::Show => Some(entries(screen)),
        Scope::Run => Some(screen.title.clone()),
        _ => Some(said(state)),
    };
    copied(state, text.unwrap_or_default())
}

pub(super) fn copy_line(state: &mut State) -> Vec<Effect> {
    let line = match &state.dialog {
        Some(Dialog::Sheet { act, .. } | Dialog::Receipt { act, .. }) => act.line(),
        _ => line(state),
    };
    copied(state, line)
}

fn copied(state: &mut State, text: String) -> Vec<Effect> {
    if text.is_empty() {
        complain(state, "there is nothing to copy");
        return Vec::new();
    }
    say(state, &format!("copied {}", crate::text::human::size(text.len() as u64)));
    vec![Effect::Copy(text)]
}

/// What is shown, as a text for another program.
pub(super) fn text(state: &State) -> String {
    match state.screen() {
        Some(screen) if screen.scope == Scope::Detail => {
            screen.page.as_ref().map(|page| page.text(screen.tab)).unwrap_or_default()
        }
        Some(screen) if screen.scope == Scope::Show => crate::text::safe_lines(&entries(screen)),
        _ => crate::text::safe_lines(&said(state)),
    }
}

/// The command line of what is shown, shown and copied; of what is marked, where something is.
pub(in crate::tui) fn line(state: &State) -> String {
    let Some(screen) = state.screen() else { return listing(state) };
    let names = screen.addresses.iter().map(|address| quote(&address.to_string())).collect::<Vec<_>>().join(" ");
    match screen.scope {
        Scope::Groups => {
            let (mut filter, mut group) = (screen.filter.clone(), screen.group.clone());
            let marked = if screen.marked_groups.is_empty() { Vec::new() } else { screen.chosen_groups() };
            match Again::of(&screen.by, &marked) {
                Some(Again::Groups(names)) => group = Some(names),
                Some(Again::Filter(field)) => filter = Some(both(filter.as_ref(), &field)),
                None => {}
            }
            let by = if screen.by == KEYS[0] { String::new() } else { format!(" --by {}", quote(&screen.by)) };
            format!("postroom groups {names}{by}{}", selection(filter.as_ref(), group.as_ref()))
        }
        Scope::Detail => match &screen.page {
            Some(page) => {
                let which = ids(std::slice::from_ref(&page.message.id));
                let place = if page.message.address.is_empty() { names } else { quote(&page.message.address) };
                format!("postroom browse {place} --all --filter {} --decode -o json", quote(&which))
            }
            None => browse(state, screen, &names),
        },
        Scope::Show => format!("postroom show {names}"),
        Scope::Consumers => format!("postroom consumers {names}"),
        Scope::Partitions => format!("postroom consumers {names} --group {}", quote(&screen.title)),
        Scope::Journal => "postroom journal list".to_owned(),
        Scope::Run => format!("postroom journal show {}", screen.title),
        Scope::Log if names.is_empty() => listing(state),
        _ => browse(state, screen, &names),
    }
}

/// The command line of the list of queues.
fn listing(state: &State) -> String {
    let of = match state.sources.as_slice() {
        [one] => format!(" {}", quote(&one.address.to_string())),
        _ => String::new(),
    };
    let typed = state.queue_filter.trim();
    let matching = if typed.is_empty() { String::new() } else { format!(" --match {}", quote(typed)) };
    format!("postroom queues{of}{matching}")
}

/// The command line of a list of messages.
fn browse(state: &State, screen: &Screen, names: &str) -> String {
    let look = state.looks.get(&screen.look);
    let from = look.filter(|look| look.from != "first").map_or_else(String::new, |look| {
        match look.from.strip_prefix("last ") {
            Some(count) => format!(" --from last --limit {count}"),
            None => format!(" --from {}", quote(&look.from)),
        }
    });
    let follow = if look.is_some_and(|look| look.follow) { " --follow" } else { "" };
    let all = if from.is_empty() && follow.is_empty() { " --all" } else { "" };
    let marked: Vec<String> = screen.marks.values().cloned().collect();
    let which = if marked.is_empty() {
        selection(screen.filter.as_ref(), screen.group.as_ref())
    } else {
        selection(Some(&ids(&marked)), None)
    };
    let is_list = screen.scope == Scope::Messages;
    let chosen = is_list && screen.columns != columns(&screen.addresses);
    let shown = if chosen { format!(" --columns {}", quote(&screen.columns.join(","))) } else { String::new() };
    // A list turned round is what a pipe turns round: a line for each message.
    let turned = if is_list && screen.newest_first { " -o jsonl | tac" } else { "" };
    format!("postroom browse {names}{which}{from}{follow}{all}{shown}{turned}")
}
