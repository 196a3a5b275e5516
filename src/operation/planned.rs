//! A saved plan: opened again and run, whatever its verb.

use super::control::Control;
use super::drain::{self, DrainRequest, DrainTo};
use super::expiry;
use super::journal::Journals;
use super::plan::{Mode, Plan, Verb};
use super::replay::{self, ReplayRequest, ReplayTo};
use super::report::Report;
use super::resume::Opener;
use super::select::Selection;
use crate::error::{Error, ErrorKind, Result};

/// A saved plan whose places are open and whose targets are verified.
pub enum Prepared {
    /// A replay, or a drain to another queue.
    Replay(Box<replay::Prepared>),
    /// A drain to an archive, or to nowhere.
    Drain(Box<drain::Prepared>),
}

/// What the operator agrees to when a plan is run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreed {
    /// Messages that were replayed before are sent, too.
    pub again: bool,
    /// Messages which a return would destroy are put back as new copies.
    pub rescue: bool,
    /// Messages that vanish before their turn may.
    pub let_expire: bool,
}

/// Opens what the plan names. Changes nothing.
///
/// # Errors
/// `Invalid` for a plan that does not name its messages; `Refused` for a failed check or a read-only profile; what the
/// brokers say.
pub async fn open(mut plan: Plan, opener: &dyn Opener, agreed: Agreed) -> Result<Prepared> {
    let Agreed { again, rescue, let_expire } = agreed;
    if let_expire {
        expiry::agree(&mut plan);
    }
    let source = opener.place(&plan.source.parse()?).await?;
    let selection = Selection::all();
    match plan.verb {
        Verb::Drain if !drain::is_to_queue(&plan.to) => {
            let to = DrainTo::parse(&plan.to)?;
            let request = DrainRequest { source, to, selection, limit: None, rescue, mode: Mode::Exact, undoes: None };
            Ok(Prepared::Drain(Box::new(drain::load(plan, request).await?)))
        }
        Verb::Replay | Verb::Drain => {
            let to = match plan.to.as_str() {
                "origin" => ReplayTo::Origin,
                address => ReplayTo::Place(Box::new(opener.place(&address.parse()?).await?)),
            };
            let park = match &plan.aside.park {
                None => None,
                Some(address) => Some(Box::new(opener.place(&address.parse()?).await?)),
            };
            let verb = plan.verb;
            // The plan's own edit, pace and limits are taken up with it.
            let rules = opener.rules(plan.rules.as_ref())?;
            let request = ReplayRequest { verb, again, park, rescue, rules, ..ReplayRequest::all(source, to) };
            Ok(Prepared::Replay(Box::new(replay::load(plan, request).await?)))
        }
        Verb::Publish | Verb::Capture | Verb::Undo => {
            Err(Error::new(ErrorKind::Invalid, format!("a plan of {} can't be run from a file", plan.verb.name()))
                .hint("plans of replay and drain can"))
        }
    }
}

impl Prepared {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        match self {
            Self::Replay(prepared) => &prepared.plan,
            Self::Drain(prepared) => &prepared.plan,
        }
    }
}

/// Runs it.
///
/// # Errors
/// As [`replay::run`] and [`drain::run`].
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Report> {
    match prepared {
        Prepared::Replay(prepared) => replay::run(*prepared, journals, control).await,
        Prepared::Drain(prepared) => drain::run(*prepared, journals, control).await,
    }
}
