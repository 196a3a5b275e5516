//! What was sent, as far as it takes to know it again: one small mark for each copy.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::VerifiedGroup;
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::{GroupId, Rules, fingerprint};
use crate::message::hash::hash;

/// A hash of a body, by which a copy without marks is known.
pub(super) type Content = [u8; 16];

/// Marks of all copies of a run, shared by those who send and those who watch.
#[derive(Clone, Debug)]
pub(in crate::operation) struct Witness {
    rules: Arc<Rules>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    /// By the message's number in the run.
    marks: HashMap<u64, Mark>,
    groups: Vec<(GroupId, String)>,
    known: HashMap<GroupId, usize>,
    sent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    /// Which of the groups the original was in.
    group: usize,
    /// The body that was sent, where the copy has no replay id.
    content: Option<Content>,
    confirmed: bool,
    back: bool,
}

impl Witness {
    pub(in crate::operation) fn new(rules: Arc<Rules>) -> Self {
        Self { rules, seen: Arc::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which group an original is in.
    pub(in crate::operation) fn group(&self, message: &Message) -> usize {
        let group = fingerprint(message, detect(message).as_ref(), &self.rules);
        let mut seen = self.lock();
        let Seen { groups, known, .. } = &mut *seen;
        *known.entry(group.id).or_insert_with(|| {
            groups.push((group.id, group.title));
            groups.len() - 1
        })
    }

    /// An original of that group that is going to be sent under this number.
    pub(in crate::operation) fn original(&self, seq: u64, group: usize) {
        self.lock().marks.entry(seq).or_insert(Mark { group, content: None, confirmed: false, back: false });
    }

    /// Its copy, as it goes out; `marked` where it has its replay id.
    pub(in crate::operation) fn copy(&self, seq: u64, message: &Message, marked: bool) {
        if let Some(mark) = self.lock().marks.get_mut(&seq) {
            mark.content = (!marked).then(|| content(message));
        }
    }

    /// A target has confirmed it.
    pub(in crate::operation) fn confirmed(&self, seq: u64) {
        let mut seen = self.lock();
        if let Some(mark) = seen.marks.get_mut(&seq).filter(|mark| !mark.confirmed) {
            mark.confirmed = true;
            seen.sent += 1;
        }
    }

    /// The copy of this number is dead again.
    pub(super) fn came_back(&self, seq: u64) {
        if let Some(mark) = self.lock().marks.get_mut(&seq) {
            mark.back = true;
        }
    }

    /// A copy with this body is dead again: whose it is, is not known, so it may be that of any.
    pub(super) fn came_back_as(&self, body: Content) {
        for mark in self.lock().marks.values_mut().filter(|mark| mark.content == Some(body)) {
            mark.back = true;
        }
    }

    /// The copies that were seen to be dead again.
    pub(in crate::operation) fn back(&self) -> Vec<u64> {
        self.lock().marks.iter().filter(|(_, mark)| mark.back).map(|(seq, _)| *seq).collect()
    }

    /// How many copies are confirmed.
    pub(super) fn sent(&self) -> u64 {
        self.lock().sent
    }

    /// Whether some copies are known by their bodies only.
    pub(super) fn has_unmarked(&self) -> bool {
        self.lock().marks.values().any(|mark| mark.confirmed && mark.content.is_some())
    }

    /// How many copies of each body have no mark, and the group of the first.
    pub(super) fn unmarked(&self) -> HashMap<Content, (u64, usize)> {
        let mut bodies = HashMap::new();
        for mark in self.lock().marks.values().filter(|mark| mark.confirmed) {
            if let Some(content) = mark.content {
                bodies.entry(content).or_insert((0, mark.group)).0 += 1;
            }
        }
        bodies
    }

    /// Which group the original of this number was in.
    pub(super) fn group_of(&self, seq: u64) -> Option<usize> {
        self.lock().marks.get(&seq).map(|mark| mark.group)
    }

    /// The name of a message's group now, and whether it is that group.
    pub(super) fn compare(&self, message: &Message, group: Option<usize>) -> (String, bool) {
        let now = fingerprint(message, detect(message).as_ref(), &self.rules);
        let same = group.is_some_and(|group| self.lock().groups.get(group).is_some_and(|(id, _)| *id == now.id));
        (format!("{} {}", now.id, now.title), same)
    }

    /// The groups, with how many of each were sent, in the order in which they were met.
    pub(super) fn groups(&self) -> Vec<VerifiedGroup> {
        let seen = self.lock();
        let mut groups: Vec<_> = seen
            .groups
            .iter()
            .map(|(id, title)| VerifiedGroup { id: id.to_string(), title: title.clone(), ..VerifiedGroup::default() })
            .collect();
        for mark in seen.marks.values().filter(|mark| mark.confirmed) {
            if let Some(group) = groups.get_mut(mark.group) {
                group.sent += 1;
            }
        }
        groups
    }
}

/// The hash of a message's body.
pub(super) fn content(message: &Message) -> Content {
    hash(message.body())
}
