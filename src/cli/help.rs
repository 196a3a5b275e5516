//! `postroom help`: the help of a verb, or a page about something that many verbs share.

use super::Exit;
use super::output::Output;
use crate::error::{Error, ErrorKind, nearest};
use crate::message::filter::help;

/// Explain a verb, or filters (`postroom help filter`)
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A verb, or `filter`
    topic: Vec<String>,
}

/// Runs the verb.
pub(super) fn run(args: &Args, output: &Output) -> Exit {
    let words: Vec<&str> = args.topic.iter().map(String::as_str).collect();
    let text = match words.as_slice() {
        ["filter" | "filters"] => help(),
        words => verb_help(words, output.paint.on)?,
    };
    output.bytes(text.as_bytes())?;
    Ok(0)
}

fn verb_help(words: &[&str], colour: bool) -> crate::Result<String> {
    let mut command = super::command();
    command.build();
    let mut at = &mut command;
    for word in words {
        let names: Vec<String> = at.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        at = at.find_subcommand_mut(word).ok_or_else(|| {
            let error = Error::new(ErrorKind::Usage, format!("there is no help about {word:?}"));
            match nearest(word, names.iter().map(String::as_str).chain(["filter"])) {
                Some(near) => error.hint(format!("did you mean {near:?}?")),
                None => error.hint("`postroom help` lists the verbs; `postroom help filter` explains filters"),
            }
        })?;
    }
    let help = at.render_long_help();
    Ok(if colour { help.ansi().to_string() } else { help.to_string() })
}
