//! Where AWS credentials come from: each source of the AWS chain, seen by what the program signs its request with.
//!
//! One server in this process plays STS, the SSO portal and its token service, the metadata of an instance, of a container,
//! and SQS, which tells by whose key a request is signed. `AWS_ENDPOINT_URL_*` lead there; the URL names no endpoint, so
//! nothing of this is the case of a server on this machine, which needs no credentials. Limits: no signature is checked.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::environment::{Run, TestEnvironment};

/// The role that instance, container and single sign-on give.
const ROLE: &str = "on-call";
/// The name of the cache file of the session `corp`: its SHA-1.
const SESSION: &str = "home/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A request that came in.
#[derive(Clone, Debug, Default)]
struct Request {
    method: String,
    path: String,
    /// Names in small letters.
    headers: Vec<(String, String)>,
    body: String,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(header, _)| header == name).map_or("", |(_, value)| value)
    }

    fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let mut line = || {
            let mut text = String::new();
            (stream.read_line(&mut text).ok()? > 0).then(|| text.trim_end().to_owned())
        };
        let start = line()?;
        let mut words = start.split(' ').map(ToOwned::to_owned);
        let mut request = Self { method: words.next()?, path: words.next()?, ..Self::default() };
        while let Some((name, value)) = line()?.split_once(':') {
            request.headers.push((name.to_lowercase(), value.trim().to_owned()));
        }
        let mut body = vec![0; request.header("content-length").parse().unwrap_or(0)];
        stream.read_exact(&mut body).ok()?;
        request.body = String::from_utf8(body).ok()?;
        Some(request)
    }

    /// What each of the services says to it: status and body.
    fn answer(&self) -> (u16, String) {
        let keys =
            |who: &str| json!({"AccessKeyId": who, "SecretAccessKey": "geheim", "Token": format!("{who}-token")});
        match (self.method.as_str(), self.path.split('?').next().unwrap_or_default()) {
            ("POST", "/token") if self.body.contains("refresh-me") => {
                (200, json!({"accessToken": "portal-anew", "expiresIn": 3600, "tokenType": "Bearer"}).to_string())
            }
            ("GET", "/federation/credentials") if self.header("x-amz-sso_bearer_token").starts_with("portal") => {
                let which = self.header("x-amz-sso_bearer_token").replace("portal", "SSO");
                let keys = json!({
                    "accessKeyId": which, "secretAccessKey": "geheim", "sessionToken": format!("{which}-token"),
                    "expiration": 4_070_908_800_000_u64,
                });
                (200, json!({"roleCredentials": keys}).to_string())
            }
            ("GET", "/federation/credentials") => {
                (401, json!({"message": "Session token not found or invalid"}).to_string())
            }
            ("PUT", "/latest/api/token") => (200, "metadata-token".to_owned()),
            ("GET", "/latest/meta-data/iam/security-credentials/") => (200, ROLE.to_owned()),
            ("GET", "/latest/meta-data/iam/security-credentials/on-call")
                if self.header("x-aws-ec2-metadata-token") == "metadata-token" =>
            {
                let mut keys = keys("INSTANCE");
                keys["Code"] = "Success".into();
                keys["Expiration"] = "2099-01-01T00:00:00Z".into();
                (200, keys.to_string())
            }
            ("GET", "/container") if self.header("authorization") == "container-token" => {
                let mut keys = keys("CONTAINER");
                keys["Expiration"] = "2099-01-01T00:00:00Z".into();
                (200, keys.to_string())
            }
            ("POST", "/") if self.header("x-amz-target") == "AmazonSQS.ListQueues" => (200, "{}".to_owned()),
            ("POST", "/") if self.body.contains("WebIdentityToken=expired") => {
                (400, sts_error("ExpiredTokenException", "Token expired: current date is after expiration date"))
            }
            ("POST", "/") if self.body.contains("Action=AssumeRoleWithWebIdentity") => {
                (200, sts("AssumeRoleWithWebIdentity", "WEB"))
            }
            ("POST", "/") if self.body.contains("Action=AssumeRole&") => (200, sts("AssumeRole", "ASSUMED")),
            _ => (404, String::new()),
        }
    }
}

/// An answer of STS.
fn sts(action: &str, who: &str) -> String {
    format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result><AssumedRoleUser>\
         <Arn>arn:aws:sts::123456789012:assumed-role/on-call/me</Arn><AssumedRoleId>AROA:me</AssumedRoleId>\
         </AssumedRoleUser><Credentials><AccessKeyId>{who}</AccessKeyId><SecretAccessKey>geheim</SecretAccessKey>\
         <SessionToken>{who}-token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
         </{action}Result></{action}Response>"
    )
}

fn sts_error(code: &str, text: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type><Code>{code}</Code>\
         <Message>{text}</Message></Error></ErrorResponse>"
    )
}

/// The services, on one port.
struct Aws {
    port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
    environment: TestEnvironment,
}

impl Aws {
    /// Starts them, and prepares an environment in which only the named variables and files lead anywhere.
    fn start(variables: &[(&str, &str)], files: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&seen);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&heard);
                std::thread::spawn(move || serve(stream, &heard));
            }
        });
        let here = format!("http://127.0.0.1:{port}");
        let mut environment = TestEnvironment::new();
        for service in ["SQS", "STS", "SSO", "SSO_OIDC"] {
            environment = environment.variable(&format!("AWS_ENDPOINT_URL_{service}"), &here);
        }
        for (name, value) in variables {
            let value = value.replace("$ROOT", environment.path("").to_str().unwrap()).replace("$HERE", &here);
            environment = environment.variable(name, &value);
        }
        if !variables.iter().any(|(name, _)| name.starts_with("AWS_EC2_METADATA")) {
            environment = environment.variable("AWS_EC2_METADATA_DISABLED", "true");
        }
        for (name, text) in files {
            let path = environment.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text.replace("$ROOT", environment.path("").to_str().unwrap())).unwrap();
        }
        Self { port, seen, environment }
    }

    /// Lists the queues of a region.
    fn queues(&self, more: &str) -> Run {
        self.environment.run(&["queues", &format!("sqs://eu-west-1{more}")])
    }

    /// Lists the queues, and says by which key the request was signed.
    fn key(&self, more: &str) -> String {
        let run = self.queues(more);
        assert_eq!(run.exit, 0, "{run}\n{}", self.told());
        let seen = self.seen.lock().unwrap();
        let signed = seen.iter().find(|request| request.header("x-amz-target") == "AmazonSQS.ListQueues").unwrap();
        let (_, credential) = signed.header("authorization").split_once("Credential=").unwrap();
        let (key, scope) = credential.split_once('/').unwrap();
        assert!(scope.contains("/eu-west-1/sqs/aws4_request"), "{scope}");
        // The token of the session goes with it.
        assert_eq!(signed.header("x-amz-security-token"), format!("{key}-token"));
        key.to_owned()
    }

    /// The requests so far, for a failure.
    fn told(&self) -> String {
        let mut text = String::new();
        for Request { method, path, body, .. } in &*self.seen.lock().unwrap() {
            _ = writeln!(text, "{method} {path} {body}");
        }
        text
    }

    fn asked(&self, path: &str) -> Vec<Request> {
        self.seen.lock().unwrap().iter().filter(|request| request.path.starts_with(path)).cloned().collect()
    }
}

fn serve(stream: TcpStream, seen: &Mutex<Vec<Request>>) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream) {
        let (status, body) = request.answer();
        seen.lock().unwrap().push(request);
        let head = format!(
            "HTTP/1.1 {status} X\r\nx-aws-ec2-metadata-token-ttl-seconds: 600\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.get_mut().write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// A profile by single sign-on, with the cached token of its session.
fn single_sign_on(token: &serde_json::Value) -> Aws {
    let config = "[profile ops]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = on-call\n\
                  [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n";
    Aws::start(&[], &[("home/.aws/config", config), (SESSION, &token.to_string())])
}

#[test]
fn a_web_identity_is_taken_for_a_role() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "$ROOT/token.jwt"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/on-call"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let aws = Aws::start(&variables, &[("token.jwt", "a-token-of-the-pod")]);
    assert_eq!(aws.key(""), "WEB");
    let asked = aws.asked("/").remove(0);
    for part in ["WebIdentityToken=a-token-of-the-pod", "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fon-call"] {
        assert!(asked.body.contains(part), "{}", asked.body);
    }
}

/// The profile, and not the environment, names the token here.
#[test]
fn a_profile_can_name_a_web_identity() {
    let config = "[profile ops]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/on-call\n\
                  web_identity_token_file = $ROOT/token.jwt\n";
    let aws = Aws::start(&[], &[("home/.aws/config", config), ("token.jwt", "a-token-of-the-pod")]);
    assert_eq!(aws.key("?profile=ops"), "WEB");
}

#[test]
fn a_role_is_assumed_by_the_keys_of_another_profile() {
    let config = "[profile ops]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/on-call\nsource_profile = me\n\
                  [profile me]\naws_access_key_id = MINE\naws_secret_access_key = geheim\n";
    let aws = Aws::start(&[("AWS_PROFILE", "ops")], &[("home/.aws/config", config)]);
    assert_eq!(aws.key(""), "ASSUMED");
    assert!(aws.asked("/").remove(0).header("authorization").contains("Credential=MINE/"));
}

#[test]
fn a_single_sign_on_is_used_by_its_cached_token() {
    let aws = single_sign_on(&json!({"accessToken": "portal", "expiresAt": "2099-01-01T00:00:00Z"}));
    assert_eq!(aws.key("?profile=ops"), "SSO");
    let asked = aws.asked("/federation/credentials").remove(0);
    assert!(
        asked.path.contains("role_name=on-call") && asked.path.contains("account_id=123456789012"),
        "{}",
        asked.path
    );
}

/// Without a browser: the session goes on as long as its registration does.
#[test]
fn a_single_sign_on_that_has_expired_is_renewed() {
    let token = json!({
        "accessToken": "portal", "expiresAt": "2026-01-01T00:00:00Z", "refreshToken": "refresh-me", "clientId": "me",
        "clientSecret": "geheim", "registrationExpiresAt": "2099-01-01T00:00:00Z", "region": "eu-west-1",
        "startUrl": "https://corp.awsapps.com/start",
    });
    let aws = single_sign_on(&token);
    assert_eq!(aws.key("?profile=ops"), "SSO-anew");
    let saved = std::fs::read_to_string(aws.environment.path(SESSION)).unwrap();
    assert!(saved.contains("portal-anew"), "{saved}");
}

#[test]
fn a_single_sign_on_that_is_over_says_how_to_log_in() {
    for token in [
        json!({"accessToken": "portal", "expiresAt": "2026-01-01T00:00:00Z"}),
        json!({"accessToken": "revoked", "expiresAt": "2099-01-01T00:00:00Z"}),
    ] {
        let aws = single_sign_on(&token);
        let run = aws.queues("?profile=ops");
        assert_eq!(run.exit, 2, "{run}");
        assert!(run.stderr.contains("aws sso login"), "{run}");
        for secret in ["geheim", "portal", "revoked"] {
            assert!(!run.stderr.contains(secret), "{run}");
        }
    }
}

#[test]
fn an_instance_has_a_role() {
    let aws = Aws::start(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "$HERE")], &[]);
    assert_eq!(aws.key(""), "INSTANCE");
}

#[test]
fn a_container_has_a_role() {
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "$HERE/container"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-token"),
    ];
    assert_eq!(Aws::start(&variables, &[]).key(""), "CONTAINER");
}

#[cfg(unix)]
#[test]
fn a_program_can_give_credentials() {
    let keys = "{\"Version\": 1, \"AccessKeyId\": \"PROGRAM\", \"SecretAccessKey\": \"geheim\", \"SessionToken\": \"PROGRAM-token\"}";
    let config = "[profile ops]\ncredential_process = cat $ROOT/keys.json\n";
    let aws = Aws::start(&[], &[("home/.aws/config", config), ("keys.json", keys)]);
    assert_eq!(aws.key("?profile=ops"), "PROGRAM");
}

#[test]
fn keys_of_the_environment_come_before_the_usual_profile_and_after_one_that_is_named() {
    let keys = "[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = geheim\naws_session_token = DEFAULT-token\n\
                [ops]\naws_access_key_id = OPS\naws_secret_access_key = geheim\naws_session_token = OPS-token\n";
    let files = [("home/.aws/credentials", keys)];
    assert_eq!(Aws::start(&[], &files).key(""), "DEFAULT");
    let environment =
        [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "geheim"), ("AWS_SESSION_TOKEN", "ENV-token")];
    assert_eq!(Aws::start(&environment, &files).key(""), "ENV");
    assert_eq!(Aws::start(&environment, &files).key("?profile=ops"), "OPS");
}

/// A profile's own endpoint, as localstack users have it.
#[test]
fn a_profile_can_name_the_endpoint() {
    let other = Aws::start(&[], &[]);
    let config = format!(
        "[profile ops]\naws_access_key_id = OPS\naws_secret_access_key = geheim\naws_session_token = OPS-token\n\
         endpoint_url = http://127.0.0.1:{}\n",
        other.port
    );
    let environment = TestEnvironment::new().variable("AWS_EC2_METADATA_DISABLED", "true");
    std::fs::create_dir_all(environment.path("home/.aws")).unwrap();
    std::fs::write(environment.path("home/.aws/config"), config).unwrap();
    let run = environment.run(&["queues", "sqs://eu-west-1?profile=ops"]);
    assert_eq!(run.exit, 0, "{run}");
    assert_eq!(other.asked("/").len(), 1);
}

/// Neither a token nor a role is to be had, and the metadata service takes connections and says nothing.
#[test]
fn without_credentials_it_says_within_seconds_where_it_looked() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", silent.local_addr().unwrap());
    let began = Instant::now();
    for aws in [Aws::start(&[], &[]), Aws::start(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &silent)], &[])] {
        let run = aws.queues("");
        assert_eq!(run.exit, 2, "{run}");
        assert_eq!(run.stderr.lines().count(), 2, "an error and its hint: {run}");
        for place in
            ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "~/.aws/config", "AWS_WEB_IDENTITY_TOKEN_FILE", "instance roles"]
        {
            assert!(run.stderr.contains(place), "{place}: {run}");
        }
    }
    // Five each, and time for a busy machine to start a program.
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
}

#[test]
fn an_expired_web_identity_is_told() {
    let variables = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "$ROOT/token.jwt"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/on-call"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let run = Aws::start(&variables, &[("token.jwt", "expired")]).queues("");
    assert_eq!(run.exit, 2, "{run}");
    assert!(run.stderr.contains("Token expired"), "{run}");
    let run = Aws::start(&variables, &[]).queues("");
    assert_eq!(run.exit, 2, "{run}");
    assert!(run.stderr.contains("No such file"), "{run}");
}
