//! `postroom capture`: copy a queue to an archive; the queue keeps everything.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value as Json;

use super::Exit;
use super::arguments::{address, archive};
use super::completions;
use super::context::Context;
use super::cost;
use super::groups::{file, look_earlier};
use super::output::groups as view;
use super::reporting::finish_with;
use super::selection::SelectionArgs;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::browse::BrowseRequest;
use crate::operation::capture::{self, CaptureRequest, Redact};
use crate::operation::groups::{By, Gather, total_change};
use crate::operation::masks::Masks;
use crate::operation::report::Ended;

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

    /// Compare with an archive captured before: what is new, gone and the same in each group
    #[arg(long, value_name = "file:F", value_parser = archive)]
    against: Option<PathBuf>,

    /// Mask what the profile's redact rules name: for other eyes; such an archive can't be replayed
    #[arg(long, conflicts_with = "against")]
    redacted: bool,

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
    let masks = Masks::of(&place, context.places.config());
    if args.redacted && masks.hide_nothing() {
        let what = format!("nothing of {} would be masked: its profile has no redact rules", args.address);
        return Err(Error::new(ErrorKind::Usage, what)
            .hint("add redact = [\"body.PATH\", \"header.NAME\"] to the profile, or leave out --redacted"));
    }
    cost::say(&place, args.limit.is_none(), args.rescue, &context.output).await?;
    let look = BrowseRequest { selection, limit: args.limit, rescue: args.rescue, ..BrowseRequest::all(place) };
    let request = CaptureRequest { look, to: args.to.clone() };
    let report = if args.redacted {
        let redact = Redact { masks, rules: Arc::clone(context.rules()) };
        capture::run_redacted(request, redact, &context.control()).await?
    } else {
        capture::run(request, &context.control()).await?
    };
    let changed = match &args.against {
        Some(earlier) if report.state == Ended::Finished => Some(changed(earlier, args, context).await?),
        _ => None,
    };
    finish_with(&report, changed, context)
}

/// What the new archive says beside the one from before: both are read, the queue is not.
async fn changed(earlier: &Path, args: &Args, context: &Context<'_>) -> Result<(&'static str, Json, Vec<String>)> {
    let mut gather = Gather::new(By::Failure, Arc::clone(context.rules()));
    let selection = args.selection.selection(context, &args.address)?;
    look_earlier(&file(earlier), selection, &mut gather, context).await?;
    let place = context.places.open(&file(&args.to)).await?;
    let info = place.broker.inspect(&args.to.display().to_string()).await?;
    let masks = Masks::of(&place, context.places.config());
    gather.look(BrowseRequest::all(place), &info, masks, &context.control()).await?;
    let groups = gather.finish();
    let total = total_change(&groups).unwrap_or_default();
    let mut json = total.to_json();
    json["against"] = file(earlier).to_string().into();
    json["groups"] = groups
        .iter()
        .map(|group| {
            let mut line = group.change.unwrap_or_default().to_json();
            line["id"] = group.name.as_str().into();
            line["title"] = group.title.as_str().into();
            line
        })
        .collect();
    let output = &context.output;
    let mut lines = view::table(&groups, context.now_at(&args.address), output.width, output.paint);
    lines.push(view::changed(total, earlier));
    Ok(("change", json, lines))
}
