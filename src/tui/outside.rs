//! What only the terminal can do: its clipboard, and giving it away to a pager, an editor or the shell.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use base64::Engine as _;

use super::msg::{Effect, Msg};
use super::terminal::Screens;
use crate::config::Environment;
use crate::error::{Error, ErrorKind, Result};

/// Bytes that are copied at most: terminals refuse more, or hang.
const CLIPBOARD: usize = 100_000;

/// Does it; what there is to say about it.
pub(super) async fn perform(effect: Effect, screens: &mut Screens, environment: &Environment) -> Option<Msg> {
    match effect {
        Effect::Copy(text) => {
            let cut = text.floor_char_boundary(CLIPBOARD);
            screens.write(&clipboard(text.get(..cut).unwrap_or(&text)));
            (cut < text.len())
                .then(|| Msg::Said("it was too long for the clipboard: its beginning is copied".to_owned()))
        }
        Effect::Suspend => {
            screens.give_away();
            suspend();
            screens.take_back();
            None
        }
        Effect::Pager(text) => {
            let program =
                environment.get("PAGER").filter(|pager| !pager.trim().is_empty()).unwrap_or("less").to_owned();
            shown(open(&program, &text, screens).await)
        }
        Effect::ReadInEditor(text) => shown(open(editor(environment), &text, screens).await),
        Effect::Editor(text) => match open(editor(environment), &text, screens).await {
            Ok(edited) => Some(Msg::Edited(edited)),
            Err(error) => shown(Err(error)),
        },
        _ => None,
    }
}

fn editor(environment: &Environment) -> &str {
    let given = |name: &&str| environment.get(name).filter(|editor| !editor.trim().is_empty());
    ["VISUAL", "EDITOR"].iter().find_map(given).unwrap_or("vi")
}

fn shown(done: Result<String>) -> Option<Msg> {
    done.err().map(|error| {
        Msg::Said(error.hint_text().map_or_else(|| error.to_string(), |hint| format!("{error}\nHint: {hint}")))
    })
}

/// OSC 52: the terminal's clipboard, over any number of remote shells.
pub(super) fn clipboard(text: &str) -> String {
    format!("\x1b]52;c;{}\x07", base64::engine::general_purpose::STANDARD.encode(text))
}

/// Stops this program as the shell's Ctrl-Z does; returns when it is continued.
fn suspend() {
    #[cfg(unix)]
    {
        _ = signal_hook::low_level::raise(signal_hook::consts::SIGTSTP);
    }
}

/// Opens a text in a program that takes the terminal, and gives what the text is afterwards. The file is the operator's
/// alone and is gone afterwards.
async fn open(program: &str, text: &str, screens: &mut Screens) -> Result<String> {
    let failed = |error: std::io::Error| {
        Error::new(ErrorKind::Io, format!("{program:?} can't be opened"))
            .hint("set PAGER or EDITOR to another")
            .because(error)
    };
    let mut file = tempfile::Builder::new().prefix("postroom-").suffix(".txt").tempfile().map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    screens.give_away();
    // The variable may have options in it, as in `code --wait`.
    let done = tokio::process::Command::new("sh")
        .args(["-c", &format!("{program} \"$1\""), "sh"])
        .arg(file.path())
        .status()
        .await;
    screens.take_back();
    let status = done.map_err(failed)?;
    if !status.success() {
        return Err(
            Error::new(ErrorKind::Io, format!("{program:?} ended with {status}")).hint("what was written is as it was")
        );
    }
    // Editors replace the file or write into it: it is read by its name.
    let mut edited = String::new();
    let mut file = std::fs::File::open(file.path()).map_err(failed)?;
    file.seek(SeekFrom::Start(0)).and_then(|_| file.read_to_string(&mut edited)).map_err(failed)?;
    Ok(edited)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_can_t_end_the_sequence() {
        assert_eq!(clipboard("a\x07"), "\x1b]52;c;YQc=\x07");
    }
}
