//! postroom against the bare AWS SDK, on the same server in the same run.
//!
//! Each job is done by a bare loop that a careful person would write for it (16 workers, batches of 10, every result
//! looked at, the end where a long poll of a second brings nothing), and by the `postroom` binary as a whole process, in
//! turns. The result is the bare time over postroom's time: 1.00 means that safety, journal and archive lines cost
//! nothing. Nothing is asserted; machines differ, ratios less so.
//!
//! ```text
//! POSTROOM_ONLY_BROKERS=elasticmq tests/with-brokers cargo bench --bench sqs
//! ```
//!
//! `POSTROOM_BENCH_MESSAGES` (20000) and `POSTROOM_BENCH_ROUNDS` (3) make it smaller or larger. Without a server's URL in
//! `POSTROOM_ELASTICMQ_URL` it says so and does nothing. moto is no yardstick: it answers some 25 calls a second.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that can't run should stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]
#![allow(missing_docs, reason = "a program, not a library")]

mod bare;
mod ground;
#[path = "../ratio.rs"]
mod ratio;

use ground::Ground;
use ratio::{Times, Whose, head, lines, postroom, setting, timed, turns};

fn main() {
    let (messages, rounds) = (setting("POSTROOM_BENCH_MESSAGES", 20_000), setting("POSTROOM_BENCH_ROUNDS", 3));
    let Ok(url) = std::env::var("POSTROOM_ELASTICMQ_URL") else {
        println!("no server: run this with tests/with-brokers");
        return;
    };
    println!("{messages} messages of 1 KiB, {rounds} rounds");
    head();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { run(&Ground::new(url, messages), rounds).await });
}

async fn run(ground: &Ground, rounds: u64) {
    let home = ground.folder.path();
    let mut times = Times::default();
    for whose in turns(rounds) {
        ground.fill("bench-from").await;
        ground.empty("bench-to").await;
        if whose == Whose::Bare {
            let (from, to) = (ground.queue("bench-from").await, ground.queue("bench-to").await);
            times.bare.push(timed(bare::replay(&ground.client, &from, &to)).await);
        } else {
            let (from, to) = (ground.address("bench-from"), ground.address("bench-to"));
            times.ours.push(postroom(home, &["replay", &from, "--to", &to, "--yes", "-o", "json"]));
        }
        assert_eq!((ground.count("bench-from").await, ground.count("bench-to").await), (0, ground.messages));
    }
    times.print("move, standard to standard");
    let mut times = Times::default();
    for whose in turns(rounds) {
        ground.fill("bench-from").await;
        if whose == Whose::Bare {
            let from = ground.queue("bench-from").await;
            times.bare.push(timed(bare::drain(&ground.client, &from, &ground.file("bare.out"))).await);
            assert_eq!(lines(&ground.file("bare.out")), ground.messages, "the file");
        } else {
            let archive = ground.file("postroom.jsonl");
            let (from, to) = (ground.address("bench-from"), format!("file:{}", archive.display()));
            times.ours.push(postroom(home, &["drain", &from, "--to", &to, "--yes", "-o", "json"]));
            assert_eq!((lines(&archive), ground.count("bench-from").await), (ground.messages, 0), "the archive");
            std::fs::remove_file(archive).unwrap();
        }
    }
    times.print("drain");
    ground.fill("bench-from").await;
    let mut times = Times::default();
    for _ in 0..rounds.max(5) {
        let from = ground.queue("bench-from").await;
        times.bare.push(timed(bare::peek(&ground.client, &from, 50)).await);
        times.ours.push(postroom(home, &["browse", &ground.address("bench-from"), "--limit", "50", "-o", "jsonl"]));
    }
    times.print("browse 50");
    assert_eq!(ground.count("bench-from").await, ground.messages);
    for queue in ["bench-from", "bench-to"] {
        ground.delete(queue).await;
    }
}
