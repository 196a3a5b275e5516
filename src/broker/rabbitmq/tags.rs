//! The delivery tags that are held, as runs: a million unsettled messages in order are one entry.

use std::collections::BTreeMap;

/// A set of tags.
#[derive(Debug, Default)]
pub(super) struct Tags {
    /// First and last tag of each run.
    runs: BTreeMap<u64, u64>,
    len: u64,
}

/// How to acknowledge some of them with few frames.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Plan {
    /// Up to this tag all that is held goes.
    pub(super) up_to: Option<u64>,
    /// These one by one.
    pub(super) single: Vec<u64>,
}

impl Tags {
    /// How many are held.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Whether this one is held.
    pub(super) fn contains(&self, tag: u64) -> bool {
        self.runs.range(..=tag).next_back().is_some_and(|(_, last)| *last >= tag)
    }

    /// Adds a tag.
    pub(super) fn insert(&mut self, tag: u64) {
        if self.contains(tag) {
            return;
        }
        self.len += 1;
        let mut last = tag;
        if let Some(end) = self.runs.remove(&(tag + 1)) {
            last = end;
        }
        if let Some((_, end)) = self.runs.range_mut(..tag).next_back()
            && *end + 1 == tag
        {
            *end = last;
            return;
        }
        self.runs.insert(tag, last);
    }

    /// Takes a tag out.
    pub(super) fn remove(&mut self, tag: u64) {
        let Some((&first, &last)) = self.runs.range(..=tag).next_back().filter(|(_, last)| **last >= tag) else {
            return;
        };
        self.len -= 1;
        self.runs.remove(&first);
        if first < tag {
            self.runs.insert(first, tag - 1);
        }
        if tag < last {
            self.runs.insert(tag + 1, last);
        }
    }

    /// How to acknowledge `tags`, which are held and sorted.
    pub(super) fn plan(&self, tags: &[u64]) -> Plan {
        let mut held = self.runs.iter().flat_map(|(first, last)| *first..=*last);
        let prefix = tags.iter().take_while(|tag| held.next() == Some(**tag)).count();
        let (together, single) = tags.split_at(prefix);
        match together {
            [one] => Plan { up_to: None, single: [&[*one], single].concat() },
            _ => Plan { up_to: together.last().copied(), single: single.to_vec() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(of: impl IntoIterator<Item = u64>) -> Tags {
        let mut tags = Tags::default();
        of.into_iter().for_each(|tag| tags.insert(tag));
        tags
    }

    #[test]
    fn runs_join_and_split() {
        let mut held = tags([1, 2, 4, 3, 9]);
        assert_eq!((held.runs.len(), held.len()), (2, 5));
        held.remove(2);
        held.remove(7);
        assert_eq!((held.runs.len(), held.len()), (3, 4));
        assert!(held.contains(1) && !held.contains(2) && held.contains(4) && held.contains(9));
    }

    #[test]
    fn only_a_prefix_of_all_that_is_held_goes_together() {
        let held = tags(1..=10);
        assert_eq!(held.plan(&[1, 2, 3]), Plan { up_to: Some(3), single: vec![] });
        assert_eq!(held.plan(&[1, 2, 5]), Plan { up_to: Some(2), single: vec![5] });
        assert_eq!(held.plan(&[1, 5]), Plan { up_to: None, single: vec![1, 5] });
        assert_eq!(held.plan(&[2, 3]), Plan { up_to: None, single: vec![2, 3] });
        assert_eq!(tags([3, 7]).plan(&[3, 7]), Plan { up_to: Some(7), single: vec![] });
    }
}
