//! `postroom tui`, and when a bare `postroom` or `postroom demo` opens the screens instead of writing text.

use std::io::IsTerminal as _;

use super::arguments::address;
use super::completions;
use super::context::Context;
use super::{Cli, Verb, verb_hint};
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::session::{OpenScreens, Start};

/// Open the terminal UI: queues, causes, messages, replay and drain
///
/// A bare `postroom` on a terminal does the same. Every action shows the command line that does it in a script.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A profile, queue, archive or URL to open; without one, every profile
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Option<Address>,
}

/// What opens the screens and what they open with, where they are asked for: by their verb, or by a bare `postroom` or
/// `postroom demo` on a terminal that asks for no format of data.
///
/// # Errors
/// `Config` for an address with an unknown profile; `Usage` for the verb without a terminal.
pub(super) fn wanted(
    cli: &Cli,
    context: &Context<'_>,
    screens: Option<OpenScreens>,
) -> Result<Option<(OpenScreens, Start)>> {
    let (address, is_verb) = match &cli.verb {
        Some(Verb::Tui(args)) if cli.address.is_none() => (args.address.clone(), true),
        Some(Verb::Demo(_)) if cli.address.is_none() => (Some("demo".parse()?), false),
        None => (cli.address.clone(), false),
        Some(_) => return Ok(None),
    };
    let environment = context.places.config().environment();
    let is_terminal = std::io::stdin().is_terminal() && context.output.stdout_is_terminal;
    let can_draw = is_terminal && environment.get("TERM") != Some("dumb");
    let Some(open) = screens.filter(|_| can_draw && (is_verb || !context.global.asks_for_data())) else {
        return if is_verb { Err(no_screens()) } else { Ok(None) };
    };
    if let Some(address) = &address {
        context.places.policy(address).map_err(|error| verb_hint(cli, error))?;
    }
    Ok(Some((open, Start { address, colour: context.global.colour() })))
}

/// The verb without what it needs.
pub(super) fn no_screens() -> Error {
    Error::new(ErrorKind::Usage, "the terminal UI needs a terminal")
        .hint("in scripts use the verbs: `postroom queues`, `postroom groups ADDRESS` …; `postroom help` lists them")
}
