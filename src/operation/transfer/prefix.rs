//! Removing from a log: only everything before an offset goes, so that nothing is asked for out of order.
//!
//! A reader refuses a removal where something older of the partition is left. That is final only where the older one
//! stays; so nothing is settled while something before it is still on its way. What earlier runs have replayed is no
//! obstacle: it is removed as it is passed.

use std::collections::{BTreeMap, BTreeSet};

use super::settle::Confirmed;
use crate::broker::Token;
use crate::operation::handled::Handled;
use crate::operation::journal::record::Identity;

/// Removals without a message of this run among them wait until there are so many.
const FEW: usize = 1000;

/// What stands in the order of a log's deliveries; tokens ascend with it.
#[derive(Debug)]
pub(super) struct Prefix {
    /// What earlier runs have replayed.
    replayed: Handled,
    /// Met, not of this run, and replayed before.
    passing: BTreeSet<Token>,
    /// On their way to their copies.
    under_way: BTreeSet<Token>,
}

impl Prefix {
    pub(super) fn new(replayed: Handled) -> Self {
        Self { replayed, passing: BTreeSet::new(), under_way: BTreeSet::new() }
    }

    /// A delivery that this run leaves alone.
    pub(super) fn leave(&mut self, token: Token, identity: Identity) {
        if self.replayed.is_replayed(identity) {
            self.passing.insert(token);
        }
    }

    /// A delivery that is going to be copied.
    pub(super) fn send(&mut self, token: Token) {
        self.under_way.insert(token);
    }

    /// Its fate is known.
    pub(super) fn sent(&mut self, token: Token) {
        self.under_way.remove(&token);
    }

    /// Of what may be removed, that which nothing undecided stands before goes on, with what is passed; the rest comes
    /// back into `confirmed`. `last` where nothing comes after.
    pub(super) fn front(
        &mut self,
        ready: BTreeMap<u64, Confirmed>,
        confirmed: &mut BTreeMap<u64, Confirmed>,
        last: bool,
    ) -> (Vec<Token>, BTreeMap<u64, Confirmed>) {
        let held_back = confirmed.values().map(|confirmed| confirmed.token).min();
        let horizon = self.under_way.first().copied().into_iter().chain(held_back).min();
        let before = |token: Token| horizon.is_none_or(|horizon| token < horizon);
        let (front, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
            ready.into_iter().partition(|(_, confirmed)| before(confirmed.token));
        confirmed.extend(rest);
        if front.is_empty() && self.passing.len() < FEW && !last {
            return (Vec::new(), front);
        }
        let behind = horizon.map(|horizon| self.passing.split_off(&horizon)).unwrap_or_default();
        (std::mem::replace(&mut self.passing, behind).into_iter().collect(), front)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn confirmed(seqs: &[u64]) -> BTreeMap<u64, Confirmed> {
        let of = |seq: &u64| Confirmed { token: Token(*seq * 10), id: String::new(), to: 0, twice: false };
        seqs.iter().map(|seq| (*seq, of(seq))).collect()
    }

    #[test]
    fn nothing_goes_while_something_before_it_is_on_its_way() {
        let mut prefix = Prefix::new(Handled::default());
        prefix.under_way = [Token(10), Token(20), Token(30)].into();
        prefix.passing = [Token(5), Token(15), Token(35)].into();
        prefix.sent(Token(10));
        prefix.sent(Token(30));
        let mut later = BTreeMap::new();
        let (passing, front) = prefix.front(confirmed(&[1, 3]), &mut later, false);
        assert_eq!((passing, front.into_keys().collect::<Vec<_>>()), (vec![Token(5), Token(15)], vec![1]));
        assert_eq!(later.keys().copied().collect::<Vec<_>>(), [3]);
        prefix.sent(Token(20));
        // The newest is held back by the caller: what stands behind it waits, too.
        let mut held = confirmed(&[3]);
        let (passing, front) = prefix.front(confirmed(&[2]), &mut held, false);
        assert_eq!((passing, front.len()), (vec![], 1));
        let (passing, front) = prefix.front(held, &mut BTreeMap::new(), true);
        assert_eq!((passing, front.len()), (vec![Token(35)], 1));
    }
}
