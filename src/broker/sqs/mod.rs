//! Amazon SQS, by the AWS SDK: leases for looks, batches for everything.
//!
//! ```text
//! place      the sqs:// URL                    session    credentials, endpoints, time limits
//! call       one call, patient with throttling errors     what an answer means
//! facts      what SQS tells of a queue         inventory  list, describe, pairing
//! clock      SQS's clock beside ours
//! feed       receives side by side             leases     what is held: prolonged, removed, released
//! read       looks and takes                   publish    batches by count and bytes (convert)
//! wholesale  a purge, and SQS's own move task
//! ```
//!
//! A message is known by its id, and whoever holds it has its newest receipt handle. Limits: an SQS queue has no order
//! (a FIFO queue has one within a group), no positions and no exact count; what is held by a process that dies comes
//! back when its lease runs out.

mod call;
mod clock;
mod convert;
mod errors;
mod facts;
mod feed;
mod inventory;
mod leases;
mod place;
mod publish;
mod read;
mod rights;
mod session;
mod wholesale;

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use tokio::sync::OnceCell;

use self::call::{Throttling, call};
use self::clock::Clock;
use self::errors::Place;
use self::facts::Facts;
use self::place::Settings;
use self::publish::SqsPublisher;
use self::read::SqsRead;
use super::{
    Access, Broker, BrokerInfo, BrowseOptions, Capability, Connect, ListFilter, Listing, Publisher, QueueInfo, Reader,
    Right, TakeOptions, Target, Underway, Wholesale,
};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Digest;
use crate::message::hash::hash;

/// The queues of one account in one region.
pub struct Sqs {
    shared: Arc<Shared>,
}

/// What readers and publishers share.
struct Shared {
    settings: Settings,
    client: OnceCell<Client>,
    throttling: Throttling,
    /// What SQS's clock says, beside ours.
    clock: Arc<Clock>,
    /// Queue URLs by name; a queue keeps its URL as long as it lives.
    urls: Mutex<HashMap<String, String>>,
}

impl Shared {
    async fn client(&self) -> &Client {
        self.client.get_or_init(|| session::client(&self.settings, &self.clock)).await
    }

    /// The client, for the first call of something.
    ///
    /// # Errors
    /// `Config` for a profile that there is not.
    async fn first_client(&self) -> Result<&Client> {
        let make = || async {
            session::check_profile(&self.settings).await?;
            Ok(session::client(&self.settings, &self.clock).await)
        };
        self.client.get_or_try_init(make).await
    }

    /// The URL of a queue.
    ///
    /// # Errors
    /// `NotFound`; what SQS says.
    async fn url(&self, queue: &str) -> Result<String> {
        if let Some(url) = self.urls.lock().unwrap_or_else(PoisonError::into_inner).get(queue) {
            return Ok(url.clone());
        }
        let client = self.first_client().await?;
        let ask = || {
            let account = self.settings.account.clone();
            client.get_queue_url().queue_name(queue).set_queue_owner_aws_account_id(account).send()
        };
        let place = Place { action: "GetQueueUrl", queue, arn: None };
        let answer = call(&self.throttling, true, ask).await.map_err(|trouble| trouble.explain(&place))?;
        let url =
            answer.queue_url.ok_or_else(|| Error::new(ErrorKind::Unexpected, "SQS names no URL for the queue"))?;
        self.urls.lock().unwrap_or_else(PoisonError::into_inner).insert(queue.to_owned(), url.clone());
        Ok(url)
    }

    /// Everything SQS tells of a queue.
    ///
    /// # Errors
    /// `NotFound`; what SQS says.
    async fn facts(&self, queue: &str) -> Result<Facts> {
        let url = self.url(queue).await?;
        let client = self.client().await;
        let ask = || client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All).send();
        let place = Place { action: "GetQueueAttributes", queue, arn: None };
        match call(&self.throttling, true, ask).await {
            Ok(answer) => Ok(Facts { name: queue.to_owned(), url, attributes: answer.attributes.unwrap_or_default() }),
            Err(trouble) => {
                let error = trouble.explain(&place);
                if error.kind() == ErrorKind::NotFound {
                    self.urls.lock().unwrap_or_else(PoisonError::into_inner).remove(queue);
                }
                Err(error)
            }
        }
    }
}

/// The start of names that nobody else gives.
fn seed(url: &str) -> String {
    static MADE: AtomicU64 = AtomicU64::new(0);
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let text = format!("{} {} {made} {url}", std::process::id(), jiff::Timestamp::now());
    Digest(hash(text.as_bytes())).to_string()[..24].to_owned()
}

impl Sqs {
    /// Prepares a connection; nothing is asked before the first use.
    ///
    /// # Errors
    /// `Usage` or `Config` for a URL, parameter or option that is wrong.
    pub fn new(connect: &Connect) -> Result<Self> {
        let shared = Shared {
            settings: Settings::new(connect)?,
            client: OnceCell::new(),
            throttling: Throttling::default(),
            clock: Arc::default(),
            urls: Mutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }
}

/// What the queues of a type (`standard`, `fifo`) can do, whatever the server.
#[must_use]
pub fn queue_capability(kind: &str) -> Capability {
    facts::capability(kind == "fifo")
}

impl fmt::Debug for Sqs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sqs").field(&self.shared.settings.place()).finish()
    }
}

#[async_trait]
impl Broker for Sqs {
    fn info(&self) -> BrokerInfo {
        BrokerInfo { kind: "sqs", term: "queue", place: self.shared.settings.place(), version: None, notes: Vec::new() }
    }

    fn capability(&self) -> Capability {
        facts::capability(false)
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        let client = self.shared.first_client().await?;
        let place = Place { action: "ListQueues", ..Place::default() };
        call(&self.shared.throttling, true, || client.list_queues().max_results(1).send())
            .await
            .map_err(|trouble| trouble.explain(&place))?;
        Ok(self.info())
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        inventory::list(&self.shared, filter).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        inventory::describe(&self.shared, queue).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        Ok(inventory::info(&self.shared, &self.shared.facts(queue).await?, Vec::new()))
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        let facts = self.shared.facts(queue).await?;
        facts.capability().check_browse(queue, &options)?;
        facts.permit(self.shared.settings.lease)?;
        Ok(Box::new(SqsRead::browse(&self.shared, facts, options)))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        let facts = self.shared.facts(queue).await?;
        facts.permit(self.shared.settings.lease)?;
        Ok(Box::new(SqsRead::take(&self.shared, facts, options)))
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        wholesale::begin(&self.shared, queue, what).await
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        Some(rights::ask(&self.shared, target.queue_name()?, access).await)
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        let name = match target {
            Target::Queue { name, partition: None } => name,
            Target::Queue { partition: Some(_), .. } => {
                return Err(Error::new(ErrorKind::Usage, "an SQS queue has no partitions"));
            }
            Target::Exchange { .. } => {
                return Err(Error::new(ErrorKind::NotFound, "SQS has no exchanges").hint("name a queue"));
            }
        };
        let facts = self.shared.facts(name).await?;
        Ok(Arc::new(SqsPublisher::new(Arc::clone(&self.shared), facts)))
    }
}
