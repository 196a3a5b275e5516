//! The screens, driven by keys and without a terminal, on the demo: an incident from the start to the receipt, every
//! screen and dialog, every size, and whatever else fingers do.

use std::path::Path;

use postroom::broker::memory::demo;
use postroom::broker::{Address, Connection};
use postroom::config::Environment;
use postroom::message::Value;
#[cfg(feature = "jq")]
use postroom::message::fingerprint::NamedSchemas;
use postroom::operation::session::{Session, Start};
use postroom::tui::Headless;

use crate::environment::{NOW, TestEnvironment};

/// The screens with this config, with a state folder of their own.
pub(crate) fn configured(folder: &Path, text: &str, size: (u16, u16), variables: &[(&str, &str)]) -> Headless {
    let config = folder.join("config.toml");
    std::fs::write(&config, text).unwrap();
    let state = folder.display().to_string();
    let own = [("POSTROOM_STATE", state.as_str()), ("POSTROOM_NOW", NOW)];
    let environment = own.into_iter().chain(variables.iter().copied()).collect::<Environment>();
    let session = Session::open(Some(&config), environment).unwrap();
    Headless::open(session, &Start::default(), size.0, size.1).unwrap()
}

/// The screens over the demo.
fn open(folder: &tempfile::TempDir, width: u16, height: u16) -> Headless {
    configured(folder.path(), "", (width, height), &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_goes_from_the_queues_to_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.settle().await;
    let queues = screens.screen();
    assert!(queues.contains("postroom config init") && queues.contains("demo:orders.dlq"), "{queues}");

    // The price of the look is asked for before it; the largest cause is on top.
    screens.press("enter").await.unwrap();
    let price = screens.screen();
    assert!(price.contains("what this look costs") && price.contains("peek budget: 20"), "{price}");
    screens.press("enter").await.unwrap();
    let causes = screens.screen();
    let first = causes.lines().find(|line| line.contains("g-")).unwrap();
    assert!(first.contains("331") && first.contains("NullPointerException"), "{causes}");
    assert!(causes.contains("$ postroom groups demo:orders.dlq"), "{causes}");

    // Its messages, one of them, and back cost nothing: they were kept.
    screens.press("enter").await.unwrap();
    let list = screens.screen();
    assert!(list.contains("1 of 331 messages of 449") && list.contains("NullPointerException: Cannot"), "{list}");
    screens.press("enter").await.unwrap();
    let one = screens.screen();
    assert!(one.contains("[why it died]") && one.contains("frames of libraries"), "{one}");
    screens.press("tab").await.unwrap();
    assert!(screens.screen().contains("\"order_id\""), "{}", screens.screen());
    screens.press("esc esc").await.unwrap();

    // The plan is a dry run unless something else is chosen.
    screens.press("r").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Replay 331 of 449 messages in demo:orders.dlq, group g-"), "{sheet}");
    assert!(sheet.contains("[ dry run ]"), "{sheet}");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("Dry run: nothing was changed."));

    screens.press("r tab enter").await.unwrap();
    let receipt = screens.screen();
    assert!(receipt.contains("Replayed 331 messages") && receipt.contains("journal 20260302-150000-"), "{receipt}");
    assert!(receipt.contains("$ postroom replay demo:orders.dlq --group g-"), "{receipt}");
    screens.press("Y j").await.unwrap();
    assert!(screens.copied()[0].starts_with("postroom replay demo:orders.dlq --group g-"));
    assert!(screens.screen().contains("finished"), "{}", screens.screen());
    screens.press("esc esc H").await.unwrap();
    let journal = screens.screen();
    assert!(journal.contains("finished") && journal.contains("demo:orders.dlq"), "{journal}");
    screens.press("q").await.unwrap();
    assert!(screens.has_left());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_filter_shows_a_caret_and_a_good_one_finds_while_it_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 100, 30);
    screens.press("/").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter m enter").await.unwrap();
    assert!(screens.screen().contains("1 of 236 messages"), "{}", screens.screen());
    screens.press("/").await.unwrap();
    screens.type_in("clas:x");
    let bar = screens.screen();
    assert!(bar.contains("^^^^") && bar.contains("did you mean class:?"), "{bar}");
    // What is wrong is not taken, and what was there before comes back.
    screens.press("enter esc").await.unwrap();
    assert!(screens.screen().contains("1 of 236 messages"), "{}", screens.screen());
    screens.press("/").await.unwrap();
    screens.type_in("offset<0 or header.MT-");
    assert!(screens.screen().contains("header.MT-"), "{}", screens.screen());
    screens.press("tab esc / ctrl-u").await.unwrap();
    screens.type_in("body.message");
    screens.settle().await;
    let typed = screens.screen();
    assert!(typed.contains("body.message"), "{typed}");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("of 236"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_messages_are_what_an_act_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter space space r").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Replay 2 of 449 messages in demo:orders.dlq that match id="), "{sheet}");
    // A slower pace is planned anew; a run is stopped by nothing but the operator.
    screens.press("p").await.unwrap();
    screens.type_in("50");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("at most 50 messages a second") && sheet.contains("--rate 50"), "{sheet}");
    screens.press("esc").await.unwrap();
    assert!(screens.screen().contains("Nothing was changed."));
}

#[cfg(feature = "jq")]
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_shown_before_it_is_sent_and_a_bad_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter space r e").await.unwrap();
    screens.type_in(".body.currency = ");
    screens.press("enter").await.unwrap();
    // What does not compile is told where it stands; the sheet waits as it was.
    assert!(screens.screen().contains("the edit is not a jq program"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(screens.screen().contains("Replay 1 of 449 messages"), "{}", screens.screen());
    assert!(!screens.screen().contains("edits "), "{}", screens.screen());
    screens.press("e").await.unwrap();
    screens.type_in(".body.note = \"checked\"");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("edits   1 changed, 0 as they are"), "{sheet}");
    assert!(sheet.contains("+   \"note\": \"checked\""), "{sheet}");
    assert!(sheet.contains("--edit '.body.note ="), "{sheet}");
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("Replayed 1 message"), "{}", screens.screen());
}

#[cfg(feature = "jq")]
#[tokio::test(flavor = "multi_thread")]
async fn an_edit_by_hand_is_planned_with_its_difference() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter space space r E").await.unwrap();
    assert!(screens.edit(str::to_owned).await);
    assert!(screens.screen().contains("Nothing was changed in the editor."), "{}", screens.screen());
    screens.press("E").await.unwrap();
    assert!(screens.edit(|text| text.replacen("ORD-2026-047000", "ORD-0", 1)).await);
    let sheet = screens.screen();
    assert!(sheet.contains("edits   1 changed, 1 as they are"), "{sheet}");
    assert!(sheet.contains("ORD-0") && sheet.contains("--edit 'if .id =="), "{sheet}");
    // What can't be read back is told, and the sheet is as it was.
    screens.press("E").await.unwrap();
    assert!(screens.edit(|text| text.replace('{', "(")).await);
    assert!(screens.screen().contains("the edit can't be read"), "{}", screens.screen());
    assert!(screens.screen().contains("[ dry run ]"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_takes_fewer_is_saved_and_says_why_a_choice_is_none_here() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter r l").await.unwrap();
    screens.type_in("10");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Replay 10 messages in ") && sheet.contains(" --limit 10"), "{sheet}");
    let path = folder.path().join("ten.plan.json").display().to_string();
    for said in ["postroom plan run ", "already"] {
        screens.press("w ctrl-u").await.unwrap();
        screens.type_in(&path);
        screens.press("enter").await.unwrap();
        assert!(screens.screen().contains(said) && screens.screen().contains("[ dry run ]"), "{}", screens.screen());
    }
    let saved = std::fs::read_to_string(&path).unwrap();
    assert!(saved.contains("postroom.plan/1") && saved.matches("\"digest\"").count() == 10, "{saved}");
    // RabbitMQ has no partitions, and moves only a whole queue; help tells why, and goes back to the sheet.
    for (key, why) in
        [("P", "has no partitions"), ("S", "takes the whole queue as it is"), ("b", "drain to another queue")]
    {
        screens.press(key).await.unwrap();
        assert!(screens.screen().contains(why), "{}", screens.screen());
    }
    screens.press("?").await.unwrap();
    assert!(screens.screen().contains("(say first how"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(
        screens.screen().contains("[ dry run ]") && screens.screen().contains(" --limit 10"),
        "{}",
        screens.screen()
    );

    // Records of Kafka go to the partition that they came from, where that is asked for.
    screens.press("esc esc /").await.unwrap();
    screens.type_in("order-events-dlt$");
    screens.press("enter r P").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("$ postroom replay demo:order-events-dlt --same-partition"), "{sheet}");
    assert!(!sheet.contains("No plan"), "{sheet}");
    screens.press("n").await.unwrap();
    assert!(screens.screen().contains("the plan names each message already"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_vanish_before_its_turn_is_agreed_to_or_goes_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("/").await.unwrap();
    screens.type_in("shipping-labels-dlq$");
    screens.press("enter r L").await.unwrap();
    assert!(screens.screen().contains("let-expire: no message would vanish before its turn"), "{}", screens.screen());
    screens.press("p").await.unwrap();
    screens.type_in("0.01");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("✗ expiry: ") && sheet.contains("can be reached; L lets them go"), "{sheet}");
    assert!(sheet.contains("L let expire") && !sheet.contains("--rate 1 "), "{sheet}");
    screens.press("L").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("! expiry: ") && sheet.contains(" --rate 0.01 --let-expire"), "{sheet}");
    // It was agreed to for that pace: another one is seen first.
    screens.press("p ctrl-u").await.unwrap();
    screens.type_in("0.02");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("✗ expiry: ") && !sheet.contains("--let-expire"), "{sheet}");
    screens.press("esc").await.unwrap();

    // The last message of a queue that keeps an order vanishes in ten minutes.
    let mut late = demo::incident().snapshot("emails_error").unwrap().remove(0);
    late.properties = late.properties.iter().filter(|(name, _)| name != "timestamp").cloned().collect();
    late.properties.push("timestamp", Value::Int(demo::NOW.as_second()));
    late.properties.push("expiration", "600000");
    let address: Address = "demo:emails_error".parse().unwrap();
    let place = screens.session().places.open(&address).await.unwrap();
    let publisher = place.broker.publisher(address.target.as_ref().unwrap()).await.unwrap();
    publisher.publish(&[late]).await.remove(0).unwrap();
    publisher.close().await.unwrap();
    screens.press("/ ctrl-u").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter r X").await.unwrap();
    assert!(screens.screen().contains("expiring-first: no message would vanish"), "{}", screens.screen());
    screens.press("p").await.unwrap();
    screens.type_in("0.1");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("X sends those first, out of the queue's order, and none would be late"), "{sheet}");
    screens.press("X").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("--rate 0.1 --expiring-first") && sheet.contains("! expiring first: 1 message"), "{sheet}");
    screens.press("X").await.unwrap();
    assert!(!screens.screen().contains("--expiring-first"), "{}", screens.screen());
}

#[cfg(feature = "jq")]
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_its_schema_as_edited_is_sent_where_that_is_chosen() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("order.json");
    std::fs::write(&schema, r#"{"type":"object","properties":{"currency":{"type":"string"}}}"#).unwrap();
    let named = NamedSchemas { files: vec![format!("orders.dlq={}", schema.display())], registry: None };
    let state = folder.path().display().to_string();
    let environment = [("POSTROOM_STATE", state.as_str()), ("POSTROOM_NOW", NOW)].into_iter().collect::<Environment>();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "").unwrap();
    let session = Session::open(Some(&config), environment).unwrap().read_by(&named).unwrap();
    let mut screens = Headless::open(session, &Start::default(), 120, 40).unwrap();
    screens.press("m enter space r a").await.unwrap();
    assert!(screens.screen().contains("send-misfits: only what is edited"), "{}", screens.screen());
    for (program, why) in [(".body.currency = \"EUR\"", "no message was found"), (".body.currency = 7", "")] {
        screens.press("e ctrl-u").await.unwrap();
        screens.type_in(program);
        screens.press("enter").await.unwrap();
        if !why.is_empty() {
            screens.press("a").await.unwrap();
            assert!(screens.screen().contains(why), "{}", screens.screen());
        }
    }
    let sheet = screens.screen();
    assert!(sheet.contains("1 message stay: as edited it does not fit its schema"), "{sheet}");
    screens.press("a").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains(" --send-misfits") && sheet.contains("Replay 1 of 449 messages"), "{sheet}");
    assert!(sheet.contains("! schema: 1 message of those that are named here do not fit"), "{sheet}");
    // It was agreed to for that edit.
    screens.press("e ctrl-u").await.unwrap();
    screens.type_in(".body.currency = 8");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("currency = 8") && !sheet.contains("--send-misfits"), "{sheet}");
}

/// Makes the journal of a run say that the answer for its last message was lost.
fn lose_an_answer(folder: &Path) {
    let journals = std::fs::read_dir(folder.join("journal")).unwrap();
    let log = journals.last().unwrap().unwrap().path().join("log.jsonl");
    let lines = std::fs::read_to_string(&log).unwrap();
    let rewritten = lines.lines().map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut record = line["rec"].clone();
        if let Some(confirm) = record.get_mut("confirm") {
            assert_eq!(confirm["done"], serde_json::json!([[1, 2]]), "{confirm}");
            confirm["done"] = serde_json::json!([[1, 1]]);
            confirm["ambiguous"] = serde_json::json!([[2, "the answer was lost"]]);
        }
        let record = record.to_string();
        format!("{{\"crc\":\"{:08x}\",\"rec\":{record}}}\n", crc32fast::hash(record.as_bytes()))
    });
    std::fs::write(&log, rewritten.collect::<String>()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_in_doubt_are_settled_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter space space r t").await.unwrap();
    screens.type_in("demo:emails_error");
    screens.press("enter K tab enter").await.unwrap();
    assert!(screens.screen().contains("Replayed 2 messages"), "{}", screens.screen());
    screens.press("esc H d").await.unwrap();
    assert!(screens.screen().contains("doubtful: no answer about a message of it was lost"), "{}", screens.screen());
    lose_an_answer(folder.path());
    screens.press("ctrl-r r").await.unwrap();
    assert!(screens.screen().contains("resume: it is finished"), "{}", screens.screen());
    screens.press("d").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("doubts  1 message may have been sent") && sheet.contains(" --doubtful"), "{sheet}");
    assert!(sheet.contains("with    --filter"), "{sheet}");
    screens.press("d").await.unwrap();
    assert!(screens.screen().contains("doubtful: the run is finished"), "{}", screens.screen());
    screens.press("tab enter").await.unwrap();
    let receipt = screens.screen();
    assert!(receipt.contains("1 of 1 message that may have been sent is in the target: not sent again"), "{receipt}");
    screens.press("esc d").await.unwrap();
    assert!(screens.screen().contains("doubtful: no answer about a message of it was lost"), "{}", screens.screen());
    // The copies of a run that kept its originals are dropped again, and what an undo did is no run to undo.
    screens.press("u").await.unwrap();
    let sheet = screens.screen();
    assert!(
        sheet.contains("Drop 2 of 238 messages in demo:emails_error") && sheet.contains("their originals stay"),
        "{sheet}"
    );
    assert!(!sheet.contains("gone for good") && sheet.contains("✓ originals: "), "{sheet}");
    screens.press("tab enter u").await.unwrap();
    assert!(screens.screen().contains("undo: it is an undo itself"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_queue_that_lost_its_messages_has_changed_since_it_was_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    // The topic keeps its records.
    screens.press("/").await.unwrap();
    screens.type_in("order-events-dlt$");
    screens.press("enter enter r tab enter").await.unwrap();
    assert!(screens.screen().contains("Replayed "), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(!screens.screen().contains("changed since"), "{}", screens.screen());
    screens.press("esc / ctrl-u").await.unwrap();
    screens.type_in("emails_error$");
    screens.press("enter enter enter D tab enter").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter esc").await.unwrap();
    assert!(screens.screen().contains("changed since (ctrl-r)"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_groups_of_every_key_open_as_messages_and_are_replayed() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("/").await.unwrap();
    screens.type_in("order-events-dlt$");
    screens.press("enter enter").await.unwrap();
    for (key, next, count) in
        [("class=", "origin", 281), ("origin=", "type", 437), ("type=", "shape", 434), ("shape=", "failure", 434)]
    {
        screens.press("tab").await.unwrap();
        let groups = screens.screen();
        assert!(groups.contains(&format!("(tab: {next})")) && groups.contains(&count.to_string()), "{groups}");
        screens.press("enter").await.unwrap();
        let list = screens.screen();
        assert!(list.contains(key) && list.contains(&format!("1 of {count} messages")), "{list}");
        screens.press("r").await.unwrap();
        assert!(screens.screen().contains("437 messages in demo:order-events-dlt that match"), "{}", screens.screen());
        screens.press("esc esc").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_filter_bar_offers_what_the_messages_have() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter /").await.unwrap();
    for (typed, offered) in
        [("body.cur", "body.currency"), ("body.items[0].ti", "body.items"), ("body.currency=n", "body.currency=null")]
    {
        screens.press("ctrl-u").await.unwrap();
        screens.type_in(typed);
        assert!(screens.screen().contains(offered), "{}", screens.screen());
    }
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("/ body.currency=null"), "{}", screens.screen());
    // What is known of any element is offered for each.
    screens.press("/ ctrl-u").await.unwrap();
    screens.type_in("body.items[0].title=Moby");
    assert!(screens.screen().contains("body.items[0].title=Moby-Dick"), "{}", screens.screen());
    // Earlier filters come back; a place that is none is told where it stands, and the look stays.
    screens.press("enter / ctrl-u up up").await.unwrap();
    assert!(screens.screen().contains("│body.currency=null"), "{}", screens.screen());
    screens.press("esc esc / ctrl-u").await.unwrap();
    screens.type_in("order-events-dlt$");
    screens.press("enter m f ctrl-u").await.unwrap();
    screens.type_in("3:40");
    screens.press("enter").await.unwrap();
    let bar = screens.screen();
    assert!(bar.contains("is neither an offset nor a time") && bar.contains("0:0 "), "{bar}");
    screens.press("ctrl-u").await.unwrap();
    screens.type_in("40");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("317 messages read"), "{}", screens.screen());
}

/// The screens over an archive of one message.
fn over_an_archive(folder: &Path, text: &str) -> Headless {
    let archive = folder.join("dead.jsonl");
    std::fs::write(&archive, "{\"address\":\"shop:orders.dlq\",\"payload\":{\"utf8\":\"hello\"}}\n").unwrap();
    let config = folder.join("config.toml");
    std::fs::write(&config, text).unwrap();
    let state = folder.join("state").display().to_string();
    let environment = [("POSTROOM_STATE", state.as_str()), ("POSTROOM_NOW", NOW)].into_iter().collect::<Environment>();
    let session = Session::open(Some(&config), environment).unwrap();
    let start = Start { address: Some(format!("file:{}", archive.display()).parse().unwrap()), colour: None };
    Headless::open(session, &start, 120, 40).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_are_kept_between_runs_but_for_those_over_the_demo_or_what_is_hidden() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("state/filters");
    let demo = folder.path().join("demo");
    std::fs::create_dir(&demo).unwrap();
    let mut screens = configured(&demo, "", (120, 40), &[]);
    screens.press("m enter /").await.unwrap();
    screens.type_in("age<1h");
    screens.press("enter").await.unwrap();
    assert!(!demo.join("filters").exists());

    let hides = "[profiles.shop]\nurl = \"amqp://h/%2f\"\nredact = [\"body.card\"]\n";
    for (config, filter) in [("", "hello"), (hides, "4111"), ("", "hell or heaven")] {
        let mut screens = over_an_archive(folder.path(), config);
        screens.press("m /").await.unwrap();
        screens.type_in(filter);
        screens.press("enter / ctrl-u up").await.unwrap();
        // Within a run each comes back.
        assert!(screens.screen().contains(filter), "{}", screens.screen());
    }
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "hello\nhell or heaven\n");
    let mut screens = over_an_archive(folder.path(), "");
    screens.press("m / up up").await.unwrap();
    assert!(screens.screen().contains("hello"), "{}", screens.screen());
    screens.press("enter").await.unwrap();
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "hell or heaven\nhello\n");
    // What can't be read is no obstacle.
    std::fs::remove_file(&kept).unwrap();
    std::fs::create_dir(&kept).unwrap();
    let mut screens = over_an_archive(folder.path(), "");
    screens.press("m /").await.unwrap();
    screens.type_in("hello");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("1 of 1 message"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_goes_to_another_queue_with_its_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter d ctrl-u").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("a queue is PROFILE:QUEUE or a URL"), "{}", screens.screen());
    screens.press("ctrl-u").await.unwrap();
    screens.type_in("demo:emails_error");
    screens.press("enter b").await.unwrap();
    screens.type_in("card provider down");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("→ demo:emails_error  331"), "{sheet}");
    assert!(sheet.contains("postroom drain demo:orders.dlq --to demo:emails_error --group g-"), "{sheet}");
    assert!(sheet.contains(" --reason 'card provider down'"), "{sheet}");
    // The other way is an archive: there the reason has no place.
    screens.press("t ctrl-u").await.unwrap();
    let path = folder.path().join("kept.jsonl.zst").display().to_string();
    screens.type_in(&path);
    screens.press("enter b").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("an archive keeps messages as they are") && !sheet.contains("--reason"), "{sheet}");
    screens.press("t ctrl-u").await.unwrap();
    screens.type_in("demo:emails_error");
    screens.press("enter tab enter").await.unwrap();
    assert!(screens.screen().contains("Drained 331 messages"), "{}", screens.screen());
    screens.press("esc esc / ctrl-u").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("567"), "236 and 331: {}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_can_t_be_made_says_so_on_its_sheet_and_is_corrected_there() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter r t").await.unwrap();
    screens.type_in("demo:nowhere");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("No plan: replay of demo:orders.dlq") && sheet.contains("✗ "), "{sheet}");
    assert!(sheet.contains("nowhere") && sheet.contains("enter plans it again"), "{sheet}");
    assert!(sheet.contains("--to demo:nowhere") && !sheet.contains("[ dry run ]"), "{sheet}");
    // It can't be run, is tried again, and what was typed stands there to be corrected.
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("No plan: replay"), "{}", screens.screen());
    screens.press("t ctrl-u").await.unwrap();
    screens.type_in("emerr");
    assert!(screens.screen().contains("demo:emails_error"), "{}", screens.screen());
    screens.press("tab enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("→ demo:emails_error  331") && sheet.contains("[ dry run ]"), "{sheet}");
    // A file that is there is not written over, and the name is corrected, too.
    let path = folder.path().join("kept.jsonl");
    std::fs::write(&path, "").unwrap();
    screens.press("esc d ctrl-u").await.unwrap();
    screens.type_in(&path.display().to_string());
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("No plan: drain of demo:orders.dlq"), "{}", screens.screen());
    screens.press("esc w ctrl-u").await.unwrap();
    screens.type_in(&path.display().to_string());
    screens.press("enter").await.unwrap();
    let again = screens.screen();
    assert!(again.contains("a new archive") && again.contains("kept.jsonl"), "{again}");
    screens.press("esc").await.unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
    // A form that can't be planned is there again, with what is wrong.
    screens.press("P ctrl-u").await.unwrap();
    screens.type_in("to: demo:nowhere\n\n");
    screens.press("ctrl-s").await.unwrap();
    let form = screens.screen();
    assert!(form.contains("to: demo:nowhere") && form.contains("a message: lines"), "{form}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_asks_for_the_name_and_a_wrong_one_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("D").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Drop 449 messages in demo:orders.dlq without a copy"), "{sheet}");
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("type orders.dlq to go on"), "{}", screens.screen());
    screens.type_in("orders");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("not confirmed: nothing was done"), "{}", screens.screen());
    screens.press("enter").await.unwrap();
    screens.type_in("orders.dlq");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("Dropped 449 messages"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_written_published_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("P").await.unwrap();
    screens.type_in("nonsense\n");
    screens.press("ctrl-s").await.unwrap();
    assert!(screens.screen().contains("line 1: there is no"), "{}", screens.screen());
    screens.press("backspace ctrl-u ctrl-k ctrl-s").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Publish 1 message") || sheet.contains("line 1"), "{sheet}");
    screens.press("esc esc m enter s").await.unwrap();
    screens.press("ctrl-u").await.unwrap();
    let path = folder.path().join("kept.jsonl").display().to_string();
    screens.type_in(&path);
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("saved 1 message to"), "{}", screens.screen());
    assert!(std::fs::read_to_string(&path).unwrap().contains("postroom.message/1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_profile_has_no_dangerous_keys_and_one_that_is_down_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[profiles.prod]\nurl = \"amqp://127.0.0.1:1/%2f\"\nread_only = true\nproduction = true\n\
                  [profiles.lab]\nurl = \"amqp://127.0.0.1:1/%2f\"\n";
    let mut screens = configured(folder.path(), config, (120, 30), &[]);
    screens.settle().await;
    let shown = screens.screen();
    assert!(shown.contains("✗ prod") && shown.contains("✗ lab"), "{shown}");
    screens.press("r").await.unwrap();
    assert!(!screens.screen().contains("plan"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_size_is_drawn_and_a_tiny_one_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    for keys in ["enter enter", "?", "esc enter", "enter", "tab", "esc i", "esc :"] {
        screens.press(keys).await.unwrap();
        for (width, height) in [(80, 24), (40, 10), (200, 60), (1, 1), (39, 9), (41, 11)] {
            screens.resize(width, height);
            screens.settle().await;
            let shown = screens.screen();
            assert_eq!(shown.contains("postroom needs"), (width, height) == (39, 9), "{shown}");
        }
        screens.resize(120, 40);
    }
    // A question that is longer than the terminal leaves room for its answer.
    screens.press("esc esc esc enter enter b").await.unwrap();
    screens.resize(40, 10);
    screens.type_in("body.cur");
    let small = screens.screen();
    assert!(small.contains("│body.cur") && small.contains("body.currency"), "{small}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_colour_and_on_an_ascii_terminal_everything_is_still_said() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = configured(folder.path(), "", (80, 24), &[("LANG", "C"), ("NO_COLOR", "1")]);
    screens.press("enter enter").await.unwrap();
    let shown = screens.screen();
    assert!(shown.is_ascii() && shown.contains("73.7% ####"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operators_keys_work_and_the_mouse_selects() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[tui]\ntheme = \"light\"\n[tui.keys]\nreplay = [\"R\"]\n";
    let mut screens = configured(folder.path(), config, (120, 30), &[]);
    screens.settle().await;
    screens.click(3, 4);
    screens.click(3, 4);
    screens.settle().await;
    assert!(screens.screen().contains("order-events-dlt › causes"), "{}", screens.screen());
    screens.press("esc r").await.unwrap();
    assert!(!screens.screen().contains("[ dry run ]"));
    screens.press("R").await.unwrap();
    assert!(screens.screen().contains("[ dry run ]") || screens.screen().contains("plan"), "{}", screens.screen());
}

/// The place of a text on the screen.
fn place_of(screens: &mut Headless, text: &str) -> (u16, u16) {
    let shown = screens.screen();
    let (row, line) = shown.lines().enumerate().find(|(_, line)| line.contains(text)).expect(&shown);
    let column = line[..line.find(text).unwrap()].chars().count();
    (u16::try_from(column).unwrap(), u16::try_from(row).unwrap())
}

async fn click_on(screens: &mut Headless, text: &str) {
    let (column, row) = place_of(screens, text);
    screens.click(column, row);
    screens.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_mouse_does_in_dialogs_what_keys_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.settle().await;
    // The price of a look has two answers; the footer's words are keys, too.
    click_on(&mut screens, "enter open").await;
    click_on(&mut screens, "esc goes back").await;
    assert!(!screens.screen().contains("what this look costs"), "{}", screens.screen());
    click_on(&mut screens, "enter open").await;
    click_on(&mut screens, "enter looks").await;
    assert!(screens.screen().contains("› causes"), "{}", screens.screen());
    // A sheet's choices are made by a click; a dry run stays chosen until the other is, and that is not yet the run.
    click_on(&mut screens, "r replay").await;
    click_on(&mut screens, "K keep").await;
    let sheet = screens.screen();
    assert!(sheet.contains("--keep") && sheet.contains("Copy 331 of 449") && sheet.contains("[ dry run ]"), "{sheet}");
    click_on(&mut screens, "t to").await;
    click_on(&mut screens, "demo:payments").await;
    click_on(&mut screens, "enter open").await;
    assert!(screens.screen().contains("--to demo:payments "), "{}", screens.screen());
    click_on(&mut screens, "run it").await;
    assert!(screens.screen().contains("[ RUN IT ]"), "{}", screens.screen());
    click_on(&mut screens, "plan ").await;
    assert!(screens.screen().contains("[ RUN IT ]"), "a frame is no button");
    click_on(&mut screens, "dry run").await;
    click_on(&mut screens, "run it").await;
    click_on(&mut screens, "RUN IT").await;
    let receipt = screens.screen();
    assert!(receipt.contains("Copied 331 messages") || receipt.contains("331 done"), "{receipt}");
    click_on(&mut screens, "j each message").await;
    assert!(screens.screen().contains("finished"), "{}", screens.screen());
    click_on(&mut screens, "esc back").await;
    // The palette and a menu take what is pointed at, and go away by a click beside them.
    screens.press(":").await.unwrap();
    screens.click(0, 20);
    assert!(!screens.screen().contains("commands and queues"), "{}", screens.screen());
    screens.press(":").await.unwrap();
    screens.type_in("emails_error");
    click_on(&mut screens, "demo:emails_error").await;
    assert!(screens.screen().contains("emails_error"), "{}", screens.screen());
    click_on(&mut screens, "enter looks").await;
    // So has the form of a message.
    screens.press("P").await.unwrap();
    let (column, row) = place_of(&mut screens, "│{}");
    screens.click(column + 2, row);
    screens.type_in("1");
    assert!(screens.screen().contains("│{1}"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    // What is typed has a cursor that can be put.
    click_on(&mut screens, "/ filter").await;
    screens.type_in("tenant");
    let (column, row) = place_of(&mut screens, "│tenant");
    screens.click(column + 1, row);
    screens.type_in("-");
    assert!(screens.screen().contains("│-tenant"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_long_hides_neither_the_badge_nor_the_plan() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 80, 24);
    let marks = ["space"; 30].join(" ");
    screens.press(&format!("m enter {marks} r t")).await.unwrap();
    screens.type_in("demo:emails");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("those that were marked") && sheet.contains("→ demo:emails  30"), "{sheet}");
    screens.press("Y pgdn").await.unwrap();
    assert_eq!(screens.copied()[0].matches("id=").count(), 30);
    assert!(screens.screen().contains("(Y copies all of it)"), "{}", screens.screen());
    screens.press("esc esc / ctrl-u").await.unwrap();
    screens.type_in("audit");
    screens.press("enter m p").await.unwrap();
    assert!(screens.screen().contains("pause: the list stands still"), "{}", screens.screen());
    screens.press("/").await.unwrap();
    screens.type_in(&["body.order_id:*"; 12].join(" "));
    screens.press("enter").await.unwrap();
    // What is followed never settles.
    screens.press_now("F").unwrap();
    let head = wait_for(&mut screens, "FOLLOWING").await;
    assert!(head.lines().next().unwrap().trim_end().ends_with("…  FOLLOWING"), "{head}");
    screens.press_now("F").unwrap();
    screens.press("ctrl-c").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn marked_causes_are_what_an_act_takes() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("/").await.unwrap();
    screens.type_in("order-events-dlt$");
    screens.press("enter enter space space").await.unwrap();
    let causes = screens.screen();
    assert!(causes.contains("2 marked"), "{causes}");
    let counts: Vec<u64> = causes
        .lines()
        .filter(|line| line.starts_with('●'))
        .map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap())
        .collect();
    let sum: u64 = counts.iter().sum();
    assert_eq!(counts.len(), 2, "{causes}");
    screens.press("Y m").await.unwrap();
    let line = screens.copied().remove(0);
    assert_eq!(line.matches(" --group g-").count(), 2, "{line}");
    assert!(screens.screen().contains(&format!("1 of {sum} messages")), "{}", screens.screen());
    screens.press("esc r").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("messages in demo:order-events-dlt, groups g-"), "{sheet}");
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains(&format!("Replayed {sum} messages")), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(!screens.screen().contains("marked"), "{}", screens.screen());
    // By another key the marked groups are a filter.
    screens.press("tab ctrl-a m").await.unwrap();
    assert!(screens.screen().contains(" or class="), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_made_by_a_field_that_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter b").await.unwrap();
    screens.type_in("body.cur");
    assert!(screens.screen().contains("body.currency"), "{}", screens.screen());
    screens.press("tab enter").await.unwrap();
    let groups = screens.screen();
    assert!(groups.contains("by body.currency (tab: failure)"), "{groups}");
    assert!(groups.contains("$ postroom groups demo:orders.dlq --by body.currency"), "{groups}");
    let first: u64 = groups.lines().nth(2).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    screens.press("enter").await.unwrap();
    let list = screens.screen();
    assert!(list.contains("/ body.currency=") && list.contains(&format!("1 of {first} messages")), "{list}");
    // Tab goes on from it and comes back to it; what is no field is told where it stands.
    screens.press("esc tab shift-tab").await.unwrap();
    assert!(screens.screen().contains("by body.currency"), "{}", screens.screen());
    screens.press("b ctrl-u").await.unwrap();
    screens.type_in("clas");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("did you mean class"), "{}", screens.screen());
}

/// The words of a command line as a shell reads them.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars();
    while let Some(c) = letters.next() {
        match c {
            '\'' => quoted = !quoted,
            '\\' if !quoted => word.extend(letters.next()),
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words
}

/// Each line that the screens show does in a shell what they show.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_lines_do_what_the_screens_show() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    for (keys, typed, then, rows) in [
        ("home", "", "home", 17),
        ("/", "ord dlq", "enter", 3),
        ("/ ctrl-u", "", "enter", 17),
        ("enter enter", "", "home", 0),
        ("space space", "", "home", 2),
        ("tab", "", "home", 0),
        ("b", "header.tenant", "enter", 0),
        ("esc m enter", "", "home", 449),
        ("/", "body.total>100 -reason:currency or key:zzz", "enter", 0),
        ("C ctrl-u", "age, id, body.total, header.tenant", "enter", 0),
        ("o", "", "home", 0),
        ("space space", "", "home", 2),
        ("enter", "", "home", 1),
        ("esc esc space space m enter", "", "home", 0),
        ("esc ctrl-a ctrl-a i", "", "home", 1),
        ("esc H", "", "home", 0),
    ] {
        screens.press(keys).await.unwrap();
        screens.type_in(typed);
        screens.press(then).await.unwrap();
        screens.press("Y").await.unwrap();
        let shown = screens.screen();
        let line = screens.copied().into_iter().next().expect(&shown);
        let told = line.split(" | ").next().unwrap();
        let mut words = words(told);
        assert_eq!(words.remove(0), "postroom");
        let run = TestEnvironment::new().run(&words.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(run.exit, 0, "{line}\n{}", run.stderr);
        let number = |line: &str, behind: &str| {
            let word = line.split_once(behind)?.0.trim().rsplit(' ').next()?.replace(',', "");
            word.parse::<usize>().ok()
        };
        let of = |behind: &str| shown.lines().find_map(|line| number(line, behind));
        let lines = run.stdout.lines().count();
        let header = usize::from(told.contains("--columns") && !told.contains(" -o "));
        let rows = match rows {
            0 if told.contains("journal") => 0,
            0 => of(" groups by").or_else(|| of(" group by")).or_else(|| of(" messages")).expect(&shown),
            rows => rows,
        };
        let is_one = told.contains(" show ") || told.contains(" -o json") && !told.contains("jsonl");
        assert!(is_one || lines == rows + header, "{line}: {lines} lines\n{shown}");
    }
}

/// What fingers may press.
const KEYS: &[&str] = &[
    "enter",
    "enter",
    "enter",
    "esc",
    "tab",
    "space",
    "up",
    "down",
    "pgdn",
    "end",
    "home",
    "/",
    "a",
    "b",
    "c",
    "d",
    "e",
    "f",
    "g",
    "i",
    "j",
    "k",
    "m",
    "n",
    "o",
    "p",
    "r",
    "s",
    "t",
    "u",
    "v",
    "w",
    "x",
    "y",
    "z",
    "A",
    "C",
    "D",
    "E",
    "F",
    "G",
    "H",
    "K",
    "L",
    "N",
    "O",
    "P",
    "R",
    "V",
    "Y",
    ":",
    "?",
    "1",
    "ctrl-r",
    "ctrl-a",
    "ctrl-s",
    "shift-tab",
    "backspace",
    "[",
    "]",
    "left",
    "right",
];

/// No sequence of keys breaks it: it draws at every step, whether the answers to the last key have come or not, it can
/// always be left, and then nothing is held.
#[test]
fn no_keys_break_it() {
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    // What is behind the keys is a click somewhere.
    let strategy = proptest::collection::vec((0..KEYS.len() + 12, any::<bool>(), 0..100_u16, 0..30_u16), 1..40);
    let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
    let done = runner.run(&strategy, |sequence| {
        let folder = tempfile::tempdir().unwrap();
        let _inside = runtime.enter();
        let mut screens = open(&folder, 100, 30);
        let (left, held) = runtime.block_on(async {
            for (key, waits, x, y) in sequence {
                let shown = screens.screen();
                // Files would be written where the tests run.
                let writes = shown.contains(" to a new file") || shown.contains("a new archive");
                match KEYS.get(key) {
                    _ if writes => screens.press_now("esc").unwrap(),
                    Some(key) => screens.press_now(key).unwrap(),
                    None => screens.click(x, y),
                }
                if waits {
                    // A list that is followed never settles.
                    _ = tokio::time::timeout(std::time::Duration::from_millis(200), screens.settle()).await;
                }
                screens.draw();
            }
            // Runs are stopped by the first, and left by the second.
            for _ in 0..3 {
                screens.press_now("ctrl-c").unwrap();
                _ = tokio::time::timeout(std::time::Duration::from_millis(200), screens.settle()).await;
            }
            let left = tokio::time::timeout(std::time::Duration::from_mins(1), screens.settle()).await.is_ok();
            let demo = Address { connection: Connection::Demo, target: None };
            let (queues, _) = postroom::operation::queues::list(&screens.session().places, &demo, false).await.unwrap();
            let held: u64 = queues.iter().filter_map(|listed| listed.info.in_flight).sum();
            (left && screens.has_left(), held)
        });
        prop_assert!(left, "it can't be left");
        prop_assert_eq!(held, 0, "messages are held");
        Ok(())
    });
    done.unwrap();
}

/// Waits for a text while something is under way.
async fn wait_for(screens: &mut Headless, text: &str) -> String {
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    loop {
        screens.take_answers();
        let shown = screens.screen();
        if shown.contains(text) {
            return shown;
        }
        assert!(std::time::Instant::now() < until, "{text:?} did not appear:\n{shown}");
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_taken_back_from_its_receipt_and_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter r tab enter").await.unwrap();
    assert!(screens.screen().contains("u undo"), "{}", screens.screen());
    // The undo is planned, too, and a dry run unless something else is chosen.
    screens.press("u").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Take back the replay 20260302-150000-"), "{sheet}");
    assert!(sheet.contains("Put back 331") && sheet.contains("[ dry run ]"), "{sheet}");
    assert!(sheet.contains("$ postroom journal undo 20260302-150000-"), "{sheet}");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("Dry run: nothing was changed."));
    // What was looked at before is not so any more, and says it.
    assert!(screens.screen().contains("changed since (ctrl-r)"), "{}", screens.screen());
    screens.press("esc H u tab enter").await.unwrap();
    let receipt = screens.screen();
    assert!(receipt.contains("Put back 331 messages"), "{receipt}");
    // An undo can't be undone; the list of runs behind it is new.
    screens.press("u").await.unwrap();
    assert!(screens.screen().contains("undo: it is an undo itself"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    let journal = screens.screen();
    assert!(
        journal.contains("undone") && journal.lines().filter(|line| line.contains("2026")).count() >= 2,
        "{journal}"
    );
    screens.press("esc enter enter").await.unwrap();
    assert!(screens.screen().contains("331") && screens.screen().contains("449 messages read"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_goes_in_steps_is_watched_and_its_receipt_tells_what_became_of_the_copies() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("m enter space space r v ctrl-u").await.unwrap();
    screens.type_in("soon");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("\"soon\" is no time"), "{}", screens.screen());
    screens.press("ctrl-u").await.unwrap();
    screens.type_in("1s");
    screens.press("enter s ctrl-u").await.unwrap();
    screens.type_in("1,5");
    screens.press("enter m").await.unwrap();
    screens.type_in("3");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("ramp    1, 5 messages") && sheet.contains("watched for at most 1s after each"), "{sheet}");
    assert!(sheet.contains("--ramp=1,5 --verify 1s --max-replays 3"), "{sheet}");
    screens.press("x").await.unwrap();
    screens.type_in("demo:emails_error");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("what had 3 replays before, in demo:emails_error"), "{}", screens.screen());
    screens.press("M").await.unwrap();
    screens.type_in("0");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("\"0\" is no number above 0"), "{}", screens.screen());
    screens.press("backspace").await.unwrap();
    screens.type_in("5");
    screens.press("enter f").await.unwrap();
    screens.type_in("10");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("--max-in-flight 10 --max-failures 5"), "{sheet}");
    assert!(sheet.contains("at most 10 sent and not consumed"), "{sheet}");
    screens.press("tab enter").await.unwrap();
    // Nobody takes the copies in the demo: the ramp stops by itself behind the first.
    let receipt = screens.screen();
    assert!(receipt.contains("✗ step 1: 1 message watched"), "{receipt}");
    assert!(receipt.contains("the ramp stopped after 1 message"), "{receipt}");
    assert!(receipt.contains("r resume  u undo"), "{receipt}");
    screens.press("u tab enter").await.unwrap();
    assert!(screens.screen().contains("Put back 1 message"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_paused_and_finished_from_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    // Progress goes by the real clock.
    let mut screens = configured(folder.path(), "", (120, 40), &[("POSTROOM_NOW", "")]);
    screens.press("/").await.unwrap();
    screens.type_in("payments.dlq");
    screens.press("enter r p").await.unwrap();
    screens.type_in("40");
    screens.press("enter tab").await.unwrap();
    screens.press_now("enter").unwrap();
    wait_for(&mut screens, "replaying ").await;
    screens.press_now("p").unwrap();
    screens.settle().await;
    let receipt = screens.screen();
    assert!(receipt.contains("paused: the rest is back in the queue"), "{receipt}");
    screens.press("esc H").await.unwrap();
    assert!(screens.screen().contains("unfinished"), "{}", screens.screen());
    screens.press("r R").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Finish the replay 2026") && sheet.contains(" --rescue"), "{sheet}");
    screens.press("R").await.unwrap();
    assert!(!screens.screen().contains(" --rescue"), "{}", screens.screen());
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("Replayed 143 messages"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(screens.screen().contains("finished") && !screens.screen().contains("unfinished"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consumer_group_is_looked_at_and_moved_while_nobody_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("O").await.unwrap();
    assert!(screens.screen().contains("consumers: no consumer group keeps a place here"), "{}", screens.screen());
    screens.press("/").await.unwrap();
    screens.type_in("order-events$");
    screens.press("enter i").await.unwrap();
    assert!(screens.screen().contains("order-pricing  Stable, 3 members, lag ≤"), "{}", screens.screen());
    screens.press("O").await.unwrap();
    let groups = screens.screen();
    assert!(groups.contains("fraud-check") && groups.contains("██") && groups.contains("Stable"), "{groups}");
    screens.press("Y").await.unwrap();
    assert_eq!(screens.copied()[0], "postroom consumers demo:order-events");
    // The largest lag is the group that nobody is in.
    screens.press("enter").await.unwrap();
    let places = screens.screen();
    assert!(places.contains("COMMITTED") && places.contains("none"), "{places}");
    screens.press("r").await.unwrap();
    screens.type_in("nowhere");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("\"nowhere\" is no place in a topic"), "{}", screens.screen());
    screens.press("ctrl-u").await.unwrap();
    screens.type_in("end");
    screens.press("enter").await.unwrap();
    let sheet = screens.screen();
    assert!(sheet.contains("Move the group fraud-check") && sheet.contains("will not be read"), "{sheet}");
    assert!(sheet.contains("--group fraud-check --to end --partition 0"), "{sheet}");
    screens.press("tab enter").await.unwrap();
    assert!(screens.screen().contains("Moved the group fraud-check"), "{}", screens.screen());
    screens.press("esc").await.unwrap();
    assert!(screens.screen().contains("≤0"), "{}", screens.screen());
    // One with members is not moved.
    screens.press("esc down r").await.unwrap();
    screens.type_in("first");
    screens.press("enter").await.unwrap();
    assert!(screens.screen().contains("is live (Stable, "), "{}", screens.screen());
}
