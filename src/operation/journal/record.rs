//! What a journal writes down: its head, once, and the records of its log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::broker::{Delivery, Extent};
use crate::error::{Error, ErrorKind, Result};
use crate::message::fingerprint::WrittenRules;
use crate::message::hash::{self, Hasher};
use crate::message::{Digest, Message};
use crate::operation::plan::{Aside, Mode, Pace, Verb, hex};
use crate::operation::report::Ended;
use crate::operation::verify::Verification;

/// Sequence numbers as inclusive ranges, ascending.
pub(crate) type Ranges = Vec<(u64, u64)>;

/// What a run set out to do: `head.json`, written and on disk before anything else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// `postroom.journal/1`.
    pub schema: String,
    /// The hash that the digests of plan and log are made by: `sha-256`.
    #[serde(default = "hash::of_old")]
    pub hash: String,
    /// The journal's id.
    pub id: String,
    /// The verb.
    pub verb: Verb,
    /// Where the messages are, without secrets.
    pub source: String,
    /// `origin`, `discard`, or an address.
    pub to: String,
    /// The filter as typed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// What ages in the filter are counted from. A journal of an older version does not say: from when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ages_from: Option<Timestamp>,
    /// The group asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The rules by which filter and group are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<WrittenRules>,
    /// Whether `plan.json` names each message.
    pub mode: Mode,
    /// The source keeps its messages.
    #[serde(default)]
    pub keep: bool,
    /// Also messages that were replayed before.
    #[serde(default)]
    pub again: bool,
    /// Messages that a return would destroy may be put back as new copies.
    #[serde(default)]
    pub rescue: bool,
    /// Each message goes to the partition it came from.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub same_partition: bool,
    /// The jq program that changes the messages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edit: Option<String>,
    /// What it makes goes also where it does not fit its schema.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub send_misfits: bool,
    /// What is set aside, and why.
    #[serde(default, skip_serializing_if = "Aside::is_none")]
    pub aside: Aside,
    /// How fast.
    #[serde(default)]
    pub pace: Pace,
    /// Messages of the source that the run goes through; without it, all up to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan: Option<u64>,
    /// How many matching messages at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// How many messages the plan acts on, at most.
    pub planned: u64,
    /// The source gives its messages in a fixed order, and what a dead run held at its old place again.
    #[serde(default)]
    pub in_place: bool,
    /// The log whose records this run handles ([`crate::broker::Log::identity`]): a later run leaves alone what this one
    /// is done with. Without it the source is no log, or the run is a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handles: Option<String>,
    /// What of the log the run goes through; empty for a source that is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub within: Vec<Extent>,
    /// Every message of the source has an id of its own, by which it is known when it comes again.
    #[serde(default)]
    pub unique_ids: bool,
    /// What was sent after this time is left alone; none where the run goes through a number of messages, or an extent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The journal whose run this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// When it began.
    pub started: Timestamp,
}

impl Head {
    /// Refuses a journal whose messages can't be known again, for its digests are made by another hash: who goes on with
    /// it would take each of them for one that was never sent.
    pub(crate) fn require_known(&self) -> Result<()> {
        match hash::differs(format_args!("the journal {}", self.id), &self.hash) {
            None => Ok(()),
            Some(why) => Err(Error::new(ErrorKind::Refused, why).hint(
                "go on with it by the version of postroom that began it; `postroom journal prune` forgets it, once that is safe",
            )),
        }
    }
}

/// A message that is going to be sent: digest, id and the number of its destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Intent(#[serde(with = "hex")] pub(crate) Digest, pub(crate) String, pub(crate) u32);

/// A message that was left alone: digest, id, reason, and what the reason is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Left(
    #[serde(with = "hex")] pub(crate) Digest,
    pub(crate) String,
    pub(crate) String,
    #[serde(default)] pub(crate) Cause,
);

/// What keeps a message where it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Cause {
    /// A journal of an older version does not say.
    #[default]
    Unsaid,
    /// It can't go itself.
    Itself,
    /// Another one of its key, which did not go.
    Behind,
}

/// How an older version began the reason of a message that stayed because of another.
const BEHIND: &str = "it is held back";

impl Left {
    /// Whether it stayed because of another one of its key.
    pub(crate) fn is_behind(&self) -> bool {
        match self.3 {
            Cause::Behind => true,
            Cause::Itself => false,
            Cause::Unsaid => self.2.starts_with(BEHIND),
        }
    }
}

/// One step of a run. Messages are named by sequence numbers, from 1, in the order in which they were taken.
///
/// A field that a newer build adds says something that who passes over it would get wrong, so that it is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Record {
    /// A run begins: the first, or a resume.
    Run {
        /// When.
        at: Timestamp,
    },
    /// Destination `number` is this address.
    Destination {
        /// Counted from 0.
        number: u32,
        /// Without secrets.
        address: String,
    },
    /// These are going to be published. Nothing of them is published before this is on disk.
    Intend {
        /// The first one's number.
        first: u64,
        /// The messages.
        messages: Vec<Intent>,
    },
    /// Messages intended before are going to be published once more: each may have been, unless it is on record as not sent.
    Retry {
        /// Which.
        seqs: Ranges,
    },
    /// The originals of messages whose copies do not tell all that they were are in `originals.jsonl`, on disk before this.
    Originals {
        /// Which, in the order of the lines.
        seqs: Ranges,
        /// Where the first line begins.
        offset: u64,
        /// The lines' length.
        bytes: u64,
    },
    /// The messages of the next record are copies of another journal's run, with these numbers in it.
    Undoes {
        /// The number in this run, and the number in the other.
        seqs: Vec<(u64, u64)>,
    },
    /// These are in the archive, on disk and verified (or are going to be dropped without a copy).
    Stored {
        /// The first one's number.
        first: u64,
        /// The messages.
        messages: Vec<Intent>,
        /// The archive's length behind them, and behind those of `again`.
        offset: u64,
        /// Messages stored before that are in the archive once more. On the same line: the length holds for both, and a
        /// kill may come between two.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        again: Ranges,
    },
    /// Messages stored before are in the archive once more, as builds wrote it that had no `again` in [`Record::Stored`].
    StoredAgain {
        /// Which.
        seqs: Ranges,
        /// The archive's length behind them.
        offset: u64,
    },
    /// What the target said.
    Confirm {
        /// Confirmed and routed. None of them is removed before this is on disk.
        done: Ranges,
        /// Refused, and why.
        failed: Vec<(u64, String)>,
        /// The answer was lost.
        ambiguous: Vec<(u64, String)>,
        /// Not sent, for a broker was away, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unsent: Vec<(u64, String)>,
    },
    /// What the source said to the removal.
    Removed {
        /// Gone.
        done: Ranges,
        /// It may still be there, and why.
        failed: Vec<(u64, String)>,
        /// Those of them that are there for certain: the source was lost before their removal was sent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        there: Ranges,
    },
    /// Messages whose copies are confirmed and that can't be removed, and why: something before them in the log stays.
    Stays {
        /// Which.
        seqs: Ranges,
        /// One sentence for all.
        why: String,
    },
    /// Messages that are left alone.
    Skip {
        /// Which, and why.
        messages: Vec<Left>,
    },
    /// Messages intended before that are no longer in the source, unconfirmed.
    Lost {
        /// Which.
        seqs: Ranges,
    },
    /// From here on messages of the source may be put back in it as new copies, which are not known again.
    Rescue,
    /// The run stops before the end: from here on the newest message may be removed, too.
    Release,
    /// What became of the copies so far.
    Verified {
        /// What was seen.
        seen: Box<Verification>,
    },
    /// The source was read to the end of what the plan covers: there is no message behind those named so far.
    End,
    /// The run ended.
    Finish {
        /// When.
        at: Timestamp,
        /// How.
        state: Ended,
        /// What stopped it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
    },
}

/// What two messages of one queue that are interchangeable have in common: content and id. 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity([u8; 16]);

impl Identity {
    /// The identity of a message of this digest and id.
    pub(crate) fn new(digest: Digest, id: &str) -> Self {
        let mut hasher = Hasher::default();
        hasher.update(&digest.0).update(id.as_bytes());
        Self(hasher.finish())
    }

    /// A message's identity and digest.
    pub(crate) fn of(message: &Message) -> (Self, Digest) {
        let digest = message.digest();
        (Self::new(digest, &message.id), digest)
    }

    /// The same of a delivered one.
    pub(crate) fn of_delivery(delivery: &Delivery) -> (Self, Digest) {
        let digest = delivery.digest();
        (Self::new(digest, &delivery.message.id), digest)
    }
}

/// Ascending numbers as ranges.
pub(crate) fn ranges(seqs: impl IntoIterator<Item = u64>) -> Ranges {
    let mut ranges: Ranges = Vec::new();
    for seq in seqs {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == seq => *last = seq,
            _ => ranges.push((seq, seq)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_every_number_once() {
        assert_eq!(ranges([1, 2, 3, 7, 9, 10]), [(1, 3), (7, 7), (9, 10)]);
        assert_eq!(ranges([]), []);
    }

    #[test]
    fn a_message_that_stays_because_of_another_is_known_in_journals_of_either_version() {
        let digest = "00".repeat(16);
        let read = |text: &str| serde_json::from_str::<Left>(text).unwrap();
        let old = |why: &str| read(&format!(r#"["{digest}","m-1","{why}"]"#));
        assert!(old("it is held back: m-0, before it of the same key, stays").is_behind());
        assert!(!old("it is no longer in the queue").is_behind());
        let new = |cause| {
            let written = serde_json::to_string(&Left(Digest([0; 16]), "m-1".into(), "for a reason".into(), cause));
            read(&written.unwrap())
        };
        assert!(new(Cause::Behind).is_behind() && !new(Cause::Itself).is_behind());
        assert_eq!(new(Cause::Behind).3, Cause::Behind);
    }

    #[test]
    fn equal_content_under_two_ids_is_two_identities() {
        let digest = Message::default().digest();
        assert_ne!(Identity::new(digest, "a"), Identity::new(digest, "b"));
        assert_eq!(Identity::new(digest, "a"), Identity::new(digest, "a"));
    }
}
