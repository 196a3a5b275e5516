//! `postroom completions SHELL`: the script for a shell; and the names of queues while one types.
//!
//! The static scripts know verbs and options. With `COMPLETE=SHELL postroom` in the shell's start file instead, the
//! shell asks the program itself, which then also knows profiles and queues. It answers within [`PATIENCE`], or not.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{Elvish, Fish, Powershell, Shells, Zsh};
use clap_complete::{CompleteEnv, Shell, generate};

use super::Exit;
use super::bash::Bash;
use super::output::Output;
use crate::broker::{Address, ListFilter, Target};
use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind};
use crate::operation::offsets;
use crate::operation::place::Places;

/// How long a shell is kept waiting for the names of queues.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Print the completion script for a shell
///
/// Install: bash: postroom completions bash > ~/.local/share/bash-completion/completions/postroom;
/// zsh: postroom completions zsh > a folder of $fpath/_postroom;
/// fish: postroom completions fish > ~/.config/fish/completions/postroom.fish.
/// For the names of profiles and queues too: source <(COMPLETE=bash postroom), and likewise zsh and fish.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Runs the verb.
pub(super) fn run(args: &Args, output: &Output) -> Exit {
    let mut script = Vec::new();
    generate(args.shell, &mut super::command(), "postroom", &mut script);
    output.bytes(&script)?;
    Ok(0)
}

/// Where a shell asks for completions (`COMPLETE` is set), answers and ends the process.
pub(super) fn answer_shell() {
    let shells = Shells(&[&Bash, &Elvish, &Fish, &Powershell, &Zsh]);
    CompleteEnv::with_factory(super::command).shells(shells).complete();
}

/// What an address being typed may become: a profile, or a queue of the profile or URL that is there.
pub(super) fn addresses(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let Ok(config) = Config::load(None, Environment::of_process()) else { return Vec::new() };
    match typed.split_once(':') {
        None => config
            .profiles
            .keys()
            .map(String::as_str)
            .chain(["demo"])
            .filter(|name| name.starts_with(typed))
            .map(|name| CompletionCandidate::new(format!("{name}:")))
            .collect(),
        Some(("file", path)) => files(path),
        Some((profile, _)) => {
            let place = if typed.contains("://") { typed.rsplit_once('/').map(|(url, _)| url) } else { Some(profile) };
            let queues = place.and_then(|place| queues(place, config).ok()).unwrap_or_default();
            queues.into_iter().filter(|address| address.starts_with(typed)).map(CompletionCandidate::new).collect()
        }
    }
}

/// The addresses of the queues of a profile or URL.
fn queues(place: &str, config: Config) -> crate::Result<Vec<String>> {
    let address: Address = place.parse()?;
    let listing = soon(async {
        let place = Places::new(config).open(&address).await?;
        place.broker.list(&ListFilter { brief: true, ..ListFilter::default() }).await
    })?;
    Ok(listing.queues.into_iter().map(|queue| address.at(Target::queue(queue.name)).to_string()).collect())
}

/// The consumer groups of the topic that the command line names.
pub(super) fn consumer_groups(typed: &OsStr) -> Vec<CompletionCandidate> {
    let Some(typed) = typed.to_str() else { return Vec::new() };
    let Ok(config) = Config::load(None, Environment::of_process()) else { return Vec::new() };
    let mut addresses = std::env::args().filter_map(|word| word.parse::<Address>().ok());
    let Some(address) = addresses.find(|address| address.target.is_some()) else { return Vec::new() };
    let found = soon(async { offsets::groups(&Places::new(config).open(&address).await?).await }).unwrap_or_default();
    let names = found.groups.into_iter().map(|group| group.name);
    names.filter(|name| name.starts_with(typed)).map(CompletionCandidate::new).collect()
}

/// The answer to a question, where it comes while somebody still waits for it.
fn soon<T>(question: impl Future<Output = crate::Result<T>>) -> crate::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(async { tokio::time::timeout(PATIENCE, question).await });
    runtime.shutdown_background();
    answer.map_err(|_| Error::new(ErrorKind::Timeout, "the broker is slow"))?
}

fn files(path: &str) -> Vec<CompletionCandidate> {
    let (folder, prefix) = path.rsplit_once('/').map_or(("", path), |(folder, prefix)| (folder, prefix));
    let start = if path.contains('/') { format!("{folder}/") } else { String::new() };
    let Ok(entries) = std::fs::read_dir(if start.is_empty() { Path::new(".") } else { Path::new(&start) }) else {
        return Vec::new();
    };
    entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let archive = [".jsonl", ".jsonl.zst"].iter().any(|end| name.ends_with(end));
            (name.starts_with(prefix) && (is_folder || archive))
                .then(|| CompletionCandidate::new(format!("file:{start}{name}{}", if is_folder { "/" } else { "" })))
        })
        .collect()
}
