//! Errors of fresh ciphertexts: `TUniform(b)` as tfhe-rs defines it, with every bit from the operating system.
//!
//! Values in [-2^b, 2^b]; the two ends have half the weight of the others. Bounded errors are what turns "decryption
//! fails with probability 2^-128" into "decryption cannot fail". Never use them where *sums of errors* are opened under
//! a key the opener lacks (`lattice.md` 2 recovers such a key): here the opener holds the key anyway.

use crate::entropy::CryptoSource;
use equipoise_federated::SumError;
use tfhe::core_crypto::prelude::TUniform;
use zeroize::Zeroize;

/// The error that `byte` stands for; only its low `b + 2` bits count, so that `b <= 6`.
#[inline]
pub(crate) fn tuniform(byte: u8, bound_log2: u32) -> i64 {
    let bits = i64::from(byte) & ((1 << (bound_log2 + 2)) - 1);
    (bits >> 1) + (bits & 1) - (1 << bound_log2)
}

/// Adds one fresh error to every coefficient of `body`. `bytes` is scratch of at least that length.
pub(crate) fn add_noise(
    source: impl CryptoSource,
    noise: TUniform<u64>,
    body: &mut [u64],
    bytes: &mut [u8],
) -> Result<(), SumError> {
    let bytes = &mut bytes[..body.len()];
    source.fill(bytes)?;
    for (coefficient, byte) in body.iter_mut().zip(bytes.iter()) {
        *coefficient = coefficient.wrapping_add(tuniform(*byte, noise.bound_log2()).cast_unsigned());
    }
    bytes.zeroize();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_gives_the_distribution_of_tuniform() {
        let mut counts = [0_u32; 17];
        for byte in 0..=255_u8 {
            counts[usize::try_from(tuniform(byte, 3) + 8).unwrap()] += 1;
        }
        let mut expected = [16_u32; 17];
        (expected[0], expected[16]) = (8, 8);
        assert_eq!(counts, expected);
    }

    #[test]
    fn the_bounds_agree_with_the_type_of_tfhe() {
        let noise = crate::GLWE64_N4096.noise();
        let all: Vec<i64> = (0..=255).map(|byte| tuniform(byte, noise.bound_log2())).collect();
        assert_eq!(all.iter().min(), Some(&noise.min_value_inclusive()));
        assert_eq!(all.iter().max(), Some(&noise.max_value_inclusive()));
    }
}
