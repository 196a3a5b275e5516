//! Texts of which a client, a library or a runtime has another in each of its versions and languages: told as one of them.
//!
//! What is only to be cut goes first ([`fixed`]), then what is told in other words ([`as_one_version`]). Limits: texts that
//! were seen; a version that is not known is a group of its own.

use super::phrases::{Phrase, Phrases};
use crate::message::failure::Failure;
use crate::text::find::{behind, find, split, starts};

/// Texts of which a runtime has one in each language, or a client one for each of its versions.
pub(super) fn fixed<'a>(has: Phrases, failure: &Failure, text: &'a str) -> &'a str {
    let class = failure.class.as_deref().unwrap_or_default();
    let of_listener =
        text == "Listener failed" || (starts(text, "Listener method '") && text.ends_with("' threw exception"));
    if class == "System.NullReferenceException" || (of_listener && !failure.frames.is_empty()) {
        return "";
    }
    // Spring's outer text of a cause, which may have none.
    let text = match behind(text, "nested exception is ").and_then(|nested| nested.strip_prefix(class)) {
        Some("" | ": null" | ": None") => return "",
        Some(nested) => behind(nested, ": ").unwrap_or(text),
        None => text,
    };
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
    // Ruby's clients tell what the system said in words of their versions.
    if class == "Redis::CannotConnectError" && (text.contains("ECONNREFUSED") || starts(text, "Connection refused")) {
        return "Connection refused";
    }
    if class == "Net::OpenTimeout" && text.contains("execution expired") && !failure.frames.is_empty() {
        return "execution expired";
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
    if let Some(at) = has.find(Phrase::RuntimeError, text).filter(|at| *at <= NEAR) {
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
        has.find(Phrase::Swift, text).and_then(|at| text.get(..at)?.rfind("keyNotFound(").filter(|at| *at <= NEAR))
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

/// What stands before a runtime's own words is no longer.
const NEAR: usize = 60;

/// What HAPI says of a text that is no HL7.
const NO_HL7: &str = "Can't parse message beginning";

/// A text as one version of its writer has it, where there are several.
pub(super) fn as_one_version(has: Phrases, failure: &Failure, text: &str) -> Option<String> {
    of_script(text)
        .or_else(|| of_feign(has, text))
        .or_else(|| violated(text))
        .or_else(|| of_hibernate(text))
        .or_else(|| of_registry(text))
        .or_else(|| of_codec(has, text))
        .or_else(|| without_database(has, text))
        .or_else(|| of_sink(text))
        .or_else(|| of_denial(text))
        .or_else(|| of_symfony(text))
        .or_else(|| of_match(failure, text))
        .or_else(|| of_enum(text))
}

/// What Elasticsearch answered to Connect's sink, without the document and what its versions put behind the reason.
fn of_sink(text: &str) -> Option<String> {
    let (_, rest) = behind(text, "Indexing record failed -- index: ")?.split_once(", type: '")?;
    let (kind, rest) = rest.split_once("', reason: '")?;
    let ends = [" in document with id", ". Preview of field", "', caused by: ", "'"];
    let end = ends.iter().filter_map(|end| find(rest, end)).min().unwrap_or(rest.len());
    Some(format!("Indexing record failed: {kind}: {}", rest.get(..end)?))
}

/// A denial of one of Amazon's services, which may add whom it denied what.
fn of_denial(text: &str) -> Option<String> {
    let (code, rest) = behind(text, "An error occurred (")?.split_once(") when calling the ")?;
    let (operation, _) = rest.split_once(' ').filter(|_| starts(code, "AccessDenied"))?;
    Some(format!("An error occurred ({code}) when calling the {operation} operation"))
}

/// An answer that Symfony's client refuses, without its words, which come with HTTP 1.1 only: `HTTP/1.1 401 Unauthorized
/// returned for "…"`.
fn of_symfony(text: &str) -> Option<String> {
    let (answer, asked) = behind(text, "HTTP/")?.split_once(" returned for ")?;
    let status = answer.split(' ').nth(1)?;
    Some(format!("HTTP/1 {status} returned for {asked}"))
}

/// A text that is no constant of an enumeration in Java, behind whose name it stands.
fn of_enum(text: &str) -> Option<String> {
    let (class, _) = behind(text, "No enum constant ")?.rsplit_once('.')?;
    Some(format!("No enum constant {class}.*"))
}

/// A value that no case of a Scala program takes: what is printed of it varies, its class is in the code.
fn of_match(failure: &Failure, text: &str) -> Option<String> {
    // Asked first, for every text comes here.
    failure.class.as_deref().filter(|class| *class == "scala.MatchError")?;
    let at = text.rfind(" (of class ")?;
    text.get(at + 1..).map(str::to_owned)
}

/// What Feign says of an answer, without the body, of which a part may follow: `404 during [PUT] to * [Stock#put]`.
fn of_feign(has: Phrases, text: &str) -> Option<String> {
    let (head, rest) = has.split(Phrase::During, text)?;
    let status = head.strip_prefix('[').unwrap_or(head).get(..3)?;
    let (method, rest) = rest.split_once("] to [")?;
    if !status.bytes().all(|byte| byte.is_ascii_digit()) || method.contains(' ') {
        return None;
    }
    let called = rest.split_once("] [").and_then(|(_, rest)| rest.split_once('(')).map(|(called, _)| called);
    let called = called.filter(|called| called.contains('#') && !called.contains([' ', ']']));
    Some(format!("{status} during [{method}] to *{}", called.map(|name| format!(" [{name}]")).unwrap_or_default()))
}

/// What versions of Hibernate and Spring say in other words: before the entity that another transaction changed, and since 7 of a
/// collection that it could not load, whose name is in the code.
fn of_hibernate(text: &str) -> Option<String> {
    if let Some((entity, _)) = behind(text, "Object of class [")
        .filter(|_| text.ends_with(": optimistic locking failed"))
        .and_then(|rest| split(rest, "] "))
    {
        let told = "Row was updated or deleted by another transaction (or unsaved-value mapping was incorrect)";
        return Some(format!("{told}: [{entity}#0]"));
    }
    if let Some((told, entity)) =
        behind(text, "Row was updated or deleted").and_then(|_| text.split_once("mapping was incorrect) : ["))
    {
        return Some(format!("{told}mapping was incorrect): [{entity}"));
    }
    let (role, _) = behind(text, "Cannot lazily initialize collection of role '")?.split_once('\'')?;
    Some(format!("failed to lazily initialize a collection of role: {role}"))
}

/// What Confluent's registry says of an id that it has not, where its version does not name that.
fn of_registry(text: &str) -> Option<String> {
    let code = behind(text, "Schema not found; error code: ")?;
    Some(format!("Schema “—” not found; error code: {code}"))
}

/// The longest name of an encoding, in its quotes.
const MAX_CODEC: usize = 32;

/// What Python says of a text that an encoding can't hold, whether that is one character or several.
fn of_codec(has: Phrases, text: &str) -> Option<String> {
    // Which byte was the first that it could not take hangs on what stands before it.
    if let Some((codec, _)) = has.split(Phrase::Decodes, text).filter(|(codec, _)| codec.len() <= MAX_CODEC) {
        return Some(format!("{codec}{}s", Phrase::Decodes.text()));
    }
    let (codec, rest) = has.split(Phrase::Encodes, text)?;
    let (_, why) = rest.split_once(" in position ")?.1.split_once(": ")?;
    Some(format!("{codec}{}s: {why}", Phrase::Encodes.text()))
}

/// A text without the name of the database, which is another in each region: of `MongoDB`'s duplicate keys, and where SQL
/// Server had no room.
fn without_database(has: Phrases, text: &str) -> Option<String> {
    [(Phrase::Duplicate, 1), (Phrase::Truncated, 2), (Phrase::NullInto, 2)].into_iter().find_map(|(mark, dots)| {
        let (before, behind) = has.split(mark, text)?;
        let (name, rest) = behind.split_at_checked(behind.find([' ', '\'']).unwrap_or(behind.len()))?;
        let (_, table) = name.split_once('.').filter(|_| name.matches('.').count() == dots)?;
        Some(format!("{before}{}{table}{rest}", mark.text()))
    })
}

/// What older V8 said of a missing member, as newer ones say it.
fn of_script(text: &str) -> Option<String> {
    let (name, of) = behind(text, "Cannot read property '")?.split_once("' of ")?;
    matches!(of, "undefined" | "null").then(|| format!("Cannot read properties of {of} (reading '{name}')"))
}

/// What Bean Validation says of a parameter's field, without the method and the name or number of its parameter:
/// `onOrder.arg0.qty: must be greater than 0`.
fn violated(text: &str) -> Option<String> {
    let (path, told) = split(text, ": ")?;
    let (owner, field) = path.rsplit_once('.')?;
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'[' | b']'))
    };
    let is_path = owner.contains('.') && owner.split('.').chain([field]).all(is_name);
    (is_path && (told.starts_with("must ") || told.starts_with("muss ") || told.starts_with("darf ")))
        .then(|| format!("{field}: {told}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_as_one() {
        let told = |text: &str| {
            let failure = Failure { class: Some("scala.MatchError".into()), ..Failure::default() };
            as_one_version(Phrases::of(text), &failure, text)
        };
        let sink = "Indexing record failed -- index: shops-v14, document id: '43', type: 'mapper_parsing_exception', reason: \
                    'failed to parse field [place] of type [geo_point]";
        for end in [
            " in document with id '43'. Preview of field's value: '26d70'', caused by: {type=a}",
            "', caused by: {}",
            "'",
            "",
        ] {
            let want =
                "Indexing record failed: mapper_parsing_exception: failed to parse field [place] of type [geo_point]";
            assert_eq!(told(&format!("{sink}{end}")).as_deref(), Some(want), "{end}");
        }
        for answer in ["2 401", "1.1 401 Unauthorized"] {
            let text = format!("HTTP/{answer} returned for \"https://a.net\"");
            assert_eq!(told(&text).as_deref(), Some("HTTP/1 401 returned for \"https://a.net\""));
        }
        for why in ["Access Denied", "User: a is not authorized to perform: b"] {
            let text = format!("An error occurred (AccessDenied) when calling the GetObject operation: {why}");
            let want = "An error occurred (AccessDenied) when calling the GetObject operation";
            assert_eq!(told(&text).as_deref(), Some(want));
        }
        let missing =
            "An error occurred (NoSuchKey) when calling the GetObject operation: The specified key does not exist";
        assert_eq!(told(missing), None);
        let stale = told("Object of class [a.Plan] with identifier [17]: optimistic locking failed").unwrap();
        let row = "Row was updated or deleted by another transaction (or unsaved-value mapping was incorrect)";
        assert_eq!(super::super::mask(&stale), super::super::mask(&told(&format!("{row} : [a.Plan#17]")).unwrap()));
        assert_eq!(told("No enum constant a.pay.Method.blik").as_deref(), Some("No enum constant a.pay.Method.*"));
        assert_eq!(told("Roaming(7,Some(HD)) (of class a.Roaming)").as_deref(), Some("(of class a.Roaming)"));
        for byte in ["0xe9 in position 7: invalid continuation byte", "0xff in position 0: invalid start byte"] {
            let text = format!("'utf-8' codec can't decode byte {byte}");
            assert_eq!(told(&text).as_deref(), Some("'utf-8' codec can't decode bytes"));
        }
        for database in ["Mro", "Mro_EU"] {
            let text =
                format!("Cannot insert the value NULL into column 'Tail', table '{database}.dbo.Order'; INSERT fails");
            let want = "Cannot insert the value NULL into column 'Tail', table 'dbo.Order'; INSERT fails";
            assert_eq!(told(&text).as_deref(), Some(want));
        }
        let schema = told("Schema not found; error code: 40403").unwrap();
        assert_eq!(super::super::mask(&schema), super::super::mask("Schema 17 not found; error code: 40403"));
    }
}
