//! The end of every write: its report on stdout, what needs attention on stderr, and the exit code.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Exit;
use super::context::Context;
use super::output::text::safe;
use super::output::{Format, Output, Shape, report};
use crate::error::{Error, ErrorKind};
use crate::operation::control::OnOutcome;
use crate::operation::plan::Verb;
use crate::operation::report::{OutcomeLine, Report, exit_code};

/// Writes the report and says what stopped the run.
pub(super) fn finish(report: &Report, context: &Context<'_>) -> Exit {
    finish_with(report, None, context)
}

/// [`finish`], with one more field of the report's object and what it is for people.
pub(super) fn finish_with(
    report: &Report,
    more: Option<(&'static str, Json, Vec<String>)>,
    context: &Context<'_>,
) -> Exit {
    let output = &context.output;
    output.set_bar(None);
    let (field, lines) = more.map_or((None, Vec::new()), |(name, value, lines)| (Some((name, value)), lines));
    let json = || {
        let mut object = serde_json::to_value(report).unwrap_or_default();
        if let Some((name, value)) = field {
            object[name] = value;
        }
        object
    };
    output.object(json, || report::lines(report, output.paint).into_iter().chain(lines).collect())?;
    let seen = report.verification.iter().flat_map(|seen| &seen.notes);
    report.notes.iter().chain(seen).for_each(|note| output.warn(note));
    if let Some(stop) = &report.error {
        let kind = ErrorKind::from_name(&stop.kind).unwrap_or(ErrorKind::Unexpected);
        let error = Error::new(kind, stop.message.clone());
        output.error(&error.hint(stop.hint.clone().unwrap_or_else(|| afterwards(report))));
    }
    Ok(exit_code(report))
}

/// How things are after a stop, and how to go on.
fn afterwards(report: &Report) -> String {
    let done = format!("{} done before that; the rest is where it was", super::output::human::messages(report.done));
    match (report.verb, &report.journal) {
        (Verb::Replay | Verb::Drain | Verb::Undo, Some(journal)) => {
            format!("{done}; `postroom journal resume {journal}` goes on")
        }
        _ => done,
    }
}

/// Who is told what becomes of each message: whoever asked for machine lines, else the log. Nobody, where neither is
/// read: a line for every one of a million is not made for that.
pub(super) fn on_outcome(output: &Arc<Output>) -> Option<OnOutcome> {
    if output.format(Shape::Object) == Format::Jsonl {
        let output = Arc::clone(output);
        // A line that can't be written must not stop a run that moves messages; the report is still to come.
        return Some(Arc::new(move |line| _ = output.json_line(&serde_json::to_string(&line).unwrap_or_default())));
    }
    let log = |line: OutcomeLine| tracing::debug!(outcome = %safe(&line.outcome), id = %safe(&line.id), "message");
    tracing::enabled!(tracing::Level::DEBUG).then(|| Arc::new(log) as OnOutcome)
}
