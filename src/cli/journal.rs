//! `postroom journal`: what runs did, and finishing one that was cut short.

use clap::Subcommand;

use super::Exit;
use super::consent::{self, Changed};
use super::context::Context;
use super::output::{Format, Shape, journal as view};
use super::reporting::finish;
use crate::error::Result;
use crate::operation::journal::Journals;
use crate::operation::resume;

/// List runs, show what became of each message, and finish a run that was cut short
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the runs, the newest first
    List,
    /// Show one run; with -o jsonl what became of each message, too
    Show {
        /// The journal's id
        id: String,
    },
    /// Finish a run that was killed, failed or stopped
    Resume {
        /// The journal's id [default: the newest unfinished one]
        id: Option<String>,

        /// Put messages that a return would destroy back as new copies at the tail, instead of stopping at them
        #[arg(long)]
        rescue: bool,
    },
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let journals = context.journals()?;
    match &args.action {
        Action::List => list(&journals, context),
        Action::Show { id } => show(id, &journals, context),
        Action::Resume { id, rescue } => resume_one(id.as_deref(), *rescue, &journals, context).await,
    }
}

fn list(journals: &Journals, context: &Context<'_>) -> Exit {
    let (summaries, faults) = journals.list()?;
    for fault in &faults {
        context.output.warn(&fault.to_string());
    }
    let output = &context.output;
    output.list(
        || summaries.iter().map(|summary| serde_json::to_value(summary).unwrap_or_default()).collect(),
        || view::table(&summaries, context.now(), output.width, output.paint),
    )?;
    if summaries.is_empty() {
        output.note(&format!("There is no journal in {}.", journals.folder().display()));
    }
    Ok(0)
}

fn show(id: &str, journals: &Journals, context: &Context<'_>) -> Exit {
    let shown = journals.show(id)?;
    let output = &context.output;
    output.object(
        || serde_json::to_value(&shown.summary).unwrap_or_default(),
        || view::page(&shown, context.now(), output.paint),
    )?;
    if output.format(Shape::Object) == Format::Jsonl {
        shown
            .outcomes
            .iter()
            .try_for_each(|line| output.json_line(&serde_json::to_string(line).unwrap_or_default()))?;
    }
    Ok(0)
}

async fn resume_one(id: Option<&str>, rescue: bool, journals: &Journals, context: &Context<'_>) -> Exit {
    let id: Result<String> = id.map_or_else(|| journals.newest_unfinished(), |id| Ok(id.to_owned()));
    let prepared = resume::prepare(&id?, journals, &context.places).await?.rescue(rescue);
    let changed: Vec<Changed> = prepared.changed().into_iter().map(Changed::from).collect();
    let output = &context.output;
    let summary = &prepared.summary;
    if context.global.dry_run {
        output.object(
            || serde_json::to_value(summary).unwrap_or_default(),
            || view::summary(summary, context.now(), output.paint),
        )?;
        return Ok(0);
    }
    consent::check(&changed, context)?;
    if output.talks() {
        output.say(&view::summary(summary, context.now(), output.talk_paint).join("\n"));
    }
    consent::confirm(&changed, "Finish it?", context).await?;
    let report = resume::run(prepared, journals, &context.control()).await?;
    finish(&report, context)
}
