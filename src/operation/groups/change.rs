//! What became of messages since an earlier look: which are new, which are gone, which are the same.
//!
//! Two messages are the same where their content and their id are; of equal ones as many are the same as were there
//! before. Limits: it keeps some 30 bytes for each message of the earlier look. A message that was replayed and died
//! again has another death history: it is gone and new.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::message::fingerprint::GroupId;
use crate::operation::journal::record::Identity;

/// How many messages of a group are new, gone and the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// Not there before.
    pub new: u64,
    /// There before, and not now.
    pub gone: u64,
    /// There before and now.
    pub same: u64,
}

impl Change {
    /// `{new, gone, same}`.
    #[must_use]
    pub fn to_json(self) -> Value {
        json!({"new": self.new, "gone": self.gone, "same": self.same})
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { new: self.new + other.new, gone: self.gone + other.gone, same: self.same + other.same }
    }
}

/// The messages of an earlier look that were not met again so far.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    /// How many there are of each, and the number of their group.
    messages: HashMap<Identity, (u32, u32)>,
    groups: Vec<GroupId>,
    numbers: HashMap<GroupId, u32>,
    changes: HashMap<GroupId, Change>,
}

impl Earlier {
    /// Notes messages of the earlier look.
    pub(super) fn remember(&mut self, seen: &[(Identity, GroupId)]) {
        for (identity, group) in seen {
            let number = *self.numbers.entry(*group).or_insert_with(|| {
                self.groups.push(*group);
                u32::try_from(self.groups.len() - 1).unwrap_or(u32::MAX)
            });
            self.messages.entry(*identity).or_insert((0, number)).0 += 1;
        }
    }

    /// Meets messages of the look of now.
    pub(super) fn meet(&mut self, seen: &[(Identity, GroupId)]) {
        for (identity, group) in seen {
            let change = self.changes.entry(*group).or_default();
            match self.messages.get_mut(identity) {
                Some((copies, _)) if *copies > 0 => {
                    *copies -= 1;
                    change.same += 1;
                }
                _ => change.new += 1,
            }
        }
    }

    /// What changed in each group. Those not met are gone.
    pub(super) fn finish(self) -> HashMap<GroupId, Change> {
        let mut changes = self.changes;
        for (copies, number) in self.messages.into_values().filter(|(copies, _)| *copies > 0) {
            if let Some(group) = self.groups.get(number as usize) {
                changes.entry(*group).or_default().gone += u64::from(copies);
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    #[test]
    fn equal_messages_are_counted_one_by_one() {
        let of = |id: &str| (Identity::new(Message::default().digest(), id), GroupId([1; 16]));
        let mut earlier = Earlier::default();
        earlier.remember(&[of("a"), of("a"), of("b")]);
        earlier.meet(&[of("a"), of("c"), of("b")]);
        let change = earlier.finish()[&GroupId([1; 16])];
        assert_eq!(change, Change { new: 1, gone: 1, same: 2 });
    }
}
