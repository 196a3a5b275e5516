//! Searches in short texts, such as a line of a trace: any preparation would cost more than the search.

/// Where a text is in a line.
pub(crate) fn find(line: &str, text: &str) -> Option<usize> {
    let (line, text) = (line.as_bytes(), text.as_bytes());
    memchr::memchr_iter(*text.first()?, line).find(|at| line.get(*at..).is_some_and(|rest| rest.starts_with(text)))
}

/// What stands before and behind the first such text in a line.
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
            ("ä: b", ": ", Some(2)),
        ] {
            assert_eq!(find(line, text), at);
            assert_eq!(find(line, text), line.find(text));
            assert_eq!(split(line, text), line.split_once(text));
        }
    }
}
