//! Secrets and errors of the fusion, every bit from the operating system.

use super::error::FusionError;
use crate::entropy::SystemSource;
use zeroize::{Zeroize, Zeroizing};

/// The operating system's entropy with this module's error.
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), FusionError> {
    SystemSource.fill(bytes).map_err(|error| FusionError::Entropy(error.to_string()))
}

/// The value of `TUniform(b)` that the low `b + 2` bits of `word` stand for; see `noise` for the distribution.
#[inline]
pub(crate) fn tuniform(word: u64, bound_log2: u32) -> i64 {
    debug_assert!(bound_log2 <= 61);
    let bits = (word & ((1 << (bound_log2 + 2)) - 1)).cast_signed();
    (bits >> 1) + (bits & 1) - (1 << bound_log2)
}

/// Adds one fresh error to every coefficient.
pub(crate) fn add_errors(out: &mut [u64], bound_log2: u32) -> Result<(), FusionError> {
    debug_assert!(bound_log2 <= 30);
    let mut bytes = Zeroizing::new(vec![0_u8; 4 * out.len()]);
    fill(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<4>();
    for (coefficient, word) in out.iter_mut().zip(words) {
        let error = tuniform(u64::from(u32::from_le_bytes(*word)), bound_log2);
        *coefficient = coefficient.wrapping_add(error.cast_unsigned());
    }
    Ok(())
}

/// A fresh polynomial with coefficients uniform in {-1, 0, 1}: tfhe's binary secrets have mean one half, which makes the
/// errors of joint keys grow with the square of the holders.
pub(crate) fn ternary(size: usize) -> Result<Zeroizing<Vec<u64>>, FusionError> {
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    let mut bytes = Zeroizing::new(vec![0_u8; size + 64]);
    while out.len() < size {
        fill(&mut bytes)?;
        // 255 of 256 values fall into three equal classes; the last one is drawn again.
        let kept = bytes.iter().filter(|&&byte| byte < 255);
        let missing = size - out.len();
        out.extend(kept.take(missing).map(|&byte| u64::from(byte % 3).wrapping_sub(1)));
    }
    bytes.zeroize();
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_a_small_bound_gives_the_distribution_of_tuniform() {
        let mut counts = [0_u32; 17];
        (0..32).for_each(|word| counts[usize::try_from(tuniform(word, 3) + 8).unwrap()] += 1);
        let mut expected = [2_u32; 17];
        (expected[0], expected[16]) = (1, 1);
        assert_eq!(counts, expected);
    }

    #[test]
    fn ternary_secrets_are_balanced() {
        let key = ternary(30_000).unwrap();
        for value in [u64::MAX, 0, 1] {
            let count = key.iter().filter(|&&c| c == value).count();
            // Mean 10,000, deviation 82; eight of them, false alarms below 1e-14.
            assert!(count.abs_diff(10_000) < 8 * 82, "{count}");
        }
        assert_eq!(key.len(), 30_000);
    }

    #[test]
    fn errors_stay_in_their_bound_and_have_their_variance() {
        let mut errors = vec![0_u64; 100_000];
        add_errors(&mut errors, 17).unwrap();
        let largest = errors.iter().map(|e| e.cast_signed().unsigned_abs()).max().unwrap();
        assert!(largest <= 1 << 17);
        #[allow(clippy::cast_precision_loss)]
        let square = errors.iter().map(|e| (e.cast_signed() as f64).powi(2)).sum::<f64>() / 1e5;
        // The mean square of a uniform law has relative deviation 0.9 / sqrt(1e5) = 0.3 %.
        assert!((square / crate::fusion::plan::tuniform_variance(17) - 1.0).abs() < 0.025);
    }
}
