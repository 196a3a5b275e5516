//! `postroom journal`: what runs did, finishing one that was cut short, and taking one back.

use clap::Subcommand;

use super::Exit;
use super::arguments::{address, duration};
use super::completions;
use super::consent::{self, Changed};
use super::context::Context;
use super::output::{Format, Shape, human, journal as view, plan::sheet};
use super::reporting::finish;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::journal::Journals;
use crate::operation::plan::Mode;
use crate::operation::{resume, undo};

/// List runs, show what became of each message, finish a run that was cut short, and take one back
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

        /// Also send again what may have been sent, also of a finished run: where its copy is not in its target
        ///
        /// Targets are looked at for the replay ids of these messages first, as far as a look harms nobody. A copy that is
        /// there is noted as confirmed; the others are sent once more, with the same replay id, and are reported as
        /// messages that may be there twice. Without it they stay what they were.
        #[arg(long)]
        doubtful: bool,
    },
    /// Put back what a replay or a drain moved, as far as it is still there
    ///
    /// Copies of that run are known by their header postroom-replay-id, and go back as their originals were; each is removed
    /// only after the source has confirmed it. What was drained to an archive is put back from it, and the archive stays.
    /// What a consumer has taken is told and can't be called back.
    Undo {
        /// The journal's id
        id: String,

        /// Look for copies in this queue, too (an exchange does not tell where it leads to)
        #[arg(long = "in", value_name = "ADDRESS", value_parser = address,
            add = clap_complete::engine::ArgValueCompleter::new(completions::addresses))]
        also: Vec<Address>,
    },
    /// Remove the journals of old runs, and the originals in them
    Prune {
        /// Those that ended longer ago than this
        #[arg(long, value_name = "TIME", default_value = "30d", value_parser = duration)]
        older_than: f64,

        /// Also runs that were cut short and could be resumed
        #[arg(long)]
        all: bool,
    },
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let journals = context.journals()?;
    match &args.action {
        Action::List => list(&journals, context),
        Action::Show { id } => show(id, &journals, context),
        Action::Resume { id, rescue, doubtful } => {
            Box::pin(resume_one(id.as_deref(), *rescue, *doubtful, &journals, context)).await
        }
        Action::Undo { id, also } => Box::pin(take_back(id, also, &journals, context)).await,
        Action::Prune { older_than, all } => prune(*older_than, *all, &journals, context).await,
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

async fn resume_one(
    id: Option<&str>,
    rescue: bool,
    doubtful: bool,
    journals: &Journals,
    context: &Context<'_>,
) -> Exit {
    let id: Result<String> = id.map_or_else(|| journals.newest_unfinished(), |id| Ok(id.to_owned()));
    let prepared = if doubtful {
        resume::prepare_doubtful(&id?, journals, &context.places).await?
    } else {
        resume::prepare(&id?, journals, &context.places).await?
    };
    let prepared = prepared.rescue(rescue);
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

async fn take_back(id: &str, also: &[Address], journals: &Journals, context: &Context<'_>) -> Exit {
    // Whoever can't agree to it need not wait for the looks.
    consent::check(&[], context)?;
    let (output, control) = (&context.output, context.control());
    // Always by name: what can't be put back is told, and an undo of nothing leaves no journal.
    let prepared = undo::plan(id, also, Mode::Exact, journals, &context.places, &control).await?;
    prepared.notes.iter().for_each(|note| output.warn(note));
    if prepared.plans().next().is_none() {
        let what = format!("nothing of {} can be put back", prepared.summary.id);
        return Err(Error::new(ErrorKind::NotFound, what)
            .hint(format!("`postroom journal show {}` says where its messages went", prepared.summary.id)));
    }
    if context.global.dry_run {
        for plan in prepared.plans() {
            let json = || serde_json::to_value(plan).unwrap_or_default();
            output.object(json, || sheet(plan, output.width, output.paint))?;
        }
        return Ok(0);
    }
    let changed: Vec<Changed> = prepared.changed().into_iter().map(Changed::from).collect();
    consent::check(&changed, context)?;
    for plan in prepared.plans() {
        plan.require_checks()?;
        if output.talks() {
            output.say(&sheet(plan, output.width, output.talk_paint).join("\n"));
        }
    }
    consent::confirm(&changed, "Put them back?", context).await?;
    let mut exit = 0;
    for report in Box::pin(undo::run(prepared, journals, &control)).await? {
        exit = exit.max(finish(&report, context)?);
    }
    Ok(exit)
}

async fn prune(older_than: f64, all: bool, journals: &Journals, context: &Context<'_>) -> Exit {
    let output = &context.output;
    let age = jiff::SignedDuration::try_from_secs_f64(older_than)
        .map_err(|error| Error::new(ErrorKind::Usage, "the time is too long").because(error))?;
    let before = context.now().checked_sub(age).unwrap_or(jiff::Timestamp::MIN);
    let old = journals.prune(before, all, true)?;
    output.list(
        || old.iter().map(|summary| serde_json::to_value(summary).unwrap_or_default()).collect(),
        || view::table(&old, context.now(), output.width, output.paint),
    )?;
    // What is left of runs that were killed before they began is no loss to anybody.
    let remains = journals.clear(context.global.dry_run)?;
    if remains > 0 {
        let what = human::plural(remains, "folder");
        let done = if context.global.dry_run { "to remove" } else { "removed" };
        output.note(&format!("{what} of runs that were killed before they began {done}."));
    }
    if old.is_empty() || context.global.dry_run {
        output.note(&format!("{} to remove.", human::plural(old.len() as u64, "journal")));
        return Ok(0);
    }
    consent::confirm(
        &[],
        "Remove them? Their runs can't be undone afterwards, and what they did to topics is forgotten.",
        context,
    )
    .await?;
    let removed = journals.prune(before, all, false)?;
    output.note(&format!("Removed {}.", human::plural(removed.len() as u64, "journal")));
    Ok(0)
}
