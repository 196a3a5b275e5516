//! What a look costs a queue, and which messages a look would endanger: the peek rules of quorum queues and SQS.

use super::line::Line;
use super::profile::Profile;
use super::spec::QueueSpec;
use super::state::{Queue, Store};
use super::stored::Stored;
use crate::broker::{CostKind, ReadCost};

/// Whether the return of this message after a look would destroy or dead-letter it.
pub(super) fn return_kills(spec: &QueueSpec, stored: &Stored) -> bool {
    spec.delivery_limit.is_some_and(|limit| match spec.profile {
        Profile::RabbitQuorum40 => stored.failed >= limit,
        Profile::RabbitQuorum43 => stored.failed > limit,
        _ => false,
    })
}

/// Whether holding this message endangers it: a return, or a crash while it is held, or the receive itself.
pub(super) fn look_endangers(spec: &QueueSpec, stored: &Stored) -> bool {
    let counts = !matches!(spec.profile, Profile::RabbitClassic | Profile::RabbitStream | Profile::Kafka);
    counts && spec.delivery_limit.is_some_and(|limit| stored.failed >= limit)
}

/// The cost of a look at this queue as it is now.
pub(super) fn read_cost(queue: &Queue) -> ReadCost {
    let spec = &queue.spec;
    let Store::Line(line) = &queue.store else {
        return ReadCost::free("reads change nothing: messages stay where they are");
    };
    let mut cost = counted(spec, line);
    if let Some(why) = &spec.locked {
        cost.refused = Some(format!("the queue is locked: {why}"));
    } else if spec.single_active && spec.consumers > 0 {
        cost.refused = Some("a single active consumer serves the queue; a look would wait behind it".to_owned());
    } else if spec.delayed_retry {
        cost.refused = Some("delayed retry is on: returned messages would be held back from its consumers".to_owned());
    }
    cost
}

fn counted(spec: &QueueSpec, line: &Line) -> ReadCost {
    let cost = |why: &str| ReadCost {
        kind: spec.profile.capability().read_cost,
        budget: None,
        why: why.to_owned(),
        refused: None,
    };
    let worst = line.ready().map(|stored| stored.failed).max().unwrap_or(0);
    let endangered = line.ready().filter(|stored| look_endangers(spec, stored)).count();
    let Some(limit) = spec.delivery_limit.filter(|_| spec.profile != Profile::RabbitClassic) else {
        return cost(match spec.profile {
            Profile::SqsStandard | Profile::SqsFifo => {
                "each look hides messages for a while and raises their receive count; nothing limits it"
            }
            _ => "each look marks messages as redelivered; nothing limits it",
        });
    };
    let left = u64::from(limit.saturating_sub(worst));
    let (budget, why) = match spec.profile {
        Profile::RabbitQuorum43 => (
            None,
            format!("a look is given back uncounted (4.3); a crash during it counts, {left} of {limit} are left"),
        ),
        Profile::RabbitQuorum40 => (
            Some(left),
            format!(
                "each look counts against the delivery limit of {limit}; the most returned message stands {left} more"
            ),
        ),
        _ => (
            Some(left),
            format!("each look counts as a receive; the redrive policy moves a message after {limit}, {left} are left"),
        ),
    };
    let refused = (endangered > 0).then(|| match spec.profile {
        Profile::SqsStandard | Profile::SqsFifo => {
            format!("{endangered} messages are at maxReceiveCount {limit}: the next receive would move them away")
        }
        _ => format!("{endangered} messages are at the delivery limit of {limit}: a look could destroy them"),
    });
    ReadCost { kind: cost("").kind, budget, why, refused }
}

/// Whether a look may put the endangered messages back as copies, so that a refusal for their sake falls away.
pub(super) fn rescuable(queue: &Queue) -> bool {
    let spec = &queue.spec;
    spec.profile.is_quorum()
        && spec.locked.is_none()
        && !(spec.single_active && spec.consumers > 0)
        && !spec.delayed_retry
        && spec.profile.capability().read_cost == CostKind::Redelivers
}
