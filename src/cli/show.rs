//! `postroom show`: everything about one queue, without touching a message.

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::output::queue::page;
use crate::broker::Address;
use crate::error::{Error, ErrorKind};
use crate::operation::queues::Listed;

/// Show one queue: type, arguments and policies, pairing, read cost and peek budget, expiry, consumers
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let name = args.address.need_target()?.queue_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{} is an exchange, and only queues can be shown", args.address))
    })?;
    let place = context.places.open(&args.address).await?;
    let info = place.broker.describe(name).await?;
    let broker = Address { target: None, ..args.address.clone() };
    let listed = Listed { broker, kind: place.broker.info().kind, info };
    let output = &context.output;
    output.object(|| listed.json_with_details(), || page(&listed, context.now_at(&args.address), output.paint))?;
    Ok(0)
}
