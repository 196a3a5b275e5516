//! Logins by tokens (OAUTHBEARER): where a token comes from, how long it holds, and its renewal.
//!
//! librdkafka asks for tokens by an event that the client library serves for some clients only, and without what
//! Confluent Cloud wants beside the token. So each client gets its token before its first question and, while it lives,
//! a new one before the old ends; all clients of a profile share it. Limits: a token that was given as such can't be
//! renewed; of identity providers only the grant of client credentials is known.

use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rdkafka::client::Client;
use serde::Deserialize;
use tokio::sync::Mutex;

use super::context::Context;
use super::native;
use crate::broker::aws;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How long a token of MSK holds: what its own signers ask for.
const MSK_HOLDS: Duration = Duration::from_mins(15);
/// How long one is thought to hold that does not say.
const HOLDS: Duration = Duration::from_hours(1);
/// How long an identity provider or a source of credentials may take.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long until a renewal that failed is tried again.
const AGAIN: Duration = Duration::from_secs(10);
/// The name of the user where the token has none; the brokers take it from the token.
const NOBODY: &str = "postroom";

/// A token.
#[derive(Clone, Debug)]
struct Token {
    text: Secret,
    /// Whom it names.
    principal: String,
    until: SystemTime,
    renewed: SystemTime,
}

/// Where tokens come from.
#[derive(Debug)]
enum Origin {
    /// It was given as the password.
    Given(Secret),
    /// An identity provider's, for a client id and its secret.
    Oidc { endpoint: String, id: String, secret: Secret, scope: Option<String> },
    /// A request to MSK, signed by AWS credentials.
    Msk { region: Option<String>, profile: Option<String> },
}

/// The tokens of one profile.
#[derive(Debug)]
pub(super) struct Tokens {
    origin: Origin,
    /// Told to the brokers beside the token.
    extensions: Vec<(String, String)>,
    last: Mutex<Option<Token>>,
}

impl Tokens {
    /// What a profile's options say of tokens; takes the ones out that are not librdkafka's business. `None` for other
    /// logins.
    ///
    /// # Errors
    /// `Config` for options that do not fit together.
    pub(super) fn new(
        options: &mut BTreeMap<String, String>,
        password: Option<&Secret>,
        hosts: &str,
    ) -> Result<Option<Self>> {
        let mechanism = options.get("sasl.mechanism").cloned().unwrap_or_default();
        let mut take = |name: &str| options.remove(name).filter(|value| !value.is_empty());
        let origin = match mechanism.as_str() {
            "AWS_MSK_IAM" => {
                Origin::Msk { region: take("aws.region").or_else(|| region_of(hosts)), profile: take("aws.profile") }
            }
            "OAUTHBEARER" => {
                let oidc = take("sasl.oauthbearer.method").is_some_and(|method| method.eq_ignore_ascii_case("oidc"));
                let endpoint = take("sasl.oauthbearer.token.endpoint.url");
                let (id, secret) = (take("sasl.oauthbearer.client.id"), take("sasl.oauthbearer.client.secret"));
                let scope = take("sasl.oauthbearer.scope");
                match (oidc || endpoint.is_some(), endpoint, id, secret, password) {
                    (true, Some(endpoint), Some(id), Some(secret), _) => {
                        Origin::Oidc { endpoint, id, secret: Secret::new(secret), scope }
                    }
                    (false, _, _, _, Some(token)) => Origin::Given(token.clone()),
                    _ => {
                        return Err(Error::new(ErrorKind::Config, "OAUTHBEARER needs to know where tokens come from")
                            .hint(
                                "give sasl.oauthbearer.token.endpoint.url, .client.id and .client.secret, or the token \
                                 itself as the password",
                            ));
                    }
                }
            }
            _ => return Ok(None),
        };
        let mut extensions = Vec::new();
        for pair in take("sasl.oauthbearer.extensions").iter().flat_map(|text| text.split(',')) {
            let (name, value) = pair.trim().split_once('=').ok_or_else(|| {
                Error::new(ErrorKind::Config, format!("sasl.oauthbearer.extensions: {pair:?} is not name=value"))
            })?;
            extensions.push((name.to_owned(), value.to_owned()));
        }
        options.insert("sasl.mechanism".to_owned(), "OAUTHBEARER".to_owned());
        Ok(Some(Self { origin, extensions, last: Mutex::default() }))
    }

    /// Gives a client its token, and new ones for as long as it lives. `native` finds librdkafka's client in it.
    ///
    /// # Errors
    /// `Denied` where no token can be had.
    pub(super) async fn serve<T: Send + Sync + 'static>(
        self: &Arc<Self>,
        client: &Arc<T>,
        native: fn(&T) -> Option<&Client<Context>>,
    ) -> Result<()> {
        let mut token = self.token().await?;
        native(client).map_or(Ok(()), |native| self.set(native, &token))?;
        let (tokens, client): (Arc<Self>, Weak<T>) = (Arc::clone(self), Arc::downgrade(client));
        let renewing = async move {
            loop {
                let wait = token.renewed.duration_since(SystemTime::now()).unwrap_or(AGAIN).max(AGAIN);
                tokio::time::sleep(wait).await;
                if client.strong_count() == 0 {
                    return;
                }
                let next = tokens.token().await;
                let Some(client) = client.upgrade() else { return };
                let Some(native) = native(&client) else { return };
                match next.and_then(|next| tokens.set(native, &next).map(|()| next)) {
                    Ok(next) => token = next,
                    Err(error) => native.context().trouble.refused(&error),
                }
            }
        };
        drop(tokio::spawn(renewing));
        Ok(())
    }

    /// The last token while it is fresh, else a new one.
    async fn token(&self) -> Result<Token> {
        let mut last = self.last.lock().await;
        if let Some(token) = last.as_ref().filter(|token| token.renewed > SystemTime::now()) {
            return Ok(token.clone());
        }
        let (text, until) = match &self.origin {
            Origin::Given(text) => (text.clone(), None),
            Origin::Oidc { endpoint, id, secret, scope } => oidc(endpoint, id, secret, scope.as_deref()).await?,
            Origin::Msk { region, profile } => msk(region.as_deref(), profile.as_deref()).await?,
        };
        let (subject, expires) = claims(text.expose());
        let now = SystemTime::now();
        let until = until.or(expires).unwrap_or(now + HOLDS);
        let Ok(left) = until.duration_since(now) else {
            return Err(no_token("the token has expired").hint("get a new one"));
        };
        let token = Token {
            text,
            principal: subject.unwrap_or_else(|| NOBODY.to_owned()),
            until,
            renewed: now + left.mul_f64(0.8),
        };
        Ok(last.insert(token).clone())
    }

    fn set(&self, client: &Client<Context>, token: &Token) -> Result<()> {
        let until = token.until.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        native::set_token(client, token.text.expose(), &token.principal, until, &self.extensions)
            .map_err(|why| no_token(&format!("the client library does not take the token: {why}")))
    }
}

fn no_token(why: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("there is no token to log in with: {why}"))
}

/// Subject and end of a token that is a JWT. It is not verified: that is the brokers' business.
fn claims(token: &str) -> (Option<String>, Option<SystemTime>) {
    #[derive(Deserialize)]
    struct Claims {
        sub: Option<String>,
        exp: Option<f64>,
    }
    let claims =
        token.split('.').nth(1).and_then(|part| BASE64_URL_SAFE_NO_PAD.decode(part.trim_end_matches('=')).ok());
    let Some(claims) = claims.and_then(|bytes| serde_json::from_slice::<Claims>(&bytes).ok()) else {
        return (None, None);
    };
    let until = claims.exp.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    (claims.sub.filter(|sub| !sub.is_empty()), until.and_then(|until| SystemTime::UNIX_EPOCH.checked_add(until)))
}

/// Asks an identity provider, by the grant of client credentials.
async fn oidc(endpoint: &str, id: &str, secret: &Secret, scope: Option<&str>) -> Result<(Secret, Option<SystemTime>)> {
    #[derive(Deserialize)]
    struct Answer {
        access_token: Option<String>,
        expires_in: Option<f64>,
        error: Option<String>,
        error_description: Option<String>,
    }
    let failed =
        |why: String| no_token(&format!("{endpoint}: {why}")).hint("check the endpoint, the client id and its secret");
    let pairs = [("grant_type", Some("client_credentials")), ("scope", scope)];
    let form = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))))
        .finish();
    let asked = async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        let request = client
            .post(endpoint)
            .basic_auth(id, Some(secret.expose()))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("accept", "application/json")
            .body(form);
        let answer = request.send().await?;
        let status = answer.status();
        Ok::<_, reqwest::Error>((status, answer.bytes().await?))
    };
    let (status, body) = asked.await.map_err(|error| failed(root_cause(&error.without_url())))?;
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| failed(format!("it answered {status} and no JSON")))?;
    let Some(token) = answer.access_token.filter(|_| status.is_success()) else {
        let why = answer.error_description.or(answer.error);
        return Err(failed(why.unwrap_or_else(|| format!("it answered {status} and no token"))));
    };
    let holds = answer.expires_in.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok((Secret::new(token), holds.and_then(|holds| SystemTime::now().checked_add(holds))))
}

/// The innermost reason: the outer ones only say that a request failed.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The region in the name of an MSK broker: `b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com`.
fn region_of(hosts: &str) -> Option<String> {
    let host = hosts.split(',').next()?.split(':').next()?;
    let (rest, _) = host.split_once(".amazonaws.com")?;
    let (before, region) = rest.rsplit_once('.')?;
    before.rsplit('.').next().filter(|label| label.starts_with("kafka"))?;
    Some(region.to_owned())
}

/// Finds region and credentials as every AWS tool does, and signs.
async fn msk(region: Option<&str>, profile: Option<&str>) -> Result<(Secret, Option<SystemTime>)> {
    let found = async {
        let config = aws::loader(profile, region).await.load().await;
        let region = config
            .region()
            .map(ToString::to_string)
            .ok_or_else(|| no_token("no AWS region is known").hint("set the option aws.region, or AWS_REGION"))?;
        let provider = config.credentials_provider().ok_or_else(|| no_token("no AWS credentials are configured"))?;
        let credentials = provider.provide_credentials().await.map_err(|error| {
            no_token("no AWS credentials are found")
                .hint("log in (`aws sso login`), or set the option aws.profile or AWS_PROFILE")
                .because(error)
        })?;
        Ok::<_, Error>((region, credentials))
    };
    let late = |_| no_token("AWS gives no credentials in time").hint("check the AWS profile and the network");
    let (region, credentials) = tokio::time::timeout(PATIENCE, found).await.map_err(late)??;
    let now = SystemTime::now();
    let until = credentials.expiry().map_or(now + MSK_HOLDS, |expiry| expiry.min(now + MSK_HOLDS));
    Ok((signed(&region, credentials, now)?, Some(until)))
}

/// A presigned request to connect, as MSK takes it for a token.
fn signed(region: &str, credentials: Credentials, now: SystemTime) -> Result<Secret> {
    let unsignable = |error: &dyn std::fmt::Display| no_token(&format!("it can't be signed: {error}"));
    let host = format!("kafka.{region}.amazonaws.com");
    let url = format!("https://{host}/?Action=kafka-cluster%3AConnect");
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(MSK_HOLDS);
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("kafka-cluster")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| unsignable(&error))?;
    let headers = std::iter::once(("host", host.as_str()));
    let request = SignableRequest::new("GET", url.as_str(), headers, SignableBody::Bytes(&[]))
        .map_err(|error| unsignable(&error))?;
    let (instructions, _) = sign(request, &params.into()).map_err(|error| unsignable(&error))?.into_parts();
    let mut url = url::Url::parse(&url).map_err(|error| unsignable(&error))?;
    for (name, value) in instructions.params() {
        url.query_pairs_mut().append_pair(name, value);
    }
    // Not signed: it is how the brokers' log tells clients apart.
    url.query_pairs_mut().append_pair("User-Agent", concat!("postroom/", env!("CARGO_PKG_VERSION")));
    Ok(Secret::new(BASE64_URL_SAFE_NO_PAD.encode(url.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"alg":"none"}.{"sub":"alice","exp":1772446272.5}.`
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSIsImV4cCI6MTc3MjQ0NjI3Mi41fQ.";

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_region_is_read_from_the_names_of_brokers() {
        let msk =
            "b-1.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com:9098,b-2.shop.a1b2c3.c2.kafka.eu-west-1.amazonaws.com";
        assert_eq!(region_of(msk).as_deref(), Some("eu-west-1"));
        let serverless = "boot-abc.c1.kafka-serverless.us-east-2.amazonaws.com:9098";
        assert_eq!(region_of(serverless).as_deref(), Some("us-east-2"));
        assert_eq!(region_of("sqs.eu-west-1.amazonaws.com"), None);
        assert_eq!(region_of("localhost:9098"), None);
    }

    #[test]
    fn a_token_says_whom_it_names_and_when_it_ends() {
        let (subject, until) = claims(JWT);
        assert_eq!(subject.as_deref(), Some("alice"));
        assert_eq!(until, Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1_772_446_272_500)));
        assert_eq!(claims("opaque"), (None, None));
    }

    #[tokio::test]
    async fn an_old_token_is_refused_before_it_is_sent() {
        let mut given = options(&[("sasl.mechanism", "OAUTHBEARER")]);
        let tokens = Tokens::new(&mut given, Some(&Secret::new(JWT)), "h").unwrap().unwrap();
        let error = tokens.token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Denied);
        assert!(!format!("{error:?} {tokens:?}").contains("eyJ"), "a token is a secret");
    }

    #[test]
    fn extensions_go_with_the_token_and_not_to_librdkafka() {
        let mut given = options(&[
            ("sasl.mechanism", "AWS_MSK_IAM"),
            ("sasl.oauthbearer.extensions", "logicalCluster=lkc-1, identityPoolId=pool-2"),
            ("fetch.wait.max.ms", "9"),
        ]);
        let tokens = Tokens::new(&mut given, None, "h").unwrap().unwrap();
        let names: Vec<_> = tokens.extensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(names, [("logicalCluster", "lkc-1"), ("identityPoolId", "pool-2")]);
        assert_eq!(given.keys().collect::<Vec<_>>(), ["fetch.wait.max.ms", "sasl.mechanism"]);
        let mut wrong = options(&[("sasl.mechanism", "AWS_MSK_IAM"), ("sasl.oauthbearer.extensions", "x")]);
        assert_eq!(Tokens::new(&mut wrong, None, "h").unwrap_err().kind(), ErrorKind::Config);
    }

    /// The signature was worked out by the published rules of version 4, without this library.
    #[test]
    fn msk_gets_a_request_that_is_signed_by_the_rules() {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            Some("session+token/1=".into()),
            None,
            "test",
        );
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_446_272);
        let token = signed("eu-west-1", credentials, now).unwrap();
        let url = BASE64_URL_SAFE_NO_PAD.decode(token.expose()).unwrap();
        let url = url::Url::parse(std::str::from_utf8(&url).unwrap()).unwrap();
        assert_eq!(url.host_str(), Some("kafka.eu-west-1.amazonaws.com"));
        let pairs: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["Action"], "kafka-cluster:Connect");
        assert_eq!(pairs["X-Amz-Credential"], "AKIDEXAMPLE/20260302/eu-west-1/kafka-cluster/aws4_request");
        assert_eq!(pairs["X-Amz-Security-Token"], "session+token/1=");
        assert_eq!(pairs["X-Amz-Expires"], "900");
        assert_eq!(pairs["X-Amz-Signature"], "6c1ee68282b0b8d8cd8d82085e466ad80a4f236738719092c71de772c7e7a803");
        assert!(pairs["User-Agent"].starts_with("postroom/"));
    }
}
