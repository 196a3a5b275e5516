//! postroom against the bare client library, on the same broker in the same run.
//!
//! Each job is done by a bare `lapin` loop that a careful person would write for it, and by the `postroom` binary, each as
//! a whole process, in turns. Who begins changes from round to round: a broker is still busy with the messages of the one
//! before. The result is the bare time over postroom's time: 1.00 means that safety, journal and archive lines cost
//! nothing. Nothing is asserted; machines differ, ratios less so.
//!
//! Copies of a replay carry two headers, by which they are known again. They cost RabbitMQ some 5 % of its work for the
//! message, whoever sends them. So a replay has two yardsticks: a loop that sends messages as they are, and one that adds
//! such headers. The second ratio is what postroom itself costs.
//!
//! ```text
//! tests/with-brokers cargo bench --bench rabbitmq
//! ```
//!
//! `POSTROOM_BENCH_MESSAGES` (100000) and `POSTROOM_BENCH_ROUNDS` (8) make it smaller or larger. Without a broker's URL
//! in `POSTROOM_RABBITMQ40_URL` or `POSTROOM_RABBITMQ43_URL` it says so and does nothing.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that can't run should stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]
#![allow(missing_docs, reason = "a program, not a library")]

mod bare;
mod ground;
#[path = "../ratio.rs"]
mod ratio;

use ground::Ground;
use ratio::{Times, Whose, head, lines, postroom, setting, turns};

fn main() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(job) = ratio::job() {
        runtime.block_on(bare::run(&job.iter().map(String::as_str).collect::<Vec<_>>())).expect("the bare loop");
        return;
    }
    let (messages, rounds) = (setting("POSTROOM_BENCH_MESSAGES", 100_000), setting("POSTROOM_BENCH_ROUNDS", 8));
    let brokers: Vec<(&str, String)> = [("4.0", "POSTROOM_RABBITMQ40_URL"), ("4.3", "POSTROOM_RABBITMQ43_URL")]
        .into_iter()
        .filter_map(|(version, name)| Some((version, std::env::var(name).ok()?)))
        .collect();
    if brokers.is_empty() {
        println!("no broker: run this with tests/with-brokers");
        return;
    }
    println!("{messages} messages of 1 KiB, {rounds} rounds");
    head();
    for (version, url) in brokers {
        let ground = Ground { url, messages, folder: tempfile::tempdir().unwrap() };
        runtime.block_on(run(version, &ground, rounds));
    }
}

async fn run(version: &str, ground: &Ground, rounds: u64) {
    let (home, all) = (ground.folder.path(), ground.messages.to_string());
    for kind in ["classic", "quorum"] {
        let queue = format!("bench.{kind}");
        let mut times = Times::default();
        for whose in turns(rounds) {
            ground.fill(&queue, kind).await;
            if whose == Whose::Bare {
                let file = ground.file("bare.out");
                times.bare.push(ratio::bare(&["drain", &ground.url, &queue, &all, &file.to_string_lossy()]));
            } else {
                let archive = ground.file("postroom.jsonl");
                let (from, to) = (ground.address(&queue), format!("file:{}", archive.display()));
                times.ours.push(postroom(home, &["drain", &from, "--to", &to, "--yes", "-o", "json"]));
                assert_eq!(lines(&archive), ground.messages, "the archive");
                std::fs::remove_file(archive).unwrap();
            }
            assert_eq!(ground.count(&queue).await, 0, "{queue}");
        }
        times.print(&format!("{version} drain {kind}"));
    }
    // What the two headers of its copies cost the broker is what a replay promises, and not how fast it is.
    for (job, what) in [("replay", "replay quorum to quorum"), ("replay-marked", "replay, bare marks copies, too")] {
        let mut times = Times::default();
        for whose in turns(rounds) {
            ground.empty("bench.to", "quorum").await;
            ground.fill("bench.from", "quorum").await;
            if whose == Whose::Bare {
                times.bare.push(ratio::bare(&[job, &ground.url, "bench.from", &all, "bench.to"]));
            } else {
                let (from, to) = (ground.address("bench.from"), ground.address("bench.to"));
                times.ours.push(postroom(home, &["replay", &from, "--to", &to, "--yes", "-o", "json"]));
            }
            assert_eq!((ground.count("bench.from").await, ground.count("bench.to").await), (0, ground.messages));
        }
        times.print(&format!("{version} {what}"));
    }
    for kind in ["classic", "quorum"] {
        let queue = format!("bench.{kind}");
        ground.fill(&queue, kind).await;
        let mut times = Times::default();
        // Each look counts on a quorum queue of 4.0, and the delivery limit is 20.
        for _ in 0..rounds.clamp(5, 9) {
            times.bare.push(ratio::bare(&["peek", &ground.url, &queue, "50"]));
            times.ours.push(postroom(home, &["browse", &ground.address(&queue), "--limit", "50", "-o", "jsonl"]));
        }
        times.print(&format!("{version} browse 50 of {kind}"));
        assert_eq!(ground.count(&queue).await, ground.messages, "{queue}");
    }
    for queue in ["bench.classic", "bench.quorum", "bench.from", "bench.to"] {
        ground.delete(queue).await;
    }
}
