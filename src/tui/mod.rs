//! The screens: what operators keep open during an incident, over the same engines as the command line.
//!
//! The way a key goes: key -> [`command`] table -> `update` (no I/O) -> effects -> `runner` (tasks with an owner and a
//! token) -> bounded channel -> `update` -> `view` draws what the state says. Answers carry the id of their task; what
//! nobody waits for any more is dropped. What a look sees is kept in a snapshot on disk, which lists, filters and groups
//! share, so that moving about costs a queue nothing. Limits: one look keeps two million messages at most.

mod act;
pub mod command;
mod compose;
mod detail;
mod field;
mod headless;
mod history;
pub mod key;
mod msg;
mod outside;
mod picture;
mod reasons;
mod runner;
pub mod state;
mod terminal;
mod theme;
mod update;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::{Event, EventStream};
use futures::StreamExt as _;
use tokio::sync::mpsc::{self, Receiver};
use tokio::time::{Instant, MissedTickBehavior, interval};

pub use headless::Headless;

use crate::broker::{Address, Connection, Target};
use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::session::{Session, Start};
use command::Keymap;
use history::{History, Kept};
use msg::{Effect, Msg};
use runner::Runner;
use state::{Screen, Source, State};
use terminal::Screens;
use theme::Theme;

/// How often the queues are asked for again.
const REFRESH: Duration = Duration::from_secs(5);
/// How long leaving waits for what is held to be returned.
const PATIENCE: Duration = Duration::from_secs(20);
/// Messages that wait to be taken; a task that has more to say waits.
const CHANNEL: usize = 256;

/// Opens the screens on this terminal and runs them to their end: the exit code.
///
/// # Errors
/// `Io` where the terminal can't be used; `Config` for keys that can't be.
pub fn run(session: Session, start: &Start) -> Result<u8> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Unexpected, "the runtime can't be started").because(error))?;
    let done = runtime.block_on(async {
        let mut app = App::new(Arc::new(session), start)?;
        let mut screens = Screens::enter()?;
        app.live(&mut screens).await
    });
    runtime.shutdown_background();
    done.map(|()| 0)
}

/// The state, who works for it, and what has been answered.
struct App {
    state: State,
    runner: Runner,
    answers: Receiver<Msg>,
    session: Arc<Session>,
    /// What only the terminal can do.
    outside: Vec<Effect>,
}

impl App {
    fn new(session: Arc<Session>, start: &Start) -> Result<Self> {
        let (sender, answers) = mpsc::channel(CHANNEL);
        let runner = Runner::new(Arc::clone(&session), sender);
        let state = state(&session, start)?;
        let mut app = Self { state, runner, answers, session, outside: Vec::new() };
        let effects = update::refresh(&mut app.state);
        app.perform(effects);
        if let Some(address) = start.address.clone().filter(|address| address.target.is_some()) {
            let effects = update::open(&mut app.state, Screen::new(command::Scope::Groups, vec![address]));
            app.perform(effects);
        }
        Ok(app)
    }

    fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Copy(_) | Effect::Pager(_) | Effect::ReadInEditor(_) | Effect::Editor(_) | Effect::Suspend => {
                    self.outside.push(effect);
                }
                effect => self.runner.run(effect),
            }
        }
    }

    fn take(&mut self, msg: Msg) {
        let effects = update::update(&mut self.state, msg);
        self.perform(effects);
    }

    /// Takes what has been answered so far.
    fn drain(&mut self) {
        while let Ok(msg) = self.answers.try_recv() {
            self.take(msg);
        }
    }

    async fn live(&mut self, screens: &mut Screens) -> Result<()> {
        if let Ok((width, height)) = crossterm::terminal::size() {
            self.take(Msg::Resize(width, height));
        }
        let mut events = EventStream::new();
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut signals = terminal::Signals::new();
        let (mut leaving, mut asked) = (None, Instant::now());
        loop {
            if !screens.draw(&self.state) {
                // Nobody sees it any more: what is held is returned all the same.
                self.take(Msg::Stop);
            }
            if self.state.quitting {
                let since = *leaving.get_or_insert_with(Instant::now);
                if self.runner.is_idle() || since.elapsed() > PATIENCE {
                    return Ok(());
                }
            }
            tokio::select! {
                event = events.next(), if leaving.is_none() => match event {
                    Some(Ok(event)) => self.event(event),
                    Some(Err(_)) | None => self.take(Msg::Stop),
                },
                Some(msg) = self.answers.recv() => self.take(msg),
                () = signals.next(), if leaving.is_none() => self.take(Msg::Stop),
                () = tokio::time::sleep(Duration::from_millis(20)), if leaving.is_some() => {}
                _ = second.tick() => {
                    self.take(Msg::Tick(self.session.now()));
                    if self.state.screens.is_empty() && self.state.dialog.is_none() && asked.elapsed() >= REFRESH {
                        asked = Instant::now();
                        let effects = update::refresh(&mut self.state);
                        self.perform(effects);
                    }
                }
            }
            self.drain();
            for effect in std::mem::take(&mut self.outside) {
                // Whoever has the terminal now must have its keys, too.
                let session = Arc::clone(&self.session);
                let environment = session.places.config().environment();
                let said = if matches!(effect, Effect::Copy(_)) {
                    outside::perform(effect, screens, environment).await
                } else {
                    drop(events);
                    let said = outside::perform(effect, screens, environment).await;
                    events = EventStream::new();
                    if let Ok((width, height)) = crossterm::terminal::size() {
                        self.take(Msg::Resize(width, height));
                    }
                    said
                };
                if let Some(msg) = said {
                    self.take(msg);
                }
            }
        }
    }

    /// Panics where it was asked to, so that a test can see what a panic leaves of the terminal. Not in released builds.
    #[cfg(debug_assertions)]
    fn panic_if_asked(&self, event: &Event) {
        let asked = self.session.places.config().environment().get("POSTROOM_TEST_PANIC").is_some();
        let is_key = matches!(event, Event::Key(key) if key.code == crossterm::event::KeyCode::F(12));
        assert!(!(asked && is_key), "a panic on purpose");
    }

    #[cfg(not(debug_assertions))]
    fn panic_if_asked(&self, _: &Event) {}

    fn event(&mut self, event: Event) {
        self.panic_if_asked(&event);
        match event {
            Event::Key(key) => self.take(Msg::Key(key)),
            Event::Mouse(mouse) => self.take(Msg::Mouse(mouse)),
            Event::Paste(text) => self.take(Msg::Paste(text)),
            Event::Resize(width, height) => self.take(Msg::Resize(width, height)),
            Event::FocusGained | Event::FocusLost => {}
        }
    }
}

/// What is there before anything was asked.
fn state(session: &Session, start: &Start) -> Result<State> {
    let config = session.places.config();
    let profile = |name: &String| Address { connection: Connection::Profile(name.clone()), target: None };
    let demo = Address { connection: Connection::Demo, target: None };
    let addresses: Vec<Address> = match &start.address {
        Some(archive @ Address { connection: Connection::File, .. }) => vec![archive.clone()],
        Some(address) => vec![Address { target: None, ..address.clone() }],
        None if config.profiles.is_empty() => vec![demo],
        None => config.profiles.keys().map(profile).collect(),
    };
    let listed = start.address.as_ref().filter(|address| address.connection != Connection::File);
    let glob = listed.and_then(|address| address.target.as_ref()).map(Target::to_string);
    // The demo is the same for everybody.
    let kept = if addresses.iter().all(|address| address.connection == Connection::Demo) {
        Vec::new()
    } else {
        Kept::of_user(config.environment()).load()
    };
    let hides = |policy: &Policy| !policy.redaction.rules().is_empty();
    let source = |address: Address| {
        let policy = session.places.policy(&address).unwrap_or_default();
        Source { address, policy, task: 0, failed: None, listed: false }
    };
    Ok(State {
        now: session.now(),
        size: (80, 24),
        theme: Theme::of(&config.screens, config.environment(), start.colour),
        keys: Keymap::new(&config.screens.keys)?,
        sources: addresses.into_iter().map(source).collect(),
        queues: Vec::new(),
        depths: HashMap::new(),
        queue_filter: glob.unwrap_or_default(),
        cursor: 0,
        marks: BTreeSet::new(),
        looks: BTreeMap::new(),
        screens: Vec::new(),
        dialog: None,
        pending: None,
        by_hand: None,
        toast: None,
        log: Vec::new(),
        history: History::new(kept, config.profiles.values().any(|profile| hides(&profile.policy))),
        next_task: 0,
        saves: BTreeSet::new(),
        quitting: false,
        welcome: start.address.is_none() && config.profiles.is_empty(),
    })
}
