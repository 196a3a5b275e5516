//! `postroom drain`: archive what a queue holds, then remove it there; or drop it without a copy.

use super::Exit;
use super::arguments::{address, archive};
use super::completions;
use super::consent::{self, Changed, Decision};
use super::context::Context;
use super::planning::PlanArgs;
use super::reporting::finish;
use super::selection::SelectionArgs;
use super::wholesale;
use crate::broker::Address;
use crate::error::{Error, ErrorKind};
use crate::operation::drain::{self, DrainRequest, DrainTo};
use crate::operation::plan::Pace;
use crate::operation::wholesale::WholesaleRequest;

/// Move messages into an archive: written, on disk, read back, and only then removed
///
/// The archive is a new JSON Lines file, compressed where its name ends in .zst; an existing file is refused.
/// `postroom replay file:F --to QUEUE` puts the messages back.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// The new archive, compressed where its name ends in .zst
    #[arg(long, value_name = "file:F", value_parser = archive, conflicts_with = "discard", required_unless_present = "discard")]
    to: Option<std::path::PathBuf>,

    /// Drop the messages without a copy
    #[arg(long)]
    discard: bool,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Drain at most N messages, the first that match
    #[arg(short = 'l', long, value_name = "N")]
    limit: Option<u64>,

    /// With --discard: let the broker drop all messages at once, those in flight and those that arrive meanwhile included
    #[arg(long, requires = "discard", conflicts_with_all = ["filter", "group", "limit", "rescue", "exact", "plan_out"])]
    server_side: bool,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing
    #[arg(long)]
    rescue: bool,

    #[command(flatten)]
    plan: PlanArgs,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let selection = args.selection.selection(context, &args.address)?;
    let to = match (&args.to, args.discard) {
        (Some(path), false) => DrainTo::Archive(path.clone()),
        (None, true) => DrainTo::Discard,
        _ => return Err(Error::new(ErrorKind::Usage, "write either --to file:F or --discard")),
    };
    let changed = [Changed::at(&args.address, &context.places)?];
    if !args.plan.is_only_saved() {
        consent::check(&changed, context)?;
    }
    let source = context.places.open(&args.address).await?;
    if args.server_side {
        let request = WholesaleRequest { source, to: None, pace: Pace::default() };
        return wholesale::run(request, &changed, "Let the broker drop them?", context).await;
    }
    let mode = args.plan.mode(&source, selection.is_all(), context);
    let request = DrainRequest { source, to, selection, limit: args.limit, rescue: args.rescue, mode };
    let control = context.control();
    let prepared = drain::plan(request, &control).await?;
    let question = if args.discard { "Drop them without a copy?" } else { "Drain them?" };
    if args.plan.save(&prepared.plan, context)?
        || consent::ask(&prepared.plan, &changed, question, context).await? == Decision::Printed
    {
        return Ok(0);
    }
    let report = drain::run(prepared, &context.journals()?, &control).await?;
    finish(&report, context)
}
