//! `--filter` and `--group`: which messages a verb takes.

use clap::Args;

use super::context::Context;
use crate::broker::Address;
use crate::error::Result;
use crate::operation::select::Selection;

/// Options that select messages.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct SelectionArgs {
    /// Only messages that match; see `postroom help filter`
    #[arg(short, long, value_name = "EXPR")]
    filter: Option<String>,

    /// Only messages of this group, as `postroom groups` names it; give it again for more than one
    #[arg(short, long = "group", id = "group", value_name = "ID", value_delimiter = ',')]
    groups: Vec<String>,
}

impl SelectionArgs {
    /// Whether groups are asked for.
    pub(super) fn names_group(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The condition, with ages counted from the time at the address and groups by the operator's rules.
    ///
    /// # Errors
    /// `Usage` for a bad expression, with a caret under the spot, and for what can't be a group's name.
    pub(super) fn selection(&self, context: &Context<'_>, address: &Address) -> Result<Selection> {
        let now = context.now_at(address);
        let groups = self.names_group().then(|| self.groups.join(","));
        Selection::parse(self.filter.as_deref(), groups.as_deref(), now, context.rules())
    }
}
