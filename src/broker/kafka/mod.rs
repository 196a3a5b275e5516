//! Kafka, by librdkafka.
//!
//! ```text
//! errors     what an error means               context    what is told beside the answers
//! options    librdkafka's properties           client     metadata and offsets     admin   settings, removal
//! inventory  list and describe                 read       a look or a take, by assignment
//! scan       threads that filter borrowed bytes           merge   partitions in the order of time
//! remove     everything before an offset       publish    idempotent and confirmed
//! convert    a record and our message
//! ```
//!
//! The rules it keeps: no group is ever joined and no offset committed by looking; no topic is ever created; a record is
//! removed only as part of a prefix. Limits: logins with tokens that must be renewed do not reach `admin`.

mod admin;
mod client;
mod context;
mod convert;
mod errors;
mod inventory;
mod merge;
mod options;
mod publish;
mod read;
mod remove;
mod scan;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;

use self::admin::{Admin, Settings};
use self::client::{Client, Marks, Topic};
use self::options::Options;
use self::publish::KafkaPublisher;
use self::read::KafkaReader;
use super::{
    Address, Broker, BrokerInfo, BrowseOptions, Capability, Connect, Connection, ListFilter, Listing, Log, Publisher,
    QueueInfo, Reader, TakeOptions, Target,
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
    client: Mutex<Option<Arc<Client>>>,
    admin: Admin,
}

impl Shared {
    fn client(&self) -> Result<Arc<Client>> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(Arc::clone(client));
        }
        let client = Client::new(&self.options.consumer(), &self.place)?;
        Ok(Arc::clone(slot.insert(Arc::new(client))))
    }

    /// The address of a topic, for the messages read from it.
    fn address(&self, topic: &str) -> Arc<str> {
        self.address.at(Target::queue(topic)).to_string().into()
    }

    async fn topic(&self, name: &str) -> Result<Topic> {
        self.client()?.topic(name).await
    }

    async fn marks(&self, topics: &[Topic]) -> Result<BTreeMap<(String, i32), Marks>> {
        self.client()?.marks(topics).await
    }

    /// A topic's settings; none where they can't be had.
    async fn settings(&self, topic: &str) -> Settings {
        let found = self.admin.settings(&[topic]).await;
        found.ok().and_then(|mut found| found.remove(topic)).unwrap_or_default()
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
        let admin = Admin::new(options.admin());
        Ok(Self { shared: Arc::new(Shared { address, place, options, client: Mutex::default(), admin }) })
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
        let brokers = self.shared.client()?.brokers().await?;
        let notes = vec![format!("{brokers} {}", if brokers == 1 { "broker" } else { "brokers" })];
        Ok(BrokerInfo { notes, ..self.info() })
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        inventory::list(&self.shared, filter).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        inventory::describe(&self.shared, queue).await
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        let topic = self.shared.topic(queue).await?;
        let client = self.shared.client()?;
        let (cluster, marks) = tokio::try_join!(client.cluster(), client.marks(std::slice::from_ref(&topic)))?;
        let extents = marks.iter().map(|((_, partition), marks)| marks.extent(*partition)).collect();
        Ok(Some(Log { identity: format!("{cluster}/{queue}"), extents }))
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        Ok(Box::new(KafkaReader::browse(Arc::clone(&self.shared), queue, options).await?))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        let (topic, settings) = tokio::join!(self.shared.topic(queue), self.shared.settings(queue));
        topic?;
        if !settings.deletes() {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("records of {queue:?} can't be removed: it is compacted only (cleanup.policy=compact)"),
            )
            .hint("capture copies them; a record with the same key and no payload takes one's place"));
        }
        Ok(Box::new(KafkaReader::take(Arc::clone(&self.shared), queue, options).await?))
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        Ok(Arc::new(KafkaPublisher::open(&self.shared, target).await?))
    }
}
