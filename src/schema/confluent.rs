//! Asks a Confluent-compatible registry: Confluent, Karapace, Redpanda, Apicurio's `ccompat`.
//!
//! Limits: [`MAX_REFERENCES`] references.

use serde::Deserialize;
use serde_json::Value;

use super::RegistrySettings;
use super::registry::{Fault, Text, answer, down, http};
use crate::message::codec::{SchemaId, uuid};

/// References of one schema, and theirs.
const MAX_REFERENCES: usize = 100;

/// What `/schemas/ids/ID` and `/subjects/SUBJECT/versions/VERSION` answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    schema: String,
    #[serde(default)]
    schema_type: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: i64,
}

struct Client<'a> {
    http: reqwest::Client,
    url: &'a str,
    user: Option<&'a str>,
    password: Option<String>,
}

/// The schema of an id, with everything that it refers to.
pub(super) async fn fetch(settings: &RegistrySettings, url: &str, id: SchemaId) -> Result<Text, Fault> {
    let client = Client::open(settings, url).await?;
    let path = match id {
        SchemaId::Number(number) => format!("schemas/ids/{number}"),
        SchemaId::Guid(guid) => format!("schemas/guids/{}", uuid(guid)),
        SchemaId::Glue(_) => return Err(Fault::Refused("it is no AWS Glue registry".to_owned())),
    };
    let main = client.get(&path).await?;
    // The nearest references come first, so that what each needs is behind it.
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut open = main.references;
    while let Some(Reference { name, subject, version }) = open.pop() {
        if texts.iter().any(|(known, _)| *known == name) {
            continue;
        }
        if texts.len() == MAX_REFERENCES {
            return Err(Fault::Refused(format!("it refers to more than {MAX_REFERENCES} others")));
        }
        let subject = percent_encoding::utf8_percent_encode(&subject, percent_encoding::NON_ALPHANUMERIC);
        let answer = client.get(&format!("subjects/{subject}/versions/{version}")).await?;
        texts.push((name, answer.schema));
        open.extend(answer.references);
    }
    let kind = main.schema_type.unwrap_or_else(|| "AVRO".to_owned());
    Ok(Text { kind, main: main.schema, references: texts })
}

impl<'a> Client<'a> {
    async fn open(settings: &'a RegistrySettings, url: &'a str) -> Result<Self, Fault> {
        let mut builder = http();
        if let Some(ca) = &settings.ca {
            let pem = std::fs::read(ca).map_err(|error| Fault::Down(format!("{}: {error}", ca.display())))?;
            let bundle = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| down(&error))?;
            builder = builder.tls_certs_only(bundle);
        }
        let password = match &settings.password {
            Some(password) => {
                let secret = password().await.map_err(|error| Fault::Down(error.to_string()))?;
                Some(secret.expose().to_owned())
            }
            None => None,
        };
        Ok(Self {
            http: builder.build().map_err(|error| down(&error))?,
            url: url.trim_end_matches('/'),
            user: settings.user.as_deref(),
            password,
        })
    }

    async fn get(&self, path: &str) -> Result<Answer, Fault> {
        let url = format!("{}/{path}", self.url);
        let mut request =
            self.http.get(&url).header("accept", "application/vnd.schemaregistry.v1+json, application/json");
        if let Some(user) = self.user {
            request = request.basic_auth(user, self.password.as_deref());
        }
        let (status, body) = answer(request).await?;
        if !status.is_success() {
            let told = serde_json::from_slice::<Value>(&body).ok();
            let told = told.as_ref().and_then(|told| told["message"].as_str()).unwrap_or_default();
            return Err(Fault::Refused(
                format!("/{path}: {status} {}", crate::text::fit(told, 200)).trim_end().to_owned(),
            ));
        }
        serde_json::from_slice(&body).map_err(|_| Fault::Refused(format!("/{path}: its answer is no schema")))
    }
}
