//! What a message does to the state: no I/O, so that every path can be tested by keys.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use jiff::SignedDuration;

use super::command::{self, Command, Scope};
use super::key::Key;
use super::msg::{Answer, Effect, Look, Msg};
use super::state::{Act, ActVerb, Dialog, KEYS, Load, Purpose, Screen, State, TABS, TaskId};
use super::view;
use crate::broker::memory::demo;
use crate::broker::{Address, Connection, CostKind};
use crate::error::Error;
use crate::message::filter::Filter;
use crate::operation::groups::GroupSummary;
use crate::operation::queues::{Listed, sort};

/// How long a word to the operator stands in the footer; the log keeps it.
const TOAST: SignedDuration = SignedDuration::from_secs(6);
/// Lines that the log keeps.
const LOG: usize = 1000;

/// Takes one message.
pub(crate) fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    match msg {
        Msg::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Msg::Tick(now) => {
            state.now = now;
            if state.toast.as_ref().is_some_and(|(_, until)| *until < now) {
                state.toast = None;
            }
            Vec::new()
        }
        Msg::Stop => quit(state),
        Msg::Paste(text) => {
            text.chars().filter(|c| !c.is_control()).for_each(|c| type_in(state, KeyCode::Char(c)));
            Vec::new()
        }
        Msg::Mouse(event) => mouse(state, event),
        Msg::Key(event) if event.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(event) => key(state, &event),
        Msg::Answer(task, answer) => self::answer(state, task, answer),
    }
}

fn key(state: &mut State, event: &KeyEvent) -> Vec<Effect> {
    let (scope, key) = (state.scope(), Key::of(event));
    if scope == Scope::Input && (key.is_text() || event.code == KeyCode::Backspace) {
        type_in(state, event.code);
        return Vec::new();
    }
    let Some(entry) = command::find(scope, key) else { return Vec::new() };
    if let Some(why) = entry.reason_against(state) {
        say(state, &format!("{}: {why}", entry.name));
        return Vec::new();
    }
    perform(state, entry.command)
}

fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    match event.kind {
        MouseEventKind::ScrollUp => step(state, -3),
        MouseEventKind::ScrollDown => step(state, 3),
        MouseEventKind::Down(MouseButton::Left) if state.dialog.is_none() => {
            let Some(row) = view::row_at(state, event.row) else { return Vec::new() };
            let again = cursor(state) == row;
            if row < state.rows() {
                set_cursor(state, row);
                if again {
                    return perform(state, Command::Accept);
                }
            }
        }
        _ => {}
    }
    Vec::new()
}

fn type_in(state: &mut State, code: KeyCode) {
    if let Some(Dialog::Input { purpose, text, error, .. }) = &mut state.dialog {
        match code {
            KeyCode::Char(c) => text.push(c),
            _ => _ = text.pop(),
        }
        *error = None;
        if *purpose == Purpose::Filter && !text.is_empty() && !state.screens.is_empty() {
            *error = Filter::parse(text, state.now).err().map(|fault| with_hint(&fault));
        }
        if *purpose == Purpose::Filter && state.screens.is_empty() {
            state.queue_filter.clone_from(text);
            state.cursor = 0;
        }
    }
}

fn with_hint(error: &Error) -> String {
    error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error}\nHint: {hint}"))
}

/// Says something to the operator, and keeps it in the log.
pub(crate) fn say(state: &mut State, text: &str) {
    state.log.push(text.to_owned());
    if state.log.len() > LOG {
        state.log.remove(0);
    }
    state.toast = state.now.checked_add(TOAST).ok().map(|until| (text.to_owned(), until));
}

fn next_task(state: &mut State) -> TaskId {
    state.next_task += 1;
    state.next_task
}

fn quit(state: &mut State) -> Vec<Effect> {
    state.quitting = true;
    vec![Effect::Quit]
}

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

fn cursor(state: &State) -> usize {
    match &state.dialog {
        Some(Dialog::Sheet { scroll, .. } | Dialog::Receipt { scroll, .. }) => *scroll,
        _ => state.screen().map_or(state.cursor, |screen| screen.cursor),
    }
}

fn set_cursor(state: &mut State, to: usize) {
    if let Some(Dialog::Sheet { scroll, .. } | Dialog::Receipt { scroll, .. }) = &mut state.dialog {
        *scroll = to.min(500);
        return;
    }
    let last = state.rows().saturating_sub(1).min(view::lines(state).saturating_sub(1));
    match state.screens.last_mut() {
        Some(screen) => screen.cursor = to.min(last),
        None => state.cursor = to.min(last),
    }
}

fn step(state: &mut State, by: isize) {
    set_cursor(state, cursor(state).saturating_add_signed(by));
}

fn perform(state: &mut State, command: Command) -> Vec<Effect> {
    let page = isize::try_from(state.size.1.saturating_sub(8).max(1)).unwrap_or(1);
    match command {
        Command::Up => step(state, -1),
        Command::Down => step(state, 1),
        Command::PageUp => step(state, -page),
        Command::PageDown => step(state, page),
        Command::Top => set_cursor(state, 0),
        Command::Bottom => set_cursor(state, usize::MAX),
        Command::Help => state.dialog = Some(Dialog::Help),
        Command::Log => {
            let mut screen = Screen::new(Scope::Log, state.addresses());
            screen.cursor = state.log.len().saturating_sub(1);
            state.screens.push(screen);
        }
        Command::Interrupt if state.scope() == Scope::Running => return stop_run(state),
        Command::Quit | Command::Interrupt => return quit(state),
        Command::CancelRun => return stop_run(state),
        Command::Back => return back(state),
        Command::Refresh => {
            if state.screens.is_empty() {
                return refresh(state);
            }
            return look(state);
        }
        Command::NextTab => return next_tab(state),
        Command::Choose => {
            if let Some(Dialog::Sheet { run, .. }) = &mut state.dialog {
                *run = !*run;
            }
        }
        Command::Filter => {
            let text = match state.screen() {
                Some(screen) => screen.filter.clone().unwrap_or_default(),
                None => state.queue_filter.clone(),
            };
            let title = if state.screens.is_empty() { "queues that match" } else { "messages that match" };
            state.dialog = Some(Dialog::Input { purpose: Purpose::Filter, text, title: title.to_owned(), error: None });
        }
        Command::Incident => {
            let dead = state.queues.iter().filter(|listed| listed.info.is_dlq && listed.info.messages != Some(0));
            let addresses = dead.map(|listed| listed.neighbour(&listed.info.name)).collect();
            return open(state, Screen::new(Scope::Groups, addresses));
        }
        Command::OpenMessages | Command::OpenGroups | Command::Accept => return accept(state, command),
        Command::Replay => return act(state, ActVerb::Replay),
        Command::Drain => return act(state, ActVerb::Drain),
        Command::Capture => return act(state, ActVerb::Capture),
    }
    Vec::new()
}

fn back(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Sheet { task, .. }) => {
            say(state, "Nothing was changed.");
            vec![Effect::Drop(task)]
        }
        Some(Dialog::Receipt { .. }) => refresh(state),
        // The sheet that waited for its confirmation is there again.
        Some(Dialog::Input { purpose: Purpose::Confirm, .. }) => {
            state.dialog = state.pending.take();
            Vec::new()
        }
        Some(_) => Vec::new(),
        None => state.screens.pop().map(|screen| Effect::Cancel(screen.task)).into_iter().collect(),
    }
}

fn stop_run(state: &mut State) -> Vec<Effect> {
    if let Some(Dialog::Running { task, stopping, .. }) = &mut state.dialog {
        *stopping = true;
        return vec![Effect::Cancel(*task)];
    }
    Vec::new()
}

fn next_tab(state: &mut State) -> Vec<Effect> {
    let Some(screen) = state.screens.last_mut() else { return Vec::new() };
    if screen.scope == Scope::Detail {
        (screen.tab, screen.cursor) = ((screen.tab + 1) % TABS.len(), 0);
        return Vec::new();
    }
    screen.by = (screen.by + 1) % KEYS.len();
    look(state)
}

/// Opens a screen that looks at queues: what the look costs is asked first.
pub(crate) fn open(state: &mut State, mut screen: Screen) -> Vec<Effect> {
    if screen.addresses.is_empty() {
        say(state, "no queue holds dead messages");
        return Vec::new();
    }
    screen.task = next_task(state);
    let effect = Effect::Cost(screen.task, screen.addresses.clone());
    let price = |listed: &&Listed| {
        let address = listed.neighbour(&listed.info.name);
        screen.addresses.contains(&address)
    };
    // What the list says already is shown at once.
    let lines = state.queues.iter().filter(price).map(|listed| State::cost(&listed.info)).collect();
    let priced = state.queues.iter().filter(price).any(|listed| listed.info.read_cost.kind != CostKind::None);
    if priced {
        state.dialog = Some(Dialog::Cost { lines, screen: Box::new(screen), refused: false });
        return vec![effect];
    }
    state.screens.push(screen);
    look(state)
}

/// Looks at what the top screen shows.
fn look(state: &mut State) -> Vec<Effect> {
    let task = next_task(state);
    let Some(screen) = state.screens.last_mut() else { return Vec::new() };
    if !matches!(screen.scope, Scope::Groups | Scope::Messages) {
        return Vec::new();
    }
    let before = std::mem::replace(&mut screen.task, task);
    screen.load = Load::Reading(None);
    let by = (screen.scope == Scope::Groups).then(|| *KEYS.get(screen.by).unwrap_or(&KEYS[0]));
    let (addresses, filter, group) = (screen.addresses.clone(), screen.filter.clone(), screen.group.clone());
    let line = state.line();
    state.log.push(format!("$ {line}"));
    vec![Effect::Cancel(before), Effect::Look(task, Look { addresses, filter, group, by })]
}

fn accept(state: &mut State, command: Command) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Cost { refused: true, lines, screen }) => {
            state.dialog = Some(Dialog::Cost { lines, screen, refused: true });
            say(state, "the look is refused: it could destroy a message");
            Vec::new()
        }
        Some(Dialog::Cost { screen, .. }) => {
            state.screens.push(*screen);
            look(state)
        }
        Some(Dialog::Input { purpose, text, title, error }) => submit(state, purpose, text, title, error),
        Some(Dialog::Sheet { act, plan, task, run, typed, scroll }) => {
            let cross = plan.crosses().next().map(|check| format!("{}: {}", check.name, check.why));
            if !run {
                say(state, "Dry run: nothing was changed.");
                return vec![Effect::Drop(task)];
            }
            let title = typed.as_ref().map(|(address, name)| format!("{address} is production. Type {name} to go on"));
            state.dialog = Some(Dialog::Sheet { act: act.clone(), plan, task, run, typed, scroll });
            if let Some(why) = cross {
                say(state, &format!("this plan can't be run: {why}"));
                return Vec::new();
            }
            match title {
                None => start_run(state),
                Some(title) => {
                    state.pending = state.dialog.take();
                    let text = String::new();
                    state.dialog = Some(Dialog::Input { purpose: Purpose::Confirm, text, title, error: None });
                    Vec::new()
                }
            }
        }
        Some(Dialog::Receipt { .. }) => refresh(state),
        Some(other) => {
            state.dialog = Some(other);
            Vec::new()
        }
        None => enter(state, command),
    }
}

fn start_run(state: &mut State) -> Vec<Effect> {
    match state.dialog.take() {
        Some(Dialog::Sheet { act, task, .. }) => {
            state.log.push(format!("$ {}", act.line()));
            state.dialog = Some(Dialog::Running { act, task, tick: None, stopping: false });
            vec![Effect::Run(task)]
        }
        other => {
            state.dialog = other;
            Vec::new()
        }
    }
}

fn submit(state: &mut State, purpose: Purpose, text: String, title: String, error: Option<String>) -> Vec<Effect> {
    match purpose {
        Purpose::Filter if state.screens.is_empty() => Vec::new(),
        Purpose::Filter if error.is_some() => {
            state.dialog = Some(Dialog::Input { purpose: Purpose::Filter, text, title, error });
            Vec::new()
        }
        Purpose::Filter => {
            if let Some(screen) = state.screens.last_mut() {
                screen.filter = Some(text).filter(|text| !text.trim().is_empty());
                screen.cursor = 0;
            }
            look(state)
        }
        Purpose::Archive(act) => plan(state, Act { path: text, ..*act }),
        Purpose::Confirm => {
            state.dialog = state.pending.take();
            let wanted = match &state.dialog {
                Some(Dialog::Sheet { typed: Some((_, name)), .. }) => name.clone(),
                _ => return Vec::new(),
            };
            if text == wanted {
                return start_run(state);
            }
            say(state, "not confirmed: nothing was done");
            Vec::new()
        }
    }
}

/// What enter, `m` and `c` open.
fn enter(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(screen) = state.screen() else {
        let Some(listed) = state.queue() else { return Vec::new() };
        let address = listed.neighbour(&listed.info.name);
        let groups = command == Command::OpenGroups || (command == Command::Accept && listed.info.is_dlq);
        let scope = if groups { Scope::Groups } else { Scope::Messages };
        return open(state, Screen::new(scope, vec![address]));
    };
    let mut next = Screen::new(Scope::Messages, screen.addresses.clone());
    next.filter.clone_from(&screen.filter);
    next.group.clone_from(&screen.group);
    match screen.scope {
        Scope::Groups => {
            if command == Command::Accept {
                let Some(group) = screen.groups.get(screen.cursor) else { return Vec::new() };
                match screen.by {
                    0 => next.group = Some(group.name.clone()),
                    by => {
                        next.filter = field_filter(by, group);
                        if next.filter.is_none() {
                            say(state, "groups by this key can't be opened: press tab for another");
                            return Vec::new();
                        }
                    }
                }
            }
            open(state, next)
        }
        Scope::Messages => {
            let Some(message) = screen.messages.get(screen.cursor).cloned() else { return Vec::new() };
            let mut detail = Screen::new(Scope::Detail, screen.addresses.clone());
            (detail.filter, detail.group) = (next.filter, next.group);
            detail.load = Load::Done(String::new());
            detail.messages = vec![message];
            state.screens.push(detail);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The filter that finds the group again, for keys that are fields.
fn field_filter(by: usize, group: &GroupSummary) -> Option<String> {
    let name = KEYS.get(by).filter(|name| ["class", "origin"].contains(*name))?;
    let value = group.key.first().filter(|part| part.name == *name)?;
    Some(format!("{name}=\"{}\"", value.value.replace('\\', "\\\\").replace('"', "\\\"")))
}

/// Starts a writing verb on what is under the cursor.
fn act(state: &mut State, verb: ActVerb) -> Vec<Effect> {
    let Some(address) = state.addresses().into_iter().next() else { return Vec::new() };
    let (mut filter, mut group) = (None, None);
    if let Some(screen) = state.screen() {
        (filter, group) = (screen.filter.clone(), screen.group.clone());
        if screen.scope == Scope::Groups {
            group = screen.groups.get(screen.cursor).map(|group| group.name.clone());
        }
        if screen.scope == Scope::Detail
            && let Some(message) = screen.messages.first()
        {
            filter = Some(format!("id=\"{}\"", message.id.replace('\\', "\\\\").replace('"', "\\\"")));
            group = None;
        }
    }
    let path = String::new();
    let act = Act { verb, address: address.clone(), filter, group, path };
    if verb == ActVerb::Replay {
        return plan(state, act);
    }
    let name = address.target.as_ref().map(ToString::to_string).unwrap_or_default();
    let name: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }).collect();
    let text = format!("{name}.jsonl.zst");
    let title = "a new archive, compressed where it ends in .zst".to_owned();
    state.dialog = Some(Dialog::Input { purpose: Purpose::Archive(Box::new(act)), text, title, error: None });
    Vec::new()
}

fn plan(state: &mut State, act: Act) -> Vec<Effect> {
    let task = next_task(state);
    state.log.push(format!("$ {}{}", act.line(), if act.verb == ActVerb::Capture { "" } else { " --dry-run" }));
    state.dialog = Some(Dialog::Running { act: act.clone(), task, tick: None, stopping: false });
    vec![Effect::Plan(task, act)]
}

/// Takes what a task says, if anybody still waits for it.
fn answer(state: &mut State, task: TaskId, answer: Answer) -> Vec<Effect> {
    if let Some(at) = state.sources.iter().position(|source| source.task == task) {
        return listed(state, at, answer);
    }
    match &mut state.dialog {
        Some(Dialog::Cost { lines, screen, refused }) if screen.task == task => {
            match answer {
                Answer::Cost(said, no) => (*lines, *refused) = (said, no),
                Answer::Failed(error) => {
                    let text = with_hint(&error);
                    state.dialog = None;
                    say(state, &text);
                }
                _ => {}
            }
            return Vec::new();
        }
        Some(Dialog::Running { act, task: running, tick, .. }) if *running == task => {
            let act = act.clone();
            match answer {
                Answer::Progress(now) => *tick = Some(now),
                Answer::Planned(plan, typed) => {
                    state.dialog = Some(Dialog::Sheet { act, plan, task, run: false, typed, scroll: 0 });
                }
                Answer::Ran(report) => {
                    let text = report.headline();
                    say(state, &text);
                    state.dialog = Some(Dialog::Receipt { act, report, scroll: 0 });
                }
                Answer::Failed(error) => {
                    state.dialog = None;
                    let text = with_hint(&error);
                    say(state, &text);
                }
                _ => {}
            }
            return Vec::new();
        }
        _ => {}
    }
    let Some(screen) = state.screens.iter_mut().find(|screen| screen.task == task) else { return Vec::new() };
    match answer {
        Answer::Progress(tick) => screen.load = Load::Reading(Some(tick)),
        Answer::Groups(groups, said) => {
            screen.cursor = screen.cursor.min(groups.len().saturating_sub(1));
            (screen.groups, screen.load) = (groups, Load::Done(said));
        }
        Answer::Messages(messages, said) => {
            screen.cursor = screen.cursor.min(messages.len().saturating_sub(1));
            (screen.messages, screen.load) = (messages, Load::Done(said));
        }
        Answer::Failed(error) => {
            let text = with_hint(&error);
            screen.load = Load::Failed(text.clone());
            say(state, &text);
        }
        _ => {}
    }
    Vec::new()
}

fn listed(state: &mut State, at: usize, answer: Answer) -> Vec<Effect> {
    let Some(source) = state.sources.get_mut(at) else { return Vec::new() };
    let address = source.address.clone();
    match answer {
        Answer::Queues(queues, notes) => {
            (source.failed, source.listed) = (None, true);
            let selected = state.queue().map(Listed::address);
            state.queues.retain(|listed| listed.broker != address);
            state.queues.extend(queues);
            sort(&mut state.queues);
            let again = state.shown_queues().iter().position(|listed| Some(listed.address()) == selected);
            state.cursor = again.unwrap_or(state.cursor.min(state.queues.len().saturating_sub(1)));
            for note in notes.iter().map(|note| format!("{address}: {note}")) {
                if !state.log.contains(&note) {
                    say(state, &note);
                }
            }
        }
        Answer::Failed(error) => {
            let text = format!("{address}: {}", with_hint(&error));
            source.failed = Some(error.to_string());
            if !state.log.contains(&text) {
                say(state, &text);
            }
        }
        _ => {}
    }
    Vec::new()
}

/// The time that ages at an address are counted from: in the demo it stands still.
pub(crate) fn now_at(state: &State, address: Option<&Address>) -> jiff::Timestamp {
    if address.is_some_and(|address| address.connection == Connection::Demo) { demo::NOW } else { state.now }
}
