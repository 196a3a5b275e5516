//! Brokers of a test's own (`tests/with-brokers` inside `tests/with-brokers`), for what is done to one concerns all who use
//! it: it is killed and started again, or stopped for a while.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStdin, Command, Stdio};

use super::brokers;

/// What tells that the tests run beside brokers, and does to those what its arguments say.
const CONTROL: &str = "POSTROOM_BROKER_CONTROL";

/// Brokers of our own, which stop when this is dropped.
pub(super) struct Servers {
    process: Child,
    /// Open as long as they are to run.
    input: Option<ChildStdin>,
    variables: BTreeMap<String, String>,
}

impl Servers {
    /// Starts those of a name; `None` where the tests run without brokers.
    pub(super) fn start(name: &str) -> Option<Self> {
        brokers(&[("any", CONTROL)]).pop()?;
        let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/with-brokers"));
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("POSTROOM_") && text.ends_with("_URL") {
                command.env_remove(&name);
            }
        }
        command.env("POSTROOM_ONLY_BROKERS", name).env("POSTROOM_BROKERS", "required");
        command.args(["sh", "-c", "env && echo up && exec cat"]);
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = process.stdin.take();
        let said = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said: Vec<String> = said.take_while(|line| line != "up").collect();
        let variables = said.iter().filter_map(|line| line.split_once('='));
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Some(Self { process, input, variables })
    }

    pub(super) fn of(&self, variable: &str) -> &str {
        self.variables.get(variable).unwrap_or_else(|| panic!("tests/with-brokers has not given {variable}"))
    }

    /// Has something done to one of them.
    pub(super) fn control(&self, verb: &str, server: &str) {
        let status = Command::new(self.of(CONTROL)).args([verb, server]).status().unwrap();
        assert!(status.success(), "{verb} {server}: {status}");
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.input.take());
        _ = self.process.wait();
    }
}
