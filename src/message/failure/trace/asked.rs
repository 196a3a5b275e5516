//! Functions that many others ask: what fails in them is told by their caller.
//!
//! The innermost frame of the application says where it happened, and most traces are cut somewhere behind it. Only where
//! that frame is a guard (`Booking.requireState`), or a helper or a client of general use (`Http.post`, `MoneyUtils.parse`),
//! the next one counts, too. Limits: English words, and names: a helper that is named as its task is goes for the place.

use super::around::{only_carries, only_carries_of_file, words};
use crate::text::words::Words;

/// What a guard's name begins with.
static GUARDS: Words =
    Words::new(&["require", "ensure", "assert", "expect", "must", "guard", "throw", "raise", "abort"]);
/// What one ends with behind an `or`: `findOrFail`.
static OTHERWISE: Words = Words::new(&["throw", "fail", "raise", "die", "abort", "error"]);
/// The last word of what helps many.
static HELPERS: Words = Words::new(&["util", "utils", "utility", "utilities", "helper", "helpers", "support", "tools"]);
/// The words of which what is of general use is named, and no other.
static GENERAL: Words = Words::new(&[
    "http",
    "https",
    "httpx",
    "api",
    "rest",
    "web",
    "soap",
    "rpc",
    "grpc",
    "graphql",
    "client",
    "clients",
    "db",
    "database",
    "sql",
    "jdbc",
    "json",
    "xml",
    "call",
    "caller",
    "request",
    "requests",
    "requester",
    "executor",
    "base",
    "abstract",
    "generic",
    "util",
    "utils",
    "preconditions",
]);
/// Words beside them.
static BESIDE: Words = Words::new(&[
    "common",
    "shared",
    "core",
    "default",
    "simple",
    "async",
    "impl",
    "connection",
    "session",
    "transport",
    "query",
    "repository",
    "dao",
    "store",
    "service",
    "handler",
    "consumer",
    "worker",
    "job",
    "fetch",
    "fetcher",
]);

/// Those of an application's frames, innermost first, that say where it happened: the first, and its caller where many ask
/// for what the first does, or where it only carries others.
pub(crate) fn telling(frames: &[String]) -> &[String] {
    let alone = frames.first().is_some_and(|name| !by_many(name) && !carries(name));
    frames.get(..if alone { 1 } else { frames.len() }).unwrap_or_default()
}

/// Whether the function of this name (see [`super::frame::Frame::name`]) is one that many ask.
fn by_many(name: &str) -> bool {
    let (owner, function) = name.rsplit_once([':', '.', '>']).unwrap_or(("", name));
    let function = function.split_once('/').map_or(function, |(function, _)| function);
    let owner = owner.trim_end_matches([':', '-', ')']);
    let owner = owner.rsplit(['/', '.', ':', '\\', '$', '+', '*', '(']).next().unwrap_or(owner);
    is_guard(function) || is_of_general_use(owner)
}

/// Whether it is one that only carries others, in the languages where that is told by a name.
fn carries(name: &str) -> bool {
    if name.contains("::") || name.contains("->") {
        return false;
    }
    name.rsplit_once(':').map_or_else(|| only_carries(name), |(path, function)| only_carries_of_file(path, function))
}

/// Whether a function only looks whether others may go on.
fn is_guard(function: &str) -> bool {
    let otherwise = || words(function).skip_while(|word| !word.eq_ignore_ascii_case("or")).nth(1);
    words(function).next().is_some_and(|first| GUARDS.has(first)) || otherwise().is_some_and(|word| OTHERWISE.has(word))
}

/// Whether a class or a file is named as a helper, or only in words of general use.
fn is_of_general_use(owner: &str) -> bool {
    let mut general = false;
    let only = words(owner).all(|word| {
        let is_general = GENERAL.has(word);
        general |= is_general;
        is_general || BESIDE.has(word)
    });
    (general && only) || HELPERS.has(last_word(owner))
}

/// The last word of a name, `Utils` of `HTTPUtils2`: what begins with its last capital, or behind its last sign.
fn last_word(name: &str) -> &str {
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let at = name.bytes().rposition(|byte| !byte.is_ascii_lowercase());
    at.and_then(|at| name.get(if name.as_bytes().get(at)?.is_ascii_uppercase() { at } else { at + 1 }..))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guards_helpers_and_clients_of_general_use_are_asked_by_many() {
        for name in [
            "com.acme.domain.Booking.requireState",
            "com.acme.Http.post",
            "com.acme.http.BaseRestClient.execute",
            "Acme.Shared.MoneyUtils.Parse",
            "com.acme.HTTPUtils2.get",
            "Acme.Shared.Guard.ThrowIfClosedAsync",
            "lib/http:post",
            "app/http_client:request",
            "github.com/acme/shop/internal/http.(*Client).Do",
            "shop::support::db_helpers::read",
            "App\\Support\\Api->call",
            "App\\Models\\Order->findOrFail",
            "Shop.Accounts.get_or_raise/2",
            "Acme.Data.GenericRepository.SaveAsync",
            "utils:parse",
        ] {
            assert!(by_many(name), "{name}");
        }
        for name in [
            "com.acme.pay.AcquirerClient.authorise",
            "com.acme.Payments.charge",
            "com.acme.ledger.PostingService.post",
            "Acme.Billing.InvoiceStore.SaveAsync",
            "clients/parcel_client:create_label",
            "orders/handlers:handle",
            "handler",
            "waveform",
            "regreport/fetch:fetch_extract",
            "underwrite/store:save",
            "github.com/acme/iso8583.(*Message).field",
            "pricing::curve::YieldCurve::discount",
            "App\\Services\\InvoiceWriter->write",
            "com.acme.Doors.open",
            "",
        ] {
            assert!(!by_many(name), "{name}");
        }
    }
}
