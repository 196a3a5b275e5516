//! Filters that were used: offered again, and kept between runs in the file `filters` of the state folder, one a line,
//! the newest last.
//!
//! The file is its owner's alone, and is put in place whole. Filters over a place whose profile hides something are not
//! kept, nor those over the demo: what is typed to find a hidden value is that value. Limits: where the file can't be read
//! or written there is no word about it, and filters last as long as the program; of two programs that write at the same
//! moment one may not keep the other's filter.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::broker::{Address, Connection};
use crate::config::{Environment, Redaction};
use crate::error::{Error, ErrorKind, Result};
use crate::operation::private;

/// Filters that are remembered.
const MOST: usize = 200;
/// Bytes of a filter that is kept, at most.
const LONGEST: usize = 4096;

/// The filters of this run and of those before it.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// The newest last.
    filters: Vec<String>,
    /// Those that were used where something is hidden.
    unkept: BTreeSet<String>,
    /// Some profile hides something.
    hides: bool,
}

impl History {
    /// With the filters of earlier runs; `hides` where some profile hides something.
    pub(crate) fn new(filters: Vec<String>, hides: bool) -> Self {
        Self { filters, unkept: BTreeSet::new(), hides }
    }

    /// The filters, the newest last.
    pub(crate) fn filters(&self) -> &[String] {
        &self.filters
    }

    /// Takes a filter that was used on messages of places, each with what is hidden there; whether it may be kept.
    pub(crate) fn take<'a>(
        &mut self,
        filter: &str,
        mut places: impl Iterator<Item = (&'a Address, Redaction)>,
    ) -> bool {
        add(&mut self.filters, filter);
        let is_open = |(address, redaction): (&Address, Redaction)| match address.connection {
            Connection::Demo => false,
            // An archive may hold messages of any profile.
            Connection::File => !self.hides,
            Connection::Profile(_) | Connection::Url(_) => redaction.rules().is_empty(),
        };
        if !places.all(is_open) {
            self.unkept.insert(filter.to_owned());
        }
        // What was typed where something is hidden is not kept for being used elsewhere, too.
        !self.unkept.contains(filter)
    }
}

/// Makes a filter the newest one.
fn add(filters: &mut Vec<String>, filter: &str) {
    filters.retain(|known| known != filter);
    filters.push(filter.to_owned());
    filters.drain(..filters.len().saturating_sub(MOST));
}

/// Where filters are kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    path: Option<PathBuf>,
    /// One is written after the other.
    turn: Arc<Mutex<()>>,
}

impl Kept {
    /// Those of this user.
    pub(crate) fn of_user(environment: &Environment) -> Self {
        Self { path: environment.state_folder().map(|folder| folder.join("filters")), turn: Arc::default() }
    }

    /// What earlier runs kept; nothing where it can't be read.
    pub(crate) fn load(&self) -> Vec<String> {
        self.read().unwrap_or_default()
    }

    fn read(&self) -> std::io::Result<Vec<String>> {
        let Some(path) = &self.path else { return Ok(Vec::new()) };
        let mut text = String::new();
        match File::open(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => _ = file?.take((MOST * (LONGEST + 1)) as u64).read_to_string(&mut text)?,
        }
        let mut filters = Vec::new();
        text.lines().filter(|line| is_line(line)).for_each(|line| add(&mut filters, line));
        Ok(filters)
    }

    /// Keeps one more. What is there and can't be read is left as it is.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn keep(&self, filter: &str) -> Result<()> {
        let Some(path) = self.path.as_deref().filter(|_| is_line(filter)) else { return Ok(()) };
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let write = || {
            // Another program may have kept some since.
            let mut filters = self.read()?;
            add(&mut filters, filter);
            path.parent().map_or(Ok(()), |folder| private::make_folder(folder, true))?;
            private::replace(path, (filters.join("\n") + "\n").as_bytes())
        };
        write().map_err(|error| {
            Error::new(ErrorKind::Io, format!("can't keep the filter in {}", path.display())).because(error)
        })
    }
}

/// Whether a filter can be a line of the file.
fn is_line(filter: &str) -> bool {
    !filter.trim().is_empty() && filter.len() <= LONGEST && !filter.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn kept(folder: &tempfile::TempDir) -> Kept {
        let state = folder.path().join("state").display().to_string();
        Kept::of_user(&Environment::from_iter([("POSTROOM_STATE", state)]))
    }

    #[test]
    fn filters_outlive_the_program_newest_last_each_once_and_bounded() {
        let folder = tempfile::tempdir().unwrap();
        assert!(kept(&folder).load().is_empty());
        for filter in ["age<1h", "class:Null", "age<1h"] {
            kept(&folder).keep(filter).unwrap();
        }
        assert_eq!(kept(&folder).load(), ["class:Null", "age<1h"]);
        (0..MOST).for_each(|n| kept(&folder).keep(&format!("id={n}")).unwrap());
        let filters = kept(&folder).load();
        assert_eq!((filters.len(), filters[0].as_str(), filters[MOST - 1].as_str()), (MOST, "id=0", "id=199"));
        // What is no line is not kept.
        for filter in ["", " ", "a\nb", &"x".repeat(LONGEST + 1)] {
            kept(&folder).keep(filter).unwrap();
        }
        assert_eq!(kept(&folder).load(), filters);
        let files: Vec<_> = fs::read_dir(folder.path().join("state")).unwrap().map(|file| file.unwrap()).collect();
        assert_eq!(files.len(), 1, "{files:?}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(folder.path().join("state").metadata().unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn what_can_not_be_read_is_harmless_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/filters");
        fs::create_dir(folder.path().join("state")).unwrap();
        fs::write(&path, b"age<1h\n\xff\n").unwrap();
        assert!(kept(&folder).load().is_empty());
        assert_eq!(kept(&folder).keep("a").unwrap_err().kind(), ErrorKind::Io);
        assert_eq!(fs::read(&path).unwrap(), b"age<1h\n\xff\n");
        // A folder in its place, and a file in the place of the folder.
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(kept(&folder).load().is_empty() && kept(&folder).keep("a").is_err());
        fs::remove_dir(&path).unwrap();
        fs::remove_dir(folder.path().join("state")).unwrap();
        fs::write(folder.path().join("state"), "").unwrap();
        assert!(kept(&folder).load().is_empty() && kept(&folder).keep("a").is_err());
        // Lines that another hand left are taken as far as they are filters.
        fs::remove_file(folder.path().join("state")).unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        fs::write(&path, "a\n\n\u{1b}[2J\r\nb\na").unwrap();
        assert_eq!(kept(&folder).load(), ["b", "a"]);
    }

    #[test]
    fn what_is_typed_where_something_is_hidden_is_never_kept() {
        let open = Redaction::default;
        let closed = || Redaction::new(vec!["body.card".parse().unwrap()]);
        let at = |text: &str| text.parse::<Address>().unwrap();
        let (shop, bank, demo, file) = (at("shop:a"), at("bank:a"), at("demo:a"), at("file:a.jsonl"));
        let mut history = History::new(vec!["old".into()], true);
        assert!(history.take("one", [(&shop, open())].into_iter()));
        assert!(!history.take("two", [(&shop, open()), (&bank, closed())].into_iter()));
        assert!(!history.take("two", [(&shop, open())].into_iter()), "it was typed where a card is hidden");
        assert!(!history.take("three", [(&demo, open())].into_iter()));
        assert!(!history.take("four", [(&file, open())].into_iter()));
        assert_eq!(history.filters(), ["old", "one", "two", "three", "four"]);
        assert!(History::default().take("four", [(&file, open())].into_iter()));
    }
}
