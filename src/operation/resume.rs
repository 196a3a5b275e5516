//! Resume: finishes what a journal says was not finished, after a kill, an error or a Ctrl-C.

use std::sync::Arc;

use super::control::Control;
use super::drain;
use super::journal::{JournalState, Journals};
use super::place::{Place, Places};
use super::plan::Verb;
use super::replay::{self, ReplayTo};
use super::report::Report;
use super::select::Selection;
use super::source;
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::fingerprint::{Rules, WrittenRules};

/// Opens the addresses that a journal or a plan names; secrets come from the profiles again.
#[async_trait::async_trait]
pub trait Opener: Sync {
    /// The place of an address.
    ///
    /// # Errors
    /// As [`Places::open`].
    async fn place(&self, address: &Address) -> Result<Place>;

    /// The rules by which a journal's filter and group are read again: those that it wrote down, else the operator's.
    ///
    /// # Errors
    /// `Config` or `Usage` where what was written down can't be read.
    fn rules(&self, written: Option<&WrittenRules>) -> Result<Arc<Rules>> {
        written.map_or_else(|| Ok(Arc::default()), |written| written.read().map(Arc::new))
    }
}

#[async_trait::async_trait]
impl Opener for Places {
    async fn place(&self, address: &Address) -> Result<Place> {
        self.open(address).await
    }

    fn rules(&self, written: Option<&WrittenRules>) -> Result<Arc<Rules>> {
        self.config().rules_again(written)
    }
}

/// What a resume is going to do, for the question before it.
#[derive(Debug)]
pub struct Prepared {
    /// What the journal says so far.
    pub summary: super::journal::Summary,
    source: Place,
    to: Option<ReplayTo>,
    park: Option<Place>,
    rescue: bool,
    doubtful: bool,
    rules: Arc<Rules>,
}

impl Prepared {
    /// Puts messages that a return would destroy back as new copies, where the first run was not told to: kills bring
    /// messages to their delivery limit.
    #[must_use]
    pub fn rescue(self, rescue: bool) -> Self {
        Self { rescue, ..self }
    }

    /// Sends what may have been sent once more, where its copy is not in its target.
    #[must_use]
    pub fn doubtful(self, doubtful: bool) -> Self {
        Self { doubtful, ..self }
    }

    /// The places that the resume changes.
    #[must_use]
    pub fn changed(&self) -> Vec<&Place> {
        let to = match &self.to {
            Some(ReplayTo::Place(place)) => Some(place.as_ref()),
            _ => None,
        };
        std::iter::once(&self.source).chain(to).chain(&self.park).collect()
    }
}

/// Looks at a journal and opens its places. Changes nothing.
///
/// # Errors
/// `NotFound`; `Refused` for a journal that is finished or a profile that is read-only; what the brokers say.
pub async fn prepare(id: &str, journals: &Journals, opener: &dyn Opener) -> Result<Prepared> {
    prepare_for(id, false, journals, opener).await
}

/// The same for a journal of which only messages are left that may have been sent: [`Prepared::doubtful`].
///
/// # Errors
/// As [`prepare`]; `Refused` where nothing is in doubt.
pub async fn prepare_doubtful(id: &str, journals: &Journals, opener: &dyn Opener) -> Result<Prepared> {
    prepare_for(id, true, journals, opener).await
}

async fn prepare_for(id: &str, doubtful: bool, journals: &Journals, opener: &dyn Opener) -> Result<Prepared> {
    let summary = journals.summary(id)?;
    match summary.state {
        JournalState::Interrupted => {}
        JournalState::Finished if doubtful => {
            if summary.doubtful == 0 {
                let what = format!("the journal {} is finished, and nothing of it is in doubt", summary.id);
                return Err(Error::new(ErrorKind::Refused, what)
                    .hint("`postroom journal show` says what became of each message"));
            }
        }
        JournalState::Finished => {
            return Err(Error::new(ErrorKind::Refused, format!("the journal {} is finished", summary.id))
                .hint("`postroom journal show` says what became of each message"));
        }
        JournalState::Undone => {
            return Err(Error::new(ErrorKind::Refused, format!("the journal {} was undone", summary.id))
                .hint("`postroom journal show` says where each message is"));
        }
        JournalState::Running => {
            return Err(Error::new(ErrorKind::Locked, format!("the journal {} is being run", summary.id))
                .hint("wait until that run has ended, or stop it with Ctrl-C"));
        }
    }
    let head = journals.head(&summary.id)?;
    head.require_known()?;
    let source = opener.place(&summary.source.parse()?).await?;
    source.require_writable()?;
    let to = match summary.verb {
        Verb::Replay if summary.to == "origin" => Some(ReplayTo::Origin),
        Verb::Drain if !drain::is_to_queue(&summary.to) => None,
        Verb::Replay | Verb::Drain | Verb::Undo => {
            let place = opener.place(&summary.to.parse()?).await?;
            place.require_writable()?;
            Some(ReplayTo::Place(Box::new(place)))
        }
        Verb::Publish | Verb::Capture => {
            let verb = summary.verb.name();
            return Err(Error::new(ErrorKind::Unsupported, format!("a {verb} has nothing to resume")));
        }
    };
    let rules = opener.rules(summary.rules.as_ref())?;
    let park = match head.aside.park {
        None => None,
        Some(address) => Some(opener.place(&address.parse()?).await?),
    };
    Ok(Prepared { summary, source, to, park, rescue: false, doubtful, rules })
}

/// Finishes it.
///
/// # Errors
/// `Locked` where another run was faster; what the source, a target or the archive says before anything is done.
/// Everything later is in the report.
pub async fn run(prepared: Prepared, journals: &Journals, control: &Control) -> Result<Report> {
    let Prepared { summary, source, to, park, rescue, doubtful, rules } = prepared;
    let mut opened = journals.open(&summary.id)?;
    opened.head.rescue |= rescue;
    if !opened.head.keep {
        let more = source::wait_for_returned(&source, &opened.head, &opened.state, control).await?;
        // A log that was killed may begin at an earlier record again; which those are, their own ids tell.
        opened.state.doubt_removals(if opened.head.handles.is_some() { u64::MAX } else { more });
    }
    let head = &opened.head;
    // Ages in the filter are counted from the same time as before, so that the same messages match.
    let ages_from = head.ages_from.unwrap_or(head.started);
    let selection = Selection::parse(head.filter.as_deref(), head.group.as_deref(), ages_from, &rules)?;
    match to {
        Some(to) => {
            let how = (selection, rules, doubtful);
            replay::resume(opened, (source, to, park), how, journals, control).await
        }
        None => drain::resume(opened, &source, selection, journals, control).await,
    }
}
