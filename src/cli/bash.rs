//! Completion in bash, which takes a word with a colon or an equals sign in it for several: addresses have both.
//!
//! The words before the cursor are put together again by the line as it was typed, and of a candidate only that part is
//! given which bash is going to replace. Limits: of a word with quoted blanks only the last part is completed.

use std::ffi::OsString;
use std::io::{Error, Write};
use std::path::Path;

use clap_complete::engine::complete;
use clap_complete::env::EnvCompleter;

/// What bash runs at a tab. `@…@` are filled in.
const SCRIPT: &str = r#"
_clap_complete_@NAME@() {
    local IFS=$'\013' space=true
    local line=${COMP_LINE:0:COMP_POINT}
    compopt +o nospace 2> /dev/null && space=false
    COMPREPLY=( $( \
        @VAR@="bash" \
        _POSTROOM_TYPED="${line##*[[:space:]]}" \
        _POSTROOM_REPLACED="$2" \
        "@COMPLETER@" -- "${COMP_WORDS[@]:0:COMP_CWORD+1}" \
    ) )
    if [[ $? != 0 ]]; then
        unset COMPREPLY
    elif [[ $space == false ]] && [[ "${COMPREPLY-}" =~ [=/:]$ ]]; then
        compopt -o nospace
    fi
}
if [[ "${BASH_VERSINFO[0]}" -eq 4 && "${BASH_VERSINFO[1]}" -ge 4 || "${BASH_VERSINFO[0]}" -gt 4 ]]; then
    complete -o nospace -o bashdefault -o nosort -F _clap_complete_@NAME@ @BIN@
else
    complete -o nospace -o bashdefault -F _clap_complete_@NAME@ @BIN@
fi
"#;

/// Bash, in the place of the library's own.
pub(super) struct Bash;

impl EnvCompleter for Bash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        var: &str,
        name: &str,
        bin: &str,
        completer: &str,
        buf: &mut dyn Write,
    ) -> Result<(), Error> {
        let filled = [("@NAME@", name), ("@VAR@", var), ("@BIN@", bin), ("@COMPLETER@", completer)]
            .iter()
            .fold(SCRIPT.to_owned(), |script, (place, text)| script.replace(place, text));
        buf.write_all(filled.as_bytes())
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        args: Vec<OsString>,
        folder: Option<&Path>,
        buf: &mut dyn Write,
    ) -> Result<(), Error> {
        let told = |name: &str| std::env::var(name).unwrap_or_default();
        let (typed, replaced) = (told("_POSTROOM_TYPED"), told("_POSTROOM_REPLACED"));
        let args = joined(args, &typed);
        let index = args.len().saturating_sub(1);
        let found = complete(command, args, index, folder)?;
        let texts: Vec<String> = found
            .iter()
            .map(|candidate| remainder(&candidate.get_value().to_string_lossy(), &typed, &replaced).to_owned())
            .collect();
        buf.write_all(texts.join("\u{b}").as_bytes())
    }
}

/// The words with the pieces of the last one, as it was typed, put together.
fn joined(mut words: Vec<OsString>, typed: &str) -> Vec<OsString> {
    let mut tail = String::new();
    for from in (1..words.len()).rev() {
        let Some(word) = words.get(from) else { break };
        tail.insert_str(0, &word.to_string_lossy());
        if tail == typed {
            words.truncate(from);
            words.push(typed.into());
            return words;
        }
    }
    words
}

/// The part of a candidate that takes the place of what bash replaces.
fn remainder<'a>(candidate: &'a str, typed: &str, replaced: &str) -> &'a str {
    typed.strip_suffix(replaced).and_then(|stays| candidate.strip_prefix(stays)).unwrap_or(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_bash_took_for_several_words_is_one_again() {
        let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
        for (split, typed, whole) in [
            (&["postroom", "browse", "demo", ":", "or"][..], "demo:or", &["postroom", "browse", "demo:or"][..]),
            (&["postroom", "browse", "demo", ":"], "demo:", &["postroom", "browse", "demo:"]),
            (&["postroom", "browse", "sqs", ":", "//r/o"], "sqs://r/o", &["postroom", "browse", "sqs://r/o"]),
            (&["postroom", "browse", ""], "", &["postroom", "browse", ""]),
            (&["postroom", "bro"], "bro", &["postroom", "bro"]),
        ] {
            assert_eq!(joined(words(split), typed), words(whole));
        }
    }

    #[test]
    fn only_what_bash_replaces_is_given() {
        assert_eq!(remainder("sqs://r/orders", "sqs://r/o", "//r/o"), "//r/orders");
        assert_eq!(remainder("demo:orders", "demo:", ""), "orders");
        assert_eq!(remainder("browse", "bro", "bro"), "browse");
    }
}
