//! `postroom consumers`: who reads a topic, and how far behind.

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::output::consumers::{groups_table, places_table};
use crate::broker::Address;
use crate::operation::offsets::{self, json};

/// List the consumer groups of a topic: state, members, lag
///
/// With --group one group, partition by partition. Nothing is joined and nothing is committed.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The topic
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// Only this group, with its place in each partition
    #[arg(short, long, value_name = "GROUP",
        add = clap_complete::engine::ArgValueCompleter::new(completions::consumer_groups))]
    group: Option<String>,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let place = context.places.open(&args.address).await?;
    let found = offsets::groups(&place).await?;
    let groups = match &args.group {
        Some(wanted) => vec![offsets::find(&place, &found, wanted)?],
        None => found.groups,
    };
    let (output, address) = (&context.output, args.address.to_string());
    output.list(
        || groups.iter().map(|group| json(&address, group)).collect(),
        || match groups.as_slice() {
            [group] if args.group.is_some() => places_table(group, output.width, output.paint),
            _ => groups_table(&groups, output.width, output.paint),
        },
    )?;
    for note in &found.notes {
        output.note(note);
    }
    if groups.is_empty() {
        output.note(&format!("No consumer group that this user may see has a place in {address}."));
    }
    Ok(0)
}
