//! Bounds what changes nothing: signs of life, lists, descriptions, and opening.
//!
//! Limits: a read is not cut (it may wait for arrivals, and a cut would leave deliveries behind); publishing and
//! settling have bounds of their own in each backend, where a missing answer is ambiguous and never a timeout.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::checked::Checked;
use crate::broker::{
    Access, Broker, BrokerInfo, BrowseOptions, Capability, From, Groups, ListFilter, Listing, Log, Publisher,
    QueueInfo, Reader, Right, TakeOptions, Target, Underway, Wholesale,
};
use crate::error::{Error, ErrorKind, Result};

/// How long one answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(10);

/// How long opening a reader may take, with its look at the queue's state.
const OPEN: Duration = Duration::from_secs(30);

/// How much later this layer says so than a backend whose own bound is the same: its error says more.
const GRACE: Duration = Duration::from_millis(400);

/// The layer.
#[derive(Debug)]
pub(super) struct Timeout {
    inner: Checked,
}

impl Timeout {
    pub(super) const fn new(inner: Checked) -> Self {
        Self { inner }
    }

    async fn within<T>(&self, bound: Duration, what: &'static str, call: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::time::timeout(bound + GRACE, call).await.unwrap_or_else(|_| {
            let place = self.inner.info().place;
            let why = format!("{place} gave no answer to {what} within {} s", bound.as_secs());
            Err(Error::new(ErrorKind::Timeout, why)
                .context("operation", what)
                .hint("check that the address is right and that the broker is not blocked or overloaded"))
        })
    }
}

#[async_trait]
impl Broker for Timeout {
    fn info(&self) -> BrokerInfo {
        self.inner.info()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        self.within(ANSWER, "ping", self.inner.ping()).await
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        self.within(ANSWER, "list", self.inner.list(filter)).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        self.within(ANSWER, "describe", self.inner.describe(queue)).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        self.within(ANSWER, "inspect", self.inner.inspect(queue)).await
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        self.within(ANSWER, "log", self.inner.log(queue)).await
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        self.within(OPEN, "browse", self.inner.browse(queue, options)).await
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        self.within(OPEN, "take", self.inner.take(queue, options)).await
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        self.within(OPEN, "groups", self.inner.groups(queue)).await
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        self.within(ANSWER, "offsets", self.inner.offsets(queue, at)).await
    }

    async fn set_offsets(&self, queue: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
        self.inner.set_offsets(queue, group, offsets).await
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        self.inner.right(target, access).await
    }

    async fn may_wholesale(&self, queue: &str, what: &Wholesale) -> Result<()> {
        self.inner.may_wholesale(queue, what).await
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        self.inner.wholesale(queue, what).await
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        self.within(ANSWER, "publish", self.inner.publisher(target)).await
    }
}
