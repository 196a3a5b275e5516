//! Opening a broker: what a connection needs, and which backend serves which scheme.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Broker, BrokerUrl};
use crate::error::{Error, ErrorKind, Result};

/// TLS files of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tls {
    /// Certificates of the authorities to trust, PEM; without it the machine's own.
    pub ca: Option<PathBuf>,
    /// Our certificate chain, PEM.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
}

/// Everything that opens a connection, secrets resolved. `Debug` names the options without their values, for any of
/// them may be a secret.
#[derive(Clone)]
pub struct Connect {
    /// The broker's URL, with user and password filled in.
    pub url: BrokerUrl,
    /// TLS files.
    pub tls: Tls,
    /// The client's own options (librdkafka properties).
    pub options: BTreeMap<String, String>,
}

impl std::fmt::Debug for Connect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let options: Vec<&String> = self.options.keys().collect();
        f.debug_struct("Connect").field("url", &self.url).field("tls", &self.tls).field("options", &options).finish()
    }
}

/// Opens the backend for the URL's scheme, in its layers. Whether it connects at once or at the first use is
/// the backend's choice.
///
/// # Errors
/// `Unsupported` for a scheme that this build has no backend for; else what the backend says.
pub async fn open(connect: &Connect) -> Result<Arc<dyn Broker>> {
    backend(connect).map(super::layers::wrap)
}

/// The bare backend of the scheme.
fn backend(connect: &Connect) -> Result<Arc<dyn Broker>> {
    let scheme = connect.url.scheme.as_str();
    #[cfg(feature = "rabbitmq")]
    if matches!(scheme, "amqp" | "amqps") {
        return Ok(Arc::new(super::rabbitmq::RabbitMq::new(connect)?));
    }
    #[cfg(feature = "kafka")]
    if scheme == "kafka" {
        return Ok(Arc::new(super::kafka::Kafka::new(connect)?));
    }
    #[cfg(feature = "sqs")]
    if scheme == "sqs" {
        return Ok(Arc::new(super::sqs::Sqs::new(connect)?));
    }
    Err(Error::new(ErrorKind::Unsupported, format!("this build of postroom has no backend for {scheme}:// URLs"))
        .context("address", connect.url.to_string()))
}
