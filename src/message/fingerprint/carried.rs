//! Exceptions whose text is another's: their causes' where a trace was cut before it names them.
//!
//! Texts that a runtime or a driver has fixed tell the class that throws them. Limits: only texts that one class has.

use super::phrases::{Phrase, Phrases};
use crate::message::failure::short_class;
use crate::text::find::{behind, starts};

/// The class and the text of the cause that a text is about. Where no frame tells the place, what was asked for does.
pub(super) fn carried<'a>(has: Phrases, class: &'a str, text: &'a str, placed: bool) -> Option<(&'a str, &'a str)> {
    if let Some(inner) = behind(text, "could not execute ").and_then(statement) {
        return Some((of_database(inner).unwrap_or(class), inner));
    }
    if let Some(at) = has.find(Phrase::Error, text)
        && carries_sql(class)
        && (at == 0 || text.contains(" was aborted: ERROR: "))
    {
        let told = text.get(at..)?;
        // A batch tells its error twice.
        let once = told.split_once(" ERROR: ").map_or(told, |(once, _)| once);
        return Some((PSQL, once));
    }
    if starts(text, "Row was updated or deleted by another transaction") {
        return Some(("org.hibernate.StaleObjectStateException", text));
    }
    if let Some(name) = behind(text, "failed to resolve class name. Class not found [") {
        return Some(("java.lang.ClassNotFoundException", name.split(']').next().unwrap_or(name)));
    }
    match short_class(class) {
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

/// What all of them are told as.
const TIMED_OUT: (&str, &str) = ("TimeoutError", "The read operation timed out");

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

/// The class of Java's own that has this text.
fn of_jdk(text: &str) -> Option<(&'static str, &str)> {
    let class = match text {
        "Read timed out" | "Connect timed out" | "connect timed out" => "java.net.SocketTimeoutException",
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
        for (class, text) in [
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
