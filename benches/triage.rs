//! How fast causes are told apart: the mask and the fingerprint alone, and grouping of dead letters with stack traces.
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
use std::time::{Duration, Instant};

use postroom::message::failure::{Failure, detect};
use postroom::message::fingerprint::{Rules, fingerprint, mask_into};
use postroom::message::{Fields, Message, Value};
use postroom::operation::groups::{By, Groups};

const RUNS: usize = 5;
const COUNT: usize = 200_000;
/// Causes in the dead letters.
const CAUSES: usize = 40;

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

fn tell(what: &str, count: usize, took: Duration) {
    println!("{what:<48} {:>12.0} a second", count as f64 / took.as_secs_f64());
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
    Message { address: "rabbit:orders.dlq".into(), headers, payload: Some("{}".into()), ..Message::default() }
}

fn group(messages: &[Message]) -> Groups {
    let mut groups = Groups::new(By::Failure, std::sync::Arc::default());
    for message in messages {
        groups.add(message);
    }
    groups
}

fn main() {
    let texts = texts();
    let mut out = String::new();
    let took = best(|| {
        for text in &texts {
            out.clear();
            mask_into(black_box(text), &mut out, |_, _| ());
        }
    });
    tell("mask, short messages, one core", COUNT, took);

    let failures: Vec<Failure> = texts
        .iter()
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
        for failure in &failures {
            black_box(fingerprint(&message, Some(failure), &rules).id);
        }
    });
    tell("fingerprint, short messages, one core", COUNT, took);

    let messages: Vec<Message> = (0..COUNT / 4).map(dead).collect();
    let took = best(|| {
        for message in &messages {
            black_box(detect(message));
        }
    });
    tell("detect, traces of 30 frames, one core", messages.len(), took);
    let took = best(|| _ = black_box(group(&messages)));
    tell("group, traces of 30 frames, one core", messages.len(), took);
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
    tell("group, traces of 30 frames, two cores", messages.len(), took);
}
