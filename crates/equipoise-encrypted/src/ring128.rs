//! Products with a ternary secret in Z/2^128 [X] / (X^N + 1): the ring of the key holders' joint key.
//!
//! Five 30-bit primes carry a product exactly: a coefficient of a 128-bit polynomial times a ternary one stays below
//! 2^140 at N = 4096, and half the product of the primes is 2^148.9. The transforms and the reconstruction are those of
//! `tfhe_ntt::native_binary128`; `native128` shows the pointwise product for the same first five primes of the same pinned
//! release (it would need ten primes for two full operands). Residues are taken here, word by word, because a 128-bit
//! remainder a coefficient and prime would cost more than the transform. Tests hold it against the schoolbook and
//! against tfhe's own 128-bit product. Not constant-time by claim.

use crate::ring::residue32;
use std::fmt;
use tfhe_ntt::fastdiv::Div32;
use tfhe_ntt::prime32::Plan;
use tfhe_ntt::{native_binary128, native128};
use zeroize::Zeroizing;

const PRIMES: usize = 5;

/// The ring for one polynomial size.
pub(crate) struct Ring128 {
    size: usize,
    plan: native_binary128::Plan32,
    wide: native128::Plan32,
}

/// A transformed polynomial. Wiped on drop, because half of them are secrets.
pub(crate) struct Image128([Zeroizing<Vec<u32>>; PRIMES]);

impl Ring128 {
    pub(crate) fn new(size: usize) -> Self {
        let plan = native_binary128::Plan32::try_new(size).expect("the named parameter sets have transforms");
        let wide = native128::Plan32::try_new(size).expect("the named parameter sets have transforms");
        Self { size, plan, wide }
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    fn plans(&self) -> [&Plan; PRIMES] {
        let wide = &self.wide;
        [wide.ntt_0(), wide.ntt_1(), wide.ntt_2(), wide.ntt_3(), wide.ntt_4()]
    }

    /// An empty image, as room for results.
    pub(crate) fn room(&self) -> Image128 {
        Image128(std::array::from_fn(|_| Zeroizing::new(vec![0; self.size])))
    }

    /// Transforms a polynomial of any words.
    pub(crate) fn words(&self, words: &[u128]) -> Image128 {
        assert_eq!(words.len(), self.size, "a polynomial of this ring");
        let mut image = self.room();
        for (plan, out) in self.plans().into_iter().zip(&mut image.0) {
            let prime = Div32::new(plan.modulus());
            let top = u64::from(Div32::rem_u64(u64::MAX, prime)) + 1; // 2^64 modulo the prime
            for (out, word) in out.iter_mut().zip(words) {
                let (high, low) = halves(*word);
                let high = u64::from(Div32::rem_u64(high, prime));
                *out = Div32::rem_u64(high * top + u64::from(Div32::rem_u64(low, prime)), prime);
            }
            plan.fwd(out);
        }
        image
    }

    /// Transforms a ternary polynomial.
    pub(crate) fn ternary(&self, coefficients: &[i8]) -> Image128 {
        assert!(
            coefficients.len() == self.size && coefficients.iter().all(|c| (-1..=1).contains(c)),
            "a ternary polynomial of this ring"
        );
        let mut image = self.room();
        for (plan, out) in self.plans().into_iter().zip(&mut image.0) {
            let modulus = plan.modulus();
            out.iter_mut().zip(coefficients).for_each(|(out, c)| *out = residue32(i64::from(*c), modulus));
            plan.fwd(out);
        }
        image
    }

    /// Sets `out` to `words * ternary`, one of the two factors being any words and the other ternary.
    pub(crate) fn multiply(
        &self,
        words: &Image128,
        ternary: &Image128,
        room: &mut Image128,
        out: &mut [u128],
    ) {
        assert_eq!(out.len(), self.size, "a polynomial of this ring");
        for (index, plan) in self.plans().into_iter().enumerate() {
            room.0[index].copy_from_slice(&words.0[index]);
            plan.mul_assign_normalize(&mut room.0[index], &ternary.0[index]);
        }
        let [a, b, c, d, e] = &mut room.0;
        self.plan.inv(out, a, b, c, d, e);
    }
}

#[allow(clippy::cast_possible_truncation, reason = "the two halves of a word")]
fn halves(word: u128) -> (u64, u64) {
    ((word >> 64) as u64, word as u64)
}

impl fmt::Debug for Ring128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring128").field("size", &self.size).finish_non_exhaustive()
    }
}

impl fmt::Debug for Image128 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Image128(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Seed;
    use rand::rand_core::Rng;
    use tfhe::core_crypto::algorithms::polynomial_algorithms::polynomial_wrapping_mul;
    use tfhe::core_crypto::prelude::Polynomial;

    /// The definition: X^N = -1.
    fn schoolbook(words: &[u128], ternary: &[i8]) -> Vec<u128> {
        let n = words.len();
        let mut out = vec![0_u128; n];
        for (shift, &digit) in ternary.iter().enumerate() {
            for (at, &word) in words.iter().enumerate() {
                let term = word.wrapping_mul(i128::from(digit).cast_unsigned());
                let (to, sign) = if at + shift < n { (at + shift, 1) } else { (at + shift - n, -1_i128) };
                out[to] = out[to].wrapping_add(term.wrapping_mul(sign.cast_unsigned()));
            }
        }
        out
    }

    fn product(ring: &Ring128, words: &[u128], ternary: &[i8]) -> Vec<u128> {
        let mut out = vec![0; words.len()];
        ring.multiply(&ring.words(words), &ring.ternary(ternary), &mut ring.room(), &mut out);
        out
    }

    fn random(n: usize) -> (Vec<u128>, Vec<i8>) {
        let mut rng = Seed::root(1).derive("size", n as u64).rng();
        let mut word = || rng.next_u64();
        let words = (0..n).map(|_| (u128::from(word()) << 64) | u128::from(word())).collect();
        (words, (0..n).map(|_| i8::try_from(word() % 3).unwrap() - 1).collect())
    }

    #[test]
    fn the_product_equals_the_schoolbook_at_random_and_at_the_extremes() {
        for n in [32, 64, 256] {
            let ring = Ring128::new(n);
            let (words, ternary) = random(n);
            assert!(product(&ring, &words, &ternary) == schoolbook(&words, &ternary));
            for words in [vec![u128::MAX; n], vec![1 << 127; n], vec![0; n]] {
                for digit in [-1, 0, 1] {
                    assert!(product(&ring, &words, &vec![digit; n]) == schoolbook(&words, &vec![digit; n]));
                }
            }
        }
    }

    #[test]
    fn the_product_equals_the_product_of_tfhe_at_full_size() {
        let n = 4096;
        let (words, ternary) = random(n);
        let signed: Vec<u128> = ternary.iter().map(|&digit| i128::from(digit).cast_unsigned()).collect();
        let mut expected = vec![0_u128; n];
        polynomial_wrapping_mul(
            &mut Polynomial::from_container(expected.as_mut_slice()),
            &Polynomial::from_container(words.as_slice()),
            &Polynomial::from_container(signed.as_slice()),
        );
        assert!(product(&Ring128::new(n), &words, &ternary) == expected);
    }

    #[test]
    fn images_print_nothing() {
        let image = Ring128::new(32).ternary(&[1; 32]);
        assert_eq!(format!("{image:?}"), "Image128(..)");
    }
}
