//! What two clients agree on: secrets from X25519, mask streams from ChaCha20, sealed parcels from both.

use crate::roles::SessionId;
use chacha20::ChaCha20Rng;
use rand::rand_core::{Rng, SeedableRng};
use x25519_dalek::{PublicKey, StaticSecret};
use zeroize::{Zeroize, Zeroizing};

/// A seed that both ends of a pair know, bound to session, round and use.
pub(crate) fn agree(
    own: &StaticSecret,
    other: &[u8; 32],
    context: &'static str,
    (session, round): (SessionId, u32),
) -> Zeroizing<[u8; 32]> {
    let shared = own.diffie_hellman(&PublicKey::from(*other));
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(shared.as_bytes()).update(&session.0).update(&round.to_le_bytes());
    Zeroizing::new(hasher.finalize().into())
}

/// Context of mask seeds.
pub(crate) const MASK: &str = "equipoise-encrypted 2026-11-27 pairwise mask v1";
/// Context of parcel keys.
pub(crate) const PARCEL: &str = "equipoise-encrypted 2026-11-27 pairwise parcel v1";

/// The words of one mask, modulo 2^32 or 2^64.
pub(crate) struct MaskWords(ChaCha20Rng);

impl MaskWords {
    pub(crate) fn new(seed: &[u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(*seed))
    }

    /// Adds the mask to `words`, or takes it off.
    pub(crate) fn apply<const B: usize, W: Word<B>>(mut self, words: &mut [W], sign: Sign) {
        let mut bytes = [0_u8; 4096];
        for tile in words.chunks_mut(4096 / B) {
            let bytes = &mut bytes[..B * tile.len()];
            self.0.fill_bytes(bytes);
            let masks = bytes.as_chunks::<B>().0.iter().map(|bytes| W::from_bytes(*bytes));
            match sign {
                Sign::Plus => tile.iter_mut().zip(masks).for_each(|(word, mask)| *word = word.plus(mask)),
                Sign::Minus => tile.iter_mut().zip(masks).for_each(|(word, mask)| *word = word.minus(mask)),
            }
        }
        bytes.zeroize();
    }
}

/// Whether a mask is added or taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    Plus,
    Minus,
}

/// A word of `B` bytes whose sums wrap.
pub(crate) trait Word<const B: usize>: Copy {
    fn from_bytes(bytes: [u8; B]) -> Self;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
}

impl Word<4> for u32 {
    fn from_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

impl Word<8> for u64 {
    fn from_bytes(bytes: [u8; 8]) -> Self {
        Self::from_le_bytes(bytes)
    }
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    fn minus(self, other: Self) -> Self {
        self.wrapping_sub(other)
    }
}

/// Integers modulo 2^32 or 2^64.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Words {
    Narrow(Vec<u32>),
    Wide(Vec<u64>),
}

impl Words {
    pub(crate) fn zeros(modulus: super::Modulus, len: usize) -> Self {
        match modulus {
            super::Modulus::Narrow => Self::Narrow(vec![0; len]),
            super::Modulus::Wide => Self::Wide(vec![0; len]),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "the modulus is 2^32")]
    pub(crate) fn of(modulus: super::Modulus, values: &[i64]) -> Self {
        match modulus {
            super::Modulus::Narrow => {
                Self::Narrow(values.iter().map(|value| value.cast_unsigned() as u32).collect())
            }
            super::Modulus::Wide => Self::Wide(values.iter().map(|value| value.cast_unsigned()).collect()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Narrow(words) => words.len(),
            Self::Wide(words) => words.len(),
        }
    }

    pub(crate) fn mask(&mut self, seed: &[u8; 32], sign: Sign) {
        match self {
            Self::Narrow(words) => MaskWords::new(seed).apply(words, sign),
            Self::Wide(words) => MaskWords::new(seed).apply(words, sign),
        }
    }

    /// Adds words of the same modulus and length; `false` if they are not.
    pub(crate) fn add(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Narrow(sum), Self::Narrow(words)) if sum.len() == words.len() => {
                sum.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
            (Self::Wide(sum), Self::Wide(words)) if sum.len() == words.len() => {
                sum.iter_mut().zip(words).for_each(|(sum, word)| *sum = sum.wrapping_add(*word));
            }
            _ => return false,
        }
        true
    }

    pub(crate) fn signed(&self) -> Vec<i64> {
        match self {
            Self::Narrow(words) => words.iter().map(|word| i64::from(word.cast_signed())).collect(),
            Self::Wide(words) => words.iter().map(|word| word.cast_signed()).collect(),
        }
    }
}
