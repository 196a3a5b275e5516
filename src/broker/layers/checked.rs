//! Refuses by capability before any I/O, and names address and operation in every error.
//!
//! Limits: it knows what at least one queue of the broker can do; what the named queue can, the backend checks with
//! the same methods of [`Capability`](crate::broker::Capability) once it has looked.

use std::sync::Arc;

use async_trait::async_trait;

use crate::broker::{
    Access, Address, Batch, Broker, BrokerInfo, BrowseOptions, Capability, Closed, From, Groups, ListFilter, Listing,
    Log, Progress, PublishLimits, Publisher, QueueInfo, Reader, Receipt, Right, Settle, TakeOptions, Target, Token,
    Underway, Wholesale,
};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// The layer.
#[derive(Debug)]
pub(super) struct Checked {
    inner: Arc<dyn Broker>,
}

/// What an operation is on, for its errors.
#[derive(Clone, Debug)]
struct Place(String);

impl Place {
    fn name(&self, operation: &'static str, error: Error) -> Error {
        error.context("address", self.0.as_str()).context("operation", operation)
    }
}

impl Checked {
    pub(super) fn new(inner: Arc<dyn Broker>) -> Self {
        Self { inner }
    }

    /// The place in the form that people type, where the backend's own place has such a form.
    fn place(&self, target: Option<&Target>) -> Place {
        let place = self.inner.info().place;
        Place(match (place.parse::<Address>(), target) {
            (_, None) => place,
            (Ok(address), Some(target)) => address.at(target.clone()).to_string(),
            (Err(_), Some(target)) => format!("{}:{target}", place.trim_end_matches(':')),
        })
    }

    fn queue(&self, queue: &str) -> Place {
        self.place(Some(&Target::queue(queue)))
    }
}

#[async_trait]
impl Broker for Checked {
    fn info(&self) -> BrokerInfo {
        self.inner.info()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        self.inner.ping().await.map_err(|error| self.place(None).name("ping", error))
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        let name = |error| self.place(None).name("list", error);
        self.capability().check_list().map_err(name)?;
        self.inner.list(filter).await.map_err(name)
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        self.inner.describe(queue).await.map_err(|error| self.queue(queue).name("describe", error))
    }

    async fn inspect(&self, queue: &str) -> Result<QueueInfo> {
        self.inner.inspect(queue).await.map_err(|error| self.queue(queue).name("inspect", error))
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        let place = self.queue(queue);
        self.inner.log(queue).await.map_err(|error| place.name("log", error))
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        let place = self.queue(queue);
        let name = |error| place.name("browse", error);
        self.capability().check_browse(queue, &options).map_err(name)?;
        let inner = self.inner.browse(queue, options).await.map_err(name)?;
        Ok(Box::new(CheckedReader { inner, place, takes: false }))
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        let place = self.queue(queue);
        let name = |error| place.name("take", error);
        self.capability().check_take(queue).map_err(name)?;
        let inner = self.inner.take(queue, options).await.map_err(name)?;
        Ok(Box::new(CheckedReader { inner, place, takes: true }))
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        let place = self.queue(queue);
        self.inner.groups(queue).await.map_err(|error| place.name("groups", error))
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        let place = self.queue(queue);
        self.inner.offsets(queue, at).await.map_err(|error| place.name("offsets", error))
    }

    async fn set_offsets(&self, queue: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
        let place = self.queue(queue);
        self.inner.set_offsets(queue, group, offsets).await.map_err(|error| place.name("set offsets", error))
    }

    async fn right(&self, target: &Target, access: Access) -> Option<Right> {
        self.inner.right(target, access).await
    }

    async fn may_wholesale(&self, queue: &str, what: &Wholesale) -> Result<()> {
        let place = self.queue(queue);
        let name = |error| place.name("wholesale", error);
        self.capability().check_wholesale(queue, what).map_err(name)?;
        self.inner.may_wholesale(queue, what).await.map_err(name)
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        let place = self.queue(queue);
        let name = |error| place.name("wholesale", error);
        self.capability().check_wholesale(queue, &what).map_err(name)?;
        self.inner.wholesale(queue, what).await.map_err(name)
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        let place = self.place(Some(target));
        let name = |error| place.name("publish", error);
        self.capability().check_publish(target).map_err(name)?;
        let inner = self.inner.publisher(target).await.map_err(name)?;
        Ok(Arc::new(CheckedPublisher { inner, place }))
    }
}

struct CheckedReader {
    inner: Box<dyn Reader>,
    place: Place,
    takes: bool,
}

#[async_trait]
impl Reader for CheckedReader {
    async fn next_batch(&mut self, max: usize) -> Result<Batch> {
        self.inner.next_batch(max).await.map_err(|error| self.place.name("read", error))
    }

    async fn settle(&mut self, tokens: &[Token], how: Settle) -> Vec<Result<()>> {
        let operation = match how {
            Settle::Remove => "remove",
            Settle::Return => "return",
        };
        let results = if self.takes {
            self.inner.settle(tokens, how).await
        } else {
            let why = "a look settles nothing: it gives back everything at its end";
            tokens
                .iter()
                .map(|_| Err(Error::new(ErrorKind::Unsupported, why).hint("take the messages instead")))
                .collect()
        };
        results.into_iter().map(|result| result.map_err(|error| self.place.name(operation, error))).collect()
    }

    fn progress(&self) -> Progress {
        self.inner.progress()
    }

    async fn close(&mut self) -> Result<Closed> {
        self.inner.close().await.map_err(|error| self.place.name("close", error))
    }
}

struct CheckedPublisher {
    inner: Arc<dyn Publisher>,
    place: Place,
}

#[async_trait]
impl Publisher for CheckedPublisher {
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
        let limits = self.limits();
        let refused: Vec<Option<Error>> = batch.iter().map(|message| limits.check(message).err()).collect();
        let results = if refused.iter().all(Option::is_none) {
            self.inner.publish(batch).await
        } else {
            let fit = batch.iter().zip(&refused).filter(|(_, refused)| refused.is_none());
            let fit: Vec<Message> = fit.map(|(message, _)| message.clone()).collect();
            let mut sent = self.inner.publish(&fit).await.into_iter();
            let missing = || Error::new(ErrorKind::Ambiguous, "the publisher gave no answer for the message");
            let merged = refused.into_iter().map(|refused| match refused {
                Some(error) => Err(error),
                None => sent.next().unwrap_or_else(|| Err(missing())),
            });
            merged.collect()
        };
        results.into_iter().map(|result| result.map_err(|error| self.place.name("publish", error))).collect()
    }

    async fn close(&self) -> Result<()> {
        self.inner.close().await.map_err(|error| self.place.name("close", error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::memory::{Memory, Profile, QueueSpec};

    fn checked(profile: Profile) -> (Memory, Checked) {
        let memory = Memory::builder().named("shop").queue(QueueSpec::new("q", profile)).build();
        (memory.clone(), Checked::new(Arc::new(memory)))
    }

    #[tokio::test]
    async fn what_the_broker_cannot_do_is_refused_before_any_call() {
        let (memory, checked) = checked(Profile::RabbitClassic);
        memory.arm(crate::broker::memory::Fault::Disconnect, 1);
        let options = BrowseOptions { from: From::Last(3), ..BrowseOptions::default() };
        let error = checked.browse("q", options).await.err().unwrap();
        assert_eq!((error.kind(), memory.fired()), (ErrorKind::Unsupported, 0));
        assert_eq!(error.context_pairs(), [("address", "shop:q".to_owned()), ("operation", "browse".to_owned())]);
        assert!(error.hint_text().is_some());
    }

    #[tokio::test]
    async fn errors_name_the_address_and_the_operation() {
        let (_, checked) = checked(Profile::RabbitClassic);
        let error = checked.describe("gone").await.unwrap_err();
        assert_eq!(error.context_pairs(), [("address", "shop:gone".to_owned()), ("operation", "describe".to_owned())]);
        let exchange = Target::Exchange { name: "x".to_owned(), routing_key: Some("a.b".to_owned()) };
        let error = checked.publisher(&exchange).await.err().unwrap();
        assert_eq!(error.context_pairs()[0], ("address", "shop:exchange:x/a.b".to_owned()));
    }

    #[tokio::test]
    async fn a_message_that_does_not_fit_is_refused_alone() {
        let (memory, checked) = checked(Profile::RabbitClassic);
        let publisher = checked.publisher(&Target::queue("q")).await.unwrap();
        let fits = |body: &'static str| Message { payload: Some(body.into()), ..Message::default() };
        let null = Message::default();
        let results = publisher.publish(&[fits("a"), null, fits("b")]).await;
        assert_eq!(results[1].as_ref().unwrap_err().kind(), ErrorKind::Rejected);
        assert!(results[0].is_ok() && results[2].is_ok());
        assert_eq!(memory.snapshot("q").unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_look_settles_nothing() {
        let (memory, checked) = checked(Profile::RabbitClassic);
        memory.publish("q", Message { payload: Some("a".into()), ..Message::default() }).unwrap();
        let mut reader = checked.browse("q", BrowseOptions::default()).await.unwrap();
        let batch = reader.next_batch(1).await.unwrap();
        let results = reader.settle(&[batch.deliveries[0].token], Settle::Remove).await;
        assert_eq!(results[0].as_ref().unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
