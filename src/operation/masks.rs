//! What people get to see of the messages of a place: the redact rules of its profile, and for archived messages those
//! of the profile that they were archived from.
//!
//! Limits: what is hidden is hidden in what is shown; ids of groups are made of messages as they are.

use super::place::Place;
use crate::broker::archive::SOURCE_ADDRESS;
use crate::broker::{Address, Connection};
use crate::config::{Config, Redaction};
use crate::message::Message;
use crate::message::failure::detect;
use crate::message::fingerprint::{Key, Rules};

/// The rules for the messages of one place; the default hides nothing.
#[derive(Clone, Debug, Default)]
pub struct Masks {
    own: Redaction,
    /// For an archive: profiles that hide something.
    archived: Vec<(String, Redaction)>,
}

impl Masks {
    /// Those of a place.
    #[must_use]
    pub fn of(place: &Place, config: &Config) -> Self {
        let archived = match &place.address.connection {
            Connection::File => config
                .profiles
                .values()
                .filter(|profile| !profile.policy.redaction.rules().is_empty())
                .map(|profile| (profile.name.clone(), profile.policy.redaction.clone()))
                .collect(),
            _ => Vec::new(),
        };
        Self { own: place.policy.redaction.clone(), archived }
    }

    /// These rules, for every message.
    #[must_use]
    pub fn new(own: Redaction) -> Self {
        Self { own, archived: Vec::new() }
    }

    /// The message as people may see it, never to be published; `None` where nothing of it is hidden.
    #[must_use]
    pub fn shown(&self, message: &Message) -> Option<Message> {
        let redaction = if self.own.rules().is_empty() { self.home(message)? } else { &self.own };
        Some(redaction.for_screen(message))
    }

    /// Whether there is no rule at all.
    #[must_use]
    pub fn hide_nothing(&self) -> bool {
        self.own.rules().is_empty() && self.archived.is_empty()
    }

    /// The message masked for good, and marked so that it is never sent as if it were the real one; `None` where no rule
    /// is for it.
    #[must_use]
    pub fn redacted(&self, message: &Message, rules: &Rules) -> Option<Message> {
        let group = Key::of(message, detect(message).as_ref(), rules).id();
        let mut masked = self.shown(message)?;
        masked.mark_redacted(group);
        Some(masked)
    }

    /// The rules of the profile that a message was archived from.
    fn home(&self, message: &Message) -> Option<&Redaction> {
        if self.archived.is_empty() {
            return None;
        }
        let home: Address = message.metadata.get_str(SOURCE_ADDRESS)?.parse().ok()?;
        let Connection::Profile(name) = home.connection else { return None };
        self.archived.iter().find(|(profile, _)| *profile == name).map(|(_, redaction)| redaction)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::broker::archive::Archive;
    use crate::config::{Environment, Policy};
    use crate::message::Value;

    #[test]
    fn an_archived_message_is_shown_as_the_profile_it_came_from_asks() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        let text = "[profiles.shop]\nurl = \"amqp://h/%2f\"\nredact = [\"body.card\"]\n";
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), Environment::default()).unwrap();
        let address = "file:a.jsonl".parse().unwrap();
        let place = Place { address, broker: Arc::new(Archive::new()), policy: Policy::default() };
        let masks = Masks::of(&place, &config);
        let mut message = Message { payload: Some(r#"{"card":4111}"#.into()), ..Message::default() };
        assert_eq!(masks.shown(&message), None);
        message.metadata.push(SOURCE_ADDRESS, Value::text("shop:orders.dlq"));
        assert_eq!(masks.shown(&message).unwrap().body(), br#"{"card":"***"}"#);
    }
}
