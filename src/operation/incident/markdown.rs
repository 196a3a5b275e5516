//! The report as a page of Markdown, for a ticket or a wiki.
//!
//! What messages say stands in code or escaped: it can neither end a table or a block, nor become a link, an image or
//! HTML, nor act on a terminal. Limits: samples are cut to what a page bears.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::Incident;
use crate::message::Message;
use crate::message::codec::{self, Form, Schemas};
use crate::message::failure::Failure;
use crate::operation::glance::{origin_target, preview, reason};
use crate::operation::groups::{Change, GroupSummary, total_change};
use crate::operation::journal::{JournalState, Summary};
use crate::operation::select::told_groups;
use crate::text::{human, one_line, safe_lines};

/// Lines of a stack that are shown.
const STACK: usize = 16;
/// Lines of a payload that are shown.
const PAYLOAD: usize = 40;
/// Bytes of a line of a sample that are shown.
const LINE: usize = 400;
/// Columns of a sparkline.
const SPARKS: usize = 40;
/// Origins of a cause that are named.
const ORIGINS: usize = 8;

impl Incident {
    /// The report as Markdown.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut page = Page::default();
        let names: Vec<String> = self.addresses.iter().map(|address| code(&address.to_string())).collect();
        page.line(&format!("# Incident report: {}", names.join(", ")));
        page.line(&self.summary());
        self.causes(&mut page);
        self.places(&mut page);
        for (number, group) in (1..).zip(self.groups.iter().filter(|group| group.count > 0)) {
            self.cause(number, group, &mut page);
        }
        self.done(&mut page);
        if !self.notes.is_empty() {
            page.line("## Notes");
            self.notes.iter().for_each(|note| page.item(&plain(note)));
            page.end();
        }
        page.text
    }

    fn summary(&self) -> String {
        let written = format!("Written {}.", human::time(self.created));
        if self.messages == 0 {
            return format!("No message matches. {written}");
        }
        let causes = self.groups.iter().filter(|group| group.count > 0).count();
        let many = human::plural(causes as u64, "cause");
        let mut text = format!("**{} of {many}** in {}", human::messages(self.messages), self.count_places());
        if let (Some(first), Some(last)) = (self.first(), self.last()) {
            let ago = human::age(last, self.created);
            _ = write!(text, "; the first died {}, the last {} ({ago} ago)", human::time(first), human::time(last));
        }
        text.push_str(". ");
        if let Some(expires) = self.expires() {
            _ = write!(text, "**The first of them {}.** ", vanishes(expires, self.created));
        }
        text + &written
    }

    fn count_places(&self) -> String {
        let archived = self.places.iter().any(|place| place.archived_from.is_some());
        let noun = if archived { "archived queue" } else { "queue" };
        human::plural(self.places.len() as u64, noun)
    }

    fn causes(&self, page: &mut Page) {
        if self.groups.is_empty() {
            return;
        }
        let compared = total_change(&self.groups);
        let rows = self.groups.iter().map(|group| {
            let mut cells = vec![human::count(group.count), percent(group)];
            if let Some(Change { new, gone, same }) = group.change {
                cells.extend([new, gone, same].map(human::count));
            }
            cells.extend([when(group.first), when(group.last), code(&group.name), plain(&group.title)]);
            cells
        });
        let rows = rows.collect::<Vec<_>>().into_iter();
        let causes = ["First death", "Last death", "Group", "Cause"];
        if let Some(Change { new, gone, same }) = compared {
            page.table(&[&["Messages", "Share", "New", "Gone", "Same"][..], &causes].concat(), 5, rows);
            let [new, gone, same] = [new, gone, same].map(human::count);
            page.line(&format!("Since the look before: {new} new, {gone} gone, {same} the same."));
        } else {
            page.table(&[&["Messages", "Share"][..], &causes].concat(), 2, rows);
        }
        let (rate, span) = (self.rate(), self.first().zip(self.last()));
        if let Some((first, last)) = span.filter(|(first, last)| first < last) {
            let sparks = human::sparkline(&rate.columns(first, last, SPARKS));
            page.line(&format!("Deaths over time: `{sparks}` from {} to {}", human::time(first), human::time(last)));
        }
    }

    fn places(&self, page: &mut Page) {
        if self.places.is_empty() {
            return;
        }
        page.line("## Where");
        let rows = self.places.iter().map(|place| {
            let mut name = code(&place.address);
            if let Some(from) = &place.archived_from {
                name = format!("{} (in {name})", code(from));
            }
            let expires = place.expires.map(|time| vanishes(time, self.created)).unwrap_or_default();
            vec![human::count(place.messages), when(place.first), when(place.last), expires, name]
        });
        page.table(&["Messages", "First death", "Last death", "The first of them", "Queue"], 1, rows);
    }

    fn cause(&self, number: u64, group: &GroupSummary, page: &mut Page) {
        page.line(&format!("## {number}. {}", plain(&group.title)));
        let mut text = format!("{} ({})", human::messages(group.count), percent(group));
        match (group.first, group.last) {
            (Some(first), Some(last)) if first < last => {
                let sparks = human::sparkline(&group.rate.columns(first, last, SPARKS));
                let (first, last) = (human::time(first), human::time(last));
                _ = write!(text, ", from {first} to {last}: `{sparks}`");
            }
            (Some(first), _) => _ = write!(text, ", {}", human::time(first)),
            _ => {}
        }
        page.line(&text);
        page.item(&format!("Group: {}, so `--group {}` selects them in every verb", code(&group.name), group.name));
        for origin in group.origins.iter().take(ORIGINS) {
            let from = match (origin.address(), &origin.origin) {
                (Some(address), _) => format!("came from {}", code(&address.to_string())),
                (None, Some(origin)) => format!("came from {}", code(&origin_target(origin).to_string())),
                (None, None) => "nothing says where they came from".to_owned(),
            };
            let read = code(origin.archived_from.as_deref().unwrap_or(&origin.read_from));
            page.item(&format!("In {read}: {}; {from}", human::count(origin.count)));
        }
        let more: u64 = group.origins.iter().skip(ORIGINS).map(|origin| origin.count).sum::<u64>() + group.more_origins;
        if more > 0 {
            page.item(&format!("From elsewhere: {}", human::count(more)));
        }
        match group.attempts {
            Some((least, most)) if least < most => page.item(&format!("Tried {least} to {most} times")),
            Some((_, n)) => page.item(&format!("Tried {}", human::plural(n, "time"))),
            None => {}
        }
        if let Some(expires) = group.expires {
            page.item(&format!("The first of them {}", vanishes(expires, self.created)));
        }
        for varying in &group.varying {
            let values: Vec<String> = varying.values.iter().map(|value| code(value)).collect();
            let more = if varying.more { ", …" } else { "" };
            page.item(&format!("What differs at `*` {}: {}{more}", varying.slot + 1, values.join(", ")));
        }
        for run in self.actions_on(group) {
            page.item(&format!("Done: {}", told(run)));
        }
        page.end();
        sample(&group.sample, group.failure.as_ref(), self.rules.schemas(), page);
    }

    fn done(&self, page: &mut Page) {
        page.line("## What was done");
        if self.actions.is_empty() {
            page.line("No run of this user on these queues is on record.");
        }
        let rows = self.actions.iter().map(|run| {
            vec![
                human::count(run.done),
                human::count(run.failed),
                human::count(run.ambiguous),
                human::time(run.started),
                state(run).to_owned(),
                run.verb.name().to_owned(),
                code(&run.source),
                code(&run.to),
                which(run),
                code(&run.id),
            ]
        });
        let heads = ["Done", "Failed", "Ambiguous", "Began", "State", "Verb", "From", "To", "Which", "Journal"];
        page.table(&heads, 3, rows);
        if self.older_actions > 0 {
            let runs = human::plural(self.older_actions, "older run");
            page.line(&format!("{runs} on these queues: `postroom journal list`."));
        }
    }
}

/// The sample: where it is, its headers by name, its stack and its payload.
fn sample(message: &Message, failure: Option<&Failure>, schemas: Option<&dyn Schemas>, page: &mut Page) {
    let mut head = format!("Sample: {}", code(&message.id));
    if let Some(key) = &message.key {
        _ = write!(head, ", key {}", code(&String::from_utf8_lossy(key)));
    }
    let home = message.metadata.get_str(crate::broker::archive::SOURCE_ADDRESS).unwrap_or(&message.address);
    _ = write!(head, ", in {}", code(home));
    if let Some(time) = message.time {
        _ = write!(head, ", {}", human::time(time));
    }
    page.line(&head);
    if let Some(failure) = failure {
        let text = failure.stack.clone().unwrap_or_else(|| reason(failure));
        page.block("text", &text, STACK);
    }
    let view = codec::view(message, schemas);
    match (&view.form, view.form.text()) {
        (Form::Empty, _) => {}
        (Form::Json(json) | Form::Tree { json, .. }, _) => {
            let pretty = serde_json::from_slice::<serde_json::Value>(json).map(|value| format!("{value:#}"));
            page.block("json", &pretty.unwrap_or_else(|_| String::from_utf8_lossy(json).into_owned()), PAYLOAD);
        }
        (_, Some(text)) => page.block("text", text, PAYLOAD),
        _ => page.block("text", &preview(message, LINE, schemas).text, PAYLOAD),
    }
}

fn percent(group: &GroupSummary) -> String {
    format!("{:.1} %", group.share * 100.0)
}

fn when(time: Option<Timestamp>) -> String {
    time.map(human::time).unwrap_or_default()
}

/// `vanishes 2026-03-02 15:01:00Z (in 14m)`.
fn vanishes(time: Timestamp, now: Timestamp) -> String {
    match std::time::Duration::try_from(time.duration_since(now)) {
        Ok(left) => format!("vanishes {} (in {})", human::time(time), human::duration(left)),
        Err(_) => format!("was to vanish {}", human::time(time)),
    }
}

fn state(run: &Summary) -> &'static str {
    match run.state {
        JournalState::Running => "running",
        JournalState::Finished => "finished",
        JournalState::Interrupted => "interrupted",
        JournalState::Undone => "undone",
    }
}

/// Which messages a run took.
fn which(run: &Summary) -> String {
    let group = run.group.as_deref().map(|group| told_groups(group, code));
    let filter = run.filter.as_deref().map(|filter| format!("filter {}", code(filter)));
    let which: Vec<String> = group.into_iter().chain(filter).collect();
    if which.is_empty() { "all".to_owned() } else { which.join(", ") }
}

/// A run in one sentence.
fn told(run: &Summary) -> String {
    let mut counts = format!("{} done", human::count(run.done));
    for (n, what) in [(run.failed, "failed"), (run.skipped, "skipped"), (run.ambiguous, "ambiguous")] {
        if n > 0 {
            _ = write!(counts, ", {} {what}", human::count(n));
        }
    }
    if let Some(seen) = &run.verification {
        _ = write!(counts, "; {}", plain(&seen.headline()));
    }
    let (verb, to, began) = (run.verb.name(), code(&run.to), human::time(run.started));
    format!("{verb} to {to}, {began}, {}: {counts} (journal {})", state(run), code(&run.id))
}

/// A text of a message as plain words: nothing in it is Markdown, HTML or a link.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in one_line(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' | '@' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // What would become a link by itself.
    out.replace("://", ":\\//").replace("www.", "www\\.")
}

/// A text of a message as code within a line. In a table a bar still needs its backslash.
fn code(text: &str) -> String {
    let text = one_line(text).replace('|', "\\|");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') || text.is_empty() { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[derive(Default)]
struct Page {
    text: String,
    /// Items were written that a blank line has to end.
    listing: bool,
}

impl Page {
    fn end(&mut self) {
        if std::mem::take(&mut self.listing) {
            self.text.push('\n');
        }
    }

    /// A paragraph or a heading.
    fn line(&mut self, text: &str) {
        self.end();
        _ = writeln!(self.text, "{text}\n");
    }

    fn item(&mut self, text: &str) {
        self.listing = true;
        _ = writeln!(self.text, "- {text}");
    }

    /// A table whose first columns are numbers.
    fn table(&mut self, heads: &[&str], numbers: usize, rows: impl Iterator<Item = Vec<String>>) {
        let rows: Vec<String> = rows.map(|cells| format!("| {} |", cells.join(" | "))).collect();
        if rows.is_empty() {
            return;
        }
        let rules: Vec<&str> = (0..heads.len()).map(|at| if at < numbers { "--:" } else { "---" }).collect();
        _ = writeln!(self.text, "| {} |\n| {} |", heads.join(" | "), rules.join(" | "));
        for row in rows {
            _ = writeln!(self.text, "{row}");
        }
        self.text.push('\n');
    }

    /// Text of a message, of at most so many lines.
    fn block(&mut self, language: &str, text: &str, most: usize) {
        self.end();
        let fence = "`".repeat(longest_run(text).max(2) + 1);
        _ = writeln!(self.text, "{fence}{language}");
        for line in text.lines().take(most) {
            let cut = line.get(..line.floor_char_boundary(LINE)).unwrap_or(line);
            let mark = if cut.len() < line.len() { "…" } else { "" };
            _ = writeln!(self.text, "{}{mark}", safe_lines(cut));
        }
        let more = text.lines().count().saturating_sub(most) as u64;
        if more > 0 {
            _ = writeln!(self.text, "… {}", human::plural(more, "more line"));
        }
        _ = writeln!(self.text, "{fence}\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_message_says_is_neither_markup_nor_a_link() {
        assert_eq!(plain("a|b *c* [x](http://e) <img>\n# h"), "a\\|b \\*c\\* \\[x\\](http:\\//e) &lt;img&gt; \\# h");
        assert_eq!(code("a`b``c|d"), "```a`b``c\\|d```");
        assert_eq!((code(""), code("`")), ("`  `".to_owned(), "`` ` ``".to_owned()));
        let mut page = Page::default();
        page.block("text", "a\n```\n<b>\u{1b}[2J", 2);
        assert_eq!(page.text, "````text\na\n```\n… 1 more line\n````\n\n");
    }
}
