//! `postroom plan run`: run a plan that was saved with `--plan-out`.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::Exit;
use super::consent::{self, Changed, Decision};
use super::context::Context;
use super::reporting::finish;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::consent::Ends;
use crate::operation::drain::is_to_queue;
use crate::operation::plan::{Plan, Verb};
use crate::operation::planned::{self, Agreed};

/// Run a plan that was saved with --plan-out
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Run it: the messages that it names and no others (--dry-run shows it)
    Run {
        /// The plan's file
        #[arg(value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,

        /// Also messages that were replayed before
        #[arg(long)]
        again: bool,

        /// Put messages that a return would destroy back as new copies at the tail, instead of refusing
        #[arg(long)]
        rescue: bool,

        /// Run it also where its pace lets some messages vanish before their turn
        #[arg(long)]
        let_expire: bool,
    },
}

/// Runs the verb.
pub(super) async fn run(args: &Args, context: &Context<'_>) -> Exit {
    let Action::Run { file, again, rescue, let_expire } = &args.action;
    let plan = read(file)?;
    let changed = match plan.verb {
        Verb::Drain if !is_to_queue(&plan.to) => vec![Changed::at(&plan.source.parse()?, &context.places)?],
        Verb::Replay | Verb::Drain => {
            let park = plan.aside.park.as_deref().map(str::parse).transpose()?;
            let ends = Ends::new(&plan.source.parse()?, &plan.to, plan.keep, &context.places)?;
            ends.also(park.as_ref(), &context.places)?.changed
        }
        _ => vec![Changed::at(&plan.source.parse()?, &context.places)?],
    };
    consent::check(&changed, context)?;
    let question = format!("Run this {}?", plan.verb.name());
    let agreed = Agreed { again: *again, rescue: *rescue, let_expire: *let_expire };
    let prepared = planned::open(plan, &context.places, agreed).await?;
    if consent::ask(prepared.plan(), &changed, &question, context).await? == Decision::Printed {
        return Ok(0);
    }
    let report = planned::run(prepared, &context.journals()?, &context.control()).await?;
    finish(&report, context)
}

fn read(file: &Path) -> Result<Plan> {
    let shown = file.display();
    let text = std::fs::read(file)
        .map_err(|error| Error::new(ErrorKind::Io, format!("can't read the plan {shown}")).because(error))?;
    Plan::from_json(&text).map_err(|error| {
        let named = Error::new(error.kind(), format!("{shown}: {}", error.message()));
        error.hint_text().into_iter().fold(named, Error::hint)
    })
}
