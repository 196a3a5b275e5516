//! The text of a failure that says what happened, without what was told around it of how often it was tried.
//!
//! Limits: English, as error texts are.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::carried::{carried, client_timed_out};
use super::phrases::{Phrase, Phrases};
use super::versions::as_one_version;
use super::{names, own};
use crate::message::Message;
use crate::message::failure::{self, Failure, announces, without_indices};
use crate::text::find::{behind, find, split, starts};
use crate::text::words::Words;

/// Words of which one is in every text about tries.
static TRIES: Words = Words::new(&["retries", "retry", "attempts", "attempt", "tries", "gave", "giving"]);
/// The other words of which such texts are made.
static AROUND: Words = Words::new(&[
    "up",
    "max",
    "maximum",
    "number",
    "of",
    "the",
    "after",
    "all",
    "exhausted",
    "failed",
    "reached",
    "exceeded",
    "limit",
    "with",
    "was",
    "has",
    "have",
    "been",
    "in",
    "at",
    "on",
    "last",
    "error",
    "out",
    // Of `attempt(s)`.
    "s",
]);
/// A longer text than this is told for itself.
const SHORT: usize = 60;
/// More texts around each other than this are not taken off.
const DEPTH: usize = 8;

/// The text whose template is in a group's key: the message, and only its first line where there is a stack, which
/// tells no more of it. A line that only announces others goes on with them.
///
/// Values that the message itself holds stand in quotes in it.
#[must_use]
pub fn cause_text<'a>(message: &Message, failure: &'a Failure) -> Option<Cow<'a, str>> {
    cause(message, failure).text
}

/// What a failure is told as.
pub(super) struct Cause<'a> {
    /// Its class; where its text is another's, that one's.
    pub(super) class: Option<&'a str>,
    /// Its text, see [`cause_text`].
    pub(super) text: Option<Cow<'a, str>>,
}

/// The class and the text of a failure's cause.
pub(super) fn cause<'a>(message: &Message, failure: &'a Failure) -> Cause<'a> {
    let Some((class, told)) = told(failure) else { return Cause { class: failure.class.as_deref(), text: None } };
    let text = match told {
        Cow::Borrowed(text) => own::marked(message, text),
        Cow::Owned(text) => Cow::Owned(own::marked(message, &text).into_owned()),
    };
    Cause { class, text: Some(text) }
}

fn told(failure: &Failure) -> Option<(Option<&str>, Cow<'_, str>)> {
    let class = failure.class.as_deref();
    let text = failure.message.as_deref()?;
    let first = text.lines().next()?;
    if let Some(issues) = issues(text, failure) {
        return Some((class, Cow::Owned(issues)));
    }
    if let Some((class, told)) = client_timed_out(failure) {
        return Some((Some(class), Cow::Borrowed(told)));
    }
    let has = Phrases::of(text);
    if let Some(missing) = pydantic(has, text) {
        return Some((class, Cow::Owned(missing)));
    }
    let text = if failure.stack.is_some() && !announces(first) { sentence(text, first) } else { text };
    let text = prisma(failure).or_else(|| panicked(has, failure)).unwrap_or(text);
    let mut cause = without_state(has, time_only(has, failure, without_log_head(text)));
    for _ in 0..DEPTH {
        let parts = split(cause, ": ");
        match parts
            .and_then(tried)
            .or_else(|| listed(cause))
            .or_else(|| handled(cause))
            .or_else(|| parts.and_then(placed))
            .or_else(|| parts.and_then(handling))
            .or_else(|| parts.and_then(|parts| by_whom(failure, parts)))
            .or_else(|| parts.and_then(recovered))
        {
            Some(inner) => cause = inner,
            None => break,
        }
    }
    let cause = fixed(has, failure, cause);
    let (class, cause) = match class.and_then(|class| carried(has, class, cause, !failure.frames.is_empty())) {
        Some((class, text)) => (Some(class), text),
        None => (class, cause),
    };
    let text = as_one_version(has, failure, cause);
    Some((class, text.map_or_else(|| without_tries(cause), Cow::Owned)))
}

/// The first line of a text, and the next ones to where a quote that it opens closes.
fn sentence<'a>(text: &'a str, first: &'a str) -> &'a str {
    let quotes = |text: &str| memchr::memchr_iter(b'"', text.as_bytes()).count();
    if quotes(first) % 2 == 0 {
        return first;
    }
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]).skip(1).take(QUOTED_LINES);
    ends.filter_map(|end| text.get(..end)).find(|lines| quotes(lines) % 2 == 0).unwrap_or(first)
}

/// A quote of more lines is none.
const QUOTED_LINES: usize = 4;

/// A text without what a logger puts before it: `[2026-09-03 04:34:10] [error] [tid 7] `, `E1027 20:11:56.614577 60435 a.cc:204] `.
fn without_log_head(text: &str) -> &str {
    static LEVELS: Words = Words::new(&["error", "critical", "fatal", "err", "warning", "warn"]);
    // Of glog: the level and the date, the time, the thread, the line.
    let glog = || {
        let level = text.strip_prefix(['I', 'W', 'E', 'F'])?;
        level.starts_with(|c: char| c.is_ascii_digit()).then_some(())?;
        let (head, rest) = split(text, "] ")?;
        let mut words = head.split(' ').filter(|word| !word.is_empty());
        let level = words.next()?.get(1..)?;
        let is_head = level.len() == 4
            && level.bytes().all(|byte| byte.is_ascii_digit())
            && words.next()?.starts_with(|c: char| c.is_ascii_digit())
            && head.contains(':');
        is_head.then_some(rest)
    };
    if let Some(rest) = glog() {
        return rest;
    }
    let mut rest = text;
    let mut level = false;
    while let Some((head, tail)) = behind(rest, "[").and_then(|inside| split(inside, "] ")) {
        level |= LEVELS.has(head);
        rest = tail;
    }
    if level && !rest.is_empty() { rest } else { text }
}

/// What a bus or a container says that it handled: `Handling "App\Message\A" failed: no way` of Symfony, and Spring's
/// `Listener failed; no way`.
fn handled(text: &str) -> Option<&str> {
    let rest = if let Some(rest) = behind(text, "Handling \"") {
        rest.split_once("\" failed: ")?.1
    } else if let Some(rest) = behind(text, "Listener method '") {
        rest.split_once("' threw exception; ")?.1
    } else {
        behind(text, "Listener failed; ")?
    };
    (!rest.is_empty()).then_some(rest)
}

/// What stands behind the record that a consumer of Go was at: `process message partition=3 offset=5: no such mandate`.
fn placed<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    static DOING: Words = Words::new(&[
        "process",
        "processing",
        "handle",
        "handling",
        "consume",
        "consuming",
        "failed",
        "to",
        "error",
        "kafka",
        "message",
        "msg",
        "record",
        "event",
    ]);
    static PLACE: Words =
        Words::new(&["topic", "partition", "offset", "key", "group", "queue", "delivery_tag", "message_id"]);
    let pairs = head.find('=')?;
    let at = head.get(..pairs)?.rfind(' ').map_or(0, |space| space + 1);
    let (doing, place) = head.split_at_checked(at)?;
    let is_place = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| PLACE.has(name));
    (doing.split_ascii_whitespace().all(|word| DOING.has(word))
        && place.split([' ', ',']).filter(|pair| !pair.is_empty()).all(is_place)
        && !rest.is_empty())
    .then_some(rest)
}

/// What stands behind which message was at hand: `processing sqs message 7f3a: missing field`.
fn handling<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    static DOING: Words = Words::new(&[
        "process",
        "processing",
        "handle",
        "handling",
        "consume",
        "consuming",
        "receive",
        "received",
        "failed",
        "to",
        "error",
        "while",
        "kafka",
        "sqs",
        "amqp",
        "rabbitmq",
        "nats",
        "redis",
    ]);
    static WHAT: Words = Words::new(&["message", "msg", "record", "event", "delivery", "job", "task"]);
    let mut words = head.split(' ').filter(|word| !word.is_empty()).skip_while(|word| DOING.has(word));
    let is_what = WHAT.has(words.next()?) && words.next().is_none_or(|id| id.bytes().any(|byte| byte.is_ascii_digit()));
    (is_what && words.next().is_none() && !rest.is_empty() && !WHAT.has(head)).then_some(rest)
}

/// What a program panicked with, where who recovered from it says so: `job 17 panicked: no map`.
fn recovered<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    let last = head.rsplit(' ').next().unwrap_or(head);
    (matches!(last, "panic" | "panicked" | "recovered") && head.len() <= SHORT && !rest.is_empty()).then_some(rest)
}

/// What stands behind who it happened to, of which there are several: `worker 3: no rate`, `handler take_orders: no rate`.
fn by_whom<'a>(failure: &Failure, (head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    static WHO: Words =
        Words::new(&["worker", "handler", "consumer", "processor", "subscriber", "listener", "goroutine"]);
    let mut words = head.split([' ', '-', '#', '[', ']']).filter(|word| !word.is_empty());
    let is_told = |word: &str| {
        word.bytes().all(|byte| byte.is_ascii_digit()) || failure.consumer.as_deref().is_some_and(|own| own == word)
    };
    let is_who = WHO.has(words.next()?) && words.all(is_told);
    (is_who && !rest.is_empty()).then_some(rest)
}

/// Texts of which a runtime has one in each language, or a client one for each of its versions.
fn fixed<'a>(has: Phrases, failure: &Failure, text: &'a str) -> &'a str {
    let class = failure.class.as_deref().unwrap_or_default();
    let of_listener =
        text == "Listener failed" || (starts(text, "Listener method '") && text.ends_with("' threw exception"));
    if class == "System.NullReferenceException" || (of_listener && !failure.frames.is_empty()) {
        return "";
    }
    // Spring's outer text of a cause that has none.
    if let Some(nested) = behind(text, "nested exception is ")
        && matches!(nested.strip_prefix(class), Some("" | ": null" | ": None"))
    {
        return "";
    }
    // What HAPI could not read follows, and is the message itself.
    if starts(text, NO_HL7) {
        return NO_HL7;
    }
    // Of what may stand at that place only the name of what is missing counts.
    if class.starts_with("Newtonsoft.") && starts(text, "Required property '") {
        return split(text, ". Path '").map_or(text, |(told, _)| told);
    }
    // Which of a field's rules fail hangs on its value.
    if let Some((told, _)) = has.split(Phrase::Constraints, text) {
        return told;
    }
    // Lambda's runtime ends a function that takes more memory than it may.
    if class.starts_with("Runtime.") && text.ends_with("Runtime exited with error: signal: killed") {
        return "Runtime exited with error: signal: killed";
    }
    if let Some((told, _)) = has.split(Phrase::NextException, text) {
        return told.trim_end();
    }
    // The value stands behind the index that does not take it twice.
    if starts(text, "Cannot insert duplicate key row in object '") || starts(text, "Violation of ") {
        return split(text, ". The duplicate key value is (").map_or(text, |(told, _)| told);
    }
    // Newer versions name what they tried.
    if starts(text, "Auth fail") && class.ends_with("JSchException") {
        return "Auth fail";
    }
    // PHP's own file, of a report that was cut.
    if starts(text, "SQLSTATE[") {
        return split(text, " in /").map_or(text, |(told, _)| told);
    }
    // Faraday tells what was asked for since its version 2.11.
    if starts(text, "the server responded with status ") && !failure.frames.is_empty() {
        return split(text, " for ").map_or(text, |(status, _)| status);
    }
    if class == "System.FormatException"
        && ["Input string was not", "The input string '", "Die Eingabezeichenfolge"]
            .iter()
            .any(|start| text.starts_with(start))
    {
        return "Input string was not in a correct format";
    }
    // Go's runtime says what it is; what recovered from it says so in words of its own.
    if let Some(at) = has.find(Phrase::RuntimeError, text).filter(|at| *at <= SHORT) {
        return text.get(at..).unwrap_or(text);
    }
    if class == "SyntaxError" && text.starts_with("Unexpected token") && text.contains("JSON") {
        return "Unexpected token in JSON";
    }
    // A database or a decoder that names the column or the field says all, whoever called it.
    for root in [Phrase::Unmarshal, Phrase::MissingField, Phrase::UnknownField, Phrase::UnknownVariant, Phrase::Error] {
        if let Some(at) =
            has.find(root, text).filter(|at| *at > 0 && text.get(..*at).is_some_and(|before| before.ends_with(": ")))
            && (root != Phrase::Error || text.contains("constraint \"") || text.contains("column \""))
        {
            return text.get(at..).and_then(|text| text.lines().next()).unwrap_or(text);
        }
    }
    if class == "DBConnection.ConnectionError"
        && let Some(at) = has.find(Phrase::Dropped, text)
    {
        // Newer versions name the pool before it.
        return text.get(at..at + Phrase::Dropped.text().len()).unwrap_or(text);
    }
    let text = behind(text, "error returned from database: ").unwrap_or(text);
    if let Some(at) =
        has.find(Phrase::Swift, text).and_then(|at| text.get(..at)?.rfind("keyNotFound(").filter(|at| *at <= SHORT))
    {
        // Swift names the type, and what printed it the line, before the case of the enumeration.
        return text.get(at..).unwrap_or(text);
    }
    let text = behind(text, "DecodingFailure at ").and_then(|rest| Some(split(rest, ": ")?.1)).unwrap_or(text);
    for (mark, kept) in [
        (Phrase::Source, 0),
        (Phrase::Down, 0),
        (Phrase::Lazy, 0),
        (Phrase::LazyColon, 0),
        (Phrase::RequestId, 0),
        (Phrase::RequestIdComma, 0),
        (Phrase::MissingAtPath, " was missing".len()),
        (Phrase::Script, 0),
        (Phrase::Deadline, "rpc error: code = DeadlineExceeded".len()),
    ] {
        if let Some(at) = has.find(mark, text) {
            return text.get(..at + kept).unwrap_or(text);
        }
    }
    text
}

/// A chain of Go's errors without those of its parts that only say that something was tried again.
fn without_tries(text: &str) -> Cow<'_, str> {
    let is_told = |part: &&str| !tells_tries(part);
    if find(text, ": ").is_none() || text.contains('\n') || text.split(": ").skip(1).all(|part| is_told(&part)) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.split(": ").filter(is_told).collect::<Vec<_>>().join(": "))
}

/// The field, or the constraint, that only a reader or a validator around the cause names: `lines.qty` of Jackson's
/// `(through reference chain: Order["lines"]->…)`.
#[must_use]
pub(super) fn field(failure: &Failure) -> Option<String> {
    let vague = failure.message.as_deref() == Some("could not execute statement");
    let texts = [failure.message.as_deref(), failure.outer.as_deref(), failure.stack.as_deref()];
    if let Some(segment) = segment(failure) {
        return Some(segment);
    }
    // Each text, most of them long traces, is gone through once.
    texts.into_iter().flatten().find_map(|text| {
        FIELD.find_iter(text).find_map(|mark| {
            let (before, behind) = (text.get(..mark.start())?, text.get(mark.end()..)?);
            match mark.as_str() {
                CHAIN => chained(behind),
                DECODED => decoded(behind),
                DOWN => climbed(behind),
                BOUND => bound(behind),
                MAPPED => names::field(behind.split_once(']')?.0).map(Cow::into_owned),
                PLAYED => played(behind),
                MISSING => missing(behind),
                VIOLATED => violations(text),
                SCHEMA => schema(behind),
                CONVERTED => names::field(before.rsplit_once("Path: $.")?.1).map(Cow::into_owned),
                _ if vague => names::field(behind.split_once(']')?.0).map(Cow::into_owned),
                _ => None,
            }
        })
    })
}

/// What HAPI says of a text that is no HL7.
const NO_HL7: &str = "Can't parse message beginning";

/// The place in a message of HL7 that HAPI found wrong: `PID-7` of `… datetime string at PID-7(1)`.
fn segment(failure: &Failure) -> Option<String> {
    failure.class.as_deref().filter(|class| starts(class, "ca.uhn.hl7v2."))?;
    let (_, place) = failure.message.as_deref()?.lines().next()?.rsplit_once(" at ")?;
    let (segment, rest) = place.split_once('-')?;
    let field = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_segment =
        segment.len() == 3 && segment.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    (is_segment && field > 0).then(|| format!("{segment}-{}", rest.get(..field).unwrap_or_default()))
}

/// How Jackson begins to tell where it was.
const CHAIN: &str = "(through reference chain: ";
/// How Spring's validation begins each error.
const BOUND: &str = "Field error in object '";
/// How Elasticsearch begins to tell what it could not take: `failed to parse field [size.height] of type [float]`.
const MAPPED: &str = "failed to parse field [";
/// How Play's JSON begins to tell what it missed: `JsResultException(errors:List((/lines(1)/sku,List(…`.
const PLAYED: &str = "errors:List((/";
/// How the JDBC sink of Connect begins to tell the columns that its table has not.
const MISSING: &str = "is missing fields ([SinkRecordField{";
/// How Hibernate's validator tells the field of each violation: `propertyPath=payer.iban, rootBeanClass=…`.
const VIOLATED: &str = "propertyPath=";
/// How the validators of XML name the rule: `cvc-complex-type.2.4.b: The content of element 'Totals' is not complete. …`.
const SCHEMA: &str = "cvc-";
/// What follows the path that .NET's reader of JSON was at: `Path: $.Lines[0].Id | LineNumber: 0`.
const CONVERTED: &str = " | LineNumber: ";
/// How circe begins to tell where it was: `DecodingFailure at .lines[0].sku: Missing required field`.
const DECODED: &str = "DecodingFailure at .";
/// And how it told it before, inside out: `Missing required field: DownField(sku),DownField(line)`.
const DOWN: &str = Phrase::Down.text();
/// How Spring begins to name the constraint where Hibernate says only that it could not execute a statement.
const CONSTRAINT: &str = "constraint [";

#[expect(clippy::expect_used, reason = "a constant pattern, compiled in a test of this file")]
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    let marks = [CHAIN, BOUND, MAPPED, PLAYED, MISSING, VIOLATED, SCHEMA, CONVERTED, CONSTRAINT, DECODED, DOWN];
    let marks = marks.map(regex::escape);
    Regex::new(&marks.join("|")).expect("a valid pattern")
});

/// `lines.qty` of Jackson's `Order["lines"]->java.util.ArrayList[0]->Line["qty"])`.
fn chained(behind: &str) -> Option<String> {
    let chain = behind.split_once(')').map_or(behind, |(chain, _)| chain);
    let names: Vec<&str> =
        chain.split("[\"").skip(1).filter_map(|part| part.split_once("\"]")).map(|(name, _)| name).collect();
    names::field(&names.join(".")).map(Cow::into_owned)
}

/// `lines.sku` of circe's `lines[0].sku: Missing required field`.
fn decoded(behind: &str) -> Option<String> {
    names::field(split(behind, ": ")?.0).map(Cow::into_owned)
}

/// `line.sku` of `sku),DownField(line)`.
fn climbed(behind: &str) -> Option<String> {
    let line = behind.lines().next()?;
    let mut names: Vec<&str> = line.split("DownField(").filter_map(|part| Some(part.split_once(')')?.0)).collect();
    names.reverse();
    names::field(&names.join(".")).map(Cow::into_owned)
}

/// The fields of Connect's list, each told with its schema.
fn missing(behind: &str) -> Option<String> {
    let fields = behind.split_once("])").map_or(behind, |(fields, _)| fields);
    each_once(fields.split("name='").skip(1).filter_map(|field| field.split_once('\'')))
}

/// All fields that Hibernate's validator lists.
fn violations(text: &str) -> Option<String> {
    each_once(text.split(VIOLATED).skip(1).filter_map(|rest| rest.split_once(',')))
}

/// The rule of a schema with the elements that it names: those that are wrong, and those that are missing.
fn schema(behind: &str) -> Option<String> {
    let line = behind.lines().next()?;
    let (rule, told) = line.split_once(": ").filter(|(rule, _)| rule.len() <= 40 && !rule.contains(' '))?;
    let elements = told.split("element '").skip(1).filter_map(|rest| Some(rest.split_once('\'')?.0));
    let expected =
        told.split_once("One of '{").and_then(|(_, rest)| Some(rest.split_once("}'")?.0)).unwrap_or_default();
    let expected =
        expected.split(", ").filter_map(|name| name.rsplit(['"', ':']).next()).filter(|name| !name.is_empty());
    let names: Vec<&str> = elements.chain(expected).collect();
    Some(format!("{SCHEMA}{rule} {}", names.join(", ")).trim_end().to_owned())
}

/// All fields that Spring's validation lists: `order' on field 'payer.iban': rejected value …`.
fn bound(behind: &str) -> Option<String> {
    each_once(behind.split(BOUND).filter_map(|error| error.split_once("' on field '")?.1.split_once('\'')))
}

/// The fields of a list in one order, whatever the list's is; what stands behind each is of no interest.
fn each_once<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let fields: BTreeSet<_> = fields.filter_map(|(field, _)| names::field(field)).collect();
    (!fields.is_empty()).then(|| fields.into_iter().collect::<Vec<_>>().join(", "))
}

/// `lines.sku` of Play's `lines(1)/sku,List(…`.
fn played(behind: &str) -> Option<String> {
    let path: String =
        behind.split_once(',')?.0.chars().filter(|c| !c.is_ascii_digit() && !matches!(c, '(' | ')')).collect();
    names::field(&path.replace('/', ".")).map(Cow::into_owned)
}

/// What the validators of JavaScript say in JSON: `[{"path":["lines",0,"qty"],"message":"Required"}]` becomes
/// `Required in field lines.qty`.
fn issues(text: &str, failure: &Failure) -> Option<String> {
    let is_list = |text: &str| ["[{", "[\n", "[ {"].iter().any(|start| starts(text, start));
    let json = if is_list(text) {
        text
    } else if text == "[" {
        // Of a message over several lines a trace gives the first.
        let stack = failure.stack.as_deref()?;
        stack.get(memchr::memmem::find(stack.as_bytes(), b"[\n")?..)?
    } else {
        return None;
    };
    let list: Value = serde_json::Deserializer::from_str(json).into_iter::<Value>().next()?.ok()?;
    let told = list.as_array()?.iter().take(ISSUES).filter_map(|issue| {
        let message = issue.get("message")?.as_str()?;
        let Some(path) = issue.get("path").and_then(Value::as_array) else {
            // Of ajv, which names a missing field in its message, and the way to where it misses it as `/lines/0`.
            let place = issue.get("instancePath").or_else(|| issue.get("dataPath"))?.as_str()?;
            let names = without_indices(&place.trim_start_matches(['/', '.']).replace('/', "."));
            return Some(if names.is_empty() { message.to_owned() } else { format!("{message} in field {names}") });
        };
        let names: Vec<&str> = path.iter().filter_map(Value::as_str).collect();
        Some(format!("{message} in field {}", names.join(".")))
    });
    let told: BTreeSet<String> = told.collect();
    (!told.is_empty()).then(|| told.into_iter().collect::<Vec<_>>().join("; "))
}

/// What pydantic says of a model, by field, without the input: `Order: Field required in field lines.qty`.
fn pydantic(has: Phrases, text: &str) -> Option<String> {
    let (_, rest) = has.split(Phrase::Model, text).or_else(|| has.split(Phrase::Models, text))?;
    // A line that leads to the documentation follows each error, in most versions.
    let mut lines = rest.lines().filter(|line| !line.trim_start().starts_with("For further information"));
    let model = lines.next()?.trim();
    let mut told = BTreeSet::new();
    while let (Some(field), Some(detail)) = (lines.next(), lines.next()) {
        let Some((detail, _)) = detail.split_once(" [type=").filter(|_| !field.starts_with(' ')) else { break };
        told.insert(format!("{} in field {}", detail.trim(), without_indices(field)));
        if told.len() == ISSUES {
            break;
        }
    }
    (!told.is_empty()).then(|| format!("{model}: {}", told.into_iter().collect::<Vec<_>>().join("; ")))
}

/// More issues than this are not told apart.
const ISSUES: usize = 16;

/// What Prisma says behind the source that it shows: the last line.
fn prisma(failure: &Failure) -> Option<&str> {
    let text = failure.message.as_deref()?.trim();
    let shown = starts(text, "Invalid `") && text.contains("invocation");
    if shown { text.lines().next_back().filter(|last| *last != text) } else { None }
}

/// What a Rust program panicked with, without the thread and the line of source that its report begins with.
fn panicked(has: Phrases, failure: &Failure) -> Option<&str> {
    let text = failure.message.as_deref().filter(|_| has.has(Phrase::Panicked))?;
    let (_, told) = failure::panicked(text.trim())?;
    Some(told).filter(|told| !told.is_empty())
}

/// A text without the state of the client that some add to it: pairs such as `qu: 0, qs: 17, bw: Inactive`, of which there
/// are many; and without what SQL Server's deadlocks were about, locks or threads.
fn without_state(has: Phrases, text: &str) -> &str {
    if let Some((_, about)) = has.split(Phrase::Deadlocked, text) {
        return text.strip_suffix(about).and_then(|text| text.strip_suffix(" on ")).unwrap_or(text);
    }
    // Before each pair but the first there is a comma.
    if memchr::memchr_iter(b',', text.as_bytes()).nth(PAIRS - 2).is_none() {
        return text;
    }
    let is_pair = |part: &str| {
        behind(part, " ").and_then(|part| split(part, ": ")).is_some_and(|(name, _)| {
            (2..=16).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        })
    };
    let (mut start, mut pairs, mut at) = (0_usize, 0, 0);
    for part in text.split(',') {
        if is_pair(part) {
            start = if pairs == 0 { at } else { start };
            pairs += 1;
            if pairs == PAIRS {
                return text.get(..start.saturating_sub(1)).unwrap_or(text);
            }
        } else {
            pairs = 0;
        }
        at += part.len() + 1;
    }
    text
}

/// So many pairs in a row are a client's state.
const PAIRS: usize = 4;

/// What was wrong with a text that is no time depends on the text.
fn time_only<'a>(has: Phrases, failure: &Failure, text: &'a str) -> &'a str {
    if starts(text, "parsing time \"") {
        return "parsing time";
    }
    let java = failure.class.as_deref().is_some_and(|class| class.ends_with("DateTimeParseException"));
    match has.find(Phrase::Parsed, text).filter(|_| java) {
        Some(at) => text.get(..at + Phrase::Parsed.text().len()).unwrap_or(text),
        None => text,
    }
}

/// Whether a few words only say that something was tried again, and how often: `retry of order 17 refused` does not.
pub(super) fn tells_tries(words: &str) -> bool {
    let mut tries = false;
    words.len() <= SHORT
        && words.split([' ', ':', ',', '(', ')']).filter(|word| !word.is_empty()).all(|word| {
            let told = TRIES.has(word);
            tries |= told;
            told || AROUND.has(word) || is_amount(word)
        })
        && tries
}

/// How often, or for how long: `3/5`, `12.5s`, `1m30s`.
fn is_amount(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'/' | b'.' | b'm' | b's' | b'h' | b'u' | b'n'))
}

/// What stands behind `retries exhausted after 5 attempts: `.
fn tried<'a>((head, rest): (&'a str, &'a str)) -> Option<&'a str> {
    let rest = rest.trim_start();
    (!rest.is_empty() && !head.contains('\n') && tells_tries(head)).then_some(rest)
}

/// The one error of Go's lists of them: `1 error occurred:`, and a line that begins with a star.
fn listed(text: &str) -> Option<&str> {
    let words = text.trim_start_matches(|c: char| c.is_ascii_digit());
    if words.len() == text.len() {
        return None;
    }
    let rest = words.strip_prefix(" error occurred:").or_else(|| words.strip_prefix(" errors occurred:"))?;
    rest.trim_start().strip_prefix("* ").map(str::trim_end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(failure: &Failure) -> Option<String> {
        told(failure).map(|(_, text)| text.into_owned())
    }

    fn cause(text: &str) -> String {
        let failure = Failure { message: Some(text.into()), ..Failure::default() };
        told(&failure).unwrap().1.into_owned()
    }

    #[test]
    fn a_class_may_have_one_text_however_it_is_put() {
        let of = |class: &str, message: &str, outer: &str| {
            let failure = Failure {
                class: Some(class.into()),
                message: Some(message.into()),
                outer: Some(outer.into()),
                frames: vec!["a.B.c".into()],
                ..Failure::default()
            };
            told(&failure).map(|(class, text)| (class.unwrap_or_default().to_owned(), text.into_owned())).unwrap()
        };
        let late = "The request was canceled due to the configured HttpClient.Timeout of 30 seconds elapsing.";
        let canceled = "System.Threading.Tasks.TaskCanceledException";
        assert_eq!(of(canceled, "The operation was canceled.", late), of(canceled, late, ""));
        assert_eq!(of("System.Net.Sockets.SocketException", "Operation canceled", late).0, canceled);
        for (class, message, want) in [
            ("a.NullPointerException", "nested exception is a.NullPointerException", ""),
            ("a.B", "nested exception is a.NullPointerException", "nested exception is a.NullPointerException"),
            ("a.NullPointerException", "nested exception is a.NullPointerException: null", ""),
            ("com.jcraft.jsch.JSchException", "Auth fail for methods 'password'", "Auth fail"),
            (
                "a.SqlException",
                "Violation of UNIQUE KEY constraint 'a'. The duplicate key value is (B)",
                "Violation of UNIQUE KEY constraint 'a'",
            ),
            ("ca.uhn.X", "Can't parse message beginning BHS|^~\\&|A", "Can't parse message beginning"),
            (
                "Newtonsoft.Json.X",
                "Required property 'a' not found in JSON. Path '$.b', line 1",
                "Required property 'a' not found in JSON",
            ),
            ("V", "property items has failed the following constraints: isArray, isIn", "property items"),
            (
                "Faraday::Error",
                "the server responded with status 422 for POST http://a",
                "the server responded with status 422",
            ),
            (
                "Runtime.ExitError",
                "RequestId: 7 Error: Runtime exited with error: signal: killed",
                "Runtime exited with error: signal: killed",
            ),
        ] {
            assert_eq!(of(class, message, "").1, want);
        }
    }

    #[test]
    fn what_validators_list_behind_their_first_line_is_the_field() {
        let of = |text: &str| field(&Failure { message: Some(text.into()), ..Failure::default() });
        let bean = "Validation failed for classes [a.Payee]\nList of constraint violations:[\n\tConstraintViolationImpl{\
                    interpolatedMessage='must not be null', propertyPath=bic, rootBeanClass=class a.Payee}\n\t\
                    ConstraintViolationImpl{interpolatedMessage='no', propertyPath=account.iban, rootBeanClass=class a.Payee}\n]";
        assert_eq!(of(bean).as_deref(), Some("account.iban, bic"));
        let content = "The content of element 'Totals' is not complete. One of '{\"urn:a:2\":Gross, \"urn:a:2\":Net}' is expected.";
        let xml = format!(
            "Validation failed for: a@3533bcb5\nerrors: [\norg.xml.sax.SAXParseException: cvc-complex-type.2.4.b: {content}, Line : 2\n]"
        );
        assert_eq!(of(&xml).as_deref(), Some("cvc-complex-type.2.4.b Totals, Gross, Net"));
        assert_eq!(
            of("cvc-datatype-valid.1.2.1: 'abc' is not a valid value for 'integer'.").as_deref(),
            Some("cvc-datatype-valid.1.2.1")
        );
        assert_eq!(of("the cvc-code of card: refused"), None);
    }

    #[test]
    fn the_place_in_a_message_of_hl7_is_the_field() {
        let of = |class: &str, text: &str| {
            field(&Failure { class: Some(class.into()), message: Some(text.into()), ..Failure::default() })
        };
        let hapi = "ca.uhn.hl7v2.HL7Exception";
        assert_eq!(of(hapi, "no datetime at PID-7(1)").as_deref(), Some("PID-7"));
        for (class, text) in
            [(hapi, "no datetime at noon"), (hapi, "no datetime at ORDER-7"), ("a.B", "no datetime at PID-7(1)")]
        {
            assert_eq!(of(class, text), None, "{text}");
        }
    }

    #[test]
    fn what_ajv_lists_is_told_by_its_words_and_places() {
        let list =
            |place: &str| cause(&format!(r#"[{{"instancePath":"{place}","keyword":"a","message":"must be string"}}]"#));
        assert_eq!(list(""), "must be string");
        assert_eq!(list("/lines/0/sku"), "must be string in field lines.sku");
    }

    #[test]
    fn how_often_it_was_tried_is_no_part_of_the_cause() {
        for text in [
            "retries exhausted after 5 attempts: account is frozen",
            "gave up after 1 attempt: account is frozen",
            "1 error occurred:\n\t* account is frozen\n\n",
            "attempt 3/5 failed: retries exhausted: account is frozen",
            "gave up after 4 attempts (max 4): account is frozen",
            "retry: 3 attempts exhausted after 12.5s: account is frozen",
            "E1027 20:11:56.614577 60435 decoder.cc:204] account is frozen",
            "[2026-09-03 04:34:10.743711] [error] [tid 0xc5] account is frozen",
            "Handling \"App\\Message\\Freeze\" failed: account is frozen",
        ] {
            assert_eq!(cause(text), "account is frozen");
        }
        for own in [
            "retry queue is full: orders",
            "post entry: account is frozen",
            "attempts exhausted",
            "attempts exhausted: ",
            "2 errors found:\n* a",
        ] {
            assert_eq!(cause(own), own);
        }
        assert_eq!(cause("book transfer: all attempts failed, last error: no route"), "book transfer: no route");
        assert_eq!(cause("[shop] account is frozen"), "[shop] account is frozen");
        assert!(tells_tries("reached max retries: 4"));
        assert!(!tells_tries("retry of order 17 refused"));
    }

    #[test]
    fn where_a_consumer_or_a_reader_was_is_no_part_of_the_cause() {
        for text in [
            "process message partition=3 offset=5: load mandate 77: no rows",
            "error handling record topic=bills partition=0 offset=17: load mandate 77: no rows",
            "partition=3 offset=5: load mandate 77: no rows",
        ] {
            assert_eq!(cause(text), "load mandate 77: no rows");
        }
        let told_by = |failure: Failure| text(&failure).unwrap_or_default();
        for head in
            ["worker 3", "handler", "handler take_bills", "job 17 panicked", "panic", "gave up after 7 attempt(s)"]
        {
            let failure = Failure {
                message: Some(format!("{head}: no rate")),
                consumer: Some("take_bills".into()),
                ..Failure::default()
            };
            assert_eq!(told_by(failure), "no rate", "{head}");
        }
        assert_eq!(cause("processing sqs message 7f3a: no rate"), "no rate");
        assert_eq!(cause("parse report 7: missing field `a` at line 1"), "missing field `a` at line 1");
        for own in ["handler of bills: no rate", "settle: no rate", "message: no rate", "handle order 7: no rate"] {
            assert_eq!(cause(own), own);
        }
        for own in ["load mandate key=77: no rows", "settle bill partition=3: no rows", "a=b"] {
            assert_eq!(cause(own), own);
        }
        assert_eq!(cause("error returned from database: no partition"), "no partition");
        assert_eq!(
            cause("no way (Service: Kms; Status Code: 400; Request ID: 7f; Proxy: null)"),
            "no way (Service: Kms; Status Code: 400"
        );
        for join in [", ", ": "] {
            assert_eq!(
                cause(&format!(
                    "failed to lazily initialize a collection of role: a.B.c{join}could not initialize proxy - no Session"
                )),
                "failed to lazily initialize a collection of role: a.B.c"
            );
        }
        for head in ["", "Swift.DecodingError.", "Sources/Push/Job.swift:17: "] {
            assert_eq!(
                cause(&format!("{head}keyNotFound(a, Swift.DecodingError.Context(b))")),
                "keyNotFound(a, Swift.DecodingError.Context(b))"
            );
        }
        assert_eq!(
            cause(
                "Instantiation failed due to missing value\n at [Source: (String)\"{}\"; line: 1, column: 2] (through reference chain: a.B[\"c\"])"
            ),
            "Instantiation failed due to missing value\n"
        );
    }

    #[test]
    fn feign_is_told_by_answer_and_method() {
        for text in [
            "[404 Not Found] during [PUT] to [http://stock/items/7] [StockClient#put(long,Item)]: [{\"a\":1}] (403 bytes)",
            "[404] during [PUT] to [http://stock:8080/items/9] [StockClient#put(long,Item)]: []",
            "404 during [PUT] to [http://stock/items/9] [StockClient#put(long,Item)]: [{\"a\"",
        ] {
            assert_eq!(cause(text), "404 during [PUT] to * [StockClient#put]");
        }
        assert_eq!(cause("[409] during [PUT] to [http://stock/it"), "409 during [PUT] to *");
        assert_eq!(cause("lost during [x] to [y]"), "lost during [x] to [y]");
    }

    #[test]
    fn circe_tells_one_field_in_both_ways() {
        for (text, told, path) in [
            (
                "DecodingFailure at .payer.ibans[0].code: Missing required field",
                "Missing required field",
                "payer.ibans.code",
            ),
            ("Missing required field: DownField(iban),DownField(payer)", "Missing required field", "payer.iban"),
            ("Int: DownField(qty),MoveRight,DownArray,DownField(lines)", "Int", "lines.qty"),
        ] {
            let failure = Failure { message: Some(text.into()), ..Failure::default() };
            assert_eq!(cause(text), told);
            assert_eq!(field(&failure).as_deref(), Some(path));
        }
    }

    #[test]
    fn a_line_that_announces_others_goes_on_with_them() {
        let mut failure = Failure { message: Some("Exception chain:\nno such column".into()), ..Failure::default() };
        failure.stack = Some("…".into());
        assert_eq!(text(&failure).as_deref(), Some("Exception chain:\nno such column"));
        failure.message = Some("no such column\nwhile reading".into());
        assert_eq!(text(&failure).as_deref(), Some("no such column"));
        failure.message = Some("got \"550-5.7.1\r\n550 5.7.1 denied\".\nwhile sending".into());
        assert_eq!(text(&failure).as_deref(), Some("got \"550-5.7.1\r\n550 5.7.1 denied\"."));
        failure.message = Some("5\" pipe\nwhile reading".into());
        assert_eq!(text(&failure).as_deref(), Some("5\" pipe"));
    }

    #[test]
    fn fields_that_only_a_trace_or_json_names_are_told() {
        let mut failure = Failure { message: Some("Cannot deserialize value".into()), ..Failure::default() };
        assert_eq!(field(&failure), None);
        failure.stack = Some(
            "A: x\n at [Source: (String)] (through reference chain: a.Order[\"lines\"]->java.util.ArrayList[0]->a.Line[\"qty\"])\n\tat a.b(C.java:1)".into(),
        );
        assert_eq!(field(&failure).as_deref(), Some("lines.qty"));
        failure.stack = Some("1 error(s): [Field error in object 'a' on field 'payer.iban': rejected value [x]; codes [y]] [Field error in object 'a' on field 'lines[2].qty': rejected]".into());
        assert_eq!(field(&failure).as_deref(), Some("lines.qty, payer.iban"));
        for (text, want) in [
            (r#"{"reason": "failed to parse field [size.height] of type [float] in document"}"#, "size.height"),
            (
                "Table \"bills\" is missing fields ([SinkRecordField{schema=Schema{STRING}, name='promo_code', isPrimaryKey=false}, SinkRecordField{schema=Schema{STRING}, name='iban', isPrimaryKey=false}]) and auto-evolution is disabled",
                "iban, promo_code",
            ),
            (
                "JsResultException(errors:List((/lines(1)/sku,List(JsonValidationError(List(error.path.missing)))))",
                "lines.sku",
            ),
        ] {
            failure.stack = Some(text.into());
            assert_eq!(field(&failure).as_deref(), Some(want));
        }
        let model = "ValidationError: 2 validation errors for Order\nlines.0.qty\n  Field required [type=missing, input_value={'a': 1}, input_type=dict]\n    For further information visit https://x\nid\n  Field required [type=missing";
        assert_eq!(cause(model), "Order: Field required in field id; Field required in field lines.qty");
        assert_eq!(cause("onOrder.arg0.qty: must be greater than 0"), "qty: must be greater than 0");
        assert_eq!(cause("onOrder.event.qty: must be greater than 0"), "qty: must be greater than 0");
        assert_eq!(cause("Cannot read property 'a' of undefined"), "Cannot read properties of undefined (reading 'a')");
        assert_eq!(cause("job a: panic recovered: runtime error: no"), "runtime error: no");
        for text in [
            "'ascii' codec can't encode character '\\xe9' in position 4: ordinal not in range(128)",
            "'ascii' codec can't encode characters in position 4-5: ordinal not in range(128)",
        ] {
            assert_eq!(cause(text), "'ascii' codec can't encode characters: ordinal not in range(128)");
        }
        assert_eq!(
            cause("Cannot lazily initialize collection of role 'a.B.c' with key '7' (no session)"),
            "failed to lazily initialize a collection of role: a.B.c"
        );
        assert_eq!(
            cause("E11000 duplicate key error collection: shop-eu.bills index: no_1 dup key: { no: 1 }"),
            "E11000 duplicate key error collection: bills index: no_1 dup key: { no: 1 }"
        );
        assert_eq!(
            cause("String or binary data would be truncated in table 'crm_eu.dbo.Bills', column 'No'."),
            "String or binary data would be truncated in table 'dbo.Bills', column 'No'."
        );
        let same = "would be truncated in table 'Bills', column 'No'.";
        assert_eq!(cause(same), same);
        failure.message = Some("could not execute statement".into());
        failure.stack = Some("a.B: could not execute statement; SQL [n/a]; constraint [fk_order]; nested".into());
        assert_eq!(field(&failure).as_deref(), Some("fk_order"));
        failure.stack =
            Some("The JSON value could not be converted to System.Guid. Path: $.Lines[0].Id | LineNumber: 0".into());
        assert_eq!(field(&failure).as_deref(), Some("Lines.Id"));
        assert_eq!(cause("post entry 7: insert: ERROR: no constraint \"fk_a\""), "ERROR: no constraint \"fk_a\"");
        let list = r#"[ {"code":"a","path":["lines",3,"qty"],"message":"Required"}, {"path":["lines",4,"qty"],"message":"Required"} ]"#;
        assert_eq!(cause(list), "Required in field lines.qty");
        let mut zod = Failure { message: Some("[".into()), ..Failure::default() };
        zod.stack = Some(
            "ZodError: [\n  {\n \"path\": [\"total\"],\n \"message\": \"Required\"\n }\n]\n    at f (a.js:1:2)".into(),
        );
        assert_eq!(text(&zod).as_deref(), Some("Required in field total"));
        assert_eq!(cause("[{\"a\":1}]"), "[{\"a\":1}]");
    }

    #[test]
    fn the_state_of_a_client_is_no_part_of_the_cause() {
        let redis = "Timeout performing HGET (5000ms), next: GET k, inst: 0, qu: 1, qs: 3, bw: Inactive";
        assert_eq!(cause(redis), "Timeout performing HGET (5000ms)");
        assert_eq!(cause("no price, sku: a, size: b"), "no price, sku: a, size: b");
        let deadlock =
            "Transaction (Process ID 7) was deadlocked on lock | communication buffer resources with another";
        assert_eq!(cause(deadlock), "Transaction (Process ID 7) was deadlocked");
        let prisma = "\nInvalid `this.a.create()` invocation in\n/app/a.js:1:2\n\n→ 64 return this.a.create(\nUnique constraint failed";
        assert_eq!(cause(prisma), "Unique constraint failed");
        for head in ["thread 'main' panicked at src/a.rs:1:2:\n", "task 7 panicked at src/a.rs:1:2: "] {
            assert_eq!(cause(&format!("{head}no ration")), "no ration");
        }
    }

    #[test]
    fn what_is_wrong_with_a_time_is_not_told_apart() {
        let java = |text: &str| {
            let failure = Failure {
                class: Some("java.time.format.DateTimeParseException".into()),
                message: Some(text.into()),
                ..Failure::default()
            };
            told(&failure).unwrap().1.into_owned()
        };
        assert_eq!(
            java("Text 'x' could not be parsed at index 0"),
            java("Text 'x' could not be parsed: Invalid value")
        );
        assert_eq!(cause("parsing time \"x\": month out of range"), "parsing time");
    }
}
