//! Arguments that every verb has, the readers of typed values, and what is said about a bad command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::LazyLock;

use clap::Args;
use regex::Regex;

use super::output::{ColorWhen, Format, Output, Talk};
use crate::broker::Address;
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::filter::parse_duration;
use crate::message::fingerprint::NamedSchemas;
use crate::operation::plan::Pace;

/// Options of every verb.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every verb")]
pub(super) struct Global {
    /// How to write data [default: table on a terminal, else jsonl for lists and json for one object]
    #[arg(short, long, global = true, value_enum, hide_default_value = true)]
    output: Option<Format>,

    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN")]
    color: ColorWhen,

    /// The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]
    #[arg(long, global = true, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,

    /// Do not ask before a write; on a production profile as --yes=QUEUE
    #[arg(long, short = 'y', global = true, num_args = 0..=1, require_equals = true, default_missing_value = "", value_name = "QUEUE")]
    pub(super) yes: Option<String>,

    /// Show the plan of a write and stop
    #[arg(long, short = 'n', global = true)]
    pub(super) dry_run: bool,

    /// Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and
    /// ? stand for anything)
    #[arg(long, global = true, value_name = "[QUEUE=]FILE", value_hint = clap::ValueHint::FilePath)]
    schema: Vec<String>,

    /// Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the
    /// password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`
    #[arg(long, global = true, value_name = "URL")]
    registry: Option<String>,

    /// Say only errors on stderr
    #[arg(short, long, global = true)]
    quiet: bool,

    /// Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

impl Global {
    /// Whether data, or an answer to a question, was asked for.
    pub(super) fn asks_for_data(&self) -> bool {
        self.output.is_some() || self.dry_run || self.yes.is_some()
    }

    /// Whether there are colours, where that was said.
    pub(super) fn colour(&self) -> Option<bool> {
        match self.color {
            ColorWhen::Auto => None,
            ColorWhen::Always => Some(true),
            ColorWhen::Never => Some(false),
        }
    }

    /// The schemas that were named.
    pub(super) fn schemas(&self) -> NamedSchemas {
        NamedSchemas { files: self.schema.clone(), registry: self.registry.clone() }
    }

    /// The streams, as asked for.
    pub(super) fn output(&self, environment: &Environment) -> Output {
        Output::new(self.output, self.color, if self.quiet { Talk::Quiet } else { Talk::Normal }, environment)
    }
}

/// An error as clap shows it: the sentence, and the hint on a line of its own.
fn told(error: &Error) -> String {
    error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error}\n\n  hint: {hint}"))
}

/// Reads an address.
pub(super) fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error: Error| told(&error))
}

/// Reads `NAME=VALUE`; the value may be empty and may hold `=`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

/// Reads an archive's address: `file:PATH`.
pub(super) fn archive(text: &str) -> Result<PathBuf, String> {
    match text.strip_prefix("file:") {
        Some(path) if !path.is_empty() && path != "-" => Ok(PathBuf::from(path)),
        _ => Err("an archive is file:PATH.jsonl or file:PATH.jsonl.zst".to_owned()),
    }
}

/// Reads messages a second.
pub(super) fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a rate is a number of messages a second, above 0".to_owned()),
    }
}

/// The sizes of a ramp's steps.
#[derive(Clone, Debug)]
pub(super) struct Steps(pub(super) Vec<u64>);

/// Reads the sizes of a ramp's steps: `1,5,20`.
pub(super) fn steps(text: &str) -> Result<Steps, String> {
    Pace::steps(text)
        .map(Steps)
        .ok_or_else(|| "write how many messages each step has, such as --ramp=1,5,20,100".to_owned())
}

/// Reads a time to wait: `30s`, `2m`.
pub(super) fn duration(text: &str) -> Result<f64, String> {
    match parse_duration(text) {
        Some(time) if time.as_secs_f64() > 0.0 => Ok(time.as_secs_f64()),
        _ => Err("a time is a number with its unit, such as 30s or 2m".to_owned()),
    }
}

/// The text without the passwords of the URLs in it: clap repeats what it can't use.
pub(super) fn without_passwords(text: &str) -> String {
    static PASSWORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"(://[^/@\s:]*):[^/\s]*@").ok());
    PASSWORD.as_ref().map_or_else(String::new, |regex| regex.replace_all(text, "$1:***@").into_owned())
}

/// Help and version go to stdout and are no failure; anything else is a usage error.
pub(super) fn refuse(error: &clap::Error, arguments: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // A broken pipe behind --help is nothing to complain about.
        _ = error.print();
        return ExitCode::SUCCESS;
    }
    let json = arguments.iter().any(|argument| {
        let text = argument.to_string_lossy();
        matches!(text.as_ref(), "-ojson" | "-ojsonl" | "--output=json" | "--output=jsonl")
    }) || arguments.windows(2).any(|pair| {
        let [option, value] = pair else { return false };
        (option == "-o" || option == "--output") && (value == "json" || value == "jsonl")
    });
    let mut text = without_passwords(&error.render().to_string());
    if let Some(option) = detached(arguments) {
        let (message, _) = text.split_once("\n\n").unwrap_or((&text, ""));
        text = format!("{}\n\nwrite its value behind an equals sign, without a blank: {option}", message.trim_end());
    }
    let output = Output::new(json.then_some(Format::Json), ColorWhen::Never, Talk::Normal, &Environment::default());
    if json {
        let (message, hint) = text.split_once("\n\n").unwrap_or((&text, ""));
        let message = message.trim_start_matches("error: ").to_owned();
        output.error(&Error::new(ErrorKind::Usage, message).hint(hint.trim()));
    } else if let Some((word, verb)) = mistyped_verb(arguments) {
        let error = Error::new(ErrorKind::Usage, format!("there is no verb {word:?}"));
        output.error(&error.hint(format!("did you mean `postroom {verb}`?")));
    } else {
        output.say(super::output::text::safe_lines(text.trim_end()).as_str());
    }
    ExitCode::from(ErrorKind::Usage.exit())
}

/// An option that takes its value behind an equals sign only, and was given one behind a blank: as it has to be written.
/// What has a colon is an address, which may stand behind the option.
fn detached(arguments: &[OsString]) -> Option<String> {
    let command = super::command();
    let verb = command.find_subcommand(arguments.get(1)?)?;
    let options: Vec<_> = verb.get_arguments().filter(|option| option.is_require_equals_set()).collect();
    arguments.windows(2).find_map(|pair| {
        let [option, value] = pair else { return None };
        let (option, value) = (option.to_str()?, value.to_str()?);
        let name = option.strip_prefix("--")?;
        let is_one = options.iter().any(|known| known.get_long() == Some(name));
        let is_value = !value.starts_with('-') && !value.contains(':');
        (is_one && is_value).then(|| format!("{option}={value}"))
    })
}

/// What was most likely meant by a first word that is neither a verb nor an address: the reason why clap could not
/// make sense of the words behind it.
fn mistyped_verb(arguments: &[OsString]) -> Option<(String, String)> {
    let word = arguments.get(1)?.to_str()?;
    let command = super::command();
    let names = || command.get_subcommands().map(clap::Command::get_name);
    let is_other = word.starts_with('-') || word.contains(':') || names().any(|name| name == word);
    if is_other { None } else { nearest(word, names()).map(|verb| (word.to_owned(), verb.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_behind_a_blank_is_told_how_to_be_written() {
        let told = |line: &str| detached(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        let line = "postroom replay shop:dlq --per-key body.order.id";
        assert_eq!(told(line).as_deref(), Some("--per-key=body.order.id"));
        assert_eq!(told("postroom replay --ramp 1,5 shop:dlq").as_deref(), Some("--ramp=1,5"));
        assert_eq!(told("postroom replay --per-key shop:dlq"), None);
        assert_eq!(told("postroom replay shop:dlq --per-key=key extra"), None);
    }

    #[test]
    fn passwords_of_urls_are_not_repeated() {
        let shown = without_passwords("invalid value 'amqp://app:ge@heim:x@host/%2f/q' for amqps://h/%2f/q");
        assert_eq!(shown, "invalid value 'amqp://app:***@host/%2f/q' for amqps://h/%2f/q");
        assert_eq!(without_passwords("postroom browse shop:orders"), "postroom browse shop:orders");
    }
}
