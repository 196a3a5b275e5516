//! The rules that the facts page marks as seen on real brokers, one test each.

use std::time::Duration;

use jiff::Timestamp;

use super::*;
use crate::broker::{Batch, Broker, BrowseOptions, CostKind, End, From, Reader, Settle, TakeOptions, Token, Until};
use crate::message::{Amqp, Fields, Value};

fn message(body: &str) -> Message {
    Message { payload: Some(body.to_owned().into()), ..Message::default() }
}

fn broker(queues: impl IntoIterator<Item = QueueSpec>) -> Memory {
    let clock = Clock::fixed("2026-03-02T10:00:00Z".parse().unwrap());
    queues.into_iter().fold(Memory::builder().clock(clock), MemoryBuilder::queue).build()
}

fn fill(memory: &Memory, queue: &str, count: usize) {
    for i in 0..count {
        memory.publish(queue, message(&format!("m{i}"))).unwrap();
    }
}

fn bodies(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
}

async fn read(reader: &mut dyn Reader) -> (Vec<Message>, Vec<Token>, End) {
    let (mut messages, mut tokens) = (Vec::new(), Vec::new());
    loop {
        let Batch { deliveries, end } = reader.next_batch(7).await.unwrap();
        tokens.extend(deliveries.iter().map(|delivery| delivery.token));
        messages.extend(deliveries.into_iter().map(|delivery| delivery.message));
        if let Some(end) = end {
            return (messages, tokens, end);
        }
    }
}

async fn look(memory: &Memory, queue: &str) -> Result<Vec<Message>> {
    let mut reader = memory.browse(queue, BrowseOptions::default()).await?;
    let (messages, ..) = read(&mut *reader).await;
    reader.close().await?;
    Ok(messages)
}

/// Looks and loses the connection before anything is returned.
async fn crash(memory: &Memory, queue: &str) -> Result<()> {
    let mut reader = memory.browse(queue, BrowseOptions::default()).await?;
    read(&mut *reader).await;
    drop(reader);
    Ok(())
}

#[tokio::test]
async fn a_classic_queue_keeps_places_and_marks_what_was_seen() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitClassic)]);
    fill(&memory, "q", 20);
    for _ in 0..60 {
        look(&memory, "q").await.unwrap();
    }
    let messages = memory.snapshot("q").unwrap();
    assert_eq!(bodies(&messages), (0..20).map(|i| format!("m{i}")).collect::<Vec<_>>());
    assert!(messages.iter().all(|m| m.metadata.get("redelivered") == Some(&Value::Bool(true))));
}

#[tokio::test]
async fn a_quorum_queue_up_to_4_2_stands_as_many_looks_as_its_limit_and_then_refuses() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum40)]);
    fill(&memory, "q", 3);
    for left in (1..=20).rev() {
        assert_eq!(memory.describe("q").await.unwrap().read_cost.budget, Some(left));
        look(&memory, "q").await.unwrap();
    }
    assert_eq!(look(&memory, "q").await.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(memory.snapshot("q").unwrap().len(), 3);
    assert!(memory.destroyed().is_empty());
}

#[tokio::test]
async fn a_rescue_puts_copies_at_the_tail_and_the_counter_at_zero() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum40).delivery_limit(1)]);
    fill(&memory, "q", 3);
    look(&memory, "q").await.unwrap();
    fill(&memory, "q", 1);
    let mut reader = memory.browse("q", BrowseOptions { rescue: true, ..BrowseOptions::default() }).await.unwrap();
    assert_eq!(read(&mut *reader).await.0.len(), 4);
    let closed = reader.close().await.unwrap();
    assert_eq!((closed.returned, closed.rescued), (1, 3));
    let messages = memory.snapshot("q").unwrap();
    assert_eq!(bodies(&messages), ["m0", "m0", "m1", "m2"]);
    assert_eq!(messages.iter().map(|m| m.deliveries).collect::<Vec<_>>(), [Some(1), Some(0), Some(0), Some(0)]);
}

#[tokio::test]
async fn an_unlimited_quorum_queue_keeps_its_order() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum40).no_delivery_limit()]);
    fill(&memory, "q", 5);
    let limit = BrowseOptions { limit: Some(2), ..BrowseOptions::default() };
    let mut reader = memory.browse("q", limit).await.unwrap();
    assert_eq!(read(&mut *reader).await.2, End::Limit);
    reader.close().await.unwrap();
    assert_eq!(bodies(&memory.snapshot("q").unwrap()), ["m0", "m1", "m2", "m3", "m4"]);
}

#[tokio::test]
async fn from_4_3_looks_are_free_and_crashes_count() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum43).delivery_limit(2)]);
    fill(&memory, "q", 2);
    for _ in 0..60 {
        look(&memory, "q").await.unwrap();
    }
    let seen = memory.snapshot("q").unwrap();
    assert_eq!(seen[0].metadata.get("acquired_count"), Some(&Value::Int(60)));
    assert_eq!(seen[0].metadata.get("delivery_count"), None);
    crash(&memory, "q").await.unwrap();
    crash(&memory, "q").await.unwrap();
    assert_eq!(memory.snapshot("q").unwrap()[0].metadata.get("delivery_count"), Some(&Value::Int(2)));
    assert_eq!(crash(&memory, "q").await.unwrap_err().kind(), ErrorKind::Refused);
    assert!(memory.destroyed().is_empty());
}

#[tokio::test]
async fn on_4_3_the_counter_travels_and_one_return_would_destroy() {
    let memory = broker([
        QueueSpec::new("orders", Profile::RabbitQuorum43).delivery_limit(1).dead_letter_to("dlq"),
        QueueSpec::new("dlq", Profile::RabbitQuorum43).delivery_limit(1),
    ]);
    fill(&memory, "orders", 1);
    // An application crashes twice with the message in its hands.
    memory.crash_consumer("orders", 1).unwrap();
    memory.crash_consumer("orders", 1).unwrap();
    let dead = memory.snapshot("dlq").unwrap();
    assert_eq!(dead[0].metadata.get("delivery_count"), Some(&Value::Int(2)));
    assert!(memory.describe("dlq").await.unwrap().read_cost.refused.is_some());
    assert_eq!(look(&memory, "dlq").await.unwrap_err().kind(), ErrorKind::Refused);
    let mut reader = memory.browse("dlq", BrowseOptions { rescue: true, ..BrowseOptions::default() }).await.unwrap();
    read(&mut *reader).await;
    assert_eq!(reader.close().await.unwrap().rescued, 1);
    assert_eq!(memory.snapshot("dlq").unwrap()[0].metadata.get("delivery_count"), None);
    assert!(memory.destroyed().is_empty());
}

#[tokio::test]
async fn a_take_stops_before_what_it_would_endanger_unless_it_may_rescue() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum43).delivery_limit(1)]);
    fill(&memory, "q", 1);
    crash(&memory, "q").await.unwrap();
    memory.publish("q", message("new")).unwrap();
    let mut reader = memory.take("q", TakeOptions::default()).await.unwrap();
    let (messages, _, end) = read(&mut *reader).await;
    assert!(messages.is_empty() && matches!(end, End::Stopped(_)));
    reader.close().await.unwrap();
    let mut reader = memory.take("q", TakeOptions { rescue: true, ..TakeOptions::default() }).await.unwrap();
    let (messages, tokens, end) = read(&mut *reader).await;
    assert_eq!((bodies(&messages), end), (vec!["new".to_owned(), "m0".to_owned()], End::Exhausted));
    reader.settle(&tokens[..1], Settle::Remove).await.pop().unwrap().unwrap();
    assert_eq!(reader.close().await.unwrap().rescued, 1);
    assert_eq!(memory.snapshot("q").unwrap()[0].metadata.get("delivery_count"), None);
    assert!(memory.destroyed().is_empty());
}

#[tokio::test]
async fn death_is_written_as_rabbitmq_writes_it() {
    let clock = Clock::fixed("2026-03-02T10:00:00.75Z".parse().unwrap());
    let memory = Memory::builder()
        .clock(clock.clone())
        .exchange(ExchangeSpec::topic("shop").bind("orders.*", "orders"))
        .exchange(ExchangeSpec::fanout("dlx").bind("", "dlq"))
        .queue(QueueSpec::new("orders", Profile::RabbitClassic).dead_letter_exchange("dlx", None))
        .queue(
            QueueSpec::new("dlq", Profile::RabbitClassic).message_ttl(Duration::from_mins(1)).dead_letter_to("orders"),
        )
        .build();
    let fake = Fields::from_iter([("x-death", "made up")]);
    let mut sent = Message { key: Some("orders.new".into()), headers: fake, ..message("{}") };
    sent.properties.push("expiration", "60000");
    memory.publish_to_exchange("shop", sent).unwrap();
    memory.reject("orders", 1).unwrap();
    clock.advance(Duration::from_mins(2));
    memory.snapshot("dlq").unwrap();
    memory.reject("orders", 1).unwrap();
    let dead = &memory.snapshot("dlq").unwrap()[0];
    let Some(Value::Amqp(Amqp::Array(deaths))) = dead.headers.get("x-death") else { panic!("{:?}", dead.headers) };
    let entries: Vec<&Fields> =
        deaths.iter().map(|d| if let Value::Amqp(Amqp::Table(table)) = d { table } else { panic!() }).collect();
    let told = |table: &Fields| {
        (
            table.get_str("queue").unwrap().to_owned(),
            table.get_str("reason").unwrap().to_owned(),
            table.get("count").cloned(),
        )
    };
    assert_eq!(told(entries[0]), ("orders".into(), "rejected".into(), Some(Value::Int(2))));
    assert_eq!(told(entries[1]), ("dlq".into(), "expired".into(), Some(Value::Int(1))));
    assert_eq!(entries[0].get_str("exchange"), Some("shop"));
    assert_eq!(entries[0].get("routing-keys"), Some(&Value::Amqp(Amqp::Array(vec!["orders.new".into()]))));
    assert_eq!(entries[0].get("time"), Some(&Value::Amqp(Amqp::Timestamp(1_772_445_600))));
    assert_eq!(entries[0].get_str("original-expiration"), Some("60000"));
    assert_eq!(dead.headers.get_str("x-first-death-queue"), Some("orders"));
    assert_eq!(dead.headers.get_str("x-last-death-reason"), Some("rejected"));
    assert!(dead.properties.is_empty());
    assert!(dead.headers.get_all("x-death").count() == 1 && memory.destroyed().is_empty());
}

#[tokio::test]
async fn without_a_dead_letter_exchange_a_rejected_message_is_gone_and_we_know() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitClassic).max_length(1, Overflow::DropHead)]);
    fill(&memory, "q", 2);
    memory.reject("q", 1).unwrap();
    let gone: Vec<_> = memory.destroyed().into_iter().map(|d| (d.reason, d.message.body().to_vec())).collect();
    assert_eq!(gone, [(DeathReason::MaxLength, b"m0".to_vec()), (DeathReason::Rejected, b"m1".to_vec())]);
}

#[tokio::test]
async fn held_messages_make_room_and_fall_off_on_return() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitClassic).max_length(2, Overflow::DropHead)]);
    fill(&memory, "q", 2);
    let mut reader = memory.browse("q", BrowseOptions::default()).await.unwrap();
    read(&mut *reader).await;
    memory.publish("q", message("new")).unwrap();
    assert_eq!(memory.snapshot("q").unwrap().len(), 1);
    reader.close().await.unwrap();
    assert_eq!(bodies(&memory.snapshot("q").unwrap()), ["m1", "new"]);
}

#[tokio::test]
async fn streams_are_read_by_offset_and_time_and_nothing_changes() {
    let memory = broker([QueueSpec::new("s", Profile::RabbitStream)]);
    fill(&memory, "s", 10);
    let from = |from, until| BrowseOptions { from, until, ..BrowseOptions::default() };
    let mut reader = memory.browse("s", from(From::Last(3), None)).await.unwrap();
    assert_eq!(bodies(&read(&mut *reader).await.0), ["m7", "m8", "m9"]);
    let mut reader = memory.browse("s", from(From::Offset(2), Some(Until::Offset(4)))).await.unwrap();
    let (messages, ..) = read(&mut *reader).await;
    assert_eq!(messages[0].position, Some(crate::message::Position { partition: None, offset: 2 }));
    assert_eq!(bodies(&messages), ["m2", "m3"]);
    assert_eq!(memory.describe("s").await.unwrap().read_cost.kind, CostKind::None);
    assert_eq!(memory.take("s", TakeOptions::default()).await.err().unwrap().kind(), ErrorKind::Unsupported);
    assert_eq!(memory.snapshot("s").unwrap().len(), 10);
}

#[tokio::test]
async fn a_topic_removes_only_up_to_an_offset() {
    let memory = broker([QueueSpec::new("t", Profile::Kafka)]);
    fill(&memory, "t", 4);
    let mut reader = memory.take("t", TakeOptions::default()).await.unwrap();
    let (_, tokens, _) = read(&mut *reader).await;
    let results = reader.settle(&[tokens[2], tokens[0], tokens[1]], Settle::Remove).await;
    assert!(results.iter().all(std::result::Result::is_ok), "{results:?}");
    let results = reader.settle(&[tokens[3]], Settle::Remove).await;
    assert!(results[0].is_ok() && memory.snapshot("t").unwrap().is_empty());
    fill(&memory, "t", 2);
    let mut reader = memory.take("t", TakeOptions::default()).await.unwrap();
    let (messages, tokens, _) = read(&mut *reader).await;
    assert_eq!(messages[0].id, "0:4");
    assert_eq!(reader.settle(&tokens[1..], Settle::Remove).await[0].as_ref().unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(memory.snapshot("t").unwrap().len(), 2);
}

#[tokio::test]
async fn the_last_few_of_several_partitions_are_the_newest_of_all() {
    let memory = broker([QueueSpec::new("t", Profile::Kafka).partitions(3)]);
    for i in 0..9 {
        let time = Timestamp::from_second(i).ok();
        memory.publish("t", Message { time, ..message(&format!("m{i}")) }).unwrap();
    }
    let options = BrowseOptions { from: From::Last(4), limit: Some(4), ..BrowseOptions::default() };
    let (found, ..) = read(memory.browse("t", options).await.unwrap().as_mut()).await;
    assert_eq!(bodies(&found), ["m5", "m6", "m7", "m8"]);
}

#[tokio::test]
async fn a_follower_sees_arrivals_and_ends_by_its_token() {
    let memory = broker([QueueSpec::new("t", Profile::Kafka).partitions(3)]);
    let options = BrowseOptions { from: From::End, follow: true, ..BrowseOptions::default() };
    let cancel = options.cancel.clone();
    let mut reader = memory.browse("t", options).await.unwrap();
    let (batch, ()) = tokio::join!(reader.next_batch(10), async { fill(&memory, "t", 1) });
    assert_eq!(batch.unwrap().deliveries.len(), 1);
    let (batch, ()) = tokio::join!(reader.next_batch(10), async { cancel.cancel() });
    assert_eq!(batch.unwrap().end, Some(End::Cancelled));
}

#[tokio::test]
async fn an_sqs_look_leases_counts_and_stops_before_the_redrive() {
    let memory = broker([
        QueueSpec::new("orders", Profile::SqsStandard).delivery_limit(2).dead_letter_to("dlq"),
        QueueSpec::new("dlq", Profile::SqsStandard),
    ]);
    fill(&memory, "orders", 12);
    assert_eq!(memory.describe("orders").await.unwrap().read_cost.budget, Some(2));
    crash(&memory, "orders").await.unwrap();
    assert_eq!((memory.snapshot("orders").unwrap().len(), memory.held("orders").unwrap().len()), (0, 12));
    memory.clock().advance(Duration::from_mins(3));
    look(&memory, "orders").await.unwrap();
    assert_eq!(look(&memory, "orders").await.unwrap_err().kind(), ErrorKind::Refused);
    // A real consumer's receive moves them, with their counts and their source.
    let mut reader = memory.take("orders", TakeOptions::default()).await.unwrap();
    assert!(read(&mut *reader).await.0.is_empty());
    let dead = memory.snapshot("dlq").unwrap();
    assert_eq!(
        (dead.len(), dead[0].metadata.get_str("dead_letter_queue_source_arn")),
        (12, Some("arn:aws:sqs:memory:000000000000:orders"))
    );
    assert_eq!(dead[0].metadata.get("approximate_receive_count"), Some(&Value::Int(2)));
}

#[tokio::test]
async fn a_fifo_group_in_flight_gives_no_more_and_ids_are_remembered_for_five_minutes() {
    let memory = broker([QueueSpec::new("q", Profile::SqsFifo).content_dedup()]);
    let grouped = |i: usize| Message { key: Some("g".into()), ..message(&format!("m{i}")) };
    (0..12).for_each(|i| _ = memory.publish("q", grouped(i)).unwrap());
    let mut reader = memory.browse("q", BrowseOptions::default()).await.unwrap();
    let (messages, _, end) = read(&mut *reader).await;
    assert_eq!(messages.len(), 7, "one receive, as large as the batch");
    assert!(matches!(end, End::Stopped(_)));
    reader.close().await.unwrap();
    assert_eq!(bodies(&memory.snapshot("q").unwrap())[0], "m0");
    memory.publish("q", grouped(3)).unwrap();
    assert_eq!(memory.snapshot("q").unwrap().len(), 12, "accepted and dropped");
    let publisher = memory.publisher(&Target::queue("q")).await.unwrap();
    assert_eq!(publisher.publish(&[grouped(3)]).await[0].as_ref().unwrap_err().kind(), ErrorKind::Rejected);
    memory.clock().advance(Duration::from_mins(5));
    assert!(publisher.publish(&[grouped(3)]).await[0].is_ok());
}

#[tokio::test]
async fn retention_eats_a_standard_queue_from_the_first_send() {
    let day = Duration::from_hours(24);
    let memory = broker([
        QueueSpec::new("q", Profile::SqsStandard).retention(2 * day).delivery_limit(0).dead_letter_to("dlq"),
        QueueSpec::new("dlq", Profile::SqsStandard).retention(3 * day),
        QueueSpec::new("t", Profile::Kafka).retention(day),
    ]);
    fill(&memory, "q", 1);
    fill(&memory, "t", 1);
    memory.clock().advance(day);
    memory.reject("q", 1).unwrap();
    assert!(memory.snapshot("t").unwrap().is_empty());
    memory.clock().advance(2 * day);
    assert!(memory.snapshot("dlq").unwrap().is_empty());
    assert_eq!(memory.destroyed().len(), 2);
}

#[tokio::test]
async fn locked_queues_say_so() {
    let memory = broker([
        QueueSpec::new("x", Profile::RabbitClassic).locked("exclusive to another connection"),
        QueueSpec::new("sac", Profile::RabbitQuorum43).single_active().consumers(1),
    ]);
    for queue in ["x", "sac"] {
        assert_eq!(look(&memory, queue).await.unwrap_err().kind(), ErrorKind::Locked);
        assert!(memory.describe(queue).await.unwrap().read_cost.refused.is_some());
    }
}

#[tokio::test]
async fn a_lost_connection_returns_what_was_held_and_kills_its_readers() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitQuorum43)]);
    fill(&memory, "q", 2);
    let mut reader = memory.take("q", TakeOptions::default()).await.unwrap();
    let (_, tokens, _) = read(&mut *reader).await;
    memory.disconnect();
    assert_eq!(memory.snapshot("q").unwrap()[0].metadata.get("delivery_count"), Some(&Value::Int(1)));
    assert_eq!(reader.settle(&tokens, Settle::Remove).await[1].as_ref().unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(reader.next_batch(1).await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(reader.close().await.unwrap_err().kind(), ErrorKind::Unreachable);
    assert_eq!(memory.snapshot("q").unwrap().len(), 2);
}

#[tokio::test]
async fn scripted_publishes_fail_as_told() {
    let memory = broker([QueueSpec::new("q", Profile::RabbitClassic)]);
    for (nth, fault) in [
        (1, PublishFault::Nacked),
        (2, PublishFault::Returned),
        (3, PublishFault::LostAfter),
        (4, PublishFault::LostBefore),
    ] {
        memory.arm(Fault::Publish(fault), nth);
    }
    let publisher = memory.publisher(&Target::queue("q")).await.unwrap();
    let batch: Vec<Message> = (0..5).map(|i| message(&format!("m{i}"))).collect();
    let kinds: Vec<_> = publisher.publish(&batch).await.into_iter().map(|r| r.err().map(|e| e.kind())).collect();
    let (rejected, ambiguous) = (Some(ErrorKind::Rejected), Some(ErrorKind::Ambiguous));
    assert_eq!(kinds, [rejected, rejected, ambiguous, ambiguous, None]);
    assert_eq!(bodies(&memory.snapshot("q").unwrap()), ["m2", "m4"]);
    assert_eq!(memory.fired(), 4);
}

#[tokio::test]
async fn times_are_the_clocks() {
    let memory = broker([QueueSpec::new("t", Profile::Kafka)]);
    let old: Timestamp = "2026-03-01T00:00:00Z".parse().unwrap();
    memory.publish("t", Message { time: Some(old), ..message("old") }).unwrap();
    memory.publish("t", message("new")).unwrap();
    let options = BrowseOptions { from: From::Time(memory.clock().now()), ..BrowseOptions::default() };
    let mut reader = memory.browse("t", options).await.unwrap();
    assert_eq!(bodies(&read(&mut *reader).await.0), ["new"]);
    assert_eq!(memory.describe("t").await.unwrap().oldest, Some(old));
}
