//! What each key does in each place: the table's keys, and the operator's own.

use std::collections::{BTreeMap, HashMap};

use super::{Entry, Scope, TABLE};
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::tui::key::Key;

/// What each key does in each place.
#[derive(Clone, Debug)]
pub struct Keymap {
    does: HashMap<(Scope, Key), &'static Entry>,
    /// The operator's keys by a command's name.
    own: BTreeMap<String, Vec<Key>>,
}

impl Keymap {
    /// The table's keys, with the operator's own in the place of those of the commands that they name.
    ///
    /// # Errors
    /// `Config` for an unknown command, for what is no key, and for a key that would do two things in one place.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Self> {
        let fault = |text: String| Error::new(ErrorKind::Config, format!("in [tui.keys]: {text}"));
        let mut read = BTreeMap::new();
        for (name, keys) in own {
            if !TABLE.iter().any(|entry| entry.name == name) {
                let error = fault(format!("there is no command {name:?}"));
                let near = nearest(name, TABLE.iter().map(|entry| entry.name));
                return Err(match near {
                    Some(near) => error.hint(format!("did you mean {near}?")),
                    None => error.hint("the README lists the commands with their keys"),
                });
            }
            let keys: std::result::Result<Vec<Key>, String> = keys.iter().map(|key| key.parse()).collect();
            read.insert(name.clone(), keys.map_err(|why| fault(format!("{name}: {why}")))?);
        }
        let mut map = Self { does: HashMap::new(), own: read };
        for entry in TABLE {
            for key in map.keys(entry) {
                for scope in entry.scopes {
                    match map.does.insert((*scope, key), entry) {
                        Some(other) if other.command != entry.command => {
                            let where_ = scope.title();
                            return Err(fault(format!("{key} would be {} and {} in {where_}", other.name, entry.name))
                                .hint("give one of them another key"));
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(map)
    }

    /// The keys of a row of the table.
    fn keys(&self, entry: &Entry) -> Vec<Key> {
        match self.own.get(entry.name) {
            Some(own) => own.clone(),
            None => entry.keys.iter().filter_map(|key| key.parse().ok()).collect(),
        }
    }

    /// What a key does in a place.
    pub(crate) fn find(&self, scope: Scope, key: Key) -> Option<&'static Entry> {
        self.does.get(&(scope, key)).copied()
    }

    /// The keys of a command, the one to show first.
    pub(crate) fn shown(&self, entry: &Entry) -> Vec<String> {
        self.keys(entry).iter().map(ToString::to_string).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap(name: &str, key: &str) -> Result<Keymap> {
        Keymap::new(&BTreeMap::from([(name.to_owned(), vec![key.to_owned()])]))
    }

    #[test]
    fn every_key_of_the_table_is_a_key_and_does_one_thing_in_each_place() {
        for key in TABLE.iter().flat_map(|entry| entry.keys) {
            key.parse::<Key>().unwrap();
        }
        Keymap::new(&BTreeMap::new()).unwrap();
    }

    #[test]
    fn the_operators_keys_take_the_place_of_the_tables() {
        let map = keymap("replay", "R").unwrap();
        let find = |key: &str| map.find(Scope::Queues, key.parse().unwrap()).map(|entry| entry.name);
        assert_eq!((find("R"), find("r")), (Some("replay"), None));
        for (name, key, what) in
            [("rplay", "R", "no command"), ("replay", "hyper-x", "no key"), ("replay", "d", "replay and drain")]
        {
            let error = keymap(name, key).unwrap_err();
            assert!(error.to_string().contains(what), "{error}");
        }
        assert_eq!(keymap("rplay", "R").unwrap_err().hint_text(), Some("did you mean replay?"));
    }
}
