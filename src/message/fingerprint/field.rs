//! The field, the constraint or the element that only a reader or a validator around the cause names.
//!
//! Each of them has words of its own, and tells all that it found. Limits: those that are listed; a text that was cut
//! before the field says nothing of it.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::phrases::Phrase;
use super::{names, words};
use crate::message::failure::Failure;
use crate::text::find::{split, starts};

/// The field, or the constraint, that only a reader or a validator around the cause names: `lines.qty` of Jackson's
/// `(through reference chain: Order["lines"]->…)`.
#[must_use]
pub(super) fn field(failure: &Failure) -> Option<String> {
    if let Some(segment) = segment(failure) {
        return Some(segment);
    }
    let vague = failure.message.as_deref() == Some("could not execute statement");
    let texts = [failure.message.as_deref(), failure.outer.as_deref(), failure.stack.as_deref()];
    // Each text, most of them long traces, is gone through once.
    let told = failure.message.as_deref().and_then(|text| text.lines().next()).unwrap_or_default();
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
                PARAMETERS => parameters(behind),
                SCANNED => names::field(behind.split_once(", name \"")?.1.split_once('"')?.0).map(Cow::into_owned),
                mark if NAMED.contains(&mark) => wrapped(told, before, behind),
                CONVERTED => names::field(before.rsplit_once("Path: $.")?.1).map(Cow::into_owned),
                _ if vague => names::field(behind.split_once(']')?.0).map(Cow::into_owned),
                _ => None,
            }
        })
    })
}

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
/// How Symfony's serializer tells what a constructor of PHP lacks: `… to be present : "$rate", "$board".`
const PARAMETERS: &str = "requires the following parameters to be present : ";
/// How Go's package for databases begins to tell the column that it could not take: `… index 4, name "row_label": …`.
const SCANNED: &str = "sql: Scan error on column index ";
/// What follows the path that .NET's reader of JSON was at: `Path: $.Lines[0].Id | LineNumber: 0`.
const CONVERTED: &str = " | LineNumber: ";
/// How circe begins to tell where it was: `DecodingFailure at .lines[0].sku: Missing required field`.
const DECODED: &str = "DecodingFailure at .";
/// And how it told it before, inside out: `Missing required field: DownField(sku),DownField(line)`.
const DOWN: &str = Phrase::Down.text();
/// How Spring begins to name the constraint where Hibernate says only that it could not execute a statement.
const CONSTRAINT: &str = "constraint [";

/// How a program that wraps another's error names what was wrong: `specimen 7: bad timestamp in field collectedAt`.
const NAMED: [&str; 4] = [" field ", " property ", " column ", " attribute "];

#[expect(clippy::expect_used, reason = "a constant pattern, compiled in a test of this file")]
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    let marks = [
        CHAIN, BOUND, MAPPED, PLAYED, MISSING, VIOLATED, SCHEMA, PARAMETERS, SCANNED, CONVERTED, CONSTRAINT, DECODED,
        DOWN,
    ];
    let marks: Vec<_> = marks.into_iter().chain(NAMED).map(regex::escape).collect();
    Regex::new(&marks.join("|")).expect("a valid pattern")
});

/// The name behind a wrapper's `field`, where it is written as names are, in the first line of another error than the one
/// that is told.
fn wrapped(told: &str, before: &str, behind: &str) -> Option<String> {
    // The name goes first: it is near, and the line around it may be long.
    let word = behind.split([' ', ',', ';', ')', '\n']).next()?.trim_end_matches(['.', ':']);
    let bare = word.trim_matches(['\'', '"', '`', '[', ']']);
    let is_name = bare.len() < word.len() || words::has_hump(bare) || bare.contains(['_', '.']);
    let name = names::field(bare).filter(|_| is_name)?;
    let line_before = before.rsplit('\n').next()?;
    let is_first = line_before.len() == before.len();
    let is_other = is_first || ["Caused by: ", " ---> "].iter().any(|start| line_before.starts_with(start));
    let is_told = || line_before.ends_with(told) || told.contains(behind.split('\n').next().unwrap_or_default());
    (is_other && (told.is_empty() || !is_told())).then(|| name.into_owned())
}

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

/// The parameters that Symfony lists.
fn parameters(behind: &str) -> Option<String> {
    let line = behind.lines().next()?;
    each_once(line.split("\"$").skip(1).filter_map(|rest| rest.split_once('"')))
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

#[cfg(test)]
mod tests {
    use super::*;

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
        let php = "Cannot create an instance of \"A\" from serialized data because its constructor requires the following \
                   parameters to be present : \"$rate\", \"$board\".";
        assert_eq!(of(php).as_deref(), Some("board, rate"));
        let scan = "load seats: sql: Scan error on column index 4, name \"row_label\": converting NULL to string is unsupported";
        assert_eq!(of(scan).as_deref(), Some("row_label"));
        assert_eq!(of("the cvc-code of card: refused"), None);
    }

    #[test]
    fn a_wrapper_names_the_field_that_its_cause_does_not() {
        let of = |message: &str, wrapper: &str| {
            let stack = format!(
                "a.Failed: no specimen\n\tat a.b(C.java:1)\nCaused by: a.Bad: {wrapper}\n\tat a.b(C.java:2)\nCaused by: b.C: {message}"
            );
            field(&Failure { message: Some(message.into()), stack: Some(stack), ..Failure::default() })
        };
        let time = "Text '3/10' could not be parsed";
        for (wrapper, want) in [
            ("specimen 7: bad timestamp in field collectedAt", Some("collectedAt")),
            ("can't set property 'lines[2].qty'.", Some("lines.qty")),
            ("no column order_no: x", Some("order_no")),
            ("no such field was found", None),
            ("bad field 7", None),
        ] {
            assert_eq!(of(time, wrapper).as_deref(), want, "{wrapper}");
        }
        assert_eq!(of("bad timestamp in field collectedAt", "no"), None);
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
}
