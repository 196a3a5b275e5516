//! `postroom show`: everything about one queue, without touching a message.

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::output::queue::page;
use crate::broker::Address;
use crate::operation::handled::so_far;
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
    let mut listed = queues::describe(&context.places, &args.address).await?;
    // Of a log only our journals know what is done with.
    let place = context.places.open(&args.address).await?;
    if let Ok(Some(log)) = place.broker.log(&listed.info.name).await
        && let Ok(journals) = context.journals()
        && let Some(counts) = so_far(&journals, &log)
    {
        let unsure = (counts.unsure > 0).then_some(("may have been sent", counts.unsure));
        let told = [("handled", counts.handled), ("left at most", counts.left)].into_iter().chain(unsure);
        listed.info.details.extend(told.map(|(name, count)| (name.to_owned(), count.into())));
    }
    let output = &context.output;
    output.object(|| listed.json_with_details(), || page(&listed, context.now_at(&args.address), output.paint))?;
    Ok(0)
}
