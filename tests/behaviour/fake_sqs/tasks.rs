//! Move tasks. Time goes by the questions: each one how far a task is moves some more of its messages.

use serde_json::{Value, json};

use super::state::{Answer, State, arn, failure, missing};

/// Messages that move between two questions.
const STEP: usize = 10;

/// A move out of a dead-letter queue.
pub(super) struct Task {
    handle: String,
    /// The ARN of the target; `None` for each message's own source.
    to: Option<String>,
    started: u64,
    moved: usize,
    of: usize,
    status: &'static str,
}

fn name_of(arn: &str) -> String {
    arn.rsplit(':').next().unwrap_or_default().to_owned()
}

impl State {
    pub(super) fn start_move(&mut self, body: &Value) -> Answer {
        let source = body["SourceArn"].as_str().unwrap_or_default().to_owned();
        let name = name_of(&source);
        let of = self.queues.get(&name).ok_or_else(missing)?.messages.len();
        if !self.queues.values().any(|queue| queue.redrive().is_some_and(|(to, _)| to == source)) {
            return Err(failure("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue."));
        }
        let tasks = self.tasks.entry(name).or_default();
        if tasks.last().is_some_and(|task| task.status == "RUNNING") {
            return Err(failure("AWS.SimpleQueueService.UnsupportedOperation", "There is already a task running."));
        }
        let handle = format!("task-{}", tasks.len());
        let to = body["DestinationArn"].as_str().map(ToOwned::to_owned);
        let started = self.now();
        let task = Task { handle: handle.clone(), to, started, moved: 0, of, status: "RUNNING" };
        self.tasks.entry(name_of(&source)).or_default().push(task);
        Ok(json!({"TaskHandle": handle}))
    }

    pub(super) fn list_moves(&mut self, body: &Value) -> Value {
        let name = name_of(body["SourceArn"].as_str().unwrap_or_default());
        let mut tasks = self.tasks.remove(&name).unwrap_or_default();
        if let Some(task) = tasks.last_mut().filter(|task| task.status == "RUNNING") {
            self.step(&name, task);
        }
        let tell = |task: &Task| {
            let running = task.status == "RUNNING";
            json!({
                "TaskHandle": running.then_some(&task.handle), "Status": task.status, "SourceArn": arn(&name),
                "DestinationArn": task.to, "StartedTimestamp": task.started,
                "ApproximateNumberOfMessagesMoved": task.moved, "ApproximateNumberOfMessagesToMove": task.of,
            })
        };
        let listed = |task: &&Task| !(self.forgets_cancelled && task.status == "CANCELLED");
        let results: Vec<Value> = tasks.iter().rev().filter(listed).take(10).map(tell).collect();
        self.tasks.insert(name, tasks);
        json!({"Results": results})
    }

    pub(super) fn cancel_move(&mut self, body: &Value) -> Answer {
        let mut tasks = self.tasks.values_mut().filter_map(|tasks| tasks.last_mut());
        let task = tasks.find(|task| Some(task.handle.as_str()) == body["TaskHandle"].as_str());
        let task = task.filter(|task| task.status == "RUNNING");
        let task = task.ok_or_else(|| failure("ResourceNotFoundException", "no such task is running"))?;
        task.status = "CANCELLED";
        Ok(json!({"ApproximateNumberOfMessagesMoved": task.moved}))
    }

    fn step(&mut self, from: &str, task: &mut Task) {
        let now = self.now();
        for _ in 0..STEP {
            let Some(queue) = self.queues.get_mut(from) else { return };
            let Some(at) = queue.messages.iter().position(|message| message.hidden <= now) else {
                task.status = "COMPLETED";
                return;
            };
            let message = queue.messages.remove(at);
            let to = task.to.clone().or_else(|| message.source()).map(|arn| name_of(&arn)).unwrap_or_default();
            if let Some(to) = self.queues.get_mut(&to) {
                to.messages.push(message);
            }
            task.moved += 1;
        }
    }
}
