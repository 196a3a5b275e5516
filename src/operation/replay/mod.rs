//! Replay: publish again what a queue holds, then remove it there.
//!
//! [`plan()`] verifies the targets and says what is going to happen; [`run()`] does it. An *exact* plan has named every
//! message by a scan; a *streaming* one goes through the messages that were there when it was made, and fixes each as
//! it is held. An edit changes messages on their way; the plan shows what it does. A drain to another queue and an undo
//! are replays that change nothing, or back.

pub(super) mod headers;
pub(super) mod route;
mod steps;

use std::sync::Arc;

use jiff::Timestamp;

use self::route::Routes;
use super::browse::BrowseRequest;
use super::control::Control;
use super::course::{self, Keys};
use super::doubt;
use super::edit::{Edit, Sample};
use super::expiry::{self, Given};
use super::handled::Handled;
use super::journal::{self, Head, Journals, Opened};
use super::order::Order;
use super::place::Place;
use super::plan::{self, Aside, Check, Destination, Mode, Pace, Plan, Verb};
use super::report::Report;
use super::restore::Restore;
use super::rights;
use super::scan;
use super::select::Selection;
use super::source;
use super::verify::{Met, Places};
use crate::broker::{Extent, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::fingerprint::Rules;
use crate::message::hash;
use crate::text::human;

/// Where a replay goes.
#[derive(Clone, Debug)]
pub enum ReplayTo {
    /// Each message to where it came from, by its own failure record, on the source's broker.
    Origin,
    /// All to one queue or exchange.
    Place(Box<Place>),
}

impl ReplayTo {
    /// `origin`, or the address.
    fn text(&self) -> String {
        match self {
            Self::Origin => "origin".into(),
            Self::Place(place) => place.address.to_string(),
        }
    }
}

/// What to replay, or to drain to another queue.
#[derive(Clone, Debug)]
pub struct ReplayRequest {
    /// [`Verb::Replay`], or [`Verb::Drain`] for messages that are set aside as they are, replayed before or not.
    pub verb: Verb,
    /// Where the messages are.
    pub source: Place,
    /// Where they go.
    pub to: ReplayTo,
    /// Which of them.
    pub selection: Selection,
    /// How many matching messages at most.
    pub limit: Option<u64>,
    /// The source keeps them: a copy.
    pub keep: bool,
    /// Also messages that were replayed before.
    pub again: bool,
    /// How often a message is replayed at most: one that was replayed so often stays, or goes to `park`.
    pub max_replays: Option<u64>,
    /// Where messages go that were replayed too often.
    pub park: Option<Box<Place>>,
    /// Why messages are set aside by a drain, written into each.
    pub reason: Option<String>,
    /// The operator agrees that messages a return would destroy are put back as new copies.
    pub rescue: bool,
    /// Each message goes to the partition it came from, and not to the one that its key belongs to.
    pub same_partition: bool,
    /// How the messages are changed on their way. A replay with an edit is always planned exactly.
    pub edit: Option<Edit>,
    /// What is edited goes also where it does not fit its schema, or where nobody knows.
    pub send_misfits: bool,
    /// How fast.
    pub pace: Pace,
    /// The operator's rules for grouping, by which copies that come back are told apart.
    pub rules: Arc<Rules>,
    /// What an undo puts back.
    pub restore: Option<Arc<Restore>>,
    /// Whether every message is named before anything is sent. A queue whose order is not first in, first out is
    /// always planned exactly.
    pub mode: Mode,
}

impl ReplayRequest {
    /// Every message once, as fast as the brokers take them, named before anything is sent.
    #[must_use]
    pub fn all(source: Place, to: ReplayTo) -> Self {
        Self {
            verb: Verb::Replay,
            source,
            to,
            selection: Selection::all(),
            limit: None,
            keep: false,
            again: false,
            max_replays: None,
            park: None,
            reason: None,
            rescue: false,
            same_partition: false,
            edit: None,
            send_misfits: false,
            pace: Pace::default(),
            rules: Arc::default(),
            restore: None,
            mode: Mode::Exact,
        }
    }

    /// Whether a broker could do it by itself: all messages, as they are, to a place on the same broker.
    fn is_for_a_broker(&self) -> bool {
        let here = match &self.to {
            ReplayTo::Origin => true,
            ReplayTo::Place(place) => place.address.connection == self.source.address.connection,
        };
        let as_they_are = self.edit.is_none() && self.aside().is_none() && !self.same_partition && !self.keep;
        let whole = self.selection.is_all() && self.limit.is_none() && self.verb == Verb::Replay;
        here && whole && as_they_are && self.pace == Pace { rate: self.pace.rate, ..Pace::default() }
    }

    fn aside(&self) -> Aside {
        Aside {
            max_replays: self.max_replays,
            park: self.park.as_ref().map(|place| place.address.to_string()),
            reason: self.reason.clone(),
        }
    }
}

/// A replay whose targets are verified and open.
pub struct Prepared {
    /// What is going to happen.
    pub plan: Plan,
    request: ReplayRequest,
    routes: Routes,
    /// The first few messages that the edit changes.
    pub samples: Vec<Sample>,
    in_place: bool,
    /// What may go first.
    given: Given,
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

/// Verifies source and targets, and says what is going to happen. Sends and removes nothing; an exact plan looks at the
/// whole queue and returns everything.
///
/// # Errors
/// `Refused` for a read-only profile, before any I/O, for a rate that is none, and where the target is the source;
/// `Unsupported` where the source can't give its messages up; what the brokers say.
pub async fn plan(request: ReplayRequest, control: &Control) -> Result<Prepared> {
    check_request(&request)?;
    let look = source::look(&request.source, request.keep, request.verb).await?;
    let pace = look.pace(request.pace.clone())?;
    let request = ReplayRequest { keep: look.keep, pace, ..request };
    let mut routes = Routes::open(&request).await?;
    routes.leave(look.handled(control)?);
    let mode = mode(&request, &look);
    let mut checks = vec![Check::passed("target is not the source", "")];
    checks.extend(routes.lanes().iter().map(|lane| Check::passed("target exists", lane.address.clone())));
    checks.extend(look.checks(request.rescue, mode));
    // An edit is checked by the same schemas when the plan is run elsewhere.
    let schemas = request.edit.as_ref().and_then(|_| request.rules.schemas());
    let rules = request.selection.written_rules().cloned().or_else(|| schemas.map(|_| request.rules.written()));
    let mut plan = Plan {
        schema: plan::SCHEMA.into(),
        hash: hash::NAME.into(),
        verb: request.verb,
        mode,
        created: control.clock.now(),
        source: request.source.address.to_string(),
        to: request.to.text(),
        filter: request.selection.filter_text().map(ToOwned::to_owned),
        group: request.selection.group_id().map(ToOwned::to_owned),
        rules,
        keep: request.keep,
        undoes: request.restore.as_ref().map(|restore| restore.held.head.id.clone()),
        same_partition: request.same_partition,
        scanned: look.about,
        planned: look.about.min(request.limit.unwrap_or(u64::MAX)),
        estimated: look.estimated(mode),
        destinations: Vec::new(),
        messages: Vec::new(),
        skipped: Vec::new(),
        checks,
        edit: None,
        aside: request.aside(),
        pace: request.pace.clone(),
        header_policy: routes.policy(),
    };
    match mode {
        Mode::Exact => {
            let every = BrowseRequest {
                selection: request.selection.clone(),
                limit: request.limit,
                rescue: request.rescue,
                within: look.within(),
                ..BrowseRequest::all(request.source.clone())
            };
            let mut order = order(&request, look.keyed)?;
            scan::fill(&mut plan, every, &mut routes, order.as_mut(), look.life, control).await?;
            if let Some(order) = order {
                let went: Vec<_> = plan.destinations.iter().map(|to| to.address.clone()).collect();
                let in_sequence = request.pace.per_key.is_some();
                plan.checks.extend(order.checks(&steps::copies(&request, &went), in_sequence, control).await?);
            }
            plan.header_policy = routes.counted_policy(plan.header_policy.converted);
        }
        Mode::Streaming => {
            let count = request.selection.is_all().then_some(plan.planned);
            let lanes = routes.lanes().iter();
            plan.destinations = lanes.map(|lane| Destination::new(&lane.address, count)).collect();
        }
    }
    if request.verb != Verb::Undo {
        mark_logs(&mut plan, &request).await;
        let expiry = expiry::plan(&mut plan, look.life, look.given, &request.source, control).await;
        plan.checks.extend(expiry);
    }
    plan.checks.extend(steps::rounds(&plan, look.budget()));
    plan.checks.extend(Check::times(routes.lanes().iter().map(|lane| (lane.address.as_str(), &*lane.publisher))));
    let targets: Vec<_> = routes.lanes().iter().map(|lane| lane.address.clone()).collect();
    let source = (!request.keep).then_some(&request.source);
    plan.checks.extend(rights::checks(source, &steps::copies(&request, &targets)).await);
    if request.is_for_a_broker() && plan.destinations.len() == 1 {
        let offer = look.offer(&request.source, &plan).await;
        plan.checks.extend(offer);
    }
    let samples = edits(&mut plan, &request, &mut routes);
    let (scan, until) = (look.scan(&plan), source::until(&plan));
    let within = look.within();
    Ok(Prepared {
        plan,
        request,
        routes,
        samples,
        in_place: look.in_place,
        given: look.given,
        unique_ids: look.unique_ids,
        handles: look.handles,
        within,
        scan,
        until,
    })
}

/// Marks the destinations that keep what is sent to them. Of a target that says nothing of itself (an exchange) nothing is
/// known; what is wrong with one is found by what follows.
async fn mark_logs(plan: &mut Plan, request: &ReplayRequest) {
    for destination in plan.destinations.iter_mut().take(rights::MOST) {
        let park = request.park.as_deref().filter(|park| park.address.to_string() == destination.address);
        let copies = steps::copies(request, std::slice::from_ref(&destination.address));
        let Some(place) = park.or(copies.first()) else { continue };
        let Some(Target::Queue { name, .. }) = &place.address.target else { continue };
        destination.keeps = place.broker.inspect(name).await.is_ok_and(|info| !info.capability.gives_up_single());
    }
}

/// Says in a plan what its edit does; the first few messages that it changes.
fn edits(plan: &mut Plan, request: &ReplayRequest, routes: &mut Routes) -> Vec<Sample> {
    let Some((program, tally)) = routes.edits() else { return Vec::new() };
    let edit = plan.edit.insert(tally.planned(program, request.send_misfits));
    if request.send_misfits {
        let many = human::messages(edit.misfits);
        let why =
            format!("{many} of those that are named here do not fit as edited, and go all the same: --send-misfits");
        plan.checks.push(Check::warning("schema", why));
    }
    tally.samples
}

/// How a plan fixes its messages.
fn mode(request: &ReplayRequest, look: &source::Look) -> Mode {
    let named = request.edit.is_some() || request.pace.per_key.is_some() || request.pace.expiring_first;
    if named && !look.grouped {
        // What goes key by key, or what vanishes first, does not go in the queue's order, in which a resume would know it
        // again. Where a look can't see all messages, an edit is made of each as it comes, and what it fails for stays.
        Mode::Exact
    } else if request.keep {
        request.mode
    } else {
        look.mode(request.mode)
    }
}

/// Takes up an exact plan that was saved: verifies its targets and its checks.
///
/// # Errors
/// As [`plan()`]; `Invalid` for a plan of another verb or one that names no messages.
pub async fn load(plan: Plan, request: ReplayRequest) -> Result<Prepared> {
    if plan.verb != request.verb || plan.mode != Mode::Exact {
        let verb = request.verb.name();
        return Err(Error::new(ErrorKind::Invalid, format!("this plan does not name the messages of a {verb}"))
            .hint(format!("make one with `postroom {verb} … --plan-out FILE`")));
    }
    plan.require_checks()?;
    let edit = plan.edit.as_ref().map(|edit| Edit::parse(&edit.program)).transpose()?;
    let Aside { max_replays, reason, .. } = plan.aside.clone();
    let request = ReplayRequest {
        send_misfits: plan.edit.as_ref().is_some_and(|edit| edit.send_misfits),
        keep: plan.keep,
        pace: plan.pace.clone(),
        mode: Mode::Exact,
        max_replays,
        reason,
        edit,
        same_partition: plan.same_partition,
        ..request
    };
    check_request(&request)?;
    let look = source::look(&request.source, plan.keep, request.verb).await?;
    let mut routes = Routes::open(&request).await?;
    let addresses: Vec<_> = plan.destinations.iter().map(|destination| destination.address.clone()).collect();
    routes.reopen(&addresses).await?;
    let (scan, until) = (look.scan(&plan), source::until(&plan));
    let within = look.within();
    Ok(Prepared {
        plan,
        request,
        routes,
        samples: Vec::new(),
        in_place: look.in_place,
        given: look.given,
        unique_ids: look.unique_ids,
        handles: look.handles,
        within,
        scan,
        until,
    })
}

/// Does what was planned.
///
/// # Errors
/// `Refused` for a failed check; what the journal's folder or the source says before anything is done. Everything later
/// is in the report.
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Report> {
    let Prepared { plan, request, mut routes, in_place, given, unique_ids, handles, within, scan, until, .. } =
        prepared;
    plan.require_checks()?;
    expiry::recheck(&plan, given, &request.source, control)?;
    if let Some(log) = &handles {
        routes.leave(Handled::load(journals, log, None)?);
    }
    let head = Head {
        schema: journal::SCHEMA.into(),
        hash: hash::NAME.into(),
        id: String::new(),
        verb: plan.verb,
        source: plan.source.clone(),
        to: plan.to.clone(),
        filter: plan.filter.clone(),
        ages_from: request.selection.ages_from(),
        group: plan.group.clone(),
        rules: plan.rules.clone(),
        mode: plan.mode,
        keep: request.keep,
        again: request.again,
        rescue: request.rescue,
        same_partition: request.same_partition,
        edit: request.edit.as_ref().map(|edit| edit.text().to_owned()),
        send_misfits: request.send_misfits,
        aside: plan.aside.clone(),
        pace: plan.pace.clone(),
        scan,
        limit: request.limit,
        planned: plan.planned,
        in_place: in_place && plan.pace.per_key.is_none() && !plan.messages.iter().any(|message| message.first),
        handles,
        within,
        unique_ids,
        until,
        undoes: request.restore.as_ref().map(|restore| restore.held.head.id.clone()),
        started: control.clock.now(),
    };
    let opened = journals.create(head, Some(&plan))?;
    Box::pin(steps::run(opened, routes, &request, journals, control, false)).await
}

/// Goes on with a journal of a replay, of a drain to a queue, or of an undo: `places` are its source, its target and the
/// place to park in.
///
/// # Errors
/// What the source or a target says before anything is done.
pub(super) async fn resume(
    mut opened: Opened,
    places: (Place, ReplayTo, Option<Place>),
    (selection, rules, doubtful): (Selection, Arc<Rules>, bool),
    journals: &Journals,
    control: &Control,
) -> Result<Report> {
    let head = &opened.head;
    let (source, to, park) = places;
    let Aside { max_replays, reason, .. } = head.aside.clone();
    let restore = head.undoes.as_deref().map(|id| Restore::load(journals, id)).transpose()?;
    let request = ReplayRequest {
        verb: head.verb,
        selection,
        again: head.again,
        rescue: head.rescue,
        edit: head.edit.as_deref().map(Edit::parse).transpose()?,
        send_misfits: head.send_misfits,
        max_replays,
        park: park.map(Box::new),
        reason,
        same_partition: head.same_partition,
        rules,
        restore: restore.map(Arc::new),
        ..ReplayRequest::all(source, to)
    };
    let addresses = opened.state.destinations.clone();
    let targets = async || {
        let mut places = Places::of(&request.source).await;
        places.add(&request.source, steps::copies(&request, &addresses), Met::After).await;
        places
    };
    let notes = doubt::settle(&mut opened, targets, doubtful, control).await?;
    let routes = reopen(&request, &opened, journals).await?;
    let mut report = Box::pin(steps::run(opened, routes, &request, journals, control, true)).await?;
    report.notes.splice(..0, notes);
    Ok(report)
}

/// The destinations of a journal's run, with the numbers that they have in it.
async fn reopen(request: &ReplayRequest, opened: &Opened, journals: &Journals) -> Result<Routes> {
    let mut routes = Routes::open(request).await?;
    if let Some(log) = &opened.head.handles {
        routes.leave(Handled::load(journals, log, Some(&opened.head.id))?);
    }
    routes.reopen(&opened.state.destinations).await?;
    Ok(routes)
}

/// What is looked at to see whether a replay breaks the order of messages that belong together.
fn order(request: &ReplayRequest, keyed: bool) -> Result<Option<Order>> {
    let keys = match Keys::of(&request.pace)? {
        None if keyed => Some(Keys::parse(course::OWN)?),
        keys => keys,
    };
    Ok(keys.filter(|_| request.verb == Verb::Replay).map(Order::new))
}

/// What can be said without I/O.
fn check_request(request: &ReplayRequest) -> Result<()> {
    if !request.keep {
        request.source.require_writable()?;
    }
    match &request.to {
        ReplayTo::Origin => request.source.require_writable()?,
        ReplayTo::Place(place) => place.require_writable()?,
    }
    if let Some(park) = &request.park {
        park.require_writable()?;
        if request.max_replays.is_none() {
            return Err(Error::new(ErrorKind::Usage, "a place to park in says nothing without a number of replays")
                .hint("add --max-replays N"));
        }
    }
    if let Some(field) = request.pace.per_key.as_deref().filter(|field| !field.is_empty()) {
        Keys::parse(field)?;
    }
    request.pace.check()
}
