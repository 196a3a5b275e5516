//! What SQS does by itself: purges and move tasks, with their rules and their trouble.

use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use postroom::ErrorKind;
use postroom::operation::control::Control;
use postroom::operation::plan::Pace;
use postroom::operation::replay::ReplayTo;
use postroom::operation::report::{Ended, Report};
use postroom::operation::wholesale::{self, WholesaleRequest};
use serde_json::json;

use super::moves::Ground;
use super::run;
use crate::fake_sqs::{Fake, Fault};
use crate::world::{kind, numbered, sorted};

pub(super) fn trials() -> Vec<Trial> {
    trials![
        a_purge_drops_everything_once_a_minute,
        a_move_task_moves_everything_to_where_it_came_from,
        a_cancelled_move_keeps_what_it_moved,
        a_cancelled_move_that_is_not_listed_any_more_is_cancelled,
        a_finished_task_is_not_taken_for_the_one_that_begins,
        a_second_task_of_a_queue_is_refused,
        only_dead_letters_are_moved,
        a_lost_answer_of_a_start_is_ambiguous,
        without_the_right_to_watch_nothing_is_begun,
    ]
}

/// A dead-letter queue with that many dead messages of `orders`.
async fn ground(fake: &Fake, count: usize) -> Ground {
    let policy = json!({"deadLetterTargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead", "maxReceiveCount": 3});
    fake.queue("dead", &json!({}));
    fake.queue("other", &json!({}));
    fake.queue("orders", &json!({"RedrivePolicy": policy.to_string()}));
    fake.fill("orders", count);
    fake.move_all("orders", "dead");
    Ground::new(fake.clone()).await
}

fn request(ground: &Ground, from: &str, to: Option<ReplayTo>) -> WholesaleRequest {
    WholesaleRequest { source: ground.place(from), to, pace: Pace::default() }
}

async fn act(request: WholesaleRequest, control: &Control) -> postroom::Result<Report> {
    wholesale::run(wholesale::plan(request, control).await?, control).await
}

async fn a_purge_drops_everything_once_a_minute(fake: Fake) {
    let ground = ground(&fake, 30).await;
    let control = Control::new();
    let report = act(request(&ground, "dead", None), &control).await.unwrap();
    assert_eq!((report.state, report.done, fake.bodies("dead").len()), (Ended::Finished, 30, 0), "{report:#?}");
    let again = act(request(&ground, "dead", None), &control).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Refused);
    assert!(again.hint_text().unwrap().contains("60 seconds"), "{again:?}");
    fake.state().advance(Duration::from_secs(61));
    assert!(act(request(&ground, "dead", None), &control).await.is_ok());
}

async fn a_move_task_moves_everything_to_where_it_came_from(fake: Fake) {
    let ground = ground(&fake, 25).await;
    let control = Control::new();
    let prepared = wholesale::plan(request(&ground, "dead", Some(ReplayTo::Origin)), &control).await.unwrap();
    let to: Vec<_> = prepared.plan.destinations.iter().map(|to| (to.address.clone(), to.messages)).collect();
    assert_eq!(to, [(ground.place("orders").address.to_string(), Some(25))]);
    assert_eq!(fake.bodies("dead").len(), 25, "a plan moves nothing");
    let report = wholesale::run(prepared, &control).await.unwrap();
    assert_eq!((report.state, report.done, report.planned), (Ended::Finished, 25, 25), "{report:#?}");
    assert_eq!((fake.bodies("orders"), fake.bodies("dead").len()), (sorted(numbered(0..25)), 0));
}

async fn a_cancelled_move_keeps_what_it_moved(fake: Fake) {
    cancel_in_the_middle(fake).await;
}

async fn a_cancelled_move_that_is_not_listed_any_more_is_cancelled(fake: Fake) {
    fake.state().forgets_cancelled = true;
    cancel_in_the_middle(fake).await;
}

async fn cancel_in_the_middle(fake: Fake) {
    let ground = ground(&fake, 500).await;
    let mut control = Control::new();
    let cancel = control.cancel.clone();
    control.on_tick = Some(Arc::new(move |tick| {
        if tick.done > 0 {
            cancel.cancel();
        }
    }));
    let to = ReplayTo::Place(Box::new(ground.place("other")));
    let report = act(request(&ground, "dead", Some(to)), &control).await.unwrap();
    assert_eq!(report.state, Ended::Interrupted, "{report:#?}");
    let (moved, left) = (fake.bodies("other").len(), fake.bodies("dead").len());
    assert_eq!((moved as u64, moved + left), (report.done, 500));
    assert!(left > 0);
    assert!(report.notes.iter().any(|note| note.contains("the rest is in the source")), "{:?}", report.notes);
}

async fn a_finished_task_is_not_taken_for_the_one_that_begins(fake: Fake) {
    let ground = ground(&fake, 5).await;
    let control = Control::new();
    let origin = || request(&ground, "dead", Some(ReplayTo::Origin));
    assert_eq!(act(origin(), &control).await.unwrap().done, 5);
    fake.move_all("orders", "dead");
    fake.state().advance(Duration::from_secs(5));
    // The list does not know the new task at once.
    let report = act(origin(), &control).await.unwrap();
    assert_eq!((report.done, fake.bodies("orders").len(), fake.bodies("dead").len()), (5, 5, 0));
}

async fn a_second_task_of_a_queue_is_refused(fake: Fake) {
    let ground = ground(&fake, 500).await;
    let arn = "arn:aws:sqs:eu-west-1:123456789012:dead";
    fake.state().act("StartMessageMoveTask", &json!({"SourceArn": arn}), None).unwrap();
    let error = act(request(&ground, "dead", Some(ReplayTo::Origin)), &Control::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused);
    assert!(error.to_string().contains("under way"), "{error}");
}

async fn only_dead_letters_are_moved(fake: Fake) {
    let ground = ground(&fake, 5).await;
    let to = ReplayTo::Place(Box::new(ground.place("dead")));
    let refused = wholesale::plan(request(&ground, "other", Some(to)), &Control::new()).await;
    assert_eq!(kind(refused), ErrorKind::Unsupported);
    let itself = ReplayTo::Place(Box::new(ground.place("dead")));
    let refused = wholesale::plan(request(&ground, "dead", Some(itself)), &Control::new()).await;
    assert_eq!(kind(refused), ErrorKind::Refused);
}

async fn a_lost_answer_of_a_start_is_ambiguous(fake: Fake) {
    let ground = ground(&fake, 5).await;
    for (action, to) in [("PurgeQueue", None), ("StartMessageMoveTask", Some(ReplayTo::Origin))] {
        fake.script(action, [Fault::LostBefore]);
        let error = act(request(&ground, "dead", to), &Control::new()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{action}");
        assert_eq!(fake.bodies("dead").len(), 5, "{action} was made a second time");
    }
}

async fn without_the_right_to_watch_nothing_is_begun(fake: Fake) {
    let ground = ground(&fake, 5).await;
    fake.state().denied.insert("ListMessageMoveTasks");
    let error = act(request(&ground, "dead", Some(ReplayTo::Origin)), &Control::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    assert!(error.hint_text().unwrap().contains("sqs:ListMessageMoveTasks"), "{error:?}");
    assert_eq!(fake.bodies("dead").len(), 5);
}
