//! The command line: one file per verb, each with its arguments and its `run`.
//!
//! The way a verb goes: arguments -> checked request -> plan -> (print | confirm) -> run -> report -> exit code.
//! stdout is data, stderr is talk; exit codes are [`crate::ErrorKind::exit`] and the report's. Limits: verbs hold no
//! logic of their own beyond this; engines are in [`crate::operation`].

mod arguments;
mod bash;
mod browse;
mod capture;
mod completions;
mod config;
mod consent;
mod consumers;
mod context;
mod cost;
mod demo;
mod drain;
#[cfg(feature = "jq")]
mod editor;
#[cfg(feature = "jq")]
mod edits;
mod groups;
mod help;
mod interrupt;
mod journal;
mod log;
mod man;
mod offsets;
mod output;
mod plan;
mod planning;
mod publish;
mod queues;
mod replay;
mod report;
mod reporting;
mod selection;
mod show;
mod tui;
mod wholesale;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::broker::{Address, Connection};
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::message::codec::Schemas;
use crate::operation::session::OpenScreens;
use arguments::{Global, address};
use context::Context;

const ABOUT: &str = "\
See what is in the queues, why messages died, and replay or drain them without losing one

An address is PROFILE:QUEUE (profiles stand in the config file), a URL with the queue at its end
(amqp://user@host:5672/%2f/orders.dlq), file:PATH for an archive, or demo:QUEUE for the built-in incident.
`postroom demo` needs no server.";

#[derive(Debug, Parser)]
#[command(name = "postroom", version, max_term_width = 100, disable_help_subcommand = true)]
#[command(about = "See what is in the queues, why messages died, and replay or drain them without losing one", long_about = ABOUT)]
#[command(
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, configuration or refused, 3 partly done, 4 a condition is not \
                        met, 130 interrupted.\n`postroom help filter` explains filters, `postroom help VERB` a verb."
)]
struct Cli {
    #[command(flatten)]
    global: Global,

    #[command(subcommand)]
    verb: Option<Verb>,

    /// A profile, queue or URL to look at; without one, every profile
    #[arg(value_parser = address)]
    address: Option<Address>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Queues(queues::Args),
    Show(show::Args),
    Browse(browse::Args),
    Groups(groups::Args),
    Report(report::Args),
    Publish(publish::Args),
    Capture(capture::Args),
    Replay(replay::Args),
    Drain(drain::Args),
    Plan(plan::Args),
    Consumers(consumers::Args),
    Offsets(offsets::Args),
    Journal(journal::Args),
    Tui(tui::Args),
    Demo(demo::Args),
    Config(config::Args),
    Completions(completions::Args),
    Man(man::Args),
    Help(help::Args),
}

/// Runs the command line of this process. `screens` is the other front end, where there is one.
#[must_use]
pub fn main(screens: Option<OpenScreens>) -> ExitCode {
    let environment = Environment::of_process();
    completions::answer_shell();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let cli = match Cli::command().try_get_matches_from(&arguments).and_then(|matches| Cli::from_arg_matches(&matches))
    {
        Ok(cli) => cli,
        Err(error) => return arguments::refuse(&error, &arguments),
    };
    log::start(cli.global.verbose, environment.get("POSTROOM_LOG"));
    ExitCode::from(run(&cli, environment, screens))
}

fn run(cli: &Cli, environment: Environment, screens: Option<OpenScreens>) -> u8 {
    let output = Arc::new(cli.global.output(&environment));
    // What needs neither configuration nor a broker must work when these are broken.
    let done = match &cli.verb {
        Some(Verb::Completions(args)) => completions::run(args, &output),
        Some(Verb::Man(args)) => man::run(args, &output),
        Some(Verb::Help(args)) => help::run(args, &output),
        Some(Verb::Config(args)) => config::run(args, &cli.global, environment, &output),
        _ => Context::new(&cli.global, environment, Arc::clone(&output)).and_then(|context| {
            if let Some((open, start)) = tui::wanted(cli, &context, screens)? {
                return open(context.session, &start);
            }
            let done = context.block_on(dispatch(cli, &context));
            tell_missing_schemas(&context);
            done
        }),
    };
    let flushed = output.flush();
    match done.and_then(|exit| flushed.map(|()| exit)) {
        Ok(exit) => exit,
        Err(error) => {
            output.error(&error);
            error.kind().exit()
        }
    }
}

/// What was asked of the fields of payloads that could not be read may have matched too little.
fn tell_missing_schemas(context: &Context<'_>) {
    for fault in context.rules().schemas().into_iter().flat_map(Schemas::faults) {
        context.output.warn(&format!("Payloads were left unread: {fault}."));
    }
}

/// A verb's exit code, where it ended without an error.
type Exit = Result<u8>;

async fn dispatch(cli: &Cli, context: &Context<'_>) -> Exit {
    if let (Some(_), Some(address)) = (&cli.verb, &cli.address) {
        return Err(Error::new(ErrorKind::Usage, format!("the address {address} stands before the verb"))
            .hint("write postroom VERB ADDRESS"));
    }
    match &cli.verb {
        Some(Verb::Queues(args)) => queues::run(args, context).await,
        Some(Verb::Show(args)) => show::run(args, context).await,
        Some(Verb::Browse(args)) => browse::run(args, context).await,
        Some(Verb::Groups(args)) => groups::run(args, context).await,
        Some(Verb::Report(args)) => report::run(args, context).await,
        Some(Verb::Publish(args)) => publish::run(args, context).await,
        Some(Verb::Capture(args)) => capture::run(args, context).await,
        Some(Verb::Replay(args)) => Box::pin(replay::run(args, context)).await,
        Some(Verb::Drain(args)) => Box::pin(drain::run(args, context)).await,
        Some(Verb::Plan(args)) => Box::pin(plan::run(args, context)).await,
        Some(Verb::Consumers(args)) => consumers::run(args, context).await,
        Some(Verb::Offsets(args)) => offsets::run(args, context).await,
        Some(Verb::Journal(args)) => Box::pin(journal::run(args, context)).await,
        Some(Verb::Demo(_)) => demo::run(context).await,
        Some(Verb::Tui(_)) => Err(tui::no_screens()),
        Some(Verb::Completions(_) | Verb::Man(_) | Verb::Help(_) | Verb::Config(_)) => Ok(0),
        None if cli.address.is_none() && context.places.config().profiles.is_empty() => demo::run(context).await,
        None => queues::overview(cli.address.as_ref(), context).await.map_err(|error| verb_hint(cli, error)),
    }
}

/// A word that is no profile may be a mistyped verb.
fn verb_hint(cli: &Cli, error: Error) -> Error {
    let Some(Address { connection: Connection::Profile(word), target: None }) = &cli.address else { return error };
    let command = command();
    let near = nearest(word, command.get_subcommands().map(clap::Command::get_name));
    match near.filter(|_| error.kind() == ErrorKind::Config) {
        Some(verb) => Error::new(ErrorKind::Usage, format!("there is neither a verb nor a profile {word:?}"))
            .hint(format!("did you mean `postroom {verb}`?")),
        None => error,
    }
}

/// The command line's definition, for what is generated from it.
fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
