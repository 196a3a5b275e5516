//! What a look costs, said before it.

use super::output::{Output, human};
use crate::broker::{CostKind, QueueInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::place::Place;

/// Describes the queue and says what a look at it costs. A look at the `whole` queue is refused where no look is left,
/// unless the operator agreed to a rescue.
///
/// # Errors
/// `Refused`; what the broker says.
pub(super) async fn say(place: &Place, whole: bool, rescue: bool, output: &Output) -> Result<QueueInfo> {
    let address = &place.address;
    let queue = address.need_target()?.queue_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{address} is an exchange; only a queue can be read"))
            .hint("name a queue that is bound to it")
    })?;
    let info = place.broker.inspect(queue).await?;
    let cost = &info.read_cost;
    if cost.kind != CostKind::None {
        let budget = cost.budget.map_or_else(String::new, |n| format!(" (peek budget: {})", human::count(n)));
        output.note(&format!("{address}: {}{budget}", cost.why));
        if whole && cost.budget == Some(0) && !(rescue && cost.can_rescue()) {
            let hint = if cost.can_rescue() {
                "--rescue puts what a return would destroy back as new copies at the tail"
            } else {
                "look at its dead-letter queue instead"
            };
            let what = format!("a look at all of {address} exceeds its peek budget");
            return Err(Error::new(ErrorKind::Refused, what).hint(hint));
        }
    }
    Ok(info)
}
