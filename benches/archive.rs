//! How fast archives are scanned and written, beside `grep -c` and plain reads and writes of the same bytes.
//!
//! It prints ratios of the best of several runs and asserts nothing: times are for people to judge.
//! `POSTROOM_BENCH_MB` is the size of the archive (default 512).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by stopping")]

use std::fs::File;
use std::hint::black_box;
use std::io::Read;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use postroom::broker::archive::{Archive, ArchiveWriter, Existing};
use postroom::broker::{Broker, BrowseOptions};
use postroom::message::filter::Filter;
use postroom::message::jsonl::{read_line, write_line};
use postroom::message::{Fields, Message, Position, Value};

const RUNS: usize = 5;
/// Messages in one commit, as a drain has them.
const BATCH: usize = 1000;

/// A dead message of about 1 KiB, as RabbitMQ leaves it.
fn message(n: usize) -> Message {
    let body = format!(
        "{{\"order_id\":{n},\"customer\":\"Customer-{:06x}\",\"note\":\"{}\"}}",
        n.wrapping_mul(0x9E37_79B9) & 0xFF_FFFF,
        "the quick brown fox jumps over the lazy dog; ".repeat(21)
    );
    Message {
        address: "rabbit:orders.dlq".into(),
        id: format!("m-{n}"),
        position: Some(Position { partition: None, offset: n as u64 }),
        time: Timestamp::from_millisecond(1_770_000_000_000 + i64::try_from(n).unwrap()).ok(),
        key: Some(Bytes::from_static(b"orders.created")),
        headers: Fields::from_iter([
            ("x-first-death-reason", Value::from("rejected")),
            ("tenant", Value::from("acme")),
        ]),
        properties: Fields::from_iter([("content_type", "application/json")]),
        payload: Some(Bytes::from(body)),
        ..Message::default()
    }
}

fn best(mut run: impl FnMut()) -> Duration {
    let time = |()| {
        let begin = Instant::now();
        run();
        begin.elapsed()
    };
    std::iter::repeat_n((), RUNS).map(time).min().unwrap()
}

fn report(what: &str, time: Duration, bytes: u64, beside: &[(&str, Duration)]) {
    let ratios: Vec<String> = beside
        .iter()
        .map(|(name, other)| format!("{:.2} of {name}", other.as_secs_f64() / time.as_secs_f64()))
        .collect();
    // Bytes in a microsecond are megabytes in a second.
    let speed = u128::from(bytes) / time.as_micros().max(1);
    println!("{what:<44} {:>7.0} ms {speed:>7} MB/s  {}", time.as_secs_f64() * 1e3, ratios.join(", "));
}

fn grep(pattern: &[&str], path: &Path) -> Duration {
    best(|| {
        let output = Command::new("grep").arg("-c").args(pattern).arg(path).output().unwrap();
        black_box(output);
    })
}

fn scan(runtime: &tokio::runtime::Runtime, path: &Path, filter: &str) -> Duration {
    best(|| {
        runtime.block_on(async {
            let filter = Filter::parse(filter, Timestamp::UNIX_EPOCH).unwrap();
            let options = BrowseOptions { prefilter: Some(filter.prefilter()), ..BrowseOptions::default() };
            let mut reader = Archive::new().browse(path.to_str().unwrap(), options).await.unwrap();
            while reader.next_batch(1000).await.unwrap().end.is_none() {}
            black_box(reader.progress());
        });
    })
}

fn write(path: &Path, batches: &[Vec<Message>]) -> Duration {
    best(|| {
        _ = std::fs::remove_file(path);
        let mut writer = ArchiveWriter::create(path, Existing::Refuse).unwrap();
        for batch in batches {
            writer.append(batch).unwrap();
            writer.commit().unwrap();
        }
    })
}

fn write_plainly(path: &Path, batches: &[Vec<Message>]) -> Duration {
    use std::io::Write as _;
    best(|| {
        let mut file = File::create(path).unwrap();
        for batch in batches {
            let mut bytes = Vec::new();
            for message in batch {
                bytes.extend_from_slice(message.body());
                bytes.push(b'\n');
            }
            file.write_all(&bytes).unwrap();
            file.sync_data().unwrap();
        }
    })
}

fn main() {
    let megabytes: usize = std::env::var("POSTROOM_BENCH_MB").ok().and_then(|text| text.parse().ok()).unwrap_or(512);
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();

    let messages: Vec<Message> = (0..20_000).map(message).collect();
    let mut lines = Vec::new();
    let writing = best(|| {
        lines.clear();
        for message in &messages {
            write_line(message, None, &mut lines);
        }
    });
    let bytes = lines.len() as u64;
    println!("{} messages of {} bytes a line", messages.len(), bytes / messages.len() as u64);
    report("write_line, one core", writing, bytes, &[]);
    let reading = best(|| {
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            black_box(read_line(line).unwrap());
        }
    });
    report("read_line, one core", reading, bytes, &[]);

    let batches: Vec<Vec<Message>> = messages.chunks(BATCH).map(<[Message]>::to_vec).collect();
    let plainly = write_plainly(&folder.path().join("plain"), &batches);
    report("payloads to a plain file, fsync per 1000", plainly, bytes, &[]);
    for name in ["writer.jsonl", "writer.jsonl.zst"] {
        let time = write(&folder.path().join(name), &batches);
        report(&format!("ArchiveWriter, commit per 1000: {name}"), time, bytes, &[("the plain file", plainly)]);
    }

    let path = folder.path().join("scan.jsonl");
    let mut writer = ArchiveWriter::create(&path, Existing::Refuse).unwrap();
    let rounds = (megabytes * 1_000_000).div_ceil(lines.len());
    for _ in 0..rounds {
        writer.append(&messages).unwrap();
    }
    let bytes = writer.commit().unwrap();
    println!("scan of {} MB, {} messages", bytes / 1_000_000, rounds * messages.len());
    let mut buffer = vec![0; 1 << 20];
    let raw = best(|| {
        let mut file = File::open(&path).unwrap();
        while file.read(&mut buffer).unwrap() > 0 {}
    });
    report("reading the file in 1 MiB pieces", raw, bytes, &[]);
    for (filter, pattern) in [
        ("Customer-ffff", vec!["Customer-ffff"]),
        ("customer-ffff", vec!["-i", "customer-ffff"]),
        ("nowhere", vec!["-i", "nowhere"]),
        ("Zebra", vec!["Zebra"]),
    ] {
        let grepped = grep(&pattern, &path);
        report(&format!("grep -c {}", pattern.join(" ")), grepped, bytes, &[]);
        let scanned = scan(&runtime, &path, filter);
        report(&format!("browse --filter {filter}"), scanned, bytes, &[("grep", grepped), ("reading", raw)]);
    }
    let packed = folder.path().join("scan.jsonl.zst");
    let mut writer = ArchiveWriter::create(&packed, Existing::Refuse).unwrap();
    for _ in 0..rounds {
        writer.append(&messages).unwrap();
    }
    writer.commit().unwrap();
    let unpacked = best(|| {
        let mut decoder = zstd::Decoder::new(File::open(&packed).unwrap()).unwrap();
        while decoder.read(&mut buffer).unwrap() > 0 {}
    });
    report("unpacking the same as zstd", unpacked, bytes, &[]);
    let scanned = scan(&runtime, &packed, "Zebra");
    report("browse --filter Zebra, zstd", scanned, bytes, &[("unpacking", unpacked)]);
    let all = scan(&runtime, &path, "size>=0");
    report("browse --all, every line parsed", all, bytes, &[("reading", raw)]);
}
