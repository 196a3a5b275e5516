//! Edits: a jq program that changes messages on their way to their target.
//!
//! The program gets one object, `{"id": …, "key": …, "headers": {…}, "properties": {…}, "body": …}`, and gives one back.
//! Only what it changed is replaced, so the bytes of everything else stay as they are: a body that was not touched is
//! not written anew, and in one that was, numbers keep their digits and keys their order. The same message stays the
//! same for the journal: what is recorded is the original.
//!
//! | field | is |
//! |---|---|
//! | `id` | the message's id in its queue; to be read only |
//! | `key` | Kafka's key, RabbitMQ's routing key, SQS's group: text, `{"base64":…}` or null |
//! | `headers`, `properties` | by name, values as in `postroom.message/1`; of a repeated name the last is seen, and a change replaces all of them |
//! | `body` | the value of a JSON body, also behind a registry's frame, which stays; else its text; else `{"base64":…}`; null for none |
//!
//! Limits: a program is the operator's own and is not bounded in time; in a changed body keys that occur twice become
//! one.

#[cfg(feature = "jq")]
pub(crate) mod diff;
#[cfg(feature = "jq")]
pub mod hand;
#[cfg(feature = "jq")]
mod program;
#[cfg(feature = "jq")]
mod view;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::masks::Masks;
use super::plan::{EditedGroup, PlannedEdit};
use crate::error::Result;
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::{GroupId, Rules, fingerprint};

/// How many edited messages a preview keeps.
const SAMPLES: usize = 3;

/// A jq program that is ready to run.
#[derive(Clone)]
pub struct Edit {
    text: Arc<str>,
    #[cfg(feature = "jq")]
    program: Arc<program::Program>,
}

impl fmt::Debug for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Edit").field(&self.text).finish()
    }
}

impl Edit {
    /// Compiles a program.
    ///
    /// # Errors
    /// `Usage`, with what jq expected and where.
    #[cfg(feature = "jq")]
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { text: text.into(), program: Arc::new(program::Program::compile(text)?) })
    }

    /// This build has no jq.
    ///
    /// # Errors
    /// `Unsupported`.
    #[cfg(not(feature = "jq"))]
    pub fn parse(_text: &str) -> Result<Self> {
        use crate::error::{Error, ErrorKind};
        Err(Error::new(ErrorKind::Unsupported, "this build of postroom can't edit messages")
            .hint("build it with the feature `jq`"))
    }

    /// The program as it was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The message as the program changes it; `None` where it changes nothing.
    ///
    /// # Errors
    /// `Rejected` where the program fails for this message, or what it gives is not a message.
    #[cfg(feature = "jq")]
    pub fn apply(&self, message: &Message) -> Result<Option<Message>> {
        self.program.apply(message)
    }

    /// Nothing is changed without jq; no value of this type can be made then.
    ///
    /// # Errors
    /// None.
    #[cfg(not(feature = "jq"))]
    pub fn apply(&self, _message: &Message) -> Result<Option<Message>> {
        Ok(None)
    }
}

/// A message before and after an edit.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// As it is in the queue.
    pub before: Message,
    /// As it is going to be sent.
    pub after: Message,
}

impl Sample {
    /// With what a profile hides hidden.
    #[must_use]
    pub fn masked(&self, masks: &Masks) -> Self {
        let shown = |message: &Message| masks.shown(message).unwrap_or_else(|| message.clone());
        Self { before: shown(&self.before), after: shown(&self.after) }
    }
}

/// Groups whose counts are told; of the rest only the sums.
const GROUPS: usize = 100;

/// What an edit did to the messages of a scan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// The sums.
    all: EditedGroup,
    /// By group.
    groups: HashMap<GroupId, EditedGroup>,
    /// The first few that were changed.
    pub samples: Vec<Sample>,
}

/// What an edit made of a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Made<'a> {
    /// Another one.
    Changed(&'a Message),
    /// The same.
    Unchanged,
    /// Nothing: it stays.
    Failed,
    /// One whose body would not fit its schema.
    Misfit,
}

impl Tally {
    /// Counts what the edit made of a message.
    pub(super) fn count(&mut self, before: &Message, made: Made<'_>, rules: &Rules) {
        let found = fingerprint(before, detect(before).as_ref(), rules);
        let group = self.groups.entry(found.id).or_insert_with(|| EditedGroup {
            id: found.id.to_string(),
            title: found.title,
            ..EditedGroup::default()
        });
        for counts in [&mut self.all, group] {
            match made {
                Made::Changed(_) => counts.changed += 1,
                Made::Unchanged => counts.unchanged += 1,
                Made::Failed => counts.failed += 1,
                Made::Misfit => counts.misfits += 1,
            }
        }
        if let Made::Changed(after) = made
            && self.samples.len() < SAMPLES
        {
            self.samples.push(Sample { before: before.clone(), after: after.clone() });
        }
    }

    /// What the plan of a run with this program says.
    pub(super) fn planned(&self, program: String, send_misfits: bool) -> PlannedEdit {
        let EditedGroup { changed, unchanged, failed, misfits, .. } = self.all;
        let mut groups: Vec<EditedGroup> = self.groups.values().cloned().collect();
        groups.sort_unstable_by(|a, b| b.messages().cmp(&a.messages()).then_with(|| a.id.cmp(&b.id)));
        groups.truncate(GROUPS);
        PlannedEdit { program, changed, unchanged, failed, misfits, send_misfits, groups }
    }
}
