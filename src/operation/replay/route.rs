//! Where each message of a replay goes: one target for all, or each its own origin; and the publishers to them.
//!
//! A target is opened, and so verified to exist, the first time a message goes there; one that is missing keeps its
//! messages in the source, with the reason.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{ReplayTo, headers};
use crate::broker::{Address, Broker, Publisher, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::failure::{Origin, detect};
use crate::message::{Message, redacted};
use crate::operation::edit::{self, Edit};
use crate::operation::fit;
use crate::operation::handled::Handled;
use crate::operation::place::Place;
use crate::operation::scan::{Router, To};

/// A destination that is open.
pub(crate) struct Lane {
    /// Its address, without secrets.
    pub(crate) address: String,
    /// The publisher to it.
    pub(crate) publisher: Arc<dyn Publisher>,
}

/// The destinations of a replay.
pub(crate) struct Routes {
    /// The broker that targets are on.
    broker: Arc<dyn Broker>,
    base: Address,
    /// The source, where it is on the same broker: nothing goes there.
    source: Option<Target>,
    fixed: Option<Target>,
    again: bool,
    same_partition: bool,
    edit: Option<Edit>,
    /// What the edit did to the messages that a scan showed.
    edits: edit::Tally,
    /// What earlier runs are done with.
    handled: Handled,
    lanes: Vec<Lane>,
    /// Lane numbers by target, or why the target can't be had.
    known: HashMap<Target, Result<u32, String>>,
}

/// Where a message goes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// To this lane, published with this key where its own does not do.
    To(u32, Option<Bytes>),
    /// Nowhere: it stays, and why.
    Stay(String),
}

impl Routes {
    /// Opens the fixed target; origins are opened as they are met.
    pub(super) async fn open(source: &Place, to: &ReplayTo, again: bool, edit: Option<Edit>) -> Result<Self> {
        let place = match to {
            ReplayTo::Origin => source,
            ReplayTo::Place(place) => place,
        };
        let same_broker =
            Arc::ptr_eq(&place.broker, &source.broker) || place.address.connection == source.address.connection;
        let mut routes = Self {
            broker: Arc::clone(&place.broker),
            base: place.address.clone(),
            source: source.address.target.clone().filter(|_| same_broker),
            fixed: None,
            again,
            same_partition: false,
            edit,
            edits: edit::Tally::default(),
            handled: Handled::default(),
            lanes: Vec::new(),
            known: HashMap::new(),
        };
        if let ReplayTo::Place(place) = to {
            let target = place.address.need_target()?.clone();
            if routes.is_source(&target) {
                return Err(Error::new(ErrorKind::Refused, format!("{} is the source itself", place.address))
                    .hint("name another target, or leave out --to to send each message to its origin"));
            }
            routes.lane(&target).await?.map_err(|why| Error::new(ErrorKind::NotFound, why))?;
            routes.fixed = Some(target);
        }
        Ok(routes)
    }

    /// Leaves alone what earlier runs handled, unless it is asked for again.
    pub(super) fn leave(&mut self, handled: Handled) {
        self.handled = if self.again { Handled::default() } else { handled };
    }

    /// Sends each message to the partition it came from.
    pub(super) fn keep_partitions(&mut self, same_partition: bool) {
        self.same_partition = same_partition;
    }

    /// The open destinations, by number.
    pub(crate) fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    /// Opens the destinations that a journal knows, so that they keep their numbers.
    ///
    /// # Errors
    /// What the broker says of any of them: a resume needs them all.
    pub(crate) async fn reopen(&mut self, addresses: &[String]) -> Result<()> {
        for address in addresses {
            let target = address.parse::<Address>()?.need_target()?.clone();
            self.lane(&target).await?.map_err(|why| Error::new(ErrorKind::NotFound, why))?;
        }
        Ok(())
    }

    /// Where the message goes.
    ///
    /// # Errors
    /// Only what would meet every message: a broker that can't be reached.
    pub(crate) async fn route(&mut self, message: &Message) -> Result<Route> {
        if message.is_redacted() {
            return Ok(Route::Stay(redacted::WHY.to_owned()));
        }
        let replays = headers::replays(message);
        if replays > 0 && !self.again {
            let times = if replays == 1 { "once".to_owned() } else { format!("{replays} times") };
            return Ok(Route::Stay(format!("it was replayed {times} before; --again sends it once more")));
        }
        if let Some(why) = self.handled.why(message) {
            return Ok(Route::Stay(why));
        }
        let origin = if self.fixed.is_none() || self.same_partition {
            detect(message).and_then(|failure| failure.origin)
        } else {
            None
        };
        let partition = match &origin {
            _ if !self.same_partition => None,
            Some(Origin::Topic { partition: Some(partition), .. }) => Some(*partition),
            // A record that says nothing of another place is at its own.
            None => message.position.and_then(|position| position.partition),
            Some(_) => None,
        };
        if self.same_partition && partition.is_none() {
            return Ok(Route::Stay("nothing in it says which partition it came from".into()));
        }
        let (target, key) = match (&self.fixed, origin) {
            (Some(target), _) => (target.clone(), None),
            (None, Some(origin)) => of_origin(origin),
            (None, None) => {
                return Ok(Route::Stay("nothing in it says where it came from; --to names a target".into()));
            }
        };
        let target = match (partition, target) {
            (Some(_), Target::Queue { name, .. }) => Target::Queue { name, partition },
            (_, target) => target,
        };
        if self.is_source(&target) {
            return Ok(Route::Stay("its origin is this queue itself; --to names another target".into()));
        }
        let lane = match self.lane(&target).await? {
            Ok(lane) => lane,
            Err(why) => return Ok(Route::Stay(why)),
        };
        Ok(Route::To(lane, key))
    }

    /// The message as it is sent on a route, where the edit changes it; and the route, for what is edited may have
    /// another key, and what fails or grew too large stays.
    pub(crate) fn edit(&self, route: Route, message: &Message) -> (Route, Option<Message>) {
        let Route::To(lane, key) = route else { return (route, None) };
        let edited = match self.edit.as_ref().map_or(Ok(None), |edit| edit.apply(message)) {
            Ok(edited) => edited,
            Err(why) => return (Route::Stay(why.to_string()), None),
        };
        let sent = edited.as_ref().unwrap_or(message);
        let max = self.lanes.get(lane as usize).and_then(|lane| lane.publisher.limits().max_bytes);
        if let Some(max) = max.filter(|max| sent.size() > *max) {
            let size = sent.size();
            return (Route::Stay(format!("it has {size} bytes, and the target takes {max} at most")), None);
        }
        // A key that the edit gives is meant.
        let key = key.filter(|_| sent.key == message.key);
        (Route::To(lane, key), edited)
    }

    /// What the edit did to the messages that a scan showed; `None` without an edit.
    pub(super) fn edits(&mut self) -> Option<(String, edit::Tally)> {
        let edit = self.edit.as_ref()?;
        Some((edit.text().to_owned(), std::mem::take(&mut self.edits)))
    }

    fn is_source(&self, target: &Target) -> bool {
        self.source.as_ref().and_then(Target::queue_name).is_some_and(|name| target.queue_name() == Some(name))
    }

    /// The lane to a target, opened at its first use; the inner error is why the target can't be had.
    async fn lane(&mut self, target: &Target) -> Result<Result<u32, String>> {
        if let Some(known) = self.known.get(target) {
            return Ok(known.clone());
        }
        let address = self.base.at(target.clone()).to_string();
        let lane = match self.broker.publisher(target).await {
            Ok(publisher) => {
                let number = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
                self.lanes.push(Lane { address, publisher });
                Ok(number)
            }
            Err(error) if is_of_the_target(&error) => Err(format!("{address} can't be sent to: {error}")),
            Err(error) => return Err(error.context("address", address)),
        };
        self.known.insert(target.clone(), lane.clone());
        Ok(lane)
    }

    /// Closes every publisher.
    pub(crate) async fn close(&self) -> Result<()> {
        let mut first = Ok(());
        for lane in &self.lanes {
            first = first.and(lane.publisher.close().await);
        }
        first
    }
}

#[async_trait]
impl Router for Routes {
    async fn to(&mut self, message: &Message) -> Result<To> {
        let route = self.route(message).await?;
        let goes = matches!(route, Route::To(..));
        let (route, edited) = self.edit(route, message);
        if goes && self.edit.is_some() {
            self.edits.count(message, matches!(route, Route::To(..)), edited.as_ref());
        }
        let lane = match route {
            Route::Stay(why) => return Ok(To::Stay(why)),
            Route::To(lane, _) => self.lanes.get(lane as usize),
        };
        let message = edited.as_ref().unwrap_or(message);
        Ok(lane.map_or_else(
            || To::Stay("its destination is not open".into()),
            |lane| {
                let types = lane.publisher.limits().header_types;
                let converted = fit::headers(message, types).map_or(0, |(_, converted)| converted);
                To::Address(lane.address.clone(), converted)
            },
        ))
    }
}

/// Whether an error says something about one target, and not about the broker.
fn is_of_the_target(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::Denied
            | ErrorKind::Locked
            | ErrorKind::Unsupported
            | ErrorKind::Usage
            | ErrorKind::Refused
    )
}

/// The target and the key for a message of that origin.
fn of_origin(origin: Origin) -> (Target, Option<Bytes>) {
    match origin {
        Origin::Queue(name) => (Target::queue(name), None),
        Origin::Exchange { exchange, routing_key } => {
            (Target::Exchange { name: exchange, routing_key: None }, Some(Bytes::from(routing_key)))
        }
        // The partitioner sends a key to where it belongs, also after the topic was given more partitions.
        Origin::Topic { topic, .. } => (Target::queue(topic), None),
    }
}
