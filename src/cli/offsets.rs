//! `postroom offsets reset`: moves a consumer group's place in a topic.

use clap::Subcommand;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::consent::{self, Changed};
use super::context::Context;
use super::output::consumers::moves_table;
use crate::broker::Address;
use crate::error::{Error, ErrorKind};
use crate::operation::offsets::{self, To, reset_json};

/// Move the place of a consumer group
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set where a consumer group goes on reading; only while it has no members
    ///
    /// --to first is the oldest record, last the newest of each partition, end behind it; a time is the first record of
    /// that time or later; +N and -N count from where the group is. --after P:OFFSET is the record behind a poison
    /// message, named as browse shows it, and moves its partition only.
    Reset(Reset),
}

#[derive(Debug, clap::Args)]
struct Reset {
    /// The topic
    #[arg(value_parser = address, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    address: Address,

    /// The consumer group
    #[arg(short, long, value_name = "GROUP",
        add = clap_complete::engine::ArgValueCompleter::new(completions::consumer_groups))]
    group: String,

    /// first, last, end, an offset, a time, +N or -N
    #[arg(long, value_name = "WHERE", allow_hyphen_values = true, required_unless_present = "after")]
    to: Option<String>,

    /// Behind this message: PARTITION:OFFSET
    #[arg(long, value_name = "P:OFFSET", conflicts_with_all = ["to", "partition"])]
    after: Option<String>,

    /// Only this partition
    #[arg(long, value_name = "P")]
    partition: Option<i32>,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let Action::Reset(args) = &args.action;
    let to = match (&args.to, &args.after) {
        (Some(text), _) => To::parse(text, context.now())?,
        (None, Some(text)) => To::after(text)?,
        (None, None) => return Err(Error::new(ErrorKind::Usage, "write --to WHERE or --after P:OFFSET")),
    };
    let changed = [Changed::at(&args.address, &context.places)?];
    consent::check(&changed, context)?;
    let source = context.places.open(&args.address).await?;
    let reset = offsets::plan(source, &args.group, to, args.partition).await?;
    let output = &context.output;
    if reset.moves.is_empty() {
        output.note(&format!("The group {} is there already.", args.group));
    }
    if context.global.dry_run || reset.moves.is_empty() {
        output.object(|| reset_json(&reset, false), || moves_table(&reset, output.width, output.paint))?;
        return Ok(0);
    }
    if output.talks() {
        output.say(&moves_table(&reset, output.width, output.talk_paint).join("\n"));
    }
    consent::confirm(&changed, &format!("Move the group {}?", args.group), context).await?;
    offsets::run(&reset).await?;
    output.object(|| reset_json(&reset, true), || vec![format!("Moved the group {}.", args.group)])?;
    Ok(0)
}
