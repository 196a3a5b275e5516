//! A connection to the cluster for questions: metadata, offsets, settings. Never part of a group.
//!
//! librdkafka's calls block, so each runs on a thread of its own and in slices, between which a refused login or a dead
//! cluster is noticed. Clients are dropped on the thread that serves their events: dropping one may block for long.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::context::{Context, Trouble};
use super::errors::{code, explain, is_passing, meaning};
use super::native::{self, Place};
use super::options::Options;
use super::settings::Settings;
use crate::broker::Extent;
use crate::error::{Error, ErrorKind, Result};

/// How long a question may take, with all its tries.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long the settings of topics are waited for, once a broker has answered something else: without them the rest works.
const SETTINGS: Duration = Duration::from_secs(3);
/// How often events are served where none wakes us.
const PUMP: Duration = Duration::from_millis(50);

/// A consumer and the thread that serves its events. The last clone that is dropped ends both.
pub(super) struct Client {
    pub(super) consumer: Arc<BaseConsumer<Context>>,
    pub(super) trouble: Trouble,
    place: Arc<str>,
    stop: Arc<AtomicBool>,
}

/// A topic as the cluster describes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Topic {
    pub(super) name: String,
    /// Their numbers, ascending.
    pub(super) partitions: Vec<i32>,
    /// Copies of each partition, the fewest.
    pub(super) replicas: usize,
    /// Partitions with fewer copies in sync than they should have.
    pub(super) lagging: usize,
}

/// Where a partition begins and ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Marks {
    /// The first offset that is there.
    pub(super) low: i64,
    /// The offset that the next record gets; with open transactions, the first one of theirs.
    pub(super) high: i64,
}

impl Marks {
    /// The same as an extent of a partition.
    pub(super) fn extent(self, partition: i32) -> Extent {
        let offset = |offset: i64| u64::try_from(offset).unwrap_or_default();
        Extent { partition: Some(partition), first: offset(self.low), end: offset(self.high.max(self.low)) }
    }
}

impl Client {
    /// Makes a client; nothing is connected before the first question.
    ///
    /// # Errors
    /// `Config` for options that librdkafka does not take; `Denied` where there is no token for a login that wants one.
    pub(super) async fn open(config: &ClientConfig, options: &Options, place: &Arc<str>) -> Result<Self> {
        let context = Context::default();
        let trouble = context.trouble.clone();
        let consumer = BaseConsumer::from_config_and_context(config, context)
            .map_err(|error| explain("opening the connection", &error))?;
        let (consumer, stop) = (Arc::new(consumer), Arc::new(AtomicBool::new(false)));
        if let Some(tokens) = options.tokens() {
            tokens.serve(&consumer, |consumer| Some(consumer.client())).await?;
        }
        let (served, stopped) = (Arc::clone(&consumer), Arc::clone(&stop));
        let pump = move || {
            while !stopped.load(Ordering::Acquire) {
                // Everything of interest goes to the context; records go to the queues of their partitions.
                drop(served.poll(PUMP));
            }
        };
        std::thread::Builder::new()
            .name("kafka events".into())
            .spawn(pump)
            .map_err(|error| Error::new(ErrorKind::Io, "no thread can be started").because(error))?;
        Ok(Self { consumer, trouble, place: Arc::clone(place), stop })
    }

    /// Asks on a thread of its own, in slices, until there is an answer, a definite error, or no more patience.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        doing: String,
        call: impl Fn(&BaseConsumer<Context>, Duration) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T> {
        self.ask_within(PATIENCE, doing, call).await
    }

    /// The same with another patience.
    async fn ask_within<T: Send + 'static>(
        &self,
        patience: Duration,
        doing: String,
        call: impl Fn(&BaseConsumer<Context>, Duration) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T> {
        let (consumer, trouble, place) = (Arc::clone(&self.consumer), self.trouble.clone(), Arc::clone(&self.place));
        let asking = move || {
            let deadline = Instant::now() + patience;
            let mut slice = Duration::from_secs(1);
            loop {
                let left = deadline.saturating_duration_since(Instant::now());
                let error = match call(&consumer, slice.min(left)) {
                    Ok(answer) => {
                        trouble.clear();
                        return Ok(answer);
                    }
                    Err(error) => error,
                };
                if !code(&error).is_some_and(is_passing) {
                    return Err(explain(&doing, &error));
                }
                if let Some(error) = trouble.verdict(&place) {
                    return Err(error);
                }
                if Instant::now() + Duration::from_millis(50) >= deadline {
                    return Err(trouble.timeout(&place));
                }
                // An error may come at once, and the answer takes one round trip on a slow line.
                std::thread::sleep(Duration::from_millis(50));
                slice *= 2;
            }
        };
        tokio::task::spawn_blocking(asking)
            .await
            .unwrap_or_else(|error| Err(Error::new(ErrorKind::Unexpected, "a question to Kafka failed").because(error)))
    }

    /// One topic, which is never created by asking.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `Unreachable`.
    pub(super) async fn topic(&self, name: &str) -> Result<Topic> {
        check_name(name)?;
        let doing = format!("looking up the topic {name:?}");
        let wanted = name.to_owned();
        let asked = self.ask(doing.clone(), move |consumer, slice| {
            let metadata = consumer.fetch_metadata(Some(&wanted), slice)?;
            Ok(metadata.topics().first().map(|topic| (topic.error().map(Code::from), facts(topic))))
        });
        match asked.await? {
            None | Some((Some(Code::UnknownTopicOrPartition | Code::UnknownTopic), _)) => {
                Err(Error::new(ErrorKind::NotFound, format!("there is no topic {name:?}"))
                    .hint("`postroom queues` lists what there is"))
            }
            Some((Some(code), topic)) if topic.partitions.is_empty() => Err(meaning(&doing, code)),
            Some((_, topic)) => Ok(topic),
        }
    }

    /// Every topic that the user may see, in the order of their names.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`.
    pub(super) async fn topics(&self) -> Result<Vec<Topic>> {
        let asked = self.ask("listing the topics".into(), |consumer, slice| {
            let metadata = consumer.fetch_metadata(None, slice)?;
            Ok(metadata.topics().iter().map(facts).collect::<Vec<_>>())
        });
        let mut topics = asked.await?;
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(topics)
    }

    /// A sign of life: how many brokers there are.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`.
    pub(super) async fn brokers(&self) -> Result<usize> {
        self.ask("asking for the brokers".into(), |consumer, slice| {
            Ok(consumer.fetch_metadata(None, slice)?.brokers().len())
        })
        .await
    }

    /// The cluster's id: the same whichever broker answers.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`.
    pub(super) async fn cluster(&self) -> Result<String> {
        self.ask("asking for the cluster's id".into(), |consumer, slice| {
            // None where no broker has answered yet.
            consumer.client().fetch_cluster_id(slice).ok_or(KafkaError::Global(Code::OperationTimedOut))
        })
        .await
    }

    /// Where the partitions of these topics begin and end: two rounds of questions, however many there are.
    ///
    /// # Errors
    /// What the brokers say of any of them.
    pub(super) async fn marks(&self, topics: &[Topic]) -> Result<BTreeMap<(String, i32), Marks>> {
        let (low, high) = tokio::try_join!(self.offsets(topics, Offset::Beginning), self.offsets(topics, Offset::End))?;
        let marks = low.into_iter().filter_map(|(place, low)| {
            let high = high.get(&place).copied().flatten()?;
            Some((place, Marks { low: low?, high }))
        });
        Ok(marks.collect())
    }

    /// For each partition the offset of the first record of that time or later; `None` where there is none yet.
    ///
    /// # Errors
    /// What the brokers say of any of them.
    pub(super) async fn at_time(&self, topic: &Topic, time: jiff::Timestamp) -> Result<BTreeMap<i32, Option<i64>>> {
        let asked = Offset::Offset(time.as_millisecond().max(0));
        let found = self.offsets(std::slice::from_ref(topic), asked).await?;
        Ok(found.into_iter().map(|((_, partition), offset)| (partition, offset)).collect())
    }

    /// For each partition the offset of the first record that is not older than that; `None` where there is none.
    ///
    /// # Errors
    /// What the brokers say of any of them.
    pub(super) async fn before(&self, topics: &[Topic], age: Duration) -> Result<BTreeMap<(String, i32), Option<i64>>> {
        let then = jiff::Timestamp::now().as_millisecond() - i64::try_from(age.as_millis()).unwrap_or_default();
        self.offsets(topics, Offset::Offset(then.max(0))).await
    }

    /// The settings of topics; one that may not be asked for is missing.
    ///
    /// # Errors
    /// What the cluster says to the question as a whole.
    pub(super) async fn settings(&self, topics: &[&str]) -> Result<BTreeMap<String, Settings>> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let topics: Vec<String> = topics.iter().map(ToString::to_string).collect();
        let asked = self.ask_within(SETTINGS, "asking for the topics' settings".into(), move |consumer, slice| {
            native::settings(consumer, &topics, slice)
        });
        Ok(asked.await?.into_iter().map(|(topic, settings)| (topic, Settings(settings))).collect())
    }

    /// Gives an order on a thread of its own, once: what changes something is never tried again by itself.
    ///
    /// # Errors
    /// What the cluster says; where the answer was lost, it may have been carried out.
    pub(super) async fn order(
        &self,
        call: impl FnOnce(&BaseConsumer<Context>, Duration) -> KafkaResult<Vec<Place>> + Send + 'static,
    ) -> KafkaResult<Vec<Place>> {
        let consumer = Arc::clone(&self.consumer);
        let ordered = tokio::task::spawn_blocking(move || call(&consumer, PATIENCE));
        ordered.await.unwrap_or(Err(KafkaError::Canceled))
    }

    /// Asks for offsets by time, where the beginning and the end count as times (the protocol's own -2 and -1).
    async fn offsets(&self, topics: &[Topic], wanted: Offset) -> Result<BTreeMap<(String, i32), Option<i64>>> {
        let asked: Vec<(String, i32)> = topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.clone(), *partition)))
            .collect();
        if asked.is_empty() {
            return Ok(BTreeMap::new());
        }
        let doing = match topics {
            [topic] => format!("asking for the offsets of {:?}", topic.name),
            _ => "asking for offsets".to_owned(),
        };
        self.ask(doing, move |consumer, slice| {
            let mut list = TopicPartitionList::with_capacity(asked.len());
            for (topic, partition) in &asked {
                list.add_partition_offset(topic, *partition, wanted)?;
            }
            let found = consumer.offsets_for_times(list, slice)?;
            let mut offsets = BTreeMap::new();
            for element in found.elements() {
                element.error()?;
                let offset = match element.offset() {
                    Offset::Offset(offset) => Some(offset),
                    _ => None,
                };
                offsets.insert((element.topic().to_owned(), element.partition()), offset);
            }
            Ok(offsets)
        })
        .await
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
    }
}

fn facts(topic: &rdkafka::metadata::MetadataTopic) -> Topic {
    let mut partitions: Vec<i32> = topic.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
    partitions.sort_unstable();
    Topic {
        name: topic.name().to_owned(),
        partitions,
        replicas: topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or_default(),
        lagging: topic.partitions().iter().filter(|p| p.isr().len() < p.replicas().len()).count(),
    }
}

/// Refuses what no topic can be called, before it is asked for.
fn check_name(name: &str) -> Result<()> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() > 249 || !name.chars().all(legal) || name == "." || name == ".." {
        return Err(Error::new(ErrorKind::NotFound, format!("{name:?} can't be the name of a topic"))
            .hint("names of topics have up to 249 letters, digits, dots, dashes and underscores"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_topic_is_called_is_not_asked_for() {
        assert!(["orders", "orders.DLT", "_x-1"].iter().all(|name| check_name(name).is_ok()));
        assert!(["", ".", "..", "a b", "é", "a/b"].iter().all(|name| check_name(name).is_err()));
        assert!(check_name(&"a".repeat(249)).is_ok() && check_name(&"a".repeat(250)).is_err());
    }
}
