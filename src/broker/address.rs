//! Addresses: the words people type for a broker and a queue in it (DESIGN section 5).
//!
//! `PROFILE:QUEUE` takes the queue as it is; a URL takes it percent-encoded as the last path segment. An
//! [`Address`] never shows a password: its `Display` is the redacted form, safe for logs, plans and journals.
//! Limits: nothing is looked up here; whether the profile or the queue exists is for others to find out.

use std::fmt;
use std::str::FromStr;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// What must be encoded in a path segment: everything that would end it, and what is not ASCII or visible.
const SEGMENT: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'/').add(b'<').add(b'>').add(b'?').add(b'`').add(b'\\');

/// What must be encoded in the value of a query parameter.
const PARAMETER: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'&').add(b'<').add(b'>').add(b'`').add(b'\\');

/// A broker, and usually a queue in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Which broker.
    pub connection: Connection,
    /// Which queue or exchange; `None` for the broker as a whole.
    pub target: Option<Target>,
}

/// Which broker an address means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connection {
    /// A profile of the config file.
    Profile(String),
    /// A URL without its queue.
    Url(BrokerUrl),
    /// Archives: the queue is the path, `-` is standard input or output.
    File,
    /// The embedded demo incident.
    Demo,
}

/// Where messages are read or sent: a queue, or (to send to) an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Target {
    /// A queue, topic, stream or archive.
    Queue {
        /// Its name.
        name: String,
        /// One partition of it, to read or to send to (Kafka).
        partition: Option<i32>,
    },
    /// A RabbitMQ exchange.
    Exchange {
        /// Its name; never empty (the default exchange is a `Queue`).
        name: String,
        /// The routing key for every message; `None` keeps each message's own key.
        routing_key: Option<String>,
    },
}

impl Target {
    /// A queue by name.
    pub fn queue(name: impl Into<String>) -> Self {
        Self::Queue { name: name.into(), partition: None }
    }

    /// Reads the part behind `PROFILE:`: a queue name as it is, or `exchange:NAME[/ROUTING.KEY]`.
    /// `queue:NAME` names a queue whose own name begins with `exchange:` or `queue:`.
    ///
    /// # Errors
    /// `Usage` for an empty name.
    pub fn parse(text: &str) -> Result<Self> {
        if let Some(rest) = text.strip_prefix("exchange:") {
            let (name, key) = match rest.split_once('/') {
                Some((name, key)) => (name, Some(key.to_owned())),
                None => (rest, None),
            };
            if name.is_empty() {
                return Err(Error::new(ErrorKind::Usage, format!("{text:?} names no exchange")).hint(
                    "write exchange:NAME or exchange:NAME/ROUTING.KEY; the default exchange is the queue's own name",
                ));
            }
            return Ok(Self::Exchange { name: name.to_owned(), routing_key: key });
        }
        let name = text.strip_prefix("queue:").unwrap_or(text);
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "the address names no queue").hint("write PROFILE:QUEUE"));
        }
        Ok(Self::queue(name))
    }

    /// The queue's name, for a target that is one.
    #[must_use]
    pub fn queue_name(&self) -> Option<&str> {
        match self {
            Self::Queue { name, .. } => Some(name),
            Self::Exchange { .. } => None,
        }
    }

    /// The one partition that is meant; `None` for all of them.
    #[must_use]
    pub fn partition(&self) -> Option<i32> {
        match self {
            Self::Queue { partition, .. } => *partition,
            Self::Exchange { .. } => None,
        }
    }
}

/// The form behind `PROFILE:`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queue { name, partition } => {
                if name.starts_with("exchange:") || name.starts_with("queue:") {
                    f.write_str("queue:")?;
                }
                f.write_str(name)?;
                partition.map_or(Ok(()), |partition| write!(f, "?partition={partition}"))
            }
            Self::Exchange { name, routing_key: None } => write!(f, "exchange:{name}"),
            Self::Exchange { name, routing_key: Some(key) } => write!(f, "exchange:{name}/{key}"),
        }
    }
}

impl FromStr for Address {
    type Err = Error;

    /// # Errors
    /// `Usage`, with the form expected, for anything that is no address.
    fn from_str(text: &str) -> Result<Self> {
        if text.contains("://") {
            let (url, target) = BrokerUrl::split(text)?;
            return Ok(Self { connection: Connection::Url(url), target });
        }
        let Some((head, rest)) = text.split_once(':') else {
            return Self::of_profile(text, None);
        };
        match head {
            "file" if rest.is_empty() => Err(Error::new(ErrorKind::Usage, "file: names no archive")
                .hint("write file:PATH, or file:- for standard input or output")),
            "file" => Ok(Self { connection: Connection::File, target: Some(Target::queue(rest)) }),
            _ => Self::of_profile(head, Some(rest)),
        }
    }
}

impl Address {
    /// The address of another target on the same broker.
    #[must_use]
    pub fn at(&self, target: Target) -> Self {
        Self { connection: self.connection.clone(), target: Some(target) }
    }

    /// The target, or an error that says one is needed.
    ///
    /// # Errors
    /// `Usage` where the address names only a broker.
    pub fn need_target(&self) -> Result<&Target> {
        self.target.as_ref().ok_or_else(|| {
            Error::new(ErrorKind::Usage, format!("{self} names a broker but no queue"))
                .hint("write PROFILE:QUEUE; `postroom queues` lists them")
        })
    }

    fn of_profile(name: &str, target: Option<&str>) -> Result<Self> {
        let valid = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !valid {
            return Err(Error::new(ErrorKind::Usage, format!("{name:?} is not the name of a profile"))
                .hint("an address is PROFILE:QUEUE, file:PATH, demo:QUEUE or a URL such as amqp://host/%2f/QUEUE"));
        }
        let connection = if name == "demo" { Connection::Demo } else { Connection::Profile(name.to_owned()) };
        let target = target.filter(|t| !t.is_empty()).map(Target::parse).transpose()?;
        Ok(Self { connection, target })
    }
}

/// The redacted form: what people type, without a password.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.connection, &self.target) {
            (Connection::Url(url), target) => url.write(f, target.as_ref()),
            (Connection::Profile(name), None) => f.write_str(name),
            (Connection::Profile(name), Some(target)) => write!(f, "{name}:{target}"),
            (Connection::File, Some(Target::Queue { name, .. })) => write!(f, "file:{name}"),
            (Connection::File, _) => f.write_str("file:"),
            (Connection::Demo, None) => f.write_str("demo"),
            (Connection::Demo, Some(target)) => write!(f, "demo:{target}"),
        }
    }
}

/// A broker's URL without a queue: `SCHEME://[USER[:PASSWORD]@]HOSTS[/PATH][?QUERY]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerUrl {
    /// `amqp`, `amqps`, `kafka`, `sqs`, `redis`, `rediss`, `nats`, `tls`.
    pub scheme: String,
    /// The user, decoded.
    pub user: Option<String>,
    /// The password, decoded.
    pub password: Option<Secret>,
    /// `HOST[:PORT][,HOST[:PORT]…]`, or the region for SQS, as written.
    pub hosts: String,
    /// The path segments that belong to the connection, decoded: RabbitMQ's virtual host, Redis' database.
    pub path: Vec<String>,
    /// The query's names and values, decoded, in order.
    pub query: Vec<(String, String)>,
}

/// How many path segments of a scheme belong to the connection.
fn connection_segments(scheme: &str) -> Option<usize> {
    match scheme {
        "amqp" | "amqps" | "redis" | "rediss" => Some(1),
        "kafka" | "sqs" | "nats" | "tls" => Some(0),
        _ => None,
    }
}

fn decode(text: &str) -> Result<String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::new(ErrorKind::Usage, format!("{text:?} in the URL is not UTF-8 after percent-decoding")))
}

impl BrokerUrl {
    /// Reads a URL without a queue, as a profile's `url` has it.
    ///
    /// # Errors
    /// `Usage` where it is no broker URL or has more path than its scheme takes.
    pub fn parse(text: &str) -> Result<Self> {
        match Self::split(text)? {
            (url, None) => Ok(url),
            (url, Some(target)) => Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "{} has a queue ({target}) where only the broker is expected",
                    Address { connection: Connection::Url(url), target: Some(target.clone()) }
                ),
            )),
        }
    }

    /// Reads a URL and the target at its end.
    fn split(text: &str) -> Result<(Self, Option<Target>)> {
        // The text may hold a password, so errors name only the part behind it.
        let usage = |what: &str| {
            Error::new(ErrorKind::Usage, what.to_owned())
                .hint("the forms are amqp://user@host:5672/VHOST/QUEUE, kafka://host:9092/TOPIC, sqs://REGION/QUEUE")
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| usage("a broker URL begins with SCHEME://"))?;
        let own = connection_segments(scheme)
            .ok_or_else(|| usage(&format!("{scheme}:// is not a scheme that postroom knows")))?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (authority, path) = rest.split_once('/').map_or((rest, None), |(authority, path)| (authority, Some(path)));
        let (login, hosts) =
            authority.rsplit_once('@').map_or((None, authority), |(login, hosts)| (Some(login), hosts));
        if hosts.is_empty() {
            return Err(usage(&format!("the {scheme}:// URL names no host")));
        }
        let (user, password) = match login {
            None => (None, None),
            Some(login) => match login.split_once(':') {
                None => (Some(decode(login)?), None),
                Some((user, password)) => (Some(decode(user)?), Some(Secret::new(decode(password)?))),
            },
        };
        let segments: Vec<&str> =
            path.map_or_else(Vec::new, |path| path.strip_suffix('/').unwrap_or(path).split('/').collect());
        let segments = if segments == [""] { Vec::new() } else { segments };
        let (own, target) = segments.split_at(own.min(segments.len()));
        let mut partition = None;
        let mut pairs = Vec::new();
        for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if name == "partition" {
                partition =
                    Some(value.parse().map_err(|_| usage(&format!("partition={value:?} in the URL is not a number")))?);
            } else {
                pairs.push((name, value));
            }
        }
        let target = match target {
            [] => None,
            [name] if name.starts_with("exchange:") => Some(Target::parse(&decode(name)?)?),
            [name] => Some(Target::Queue { name: decode(name)?, partition }),
            [exchange, key] if exchange.starts_with("exchange:") => match Target::parse(&decode(exchange)?)? {
                Target::Exchange { name, .. } => Some(Target::Exchange { name, routing_key: Some(decode(key)?) }),
                other @ Target::Queue { .. } => Some(other),
            },
            _ => {
                return Err(usage(&format!("the {scheme}:// URL has too many path segments"))
                    .hint("a / in a queue's name is written %2F"));
            }
        };
        let path = own.iter().map(|segment| decode(segment)).collect::<Result<_>>()?;
        Ok((Self { scheme: scheme.to_owned(), user, password, hosts: hosts.to_owned(), path, query: pairs }, target))
    }

    /// The first value of a query parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, target: Option<&Target>) -> fmt::Result {
        let encode = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
        write!(f, "{}://", self.scheme)?;
        if let Some(user) = &self.user {
            write!(f, "{}@", utf8_percent_encode(user, percent_encoding::NON_ALPHANUMERIC))?;
        }
        f.write_str(&self.hosts)?;
        self.path.iter().try_for_each(|segment| write!(f, "/{}", encode(segment)))?;
        let mut query: Vec<String> = Vec::new();
        match target {
            None => {}
            Some(Target::Queue { name, partition }) => {
                write!(f, "/{}", encode(name))?;
                query.extend(partition.map(|partition| format!("partition={partition}")));
            }
            Some(Target::Exchange { name, routing_key }) => {
                write!(f, "/exchange:{}", encode(name))?;
                routing_key.iter().try_for_each(|key| write!(f, "/{}", encode(key)))?;
            }
        }
        // Values of a query can be secrets (sasl.password); only names that cannot hold one are shown.
        query.extend(self.query.iter().map(|(name, value)| {
            let value = if name == "management" { without_login(value) } else { value.clone() };
            if is_secret(name) {
                format!("{name}=***")
            } else {
                format!("{name}={}", utf8_percent_encode(&value, PARAMETER))
            }
        }));
        if query.is_empty() { Ok(()) } else { write!(f, "?{}", query.join("&")) }
    }
}

/// Whether an option's name says that its value is a secret.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "secret", "token", "key.pem", "jaas", "credential"].iter().any(|word| name.contains(word))
}

/// A management URL without user and password: the broker's own are the default, and a journal must be able to find
/// the place again.
fn without_login(url: &str) -> String {
    // The last @, wherever it is: a password with a / in it was not encoded, and must not show all the same.
    let place = url.rsplit_once('@').map(|(_, place)| place);
    match (url.split_once("://"), place) {
        (Some((scheme, _)), Some(place)) => format!("{scheme}://{place}"),
        (None, Some(place)) => place.to_owned(),
        (_, None) => url.to_owned(),
    }
}

/// The redacted form.
impl fmt::Display for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Address {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn a_profile_takes_the_queue_as_it_is() {
        let address = parse("shop:orders/%2f: dlq?é");
        assert_eq!(address.connection, Connection::Profile("shop".into()));
        assert_eq!(address.target, Some(Target::queue("orders/%2f: dlq?é")));
        assert_eq!(address.to_string(), "shop:orders/%2f: dlq?é");
        assert_eq!(parse("shop").target, None);
    }

    #[test]
    fn urls_decode_their_parts_and_hide_the_password() {
        let address = parse("amqp://app:p%40ss@host:5672/%2f/orders%2Fdlq?heartbeat=5");
        let Connection::Url(url) = &address.connection else { panic!() };
        assert_eq!((url.user.as_deref(), url.path.as_slice()), (Some("app"), &["/".to_owned()][..]));
        assert_eq!(url.password.as_ref().map(Secret::expose), Some("p@ss"));
        assert_eq!(address.target, Some(Target::queue("orders/dlq")));
        assert_eq!(address.to_string(), "amqp://app@host:5672/%2F/orders%2Fdlq?heartbeat=5");
        assert!(!format!("{address:?}").contains("p@ss"));
    }

    #[test]
    fn what_is_shown_reads_back_as_the_same_place_without_any_login() {
        let address = parse("amqp://app:geheim@h/%2f/q?management=https://admin:ge/heim@m:15671/x%26y&heartbeat=5");
        assert!(!address.to_string().contains("heim"), "{address}");
        let address = parse("amqp://app:geheim@h/%2f/q?management=https://admin:geheim@m:15671/x%26y&heartbeat=5");
        assert_eq!(address.to_string(), "amqp://app@h/%2F/q?management=https://m:15671/x%26y&heartbeat=5");
        let again = parse(&address.to_string());
        assert_eq!((again.to_string(), again.target), (address.to_string(), address.target));
    }

    #[test]
    fn kafka_takes_many_hosts_and_a_partition() {
        let address = parse("kafka://a:9092,b:9092/orders.DLT?partition=3&sasl.password=x");
        assert_eq!(address.target, Some(Target::Queue { name: "orders.DLT".into(), partition: Some(3) }));
        assert_eq!(address.to_string(), "kafka://a:9092,b:9092/orders.DLT?partition=3&sasl.password=***");
    }

    #[test]
    fn exchanges_are_targets() {
        let key = |key: &str| Some(Target::Exchange { name: "shop".into(), routing_key: Some(key.into()) });
        assert_eq!(parse("amqp://h/%2f/exchange:shop/orders.created").target, key("orders.created"));
        assert_eq!(parse("rabbit:exchange:shop/a/b").target, key("a/b"));
        assert_eq!(parse("rabbit:queue:exchange:x").target, Some(Target::queue("exchange:x")));
        assert_eq!(parse("rabbit:queue:exchange:x").to_string(), "rabbit:queue:exchange:x");
    }

    #[test]
    fn what_is_no_address_is_refused_without_showing_a_password() {
        for text in [
            "",
            "://",
            "sh op:q",
            "http://host/q",
            "amqp:///q",
            "amqp://u:geheim@h/v/q/z/y",
            "file:",
            "rabbit:exchange:",
            "kafka://h/t?partition=x",
        ] {
            let error = text.parse::<Address>().expect_err(text);
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(!format!("{error:?}").contains("geheim"));
        }
    }
}
