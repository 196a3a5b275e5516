//! Files that the program writes itself and that are committed: completions and manual pages.
//!
//! `POSTROOM_BLESS=1 cargo test --test suite generated` writes them anew.

use std::collections::BTreeMap;
use std::path::Path;

use crate::environment::{TestEnvironment, repository};

/// Compares a folder with what should be in it, or writes it anew.
fn check(folder: &str, expected: &BTreeMap<String, String>) {
    let folder = repository(folder);
    if std::env::var_os("POSTROOM_BLESS").is_some() {
        _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in expected {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let found = read(&folder);
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    let bless = "run POSTROOM_BLESS=1 cargo test --test suite generated, and commit";
    assert_eq!(names(&found), names(expected), "{bless}");
    for (name, text) in expected {
        assert!(found[name] == *text, "{}/{name} is out of date: {bless}", folder.display());
    }
}

fn read(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return BTreeMap::new() };
    let file = |entry: std::fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), std::fs::read_to_string(entry.path()).unwrap())
    };
    entries.map(|entry| file(entry.unwrap())).collect()
}

#[test]
fn completions_are_what_the_program_writes() {
    let environment = TestEnvironment::new();
    let files =
        [("bash", "postroom.bash"), ("zsh", "_postroom"), ("fish", "postroom.fish"), ("powershell", "_postroom.ps1")];
    let expected = files.map(|(shell, name)| {
        let run = environment.run(&["completions", shell]);
        assert_eq!(run.exit, 0, "{run}");
        (name.to_owned(), run.stdout)
    });
    check("completions", &BTreeMap::from(expected));
}

#[test]
fn manual_pages_are_what_the_program_writes() {
    let environment = TestEnvironment::new();
    let run = environment.run(&["man", "--to", "man"]);
    assert_eq!(run.exit, 0, "{run}");
    check("assets/man", &read(&environment.path("man")));
}
