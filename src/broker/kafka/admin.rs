//! Orders to the cluster and questions about settings.
//!
//! Limits: the client library's own admin client serves no events, so that logins with tokens that must be renewed
//! (OAUTHBEARER) do not work for what is asked here.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, OwnedResourceSpecifier, ResourceSpecifier};
use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::error::KafkaError;

use super::context::Context;
use super::errors::explain;
use crate::error::{Error, Result};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);

/// Made at the first use.
pub(super) struct Admin {
    config: ClientConfig,
    client: Mutex<Option<Arc<AdminClient<Context>>>>,
}

/// Why an order failed.
pub(super) enum Failed {
    Kafka(KafkaError),
    Ours(Error),
}

/// The settings of a topic that matter here.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings(BTreeMap<String, String>);

impl Settings {
    /// A setting by name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|value| value.parse().ok())
    }

    /// After how long records are gone; `None` for never or unknown.
    pub(super) fn retention(&self) -> Option<Duration> {
        self.number("retention.ms").filter(|_| self.deletes()).map(Duration::from_millis)
    }

    /// The largest batch that the topic takes.
    pub(super) fn max_bytes(&self) -> Option<u64> {
        self.number("max.message.bytes")
    }

    /// Whether old records are deleted (and not only superseded ones).
    pub(super) fn deletes(&self) -> bool {
        self.get("cleanup.policy").is_none_or(|policy| policy.contains("delete"))
    }
}

impl Admin {
    pub(super) fn new(config: ClientConfig) -> Self {
        Self { config, client: Mutex::default() }
    }

    fn client(&self) -> Result<Arc<AdminClient<Context>>> {
        let mut slot = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*slot {
            return Ok(Arc::clone(client));
        }
        let client = AdminClient::from_config_and_context(&self.config, Context::default())
            .map_err(|error| explain("opening the connection", &error))?;
        Ok(Arc::clone(slot.insert(Arc::new(client))))
    }

    /// The settings of topics; one that may not be asked for is missing.
    ///
    /// # Errors
    /// What the cluster says to the question as a whole.
    pub(super) async fn settings(&self, topics: &[&str]) -> Result<BTreeMap<String, Settings>> {
        if topics.is_empty() {
            return Ok(BTreeMap::new());
        }
        let client = self.client()?;
        let asked: Vec<ResourceSpecifier<'_>> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
        let options = AdminOptions::new().request_timeout(Some(PATIENCE));
        let found = client
            .describe_configs(&asked, &options)
            .await
            .map_err(|error| explain("asking for the topics' settings", &error))?;
        let mut settings = BTreeMap::new();
        for resource in found.into_iter().flatten() {
            if let OwnedResourceSpecifier::Topic(name) = resource.specifier {
                let entries = resource.entries.into_iter().filter_map(|entry| Some((entry.name, entry.value?)));
                settings.insert(name, Settings(entries.collect()));
            }
        }
        Ok(settings)
    }

    /// Removes everything before the offsets. The answer has one element, with its own error, for each partition.
    pub(super) async fn delete_records(&self, before: TopicPartitionList) -> Result<TopicPartitionList, Failed> {
        let client = self.client().map_err(Failed::Ours)?;
        let options = AdminOptions::new().request_timeout(Some(PATIENCE)).operation_timeout(Some(PATIENCE));
        client.delete_records(&before, &options).await.map_err(Failed::Kafka)
    }
}

impl Drop for Admin {
    fn drop(&mut self) {
        if let Some(client) = self.client.get_mut().unwrap_or_else(PoisonError::into_inner).take() {
            // Dropping it waits for its thread.
            drop(std::thread::Builder::new().spawn(move || drop(client)));
        }
    }
}
