//! The queues of the shop's three brokers, with their pairings, limits and rates at the time of the incident.

use std::time::Duration;

use super::super::{ExchangeSpec, MemoryBuilder, Profile, QueueSpec};

/// Declares everything. Names are unique over the three brokers, so that `demo:NAME` says enough.
pub(super) fn declare(builder: MemoryBuilder) -> MemoryBuilder {
    let builder = rabbitmq().into_iter().chain(kafka()).chain(sqs()).fold(builder, MemoryBuilder::queue);
    exchanges().into_iter().fold(builder, MemoryBuilder::exchange)
}

fn exchanges() -> [ExchangeSpec; 2] {
    [
        ExchangeSpec::topic("shop").bind("order.*", "orders").bind("payment.*", "payments").bind("#", "audit.stream"),
        ExchangeSpec::topic("shop.errors").bind("error.order.*", "orders.dlq").bind("error.payment.*", "payments.dlq"),
    ]
}

/// A RabbitMQ 4.0: quorum queues count every look against their delivery limit.
fn rabbitmq() -> impl IntoIterator<Item = QueueSpec> {
    let quorum = |name: &str| QueueSpec::new(name, Profile::RabbitQuorum40).on("rabbitmq");
    let classic = |name: &str| QueueSpec::new(name, Profile::RabbitClassic).on("rabbitmq");
    [
        // Consumers fail after a minute of retries for each message, so the queue grows.
        quorum("orders").dead_letter_exchange("shop.errors", Some("error.order.dead")).consumers(6).rates(42.0, 9.5),
        quorum("orders.dlq").rates(0.2, 0.0),
        quorum("payments").dead_letter_exchange("shop.errors", Some("error.payment.dead")).consumers(2).rates(3.1, 2.9),
        quorum("payments.dlq").rates(0.1, 0.0),
        classic("emails").consumers(4).rates(5.0, 5.0),
        classic("emails_error").rates(0.1, 0.0),
        classic("thumbnails").dead_letter_to("thumbnails.dlq").consumers(8).rates(2.4, 2.4),
        classic("thumbnails.dlq").rates(0.1, 0.0),
        QueueSpec::new("audit.stream", Profile::RabbitStream).on("rabbitmq").retention(days(7)).rates(51.0, 0.0),
    ]
}

fn kafka() -> impl IntoIterator<Item = QueueSpec> {
    let topic = |name: &str| QueueSpec::new(name, Profile::Kafka).on("kafka");
    [
        topic("order-events")
            .group("order-pricing", 3, &[Some(50), Some(48), Some(47), Some(44), Some(46), Some(38)])
            .group("order-search", 2, &[Some(12), Some(49), Some(9), Some(46), Some(11), Some(40)])
            .group("fraud-check", 0, &[Some(3), Some(3), Some(2), None, Some(3), Some(1)])
            .partitions(6)
            .retention(days(7))
            .dead_letter_to("order-events-dlt")
            .rates(38.0, 0.0),
        topic("order-events-dlt").partitions(3).retention(days(14)).rates(0.2, 0.0),
        topic("inventory.updates").partitions(3).dead_letter_to("inventory.updates.dlq").rates(12.0, 0.0),
        topic("inventory.updates.dlq").retention(days(7)).rates(0.1, 0.0),
    ]
}

/// The retention of `shipping-labels-dlq` is the mistake of somebody who meant hours to be days: what died first is
/// gone 15 minutes after the demo's now.
fn sqs() -> impl IntoIterator<Item = QueueSpec> {
    let standard = |name: &str| QueueSpec::new(name, Profile::SqsStandard).on("sqs");
    [
        standard("shipping-labels").delivery_limit(4).dead_letter_to("shipping-labels-dlq").rates(1.1, 0.9),
        standard("shipping-labels-dlq").retention(Duration::from_hours(1)).rates(0.1, 0.0),
        standard("returns-handler-dlq").retention(days(14)),
        QueueSpec::new("invoices.fifo", Profile::SqsFifo).on("sqs").content_dedup().rates(0.4, 0.4),
    ]
}

const fn days(n: u64) -> Duration {
    Duration::from_hours(24 * n)
}
