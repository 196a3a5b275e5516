//! From a profile or URL to librdkafka's properties.
//!
//! Every librdkafka property can be given, in the URL's query or the profile's `options`; those on which the promises
//! of this program rest can't be changed. Limits: whether a name or value is one that librdkafka knows is its own to
//! say, when the first client is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use rdkafka::config::{ClientConfig, RDKafkaLogLevel};

use super::token::Tokens;
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
    tokens: Option<Arc<Tokens>>,
}

impl Options {
    /// # Errors
    /// `Config` for an option that this program sets itself, and for a login by tokens that says not where from.
    pub(super) fn new(connect: &Connect) -> Result<Self> {
        let url = &connect.url;
        let given = connect.options.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let query = url.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut options = BTreeMap::new();
        for (name, value) in given.chain(query) {
            if let Some((_, why)) = FIXED.iter().find(|(fixed, _)| *fixed == name) {
                return Err(Error::new(ErrorKind::Config, format!("the Kafka option {name:?} can't be set: {why}"))
                    .hint("leave it out"));
            }
            let name = if name == "sasl.mechanisms" { "sasl.mechanism" } else { name };
            options.insert(name.to_owned(), value.to_owned());
        }
        let tokens = Tokens::new(&mut options, url.password.as_ref(), &url.hosts)?;
        let group = options.remove("group.id");
        let mut config = ClientConfig::new();
        config.set_log_level(RDKafkaLogLevel::Warning);
        config.set("bootstrap.servers", hosts(&url.hosts));
        config.set("client.id", "postroom");
        let tls = &connect.tls;
        let secure = tls.ca.is_some() || tls.cert.is_some() || tls.key.is_some();
        if url.user.is_some() || tokens.is_some() {
            config.set("security.protocol", "SASL_SSL").set("sasl.mechanism", "PLAIN");
        } else if secure {
            config.set("security.protocol", "SSL");
        }
        for (name, path) in
            [("ssl.ca.location", &tls.ca), ("ssl.certificate.location", &tls.cert), ("ssl.key.location", &tls.key)]
        {
            if let Some(path) = path {
                config.set(name, path.to_string_lossy());
            }
        }
        if tokens.is_none() {
            if let Some(user) = &url.user {
                config.set("sasl.username", user);
            }
            if let Some(password) = &url.password {
                config.set("sasl.password", password.expose());
            }
        }
        for (name, value) in options {
            config.set(name, value);
        }
        let secure =
            config.get("security.protocol").is_some_and(|protocol| protocol.to_ascii_lowercase().ends_with("ssl"));
        if secure && config.get("ssl.ca.location").is_none() && config.get("ssl.ca.pem").is_none() {
            // The machine's own authorities, wherever this system keeps them.
            config.set("ssl.ca.location", "probe");
        }
        let group = group.unwrap_or_else(|| format!("postroom-{}", std::process::id()));
        Ok(Self { config, group, tls: secure, tokens: tokens.map(Arc::new) })
    }

    /// Where its tokens come from, for a login by tokens.
    pub(super) fn tokens(&self) -> Option<&Arc<Tokens>> {
        self.tokens.as_ref()
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
    fn a_login_by_tokens_says_where_they_come_from() {
        let error = options("kafka://a?sasl.mechanism=OAUTHBEARER").err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        for url in [
            "kafka://:token@a?sasl.mechanism=OAUTHBEARER",
            "kafka://a?sasl.mechanisms=AWS_MSK_IAM&aws.region=eu-west-1",
            "kafka://a?sasl.mechanism=OAUTHBEARER&sasl.oauthbearer.method=oidc&sasl.oauthbearer.client.id=i\
             &sasl.oauthbearer.client.secret=s&sasl.oauthbearer.token.endpoint.url=https://idp/token",
        ] {
            let options = options(url).unwrap();
            let config = options.consumer();
            assert!(options.tokens().is_some(), "{url}");
            assert_eq!(config.get("security.protocol"), Some("SASL_SSL"));
            assert_eq!(config.get("sasl.mechanism"), Some("OAUTHBEARER"));
            // What librdkafka does not know, or would act on by itself, is not handed to it.
            for name in ["aws.region", "sasl.oauthbearer.method", "sasl.oauthbearer.client.secret", "sasl.password"] {
                assert_eq!(config.get(name), None, "{name}");
            }
        }
    }

    #[test]
    fn a_look_names_a_group_and_a_question_none() {
        let options = options("kafka://a?group.id=oncall").unwrap();
        assert_eq!(options.consumer().get("group.id"), None);
        assert_eq!(options.reader(1 << 20, 4, 10).get("group.id"), Some("oncall"));
    }
}
