//! Where each message of a replay goes: one target for all, or each its own origin; and the publishers to them.
//!
//! A target is opened, and so verified to exist, the first time a message goes there; one that is missing keeps its
//! messages in the source, with the reason.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::headers::{Purpose, Stamp, Stripped};
use super::{ReplayRequest, ReplayTo, headers};
use crate::broker::{Address, Broker, Connection, Publisher, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::message::codec::{self, Fit};
use crate::message::failure::{Origin, detect};
use crate::message::fingerprint::Rules;
use crate::message::{Message, redacted};
use crate::operation::course::{Admit, Course};
use crate::operation::edit::{Edit, Made, Tally};
use crate::operation::fit;
use crate::operation::handled::Handled;
use crate::operation::place::Place;
use crate::operation::plan::{HeaderPolicy, Verb};
use crate::operation::restore::Restore;
use crate::operation::scan::{Router, To};
use crate::text::human;

/// A destination that is open.
pub(crate) struct Lane {
    /// Its address, without secrets.
    pub(crate) address: String,
    /// The publisher to it.
    pub(crate) publisher: Arc<dyn Publisher>,
    /// How its copies are marked.
    pub(crate) stamp: Stamp,
    /// It is on another kind of broker than the source: what only the one knows gets lost on the other.
    other_kind: bool,
}

/// What becomes of a message on its route.
pub(crate) struct Change {
    /// What the edit made of its body does not fit: it stays, or goes all the same.
    misfit: bool,
    /// Where it goes after all.
    pub(crate) route: Route,
    /// What is sent instead of it.
    pub(crate) message: Option<Message>,
    /// Its number in the run that is taken back.
    pub(crate) seq: Option<u64>,
}

/// What is done with messages that were replayed too often.
struct Parking {
    /// How often a message is replayed at most.
    most: Option<u64>,
    /// Where one goes that was replayed so often; without it, it stays.
    place: Option<Place>,
    /// The lane to it, or why it can't be had; opened at its first use.
    lane: Option<Result<u32, String>>,
}

/// The destinations of a replay.
pub(crate) struct Routes {
    /// The broker that targets are on.
    broker: Arc<dyn Broker>,
    base: Address,
    /// The source, where it is on the same broker: nothing goes there.
    source: Option<Target>,
    /// The kind of the source's broker.
    kind: &'static str,
    /// What an undo puts back.
    restore: Option<Arc<Restore>>,
    fixed: Option<Target>,
    again: bool,
    same_partition: bool,
    /// How copies are marked, but for those that are parked.
    stamp: Stamp,
    parking: Parking,
    stripped: Stripped,
    edit: Option<Edit>,
    /// What does not fit its schema as edited goes all the same.
    send_misfits: bool,
    /// The operator's rules: groups are told by them, and edited bodies are checked by their schemas.
    rules: Arc<Rules>,
    /// What the edit did to the messages that a scan showed.
    edits: Tally,
    /// What earlier runs are done with.
    handled: Handled,
    /// Which keys a scan has seen to go no further.
    course: Course,
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
    /// Opens the fixed target, and the place to park in; origins are opened as they are met.
    pub(super) async fn open(request: &ReplayRequest) -> Result<Self> {
        let (source, park) = (&request.source, request.park.as_deref());
        let place = match &request.to {
            ReplayTo::Origin => source,
            ReplayTo::Place(place) => place,
        };
        let purpose = match request.verb {
            Verb::Drain => Purpose::Park,
            Verb::Undo => Purpose::Undo,
            _ => Purpose::Replay,
        };
        let reason = request.reason.as_deref().map(Arc::from);
        let mut routes = Self {
            broker: Arc::clone(&place.broker),
            base: place.address.clone(),
            source: source.address.target.clone().filter(|_| same_broker(place, source)),
            kind: source.broker.info().kind,
            restore: request.restore.clone(),
            fixed: None,
            again: request.again || purpose != Purpose::Replay,
            same_partition: request.same_partition,
            stamp: Stamp { purpose, reason: reason.filter(|_| purpose == Purpose::Park) },
            parking: Parking { most: request.max_replays, place: park.cloned(), lane: None },
            stripped: Stripped::default(),
            edit: request.edit.clone(),
            send_misfits: request.send_misfits,
            rules: Arc::clone(&request.rules),
            edits: Tally::default(),
            handled: Handled::default(),
            course: Course::new(&request.pace)?,
            lanes: Vec::new(),
            known: HashMap::new(),
        };
        if let ReplayTo::Place(place) = &request.to {
            let target = place.address.need_target()?.clone();
            if routes.is_source(&target) {
                return Err(
                    is_source(place).hint("name another target, or leave out --to to send each message to its origin")
                );
            }
            routes.lane(&target).await?.map_err(|why| Error::new(ErrorKind::NotFound, why))?;
            routes.fixed = Some(target);
        }
        if let Some(park) = park {
            let target = park.address.need_target()?;
            if same_broker(park, source) && Some(target) == source.address.target.as_ref() {
                return Err(is_source(park).hint("name another place to park in"));
            }
            if same_broker(park, place) && Some(target) == routes.fixed.as_ref() {
                let what = format!("{} is the target and the place to park in", park.address);
                return Err(Error::new(ErrorKind::Refused, what).hint("name another place to park in"));
            }
            // An archive is made when the first message goes there.
            if park.address.connection != Connection::File {
                routes.park().await?.map_err(|why| Error::new(ErrorKind::NotFound, why))?;
            }
        }
        Ok(routes)
    }

    /// The lane to the place to park in; the inner error is why it can't be had.
    async fn park(&mut self) -> Result<Result<u32, String>> {
        if let Some(known) = &self.parking.lane {
            return Ok(known.clone());
        }
        let Some(place) = self.parking.place.clone() else {
            return Ok(Err("it was replayed too often; --park ADDRESS sets such messages aside".into()));
        };
        let target = place.address.need_target()?.clone();
        let stamp = Stamp::new(Purpose::Park);
        let lane = self.open_lane(&*place.broker, &target, place.address.to_string(), stamp).await?;
        self.parking.lane = Some(lane.clone());
        Ok(lane)
    }

    /// Leaves alone what earlier runs handled, unless it is asked for again. A log keeps also what went back from it, which
    /// does not go back twice.
    pub(super) fn leave(&mut self, handled: Handled) {
        let once = !self.again || self.stamp.purpose == Purpose::Undo;
        self.handled = if once { handled } else { Handled::default() };
    }

    /// Whether a message that stays was sent by an earlier run, so that nothing behind it has to wait for it.
    pub(crate) fn is_done_with(&self, message: &Message) -> bool {
        headers::replays(message) > 0 || self.handled.why(message).is_some()
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
        let park = self.parking.place.as_ref().map(|place| place.address.to_string());
        for address in addresses {
            let lane = if park.as_ref() == Some(address) {
                self.park().await?
            } else {
                self.lane(address.parse::<Address>()?.need_target()?).await?
            };
            lane.map_err(|why| Error::new(ErrorKind::NotFound, why))?;
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
        let times = || if replays == 1 { "once".to_owned() } else { format!("{} times", human::count(replays)) };
        match self.parking.most.filter(|_| self.stamp.purpose == Purpose::Replay) {
            Some(most) if replays >= most => {
                return Ok(match (self.parking.place.is_some(), self.park().await?) {
                    (true, Ok(lane)) => Route::To(lane, None),
                    (true, Err(why)) => Route::Stay(why),
                    (false, _) => Route::Stay(format!(
                        "it was replayed {} before, as often as --max-replays allows; --park ADDRESS sets it aside",
                        times()
                    )),
                });
            }
            None if replays > 0 && !self.again => {
                return Ok(Route::Stay(format!("it was replayed {} before; --again sends it once more", times())));
            }
            _ => {}
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

    /// What becomes of a message on a route: what is edited may have another key, and what fails or grew too large
    /// stays.
    pub(crate) fn change(&self, route: Route, message: &Message) -> Change {
        let none = |route| Change { misfit: false, route, message: None, seq: None };
        let Route::To(lane, key) = route else { return none(route) };
        if let Some(restore) = &self.restore {
            return match restore.restore(message) {
                Ok((seq, message)) => Change { misfit: false, route: Route::To(lane, key), message, seq },
                Err(why) => none(Route::Stay(why)),
            };
        }
        // What is parked is set aside as it is.
        if self.parking.lane == Some(Ok(lane)) {
            return none(Route::To(lane, key));
        }
        let before = message;
        let (route, message) = self.edit(lane, key, before);
        let why = message.as_ref().filter(|after| after.payload != before.payload).and_then(|after| self.misfit(after));
        match why {
            Some(_) if self.send_misfits => Change { misfit: true, route, message, seq: None },
            Some(why) => Change { misfit: true, ..none(Route::Stay(why)) },
            None => Change { misfit: false, route, message, seq: None },
        }
    }

    /// Whether the copy on a lane does not tell all that the message was, without an edit.
    pub(crate) fn loses(&self, lane: u32, message: &Message) -> bool {
        self.lanes
            .get(lane as usize)
            .is_some_and(|lane| lane.other_kind || lane.stamp.loses(message, lane.publisher.limits().header_types))
    }

    /// Why an edited body does not go out: it does not fit its schema, or nobody knows.
    fn misfit(&self, edited: &Message) -> Option<String> {
        match codec::fits(edited, self.rules.schemas()?) {
            Fit::Free | Fit::Fits => None,
            Fit::Misfit(why) => Some(format!("as edited it does not fit its schema: {why}")),
            Fit::Unknown(why) => Some(format!("whether it fits its schema as edited is not known: {why}")),
        }
    }

    fn edit(&self, lane: u32, key: Option<Bytes>, message: &Message) -> (Route, Option<Message>) {
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
    pub(super) fn edits(&mut self) -> Option<(String, Tally)> {
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
        let (broker, stamp) = (Arc::clone(&self.broker), self.stamp.clone());
        let lane = self.open_lane(&*broker, target, address, stamp).await?;
        self.known.insert(target.clone(), lane.clone());
        Ok(lane)
    }

    async fn open_lane(
        &mut self,
        broker: &dyn Broker,
        target: &Target,
        address: String,
        stamp: Stamp,
    ) -> Result<Result<u32, String>> {
        match broker.publisher(target).await {
            Ok(publisher) => {
                let number = u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
                let other_kind = broker.info().kind != self.kind;
                self.lanes.push(Lane { address, publisher, stamp, other_kind });
                Ok(Ok(number))
            }
            Err(error) if is_of_the_target(&error) => Ok(Err(format!("{address} can't be sent to: {error}"))),
            Err(error) => Err(error.context("address", address)),
        }
    }

    /// What may be taken out, and what is put in.
    pub(super) fn policy(&self) -> HeaderPolicy {
        self.stamp.policy()
    }

    /// The same, counted over the messages that a scan showed.
    pub(super) fn counted_policy(&self, converted: Option<u64>) -> HeaderPolicy {
        self.stripped.policy(&self.stamp, converted)
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
        let key = self.course.key(message);
        if let Admit::Held(why) = self.course.admit(key) {
            return Ok(To::stay(why));
        }
        let route = self.route(message).await?;
        let goes = matches!(route, Route::To(..));
        let parked = matches!(route, Route::To(lane, _) if self.parking.lane == Some(Ok(lane)));
        let Change { misfit, route, message: edited, .. } = self.change(route, message);
        if goes && !parked && self.edit.is_some() {
            let made = match (&route, &edited) {
                _ if misfit => Made::Misfit,
                (Route::Stay(_), _) => Made::Failed,
                (Route::To(..), Some(after)) => Made::Changed(after),
                (Route::To(..), None) => Made::Unchanged,
            };
            self.edits.count(message, made, &self.rules);
        }
        let lane = match route {
            Route::Stay(why) => {
                let done = self.is_done_with(message);
                if !done {
                    self.course.holds(key, &message.id);
                }
                return Ok(To::Stay { why, done });
            }
            Route::To(lane, _) => self.lanes.get(lane as usize),
        };
        let message = edited.as_ref().unwrap_or(message);
        let Some(lane) = lane else { return Ok(To::stay("its destination is not open")) };
        let types = lane.publisher.limits().header_types;
        self.stripped.count(message, &lane.stamp, types);
        let converted = fit::fitted(message, types).map_or(0, |fitted| fitted.converted);
        Ok(To::Address(lane.address.clone(), converted))
    }
}

/// Whether two places are on one broker.
fn same_broker(one: &Place, other: &Place) -> bool {
    Arc::ptr_eq(&one.broker, &other.broker) || one.address.connection == other.address.connection
}

fn is_source(place: &Place) -> Error {
    Error::new(ErrorKind::Refused, format!("{} is the source itself", place.address))
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
