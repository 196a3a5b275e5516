//! The screens, driven by keys and without a terminal, on the demo: an incident from the start to the receipt, every
//! screen and dialog, every size, and whatever else fingers do.

use std::path::Path;

use postroom::config::Environment;
use postroom::operation::session::{Session, Start};
use postroom::tui::Headless;

use crate::environment::NOW;

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
    assert!(sheet.contains("at most 50 a second") && sheet.contains("--rate 50"), "{sheet}");
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
    assert!(screens.screen().contains("Drained 449 messages"), "{}", screens.screen());
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

/// No sequence of keys breaks it: it draws at every step, and at the end nothing is held.
#[test]
fn no_keys_break_it() {
    use proptest::test_runner::{Config, TestRunner};
    let keys = [
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
        "i",
        "m",
        "n",
        "o",
        "p",
        "r",
        "s",
        "v",
        "w",
        "y",
        "z",
        "C",
        "D",
        "H",
        "L",
        "N",
        "P",
        "Y",
        "?",
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
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let strategy = proptest::collection::vec(0..keys.len(), 1..25);
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let done = runner.run(&strategy, |sequence| {
        let folder = tempfile::tempdir().unwrap();
        let _inside = runtime.enter();
        let mut screens = open(&folder, 100, 30);
        runtime.block_on(async {
            for key in sequence {
                // Files would be written where the tests run.
                if keys[key] == "enter" && screens.screen().contains(" to a new file")
                    || screens.screen().contains("a new archive")
                {
                    screens.press("esc").await.unwrap();
                    continue;
                }
                screens.press(keys[key]).await.unwrap();
                screens.draw();
            }
            screens.press("ctrl-c").await.unwrap();
        });
        proptest::prop_assert!(screens.has_left());
        Ok(())
    });
    done.unwrap();
}
