//! `postroom config`: write, find, show and check the configuration file.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::{Value as Json, json};

use super::Exit;
use super::arguments::Global;
use super::context::Context;
use super::output::paint::Role;
use super::output::text::safe;
use super::output::{Output, human};
use crate::config::{Config, DEFAULT_FILE, Environment, Profile};
use crate::error::{Error, ErrorKind, Result};

/// Write, find, show and check the config file
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a documented config file; one that is there is not touched
    Init,
    /// Print where the config file is, or would be
    Path,
    /// Print the profiles, without secrets
    Show,
    /// Read the file, its TLS files and its secrets, and say what is wrong
    Check,
}

/// Runs the verb.
pub(super) fn run(args: &Args, global: &Global, environment: Environment, output: &Arc<Output>) -> Exit {
    match args.action {
        Action::Init => init(&path(global, &environment)?, output),
        Action::Path => output.line(&safe(&path(global, &environment)?.display().to_string())).map(|()| 0),
        Action::Show => show(&Config::load(global.config.as_deref(), environment)?, output),
        Action::Check => {
            let context = Context::new(global, environment, Arc::clone(output))?;
            context.block_on(check(context.places.config(), output))
        }
    }
}

/// Where the file is or would be, also when it can't be read.
fn path(global: &Global, environment: &Environment) -> Result<PathBuf> {
    Config::path(global.config.as_deref(), environment).ok_or_else(|| {
        Error::new(ErrorKind::Config, "this user has no config folder").hint("name the file with --config FILE")
    })
}

fn init(path: &PathBuf, output: &Output) -> Exit {
    let failed =
        |error: std::io::Error| Error::new(ErrorKind::Io, format!("can't write {}", path.display())).because(error);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Passwords may be written into it.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            Error::new(ErrorKind::Refused, format!("there is a config file at {} already", path.display()))
                .hint("edit it, or name another with --config FILE")
        } else {
            failed(error)
        }
    })?;
    file.write_all(DEFAULT_FILE.as_bytes()).map_err(failed)?;
    output.note(&format!(
        "Wrote {}. Remove the # in front of what you need, then: postroom config check",
        path.display()
    ));
    output.line(&safe(&path.display().to_string()))?;
    Ok(0)
}

fn show(config: &Config, output: &Output) -> Exit {
    let place = config.path.as_ref().map(|path| path.display().to_string());
    let json = || {
        json!({
            "schema": "postroom.config/1",
            "path": place,
            "exists": config.exists,
            "profiles": config.profiles.values().map(profile_json).collect::<Vec<_>>(),
        })
    };
    output.object(json, || {
        let state = if config.exists { "" } else { " (not there yet: `postroom config init` writes it)" };
        let mut lines = vec![format!("{}{state}", safe(place.as_deref().unwrap_or("no config folder")))];
        lines.extend(config.profiles.values().flat_map(|profile| profile_lines(profile, output)));
        lines
    })?;
    Ok(0)
}

/// Where the password comes from, never what it is.
fn password_place(profile: &Profile) -> Option<String> {
    let in_url = profile.url.password.as_ref().map(|_| "the URL".to_owned());
    profile.password.as_ref().map(|source| format!("{source:?}")).or(in_url)
}

fn profile_json(profile: &Profile) -> Json {
    json!({
        "name": profile.name,
        "url": profile.url.to_string(),
        "password": password_place(profile),
        "read_only": profile.policy.read_only,
        "production": profile.policy.production,
        "redact": profile.policy.redaction.rules().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "colour": profile.policy.colour.map(|colour| colour.to_string()),
        "options": profile.options.keys().collect::<Vec<_>>(),
    })
}

fn profile_lines(profile: &Profile, output: &Output) -> Vec<String> {
    let paint = output.paint;
    let role = profile.policy.colour.map_or(Role::Name, Role::Profile);
    let mut words = vec![safe(&profile.url.to_string()).into_owned()];
    words.extend(password_place(profile).map(|place| format!("password from {}", safe(&place))));
    words.extend(profile.policy.read_only.then(|| paint.paint(Role::Good, "read-only")));
    words.extend(profile.policy.production.then(|| paint.paint(Role::Warning, "production")));
    let rules = profile.policy.redaction.rules().len() as u64;
    words.extend((rules > 0).then(|| human::plural(rules, "redact rule")));
    vec![String::new(), paint.paint(role, &profile.name), format!("  {}", words.join(", "))]
}

async fn check(config: &Config, output: &Output) -> Exit {
    let place = config.path.as_ref().map_or_else(String::new, |path| path.display().to_string());
    if !config.exists {
        output.note(&format!("There is no config file at {place}; `postroom config init` writes one."));
        return Ok(0);
    }
    let mut faults: Vec<String> = Vec::new();
    for profile in config.profiles.values() {
        if let Err(error) = profile.connect(config.environment()).await {
            faults.push(error.to_string());
        }
        for path in [&profile.tls.ca, &profile.tls.cert, &profile.tls.key].into_iter().flatten() {
            if let Err(error) = std::fs::File::open(path) {
                faults.push(format!(
                    "the TLS file {} of profile {:?} can't be read: {error}",
                    path.display(),
                    profile.name
                ));
            }
        }
    }
    let Some((first, others)) = faults.split_first() else {
        let profiles = human::plural(config.profiles.len() as u64, "profile");
        output.line(&safe(&format!("{place}: {profiles}, no fault")))?;
        return Ok(0);
    };
    for fault in others {
        output.warn(fault);
    }
    Err(Error::new(ErrorKind::Config, first.clone()).context("file", place))
}
