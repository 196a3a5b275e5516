//! Every place where something can go wrong, one after the other: a fault at the 1st, the 2nd, the 3rd … event,
//! until a run passes without meeting it.
//!
//! ```
//! # use postroom::broker::memory::{Fault, Memory, Profile, QueueSpec, at_each};
//! # async fn replay(_: &Memory) {}
//! # async fn resume(_: &Memory) {}
//! # fn check(_: &Memory) {}
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! at_each(Fault::Kill, async |fault| {
//!     let memory = Memory::builder().queue(QueueSpec::new("dlq", Profile::RabbitQuorum43)).build();
//!     if fault.strike(&memory, replay(&memory)).await.is_none() {
//!         resume(&memory).await; // what the operator does after a kill
//!     }
//!     check(&memory); // no message is lost
//! })
//! .await;
//! # });
//! ```

use std::cell::Cell;

use super::{Fault, Memory};

/// A fault and the event it is due at.
#[derive(Debug)]
pub struct Due<'a> {
    fault: Fault,
    nth: u64,
    happened: &'a Cell<bool>,
}

impl Due<'_> {
    /// The event's number, from 1.
    #[must_use]
    pub const fn nth(&self) -> u64 {
        self.nth
    }

    /// Runs `work` with the fault scripted on `memory`, and takes the script back afterwards. `None` where it was
    /// killed: then `work` was dropped where it stood, and the broker is there for a new start.
    pub async fn strike<T>(&self, memory: &Memory, work: impl Future<Output = T>) -> Option<T> {
        let before = memory.fired();
        memory.arm(self.fault, self.nth);
        let outcome = tokio::select! {
            biased;
            () = memory.killed() => None,
            outcome = work => Some(outcome),
        };
        self.happened.set(self.happened.get() || memory.fired() > before);
        memory.disarm();
        outcome
    }
}

/// Calls `attempt` with `fault` due at the 1st event, then the 2nd …, each time in a world of its own making, until
/// the fault no longer happens. Returns in how many runs it did.
pub async fn at_each<F>(fault: Fault, mut attempt: F) -> u64
where
    F: AsyncFnMut(Due<'_>),
{
    for nth in 1.. {
        let happened = Cell::new(false);
        attempt(Due { fault, nth, happened: &happened }).await;
        if !happened.get() {
            return nth - 1;
        }
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::memory::{Profile, QueueSpec};
    use crate::broker::{Broker, Settle, TakeOptions, Target};
    use crate::error::Result;
    use crate::message::Message;

    /// Moves a message at a time; the careless one removes before it publishes.
    async fn shovel(memory: &Memory, careless: bool) -> Result<()> {
        let publisher = memory.publisher(&Target::queue("to")).await?;
        let mut reader = memory.take("from", TakeOptions::default()).await?;
        loop {
            let batch = reader.next_batch(1).await?;
            for delivery in batch.deliveries {
                if careless {
                    reader.settle(&[delivery.token], Settle::Remove).await;
                }
                let sent = publisher.publish(std::slice::from_ref(&delivery.message)).await;
                if !careless && sent.iter().all(Result::is_ok) {
                    reader.settle(&[delivery.token], Settle::Remove).await;
                }
            }
            if batch.end.is_some() {
                reader.close().await?;
                return publisher.close().await;
            }
        }
    }

    /// How many runs the fault struck, and how many of them lost a message.
    async fn losses(profile: Profile, fault: Fault, careless: bool) -> (u64, u64) {
        let mut lost = 0;
        let runs = at_each(fault, async |due| {
            let memory = Memory::builder()
                .queue(QueueSpec::new("from", profile))
                .queue(QueueSpec::new("to", Profile::RabbitClassic))
                .build();
            let all = ["a", "b", "c"];
            for body in all {
                memory.publish("from", Message { payload: Some(body.into()), ..Message::default() }).unwrap();
            }
            let _ = due.strike(&memory, shovel(&memory, careless)).await;
            let left = [memory.snapshot("from").unwrap(), memory.snapshot("to").unwrap()].concat();
            lost += u64::from(all.iter().any(|body| left.iter().all(|message| message.body() != body.as_bytes())));
        })
        .await;
        (runs, lost)
    }

    #[tokio::test]
    async fn confirm_then_remove_loses_nothing_whatever_goes_wrong() {
        for profile in [Profile::RabbitClassic, Profile::RabbitQuorum40, Profile::RabbitQuorum43] {
            for fault in Fault::ALL {
                let (runs, lost) = losses(profile, fault, false).await;
                assert!(runs >= 3 && lost == 0, "{profile:?} {fault:?}: {lost} of {runs}");
            }
        }
    }

    #[tokio::test]
    async fn the_harness_catches_a_mover_that_removes_first() {
        for fault in [Fault::Kill, Fault::Disconnect, Fault::Publish(crate::broker::memory::PublishFault::Nacked)] {
            assert!(losses(Profile::RabbitClassic, fault, true).await.1 > 0, "{fault:?}");
        }
    }
}
