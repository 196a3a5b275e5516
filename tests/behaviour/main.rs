//! One suite of broker behaviour, for every backend: what `postroom::broker` promises, checked through the traits.
//!
//! A *fixture* makes queues on one backend, a *case* is a function over a fixture's world. Where a fixture's capability
//! lacks what a case needs, the case shows as ignored, and its twin checks that the backend says `Unsupported`.
//!
//! The memory broker (each profile) and archives always run. Real brokers run where their URLs are in the environment
//! (`tests/with-brokers` sets them); `POSTROOM_BROKERS=required` makes a missing one a failure.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what went wrong by failing")]

/// A backend's own tests by name, each a function that gets the `Server` of its file.
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
macro_rules! own_tests {
    ($($name:ident),* $(,)?) => {
        [$((stringify!($name), (|server| Box::pin($name(server))) as crate::OwnTest<Server>)),*]
    };
}

mod cases;
#[cfg(feature = "sqs")]
mod fake_sqs;
mod fixture;
mod fixtures;
#[cfg(feature = "kafka")]
mod kafka;
#[cfg(feature = "rabbitmq")]
mod rabbitmq;
#[cfg(feature = "sqs")]
mod sqs;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use crate::cases::Case;
use crate::fixture::Fixture;
use crate::world::World;

/// A test of one backend beyond the cases.
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
type OwnTest<S> = fn(S) -> futures::future::LocalBoxFuture<'static, ()>;

/// The trial of such a test on a server.
#[cfg(any(feature = "kafka", feature = "rabbitmq"))]
fn own_trial<S: Send + 'static>(name: String, run: OwnTest<S>, server: S) -> Trial {
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(run(server));
        Ok(())
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for fixture in fixtures::present() {
        trials.extend(cases::all().into_iter().filter_map(|case| trial(&fixture, &case)));
    }
    trials.extend(fixtures::absent());
    #[cfg(feature = "rabbitmq")]
    trials.extend(rabbitmq::trials());
    #[cfg(feature = "kafka")]
    trials.extend(kafka::trials());
    #[cfg(feature = "sqs")]
    trials.extend(sqs::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A case on a fixture; `None` for a twin whose capability is there.
fn trial(fixture: &Arc<dyn Fixture>, case: &Case) -> Option<Trial> {
    let able = (case.needs)(&fixture.capability(), &**fixture);
    if case.is_twin && !able {
        return None;
    }
    let (name, fixture) = (format!("{}::{}", fixture.name(), case.name), Arc::clone(fixture));
    let steps = case.run;
    let run = move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let world = World::open(fixture).await;
            steps(&world).await;
            world.clean_up().await;
        });
        Ok(())
    };
    Some(Trial::test(name, run).with_ignored_flag(!able))
}
