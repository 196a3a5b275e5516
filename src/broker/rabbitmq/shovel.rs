//! Moves by the broker itself: a shovel that ends when it has moved as many messages as its queue had at its start.
//!
//! Rules (RabbitMQ's documentation of dynamic shovels): a shovel is a parameter of the virtual host; with
//! `src-delete-after: queue-length` the broker clears it when the shovel is done; with `ack-mode: on-confirm` a message is
//! acknowledged when its copy is confirmed, and goes back where the target refuses it (seen on 4.3 with a full target: 50
//! moved, 1,950 stayed; of 100, 10 were in both queues). The copies are not mandatory: what is sent to a target that is deleted meanwhile is confirmed and
//! gone, so what arrived is counted where nobody consumes it. Deleting the parameter ends the shovel; what it held goes back,
//! and a quorum queue may count that. Limits: counts are of ready messages; without the plugin's own API nobody is told why a
//! shovel fails, so one that moves nothing for a while is taken for failed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Shared;
use super::connection::close_quietly;
use super::learn;
use crate::broker::{Advance, Stand, Underway, Wholesale};
use crate::error::{Error, ErrorKind, Result};

/// The component whose parameters shovels are.
const COMPONENT: &str = "shovel";
/// How many messages a shovel holds at most: they are in the hands of nobody when it is cut off.
const PREFETCH: u32 = 500;
/// How many seconds pass before it connects again after a failure.
const RECONNECT: u32 = 1;
/// How long a shovel may move nothing.
const STALLED: Duration = Duration::from_secs(30);
/// How long one may move nothing out of a queue that has nothing more to give: others took what was there.
const DRY: Duration = Duration::from_secs(5);
/// How far two counts of a queue are apart that must be the same.
const BEAT: Duration = Duration::from_secs(1);
/// How long a queue takes at most to have back what a shovel held.
const BACK: Duration = Duration::from_secs(10);

/// The name of the shovel of a queue: there is at most one.
fn name_of(queue: &str) -> String {
    format!("postroom: move {queue}")
}

fn target(what: &Wholesale) -> Result<&str> {
    match what {
        Wholesale::Move { rate: Some(_), .. } => {
            Err(Error::new(ErrorKind::Unsupported, "a shovel has no rate: it moves as fast as the broker can")
                .hint("leave out --rate, or leave out --server-side"))
        }
        Wholesale::Move { to: Some(to), rate: None } => Ok(to),
        Wholesale::Move { to: None, .. } => {
            Err(Error::new(ErrorKind::Unsupported, "a shovel moves all messages to one queue")
                .hint("name it with --to"))
        }
        Wholesale::Drop => Err(Error::new(ErrorKind::Unsupported, "no queue is emptied by the broker itself")),
    }
}

/// Whether a shovel can be made, asked by one that is none: its empty definition is always refused.
///
/// # Errors
/// `Unsupported` without the plugin or the management API, `Denied` without the tag, `Refused` where one is under way.
pub(super) async fn check(shared: &Shared, queue: &str, what: &Wholesale) -> Result<()> {
    target(what)?;
    let name = name_of(queue);
    if shared.management.parameter(COMPONENT, &name).await?.is_some() {
        return Err(under_way(queue, &name));
    }
    match shared.management.set_parameter(COMPONENT, &format!("{name}?"), &json!({})).await {
        Err(error) if error.kind() == ErrorKind::Rejected && error.message().contains("component") => {
            Err(Error::new(ErrorKind::Unsupported, "this broker has no shovels: its plugin rabbitmq_shovel is off")
                .hint("leave out --server-side, or have `rabbitmq-plugins enable rabbitmq_shovel` run on its nodes"))
        }
        Err(error) if error.kind() == ErrorKind::Rejected => Ok(()),
        Err(error) => Err(error),
        // It takes what no shovel can be: it would never have run.
        Ok(()) => shared.management.clear_parameter(COMPONENT, &format!("{name}?")).await,
    }
}

fn under_way(queue: &str, name: &str) -> Error {
    Error::new(ErrorKind::Refused, format!("a move out of {queue:?} is under way: the shovel {name:?}"))
        .hint("wait for its end, or delete the shovel")
}

/// Begins a move.
///
/// # Errors
/// As [`check`]; `Ambiguous` where the answer was lost.
pub(super) async fn begin(shared: &Arc<Shared>, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
    let to = target(&what)?;
    check(shared, queue, &what).await?;
    let ((there, _), before) = (count(shared, queue).await?, count(shared, to).await?);
    let shovel = Shovel {
        shared: Arc::clone(shared),
        queue: queue.to_owned(),
        to: to.to_owned(),
        name: name_of(queue),
        there,
        before,
        left: there,
        news: Instant::now(),
        stand: (there == 0).then_some(Stand::Done),
    };
    if there > 0 {
        shared.management.set_parameter(COMPONENT, &shovel.name, &definition(shared, queue, to)).await?;
    }
    Ok(Box::new(shovel))
}

fn definition(shared: &Shared, queue: &str, to: &str) -> Value {
    // The broker connects to itself, as whoever set the parameter: no password stands in it.
    let uri = format!("amqp:///{}", shared.management.vhost());
    json!({
        "src-protocol": "amqp091", "src-uri": uri, "src-queue": queue, "src-predeclared": true,
        "src-delete-after": "queue-length", "src-prefetch-count": PREFETCH, "ack-mode": "on-confirm",
        "dest-protocol": "amqp091", "dest-uri": uri, "dest-queue": to, "dest-predeclared": true,
        "dest-add-forward-headers": false, "reconnect-delay": RECONNECT,
    })
}

/// Ready messages and consumers.
async fn count(shared: &Shared, queue: &str) -> Result<(u64, u64)> {
    let channel = shared.consuming().await?.channel().await?;
    let counted = learn::count(&channel, queue).await?;
    close_quietly(&channel).await;
    Ok(counted)
}

/// A shovel under way.
struct Shovel {
    shared: Arc<Shared>,
    queue: String,
    to: String,
    name: String,
    /// Messages at its start.
    there: u64,
    /// What the target had then, and how many consumers.
    before: (u64, u64),
    /// Messages that were ready when it was last looked.
    left: u64,
    /// When something was last moved.
    news: Instant,
    /// How it ended.
    stand: Option<Stand>,
}

impl Shovel {
    fn advanced(&self, stand: Stand) -> Advance {
        Advance { done: self.there.saturating_sub(self.left), of: Some(self.there), stand }
    }

    /// Waits until the queue has back what the shovel held: two counts in a row that are the same.
    async fn settle(&mut self) -> Result<()> {
        let end = Instant::now() + BACK;
        let mut last = None;
        while Instant::now() < end {
            let (ready, _) = count(&self.shared, &self.queue).await?;
            self.left = ready;
            if last.replace(ready) == Some(ready) {
                break;
            }
            tokio::time::sleep(BEAT).await;
        }
        Ok(())
    }

    /// How a shovel that is gone has ended: where nobody consumes what it moved, it has to be there.
    async fn ended(&mut self) -> Result<Stand> {
        self.settle().await?;
        let (there, consumers) = count(&self.shared, &self.to).await?;
        let (before, consumed) = self.before;
        let moved = self.there.saturating_sub(self.left);
        let arrived = there.saturating_sub(before);
        if consumers > 0 || consumed > 0 || arrived >= moved {
            return Ok(Stand::Done);
        }
        Ok(Stand::Failed(format!(
            "{moved} messages left {:?}, and {:?} has only {arrived} more: the rest is lost where the target was \
             deleted or emptied meanwhile, unless somebody took it there",
            self.queue, self.to
        )))
    }
}

#[async_trait]
impl Underway for Shovel {
    async fn advance(&mut self) -> Result<Advance> {
        if let Some(stand) = &self.stand {
            return Ok(self.advanced(stand.clone()));
        }
        // Asked for first: what it moved before it was gone is counted.
        let gone = self.shared.management.parameter(COMPONENT, &self.name).await?.is_none();
        let (ready, _) = count(&self.shared, &self.queue).await?;
        if ready != std::mem::replace(&mut self.left, ready) {
            self.news = Instant::now();
        }
        if gone {
            let stand = self.ended().await?;
            self.stand = Some(stand.clone());
            return Ok(self.advanced(stand));
        }
        let quiet = self.news.elapsed();
        if quiet < if ready == 0 { DRY } else { STALLED } {
            return Ok(self.advanced(Stand::Running));
        }
        self.shared.management.clear_parameter(COMPONENT, &self.name).await?;
        let ended = self.ended().await?;
        let stand = if self.left == 0 || ended != Stand::Done {
            ended
        } else {
            Stand::Failed(format!(
                "the shovel moved nothing for {} s and was removed; the broker's log says why",
                quiet.as_secs()
            ))
        };
        self.stand = Some(stand.clone());
        Ok(self.advanced(stand))
    }

    async fn cancel(&mut self) -> Result<()> {
        if self.stand.is_none() {
            self.shared.management.clear_parameter(COMPONENT, &self.name).await?;
            self.settle().await?;
            self.stand = Some(Stand::Cancelled);
        }
        Ok(())
    }
}
