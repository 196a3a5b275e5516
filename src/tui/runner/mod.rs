//! Does the work that `update` asks for: every task has an id, an owner here, a token that ends it, and one last word.
//!
//! Engines return what they hold when their token is set, so tasks are never aborted; leaving waits for them.

mod acting;
mod looking;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::Sender;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::acting::Ready;
use super::act::quote;
use super::history::Kept;
use super::msg::{Answer, Effect, Msg};
use super::state::TaskId;
use crate::broker::{Address, Connection, Groups};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::control::Control;
use crate::operation::session::Session;
use crate::operation::{offsets, queues};

/// Plans that wait for the operator, by the task that made them.
#[derive(Clone, Default)]
struct Plans(Arc<Mutex<HashMap<TaskId, Ready>>>);

impl Plans {
    fn keep(&self, task: TaskId, ready: Ready) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task, ready);
    }

    /// Writes the plan that the task has made to a new file; it waits on.
    fn save(&self, task: TaskId, path: &Path) -> Result<()> {
        let plans = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let plan = plans.get(&task).and_then(Ready::plan).cloned();
        drop(plans);
        plan.ok_or_else(acting::gone)?.save(path)
    }

    fn take(&self, task: TaskId) -> Option<Ready> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&task)
    }
}

/// What a task works with.
#[derive(Clone)]
struct Job {
    task: TaskId,
    session: Arc<Session>,
    control: Control,
    answers: Sender<Msg>,
    plans: Plans,
}

impl Job {
    /// Says something before the last word; waits where the screens are behind.
    async fn say(&self, answer: Answer) {
        _ = self.answers.send(Msg::Answer(self.task, answer)).await;
    }

    /// Says something that is out of date soon: dropped where the screens are behind.
    fn mention(&self, answer: Answer) {
        _ = self.answers.try_send(Msg::Answer(self.task, answer));
    }
}

/// Work that blocks, away from the tasks that must not.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(fault(error)))
}

fn fault(error: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Unexpected, "a task failed; this is a fault of postroom").because(error)
}

async fn consumers(job: &Job, address: &Address) -> Result<Groups> {
    offsets::groups(&job.session.places.open(address).await?).await
}

/// The tasks that are under way.
pub(crate) struct Runner {
    session: Arc<Session>,
    answers: Sender<Msg>,
    tasks: HashMap<TaskId, (CancellationToken, JoinHandle<()>)>,
    plans: Plans,
    /// Filters, between runs.
    kept: Kept,
}

impl Runner {
    pub(crate) fn new(session: Arc<Session>, answers: Sender<Msg>) -> Self {
        let kept = Kept::of_user(session.places.config().environment());
        Self { session, answers, tasks: HashMap::new(), plans: Plans::default(), kept }
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
            Effect::Drop(task) => _ = self.plans.take(task),
            // An archive is no broker: it is the list.
            Effect::List(task, address) if address.connection == Connection::File => {
                self.start(task, move |job| async move {
                    let listed = queues::describe(&job.session.places, &address).await?;
                    Ok(Answer::Queues(vec![listed], Vec::new()))
                });
            }
            Effect::List(task, address) => self.start(task, move |job| async move {
                let (listed, notes) = queues::list(&job.session.places, &address, false).await?;
                Ok(Answer::Queues(listed, notes))
            }),
            Effect::Show(task, address) => self.start(task, move |job| async move {
                let listed = queues::describe(&job.session.places, &address).await?;
                let groups = if listed.info.capability.groups {
                    // The rest of the page is worth showing without them.
                    consumers(&job, &address).await.unwrap_or_else(|error| Groups {
                        notes: vec![format!("the consumer groups can't be told: {error}")],
                        ..Groups::default()
                    })
                } else {
                    Groups::default()
                };
                Ok(Answer::Shown(Box::new(listed), groups))
            }),
            Effect::Consumers(task, address) => {
                self.start(task, |job| async move { consumers(&job, &address).await.map(Answer::Consumers) });
            }
            Effect::Cost(task, addresses) => self.start(task, move |job| acting::cost(job, addresses)),
            Effect::Look(task, at) => self.start(task, move |job| looking::look(job, at)),
            Effect::Groups(task, which, by) => self.start(task, move |job| looking::groups(job, which, by)),
            Effect::Find(task, which, from) => self.start(task, move |job| looking::find(job, which, from)),
            Effect::Rows(task, snapshot, indices, columns) => {
                self.start(task, move |job| looking::rows(job, snapshot, indices, columns));
            }
            Effect::Page(task, snapshot, index, address) => {
                self.start(task, move |job| looking::page(job, snapshot, index, address));
            }
            Effect::Remember(task, filter) => {
                let kept = self.kept.clone();
                self.start(task, move |_| async move {
                    blocking(move || kept.keep(&filter)).await?;
                    Ok(Answer::Saved(String::new()))
                });
            }
            Effect::Save(task, snapshot, indices, path) => self.start(task, move |_| async move {
                blocking(move || snapshot.save(&indices, path.trim())).await.map(Answer::Saved)
            }),
            Effect::SavePlan { task, plan, path } => self.start(task, move |job| async move {
                blocking(move || {
                    job.plans.save(plan, Path::new(&path))?;
                    Ok(Answer::Saved(format!("wrote {path}; run it: postroom plan run {}", quote(&path))))
                })
                .await
            }),
            Effect::Journals(task) => self.start(task, |job| async move {
                let journals = job.session.journals()?;
                let (runs, faults) = blocking(move || journals.list()).await?;
                Ok(Answer::Journals(runs, faults.iter().map(ToString::to_string).collect()))
            }),
            Effect::ReadRun(task, id) => self.start(task, |job| async move {
                let journals = job.session.journals()?;
                blocking(move || journals.show(&id)).await.map(|shown| Answer::Run(Box::new(shown)))
            }),
            Effect::Plan(task, act) => self.start(task, move |job| acting::plan(job, act)),
            Effect::ByHand(task, act) => self.start(task, move |job| acting::by_hand(job, act)),
            Effect::Run(task) => self.start(task, acting::run),
            // The terminal's.
            Effect::Copy(_) | Effect::Pager(_) | Effect::ReadInEditor(_) | Effect::Editor(_) | Effect::Suspend => {}
        }
    }

    fn start<F>(&mut self, task: TaskId, work: impl FnOnce(Job) -> F)
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
        // Where there is no folder for journals, the run itself says so.
        let control = Control { journals: self.session.journals().ok(), ..control };
        let (session, answers, plans) = (Arc::clone(&self.session), self.answers.clone(), self.plans.clone());
        let work = tokio::spawn(work(Job { task, session, control, answers, plans }));
        let answers = self.answers.clone();
        let handle = tokio::spawn(async move {
            let said = work.await.unwrap_or_else(|error| Err(fault(error)));
            _ = answers.send(Msg::Answer(task, said.unwrap_or_else(Answer::Failed))).await;
        });
        self.tasks.insert(task, (cancel, handle));
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.values().all(|(_, handle)| handle.is_finished())
    }
}
