//! The `postroom` command: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

/// Messages are made on one thread and freed on another; the system's allocator is slow at that (a third of the
/// processor time of a replay).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    postroom::cli::main(SCREENS)
}

#[cfg(feature = "tui")]
const SCREENS: Option<postroom::operation::session::OpenScreens> = Some(postroom::tui::run);
#[cfg(not(feature = "tui"))]
const SCREENS: Option<postroom::operation::session::OpenScreens> = None;
