//! The client: who we are, by the rules of every AWS tool, and how long a call may take.
//!
//! The library tries nothing again by itself: what may be tried again is decided by `call`, for a send that is made
//! twice may be there twice. Limits: credentials are looked for at the first call, and within five seconds.

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_credential_types::Credentials;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::config::Region;

use super::clock::{self, Clock};
use super::place::Settings;

/// How long the server may take to accept a connection.
const CONNECT: Duration = Duration::from_secs(4);
/// How long one answer may take; a receive waits for messages in it.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// Makes the client. Asks the AWS configuration, and not the network.
pub(super) async fn client(settings: &Settings, clock: &Arc<Clock>) -> Client {
    let timeouts = TimeoutConfig::builder().connect_timeout(CONNECT).operation_timeout(ANSWER).build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).region(Region::new(settings.region.clone()));
    if let Some(profile) = &settings.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint) = &settings.endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    if settings.is_local() {
        loader = loader.credentials_provider(local_credentials(settings));
    }
    let shared = loader.load().await;
    let config = aws_sdk_sqs::config::Builder::from(&shared).interceptor(clock::Listener(Arc::clone(clock)));
    Client::from_conf(config.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build())
}

/// A server on this machine takes any credentials, so none need be configured for it.
fn local_credentials(settings: &Settings) -> CredentialsProviderChain {
    let mut profile = ProfileFileCredentialsProvider::builder();
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Profile", profile.build())
        .or_else("Local", Credentials::new("postroom", "postroom", None, None, "local server"))
}
