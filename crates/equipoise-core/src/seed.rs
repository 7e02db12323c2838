//! Randomness with an address: (seed, purpose, index, ...), never call order.
//!
//! The generator is Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
//! counter-based, so that making a stream is free and any draw can be recomputed alone. It is for simulation only and
//! must never make a key or protected noise.

use rand::rand_core::TryRng;
use std::convert::Infallible;
use std::fmt;

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// One Philox4x32-10 block.
#[inline]
fn philox(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let (mut c, mut k) = (counter, key);
    for _ in 0..10 {
        let a = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let b = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [high(b) ^ c[1] ^ k[0], low(b), high(a) ^ c[3] ^ k[1], low(a)];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

#[inline]
const fn low(value: u64) -> u32 {
    (value & 0xFFFF_FFFF) as u32
}

#[inline]
const fn high(value: u64) -> u32 {
    (value >> 32) as u32
}

#[inline]
fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | (u64::from(high) << 32)
}

/// FNV-1a: turns the name of a purpose into a number. Not a security boundary.
#[inline]
const fn name_code(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        at += 1;
    }
    hash
}

/// An address in the tree of randomness. Two different paths of `derive` give independent streams.
///
/// ```
/// use equipoise_core::{Draw, Seed};
/// let seed = Seed::root(7).derive("round", 3).derive("client", 1);
/// assert_eq!(seed.rng().uniform(), seed.rng().uniform());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Seed {
    key: u64,
    tweak: u64,
}

impl Seed {
    /// The seed that an experiment file names.
    #[must_use]
    pub fn root(value: u64) -> Self {
        Self { key: value, tweak: 0 }.derive("root", 0)
    }

    /// The address `name[index]` below this one. Costs one Philox block.
    #[must_use]
    #[inline]
    pub fn derive(self, name: &str, index: u64) -> Self {
        let tweak = self.tweak ^ name_code(name);
        let out = philox(
            [low(index), high(index), low(tweak), high(tweak)],
            // The constant keeps the addresses apart from the blocks that `rng` draws.
            [low(self.key) ^ 0x5EED_0001, high(self.key) ^ 0x5EED_0002],
        );
        Self { key: join(out[0], out[1]), tweak: join(out[2], out[3]) }
    }

    /// The stream at this address.
    #[must_use]
    #[inline]
    pub const fn rng(self) -> CounterRng {
        CounterRng { seed: self, block: 0, buffer: [0; 4], used: 4 }
    }

    /// A number that stands for this address, for instance to rank things by a public seed.
    #[must_use]
    pub const fn fingerprint(self) -> u64 {
        self.key ^ self.tweak
    }
}

/// The stream of random words at one [`Seed`].
#[derive(Clone)]
pub struct CounterRng {
    seed: Seed,
    block: u64,
    buffer: [u32; 4],
    used: u8,
}

impl fmt::Debug for CounterRng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CounterRng")
            .field("seed", &self.seed)
            .field("block", &self.block)
            .finish_non_exhaustive()
    }
}

impl CounterRng {
    #[inline]
    fn word(&mut self) -> u32 {
        if self.used == 4 {
            self.buffer = philox(
                [low(self.block), high(self.block), low(self.seed.tweak), high(self.seed.tweak)],
                [low(self.seed.key), high(self.seed.key)],
            );
            self.block += 1;
            self.used = 0;
        }
        let word = self.buffer[usize::from(self.used)];
        self.used += 1;
        word
    }
}

impl TryRng for CounterRng {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let first = self.word();
        Ok(join(first, self.word()))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        for chunk in target.chunks_mut(4) {
            let word = self.word().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Draw;
    use proptest::prelude::*;

    /// Known answers of the Random123 distribution, file `kat_vectors`.
    #[test]
    fn philox_gives_the_published_known_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(
            philox([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// A change here moves every byte of every experiment: it must be on purpose and in the changelog.
    #[test]
    fn the_address_scheme_is_frozen() {
        let mut rng = Seed::root(1).derive("round", 2).derive("client", 3).rng();
        let words: Vec<u32> = (0..4).map(|_| rng.word()).collect();
        assert_eq!(words, FROZEN);
    }
    const FROZEN: [u32; 4] = [588_968_517, 3_396_516_279, 4_085_484_304, 3_495_809_059];

    proptest! {
        #[test]
        fn different_addresses_give_different_streams(a in any::<u64>(), i in 0_u64..1000, j in 0_u64..1000) {
            prop_assume!(i != j);
            let seed = Seed::root(a);
            prop_assert_ne!(seed.derive("x", i), seed.derive("x", j));
            prop_assert_ne!(seed.derive("x", i), seed.derive("y", i));
            prop_assert_ne!(seed.derive("x", i).derive("y", j), seed.derive("y", j).derive("x", i));
        }
    }

    #[test]
    fn streams_of_neighbouring_addresses_are_uncorrelated() {
        let seed = Seed::root(11);
        let draws = 20_000;
        let mut sum = 0.0;
        for i in 0..draws {
            let a = seed.derive("entity", i).rng().uniform() - 0.5;
            let b = seed.derive("entity", i + 1).rng().uniform() - 0.5;
            sum += a * b * 12.0;
        }
        // Standard error of the correlation is 1/sqrt(20,000) = 0.007; five of them.
        assert!((sum / f64::from(u32::try_from(draws).unwrap())).abs() < 0.035);
    }
}
