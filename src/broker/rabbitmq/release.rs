//! Giving back everything that is held on a channel, by the way that costs its queue least.
//!
//! One `basic.nack(0, multiple, requeue)` returns all of it in order. It travels behind questions and a close: from
//! 4.3 a quorum queue takes a close right behind it for a failure, and a classic queue answers a count before the nack.
//! So the channel stays open until the queue has its messages back. A quorum queue without a limit up to 4.2 would put
//! nacked messages at its end; there closing the channel is the return.
//! Limits: with consumers on the queue the messages may be taken again at once; then the wait is only bounded.

use std::time::Duration;

use lapin::Channel;
use lapin::options::BasicNackOptions;

use super::connection::close_quietly;
use super::errors::answer;
use super::facts::Release;
use super::{Shared, learn};
use crate::error::Result;

/// How long to wait until the queue has everything back.
const BACK: Duration = Duration::from_secs(10);
/// The same where consumers may take the messages as soon as they are back.
const BACK_WITH_CONSUMERS: Duration = Duration::from_secs(1);
/// How long to wait before the queue is asked again: at first, and at most.
const ASK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// Returns `held` messages, closes the channel, and waits until the queue has them back: what is read next would else
/// find an empty queue. No consumer may be at work on the channel.
///
/// # Errors
/// `Unreachable` or `Timeout` where the broker did not answer; it then takes everything back by itself.
pub(super) async fn release(shared: &Shared, channel: &Channel, queue: &str, how: Release, held: u64) -> Result<()> {
    if held == 0 {
        close_quietly(channel).await;
        return Ok(());
    }
    let (before, _) = learn::count(channel, queue).await?;
    if how == Release::Nack {
        let options = BasicNackOptions { multiple: true, requeue: true };
        answer("returning messages", channel.basic_nack(0, options)).await?;
        back(channel, queue, before + held).await?;
        close_quietly(channel).await;
        return Ok(());
    }
    close_quietly(channel).await;
    let other = shared.consuming().await?.channel().await?;
    back(&other, queue, before + held).await?;
    close_quietly(&other).await;
    Ok(())
}

/// Waits until `wanted` messages are ready.
async fn back(channel: &Channel, queue: &str, wanted: u64) -> Result<()> {
    let (mut ready, consumers) = learn::count(channel, queue).await?;
    let patience = if consumers > 0 { BACK_WITH_CONSUMERS } else { BACK };
    let end = tokio::time::Instant::now() + patience;
    let [mut pause, longest] = ASK;
    while ready < wanted && tokio::time::Instant::now() < end {
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
        ready = learn::count(channel, queue).await?.0;
    }
    Ok(())
}
