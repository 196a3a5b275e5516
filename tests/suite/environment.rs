//! A place of its own for each test of the command line: home, config, state, a fixed clock; and what a run gave.

use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// The program under test.
pub(crate) const POSTROOM: &str = env!("CARGO_BIN_EXE_postroom");

/// The time that every run sees.
pub(crate) const NOW: &str = "2026-03-02T15:00:00Z";

/// The id of a journal: its time is fixed, the rest is random.
static JOURNAL: LazyLock<regex::Regex> = LazyLock::new(|| regex::Regex::new(r"20260302-150000-[a-z0-9]{5}").unwrap());

/// A home of its own, gone at the end of the test.
pub(crate) struct TestEnvironment {
    root: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

/// What a run gave: all of it belongs into one snapshot.
#[must_use = "a run that nobody looks at proves nothing"]
pub(crate) struct Run {
    pub(crate) exit: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl TestEnvironment {
    pub(crate) fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), variables: Vec::new() }
    }

    /// With this config file.
    pub(crate) fn with_config(text: &str) -> Self {
        let environment = Self::new();
        let folder = environment.path("home/.config/postroom");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
        environment
    }

    /// With one more variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The variables of every run; nothing of the test's own environment but the path.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let home = self.path("home");
        std::fs::create_dir_all(&home).unwrap();
        let mut variables = vec![
            ("HOME".to_owned(), home.display().to_string()),
            ("PATH".to_owned(), std::env::var("PATH").unwrap_or_default()),
            ("POSTROOM_NOW".to_owned(), NOW.to_owned()),
            ("COLUMNS".to_owned(), "80".to_owned()),
            ("TERM".to_owned(), "xterm".to_owned()),
        ];
        variables.extend(self.variables.iter().cloned());
        variables
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(POSTROOM);
        command.args(arguments).env_clear().envs(self.variables()).current_dir(self.root.path());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Run {
        self.run_with(arguments, "")
    }

    /// Runs the program with this on standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &str) -> Run {
        let mut command = self.command(arguments);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        // A program that ends without reading its input is no failure of the test.
        let writer = std::thread::spawn(move || _ = stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Run {
            exit: output.status.code().unwrap_or(-1),
            stdout: self.normal(&output.stdout),
            stderr: self.normal(&output.stderr),
        }
    }

    /// Runs the program without waiting, stdout to read.
    #[cfg(unix)]
    pub(crate) fn spawn(&self, arguments: &[&str]) -> std::process::Child {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Text with the paths and durations of this run taken out.
    pub(crate) fn normal(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
        let root = self.root.path().to_str().unwrap();
        JOURNAL.replace_all(&text.replace(root, "$ROOT"), "20260302-150000-xxxxx").into_owned()
    }
}

impl Default for TestEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.stdout)?;
        if !self.stderr.is_empty() {
            write!(f, "------- stderr -------\n{}", self.stderr)?;
        }
        write!(f, "[exit {}]", self.exit)
    }
}

/// The file at `path` of the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
