//! Connections that are cut, fall silent or lead nowhere for a while in the middle of replays and drains, at set counts of
//! bytes: whatever is said at that moment, each run ends within a bound, and after the last one source and target (or
//! archive) together hold every message, and no more are there again than the journal calls ambiguous.
//!
//! The clock of each run that goes on is more than a day before or after that of the one before. A proxy stands between the
//! program and its broker. `RabbitMQ`'s management API is asked past it.

use std::time::Duration;

use super::brokers;
#[cfg(feature = "kafka")]
use super::kafka;
use super::moves::{Broker, Move};
use super::proxy::{Fault, Proxy};
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
#[cfg(feature = "sqs")]
use super::sqs;

const SECOND: Duration = Duration::from_secs(1);

/// Every fault, and a reset and a lost answer once more: the first after `first` bytes, the others after about `every`.
fn faults(first: u64, every: u64) -> Vec<(u64, Fault)> {
    let faults = [
        Fault::Reset,
        Fault::AnswerLost,
        Fault::Silent(SECOND),
        Fault::Close,
        Fault::Gone(SECOND),
        Fault::AnswerLost,
        Fault::SilentCut(SECOND),
        Fault::Reset,
    ];
    faults.into_iter().enumerate().map(|(n, fault)| (if n == 0 { first } else { every + n as u64 }, fault)).collect()
}

/// Does the move through the proxy, which has to have done all it was to do.
fn cut_often(mut one: Move, broker: &dyn Broker, proxy: &Proxy, keeps: bool) {
    let runs = one.go_on(broker);
    assert_eq!(proxy.left(), [], "{} had finished before these in {runs} runs\n{}", one.name, one.program.said());
    one.judge(broker, keeps);
}

#[cfg(feature = "rabbitmq")]
#[test]
fn replays_and_drains_over_a_rabbitmq_connection_that_breaks_lose_nothing() {
    const MESSAGES: u64 = 4000;
    let servers = [("4.0", "POSTROOM_RABBITMQ40_URL"), ("4.3", "POSTROOM_RABBITMQ43_URL")];
    let run = |url: &str, kind: &str, name: &str, first: u64, every: u64| {
        let broker = url.split('@').nth(1).unwrap().split('/').next().unwrap();
        let proxy = Proxy::new(0, broker, &faults(first, every));
        let ground = rabbitmq::Ground::new(url).through(&proxy.address().to_string());
        let (from, to) = (format!("cut.{name}.from"), format!("cut.{name}.to"));
        ground.fill(&from, kind, MESSAGES);
        let to = name.starts_with("replay").then_some(&*to);
        to.inspect(|to| ground.fill(to, kind, 0));
        cut_often(Move::new(name, MESSAGES, &from, to), &ground, &proxy, false);
    };
    std::thread::scope(|scope| {
        for (version, url) in brokers(&servers) {
            for kind in ["quorum", "classic"] {
                for (verb, every) in [("replay", 100_000), ("drain", 50_000)] {
                    let url = url.clone();
                    scope.spawn(move || run(&url, kind, &format!("{verb}.{kind}.{version}"), 100_000, every));
                }
            }
        }
    });
}

#[cfg(feature = "kafka")]
#[test]
fn replays_and_drains_over_a_kafka_connection_that_breaks_lose_nothing() {
    const MESSAGES: u64 = 20_000;
    /// So that a lot is said about these few bytes.
    const SMALL: &str = "?fetch.message.max.bytes=10000";
    let Some((_, url)) = brokers(&[("kafka", "POSTROOM_KAFKA_URL")]).pop() else { return };
    let variable = |name: &str| std::env::var(name).unwrap_or_else(|error| panic!("{name}: {error}"));
    let (door, behind) = (variable("POSTROOM_KAFKA_PROXIED_URL"), variable("POSTROOM_KAFKA_BEHIND_PROXY"));
    let port = door.rsplit(':').next().unwrap().parse().unwrap();
    let ground = kafka::Ground::new(&url).through(&door).properties(SMALL);
    let (from, to) = (ground.fill("cut.replay.from", MESSAGES), ground.fill("cut.replay.to", 0));
    let drain = ground.fill("cut.drain", MESSAGES);
    let proxy = Proxy::new(port, &behind, &faults(100_000, 100_000));
    cut_often(Move::new("replay", MESSAGES, &from, Some(&to)), &ground, &proxy, true);
    drop(proxy);
    let proxy = Proxy::new(port, &behind, &faults(50_000, 50_000));
    cut_often(Move::new("drain", MESSAGES, &drain, None), &ground, &proxy, false);
}

#[cfg(feature = "sqs")]
#[test]
fn replays_and_drains_over_an_sqs_connection_that_breaks_lose_nothing() {
    let run = |server: &str, url: &str, name: &str, first: u64, every: u64| {
        let broker = url.split_once("endpoint=http://").unwrap().1;
        let proxy = Proxy::new(0, broker, &faults(first, every));
        let ground = sqs::Ground::new(server, url).through(&proxy.address().to_string());
        let (from, to) = (format!("cut-{name}-from"), format!("cut-{name}-to"));
        let messages = ground.messages;
        ground.fill(&from, messages);
        let to = name.starts_with("replay").then_some(&*to);
        to.inspect(|to| ground.fill(to, 0));
        cut_often(Move::new(name, messages, &from, to), &ground, &proxy, false);
    };
    std::thread::scope(|scope| {
        for (server, url) in brokers(&[("elasticmq", "POSTROOM_ELASTICMQ_URL"), ("moto", "POSTROOM_MOTO_URL")]) {
            let (first, every) = if server == "moto" { (20_000, 10_000) } else { (100_000, 100_000) };
            for verb in ["replay", "drain"] {
                let url = url.clone();
                scope.spawn(move || run(server, &url, verb, first, every));
            }
        }
    });
}
