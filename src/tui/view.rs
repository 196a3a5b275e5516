//! What the state looks like. Draws from `&State` only; every text of others goes through [`crate::text`] first.

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Widget as _, Wrap};

use super::command::{self, Scope};
use super::state::{Dialog, KEYS, Load, Screen, State, TABS};
use super::update::now_at;
use crate::message::Message;
use crate::message::codec;
use crate::message::failure::detect;
use crate::operation::glance::{self, failed_where, preview, reason};
use crate::operation::plan::Plan;
use crate::operation::progress::Tick;
use crate::text::{fit, human, safe, width_of};

/// Below this size nothing useful fits.
const LEAST: (u16, u16) = (40, 10);
/// Rows around the list: header, columns, command line, footer.
const AROUND: u16 = 4;
/// Bytes that the hex tab shows.
const HEX: usize = 64 * 1024;

/// What a piece of text is; what it looks like depends on the terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Plain,
    Faint,
    Name,
    Heading,
    Good,
    Warning,
    Bad,
    Badge,
    Cursor,
}

/// Colours are the terminal's own sixteen, so that light and dark are the terminal's choice; without colour, weight
/// and reversal say the same.
fn style(role: Role, colour: bool) -> Style {
    let style = Style::new();
    match (role, colour) {
        (Role::Faint, _) => style.add_modifier(Modifier::DIM),
        (Role::Name, true) => style.fg(Color::Cyan),
        (Role::Good, true) => style.fg(Color::Green),
        (Role::Warning, true) => style.fg(Color::Yellow),
        (Role::Bad, true) => style.fg(Color::Red),
        (Role::Badge, true) => style.fg(Color::Red).add_modifier(Modifier::BOLD | Modifier::REVERSED),
        (Role::Cursor, _) | (Role::Badge, false) => style.add_modifier(Modifier::REVERSED),
        (Role::Heading, _) | (Role::Bad | Role::Warning, false) => style.add_modifier(Modifier::BOLD),
        (Role::Plain, _) | (Role::Name | Role::Good, false) => style,
    }
}

/// One cell of a table.
struct Cell(Role, String);

/// A column: its title, whether it is right-aligned, whether it takes the room that is left.
struct Column(&'static str, bool, bool);

fn body_height(state: &State) -> usize {
    usize::from(state.size.1.saturating_sub(AROUND)).max(1)
}

/// The first row shown: lists turn by pages.
fn top(cursor: usize, height: usize) -> usize {
    cursor / height * height
}

fn cursor(state: &State) -> usize {
    state.screen().map_or(state.cursor, |screen| screen.cursor)
}

/// The row of the list at a line of the terminal.
pub(crate) fn row_at(state: &State, y: u16) -> Option<usize> {
    let line = usize::from(y.checked_sub(2)?);
    let height = body_height(state);
    (line < height && state.under() != Scope::Detail).then(|| top(cursor(state), height) + line)
}

/// How many lines the place has.
pub(crate) fn lines(state: &State) -> usize {
    match state.screen() {
        Some(screen) if screen.scope == Scope::Detail => detail(screen, state).len(),
        _ => state.rows(),
    }
}

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, state: &State) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    if area.width < LEAST.0 || area.height < LEAST.1 {
        let text = format!("postroom needs {} by {}", LEAST.0, LEAST.1);
        buffer.set_stringn(area.x, area.y, text, area.width.into(), Style::new());
        return;
    }
    header(buffer, area, state);
    let body = Rect { y: area.y + 1, height: area.height - 3, ..area };
    match state.screen() {
        None => queues(buffer, body, state),
        Some(screen) => match screen.scope {
            Scope::Groups => groups(buffer, body, screen, state),
            Scope::Messages => messages(buffer, body, screen, state),
            Scope::Detail => text(buffer, body, &detail(screen, state), screen.cursor, &tabs(screen), state),
            _ => {
                let lines: Vec<(Role, String)> =
                    state.log.iter().flat_map(|line| line.lines()).map(|line| (Role::Plain, line.to_owned())).collect();
                text(
                    buffer,
                    body,
                    &lines,
                    screen.cursor,
                    "what was said, and the command lines of what was done",
                    state,
                );
            }
        },
    }
    footer(buffer, area, state);
    if let Some(dialog) = &state.dialog {
        over(buffer, area, dialog, state);
    }
}

fn put(buffer: &mut Buffer, x: u16, y: u16, room: usize, text: &str, role: Role, state: &State) -> u16 {
    buffer.set_stringn(x, y, fit(text, room), room, style(role, state.colour)).0
}

fn header(buffer: &mut Buffer, area: Rect, state: &State) {
    let room = usize::from(area.width);
    let names: Vec<String> = state.addresses().iter().map(ToString::to_string).collect();
    let mut crumbs = match state.screen() {
        None if state.queue_filter.is_empty() => "queues".to_owned(),
        None => format!("queues / {}", state.queue_filter),
        Some(screen) => {
            let whose = if names.len() > 2 { human::plural(names.len() as u64, "queue") } else { names.join(", ") };
            format!("{whose} › {}", screen.scope.title())
        }
    };
    if let Some(screen) = state.screen() {
        crumbs.extend(screen.group.iter().map(|group| format!(" › {group}")));
        crumbs.extend(screen.filter.iter().map(|filter| format!(" / {filter}")));
    }
    let mut x = put(buffer, area.x, area.y, room, "postroom ", Role::Heading, state);
    x = put(buffer, x, area.y, room.saturating_sub(x.into()), &crumbs, Role::Name, state);
    let mut badges = Vec::new();
    badges.extend(state.is_production().then_some(" PRODUCTION "));
    badges.extend(state.read_only().map(|_| " READ-ONLY "));
    let failed = state.sources.iter().filter(|source| source.failed.is_some()).count();
    let down = if failed > 0 { format!(" {failed} of {} brokers down ", state.sources.len()) } else { String::new() };
    badges.extend(Some(down.as_str()).filter(|down| !down.is_empty()));
    for badge in badges {
        x = put(buffer, x + 1, area.y, room.saturating_sub(usize::from(x) + 1), badge, Role::Badge, state);
    }
    if state.quitting {
        put(
            buffer,
            x + 1,
            area.y,
            room.saturating_sub(usize::from(x) + 1),
            "returning what is held …",
            Role::Warning,
            state,
        );
    }
}

fn footer(buffer: &mut Buffer, area: Rect, state: &State) {
    let (y, room) = (area.y + area.height - 2, usize::from(area.width));
    match &state.toast {
        Some((text, _)) => {
            let text = text.lines().collect::<Vec<_>>().join(" ");
            put(buffer, area.x, y, room, &text, Role::Warning, state);
        }
        None => {
            put(buffer, area.x, y, room, &format!("$ {}", state.line()), Role::Faint, state);
        }
    }
    let mut x = area.x;
    for entry in command::of(state.scope(), state).filter(|entry| !entry.title.is_empty()) {
        let key = entry.keys.first().copied().unwrap_or_default();
        let wide = key.len() + entry.title.len() + 3;
        if usize::from(x - area.x) + wide > room {
            break;
        }
        let works = entry.reason_against(state).is_none();
        x = put(buffer, x, y + 1, room, key, if works { Role::Heading } else { Role::Faint }, state);
        let role = if works { Role::Plain } else { Role::Faint };
        x = put(buffer, x + 1, y + 1, room, entry.title, role, state) + 2;
    }
}

/// A table: columns as wide as what is shown needs, the elastic one cut, whole columns left out from the right where
/// the terminal is too narrow.
fn table(buffer: &mut Buffer, area: Rect, columns: &[Column], rows: &[Vec<Cell>], cursor: usize, state: &State) {
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let first = top(cursor, height);
    let shown: Vec<&Vec<Cell>> = rows.iter().skip(first).take(height).collect();
    let wide = |at: usize| {
        let cells = shown.iter().filter_map(|row| row.get(at)).map(|cell| width_of(&safe(&cell.1)));
        cells.chain([columns.get(at).map_or(0, |column| column.0.len())]).max().unwrap_or(0)
    };
    let mut widths: Vec<usize> = (0..columns.len()).map(wide).collect();
    let room = usize::from(area.width);
    let used = |widths: &[usize]| widths.iter().filter(|n| **n > 0).map(|n| n + 2).sum::<usize>().saturating_sub(2);
    // The elastic column keeps at least 20 cells; what stands right of the others goes first.
    for at in (0..columns.len()).rev() {
        let elastic =
            columns.iter().zip(&widths).filter(|(column, _)| column.2).map(|(_, n)| n.saturating_sub(20)).sum();
        let elastic: usize = elastic;
        if used(&widths).saturating_sub(elastic) <= room {
            break;
        }
        if columns.get(at).is_some_and(|column| !column.2)
            && at > 0
            && let Some(slot) = widths.get_mut(at)
        {
            *slot = 0;
        }
    }
    let over = used(&widths).saturating_sub(room);
    if let Some(at) = columns.iter().position(|column| column.2)
        && let Some(slot) = widths.get_mut(at)
    {
        *slot = slot.saturating_sub(over);
    }
    let line = |buffer: &mut Buffer, y: u16, cells: &[(Role, &str)], turned: bool| {
        let mut x = area.x;
        if turned {
            buffer.set_style(Rect { y, height: 1, ..area }, style(Role::Cursor, state.colour));
        }
        for ((column, width), (role, text)) in columns.iter().zip(&widths).zip(cells).filter(|((_, n), _)| **n > 0) {
            let text = fit(text, *width);
            let pad = u16::try_from(width.saturating_sub(width_of(&text))).unwrap_or(0);
            let left = usize::from((area.x + area.width).saturating_sub(x));
            let at = if column.1 { x + pad } else { x };
            buffer.set_stringn(at, y, text, left, style(*role, state.colour));
            x += u16::try_from(*width).unwrap_or(0) + 2;
        }
    };
    let heads: Vec<(Role, &str)> = columns.iter().map(|column| (Role::Heading, column.0)).collect();
    line(buffer, area.y, &heads, false);
    for (n, row) in shown.iter().enumerate() {
        let cells: Vec<(Role, &str)> = row.iter().map(|cell| (cell.0, cell.1.as_str())).collect();
        line(buffer, area.y + 1 + u16::try_from(n).unwrap_or(0), &cells, first + n == cursor);
    }
}

fn centre(buffer: &mut Buffer, area: Rect, text: &str, role: Role, state: &State) {
    for (n, line) in text.lines().enumerate() {
        let y = area.y + 2 + u16::try_from(n).unwrap_or(0);
        if y < area.y + area.height {
            put(buffer, area.x + 2, y, usize::from(area.width.saturating_sub(4)), line, role, state);
        }
    }
}

fn queues(buffer: &mut Buffer, area: Rect, state: &State) {
    let columns = [
        Column("QUEUE", false, true),
        Column("MESSAGES", true, false),
        Column("IN/S", true, false),
        Column("OUT/S", true, false),
        Column("OLDEST", true, false),
        Column("CONS", true, false),
        Column("TYPE", false, false),
        Column("PAIR", false, false),
    ];
    let row = |listed: &&crate::operation::queues::Listed| {
        let info = &listed.info;
        let now = now_at(state, Some(&listed.broker));
        let depth = match (info.is_dlq, info.messages.is_none_or(|n| n > 0)) {
            (true, true) => Role::Bad,
            (true, false) => Role::Good,
            _ => Role::Plain,
        };
        vec![
            Cell(Role::Name, listed.address()),
            Cell(depth, listed.messages()),
            Cell(
                if listed.is_growing() { Role::Warning } else { Role::Plain },
                info.rate_in.map_or_else(String::new, human::rate),
            ),
            Cell(Role::Plain, info.rate_out.map_or_else(String::new, human::rate)),
            Cell(Role::Plain, info.oldest.map_or_else(String::new, |time| human::age(time, now))),
            Cell(Role::Plain, info.consumers.map_or_else(String::new, human::count)),
            Cell(Role::Faint, format!("{} {}", listed.broker_kind(), info.kind)),
            Cell(Role::Faint, listed.pairing()),
        ]
    };
    let shown = state.shown_queues();
    let mut area = area;
    if state.welcome {
        let hint = "The demo. To connect: postroom amqp://USER@HOST:5672/%2f, or write profiles: postroom config init";
        put(buffer, area.x, area.y, area.width.into(), hint, Role::Warning, state);
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    let rows: Vec<Vec<Cell>> = shown.iter().map(row).collect();
    table(buffer, area, &columns, &rows, state.cursor, state);
    if rows.is_empty() {
        let waiting = state.sources.iter().any(|source| !source.listed && source.failed.is_none());
        let failed: Vec<String> = state
            .sources
            .iter()
            .filter_map(|source| Some(format!("{}: {}", source.address, source.failed.as_ref()?)))
            .collect();
        let text = if waiting { "asking the brokers …".to_owned() } else { failed.join("\n") };
        let text = if text.is_empty() { "no queue matches; esc clears the filter in its bar".to_owned() } else { text };
        centre(buffer, area, &text, Role::Faint, state);
    }
}

/// How the look of a screen is going, where there is nothing to list yet; else what was said of it.
fn load(buffer: &mut Buffer, area: Rect, screen: &Screen, state: &State) {
    match &screen.load {
        Load::Reading(tick) => {
            let how = tick.as_ref().map_or_else(|| "reading …".to_owned(), progress);
            centre(buffer, area, &format!("{how}   esc stops; everything goes back"), Role::Faint, state);
        }
        Load::Failed(why) => centre(buffer, area, why, Role::Bad, state),
        Load::Done(said) if state.rows() == 0 => {
            centre(buffer, area, &format!("nothing matches: {said}"), Role::Faint, state);
        }
        Load::Done(_) => {}
    }
}

fn age(time: Option<Timestamp>, now: Timestamp) -> String {
    time.map_or_else(String::new, |time| human::age(time, now))
}

fn groups(buffer: &mut Buffer, area: Rect, screen: &Screen, state: &State) {
    let by = KEYS.get(screen.by).copied().unwrap_or_default();
    let columns = [
        Column("COUNT", true, false),
        Column("SHARE", false, false),
        Column("CAUSE", false, true),
        Column("GROUP", false, false),
        Column("LAST", true, false),
        Column("FIRST", true, false),
        Column("EXPIRES", true, false),
        Column("QUEUES", true, false),
    ];
    let now = now_at(state, screen.addresses.first());
    let largest = screen.groups.iter().map(|group| group.share).fold(f64::MIN_POSITIVE, f64::max);
    let rows: Vec<Vec<Cell>> = screen
        .groups
        .iter()
        .map(|group| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 8")]
            let cells = (group.share / largest * 8.0).ceil().clamp(1.0, 8.0) as usize;
            let mut read: Vec<&str> = group.origins.iter().map(|origin| &*origin.read_from).collect();
            read.sort_unstable();
            read.dedup();
            let expires = group.expires.map_or_else(String::new, |time| human::age(now, time));
            vec![
                Cell(Role::Plain, human::count(group.count)),
                Cell(Role::Bad, format!("{:>5.1}% {}", group.share * 100.0, "█".repeat(cells))),
                Cell(Role::Plain, group.title.clone()),
                Cell(Role::Name, group.name.clone()),
                Cell(Role::Plain, age(group.last, now)),
                Cell(Role::Plain, age(group.first, now)),
                Cell(Role::Warning, expires),
                Cell(Role::Plain, human::count(read.len() as u64)),
            ]
        })
        .collect();
    let status = match &screen.load {
        Load::Done(said) => format!("by {by}; {said}"),
        _ => format!("by {by}"),
    };
    put(buffer, area.x, area.y + area.height - 1, area.width.into(), &status, Role::Faint, state);
    let area = Rect { height: area.height - 1, ..area };
    table(buffer, area, &columns, &rows, screen.cursor, state);
    load(buffer, area, screen, state);
}

fn messages(buffer: &mut Buffer, area: Rect, screen: &Screen, state: &State) {
    let columns = [
        Column("AGE", true, false),
        Column("ID", false, false),
        Column("WHY, AND WHAT", false, true),
        Column("SIZE", true, false),
    ];
    let now = now_at(state, screen.addresses.first());
    let height = usize::from(area.height.saturating_sub(2)).max(1);
    let first = top(screen.cursor, height);
    let row = |(at, message): (usize, &Message)| {
        // Only what is on the screen is read.
        if at < first || at >= first + height {
            return Vec::new();
        }
        let why = detect(message).map(|failure| reason(&failure));
        let text = preview(message, usize::from(area.width)).text;
        let what = why.map_or_else(|| text.clone(), |why| format!("{why}  {text}"));
        let place = message.position.map(glance::place);
        vec![
            Cell(Role::Plain, age(message.time, now)),
            Cell(Role::Name, fit(&place.unwrap_or_else(|| message.id.clone()), 18)),
            Cell(Role::Plain, what),
            Cell(Role::Faint, human::size(message.size())),
        ]
    };
    let rows: Vec<Vec<Cell>> = screen.messages.iter().enumerate().map(row).collect();
    let status = match &screen.load {
        Load::Done(said) => format!("{} shown; {said}", human::messages(screen.messages.len() as u64)),
        _ => String::new(),
    };
    put(buffer, area.x, area.y + area.height - 1, area.width.into(), &status, Role::Faint, state);
    let area = Rect { height: area.height - 1, ..area };
    table(buffer, area, &columns, &rows, screen.cursor, state);
    load(buffer, area, screen, state);
}

fn tabs(screen: &Screen) -> String {
    let tab = |(at, name): (usize, &&str)| if at == screen.tab { format!("[{name}]") } else { (*name).to_owned() };
    TABS.iter().enumerate().map(tab).collect::<Vec<_>>().join("  ")
}

/// The lines of one message's tab.
fn detail(screen: &Screen, state: &State) -> Vec<(Role, String)> {
    let Some(message) = screen.messages.first() else { return Vec::new() };
    match screen.tab {
        0 => why(message, now_at(state, screen.addresses.first())),
        1 => payload(message),
        2 => {
            let field = |part: &str, name: &str, value: &crate::message::Value| {
                let text = value.as_str().map_or_else(|| format!("{value:?}"), str::to_owned);
                (Role::Plain, format!("{part}{name}: {text}"))
            };
            let key = message.key.iter().map(|key| (Role::Name, format!("key: {}", String::from_utf8_lossy(key))));
            key.chain(message.headers.iter().map(|(name, value)| field("", name, value)))
                .chain(message.properties.iter().map(|(name, value)| field("property ", name, value)))
                .chain(message.metadata.iter().map(|(name, value)| field("broker ", name, value)))
                .flat_map(|(role, text)| text.lines().map(|line| (role, line.to_owned())).collect::<Vec<_>>())
                .collect()
        }
        _ => hex(message.body()),
    }
}

fn why(message: &Message, now: Timestamp) -> Vec<(Role, String)> {
    let mut lines = vec![(Role::Name, message.id.clone())];
    lines.extend(
        message.time.map(|time| (Role::Faint, format!("{} ({} ago)", human::time(time), human::age(time, now)))),
    );
    let Some(failure) = detect(message) else {
        lines.push((Role::Plain, "nothing in it says that it died".to_owned()));
        return lines;
    };
    lines.push((Role::Bad, reason(&failure)));
    lines.push((Role::Plain, failed_where(&failure)));
    lines.push((Role::Faint, format!("told by {}", failure.dialect)));
    for death in &failure.history {
        let time = death.time.map_or_else(String::new, |time| format!("{}  ", human::time(time)));
        lines.push((Role::Warning, format!("{time}{} in {}, {} times", death.reason, death.queue, death.count)));
    }
    lines.extend(failure.stack.iter().flat_map(|stack| stack.lines()).map(|line| (Role::Plain, line.to_owned())));
    lines
}

fn payload(message: &Message) -> Vec<(Role, String)> {
    let view = codec::view(message);
    let formats: Vec<&str> = view.formats().collect();
    let mut lines = vec![(Role::Faint, formats.join(" › "))];
    lines.extend(view.stopped.iter().map(|why| (Role::Warning, format!("decoding stopped: {why}"))));
    let pretty = view.form.json().and_then(|json| serde_json::from_slice::<serde_json::Value>(json).ok());
    let text = pretty.map(|json| format!("{json:#}")).or_else(|| view.form.text().map(str::to_owned));
    match text {
        Some(text) => lines.extend(text.lines().map(|line| (Role::Plain, line.replace('\t', "  ")))),
        None if message.payload.is_none() => lines.push((Role::Plain, "no payload (null)".to_owned())),
        None => lines.extend(hex(message.body())),
    }
    lines
}

fn hex(bytes: &[u8]) -> Vec<(Role, String)> {
    let shown = bytes.get(..HEX).unwrap_or(bytes);
    let line = |(at, row): (usize, &[u8])| {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        (Role::Plain, format!("{:08x}  {:<47}  {text}", at * 16, digits.join(" ")))
    };
    let mut lines: Vec<(Role, String)> = shown.chunks(16).enumerate().map(line).collect();
    if shown.len() < bytes.len() {
        lines.push((Role::Faint, format!("and {} more", human::size((bytes.len() - shown.len()) as u64))));
    }
    lines
}

fn text(buffer: &mut Buffer, area: Rect, lines: &[(Role, String)], from: usize, title: &str, state: &State) {
    put(buffer, area.x, area.y, area.width.into(), title, Role::Heading, state);
    for (n, (role, line)) in lines.iter().skip(from).take(usize::from(area.height - 1)).enumerate() {
        put(buffer, area.x, area.y + 1 + u16::try_from(n).unwrap_or(0), area.width.into(), line, *role, state);
    }
}

/// How far something is, in a line.
fn progress(tick: &Tick) -> String {
    let of = tick.total.map_or_else(String::new, |total| format!(" of {}", human::count(total)));
    let rate = human::rate(tick.rate);
    let rate = if rate.is_empty() { rate } else { format!(", {rate}/s") };
    let word = if tick.noted > 0 { format!(", {} noted", human::count(tick.noted)) } else { String::new() };
    format!("{} {}{of}{rate}{word}", tick.stage.name(), human::count(tick.done))
}

fn over(buffer: &mut Buffer, area: Rect, dialog: &Dialog, state: &State) {
    let span = |role: Role, text: &str| Line::from(Span::styled(safe(text).into_owned(), style(role, state.colour)));
    let plain = |text: &str| span(Role::Plain, text);
    let (title, lines, scroll): (&str, Vec<Line<'_>>, usize) = match dialog {
        Dialog::Help => {
            let line = |entry: &command::Entry| plain(&format!("{:<14} {}", entry.keys.join(", "), entry.help));
            ("keys", command::of(state.under(), state).map(line).collect(), 0)
        }
        Dialog::Cost { lines, refused, .. } => {
            let role = if *refused { Role::Bad } else { Role::Warning };
            let mut all: Vec<Line<'_>> = lines.iter().map(|line| span(role, line)).collect();
            let next =
                if *refused { "esc goes back" } else { "enter looks, esc goes back; what is read is given back" };
            all.extend([plain(""), plain(next)]);
            ("what this look costs", all, 0)
        }
        Dialog::Input { text, title, error, .. } => {
            let mut all = vec![plain(&format!("{text}▏"))];
            all.extend(error.iter().flat_map(|error| error.lines()).map(|line| span(Role::Bad, line)));
            (title.as_str(), all, 0)
        }
        Dialog::Running { act, tick, stopping, .. } => {
            let how = tick.as_ref().map_or_else(|| "starting …".to_owned(), progress);
            let mut all =
                vec![plain(&how), gauge(tick.as_ref(), area.width), span(Role::Faint, &format!("$ {}", act.line()))];
            all.extend(stopping.then(|| span(Role::Warning, "stopping: what is held is returned …")));
            ("under way", all, 0)
        }
        Dialog::Sheet { act, plan, run, scroll, .. } => ("plan", sheet(plan, *run, &act.line(), &span), *scroll),
        Dialog::Receipt { act, report, scroll } => {
            let role = if report.is_clean() { Role::Good } else { Role::Warning };
            let mut all = vec![span(role, &report.headline())];
            for to in &report.destinations {
                let text =
                    format!("→ {}  {} done, {} failed, {} ambiguous", to.address, to.done, to.failed, to.ambiguous);
                all.push(plain(&text));
            }
            all.extend((report.skipped > 0).then(|| plain(&format!("{} left alone", human::messages(report.skipped)))));
            all.extend(report.error.iter().map(|stop| span(Role::Bad, &format!("stopped: {}", stop.message))));
            all.extend(
                report
                    .problems
                    .iter()
                    .take(50)
                    .map(|problem| span(Role::Bad, &format!("{} {}: {}", problem.outcome, problem.id, problem.why))),
            );
            all.extend(report.notes.iter().map(|note| span(Role::Warning, note)));
            all.extend(report.journal.iter().map(|id| plain(&format!("journal {id}: postroom journal show {id}"))));
            all.push(span(Role::Faint, &format!("$ {}", act.line())));
            ("receipt", all, *scroll)
        }
    };
    let width = area.width.saturating_sub(4).min(100);
    let wrapped: usize =
        lines.iter().map(|line| line.width().div_ceil(usize::from(width.saturating_sub(4)).max(1)).max(1)).sum();
    let height = u16::try_from(wrapped + 2).unwrap_or(u16::MAX).min(area.height.saturating_sub(3));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + 1 + (area.height - 3 - height) / 3, width, height };
    Clear.render(place, buffer);
    let block = Block::bordered().title(format!(" {title} ")).border_style(style(Role::Faint, state.colour));
    let scroll = u16::try_from(scroll).unwrap_or(u16::MAX);
    Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0)).block(block).render(place, buffer);
}

fn gauge(tick: Option<&Tick>, width: u16) -> Line<'static> {
    let cells = usize::from(width.saturating_sub(12)).min(60);
    let share = tick.and_then(|tick| Some((tick.done, tick.total.filter(|total| *total > 0)?)));
    let full = share
        .map_or(0, |(done, total)| usize::try_from(done.min(total).saturating_mul(cells as u64) / total).unwrap_or(0));
    Line::from(format!("{}{}", "█".repeat(full), "░".repeat(cells - full)))
}

fn sheet<'a>(plan: &Plan, run: bool, line: &str, span: &dyn Fn(Role, &str) -> Line<'a>) -> Vec<Line<'a>> {
    let mut all = vec![span(Role::Heading, &plan.headline())];
    for to in &plan.destinations {
        let count = to.messages.map_or_else(|| "?".to_owned(), human::count);
        all.push(span(Role::Name, &format!("→ {}  {count}", to.address)));
    }
    for (why, count) in plan.reasons_to_stay() {
        all.push(span(Role::Warning, &format!("{} stay: {why}", human::messages(count))));
    }
    for check in &plan.checks {
        let (sign, role) = if check.ok { ("✓", Role::Good) } else { ("✗", Role::Bad) };
        let why = if check.why.is_empty() { String::new() } else { format!(": {}", check.why) };
        all.push(span(role, &format!("{sign} {}{why}", check.name)));
    }
    if !plan.header_policy.adds.is_empty() {
        all.push(span(Role::Faint, &format!("adds    {}", plan.header_policy.adds.join(", "))));
        all.push(span(Role::Faint, &format!("strips  {}", plan.header_policy.strip_names().join(", "))));
    }
    all.push(span(Role::Plain, &format!("undo    {}", plan.undo())));
    all.push(span(Role::Faint, &format!("$ {line}")));
    all.push(span(Role::Plain, ""));
    let (dry, go) = if run { ("  dry run  ", "[ RUN IT ]") } else { ("[ dry run ]", "  run it  ") };
    all.push(span(if run { Role::Bad } else { Role::Good }, &format!("{dry}  {go}   tab chooses, enter does it")));
    all
}
