//! The words that tell the mask what stands beside them: units, dates, names of places and of codes.
//!
//! Limits: English, as error texts are.

use crate::text::words::Words;

/// The longest start of `text` that fits `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or(text)
}

/// A unit that goes with the number before it.
pub(super) fn is_unit(word: &str) -> bool {
    static UNITS: Words = Words::new(&[
        "EUR",
        "USD",
        "GBP",
        "CHF",
        "JPY",
        "SEK",
        "PLN",
        "°C",
        "°F",
        "ns",
        "us",
        "µs",
        "ms",
        "s",
        "m",
        "h",
        "d",
        "sec",
        "secs",
        "second",
        "seconds",
        "min",
        "mins",
        "minute",
        "minutes",
        "hour",
        "hours",
        "day",
        "days",
        "millis",
        "milliseconds",
        "millisecond",
        "b",
        "kb",
        "mb",
        "gb",
        "kib",
        "mib",
        "gib",
        "byte",
        "bytes",
        "percent",
        "%",
        "microseconds",
        "nanoseconds",
    ]);
    UNITS.has(word)
}

fn is_day_or_month(word: &str) -> bool {
    static DAYS_AND_MONTHS: Words = Words::new(&[
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "jan",
        "feb",
        "mar",
        "apr",
        "may",
        "jun",
        "jul",
        "aug",
        "sep",
        "oct",
        "nov",
        "dec",
        "january",
        "february",
        "march",
        "april",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ]);
    DAYS_AND_MONTHS.has(word)
}

/// A month, a time zone or half of the day after a number.
pub(super) fn is_date_word(word: &str) -> bool {
    (2..=9).contains(&word.len())
        && (matches!(word, "AM" | "PM" | "am" | "pm") || is_zone(word) || is_day_or_month(word))
}

fn is_zone(word: &str) -> bool {
    matches!(
        word,
        "UTC" | "GMT" | "CET" | "CEST" | "EST" | "EDT" | "PST" | "PDT" | "CST" | "CDT" | "IST" | "JST" | "BST"
    )
}

/// A day or month name that starts a date: a number, or another such name, comes next.
pub(super) fn starts_date(word: &str, rest: &str) -> bool {
    if !is_day_or_month(word) {
        return false;
    }
    let next = rest.trim_start_matches([' ', ',', '.']);
    next.starts_with(|c: char| c.is_ascii_digit())
        || next.split([' ', ',']).next().is_some_and(|next| next != word && is_day_or_month(next))
}

/// A counted noun without its plural `s` (a verb that follows a number loses it, too, but for `does`).
pub(super) fn singular(word: &str) -> Option<&str> {
    let one = word.strip_suffix('s')?;
    let plural =
        one.len() > 2 && one.bytes().all(|b| b.is_ascii_lowercase()) && !one.ends_with(['s', 'u', 'i']) && one != "doe";
    plural.then_some(one)
}

/// A word after which a dashed or dotted name is a host.
pub(super) fn is_place(word: &str) -> bool {
    static PLACES: Words = Words::new(&[
        "to", "from", "at", "on", "host", "hostname", "server", "broker", "node", "resolve", "lookup", "reach", "via",
        "against", "upstream", "peer", "endpoint", "instance", "pod", "address", "service", "by",
    ]);
    is_code(word) || PLACES.has(word.trim_end_matches(':'))
}

/// An error's code as system calls have: `ENOTFOUND`, `EAI_AGAIN`.
fn is_code(word: &str) -> bool {
    word.len() > 4 && word.starts_with('E') && word.bytes().all(|b| b.is_ascii_uppercase() || b == b'_')
}

/// A word after which a name that is no plain word is a value.
fn is_naming(word: &str) -> bool {
    static NAMING: Words = Words::new(&[
        "id",
        "uuid",
        "key",
        "tenant",
        "region",
        "pod",
        "node",
        "host",
        "sku",
        "token",
        "user",
        "customer",
        "account",
        "partition",
        "currency",
        "country",
        "locale",
        "language",
    ]);
    NAMING.has(word)
}

/// Whether a token is the value that the word before it names: any word for a tenant or a host that is looked up, but
/// for the words that go on with the sentence; no plain word for the others.
pub(super) fn is_value_of(before: &str, token: &str) -> bool {
    if ALWAYS.has(before) {
        return !SENTENCE.has(token);
    }
    if is_proper(token) && NAMED.has(before) || is_country(token) && WHERE.has(before) {
        return true;
    }
    if TOWARDS.has(before) && (is_country_code(token) || is_currency(token)) {
        return true;
    }
    is_naming(before) && !is_plain(token) && !is_atom(token)
}

/// [`is_value_of`] of a word of lower case letters alone.
pub(super) fn is_word_of(before: &str, word: &str) -> bool {
    ALWAYS.has(before) && !SENTENCE.has(word)
}

/// Words before what is a value whatever it is.
static ALWAYS: Words = Words::new(&["tenant", "hostname", "username", "lookup"]);
/// Words that go on with the sentence.
static SENTENCE: Words = Words::new(&[
    "is", "was", "has", "had", "not", "does", "did", "could", "cannot", "can't", "must", "for", "in", "of", "on",
    "and", "or", "with", "by", "failed", "failure", "error", "missing", "unknown", "already", "limit", "name",
]);

/// A name in the code of Elixir or Ruby: `:sku`.
fn is_atom(token: &str) -> bool {
    token
        .strip_prefix(':')
        .is_some_and(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// Whether a name is of several words without anything between them: `orderPlaced`.
pub(super) fn has_hump(name: &str) -> bool {
    name.as_bytes().windows(2).any(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
}

/// What has a name of its own.
static NAMED: Words = Words::new(&[
    "site",
    "station",
    "depot",
    "city",
    "town",
    "vessel",
    "ship",
    "warehouse",
    "plant",
    "branch",
    "airport",
    "port",
    "hotel",
    "team",
    "player",
    "patient",
]);

/// Words before a country's code.
static WHERE: Words = Words::new(&["in", "for", "market", "region", "country"]);

/// A word that is written as names are: `Hornsrev`.
fn is_proper(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && word.len() > 2 && letters.all(char::is_lowercase)
}

/// Words before a country's or a currency's code that lead to other things, too.
static TOWARDS: Words = Words::new(&["to", "from", "in", "for", "currency", "locale", "country"]);

/// A country's code, but for those that are short for something technical (`IO`, `MQ`, `PK`), or a word.
fn is_country_code(word: &str) -> bool {
    const COUNTRIES: [&str; 64] = [
        "AE", "AR", "AT", "AU", "BA", "BE", "BG", "BR", "CA", "CH", "CL", "CN", "CO", "CR", "CY", "CZ", "DE", "DK",
        "EC", "EE", "EG", "ES", "EU", "FI", "FR", "GB", "GE", "GR", "HK", "HR", "HU", "IE", "IL", "JP", "KE", "KR",
        "KZ", "LI", "LT", "LU", "LV", "MA", "MT", "MX", "NG", "NL", "NZ", "PE", "PH", "PL", "PT", "QA", "RO", "SE",
        "SG", "SI", "SK", "TH", "TR", "TW", "UA", "UK", "US", "ZA",
    ];
    word.len() == 2 && COUNTRIES.contains(&word)
}

/// A currency's code.
fn is_currency(word: &str) -> bool {
    const CURRENCIES: [&str; 28] = [
        "AED", "AUD", "BGN", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS", "INR", "ISK",
        "JPY", "KRW", "MXN", "NOK", "NZD", "PLN", "RON", "SEK", "SGD", "THB", "USD", "ZAR",
    ];
    word.len() == 3 && CURRENCIES.contains(&word)
}

/// Two capital letters that are no word.
fn is_country(word: &str) -> bool {
    const OTHERS: [&str; 8] = ["ID", "IO", "DB", "IP", "UI", "OS", "TV", "PC"];
    word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_uppercase()) && !OTHERS.contains(&word)
}

/// All lower case letters, as the words of a sentence are, or a camel case name, as a class has.
fn is_plain(word: &str) -> bool {
    word.bytes().any(|b| b.is_ascii_lowercase()) && !word.contains(['-', '_', '.', '/', ':'])
}

/// Names whose value is the error's own code and says what happened.
pub(super) fn is_code_name(name: &str) -> bool {
    static CODES: Words = Words::new(&[
        "code",
        "error",
        "err",
        "errno",
        "reason",
        "kind",
        "class",
        "cause",
        "exception",
        "sqlstate",
        "errorcode",
        "error_code",
    ]);
    CODES.has(name)
}

/// A dotted lower case name that ends as hosts do.
pub(super) fn ends_like_host(token: &str) -> bool {
    static ENDS: Words = Words::new(&[
        "com",
        "net",
        "org",
        "io",
        "local",
        "internal",
        "lan",
        "corp",
        "cloud",
        "dev",
        "svc",
        "app",
        "localdomain",
        "eu",
        "de",
        "uk",
        "us",
        "info",
        "example",
        "test",
        "invalid",
        "prod",
        "se",
        "dk",
        "fi",
        "nl",
        "fr",
        "es",
        "pl",
        "ch",
        "cz",
        "pt",
        "ie",
        "jp",
        "cn",
        "br",
        "au",
        "ca",
        "nz",
        "kr",
    ]);
    token.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && ENDS.has(end))
}

/// A file of data by its name; source files say where an error happened and stay.
pub(super) fn ends_like_file(token: &str) -> bool {
    static ENDS: Words = Words::new(&[
        "csv", "json", "jsonl", "xml", "txt", "pdf", "log", "jpg", "jpeg", "png", "gif", "tif", "webp", "parquet",
        "avro", "zip", "gz", "tar", "yml", "yaml", "tmp", "dat", "bin", "xlsx", "html", "pem",
    ]);
    token.rsplit_once('.').is_some_and(|(name, end)| !name.is_empty() && ENDS.has(end))
}
