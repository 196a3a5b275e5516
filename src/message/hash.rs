//! The one hash that things are told apart by: SHA-256, of which the first 128 bits are kept.
//!
//! Whoever writes messages may try to make two that are taken for one, and one of them would be lost: so it is a
//! cryptographic one. Of those SHA-256 takes the least time for a message of 1 KiB on processors that have instructions
//! for it, as those of today do. Limits: it is no secret and keeps none.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// What plans and journals call it: their digests can't be compared with those of another.
pub(crate) const NAME: &str = "sha-256";

/// The hash of plans and journals that do not name theirs: they are of a build before there was this one.
pub(crate) fn of_old() -> String {
    "blake3".to_owned()
}

/// Why `what` can't be used, where its messages are named by another hash than this one.
pub(crate) fn differs(what: impl fmt::Display, name: &str) -> Option<String> {
    (name != NAME).then(|| format!("{what} names its messages by {name}, and this postroom knows them by {NAME}"))
}

/// Takes in what is hashed, piece by piece: where one ends and the next begins makes no difference.
#[derive(Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    /// Takes in the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The first 128 bits of the hash: enough to tell things apart that are kept by the million.
    pub(crate) fn finish(self) -> [u8; 16] {
        let whole: [u8; 32] = self.0.finalize().into();
        let mut half = [0; 16];
        half.copy_from_slice(&whole[..16]);
        half
    }
}

/// The hash of these bytes.
pub(crate) fn hash(bytes: &[u8]) -> [u8; 16] {
    let mut hasher = Hasher::default();
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_first_half_of_sha_256_however_it_is_cut() {
        // FIPS 180-2, appendix B.1.
        let expected = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40, 0xde, 0x5d, 0xae, 0x22, 0x23];
        assert_eq!(hash(b"abc"), expected);
        let mut hasher = Hasher::default();
        hasher.update(b"a").update(b"").update(b"bc");
        assert_eq!(hasher.finish(), expected);
    }
}
