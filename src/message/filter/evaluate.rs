//! Whether a message matches an expression.

use std::borrow::Cow;

use jiff::Timestamp;

use super::candidate::Candidate;
use super::datum::Datum;
use super::decimal::Decimal;
use super::expression::{Expression, Field, Test};
use super::needle::Needle;
use crate::message::failure::Origin;
use crate::message::fingerprint::{declared_type, shape};

/// Whether the message matches. `now` is the moment that ages are counted from.
pub(crate) fn matches(expression: &Expression, candidate: &Candidate<'_>, now: Timestamp) -> bool {
    match expression {
        Expression::And(parts) => parts.iter().all(|part| matches(part, candidate, now)),
        Expression::Or(parts) => parts.iter().any(|part| matches(part, candidate, now)),
        Expression::Not(inner) => !matches(inner, candidate, now),
        Expression::Word(needle) => word(needle, candidate),
        Expression::Test(field, test) => {
            let found = any(field, candidate, now, &mut |datum| datum.meets(test));
            found != matches!(test, Test::Differs(_))
        }
    }
}

/// Text anywhere: key and payload (raw, decoded, and what its strings hold), header names and values, id.
fn word(needle: &Needle, candidate: &Candidate<'_>) -> bool {
    let message = candidate.message();
    message.key.as_ref().is_some_and(|key| needle.is_in(key))
        || message.payload.as_ref().is_some_and(|payload| needle.is_in(payload))
        || needle.is_in(message.id.as_bytes())
        || message.headers.iter().any(|(name, value)| {
            needle.is_in(name.as_bytes()) || Datum::any_of(value, &mut |datum| needle.is_in(&datum.bytes()))
        })
        || candidate.decoded_text().is_some_and(|text| needle.is_in(text))
        || candidate.texts_inside().iter().any(|text| needle.is_in(text))
        || candidate.any_in_key(&mut |datum| needle.is_in(&datum.bytes()))
}

/// Calls `test` with the values of a field until it accepts one.
pub(super) fn any(
    field: &Field,
    candidate: &Candidate<'_>,
    now: Timestamp,
    test: &mut dyn FnMut(&Datum<'_>) -> bool,
) -> bool {
    let message = candidate.message();
    match field {
        Field::Body(path) if path.is_whole() => match &message.payload {
            None => false,
            Some(payload) => {
                test(&whole(payload))
                    || candidate.decoded_text().is_some_and(|text| test(&whole(text)))
                    || candidate.texts_inside().iter().any(|text| test(&whole(text)))
            }
        },
        Field::Body(path) => candidate.any_in_body(path, test),
        // What people would type comes first: groups are named by it.
        Field::Key => {
            candidate.any_in_key(test) || message.key.as_ref().is_some_and(|key| test(&Datum::Text(Cow::Borrowed(key))))
        }
        Field::Header(name) => message.headers.get_all(name).any(|value| Datum::any_of(value, test)),
        Field::Property(name) => {
            let mut values = message.properties.get_all(name).chain(message.metadata.get_all(name));
            values.any(|value| Datum::any_of(value, test))
        }
        Field::Reason => candidate.failure().is_some_and(|failure| {
            let deaths = failure.history.iter().map(|death| death.reason.as_str());
            let own = [&failure.message, &failure.outer, &failure.class].into_iter().filter_map(|text| text.as_deref());
            let mut texts = own.chain(deaths);
            texts.any(|text| test(&Datum::text(text)))
        }),
        Field::Class => candidate
            .failure()
            .and_then(|failure| failure.class.as_deref())
            .is_some_and(|class| test(&Datum::text(class))),
        Field::Origin => {
            candidate.failure().and_then(|failure| failure.origin.as_ref()).is_some_and(|origin| match origin {
                Origin::Queue(queue) => test(&Datum::text(queue)),
                Origin::Topic { topic, .. } => test(&Datum::text(topic)),
                Origin::Exchange { exchange, routing_key } => {
                    [exchange, routing_key, &format!("{exchange}/{routing_key}")]
                        .iter()
                        .any(|text| test(&Datum::text(text)))
                }
            })
        }
        Field::Group => {
            let group = candidate.group();
            test(&Datum::Group(group))
        }
        Field::Attempts => {
            let attempts = candidate.failure().and_then(|failure| failure.attempts).or(message.deliveries);
            attempts.is_some_and(|attempts| test(&Datum::number(&attempts)))
        }
        Field::Age => time(candidate).is_some_and(|time| test(&Datum::Duration(now.duration_since(time)))),
        Field::Time => time(candidate).is_some_and(|time| test(&Datum::Time(time))),
        Field::Size => test(&Datum::number(&message.size())),
        Field::Offset => message.position.is_some_and(|position| test(&Datum::number(&position.offset))),
        Field::Partition => message
            .position
            .and_then(|position| position.partition)
            .is_some_and(|partition| test(&Datum::number(&partition))),
        Field::Id => test(&Datum::text(&message.id)),
        Field::Type => match declared_type(message) {
            Some(name) => test(&Datum::text(&name)),
            None => test(&Datum::text(&shape(message))),
        },
        Field::Shape => test(&Datum::text(&shape(message))),
        Field::Format => candidate.view().formats().any(|name| test(&Datum::text(name))),
    }
}

/// When it was taken in; where the broker does not say, when it last died.
fn time(candidate: &Candidate<'_>) -> Option<Timestamp> {
    candidate.message().time.or_else(|| candidate.failure()?.last)
}

/// A whole payload as a value: a number where it is one.
fn whole(payload: &[u8]) -> Datum<'_> {
    match std::str::from_utf8(payload) {
        Ok(text) if Decimal::parse(text).is_some() => Datum::Number(Cow::Borrowed(text)),
        _ => Datum::Text(Cow::Borrowed(payload)),
    }
}
