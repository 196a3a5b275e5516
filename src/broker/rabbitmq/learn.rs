//! Learning what a queue is before touching it: from the management API, else from what AMQP lets through.
//!
//! Without the API the type is learned from the refusal of a declaration: RabbitMQ compares a declaration with the
//! queue that exists and names the difference. The declaration carries a type that does not exist, so that it can
//! never create anything. Limits: that needs the configure permission, and says nothing about policies.

use std::time::Duration;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable};

use super::Shared;
use super::api::Queue;
use super::connection::{Link, close_quietly};
use super::errors::{answer, explain, fixed, reply, short};
use super::facts::{Facts, Kind, Version};
use super::policy::{Policies, Settings};
use crate::error::{Error, ErrorKind, Result};

/// How long to wait for a new queue's first statistics, which name its policies; they come every five seconds.
const STATISTICS: Duration = Duration::from_secs(7);

/// Ready messages and consumers of a queue, by a passive declare. A failure closes the channel.
///
/// # Errors
/// `NotFound`, `Locked` for another connection's exclusive queue, `Denied`, `Timeout`.
pub(super) async fn count(channel: &Channel, queue: &str) -> Result<(u64, u64)> {
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let doing = format!("looking at the queue {queue:?}");
    let found =
        answer(&doing, channel.queue_declare(short("queue name", queue)?, options, FieldTable::default())).await?;
    Ok((found.message_count().into(), found.consumer_count().into()))
}

/// Everything that decides how a queue may be read.
///
/// # Errors
/// `NotFound`, `Locked`, `Denied`, `Unreachable`; never only because the management API is missing.
pub(super) async fn learn(shared: &Shared, queue: &str) -> Result<Facts> {
    short("queue name", queue)?;
    if let Some(facts) = shared.known(queue) {
        return Ok(facts);
    }
    let facts = ask(shared, queue).await?;
    shared.remember(&facts);
    Ok(facts)
}

async fn ask(shared: &Shared, queue: &str) -> Result<Facts> {
    let (row, version, policies) = tokio::join!(shared.management.queue(queue), shared.version(), policies(shared));
    match row {
        Ok(Some(row)) => from_row(shared, row, version, policies).await,
        Ok(None) => Err(missing(shared, queue)),
        Err(error) => from_amqp(shared, queue, version, &error).await,
    }
}

fn missing(shared: &Shared, queue: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "there is no queue {queue:?} in the virtual host {:?} of {}",
            shared.login.vhost(),
            shared.login.place()
        ),
    )
    .hint("`postroom queues` lists what there is")
}

/// The policies, where the user may read them.
pub(super) async fn policies(shared: &Shared) -> Option<Policies> {
    let (user, operator) = tokio::join!(shared.management.policies(), shared.management.operator_policies());
    Some(Policies::new(user.ok()?, operator.ok()?))
}

async fn from_row(
    shared: &Shared,
    mut row: Queue,
    version: Option<Version>,
    policies: Option<Policies>,
) -> Result<Facts> {
    let mut notes = Vec::new();
    let kind = Kind::parse(&row.kind);
    let settings = if let Some(policies) = &policies {
        Some(policies.settings(&row))
    } else {
        if kind == Kind::Quorum && Settings::reported(&row).is_none() {
            row = with_statistics(shared, row).await?;
        }
        Settings::reported(&row)
    };
    if settings.is_none() {
        notes.push("policies: not readable for this user, and the queue has no statistics yet".to_owned());
    }
    let policies_known = settings.is_some();
    let settings = settings.unwrap_or_else(|| Settings::arguments_only(&row));
    let consumers = row.consumers.or(Some(row.consumer_details.len() as u64));
    Ok(Facts {
        name: row.name.clone(),
        kind,
        version,
        settings,
        policies_known,
        ready: row.messages_ready,
        consumers,
        row: Some(row),
        notes,
    })
}

/// Waits for a new queue's first statistics; without them the row stays as it is.
async fn with_statistics(shared: &Shared, mut row: Queue) -> Result<Queue> {
    let end = tokio::time::Instant::now() + STATISTICS;
    while Settings::reported(&row).is_none() && tokio::time::Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(500)).await;
        row = shared.management.queue(&row.name).await?.ok_or_else(|| missing(shared, &row.name))?;
    }
    Ok(row)
}

async fn from_amqp(shared: &Shared, queue: &str, version: Option<Version>, why: &Error) -> Result<Facts> {
    let link = shared.consuming().await?;
    let channel = link.channel().await?;
    let (ready, consumers) = count(&channel, queue).await?;
    close_quietly(&channel).await;
    let kind = probe_kind(&link, queue).await?;
    let mut notes =
        vec![format!("{why}; only what AMQP tells is known: no policies, no rates, no dead-letter pairing")];
    if kind == Kind::Unknown {
        notes.push("the queue's type could not be learned: the user lacks the configure permission for it".to_owned());
    }
    Ok(Facts {
        name: queue.to_owned(),
        kind,
        version,
        settings: Settings::default(),
        row: None,
        policies_known: false,
        ready: Some(ready),
        consumers: Some(consumers),
        notes,
    })
}

/// The type of a queue that exists, from the refusal of a declaration that can't create one.
async fn probe_kind(link: &Link, queue: &str) -> Result<Kind> {
    // Each attempt is refused for the first difference, so the flags that come before the type are tried out.
    for (durable, auto_delete) in [(true, false), (true, true), (false, false), (false, true)] {
        let channel = link.channel().await?;
        let mut arguments = FieldTable::default();
        arguments.insert(fixed("x-queue-type"), AMQPValue::LongString("postroom-asks".into()));
        let options = QueueDeclareOptions { durable, auto_delete, ..QueueDeclareOptions::default() };
        let declared = channel.queue_declare(short("queue name", queue)?, options, arguments);
        let refusal = match tokio::time::timeout(super::errors::PATIENCE, declared).await {
            Ok(Err(error)) => error,
            Ok(Ok(_)) => return Ok(Kind::Unknown),
            Err(_) => return Err(Error::new(ErrorKind::Timeout, format!("RabbitMQ did not answer about {queue:?}"))),
        };
        match reply(&refusal) {
            Some((406, text)) if text.contains("x-queue-type") => return Ok(kind_named(&text)),
            Some((406, _)) => {}
            Some((403, _)) => return Ok(Kind::Unknown),
            _ => return Err(explain(&format!("asking for the type of {queue:?}"), &refusal)),
        }
    }
    Ok(Kind::Unknown)
}

/// Reads `inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received 'x' but current is 'quorum'`.
fn kind_named(text: &str) -> Kind {
    let current = text.rsplit_once("but current is ").map_or("", |(_, current)| current);
    if current.contains("'quorum'") {
        Kind::Quorum
    } else if current.contains("'stream'") {
        Kind::Stream
    } else if current.contains("'classic'") || current.contains("none") {
        Kind::Classic
    } else {
        Kind::Unknown
    }
}
