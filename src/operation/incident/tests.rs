//! Which runs belong to an incident, and to which of its causes.

use std::sync::Arc;

use super::*;
use crate::message::Message;
use crate::operation::groups::By;
use crate::operation::journal::JournalState;
use crate::operation::plan::Verb;

#[tokio::test]
async fn runs_on_the_same_queues_belong_to_it_and_older_ones_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let mut gather = Gather::new(By::Failure, Arc::default());
    let message = Message {
        address: "file:dead.jsonl".into(),
        time: "2026-03-02T14:02:00Z".parse().ok(),
        metadata: [(crate::broker::archive::SOURCE_ADDRESS, "shop:orders.dlq")].into_iter().collect(),
        payload: Some("{}".into()),
        ..Message::default()
    };
    gather.add(&message);
    let addresses = ["file:dead.jsonl".parse().unwrap()];
    let mut incident = Incident::new(&addresses, gather, Vec::new(), "2026-03-02T15:00:00Z".parse().unwrap());
    let group = incident.groups[0].name.clone();
    for (id, source, started, group) in [
        ("a", "shop:orders.dlq", "2026-03-02T14:30:00Z", Some(group.as_str())),
        ("b", "shop:orders.dlq", "2026-02-02T14:30:00Z", None),
        ("c", "shop:payments.dlq", "2026-03-02T14:30:00Z", None),
        ("d", "file:dead.jsonl", "2026-03-02T14:40:00Z", Some("g-000000")),
    ] {
        let head = serde_json::json!({
            "schema": "postroom.journal/1", "id": id, "verb": "replay", "source": source, "to": "origin",
            "group": group, "mode": "streaming", "planned": 0, "started": started,
        });
        std::fs::create_dir_all(folder.path().join(id)).unwrap();
        std::fs::write(folder.path().join(id).join("head.json"), head.to_string()).unwrap();
        std::fs::write(folder.path().join(id).join("log.jsonl"), "").unwrap();
    }
    incident.acted(&Journals::at(folder.path())).unwrap();
    let ids: Vec<&str> = incident.actions.iter().map(|run| run.id.as_str()).collect();
    assert_eq!((ids, incident.older_actions), (vec!["a", "d"], 1));
    let of_group: Vec<_> = incident.actions_on(&incident.groups[0]).collect();
    assert_eq!((of_group.len(), of_group[0].verb, of_group[0].state), (1, Verb::Replay, JournalState::Interrupted));
    let page = incident.to_markdown();
    assert!(page.contains("`shop:orders.dlq` (in `file:dead.jsonl`)") && page.contains("1 older run"), "{page}");
}
