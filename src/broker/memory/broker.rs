//! The memory broker as a [`Broker`].

use std::sync::Arc;

use async_trait::async_trait;

use super::Memory;
use super::cost::{read_cost, rescuable};
use super::describe::describe;
use super::groups;
use super::line_reader::LineReader;
use super::log_reader::LogReader;
use super::profile::Profile;
use super::publisher::MemoryPublisher;
use super::spec::QueueSpec;
use super::state::{Route, Store};
use super::wholesale::Shovel;
use crate::broker::names::glob;
use crate::broker::{
    Broker, BrokerInfo, BrowseOptions, Capability, CostKind, From, Groups, ListFilter, Listing, Log, Publisher,
    QueueInfo, Reader, Remove, ServerSide, TakeOptions, Target, Underway, Wholesale,
};
use crate::error::{Error, ErrorKind, Result};

#[async_trait]
impl Broker for Memory {
    fn info(&self) -> BrokerInfo {
        BrokerInfo {
            kind: "memory",
            term: "queue",
            place: self.0.name.clone(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            notes: Vec::new(),
        }
    }

    fn capability(&self) -> Capability {
        let state = self.0.state();
        let all = state.queues.values().map(|queue| queue.spec.profile.capability());
        all.reduce(either).unwrap_or(Profile::RabbitClassic.capability())
    }

    async fn ping(&self) -> Result<BrokerInfo> {
        self.0.point("ping").await?;
        Ok(self.info())
    }

    async fn list(&self, filter: &ListFilter) -> Result<Listing> {
        self.0.point("list").await?;
        let matcher = filter.glob.as_deref().map(glob).transpose()?;
        let mut state = self.0.state();
        let names: Vec<String> = state.queues.keys().cloned().collect();
        for name in &names {
            // Lets what is due expire before it is counted.
            state.queue(name, self.now())?;
        }
        let wanted = state.queues.values().filter(|q| matcher.as_ref().is_none_or(|m| m.is_match(&q.spec.name)));
        Ok(Listing { queues: wanted.map(|queue| describe(&state, queue)).collect(), notes: Vec::new() })
    }

    async fn describe(&self, queue: &str) -> Result<QueueInfo> {
        self.0.point("describe").await?;
        let mut state = self.0.state();
        state.queue(queue, self.now())?;
        let state = &*state;
        state.queues.get(queue).map(|queue| describe(state, queue)).ok_or_else(|| missing(queue))
    }

    async fn log(&self, queue: &str) -> Result<Option<Log>> {
        self.0.point("log").await?;
        let mut state = self.0.state();
        let found = state.queue(queue, self.now())?;
        Ok(match &found.store {
            Store::Log(log) if found.spec.profile == Profile::Kafka => {
                Some(Log { identity: format!("{}/{queue}", self.0.name), extents: log.extents() })
            }
            _ => None,
        })
    }

    async fn groups(&self, queue: &str) -> Result<Groups> {
        self.0.point("groups").await?;
        let groups = groups::of(self.0.state().queue(queue, self.now())?)?;
        Ok(Groups { groups, notes: Vec::new() })
    }

    async fn offsets(&self, queue: &str, at: From) -> Result<Vec<(i32, u64)>> {
        self.0.point("offsets").await?;
        groups::offsets(self.0.state().queue(queue, self.now())?, at)
    }

    async fn set_offsets(&self, queue: &str, group: &str, offsets: &[(i32, u64)]) -> Result<()> {
        self.0.point("set offsets").await?;
        groups::set(self.0.state().queue(queue, self.now())?, group, offsets)
    }

    async fn browse(&self, queue: &str, options: BrowseOptions) -> Result<Box<dyn Reader>> {
        self.0.point("browse").await?;
        let mut state = self.0.state();
        let found = state.queue(queue, self.now())?;
        unlocked(&found.spec)?;
        found.spec.capability().check_browse(queue, &options)?;
        if let Some(why) = read_cost(found).refused
            && !(options.rescue && rescuable(found))
        {
            let hint = if rescuable(found) {
                "--rescue puts those messages back as new copies at the tail; drain takes them out"
            } else {
                "drain or replay takes messages out instead of looking"
            };
            return Err(Error::new(ErrorKind::Refused, format!("a look at {queue:?} is refused: {why}")).hint(hint));
        }
        let reader: Box<dyn Reader> = match &found.store {
            Store::Line(line) => {
                let (end, len) = (line.end(), line.len());
                let owner = state.connect();
                Box::new(LineReader::browse(self.0.clone(), queue, owner, (end, len), options))
            }
            Store::Log(_) => Box::new(LogReader::browse(self.0.clone(), &mut state, queue, options)?),
        };
        Ok(reader)
    }

    async fn take(&self, queue: &str, options: TakeOptions) -> Result<Box<dyn Reader>> {
        self.0.point("take").await?;
        let mut state = self.0.state();
        let found = state.queue(queue, self.now())?;
        unlocked(&found.spec)?;
        found.spec.capability().check_take(queue)?;
        if found.spec.profile.is_log() {
            return Ok(Box::new(LogReader::take(self.0.clone(), &mut state, queue, options)?));
        }
        let endangered = if options.rescue { state.endangered(queue, self.now())? } else { 0 };
        let Store::Line(line) = &state.queue(queue, self.now())?.store else { return Err(missing(queue)) };
        let (end, len) = (line.end(), line.len());
        let owner = state.connect();
        Ok(Box::new(LineReader::take(self.0.clone(), queue, owner, (end, len), options).rescuing(endangered)))
    }

    async fn wholesale(&self, queue: &str, what: Wholesale) -> Result<Box<dyn Underway>> {
        self.0.point("wholesale").await?;
        self.0.state().queue(queue, self.now())?.spec.capability().check_wholesale(queue, &what)?;
        match what {
            Wholesale::Move { to: Some(to), rate: None } => Ok(Box::new(Shovel::begin(self.0.clone(), queue, &to)?)),
            _ => Err(Error::new(ErrorKind::Unsupported, "the memory broker moves to one queue, as fast as it can")),
        }
    }

    async fn publisher(&self, target: &Target) -> Result<Arc<dyn Publisher>> {
        self.0.point("publisher").await?;
        let mut state = self.0.state();
        let (route, limits) = match target {
            Target::Queue { name, partition } => {
                let spec = &state.queue(name, self.now())?.spec;
                let limits = spec.publish_limits();
                let route = Route { exchange: String::new(), key: Some(name.clone()), partition: *partition };
                (route, limits)
            }
            Target::Exchange { name, routing_key } if state.exchanges.contains_key(name) => {
                let route = Route { exchange: name.clone(), key: routing_key.clone(), partition: None };
                (route, Profile::RabbitClassic.publish_limits())
            }
            Target::Exchange { name, .. } => {
                return Err(Error::new(ErrorKind::NotFound, format!("exchange {name:?} does not exist")));
            }
        };
        let owner = state.connect();
        Ok(Arc::new(MemoryPublisher::new(self.0.clone(), owner, route, limits)))
    }
}

fn missing(queue: &str) -> Error {
    Error::new(ErrorKind::NotFound, format!("queue {queue:?} does not exist")).hint("`postroom queues` lists them")
}

fn unlocked(spec: &QueueSpec) -> Result<()> {
    let why = match &spec.locked {
        Some(why) => why.as_str(),
        None if spec.single_active && spec.consumers > 0 => "a single active consumer serves it",
        None => return Ok(()),
    };
    Err(Error::new(ErrorKind::Locked, format!("queue {:?} is locked: {why}", spec.name))
        .hint("stop its consumer first, or look at it through the consumer's own log"))
}

/// What at least one of two can do.
fn either(a: Capability, b: Capability) -> Capability {
    Capability {
        list: a.list || b.list,
        browse: a.browse || b.browse,
        read_cost: if a.read_cost == CostKind::None { b.read_cost } else { a.read_cost },
        seek: crate::broker::Seek {
            offset: a.seek.offset || b.seek.offset,
            time: a.seek.time || b.seek.time,
            tail: a.seek.tail || b.seek.tail,
        },
        follow: a.follow || b.follow,
        take: a.take || b.take,
        remove: match (a.remove, b.remove) {
            (Remove::PerMessage, _) | (_, Remove::PerMessage) => Remove::PerMessage,
            (Remove::UpToOffset, _) | (_, Remove::UpToOffset) => Remove::UpToOffset,
            (Remove::Never, Remove::Never) => Remove::Never,
        },
        count: a.count,
        publish: a.publish.or(b.publish),
        ordering: a.ordering,
        returns_in_place: a.returns_in_place,
        unique_ids: a.unique_ids || b.unique_ids,
        server_side: ServerSide {
            drops: a.server_side.drops.or(b.server_side.drops),
            moves: a.server_side.moves.or(b.server_side.moves),
            to_origins: a.server_side.to_origins || b.server_side.to_origins,
        },
        groups: a.groups || b.groups,
    }
}
