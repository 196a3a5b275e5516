//! `postroom groups`: which messages died of the same cause.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Exit;
use super::arguments::{address, archive};
use super::completions;
use super::context::Context;
use super::cost;
use super::output::groups as view;
use super::output::human;
use super::selection::SelectionArgs;
use crate::broker::{Address, Connection, End, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::groups::{By, Gather, GroupSummary, total_change};
use crate::operation::masks::Masks;
use crate::operation::select::Selection;

/// Group dead messages by what killed them: count, share, first and last death, expiry, a sample
///
/// Every message is looked at and given back. The ids are the same on every machine; use them as --group. With --group
/// the table is followed by what is known of it: origins, rate, what differs, a sample.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Queues and archives; several are grouped together
    #[arg(value_parser = address, required = true, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    addresses: Vec<Address>,

    /// Group by: failure, class, origin, type, shape, or a field such as header.tenant or body.currency
    #[arg(long, value_name = "KEY", default_value = "failure")]
    by: String,

    #[command(flatten)]
    looks: Looks,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let output = &context.output;
    let mut gather = Gather::new(By::parse(&args.by)?, Arc::clone(context.rules()));
    let seen = args.looks.all(&args.addresses, &mut gather, context).await?;
    let now = args.addresses.first().map_or_else(|| context.now(), |address| context.now_at(address));
    let total = gather.total();
    let groups = gather.finish();
    output.list(
        || groups.iter().map(GroupSummary::to_json).collect(),
        || {
            let mut lines = view::table(&groups, now, output.width, output.paint);
            if args.looks.selection.names_group() {
                let schemas = context.rules().schemas();
                let detail = |group| view::detail(group, schemas, now, output.width, output.paint);
                lines.extend(groups.iter().flat_map(detail));
            }
            lines
        },
    )?;
    if total == 0 {
        output.note("No message matches.");
    } else {
        let met = groups.iter().filter(|group| group.count > 0).count() as u64;
        output.note(&format!("{} in {}.", human::messages(total), human::plural(met, "group")));
    }
    if let (Some(change), Some(path)) = (total_change(&groups), &args.looks.against) {
        output.note(&view::changed(change, path));
    }
    if seen.interrupted {
        output.note("Interrupted: these are the messages seen until then; all were given back.");
        return Ok(ErrorKind::Interrupted.exit());
    }
    Ok(0)
}

/// How several queues are looked at for their groups.
#[derive(Debug, clap::Args)]
pub(super) struct Looks {
    #[command(flatten)]
    selection: SelectionArgs,

    /// Compare with an archive captured before: what is new, gone and the same in each group
    #[arg(long, value_name = "file:F", value_parser = archive)]
    against: Option<PathBuf>,

    /// Look at no more than N messages of each queue
    #[arg(short = 'l', long, value_name = "N")]
    limit: Option<u64>,

    /// Put messages that a return would destroy back as new copies at the tail, instead of refusing the look
    #[arg(long)]
    rescue: bool,
}

/// How the looks went.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) interrupted: bool,
    /// Why there may be more than was seen.
    pub(super) notes: Vec<String>,
}

impl Looks {
    /// Looks at each queue, saying before what it costs. A look that a Ctrl-C ends is the last.
    pub(super) async fn all(
        &self,
        addresses: &[Address],
        gather: &mut Gather,
        context: &Context<'_>,
    ) -> Result<Looked> {
        let output = &context.output;
        let mut looked = Looked::default();
        if let Some(path) = &self.against {
            let address = file(path);
            let selection = self.selection.selection(context, &address)?;
            look_earlier(&address, selection, gather, context).await?;
        }
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

/// Looks at an archive to compare with. It is no comparison unless it is read to its end.
pub(super) async fn look_earlier(
    address: &Address,
    selection: Selection,
    gather: &mut Gather,
    context: &Context<'_>,
) -> Result<()> {
    let place = context.places.open(address).await?;
    let masks = Masks::of(&place, context.places.config());
    let request = BrowseRequest { selection, ..BrowseRequest::all(place) };
    match gather.look_earlier(request, masks, &context.control()).await?.end {
        End::Exhausted | End::Limit => Ok(()),
        End::Cancelled => Err(Error::new(ErrorKind::Interrupted, format!("the look at {address} was interrupted"))),
        End::Stopped(why) => Err(Error::new(ErrorKind::Refused, format!("{address} can't be compared with: {why}"))),
    }
}

/// An archive's address.
pub(super) fn file(path: &Path) -> Address {
    Address { connection: Connection::File, target: Some(Target::queue(path.display().to_string())) }
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
