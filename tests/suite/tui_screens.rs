//! Every screen and dialog as it is drawn, in a small and a large terminal, by the keys that lead to it; and the
//! pictures of the README, which are these screens.

use insta::assert_snapshot;
use postroom::tui::Headless;

use crate::environment::repository;
use crate::tui::configured;

/// A name, the keys, what is typed then, and the keys behind that.
type Way = (&'static str, &'static str, &'static str, &'static str);

const WAYS: &[Way] = &[
    ("queues", "", "", ""),
    ("queues_filtered", "/", "orders", "enter"),
    ("price_of_a_look", "enter", "", ""),
    ("causes", "enter enter", "", ""),
    ("causes_by_class", "enter enter tab", "", ""),
    ("causes_by_a_field", "enter enter b", "body.c", ""),
    ("marked_causes", "a enter space down space", "", ""),
    ("price_of_many_looks", "a pgdn", "", ""),
    ("incident", "a enter", "", ""),
    ("messages", "m enter", "", ""),
    ("messages_filtered", "m enter /", "reason:null age<40m", "enter"),
    ("messages_bad_filter", "m enter /", "clas:x", ""),
    ("columns", "m enter C ctrl-u", "age, id, body.cu", "tab enter"),
    ("messages_of_several_queues", "ctrl-a m enter", "", ""),
    ("detail_why", "m enter enter", "", ""),
    ("detail_body", "m enter enter tab", "", ""),
    ("detail_hex", "m enter enter tab tab", "", ""),
    ("detail_headers", "m enter enter tab tab tab", "", ""),
    ("detail_raw", "m enter enter tab tab tab tab", "", ""),
    ("about", "i", "", ""),
    ("help", "?", "", ""),
    ("palette", ":", "rep", ""),
    ("log", "L", "", ""),
    ("journal", "H", "", ""),
    ("new_message", "P", "", ""),
    ("plan", "enter enter r", "", ""),
    ("plan_with_a_rate", "enter enter r p", "50", "enter"),
    ("plan_of_a_purge", "D tab", "", ""),
    ("typed_confirmation", "D tab enter", "", ""),
    ("archive_name", "d", "", ""),
    ("target", "enter enter r t", "demo:nowhere", "enter"),
    ("bad_choice", "enter enter r l", "ten", "enter"),
    ("choices_of_a_sheet", "enter enter r ?", "", ""),
    ("drain_to_a_queue", "enter enter d ctrl-u", "demo:emails_error", "enter"),
    ("receipt", "enter enter r tab enter", "", ""),
    ("run", "enter enter r tab enter j", "", ""),
    ("plan_in_steps", "enter enter r s", "", "enter"),
    ("undo", "enter enter r tab enter u", "", ""),
    ("journal_with_a_run", "enter enter r tab enter esc H", "", ""),
    ("about_a_topic", "/", "order-events$", "enter i"),
    ("consumers", "/", "order-events$", "enter O"),
    ("consumer_group", "/", "order-events$", "enter O enter"),
    ("offsets", "/", "order-events$", "enter O r e n d enter"),
];

/// Ids and places that differ from run to run.
const FILTERS: &[(&str, &str)] =
    &[(r"\d{8}-\d{6}-[a-z0-9]{5}", "20260302-150000-abcde"), (r"in \d+(\.\d+)? m?s *", "in a moment ")];

async fn at(folder: &tempfile::TempDir, config: &str, size: (u16, u16), (_, keys, text, then): &Way) -> Headless {
    let mut screens =
        configured(folder.path(), config, size, &[("COLORTERM", "truecolor"), ("TERM", "xterm-256color")]);
    screens.settle().await;
    if !keys.is_empty() {
        screens.press(keys).await.unwrap();
    }
    screens.type_in(text);
    screens.settle().await;
    if !then.is_empty() {
        screens.press(then).await.unwrap();
    }
    screens
}

#[tokio::test(flavor = "multi_thread")]
async fn every_screen_and_dialog_at_two_sizes() {
    for way in WAYS {
        let mut seen = String::new();
        for size in [(80, 24), (120, 40)] {
            let folder = tempfile::tempdir().unwrap();
            let mut screens = at(&folder, "", size, way).await;
            seen.extend([format!("{} by {}\n", size.0, size.1), screens.screen(), "\n".to_owned()]);
        }
        insta::with_settings!({ filters => FILTERS.to_vec(), description => way.1 }, {
            assert_snapshot!(way.0, seen);
        });
    }
}

/// A picture's name, the config, and the way to its screen.
const PICTURES: &[(&str, &str, &str)] = &[
    ("queues", "", "queues"),
    ("causes", "", "causes"),
    ("message", "", "detail_why"),
    ("plan", "", "plan"),
    ("causes-light", "[tui]\ntheme = \"light\"\n", "causes"),
    ("causes-plain", "[tui]\ntheme = \"none\"\n", "causes"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_pictures_are_the_screens() {
    let mut differs = Vec::new();
    for (name, config, screen) in PICTURES {
        let way = WAYS.iter().find(|way| way.0 == *screen).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let picture = at(&folder, config, (110, 32), way).await.picture();
        let path = repository(&format!("assets/screenshots/{name}.svg"));
        if std::env::var_os("POSTROOM_BLESS").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &picture).unwrap();
        }
        if std::fs::read_to_string(&path).unwrap_or_default() != picture {
            differs.push(*name);
        }
    }
    assert!(differs.is_empty(), "{differs:?}: run POSTROOM_BLESS=1 cargo test --test suite pictures, and commit");
}
