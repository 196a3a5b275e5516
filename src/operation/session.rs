//! What every front end starts from: the places of the configuration, this user's journals, and the clock.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::control::Clock;
use super::journal::Journals;
use super::place::Places;
use crate::broker::memory::demo;
use crate::broker::{Address, Connection};
use crate::config::{Config, Environment};
use crate::error::{Error, ErrorKind, Result};
use crate::message::fingerprint::{NamedSchemas, Rules};

/// Places, journals and the clock.
#[derive(Debug)]
pub struct Session {
    /// Opens addresses.
    pub places: Places,
    now: Option<Timestamp>,
}

impl Session {
    /// Reads the configuration. `POSTROOM_NOW` fixes the clock, for tests and for documentation made from real output.
    ///
    /// # Errors
    /// As [`Config::load`]; `Usage` for a clock that is no time.
    pub fn open(file: Option<&Path>, environment: Environment) -> Result<Self> {
        let now = environment.get("POSTROOM_NOW").map(str::parse::<Timestamp>).transpose().map_err(|error| {
            Error::new(ErrorKind::Usage, "POSTROOM_NOW is not a time").hint("write 2026-03-02T10:11:12Z").because(error)
        })?;
        Ok(Self { places: Places::new(Config::load(file, environment)?), now })
    }

    /// Reads payloads by these schemas, too, before those of the profiles.
    ///
    /// # Errors
    /// `Usage` for a registry's URL that is none.
    pub fn read_by(self, named: &NamedSchemas) -> Result<Self> {
        let config = self.places.config().clone().read_by(named)?;
        Ok(Self { places: Places::new(config), ..self })
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }

    /// The time at an address: in the demo it stands still.
    #[must_use]
    pub fn now_at(&self, address: &Address) -> Timestamp {
        if address.connection == Connection::Demo { demo::NOW } else { self.now() }
    }

    /// The clock that engines go by.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.now.map_or_else(Clock::system, Clock::fixed)
    }

    /// The operator's rules for grouping, and the schemas of payloads.
    #[must_use]
    pub fn rules(&self) -> &Arc<Rules> {
        &self.places.config().rules
    }

    /// This user's journals.
    ///
    /// # Errors
    /// `Config` where there is no folder for them.
    pub fn journals(&self) -> Result<Journals> {
        Journals::of_user(self.places.config().environment())
    }
}

/// What the screens open with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// A broker, a queue or an archive; without one, every profile.
    pub address: Option<Address>,
    /// Whether there are colours, where that was said; else the environment decides.
    pub colour: Option<bool>,
}

/// Opens the screens on this terminal and runs them to their end: the exit code. The front ends don't know each other,
/// so the program hands this one to the command line.
pub type OpenScreens = fn(Session, &Start) -> Result<u8>;
