//! Messages that may have been sent: looked for in their target, and sent once more only where that is asked for.

use std::sync::Arc;

use postroom::ErrorKind;
use postroom::Result;
use postroom::broker::memory::{Fault, Memory, Profile, PublishFault, QueueSpec};
use postroom::broker::{Address, Broker as _, TakeOptions};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::journal::Journals;
use postroom::operation::place::Place;
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::resume::{self, Opener};

struct Shop {
    memory: Memory,
    folder: tempfile::TempDir,
}

#[async_trait::async_trait]
impl Opener for Shop {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

impl Shop {
    fn new(from: Profile, to: Profile) -> Self {
        let memory = Memory::builder().queue(QueueSpec::new("from", from)).queue(QueueSpec::new("to", to)).build();
        for body in ["a", "b", "c", "d"] {
            memory.publish("from", Message { payload: Some(body.into()), ..Message::default() }).unwrap();
        }
        Self { memory, folder: tempfile::tempdir().unwrap() }
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal"))
    }

    async fn replay(&self) -> Report {
        let to = ReplayTo::Place(Box::new(self.at("demo:to")));
        let request = ReplayRequest::all(self.at("demo:from"), to);
        let control = Control::new().journals(self.journals());
        let prepared = replay::plan(request, &control).await.unwrap();
        replay::run(prepared, &self.journals(), &control).await.unwrap()
    }

    /// A replay of which the answers for `b` and `c` are lost: `b` arrived, and `c` did not.
    async fn doubted(&self) -> Report {
        self.memory.arm(Fault::Publish(PublishFault::LostAfter), 2);
        self.memory.arm(Fault::Publish(PublishFault::LostBefore), 3);
        let report = self.replay().await;
        self.memory.disarm();
        assert_eq!((report.state, report.done, report.ambiguous), (Ended::Finished, 2, 2), "{report:#?}");
        assert_eq!(self.bodies("to"), ["a", "b", "d"]);
        report
    }

    async fn doubtful(&self, id: &str) -> Result<Report> {
        let prepared = resume::prepare_doubtful(id, &self.journals(), self).await?;
        resume::run(prepared, &self.journals(), &Control::new()).await
    }

    fn bodies(&self, queue: &str) -> Vec<String> {
        let there = self.memory.snapshot(queue).unwrap();
        let mut bodies: Vec<_> = there.iter().map(|m| String::from_utf8_lossy(m.body()).into_owned()).collect();
        bodies.sort_unstable();
        bodies
    }
}

#[tokio::test]
async fn what_arrived_is_found_by_its_replay_id_and_only_the_rest_is_sent_again() {
    for (from, to) in [
        (Profile::Kafka, Profile::Kafka),
        (Profile::RabbitClassic, Profile::Kafka),
        (Profile::RabbitQuorum43, Profile::RabbitClassic),
        (Profile::SqsStandard, Profile::RabbitQuorum43),
    ] {
        let shop = Shop::new(from, to);
        let first = shop.doubted().await;
        let id = first.journal.as_deref().unwrap();
        assert_eq!(resume::prepare(id, &shop.journals(), &shop).await.unwrap_err().kind(), ErrorKind::Refused);
        let report = shop.doubtful(id).await.unwrap();
        let told = format!("{from:?} {to:?} {report:#?}");
        assert_eq!(shop.bodies("to"), ["a", "b", "c", "d"], "{told}");
        // The one that was sent once more may be there twice, for all that anybody knows.
        assert_eq!((report.state, report.done, report.ambiguous), (Ended::Finished, 3, 1), "{told}");
        assert!(report.notes[0].starts_with("1 of 2 messages that may have been sent is in the target"), "{told}");
        let left: &[&str] = if from == Profile::Kafka { &["a", "b", "c", "d"] } else { &[] };
        assert_eq!(shop.bodies("from"), left, "{told}");
        let again = shop.doubtful(id).await.unwrap_err();
        assert_eq!(again.kind(), ErrorKind::Refused, "{again:?}");
        assert!(again.message().contains("nothing of it is in doubt"), "{again:?}");
    }
}

#[tokio::test]
async fn a_topic_names_the_way_to_settle_what_is_in_doubt() {
    let shop = Shop::new(Profile::Kafka, Profile::Kafka);
    let first = shop.doubted().await;
    let id = first.journal.as_deref().unwrap();
    let request = ReplayRequest::all(shop.at("demo:from"), ReplayTo::Place(Box::new(shop.at("demo:to"))));
    let control = Control::new().journals(shop.journals());
    let plan = replay::plan(request, &control).await.unwrap().plan;
    let whys: Vec<_> = plan.skipped.iter().map(|skipped| skipped.why.as_str()).collect();
    let hint = format!("`postroom journal resume {id} --doubtful` looks for its copy");
    assert_eq!(whys.iter().filter(|why| why.contains(&hint)).count(), 2, "{whys:#?}");
    shop.doubtful(id).await.unwrap();
    assert_eq!(shop.replay().await.planned, 0);
}

#[tokio::test]
async fn a_target_that_a_look_would_harm_is_not_looked_at_and_that_is_told() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("from", Profile::RabbitClassic))
        .queue(QueueSpec::new("to", Profile::RabbitClassic).consumers(1))
        .build();
    for body in ["a", "b", "c", "d"] {
        memory.publish("from", Message { payload: Some(body.into()), ..Message::default() }).unwrap();
    }
    let shop = Shop { memory, folder: tempfile::tempdir().unwrap() };
    let first = shop.doubted().await;
    let report = shop.doubtful(first.journal.as_deref().unwrap()).await.unwrap();
    assert!(report.notes.iter().any(|note| note.contains("was not looked at for copies")), "{report:#?}");
    // Both are sent again, and both are told.
    assert_eq!((shop.bodies("to"), report.ambiguous), (["a", "b", "b", "c", "d"].map(str::to_owned).to_vec(), 2));
    let mut left = shop.memory.take("from", TakeOptions::default()).await.unwrap();
    assert!(left.next_batch(1).await.unwrap().deliveries.is_empty());
}
