//! What verbs that make plans share: their options and the file of a plan.

use std::path::PathBuf;

use clap::Args;

use super::context::Context;
use crate::error::Result;
use crate::operation::place::Place;
use crate::operation::plan::{Mode, Plan};

/// Options of verbs that make plans.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct PlanArgs {
    /// Save the plan, which names every message, and stop; `postroom plan run FILE` runs it
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    plan_out: Option<PathBuf>,

    /// Look at the whole queue first and name every message in the plan, also with --yes
    #[arg(long)]
    exact: bool,
}

impl PlanArgs {
    /// Whether nothing is run.
    pub(super) fn is_only_saved(&self) -> bool {
        self.plan_out.is_some()
    }

    /// How the plan fixes its messages: whoever reads it first gets every message named, as far as that is worth a look;
    /// a script goes through the messages that are there in one pass. `whole` where all messages of `source` are meant.
    pub(super) fn mode(&self, source: &Place, whole: bool, context: &Context<'_>) -> Mode {
        let is_read = context.global.yes.is_none() || context.global.dry_run;
        match (self.exact || self.is_only_saved(), is_read) {
            (true, _) => Mode::Exact,
            (false, true) => Mode::to_read(&source.broker.capability(), whole),
            (false, false) => Mode::Streaming,
        }
    }

    /// Saves the plan where that was asked for, and says so; whether it was. An existing file is not touched.
    ///
    /// # Errors
    /// `Refused` for a file that is there, `Io` for one that can't be written.
    pub(super) fn save(&self, plan: &Plan, context: &Context<'_>) -> Result<bool> {
        let Some(path) = &self.plan_out else { return Ok(false) };
        plan.save(path)?;
        let output = &context.output;
        output.note(&format!("Wrote {}; run it: postroom plan run {}", path.display(), path.display()));
        output.object(
            || serde_json::to_value(plan).unwrap_or_default(),
            || super::output::plan::sheet(plan, output.width, output.paint),
        )?;
        Ok(true)
    }
}
