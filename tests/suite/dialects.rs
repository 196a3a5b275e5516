//! For every dialect that says where a message came from, a replay to the origin puts it there: through the planner and
//! the engine, on a memory broker of the dialect's own kind.

use std::sync::Arc;

use postroom::broker::memory::{ExchangeSpec, Memory, Profile, QueueSpec};
use postroom::config::Policy;
use postroom::message::failure::detect;
use postroom::message::{Fields, Message, Value};
use postroom::operation::control::Control;
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};

type Case = (&'static str, Profile, &'static [(&'static str, &'static str)], &'static str);

/// Dialect, kind of broker, headers, body. All came from `orders`.
const CASES: &[Case] = &[
    (
        "spring-amqp",
        Profile::RabbitQuorum43,
        &[
            ("x-exception-message", "no"),
            ("x-exception-stacktrace", "a.B: no\n\tat a.C.d(C.java:1)"),
            ("x-original-exchange", "shop"),
            ("x-original-routingKey", "order.placed"),
        ],
        "{}",
    ),
    (
        "spring-amqp",
        Profile::RabbitClassic,
        &[("x-exception-message", "no"), ("x-original-exchange", ""), ("x-original-routingKey", "orders")],
        "{}",
    ),
    (
        "spring-kafka",
        Profile::Kafka,
        &[("kafka_dlt-exception-fqcn", "a.B"), ("kafka_dlt-original-topic", "orders")],
        "{}",
    ),
    ("spring-cloud-stream", Profile::Kafka, &[("x-exception-fqcn", "a.B"), ("x-original-topic", "orders")], "{}"),
    (
        "kafka-connect",
        Profile::Kafka,
        &[("__connect.errors.topic", "orders"), ("__connect.errors.exception.class.name", "a.B")],
        "{}",
    ),
    (
        "kafka-streams",
        Profile::Kafka,
        &[("__streams.errors.topic", "orders"), ("__streams.errors.exception", "a.B")],
        "{}",
    ),
    (
        "kafka-share-group",
        Profile::Kafka,
        &[("__dlq.errors.topic", "orders"), ("__dlq.errors.message", "released too often")],
        "{}",
    ),
    (
        "smallrye",
        Profile::Kafka,
        &[("dead-letter-topic", "orders"), ("dead-letter-exception-class-name", "a.B"), ("dead-letter-reason", "no")],
        "{}",
    ),
    (
        "masstransit",
        Profile::RabbitClassic,
        &[
            ("MT-Fault-InputAddress", "rabbitmq://host/orders"),
            ("MT-Fault-ExceptionType", "A.B"),
            ("MT-Reason", "fault"),
        ],
        "{}",
    ),
    (
        "nservicebus",
        Profile::RabbitClassic,
        &[("NServiceBus.FailedQ", "orders"), ("NServiceBus.ExceptionInfo.ExceptionType", "A.B")],
        "{}",
    ),
    (
        "rebus",
        Profile::RabbitClassic,
        &[("rbs2-source-queue", "orders"), ("rbs2-error-details", "A.B: no\n   at A.C.D()")],
        "{}",
    ),
    ("watermill", Profile::Kafka, &[("reason_poisoned", "no"), ("topic_poisoned", "orders")], "{}"),
    ("watermill", Profile::RabbitClassic, &[("reason_poisoned", "no"), ("topic_poisoned", "orders")], "{}"),
    (
        "eventbridge",
        Profile::SqsStandard,
        &[
            ("TARGET_ARN", "arn:aws:sqs:eu-west-1:1:orders"),
            ("ERROR_CODE", "NO_PERMISSIONS"),
            ("RULE_ARN", "arn:rule/r"),
        ],
        "{}",
    ),
    (
        "sidekiq",
        Profile::RabbitClassic,
        &[],
        r#"{"class":"Job","queue":"orders","jid":"1","args":[],"error_class":"A","error_message":"no","failed_at":1,"retry_count":1}"#,
    ),
    (
        "dramatiq",
        Profile::RabbitClassic,
        &[],
        r#"{"queue_name":"orders","actor_name":"charge","args":[],"kwargs":{},"options":{"traceback":"Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nValueError: no"},"message_id":"1","message_timestamp":1}"#,
    ),
];

fn memory(profile: Profile) -> Memory {
    let orders = QueueSpec::new("orders", profile);
    let is_rabbit = matches!(profile, Profile::RabbitClassic | Profile::RabbitQuorum43);
    let orders = if is_rabbit { orders.dead_letter_to("dead") } else { orders };
    let memory = Memory::builder().queue(orders).queue(QueueSpec::new("dead", profile));
    if is_rabbit {
        memory.exchange(ExchangeSpec::topic("shop").bind("order.*", "orders")).build()
    } else {
        memory.build()
    }
}

/// Replays everything in `dead` to its origin.
async fn replay(memory: &Memory) -> postroom::operation::report::Report {
    let folder = tempfile::tempdir().unwrap();
    let source =
        Place { address: "demo:dead".parse().unwrap(), broker: Arc::new(memory.clone()), policy: Policy::default() };
    let prepared = replay::plan(ReplayRequest::all(source, ReplayTo::Origin), &Control::new()).await.unwrap();
    assert_eq!(prepared.plan.skipped, [], "the plan sends all");
    replay::run(prepared, &Journals::at(folder.path()), &Control::new()).await.unwrap()
}

#[tokio::test]
async fn every_origin_leads_a_replay_to_the_queue_it_came_from() {
    for (dialect, profile, headers, body) in CASES {
        let memory = memory(*profile);
        let headers: Fields = headers.iter().map(|(name, value)| ((*name).to_owned(), Value::text(*value))).collect();
        let message = Message { headers, payload: Some((*body).into()), ..Message::default() };
        assert_eq!(detect(&message).map(|failure| failure.dialect), Some(*dialect), "{body}");
        memory.publish("dead", message).unwrap();
        let report = replay(&memory).await;
        assert_eq!((report.planned, report.done), (1, 1), "{dialect}: {report:?}");
        let arrived = memory.snapshot("orders").unwrap();
        assert_eq!(arrived.len(), 1, "{dialect}");
        assert_eq!(arrived[0].payload.as_deref(), Some(body.as_bytes()), "{dialect}");
    }
}

#[tokio::test]
async fn what_the_broker_itself_moved_goes_back_where_it_died() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        let memory = memory(profile);
        memory.publish("orders", Message { payload: Some("{}".into()), ..Message::default() }).unwrap();
        memory.reject("orders", 1).unwrap();
        assert_eq!(memory.snapshot("dead").unwrap().len(), 1, "{profile:?}");
        let report = replay(&memory).await;
        assert_eq!((report.done, memory.snapshot("orders").unwrap().len()), (1, 1), "{profile:?}: {report:?}");
    }
}
