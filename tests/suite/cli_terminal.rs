//! What only a terminal shows: the question before a write, Ctrl-C, and tables instead of lines.

#![cfg(unix)]

use std::io::{Read as _, Write as _};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::environment::{POSTROOM, TestEnvironment};

/// How long a screen may take to show what is waited for; generous, for busy machines.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program on a terminal of 80 by 50.
struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn std::io::Write + Send>,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
    #[cfg_attr(not(feature = "tui"), allow(dead_code, reason = "held until the end"))]
    master: Box<dyn MasterPty + Send>,
}

fn cells(n: u16) -> std::num::NonZero<u16> {
    std::num::NonZero::new(n).unwrap()
}

impl Terminal {
    fn start(environment: &TestEnvironment, arguments: &[&str]) -> Self {
        Self::start_program(environment, POSTROOM, arguments)
    }

    fn start_program(environment: &TestEnvironment, program: &str, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 50, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(program);
        command.args(arguments);
        command.env_clear();
        environment.variables().iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(environment.path(""));
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(cells(50), cells(80), 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (shown, bytes) = (Arc::clone(&screen), Arc::clone(&raw));
        let mut reader = pair.master.try_clone_reader().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                shown.lock().unwrap().process(&buffer[..read]);
                bytes.lock().unwrap().extend_from_slice(&buffer[..read]);
            }
        });
        Self { child, writer: pair.master.take_writer().unwrap(), screen, raw, master: pair.master }
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    fn wait_for(&self, text: &str) -> String {
        let until = Instant::now() + PATIENCE;
        while !self.text().contains(text) {
            assert!(Instant::now() < until, "{text:?} did not appear:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
        self.text()
    }

    fn type_in(&mut self, text: &str) {
        self.writer.write_all(text.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    fn exit(&mut self) -> u32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < until, "it did not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_write_shows_the_plan_and_asks() {
    let environment = TestEnvironment::new();
    let mut terminal = Terminal::start(&environment, &["replay", "demo:payments.dlq"]);
    let shown = terminal.wait_for("Replay them? [y/N]");
    assert!(shown.contains("Replay 143 messages in demo:payments.dlq"), "{shown}");
    assert!(shown.contains("✓ target is not the source"), "{shown}");
    terminal.type_in("y\r");
    terminal.wait_for("Replayed 143 messages");
    assert_eq!(terminal.exit(), 0);
}

/// Which takes an address for several words.
#[test]
fn bash_completes_the_names_of_queues() {
    let environment = TestEnvironment::new();
    let mut terminal = Terminal::start_program(&environment, "bash", &["--norc", "--noprofile"]);
    terminal.type_in(&format!("source <(COMPLETE=bash {POSTROOM}) && echo re''ady\r"));
    terminal.wait_for("ready");
    terminal.type_in("postroom show demo:shipping-labels-d\t");
    terminal.wait_for("show demo:shipping-labels-dlq");
    terminal.type_in("\x15exit\r");
    terminal.exit();
}

/// By what these shells run at a tab, and read of its answer: neither need be there for it.
#[test]
fn zsh_and_fish_complete_the_names_of_queues() {
    for (shell, found) in [("zsh", r"demo\:shipping-labels-dlq"), ("fish", "demo:shipping-labels-dlq")] {
        let environment = TestEnvironment::new().variable("COMPLETE", shell);
        let script = environment.run(&[]);
        // One of the two quotes it.
        let asks = script.stdout.replace('"', "").contains(&format!("COMPLETE={shell}"));
        assert!(script.exit == 0 && asks, "{script}");
        let asking = environment.variable("_CLAP_COMPLETE_INDEX", "2").variable("_CLAP_IFS", "\n");
        let run = asking.run(&["--", "postroom", "show", "demo:shipping-labels-d"]);
        assert_eq!((run.exit, run.stdout.trim_end()), (0, found), "{shell}: {run}");
    }
}

#[test]
fn anything_but_yes_is_no() {
    let environment = TestEnvironment::new();
    let mut terminal = Terminal::start(&environment, &["drain", "demo:payments.dlq", "--discard"]);
    terminal.wait_for("Drop them without a copy? [y/N]");
    terminal.type_in("\r");
    terminal.wait_for("not confirmed: nothing was done");
    assert_eq!(terminal.exit(), 2);
}

#[test]
fn ctrl_c_at_the_question_does_nothing_and_exits_130() {
    let environment = TestEnvironment::new();
    let mut terminal = Terminal::start(&environment, &["replay", "demo:payments.dlq"]);
    terminal.wait_for("Replay them? [y/N]");
    terminal.type_in("\x03");
    terminal.wait_for("nothing was done");
    assert_eq!(terminal.exit(), 130);
    assert!(!environment.path("home/.local/state/postroom").exists());
}

#[test]
fn ctrl_c_ends_a_follow_with_130_and_everything_returned() {
    let environment = TestEnvironment::new();
    let arguments = ["browse", "demo:audit.stream", "--follow"];
    let mut terminal = Terminal::start(&environment, &arguments);
    terminal.wait_for("149  2026-03-02");
    terminal.type_in("\x03");
    terminal.wait_for("Interrupted: 150 messages shown of 150 seen.");
    assert_eq!(terminal.exit(), 130);
}

#[test]
fn a_paced_run_shows_progress_and_ctrl_c_ends_it_between_messages() {
    // Progress goes by the real clock.
    let environment = TestEnvironment::new().variable("POSTROOM_NOW", "");
    let arguments = ["replay", "demo:payments.dlq", "--yes", "--rate", "20"];
    let mut terminal = Terminal::start(&environment, &arguments);
    terminal.wait_for("replaying [");
    terminal.type_in("\x03");
    terminal.wait_for("journal ");
    assert_eq!(terminal.exit(), 130);
    let list = environment.run(&["journal", "list"]).stdout;
    assert!(list.contains("\"state\":\"interrupted\""), "{list}");
}

#[test]
fn a_terminal_gets_tables_in_colour_and_no_escape_sequence_of_a_message() {
    let environment = TestEnvironment::new();
    let line =
        r#"{"payload":"a\u001b]0;title\u0007b","key":"\u009b2J","headers":[["x-exception-message","\u001b[2J"]]}"#;
    std::fs::write(environment.path("odd.jsonl"), format!("{line}\n")).unwrap();
    for arguments in [&["browse", "file:odd.jsonl"][..], &["browse", "file:odd.jsonl", "-o", "jsonl"]] {
        let mut terminal = Terminal::start(&environment, arguments);
        assert_eq!(terminal.exit(), 0);
        terminal.wait_for("title");
        let raw = String::from_utf8(terminal.raw.lock().unwrap().clone()).unwrap();
        assert!(!raw.contains("\x1b]0;") && !raw.contains("\x1b[2J") && !raw.contains('\u{9b}'), "{raw:?}");
    }
    let mut terminal = Terminal::start(&environment, &["queues", "demo"]);
    assert_eq!(terminal.exit(), 0);
    terminal.wait_for("orders.dlq");
    assert!(terminal.raw.lock().unwrap().windows(2).any(|pair| pair == b"\x1b["));
    let plain = TestEnvironment::new().variable("NO_COLOR", "1");
    let mut terminal = Terminal::start(&plain, &["queues", "demo"]);
    assert_eq!(terminal.exit(), 0);
    terminal.wait_for("orders.dlq");
    assert!(!terminal.raw.lock().unwrap().contains(&0x1b));
}

/// The screens on a real terminal.
#[cfg(feature = "tui")]
mod screens {
    use super::{POSTROOM, PtySize, Terminal, TestEnvironment};

    /// What gives the terminal back: the alternate screen left, the cursor shown.
    const RESTORED: &[u8] = b"\x1b[?1049l";

    fn restored(terminal: &Terminal) -> bool {
        terminal.raw.lock().unwrap().windows(RESTORED.len()).any(|part| part == RESTORED)
    }

    #[test]
    fn the_screens_start_and_quit_and_the_terminal_is_given_back() {
        for (keys, exit) in [("q", 0), ("\x03", 0)] {
            let environment = TestEnvironment::new();
            let mut terminal = Terminal::start(&environment, &["demo"]);
            terminal.wait_for("demo:orders.dlq");
            terminal.type_in(keys);
            assert_eq!(terminal.exit(), exit);
            assert!(restored(&terminal));
        }
    }

    #[test]
    fn a_resize_and_a_click_are_taken() {
        let environment = TestEnvironment::new();
        let mut terminal = Terminal::start(&environment, &["demo"]);
        terminal.wait_for("demo:orders.dlq");
        terminal.master.resize(PtySize { rows: 9, cols: 39, pixel_width: 0, pixel_height: 0 }).unwrap();
        terminal.wait_for("postroom needs 40 by 10");
        terminal.master.resize(PtySize { rows: 50, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
        terminal.wait_for("demo:orders.dlq");
        // A click on the second queue, twice: a topic, whose looks are free.
        terminal.type_in("\x1b[<0;3;4M\x1b[<0;3;4m\x1b[<0;3;4M\x1b[<0;3;4m");
        terminal.wait_for("order-events-dlt › causes");
        terminal.type_in("q");
        assert_eq!(terminal.exit(), 0);
    }

    #[test]
    fn a_signal_ends_it_and_the_terminal_is_given_back() {
        let environment = TestEnvironment::new();
        let mut terminal = Terminal::start(&environment, &["demo"]);
        terminal.wait_for("demo:orders.dlq");
        let id = terminal.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert_eq!(terminal.exit(), 0);
        assert!(restored(&terminal));
    }

    #[test]
    fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_back() {
        let environment = TestEnvironment::new();
        let mut shell = Terminal::start_program(&environment, "sh", &["-i"]);
        shell.type_in(&format!("set -m; '{POSTROOM}' demo\r"));
        shell.wait_for("demo:orders.dlq");
        shell.type_in("\x1a");
        shell.wait_for("Stopped");
        assert!(restored(&shell));
        shell.type_in("fg\r");
        shell.wait_for("demo:payments.dlq");
        // It has its keys again.
        shell.type_in("i");
        shell.wait_for("about a queue");
        shell.type_in("q");
        shell.wait_for("Stopped");
        shell.type_in("exit\r");
        assert_eq!(shell.exit(), 0);
    }

    #[cfg(debug_assertions)]
    #[test]
    fn a_panic_gives_the_terminal_back_and_is_told() {
        let environment = TestEnvironment::new().variable("POSTROOM_TEST_PANIC", "1");
        let mut terminal = Terminal::start(&environment, &["demo"]);
        terminal.wait_for("demo:orders.dlq");
        terminal.type_in("\x1b[24~");
        terminal.wait_for("a panic on purpose");
        assert_ne!(terminal.exit(), 0);
        assert!(restored(&terminal));
    }

    #[test]
    fn what_is_copied_goes_to_the_terminals_clipboard() {
        let environment = TestEnvironment::new();
        let mut terminal = Terminal::start(&environment, &["demo"]);
        terminal.wait_for("demo:orders.dlq");
        terminal.type_in("Y");
        terminal.wait_for("copied");
        // `postroom queues demo`, in base64.
        let sequence = b"\x1b]52;c;cG9zdHJvb20gcXVldWVzIGRlbW8=\x07";
        assert!(terminal.raw.lock().unwrap().windows(sequence.len()).any(|part| part == sequence));
        terminal.type_in("q");
        assert_eq!(terminal.exit(), 0);
    }
}
