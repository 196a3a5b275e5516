//! The house's direction, checked over the `use` lines and paths of every source file (DESIGN section 3).

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first: a room may use its own floor's room and every floor below it.
const FLOORS: &[&[&str]] =
    &[&["error", "secret", "text"], &["message"], &["broker", "schema"], &["config"], &["operation"], &["cli", "tui"]];

/// Client crates and the only folders that may name them.
const CLIENTS: &[(&str, &[&str])] = &[
    ("lapin", &["src/broker/rabbitmq/"]),
    ("reqwest", &["src/broker/", "src/schema/"]),
    ("apache_avro", &["src/message/codec/"]),
    ("prost_reflect", &["src/schema/"]),
    ("protox", &["src/schema/"]),
    ("rdkafka", &["src/broker/kafka/"]),
    ("aws_sdk_sqs", &["src/broker/sqs/"]),
    ("aws_config", &["src/broker/", "src/schema/"]),
    ("aws_sigv4", &["src/broker/kafka/", "src/schema/"]),
    ("ratatui", &["src/tui/"]),
    ("crossterm", &["src/tui/"]),
    ("ratatui_textarea", &["src/tui/"]),
    ("nucleo_matcher", &["src/text/fuzzy.rs"]),
];

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

/// Whether `text` names the crate `name` as the head of a path.
fn names_crate(text: &str, name: &str) -> bool {
    text.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    })
}

#[test]
fn nothing_reaches_upward_and_clients_stay_in_their_rooms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 5);
    let mut faults = Vec::new();
    for file in files {
        let place = file.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        let room = place.trim_start_matches("src/").split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            let at = format!("{place}:{}", number + 1);
            for (index, _) in line.match_indices("crate::") {
                let used: String = line[index + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if let (Some(mine), Some(theirs)) = (floor(&room), floor(&used))
                    && (theirs > mine || (theirs == mine && used != room && mine + 1 == FLOORS.len()))
                {
                    faults.push(format!("{at}: {room} reaches up to {used}"));
                }
            }
            for (client, folders) in CLIENTS {
                if names_crate(line, client) && !folders.iter().any(|folder| place.starts_with(folder)) {
                    faults.push(format!("{at}: {client} outside {}", folders.join(", ")));
                }
            }
            if names_crate(line, "clap") && room != "cli" && room != "main" {
                faults.push(format!("{at}: clap outside cli/ and main.rs"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// One file may say why it needs `unsafe`; no other may have any.
#[test]
fn one_file_is_unsafe_and_says_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "tests", "benches"] {
        sources(&root.join(folder), &mut files);
    }
    let allowing = |file: &PathBuf| fs::read_to_string(file).unwrap().contains(concat!("allow(", "unsafe_code"));
    let allowed: Vec<_> = files.iter().filter(|file| allowing(file)).collect();
    assert_eq!(allowed, [&root.join("src/broker/kafka/native.rs")]);
}
