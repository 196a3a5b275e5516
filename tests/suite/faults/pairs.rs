//! Two faults, anywhere: both in one run, or one in the run and one in what the operator does next; with a clock that jumps
//! to and fro or one that goes. Drawn at random, for pairs are too many to try them all.

use std::sync::atomic::{AtomicI64, Ordering};

use postroom::broker::memory::Fault;
use postroom::operation::control::Clock;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{Case, World, cases, stopping, watched};

/// A clock that is somewhere else, hours ahead or back, whenever somebody looks at it.
pub(in super::super) fn jumping() -> Clock {
    let looks = AtomicI64::new(0);
    Clock::new(move || {
        let n = looks.fetch_add(1, Ordering::Relaxed);
        let hours = if n % 2 == 0 { -n } else { n } % 50;
        jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours)
    })
}

/// Where the second fault strikes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Second {
    /// In the same run.
    Same,
    /// In the resume of it.
    Next,
}

/// Two faults and the events that they are due at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pair {
    pub(super) first: (Fault, u64),
    pub(super) second: (Fault, u64),
    pub(super) at: Second,
    pub(super) jumps: bool,
}

/// Two faults: a process that stops or a connection that goes somewhere in the first `points`, mostly, or one of the first
/// few messages.
pub(super) fn pair(points: u64) -> impl Strategy<Value = Pair> {
    let fault = move || {
        let stops = prop::sample::select(vec![Fault::Kill, Fault::Disconnect]);
        let is_of_a_message = |fault: &Fault| !matches!(fault, Fault::Kill | Fault::Disconnect);
        let of_messages: Vec<Fault> = Fault::ALL.into_iter().filter(is_of_a_message).collect();
        prop_oneof![3 => (stops, 1..points), 2 => (prop::sample::select(of_messages), 1..5_u64)]
    };
    let at = prop_oneof![1 => Just(Second::Same), 2 => Just(Second::Next)];
    (fault(), fault(), at, any::<bool>()).prop_map(|(first, second, at, jumps)| Pair { first, second, at, jumps })
}

/// Tries so many pairs drawn by `strategy`: the same ones each time, or as many others as `PROPTEST_CASES` says. At least a
/// fifth of the tries has to meet both faults.
pub(super) fn draw<T: std::fmt::Debug>(
    tries: u32,
    strategy: &impl Strategy<Value = T>,
    attempt: impl AsyncFn(T) -> u64,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let more = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let cases = more.unwrap_or(tries);
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 50, ..Config::default() };
    let mut runner = match more {
        Some(_) => TestRunner::new(config),
        None => TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha)),
    };
    let both = std::cell::Cell::new(0);
    let drawn = runner.run(strategy, |drawn| {
        both.set(both.get() + u32::from(runtime.block_on(attempt(drawn)) >= 2));
        Ok(())
    });
    drawn.unwrap_or_else(|error| panic!("{error}"));
    assert!(both.get() * 5 >= cases, "both faults struck in {} of {cases} tries only", both.get());
}

/// A run with a pair of faults, and what the operator does until nothing is left to do; how many of them struck.
async fn attempt(case: Case, pair: Pair) -> u64 {
    let mut world = World::new(case);
    world.jumps = pair.jumps;
    let told = format!("{case:?} {pair:?}");
    world.memory.arm(pair.first.0, pair.first.1);
    if pair.at == Second::Same {
        world.memory.arm(pair.second.0, pair.second.1);
    }
    let journals = world.journals();
    tokio::select! {
        biased;
        () = world.memory.killed() => {}
        _ = Box::pin(world.act(&journals)) => {}
    }
    world.memory.disarm();
    world.let_go().await;
    world.check_now(&told);
    if pair.at == Second::Next {
        world.memory.arm(pair.second.0, pair.second.1);
        tokio::select! {
            biased;
            () = world.memory.killed() => {}
            () = Box::pin(world.resume_once(&journals)) => {}
        }
        world.memory.disarm();
        world.let_go().await;
        world.check_now(&told);
    }
    let resumed = world.resume().await;
    world.check_after(&format!("{told} then {:?}", resumed.map(|report| report.state)), 2).await;
    world.memory.fired()
}

#[test]
fn no_pair_of_faults_loses_a_message_or_hides_a_duplicate() {
    draw(300, &(prop::sample::select(cases()), pair(30)), async |(case, pair)| attempt(case, pair).await);
}

#[test]
fn no_pair_of_faults_of_a_watched_run_loses_a_message_or_hides_a_duplicate() {
    let runs = [watched(), stopping()].concat();
    draw(120, &(prop::sample::select(runs), pair(60)), async |(case, pair)| attempt(case, pair).await);
}
