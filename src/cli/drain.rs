//! `postroom drain`: move what a queue holds into an archive or another queue; or drop it without a copy.

use std::path::PathBuf;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::consent::{self, Changed, Decision};
use super::context::Context;
use super::planning::PlanArgs;
use super::reporting::finish;
use super::selection::SelectionArgs;
use super::wholesale;
use crate::broker::{Address, Connection, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::consent::Ends;
use crate::operation::drain::{self, DrainRequest, DrainTo};
use crate::operation::plan::{Pace, Verb};
use crate::operation::replay::{self, ReplayRequest, ReplayTo};
use crate::operation::select::Selection;
use crate::operation::wholesale::WholesaleRequest;

/// Move messages into an archive or another queue: copied, confirmed, and only then removed
///
/// An archive is a new JSON Lines file, compressed where its name ends in .zst; an existing file is refused.
/// `postroom replay file:F --to QUEUE` puts the messages back. To another queue, also of another broker, messages go as
/// they are, with the id of the move in a header; --limit N moves the head of a queue aside, and --filter with --reason
/// one poison message.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The queue
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// The new archive, compressed where its name ends in .zst, or another queue
    #[arg(long, value_name = "file:F|ADDRESS", value_parser = address, conflicts_with = "discard", required_unless_present = "discard",
        add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    to: Option<Address>,

    /// Why the messages are moved to another queue, written into the header postroom-reason of each
    #[arg(long, value_name = "TEXT", conflicts_with = "discard")]
    reason: Option<String>,

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
        (Some(to), false) if to.connection == Connection::File => DrainTo::Archive(archive(to, args.reason.as_ref())?),
        (Some(to), false) => return Box::pin(to_queue(args, to, selection, context)).await,
        (None, true) => DrainTo::Discard,
        _ => return Err(Error::new(ErrorKind::Usage, "write either --to file:F, --to QUEUE or --discard")),
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
    let request = DrainRequest { source, to, selection, limit: args.limit, rescue: args.rescue, mode, undoes: None };
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

/// Moves to another queue: a replay that changes nothing.
async fn to_queue(args: &Args, to: &Address, selection: Selection, context: &Context<'_>) -> Exit {
    let ends = Ends::new(&args.address, &to.to_string(), false, &context.places)?;
    if !args.plan.is_only_saved() {
        consent::check(&ends.changed, context)?;
    }
    let source = context.places.open(&args.address).await?;
    let target = context.places.open(to).await?;
    let request = ReplayRequest {
        verb: Verb::Drain,
        mode: args.plan.mode(&source, selection.is_all(), context),
        selection,
        limit: args.limit,
        reason: args.reason.clone(),
        rescue: args.rescue,
        ..ReplayRequest::all(source, ReplayTo::Place(Box::new(target)))
    };
    let control = context.control();
    let prepared = replay::plan(request, &control).await?;
    if args.plan.save(&prepared.plan, context)?
        || consent::ask(&prepared.plan, &ends.changed, "Move them?", context).await? == Decision::Printed
    {
        return Ok(0);
    }
    let report = replay::run(prepared, &context.journals()?, &control).await?;
    finish(&report, context)
}

/// The path of an archive, for which no reason can be given: its messages stay as they are.
fn archive(to: &Address, reason: Option<&String>) -> Result<PathBuf> {
    if reason.is_some() {
        return Err(Error::new(
            ErrorKind::Usage,
            "an archive keeps messages as they are, so --reason has no place in it",
        )
        .hint("leave out --reason, or name another queue"));
    }
    let path = to.target.as_ref().and_then(Target::queue_name).filter(|path| *path != "-");
    path.map(PathBuf::from).ok_or_else(|| Error::new(ErrorKind::Usage, format!("{to} is no file to drain to")))
}
