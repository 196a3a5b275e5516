//! The jq program: compiled once, run once for each message.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter, Vars, data, unwrap_valr};
use jaq_json::Val;

use super::view::View;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Message;

/// What is shown of a place in a program.
const EXCERPT: usize = 30;

/// A compiled program.
pub(super) struct Program {
    filter: Filter<data::JustLut<Val>>,
}

impl Program {
    pub(super) fn compile(text: &str) -> Result<Self> {
        let definitions = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let functions = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let file = File { code: text, path: () };
        let modules = Loader::new(definitions).load(&arena, file).map_err(|errors| {
            let whys = errors.into_iter().map(|(_, error)| why(&error));
            wrong(&whys.collect::<Vec<_>>().join("; "))
        })?;
        let filter = Compiler::default().with_funs(functions).compile(modules).map_err(|errors| {
            let unknown = errors.into_iter().flat_map(|(_, unknown)| unknown);
            let whys = unknown.map(|(name, what)| format!("there is no {} {name:?}", what.as_str()));
            wrong(&whys.collect::<Vec<_>>().join("; "))
        })?;
        Ok(Self { filter })
    }

    pub(super) fn apply(&self, message: &Message) -> Result<Option<Message>> {
        let view = View::of(message)?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        let mut given = self.filter.id.run((context, view.value())).map(unwrap_valr);
        let one = match given.next() {
            None => return Err(rejected("the edit gives nothing for it")),
            Some(Err(error)) => return Err(rejected(&format!("the edit fails: {error}"))),
            Some(Ok(value)) => value,
        };
        match given.next() {
            None => view.edited(&one),
            Some(_) => Err(rejected("the edit gives more than one message for it")),
        }
    }
}

/// A message that the edit can't be done to.
pub(super) fn rejected(why: &str) -> Error {
    Error::new(ErrorKind::Rejected, why.to_owned())
}

fn wrong(why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the edit is not a jq program: {why}"))
        .hint("such as --edit '.body.currency = \"EUR\"' or '.headers[\"x-fixed\"] = \"yes\"'")
}

fn why(error: &jaq_core::load::Error<&str>) -> String {
    let at = |found: &str| match found.chars().take(EXCERPT).collect::<String>() {
        text if text.is_empty() => "at its end".to_owned(),
        text => format!("at {text:?}"),
    };
    match error {
        jaq_core::load::Error::Io(errors) => {
            errors.iter().map(|(path, why)| format!("{path}: {why}")).collect::<Vec<_>>().join("; ")
        }
        jaq_core::load::Error::Lex(errors) => {
            let whys = errors.iter().map(|(expected, found)| format!("{} expected {}", expected.as_str(), at(found)));
            whys.collect::<Vec<_>>().join("; ")
        }
        jaq_core::load::Error::Parse(errors) => {
            let whys = errors.iter().map(|(expected, found)| format!("{} expected {}", expected.as_str(), at(found)));
            whys.collect::<Vec<_>>().join("; ")
        }
    }
}
