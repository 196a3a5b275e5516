//! Groups of whole queues and archives, counted by several workers.
//!
//! Messages are handed on in chunks of a fixed number, in the order of the queue, and the parts that workers make of
//! them are merged in that order: what comes out is the same with one worker and with many. Limits: the chunks under
//! way are the memory that is held beside the groups.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use futures::StreamExt as _;
use futures::stream::FuturesOrdered;
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinHandle;

use super::{By, GroupSummary, Groups, PlaceCount};
use crate::broker::{Delivery, QueueInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::Rules;
use crate::operation::browse::{self, BrowseRequest, Sink, Summary};
use crate::operation::control::Control;
use crate::operation::masks::Masks;

/// Messages in a chunk: enough to make handing it on cheap.
const CHUNK: usize = 1000;
/// Bytes of messages in a chunk, beyond which it is handed on early.
const CHUNK_BYTES: u64 = 8 << 20;
/// The most workers; on more cores the reader is what is waited for.
const MAX_WORKERS: usize = 8;

/// Groups in the making.
#[derive(Debug)]
pub struct Gather {
    groups: Groups,
}

impl Gather {
    /// Nothing looked at yet.
    #[must_use]
    pub fn new(by: By, rules: Arc<Rules>) -> Self {
        Self { groups: Groups::new(by, rules) }
    }

    /// Looks at a queue, whose messages are told under the address as typed and are shown through `masks`. `info` says
    /// when it drops them.
    ///
    /// # Errors
    /// As [`browse::run`]; what was counted before it stays.
    pub async fn look(
        &mut self,
        request: BrowseRequest,
        info: &QueueInfo,
        masks: Masks,
        control: &Control,
    ) -> Result<Summary> {
        self.groups.seen_through(Arc::new(masks));
        let mut work = Work {
            address: request.source.address.to_string().into(),
            expiry: info.expiry.and_then(|expiry| SignedDuration::try_from(expiry).ok()),
            width: std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS),
            groups: &mut self.groups,
            chunk: Vec::new(),
            bytes: 0,
            parts: FuturesOrdered::new(),
        };
        let looked = browse::run(request, control, &mut work).await;
        let counted = work.finish().await;
        let summary = looked?;
        counted.map(|()| summary)
    }

    /// Takes one message that somebody else read.
    pub fn add(&mut self, message: &Message) {
        self.groups.add(message);
    }

    /// How many messages were seen.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.groups.total()
    }

    /// The queues that they were read from.
    #[must_use]
    pub fn places(&self) -> &[PlaceCount] {
        self.groups.places()
    }

    /// The groups, largest first.
    #[must_use]
    pub fn finish(self) -> Vec<GroupSummary> {
        self.groups.finish()
    }
}

/// One look, with its chunks under way.
struct Work<'a> {
    groups: &'a mut Groups,
    address: Arc<str>,
    /// How long the queue keeps a message.
    expiry: Option<SignedDuration>,
    width: usize,
    chunk: Vec<Message>,
    bytes: u64,
    parts: FuturesOrdered<JoinHandle<Groups>>,
}

#[async_trait]
impl Sink for Work<'_> {
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        for Delivery { mut message, .. } in deliveries {
            message.address = Arc::clone(&self.address);
            self.bytes += message.size();
            self.chunk.push(message);
            if self.chunk.len() == CHUNK || self.bytes >= CHUNK_BYTES {
                self.hand_on();
                while self.parts.len() > self.width {
                    self.merge_next().await?;
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Work<'_> {
    fn hand_on(&mut self) {
        let (chunk, mut part, expiry) = (std::mem::take(&mut self.chunk), self.groups.part(), self.expiry);
        self.bytes = 0;
        self.parts.push_back(tokio::task::spawn_blocking(move || {
            for message in &chunk {
                let expires = expires(message, expiry);
                part.add_known(message, detect(message).as_ref(), expires);
            }
            part
        }));
    }

    async fn merge_next(&mut self) -> Result<()> {
        match self.parts.next().await {
            Some(Ok(part)) => self.groups.merge(part),
            Some(Err(error)) => return Err(Error::new(ErrorKind::Unexpected, "grouping failed").because(error)),
            None => {}
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<()> {
        self.hand_on();
        while !self.parts.is_empty() {
            self.merge_next().await?;
        }
        Ok(())
    }
}

fn expires(message: &Message, expiry: Option<SignedDuration>) -> Option<Timestamp> {
    message.time.zip(expiry).and_then(|(time, expiry)| time.checked_add(expiry).ok())
}
