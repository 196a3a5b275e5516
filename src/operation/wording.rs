//! What plans and reports say to people, in one wording for every front end.

use std::borrow::Cow;

use super::drain::{DISCARD, is_to_queue};
use super::plan::{Destination, HeaderPolicy, Mode, Plan, Verb};
use super::report::{Ended, Report};
use super::select::told_groups;
use super::verify::VerifiedGroup;
use crate::text::human;

/// What is said where no message was taken and groups alone decided which: their ids may be of another queue, or of
/// another version, whose rules differ.
pub(super) fn no_members(filter: Option<&str>, group: Option<&str>, source: &str) -> Option<String> {
    let groups = told_groups(group.filter(|_| filter.is_none())?, str::to_owned);
    Some(format!("no message is in {groups}: `postroom groups {source}` names those there are"))
}

/// Groups of which is said what an edit does to them.
const EDITED: usize = 8;

impl Plan {
    /// What is done to how many messages of which queue.
    #[must_use]
    pub fn headline(&self) -> String {
        let at_most = self.mode == Mode::Streaming && (self.filter.is_some() || self.group.is_some());
        let count = match (self.planned, self.verb) {
            (0, Verb::Publish) => "the messages of the input".to_owned(),
            (n, _) if self.scanned > n => format!("{} of {}", human::count(n), human::messages(self.scanned)),
            (n, _) => human::messages(n),
        };
        let count = match (at_most, self.estimated) {
            (false, false) => count,
            (true, false) => format!("at most {count}"),
            (_, true) => format!("about {count}"),
        };
        let (verb, keeps) = match self.verb {
            Verb::Publish => return format!("Publish {count}"),
            Verb::Replay if self.keep => ("Copy", "; the queue keeps them"),
            Verb::Replay => ("Replay", ""),
            Verb::Drain if self.drops_copies() => ("Drop", "; they are copies, and their originals stay"),
            Verb::Drain if self.to == DISCARD => ("Drop", " without a copy"),
            Verb::Drain => ("Drain", ""),
            Verb::Capture => ("Copy", "; the queue keeps them"),
            Verb::Undo if self.keep && is_to_queue(&self.source) => ("Put back", "; the log keeps them"),
            Verb::Undo if self.keep => ("Put back", "; the archive keeps them"),
            Verb::Undo => ("Put back", ""),
        };
        let which = match (&self.filter, &self.group) {
            (None, None) => String::new(),
            (Some(filter), None) => format!(" that match {filter}"),
            (None, Some(group)) => format!(", {}", told_groups(group, str::to_owned)),
            (Some(filter), Some(group)) => format!(", {}, that match {filter}", told_groups(group, str::to_owned)),
        };
        format!("{verb} {count} in {}{which}{keeps}", self.source)
    }

    /// Whether it drops the copies of a run whose originals are in its source.
    fn drops_copies(&self) -> bool {
        self.to == DISCARD && self.undoes.is_some()
    }

    /// How many messages go to a destination, as people say it.
    #[must_use]
    pub fn count_to(&self, to: &Destination) -> String {
        let about = if self.estimated { "about " } else { "" };
        to.messages.map_or_else(|| "?".to_owned(), |count| format!("{about}{}", human::count(count)))
    }

    /// Why messages that matched stay, and how many for each reason, in the order met.
    #[must_use]
    pub fn reasons_to_stay(&self) -> Vec<(&str, u64)> {
        let mut reasons: Vec<(&str, u64)> = Vec::new();
        for skipped in &self.skipped {
            match reasons.iter_mut().find(|(why, _)| *why == skipped.why) {
                Some((_, count)) => *count += 1,
                None => reasons.push((&skipped.why, 1)),
            }
        }
        reasons
    }

    /// How it is done and what it changes, name by name, in reading order.
    #[must_use]
    pub fn entries(&self) -> Vec<(&'static str, String)> {
        let mut entries = Vec::new();
        let mut entry = |name: &'static str, value: String| entries.push((name, value));
        let policy = &self.header_policy;
        if !policy.adds.is_empty() {
            entry("adds", policy.adds.join(", "));
        }
        if !policy.strips.is_empty() {
            // The reasons are in the plan's JSON.
            entry("strips", policy.strip_names().join(", "));
        }
        if let Some(converted) = policy.converted.filter(|n| *n > 0) {
            let what = "for the target has no such types, or properties, which become headers";
            entry("converts", format!("{}, {what}", human::plural(converted, "value")));
        }
        if let Some(most) = self.aside.max_replays {
            let times = human::plural(most, "replay");
            entry(
                "parks",
                match &self.aside.park {
                    Some(park) => format!("what had {times} before, in {park}"),
                    None => format!("nothing; what had {times} before stays"),
                },
            );
        }
        if let Some(reason) = &self.aside.reason {
            entry("reason", reason.clone());
        }
        if let Some(edit) = &self.edit {
            entry("edits", format!("{}: {}", edit.counts(), edit.program.trim()));
            let several = if edit.groups.len() > 1 { edit.groups.as_slice() } else { &[] };
            for group in several.iter().take(EDITED) {
                entry("", format!("{} {}: {}", group.id, group.title, group.counts(edit.send_misfits)));
            }
            if let Some(more) = several.len().checked_sub(EDITED).filter(|more| *more > 0) {
                entry("", format!("and {more} more groups"));
            }
        }
        if let Some(rate) = self.pace.rate {
            entry("pace", format!("at most {rate} messages a second"));
        }
        if !self.pace.ramp.is_empty() {
            let steps: Vec<String> = self.pace.ramp.iter().map(|n| human::count(*n)).collect();
            let then =
                "then five times as many in each step; a step begins when the copies of the one before are consumed";
            entry("ramp", format!("{} messages, {then}", steps.join(", ")));
        }
        if let Some(time) = self.pace.watch().filter(|_| self.verb == Verb::Replay) {
            let each = if self.pace.ramp.is_empty() { "" } else { " after each step" };
            entry("verify", format!("the copies are watched for at most {}{each}", human::duration(time)));
        }
        let until = if self.pace.watch().is_some() { "consumed" } else { "confirmed" };
        if let Some(most) = self.pace.max_in_flight {
            entry("flight", format!("at most {} sent and not {until}", human::count(most)));
        }
        if let Some(field) = &self.pace.per_key {
            let one = "go one after the other, each when the one before is";
            entry("per key", format!("messages of one {field} {one} {until}"));
        }
        if let Some(most) = self.pace.max_failures {
            entry("stops", format!("when {} failed or came back", human::messages(most)));
        }
        entry("undo", self.undo().into_owned());
        entries
    }

    /// What can be taken back afterwards, and what can't.
    #[must_use]
    pub fn undo(&self) -> Cow<'static, str> {
        const UNTAKEN: &str = "`postroom journal undo` puts back what no consumer has taken by then";
        let logs: Vec<&str> = self.destinations.iter().filter(|to| to.keeps).map(|to| to.address.as_str()).collect();
        let (keep, all) = (if logs.len() == 1 { "keeps" } else { "keep" }, logs.len() == self.destinations.len());
        Cow::Borrowed(match self.verb {
            Verb::Publish => "what a consumer has taken can't be called back",
            // The broker did it by itself.
            Verb::Replay if self.header_policy.adds.is_empty() => "what a consumer has taken can't be called back",
            Verb::Replay if self.keep => "the journal's id in the copies' headers tells them from others",
            Verb::Replay if !logs.is_empty() && all => {
                return format!("none: {} {keep} what is sent there", logs.join(", ")).into();
            }
            Verb::Replay if !logs.is_empty() => {
                return format!("{UNTAKEN}; {} {keep} what is sent there", logs.join(", ")).into();
            }
            Verb::Drain if self.drops_copies() => "replay the originals again",
            Verb::Drain if self.to == DISCARD => "none: dropped messages are gone for good",
            Verb::Drain if !logs.is_empty() => {
                return format!("`postroom journal undo` puts them back; {} {keep} the copies", logs.join(", ")).into();
            }
            Verb::Replay => UNTAKEN,
            Verb::Drain if is_to_queue(&self.to) => UNTAKEN,
            Verb::Drain => "`postroom journal undo` puts them back; the archive stays",
            Verb::Capture => "nothing is changed",
            Verb::Undo => "replay or drain them again",
        })
    }
}

impl HeaderPolicy {
    /// What is taken out, without the reasons.
    #[must_use]
    pub fn strip_names(&self) -> Vec<&str> {
        self.strips.iter().map(|strip| strip.split(": ").next().unwrap_or(strip)).collect()
    }
}

impl Report {
    /// What was done to how many messages, and how long it took.
    #[must_use]
    pub fn headline(&self) -> String {
        let verb = match self.verb {
            Verb::Publish => "Published",
            Verb::Replay => "Replayed",
            Verb::Drain if self.dropped => "Dropped",
            Verb::Drain => "Drained",
            Verb::Capture => "Copied",
            Verb::Undo => "Put back",
        };
        let of = if self.done == self.planned { String::new() } else { format!(" of {}", human::count(self.planned)) };
        let what = match (self.done, self.undoes.as_ref().filter(|_| self.dropped)) {
            (done, None) => human::messages(done),
            // The originals are where they were.
            (1, Some(_)) => "1 copy".to_owned(),
            (done, Some(_)) => format!("{} copies", human::count(done)),
        };
        format!("{verb} {what}{of} in {:.1} s", self.elapsed_s)
    }

    /// Whether it went through to the end, and nothing failed or is ambiguous.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.failed + self.ambiguous == 0 && self.state == Ended::Finished
    }
}

impl VerifiedGroup {
    /// How many copies of it there were, and what became of them.
    #[must_use]
    pub fn counts(&self) -> String {
        let mut parts = vec![format!("{} sent", human::count(self.sent))];
        parts.extend((self.waiting > 0).then(|| format!("{} waiting", human::count(self.waiting))));
        parts.extend((self.same > 0).then(|| format!("{} back of the same", human::count(self.same))));
        parts.extend(self.died_of.iter().map(|(name, count)| format!("{} back of {name}", human::count(*count))));
        parts.join(", ")
    }
}
