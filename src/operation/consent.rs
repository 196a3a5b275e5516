//! Which places a write changes, and what their policies ask for: nothing, the queue's name, or a refusal.
//!
//! Limits: how the operator is asked is the front end's business. Nothing is opened here: a refusal by policy comes
//! before any connection.

use super::place::{Place, Places};
use super::replay::ReplayTo;
use crate::broker::Address;
use crate::config::Policy;
use crate::error::{Error, ErrorKind, Result};

/// A place that a write changes, and its policy.
#[derive(Clone, Debug)]
pub struct Changed {
    address: Address,
    policy: Policy,
}

impl Changed {
    /// The place of an address.
    ///
    /// # Errors
    /// `Config` for an unknown profile.
    pub fn at(address: &Address, places: &Places) -> Result<Self> {
        Ok(Self { address: address.clone(), policy: places.policy(address)? })
    }
}

impl From<&Place> for Changed {
    fn from(place: &Place) -> Self {
        Self { address: place.address.clone(), policy: place.policy.clone() }
    }
}

/// Refuses a write to a read-only profile.
///
/// # Errors
/// `Refused`.
pub fn refuse_read_only(changed: &[Changed]) -> Result<()> {
    changed.iter().find(|place| place.policy.read_only).map_or(Ok(()), |place| {
        Err(Error::new(ErrorKind::Refused, format!("{} is read-only", place.address))
            .hint("the profile says read_only = true; use another profile, or change it in the config file"))
    })
}

/// The first place that is production: its address, and what has to be typed for it, the queue's name as in the address.
#[must_use]
pub fn production(changed: &[Changed]) -> Option<(String, String)> {
    let place = changed.iter().find(|place| place.policy.production)?;
    let name = place.address.target.as_ref().map(ToString::to_string).unwrap_or_default();
    Some((place.address.to_string(), name))
}

/// Both ends of a replay, before anything is opened.
#[derive(Clone, Debug)]
pub struct Ends {
    source: Address,
    to: Option<Address>,
    /// The places that it changes. A source that keeps its messages is none; the origin is on the source's own broker.
    pub changed: Vec<Changed>,
}

impl Ends {
    /// Reads the target, `origin` or an address, and looks up the policies.
    ///
    /// # Errors
    /// `Usage` for what is no address, `Config` for an unknown profile.
    pub fn new(source: &Address, to: &str, keep: bool, places: &Places) -> Result<Self> {
        let to = if to == "origin" { None } else { Some(to.parse::<Address>()?) };
        let source_changes = (!keep || to.is_none()).then_some(source);
        let changed = source_changes.into_iter().chain(&to).map(|address| Changed::at(address, places));
        Ok(Self { source: source.clone(), changed: changed.collect::<Result<_>>()?, to })
    }

    /// Another place that the run changes.
    ///
    /// # Errors
    /// `Config` for an unknown profile.
    pub fn also(mut self, other: Option<&Address>, places: &Places) -> Result<Self> {
        if let Some(other) = other {
            self.changed.push(Changed::at(other, places)?);
        }
        Ok(self)
    }

    /// Opens both.
    ///
    /// # Errors
    /// As [`Places::open`].
    pub async fn open(&self, places: &Places) -> Result<(Place, ReplayTo)> {
        let source = places.open(&self.source).await?;
        let to = match &self.to {
            None => ReplayTo::Origin,
            Some(address) => ReplayTo::Place(Box::new(places.open(address).await?)),
        };
        Ok((source, to))
    }
}
