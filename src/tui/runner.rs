//! Does the work that `update` asks for: every task has an id, an owner here, a token that ends it, and one last word.
//!
//! Engines return what they hold when their token is set, so tasks are never aborted; leaving waits for them.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::SignedDuration;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::msg::{Answer, Effect, Look, Msg};
use super::state::{Act, ActVerb, State, TaskId};
use crate::broker::{Address, CostKind, Delivery, End};
use crate::config::{RedactRule, Redaction};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::fingerprint;
use crate::operation::browse::{self, BrowseRequest, FnSink};
use crate::operation::capture::{self, CaptureRequest};
use crate::operation::consent::{Changed, Ends, production, refuse_read_only};
use crate::operation::control::Control;
use crate::operation::drain::{self, DrainRequest, DrainTo};
use crate::operation::groups::{By, Groups};
use crate::operation::plan::{Mode, Pace};
use crate::operation::planned::{self, Prepared};
use crate::operation::queues;
use crate::operation::replay::{self, ReplayRequest};
use crate::operation::select::Selection;
use crate::operation::session::Session;
use crate::text::human;

/// Messages that a list shows at most; the filter bar finds the rest.
const LIST: u64 = 2_000;

type Plans = Arc<Mutex<HashMap<TaskId, Prepared>>>;

/// The tasks that are under way.
pub(crate) struct Runner {
    session: Arc<Session>,
    answers: Sender<Msg>,
    tasks: HashMap<TaskId, (CancellationToken, JoinHandle<()>)>,
    plans: Plans,
}

impl Runner {
    pub(crate) fn new(session: Arc<Session>, answers: Sender<Msg>) -> Self {
        Self { session, answers, tasks: HashMap::new(), plans: Plans::default() }
    }

    /// Starts or ends work; never waits.
    pub(crate) fn run(&mut self, effect: Effect) {
        self.tasks.retain(|_, (_, handle)| !handle.is_finished());
        match effect {
            Effect::Cancel(task) => {
                if let Some((cancel, _)) = self.tasks.get(&task) {
                    cancel.cancel();
                }
            }
            Effect::Quit => self.tasks.values().for_each(|(cancel, _)| cancel.cancel()),
            Effect::Drop(task) => _ = self.plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&task),
            Effect::List(task, address) => self.start(task, |session, _, _| async move {
                let (listed, notes) = queues::list(&session.places, &address, false).await?;
                Ok(Answer::Queues(listed, notes))
            }),
            Effect::Cost(task, addresses) => {
                self.start(task, |session, _, _| async move { cost(&session, &addresses).await });
            }
            Effect::Look(task, look) => {
                self.start(task, |session, control, _| async move { look_at(&session, &control, look).await });
            }
            Effect::Plan(task, act) => self.start(task, move |session, control, plans| async move {
                plan(&session, &control, &plans, task, act).await
            }),
            Effect::Run(task) => self.start(task, move |session, control, plans| async move {
                let prepared = plans.lock().unwrap_or_else(PoisonError::into_inner).remove(&task);
                let gone = || Error::new(ErrorKind::Unexpected, "the plan is gone: nothing was done");
                let report = planned::run(prepared.ok_or_else(gone)?, &session.journals()?, &control).await?;
                Ok(Answer::Ran(Box::new(report)))
            }),
        }
    }

    fn start<F>(&mut self, task: TaskId, work: impl FnOnce(Arc<Session>, Control, Plans) -> F)
    where
        F: Future<Output = Result<Answer>> + Send + 'static,
    {
        let cancel = CancellationToken::new();
        let ticks = self.answers.clone();
        let control = Control::new()
            .clock(self.session.clock())
            .cancel(cancel.clone())
            // Progress that finds no room is out of date before it could be shown.
            .on_tick(move |tick| _ = ticks.try_send(Msg::Answer(task, Answer::Progress(tick))));
        let work = tokio::spawn(work(Arc::clone(&self.session), control, Arc::clone(&self.plans)));
        let answers = self.answers.clone();
        let handle = tokio::spawn(async move {
            let said = work.await.unwrap_or_else(|error| {
                Err(Error::new(ErrorKind::Unexpected, "a task failed; this is a fault of postroom").because(error))
            });
            _ = answers.send(Msg::Answer(task, said.unwrap_or_else(Answer::Failed))).await;
        });
        self.tasks.insert(task, (cancel, handle));
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.values().all(|(_, handle)| handle.is_finished())
    }
}

/// What looks at these queues cost. A look that could destroy a message is refused.
async fn cost(session: &Session, addresses: &[Address]) -> Result<Answer> {
    let (mut lines, mut refused) = (Vec::new(), false);
    for address in addresses {
        let place = session.places.open(address).await?;
        let info = place.broker.describe(queue(address)?).await?;
        if info.read_cost.kind != CostKind::None {
            lines.push(State::cost(&info));
        }
        if let Some(why) = &info.read_cost.refused {
            refused = true;
            lines.push(format!("{}: refused: {why}", info.name));
        }
    }
    Ok(Answer::Cost(lines, refused))
}

fn queue(address: &Address) -> Result<&str> {
    address.need_target()?.queue_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{address} is an exchange; only a queue can be read"))
            .hint("name a queue that is bound to it")
    })
}

async fn look_at(session: &Session, control: &Control, look: Look) -> Result<Answer> {
    let by = look.by.map(By::parse).transpose()?;
    let mut groups = Groups::new(by.clone().unwrap_or_default(), Arc::clone(session.rules()));
    let mut messages: Vec<Message> = Vec::new();
    let mut rules: Vec<RedactRule> = Vec::new();
    let (mut scanned, mut said) = (0, Vec::new());
    for address in &look.addresses {
        let selection =
            Selection::parse(look.filter.as_deref(), look.group.as_deref(), session.now_at(address), session.rules())?;
        let place = session.places.open(address).await?;
        let info = place.broker.describe(queue(address)?).await?;
        let expiry = info.expiry.and_then(|expiry| SignedDuration::try_from(expiry).ok());
        let redaction = place.policy.redaction.clone();
        rules.extend_from_slice(redaction.rules());
        let limit = by.is_none().then_some(LIST);
        let request = BrowseRequest { selection, limit, ..BrowseRequest::all(place) };
        let name: Arc<str> = address.to_string().into();
        let mut sink = FnSink(|deliveries: Vec<Delivery>| {
            for Delivery { mut message, .. } in deliveries {
                message.address = Arc::clone(&name);
                if by.is_some() {
                    let expires = message.time.zip(expiry).and_then(|(time, expiry)| time.checked_add(expiry).ok());
                    groups.add_known(&message, detect(&message).as_ref(), expires);
                } else {
                    messages.push(redaction.for_screen(&message));
                }
            }
            Ok(ControlFlow::Continue(()))
        });
        let summary = browse::run(request, control, &mut sink).await?;
        scanned += summary.scanned;
        said.extend(summary.notes);
        match summary.end {
            End::Exhausted => {}
            End::Limit => said.push(format!("the first {} are shown: filter for others", human::count(LIST))),
            End::Stopped(why) => said.push(format!("stopped early: {why}")),
            End::Cancelled => {
                return Err(Error::new(ErrorKind::Interrupted, "stopped; everything is back in the queue"));
            }
        }
    }
    let read = format!("{} read, all given back", human::messages(scanned));
    let said = std::iter::once(read).chain(said).collect::<Vec<_>>().join("; ");
    if by.is_none() {
        return Ok(Answer::Messages(messages, said));
    }
    let redaction = Redaction::new(rules);
    let mut found = groups.finish();
    if !redaction.rules().is_empty() {
        for group in &mut found {
            group.sample = redaction.for_screen(&group.sample);
            group.failure = detect(&group.sample);
            group.title = fingerprint(&group.sample, group.failure.as_ref(), session.rules()).title;
            group.varying.clear();
            group.key.clear();
        }
    }
    Ok(Answer::Groups(found, said))
}

async fn plan(session: &Session, control: &Control, plans: &Plans, task: TaskId, act: Act) -> Result<Answer> {
    let selection =
        Selection::parse(act.filter.as_deref(), act.group.as_deref(), session.now_at(&act.address), session.rules())?;
    let changed = match act.verb {
        ActVerb::Capture => {
            let place = session.places.open(&act.address).await?;
            let look = BrowseRequest { selection, ..BrowseRequest::all(place) };
            let report = capture::run(CaptureRequest { look, to: archive(&act.path)? }, control).await?;
            return Ok(Answer::Ran(Box::new(report)));
        }
        ActVerb::Replay => Ends::new(&act.address, "origin", false, &session.places)?.changed,
        ActVerb::Drain => vec![Changed::at(&act.address, &session.places)?],
    };
    refuse_read_only(&changed)?;
    let source = session.places.open(&act.address).await?;
    let (limit, rescue, mode) = (None, false, Mode::Exact);
    let prepared = if act.verb == ActVerb::Replay {
        let to = replay::ReplayTo::Origin;
        let pace = Pace::default();
        let request =
            ReplayRequest { source, to, selection, limit, keep: false, again: false, rescue, edit: None, pace, mode };
        Prepared::Replay(Box::new(replay::plan(request, control).await?))
    } else {
        let to = DrainTo::Archive(archive(&act.path)?);
        let request = DrainRequest { source, to, selection, limit, rescue, mode };
        Prepared::Drain(Box::new(drain::plan(request, control).await?))
    };
    let plan = Box::new(prepared.plan().clone());
    plans.lock().unwrap_or_else(PoisonError::into_inner).insert(task, prepared);
    Ok(Answer::Planned(plan, production(&changed)))
}

/// The path of a new archive.
fn archive(text: &str) -> Result<std::path::PathBuf> {
    let path = text.trim().strip_prefix("file:").unwrap_or(text.trim());
    if [".jsonl", ".jsonl.zst"].iter().any(|end| path.ends_with(end)) {
        return Ok(path.into());
    }
    Err(Error::new(ErrorKind::Usage, format!("{text:?} is no name for an archive"))
        .hint("an archive is PATH.jsonl or PATH.jsonl.zst"))
}
