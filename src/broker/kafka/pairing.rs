//! Which topic's dead letters are in which: by the usual names, and by what the newest records say of their origin.
//!
//! Limits: a topic that is not named like one of dead letters is not looked into; records that say nothing of their origin
//! leave it to the names.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;

use super::Shared;
use super::read::KafkaReader;
use crate::broker::{BrowseOptions, From, Reader as _};
use crate::error::{Error, Result};
use crate::message::Message;
use crate::message::failure::{Origin, detect};
use crate::message::queue_name::sources_of;

/// Topics that are looked into for a list, and how many at once.
const LOOKED_INTO: usize = 16;
const AT_ONCE: usize = 4;
/// Records of each partition that are looked at.
const NEWEST: u64 = 5;
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long its answer is good.
const HOLDS: Duration = Duration::from_mins(1);

/// What records said of their origin lately: a screen that is drawn again every second must not read topics for it.
#[derive(Debug, Default)]
pub(super) struct Origins(Mutex<HashMap<String, (Instant, BTreeSet<String>)>>);

impl Origins {
    fn get(&self, topic: &str) -> Option<BTreeSet<String>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(topic).filter(|(then, _)| then.elapsed() < HOLDS).map(|(_, origins)| origins.clone())
    }

    fn keep(&self, topic: &str, origins: &BTreeSet<String>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(topic.to_owned(), (Instant::now(), origins.clone()));
    }
}

/// The topics whose dead letters have this name, by the usual ways to make one.
pub(super) fn by_name(name: &str, names: &BTreeSet<String>) -> BTreeSet<String> {
    sources_of(name).filter(|source| names.contains(*source)).map(ToOwned::to_owned).collect()
}

/// The topics that the newest records of these name as their origin; nothing where they can't be read in time.
pub(super) async fn by_records(shared: &Arc<Shared>, topics: Vec<String>) -> BTreeMap<String, BTreeSet<String>> {
    let look = |topic: String| async move {
        if let Some(known) = shared.origins.get(&topic) {
            return (topic, known);
        }
        let options = BrowseOptions { from: From::Last(NEWEST), ..BrowseOptions::default() };
        let found = read(shared, &topic, options).await.unwrap_or_default();
        let origins = found.iter().filter_map(|message| match detect(message)?.origin? {
            Origin::Topic { topic, .. } | Origin::Queue(topic) => Some(topic),
            Origin::Exchange { .. } => None,
        });
        let origins: BTreeSet<String> = origins.filter(|origin| *origin != topic).collect();
        shared.origins.keep(&topic, &origins);
        (topic, origins)
    };
    stream::iter(topics.into_iter().take(LOOKED_INTO)).map(look).buffer_unordered(AT_ONCE).collect().await
}

/// The time of the oldest record; `None` where there is none, or it can't be read in time.
pub(super) async fn oldest(shared: &Arc<Shared>, topic: &str) -> Option<Timestamp> {
    let options = BrowseOptions { limit: Some(1), ..BrowseOptions::default() };
    read(shared, topic, options).await.ok()?.first()?.time
}

/// How large the newest records of a topic are, in bytes: keys, headers and payloads.
pub(super) async fn newest_sizes(shared: &Arc<Shared>, topic: &str) -> Vec<u64> {
    let options = BrowseOptions { from: From::Last(NEWEST), ..BrowseOptions::default() };
    let newest = read(shared, topic, options).await.unwrap_or_default();
    newest.iter().map(Message::size).collect()
}

async fn read(shared: &Arc<Shared>, topic: &str, options: BrowseOptions) -> Result<Vec<Message>> {
    let mut found = Vec::new();
    let looking = async {
        let mut reader = KafkaReader::browse(Arc::clone(shared), topic, options).await?;
        loop {
            let batch = reader.next_batch(100).await?;
            found.extend(batch.deliveries.into_iter().map(|delivery| delivery.message));
            if batch.end.is_some() {
                reader.close().await?;
                return Ok::<(), Error>(());
            }
        }
    };
    // What came in time is better than nothing.
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or(Ok(()))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letters_are_paired_by_the_usual_names() {
        let names: BTreeSet<String> = ["orders", "Orders", "dlq"].map(ToOwned::to_owned).into();
        for name in ["orders.DLT", "orders-dlt", "orders_dlq", "orders.dead-letter", "dlq.orders", "dlq-orders"] {
            assert_eq!(by_name(name, &names), ["orders".to_owned()].into(), "{name}");
        }
        for name in ["orders", "dlq", "payments.dlt", "ordersdlq", "-dlq"] {
            assert_eq!(by_name(name, &names), BTreeSet::new(), "{name}");
        }
    }
}
