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
use tokio::time::Instant;

use super::connection::close_quietly;
use super::errors::answer;
use super::facts::Release;
use super::{Shared, learn};
use crate::error::{ErrorKind, Result};
use crate::text::human;

/// How long to wait until the queue has everything back, and one second more for each so many messages: a queue that
/// takes a million back answers nothing for many seconds (seen on 4.0, classic and quorum).
const BACK: Duration = Duration::from_secs(10);
/// See [`BACK`].
const A_SECOND: u64 = 10_000;
/// The same where consumers may take the messages as soon as they are back.
const BACK_WITH_CONSUMERS: Duration = Duration::from_secs(1);
/// How long to wait before the queue is asked a third time, and at most. The second time it is asked at once: what is few
/// is back by then.
const ASK: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// Returns `held` messages, closes the channel, and waits until the queue has them back: what is read next would else
/// find an empty queue. No consumer may be at work on the channel. What is to be said where it takes longer than that.
///
/// # Errors
/// `Unreachable` or `Timeout` where the broker did not answer; it then takes everything back by itself.
pub(super) async fn release(
    shared: &Shared,
    channel: &Channel,
    queue: &str,
    how: Release,
    held: u64,
) -> Result<Option<String>> {
    if held == 0 {
        close_quietly(channel).await;
        return Ok(None);
    }
    let (before, _) = learn::count(channel, queue).await?;
    let late = if how == Release::Nack {
        let options = BasicNackOptions { multiple: true, requeue: true };
        answer("returning messages", channel.basic_nack(0, options)).await?;
        let late = back(channel, queue, before + held, held).await?;
        close_quietly(channel).await;
        late
    } else {
        close_quietly(channel).await;
        let other = shared.consuming().await?.channel().await?;
        let late = back(&other, queue, before + held, held).await?;
        close_quietly(&other).await;
        late
    };
    Ok(late.map(|ready| {
        let back = human::count(ready);
        format!("the queue is still taking its messages back ({back} are ready so far): another look now may see fewer")
    }))
}

/// Waits until `wanted` messages are ready, `held` of them given back just now; how many are, where they do not come.
async fn back(channel: &Channel, queue: &str, wanted: u64, held: u64) -> Result<Option<u64>> {
    let begun = Instant::now();
    let mut patience = BACK + Duration::from_secs(held / A_SECOND);
    let [shortest, longest] = ASK;
    let mut pause = Duration::ZERO;
    let mut ready = 0;
    loop {
        match learn::count(channel, queue).await {
            Ok((count, _)) if count >= wanted => return Ok(None),
            Ok((count, consumers)) => {
                if consumers > 0 {
                    patience = patience.min(BACK_WITH_CONSUMERS);
                }
                ready = count;
            }
            // It is busy with just that.
            Err(error) if error.kind() == ErrorKind::Timeout && begun.elapsed() < patience => {}
            Err(error) => return Err(error),
        }
        if begun.elapsed() >= patience {
            // Consumers that take what comes back are no delay.
            return Ok((patience > BACK_WITH_CONSUMERS).then_some(ready));
        }
        if !pause.is_zero() {
            tokio::time::sleep(pause).await;
        }
        pause = (pause * 2).clamp(shortest, longest);
    }
}
