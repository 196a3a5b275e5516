//! The time of a frame over a long list: a million messages in a snapshot, at 120 by 40.
//!
//! The goal is 8 ms for 99 of 100 frames, in a release build. `POSTROOM_BENCH_MESSAGES` sets another number of messages.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::indexing_slicing,
    reason = "a bench prints, and fails by stopping"
)]

use std::io::Write as _;
use std::time::{Duration, Instant};

use postroom::config::Environment;
use postroom::operation::session::{Session, Start};
use postroom::tui::Headless;

/// Frames that are measured.
const FRAMES: usize = 2000;

#[tokio::main]
async fn main() {
    let count = std::env::var("POSTROOM_BENCH_MESSAGES").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000_u64);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.jsonl");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).expect("a file"));
    for n in 0..count {
        let reason = ["timeout", "connection refused", "no currency"][(n % 3) as usize];
        writeln!(
            file,
            r#"{{"id":"m-{n}","time":"2026-03-02T10:11:12Z","headers":[["x-exception-message","{reason}"]],"payload":"{{\"order\":{n}}}"}}"#
        )
        .expect("a line");
    }
    file.into_inner().expect("a file").sync_all().expect("a file");

    let environment = Environment::from_iter([("POSTROOM_STATE", folder.path().display().to_string())]);
    let session = Session::open(None, environment).expect("a session");
    let start = Start { address: Some(format!("file:{}", path.display()).parse().expect("an address")), colour: None };
    let began = Instant::now();
    let mut screens = Headless::open(session, &start, 120, 40).expect("screens");
    // The price, which an archive has not, and then its messages.
    screens.press("m").await.expect("a key");
    println!("{count} messages looked at, grouped and listed in {:.1} s", began.elapsed().as_secs_f64());

    let mut frames: Vec<Duration> = Vec::with_capacity(FRAMES);
    for n in 0..FRAMES {
        let key = ["pgdn", "down", "end", "pgup", "home", "up"][n % 6];
        screens.press(key).await.expect("a key");
        let began = Instant::now();
        screens.draw();
        frames.push(began.elapsed());
    }
    frames.sort_unstable();
    let at = |share: f64| frames[((frames.len() - 1) as f64 * share) as usize];
    println!("a frame: median {:?}, 99 of 100 within {:?}, slowest {:?}", at(0.5), at(0.99), at(1.0));
}
