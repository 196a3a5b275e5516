//! Messages that were masked for good: what a redacted archive holds.
//!
//! A mark in the metadata stays with such a message wherever it is copied to, so that no masked value is ever sent to a
//! broker as if it were the real one. The mark is the id of the message's group, made before the masking: a redacted
//! archive has the same groups as the queue. Limits: the mark is a safeguard against mistakes, not against forgery.

use super::Message;
use super::fingerprint::GroupId;

/// The metadata that marks a masked message: the full id of its group.
pub const REDACTED: &str = "redacted";

/// Why a masked message is sent nowhere.
pub const WHY: &str = "it is redacted: its masked values are not what was there";

impl Message {
    /// Whether values of it are masked.
    #[must_use]
    pub fn is_redacted(&self) -> bool {
        self.metadata.get(REDACTED).is_some()
    }

    /// Marks it as masked, a member of this group.
    pub fn mark_redacted(&mut self, group: GroupId) {
        if !self.is_redacted() {
            self.metadata.push(REDACTED, group.with_digits(32).as_str());
        }
    }

    /// The group that it was in before it was masked.
    #[must_use]
    pub fn group_before_masking(&self) -> Option<GroupId> {
        let digest: super::Digest = self.metadata.get_str(REDACTED)?.strip_prefix("g-")?.parse().ok()?;
        Some(GroupId(digest.0))
    }
}
