//! The yardstick: what a careful person writes with the SDK alone, fast and without losing a message, but without plan,
//! journal, checks or an archive that can be read back.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, Message, MessageSystemAttributeName,
    SendMessageBatchRequestEntry,
};
use futures::future::try_join_all;

const WORKERS: usize = 16;

type Done<T = ()> = Result<T, aws_sdk_sqs::Error>;

/// Up to ten messages; none where a long poll of a second brings none.
async fn receive(client: &Client, queue: &str) -> Done<Vec<Message>> {
    let receive = client.receive_message().queue_url(queue).max_number_of_messages(10).visibility_timeout(120);
    let receive = receive.wait_time_seconds(1).message_attribute_names("All");
    let answer = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await?;
    Ok(answer.messages.unwrap_or_default())
}

async fn delete(client: &Client, queue: &str, messages: &[Message]) -> Done {
    let entry = |(at, message): (usize, &Message)| {
        let entry = DeleteMessageBatchRequestEntry::builder().id(at.to_string());
        entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap()
    };
    let entries = messages.iter().enumerate().map(entry).collect();
    let answer = client.delete_message_batch().queue_url(queue).set_entries(Some(entries)).send().await?;
    assert!(answer.failed.is_empty(), "{:?}", answer.failed);
    Ok(())
}

/// Workers side by side, each in a task of its own.
async fn side_by_side<W: Future<Output = Done> + Send + 'static>(worker: impl Fn() -> W) -> Done {
    let tasks: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(worker())).collect();
    try_join_all(tasks).await.expect("no worker panics").into_iter().collect()
}

/// Sends what it receives to another queue, and deletes what was taken.
pub(crate) async fn replay(client: &Client, from: &str, to: &str) -> Done {
    side_by_side(|| {
        let (client, from, to) = (client.clone(), from.to_owned(), to.to_owned());
        async move {
            loop {
                let messages = receive(&client, &from).await?;
                if messages.is_empty() {
                    return Ok(());
                }
                let entry = |(at, message): (usize, &Message)| {
                    let entry = SendMessageBatchRequestEntry::builder().id(at.to_string());
                    let entry = entry.message_body(message.body().unwrap());
                    entry.set_message_attributes(message.message_attributes().cloned()).build().unwrap()
                };
                let entries = messages.iter().enumerate().map(entry).collect();
                let answer = client.send_message_batch().queue_url(&to).set_entries(Some(entries)).send().await?;
                assert!(answer.failed.is_empty(), "{:?}", answer.failed);
                delete(&client, &from, &messages).await?;
            }
        }
    })
    .await
}

/// Writes every body on a line of a file; each batch is on the disk before it is deleted.
pub(crate) async fn drain(client: &Client, from: &str, file: &Path) -> Done {
    let out = Arc::new(Mutex::new(File::create(file).unwrap()));
    side_by_side(|| {
        let (client, from, out) = (client.clone(), from.to_owned(), Arc::clone(&out));
        async move {
            loop {
                let messages = receive(&client, &from).await?;
                if messages.is_empty() {
                    return Ok(());
                }
                let lines = messages.iter().flat_map(|message| [message.body().unwrap(), "\n"]);
                let text: String = lines.collect();
                {
                    let mut out = out.lock().unwrap();
                    out.write_all(text.as_bytes()).unwrap();
                    out.sync_data().unwrap();
                }
                delete(&client, &from, &messages).await?;
            }
        }
    })
    .await
}

/// Looks at some messages and gives them back.
pub(crate) async fn peek(client: &Client, queue: &str, count: usize) -> Done {
    let seen = try_join_all((0..count.div_ceil(10)).map(|_| receive(client, queue))).await?;
    let release = |messages: Vec<Message>| async move {
        let entry = |(at, message): (usize, &Message)| {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(at.to_string()).visibility_timeout(0);
            entry.receipt_handle(message.receipt_handle().unwrap()).build().unwrap()
        };
        let entries = messages.iter().enumerate().map(entry).collect();
        let change = client.change_message_visibility_batch().queue_url(queue).set_entries(Some(entries));
        let answer = change.send().await?;
        assert!(answer.failed.is_empty(), "{:?}", answer.failed);
        Done::Ok(())
    };
    try_join_all(seen.into_iter().map(release)).await.map(|_| ())
}
