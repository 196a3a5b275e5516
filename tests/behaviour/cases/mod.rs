//! The cases, by subject.

mod browse;
mod describe;
mod expiry;
mod lossless;
mod publish;
mod seek;
mod take;

use std::pin::Pin;

use postroom::broker::Capability;

use crate::fixture::Fixture;
use crate::world::World;

/// The run of a case in a world.
type Run = for<'a> fn(&'a World) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// One promise.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// Whether it applies; where not, it shows as ignored.
    pub(crate) needs: fn(&Capability, &dyn Fixture) -> bool,
    pub(crate) run: Run,
    /// A twin applies where the capability of another case is missing, and does not show elsewhere.
    pub(crate) is_twin: bool,
}

/// A case from an async function over a [`World`] and what it needs.
macro_rules! case {
    ($run:ident, $needs:expr) => {
        crate::cases::Case { name: stringify!($run), needs: $needs, run: |world| Box::pin($run(world)), is_twin: false }
    };
    (twin $run:ident, $needs:expr) => {
        crate::cases::Case { name: stringify!($run), needs: $needs, run: |world| Box::pin($run(world)), is_twin: true }
    };
}
use case;

/// Every case, in reading order.
pub(crate) fn all() -> Vec<Case> {
    [
        lossless::cases(),
        browse::cases(),
        seek::cases(),
        take::cases(),
        publish::cases(),
        describe::cases(),
        expiry::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
