//! TLS for both ways to the broker: certificates to trust, and our own to show.
//!
//! With an authority of its own (`tls.ca`) only that one is trusted; without, the machine's. Limits: PEM files
//! only, read when a connection is opened, so that a renewed certificate is seen by the next one.

use std::path::Path;

use lapin::tcp::{RustlsConnector, RustlsConnectorConfig};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::broker::Tls;
use crate::error::{Error, ErrorKind, Result};

fn read(what: &str, path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| Error::new(ErrorKind::Config, format!("can't read {what} {}", path.display())).because(error))
}

fn certificates(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    let bad = || Error::new(ErrorKind::Config, format!("{what} {} holds no certificate in PEM form", path.display()));
    let certificates = CertificateDer::pem_slice_iter(&read(what, path)?)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| bad().because(error))?;
    if certificates.is_empty() { Err(bad()) } else { Ok(certificates) }
}

/// Refuses a certificate without its key and a key without its certificate.
fn own(tls: &Tls) -> Result<Option<(&Path, &Path)>> {
    match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => Ok(Some((cert, key))),
        (None, None) => Ok(None),
        _ => Err(Error::new(ErrorKind::Config, "a client certificate needs both tls.cert and tls.key")),
    }
}

/// The connector for AMQP over TLS.
///
/// # Errors
/// `Config` for files that can't be read or used.
pub(super) fn connector(tls: &Tls) -> Result<RustlsConnector> {
    let unusable = |error: std::io::Error| Error::new(ErrorKind::Config, "the TLS files can't be used").because(error);
    let mut config = RustlsConnectorConfig::default();
    if let Some(ca) = &tls.ca {
        config.add_parsable_certificates(certificates("tls.ca", ca)?);
    } else {
        config = config.with_native_certs().map_err(unusable)?;
    }
    let Some((cert, key)) = own(tls)? else {
        return config.connector_with_no_client_auth().map_err(unusable);
    };
    let chain = certificates("tls.cert", cert)?;
    let private = PrivateKeyDer::from_pem_slice(&read("tls.key", key)?).map_err(|error| {
        Error::new(ErrorKind::Config, format!("tls.key {} holds no private key in PEM form", key.display()))
            .because(error)
    })?;
    config.connector_with_single_cert(chain, private).map_err(unusable)
}

/// Adds the same files to the client of the management API.
///
/// # Errors
/// `Config` for files that can't be read or used.
pub(super) fn for_http(mut builder: reqwest::ClientBuilder, tls: &Tls) -> Result<reqwest::ClientBuilder> {
    let unusable = |error: reqwest::Error| Error::new(ErrorKind::Config, "the TLS files can't be used").because(error);
    if let Some(ca) = &tls.ca {
        let bundle = reqwest::Certificate::from_pem_bundle(&read("tls.ca", ca)?).map_err(unusable)?;
        builder = builder.tls_certs_only(bundle);
    }
    if let Some((cert, key)) = own(tls)? {
        let mut pem = read("tls.key", key)?;
        pem.push(b'\n');
        pem.extend(read("tls.cert", cert)?);
        builder = builder.identity(reqwest::Identity::from_pem(&pem).map_err(unusable)?);
    }
    Ok(builder)
}
