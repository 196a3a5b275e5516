//! What a case works with: a fixture, its broker opened, the queues it made, and the steps that cases share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use postroom::broker::{
    Batch, Broker, BrowseOptions, Capability, Closed, End, Publisher, Reader, TakeOptions, Target, Token,
};
use postroom::message::Message;
use postroom::{ErrorKind, Result};

use crate::fixture::{Fixture, Wanted};

/// How long to wait for what a broker does in its own time.
const DEADLINE: Duration = Duration::from_secs(20);

pub(crate) struct World {
    pub(crate) fixture: Arc<dyn Fixture>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) capability: Capability,
    made: Mutex<Vec<String>>,
}

/// All that a reader gave.
pub(crate) struct Read {
    pub(crate) messages: Vec<Message>,
    pub(crate) tokens: Vec<Token>,
    pub(crate) end: End,
}

impl World {
    pub(crate) async fn open(fixture: Arc<dyn Fixture>) -> Self {
        let broker = fixture.open().await;
        Self { capability: fixture.capability(), fixture, broker, made: Mutex::default() }
    }

    pub(crate) async fn clean_up(&self) {
        let made = std::mem::take(&mut *self.made.lock().unwrap());
        for queue in made {
            self.fixture.delete(&queue).await;
        }
    }

    /// An empty queue.
    pub(crate) async fn queue(&self) -> String {
        self.queue_that(&Wanted::Plain).await
    }

    pub(crate) async fn queue_that(&self, wanted: &Wanted) -> String {
        let queue = self.fixture.create(wanted).await;
        self.made.lock().unwrap().push(queue.clone());
        queue
    }

    /// A queue with messages of the payloads `m0`, `m1` ….
    pub(crate) async fn queue_of(&self, count: usize) -> String {
        let queue = self.queue().await;
        self.fixture.fill(&queue, &self.messages(0..count)).await;
        self.until_ready(&queue, count as u64).await;
        queue
    }

    /// Messages of the payloads `m0`, `m1` ….
    pub(crate) fn messages(&self, numbers: std::ops::Range<usize>) -> Vec<Message> {
        numbers.map(|number| self.message(format!("m{number}"))).collect()
    }

    pub(crate) fn message(&self, payload: impl Into<bytes::Bytes>) -> Message {
        self.fixture.prepare(Message { payload: Some(payload.into()), ..Message::default() })
    }

    /// Waits until that many messages are ready.
    pub(crate) async fn until_ready(&self, queue: &str, count: u64) {
        let mut ready = 0;
        let waited = until(async || {
            ready = self.fixture.ready(queue).await;
            ready == count
        });
        assert!(waited.await, "{queue:?} has {ready} messages ready, not {count}");
    }

    pub(crate) async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        self.broker.browse(queue, options).await
    }

    pub(crate) async fn take(&self, queue: &str) -> Box<dyn Reader> {
        self.broker.take(queue, TakeOptions::default()).await.unwrap()
    }

    /// Looks at everything and closes.
    pub(crate) async fn look(&self, queue: &str, options: BrowseOptions) -> Result<(Read, Closed)> {
        let mut reader = self.browse(queue, options).await?;
        let read = read(&mut *reader).await;
        let closed = reader.close().await?;
        Ok((read, closed))
    }

    /// The payloads in a queue in their order, seen by a look that must be allowed.
    pub(crate) async fn content(&self, queue: &str) -> Vec<String> {
        payloads(&self.look(queue, BrowseOptions::default()).await.unwrap().0.messages)
    }

    pub(crate) async fn publisher(&self, queue: &str) -> Arc<dyn Publisher> {
        self.broker.publisher(&Target::queue(queue)).await.unwrap()
    }
}

/// Reads to the end.
pub(crate) async fn read(reader: &mut dyn Reader) -> Read {
    let (mut messages, mut tokens) = (Vec::new(), Vec::new());
    loop {
        let Batch { deliveries, end } = reader.next_batch(100).await.unwrap();
        for delivery in deliveries {
            messages.push(delivery.message);
            tokens.push(delivery.token);
        }
        if let Some(end) = end {
            return Read { messages, tokens, end };
        }
    }
}

/// Asks again and again, with pauses, until it is so; `false` at the deadline.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(DEADLINE, asking).await.is_ok()
}

pub(crate) fn payloads(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
}

pub(crate) fn numbered(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
    numbers.into_iter().map(|number| format!("m{number}")).collect()
}

/// The same texts, whatever the order.
pub(crate) fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort_unstable();
    texts
}

/// The kind of an error that must be one.
pub(crate) fn kind<T>(result: Result<T>) -> ErrorKind {
    match result {
        Ok(_) => panic!("it succeeded"),
        Err(error) => error.kind(),
    }
}
