//! The operator's consent to a write: policy first, then the question on the terminal, or `--yes`.
//!
//! A read-only profile refuses whatever is said; a production profile wants the queue's name, typed or as
//! `--yes=QUEUE`. Without a terminal and without `--yes` nothing is done.

use std::io::{BufRead as _, BufReader, IsTerminal as _, Write as _};

use super::context::Context;
use super::output::paint::Role;
use super::output::plan::sheet;
use super::output::text::safe;
use crate::error::{Error, ErrorKind, Result};
use crate::operation::place::Place;
use crate::operation::plan::Plan;

/// What the operator decided about a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// Run it.
    Go,
    /// The plan was wanted, nothing else.
    Printed,
}

/// Refuses a write that could never be agreed to, before any work is done for it: on a read-only profile; without a
/// terminal to ask on and without `--yes`; on a production profile with the wrong name.
///
/// # Errors
/// `Refused`.
pub(super) fn check(place: &Place, context: &Context<'_>) -> Result<()> {
    if place.policy.read_only {
        return Err(Error::new(ErrorKind::Refused, format!("{} is read-only", place.address))
            .hint("the profile says read_only = true; use another profile, or change it in the config file"));
    }
    if context.global.dry_run {
        return Ok(());
    }
    let wanted = place.policy.production.then(|| name_of(place));
    match (&context.global.yes, wanted) {
        (Some(given), Some(name)) if *given != name => {
            let what = if given.is_empty() {
                "--yes alone is not enough".to_owned()
            } else {
                format!("--yes={given} names another queue")
            };
            Err(Error::new(ErrorKind::Refused, format!("{} is production: {what}", place.address))
                .hint(format!("write --yes={name}")))
        }
        (None, wanted) if !can_ask(context) => {
            let yes = wanted.map_or_else(|| "--yes".to_owned(), |name| format!("--yes={name}"));
            Err(Error::new(ErrorKind::Refused, "there is no terminal to ask on")
                .hint(format!("look at the plan with --dry-run, then write {yes}")))
        }
        _ => Ok(()),
    }
}

/// Shows the plan, and asks unless `--yes` is there. With `--dry-run` the plan is the data.
///
/// # Errors
/// `Refused` for a plan with a failed check and for an answer that is not yes; `Interrupted` for Ctrl-C.
pub(super) async fn ask(plan: &Plan, place: &Place, question: &str, context: &Context<'_>) -> Result<Decision> {
    let output = &context.output;
    if context.global.dry_run {
        let json = || serde_json::to_value(plan).unwrap_or_default();
        output.object(json, || sheet(plan, output.width, output.paint))?;
        plan.require_checks()?;
        return Ok(Decision::Printed);
    }
    if output.talks() {
        output.say(&sheet(plan, output.width, output.talk_paint).join("\n"));
    }
    plan.require_checks()?;
    if context.global.yes.is_some() {
        return Ok(Decision::Go);
    }
    let wanted = if place.policy.production { name_of(place) } else { String::from("y") };
    let prompt = if place.policy.production {
        format!("{} Type {} to go on: ", output.talk_paint.paint(Role::Bad, "This is production."), safe(&wanted))
    } else {
        format!("{} [y/N] ", safe(question))
    };
    let answer = answer(&prompt, context).await?;
    let yes = answer == wanted || (!place.policy.production && matches!(answer.to_lowercase().as_str(), "y" | "yes"));
    if yes { Ok(Decision::Go) } else { Err(Error::new(ErrorKind::Refused, "not confirmed: nothing was done")) }
}

/// What a production profile wants to be typed: the queue's name as in the address.
fn name_of(place: &Place) -> String {
    place.address.target.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// The question is put on stderr; the answer comes from stdin, or from the terminal itself where stdin holds data.
fn can_ask(context: &Context<'_>) -> bool {
    context.output.stderr_is_terminal && (std::io::stdin().is_terminal() || terminal().is_some())
}

#[cfg(unix)]
fn terminal() -> Option<std::fs::File> {
    std::fs::File::open("/dev/tty").ok()
}

#[cfg(windows)]
fn terminal() -> Option<std::fs::File> {
    std::fs::File::open("CONIN$").ok()
}

#[cfg(not(any(unix, windows)))]
fn terminal() -> Option<std::fs::File> {
    None
}

async fn answer(prompt: &str, context: &Context<'_>) -> Result<String> {
    // The cursor stays behind the question.
    let mut stderr = std::io::stderr();
    _ = write!(stderr, "{prompt}").and_then(|()| stderr.flush());
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        match (std::io::stdin().is_terminal(), terminal()) {
            (false, Some(terminal)) => BufReader::new(terminal).read_line(&mut line),
            _ => std::io::stdin().lock().read_line(&mut line),
        }
        .map(|_| line)
    });
    tokio::select! {
        line = read => match line {
            Ok(Ok(line)) => Ok(line.trim().to_owned()),
            _ => Err(Error::new(ErrorKind::Refused, "no answer can be read from the terminal: nothing was done")),
        },
        () = context.stop.cancelled() => Err(Error::new(ErrorKind::Interrupted, "interrupted: nothing was done")),
    }
}
