//! `postroom groups`: which messages died of the same cause.

use std::sync::Arc;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::cost;
use super::output::groups as view;
use super::output::human;
use super::selection::SelectionArgs;
use crate::broker::{Address, End};
use crate::error::{ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::groups::{By, Gather, GroupSummary};
use crate::operation::masks::Masks;

/// Group dead messages by what killed them: count, share, first and last death, expiry, a sample
///
/// Every message is looked at and given back. The ids are the same on every machine; use them as --group.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Queues and archives; several are grouped together
    #[arg(value_parser = address, required = true, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    addresses: Vec<Address>,

    /// Group by: failure, class, origin, type, shape, or a field such as header.tenant or body.currency
    #[arg(long, value_name = "KEY", default_value = "failure")]
    by: String,

    #[command(flatten)]
    selection: SelectionArgs,

    /// Look at no more than N messages of each queue
    #[arg(short = 'l', long, value_name = "N")]
    limit: Option<u64>,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing the look
    #[arg(long)]
    rescue: bool,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let output = &context.output;
    let mut gather = Gather::new(By::parse(&args.by)?, Arc::clone(context.rules()));
    let looks = Looks { selection: &args.selection, limit: args.limit, rescue: args.rescue };
    let seen = looks.all(&args.addresses, &mut gather, context).await?;
    let now = args.addresses.first().map_or_else(|| context.now(), |address| context.now_at(address));
    let total = gather.total();
    let groups = gather.finish();
    output.list(
        || groups.iter().map(GroupSummary::to_json).collect(),
        || view::table(&groups, now, output.width, output.paint),
    )?;
    if total == 0 {
        output.note("No message matches.");
    } else {
        output.note(&format!("{} in {}.", human::messages(total), human::plural(groups.len() as u64, "group")));
    }
    if seen.interrupted {
        output.note("Interrupted: these are the messages seen until then; all were given back.");
        return Ok(ErrorKind::Interrupted.exit());
    }
    Ok(0)
}

/// How several queues are looked at for their groups.
pub(super) struct Looks<'a> {
    pub(super) selection: &'a SelectionArgs,
    pub(super) limit: Option<u64>,
    pub(super) rescue: bool,
}

/// How the looks went.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) interrupted: bool,
    /// Why there may be more than was seen.
    pub(super) notes: Vec<String>,
}

impl Looks<'_> {
    /// Looks at each queue, saying before what it costs. A look that a Ctrl-C ends is the last.
    pub(super) async fn all(
        &self,
        addresses: &[Address],
        gather: &mut Gather,
        context: &Context<'_>,
    ) -> Result<Looked> {
        let output = &context.output;
        let mut looked = Looked::default();
        for address in addresses {
            let selection = self.selection.selection(context, address)?;
            let place = context.places.open(address).await?;
            let info = cost::say(&place, self.limit.is_none(), self.rescue, output).await?;
            let masks = Masks::of(&place, context.places.config());
            let request =
                BrowseRequest { selection, limit: self.limit, rescue: self.rescue, ..BrowseRequest::all(place) };
            let summary = gather.look(request, &info, masks, &context.control()).await?;
            for note in summary.notes {
                output.warn(&note);
                looked.notes.push(format!("{address}: {note}"));
            }
            match summary.end {
                End::Cancelled => {
                    looked.interrupted = true;
                    looked.notes.push(format!("the look at {address} was interrupted"));
                    break;
                }
                End::Stopped(why) => {
                    let note = format!("the look at {address} stopped early: {why}");
                    output.warn(&note);
                    looked.notes.push(note);
                }
                End::Limit if self.limit.is_some() => {
                    looked.notes.push(format!("the look at {address} ended at its limit"));
                }
                End::Exhausted | End::Limit => {}
            }
        }
        Ok(looked)
    }
}

/// The groups of some queues, looked at without a word.
pub(super) async fn look(addresses: &[Address], context: &Context<'_>) -> Result<Vec<GroupSummary>> {
    let mut gather = Gather::new(By::Failure, Arc::clone(context.rules()));
    for address in addresses {
        let place = context.places.open(address).await?;
        let info = place.broker.inspect(address.need_target()?.queue_name().unwrap_or_default()).await?;
        let masks = Masks::of(&place, context.places.config());
        gather.look(BrowseRequest::all(place), &info, masks, &context.control()).await?;
    }
    Ok(gather.finish())
}
