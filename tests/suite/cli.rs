//! The command line as a whole: help, mistakes, and what is never shown.

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn a_mistyped_verb_is_named_with_the_nearest() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["brwose", "demo:orders.dlq"]), @r#"
    ------- stderr -------
    Error: there is no verb "brwose"
    Hint: did you mean `postroom browse`?
    [exit 2]
    "#);
    assert_snapshot!(environment.run(&["brwose"]), @r#"
    ------- stderr -------
    Error: there is neither a verb nor a profile "brwose"
    Hint: did you mean `postroom browse`?
    [exit 2]
    "#);
}

#[test]
fn a_bad_command_line_is_one_error_and_repeats_no_password() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["show", "amqp://app:geheim@host/%2f/a", "amqp://app:geheim@host/%2f/b"]), @"
    ------- stderr -------
    error: unexpected argument 'amqp://app:***@host/%2f/b' found

    Usage: postroom show [OPTIONS] <ADDRESS>

    For more information, try '--help'.
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["show", "http://app:geheim@host/a"]), @"
    ------- stderr -------
    error: invalid value 'http://app:***@host/a' for '<ADDRESS>': http:// is not a scheme that postroom knows

      hint: the forms are amqp://user@host:5672/VHOST/QUEUE, kafka://host:9092/TOPIC, sqs://REGION/QUEUE

    For more information, try '--help'.
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["show", "-o", "json"]), @r#"
    ------- stderr -------
    {"schema":"postroom.error/1","kind":"usage","message":"the following required arguments were not provided:\n  <ADDRESS>","context":{},"hint":"Usage: postroom show --output <OUTPUT> <ADDRESS>\n\nFor more information, try '--help'.","exit":2}
    [exit 2]
    "#);
    assert_snapshot!(environment.run(&["browse", "demo:a", "--limit", "3", "--all"]), @"
    ------- stderr -------
    error: the argument '--limit <N>' cannot be used with '--all'

    Usage: postroom browse --limit <N> <ADDRESSES>...

    For more information, try '--help'.
    [exit 2]
    ");
}

#[test]
fn a_bad_filter_has_a_caret_under_the_spot() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "--filter", "tenant:acme and clas:Timeout"]), @r#"
    ------- stderr -------
    Error: in the filter: there is no field "tenant"
      tenant:acme and clas:Timeout
      ^^^^^^
    Hint: fields are body key header.NAME property.NAME reason class origin group attempts age time size offset partition id format type shape; put quotes around a text that holds an operator
    [exit 2]
    "#);
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "--filter", "(a or b"]), @"
    ------- stderr -------
    Error: in the filter: this parenthesis is not closed
      (a or b
      ^
    Hint: close it, or quote it
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "--group", "nonsense"]), @r#"
    ------- stderr -------
    Error: "nonsense" is not the name of a group
    Hint: `postroom groups ADDRESS` names them: g- and six hex digits or more
    [exit 2]
    "#);
    assert_snapshot!(environment.run(&["browse", "demo:orders.dlq", "--from", "yesterday"]), @r#"
    ------- stderr -------
    Error: "yesterday" is neither an offset nor a time
    Hint: write first, last, end, an offset such as 17, a time such as 2026-03-02T10:11:12Z, or -2h
    [exit 2]
    "#);
}

#[test]
fn help_explains_verbs_and_filters() {
    let environment = TestEnvironment::new();
    let run = environment.run(&["help", "filter"]);
    assert!(run.exit == 0 && run.stdout.starts_with("Filters\n"), "{run}");
    let run = environment.run(&["help", "browse"]);
    assert!(run.exit == 0 && run.stdout.contains("--rescue"), "{run}");
    assert_snapshot!(environment.run(&["help", "brows"]), @r#"
    ------- stderr -------
    Error: there is no help about "brows"
    Hint: did you mean "browse"?
    [exit 2]
    "#);
}

#[test]
fn without_a_profile_the_next_step_is_named() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["queues"]), @"
    ------- stderr -------
    Error: there is no profile in $ROOT/home/.config/postroom/config.toml, and no address was given
    Hint: name a URL, try `postroom queues demo`, or write a config file with `postroom config init`
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["queues", "-o", "jsonl"]), @r#"
    ------- stderr -------
    {"schema":"postroom.error/1","kind":"config","message":"there is no profile in $ROOT/home/.config/postroom/config.toml, and no address was given","context":{},"hint":"name a URL, try `postroom queues demo`, or write a config file with `postroom config init`","exit":2}
    [exit 2]
    "#);
}

#[cfg(unix)]
#[test]
fn a_broken_pipe_in_the_middle_of_a_browse_is_quiet_and_no_failure() {
    use std::io::{BufRead as _, BufReader, Read as _};
    let mut child = TestEnvironment::new().spawn(&["browse", "demo:orders.dlq", "--all", "-q"]);
    let mut line = String::new();
    BufReader::with_capacity(64, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"schema\":\"postroom.message/1\""));
    let status = child.wait().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""));
}
