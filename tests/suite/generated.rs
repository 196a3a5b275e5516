//! What the program writes itself and is committed: completions, manual pages, the examples in the README.
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

/// A README example: a command line, and what it printed on a terminal.
#[cfg(unix)]
mod examples {
    use std::io::Read as _;

    use portable_pty::{CommandBuilder, PtySize, native_pty_system};

    use crate::environment::{POSTROOM, TestEnvironment, repository};

    /// What `sh -c LINE` shows on a terminal of 100 columns without colour.
    fn shown(line: &str, environment: &TestEnvironment) -> String {
        let size = PtySize { rows: 200, cols: 100, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", line]);
        command.env_clear();
        let folder = std::path::Path::new(POSTROOM).parent().unwrap().to_str().unwrap().to_owned();
        for (name, value) in environment.variables() {
            let value = if name == "PATH" { format!("{folder}:{value}") } else { value };
            command.env(name, value);
        }
        command.env("NO_COLOR", "1");
        command.env("COLUMNS", "100");
        command.cwd(environment.path(""));
        let mut child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let mut reader = pair.master.try_clone_reader().unwrap();
        let mut bytes = Vec::new();
        // The end of a terminal is an error on Linux.
        _ = reader.read_to_end(&mut bytes);
        child.wait().unwrap();
        environment.normal(&bytes).replace("\r\n", "\n").trim_end().to_owned()
    }

    /// The README with the output of every example as it is now.
    fn with_output(readme: &str) -> String {
        let mut out = String::new();
        let mut example: Option<TestEnvironment> = None;
        for line in readme.lines() {
            match (&example, line) {
                (None, "```console") => example = Some(TestEnvironment::new()),
                (Some(_), "```") => example = None,
                (Some(environment), _) => {
                    if let Some(command) = line.strip_prefix("$ ") {
                        let shown = shown(command, environment);
                        out.extend([line, "\n", &shown, "\n"]);
                    }
                    continue;
                }
                (None, _) => {}
            }
            out += line;
            out.push('\n');
        }
        out
    }

    #[test]
    fn the_readmes_examples_are_real() {
        let path = repository("README.md");
        let readme = std::fs::read_to_string(&path).unwrap();
        let real = with_output(&readme);
        assert!(real.matches("\n$ postroom ").count() > 10);
        if std::env::var_os("POSTROOM_BLESS").is_some() {
            std::fs::write(&path, &real).unwrap();
        }
        let now = std::fs::read_to_string(&path).unwrap();
        let differs = now.lines().zip(real.lines()).find(|(a, b)| a != b);
        assert!(now == real, "{differs:?}: run POSTROOM_BLESS=1 cargo test --test suite generated, and commit");
    }
}

/// The screens: their keys in the README.
#[cfg(feature = "tui")]
mod screens {
    use crate::environment::repository;

    #[test]
    fn the_readmes_keys_are_the_command_tables() {
        let path = repository("README.md");
        let readme = std::fs::read_to_string(&path).unwrap();
        let (head, rest) = readme.split_once("<!-- keys -->\n").unwrap();
        let (_, tail) = rest.split_once("<!-- /keys -->").unwrap();
        let real = format!("{head}<!-- keys -->\n{}<!-- /keys -->{tail}", postroom::tui::command::markdown());
        if std::env::var_os("POSTROOM_BLESS").is_some() {
            std::fs::write(&path, &real).unwrap();
        }
        let now = std::fs::read_to_string(&path).unwrap();
        assert!(now == real, "run POSTROOM_BLESS=1 cargo test --test suite generated, and commit");
    }
}
