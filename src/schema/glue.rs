//! Asks AWS Glue for the version of a schema, signed as AWS wants it.
//!
//! Limits: one operation, `GetSchemaVersion`; the whole client of the service would be larger than postroom.

use std::time::SystemTime;

use aws_credential_types::provider::ProvideCredentials as _;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde::Deserialize;

use super::registry::{Fault, Text, answer, down, http};
use crate::broker::aws;
use crate::message::codec::uuid;

/// What `GetSchemaVersion` answers.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    schema_definition: String,
    data_format: String,
}

/// What it answers where it can't.
#[derive(Deserialize, Default)]
struct Refusal {
    #[serde(rename = "__type", default)]
    kind: String,
    #[serde(alias = "Message", default)]
    message: String,
}

/// The schema of a version's id.
pub(super) async fn fetch(
    region: &str,
    profile: Option<&str>,
    endpoint: Option<&str>,
    id: [u8; 16],
) -> Result<Text, Fault> {
    let own = format!("https://glue.{region}.amazonaws.com");
    let url = format!("{}/", endpoint.unwrap_or(&own).trim_end_matches('/'));
    let body = serde_json::json!({ "SchemaVersionId": uuid(id) }).to_string();
    let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "AWSGlue.GetSchemaVersion")];
    let signed = signature(region, profile, &url, &headers, body.as_bytes()).await?;
    let client = http().build().map_err(|error| down(&error))?;
    let request = client.post(&url).body(body);
    let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let request = signed.into_iter().fold(request, |request, (name, value)| request.header(name, value));
    let (status, body) = answer(request).await?;
    if !status.is_success() {
        let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
        let kind = refusal.kind.rsplit('#').next().unwrap_or_default();
        let told = format!("{status} {kind} {}", crate::text::fit(&refusal.message, 200));
        // What is wrong with who asks is wrong for every schema.
        let of_all =
            ["AccessDenied", "Signature", "Token", "Credential", "Throttl"].iter().any(|word| kind.contains(word));
        let told = told.trim_end().to_owned();
        return Err(if of_all { Fault::Down(told) } else { Fault::Refused(told) });
    }
    let answer: Answer =
        serde_json::from_slice(&body).map_err(|_| Fault::Refused("its answer is no schema".to_owned()))?;
    Ok(Text { kind: answer.data_format, main: answer.schema_definition, references: Vec::new() })
}

/// The headers that sign a request.
async fn signature(
    region: &str,
    profile: Option<&str>,
    url: &str,
    headers: &[(&'static str, &'static str)],
    body: &[u8],
) -> Result<Vec<(String, String)>, Fault> {
    let config = aws::loader(profile, Some(region)).await.load().await;
    let provider =
        config.credentials_provider().ok_or_else(|| Fault::Down("there are no AWS credentials".to_owned()))?;
    let credentials = provider.provide_credentials().await.map_err(|error| down(&error))?;
    let identity = credentials.into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("glue")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| down(&error))?
        .into();
    let request = SignableRequest::new("POST", url, headers.iter().copied(), SignableBody::Bytes(body))
        .map_err(|error| down(&error))?;
    let (instructions, _) = sign(request, &params).map_err(|error| down(&error))?.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
