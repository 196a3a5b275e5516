//! Exceptions whose text is another's: their causes' where a trace was cut before it names them.
//!
//! Texts that a runtime or a driver has fixed tell the class that throws them. Limits: only texts that one class has.

use super::phrases::{Phrase, Phrases};
use crate::message::failure::{Failure, short_class};
use crate::text::find::{behind, find, split, starts};

/// What .NET's client of HTTP says of an answer that did not come in time, whatever broke first below it.
pub(super) fn client_timed_out(failure: &Failure) -> Option<(&'static str, &str)> {
    const SAYS: &str = "The request was canceled due to the configured HttpClient.Timeout of ";
    if !failure.class.as_deref()?.starts_with("System.") {
        return None;
    }
    let texts = [failure.message.as_deref(), failure.outer.as_deref(), failure.stack.as_deref()];
    let told = texts.into_iter().flatten().find_map(|text| text.get(find(text, SAYS)?..))?;
    let line = told.lines().next().unwrap_or(told);
    Some(("System.Threading.Tasks.TaskCanceledException", line.split_once(" elapsing").map_or(line, |(told, _)| told)))
}

/// The class and the text of the cause that a text is about. Where no frame tells the place, what was asked for does.
pub(super) fn carried<'a>(has: Phrases, class: &'a str, text: &'a str, placed: bool) -> Option<(&'a str, &'a str)> {
    if let Some(inner) = behind(text, "could not execute ").and_then(statement) {
        return Some((of_database(inner).unwrap_or(class), inner));
    }
    if let Some(at) = has.find(Phrase::Error, text)
        && (carries_sql(class) || starts(text, "java.sql.") || class == CONNECT)
        && (at == 0 || [" was aborted: ERROR: ", "]; ERROR: "].iter().any(|before| find(text, before).is_some()))
    {
        let told = text.get(at..)?;
        // A batch tells its error twice.
        let once = told.split_once(" ERROR: ").map_or(told, |(once, _)| once);
        let once = once.lines().next().unwrap_or(once);
        let once = split(once, " Detail: ").map_or(once, |(once, _)| once.trim_end());
        return Some((PSQL, once));
    }
    if starts(text, "Row was updated or deleted by another transaction")
        || (starts(text, "Object of class [") && text.ends_with(": optimistic locking failed"))
    {
        return Some(("org.hibernate.StaleObjectStateException", text));
    }
    if let Some(name) = behind(text, "failed to resolve class name. Class not found [") {
        return Some(("java.lang.ClassNotFoundException", name.split(']').next().unwrap_or(name)));
    }
    // The service's code, for which newer versions of its library have a class each.
    if let Some((code, _)) = behind(text, "An error occurred (").and_then(|rest| rest.split_once(") when calling the "))
    {
        return Some((code, text));
    }
    if starts(text, "Received: '")
        && let Some((status, method)) = text.split_once(INVOKED)
    {
        let end = status.len() + INVOKED.len() + method.find('\'')? + 1;
        return Some(("org.jboss.resteasy.reactive.ClientWebApplicationException", text.get(..end)?));
    }
    match short_class(class) {
        // Jackson tells what the reader of a time said of the text.
        "InvalidFormatException" if has.has(Phrase::Parsed) => {
            let (_, rest) = text.split_once(": (java.time.format.DateTimeParseException) ")?;
            let (said, _) = rest.split_once(Phrase::Parsed.text())?;
            Some(("java.time.format.DateTimeParseException", rest.get(..said.len() + Phrase::Parsed.text().len())?))
        }
        "SocketTimeoutException" => of_jdk(text),
        // Lambda's runtime names the first since 2023.
        "OutOfMemory" if text.ends_with("signal: killed") => Some(("Runtime.ExitError", text)),
        // Python's clients tell what they tried and how often around what the system said.
        "ConnectionError"
        | "MaxRetryError"
        | "NewConnectionError"
        | "NameResolutionError"
        | "ConnectError"
        | "gaierror"
            if placed =>
        {
            of_system(text)
        }
        "ResourceAccessException" if placed => {
            let rest = text.strip_prefix("I/O error")?;
            of_jdk(rest.rsplit_once("\": ").or_else(|| rest.split_once(": "))?.1)
        }
        "RetryableException" if placed => of_jdk(text.split_once(" executing ")?.0),
        // Python's clients say of each read that took too long what the socket said first.
        "ReadTimeout" | "ReadTimeoutError" if text.contains("Read timed out. (read timeout=") => Some(TIMED_OUT),
        _ => None,
    }
}

/// What leads to the method in what Quarkus' client says of an answer.
const INVOKED: &str = "' when invoking REST Client method: '";

/// What all of them are told as.
const TIMED_OUT: (&str, &str) = ("TimeoutError", "The read operation timed out");

/// What the system says of a connection, as Python's own classes tell it.
fn of_system(text: &str) -> Option<(&'static str, &'static str)> {
    const REFUSED: &str = "[Errno 111] Connection refused";
    const UNKNOWN: [&str; 4] = [
        "Name or service not known",
        "Temporary failure in name resolution",
        "nodename nor servname",
        "NameResolutionError",
    ];
    if find(text, REFUSED).is_some() {
        return Some(("ConnectionRefusedError", REFUSED));
    }
    UNKNOWN.iter().any(|words| find(text, words).is_some()).then_some(("socket.gaierror", "Name or service not known"))
}

/// What Connect's sinks wrap the errors of their databases in.
const CONNECT: &str = "org.apache.kafka.connect.errors.ConnectException";

/// The exception of its driver.
const PSQL: &str = "org.postgresql.util.PSQLException";

/// What the database said, of Hibernate's `statement [ERROR: duplicate key …] [insert …]`.
fn statement(rest: &str) -> Option<&str> {
    let inner = ["statement [", "batch [", "query ["].iter().find_map(|start| rest.strip_prefix(start))?;
    let line = inner.lines().next()?;
    // What the database says may have brackets of its own; the statement's are the next.
    let told = line.split_once("] [").map_or(line, |(told, _)| told);
    let told = if told.contains('[') { told } else { told.strip_suffix(']').unwrap_or(told) };
    (!told.is_empty() && told != "n/a").then_some(told)
}

/// The class of the driver that says so.
fn of_database(text: &str) -> Option<&'static str> {
    if text.starts_with(Phrase::Error.text()) {
        Some(PSQL)
    } else if text.starts_with("Duplicate entry '") || text.starts_with("ORA-00001: ") {
        Some("java.sql.SQLIntegrityConstraintViolationException")
    } else {
        None
    }
}

/// Exceptions that carry the driver's on the way to the caller.
fn carries_sql(class: &str) -> bool {
    const CARRIERS: [&str; 7] = [
        "java.sql.SQLException",
        "java.sql.BatchUpdateException",
        "org.springframework.dao.",
        "org.springframework.jdbc.",
        "org.hibernate.exception.",
        "jakarta.persistence.",
        "javax.persistence.",
    ];
    CARRIERS.iter().any(|carrier| starts(class, carrier))
}

/// What Java's socket says.
const READ_TIMED_OUT: &str = "Read timed out";

/// The class of Java's own that has this text.
fn of_jdk(text: &str) -> Option<(&'static str, &str)> {
    // Clients have words of their own for it, or put what they did behind it.
    if text == "timeout" || starts(text, READ_TIMED_OUT) {
        return Some(("java.net.SocketTimeoutException", READ_TIMED_OUT));
    }
    let class = match text {
        "Connect timed out" | "connect timed out" => "java.net.SocketTimeoutException",
        "Connection refused" | "Connection refused (Connection refused)" => "java.net.ConnectException",
        "Connection reset" => "java.net.SocketException",
        "request timed out" => "java.net.http.HttpTimeoutException",
        "HTTP connect timed out" => "java.net.http.HttpConnectTimeoutException",
        _ => return None,
    };
    Some((class, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<'a>(class: &'a str, text: &'a str, placed: bool) -> Option<(&'a str, &'a str)> {
        carried(Phrases::of(text), class, text, placed)
    }

    #[test]
    fn without_a_place_what_was_asked_for_stays() {
        let text = "I/O error on POST request for \"http://pay/v1\": Read timed out";
        assert_eq!(told("org.springframework.web.client.ResourceAccessException", text, false), None);
    }

    #[test]
    fn what_carries_another_is_told_as_that_one() {
        let timeout = ("java.net.SocketTimeoutException", "Read timed out");
        let uq = "ERROR: duplicate key value violates unique constraint \"uq_ref\"";
        let stale = "Row was updated or deleted by another transaction (or unsaved-value mapping was incorrect) : [com.acme.Bill#7]";
        for (class, text, want) in [
            (
                "org.springframework.web.client.ResourceAccessException",
                "I/O error on POST request for \"http://pay/v1\": Read timed out",
                timeout,
            ),
            ("feign.RetryableException", "Read timed out executing POST http://pay/v1", timeout),
            (
                "org.springframework.dao.DataIntegrityViolationException",
                &format!(
                    "could not execute statement [{uq}] [insert into a (b) values (?)]; SQL [insert …]; constraint [uq_ref]"
                ),
                (PSQL, uq),
            ),
            (
                "org.hibernate.exception.ConstraintViolationException",
                &format!("could not execute batch [{uq}"),
                (PSQL, uq),
            ),
            (
                "java.sql.BatchUpdateException",
                &format!("Batch entry 7 INSERT INTO a VALUES(1) was aborted: {uq} {uq}"),
                (PSQL, uq),
            ),
            ("java.sql.SQLException", uq, (PSQL, uq)),
            (
                "org.springframework.orm.ObjectOptimisticLockingFailureException",
                stale,
                ("org.hibernate.StaleObjectStateException", stale),
            ),
            (
                "a.MessageConversionException",
                "failed to resolve class name. Class not found [com.acme.v2.Bill]",
                ("java.lang.ClassNotFoundException", "com.acme.v2.Bill"),
            ),
            (
                "requests.exceptions.ReadTimeout",
                "HTTPSConnectionPool(host='mail', port=443): Read timed out. (read timeout=10)",
                TIMED_OUT,
            ),
        ] {
            assert_eq!(told(class, text, true), Some(want), "{text}");
        }
        let refused = ("ConnectionRefusedError", "[Errno 111] Connection refused");
        let unknown = ("socket.gaierror", "Name or service not known");
        let denied = "An error occurred (Throttled) when calling the PutItem operation: later";
        let closed = "Received: 'Conflict, status code 409' when invoking REST Client method: 'a.B#c'";
        let date = "Cannot deserialize value of type `a` from String \"x\": Failed to deserialize a: \
                    (java.time.format.DateTimeParseException) Text 'x' could not be parsed at index 0";
        for (class, text, want) in [
            (
                "requests.exceptions.ConnectionError",
                "HTTPPool: Max retries exceeded with url: /a (Caused by NewConnectionError('<0x7f>: [Errno 111] Connection refused'))",
                refused,
            ),
            (
                "requests.exceptions.ConnectionError",
                "HTTPPool: Max retries exceeded with url: /a (Caused by NameResolutionError(\"b\"))",
                unknown,
            ),
            ("gaierror", "[Errno -3] Temporary failure in name resolution", unknown),
            ("botocore.exceptions.ClientError", denied, ("Throttled", denied)),
            (
                "jakarta.ws.rs.WebApplicationException",
                closed,
                ("org.jboss.resteasy.reactive.ClientWebApplicationException", closed),
            ),
            (
                "a.InvalidFormatException",
                date,
                ("java.time.format.DateTimeParseException", "Text 'x' could not be parsed"),
            ),
            (
                "org.springframework.dao.DuplicateKeyException",
                &format!("PreparedStatementCallback; SQL [insert into a]; {uq}\n  Detail: Key (b)"),
                (PSQL, uq),
            ),
            ("java.net.SocketTimeoutException", "timeout", timeout),
            ("java.net.SocketTimeoutException", "Read timed out executing POST http://a", timeout),
            ("Runtime.OutOfMemory", "Error: signal: killed", ("Runtime.ExitError", "Error: signal: killed")),
        ] {
            assert_eq!(told(class, text, true), Some(want), "{text}");
        }
        for (class, text) in [
            ("requests.exceptions.ConnectionError", "Max retries exceeded with url: /a (Caused by X)"),
            (
                "org.springframework.web.client.ResourceAccessException",
                "I/O error on GET request for \"http://a\": no way",
            ),
            ("com.acme.Declined", "Read timed out"),
            ("org.hibernate.exception.ConstraintViolationException", "could not execute statement"),
            ("com.acme.Broken", "ERROR: no"),
            ("TimeoutError", "the order timed out"),
        ] {
            assert_eq!(told(class, text, true), None, "{text}");
        }
    }
}
