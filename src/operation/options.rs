//! Options as they are typed: those that a run was begun with, for its journal, and those of the screens' command lines.
//!
//! Limits: what payloads are read with (schemas, registries) and the rules for grouping are no part of them.

use serde::Serialize;

use super::journal::{Head, Summary};
use super::plan::{Aside, Mode, Pace, Verb};

/// What a run was begun with, beside its filter and group.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
pub struct Options {
    /// Whether each message was named before the run.
    pub mode: Mode,
    /// How many matching messages at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The source was to keep its messages.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub keep: bool,
    /// Also messages that were replayed before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Messages that a return would destroy may be put back as new copies.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rescue: bool,
    /// Each message goes to the partition it came from.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub same_partition: bool,
    /// The jq program that changes the messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    /// What it makes goes also where it does not fit its schema.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub send_misfits: bool,
    /// What is set aside, and why.
    #[serde(skip_serializing_if = "Aside::is_none")]
    pub aside: Aside,
    /// How fast, what is watched, and what goes first.
    pub pace: Pace,
}

impl Options {
    /// Those in a journal's head.
    pub(super) fn of(head: &Head) -> Self {
        Self {
            mode: head.mode,
            limit: head.limit,
            // A log keeps its records whether that was asked for or not; what a run handles of it was not to stay.
            keep: head.keep && head.handles.is_none(),
            again: head.again,
            rescue: head.rescue,
            same_partition: head.same_partition,
            edit: head.edit.clone(),
            send_misfits: head.send_misfits,
            aside: head.aside.clone(),
            pace: head.pace.clone(),
        }
    }
}

impl Summary {
    /// The options that its run was begun with, as they are typed; empty without any. An undo has none of its own.
    #[must_use]
    pub fn typed(&self) -> String {
        if self.verb == Verb::Undo {
            return String::new();
        }
        let Options { limit, keep, again, rescue, same_partition, edit, send_misfits, aside, pace, .. } = &self.options;
        let flag = |set: bool, name: &str| if set { format!(" --{name}") } else { String::new() };
        let typed = [
            selection(self.filter.as_ref(), self.group.as_ref()),
            value("limit", limit.map(|most| most.to_string()).as_ref()),
            value("edit", edit.as_ref()),
            pace.typed(),
            aside.typed(),
            flag(*keep, "keep"),
            flag(*again, "again"),
            flag(*same_partition, "same-partition"),
            flag(*rescue, "rescue"),
            flag(*send_misfits, "send-misfits"),
        ];
        typed.concat().trim_start().to_owned()
    }
}

impl Pace {
    /// The options that say it.
    pub(crate) fn typed(&self) -> String {
        let mut line = value("rate", self.rate.map(|rate| rate.to_string()).as_ref());
        if !self.ramp.is_empty() {
            let steps: Vec<String> = self.ramp.iter().map(u64::to_string).collect();
            line.extend([" --ramp=", &steps.join(",")]);
        }
        line += &value("verify", self.verify_s.map(time).as_ref());
        line += &value("max-in-flight", self.max_in_flight.map(|most| most.to_string()).as_ref());
        if let Some(field) = &self.per_key {
            line.extend([" --per-key=", &quote(field)]);
        }
        line += &value("max-failures", self.max_failures.map(|most| most.to_string()).as_ref());
        for (is_set, option) in [(self.expiring_first, " --expiring-first"), (self.let_expire, " --let-expire")] {
            line += if is_set { option } else { "" };
        }
        line
    }
}

impl Aside {
    /// The options that say it.
    pub(crate) fn typed(&self) -> String {
        let Some(most) = self.max_replays else { return value("reason", self.reason.as_ref()) };
        let park = value("park", self.park.as_ref());
        format!(" --max-replays {most}{park}{}", value("reason", self.reason.as_ref()))
    }
}

/// A time in the largest unit that says it whole.
fn time(seconds: f64) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time is above 0, and short")]
    let millis = (seconds * 1000.0).round() as u64;
    match millis {
        n if n % 60_000 == 0 => format!("{}m", n / 60_000),
        n if n % 1000 == 0 => format!("{}s", n / 1000),
        n => format!("{n}ms"),
    }
}

/// An option with its value, where there is one.
pub(crate) fn value(name: &str, value: Option<&String>) -> String {
    value.map_or_else(String::new, |value| format!(" --{name} {}", quote(value)))
}

/// What selects messages, as options; of several groups each is one.
pub(crate) fn selection(filter: Option<&String>, group: Option<&String>) -> String {
    let groups = group.into_iter().flat_map(|group| group.split(','));
    groups.fold(value("filter", filter), |line, group| line + " --group " + &quote(group.trim()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::filter::parse_duration;

    #[test]
    fn a_time_is_typed_as_it_is_read() {
        for (seconds, typed) in [(120.0, "2m"), (90.0, "90s"), (1.5, "1500ms"), (0.25, "250ms")] {
            assert_eq!(time(seconds), typed);
            assert_eq!(parse_duration(typed), std::time::Duration::try_from_secs_f64(seconds).ok());
        }
    }

    #[test]
    fn what_is_parked_or_has_a_reason_is_typed_with_it() {
        let parked = Aside { max_replays: Some(3), park: Some("shop:parked".into()), reason: None };
        assert_eq!(parked.typed(), " --max-replays 3 --park shop:parked");
        let moved = Aside { reason: Some("it's poison".into()), ..Aside::default() };
        assert_eq!(moved.typed(), r" --reason 'it'\''s poison'");
    }
}
