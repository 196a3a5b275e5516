//! `postroom queues`: what is where, dead-letter queues first.

use futures::future::join_all;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::output::queue::list_table;
use crate::broker::{Address, Connection};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::queues::{Listed, list as list_all, sort};

/// List queues with depth, rates, oldest age, consumers and dead-letter pairing; dead-letter queues first
///
/// Without an address the queues of every profile are listed; PROFILE:GLOB lists those whose names match.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// PROFILE, PROFILE:GLOB or URL; quote the glob
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Option<Address>,

    /// Internal queues and topics, too
    #[arg(long)]
    internal: bool,

    /// Only queues whose names have these letters, in this order: the filter of the screens
    #[cfg(feature = "tui")]
    #[arg(long = "match", value_name = "LETTERS")]
    letters: Option<String>,
}

/// Those whose names have the letters.
#[cfg(feature = "tui")]
fn matching(letters: &str, queues: Vec<Listed>) -> Vec<Listed> {
    let found = crate::text::fuzzy::matching(letters, queues.into_iter(), Listed::label);
    found.into_iter().map(|(listed, _)| listed).collect()
}

#[cfg(not(feature = "tui"))]
fn matching(_: &str, queues: Vec<Listed>) -> Vec<Listed> {
    queues
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let brokers = match &args.address {
        Some(address) => vec![address.clone()],
        None => profiles(context)?,
    };
    #[cfg(feature = "tui")]
    let letters = args.letters.as_deref();
    #[cfg(not(feature = "tui"))]
    let letters = None;
    list(&brokers, args.internal, letters, context).await
}

/// Every profile's broker as an address.
fn profiles(context: &Context<'_>) -> Result<Vec<Address>> {
    let config = context.places.config();
    if config.profiles.is_empty() {
        let place = config.path.as_ref().map_or_else(String::new, |path| format!(" in {}", path.display()));
        return Err(Error::new(ErrorKind::Config, format!("there is no profile{place}, and no address was given"))
            .hint("name a URL, try `postroom queues demo`, or write a config file with `postroom config init`"));
    }
    let address = |name: &String| Address { connection: Connection::Profile(name.clone()), target: None };
    Ok(config.profiles.keys().map(address).collect())
}

async fn list(brokers: &[Address], internal: bool, letters: Option<&str>, context: &Context<'_>) -> Exit {
    let listings = join_all(brokers.iter().map(|address| list_all(&context.places, address, internal))).await;
    let mut queues = Vec::new();
    let mut failed = Vec::new();
    for (address, listing) in brokers.iter().zip(listings) {
        match listing {
            Ok((listed, notes)) => {
                for note in &notes {
                    context.output.warn(&format!("{address}: {note}"));
                }
                queues.extend(listed);
            }
            Err(error) => failed.push((address, error)),
        }
    }
    if brokers.len() == 1
        && let Some((_, error)) = failed.pop()
    {
        return Err(error);
    }
    if let Some(letters) = letters {
        queues = matching(letters, queues);
    }
    sort(&mut queues);
    let output = &context.output;
    output.list(
        || queues.iter().map(Listed::json).collect(),
        || list_table(&queues, |broker| context.now_at(broker), output.width, output.paint),
    )?;
    if queues.is_empty() && failed.is_empty() {
        output.note("No queue matches.");
    }
    // One broker that does not answer must not hide the others, nor go unnoticed.
    let Some((address, error)) = failed.pop() else { return Ok(0) };
    for (address, error) in &failed {
        output.warn(&format!("{address}: {error}"));
    }
    Err(Error::new(ErrorKind::Partial, format!("{address}: {error}"))
        .hint("the queues of the other profiles are listed"))
}

/// What a bare `postroom` shows until there is more: the queues, or how to connect.
pub(super) async fn overview(address: Option<&Address>, context: &Context<'_>) -> Exit {
    match address {
        Some(address) => list(std::slice::from_ref(address), false, None, context).await,
        None => list(&profiles(context)?, false, None, context).await,
    }
}
