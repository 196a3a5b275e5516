//! A broker that is killed and started again in the middle of replays and drains, on its data and ports: each run ends
//! within a bound and reports, a resume finishes it, source and target (or archive) together hold every message, and no
//! more messages are there again, or not moved, than the journal calls ambiguous: what was not sent because the broker was
//! away is sent by the resume.
//!
//! The broker is one of our own, for other tests use the shared ones.

#[cfg(feature = "kafka")]
use super::kafka;
use super::moves::{Move, finish, to_the_middle};
#[cfg(feature = "rabbitmq")]
use super::rabbitmq;
use super::servers::Servers;

const MESSAGES: u64 = 12_000;
/// The broker is killed when each run has come so far.
const MIDDLE: u64 = 1_500;
/// Messages a second of a replay, so that none is through before the others have begun. A drain has no such choice.
const RATE: &str = "3000";

#[cfg(feature = "rabbitmq")]
#[test]
fn a_rabbitmq_that_is_killed_and_started_again_costs_no_message() {
    let Some(servers) = Servers::start("rabbitmq") else { return };
    std::thread::scope(|scope| {
        for (server, url) in [("rabbitmq40", "POSTROOM_RABBITMQ40_URL"), ("rabbitmq43", "POSTROOM_RABBITMQ43_URL")] {
            let servers = &servers;
            scope.spawn(move || kill_rabbitmq(servers, server, servers.of(url)));
        }
    });
}

#[cfg(feature = "rabbitmq")]
fn kill_rabbitmq(servers: &Servers, server: &str, url: &str) {
    let ground = rabbitmq::Ground::new(url);
    let mut moves = Vec::new();
    for kind in ["quorum", "classic"] {
        let name = |what: &str| format!("restart.{kind}.{what}");
        ground.fill(&name("from"), kind, MESSAGES);
        ground.fill(&name("to"), kind, 0);
        ground.fill(&name("drain"), kind, MESSAGES);
        moves.push(
            Move::new(&format!("replay, {kind}, {server}"), MESSAGES, &name("from"), Some(&name("to"))).rate(RATE),
        );
        moves.push(Move::new(&format!("drain, {kind}, {server}"), MESSAGES, &name("drain"), None));
    }
    to_the_middle(&mut moves, MIDDLE, &ground);
    servers.control("kill", server);
    // Nothing tells a run on RabbitMQ to wait for a broker that is gone.
    for one in &mut moves {
        assert_eq!(one.end(), "stopped", "{}\n{}", one.name, one.program.said());
    }
    servers.control("start", server);
    finish(&mut moves);
    let ground = rabbitmq::Ground::new(url);
    for one in &moves {
        one.judge(&ground, false);
    }
}

#[cfg(feature = "kafka")]
#[test]
fn a_kafka_that_is_killed_and_started_again_costs_no_message() {
    let Some(servers) = Servers::start("kafka") else { return };
    let ground = kafka::Ground::new(servers.of("POSTROOM_KAFKA_URL"));
    let (from, to) = (ground.fill("restart.from", MESSAGES), ground.fill("restart.to", 0));
    let drain = ground.fill("restart.drain", MESSAGES);
    let mut moves =
        [Move::new("replay", MESSAGES, &from, Some(&to)).rate(RATE), Move::new("drain", MESSAGES, &drain, None)];
    to_the_middle(&mut moves, MIDDLE, &ground);
    servers.control("kill", "kafka");
    // The drain gives up, and the replay waits longer: one has to be resumed, the other may go on by itself. The broker has
    // forgotten what was removed from the starts of the partitions within its last minute.
    assert_eq!(moves[1].end(), "stopped", "{}", moves[1].program.said());
    servers.control("start", "kafka");
    finish(&mut moves);
    // A replay leaves a topic as it is.
    for one in &moves {
        one.judge(&ground, one.is_replay());
    }
}
