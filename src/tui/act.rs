//! What the operator asks to be done, and the command line that does the same.

use jiff::Timestamp;
use ratatui_textarea::TextArea;

use super::state::KEYS;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Fields, Message};
use crate::operation::groups::GroupSummary;
use crate::operation::offsets::To;
use crate::operation::publish::property;

/// So many marked messages make a filter of their ids at most.
pub(crate) const MOST_MARKS: usize = 200;

/// A verb that writes, or makes an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActVerb {
    Replay,
    Drain,
    /// Drain without a copy.
    Discard,
    Capture,
    Publish,
    /// Finish the run of that journal.
    Resume(String),
    /// Take the run of that journal back.
    Undo(String),
    /// Move a consumer group's place in a topic.
    Offsets(Box<Reset>),
}

/// Which place is moved, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reset {
    pub(crate) group: String,
    /// Only this partition.
    pub(crate) partition: Option<i32>,
    /// As typed: a place for `--to`, or `PARTITION:OFFSET` for `--after`.
    pub(crate) to: String,
}

impl Reset {
    /// Where to.
    ///
    /// # Errors
    /// `Usage`.
    pub(crate) fn place(&self, now: Timestamp) -> Result<To> {
        if self.is_after() { To::after(&self.to) } else { To::parse(&self.to, now) }
    }

    /// Whether a message is named, and not a place. A time has colons, too, but no bare number before the first.
    fn is_after(&self) -> bool {
        self.to
            .split_once(':')
            .is_some_and(|(partition, offset)| [partition, offset].iter().all(|part| part.parse::<u64>().is_ok()))
    }
}

/// A verb with everything it needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Act {
    pub(crate) verb: ActVerb,
    pub(crate) address: Address,
    pub(crate) filter: Option<String>,
    pub(crate) group: Option<String>,
    /// The archive, for a drain and a capture.
    pub(crate) path: String,
    /// `origin` or an address, for a replay.
    pub(crate) to: String,
    pub(crate) rate: Option<f64>,
    /// The sizes of the first steps of a ramp; empty for none.
    pub(crate) ramp: Vec<u64>,
    /// For how long copies are watched, as typed.
    pub(crate) verify: Option<String>,
    /// How many copies are sent and not confirmed at most, or with a watch not consumed.
    pub(crate) max_in_flight: Option<u64>,
    /// The field whose messages go one after the other.
    pub(crate) per_key: Option<String>,
    /// After how many failures the run stops by itself.
    pub(crate) max_failures: Option<u64>,
    /// How often a message is replayed at most, and where those go that were.
    pub(crate) max_replays: Option<u64>,
    pub(crate) park: Option<String>,
    /// Messages that a return would destroy are put back as new copies.
    pub(crate) rescue: bool,
    /// Queues that an undo looks in beyond those that the journal knows.
    pub(crate) also: Vec<String>,
    /// The jq program that changes each message, for a replay.
    pub(crate) edit: Option<String>,
    pub(crate) keep: bool,
    pub(crate) again: bool,
    /// How many messages were marked, where they were picked one by one.
    pub(crate) marked: usize,
    /// What is published.
    pub(crate) message: Option<Box<Message>>,
}

impl Act {
    pub(crate) fn new(verb: ActVerb, address: Address) -> Self {
        Self {
            verb,
            address,
            filter: None,
            group: None,
            path: String::new(),
            to: "origin".to_owned(),
            rate: None,
            ramp: Vec::new(),
            verify: None,
            max_in_flight: None,
            per_key: None,
            max_failures: None,
            max_replays: None,
            park: None,
            rescue: false,
            also: Vec::new(),
            edit: None,
            keep: false,
            again: false,
            marked: 0,
            message: None,
        }
    }

    /// Whether a run of it can be resumed.
    pub(crate) fn has_journal(&self) -> bool {
        !matches!(self.verb, ActVerb::Capture | ActVerb::Publish | ActVerb::Offsets(_))
    }

    /// The verb for people.
    pub(crate) fn name(&self) -> &'static str {
        match self.verb {
            ActVerb::Replay if self.keep => "copy",
            ActVerb::Replay => "replay",
            ActVerb::Drain => "drain",
            ActVerb::Discard => "purge",
            ActVerb::Capture => "capture",
            ActVerb::Publish => "publish",
            ActVerb::Resume(_) => "resume",
            ActVerb::Undo(_) => "undo",
            ActVerb::Offsets(_) => "reset",
        }
    }

    /// The command line that does the same.
    pub(crate) fn line(&self) -> String {
        let address = quote(&self.address.to_string());
        let chosen = selection(self.filter.as_ref(), self.group.as_ref());
        let archive = || format!(" --to {}", quote(&format!("file:{}", self.path)));
        let rescue = if self.rescue { " --rescue" } else { "" };
        match &self.verb {
            ActVerb::Replay => {
                let to = if self.to == "origin" { String::new() } else { format!(" --to {}", quote(&self.to)) };
                let pace = self.pace();
                let keep = if self.keep { " --keep" } else { "" };
                let again = if self.again { " --again" } else { "" };
                let edit = self.edit.as_ref().map_or_else(String::new, |edit| format!(" --edit {}", quote(edit)));
                format!("postroom replay {address}{to}{chosen}{edit}{keep}{again}{pace}{rescue}")
            }
            ActVerb::Drain => format!("postroom drain {address}{}{chosen}{rescue}", archive()),
            ActVerb::Discard => format!("postroom drain {address} --discard{chosen}{rescue}"),
            ActVerb::Capture => format!("postroom capture {address}{}{chosen}", archive()),
            ActVerb::Publish => {
                format!("postroom publish {address}{}", self.message.as_deref().map_or_else(String::new, options))
            }
            ActVerb::Resume(id) => format!("postroom journal resume {}{rescue}", quote(id)),
            ActVerb::Undo(id) => {
                let also = self.also.iter().flat_map(|address| [" --in ".to_owned(), quote(address)]);
                format!("postroom journal undo {}{}", quote(id), also.collect::<String>())
            }
            ActVerb::Offsets(reset) => {
                let option = if reset.is_after() { "after" } else { "to" };
                let partition = reset.partition.filter(|_| !reset.is_after());
                let partition = partition.map_or_else(String::new, |partition| format!(" --partition {partition}"));
                format!(
                    "postroom offsets reset {address} --group {} --{option} {}{partition}",
                    quote(&reset.group),
                    quote(&reset.to)
                )
            }
        }
    }

    /// How fast, what is watched, and what is not sent again, as options.
    fn pace(&self) -> String {
        let mut line = self.rate.map_or_else(String::new, |rate| format!(" --rate {rate}"));
        if !self.ramp.is_empty() {
            let steps: Vec<String> = self.ramp.iter().map(u64::to_string).collect();
            line.extend([" --ramp=", &steps.join(",")]);
        }
        if let Some(time) = &self.verify {
            line.extend([" --verify ", &quote(time)]);
        }
        if let Some(most) = self.max_in_flight {
            line.extend([" --max-in-flight ", &most.to_string()]);
        }
        if let Some(field) = &self.per_key {
            line.extend([" --per-key=", &quote(field)]);
        }
        if let Some(most) = self.max_failures {
            line.extend([" --max-failures ", &most.to_string()]);
        }
        if let Some(most) = self.max_replays {
            line.extend([" --max-replays ", &most.to_string()]);
        }
        if let Some(park) = self.park.as_ref().filter(|_| self.max_replays.is_some()) {
            line.extend([" --park ", &quote(park)]);
        }
        line
    }
}

/// A message as the options of `postroom publish`.
fn options(message: &Message) -> String {
    let mut line = String::new();
    if let Some(key) = &message.key {
        line.extend([" --key ", &quote(&String::from_utf8_lossy(key))]);
    }
    for (option, fields) in [("header", &message.headers), ("property", &message.properties)] {
        for (name, value) in fields {
            let value = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()));
            line.extend([" --", option, " ", &quote(&format!("{name}={}", value.unwrap_or_default()))]);
        }
    }
    line + &format!(" --body {}", quote(&String::from_utf8_lossy(message.body())))
}

pub(crate) fn selection(filter: Option<&String>, group: Option<&String>) -> String {
    let filter = filter.map_or_else(String::new, |filter| format!(" --filter {}", quote(filter)));
    let group = group.map_or_else(String::new, |group| format!(" --group {}", quote(group)));
    filter + &group
}

/// A word as a shell reads it.
pub(crate) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%,+=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// A text as a filter takes it.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The filter that finds messages again by their ids.
pub(crate) fn ids(ids: &[String]) -> String {
    ids.iter().map(|id| format!("id={}", quoted(id))).collect::<Vec<_>>().join(" or ")
}

/// Two filters as one.
pub(crate) fn both(one: Option<&String>, other: &str) -> String {
    one.map_or_else(|| other.to_owned(), |one| format!("({one}) ({other})"))
}

/// The filter that finds a group again, for keys that are fields.
pub(crate) fn field_filter(by: usize, group: &GroupSummary) -> Option<String> {
    let name = KEYS.get(by).filter(|name| ["class", "origin"].contains(*name))?;
    let value = group.key.first().filter(|part| part.name == *name)?;
    Some(format!("{name}={}", quoted(&value.value)))
}

/// A message that is written: lines of names and values, an empty line, the body.
#[derive(Debug)]
pub(crate) struct Compose {
    pub(crate) area: TextArea<'static>,
}

impl Compose {
    /// The form for a new message.
    pub(crate) fn new(to: &Address) -> Self {
        Self::of_text(&format!("to: {to}\nproperty.content_type: application/json\n\n{{}}"))
    }

    /// The form for a copy of a message; the original stays. What has no text is left out, and said so.
    pub(crate) fn of(message: &Message, to: &str) -> Self {
        let mut text = format!("to: {to}\n");
        let mut left_out = Vec::new();
        match message.key.as_deref().map(std::str::from_utf8) {
            Some(Ok(key)) if !key.contains('\n') => text.extend(["key: ", key, "\n"]),
            Some(_) => left_out.push("key".to_owned()),
            None => {}
        }
        for (kind, fields) in [("header", &message.headers), ("property", &message.properties)] {
            for (name, value) in fields {
                let value = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()));
                match value.filter(|value| !value.contains('\n')) {
                    Some(value) => text.extend([kind, ".", name, ": ", &value, "\n"]),
                    None => left_out.push(format!("{kind}.{name}")),
                }
            }
        }
        for name in left_out {
            text.extend(["# ", &name, " is left out: it is no line of text\n"]);
        }
        text.push('\n');
        match std::str::from_utf8(message.body()) {
            Ok(body) => text += body,
            Err(_) => text += "# the body is binary: capture it, or name a file with `postroom publish --file`",
        }
        Self::of_text(&text)
    }

    pub(crate) fn of_text(text: &str) -> Self {
        let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
        area.set_cursor_line_style(ratatui::style::Style::new());
        Self { area }
    }

    pub(crate) fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// What is written, as an act.
    ///
    /// # Errors
    /// `Usage`, naming the line that can't be read.
    pub(crate) fn act(&self) -> Result<Act> {
        parse(&self.text())
    }
}

fn parse(text: &str) -> Result<Act> {
    let bad = |number: usize, what: &str| {
        Error::new(ErrorKind::Usage, format!("line {number}: {what}"))
            .hint("write to:, key:, header.NAME: and property.NAME: lines, an empty line, and the body")
    };
    let (head, body) = match text.split_once("\n\n") {
        Some((head, body)) => (head, Some(body)),
        None => (text, None),
    };
    let mut to = None;
    let mut message =
        Message { payload: Some(bytes::Bytes::from(body.unwrap_or_default().to_owned())), ..Message::default() };
    let mut properties = Vec::new();
    for (at, line) in head.lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // A name may have colons, as addresses do; a value begins behind the first one with a space.
        let (name, value) = line
            .split_once(": ")
            .or_else(|| line.strip_suffix(':').map(|name| (name, "")))
            .ok_or_else(|| bad(number, "there is no `: ` behind a name"))?;
        match name.trim() {
            "to" => to = Some(value.trim().parse::<Address>()?),
            "key" => message.key = Some(bytes::Bytes::from(value.to_owned())),
            name => match name.split_once('.') {
                Some(("header", name)) if !name.is_empty() => message.headers.push(name, value),
                Some(("property", name)) if !name.is_empty() => properties.push(property(name, value)?),
                _ => return Err(bad(number, &format!("{name:?} is no part of a message"))),
            },
        }
    }
    message.properties = properties.into_iter().collect::<Fields>();
    let to = to.ok_or_else(|| bad(1, "there is no `to: ADDRESS`"))?;
    Ok(Act { message: Some(Box::new(message)), ..Act::new(ActVerb::Publish, to) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Value;

    #[test]
    fn every_act_has_its_command_line() {
        let address: Address = "shop:orders.dlq".parse().unwrap();
        let act = Act {
            filter: Some("reason:\"card declined\"".into()),
            group: Some("g-5f3a9c".into()),
            rate: Some(20.0),
            ramp: vec![1, 5],
            verify: Some("30s".into()),
            max_in_flight: Some(10),
            per_key: Some("body.order.id".into()),
            max_failures: Some(5),
            max_replays: Some(3),
            park: Some("shop:parked".into()),
            rescue: true,
            edit: Some(".body.currency = \"EUR\"".into()),
            keep: true,
            to: "shop:quarantine".into(),
            ..Act::new(ActVerb::Replay, address.clone())
        };
        assert_eq!(
            act.line(),
            "postroom replay shop:orders.dlq --to shop:quarantine --filter 'reason:\"card declined\"' \
             --group g-5f3a9c --edit '.body.currency = \"EUR\"' --keep --rate 20 --ramp=1,5 --verify 30s \
             --max-in-flight 10 --per-key=body.order.id --max-failures 5 --max-replays 3 --park shop:parked --rescue"
        );
        let undo = Act { also: vec!["shop:a b".into()], ..Act::new(ActVerb::Undo("x".into()), address.clone()) };
        assert_eq!(undo.line(), "postroom journal undo x --in 'shop:a b'");
        let reset = |to: &str, partition| {
            let reset = Reset { group: "g 1".into(), partition, to: to.into() };
            Act::new(ActVerb::Offsets(Box::new(reset)), address.clone()).line()
        };
        let line = "postroom offsets reset shop:orders.dlq --group 'g 1'";
        assert_eq!(reset("-5", Some(2)), format!("{line} --to -5 --partition 2"));
        assert_eq!(reset("2026-03-02T10:11:12Z", None), format!("{line} --to 2026-03-02T10:11:12Z"));
        assert_eq!(reset("2:17", Some(2)), format!("{line} --after 2:17"));
        let drain = Act { path: "o'h.jsonl".into(), ..Act::new(ActVerb::Drain, address.clone()) };
        assert_eq!(drain.line(), r"postroom drain shop:orders.dlq --to 'file:o'\''h.jsonl'");
        assert_eq!(Act::new(ActVerb::Discard, address).line(), "postroom drain shop:orders.dlq --discard");
    }

    #[test]
    fn a_written_message_reads_back_and_what_can_t_be_written_is_named() {
        let mut message =
            Message { key: Some("order-17".into()), payload: Some("{\n\n}".into()), ..Message::default() };
        message.headers.push("tenant", "acme: a");
        message.headers.push("odd", Value::Null);
        message.properties.push("content_type", "application/json");
        let act = Compose::of(&message, "shop:orders").act().unwrap();
        assert_eq!(act.address.to_string(), "shop:orders");
        let read = act.message.clone().unwrap();
        assert_eq!((read.key.as_deref(), read.body()), (Some(&b"order-17"[..]), &b"{\n\n}"[..]));
        assert_eq!(read.headers.get_str("tenant"), Some("acme: a"));
        assert!(Compose::of(&message, "shop:orders").text().contains("# header.odd is left out"));
        assert_eq!(
            act.line(),
            "postroom publish shop:orders --key order-17 --header 'tenant=acme: a' \
             --property content_type=application/json --body '{\n\n}'"
        );
        for (text, what) in
            [("key: a\n\n", "there is no `to"), ("to: a:b\nnonsense\n\n", "line 2"), ("to: a:b\nx: y", "\"x\"")]
        {
            assert!(parse(text).unwrap_err().to_string().contains(what), "{text}");
        }
    }
}
