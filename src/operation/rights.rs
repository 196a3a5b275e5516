//! Whether the user may do what a plan needs, as checks: asked beforehand, without sending or removing anything.
//!
//! A refusal that is certain fails the plan; what can't be asked is said. Limits: so many targets are asked for
//! ([`MOST`]); the rights may be other ones when the plan is run.

use super::place::Place;
use super::plan::Check;
use crate::broker::{Access, Right, Target};

/// Targets that are asked for.
pub(super) const MOST: usize = 20;

/// Asks for publishing to the targets, and for removing from the source where the run does.
pub(super) async fn checks(source: Option<&Place>, targets: &[Place]) -> Vec<Check> {
    let mut checks = Vec::new();
    for place in targets.iter().take(MOST) {
        checks.extend(ask(place, Access::Publish).await);
    }
    if let Some(source) = source {
        checks.extend(ask(source, Access::Remove).await);
    }
    checks
}

async fn ask(place: &Place, access: Access) -> Option<Check> {
    let target: &Target = place.address.target.as_ref()?;
    let (may, whether) = match access {
        Access::Publish => ("may publish to", "publishing to"),
        Access::Remove => ("may remove from", "removing from"),
    };
    let address = &place.address;
    Some(match place.broker.right(target, access).await? {
        Right::Given => Check::passed("permission", format!("{may} {address}")),
        Right::Denied(why) => Check::failed("permission", format!("{why}; have it granted, or use another login")),
        Right::Unknown(why) => {
            Check::passed("permission", format!("not known before the first message for {whether} {address}: {why}"))
        }
    })
}
