//! Searches in short texts, such as a line of a trace: any preparation would cost more than the search.

/// Where a text is in a line.
#[inline]
pub(crate) fn find(line: &str, text: &str) -> Option<usize> {
    let (line, text) = (line.as_bytes(), text.as_bytes());
    memchr::memchr_iter(*text.first()?, line).find(|at| line.get(*at..*at + text.len()) == Some(text))
}

/// Whether a line begins with a text. Most do not begin with its first letter, which is asked in place.
#[inline]
pub(crate) fn starts(line: &str, text: &str) -> bool {
    line.as_bytes().first() == text.as_bytes().first() && line.as_bytes().get(..text.len()) == Some(text.as_bytes())
}

/// What stands behind a text that a line begins with.
#[inline]
pub(crate) fn behind<'a>(line: &'a str, text: &str) -> Option<&'a str> {
    if starts(line, text) { line.get(text.len()..) } else { None }
}

/// What stands before and behind the first such text in a line.
#[inline]
pub(crate) fn split<'a>(line: &'a str, text: &str) -> Option<(&'a str, &'a str)> {
    let at = find(line, text)?;
    Some((line.get(..at)?, line.get(at + text.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_one_is_found_as_a_whole() {
        for (line, text, at) in [
            ("a:b: c", ": ", Some(3)),
            ("aab", "ab", Some(1)),
            ("a:", ": ", None),
            ("", ": ", None),
            (": b", ": ", Some(0)),
            ("ä: b", ": ", Some(2)),
        ] {
            assert_eq!(find(line, text), at);
            assert_eq!(find(line, text), line.find(text));
            assert_eq!(split(line, text), line.split_once(text));
            assert_eq!(starts(line, text), line.starts_with(text));
            assert_eq!(behind(line, text), line.strip_prefix(text));
        }
    }
}
