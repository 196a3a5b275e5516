//! The screens on real servers, where their URLs are in the environment (`tests/with-brokers`): an incident from the
//! start to the receipt, and back where the broker gives messages up again.

use std::collections::BTreeMap;

use postroom::broker::memory::demo;
use postroom::broker::{Broker, BrokerUrl, Connect, Target, Tls, open};
use postroom::config::Environment;
use postroom::message::Message;
use postroom::operation::session::{Session, Start};
use postroom::tui::Headless;

/// How many dead messages there are.
const DEAD: usize = 60;

fn url(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|url| !url.is_empty())
}

fn unique(part: &str) -> String {
    format!("screens.{}.{part}", std::process::id())
}

async fn broker(url: &str) -> std::sync::Arc<dyn Broker> {
    let url = BrokerUrl::parse(url).unwrap();
    open(&Connect { url, tls: Tls::default(), options: BTreeMap::new() }).await.unwrap()
}

/// Fills a queue with dead messages of the demo.
async fn fill(url: &str, queue: &str, from: &str) {
    let dead: Vec<Message> = demo::incident().snapshot(from).unwrap().into_iter().take(DEAD).collect();
    let broker = broker(url).await;
    let publisher = broker.publisher(&Target::queue(queue)).await.unwrap();
    for sent in publisher.publish(&dead).await {
        sent.unwrap();
    }
    publisher.close().await.unwrap();
}

async fn count(url: &str, queue: &str) -> u64 {
    broker(url).await.describe(queue).await.unwrap().messages.unwrap()
}

/// The address of a queue of a broker.
fn at(url: &str, queue: &str) -> String {
    let (broker, query) = url.split_once('?').unwrap_or((url, ""));
    format!("{broker}/{queue}?{query}").trim_end_matches('?').to_owned()
}

/// From the start to the receipt: the price where there is one, the top cause, its plan to another queue, the run.
async fn incident(folder: &tempfile::TempDir, url: &str, dead: &str, to: &str) -> Headless {
    let state = folder.path().display().to_string();
    let mut environment = vec![("POSTROOM_STATE".to_owned(), state)];
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        environment.push((name.to_owned(), std::env::var(name).unwrap_or_else(|_| "test".to_owned())));
    }
    let file = folder.path().join("config.toml");
    std::fs::write(&file, "").unwrap();
    let session = Session::open(Some(&file), Environment::from_iter(environment)).unwrap();
    let start = Start { address: Some(at(url, dead).parse().unwrap()), colour: None };
    let mut screens = Headless::open(session, &start, 160, 40).unwrap();
    screens.settle().await;
    if screens.screen().contains("what this look costs") {
        screens.press("enter").await.unwrap();
    }
    let causes = screens.screen();
    assert!(causes.contains("100.0%") || causes.contains("groups by failure"), "{causes}");
    assert!(causes.contains("› causes") && causes.contains("g-"), "{causes}");
    // Everything that is listed, whatever the number of its causes.
    screens.press("m r t").await.unwrap();
    screens.type_in(&at(url, to));
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("[ dry run ]") && sheet.contains("✓ target exists"), "{sheet}");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("Dry run: nothing was changed."), "{}", screens.screen());
    screens.press("r t").await.unwrap();
    screens.type_in(&at(url, to));
    screens.press("enter tab enter").await.unwrap();
    let receipt = screens.screen();
    assert!(receipt.contains(&format!("Replayed {DEAD} messages")), "{receipt}");
    assert!(receipt.contains("journal ") && receipt.contains("$ postroom replay "), "{receipt}");
    screens
}

/// What was replayed is put back.
async fn undo(screens: &mut Headless) {
    screens.press("u").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains(&format!("Put back {DEAD} ")), "{sheet}");
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains(&format!("Put back {DEAD} messages")), "{}", screens.screen());
    screens.press("esc").await.unwrap();
}

async fn leave(mut screens: Headless) {
    screens.press_now("ctrl-c").unwrap();
    screens.settle().await;
    assert!(screens.has_left());
}

#[cfg(feature = "rabbitmq")]
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_on_rabbitmq() {
    use lapin::options::{QueueDeclareOptions, QueueDeleteOptions};
    use lapin::types::{AMQPValue, FieldTable};
    for url in ["POSTROOM_RABBITMQ40_URL", "POSTROOM_RABBITMQ43_URL"].into_iter().filter_map(url) {
        let amqp = url.split_once('?').map_or(url.as_str(), |(amqp, _)| amqp);
        let connection = lapin::Connection::connect(amqp, lapin::ConnectionProperties::default()).await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        let (dead, to) = (unique("dlq"), unique("to"));
        for queue in [&dead, &to] {
            let mut arguments = FieldTable::default();
            arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
            channel.queue_declare(queue.as_str().into(), QueueDeclareOptions::durable(), arguments).await.unwrap();
        }
        fill(&url, &dead, "orders.dlq").await;
        let folder = tempfile::tempdir().unwrap();
        let mut screens = incident(&folder, &url, &dead, &to).await;
        assert_eq!((count(&url, &dead).await, count(&url, &to).await), (0, DEAD as u64));
        undo(&mut screens).await;
        assert_eq!((count(&url, &dead).await, count(&url, &to).await), (DEAD as u64, 0));
        leave(screens).await;
        for queue in [&dead, &to] {
            channel.queue_delete(queue.as_str().into(), QueueDeleteOptions::default()).await.unwrap();
        }
    }
}

#[cfg(feature = "kafka")]
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_on_kafka() {
    use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
    let Some(url) = url("POSTROOM_KAFKA_URL") else { return };
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", url.trim_start_matches("kafka://").split('?').next().unwrap());
    let admin: AdminClient<rdkafka::client::DefaultClientContext> = config.create().unwrap();
    let (dead, to) = (unique("DLT"), unique("to"));
    let topics = [&dead, &to].map(|name| NewTopic::new(name, 2, TopicReplication::Fixed(1)));
    for made in admin.create_topics(&topics, &AdminOptions::new()).await.unwrap() {
        made.unwrap();
    }
    let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
    // A topic is made by the controller, and the brokers learn of it a little later.
    for topic in [&dead, &to] {
        while broker(&url).await.describe(topic).await.is_err() {
            assert!(std::time::Instant::now() < until, "no broker knows the topic {topic:?}");
        }
    }
    fill(&url, &dead, "order-events-dlt").await;
    let folder = tempfile::tempdir().unwrap();
    let mut screens = incident(&folder, &url, &dead, &to).await;
    // The source keeps its records; the journal says which are handled, and the next plan leaves them.
    assert_eq!((count(&url, &dead).await, count(&url, &to).await), (DEAD as u64, DEAD as u64));
    screens.press("esc r t").await.unwrap();
    screens.type_in(&at(&url, &to));
    screens.press("enter").await.unwrap();
    let again = screens.screen();
    assert!(again.contains(&format!("{DEAD} messages stay: it was replayed by ")), "{again}");
    leave(screens).await;
    admin.delete_topics(&[dead.as_str(), to.as_str()], &AdminOptions::new()).await.unwrap();
}

/// A queue whose dead-letter queue is `dead`, so that SQS moves the messages there by itself; its URL.
#[cfg(feature = "sqs")]
async fn home(client: &aws_sdk_sqs::Client, name: &str, dead: &str) -> Option<String> {
    use aws_sdk_sqs::types::QueueAttributeName::{QueueArn, RedrivePolicy};
    let told = client.get_queue_attributes().queue_url(dead).attribute_names(QueueArn).send().await.unwrap();
    let arn = &told.attributes.unwrap()[&QueueArn];
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"3"}}"#);
    client.create_queue().queue_name(name).attributes(RedrivePolicy, policy).send().await.unwrap().queue_url
}

/// The choices that only SQS has: a plan that names nothing is saved after a look, and the broker moves all by itself.
#[cfg(feature = "sqs")]
async fn choices(
    screens: &mut Headless,
    folder: &std::path::Path,
    (dead, to): (&str, &str),
    target: &str,
    moves: bool,
) {
    screens.press("esc esc ctrl-r / ctrl-u").await.unwrap();
    screens.type_in(&format!("{dead}$"));
    screens.press("enter r w").await.unwrap();
    assert!(screens.screen().contains("save-plan: it does not name its messages"), "{}", screens.screen());
    screens.press("t").await.unwrap();
    screens.type_in(target);
    screens.press("enter n w ctrl-u").await.unwrap();
    let path = folder.join("all.plan.json").display().to_string();
    screens.type_in(&path);
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("--exact") && screens.screen().contains("wrote "), "{}", screens.screen());
    assert_eq!(std::fs::read_to_string(&path).unwrap().matches("\"digest\"").count(), DEAD);
    screens.press("S").await.unwrap();
    assert!(screens.screen().contains("a broker takes the whole queue as it is"), "{}", screens.screen());
    screens.press("n S").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("--server-side") && sheet.contains("by the broker itself"), "{sheet}");
    screens.press("l").await.unwrap();
    assert!(screens.screen().contains("the broker does it by itself: S takes that back"), "{}", screens.screen());
    if !moves {
        return;
    }
    screens.press("tab enter").await.unwrap();
    let receipt = screens.screen();
    assert!(receipt.contains(&format!("Replayed {DEAD} messages")) && receipt.contains(to), "{receipt}");
    screens.press("u").await.unwrap();
    assert!(screens.screen().contains("this left no journal to take it back by"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
}

#[cfg(feature = "sqs")]
#[tokio::test(flavor = "multi_thread")]
async fn an_incident_on_sqs() {
    use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
    for url in ["POSTROOM_ELASTICMQ_URL", "POSTROOM_MOTO_URL"].into_iter().filter_map(url) {
        let parsed = BrokerUrl::parse(&url).unwrap();
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(parsed.hosts.clone()))
            .endpoint_url(parsed.parameter("endpoint").unwrap())
            .credentials_provider(Credentials::new("test", "test", None, None, "test"));
        let client = aws_sdk_sqs::Client::from_conf(config.build());
        let (dead, to) = (unique("dlq").replace('.', "-"), unique("to").replace('.', "-"));
        let mut urls = Vec::new();
        for queue in [&dead, &to] {
            urls.extend(client.create_queue().queue_name(queue).send().await.unwrap().queue_url);
        }
        let from = unique("home").replace('.', "-");
        urls.extend(home(&client, &from, &urls[0]).await);
        fill(&url, &dead, "shipping-labels-dlq").await;
        let folder = tempfile::tempdir().unwrap();
        let mut screens = incident(&folder, &url, &dead, &to).await;
        undo(&mut screens).await;
        // Moto answers 500 where it is asked for the tasks of such a move.
        let moves = std::env::var("POSTROOM_ELASTICMQ_URL").is_ok_and(|own| own == url);
        choices(&mut screens, folder.path(), (&dead, &from), &at(&url, &from), moves).await;
        leave(screens).await;
        for url in urls {
            client.delete_queue().queue_url(url).send().await.unwrap();
        }
    }
}
