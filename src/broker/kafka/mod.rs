//! Kafka, by librdkafka.
//!
//! ```text
//! errors     what an error means               context    what is told beside the answers
//! options    librdkafka's properties           client     questions and orders     native  those in C only
//! settings   of a topic                        groups     who reads a topic, and how far
//! inventory  list and describe                 pairing    whose dead letters they are
//! read       a look or a take, by assignment
//! scan       threads that filter borrowed bytes           merge   partitions in the order of time
//! remove     everything before an offset       publish    idempotent and confirmed
//! convert    a record and our message             token       logins that hold for a while
//! ```
//!
//! The rules it keeps: no group is ever joined and no offset committed by looking; no topic is ever created; a record is
//! removed only as part of a prefix.

mod client;
mod context;
mod convert;
mod errors;
mod groups;
mod inventory;
mod merge;
mod native;
mod options;
mod pairing;
mod publish;
mod read;
mod remove;
mod scan;
mod settings;
mod token;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;

use self::client::{Client, Topic};
use self::native::Operation;
use self::options::Options;
use self::pairing::Origins;
use self::publish::{KafkaPublisher, Lines};
use self::read::KafkaReader;
use self::settings::Settings;
use super::{
    Access, Address, Broker, BrokerInfo, BrowseOptions, Capability, Connect, Connection, From, Groups, ListFilter,
    Listing, Log, Publisher, QueueInfo, Reader, Right, TakeOptions, Target,
};
use crate::error::{Error, ErrorKind, Result};

/// A Kafka cluster.
pub struct Kafka {
    shared: Arc<Shared>,
}

/// What readers and publishers of one profile share.
struct Shared {
    address: Address,
    place: Arc<str>,
    options: Options,
    /// For questions; made at the first one.
    client: OnceCell<Arc<Client>>,
    lines: Lines,
    origins: Origins,
}

impl Shared {
    /// The client for questions. The first one opens it.
    async fn client(&self) -> Result<Arc<Client>> {
        let open = async || Client::open(&self.options.consumer(), &self.options, &self.place).await.map(Arc::new);
        self.client.get_or_try_init(open).await.cloned()
    }

    /// The address of a topic, for the messages read from it.
    fn address(&self, topic: &str) -> Arc<str> {
        self.address.at(Target::queue(topic)).to_string().into()
    }

    async fn topic(&self, name: &str) -> Result<Topic> {
        self.client().await?.topic(name).await
    }

    /// A topic's settings; none where they can't be had.
    async fn settings(&self, topic: &str) -> Settings {
        let Ok(client) = self.client().await else { return Settings::default() };
        client.settings(&[topic]).await.ok().and_then(|mut found| found.remove(topic)).unwrap_or_default()
    }
}

impl Kafka {
    /// Prepares a connection; nothing is opened before the first use.
    ///
    /// # Errors
    /// `Config` for an option that can't be set.
    pub fn new(connect: &Connect) -> Result<Self> {
        let options = Options::new(connect)?;
        let address = Address { connection: Connection::Url(connect.url.clone()), target: None };
        let place = address.to_string().into();
        Ok(Self {
            shared: Arc::new(Shared {
                address,
                place,
                options,
                client: OnceCell::new(),
                lines: Lines::default(),
                origins: Origins::default(),
            }),
        })
    }
}

/// What topics can do.
#[must_use]
pub fn topic_capability() -> Capability {
    inventory::capability()
}

impl fmt::Debug for Kafka {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Kafka").field(&self.shared.place).finish()
    }
}

#[async_trait]
impl Broker for Kafka {
    fn info(&self) -> BrokerInfo {
        BrokerInfo {
            kind: "kafka",
            term: "topic",
            place: self.shared.place.to_string(),
            version: None,
            notes: Vec::new(),
        }
    }

    fn capability(&self) -> Capability {
        inventory::capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        let brokers = self.shared.client().await?.brokers().await?;
        let notes = vec![format!("{brokers} {}", if brokers == 1 { "broker" } else { "brokers" })];
        Ok(BrokerInfo { notes, ..self.info() })
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        inventory::list(&self.shared, filter).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        Box::pin(inventory::describe(&self.shared, queue)).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        inventory::inspect(&self.shared, queue).await
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        let topic = self.shared.topic(queue).await?;
        let client = self.shared.client().await?;
        let (cluster, marks) = tokio::try_join!(client.cluster(), client.marks(std::slice::from_ref(&topic)))?;
        let extents = marks.iter().map(|((_, partition), marks)| marks.extent(*partition)).collect();
        Ok(Some(Log { identity: format!("{cluster}/{queue}"), extents }))
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        Ok(Box::new(KafkaReader::browse(Arc::clone(&self.shared), queue, options).await?))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        self.shared.topic(queue).await?;
        if !self.shared.settings(queue).await.deletes() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("records of {queue:?} can't be removed: it is compacted only (cleanup.policy=compact)"),
            )
            .hint("capture copies them; a record with the same key and no payload takes one's place"));
        }
        Ok(Box::new(KafkaReader::take(Arc::clone(&self.shared), queue, options).await?))
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        groups::of(&self.shared, queue).await
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        let topic = self.shared.topic(queue).await?;
        let options = BrowseOptions { from: at, ..BrowseOptions::default() };
        let client = self.shared.client().await?;
        let ranges = read::ranges(&client, &topic, &options).await?;
        Ok(ranges.iter().map(|range| (range.partition, u64::try_from(range.start).unwrap_or_default())).collect())
    }

    async fn set_offsets(&self, queue: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
        groups::set(&self.shared, queue, group, offsets).await
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        let topic = target.queue_name()?.to_owned();
        let (wanted, name) = match access {
            Access::Publish => (Operation::Write, "Write"),
            Access::Remove => (Operation::Delete, "Delete"),
        };
        let doing = format!("asking what may be done with {topic:?}");
        let asked = topic.clone();
        let answer = match self.shared.client().await {
            Ok(client) => client.ask(doing, move |consumer, within| native::operations(consumer, &asked, within)).await,
            Err(error) => Err(error),
        };
        Some(match answer {
            Ok(Some(operations)) if operations.contains(&wanted) => Right::Given,
            Ok(Some(_)) => Right::Denied(format!("the cluster does not give this user {name} on the topic {topic:?}")),
            Ok(None) => Right::Unknown("the cluster does not say".to_owned()),
            Err(error) => Right::Unknown(error.to_string()),
        })
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        Ok(Arc::new(KafkaPublisher::open(&self.shared, target).await?))
    }
}
