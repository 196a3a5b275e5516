//! Tries again what changes nothing: a sign of life, a list, a description, when the broker could not be reached.
//!
//! Limits: never a publish, a settle or a read, which could happen twice. All tries together end within the bound of
//! one answer, so that a host that is not there is known as soon as without this layer.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::timeout::{ANSWER, Timeout};
use crate::broker::{
    Access, Broker, BrokerInfo, BrowseOptions, Capability, From, Groups, ListFilter, Listing, Log, Publisher,
    QueueInfo, Reader, Right, TakeOptions, Target, Underway, Wholesale,
};
use crate::error::Result;

/// How long to wait before each further try.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(500)];

/// The layer.
#[derive(Debug)]
pub(super) struct Retry {
    inner: Timeout,
}

impl Retry {
    pub(super) const fn new(inner: Timeout) -> Self {
        Self { inner }
    }
}

/// Calls until it succeeds, fails for another reason, or the tries or the time are used up.
async fn again<T, F>(mut call: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let deadline = Instant::now() + ANSWER;
    let mut outcome = call().await;
    for wait in WAITS {
        match &outcome {
            Err(error) if error.kind().is_away() => {
                tracing::debug!(kind = error.kind().name(), ?wait, "trying again");
            }
            _ => break,
        }
        if Instant::now() + wait >= deadline {
            break;
        }
        tokio::time::sleep(wait).await;
        match tokio::time::timeout_at(deadline, call()).await {
            Ok(next) => outcome = next,
            Err(_) => break,
        }
    }
    outcome
}

#[async_trait]
impl Broker for Retry {
    fn info(&self) -> BrokerInfo {
        self.inner.info()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        again(|| self.inner.ping()).await
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        again(|| self.inner.list(filter)).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        again(|| self.inner.describe(queue)).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        again(|| self.inner.inspect(queue)).await
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        again(|| self.inner.log(queue)).await
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        self.inner.browse(queue, options).await
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        self.inner.take(queue, options).await
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        again(|| self.inner.groups(queue)).await
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        again(|| self.inner.offsets(queue, at)).await
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
        self.inner.publisher(target).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::layers::wrap;
    use crate::broker::memory::{Fault, Memory, Profile, PublishFault, QueueSpec};
    use crate::error::ErrorKind;
    use crate::message::Message;

    fn broker() -> (Memory, Arc<dyn Broker>) {
        let memory = Memory::builder().queue(QueueSpec::new("q", Profile::RabbitClassic)).build();
        (memory.clone(), wrap(Arc::new(memory)))
    }

    #[tokio::test(start_paused = true)]
    async fn a_lost_connection_is_tried_again_for_what_changes_nothing() {
        let (memory, broker) = broker();
        memory.arm(Fault::Disconnect, 1);
        memory.arm(Fault::Disconnect, 2);
        assert!(broker.describe("q").await.is_ok());
        assert_eq!(memory.fired(), 2);
        memory.arm(Fault::Disconnect, 1);
        let error = broker.browse("q", BrowseOptions::default()).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
    }

    #[tokio::test(start_paused = true)]
    async fn other_errors_are_told_at_once() {
        let (_, broker) = broker();
        let start = Instant::now();
        assert_eq!(broker.describe("gone").await.unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_never_answers_is_known_after_ten_seconds() {
        let (memory, broker) = broker();
        memory.slow(Duration::from_hours(1));
        let start = Instant::now();
        let error = broker.ping().await.unwrap_err();
        assert_eq!((error.kind(), start.elapsed().as_secs()), (ErrorKind::Timeout, 10));
    }

    #[tokio::test]
    async fn a_publish_whose_answer_is_lost_is_not_sent_again() {
        let (memory, broker) = broker();
        memory.arm(Fault::Publish(PublishFault::LostAfter), 1);
        let publisher = broker.publisher(&Target::queue("q")).await.unwrap();
        let message = Message { payload: Some("a".into()), ..Message::default() };
        let results = publisher.publish(&[message]).await;
        assert_eq!(results[0].as_ref().unwrap_err().kind(), ErrorKind::Ambiguous);
        assert_eq!(memory.snapshot("q").unwrap().len(), 1);
    }
}
