//! What a journal's log says about each message, folded from its records.

use std::collections::{BTreeSet, HashMap};

use super::record::{Identity, Intent, Left, Ranges, Record};
use crate::operation::report::{Ended, Outcome};
use crate::operation::verify::Verification;

/// What is said of a message that was sent once more.
pub(crate) const TWICE: &str = "may be there more than once: it was sent again after a try that was cut short";
/// What is said of a message whose copy is confirmed and that may have come back to the source as a new one.
pub(crate) const RENEWED: &str = "it may have been put back as a new copy, and have been sent once more as that";
/// What is said of a message that was sent and is no longer in the source.
pub(crate) const LOST: &str =
    "it was not in the source any more before its copy was confirmed: consumed, expired, or in somebody's hands";

/// Where one message is, as far as the log knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// It may or may not have been published; it is in the source.
    Intended,
    /// Its copy is confirmed; it may or may not have been removed from the source. Why it was not, where that is known.
    Confirmed(Option<String>),
    /// Its copy is confirmed, and it can't be removed from the source, for this reason.
    Stays(String),
    /// Its copy is confirmed, and it is gone from the source.
    Removed,
    /// Not sent for good, or refused; it is in the source.
    Failed(String),
    /// Certainly not sent, for a broker was away; it is in the source, and a resume takes it up.
    Unsent(String),
    /// The target's answer was lost; it is in the source.
    Ambiguous(String),
    /// It left the source before its copy was confirmed.
    Lost,
}

/// One message of a run.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What it is equal to.
    pub(crate) identity: Identity,
    /// Its id in the source.
    pub(crate) id: String,
    /// The number of its destination.
    pub(crate) to: u32,
    /// Where it is.
    pub(crate) stage: Stage,
    /// It was sent again after a try whose end is not known.
    pub(crate) twice: bool,
}

impl Entry {
    fn new(intent: Intent, stage: Stage) -> Self {
        let Intent(digest, id, to) = intent;
        Self { identity: Identity::new(digest, &id), id, to, stage, twice: false }
    }

    /// Whether its copy is confirmed.
    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(self.stage, Stage::Confirmed(_) | Stage::Stays(_) | Stage::Removed)
    }

    /// What became of it. `keep` where the source was to keep its messages.
    pub(crate) fn outcome(&self, keep: bool) -> Outcome {
        let arrived = || {
            if self.twice { Outcome::Ambiguous(TWICE.into()) } else { Outcome::Done }
        };
        match &self.stage {
            Stage::Removed => arrived(),
            Stage::Confirmed(_) if keep => arrived(),
            Stage::Confirmed(why) => Outcome::Ambiguous(why.as_ref().map_or_else(
                || "its copy is confirmed; the original may still be in the source".to_owned(),
                |why| format!("its copy is confirmed; the original may still be in the source: {why}"),
            )),
            Stage::Stays(why) if self.twice => Outcome::Ambiguous(format!("{TWICE}; {why}")),
            Stage::Stays(why) => Outcome::Skipped(why.clone()),
            Stage::Intended => Outcome::Ambiguous("it may have been sent; the run ended before the answer".into()),
            Stage::Failed(why) if self.twice => {
                Outcome::Ambiguous(format!("an earlier try may have arrived; the last one failed: {why}"))
            }
            Stage::Failed(why) => Outcome::Failed(why.clone()),
            Stage::Unsent(why) => Outcome::Unsent(why.clone()),
            Stage::Ambiguous(why) => Outcome::Ambiguous(why.clone()),
            Stage::Lost => Outcome::Ambiguous(LOST.into()),
        }
    }
}

impl Stage {
    /// Whether a resume is going to send it.
    pub(crate) fn is_to_send(&self) -> bool {
        matches!(self, Self::Intended | Self::Unsent(_))
    }

    /// Where a message is: `from` is the source, `to` its destination. `keep` where the source was to keep it.
    pub(crate) fn place(&self, keep: bool, from: &str, to: &str) -> String {
        match self {
            Self::Removed if to.is_empty() => "nowhere: it was dropped".to_owned(),
            Self::Removed => to.to_owned(),
            Self::Confirmed(_) if keep => format!("{from} and {to}"),
            Self::Confirmed(_) => format!("{to}, and perhaps still {from}"),
            Self::Stays(_) => format!("{from} and {to}"),
            Self::Intended | Self::Ambiguous(_) => format!("{from}, and perhaps {to}"),
            Self::Failed(_) | Self::Unsent(_) => from.to_owned(),
            Self::Lost => format!("perhaps {to}"),
        }
    }
}

/// Everything a log says.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// The messages by sequence number, from 1.
    entries: Vec<Entry>,
    /// The destinations by number.
    pub(crate) destinations: Vec<String>,
    /// Messages that were left alone.
    pub(crate) skipped: Vec<Left>,
    /// Nothing of the plan stands behind the entries.
    pub(crate) end: bool,
    /// Messages may stand in the source as new copies, which are taken for new messages.
    pub(crate) rescued: bool,
    /// The newest entry may be gone from the source, too.
    pub(crate) released: bool,
    /// The archive's length behind the last stored message.
    pub(crate) offset: Option<u64>,
    /// Originals that are kept: whose, and where in `originals.jsonl`.
    pub(crate) originals: Vec<(Ranges, u64)>,
    /// The length of `originals.jsonl` as far as it is on record.
    pub(crate) kept: u64,
    /// Of a run that takes another back: the numbers of its messages in that other one.
    pub(crate) undoes: HashMap<u64, u64>,
    /// What was last seen of the copies.
    pub(crate) verified: Option<Box<Verification>>,
    /// Confirmed and not removed: in the source for certain, for the last run ended before it could remove them.
    pub(crate) there: BTreeSet<u64>,
    /// What was removed, in the order in which it was.
    removals: Vec<Ranges>,
    /// Of those, what may be in the source again for all that is known: [`State::doubt_removals`].
    pub(crate) doubted: BTreeSet<u64>,
    /// How the last run ended, and why; `None` where it was cut short.
    pub(crate) finished: Option<(Ended, Option<String>, jiff::Timestamp)>,
}

impl State {
    /// Takes one more record.
    pub(crate) fn apply(&mut self, record: Record) {
        match record {
            Record::Run { .. } => {
                self.finished = None;
                // From here on they may be removed without a record of it.
                self.there.clear();
            }
            Record::Destination { number, address } => {
                debug_assert_eq!(number as usize, self.destinations.len());
                self.destinations.push(address);
            }
            Record::Intend { first, messages } => self.extend(first, messages, &Stage::Intended),
            Record::Originals { seqs, offset, bytes } => {
                self.kept = offset + bytes;
                self.originals.push((seqs, offset));
            }
            Record::Undoes { seqs } => self.undoes.extend(seqs),
            Record::Verified { seen } => self.verified = Some(seen),
            Record::Retry { seqs } => self.each(&seqs, |entry| {
                entry.twice |= !matches!(entry.stage, Stage::Unsent(_));
                entry.stage = Stage::Intended;
            }),
            Record::Stored { first, messages, offset, again } => {
                self.extend(first, messages, &Stage::Confirmed(None));
                self.stored_again(&again, offset);
            }
            Record::StoredAgain { seqs, offset } => self.stored_again(&seqs, offset),
            Record::Confirm { done, failed, ambiguous, unsent } => {
                self.each(&done, |entry| entry.stage = Stage::Confirmed(None));
                self.each_why(failed, |_, why| Stage::Failed(why));
                self.each_why(ambiguous, |_, why| Stage::Ambiguous(why));
                // What an earlier try may have sent is in doubt as it was before this one.
                self.each_why(unsent, |entry, why| if entry.twice { Stage::Intended } else { Stage::Unsent(why) });
            }
            Record::Removed { done, failed, there } => {
                self.each(&done, |entry| entry.stage = Stage::Removed);
                self.each_why(failed, |_, why| Stage::Confirmed(Some(why)));
                self.removals.push(done);
                self.there.extend(there.into_iter().flat_map(|(first, last)| first..=last));
            }
            Record::Stays { seqs, why } => self.each(&seqs, |entry| entry.stage = Stage::Stays(why.clone())),
            Record::Skip { messages } => self.skipped.extend(messages),
            Record::Lost { seqs } => self.each(&seqs, |entry| entry.stage = Stage::Lost),
            Record::Rescue => self.rescued = true,
            Record::Release => self.released = true,
            Record::End => self.end = true,
            Record::Finish { at, state, why } => self.finished = Some((state, why, at)),
        }
    }

    fn extend(&mut self, first: u64, messages: Vec<Intent>, stage: &Stage) {
        if messages.is_empty() {
            return;
        }
        debug_assert_eq!(first, self.last() + 1);
        self.released = false;
        self.entries.extend(messages.into_iter().map(|intent| Entry::new(intent, stage.clone())));
    }

    fn stored_again(&mut self, seqs: &Ranges, offset: u64) {
        self.offset = Some(offset);
        self.each(seqs, |entry| {
            entry.stage = Stage::Confirmed(None);
            entry.twice = true;
        });
    }

    fn each(&mut self, seqs: &Ranges, mut change: impl FnMut(&mut Entry)) {
        for (first, last) in seqs {
            for seq in *first..=*last {
                if let Some(entry) = self.entry_mut(seq) {
                    change(entry);
                }
            }
        }
    }

    fn each_why(&mut self, seqs: Vec<(u64, String)>, stage: impl Fn(&Entry, String) -> Stage) {
        for (seq, why) in seqs {
            if let Some(entry) = self.entry_mut(seq) {
                entry.stage = stage(entry, why);
            }
        }
    }

    /// Messages whose answer was lost are to be sent once more.
    pub(crate) fn take_up(&mut self, seqs: impl Iterator<Item = u64>) {
        for seq in seqs {
            if let Some(entry) = self.entry_mut(seq) {
                entry.stage = Stage::Intended;
            }
        }
    }

    /// The source holds so many messages more than it can hold of this run: a broker that was killed may have forgotten
    /// the newest removals, though it had answered to what was asked behind them.
    pub(crate) fn doubt_removals(&mut self, more: u64) {
        let mut left = more;
        for done in self.removals.iter().rev() {
            if left == 0 {
                break;
            }
            for (first, last) in done {
                self.doubted.extend(*first..=*last);
                left = left.saturating_sub(last - first + 1);
            }
        }
    }

    /// How many messages may have been sent, for all that is known.
    pub(crate) fn doubts(&self) -> u64 {
        self.entries.iter().filter(|entry| matches!(entry.stage, Stage::Intended | Stage::Ambiguous(_))).count() as u64
    }

    /// How many messages were certainly not sent and are to be.
    pub(crate) fn unsent(&self) -> u64 {
        self.entries.iter().filter(|entry| matches!(entry.stage, Stage::Unsent(_))).count() as u64
    }

    /// How many messages were sent so far, for all that is known.
    pub(crate) fn taken(&self) -> u64 {
        self.last().saturating_sub(self.unsent())
    }

    /// The message at that place, from 0.
    pub(crate) fn entry(&self, at: u64) -> Option<&Entry> {
        self.entries.get(usize::try_from(at).ok()?)
    }

    fn entry_mut(&mut self, seq: u64) -> Option<&mut Entry> {
        self.entries.get_mut(usize::try_from(seq.checked_sub(1)?).ok()?)
    }

    /// The last sequence number given; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.entries.len() as u64
    }

    /// The messages and their sequence numbers.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (u64, &Entry)> {
        (1..).zip(&self.entries)
    }

    /// How many messages the source holds at least, `scan` being how many it held when the run began: all but those that
    /// we removed or may have removed. Others may have taken some.
    pub(crate) fn least_in_source(&self, scan: Option<u64>) -> u64 {
        let gone = |(seq, entry): &(u64, &Entry)| {
            matches!(entry.stage, Stage::Removed | Stage::Confirmed(_) | Stage::Lost) && !self.there.contains(seq)
        };
        let gone = self.entries().filter(gone).count() as u64;
        scan.unwrap_or(self.last() + self.skipped.len() as u64).saturating_sub(gone)
    }

    /// How many are gone from the source through us.
    pub(crate) fn removed(&self) -> u64 {
        self.entries.iter().filter(|entry| entry.stage == Stage::Removed).count() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;

    fn intents(n: usize) -> Vec<Intent> {
        (0..n).map(|i| Intent(Message::default().digest(), format!("m{i}"), 0)).collect()
    }

    #[test]
    fn each_step_moves_the_messages_it_names() {
        let mut state = State::default();
        state.apply(Record::Destination { number: 0, address: "a:b".into() });
        state.apply(Record::Intend { first: 1, messages: intents(5) });
        state.apply(Record::Confirm {
            done: vec![(1, 3)],
            failed: vec![(4, "full".into())],
            ambiguous: vec![(5, "lost".into())],
            unsent: vec![],
        });
        state.apply(Record::Removed { done: vec![(1, 1)], failed: vec![(2, "cut".into())], there: vec![] });
        let names: Vec<_> = state.entries().map(|(_, entry)| entry.outcome(false).name()).collect();
        assert_eq!(names, ["done", "ambiguous", "ambiguous", "failed", "ambiguous"]);
        assert_eq!(state.removed(), 1);
        let kept: Vec<_> = state.entries().map(|(_, entry)| entry.outcome(true).name()).collect();
        assert_eq!(kept, ["done", "done", "done", "failed", "ambiguous"]);
    }

    #[test]
    fn the_newest_removals_are_doubted_and_as_many_as_there_are_too_many_messages() {
        let mut state = State::default();
        state.apply(Record::Intend { first: 1, messages: intents(9) });
        for done in [vec![(3, 4), (1, 1)], vec![(6, 7)], vec![(2, 2)]] {
            state.apply(Record::Removed { done, failed: vec![], there: vec![] });
        }
        state.doubt_removals(0);
        assert!(state.doubted.is_empty());
        state.doubt_removals(2);
        assert_eq!(state.doubted, [2, 6, 7].into());
        state.doubt_removals(100);
        assert_eq!(state.doubted, [1, 2, 3, 4, 6, 7].into());
        assert_eq!(state.removed(), 6);
    }

    #[test]
    fn what_was_sent_again_stays_ambiguous_whatever_comes_of_it() {
        let mut state = State::default();
        state.apply(Record::Intend { first: 1, messages: intents(2) });
        state.apply(Record::Retry { seqs: vec![(1, 2)] });
        let failed = vec![(2, "full".into())];
        state.apply(Record::Confirm { done: vec![(1, 1)], failed, ambiguous: vec![], unsent: vec![] });
        state.apply(Record::Removed { done: vec![(1, 1)], failed: vec![], there: vec![] });
        assert!(state.entries().all(|(_, entry)| entry.outcome(false).name() == "ambiguous"));
    }

    #[test]
    fn what_was_certainly_not_sent_is_sent_once_and_what_is_in_doubt_stays_in_doubt() {
        let mut state = State::default();
        state.apply(Record::Intend { first: 1, messages: intents(3) });
        let away = |seqs: &[u64]| Record::Confirm {
            done: vec![],
            failed: vec![],
            ambiguous: vec![],
            unsent: seqs.iter().map(|seq| (*seq, "away".into())).collect(),
        };
        state.apply(away(&[1, 2]));
        let names = |state: &State| state.entries().map(|(_, entry)| entry.outcome(false)).collect::<Vec<_>>();
        assert_eq!(names(&state)[..2], [Outcome::Unsent("away".into()), Outcome::Unsent("away".into())]);
        assert_eq!((state.unsent(), state.taken(), state.doubts()), (2, 1, 1));
        // The third may have been sent by the first run, and so it may after a try that did not get through.
        state.apply(Record::Retry { seqs: vec![(1, 3)] });
        state.apply(away(&[2, 3]));
        assert_eq!((state.unsent(), state.doubts()), (1, 2));
        state.apply(Record::Retry { seqs: vec![(2, 3)] });
        state.apply(Record::Confirm { done: vec![(1, 3)], failed: vec![], ambiguous: vec![], unsent: vec![] });
        state.apply(Record::Removed { done: vec![(1, 3)], failed: vec![], there: vec![] });
        assert_eq!(names(&state), [Outcome::Done, Outcome::Done, Outcome::Ambiguous(TWICE.into())]);
    }

    #[test]
    fn what_is_archived_once_more_is_ambiguous_on_a_line_of_its_own_as_in_older_journals_or_not() {
        let mut state = State::default();
        state.apply(Record::Stored { first: 1, messages: intents(3), offset: 30, again: vec![] });
        let old = r#"{"stored_again":{"seqs":[[1,1]],"offset":40}}"#;
        state.apply(serde_json::from_str(old).unwrap());
        assert_eq!((state.last(), state.offset), (3, Some(40)));
        state.apply(Record::Stored { first: 4, messages: intents(1), offset: 60, again: vec![(2, 2)] });
        state.apply(Record::Removed { done: vec![(1, 4)], failed: vec![], there: vec![] });
        let names: Vec<_> = state.entries().map(|(_, entry)| entry.outcome(false).name()).collect();
        assert_eq!(names, ["ambiguous", "ambiguous", "done", "done"]);
        assert_eq!(state.offset, Some(60));
    }

    #[test]
    fn a_journal_of_an_older_version_says_nothing_of_messages_that_were_not_sent() {
        let old = r#"{"confirm":{"done":[[1,1]],"failed":[[2,"away"]],"ambiguous":[]}}"#;
        let mut state = State::default();
        state.apply(Record::Intend { first: 1, messages: intents(2) });
        state.apply(serde_json::from_str(old).unwrap());
        let stages: Vec<_> = state.entries().map(|(_, entry)| entry.stage.clone()).collect();
        assert_eq!(stages, [Stage::Confirmed(None), Stage::Failed("away".into())]);
    }
}
