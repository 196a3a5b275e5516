//! What a reader holds: each message by its id, with its newest receipt handle and the end of its lease.
//!
//! A message is held from the answer that brought it, also while nobody has read it yet, and a task beside the reader
//! prolongs every lease before half of it has gone. A standard queue may give a message to two receives at once, and then
//! nobody can tell which of the two handles is the newer one, the only one that counts: such a message is prolonged and
//! removed by both. Limits: SQS ends every lease twelve hours after the receive, whatever was asked.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry};
use futures::stream::{self, StreamExt as _};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::call::{call, pause};
use super::errors::{Place, is_throttling, refused};
use super::facts::Facts;
use crate::error::{Error, ErrorKind, Result};
use crate::message::hash::hash;
use crate::text::human;

/// Entries in one batch.
const BATCH: usize = 10;
/// Batches at once.
const AT_ONCE: usize = 16;
/// How often an entry that failed is tried again.
const TRIES: u32 = 4;
/// Ids of removed messages that are remembered, so that one that SQS delivers once more is known.
const REMEMBERED: usize = 200_000;

/// A message that is held.
#[derive(Clone, Debug)]
struct Held {
    id: u128,
    /// One of them is the newest.
    handles: Vec<String>,
    until: Instant,
    /// When the last answer with a handle came.
    answered: Instant,
}

impl Held {
    /// A handle that may be the newest and has not been used.
    fn unused(&self, used: &HashSet<String>) -> Option<&String> {
        self.handles.iter().find(|handle| !used.contains(*handle))
    }
}

#[derive(Debug, Default)]
struct Inner {
    held: BTreeMap<u64, Held>,
    tokens: HashMap<u128, u64>,
    /// Removed, or to be removed when they come again, and in which order: the oldest are forgotten first.
    removed: HashSet<u128>,
    order: VecDeque<u128>,
    next: u64,
}

/// What a receive means for what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Met {
    /// A message that was not seen before, under this token.
    New(u64),
    /// It is held already; it has a newer handle now.
    Held,
    /// It was removed, and SQS delivers it all the same.
    Removed(u64),
}

/// What one reader holds.
pub(super) struct Leases {
    shared: Arc<Shared>,
    facts: Facts,
    inner: Mutex<Inner>,
    stop: CancellationToken,
}

/// 128 bits that stand for a message id.
fn key(id: &str) -> u128 {
    u128::from_be_bytes(hash(id.as_bytes()))
}

impl Leases {
    /// Starts with nothing, and with the task that prolongs.
    pub(super) fn start(shared: &Arc<Shared>, facts: &Facts) -> Arc<Self> {
        let leases = Arc::new(Self {
            shared: Arc::clone(shared),
            facts: facts.clone(),
            inner: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let (weak, stop) = (Arc::downgrade(&leases), leases.stop.clone());
        let beat = shared.settings.lease / 8;
        tokio::spawn(async move {
            while stop.run_until_cancelled(tokio::time::sleep(beat)).await.is_some() {
                let Some(leases) = weak.upgrade() else { return };
                leases.prolong().await;
            }
        });
        leases
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lease(&self) -> Duration {
        self.shared.settings.lease
    }

    /// Takes note of a message whose receive was sent at `since` and has been answered now.
    pub(super) fn meet(&self, id: &str, handle: String, since: Instant) -> Met {
        let (id, until, answered) = (key(id), since + self.lease(), Instant::now());
        let mut inner = self.inner();
        if let Some(token) = inner.tokens.get(&id).copied() {
            if let Some(held) = inner.held.get_mut(&token) {
                if since >= held.answered {
                    *held = Held { id, handles: vec![handle], until, answered };
                } else {
                    held.handles.push(handle);
                    (held.until, held.answered) = (held.until.min(until), answered);
                }
            }
            return Met::Held;
        }
        inner.next += 1;
        let token = inner.next;
        inner.held.insert(token, Held { id, handles: vec![handle], until, answered });
        inner.tokens.insert(id, token);
        if inner.removed.contains(&id) { Met::Removed(token) } else { Met::New(token) }
    }

    pub(super) fn holds(&self, token: u64) -> bool {
        self.inner().held.contains_key(&token)
    }

    pub(super) fn count(&self) -> u64 {
        self.inner().held.len() as u64
    }

    fn forget(&self, token: u64, removed: bool) {
        let mut inner = self.inner();
        if let Some(held) = inner.held.remove(&token) {
            inner.tokens.remove(&held.id);
            if removed {
                if inner.order.len() >= REMEMBERED
                    && let Some(oldest) = inner.order.pop_front()
                {
                    inner.removed.remove(&oldest);
                }
                if inner.removed.insert(held.id) {
                    inner.order.push_back(held.id);
                }
            }
        }
    }

    /// Prolongs what has less than five eighths of its lease left: so none is left with less than half of it.
    async fn prolong(&self) {
        let soon = Instant::now() + self.lease() * 5 / 8;
        let due: Vec<u64> =
            self.inner().held.iter().filter(|(_, held)| held.until < soon).map(|(token, _)| *token).collect();
        if due.is_empty() {
            return;
        }
        let count = due.len();
        // A call that hangs must not let the other leases run out: what it was to prolong is due again at the next beat.
        let done = tokio::time::timeout(self.lease() / 2, self.change(due, self.lease())).await;
        let lost = done.map(|done| done.iter().filter(|(_, result)| result.is_err()).count());
        tracing::debug!(count, lost = ?lost.ok(), queue = self.facts.name, "leases prolonged");
    }

    /// Sets the visibility of messages; one result for each.
    async fn change(&self, tokens: Vec<u64>, lease: Duration) -> Vec<(u64, Result<(), String>)> {
        let batches: Vec<Vec<u64>> = tokens.chunks(BATCH).map(<[u64]>::to_vec).collect();
        let changed = stream::iter(batches).map(|batch| self.change_batch(batch, lease)).buffer_unordered(AT_ONCE);
        changed.collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    async fn change_batch(&self, tokens: Vec<u64>, lease: Duration) -> Vec<(u64, Result<(), String>)> {
        let seconds = i32::try_from(lease.as_secs()).unwrap_or(i32::MAX);
        let mut done = Vec::with_capacity(tokens.len());
        let mut left = tokens;
        let (mut used, mut changed) = (HashSet::new(), HashSet::new());
        let rounds = self.rounds(&left);
        for attempt in 0..rounds {
            // What was removed meanwhile needs nothing.
            left.retain(|token| self.holds(*token));
            let asked = self.unused(&left, &used);
            let entries: Vec<_> = asked
                .iter()
                .filter_map(|(token, handle)| {
                    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(token.to_string());
                    entry.receipt_handle(handle).visibility_timeout(seconds).build().ok()
                })
                .collect();
            if entries.is_empty() {
                return done;
            }
            let since = Instant::now();
            let client = self.shared.client().await;
            let ask = || {
                let batch = client.change_message_visibility_batch().queue_url(&self.facts.url);
                batch.set_entries(Some(entries.clone())).send()
            };
            let answer = match call(&self.shared.throttling, true, ask).await {
                Ok(answer) => answer,
                Err(trouble) => {
                    let place = self.place("ChangeMessageVisibilityBatch");
                    let why = trouble.explain(&place).to_string();
                    done.extend(left.into_iter().map(|token| (token, Err(why.clone()))));
                    return done;
                }
            };
            for entry in &answer.successful {
                let Ok(token) = entry.id.parse::<u64>() else { continue };
                changed.insert(token);
                if self.use_up(token, &asked, &mut used) {
                    left.retain(|other| *other != token);
                    if let Some(held) = self.inner().held.get_mut(&token) {
                        held.until = since + lease;
                    }
                    done.push((token, Ok(())));
                }
            }
            let last = attempt + 1 == rounds;
            for failed in answer.failed {
                let Ok(token) = failed.id.parse::<u64>() else { continue };
                let gone = failed.code.ends_with("MessageNotInflight") || failed.code.contains("ReceiptHandle");
                if gone && !self.use_up(token, &asked, &mut used) {
                    // The newer handle is another.
                } else if gone && (lease.is_zero() || changed.contains(&token)) {
                    // Its lease has run out, so that it is visible already; or the newer handle was another.
                    left.retain(|other| *other != token);
                    done.push((token, Ok(())));
                } else if last || gone || (failed.sender_fault && !is_throttling(&failed.code)) {
                    left.retain(|other| *other != token);
                    done.push((token, Err(format!("{} {}", failed.code, failed.message.unwrap_or_default()))));
                }
            }
            if left.is_empty() {
                break;
            }
            pause(attempt.min(TRIES - 1)).await;
        }
        done.extend(left.into_iter().map(|token| (token, Err("SQS gave no answer for it".to_owned()))));
        done
    }

    /// How often a batch is sent at most: each handle that may be the newest has a round of its own.
    fn rounds(&self, tokens: &[u64]) -> u32 {
        let inner = self.inner();
        let handles = |token: &u64| inner.held.get(token).map_or(1, |held| held.handles.len());
        TRIES + u32::try_from(tokens.iter().map(handles).max().unwrap_or(1)).unwrap_or(u32::MAX - TRIES) - 1
    }

    /// For each message that is held, a handle that may be its newest and has not been used.
    fn unused(&self, tokens: &[u64], used: &HashSet<String>) -> BTreeMap<u64, String> {
        let inner = self.inner();
        let handle = |token: &u64| Some((*token, inner.held.get(token)?.unused(used)?.clone()));
        tokens.iter().filter_map(handle).collect()
    }

    /// The handle that was asked for has been answered. Whether there is no other.
    fn use_up(&self, token: u64, asked: &BTreeMap<u64, String>, used: &mut HashSet<String>) -> bool {
        used.extend(asked.get(&token).cloned());
        self.inner().held.get(&token).is_none_or(|held| held.unused(used).is_none())
    }

    /// Makes everything visible again. How many went back, and what to say of the others.
    pub(super) async fn release(&self) -> (u64, Vec<String>) {
        self.stop.cancel();
        let tokens: Vec<u64> = self.inner().held.keys().copied().collect();
        let mut returned = 0;
        let mut failed: Vec<String> = Vec::new();
        for (token, result) in self.change(tokens, Duration::ZERO).await {
            match result {
                Ok(()) => returned += 1,
                Err(why) => failed.push(why),
            }
            self.forget(token, false);
        }
        let note = failed.first().map(|why| {
            format!(
                "{} could not be given back ({why}); what is still held comes back by itself within {} s",
                human::messages(failed.len() as u64),
                self.lease().as_secs()
            )
        });
        (returned, note.into_iter().collect())
    }

    /// Removes messages; one result for each, in order.
    pub(super) async fn remove(&self, tokens: &[u64]) -> HashMap<u64, Result<()>> {
        let batches: Vec<Vec<u64>> = tokens.chunks(BATCH).map(<[u64]>::to_vec).collect();
        let removed = stream::iter(batches).map(|batch| self.remove_batch(batch)).buffer_unordered(AT_ONCE);
        removed.collect::<Vec<_>>().await.into_iter().flatten().collect()
    }

    async fn remove_batch(&self, tokens: Vec<u64>) -> Vec<(u64, Result<()>)> {
        let mut done = Vec::with_capacity(tokens.len());
        let mut left = tokens;
        let (mut used, mut late) = (HashSet::new(), HashSet::new());
        let rounds = self.rounds(&left);
        for attempt in 0..rounds {
            let asked = self.unused(&left, &used);
            {
                let (inner, now) = (self.inner(), Instant::now());
                let ran_out = |token: &&u64| inner.held.get(token).is_none_or(|held| held.until <= now);
                late.extend(left.iter().filter(ran_out));
            }
            let entries: Vec<_> = asked
                .iter()
                .filter_map(|(token, handle)| {
                    let entry = DeleteMessageBatchRequestEntry::builder().id(token.to_string());
                    entry.receipt_handle(handle).build().ok()
                })
                .collect();
            if entries.is_empty() {
                break;
            }
            let client = self.shared.client().await;
            let ask =
                || client.delete_message_batch().queue_url(&self.facts.url).set_entries(Some(entries.clone())).send();
            let place = self.place("DeleteMessageBatch");
            // To delete what is deleted is no error, so a lost answer is asked for again.
            let answer = match call(&self.shared.throttling, true, ask).await {
                Ok(answer) => answer,
                Err(trouble) => {
                    done.extend(left.into_iter().map(|token| {
                        (token, Err(trouble.doubt("removal").unwrap_or_else(|| trouble.explain(&place))))
                    }));
                    return done;
                }
            };
            for entry in &answer.successful {
                let Ok(token) = entry.id.parse::<u64>() else { continue };
                // An older handle removes nothing and says the same.
                if self.use_up(token, &asked, &mut used) {
                    left.retain(|other| *other != token);
                    self.forget(token, true);
                    done.push((token, if late.contains(&token) { Err(too_late()) } else { Ok(()) }));
                }
            }
            for failed in answer.failed {
                let Ok(token) = failed.id.parse::<u64>() else { continue };
                let text = failed.message.unwrap_or_default();
                if failed.code.contains("ReceiptHandle") {
                    late.insert(token);
                    if self.use_up(token, &asked, &mut used) {
                        left.retain(|other| *other != token);
                        // When it comes again it is removed, and not taken for another.
                        self.forget(token, true);
                        done.push((token, Err(too_late().because(refused(&place, &failed.code, &text)))));
                    }
                } else if failed.sender_fault && !is_throttling(&failed.code) {
                    left.retain(|other| *other != token);
                    done.push((token, Err(refused(&place, &failed.code, &text))));
                }
            }
            if left.is_empty() {
                break;
            }
            pause(attempt.min(TRIES - 1)).await;
        }
        let unanswered = || Error::new(ErrorKind::Ambiguous, "SQS did not remove it, however often it was asked");
        done.extend(left.into_iter().map(|token| (token, Err(unanswered()))));
        done
    }

    fn place(&self, action: &'static str) -> Place<'_> {
        Place { action, queue: &self.facts.name, arn: self.facts.arn() }
    }
}

/// The reader is gone: nothing is prolonged any more.
impl Drop for Leases {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn too_late() -> Error {
    Error::new(ErrorKind::Ambiguous, "its lease ran out before it was removed, so it may be in the queue again")
        .hint("where its copy arrived, it is there twice")
}
