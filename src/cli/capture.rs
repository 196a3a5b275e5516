//! `postroom capture`: copy a queue to an archive; the queue keeps everything.

use std::path::PathBuf;

use super::Exit;
use super::arguments::{address, archive};
use super::completions;
use super::context::Context;
use super::cost;
use super::reporting::finish;
use super::selection::SelectionArgs;
use crate::broker::Address;
use crate::operation::browse::BrowseRequest;
use crate::operation::capture::{self, CaptureRequest};

/// Copy messages to an archive; the queue keeps everything
///
/// The archive is a new JSON Lines file, compressed where its name ends in .zst; an existing file is refused. It browses,
/// filters and replays like a queue.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// The new archive, compressed where its name ends in .zst
    #[arg(long, value_name = "file:F", value_parser = archive)]
    to: PathBuf,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Copy at most N messages, the first that match
    #[arg(short = 'l', long, value_name = "N")]
    limit: Option<u64>,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing the look
    #[arg(long)]
    rescue: bool,
}

/// Runs the verb. Nothing is changed but a new file, so nothing is asked.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let selection = args.selection.selection(context, &args.address)?;
    let place = context.places.open(&args.address).await?;
    cost::say(&place, args.limit.is_none(), args.rescue, &context.output).await?;
    let look = BrowseRequest { selection, limit: args.limit, rescue: args.rescue, ..BrowseRequest::all(place) };
    let report = capture::run(CaptureRequest { look, to: args.to.clone() }, &context.control()).await?;
    finish(&report, context)
}
