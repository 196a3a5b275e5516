//! The messages in a block of lines, for whoever takes them: only lines that may match are parsed.
//!
//! A line that the prefilter proves not to match is counted and, as a cheap sign that nothing was cut, must still
//! begin with `{` and end with `}` and a line end; whatever does not is parsed, so that its error is told. Limits: damage in the
//! middle of a line that can't match is not looked for.

use std::sync::Arc;

use super::source::{Block, BlockEnd, lines_of};
use crate::broker::{Address, Connection, Delivery, Intake, Token};
use crate::error::Error;
use crate::message::filter::Prefilter;
use crate::message::jsonl::read_line;
use crate::message::{Message, Position, Value};

/// Messages that are handed on at once: few enough to be in the cache still when they are looked at.
const AT_ONCE: usize = 8;

/// What to look for in the lines of an archive.
pub(super) struct Look {
    /// The address that messages are given.
    pub(super) address: Arc<str>,
    /// Lines that fail it are passed over.
    pub(super) prefilter: Option<Prefilter>,
    /// The first line that is behind the range.
    pub(super) before: Option<u64>,
    /// Who takes the messages at once, instead of [`Scanned::found`].
    pub(super) intake: Option<Arc<dyn Intake>>,
}

/// What a block held, up to the end of the range.
pub(super) struct Scanned {
    /// The messages that may match and that nobody has taken.
    pub(super) found: Vec<Delivery>,
    /// How many may match, taken or not.
    pub(super) matched: u64,
    /// Messages, refused ones included.
    pub(super) messages: u64,
    /// Bytes of lines.
    pub(super) bytes: u64,
    /// Why nothing can be read from this line on.
    pub(super) fault: Option<(u64, Error)>,
    /// Whether the archive or the range ends here.
    pub(super) is_last: bool,
}

impl Look {
    /// Scans the lines of a block up to the first fault; `batch` is what an intake is told.
    pub(super) fn scan(&self, block: &mut Block, batch: u64) -> Scanned {
        let end = block.end.take();
        let lines = block.lines.get();
        let mut scanned = Scanned {
            found: Vec::new(),
            matched: 0,
            messages: 0,
            bytes: lines.len() as u64,
            fault: None,
            is_last: end.is_some(),
        };
        let is_behind = |line: u64| self.before.is_some_and(|before| line >= before);
        let mut number = block.before;
        for (at, line) in lines_of(lines) {
            if is_behind(number + 1) {
                break;
            }
            number += 1;
            // Without its line end a line may be cut, even where it ends like a whole one.
            let has_end = at + line.len() < lines.len();
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            scanned.messages += 1;
            let looks_whole = has_end && line.starts_with(b"{") && line.ends_with(b"}");
            if looks_whole && self.prefilter.as_ref().is_some_and(|prefilter| !prefilter.may_match_line(line)) {
                continue;
            }
            match read_line(line) {
                Ok(message) => self.found(message, number, batch, &mut scanned),
                Err(error) => {
                    scanned.messages -= 1;
                    scanned.fault = Some((number, error));
                    break;
                }
            }
        }
        scanned.is_last |= is_behind(number + 1);
        if let Some(BlockEnd::Failed(error)) = end
            && scanned.fault.is_none()
            && !is_behind(number + 1)
        {
            scanned.fault = Some((number + 1, error));
        }
        self.hand_on(batch, &mut scanned.found);
        scanned
    }

    fn found(&self, message: Message, line: u64, batch: u64, scanned: &mut Scanned) {
        let mut message = archived(message);
        message.address = Arc::clone(&self.address);
        message.position = Some(Position { partition: None, offset: line });
        scanned.matched += 1;
        scanned.found.push(Delivery::new(message, Token(line), None));
        if scanned.found.len() == AT_ONCE {
            self.hand_on(batch, &mut scanned.found);
        }
    }

    /// Gives what was found to the intake, where there is one.
    fn hand_on(&self, batch: u64, found: &mut Vec<Delivery>) {
        if let Some(intake) = &self.intake {
            intake.take(batch, std::mem::take(found));
        }
    }
}

/// The message as it stands in an archive: where it was before is kept as metadata, from the first archive on. The
/// archive's address and the line are for the caller to fill in.
fn archived(mut message: Message) -> Message {
    let (address, position) = (std::mem::take(&mut message.address), message.position.take());
    if !address.is_empty() && message.metadata.get(SOURCE_ADDRESS).is_none() {
        message.metadata.push(SOURCE_ADDRESS, Value::text(&*address));
        if let Some(Position { partition, offset }) = position {
            let place = partition.map_or_else(|| offset.to_string(), |partition| format!("{partition}:{offset}"));
            message.metadata.push(SOURCE_POSITION, Value::text(place));
        }
    }
    if message.id.is_empty() {
        message.id = message.content_id();
    }
    message
}

/// The metadata of an archived message that says where it was read first: an address.
pub const SOURCE_ADDRESS: &str = "source_address";
/// And its position there, `OFFSET` or `PARTITION:OFFSET`.
pub const SOURCE_POSITION: &str = "source_position";

/// The broker that a message's origin is relative to: the one it was read from, and for an archived message the one
/// it was archived from. `None` where an archive does not say; its own address would name a file.
#[must_use]
pub fn home(message: &Message, read_from: &Address) -> Option<Address> {
    home_of(message.metadata.get_str(SOURCE_ADDRESS), read_from)
}

/// [`home`], for what is known of a message without it.
#[must_use]
pub fn home_of(archived_from: Option<&str>, read_from: &Address) -> Option<Address> {
    let stated = archived_from.and_then(|address| address.parse::<Address>().ok());
    match (&read_from.connection, stated) {
        (Connection::File, stated) => stated.filter(|stated| stated.connection != Connection::File),
        _ => Some(read_from.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archived_message_is_at_home_where_it_was_archived() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let line = |address: &str| archived(Message { address: address.into(), ..Message::default() });
        let archive = address("file:a.jsonl");
        assert_eq!(home(&line("shop:orders.dlq"), &archive), Some(address("shop:orders.dlq")));
        assert_eq!(home(&line(""), &archive), None);
        assert_eq!(home(&line("file:old.jsonl"), &archive), None);
        // What was published again from an archive is at home where it is now.
        assert_eq!(home(&line("shop:orders.dlq"), &address("demo:orders")), Some(address("demo:orders")));
    }
}
