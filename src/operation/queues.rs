//! What is where: the queues of one broker or of several as one list, and `postroom.queue/1`.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::place::Places;
use crate::broker::{Accuracy, Address, Connection, ListFilter, Listing, QueueInfo, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::text::human;

/// A queue and the address of its broker.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The broker it is on.
    pub broker: Address,
    /// The broker's kind (`rabbitmq`).
    pub kind: &'static str,
    /// What the broker tells about it.
    pub info: QueueInfo,
}

impl Listed {
    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        self.neighbour(&self.info.name).to_string()
    }

    /// How lists name it: by its address, but without a URL, which is the same for all and leaves no room.
    #[must_use]
    pub fn label(&self) -> String {
        match self.broker.connection {
            Connection::Url(_) => self.info.name.clone(),
            _ => self.address(),
        }
    }

    /// The address of a queue on the same broker.
    #[must_use]
    pub fn neighbour(&self, name: &str) -> Address {
        self.broker.at(Target::queue(name))
    }

    /// The kind of the broker it is on.
    #[must_use]
    pub fn broker_kind(&self) -> &str {
        self.info.broker.as_deref().unwrap_or(self.kind)
    }

    /// `postroom.queue/1`.
    #[must_use]
    pub fn json(&self) -> Json {
        let info = &self.info;
        let addresses =
            |names: &[String]| names.iter().map(|name| self.neighbour(name).to_string()).collect::<Vec<_>>();
        json!({
            "schema": "postroom.queue/1",
            "address": self.address(),
            "name": info.name,
            "broker": self.broker_kind(),
            "kind": info.kind,
            "messages": info.messages,
            "accuracy": info.accuracy.name(),
            "in_flight": info.in_flight,
            "bytes": info.bytes,
            "consumers": info.consumers,
            "rate_in": info.rate_in,
            "rate_out": info.rate_out,
            "oldest": info.oldest.map(|time| time.to_string()),
            "expiry_s": info.expiry.map(|expiry| expiry.as_secs_f64()),
            "dead_letter_to": addresses(&info.dead_letter_to),
            "dead_letter_from": addresses(&info.dead_letter_from),
            "is_dlq": info.is_dlq,
            "read_cost": {
                "kind": info.read_cost.kind.name(),
                "budget": info.read_cost.budget,
                "why": info.read_cost.why,
                "refused": info.read_cost.refused,
            },
            "notes": info.notes,
        })
    }

    /// `postroom.queue/1` with what `show` adds: `details` in reading order.
    #[must_use]
    pub fn json_with_details(&self) -> Json {
        let mut json = self.json();
        let details: serde_json::Map<_, _> = self.info.details.iter().cloned().collect();
        json["details"] = Json::Object(details);
        json
    }

    /// How many messages are in it, with the sign of how that is known.
    #[must_use]
    pub fn messages(&self) -> String {
        let sign = match self.info.accuracy {
            Accuracy::Exact => "",
            Accuracy::Approximate => "~",
            Accuracy::AtMost => "≤",
        };
        self.info.messages.map_or_else(|| "?".to_owned(), |n| format!("{sign}{}", human::count(n)))
    }

    /// Where its dead go, or whose dead come here.
    #[must_use]
    pub fn pairing(&self) -> String {
        match (self.info.dead_letter_from.as_slice(), self.info.dead_letter_to.as_slice()) {
            ([], []) => String::new(),
            ([], to) => format!("→ {}", to.join(", ")),
            (from, _) => format!("← {}", from.join(", ")),
        }
    }

    /// Whether more comes in than goes out.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        let into = self.info.rate_in.unwrap_or(0.0);
        // Where reading takes nothing out (a log), only dead letters that come in are news.
        self.info.rate_out.map_or(self.info.is_dlq && into > 0.0, |out| into > out + 0.05)
    }

    /// Everything about it, name by name, in reading order.
    #[must_use]
    pub fn entries(&self, now: Timestamp) -> Vec<(String, String)> {
        let info = &self.info;
        let mut entries: Vec<(String, String)> =
            vec![("type".to_owned(), format!("{} {}", self.broker_kind(), info.kind))];
        let mut add =
            |name: &'static str, value: Option<String>| entries.extend(value.map(|value| (name.to_owned(), value)));
        add("messages", Some(self.messages()));
        add("in flight", info.in_flight.map(human::count));
        add("size", info.bytes.map(human::size));
        add("consumers", info.consumers.map(human::count));
        let rate = |n: f64| Some(human::rate(n)).filter(|text| !text.is_empty()).unwrap_or_else(|| "0".to_owned());
        match (info.rate_in, info.rate_out) {
            (Some(into), Some(out)) => add("rates", Some(format!("{} in, {} out a second", rate(into), rate(out)))),
            (Some(into), None) => add("rate", Some(format!("{} in a second", rate(into)))),
            _ => {}
        }
        add("oldest", info.oldest.map(|time| format!("{} ({} ago)", human::time(time), human::age(time, now))));
        add("expiry", info.expiry.map(|expiry| format!("after {}", human::duration(expiry))));
        let addresses =
            |names: &[String]| names.iter().map(|name| self.neighbour(name).to_string()).collect::<Vec<_>>().join(", ");
        add("dead letters to", Some(addresses(&info.dead_letter_to)).filter(|text| !text.is_empty()));
        add("dead letters from", Some(addresses(&info.dead_letter_from)).filter(|text| !text.is_empty()));
        let cost = &info.read_cost;
        add("a look", Some(cost.why.clone()));
        add("peek budget", cost.budget.map(|n| human::plural(n, "more look")));
        add("refused", cost.refused.clone());
        let details = info.details.iter().map(|(name, value)| (name.clone(), told(value)));
        entries.into_iter().chain(details.filter(|(_, value)| !value.is_empty())).collect()
    }
}

/// A value of a detail, as people read it: a list of objects has a line each.
fn told(value: &Json) -> String {
    let pairs = |object: &serde_json::Map<String, Json>| {
        let told = object.iter().filter(|(_, value)| !value.is_null());
        told.map(|(name, value)| format!("{name} {}", plain(value))).collect::<Vec<_>>().join(", ")
    };
    match value {
        Json::Object(object) => pairs(object),
        Json::Array(values) if values.iter().all(Json::is_object) => {
            values.iter().filter_map(Json::as_object).map(pairs).collect::<Vec<_>>().join("\n")
        }
        Json::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::String(text) => text.clone(),
        value => value.to_string(),
    }
}

/// A value in a line. A text that would hide itself among the others is quoted.
fn plain(value: &Json) -> String {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains([',', '\n', '"']) => text.to_owned(),
        _ => value.to_string(),
    }
}

/// Dead-letter queues first, the fullest on top.
pub fn sort(queues: &mut [Listed]) {
    queues.sort_by(|a, b| {
        let key = |listed: &Listed| (!listed.info.is_dlq, std::cmp::Reverse(listed.info.messages));
        key(a)
            .cmp(&key(b))
            .then_with(|| (a.broker.to_string(), &a.info.name).cmp(&(b.broker.to_string(), &b.info.name)))
    });
}

/// The queues of an address's broker: those whose names match its target as a glob, or all; and what could not be
/// learned, as notes.
///
/// # Errors
/// As [`Places::open`]; what the broker says.
pub async fn list(places: &Places, address: &Address, internal: bool) -> Result<(Vec<Listed>, Vec<String>)> {
    let place = places.open(address).await?;
    let glob = address.target.as_ref().map(ToString::to_string);
    let Listing { queues, notes } = place.broker.list(&ListFilter { glob, internal, brief: false }).await?;
    let broker = Address { target: None, ..address.clone() };
    let kind = place.broker.info().kind;
    Ok((queues.into_iter().map(|info| Listed { broker: broker.clone(), kind, info }).collect(), notes))
}

/// Everything about one queue, without touching a message.
///
/// # Errors
/// `Usage` where the address names no queue; as [`Places::open`]; what the broker says.
pub async fn describe(places: &Places, address: &Address) -> Result<Listed> {
    let name = address.need_target()?.queue_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, format!("{address} is an exchange, and only queues can be shown"))
            .hint("name a queue that is bound to it")
    })?;
    let place = places.open(address).await?;
    let info = place.broker.describe(name).await?;
    let broker = Address { target: None, ..address.clone() };
    Ok(Listed { broker, kind: place.broker.info().kind, info })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_read_as_lines_of_names_and_values() {
        let bindings = json!([{"exchange": "shop", "routing_key": ""}, {"exchange": "a,b", "tag": null, "n": 3}]);
        assert_eq!(told(&bindings), "exchange shop, routing_key \"\"\nexchange \"a,b\", n 3");
        assert_eq!(told(&json!({"max-length": 5, "deep": {"a": [1]}})), "max-length 5, deep {\"a\":[1]}");
        assert_eq!((told(&json!(["p", "q"])).as_str(), told(&json!("a,b")).as_str()), ("p, q", "a,b"));
        assert_eq!((told(&json!({})).as_str(), told(&json!(true)).as_str()), ("", "true"));
    }
}
