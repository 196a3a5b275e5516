//! `replay --edit-in-editor`: the messages in the operator's editor, and what was changed there as an edit.

use std::io::Write as _;
use std::ops::ControlFlow;

use super::context::Context;
use super::output::human;
use crate::broker::Delivery;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;
use crate::operation::browse::{self, BrowseRequest, FnSink};
use crate::operation::edit::{Edit, hand};

/// Messages that are put into one file at most.
const MOST: u64 = 100;

/// Looks at the messages, opens them in `$VISUAL` or `$EDITOR`, and gives the change as an edit; `None` where nothing was
/// changed. What can't be read back is opened again, with the reason.
///
/// # Errors
/// `Refused` for too many messages and without a terminal; `Io` where the editor fails.
pub(super) async fn edit(look: BrowseRequest, context: &Context<'_>) -> Result<Option<Edit>> {
    if !context.output.stderr_is_terminal {
        return Err(Error::new(ErrorKind::Refused, "there is no terminal for an editor")
            .hint("--edit JQ and --edit-file FILE change messages without one"));
    }
    let mut messages: Vec<Message> = Vec::new();
    let mut sink = FnSink(|deliveries: Vec<Delivery>| {
        messages.extend(deliveries.into_iter().map(|delivery| delivery.message));
        Ok(ControlFlow::Continue(()))
    });
    let limit = Some(look.limit.unwrap_or(u64::MAX).min(MOST + 1));
    browse::run(BrowseRequest { limit, ..look }, &context.control(), &mut sink).await?;
    context.output.set_bar(None);
    if messages.is_empty() {
        return Err(Error::new(ErrorKind::NotFound, "there is no message to edit"));
    }
    if messages.len() as u64 > MOST {
        let what = format!("there are more than {} to edit by hand", human::messages(MOST));
        return Err(Error::new(ErrorKind::Refused, what)
            .hint("--filter, --group and --limit narrow it; --edit JQ changes any number"));
    }
    let given = hand::text(&messages)?;
    let mut text = given.clone();
    loop {
        let back = open(&text, context).await?;
        match hand::program(&given, &back) {
            Ok(program) => return program.map(|program| Edit::parse(&program)).transpose(),
            Err(error) if back == text => return Err(error),
            Err(error) => {
                let reason = error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error}\n# {hint}"));
                let old = back.lines().filter(|line| !line.starts_with("# ! "));
                let kept: Vec<&str> = old.collect();
                text = format!("# ! {}\n{}\n", reason.replace('\n', "\n# ! "), kept.join("\n"));
            }
        }
    }
}

/// Opens a text in the editor, and gives what it is afterwards. The file is the operator's alone and is gone afterwards.
async fn open(text: &str, context: &Context<'_>) -> Result<String> {
    let environment = context.places.config().environment();
    let editor = ["VISUAL", "EDITOR"].iter().find_map(|name| environment.get(name).filter(|e| !e.trim().is_empty()));
    let editor = editor.unwrap_or("vi");
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("{editor:?} can't be opened")).hint("set EDITOR to another").because(error)
    };
    let mut file = tempfile::Builder::new().prefix("postroom-").suffix(".json").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    // The variable may have options in it, as in `code --wait`.
    let status = tokio::process::Command::new("sh")
        .args(["-c", &format!("{editor} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .await
        .map_err(failed)?;
    if !status.success() {
        return Err(Error::new(ErrorKind::Io, format!("{editor:?} ended with {status}")).hint("nothing was done"));
    }
    // Editors replace the file or write into it: it is read by its name.
    std::fs::read_to_string(file.path()).map_err(failed)
}
