//! A broker that is away: the source or the target alone loses its connections at each event. What was certainly not sent
//! for that is taken up by the resume like something never tried, and what stayed in the source is not sent twice.

use std::sync::Arc;

use postroom::broker::memory::{Fault, Memory, Profile, QueueSpec, at_each};
use postroom::broker::{Address, Target};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::journal::{JournalState, Journals, Summary};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Pace, Verb};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::resume::{self, Opener};
use postroom::operation::undo;
use postroom::{ErrorKind, Result};

use super::folder;
use crate::environment::TestEnvironment;

const BODIES: [&str; 9] = ["a1", "b1", "a2", "c1", "b2", "a3", "c2", "a4", "d1"];

/// Two brokers: a queue on each.
struct Two {
    from: Memory,
    to: Memory,
    folder: tempfile::TempDir,
}

/// How the run goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Plain,
    /// Moved by a drain.
    Moved,
    /// Those with one letter one after the other.
    PerKey,
    /// A copy that leaves the source as it is.
    Copy,
}

#[async_trait::async_trait]
impl Opener for Two {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

impl Two {
    fn new(profile: Profile) -> Self {
        let one = |name: &str| Memory::builder().queue(QueueSpec::new(name, profile)).build();
        let two = Self { from: one("from"), to: one("to"), folder: folder() };
        for body in BODIES {
            two.from.publish("from", message(body)).unwrap();
        }
        two
    }

    fn at(&self, address: &str) -> Place {
        let address: Address = address.parse().unwrap();
        let is_source = address.target == Some(Target::queue("from"));
        let memory = if is_source { &self.from } else { &self.to };
        Place { address, broker: Arc::new(memory.clone()), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        let folder = self.folder.path().join("journal");
        let count = std::fs::read_dir(&folder).map_or(0, Iterator::count);
        Journals::at(folder).ids(move |_| format!("20260302-101112-run{count}"))
    }

    fn control() -> Control {
        Control::new().batch(2).settle(std::time::Duration::from_millis(2))
    }

    async fn act(&self, how: How, mode: Mode) -> Result<Report> {
        let per_key = (how == How::PerKey).then(|| "header.key".to_owned());
        let request = ReplayRequest {
            verb: if how == How::Moved { Verb::Drain } else { Verb::Replay },
            keep: how == How::Copy,
            mode,
            pace: Pace { per_key, ..Pace::default() },
            ..ReplayRequest::all(self.at("demo:from"), ReplayTo::Place(Box::new(self.at("demo:to"))))
        };
        replay::run(replay::plan(request, &Self::control()).await?, &self.journals(), &Self::control()).await
    }

    async fn resume(&self, id: &str) -> Report {
        let prepared = resume::prepare(id, &self.journals(), self).await.unwrap();
        resume::run(prepared, &self.journals(), &Self::control()).await.unwrap()
    }

    /// The journal that is not finished.
    fn unfinished(&self) -> Option<Summary> {
        let (summaries, faults) = self.journals().list().unwrap();
        assert!(faults.is_empty(), "{faults:?}");
        summaries.into_iter().find(|summary| summary.state != JournalState::Finished)
    }
}

fn message(body: &'static str) -> Message {
    let mut message = Message { payload: Some(body.into()), ..Message::default() };
    message.headers.push("key", &body[..1]);
    message
}

fn bodies(memory: &Memory, queue: &str) -> Vec<String> {
    let messages = memory.snapshot(queue).unwrap();
    messages.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
}

fn sorted(mut bodies: Vec<String>) -> Vec<String> {
    bodies.sort_unstable();
    bodies
}

fn cases() -> Vec<(Profile, How, Mode)> {
    let mut cases = Vec::new();
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        for (how, mode) in [
            (How::Plain, Mode::Streaming),
            (How::Plain, Mode::Exact),
            (How::Moved, Mode::Streaming),
            (How::PerKey, Mode::Exact),
            (How::Copy, Mode::Streaming),
        ] {
            cases.push((profile, how, mode));
        }
    }
    cases.extend([(Profile::Kafka, How::Plain, Mode::Streaming), (Profile::SqsStandard, How::Plain, Mode::Streaming)]);
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_sent_because_the_target_was_away_is_sent_by_the_resume() {
    for (profile, how, mode) in cases() {
        let mut unsent = 0;
        at_each(Fault::Disconnect, async |due| {
            let two = Two::new(profile);
            let result = due.strike(&two.to, Box::pin(two.act(how, mode))).await.unwrap();
            let told = format!("{profile:?} {how:?} {mode:?} event {} at {:?}", due.nth(), two.to.stopped_at());
            let Some(left) = two.unfinished() else { return };
            let report = result.unwrap();
            let told = format!("{told}: {report:#?}");
            assert_eq!(report.state, Ended::Stopped, "{told}");
            unsent += report.unsent;
            assert_eq!((report.failed, left.failed), (report.unsent, left.unsent), "{told}");
            if report.unsent > 0 {
                let hint = report.error.as_ref().unwrap().hint.as_deref().unwrap();
                assert!(hint.contains(&format!("`postroom journal resume {}`", left.id)), "{told}");
            }
            let ended = two.resume(&left.id).await;
            let told = format!("{told} then {ended:#?}");
            // An answer that was lost leaves one message in doubt, which is in the target; it is not sent once more.
            let lost = u64::from(two.to.stopped_at() == Some("published"));
            assert_eq!((ended.state, ended.failed, ended.ambiguous), (Ended::Finished, 0, lost), "{told}");
            let held_up = ended.skipped;
            assert!(held_up == 0 || (how == How::PerKey && lost == 1), "{told}");
            let there = bodies(&two.to, "to");
            assert_eq!(there.len() as u64 + held_up, BODIES.len() as u64, "{told}: {there:?}");
            for key in ["a", "b", "c", "d"] {
                let of = |body: &&String| body.starts_with(key);
                let order: Vec<_> = there.iter().filter(of).collect();
                let is_sorted = order.is_sorted_by(|one, next| one < next);
                // Elsewhere a queue may give what was returned in another order.
                let keeps = how == How::PerKey || matches!(profile, Profile::RabbitClassic | Profile::Kafka);
                assert!(is_sorted || !keeps, "{told}: {there:?}");
            }
            assert!(two.unfinished().is_none(), "{told}");
        })
        .await;
        assert!(unsent > 3, "{profile:?} {how:?} {mode:?}: {unsent} were not sent");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_confirmed_when_the_source_is_lost_is_not_sent_twice() {
    for (profile, how, mode) in cases().into_iter().filter(|(profile, how, _)| {
        matches!(profile, Profile::RabbitClassic | Profile::RabbitQuorum43) && !matches!(how, How::Copy | How::PerKey)
    }) {
        let runs = at_each(Fault::Disconnect, async |due| {
            let two = Two::new(profile);
            let result = due.strike(&two.from, Box::pin(two.act(how, mode))).await.unwrap();
            let told = format!("{how:?} {mode:?} event {} at {:?}: {result:#?}", due.nth(), two.from.stopped_at());
            if let Some(left) = two.unfinished() {
                let ended = two.resume(&left.id).await;
                assert_eq!(ended.state, Ended::Finished, "{told} then {ended:#?}");
                let told = format!("{told} then {ended:#?} {:?}", bodies(&two.from, "from"));
                assert_eq!(sorted(bodies(&two.to, "to")), sorted(BODIES.map(str::to_owned).to_vec()), "{told}");
                assert_eq!((ended.failed, ended.ambiguous, ended.done), (0, 0, BODIES.len() as u64), "{told}");
                assert!(bodies(&two.from, "from").is_empty(), "{told}");
            }
        })
        .await;
        assert!(runs > 9, "{runs}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_whose_source_is_away_is_finished_by_its_resume() {
    for how in [How::Plain, How::Moved] {
        let mut stopped = 0;
        at_each(Fault::Disconnect, async |due| {
            let two = Two::new(Profile::RabbitClassic);
            let id = two.act(how, Mode::Streaming).await.unwrap().journal.unwrap();
            let take_back = async {
                let control = Two::control();
                let prepared = undo::plan(&id, &[], Mode::Exact, &two.journals(), &two, &control).await?;
                undo::run(prepared, &two.journals(), &control).await
            };
            let result = due.strike(&two.from, Box::pin(take_back)).await.unwrap();
            let told = format!("{how:?} event {} at {:?}: {result:#?}", due.nth(), two.from.stopped_at());
            let Ok(reports) = result else { return };
            let Some(report) = reports.last().filter(|report| report.state == Ended::Stopped) else { return };
            stopped += u64::from(report.failed > 0);
            let ended = two.resume(report.journal.as_deref().unwrap()).await;
            let told = format!("{told} then {ended:#?}");
            let lost = u64::from(two.from.stopped_at() == Some("published"));
            assert_eq!((ended.state, ended.failed, ended.ambiguous), (Ended::Finished, 0, lost), "{told}");
            let back = sorted(bodies(&two.from, "from"));
            assert_eq!(back, sorted(BODIES.map(str::to_owned).to_vec()), "{told}");
        })
        .await;
        assert!(stopped > 3, "{how:?}: {stopped}");
    }
}

#[tokio::test]
async fn what_the_resume_can_not_send_either_is_settled_by_it() {
    let (two, first) = half_sent().await;
    assert_eq!((first.state, first.failed), (Ended::Stopped, first.unsent), "{first:#?}");
    // Another run is faster: it takes what was not sent, and all that was never tried.
    let control = Two::control().journals(two.journals());
    let request = ReplayRequest::all(two.at("demo:from"), ReplayTo::Place(Box::new(two.at("demo:to"))));
    let plan = replay::plan(request, &control).await.unwrap();
    let second = replay::run(plan, &two.journals(), &control).await.unwrap();
    assert_eq!((second.state, second.done + first.done), (Ended::Finished, BODIES.len() as u64), "{second:#?}");
    let ended = two.resume(first.journal.as_deref().unwrap()).await;
    assert_eq!((ended.state, ended.done, ended.failed), (Ended::Finished, first.done, first.failed), "{ended:#?}");
    assert!(ended.problems.iter().all(|problem| problem.why.contains("was replayed by")), "{ended:#?}");
    assert_eq!(bodies(&two.to, "to").len(), BODIES.len());
    let again = resume::prepare(first.journal.as_deref().unwrap(), &two.journals(), &two).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::Refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_a_ramp_that_was_not_sent_is_sent_again_and_is_no_larger() {
    let mut met = 0;
    at_each(Fault::Disconnect, async |due| {
        let two = Two::new(Profile::RabbitClassic);
        let to = ReplayTo::Place(Box::new(two.at("demo:to")));
        // Nobody consumes the copies, so the ramp stops after each step.
        let pace = Pace { ramp: vec![2, 3], verify_s: Some(0.01), ..Pace::default() };
        let request = ReplayRequest { mode: Mode::Streaming, pace, ..ReplayRequest::all(two.at("demo:from"), to) };
        let plan = replay::plan(request, &Two::control()).await.unwrap();
        let first = replay::run(plan, &two.journals(), &Two::control()).await.unwrap();
        let id = first.journal.as_deref().unwrap();
        assert_eq!((first.state, first.done, first.failed), (Ended::Stopped, 2, 0), "{first:#?}");
        let prepared = resume::prepare(id, &two.journals(), &two).await.unwrap();
        let resumed = async { resume::run(prepared, &two.journals(), &Two::control()).await };
        let Ok(away) = due.strike(&two.to, Box::pin(resumed)).await.unwrap() else { return };
        if away.unsent == 0 || away.ambiguous > 0 {
            return;
        }
        met += 1;
        let sent = two.resume(id).await;
        let told = format!("event {} {away:#?} then {sent:#?}", due.nth());
        assert!(away.state == Ended::Stopped && away.done + away.unsent <= 5, "{told}");
        assert_eq!((sent.state, sent.done, sent.unsent), (Ended::Stopped, 5, 0), "{told}");
        assert_eq!(bodies(&two.to, "to"), BODIES[..5], "{told}");
    })
    .await;
    assert!(met > 1, "{met}");
}

/// A run that ends at its second message or later: each is a point before and one behind it, and so are the opening of the
/// target and the look at it.
async fn half_sent() -> (Two, Report) {
    let two = Two::new(Profile::Kafka);
    two.to.arm(Fault::Disconnect, 5);
    let report = two.act(How::Plain, Mode::Streaming).await.unwrap();
    two.to.disarm();
    assert!(report.unsent > 0, "{report:#?}");
    (two, report)
}

#[tokio::test]
async fn the_journal_says_what_was_not_sent_and_names_the_resume() {
    let (two, report) = half_sent().await;
    let (id, unsent) = (report.journal.unwrap(), report.unsent);
    let state = two.folder.path().display().to_string();
    let environment = TestEnvironment::new().variable("POSTROOM_STATE", &state);
    let shown = environment.run(&["journal", "show", &id, "-o", "table"]);
    let line =
        format!("{unsent} of these were not sent, for a broker was away: `postroom journal resume {id}` sends them");
    assert!(shown.stdout.contains(&line) && shown.stdout.contains(": not sent: the connection was lost"), "{shown}");
    let list = environment.run(&["journal", "list", "-o", "table"]);
    assert!(list.stdout.contains(&format!("{unsent}, {unsent} unsent")), "{list}");
    let list = environment.run(&["journal", "list", "-o", "json"]);
    let runs: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!((runs[0]["unsent"].as_u64(), runs[0]["failed"].as_u64()), (Some(unsent), Some(unsent)), "{list}");
    assert_eq!(runs[0]["state"], "interrupted", "{list}");
}

#[cfg(feature = "tui")]
#[tokio::test(flavor = "multi_thread")]
async fn the_screens_say_what_was_not_sent_and_offer_the_resume() {
    let (two, report) = half_sent().await;
    let unsent = report.unsent;
    let mut screens = crate::tui::configured(two.folder.path(), "", (160, 40), &[]);
    screens.press("H enter").await.unwrap();
    assert!(screens.screen().contains(&format!("{unsent} failed ({unsent} not sent)")), "{}", screens.screen());
    screens.press("r").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains(&format!("{unsent} of those that failed, for a broker was away: they go now")), "{sheet}");
}
