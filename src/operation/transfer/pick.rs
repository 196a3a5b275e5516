//! Which deliveries a run acts on: a pure decision over what was planned and what an earlier run left behind.
//!
//! After a kill the source gives its messages again, and some of those whose copy is confirmed may be gone already.
//! Equal messages can't be told apart, so "this delivery is the one whose copy is confirmed" is certain only
//! - where no other message can have its identity (a log; an exact plan saw only one), or nothing stands behind the run's
//!   messages (the end was recorded);
//! - or where it comes before a *mark*: a message that the earlier run took up later and that is surely still there.
//!   Where returned messages come back at their old place, everything before a mark was seen by the earlier run. There
//!   is always a mark, for the newest message that was taken up is not removed before a newer one is
//!   (`super::Mover::release`). A quorum queue promises no such place: two kills leave its messages out of order.
//!
//! Certain ones are removed. The others are sent again and reported as ambiguous: a duplicate is told, a loss is not.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use crate::message::Message;
use crate::operation::journal::record::{Identity, Left};
use crate::operation::journal::state::{Stage, State};
use crate::operation::plan::Plan;
use crate::operation::select::Selection;

/// What to do with a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    /// Hold it, and return it at the close.
    Leave,
    /// The same of one that an earlier run left where it was, or could not send.
    Kept,
    /// Everything planned has been found, or it came later: it is not ours, and neither is anything behind it.
    Beyond,
    /// Send it.
    Take,
    /// An earlier run may have sent it, or could not: send it under its number.
    Retry(u64),
    /// An earlier run has its copy confirmed: remove it.
    Remove(u64),
    /// Either of the last two; known once [`Picker::decided`] or [`Picker::end`] tells.
    Wait(u64),
}

/// What is known when the source has been read to the end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leftovers {
    /// Held back, and not certain: send again.
    pub(super) retry: Vec<u64>,
    /// Confirmed before and no longer in the source: removed before.
    pub(super) removed: Vec<u64>,
    /// Sent before, never confirmed, and no longer in the source.
    pub(super) lost: Vec<u64>,
    /// Planned by name and not found: how many of which.
    pub(super) missing: Vec<(Identity, u64)>,
}

/// Which messages are acted on.
#[derive(Debug)]
enum Wanted {
    /// Those that match.
    Matching(Selection),
    /// Those named, by how many of each are still to come.
    Named(HashMap<Identity, u64>),
}

/// Decides delivery by delivery, in the order in which the source gives them.
#[derive(Debug)]
pub(in crate::operation) struct Picker {
    wanted: Wanted,
    /// How many more messages are acted on at most.
    left: u64,
    /// How many more deliveries belong to the plan.
    budget: u64,
    keep: bool,
    earlier: Earlier,
}

/// What an earlier run left in the source.
#[derive(Debug, Default)]
struct Earlier {
    /// Messages that are, or may be, in the source.
    groups: HashMap<Identity, Group>,
    /// How many of those are not met yet, without what is only doubted.
    expected: usize,
    /// Messages left alone before.
    skipped: HashMap<Identity, u64>,
    /// Marks not seen yet.
    marks: BTreeSet<u64>,
    /// The number of a mark by its identity.
    mark_of: HashMap<Identity, u64>,
    /// Confirmed, perhaps removed, not seen yet, in a queue that keeps the places.
    open: BTreeMap<u64, Identity>,
    /// Confirmed and seen, before its mark.
    waiting: BTreeSet<u64>,
    /// See [`Picker::decided`].
    certain: Vec<u64>,
    gone: Vec<u64>,
    /// On record as removed, and perhaps there again.
    doubted: BTreeSet<u64>,
    /// Identities of which an exact plan saw exactly one.
    unique: HashSet<Identity>,
    in_place: bool,
    /// An identity is that of one message only, as in a log.
    own_ids: bool,
    /// Nothing stands behind the run's messages.
    end: bool,
    /// Confirmed, and surely still in the source: the newest message, and what the last run could not remove any more.
    there: BTreeSet<u64>,
}

impl Earlier {
    /// A mark was met: what is older was met before it, or is gone. Returns how many are gone.
    fn pass(&mut self, mark: u64) -> u64 {
        self.marks.remove(&mark);
        let younger = self.waiting.split_off(&mark);
        self.certain.extend(std::mem::replace(&mut self.waiting, younger));
        let younger = self.open.split_off(&mark);
        let gone = std::mem::replace(&mut self.open, younger);
        for identity in gone.values() {
            self.groups.remove(identity);
        }
        self.gone.extend(gone.keys());
        // Those removed on record were not counted as still to come.
        let counted = gone.keys().filter(|seq| !self.doubted.contains(seq)).count();
        self.expected -= counted;
        counted as u64
    }
}

/// Messages of one identity.
#[derive(Debug, Default)]
struct Group {
    /// Those not met yet: confirmed first, then sent, then kept.
    entries: VecDeque<(u64, Was)>,
    /// How many there were.
    size: usize,
    /// How many of them may be gone.
    confirmed: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Was {
    Confirmed,
    Intended,
    Kept,
}

impl Picker {
    /// Acts on what matches, among the next `budget` deliveries, `limit` at most.
    pub(in crate::operation) fn matching(selection: Selection, budget: u64, limit: Option<u64>, keep: bool) -> Self {
        let left = limit.unwrap_or(u64::MAX);
        Self { wanted: Wanted::Matching(selection), left, budget, keep, earlier: Earlier::default() }
    }

    /// Acts on what the plan names.
    pub(in crate::operation) fn named(plan: &Plan, keep: bool) -> Self {
        let mut wanted = HashMap::new();
        for message in &plan.messages {
            *wanted.entry(Identity::new(message.digest, &message.id)).or_default() += 1;
        }
        let left = plan.messages.len() as u64;
        let budget = u64::MAX;
        Self { wanted: Wanted::Named(wanted), left, budget, keep, earlier: Earlier::default() }
    }

    /// Takes up what the journal's earlier runs left.
    /// `own_ids` where no two messages of the source ever have the same id.
    pub(in crate::operation) fn resuming(
        mut self,
        state: &State,
        plan: Option<&Plan>,
        in_place: bool,
        own_ids: bool,
    ) -> Self {
        let newest = Some(state.last()).filter(|_| !state.end && !state.released);
        let there = state.there.iter().copied().chain(newest).collect();
        let doubted = state.doubted.clone();
        let mut earlier = Earlier { in_place, own_ids, end: state.end, there, doubted, ..Earlier::default() };
        for Left(digest, id, ..) in &state.skipped {
            let identity = Identity::new(*digest, id);
            *earlier.skipped.entry(identity).or_default() += 1;
            // It was found, or is known to be missing.
            if let Wanted::Named(wanted) = &mut self.wanted
                && let Some(left) = wanted.get_mut(&identity)
            {
                *left = left.saturating_sub(1);
            }
        }
        for (seq, entry) in state.entries() {
            if let Wanted::Named(wanted) = &mut self.wanted
                && let Some(left) = wanted.get_mut(&entry.identity)
            {
                *left = left.saturating_sub(1);
            }
            let was = match entry.stage {
                Stage::Removed if state.doubted.contains(&seq) => Was::Confirmed,
                Stage::Removed | Stage::Lost => continue,
                Stage::Confirmed(_) | Stage::Stays(_) => Was::Confirmed,
                Stage::Intended | Stage::Unsent(_) => Was::Intended,
                Stage::Failed(_) | Stage::Ambiguous(_) => Was::Kept,
            };
            earlier.expected += usize::from(!state.doubted.contains(&seq));
            let group = earlier.groups.entry(entry.identity).or_default();
            group.entries.push_back((seq, was));
            group.size += 1;
            group.confirmed += usize::from(was == Was::Confirmed);
        }
        for (identity, group) in &mut earlier.groups {
            group.entries.make_contiguous().sort_unstable_by_key(|(seq, was)| (*was, *seq));
            let Some((seq, was)) = group.entries.front().copied().filter(|_| group.size == 1) else { continue };
            let stays = was != Was::Confirmed || earlier.there.contains(&seq);
            if stays && !earlier.skipped.contains_key(identity) {
                earlier.marks.insert(seq);
                earlier.mark_of.insert(*identity, seq);
            }
            if in_place && !stays && !self.keep {
                earlier.open.insert(seq, *identity);
            }
        }
        earlier.unique = plan
            .into_iter()
            .flat_map(|plan| &plan.messages)
            .filter(|message| message.copies == 1)
            .map(|message| Identity::new(message.digest, &message.id))
            .collect();
        let gone = if self.keep { 0 } else { state.removed() };
        self.budget = self.budget.saturating_sub(gone);
        self.left = self.left.saturating_sub(state.last() + state.skipped.len() as u64);
        if state.end {
            self.left = 0;
        }
        self.earlier = earlier;
        self
    }

    /// What to do with the next delivery.
    pub(super) fn pick(&mut self, message: &Message, identity: Identity, redelivered: Option<bool>) -> Pick {
        if self.budget == 0 || self.is_complete() {
            return Pick::Beyond;
        }
        self.budget -= 1;
        if let Some(pick) = self.pick_earlier(identity, redelivered) {
            return pick;
        }
        if self.left == 0 {
            return Pick::Leave;
        }
        let taken = match &mut self.wanted {
            Wanted::Matching(selection) => selection.matches(message),
            Wanted::Named(wanted) => match wanted.get_mut(&identity) {
                Some(count) if *count > 0 => {
                    *count -= 1;
                    true
                }
                _ => false,
            },
        };
        if taken {
            self.left -= 1;
            Pick::Take
        } else {
            Pick::Leave
        }
    }

    /// Whether, once the source was read to its end, no message equal to one that was taken can stand behind it.
    pub(super) fn took_all(&self) -> bool {
        matches!(self.wanted, Wanted::Matching(_)) && self.left > 0
    }

    /// Whether nothing more is to be found.
    fn is_complete(&self) -> bool {
        let earlier = &self.earlier;
        self.left == 0 && earlier.expected == 0 && earlier.waiting.is_empty()
    }

    fn pick_earlier(&mut self, identity: Identity, redelivered: Option<bool>) -> Option<Pick> {
        // What an earlier run held is redelivered now; anything else arrived later.
        if redelivered == Some(false) {
            return None;
        }
        let earlier = &mut self.earlier;
        if let Some(count) = earlier.skipped.get_mut(&identity).filter(|count| **count > 0) {
            *count -= 1;
            return Some(Pick::Kept);
        }
        if let Some(mark) = earlier.mark_of.remove(&identity) {
            self.budget = self.budget.saturating_sub(earlier.pass(mark));
        }
        let group = earlier.groups.get_mut(&identity)?;
        let (seq, was) = group.entries.pop_front()?;
        let (size, confirmed) = (group.size, group.confirmed);
        if group.entries.is_empty() {
            earlier.groups.remove(&identity);
        }
        earlier.open.remove(&seq);
        let doubted = earlier.doubted.contains(&seq);
        if doubted {
            self.budget += 1;
        } else {
            earlier.expected -= 1;
        }
        Some(match was {
            Was::Kept => Pick::Kept,
            Was::Confirmed if self.keep => Pick::Leave,
            Was::Confirmed if earlier.own_ids => Pick::Remove(seq),
            // What arrived since is no copy of what is surely gone.
            Was::Confirmed if earlier.end && size == confirmed && !doubted => Pick::Remove(seq),
            Was::Confirmed if size > 1 => Pick::Retry(seq),
            // It is surely there; if another one is equal to it, either may stand for it.
            Was::Confirmed if earlier.there.contains(&seq) => Pick::Remove(seq),
            Was::Confirmed if earlier.unique.contains(&identity) => Pick::Remove(seq),
            Was::Confirmed if !earlier.in_place => Pick::Retry(seq),
            Was::Confirmed if earlier.marks.range(seq..).next().is_some() => {
                earlier.waiting.insert(seq);
                Pick::Wait(seq)
            }
            Was::Confirmed | Was::Intended => Pick::Retry(seq),
        })
    }

    /// What has become certain since the last call: messages held back, to be removed; and messages removed before.
    pub(super) fn decided(&mut self) -> (Vec<u64>, Vec<u64>) {
        (std::mem::take(&mut self.earlier.certain), std::mem::take(&mut self.earlier.gone))
    }

    /// What is left when the source was read as far as the plan goes.
    pub(super) fn end(&mut self) -> Leftovers {
        let earlier = std::mem::take(&mut self.earlier);
        let mut leftovers = Leftovers { retry: earlier.waiting.into_iter().collect(), ..Leftovers::default() };
        for (seq, was) in earlier.groups.into_values().flat_map(|group| group.entries) {
            match was {
                Was::Confirmed if !self.keep => leftovers.removed.push(seq),
                Was::Intended => leftovers.lost.push(seq),
                Was::Confirmed | Was::Kept => {}
            }
        }
        leftovers.removed.sort_unstable();
        leftovers.lost.sort_unstable();
        if let Wanted::Named(wanted) = &mut self.wanted {
            leftovers.missing = wanted.drain().filter(|(_, count)| *count > 0).collect();
        }
        leftovers
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::journal::record::{Intent, Record};

    fn message(id: &str) -> Message {
        Message { id: id.into(), ..Message::default() }
    }

    /// A state in which the named messages were intended, `confirmed` of them confirmed and `removed` of them removed.
    fn state(ids: &[&str], confirmed: &[u64], removed: &[u64]) -> State {
        let mut state = State::default();
        let messages = ids.iter().map(|id| Intent(message(id).digest(), (*id).into(), 0)).collect();
        state.apply(Record::Intend { first: 1, messages });
        let range = |seqs: &[u64]| crate::operation::journal::record::ranges(seqs.iter().copied());
        state.apply(Record::Confirm { done: range(confirmed), failed: vec![], ambiguous: vec![], unsent: vec![] });
        state.apply(Record::Removed { done: range(removed), failed: vec![], there: vec![] });
        state
    }

    /// Feeds a queue's messages; `!x` is one that was never delivered before.
    fn picks(picker: &mut Picker, queue: &[&str]) -> Vec<Pick> {
        queue
            .iter()
            .map(|id| {
                let message = message(id.trim_start_matches('!'));
                let (identity, _) = Identity::of(&message);
                picker.pick(&message, identity, Some(!id.starts_with('!')))
            })
            .collect()
    }

    fn resume(state: &State, budget: u64) -> Picker {
        Picker::matching(Selection::all(), budget, None, false).resuming(state, None, true, false)
    }

    #[test]
    fn a_confirmed_message_before_a_mark_is_removed_and_a_missing_one_was() {
        // 1 and 2 are confirmed, 3 is only intended: it is the mark.
        let state = state(&["a", "b", "c"], &[1, 2], &[]);
        let mut picker = resume(&state, 9);
        assert_eq!(picks(&mut picker, &["b", "c", "d"]), [Pick::Wait(2), Pick::Retry(3), Pick::Take]);
        assert_eq!(picker.decided(), (vec![2], vec![1]));
        assert_eq!(picker.end(), Leftovers::default());
    }

    #[test]
    fn a_twin_behind_the_mark_is_sent_and_not_taken_for_its_confirmed_double() {
        let state = state(&["a", "b"], &[1], &[]);
        let mut picker = resume(&state, 9);
        assert_eq!(picks(&mut picker, &["b", "a"]), [Pick::Retry(2), Pick::Take]);
        assert_eq!(picker.decided(), (vec![], vec![1]));
    }

    #[test]
    fn in_a_log_an_id_is_proof_enough() {
        let state = state(&["0:0", "0:1", "1:0"], &[1, 2], &[]);
        let mut picker = Picker::matching(Selection::all(), 9, None, false).resuming(&state, None, false, true);
        assert_eq!(picks(&mut picker, &["0:1", "1:0", "1:1"]), [Pick::Remove(2), Pick::Retry(3), Pick::Take]);
        assert_eq!(picker.end().removed, [1]);
    }

    #[test]
    fn among_equal_messages_none_is_certain_and_all_are_sent_again() {
        let state = state(&["a", "a", "b"], &[1, 2], &[]);
        let mut picker = resume(&state, 9);
        let seen = picks(&mut picker, &["a", "b", "a", "a"]);
        assert_eq!(seen, [Pick::Retry(1), Pick::Retry(3), Pick::Retry(2), Pick::Take]);
    }

    #[test]
    fn the_newest_message_is_there_for_certain_until_it_is_released() {
        let mut state = state(&["a", "b"], &[1, 2], &[1]);
        assert_eq!(picks(&mut resume(&state, 9), &["b", "b"]), [Pick::Remove(2), Pick::Take]);
        state.apply(Record::Release);
        assert_eq!(picks(&mut resume(&state, 9), &["b", "b"]), [Pick::Retry(2), Pick::Take]);
        state.apply(Record::End);
        assert_eq!(picks(&mut resume(&state, 9), &["b", "!b"]), [Pick::Remove(2), Pick::Beyond]);
    }

    #[test]
    fn what_the_last_run_could_not_remove_is_there_for_certain_until_the_next_one_begins() {
        let mut state = state(&["a", "b", "c"], &[1, 2, 3], &[]);
        state.apply(Record::Release);
        let failed = vec![(1, "gone".into()), (2, "lost".into())];
        state.apply(Record::Removed { done: vec![], failed, there: vec![(2, 2)] });
        let anywhere = |state: &State| {
            let mut picker = Picker::matching(Selection::all(), 9, None, false).resuming(state, None, false, false);
            picks(&mut picker, &["a", "b", "c"])
        };
        assert_eq!(anywhere(&state), [Pick::Retry(1), Pick::Remove(2), Pick::Retry(3)]);
        state.apply(Record::Run { at: jiff::Timestamp::UNIX_EPOCH });
        assert_eq!(anywhere(&state), [1, 2, 3].map(Pick::Retry));
    }

    #[test]
    fn what_was_removed_before_makes_the_plan_end_earlier() {
        // Four messages when the plan was made; a and b were removed, but only the removal of a is on record.
        let state = state(&["a", "b", "c"], &[1, 2], &[1]);
        let mut picker = resume(&state, 4);
        assert_eq!(picks(&mut picker, &["c", "d", "!new"]), [Pick::Retry(3), Pick::Take, Pick::Beyond]);
    }

    #[test]
    fn what_a_broker_has_forgotten_to_have_removed_is_found_again_and_counts_once() {
        // Five messages when the plan was made; a and b are removed, and the source holds one more than it can.
        let mut state = state(&["a", "b", "c"], &[1, 2], &[1, 2]);
        state.doubt_removals(1);
        let mut picker = resume(&state, 5);
        assert_eq!(picks(&mut picker, &["b", "c"]), [Pick::Wait(2), Pick::Retry(3)]);
        assert_eq!(picker.decided(), (vec![2], vec![1]));
        assert_eq!(picks(&mut picker, &["d", "e", "!new"]), [Pick::Take, Pick::Take, Pick::Beyond]);
        // Where places are not kept, or none is left that is older for certain, it is sent again.
        let mut anywhere = Picker::matching(Selection::all(), 5, None, false).resuming(&state, None, false, false);
        assert_eq!(picks(&mut anywhere, &["c", "b", "d", "e", "!new"])[1..4], [Pick::Retry(2), Pick::Take, Pick::Take]);
        assert_eq!(picks(&mut anywhere, &["!new"]), [Pick::Beyond]);
        // Also at the end: it may have arrived since.
        state.apply(Record::End);
        let mut ended = Picker::matching(Selection::all(), 5, None, false).resuming(&state, None, false, false);
        assert_eq!(picks(&mut ended, &["b", "c", "b"]), [Pick::Retry(2), Pick::Retry(3), Pick::Beyond]);
    }

    #[test]
    fn a_log_that_begins_earlier_again_gives_what_is_its_own_up_once_more() {
        let mut state = state(&["a", "b", "c"], &[1, 2], &[1, 2]);
        state.doubt_removals(u64::MAX);
        let mut picker = Picker::matching(Selection::all(), u64::MAX, None, false).resuming(&state, None, true, true);
        assert_eq!(picks(&mut picker, &["a", "b", "c"]), [Pick::Remove(1), Pick::Remove(2), Pick::Retry(3)]);
        assert_eq!(picker.end(), Leftovers::default());
    }

    #[test]
    fn what_arrived_since_takes_no_part_in_a_doubt() {
        let mut state = state(&["a", "b", "c"], &[1, 2], &[1, 2]);
        state.doubt_removals(2);
        let mut picker = resume(&state, 4);
        assert_eq!(
            picks(&mut picker, &["c", "d", "!a", "!b"]),
            [Pick::Retry(3), Pick::Take, Pick::Beyond, Pick::Beyond]
        );
        assert_eq!(picker.decided(), (vec![], vec![1, 2]));
    }

    #[test]
    fn a_plan_that_names_messages_finds_as_many_as_it_names() {
        let mut wanted = HashMap::new();
        wanted.insert(Identity::of(&message("a")).0, 2);
        wanted.insert(Identity::of(&message("z")).0, 1);
        let mut picker = Picker {
            wanted: Wanted::Named(wanted),
            left: 3,
            budget: u64::MAX,
            keep: false,
            earlier: Earlier::default(),
        };
        assert_eq!(picks(&mut picker, &["a", "b", "a", "a"]), [Pick::Take, Pick::Leave, Pick::Take, Pick::Leave]);
        assert_eq!(picker.end().missing, [(Identity::of(&message("z")).0, 1)]);
    }

    #[test]
    fn a_copy_counts_equal_messages_and_never_removes() {
        let state = state(&["a", "a", "b"], &[1], &[]);
        let mut picker = Picker::matching(Selection::all(), 9, None, true).resuming(&state, None, true, false);
        let seen = picks(&mut picker, &["a", "a", "b", "c"]);
        assert_eq!(seen, [Pick::Leave, Pick::Retry(2), Pick::Retry(3), Pick::Take]);
    }

    #[test]
    fn what_left_the_source_unconfirmed_is_lost_from_sight() {
        let state = state(&["a", "b"], &[1], &[]);
        let mut picker = resume(&state, 9);
        assert_eq!(picks(&mut picker, &["c"]), [Pick::Take]);
        let leftovers = picker.end();
        assert_eq!((leftovers.removed, leftovers.lost), (vec![1], vec![2]));
    }
}
