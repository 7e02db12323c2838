//! Exact products in Z/2^64 [X] / (X^N + 1), of any two polynomials, with transforms kept.
//!
//! `tfhe_ntt::native64`: three 52-bit primes with AVX-512 IFMA, else five 32-bit ones. A coefficient of a product of two
//! 64-bit polynomials stays below 2^140, so that both are exact; tests hold them against the schoolbook. Every ring
//! compares its fast form with the portable one before it trusts it.

use std::fmt;
use tfhe_ntt::native64;
use zeroize::Zeroizing;

enum Method {
    #[cfg(target_arch = "x86_64")]
    Ifma(native64::Plan52),
    Portable(native64::Plan32),
}

/// The ring for one polynomial size.
pub(crate) struct Ring64 {
    size: usize,
    method: Method,
}

/// The transform of a polynomial. Wiped on drop, because most are of secrets.
pub(crate) enum Image {
    Ifma([Zeroizing<Vec<u64>>; 3]),
    Portable([Zeroizing<Vec<u32>>; 5]),
}

/// Working space of [`Ring64::add_product`]. Wiped on drop.
pub(crate) struct ProductScratch {
    residues: Image,
    product: Zeroizing<Vec<u64>>,
}

impl Ring64 {
    /// The fastest form that this machine has and that agrees with the portable one.
    pub(crate) fn new(size: usize) -> Self {
        let portable = Self::portable(size);
        #[cfg(target_arch = "x86_64")]
        if let Some(plan) = native64::Plan52::try_new(size) {
            let fast = Self { size, method: Method::Ifma(plan) };
            if fast.sample() == portable.sample() {
                return fast;
            }
        }
        portable
    }

    /// The form for machines without AVX-512 IFMA.
    pub(crate) fn portable(size: usize) -> Self {
        let plan = native64::Plan32::try_new(size).expect("the named parameter sets have transforms");
        Self { size, method: Method::Portable(plan) }
    }

    /// One dense product, to compare two forms by.
    fn sample(&self) -> Vec<u64> {
        let odd = 0x9E37_79B9_7F4A_7C15_u64;
        let left: Vec<u64> = (odd..).take(self.size).map(|at| at.wrapping_mul(odd).rotate_left(29)).collect();
        let right: Vec<u64> = left.iter().map(|word| word.rotate_left(17) ^ odd).collect();
        let mut out = vec![0; self.size];
        self.add_product(&self.image(&left), &self.image(&right), &mut self.scratch(), &mut out);
        out
    }

    /// Room for a transform.
    pub(crate) fn blank(&self) -> Image {
        match self.method {
            #[cfg(target_arch = "x86_64")]
            Method::Ifma(_) => Image::Ifma(std::array::from_fn(|_| Zeroizing::new(vec![0; self.size]))),
            Method::Portable(_) => {
                Image::Portable(std::array::from_fn(|_| Zeroizing::new(vec![0; self.size])))
            }
        }
    }

    /// Working space.
    pub(crate) fn scratch(&self) -> ProductScratch {
        ProductScratch { residues: self.blank(), product: Zeroizing::new(vec![0; self.size]) }
    }

    /// The transform of `coefficients`.
    pub(crate) fn image(&self, coefficients: &[u64]) -> Image {
        let mut image = self.blank();
        self.image_into(coefficients, &mut image);
        image
    }

    /// Overwrites `image` with the transform of `coefficients`.
    pub(crate) fn image_into(&self, coefficients: &[u64], image: &mut Image) {
        assert_eq!(coefficients.len(), self.size, "a polynomial of this ring");
        match (&self.method, image) {
            #[cfg(target_arch = "x86_64")]
            (Method::Ifma(plan), Image::Ifma([p, q, r])) => plan.fwd(coefficients, p, q, r),
            (Method::Portable(plan), Image::Portable([p, q, r, s, t])) => {
                plan.fwd(coefficients, p, q, r, s, t);
            }
            _ => unreachable!("an image comes from the ring that uses it"),
        }
    }

    /// Adds the product of two transformed polynomials to `out`, modulo 2^64.
    pub(crate) fn add_product(
        &self,
        left: &Image,
        right: &Image,
        scratch: &mut ProductScratch,
        out: &mut [u64],
    ) {
        let ProductScratch { residues, product } = scratch;
        match (&self.method, residues, left, right) {
            #[cfg(target_arch = "x86_64")]
            (Method::Ifma(plan), Image::Ifma(work), Image::Ifma(left), Image::Ifma(right)) => {
                for ((work, left), (prime, right)) in work
                    .iter_mut()
                    .zip(left)
                    .zip([plan.ntt_0(), plan.ntt_1(), plan.ntt_2()].iter().zip(right))
                {
                    work.copy_from_slice(left);
                    prime.mul_assign_normalize(work, right);
                }
                let [p, q, r] = work;
                plan.inv(product, p, q, r);
            }
            (
                Method::Portable(plan),
                Image::Portable(work),
                Image::Portable(left),
                Image::Portable(right),
            ) => {
                let primes = [plan.ntt_0(), plan.ntt_1(), plan.ntt_2(), plan.ntt_3(), plan.ntt_4()];
                for ((work, left), (prime, right)) in work.iter_mut().zip(left).zip(primes.iter().zip(right))
                {
                    work.copy_from_slice(left);
                    prime.mul_assign_normalize(work, right);
                }
                let [p, q, r, s, t] = work;
                plan.inv(product, p, q, r, s, t);
            }
            _ => unreachable!("images and scratch come from the ring that uses them"),
        }
        for (out, product) in out.iter_mut().zip(product.iter()) {
            *out = out.wrapping_add(*product);
        }
    }
}

/// Adds `factor * X^-exponent` to a polynomial of Z [X] / (X^N + 1).
pub(crate) fn add_monomial(out: &mut [u64], exponent: usize, factor: u64) {
    assert!(exponent < out.len(), "the plan keeps exponents below the ring's size");
    if exponent == 0 {
        out[0] = out[0].wrapping_add(factor);
    } else {
        let at = out.len() - exponent;
        out[at] = out[at].wrapping_sub(factor);
    }
}

/// Adds `factor * polynomial * X^-exponent`.
pub(crate) fn add_rotated(out: &mut [u64], polynomial: &[u64], exponent: usize, factor: u64) {
    assert!(exponent < out.len() && out.len() == polynomial.len(), "polynomials of one ring");
    let (low, high) = polynomial.split_at(exponent);
    let (kept, wrapped) = out.split_at_mut(high.len());
    kept.iter_mut().zip(high).for_each(|(out, c)| *out = out.wrapping_add(c.wrapping_mul(factor)));
    wrapped.iter_mut().zip(low).for_each(|(out, c)| *out = out.wrapping_sub(c.wrapping_mul(factor)));
}

impl fmt::Debug for Ring64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self.method {
            #[cfg(target_arch = "x86_64")]
            Method::Ifma(..) => "transform, AVX-512 IFMA",
            Method::Portable(..) => "transform, portable",
        };
        f.debug_struct("Ring64").field("size", &self.size).field("method", &method).finish()
    }
}

impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Image(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use equipoise_core::Seed;
    use rand::rand_core::Rng;

    fn words(seed: u64, size: usize) -> Vec<u64> {
        let mut rng = Seed::root(seed).rng();
        (0..size).map(|_| rng.next_u64()).collect()
    }

    fn schoolbook(left: &[u64], right: &[u64]) -> Vec<u64> {
        let size = left.len();
        let mut out = vec![0_u64; size];
        for (i, a) in left.iter().enumerate() {
            for (j, b) in right.iter().enumerate() {
                let (at, product) = ((i + j) % size, a.wrapping_mul(*b));
                out[at] =
                    if i + j < size { out[at].wrapping_add(product) } else { out[at].wrapping_sub(product) };
            }
        }
        out
    }

    #[test]
    fn both_forms_give_the_schoolbook_product_of_dense_polynomials() {
        let (left, right) = (words(1, 512), words(2, 512));
        for ring in [Ring64::new(512), Ring64::portable(512)] {
            let mut out = vec![7; 512];
            ring.add_product(&ring.image(&left), &ring.image(&right), &mut ring.scratch(), &mut out);
            let expected: Vec<u64> = schoolbook(&left, &right).iter().map(|c| c.wrapping_add(7)).collect();
            assert_eq!(out, expected, "{ring:?}");
        }
    }

    #[test]
    fn a_rotation_is_the_product_with_the_monomial() {
        let (size, factor) = (512, 3 << 40);
        let polynomial = words(3, size);
        for exponent in [0, 1, 255, 511] {
            let mut monomial = vec![0; size];
            add_monomial(&mut monomial, exponent, factor);
            let mut rotated = vec![0; size];
            add_rotated(&mut rotated, &polynomial, exponent, factor);
            assert_eq!(rotated, schoolbook(&polynomial, &monomial), "{exponent}");
        }
    }
}
