//! From the address that people type to an open broker and its policy.
//!
//! [`Places`] opens each connection once, however many addresses name it. Limits: nothing is looked up in the broker;
//! whether the queue exists is for the engine to find out.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::broker::archive::Archive;
use crate::broker::memory::demo;
use crate::broker::{self, Address, Broker, BrokerUrl, Connect, Connection, Tls};
use crate::config::{Config, Policy};
use crate::error::Result;
use crate::secret::Secret;

/// An open broker, the address it was opened for, and what is allowed on it.
#[derive(Clone, Debug)]
pub struct Place {
    /// The address as typed.
    pub address: Address,
    /// The broker, shared by all addresses on the same connection.
    pub broker: Arc<dyn Broker>,
    /// The profile's policy; the default for anything but a profile.
    pub policy: Policy,
}

type Slot = Arc<OnceCell<Arc<dyn Broker>>>;

/// Opens addresses.
#[derive(Debug)]
pub struct Places {
    config: Config,
    open: Mutex<Vec<(Connection, Slot)>>,
}

impl Places {
    /// Places of this configuration; nothing is opened yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, open: Mutex::default() }
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Opens the address's broker, or gives the one that is open.
    ///
    /// # Errors
    /// `Config` for an unknown profile or a secret that can't be had; else what the backend says.
    pub async fn open(&self, address: &Address) -> Result<Place> {
        let policy = self.policy(address)?;
        let slot = self.slot(&address.connection);
        let broker = slot.get_or_try_init(|| self.connect(&address.connection)).await?;
        Ok(Place { address: address.clone(), broker: Arc::clone(broker), policy })
    }

    /// What is allowed at an address, without opening it.
    ///
    /// # Errors
    /// `Config` for an unknown profile.
    pub fn policy(&self, address: &Address) -> Result<Policy> {
        match &address.connection {
            Connection::Profile(name) => Ok(self.config.profile(name)?.policy.clone()),
            _ => Ok(Policy::default()),
        }
    }

    fn slot(&self, connection: &Connection) -> Slot {
        // A poisoned list is whole: pushing to it is the only change.
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = open.iter().find(|(known, _)| known == connection) {
            return Arc::clone(slot);
        }
        let slot = Slot::default();
        open.push((connection.clone(), Arc::clone(&slot)));
        slot
    }

    async fn connect(&self, connection: &Connection) -> Result<Arc<dyn Broker>> {
        match connection {
            Connection::Profile(name) => {
                let profile = self.config.profile(name)?;
                let connect = profile.connect(self.config.environment()).await?;
                broker::open(&connect).await.map_err(|error| error.context("profile", name))
            }
            Connection::Url(url) => broker::open(&self.of_url(url)).await,
            Connection::File => Ok(broker::layers::wrap(Arc::new(Archive::new()))),
            Connection::Demo => Ok(broker::layers::wrap(Arc::new(demo::incident()))),
        }
    }

    /// A URL typed without a password takes it from `POSTROOM_PASSWORD`, so that it need not stand in a shell history.
    fn of_url(&self, url: &BrokerUrl) -> Connect {
        let mut url = url.clone();
        if url.password.is_none() {
            url.password = self.config.environment().get("POSTROOM_PASSWORD").map(Secret::new);
        }
        Connect { url, tls: Tls::default(), options: std::collections::BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;
    use crate::error::ErrorKind;

    #[test]
    fn a_url_without_a_password_takes_it_from_the_environment_and_one_with_keeps_its_own() {
        let environment = Environment::from_iter([("POSTROOM_PASSWORD", "geheim")]);
        let config = Config::load(None, environment).unwrap_or_default();
        let places = Places::new(config);
        let password = |text: &str| {
            let connect = places.of_url(&BrokerUrl::parse(text).unwrap());
            connect.url.password.map(|secret| secret.expose().to_owned())
        };
        assert_eq!(password("amqp://app@h/%2f").as_deref(), Some("geheim"));
        assert_eq!(password("amqp://app:own@h/%2f").as_deref(), Some("own"));
    }

    #[tokio::test]
    async fn an_unknown_profile_is_a_config_error() {
        let places = Places::new(Config::default());
        let error = places.open(&"shop:orders".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
    }
}
