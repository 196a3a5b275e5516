//! Opening AMQP connections: URL parameters, login, TLS, and one clear error within ten seconds.
//!
//! lapin's own URI parser is not used: it takes an IP address in brackets for `localhost`. Connections are opened
//! at the first use and again after they were lost; a reader or publisher never moves to a new one by itself.
//! Limits: no automatic recovery (delivery tags die with a connection, and the same messages come again).

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use lapin::tcp::AsyncTcpStream;
use lapin::uri::{AMQPAuthority, AMQPQueryString, AMQPScheme, AMQPUri, AMQPUserInfo, SASLMechanism};
use lapin::{Channel, ConnectionProperties, Event};

use super::errors::{PATIENCE, answer, explain, fixed};
use super::tls;
use crate::broker::{Connect, Tls};
use crate::error::{Error, ErrorKind, Result};

/// The parameters of an `amqp://` URL that we know.
const PARAMETERS: &[&str] =
    &["management", "auth_mechanism", "heartbeat", "connection_timeout", "frame_max", "channel_max"];

/// The largest frame, where the URL does not say. lapin fills room for thirty-two of them each way with zeros before the
/// first is sent: with the 128 KiB that RabbitMQ proposes that takes as long as the rest of a look.
const FRAME_MAX: u32 = 32 * 1024;

/// Where and how to connect.
pub(super) struct Login {
    uris: Vec<AMQPUri>,
    tls: Tls,
    place: String,
}

impl Login {
    /// Checks the URL and its parameters; no I/O.
    ///
    /// # Errors
    /// `Usage` for a bad host, port or parameter; `Config` for options that only other clients have.
    pub(super) fn new(connect: &Connect) -> Result<Self> {
        let url = &connect.url;
        if let Some((name, _)) = url.query.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
            return Err(Error::new(ErrorKind::Usage, format!("{name} is no parameter of an {}:// URL", url.scheme))
                .hint(format!("known are {}", PARAMETERS.join(", "))));
        }
        if let Some(name) = connect.options.keys().next() {
            return Err(Error::new(ErrorKind::Config, format!("RabbitMQ has no option {name}"))
                .hint("its parameters belong into the URL, such as ?heartbeat=30"));
        }
        let scheme = if url.scheme == "amqps" { AMQPScheme::AMQPS } else { AMQPScheme::AMQP };
        let query = AMQPQueryString {
            frame_max: number(connect, "frame_max")?.or(Some(FRAME_MAX)),
            channel_max: number(connect, "channel_max")?,
            heartbeat: number(connect, "heartbeat")?,
            connection_timeout: number(connect, "connection_timeout")?,
            auth_mechanism: mechanism(connect)?,
        };
        let userinfo = AMQPUserInfo {
            username: url.user.clone().unwrap_or_else(|| "guest".to_owned()),
            password: url.password.as_ref().map_or("guest", |password| password.expose()).to_owned(),
        };
        let vhost = url.path.first().cloned().unwrap_or_else(|| "/".to_owned());
        let uris = url
            .hosts
            .split(',')
            .map(|host| {
                let (host, port) = host_and_port(host, scheme.default_port())?;
                let authority = AMQPAuthority { userinfo: userinfo.clone(), host, port };
                Ok(AMQPUri { scheme: scheme.clone(), authority, vhost: vhost.clone(), query: query.clone() })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { uris, tls: connect.tls.clone(), place: url.to_string() })
    }

    /// The address without secrets.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// The virtual host.
    pub(super) fn vhost(&self) -> &str {
        self.uris.first().map_or("/", |uri| &uri.vhost)
    }

    /// The user we log in as, where the broker knows us by name and not by certificate.
    pub(super) fn user(&self) -> Option<&str> {
        let uri = self.uris.first()?;
        let named = !matches!(uri.query.auth_mechanism, Some(SASLMechanism::External | SASLMechanism::Anonymous));
        named.then_some(&uri.authority.userinfo.username)
    }

    /// Connects to the first host that answers.
    ///
    /// # Errors
    /// `Unreachable`, `Denied`, `NotFound` (virtual host) or `Config` (TLS files), after ten seconds at most.
    pub(super) async fn connect(&self, role: &'static str) -> Result<Link> {
        let mut last = None;
        let all = async {
            for uri in &self.uris {
                match self.connect_to(uri, role).await {
                    Ok(link) => return Some(link),
                    Err(error) => last = Some(error),
                }
            }
            None
        };
        match tokio::time::timeout(PATIENCE, all).await {
            Ok(Some(link)) => Ok(link),
            Ok(None) => Err(last.unwrap_or_else(|| self.silent())),
            Err(_) => Err(last.unwrap_or_else(|| self.silent())),
        }
        .map_err(|error| error.context("address", self.place.clone()))
    }

    fn silent(&self) -> Error {
        Error::new(ErrorKind::Unreachable, format!("{} did not answer within {} s", self.place, PATIENCE.as_secs()))
            .hint("check host and port; a firewall that drops packets looks like this, and so does AMQP spoken to a TLS port")
    }

    async fn connect_to(&self, uri: &AMQPUri, role: &'static str) -> Result<Link> {
        let connector = match uri.scheme {
            AMQPScheme::AMQPS => Some(tls::connector(&self.tls)?),
            AMQPScheme::AMQP => None,
        };
        let runtime = lapin::runtime::default_runtime().map_err(|error| explain("starting", &error))?;
        let properties = ConnectionProperties::default().with_connection_name(format!("postroom {role}").into());
        let opened = lapin::Connection::connector(
            uri.clone(),
            runtime,
            async move |uri: AMQPUri, runtime| {
                let address = (uri.authority.host.clone(), uri.authority.port);
                let stream = AsyncTcpStream::connect(&runtime, runtime.to_socket_addrs(address)).await?;
                match &connector {
                    Some(connector) => Ok(stream.into_rustls(connector, &uri.authority.host).await?),
                    None => Ok(stream),
                }
            },
            properties,
        )
        .await;
        match opened {
            Ok(connection) => Ok(Link::new(connection)),
            Err(error) => Err(self.refused(uri, &error)),
        }
    }

    /// Why a connection could not be opened.
    fn refused(&self, uri: &AMQPUri, error: &lapin::Error) -> Error {
        let lapin::ErrorKind::IOError(io) = error.kind() else {
            return explain(&format!("connecting to {}", self.place), error);
        };
        let place = format!("{}:{}", uri.authority.host, uri.authority.port);
        let failed = |message: String| Error::new(ErrorKind::Unreachable, message).because(io.to_string());
        // rustls' errors come wrapped in an I/O error of this kind.
        if io.kind() == std::io::ErrorKind::InvalidData {
            return failed(format!("TLS with {place} failed"))
                .hint("tls.ca names the authority to trust; the certificate must carry the host name of the URL");
        }
        failed(format!("can't reach {place}")).hint("check host and port, and that the broker runs")
    }
}

fn number<T: std::str::FromStr>(connect: &Connect, name: &str) -> Result<Option<T>> {
    connect.url.parameter(name).map(str::parse).transpose().map_err(|_| {
        Error::new(ErrorKind::Usage, format!("{name} in the URL is not a number that fits"))
            .hint("such as ?heartbeat=30")
    })
}

fn mechanism(connect: &Connect) -> Result<Option<SASLMechanism>> {
    connect.url.parameter("auth_mechanism").map(str::parse).transpose().map_err(|_| {
        Error::new(ErrorKind::Usage, "auth_mechanism in the URL is not known")
            .hint("it is plain, amqplain, external (a client certificate) or anonymous")
    })
}

/// Splits `HOST[:PORT]`, where an IPv6 address stands in brackets.
fn host_and_port(text: &str, default: u16) -> Result<(String, u16)> {
    let bad = || Error::new(ErrorKind::Usage, format!("{text:?} is not HOST or HOST:PORT"));
    let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(bad)?)),
        None => text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(Ok(default), |port| port.parse().map_err(|_| bad()))?;
    if host.is_empty() { Err(bad()) } else { Ok((host.to_owned(), port)) }
}

/// An open connection, and whether the broker blocks it.
pub(super) struct Link {
    connection: lapin::Connection,
    blocked: Arc<Mutex<Option<String>>>,
    /// A channel on which nothing but questions were asked.
    spare: Mutex<Option<Channel>>,
}

impl Link {
    fn new(connection: lapin::Connection) -> Self {
        let blocked = Arc::new(Mutex::new(None));
        let mut events = Box::pin(connection.events_listener());
        let reason = Arc::clone(&blocked);
        // The stream of events ends with the connection, and the task with it.
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                let now = match event {
                    Event::ConnectionBlocked(reason) => Some(reason),
                    Event::ConnectionUnblocked => None,
                    _ => continue,
                };
                *reason.lock().unwrap_or_else(PoisonError::into_inner) = now;
            }
        });
        Self { connection, blocked, spare: Mutex::default() }
    }

    /// Whether it can be used.
    pub(super) fn is_open(&self) -> bool {
        self.connection.status().connected()
    }

    /// Why the broker takes no publishes now (a memory or disk alarm).
    pub(super) fn blocked(&self) -> Option<String> {
        self.blocked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A channel that nobody else has: the spare one, or a new one.
    ///
    /// # Errors
    /// `Unreachable` where the connection is gone, `Timeout` where the broker is silent.
    pub(super) async fn channel(&self) -> Result<Channel> {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).take();
        match spare.filter(|channel| channel.status().connected()) {
            Some(channel) => Ok(channel),
            None => answer("opening a channel", self.connection.create_channel()).await,
        }
    }

    /// Keeps a channel on which nothing but questions were asked, for whoever needs one next: to close it and to open
    /// another takes two answers of the broker.
    pub(super) fn keep(&self, channel: Channel) {
        *self.spare.lock().unwrap_or_else(PoisonError::into_inner) = Some(channel);
    }
}

/// A connection that is opened when it is needed.
pub(super) struct Line {
    role: &'static str,
    link: tokio::sync::Mutex<Option<Arc<Link>>>,
}

impl Line {
    pub(super) fn new(role: &'static str) -> Self {
        Self { role, link: tokio::sync::Mutex::new(None) }
    }

    /// The open connection, opened anew where there is none.
    ///
    /// # Errors
    /// Those of [`Login::connect`].
    pub(super) async fn open(&self, login: &Login) -> Result<Arc<Link>> {
        let mut slot = self.link.lock().await;
        if let Some(link) = slot.as_ref().filter(|link| link.is_open()) {
            return Ok(Arc::clone(link));
        }
        let link = Arc::new(login.connect(self.role).await?);
        *slot = Some(Arc::clone(&link));
        Ok(link)
    }

    /// Why the broker takes no publishes on the open connection now.
    pub(super) fn blocked(&self) -> Option<String> {
        self.link.try_lock().ok()?.as_ref()?.blocked()
    }
}

/// Closes a channel that holds nothing any more; whether it was still open does not matter.
pub(super) async fn close_quietly(channel: &Channel) {
    if channel.status().connected() {
        // An answer is waited for so that the next thing on this connection comes after it.
        let _ = answer("closing a channel", channel.close(200, fixed("done"))).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::BrokerUrl;

    fn login(url: &str) -> Result<Login> {
        Login::new(&Connect {
            url: BrokerUrl::parse(url)?,
            tls: Tls::default(),
            options: std::collections::BTreeMap::new(),
        })
    }

    #[test]
    fn hosts_may_be_addresses_and_many() {
        let login = login("amqp://u:p%40@[::1]:5673,rabbit,10.0.0.1:1/odd%2Fvhost?heartbeat=7").unwrap();
        let hosts: Vec<_> = login.uris.iter().map(|uri| (uri.authority.host.as_str(), uri.authority.port)).collect();
        assert_eq!(hosts, [("::1", 5673), ("rabbit", 5672), ("10.0.0.1", 1)]);
        assert_eq!((login.vhost(), login.user()), ("odd/vhost", Some("u")));
        assert_eq!(login.uris[0].query.heartbeat, Some(7));
        assert!(!login.place().contains("p@"));
    }

    #[test]
    fn parameters_that_nobody_knows_are_refused() {
        for url in
            ["amqp://h/v?hartbeat=3", "amqp://h/v?heartbeat=x", "amqp://h:port/v", "amqp://h/v?auth_mechanism=magic"]
        {
            assert_eq!(login(url).err().map(|error| error.kind()), Some(ErrorKind::Usage), "{url}");
        }
        assert_eq!(login("amqps://h/v?auth_mechanism=external").unwrap().user(), None);
    }
}
