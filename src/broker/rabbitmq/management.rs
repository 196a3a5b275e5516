//! The management API: a thin client for a handful of GETs, and for the parameters of shovels.
//!
//! AMQP 0-9-1 cannot list queues, nor tell a queue's type or policies; this can, for users with a management tag.
//! Without it everything still works for queues that are named, and [`Management`] says why it is missing. A host
//! that does not answer is asked only once, so that a firewall costs its timeout once. Limits: nothing is changed but the
//! parameters that start and end a move by the broker itself.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::api::{Binding, Exchange, Overview, Page, Policy, Queue};
use super::tls;
use crate::broker::{Connect, Tls};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How long a connection to the API may take: it is an extra, so less than what AMQP gets.
const CONNECT: Duration = Duration::from_secs(3);
/// How long an answer may take; large clusters are slow to list.
const ANSWER: Duration = Duration::from_secs(20);
/// How long a connection that is not used is kept: RabbitMQ closes it after 5 s, and a request that meets the close is
/// lost.
const IDLE: Duration = Duration::from_secs(3);
/// For how long an API that did not answer is not asked again: one verb asks many times, screens ask for hours.
const SILENCE: Duration = Duration::from_secs(10);
/// Queues in one page: the most that the API gives.
const PAGE: u32 = 500;

/// The client.
pub(super) struct Management {
    /// Without a slash at the end; `None` when it is switched off by `?management=off`.
    base: Option<String>,
    user: String,
    password: Secret,
    vhost: String,
    tls: Tls,
    http: OnceLock<reqwest::Client>,
    /// Why it did not answer, and when that was.
    silent: Mutex<Option<(String, Instant)>>,
}

impl Management {
    /// Where the API is: `?management=URL`, else the first host at port 15672 (15671 with TLS).
    ///
    /// # Errors
    /// `Usage` for a URL that is none.
    pub(super) fn new(connect: &Connect, vhost: &str) -> Result<Self> {
        let url = &connect.url;
        let mut user = url.user.clone().unwrap_or_else(|| "guest".to_owned());
        let mut password = url.password.clone().unwrap_or_else(|| Secret::new("guest"));
        let base = match url.parameter("management") {
            Some("off") => None,
            Some(given) => {
                let bad = || Error::new(ErrorKind::Usage, "?management= in the URL is not an http:// or https:// URL");
                let mut parsed = url::Url::parse(given).map_err(|_| bad())?;
                if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
                    return Err(bad());
                }
                if !parsed.username().is_empty() {
                    user = decoded(parsed.username());
                    password = Secret::new(decoded(parsed.password().unwrap_or_default()));
                    parsed.set_username("").and_then(|()| parsed.set_password(None)).map_err(|()| bad())?;
                }
                Some(parsed.as_str().trim_end_matches('/').to_owned())
            }
            None => {
                let first = url.hosts.split(',').next().unwrap_or_default();
                let host = match first.rsplit_once(':') {
                    Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
                    _ => first,
                };
                Some(if url.scheme == "amqps" {
                    format!("https://{host}:15671")
                } else {
                    format!("http://{host}:15672")
                })
            }
        };
        let tls = connect.tls.clone();
        let vhost = segment(vhost);
        Ok(Self { base, user, password, vhost, tls, http: OnceLock::new(), silent: Mutex::new(None) })
    }

    /// The broker's version alone, which is quicker to ask for than the overview; other brokers with this API, and
    /// RabbitMQ before 4.0, may not answer.
    pub(super) async fn version(&self) -> Result<String> {
        self.get("version").await
    }

    /// The broker's version and product.
    pub(super) async fn overview(&self) -> Result<Overview> {
        self.get("overview?disable_stats=true&enable_queue_totals=false").await
    }

    /// One queue; `None` where there is none of that name.
    pub(super) async fn queue(&self, name: &str) -> Result<Option<Queue>> {
        absent(self.get(&format!("queues/{}/{}", self.vhost, segment(name))).await)
    }

    /// Every queue of the virtual host, by name.
    pub(super) async fn queues(&self) -> Result<Vec<Queue>> {
        let mut queues = Vec::new();
        let mut page = 1;
        loop {
            let path = format!("queues/{}?page={page}&page_size={PAGE}&sort=name", self.vhost);
            let part: Page<Queue> = self.get(&path).await?;
            queues.extend(part.items);
            if page >= part.page_count {
                return Ok(queues);
            }
            page += 1;
        }
    }

    /// The policies; only users with the policymaker tag may see them.
    pub(super) async fn policies(&self) -> Result<Vec<Policy>> {
        self.get(&format!("policies/{}", self.vhost)).await
    }

    /// The operator policies.
    pub(super) async fn operator_policies(&self) -> Result<Vec<Policy>> {
        self.get(&format!("operator-policies/{}", self.vhost)).await
    }

    /// The exchanges of the virtual host.
    pub(super) async fn exchanges(&self) -> Result<Vec<Exchange>> {
        self.get(&format!("exchanges/{}?columns=name,type", self.vhost)).await
    }

    /// Every binding of the virtual host.
    pub(super) async fn bindings(&self) -> Result<Vec<Binding>> {
        self.get(&format!("bindings/{}?columns=source,destination,destination_type,routing_key", self.vhost)).await
    }

    /// The virtual host as one segment of a path.
    pub(super) fn vhost(&self) -> &str {
        &self.vhost
    }

    /// A parameter of the virtual host; `None` where there is none of that name.
    pub(super) async fn parameter(&self, component: &str, name: &str) -> Result<Option<Value>> {
        absent(self.get(&self.parameter_path(component, name)).await)
    }

    /// Sets a parameter of the virtual host.
    ///
    /// # Errors
    /// `Rejected` with the API's reason where it takes no such parameter; `Denied` for a user without the policymaker tag;
    /// `Ambiguous` where the answer was lost.
    pub(super) async fn set_parameter(&self, component: &str, name: &str, value: &Value) -> Result<()> {
        let path = self.parameter_path(component, name);
        let body = serde_json::json!({ "value": value });
        let doubt = |why: String| {
            let what = format!("the management API was asked to set the parameter {name:?}, and its answer was lost");
            Error::new(ErrorKind::Ambiguous, what).because(why)
        };
        let answer = self.request(reqwest::Method::PUT, &path)?.json(&body).send().await;
        let answer = answer.map_err(|error| self.lost(&error, doubt))?;
        let status = answer.status().as_u16();
        match status {
            200..=299 => Ok(()),
            401 | 403 => Err(Error::new(
                ErrorKind::Denied,
                format!("the user {:?} may not set parameters ({status}): that needs the policymaker tag", self.user),
            )),
            _ => {
                let body = answer.bytes().await.unwrap_or_default();
                let told = serde_json::from_slice::<Value>(&body).ok();
                let told = told.as_ref().and_then(|told| told["reason"].as_str()).unwrap_or_default();
                let why = told.split_whitespace().collect::<Vec<_>>().join(" ");
                let kind = if status == 400 { ErrorKind::Rejected } else { ErrorKind::Unexpected };
                Err(Error::new(kind, format!("the management API answered {status} {why}").trim_end().to_owned()))
            }
        }
    }

    /// Clears a parameter of the virtual host; one that is not there is no error.
    pub(super) async fn clear_parameter(&self, component: &str, name: &str) -> Result<()> {
        let path = self.parameter_path(component, name);
        let answer = self.request(reqwest::Method::DELETE, &path)?.send().await;
        let unanswered = |why: String| {
            Error::new(ErrorKind::Unreachable, format!("the management API did not clear the parameter {name:?}"))
                .because(why)
        };
        match answer.map_err(|error| unanswered(root_cause(&error)))?.status().as_u16() {
            200..=299 | 404 => Ok(()),
            code => Err(unanswered(format!("it answered {code}"))),
        }
    }

    fn parameter_path(&self, component: &str, name: &str) -> String {
        format!("parameters/{component}/{}/{}", self.vhost, segment(name))
    }

    /// What is said of a request that got no answer: one that never reached the API changed nothing.
    fn lost(&self, error: &reqwest::Error, doubt: impl FnOnce(String) -> Error) -> Error {
        if error.is_connect() || error.is_builder() {
            let base = self.base.as_deref().unwrap_or_default();
            let why = format!("the management API at {base} does not answer: {}", root_cause(error));
            return Error::new(ErrorKind::Unreachable, why);
        }
        doubt(root_cause(error))
    }

    /// A request to the API, signed by the user.
    fn request(&self, method: reqwest::Method, path: &str) -> Result<reqwest::RequestBuilder> {
        let base = self.base()?;
        let request = self.http()?.request(method, format!("{base}/api/{path}"));
        Ok(request.basic_auth(&self.user, Some(self.password.expose())))
    }

    fn base(&self) -> Result<&str> {
        self.base
            .as_deref()
            .ok_or_else(|| Error::new(ErrorKind::Unsupported, "the management API is switched off by ?management=off"))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        let base = self.base()?;
        let silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((why, _)) = silent.filter(|(_, since)| since.elapsed() < SILENCE) {
            return Err(Error::new(ErrorKind::Unreachable, why));
        }
        let mut answer = self.request(reqwest::Method::GET, path)?.send().await;
        // A connection that was closed in the meantime says nothing about the API; a look may be asked for twice.
        if answer.as_ref().is_err_and(|error| error.is_request() && !error.is_connect() && !error.is_timeout()) {
            answer = self.request(reqwest::Method::GET, path)?.send().await;
        }
        let answer = answer.map_err(|error| {
            let why = format!("the management API at {base} does not answer: {}", root_cause(&error));
            *self.silent.lock().unwrap_or_else(PoisonError::into_inner) = Some((why.clone(), Instant::now()));
            Error::new(ErrorKind::Unreachable, why)
        })?;
        match answer.status().as_u16() {
            200 => {}
            401 => {
                return Err(Error::new(
                    ErrorKind::Denied,
                    format!(
                        "the management API at {base} refuses the user {:?} (401): it needs the management tag",
                        self.user
                    ),
                ));
            }
            404 => return Err(Error::new(ErrorKind::NotFound, format!("the management API at {base} has no {path}"))),
            code => {
                return Err(Error::new(ErrorKind::Unexpected, format!("the management API at {base} answered {code}")));
            }
        }
        let unreadable = |why: String| {
            Error::new(ErrorKind::Unexpected, format!("the answer of the management API at {base} can't be read"))
                .because(why)
        };
        let body = answer.bytes().await.map_err(|error| unreadable(root_cause(&error)))?;
        serde_json::from_slice(&body).map_err(|error| unreadable(error.to_string()))
    }

    fn http(&self) -> Result<&reqwest::Client> {
        if let Some(client) = self.http.get() {
            return Ok(client);
        }
        let mut builder =
            reqwest::Client::builder().connect_timeout(CONNECT).timeout(ANSWER).pool_idle_timeout(IDLE).no_proxy();
        if self.base.as_deref().is_some_and(|base| base.starts_with("https:")) {
            builder = tls::for_http(builder, &self.tls)?;
        } else {
            // Loading the machine's certificates takes longer than the whole look at a queue.
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build().map_err(|error| {
            Error::new(ErrorKind::Config, "the client of the management API can't be built").because(error)
        })?;
        Ok(self.http.get_or_init(|| client))
    }
}

/// A name as one segment of a path.
fn segment(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC).to_string()
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn absent<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The innermost reason: reqwest's outer ones repeat the URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::broker::BrokerUrl;

    /// RabbitMQ closes a connection that was idle for 5 s, and a request may meet the close.
    #[tokio::test]
    async fn a_connection_that_was_closed_between_two_requests_is_no_silence() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("amqp://127.0.0.1/%2f?management=http://{}", server.local_addr().unwrap());
        tokio::spawn(async move {
            const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n1";
            let mut asked = [0; 4096];
            let (mut first, _) = server.accept().await.unwrap();
            _ = first.read(&mut asked).await;
            _ = first.write_all(ANSWER).await;
            // The second request is read, and not answered.
            _ = first.read(&mut asked).await;
            drop(first);
            let (mut second, _) = server.accept().await.unwrap();
            _ = second.read(&mut asked).await;
            _ = second.write_all(ANSWER).await;
            _ = second.read(&mut asked).await;
        });
        let url = BrokerUrl::parse(&url).unwrap();
        let connect = Connect { url, tls: Tls::default(), options: std::collections::BTreeMap::new() };
        let management = Management::new(&connect, "%2f").unwrap();
        for _ in 0..2 {
            assert_eq!(management.get::<u64>("anything").await.unwrap(), 1);
        }
    }
}
