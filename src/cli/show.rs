//! `postroom show`: everything about one queue, without touching a message.

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::output::queue::page;
use crate::broker::Address;
use crate::operation::queues;

/// Show one queue: type, arguments and policies, pairing, read cost and peek budget, expiry, consumers
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let listed = queues::describe(&context.places, &args.address).await?;
    let output = &context.output;
    output.object(|| listed.json_with_details(), || page(&listed, context.now_at(&args.address), output.paint))?;
    Ok(0)
}
