//! How fast filters decide on messages of 1 KiB, one core, beside finding the same text with `memchr` alone; and a
//! filtered archive beside `jq` on the same file, where `jq` is installed.
//!
//! It prints the best of several runs and asserts nothing: times are for people to judge.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench prints, and fails by stopping")]

use std::hint::black_box;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bytes::Bytes;
use jiff::Timestamp;
use postroom::broker::archive::{Archive, ArchiveWriter, Existing};
use postroom::broker::{Broker, BrowseOptions};
use postroom::message::filter::{Candidate, Filter, RawParts};
use postroom::message::jsonl::write_line;
use postroom::message::{Fields, Message, Value};

const RUNS: usize = 5;
const MESSAGES: u32 = 50_000;

fn message(n: u32) -> Message {
    let body = format!(
        "{{\"order\":{{\"id\":{n},\"total\":{}.25,\"customer\":\"Customer-{:06x}\"}},\"items\":[{{\"sku\":\"A-{}\",\"qty\":1}}],\"note\":\"{}\"}}",
        n % 500,
        n.wrapping_mul(0x9E37_79B9) & 0xFF_FFFF,
        n % 100,
        "the quick brown fox jumps over the lazy dog; ".repeat(20)
    );
    Message {
        address: "rabbit:orders.dlq".into(),
        id: format!("m-{n}"),
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

fn best<T>(mut run: impl FnMut() -> T) -> (Duration, T) {
    let mut once = || {
        let begin = Instant::now();
        let result = run();
        (begin.elapsed(), result)
    };
    let first = once();
    (1..RUNS).map(|_| once()).fold(first, |best, next| if next.0 < best.0 { next } else { best })
}

fn rate(what: &str, time: Duration, count: usize) {
    println!("{what:<52} {:>6.2} M messages/s", f64::from(MESSAGES) / time.as_secs_f64() / 1e6);
    black_box(count);
}

fn filtered(runtime: &tokio::runtime::Runtime, path: &Path, filter: &Filter) -> usize {
    runtime.block_on(async {
        let options = BrowseOptions { prefilter: Some(filter.prefilter()), ..BrowseOptions::default() };
        let mut reader = Archive::new().browse(path.to_str().unwrap(), options).await.unwrap();
        let mut found = 0;
        loop {
            let batch = reader.next_batch(1000).await.unwrap();
            found += batch.deliveries.iter().filter(|it| filter.matches(&Candidate::new(&it.message))).count();
            if batch.end.is_some() {
                return found;
            }
        }
    })
}

fn main() {
    let messages: Vec<Message> = (0..MESSAGES).map(message).collect();
    let lines: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            let mut line = Vec::new();
            write_line(message, None, &mut line);
            line
        })
        .collect();
    let finder = memchr::memmem::Finder::new("Zebra");
    let (time, count) = best(|| messages.iter().filter(|message| finder.find(message.body()).is_some()).count());
    rate("memchr alone: Zebra", time, count);
    for text in ["Zebra", "zebra", "body.order.customer=Nobody", "body.order.id=123456789", "müller"] {
        let filter = Filter::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let prefilter = filter.prefilter();
        let (time, count) = best(|| messages.iter().filter(|it| prefilter.may_match(&RawParts::from(*it))).count());
        rate(&format!("refused before it is built: {text}"), time, count);
        let (time, count) = best(|| lines.iter().filter(|line| prefilter.may_match_line(line)).count());
        rate(&format!("refused as a line: {text}"), time, count);
    }
    for text in [
        "lazy",
        "body.order.total>499",
        "body.items[0].sku=A-17",
        "header.tenant=acme",
        "reason:rejected",
        "format=json",
    ] {
        let filter = Filter::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let (time, count) = best(|| messages.iter().filter(|it| filter.matches(&Candidate::new(it))).count());
        rate(&format!("decided on the message: {text}"), time, count);
    }

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scan.jsonl");
    let mut writer = ArchiveWriter::create(&path, Existing::Refuse).unwrap();
    for _ in 0..4 {
        writer.append(&messages).unwrap();
    }
    let megabytes = writer.commit().unwrap() / 1_000_000;
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (text, jq) in [
        ("body.order.id=77777", ".order.id==77777"),
        ("body.order.customer=\"Customer-00ff00\"", ".order.customer==\"Customer-00ff00\""),
        ("body.items[].sku=A-17", "any(.items[]; .sku==\"A-17\")"),
        ("body.order.total>499", ".order.total>499"),
    ] {
        let filter = Filter::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let (time, found) = best(|| filtered(&runtime, &path, &filter));
        let program = format!("select(.payload.utf8|fromjson|{jq})|.id");
        let begin = Instant::now();
        let beside = Command::new("jq").arg("-c").arg(program).arg(&path).output().map_or_else(
            |_| "no jq here".to_owned(),
            |output| {
                assert_eq!(memchr::memchr_iter(b'\n', &output.stdout).count(), found);
                format!("{:.1} times as fast as jq (target 8)", begin.elapsed().as_secs_f64() / time.as_secs_f64())
            },
        );
        println!("{megabytes} MB archive, {text:<40} {:>5.0} ms, {found} found, {beside}", time.as_secs_f64() * 1e3);
    }
    for text in ["Customer-00ff00", "Nobody", "acme"] {
        let filter = Filter::parse(text, Timestamp::UNIX_EPOCH).unwrap();
        let (time, found) = best(|| filtered(&runtime, &path, &filter));
        let (beside, counted) = best(|| Command::new("grep").args(["-c", text]).arg(&path).output().unwrap().stdout);
        assert_eq!(String::from_utf8_lossy(&counted).trim(), found.to_string());
        let ratio = beside.as_secs_f64() / time.as_secs_f64();
        println!(
            "{megabytes} MB archive, {text:<40} {:>5.0} ms, {found} found, {ratio:.2} of grep -c (target 0.5)",
            time.as_secs_f64() * 1e3
        );
    }
}
