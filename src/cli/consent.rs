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
pub(super) use crate::operation::consent::Changed;
use crate::operation::consent::{production, refuse_read_only};
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
/// terminal to ask on and without `--yes`; on a production profile with the wrong name. `changed` are the places that
/// the write changes.
///
/// # Errors
/// `Refused`.
pub(super) fn check(changed: &[Changed], context: &Context<'_>) -> Result<()> {
    refuse_read_only(changed)?;
    if context.global.dry_run {
        return Ok(());
    }
    match (&context.global.yes, production(changed)) {
        (Some(given), Some((address, name))) if *given != name => {
            let what = if given.is_empty() {
                "--yes alone is not enough".to_owned()
            } else {
                format!("--yes={given} names another queue")
            };
            Err(Error::new(ErrorKind::Refused, format!("{address} is production: {what}"))
                .hint(format!("write --yes={name}")))
        }
        (None, wanted) if !can_ask(context) => {
            let yes = wanted.map_or_else(|| "--yes".to_owned(), |(_, name)| format!("--yes={name}"));
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
pub(super) async fn ask(plan: &Plan, changed: &[Changed], question: &str, context: &Context<'_>) -> Result<Decision> {
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
    confirm(changed, question, context).await.map(|()| Decision::Go)
}

/// Asks unless `--yes` is there.
///
/// # Errors
/// `Refused` for an answer that is not yes; `Interrupted` for Ctrl-C.
pub(super) async fn confirm(changed: &[Changed], question: &str, context: &Context<'_>) -> Result<()> {
    check(changed, context)?;
    if context.global.yes.is_some() {
        return Ok(());
    }
    let yes = if let Some((address, name)) = production(changed) {
        let warning = context.output.talk_paint.paint(Role::Bad, &format!("{} is production.", safe(&address)));
        answer(&format!("{warning} Type {} to go on: ", safe(&name)), context).await? == name
    } else {
        let answer = answer(&format!("{} [y/N] ", safe(question)), context).await?;
        matches!(answer.to_lowercase().as_str(), "y" | "yes")
    };
    if yes { Ok(()) } else { Err(Error::new(ErrorKind::Refused, "not confirmed: nothing was done")) }
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
