//! Drain: archive what a queue holds, then remove it there; or remove it without a copy.
//!
//! A message is removed only after its batch is in the archive, on disk, read back, and on record in the journal.
//! Limits: a drain to another queue is a replay that changes nothing, see [`super::replay`].

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;

use super::browse::BrowseRequest;
use super::control::Control;
use super::course::Course;
use super::expiry::{self, Given};
use super::handled::Handled;
use super::journal::{self, Head, Journals, Opened};
use super::place::Place;
use super::plan::{self, Aside, Check, Destination, HeaderPolicy, Mode, Pace, Plan, Verb};
use super::progress::Stage;
use super::report::Report;
use super::scan::{self, Router, To};
use super::select::Selection;
use super::source;
use super::transfer::{self, Carrier, Job};
use crate::broker::archive::{ArchiveWriter, Existing};
use crate::broker::{Address, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Message, hash};

/// What a plan and a journal say of a drain without a copy.
pub const DISCARD: &str = "discard";

/// Where a drain goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DrainTo {
    /// A new archive, `.jsonl` or `.jsonl.zst`. An existing file is refused.
    Archive(PathBuf),
    /// Nowhere: the messages are dropped without a copy.
    Discard,
}

impl DrainTo {
    /// The archive's address, or `discard`.
    fn text(&self) -> String {
        match self {
            Self::Archive(path) => format!("file:{}", path.display()),
            Self::Discard => DISCARD.into(),
        }
    }

    /// Reads what a plan or a journal says.
    ///
    /// # Errors
    /// `Invalid` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        if text == DISCARD {
            return Ok(Self::Discard);
        }
        text.strip_prefix("file:").map(|path| Self::Archive(path.into())).ok_or_else(|| {
            Error::new(ErrorKind::Invalid, format!("{text:?} is neither an archive nor {DISCARD:?}"))
                .hint("drain to file:PATH.jsonl.zst")
        })
    }
}

/// Whether what a plan or a journal says of a drain's end is another queue.
#[must_use]
pub fn is_to_queue(to: &str) -> bool {
    to != DISCARD && !to.starts_with("file:")
}

/// What to drain.
#[derive(Clone, Debug)]
pub struct DrainRequest {
    /// Where the messages are.
    pub source: Place,
    /// Where they go.
    pub to: DrainTo,
    /// Which of them.
    pub selection: Selection,
    /// How many matching messages at most.
    pub limit: Option<u64>,
    /// The operator agrees that messages a return would destroy are put back as new copies.
    pub rescue: bool,
    /// Whether every message is named before anything is removed. A queue whose order is not first in, first out is
    /// always planned exactly.
    pub mode: Mode,
    /// The journal whose copies are dropped.
    pub undoes: Option<String>,
}

impl DrainRequest {
    /// Every message, named before anything is removed.
    #[must_use]
    pub fn all(source: Place, to: DrainTo) -> Self {
        let selection = Selection::all();
        Self { source, to, selection, limit: None, rescue: false, mode: Mode::Exact, undoes: None }
    }
}

/// A drain that was checked.
pub struct Prepared {
    /// What is going to happen.
    pub plan: Plan,
    request: DrainRequest,
    in_place: bool,
    handles: Option<String>,
    within: Vec<Extent>,
    unique_ids: bool,
    /// How many messages of the source to go through.
    scan: Option<u64>,
    /// What was sent later is left alone.
    until: Option<Timestamp>,
}

impl Prepared {
    /// Where the messages are.
    #[must_use]
    pub fn source(&self) -> &Place {
        &self.request.source
    }
}

/// Looks at the source and the archive's place, and says what is going to happen. Removes and creates nothing; an exact
/// plan looks at the whole queue and returns everything.
///
/// # Errors
/// `Refused` for a read-only profile, before any I/O, and for an archive that exists; `Unsupported` where the source
/// can't give its messages up; what the broker says.
pub async fn plan(request: DrainRequest, control: &Control) -> Result<Prepared> {
    request.source.require_writable()?;
    if let DrainTo::Archive(path) = &request.to {
        check_new(path, control.journals.as_ref())?;
    }
    let look = source::look(&request.source, false, Verb::Drain).await?;
    let to = request.to.text();
    let mode = look.mode(request.mode);
    let planned = look.about.min(request.limit.unwrap_or(u64::MAX));
    let mut checks = look.checks(request.rescue, mode);
    match &request.to {
        DrainTo::Archive(_) => checks.push(Check::passed("archive is new", to.clone())),
        // What an undo drops are copies.
        DrainTo::Discard if request.undoes.is_some() => {}
        DrainTo::Discard => {
            checks.push(Check::passed("no copy", "the messages are gone for good: nothing can undo it"));
        }
    }
    let count = request.selection.is_all().then_some(planned);
    let mut plan = Plan {
        schema: plan::SCHEMA.into(),
        hash: hash::NAME.into(),
        verb: Verb::Drain,
        mode,
        created: control.clock.now(),
        source: request.source.address.to_string(),
        to: to.clone(),
        filter: request.selection.filter_text().map(ToOwned::to_owned),
        group: request.selection.group_id().map(ToOwned::to_owned),
        rules: request.selection.written_rules().cloned(),
        keep: false,
        scanned: look.about,
        planned,
        estimated: look.estimated(mode),
        destinations: vec![Destination::new(to, count)],
        messages: Vec::new(),
        skipped: Vec::new(),
        checks,
        pace: Pace::default(),
        undoes: request.undoes.clone(),
        same_partition: false,
        edit: None,
        aside: Aside::default(),
        header_policy: HeaderPolicy::default(),
    };
    if mode == Mode::Exact {
        let every = BrowseRequest {
            selection: request.selection.clone(),
            limit: request.limit,
            rescue: request.rescue,
            within: look.within(),
            ..BrowseRequest::all(request.source.clone())
        };
        scan::fill(&mut plan, every, &mut One(request.to.text()), None, look.life, control).await?;
        if request.undoes.is_none() {
            // As fast as it can be had, nothing is gained by another order.
            let checks = expiry::plan(&mut plan, look.life, Given::Fixed, &request.source, control).await;
            plan.checks.extend(checks);
        }
    }
    let (scan, until) = (look.scan(&plan), source::until(&plan));
    let within = look.within();
    let (unique_ids, handles) = (look.unique_ids, look.handles);
    Ok(Prepared { plan, request, in_place: look.in_place, unique_ids, handles, within, scan, until })
}

/// Takes up an exact plan that was saved.
///
/// # Errors
/// As [`plan()`]; `Invalid` for a plan of another verb or one that names no messages.
pub async fn load(plan: Plan, request: DrainRequest) -> Result<Prepared> {
    if plan.verb != Verb::Drain || plan.mode != Mode::Exact {
        return Err(Error::new(ErrorKind::Invalid, "this plan does not name the messages of a drain")
            .hint("make one with `postroom drain … --plan-out FILE`"));
    }
    plan.require_checks()?;
    request.source.require_writable()?;
    if let DrainTo::Archive(path) = &request.to {
        check_new(path, None)?;
    }
    let look = source::look(&request.source, false, Verb::Drain).await?;
    let (scan, until) = (look.scan(&plan), source::until(&plan));
    let within = look.within();
    let (unique_ids, handles) = (look.unique_ids, look.handles);
    Ok(Prepared { plan, request, in_place: look.in_place, unique_ids, handles, within, scan, until })
}

/// Does what was planned.
///
/// # Errors
/// `Refused` for a failed check; what the archive, the journal's folder or the source says before anything is removed.
/// Everything later is in the report.
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Report> {
    let Prepared { plan, request, in_place, unique_ids, handles, within, scan, until } = prepared;
    plan.require_checks()?;
    let passed = handles.as_deref().map(|log| Handled::load(journals, log, None)).transpose()?.unwrap_or_default();
    let carrier = open(&request.to, Existing::Refuse, request.undoes.as_deref())?;
    let head = Head {
        schema: journal::SCHEMA.into(),
        hash: hash::NAME.into(),
        id: String::new(),
        verb: Verb::Drain,
        source: plan.source.clone(),
        to: absolute(&request.to)?.text(),
        filter: plan.filter.clone(),
        ages_from: request.selection.ages_from(),
        group: plan.group.clone(),
        rules: plan.rules.clone(),
        mode: plan.mode,
        keep: false,
        again: false,
        rescue: request.rescue,
        same_partition: false,
        edit: None,
        send_misfits: false,
        aside: Aside::default(),
        pace: plan.pace.clone(),
        scan,
        limit: request.limit,
        planned: plan.planned,
        in_place,
        handles,
        within,
        unique_ids,
        until,
        undoes: request.undoes.clone(),
        started: control.clock.now(),
    };
    let opened = journals.create(head, Some(&plan))?;
    start(opened, &request.source, request.selection, carrier, passed, control, false).await
}

/// Goes on with a journal of a drain: what the archive holds beyond the last record is cut off, for its originals are
/// still in the source.
///
/// # Errors
/// What the archive or the source says before anything is removed.
pub(super) async fn resume(
    opened: Opened,
    source: &Place,
    selection: Selection,
    journals: &Journals,
    control: &Control,
) -> Result<Report> {
    let Head { handles, id, .. } = &opened.head;
    let passed = handles.as_deref().map(|log| Handled::load(journals, log, Some(id))).transpose()?.unwrap_or_default();
    let carrier = open(&DrainTo::parse(&opened.head.to)?, Existing::Append, opened.head.undoes.as_deref())?;
    if let Carrier::Archive { writer, .. } = &carrier {
        let mut writer = writer.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        writer.truncate_to(opened.state.offset.unwrap_or_default())?;
    }
    start(opened, source, selection, carrier, passed, control, true).await
}

async fn start(
    opened: Opened,
    source: &Place,
    selection: Selection,
    carrier: Carrier,
    passed: Handled,
    control: &Control,
    resuming: bool,
) -> Result<Report> {
    // What was replayed before is no obstacle to a removal, but has to be seen for that.
    let (picker, prefilter, scan) = source::picker(&opened, selection, resuming, &passed);
    let job = Job {
        source: source.clone(),
        stage: Stage::Drain,
        picker,
        carrier,
        opened,
        prefilter,
        scan,
        passed,
        pause: None,
        reclaim: true,
        course: Course::new(&Pace::default())?,
        one_a_key: false,
    };
    Box::pin(transfer::run(job, control)).await
}

/// Everything goes to one place.
struct One(String);

#[async_trait]
impl Router for One {
    async fn to(&mut self, _: &Message) -> Result<To> {
        Ok(To::Address(self.0.clone(), 0))
    }
}

fn open(to: &DrainTo, existing: Existing, undoes: Option<&str>) -> Result<Carrier> {
    Ok(match to {
        DrainTo::Discard => Carrier::Discard { of: undoes.map(Arc::from) },
        DrainTo::Archive(path) => Carrier::Archive {
            writer: Arc::new(Mutex::new(ArchiveWriter::create(path, existing)?)),
            address: to.text(),
        },
    })
}

/// A journal is resumed from any folder.
fn absolute(to: &DrainTo) -> Result<DrainTo> {
    Ok(match to {
        DrainTo::Discard => DrainTo::Discard,
        DrainTo::Archive(path) => DrainTo::Archive(std::path::absolute(path)?),
    })
}

/// Refuses a file that is there already, before any I/O with a broker. Where it is that of a drain which was cut short,
/// that drain is the one to finish.
pub(super) fn check_new(path: &Path, journals: Option<&Journals>) -> Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let to = DrainTo::Archive(std::path::absolute(path)?).text();
    let hint = journals.and_then(|journals| journals.unfinished_to(&to)).map_or_else(
        || "name a new file; what is there is never written over".to_owned(),
        |id| format!("it is that of a drain that was cut short: `postroom journal resume {id}` finishes it"),
    );
    Err(Error::new(ErrorKind::Refused, format!("the archive {} exists already", path.display()))
        .hint(hint)
        .context("address", Address::to_string(&format!("file:{}", path.display()).parse()?)))
}
