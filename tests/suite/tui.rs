//! The screens, driven by keys and without a terminal: an incident from the start to the receipt, on the demo.

use postroom::config::Environment;
use postroom::operation::session::{Session, Start};
use postroom::tui::Headless;

use crate::environment::NOW;

/// The screens over the demo, with a state folder of their own.
fn open(folder: &tempfile::TempDir, width: u16, height: u16) -> Headless {
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "").unwrap();
    let state = folder.path().display().to_string();
    let environment = Environment::from_iter([("POSTROOM_STATE", state.as_str()), ("POSTROOM_NOW", NOW)]);
    let session = Session::open(Some(&config), environment).unwrap();
    Headless::open(session, &Start::default(), width, height)
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
    screens.press("enter q").await.unwrap();
    assert!(screens.has_left());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_filter_shows_a_caret_and_a_good_one_finds() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 80, 24);
    screens.press("/").await.unwrap();
    screens.type_in("emails_error");
    screens.press("enter m enter").await.unwrap();
    assert!(screens.screen().contains("236 messages shown"), "{}", screens.screen());
    screens.press("/").await.unwrap();
    screens.type_in("clas:x");
    let bar = screens.screen();
    assert!(bar.contains("^^^^") && bar.contains("did you mean class:?"), "{bar}");
    // What is wrong is not taken, and nothing is lost by going back.
    screens.press("enter esc esc").await.unwrap();
    assert!(screens.screen().contains("demo:emails_error"), "{}", screens.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_size_is_drawn_and_a_tiny_one_says_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let mut screens = open(&folder, 120, 40);
    screens.press("enter enter ?").await.unwrap();
    for (width, height) in [(80, 24), (40, 10), (200, 60), (1, 1), (39, 9), (41, 11)] {
        screens.resize(width, height);
        let shown = screens.screen();
        assert_eq!(shown.contains("postroom needs"), (width, height) == (39, 9), "{shown}");
    }
}
