//! The fallback: headers and JSON fields whose names say what they are, whoever wrote them.
//!
//! A name is one of `error`, `err`, `exception`, `exc`, `reason`, `fault`, `failure`, `failed`, `fail`, `panic`, `crash`, `fehler`,
//! `erreur`, alone or with `type`, `class`, `kind`, `code`, `name`, `message`, `detail`, `description`, `what`, `stack`, `trace` or
//! `chain`, perhaps after `x`, `dlq` or `dead letter`; case and `-`, `_`, `.` do not count. A header's may begin with a team's
//! own words, and be one of them alone behind these where its value is a text of several words, as that of a lone `err` or
//! `fail` has to be. A lone `stack`, `stacktrace`, `backtrace` or `traceback` adds to them, and is enough in a header that
//! holds frames. A body may hold them in an `error` or `exception`
//! object, and a header may hold such a body, or a list of the errors within each other. Limits: a lone code, or a lone
//! `reason`, is no failure: live messages have those, too.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::read::text;
use super::{Failure, body};
use crate::message::{self, Amqp, Message};
use crate::text::find::find;

/// What a field tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Part {
    Class,
    Text,
    /// Text under a name that flags and counts have, too: only several words, or a class, are an error's.
    Told,
    /// Text under a name that may mean other things (`reason`).
    Hint,
    Stack,
    /// The exception's class beside its text, else the text.
    Exception,
    /// A stack under a name that does not speak of a failure.
    Trace,
}

/// The words that make a name speak of a failure.
const SUBJECTS: [&str; 13] = [
    "error",
    "exception",
    "failure",
    "failed",
    "fault",
    "panic",
    "reason",
    "crash",
    "fehler",
    "erreur",
    "exc",
    "fail",
    "err",
];

/// What may come before the subject.
const PREFIXES: [&str; 5] = ["xdeadletter", "deadletter", "xdlq", "dlq", "x"];

/// What may come after the subject.
const PARTS: [(&str, Part); 29] = [
    ("response", Part::Hint),
    ("type", Part::Class),
    ("klasse", Part::Class),
    ("meldung", Part::Text),
    ("class", Part::Class),
    ("classname", Part::Class),
    ("fqcn", Part::Class),
    ("code", Part::Class),
    ("kind", Part::Class),
    ("name", Part::Class),
    ("message", Part::Text),
    ("msg", Part::Text),
    ("text", Part::Text),
    ("detail", Part::Text),
    ("details", Part::Text),
    ("description", Part::Text),
    ("reason", Part::Text),
    ("what", Part::Text),
    ("cause", Part::Text),
    ("exception", Part::Exception),
    ("stack", Part::Stack),
    ("stacktrace", Part::Stack),
    ("trace", Part::Stack),
    ("chain", Part::Stack),
    ("backtrace", Part::Stack),
    ("traceback", Part::Stack),
    ("frames", Part::Stack),
    ("callstack", Part::Stack),
    ("where", Part::Trace),
];

/// The longest name that is looked at.
const MAX_NAME: usize = 48;

/// What was found so far.
#[derive(Default)]
struct Found {
    class: Option<String>,
    text: Option<String>,
    hint: Option<String>,
    stack: Option<String>,
    exception: Option<String>,
    trace: Option<String>,
    /// What a JSON object under such a name says: it knows more than the text beside it.
    inner: Option<String>,
}

impl Found {
    fn put(&mut self, part: Part, value: Option<String>) {
        if let Some(text) = value.as_deref().filter(|text| text.starts_with(['{', '[']))
            && self.put_json(text)
        {
            return;
        }
        // What is called a reason is a failure's where it is a report, or begins with the class of an error.
        let is_told = |text: &str| is_report(text) || super::trace::named(text).is_some();
        let part = if part == Part::Hint && value.as_deref().is_some_and(is_told) { Part::Text } else { part };
        // A lone word is the name of something else that is called a stack, or a flag.
        let says = |text: &str| match part {
            Part::Trace => text.contains(['\n', ' ']),
            Part::Told => text.contains(['\n', ' ']) || is_class(text),
            _ => true,
        };
        let value = value.filter(|text| says(text));
        // The class may stand under the name of the text, beside one that says more.
        if matches!(part, Part::Text | Part::Told)
            && let (Some(own), Some(new)) = (self.text.as_deref(), value.as_deref())
            && is_class(own) != is_class(new)
        {
            let (class, text) = if is_class(own) { (own, new) } else { (new, own) };
            let (class, text) = (class.to_owned(), text.to_owned());
            self.class.get_or_insert(class);
            self.text = Some(text);
            return;
        }
        let slot = match part {
            Part::Class => &mut self.class,
            Part::Text | Part::Told => &mut self.text,
            Part::Hint => &mut self.hint,
            Part::Stack => &mut self.stack,
            Part::Exception => &mut self.exception,
            Part::Trace => &mut self.trace,
        };
        if slot.is_none() {
            *slot = value;
        }
    }

    /// Takes a record in JSON, or a list of errors of which each is behind the one before; false, and nothing taken, for
    /// any other text.
    fn put_json(&mut self, text: &str) -> bool {
        if text.len() > body::MAX_BODY {
            return false;
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(record)) => {
                let named = record.iter().find(|(name, value)| value.is_object() && part(name).is_some());
                let error = named.and_then(|(_, error)| error.as_object()).unwrap_or(&record);
                let told = body::text(error, "message").or_else(|| {
                    let list = error.get("message")?.as_array()?;
                    // One sentence for all places of a list: `items.0.sku should not be empty`.
                    let sentence = |text: &str| {
                        let (field, rest) = text.split_once(' ').unwrap_or((text, ""));
                        format!("{} {rest}", body::without_indices(field))
                    };
                    let told: BTreeSet<_> = list.iter().filter_map(Value::as_str).map(sentence).collect();
                    (!told.is_empty()).then(|| told.into_iter().collect::<Vec<_>>().join("; "))
                });
                // Under other names, or as a problem of RFC 9457.
                let told =
                    told.or_else(|| ["detail", "msg", "text", "what"].iter().find_map(|name| body::text(error, name)));
                let Some(told) = told else { return false };
                self.inner.get_or_insert(told);
                // The type of a problem is the address of a page about it.
                let named = ["name", "type", "class", "kind"].iter().find_map(|name| body::text(error, name));
                self.class = self.class.take().or(named.filter(|name| !name.contains("://") && name != "about:blank"));
                self.stack = self.stack.take().or_else(|| {
                    ["stack", "stacktrace", "trace", "where"].iter().find_map(|name| body::lines(error, name))
                });
                true
            }
            Ok(Value::Array(chain)) => {
                let told = chain.iter().rev().find_map(Value::as_str).map(str::to_owned);
                let is_told = told.is_some();
                self.inner = told.or(self.inner.take());
                is_told
            }
            _ => false,
        }
    }

    /// Takes an error and the errors that it holds. The innermost says what happened; what it leaves out is taken from
    /// those around it.
    fn put_error(&mut self, error: &Map<String, Value>) {
        let chain: Vec<_> = std::iter::successors(Some(error), |error| cause(error)).take(body::MAX_CAUSES).collect();
        for inner in chain.into_iter().rev() {
            for name in inner.keys() {
                if let Some(inside) = part(name).or_else(|| own_part(name)) {
                    let told = body::lines(inner, name).or_else(|| body::text(inner, name));
                    // Within an error, a stack is the error's.
                    let is_own = inside == Part::Trace && told.as_deref().is_some_and(|text| text.contains('\n'));
                    self.put(if is_own { Part::Stack } else { inside }, told);
                }
            }
            // What a validator found is a list, of which its message is the text.
            if self.text.is_none()
                && let Some(Value::Array(_)) = inner.get("issues")
            {
                self.text = inner.get("issues").map(Value::to_string);
            }
        }
    }

    fn failure(mut self) -> Option<Failure> {
        if let Some(inner) = self.inner.take() {
            self.text = Some(inner);
        }
        // `exception: NoMethodError` beside `error: undefined method …` is the class of that text.
        match self.exception.take() {
            Some(class) if self.text.is_some() && self.class.is_none() && !class.contains(' ') => {
                self.class = Some(class);
            }
            // A whole report under the name of its message, as failed jobs of PHP have it.
            Some(report) if self.stack.is_none() && self.text.is_none() && is_report(&report) => {
                self.text = report.lines().next().map(str::to_owned);
                self.stack = Some(report);
            }
            exception => self.text = self.text.or(exception),
        }
        // And under the name of its text, as Rust's errors are printed with their causes and a backtrace.
        if self.stack.is_none()
            && self.trace.is_none()
            && let Some(report) = self.text.take_if(|text| is_report(text))
        {
            self.text = report.lines().next().map(str::to_owned);
            self.stack = Some(report);
        }
        let beside_class = self.class.is_some() && (self.hint.is_some() || self.trace.is_some());
        let sure = self.text.is_some() || self.stack.is_some() || beside_class;
        sure.then(|| Failure {
            dialect: "generic",
            class: self.class,
            message: self.text.or(self.hint),
            stack: self.stack.or(self.trace),
            ..Failure::default()
        })
    }
}

/// Whether a text is the name of an error and no more.
fn is_class(text: &str) -> bool {
    !text.contains(' ') && super::trace::is_error(text)
}

/// Whether a text goes on with causes or the frames of a stack behind its first line.
fn is_report(text: &str) -> bool {
    const MARKS: [&str; 4] = ["stack trace:", "stack backtrace:", "caused by:", "traceback (most recent call last):"];
    (text.starts_with("thread '") && text.contains("panicked at "))
        || super::panicked(text).is_some()
        || (text.starts_with('{') && text.contains(",[{file,\""))
        || text.lines().skip(1).any(|line| {
            let line = line.trim_start();
            ["#0 ", "at ", "File \"", "in function ", "goroutine "].iter().any(|start| line.starts_with(start))
                || MARKS.iter().any(|mark| line.eq_ignore_ascii_case(mark))
                || super::trace::is_elixir(line)
        })
}

/// Reads headers with common names, or with a record in JSON as Sneakers' `retry_info` is one.
pub(super) fn headers(message: &Message) -> Option<Failure> {
    let mut found = Found::default();
    // A name of one meaning goes first, wherever it stands.
    let mut later = Vec::new();
    for (name, value) in &message.headers {
        match part(name).or_else(|| named_part(name)) {
            Some(part) => match (part, value) {
                // A client of AMQP may write an error as a table.
                (Part::Text | Part::Told | Part::Exception, message::Value::Amqp(Amqp::Table(error))) => {
                    found.put_error(&body::of_table(error));
                }
                _ => found.put(part, text(value)),
            },
            None => later.extend(last_part(name).map(|part| (part, value))),
        }
    }
    for (part, value) in later {
        found.put(part, text(value).filter(|text| text.contains(' ')));
    }
    // The whole report may stand beside its first line, whatever it is called.
    if let Some(told) = found.text.as_deref().filter(|told| found.stack.is_none() && told.len() >= WHOLE) {
        let begins = |bytes: &[u8]| bytes.len() > told.len() && bytes.starts_with(told.as_bytes());
        let longer = message.headers.iter().filter(|(_, value)| bytes(value).is_some_and(begins));
        found.stack = longer.filter_map(|(_, value)| text(value)).find(|text| is_report(text));
    }
    // In a header, frames are those of a failure, whatever it is called.
    if found.trace.as_deref().is_some_and(is_report) {
        found.stack = found.stack.take().or(found.trace.take());
    }
    found.failure().or_else(|| {
        let records = || message.headers.iter().filter_map(|(_, value)| bytes(value));
        records().find_map(|bytes| fields(&body::object_in(bytes)?)).or_else(|| records().find_map(problem))
    })
}

/// A shorter text may begin another by chance.
const WHOLE: usize = 12;

/// A problem of RFC 9457, under whatever name.
fn problem(header: &[u8]) -> Option<Failure> {
    let text = std::str::from_utf8(Some(header).filter(|header| header.starts_with(b"{"))?).ok()?;
    let mut found = Found::default();
    let is_problem = ["\"detail\"", "\"status\"", "\"title\""].iter().all(|name| find(text, name).is_some());
    (is_problem && found.put_json(text)).then(|| found.failure()).flatten()
}

/// The bytes of a header that is text.
fn bytes(header: &message::Value) -> Option<&[u8]> {
    match header {
        message::Value::Bytes(bytes) | message::Value::Sqs { value: bytes, .. } => Some(bytes),
        message::Value::Amqp(Amqp::ShortString(text)) => Some(text.as_bytes()),
        _ => None,
    }
}

/// What a header tells whose name begins with a team's own words: `billing-error-message`, `x-failed-stacktrace`.
fn named_part(name: &str) -> Option<Part> {
    let mut rest = name.get(..MAX_NAME).unwrap_or(name);
    while let Some((_, tail)) = rest.split_once(['-', '_', '.']) {
        rest = tail;
        let subject = SUBJECTS
            .iter()
            .find(|subject| rest.get(..subject.len()).is_some_and(|start| start.eq_ignore_ascii_case(subject)));
        // A subject alone may be anything's, such as `ignore-error`: see `last_part`.
        if subject.is_some_and(|subject| rest.len() > subject.len()) {
            return part(rest);
        }
    }
    None
}

/// What a header tells by the last word of its name alone: `x-acme-error`, `x-acme-stack`. A lone `reason` is anybody's.
fn last_part(name: &str) -> Option<Part> {
    let (_, last) = name.rsplit_once(['-', '_', '.'])?;
    part(last).filter(|part| matches!(part, Part::Text | Part::Told | Part::Exception | Part::Trace))
}

/// Reads a body with common names, at the top and in an object that is named as a failure.
pub(super) fn fields(fields: &Map<String, Value>) -> Option<Failure> {
    let mut found = Found::default();
    for (name, value) in fields {
        match (part(name), value) {
            (Some(Part::Text | Part::Told | Part::Hint | Part::Exception), Value::Object(error)) => {
                found.put_error(error);
            }
            (Some(part @ (Part::Stack | Part::Trace)), _) => found.put(part, body::lines(fields, name)),
            (Some(part), _) => found.put(part, body::text(fields, name)),
            (None, _) => {}
        }
    }
    found.failure()
}

/// The error within an error, where it says anything.
fn cause(error: &Map<String, Value>) -> Option<&Map<String, Value>> {
    const CAUSES: [&str; 6] = ["cause", "causedby", "inner", "innererror", "innerexception", "originalerror"];
    let inner = error
        .iter()
        .find(|(name, _)| CAUSES.contains(&plain(name).as_str()))
        .and_then(|(_, value)| value.as_object())?;
    inner
        .keys()
        .any(|name| matches!(part(name).or_else(|| own_part(name)), Some(Part::Text | Part::Told)))
        .then_some(inner)
}

/// What a field of this name tells about a failure, if anything.
fn part(name: &str) -> Option<Part> {
    if name.len() > MAX_NAME || !may_speak(name) {
        return None;
    }
    let plain = plain(name);
    let is_trace = |name: &str| matches!(name, "stack" | "stacktrace" | "backtrace" | "traceback");
    if is_trace(&plain) || PREFIXES.iter().any(|prefix| plain.strip_prefix(prefix).is_some_and(is_trace)) {
        return Some(Part::Trace);
    }
    let bare = PREFIXES.iter().find_map(|prefix| {
        plain.strip_prefix(prefix).filter(|rest| SUBJECTS.iter().any(|subject| rest.starts_with(subject)))
    });
    let (rest, prefixed) = bare.map_or((plain.as_str(), false), |rest| (rest, true));
    let (subject, tail) = SUBJECTS.iter().find_map(|subject| Some((*subject, rest.strip_prefix(subject)?)))?;
    match tail {
        "" if subject == "reason" && !prefixed => Some(Part::Hint),
        "" if subject == "exception" => Some(Part::Exception),
        "" if subject == "failed" => None,
        "" if matches!(subject, "err" | "fail") => Some(Part::Told),
        "" => Some(Part::Text),
        tail => PARTS.iter().find(|(word, _)| *word == tail).map(|(_, part)| *part),
    }
}

/// What a field within an `error` object tells.
fn own_part(name: &str) -> Option<Part> {
    let plain = plain(name);
    PARTS.iter().find(|(word, _)| *word == plain).map(|(_, part)| *part)
}

/// A quick look before anything is copied: every name that speaks has one of these runs of letters.
fn may_speak(name: &str) -> bool {
    let bytes = name.as_bytes();
    let exc = |name: &str| name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("exc"));
    exc(name)
        || exc(name.get(2..).unwrap_or_default())
        || bytes.windows(4).any(|four| {
            [b"xcep", b"fail", b"ault", b"easo", b"trac", b"stac", b"anic", b"rash", b"ehle"]
                .iter()
                .any(|word| four.eq_ignore_ascii_case(*word))
        })
        || bytes.windows(3).any(|three| three.eq_ignore_ascii_case(b"err"))
}

fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '-' | '_' | '.' | ' ')).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Fields;

    #[test]
    fn names_speak_in_any_spelling() {
        for (name, want) in [
            ("error", Some(Part::Text)),
            ("X-Error-Code", Some(Part::Class)),
            ("exceptionClassName", Some(Part::Class)),
            ("failure_reason", Some(Part::Text)),
            ("DeadLetterReason", Some(Part::Text)),
            ("reason", Some(Part::Hint)),
            ("error.stack_trace", Some(Part::Stack)),
            ("stack_trace", Some(Part::Trace)),
            ("Stack", Some(Part::Trace)),
            ("x-stacktrace", Some(Part::Trace)),
            ("haystack", None),
            ("traceparent", None),
            ("exception", Some(Part::Exception)),
            ("x-fail-type", Some(Part::Class)),
            ("x-fail-text", Some(Part::Text)),
            ("err_msg", Some(Part::Text)),
            ("err", Some(Part::Told)),
            ("x-fail", Some(Part::Told)),
            ("failure.where", Some(Part::Trace)),
            ("failover", None),
            ("errand", None),
            ("x-panic", Some(Part::Text)),
            ("x-panic-stack", Some(Part::Stack)),
            ("organic", None),
            ("errors", None),
            ("default", None),
            ("tenant", None),
        ] {
            assert_eq!(part(name), want, "{name}");
        }
    }

    #[test]
    fn headers_may_begin_with_words_of_a_team() {
        for (name, want) in [
            ("billing-error-type", Some(Part::Class)),
            ("kinoko-error-what", Some(Part::Text)),
            ("x-failed-exception", Some(Part::Exception)),
            ("x-failed-stacktrace", Some(Part::Stack)),
            ("x-failed-at", None),
            ("ignore-error", None),
            ("x-failed", None),
            ("error-rate-limit", None),
        ] {
            assert_eq!(part(name).or_else(|| named_part(name)), want, "{name}");
        }
    }

    #[test]
    fn a_plain_error_header_is_a_failure() {
        let mut message = Message::default();
        message.headers.push("X-Error-Type", "Timeout");
        assert_eq!(headers(&message), None, "a lone code is none");
        message.headers.push("x-error-message", "no answer in 30 s");
        let failure = headers(&message).unwrap();
        assert_eq!(failure.class.as_deref(), Some("Timeout"));
        assert_eq!(failure.message.as_deref(), Some("no answer in 30 s"));
    }

    #[test]
    fn a_class_with_its_trace_a_table_and_a_problem_are_failures() {
        let with = |name: &'static str, value: message::Value| {
            let mut message = Message::default();
            message.headers.push("x-exc-type", "KeyError");
            message.headers.push(name, value);
            super::headers(&message).map(|failure| (failure.class, failure.message, failure.stack))
        };
        let trace = "Traceback (most recent call last):\n  File \"/app/a.py\", line 3, in b\nKeyError: 'a'";
        let read = with("x-traceback", message::Value::text(trace)).unwrap();
        assert_eq!((read.0.as_deref(), read.2.as_deref()), (Some("KeyError"), Some(trace)));
        let table = Fields::from_iter([("message", "no lines"), ("stack", "TypeError: no lines\n    at f (a.js:1:2)")]);
        let read = with("x-error", message::Value::Amqp(Amqp::Table(table))).unwrap();
        assert_eq!(read.1.as_deref(), Some("no lines"));
        assert!(read.2.is_some_and(|stack| stack.contains("a.js")));
        let problem = r#"{"type":"https://acme.example/late","title":"Refused","status":422,"detail":"no probe"}"#;
        let mut message = Message::default();
        message.headers.push("rejection", problem);
        let failure = super::headers(&message).unwrap();
        assert_eq!((failure.class, failure.message.as_deref()), (None, Some("no probe")));
        message.headers = Fields::from_iter([("offer", r#"{"title":"a","detail":"b"}"#)]);
        assert_eq!(super::headers(&message), None);
    }

    #[test]
    fn an_error_in_a_body_may_tell_its_frames_without_their_at() {
        let body = serde_json::json!({"failure": {"kind": "java.util.NoSuchElementException", "what": "key not found: 7",
            "where": ["scala.collection.HashMap.apply(HashMap.scala:643)", "io.acme.Fuel.litres(Fuel.scala:29)"]}});
        let failure = fields(body.as_object().unwrap()).unwrap();
        assert_eq!(failure.class.as_deref(), Some("java.util.NoSuchElementException"));
        assert!(failure.stack.is_some_and(|stack| stack.ends_with("\n\tat io.acme.Fuel.litres(Fuel.scala:29)")));
    }

    #[test]
    fn a_text_behind_a_teams_own_words_is_a_failure_and_a_word_is_none() {
        let with = |headers: &[(&str, &str)]| {
            let mut message = Message::default();
            for (name, value) in headers {
                message.headers.push(*name, *value);
            }
            super::headers(&message)
        };
        for own in [
            ("ignore-error", "true"),
            ("x-acme-failed", "at ten"),
            ("x-acme-reason", "as asked for"),
            ("x-acme-stack", "a b"),
            ("err", "0"),
            ("x-fail", "false"),
            ("x-acme-err", "true"),
        ] {
            assert_eq!(with(&[own]), None, "{own:?}");
        }
        let failure =
            with(&[("x-acme-error", "no such hotel"), ("x-acme-stack", "goroutine 7 [running]:\nmain.f()")]).unwrap();
        assert_eq!(failure.message.as_deref(), Some("no such hotel"));
        assert!(failure.stack.is_some());
        for own in [("err", "no such hotel"), ("x-fail", "no such hotel"), ("x-acme-err", "no such hotel")] {
            assert_eq!(with(&[own]).unwrap().message.as_deref(), Some("no such hotel"), "{own:?}");
        }
        let named = with(&[("x-acme-error", "gave up"), ("x-error-message", "no such hotel")]).unwrap();
        assert_eq!(named.message.as_deref(), Some("no such hotel"), "a name of one meaning goes first");
    }

    #[test]
    fn an_exception_beside_an_error_is_its_class_and_a_trace_is_their_stack() {
        let read = |body: Value| fields(body.as_object().unwrap());
        let job =
            serde_json::json!({"exception": "NoMethodError", "error": "undefined method", "backtrace": ["a", "b"]});
        let failure = read(job).unwrap();
        assert_eq!(
            (failure.class.as_deref(), failure.message.as_deref()),
            (Some("NoMethodError"), Some("undefined method"))
        );
        assert_eq!(failure.stack.as_deref(), Some("a\nb"));
        let alone = read(serde_json::json!({"exception": "Boom"})).unwrap();
        assert_eq!((alone.class, alone.message.as_deref()), (None, Some("Boom")));
        assert_eq!(read(serde_json::json!({"stacktrace": "a b"})), None, "a log event is no failure");
        let deployed = read(serde_json::json!({"error": "boom", "stack": "prod-eu"})).unwrap();
        assert_eq!(deployed.stack, None);
    }

    #[test]
    fn json_under_such_a_name_says_more_than_the_text_beside_it() {
        let read = |headers: &[(&'static str, &str)]| {
            let mut message = Message::default();
            for (name, value) in headers {
                message.headers.push(*name, *value);
            }
            let failure = super::headers(&message).unwrap();
            (failure.class.unwrap_or_default(), failure.message.unwrap_or_default(), failure.stack.is_some())
        };
        let record = r#"{"service":"shop","error":{"name":"QueryFailedError","message":"no such column","stack":"E: x\n at f (a.js:1:2)"}}"#;
        assert_eq!(read(&[("x-failure", record)]), ("QueryFailedError".into(), "no such column".into(), true));
        let response =
            r#"{"statusCode":400,"message":["items.1.sku should not be empty","items.0.sku should not be empty"]}"#;
        let told = read(&[("x-error-message", "Bad Request Exception"), ("x-error-response", response)]);
        assert_eq!(told.1, "items.sku should not be empty");
        let told =
            read(&[("error", "handle record 5@17"), ("error-chain", r#"["decode transfer","missing field `a`"]"#)]);
        assert_eq!(told.1, "missing field `a`");
        let detail =
            read(&[("x-error-message", "duplicate key"), ("x-error-detail", r#"{"code":"23505","table":"a"}"#)]);
        assert_eq!(detail.1, "duplicate key");
        assert_eq!(read(&[("FEHLERKLASSE", "a.B"), ("FEHLERTEXT", "kein Tarif")]).1, "kein Tarif");
    }

    #[test]
    fn an_error_within_an_error_says_what_happened() {
        let read = |body: Value| fields(body.as_object().unwrap()).unwrap();
        let failure =
            read(serde_json::json!({"error": {"code": "STEP_FAILED", "message": "step failed", "stack": "at x",
            "cause": {"code": "VAT", "message": "no answer", "cause": {"retry": true}}}}));
        assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (Some("VAT"), Some("no answer")));
        assert_eq!(failure.stack.as_deref(), Some("at x"), "what the innermost leaves out");
    }

    #[test]
    fn an_error_of_which_there_is_only_a_stack_or_a_list_of_issues_is_one() {
        let read = |body: Value| fields(body.as_object().unwrap());
        let stack = serde_json::json!({"order": 7, "error": {"name": "TypeError", "stack": "TypeError: x\n    at f (a.js:1:2)"}});
        let failure = read(stack).unwrap();
        assert_eq!(failure.class.as_deref(), Some("TypeError"));
        assert!(failure.stack.is_some_and(|stack| stack.contains("a.js")));
        let issues = serde_json::json!({"error": {"name": "ZodError", "issues": [{"path": ["payer", "iban"], "message": "Required"}]}});
        let failure = read(issues).unwrap();
        assert_eq!(failure.message.as_deref(), Some(r#"[{"path":["payer","iban"],"message":"Required"}]"#));
        assert_eq!(read(serde_json::json!({"error": {"name": "TypeError", "stack": "prod"}})), None);
    }

    #[test]
    fn a_class_under_the_name_of_the_text_is_the_class() {
        let headers = [("x-error", "a.ValidationError"), ("x-error-message", "no user")];
        for headers in [headers, [headers[1], headers[0]]] {
            let message = Message { headers: Fields::from_iter(headers), ..Message::default() };
            let failure = super::headers(&message).unwrap();
            assert_eq!(
                (failure.class.as_deref(), failure.message.as_deref()),
                (Some("a.ValidationError"), Some("no user"))
            );
        }
        let alone = Message { headers: Fields::from_iter([headers[0]]), ..Message::default() };
        assert_eq!(super::headers(&alone).unwrap().message.as_deref(), Some("a.ValidationError"));
    }

    #[test]
    fn a_stack_may_be_a_list_in_a_text() {
        let body = serde_json::json!({"error": "no id", "error_class": "ArgumentError", "num_attempts": 3,
            "backtrace": "[\"/app/app/workers/mailer.rb:21:in `work'\", \"/bundle/gems/sneakers-2.12.0/lib/worker.rb:79:in `run'\"]"});
        let failure = fields(body.as_object().unwrap()).unwrap();
        assert_eq!(failure.message.as_deref(), Some("no id"));
        assert!(failure.stack.is_some_and(|stack| stack.starts_with("/app/app/workers/mailer.rb:21:in `work'\n")));
    }

    #[test]
    fn a_report_is_found_beside_its_first_line_whatever_it_is_called() {
        let mut message = Message::default();
        message.headers.push("dlq.error", "handling hello from gw-7");
        message.headers.push(
            "dlq.debug",
            "handling hello from gw-7\n\nCaused by:\n    missing field `a`\n\nStack backtrace:\n   0: shop::a::b\n",
        );
        assert!(headers(&message).unwrap().stack.is_some_and(|stack| stack.contains("shop::a::b")));
        message.headers.retain(|name, _| name != "dlq.debug");
        message.headers.push("dlq.note", "handling hello from gw-7 again");
        assert_eq!(headers(&message).unwrap().stack, None);
    }

    #[test]
    fn a_panic_is_a_report_whatever_is_told_before_it() {
        let mut message = Message::default();
        message.headers.push("x-error", "task 17 panicked at src/fees.rs:88:14: no fee");
        assert!(headers(&message).unwrap().stack.is_some());
    }

    #[test]
    fn a_report_under_the_name_of_its_text_is_read_as_one() {
        let mut message = Message::default();
        message.headers.push("x-error", "giving up\n\nCaused by:\n    0: no\n\nStack backtrace:\n   0: shop::a::b\n");
        let failure = headers(&message).unwrap();
        assert_eq!(failure.message.as_deref(), Some("giving up"));
        assert!(failure.stack.is_some_and(|stack| stack.contains("shop::a::b")));
    }

    #[test]
    fn a_body_speaks_at_the_top_or_in_an_error_object() {
        let read = |body: Value| fields(body.as_object().unwrap());
        let nested =
            serde_json::json!({"order": 1, "error": {"type": "Timeout", "message": "late", "stack": ["a", "b"]}});
        let failure = read(nested).unwrap();
        assert_eq!((failure.class.as_deref(), failure.message.as_deref()), (Some("Timeout"), Some("late")));
        assert_eq!(failure.stack.as_deref(), Some("a\nb"));
        assert!(read(serde_json::json!({"errorMessage": "late", "payload": {}})).is_some());
        for live in [
            serde_json::json!({"reason": "customer request"}),
            serde_json::json!({"error": null, "errorCode": 0}),
            serde_json::json!({"error": {}}),
        ] {
            assert_eq!(read(live.clone()), None, "{live}");
        }
    }
}
