//! `postroom groups`: which messages died of the same cause.

use std::ops::ControlFlow;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::cost;
use super::output::groups as view;
use super::output::{Output, human};
use super::selection::SelectionArgs;
use crate::broker::{Address, Delivery, End, QueueInfo};
use crate::config::{RedactRule, Redaction};
use crate::error::{ErrorKind, Result};
use crate::message::failure::{Origin, detect};
use crate::message::fingerprint::{Rules, fingerprint};
use crate::message::jsonl::write_line;
use crate::operation::browse::{BrowseRequest, FnSink, Summary, run as browse};
use crate::operation::glance::origin_target;
use crate::operation::groups::{By, GroupSummary, Groups};
use crate::operation::select::Selection;

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
    let mut found = Found::new(By::parse(&args.by)?, context);
    let mut interrupted = false;
    for address in &args.addresses {
        let selection = args.selection.selection(context, address)?;
        let place = context.places.open(address).await?;
        let info = cost::say(&place, args.limit.is_none(), args.rescue, output).await?;
        let request =
            BrowseRequest { selection, limit: args.limit, rescue: args.rescue, ..BrowseRequest::all(place.clone()) };
        let summary = found.look(request, &info, context).await?;
        for note in &summary.notes {
            output.warn(note);
        }
        match summary.end {
            End::Cancelled => {
                interrupted = true;
                break;
            }
            End::Stopped(why) => output.warn(&format!("the look at {address} stopped early: {why}")),
            End::Exhausted | End::Limit => {}
        }
    }
    let now = args.addresses.first().map_or_else(|| context.now(), |address| context.now_at(address));
    found.write(now, output)?;
    if interrupted {
        output.note("Interrupted: these are the messages seen until then; all were given back.");
        return Ok(ErrorKind::Interrupted.exit());
    }
    Ok(0)
}

/// The groups of some queues, looked at without a word.
pub(super) async fn look(
    addresses: &[Address],
    selection: &Selection,
    context: &Context<'_>,
) -> Result<Vec<GroupSummary>> {
    let mut found = Found::new(By::Failure, context);
    for address in addresses {
        let place = context.places.open(address).await?;
        let info = place.broker.inspect(address.need_target()?.queue_name().unwrap_or_default()).await?;
        let request = BrowseRequest { selection: selection.clone(), ..BrowseRequest::all(place) };
        found.look(request, &info, context).await?;
    }
    Ok(found.finish())
}

/// The groups so far, and what is hidden where they come from.
struct Found {
    groups: Groups,
    rules: Arc<Rules>,
    hidden: Vec<RedactRule>,
}

impl Found {
    fn new(by: By, context: &Context<'_>) -> Self {
        let rules = Arc::clone(context.rules());
        Self { groups: Groups::new(by, Arc::clone(&rules)), rules, hidden: Vec::new() }
    }

    async fn look(&mut self, request: BrowseRequest, info: &QueueInfo, context: &Context<'_>) -> Result<Summary> {
        let address: Arc<str> = request.source.address.to_string().into();
        self.hidden.extend_from_slice(request.source.policy.redaction.rules());
        let expiry = info.expiry.and_then(|expiry| SignedDuration::try_from(expiry).ok());
        let groups = &mut self.groups;
        let mut sink = FnSink(|deliveries: Vec<Delivery>| {
            for Delivery { mut message, .. } in deliveries {
                message.address = Arc::clone(&address);
                let expires = message.time.zip(expiry).and_then(|(time, expiry)| time.checked_add(expiry).ok());
                groups.add_known(&message, detect(&message).as_ref(), expires);
            }
            Ok(ControlFlow::Continue(()))
        });
        browse(request, &context.control(), &mut sink).await
    }

    /// The groups, with what a profile hides hidden: samples and titles end up in tickets and chats.
    fn finish(self) -> Vec<GroupSummary> {
        let redaction = Redaction::new(self.hidden);
        let mut groups = self.groups.finish();
        if !redaction.rules().is_empty() {
            for group in &mut groups {
                group.sample = redaction.for_screen(&group.sample);
                group.failure = detect(&group.sample);
                group.title = fingerprint(&group.sample, group.failure.as_ref(), &self.rules).title;
                group.varying.clear();
                group.key.clear();
            }
        }
        groups
    }

    fn write(self, now: Timestamp, output: &Output) -> Result<()> {
        let total = self.groups.total();
        let groups = self.finish();
        output.list(|| groups.iter().map(json).collect(), || view::table(&groups, now, output.width, output.paint))?;
        if total == 0 {
            output.note("No message matches.");
        } else {
            output.note(&format!("{} in {}.", human::messages(total), human::plural(groups.len() as u64, "group")));
        }
        Ok(())
    }
}

/// `postroom.group/1`.
fn json(group: &GroupSummary) -> Json {
    let mut line = Vec::new();
    let origin = |read_from: &str, origin: &Origin| {
        let broker = read_from.parse::<Address>();
        broker.map_or_else(|_| String::new(), |address| address.at(origin_target(origin)).to_string())
    };
    write_line(&group.sample, None, &mut line);
    group.to_json(origin, &serde_json::from_slice(&line).unwrap_or_default())
}
