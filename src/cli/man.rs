//! `postroom man`: the manual pages, made from the same definition as `--help`.

use std::path::PathBuf;

use super::Exit;
use super::output::Output;
use crate::error::{Error, ErrorKind, Result};

/// Print the manual page, or write all of them into a folder
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Write postroom.1 and one page for each verb into this folder
    #[arg(long, value_name = "FOLDER", value_hint = clap::ValueHint::DirPath)]
    to: Option<PathBuf>,
}

/// Runs the verb.
pub(super) fn run(args: &Args, output: &Output) -> Exit {
    let Some(folder) = &args.to else {
        output.bytes(&page(&super::command())?)?;
        return Ok(0);
    };
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("can't write manual pages into {}", folder.display())).because(error)
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut command = super::command();
    command.build();
    for command in std::iter::once(&command).chain(command.get_subcommands()) {
        let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
        std::fs::write(folder.join(format!("{name}.1")), page(&command.clone().name(name))?).map_err(failed)?;
    }
    Ok(0)
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    // No date and no version in the heading: the committed pages change only when the command line does.
    let man = clap_mangen::Man::new(command.clone()).date("").source("postroom").manual("postroom");
    man.render(&mut page)?;
    Ok(page)
}
