//! What the operator asks to be done, and the command line that does the same.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::state::KEYS;
use crate::broker::{Address, Connection};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::filter::parse_duration;
use crate::operation::drain::is_to_queue;
use crate::operation::groups::GroupSummary;
use crate::operation::offsets::To;
use crate::operation::options::value as option;
pub(crate) use crate::operation::options::{quote, selection};
use crate::operation::plan::{Aside, Pace};

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

/// A choice that is made or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Flag {
    /// The originals stay.
    Keep,
    /// Also what was replayed before.
    Again,
    /// Each record goes to the partition that it came from.
    SamePartition,
    /// The broker does it by itself.
    ServerSide,
    /// Messages that a return would destroy are put back as new copies.
    Rescue,
    /// The plan names every message, also where that takes a look it would do without.
    Exact,
    /// What vanishes soonest goes first.
    ExpiringFirst,
    /// What vanishes before its turn may.
    LetExpire,
    /// What does not fit its schema as edited goes all the same.
    SendMisfits,
    /// What may have been sent is sent again where its copy is not found.
    Doubtful,
}

impl Flag {
    /// The option that does the same, as a word behind others.
    pub(crate) const fn option(self) -> &'static str {
        match self {
            Self::Keep => " --keep",
            Self::Again => " --again",
            Self::SamePartition => " --same-partition",
            Self::ServerSide => " --server-side",
            Self::Rescue => " --rescue",
            Self::Exact => " --exact",
            Self::ExpiringFirst => " --expiring-first",
            Self::LetExpire => " --let-expire",
            Self::SendMisfits => " --send-misfits",
            Self::Doubtful => " --doubtful",
        }
    }
}

/// A verb with everything it needs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Act {
    pub(crate) verb: ActVerb,
    pub(crate) address: Address,
    pub(crate) filter: Option<String>,
    pub(crate) group: Option<String>,
    /// Where messages go: `origin` or an address for a replay, `file:PATH` or an address for a drain, `file:PATH` for a
    /// capture.
    pub(crate) to: String,
    /// How many messages at most, the first that match.
    pub(crate) limit: Option<u64>,
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
    /// Why messages are moved to another queue, written into each.
    pub(crate) reason: Option<String>,
    /// Queues that an undo looks in beyond those that the journal knows.
    pub(crate) also: Vec<String>,
    /// The jq program that changes each message, for a replay.
    pub(crate) edit: Option<String>,
    pub(crate) flags: BTreeSet<Flag>,
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
            to: "origin".to_owned(),
            limit: None,
            rate: None,
            ramp: Vec::new(),
            verify: None,
            max_in_flight: None,
            per_key: None,
            max_failures: None,
            max_replays: None,
            park: None,
            reason: None,
            also: Vec::new(),
            edit: None,
            flags: BTreeSet::new(),
            marked: 0,
            message: None,
        }
    }

    pub(crate) fn has(&self, flag: Flag) -> bool {
        self.flags.contains(&flag)
    }

    /// The same act as it became by a choice. What was agreed to is what was seen: another edit or pace is seen first.
    pub(crate) fn agreed_to_by(mut self, before: &Self) -> Self {
        if self.edit != before.edit {
            self.flags.remove(&Flag::SendMisfits);
        }
        if self.pace() != before.pace() {
            self.flags.remove(&Flag::LetExpire);
        }
        self
    }

    /// Whether a run of it can be resumed.
    pub(crate) fn has_journal(&self) -> bool {
        !matches!(self.verb, ActVerb::Capture | ActVerb::Publish | ActVerb::Offsets(_)) && !self.has(Flag::ServerSide)
    }

    /// Whether it is a drain to another queue, and not to an archive.
    pub(crate) fn is_to_queue(&self) -> bool {
        self.verb == ActVerb::Drain && is_to_queue(&self.to)
    }

    /// Whether all messages are meant, as they are: what a broker can do by itself, to a target and at a rate.
    pub(crate) fn is_whole(&self) -> bool {
        let Self { verb, address, to, rate, flags, .. } = self.clone();
        flags.iter().all(|flag| *flag == Flag::ServerSide)
            && Self { to, rate, flags, ..Self::new(verb, address) } == *self
    }

    /// The verb for people.
    pub(crate) fn name(&self) -> &'static str {
        match self.verb {
            ActVerb::Replay if self.has(Flag::Keep) => "copy",
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
        let limit = self.limit.map_or_else(String::new, |most| format!(" --limit {most}"));
        let flags: String = self.flags.iter().map(|flag| flag.option()).collect();
        match &self.verb {
            ActVerb::Replay => {
                let to = if self.to == "origin" { String::new() } else { option("to", Some(&shown(&self.to))) };
                let edit = option("edit", self.edit.as_ref());
                let (pace, aside) = (self.pace().typed(), self.aside().typed());
                format!("postroom replay {address}{to}{chosen}{limit}{edit}{pace}{aside}{flags}")
            }
            ActVerb::Drain => {
                let to = option("to", Some(&shown(&self.to)));
                let reason = option("reason", self.reason.as_ref().filter(|_| self.is_to_queue()));
                format!("postroom drain {address}{to}{chosen}{limit}{reason}{flags}")
            }
            ActVerb::Discard => format!("postroom drain {address} --discard{chosen}{limit}{flags}"),
            ActVerb::Capture => format!("postroom capture {address}{}{chosen}", option("to", Some(&shown(&self.to)))),
            ActVerb::Publish => {
                format!("postroom publish {address}{}", self.message.as_deref().map_or_else(String::new, options))
            }
            ActVerb::Resume(id) => format!("postroom journal resume {}{flags}", quote(id)),
            ActVerb::Undo(id) => {
                let also: String = self.also.iter().map(|address| option("in", Some(&shown(address)))).collect();
                format!("postroom journal undo {}{also}", quote(id))
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

    /// How fast, and what is watched; what goes first is a flag.
    pub(crate) fn pace(&self) -> Pace {
        Pace {
            rate: self.rate,
            ramp: self.ramp.clone(),
            verify_s: self.verify.as_deref().and_then(parse_duration).map(|time| time.as_secs_f64()),
            max_in_flight: self.max_in_flight,
            per_key: self.per_key.clone(),
            max_failures: self.max_failures,
            ..Pace::default()
        }
    }

    /// What is not sent again.
    fn aside(&self) -> Aside {
        let park = self.park.as_deref().filter(|_| self.max_replays.is_some()).map(shown);
        Aside { max_replays: self.max_replays, park, reason: None }
    }
}

/// An address as it may be shown: a URL without its password.
fn shown(text: &str) -> String {
    text.parse::<Address>().map_or_else(|_| text.to_owned(), |address| address.to_string())
}

/// Where a drain goes, as typed: the name of a new archive, or the address of a queue.
///
/// # Errors
/// `Usage` for what is neither.
pub(crate) fn drain_target(text: &str) -> Result<String> {
    match text.trim().parse::<Address>() {
        Ok(Address { connection, target: Some(_) }) if connection != Connection::File => Ok(text.trim().to_owned()),
        _ => archive_name(text).ok_or_else(|| {
            Error::new(
                ErrorKind::Usage,
                format!("{text:?} is neither the name of an archive nor the address of a queue"),
            )
            .hint("an archive is PATH.jsonl or PATH.jsonl.zst; a queue is PROFILE:QUEUE or a URL")
        }),
    }
}

/// The address of a new archive, of its name as typed.
///
/// # Errors
/// `Usage` for a name with another end.
pub(crate) fn archive(text: &str) -> Result<String> {
    archive_name(text).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{text:?} is no name for an archive"))
            .hint("an archive is PATH.jsonl or PATH.jsonl.zst")
    })
}

fn archive_name(text: &str) -> Option<String> {
    let path = text.trim().strip_prefix("file:").unwrap_or(text.trim());
    let named = [".jsonl", ".jsonl.zst"].iter().any(|end| path.ends_with(end) && path.len() > end.len());
    named.then(|| format!("file:{path}"))
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

/// What finds groups again that were made by a key: the groups' names for failures, a filter for any other key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Again {
    Groups(String),
    Filter(String),
}

impl Again {
    /// What finds some groups again; `None` where there is none, or where what the key is made of is hidden.
    pub(crate) fn of(by: &str, groups: &[&GroupSummary]) -> Option<Self> {
        if groups.is_empty() {
            return None;
        }
        if by == KEYS[0] {
            let names: Vec<&str> = groups.iter().map(|group| group.name.as_str()).collect();
            return Some(Self::Groups(names.join(",")));
        }
        let filters: Option<Vec<String>> = groups.iter().map(|group| field_filter(by, group)).collect();
        filters.map(|filters| Self::Filter(filters.join(" or ")))
    }
}

/// The filter that finds a group again, for keys that are fields.
fn field_filter(by: &str, group: &GroupSummary) -> Option<String> {
    let [part] = group.key.as_slice() else { return None };
    // What a profile hides is shown as something else, which no message has.
    if !group.is_shown_as_it_is() {
        return None;
    }
    if part.name == "without" {
        return Some(format!("-{by}:*"));
    }
    let value = &part.value;
    if KEYS.contains(&by) {
        return (part.name == by).then(|| format!("{by}={}", quoted(value)));
    }
    // A number equals any that has its value, and a quoted text only texts; a group is those that are written alike.
    let is_number = value.parse::<f64>().is_ok();
    let is_word = !value.is_empty() && value.chars().all(|c| c.is_alphanumeric() || "-_./@".contains(c));
    let of_message = ["body", "key", "header.", "property."].iter().any(|name| by.starts_with(name));
    Some(match () {
        () if is_word && !(is_number && of_message) => format!("{by}={value}"),
        () if is_number || value.starts_with(['{', '[']) => format!("{by}~{}", quoted(&exactly(value))),
        () => format!("{by}={}", quoted(value)),
    })
}

/// The regex that matches a text and no other.
fn exactly(text: &str) -> String {
    let literal = text.chars().fold(String::new(), |mut out, c| {
        if r"\.+*?()|[]{}^$#&-~".contains(c) {
            out.push('\\');
        }
        out.push(c);
        out
    });
    format!("^{literal}$")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            limit: Some(50),
            edit: Some(".body.currency = \"EUR\"".into()),
            flags: [Flag::Rescue, Flag::Keep, Flag::SamePartition].into(),
            to: "shop:quarantine".into(),
            ..Act::new(ActVerb::Replay, address.clone())
        };
        assert_eq!(
            act.line(),
            "postroom replay shop:orders.dlq --to shop:quarantine --filter 'reason:\"card declined\"' \
             --group g-5f3a9c --limit 50 --edit '.body.currency = \"EUR\"' --rate 20 --ramp=1,5 --verify 30s \
             --max-in-flight 10 --per-key=body.order.id --max-failures 5 --max-replays 3 --park shop:parked \
             --keep --same-partition --rescue"
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
        let drain = |to: &str| Act {
            to: drain_target(to).unwrap(),
            reason: Some("poison".into()),
            ..Act::new(ActVerb::Drain, address.clone())
        };
        assert_eq!(drain("o'h.jsonl").line(), r"postroom drain shop:orders.dlq --to 'file:o'\''h.jsonl'");
        assert_eq!(
            drain("amqp://me:geheim@h/%2f/parked").line(),
            "postroom drain shop:orders.dlq --to amqp://me@h/%2F/parked --reason poison"
        );
        assert_eq!(Act::new(ActVerb::Discard, address).line(), "postroom drain shop:orders.dlq --discard");
    }

    #[test]
    fn a_drain_goes_to_an_archive_or_a_queue_and_nowhere_else() {
        assert_eq!(drain_target(" a/b.jsonl.zst ").unwrap(), "file:a/b.jsonl.zst");
        assert_eq!(drain_target("file:b.jsonl").unwrap(), "file:b.jsonl");
        assert_eq!(drain_target("shop:parked").unwrap(), "shop:parked");
        for text in ["", "orders", "file:b.txt", ".jsonl", "backup.json"] {
            assert!(drain_target(text).unwrap_err().hint_text().unwrap().contains("PROFILE:QUEUE"), "{text}");
        }
        assert!(archive("shop:parked").is_err());
    }

    #[test]
    fn only_a_whole_queue_is_a_broker_s_own_business() {
        let whole = Act::new(ActVerb::Replay, "aws:dlq".parse().unwrap());
        let moved = Act { to: "aws:q".into(), rate: Some(5.0), flags: [Flag::ServerSide].into(), ..whole.clone() };
        assert!(whole.is_whole() && moved.is_whole());
        assert!(!Act { flags: [Flag::Keep].into(), ..whole.clone() }.is_whole());
        assert!(!Act { filter: Some("a".into()), ..whole.clone() }.is_whole());
        assert!(!Act { limit: Some(1), ..whole }.is_whole());
    }
}
