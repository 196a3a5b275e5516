//! The `postroom` command: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    postroom::cli::main(SCREENS)
}

#[cfg(feature = "tui")]
const SCREENS: Option<postroom::operation::session::OpenScreens> = Some(postroom::tui::run);
#[cfg(not(feature = "tui"))]
const SCREENS: Option<postroom::operation::session::OpenScreens> = None;
