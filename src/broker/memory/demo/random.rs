//! Numbers that look random and are the same in every run: `SplitMix64` from a fixed seed.
//!
//! Limits: for content only, never for anything that must be hard to guess.

/// The generator.
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 where `n` is.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.next().checked_rem(n).unwrap_or(0)
    }

    /// One of the words.
    pub(super) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.below(words.len() as u64)).unwrap_or(0);
        words.get(at).copied().unwrap_or_default()
    }

    /// A version 4 UUID.
    pub(super) fn uuid(&mut self) -> String {
        let (high, low) = (self.next(), self.next());
        let (b, c) = ((high >> 16) & 0xffff, high & 0xfff);
        let (d, e) = (0x8000 | (low >> 48) & 0x3fff, low & 0xffff_ffff_ffff);
        format!("{:08x}-{b:04x}-4{c:03x}-{d:04x}-{e:012x}", high >> 32)
    }

    /// An amount of money below `max`, with two digits after the point.
    pub(super) fn amount(&mut self, max: u64) -> String {
        format!("{}.{:02}", 1 + self.below(max), self.below(100))
    }
}
