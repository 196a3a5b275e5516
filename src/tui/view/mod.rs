//! What the state looks like. Draws from `&State` only; every text of others goes through [`crate::text`] first.

mod lists;
mod over;
mod pages;
mod sheet;
mod table;
mod wrap;

pub(super) use pages::{about, said};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::command::{self, Command, Scope};
use super::state::{Load, Screen, State};
use super::theme::{Role, ascii};
use super::update::line;
use crate::operation::progress::Tick;
use crate::text::{fit, human, safe, width_of};

/// Below this size nothing useful fits.
const LEAST: (u16, u16) = (40, 10);
/// What is said where there is no config, in two parts.
const WELCOME: [&str; 2] = [
    "The demo: try anything. To connect: postroom amqp://USER@HOST:5672/%2f",
    ", or write profiles: postroom config init",
];
/// The least and the most lines of the pane under the causes.
const PANE: (u16, u16) = (6, 14);

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("postroom needs {} by {}", LEAST.0, LEAST.1);
        buffer.set_stringn(area.x, area.y, text, area.width.into(), Style::new());
        return;
    }
    Canvas { buffer, state, area, seen: Seen::default() }.all();
    if state.theme.ascii {
        for cell in &mut frame.buffer_mut().content {
            if !cell.symbol().is_ascii() {
                cell.set_symbol(ascii(cell.symbol()));
            }
        }
    }
}

/// Where is drawn, and from what.
struct Canvas<'a> {
    buffer: &'a mut Buffer,
    state: &'a State,
    area: Rect,
    seen: Seen,
}

/// The rows between the header and the two lines of the footer.
fn body(state: &State, area: Rect) -> Rect {
    let strip = strip_height(state);
    Rect { y: area.y + 1 + strip, height: area.height.saturating_sub(3 + strip), ..area }
}

/// A line that says how each broker is, or how to connect; only over the list of queues.
fn strip_height(state: &State) -> u16 {
    let several = state.sources.len() > 1 || state.sources.iter().any(|source| source.failed.is_some());
    match state.screens.is_empty() {
        false => 0,
        // The hint has two parts, which stand under each other where there is no room beside.
        true if state.welcome => 1 + u16::from(usize::from(state.size.0) < width_of(&WELCOME.concat())),
        true => u16::from(several),
    }
}

/// Rows of the list that fit.
pub(crate) fn body_height(state: &State) -> usize {
    let area = Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 };
    let pane = state.screen().map_or(0, |screen| pane_height(screen, body(state, area).height));
    let status = match state.under() {
        // The column heads, and a line about the look.
        Scope::Groups | Scope::Messages | Scope::Partitions | Scope::Run => 2,
        _ => 1,
    };
    usize::from(body(state, area).height.saturating_sub(status + pane)).max(1)
}

/// Lines under the list of causes that tell more of the one under the cursor: what the list leaves over, up to a
/// third where it is long; none where that is too little.
fn pane_height(screen: &Screen, body: u16) -> u16 {
    if screen.scope != Scope::Groups || screen.groups.is_empty() {
        return 0;
    }
    let rows = u16::try_from(screen.groups.len()).unwrap_or(u16::MAX).saturating_add(2);
    let left = body.saturating_sub(rows).max(body / 3).min(PANE.1);
    if left < PANE.0 { 0 } else { left }
}

/// The first row shown: lists turn by pages.
pub(crate) fn top(cursor: usize, height: usize) -> usize {
    cursor / height * height
}

/// What can be pointed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spot {
    /// A row of the list, or of the choices of a dialog.
    Row(usize),
    /// A tab of one message.
    Tab(usize),
    /// What a key does, too.
    Key(Command),
    /// A dry run, or the run itself.
    Run(bool),
    /// What may be typed.
    Hint(usize),
    /// A line that is typed, so many cells in.
    Typed(usize),
    /// The form of a message: row and cell of what is shown of it.
    Form(u16, u16),
    /// A dialog, where it has nothing to offer.
    Dialog,
}

/// What was found while everything was drawn.
#[derive(Debug, Default)]
struct Seen {
    /// What can be pointed at, what lies over it behind it.
    spots: Vec<(Rect, Spot)>,
    /// Lines of a dialog that are beyond its end.
    beyond: usize,
}

/// Draws for nobody's eyes.
fn seen(state: &State) -> Seen {
    let area = Rect { x: 0, y: 0, width: state.size.0, height: state.size.1 };
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return Seen::default();
    }
    let mut buffer = Buffer::empty(area);
    let mut canvas = Canvas { buffer: &mut buffer, state, area, seen: Seen::default() };
    canvas.all();
    canvas.seen
}

/// What stands at a place of the terminal: what was drawn there says it.
pub(crate) fn spot(state: &State, x: u16, y: u16) -> Option<Spot> {
    let (place, spot) = seen(state).spots.into_iter().rev().find(|(place, _)| place.contains((x, y).into()))?;
    Some(match spot {
        Spot::Typed(_) => Spot::Typed(usize::from(x - place.x)),
        Spot::Form(..) => Spot::Form(y - place.y, x - place.x),
        spot => spot,
    })
}

/// How far the dialog can be scrolled.
pub(crate) fn scroll_end(state: &State) -> usize {
    seen(state).beyond
}

impl Canvas<'_> {
    fn all(&mut self) {
        self.header();
        let body = body(self.state, self.area);
        match self.state.screen() {
            None => self.queues(body),
            Some(screen) => match screen.scope {
                Scope::Groups => self.groups(body, screen),
                Scope::Messages => self.messages(body, screen),
                Scope::Detail => self.detail(body, screen),
                Scope::Show => self.show(body, screen),
                Scope::Consumers => self.consumers(body, screen),
                Scope::Partitions => self.partitions(body, screen),
                Scope::Journal => self.journal(body, screen),
                Scope::Run => self.run(body, screen),
                _ => self.log(body, screen),
            },
        }
        if self.state.dialog.is_some() {
            // What lies under a dialog waits.
            self.seen.spots.clear();
        }
        self.footer();
        if let Some(dialog) = &self.state.dialog {
            self.over(dialog);
        }
    }

    /// So many cells of a line can be pointed at.
    fn spot(&mut self, x: u16, y: u16, width: u16, spot: Spot) {
        self.seen.spots.push((Rect { x, y, width, height: 1 }, spot));
    }

    fn style(&self, role: Role) -> Style {
        self.state.theme.style(role)
    }

    /// Writes a text, made safe and cut to the room; where it ends.
    fn put(&mut self, x: u16, y: u16, room: usize, text: &str, role: Role) -> u16 {
        let style = self.style(role);
        self.put_styled(x, y, room, text, style)
    }

    fn put_styled(&mut self, x: u16, y: u16, room: usize, text: &str, style: Style) -> u16 {
        self.buffer.set_stringn(x, y, fit(text, room), room, style).0
    }

    /// What is left of a line.
    fn room(&self, x: u16) -> usize {
        usize::from((self.area.x + self.area.width).saturating_sub(x))
    }

    fn header(&mut self) {
        let (state, y) = (self.state, self.area.y);
        let mut x = self.put(self.area.x, y, self.room(self.area.x), "postroom ", Role::Heading);
        let addresses = state.addresses();
        let style = state.theme.profile(addresses.first().and_then(|address| state.policy(address).colour));
        let badges = badges(state);
        // Whatever else is cut: that this is production is not.
        let kept: usize = badges.iter().map(|(_, badge)| width_of(badge) + 1).sum();
        match state.screen() {
            None => {
                let filter =
                    if state.queue_filter.is_empty() { String::new() } else { format!(" / {}", state.queue_filter) };
                let marked =
                    if state.marks.is_empty() { String::new() } else { format!("   {} marked", state.marks.len()) };
                let room = self.room(x).saturating_sub(kept);
                x = self.put(x, y, room, &format!("queues{filter}{marked}"), Role::Name);
            }
            Some(screen) => {
                let whose = match addresses.as_slice() {
                    [] => String::new(),
                    [one] => one.to_string(),
                    several => human::plural(several.len() as u64, "queue"),
                };
                let room = self.room(x).saturating_sub(kept);
                x = self.put_styled(x, y, room, &whose, style);
                let mut crumbs = if whose.is_empty() { String::new() } else { " › ".to_owned() };
                crumbs += screen.scope.title();
                crumbs.extend(screen.group.iter().map(|group| format!(" › {group}")));
                crumbs.extend(screen.filter.iter().map(|filter| format!(" / {filter}")));
                let room = self.room(x).saturating_sub(kept);
                x = self.put(x, y, room, &crumbs, Role::Name);
            }
        }
        for (role, badge) in badges {
            let room = self.room(x + 1);
            x = self.put(x + 1, y, room, &badge, role);
        }
        if strip_height(state) > 0 {
            self.strip(y + 1);
        }
    }

    /// How each broker is.
    fn strip(&mut self, y: u16) {
        let mut x = self.area.x;
        if self.state.welcome {
            let narrow = strip_height(self.state) > 1;
            for (hint, line) in WELCOME.into_iter().zip(0..) {
                let room = self.room(x);
                let (hint, y) = if narrow { (hint.trim_start_matches([',', ' ']), y + line) } else { (hint, y) };
                let end = self.put(x, y, room, hint, Role::Warning);
                x = if narrow { self.area.x } else { end };
            }
            return;
        }
        for source in &self.state.sources {
            let (role, sign) = match (&source.failed, source.listed) {
                (Some(_), _) => (Role::Bad, "✗"),
                (None, true) => (Role::Good, "●"),
                (None, false) => (Role::Faint, "…"),
            };
            let room = self.room(x);
            x = self.put(x, y, room, &format!("{sign} "), role);
            let style = self.state.theme.profile(source.policy.colour);
            let room = self.room(x);
            x = self.put_styled(x, y, room, &source.address.to_string(), style);
            let word = match &source.failed {
                Some(why) => format!(" {why}"),
                None => match (source.policy.read_only, source.policy.production) {
                    (true, _) => " read-only".to_owned(),
                    (false, true) => " production".to_owned(),
                    _ => String::new(),
                },
            };
            let room = self.room(x).min(40);
            x = self.put(x, y, room, &word, if source.failed.is_some() { Role::Bad } else { Role::Faint }) + 3;
            if self.room(x) < 8 {
                let room = self.room(x);
                self.put(x, y, room, "…", Role::Faint);
                break;
            }
        }
    }

    fn footer(&mut self) {
        let (state, y) = (self.state, self.area.y + self.area.height - 2);
        let (x, room) = (self.area.x, usize::from(self.area.width));
        match &state.toast {
            Some((text, is_error, _)) => {
                let text = text.lines().map(str::trim).collect::<Vec<_>>().join("  ");
                self.put(x, y, room, &text, if *is_error { Role::Bad } else { Role::Warning });
            }
            None => _ = self.put(x, y, room, &format!("$ {}", line(state)), Role::Faint),
        }
        let mut x = x;
        let shown = |entry: &command::Entry| Some((state.keys.shown(entry).into_iter().next()?, entry.title));
        // Whatever else is cut: what leads to the rest is not.
        let help = command::of(state.scope(), state).find(|entry| entry.command == Command::Help).and_then(shown);
        let kept = help.as_ref().map_or(0, |(key, title)| width_of(key) + title.len() + 3);
        let entries = command::of(state.scope(), state).filter(|entry| !entry.title.is_empty());
        let mut entries: Vec<_> = entries
            .filter_map(|entry| {
                let (key, title) = shown(entry)?;
                let wide = width_of(&key) + title.len() + 1;
                Some((entry, key, wide, entry.reason_against(state).is_none()))
            })
            .collect();
        // Where there is little room, it is for what can be done now.
        if entries.iter().map(|(_, _, wide, _)| wide + 2).sum::<usize>() > self.room(x) + 2 {
            entries.retain(|(.., works)| *works);
        }
        let mut is_cut = false;
        for (entry, key, wide, works) in entries {
            let (is_help, kept) = if entry.command == Command::Help { (true, 0) } else { (false, kept) };
            if is_cut && !is_help || wide + kept > self.room(x) {
                is_cut = true;
                continue;
            }
            let (room, start) = (self.room(x), x);
            x = self.put(x, y + 1, room, &key, if works { Role::Heading } else { Role::Faint });
            let room = self.room(x + 1);
            x = self.put(x + 1, y + 1, room, entry.title, if works { Role::Plain } else { Role::Faint });
            self.spot(start, y + 1, x.saturating_sub(start), Spot::Key(entry.command));
            x += 2;
        }
    }

    /// The first key of a command.
    fn key_of(&self, command: Command) -> String {
        let entry = command::TABLE.iter().find(|entry| entry.command == command);
        entry.and_then(|entry| self.state.keys.shown(entry).into_iter().next()).unwrap_or_default()
    }

    /// Lines of text in the middle of nothing.
    fn centre(&mut self, area: Rect, text: &str, role: Role) {
        for (n, line) in text.lines().enumerate() {
            let y = area.y + 2 + u16::try_from(n).unwrap_or(u16::MAX / 2);
            if y < area.y + area.height {
                self.put(area.x + 2, y, usize::from(area.width.saturating_sub(4)), line, role);
            }
        }
    }

    /// How the look of a screen is going: a line at its foot, or in the middle where there is nothing to list.
    fn status(&mut self, area: Rect, screen: &Screen, lead: &str) {
        let y = area.y + area.height - 1;
        let room = usize::from(area.width);
        let (mut text, mut role) = (lead.to_owned(), Role::Faint);
        let mut alone = None;
        match self.state.look().map(|look| &look.load) {
            Some(Load::Reading(tick)) => {
                let how = tick.as_ref().map_or_else(|| "reading …".to_owned(), progress);
                text = format!("{lead}{how}   esc stops; everything goes back");
                alone = Some((how, Role::Faint));
            }
            Some(Load::Failed(why)) => {
                alone = Some((why.clone(), Role::Bad));
                (text, role) = (format!("{lead}{}", why.lines().next().unwrap_or_default()), Role::Bad);
            }
            Some(Load::Done(said)) => {
                text = format!("{lead}{said}");
                alone = Some((format!("nothing matches: {said}"), Role::Faint));
            }
            None => {}
        }
        if screen.task.is_some() {
            let seen = self.state.look().map_or(0, |look| look.seen);
            let far = match screen.searched {
                Some(far) => Some(far),
                None if screen.scope == Scope::Messages => Some((screen.found.upto, seen)),
                None => None,
            };
            let far = far.filter(|(done, of)| *done > 0 && done < of).map_or_else(String::new, |(done, of)| {
                format!(" {} of {}", human::count(done as u64), human::count(of as u64))
            });
            let how = format!("searching{far} …");
            text = format!("{text}   {how}");
            alone = Some((how, Role::Faint));
        }
        if let Some(fault) = &screen.fault {
            alone = Some((fault.clone(), Role::Bad));
        }
        self.put(area.x, y, room, &text, role);
        if self.state.rows() == 0
            && let Some((text, role)) = alone
        {
            self.centre(area, &text, role);
        }
    }
}

/// What has to be seen of the place: its policy, and how it is.
fn badges(state: &State) -> Vec<(Role, String)> {
    let mut badges: Vec<(Role, String)> = Vec::new();
    badges.extend(state.is_production().then(|| (Role::Badge, " PRODUCTION ".to_owned())));
    badges.extend(state.read_only().map(|_| (Role::Safe, " READ-ONLY ".to_owned())));
    badges.extend(state.look().filter(|look| look.follow).map(|_| (Role::Match, " FOLLOWING ".to_owned())));
    badges.extend(state.screen().and_then(|screen| screen.held_at).map(|_| (Role::Match, " HELD ".to_owned())));
    let failed = state.sources.iter().filter(|source| source.failed.is_some()).count();
    if failed > 0 && !state.screens.is_empty() {
        badges.push((Role::Badge, format!(" {failed} of {} brokers down ", state.sources.len())));
    }
    badges.extend(state.quitting.then(|| (Role::Match, " returning what is held ".to_owned())));
    badges
}

/// How far something is, in a line.
fn progress(tick: &Tick) -> String {
    let of = tick.total.map_or_else(String::new, |total| format!(" of {}", human::count(total)));
    let rate = human::rate(tick.rate);
    let rate = if rate.is_empty() { rate } else { format!(", {rate}/s") };
    #[allow(clippy::cast_precision_loss, reason = "a time shown to people")]
    let left = match tick.total {
        Some(total) if tick.rate > 0.05 && total > tick.done => {
            let seconds = (total - tick.done) as f64 / tick.rate;
            std::time::Duration::try_from_secs_f64(seconds)
                .map_or_else(|_| String::new(), |left| format!(", {} left", human::duration(left)))
        }
        _ => String::new(),
    };
    format!("{} {}{of}{rate}{left}", tick.stage.name(), human::count(tick.done))
}

/// A safe text on one line.
fn clean(text: &str) -> String {
    safe(text).into_owned()
}
