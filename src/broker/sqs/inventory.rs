//! List and describe: names first, then one call for each queue that is looked at.
//!
//! Limits: SQS tells no rates, no consumers and no age of the oldest message (`CloudWatch` does).

use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use serde_json::json;
use tokio::time::{Instant, timeout_at};

use super::Shared;
use super::call::call;
use super::errors::Place;
use super::facts::{Facts, name_of};
use crate::broker::attributes;
use crate::broker::names::{self, named_like_a_dlq};
use crate::broker::{Accuracy, Capability, ListFilter, Listing, QueueInfo, Sampled};
use crate::error::{ErrorKind, Result};

/// Calls for attributes at once: SQS throttles an account, not a client.
const AT_ONCE: usize = 12;
/// How long all of them together may take.
const PATIENCE: Duration = Duration::from_secs(7);
/// Names in one answer.
const PAGE: i32 = 1000;

/// The queues whose names match.
///
/// # Errors
/// `Usage` for a bad glob; what SQS says to the list itself.
pub(super) async fn list(shared: &Shared, filter: &ListFilter) -> Result<Listing> {
    let glob = filter.glob.as_deref().unwrap_or("*");
    let matcher = names::glob(glob)?;
    let names = all_names(shared, literal_start(glob)).await?;
    let names: Vec<String> = names.into_iter().filter(|name| matcher.is_match(name)).collect();
    if filter.brief {
        let queues = names.into_iter().map(|name| info(shared, &unknown(name), Vec::new())).collect();
        return Ok(Listing { queues, notes: Vec::new() });
    }
    let end = Instant::now() + PATIENCE;
    let asked: Vec<_> = names.iter().map(|name| timeout_at(end, shared.facts(name))).collect();
    let told: Vec<_> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    let mut listing = Listing::default();
    let mut known = Vec::new();
    let mut unasked = 0;
    for (name, facts) in names.into_iter().zip(told) {
        match facts {
            Ok(Ok(facts)) => known.push(facts),
            // Deleted since it was listed.
            Ok(Err(error)) if error.kind() == ErrorKind::NotFound => {}
            Ok(Err(error)) => {
                listing.notes.push(format!("{name}: {error}"));
                known.push(unknown(name));
            }
            Err(_) => {
                unasked += 1;
                known.push(unknown(name));
            }
        }
    }
    if unasked > 0 {
        listing.notes.push(format!(
            "SQS tells of one queue at a time: of {unasked} queues only the names are known after {} s; a pattern (orders*) \
             asks for fewer",
            PATIENCE.as_secs()
        ));
    }
    for facts in &known {
        let points_here =
            |other: &&Facts| other.redrive().is_some_and(|redrive| facts.arn() == Some(redrive.to.as_str()));
        let from = known.iter().filter(points_here).map(|other| other.name.clone()).collect();
        listing.queues.push(info(shared, facts, from));
    }
    Ok(listing)
}

/// Everything about one queue.
///
/// # Errors
/// `NotFound`; what SQS says.
pub(super) async fn describe(shared: &Shared, queue: &str) -> Result<QueueInfo> {
    let facts = shared.facts(queue).await?;
    let sources = sources(shared, &facts).await;
    let mut notes = Vec::new();
    let from = sources.unwrap_or_else(|error| {
        notes.push(format!("the queues that dead-letter into it are not known: {error}"));
        Vec::new()
    });
    let mut info = info(shared, &facts, from);
    let oldest = json!("SQS does not tell it; CloudWatch does (ApproximateAgeOfOldestMessage)");
    info.details.insert(0, ("oldest".to_owned(), oldest));
    info.notes.extend(notes);
    Ok(info)
}

/// The literal text that a glob begins with, which SQS itself can filter by.
fn literal_start(glob: &str) -> &str {
    glob.split(['*', '?', '[', '{', '\\']).next().unwrap_or_default()
}

async fn all_names(shared: &Shared, prefix: &str) -> Result<Vec<String>> {
    let client = shared.first_client().await?;
    let place = Place { action: "ListQueues", ..Place::default() };
    let mut names = Vec::new();
    let mut token = None;
    loop {
        let ask = || {
            let prefix = Some(prefix.to_owned()).filter(|prefix| !prefix.is_empty());
            client.list_queues().max_results(PAGE).set_queue_name_prefix(prefix).set_next_token(token.clone()).send()
        };
        let page = call(&shared.throttling, true, ask).await.map_err(|trouble| trouble.explain(&place))?;
        names.extend(page.queue_urls.unwrap_or_default().iter().map(|url| name_of(url).to_owned()));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(names);
        }
    }
}

/// The queues whose redrive policy names this one.
async fn sources(shared: &Shared, facts: &Facts) -> Result<Vec<String>> {
    let client = shared.client().await;
    let place = Place { action: "ListDeadLetterSourceQueues", queue: &facts.name, arn: facts.arn() };
    let mut names = Vec::new();
    let mut token = None;
    loop {
        let ask = || {
            client
                .list_dead_letter_source_queues()
                .queue_url(&facts.url)
                .max_results(PAGE)
                .set_next_token(token.clone())
                .send()
        };
        let page = call(&shared.throttling, true, ask).await.map_err(|trouble| trouble.explain(&place))?;
        names.extend(page.queue_urls.iter().map(|url| name_of(url).to_owned()));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(names);
        }
    }
}

/// A queue of which only the name is known.
fn unknown(name: String) -> Facts {
    Facts { name, url: String::new(), attributes: std::collections::HashMap::new() }
}

/// A queue as the seam shows it.
pub(super) fn info(shared: &Shared, facts: &Facts, dead_letter_from: Vec<String>) -> QueueInfo {
    let known = !facts.attributes.is_empty();
    let to = facts.redrive().map(|redrive| name_of(&redrive.to).to_owned());
    let mut server_side = facts.capability().server_side;
    // Its tasks move only out of dead-letter queues.
    server_side.moves = server_side.moves.filter(|_| !dead_letter_from.is_empty());
    let mut notes = Vec::new();
    if facts.delayed() > 0 {
        notes.push(format!("about {} messages are delayed and can't be read yet", facts.delayed()));
    }
    QueueInfo {
        name: facts.name.clone(),
        broker: None,
        kind: if facts.is_fifo() { "fifo" } else { "standard" }.to_owned(),
        messages: known.then(|| facts.visible()),
        accuracy: Accuracy::Approximate,
        in_flight: known.then(|| facts.in_flight()),
        sampled: Sampled::Unknown,
        bytes: None,
        consumers: None,
        rate_in: None,
        rate_out: None,
        oldest: None,
        expiry: facts.retention(),
        dead_letter_to: to.into_iter().collect(),
        is_dlq: !dead_letter_from.is_empty() || named_like_a_dlq(&facts.name),
        dead_letter_from,
        read_cost: facts.read_cost(shared.settings.lease),
        capability: Capability { server_side, ..facts.capability() },
        details: attributes::details(&facts.by_name(), facts.is_fifo()),
        notes,
    }
}
