//! Where the queues are: what an `sqs://REGION` URL says.
//!
//! Limits: nothing is looked up here; who we are is found out by the client library when it is first asked.

use std::time::Duration;

use crate::broker::{Address, BrokerUrl, Connect, Connection, Target, Tls};
use crate::error::{Error, ErrorKind, Result};

/// How long a message that is held stays hidden from others: long enough for a look, short enough after a crash.
const LEASE: Duration = Duration::from_mins(2);
/// The leases that SQS grants, less what is too short to be prolonged in time.
const LEASES: std::ops::RangeInclusive<u64> = 2..=43_200;
/// The query parameters of the URL.
const PARAMETERS: [&str; 4] = ["endpoint", "profile", "account", "lease"];

/// A region, and how it is reached.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) region: String,
    /// Another server than AWS's own.
    pub(super) endpoint: Option<String>,
    /// The profile of the AWS configuration.
    pub(super) profile: Option<String>,
    /// The account that the queues belong to, where it is not ours.
    pub(super) account: Option<String>,
    pub(super) lease: Duration,
    url: BrokerUrl,
}

impl Settings {
    /// Reads the URL.
    ///
    /// # Errors
    /// `Usage` for a URL that says what SQS has no use for, `Config` for such an option or file.
    pub(super) fn new(connect: &Connect) -> Result<Self> {
        let url = &connect.url;
        let usage = |what: String| Error::new(ErrorKind::Usage, what);
        let is_region = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !url.hosts.chars().all(is_region) || !url.hosts.contains('-') {
            return Err(usage(format!("{:?} is not the name of an AWS region", url.hosts))
                .hint("the form is sqs://eu-west-1/QUEUE; another server goes into ?endpoint=http://localhost:9324"));
        }
        if url.user.is_some() {
            return Err(usage("an sqs:// URL takes no user or password".to_owned()).hint(
                "credentials come from where every AWS tool has them; name a profile with ?profile=NAME where needed",
            ));
        }
        if let Some((name, _)) = url.query.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
            return Err(usage(format!("an sqs:// URL has no parameter {name:?}"))
                .hint(format!("there are {}", PARAMETERS.join(", "))));
        }
        if let Some(name) = connect.options.keys().next() {
            return Err(Error::new(ErrorKind::Config, format!("SQS has no option {name:?}"))
                .hint("endpoint, profile, account and lease go into the URL; the rest is in the AWS configuration"));
        }
        if connect.tls != Tls::default() {
            return Err(Error::new(ErrorKind::Config, "SQS takes no tls files: AWS's certificates are public ones"));
        }
        let text = |name: &str| url.parameter(name).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let endpoint = text("endpoint");
        if let Some(endpoint) = endpoint.as_ref().filter(|text| !text.starts_with("http")) {
            return Err(usage(format!("the endpoint {endpoint:?} is no URL")).hint("write endpoint=http://HOST:PORT"));
        }
        let lease = text("lease").map(|text| match text.trim_end_matches('s').parse() {
            Ok(seconds) if LEASES.contains(&seconds) => Ok(Duration::from_secs(seconds)),
            _ => Err(usage(format!("lease={text} is no number of seconds from 2 to 43200"))),
        });
        Ok(Self {
            region: url.hosts.clone(),
            endpoint,
            profile: text("profile"),
            account: text("account"),
            lease: lease.transpose()?.unwrap_or(LEASE),
            url: BrokerUrl { password: None, ..url.clone() },
        })
    }

    /// Whether the server is on this machine: then it is none that checks credentials.
    pub(super) fn is_local(&self) -> bool {
        let host = self.endpoint.as_deref().and_then(|endpoint| url::Url::parse(endpoint).ok());
        host.is_some_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    }

    /// The region as people type it.
    pub(super) fn place(&self) -> String {
        self.url.to_string()
    }

    /// The address of a queue, for the messages read from it.
    pub(super) fn address(&self, queue: &str) -> String {
        Address { connection: Connection::Url(self.url.clone()), target: Some(Target::queue(queue)) }.to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn settings(url: &str) -> Result<Settings> {
        Settings::new(&Connect { url: BrokerUrl::parse(url)?, tls: Tls::default(), options: BTreeMap::new() })
    }

    #[test]
    fn a_url_names_the_region_and_how_it_is_reached() {
        let found = settings("sqs://eu-west-1?endpoint=http://localhost:9324&profile=ops&lease=30s").unwrap();
        assert_eq!((found.region.as_str(), found.profile.as_deref()), ("eu-west-1", Some("ops")));
        assert_eq!((found.lease, found.is_local()), (Duration::from_secs(30), true));
        assert_eq!(
            found.address("orders-dlq"),
            "sqs://eu-west-1/orders-dlq?endpoint=http://localhost:9324&profile=ops&lease=30s"
        );
        assert!(!settings("sqs://eu-west-1?endpoint=https://sqs.example.com").unwrap().is_local());
    }

    #[test]
    fn what_sqs_has_no_use_for_is_refused() {
        for url in [
            "sqs://localhost:9324",
            "sqs://key:geheim@eu-west-1",
            "sqs://eu-west-1?region=x",
            "sqs://eu-west-1?lease=1",
        ] {
            let error = settings(url).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Usage, "{url}");
            assert!(!format!("{error:?}").contains("geheim"));
        }
    }
}
