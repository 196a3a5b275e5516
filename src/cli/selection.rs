//! `--filter` and `--group`: which messages a verb takes.

use clap::Args;

use crate::error::Result;
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
        Selection::parse(self.filter.as_deref(), self.group.as_deref(), now)
    }
}
