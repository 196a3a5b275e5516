//! One queue of the fake: what is in it, who holds what until when, and which deduplication ids it remembers.

#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the name of a FIFO queue ends so, in small letters"
)]

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::state::{Answer, Failure, failure};

/// How long a FIFO queue remembers a deduplication id, in milliseconds.
const WINDOW: u64 = 5 * 60 * 1000;

/// What an entry of a batch fails with: its code, and whether it is the sender's fault.
type Refusal = (&'static str, bool);

pub(crate) struct Queue {
    pub(crate) name: String,
    attributes: BTreeMap<String, String>,
    pub(crate) messages: Vec<Stored>,
    /// Deduplication ids: until when, and what was answered.
    sent: HashMap<String, (u64, Value)>,
    /// What was given to a receive of that name.
    attempts: HashMap<String, Vec<String>>,
    purged: Option<u64>,
    /// More than that can't be in flight.
    pub(crate) in_flight_limit: Option<usize>,
    /// The key of the queue can't be used.
    pub(crate) kms_denied: bool,
}

/// A message in a queue.
pub(crate) struct Stored {
    id: String,
    pub(crate) body: String,
    attributes: Value,
    system: Map<String, Value>,
    pub(super) group: Option<String>,
    /// How often it was received.
    pub(crate) received: u64,
    handle: String,
    /// Hidden until then, in milliseconds.
    pub(super) hidden: u64,
}

impl Queue {
    pub(super) fn new(name: &str, attributes: BTreeMap<String, String>) -> Self {
        Self {
            name: name.to_owned(),
            attributes,
            messages: Vec::new(),
            sent: HashMap::new(),
            attempts: HashMap::new(),
            purged: None,
            in_flight_limit: None,
            kms_denied: false,
        }
    }

    fn is_fifo(&self) -> bool {
        is_fifo(&self.name)
    }

    /// The ARN of its dead-letter queue and after how many receives.
    pub(super) fn redrive(&self) -> Option<(String, u64)> {
        let policy: Value = serde_json::from_str(self.attributes.get("RedrivePolicy")?).ok()?;
        let max = &policy["maxReceiveCount"];
        let max = max.as_u64().or_else(|| max.as_str()?.parse().ok())?;
        Some((policy["deadLetterTargetArn"].as_str()?.to_owned(), max))
    }

    /// Forgets what is too old.
    pub(super) fn settle(&mut self, now: u64) {
        self.sent.retain(|_, (until, _)| *until > now);
    }

    pub(super) fn attributes(&self, now: u64, arn: &str) -> BTreeMap<String, String> {
        let hidden = self.messages.iter().filter(|message| message.hidden > now).count();
        let mut all = BTreeMap::from([
            ("QueueArn".to_owned(), arn.to_owned()),
            ("ApproximateNumberOfMessages".to_owned(), (self.messages.len() - hidden).to_string()),
            ("ApproximateNumberOfMessagesNotVisible".to_owned(), hidden.to_string()),
            ("ApproximateNumberOfMessagesDelayed".to_owned(), "0".to_owned()),
            ("MessageRetentionPeriod".to_owned(), "345600".to_owned()),
            ("VisibilityTimeout".to_owned(), "30".to_owned()),
            ("MaximumMessageSize".to_owned(), (1 << 20).to_string()),
        ]);
        all.extend(self.attributes.clone());
        all
    }

    pub(super) fn purge(&mut self, now: u64) -> Answer {
        if self.purged.is_some_and(|at| now < at + 60_000) {
            return Err(failure("AWS.SimpleQueueService.PurgeQueueInProgress", "Only one PurgeQueue operation"));
        }
        self.purged = Some(now);
        self.messages.clear();
        Ok(json!({}))
    }

    pub(super) fn send(&mut self, entry: &Value, now: u64, serial: u64) -> Result<Value, Refusal> {
        let body = entry["MessageBody"].as_str().unwrap_or_default().to_owned();
        let bad =
            |c: char| !matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        let attributes = entry["MessageAttributes"].as_object().map_or(0, Map::len);
        if body.is_empty() || body.contains(bad) {
            return Err(("InvalidMessageContents", true));
        } else if attributes > 10 || size(entry) > 1 << 20 {
            return Err(("InvalidParameterValue", true));
        }
        let group = entry["MessageGroupId"].as_str().map(ToOwned::to_owned);
        let number = format!("{serial:012}{:08}", self.messages.len() + self.sent.len());
        let mut answer = json!({"MessageId": format!("m-{number}"), "MD5OfMessageBody": ""});
        let mut system = Map::new();
        if let Some(trace) = entry["MessageSystemAttributes"]["AWSTraceHeader"]["StringValue"].as_str() {
            system.insert("AWSTraceHeader".into(), trace.into());
        }
        if let Some(group) = &group {
            system.insert("MessageGroupId".into(), group.as_str().into());
        }
        if self.is_fifo() {
            let given = entry["MessageDeduplicationId"].as_str().map(ToOwned::to_owned);
            let by_content = self.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true");
            let id = given.or_else(|| by_content.then(|| body.clone())).ok_or(("InvalidParameterValue", true))?;
            group.as_ref().ok_or(("MissingParameter", true))?;
            if let Some((_, earlier)) = self.sent.get(&id) {
                // Accepted, and dropped.
                return Ok(earlier.clone());
            }
            answer["SequenceNumber"] = number.as_str().into();
            system.insert("MessageDeduplicationId".into(), id.as_str().into());
            system.insert("SequenceNumber".into(), number.as_str().into());
            self.sent.insert(id, (now + WINDOW, answer.clone()));
        }
        system.insert("SentTimestamp".into(), now.to_string().into());
        self.messages.push(Stored {
            id: format!("m-{number}"),
            body,
            attributes: entry["MessageAttributes"].clone(),
            system,
            group,
            received: 0,
            handle: String::new(),
            hidden: 0,
        });
        Ok(answer)
    }

    /// What is given, and what goes to the dead-letter queue instead.
    pub(super) fn receive(
        &mut self,
        body: &Value,
        now: u64,
        serial: u64,
    ) -> Result<(Vec<Value>, Vec<Stored>), Failure> {
        let max = usize::try_from(body["MaxNumberOfMessages"].as_u64().unwrap_or(1)).unwrap();
        let until = now + body["VisibilityTimeout"].as_u64().unwrap_or(30) * 1000;
        let mut held: usize = self.messages.iter().filter(|message| message.hidden > now).count();
        let attempt = body["ReceiveRequestAttemptId"].as_str().filter(|_| self.is_fifo()).map(ToOwned::to_owned);
        let again: HashSet<String> =
            attempt.as_ref().and_then(|name| self.attempts.get(name)).into_iter().flatten().cloned().collect();
        // A group whose messages somebody holds gives no more.
        let blocked: HashSet<String> = self
            .messages
            .iter()
            .filter(|message| message.hidden > now && self.is_fifo() && !again.contains(&message.id))
            .filter_map(|message| message.group.clone())
            .collect();
        let redrive = self.redrive();
        let (mut given, mut dead, mut ids, mut index) = (Vec::new(), Vec::new(), Vec::new(), 0);
        while index < self.messages.len() && given.len() < max {
            let message = &mut self.messages[index];
            let free = message.hidden <= now || again.contains(&message.id);
            if !free || message.group.as_ref().is_some_and(|group| blocked.contains(group)) {
                index += 1;
                continue;
            }
            if self.in_flight_limit.is_some_and(|limit| held >= limit) {
                // A FIFO queue says nothing.
                if given.is_empty() && attempt.is_none() && !is_fifo(&self.name) {
                    return Err(failure("OverLimit", "too many messages are in flight"));
                }
                break;
            }
            if redrive.as_ref().is_some_and(|(_, max)| message.received >= *max) {
                dead.push(self.messages.remove(index));
                continue;
            }
            message.received += 1;
            message.hidden = until;
            message.handle = format!("{}-{}-{serial}", message.id, message.received);
            held += 1;
            message.system.entry("ApproximateFirstReceiveTimestamp").or_insert_with(|| now.to_string().into());
            let mut system = message.system.clone();
            system.insert("ApproximateReceiveCount".into(), message.received.to_string().into());
            ids.push(message.id.clone());
            given.push(json!({
                "MessageId": message.id, "ReceiptHandle": message.handle, "Body": message.body,
                "Attributes": system, "MessageAttributes": message.attributes,
            }));
            index += 1;
        }
        if let Some(name) = attempt {
            self.attempts.insert(name, ids);
        }
        Ok((given, dead))
    }

    /// Makes everything visible, whoever holds it.
    pub(super) fn show_all(&mut self) {
        self.messages.iter_mut().for_each(|message| message.hidden = 0);
    }

    /// Takes a message from another queue, as the redrive policy does.
    pub(super) fn bury(&mut self, mut message: Stored, source: &str) {
        message.hidden = 0;
        message.system.insert("DeadLetterQueueSourceArn".into(), source.into());
        self.messages.push(message);
    }

    /// The message of a receipt handle, by its id; and whether the handle is its newest.
    fn of_handle(&self, entry: &Value) -> Option<(usize, bool)> {
        let handle = entry["ReceiptHandle"].as_str()?;
        let id = handle.rsplitn(3, '-').nth(2)?;
        let at = self.messages.iter().position(|message| message.id == id)?;
        Some((at, self.messages.get(at)?.handle == handle))
    }

    pub(super) fn delete(&mut self, entry: &Value, now: u64) -> Result<Value, Refusal> {
        let found = self.of_handle(entry);
        let Some((at, newest)) = found else { return Ok(json!({})) };
        let held = self.messages.get(at).is_some_and(|message| message.hidden > now);
        match (self.is_fifo(), newest) {
            // A standard queue deletes by the newest handle, also after the lease; by an older one it says yes and does
            // nothing.
            (false, true) => _ = self.messages.remove(at),
            (false, false) => {}
            (true, true) if held => _ = self.messages.remove(at),
            (true, _) => return Err(("ReceiptHandleIsInvalid", true)),
        }
        Ok(json!({}))
    }

    pub(super) fn change(&mut self, entry: &Value, now: u64) -> Result<Value, Refusal> {
        let (at, newest) = self.of_handle(entry).ok_or(("ReceiptHandleIsInvalid", true))?;
        let message = self.messages.get_mut(at).ok_or(("ReceiptHandleIsInvalid", true))?;
        if !newest || message.hidden <= now {
            return Err(("AWS.SimpleQueueService.MessageNotInflight", true));
        }
        message.hidden = now + entry["VisibilityTimeout"].as_u64().unwrap_or(0) * 1000;
        Ok(json!({}))
    }
}

impl Stored {
    /// The ARN of the queue that it died in.
    pub(super) fn source(&self) -> Option<String> {
        self.system.get("DeadLetterQueueSourceArn")?.as_str().map(ToOwned::to_owned)
    }
}

/// Whether a queue is a FIFO queue: its name says so.
pub(super) fn is_fifo(name: &str) -> bool {
    name.rsplit('.').next() == Some("fifo")
}

/// The bytes of a message as SQS counts them.
pub(super) fn size(entry: &Value) -> usize {
    let attributes = entry["MessageAttributes"].as_object().into_iter().flatten();
    let attributes = attributes.map(|(name, value)| {
        let text = |field: &str| value[field].as_str().map_or(0, str::len);
        name.len() + text("DataType") + text("StringValue") + text("BinaryValue") / 4 * 3
    });
    entry["MessageBody"].as_str().map_or(0, str::len) + attributes.sum::<usize>()
}
