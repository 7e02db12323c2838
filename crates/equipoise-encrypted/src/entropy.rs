//! Where keys, mask seeds and noise come from, as two types.
//!
//! [`SystemSource`] is the operating system's entropy, and what every default constructor uses. [`ReplaySource`] expands a
//! seed: recorded vectors need it, and whoever knows the seed reads everything, so a scheme that is built on it says
//! `NOT SECURE: replayable` at the head of its leakage profile, which every report prints. What must be reproducible in an
//! experiment is the opened sum, which is exact for any randomness; no experiment file can choose the replayable source.

use equipoise_federated::SumError;
use rand::rand_core::TryRng;
use rand::rngs::SysRng;
use std::fmt;

/// Randomness for keys, seeds and noise. Stateless, so that every thread may use it.
pub trait CryptoSource: Copy + Send + Sync + fmt::Debug + 'static {
    /// Whether what it gives can be computed again. Such a scheme hides nothing.
    const REPLAYABLE: bool;

    /// Fills `bytes`.
    ///
    /// # Errors
    /// If the system has no entropy.
    fn fill(self, bytes: &mut [u8]) -> Result<(), SumError>;

    /// The source at an address. A replayable source gives the same bytes at the same address, so that every use needs its
    /// own; the system's ignores addresses.
    #[must_use]
    fn at(self, label: &'static str, index: u64) -> Self;

    /// The headline of a scheme that runs on this source.
    fn headline(text: &str) -> String {
        if Self::REPLAYABLE { format!("NOT SECURE: replayable. {text}") } else { text.to_owned() }
    }
}

/// Entropy from the operating system's call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SystemSource;

impl SystemSource {
    /// Fills `bytes` with fresh randomness.
    pub(crate) fn fill(self, bytes: &mut [u8]) -> Result<(), SumError> {
        SysRng.try_fill_bytes(bytes).map_err(|error| SumError::Entropy(error.to_string()))
    }
}

impl CryptoSource for SystemSource {
    const REPLAYABLE: bool = false;

    fn fill(self, bytes: &mut [u8]) -> Result<(), SumError> {
        Self::fill(self, bytes)
    }

    fn at(self, _label: &'static str, _index: u64) -> Self {
        self
    }
}

/// A seed, expanded by BLAKE3. For recorded vectors and tests only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReplaySource([u8; 32]);

impl ReplaySource {
    /// The source of `seed`.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self(seed)
    }
}

impl CryptoSource for ReplaySource {
    const REPLAYABLE: bool = true;

    fn fill(self, bytes: &mut [u8]) -> Result<(), SumError> {
        blake3::Hasher::new_keyed(&self.0).update(b"fill").finalize_xof().fill(bytes);
        Ok(())
    }

    fn at(self, label: &'static str, index: u64) -> Self {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(b"at").update(&index.to_le_bytes()).update(label.as_bytes());
        Self(hasher.finalize().into())
    }
}

impl fmt::Debug for ReplaySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ReplaySource(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(source: impl CryptoSource) -> [u8; 16] {
        let mut bytes = [0; 16];
        source.fill(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_replayed_source_repeats_at_an_address_and_nowhere_else() {
        let root = ReplaySource::new([7; 32]);
        let all = [root, root.at("a", 0), root.at("a", 1), root.at("b", 0), root.at("a", 0).at("a", 0)];
        let distinct: std::collections::BTreeSet<_> = all.iter().map(|source| bytes(*source)).collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(bytes(root.at("a", 1)), bytes(root.at("a", 1)));
        assert_eq!(format!("{root:?}"), "ReplaySource(..)");
    }

    #[test]
    fn the_system_never_repeats_and_only_a_replay_taints() {
        assert_ne!(bytes(SystemSource), bytes(SystemSource.at("a", 0)));
        assert_eq!(SystemSource::headline("x"), "x");
        assert!(ReplaySource::headline("x").starts_with("NOT SECURE"));
    }
}
