//! A small SQS in this process, for what the other servers do not do: answers that get lost, failures inside a success,
//! throttling, denials, the five-minute window, in-flight limits, expired receipt handles; and a clock of its own.
//!
//! It speaks SQS's JSON protocol over HTTP 1.1, as far as the backend uses it. The rules are AWS's (developer guide and
//! API reference). Limits: no signatures are checked, and a long poll is as short as a test wants it.

#![allow(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "the name of a FIFO queue ends so, in small letters"
)]

mod queue;
mod state;
mod tasks;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

pub(crate) use self::state::Fault;
use self::state::{Failure, State};

/// How long an empty long poll lasts.
const POLL: Duration = Duration::from_millis(15);

/// A server. It lives as long as the test program.
#[derive(Clone)]
pub(crate) struct Fake {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Fake {
    /// Starts one on a thread of its own, for the runtimes of cases come and go.
    pub(crate) fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (send, receive) = std::sync::mpsc::channel();
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                send.send(listener.local_addr().unwrap().port()).unwrap();
                loop {
                    let Ok((stream, _)) = listener.accept().await else { continue };
                    tokio::spawn(serve(stream, Arc::clone(&shared)));
                }
            });
        });
        Self { port: receive.recv().unwrap(), state }
    }

    /// Its URL, in our form. A lease is long enough for a slow machine.
    pub(crate) fn url(&self) -> String {
        format!("sqs://eu-west-1?endpoint=http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Makes a queue.
    pub(crate) fn queue(&self, name: &str, attributes: &Value) {
        self.state().act("CreateQueue", &json!({"QueueName": name, "Attributes": attributes}), None).unwrap();
    }

    /// Puts messages `m0`, `m1` … into a queue, all in one group where it has groups.
    pub(crate) fn fill(&self, name: &str, count: usize) {
        self.fill_groups(name, count, 1);
    }

    /// The same, in turn into so many groups.
    pub(crate) fn fill_groups(&self, name: &str, count: usize, groups: usize) {
        let mut state = self.state();
        for number in 0..count {
            let mut entry = json!({"Id": "0", "MessageBody": format!("m{number}")});
            if queue::is_fifo(name) {
                entry["MessageGroupId"] = format!("g{}", number % groups).into();
                entry["MessageDeduplicationId"] = format!("filled-{number}").into();
            }
            state.act("SendMessageBatch", &json!({"QueueUrl": name, "Entries": [entry]}), None).unwrap();
        }
    }

    /// Takes all messages of a queue into another, as a redrive policy does.
    pub(crate) fn move_all(&self, from: &str, to: &str) {
        let mut state = self.state();
        let messages = std::mem::take(&mut state.queues.get_mut(from).unwrap().messages);
        let to = state.queues.get_mut(to).unwrap();
        for message in messages {
            to.bury(message, &state::arn(from));
        }
    }

    /// The group and the body of each message, in the order of the queue.
    pub(crate) fn groups(&self, name: &str) -> Vec<(String, String)> {
        let state = self.state();
        let messages = state.queues[name].messages.iter();
        messages.map(|message| (message.group.clone().unwrap_or_default(), message.body.clone())).collect()
    }

    /// The bodies of what is in a queue, sorted.
    pub(crate) fn bodies(&self, name: &str) -> Vec<String> {
        let state = self.state();
        let mut bodies: Vec<_> = state.queues[name].messages.iter().map(|message| message.body.clone()).collect();
        bodies.sort_unstable();
        bodies
    }

    /// How many messages of a queue nobody holds.
    pub(crate) fn visible(&self, name: &str) -> usize {
        let state = self.state();
        let now = state.now();
        state.queues[name].messages.iter().filter(|message| message.hidden <= now).count()
    }

    /// The next calls of that action go wrong, one fault each.
    pub(crate) fn script(&self, action: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults.entry(action.to_owned()).or_default().extend(faults);
    }
}

/// Answers the requests of one connection.
async fn serve(stream: TcpStream, state: Arc<Mutex<State>>) {
    let mut stream = BufReader::new(stream);
    while let Some((target, body)) = request(&mut stream).await {
        let action = target.rsplit('.').next().unwrap_or_default().to_owned();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let fault = {
            let mut state = state.lock().unwrap();
            *state.calls.entry(action.clone()).or_default() += 1;
            state.fault(&action)
        };
        if fault == Some(Fault::LostBefore) {
            return;
        }
        let mut answer = match &fault {
            Some(Fault::Answer(failure)) => Err(failure.clone()),
            _ => state.lock().unwrap().act(&action, &body, fault.as_ref()),
        };
        if action == "ReceiveMessage" && answer == Ok(json!({})) && fault.is_none() {
            tokio::time::sleep(POLL).await;
            answer = state.lock().unwrap().act(&action, &body, None);
        }
        if fault == Some(Fault::Held) {
            let called = || state.lock().unwrap().calls[&action];
            let before = called();
            while called() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
        if fault == Some(Fault::LostAfter) {
            return;
        }
        let (status, more, body) = match answer {
            Ok(value) => (200, String::new(), value),
            Err(Failure { status, code, text }) => {
                let side = if status < 500 { "Sender" } else { "Receiver" };
                let more = format!("x-amzn-query-error: {code};{side}\r\n");
                (status, more, json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": text}))
            }
        };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\n{more}content-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(format!("{head}{body}").as_bytes()).await.is_err() {
            return;
        }
    }
}

/// One request: what it asks for, and its body.
async fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut headers = HashMap::new();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        if line.trim_end().is_empty() {
            if headers.is_empty() {
                continue;
            }
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.trim().to_lowercase(), value.trim().to_owned());
        }
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    Some((headers.get("x-amz-target")?.clone(), body))
}
