//! From a profile or URL to librdkafka's properties.
//!
//! Every librdkafka property can be given, in the URL's query or the profile's `options`; those on which the promises
//! of this program rest can't be changed. Limits: whether a name or value is one that librdkafka knows is its own to
//! say, when the first client is made.

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use crate::broker::Connect;
use crate::error::{Error, ErrorKind, Result};

/// Where a host names no port.
const PORT: &str = ":9092";

/// Properties that this program sets, and what depends on each.
const FIXED: &[(&str, &str)] = &[
    ("bootstrap.servers", "the hosts are in the URL"),
    ("metadata.broker.list", "the hosts are in the URL"),
    ("enable.auto.commit", "a look commits nothing"),
    ("enable.auto.offset.store", "a look commits nothing"),
    ("enable.partition.eof", "it tells where a read ends"),
    ("auto.offset.reset", "it decides what happens when records vanish under a read"),
    ("allow.auto.create.topics", "a mistyped name must not create a topic"),
    ("enable.idempotence", "a record must not be there twice after a lost answer"),
    ("acks", "a receipt means that all replicas in sync have the record"),
    ("request.required.acks", "a receipt means that all replicas in sync have the record"),
    ("transactional.id", "publishing uses no transactions"),
    ("group.instance.id", "a look joins no group"),
];

/// What every client of a profile starts from.
#[derive(Clone)]
pub(super) struct Options {
    config: ClientConfig,
    /// The name of the group that reads name and never join; a prefix that ACLs allow, where one is needed.
    group: String,
    tls: bool,
}

impl Options {
    /// # Errors
    /// `Config` for an option that this program sets itself; `Usage` for a URL with a path.
    pub(super) fn new(connect: &Connect) -> Result<Self> {
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        config.set("bootstrap.servers", hosts(&connect.url.hosts));
        config.set("client.id", "postroom");
        let user = connect.url.user.as_deref();
        let tls = &connect.tls;
        let secure = tls.ca.is_some() || tls.cert.is_some() || tls.key.is_some();
        match (user, secure) {
            (Some(_), _) => _ = config.set("security.protocol", "SASL_SSL").set("sasl.mechanism", "PLAIN"),
            (None, true) => _ = config.set("security.protocol", "SSL"),
            (None, false) => {}
        }
        for (name, path) in
            [("ssl.ca.location", &tls.ca), ("ssl.certificate.location", &tls.cert), ("ssl.key.location", &tls.key)]
        {
            if let Some(path) = path {
                config.set(name, path.to_string_lossy());
            }
        }
        if let Some(user) = user {
            config.set("sasl.username", user);
        }
        if let Some(password) = &connect.url.password {
            config.set("sasl.password", password.expose());
        }
        let mut group = None;
        let given = connect.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query = connect.url.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in given.chain(query) {
            if let Some((_, why)) = FIXED.iter().find(|(fixed, _)| *fixed == name) {
                return Err(Error::new(ErrorKind::Config, format!("the Kafka option {name:?} can't be set: {why}"))
                    .hint("leave it out"));
            }
            match name {
                "group.id" => group = Some(value.to_owned()),
                "sasl.mechanisms" => _ = config.set("sasl.mechanism", value),
                _ => _ = config.set(name, value),
            }
        }
        let secure =
            config.get("security.protocol").is_some_and(|protocol| protocol.to_ascii_lowercase().ends_with("ssl"));
        if secure && config.get("ssl.ca.location").is_none() && config.get("ssl.ca.pem").is_none() {
            // The machine's own authorities, wherever this system keeps them.
            config.set("ssl.ca.location", "probe");
        }
        Ok(Self { config, group: group.unwrap_or_else(|| format!("postroom-{}", std::process::id())), tls: secure })
    }

    /// Whether connections are encrypted.
    pub(super) fn tls(&self) -> bool {
        self.tls
    }

    /// For metadata, offsets and reads of single partitions: never part of a group.
    pub(super) fn consumer(&self) -> ClientConfig {
        let mut config = self.config.clone();
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false");
        let mut default = |name: &str, value: &str| {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        };
        default("fetch.wait.max.ms", "50");
        default("fetch.queue.backoff.ms", "10");
        default("fetch.error.backoff.ms", "100");
        default("reconnect.backoff.max.ms", "2000");
        config
    }

    /// For reading: a consumer must name a group to be assigned partitions, though it never joins it.
    pub(super) fn reader(&self, memory: u64, partitions: usize, first: u64) -> ClientConfig {
        let mut config = self.consumer();
        config.set("group.id", &self.group);
        let each = (memory / 1024 / partitions.max(1) as u64).clamp(256, 65_536);
        config.set("queued.max.messages.kbytes", each.to_string());
        config.set("queued.min.messages", first.clamp(1, 100_000).to_string());
        config
    }

    /// For publishing to a topic that takes records of that size.
    pub(super) fn producer(&self, max_bytes: u64) -> ClientConfig {
        let mut config = self.config.clone();
        let mut default = |name: &str, value: &str| {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        };
        // Java's partitioner, so that a key lands where its other records are.
        default("partitioner", "murmur2_random");
        default("queue.buffering.max.kbytes", "65536");
        default("linger.ms", "5");
        default("message.timeout.ms", "30000");
        let batch = max_bytes.clamp(1, 1_000_000).to_string();
        default("batch.size", &batch);
        config
            .set("message.max.bytes", max_bytes.clamp(1000, 1_000_000_000).to_string())
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("allow.auto.create.topics", "false");
        config
    }

    /// For questions and orders to the cluster.
    pub(super) fn admin(&self) -> ClientConfig {
        self.config.clone()
    }
}

/// The hosts with a port each.
fn hosts(hosts: &str) -> String {
    let with_port = |host: &str| {
        let rest = host.rsplit(']').next().unwrap_or(host);
        if rest.contains(':') { host.to_owned() } else { format!("{host}{PORT}") }
    };
    hosts.split(',').filter(|host| !host.is_empty()).map(with_port).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{BrokerUrl, Tls};

    fn options(url: &str) -> Result<Options> {
        let url = BrokerUrl::parse(url)?;
        Options::new(&Connect { url, tls: Tls::default(), options: std::collections::BTreeMap::new() })
    }

    #[test]
    fn hosts_get_the_usual_port() {
        assert_eq!(hosts("a,b:1,[::1],[::1]:9"), "a:9092,b:1,[::1]:9092,[::1]:9");
    }

    #[test]
    fn a_login_goes_over_tls_unless_something_else_is_said() {
        let config = options("kafka://alice:geheim@a").unwrap().consumer();
        assert_eq!(config.get("security.protocol"), Some("SASL_SSL"));
        assert_eq!((config.get("sasl.mechanism"), config.get("sasl.password")), (Some("PLAIN"), Some("geheim")));
        assert_eq!(config.get("ssl.ca.location"), Some("probe"));
        let config = options("kafka://alice:x@a?security.protocol=SASL_PLAINTEXT").unwrap().consumer();
        assert_eq!((config.get("security.protocol"), config.get("ssl.ca.location")), (Some("SASL_PLAINTEXT"), None));
        assert_eq!(options("kafka://a").unwrap().consumer().get("security.protocol"), None);
    }

    #[test]
    fn what_the_promises_rest_on_cannot_be_changed() {
        for (name, _) in FIXED {
            let error = options(&format!("kafka://a?{name}=x")).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Config, "{name}");
        }
        let config = options("kafka://a?isolation.level=read_uncommitted&partitioner=random").unwrap();
        assert_eq!(config.consumer().get("isolation.level"), Some("read_uncommitted"));
        assert_eq!(config.producer(1000).get("partitioner"), Some("random"));
    }

    #[test]
    fn a_look_names_a_group_and_a_question_none() {
        let options = options("kafka://a?group.id=oncall").unwrap();
        assert_eq!(options.consumer().get("group.id"), None);
        assert_eq!(options.reader(1 << 20, 4, 10).get("group.id"), Some("oncall"));
    }
}
