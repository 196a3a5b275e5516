//! Grouping on sixty causes of dead letters as production writes them (`causes.txt`) and sixty in foreign styles
//! (`foreign.txt`), with fifty variants each: whole messages with the headers and bodies of seventeen writers, through
//! detection and fingerprint. Whoever wrote them had not seen the fingerprint's rules (the first scored 0.9814 before what
//! they showed was mended); `triage.rs` has another corpus, of pairs that are alike on purpose.

mod blind;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use postroom::message::failure::detect;
use postroom::message::fingerprint::{GroupId, Rules, fingerprint};
use postroom::message::{Fields, Message};

use super::triage::{Random, v_measure};

const VARIANTS: u64 = 50;

/// A cause: its headers and its payload, as templates.
#[derive(Default)]
struct Cause {
    name: &'static str,
    headers: Vec<(&'static str, String)>,
    payload: String,
}

fn causes(text: &'static str) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    let mut last_is_payload = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("=== ") {
            causes.push(Cause { name, ..Cause::default() });
        } else if let Some(cause) = causes.last_mut() {
            if let Some(header) = line.strip_prefix('@') {
                let (name, value) = header.split_once(' ').unwrap_or((header, ""));
                cause.headers.push((name, value.to_owned()));
                last_is_payload = false;
            } else if let Some(body) = line.strip_prefix('$') {
                body.trim_start().clone_into(&mut cause.payload);
                last_is_payload = true;
            } else if let Some(more) = line.strip_prefix('|') {
                let text = match cause.headers.last_mut() {
                    Some((_, value)) if !last_is_payload => value,
                    _ => &mut cause.payload,
                };
                if !text.is_empty() {
                    text.push('\n');
                }
                text.push_str(more);
            } else {
                assert!(line.is_empty(), "{line}");
            }
        }
    }
    causes
}

/// Fills a template: `‹kind›` by a value, `«a¦b»` by one of the texts.
fn fill(template: &str, random: &mut Random) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['‹', '«']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(choice) = rest.strip_prefix('«') {
            let (choices, after) = choice.split_once('»').expect("a choice is closed");
            let choices: Vec<&str> = choices.split('¦').collect();
            out.push_str(&fill(choices[random.index(choices.len())], random));
            rest = after;
        } else {
            let (kind, after) = rest.trim_start_matches('‹').split_once('›').expect("a slot is closed");
            value(kind, random, &mut out);
            rest = after;
        }
    }
    out + rest
}

fn digits(alphabet: &str, count: usize, random: &mut Random) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    (0..count).map(|_| letters[random.index(letters.len())]).collect()
}

fn pick<'a>(texts: &[&'a str], random: &mut Random) -> &'a str {
    texts[random.index(texts.len())]
}

fn value(kind: &str, random: &mut Random, out: &mut String) {
    const HEX: &str = "0123456789abcdef";
    const ALNUM: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let (kind, range) = kind.split_once(' ').unwrap_or((kind, "1-99999"));
    let (low, high) = range.split_once('-').expect("a range has two ends");
    let (low, high): (u64, u64) = (low.parse().unwrap(), high.parse().unwrap());
    let mut n = |low: u64, high: u64| low + random.below(high - low + 1);
    let (day, hour, minute, second) = (n(1, 28), n(0, 23), n(0, 59), n(0, 59));
    let done = match kind {
        "int" => write!(out, "{}", n(low, high)),
        "line" => write!(out, "{}", n(3, 2500)),
        "port" => write!(out, "{}", n(1024, 65535)),
        "epoch" => write!(out, "{}.{}", n(1_772_000_000, 1_773_000_000), n(100, 999)),
        "epochms" => write!(out, "{}", n(1_772_000_000_000, 1_773_000_000_000)),
        "iso" => write!(out, "2026-03-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", n(0, 999)),
        "nsbtime" => write!(out, "2026-03-{day:02} {hour:02}:{minute:02}:{second:02}:{:06} Z", n(0, 999_999)),
        "ustime" => write!(
            out,
            "3/{day}/2026 {}:{minute:02}:{second:02} {}",
            hour % 12 + 1,
            if hour > 11 { "PM" } else { "AM" }
        ),
        "ip" => write!(out, "10.{}.{}.{}", n(0, 255), n(0, 255), n(1, 254)),
        "money" => write!(out, "{}.{:02}", n(0, 5000), n(0, 99)),
        "order" => match n(0, 2) {
            0 => write!(out, "ORD-2026-{:06}", n(1, 999_999)),
            1 => write!(out, "{}", n(10_000, 9_999_999)),
            _ => write!(out, "o_{}", digits(ALNUM, 12, random)),
        },
        "sku" => write!(out, "SKU-{}", n(100, 99_999)),
        "date" => match n(0, 2) {
            0 => write!(out, "{day:02}.03.2026 {hour:02}:{minute:02}"),
            1 => write!(out, "2026/03/{day:02} {hour:02}:{minute:02}:{second:02}"),
            _ => write!(out, "March {day}, 2026"),
        },
        "host" => {
            let stem = pick(&["db", "cache-primary", "mail", "rates.internal", "upload.partner"], random);
            let end = pick(&["", ".prod.svc.cluster.local", ".eu-west-1.rds.amazonaws.com", ".example.net"], random);
            write!(out, "{stem}-{}{end}", 1 + random.below(9))
        }
        "pod" => write!(out, "worker-{}-{}", digits(HEX, 9, random), digits(HEX, 5, random)),
        "name" => write!(out, "{}", pick(&["Ann Smith", "Jürgen Groß", "O'Brien Ltd", "李雷", "Zoë de Vries"], random)),
        "email" => {
            let name = pick(&["ann", "j.gross", "zoe+shop", "x_y"], random);
            write!(out, "{name}{}@{}", random.below(99), pick(&["gmail.com", "web.de", "mail.example.co.uk"], random))
        }
        "uuid" => {
            let mut hex = |count| digits(HEX, count, random);
            write!(out, "{}-{}-4{}-9{}-{}", hex(8), hex(4), hex(3), hex(3), hex(12))
        }
        "hex" => write!(out, "{}", digits(HEX, 16, random)),
        "hex2" => write!(out, "{}", digits(HEX, 2, random)),
        "hex24" => write!(out, "{}", digits(HEX, 24, random)),
        "hexaddr" => write!(out, "{}", digits(HEX, 10, random)),
        "sha" => write!(out, "{}", digits(HEX, 40, random)),
        "alnum" => write!(out, "{}", digits(ALNUM, 24, random)),
        "b64" => write!(out, "{}==", digits(ALNUM, 22, random)),
        _ => panic!("no kind {kind}"),
    };
    done.unwrap();
}

fn variant(cause: &Cause, random: &mut Random) -> Message {
    // Half of what runs on .NET runs on Windows.
    let windows = cause.name.starts_with("dotnet") && random.below(2) == 0;
    let mut headers = Fields::new();
    for (name, template) in &cause.headers {
        let text = fill(template, random);
        let text = if windows { text.replace('\n', "\r\n") } else { text };
        headers.push(*name, text.as_str());
    }
    Message { headers, payload: Some(fill(&cause.payload, random).into()), ..Message::default() }
}

#[test]
fn sixty_causes_that_the_rules_have_not_seen_come_out_as_sixty_groups() {
    grouped(include_str!("causes.txt"));
}

#[test]
fn sixty_causes_in_foreign_styles_come_out_as_sixty_groups() {
    grouped(include_str!("foreign.txt"));
}

#[allow(clippy::print_stdout, reason = "a score is for people to see")]
fn grouped(text: &'static str) {
    let causes = causes(text);
    assert_eq!(causes.len(), 60);
    let mut random = Random(0x0b11_4d02);
    let mut pairs = Vec::new();
    let mut by_group: BTreeMap<GroupId, BTreeSet<&str>> = BTreeMap::new();
    let mut by_cause: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for _ in 0..VARIANTS {
        for (number, cause) in causes.iter().enumerate() {
            let message = variant(cause, &mut random);
            let failure = detect(&message);
            let group = fingerprint(&message, failure.as_ref(), &Rules::default());
            pairs.push((number, group.id));
            by_group.entry(group.id).or_default().insert(cause.name);
            let key: Vec<_> = group.key.iter().map(|part| format!("{}={}", part.name, part.value)).collect();
            let dialect = failure.map_or("none", |failure| failure.dialect);
            by_cause.entry(cause.name).or_default().insert(format!("{} {dialect} {}", group.id, key.join(" | ")));
        }
    }
    let merged: Vec<_> = by_group.values().filter(|causes| causes.len() > 1).collect();
    let split: Vec<_> = by_cause.iter().filter(|(_, groups)| groups.len() > 1).collect();
    let score = v_measure(&pairs);
    println!("V-measure {score:.4}, {} groups, merged: {merged:?}, {} causes split", by_group.len(), split.len());
    assert!(merged.is_empty(), "merged: {merged:#?}\n{by_cause:#?}");
    assert!(score >= 0.98, "V-measure {score:.4}; split: {split:#?}");
}
