//! `--filter` and `--group`: which messages a verb takes.

use clap::Args;

use crate::error::{Error, ErrorKind, Result};
use crate::message::failure::detect;
use crate::message::filter::{Candidate, Filter};
use crate::message::fingerprint::fingerprint;
use crate::operation::select::Selection;

/// Options that select messages.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SelectionArgs {
    /// Only messages that match; see `postroom help filter`
    #[arg(short, long, value_name = "EXPR")]
    filter: Option<String>,

    /// Only messages of this group, as `postroom groups` names it
    #[arg(short, long, value_name = "ID")]
    group: Option<String>,
}

impl SelectionArgs {
    /// The condition.
    ///
    /// # Errors
    /// `Usage` for a bad expression, with a caret under the spot, and for what can't be a group's name.
    pub(super) fn selection(&self, now: jiff::Timestamp) -> Result<Selection> {
        let mut selection = Selection::all();
        if let Some(text) = &self.filter {
            let filter = Filter::parse(text, now)?;
            let prefilter = filter.prefilter();
            selection =
                selection.filter(text, Some(prefilter), move |message| filter.matches(&Candidate::new(message)));
        }
        if let Some(id) = &self.group {
            let digits = id.strip_prefix("g-").unwrap_or(id);
            if digits.len() < 6 || !digits.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(Error::new(ErrorKind::Usage, format!("{id:?} is not the name of a group"))
                    .hint("`postroom groups ADDRESS` names them: g- and six hex digits or more"));
            }
            let name = id.to_lowercase();
            selection =
                selection.group(id, move |message| fingerprint(message, detect(message).as_ref()).id.is_named(&name));
        }
        Ok(selection)
    }
}
