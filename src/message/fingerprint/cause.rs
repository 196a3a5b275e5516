//! The text of a failure that says what happened, as one text whoever tells it.
//!
//! Limits: English, as error texts are.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::Value;

use super::around::{inner, without_log_head, without_tries};
use super::carried::{carried, client_timed_out};
use super::names;
use super::own;
use super::phrases::{Phrase, Phrases};
use super::versions::{as_one_version, fixed};
use crate::message::Message;
use crate::message::failure::{self, Failure, announces, without_indices};
use crate::text::find::{behind, split, starts};

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
    if let Some(listed) = listing(text) {
        return Some((class, Cow::Owned(listed)));
    }
    let text = if failure.stack.is_some() && !announces(first) { sentence(text, first) } else { text };
    let text = prisma(failure).or_else(|| panicked(has, failure)).unwrap_or(text);
    let cause = inner(failure, without_state(has, time_only(has, failure, without_log_head(text))));
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

/// A text whose first line heads a list, as validators write what they found: `Validation failed: -- Amount: 'Amount' must be
/// greater than '0'.` What is listed stands in one order, and each once. Of a name with a short value the name alone counts: a
/// list of such may be the message itself.
fn listing(text: &str) -> Option<String> {
    const BULLETS: [char; 5] = ['-', '*', '•', '·', '–'];
    let (first, rest) = text.split_once('\n')?;
    let item = |line: &str| {
        let told = line.trim_start_matches(BULLETS);
        let told = told.strip_prefix(' ').filter(|told| told.len() + 1 < line.len())?.trim();
        // Which of a field's rules fail hangs on its value.
        let told = split(told, Phrase::Constraints.text()).map_or(told, |(told, _)| told);
        let named = split(told, ": ").and_then(|(name, said)| Some((names::field(name)?, said)));
        let Some((name, said)) = named else { return Some(told.to_owned()) };
        let is_short = said.split_ascii_whitespace().nth(SAID - 1).is_none();
        Some(if is_short { name.into_owned() } else { format!("{name}: {said}") })
    };
    let lines = rest.lines().map(str::trim).filter(|line| !line.is_empty());
    let items: BTreeSet<String> = lines.map_while(item).take(ISSUES).collect();
    // Go's lists of errors say how many there are, and are taken apart by what stands around a cause.
    let is_counted = first.starts_with(|c: char| c.is_ascii_digit());
    (!items.is_empty() && !is_counted)
        .then(|| format!("{} {}", first.trim_end(), items.into_iter().collect::<Vec<_>>().join("; ")))
}

/// So many words behind a name say something of it.
const SAID: usize = 3;

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

#[cfg(test)]
mod tests {
    use super::super::field::field;
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
            ("a.B", "nested exception is a.B: no rate", "no rate"),
            (
                "Redis::CannotConnectError",
                "Error connecting to Redis on a:6379 (Errno::ECONNREFUSED)",
                "Connection refused",
            ),
            ("Redis::CannotConnectError", "Connection refused - connect(2) for 10.0.0.1:6379", "Connection refused"),
            ("Net::OpenTimeout", "Failed to open TCP connection to a:443 (execution expired)", "execution expired"),
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
    fn what_ajv_lists_is_told_by_its_words_and_places() {
        let list =
            |place: &str| cause(&format!(r#"[{{"instancePath":"{place}","keyword":"a","message":"must be string"}}]"#));
        assert_eq!(list(""), "must be string");
        assert_eq!(list("/lines/0/sku"), "must be string in field lines.sku");
    }

    #[test]
    fn what_a_first_line_heads_is_told_with_it_in_one_order() {
        let amount = " -- Amount: 'Amount' must be greater than '0'. Severity: Error";
        let currency = "- Lines[3].Currency: Required";
        let want = "Validation failed: Amount: 'Amount' must be greater than '0'. Severity: Error; Lines.Currency";
        for (one, other) in [(amount, currency), (currency, amount)] {
            assert_eq!(cause(&format!("Validation failed: \n{one}\n{other}\r\n\nsee the log")), want);
        }
        assert_eq!(cause("refused\n* no room\n* no room"), "refused no room");
        for own in ["refused\n-1 left", "refused\nno - room", "refused\n---", "refused"] {
            assert_eq!(cause(own), own);
        }
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
