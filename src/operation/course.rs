//! What a run keeps in mind from one pass over its source to the next: which keys are under way or go no further, and how
//! much went wrong so far.
//!
//! Messages of one key go one after the other: the next one is admitted when the copy of the one before is confirmed and on
//! record. Where one fails, those behind it stay, for sending them would change their order. Limits: a message without a
//! value of the field has no order to keep. A resume knows of a key's failures what it meets again in the source.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::journal::record::{Identity, Left};
use super::journal::state::{self as journal, Stage};
use super::plan::{Pace, Plan};
use crate::broker::{Capability, Ordering};
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::{Candidate, Pick};
use crate::message::hash::hash;
use crate::message::{Digest, Message};
use crate::text::human;

/// The field that is meant where only its order is asked for.
pub(super) const OWN: &str = "key";

/// Failures in a row after which nothing is likely to get through.
const STREAK: u64 = 100;
/// How many copies have to come back, and which part of all, where the operator named no number.
const BACK: (u64, u64) = (10, 10);

/// What stands for a key: memory does not grow with what people use as keys.
pub(super) type Key = [u8; 16];

/// Reads the keys of messages.
#[derive(Clone, Debug)]
pub(super) struct Keys(Pick);

impl Keys {
    /// The field that `pace` names.
    ///
    /// # Errors
    /// `Usage` for what is no field.
    pub(super) fn of(pace: &Pace) -> Result<Option<Self>> {
        pace.per_key.as_deref().map(Self::parse).transpose()
    }

    /// Reads a field's name.
    ///
    /// # Errors
    /// `Usage` for what is no field.
    pub(super) fn parse(field: &str) -> Result<Self> {
        Pick::parse(field).map(Self).map_err(|error| {
            error.hint("name the field that says what a message is about, such as key, header.order or body.order.id")
        })
    }

    /// The key of a message as it is in the source.
    pub(super) fn key(&self, message: &Message) -> Option<Key> {
        Some(match (self.0.name(), &message.key) {
            (OWN, key) => hash(key.as_deref()?),
            _ => hash(self.0.value(&Candidate::new(message))?.as_bytes()),
        })
    }
}

/// Whether the messages of a queue have a key of their own that order hangs on. A routing key says where a message goes,
/// and not what it is about.
pub(super) fn is_keyed(capability: &Capability) -> bool {
    matches!(capability.ordering, Ordering::PerGroup | Ordering::PerPartition)
}

/// Whether a message may go now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admit {
    /// It may.
    Go,
    /// One of its key is under way.
    Wait,
    /// One of its key stays, so it stays, too: the reason.
    Held(String),
}

/// Shared by the passes of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// How keys are read, where messages go key by key.
    pub(super) keys: Option<Keys>,
    most: Option<u64>,
    state: Arc<Mutex<State>>,
}

/// The order of each key's messages, as an exact plan names them. A queue that was left by a killed run may give them in
/// another one: what comes too early is left to the next pass.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// Those that are still to come, by key.
    due: HashMap<Key, VecDeque<Identity>>,
    /// The same, by how many there are of each.
    left: HashMap<Identity, u64>,
    /// Those that came too early.
    early: HashMap<Key, HashSet<Identity>>,
}

impl Sequence {
    /// Whether a message is the next of its key; what the plan does not name has no order.
    pub(super) fn is_next(&mut self, key: Key, identity: Identity) -> bool {
        if self.due.get(&key).and_then(VecDeque::front) == Some(&identity) {
            self.pop(key);
            return true;
        }
        !self.left.contains_key(&identity)
    }

    fn push(&mut self, key: Key, identity: Identity) {
        self.due.entry(key).or_default().push_back(identity);
        *self.left.entry(identity).or_default() += 1;
    }

    /// Takes out the next one of a key.
    fn pop(&mut self, key: Key) -> Option<Identity> {
        let identity = self.due.get_mut(&key)?.pop_front()?;
        if let Some(left) = self.left.get_mut(&identity) {
            *left -= 1;
            if *left == 0 {
                self.left.remove(&identity);
            }
        }
        Some(identity)
    }

    /// It is left to the next pass.
    pub(super) fn defer(&mut self, key: Key, identity: Identity) {
        self.early.entry(key).or_default().insert(identity);
    }
}

#[derive(Debug, Default)]
struct State {
    /// By the number of the message that is under way.
    busy: HashMap<Key, u64>,
    /// The key of each message that was sent.
    sent: HashMap<u64, Key>,
    /// Why the key goes no further.
    held: HashMap<Key, String>,
    /// Messages of the plan that are no longer in the source, and how many of each.
    missing: HashMap<Identity, u64>,
    /// A pass has gone through the source for those that go first.
    first_over: bool,
    failed: u64,
    streak: u64,
    tripped: bool,
}

impl Course {
    /// # Errors
    /// `Usage` for a key that is no field.
    pub(super) fn new(pace: &Pace) -> Result<Self> {
        Ok(Self { keys: Keys::of(pace)?, most: pace.max_failures, state: Arc::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The order of what is still to be sent. What failed before holds up its key.
    pub(super) fn sequence(&self, plan: Option<&Plan>, journal: &journal::State) -> Sequence {
        let mut sequence = Sequence::default();
        let Some(plan) = plan.filter(|_| self.keys.is_some()) else { return sequence };
        let mut settled = self.lock().missing.clone();
        let (mut held, mut failed) = (Vec::new(), HashMap::new());
        for (_, entry) in journal.entries() {
            match entry.stage {
                Stage::Intended | Stage::Unsent(_) => continue,
                Stage::Failed(_) | Stage::Ambiguous(_) => _ = failed.insert(entry.identity, entry.id.clone()),
                Stage::Confirmed(_) | Stage::Stays(_) | Stage::Removed | Stage::Lost => {}
            }
            *settled.entry(entry.identity).or_default() += 1;
        }
        for left @ Left(digest, id, ..) in &journal.skipped {
            let identity = Identity::new(*digest, id);
            *settled.entry(identity).or_default() += 1;
            if left.is_behind() {
                failed.insert(identity, id.clone());
            }
        }
        for message in &plan.messages {
            let Some(Digest(key)) = message.key.as_deref().and_then(|key| key.parse().ok()) else { continue };
            let identity = Identity::new(message.digest, &message.id);
            if let Some(id) = failed.get(&identity) {
                held.push((key, id.clone()));
            }
            match settled.get_mut(&identity).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => sequence.push(key, identity),
            }
        }
        for (key, id) in held {
            self.holds(Some(key), &id);
        }
        sequence
    }

    /// Of the messages that go first, those that are still to come; `None` where there are none, or where a pass of this
    /// run has met all that are there.
    pub(super) fn first(&self, plan: Option<&Plan>, journal: &journal::State) -> Option<HashMap<Identity, u64>> {
        if self.lock().first_over {
            return None;
        }
        let mut first: HashMap<Identity, u64> = HashMap::new();
        for message in plan.into_iter().flat_map(|plan| &plan.messages).filter(|message| message.first) {
            *first.entry(Identity::new(message.digest, &message.id)).or_default() += 1;
        }
        if first.is_empty() {
            return None;
        }
        let taken = journal.entries().filter(|(_, entry)| !entry.stage.is_to_send()).map(|(_, entry)| entry.identity);
        let left = journal.skipped.iter().map(|Left(digest, id, ..)| Identity::new(*digest, id));
        for identity in taken.chain(left) {
            if let Some(count) = first.get_mut(&identity) {
                *count = count.saturating_sub(1);
            }
        }
        first.retain(|_, count| *count > 0);
        (!first.is_empty()).then_some(first)
    }

    /// The source was read to its end: what should have come before the messages that came too early is not there.
    pub(super) fn missed(&self, sequence: &mut Sequence) {
        let mut state = self.lock();
        state.first_over = true;
        for (key, early) in std::mem::take(&mut sequence.early) {
            while let Some(next) = sequence.due.get(&key).and_then(VecDeque::front)
                && !early.contains(next)
                && let Some(gone) = sequence.pop(key)
            {
                *state.missing.entry(gone).or_default() += 1;
            }
        }
    }

    /// The key of a message, where messages go key by key.
    pub(super) fn key(&self, message: &Message) -> Option<Key> {
        self.keys.as_ref()?.key(message)
    }

    /// Whether a message of that key may be sent.
    pub(super) fn admit(&self, key: Option<Key>) -> Admit {
        let Some(key) = key else { return Admit::Go };
        let state = self.lock();
        match state.held.get(&key) {
            Some(why) => Admit::Held(why.clone()),
            None if state.busy.contains_key(&key) => Admit::Wait,
            None => Admit::Go,
        }
    }

    /// The message of that number is under way.
    pub(super) fn sends(&self, seq: u64, key: Option<Key>) {
        if let Some(key) = key {
            let mut state = self.lock();
            state.busy.insert(key, seq);
            state.sent.insert(seq, key);
        }
    }

    /// The next of its key may go.
    pub(super) fn arrived(&self, seq: u64) {
        let mut state = self.lock();
        state.streak = 0;
        if let Some(key) = state.sent.get(&seq).copied() {
            state.busy.remove(&key);
        }
    }

    /// It did not arrive, or nobody knows. Why the run stops now, where it does.
    pub(super) fn failed(&self, seq: u64, id: &str, why: &str) -> Option<Error> {
        let mut state = self.lock();
        (state.failed, state.streak) = (state.failed + 1, state.streak + 1);
        if let Some(key) = state.sent.get(&seq).copied() {
            state.busy.remove(&key);
            state.held.entry(key).or_insert_with(|| behind(id, "did not get through"));
        }
        let what = match self.most {
            Some(most) if state.failed >= most => format!("{} failed", human::messages(state.failed)),
            None if state.streak >= STREAK => format!("{} in a row failed", human::messages(state.streak)),
            _ => return None,
        };
        if std::mem::replace(&mut state.tripped, true) {
            return None;
        }
        Some(
            Error::new(ErrorKind::Rejected, format!("the run stopped by itself: {what}, the last one because {why}"))
                .hint(
                    "mend what is wrong there, and go on with `postroom journal resume`; what failed is where it was",
                ),
        )
    }

    /// A message that stays: what comes behind it of its key stays, too.
    pub(super) fn holds(&self, key: Option<Key>, id: &str) {
        if let Some(key) = key {
            self.lock().held.entry(key).or_insert_with(|| behind(id, "stays"));
        }
    }

    /// Copies that came back: their keys go no further.
    pub(super) fn came_back(&self, seqs: impl IntoIterator<Item = u64>) {
        let mut state = self.lock();
        for seq in seqs {
            if let Some(key) = state.sent.get(&seq).copied() {
                let why = "it is held back: the copy of one before it of the same key came back".to_owned();
                state.held.entry(key).or_insert(why);
            }
        }
    }

    /// Why a run does not go on of whose copies so many came back.
    pub(super) fn objects_to(&self, bounced: u64, sent: u64) -> Option<String> {
        let failed = self.lock().failed;
        let stops = match self.most {
            Some(most) => bounced + failed >= most,
            None => bounced >= BACK.0 && bounced.saturating_mul(BACK.1) >= sent,
        };
        let also = if failed == 0 { String::new() } else { format!(", and {} failed", human::count(failed)) };
        (stops && bounced > 0).then(|| format!("{} of {} came back{also}", human::count(bounced), human::count(sent)))
    }

    /// Whether the operator named a number of failures.
    pub(super) fn is_told(&self) -> bool {
        self.most.is_some()
    }
}

/// What is said of a message that stays because of another.
pub(super) fn behind(id: &str, what: &str) -> String {
    format!("it is held back: {id}, before it of the same key, {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fields;

    fn message(key: Option<&'static str>, body: &'static str) -> Message {
        Message { key: key.map(Into::into), payload: Some(body.into()), ..Message::default() }
    }

    fn course(per_key: Option<&str>, max_failures: Option<u64>) -> Course {
        Course::new(&Pace { per_key: per_key.map(Into::into), max_failures, ..Pace::default() }).unwrap()
    }

    #[test]
    fn the_next_of_a_key_goes_when_the_one_before_it_arrived() {
        let course = course(Some("key"), None);
        let (a, b) = (course.key(&message(Some("a"), "1")), course.key(&message(Some("b"), "1")));
        assert_eq!(course.admit(a), Admit::Go);
        course.sends(1, a);
        assert_eq!((course.admit(a), course.admit(b)), (Admit::Wait, Admit::Go));
        course.arrived(1);
        course.sends(2, a);
        assert!(course.failed(2, "two", "no").is_none());
        assert!(matches!(course.admit(a), Admit::Held(why) if why.contains("two")));
        assert_eq!(course.admit(b), Admit::Go);
        course.sends(3, b);
        course.arrived(3);
        course.came_back([3]);
        assert!(matches!(course.admit(b), Admit::Held(why) if why.contains("came back")));
        assert_eq!(course.admit(None), Admit::Go);
    }

    #[test]
    fn what_comes_too_early_waits_for_what_the_plan_has_before_it() {
        let course = course(Some("key"), None);
        let messages: Vec<_> = ["1", "2", "3", "4"].iter().map(|body| message(Some("a"), body)).collect();
        let key = course.key(&messages[0]).unwrap();
        let ids: Vec<_> = messages.iter().map(|message| Identity::of(message).0).collect();
        let mut sequence = Sequence::default();
        for id in &ids {
            sequence.push(key, *id);
        }
        assert!(!sequence.is_next(key, ids[2]));
        sequence.defer(key, ids[2]);
        assert!(sequence.is_next(key, ids[0]));
        sequence.defer(key, ids[3]);
        // The second never came.
        course.missed(&mut sequence);
        assert!(sequence.is_next(key, ids[2]) && sequence.is_next(key, ids[3]));
        assert!(sequence.is_next(key, ids[0]), "what the plan does not name any more has no order");
        assert_eq!(course.lock().missing, HashMap::from([(ids[1], 1)]));
    }

    #[test]
    fn a_key_is_any_field() {
        let of = |field: &str, message: &Message| Keys::parse(field).unwrap().key(message);
        let one = message(Some("k"), r#"{"order":{"id":17}}"#);
        let two =
            Message { headers: Fields::from_iter([("order", "17")]), ..message(Some("l"), r#"{"order":{"id":"17"}}"#) };
        assert_eq!(of("body.order.id", &one), of("body.order.id", &two));
        assert_ne!(of("key", &one), of("key", &two));
        assert_eq!((of("header.order", &one), of("key", &message(None, ""))), (None, None));
        assert!(of("header.order", &two).is_some());
        assert_eq!(Keys::parse("order").unwrap_err().kind(), ErrorKind::Usage);
    }

    #[test]
    fn a_run_stops_by_itself_at_the_number_of_failures_or_when_nothing_gets_through() {
        let told = course(None, Some(2));
        assert!(told.failed(1, "a", "no").is_none());
        told.arrived(2);
        assert!(told.failed(3, "b", "no route").unwrap().message().contains("no route"));
        assert!(told.failed(4, "c", "no").is_none(), "once");
        let untold = course(None, None);
        for seq in 1..STREAK {
            assert!(untold.failed(seq, "a", "no").is_none());
        }
        untold.arrived(STREAK);
        assert!((0..STREAK - 1).all(|seq| untold.failed(seq, "a", "no").is_none()));
        assert!(untold.failed(0, "a", "no").is_some());
    }

    #[test]
    fn copies_that_come_back_stop_a_run_by_number_or_by_part() {
        let told = course(None, Some(3));
        assert_eq!((told.objects_to(2, 10).is_some(), told.objects_to(3, 1000).is_some()), (false, true));
        assert!(told.failed(1, "a", "no").is_none());
        assert!(told.objects_to(2, 10).unwrap().contains("1 failed"));
        let untold = course(None, None);
        let stops = [(9, 9), (10, 101), (10, 100), (0, 0)].map(|(back, sent)| untold.objects_to(back, sent).is_some());
        assert_eq!(stops, [false, false, true, false]);
    }
}
