//! Messages: the `postroom.message/1` line with what is derived, and what people see of one.

use std::sync::Arc;

use jiff::Timestamp;

use super::human;
use super::paint::{Paint, Role};
use super::text::{fit, width_of};
use crate::broker::archive::home;
use crate::broker::{Address, Delivery};
use crate::message::Message;
use crate::message::codec;
use crate::message::failure::{Failure, detect};
use crate::message::fingerprint::{Rules, fingerprint};
use crate::message::jsonl::{Derived, write_line};
use crate::operation::columns::Column;
use crate::operation::glance::{self, failed_where, origin_target, preview, reason};
use crate::operation::masks::Masks;

/// Cells of a preview in a column: more than any line shows, and all that a preview looks at.
const CELL: usize = 4096;

/// What a view of messages needs to know beside them.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The broker they come from, for the addresses of their origins.
    pub(crate) broker: Address,
    /// What people don't get to see.
    pub(crate) masks: Masks,
    /// Whether machine lines are redacted too.
    pub(crate) redact_lines: bool,
    /// Whether machine lines show the payload's decoded form beside it.
    pub(crate) decode_lines: bool,
    /// The operator's rules for grouping.
    pub(crate) rules: Arc<Rules>,
    /// The time, for ages.
    pub(crate) now: Timestamp,
    /// Cells in a line.
    pub(crate) width: usize,
    /// Colours.
    pub(crate) paint: Paint,
}

impl View {
    /// Appends the message's line, with its failure and group.
    pub(crate) fn line(&self, message: &Message, out: &mut Vec<u8>) {
        let mut failure = detect(message);
        // A group is the same group in every view.
        let group = failure.as_ref().map(|failure| self.group(message, failure));
        let shown = if self.redact_lines { self.masks.redacted(message, &self.rules) } else { None };
        if let Some(shown) = &shown {
            failure = detect(shown);
        }
        let message = shown.as_ref().unwrap_or(message);
        let origin = failure.as_ref().and_then(|failure| self.origin(message, failure));
        let decoded = self.decode_lines.then(|| codec::view(message, self.rules.schemas()));
        let decoded_key = decoded.as_ref().and_then(|_| codec::key_view(message, self.rules.schemas()));
        let derived = Derived {
            failure: failure.as_ref(),
            origin: origin.as_deref(),
            group: group.as_deref(),
            decoded: decoded.as_ref(),
            decoded_key: decoded_key.as_ref(),
        };
        write_line(message, Some(&derived), out);
    }

    /// What columns show of a message, with what the profile hides hidden.
    pub(crate) fn cells(&self, message: &Message, columns: &[Column]) -> Vec<Option<String>> {
        let shown = self.masks.shown(message);
        let message = shown.as_ref().unwrap_or(message);
        columns.iter().map(|column| column.cell(message, CELL, self.now, &self.rules)).collect()
    }

    fn group(&self, message: &Message, failure: &Failure) -> String {
        fingerprint(message, Some(failure), &self.rules).id.to_string()
    }

    fn origin(&self, message: &Message, failure: &Failure) -> Option<String> {
        let origin = failure.origin.as_ref()?;
        Some(home(message, &self.broker)?.at(origin_target(origin)).to_string())
    }

    /// What people see of a message: where and when, why it died, the beginning of its payload.
    pub(crate) fn lines(&self, number: u64, delivery: &Delivery) -> Vec<String> {
        let mut failure = detect(&delivery.message);
        let group = failure.as_ref().map(|failure| self.group(&delivery.message, failure));
        let shown = self.masks.shown(&delivery.message);
        if let Some(shown) = &shown {
            failure = detect(shown);
        }
        let message = shown.as_ref().unwrap_or(&delivery.message);
        let mut lines = vec![self.head(number, delivery, message, group.as_deref())];
        lines.extend(failure.as_ref().map(|failure| self.reason(failure)));
        let room = self.width.saturating_sub(4);
        let preview = preview(message, room, self.rules.schemas());
        lines.push(format!(
            "    {}",
            if preview.faint { self.paint.paint(Role::Faint, &preview.text) } else { preview.text }
        ));
        lines
    }

    fn head(&self, number: u64, delivery: &Delivery, message: &Message, group: Option<&str>) -> String {
        let place = message.position.map_or_else(|| number.to_string(), glance::place);
        let mut parts = vec![self.paint.paint(Role::Heading, &format!("{place:>3}"))];
        parts.extend(message.time.map(|time| {
            self.paint.paint(Role::Faint, &format!("{} ({})", human::time(time), human::age(time, self.now)))
        }));
        let key = glance::key(message, self.rules.schemas());
        parts.extend(key.map(|key| self.paint.paint(Role::Name, &fit(&key, self.width / 3))));
        parts.push(human::size(message.size()));
        let times = delivery.message.deliveries.filter(|n| *n > 0);
        parts.extend(times.map(|n| self.paint.paint(Role::Warning, &format!("seen {}", human::plural(n, "time")))));
        parts.extend(group.map(|group| self.paint.paint(Role::Faint, group)));
        parts.join("  ")
    }

    fn reason(&self, failure: &Failure) -> String {
        let from = fit(&failed_where(failure), self.width / 3);
        let room = self.width.saturating_sub(6 + width_of(&from));
        let text = fit(&reason(failure), room);
        format!("    {}  {}", self.paint.paint(Role::Bad, &text), self.paint.paint(Role::Faint, &from))
            .trim_end()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::broker::Token;
    use crate::config::Redaction;
    use crate::message::Fields;

    fn view(rules: &[&str]) -> View {
        View {
            broker: "shop".parse().unwrap(),
            masks: Masks::new(Redaction::new(rules.iter().map(|rule| rule.parse().unwrap()).collect())),
            redact_lines: false,
            decode_lines: false,
            rules: Arc::default(),
            now: "2026-03-02T10:14:12Z".parse().unwrap(),
            width: 80,
            paint: Paint { on: false },
        }
    }

    fn delivery(message: Message) -> Delivery {
        Delivery::new(message, Token(0), None)
    }

    fn dead() -> Message {
        Message {
            time: "2026-03-02T10:11:12Z".parse().ok(),
            key: Some(Bytes::from_static(b"order-17")),
            headers: Fields::from_iter([
                ("x-exception-message", "card\x1b[2J declined"),
                ("x-original-routingKey", "orders"),
            ]),
            payload: Some(Bytes::from_static(b"{\n  \"card\": \"4111\"\n}")),
            deliveries: Some(2),
            ..Message::default()
        }
    }

    #[test]
    fn people_see_place_time_reason_and_payload_and_nothing_that_acts_on_the_terminal() {
        let lines = view(&[]).lines(7, &delivery(dead()));
        assert!(lines[0].starts_with("  7  2026-03-02 10:11:12Z (3m)  order-17  "), "{}", lines[0]);
        assert!(lines[1].contains("card␛[2J declined"), "{}", lines[1]);
        assert_eq!(lines[2], "    { \"card\": \"4111\" }");
    }

    #[test]
    fn redaction_holds_for_people_and_for_lines_only_when_asked() {
        let mut view = view(&["body.card", "header.x-exception-message"]);
        let lines = view.lines(1, &delivery(dead())).join("\n");
        assert!(!lines.contains("4111") && !lines.contains("declined"), "{lines}");
        let mut line = Vec::new();
        view.line(&dead(), &mut line);
        assert!(String::from_utf8_lossy(&line).contains("4111"));
        view.redact_lines = true;
        let group = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["group"].to_string();
        let open = group(&String::from_utf8(line).unwrap());
        let mut line = Vec::new();
        view.line(&dead(), &mut line);
        let line = String::from_utf8(line).unwrap();
        assert!(!line.contains("4111") && !line.contains("declined"), "{line}");
        assert_eq!(group(&line), open, "a group is the same group in every view");
    }

    #[test]
    fn payloads_in_other_formats_are_shown_decoded_and_what_redaction_hides_stays_hidden() {
        let encoded: &[u8] = b"eyJjYXJkIjoiNDExMSIsIngiOjF9";
        let message = Message { payload: Some(Bytes::from_static(encoded)), ..Message::default() };
        assert_eq!(preview(&message, 60, None).text, r#"(base64) {"card":"4111","x":1}"#);
        let lines = view(&["body.card"]).lines(1, &delivery(message.clone())).join("\n");
        assert!(!lines.contains("4111"), "{lines}");
        for redact_lines in [false, true] {
            let mut line = Vec::new();
            View { decode_lines: true, redact_lines, ..view(&["body.card"]) }.line(&message, &mut line);
            let line = String::from_utf8(line).unwrap();
            assert_eq!(
                line.contains(r#""decoded":{"formats":["base64","json"],"json":{"card":"4111","x":1}}"#),
                !redact_lines
            );
            assert_eq!(line.contains("4111"), !redact_lines, "{line}");
        }
    }
}
