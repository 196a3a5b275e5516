//! Finding by a few letters: the palette's commands and queues, and the filter of the list of queues.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

/// Those whose text has the letters of what was typed, in its order, with their scores; in the order they came.
pub(crate) fn matching<T>(typed: &str, items: impl Iterator<Item = T>, text: impl Fn(&T) -> String) -> Vec<(T, u32)> {
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
    let mut letters = Vec::new();
    let scored = items.filter_map(|item| {
        let text = text(&item);
        let score = pattern.score(Utf32Str::new(&text, &mut letters), &mut matcher)?;
        Some((item, score))
    });
    scored.collect()
}

/// The same, best first.
pub(crate) fn best<T>(typed: &str, items: impl Iterator<Item = T>, text: impl Fn(&T) -> String) -> Vec<T> {
    let mut found = matching(typed, items, text);
    found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    found.into_iter().map(|(item, _)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_letters_find_and_the_best_is_first() {
        let names = ["demo:orders", "demo:orders.dlq", "demo:emails_error"];
        let found = |typed: &str| best(typed, names.iter(), |name| (**name).to_owned());
        assert_eq!(found("ordlq"), [&"demo:orders.dlq"]);
        assert_eq!(found("err")[0], &"demo:emails_error");
        assert_eq!(found("").len(), 3);
        assert!(found("zzz").is_empty());
    }
}
