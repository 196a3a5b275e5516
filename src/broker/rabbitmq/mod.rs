//! RabbitMQ: AMQP 0-9-1 for messages, the management API for what AMQP can't tell.
//!
//! ```text
//! errors      what a reply means            connection  login, TLS (tls), one connection each to consume and publish
//! management  the API's GETs (api)          policy      which policies hold for a queue
//! facts       the rules by type and version learn       finding them out for one queue
//! inventory   list and describe             pairing     whose dead messages go where
//! feed        windows of deliveries         browse      a look that returns everything (release, rescue)
//! take        settle one by one             stream      reading by offset
//! publish     confirmed and routed (send)   convert     lapin's message and ours
//! shovel      moves by the broker itself
//! ```
//!
//! The rules it keeps are those of the broker's own documentation and source, measured on 4.0 and 4.3; the table is in
//! `facts`. Limits: AMQP's field tables are maps in the client, so the order of headers and duplicate names are not
//! known to it; no recovery of lost connections behind a reader's back.

mod api;
mod browse;
mod connection;
mod convert;
mod errors;
mod facts;
mod feed;
mod inventory;
mod keeper;
mod learn;
mod management;
mod pairing;
mod policy;
mod publish;
mod release;
mod rescue;
mod send;
mod shovel;
mod stream;
mod tags;
mod take;
mod tls;
mod window;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::OnceCell;

use self::browse::Browse;
use self::connection::{Line, Link, Login};
use self::facts::{Facts, Kind, Version};
use self::management::Management;
use self::publish::RabbitPublisher;
use self::stream::StreamRead;
use self::take::Take;
use super::{
    Access, Address, Broker, BrokerInfo, BrokerUrl, BrowseOptions, Capability, Connect, Connection, ListFilter,
    Listing, Publisher, QueueInfo, Reader, Right, TakeOptions, Target, Underway, Wholesale,
};
use crate::error::{Error, ErrorKind, Result};

/// How long what was learned of a queue holds. Its messages are counted anew each time; limits and policies of a queue
/// are not changed in the second between a question and the look that follows.
const FRESH: Duration = Duration::from_secs(1);

/// A RabbitMQ virtual host.
pub struct RabbitMq {
    shared: Arc<Shared>,
}

/// What readers and publishers of one profile share.
struct Shared {
    /// The address of the virtual host, for those of its queues.
    place: Address,
    login: Login,
    management: Management,
    consuming: Line,
    publishing: Line,
    version: OnceCell<Version>,
    product: OnceCell<String>,
    /// What was last learned of a queue, and when: a plan and its run, or a question and its look, learn it once.
    learned: Mutex<Option<(Instant, Facts)>>,
    /// What was learned of the right to publish when a target was opened.
    rights: Mutex<HashMap<Target, Right>>,
}

impl Shared {
    /// The connection for reading.
    async fn consuming(&self) -> Result<Arc<Link>> {
        self.consuming.open(&self.login).await
    }

    /// The connection for publishing.
    async fn publishing(&self) -> Result<Arc<Link>> {
        self.publishing.open(&self.login).await
    }

    /// The address of a queue, for the messages read from it.
    fn address(&self, queue: &str) -> Arc<str> {
        self.place.at(Target::queue(queue)).to_string().into()
    }

    /// What is known of a queue, where it was learned just now.
    fn known(&self, queue: &str) -> Option<Facts> {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let (when, facts) = learned.as_ref()?;
        (facts.name == queue && when.elapsed() < FRESH).then(|| facts.clone())
    }

    fn remember(&self, facts: &Facts) {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), facts.clone()));
    }

    /// Messages were sent: what was learned before says nothing of them.
    fn forget(&self) {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The server's version, where the management API tells it.
    async fn version(&self) -> Option<Version> {
        let known = self.version.get_or_try_init(|| async {
            if let Some(version) = self.management.version().await.ok().as_deref().and_then(Version::parse) {
                return Ok(version);
            }
            let overview = self.management.overview().await?;
            let _ = self.product.set(overview.product_name);
            Version::parse(&overview.rabbitmq_version)
                .ok_or_else(|| Error::new(ErrorKind::Unexpected, "the management API names no version"))
        });
        known.await.ok().cloned()
    }
}

impl RabbitMq {
    /// Prepares a connection; nothing is opened before the first use.
    ///
    /// # Errors
    /// `Usage` or `Config` for a URL, parameter or option that is wrong.
    pub fn new(connect: &Connect) -> Result<Self> {
        let login = Login::new(connect)?;
        let management = Management::new(connect, login.vhost())?;
        let shared = Shared {
            place: Address {
                connection: Connection::Url(BrokerUrl { query: Vec::new(), ..connect.url.clone() }),
                target: None,
            },
            management,
            login,
            consuming: Line::new("reading"),
            publishing: Line::new("publishing"),
            version: OnceCell::new(),
            product: OnceCell::new(),
            learned: Mutex::new(None),
            rights: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

/// What the queues of a type (`classic`, `quorum`, `stream`) can do, whatever the server.
#[must_use]
pub fn queue_capability(kind: &str) -> Capability {
    inventory::capability(Kind::parse(kind), true)
}

impl fmt::Debug for RabbitMq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RabbitMq").field(&self.shared.login.place()).finish()
    }
}

#[async_trait]
impl Broker for RabbitMq {
    fn info(&self) -> BrokerInfo {
        let product =
            self.shared.product.get().filter(|product| !product.is_empty()).map_or("RabbitMQ", String::as_str);
        BrokerInfo {
            kind: "rabbitmq",
            term: "queue",
            place: self.shared.login.place().to_owned(),
            version: self.shared.version.get().map(|version| format!("{product} {}", version.text)),
            notes: Vec::new(),
        }
    }

    fn capability(&self) -> Capability {
        inventory::broker_capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        let (opened, overview) = tokio::join!(self.shared.consuming(), self.shared.management.overview());
        opened?;
        let mut notes = Vec::new();
        match overview {
            Ok(_) => _ = self.shared.version().await,
            Err(error) => notes.push(error.to_string()),
        }
        Ok(BrokerInfo { notes, ..self.info() })
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        inventory::list(&self.shared, filter).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        inventory::describe(&self.shared, queue).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        inventory::inspect(&self.shared, queue).await
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        // The connection takes as long as the questions to the API, so both are begun together.
        let (facts, link) = tokio::join!(learn::learn(&self.shared, queue), self.shared.consuming());
        let facts = facts?;
        link?;
        inventory::capability(facts.kind, true).check_browse(queue, &options)?;
        let shared = Arc::clone(&self.shared);
        if facts.kind == Kind::Stream {
            return Ok(Box::new(StreamRead::open(shared, queue, options).await?));
        }
        Ok(Box::new(Browse::open(shared, facts, options).await?))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        let (facts, link) = tokio::join!(learn::learn(&self.shared, queue), self.shared.consuming());
        let facts = facts?;
        link?;
        inventory::capability(facts.kind, true).check_take(queue)?;
        Ok(Box::new(Take::open(Arc::clone(&self.shared), facts, options).await?))
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        Ok(Arc::new(RabbitPublisher::open(Arc::clone(&self.shared), target).await?))
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        match access {
            Access::Publish => self.shared.rights.lock().unwrap_or_else(PoisonError::into_inner).get(target).cloned(),
            // There is no such right: who may read a queue may remove from it.
            Access::Remove => None,
        }
    }

    async fn may_wholesale(&self, queue: &str, what: &Wholesale) -> Result<()> {
        shovel::check(&self.shared, queue, what).await
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        shovel::begin(&self.shared, queue, what).await
    }
}
