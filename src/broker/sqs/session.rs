//! The client: who we are, by the rules of every AWS tool, and how long a call may take.
//!
//! The library tries nothing again by itself: what may be tried again is decided by `call`, for a send that is made
//! twice may be there twice. Limits: credentials are looked for at the first call, and within five seconds.

use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::{self, ProfileFileCredentialsProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;

use super::clock::{self, Clock};
use super::place::Settings;
use crate::broker::aws;
use crate::error::{Error, ErrorKind, Result};

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(4);
/// How long one answer may take; a receive waits for messages in it.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// Makes the client. Asks the AWS configuration, and not the network.
pub(super) async fn client(settings: &Settings, clock: &Arc<Clock>) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(ANSWER).build();
    let mut loader = aws::loader(settings.profile.as_deref(), Some(&settings.region)).await;
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if settings.is_local() {
        loader = loader.credentials_provider(local_credentials(settings.profile.as_deref()));
    }
    let shared = loader.load().await;
    let config = aws_sdk_sqs::config::Builder::from(&shared).interceptor(clock::Listener(Arc::clone(clock)));
    Client::from_conf(config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build())
}

/// Refuses a profile that the AWS configuration does not have.
///
/// # Errors
/// `Config`, with the profiles that there are.
#[allow(
    clippy::default_trait_access,
    reason = "the types of the first three arguments have no name that is ours to use"
)]
pub(super) async fn check_profile(settings: &Settings) -> Result<()> {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    // Keys in the environment come before a profile that it names, and after one that the URL names.
    let elsewhere = || set("AWS_PROFILE").filter(|_| !settings.is_local() && set("AWS_ACCESS_KEY_ID").is_none());
    let (name, source) = match (&settings.profile, elsewhere()) {
        (Some(name), _) => (name.clone(), "?profile="),
        (None, Some(name)) => (name, "AWS_PROFILE"),
        (None, None) => return Ok(()),
    };
    let loaded = profile::load(&Default::default(), &Default::default(), &Default::default(), None).await;
    let profiles = loaded.map_err(|error| {
        Error::new(ErrorKind::Config, "the AWS configuration can't be read")
            .because(error)
            .hint("see ~/.aws/config and ~/.aws/credentials, or the files that AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE name")
    })?;
    if profiles.get_profile(&name).is_some() {
        return Ok(());
    }
    let mut there: Vec<&str> = profiles.profiles().collect();
    there.sort_unstable();
    let hint = if there.is_empty() {
        "it has none: ~/.aws/config and ~/.aws/credentials are missing or empty".to_owned()
    } else {
        format!("there are {}", there.join(", "))
    };
    Err(Error::new(ErrorKind::Config, format!("the AWS configuration has no profile {name:?}, which {source} names"))
        .hint(hint))
}

/// A server on this machine takes any credentials, so none need be configured for it.
fn local_credentials(profile: Option<&str>) -> CredentialsProviderChain {
    let local = Credentials::new("postroom", "postroom", None, None, "local server");
    let Some(name) = profile else {
        return CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
            .or_else("Profile", ProfileFileCredentialsProvider::builder().build())
            .or_else("Local", local);
    };
    let named = ProfileFileCredentialsProvider::builder().profile_name(name).build();
    CredentialsProviderChain::first_try("Profile", named).or_else("Local", local)
}
