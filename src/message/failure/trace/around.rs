//! Functions that only carry others: they try again, measure, trace, guard or intercept.
//!
//! A name counts only where all of its words are about that. Limits: English words; the innermost frame is kept
//! whatever it is called, so that a name that is misread here costs a caller and never the place.

use crate::text::find::find;
use crate::text::words::Words;

/// What is done around a call.
static ABOUT: Words = Words::new(&[
    "instrument",
    "measure",
    "retried",
    "metric",
    "metrics",
    "metered",
    "measured",
    "timed",
    "timing",
    "timer",
    "trace",
    "traced",
    "tracing",
    "tracer",
    "span",
    "telemetry",
    "instrumented",
    "instrumentation",
    "observed",
    "observation",
    "monitored",
    "retry",
    "retries",
    "retrying",
    "resilience",
    "resilient",
    "breaker",
    "bulkhead",
    "interceptor",
    "intercept",
    "intercepted",
    "transactional",
    "tx",
]);
/// Words beside them.
static BESIDE: Words = Words::new(&[
    "time",
    "with",
    "within",
    "in",
    "around",
    "and",
    "run",
    "execute",
    "call",
    "calls",
    "invoke",
    "apply",
    "do",
    "proceed",
    "async",
    "await",
    "sync",
    "wrap",
    "wrapped",
    "wrapper",
    "remote",
    "circuit",
    "policy",
    "utils",
    "util",
    "helper",
    "helpers",
    "support",
    "template",
    "aspect",
    "decorator",
]);
/// Words before a transaction that is the database's, and no thing that is bought or booked.
static WITHIN: Words = Words::new(&["in", "with", "within"]);

/// Whether a dotted name is a function that carries others.
pub(super) fn only_carries(name: &str) -> bool {
    let (owner, function) = match name.split_once('<') {
        // What .NET compiles of `RunAsync` is `<RunAsync>d__5.MoveNext`.
        Some((owner, rest)) => (owner.trim_end_matches(['.', '+']), rest.split('>').next().unwrap_or(rest)),
        None => name.rsplit_once('.').unwrap_or(("", name)),
    };
    carries(owner.rsplit(['.', '+', '$']).next().unwrap_or(owner), function)
}

/// Whether a function of a file carries others: the file stands for the class where there is none.
pub(super) fn only_carries_of_file(path: &str, function: &str) -> bool {
    let file = || path.rsplit(['/', '\\']).next().and_then(|file| file.split('.').next()).unwrap_or(path);
    let (class, function) = function.rsplit_once('.').unwrap_or_else(|| (file(), function));
    carries(class, function)
}

/// Whether a function is about carrying others: by a name of several such words (`withMetrics`), or as a member of a
/// class that is (`Resilience.RunAsync`).
fn carries(class: &str, function: &str) -> bool {
    if [class, function].iter().any(|part| find(part, "Retry").or_else(|| find(part, "retry")).is_some()) {
        return true;
    }
    read(function).is_some_and(|(about, count)| (about && count > 1) || matches!(read(class), Some((true, _))))
}

/// Where all words of a name are about carrying: whether one says so, and how many there are.
fn read(name: &str) -> Option<(bool, usize)> {
    let (mut about, mut count, mut before) = (false, 0, "");
    for word in words(name) {
        let is_transaction = word.eq_ignore_ascii_case("transaction") && WITHIN.has(before);
        let tells = is_transaction || ABOUT.has(word);
        if !tells && !BESIDE.has(word) {
            return None;
        }
        about |= tells;
        count += 1;
        before = word;
    }
    Some((about, count))
}

/// The words of `withMetrics`, `run_in_span`, `RunAsync`, without the numbers of lambdas.
pub(super) fn words(name: &str) -> impl Iterator<Item = &str> {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    name.split([' ', '_', '-', '$']).filter(move |part| !is_number(part) && *part != "lambda").flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let bytes = rest.as_bytes();
            let end = bytes
                .iter()
                .skip(1)
                .zip(bytes)
                .position(|(byte, before)| byte.is_ascii_uppercase() && !before.is_ascii_uppercase());
            let (word, tail) = rest.split_at_checked(end.map_or(rest.len(), |end| end + 1))?;
            rest = tail;
            (!word.is_empty()).then_some(word)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_all_about_carrying_others_carries() {
        for name in [
            "com.acme.RemoteCalls.withMetrics",
            "com.acme.Db.inTransaction",
            "com.acme.RemoteCalls.lambda$withMetrics$4",
            "Acme.Resilience.RunAsync",
            "Acme.Resilience.<RunAsync>d__5.MoveNext",
            "com.acme.TracingInterceptor.invoke",
            "com.acme.RetryingCarrier.book",
            "com.acme.CircuitBreaker.call",
        ] {
            assert!(only_carries(name), "{name}");
        }
        for (path, function) in [
            ("/app/lib/trace.js", ""),
            ("/app/lib/tracing.ts", "run"),
            ("/app/lib/calls.py", "with_span"),
            ("app/services/instrument.rb", "time"),
            ("/app/x.js", "Tracer.run"),
        ] {
            assert!(only_carries_of_file(path, function), "{path} {function}");
        }
        for own in [
            "com.acme.TransactionHandler.handle",
            "com.acme.Ledger.book",
            "com.acme.Parcels.trace",
            "com.acme.TimerService.run",
            "com.acme.Orders.run",
            "com.acme.Orders.beginTransaction",
            "Acme.Orders.<Run>d__5.MoveNext",
            "",
            ".",
        ] {
            assert!(!only_carries(own), "{own}");
        }
        for (path, function) in
            [("/app/trace.js", "parcel"), ("/app/parcels.js", "trace"), ("/app/run.js", ""), ("", "")]
        {
            assert!(!only_carries_of_file(path, function), "{path} {function}");
        }
    }
}
