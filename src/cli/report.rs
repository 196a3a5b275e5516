//! `postroom report`: the incident report.

use std::sync::Arc;

use super::Exit;
use super::arguments::address;
use super::completions;
use super::context::Context;
use super::groups::Looks;
use super::output::{Format, Shape, no_csv};
use crate::broker::Address;
use crate::error::{Error, ErrorKind};
use crate::operation::groups::{By, Gather};
use crate::operation::incident::Incident;

/// Write the incident report: what broke, since when, how many, where, and what was done about it
///
/// Every message is looked at and given back; an archive is read without a broker. With -o md it is a page of Markdown
/// for a ticket, with -o json one postroom.incident/1 object. What the profile's redact rules hide is hidden in it, also
/// in archives of its messages. What was done is told by this user's journals: runs on the same queues, from a day
/// before the first death on.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Queues and archives: all are one incident
    #[arg(value_parser = address, required = true, add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
    addresses: Vec<Address>,

    #[command(flatten)]
    looks: Looks,
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let output = &context.output;
    let format = output.format(Shape::Object);
    if format == Format::Raw {
        return Err(
            Error::new(ErrorKind::Usage, "-o raw writes payloads, and a report is none").hint("use -o md or -o json")
        );
    }
    if format == Format::Csv {
        return Err(no_csv());
    }
    let mut gather = Gather::new(By::Failure, Arc::clone(context.rules()));
    let looked = args.looks.all(&args.addresses, &mut gather, context).await?;
    let now = args.addresses.first().map_or_else(|| context.now(), |address| context.now_at(address));
    let mut incident = Incident::new(&args.addresses, gather, looked.notes, now);
    incident.acted(&context.journals()?)?;
    match format {
        Format::Json => output.json_line(&format!("{:#}", incident.to_json()))?,
        Format::Jsonl => output.json_line(&incident.to_json().to_string())?,
        // On a terminal Markdown is text that reads well.
        Format::Table | Format::Md | Format::Raw | Format::Csv => {
            incident.to_markdown().trim_end().lines().try_for_each(|line| output.line(line))?;
        }
    }
    if looked.interrupted {
        output.note("Interrupted: these are the messages seen until then; all were given back.");
        return Ok(ErrorKind::Interrupted.exit());
    }
    Ok(0)
}
