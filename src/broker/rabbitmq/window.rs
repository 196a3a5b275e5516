//! How many messages to have delivered at once, so that what is in memory stays within its bound.
//!
//! Sizes are those that the management API tells, later those that were seen. Without any the windows begin small
//! and grow. Limits: an average; a window of unusually large messages can exceed the bound.

/// Bytes in memory where the caller does not say.
const MEMORY: u64 = 64 * 1024 * 1024;
/// A larger prefetch gains nothing (`broker-facts.md` 1.6).
const MOST: u64 = 3000;
/// The first window where no size is known.
const FIRST: u64 = 64;

/// The size of the next window.
#[derive(Debug)]
pub(super) struct Window {
    memory: u64,
    /// Messages at most.
    most: u64,
    /// Bytes of a message, as the queue's statistics have it.
    told: Option<u64>,
    seen: u64,
    bytes: u64,
    grown: u64,
}

impl Window {
    /// `bytes` and `messages` are the queue's, where they are known.
    pub(super) fn new(memory: Option<u64>, bytes: Option<u64>, messages: Option<u64>) -> Self {
        let told =
            bytes.zip(messages).and_then(|(bytes, messages)| bytes.checked_div(messages)).filter(|size| *size > 0);
        Self { memory: memory.unwrap_or(MEMORY), most: MOST, told, seen: 0, bytes: 0, grown: FIRST }
    }

    /// No window is larger than that.
    pub(super) fn at_most(self, messages: Option<u64>) -> Self {
        Self { most: messages.map_or(self.most, |messages| self.most.min(messages).max(1)), ..self }
    }

    /// Counts a message that came.
    pub(super) fn see(&mut self, bytes: u64) {
        self.seen += 1;
        self.bytes += bytes;
    }

    /// Whether the next windows will be no larger for what was seen.
    pub(super) fn is_settled(&self) -> bool {
        self.told.is_some() || self.grown >= self.most
    }

    /// How many messages to ask for next, at most `wanted`.
    pub(super) fn next(&mut self, wanted: u64) -> u64 {
        let seen = self.bytes.checked_div(self.seen).unwrap_or(0);
        let size = seen.max(self.told.unwrap_or(0)).max(1);
        let mut window = (self.memory / size).clamp(1, self.most);
        if self.told.is_none() {
            window = window.min(self.grown);
            self.grown = (self.grown * 8).min(MOST);
        }
        window.min(wanted).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_keep_to_their_memory_and_grow_from_small() {
        let mut told = Window::new(Some(1_000_000), Some(10_000_000), Some(1000));
        assert_eq!((told.next(50), told.next(u64::MAX)), (50, 100));
        told.see(1_000_000);
        assert_eq!(told.next(u64::MAX), 1);
        let mut blind = Window::new(None, None, None);
        let windows: Vec<u64> = (0..4).map(|_| blind.next(u64::MAX)).collect();
        assert_eq!(windows, [64, 512, 3000, 3000]);
    }
}
