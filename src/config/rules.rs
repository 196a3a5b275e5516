//! The table `[groups]` of the config file into rules for grouping, checked, with errors that name the place.
//!
//! Limits: what a rule does is the fingerprint's business; here it is only read.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::read::Source;
use crate::error::{Error, ErrorKind, Result};
use crate::message::filter::Pick;
use crate::message::fingerprint::Rules;

/// The table as it is written.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRules {
    #[serde(default)]
    mask: Vec<Spanned<String>>,
    #[serde(default)]
    key: Vec<Spanned<String>>,
    #[serde(default)]
    split: Vec<Spanned<String>>,
    #[serde(default)]
    names: BTreeMap<Spanned<String>, String>,
}

/// Checks the table.
pub(super) fn rules(source: &Source<'_>, raw: RawRules) -> Result<Rules> {
    let mut rules = Rules::default();
    for pattern in raw.mask {
        let at = pattern.span();
        rules = rules.mask(pattern.get_ref()).map_err(|error| located(source, at, &error))?;
    }
    for (fields, alone) in [(raw.key, true), (raw.split, false)] {
        for field in fields {
            let at = field.span();
            let field = Pick::parse(field.get_ref()).map_err(|error| located(source, at.clone(), &error))?;
            if field.is_group() {
                return Err(source.error(Some(at), "a group can't be keyed on the group itself"));
            }
            rules = if alone { rules.key(field) } else { rules.split(field) };
        }
    }
    for (id, title) in raw.names {
        let at = id.span();
        let id = id.into_inner().to_lowercase();
        let digits = id.strip_prefix("g-").unwrap_or(&id);
        if !(6..=32).contains(&digits.len()) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            let message = format!("{id:?} is not the name of a group");
            return Err(source
                .error(Some(at), &message)
                .hint("`postroom groups ADDRESS` names them, such as g-5f3a9c"));
        }
        rules = rules.name(id, title);
    }
    Ok(rules)
}

/// A rule's error at its place in the file: what is wrong, the reason in the same sentence, the hint kept.
fn located(source: &Source<'_>, at: std::ops::Range<usize>, error: &Error) -> Error {
    let why = std::error::Error::source(error).map(|why| format!(": {}", one_line(&why.to_string())));
    let what = error.message().lines().next().unwrap_or_default();
    let located = source.error(Some(at), &format!("{what}{}", why.unwrap_or_default()));
    debug_assert_eq!(located.kind(), ErrorKind::Config);
    match error.hint_text() {
        Some(hint) => located.hint(hint),
        None => located,
    }
}

/// The last line of a regex's error, which says what is wrong; the lines before it draw the pattern.
fn one_line(text: &str) -> String {
    let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::read;
    use crate::message::Message;
    use crate::message::failure::Failure;
    use crate::message::fingerprint::fingerprint;

    fn failed(text: &str) -> Failure {
        Failure { dialect: "generic", class: Some("Boom".into()), message: Some(text.into()), ..Failure::default() }
    }

    #[test]
    fn rules_mask_key_split_and_name() {
        let text = "[groups]\nmask = ['customer [A-Z][a-z]+']\nsplit = [\"header.tenant\"]\nkey = [\"body.code\"]\n";
        let rules = read::file(text, Path::new("c.toml")).unwrap().rules;
        let of = |body: &'static str, text: &str| {
            let message = Message { payload: Some(body.into()), ..Message::default() };
            fingerprint(&message, Some(&failed(text)), &rules)
        };
        let smith = of("{}", "customer Smith is barred");
        assert_eq!(smith.id, of("{}", "customer Jones is barred").id);
        assert_eq!(of(r#"{"code":7}"#, "one").id, of(r#"{"code":7}"#, "another").id);
        let named = format!("{text}[groups.names]\n{} = \"barred customers\"\n", smith.id);
        let rules = read::file(&named, Path::new("c.toml")).unwrap().rules;
        let group = fingerprint(&Message::default(), Some(&failed("customer Young is barred")), &rules);
        assert_eq!((group.id, group.title.as_str()), (smith.id, "barred customers"));
    }

    #[test]
    fn a_bad_rule_is_one_error_that_names_its_place() {
        for (text, expected) in [
            (
                "[groups]\nmask = ['ok', 'a(b']",
                "c.toml:2:15: the mask \"a(b\" is no regular expression: unclosed group",
            ),
            ("[groups]\nmask = ['(a{500}){500}{500}']", "c.toml:2:9: the mask \"(a{500}){500}{500}\" is no regular"),
            ("[groups]\nkey = [\"heder.x\"]", "c.toml:2:8: "),
            ("[groups]\nsplit = [\"group\"]", "c.toml:2:10: a group can't be keyed on the group itself"),
            ("[groups]\nmaks = []", "c.toml:2:1: unknown field `maks`"),
            ("[groups.names]\ng-12 = \"x\"", "c.toml:2:1: \"g-12\" is not the name of a group"),
        ] {
            let error = read::file(text, Path::new("c.toml")).expect_err(text);
            assert!(error.to_string().starts_with(expected), "{text}\n{error}");
            assert_eq!(error.to_string().lines().count(), 1, "{error}");
            assert_eq!(error.kind(), crate::ErrorKind::Config);
        }
    }
}
