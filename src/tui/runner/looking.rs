//! Looks, and what is made of what they kept: groups, matches, rows and pages.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::{Job, blocking};
use crate::broker::{Address, End};
use crate::error::Result;
use crate::message::Message;
use crate::message::codec;
use crate::message::failure::detect;
use crate::message::fingerprint::Rules;
use crate::operation::browse::start;
use crate::operation::columns::Column;
use crate::operation::groups::{By, Groups};
use crate::operation::masks::Masks;
use crate::operation::queues;
use crate::operation::select::Selection;
use crate::operation::snapshot::{Limits, Look, Snapshot};
use crate::text::human;
use crate::tui::detail::Page;
use crate::tui::msg::{Answer, Fields, LookAt, Which};
use crate::tui::state::Row;

/// How often the groups of a look that is under way are told.
const TELL: Duration = Duration::from_millis(500);
/// Messages that one search goes through.
const SEARCHED: usize = 20_000;
/// Messages that fields are taken from, and values of one field.
const SAMPLES: usize = 200;
const VALUES: usize = 12;
/// `last` without a number.
const TAIL: u64 = 1000;
/// Cells of one preview at most.
const WIDE: usize = 400;

/// Looks at queues, one after the other, and keeps what it sees.
pub(super) async fn look(job: Job, at: LookAt) -> Result<Answer> {
    let session = Arc::clone(&job.session);
    let snapshot = Snapshot::new(Arc::clone(session.rules()), Limits::default())?;
    job.say(Answer::Begun(Arc::clone(&snapshot))).await;
    let mut groups = Groups::new(By::Failure, Arc::clone(session.rules()));
    let (mut said, mut scanned, mut returned) = (Vec::new(), 0, 0);
    for address in &at.addresses {
        let place = session.places.open(address).await?;
        let info = queues::describe(&session.places, address).await?.info;
        let from = start(&at.from, TAIL, session.now_at(address))?;
        let masks = Masks::of(&place, session.places.config());
        let look = Look { place, masks, selection: Selection::all(), from, follow: at.follow };
        let mut last = Instant::now();
        let (telling, told, rules) = (job.clone(), Arc::clone(&snapshot), Arc::clone(session.rules()));
        let mut tell = move |seen: usize, groups: &Groups| {
            let more = (last.elapsed() >= TELL).then(|| {
                last = Instant::now();
                (groups.clone().finish(), fields(&told, &rules))
            });
            telling.mention(Answer::Seen(seen, more));
        };
        let summary = snapshot.look(look, &info, &mut groups, &job.control, &mut tell).await?;
        scanned += summary.scanned;
        returned += summary.returned;
        said.extend(summary.notes);
        if summary.rescued > 0 {
            said.push(format!("{} put back as new copies", human::messages(summary.rescued)));
        }
        match summary.end {
            End::Exhausted => {}
            End::Limit => said.push("there are more than one look keeps".to_owned()),
            End::Stopped(why) => said.push(format!("stopped early: {why}")),
            End::Cancelled => {
                said.push("stopped".to_owned());
                break;
            }
        }
    }
    let back = if returned > 0 { ", all given back" } else { "" };
    let read = format!("{} read{back}", human::messages(scanned));
    let said = std::iter::once(read).chain(said).collect::<Vec<_>>().join("; ");
    let (kept, rules) = (Arc::clone(&snapshot), Arc::clone(session.rules()));
    let known = blocking(move || Ok(fields(&kept, &rules))).await?;
    Ok(Answer::Looked(snapshot.len(), groups.finish(), known, said))
}

fn selection(job: &Job, which: &Which) -> Result<Selection> {
    let now = which.address.as_ref().map_or_else(|| job.session.now(), |address| job.session.now_at(address));
    Selection::parse(which.filter.as_deref(), which.group.as_deref(), now, job.session.rules())
}

pub(super) async fn groups(job: Job, which: Which, by: String) -> Result<Answer> {
    let selection = selection(&job, &which)?;
    let by = By::parse(&by)?;
    blocking(move || {
        let total = which.snapshot.len();
        let mut told = |done| job.mention(Answer::Searched(done, total));
        which.snapshot.groups(by, &selection, &mut told, &job.control.cancel)
    })
    .await
    .map(Answer::Groups)
}

/// Which messages match, from one on, of so many that the answer is there soon: the rest is asked for again. A stopped
/// search is no answer.
pub(super) async fn find(job: Job, which: Which, from: usize) -> Result<Answer> {
    let selection = selection(&job, &which)?;
    blocking(move || {
        let upto = which.snapshot.len().min(from + SEARCHED);
        let found = which.snapshot.find(from..upto, &selection, &job.control.cancel)?;
        if job.control.cancel.is_cancelled() {
            return Err(crate::Error::new(crate::ErrorKind::Interrupted, "the search was stopped"));
        }
        Ok(Answer::Found(found, upto))
    })
    .await
}

pub(super) async fn rows(job: Job, snapshot: Arc<Snapshot>, indices: Vec<u32>, columns: Vec<String>) -> Result<Answer> {
    let rules = Arc::clone(job.session.rules());
    blocking(move || {
        let columns: Vec<Column> = columns.iter().map(|name| Column::parse(name)).collect::<Result<_>>()?;
        let rows = indices.into_iter().map(|index| {
            let at = index as usize;
            Ok((index, row(snapshot.message(at)?, &snapshot.masks(at), &columns, &rules)))
        });
        Ok(Answer::Rows(rows.collect::<Result<_>>()?))
    })
    .await
}

fn row(message: Message, masks: &Masks, columns: &[Column], rules: &Rules) -> Row {
    let id = message.id.clone();
    let shown = masks.shown(&message).unwrap_or(message);
    let cell = |column: &Column| match column {
        // Told by the time of the row, for it changes.
        Column::Age => String::new(),
        column => column.cell(&shown, WIDE, Timestamp::UNIX_EPOCH, rules).unwrap_or_default(),
    };
    Row { cells: columns.iter().map(cell).collect(), id, time: shown.time }
}

pub(super) async fn page(job: Job, snapshot: Arc<Snapshot>, index: u32, address: Address) -> Result<Answer> {
    let (now, rules) = (job.session.now_at(&address), Arc::clone(job.session.rules()));
    blocking(move || {
        let at = index as usize;
        let page = Page::of(snapshot.message(at)?, &snapshot.masks(at), now, snapshot.expires(at), &rules);
        Ok(Answer::Page(Box::new(page)))
    })
    .await
}

/// The fields that some of the messages have, with some of their values: what a filter may ask for.
fn fields(snapshot: &Snapshot, rules: &Rules) -> Fields {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in [
        "age",
        "attempts",
        "class",
        "format",
        "group",
        "id",
        "key",
        "offset",
        "origin",
        "partition",
        "reason",
        "shape",
        "size",
        "time",
        "type",
    ] {
        fields.insert(name.to_owned(), Vec::new());
    }
    let step = (snapshot.len() / SAMPLES).max(1);
    for at in (0..snapshot.len()).step_by(step) {
        let Ok(message) = snapshot.message(at) else { continue };
        let message = snapshot.masks(at).shown(&message).unwrap_or(message);
        for (kind, list) in [("header", &message.headers), ("property", &message.properties)] {
            for (name, value) in list {
                let plain = name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c));
                let name = if plain { name.to_string() } else { crate::tui::act::quoted(name) };
                learn(&mut fields, format!("{kind}.{name}"), value.as_str());
            }
        }
        if let Some(failure) = detect(&message) {
            learn(&mut fields, "class".to_owned(), failure.class.as_deref());
            learn(&mut fields, "reason".to_owned(), failure.message.as_deref());
            let origin =
                failure.origin.as_ref().map(|origin| crate::operation::glance::origin_target(origin).to_string());
            learn(&mut fields, "origin".to_owned(), origin.as_deref());
        }
        let view = codec::view(&message, rules.schemas());
        if let Some(json) = view.form.json().and_then(|json| serde_json::from_slice::<Json>(json).ok()) {
            paths(&json, "body", 0, &mut fields);
        }
    }
    Arc::new(fields)
}

fn learn(fields: &mut BTreeMap<String, Vec<String>>, name: String, value: Option<&str>) {
    let values = fields.entry(name).or_default();
    if let Some(value) = value.filter(|value| value.len() <= 60 && !value.contains(char::is_control))
        && values.len() < VALUES
        && !values.iter().any(|known| known == value)
    {
        values.push(value.to_owned());
    }
}

fn paths(json: &Json, path: &str, depth: usize, fields: &mut BTreeMap<String, Vec<String>>) {
    match json {
        Json::Object(map) if depth < 6 => {
            for (name, value) in map.iter().take(60) {
                let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
                let name = if plain { name.clone() } else { crate::tui::act::quoted(name) };
                paths(value, &format!("{path}.{name}"), depth + 1, fields);
            }
        }
        Json::Array(values) => {
            values.iter().take(3).for_each(|value| paths(value, &format!("{path}[]"), depth + 1, fields));
        }
        Json::String(text) => learn(fields, path.to_owned(), Some(text)),
        Json::Number(_) | Json::Bool(_) => learn(fields, path.to_owned(), Some(&json.to_string())),
        Json::Null => learn(fields, path.to_owned(), Some("null")),
        Json::Object(_) => learn(fields, path.to_owned(), None),
    }
}
