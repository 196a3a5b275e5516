//! Names of a schema or of the code in an error text: they stay where a value would go, for which column, field or method
//! it is tells one cause from another.
//!
//! Numbers in a name go (`lines[3].qty`, `orders_2`): they are indices and parts more often than names. Limits: English
//! words and the ways of common languages; what no word announces is a value.

use std::borrow::Cow;

use crate::text::find::{behind, starts};
use crate::text::words::Words;

/// What stands around a quoted text.
pub(super) struct Around<'a> {
    /// The two words before it.
    pub(super) before: (&'a str, &'a str),
    /// What follows it.
    pub(super) rest: &'a str,
    /// Java tells what was null: `Cannot invoke "A.b()" because "<local4>.c" is null`.
    pub(super) tells_null: bool,
}

/// What stays of a quoted text, where it is a name.
pub(super) fn of_code<'a>(inside: &'a str, around: &Around<'_>) -> Option<Cow<'a, str>> {
    let (second, first) = around.before;
    if around.tells_null && is_member(inside) {
        return Some(Cow::Owned(short_member(inside)));
    }
    if is_part(first) || are_part(second, first) || demands(around.rest) {
        if let Some(name) = field(inside) {
            return Some(name);
        }
        if (DASHED.has(first) || second == "module" || permits(around.rest)) && is_dashed(inside) {
            return Some(Cow::Borrowed(inside));
        }
        if first.eq_ignore_ascii_case("method") && is_operator(inside) {
            return Some(Cow::Borrowed(inside));
        }
    }
    if (second, first) == ("or", "assembly") {
        // .NET tells the version behind the name.
        return inside.split(',').next().filter(|name| field(name).is_some()).map(Cow::Borrowed);
    }
    (is_class(inside) || PYTHON.contains(&inside) || ((second, first) == ("not", "found") && is_signature(inside)))
        .then_some(Cow::Borrowed(inside))
}

/// Types of Python's own, as its errors name them.
const PYTHON: [&str; 10] = ["NoneType", "str", "int", "float", "list", "dict", "tuple", "bool", "bytes", "set"];
/// Parts whose names may have dashes and slashes.
static DASHED: Words = Words::new(&["header", "module", "placeholder", "service"]);

/// A name of letters and what joins them, and no absolute path: `X-Tenant`, `./pay`, `@acme/pay`.
fn is_dashed(text: &str) -> bool {
    (2..=64).contains(&text.len())
        && !text.starts_with('/')
        && text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@'))
}

/// A method of .NET with its types: `Void Acme.Pay.Charge(System.String)`.
fn is_signature(text: &str) -> bool {
    text.len() <= 200
        && text.ends_with(')')
        && text.split_once('(').is_some_and(|(name, _)| {
            name.contains('.')
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b' ' | b'.' | b'_' | b'`'))
        })
}

/// Whether a text goes on with what a breaker, a bulkhead or a limiter of that name says.
fn permits(rest: &str) -> bool {
    const SAYS: [&str; 6] = [
        " is OPEN and ",
        " is HALF_OPEN and ",
        " is FORCED_OPEN and ",
        " is full and does not permit ",
        " does not permit further ",
        " recorded a timeout ",
    ];
    rest.starts_with(' ') && SAYS.iter().any(|words| starts(rest, words))
}

/// The path of a URL, without the parts of it that are no words: `/v1/orders/*`.
pub(super) fn endpoint(url: &str) -> Option<String> {
    let path = match url.split_once("://") {
        Some((_, rest)) => rest.get(rest.find('/')?..)?,
        None => url.starts_with('/').then_some(url)?,
    };
    let path = path.split(['?', '#']).next().unwrap_or(path);
    // A part in upper case is a code of the data's, of an airport or a currency.
    let is_code = |part: &str| part.len() > 2 && part.bytes().all(|byte| byte.is_ascii_uppercase());
    let is_word = |part: &str| {
        (2..=32).contains(&part.len())
            && !is_code(part)
            && (part.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_'))
                || part.strip_prefix('v').is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit())))
    };
    let mut out = String::new();
    let mut words = 0;
    for part in path.split('/').filter(|part| !part.is_empty()).take(PATH_PARTS) {
        words += usize::from(is_word(part));
        out.push('/');
        out.push_str(if is_word(part) { part } else { "*" });
    }
    (words > 0).then_some(out)
}

/// More parts of a path are not told.
const PATH_PARTS: usize = 8;

/// Whether a word is a method of HTTP, as a client writes it.
pub(super) fn is_http_method(word: &str) -> bool {
    const METHODS: [&str; 12] =
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "Get", "Post", "Put", "Patch", "Delete", "Head"];
    word.len() <= 6 && METHODS.contains(&word)
}

/// Whether a text is Java's of what was null.
pub(super) fn tells_null(text: &str) -> bool {
    const DOING: [&str; 7] =
        ["invoke \"", "read field \"", "assign field \"", "load from ", "store to ", "throw exception", "enter sync"];
    behind(text, "Cannot ").is_some_and(|rest| {
        DOING.iter().any(|doing| rest.starts_with(doing)) || rest.starts_with("read the array length")
    })
}

/// A word after which a quoted name is a part of a schema or of the code, and no data.
pub(super) fn is_part(word: &str) -> bool {
    static PARTS: Words = Words::new(&[
        "header",
        "placeholder",
        "model",
        "service",
        "stringValue",
        "including",
        "element",
        "elements",
        "constraint",
        "column",
        "columns",
        "relation",
        "table",
        "index",
        "field",
        "fields",
        "property",
        "parameter",
        "attribute",
        "argument",
        "member",
        "method",
        "function",
        "variable",
        "constant",
        "reading",
        "setting",
        "path",
    ]);
    PARTS.has(word)
}

/// Two words after which it is.
fn are_part(before: &str, word: &str) -> bool {
    matches!(
        (before, word),
        ("array" | "for", "key")
            | ("module", "named")
            | ("find", "module")
            | ("No" | "no", "module" | "attribute")
            | ("import", "name")
            | ("of" | "to", "type")
            | ("SpringEL" | "OGNL", "expression")
    )
}

/// Whether a text goes on with what is demanded of the field that was named before it, or with what a language says of
/// a name in the code.
pub(super) fn demands(rest: &str) -> bool {
    const DEMANDS: [&str; 13] = [
        " field is ",
        " field must ",
        " is required",
        " is a required ",
        " is not allowed",
        " is missing",
        " must be ",
        " must not ",
        " is not defined",
        " object ",
        " referenced before assignment",
        " is not a function",
        " is null",
    ];
    rest.starts_with(' ') && (DEMANDS.iter().any(|words| starts(rest, words)) || permits(rest))
}

/// A name of letters and what joins them, without indices and short numbers; longer ones are data.
pub(super) fn field(text: &str) -> Option<Cow<'_, str>> {
    let is_name = |text: &str| {
        text.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'.' | b'-'))
            && !text.ends_with('-')
    };
    if !(2..=64).contains(&text.len()) || !text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
    {
        return None;
    }
    if is_name(text) {
        return Some(Cow::Borrowed(text));
    }
    let digits = |byte: &u8| byte.is_ascii_digit();
    let long =
        text.as_bytes().chunk_by(|a, b| digits(a) == digits(b)).any(|run| run.len() > 2 && run.iter().all(digits));
    let name: String = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let name = name.replace("[]", "").replace("..", ".");
    let left = name.strip_prefix('$').unwrap_or(&name);
    (!long && is_name(left) && left.bytes().filter(u8::is_ascii_alphabetic).count() > 1).then_some(Cow::Owned(name))
}

/// Ruby's methods may be signs: `[]`, `+`, `paid?`.
fn is_operator(text: &str) -> bool {
    (1..=40).contains(&text.len()) && !text.bytes().any(|byte| byte.is_ascii_digit() || byte.is_ascii_whitespace())
}

/// A member of a Java program: `com.acme.Order.total()`, `this.lines`, `<local4>.id`.
fn is_member(text: &str) -> bool {
    let (name, arguments) = text.split_once('(').map_or((text, None), |(name, rest)| (name, Some(rest)));
    let is_name = |text: &str| {
        text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'$' | b'<' | b'>' | b'[' | b']'))
    };
    (2..=200).contains(&text.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '<'))
        && is_name(name)
        && arguments.is_none_or(|rest| rest.strip_suffix(')').is_some_and(|rest| rest.split([',', ' ']).all(is_name)))
}

/// A member with its class and without packages and arguments: `Order.total()`. A local variable without a name has a
/// number, which changes with the build.
fn short_member(member: &str) -> String {
    let (name, call) = member.split_once('(').map_or((member, ""), |(name, _)| (name, "()"));
    let mut parts = name.rsplit('.');
    let (last, owner) = (parts.next().unwrap_or_default(), parts.next());
    let plain = |part: &str| if part.starts_with("<local") { "local".to_owned() } else { part.to_owned() };
    match owner {
        Some(owner) => format!("{}.{last}{call}", plain(owner)),
        None => format!("{}{call}", plain(last)),
    }
}

/// A class with its package or namespace: `java.lang.Long`, `System.DBNull`, `std::bad_alloc`.
fn is_class(text: &str) -> bool {
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'+'))
    };
    if text.len() > 120 || text.contains(' ') {
        return false;
    }
    if text.contains('\\') {
        return is_namespaced(text);
    }
    if text.contains("::") {
        return text.strip_suffix("()").unwrap_or(text).split("::").all(is_name);
    }
    let hump = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().any(|byte| byte.is_ascii_lowercase())
    };
    text.rsplit_once('.').is_some_and(|(package, name)| hump(name) && package.split('.').all(is_name))
}

/// A class of PHP with its namespace: `App\Jobs\SyncStock`. Two names alone may be a user of a domain, but for the
/// namespace that frameworks begin with.
pub(super) fn is_namespaced(text: &str) -> bool {
    let name = text.strip_prefix('\\').unwrap_or(text);
    let name = name.split("::").next().unwrap_or(name);
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_uppercase())
            && part.bytes().any(|byte| byte.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && part.bytes().filter(u8::is_ascii_digit).count() < 3
    };
    name.split('\\').all(is_name) && (name.starts_with("App\\") || name.matches('\\').count() > 1)
}

/// A class in a package of which a part is a version: `com.acme.sales.v3.OfferAccepted`. Without digits it is a plain word.
pub(super) fn is_versioned_class(token: &str) -> bool {
    let Some((package, name)) = token.rsplit_once('.') else { return false };
    let is_part = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        let is_version = letters == "v" && part.len() <= 3;
        is_version || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
    };
    name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().any(|byte| byte.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_alphabetic())
        && package.contains('.')
        && package.split('.').all(is_part)
}

/// The entity that Hibernate names with its id: `com.acme.Claim#17`.
pub(super) fn entity(inside: &str) -> Option<(&str, &str)> {
    let (name, id) = inside.split_once('#')?;
    (name.contains('.') && is_class(name) && !id.is_empty() && !id.contains('(')).then_some((name, id))
}

/// A token that is a path within a document, without its indices: `lines.0.qty` of pydantic, and `/lines/0/qty` where
/// something is demanded of it.
pub(super) fn path(token: &str, rest: &str) -> Option<String> {
    let separator = if token.contains('/') { '/' } else { '.' };
    if separator == '/' && !demands(rest) {
        return None;
    }
    let mut parts = token.split(separator).filter(|part| !part.is_empty());
    let is_name = |part: &str| {
        part.len() > 1
            && part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
    };
    let is_index = |part: &str| part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let first = parts.next().filter(|part| is_name(part))?;
    let mut name = first.to_owned();
    let (mut last_is_name, mut indices) = (true, 0);
    for part in parts {
        last_is_name = is_name(part);
        if last_is_name {
            name.push('.');
            name.push_str(part);
        } else if is_index(part) {
            indices += 1;
        } else {
            return None;
        }
    }
    (last_is_name && (indices > 0 || separator == '/')).then_some(name)
}

/// The function that Elixir names with its arity: `Acme.Tax.rate/2`.
pub(super) fn with_arity(token: &str) -> Option<&str> {
    let (name, arity) = token.rsplit_once('/')?;
    let is_arity = (1..=2).contains(&arity.len()) && arity.bytes().all(|byte| byte.is_ascii_digit());
    let is_name =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?' | b'!' | b':'));
    let (module, function) = name.rsplit_once('.')?;
    let is_module = module.starts_with(|c: char| c.is_ascii_uppercase() || c == ':');
    (is_arity && is_module && module.split('.').chain([function]).all(|part| !part.is_empty() && is_name(part)))
        .then_some(name)
}

/// Whether a tuple of Elixir or Erlang is all atoms: `:error, :timeout`.
pub(super) fn are_atoms(inside: &str) -> bool {
    inside.len() <= 80
        && inside.split(',').all(|part| {
            part.trim().trim_matches(['{', '}']).strip_prefix(':').is_some_and(|atom| {
                !atom.is_empty() && atom.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_was_asked_for_keeps_its_words_and_no_codes() {
        assert_eq!(endpoint("http://wx.svc:8080/v1/metar/EHAM?at=1").as_deref(), Some("/v1/metar/*"));
        assert_eq!(endpoint("http://wx.svc/EHAM/7").as_deref(), None);
        assert_eq!(field("coarse-conversion-value").as_deref(), Some("coarse-conversion-value"));
        assert_eq!(field("value-"), None);
    }

    #[test]
    fn names_lose_their_numbers_and_values_are_none() {
        for (text, want) in [
            ("email", Some("email")),
            ("lines[0].qty", Some("lines.qty")),
            ("uq_iban_v2", Some("uq_iban_v")),
            ("$.total", Some("$.total")),
            ("orders_20261122", None),
            ("a7", None),
            ("ord-17", None),
            ("Anna Berg", None),
        ] {
            assert_eq!(field(text).as_deref(), want, "{text}");
        }
        assert_eq!(path("lines.0.qty", "").as_deref(), Some("lines.qty"));
        assert_eq!(path("/lines/0/qty", " must be number").as_deref(), Some("lines.qty"));
        for other in ["10.0.0.1", "/lines/0/qty", "api.acme.com", "v1.2.3", "node.17", "/", "."] {
            assert_eq!(path(other, ""), None, "{other}");
        }
        assert_eq!(with_arity("Acme.Tax.rate/2"), Some("Acme.Tax.rate"));
        assert_eq!(with_arity("host/2"), None);
        assert!(are_atoms(":error, :timeout") && are_atoms(":badmatch, {:error, :closed}"));
        assert!(!are_atoms(":error, 17") && !are_atoms("") && !are_atoms(":error, \"Anna\""));
    }
}
