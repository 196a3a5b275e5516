//! postroom against the bare client library, on the same cluster in the same run.
//!
//! A scan of a large topic with a text filter, the newest ten records of each partition from a cold start, and a replay
//! to another topic: each is done by a bare `rdkafka` loop in a process of its own, and by the `postroom` binary, in
//! turns. The result is the bare time over postroom's time. Nothing is asserted; machines differ, ratios less so.
//!
//! ```text
//! POSTROOM_ONLY_BROKERS=kafka tests/with-brokers cargo bench --bench kafka
//! ```
//!
//! `POSTROOM_BENCH_SCAN` (1000000), `POSTROOM_BENCH_REPLAY` (200000) and `POSTROOM_BENCH_ROUNDS` (3) make it smaller or
//! larger. Without a cluster's URL in `POSTROOM_KAFKA_URL` it says so and does nothing. The memory that a scan takes
//! is not told here; `/usr/bin/time -v` tells it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a benchmark that can't run should stop")]
#![allow(clippy::print_stdout, reason = "its figures are its output")]
#![allow(missing_docs, reason = "a program, not a library")]

mod bare;
#[path = "../ratio.rs"]
mod ratio;

use std::time::Duration;

use bare::PARTITIONS;
use ratio::{Times, head, setting};

/// What the filter looks for: one in a thousand has it. With its capital, only as it is written.
const WORD: &str = "Needle";

fn main() {
    if let Some(job) = ratio::job() {
        bare::run(&job.iter().map(String::as_str).collect::<Vec<_>>());
        return;
    }
    let Some(url) = std::env::var("POSTROOM_KAFKA_URL").ok().filter(|url| !url.is_empty()) else {
        println!("no broker: run this with tests/with-brokers");
        return;
    };
    let (scan, replay) = (setting("POSTROOM_BENCH_SCAN", 1_000_000), setting("POSTROOM_BENCH_REPLAY", 200_000));
    let rounds = setting("POSTROOM_BENCH_ROUNDS", 3);
    let ground = Ground {
        hosts: url.trim_start_matches("kafka://").split('?').next().unwrap().to_owned(),
        folder: tempfile::tempdir().unwrap(),
    };
    println!("records of about 880 bytes in {PARTITIONS} partitions, {rounds} rounds");
    head();
    let topic = bare::fill(&ground.hosts, "bench.scan", scan);
    // A word alone is looked for in keys and headers, too, which the bare loop leaves out.
    for (filter, what) in [(format!("body:{WORD}"), "in the payload"), (WORD.to_owned(), "anywhere")] {
        let mut times = Times::default();
        for _ in 0..rounds {
            times.bare.push(ground.bare(&["scan", &topic, WORD]));
            let browse = ["browse", &ground.address(&topic), "--all", "--filter", &filter, "-o", "jsonl"];
            let (took, found) = ground.postroom(&browse);
            assert_eq!(found, scan.div_ceil(1000), "what the filter found");
            times.ours.push(took);
        }
        times.print(&format!("scan of {scan}, {what}"));
    }
    let mut times = Times::default();
    for _ in 0..rounds.max(5) {
        times.bare.push(ground.bare(&["newest", &topic, "10"]));
        let newest = ["browse", &ground.address(&topic), "--from", "last", "--limit", "40", "-o", "jsonl"];
        let (took, found) = ground.postroom(&newest);
        assert_eq!(found, 10 * u64::try_from(PARTITIONS).unwrap());
        times.ours.push(took);
    }
    times.print("newest 40 of 4 partitions, cold");
    let from = bare::fill(&ground.hosts, "bench.replay", replay);
    let mut times = Times::default();
    for round in 0..rounds {
        let to = bare::fill(&ground.hosts, &format!("bench.bare.{round}"), 0);
        times.bare.push(ground.bare(&["pipe", &from, &to]));
        assert_eq!(bare::count(&ground.hosts, &to), replay);
        let to = bare::fill(&ground.hosts, &format!("bench.ours.{round}"), 0);
        let (from, address) = (ground.address(&from), ground.address(&to));
        let (took, _) = ground.postroom(&["replay", &from, "--to", &address, "--again", "--yes", "-o", "json"]);
        assert_eq!(bare::count(&ground.hosts, &to), replay);
        times.ours.push(took);
    }
    times.print(&format!("replay of {replay}"));
}

/// Where the work is done.
struct Ground {
    hosts: String,
    folder: tempfile::TempDir,
}

impl Ground {
    fn address(&self, topic: &str) -> String {
        format!("kafka://{}/{topic}", self.hosts)
    }

    /// Runs a bare loop in a process of its own.
    fn bare(&self, job: &[&str]) -> Duration {
        ratio::bare(&[&[self.hosts.as_str()], job].concat())
    }

    /// Runs the binary; how long it took, and how many lines it printed.
    fn postroom(&self, arguments: &[&str]) -> (Duration, u64) {
        let (took, output) = ratio::run(self.folder.path(), arguments);
        (took, output.stdout.split(|byte| *byte == b'\n').count().saturating_sub(1) as u64)
    }
}
