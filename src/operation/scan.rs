//! Naming the messages of an exact plan: a look at the whole queue, after which everything is back in it.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use async_trait::async_trait;

use super::browse::{self, BrowseRequest, Sink};
use super::control::Control;
use super::course::Keys;
use super::expiry::Life;
use super::journal::record::Identity;
use super::order::Order;
use super::plan::{Check, Destination, Plan, PlannedMessage, SkippedMessage};
use super::progress::Stage;
use super::select::Selection;
use super::wording::no_members;
use crate::broker::{Delivery, End};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Digest, Message};

/// Where a scanned message would go.
pub(super) enum To {
    /// To this address, with so many values of headers and properties converted.
    Address(String, u64),
    /// Nowhere: it stays, and why; `done` where an earlier run has sent it.
    Stay {
        /// One sentence.
        why: String,
        /// Nothing behind it has to wait for it.
        done: bool,
    },
}

impl To {
    /// Nowhere, and it was not sent before.
    pub(super) fn stay(why: impl Into<String>) -> Self {
        Self::Stay { why: why.into(), done: false }
    }
}

/// Says where a message goes.
#[async_trait]
pub(super) trait Router: Send {
    /// # Errors
    /// What would meet every message.
    async fn to(&mut self, message: &Message) -> Result<To>;
}

/// Fills in what the scan sees, with when each message vanishes by its `life`. `order` gets to see every message, also
/// those that are not asked for.
///
/// # Errors
/// What the broker says, above all `Refused` where a look could destroy a message; `Interrupted`.
pub(super) async fn fill(
    plan: &mut Plan,
    mut look: BrowseRequest,
    router: &mut dyn Router,
    order: Option<&mut Order>,
    life: Life,
    control: &Control,
) -> Result<()> {
    let (mut selection, mut left) = (Selection::all(), u64::MAX);
    if order.is_some() && !look.selection.is_all() {
        selection = std::mem::take(&mut look.selection);
        left = look.limit.take().unwrap_or(left);
    }
    let keys = Keys::of(&plan.pace)?;
    let mut names = Names {
        router,
        plan,
        keys,
        order,
        selection,
        left,
        identities: Vec::new(),
        counts: BTreeMap::new(),
        converted: 0,
        life,
    };
    let summary = browse::run_as(look, control, Stage::Scan, &mut names).await?;
    let Names { identities, counts, converted, .. } = names;
    if summary.end == End::Cancelled {
        return Err(Error::new(ErrorKind::Interrupted, "the scan was stopped; everything is back in the queue"));
    }
    if let End::Stopped(why) = summary.end {
        return Err(Error::new(ErrorKind::Refused, format!("the queue can't be scanned to its end: {why}"))
            .context("address", plan.source.clone()));
    }
    count_copies(plan, &identities, summary.end == End::Exhausted);
    plan.scanned = summary.scanned;
    plan.planned = plan.messages.len() as u64;
    plan.destinations =
        counts.into_iter().map(|(address, messages)| Destination::new(address, Some(messages))).collect();
    plan.header_policy.converted = Some(converted);
    if plan.messages.is_empty() && plan.skipped.is_empty() {
        let why = no_members(plan.filter.as_deref(), plan.group.as_deref(), &plan.source);
        plan.checks.extend(why.map(|why| Check::warning("group", why)));
    }
    Ok(())
}

/// How many messages of each one's identity there are; 0 where the scan did not see them all.
fn count_copies(plan: &mut Plan, identities: &[Identity], all_seen: bool) {
    let mut copies: HashMap<Identity, u64> = HashMap::new();
    for identity in identities {
        *copies.entry(*identity).or_default() += 1;
    }
    for message in &mut plan.messages {
        let identity = Identity::new(message.digest, &message.id);
        message.copies = copies.get(&identity).copied().filter(|_| all_seen).unwrap_or_default();
    }
}

struct Names<'a> {
    router: &'a mut dyn Router,
    plan: &'a mut Plan,
    order: Option<&'a mut Order>,
    /// How keys are read, where messages go key by key.
    keys: Option<Keys>,
    /// What is asked for, where every message is seen.
    selection: Selection,
    /// How many of them at most.
    left: u64,
    /// Of all that matched, planned or not.
    identities: Vec<Identity>,
    counts: BTreeMap<String, u64>,
    converted: u64,
    /// How long messages of the source live.
    life: Life,
}

#[async_trait]
impl Sink for Names<'_> {
    async fn take(&mut self, deliveries: Vec<Delivery>) -> Result<ControlFlow<()>> {
        for delivery in deliveries {
            let message = &delivery.message;
            if self.left == 0 || !self.selection.is_all() && !self.selection.matches(message) {
                if let Some(order) = &mut self.order {
                    order.stays(message, false);
                }
                continue;
            }
            self.left -= 1;
            self.name(&delivery).await?;
        }
        Ok(ControlFlow::Continue(()))
    }
}

impl Names<'_> {
    async fn name(&mut self, delivery: &Delivery) -> Result<()> {
        let message = &delivery.message;
        let (identity, digest) = Identity::of_delivery(delivery);
        self.identities.push(identity);
        match self.router.to(message).await? {
            To::Stay { why, done } => {
                if let Some(order) = &mut self.order {
                    order.stays(message, done);
                }
                self.plan.skipped.push(SkippedMessage { id: message.id.clone(), why });
            }
            To::Address(address, converted) => {
                if let Some(order) = &mut self.order {
                    order.goes(message);
                }
                self.converted += converted;
                match self.counts.get_mut(&address) {
                    Some(count) => *count += 1,
                    None => _ = self.counts.insert(address.clone(), 1),
                }
                let key = self.keys.as_ref().and_then(|keys| keys.key(message)).map(|key| Digest(key).to_string());
                let expires = self.life.end(message);
                let named = PlannedMessage { key, expires, ..PlannedMessage::new(message, digest, address) };
                self.plan.messages.push(named);
            }
        }
        Ok(())
    }
}
