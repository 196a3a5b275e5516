//! A record as librdkafka lends it, and the message that is made of it.
//!
//! Limits: a header whose name is not UTF-8 can't be read through the client library; such a record is shown without
//! its headers and with a property that says so, which no publisher takes: it can't be sent on with a loss.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use rdkafka::Timestamp as Stamp;
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Header, Headers, Message as _, OwnedHeaders};

use crate::message::filter::{Prefilter, RawHeaders, RawParts};
use crate::message::{Fields, Message, Position, Value};

/// The property of a record whose headers can't be read.
const UNREADABLE: &str = "unreadable_headers";

thread_local! {
    /// A panic of this thread is expected, and not told on stderr.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// What the client library panics on instead of failing: names that are not UTF-8. `None` where it did.
pub(super) fn guarded<T>(read: impl FnOnce() -> T) -> Option<T> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panicked| {
            if !QUIET.get() {
                tell(panicked);
            }
        }));
    });
    let before = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(read)).ok();
    QUIET.set(before);
    done
}

/// The headers of a record that is lent to us.
struct Lent<'a>(Option<&'a BorrowedHeaders>);

impl RawHeaders for Lent<'_> {
    fn any(&self, test: &mut dyn FnMut(&str, Option<&[u8]>) -> bool) -> bool {
        let Some(headers) = self.0 else { return false };
        // What can't be read passes.
        guarded(|| headers.iter().any(|header| test(header.key, Some(header.value.unwrap_or_default()))))
            .unwrap_or(true)
    }
}

/// The id of a record, written without an allocation for each.
#[derive(Default)]
pub(super) struct IdText(String);

impl IdText {
    fn of(&mut self, raw: &BorrowedMessage<'_>) -> &str {
        self.write(u64::from(raw.partition().unsigned_abs()), raw.offset().unsigned_abs())
    }

    /// By hand, as it is done for every record that is seen: formatting takes ten times as long.
    fn write(&mut self, partition: u64, offset: u64) -> &str {
        self.0.clear();
        push_digits(&mut self.0, partition);
        self.0.push(':');
        push_digits(&mut self.0, offset);
        &self.0
    }
}

fn push_digits(text: &mut String, number: u64) {
    let mut unit = 1;
    while number / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        let digit = u32::try_from(number / unit % 10).ok().and_then(|digit| char::from_digit(digit, 10));
        text.extend(digit);
        unit /= 10;
    }
}

/// Whether the record could match.
pub(super) fn may_match(prefilter: Option<&Prefilter>, raw: &BorrowedMessage<'_>, id: &mut IdText) -> bool {
    let Some(prefilter) = prefilter else { return true };
    let headers = LazyHeaders(raw);
    prefilter.may_match(&RawParts {
        id: Some(id.of(raw)),
        key: raw.key(),
        payload: raw.payload(),
        headers: Some(&headers),
        other: false,
    })
}

/// Headers that are parsed only when a condition asks for them.
struct LazyHeaders<'a, 'b>(&'a BorrowedMessage<'b>);

impl RawHeaders for LazyHeaders<'_, '_> {
    fn any(&self, test: &mut dyn FnMut(&str, Option<&[u8]>) -> bool) -> bool {
        Lent(self.0.headers()).any(test)
    }
}

/// The record's time in milliseconds since 1970; `None` for none.
pub(super) fn millis(raw: &BorrowedMessage<'_>) -> Option<i64> {
    raw.timestamp().to_millis()
}

/// A message of its own, all of it in one piece of memory.
pub(super) fn message(address: &Arc<str>, raw: &BorrowedMessage<'_>) -> Message {
    let (key, payload) = (raw.key(), raw.payload());
    let headers = raw.headers();
    let read = guarded(|| own(key, payload, headers));
    let mut properties = Fields::new();
    let (key, payload, headers) = read.unwrap_or_else(|| {
        properties.push(UNREADABLE, Value::Bool(true));
        own(key, payload, None)
    });
    let mut metadata = Fields::new();
    if matches!(raw.timestamp(), Stamp::LogAppendTime(_)) {
        metadata.push("timestamp_type", "log_append_time");
    }
    let offset = u64::try_from(raw.offset()).unwrap_or_default();
    Message {
        address: Arc::clone(address),
        id: format!("{}:{offset}", raw.partition()),
        position: Some(Position { partition: Some(raw.partition()), offset }),
        time: millis(raw).and_then(|millis| Timestamp::from_millisecond(millis).ok()),
        key,
        headers,
        properties,
        metadata,
        payload,
        deliveries: None,
    }
}

fn own(
    key: Option<&[u8]>,
    payload: Option<&[u8]>,
    headers: Option<&BorrowedHeaders>,
) -> (Option<Bytes>, Option<Bytes>, Fields) {
    let values = || headers.into_iter().flat_map(Headers::iter);
    let size = key.map_or(0, <[u8]>::len)
        + payload.map_or(0, <[u8]>::len)
        + values().map(|header| header.value.map_or(0, <[u8]>::len)).sum::<usize>();
    let mut whole = BytesMut::with_capacity(size);
    let mut put = |bytes: &[u8]| {
        whole.extend_from_slice(bytes);
        whole.split().freeze()
    };
    let key = key.map(&mut put);
    let fields = values()
        .map(|header| (header.key.to_owned(), header.value.map_or(Value::Null, |value| Value::Bytes(put(value)))))
        .collect();
    let payload = payload.map(&mut put);
    (key, payload, fields)
}

/// The headers as a producer takes them; `None` for a value that is no bytes.
pub(super) fn headers(fields: &Fields) -> Option<OwnedHeaders> {
    let mut headers = OwnedHeaders::new_with_capacity(fields.len());
    for (name, value) in fields {
        let value = match value {
            Value::Null => None,
            Value::Bytes(bytes) => Some(&bytes[..]),
            _ => return None,
        };
        headers = headers.insert(Header { key: name, value });
    }
    Some(headers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_as_it_is_formatted() {
        let mut id = IdText::default();
        for (partition, offset) in [(0, 0), (7, 10), (12, 99), (100, 1_000_000), (3, u64::MAX)] {
            assert_eq!(id.write(partition, offset), format!("{partition}:{offset}"));
        }
    }
}
