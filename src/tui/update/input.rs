//! What is typed: filters with live results, choices, names of files, and the form of a message.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Effect, complain, looking, navigate, say};
use crate::broker::Address;
use crate::message::filter::Filter;
use crate::operation::columns::{COLUMNS, Column};
use crate::operation::groups::By;
use crate::operation::queues::Listed;
use crate::text::fuzzy;
use crate::tui::act::ActVerb;
use crate::tui::command::{Command, Scope, TABLE, of};
use crate::tui::compose::Compose;
use crate::tui::field::Line;
use crate::tui::key::Key;
use crate::tui::state::{Choice, Dialog, KEYS, Kept, Purpose, State, columns as usual_columns, own_address};

/// Suggestions that are shown.
const HINTS: usize = 8;
/// What stands between columns.
const BETWEEN: &[char] = &[' ', ','];

/// Asks for something, with what stands there already.
pub(super) fn ask(state: &mut State, purpose: Purpose, text: &str, title: &str) {
    let line = Line::new(text);
    state.dialog = Some(Dialog::Input { purpose, line, title: title.to_owned(), error: None, hints: Vec::new() });
}

pub(super) fn filter(state: &mut State) {
    let (text, title) = match state.screen() {
        Some(screen) => {
            (screen.filter.clone().unwrap_or_default(), "messages that match   tab completes, ↑ ↓ earlier ones")
        }
        None => (state.queue_filter.clone(), "queues that match"),
    };
    ask(state, Purpose::Filter(text.clone()), &text, title);
    hints(state);
}

pub(super) fn search(state: &mut State) {
    let text = state.screen().map(|screen| screen.needle.clone()).unwrap_or_default();
    ask(state, Purpose::Search, &text, "find in this tab");
}

pub(super) fn from(state: &mut State) {
    let text = state.look().map(|look| look.from.clone()).unwrap_or_default();
    let seek = state.seek();
    let mut can = vec!["first"];
    can.extend(seek.tail.then_some("last 1000"));
    can.extend(seek.tail.then_some("end"));
    can.extend(seek.offset.then_some("an offset"));
    can.extend(seek.time.then_some("a time such as -2h or 2026-03-02T10:00:00Z"));
    ask(state, Purpose::From, &text, &format!("look again from: {}", can.join(", ")));
}

pub(super) fn columns(state: &mut State) {
    let text = state.screen().map(|screen| screen.columns.join(", ")).unwrap_or_default();
    let title =
        format!("columns: {}, or fields such as header.tenant and body.total   tab completes", COLUMNS.join(", "));
    ask(state, Purpose::Columns, &text, &title);
    hints(state);
}

pub(super) fn by(state: &mut State) {
    let title =
        format!("group by: {}, or a field such as header.tenant or body.currency   tab completes", KEYS.join(", "));
    let text = state.screen().and_then(|screen| screen.field.clone()).unwrap_or_default();
    ask(state, Purpose::By, &text, &title);
    hints(state);
}

pub(super) fn save(state: &mut State) {
    let Some(screen) = state.screen() else { return };
    let (indices, ids): (Vec<u32>, Vec<String>) = match screen.scope {
        Scope::Detail => screen.page.iter().map(|page| (screen.index, page.message.id.clone())).unzip(),
        _ if screen.marks.is_empty() => {
            let index = screen.message_at(screen.cursor);
            index.and_then(|index| Some((index, screen.rows.get(&index)?.id.clone()))).into_iter().unzip()
        }
        _ => screen.marks.iter().map(|(index, id)| (*index, id.clone())).unzip(),
    };
    let name = if indices.len() == 1 { "message.json" } else { "messages.jsonl" };
    let title = format!(
        "save {} to a new file: .jsonl or .jsonl.zst holds whole messages, any other name the payload",
        crate::text::human::messages(indices.len() as u64)
    );
    let kept = Kept { look: screen.look, indices, ids };
    ask(state, Purpose::Save(Box::new(kept)), name, &title);
}

/// The command line that writes the same messages to a file.
fn saving(state: &State, ids: &[String], path: &str) -> String {
    use crate::tui::act::{ids as by_ids, quote};
    let addresses = state.addresses();
    let names = addresses.iter().map(|address| quote(&address.to_string())).collect::<Vec<_>>().join(" ");
    let which = quote(&by_ids(ids));
    let file = quote(path);
    let look = format!("postroom browse {names} --all --filter {which}");
    match (path.strip_suffix(".zst").unwrap_or(path).strip_suffix(".jsonl"), addresses.as_slice()) {
        (Some(_), [_]) => format!("postroom capture {names} --to file:{file} --filter {which}"),
        (Some(_), _) if path.strip_suffix(".zst").is_some() => format!("{look} -o jsonl | zstd > {file}"),
        (Some(_), _) => format!("{look} -o jsonl > {file}"),
        (None, _) => format!("{look} -o raw > {file}"),
    }
}

pub(super) fn palette(state: &mut State) {
    state.dialog = Some(Dialog::Palette { line: Line::default(), choices: Vec::new(), cursor: 0 });
    choose(state);
}

/// What the palette offers for what is typed: commands of this place, then queues.
fn choose(state: &mut State) {
    let Some(Dialog::Palette { line, .. }) = &state.dialog else { return };
    let typed = line.text().to_owned();
    let commands = of(state.under(), state)
        .filter(|entry| {
            ![Command::Palette, Command::Up, Command::Down, Command::PageUp, Command::PageDown].contains(&entry.command)
        })
        .map(|entry| Choice::Command(entry.command, format!("{}  {}", entry.name, entry.help)));
    let queues = state.queues.iter().map(|listed| Choice::Queue(own_address(listed)));
    let found = fuzzy::best(&typed, commands.chain(queues), |choice| match choice {
        Choice::Command(_, text) => text.clone(),
        Choice::Queue(address) => address.to_string(),
    });
    if let Some(Dialog::Palette { choices, cursor, .. }) = &mut state.dialog {
        (*choices, *cursor) = (found, 0);
    }
}

/// What is typed takes the place of what would be done: letters, history, completion.
pub(super) fn typed(state: &mut State, key: Key, event: &KeyEvent) -> Vec<Effect> {
    let mut changed = false;
    match &mut state.dialog {
        Some(Dialog::Palette { line, .. }) => {
            if line.key(key) {
                choose(state);
            }
            return Vec::new();
        }
        Some(Dialog::Compose { compose, error }) => {
            compose.area.input(ratatui_textarea::Input::from(*event));
            *error = None;
            return Vec::new();
        }
        Some(Dialog::Input { purpose: Purpose::Filter(_), line, hints, .. }) => match key.code() {
            KeyCode::Tab => {
                if let Some(hint) = hints.first() {
                    line.complete(hint);
                    changed = true;
                }
            }
            KeyCode::Up | KeyCode::Down => {
                let back = key.code() == KeyCode::Up;
                changed = remembered(state.history.filters(), line, back);
            }
            _ => changed = line.key(key),
        },
        Some(Dialog::Input { purpose, line, hints, .. }) if key.code() == KeyCode::Tab => {
            if let Some(hint) = hints.first().cloned() {
                complete(purpose, line, &hint);
                changed = true;
            }
        }
        Some(Dialog::Input { line, .. }) => changed = line.key(key),
        _ => {}
    }
    if changed { live(state) } else { Vec::new() }
}

/// Takes one of the suggestions. Only where several things are typed is it a word among others.
fn complete(purpose: &Purpose, line: &mut Line, hint: &str) {
    match purpose {
        Purpose::Filter(_) | Purpose::Choice(Command::LookIn, _) => line.complete(hint),
        Purpose::Columns => line.put(line.behind(BETWEEN).len(), hint),
        _ => *line = Line::new(hint.to_owned()),
    }
}

/// Takes the suggestion that was pointed at.
pub(super) fn take_hint(state: &mut State, at: usize) -> Vec<Effect> {
    let Some(Dialog::Input { purpose, line, hints, .. }) = &mut state.dialog else { return Vec::new() };
    let Some(hint) = hints.get(at).cloned() else { return Vec::new() };
    complete(purpose, line, &hint);
    live(state)
}

/// Puts the cursor into the line that is typed.
pub(super) fn go_to(state: &mut State, cells: usize) {
    if let Some(Dialog::Input { line, .. } | Dialog::Palette { line, .. }) = &mut state.dialog {
        line.go_to(cells);
    }
}

pub(super) fn paste(state: &mut State, text: &str) -> Vec<Effect> {
    match &mut state.dialog {
        Some(Dialog::Input { line, .. }) => line.insert(text),
        Some(Dialog::Palette { line, .. }) => {
            line.insert(text);
            choose(state);
            return Vec::new();
        }
        Some(Dialog::Compose { compose, .. }) => {
            compose.area.insert_str(text.replace('\r', "\n"));
            return Vec::new();
        }
        _ => return Vec::new(),
    }
    live(state)
}

/// Puts an earlier or later filter in the line; whether there is one.
fn remembered(history: &[String], line: &mut Line, back: bool) -> bool {
    let at = history.iter().rposition(|known| known == line.text());
    let next = match (at, back) {
        (None, true) => history.len().checked_sub(1),
        (Some(at), true) => at.checked_sub(1),
        (Some(at), false) => Some(at + 1),
        (None, false) => None,
    };
    // Behind the newest is an empty line, as in a shell.
    let Some(at) = next else { return false };
    *line = Line::new(history.get(at).map_or("", String::as_str));
    true
}

/// What is typed is shown at once, where it can be: the queues or messages that match.
fn live(state: &mut State) -> Vec<Effect> {
    let now = state.now_at(state.screen().and_then(|screen| screen.addresses.first()));
    let Some(Dialog::Input { purpose, line, error, .. }) = &mut state.dialog else { return Vec::new() };
    *error = None;
    if !matches!(purpose, Purpose::Filter(_)) {
        hints(state);
        return Vec::new();
    }
    let text = line.text().trim().to_owned();
    let mut effects = Vec::new();
    if let Some(screen) = state.screens.last_mut() {
        match Filter::parse(&text, now) {
            Err(fault) if !text.is_empty() => *error = Some(super::with_hint(&fault)),
            _ => effects = apply(screen, &text),
        }
    } else {
        state.queue_filter = text;
        state.cursor = 0;
    }
    hints(state);
    effects
}

/// Shows what a filter takes.
fn apply(screen: &mut crate::tui::state::Screen, text: &str) -> Vec<Effect> {
    let filter = Some(text.to_owned()).filter(|text| !text.is_empty());
    if filter == screen.filter {
        return Vec::new();
    }
    screen.filter = filter;
    screen.refind();
    screen.fault = None;
    screen.task.take().map(Effect::Cancel).into_iter().collect()
}

/// What is typed may become: fields and values of a filter, or queues where an address is asked for.
pub(super) fn hints(state: &mut State) {
    if let Some(found) = places(state) {
        if let Some(Dialog::Input { hints, .. }) = &mut state.dialog {
            *hints = found;
        }
        return;
    }
    let Some(look) = state.look() else { return };
    let fields = std::sync::Arc::clone(&look.fields);
    let Some(Dialog::Input { purpose, line, hints, .. }) = &mut state.dialog else { return };
    let own: &[&str] = match purpose {
        Purpose::Filter(_) => &[],
        Purpose::By => &KEYS,
        Purpose::Columns => &COLUMNS,
        _ => return,
    };
    if !own.is_empty() {
        let typed = if *purpose == Purpose::By { line.text() } else { line.behind(BETWEEN) };
        let all = own.iter().copied().chain(fields.keys().map(String::as_str).filter(|name| !own.contains(name)));
        let starts = all.filter(|name| name.starts_with(typed) && *name != typed);
        *hints = starts.take(HINTS).map(str::to_owned).collect();
        return;
    }
    let word = line.word();
    let operator = word.find([':', '=', '<', '>', '~']);
    *hints = match operator.and_then(|at| word.split_at_checked(at + 1)) {
        Some((head, typed)) => {
            let name = head.trim_end_matches([':', '=', '<', '>', '~', '!']);
            // What is known is known of any element.
            let values = fields.get(&any_element(name)).into_iter().flatten();
            let starts = values.filter(|value| value.starts_with(typed) && *value != typed);
            let quoted = |value: &String| {
                let plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
                let value = if value.chars().all(plain) { value.clone() } else { crate::tui::act::quoted(value) };
                format!("{head}{value}")
            };
            starts.map(quoted).take(HINTS).collect()
        }
        None => fields.keys().filter(|name| name.starts_with(word) && *name != word).take(HINTS).cloned().collect(),
    };
}

/// The queues whose addresses have the letters of what was typed, those that are no dead-letter queues first; `None`
/// where no address is asked for.
fn places(state: &State) -> Option<Vec<String>> {
    let Some(Dialog::Input { purpose, line, .. }) = &state.dialog else { return None };
    let typed = match purpose {
        Purpose::Choice(Command::Target | Command::Park, _) => line.text(),
        Purpose::Choice(Command::LookIn, _) => line.word(),
        Purpose::Archive(act) if act.verb == ActVerb::Drain => line.text(),
        _ => return None,
    };
    let (dead, live): (Vec<&Listed>, Vec<&Listed>) = state.queues.iter().partition(|listed| listed.info.is_dlq);
    // A URL is shown without its password, and would not open again.
    let whole = |listed: &&Listed| {
        let address = own_address(listed);
        Some(address.to_string()).filter(|text| text.parse::<Address>().is_ok_and(|read| read == address))
    };
    let named = live.iter().chain(&dead).filter_map(whole).filter(|name| name != typed);
    Some(fuzzy::best(typed, named, String::clone).into_iter().take(HINTS).collect())
}

/// A path with `[]` in the place of each index.
fn any_element(name: &str) -> String {
    let mut parts = name.split('[');
    let head = parts.next().unwrap_or_default().to_owned();
    parts.fold(head, |path, part| match part.split_once(']') {
        Some((index, rest)) if index.chars().all(|c| c.is_ascii_digit()) => format!("{path}[]{rest}"),
        _ => format!("{path}[{part}"),
    })
}

/// What is typed is given up.
pub(super) fn cancel(state: &mut State, purpose: Purpose) -> Vec<Effect> {
    match purpose {
        Purpose::Filter(before) => {
            if let Some(screen) = state.screens.last_mut() {
                return apply(screen, &before);
            }
            state.queue_filter = before;
            Vec::new()
        }
        // The sheet that waited is there again.
        Purpose::Confirm | Purpose::Choice(..) | Purpose::SavePlan(..) => {
            state.dialog = state.pending.take();
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// Takes what was typed.
pub(super) fn submit(
    state: &mut State,
    purpose: Purpose,
    line: Line,
    title: String,
    error: Option<String>,
) -> Vec<Effect> {
    let text = line.text().trim().to_owned();
    match purpose {
        Purpose::Filter(before) if error.is_some() => {
            let purpose = Purpose::Filter(before);
            state.dialog = Some(Dialog::Input { purpose, line, title, error, hints: Vec::new() });
            Vec::new()
        }
        Purpose::Filter(_) => {
            if text.is_empty() || state.screen().is_none() {
                return Vec::new();
            }
            let addresses = state.addresses();
            let hidden: Vec<_> = addresses.iter().map(|address| state.policy(address).redaction).collect();
            if !state.history.take(&text, addresses.iter().zip(hidden)) {
                return Vec::new();
            }
            vec![Effect::Remember(super::next_task(state), text)]
        }
        Purpose::Search => {
            if let Some(screen) = state.screens.last_mut() {
                screen.needle = text;
            }
            navigate::next_match(state, true);
            Vec::new()
        }
        Purpose::Columns => {
            let columns: Vec<String> =
                text.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect();
            if let Err(fault) = columns.iter().try_for_each(|name| Column::parse(name).map(drop)) {
                let error = Some(super::with_hint(&fault));
                state.dialog = Some(Dialog::Input { purpose, line, title, error, hints: Vec::new() });
                return Vec::new();
            }
            let Some(screen) = state.screens.last_mut() else { return Vec::new() };
            screen.columns = if columns.is_empty() { usual_columns(&screen.addresses) } else { columns };
            screen.rows.clear();
            screen.fetching.take().map(Effect::Cancel).into_iter().collect()
        }
        Purpose::By => {
            if let Err(fault) = By::parse(&text) {
                let error = Some(super::with_hint(&fault));
                state.dialog = Some(Dialog::Input { purpose, line, title, error, hints: Vec::new() });
                return Vec::new();
            }
            navigate::group_by(state, text);
            Vec::new()
        }
        Purpose::From => {
            let place = if text.is_empty() { "first" } else { &text };
            if let Err(fault) = crate::operation::browse::start(place, 1, state.now_at(None)) {
                let error = Some(super::with_hint(&fault));
                state.dialog = Some(Dialog::Input { purpose, line, title, error, hints: Vec::new() });
                return Vec::new();
            }
            let follow = state.look().is_some_and(|look| look.follow);
            looking::look_from(state, place, follow)
        }
        Purpose::Save(kept) => {
            let Some(snapshot) = state.looks.get(&kept.look).and_then(|look| look.snapshot.clone()) else {
                return Vec::new();
            };
            let line = saving(state, &kept.ids, &text);
            super::note(state, false, &format!("$ {line}"));
            let task = super::next_task(state);
            state.saves.insert(task);
            vec![Effect::Save(task, snapshot, kept.indices, text)]
        }
        purpose => match super::acting::submit(state, purpose, &text) {
            Ok(effects) => effects,
            Err((purpose, error)) => {
                super::note(state, true, &error);
                state.dialog = Some(Dialog::Input { purpose, line, title, error: Some(error), hints: Vec::new() });
                Vec::new()
            }
        },
    }
}

/// Does what the palette has under its cursor.
pub(super) fn chosen(state: &mut State, choices: &[Choice], cursor: usize) -> Vec<Effect> {
    match choices.get(cursor) {
        Some(Choice::Command(command, _)) => {
            let entry = TABLE.iter().find(|entry| entry.command == *command);
            if let Some(why) = entry.and_then(|entry| entry.reason_against(state)) {
                say(state, &why);
                return Vec::new();
            }
            super::perform(state, *command)
        }
        Some(Choice::Queue(address)) => {
            let dead = state.info(address).is_some_and(|info| info.is_dlq);
            let scope = if dead { Scope::Groups } else { Scope::Messages };
            looking::open(state, crate::tui::state::Screen::new(scope, vec![address.clone()]))
        }
        None => Vec::new(),
    }
}

/// What the editor gave back.
pub(super) fn edited(state: &mut State, text: &str) -> Vec<Effect> {
    if let Some((act, given)) = state.by_hand.take() {
        return super::choices::edited_by_hand(state, &act, &given, text);
    }
    if let Some(Dialog::Compose { compose, error }) = &mut state.dialog {
        **compose = Compose::of_text(text.trim_end_matches('\n'));
        *error = None;
    } else {
        complain(state, "what was edited has no form to go to");
    }
    Vec::new()
}
