//! What the fake knows, and its actions: arguments in, answers out.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use super::queue::Queue;
use super::tasks::Task;

/// The account that all queues are in.
const ACCOUNT: &str = "123456789012";

/// Something that goes wrong with a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The connection ends before anything is done.
    LostBefore,
    /// It is done, and the connection ends before the answer.
    LostAfter,
    /// This is the answer, and nothing is done.
    Answer(Failure),
    /// The answer to a batch is that all of it is done, and nothing is.
    Claimed,
    /// The answer is held back until the action has been called once more.
    Held,
    /// A receive gives what others hold, under handles of its own: at least once is not exactly once.
    Twice,
    /// The entries whose number in the batch is in the list fail with this code, inside a success; their own fault or
    /// the server's.
    Entries(Vec<usize>, &'static str, bool),
}

impl Fault {
    /// An answer of that status and code.
    pub(crate) fn answer(status: u16, code: &str) -> Self {
        Self::Answer(Failure { status, code: code.to_owned(), text: "scripted".to_owned() })
    }
}

/// An answer that says no.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) text: String,
}

pub(crate) type Answer = Result<Value, Failure>;

pub(super) fn failure(code: &str, text: &str) -> Failure {
    Failure { status: 400, code: code.to_owned(), text: text.to_owned() }
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) queues: BTreeMap<String, Queue>,
    pub(crate) faults: HashMap<String, VecDeque<Fault>>,
    /// Actions that nobody may do.
    pub(crate) denied: HashSet<&'static str>,
    /// How often each action was called.
    pub(crate) calls: HashMap<String, u64>,
    /// Tasks that were cancelled are not listed, as by ElasticMQ.
    pub(crate) forgets_cancelled: bool,
    /// Move tasks by source, the oldest first.
    pub(super) tasks: BTreeMap<String, Vec<Task>>,
    /// How far its clock is ahead.
    ahead: Duration,
    made: u64,
}

impl State {
    /// Lets time go by: leases run out, windows close.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.ahead += by;
    }

    pub(super) fn fault(&mut self, action: &str) -> Option<Fault> {
        self.faults.get_mut(action)?.pop_front()
    }

    /// Milliseconds since 1970, by its clock.
    pub(super) fn now(&self) -> u64 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + self.ahead;
        u64::try_from(now.as_millis()).unwrap()
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    /// Does what is asked.
    pub(crate) fn act(&mut self, action: &str, body: &Value, fault: Option<&Fault>) -> Answer {
        if self.denied.contains(action) {
            let text = format!("User: arn:aws:iam::{ACCOUNT}:user/test is not authorized to perform: sqs:{action}");
            return Err(failure("AccessDeniedException", &text));
        }
        match action {
            "ListQueues" => return Ok(self.list(body)),
            "CreateQueue" => return Ok(self.create(body)),
            "GetQueueUrl" => {
                let name = body["QueueName"].as_str().unwrap_or_default();
                self.queues.get(name).ok_or_else(missing)?;
                return Ok(json!({"QueueUrl": url(name)}));
            }
            "StartMessageMoveTask" => return self.start_move(body),
            "ListMessageMoveTasks" => return Ok(self.list_moves(body)),
            "CancelMessageMoveTask" => return self.cancel_move(body),
            _ => {}
        }
        let name = body["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default().to_owned();
        let now = self.now();
        let serial = self.next();
        if action == "ListDeadLetterSourceQueues" {
            let arn = arn(&name);
            let sources: Vec<String> = self
                .queues
                .values()
                .filter(|queue| queue.redrive().is_some_and(|(to, _)| to == arn))
                .map(|queue| url(&queue.name))
                .collect();
            return Ok(json!({"queueUrls": sources}));
        }
        let queue = self.queues.get_mut(&name).ok_or_else(missing)?;
        queue.settle(now);
        if queue.kms_denied && matches!(action, "SendMessageBatch" | "ReceiveMessage") {
            return Err(failure("KMS.AccessDeniedException", "the ciphertext refers to a key that is not accessible"));
        }
        match action {
            "GetQueueAttributes" => Ok(json!({"Attributes": queue.attributes(now, &arn(&name))})),
            "DeleteQueue" => {
                self.queues.remove(&name);
                Ok(json!({}))
            }
            "PurgeQueue" => queue.purge(now),
            "SendMessageBatch" => {
                within_limit(body).and_then(|()| batch(body, fault, |entry| queue.send(entry, now, serial)))
            }
            "DeleteMessageBatch" => batch(body, fault, |entry| queue.delete(entry, now)),
            "ChangeMessageVisibilityBatch" => batch(body, fault, |entry| queue.change(entry, now)),
            "ReceiveMessage" => {
                if fault == Some(&Fault::Twice) {
                    queue.show_all();
                }
                let (messages, dead) = queue.receive(body, now, serial)?;
                let to = queue.redrive().map(|(to, _)| to.rsplit(':').next().unwrap_or_default().to_owned());
                if let Some(to) = to.and_then(|to| self.queues.get_mut(&to)) {
                    for message in dead {
                        to.bury(message, &arn(&name));
                    }
                }
                Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
            }
            _ => Err(failure("InvalidAction", action)),
        }
    }

    fn list(&self, body: &Value) -> Value {
        let prefix = body["QueueNamePrefix"].as_str().unwrap_or_default();
        let max = body["MaxResults"].as_u64().map_or(1000, |max| usize::try_from(max).unwrap());
        let after = body["NextToken"].as_str().unwrap_or_default();
        let names: Vec<&String> =
            self.queues.keys().filter(|name| name.starts_with(prefix) && name.as_str() > after).collect();
        let page: Vec<String> = names.iter().take(max).map(|name| url(name)).collect();
        let next = names.get(max.saturating_sub(1)).filter(|_| names.len() > max);
        json!({"QueueUrls": page, "NextToken": next})
    }

    fn create(&mut self, body: &Value) -> Value {
        let name = body["QueueName"].as_str().unwrap_or_default().to_owned();
        let given = body["Attributes"].as_object().cloned().unwrap_or_else(Map::new);
        let given = given.into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()));
        self.queues.entry(name.clone()).or_insert_with(|| Queue::new(&name, given.collect()));
        json!({"QueueUrl": url(&name)})
    }
}

fn url(name: &str) -> String {
    format!("https://sqs.eu-west-1.amazonaws.com/{ACCOUNT}/{name}")
}

pub(super) fn arn(name: &str) -> String {
    format!("arn:aws:sqs:eu-west-1:{ACCOUNT}:{name}")
}

pub(super) fn missing() -> Failure {
    failure("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
}

/// A batch: each entry on its own, some of which fail by script.
fn batch(
    body: &Value,
    fault: Option<&Fault>,
    mut act: impl FnMut(&Value) -> Result<Value, (&'static str, bool)>,
) -> Answer {
    let entries = body["Entries"].as_array().cloned().unwrap_or_default();
    let ids: HashSet<&str> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    match entries.len() {
        0 => return Err(failure("AWS.SimpleQueueService.EmptyBatchRequest", "no entries")),
        11.. => return Err(failure("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "more than 10 entries")),
        count if ids.len() < count => {
            return Err(failure("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "an id is there twice"));
        }
        _ => {}
    }
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for (number, entry) in entries.iter().enumerate() {
        let result = match fault {
            Some(Fault::Entries(which, code, sender)) if which.contains(&number) => Err((*code, *sender)),
            Some(Fault::Claimed) => Ok(json!({})),
            _ => act(entry),
        };
        match result {
            Ok(mut answer) => {
                answer["Id"] = entry["Id"].clone();
                done.push(answer);
            }
            Err((code, sender)) => {
                failed.push(json!({"Id": entry["Id"], "Code": code, "SenderFault": sender, "Message": "no"}));
            }
        }
    }
    Ok(json!({"Successful": done, "Failed": failed}))
}

/// A batch of messages has 1 MiB at most.
fn within_limit(body: &Value) -> Result<(), Failure> {
    let bytes: usize = body["Entries"].as_array().into_iter().flatten().map(super::queue::size).sum();
    if bytes > 1 << 20 {
        return Err(failure("AWS.SimpleQueueService.BatchRequestTooLong", "more than 1 MiB"));
    }
    Ok(())
}
