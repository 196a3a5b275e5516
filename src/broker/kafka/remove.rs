//! Removing what a take gave out, as far as Kafka can: everything before an offset (`DeleteRecords`).
//!
//! A record goes only when nothing older of its partition is left: what the prefilter left out, what was not settled,
//! stands in the way, and the record stays. Never "to the end": arrivals would go, too.
//!
//! To remove a prefix twice is to remove it once, so an order whose answer is lost is given again. What is still without
//! an answer then stands in nobody's way: the next order is for it, too.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use std::time::Duration;

use rdkafka::error::KafkaError;

use super::Shared;
use super::errors::{code, explain, is_passing};
use super::native::{self, Place};
use crate::broker::Token;
use crate::error::{Error, ErrorKind, Result};
use crate::message::Position;

/// How often an order is given whose answer is lost.
const TRIES: u32 = 3;
/// How long until it is given again.
const AGAIN: Duration = Duration::from_millis(500);

/// How it went with one partition.
type Answer = std::result::Result<(), (ErrorKind, String)>;

/// A record that was given out and is not removed.
struct Held {
    token: Token,
    offset: u64,
    /// A record that was not given out stands before it.
    after_gap: bool,
}

/// What a take has given out.
pub(super) struct Removal {
    topic: String,
    /// In the order of the log.
    held: BTreeMap<i32, VecDeque<Held>>,
    partition: HashMap<Token, i32>,
    /// Those whose removal was ordered without an answer.
    unanswered: BTreeSet<Token>,
}

impl Removal {
    pub(super) fn new(topic: &str) -> Self {
        Self { topic: topic.to_owned(), held: BTreeMap::new(), partition: HashMap::new(), unanswered: BTreeSet::new() }
    }

    /// Notes a record that is given out.
    pub(super) fn give(&mut self, token: Token, position: Position, after_gap: bool) {
        let partition = position.partition.unwrap_or_default();
        self.held.entry(partition).or_default().push_back(Held { token, offset: position.offset, after_gap });
        self.partition.insert(token, partition);
    }

    /// How many are not removed.
    pub(super) fn left(&self) -> u64 {
        self.partition.len() as u64
    }

    /// # Errors
    /// `Unexpected` for a token that is not held.
    pub(super) fn check(&self, token: Token) -> Result<()> {
        let known = self.partition.contains_key(&token);
        known.then_some(()).ok_or_else(|| Error::new(ErrorKind::Unexpected, "the message is not held by this reader"))
    }

    /// The longest prefix of each partition that these tokens make up: how many, and the offset behind it.
    fn prefixes(&self, tokens: &BTreeSet<Token>) -> BTreeMap<i32, (usize, u64)> {
        let mut prefixes = BTreeMap::new();
        for (partition, held) in &self.held {
            let goes = |token: &Token| tokens.contains(token) || self.unanswered.contains(token);
            let run = held.iter().take_while(|held| !held.after_gap && goes(&held.token));
            if let Some((count, last)) = run.enumerate().last() {
                prefixes.insert(*partition, (count + 1, last.offset + 1));
            }
        }
        prefixes
    }

    /// Removes what can be removed.
    pub(super) async fn remove(&mut self, shared: &Shared, tokens: &[Token]) -> Vec<Result<()>> {
        if !self.unanswered.is_empty()
            && let Err(error) = alive(shared).await
        {
            let (kind, why) = (error.kind(), error.message().to_owned());
            return tokens.iter().map(|_| Err(Error::new(kind, why.clone()))).collect();
        }
        let wanted: BTreeSet<Token> = tokens.iter().copied().collect();
        let prefixes = self.prefixes(&wanted);
        let mut results: HashMap<Token, Result<()>> = HashMap::new();
        if !prefixes.is_empty() {
            let answers = delete(shared, &self.topic, &prefixes).await;
            for (partition, (count, _)) in prefixes {
                let Some(held) = self.held.get_mut(&partition) else { continue };
                let answer = answers.get(&partition).map_or_else(
                    || Err((ErrorKind::Ambiguous, "Kafka did not say whether the records are removed".to_owned())),
                    Clone::clone,
                );
                let run: Vec<Token> = held.iter().take(count).map(|held| held.token).collect();
                match &answer {
                    Ok(()) => {
                        held.drain(..count);
                        for token in &run {
                            self.partition.remove(token);
                            self.unanswered.remove(token);
                        }
                    }
                    Err((ErrorKind::Ambiguous, _)) => self.unanswered.extend(&run),
                    Err(_) => {}
                }
                for token in run {
                    results.insert(token, answer.clone().map_err(|(kind, why)| Error::new(kind, why)));
                }
            }
        }
        tokens
            .iter()
            .map(|token| {
                results.remove(token).unwrap_or_else(|| {
                    self.check(*token)?;
                    Err(Error::new(ErrorKind::Rejected, "an older record of the partition stays, and so does this one")
                        .hint("Kafka removes only everything before an offset"))
                })
            })
            .collect()
    }
}

/// Whether somebody answers.
async fn alive(shared: &Shared) -> Result<()> {
    shared.client().await?.brokers().await.map(drop)
}

/// Removes everything before an offset in each partition, and says how it went.
async fn delete(shared: &Shared, topic: &str, prefixes: &BTreeMap<i32, (usize, u64)>) -> BTreeMap<i32, Answer> {
    let mut open: Vec<(i32, u64)> = prefixes.iter().map(|(partition, (_, before))| (*partition, *before)).collect();
    let mut answers = BTreeMap::new();
    for tries in 0..TRIES {
        if tries > 0 {
            tokio::time::sleep(AGAIN).await;
        }
        answers.extend(order(shared, topic, &open).await);
        let unanswered = |answer: &Answer| matches!(answer, Err((ErrorKind::Ambiguous, _)));
        open.retain(|(partition, _)| answers.get(partition).is_none_or(unanswered));
        if open.is_empty() {
            break;
        }
    }
    answers
}

/// Gives the order once.
async fn order(shared: &Shared, topic: &str, before: &[(i32, u64)]) -> BTreeMap<i32, Answer> {
    let doing = format!("removing records of the topic {topic:?}");
    let fail = |error: &KafkaError| {
        let explained = explain(&doing, error);
        // Where the answer was lost the records may be gone.
        let kind = if code(error).is_none_or(is_passing) { ErrorKind::Ambiguous } else { explained.kind() };
        (kind, explained.to_string())
    };
    let all =
        |failed: (ErrorKind, String)| before.iter().map(|(partition, _)| (*partition, Err(failed.clone()))).collect();
    let client = match shared.client().await {
        Ok(client) => client,
        Err(error) => return all((error.kind(), error.to_string())),
    };
    let (topic, before) = (topic.to_owned(), before.to_vec());
    match client.order(move |consumer, within| native::delete_records(consumer, &topic, &before, within)).await {
        Ok(places) => {
            let failed = |place: &Place| place.error.map(KafkaError::Global).map(|error| fail(&error));
            places.iter().map(|place| (place.partition, failed(place).map_or(Ok(()), Err))).collect()
        }
        Err(error) => all(fail(&error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nothing_stands_before_can_go() {
        let mut removal = Removal::new("t");
        let mut give = |token, partition, offset, gap| {
            removal.give(Token(token), Position { partition: Some(partition), offset }, gap);
        };
        give(0, 0, 5, false);
        give(1, 0, 7, false);
        give(2, 0, 9, true);
        give(3, 1, 3, false);
        let prefixes = |tokens: &[u64]| removal.prefixes(&tokens.iter().map(|token| Token(*token)).collect());
        assert_eq!(prefixes(&[1]), BTreeMap::new());
        assert_eq!(prefixes(&[0]), BTreeMap::from([(0, (1, 6))]));
        assert_eq!(prefixes(&[0, 1, 2, 3]), BTreeMap::from([(0, (2, 8)), (1, (1, 4))]));
        assert_eq!(removal.left(), 4);
        // What was ordered without an answer does not stand in the way of the next.
        removal.unanswered.insert(Token(0));
        let prefixes = |tokens: &[u64]| removal.prefixes(&tokens.iter().map(|token| Token(*token)).collect());
        assert_eq!(prefixes(&[1]), BTreeMap::from([(0, (2, 8))]));
    }
}
