//! Browse: looks at a queue and hands what matches to a sink, then gives everything back.
//!
//! The reader is closed whatever happens: at the end, on cancel, on an error and when the sink has had enough.
//! Limits: one batch is held at a time; a sink that keeps messages bounds its own memory.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::control::Control;
use super::place::Place;
use super::progress::Stage;
use super::select::Selection;
use crate::broker::{BrowseOptions, Closed, Delivery, End, Extent, From, Intake, Reader, Target, Until};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::parse_time;

/// The most messages asked of a reader at once.
pub(super) const BATCH: usize = 1000;

/// What to look at.
#[derive(Clone, Debug)]
pub struct BrowseRequest {
    /// Where.
    pub source: Place,
    /// Which messages.
    pub selection: Selection,
    /// How many matching messages at most.
    pub limit: Option<u64>,
    /// Where to start.
    pub from: From,
    /// Where to stop; without it, at what is the end now.
    pub until: Option<Until>,
    /// Only this partition.
    pub partition: Option<i32>,
    /// Only what stands in these extents of a log; empty for all.
    pub within: Vec<Extent>,
    /// Go on after the end and wait for arrivals.
    pub follow: bool,
    /// The operator agrees that messages a return would destroy are put back as new copies.
    pub rescue: bool,
    /// Bytes of messages that the client may hold at once; `None` for the backend's default.
    pub memory: Option<u64>,
}

impl BrowseRequest {
    /// Everything in `source`, from the first message to the end.
    #[must_use]
    pub fn all(source: Place) -> Self {
        Self {
            source,
            selection: Selection::all(),
            limit: None,
            from: From::First,
            until: None,
            partition: None,
            within: Vec::new(),
            follow: false,
            rescue: false,
            memory: None,
        }
    }
}

/// What a browse saw and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Messages gone through.
    pub scanned: u64,
    /// Messages that matched and were handed on.
    pub matched: u64,
    /// Messages given back to the queue.
    pub returned: u64,
    /// Messages put back as new copies, because a return would have destroyed them.
    pub rescued: u64,
    /// Why it ended. `Limit` when the sink had enough, too.
    pub end: End,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// Reads where a read starts: `first`, `last` (the last `tail` of each partition, or `last N`), `end`, an offset, or a
/// time as filters take it.
///
/// # Errors
/// `Usage` for anything else.
pub fn start(text: &str, tail: u64, now: Timestamp) -> Result<From> {
    match text {
        "first" => Ok(From::First),
        "last" => Ok(From::Last(tail)),
        "end" => Ok(From::End),
        _ => match text.strip_prefix("last ").and_then(|count| count.trim().parse().ok()) {
            Some(count) => Ok(From::Last(count)),
            None => Ok(match until(text, now)? {
                Until::Offset(offset) => From::Offset(offset),
                Until::Time(time) => From::Time(time),
            }),
        },
    }
}

/// Reads an offset or a time.
///
/// # Errors
/// `Usage` for anything else.
pub fn until(text: &str, now: Timestamp) -> Result<Until> {
    if let Ok(offset) = text.parse() {
        return Ok(Until::Offset(offset));
    }
    parse_time(text, now).map(Until::Time).ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{text:?} is neither an offset nor a time"))
            .hint("write first, last, end, an offset such as 17, a time such as 2026-03-02T10:11:12Z, or -2h")
    })
}

/// Takes what a browse finds.
#[async_trait]
pub trait Sink: Send {
    /// Takes matching deliveries, in the queue's order. `Break` ends the browse without an error.
    ///
    /// # Errors
    /// Any error ends the browse, which returns it after everything went back.
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>>;

    /// Who takes what the selection matches where the reader makes it, if anybody. It is asked for once a read; whatever
    /// else the reader delivers comes to [`Sink::take`].
    fn intake(&self) -> Option<Arc<dyn Intake>> {
        None
    }

    /// The intake has its batches up to this number whole. Says how many messages matched in those not told of before.
    ///
    /// # Errors
    /// Any error ends the browse, as with [`Sink::take`].
    async fn taken_in(&mut self, _up_to: u64) -> Result<u64> {
        Ok(0)
    }
}

/// A sink made from a closure.
pub struct FnSink<F>(pub F);

#[async_trait]
impl<F> Sink for FnSink<F>
where
    F: FnMut(Vec<Delivery>) -> Result<ControlFlow<()>> + Send,
{
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        (self.0)(deliveries)
    }
}

/// Looks at a queue.
///
/// # Errors
/// What the broker says, above all `Refused` where a look could destroy a message; what the sink says. A cancel is no
/// error: [`Summary::end`] is then `Cancelled`.
pub async fn run(request: BrowseRequest, control: &Control, sink: &mut dyn Sink) -> Result<Summary> {
    run_as(request, control, Stage::Read, sink).await
}

/// The same under another stage's name: scans for a plan and captures look, too.
pub(super) async fn run_as(
    request: BrowseRequest,
    control: &Control,
    stage: Stage,
    sink: &mut dyn Sink,
) -> Result<Summary> {
    let options = BrowseOptions {
        from: request.from,
        until: request.until,
        partition: request.partition.or_else(|| request.source.partition()),
        within: request.within.clone(),
        // With a filter, how many deliveries make up the limit is known only after they were seen.
        limit: request.limit.filter(|_| request.selection.is_all()),
        follow: request.follow,
        prefilter: request.selection.prefilter(),
        rescue: request.rescue,
        memory: request.memory,
        // A limit counts in the queue's order.
        intake: if request.limit.is_none() { sink.intake() } else { None },
        cancel: control.cancel.clone(),
    };
    let queue = request.source.queue()?;
    let mut reader = request.source.broker.browse(queue, options).await.map_err(|e| request.source.locate(e))?;
    let read = read(&request, reader.as_mut(), control, stage, sink).await;
    let progress = reader.progress();
    let closed = reader.close().await.map_err(|error| {
        request.source.locate(error).hint("what was read may still be held by the broker; it returns by itself")
    });
    let (end, matched) = read.map_err(|error| request.source.locate(error))?;
    let Closed { returned, rescued, notes } = closed?;
    Ok(Summary { scanned: progress.scanned, matched, returned, rescued, end, notes })
}

async fn read(
    request: &BrowseRequest,
    reader: &mut dyn Reader,
    control: &Control,
    stage: Stage,
    sink: &mut dyn Sink,
) -> Result<(End, u64)> {
    let mut meter = control.meter(stage, reader.progress().of);
    let mut matched: u64 = 0;
    let end = loop {
        let left = request.limit.map_or(u64::MAX, |limit| limit.saturating_sub(matched));
        if left == 0 {
            break End::Limit;
        }
        let batch = reader.next_batch(usize::try_from(left).unwrap_or(BATCH).min(BATCH)).await?;
        matched += sink.taken_in(reader.progress().taken_in).await?;
        let mut deliveries = batch.deliveries;
        if !request.selection.is_all() {
            deliveries.retain(|delivery| request.selection.matches(&delivery.message));
        }
        matched += deliveries.len() as u64;
        let enough = !deliveries.is_empty() && sink.take(deliveries).await?.is_break();
        let progress = reader.progress();
        meter.set(progress.scanned, matched, progress.of);
        if let Some(end) = batch.end {
            break end;
        }
        if enough {
            break End::Limit;
        }
    };
    meter.end();
    Ok((end, matched))
}

impl Place {
    /// The queue's name.
    ///
    /// # Errors
    /// `Usage` where the address names none, or an exchange.
    pub(super) fn queue(&self) -> Result<&str> {
        self.address.need_target()?.queue_name().ok_or_else(|| {
            Error::new(crate::ErrorKind::Usage, format!("{} is an exchange; only a queue can be read", self.address))
                .hint("name a queue that is bound to it")
        })
    }

    /// The one partition that the address names; `None` for all of them.
    pub(super) fn partition(&self) -> Option<i32> {
        self.address.target.as_ref().and_then(Target::partition)
    }

    /// Adds where it happened.
    pub(super) fn locate(&self, error: Error) -> Error {
        error.context("address", self.address.to_string())
    }

    /// Refuses a write by policy, before any I/O.
    ///
    /// # Errors
    /// `Refused` on a read-only profile.
    pub(super) fn require_writable(&self) -> Result<()> {
        if !self.policy.read_only {
            return Ok(());
        }
        Err(Error::new(crate::ErrorKind::Refused, format!("{} is read-only", self.address))
            .hint("the profile says read_only = true; use another profile, or change it in the config file"))
    }
}
