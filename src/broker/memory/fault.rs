//! Scripted faults: the nth publish refused, an answer lost, the connection dropped, the process killed.
//!
//! A broker call passes named points (before and after each effect); code above it can add its own with
//! [`Memory::reached`]. [`Fault::Kill`] at a point stops everything there as `kill -9` would: the call never comes
//! back, connections are gone, and what was held returns by the queue's rules.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::state::lost;
use super::{Inner, Memory};
use crate::error::{Error, ErrorKind, Result};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process stops for ever at the nth point.
    Kill,
    /// Every connection is lost at the nth point: open readers and publishers fail from then on.
    Disconnect,
    /// The nth published message.
    Publish(PublishFault),
    /// The nth message that is removed.
    Settle(SettleFault),
}

/// What goes wrong with a publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishFault {
    /// The broker says no (a full queue, a quorum lost).
    Nacked,
    /// The broker routes it to no queue.
    Returned,
    /// The answer is lost; the message is in the queue.
    LostAfter,
    /// The answer is lost; the message never arrived.
    LostBefore,
}

/// What goes wrong with the removal of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettleFault {
    /// The broker says no; the message is still held.
    Fails,
    /// The answer is lost; the message is removed.
    LostAfter,
    /// The answer is lost; the message is still held.
    LostBefore,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 9] = [
        Self::Kill,
        Self::Disconnect,
        Self::Publish(PublishFault::Nacked),
        Self::Publish(PublishFault::Returned),
        Self::Publish(PublishFault::LostAfter),
        Self::Publish(PublishFault::LostBefore),
        Self::Settle(SettleFault::Fails),
        Self::Settle(SettleFault::LostAfter),
        Self::Settle(SettleFault::LostBefore),
    ];
}

#[derive(Debug, Default)]
struct Script {
    /// Each with how many of its events are still to come, that one included.
    armed: Vec<(Fault, u64)>,
    fired: u64,
    slow: Option<Duration>,
    /// The name of the point where the last fault of a point happened.
    at: Option<&'static str>,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    script: Mutex<Script>,
    killed: watch::Sender<bool>,
    /// Why publishers wait.
    blocked: watch::Sender<Option<String>>,
    stalls: watch::Sender<Stalls>,
}

/// Points that nothing gets past.
#[derive(Debug, Default)]
struct Stalls {
    at: &'static [&'static str],
    /// Those of them where a call waits.
    reached: Vec<&'static str>,
}

impl Faults {
    /// Counts an event and says which fault is due at it.
    fn due(&self, at: Option<&'static str>, concerns: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = None;
        for (fault, left) in script.armed.iter_mut().filter(|(fault, _)| concerns(*fault)) {
            *left -= 1;
            if *left == 0 {
                due = due.or(Some(*fault));
            }
        }
        script.armed.retain(|(_, left)| *left > 0);
        if due.is_some() {
            script.fired += 1;
            script.at = at.or(script.at);
        }
        due
    }

    pub(super) fn publish(&self) -> Option<PublishFault> {
        match self.due(None, |fault| matches!(fault, Fault::Publish(_))) {
            Some(Fault::Publish(fault)) => Some(fault),
            _ => None,
        }
    }

    pub(super) fn settle(&self) -> Option<SettleFault> {
        match self.due(None, |fault| matches!(fault, Fault::Settle(_))) {
            Some(Fault::Settle(fault)) => Some(fault),
            _ => None,
        }
    }
}

impl Inner {
    /// Waits while publishers are blocked.
    pub(super) async fn unblocked(&self) {
        // The sender lives as long as this broker, so the wait can't fail.
        let _ = self.faults.blocked.subscribe().wait_for(Option::is_none).await;
    }

    /// Why publishers are blocked.
    pub(super) fn blocked(&self) -> Option<String> {
        self.faults.blocked.borrow().clone()
    }

    /// A point of a broker call: slow where that is scripted, and the place for a kill or a lost connection.
    pub(super) async fn point(&self, name: &'static str) -> Result<()> {
        let slow = self.faults.script.lock().unwrap_or_else(PoisonError::into_inner).slow;
        if let Some(slow) = slow {
            tokio::time::sleep(slow).await;
        }
        let mut stalls = self.faults.stalls.subscribe();
        if stalls.borrow().at.contains(&name) {
            self.faults.stalls.send_modify(|stalls| stalls.reached.push(name));
            // The sender lives as long as this broker, so the wait can't fail.
            let _ = stalls.wait_for(|stalls| !stalls.at.contains(&name)).await;
        }
        if *self.faults.killed.borrow() {
            std::future::pending::<()>().await;
        }
        match self.faults.due(Some(name), |fault| matches!(fault, Fault::Kill | Fault::Disconnect)) {
            Some(Fault::Kill) => {
                self.state().lose_all(self.clock.now());
                self.faults.killed.send_replace(true);
                std::future::pending().await
            }
            Some(_) => {
                self.state().lose_all(self.clock.now());
                Err(lost())
            }
            None => Ok(()),
        }
    }
}

impl Memory {
    /// Scripts a fault for the nth event of its kind from now on; 1 is the next. Points, published messages and
    /// removed messages are counted apart.
    pub fn arm(&self, fault: Fault, nth: u64) {
        let mut script = self.0.faults.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.armed.push((fault, nth.max(1)));
    }

    /// Takes back what is scripted and has not happened, and lets a killed process start again.
    pub fn disarm(&self) {
        let mut script = self.0.faults.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.armed.clear();
        script.slow = None;
        drop(script);
        self.0.faults.killed.send_replace(false);
    }

    /// How many scripted faults have happened.
    #[must_use]
    pub fn fired(&self) -> u64 {
        self.0.faults.script.lock().unwrap_or_else(PoisonError::into_inner).fired
    }

    /// The name of the point where the last [`Fault::Kill`] or [`Fault::Disconnect`] happened.
    #[must_use]
    pub fn stopped_at(&self) -> Option<&'static str> {
        self.0.faults.script.lock().unwrap_or_else(PoisonError::into_inner).at
    }

    /// Makes every call take that long, on tokio's clock.
    pub fn slow(&self, by: Duration) {
        self.0.faults.script.lock().unwrap_or_else(PoisonError::into_inner).slow = Some(by);
    }

    /// Lets publishers wait, as a broker does that is short of memory, until it is called again without a reason.
    pub fn block(&self, why: Option<&str>) {
        self.0.faults.blocked.send_replace(why.map(ToOwned::to_owned));
    }

    /// Lets every call wait at the points of these names (`remove`: a removal that was asked for and not begun), until it
    /// is called again without them.
    pub fn stall(&self, at: &'static [&'static str]) {
        self.0.faults.stalls.send_replace(Stalls { at, reached: Vec::new() });
    }

    /// Waits until a call waits at that point.
    pub async fn stalled(&self, at: &'static str) {
        // The sender lives as long as this broker, so the wait can't fail.
        let _ = self.0.faults.stalls.subscribe().wait_for(|stalls| stalls.reached.contains(&at)).await;
    }

    /// A point of the code above: a journal line written, a file synced. Never comes back from a kill.
    ///
    /// # Errors
    /// `Unreachable` where the scripted fault is a lost connection.
    pub async fn reached(&self, name: &'static str) -> Result<()> {
        self.0.point(name).await
    }

    /// Waits until a [`Fault::Kill`] has happened.
    pub async fn killed(&self) {
        // The sender lives as long as this broker, so the wait can't fail.
        let _ = self.0.faults.killed.subscribe().wait_for(|killed| *killed).await;
    }

    /// Closes every connection from the broker's side: what is held returns by the queue's rules.
    pub fn disconnect(&self) {
        self.0.state().lose_all(self.0.clock.now());
    }
}

/// The error of a change whose answer was lost.
pub(super) fn ambiguous(what: &str) -> Error {
    Error::new(ErrorKind::Ambiguous, format!("the answer to the {what} was lost; it may or may not have happened"))
        .hint("look at the queue before doing it again")
}
