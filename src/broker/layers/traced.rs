//! Spans for the log: which operation, where, how much, how long. Never a secret, never a payload.

use std::sync::Arc;

use async_trait::async_trait;
use tracing::{Instrument, Span, debug, debug_span};

use super::retry::Retry;
use crate::broker::{
    Access, Batch, Broker, BrokerInfo, BrowseOptions, Capability, Closed, From, Groups, ListFilter, Listing, Log,
    Progress, PublishLimits, Publisher, QueueInfo, Reader, Receipt, Right, Settle, TakeOptions, Target, Token,
    Underway, Wholesale,
};
use crate::error::{Error, Result};
use crate::message::Message;

/// The layer.
#[derive(Debug)]
pub(super) struct Traced {
    inner: Retry,
}

impl Traced {
    pub(super) const fn new(inner: Retry) -> Self {
        Self { inner }
    }

    fn span(&self, operation: &'static str, target: &str) -> Span {
        debug_span!("broker", place = self.inner.info().place, operation, target)
    }
}

/// Runs a call in its span and notes an error.
async fn told<T>(span: Span, call: impl Future<Output = Result<T>>) -> Result<T> {
    async {
        let outcome = call.await;
        match &outcome {
            Ok(_) => debug!("done"),
            Err(error) => note(error),
        }
        outcome
    }
    .instrument(span)
    .await
}

fn note(error: &Error) {
    debug!(kind = error.kind().name(), %error, "failed");
}

/// Notes how many of a batch worked, and the first error.
fn note_results<T>(results: &[Result<T>]) {
    let failed = results.iter().filter(|result| result.is_err()).count();
    debug!(count = results.len(), failed, "answered");
    if let Some(error) = results.iter().find_map(|result| result.as_ref().err()) {
        note(error);
    }
}

#[async_trait]
impl Broker for Traced {
    fn info(&self) -> BrokerInfo {
        self.inner.info()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        told(self.span("ping", ""), self.inner.ping()).await
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        told(self.span("list", filter.glob.as_deref().unwrap_or("*")), self.inner.list(filter)).await
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        told(self.span("describe", queue), self.inner.describe(queue)).await
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        told(self.span("inspect", queue), self.inner.inspect(queue)).await
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        told(self.span("log", queue), self.inner.log(queue)).await
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        let inner = told(self.span("browse", queue), self.inner.browse(queue, options)).await?;
        Ok(Box::new(TracedReader { inner, span: self.span("look", queue) }))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        let inner = told(self.span("take", queue), self.inner.take(queue, options)).await?;
        Ok(Box::new(TracedReader { inner, span: self.span("hold", queue) }))
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        told(self.span("groups", queue), self.inner.groups(queue)).await
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        told(self.span("offsets", queue), self.inner.offsets(queue, at)).await
    }

    async fn set_offsets(&self, queue: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
        told(self.span("set offsets", queue), self.inner.set_offsets(queue, group, offsets)).await
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        self.inner.right(target, access).await
    }

    async fn may_wholesale(&self, queue: &str, what: &Wholesale) -> Result<()> {
        told(self.span("may wholesale", queue), self.inner.may_wholesale(queue, what)).await
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        told(self.span("wholesale", queue), self.inner.wholesale(queue, what)).await
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        let name = target.to_string();
        let inner = told(self.span("publisher", &name), self.inner.publisher(target)).await?;
        Ok(Arc::new(TracedPublisher { inner, span: self.span("publish", &name) }))
    }
}

struct TracedReader {
    inner: Box<dyn Reader>,
    span: Span,
}

#[async_trait]
impl Reader for TracedReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        let span = self.span.clone();
        async {
            let outcome = self.inner.next_batch(max).await;
            match &outcome {
                Ok(batch) => debug!(deliveries = batch.deliveries.len(), end = ?batch.end, "read"),
                Err(error) => note(error),
            }
            outcome
        }
        .instrument(span)
        .await
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        let span = self.span.clone();
        async {
            debug!(count = tokens.len(), ?how, "settling");
            let results = self.inner.settle(tokens, how).await;
            note_results(&results);
            results
        }
        .instrument(span)
        .await
    }

    fn progress(&self) -> Progress {
        self.inner.progress()
    }

    async fn close(&mut self) -> Result<Closed> {
        let span = self.span.clone();
        told(span, self.inner.close()).await
    }
}

struct TracedPublisher {
    inner: Arc<dyn Publisher>,
    span: Span,
}

#[async_trait]
impl Publisher for TracedPublisher {
    fn limits(&self) -> PublishLimits {
        self.inner.limits()
    }

    fn held_up(&self) -> Option<String> {
        self.inner.held_up()
    }

    fn times(&self) -> Option<String> {
        self.inner.times()
    }

    async fn publish(&self, batch: &[Message]) -> Vec<Result<Receipt>> {
        async {
            let results = self.inner.publish(batch).await;
            note_results(&results);
            results
        }
        .instrument(self.span.clone())
        .await
    }

    async fn close(&self) -> Result<()> {
        told(self.span.clone(), self.inner.close()).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Mutex, PoisonError};

    use tracing::instrument::WithSubscriber as _;

    use super::*;
    use crate::broker::layers::wrap;
    use crate::broker::memory::{Memory, Profile, QueueSpec};
    use crate::message::Fields;

    /// A log that can be read.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    #[allow(clippy::missing_trait_methods, reason = "the lint is for decorators of the seam")]
    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// Some of everything: two publishes, one of them refused, a look, and a queue that is not there.
    async fn work() {
        let memory = Memory::builder().named("shop").queue(QueueSpec::new("orders", Profile::RabbitClassic)).build();
        let broker = wrap(Arc::new(memory));
        let publisher = broker.publisher(&Target::queue("orders")).await.unwrap();
        let headers = Fields::from_iter([("authorization", "Bearer hush")]);
        let message = Message { payload: Some("card 4711".into()), headers, ..Message::default() };
        publisher.publish(&[message, Message::default()]).await;
        let mut reader = broker.browse("orders", BrowseOptions::default()).await.unwrap();
        reader.next_batch(10).await.unwrap();
        reader.close().await.unwrap();
        broker.describe("gone").await.unwrap_err();
    }

    #[tokio::test]
    async fn the_log_tells_operations_and_counts_but_no_content() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let listened = async {
            work().await;
            // Tests beside this one meet the same spans with nobody listening, and what is cached of that may be
            // theirs. Once every span is known, the cache is made anew for this listener and stays.
            tracing::callsite::rebuild_interest_cache();
            log.0.lock().unwrap().clear();
            work().await;
        };
        listened.with_subscriber(subscriber).await;
        let told = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        for word in ["place=\"shop\"", "operation=\"publish\"", "count=2 failed=1", "deliveries=1", "not_found"] {
            assert!(told.contains(word), "{word} in {told}");
        }
        assert!(!told.contains("4711") && !told.contains("hush"), "{told}");
    }
}
