//! JSON's escapes resolved in place: the text that people look for when they look into a JSON payload.

/// The text of a JSON document with every escape replaced by what it spells. No JSON any more, but readable and
/// searchable. `None` where an escape is none that JSON knows; a lone surrogate becomes U+FFFD.
pub(crate) fn unescape(json: &[u8]) -> Option<String> {
    let mut rest = std::str::from_utf8(json).ok()?;
    let mut out = String::with_capacity(rest.len());
    while let Some((before, escape)) = rest.split_once('\\') {
        out.push_str(before);
        let mut characters = escape.chars();
        match characters.next()? {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            c @ ('"' | '\\' | '/') => out.push(c),
            'u' => {
                let unit = hex4(characters.as_str())?;
                characters = characters.as_str().get(4..)?.chars();
                let low =
                    characters.as_str().strip_prefix("\\u").and_then(hex4).filter(|low| (0xdc00..0xe000).contains(low));
                let code = match (unit, low) {
                    (0xd800..0xdc00, Some(low)) => {
                        characters = characters.as_str().get(6..)?.chars();
                        0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)
                    }
                    _ => unit,
                };
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            _ => return None,
        }
        rest = characters.as_str();
    }
    out.push_str(rest);
    Some(out)
}

/// The first four hex digits.
fn hex4(text: &str) -> Option<u32> {
    let digits = text.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_escape_is_resolved() {
        let text = unescape(br#"{"a":"M\u00fcller \ud83d\ude00\n\"q\" \\ \/ \t\r\b\f"}"#).unwrap();
        assert_eq!(text, "{\"a\":\"Müller 😀\n\"q\" \\ / \t\r\u{8}\u{c}\"}");
        assert_eq!(unescape(br"\ud800x\ud800").unwrap(), "\u{fffd}x\u{fffd}");
    }

    #[test]
    fn what_json_does_not_know_is_no_escape() {
        for text in [&br"C:\Users"[..], br"\u12", br"\u+123", b"a\\", b"\xff\\n"] {
            assert_eq!(unescape(text), None);
        }
    }
}
