//! Queues: `postroom.queue/1` and the tables of `queues` and `show`.

use jiff::Timestamp;
use serde_json::{Value as Json, json};

use super::human;
use super::paint::{Paint, Role};
use super::table::{Cell, Column, table};
use super::text::{safe, width_of};
use crate::broker::{Accuracy, Address, QueueInfo, Target};

/// A queue and the address of its broker.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// The broker it is on.
    pub(crate) broker: Address,
    /// The broker's kind (`rabbitmq`).
    pub(crate) kind: &'static str,
    /// What the broker tells about it.
    pub(crate) info: QueueInfo,
}

impl Listed {
    /// The address of a queue on the same broker.
    fn address(&self, name: &str) -> String {
        self.broker.at(Target::queue(name)).to_string()
    }

    fn broker_kind(&self) -> &str {
        self.info.broker.as_deref().unwrap_or(self.kind)
    }

    /// `postroom.queue/1`.
    pub(crate) fn json(&self) -> Json {
        let info = &self.info;
        let addresses = |names: &[String]| names.iter().map(|name| self.address(name)).collect::<Vec<_>>();
        json!({
            "schema": "postroom.queue/1",
            "address": self.address(&info.name),
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
    pub(crate) fn json_with_details(&self) -> Json {
        let mut json = self.json();
        let details: serde_json::Map<_, _> = self.info.details.iter().cloned().collect();
        json["details"] = Json::Object(details);
        json
    }

    fn messages(&self) -> String {
        let sign = match self.info.accuracy {
            Accuracy::Exact => "",
            Accuracy::Approximate => "~",
            Accuracy::AtMost => "≤",
        };
        self.info.messages.map_or_else(|| "?".to_owned(), |n| format!("{sign}{}", human::count(n)))
    }
}

/// Dead-letter queues first, the fullest on top.
pub(crate) fn sort(queues: &mut [Listed]) {
    queues.sort_by(|a, b| {
        let key = |listed: &Listed| (!listed.info.is_dlq, std::cmp::Reverse(listed.info.messages));
        key(a)
            .cmp(&key(b))
            .then_with(|| (a.broker.to_string(), &a.info.name).cmp(&(b.broker.to_string(), &b.info.name)))
    });
}

/// The table of `queues`.
pub(crate) fn list_table(
    queues: &[Listed],
    now_at: impl Fn(&Address) -> Timestamp,
    width: usize,
    paint: Paint,
) -> Vec<String> {
    let columns = [
        Column::elastic("QUEUE"),
        Column::left("TYPE"),
        Column::right("MESSAGES"),
        Column::right("IN/S"),
        Column::right("OUT/S"),
        Column::right("OLDEST"),
        Column::right("CONS"),
        Column::elastic("PAIR"),
    ];
    // On one broker the names are enough: its address was typed, and may be a long URL.
    let one_broker = queues.windows(2).all(|pair| matches!(pair, [a, b] if a.broker == b.broker));
    let rows: Vec<Vec<Cell>> = queues
        .iter()
        .map(|listed| {
            let name = if one_broker { listed.info.name.clone() } else { listed.address(&listed.info.name) };
            row(name, listed, now_at(&listed.broker))
        })
        .collect();
    table(&columns, &rows, width, paint)
}

fn row(name: String, listed: &Listed, now: Timestamp) -> Vec<Cell> {
    let info = &listed.info;
    let waiting = info.messages.is_none_or(|n| n > 0);
    let role = match (info.is_dlq, waiting) {
        (true, true) => Role::Bad,
        (true, false) => Role::Good,
        (false, _) => Role::Plain,
    };
    let pairing = match (info.dead_letter_from.as_slice(), info.dead_letter_to.as_slice()) {
        ([], []) => String::new(),
        ([], to) => format!("→ {}", to.join(", ")),
        (from, _) => format!("← {}", from.join(", ")),
    };
    let growing = info.rate_in.unwrap_or(0.0) > info.rate_out.unwrap_or(0.0) + 0.05;
    vec![
        Cell::new(Role::Name, name),
        Cell::new(Role::Faint, &info.kind),
        Cell::new(role, listed.messages()),
        Cell::new(
            if growing { Role::Warning } else { Role::Plain },
            info.rate_in.map_or_else(String::new, human::rate),
        ),
        info.rate_out.map_or_else(String::new, human::rate).into(),
        info.oldest.map_or_else(String::new, |time| human::age(time, now)).into(),
        info.consumers.map_or_else(String::new, human::count).into(),
        Cell::new(Role::Faint, pairing),
    ]
}

/// The page of `show`.
pub(crate) fn page(listed: &Listed, now: Timestamp, paint: Paint) -> Vec<String> {
    let info = &listed.info;
    let mut entries: Vec<(&str, String)> = vec![("type", format!("{} {}", listed.broker_kind(), info.kind))];
    let mut add = |name: &'static str, value: Option<String>| entries.extend(value.map(|value| (name, value)));
    add("messages", Some(listed.messages()));
    add("in flight", info.in_flight.map(human::count));
    add("size", info.bytes.map(human::size));
    add("consumers", info.consumers.map(human::count));
    let rates = (info.rate_in, info.rate_out);
    if let (Some(into), Some(out)) = rates {
        let rate = |n: f64| Some(human::rate(n)).filter(|text| !text.is_empty()).unwrap_or_else(|| "0".to_owned());
        add("rates", Some(format!("{} in, {} out a second", rate(into), rate(out))));
    }
    add("oldest", info.oldest.map(|time| format!("{} ({} ago)", human::time(time), human::age(time, now))));
    add("expiry", info.expiry.map(|expiry| format!("after {}", human::duration(expiry))));
    let addresses = |names: &[String]| names.iter().map(|name| listed.address(name)).collect::<Vec<_>>().join(", ");
    add("dead letters to", Some(addresses(&info.dead_letter_to)).filter(|text| !text.is_empty()));
    add("dead letters from", Some(addresses(&info.dead_letter_from)).filter(|text| !text.is_empty()));
    let cost = &info.read_cost;
    add("a look", Some(cost.why.clone()));
    add("peek budget", cost.budget.map(|n| human::plural(n, "more look")));
    add("refused", cost.refused.clone());
    let details = info
        .details
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    let entries: Vec<(&str, String)> = entries.into_iter().chain(details).collect();
    let wide = entries.iter().map(|(name, _)| width_of(&safe(name))).max().unwrap_or(0);
    let mut lines = vec![paint.paint(Role::Name, &safe(&listed.address(&info.name)))];
    lines.extend(entries.iter().map(|(name, value)| {
        let name = safe(name);
        let pad = " ".repeat(wide - width_of(&name));
        let role = if *name == *"refused" { Role::Bad } else { Role::Plain };
        format!("  {}{pad}  {}", paint.paint(Role::Faint, &name), paint.paint(role, &safe(value)))
    }));
    lines.extend(info.notes.iter().map(|note| format!("  {}", paint.paint(Role::Warning, &safe(note)))));
    lines
}
