//! What SQS does with a whole queue by itself: a purge, and a task that moves messages out of a dead-letter queue.
//!
//! Rules (API reference): one purge a minute and queue, which also drops what is in flight and may drop what arrives
//! while it runs; one move task a queue, of a dead-letter queue of SQS queues, with at most 500 messages a second where a
//! rate is set. Limits: counts are SQS's estimates.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::ListMessageMoveTasksResultEntry as Listed;
use tokio::time::Instant;

use super::Shared;
use super::call::call;
use super::errors::Place;
use super::facts::{Facts, name_of};
use crate::broker::{Advance, Stand, Underway, Wholesale};
use crate::error::{Error, ErrorKind, Result};

/// How long a purge takes at most.
const PURGE: Duration = Duration::from_mins(1);
/// The rates that a move task takes.
const RATES: std::ops::RangeInclusive<u32> = 1..=500;
/// How long a task that has begun may be missing in the list of tasks.
const UNLISTED: Duration = Duration::from_secs(30);
/// Tasks in one answer: all that SQS keeps.
const TASKS: i32 = 10;

/// Begins it.
///
/// # Errors
/// `Ambiguous` where the answer was lost; what SQS says.
pub(super) async fn begin(shared: &Arc<Shared>, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
    let facts = shared.facts(queue).await?;
    let there = facts.visible() + facts.in_flight() + facts.delayed();
    match what {
        Wholesale::Drop => {
            let client = shared.client().await;
            let ask = || client.purge_queue().queue_url(&facts.url).send();
            let place = Place { action: "PurgeQueue", queue, arn: facts.arn() };
            call(&shared.throttling, false, ask)
                .await
                .map_err(|trouble| trouble.doubt("purge").unwrap_or_else(|| trouble.explain(&place)))?;
            Ok(Box::new(Purge { shared: Arc::clone(shared), there, end: Instant::now() + PURGE, facts }))
        }
        Wholesale::Move { to, rate } => {
            if let Some(rate) = rate.filter(|rate| !RATES.contains(rate)) {
                return Err(Error::new(ErrorKind::Usage, format!("SQS moves 1 to 500 messages a second, not {rate}")));
            }
            let source = arn(&facts)?;
            let to = match to {
                None => None,
                Some(to) => Some(arn(&shared.facts(&to).await?)?),
            };
            let mut task = Task {
                shared: Arc::clone(shared),
                source,
                handle: String::new(),
                there,
                after: 0,
                begun: Instant::now(),
                moved: 0,
                cancelled: false,
                facts,
            };
            // Asked before anything is begun: without the right to list, nobody could tell how far it is.
            if let Some(last) = task.latest().await? {
                refuse_second(&task, &last)?;
                task.after = last.started_timestamp();
            }
            task.start(to, rate).await?;
            Ok(Box::new(task))
        }
    }
}

fn arn(facts: &Facts) -> Result<String> {
    facts
        .arn()
        .map(ToOwned::to_owned)
        .ok_or_else(|| Error::new(ErrorKind::Unexpected, format!("SQS does not name the ARN of {:?}", facts.name)))
}

/// Refuses where a task of the queue is under way.
fn refuse_second(task: &Task, last: &Listed) -> Result<()> {
    if !matches!(last.status(), Some("RUNNING" | "CANCELLING")) {
        return Ok(());
    }
    let to = last.destination_arn().map_or_else(String::new, |arn| format!(" to {:?}", name_of(arn)));
    let what = format!(
        "a move out of {:?}{to} is under way, with {} messages moved so far, and SQS allows one at a time",
        task.facts.name,
        last.approximate_number_of_messages_moved()
    );
    Err(Error::new(ErrorKind::Refused, what).hint("wait for its end"))
}

/// A purge under way.
struct Purge {
    shared: Arc<Shared>,
    facts: Facts,
    there: u64,
    end: Instant,
}

#[async_trait]
impl Underway for Purge {
    async fn advance(&mut self) -> Result<Advance> {
        let facts = self.shared.facts(&self.facts.name).await?;
        let left = facts.visible() + facts.in_flight() + facts.delayed();
        let stand = if left == 0 || Instant::now() >= self.end { Stand::Done } else { Stand::Running };
        Ok(Advance { done: self.there.saturating_sub(left), of: Some(self.there), stand })
    }

    async fn cancel(&mut self) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "a purge that has begun can't be stopped"))
    }
}

/// A move task.
struct Task {
    shared: Arc<Shared>,
    facts: Facts,
    source: String,
    handle: String,
    there: u64,
    /// When the queue's last task before this one was started, in milliseconds since 1970.
    after: i64,
    begun: Instant,
    /// Messages moved, as far as was told.
    moved: u64,
    /// SQS has said yes to a cancel. Some servers do not list such a task any more (`ElasticMQ`).
    cancelled: bool,
}

impl Task {
    fn place(&self, action: &'static str) -> Place<'_> {
        Place { action, queue: &self.facts.name, arn: self.facts.arn() }
    }

    /// The queue's latest task.
    async fn latest(&self) -> Result<Option<Listed>> {
        let client = self.shared.client().await;
        let ask = || client.list_message_move_tasks().source_arn(&self.source).max_results(TASKS).send();
        let place = self.place("ListMessageMoveTasks");
        let told = call(&self.shared.throttling, true, ask).await.map_err(|trouble| trouble.explain(&place))?;
        Ok(told.results.unwrap_or_default().into_iter().max_by_key(Listed::started_timestamp))
    }

    async fn start(&mut self, to: Option<String>, rate: Option<u32>) -> Result<()> {
        let client = self.shared.client().await;
        let ask = || {
            client
                .start_message_move_task()
                .source_arn(&self.source)
                .set_destination_arn(to.clone())
                .set_max_number_of_messages_per_second(rate.and_then(|rate| i32::try_from(rate).ok()))
                .send()
        };
        let place = self.place("StartMessageMoveTask");
        let task = call(&self.shared.throttling, false, ask)
            .await
            .map_err(|trouble| trouble.doubt("start of the move").unwrap_or_else(|| trouble.explain(&place)))?;
        self.handle = task.task_handle.unwrap_or_default();
        self.begun = Instant::now();
        Ok(())
    }
}

#[async_trait]
impl Underway for Task {
    async fn advance(&mut self) -> Result<Advance> {
        let Some(task) = self.latest().await?.filter(|task| task.started_timestamp() > self.after) else {
            let stand = if self.cancelled {
                Stand::Cancelled
            } else if self.begun.elapsed() < UNLISTED {
                Stand::Running
            } else {
                Stand::Failed("SQS does not list the task".to_owned())
            };
            return Ok(Advance { done: self.moved, of: Some(self.there), stand });
        };
        self.moved = number(task.approximate_number_of_messages_moved());
        let stand = match task.status().unwrap_or_default() {
            "COMPLETED" => Stand::Done,
            "CANCELLED" => Stand::Cancelled,
            "FAILED" => Stand::Failed(task.failure_reason().unwrap_or("SQS gives no reason").to_owned()),
            _ => Stand::Running,
        };
        Ok(Advance {
            done: self.moved,
            of: task.approximate_number_of_messages_to_move().map(number).or(Some(self.there)),
            stand,
        })
    }

    async fn cancel(&mut self) -> Result<()> {
        let client = self.shared.client().await;
        let ask = || client.cancel_message_move_task().task_handle(&self.handle).send();
        let place = self.place("CancelMessageMoveTask");
        let answer = call(&self.shared.throttling, true, ask).await.map_err(|trouble| trouble.explain(&place))?;
        self.moved = self.moved.max(number(answer.approximate_number_of_messages_moved));
        self.cancelled = true;
        Ok(())
    }
}

fn number(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}
