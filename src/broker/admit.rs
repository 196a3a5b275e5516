//! What a capability refuses: the checks that the layers make for a whole broker and each backend for the queue named.

use super::{BrowseOptions, Capability, From, HeaderTypes, PublishLimits, Target, Wholesale};
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Message, Value, redacted};

fn unsupported(what: String, hint: &str) -> Error {
    Error::new(ErrorKind::Unsupported, what).hint(hint)
}

impl Capability {
    /// # Errors
    /// `Unsupported` where queues can't be listed.
    pub fn check_list(&self) -> Result<()> {
        if self.list {
            return Ok(());
        }
        Err(unsupported("this broker does not tell which queues it has".to_owned(), "name the queue: PROFILE:QUEUE"))
    }

    /// Checks the options of a look against what the queue (or at least one queue of the broker) can do.
    ///
    /// # Errors
    /// `Unsupported`, with what is missing and what to use instead.
    pub fn check_browse(&self, queue: &str, options: &BrowseOptions) -> Result<()> {
        if !self.browse {
            return Err(unsupported(format!("{queue:?} can't be looked at"), "it takes messages only"));
        }
        let (needs, has) = match options.from {
            From::First => ("", true),
            From::Last(_) | From::End => ("at its end", self.seek.tail),
            From::Offset(_) => ("at an offset", self.seek.offset),
            From::Time(_) => ("at a time", self.seek.time),
        };
        if !has {
            return Err(unsupported(
                format!("{queue:?} can't be read starting {needs}: its messages come oldest first"),
                "leave out --from, and use --filter or --limit to get to the messages",
            ));
        }
        let has = match options.until {
            None => true,
            Some(super::Until::Offset(_)) => self.seek.offset,
            Some(super::Until::Time(_)) => self.seek.time,
        };
        if !has {
            return Err(unsupported(
                format!("{queue:?} has no offsets or times to stop at"),
                "leave out --until, and use --filter or --limit",
            ));
        }
        if options.follow && !self.follow {
            return Err(unsupported(
                format!("{queue:?} can't be followed: whoever waits there takes messages from its consumers"),
                "look again later, or watch its depth",
            ));
        }
        Ok(())
    }

    /// # Errors
    /// `Unsupported` where messages can't be taken.
    pub fn check_take(&self, queue: &str) -> Result<()> {
        if self.take {
            return Ok(());
        }
        Err(unsupported(format!("messages of {queue:?} can't be taken out"), "capture copies them instead"))
    }

    /// # Errors
    /// `Unsupported` where the broker does no such thing by itself.
    pub fn check_wholesale(&self, queue: &str, what: &Wholesale) -> Result<()> {
        let (offered, verb) = match what {
            Wholesale::Drop => (self.server_side.drops, "emptied"),
            Wholesale::Move { .. } => (self.server_side.moves, "moved"),
        };
        if offered.is_some() {
            return Ok(());
        }
        Err(unsupported(format!("{queue:?} can't be {verb} by its broker itself"), "leave out --server-side"))
    }

    /// # Errors
    /// `Unsupported` where nothing can be published.
    pub fn check_publish(&self, target: &Target) -> Result<()> {
        if self.publish.is_some() {
            return Ok(());
        }
        Err(unsupported(format!("nothing can be published to \"{target}\""), "choose another target"))
    }
}

impl PublishLimits {
    /// Checks what can be known of a message before it is sent: nothing of it may be lost or changed on the way.
    ///
    /// # Errors
    /// `Rejected` with the first limit that it breaks.
    pub fn check(&self, message: &Message) -> Result<()> {
        let rejected = |why: String, hint: &str| Err(Error::new(ErrorKind::Rejected, why).hint(hint));
        // Only an archive keeps the mark that says so.
        if message.is_redacted() && self.header_types != HeaderTypes::Any {
            return rejected(redacted::WHY.to_owned(), "send the message from its queue or from a whole archive");
        }
        // AMQP's limit is on the body alone; the others count key and headers, too.
        let amqp = self.header_types == HeaderTypes::Amqp;
        let size = if amqp { message.body().len() as u64 } else { message.size() };
        if let Some(max) = self.max_bytes.filter(|max| size > *max) {
            return rejected(
                format!("the message of {size} bytes is larger than the {max} bytes that the target takes"),
                "raise the target's limit, or keep the message where it is",
            );
        }
        if message.payload.is_none() && !self.null_payload {
            return rejected(
                "the payload is null, and the target would make it empty".to_owned(),
                "give it an empty payload if its consumers don't tell the two apart",
            );
        }
        let count = message.headers.len();
        if let Some(max) = self.max_headers.filter(|max| count > *max as usize) {
            return rejected(
                format!("{count} headers are more than the {max} that the target takes"),
                "take some away by an edit",
            );
        }
        if let Some((name, _)) = message.headers.iter().find(|(_, value)| !self.header_types.holds(value)) {
            return rejected(
                format!("the header {name:?} has a type of value that the target can't hold"),
                "change or drop it by an edit",
            );
        }
        if !self.duplicate_headers
            && let Some(name) = repeated(message)
        {
            return rejected(
                format!("the header {name:?} is there more than once, and the target holds each name once"),
                "change or drop one by an edit",
            );
        }
        Ok(())
    }
}

impl HeaderTypes {
    /// Whether a value of this type survives.
    #[must_use]
    pub fn holds(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Any, _) => true,
            (Self::Bytes, value) => matches!(value, Value::Bytes(_) | Value::Null),
            (Self::Amqp, value) => !matches!(value, Value::Sqs { .. }),
            (Self::Sqs, Value::Sqs { value, .. }) => !value.is_empty(),
            (Self::Sqs, Value::Bytes(text)) => !text.is_empty() && std::str::from_utf8(text).is_ok(),
            (Self::Text, Value::Bytes(text)) => std::str::from_utf8(text).is_ok(),
            (Self::Sqs | Self::Text, _) => false,
        }
    }
}

/// A header name that is there more than once.
fn repeated(message: &Message) -> Option<&str> {
    let mut names: Vec<&str> = message.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.array_windows().find(|[a, b]| a == b).map(|[name, _]| *name)
}
