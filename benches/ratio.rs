//! What the benches against bare client libraries share: jobs timed in turns, the binary as a whole process, ratios.

#![allow(dead_code, reason = "each bench uses its part")]

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long the two take, round by round.
#[derive(Default)]
pub(crate) struct Times {
    pub(crate) bare: Vec<Duration>,
    pub(crate) ours: Vec<Duration>,
}

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Bare,
    Ours,
}

/// Both in each round; the second of a round begins the next one. So of two rounds each has had every place once: a
/// broker that rolls its log over in every other run slows one down as often as the other.
pub(crate) fn turns(rounds: u64) -> impl Iterator<Item = Whose> {
    (0..rounds).flat_map(|n| if n % 2 == 0 { [Whose::Bare, Whose::Ours] } else { [Whose::Ours, Whose::Bare] })
}

/// A number from the environment.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
}

pub(crate) async fn timed<E: std::fmt::Debug>(work: impl Future<Output = Result<(), E>>) -> Duration {
    let start = Instant::now();
    work.await.expect("the bare loop");
    start.elapsed()
}

/// What a process is asked to do that runs a bare loop for [`bare`].
pub(crate) fn job() -> Option<Vec<String>> {
    let mut arguments = std::env::args().skip_while(|argument| argument != "bare");
    arguments.next().map(|_| arguments.collect())
}

/// Runs a bare loop from start to exit in a process of its own, as the binary does: a cold start counts, too.
pub(crate) fn bare(job: &[&str]) -> Duration {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("bare").args(job);
    whole(command, "the bare loop", job).0
}

/// Runs the binary from start to exit, as a person would, with its own files in `home`.
pub(crate) fn postroom(home: &Path, arguments: &[&str]) -> Duration {
    run(home, arguments).0
}

/// [`postroom`], and what it wrote.
pub(crate) fn run(home: &Path, arguments: &[&str]) -> (Duration, Output) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postroom"));
    command.args(arguments).env("XDG_STATE_HOME", home).env("XDG_CONFIG_HOME", home).env("XDG_DATA_HOME", home);
    whole(command, "postroom", arguments)
}

/// Runs a process to its end.
fn whole(mut command: Command, who: &str, arguments: &[&str]) -> (Duration, Output) {
    let start = Instant::now();
    let output = command.stdin(Stdio::null()).output().unwrap();
    let took = start.elapsed();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{who} {}: {}\n{talk}", arguments[0], output.status);
    (took, output)
}

/// How many lines a file has.
pub(crate) fn lines(file: &Path) -> u64 {
    std::fs::read(file).unwrap().split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count() as u64
}

/// The head of the table that [`Times::print`] fills.
pub(crate) fn head() {
    println!("medians of the rounds; ratio = bare / postroom with its standard error, higher is better");
    println!("{:<32} {:>10} {:>10} {:>13}   ratios", "", "bare", "postroom", "ratio");
}

impl Times {
    /// One line: median times, and the geometric mean of the rounds' ratios with its standard error, which is that of
    /// pairs of rounds, see [`turns`]. Two figures differ where their errors do not explain it.
    pub(crate) fn print(&self, what: &str) {
        let pairs = self.bare.iter().zip(&self.ours);
        let ratios: Vec<f64> = pairs.map(|(bare, ours)| bare.as_secs_f64() / ours.as_secs_f64()).collect();
        let (ratio, error) = mean(&ratios);
        let (bare, ours) = (short(median(&self.bare)), short(median(&self.ours)));
        let ratios: Vec<String> = ratios.iter().map(|ratio| format!("{ratio:.2}")).collect();
        println!("{what:<32} {bare:>10} {ours:>10} {ratio:>6.2} ± {error:.2}   {}", ratios.join(" "));
    }
}

/// The geometric mean of ratios, and its standard error by pairs of rounds; none for a single pair.
#[allow(clippy::cast_precision_loss, reason = "a handful of rounds")]
fn mean(ratios: &[f64]) -> (f64, f64) {
    let pairs = ratios.chunks(2).map(|pair| pair.iter().map(|ratio| ratio.ln()).sum::<f64>() / pair.len() as f64);
    let pairs: Vec<f64> = pairs.collect();
    let count = pairs.len() as f64;
    let mean = pairs.iter().sum::<f64>() / count;
    let squares = pairs.iter().map(|pair| (pair - mean).powi(2)).sum::<f64>();
    let error = (squares / (count - 1.0).max(1.0) / count).sqrt();
    (mean.exp(), mean.exp() * error)
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}

fn short(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}
