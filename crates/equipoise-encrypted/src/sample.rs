//! Small random polynomials: centred binomial, ternary and wide `TUniform`, with every bit from a [`CryptoSource`].
//!
//! `CBD(8)` (popcount of a byte minus popcount of another) has standard deviation 2 and the hard bound 8. Where sums of
//! keys and errors are opened it must be used in place of `TUniform(3)`, which has the same bound: a uniform error sum at
//! its extreme gives every summand away (`lattice.md` 2; `attack` in the one-shot scheme's tests runs it).

use crate::entropy::CryptoSource;
use equipoise_federated::SumError;
use zeroize::{Zeroize, Zeroizing};

/// The largest absolute value of a `CBD(8)` draw.
pub(crate) const CBD8_BOUND: u64 = 8;

/// The eight popcounts of the bytes of a word.
#[inline]
fn popcounts(word: u64) -> u64 {
    let pairs = word - ((word >> 1) & 0x5555_5555_5555_5555);
    let nibbles = (pairs & 0x3333_3333_3333_3333) + ((pairs >> 2) & 0x3333_3333_3333_3333);
    (nibbles + (nibbles >> 4)) & 0x0F0F_0F0F_0F0F_0F0F
}

/// Eight draws of `CBD(8)`, each plus 8, from sixteen random bytes.
#[inline]
fn cbd8_eight(plus: [u8; 8], minus: [u8; 8]) -> [u8; 8] {
    let raised = popcounts(u64::from_le_bytes(plus)) + 0x0808_0808_0808_0808;
    (raised - popcounts(u64::from_le_bytes(minus))).to_le_bytes()
}

/// Adds one fresh `CBD(8)` draw to every coefficient, modulo 2^64. `bytes` is scratch of at least twice the length, rounded
/// up to sixteen.
pub(crate) fn add_cbd8(
    source: impl CryptoSource,
    body: &mut [u64],
    bytes: &mut [u8],
) -> Result<(), SumError> {
    let bytes = &mut bytes[..16 * body.len().div_ceil(8)];
    source.fill(bytes)?;
    for (body, pair) in body.chunks_mut(8).zip(bytes.as_chunks::<16>().0) {
        let (plus, minus) = pair.split_at(8);
        let (plus, minus) = (plus.try_into().expect("eight bytes"), minus.try_into().expect("eight bytes"));
        for (coefficient, raised) in body.iter_mut().zip(cbd8_eight(plus, minus)) {
            *coefficient = coefficient.wrapping_add(u64::from(raised)).wrapping_sub(CBD8_BOUND);
        }
    }
    bytes.zeroize();
    Ok(())
}

/// A fresh `CBD(8)` polynomial.
pub(crate) fn cbd8(source: impl CryptoSource, size: usize) -> Result<Zeroizing<Vec<i64>>, SumError> {
    let mut words = Zeroizing::new(vec![0_u64; size]);
    add_cbd8(source, &mut words, &mut vec![0; 16 * size.div_ceil(8)])?;
    Ok(Zeroizing::new(words.iter().map(|word| word.cast_signed()).collect()))
}

/// A fresh polynomial of uniform digits in {-1, 0, 1}: five digits to a byte below 243, other bytes thrown away.
pub(crate) fn ternary(source: impl CryptoSource, size: usize) -> Result<Zeroizing<Vec<i8>>, SumError> {
    let mut digits = Zeroizing::new(Vec::with_capacity(size + 5));
    let mut bytes = Zeroizing::new(vec![0_u8; size / 4 + 16]);
    for part in 0.. {
        source.at("part", part).fill(&mut bytes)?;
        for &byte in bytes.iter().filter(|byte| **byte < 243) {
            let mut rest = byte;
            for _ in 0..5 {
                digits.push((rest % 3).cast_signed() - 1);
                rest /= 3;
            }
            if digits.len() >= size {
                digits.truncate(size);
                return Ok(digits);
            }
        }
    }
    unreachable!("a source gives bytes below 243 sooner or later")
}

/// Adds one fresh `TUniform(b)` draw to every coefficient, modulo 2^128; `b` is at most 125.
pub(crate) fn add_tuniform128(
    source: impl CryptoSource,
    bound_log2: u32,
    body: &mut [u128],
) -> Result<(), SumError> {
    assert!(bound_log2 <= 125, "the draw and its sign fit 128 bits");
    let width = (bound_log2 + 2).div_ceil(8) as usize;
    let mut bytes = Zeroizing::new(vec![0_u8; width * body.len()]);
    source.fill(&mut bytes)?;
    let mut word = [0_u8; 16];
    for (coefficient, bytes) in body.iter_mut().zip(bytes.chunks_exact(width)) {
        word[..width].copy_from_slice(bytes);
        *coefficient = coefficient.wrapping_add(tuniform128(u128::from_le_bytes(word), bound_log2));
    }
    word.zeroize();
    Ok(())
}

/// The draw that the low `b + 2` bits of a word stand for, modulo 2^128.
#[inline]
fn tuniform128(word: u128, bound_log2: u32) -> u128 {
    let bits = word & ((1 << (bound_log2 + 2)) - 1);
    ((bits >> 1) + (bits & 1)).wrapping_sub(1 << bound_log2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::{ReplaySource, SystemSource};

    #[test]
    fn every_pair_of_bytes_gives_the_difference_of_its_popcounts() {
        for plus in 0..=255_u8 {
            for minus in (0..=255_u8).step_by(8) {
                let minus: [u8; 8] = std::array::from_fn(|at| minus + u8::try_from(at).unwrap());
                let drawn = cbd8_eight([plus; 8], minus);
                for (raised, minus) in drawn.iter().zip(minus) {
                    assert_eq!(u32::from(*raised), 8 + plus.count_ones() - minus.count_ones());
                }
            }
        }
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn centred_binomial_draws_have_mean_zero_variance_four_and_bound_eight() {
        // 80,000 draws: the variance (fourth moment 47) has a standard error of 0.02, the mean one of 0.007; eight of them.
        let drawn = cbd8(SystemSource, 80_000).unwrap();
        let mean = drawn.iter().sum::<i64>() as f64 / 80_000.0;
        let variance = drawn.iter().map(|x| (x * x) as f64).sum::<f64>() / 80_000.0;
        assert!(mean.abs() < 0.057 && (variance - 4.0).abs() < 0.16, "{mean} {variance}");
        assert!(drawn.iter().all(|x| x.unsigned_abs() <= CBD8_BOUND));
    }

    #[test]
    fn ternary_digits_come_equally_often() {
        let drawn = ternary(SystemSource, 90_000).unwrap();
        for digit in -1..=1 {
            let count = drawn.iter().filter(|&&d| d == digit).count();
            // Standard deviation 141; eight of them.
            assert!(count.abs_diff(30_000) < 1_130, "{digit}: {count}");
        }
        assert_eq!(drawn.len(), 90_000);
    }

    #[test]
    fn wide_noise_takes_every_value_of_its_definition() {
        let mut counts = [0_u32; 17];
        for word in 0..32 {
            let drawn = tuniform128(word | (7 << 100), 3).cast_signed();
            counts[usize::try_from(drawn + 8).unwrap()] += 1;
        }
        let mut expected = [2; 17];
        (expected[0], expected[16]) = (1, 1);
        assert_eq!(counts, expected);
    }

    #[test]
    fn wide_noise_fills_its_range_and_stays_in_it() {
        for bound in [30, 103] {
            let mut drawn = vec![0_u128; 2_000];
            add_tuniform128(SystemSource, bound, &mut drawn).unwrap();
            let largest = drawn.iter().map(|d| d.cast_signed().unsigned_abs()).max().unwrap();
            // All 2,000 below 63 / 64 of the bound: probability 2e-14.
            assert!(largest <= 1 << bound && largest > (1 << bound) / 64 * 63, "{largest}");
        }
    }

    #[test]
    fn a_replayed_draw_is_the_same_draw() {
        let source = ReplaySource::new([1; 32]);
        assert_eq!(*ternary(source, 100).unwrap(), *ternary(source, 100).unwrap());
        assert_ne!(*cbd8(source, 100).unwrap(), *cbd8(source.at("other", 0), 100).unwrap());
    }
}
