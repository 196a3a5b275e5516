//! Losing a message, tried in every way: a fault at each event of each writing verb, then what an operator does next.
//!
//! The invariant: source, target and archive together hold every message that was there, and one that is there twice
//! was reported as ambiguous.

mod away;
mod clock;
mod journal;
mod pairs;
mod undo;

pub(super) use self::pairs::jumping;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use postroom::broker::archive::Archive;
use postroom::broker::memory::{Due, Fault, Memory, Profile, QueueSpec, at_each};
use postroom::broker::{Address, Broker, BrowseOptions};
use postroom::config::Policy;
use postroom::message::Message;
use postroom::operation::control::{Clock, Control};
use postroom::operation::drain::{self, DrainRequest, DrainTo};
use postroom::operation::journal::{JournalState, Journals, Summary};
use postroom::operation::place::Place;
use postroom::operation::plan::{Mode, Pace, Verb};
use postroom::operation::replay::{self, ReplayRequest, ReplayTo};
use postroom::operation::report::{Ended, OutcomeLine, Report};
use postroom::operation::resume::{self, Opener};
use postroom::operation::select::Selection;
use postroom::{ErrorKind, Result};

/// What is done in one case.
#[derive(Clone, Copy, Debug)]
struct Case {
    profile: Profile,
    verb: What,
    mode: Mode,
    filter: Option<&'static str>,
    /// Every message is equal to some other.
    twins: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Replay,
    Copy,
    Drain,
    /// A drain to another queue.
    Move,
    /// A replay that parks what was replayed too often: `b` and `d`.
    Park,
    /// A replay key by key: those with equal bodies one after the other, two in flight.
    PerKey,
    /// A replay of which each `c` goes first, for it vanishes soon.
    First,
    /// A ramp, watched at each step: a consumer takes every copy, and refuses each `b`.
    Steps,
    /// A ramp that stops by itself at the first copy that comes back.
    Stops,
    /// The same key by key, at most two copies not consumed.
    Rounds,
}

/// One try in a world of its own.
struct World {
    memory: Memory,
    folder: tempfile::TempDir,
    case: Case,
    /// Resumes may put messages back as new copies.
    rescue: bool,
    /// The clock of runs and resumes jumps to and fro.
    jumps: bool,
    /// The clock that they go by else; the machine's where there is none.
    clock: Option<Clock>,
    outcomes: Arc<Mutex<Vec<OutcomeLine>>>,
    /// What the consumer has taken.
    consumed: Arc<Mutex<Vec<String>>>,
    consumer: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(consumer) = &self.consumer {
            consumer.abort();
        }
    }
}

#[async_trait::async_trait]
impl Opener for World {
    async fn place(&self, address: &Address) -> Result<Place> {
        Ok(self.at(&address.to_string()))
    }
}

/// A folder in memory where the machine has one: what is tested writes to disk thousands of times.
fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

const BODIES: [&str; 7] = ["a", "b", "c", "d", "e", "f", "g"];
/// What was replayed too often.
const LOOPS: [&str; 2] = ["b", "d"];
const TWINS: [&str; 7] = ["a", "b", "a", "a", "c", "b", "c"];

impl World {
    const JOURNAL: &str = "20260302-101112-test";

    fn new(case: Case) -> Self {
        Self::with(case, QueueSpec::new("from", case.profile))
    }

    /// One in which the first kill brings what was held to its delivery limit.
    fn limited(case: Case) -> Self {
        let limited = QueueSpec::new("from", case.profile).delivery_limit(1);
        let mut world = Self::with(case, limited);
        world.rescue = true;
        world
    }

    fn with(case: Case, source: QueueSpec) -> Self {
        let target = if case.profile == Profile::Kafka { Profile::Kafka } else { Profile::RabbitClassic };
        let target = QueueSpec::new("to", target);
        let target = if case.is_watched() { target.consumers(1).dead_letter_to("from") } else { target };
        let memory = Memory::builder().queue(source).queue(target);
        let memory = memory.queue(QueueSpec::new("parked", Profile::RabbitQuorum43)).build();
        let mut world = Self {
            memory,
            folder: folder(),
            case,
            rescue: false,
            jumps: false,
            clock: None,
            outcomes: Arc::default(),
            consumed: Arc::default(),
            consumer: None,
        };
        world.consumer = case.is_watched().then(|| world.consume());
        for body in world.bodies() {
            let mut message = Message { payload: Some((*body).into()), ..Message::default() };
            if case.verb == What::Park && LOOPS.contains(body) {
                message.headers.push("postroom-replay-count", 3);
            }
            if case.verb == What::First && *body == "c" {
                // Five minutes from now, which stands still in the demo.
                message.properties.push("timestamp", postroom::broker::memory::demo::NOW.as_second());
                message.properties.push("expiration", "300000");
            }
            world.memory.publish("from", message).unwrap();
        }
        world
    }

    /// An application that takes every copy and refuses each `b`.
    fn consume(&self) -> tokio::task::JoinHandle<()> {
        let (memory, consumed) = (self.memory.clone(), Arc::clone(&self.consumed));
        tokio::spawn(async move {
            loop {
                let next =
                    memory.snapshot("to").unwrap().first().map(|m| String::from_utf8_lossy(m.body()).into_owned());
                match next {
                    Some(body) if body == "b" => memory.reject("to", 1).unwrap(),
                    Some(body) => {
                        // Seen before it is gone: a check in between sees it twice, and never not at all.
                        consumed.lock().unwrap().push(body);
                        _ = memory.consume("to", 1).unwrap();
                    }
                    None => tokio::time::sleep(std::time::Duration::from_micros(200)).await,
                }
            }
        })
    }

    /// Until the consumer has taken what there is.
    async fn quiet(&self) {
        while self.case.is_watched() && !self.memory.snapshot("to").unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
    }

    fn bodies(&self) -> &'static [&'static str] {
        if self.case.twins { &TWINS } else { &BODIES }
    }

    fn at(&self, address: &str) -> Place {
        Place { address: address.parse().unwrap(), broker: Arc::new(self.memory.clone()), policy: Policy::default() }
    }

    fn journals(&self) -> Journals {
        Journals::at(self.folder.path().join("journal")).ids(|_| Self::JOURNAL.into())
    }

    fn archive(&self) -> std::path::PathBuf {
        self.folder.path().join("archive.jsonl")
    }

    fn control(&self) -> Control {
        let outcomes = Arc::clone(&self.outcomes);
        // Small batches: what is under way, confirmed, removed and still to come at once is what faults are about.
        let control = Control::new().batch(2).settle(std::time::Duration::from_millis(2));
        let clock = if self.jumps { Some(jumping()) } else { self.clock.clone() };
        let control = clock.into_iter().fold(control, Control::clock);
        control.on_outcome(move |line| outcomes.lock().unwrap().push(line))
    }

    fn selection(&self) -> Selection {
        Selection::parse(self.case.filter, None, jiff::Timestamp::UNIX_EPOCH, &std::sync::Arc::default()).unwrap()
    }

    /// The verb, from the plan to the report.
    async fn act(&self, journals: &Journals) -> Result<Report> {
        self.act_with(journals, &self.control()).await
    }

    async fn act_with(&self, journals: &Journals, control: &Control) -> Result<Report> {
        let (source, selection, mode) = (self.at("demo:from"), self.selection(), self.case.mode);
        match self.case.verb {
            What::Drain => {
                let to = DrainTo::Archive(self.archive());
                let request = DrainRequest { source, to, selection, limit: None, rescue: false, mode, undoes: None };
                drain::run(drain::plan(request, control).await?, journals, control).await
            }
            What::Move => {
                let to = ReplayTo::Place(Box::new(self.at("demo:to")));
                let request = ReplayRequest {
                    verb: Verb::Drain,
                    selection,
                    mode,
                    reason: Some("poison".into()),
                    ..ReplayRequest::all(source, to)
                };
                replay::run(replay::plan(request, control).await?, journals, control).await
            }
            What::Park => {
                let to = ReplayTo::Place(Box::new(self.at("demo:to")));
                let park = Some(Box::new(self.at("demo:parked")));
                let request =
                    ReplayRequest { selection, mode, max_replays: Some(3), park, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, control).await?, journals, control).await
            }
            What::PerKey | What::First | What::Steps | What::Stops | What::Rounds => {
                let to = ReplayTo::Place(Box::new(self.at("demo:to")));
                let verb = self.case.verb;
                let watched = Pace { verify_s: Some(10.0), max_failures: Some(100), ..Pace::default() };
                let (per_key, max_in_flight) = (Some("body".to_owned()), Some(2));
                let pace = match verb {
                    What::Steps => Pace { ramp: vec![1, 2], ..watched },
                    What::Stops => Pace { ramp: vec![1, 2], max_failures: None, ..watched },
                    What::Rounds => Pace { per_key, max_in_flight, ..watched },
                    What::First => Pace { expiring_first: true, ..Pace::default() },
                    _ => Pace { per_key, max_in_flight, ..Pace::default() },
                };
                let request = ReplayRequest { selection, mode, pace, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, control).await?, journals, control).await
            }
            What::Replay | What::Copy => {
                let to = ReplayTo::Place(Box::new(self.at("demo:to")));
                let keep = self.case.verb == What::Copy;
                let request = ReplayRequest { selection, keep, mode, ..ReplayRequest::all(source, to) };
                replay::run(replay::plan(request, control).await?, journals, control).await
            }
        }
    }

    /// Resumes until nothing is left to resume, as an operator would.
    async fn resume(&self) -> Option<Report> {
        let journals = self.journals();
        let mut last = None;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while std::time::Instant::now() < deadline {
            self.let_go().await;
            let Ok(id) = journals.newest_unfinished() else { return last };
            let control = self.control();
            match resume::prepare(&id, &journals, self).await {
                Ok(prepared) => {
                    match resume::run(prepared.rescue(self.rescue).doubtful(self.jumps), &journals, &control).await {
                        Ok(report) => last = Some(report),
                        // So does the thread that wrote the archive.
                        Err(error) if error.kind() == ErrorKind::Locked => tokio::task::yield_now().await,
                        Err(error) => panic!("{error:?}"),
                    }
                }
                Err(error) => panic!("{error:?}"),
            }
        }
        panic!("still unfinished: {:?}\n{last:#?}", journals.list().unwrap().0);
    }

    /// One resume, whatever comes of it.
    async fn resume_once(&self, journals: &Journals) {
        let Ok(id) = journals.newest_unfinished() else { return };
        if let Ok(prepared) = resume::prepare(&id, journals, self).await {
            _ = Box::pin(resume::run(prepared.rescue(self.rescue), journals, &self.control())).await;
        }
    }

    /// A killed run's journal thread lets go of the lock a moment later.
    async fn let_go(&self) {
        let running = |summary: &Summary| summary.state == JournalState::Running;
        while self.journals().list().unwrap().0.iter().any(running) {
            tokio::task::yield_now().await;
        }
    }

    /// What has to be in the target, the archive and the place to park in at the end.
    fn wanted(&self) -> Vec<&'static str> {
        let matches = |body: &&str| self.case.filter.is_none() || !["b", "d"].contains(body);
        let (parked, sent): (Vec<_>, Vec<_>) = self
            .bodies()
            .iter()
            .copied()
            .filter(matches)
            .partition(|body| self.case.verb == What::Park && LOOPS.contains(body));
        [sent, parked].concat()
    }

    /// Where copies can be, in the order of [`World::wanted`].
    async fn copies(&self) -> Vec<String> {
        self.quiet().await;
        let consumed = self.consumed.lock().unwrap().clone();
        [consumed, self.snapshot("to"), self.archived().await, self.snapshot("parked")].concat()
    }

    async fn archived(&self) -> Vec<String> {
        if !self.archive().exists() {
            return Vec::new();
        }
        let path = self.archive().display().to_string();
        let mut reader = Archive::new().browse(&path, BrowseOptions::default()).await.unwrap();
        let mut bodies = Vec::new();
        loop {
            let batch = reader.next_batch(100).await.unwrap();
            bodies.extend(batch.deliveries.iter().map(|d| String::from_utf8_lossy(d.message.body()).into_owned()));
            if batch.end.is_some() {
                return bodies;
            }
        }
    }

    fn snapshot(&self, queue: &str) -> Vec<String> {
        let messages = self.memory.snapshot(queue).unwrap();
        messages.iter().map(|message| String::from_utf8_lossy(message.body()).into_owned()).collect()
    }

    async fn check(&self, told: &str) {
        self.check_after(told, 1).await;
    }

    /// Every message is somewhere; what is there more than once, at most once more for each kill, was told.
    async fn check_after(&self, told: &str, kills: i64) {
        let target = self.copies().await;
        let source = self.snapshot("from");
        let mut counts: BTreeMap<&str, [i64; 3]> = BTreeMap::new();
        for body in self.bodies() {
            counts.entry(body).or_default()[0] += 1;
        }
        for (place, bodies) in [(1, &source), (2, &target)] {
            for body in bodies {
                counts.entry(body).or_default()[place] += 1;
            }
        }
        let log_drain = matches!(self.case, Case { profile: Profile::Kafka, verb: What::Drain | What::Move, .. });
        let journals = self.journals().list().unwrap().0;
        let sum = |of: fn(&Summary) -> u64| i64::try_from(journals.iter().map(of).sum::<u64>()).unwrap();
        let (ambiguous, skipped) = (sum(|run| run.ambiguous), sum(|run| run.skipped));
        let (mut twice, mut staying) = (0, 0);
        for (body, [there, left, copied]) in counts {
            if self.case.keeps() {
                assert_eq!(left, there, "{told}: a copy changed the source: {body}: {source:?} {target:?}");
                twice += (copied - there).max(0);
            } else {
                assert!(left + copied >= there, "{told}: {body} is lost: {source:?} {target:?}");
                // What a log can't give up stays beside its copy and is told as such; it may be sent twice as well.
                let stays = if log_drain { left + copied.min(there) - there } else { 0 };
                (twice, staying) = (twice + left + copied - there - stays, staying + stays);
            }
        }
        let all = self.journals().list().unwrap().0;
        let log = self.journals().folder().join(Self::JOURNAL).join("log.jsonl");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        assert!(
            twice <= ambiguous * kills,
            "{told}: {twice} twice, {ambiguous} told: {source:?} {target:?} {all:#?}\n{log}"
        );
        // One that is there twice seems to stay twice, where it has equals.
        assert!(
            staying <= ambiguous * kills + skipped,
            "{told}: {staying} stay: {source:?} {target:?} {all:#?}\n{log}"
        );
        assert_eq!(self.memory.held("from").unwrap(), [], "{told}: something is still held");
        assert!(self.memory.destroyed().is_empty(), "{told}: {:?}", self.memory.destroyed());
    }
}

impl Case {
    /// Whether the source keeps its messages: a copy, and any replay from a log.
    fn keeps(&self) -> bool {
        self.verb == What::Copy || (matches!(self.verb, What::Replay | What::PerKey) && self.profile == Profile::Kafka)
    }

    /// Whether somebody consumes the copies.
    fn is_watched(&self) -> bool {
        matches!(self.verb, What::Steps | What::Stops | What::Rounds)
    }

    fn is_classic(&self) -> bool {
        self.profile == Profile::RabbitClassic
    }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let profiles = [Profile::RabbitClassic, Profile::RabbitQuorum43, Profile::Kafka, Profile::RabbitQuorum40];
    for verb in [What::Replay, What::Copy, What::Drain, What::Move, What::Park] {
        // The last two differ from a replay in what they send, not in how.
        let some = match verb {
            What::Move => 3,
            What::Park => 1,
            _ => profiles.len(),
        };
        for profile in profiles.into_iter().take(some) {
            for mode in [Mode::Streaming, Mode::Exact] {
                for (filter, twins) in [(None, true), (Some("body~[^bd]"), false)] {
                    cases.push(Case { profile, verb, mode, filter, twins });
                }
            }
        }
    }
    for profile in profiles.into_iter().take(3) {
        cases.push(Case { profile, verb: What::PerKey, mode: Mode::Exact, filter: None, twins: true });
    }
    for (profile, twins) in [(Profile::RabbitClassic, true), (Profile::RabbitQuorum43, false)] {
        cases.push(Case { profile, verb: What::First, mode: Mode::Exact, filter: None, twins });
    }
    cases
}

/// Runs that are watched, which take their time.
fn watched() -> Vec<Case> {
    let case = |profile, verb, mode| Case { profile, verb, mode, filter: None, twins: true };
    vec![
        case(Profile::RabbitClassic, What::Steps, Mode::Streaming),
        case(Profile::RabbitQuorum43, What::Steps, Mode::Exact),
        case(Profile::RabbitClassic, What::Rounds, Mode::Exact),
    ]
}

/// Runs that stop by themselves, and that the operator lets go on.
fn stopping() -> Vec<Case> {
    let case = |profile, mode| Case { profile, verb: What::Stops, mode, filter: None, twins: true };
    vec![case(Profile::RabbitClassic, Mode::Streaming), case(Profile::RabbitQuorum43, Mode::Exact)]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_fault_a_watched_run_ends_with_every_copy_consumed_or_back() {
    for case in watched() {
        let world = World::new(case);
        let report = world.act(&world.journals()).await.unwrap();
        let told = format!("{case:?} {report:#?}");
        assert_eq!((report.state, report.ambiguous, report.failed), (Ended::Finished, 0, 0), "{told}");
        world.quiet().await;
        let mut consumed = world.consumed.lock().unwrap().clone();
        consumed.sort_unstable();
        assert_eq!(consumed, ["a", "a", "a", "c", "c"], "{told}");
        assert_eq!(world.snapshot("from"), ["b", "b"], "{told}");
        // One came back, so the other of its key did not go.
        let (done, skipped) = if case.verb == What::Rounds { (6, 1) } else { (7, 0) };
        assert_eq!((report.done, report.skipped), (done, skipped), "{told}");
        assert_eq!(report.bounced(), done - 5, "{told}");
        world.check(&told).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_single_fault_of_a_watched_run_loses_a_message_or_hides_a_duplicate() {
    for case in watched() {
        for fault in Fault::ALL {
            let runs = survives(case, fault).await;
            assert!(runs >= 3, "{case:?} {fault:?} struck only {runs} times");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_fault_everything_arrives_once_and_in_order() {
    for case in cases() {
        let world = World::new(case);
        let report = world.act(&world.journals()).await.unwrap();
        assert_eq!((report.state, report.ambiguous, report.failed), (Ended::Finished, 0, 0), "{case:?} {report:#?}");
        let (mut wanted, mut target) = (world.wanted(), world.copies().await);
        if case.verb == What::PerKey {
            // Only those of one key keep their order.
            wanted.sort_unstable();
            target.sort_unstable();
        }
        if case.verb == What::First {
            // The rest keeps its order.
            wanted.sort_by_key(|body| *body != "c");
        }
        assert_eq!(target, wanted, "{case:?}");
        let stays = if case.profile == Profile::Kafka { report.skipped } else { 0 };
        assert_eq!(report.done + stays, wanted.len() as u64, "{case:?} {report:#?}");
        assert_eq!(world.outcomes.lock().unwrap().len(), wanted.len());
        world.check(&format!("{case:?}")).await;
    }
}

/// One fault at the nth event, and then what an operator does.
async fn strike(due: &Due<'_>, world: &World) -> String {
    let journals = world.journals();
    let done = Box::pin(due.strike(&world.memory, world.act(&journals))).await;
    let told = format!("{:?} event {} at {:?}", world.case, due.nth(), world.memory.stopped_at());
    match done {
        Some(Ok(report)) => told + &format!(" {:?} {:?}", report.state, report.error),
        Some(Err(error)) => told + &format!(" {error:?}"),
        None => told + " killed",
    }
}

/// Strikes at each event in turn, resumes, and looks for every message; how many runs that took.
async fn survives(case: Case, fault: Fault) -> u64 {
    at_each(fault, async |due| {
        let world = World::new(case);
        let told = Box::pin(strike(&due, &world)).await;
        world.check_now(&told);
        let resumed = world.resume().await;
        let told = format!("{told} then {:?}", resumed.map(|report| report.state));
        world.check(&told).await;
        if fault == Fault::Disconnect {
            let runs = world.journals().list().unwrap().0;
            assert!(runs.iter().all(|run| run.failed == 0), "{told}: a broker that was away is no refusal: {runs:#?}");
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_single_fault_loses_a_message_or_hides_a_duplicate() {
    for case in cases() {
        for fault in Fault::ALL {
            let runs = survives(case, fault).await;
            let counted = match (fault, case.verb) {
                (Fault::Publish(_), What::Drain) => 0,
                (Fault::Settle(_), _) if case.keeps() => 0,
                // A log settles what goes together in one step.
                (Fault::Settle(_), _) if case.profile == Profile::Kafka => 1,
                _ => 3,
            };
            assert!(runs >= counted, "{case:?} {fault:?} struck only {runs} times");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_during_the_run_and_another_during_the_resume_lose_nothing() {
    for case in cases().into_iter().filter(|case| case.is_classic() && case.mode == Mode::Streaming) {
        let mut first = 1;
        loop {
            let mut struck = false;
            at_each(Fault::Kill, async |second| {
                let world = World::new(case);
                world.memory.arm(Fault::Kill, first);
                let journals = world.journals();
                tokio::select! {
                    biased;
                    () = world.memory.killed() => struck = true,
                    _ = Box::pin(world.act(&journals)) => {}
                }
                world.memory.disarm();
                world.let_go().await;
                let told = format!("{case:?} killed at {first}, then at {}", second.nth());
                if second.strike(&world.memory, Box::pin(world.resume())).await.is_none() {
                    world.check_now(&told);
                }
                world.resume().await;
                world.check_after(&told, 2).await;
            })
            .await;
            if !struck {
                break;
            }
            // Every third is enough here: each is tried alone above.
            first += 3;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_that_bring_messages_to_their_delivery_limit_lose_nothing() {
    let counts = |case: &Case| matches!(case.profile, Profile::RabbitQuorum40 | Profile::RabbitQuorum43);
    for case in cases().into_iter().filter(|case| counts(case) && !case.keeps()) {
        let mut rescued = 0;
        at_each(Fault::Kill, async |due| {
            let world = World::limited(case);
            let told = Box::pin(strike(&due, &world)).await;
            world.check_now(&told);
            let resumed = Box::pin(world.resume()).await;
            rescued += u64::from(resumed.iter().flat_map(|report| &report.notes).any(|note| note.contains("copies")));
            world.check(&format!("{told} then {:?}", resumed.map(|report| report.state))).await;
        })
        .await;
        assert!(rescued > 3, "{case:?}: {rescued} resumes met messages at their limit");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_archive_that_is_in_the_way_names_the_drain_that_was_cut_short() {
    let (profile, verb, mode) = (Profile::RabbitClassic, What::Drain, Mode::Streaming);
    let world = World::new(Case { profile, verb, mode, filter: None, twins: false });
    world.memory.arm(Fault::Kill, 12);
    let journals = world.journals();
    tokio::select! {
        biased;
        () = world.memory.killed() => {}
        _ = Box::pin(world.act(&journals)) => panic!("the drain was not killed"),
    }
    world.memory.disarm();
    world.let_go().await;
    assert!(world.archive().exists());
    let refused = world.act_with(&journals, &world.control().journals(world.journals())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused);
    let hint = refused.hint_text().unwrap();
    assert!(hint.contains(&format!("postroom journal resume {}", World::JOURNAL)), "{hint}");
}

impl World {
    /// Before the resume only loss counts.
    fn check_now(&self, told: &str) {
        // In the order in which the consumer moves them: from the target, into its hands, or back into the source.
        let there = [
            self.snapshot("to"),
            self.consumed.lock().unwrap().clone(),
            self.snapshot("from"),
            self.memory.held("from").unwrap().iter().map(|m| String::from_utf8_lossy(m.body()).into_owned()).collect(),
            self.snapshot("parked"),
            self.archived_or_torn(),
        ]
        .concat();
        for body in self.bodies() {
            let count = |all: &[String]| all.iter().filter(|b| b == body).count();
            let had = self.bodies().iter().filter(|b| *b == body).count();
            assert!(count(&there) >= had, "{told}: {body} is lost before the resume: {there:?}");
        }
    }

    /// What the archive's whole lines hold.
    fn archived_or_torn(&self) -> Vec<String> {
        read_lines(&self.archive())
    }
}

fn read_lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split_inclusive('\n')
        .filter_map(|line| postroom::message::jsonl::read_line(line.as_bytes()).ok())
        .map(|message| String::from_utf8_lossy(message.body()).into_owned())
        .collect()
}
