//! What a message does to the state: no I/O, so that every path can be tested by keys.

mod acting;
mod answer;
mod choices;
mod copying;
mod demand;
mod input;
mod looking;
mod navigate;

use crossterm::event::{KeyEvent, KeyEventKind, MouseButton, MouseEvent, MouseEventKind};
use jiff::SignedDuration;

use super::command::{Command, Entry, Scope};
use super::key::Key;
use super::msg::{Effect, Msg};
use super::state::{Dialog, State, TaskId};
use super::view::{self, Spot};
use crate::error::Error;

pub(super) use copying::line;
pub(super) use looking::{open, refresh};

/// How long a word to the operator stands in the footer; the log keeps it.
const TOAST: SignedDuration = SignedDuration::from_secs(6);
/// The same of an error.
const ERROR: SignedDuration = SignedDuration::from_secs(20);
/// Lines that the log keeps.
const LOG: usize = 1000;

/// Takes one message.
pub(crate) fn update(state: &mut State, msg: Msg) -> Vec<Effect> {
    let mut effects = match msg {
        Msg::Resize(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Msg::Tick(now) => {
            state.now = now;
            if state.toast.as_ref().is_some_and(|(_, _, until)| *until < now) {
                state.toast = None;
            }
            Vec::new()
        }
        Msg::Stop => quit(state),
        Msg::Paste(text) => input::paste(state, &text),
        Msg::Mouse(event) => mouse(state, event),
        Msg::Key(event) if event.kind == KeyEventKind::Release => Vec::new(),
        Msg::Key(event) => key(state, &event),
        Msg::Answer(task, answer) => answer::answer(state, task, answer),
        Msg::Edited(text) => input::edited(state, &text),
        Msg::Said(text) => {
            // An editor that failed gives nothing back.
            state.by_hand = None;
            complain(state, &text);
            Vec::new()
        }
    };
    demand::demand(state, &mut effects);
    effects
}

fn key(state: &mut State, event: &KeyEvent) -> Vec<Effect> {
    let (scope, key) = (state.scope(), Key::of(event));
    let entry = state.keys.find(scope, key);
    if [Scope::Input, Scope::Palette, Scope::Compose].contains(&scope) {
        let is_command = matches!(state.dialog, Some(Dialog::Pick { .. })) || entry.is_some_and(|_| !key.is_text());
        if !is_command {
            return input::typed(state, key, event);
        }
    }
    entry.map_or_else(Vec::new, |entry| checked(state, entry))
}

fn mouse(state: &mut State, event: MouseEvent) -> Vec<Effect> {
    match event.kind {
        MouseEventKind::ScrollUp => scroll(state, -3),
        MouseEventKind::ScrollDown => scroll(state, 3),
        MouseEventKind::Down(MouseButton::Left) => return click(state, event.column, event.row),
        _ => {}
    }
    Vec::new()
}

fn scroll(state: &mut State, by: i16) {
    match &mut state.dialog {
        Some(Dialog::Compose { compose, .. }) => compose.area.scroll((by, 0)),
        _ => navigate::step(state, by.into()),
    }
}

/// Points at something: a row is selected, and opened where it was; what has a key does what the key does.
fn click(state: &mut State, x: u16, y: u16) -> Vec<Effect> {
    let Some(spot) = view::spot(state, x, y) else {
        // Beside what only offers something, as esc: nothing is lost by it.
        let offers = matches!(state.dialog, Some(Dialog::Help { .. } | Dialog::Palette { .. } | Dialog::Pick { .. }));
        return if offers { navigate::back(state) } else { Vec::new() };
    };
    match spot {
        Spot::Key(command) => {
            let entry = super::command::of(state.scope(), state).find(|entry| entry.command == command);
            return entry.map_or_else(Vec::new, |entry| checked(state, entry));
        }
        Spot::Tab(tab) => navigate::to_tab(state, tab),
        Spot::Hint(at) => return input::take_hint(state, at),
        Spot::Typed(cells) => input::go_to(state, cells),
        Spot::Form(row, cell) => {
            if let Some(Dialog::Compose { compose, .. }) = &mut state.dialog {
                compose.go_to(row, cell);
            }
        }
        Spot::Row(row) => {
            let again = navigate::cursor(state) == row;
            navigate::set_cursor(state, row);
            // A choice of a dialog is one that is pointed at once, as in every menu.
            if again || state.dialog.is_some() {
                let command = if state.scope() == Scope::Detail { Command::Fold } else { Command::Accept };
                return perform(state, command);
            }
        }
        Spot::Run(wanted) => {
            if let Some(Dialog::Sheet { run, .. }) = &mut state.dialog {
                // What is chosen already is done.
                if std::mem::replace(run, wanted) == wanted {
                    return perform(state, Command::Accept);
                }
            }
        }
        Spot::Dialog => {}
    }
    Vec::new()
}

/// Does what a command says, or says why not now.
fn checked(state: &mut State, entry: &Entry) -> Vec<Effect> {
    if let Some(why) = entry.reason_against(state) {
        say(state, &format!("{}: {why}", entry.name));
        return Vec::new();
    }
    perform(state, entry.command)
}

/// Says something to the operator, and keeps it in the log.
fn say(state: &mut State, text: &str) {
    tell(state, text, false, TOAST);
}

/// Says what went wrong.
fn complain(state: &mut State, text: &str) {
    tell(state, text, true, ERROR);
}

fn tell(state: &mut State, text: &str, is_error: bool, time: SignedDuration) {
    note(state, is_error, text);
    state.toast = state.now.checked_add(time).ok().map(|until| (text.to_owned(), is_error, until));
}

/// Keeps a line in the log.
fn note(state: &mut State, is_error: bool, text: &str) {
    state.log.push((is_error, text.to_owned()));
    if state.log.len() > LOG {
        state.log.remove(0);
    }
}

fn with_hint(error: &Error) -> String {
    error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error}\nHint: {hint}"))
}

fn next_task(state: &mut State) -> TaskId {
    state.next_task += 1;
    state.next_task
}

fn quit(state: &mut State) -> Vec<Effect> {
    state.quitting = true;
    vec![Effect::Quit]
}

fn perform(state: &mut State, command: Command) -> Vec<Effect> {
    let page = isize::try_from(state.size.1.saturating_sub(6).max(1)).unwrap_or(1);
    match command {
        Command::Up => navigate::step(state, -1),
        Command::Down => navigate::step(state, 1),
        Command::PageUp => navigate::step(state, -page),
        Command::PageDown => navigate::step(state, page),
        Command::Top => navigate::set_cursor(state, 0),
        Command::Bottom => navigate::set_cursor(state, usize::MAX),
        Command::Help => {
            let over = state.dialog.take().map(Box::new);
            state.dialog = Some(Dialog::Help { scroll: 0, over });
        }
        Command::Log => navigate::log(state),
        Command::Interrupt if state.scope() == Scope::Running => return acting::stop_run(state, false),
        Command::Quit | Command::Interrupt => return quit(state),
        Command::CancelRun => return acting::stop_run(state, false),
        Command::PauseRun => return acting::stop_run(state, true),
        Command::ResumeRun => return acting::resume(state),
        Command::Doubtful if state.scope() != Scope::Sheet => return acting::settle(state),
        Command::EditByHand => return choices::by_hand(state),
        Command::UndoRun => return acting::undo(state),
        Command::Reset => acting::reset(state),
        Command::Consumers => navigate::consumers(state),
        Command::OpenRun => return navigate::open_run(state),
        Command::Back => return navigate::back(state),
        Command::Refresh => return looking::again(state),
        Command::NextTab => navigate::tab(state, true),
        Command::PreviousTab => navigate::tab(state, false),
        Command::GroupBy => input::by(state),
        Command::NextMessage => navigate::neighbour(state, 1),
        Command::PreviousMessage => navigate::neighbour(state, -1),
        Command::Fold => navigate::fold(state),
        Command::FoldAll => navigate::fold_all(state),
        Command::Choose => {
            if let Some(Dialog::Sheet { run, .. }) = &mut state.dialog {
                *run = !*run;
            }
        }
        Command::Target
        | Command::Rate
        | Command::Ramp
        | Command::Verify
        | Command::Edit
        | Command::Keep
        | Command::Again
        | Command::InFlight
        | Command::PerKey
        | Command::MaxFailures
        | Command::MaxReplays
        | Command::Park
        | Command::Rescue
        | Command::LookIn
        | Command::Limit
        | Command::Reason
        | Command::SamePartition
        | Command::ServerSide
        | Command::Exact
        | Command::ExpiringFirst
        | Command::LetExpire
        | Command::SendMisfits
        | Command::Doubtful
        | Command::SavePlan => return choices::choose(state, command),
        Command::Filter => input::filter(state),
        Command::Search => input::search(state),
        Command::NextMatch => navigate::next_match(state, true),
        Command::PreviousMatch => navigate::next_match(state, false),
        Command::Incident => return navigate::incident(state),
        Command::OpenMessages | Command::OpenGroups => return navigate::enter(state, command),
        Command::Accept => return acting::accept(state),
        Command::Show => navigate::show(state),
        Command::Journal => navigate::journal(state),
        Command::Palette => input::palette(state),
        Command::Mark => navigate::mark(state),
        Command::MarkAll => navigate::mark_all(state),
        Command::Order => navigate::order(state),
        Command::From => input::from(state),
        Command::Follow => return looking::follow(state),
        Command::Pause => looking::hold(state),
        Command::Columns => input::columns(state),
        Command::Copy => return copying::copy(state),
        Command::CopyLine => return copying::copy_line(state),
        Command::Save => input::save(state),
        Command::Pager => return vec![Effect::Pager(copying::text(state))],
        Command::ReadInEditor => return vec![Effect::ReadInEditor(copying::text(state))],
        Command::Suspend => return vec![Effect::Suspend],
        Command::Replay => return acting::act(state, &super::act::ActVerb::Replay),
        Command::Drain => return acting::act(state, &super::act::ActVerb::Drain),
        Command::Purge => return acting::act(state, &super::act::ActVerb::Discard),
        Command::Capture => return acting::act(state, &super::act::ActVerb::Capture),
        Command::Publish => acting::compose(state),
        Command::EditCopy => acting::edit_copy(state),
        Command::Send => return acting::send(state),
        Command::Editor => return acting::editor(state),
    }
    Vec::new()
}
