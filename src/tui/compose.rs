//! The form of a message: lines of names and values, an empty line, the body; read back as an act.

use ratatui_textarea::{CursorMove, TextArea};

use super::act::{Act, ActVerb};
use crate::broker::Address;
use crate::error::{Error, ErrorKind, Result};
use crate::message::{Fields, Message};
use crate::operation::publish::property;

/// A message that is written: lines of names and values, an empty line, the body.
#[derive(Debug)]
pub(crate) struct Compose {
    pub(crate) area: TextArea<'static>,
}

impl Compose {
    /// The form for a new message.
    pub(crate) fn new(to: &Address) -> Self {
        Self::of_text(&format!("to: {to}\nproperty.content_type: application/json\n\n{{}}"))
    }

    /// The form for a copy of a message; the original stays. What has no text is left out, and said so.
    pub(crate) fn of(message: &Message, to: &str) -> Self {
        let mut text = format!("to: {to}\n");
        let mut left_out = Vec::new();
        match message.key.as_deref().map(std::str::from_utf8) {
            Some(Ok(key)) if !key.contains('\n') => text.extend(["key: ", key, "\n"]),
            Some(_) => left_out.push("key".to_owned()),
            None => {}
        }
        for (kind, fields) in [("header", &message.headers), ("property", &message.properties)] {
            for (name, value) in fields {
                let value = value.as_str().map(str::to_owned).or_else(|| value.as_i64().map(|n| n.to_string()));
                match value.filter(|value| !value.contains('\n')) {
                    Some(value) => text.extend([kind, ".", name, ": ", &value, "\n"]),
                    None => left_out.push(format!("{kind}.{name}")),
                }
            }
        }
        for name in left_out {
            text.extend(["# ", &name, " is left out: it is no line of text\n"]);
        }
        text.push('\n');
        match std::str::from_utf8(message.body()) {
            Ok(body) => text += body,
            Err(_) => text += "# the body is binary: capture it, or name a file with `postroom publish --file`",
        }
        Self::of_text(&text)
    }

    pub(crate) fn of_text(text: &str) -> Self {
        let mut area = TextArea::new(text.split('\n').map(str::to_owned).collect());
        area.set_cursor_line_style(ratatui::style::Style::new());
        Self { area }
    }

    pub(crate) fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    /// Puts the cursor to what is shown in a row and cell of the form.
    pub(crate) fn go_to(&mut self, row: u16, cell: u16) {
        let (top, left) = self.area.scroll_offset();
        let at = self.area.screen_to_data(usize::from(row) + usize::from(top), usize::from(cell) + usize::from(left));
        let within = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        self.area.move_cursor(CursorMove::Jump(within(at.0), within(at.1)));
    }

    /// What is written, as an act.
    ///
    /// # Errors
    /// `Usage`, naming the line that can't be read.
    pub(crate) fn act(&self) -> Result<Act> {
        parse(&self.text())
    }
}

fn parse(text: &str) -> Result<Act> {
    let bad = |number: usize, what: &str| {
        Error::new(ErrorKind::Usage, format!("line {number}: {what}"))
            .hint("write to:, key:, header.NAME: and property.NAME: lines, an empty line, and the body")
    };
    let (head, body) = match text.split_once("\n\n") {
        Some((head, body)) => (head, Some(body)),
        None => (text, None),
    };
    let mut to = None;
    let mut message =
        Message { payload: Some(bytes::Bytes::from(body.unwrap_or_default().to_owned())), ..Message::default() };
    let mut properties = Vec::new();
    for (at, line) in head.lines().enumerate() {
        let number = at + 1;
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        // A name may have colons, as addresses do; a value begins behind the first one with a space.
        let (name, value) = line
            .split_once(": ")
            .or_else(|| line.strip_suffix(':').map(|name| (name, "")))
            .ok_or_else(|| bad(number, "there is no `: ` behind a name"))?;
        match name.trim() {
            "to" => to = Some(value.trim().parse::<Address>()?),
            "key" => message.key = Some(bytes::Bytes::from(value.to_owned())),
            name => match name.split_once('.') {
                Some(("header", name)) if !name.is_empty() => message.headers.push(name, value),
                Some(("property", name)) if !name.is_empty() => properties.push(property(name, value)?),
                _ => return Err(bad(number, &format!("{name:?} is no part of a message"))),
            },
        }
    }
    message.properties = properties.into_iter().collect::<Fields>();
    let to = to.ok_or_else(|| bad(1, "there is no `to: ADDRESS`"))?;
    Ok(Act { message: Some(Box::new(message)), ..Act::new(ActVerb::Publish, to) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Value;

    #[test]
    fn a_written_message_reads_back_and_what_can_t_be_written_is_named() {
        let mut message =
            Message { key: Some("order-17".into()), payload: Some("{\n\n}".into()), ..Message::default() };
        message.headers.push("tenant", "acme: a");
        message.headers.push("odd", Value::Null);
        message.properties.push("content_type", "application/json");
        let act = Compose::of(&message, "shop:orders").act().unwrap();
        assert_eq!(act.address.to_string(), "shop:orders");
        let read = act.message.clone().unwrap();
        assert_eq!((read.key.as_deref(), read.body()), (Some(&b"order-17"[..]), &b"{\n\n}"[..]));
        assert_eq!(read.headers.get_str("tenant"), Some("acme: a"));
        assert!(Compose::of(&message, "shop:orders").text().contains("# header.odd is left out"));
        assert_eq!(
            act.line(),
            "postroom publish shop:orders --key order-17 --header 'tenant=acme: a' \
             --property content_type=application/json --body '{\n\n}'"
        );
        for (text, what) in
            [("key: a\n\n", "there is no `to"), ("to: a:b\nnonsense\n\n", "line 2"), ("to: a:b\nx: y", "\"x\"")]
        {
            assert!(parse(text).unwrap_err().to_string().contains(what), "{text}");
        }
    }
}
