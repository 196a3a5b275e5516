//! How fast causes are told apart: the mask and the fingerprint alone, and grouping of dead letters with stack traces, in
//! memory and from an archive.
//!
//! It prints the best of several runs and asserts nothing: times are for people to judge.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::format_collect,
    reason = "a bench prints, and fails by stopping"
)]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postroom::broker::archive::{Archive, ArchiveWriter, Existing};
use postroom::broker::{Address, Connection, Target};
use postroom::config::Policy;
use postroom::message::failure::{Failure, detect};
use postroom::message::fingerprint::{Key, Rules, mask_into};
use postroom::message::{Fields, Message, Value};
use postroom::operation::browse::BrowseRequest;
use postroom::operation::control::Control;
use postroom::operation::groups::{By, Gather, Groups};
use postroom::operation::masks::Masks;
use postroom::operation::place::Place;

/// What the program has.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const RUNS: usize = 5;
const COUNT: usize = 200_000;
/// Records that are in the cache together.
const AT_HAND: usize = 2_000;
/// Causes in the dead letters.
const CAUSES: usize = 40;
/// Dead letters a second that are wanted of two cores.
const GROUPED: f64 = 250_000.0;

fn best(mut run: impl FnMut()) -> Duration {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .min()
        .unwrap()
}

/// A rate, and beside it how it stands to the one that is wanted.
fn tell(what: &str, count: usize, took: Duration, target: Option<f64>) {
    let rate = count as f64 / took.as_secs_f64();
    let target = target.map_or_else(String::new, |target| format!("  {:.2} of the target {target:.0}", rate / target));
    println!("{what:<48} {rate:>12.0} a second{target}");
}

fn texts() -> Vec<String> {
    (0..COUNT)
        .map(|n| match n % 4 {
            0 => format!("order ORD-2026-{n:06} timed out after {} ms on host db-{}", n % 9_000, n % 40),
            1 => format!("Connection refused: payments/10.0.{}.{}:8443", n % 250, n % 99),
            2 => format!("customer 'c{n}' has no address at 2026-03-02T10:11:{:02}Z", n % 60),
            _ => "card was declined by the issuer".to_owned(),
        })
        .collect()
}

/// A dead letter of Spring AMQP with a trace of thirty frames.
fn dead(n: usize) -> Message {
    let cause = n % CAUSES;
    let frames: String =
        (0..28).map(|i| format!("\tat org.springframework.aop.Frame{i}.invoke(Frame{i}.java:{})\n", n % 900)).collect();
    let trace = format!(
        "org.springframework.amqp.rabbit.support.ListenerExecutionFailedException: Listener threw exception\n{frames}\
         Caused by: com.acme.shop.Cause{cause}Exception: order {n} failed after {} ms\n\
         \tat com.acme.shop.Service{cause}.handle(Service.java:{})\n\tat com.acme.shop.Listener.on(Listener.java:7)\n",
        n % 5_000,
        n % 300,
    );
    let headers = Fields::from_iter([
        ("x-exception-message", Value::text(format!("order {n} failed"))),
        ("x-exception-stacktrace", Value::text(trace)),
        ("x-original-exchange", Value::text("shop")),
        ("x-original-routingKey", Value::text("order.placed")),
    ]);
    // What postroom archives has an id, whether its queue gave it one or not.
    let id = format!("m{n}");
    Message { address: "rabbit:orders.dlq".into(), id, headers, payload: Some("{}".into()), ..Message::default() }
}

fn group(messages: &[Message]) -> Groups {
    let mut groups = Groups::new(By::Failure, std::sync::Arc::default());
    for message in messages {
        groups.add(message);
    }
    groups
}

/// Groups an archive of `count` dead letters, from the file to the groups, and says what memory that took at most.
fn archive(count: usize) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead.jsonl");
    let mut writer = ArchiveWriter::create(&path, Existing::Refuse).unwrap();
    for first in (0..count).step_by(10_000) {
        let messages: Vec<Message> = (first..(first + 10_000).min(count)).map(dead).collect();
        writer.append(&messages).unwrap();
        writer.commit().unwrap();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let name = path.display().to_string();
    let took = best(|| {
        runtime.block_on(async {
            let address = Address { connection: Connection::File, target: Some(Target::queue(name.as_str())) };
            let place = Place { address, broker: Arc::new(Archive::new()), policy: Policy::default() };
            let info = place.broker.describe(&name).await.unwrap();
            let mut gather = Gather::new(By::Failure, Arc::default());
            let look = BrowseRequest::all(place);
            gather.look(look, &info, Masks::default(), &Control::new()).await.unwrap();
            assert_eq!((gather.total(), gather.finish().len()), (count as u64, CAUSES));
        });
    });
    tell("group an archive, traces of 30 frames, all cores", count, took, Some(GROUPED));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    if let Some(line) = status.lines().find(|line| line.starts_with("VmHWM")) {
        let size = std::fs::metadata(&path).unwrap().len() >> 20;
        println!("memory at most, of an archive of {size} MiB: {}", line.trim_start_matches("VmHWM:").trim());
    }
}

fn main() {
    // For a size of one's own: cargo bench --bench triage -- archive 1000000
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "archive") {
        let count = arguments.get(at + 1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
        return archive(count);
    }
    let texts = texts();
    let mut out = String::new();
    let took = best(|| {
        for text in &texts {
            out.clear();
            mask_into(black_box(text), &mut out, |_, _| ());
        }
    });
    tell("mask, short messages, one core", COUNT, took, None);

    // As many as are in the cache, over and over: where messages are grouped, each record was made a moment before. What
    // grouping takes of each message is the id; a title is made once for each group.
    let failures: Vec<Failure> = texts
        .iter()
        .take(AT_HAND)
        .map(|text| Failure {
            dialect: "generic",
            class: Some("Timeout".into()),
            message: Some(text.clone()),
            ..Failure::default()
        })
        .collect();
    let message = Message::default();
    let rules = Rules::default();
    let took = best(|| {
        for failure in failures.iter().cycle().take(COUNT) {
            black_box(Key::of(&message, Some(failure), &rules).id());
        }
    });
    tell("fingerprint, short messages, one core", COUNT, took, Some(1_000_000.0));

    let messages: Vec<Message> = (0..COUNT / 4).map(dead).collect();
    let took = best(|| {
        for message in &messages {
            black_box(detect(message));
        }
    });
    tell("detect, traces of 30 frames, one core", messages.len(), took, None);
    let took = best(|| _ = black_box(group(&messages)));
    tell("group, traces of 30 frames, one core", messages.len(), took, None);
    let took = best(|| {
        let (a, b) = messages.split_at(messages.len() / 2);
        let groups = std::thread::scope(|scope| {
            let other = scope.spawn(|| group(b));
            let mut groups = group(a);
            groups.merge(other.join().unwrap());
            groups
        });
        assert_eq!(groups.len(), CAUSES);
    });
    tell("group, traces of 30 frames, two cores", messages.len(), took, Some(GROUPED));
    drop(messages);
    // In a process of its own, so that nothing else counts as memory.
    _ = std::process::Command::new(std::env::current_exe().unwrap()).args(["archive", "200000"]).status();
}
