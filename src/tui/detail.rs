//! One message, ready to be shown: its tabs as lines with roles, and what can be folded in them.
//!
//! Made by the runner, once for each message, so that drawing costs what is on the screen and no more. Every text is
//! safe for a terminal, and redacted before it comes here. Limits: [`LINES`] of a payload, [`HEX`] bytes of hex.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde_json::Value as Json;

use super::state::TABS;
use super::theme::Role;
use crate::message::codec::{self, View};
use crate::message::failure::{Failure, detect};
use crate::message::fingerprint::{Rules, fingerprint};
use crate::message::{Message, Value};
use crate::operation::glance::{failed_where, key, place, reason};
use crate::operation::masks::Masks;
use crate::text::{human, safe, safe_lines};

/// Lines of one tab at most.
const LINES: usize = 50_000;
/// Bytes that the hex tab shows.
const HEX: usize = 256 * 1024;
/// Frames of libraries that stand behind each other are folded from this many on.
const FRAMES: usize = 3;

/// One line of a tab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TextLine {
    pub(crate) spans: Vec<(Role, String)>,
    /// The lines up to this one can be folded under it.
    pub(crate) end: Option<usize>,
    /// They are, until the operator unfolds them.
    pub(crate) is_folded: bool,
}

impl TextLine {
    fn one(role: Role, text: &str) -> Self {
        Self { spans: vec![(role, safe(text).into_owned())], ..Self::default() }
    }

    /// Its text.
    pub(crate) fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.as_str()).collect()
    }
}

/// The tabs of one message.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) message: Message,
    /// Something in it is hidden.
    pub(crate) is_redacted: bool,
    pub(crate) tabs: [Vec<TextLine>; TABS.len()],
}

impl Page {
    /// Makes them.
    pub(crate) fn of(
        message: Message,
        masks: &Masks,
        now: Timestamp,
        expires: Option<Timestamp>,
        rules: &Rules,
    ) -> Self {
        let masked = masks.shown(&message);
        let is_redacted = masked.as_ref().is_some_and(|masked| *masked != message);
        let message = masked.unwrap_or(message);
        let tabs = [
            why(&message, now, expires, rules),
            payload(&message, rules),
            hex(message.body()),
            fields(&message, rules),
            raw(message.body()),
        ];
        Self { message, is_redacted, tabs }
    }

    /// The numbers of the lines that are shown.
    pub(crate) fn shown(&self, tab: usize, toggled: &BTreeSet<usize>) -> Vec<usize> {
        let Some(lines) = self.tabs.get(tab) else { return Vec::new() };
        let mut shown = Vec::new();
        let mut at = 0;
        while let Some(line) = lines.get(at) {
            shown.push(at);
            at = match line.end {
                Some(end) if line.is_folded != toggled.contains(&at) => end.max(at + 1),
                _ => at + 1,
            };
        }
        shown
    }

    /// How many lines are shown.
    pub(crate) fn visible(&self, tab: usize, toggled: &BTreeSet<usize>) -> usize {
        self.shown(tab, toggled).len()
    }

    /// A tab as text.
    pub(crate) fn text(&self, tab: usize) -> String {
        let lines = self.tabs.get(tab).map(Vec::as_slice).unwrap_or_default();
        lines.iter().map(TextLine::text).collect::<Vec<_>>().join("\n")
    }
}

/// Appends a name and its value, where there is one.
fn pair(lines: &mut Vec<TextLine>, name: &str, role: Role, value: Option<String>) {
    lines.extend(value.filter(|value| !value.is_empty()).map(|value| TextLine {
        spans: vec![(Role::Faint, format!("{name:<10} ")), (role, safe(&value).into_owned())],
        ..TextLine::default()
    }));
}

fn why(message: &Message, now: Timestamp, expires: Option<Timestamp>, rules: &Rules) -> Vec<TextLine> {
    let mut lines = vec![TextLine::one(Role::Heading, &message.id)];
    let ago = |time: Timestamp| format!("{} ({} ago)", human::time(time), human::age(time, now));
    pair(&mut lines, "place", Role::Plain, message.position.map(place));
    pair(&mut lines, "taken in", Role::Plain, message.time.map(ago));
    pair(
        &mut lines,
        "delivered",
        Role::Plain,
        message.deliveries.map(|n| format!("{} before", human::plural(n, "time"))),
    );
    pair(
        &mut lines,
        "expires",
        Role::Warning,
        expires.map(|time| {
            let left = if time > now { format!("in {}", human::age(now, time)) } else { "any moment".to_owned() };
            format!("{} ({left})", human::time(time))
        }),
    );
    let Some(failure) = detect(message) else {
        lines.push(TextLine::default());
        lines.push(TextLine::one(Role::Plain, "Nothing in it says that it died."));
        return lines;
    };
    let known = fingerprint(message, Some(&failure), rules);
    pair(&mut lines, "died of", Role::Bad, Some(reason(&failure)));
    pair(&mut lines, "class", Role::Plain, failure.class.clone());
    pair(&mut lines, "said", Role::Plain, failure.outer.clone().map(|outer| crate::text::one_line(&outer)));
    pair(&mut lines, "where", Role::Plain, Some(failed_where(&failure)));
    pair(&mut lines, "consumer", Role::Plain, failure.consumer.clone());
    let told = std::iter::once(failure.dialect).chain(failure.also.iter().copied()).collect::<Vec<_>>().join(", ");
    pair(&mut lines, "told by", Role::Faint, Some(told));
    pair(&mut lines, "group", Role::Name, Some(format!("{}  {}", known.id, known.title)));
    timeline(&failure, now, &mut lines);
    stack(&failure, &mut lines);
    lines
}

/// Its deaths, the first on top.
fn timeline(failure: &Failure, now: Timestamp, lines: &mut Vec<TextLine>) {
    let mut deaths: Vec<(Option<Timestamp>, Role, String)> = failure
        .history
        .iter()
        .rev()
        .map(|death| {
            let times = if death.count > 1 { format!(", {} times", death.count) } else { String::new() };
            (death.time, Role::Warning, format!("{} in {}{times}", death.reason, death.queue))
        })
        .collect();
    let known = |time: &Option<Timestamp>, deaths: &[(Option<Timestamp>, Role, String)]| {
        time.is_some_and(|time| deaths.iter().all(|(other, _, _)| *other != Some(time)))
    };
    if known(&failure.first, &deaths) {
        deaths.insert(0, (failure.first, Role::Faint, "first failed".to_owned()));
    }
    if known(&failure.last, &deaths) && failure.last != failure.first {
        deaths.push((failure.last, Role::Faint, "last failed".to_owned()));
    }
    if deaths.is_empty() {
        return;
    }
    lines.push(TextLine::default());
    lines.push(TextLine::one(Role::Heading, "Timeline"));
    let mut before: Option<Timestamp> = None;
    for (time, role, what) in deaths {
        let at = time.map_or_else(|| " ".repeat(20), human::time);
        let step = match (before, time) {
            (Some(before), Some(time)) => format!("+{}", human::age(before, time)),
            (None, Some(time)) => format!("{} ago", human::age(time, now)),
            _ => String::new(),
        };
        before = time.or(before);
        lines.push(TextLine {
            spans: vec![
                (Role::Faint, format!("● {at}  ")),
                (Role::Faint, format!("{step:<8}  ")),
                (role, safe(&what).into_owned()),
            ],
            ..TextLine::default()
        });
    }
}

/// The stack, the application's own frames standing out and those of libraries folded.
fn stack(failure: &Failure, lines: &mut Vec<TextLine>) {
    let Some(stack) = &failure.stack else { return };
    lines.push(TextLine::default());
    lines.push(TextLine::one(Role::Heading, "Stack"));
    let own = |line: &str| {
        failure.frames.iter().any(|frame| {
            let name = frame.split('(').next().unwrap_or(frame);
            !name.is_empty() && line.contains(name)
        })
    };
    let is_frame = |line: &str| {
        let line = line.trim_start();
        line.starts_with("at ") || line.starts_with("File \"") || line.starts_with("...")
    };
    let all: Vec<&str> = stack.lines().collect();
    let mut at = 0;
    while let Some(line) = all.get(at) {
        let shown = line.replace('\t', "    ");
        if is_frame(line) && !own(line) {
            let run = all.iter().skip(at).take_while(|line| is_frame(line) && !own(line)).count();
            if run >= FRAMES {
                let head = lines.len();
                let mut fold = TextLine::one(Role::Faint, &format!("    {run} frames of libraries"));
                (fold.end, fold.is_folded) = (Some(head + run + 1), true);
                lines.push(fold);
                lines.extend(
                    all.iter().skip(at).take(run).map(|line| TextLine::one(Role::Faint, &line.replace('\t', "    "))),
                );
                at += run;
                continue;
            }
        }
        let role = match (is_frame(line), own(line)) {
            (true, true) => Role::Name,
            (true, false) => Role::Faint,
            _ => Role::Plain,
        };
        lines.push(TextLine::one(role, &shown));
        at += 1;
    }
}

/// What a payload is, outermost first: `base64 › gzip › json`.
fn formats(view: &View) -> String {
    let formats: Vec<String> = view
        .steps
        .iter()
        .map(|step| {
            step.detail.as_ref().map_or_else(|| step.format.to_owned(), |detail| format!("{} ({detail})", step.format))
        })
        .chain(view.form.format().map(str::to_owned))
        .chain(view.labels.iter().map(|label| (*label).to_owned()))
        .collect();
    formats.join(" › ")
}

fn payload(message: &Message, rules: &Rules) -> Vec<TextLine> {
    let view = codec::view(message, rules.schemas());
    let size = human::size(message.body().len() as u64);
    let mut lines = vec![TextLine::one(Role::Faint, &format!("{} · {size}", formats(&view)))];
    lines.extend(view.stopped.iter().map(|why| TextLine::one(Role::Warning, &format!("decoding stopped: {why}"))));
    if message.payload.is_none() {
        return vec![TextLine::one(Role::Faint, "no payload (null)")];
    }
    if !write_form(&view, &mut lines) {
        lines.extend(hex(message.body()));
    }
    for (path, inside) in codec::nested(&view) {
        if lines.len() >= LINES {
            break;
        }
        lines.push(TextLine::default());
        lines.push(TextLine::one(Role::Faint, &format!("{path}: {}", formats(&inside))));
        lines
            .extend(inside.stopped.iter().map(|why| TextLine::one(Role::Warning, &format!("decoding stopped: {why}"))));
        write_form(&inside, &mut lines);
    }
    if lines.len() >= LINES {
        lines.push(TextLine::one(Role::Warning, "the rest is not shown: open it in the pager"));
    }
    lines
}

/// Appends what is left of a payload as JSON or text; whether it is either.
fn write_form(view: &View, lines: &mut Vec<TextLine>) -> bool {
    let json = view.form.json().and_then(|json| serde_json::from_slice::<Json>(json).ok());
    match (json, view.form.text()) {
        (Some(json), _) => {
            write_json(&json, "", "", lines);
            lines.truncate(LINES);
        }
        (None, Some(text)) => {
            lines.extend(text.lines().take(LINES).map(|line| TextLine::one(Role::Plain, &line.replace('\t', "    "))));
        }
        (None, None) => return false,
    }
    true
}

/// Appends a JSON value as indented lines; what spans several can be folded.
fn write_json(value: &Json, lead: &str, tail: &str, lines: &mut Vec<TextLine>) {
    let indent = " ".repeat(lead.len() - lead.trim_start().len());
    let name = |lead: &str| -> Vec<(Role, String)> {
        match lead.trim_start() {
            "" => vec![(Role::Plain, lead.to_owned())],
            name => vec![(Role::Field, format!("{indent}{}", safe(name)))],
        }
    };
    let leaf = |role: Role, text: &str| {
        let mut spans = name(lead);
        spans.push((role, safe(text).into_owned()));
        spans.push((Role::Plain, tail.to_owned()));
        TextLine { spans, ..TextLine::default() }
    };
    let (open, close, children): (&str, &str, Vec<(String, &Json)>) = match value {
        Json::Object(map) if !map.is_empty() => {
            let child = |(key, value)| (format!("{indent}  {}: ", Json::String(String::clone(key))), value);
            ("{", "}", map.iter().map(child).collect())
        }
        Json::Array(values) if !values.is_empty() => {
            ("[", "]", values.iter().map(|value| (format!("{indent}  "), value)).collect())
        }
        Json::String(_) => return lines.push(leaf(Role::Text, &value.to_string())),
        Json::Number(_) | Json::Bool(_) | Json::Null => return lines.push(leaf(Role::Number, &value.to_string())),
        _ => return lines.push(leaf(Role::Plain, &value.to_string())),
    };
    let head = lines.len();
    lines.push(leaf(Role::Plain, open));
    if let Some(line) = lines.get_mut(head) {
        line.spans.pop();
    }
    let count = children.len();
    for (at, (lead, child)) in children.into_iter().enumerate() {
        if lines.len() > LINES {
            return;
        }
        write_json(child, &lead, if at + 1 < count { "," } else { "" }, lines);
    }
    lines.push(TextLine { spans: vec![(Role::Plain, format!("{indent}{close}{tail}"))], ..TextLine::default() });
    let end = lines.len();
    if let Some(line) = lines.get_mut(head) {
        line.end = Some(end);
    }
}

fn hex(bytes: &[u8]) -> Vec<TextLine> {
    let shown = bytes.get(..HEX).unwrap_or(bytes);
    let line = |(at, row): (usize, &[u8])| {
        let digits: Vec<String> = row.iter().map(|byte| format!("{byte:02x}")).collect();
        let text: String =
            row.iter().map(|byte| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' }).collect();
        TextLine {
            spans: vec![
                (Role::Faint, format!("{:08x}  ", at * 16)),
                (Role::Plain, format!("{:<47}  ", digits.join(" "))),
                (Role::Text, text),
            ],
            ..TextLine::default()
        }
    };
    let mut lines: Vec<TextLine> = shown.chunks(16).enumerate().map(line).collect();
    if shown.len() < bytes.len() {
        lines
            .push(TextLine::one(Role::Faint, &format!("and {} more", human::size((bytes.len() - shown.len()) as u64))));
    }
    if lines.is_empty() {
        lines.push(TextLine::one(Role::Faint, "no bytes"));
    }
    lines
}

fn fields(message: &Message, rules: &Rules) -> Vec<TextLine> {
    let mut lines = Vec::new();
    if let Some(key) = key(message, rules.schemas()) {
        let view = codec::key_view(message, rules.schemas());
        let formats = view.map(|view| format!(" · {}", formats(&view))).unwrap_or_default();
        lines.push(TextLine::one(Role::Heading, &format!("Key{formats}")));
        lines.push(TextLine::one(Role::Plain, &format!("  {key}")));
    }
    let parts =
        [("Headers", &message.headers), ("Properties", &message.properties), ("Told by the broker", &message.metadata)];
    for (title, fields) in parts {
        if fields.is_empty() {
            continue;
        }
        lines.push(TextLine::one(Role::Heading, title));
        for (name, value) in fields {
            field(name, value, 2, &mut lines);
        }
    }
    if lines.is_empty() {
        lines.push(TextLine::one(Role::Faint, "neither key nor headers nor properties"));
    }
    lines
}

/// A header, a table or a list as lines of its own, a long text folded under its first line.
fn field(name: &str, value: &Value, indent: usize, lines: &mut Vec<TextLine>) {
    use crate::message::Amqp;
    let lead = (Role::Field, format!("{}{}: ", " ".repeat(indent), safe(name)));
    let head = lines.len();
    match value {
        Value::Amqp(Amqp::Table(fields)) => {
            lines.push(TextLine { spans: vec![lead, (Role::Faint, "table".to_owned())], ..TextLine::default() });
            fields.iter().for_each(|(name, value)| field(name, value, indent + 2, lines));
        }
        Value::Amqp(Amqp::Array(values)) => {
            lines.push(TextLine { spans: vec![lead, (Role::Faint, "list".to_owned())], ..TextLine::default() });
            values.iter().enumerate().for_each(|(at, value)| field(&at.to_string(), value, indent + 2, lines));
        }
        value => {
            let (role, text) = match (value.as_str(), value.as_i64(), value) {
                (Some(text), _, _) => (Role::Text, text.to_owned()),
                (None, Some(n), _) => (Role::Number, n.to_string()),
                (None, None, Value::Null) => (Role::Faint, "null".to_owned()),
                (None, None, Value::Bool(flag)) => (Role::Number, flag.to_string()),
                (None, None, Value::Bytes(bytes)) => {
                    (Role::Faint, format!("{} of binary data", human::size(bytes.len() as u64)))
                }
                _ => (Role::Plain, format!("{value:?}")),
            };
            let text = text.replace('\t', "    ");
            let mut texts = text.lines();
            let first = safe(texts.next().unwrap_or_default()).into_owned();
            lines.push(TextLine { spans: vec![lead, (role, first)], ..TextLine::default() });
            lines.extend(texts.map(|line| TextLine::one(role, &format!("{}{line}", " ".repeat(indent + 2)))));
        }
    }
    let end = lines.len();
    if end > head + 1
        && let Some(line) = lines.get_mut(head)
    {
        (line.end, line.is_folded) = (Some(end), end > head + 6);
    }
}

fn raw(bytes: &[u8]) -> Vec<TextLine> {
    let text = safe_lines(&String::from_utf8_lossy(bytes).replace('\t', "    "));
    let mut lines: Vec<TextLine> = text.lines().take(LINES).map(|line| TextLine::one(Role::Plain, line)).collect();
    if lines.is_empty() {
        lines.push(TextLine::one(Role::Faint, "no bytes"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(message: Message) -> Page {
        Page::of(message, &Masks::default(), Timestamp::UNIX_EPOCH, None, &Rules::default())
    }

    #[test]
    fn json_is_indented_and_folds() {
        let body = r#"{"a":{"b":[1,"x\u001b"],"c":{}},"d":null}"#;
        let page = page(Message { payload: Some(body.into()), ..Message::default() });
        let text = page.text(1);
        let want =
            "{\n  \"a\": {\n    \"b\": [\n      1,\n      \"x\\u001b\"\n    ],\n    \"c\": {}\n  },\n  \"d\": null\n}";
        assert!(text.ends_with(want), "{text}");
        let all = page.visible(1, &BTreeSet::new());
        // The object under `a` is one line when folded.
        let fold = page.tabs[1].iter().position(|line| line.text().contains("\"a\": {")).unwrap();
        assert_eq!(page.visible(1, &BTreeSet::from([fold])), all - 6);
    }

    #[test]
    fn the_frames_of_libraries_are_folded_and_the_own_stand_out() {
        let stack = "java.lang.NullPointerException: no currency\n\tat org.springframework.amqp.A.a(A.java:1)\n\tat \
                     org.springframework.amqp.B.b(B.java:2)\n\tat org.springframework.amqp.C.c(C.java:3)\n\tat \
                     com.shop.Pricing.price(Pricing.java:88)";
        let mut message = Message::default();
        message.headers.push("x-exception-message", "no currency");
        message.headers.push("x-exception-stacktrace", stack);
        let page = page(message);
        let shown: Vec<String> = page.shown(0, &BTreeSet::new()).iter().map(|at| page.tabs[0][*at].text()).collect();
        assert!(shown.iter().any(|line| line.contains("3 frames of libraries")), "{shown:?}");
        assert!(!shown.iter().any(|line| line.contains("B.java:2")));
        assert!(page.tabs[0].iter().any(|line| line.spans.first().is_some_and(|span| span.0 == Role::Name)
            && line.text().contains("Pricing.java:88")));
    }
}
