//! Clocks that are set, by hours, backwards and forwards: ours between the plan, the run and its resume, and a broker's in the
//! middle of a run, so that all its leases end at once. That ours jumps within a run is among the pairs of faults. Paces and
//! waits go by a clock that nobody can set.

use jiff::{SignedDuration, Timestamp};
use postroom::broker::memory::{self, Profile, QueueSpec};
use postroom::message::Message;

use super::*;

/// Of the clock, in hours.
const JUMPS: [i64; 3] = [-30, 5, 30];

fn now() -> Timestamp {
    "2026-03-02T10:11:12Z".parse().unwrap()
}

fn later(hours: i64) -> Timestamp {
    now() + SignedDuration::from_hours(hours)
}

/// A world whose clocks show [`now`], with a broker by that clock.
fn world(case: Case, clock: memory::Clock) -> World {
    // Its messages come later: a FIFO queue wants more of them than others.
    let mut world = World::new(Case { profile: Profile::RabbitClassic, ..case });
    world.case = case;
    // A deduplication id has no place in AMQP.
    let to = if case.profile == Profile::SqsFifo { case.profile } else { Profile::RabbitClassic };
    let target = QueueSpec::new("to", to);
    let parked = QueueSpec::new("parked", Profile::RabbitQuorum43);
    let memory = Memory::builder().clock(clock).queue(QueueSpec::new("from", case.profile));
    world.memory = memory.queue(target).queue(parked).build();
    world.clock = Some(Clock::fixed(now()));
    world
}

/// A replay of what is older than two hours, planned now, begun some hours later and killed anywhere, and resumed at yet
/// another time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_jump_before_the_run_or_before_its_resume_does_not_change_what_is_moved() {
    for (mode, begun, resumed) in [Mode::Streaming, Mode::Exact]
        .into_iter()
        .flat_map(|mode| JUMPS.map(|hours| [(mode, 0, hours), (mode, hours, 0)]).concat())
    {
        let (profile, verb) = (Profile::RabbitClassic, What::Replay);
        let case = Case { profile, verb, mode, filter: Some("age>2h"), twins: false };
        let runs = at_each(Fault::Kill, async |due| {
            let mut world = world(case, memory::Clock::fixed(now()));
            for (n, body) in world.bodies().iter().enumerate() {
                let mut message = Message { payload: Some((*body).into()), ..Message::default() };
                let hours = if n % 2 == 0 { -3 } else { -1 };
                message.properties.push("timestamp", later(hours).as_second());
                world.memory.publish("from", message).unwrap();
            }
            let journals = world.journals();
            let act = async {
                let to = ReplayTo::Place(Box::new(world.at("demo:to")));
                let selection = Selection::parse(case.filter, None, now(), &Arc::default()).unwrap();
                let request = ReplayRequest { selection, mode, ..ReplayRequest::all(world.at("demo:from"), to) };
                let prepared = replay::plan(request, &world.control()).await?;
                let control = world.control().clock(Clock::fixed(later(begun)));
                replay::run(prepared, &journals, &control).await
            };
            let killed = Box::pin(due.strike(&world.memory, act)).await.is_none();
            let told = format!("{mode:?} begun {begun} h later, killed ({killed}) at {}", due.nth());
            world.clock = Some(Clock::fixed(later(resumed)));
            let report = world.resume().await;
            assert!(report.as_ref().is_none_or(|report| report.elapsed_s >= 0.0), "{told}");
            let (moved, left) = (world.snapshot("to"), world.snapshot("from"));
            let told = format!("{told}, resumed {resumed} h later: {moved:?} {left:?} {report:#?}");
            assert!(!["b", "d", "f"].iter().any(|young| moved.iter().any(|body| body == young)), "{told}");
            assert!(world.bodies().iter().all(|body| moved.iter().chain(&left).any(|there| there == body)), "{told}");
            let unmoved = ["a", "c", "e", "g"].iter().filter(|old| !moved.iter().any(|body| body == **old)).count();
            // Killed before there was a journal, nothing is to be resumed.
            let failed = report.map_or(unmoved as u64, |report| report.failed);
            assert!(unmoved as u64 <= failed && (killed || unmoved == 0), "{told}");
        })
        .await;
        assert!(runs > 10, "{mode:?}: only {runs} kills");
    }
}

/// The broker believes that hours have passed, or that it is hours earlier, when the nth message is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_whose_clock_jumps_while_it_leases_messages_to_a_run_costs_none() {
    for (profile, verb) in [Profile::SqsStandard, Profile::SqsFifo]
        .into_iter()
        .flat_map(|profile| [What::Replay, What::Drain].map(|verb| (profile, verb)))
    {
        for (hours, nth) in JUMPS.into_iter().flat_map(|hours| (1..=BODIES.len()).map(move |nth| (hours, nth))) {
            let clock = memory::Clock::fixed(now());
            let mut world =
                world(Case { profile, verb, mode: Mode::Streaming, filter: None, twins: false }, clock.clone());
            for body in world.bodies() {
                let mut message = Message { payload: Some((*body).into()), ..Message::default() };
                if profile == Profile::SqsFifo {
                    message.key = Some((*body).into());
                    message.properties.push("message_deduplication_id", *body);
                }
                world.memory.publish("from", message).unwrap();
            }
            let done = Mutex::new(0);
            let broker = clock.clone();
            let control = world.control().on_outcome(move |_| {
                let mut done = done.lock().unwrap();
                *done += 1;
                if *done == nth {
                    broker.set(later(hours));
                }
            });
            let report = world.act_with(&world.journals(), &control).await.unwrap();
            assert_eq!(clock.now(), later(hours), "it has not jumped");
            let told = format!("{profile:?} {verb:?} {hours} h at {nth}: {:?} {:?}", report.state, report.error);
            // What the run could not give back or remove comes back when its lease ends.
            clock.set(later(31));
            world.clock = Some(Clock::fixed(later(31)));
            world.resume().await;
            world.check(&told).await;
            let mut copies = world.copies().await;
            copies.sort_unstable();
            copies.dedup();
            assert_eq!(copies, BODIES, "{told}");
        }
    }
}
