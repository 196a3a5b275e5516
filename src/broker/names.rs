//! Names of queues: patterns for them, and what a name gives away.

use crate::error::{Error, ErrorKind, Result};

/// A pattern for names.
///
/// # Errors
/// `Usage` for one that is none.
pub(super) fn glob(text: &str) -> Result<globset::GlobMatcher> {
    // `*` reaches over dots and slashes: names of queues are no paths.
    globset::GlobBuilder::new(text).literal_separator(false).build().map(|glob| glob.compile_matcher()).map_err(
        |error| {
            Error::new(ErrorKind::Usage, format!("{text:?} is not a pattern for names"))
                .because(error)
                .hint("such as orders*")
        },
    )
}

/// Whether a name says that it is a dead-letter queue: by a word of its own (`orders.dead-letter`, `OrdersError`), or by
/// one that stands for nothing else, wherever it ends a word (`ordersdlq`).
pub(super) fn named_like_a_dlq(name: &str) -> bool {
    words(name).any(|word| {
        let alone = matches!(
            word.as_str(),
            "dlx" | "dl" | "dead" | "error" | "errors" | "failed" | "poison" | "parking" | "parked"
        );
        alone || ["dlq", "dlt", "deadletter", "deadletters"].iter().any(|end| word.ends_with(end))
    })
}

/// The words of a name in lower case, parted by what is no letter or digit, and where a capital follows a small letter.
fn words(name: &str) -> impl Iterator<Item = String> {
    name.split(|c: char| !c.is_ascii_alphanumeric()).flat_map(|part| {
        let mut words: Vec<String> = vec![String::new()];
        let mut small = false;
        for c in part.chars() {
            if small && c.is_ascii_uppercase() {
                words.push(String::new());
            }
            small = c.is_ascii_lowercase();
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_lowercase());
            }
        }
        words
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_give_dead_letter_queues_away() {
        for name in ["orders.dlq", "orders-dlq", "orders_error", "DLQ", "dead.letters", "orders/dead-letter"] {
            assert!(named_like_a_dlq(name), "{name}");
        }
        for name in ["ordersDLQ", "OrdersDeadLetter", "ordersDlt", "ordersdlq", "DeadLetters", "orderError"] {
            assert!(named_like_a_dlq(name), "{name}");
        }
        for name in ["orders", "handled", "errorless", "headlines", "deadline", "terrors", "Undead"] {
            assert!(!named_like_a_dlq(name), "{name}");
        }
    }
}
