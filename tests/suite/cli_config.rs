//! `postroom config`, profiles and bad configuration.

use insta::assert_snapshot;

use crate::environment::TestEnvironment;

#[test]
fn init_writes_a_file_that_checks_clean_and_never_touches_one_that_is_there() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["config", "init"]), @"
    $ROOT/home/.config/postroom/config.toml
    ------- stderr -------
    Wrote $ROOT/home/.config/postroom/config.toml. Remove the # in front of what you need, then: postroom config check
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["config", "init"]), @"
    ------- stderr -------
    Error: there is a config file at $ROOT/home/.config/postroom/config.toml already
    Hint: edit it, or name another with --config FILE
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["config", "check"]), @"
    $ROOT/home/.config/postroom/config.toml: 0 profiles, no fault
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["config", "path"]), @"
    $ROOT/home/.config/postroom/config.toml
    [exit 0]
    ");
}

#[cfg(unix)]
#[test]
fn the_config_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let environment = TestEnvironment::new();
    assert_eq!(environment.run(&["config", "init"]).exit, 0);
    let mode = std::fs::metadata(environment.path("home/.config/postroom/config.toml")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

const SHOP: &str = r#"
[profiles.shop]
url = "amqp://app@localhost:5672/%2f"
password = { env = "SHOP_PASSWORD" }
production = true
redact = ["body.card.number", "header.authorization"]
colour = "red"

[profiles.open]
url = "amqp://app:geheim@localhost:5672/%2f"
read_only = true
"#;

#[test]
fn show_names_where_secrets_come_from_and_never_what_they_are() {
    let environment = TestEnvironment::with_config(SHOP).variable("SHOP_PASSWORD", "geheim");
    assert_snapshot!(environment.run(&["config", "show", "-o", "table"]), @"
    $ROOT/home/.config/postroom/config.toml

    open
      amqp://app@localhost:5672/%2F, password from the URL, read-only

    shop
      amqp://app@localhost:5672/%2F, password from env SHOP_PASSWORD, production, 2 redact rules
    [exit 0]
    ");
    assert_snapshot!(environment.run(&["config", "show"]), @r#"
    {
      "schema": "postroom.config/1",
      "path": "$ROOT/home/.config/postroom/config.toml",
      "exists": true,
      "profiles": [
        {
          "name": "open",
          "url": "amqp://app@localhost:5672/%2F",
          "password": "the URL",
          "read_only": true,
          "production": false,
          "redact": [],
          "colour": null,
          "options": []
        },
        {
          "name": "shop",
          "url": "amqp://app@localhost:5672/%2F",
          "password": "env SHOP_PASSWORD",
          "read_only": false,
          "production": true,
          "redact": [
            "body.card.number",
            "header.authorization"
          ],
          "colour": "red",
          "options": []
        }
      ]
    }
    [exit 0]
    "#);
}

#[test]
fn check_names_secrets_and_files_that_are_missing() {
    let environment = TestEnvironment::with_config(&format!("{SHOP}tls = {{ ca = \"no-ca.pem\" }}\n"));
    assert_snapshot!(environment.run(&["config", "check"]), @r#"
    ------- stderr -------
    Warning: the password of profile "shop" can't be had: the environment variable SHOP_PASSWORD is not set
    Error: the TLS file $ROOT/home/.config/postroom/no-ca.pem of profile "open" can't be read: No such file or directory (os error 2)
    [exit 2]
    "#);
}

#[test]
fn a_malformed_file_is_named_with_line_column_and_the_nearest_field() {
    let environment = TestEnvironment::with_config("[profiles.shop]\nurl = \"amqp://h/%2f\"\npasword = \"geheim\"\n");
    assert_snapshot!(environment.run(&["queues"]), @"
    ------- stderr -------
    Error: $ROOT/home/.config/postroom/config.toml:3:1: unknown field `pasword`, expected one of `url`, `password`, `tls`, `read_only`, `production`, `redact`, `options`, `color`, `colour`, `schemas`
    Hint: did you mean `password`?
    [exit 2]
    ");
    assert_snapshot!(environment.run(&["queues", "-o", "json"]), @r#"
    ------- stderr -------
    {"schema":"postroom.error/1","kind":"config","message":"$ROOT/home/.config/postroom/config.toml:3:1: unknown field `pasword`, expected one of `url`, `password`, `tls`, `read_only`, `production`, `redact`, `options`, `color`, `colour`, `schemas`","context":{"file":"$ROOT/home/.config/postroom/config.toml","line":"3","column":"1"},"hint":"did you mean `password`?","exit":2}
    [exit 2]
    "#);
    let environment = TestEnvironment::with_config("[profiles.shop]\nurl = \"amqp://h/%2f\"\npassword = \"geheim\n");
    assert_snapshot!(environment.run(&["browse", "shop:orders"]), @r#"
    ------- stderr -------
    Error: $ROOT/home/.config/postroom/config.toml:3:19: invalid basic string, expected `"`
    Hint: `postroom config init` writes a documented example
    [exit 2]
    "#);
}

#[test]
fn verbs_that_need_no_configuration_work_when_it_is_broken() {
    let environment = TestEnvironment::with_config("what is this");
    assert_snapshot!(environment.run(&["config", "path"]), @"
    $ROOT/home/.config/postroom/config.toml
    [exit 0]
    ");
    assert_eq!(environment.run(&["help", "filter"]).exit, 0);
    assert_eq!(environment.run(&["completions", "bash"]).exit, 0);
}

#[test]
fn an_unknown_profile_names_the_nearest_one_and_the_file() {
    let environment = TestEnvironment::with_config(SHOP);
    assert_snapshot!(environment.run(&["browse", "shpo:orders"]), @r#"
    ------- stderr -------
    Error: there is no profile "shpo"
    Hint: did you mean "shop"? The profiles are in $ROOT/home/.config/postroom/config.toml
    [exit 2]
    "#);
    assert_snapshot!(TestEnvironment::new().run(&["browse", "shop:orders"]), @r#"
    ------- stderr -------
    Error: there is no profile "shop"
    Hint: there is no config file at $ROOT/home/.config/postroom/config.toml: `postroom config init` writes one; or use a URL, or demo:QUEUE
    [exit 2]
    "#);
}

#[test]
fn a_config_file_that_was_asked_for_must_exist() {
    let environment = TestEnvironment::new();
    assert_snapshot!(environment.run(&["queues", "--config", "no.toml"]), @"
    ------- stderr -------
    Error: can't read the config file no.toml: No such file or directory (os error 2)
    Hint: name another with --config or POSTROOM_CONFIG, or write one with `postroom config init`
    [exit 2]
    ");
}
