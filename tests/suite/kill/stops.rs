//! Processes that stand still in the middle of replays and drains, with all their connections, and go on later: a broker,
//! or the program itself, for longer than its heartbeats or leases last. Each run ends within a bound, a resume finishes it,
//! source and target (or archive) together hold every message, and no more are there again than the journal calls ambiguous.

use std::time::{Duration, Instant};

use super::PATIENCE;
use super::brokers;
#[cfg(feature = "kafka")]
use super::kafka;
use super::moves::{Broker, Move, finish, to_the_middle};
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
use super::servers::Servers;
#[cfg(feature = "sqs")]
use super::sqs;

/// How far each run has come when something stops.
const MIDDLE: u64 = 1000;

/// A replay and a drain of so many messages each.
fn both(name: &str, messages: u64, rate: &'static str, from: &str, to: &str, drain: &str) -> [Move; 2] {
    let replay = Move::new(&format!("replay, {name}"), messages, from, Some(to)).rate(rate);
    [replay, Move::new(&format!("drain, {name}"), messages, drain, None)]
}

/// The programs stand still until that is so.
fn halt(moves: &[Move], until: impl Fn() -> bool) {
    let signal = |signal: &str| moves.iter().for_each(|one| one.signal(signal));
    signal("STOP");
    let deadline = Instant::now() + PATIENCE;
    while !until() {
        assert!(Instant::now() < deadline, "nobody minds that {} stands still", moves[0].name);
        std::thread::sleep(Duration::from_millis(20));
    }
    signal("CONT");
}

/// `keeps` where a replay's source is to keep its messages.
fn finish_and_judge(moves: &mut [Move], broker: &dyn Broker, keeps: bool) {
    finish(moves);
    for one in moves {
        one.judge(broker, keeps && one.is_replay());
    }
}

#[cfg(feature = "rabbitmq")]
mod on_rabbitmq {
    use super::*;

    const MESSAGES: u64 = 6000;
    const RATE: &str = "2000";

    fn moves(ground: &rabbitmq::Ground, name: &str, kind: &str) -> [Move; 2] {
        let queue = |what: &str| format!("stop.{name}.{kind}.{what}");
        ground.fill(&queue("from"), kind, MESSAGES);
        ground.fill(&queue("to"), kind, 0);
        ground.fill(&queue("drain"), kind, MESSAGES);
        both(&format!("{kind}, {name}"), MESSAGES, RATE, &queue("from"), &queue("to"), &queue("drain"))
    }

    /// Those that ask for heartbeats give it up. The others wait, or give up later.
    #[test]
    fn a_rabbitmq_that_stands_still_for_a_while_costs_no_message() {
        let Some(servers) = Servers::start("rabbitmq") else { return };
        std::thread::scope(|scope| {
            for (server, url) in [("rabbitmq40", "POSTROOM_RABBITMQ40_URL"), ("rabbitmq43", "POSTROOM_RABBITMQ43_URL")]
            {
                let servers = &servers;
                scope.spawn(move || {
                    let patient = rabbitmq::Ground::new(servers.of(url));
                    let brisk = rabbitmq::Ground::new(&format!("{}&heartbeat=1", servers.of(url)));
                    let mut waiting = moves(&patient, "waiting", "quorum").map(|one| one.rate("1000"));
                    let mut leaving = moves(&brisk, "leaving", "quorum");
                    to_the_middle(&mut waiting[..1], MIDDLE, &patient);
                    to_the_middle(&mut leaving, MIDDLE, &brisk);
                    assert!(waiting[0].is_under_way(), "{}", waiting[0].program.said());
                    servers.control("stop", server);
                    for one in &mut leaving {
                        assert_eq!(one.end(), "stopped", "{}\n{}", one.name, one.program.said());
                    }
                    servers.control("continue", server);
                    finish_and_judge(&mut waiting[..1], &patient, false);
                    finish_and_judge(&mut leaving, &brisk, false);
                });
            }
        });
    }

    /// The broker closes its connections, and gives what it held to the next who asks.
    #[test]
    fn a_replay_and_a_drain_that_stand_still_for_longer_than_their_heartbeats_lose_nothing() {
        std::thread::scope(|scope| {
            for (version, url) in brokers(&[("4.0", "POSTROOM_RABBITMQ40_URL"), ("4.3", "POSTROOM_RABBITMQ43_URL")]) {
                for kind in ["quorum", "classic"] {
                    let url = format!("{url}&heartbeat=1");
                    scope.spawn(move || {
                        let ground = rabbitmq::Ground::new(&url);
                        let mut moves = moves(&ground, version, kind);
                        to_the_middle(&mut moves, MIDDLE, &ground);
                        let sources = ["from", "drain"].map(|what| format!("stop.{version}.{kind}.{what}"));
                        halt(&moves, || sources.iter().all(|queue| ground.consumers(queue) == 0));
                        finish_and_judge(&mut moves, &ground, false);
                    });
                }
            }
        });
    }
}

#[cfg(feature = "kafka")]
mod on_kafka {
    use super::*;

    const MESSAGES: u64 = 12_000;
    const RATE: &str = "3000";

    fn moves(ground: &kafka::Ground, name: &str) -> [Move; 2] {
        let (from, to) = (ground.fill(&format!("{name}.from"), MESSAGES), ground.fill(&format!("{name}.to"), 0));
        both(name, MESSAGES, RATE, &from, &to, &ground.fill(&format!("{name}.drain"), MESSAGES))
    }

    /// Who waits for an answer for longer than that gives up the request.
    const PATIENCE: Duration = Duration::from_secs(2);
    const IMPATIENT: &str = "?socket.timeout.ms=1000&message.timeout.ms=1500";

    #[test]
    fn a_kafka_that_stands_still_for_a_while_costs_no_message() {
        let Some(servers) = Servers::start("kafka") else { return };
        let ground = kafka::Ground::new(servers.of("POSTROOM_KAFKA_URL")).properties(IMPATIENT);
        let mut moves = moves(&ground, "stop.broker");
        to_the_middle(&mut moves, MIDDLE, &ground);
        servers.control("stop", "kafka");
        std::thread::sleep(PATIENCE);
        servers.control("continue", "kafka");
        finish_and_judge(&mut moves, &ground, true);
    }

    #[test]
    fn a_replay_and_a_drain_that_stand_still_for_longer_than_their_requests_may_take_lose_nothing() {
        for (_, url) in brokers(&[("kafka", "POSTROOM_KAFKA_URL")]) {
            let ground = kafka::Ground::new(&url).properties(IMPATIENT);
            let mut moves = moves(&ground, "stop.program");
            to_the_middle(&mut moves, MIDDLE, &ground);
            let until = Instant::now() + PATIENCE;
            halt(&moves, || Instant::now() >= until);
            finish_and_judge(&mut moves, &ground, true);
        }
    }
}

#[cfg(feature = "sqs")]
mod on_sqs {
    use super::*;

    const RATE: &str = "2000";

    fn moves(ground: &sqs::Ground, name: &str) -> [Move; 2] {
        let queue = |what: &str| format!("stop-{name}-{what}");
        ground.fill(&queue("from"), ground.messages);
        ground.fill(&queue("to"), 0);
        ground.fill(&queue("drain"), ground.messages);
        both(name, ground.messages, RATE, &queue("from"), &queue("to"), &queue("drain"))
    }

    /// The leases of what is held run out meanwhile, for its clock goes on.
    #[test]
    fn an_sqs_server_that_stands_still_for_longer_than_leases_last_costs_no_message() {
        let Some(servers) = Servers::start("elasticmq") else { return };
        let ground = sqs::Ground::new("elasticmq", servers.of("POSTROOM_ELASTICMQ_URL"));
        let mut moves = moves(&ground, "server");
        to_the_middle(&mut moves, MIDDLE, &ground);
        servers.control("stop", "elasticmq");
        std::thread::sleep(Duration::from_secs(ground.lease + 1));
        servers.control("continue", "elasticmq");
        finish_and_judge(&mut moves, &ground, false);
    }

    /// Others get what it held.
    #[test]
    fn a_replay_and_a_drain_that_stand_still_for_longer_than_their_leases_lose_nothing() {
        for (server, url) in brokers(&[("elasticmq", "POSTROOM_ELASTICMQ_URL")]) {
            let ground = sqs::Ground::new(server, &url);
            let mut moves = moves(&ground, "program");
            to_the_middle(&mut moves, MIDDLE, &ground);
            let sources = ["stop-program-from", "stop-program-drain"];
            halt(&moves, || sources.iter().all(|queue| ground.counts(queue).1 == 0));
            finish_and_judge(&mut moves, &ground, false);
        }
    }
}
