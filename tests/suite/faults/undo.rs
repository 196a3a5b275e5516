//! Losing a message while a run is taken back, tried in every way.

use std::sync::Arc;

use postroom::broker::archive::Archive;
use postroom::broker::memory::{Fault, Memory, Profile, QueueSpec, at_each};
use postroom::broker::{Address, Broker as _, Connection, TakeOptions};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::Control;
use postroom::operation::drain::{self, DrainRequest, DrainTo};
use postroom::operation::journal::{JournalState, Journals};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Verb};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, Report};
use postroom::operation::resume::{self, Opener};
use postroom::operation::select::Selection;
use postroom::operation::undo;
use postroom::{ErrorKind, Result};

use super::journal::{Probe, Trouble};
use super::pairs::{Pair, Second, draw, jumping, pair};
use super::{folder, read_lines};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Moved {
    Replayed,
    ToQueue,
    Archived,
    /// Drained to a log, which keeps what is sent to it.
    ToLog,
    /// The source has kept them.
    Copied,
}

/// A queue whose messages a run has moved.
struct World {
    memory: Memory,
    folder: tempfile::TempDir,
    /// The clock of the undo and its resumes jumps to and fro.
    jumps: bool,
}

/// Bodies, one of them twice. Those with a capital have a header that a replay takes out.
const BODIES: [&str; 6] = ["a", "B", "c", "a", "D", "e"];
const RUN: &str = "20260302-101112-run";

#[async_trait::async_trait]
impl Opener for World {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

impl World {
    /// The messages, before anything has moved them.
    fn unmoved(profile: Profile, target: Profile) -> Self {
        let memory =
            Memory::builder().queue(QueueSpec::new("from", profile)).queue(QueueSpec::new("to", target)).build();
        let world = Self { memory, folder: folder(), jumps: false };
        for body in BODIES {
            let mut message = Message { payload: Some(body.into()), ..Message::default() };
            if body.chars().all(char::is_uppercase) {
                message.headers.push("MT-Reason", "fault");
            }
            world.memory.publish("from", message).unwrap();
        }
        world
    }

    async fn new(profile: Profile, moved: Moved) -> Self {
        let world = Self::unmoved(profile, if moved == Moved::ToLog { Profile::Kafka } else { profile });
        let journals = Journals::at(world.folder.path().join("journal")).ids(|_| RUN.into());
        let (source, control) = (world.at("demo:from"), Control::new());
        let to = ReplayTo::Place(Box::new(world.at("demo:to")));
        let report = match moved {
            Moved::Replayed => {
                let request = ReplayRequest { mode: Mode::Streaming, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, &control).await.unwrap(), &journals, &control).await
            }
            Moved::Copied => {
                let request = ReplayRequest { keep: true, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, &control).await.unwrap(), &journals, &control).await
            }
            Moved::ToQueue | Moved::ToLog => {
                let reason = Some("poison".into());
                let request = ReplayRequest { verb: Verb::Drain, reason, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, &control).await.unwrap(), &journals, &control).await
            }
            Moved::Archived => {
                let (to, selection) = (DrainTo::Archive(world.archive()), Selection::all());
                let request = DrainRequest {
                    source,
                    to,
                    selection,
                    limit: None,
                    rescue: false,
                    mode: Mode::Streaming,
                    undoes: None,
                };
                drain::run(drain::plan(request, &control).await.unwrap(), &journals, &control).await
            }
        };
        assert_eq!(report.unwrap().done, BODIES.len() as u64);
        // What is not of the run stays where it is.
        world.memory.publish("to", Message { payload: Some("other".into()), ..Message::default() }).unwrap();
        world
    }

    fn at(&self, address: &str) -> Place {
        let address: Address = address.parse().unwrap();
        let policy = Policy::default();
        if address.connection == Connection::File {
            return Place { address, broker: Arc::new(Archive::new()), policy };
        }
        Place { address, broker: Arc::new(self.memory.clone()), policy }
    }

    fn archive(&self) -> std::path::PathBuf {
        self.folder.path().join("archive.jsonl")
    }

    fn journals(&self) -> Journals {
        let folder = self.folder.path().join("journal");
        let count = std::fs::read_dir(&folder).map_or(0, Iterator::count);
        Journals::at(folder).ids(move |_| format!("20260302-101113-undo{count}"))
    }

    fn control(&self) -> Control {
        let control = Control::new().batch(2);
        if self.jumps { control.clock(jumping()) } else { control }
    }

    async fn undo(&self) -> Result<Vec<Report>> {
        self.undo_with(&self.journals()).await
    }

    async fn undo_with(&self, journals: &Journals) -> Result<Vec<Report>> {
        let control = self.control();
        let prepared = undo::plan(RUN, &[], Mode::Streaming, journals, self, &control).await?;
        undo::run(prepared, journals, &control).await
    }

    async fn let_go(&self) {
        while self.journals().list().unwrap().0.iter().any(|run| run.state == JournalState::Running) {
            tokio::task::yield_now().await;
        }
    }

    async fn resume(&self) {
        let (journals, control) = (self.journals(), self.control());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            self.let_go().await;
            let Ok(id) = journals.newest_unfinished() else { return };
            assert!(std::time::Instant::now() < deadline, "still unfinished: {:?}", journals.list());
            let prepared = resume::prepare(&id, &journals, self).await.unwrap();
            match resume::run(prepared, &journals, &control).await {
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Locked => tokio::task::yield_now().await,
                Err(error) => panic!("{error:?}"),
            }
        }
    }

    /// One resume, whatever comes of it.
    async fn resume_once(&self) {
        let (journals, control) = (self.journals(), self.control());
        let Ok(id) = journals.newest_unfinished() else { return };
        if let Ok(prepared) = resume::prepare(&id, &journals, self).await {
            _ = Box::pin(resume::run(prepared, &journals, &control)).await;
        }
    }

    fn bodies(&self, queue: &str) -> Vec<String> {
        let ready = self.memory.snapshot(queue).unwrap();
        let held = self.memory.held(queue).unwrap();
        ready.iter().chain(&held).map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
    }

    fn check_nothing_is_lost(&self, told: &str) {
        let there = [self.bodies("from"), self.bodies("to"), read_lines(&self.archive())].concat();
        for body in BODIES {
            let count = |bodies: &[String]| bodies.iter().filter(|there| *there == body).count();
            let had = BODIES.iter().filter(|other| **other == body).count();
            assert!(count(&there) >= had, "{told}: {body} is lost: {there:?}");
        }
        assert_eq!(self.bodies("to").iter().filter(|body| *body == "other").count(), 1, "{told}");
        assert!(self.memory.destroyed().is_empty(), "{told}: {:?}", self.memory.destroyed());
    }

    fn check_is_back(&self, moved: Moved, told: &str) {
        self.check_is_back_after(moved, told, 1);
    }

    /// Takes the run back once more, behind an undo that met so many faults: everything is back then.
    async fn undo_again(&self, moved: Moved, told: &str, faults: u64) {
        let again = self.undo().await;
        if moved == Moved::Archived {
            assert!(again.is_err() || again.is_ok_and(|reports| reports[0].done == 6), "{told}");
        } else {
            again.unwrap();
            if moved == Moved::Copied {
                assert_eq!(self.bodies("to"), ["other"], "{told}");
            }
            self.check_is_back_after(moved, told, faults);
        }
        self.check_nothing_is_lost(told);
    }

    /// Everything is back as it was; what is there more often, at most once more for each fault, was told.
    fn check_is_back_after(&self, moved: Moved, told: &str, faults: u64) {
        let back = self.memory.snapshot("from").unwrap();
        let mut bodies = self.bodies("from");
        let mut missing = 0_u64;
        for body in BODIES {
            let place = bodies.iter().position(|there| there == body);
            match place {
                Some(place) => _ = bodies.remove(place),
                None => missing += 1,
            }
        }
        let runs = self.journals().list().unwrap().0;
        let ambiguous: u64 = runs.iter().map(|run| run.ambiguous).sum();
        let there = || (self.bodies("from"), self.bodies("to"));
        assert!(bodies.len() as u64 <= ambiguous * faults, "{told}: {bodies:?} twice, {ambiguous} told: {runs:#?}");
        // A log keeps what may have been sent, and it goes back only when somebody says so.
        let untold = if moved == Moved::ToLog { missing.saturating_sub(ambiguous) } else { missing };
        assert_eq!(untold, 0, "{told}: {missing} are not back, {ambiguous} told: {:?}", there());
        for message in back {
            let names = message.headers.iter().map(|(name, _)| name.as_str());
            let names: Vec<&str> = names.filter(|name| !name.starts_with("x-")).collect();
            let had: &[&str] = if message.body()[0].is_ascii_uppercase() { &["MT-Reason"] } else { &[] };
            assert_eq!(names, had, "{told}: {message:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_undo_puts_everything_back_as_it_was() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        for moved in [Moved::Replayed, Moved::ToQueue, Moved::Archived, Moved::ToLog] {
            let told = format!("{profile:?} {moved:?}");
            let world = World::new(profile, moved).await;
            let reports = world.undo().await.unwrap();
            assert_eq!(reports.iter().map(|report| report.done).sum::<u64>(), 6, "{told} {reports:#?}");
            assert_eq!(reports[0].ambiguous, 0, "{told} {reports:#?}");
            world.check_is_back(moved, &told);
            if moved == Moved::ToLog {
                assert_eq!(world.bodies("to"), [BODIES.as_slice(), &["other"]].concat(), "{told}");
            } else {
                assert_eq!(world.bodies("to"), ["other"], "{told}");
            }
            assert_eq!(world.memory.snapshot("from").unwrap().len(), 6);
            if moved == Moved::ToLog {
                // What is back does not go back once more, though its copy is there.
                let again = world.undo().await.unwrap();
                let [again] = again.as_slice() else { panic!("{told} {again:#?}") };
                assert_eq!((again.done, again.skipped), (0, 6), "{told} {again:#?}");
                assert!(again.problems[0].why.starts_with("it was put back by 20260302-101113-undo"), "{again:#?}");
                assert_eq!(world.memory.snapshot("from").unwrap().len(), 6, "{told}");
            }
            let shown = world.journals().show(RUN).unwrap();
            assert_eq!(shown.summary.state, JournalState::Undone);
            let place = shown.outcomes[0].place.as_deref().unwrap();
            assert!(place.starts_with("demo:from: put back by"), "{place}");
            let error = resume::prepare(RUN, &world.journals(), &world).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Refused);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_to_a_log_promises_no_undo_and_its_copies_stay() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("from", Profile::RabbitQuorum43))
        .queue(QueueSpec::new("to", Profile::Kafka))
        .queue(QueueSpec::new("queue", Profile::RabbitQuorum43))
        .build();
    let world = World { memory, folder: folder(), jumps: false };
    world.memory.publish("from", Message { payload: Some("a".into()), ..Message::default() }).unwrap();
    let control = Control::new();
    let to = |name: &str| ReplayTo::Place(Box::new(world.at(name)));
    for mode in [Mode::Exact, Mode::Streaming] {
        let plan = async |name, verb| {
            let request = ReplayRequest { mode, verb, ..ReplayRequest::all(world.at("demo:from"), to(name)) };
            replay::plan(request, &control).await.unwrap()
        };
        let undo = async |name, verb| plan(name, verb).await.plan.undo().into_owned();
        assert_eq!(undo("demo:to", Verb::Replay).await, "none: demo:to keeps what is sent there");
        let back = "`postroom journal undo` puts them back; demo:to keeps the copies";
        assert_eq!(undo("demo:to", Verb::Drain).await, back);
        let untaken = "`postroom journal undo` puts back what no consumer has taken by then";
        assert_eq!(undo("demo:queue", Verb::Replay).await, untaken);
        assert_eq!(undo("demo:queue", Verb::Drain).await, untaken);
    }
    let request = ReplayRequest::all(world.at("demo:from"), to("demo:to"));
    let prepared = replay::plan(request, &control).await.unwrap();
    let journals = world.journals();
    let report = replay::run(prepared, &journals, &control).await.unwrap();
    let id = report.journal.unwrap();
    let undo = undo::plan(&id, &[], Mode::Exact, &journals, &world, &control).await.unwrap();
    assert_eq!(
        (undo.plans().count(), undo.notes),
        (0, vec!["demo:to keeps its messages: copies stay in it".to_owned()])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_log_of_which_nobody_knows_what_went_back_nothing_goes_back_twice() {
    let memory = Memory::builder()
        .queue(QueueSpec::new("from", Profile::RabbitQuorum43))
        .queue(QueueSpec::new("to", Profile::RabbitStream))
        .build();
    let world = World { memory, folder: folder(), jumps: false };
    world.memory.publish("from", Message { payload: Some("a".into()), ..Message::default() }).unwrap();
    let (control, journals) = (Control::new(), Journals::at(world.folder.path().join("journal")).ids(|_| RUN.into()));
    let to = ReplayTo::Place(Box::new(world.at("demo:to")));
    let request = ReplayRequest { verb: Verb::Drain, ..ReplayRequest::all(world.at("demo:from"), to) };
    let report = replay::run(replay::plan(request, &control).await.unwrap(), &journals, &control).await.unwrap();
    assert_eq!((report.done, world.bodies("from").len()), (1, 0));
    assert_eq!(world.undo().await.unwrap()[0].done, 1);
    let error = world.undo().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!((world.bodies("from"), world.bodies("to")), (vec!["a".to_owned()], vec!["a".to_owned()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_consumed_is_told_and_not_guessed() {
    let world = World::new(Profile::RabbitClassic, Moved::Replayed).await;
    world.memory.consume("to", 2).unwrap();
    let (journals, control) = (world.journals(), Control::new());
    let prepared = undo::plan(RUN, &[], Mode::Exact, &journals, &world, &control).await.unwrap();
    assert_eq!(prepared.plans().map(|plan| plan.planned).collect::<Vec<_>>(), [4]);
    assert!(prepared.notes[0].starts_with("2 of 6 messages are not there"), "{:?}", prepared.notes);
    assert!(prepared.notes[0].ends_with("consumed, expired or moved on"), "{:?}", prepared.notes);
    let locked = undo::plan(RUN, &[], Mode::Exact, &journals, &world, &control).await.map(|_| ()).unwrap_err();
    assert_eq!(locked.kind(), ErrorKind::Locked, "two undos at once");
    let reports = undo::run(prepared, &journals, &control).await.unwrap();
    assert_eq!((reports[0].state, reports[0].done), (Ended::Finished, 4));
    assert_eq!((world.bodies("from").len(), world.bodies("to")), (4, vec!["other".to_owned()]));
    let shown = world.journals().show(RUN).unwrap();
    let places: Vec<_> = shown.outcomes.iter().filter_map(|line| line.place.as_deref()).collect();
    assert_eq!(places.iter().filter(|place| **place == "demo:to").count(), 2, "{places:?}");
    // There is nothing left to put back, and nothing is made of it.
    let again = undo::plan(RUN, &[], Mode::Exact, &world.journals(), &world, &control).await.unwrap();
    assert_eq!(again.plans().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_holds_is_not_taken_for_consumed() {
    for profile in [Profile::RabbitClassic, Profile::SqsStandard] {
        let world = World::new(profile, Moved::Replayed).await;
        world.memory.consume("to", 1).unwrap();
        let options = TakeOptions { limit: Some(2), ..TakeOptions::default() };
        let mut consumer = world.memory.take("to", options).await.unwrap();
        assert_eq!(consumer.next_batch(2).await.unwrap().deliveries.len(), 2);
        let (journals, control) = (world.journals(), Control::new());
        let prepared = undo::plan(RUN, &[], Mode::Exact, &journals, &world, &control).await.unwrap();
        let note = &prepared.notes[0];
        assert!(note.starts_with("3 of 6 messages are not there: up to 2 may be in somebody's hands"), "{note}");
        let reports = undo::run(prepared, &journals, &control).await.unwrap();
        assert!(reports[0].notes.iter().any(|note| note.contains("in somebody's hands")), "{reports:#?}");
        consumer.close().await.unwrap();
        // Another undo puts back what came back.
        world.undo().await.unwrap();
        assert_eq!((world.bodies("from").len(), world.bodies("to")), (5, vec!["other".to_owned()]), "{profile:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_of_kept_messages_are_dropped_where_the_original_is_still_there() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43] {
        let world = World::new(profile, Moved::Copied).await;
        assert_eq!((world.bodies("from").len(), world.bodies("to").len()), (6, 7));
        // Somebody takes an "a" and the "B": then their copies are all that is left of them.
        world.memory.consume("from", 2).unwrap();
        let (journals, control) = (world.journals(), Control::new());
        let prepared = undo::plan(RUN, &[], Mode::Exact, &journals, &world, &control).await.unwrap();
        assert!(prepared.notes.iter().any(|note| note.starts_with("2 copies stay")), "{:?}", prepared.notes);
        let reports = undo::run(prepared, &journals, &control).await.unwrap();
        assert_eq!((reports[0].state, reports[0].done), (Ended::Finished, 4), "{reports:#?}");
        assert!(reports[0].headline().starts_with("Dropped 4 copies in "), "{}", reports[0].headline());
        let mut left = world.bodies("to");
        left.sort_unstable();
        assert_eq!(left, ["B", "a", "other"], "{profile:?}");
        world.check_nothing_is_lost(&format!("{profile:?}"));
        let shown = world.journals().show(RUN).unwrap();
        assert_eq!(shown.summary.state, JournalState::Undone);
        let dropped = shown.outcomes.iter().filter_map(|line| line.place.as_deref());
        assert_eq!(dropped.filter(|place| place.contains("its copy was dropped by")).count(), 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_single_fault_of_an_undo_loses_a_message_or_hides_a_duplicate() {
    for profile in [Profile::RabbitClassic, Profile::RabbitQuorum43, Profile::RabbitQuorum40] {
        for moved in [Moved::Replayed, Moved::ToQueue, Moved::Archived, Moved::ToLog, Moved::Copied] {
            for fault in Fault::ALL {
                let runs = at_each(fault, async |due| {
                    let world = World::new(profile, moved).await;
                    let done = Box::pin(due.strike(&world.memory, world.undo())).await;
                    let done = done.map(|done| done.map(|reports| reports.iter().map(|r| r.state).collect::<Vec<_>>()));
                    let told = format!("{profile:?} {moved:?} {fault:?} at event {}: {done:?}", due.nth());
                    world.let_go().await;
                    world.check_nothing_is_lost(&told);
                    world.resume().await;
                    world.check_nothing_is_lost(&told);
                    // What the source refused is still in the target, and goes back when it is asked for again.
                    world.undo_again(moved, &told, 1).await;
                })
                .await;
                let counted = match (moved, fault) {
                    (Moved::Archived | Moved::ToLog, Fault::Settle(_)) | (Moved::Copied, Fault::Publish(_)) => 0,
                    _ => 3,
                };
                assert!(runs >= counted, "{profile:?} {moved:?} {fault:?} struck only {runs} times");
            }
        }
    }
}

/// A replay that is killed at the nth event of its journal, after which somebody puts the first message behind the others;
/// its resume, which numbers them in another order than the first run did; and its undo. Whether it was killed.
async fn renumbered(due: u64) -> bool {
    let world = World::unmoved(Profile::RabbitClassic, Profile::RabbitClassic);
    let probe = Probe::new(Trouble::Killed, due);
    let journals = probe.watch(Journals::at(world.folder.path().join("journal")).ids(|_| RUN.into()));
    let (control, to) = (world.control(), ReplayTo::Place(Box::new(world.at("demo:to"))));
    let request = ReplayRequest { mode: Mode::Streaming, ..ReplayRequest::all(world.at("demo:from"), to) };
    let prepared = replay::plan(request, &control).await.unwrap();
    tokio::select! {
        biased;
        () = probe.killed() => {}
        _ = Box::pin(replay::run(prepared, &journals, &control)) => {}
    }
    if !probe.struck() {
        assert_eq!(world.bodies("from").len(), 0);
        return false;
    }
    world.memory.disconnect();
    world.let_go().await;
    for first in world.memory.consume("from", 1).unwrap() {
        let headers = first.headers.clone();
        world.memory.publish("from", Message { headers, payload: first.payload, ..Message::default() }).unwrap();
    }
    world.resume().await;
    if world.journals().list().unwrap().0.is_empty() {
        assert!(world.bodies("to").is_empty(), "killed at event {due}, and there is no journal");
        return true;
    }
    let sorted = |mut bodies: Vec<String>| {
        bodies.sort_unstable();
        bodies
    };
    let moved = sorted([world.bodies("from"), world.bodies("to")].concat());
    world.undo().await.unwrap();
    let back = sorted([world.bodies("from"), world.bodies("to")].concat());
    assert_eq!(back, moved, "killed at event {due}");
    for message in world.memory.snapshot("from").unwrap() {
        let is_capital = message.body()[0].is_ascii_uppercase();
        assert_eq!(message.headers.get("MT-Reason").is_some(), is_capital, "killed at event {due}: {message:?}");
    }
    true
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_original_that_was_kept_for_a_number_is_never_put_back_as_the_message_that_got_it_later() {
    let mut due = 1;
    while Box::pin(renumbered(due)).await {
        due += 1;
    }
    assert!(due > 10, "killed only {} times", due - 1);
}

/// An undo that is killed at the nth event of its journal, its resume, and the undo of what is left. Whether it was killed.
async fn killed(moved: Moved, due: u64) -> bool {
    let world = World::new(Profile::RabbitClassic, moved).await;
    let probe = Probe::new(Trouble::Killed, due);
    let journals = probe.watch(world.journals());
    tokio::select! {
        biased;
        () = probe.killed() => {}
        _ = Box::pin(world.undo_with(&journals)) => {}
    }
    world.memory.disconnect();
    world.let_go().await;
    let told = format!("{moved:?} killed at event {due} of the undo's journal");
    world.check_nothing_is_lost(&told);
    world.resume().await;
    world.check_nothing_is_lost(&told);
    world.undo_again(moved, &told, 1).await;
    probe.struck()
}

#[tokio::test(start_paused = true)]
async fn a_kill_in_the_journal_of_an_undo_loses_nothing_and_hides_no_duplicate() {
    for moved in [Moved::Replayed, Moved::ToQueue, Moved::Archived, Moved::ToLog, Moved::Copied] {
        let mut due = 1;
        while Box::pin(killed(moved, due)).await {
            due += 1;
        }
        assert!(due > 10, "{moved:?}: killed only {} times", due - 1);
    }
}

/// An undo with a pair of faults, its resume, and the undo of what is left.
async fn attempt(profile: Profile, moved: Moved, pair: Pair) -> u64 {
    let mut world = World::new(profile, moved).await;
    world.jumps = pair.jumps;
    let told = format!("{profile:?} {moved:?} {pair:?}");
    world.memory.arm(pair.first.0, pair.first.1);
    if pair.at == Second::Same {
        world.memory.arm(pair.second.0, pair.second.1);
    }
    tokio::select! {
        biased;
        () = world.memory.killed() => {}
        _ = Box::pin(world.undo()) => {}
    }
    world.memory.disarm();
    world.let_go().await;
    world.check_nothing_is_lost(&told);
    if pair.at == Second::Next {
        world.memory.arm(pair.second.0, pair.second.1);
        tokio::select! {
            biased;
            () = world.memory.killed() => {}
            () = Box::pin(world.resume_once()) => {}
        }
        world.memory.disarm();
        world.let_go().await;
        world.check_nothing_is_lost(&told);
    }
    world.resume().await;
    world.undo_again(moved, &told, 2).await;
    world.memory.fired()
}

#[test]
fn no_pair_of_faults_of_an_undo_loses_a_message_or_hides_a_duplicate() {
    let profiles = vec![Profile::RabbitClassic, Profile::RabbitQuorum43, Profile::RabbitQuorum40];
    let moved = vec![Moved::Replayed, Moved::ToQueue, Moved::Archived, Moved::ToLog, Moved::Copied];
    let worlds = (proptest::sample::select(profiles), proptest::sample::select(moved), pair(30));
    draw(200, &worlds, async |(profile, moved, pair)| attempt(profile, moved, pair).await);
}
